// Special functions, lane by lane in float64: series, asymptotic expansions and Newton steps.
#pragma once
#include "cpu-avx/math.h"

// How functions that are called, not inlined, are declared.
#if !defined(TS_FUNCTION)
#define TS_FUNCTION inline
#endif

namespace torchscript {
namespace TS_ISA {
namespace special {

constexpr double kPi = 3.14159265358979323846;
TS_FUNCTION double inf() { return __builtin_inf(); }
TS_FUNCTION double nan() { return __builtin_nan(""); }

TS_FUNCTION double digamma(double x) {
  if (x == 0) return __builtin_copysign(inf(), -x);
  double shift = 0;
  if (x < 0) {
    if (x == __builtin_floor(x)) return nan();
    const double r = x - __builtin_trunc(x);
    shift = -kPi / __builtin_tan(kPi * r);
    x = 1 - x;
  }
  for (; x < 10; x += 1) shift -= 1 / x;
  const double z = 1 / (x * x);
  const double series =
    z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z * (1.0 / 12)))))));
  return shift + __builtin_log(x) - 0.5 / x - series;
}

// Inverse of the normal distribution: Abramowitz and Stegun 26.2.23, then Halley steps.
TS_FUNCTION double ndtri(double p) {
  if (p == 0) return -inf();
  if (p == 1) return inf();
  if (!(p > 0 && p < 1)) return nan();
  const double tail = p < 0.5 ? p : 1 - p;
  const double t = __builtin_sqrt(-2 * __builtin_log(tail));
  double x = t - ((0.010328 * t + 0.802853) * t + 2.515517) / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1);
  for (int i = 0; i < 3; i++) {
    const double error = 0.5 * __builtin_erfc(x * 0.70710678118654752440) - tail;
    const double step = error / (0.39894228040143267794 * __builtin_exp(-0.5 * x * x));
    x += step / (1 - 0.5 * x * step);
  }
  return p < 0.5 ? -x : x;
}
TS_FUNCTION double erfinv(double y) {
  if (y == 1 || y == -1) return __builtin_copysign(inf(), y);
  if (!(y > -1 && y < 1)) return nan();
  const double a = __builtin_fabs(y);
  if (a > 0.9) return __builtin_copysign(-ndtri(0.5 * (1 - a)) * 0.70710678118654752440, y);
  double x = a < 0.1 ? a * 0.88622692545275801365 : -ndtri(0.5 * (1 - a)) * 0.70710678118654752440;
  for (int i = 0; i < 4; i++) {
    const double step = (__builtin_erf(x) - a) / (1.12837916709551257390 * __builtin_exp(-x * x));
    x -= step / (1 + x * step);
  }
  return __builtin_copysign(x, y);
}

