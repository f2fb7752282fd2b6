// Inner loops of the decompositions on rows of double, one table an instruction set. Matrices are row-major; `row` is the distance of rows.
#pragma once
#include "kernel.h"

namespace torchscript {

struct LinalgTable {
  // w[j] = sum over i of v[i] a[i][j]
  void (*column_sums)(const double* a, int64_t row, int64_t m, int64_t n, const double* v, double* w);
  // w[i] = sum over j of a[i][j] v[j]
  void (*row_sums)(const double* a, int64_t row, int64_t m, int64_t n, const double* v, double* w);
  // a[i][j] -= v[i] w[j]
  void (*subtract)(double* a, int64_t row, int64_t m, int64_t n, const double* v, const double* w);
  // a[i][j] -= v[i] w[j] + w[i] v[j] of an n by n matrix
  void (*subtract_symmetric)(double* a, int64_t row, int64_t n, const double* v, const double* w);
  // For k rising from 0 (or falling from count - 1): rows x = a[k] and y = a[k + 1] become c[k] x + s[k] y and c[k] y - s[k] x.
  void (*rotate_rows)(double* a, int64_t row, int64_t n, int64_t count, const double* c, const double* s, bool falling);
};
TS_ISA_TABLE(LinalgTable, linalg_table);

}  // namespace torchscript
