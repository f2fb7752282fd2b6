// Inner kernels of Winograd convolution (3x3, stride 1), one table an instruction set.
//
// F(m, 3) makes m x m outputs of a tile from (m + 2) x (m + 2) inputs d: Y = A^T [(G g G^T) * (B^T d B)] A, m = 4 with the points
// 0, +-sqrt(1/2), +-sqrt(2) and infinity (their error is about a third of that of 0, +-1, +-2), or m = 2 with 0, +-1 and infinity. The products
// over channels are (m + 2)^2 matrix products on the tiles of gemm/tiles.h; vectors run over tiles.
#pragma once
#include "cpu-avx/conv/inner.h"

namespace torchscript {

// Consecutive tiles of one row of tiles: tile `to + i` of the panel reads the staged image at `from + i`.
struct TileRun {
  int64_t from, out;                 // out: of the run's first pixel, from the start of channel 0 of the output
  int32_t to, count, rows, columns;  // rows and columns of pixels that the output has
};

struct WinogradKernels {
  // Rows [y0, y0 + rows) of a channel with zeros around it, each split by x % m: element x of a row lies at (x % m) * phase + x / m.
  void (*stage)(int m, const float* in, int64_t in_row, int64_t height, int64_t width, int64_t y0, int64_t rows, int64_t pad_left,
                int64_t phase, float* out);
  // V[f][lane] of one channel and one panel of `width` tiles, f at v + f * v_step. Lanes without a tile become zero.
  void (*input)(int m, const float* image, int64_t row, int64_t phase, const TileRun* runs, int nruns, int width, float* v, int64_t v_step);
  // Pixels of one channel and one panel from M[f][lane] at p + f * p_step: out = act(Y + bias + residual), act None, Relu or Relu6. False
  // when a Y is not finite.
  bool (*output)(int m, const float* p, int64_t p_step, int width, float bias, const TileRun* runs, int nruns, float* out,
                 const float* residual, int64_t out_row, Activation activation);
};
struct WinogradTable {
  WinogradKernels f32;
};
TS_ISA_TABLE(WinogradTable, winograd_table);

constexpr int kMaxTileWidth = 64;  // lanes of a panel
// (m + 2) x 3, row-major: G.
inline const double* winograd_filter_matrix(int m) {
  static constexpr double r = 1.4142135623730951;
  static const double four[18] = {1,       0,     0,       -2.0 / 3, -r / 3, -1.0 / 3, -2.0 / 3, r / 3, -1.0 / 3,
                                  1.0 / 6, r / 6, 1.0 / 3, 1.0 / 6,  -r / 6, 1.0 / 3,  0,        0,     1};
  static const double two[12] = {1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1};
  return m == 4 ? four : two;
}

}  // namespace torchscript
