// Vectors of float that windows at a stride of two, and windows at an edge, are read with. Only for units under isa/.
#pragma once
#include "cpu-avx/gemm/lanes.h"

namespace torchscript {
namespace TS_ISA {

// load_range: the lanes lo <= i < hi of a range, 0 in the others; memory outside is not touched. evens and odds: every other element of
// the two vectors. fill_outside: the lanes outside of a range become `fill`.
#if defined(TS_ISA_AVX512)
using LaneRange = __mmask16;
inline LaneRange lane_range(int lo, int hi) { return static_cast<__mmask16>(LanesF32::mask(hi) & ~LanesF32::mask(lo)); }
inline __m512 load_range(const float* p, LaneRange range) { return _mm512_maskz_loadu_ps(range, p); }
inline __m512 fill_outside(__m512 v, LaneRange range, __m512 fill) { return _mm512_mask_blend_ps(range, fill, v); }
inline __m512 evens(__m512 a, __m512 b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b);
}
inline __m512 odds(__m512 a, __m512 b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b);
}
#elif defined(TS_ISA_AVX2)
struct LaneRange {
  __m256i mask;
};
inline LaneRange lane_range(int lo, int hi) { return {_mm256_andnot_si256(LanesF32::mask(lo), LanesF32::mask(hi))}; }
inline __m256 load_range(const float* p, LaneRange range) { return _mm256_maskload_ps(p, range.mask); }
inline __m256 fill_outside(__m256 v, LaneRange range, __m256 fill) { return _mm256_blendv_ps(fill, v, _mm256_castsi256_ps(range.mask)); }
inline __m256 in_order(__m256 v) { return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(v), 0xd8)); }
inline __m256 evens(__m256 a, __m256 b) { return in_order(_mm256_shuffle_ps(a, b, 0x88)); }
inline __m256 odds(__m256 a, __m256 b) { return in_order(_mm256_shuffle_ps(a, b, 0xdd)); }
#else
using LaneRange = bool;
inline LaneRange lane_range(int lo, int hi) { return lo <= 0 && hi > 0; }
inline float load_range(const float* p, LaneRange range) { return range ? *p : 0; }
inline float fill_outside(float v, LaneRange range, float fill) { return range ? v : fill; }
inline float evens(float a, float) { return a; }
inline float odds(float, float b) { return b; }
#endif

// The lanes of columns [column, column + W) that lie inside a row of `width`.
inline LaneRange columns_inside(int64_t column, int64_t width) {
  constexpr int64_t W = LanesF32::W;
  const int64_t left = width - column, lo = column < 0 ? (column < -W ? W : -column) : 0, hi = left < 0 ? 0 : left > W ? W : left;
  return lane_range(static_cast<int>(lo), static_cast<int>(hi < lo ? lo : hi));
}

}  // namespace TS_ISA
}  // namespace torchscript
