// Note [ISA units] in binding.gyp. See conv/narrow_inner.h for what the kernel does.
#include "cpu-avx/conv/narrow_inner.h"

#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;
#if defined(TS_ISA_AVX512)
constexpr int kRows = 14, kPanel = 2;  // rows of a tile, vectors of a panel of B
constexpr char kName[] = "conv_narrow_avx512_14x32";
#elif defined(TS_ISA_AVX2)
constexpr int kRows = 6, kPanel = 2;
constexpr char kName[] = "conv_narrow_avx2_6x16";
#else
constexpr int kRows = 4, kPanel = 8;
constexpr char kName[] = "conv_narrow_scalar_4x8";
#endif

// How the last vector of a tile is: full, its first half (vectors of 16), or of any number of lanes.
enum class Last { Whole, Half, Part };

// Rows [row, row + M) and the NV vectors of columns from `vector` on.
template <int M, int NV, Last L> TS_INLINE void tile(const NarrowProduct& p, int64_t row, int64_t vector) {
  constexpr int kFull = L == Last::Half ? NV - 1 : NV;
  const int lanes = L == Last::Part ? static_cast<int>(p.n - (vector + NV - 1) * W) : W;
  const int64_t column = vector * W;
  VecF acc[M][NV];
#if defined(TS_ISA_AVX512)
  __m256 half[M];
#endif
  // The sums start with the bias.
  for (int v = 0; v < kFull; v++) {
    const VecF start = !p.bias                               ? VecF::zero()
                       : L == Last::Part && v == NV - 1 ? VecF::load_partial(p.bias + column + v * W, lanes)
                                                             : VecF::load(p.bias + column + v * W);
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) acc[i][v] = start;
  }
#if defined(TS_ISA_AVX512)
  if constexpr (L == Last::Half) {
    const __m256 start = p.bias ? _mm256_loadu_ps(p.bias + column + kFull * W) : _mm256_setzero_ps();
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) half[i] = start;
  }
#endif
  // Rows are reached as pointers to groups of three plus 0, 1 or 2 strides.
  constexpr int kGroups = (M + 2) / 3;
  const float* a[kGroups];
  const int64_t s = p.a_row;
#pragma GCC unroll 5
  for (int g = 0; g < kGroups; g++) a[g] = p.a + (row + 3 * g) * s;
  const int64_t depth = p.k;
  const float* b = p.b + vector / kPanel * depth * (kPanel * W) + vector % kPanel * W;
  // A tile of three vectors ends in the next panel of two.
  const float* next = b + depth * (kPanel * W);
  for (int64_t k = 0; k < depth; k++) {
    VecF bv[NV];
#pragma GCC unroll 8
    for (int v = 0; v < kFull; v++) bv[v] = VecF::load(v < kPanel ? b + v * W : next + (v - kPanel) * W);
#if defined(TS_ISA_AVX512)
    __m256 bh;
    if constexpr (L == Last::Half) bh = _mm256_loadu_ps(b + kFull * W);
#endif
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
      const VecF x(a[i / 3][(i % 3) * s]);
#pragma GCC unroll 8
      for (int v = 0; v < kFull; v++) acc[i][v] = fma(x, bv[v], acc[i][v]);
#if defined(TS_ISA_AVX512)
      if constexpr (L == Last::Half) half[i] = _mm256_fmadd_ps(_mm512_castps512_ps256(x.v), bh, half[i]);
#endif
    }
    b += kPanel * W;
    next += kPanel * W;
#pragma GCC unroll 5
    for (int g = 0; g < kGroups; g++) a[g]++;
  }
  float* c = p.c + row * p.c_row + column;
  if (p.residual) {
    const float* add = p.residual + row * p.c_row + column;
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < kFull; v++) {
        const float* from = add + i * p.c_row + v * W;
        acc[i][v] = acc[i][v] + (L == Last::Part && v == NV - 1 ? VecF::load_partial(from, lanes) : VecF::load(from));
      }
#if defined(TS_ISA_AVX512)
      if constexpr (L == Last::Half) half[i] = _mm256_add_ps(half[i], _mm256_loadu_ps(add + i * p.c_row + kFull * W));
