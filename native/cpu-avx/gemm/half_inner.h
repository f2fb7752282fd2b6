// Inner kernels of products with weights that are kept in 16 bits, one table an instruction set. Sums and activations are float.
//
// A panel is that of gemm/tiles.h with elements of 16 bits: [k][nr], zeros past the matrix' last column.
#pragma once
#include "kernel.h"

namespace torchscript {

enum class HalfStorage : int32_t { Float16 = 0, BFloat16 };

struct HalfKernels {
  int rows;  // most rows that panel_rows takes
  const char* name;
  // sums[i][nr] = A[i][k] * panel for `rows` rows of A; the panel in float goes to `wide` ([k][nr]), unless that is null.
  void (*panel_rows)(const float* a, int64_t a_stride, int rows, const uint16_t* panel, int64_t k, HalfStorage storage, float* sums,
                     float* wide);
};

TS_ISA_TABLE(HalfKernels, half_kernels);

}  // namespace torchscript
