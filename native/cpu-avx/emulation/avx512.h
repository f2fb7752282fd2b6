// AVX-512 intrinsics without AVX-512: included before everything else of the avx512 units (-include) when binding.gyp has emulate_avx512=1,
// so that scripts/test-avx512-emulated.sh can run them on processors without the instructions. A build for tests: slow, never published.
//
// SIMDe (Debian: libsimde-dev) emulates what it knows under the intrinsics' own names. What it lacks, or emulates with other values than
// the hardware's, is defined below. An intrinsic that neither has is a compile error, because the units have no -mavx512 flag.
#pragma once
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>
#include <stdint.h>

#if defined(__AVX512F__)
#error "The emulation is for units without -mavx512 flags"
#endif

namespace {
namespace avx512_emulation {

#define TS_EMULATED inline __attribute__((always_inline))

template <class T, int n> struct Lanes { T at[n]; };
using F = Lanes<float, 16>;
using D = Lanes<double, 8>;
using I = Lanes<int32_t, 16>;
using L = Lanes<int64_t, 8>;
template <class Half> struct Halves { Half low, high; };
template <class To, class From> TS_EMULATED To as(From x) { return __builtin_bit_cast(To, x); }

// Masked elements are not touched.
template <class Whole, class T, int n> TS_EMULATED Whole load(unsigned mask, const void* p) {
  Lanes<T, n> r = {};
  for (int i = 0; i < n; i++) {
    if (mask >> i & 1) __builtin_memcpy(&r.at[i], static_cast<const T*>(p) + i, sizeof(T));
  }
  return as<Whole>(r);
}
template <class T, int n, class Whole> TS_EMULATED void store(void* p, unsigned mask, Whole v) {
  const Lanes<T, n> a = as<Lanes<T, n>>(v);
  for (int i = 0; i < n; i++) {
    if (mask >> i & 1) __builtin_memcpy(static_cast<T*>(p) + i, &a.at[i], sizeof(T));
  }
}

// The compiler's order: halves of the vector onto each other until one lane is left.
template <class T, int n, class Combine> TS_EMULATED T reduce(Lanes<T, n> a, Combine combine) {
  for (int width = n / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) a.at[i] = combine(a.at[i], a.at[i + width]);
  }
  return a.at[0];
}
template <class T, int n> TS_EMULATED T reduce_add(Lanes<T, n> a) {
  return reduce(a, [](T x, T y) { return x + y; });
}
template <class T, int n> TS_EMULATED T reduce_max(Lanes<T, n> a) {
  return reduce(a, [](T x, T y) { return x > y ? x : y; });
}
template <class T, int n> TS_EMULATED T reduce_min(Lanes<T, n> a) {
  return reduce(a, [](T x, T y) { return x < y ? x : y; });
}

template <class T, int n, class Compare> TS_EMULATED unsigned compare(Lanes<T, n> a, Lanes<T, n> b, Compare holds) {
  unsigned mask = 0;
  for (int i = 0; i < n; i++) mask |= static_cast<unsigned>(holds(a.at[i], b.at[i])) << i;
  return mask;
}

template <int k> TS_EMULATED __m512i srai_epi32(__m512i v) {
  I a = as<I>(v);
  for (int32_t& x : a.at) x >>= k > 31 ? 31 : k;
  return as<__m512i>(a);
}
template <int k> TS_EMULATED __m512i srai_epi64(__m512i v) {
  L a = as<L>(v);
  for (int64_t& x : a.at) x >>= k > 63 ? 63 : k;
  return as<__m512i>(a);
}

// x * 2^floor(n) with one rounding, denormals kept. The factors are exact in double precision.
TS_EMULATED __m512 scalef_ps(__m512 v, __m512 exponents) {
  F a = as<F>(v);
  const F n = as<F>(exponents);
  for (int i = 0; i < 16; i++) {
    if (n.at[i] != n.at[i]) {
      a.at[i] = n.at[i];
      continue;
    }
    const float clamped = n.at[i] > 400 ? 400 : n.at[i] < -400 ? -400 : n.at[i];
    const int64_t exponent = static_cast<int64_t>(__builtin_floorf(clamped)) + 1023;
    a.at[i] = static_cast<float>(static_cast<double>(a.at[i]) * as<double>(exponent << 52));
  }
  return as<__m512>(a);
}

// Two instructions of half the width.
TS_EMULATED __m512i cvttps_epi32(__m512 v) {
  const auto a = as<Halves<__m256>>(v);
  return as<__m512i>(Halves<__m256i>{_mm256_cvttps_epi32(a.low), _mm256_cvttps_epi32(a.high)});
}
TS_EMULATED __m512i cvtps_epi32(__m512 v) {
  const auto a = as<Halves<__m256>>(v);
  return as<__m512i>(Halves<__m256i>{_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high)});
}
TS_EMULATED __m512 cvtepi32_ps(__m512i v) {
  const auto a = as<Halves<__m256i>>(v);
  return as<__m512>(Halves<__m256>{_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)});
}
TS_EMULATED __m512 cvtph_ps(__m256i v) {
  const auto a = as<Halves<__m128i>>(v);
  return as<__m512>(Halves<__m256>{_mm256_cvtph_ps(a.low), _mm256_cvtph_ps(a.high)});
}
template <int rounding> TS_EMULATED __m256i cvtps_ph(__m512 v) {
  const auto a = as<Halves<__m256>>(v);
  return as<__m256i>(Halves<__m128i>{_mm256_cvtps_ph(a.low, rounding), _mm256_cvtps_ph(a.high, rounding)});
}
TS_EMULATED __m512i cvtepu16_epi32(__m256i v) {
  const auto a = as<Halves<__m128i>>(v);
  return as<__m512i>(Halves<__m256i>{_mm256_cvtepu16_epi32(a.low), _mm256_cvtepu16_epi32(a.high)});
}
TS_EMULATED __m256i cvtepi32_epi16(__m512i v) {
  const I a = as<I>(v);
  Lanes<int16_t, 16> r;
  for (int i = 0; i < 16; i++) r.at[i] = static_cast<int16_t>(a.at[i]);
  return as<__m256i>(r);
}
template <int rounding> TS_EMULATED __m512 roundscale_ps(__m512 v) {
  static_assert((rounding & 0xf0) == 0, "Only whole numbers are emulated");
  const auto a = as<Halves<__m256>>(v);
  return as<__m512>(Halves<__m256>{_mm256_round_ps(a.low, rounding), _mm256_round_ps(a.high, rounding)});
}
template <int rounding> TS_EMULATED __m512d roundscale_pd(__m512d v) {
  static_assert((rounding & 0xf0) == 0, "Only whole numbers are emulated");
  const auto a = as<Halves<__m256d>>(v);
  return as<__m512d>(Halves<__m256d>{_mm256_round_pd(a.low, rounding), _mm256_round_pd(a.high, rounding)});
}
TS_EMULATED __m512 sqrt_ps(__m512 v) {
  const auto a = as<Halves<__m256>>(v);
  return as<__m512>(Halves<__m256>{_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)});
}
TS_EMULATED __m512d sqrt_pd(__m512d v) {
  const auto a = as<Halves<__m256d>>(v);
  return as<__m512d>(Halves<__m256d>{_mm256_sqrt_pd(a.low), _mm256_sqrt_pd(a.high)});
}
// 1 / v with a mantissa of 14 bits: within 2^-14, as the instruction is.
TS_EMULATED __m512 rcp14_ps(__m512 v) {
  auto a = as<F>(v);
  for (float& x : a.at) {
    const float r = 1.0f / x;
    if (r == r) x = as<float>(as<uint32_t>(r) & ~uint32_t{511});
    else x = r;
  }
  return as<__m512>(a);
}
// Each index chooses among the four elements of its 128 bits.
TS_EMULATED __m512 permutevar_ps(__m512 v, __m512i index) {
  const auto a = as<F>(v);
  const auto at = as<I>(index);
  F r;
  for (int i = 0; i < 16; i++) r.at[i] = a.at[(i & ~3) | (at.at[i] & 3)];
  return as<__m512>(r);
}
template <class Whole> TS_EMULATED void stream(void* p, Whole v) { __builtin_memcpy(p, &v, sizeof v); }
// The second operand when either is NaN or both are zeros.
TS_EMULATED __m512 max_ps(__m512 x, __m512 y) {
  const auto a = as<Halves<__m256>>(x), b = as<Halves<__m256>>(y);
  return as<__m512>(Halves<__m256>{_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)});
}
TS_EMULATED __m512d max_pd(__m512d x, __m512d y) {
  const auto a = as<Halves<__m256d>>(x), b = as<Halves<__m256d>>(y);
  return as<__m512d>(Halves<__m256d>{_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)});
}
TS_EMULATED __m512 min_ps(__m512 x, __m512 y) {
  const auto a = as<Halves<__m256>>(x), b = as<Halves<__m256>>(y);
  return as<__m512>(Halves<__m256>{_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)});
}
TS_EMULATED __m512d min_pd(__m512d x, __m512d y) {
  const auto a = as<Halves<__m256d>>(x), b = as<Halves<__m256d>>(y);
  return as<__m512d>(Halves<__m256d>{_mm256_min_pd(a.low, b.low), _mm256_min_pd(a.high, b.high)});
}