#endif
    }
  }
  if (p.activation != Activation::None) {
    // Comparisons that let NaN pass.
    const VecF zero = VecF::zero(), top(p.activation == Activation::Relu6 ? 6.0f : __builtin_inff());
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < kFull; v++) acc[i][v] = min(top, max(zero, acc[i][v]));
#if defined(TS_ISA_AVX512)
      if constexpr (L == Last::Half)
        half[i] = _mm256_min_ps(_mm512_castps512_ps256(top.v), _mm256_max_ps(_mm512_castps512_ps256(zero.v), half[i]));
#endif
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < kFull; v++) {
      float* to = c + i * p.c_row + v * W;
      if (L == Last::Part && v == NV - 1) acc[i][v].store_partial(to, lanes);
      else acc[i][v].store(to);
    }
#if defined(TS_ISA_AVX512)
    if constexpr (L == Last::Half) _mm256_storeu_ps(c + i * p.c_row + kFull * W, half[i]);
#endif
  }
}

// The columns of a product: pairs of vectors, then what is left of them in one tile.
enum class Rest { Nothing, One, OnePart, TwoHalf, TwoPart };
template <int M> __attribute__((noinline)) void row_tile(const NarrowProduct& p, int64_t row, int64_t pairs, Rest rest) {
#if defined(TS_ISA_SCALAR)
  const int64_t vectors = p.n;
  int64_t v = 0;
  for (; v + 8 <= vectors; v += 8) tile<M, 8, Last::Whole>(p, row, v);
  for (; v < vectors; v++) tile<M, 1, Last::Whole>(p, row, v);
#else
  for (int64_t v = 0; v < pairs; v++) tile<M, 2, Last::Whole>(p, row, 2 * v);
  const int64_t v = 2 * pairs;
  switch (rest) {
    case Rest::Nothing: return;
    case Rest::One: return tile<M, 1, Last::Whole>(p, row, v);
    case Rest::OnePart: return tile<M, 1, Last::Part>(p, row, v);
    case Rest::TwoPart: return tile<M, 2, Last::Part>(p, row, v);
#if defined(TS_ISA_AVX512)
    case Rest::TwoHalf: return tile<M, 2, Last::Half>(p, row, v);
#endif
    default: return;
  }
#endif
}
#if defined(TS_ISA_AVX2)
template <int M> __attribute__((noinline)) void row_tile_of_three(const NarrowProduct& p, int64_t row, int64_t vector) {
  tile<M, 3, Last::Whole>(p, row, vector);
}
#endif

template <int M> void any_rows(const NarrowProduct& p, int rows, int64_t row, int64_t pairs, Rest rest) {
  if (rows == M) return row_tile<M>(p, row, pairs, rest);
  if constexpr (M > 1) any_rows<M - 1>(p, rows, row, pairs, rest);
}

void product(const NarrowProduct& p) {
  int64_t pairs = p.n / (2 * W);
  const int left = static_cast<int>(p.n - pairs * 2 * W);
  Rest rest = left == 0 ? Rest::Nothing : left < W ? Rest::OnePart : left == W ? Rest::One : Rest::TwoPart;
#if defined(TS_ISA_AVX512)
  if (left == W + W / 2) rest = Rest::TwoHalf;
#endif
#if defined(TS_ISA_AVX2)
  // A single vector has too few sums: with the pair before it three, and fewer rows.
  const bool three = rest == Rest::One && pairs > 0;
  if (three) {
    pairs--;
    rest = Rest::Nothing;
  }
#endif
  if (pairs > 0 || rest != Rest::Nothing) {
    const int64_t tiles = (p.m + kRows - 1) / kRows;
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t row = p.m * t / tiles;
      any_rows<kRows>(p, static_cast<int>(p.m * (t + 1) / tiles - row), row, pairs, rest);
    }
  }
#if defined(TS_ISA_AVX2)
  if (three) {
    int64_t row = 0;
    for (; row + 4 <= p.m; row += 4) row_tile_of_three<4>(p, row, 2 * pairs);
    if (p.m - row == 3) row_tile_of_three<3>(p, row, 2 * pairs);
    else if (p.m - row == 2) row_tile_of_three<2>(p, row, 2 * pairs);
    else if (p.m - row == 1) row_tile_of_three<1>(p, row, 2 * pairs);
  }
#endif
}

}  // namespace

extern const ConvNarrowTable conv_narrow_table;
const ConvNarrowTable conv_narrow_table = {kName, product};

}  // namespace TS_ISA
}  // namespace torchscript
