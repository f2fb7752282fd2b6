// Fourier transforms of as many lines at once as a vector has lanes, in float. Lines lie across: element i of all of them is the `lanes` real
// parts and then the `lanes` imaginary parts at 2 * lanes * i.
#pragma once
#include "kernel.h"

namespace torchscript {

// A mixed radix transform: n is the product of the factors, twiddles are pairs exp(-+ 2 pi i k / n).
struct FftShape {
  int64_t n;
  const int64_t* factors;
  const float* twiddles;
  bool forward;
};

struct FftTable {
  int lanes;
  // `count` <= lanes rows of `width` floats become columns and back, times `scale`. Columns past `count` are zeros.
  void (*columns_of_rows)(const float* in, int64_t row, int count, int64_t width, float* out);
  void (*rows_of_columns)(const float* in, int64_t width, float* out, int64_t row, int count, float scale);
  // `count` pairs become their first and their second numbers and back.
  void (*split_pairs)(const float* in, int64_t step, int count, int64_t n, float* out);
  void (*join_pairs)(const float* in, int64_t n, float* out, int64_t step, int count, float scale);
  void (*transform)(const FftShape& shape, const float* in, float* out);
  // RealFftPlan's two recombinations, h = n / 2: z of h elements to h + 1, and back. `twiddles` are h + 1 pairs exp(-+ 2 pi i k / n).
  void (*to_one_sided)(const float* z, const float* twiddles, int64_t h, float* out);
  void (*from_one_sided)(const float* in, const float* twiddles, int64_t h, float* z);
  // Elements h + 1 .. 2 h - 1 as the conjugates of the ones before.
  void (*mirror)(float* x, int64_t h);
};
TS_ISA_TABLE(FftTable, fft_table);

}  // namespace torchscript
