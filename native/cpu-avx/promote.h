// Type promotion as PyTorch does it, and the shape rules of broadcasting.
#pragma once
#include "kernel.h"

namespace torchscript {

DType promote_types(DType a, DType b);
inline DType complex_of(DType t) {
  return t == DType::F16 ? DType::C32 : t == DType::F64 || t == DType::C128 ? DType::C128 : t == DType::C32 ? DType::C32 : DType::C64;
}
inline DType real_of(DType t) { return t == DType::C32 ? DType::F16 : t == DType::C64 ? DType::F32 : t == DType::C128 ? DType::F64 : t; }

// Result type of operands: tensors with dimensions, then 0-dim tensors, then numbers; a lower category counts only when it is
// of a higher kind (bool < int < float < complex).
class ResultType {
 public:
  void add(const Arg& arg);
  void add(const TensorView& tensor);
  DType get() const;

 private:
  DType dim_ = DType::Undefined, zero_ = DType::Undefined, number_ = DType::Undefined;
};

// Broadcasts sizes into `shape` (ndim in/out). Throws PyTorch's message on a mismatch.
void broadcast_shape(int64_t* shape, int& ndim, const TensorView& tensor);
// Fills strides of `tensor` for a broadcast shape: 0 where it repeats.
void broadcast_strides(int64_t* strides, const int64_t* shape, int ndim, const TensorView& tensor);
// Strides of a fresh output: dense, in the order of the operands' strides (PyTorch's TensorIterator). `strides` holds one
// broadcast row of kMaxDims for each operand, the first operand deciding first.
void output_strides(int64_t* out, const int64_t* shape, int ndim, const int64_t (*strides)[kMaxDims], int operands);

}  // namespace torchscript
