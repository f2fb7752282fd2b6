// What rows over batch, channels and up to three dimensions share (kernels/places.cuh).
#pragma once
#include "cuda/rows.h"
#include <algorithm>

#include "cuda/kernels.h"

namespace torchscript::cuda {

inline const char* by_dtype(DType dtype, const char* f32, const char* f16, const char* bf16, const char* f64) {
  return dtype == DType::F16 ? f16 : dtype == DType::BF16 ? bf16 : dtype == DType::F64 ? f64 : f32;
}

inline int32_t small(int64_t n) {
  if (n > INT32_MAX || n < INT32_MIN) fail("Sizes of 2^31 elements or more in a dimension are not supported on CUDA");
  return static_cast<int32_t>(n);
}

// Batch, channel and three dimensions of a tensor whose last `spatial` are dimensions of space; 0 where it lacks one.
inline void five_strides(int spatial, const TensorView& t, int64_t* to) {
  for (int d = 0; d < 5; d++) to[d] = 0;
  for (int d = 0; d < spatial; d++) to[5 - spatial + d] = t.strides[t.ndim - spatial + d];
  if (t.ndim > spatial) to[1] = t.strides[t.ndim - spatial - 1];
  if (t.ndim > spatial + 1) to[0] = t.strides[t.ndim - spatial - 2];
}

// Windows and the order of elements, so that neighbouring threads write neighbours.
template <class Params> void set_places(Params& p, int spatial, const TensorView& x, const TensorView& out) {
  if (out.numel() > INT32_MAX) fail("Outputs of 2^31 elements or more are not supported on CUDA by this operator");
  p.out = out.data;
  p.x = x.data;
  five_strides(spatial, out, p.out_strides);
  five_strides(spatial, x, p.x_strides);
  p.elements = static_cast<uint32_t>(out.numel());
  const int64_t channels = out.ndim > spatial ? out.sizes[out.ndim - spatial - 1] : 1;
  p.channels = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, channels)));
  p.channels_inner = channels > 1 && p.out_strides[1] == 1 && p.out_strides[4] != 1;
  for (int d = 0; d < 3; d++) {
    const int own = d - (3 - spatial);
    p.in[d] = own < 0 ? 1 : small(x.sizes[x.ndim - spatial + own]);
    p.out_sizes[d] = divider_of(own < 0 ? 1 : static_cast<uint32_t>(std::max<int64_t>(1, out.sizes[out.ndim - spatial + own])));
  }
}

}  // namespace torchscript::cuda
