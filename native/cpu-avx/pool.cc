// max_pool, avg_pool and max_unpool in one to three dimensions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/pool_inner.h"
#include "cpu-avx/pool_last.h"
#include "cpu-avx/pool_shape.h"

namespace torchscript {
namespace {

template <class T> T lowest() {
  if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
  else return std::numeric_limits<T>::lowest();
}

// First and one past the last tap that falls inside [0, size).
struct TapRange {
  int64_t begin, end;
};
TapRange taps_inside(int64_t start, int64_t kernel, int64_t dilation, int64_t size) {
  const int64_t begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
  const int64_t end = std::min(kernel, start >= size ? 0 : (size - start + dilation - 1) / dilation);
  return {begin, std::max(begin, end)};
}

// Rows first, then columns: every row of the window is folded into one row, whose windows are then folded.
void max_plane_separable(const PoolShape& s, const float* in, float* out) {
  const PoolTable& table = pool_table();
  if (s.in[0] == 1 && s.out[0] == 1 && s.kernel[0] == 1 && s.pad[0] == 0 && s.dilation[1] == 1 && s.dilation[2] == 1 && s.stride[2] <= 2 &&
      s.kernel[2] <= kMaxPlaneKernel && s.kernel[1] <= 4) {
    return table.max_plane({in, s.in[1], s.in[2], s.kernel[1], s.kernel[2], s.stride[1], s.pad[1], s.pad[2], out, s.out[1], s.out[2]}, static_cast<int>(s.stride[2]));
  }
  float* row = thread_scratch<float>(kSlotUser, static_cast<size_t>(s.in[2]));
  for (int64_t z = 0; z < s.out[0]; z++) {
    const int64_t z0 = z * s.stride[0] - s.pad[0];
    const TapRange rz = taps_inside(z0, s.kernel[0], s.dilation[0], s.in[0]);
    for (int64_t y = 0; y < s.out[1]; y++) {
      const int64_t y0 = y * s.stride[1] - s.pad[1];
      const TapRange ry = taps_inside(y0, s.kernel[1], s.dilation[1], s.in[1]);
      bool first = true;
      for (int64_t kz = rz.begin; kz < rz.end; kz++) {
        for (int64_t ky = ry.begin; ky < ry.end; ky++) {
          const float* from = in + ((z0 + kz * s.dilation[0]) * s.in[1] + y0 + ky * s.dilation[1]) * s.in[2];
          if (first) std::copy_n(from, s.in[2], row);
          else table.max_rows(row, from, s.in[2]);
          first = false;
        }
      }
      if (first) std::fill_n(row, s.in[2], lowest<float>());
      float* to = out + (z * s.out[1] + y) * s.out[2];
      // Columns whose window lies inside go together.
      const int64_t reach = s.dilation[2] * (s.kernel[2] - 1);
      int64_t x0 = std::min(s.out[2], (s.pad[2] + s.stride[2] - 1) / s.stride[2]);
      const int64_t space = s.in[2] - 1 - reach + s.pad[2];
      const int64_t x1 = std::max(x0, std::min(s.out[2], space < 0 ? 0 : space / s.stride[2] + 1));
      if (x1 > x0) table.max_windows(row + x0 * s.stride[2] - s.pad[2], x1 - x0, s.stride[2], s.kernel[2], s.dilation[2], to + x0);
      else x0 = s.out[2];
      for (int64_t x = 0; x < s.out[2]; x++) {
        if (x >= x0 && x < x1) {
          x = x1 - 1;
          continue;
        }
        const int64_t start = x * s.stride[2] - s.pad[2];
        const TapRange rx = taps_inside(start, s.kernel[2], s.dilation[2], s.in[2]);
        float best = lowest<float>();
        for (int64_t k = rx.begin; k < rx.end; k++) {
          const float v = row[start + k * s.dilation[2]];
          if (v > best || std::isnan(v)) best = v;
        }
        to[x] = best;
      }
    }
  }
}

template <class T> void max_plane(const PoolShape& s, const T* in, T* out, int64_t* indices) {
  for (int64_t z = 0; z < s.out[0]; z++) {
    const int64_t z0 = z * s.stride[0] - s.pad[0];
    const TapRange rz = taps_inside(z0, s.kernel[0], s.dilation[0], s.in[0]);
    for (int64_t y = 0; y < s.out[1]; y++) {
      const int64_t y0 = y * s.stride[1] - s.pad[1];
      const TapRange ry = taps_inside(y0, s.kernel[1], s.dilation[1], s.in[1]);
      for (int64_t x = 0; x < s.out[2]; x++) {
        const int64_t x0 = x * s.stride[2] - s.pad[2];
        const TapRange rx = taps_inside(x0, s.kernel[2], s.dilation[2], s.in[2]);
        T best = lowest<T>();
        int64_t at = ((z0 + rz.begin * s.dilation[0]) * s.in[1] + y0 + ry.begin * s.dilation[1]) * s.in[2] + x0 + rx.begin * s.dilation[2];
        for (int64_t kz = rz.begin; kz < rz.end; kz++) {
          for (int64_t ky = ry.begin; ky < ry.end; ky++) {
            const int64_t base = ((z0 + kz * s.dilation[0]) * s.in[1] + y0 + ky * s.dilation[1]) * s.in[2] + x0;
            for (int64_t kx = rx.begin; kx < rx.end; kx++) {
              const T v = in[base + kx * s.dilation[2]];
              if (v > best || v != v) {
                best = v;
                at = base + kx * s.dilation[2];
              }
            }
          }
        }
        *out++ = best;
        if (indices) *indices++ = at;
      }
    }
  }
}

// max_pool(self, kernel, stride, padding, dilation, ceil_mode) -> result [, indices]
template <int N> PoolShape max_pool_shape(const Call& call) {
  const char* names[] = {"", "max_pool1d", "max_pool2d", "max_pool3d"};
  return pool_shape(call, names[N], N, 1, 2, 3, 4, 5);
}
template <int N> void max_pool_infer(Call& call) {
  const PoolShape s = max_pool_shape<N>(call);
  const DType dtype = call.tensor(0).dtype;
  if (is_complex(dtype) || dtype == DType::Bool) fail("\"max_pool%dd\" not implemented for '%s'", N, dtype_torch_name(dtype));
  set_pool_output(call, 0, dtype, s, true);
  if (call.noutputs > 1) set_pool_output(call, 1, DType::I64, s, true);
}
template <int N> void max_pool_run(Call& call) {
  const PoolShape s = max_pool_shape<N>(call);
  const TensorView& out = call.outputs[0];
  const int64_t window = s.kernel[0] * s.kernel[1] * s.kernel[2];
  if (N == 2 && call.noutputs == 1 && is_last_pool(call.tensor(0), out)) {
    call.runtime->note("max_pool_last");
    return max_pool_last(*call.runtime, s, call.tensor(0), out);
  }
  call.runtime->note("max_pool");
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, Complex128>) {
      const T* in = stage<T>(*call.runtime, call.tensor(0));
      T* to = output_block<T>(*call.runtime, out);
      int64_t* indices = call.noutputs > 1 ? output_block<int64_t>(*call.runtime, call.outputs[1]) : nullptr;
      for_planes(*call.runtime, s.planes, s.out_size() * window, [&](int64_t p) {
        if constexpr (std::is_same_v<T, float>) {
          if (!indices) return max_plane_separable(s, in + p * s.in_size(), to + p * s.out_size());
        }
        max_plane(s, in + p * s.in_size(), to + p * s.out_size(), indices ? indices + p * s.out_size() : nullptr);
      });
      finish_output(to, out);
      if (indices) finish_output(indices, call.outputs[1]);
    }
  });
}
TS_KERNEL(max_pool1d, {.infer = max_pool_infer<1>, .run = max_pool_run<1>});
TS_KERNEL(max_pool2d, {.infer = max_pool_infer<2>, .run = max_pool_run<2>});
TS_KERNEL(max_pool3d, {.infer = max_pool_infer<3>, .run = max_pool_run<3>});

