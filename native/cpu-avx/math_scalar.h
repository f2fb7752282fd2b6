// Integers and complex numbers with the interface that generated expressions use (one lane of vec.h's vectors).
#pragma once
#include "cpu-avx/math.h"

#if defined(TS_SCALAR_HEADER)
#include TS_SCALAR_HEADER
#else

namespace torchscript {
namespace TS_ISA {

struct Truth {
  bool m;
};
TS_INLINE Truth operator&(Truth a, Truth b) { return {a.m && b.m}; }
TS_INLINE Truth operator|(Truth a, Truth b) { return {a.m || b.m}; }
TS_INLINE Truth operator^(Truth a, Truth b) { return {a.m != b.m}; }
TS_INLINE Truth operator~(Truth a) { return {!a.m}; }

// ---- integers: two's complement, wrapping
template <class T> struct UnsignedOf;
template <> struct UnsignedOf<uint8_t> { using type = uint8_t; };
template <> struct UnsignedOf<int32_t> { using type = uint32_t; };
template <> struct UnsignedOf<int64_t> { using type = uint64_t; };

template <class T> struct Whole {
  static constexpr int kWidth = 1;
  using Element = T;
  using Mask = Truth;
  using U = typename UnsignedOf<T>::type;
  T v;
};
#define TS_WHOLE template <class T> TS_INLINE Whole<T>
TS_WHOLE operator+(Whole<T> a, Whole<T> b) {
  using U = typename Whole<T>::U;
  return {static_cast<T>(static_cast<U>(a.v) + static_cast<U>(b.v))};
}
TS_WHOLE operator-(Whole<T> a, Whole<T> b) {
  using U = typename Whole<T>::U;
  return {static_cast<T>(static_cast<U>(a.v) - static_cast<U>(b.v))};
}
TS_WHOLE operator*(Whole<T> a, Whole<T> b) {
  using U = typename Whole<T>::U;
  return {static_cast<T>(static_cast<U>(a.v) * static_cast<U>(b.v))};
}
TS_WHOLE operator-(Whole<T> a) { return Whole<T>{0} - a; }
TS_WHOLE operator&(Whole<T> a, Whole<T> b) { return {static_cast<T>(a.v & b.v)}; }
TS_WHOLE operator|(Whole<T> a, Whole<T> b) { return {static_cast<T>(a.v | b.v)}; }
TS_WHOLE operator^(Whole<T> a, Whole<T> b) { return {static_cast<T>(a.v ^ b.v)}; }
TS_WHOLE operator~(Whole<T> a) { return {static_cast<T>(~a.v)}; }
#define TS_COMPARE(op) \
  template <class T> TS_INLINE Truth operator op(Whole<T> a, Whole<T> b) { return {a.v op b.v}; }
TS_COMPARE(==)
TS_COMPARE(!=)
TS_COMPARE(<)
TS_COMPARE(<=)
TS_COMPARE(>)
TS_COMPARE(>=)
#undef TS_COMPARE
TS_WHOLE select(Truth c, Whole<T> a, Whole<T> b) { return c.m ? a : b; }
TS_WHOLE abs(Whole<T> a) { return a.v < 0 ? -a : a; }
TS_WHOLE max(Whole<T> a, Whole<T> b) { return a.v > b.v ? a : b; }
TS_WHOLE min(Whole<T> a, Whole<T> b) { return a.v < b.v ? a : b; }
TS_WHOLE max_nan(Whole<T> a, Whole<T> b) { return max(a, b); }
TS_WHOLE min_nan(Whole<T> a, Whole<T> b) { return min(a, b); }
template <class T> TS_INLINE Truth is_nan(Whole<T>) { return {false}; }
template <class T> TS_INLINE Truth is_inf(Whole<T>) { return {false}; }
// Divisors of zero are refused before the kernel runs; here they must only not trap.
TS_WHOLE trunc_div(Whole<T> a, Whole<T> b) { return b.v == 0 ? b : b.v == static_cast<T>(-1) ? -a : Whole<T>{static_cast<T>(a.v / b.v)}; }
TS_WHOLE fmod(Whole<T> a, Whole<T> b) { return b.v == 0 || b.v == static_cast<T>(-1) ? Whole<T>{0} : Whole<T>{static_cast<T>(a.v % b.v)}; }
TS_WHOLE floor_div(Whole<T> a, Whole<T> b) {
  const Whole<T> q = trunc_div(a, b);
  return fmod(a, b).v != 0 && (a.v < 0) != (b.v < 0) ? Whole<T>{static_cast<T>(q.v - 1)} : q;
}
TS_WHOLE remainder(Whole<T> a, Whole<T> b) {
  const Whole<T> r = fmod(a, b);
  return r.v != 0 && (r.v < 0) != (b.v < 0) ? r + b : r;
}
TS_WHOLE pow(Whole<T> a, Whole<T> b) {
  if (b.v < 0) return {a.v == 1 ? T(1) : a.v == static_cast<T>(-1) ? (b.v % 2 ? T(-1) : T(1)) : T(0)};
  Whole<T> result{1};
  for (T e = b.v; e != 0; e >>= 1) {
    if (e & 1) result = result * a;
    a = a * a;
  }
  return result;
}
TS_WHOLE gcd(Whole<T> a, Whole<T> b) {
  a = abs(a);
  b = abs(b);
  while (b.v != 0) {
    const Whole<T> r = fmod(a, b);
    a = b;
    b = r;
  }
  return a;
}
TS_WHOLE lcm(Whole<T> a, Whole<T> b) {
  const Whole<T> g = gcd(a, b);
  return g.v == 0 ? g : abs(trunc_div(a, g) * b);
}
TS_WHOLE shift_left(Whole<T> a, Whole<T> b) {
  using U = typename Whole<T>::U;
  return b.v < 0 || b.v >= static_cast<T>(sizeof(T) * 8) ? Whole<T>{0} : Whole<T>{static_cast<T>(static_cast<U>(a.v) << b.v)};
}
TS_WHOLE shift_right(Whole<T> a, Whole<T> b) {
  constexpr T bits = sizeof(T) * 8 - 1;
  return {a.v >> (b.v < 0 || b.v > bits ? bits : b.v)};
}
#undef TS_WHOLE

// ---- complex numbers
#define TS_REAL_1(name)                                                \
  TS_INLINE float r_##name(float x) { return __builtin_##name##f(x); } \
  TS_INLINE double r_##name(double x) { return __builtin_##name(x); }
TS_REAL_1(exp)
TS_REAL_1(log)
TS_REAL_1(log1p)
TS_REAL_1(sin)
TS_REAL_1(cos)
TS_REAL_1(sinh)
TS_REAL_1(cosh)
TS_REAL_1(sqrt)
TS_REAL_1(fabs)
#undef TS_REAL_1
#define TS_REAL_2(name)                                                            \
  TS_INLINE float r_##name(float x, float y) { return __builtin_##name##f(x, y); } \
  TS_INLINE double r_##name(double x, double y) { return __builtin_##name(x, y); }
TS_REAL_2(hypot)
TS_REAL_2(atan2)
TS_REAL_2(copysign)
#undef TS_REAL_2

template <class R> struct Complex {
  static constexpr int kWidth = 1;
  using Element = Complex;
  using Real = R;
  using Mask = Truth;
  R re, im;
};
#define TS_COMPLEX template <class R> TS_INLINE Complex<R>
TS_COMPLEX operator+(Complex<R> a, Complex<R> b) { return {a.re + b.re, a.im + b.im}; }
TS_COMPLEX operator-(Complex<R> a, Complex<R> b) { return {a.re - b.re, a.im - b.im}; }
TS_COMPLEX operator-(Complex<R> a) { return {-a.re, -a.im}; }
TS_COMPLEX operator*(Complex<R> a, Complex<R> b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
TS_COMPLEX operator/(Complex<R> a, Complex<R> b) {
  // Scaled by the larger part of the divisor, as PyTorch does.
  if (r_fabs(b.re) >= r_fabs(b.im)) {
    if (b.re == 0 && b.im == 0) return {a.re / r_fabs(b.re), a.im / r_fabs(b.im)};
    const R ratio = b.im / b.re, scale = R(1) / (b.re + b.im * ratio);
    return {(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale};
  }
  const R ratio = b.re / b.im, scale = R(1) / (b.re * ratio + b.im);
  return {(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale};
}
template <class R> TS_INLINE Truth operator==(Complex<R> a, Complex<R> b) { return {a.re == b.re && a.im == b.im}; }
template <class R> TS_INLINE Truth operator!=(Complex<R> a, Complex<R> b) { return {a.re != b.re || a.im != b.im}; }
TS_COMPLEX select(Truth c, Complex<R> a, Complex<R> b) { return c.m ? a : b; }
template <class R> TS_INLINE Truth is_nan(Complex<R> a) { return {a.re != a.re || a.im != a.im}; }
template <class R> TS_INLINE bool real_is_inf(R x) { return r_fabs(x) == static_cast<R>(__builtin_inf()); }
template <class R> TS_INLINE Truth is_inf(Complex<R> a) { return {real_is_inf(a.re) || real_is_inf(a.im)}; }
template <class R> TS_INLINE Truth is_real(Complex<R> a) { return {a.im == 0}; }
template <class R> TS_INLINE R abs(Complex<R> a) { return r_hypot(a.re, a.im); }
template <class R> TS_INLINE R angle(Complex<R> a) {
  return a.re != a.re || a.im != a.im ? static_cast<R>(__builtin_nan("")) : r_atan2(a.im, a.re);
}
TS_COMPLEX conj(Complex<R> a) { return {a.re, -a.im}; }
TS_COMPLEX sgn(Complex<R> a) {
  const R m = abs(a);
  return m == 0 ? Complex<R>{0, 0} : Complex<R>{a.re / m, a.im / m};
}
TS_COMPLEX times_i(Complex<R> a) { return {-a.im, a.re}; }
TS_COMPLEX times_minus_i(Complex<R> a) { return {a.im, -a.re}; }
TS_COMPLEX exp(Complex<R> a) {
  const R e = r_exp(a.re);
  if (a.im == 0) return {e, a.im};
  if (e == 0) return {R(0), R(0)};
  return {e * r_cos(a.im), e * r_sin(a.im)};
}
TS_COMPLEX log(Complex<R> a) { return {r_log(abs(a)), r_atan2(a.im, a.re)}; }
TS_COMPLEX sqrt(Complex<R> a) {
  if (a.re == 0 && a.im == 0) return {R(0), a.im};
  if (real_is_inf(a.im)) return {r_fabs(a.im), a.im};
  const R m = r_sqrt((r_fabs(a.re) + r_hypot(a.re, a.im)) / 2);
  if (a.re >= 0) return {m, a.im / (2 * m)};
  return {r_fabs(a.im) / (2 * m), r_copysign(m, a.im)};
}
TS_COMPLEX exp2(Complex<R> a) { return exp(Complex<R>{a.re * R(0.69314718055994530942), a.im * R(0.69314718055994530942)}); }
TS_COMPLEX expm1(Complex<R> a) {
  // e^x cos y - 1 = expm1(x) cos y - 2 sin(y/2)^2
  const R s = r_sin(a.im / 2);
  const double em1 = __builtin_expm1(static_cast<double>(a.re));
  return {static_cast<R>(em1) * r_cos(a.im) - 2 * s * s, r_exp(a.re) * r_sin(a.im)};
}
TS_COMPLEX log2(Complex<R> a) {
  const Complex<R> l = log(a);
  return {l.re * R(1.44269504088896340736), l.im * R(1.44269504088896340736)};
}
TS_COMPLEX log10(Complex<R> a) {
  const Complex<R> l = log(a);
  return {l.re * R(0.43429448190325182765), l.im * R(0.43429448190325182765)};
}
TS_COMPLEX log1p(Complex<R> a) {
  const R x = a.re, y = a.im;
  if (r_fabs(x) < R(0.5) && r_fabs(y) < R(0.5)) return {r_log1p(x * (2 + x) + y * y) / 2, r_atan2(y, 1 + x)};
  return log(Complex<R>{1 + x, y});
}
TS_COMPLEX sinh(Complex<R> a) { return {r_sinh(a.re) * r_cos(a.im), r_cosh(a.re) * r_sin(a.im)}; }
TS_COMPLEX cosh(Complex<R> a) { return {r_cosh(a.re) * r_cos(a.im), r_sinh(a.re) * r_sin(a.im)}; }
TS_COMPLEX sin(Complex<R> a) { return times_minus_i(sinh(times_i(a))); }
TS_COMPLEX cos(Complex<R> a) { return cosh(times_i(a)); }
TS_COMPLEX tanh(Complex<R> a) {
  if (r_fabs(a.re) > R(20)) return {r_copysign(R(1), a.re), r_copysign(R(0), r_sin(2 * a.im))};
  const R s = r_sinh(a.re), c = r_cos(a.im), d = s * s + c * c;
  return {s * r_cosh(a.re) / d, r_sin(a.im) * c / d};
}
TS_COMPLEX tan(Complex<R> a) { return times_minus_i(tanh(times_i(a))); }
// The inverse functions in float64, by logarithms.
template <class R> TS_INLINE Complex<double> wide(Complex<R> a) { return {a.re, a.im}; }
template <class R> TS_INLINE Complex<R> narrow(Complex<double> a) { return {static_cast<R>(a.re), static_cast<R>(a.im)}; }
TS_INLINE Complex<double> asinh_wide(Complex<double> z) {
  // Odd: taken in the right half plane, where the sum does not cancel.
  const bool flip = z.re < 0 || (z.re == 0 && __builtin_signbit(z.re));
  if (flip) z = -z;
  const Complex<double> root = sqrt(Complex<double>{z.re * z.re - z.im * z.im + 1, 2 * z.re * z.im});
  Complex<double> r = log(z + root);
  const double m = abs(z);
  if (m < 1e-4) r = z - z * z * z * Complex<double>{1.0 / 6, 0};
  return flip ? -r : r;
}
TS_INLINE Complex<double> acos_wide(Complex<double> z) {
  const Complex<double> a = sqrt(Complex<double>{1 - z.re, -z.im}), b = sqrt(Complex<double>{1 + z.re, z.im});
  const double re = 2 * __builtin_atan2(a.re, b.re);
  const double s = b.re * a.im - b.im * a.re;
  return {re, __builtin_asinh(s)};
}
TS_INLINE Complex<double> atanh_wide(Complex<double> z) {
  const double x = z.re, y = z.im, y2 = y * y, d = (1 - x) * (1 - x) + y2;
  return {0.25 * __builtin_log1p(4 * x / d), 0.5 * __builtin_atan2(2 * y, (1 - x) * (1 + x) - y2)};
}
TS_COMPLEX asinh(Complex<R> a) { return narrow<R>(asinh_wide(wide(a))); }
TS_COMPLEX asin(Complex<R> a) { return narrow<R>(times_minus_i(asinh_wide(times_i(wide(a))))); }
TS_COMPLEX acos(Complex<R> a) { return narrow<R>(acos_wide(wide(a))); }
TS_COMPLEX acosh(Complex<R> a) {
  const Complex<double> c = acos_wide(wide(a));
  return narrow<R>(c.im > 0 || (c.im == 0 && __builtin_signbit(a.im)) ? times_minus_i(c) : times_i(c));
}
TS_COMPLEX atanh(Complex<R> a) { return narrow<R>(atanh_wide(wide(a))); }
TS_COMPLEX atan(Complex<R> a) { return narrow<R>(times_minus_i(atanh_wide(times_i(wide(a))))); }
TS_COMPLEX sigmoid(Complex<R> a) { return Complex<R>{1, 0} / (Complex<R>{1, 0} + exp(-a)); }
TS_COMPLEX pow(Complex<R> a, Complex<R> b) {
  if (b.re == 0 && b.im == 0) return {1, 0};
  if (a.re == 0 && a.im == 0)
    return b.re > 0 ? Complex<R>{0, 0} : Complex<R>{static_cast<R>(__builtin_nan("")), static_cast<R>(__builtin_nan(""))};
  return narrow<R>(exp(wide(b) * log(wide(a))));
}
TS_COMPLEX lerp(Complex<R> a, Complex<R> b, Complex<R> w) {
  return abs(w) < R(0.5) ? a + w * (b - a) : b - (b - a) * (Complex<R>{1, 0} - w);
}
TS_COMPLEX logaddexp(Complex<R> a, Complex<R> b) {
  const Complex<R> high = a.re >= b.re ? a : b, low = a.re >= b.re ? b : a;
  if (real_is_inf(high.re) && high.re < 0) return high;
  return high + log1p(exp(low - high));
}
template <class R> TS_INLINE R replace_nan(R x, R n, R p, R q) {
  const R top = sizeof(R) == 4 ? static_cast<R>(3.40282346638528859812e38) : static_cast<R>(1.7976931348623157e308);
  if (x != x) return n != n ? R(0) : n;
  if (real_is_inf(x)) return x > 0 ? (p != p ? top : p) : (q != q ? -top : q);
  return x;
}
TS_COMPLEX nan_to_num(Complex<R> a, Complex<R> n, Complex<R> p, Complex<R> q) {
  return {replace_nan(a.re, n.re, p.re, q.re), replace_nan(a.im, n.re, p.re, q.re)};
}
#undef TS_COMPLEX

}  // namespace TS_ISA
}  // namespace torchscript
#endif

namespace torchscript {
namespace TS_ISA {

// ---- constants of an expression, by type
template <class V> struct ConstantOf {
  static TS_INLINE V of(double x) { return V(static_cast<typename V::Element>(x)); }
};
template <class T> struct ConstantOf<Whole<T>> {
  static TS_INLINE Whole<T> of(double x) { return {static_cast<T>(x)}; }
};
template <class R> struct ConstantOf<Complex<R>> {
  static TS_INLINE Complex<R> of(double x) { return {static_cast<R>(x), R(0)}; }
};
template <class V> TS_INLINE V constant(double x) { return ConstantOf<V>::of(x); }
template <class V> TS_INLINE V infinity() { return constant<V>(__builtin_inf()); }
template <class V> TS_INLINE V not_a_number() { return constant<V>(__builtin_nan("")); }
template <class V> TS_INLINE V highest() {
  return constant<V>(sizeof(typename V::Element) == 4 ? 3.40282346638528859812e38 : 1.7976931348623157e308);
}
template <class V> TS_INLINE V lowest() { return -highest<V>(); }

// ---- float functions that are compositions
TS_INLINE MaskF is_inf(VecF a) { return abs(a) == VecF(kInfF); }
TS_INLINE MaskD is_inf(VecD a) { return abs(a) == VecD(__builtin_inf()); }
template <class V> TS_INLINE V remainder(V a, V b) {
  const V zero = V::zero(), r = fmod(a, b);
  return select((r != zero) & ((r < zero) ^ (b < zero)), r + b, r);
}
template <class V> TS_INLINE V floor_div(V a, V b) {
  const V zero = V::zero(), one = constant<V>(1.0), r = fmod(a, b);
  V q = (a - r) / b;
  q = select((r != zero) & ((r < zero) ^ (b < zero)), q - one, q);
  const V f = floor(q);
  const V whole = select(q - f > constant<V>(0.5), f + one, f);
  return select(b == zero, a / b, select(q == zero, copysign(zero, a / b), whole));
}

}  // namespace TS_ISA
}  // namespace torchscript
