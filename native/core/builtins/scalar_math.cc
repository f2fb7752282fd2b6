// Functions of module `math` and `cmath` on Python numbers.
#include <numeric>

#include "core/builtins/adapter.h"

namespace torchscript::builtins {
namespace {

constexpr double kPi = 3.141592653589793;

// One real and one complex function as the four overloads share them.
template <auto Real, auto Complex_> Number unary(Number a) {
  return a.kind == NumberKind::Complex ? Number::of_complex(Complex_(a.c)) : Number::of_float(Real(a.as_float()));
}
template <auto Real> double real_only(Number a) { return Real(a.as_float()); }
template <auto Real> double binary(Number a, Number b) { return Real(a.as_float(), b.as_float()); }

constexpr auto kLgamma = [](double x) {
  int sign;
  return ::lgamma_r(x, &sign);
};

int64_t exact_int(double x) {
  if (x >= -9223372036854775808.0 && x < 9223372036854775808.0) return static_cast<int64_t>(x);
  throw OperatorError("Cannot convert float " + std::to_string(x) + " to integer");
}
int64_t to_int_up(double x) { return exact_int(std::ceil(x)); }
int64_t to_int_down(double x) { return exact_int(std::floor(x)); }
template <auto F> int64_t integer_part(Number a) { return a.kind == NumberKind::Int ? a.i : F(a.as_float()); }

// A real number, NaN too, points to the right or to the left.
double angle(Number a) {
  if (a.kind == NumberKind::Complex) return std::arg(a.c);
  double real = a.as_float();
  return std::signbit(real) && !std::isnan(real) ? kPi : 0.0;
}

Number logarithm(Number a) {
  return unary<[](double x) { return std::log(x); }, [](Complex z) { return std::log(z); }>(a);
}
Number logarithm_to_base(Number a, Number b) {
  // The logarithm of a negative real number is NaN beside a complex one too.
  if (common_kind(a, b) == NumberKind::Complex) return Number::of_complex(divide_complex(logarithm(a), logarithm(b)));
  return Number::of_float(std::log(a.as_float()) / std::log(b.as_float()));
}

int64_t factorial(int64_t n) {
  if (n < 0) throw OperatorError("factorial() not defined for negative values");
  int64_t product = 1;
  // Every factorial from 66! on is zero modulo 2^64.
  for (int64_t i = 2; i <= n && product != 0; i++) product = wrap_mul(product, i);
  return product;
}

int64_t greatest_divisor(int64_t a, int64_t b) {
  uint64_t x = a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
  uint64_t y = b < 0 ? 0 - static_cast<uint64_t>(b) : static_cast<uint64_t>(b);
  return static_cast<int64_t>(std::gcd(x, y));
}

std::tuple<double, int64_t> split_exponent(double a) {
  int exponent = 0;
  double mantissa = std::frexp(a, &exponent);
  return {mantissa, std::isfinite(a) ? exponent : 0};
}
std::tuple<double, double> split_fraction(double a) {
  double whole;
  double fraction = std::modf(a, &whole);
  return {fraction, whole};
}
double scale_by_power(double a, int64_t exponent) {
  return std::ldexp(a, static_cast<int>(std::min<int64_t>(std::max<int64_t>(exponent, -100000), 100000)));
}
Complex from_polar(Number r, Number theta) {
  double angle = theta.as_float();
  return {r.as_float() * std::cos(angle), r.as_float() * std::sin(angle)};
}

#define TS_REAL(name) [](double x) { return std::name(x); }
#define TS_COMPLEX(name) [](Complex z) { return std::name(z); }
#define TS_REAL_AND_COMPLEX(name)                                              \
  {"aten::" #name ".int", fn<unary<TS_REAL(name), TS_COMPLEX(name)>>},         \
    {"aten::" #name ".float", fn<unary<TS_REAL(name), TS_COMPLEX(name)>>},     \
    {"aten::" #name ".complex", fn<unary<TS_REAL(name), TS_COMPLEX(name)>>}, { \
    "aten::" #name ".Scalar", fn<unary<TS_REAL(name), TS_COMPLEX(name)>>       \
  }
#define TS_REAL_ROWS(name, ...)                                                                                 \
  {"aten::" #name ".int", fn<real_only<__VA_ARGS__>>}, {"aten::" #name ".float", fn<real_only<__VA_ARGS__>>}, { \
    "aten::" #name ".Scalar", fn<real_only<__VA_ARGS__>>                                                        \
  }
#define TS_BINARY_ROWS(name, scalar, ...)                                                                             \
  {"aten::" #name ".int", fn<binary<__VA_ARGS__>>}, {"aten::" #name ".float", fn<binary<__VA_ARGS__>>},               \
    {"aten::" #name ".int_float", fn<binary<__VA_ARGS__>>}, {"aten::" #name ".float_int", fn<binary<__VA_ARGS__>>}, { \
    "aten::" #name scalar, fn<binary<__VA_ARGS__>>                                                                    \
  }

static Builtins rows{
  TS_REAL_AND_COMPLEX(acos),
  TS_REAL_AND_COMPLEX(acosh),
  TS_REAL_AND_COMPLEX(asin),
  TS_REAL_AND_COMPLEX(asinh),
  TS_REAL_AND_COMPLEX(atan),
  TS_REAL_AND_COMPLEX(atanh),
  TS_REAL_AND_COMPLEX(cos),
  TS_REAL_AND_COMPLEX(cosh),
  TS_REAL_AND_COMPLEX(exp),
  TS_REAL_AND_COMPLEX(log10),
  TS_REAL_AND_COMPLEX(sin),
  TS_REAL_AND_COMPLEX(sinh),
  TS_REAL_AND_COMPLEX(sqrt),
  TS_REAL_AND_COMPLEX(tan),
  TS_REAL_AND_COMPLEX(tanh),
  TS_REAL_ROWS(erf, TS_REAL(erf)),
  TS_REAL_ROWS(erfc, TS_REAL(erfc)),
  TS_REAL_ROWS(expm1, TS_REAL(expm1)),
  TS_REAL_ROWS(fabs, TS_REAL(fabs)),
  TS_REAL_ROWS(gamma, TS_REAL(tgamma)),
  TS_REAL_ROWS(lgamma, kLgamma),
  TS_REAL_ROWS(log1p, TS_REAL(log1p)),
  TS_REAL_ROWS(degrees, [](double x) { return x * 180.0 / kPi; }),
  TS_REAL_ROWS(radians, [](double x) { return x * kPi / 180.0; }),
  // Half to even; the result is a float whatever the argument.
  TS_REAL_ROWS(round, [](double x) { return std::nearbyint(x); }),
  TS_BINARY_ROWS(atan2, ".Scalar_Scalar", [](double a, double b) { return std::atan2(a, b); }),
  TS_BINARY_ROWS(copysign, "", [](double a, double b) { return std::copysign(a, b); }),
  TS_BINARY_ROWS(fmod, "", [](double a, double b) { return std::fmod(a, b); }),
  TS_BINARY_ROWS(mathremainder, "", [](double a, double b) { return std::remainder(a, b); }),
  {"aten::log.int", fn<logarithm>},
  {"aten::log.float", fn<logarithm>},
  {"aten::log.complex", fn<logarithm>},
  {"aten::log.Scalar", fn<logarithm>},
  {"aten::log.int_int", fn<logarithm_to_base>},
  {"aten::log.float_float", fn<logarithm_to_base>},
  {"aten::log.complex_complex", fn<logarithm_to_base>},
  {"aten::log.int_float", fn<logarithm_to_base>},
  {"aten::log.float_int", fn<logarithm_to_base>},
  {"aten::log.int_complex", fn<logarithm_to_base>},
  {"aten::log.complex_int", fn<logarithm_to_base>},
  {"aten::log.float_complex", fn<logarithm_to_base>},
  {"aten::log.complex_float", fn<logarithm_to_base>},
  {"aten::log.Scalar_Scalar", fn<logarithm_to_base>},
  {"aten::ceil.int", fn<integer_part<to_int_up>>},
  {"aten::ceil.float", fn<integer_part<to_int_up>>},
  {"aten::ceil.Scalar", fn<integer_part<to_int_up>>},
  {"aten::floor.int", fn<integer_part<to_int_down>>},
  {"aten::floor.float", fn<integer_part<to_int_down>>},
  {"aten::floor.Scalar", fn<integer_part<to_int_down>>},
  {"aten::angle.int", fn<angle>},
  {"aten::angle.float", fn<angle>},
  {"aten::angle.complex", fn<angle>},
  {"aten::angle.Scalar", fn<angle>},
  {"aten::polar.int", fn<from_polar>},
  {"aten::polar.float", fn<from_polar>},
  {"aten::polar.int_float", fn<from_polar>},
  {"aten::polar.float_int", fn<from_polar>},
  {"aten::polar.Scalar_Scalar", fn<from_polar>},
  {"aten::factorial.int", fn<factorial>},
  {"aten::gcd.int", fn<greatest_divisor>},
  {"aten::frexp", fn<split_exponent>},
  {"aten::modf", fn<split_fraction>},
  {"aten::ldexp", fn<scale_by_power>},
  {"aten::isnan.float", fn<[](double a) { return std::isnan(a); }>},
  {"aten::isnan.complex", fn<[](Complex a) { return std::isnan(a.real()) || std::isnan(a.imag()); }>},
  {"aten::isinf.float", fn<[](double a) { return std::isinf(a); }>},
  {"aten::isinf.complex", fn<[](Complex a) { return std::isinf(a.real()) || std::isinf(a.imag()); }>},
  {"aten::isfinite.float", fn<[](double a) { return std::isfinite(a); }>},
  {"aten::isfinite.complex", fn<[](Complex a) { return std::isfinite(a.real()) && std::isfinite(a.imag()); }>},
};

}  // namespace
}  // namespace torchscript::builtins
