// Elementary functions on vectors: range reduction and minimax polynomials for float32, libm lane by lane for float64 and for
// functions that models use rarely. The scalar build runs the same polynomials at width 1.
//
// Largest error against float64 over every exponent, denormals included (test/kernels/vec.test.ts measures it), in units in
// the last place of float32, worst of the three builds:
//   exp 1.1   exp2 1.1   expm1 1.4   log 0.8   log2 1.6   log10 1.8   log1p 2.4   erf 1.4   tanh 1.3   sigmoid 2.2
//   erfc 5.9   gelu 6.0 (relative accuracy holds in the negative tail down to -13, where libm-style 1 + erf has none)
//   sin and cos 2.3 (|x| <= 8192; libm beyond)
#pragma once
#include "cpu-avx/vec.h"

// glibc 2.35 gave hypot a second version, which differs in how it reports errors. The first one keeps glibc 2.34 (Amazon Linux 2023, RHEL 9)
// good enough for a prebuilt addon.
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver hypot, hypot@GLIBC_2.2.5\n.symver hypotf, hypotf@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver hypot, hypot@GLIBC_2.17\n.symver hypotf, hypotf@GLIBC_2.17");
#endif

namespace torchscript {
namespace TS_ISA {

// f applied to each lane.
template <class F> TS_INLINE VecF lanes(VecF a, F f) {
  float x[VecF::kWidth];
  a.store(x);
  for (int i = 0; i < VecF::kWidth; i++) x[i] = f(x[i]);
  return VecF::load(x);
}
template <class F> TS_INLINE VecD lanes(VecD a, F f) {
  double x[VecD::kWidth];
  a.store(x);
  for (int i = 0; i < VecD::kWidth; i++) x[i] = f(x[i]);
  return VecD::load(x);
}
template <class F> TS_INLINE VecF lanes(VecF a, VecF b, F f) {
  float x[VecF::kWidth], y[VecF::kWidth];
  a.store(x);
  b.store(y);
  for (int i = 0; i < VecF::kWidth; i++) x[i] = f(x[i], y[i]);
  return VecF::load(x);
}
template <class F> TS_INLINE VecD lanes(VecD a, VecD b, F f) {
  double x[VecD::kWidth], y[VecD::kWidth];
  a.store(x);
  b.store(y);
  for (int i = 0; i < VecD::kWidth; i++) x[i] = f(x[i], y[i]);
  return VecD::load(x);
}

constexpr float kInfF = __builtin_inff();
constexpr float kNanF = __builtin_nanf("");

// y * 2^n for integral n in [-252, 254]; y within (1/4, 4).
TS_INLINE VecF scale_by_power(VecF y, VecF n) {
#if defined(TS_ISA_AVX512)
  return VecF(_mm512_scalef_ps(y.v, n.v));
#else
  // Two steps, as 2^n itself may be out of range where the product is not; only the second can round.
  const VecI whole = round_to_int(n);
  const VecI half = sar<1>(whole);
  const VecI bias(127);
  return y * as_float(shl<23>(half + bias)) * as_float(shl<23>(whole - half + bias));
#endif
}

constexpr float kLn2Hi = 0x1.62e4p-1f;  // 15 bits: exact times any exponent
constexpr float kLn2Lo = 0x1.7f7d1cp-20f;

// (e^r - 1 - r) / r^2 on [-ln2/2, ln2/2], error 3.4e-9.
TS_INLINE VecF exp_tail(VecF r) {
  VecF p(1.395171741e-03f);
  p = fma(p, r, VecF(8.369598538e-03f));
  p = fma(p, r, VecF(4.166618735e-02f));
  p = fma(p, r, VecF(1.666651219e-01f));
  return fma(p, r, VecF(0.5f));
}

TS_INLINE VecF exp(VecF x) {
  x = min(VecF(89.0f), max(VecF(-104.0f), x));
  const VecF n = round_even(x * VecF(1.44269504f));
  VecF r = fnma(n, VecF(kLn2Hi), x);
  r = fnma(n, VecF(kLn2Lo), r);
  return scale_by_power(fma(r * r, exp_tail(r), r) + VecF(1.0f), n);
}

TS_INLINE VecF exp2(VecF x) {
  x = min(VecF(129.0f), max(VecF(-151.0f), x));
  const VecF n = round_even(x);
  const VecF f = x - n;
  const VecF r = fma(f, VecF(0.693147182f), f * VecF(-1.90465421e-9f));
  return scale_by_power(fma(r * r, exp_tail(r), r) + VecF(1.0f), n);
}

TS_INLINE VecF expm1(VecF x) {
  const VecF c = min(VecF(89.0f), max(VecF(-30.0f), x));
  const VecF n = round_even(c * VecF(1.44269504f));
  VecF r = fnma(n, VecF(kLn2Hi), c);
  r = fnma(n, VecF(kLn2Lo), r);
  // (e^r - 1 - r - r^2/2) / r^3, error 4.2e-10
  VecF p(1.991105382e-04f);
  p = fma(p, r, VecF(1.393420156e-03f));
  p = fma(p, r, VecF(8.333279751e-03f));
  p = fma(p, r, VecF(4.166647419e-02f));
  p = fma(p, r, VecF(1.666666716e-01f));
  p = fma(p, r, VecF(0.5f));
  const VecF m = fma(r * r, p, r);
  const VecF near = min(n, VecF(64.0f));
  const VecF scale = as_float(shl<23>(round_to_int(near) + VecI(127)));
  const VecF small = fma(scale, m, scale - VecF(1.0f));
  const VecF large = scale_by_power(m + VecF(1.0f), n);
  return select(n > VecF(60.0f), large, select(x == VecF(0.0f), x, small));
}

struct LogParts {
  VecF exponent, f, tail;  // log(x) = exponent * ln2 + f + tail
};
TS_INLINE LogParts log_parts(VecF x) {
  const MaskF tiny = x < VecF(0x1p-126f);
  x = select(tiny, x * VecF(0x1p25f), x);
  const VecI bits = as_int(x);
  const VecI e = sar<23>(bits - VecI(0x3f3504f3));  // of sqrt(1/2): mantissas lie in [sqrt(1/2), sqrt(2))
  const VecF f = as_float(bits - shl<23>(e)) - VecF(1.0f);
  // (log1p(f) - f + f^2/2) / f^3, error 7.3e-10
  VecF p(6.915125996e-02f);
  p = fma(p, f, VecF(-1.178968474e-01f));
  p = fma(p, f, VecF(1.187302023e-01f));
  p = fma(p, f, VecF(-1.238437220e-01f));
  p = fma(p, f, VecF(1.421865523e-01f));
  p = fma(p, f, VecF(-1.666924953e-01f));
  p = fma(p, f, VecF(2.000222653e-01f));
  p = fma(p, f, VecF(-2.499998659e-01f));
  p = fma(p, f, VecF(3.333331048e-01f));
  const VecF s = f * f;
  const VecF exponent = to_float(e) - select(tiny, VecF(25.0f), VecF(0.0f));
  return {exponent, f, fma(s * f, p, VecF(-0.5f) * s)};
}
TS_INLINE VecF log_edges(VecF x, VecF y) {
  y = select(x == VecF(kInfF), x, y);
  y = select(x == VecF(0.0f), VecF(-kInfF), y);
  return select(x < VecF(0.0f), VecF(kNanF), select(is_nan(x), x, y));
}
TS_INLINE VecF log(VecF x) {
  const LogParts l = log_parts(x);
  const VecF y = fma(l.exponent, VecF(kLn2Lo), l.tail) + l.f;
  return log_edges(x, fma(l.exponent, VecF(kLn2Hi), y));
}
TS_INLINE VecF log2(VecF x) {
  const LogParts l = log_parts(x);
  const VecF y = l.f + l.tail;
  return log_edges(x, fma(y, VecF(1.44269502f), y * VecF(1.92596303e-8f)) + l.exponent);
}
TS_INLINE VecF log10(VecF x) {
  const LogParts l = log_parts(x);
  const VecF y = (l.f + l.tail) * VecF(0.434294482f);
  return log_edges(x, fma(l.exponent, VecF(0x1.34p-2f), fma(l.exponent, VecF(0x1.04d426p-12f), y)));
}
TS_INLINE VecF log1p(VecF x) {
  // log(u) (x / (u - 1)) with u = fl(1 + x): the rounding error of u cancels.
  const VecF one(1.0f);
  const VecF u = one + x;
  const VecF y = log(u) * (x / (u - one));
  return select(u == one, x, select(u == VecF(kInfF), u, y));
}

// e^(t^2) erfc(t) as a polynomial of 1 / (1 + 0.4 t), times that; relative error 1.9e-9 on [0, 10.2].
TS_INLINE VecF erfcx_positive(VecF t) {
  const VecF u = VecF(1.0f) / fma(t, VecF(0.4f), VecF(1.0f));
  VecF p(-1.873982698e-02f);
  p = fma(p, u, VecF(7.965929061e-02f));
  p = fma(p, u, VecF(-8.121710271e-02f));
  p = fma(p, u, VecF(-8.757326007e-02f));
  p = fma(p, u, VecF(1.616599113e-01f));
  p = fma(p, u, VecF(-4.394848645e-02f));
  p = fma(p, u, VecF(1.714327335e-01f));
  p = fma(p, u, VecF(1.575739533e-01f));
  p = fma(p, u, VecF(2.100246102e-01f));
  p = fma(p, u, VecF(2.254425734e-01f));
  p = fma(p, u, VecF(2.256855816e-01f));
  return p * u;
}
// What fl(t * t) lost.
TS_INLINE VecF square_error(VecF t, VecF square) {
#if defined(TS_ISA_SCALAR)
  return VecF(static_cast<float>(static_cast<double>(t.v) * t.v - square.v));
#else
  return fms(t, t, square);
#endif
}
// e^(-square - lost) e^(t^2) erfc(t) for t >= 0: relative accuracy also where erfc is tiny.
TS_INLINE VecF erfc_positive(VecF t, VecF square, VecF lost) {
  const VecF p = erfcx_positive(min(VecF(10.2f), t));
  return exp(-square) * fnma(p, lost, p);
}
// erf(x) / x - 1 in s = x^2, error 5.1e-10 up to |x| = 0.93.
TS_INLINE VecF erf_near(VecF s) {
  VecF p(8.263620839e-05f);
  p = fma(p, s, VecF(-8.117137477e-04f));
  p = fma(p, s, VecF(5.198744591e-03f));
  p = fma(p, s, VecF(-2.685846202e-02f));
  p = fma(p, s, VecF(1.128367856e-01f));
  p = fma(p, s, VecF(-3.761263192e-01f));
  return fma(p, s, VecF(1.283791661e-01f));
}
TS_INLINE VecF erfc(VecF x) {
  const VecF t = min(VecF(10.2f), abs(x));
  const VecF s = t * t;
  const VecF tail = erfc_positive(t, s, square_error(t, s));
  const VecF far = select(x < VecF(0.0f), VecF(2.0f) - tail, tail);
  return select(t < VecF(0.5f), VecF(1.0f) - fma(erf_near(s), x, x), far);
}
TS_INLINE VecF erf(VecF x) {
  const VecF t = min(VecF(10.2f), abs(x));
  const VecF s = t * t;
  const VecF far = copysign(VecF(1.0f) - erfc_positive(t, s, VecF(0.0f)), x);
  return select(t > VecF(0.93f), far, fma(erf_near(s), x, x));
}

TS_INLINE VecF tanh(VecF x) {
  const VecF t = abs(x);
  const VecF s = x * x;
  // (tanh(x) / x - 1) / x^2 in x^2, error 1.7e-10 up to 0.632
  VecF p(2.122742590e-03f);
  p = fma(p, s, VecF(-8.156276308e-03f));
  p = fma(p, s, VecF(2.169260569e-02f));
  p = fma(p, s, VecF(-5.394537747e-02f));
  p = fma(p, s, VecF(1.333319545e-01f));
  p = fma(p, s, VecF(-3.333333135e-01f));
  const VecF near = fma(p * s, t, t);
  const VecF far = VecF(1.0f) - VecF(2.0f) / (exp(t + t) + VecF(1.0f));
  return copysign(select(t < VecF(0.625f), near, far), x);
}

TS_INLINE VecF sigmoid(VecF x) {
  // exp of the negative side only: neither side overflows or loses its tail.
  const VecF z = exp(-abs(x));
  return select(x < VecF(0.0f), z, VecF(1.0f)) / (VecF(1.0f) + z);
}
TS_INLINE VecF silu(VecF x) {
  const VecF z = exp(-abs(x));
  return x * select(x < VecF(0.0f), z, VecF(1.0f)) / (VecF(1.0f) + z);
}
TS_INLINE VecF gelu(VecF x) {
  // The exponent comes from x itself: t is rounded, and e^(-t^2) would magnify that 2 t^2 times.
  const VecF half(0.5f);
  const VecF c = min(VecF(14.5f), abs(x));
  const VecF t = c * VecF(0.707106781f);
  const VecF square = c * c;
  const VecF half_tail = half * erfc_positive(t, half * square, half * square_error(c, square));
  const VecF far = select(x < VecF(0.0f), half_tail, VecF(1.0f) - half_tail);
  const VecF erf_t = fma(erf_near(t * t), t, t);
  return x * select(t < half, fma(copysign(half, x), erf_t, half), far);
}
TS_INLINE VecF gelu_tanh(VecF x) {
  const VecF inner = x * fma(x * x, VecF(0.0713548162726f), VecF(1.59576912161f));
  return x * sigmoid(inner);
}

struct SinCos {
  VecF sin, cos;
};
// Reduction to [-pi/4, pi/4] with pi/2 in four parts, the first three of at most 11 bits: exact products for |x| <= 8192.
TS_INLINE SinCos sincos_reduced(VecF x) {
  const VecF n = round_even(x * VecF(0.636619772f));
  VecF r = fnma(n, VecF(0x1.92p0f), x);
  r = fnma(n, VecF(0x1.fap-12f), r);
  r = fnma(n, VecF(0x1.544p-20f), r);
  r = fnma(n, VecF(0x1.0b4612p-34f), r);
  const VecF s = r * r;
  VecF sp = fma(VecF(2.717564485e-06f), s, VecF(-1.983925613e-04f));
  sp = fma(sp, s, VecF(8.333329111e-03f));
  sp = fma(sp, s, VecF(-1.666666716e-01f));
  const VecF sine = fma(sp * s, r, r);
  VecF cp = fma(VecF(2.443120320e-05f), s, VecF(-1.388730598e-03f));
  cp = fma(cp, s, VecF(4.166664556e-02f));
  const VecF cosine = fma(s * s, cp, fma(VecF(-0.5f), s, VecF(1.0f)));
  const VecI quadrant = round_to_int(n);
  const MaskF odd = (quadrant & VecI(1)) != VecI(0);
  const VecI sine_sign = shl<30>(quadrant & VecI(2));
  const VecI cosine_sign = shl<30>((quadrant + VecI(1)) & VecI(2));
  return {as_float(as_int(select(odd, cosine, sine)) ^ sine_sign), as_float(as_int(select(odd, sine, cosine)) ^ cosine_sign)};
}
TS_INLINE VecF sin(VecF x) {
  if (any(abs(x) > VecF(8192.0f))) return lanes(x, [](float v) { return __builtin_sinf(v); });
  return select(x == VecF(0.0f), x, sincos_reduced(x).sin);
}
TS_INLINE VecF cos(VecF x) {
  if (any(abs(x) > VecF(8192.0f))) return lanes(x, [](float v) { return __builtin_cosf(v); });
  return sincos_reduced(x).cos;
}

// Lane by lane.
#define TS_LANES_1(name)                                                                        \
  TS_INLINE VecF name(VecF a) { return lanes(a, [](float x) { return __builtin_##name##f(x); }); } \
  TS_INLINE VecD name(VecD a) { return lanes(a, [](double x) { return __builtin_##name(x); }); }
TS_LANES_1(tan)
TS_LANES_1(asin)
TS_LANES_1(acos)
TS_LANES_1(atan)
TS_LANES_1(sinh)
TS_LANES_1(cosh)
TS_LANES_1(asinh)
TS_LANES_1(acosh)
TS_LANES_1(atanh)
#undef TS_LANES_1
// Reentrant: lgamma itself writes a global sign.
TS_INLINE VecF lgamma(VecF a) { return lanes(a, [](float x) { int sign; return __builtin_lgammaf_r(x, &sign); }); }
TS_INLINE VecD lgamma(VecD a) { return lanes(a, [](double x) { int sign; return __builtin_lgamma_r(x, &sign); }); }
#define TS_LANES_D(name) TS_INLINE VecD name(VecD a) { return lanes(a, [](double x) { return __builtin_##name(x); }); }
TS_LANES_D(exp)
TS_LANES_D(exp2)
TS_LANES_D(expm1)
TS_LANES_D(log)
TS_LANES_D(log2)
TS_LANES_D(log10)
TS_LANES_D(log1p)
TS_LANES_D(erf)
TS_LANES_D(erfc)
TS_LANES_D(tanh)
TS_LANES_D(sin)
TS_LANES_D(cos)
#undef TS_LANES_D
#define TS_LANES_2(name)                                                                                                     \
  TS_INLINE VecF name(VecF a, VecF b) { return lanes(a, b, [](float x, float y) { return __builtin_##name##f(x, y); }); }    \
  TS_INLINE VecD name(VecD a, VecD b) { return lanes(a, b, [](double x, double y) { return __builtin_##name(x, y); }); }
TS_LANES_2(pow)
TS_LANES_2(atan2)
TS_LANES_2(hypot)
TS_LANES_2(fmod)
TS_LANES_2(nextafter)
#undef TS_LANES_2

TS_INLINE VecD sigmoid(VecD x) { return VecD(1.0) / (VecD(1.0) + exp(-x)); }
TS_INLINE VecD silu(VecD x) { return x / (VecD(1.0) + exp(-x)); }
TS_INLINE VecD gelu(VecD x) {
  const VecD half_tail = VecD(0.5) * erfc(abs(x) * VecD(0.70710678118654752440));
  return x * select(x < VecD(0.0), half_tail, VecD(1.0) - half_tail);
}
TS_INLINE VecD gelu_tanh(VecD x) {
  const VecD inner = VecD(0.79788456080286535588) * (x + VecD(0.044715) * x * x * x);
  return VecD(0.5) * x * (VecD(1.0) + tanh(inner));
}

}  // namespace TS_ISA
}  // namespace torchscript
