// Arithmetic of Python numbers: integers are 64-bit and wrap, `/` and `**` give floats, `//` and `%` round toward minus infinity.
#include <algorithm>

#include "core/builtins/adapter.h"

namespace torchscript::builtins {
namespace {

// A complex number with a real one: the real one has no imaginary part, not one of zero, which matters for infinities and signs.
bool is_complex(const Number& n) { return n.kind == NumberKind::Complex; }

Number add(Number a, Number b) {
  switch (common_kind(a, b)) {
    case NumberKind::Int: return Number::of_int(wrap_add(a.i, b.i));
    case NumberKind::Float: return Number::of_float(a.as_float() + b.as_float());
    default:
      if (!is_complex(b)) return Number::of_complex({a.c.real() + b.as_float(), a.c.imag()});
      if (!is_complex(a)) return Number::of_complex({a.as_float() + b.c.real(), b.c.imag()});
      return Number::of_complex(a.c + b.c);
  }
}
Number sub(Number a, Number b) {
  switch (common_kind(a, b)) {
    case NumberKind::Int: return Number::of_int(wrap_sub(a.i, b.i));
    case NumberKind::Float: return Number::of_float(a.as_float() - b.as_float());
    default:
      if (!is_complex(b)) return Number::of_complex({a.c.real() - b.as_float(), a.c.imag()});
      return Number::of_complex(a.as_complex() - b.c);
  }
}
Number mul(Number a, Number b) {
  switch (common_kind(a, b)) {
    case NumberKind::Int: return Number::of_int(wrap_mul(a.i, b.i));
    case NumberKind::Float: return Number::of_float(a.as_float() * b.as_float());
    default:
      if (!is_complex(b)) return Number::of_complex({a.c.real() * b.as_float(), a.c.imag() * b.as_float()});
      if (!is_complex(a)) return Number::of_complex({a.as_float() * b.c.real(), a.as_float() * b.c.imag()});
      return Number::of_complex(
        {a.c.real() * b.c.real() - a.c.imag() * b.c.imag(), a.c.real() * b.c.imag() + a.c.imag() * b.c.real()});
  }
}
Number div(Number a, Number b) {
  if (common_kind(a, b) == NumberKind::Complex) return Number::of_complex(divide_complex(a, b));
  return Number::of_float(a.as_float() / b.as_float());
}
Number pow(Number a, Number b) {
  if (is_complex(a)) return Number::of_complex(is_complex(b) ? std::pow(a.c, b.c) : std::pow(a.c, b.as_float()));
  if (is_complex(b)) return Number::of_complex(std::pow(a.as_float(), b.c));
  if (a.as_float() == 0 && b.as_float() < 0) throw OperatorError("0.0 cannot be raised to a negative power");
  return Number::of_float(std::pow(a.as_float(), b.as_float()));
}
Number floor_divide(Number a, Number b) {
  if (common_kind(a, b) == NumberKind::Int) return Number::of_int(floor_div(a.i, b.i));
  return Number::of_float(std::floor(a.as_float() / b.as_float()));
}
Number remainder(Number a, Number b) {
  if (common_kind(a, b) == NumberKind::Int) return Number::of_int(floor_mod(a.i, b.i));
  return Number::of_float(floor_mod(a.as_float(), b.as_float()));
}

std::tuple<int64_t, int64_t> divmod_int(int64_t a, int64_t b) {
  if (b == 0) throw OperatorError("ZeroDivisionError: integer division or modulo by zero");
  return {floor_div(a, b), floor_mod(a, b)};
}
std::tuple<double, double> divmod_float(double a, double b) {
  if (b == 0) throw OperatorError("ZeroDivisionError: float divmod()");
  double rest = std::fmod(a, b);
  if (rest != 0 && (a < 0) != (b < 0)) rest += b;
  return {(a - rest) / b, rest};
}

// An int with a float divides by other rules: the quotient must be an integer, the rest is the remainder operator's.
std::tuple<double, double> divmod_mixed(double a, double b) {
  if (b == 0) throw OperatorError("ZeroDivisionError: float divmod()");
  double quotient = std::floor(a / b);
  if (!(std::fabs(quotient) < 9223372036854775808.0)) {
    throw OperatorError(std::string("Cannot convert float ") +
                        (std::isnan(quotient) ? "nan"
                         : quotient < 0       ? "-inf"
                                              : "inf") +
                        " to integer");
  }
  return {quotient, floor_mod(a, b)};
}

// Both numbers as one kind; the first wins when the comparison does not decide, as with NaN.
Number minimum(Number a, Number b) {
  if (common_kind(a, b) == NumberKind::Int) return Number::of_int(a.i < b.i ? a.i : b.i);
  return Number::of_float(a.as_float() < b.as_float() ? a.as_float() : b.as_float());
}
Number maximum(Number a, Number b) {
  if (common_kind(a, b) == NumberKind::Int) return Number::of_int(a.i > b.i ? a.i : b.i);
  return Number::of_float(a.as_float() > b.as_float() ? a.as_float() : b.as_float());
}

bool less(const Value& a, const Value& b) {
  Number x = Number::of(a), y = Number::of(b);
  return common_kind(x, y) == NumberKind::Int ? x.i < y.i : x.as_float() < y.as_float();
}
bool list_less(const ListValue& a, const ListValue& b) {
  return std::lexicographical_compare(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), less);
}
Value lesser_list(const Value& a, const Value& b) { return list_less(a.to_list(), b.to_list()) ? a : b; }
Value greater_list(const Value& a, const Value& b) { return list_less(b.to_list(), a.to_list()) ? a : b; }
Value smallest(ListValue& list) {
  if (list.items.empty()) throw OperatorError("min() arg is an empty sequence");
  return *std::min_element(list.items.begin(), list.items.end(), less);
}
Value largest(ListValue& list) {
  if (list.items.empty()) throw OperatorError("max() arg is an empty sequence");
  return *std::max_element(list.items.begin(), list.items.end(), less);
}

Number negate(Number a) {
  switch (a.kind) {
    case NumberKind::Int: return Number::of_int(wrap_neg(a.i));
    case NumberKind::Float: return Number::of_float(-a.d);
    default: return Number::of_complex(-a.c);
  }
}
Number absolute(Number a) {
  switch (a.kind) {
    case NumberKind::Int: return Number::of_int(wrap_abs(a.i));
    case NumberKind::Float: return Number::of_float(std::fabs(a.d));
    default: return Number::of_float(std::abs(a.c));
  }
}

int64_t range_length(int64_t low, int64_t high, int64_t step) {
  if (step == 0) throw OperatorError("range() arg 3 must not be zero");
  uint64_t distance =
    step > 0 ? static_cast<uint64_t>(high) - static_cast<uint64_t>(low) : static_cast<uint64_t>(low) - static_cast<uint64_t>(high);
  if (step > 0 ? low >= high : low <= high) return 0;
  uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return static_cast<int64_t>(1 + (distance - 1) / stride);
}

int64_t divide_toward_zero(int64_t a, int64_t b) {
  if (b == 0) throw OperatorError("division by 0");
  return b == -1 ? wrap_neg(a) : a / b;
}

// A shift count is taken modulo 64, as the processor does.
int64_t shift_left(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) << (b & 63)); }
int64_t shift_right(int64_t a, int64_t b) { return a >> (b & 63); }

