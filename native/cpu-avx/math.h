// Elementary functions on vectors: range reduction and minimax polynomials for float32, libm lane by lane for float64 and for
// functions that models use rarely. The scalar build runs the same polynomials at width 1.
//
// Largest error against float64 over every exponent, denormals included (test/kernels/vec.test.ts measures it), in units in
// the last place of float32, worst of the three builds:
//   exp 1.1   exp2 1.1   expm1 1.4   log 0.9   log2 1.6   log10 1.8   log1p 1.0   erf 1.3   tanh 1.3
//   erfc 2.4   sigmoid 1.3   silu 1.3   gelu 1.8   gelu_tanh 1.6 (relative accuracy also in the negative tails)
//   sin and cos 2.3, tan 2.0 (|x| <= 8192; libm beyond)
//   atan 1.4   asin 1.5   acos 1.1   atan2 1.5   sinh 1.5   cosh 1.4   asinh 1.0   acosh 0.8   atanh 1.3   pow 1.5
// The correctly rounded float32 result is at most 2 units away for each of them but sin and cos.
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
  // log(u + lost) with u = fl(1 + x): lost / u to first order.
  const VecF one(1.0f), u = one + x;
  const MaskF large = x > one;
  const VecF lost = select(large, one, x) - (u - select(large, x, one));
  const LogParts l = log_parts(u);
  const VecF y = fma(l.exponent, VecF(kLn2Lo), l.tail + lost / u) + l.f;
  return select(u == one, x, log_edges(u, fma(l.exponent, VecF(kLn2Hi), y)));
}

// a * b - c, a * b + c and c - a * b, rounded once in the scalar build too: for the rounding errors of products and sums.
#if defined(TS_ISA_SCALAR)
TS_INLINE VecF fma_exact(VecF a, VecF b, VecF c) { return VecF(static_cast<float>(static_cast<double>(a.v) * b.v + c.v)); }
TS_INLINE VecF fms_exact(VecF a, VecF b, VecF c) { return fma_exact(a, b, -c); }
TS_INLINE VecF fnma_exact(VecF a, VecF b, VecF c) { return fma_exact(-a, b, c); }
#else
TS_INLINE VecF fma_exact(VecF a, VecF b, VecF c) { return fma(a, b, c); }
TS_INLINE VecF fms_exact(VecF a, VecF b, VecF c) { return fms(a, b, c); }
TS_INLINE VecF fnma_exact(VecF a, VecF b, VecF c) { return fnma(a, b, c); }
#endif
// y * 2^n for integral n in [-190, 0] and y < 2^60.
TS_INLINE VecF scale_down(VecF y, VecF n) {
#if defined(TS_ISA_AVX512)
  return VecF(_mm512_scalef_ps(y.v, n.v));
#else
  return y * as_float(shl<23>(round_to_int(n) + VecI(127 + 64))) * VecF(0x1p-64f);
#endif
}

struct ExpParts {
  VecF power, p;  // e^y = (1 + p) 2^power, |p| < 0.42
};
TS_INLINE ExpParts exp_parts(VecF y) {
  const VecF n = round_even(y * VecF(1.44269504f));
  const VecF r = fnma(n, VecF(kLn2Lo), fnma(n, VecF(kLn2Hi), y));
  return {n, fma(r * r, exp_tail(r), r)};
}
// e^(y + tail), tail far below y.
TS_INLINE ExpParts exp_parts(VecF y, VecF tail) {
  const VecF n = round_even(y * VecF(1.44269504f));
  const VecF r = fnma(n, VecF(kLn2Hi), y) + fnma(n, VecF(kLn2Lo), tail);
  return {n, fma(r * r, exp_tail(r), r)};
}
// 1 / d within 2^-14, where the instruction set has that for less than a division.
TS_INLINE VecF near_reciprocal(VecF d) {
#if defined(TS_ISA_AVX512)
  return VecF(_mm512_rcp14_ps(d.v));
#else
  return VecF(1.0f) / d;
#endif
}
// (n + n_tail) / (d + d_tail) * 2^power from q = n / d within 2^-14, rest = n + n_tail - q d, over = 1 / d within 2^-14.
TS_INLINE VecF refined_quotient(VecF q, VecF rest, VecF d_tail, VecF over, VecF power) {
  return scale_down(fma(fnma(q, d_tail, rest), over, q), power);
}

