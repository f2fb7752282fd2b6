// Inner loops of max and average pooling on contiguous float rows, one table an instruction set.
#pragma once
#include "kernel.h"

namespace torchscript {

struct PoolTable {
  // acc[i] = max(acc[i], x[i]); NaN wins.
  void (*max_rows)(float* acc, const float* x, int64_t n);
  void (*add_rows)(float* acc, const float* x, int64_t n);
  // out[i] = max over k < window of row[i * stride + k * step]; NaN wins.
  void (*max_windows)(const float* row, int64_t n, int64_t stride, int64_t window, int64_t step, float* out);
};
TS_ISA_TABLE(PoolTable, pool_table);

}  // namespace torchscript