constexpr BuiltinFn kAdd = fn<add>, kSub = fn<sub>, kMul = fn<mul>, kDiv = fn<div>, kPow = fn<pow>;

static Builtins rows{
  {"aten::add.int", fn<wrap_add>},
  {"aten::add.float", fn<[](double a, double b) { return a + b; }>},
  {"aten::add.complex", kAdd},
  {"aten::add.int_complex", kAdd},
  {"aten::add.complex_int", kAdd},
  {"aten::add.float_complex", kAdd},
  {"aten::add.complex_float", kAdd},
  {"aten::add.int_float", kAdd},
  {"aten::add.float_int", kAdd},
  {"aten::add", kAdd},
  {"aten::sub.int", fn<wrap_sub>},
  {"aten::sub.float", fn<[](double a, double b) { return a - b; }>},
  {"aten::sub.complex", kSub},
  {"aten::sub.int_complex", kSub},
  {"aten::sub.complex_int", kSub},
  {"aten::sub.float_complex", kSub},
  {"aten::sub.complex_float", kSub},
  {"aten::sub.int_float", kSub},
  {"aten::sub.float_int", kSub},
  {"aten::sub", kSub},
  {"aten::mul.int", fn<wrap_mul>},
  {"aten::mul.float", fn<[](double a, double b) { return a * b; }>},
  {"aten::mul.complex", kMul},
  {"aten::mul.int_complex", kMul},
  {"aten::mul.complex_int", kMul},
  {"aten::mul.float_complex", kMul},
  {"aten::mul.complex_float", kMul},
  {"aten::mul.int_float", kMul},
  {"aten::mul.float_int", kMul},
  {"aten::mul", kMul},
  {"aten::div.int", fn<[](int64_t a, int64_t b) { return static_cast<double>(a) / static_cast<double>(b); }>},
  {"aten::div.float", fn<[](double a, double b) { return a / b; }>},
  {"aten::div.complex", kDiv},
  {"aten::div", kDiv},
  {"aten::pow.int", kPow},
  {"aten::pow.float", kPow},
  {"aten::pow.complex", kPow},
  {"aten::pow.int_float", kPow},
  {"aten::pow.float_int", kPow},
  {"aten::pow.float_complex", kPow},
  {"aten::pow.complex_float", kPow},
  {"aten::pow.Scalar_Scalar", kPow},
  {"aten::pow.int_to_int",
   fn<[](int64_t a, int64_t b) { return truncate_to_int(std::pow(static_cast<double>(a), static_cast<double>(b))); }>},
  {"aten::floordiv.int", fn<floor_div>},
  {"aten::floordiv.float", fn<floor_divide>},
  {"aten::floordiv.int_float", fn<floor_divide>},
  {"aten::floordiv.float_int", fn<floor_divide>},
  {"aten::floordiv", fn<floor_divide>},
  {"aten::remainder.int", fn<remainder>},
  {"aten::remainder.float", fn<remainder>},
  {"aten::remainder.int_float", fn<remainder>},
  {"aten::remainder.float_int", fn<remainder>},
  {"aten::remainder", fn<remainder>},
  {"aten::divmod.int", fn<divmod_int>},
  {"aten::divmod.float", fn<divmod_float>},
  {"aten::divmod.int_float", fn<divmod_mixed>},
  {"aten::divmod.float_int", fn<divmod_mixed>},
  {"aten::__round_to_zero_floordiv.int", fn<divide_toward_zero>},
  {"aten::neg.int", fn<wrap_neg>},
  {"aten::neg.float", fn<negate>},
  {"aten::neg.complex", fn<negate>},
  {"aten::neg.Scalar", fn<negate>},
  {"prim::abs.int", fn<wrap_abs>},
  {"prim::abs.float", fn<absolute>},
  {"prim::abs.complex", fn<absolute>},
  {"prim::abs.Scalar", fn<absolute>},
  {"prim::min.int", fn<minimum>},
  {"prim::min.float", fn<minimum>},
  {"prim::min.int_float", fn<minimum>},
  {"prim::min.float_int", fn<minimum>},
  {"prim::min", fn<minimum>},
  {"prim::min.int_list", fn<lesser_list>},
  {"prim::min.float_list", fn<lesser_list>},
  {"prim::min.bool_list", fn<lesser_list>},
  {"prim::min.self_int", fn<smallest>},
  {"prim::min.self_float", fn<smallest>},
  {"prim::min.self_bool", fn<smallest>},
  {"prim::max.int", fn<maximum>},
  {"prim::max.float", fn<maximum>},
  {"prim::max.int_float", fn<maximum>},
  {"prim::max.float_int", fn<maximum>},
  {"prim::max", fn<maximum>},
  {"prim::max.int_list", fn<greater_list>},
  {"prim::max.float_list", fn<greater_list>},
  {"prim::max.bool_list", fn<greater_list>},
  {"prim::max.self_int", fn<largest>},
  {"prim::max.self_float", fn<largest>},
  {"prim::max.self_bool", fn<largest>},
  {"aten::__range_length", fn<range_length>},
  {"aten::__derive_index", fn<[](int64_t index, int64_t start, int64_t step) { return wrap_add(start, wrap_mul(index, step)); }>},
  {"aten::__and__.int", fn<[](int64_t a, int64_t b) { return a & b; }>},
  {"aten::__or__.int", fn<[](int64_t a, int64_t b) { return a | b; }>},
  {"aten::__xor__.int", fn<[](int64_t a, int64_t b) { return a ^ b; }>},
  {"aten::__and__.bool", fn<[](bool a, bool b) { return a && b; }>},
  {"aten::__or__.bool", fn<[](bool a, bool b) { return a || b; }>},
  {"aten::__xor__.bool", fn<[](bool a, bool b) { return a != b; }>},
  {"aten::__not__", fn<[](bool a) { return !a; }>},
  {"aten::__lshift__.int", fn<shift_left>},
  {"aten::__rshift__.int", fn<shift_right>},
};

}  // namespace
}  // namespace torchscript::builtins