// The upper tail of the normal distribution is e^(-c^2 / 2) (1 + g(v)) / (2 + kTailSlope c) in v = (1 - k c) / (1 + k c),
// k = kTailCentre, for c in [0, 14.6]; error 1.1e-8.
constexpr float kTailSlope = 0x1.0f8f6ep+1f, kTailCentre = 0.36f;
constexpr float kTailSlopeErfc = 0x1.800b52p+0f, kTailCentreErfc = 0.509116888f;  // of t = c / sqrt2: slope / sqrt2, centre * sqrt2
TS_INLINE VecF tail_polynomial(VecF v) {
  VecF g(3.055715642e-04f);
  g = fma(g, v, VecF(-8.454708732e-04f));
  g = fma(g, v, VecF(-1.114406274e-03f));
  g = fma(g, v, VecF(5.975607783e-03f));
  g = fma(g, v, VecF(6.001644768e-03f));
  g = fma(g, v, VecF(-3.668931872e-02f));
  g = fma(g, v, VecF(-1.034989432e-01f));
  g = fma(g, v, VecF(-6.853526086e-02f));
  g = fma(g, v, VecF(1.751417816e-01f));
  return fma(g, v, VecF(2.325878665e-02f));
}
// v from d = 1 + slope c (or twice that), inverse = 1 / (d e), e = 1 + k c and twice = 2 k c: 1 - 2 k c / e is exact near 0.
TS_INLINE VecF tail_variable(VecF twice, VecF d, VecF inverse) { return fnma(twice * d, inverse, VecF(1.0f)); }
// f e^(y + y_tail) (1 + g) / (d + d_tail).
TS_INLINE VecF normal_tail(VecF f, VecF y, VecF y_tail, VecF d, VecF d_tail, VecF twice) {
  const VecF e = fma(twice, VecF(0.5f), VecF(1.0f)), inverse = VecF(1.0f) / (d * e);
  const VecF g = tail_polynomial(tail_variable(twice, d, inverse));
  const ExpParts x = exp_parts(y, y_tail);
  const VecF w = fma(x.p, g, x.p + g), n = fma(f, w, f), over = e * inverse, q = n * over;
  const VecF rest = fnma_exact(q, d, n) + fma_exact(f, w, f - n);
  return refined_quotient(q, rest, d_tail, over, x.power);
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
  const VecF one(1.0f), slope(kTailSlopeErfc), t = min(VecF(10.3f), abs(x)), minus = -t;
  const VecF y = minus * t, d = fma(t, slope, one);
  const VecF tail = normal_tail(one, y, fms_exact(minus, t, y), d, fma_exact(t, slope, one - d), t * VecF(2 * kTailCentreErfc));
  return select(x < VecF(0.0f), VecF(2.0f) - tail, tail);
}
TS_INLINE VecF erf(VecF x) {
  const VecF one(1.0f), t = min(VecF(10.2f), abs(x)), twice = t * VecF(2 * kTailCentreErfc);
  const VecF s = t * t, d = fma(t, VecF(kTailSlopeErfc), one), e = fma(twice, VecF(0.5f), one);
  const VecF inverse = one / (d * e), over = e * inverse;
  const VecF tail = exp(-s) * fma(over, tail_polynomial(tail_variable(twice, d, inverse)), over);
  return select(t > VecF(0.93f), copysign(one - tail, x), fma(erf_near(s), x, x));
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

// f / (1 + e^-y) for y <= 0 from the parts of e^y and n = f (1 + p).
TS_INLINE VecF logistic_tail(VecF f, ExpParts e, VecF n) {
  const VecF one(1.0f);
  const VecF z = scale_down(e.p + one, e.power), d = one + z, over = near_reciprocal(d), q = n * over;
  // f - q d has an error of a quarter unit, in return for one operation less than n's own rounding error takes.
  const VecF rest = fma_exact(f, e.p, fnma_exact(q, d, f));
  return refined_quotient(q, rest, z - (d - one), over, e.power);
}
TS_INLINE VecF logistic_tail(VecF f, ExpParts e) { return logistic_tail(f, e, fma(f, e.p, f)); }
// x f(x) from lower = |x| f(-|x|), where f rises from 0 to 1 and f(x) + f(-x) = 1; NaN of -infinity.
TS_INLINE VecF gated(VecF x, VecF lower) {
#if defined(TS_ISA_AVX2)
  return VecF(_mm256_blendv_ps(x.v, (x * VecF(0.0f)).v, x.v)) - lower;  // by the sign: of -0, both are -0
#else
  return select(x < VecF(0.0f), x * VecF(0.0f), x) - lower;
#endif
}

TS_INLINE VecF sigmoid(VecF x) {
  const VecF one(1.0f);
  const ExpParts e = exp_parts(max(VecF(-104.0f), -abs(x)));
  const VecF lower = logistic_tail(one, e, one + e.p);
  return select(x < VecF(0.0f), lower, one - lower);
}
TS_INLINE VecF silu(VecF x) {
  const VecF c = min(VecF(110.0f), abs(x));
  return gated(x, logistic_tail(c, exp_parts(-c)));
}
// (2^r - 1) / r on [-1/2, 1/2], error 3.1e-9.
TS_INLINE VecF exp2_slope(VecF r) {
  VecF p(1.545595296e-04f);
  p = fma(p, r, VecF(1.339114970e-03f));
  p = fma(p, r, VecF(9.618078358e-03f));
  p = fma(p, r, VecF(5.550359190e-02f));
  p = fma(p, r, VecF(2.402265072e-01f));
  return fma(p, r, VecF(6.931471825e-01f));
}
#if defined(TS_ISA_AVX2) || defined(TS_ISA_AVX512)
// c e^(c^2 / 2) P(X < -c), X normal, for c in [0, 14.5], in intervals that end where c + 1 is a power of two and evenly between: a
// polynomial each, by columns in the order of the lowest bits of the exponent of c + 1 and the highest of its mantissa. The first row
// is the point about which they are, chosen so that the constant term is a float32 within 2^-30; then the coefficients. Error 1.3e-8.
#if defined(TS_ISA_AVX512)
alignas(64) constexpr float kGeluTable[8][16] = {
  {1.25000441f, 1.75000572f, 2.25000048f, 2.75000477f, 3.50001335f, 4.50001001f, 5.50000238f, 6.50000429f, 8.00001144f, 10.000041f, 12.0f,
   13.75f, 0.0f, 0.375000358f, 0.625003517f, 0.87500006f},
  {0.288450807f, 0.324155718f, 0.345716864f, 0.359493107f, 0.372208178f, 0.381615281f, 0.386884749f, 0.39010179f, 0.392980218f,
   0.395066708f, 0.39622727f, 0.396864295f, 0.0f, 0.142351761f, 0.20209831f, 0.244799256f},
  {0.0926450118f, 0.0543543287f, 0.033894714f, 0.0222391654f, 0.0127751753f, 0.00683175726f, 0.00402661227f, 0.00255309674f, 0.00142721296f,
   0.00075323804f, 0.000443377503f, 0.000297479535f, 0.5f, 0.283382803f, 0.200327307f, 0.144895405f},
  {-0.0525881574f, -0.0272264909f, -0.0150938788f, -0.00887021795f, -0.00437742006f, -0.00195540325f, -0.000984209008f, -0.000542683236f,
   -0.000252868864f, -0.000108840948f, -5.39515604e-05f, -3.16447113e-05f, -0.398942083f, -0.203455955f, -0.134241939f, -0.0907512233f},
  {0.0244094599f, 0.0112948073f, 0.00562692853f, 0.00298853335f, 0.00128037401f, 0.000482751464f, 0.000208975616f, 0.000100719997f,
   3.9305276e-05f, 1.3855034e-05f, 5.80358392e-06f, 3.00681063e-06f, 0.249988809f, 0.116257921f, 0.0721942186f, 0.0459781438f},
  {-0.009899945f, -0.00412876299f, -0.00186442048f, -0.000902617641f, -0.000338498969f, -0.000108699685f, -4.04968196e-05f,
   -1.74026409e-05f, -5.65943446e-06f, -1.6357377e-06f, -6.61872662e-07f, -1.03144828e-06f, -0.132773057f, -0.0569600053f, -0.0333735086f,
   -0.0202022009f},
  {0.00366892945f, 0.00138793117f, 0.000570403645f, 0.000251962483f, 8.49645076e-05f, 2.32002621e-05f, 7.52712185e-06f, 2.79848041e-06f,
   7.94231937e-07f, 1.87356719e-07f, 5.63021523e-08f, 2.25532499e-08f, 0.0607946664f, 0.024925163f, 0.0140348114f, 0.0080000991f},
  {-0.00124417921f, -0.000477208057f, -0.000177331371f, -6.12485965e-05f, -1.9781437e-05f, -4.58685645e-06f, -1.86336661e-06f,
   1.95623091e-08f, -1.03990899e-07f, -2.25410837e-08f, 4.83557869e-08f, 9.04867932e-07f, -0.0200479813f, -0.00814963505f, -0.00888851192f,
   -0.00248406897f},
};
constexpr int kGeluIndex = 21;
#else
alignas(64) constexpr float kGeluTable[9][8] = {
  {1.50000215f, 2.50000668f, 4.00001478f, 6.00002384f, 9.00005245f, 12.7500362f, 0.0f, 0.750000477f},
  {0.308671147f, 0.353328496f, 0.377642661f, 0.388675869f, 0.394188941f, 0.396531731f, 0.0f, 0.225174427f},
  {0.0703735724f, 0.0272962842f, 0.00921167061f, 0.00318088103f, 0.00102009787f, 0.000371295639f, 0.5f, 0.169906408f},
  {-0.0374910422f, -0.011493342f, -0.00287619815f, -0.000723548583f, -0.000162450568f, -4.26737897e-05f, -0.398941994f, -0.110052951f},
  {0.0164416153f, 0.00407040259f, 0.000771055813f, 0.000143369864f, 2.27537748e-05f, 4.33352716e-06f, 0.249988765f, 0.0574395508f},
  {-0.0063270852f, -0.00128650863f, -0.000187252648f, -2.61047553e-05f, -2.94553843e-06f, -4.09229614e-07f, -0.132833511f, -0.0259118248f},
  {0.00220776838f, 0.000373685471f, 4.24361788e-05f, 4.48280161e-06f, 3.62986327e-07f, 3.70568003e-08f, 0.0616006032f, 0.0104847401f},
  {-0.000743688841f, -0.000105113533f, -9.89125056e-06f, -7.73467207e-07f, -4.81412705e-08f, -3.5634482e-09f, -0.0237444788f,
   -0.00393032143f},
  {0.000228296049f, 2.73449914e-05f, 2.05926472e-06f, 1.23412434e-07f, 5.68395286e-09f, 2.90035662e-10f, 0.00568369403f, 0.00123945519f},
};
constexpr int kGeluIndex = 22;
#endif
TS_INLINE VecF gelu(VecF x) {
  const VecF c = min(VecF(14.5f), abs(x)), s = c * c;
  // e^(-c^2 / 2) = 2^(n + r), n + r = -c^2 log2(e) / 2; the table has the rest of that constant. The sum rounds to n, whose exponent
  // field for scale_down are its lowest bits.
  const VecF scale(-0x1.715476p-1f), shift(0x1.8p23f + 127 + 64), sum = fma(s, scale, shift), n = sum - shift;
  const VecF r = fma(fms(c, c, s), scale, fms(s, scale, n));
  const VecI at = shr<kGeluIndex>(as_int(c + VecF(1.0f)));
  const VecF t = c - lookup(kGeluTable[0], at);
  constexpr int kLast = static_cast<int>(sizeof(kGeluTable) / sizeof(kGeluTable[0])) - 1;
  VecF q = lookup(kGeluTable[kLast], at);
#pragma GCC unroll 8
  for (int k = kLast - 1; k > 1; k--) q = fma(q, t, lookup(kGeluTable[k], at));
  // What f loses in rounding counts, as the result may be just below a power of two where f is above one.
  const VecF first = lookup(kGeluTable[1], at), f = fma(q, t, first), lost = fma(q, t, first - f);
  const VecF y = f + fma(f * r, exp2_slope(r), lost);
#if defined(TS_ISA_AVX512)
  return gated(x, scale_down(y, n));
#else
  return gated(x, y * as_float(shl<23>(as_int(sum))) * VecF(0x1p-64f));
#endif
}
#else
TS_INLINE VecF gelu(VecF x) {
  const VecF slope(kTailSlope), two(2.0f), c = min(VecF(14.5f), abs(x)), h = c * VecF(-0.5f);
  const VecF y = h * c, d = fma(c, slope, two);
  return gated(x, normal_tail(c, y, fms_exact(h, c, y), d, fma_exact(c, slope, two - d), c * VecF(2 * kTailCentre)));
}
#endif
TS_INLINE VecF gelu_tanh(VecF x) {
  // x / (1 + 2^u), u = -2 log2(e) sqrt(2 / pi) (x + 0.044715 x^3) = x (a + b x^2) with a tail, as the rounding of u would be
  // magnified u times. The head of a has 22 bits: a - w is exact.
  const VecF a(-0x1.26aecp+1f), b(-0x1.a5a7dp-4f), c = min(VecF(10.9f), abs(x));
  const VecF s = c * c, w = fma(s, b, a);
  const VecF w_tail = fma_exact(s, b, a - w) + fma(fms_exact(c, c, s), b, fma(s, VecF(0x1.151aaep-29f), VecF(-0x1.0de73ap-22f)));
  const VecF n = round_even(c * w), r = fma(c, w_tail, fms_exact(c, w, n));
  return gated(x, logistic_tail(c, {n, exp2_slope(r) * r}));
}

struct SinCos {
  VecF sin, cos;
};
// x - n pi/2 with pi/2 in four parts, the first three of at most 11 bits: exact products for |x| <= 8192.
TS_INLINE VecF quadrant_rest(VecF x, VecF n) {
  VecF r = fnma(n, VecF(0x1.92p0f), x);
  r = fnma(n, VecF(0x1.fap-12f), r);
  r = fnma(n, VecF(0x1.544p-20f), r);
  return fnma(n, VecF(0x1.0b4612p-34f), r);
}
TS_INLINE SinCos sincos_reduced(VecF x) {
  const VecF n = round_even(x * VecF(0.636619772f)), r = quadrant_rest(x, n), s = r * r;
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
#if !defined(TS_VEC_HEADER)
// Beyond what the reduction takes, lane by lane.
TS_INLINE VecF sin_far(VecF x) {
  return lanes(x, [](float v) { return __builtin_sinf(v); });
}
TS_INLINE VecF cos_far(VecF x) {
  return lanes(x, [](float v) { return __builtin_cosf(v); });
}
TS_INLINE VecF tan_far(VecF x) {
  return lanes(x, [](float v) { return __builtin_tanf(v); });
}
// NaN and infinite exponents.
TS_INLINE VecF pow_special(VecF x, VecF y) {
  return lanes(x, y, [](float u, float v) { return __builtin_powf(u, v); });
}
#endif
// An element's result does not depend on its neighbours.
TS_INLINE VecF sin(VecF x) {
  const MaskF large = abs(x) > VecF(8192.0f);
  const VecF reduced = select(x == VecF(0.0f), x, sincos_reduced(x).sin);
  return any(large) ? select(large, sin_far(x), reduced) : reduced;
}
TS_INLINE VecF cos(VecF x) {
  const MaskF large = abs(x) > VecF(8192.0f);
  const VecF reduced = sincos_reduced(x).cos;
  return any(large) ? select(large, cos_far(x), reduced) : reduced;
}

// Lane by lane.
// Reentrant: lgamma itself writes a global sign.
TS_INLINE VecF lgamma(VecF a) {
  return lanes(a, [](float x) {
    int sign;
    return __builtin_lgammaf_r(x, &sign);
  });
}
TS_INLINE VecD lgamma(VecD a) {
  return lanes(a, [](double x) {
    int sign;
    return __builtin_lgamma_r(x, &sign);
  });
}
#define TS_LANES_D(name)                                           \
  TS_INLINE VecD name(VecD a) {                                    \
    return lanes(a, [](double x) { return __builtin_##name(x); }); \
  }
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
TS_LANES_D(tan)
TS_LANES_D(asin)
TS_LANES_D(acos)
TS_LANES_D(atan)
TS_LANES_D(sinh)
TS_LANES_D(cosh)
TS_LANES_D(asinh)
TS_LANES_D(acosh)
TS_LANES_D(atanh)
#undef TS_LANES_D
#define TS_LANES_2(name)                                                            \
  TS_INLINE VecF name(VecF a, VecF b) {                                             \
    return lanes(a, b, [](float x, float y) { return __builtin_##name##f(x, y); }); \
  }                                                                                 \
  TS_INLINE VecD name(VecD a, VecD b) {                                             \
    return lanes(a, b, [](double x, double y) { return __builtin_##name(x, y); });  \
  }
TS_LANES_2(hypot)
TS_LANES_2(fmod)
TS_LANES_2(nextafter)
#undef TS_LANES_2
TS_INLINE VecD pow(VecD a, VecD b) {
  return lanes(a, b, [](double x, double y) { return __builtin_pow(x, y); });
}
TS_INLINE VecD atan2(VecD a, VecD b) {
  return lanes(a, b, [](double x, double y) { return __builtin_atan2(x, y); });
}

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

#include "cpu-avx/math_angles.h"
#include "cpu-avx/math_power.h"
