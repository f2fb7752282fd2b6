// Images and volumes whose channels lie beside one another in memory.
#pragma once
#include <algorithm>

#include "kernel.h"

namespace torchscript {

// PyTorch's test of whether strides say channels_last (c10/core/MemoryFormat.h); ambiguous cases are contiguous.
inline bool has_channels_last_strides(const TensorView& v) {
  if (v.ndim != 4 && v.ndim != 5) return false;
  if (v.strides[1] == 0) return false;
  int64_t low = 0;
  for (int i = 0; i < v.ndim; i++) {
    const int d = i == 0 ? 1 : i == v.ndim - 1 ? 0 : v.ndim - i;
    if (v.sizes[d] == 0 || v.strides[d] < low) return false;
    if (d == 0 && low == v.strides[1]) return false;
    low = v.strides[d];
    if (v.sizes[d] > 1) low *= v.sizes[d];
  }
  return true;
}
inline void make_channels_last(TensorView& v) {
  int64_t stride = 1;
  v.strides[1] = stride;
  stride *= std::max<int64_t>(1, v.sizes[1]);
  for (int d = v.ndim - 1; d >= 2; d--) {
    v.strides[d] = stride;
    stride *= std::max<int64_t>(1, v.sizes[d]);
  }
  v.strides[0] = stride;
}
// The same memory with the channels as the last dimension: contiguous where `v` is channels-last and dense.
inline TensorView with_channels_inside(const TensorView& v) {
  TensorView moved = v;
  for (int d = 1; d < v.ndim; d++) {
    const int from = d == v.ndim - 1 ? 1 : d + 1;
    moved.sizes[d] = v.sizes[from];
    moved.strides[d] = v.strides[from];
  }
  return moved;
}
// Where a dimension is then.
inline int inside_dim(int d, int ndim) { return d == 0 ? 0 : d == 1 ? ndim - 1 : d - 1; }

}  // namespace torchscript
