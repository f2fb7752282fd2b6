// Inner loops of attention on float rows, one table an instruction set; double runs the plain loops of attention.cc.
#pragma once
#include "kernel.h"

namespace torchscript {

constexpr int kSoftmaxRows = 4;

struct AttentionTable {
  // One step of an online softmax for rows `step` apart, at most kSoftmaxRows: x[i] = exp(x[i] - m) with m the larger of *top and the largest x;
  // *total becomes *total * f + the sum of x, *top becomes m, and *factor is f = exp(old *top - m), which sums made so far are to be multiplied by.
  // Rows that are -inf so far give zeros. n is a multiple of 16.
  void (*softmax_step)(float* x, int64_t rows, int64_t step, int64_t n, float* top, float* total, float* factor);
  // x[i] *= scale
  void (*scale)(float* x, int64_t n, float scale);
};
TS_ISA_TABLE(AttentionTable, attention_table);

}  // namespace torchscript
