#include "cpu-avx/iterate.h"

#include <algorithm>

namespace torchscript {

void Iteration::build(const int64_t* shape, int dims, const int64_t (*operand_strides)[kMaxDims], int count) {
  operands = count;
  total = 1;
  int order[kMaxDims];
  int n = 0;
  for (int d = dims - 1; d >= 0; d--) {
    total *= shape[d];
    if (shape[d] != 1) order[n++] = d;
  }
  // Stable by the stride of operand 0 (a fresh output has no zero strides), then of the next ones.
  for (int i = 1; i < n; i++) {
    for (int j = i; j > 0; j--) {
      const int a = order[j - 1], b = order[j];
      bool swap = false;
      for (int k = 0; k < count; k++) {
        const int64_t sa = operand_strides[k][a], sb = operand_strides[k][b];
        if (sa == sb || sa == 0 || sb == 0) continue;
        swap = sa > sb;
        break;
      }
      if (!swap) break;
      std::swap(order[j - 1], order[j]);
    }
  }
  ndim = 0;
  for (int i = 0; i < n; i++) {
    const int d = order[i];
    bool merge = ndim > 0;
    for (int k = 0; merge && k < count; k++) merge = strides[k][ndim - 1] * sizes[ndim - 1] == operand_strides[k][d];
    if (merge) {
      sizes[ndim - 1] *= shape[d];
      continue;
    }
    sizes[ndim] = shape[d];
    for (int k = 0; k < count; k++) strides[k][ndim] = operand_strides[k][d];
    ndim++;
  }
  if (ndim == 0) {
    ndim = 1;
    sizes[0] = 1;
    for (int k = 0; k < count; k++) strides[k][0] = 1;
  }
}

}  // namespace torchscript
