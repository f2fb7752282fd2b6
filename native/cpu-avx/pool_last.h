// Pooling of channels-last float tensors in two dimensions.
#pragma once
#include <algorithm>

#include "cpu-avx/conv/last_inner.h"
#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/pool_shape.h"

namespace torchscript {

// The kernels below do it: pixels of both tensors hold their channels adjacent, and the result is dense.
inline bool is_last_pool(const TensorView& x, const TensorView& out) {
  if (x.ndim != 4 || x.dtype != DType::F32 || out.dtype != DType::F32 || out.numel() == 0) return false;
  TensorView dense = out;
  make_channels_last(dense);
  for (int d = 0; d < 4; d++)
    if (out.sizes[d] > 1 && out.strides[d] != dense.strides[d]) return false;
  return x.sizes[1] > 1 && x.strides[1] == 1 && (x.sizes[2] > 1 || x.sizes[3] > 1);
}

// body(item, y, x, from, out) of every pixel of the result; `from` is the item's first pixel.
template <class F>
void for_last_pixels(Runtime& runtime, const PoolShape& s, const TensorView& x, const TensorView& out, int64_t window, const F& body) {
  const int64_t channels = x.sizes[1], rows = x.sizes[0] * s.out[1];
  const int64_t grain = std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(1, s.out[2] * channels * window));
  runtime.parallel(rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float* from = x.ptr<float>() + i / s.out[1] * x.strides[0];
      float* to = out.ptr<float>() + i * s.out[2] * channels;
      for (int64_t column = 0; column < s.out[2]; column++) body(i % s.out[1], column, from, to + column * channels);
    }
  });
}

inline void max_pool_last(Runtime& runtime, const PoolShape& s, const TensorView& x, const TensorView& out) {
  const int64_t window = s.kernel[1] * s.kernel[2];
  for_last_pixels(runtime, s, x, out, window, [&](int64_t row, int64_t column, const float* from, float* to) {
    const float** taps = thread_scratch<const float*>(kSlotUser, static_cast<size_t>(window));
    int64_t n = 0;
    for (int64_t ky = 0; ky < s.kernel[1]; ky++) {
      const int64_t y = row * s.stride[1] - s.pad[1] + ky * s.dilation[1];
      if (y < 0 || y >= s.in[1]) continue;
      for (int64_t kx = 0; kx < s.kernel[2]; kx++) {
        const int64_t at = column * s.stride[2] - s.pad[2] + kx * s.dilation[2];
        if (at >= 0 && at < s.in[2]) taps[n++] = from + y * x.strides[2] + at * x.strides[3];
      }
    }
    conv_last_table().max_taps(taps, n, x.sizes[1], to);
  });
}

// bounds(d, i, begin, end): window i of dimension d, which may pass the edges. Means are over the elements inside, over those of the
// window with its padding when `include_pad`, or by `divisor` when that is not 0.
template <class Bounds>
void mean_pool_last(Runtime& runtime, const PoolShape& s, const TensorView& x, const TensorView& out, const Bounds& bounds, int64_t divisor,
                    bool include_pad) {
  const int64_t window = std::max<int64_t>(1, s.in_size() / std::max<int64_t>(1, s.out_size()));
  for_last_pixels(runtime, s, x, out, window, [&](int64_t row, int64_t column, const float* from, float* to) {
    int64_t y0, y1, x0, x1;
    bounds(1, row, y0, y1);
    bounds(2, column, x0, x1);
    const int64_t padded = (y1 - y0) * (x1 - x0);
    y0 = std::max<int64_t>(y0, 0);
    x0 = std::max<int64_t>(x0, 0);
    y1 = std::min(y1, s.in[1]);
    x1 = std::min(x1, s.in[2]);
    const int64_t real = std::max<int64_t>(0, y1 - y0) * std::max<int64_t>(0, x1 - x0);
    const float** taps = thread_scratch<const float*>(kSlotUser, static_cast<size_t>(real));
    int64_t n = 0;
    for (int64_t y = y0; y < y1; y++) {
      for (int64_t at = x0; at < x1; at++) taps[n++] = from + y * x.strides[2] + at * x.strides[3];
    }
    const int64_t by = real == 0 ? 1 : divisor != 0 ? divisor : include_pad ? padded : real;
    conv_last_table().mean_taps(taps, n, x.sizes[1], static_cast<float>(by), to);
  });
}

}  // namespace torchscript
