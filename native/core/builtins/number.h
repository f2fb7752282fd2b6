// Scalars: a number whose kind is known only when the program runs.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>

#include "core/errors.h"
#include "core/value.h"

namespace torchscript::builtins {

using Complex = std::complex<double>;

enum class NumberKind { Int, Float, Complex };

struct Number {
  NumberKind kind = NumberKind::Int;
  int64_t i = 0;
  double d = 0;
  Complex c;

  static Number of_int(int64_t i) {
    Number n;
    n.i = i;
    return n;
  }
  static Number of_float(double d) {
    Number n;
    n.kind = NumberKind::Float;
    n.d = d;
    return n;
  }
  static Number of_complex(Complex c) {
    Number n;
    n.kind = NumberKind::Complex;
    n.c = c;
    return n;
  }
  // Bools count as 0 and 1.
  static Number of(const Value& v) {
    switch (v.tag()) {
      case Tag::Bool: return of_int(v.to_bool());
      case Tag::Int: return of_int(v.to_int());
      case Tag::Float: return of_float(v.to_float());
      case Tag::Complex: return of_complex(v.to_complex());
      default: throw OperatorError(std::string("Expected a number but received '") + tag_name(v.tag()) + "'");
    }
  }
  Value value() const {
    switch (kind) {
      case NumberKind::Int: return Value::of_int(i);
      case NumberKind::Float: return Value::of_float(d);
      default: return Value::of_complex(c);
    }
  }
  double as_float() const {
    if (kind == NumberKind::Complex) throw OperatorError("value cannot be converted to type double without overflow: it is complex");
    return kind == NumberKind::Int ? static_cast<double>(i) : d;
  }
  Complex as_complex() const { return kind == NumberKind::Complex ? c : Complex(as_float(), 0); }
};

inline NumberKind common_kind(const Number& a, const Number& b) { return a.kind > b.kind ? a.kind : b.kind; }

// a / b where one of them is complex; a real divisor divides both parts. Dividing by the larger part first avoids overflow.
inline Complex divide_complex(const Number& a, const Number& b) {
  Complex x = a.as_complex();
  if (b.kind != NumberKind::Complex) return {x.real() / b.as_float(), x.imag() / b.as_float()};
  double c = b.c.real(), d = b.c.imag();
  if (std::fabs(c) >= std::fabs(d)) {
    if (c == 0 && d == 0) return {x.real() / std::fabs(c), x.imag() / std::fabs(d)};
    double ratio = d / c, scale = 1.0 / (c + d * ratio);
    return {(x.real() + x.imag() * ratio) * scale, (x.imag() - x.real() * ratio) * scale};
  }
  double ratio = c / d, scale = 1.0 / (c * ratio + d);
  return {(x.real() * ratio + x.imag()) * scale, (x.imag() * ratio - x.real()) * scale};
}

// 64-bit arithmetic wraps.
inline int64_t wrap_add(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
inline int64_t wrap_sub(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }
inline int64_t wrap_mul(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); }
inline int64_t wrap_neg(int64_t a) { return wrap_sub(0, a); }
inline int64_t wrap_abs(int64_t a) { return a < 0 ? wrap_neg(a) : a; }

// A double as x86 converts it: out of range and NaN give the smallest integer.
inline int64_t truncate_to_int(double d) {
  return d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? static_cast<int64_t>(d) : INT64_MIN;
}

inline int64_t floor_div(int64_t a, int64_t b) {
  if (b == 0) throw OperatorError("division by 0");
  if (b == -1) return wrap_neg(a);
  int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}
inline int64_t floor_mod(int64_t a, int64_t b) {
  if (b == 0) throw OperatorError("ZeroDivisionError: integer division or modulo by zero");
  if (b == -1) return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// TorchScript's formula, which differs from Python's for an infinite divisor.
inline double floor_mod(double a, double b) { return std::fmod(b + std::fmod(a, b), b); }

}  // namespace torchscript::builtins
