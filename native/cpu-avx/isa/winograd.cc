// Note [ISA units] in binding.gyp. See conv/winograd_inner.h for what each kernel does.
#include "cpu-avx/conv/winograd_inner.h"

#include "cpu-avx/conv/winograd_points.h"

namespace torchscript {
namespace TS_ISA {
namespace {

template <int M>
void stage(const float* in, int64_t in_row, int64_t height, int64_t width, int64_t y0, int64_t rows, int64_t pad_left, int64_t phase,
           float* out) {
  constexpr int64_t kChunk = 512;  // columns at a time
  float line[M * kChunk + VecF::kWidth];
  for (int64_t r = 0; r < rows; r++, out += M * phase) {
    const int64_t y = y0 + r;
    if (y < 0 || y >= height) {
      for (int64_t i = 0; i < M * phase; i++) out[i] = 0;
      continue;
    }
    const float* from = in + y * in_row;
    for (int64_t c0 = 0; c0 < phase; c0 += kChunk) {
      const int64_t columns = phase - c0 < kChunk ? phase - c0 : kChunk, x0 = c0 * M - pad_left, x1 = x0 + columns * M;
      const int64_t first = x0 < 0 ? 0 : x0, last = x1 < width ? x1 : width;
      int64_t x = x0;
      for (; x < first && x < x1; x++) line[x - x0] = 0;
      for (; x + VecF::kWidth <= last; x += VecF::kWidth) VecF::load(from + x).store(line + (x - x0));
      for (; x < last; x++) line[x - x0] = from[x];
      for (; x < x1; x++) line[x - x0] = 0;
      float* __restrict to = out + c0;
      for (int64_t i = 0; i < columns; i++) {
        for (int p = 0; p < M; p++) to[p * phase + i] = line[i * M + p];
      }
    }
  }
}
void stage_any(int m, const float* in, int64_t in_row, int64_t height, int64_t width, int64_t y0, int64_t rows, int64_t pad_left,
               int64_t phase, float* out) {
  if (m == 6) stage<6>(in, in_row, height, width, y0, rows, pad_left, phase, out);
  else if (m == 4) stage<4>(in, in_row, height, width, y0, rows, pad_left, phase, out);
  else stage<2>(in, in_row, height, width, y0, rows, pad_left, phase, out);
}

template <int M>
void input(const float* image, int64_t row, int64_t phase, const TileRun* runs, int nruns, int width, float* v, int64_t v_step) {
  constexpr int N = M + 2;
  alignas(64) float gathered[N * N * kMaxTileWidth + 64];
  const float* tap[N * N];
  bool in_place = nruns == 1 && runs[0].count == width;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) tap[i * N + j] = image + i * row + j % M * phase + j / M;
  }
  if (in_place) {
    for (int t = 0; t < N * N; t++) tap[t] += runs[0].from;
  } else {
    const TileRun& end = runs[nruns - 1];
    const int filled = end.to + end.count;
    for (int t = 0; t < N * N; t++) {
      float* to = gathered + t * width;
      // Runs are in order: what a whole vector writes past its run is overwritten by the next run or the next tap.
      for (int r = 0; r < nruns; r++) {
        const float* p = tap[t] + runs[r].from;
        float* q = to + runs[r].to;
        for (int left = runs[r].count; left > 0; left -= VecF::kWidth, p += VecF::kWidth, q += VecF::kWidth) VecF::load(p).store(q);
      }
      for (int i = filled; i < width; i++) to[i] = 0;
      tap[t] = to;
    }
  }
  for (int g = 0; g < width; g += VecF::kWidth) {
    tile_to_points<N, N>([&](int i, int j) { return VecF::load(tap[i * N + j] + g); },
                      [&](int i, int j, VecF x) { x.store(v + (i * N + j) * v_step + g); });
  }
}
void input_any(int m, const float* image, int64_t row, int64_t phase, const TileRun* runs, int nruns, int width, float* v, int64_t v_step) {
  if (m == 4) input<4>(image, row, phase, runs, nruns, width, v, v_step);
  else input<2>(image, row, phase, runs, nruns, width, v, v_step);
}

TS_INLINE VecF clamped(VecF x, Activation activation) {
  if (activation != Activation::None) x = select(x < VecF::zero(), VecF::zero(), x);
  if (activation == Activation::Relu6) x = select(x > VecF(6.0f), VecF(6.0f), x);
  return x;
}

template <int M>
bool output(const float* m, int64_t m_step, int width, float bias, const TileRun* runs, int nruns, float* out, const float* residual,
            int64_t out_row, Activation activation) {
  constexpr int N = M + 2;
  alignas(64) float lines[M][M * kMaxTileWidth];
  alignas(64) float part[M][kMaxTileWidth];
  VecF bad = VecF::zero();  // not zero once a value is not finite
  const VecF zero = VecF::zero(), shift(bias);
  for (int g = 0; g < width; g += VecF::kWidth) {
    tile_from_points<M, M + 2>(M, [&](int i, int j) { return VecF::load(m + (i * N + j) * m_step + g); },
                        [&](int i, const VecF(&y)[M]) {
#pragma GCC unroll 4
                          for (int j = 0; j < M; j++) {
                            bad = fma(y[j], zero, bad);
                            (y[j] + shift).store(part[j]);
                          }
                          float* __restrict line = lines[i] + g * M;
                          for (int k = 0; k < VecF::kWidth; k++) {
                            for (int j = 0; j < M; j++) line[k * M + j] = part[j][k];
                          }
                        });
  }
  for (int r = 0; r < nruns; r++) {
    const TileRun& run = runs[r];
    for (int i = 0; i < run.rows; i++) {
      const float* from = lines[i] + run.to * M;
      float* to = out + run.out + i * out_row;
      const float* add = residual ? residual + run.out + i * out_row : nullptr;
      int x = 0;
      for (; x + VecF::kWidth <= run.columns; x += VecF::kWidth) {
        VecF y = VecF::load(from + x);
        if (add) y = y + VecF::load(add + x);
        clamped(y, activation).store(to + x);
      }
      if (x < run.columns) {
        const int n = run.columns - x;
        VecF y = VecF::load_partial(from + x, n);
        if (add) y = y + VecF::load_partial(add + x, n);
        clamped(y, activation).store_partial(to + x, n);
      }
    }
  }
  return hsum(bad) == 0;
}
bool output_any(int m, const float* p, int64_t p_step, int width, float bias, const TileRun* runs, int nruns, float* out,
                const float* residual, int64_t out_row, Activation activation) {
  return m == 4 ? output<4>(p, p_step, width, bias, runs, nruns, out, residual, out_row, activation)
                : output<2>(p, p_step, width, bias, runs, nruns, out, residual, out_row, activation);
}

}  // namespace

extern const WinogradTable winograd_table;
const WinogradTable winograd_table = {{stage_any, input_any, output_any}};

}  // namespace TS_ISA
}  // namespace torchscript
