// The AVX2 backend of vec.h (with FMA and F16C).
#pragma once

namespace torchscript {
namespace TS_ISA {

// Lanes are all ones or all zeros.
struct MaskF {
  __m256 m;
};
struct MaskD {
  __m256d m;
};
#define TS_MASK_OPS(M, ps, full)                                                                              \
  TS_INLINE M operator&(M a, M b) { return {_mm256_and_##ps(a.m, b.m)}; }                                     \
  TS_INLINE M operator|(M a, M b) { return {_mm256_or_##ps(a.m, b.m)}; }                                      \
  TS_INLINE M operator^(M a, M b) { return {_mm256_xor_##ps(a.m, b.m)}; }                                     \
  TS_INLINE M operator~(M a) { return {_mm256_xor_##ps(a.m, _mm256_castsi256_##ps(_mm256_set1_epi32(-1)))}; } \
  TS_INLINE bool any(M a) { return _mm256_movemask_##ps(a.m) != 0; }                                          \
  TS_INLINE bool all(M a) { return _mm256_movemask_##ps(a.m) == full; }
TS_MASK_OPS(MaskF, ps, 0xff)
TS_MASK_OPS(MaskD, pd, 0xf)
#undef TS_MASK_OPS
TS_INLINE void store_mask(uint8_t* p, MaskF a) {
  const __m256i lanes = _mm256_castps_si256(a.m);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1)));
}
TS_INLINE void store_mask(uint8_t* p, MaskD a) {
  const int bits = _mm256_movemask_pd(a.m);
  for (int i = 0; i < 4; i++) p[i] = (bits >> i) & 1;
}
TS_INLINE MaskF load_mask_f(const uint8_t* p) {
  const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(wide, _mm256_setzero_si256()))};
}
TS_INLINE MaskD load_mask_d(const uint8_t* p) {
  const __m256i wide = _mm256_set_epi64x(p[3], p[2], p[1], p[0]);
  return {_mm256_castsi256_pd(_mm256_cmpgt_epi64(wide, _mm256_setzero_si256()))};
}

TS_INLINE __m256i tail_mask(int32_t n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
TS_INLINE __m256i tail_mask(int64_t n) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)); }

#define TS_VEC(V, T, M, N, R, suffix, setter, Index)                                                                   \
  struct V {                                                                                                           \
    static constexpr int kWidth = N;                                                                                   \
    using Element = T;                                                                                                 \
    using Mask = M;                                                                                                    \
    R v;                                                                                                               \
    V() = default;                                                                                                     \
    TS_INLINE V(R x) : v(x) {}                                                                                         \
    TS_INLINE V(T x) : v(_mm256_set1_##setter(x)) {}                                                                   \
    static TS_INLINE V zero() { return V(T(0)); }                                                                      \
    static TS_INLINE V load_partial(const T* p, int n) { return V(_mm256_maskload_##suffix(p, tail_mask(Index{n}))); } \
    TS_INLINE void store_partial(T* p, int n) const { _mm256_maskstore_##suffix(p, tail_mask(Index{n}), v); }          \
    static TS_INLINE V load(const T* p);                                                                               \
    TS_INLINE void store(T* p) const;                                                                                  \
  };
using LongLong = long long;
TS_VEC(VecF, float, MaskF, 8, __m256, ps, ps, int32_t)
TS_VEC(VecD, double, MaskD, 4, __m256d, pd, pd, int64_t)
TS_VEC(VecI, int32_t, MaskF, 8, __m256i, epi32, epi32, int32_t)
#undef TS_VEC
struct VecL {
  static constexpr int kWidth = 4;
  using Element = int64_t;
  using Mask = MaskD;
  __m256i v;
  VecL() = default;
  TS_INLINE VecL(__m256i x) : v(x) {}
  TS_INLINE VecL(int64_t x) : v(_mm256_set1_epi64x(x)) {}
  static TS_INLINE VecL zero() { return VecL(_mm256_setzero_si256()); }
  static TS_INLINE VecL load(const int64_t* p) { return VecL(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static TS_INLINE VecL load_partial(const int64_t* p, int n) {
    return VecL(_mm256_maskload_epi64(reinterpret_cast<const LongLong*>(p), tail_mask(int64_t{n})));
  }
  TS_INLINE void store(int64_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  TS_INLINE void store_partial(int64_t* p, int n) const {
    _mm256_maskstore_epi64(reinterpret_cast<LongLong*>(p), tail_mask(int64_t{n}), v);
  }
};
TS_INLINE VecF VecF::load(const float* p) { return VecF(_mm256_loadu_ps(p)); }
TS_INLINE void VecF::store(float* p) const { _mm256_storeu_ps(p, v); }
TS_INLINE VecD VecD::load(const double* p) { return VecD(_mm256_loadu_pd(p)); }
TS_INLINE void VecD::store(double* p) const { _mm256_storeu_pd(p, v); }
TS_INLINE VecI VecI::load(const int32_t* p) { return VecI(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
TS_INLINE void VecI::store(int32_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }

TS_INLINE VecF select(MaskF m, VecF a, VecF b) { return VecF(_mm256_blendv_ps(b.v, a.v, m.m)); }
TS_INLINE VecD select(MaskD m, VecD a, VecD b) { return VecD(_mm256_blendv_pd(b.v, a.v, m.m)); }
TS_INLINE VecI select(MaskF m, VecI a, VecI b) { return VecI(_mm256_blendv_epi8(b.v, a.v, _mm256_castps_si256(m.m))); }
TS_INLINE VecL select(MaskD m, VecL a, VecL b) { return VecL(_mm256_blendv_epi8(b.v, a.v, _mm256_castpd_si256(m.m))); }

#define TS_VEC_FLOAT(V, M, ps)                                                                                     \
  TS_INLINE V operator+(V a, V b) { return V(_mm256_add_##ps(a.v, b.v)); }                                         \
  TS_INLINE V operator-(V a, V b) { return V(_mm256_sub_##ps(a.v, b.v)); }                                         \
  TS_INLINE V operator*(V a, V b) { return V(_mm256_mul_##ps(a.v, b.v)); }                                         \
  TS_INLINE V operator/(V a, V b) { return V(_mm256_div_##ps(a.v, b.v)); }                                         \
  TS_INLINE V fma(V a, V b, V c) { return V(_mm256_fmadd_##ps(a.v, b.v, c.v)); }                                   \
  TS_INLINE V fms(V a, V b, V c) { return V(_mm256_fmsub_##ps(a.v, b.v, c.v)); }                                   \
  TS_INLINE V fnma(V a, V b, V c) { return V(_mm256_fnmadd_##ps(a.v, b.v, c.v)); }                                 \
  TS_INLINE V max(V a, V b) { return V(_mm256_max_##ps(a.v, b.v)); }                                               \
  TS_INLINE V min(V a, V b) { return V(_mm256_min_##ps(a.v, b.v)); }                                               \
  TS_INLINE V abs(V a) { return V(_mm256_andnot_##ps(_mm256_set1_##ps(-0.0), a.v)); }                              \
  TS_INLINE V sqrt(V a) { return V(_mm256_sqrt_##ps(a.v)); }                                                       \
  TS_INLINE V floor(V a) { return V(_mm256_round_##ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)); }          \
  TS_INLINE V ceil(V a) { return V(_mm256_round_##ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)); }           \
  TS_INLINE V trunc(V a) { return V(_mm256_round_##ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)); }             \
  TS_INLINE V round_even(V a) { return V(_mm256_round_##ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); } \
  TS_INLINE V operator-(V a) { return V(_mm256_xor_##ps(a.v, _mm256_set1_##ps(-0.0))); }                           \
  TS_INLINE V copysign(V a, V b) {                                                                                 \
    const auto sign = _mm256_set1_##ps(-0.0);                                                                      \
    return V(_mm256_or_##ps(_mm256_andnot_##ps(sign, a.v), _mm256_and_##ps(sign, b.v)));                           \
  }                                                                                                                \
  TS_INLINE M operator==(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_EQ_OQ)}; }                             \
  TS_INLINE M operator!=(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_NEQ_UQ)}; }                            \
  TS_INLINE M operator<(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_LT_OQ)}; }                              \
  TS_INLINE M operator<=(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_LE_OQ)}; }                             \
  TS_INLINE M operator>(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_GT_OQ)}; }                              \
  TS_INLINE M operator>=(V a, V b) { return {_mm256_cmp_##ps(a.v, b.v, _CMP_GE_OQ)}; }                             \
  TS_INLINE M is_nan(V a) { return {_mm256_cmp_##ps(a.v, a.v, _CMP_UNORD_Q)}; }
TS_VEC_FLOAT(VecF, MaskF, ps)
TS_VEC_FLOAT(VecD, MaskD, pd)
#undef TS_VEC_FLOAT
#define TS_FOLD(name, op)                                                                        \
  TS_INLINE float name(VecF a) {                                                                 \
    __m128 x = _mm_##op##_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));        \
    x = _mm_##op##_ps(x, _mm_movehl_ps(x, x));                                                   \
    return _mm_cvtss_f32(_mm_##op##_ss(x, _mm_shuffle_ps(x, x, 1)));                             \
  }                                                                                              \
  TS_INLINE double name(VecD a) {                                                                \
    const __m128d x = _mm_##op##_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1)); \
    return _mm_cvtsd_f64(_mm_##op##_sd(x, _mm_unpackhi_pd(x, x)));                               \
  }
TS_FOLD(hsum, add)
TS_FOLD(hmax, max)
TS_FOLD(hmin, min)
#undef TS_FOLD

#define TS_VEC_INT(V, M, epi, mask_cast)                                                 \
  TS_INLINE V operator+(V a, V b) { return V(_mm256_add_##epi(a.v, b.v)); }              \
  TS_INLINE V operator-(V a, V b) { return V(_mm256_sub_##epi(a.v, b.v)); }              \
  TS_INLINE V operator&(V a, V b) { return V(_mm256_and_si256(a.v, b.v)); }              \
  TS_INLINE V operator|(V a, V b) { return V(_mm256_or_si256(a.v, b.v)); }               \
  TS_INLINE V operator^(V a, V b) { return V(_mm256_xor_si256(a.v, b.v)); }              \
  TS_INLINE V operator~(V a) { return V(_mm256_xor_si256(a.v, _mm256_set1_epi32(-1))); } \
  template <int k> TS_INLINE V shl(V a) { return V(_mm256_slli_##epi(a.v, k)); }         \
  template <int k> TS_INLINE V shr(V a) { return V(_mm256_srli_##epi(a.v, k)); }         \
  TS_INLINE M operator==(V a, V b) { return {mask_cast(_mm256_cmpeq_##epi(a.v, b.v))}; } \
  TS_INLINE M operator!=(V a, V b) { return ~(a == b); }                                 \
  TS_INLINE M operator>(V a, V b) { return {mask_cast(_mm256_cmpgt_##epi(a.v, b.v))}; }  \
  TS_INLINE M operator<(V a, V b) { return b > a; }                                      \
  TS_INLINE M operator>=(V a, V b) { return ~(b > a); }                                  \
  TS_INLINE M operator<=(V a, V b) { return ~(a > b); }
TS_VEC_INT(VecI, MaskF, epi32, _mm256_castsi256_ps)
TS_VEC_INT(VecL, MaskD, epi64, _mm256_castsi256_pd)
#undef TS_VEC_INT
TS_INLINE VecI operator*(VecI a, VecI b) { return VecI(_mm256_mullo_epi32(a.v, b.v)); }
template <int k> TS_INLINE VecI sar(VecI a) { return VecI(_mm256_srai_epi32(a.v, k)); }

TS_INLINE VecI as_int(VecF a) { return VecI(_mm256_castps_si256(a.v)); }
TS_INLINE VecF as_float(VecI a) { return VecF(_mm256_castsi256_ps(a.v)); }
TS_INLINE VecI to_int(VecF a) { return VecI(_mm256_cvttps_epi32(a.v)); }
TS_INLINE VecI round_to_int(VecF a) { return VecI(_mm256_cvtps_epi32(a.v)); }
TS_INLINE VecF to_float(VecI a) { return VecF(_mm256_cvtepi32_ps(a.v)); }
TS_INLINE VecL as_int(VecD a) { return VecL(_mm256_castpd_si256(a.v)); }
TS_INLINE VecD as_float(VecL a) { return VecD(_mm256_castsi256_pd(a.v)); }

// table[i & 7], for i in lanes.
TS_INLINE VecF lookup(const float (&table)[8], VecI i) { return VecF(_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), i.v)); }

TS_INLINE VecF load_f16(const uint16_t* p) { return VecF(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))); }
TS_INLINE VecF load_bf16(const uint16_t* p) {
  return VecF(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16)));
}
TS_INLINE void store_f16(uint16_t* p, VecF v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
TS_INLINE void store_bf16(uint16_t* p, VecF v) {
  const __m256i bits = _mm256_castps_si256(v.v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  rounded = _mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc0), _mm256_castps_si256(is_nan(v).m));
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}

}  // namespace TS_ISA
}  // namespace torchscript
