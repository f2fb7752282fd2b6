// Inner loops of attention on float rows, one table an instruction set; double runs the plain loops of attention.cc.
#pragma once
#include "kernel.h"

namespace torchscript {

struct AttentionTable {
  // One step of an online softmax: x[i] = exp(x[i] - m) with m the larger of *top and the largest x; *total becomes *total * f + the sum of x,
  // *top becomes m, and f = exp(old *top - m) is what sums made so far are to be multiplied by. Rows that are -inf so far give zeros. n is a
  // multiple of 16.
  float (*softmax_step)(float* x, int64_t n, float* top, float* total);
  // x[i] *= scale
  void (*scale)(float* x, int64_t n, float scale);
};
TS_ISA_TABLE(AttentionTable, attention_table);

}  // namespace torchscript
