// Element passes of the Strassen-Winograd product, one table an instruction set. See gemm/strassen.h.
#pragma once
#include "kernel.h"

namespace torchscript {

struct StrassenKernels {
  const char* name;
  const char* twice_name;  // two levels
  const char* kept_name;   // with sums of B that are kept
  // n elements of the left operands of the products, in their order, to + q * step: A11, A12, S4, A22, S1, S2, S3, where S1 = A21 + A22,
  // S2 = S1 - A11, S3 = A11 - A21, S4 = A12 - S2.
  void (*operands_of_a)(const float* a11, const float* a12, const float* a21, const float* a22, int64_t n, float* to, int64_t step);
  // The four sums alone, S1 to S4, and the largest magnitudes of the upper and of the lower row.
  void (*sums_of_a)(const float* a11, const float* a12, const float* a21, const float* a22, int64_t n, float* to, int64_t step,
                    float* largest);
  // n elements of T1 = B12 - B11, T2 = B22 - T1, T3 = B22 - B12, T4 = T2 - B21.
  void (*sums_of_b)(const float* b11, const float* b12, const float* b21, const float* b22, int64_t n, float* t1, float* t2, float* t3,
                    float* t4);
  // The four quarters of C, or what is added to them, from the seven products, each [rows][width] at m + q * m_step: columns [0, n0) of the left
  // quarters and [0, n1) of the right ones, which follow at column `width`. `bias` is for the 2 * width columns, or null. False when a sum of
  // products is not finite.
  bool (*combine)(const float* m, int64_t m_step, int64_t rows, int width, const float* bias, bool accumulate, float* top, float* bottom,
                  int64_t c_row, int n0, int n1);
  // The largest magnitude; what NaN gives is unspecified.
  float (*largest)(const float* x, int64_t n);
};

TS_ISA_TABLE(StrassenKernels, strassen_kernels);

}  // namespace torchscript
