// Conversions between scalars, strings and one-element tensors: int(), float(), bool(), complex(), chr(), ord(), hex() ...
#include <cstdlib>

#include "core/builtins/adapter.h"
#include "core/builtins/tensor_data.h"

namespace torchscript::builtins {
namespace {

using Text = const std::string&;

int64_t to_int(Number a) {
  if (a.kind == NumberKind::Int) return a.i;
  return truncate_to_int(a.as_float());
}
bool to_bool(Number a) {
  if (a.kind == NumberKind::Complex) return a.c != Complex(0, 0);
  return a.kind == NumberKind::Int ? a.i != 0 : a.d != 0;
}

int64_t parse_int(Text text) {
  errno = 0;
  char* end = nullptr;
  long long value = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str()) throw OperatorError("stoll", "builtins.ValueError");
  if (errno == ERANGE) throw OperatorError("stoll: the number does not fit 64 bits");
  if (end != text.c_str() + text.size())
    throw OperatorError("invalid literal for int() with base 10: '" + text + "'", "builtins.ValueError");
  return value;
}
double parse_float(Text text) {
  errno = 0;
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) throw OperatorError("stod", "builtins.ValueError");
  if (errno == ERANGE) throw OperatorError("stod: the number is out of range");
  if (end != text.c_str() + text.size()) throw OperatorError("could not convert string to float: '" + text + "'", "builtins.ValueError");
  return value;
}

// The real part and the imaginary part, either of which may be a one-element tensor.
Complex make_complex(Context& context, const Value& re, const Value& im) {
  auto part = [&](const Value& v) {
    return v.is(Tag::Tensor) ? Number::of(one_item(context, v.to_tensor())).as_float() : Number::of(v).as_float();
  };
  return {part(re), part(im)};
}

std::string in_base(int64_t value, int bits, const char* prefix) {
  uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[rest & ((1u << bits) - 1)]);
    rest >>= bits;
  } while (rest != 0);
  return std::string(value < 0 ? "-" : "") + prefix + digits;
}

std::string character(int64_t code) {
  if (code < 0 || code >= 0x10ffff) throw OperatorError("chr() arg not in range(0x110000), found " + std::to_string(code));
  return std::string(1, static_cast<char>(code));
}
int64_t character_code(Text text) {
  if (text.size() != 1) throw OperatorError("String for ord() must be 1 character, found " + std::to_string(text.size()));
  return static_cast<unsigned char>(text[0]);
}

int64_t hash(const Value& v) {
  if (v.is(Tag::Int)) return v.to_int();
  return static_cast<int64_t>(ValueHash()(v));
}

// What a tensor holds as an int or a float; a complex value counts when it is real.
double real_item(Context& context, Tensor& a) {
  Number n = Number::of(one_item(context, a));
  if (n.kind != NumberKind::Complex) return n.as_float();
  if (n.c.imag() != 0) throw OperatorError("value cannot be converted to type double without overflow");
  return n.c.real();
}
int64_t int_item(Context& context, Tensor& a) {
  Number n = Number::of(one_item(context, a));
  if (n.kind == NumberKind::Int) return n.i;
  double d = n.kind == NumberKind::Float ? n.d : n.c.real();
  if ((n.kind == NumberKind::Complex && n.c.imag() != 0) || !(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
    throw OperatorError("value cannot be converted to type int64_t without overflow");
  }
  return static_cast<int64_t>(d);
}

Value implicit_int(Context& context, Tensor& a) {
  if (a.dim() != 0) throw OperatorError("Cannot input a tensor of dimension other than 0 as a scalar argument");
  if (!is_integral(a.dtype())) throw OperatorError("Cannot input a tensor of type other than integer as an integer argument");
  return Value::of_int(to_int(Number::of(one_item(context, a))));
}
Value implicit_float(Context& context, Tensor& a) {
  if (a.dim() != 0) throw OperatorError("Cannot input a tensor of dimension other than 0 as a scalar argument");
  return Value::of_float(Number::of(one_item(context, a)).as_float());
}
Value implicit_complex(Context& context, Tensor& a) {
  if (a.dim() != 0) throw OperatorError("Cannot input a tensor of dimension other than 0 as a scalar argument");
  return Value::of_complex(one_item(context, a).to_complex());
}
Value implicit_scalar(Context& context, Tensor& a) {
  if (a.dim() != 0) throw OperatorError("Cannot input a tensor of dimension other than 0 as a scalar argument");
  return one_item(context, a);
}

bool tensor_truth(Context& context, Tensor& a) {
  int64_t n = a.numel();
  if (n == 0) throw OperatorError("Boolean value of Tensor with no values is ambiguous");
  if (n > 1) throw OperatorError("Boolean value of Tensor with more than one value is ambiguous");
  return to_bool(Number::of(context.item(a)));
}

static Builtins rows{
  {"aten::Bool.Tensor", fn<tensor_truth>},
  {"aten::is_nonzero", fn<tensor_truth>},
  {"aten::Bool.int", fn<to_bool>},
  {"aten::Bool.float", fn<to_bool>},
  {"aten::Int.Tensor", fn<int_item>},
  {"aten::Int.bool", fn<to_int>},
  {"aten::Int.float", fn<to_int>},
  {"aten::Int.Scalar", fn<to_int>},
  {"aten::Int.str", fn<parse_int>},
  {"aten::Float.Tensor", fn<real_item>},
  {"aten::Float.Scalar", fn<[](Number a) { return a.as_float(); }>},
  {"aten::Float.int", fn<[](Number a) { return a.as_float(); }>},
  {"aten::Float.bool", fn<[](Number a) { return a.as_float(); }>},
  {"aten::Float.str", fn<parse_float>},
  {"aten::Complex.Scalar", fn<[](Number a) { return a.as_complex(); }>},
  {"aten::Complex.Tensor_Tensor", fn<make_complex>},
  {"aten::Complex.int_bool", fn<make_complex>},
  {"aten::Complex.bool_int", fn<make_complex>},
  {"aten::Complex.float_bool", fn<make_complex>},
  {"aten::Complex.bool_float", fn<make_complex>},
  {"aten::Complex.float_int", fn<make_complex>},
  {"aten::Complex.int_float", fn<make_complex>},
  {"aten::Complex.int_int", fn<make_complex>},
  {"aten::Complex.bool_bool", fn<make_complex>},
  {"aten::Complex.float_float", fn<make_complex>},
  {"aten::Complex.Tensor_float", fn<make_complex>},
  {"aten::Complex.float_Tensor", fn<make_complex>},
  {"aten::Complex.Tensor_int", fn<make_complex>},
  {"aten::Complex.int_Tensor", fn<make_complex>},
  {"aten::Complex.Tensor_bool", fn<make_complex>},
  {"aten::Complex.bool_Tensor", fn<make_complex>},
  {"aten::IntImplicit", fn<implicit_int>},
  {"aten::FloatImplicit", fn<implicit_float>},
  {"aten::ComplexImplicit", fn<implicit_complex>},
  {"aten::ScalarImplicit", fn<implicit_scalar>},
  {"aten::item", fn<one_item>},
  {"aten::_local_scalar_dense", fn<one_item>},
  {"aten::chr", fn<character>},
  {"aten::ord", fn<character_code>},
  {"aten::hex", fn<[](int64_t i) { return in_base(i, 4, "0x"); }>},
  {"aten::oct", fn<[](int64_t i) { return in_base(i, 3, "0o"); }>},
  {"aten::bin", fn<[](int64_t i) { return in_base(i, 1, "0b"); }>},
  {"aten::hash.generic", fn<hash>},
};

}  // namespace
}  // namespace torchscript::builtins
