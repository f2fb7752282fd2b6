// Inverse trigonometric functions and the tangent of float32 vectors. Included by math.h, which states their accuracy.
#pragma once

namespace torchscript {
namespace TS_ISA {

constexpr float kHalfPiHi = 0x1.921fb6p+0f, kHalfPiLo = -0x1.777a5cp-25f;

// atan(q) / q - 1 in s = q^2, over s; error 4.0e-10 up to q = 1.
TS_INLINE VecF atan_tail(VecF s) {
  VecF p(1.113789971e-03f);
  p = fma(p, s, VecF(-7.317962591e-03f));
  p = fma(p, s, VecF(2.253988013e-02f));
  p = fma(p, s, VecF(-4.468995705e-02f));
  p = fma(p, s, VecF(6.741598248e-02f));
  p = fma(p, s, VecF(-8.811091632e-02f));
  p = fma(p, s, VecF(1.105822399e-01f));
  p = fma(p, s, VecF(-1.427983344e-01f));
  p = fma(p, s, VecF(1.999967098e-01f));
  return fma(p, s, VecF(-3.333332837e-01f));
}
// atan(q), or pi / 2 - atan(q) where `turned`.
TS_INLINE VecF atan_of_ratio(VecF q, MaskF turned) {
  const VecF s = q * q, tail = atan_tail(s) * s * q;
  return select(turned, VecF(kHalfPiHi) - (q + (tail - VecF(kHalfPiLo))), q + tail);
}
TS_INLINE VecF atan(VecF x) {
  const VecF a = abs(x), one(1.0f);
  const MaskF turned = a > one;
  return copysign(atan_of_ratio(select(turned, one / a, a), turned), x);
}
TS_INLINE VecF atan2(VecF y, VecF x) {
  const VecF ay = abs(y), ax = abs(x), low = min(ax, ay), high = max(ax, ay);
  const MaskF turned = ay > ax;
  VecF q = select(high == VecF(0.0f), VecF(0.0f), low / high);
  q = select(low == VecF(kInfF), VecF(1.0f), q);
  const VecF a = atan_of_ratio(q, turned);
  const MaskF left = as_int(x) < VecI(0);
  const VecF angle = copysign(select(left, VecF(2 * kHalfPiHi) - (a - VecF(2 * kHalfPiLo)), a), y);
  return select(is_nan(x) | is_nan(y), x + y, angle);
}

// asin(q) / q - 1 in s = q^2, over s; error 2.8e-10 up to q = 1/2.
TS_INLINE VecF asin_tail(VecF s) {
  VecF p(3.756521642e-02f);
  p = fma(p, s, VecF(1.440259721e-02f));
  p = fma(p, s, VecF(3.181761503e-02f));
  p = fma(p, s, VecF(4.451572150e-02f));
  p = fma(p, s, VecF(7.500510663e-02f));
  return fma(p, s, VecF(1.666665971e-01f));
}
// Beyond 1/2: asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)).
struct ArcParts {
  VecF q, tail;  // asin(q) = q + tail
  MaskF far;
};
TS_INLINE ArcParts arc_parts(VecF x) {
  const VecF a = abs(x), half(0.5f);
  const MaskF far = a > half;
  const VecF s = select(far, fnma(a, half, half), x * x), q = select(far, sqrt(s), a);
  return {q, asin_tail(s) * s * q, far};
}
TS_INLINE VecF asin(VecF x) {
  const ArcParts p = arc_parts(x);
  const VecF twice = p.q + p.q;
  return copysign(select(p.far, VecF(kHalfPiHi) - (twice + (fma(p.tail, VecF(2.0f), VecF(-kHalfPiLo)))), p.q + p.tail), x);
}
TS_INLINE VecF acos(VecF x) {
  const ArcParts p = arc_parts(x);
  const MaskF negative = x < VecF(0.0f);
  const VecF q = select(negative, -p.q, p.q), tail = select(negative, -p.tail, p.tail);
  const VecF near = VecF(kHalfPiHi) - (q + (tail - VecF(kHalfPiLo)));
  const VecF arc = p.q + p.tail, far = arc + arc;
  return select(p.far, select(negative, VecF(2 * kHalfPiHi) - (far - VecF(2 * kHalfPiLo)), far), near);
}

TS_INLINE VecF tan(VecF x) {
  // quadrant_rest with what its roundings lose, which a slope of up to 2 would show.
  const VecF n = round_even(x * VecF(0.636619772f)), first = fnma(n, VecF(0x1.92p0f), x), second = n * VecF(0x1.fap-12f);
  const VecF head = first - second, third = n * VecF(0x1.544p-20f), next = head - third;
  const VecF rest = fnma(n, VecF(0x1.0b4612p-34f), ((first - head) - second) + ((head - next) - third));
  const VecF r = next + rest, r_tail = rest - (r - next), s = r * r;
  // tan(r) / r - 1 in r^2, over r^2; error 9.0e-11 up to pi / 4.
  VecF p(2.040424384e-03f);
  p = fma(p, s, VecF(-5.942368298e-04f));
  p = fma(p, s, VecF(4.991348367e-03f));
  p = fma(p, s, VecF(8.331991732e-03f));
  p = fma(p, s, VecF(2.198453434e-02f));
  p = fma(p, s, VecF(5.395464599e-02f));
  p = fma(p, s, VecF(1.333341002e-01f));
  p = fma(p, s, VecF(3.333333135e-01f));
  const VecF cube = p * s * r, slope = fma(r + cube, r + cube, VecF(1.0f));
  const VecF t = r + fma(slope, r_tail, cube);
  const MaskF odd = (round_to_int(n) & VecI(1)) != VecI(0);
  const VecF reduced = select(x == VecF(0.0f), x, select(odd, VecF(-1.0f) / t, t));
  const MaskF large = abs(x) > VecF(8192.0f);
  return any(large) ? select(large, tan_far(x), reduced) : reduced;
}

}  // namespace TS_ISA
}  // namespace torchscript
