// The AVX-512 backend of vec.h (F, BW, DQ, VL).
#pragma once

namespace torchscript {
namespace TS_ISA {

struct MaskF {
  __mmask16 m;
};
struct MaskD {
  __mmask8 m;
};
#define TS_MASK_OPS(M, K)                                                 \
  TS_INLINE M operator&(M a, M b) { return {static_cast<K>(a.m & b.m)}; } \
  TS_INLINE M operator|(M a, M b) { return {static_cast<K>(a.m | b.m)}; } \
  TS_INLINE M operator^(M a, M b) { return {static_cast<K>(a.m ^ b.m)}; } \
  TS_INLINE M operator~(M a) { return {static_cast<K>(~a.m)}; }           \
  TS_INLINE bool any(M a) { return a.m != 0; }                            \
  TS_INLINE bool all(M a) { return a.m == static_cast<K>(~0); }
TS_MASK_OPS(MaskF, __mmask16)
TS_MASK_OPS(MaskD, __mmask8)
#undef TS_MASK_OPS
TS_INLINE void store_mask(uint8_t* p, MaskF a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(a.m, 1)); }
TS_INLINE void store_mask(uint8_t* p, MaskD a) { _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(a.m, 1)); }
TS_INLINE MaskF load_mask_f(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm_test_epi8_mask(bytes, bytes)};
}
TS_INLINE MaskD load_mask_d(const uint8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return {static_cast<__mmask8>(_mm_test_epi8_mask(bytes, bytes))};
}

