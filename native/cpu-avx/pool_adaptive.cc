// Pooling whose windows follow from the output size: adaptive_avg_pool, adaptive_max_pool, fractional_max_pool.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu-avx/norm_rows.h"
#include "cpu-avx/pool_last.h"
#include "cpu-avx/pool_shape.h"

namespace torchscript {
namespace {

// Window i of `out` over `in`: [floor(i * in / out), ceil((i + 1) * in / out)).
int64_t window_begin(int64_t i, int64_t out, int64_t in) { return i * in / out; }
int64_t window_end(int64_t i, int64_t out, int64_t in) { return ((i + 1) * in + out - 1) / out; }

template <int N> PoolShape adaptive_shape(const Call& call, const char* op) {
  PoolShape s;
  const TensorView& x = tensor_argument(call, 0, op, "self");
  s.spatial = N;
  if (x.ndim != N + 1 && x.ndim != N + 2) fail("%s(): Expected %dD or %dD tensor, but got %s", op, N + 1, N + 2, sizes_text(x).c_str());
  for (int d = 0; d < x.ndim - N; d++) s.planes *= x.sizes[d];
  const Arg& size = call.args[1];
  if (size.kind != ArgKind::Int && (size.kind != ArgKind::IntList || (size.ints.n != N && size.ints.n != 1)))
    fail("%s(): internal error: output_size.size() must be %d", op, N);
  for (int d = 0; d < N; d++) {
    const int64_t in = x.sizes[x.ndim - N + d], out = size.kind == ArgKind::Int ? size.i : size.ints.p[size.ints.n == 1 ? 0 : d];
    if (in == 0)
      fail("%s(): Expected input to have non-zero size for non-batch dimensions, but input has sizes %s", op, sizes_text(x).c_str());
    if (out < 0) fail("%s(): elements of output_size must be greater than or equal to 0", op);
    s.in[3 - N + d] = in;
    s.out[3 - N + d] = out;
  }
  return s;
}

template <int N> void adaptive_avg_infer(Call& call) {
  const PoolShape s = adaptive_shape<N>(call, N == 1 ? "adaptive_avg_pool1d" : N == 2 ? "adaptive_avg_pool2d" : "adaptive_avg_pool3d");
  const DType dtype = call.tensor(0).dtype;
  if (!is_floating(dtype)) fail("\"adaptive_avg_pool%dd\" not implemented for '%s'", N, dtype_torch_name(dtype));
  set_pool_output(call, 0, dtype, s, N == 2);
}
template <int N> void adaptive_avg_run(Call& call) {
  const PoolShape s = adaptive_shape<N>(call, "adaptive_avg_pool");
  const TensorView& out = call.outputs[0];
  if (N == 2 && is_last_pool(call.tensor(0), out)) {
    call.runtime->note("adaptive_avg_pool_last");
    return mean_pool_last(*call.runtime, s, call.tensor(0), out, [&](int d, int64_t i, int64_t& begin, int64_t& end) {
      begin = window_begin(i, s.out[d], s.in[d]);
      end = window_end(i, s.out[d], s.in[d]);
    }, 0, false);
  }
  call.runtime->note("adaptive_avg_pool");
  with_float_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    const T* in = stage<T>(*call.runtime, call.tensor(0));
    T* to = output_block<T>(*call.runtime, out);
    for_planes(*call.runtime, s.planes, s.in_size(), [&](int64_t p) {
      const T* plane = in + p * s.in_size();
      T* result = to + p * s.out_size();
      if (s.out_size() == 1) {
        *result = static_cast<T>(row_sum(plane, s.in_size()) / static_cast<double>(s.in_size()));
        return;
      }
      for (int64_t z = 0; z < s.out[0]; z++) {
        const int64_t z0 = window_begin(z, s.out[0], s.in[0]), z1 = window_end(z, s.out[0], s.in[0]);
        for (int64_t y = 0; y < s.out[1]; y++) {
          const int64_t y0 = window_begin(y, s.out[1], s.in[1]), y1 = window_end(y, s.out[1], s.in[1]);
          for (int64_t x = 0; x < s.out[2]; x++) {
            const int64_t x0 = window_begin(x, s.out[2], s.in[2]), x1 = window_end(x, s.out[2], s.in[2]);
            T sum = 0;
            for (int64_t i = z0; i < z1; i++) {
              for (int64_t j = y0; j < y1; j++) {
                const T* row = plane + (i * s.in[1] + j) * s.in[2];
                for (int64_t k = x0; k < x1; k++) sum += row[k];
              }
            }
            *result++ = sum / static_cast<T>((z1 - z0) * (y1 - y0) * (x1 - x0));
          }
        }
      }
    });
    finish_output(to, out);
  });
}
TS_KERNEL(adaptive_avg_pool1d, {.infer = adaptive_avg_infer<1>, .run = adaptive_avg_run<1>});
TS_KERNEL(adaptive_avg_pool2d, {.infer = adaptive_avg_infer<2>, .run = adaptive_avg_run<2>});
TS_KERNEL(adaptive_avg_pool3d, {.infer = adaptive_avg_infer<3>, .run = adaptive_avg_run<3>});

