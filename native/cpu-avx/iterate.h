// Walking several operands of one broadcast shape in the order of the first one's memory, with dimensions merged.
#pragma once
#include "kernel.h"

namespace torchscript {

constexpr int kMaxIterated = 24;

struct Iteration {
  int operands = 0;
  int ndim = 0;                             // 1 at least, unless total is 0
  int64_t sizes[kMaxDims];                  // fastest first
  int64_t strides[kMaxIterated][kMaxDims];  // elements
  int64_t total = 0;

  // Operand 0 gives the order; all have `shape`.
  void build(const int64_t* shape, int dims, const int64_t (*operand_strides)[kMaxDims], int count);
  // Element offset of operand k at linear position `at`.
  int64_t offset(int k, int64_t at) const {
    int64_t sum = 0;
    for (int d = 0; d < ndim; d++) {
      sum += at % sizes[d] * strides[k][d];
      at /= sizes[d];
    }
    return sum;
  }
  // Operand k is read or written element after element over the whole iteration.
  bool linear(int k) const { return ndim == 1 && strides[k][0] == 1; }
};

}  // namespace torchscript
