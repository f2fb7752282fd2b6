// Powers and hyperbolic functions of float32 vectors. Included by math.h, which states their accuracy.
#pragma once

namespace torchscript {
namespace TS_ISA {

struct Log2Parts {
  VecF head, tail;
};
// log2(a) of a positive finite number within 2^-31, which a factor of up to 150 leaves a float's precision.
TS_INLINE Log2Parts log2_parts(VecF a) {
  const MaskF tiny = a < VecF(0x1p-126f);
  a = select(tiny, a * VecF(0x1p25f), a);
  const VecI bits = as_int(a), whole = sar<23>(bits - VecI(0x3f3504f3));
  const VecF e = to_float(whole) - select(tiny, VecF(25.0f), VecF(0.0f));
  const VecF f = as_float(bits - shl<23>(whole)) - VecF(1.0f);
  // ln(1 + f) = 2 atanh(s), s = f / (2 + f) with its rounding error.
  const VecF d = f + VecF(2.0f), d_tail = f - (d - VecF(2.0f)), s = f / d;
  const VecF s_tail = fnma(s, d_tail, fnma_exact(s, d, f)) * near_reciprocal(d);
  const VecF z = s * s;
  // (2 atanh(s) / s - 2) / s^2 / ln 2 in s^2, error 1.4e-11
  VecF p(3.402287662e-01f);
  p = fma(p, z, VecF(4.117058218e-01f));
  p = fma(p, z, VecF(5.770828724e-01f));
  p = fma(p, z, VecF(9.617967010e-01f));
  const VecF slope(2.885390043f), slope_tail(3.851926067e-08f);  // 2 / ln 2
  const VecF t = s * slope, t_tail = fma(s, slope_tail, fma(s_tail, slope, fma(z * p, s, fms_exact(s, slope, t))));
  const VecF head = e + t;
  return {head, (t - (head - e)) + t_tail};
}

TS_INLINE VecF pow(VecF x, VecF y) {
  const VecF zero(0.0f), one(1.0f), infinite(kInfF), a = abs(x);
  const Log2Parts l = log2_parts(a);
  const VecF h = y * l.head, c = min(VecF(130.0f), max(VecF(-151.0f), h));
  const VecF tail = select(h == c, fma(y, l.tail, fms_exact(y, l.head, h)), zero);
  const VecF n = round_even(c), r = (c - n) + tail;
  // (2^r - 1) / r on [-1/2, 1/2], error 4.7e-11
  VecF p(1.531494854e-05f);
  p = fma(p, r, VecF(1.546710992e-04f));
  p = fma(p, r, VecF(1.333343098e-03f));
  p = fma(p, r, VecF(9.618036449e-03f));
  p = fma(p, r, VecF(5.550410971e-02f));
  p = fma(p, r, VecF(2.402265072e-01f));
  p = fma(p, r, VecF(6.931471825e-01f));
  VecF value = scale_by_power(fma(p, r, one), n);
  // Zero and infinity to a finite power.
  const MaskF rising = y > zero, falling = y < zero;
  value = select(a == zero, select(rising, zero, select(falling, infinite, one)), value);
  value = select(a == infinite, select(rising, infinite, select(falling, zero, one)), value);
  const VecF half = y * VecF(0.5f);
  const MaskF integral = round_even(y) == y, odd = integral & (round_even(half) != half);
  value = select(odd, copysign(value, x), value);
  value = select((x < zero) & (a < infinite) & (round_even(y) != y), VecF(kNanF), value);
  const MaskF special = is_nan(x) | is_nan(y) | (abs(y) == infinite);
  if (!any(special)) return value;
  return select(special, pow_special(x, y), value);
}

// e^a / 2 for a >= 0, to infinity only where that overflows.
TS_INLINE VecF half_exp(VecF a) {
  const ExpParts e = exp_parts(min(VecF(91.0f), a));
  return scale_by_power(e.p + VecF(1.0f), e.power - VecF(1.0f));
}
TS_INLINE VecF sinh(VecF x) {
  const VecF a = abs(x), s = x * x, t = half_exp(a);
  // sinh(x) / x - 1 in x^2, over x^2; error 5.6e-11 up to 1
  VecF p(2.817439508e-06f);
  p = fma(p, s, VecF(1.983606635e-04f));
  p = fma(p, s, VecF(8.333350532e-03f));
  p = fma(p, s, VecF(1.666666716e-01f));
  const VecF value = select(a < VecF(1.0f), fma(p * s, a, a), t - VecF(0.25f) / t);
  return select(is_nan(x), x, copysign(value, x));
}
TS_INLINE VecF cosh(VecF x) {
  const VecF t = half_exp(abs(x));
  return select(is_nan(x), x, t + VecF(0.25f) / t);
}

// log(u + tail), or log(2 u) where `doubled`; u > 0.
TS_INLINE VecF log_with_tail(VecF u, VecF tail, MaskF doubled) {
  const LogParts l = log_parts(u);
  const VecF exponent = l.exponent + select(doubled, VecF(1.0f), VecF(0.0f));
  const VecF y = fma(exponent, VecF(kLn2Lo), l.tail + tail / u) + l.f;
  return log_edges(u, fma(exponent, VecF(kLn2Hi), y));
}
TS_INLINE VecF asinh(VecF x) {
  const VecF a = abs(x), one(1.0f), s = x * x;
  const MaskF large = a > VecF(0x1p20f);
  // asinh(x) / x - 1 in x^2, over x^2; error 3.2e-9 up to 1
  VecF p(6.791263586e-04f);
  p = fma(p, s, VecF(-3.858530894e-03f));
  p = fma(p, s, VecF(1.046256203e-02f));
  p = fma(p, s, VecF(-1.920782588e-02f));
  p = fma(p, s, VecF(2.946769819e-02f));
  p = fma(p, s, VecF(-4.449054226e-02f));
  p = fma(p, s, VecF(7.498744130e-02f));
  p = fma(p, s, VecF(-1.666663140e-01f));
  // a + sqrt(a^2 + 1), with what its roundings lose
  const VecF c = select(large, one, a), t = fma_exact(c, c, one), root = sqrt(t);
  const VecF lost = fnma_exact(root, root, t) / (root + root), u = c + root;
  const VecF tail = (c - (u - root)) + lost;
  const VecF far = log_with_tail(select(large, a, u), select(large, VecF(0.0f), tail), large);
  return select(is_nan(x), x, copysign(select(a > one, far, fma(p * s, a, a)), x));
}
TS_INLINE VecF acosh(VecF x) {
  const VecF one(1.0f), zero(0.0f);
  const MaskF large = x > VecF(0x1p20f);
  // 1 + w, w = t + sqrt(t (t + 2)) with t = x - 1
  const VecF t = select(large, zero, x - one), twice = t + t, s = fma_exact(t, t, twice), root = sqrt(s);
  const VecF s_tail = fma_exact(t, t, twice - s), lost = (s_tail + fnma_exact(root, root, s)) / (root + root);
  const VecF w = t + root, w_tail = select(s > zero, (t - (w - root)) + lost, zero);
  const VecF u = one + w, u_tail = (select(w > one, one, w) - (u - select(w > one, w, one))) + w_tail;
  const VecF value = log_with_tail(select(large, x, u), select(large, zero, u_tail), large);
  return select(x < one, VecF(kNanF), select(is_nan(x), x, value));
}
TS_INLINE VecF atanh(VecF x) {
  const VecF a = abs(x), one(1.0f), s = x * x;
  // atanh(x) / x - 1 in x^2, over x^2; error 9.0e-11 up to 1/2
  VecF p(1.764579713e-01f);
  p = fma(p, s, VecF(2.407629415e-02f));
  p = fma(p, s, VecF(1.029775590e-01f));
  p = fma(p, s, VecF(1.096467599e-01f));
  p = fma(p, s, VecF(1.429506391e-01f));
  p = fma(p, s, VecF(1.999971867e-01f));
  p = fma(p, s, VecF(3.333333731e-01f));
  // Beyond, log((1 + a) / (1 - a)) / 2; 1 - a is exact.
  const VecF far = VecF(0.5f) * log((one + a) / (one - a));
  const VecF value = select(a < VecF(0.5f), fma(p * s, a, a), far);
  return select(a > one, VecF(kNanF), select(is_nan(x), x, copysign(value, x)));
}

}  // namespace TS_ISA
}  // namespace torchscript
