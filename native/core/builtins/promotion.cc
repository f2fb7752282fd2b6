#include "core/builtins/promotion.h"

#include "core/errors.h"

namespace torchscript::builtins {

DType default_dtype(const Value& number) {
  switch (number.tag()) {
    case Tag::Bool: return DType::Bool;
    case Tag::Int: return DType::I64;
    case Tag::Float: return DType::F32;
    case Tag::Complex: return DType::C64;
    default: throw OperatorError(std::string("Expected a number but received '") + tag_name(number.tag()) + "'");
  }
}

namespace {

// Floating types in order of width; the part type of a complex dtype.
DType real_part(DType t) { return t == DType::C128 ? DType::F64 : t == DType::C64 ? DType::F32 : t == DType::C32 ? DType::F16 : t; }
DType complex_of(DType t) { return t == DType::F64 ? DType::C128 : t == DType::F16 ? DType::C32 : DType::C64; }

int kind_of(DType t) { return is_complex(t) ? 3 : is_floating(t) ? 2 : t == DType::Bool ? 0 : 1; }

[[noreturn]] void no_promotion(DType a, DType b) {
  throw OperatorError(std::string("Promotion for ") + dtype_torch_name(a) + " and " + dtype_torch_name(b) + " is not supported");
}

DType promote_floats(DType a, DType b) {
  if (a == b) return a;
  auto basic = [](DType t) { return t == DType::F16 || t == DType::BF16 || t == DType::F32 || t == DType::F64; };
  if (!basic(a) || !basic(b)) no_promotion(a, b);
  if (a == DType::F64 || b == DType::F64) return DType::F64;
  // Also float16 with bfloat16.
  return DType::F32;
}

DType promote_integers(DType a, DType b) {
  auto rank = [](DType t) { return t == DType::I16 ? 2 : t == DType::I32 ? 3 : t == DType::I64 ? 4 : 1; };
  auto unsigned_wide = [](DType t) { return t == DType::U16 || t == DType::U32 || t == DType::U64; };
  if (unsigned_wide(a) || unsigned_wide(b)) no_promotion(a, b);
  if (rank(a) == 1 && rank(b) == 1) return DType::I16;  // uint8 with int8
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (is_quantized(a) || is_quantized(b) || a == DType::Undefined || b == DType::Undefined) no_promotion(a, b);
  if (kind_of(a) < kind_of(b)) return promote_types(b, a);
  switch (kind_of(a)) {
    case 3:
      if (kind_of(b) < 2) return a;
      // bfloat16 with complex32 has no common 16-bit part.
      return complex_of(promote_floats(real_part(a), real_part(b)));
    case 2: return kind_of(b) == 2 ? promote_floats(a, b) : a;
    case 1: return b == DType::Bool ? a : promote_integers(a, b);
    default: return DType::Bool;
  }
}

DType result_type(std::initializer_list<TypeOperand> operands) {
  DType types[3] = {DType::Undefined, DType::Undefined, DType::Undefined};
  for (const TypeOperand& operand : operands) {
    DType& type = types[operand.category];
    type = type == DType::Undefined ? operand.dtype : promote_types(type, operand.dtype);
  }
  DType result = DType::Undefined;
  for (DType type : types) {
    if (type == DType::Undefined) continue;
    if (result == DType::Undefined) result = type;
    else if (kind_of(type) > kind_of(result)) result = kind_of(type) == 3 && kind_of(result) == 2 ? complex_of(result) : type;
  }
  return result;
}

}  // namespace torchscript::builtins