TS_EMULATED __m128i maskz_set1_epi8(unsigned mask, char value) {
  Lanes<char, 16> r;
  for (int i = 0; i < 16; i++) r.at[i] = mask >> i & 1 ? value : 0;
  return as<__m128i>(r);
}
TS_EMULATED unsigned test_epi8_mask(__m128i a, __m128i b) {
  return compare(as<Lanes<char, 16>>(a), as<Lanes<char, 16>>(b), [](char x, char y) { return (x & y) != 0; });
}

#undef TS_EMULATED

}  // namespace avx512_emulation
}  // namespace

#define TS_EMULATION avx512_emulation

#undef _mm512_maskz_loadu_ps
#undef _mm512_maskz_loadu_pd
#undef _mm512_maskz_loadu_epi32
#undef _mm512_maskz_loadu_epi64
#undef _mm512_mask_storeu_ps
#undef _mm512_mask_storeu_pd
#undef _mm512_mask_storeu_epi32
#undef _mm512_mask_storeu_epi64
#define _mm512_maskz_loadu_ps(mask, p) TS_EMULATION::load<__m512, float, 16>(mask, p)
#define _mm512_maskz_loadu_pd(mask, p) TS_EMULATION::load<__m512d, double, 8>(mask, p)
#define _mm512_maskz_loadu_epi32(mask, p) TS_EMULATION::load<__m512i, int32_t, 16>(mask, p)
#define _mm512_maskz_loadu_epi64(mask, p) TS_EMULATION::load<__m512i, int64_t, 8>(mask, p)
#define _mm512_mask_storeu_ps(p, mask, v) TS_EMULATION::store<float, 16>(p, mask, v)
#define _mm512_mask_storeu_pd(p, mask, v) TS_EMULATION::store<double, 8>(p, mask, v)
#define _mm512_mask_storeu_epi32(p, mask, v) TS_EMULATION::store<int32_t, 16>(p, mask, v)
#define _mm512_mask_storeu_epi64(p, mask, v) TS_EMULATION::store<int64_t, 8>(p, mask, v)

