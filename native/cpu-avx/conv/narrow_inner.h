// Inner kernel of products whose B stays in the second-level cache, one table an instruction set. Rows of A and C pass once, a tile's
// height of them at a time against all of B; the loops over tiles are inside, and tiles are cut to the columns that there are, so that
// short sums and few columns cost little around their sums.
#pragma once
#include "cpu-avx/gemm/tiles.h"
#include "kernel.h"

namespace torchscript {

// C[m][n] = act(A B + bias + residual); B packed in panels as gemm/tiles.h has them.
struct NarrowProduct {
  const float* a;
  int64_t a_row, m, k;
  const float* b;
  int64_t n;
  const float* bias;      // or null
  const float* residual;  // rows as those of C, or null
  Activation activation;  // None, Relu or Relu6
  float* c;
  int64_t c_row;
};

struct ConvNarrowTable {
  const char* name;
  void (*product)(const NarrowProduct& p);
};
TS_ISA_TABLE(ConvNarrowTable, conv_narrow_table);

}  // namespace torchscript
