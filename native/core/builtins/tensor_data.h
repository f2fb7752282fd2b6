// Element access for the few builtins that look at tensor data or make a tensor from numbers.
#pragma once
#include <string>

#include "core/builtin.h"

namespace torchscript::builtins {

// Context::item of a tensor that must have one element: `a Tensor with 3 elements cannot be converted to Scalar`.
Value one_item(Context& context, Tensor& tensor);

// The element at `offset` elements from the first. Integers and bools as Int and Bool, floating types as Float, complex as Complex.
// The caller has said reads_data().
Value load_element(const TensorView& view, int64_t offset);
// Writes a number; the tensor's dtype is one of I64, F32, F64, Bool, C64, C128.
void store_element(Tensor& tensor, int64_t offset, const Value& value);

// The elements of a tensor, row-major, as doubles (quantized ones as the values they stand for, complex ones by their real part).
std::vector<double> load_doubles(Context& context, const Tensor& tensor, const char* reason);

// As C++ PyTorch prints a tensor, with the closing `[ CPUFloatType{2,3} ]`.
std::string format_tensor(Context& context, const Tensor& tensor);
// A value as `print` and `str` show it: 17 digits and a bare point for floats, no quotes around strings.
std::string format_value(Context& context, const Value& value);

}  // namespace torchscript::builtins
