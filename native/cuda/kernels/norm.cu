// Normalization: of rows (layer_norm, rms_norm, group_norm, instance_norm) and of channels (batch_norm).
// kernel: cpu-avx/norm, cpu-avx/norm_batch
#include "cuda/kernels/params_rows.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE float root(float x) { return sqrtf(x); }
TS_DEVICE double root(double x) { return sqrt(x); }

template <class T, class A> TS_DEVICE void norm_rows(const NormRowsParams& p) {
  const bool vectors = p.vectors != 0;
  for (int64_t row = first_row(); row < p.rows; row += row_step()) {
    const T* x = static_cast<const T*>(p.x) + row * p.n;
    T* out = static_cast<T*>(p.out) + row * p.n;
    const A count = static_cast<A>(p.n);
    A mean = 0, squares = 0;
    if (!p.rms) {
      A sum = 0;
      each_of_row(x, p.n, 1, vectors, [&](int64_t, T v) { sum += static_cast<A>(v); });
      mean = group_fold(sum, AddOf<A>()) / count;
    }
    each_of_row(x, p.n, 1, vectors, [&](int64_t, T v) {
      const A d = static_cast<A>(v) - mean;
      squares += d * d;
    });
    squares = group_fold(squares, AddOf<A>());
    const A scale = 1 / root(squares / count + static_cast<A>(p.eps));
    const int64_t first = row % p.groups * p.per;
    map_row(out, x, p.n, 1, vectors, [&](int64_t k, T v) {
      const int64_t channel = first + (p.pixels.divisor == 1 ? k : divide(static_cast<uint32_t>(k), p.pixels));
      A y = (static_cast<A>(v) - mean) * scale;
      if (p.gamma.data) y *= load_real<A>(p.gamma.dtype, p.gamma.data, channel);
      if (p.beta.data) y += load_real<A>(p.beta.dtype, p.beta.data, channel);
      return y;
    });
    if (threadIdx.x == 0) {
      if (p.mean.data) store_real<A>(p.mean.dtype, p.mean.data, row, mean);
      if (p.rstd.data) store_real<A>(p.rstd.dtype, p.rstd.data, row, scale);
    }
  }
}

// A block a channel.
template <class T, class A> TS_DEVICE void channel_stats(const ChannelStatsParams& p) {
  const int64_t count = p.batch * p.pixels;
  for (int64_t c = first_row(); c < p.channels; c += row_step()) {
    const T* x = static_cast<const T*>(p.x) + c * p.channel_stride;
    A sum = 0, squares = 0;
    for (int64_t b = 0; b < p.batch; b++)
      each_of_row(x + b * p.batch_stride, p.pixels, p.pixel_stride, false, [&](int64_t, T v) { sum += static_cast<A>(v); });
    const A mean = group_fold(sum, AddOf<A>()) / static_cast<A>(count);
    for (int64_t b = 0; b < p.batch; b++) {
      each_of_row(x + b * p.batch_stride, p.pixels, p.pixel_stride, false, [&](int64_t, T v) {
        const A d = static_cast<A>(v) - mean;
        squares += d * d;
      });
    }
    squares = group_fold(squares, AddOf<A>());
    if (threadIdx.x == 0) {
      p.mean[c] = mean;
      p.variance[c] = squares / static_cast<A>(count);
    }
  }
}

template <class T, class A> TS_DEVICE void channel_affine(const ChannelAffineParams& p) {
  const T* x = static_cast<const T*>(p.x);
  T* out = static_cast<T*>(p.out);
  for (uint32_t i = thread_index(); i < p.n; i += thread_count()) {
    const uint32_t line = divide(i, p.pixels), c = line - divide(line, p.channels) * p.channels.divisor;
    A scale = 1 / root(load_real<A>(p.variance.dtype, p.variance.data, c) + static_cast<A>(p.eps));
    if (p.gamma.data) scale *= load_real<A>(p.gamma.dtype, p.gamma.data, c);
    A y = (static_cast<A>(x[i]) - load_real<A>(p.mean.dtype, p.mean.data, c)) * scale;
    if (p.beta.data) y += load_real<A>(p.beta.dtype, p.beta.data, c);
    out[i] = T(y);
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, norm_rows_f32, const NormRowsParams p) { norm_rows<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_stats_f32, const ChannelStatsParams p) { channel_stats<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_affine_f32, const ChannelAffineParams p) { channel_affine<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, norm_rows_f16, const NormRowsParams p) { norm_rows<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_stats_f16, const ChannelStatsParams p) { channel_stats<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_affine_f16, const ChannelAffineParams p) { channel_affine<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, norm_rows_bf16, const NormRowsParams p) { norm_rows<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_stats_bf16, const ChannelStatsParams p) { channel_stats<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_affine_bf16, const ChannelAffineParams p) { channel_affine<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, norm_rows_f64, const NormRowsParams p) { norm_rows<double, double>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_stats_f64, const ChannelStatsParams p) { channel_stats<double, double>(p); }
TS_GLOBAL_BOUNDS(256, 2, channel_affine_f64, const ChannelAffineParams p) { channel_affine<double, double>(p); }

TS_GLOBAL(channel_save, const ChannelSaveParams p) {
  for (uint32_t c = thread_index(); c < static_cast<uint32_t>(p.channels); c += thread_count()) {
    if (p.saved_mean.data) store_real<double>(p.saved_mean.dtype, p.saved_mean.data, c, p.mean[c]);
    if (p.saved_rstd.data) store_real<double>(p.saved_rstd.dtype, p.saved_rstd.data, c, 1 / sqrt(p.variance[c] + p.eps));
    if (p.next_mean.data) {
      double value = load_real<double>(p.running_mean.dtype, p.running_mean.data, c);
      if (p.training) value = p.momentum * p.mean[c] + (1 - p.momentum) * value;
      store_real<double>(p.next_mean.dtype, p.next_mean.data, c, value);
    }
    if (p.next_var.data) {
      double value = load_real<double>(p.running_var.dtype, p.running_var.data, c);
      if (p.training) value = p.momentum * p.variance[c] * (p.count / (p.count - 1)) + (1 - p.momentum) * value;
      store_real<double>(p.next_var.dtype, p.next_var.data, c, value);
    }
  }
}
