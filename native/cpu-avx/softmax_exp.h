// e^x of differences to the largest value of a row, x <= 0, for softmax. math.h's exp takes ten operations of the units that multiply, and these
// are what limits it. Here it takes seven: a table of 2^(j / kSteps) leaves a rest so small that a polynomial of degree 3 does, and the power of two
// is added to the exponent field of the table's value. Largest error 1.1 units in the last place, 1.6 with AVX2 (test/kernels/softmax.test.ts).
#pragma once
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {

// 2^(j / kSteps) as bits, less the j steps that the exponent brings with it; a polynomial for |r| <= ln2 / (2 kSteps), error 2e-9 and 3e-8.
#if defined(TS_ISA_AVX2)
constexpr int kExpShift = 20;
constexpr float kExpRound = 0x1.8p20f, kExp2 = 0.500064850f, kExp3 = 0.166642964f;
alignas(64) constexpr float kExpTable[8] = {1.0f,         0.982753873f, 0.969603539f, 0.960919797f,
                                            0.957106769f, 0.958605409f, 0.965896428f, 0.979504049f};
#else
constexpr int kExpShift = 19;
constexpr float kExpRound = 0x1.8p19f, kExp2 = 0.500016212f, kExp3 = 0.166660741f;
alignas(64) constexpr float kExpTable[16] = {1.0f,         0.990886867f, 0.982753873f, 0.97564429f,  0.969603539f, 0.964678884f,
                                             0.960919798f, 0.958377779f, 0.957106769f, 0.957163095f, 0.958605409f, 0.961495161f,
                                             0.965896428f, 0.971876085f, 0.979504049f, 0.988853276f};
#endif
#if defined(TS_ISA_SCALAR)
TS_INLINE VecF lookup(const float (&table)[16], VecI i) { return VecF(table[i.v & 15]); }
#endif

// 2^kUp e^x for x in [-84 - kUp ln2, 0] and NaN.
template <int kUp> TS_INLINE VecF exp_of_step(VecF x) {
  const VecF round(kExpRound + kUp), z = fma(x, VecF(1.44269504f), round), n = z - round;
  const VecF r = fnma(n, VecF(0x1.0bfbe8p-15f), fnma(n, VecF(0x1.62ep-1f), x));
  const VecF power = as_float(as_int(lookup(kExpTable, as_int(z))) + shl<kExpShift>(as_int(z)));
  return fma(power * r, fma(fma(VecF(kExp3), r, VecF(kExp2)), r, VecF(1.0f)), power);
}

// 2^64 e^x for x <= 0 and NaN, no less than 2^-87: a quotient of two of them, one at least 2^64, is right for results that are denormal or zero.
TS_INLINE VecF exp_raised(VecF x) { return exp_of_step<64>(max(VecF(-104.0f), x)); }
// e^x for x <= 0 and NaN, 0 below e^-84, where the products in it are no normal numbers.
TS_INLINE VecF exp_flushed(VecF x) {
  const VecF least(-84.0f);
  return select(x < least, VecF::zero(), exp_of_step<0>(max(least, x)));
}

}  // namespace TS_ISA
}  // namespace torchscript
