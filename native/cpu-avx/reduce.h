// Reductions: folds of a row, or of many rows into columns, for each instruction set; driven by reduce.cc.
#pragma once
#include "cpu-avx/pointwise.h"

namespace torchscript {

// What elements become and how they combine. `param` is a value for each output: the mean, the maximum, the exponent.
enum class Fold : uint8_t {
  Sum,
  Prod,
  Max,
  Min,
  AbsSum,
  SquareSum,
  AbsMax,
  AbsMin,
  PowSum,
  NonZero,
  NanSum,
  NotNan,
  SquareDeviation,
  ExpSum
};
constexpr int kFolds = 14;

// Elements are of one of these; accumulators are float64 for both floats (float32 sums are exact to rounding of blocks of at
// most 4096 elements), int64, and complex128.
enum class Element : uint8_t { F32, F64, I64, C128 };
constexpr int kElements = 4;

// acc is one accumulator, combined with n elements; or n accumulators, each combined with `rows` elements `row_stride` apart.
using FoldRowFn = void (*)(void* acc, const void* x, int64_t n, const void* param);
using FoldColumnsFn = void (*)(void* acc, const void* x, int64_t n, int64_t rows, int64_t row_stride, const void* param);
struct FoldEntry {
  FoldRowFn row;
  FoldColumnsFn columns;
  const char* label;
};
struct ReduceTable {
  FoldEntry folds[kFolds][kElements];
};
TS_ISA_TABLE(ReduceTable, reduce_table);

struct Scalar128 {
  double re, im;
};

}  // namespace torchscript
