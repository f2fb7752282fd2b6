// What launches hand to kernels: plain structs that the C++ side fills and the kernels read.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

constexpr int kLoopDims = 16;  // as kMaxDims

// Division of 31-bit numbers by a divisor that a launch knows: a multiplication.
struct Divider {
  uint32_t divisor = 1, magic = 1, shift = 0;
};

// A loop over the elements of windows of one shape: dimension 0 is innermost, strides are in elements of each window.
template <int kWindows> struct Loop {
  uint32_t n = 0;  // of elements, below 2^31
  int32_t ndim = 0;
  Divider sizes[kLoopDims];
  int64_t strides[kLoopDims][kWindows];
};

struct CopyParams {
  void* to = nullptr;
  const void* from = nullptr;
  int32_t to_dtype = 0, from_dtype = 0;  // DType codes, for casts
  Loop<2> loop;                          // to, from
};

struct FillParams {
  void* to = nullptr;
  int64_t n = 0;
  uint64_t pattern[2] = {};  // one element, repeated
};

constexpr int kPointwiseOperands = 6;
struct PointwiseOperand {
  const void* data = nullptr;  // null: `value`
  int32_t dtype = 0;           // of memory, a DType code
  uint64_t value[2] = {};      // in the computed form
};
struct PointwiseParams {
  void* out = nullptr;
  int32_t out_dtype = 0;
  // Every operand is a value, one element, or as long as the output, without gaps and aligned: vectors are loaded.
  int32_t dense = 0;
  int32_t single = 0;  // bit k: operand k is one element
  PointwiseOperand operands[kPointwiseOperands];
  Loop<kPointwiseOperands + 1> loop;  // the output, then operands
};

// c = activation(alpha a b + beta d + e) for each of `batches` (windows c, a, b, d, e); strides in elements.
struct GemmParams {
  void* c = nullptr;
  const void* a = nullptr;
  const void* b = nullptr;
  const void* d = nullptr;  // null: none
  const void* e = nullptr;  // null: none
  int32_t m = 0, n = 0, k = 0;
  int64_t c_row = 0, c_col = 0, a_row = 0, a_col = 0, b_row = 0, b_col = 0, d_row = 0, d_col = 0, e_row = 0, e_col = 0;
  double alpha = 1, beta = 1;
  int32_t activation = 0;  // cpu-avx/gemm/tiles.h
  Loop<5> batches;
};

}  // namespace torchscript::cuda
