// Inner loops of softmax and the normalisations on contiguous float rows, one table an instruction set; double runs the plain loops of
// norm_rows.h. Sums are kept in float for at most 64 elements a lane and in double beyond.
#pragma once
#include "kernel.h"

namespace torchscript {

struct NormTable {
  const char* isa;
  double (*sum)(const float* x, int64_t n);
  double (*sum_squares)(const float* x, int64_t n, float mean);  // of x - mean
  void (*affine)(const float* x, int64_t n, float mean, float scale, float shift,
                 float* out);  // (x - mean) * scale + shift, each step rounded
  // The same for rows of `channels` adjacent elements, each channel with its own numbers.
  void (*affine_channels)(const float* x, int64_t rows, int64_t channels, const float* mean, const float* scale, const float* shift,
                          float* out);
  // (x - mean) * scale * gamma + beta per element; gamma and beta may be null. The mean is subtracted first: x * scale - mean * scale
  // would cancel where the mean is large.
  void (*normalize)(const float* x, int64_t n, float mean, float scale, const float* gamma, const float* beta, float* out);
  void (*softmax)(const float* x, int64_t rows, int64_t n, float* out);  // of adjacent rows
  void (*log_softmax)(const float* x, int64_t n, float* out);
  // Along the first of two dimensions: `n` rows of `lanes` adjacent elements, rows `stride` apart; lanes is at most 64.
  void (*softmax_columns)(const float* x, int64_t n, int64_t stride, int lanes, bool log, float* out);
};
TS_ISA_TABLE(NormTable, norm_table);

}  // namespace torchscript
