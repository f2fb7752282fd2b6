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
  if (m == 3) return output<3, 6>(o, channels);
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
template <bool Whole> TS_INLINE void strided_vector(const float* const* pixels, int64_t c, int n, float* v, int64_t v_step, int64_t channels) {
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

template <int Py, int Px> void stem_part(const float* image, int64_t row, int64_t phase, int lanes, float* const* v) {
  for (int l = 0; l < lanes; l += VecF::kWidth) {
    tile_to_points<6, 6>(
      [&](int i, int j) { return VecF::load(image + (2 * i + Py) * row + (2 * j + Px) % 6 * phase + (2 * j + Px) / 6 + l); },
      [&](int i, int j, VecF x) {
        if ((Py && i == 5) || (Px && j == 5)) return;
        x.store(v[i * 6 + j] + l);
      });
  }
}
void stem(const float* image, int64_t row, int64_t phase, int py, int px, int lanes, float* const* v) {
  if (py) px ? stem_part<1, 1>(image, row, phase, lanes, v) : stem_part<1, 0>(image, row, phase, lanes, v);
  else px ? stem_part<0, 1>(image, row, phase, lanes, v) : stem_part<0, 0>(image, row, phase, lanes, v);
}

}  // namespace

extern const WinogradLastTable winograd_last_table;
const WinogradLastTable winograd_last_table = {input_any, strided, stem, output_any};

}  // namespace TS_ISA
}  // namespace torchscript
