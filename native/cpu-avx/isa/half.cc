// Note [ISA units] in binding.gyp. See gemm/half_inner.h for what each kernel does.
#include "cpu-avx/gemm/half_inner.h"

#include "cpu-avx/gemm/lanes.h"
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {
namespace {

using L = LanesF32;
using V = L::V;

// The panels' width is that of the tiles: isa/gemm.cc.
#if defined(TS_ISA_SCALAR)
constexpr int kNV = 8, kRows = 4;
#define TS_NAME "gemm_half_scalar"
#elif defined(TS_ISA_AVX512)
constexpr int kNV = 2, kRows = 14;
#define TS_NAME "gemm_half_avx512"
#else
constexpr int kNV = 2, kRows = 6;
#define TS_NAME "gemm_half_avx2"
#endif
constexpr int NR = kNV * L::W;
// Bytes ahead of the reads, which the processor's own prefetcher does not follow from page to page.
constexpr int kAhead = 4096;

template <HalfStorage S> TS_INLINE V load(const uint16_t* p) {
#if defined(TS_ISA_AVX512)
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  if constexpr (S == HalfStorage::Float16) return _mm512_cvtph_ps(bits);
  else return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
#elif defined(TS_ISA_AVX2)
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  if constexpr (S == HalfStorage::Float16) return _mm256_cvtph_ps(bits);
  else return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
#else
  uint32_t bits;
  float x;
  if constexpr (S == HalfStorage::Float16) {
    const uint32_t magnitude = static_cast<uint32_t>(*p & 0x7fff) << 13;
    __builtin_memcpy(&x, &magnitude, 4);
    x *= 0x1p112f;
    __builtin_memcpy(&bits, &x, 4);
    if ((*p & 0x7c00) == 0x7c00) bits = magnitude | 0x7f800000u;
    bits |= static_cast<uint32_t>(*p & 0x8000) << 16;
  } else {
    bits = static_cast<uint32_t>(*p) << 16;
  }
  __builtin_memcpy(&x, &bits, 4);
  return x;
#endif
}

// Keep: the widened panel goes to `wide`.
template <HalfStorage S, int M, bool Keep>
void rows_of(const float* a, int64_t a_stride, const uint16_t* panel, int64_t k, float* sums, float* wide) {
  // A row or two have too few sums to hide the latency of one: they take several steps of k at a time.
  constexpr int kChains = M == 1 ? 4 : M == 2 ? 2 : 1;
  // Three rows share a pointer, as in gemm.cc.
  constexpr int kGroups = (M + 2) / 3;
  const float* row[kGroups];
#pragma GCC unroll 5
  for (int g = 0; g < kGroups; g++) row[g] = a + 3 * g * a_stride;
  V acc[kChains][M][kNV];
#pragma GCC unroll 4
  for (int c = 0; c < kChains; c++) {
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < kNV; v++) acc[c][i][v] = L::zero();
    }
  }
  int64_t j = 0;
  for (; j + kChains <= k; j += kChains) {
#pragma GCC unroll 4
    for (int at = 0; at < kChains * NR * 2; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(panel) + kAhead + at, 0, 3);
#pragma GCC unroll 4
    for (int c = 0; c < kChains; c++) {
      V b[kNV];
#pragma GCC unroll 8
      for (int v = 0; v < kNV; v++) {
        b[v] = load<S>(panel + c * NR + v * L::W);
        if constexpr (Keep) L::store(wide + c * NR + v * L::W, b[v]);
      }
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
        const V x = L::set1(row[i / 3][i % 3 * a_stride + c]);
#pragma GCC unroll 8
        for (int v = 0; v < kNV; v++) acc[c][i][v] = L::fma(x, b[v], acc[c][i][v]);
      }
    }
    panel += kChains * NR;
    if constexpr (Keep) wide += kChains * NR;
#pragma GCC unroll 5
    for (int g = 0; g < kGroups; g++) row[g] += kChains;
  }
  for (; j < k; j++, panel += NR) {
    if constexpr (Keep) {
#pragma GCC unroll 8
      for (int v = 0; v < kNV; v++) L::store(wide + v * L::W, load<S>(panel + v * L::W));
      wide += NR;
    }
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
      const V x = L::set1(a[i * a_stride + j]);
#pragma GCC unroll 8
      for (int v = 0; v < kNV; v++) acc[0][i][v] = L::fma(x, load<S>(panel + v * L::W), acc[0][i][v]);
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < kNV; v++) {
      V sum = acc[0][i][v];
      if constexpr (kChains == 2) sum = L::add(sum, acc[1][i][v]);
      if constexpr (kChains == 4) sum = L::add(L::add(sum, acc[1][i][v]), L::add(acc[2][i][v], acc[3][i][v]));
      L::store(sums + i * NR + v * L::W, sum);
    }
  }
}

template <HalfStorage S, bool Keep>
void rows_any(const float* a, int64_t a_stride, int rows, const uint16_t* panel, int64_t k, float* sums, float* wide) {
  switch (rows) {
    case 1: return rows_of<S, 1, Keep>(a, a_stride, panel, k, sums, wide);
    case 2: return rows_of<S, 2, Keep>(a, a_stride, panel, k, sums, wide);
    case 3: return rows_of<S, 3, Keep>(a, a_stride, panel, k, sums, wide);
    case 4: return rows_of<S, 4, Keep>(a, a_stride, panel, k, sums, wide);
#if !defined(TS_ISA_SCALAR)
    case 5: return rows_of<S, 5, Keep>(a, a_stride, panel, k, sums, wide);
    case 6: return rows_of<S, 6, Keep>(a, a_stride, panel, k, sums, wide);
#endif
#if defined(TS_ISA_AVX512)
    case 7: return rows_of<S, 7, Keep>(a, a_stride, panel, k, sums, wide);
    case 8: return rows_of<S, 8, Keep>(a, a_stride, panel, k, sums, wide);
    case 9: return rows_of<S, 9, Keep>(a, a_stride, panel, k, sums, wide);
    case 10: return rows_of<S, 10, Keep>(a, a_stride, panel, k, sums, wide);
    case 11: return rows_of<S, 11, Keep>(a, a_stride, panel, k, sums, wide);
    case 12: return rows_of<S, 12, Keep>(a, a_stride, panel, k, sums, wide);
    case 13: return rows_of<S, 13, Keep>(a, a_stride, panel, k, sums, wide);
    case 14: return rows_of<S, 14, Keep>(a, a_stride, panel, k, sums, wide);
#endif
  }
}

template <HalfStorage S>
void rows_as(const float* a, int64_t a_stride, int rows, const uint16_t* panel, int64_t k, float* sums, float* wide) {
  if (wide) rows_any<S, true>(a, a_stride, rows, panel, k, sums, wide);
  else rows_any<S, false>(a, a_stride, rows, panel, k, sums, nullptr);
}
void panel_rows(const float* a, int64_t a_stride, int rows, const uint16_t* panel, int64_t k, HalfStorage storage, float* sums,
                float* wide) {
  if (storage == HalfStorage::Float16) rows_as<HalfStorage::Float16>(a, a_stride, rows, panel, k, sums, wide);
  else rows_as<HalfStorage::BFloat16>(a, a_stride, rows, panel, k, sums, wide);
}

}  // namespace

extern const HalfKernels half_kernels;
const HalfKernels half_kernels = {kRows, TS_NAME, panel_rows};

}  // namespace TS_ISA
}  // namespace torchscript
