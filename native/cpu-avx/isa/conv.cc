// Note [ISA units] in binding.gyp. See conv/inner.h for what each kernel does.
#include "cpu-avx/conv/inner.h"

#include "cpu-avx/gemm/lanes.h"
#include "cpu-avx/gemm/transpose.h"

namespace torchscript {
namespace TS_ISA {
namespace {

template <class L>
void pack_pixels(const typename L::T* image, const int64_t* offsets, int64_t taps, const PixelRun* runs, int nruns, typename L::T* panel, int width) {
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
inline void depthwise_block(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight, typename L::T bias, int64_t row_step,
                            Activation activation, typename L::T* out, int64_t columns, int n) {
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
inline void depthwise_rows(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight, typename L::T bias, int64_t row_step,
                           int64_t columns, Activation activation, typename L::T* out) {
  int64_t x = 0;
  for (; x + 2 * L::W <= columns; x += 2 * L::W) depthwise_block<L, Rows, 2, false>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns, 0);
  for (; x + L::W <= columns; x += L::W) depthwise_block<L, Rows, 1, false>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns, 0);
  if (x < columns) depthwise_block<L, Rows, 1, true>(image + x, offsets, taps, weight, bias, row_step, activation, out + x, columns, static_cast<int>(columns - x));
}
template <class L>
void depthwise(const typename L::T* image, const int64_t* offsets, int64_t taps, const typename L::T* weight, typename L::T bias, int64_t row_step,
               int64_t rows, int64_t columns, Activation activation, typename L::T* out) {
  int64_t y = 0;
  for (; y + 4 <= rows; y += 4) depthwise_rows<L, 4>(image + y * row_step, offsets, taps, weight, bias, row_step, columns, activation, out + y * columns);
  for (; y < rows; y++) depthwise_rows<L, 1>(image + y * row_step, offsets, taps, weight, bias, row_step, columns, activation, out + y * columns);
}

template <class L> void split_pairs(const typename L::T* __restrict in, int64_t pairs, typename L::T* __restrict even, typename L::T* __restrict odd) {
  for (int64_t i = 0; i < pairs; i++) {
    even[i] = in[2 * i];
    odd[i] = in[2 * i + 1];
  }
}

template <class L> void transpose(const typename L::T* in, int64_t in_stride, int64_t rows, int64_t columns, typename L::T* out, int64_t out_stride) {
  transpose_block<typename L::T>(in, in_stride, rows, columns, out, out_stride);
}

template <class L> constexpr ConvKernels<typename L::T> kernels() { return {pack_pixels<L>, depthwise<L>, split_pairs<L>, transpose<L>}; }

}  // namespace

extern const ConvTable conv_table;
const ConvTable conv_table = {kernels<LanesF32>(), kernels<LanesF64>()};

}  // namespace TS_ISA
}  // namespace torchscript
