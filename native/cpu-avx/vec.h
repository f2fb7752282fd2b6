// Vectors of the instruction set that a unit is compiled for (Note [ISA units] in binding.gyp): one interface, three backends.
//
//   VecF  float    1 (scalar) | 8 (avx2) | 16 (avx512) lanes      VecI  int32, as many lanes as VecF     MaskF  masks of both
//   VecD  double   1          | 4        | 8                      VecL  int64, as many lanes as VecD     MaskD
//
// A kernel is written once against these names in `namespace torchscript { namespace TS_ISA {`; the scalar build is its
// reference. V::kWidth is the number of lanes.
//
//   V::load(p) V::load_partial(p, n) v.store(p) v.store_partial(p, n)   unaligned; partial touches n < kWidth elements, rest 0
//   V(x) V::zero()                     all lanes x
//   + - * / unary-  += -= *=           on VecI and VecL: + - * (VecI only), & | ^ ~, shl<k> shr<k> (logical) sar<k> (VecI only)
//   fma(a,b,c) = a*b+c, fnma = c-a*b, fms = a*b-c   fused with FMA hardware, two roundings in the scalar build
//   min max                            x86 semantics: the second operand when either is NaN (or both are zeros)
//   min_nan max_nan                    NaN when either is NaN, as PyTorch's minimum/maximum/clamp/relu
//   abs sqrt floor ceil trunc round_even copysign
//   < <= > >= == !=                    give masks; masks: & | ^ ~, any(m) all(m); select(m, a, b) = m ? a : b; is_nan(v)
//   hsum hmax hmin                     over lanes; hmax and hmin as max/min (no NaN promise)
//   to_int(VecF) (truncates) round_to_int(VecF) to_float(VecI) as_int(VecF) as_float(VecI)   to_int out of range: INT_MIN
//   load_f16 load_bf16 store_f16 store_bf16 (+ _partial)   IEEE half and bfloat16 (uint16_t*), round to nearest even
//   store_mask(p, m)                   bytes 0 or 1; load_mask_f(p), load_mask_d(p): nonzero bytes
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(TS_ISA_AVX2) || defined(TS_ISA_AVX512)
// The compiler's own header leaves unused operands undefined, and warns about itself.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#if !defined(TS_ISA)
#error "vec.h belongs to units of native/cpu-avx/isa, which are compiled with TS_ISA"
#endif

#if !defined(TS_INLINE)
#define TS_INLINE inline __attribute__((always_inline))
#endif

namespace torchscript {
namespace TS_ISA {

template <class To, class From> TS_INLINE To bit_cast(From x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, x);
}

// Half precision in software: the scalar build, and single elements of the others.
TS_INLINE float f16_to_f32(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fff) << 13;
  // The exponent is rebased by a multiplication, which also normalises denormals.
  const float scaled = bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t bits = bit_cast<uint32_t>(scaled);
  if ((h & 0x7c00) == 0x7c00) bits = magnitude | 0x7f800000u;
  return bit_cast<float>(bits | sign);
}
TS_INLINE uint16_t f32_to_f16(float x) {
  const uint32_t bits = bit_cast<uint32_t>(x);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00 | static_cast<uint16_t>((magnitude >> 13) & 0x1ff);
  if (magnitude >= 0x477ff000u) return sign | 0x7c00;
  if (magnitude < 0x38800000u) {  // denormal result: the addition rounds at the right bit
    const float shifted = bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<uint16_t>(bit_cast<uint32_t>(shifted) - 0x3f000000u);
  }
  magnitude += 0xc8000fffu + ((magnitude >> 13) & 1);
  return sign | static_cast<uint16_t>(magnitude >> 13);
}
TS_INLINE float bf16_to_f32(uint16_t h) { return bit_cast<float>(static_cast<uint32_t>(h) << 16); }
TS_INLINE uint16_t f32_to_bf16(float x) {
  const uint32_t bits = bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

}  // namespace TS_ISA
}  // namespace torchscript

#if defined(TS_VEC_HEADER)
// Another room's vectors: those that write down what is computed with them (cuda/emit).
#include TS_VEC_HEADER
#elif defined(TS_ISA_AVX512)
#include "cpu-avx/vec_avx512.h"
#elif defined(TS_ISA_AVX2)
#include "cpu-avx/vec_avx2.h"
#else
#include "cpu-avx/vec_scalar.h"
#endif

namespace torchscript {
namespace TS_ISA {

TS_INLINE VecF max_nan(VecF a, VecF b) { return select(is_nan(a), a, max(a, b)); }
TS_INLINE VecF min_nan(VecF a, VecF b) { return select(is_nan(a), a, min(a, b)); }
TS_INLINE VecD max_nan(VecD a, VecD b) { return select(is_nan(a), a, max(a, b)); }
TS_INLINE VecD min_nan(VecD a, VecD b) { return select(is_nan(a), a, min(a, b)); }

TS_INLINE VecF& operator+=(VecF& a, VecF b) { return a = a + b; }
TS_INLINE VecF& operator-=(VecF& a, VecF b) { return a = a - b; }
TS_INLINE VecF& operator*=(VecF& a, VecF b) { return a = a * b; }
TS_INLINE VecD& operator+=(VecD& a, VecD b) { return a = a + b; }
TS_INLINE VecD& operator-=(VecD& a, VecD b) { return a = a - b; }
TS_INLINE VecD& operator*=(VecD& a, VecD b) { return a = a * b; }

// Vectors of half elements at the end of a row.
TS_INLINE VecF load_f16_partial(const uint16_t* p, int n) {
  uint16_t buffer[VecF::kWidth] = {};
  for (int i = 0; i < n; i++) buffer[i] = p[i];
  return load_f16(buffer);
}
TS_INLINE VecF load_bf16_partial(const uint16_t* p, int n) {
  uint16_t buffer[VecF::kWidth] = {};
  for (int i = 0; i < n; i++) buffer[i] = p[i];
  return load_bf16(buffer);
}
TS_INLINE void store_f16_partial(uint16_t* p, VecF v, int n) {
  uint16_t buffer[VecF::kWidth];
  store_f16(buffer, v);
  for (int i = 0; i < n; i++) p[i] = buffer[i];
}
TS_INLINE void store_bf16_partial(uint16_t* p, VecF v, int n) {
  uint16_t buffer[VecF::kWidth];
  store_bf16(buffer, v);
  for (int i = 0; i < n; i++) p[i] = buffer[i];
}

}  // namespace TS_ISA
}  // namespace torchscript
