// Transposition of blocks, for units under isa/.
#pragma once
#include "cpu-avx/gemm/lanes.h"

namespace torchscript {
namespace TS_ISA {

#if defined(TS_ISA_AVX2) || defined(TS_ISA_AVX512)
// 8 rows of 8 floats become 8 columns: out[j * out_stride + i] = row i's element j.
inline void transpose8_registers(__m256 (&r)[8], float* out, int64_t out_stride) {
  __m256 t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + i * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + (i + 4) * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}
// 8 rows of 8 floats from `in` (rows in_stride apart).
inline void transpose8(const float* in, int64_t in_stride, float* out, int64_t out_stride) {
  __m256 r[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(in + i * in_stride);
  transpose8_registers(r, out, out_stride);
}
// `rows` <= Width rows become Width columns of a panel, zeros past `rows`. Width is 6 or 14: stores of 8 floats overlap in order, and those of the
// last columns go through a buffer to stay inside of the panel.
template <int Width> void transpose_to_panel(const float* in, int64_t in_stride, int rows, int64_t columns, float* panel) {
  static_assert(Width == 6 || (Width >= 8 && Width <= 16));
  constexpr int kSecond = Width > 8 ? Width - 8 : 0;
  auto eight_columns = [&](const float* from, float* to) {
    __m256 r[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) r[i] = i < rows && i < Width ? _mm256_loadu_ps(from + i * in_stride) : _mm256_setzero_ps();
    transpose8_registers(r, to, Width);
    if (Width > 8) {
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) r[i] = kSecond + i < rows ? _mm256_loadu_ps(from + (kSecond + i) * in_stride) : _mm256_setzero_ps();
      transpose8_registers(r, to + kSecond, Width);
    }
  };
  int64_t j = 0;
  for (; j + 8 < columns; j += 8) eight_columns(in + j, panel + j * Width);
  if (j + 8 == columns) {
    float block[8 * Width + 2];
    eight_columns(in + j, block);
    for (int i = 0; i < 8 * Width; i++) panel[j * Width + i] = block[i];
    j += 8;
  }
  for (; j < columns; j++) {
    for (int i = 0; i < Width; i++) panel[j * Width + i] = i < rows ? in[i * in_stride + j] : 0;
  }
}
#endif

// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < columns.
template <class T> inline void transpose_block(const T* in, int64_t in_stride, int64_t rows, int64_t columns, T* out, int64_t out_stride) {
  int64_t i = 0;
#if defined(TS_ISA_AVX2) || defined(TS_ISA_AVX512)
  if constexpr (sizeof(T) == 4) {
    for (; i + 8 <= rows; i += 8) {
      int64_t j = 0;
      for (; j + 8 <= columns; j += 8) transpose8(in + i * in_stride + j, in_stride, out + j * out_stride + i, out_stride);
      for (; j < columns; j++) {
        for (int r = 0; r < 8; r++) out[j * out_stride + i + r] = in[(i + r) * in_stride + j];
      }
    }
  }
#endif
  for (; i + 4 <= rows; i += 4) {
    const T* p = in + i * in_stride;
    for (int64_t j = 0; j < columns; j++) {
      T* to = out + j * out_stride + i;
      to[0] = p[j];
      to[1] = p[in_stride + j];
      to[2] = p[2 * in_stride + j];
      to[3] = p[3 * in_stride + j];
    }
  }
  for (; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) out[j * out_stride + i] = in[i * in_stride + j];
  }
}

}  // namespace TS_ISA
}  // namespace torchscript
