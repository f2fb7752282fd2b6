// Vectors of the GEMM micro-kernels: one struct for an element type and the instruction set the including unit is compiled
// for. Only for units under isa/. `load_n` and `store_n` touch the first n lanes, 0 <= n <= W; the rest read as zero.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(TS_ISA_AVX2) || defined(TS_ISA_AVX512)
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's AVX-512 headers read their own undefined vectors on purpose.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#endif

namespace torchscript {
namespace TS_ISA {

#if defined(TS_ISA_AVX512)

struct LanesF32 {
  using T = float;
  using V = __m512;
  static constexpr int W = 16;
  static inline V zero() { return _mm512_setzero_ps(); }
  static inline V set1(T x) { return _mm512_set1_ps(x); }
  static inline V load(const T* p) { return _mm512_loadu_ps(p); }
  static inline void store(T* p, V v) { _mm512_storeu_ps(p, v); }
  static inline __mmask16 mask(int n) { return static_cast<__mmask16>((1u << n) - 1); }
  static inline V load_n(const T* p, int n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static inline void store_n(T* p, V v, int n) { _mm512_mask_storeu_ps(p, mask(n), v); }
  static inline V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static inline V add(V a, V b) { return _mm512_add_ps(a, b); }
  static inline V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static inline V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static inline V relu(V a) { return _mm512_max_ps(_mm512_setzero_ps(), a); }  // NaN and -0 pass
  static inline V min(V a, V b) { return _mm512_min_ps(a, b); }                // b when either is NaN
  static inline V max(V a, V b) { return _mm512_max_ps(a, b); }                // b when either is NaN
  static inline T sum(V a) { return _mm512_reduce_add_ps(a); }
};
struct LanesF64 {
  using T = double;
  using V = __m512d;
  static constexpr int W = 8;
  static inline V zero() { return _mm512_setzero_pd(); }
  static inline V set1(T x) { return _mm512_set1_pd(x); }
  static inline V load(const T* p) { return _mm512_loadu_pd(p); }
  static inline void store(T* p, V v) { _mm512_storeu_pd(p, v); }
  static inline __mmask8 mask(int n) { return static_cast<__mmask8>((1u << n) - 1); }
  static inline V load_n(const T* p, int n) { return _mm512_maskz_loadu_pd(mask(n), p); }
  static inline void store_n(T* p, V v, int n) { _mm512_mask_storeu_pd(p, mask(n), v); }
  static inline V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  static inline V add(V a, V b) { return _mm512_add_pd(a, b); }
  static inline V sub(V a, V b) { return _mm512_sub_pd(a, b); }
  static inline V mul(V a, V b) { return _mm512_mul_pd(a, b); }
  static inline V relu(V a) { return _mm512_max_pd(_mm512_setzero_pd(), a); }
  static inline V min(V a, V b) { return _mm512_min_pd(a, b); }
  static inline V max(V a, V b) { return _mm512_max_pd(a, b); }
  static inline T sum(V a) { return _mm512_reduce_add_pd(a); }
};

#elif defined(TS_ISA_AVX2)

static const int32_t kLaneMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct LanesF32 {
  using T = float;
  using V = __m256;
  static constexpr int W = 8;
  static inline V zero() { return _mm256_setzero_ps(); }
  static inline V set1(T x) { return _mm256_set1_ps(x); }
  static inline V load(const T* p) { return _mm256_loadu_ps(p); }
  static inline void store(T* p, V v) { _mm256_storeu_ps(p, v); }
  static inline __m256i mask(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMask + 8 - n)); }
  static inline V load_n(const T* p, int n) { return _mm256_maskload_ps(p, mask(n)); }
  static inline void store_n(T* p, V v, int n) { _mm256_maskstore_ps(p, mask(n), v); }
  static inline V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static inline V add(V a, V b) { return _mm256_add_ps(a, b); }
  static inline V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static inline V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static inline V relu(V a) { return _mm256_max_ps(_mm256_setzero_ps(), a); }
  static inline V min(V a, V b) { return _mm256_min_ps(a, b); }
  static inline V max(V a, V b) { return _mm256_max_ps(a, b); }
  static inline T sum(V a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
  }
};
struct LanesF64 {
  using T = double;
  using V = __m256d;
  static constexpr int W = 4;
  static inline V zero() { return _mm256_setzero_pd(); }
  static inline V set1(T x) { return _mm256_set1_pd(x); }
  static inline V load(const T* p) { return _mm256_loadu_pd(p); }
  static inline void store(T* p, V v) { _mm256_storeu_pd(p, v); }
  static inline __m256i mask(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMask + 8 - 2 * n)); }
  static inline V load_n(const T* p, int n) { return _mm256_maskload_pd(p, mask(n)); }
  static inline void store_n(T* p, V v, int n) { _mm256_maskstore_pd(p, mask(n), v); }
  static inline V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  static inline V add(V a, V b) { return _mm256_add_pd(a, b); }
  static inline V sub(V a, V b) { return _mm256_sub_pd(a, b); }
  static inline V mul(V a, V b) { return _mm256_mul_pd(a, b); }
  static inline V relu(V a) { return _mm256_max_pd(_mm256_setzero_pd(), a); }
  static inline V min(V a, V b) { return _mm256_min_pd(a, b); }
  static inline V max(V a, V b) { return _mm256_max_pd(a, b); }
  static inline T sum(V a) {
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
  }
};

#else

template <class E> struct LanesOne {
  using T = E;
  using V = E;
  static constexpr int W = 1;
  static inline V zero() { return 0; }
  static inline V set1(T x) { return x; }
  static inline V load(const T* p) { return *p; }
  static inline void store(T* p, V v) { *p = v; }
  static inline V load_n(const T* p, int n) { return n > 0 ? *p : 0; }
  static inline void store_n(T* p, V v, int n) {
    if (n > 0) *p = v;
  }
  static inline V fma(V a, V b, V c) { return a * b + c; }
  static inline V add(V a, V b) { return a + b; }
  static inline V sub(V a, V b) { return a - b; }
  static inline V mul(V a, V b) { return a * b; }
  static inline V relu(V a) { return a < 0 ? 0 : a; }
  static inline V min(V a, V b) { return a < b ? a : b; }
  static inline V max(V a, V b) { return a > b ? a : b; }
  static inline T sum(V a) { return a; }
};
using LanesF32 = LanesOne<float>;
using LanesF64 = LanesOne<double>;

#endif

}  // namespace TS_ISA
}  // namespace torchscript