#undef _mm512_reduce_add_ps
#undef _mm512_reduce_add_pd
#undef _mm512_reduce_max_ps
#undef _mm512_reduce_max_pd
#undef _mm512_reduce_min_ps
#undef _mm512_reduce_min_pd
#define _mm512_reduce_add_ps(v) TS_EMULATION::reduce_add(TS_EMULATION::as<TS_EMULATION::F>(v))
#define _mm512_reduce_add_pd(v) TS_EMULATION::reduce_add(TS_EMULATION::as<TS_EMULATION::D>(v))
#define _mm512_reduce_max_ps(v) TS_EMULATION::reduce_max(TS_EMULATION::as<TS_EMULATION::F>(v))
#define _mm512_reduce_max_pd(v) TS_EMULATION::reduce_max(TS_EMULATION::as<TS_EMULATION::D>(v))
#define _mm512_reduce_min_ps(v) TS_EMULATION::reduce_min(TS_EMULATION::as<TS_EMULATION::F>(v))
#define _mm512_reduce_min_pd(v) TS_EMULATION::reduce_min(TS_EMULATION::as<TS_EMULATION::D>(v))

#define TS_EMULATED_COMPARE(lanes, mask, a, b, op)                                                                            \
  static_cast<mask>(TS_EMULATION::compare(TS_EMULATION::as<TS_EMULATION::lanes>(a), TS_EMULATION::as<TS_EMULATION::lanes>(b), \
                                          [](auto x, auto y) { return x op y; }))