// I_order(x) e^-|x|, order 0 or 1.
TS_FUNCTION double bessel_i_scaled(int order, double x) {
  const double a = __builtin_fabs(x);
  if (a != a) return a;
  double sum;
  if (a < 20) {
    double term = order ? a / 2 : 1;
    sum = term;
    const double q = a * a / 4;
    for (int k = 1; k < 100; k++) {
      term *= q / (k * (k + order));
      sum += term;
      if (term < sum * 1e-17) break;
    }
    sum *= __builtin_exp(-a);
  } else if (a > 1e300) {
    sum = 0;
  } else {
    double term = 1;
    sum = 1;
    const double mu = 4.0 * order * order;
    for (int k = 1; k < 40; k++) {
      const double next = term * -(mu - (2 * k - 1) * (2 * k - 1)) / (k * 8 * a);
      if (__builtin_fabs(next) > __builtin_fabs(term) || __builtin_fabs(next) < 1e-17) break;
      term = next;
      sum += term;
    }
    sum /= __builtin_sqrt(2 * kPi * a);
  }
  return order && x < 0 ? -sum : sum;
}
// K_order(x) e^x: the trapezoid rule on the integral of exp(-x (cosh t - 1)) cosh(order t), which converges exponentially.
TS_FUNCTION double bessel_k_scaled(int order, double x) {
  if (x == 0) return inf();
  if (!(x > 0)) return nan();
  if (x > 1e300) return 0;
  const double h = x > 100 ? 0.3 / __builtin_sqrt(x) : 0.03125;
  double sum = 0.5;
  for (int i = 1; i < 4000; i++) {
    const double t = i * h, s = __builtin_sinh(t / 2);
    const double term = __builtin_exp(-2 * x * s * s) * (order ? __builtin_cosh(t) : 1);
    sum += term;
    if (term < 1e-18 * sum) break;
  }
  return sum * h;
}
TS_FUNCTION double erfcx(double x) {
  if (x < 25) return x < -26.7 ? inf() : __builtin_exp(x * x) * __builtin_erfc(x);
  const double z = 1 / (x * x);
  return 0.56418958354775628695 / x * (1 - z * (0.5 - z * (0.75 - z * (1.875 - z * 6.5625))));
}
TS_FUNCTION double log_ndtr(double x) {
  const double t = x * 0.70710678118654752440;
  if (x < -1) return __builtin_log(erfcx(-t) / 2) - t * t;
  return __builtin_log1p(-__builtin_erfc(t) / 2);
}
TS_FUNCTION double spherical_bessel_j0(double x) {
  if (__builtin_isinf(x)) return 0;
  if (__builtin_fabs(x) < 0.5) {
    const double z = x * x;
    return 1 - z / 6 * (1 - z / 20 * (1 - z / 42 * (1 - z / 72 * (1 - z / 110))));
  }
  return __builtin_sin(x) / x;
}
// Ai: Maclaurin series near 0, asymptotic expansions beyond.
TS_FUNCTION double airy_ai(double x) {
  if (x != x) return x;
  if (x > 103.9) return 0;
  if (x > -6.5 && x < 4.5) {
    const double c1 = 0.35502805388781723926, c2 = 0.25881940379280679840, x3 = x * x * x;
    double f = 1, g = x, tf = 1, tg = x;
    for (int k = 1; k < 80; k++) {
      tf *= x3 / ((3 * k - 1) * (3 * k));
      tg *= x3 / ((3 * k) * (3 * k + 1));
      f += tf;
      g += tg;
      if (__builtin_fabs(tf) + __builtin_fabs(tg) < 1e-18) break;
    }
    return c1 * f - c2 * g;
  }
  const double a = __builtin_fabs(x), zeta = 2.0 / 3 * a * __builtin_sqrt(a), quarter = __builtin_sqrt(__builtin_sqrt(a));
  double even = 1, odd = 0, plain = 1, u = 1;
  for (int k = 1; k < 16; k++) {
    const double next = u * ((6 * k - 5) * (6 * k - 3) * (6 * k - 1)) / (216.0 * k * (2 * k - 1)) / zeta;
    if (next > u) break;
    u = next;
    plain += k % 2 ? -u : u;
    if (k % 2) odd += (k / 2) % 2 ? -u : u;
    else even += (k / 2) % 2 ? -u : u;
  }
  if (x > 0) return __builtin_exp(-zeta) / (2 * 1.77245385090551602730 * quarter) * plain;
  const double phase = zeta - kPi / 4;
  return (__builtin_cos(phase) * even + __builtin_sin(phase) * odd) / (1.77245385090551602730 * quarter);
}

