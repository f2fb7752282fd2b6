// Parameters of quantize.cu. Channel c of element i is i / inner % channels.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

struct QuantizeParams {
  void* out = nullptr;
  const void* x = nullptr;
  const double* scales = nullptr;       // of channels, or null: `scale`
  const double* zero_points = nullptr;  // of channels, or null: `zero_point`
  const float* range = nullptr;         // the lowest and the highest value, which give scale and zero point; or null
  int64_t n = 0, inner = 1, channels = 1;
  double scale = 1, zero_point = 0;
  int64_t low = 0, high = 0;
  int32_t dtype = 0;               // of quantized elements; of elements of fake quantization
  int32_t float_zero_points = 0;   // added before rounding
  int32_t reduce_range = 0;
};

// Sums of integer products to values or to quantized elements.
struct RequantizeParams {
  void* out = nullptr;
  const float* sums = nullptr;
  const double* scales = nullptr;  // of weights
  const float* bias = nullptr;     // or null
  int64_t n = 0, inner = 1, channels = 1;
  double input_scale = 1, scale = 1;
  int64_t zero_point = 0, low = 0, high = 0;
  int32_t one_scale = 0, dtype = 0;
};

}  // namespace torchscript::cuda
