// Note [ISA units] in binding.gyp. See conv/last_inner.h for what each kernel does.
#include "cpu-avx/conv/last_inner.h"
#include "cpu-avx/conv/winograd_points.h"

namespace torchscript {
namespace TS_ISA {
namespace {

template <bool Whole> TS_INLINE VecF load(const float* p, int n) { return Whole ? VecF::load(p) : VecF::load_partial(p, n); }
template <bool Whole> TS_INLINE void store(VecF x, float* p, int n) {
  if (Whole) x.store(p);
  else x.store_partial(p, n);
}

template <int M, bool Whole> TS_INLINE void input_vector(const float* const* pixels, int64_t c, int n, float* v, int64_t v_step) {
  constexpr int N = M + 2;
  tile_to_points<N, N>([&](int i, int j) { return load<Whole>(pixels[i * N + j] + c, n); },
                    [&](int i, int j, VecF x) { store<Whole>(x, v + (i * N + j) * v_step + c, n); });
}
template <int M> void input(const float* const* pixels, int64_t channels, float* v, int64_t v_step) {
  int64_t c = 0;
  for (; c + VecF::kWidth <= channels; c += VecF::kWidth) input_vector<M, true>(pixels, c, VecF::kWidth, v, v_step);
  if (c < channels) input_vector<M, false>(pixels, c, static_cast<int>(channels - c), v, v_step);
}
void input_any(int m, const float* const* pixels, int64_t channels, float* v, int64_t v_step) {
  if (m == 4) input<4>(pixels, channels, v, v_step);
  else input<2>(pixels, channels, v, v_step);
}

struct OutputTile {
  const float* p;
  int64_t p_step;
  const float* bias;
  const float* residual;
  float* out;
  int64_t out_row, out_pixel;
  int rows, columns;
  Activation activation;
};
template <int M, int N, bool Whole> TS_INLINE void output_vector(const OutputTile& o, int64_t c, int n, VecF& bad) {
  const VecF zero = VecF::zero(), six(6.0f), shift = o.bias ? load<Whole>(o.bias + c, n) : zero;
  tile_from_points<M, N>(o.rows, [&](int i, int j) { return load<Whole>(o.p + (i * N + j) * o.p_step + c, n); },
                      [&](int i, const VecF(&y)[M]) {
#pragma GCC unroll 4
                        for (int j = 0; j < M; j++) {
                          bad = fma(y[j], zero, bad);
                          if (j >= o.columns) continue;
                          const int64_t to = i * o.out_row + j * o.out_pixel + c;
                          VecF x = y[j] + shift;
                          if (o.residual) x = x + load<Whole>(o.residual + to, n);
                          if (o.activation != Activation::None) x = select(x < zero, zero, x);
                          if (o.activation == Activation::Relu6) x = select(x > six, six, x);
                          store<Whole>(x, o.out + to, n);
                        }
                      });
}
template <int M, int N> bool output(const OutputTile& o, int64_t channels) {
  VecF bad = VecF::zero();  // not zero once a value is not finite
  int64_t c = 0;
  for (; c + VecF::kWidth <= channels; c += VecF::kWidth) output_vector<M, N, true>(o, c, VecF::kWidth, bad);
  if (c < channels) output_vector<M, N, false>(o, c, static_cast<int>(channels - c), bad);
  return hsum(bad) == 0;
}
bool output_any(int m, int n, const float* p, int64_t p_step, int64_t channels, const float* bias, const float* residual, float* out,
                int64_t out_row, int64_t out_pixel, int rows, int columns, Activation activation) {
  const OutputTile o{p, p_step, bias, residual, out, out_row, out_pixel, rows, columns, activation};
  if (m == 4) return output<4, 6>(o, channels);
  return n == 4 ? output<2, 4>(o, channels) : output<2, 3>(o, channels);
}

// Rows of parity Py and columns of parity Px of the 5 x 5 pixels that a tile reads.
template <int Py, int Px, bool Whole>
TS_INLINE void strided_part(const float* const* pixels, int64_t c, int n, float* v, int64_t v_step, int64_t channels) {
  tile_to_points<3 - Py, 3 - Px>([&](int i, int j) { return load<Whole>(pixels[(2 * i + Py) * 5 + 2 * j + Px] + c, n); },
                                 [&](int i, int j, VecF x) {
                                   // Terms of a point: (py, px, channel) of the parities that it has.
                                   const int part = Py * (j < 2 ? 2 : 1) + Px;
                                   store<Whole>(x, v + (i * 3 + j) * v_step + part * channels + c, n);
                                 });
}
template <bool Whole>
TS_INLINE void strided_vector(const float* const* pixels, int64_t c, int n, float* v, int64_t v_step, int64_t channels) {
  strided_part<0, 0, Whole>(pixels, c, n, v, v_step, channels);
  strided_part<0, 1, Whole>(pixels, c, n, v, v_step, channels);
  strided_part<1, 0, Whole>(pixels, c, n, v, v_step, channels);
  strided_part<1, 1, Whole>(pixels, c, n, v, v_step, channels);
}
void strided(const float* const* pixels, int64_t channels, float* v, int64_t v_step) {
  int64_t c = 0;
  for (; c + VecF::kWidth <= channels; c += VecF::kWidth) strided_vector<true>(pixels, c, VecF::kWidth, v, v_step, channels);
  if (c < channels) strided_vector<false>(pixels, c, static_cast<int>(channels - c), v, v_step, channels);
}

constexpr int kGroup = StemGroup::kTiles;
// Lanes to the places of their tiles: `to` is that of the first of a group.
TS_INLINE void store_tiles(VecF x, float* to, int64_t group_step) {
#if defined(TS_ISA_AVX512)
  _mm256_storeu_ps(to, _mm512_castps512_ps256(x.v));
  _mm256_storeu_ps(to + group_step, _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x.v), 1)));
#else
  x.store(to);
  static_cast<void>(group_step);
#endif
}
template <int Py, int Px>
void stem_part(const float* image, int64_t row, int64_t phase, int64_t tiles, float* v, const int64_t* offsets, int64_t group_step) {
  for (int64_t l = 0; l < tiles; l += VecF::kWidth) {
    float* to = v + l / kGroup * group_step + l % kGroup;
    tile_to_points<6, 6>(
      [&](int i, int j) { return VecF::load(image + (2 * i + Py) * row + (2 * j + Px) % 6 * phase + (2 * j + Px) / 6 + l); },
      [&](int i, int j, VecF x) {
        if ((Py && i == 5) || (Px && j == 5)) return;
        store_tiles(x, to + offsets[i * 6 + j], group_step);
      });
  }
}
void stem(const float* image, int64_t row, int64_t phase, int py, int px, int64_t tiles, float* v, const int64_t* offsets,
          int64_t group_step) {
  if (py) {
    if (px) stem_part<1, 1>(image, row, phase, tiles, v, offsets, group_step);
    else stem_part<1, 0>(image, row, phase, tiles, v, offsets, group_step);
  } else {
    if (px) stem_part<0, 1>(image, row, phase, tiles, v, offsets, group_step);
    else stem_part<0, 0>(image, row, phase, tiles, v, offsets, group_step);
  }
}

