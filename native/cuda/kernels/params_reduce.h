// Parameters of reductions (reduce.cu, reduce_index.cu, scan.cu).
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// What elements become and how they combine; as Fold of cpu-avx/reduce.h.
enum ReduceOp : int32_t {
  kReduceSum,
  kReduceProd,
  kReduceMax,
  kReduceMin,
  kReduceAbsSum,
  kReduceSquareSum,
  kReduceAbsMax,
  kReduceAbsMin,
  kReducePowSum,
  kReduceNonZero,
  kReduceNanSum,
  kReduceNotNan,
  kReduceSquareDeviation,
  kReduceExpSum,
  kReduceXor  // of whole numbers
};
// What an output is of its fold.
enum ReduceFinish : int32_t {
  kFinishNone,
  kFinishDivide,         // by `number`
  kFinishDivideBy,       // by the parameter
  kFinishRoot,           // the square root
  kFinishPower,          // to the power `number`
  kFinishDivideRoot,     // divided by `number`, then the square root
  kFinishAny,            // not zero
  kFinishEqual,          // `count`
  kFinishLogPlus,        // logarithm, plus the parameter
  kFinishZeroIfInfinite  // 0 where the fold is infinite
};

struct ReduceParams {
  void* out = nullptr;  // of part k of an output: k * part_stride elements on
  const void* x = nullptr;
  const void* param = nullptr;  // an accumulator for each output, or null
  int32_t x_dtype = 0, out_dtype = 0;
  int32_t op = 0, finish = 0;
  double number = 0;
  double exponent = 0;  // of kReducePowSum
  int64_t count = 0;
  int32_t parts = 1;  // of each reduction, for gridDim.y blocks
  int64_t part_stride = 0;
  Loop<3> kept;  // out, param, x
  Loop<1> gone;  // x
};

// Positions of extremes: the first among equals, the first NaN before all.
struct ReduceIndexParams {
  void* values = nullptr;  // or null
  int64_t* indices = nullptr;
  const void* x = nullptr;
  int32_t dtype = 0, maximum = 0;
  int64_t n = 0, stride = 0;
  Loop<2> kept;  // indices, x; values lie as indices
};

// Running folds of lines of n elements `inner` apart; line i begins at i / inner * n * inner + i % inner.
enum ScanOp : int32_t { kScanSum, kScanProd, kScanLogSumExp };
struct ScanParams {
  void* data = nullptr;  // accumulators, in place
  int64_t lines = 0, n = 0, inner = 1;
  int32_t op = 0;
};

}  // namespace torchscript::cuda
