// Note [ISA units] in binding.gyp. See conv/inner.h for what each kernel does.
#include "cpu-avx/conv/inner.h"

#include "cpu-avx/conv/lanes_pairs.h"
#include "cpu-avx/gemm/lanes.h"
#include "cpu-avx/gemm/transpose.h"

namespace torchscript {
namespace TS_ISA {
namespace {

template <class L>
void pack_pixels(const typename L::T* image, const int64_t* offsets, int64_t taps, const PixelRun* runs, int nruns, typename L::T* panel,
                 int width) {
  using T = typename L::T;
  // A run ends with a partial load and a whole store: what it writes too much is overwritten by the next run or the next tap.
  if (nruns == 1 && runs[0].count == width && width % L::W == 0) {
    const T* from = image + runs[0].from;
    for (int64_t k = 0; k < taps; k++) {
      const T* p = from + offsets[k];
      T* to = panel + k * width;
      for (int v = 0; v < width; v += L::W) L::store(to + v, L::load(p + v));
    }
    return;
  }
  for (int64_t k = 0; k < taps; k++) {
    const T* base = image + offsets[k];
    T* to = panel + k * width;
    for (int r = 0; r < nruns; r++) {
      const T* p = base + runs[r].from;
      T* q = to + runs[r].to;
      int left = runs[r].count;
      for (; left >= L::W; left -= L::W, p += L::W, q += L::W) L::store(q, L::load(p));
      if (left > 0) L::store(q, L::load_n(p, left));
    }
  }
}

// Columns in blocks of kBlock vectors and rows in pairs, so that a weight is broadcast once for several vectors.
template <class L, int Rows, int Block, bool Partial>
inline void depthwise_block(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight,
                            typename L::T bias, int64_t row_step, Activation activation, typename L::T* out, int64_t columns, int n) {
  using V = typename L::V;
  V acc[Rows][Block];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
    for (int b = 0; b < Block; b++) acc[r][b] = L::set1(bias);
  }
  for (int64_t t = 0; t < taps; t++) {
    const typename L::T* p = image + offsets[t];
    const V w = L::set1(weight[t]);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
      for (int b = 0; b < Block; b++) {
        acc[r][b] = L::fma(w, Partial ? L::load_n(p + r * row_step, n) : L::load(p + r * row_step + b * L::W), acc[r][b]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
    for (int b = 0; b < Block; b++) {
      if (activation != Activation::None) acc[r][b] = L::relu(acc[r][b]);
      if (activation == Activation::Relu6) acc[r][b] = L::min(L::set1(6), acc[r][b]);
      if (Partial) L::store_n(out + r * columns, acc[r][b], n);
      else L::store(out + r * columns + b * L::W, acc[r][b]);
    }
  }
}
template <class L, int Rows>
inline void depthwise_rows(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight,
                           typename L::T bias, int64_t row_step, int64_t columns, Activation activation, typename L::T* out) {
  int64_t x = 0;
  for (; x + 2 * L::W <= columns; x += 2 * L::W)
    depthwise_block<L, Rows, 2, false>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns, 0);
  for (; x + L::W <= columns; x += L::W)
    depthwise_block<L, Rows, 1, false>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns, 0);
  if (x < columns)
    depthwise_block<L, Rows, 1, true>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns,
                                      static_cast<int>(columns - x));
}
template <class L>
void depthwise(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight, typename L::T bias,
               int64_t row_step, int64_t rows, int64_t columns, Activation activation, typename L::T* out) {
  int64_t y = 0;
  for (; y + 4 <= rows; y += 4)
    depthwise_rows<L, 4>(image + y * row_step, offsets, taps, weight, bias, row_step, columns, activation, out + y * columns);
  for (; y < rows; y++)
    depthwise_rows<L, 1>(image + y * row_step, offsets, taps, weight, bias, row_step, columns, activation, out + y * columns);
}

// Rows [y, y + Rows) and one vector of columns from x on, some of whose windows pass the row's ends when Edge: every row of the input is read once for all rows of the output that see it.
template <int Stride, int Rows, bool Edge>
inline void depthwise3_block(const Depthwise3& d, const LanesF32::V (&w)[9], const LaneRange (&inside)[4], int64_t y, int64_t x, int n) {
  using L = LanesF32;
  using V = L::V;
  V acc[Rows];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; r++) acc[r] = L::set1(d.bias);
  auto load = [&](int i, const float* p) { return Edge ? load_range(p, inside[i]) : L::load(p); };
  const int64_t column = x * Stride - d.pad_left, top = y * Stride - d.pad_top;
#pragma GCC unroll 9
  for (int i = 0; i < (Rows - 1) * Stride + 3; i++) {
    const int64_t at = top + i;
    V tap[3] = {L::zero(), L::zero(), L::zero()};
    if (at >= 0 && at < d.height) {
      const float* row = d.in + at * d.in_row;
      if constexpr (Stride == 1) {
#pragma GCC unroll 3
        for (int j = 0; j < 3; j++) tap[j] = load(j, row + column + j);
      } else {
        const V a = load(0, row + column), b = load(1, row + column + L::W);
        tap[0] = evens(a, b);
        tap[1] = odds(a, b);
        tap[2] = evens(load(2, row + column + 2), load(3, row + column + L::W + 2));
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < Rows; r++) {
      const int k = i - r * Stride;
      if (k < 0 || k > 2) continue;
#pragma GCC unroll 3
      for (int j = 0; j < 3; j++) acc[r] = L::fma(w[3 * k + j], tap[j], acc[r]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; r++) {
    const int64_t to = (y + r) * d.columns + x;
    if (d.residual) acc[r] = L::add(acc[r], n == L::W ? L::load(d.residual + to) : L::load_n(d.residual + to, n));
    if (d.activation != Activation::None) acc[r] = L::relu(acc[r]);
    if (d.activation == Activation::Relu6) acc[r] = L::min(L::set1(6), acc[r]);
    if (n == L::W) L::store(d.out + to, acc[r]);
    else L::store_n(d.out + to, acc[r], n);
  }
}
template <int Stride, int Rows> inline void depthwise3_rows(const Depthwise3& d, const LanesF32::V (&w)[9], int64_t y) {
  constexpr int64_t W = LanesF32::W, span = Stride == 1 ? W + 2 : 2 * W + 2;
  for (int64_t x = 0; x < d.columns; x += W) {
    const int64_t column = x * Stride - d.pad_left, left = d.columns - x;
    const int n = static_cast<int>(left < W ? left : W);
    LaneRange inside[4] = {};
    if (column < 0 || column + span > d.width) {
      for (int i = 0; i < 4; i++) inside[i] = columns_inside(column + (Stride == 1 ? i : i / 2 * 2 + i % 2 * W), d.width);
      depthwise3_block<Stride, Rows, true>(d, w, inside, y, x, n);
    } else {
      depthwise3_block<Stride, Rows, false>(d, w, inside, y, x, n);
    }
  }
}
template <int Stride> void depthwise3_plane(const Depthwise3& d) {
  LanesF32::V w[9];
  for (int i = 0; i < 9; i++) w[i] = LanesF32::set1(d.weight[i]);
  int64_t y = 0;
  for (; y + 4 <= d.rows; y += 4) depthwise3_rows<Stride, 4>(d, w, y);
  if (d.rows - y == 3) depthwise3_rows<Stride, 3>(d, w, y);
  else if (d.rows - y == 2) depthwise3_rows<Stride, 2>(d, w, y);
  else if (d.rows - y == 1) depthwise3_rows<Stride, 1>(d, w, y);
}
void depthwise3(const Depthwise3& d, int stride) {
  if (stride == 1) depthwise3_plane<1>(d);
  else depthwise3_plane<2>(d);
}

template <class L>
void split_pairs(const typename L::T* __restrict in, int64_t pairs, typename L::T* __restrict even, typename L::T* __restrict odd) {
  for (int64_t i = 0; i < pairs; i++) {
    even[i] = in[2 * i];
    odd[i] = in[2 * i + 1];
  }
}

template <class L>
void transpose(const typename L::T* in, int64_t in_stride, int64_t rows, int64_t columns, typename L::T* out, int64_t out_stride) {
  transpose_block<typename L::T>(in, in_stride, rows, columns, out, out_stride);
}

template <class L> constexpr ConvKernels<typename L::T> kernels() { return {pack_pixels<L>, depthwise<L>, split_pairs<L>, transpose<L>}; }

}  // namespace

extern const ConvTable conv_table;
const ConvTable conv_table = {depthwise3, kernels<LanesF32>(), kernels<LanesF64>()};

}  // namespace TS_ISA
}  // namespace torchscript