// Products of the points of T tiles and a vector of filters: [point][tile].
template <int T> void stem_products(const StemGroup& g, float* p) {
  const float *v = g.v, *u = g.u;
  for (int f = 0; f < 36; f++, p += kGroup * VecF::kWidth) {
    VecF acc[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) acc[t] = VecF::zero();
    const int64_t terms = g.channels * (f < 30 ? 2 : 1) * (f % 6 < 5 ? 2 : 1);
    for (int64_t k = 0; k < terms; k++, v += kGroup, u += VecF::kWidth) {
      const VecF b = VecF::load(u);
#pragma GCC unroll 8
      for (int t = 0; t < T; t++) acc[t] = fma(VecF(v[t]), b, acc[t]);
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) acc[t].store(p + t * VecF::kWidth);
  }
}
template <int T> void stem_products_of(const StemGroup& g, float* p) {
  if (g.tiles == T) return stem_products<T>(g, p);
  if constexpr (T > 1) stem_products_of<T - 1>(g, p);
}
bool stem_group(const StemGroup& g) {
  alignas(64) float products[36 * kGroup * VecF::kWidth];
  stem_products_of<kGroup>(g, products);
  OutputTile o{products, kGroup * VecF::kWidth, g.bias, nullptr, nullptr, g.out_row, g.out_pixel, g.rows, 3, g.activation};
  VecF bad = VecF::zero();
  for (int t = 0; t < g.tiles; t++, o.p += VecF::kWidth) {
    const int64_t left = g.columns - 3 * t, to = 3 * t * g.out_pixel;
    o.columns = left < 3 ? static_cast<int>(left) : 3;
    o.out = g.out + to;
    o.residual = g.residual ? g.residual + to : nullptr;
    if (g.filters == VecF::kWidth) output_vector<3, 6, true>(o, 0, VecF::kWidth, bad);
    else output_vector<3, 6, false>(o, 0, g.filters, bad);
  }
  return hsum(bad) == 0;
}

}  // namespace

extern const WinogradLastTable winograd_last_table;
const WinogradLastTable winograd_last_table = {input_any, strided, stem, stem_group, output_any};

}  // namespace TS_ISA
}  // namespace torchscript
