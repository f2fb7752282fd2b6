// Inner loops of max and average pooling on contiguous float rows, one table an instruction set.
#pragma once
#include "kernel.h"

namespace torchscript {

// Max pooling of one plane without dilation; outside lies -infinity.
struct MaxPlane {
  const float* in;  // contiguous
  int64_t height, width, kernel_y, kernel_x, stride_y, pad_top, pad_left;
  float* out;  // contiguous
  int64_t rows, columns;
};
constexpr int64_t kMaxPlaneKernel = 8;  // the widest kernel of max_plane

struct PoolTable {
  // stride: 1 or 2, of the columns.
  void (*max_plane)(const MaxPlane& p, int stride);
  // acc[i] = max(acc[i], x[i]); NaN wins.
  void (*max_rows)(float* acc, const float* x, int64_t n);
  void (*add_rows)(float* acc, const float* x, int64_t n);
  // out[i] = max over k < window of row[i * stride + k * step]; NaN wins.
  void (*max_windows)(const float* row, int64_t n, int64_t stride, int64_t window, int64_t step, float* out);
};
TS_ISA_TABLE(PoolTable, pool_table);

}  // namespace torchscript