// avg_pool(self, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
template <int N> PoolShape avg_pool_shape(const Call& call) {
  const char* names[] = {"", "avg_pool1d", "avg_pool2d", "avg_pool3d"};
  return pool_shape(call, names[N], N, 1, 2, 3, -1, 4);
}
template <int N> void avg_pool_infer(Call& call) {
  const PoolShape s = avg_pool_shape<N>(call);
  const DType dtype = call.tensor(0).dtype;
  if (!is_floating(dtype) && dtype != DType::I64) fail("\"avg_pool%dd\" not implemented for '%s'", N, dtype_torch_name(dtype));
  if (call.nargs > 6 && call.args[6].kind == ArgKind::Int && call.args[6].i == 0) fail("divisor must be not zero");
  set_pool_output(call, 0, dtype, s, N == 2);
}
template <class T> void avg_plane(const PoolShape& s, const T* in, T* out, bool include_pad, int64_t divisor) {
  for (int64_t z = 0; z < s.out[0]; z++) {
    for (int64_t y = 0; y < s.out[1]; y++) {
      for (int64_t x = 0; x < s.out[2]; x++) {
        const int64_t at[3] = {z, y, x};
        int64_t begin[3], end[3], padded = 1, real = 1;
        for (int d = 0; d < 3; d++) {
          begin[d] = at[d] * s.stride[d] - s.pad[d];
          end[d] = std::min(begin[d] + s.kernel[d], s.in[d] + s.pad[d]);
          padded *= end[d] - begin[d];
          begin[d] = std::max<int64_t>(begin[d], 0);
          end[d] = std::min(end[d], s.in[d]);
          real *= std::max<int64_t>(0, end[d] - begin[d]);
        }
        T sum = 0;
        if (real > 0) {
          for (int64_t i = begin[0]; i < end[0]; i++) {
            for (int64_t j = begin[1]; j < end[1]; j++) {
              const T* row = in + (i * s.in[1] + j) * s.in[2];
              for (int64_t k = begin[2]; k < end[2]; k++) sum += row[k];
            }
          }
          sum /= static_cast<T>(divisor != 0 ? divisor : include_pad ? padded : real);
        }
        *out++ = sum;
      }
    }
  }
}
template <int N> void avg_pool_run(Call& call) {
  const PoolShape s = avg_pool_shape<N>(call);
  const TensorView& out = call.outputs[0];
  const bool include_pad = call.nargs <= 5 || call.args[5].b;
  const int64_t divisor = call.nargs > 6 && call.args[6].kind == ArgKind::Int ? call.args[6].i : 0;
  if (N == 2 && is_last_pool(call.tensor(0), out)) {
    call.runtime->note("avg_pool_last");
    return mean_pool_last(*call.runtime, s, call.tensor(0), out, [&](int d, int64_t i, int64_t& begin, int64_t& end) {
      begin = i * s.stride[d] - s.pad[d];
      end = std::min(begin + s.kernel[d], s.in[d] + s.pad[d]);
    }, divisor, include_pad);
  }
  call.runtime->note("avg_pool");
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, Complex128>) {
      const T* in = stage<T>(*call.runtime, call.tensor(0));
      T* to = output_block<T>(*call.runtime, out);
      for_planes(*call.runtime, s.planes, s.out_size() * s.kernel[0] * s.kernel[1] * s.kernel[2],
                 [&](int64_t p) { avg_plane(s, in + p * s.in_size(), to + p * s.out_size(), include_pad, divisor); });
      finish_output(to, out);
    }
  });
}
TS_KERNEL(avg_pool1d, {.infer = avg_pool_infer<1>, .run = avg_pool_run<1>});
TS_KERNEL(avg_pool2d, {.infer = avg_pool_infer<2>, .run = avg_pool_run<2>});
TS_KERNEL(avg_pool3d, {.infer = avg_pool_infer<3>, .run = avg_pool_run<3>});

