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
  tile_to_points<N>([&](int i, int j) { return load<Whole>(pixels[i * N + j] + c, n); },
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
template <int M, bool Whole> TS_INLINE void output_vector(const OutputTile& o, int64_t c, int n, VecF& bad) {
  constexpr int N = M + 2;
  const VecF zero = VecF::zero(), six(6.0f), shift = o.bias ? load<Whole>(o.bias + c, n) : zero;
  tile_from_points<M>(o.rows, [&](int i, int j) { return load<Whole>(o.p + (i * N + j) * o.p_step + c, n); },
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
template <int M> bool output(const OutputTile& o, int64_t channels) {
  VecF bad = VecF::zero();  // not zero once a value is not finite
  int64_t c = 0;
  for (; c + VecF::kWidth <= channels; c += VecF::kWidth) output_vector<M, true>(o, c, VecF::kWidth, bad);
  if (c < channels) output_vector<M, false>(o, c, static_cast<int>(channels - c), bad);
  return hsum(bad) == 0;
}
bool output_any(int m, const float* p, int64_t p_step, int64_t channels, const float* bias, const float* residual, float* out,
                int64_t out_row, int64_t out_pixel, int rows, int columns, Activation activation) {
  const OutputTile o{p, p_step, bias, residual, out, out_row, out_pixel, rows, columns, activation};
  return m == 4 ? output<4>(o, channels) : output<2>(o, channels);
}

}  // namespace

extern const WinogradLastTable winograd_last_table;
const WinogradLastTable winograd_last_table = {input_any, output_any};

}  // namespace TS_ISA
}  // namespace torchscript
