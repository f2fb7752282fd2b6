// Parameters of segments.cu.
#pragma once
#include "cuda/kernels/params.h"
#include "cuda/kernels/params_index.h"

namespace torchscript::cuda {

// Folds of x [outer, n, inner] over segments [bounds[k], bounds[k + 1]) of its middle dimension; accumulators are double.
enum SegmentOp : int32_t { kSegmentSum, kSegmentMean, kSegmentMax, kSegmentMin, kSegmentProd };
struct SegmentParams {
  double* out = nullptr;  // [outer, count, inner]
  const double* x = nullptr;
  const int64_t* lengths = nullptr;  // [outer, entries]: lengths, or offsets of one more
  int64_t* bounds = nullptr;         // [outer, count + 1], from `lengths`
  int64_t outer = 1, n = 0, inner = 1, count = 0;
  int32_t offsets = 0, op = 0, given = 0;  // given: empty segments are `initial`, also of a mean
  double initial = 0;
  Fault* fault = nullptr;
  uint64_t name = 0;
};

struct FrexpParams {
  double* x = nullptr;  // becomes the mantissas
  int32_t* exponents = nullptr;
  int64_t n = 0;
};

// A number in memory of the device, or in `value`; complex ones have two parts.
struct NumberParam {
  const void* data = nullptr;
  int32_t dtype = 0;
  double re = 0, im = 0;
};
// Evenly spaced numbers, or their powers; `whole`: of the truncated bounds.
struct SpaceParams {
  void* out = nullptr;  // double, or pairs of double
  NumberParam start, end;
  int64_t n = 0;
  double base = 0;
  int32_t logarithmic = 0, complex = 0, whole = 0;
};

// Rows of a table that are named in `index` and longer than `limit` are scaled to it.
struct RenormParams {
  void* table = nullptr;
  int32_t dtype = 0;
  int32_t* marks = nullptr;  // [rows]
  const int64_t* index = nullptr;
  int64_t count = 0, rows = 0, columns = 0, row_stride = 0, column_stride = 0;
  double limit = 0, exponent = 2;
  Fault* fault = nullptr;
  uint64_t name = 0;
};

struct WeighedBinsParams {
  const void* x = nullptr;
  const void* weights = nullptr;  // or null
  void* counts = nullptr;         // [bins]
  void* edges = nullptr;          // [bins + 1]
  int64_t n = 0, bins = 0;
  double low = 0, high = 0;
  int32_t ranged = 0;  // low and high are given
};

// Folds of complex numbers: a product of each row of [outer, n, inner], or running products in place.
struct ComplexFoldParams {
  void* out = nullptr;  // [outer, inner] pairs of double; null: running products in x
  void* x = nullptr;
  int64_t outer = 1, n = 0, inner = 1;
};

}  // namespace torchscript::cuda