// max_unpool(self, indices, output_size, ...): each value goes to its flat index in a plane of zeros. An index outside the plane is found
// before anything is written: infer reads the indices.
template <int N> void unpool_infer(Call& call) {
  const TensorView &x = tensor_argument(call, 0, "max_unpool", "self"), &indices = tensor_argument(call, 1, "max_unpool", "indices");
  if (indices.dtype != DType::I64) fail("elements in indices should be type int64 but got: %s", dtype_torch_name(indices.dtype));
  if (x.ndim != N + 1 && x.ndim != N + 2)
    fail("Input to max_unpooling%dd should be a %dd or %dd Tensor, but got a tensor with %d dimensions.", N, N + 1, N + 2, x.ndim);
  bool same = x.ndim == indices.ndim;
  for (int d = 0; same && d < x.ndim; d++) same = x.sizes[d] == indices.sizes[d];
  if (!same)
    fail("Expected shape of indices to be same as that of the input tensor (%s) but got indices tensor with shape: %s",
         sizes_text(x).c_str(), sizes_text(indices).c_str());
  if (call.args[2].kind != ArgKind::IntList || call.args[2].ints.n != N) fail("There should be exactly %d elements in output_size", N);
  int64_t sizes[5];
  for (int d = 0; d < x.ndim - N; d++) sizes[d] = x.sizes[d];
  int64_t plane = 1;
  for (int d = 0; d < N; d++) {
    sizes[x.ndim - N + d] = call.args[2].ints.p[d];
    if (call.args[2].ints.p[d] < 0) fail("Expected output_size to be non-negative");
  }
  check_elements(sizes, x.ndim);
  for (int d = 0; d < N; d++) plane *= call.args[2].ints.p[d];
  const int64_t* p = indices.ptr<int64_t>();
  for_each_element(indices, [&](int64_t offset, int64_t) {
    if (p[offset] < 0 || p[offset] >= plane)
      fail("Found an invalid max index: %lld (output volumes are of size %lld)", static_cast<long long>(p[offset]),
           static_cast<long long>(plane));
  });
  call.set_output(0, x.dtype, sizes, x.ndim);
  if (N == 2 && has_channels_last_strides(x)) make_channels_last(call.outputs[0]);
}
template <int N> void unpool_run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  int64_t planes = 1, in_size = 1, out_size = 1;
  for (int d = 0; d < x.ndim - N; d++) planes *= x.sizes[d];
  for (int d = x.ndim - N; d < x.ndim; d++) {
    in_size *= x.sizes[d];
    out_size *= out.sizes[d];
  }
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    const T* in = stage<T>(*call.runtime, x);
    const int64_t* indices = stage<int64_t>(*call.runtime, call.tensor(1));
    T* to = output_block<T>(*call.runtime, out);
    std::fill_n(to, out.numel(), T(0));
    for (int64_t p = 0; p < planes; p++) {
      for (int64_t i = 0; i < in_size; i++) to[p * out_size + indices[p * in_size + i]] = in[p * in_size + i];
    }
    finish_output(to, out);
  });
}
TS_KERNEL(max_unpool2d, {.infer = unpool_infer<2>, .run = unpool_run<2>, .data_dependent = true});
TS_KERNEL(max_unpool3d, {.infer = unpool_infer<3>, .run = unpool_run<3>, .data_dependent = true});

}  // namespace
}  // namespace torchscript