#undef _mm512_cmpeq_epi32_mask
#undef _mm512_cmpeq_epi64_mask
#undef _mm512_cmpneq_epi32_mask
#undef _mm512_cmpneq_epi64_mask
#undef _mm512_cmplt_epi32_mask
#undef _mm512_cmplt_epi64_mask
#undef _mm512_cmple_epi32_mask
#undef _mm512_cmple_epi64_mask
#undef _mm512_cmpgt_epi32_mask
#undef _mm512_cmpgt_epi64_mask
#undef _mm512_cmpge_epi32_mask
#undef _mm512_cmpge_epi64_mask
#define _mm512_cmpeq_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, ==)
#define _mm512_cmpeq_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, ==)
#define _mm512_cmpneq_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, !=)
#define _mm512_cmpneq_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, !=)
#define _mm512_cmplt_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, <)
#define _mm512_cmplt_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, <)
#define _mm512_cmple_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, <=)
#define _mm512_cmple_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, <=)
#define _mm512_cmpgt_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, >)
#define _mm512_cmpgt_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, >)
#define _mm512_cmpge_epi32_mask(a, b) TS_EMULATED_COMPARE(I, __mmask16, a, b, >=)
#define _mm512_cmpge_epi64_mask(a, b) TS_EMULATED_COMPARE(L, __mmask8, a, b, >=)

#undef _mm512_srai_epi32
#undef _mm512_srai_epi64
#undef _mm512_scalef_ps
#undef _mm512_cvttps_epi32
#undef _mm512_cvtps_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_cvtph_ps
#undef _mm512_cvtps_ph
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepi32_epi16
#undef _mm512_roundscale_ps
#undef _mm512_roundscale_pd
#undef _mm512_rcp14_ps
#undef _mm512_permutevar_ps
#undef _mm512_stream_ps
#undef _mm512_stream_pd
#undef _mm512_sqrt_ps
#undef _mm512_sqrt_pd
#undef _mm512_max_ps
#undef _mm512_max_pd
#undef _mm512_min_ps
#undef _mm512_min_pd
#undef _mm_maskz_set1_epi8
#undef _mm_test_epi8_mask
#define _mm512_srai_epi32(v, k) TS_EMULATION::srai_epi32<(k)>(v)
#define _mm512_srai_epi64(v, k) TS_EMULATION::srai_epi64<(k)>(v)
#define _mm512_scalef_ps(v, n) TS_EMULATION::scalef_ps(v, n)
#define _mm512_cvttps_epi32(v) TS_EMULATION::cvttps_epi32(v)
#define _mm512_cvtps_epi32(v) TS_EMULATION::cvtps_epi32(v)
#define _mm512_cvtepi32_ps(v) TS_EMULATION::cvtepi32_ps(v)
#define _mm512_cvtph_ps(v) TS_EMULATION::cvtph_ps(v)
#define _mm512_cvtps_ph(v, rounding) TS_EMULATION::cvtps_ph<(rounding)>(v)
#define _mm512_cvtepu16_epi32(v) TS_EMULATION::cvtepu16_epi32(v)
#define _mm512_cvtepi32_epi16(v) TS_EMULATION::cvtepi32_epi16(v)
#define _mm512_roundscale_ps(v, rounding) TS_EMULATION::roundscale_ps<(rounding)>(v)
#define _mm512_roundscale_pd(v, rounding) TS_EMULATION::roundscale_pd<(rounding)>(v)
#define _mm512_rcp14_ps(v) TS_EMULATION::rcp14_ps(v)
#define _mm512_permutevar_ps(v, index) TS_EMULATION::permutevar_ps(v, index)
#define _mm512_stream_ps(p, v) TS_EMULATION::stream(p, v)
#define _mm512_stream_pd(p, v) TS_EMULATION::stream(p, v)
#define _mm512_sqrt_ps(v) TS_EMULATION::sqrt_ps(v)
#define _mm512_sqrt_pd(v) TS_EMULATION::sqrt_pd(v)
#define _mm512_max_ps(a, b) TS_EMULATION::max_ps(a, b)
#define _mm512_max_pd(a, b) TS_EMULATION::max_pd(a, b)
#define _mm512_min_ps(a, b) TS_EMULATION::min_ps(a, b)
#define _mm512_min_pd(a, b) TS_EMULATION::min_pd(a, b)
#define _mm_maskz_set1_epi8(mask, value) TS_EMULATION::maskz_set1_epi8(mask, value)
#define _mm_test_epi8_mask(a, b) static_cast<__mmask16>(TS_EMULATION::test_epi8_mask(a, b))