template <class T> void max_window(const PoolShape& s, const T* plane, const int64_t* begin, const int64_t* end, T* best, int64_t* at) {
  *best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  *at = (begin[0] * s.in[1] + begin[1]) * s.in[2] + begin[2];
  for (int64_t i = begin[0]; i < end[0]; i++) {
    for (int64_t j = begin[1]; j < end[1]; j++) {
      for (int64_t k = begin[2]; k < end[2]; k++) {
        const int64_t index = (i * s.in[1] + j) * s.in[2] + k;
        if (plane[index] > *best || plane[index] != plane[index]) {
          *best = plane[index];
          *at = index;
        }
      }
    }
  }
}

// Outputs: values and flat indices. `starts(d, i, plane)` is where window i of dimension d begins, `ends` where it ends.
template <class Bounds> void run_windows(Call& call, const PoolShape& s, const Bounds& bounds) {
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, Complex128>) {
      const T* in = stage<T>(*call.runtime, call.tensor(0));
      T* to = output_block<T>(*call.runtime, out);
      int64_t* indices = call.noutputs > 1 ? output_block<int64_t>(*call.runtime, call.outputs[1]) : nullptr;
      for_planes(*call.runtime, s.planes, s.in_size() * 2, [&](int64_t p) {
        int64_t n = p * s.out_size();
        for (int64_t z = 0; z < s.out[0]; z++) {
          for (int64_t y = 0; y < s.out[1]; y++) {
            for (int64_t x = 0; x < s.out[2]; x++, n++) {
              int64_t begin[3], end[3], at;
              const int64_t index[3] = {z, y, x};
              for (int d = 0; d < 3; d++) bounds(p, d, index[d], begin[d], end[d]);
              max_window(s, in + p * s.in_size(), begin, end, to + n, &at);
              if (indices) indices[n] = at;
            }
          }
        }
      });
      finish_output(to, out);
      if (indices) finish_output(indices, call.outputs[1]);
    }
  });
}

template <int N> void adaptive_max_infer(Call& call) {
  const PoolShape s = adaptive_shape<N>(call, N == 1 ? "adaptive_max_pool1d" : N == 2 ? "adaptive_max_pool2d" : "adaptive_max_pool3d");
  const DType dtype = call.tensor(0).dtype;
  if (!is_floating(dtype)) fail("\"adaptive_max_pool%dd\" not implemented for '%s'", N, dtype_torch_name(dtype));
  set_pool_output(call, 0, dtype, s, N == 2);
  if (call.noutputs > 1) set_pool_output(call, 1, DType::I64, s, N == 2);
}
template <int N> void adaptive_max_run(Call& call) {
  const PoolShape s = adaptive_shape<N>(call, "adaptive_max_pool");
  run_windows(call, s, [&](int64_t, int d, int64_t i, int64_t& begin, int64_t& end) {
    begin = window_begin(i, s.out[d], s.in[d]);
    end = window_end(i, s.out[d], s.in[d]);
  });
}
TS_KERNEL(adaptive_max_pool1d, {.infer = adaptive_max_infer<1>, .run = adaptive_max_run<1>});
TS_KERNEL(adaptive_max_pool2d, {.infer = adaptive_max_infer<2>, .run = adaptive_max_run<2>});
TS_KERNEL(adaptive_max_pool3d, {.infer = adaptive_max_infer<3>, .run = adaptive_max_run<3>});

