// Inner kernels of convolution, one table an instruction set. The products themselves are the tiles of gemm/tiles.h.
#pragma once
#include "cpu-avx/gemm/tiles.h"
#include "kernel.h"

namespace torchscript {

// Runs of consecutive output pixels of one row, within one panel of pixels: pixel `to + i` of the panel reads the staged image at
// `from + i` plus the offset of the tap.
struct PixelRun {
  int64_t from;
  int32_t to, count;
};

// One channel of a depthwise 3x3 convolution without dilation, read where it lies.
struct Depthwise3 {
  const float* in;
  int64_t in_row, height, width;
  int64_t pad_top, pad_left;
  const float* weight;  // [3][3]
  float bias;
  const float* residual;  // as out, or null
  Activation activation;  // None, Relu or Relu6
  float* out;
  int64_t rows, columns;  // of out, contiguous
};

template <class T> struct ConvKernels {
  // panel[k][width] for the `taps` offsets: the implicit im2col of one panel of pixels. Lanes past the last run hold anything, and
  // one vector past the panel may be written.
  void (*pack_pixels)(const T* image, const int64_t* offsets, int64_t taps, const PixelRun* runs, int nruns, T* panel, int width);
  // One channel: out[y][x] = act(bias + sum over taps of weight[t] * image[offsets[t] + y * row_step + x]); act is None, Relu or Relu6.
  void (*depthwise)(const T* image, const int64_t* offsets, int64_t taps, const T* weight, T bias, int64_t row_step, int64_t rows,
                    int64_t columns, Activation activation, T* out);
  // even[i] = in[2 * i], odd[i] = in[2 * i + 1] for i < pairs.
  void (*split_pairs)(const T* in, int64_t pairs, T* even, T* odd);
  // out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < columns.
  void (*transpose)(const T* in, int64_t in_stride, int64_t rows, int64_t columns, T* out, int64_t out_stride);
};

struct ConvTable {
  // stride: 1 or 2, in both directions.
  void (*depthwise3)(const Depthwise3& d, int stride);
  ConvKernels<float> f32;
  ConvKernels<double> f64;
};
TS_ISA_TABLE(ConvTable, conv_table);

template <class T> inline const ConvKernels<T>& conv_kernels();
template <> inline const ConvKernels<float>& conv_kernels<float>() { return conv_table().f32; }
template <> inline const ConvKernels<double>& conv_kernels<double>() { return conv_table().f64; }

}  // namespace torchscript
