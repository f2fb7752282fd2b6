// What quantized products and convolutions hand to their kernels.
#pragma once
#include "cuda/kernels/conv_params.h"

namespace torchscript::cuda {

// out = quantized(((sum of (x - x_zero) w) + bias / s) s / out_scale), s = scales[filter] input_scale: per-tensor x, a signed weight whose zero points are
// zero. A linear layer is a convolution of images of one pixel.
struct QuantizedParams {
  ConvMmaParams tiles;      // conv.bias is float; no residual
  const float* scales = nullptr;     // of filters
  const int32_t* sums = nullptr;     // of each filter's weights
  float input_scale = 1, out_scale = 1;
  int32_t x_zero = 0, out_zero = 0, low = 0, high = 0;
};
struct ByteSumsParams {
  const int8_t* from = nullptr;
  int32_t* to = nullptr;
  int32_t rows = 0, columns = 0;
};

}  // namespace torchscript::cuda