// fractional_max_pool(self, kernel_size, output_size, random_samples [batch, channels, N]) -> values, indices.
// Samples are (width, height) in two dimensions and (depth, height, width) in three.
template <int N> PoolShape fractional_shape(const Call& call) {
  PoolShape s;
  const TensorView& x = pool_input(call, N == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d", N, s);
  read_list(call, 1, N, 1, "kernel_size", s.kernel);
  read_list(call, 2, N, 1, "output_size", s.out);
  for (int d = 0; d < 3 - N; d++) s.kernel[d] = s.out[d] = 1;
  for (int d = 3 - N; d < 3; d++) {
    if (s.kernel[d] <= 0 || s.out[d] <= 0) fail("fractional_max_pool: kernel_size and output_size should be greater than zero");
    if (s.out[d] + s.kernel[d] - 1 > s.in[d])
      fail("fractional_max_pool%dd(): pool size (%lld) too large relative to input size (%lld)", N, static_cast<long long>(s.kernel[d]),
           static_cast<long long>(s.in[d]));
  }
  const TensorView& samples = tensor_argument(call, 3, "fractional_max_pool", "random_samples");
  const int64_t batch = x.ndim == N + 2 ? x.sizes[0] : 1, channels = x.sizes[x.ndim - N - 1];
  if (samples.ndim != 3 || samples.sizes[0] < batch || samples.sizes[1] < channels || samples.sizes[2] != N) {
    fail("Expect _random_samples to have shape [%lld, %lld, %d] but received %s", static_cast<long long>(batch),
         static_cast<long long>(channels), N, sizes_text(samples).c_str());
  }
  if (samples.dtype != x.dtype) fail("Expect _random_samples to have the same dtype as input");
  return s;
}
template <int N> void fractional_infer(Call& call) {
  const PoolShape s = fractional_shape<N>(call);
  set_pool_output(call, 0, call.tensor(0).dtype, s, false);
  if (call.noutputs > 1) set_pool_output(call, 1, DType::I64, s, false);
}
template <int N> void fractional_run(Call& call) {
  const PoolShape s = fractional_shape<N>(call);
  const TensorView& view = call.tensor(3);
  const TensorView& x = call.tensor(0);
  const int64_t channels = x.sizes[x.ndim - N - 1];
  with_float_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    const T* samples = stage<T>(*call.runtime, view);
    run_windows(call, s, [&](int64_t p, int d, int64_t i, int64_t& begin, int64_t& end) {
      begin = 0;
      if (d >= 3 - N) {
        const T sample = samples[(p / channels * view.sizes[1] + p % channels) * N + (N == 2 ? 2 - d : d)];
        if (s.out[d] == 1 || i == s.out[d] - 1) {
          begin = s.in[d] - s.kernel[d];
        } else {
          const T alpha = static_cast<T>(s.in[d] - s.kernel[d]) / static_cast<T>(s.out[d] - 1);
          begin = static_cast<int64_t>((static_cast<T>(i) + sample) * alpha) - static_cast<int64_t>(sample * alpha);
        }
        begin = std::clamp<int64_t>(begin, 0, s.in[d] - s.kernel[d]);
      }
      end = begin + s.kernel[d];
    });
  });
}
TS_KERNEL(fractional_max_pool2d, {.infer = fractional_infer<2>, .run = fractional_run<2>});
TS_KERNEL(fractional_max_pool3d, {.infer = fractional_infer<3>, .run = fractional_run<3>});

}  // namespace
}  // namespace torchscript