#define TS_TAIL16(n) static_cast<__mmask16>((1u << (n)) - 1)
#define TS_TAIL8(n) static_cast<__mmask8>((1u << (n)) - 1)
#define TS_VEC(V, T, M, N, R, ps, si, tail)                                                               \
  struct V {                                                                                              \
    static constexpr int kWidth = N;                                                                      \
    using Element = T;                                                                                    \
    using Mask = M;                                                                                       \
    R v;                                                                                                  \
    V() = default;                                                                                        \
    TS_INLINE V(R x) : v(x) {}                                                                            \
    TS_INLINE V(T x) : v(_mm512_set1_##si(x)) {}                                                          \
    static TS_INLINE V zero() { return V(T(0)); }                                                         \
    static TS_INLINE V load(const T* p) { return V(_mm512_loadu_##ps(p)); }                               \
    static TS_INLINE V load_partial(const T* p, int n) { return V(_mm512_maskz_loadu_##si(tail(n), p)); } \
    TS_INLINE void store(T* p) const { _mm512_storeu_##ps(p, v); }                                        \
    TS_INLINE void store_partial(T* p, int n) const { _mm512_mask_storeu_##si(p, tail(n), v); }           \
  };                                                                                                      \
  TS_INLINE V select(M m, V a, V b) { return V(_mm512_mask_blend_##si(m.m, b.v, a.v)); }
TS_VEC(VecF, float, MaskF, 16, __m512, ps, ps, TS_TAIL16)
TS_VEC(VecD, double, MaskD, 8, __m512d, pd, pd, TS_TAIL8)
TS_VEC(VecI, int32_t, MaskF, 16, __m512i, si512, epi32, TS_TAIL16)
TS_VEC(VecL, int64_t, MaskD, 8, __m512i, si512, epi64, TS_TAIL8)
#undef TS_VEC
#undef TS_TAIL16
#undef TS_TAIL8

#define TS_VEC_FLOAT(V, M, ps)                                                                                          \
  TS_INLINE V operator+(V a, V b) { return V(_mm512_add_##ps(a.v, b.v)); }                                              \
  TS_INLINE V operator-(V a, V b) { return V(_mm512_sub_##ps(a.v, b.v)); }                                              \
  TS_INLINE V operator*(V a, V b) { return V(_mm512_mul_##ps(a.v, b.v)); }                                              \
  TS_INLINE V operator/(V a, V b) { return V(_mm512_div_##ps(a.v, b.v)); }                                              \
  TS_INLINE V fma(V a, V b, V c) { return V(_mm512_fmadd_##ps(a.v, b.v, c.v)); }                                        \
  TS_INLINE V fms(V a, V b, V c) { return V(_mm512_fmsub_##ps(a.v, b.v, c.v)); }                                        \
  TS_INLINE V fnma(V a, V b, V c) { return V(_mm512_fnmadd_##ps(a.v, b.v, c.v)); }                                      \
  TS_INLINE V max(V a, V b) { return V(_mm512_max_##ps(a.v, b.v)); }                                                    \
  TS_INLINE V min(V a, V b) { return V(_mm512_min_##ps(a.v, b.v)); }                                                    \
  TS_INLINE V abs(V a) { return V(_mm512_abs_##ps(a.v)); }                                                              \
  TS_INLINE V sqrt(V a) { return V(_mm512_sqrt_##ps(a.v)); }                                                            \
  TS_INLINE V floor(V a) { return V(_mm512_roundscale_##ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)); }          \
  TS_INLINE V ceil(V a) { return V(_mm512_roundscale_##ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)); }           \
  TS_INLINE V trunc(V a) { return V(_mm512_roundscale_##ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)); }             \
  TS_INLINE V round_even(V a) { return V(_mm512_roundscale_##ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); } \
  TS_INLINE V operator-(V a) { return V(_mm512_xor_##ps(a.v, _mm512_set1_##ps(-0.0))); }                                \
  TS_INLINE V copysign(V a, V b) {                                                                                      \
    const auto sign = _mm512_set1_##ps(-0.0);                                                                           \
    return V(_mm512_or_##ps(_mm512_andnot_##ps(sign, a.v), _mm512_and_##ps(sign, b.v)));                                \
  }                                                                                                                     \
  TS_INLINE M operator==(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_EQ_OQ)}; }                           \
  TS_INLINE M operator!=(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_NEQ_UQ)}; }                          \
  TS_INLINE M operator<(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_LT_OQ)}; }                            \
  TS_INLINE M operator<=(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_LE_OQ)}; }                           \
  TS_INLINE M operator>(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_GT_OQ)}; }                            \
  TS_INLINE M operator>=(V a, V b) { return {_mm512_cmp_##ps##_mask(a.v, b.v, _CMP_GE_OQ)}; }                           \
  TS_INLINE M is_nan(V a) { return {_mm512_cmp_##ps##_mask(a.v, a.v, _CMP_UNORD_Q)}; }                                  \
  TS_INLINE V::Element hsum(V a) { return _mm512_reduce_add_##ps(a.v); }                                                \
  TS_INLINE V::Element hmax(V a) { return _mm512_reduce_max_##ps(a.v); }                                                \
  TS_INLINE V::Element hmin(V a) { return _mm512_reduce_min_##ps(a.v); }
TS_VEC_FLOAT(VecF, MaskF, ps)
TS_VEC_FLOAT(VecD, MaskD, pd)
#undef TS_VEC_FLOAT

#define TS_VEC_INT(V, M, epi)                                                            \
  TS_INLINE V operator+(V a, V b) { return V(_mm512_add_##epi(a.v, b.v)); }              \
  TS_INLINE V operator-(V a, V b) { return V(_mm512_sub_##epi(a.v, b.v)); }              \
  TS_INLINE V operator*(V a, V b) { return V(_mm512_mullo_##epi(a.v, b.v)); }            \
  TS_INLINE V operator&(V a, V b) { return V(_mm512_and_si512(a.v, b.v)); }              \
  TS_INLINE V operator|(V a, V b) { return V(_mm512_or_si512(a.v, b.v)); }               \
  TS_INLINE V operator^(V a, V b) { return V(_mm512_xor_si512(a.v, b.v)); }              \
  TS_INLINE V operator~(V a) { return V(_mm512_xor_si512(a.v, _mm512_set1_epi32(-1))); } \
  template <int k> TS_INLINE V shl(V a) { return V(_mm512_slli_##epi(a.v, k)); }         \
  template <int k> TS_INLINE V shr(V a) { return V(_mm512_srli_##epi(a.v, k)); }         \
  template <int k> TS_INLINE V sar(V a) { return V(_mm512_srai_##epi(a.v, k)); }         \
  TS_INLINE M operator==(V a, V b) { return {_mm512_cmpeq_##epi##_mask(a.v, b.v)}; }     \
  TS_INLINE M operator!=(V a, V b) { return {_mm512_cmpneq_##epi##_mask(a.v, b.v)}; }    \
  TS_INLINE M operator<(V a, V b) { return {_mm512_cmplt_##epi##_mask(a.v, b.v)}; }      \
  TS_INLINE M operator<=(V a, V b) { return {_mm512_cmple_##epi##_mask(a.v, b.v)}; }     \
  TS_INLINE M operator>(V a, V b) { return {_mm512_cmpgt_##epi##_mask(a.v, b.v)}; }      \
  TS_INLINE M operator>=(V a, V b) { return {_mm512_cmpge_##epi##_mask(a.v, b.v)}; }
TS_VEC_INT(VecI, MaskF, epi32)
TS_VEC_INT(VecL, MaskD, epi64)
#undef TS_VEC_INT

TS_INLINE VecI as_int(VecF a) { return VecI(_mm512_castps_si512(a.v)); }
TS_INLINE VecF as_float(VecI a) { return VecF(_mm512_castsi512_ps(a.v)); }
TS_INLINE VecI to_int(VecF a) { return VecI(_mm512_cvttps_epi32(a.v)); }
TS_INLINE VecI round_to_int(VecF a) { return VecI(_mm512_cvtps_epi32(a.v)); }
TS_INLINE VecF to_float(VecI a) { return VecF(_mm512_cvtepi32_ps(a.v)); }
TS_INLINE VecL as_int(VecD a) { return VecL(_mm512_castpd_si512(a.v)); }
TS_INLINE VecD as_float(VecL a) { return VecD(_mm512_castsi512_pd(a.v)); }

// table[i & 15], for i in lanes.
TS_INLINE VecF lookup(const float (&table)[16], VecI i) { return VecF(_mm512_permutexvar_ps(i.v, _mm512_loadu_ps(table))); }

TS_INLINE VecF load_f16(const uint16_t* p) { return VecF(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))); }
TS_INLINE VecF load_bf16(const uint16_t* p) {
  return VecF(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16)));
}
TS_INLINE void store_f16(uint16_t* p, VecF v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
TS_INLINE void store_bf16(uint16_t* p, VecF v) {
  const __m512i bits = _mm512_castps_si512(v.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  rounded = _mm512_mask_blend_epi32(is_nan(v).m, rounded, _mm512_set1_epi32(0x7fc0));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(rounded));
}

}  // namespace TS_ISA
}  // namespace torchscript