// Hurwitz zeta by Euler and Maclaurin.
TS_FUNCTION double zeta(double x, double q) {
  constexpr double kTerms[] = {12.0,
                               -720.0,
                               30240.0,
                               -1209600.0,
                               47900160.0,
                               -1.8924375803183791606e9,
                               7.47242496e10,
                               -2.950130727918164224e12,
                               1.1646782814350067249e14,
                               -4.5979787224074726105e15,
                               1.8152105401943546773e17,
                               -7.1661652561756670113e18};
  if (x == 1) return inf();
  if (!(x > 1)) return nan();
  if (q <= 0) {
    if (q == __builtin_floor(q)) return inf();
    if (x != __builtin_floor(x)) return nan();
  }
  double sum = __builtin_pow(q, -x), a = q, b = 0;
  for (int i = 0; i < 9 || a <= 9; i++) {
    a += 1;
    b = __builtin_pow(a, -x);
    sum += b;
    if (-1e-17 * sum < b && b < 1e-17 * sum) return sum;
  }
  const double w = a;
  sum += b * w / (x - 1) - 0.5 * b;
  double factor = 1, k = 0;
  for (int i = 0; i < 12; i++) {
    factor *= x + k;
    b /= w;
    const double t = factor * b / kTerms[i];
    sum += t;
    if (__builtin_fabs(t / sum) < 1e-17) break;
    k += 1;
    factor *= x + k;
    b /= w;
    k += 1;
  }
  return sum;
}
TS_FUNCTION double trigamma(double x) {
  double sign = 1, sum = 0;
  if (x < 0.5) {
    const double s = __builtin_sin(kPi * x);
    sign = -1;
    sum = -kPi * kPi / (s * s);
    x = 1 - x;
  }
  for (; x < 20; x += 1) sum += 1 / (x * x);
  const double z = 1 / (x * x);
  return sign * (sum + (1 + 0.5 / x + z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42)))) / x);
}
TS_FUNCTION double polygamma(double n, double x) {
  if (n == 0) return digamma(x);
  if (n == 1) return trigamma(x);
  const double factorial = __builtin_tgamma(n + 1);
  return (__builtin_fmod(n, 2) != 0 ? 1 : -1) * factorial * zeta(n + 1, x);
}
// Regularised incomplete gamma functions: the series below the peak, Lentz's continued fraction above.
TS_FUNCTION double gamma_lower_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int k = 1; k < 3000; k++) {
    term *= x / (a + k);
    sum += term;
    if (term < sum * 1e-17) break;
  }
  int sign;
  return sum * __builtin_exp(a * __builtin_log(x) - x - __builtin_lgamma_r(a, &sign));
}
TS_FUNCTION double gamma_upper_fraction(double a, double x) {
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int i = 1; i < 3000; i++) {
    const double an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (__builtin_fabs(d) < 1e-300) d = 1e-300;
    c = b + an / c;
    if (__builtin_fabs(c) < 1e-300) c = 1e-300;
    d = 1 / d;
    const double delta = d * c;
    h *= delta;
    if (__builtin_fabs(delta - 1) < 1e-16) break;
  }
  int sign;
  return h * __builtin_exp(a * __builtin_log(x) - x - __builtin_lgamma_r(a, &sign));
}
TS_FUNCTION double igamma(double a, double x) {
  if (!(a >= 0 && x >= 0)) return nan();
  if (a == 0) return x > 0 ? 1 : nan();
  if (x == 0) return 0;
  if (__builtin_isinf(a)) return __builtin_isinf(x) ? nan() : 0;
  if (__builtin_isinf(x)) return 1;
  return x < a + 1 ? gamma_lower_series(a, x) : 1 - gamma_upper_fraction(a, x);
}
TS_FUNCTION double igammac(double a, double x) {
  if (!(a >= 0 && x >= 0)) return nan();
  if (a == 0) return x > 0 ? 0 : nan();
  if (x == 0) return 1;
  if (__builtin_isinf(a)) return __builtin_isinf(x) ? nan() : 1;
  if (__builtin_isinf(x)) return 0;
  return x < a + 1 ? 1 - gamma_lower_series(a, x) : gamma_upper_fraction(a, x);
}
// Orthogonal polynomials of degree n (truncated to an integer; 0 when negative), by their recurrences from p0 = 1 and p1.
enum Polynomial { kThreeTerm, kLegendre, kHermite, kHermiteE, kLaguerre };
TS_FUNCTION double polynomial(Polynomial kind, double x, double degree, double p1) {
  if (!(degree > -1) || degree != degree) return degree != degree ? nan() : 0;
  const int64_t n = degree < 1e9 ? static_cast<int64_t>(degree) : 1000000000;
  if ((kind == kHermite || kind == kHermiteE) && n > 512) return nan();
  double p = 1, q = p1;
  if (n == 0) return p;
  for (int64_t k = 1; k < n && q == q; k++) {
    const double d = static_cast<double>(k);
    double r;
    switch (kind) {
      case kLegendre: r = ((2 * d + 1) * x * q - d * p) / (d + 1); break;
      case kHermite: r = 2 * x * q - 2 * d * p; break;
      case kHermiteE: r = x * q - d * p; break;
      case kLaguerre: r = ((2 * d + 1 - x) * q - d * p) / (d + 1); break;
      default: r = 2 * x * q - p; break;
    }
    p = q;
    q = r;
  }
  return q;
}

}  // namespace special
}  // namespace TS_ISA
}  // namespace torchscript

#include "cpu-avx/math_bessel.h"

