// Type promotion of tensors and Python numbers.
#pragma once
#include <initializer_list>

#include "core/tensor.h"
#include "core/value.h"

namespace torchscript::builtins {

// The dtype a Python number has by itself: int64, float32, bool, complex64.
DType default_dtype(const Value& number);
// The least dtype that both fit; throws where PyTorch defines none (uint16, float8 with others).
DType promote_types(DType a, DType b);

// One operand of result_type, in its category: tensors with dimensions, 0-dim tensors, Python numbers.
struct TypeOperand {
  DType dtype;
  enum Category { Dimensioned = 0, ZeroDim = 1, PythonNumber = 2 } category;
  static TypeOperand of(const Tensor& t) { return {t.dtype(), t.wrapped_number ? PythonNumber : t.dim() == 0 ? ZeroDim : Dimensioned}; }
  static TypeOperand of_number(const Value& v) { return {default_dtype(v), PythonNumber}; }
};
// A lower category matters only when it is of a higher kind (bool < int < float < complex).
DType result_type(std::initializer_list<TypeOperand> operands);

}  // namespace torchscript::builtins