namespace torchscript {
namespace TS_ISA {

#define TS_SPECIAL(name, expr)                                           \
  TS_INLINE VecF name(VecF a) {                                          \
    return lanes(a, [](float f) {                                        \
      const double x = f;                                                \
      return static_cast<float>(expr);                                   \
    });                                                                  \
  }                                                                      \
  TS_INLINE VecD name(VecD a) {                                          \
    return lanes(a, [](double x) { return static_cast<double>(expr); }); \
  }
TS_SPECIAL(digamma, special::digamma(x))
// Giles, "Approximating the erfinv function" (2010): polynomials in the logarithm of 1 - x^2. Within 4 units in the last place.
TS_INLINE VecF erfinv(VecF x) {
  const VecF one(1.0f), w = -log((one - x) * (one + x));
  const MaskF far = w >= VecF(5.0f);
  const VecF t = select(far, sqrt(w) - VecF(3.0f), w - VecF(2.5f));
  const float near_terms[] = {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
                              -0.00125372503f, -0.00417768164f, 0.246640727f,    1.50140941f};
  const float far_terms[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                             -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
  VecF p = select(far, VecF(far_terms[0]), VecF(near_terms[0]));
#pragma GCC unroll 8
  for (int i = 1; i < 9; i++) p = fma(p, t, select(far, VecF(far_terms[i]), VecF(near_terms[i])));
  const VecF a = abs(x);
  return select(a == one, copysign(VecF(kInfF), x), select(a > one, VecF(kNanF), p * x));
}
TS_INLINE VecD erfinv(VecD a) {
  return lanes(a, [](double x) { return special::erfinv(x); });
}
TS_SPECIAL(ndtri, special::ndtri(x))
TS_SPECIAL(erfcx, special::erfcx(x))
TS_SPECIAL(log_ndtr, special::log_ndtr(x))
TS_SPECIAL(i0, special::bessel_i_scaled(0, x) * __builtin_exp(__builtin_fabs(x)))
TS_SPECIAL(i0e, special::bessel_i_scaled(0, x))
TS_SPECIAL(i1, special::bessel_i_scaled(1, x) * __builtin_exp(__builtin_fabs(x)))
TS_SPECIAL(i1e, special::bessel_i_scaled(1, x))
TS_SPECIAL(modified_bessel_i0, special::bessel_i_scaled(0, x) * __builtin_exp(__builtin_fabs(x)))
TS_SPECIAL(modified_bessel_i1, special::bessel_i_scaled(1, x) * __builtin_exp(__builtin_fabs(x)))
TS_SPECIAL(modified_bessel_k0, special::bessel_k_scaled(0, x) * __builtin_exp(-x))
TS_SPECIAL(modified_bessel_k1, special::bessel_k_scaled(1, x) * __builtin_exp(-x))
TS_SPECIAL(scaled_modified_bessel_k0, special::bessel_k_scaled(0, x))
TS_SPECIAL(scaled_modified_bessel_k1, special::bessel_k_scaled(1, x))
TS_SPECIAL(bessel_j0, special::bessel_j0(x))
TS_SPECIAL(bessel_j1, special::bessel_j1(x))
TS_SPECIAL(bessel_y0, special::bessel_y0(x))
TS_SPECIAL(bessel_y1, special::bessel_y1(x))
TS_SPECIAL(spherical_bessel_j0, special::spherical_bessel_j0(x))
TS_SPECIAL(airy_ai, special::airy_ai(x))
#undef TS_SPECIAL

#define TS_SPECIAL_2(name, expr)                                                      \
  TS_INLINE VecF name(VecF a, VecF b) {                                               \
    return lanes(a, b, [](float f, float g) {                                         \
      const double x = f, y = g;                                                      \
      return static_cast<float>(expr);                                                \
    });                                                                               \
  }                                                                                   \
  TS_INLINE VecD name(VecD a, VecD b) {                                               \
    return lanes(a, b, [](double x, double y) { return static_cast<double>(expr); }); \
  }
TS_SPECIAL_2(zeta, special::zeta(x, y))
// At the poles of trigamma the result is what rounding leaves of the sine, in the precision of the argument.
TS_INLINE VecF polygamma(VecF a, VecF b) {
  return lanes(a, b, [](float n, float x) {
    if (n == 1 && x < 0.5f) {
      const float sine = __builtin_sinf(static_cast<float>(special::kPi) * x);
      return static_cast<float>(special::kPi * special::kPi / (static_cast<double>(sine) * sine) -
                                special::trigamma(1 - static_cast<double>(x)));
    }
    return static_cast<float>(special::polygamma(n, x));
  });
}
TS_INLINE VecD polygamma(VecD a, VecD b) {
  return lanes(a, b, [](double n, double x) { return special::polygamma(n, x); });
}
TS_SPECIAL_2(igamma, special::igamma(x, y))
TS_SPECIAL_2(igammac, special::igammac(x, y))
TS_SPECIAL_2(chebyshev_t, special::polynomial(special::kThreeTerm, x, y, x))
TS_SPECIAL_2(chebyshev_u, special::polynomial(special::kThreeTerm, x, y, 2 * x))
TS_SPECIAL_2(chebyshev_v, special::polynomial(special::kThreeTerm, x, y, 2 * x - 1))
TS_SPECIAL_2(chebyshev_w, special::polynomial(special::kThreeTerm, x, y, 2 * x + 1))
TS_SPECIAL_2(legendre_p, special::polynomial(special::kLegendre, x, y, x))
TS_SPECIAL_2(hermite_h, special::polynomial(special::kHermite, x, y, 2 * x))
TS_SPECIAL_2(hermite_he, special::polynomial(special::kHermiteE, x, y, x))
TS_SPECIAL_2(laguerre_l, special::polynomial(special::kLaguerre, x, y, 1 - x))
#undef TS_SPECIAL_2

}  // namespace TS_ISA
}  // namespace torchscript
