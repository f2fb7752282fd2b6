// Floats to quantized integers and back: q = clamp(round_half_even(x * (1 / scale)) + zero_point), x = (q - zero_point) * scale, both in float.
// kernel: cpu-avx/portable/quantize
#include "cuda/kernels/quantize_params.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }
TS_DEVICE float rounded(float x) { return static_cast<float>(rint(static_cast<double>(x))); }

TS_DEVICE int64_t quantized(float v, float inverse, int64_t zero_point, int64_t low, int64_t high) {
  const float q = rounded(__fmul_rn(v, inverse));
  if (q != q) return low;
  const double at = static_cast<double>(q) + static_cast<double>(zero_point);
  return at <= static_cast<double>(low) ? low : at >= static_cast<double>(high) ? high : static_cast<int64_t>(at);
}
TS_DEVICE void store_quantized(int32_t dtype, void* out, int64_t i, int64_t q) {
  if (dtype == kQI32) static_cast<int32_t*>(out)[i] = static_cast<int32_t>(q);
  else static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(q);
}
TS_DEVICE int32_t load_quantized(int32_t dtype, const void* x, int64_t i) {
  if (dtype == kQI32) return static_cast<const int32_t*>(x)[i];
  return dtype == kQI8 ? static_cast<const int8_t*>(x)[i] : static_cast<const uint8_t*>(x)[i];
}
TS_DEVICE int64_t channel_of(const auto& p, int64_t i) { return p.channels > 1 ? i / p.inner % p.channels : 0; }

TS_DEVICE float fake(float v, float scale, int64_t zero_point, int64_t low, int64_t high) {
  const float zero = static_cast<float>(zero_point);
  if (v != v) return static_cast<float>(low - zero_point) * scale;
  float q = rounded(__fmul_rn(v, 1.0f / scale)) + zero;
  q = q < static_cast<float>(low) ? static_cast<float>(low) : q;
  q = q > static_cast<float>(high) ? static_cast<float>(high) : q;
  return (q - zero) * scale;
}

// Parameters that cover a range and represent 0 exactly.
TS_DEVICE void choose(const float* range, bool reduced, double* scale, int64_t* zero_point) {
  const double qmin = 0, qmax = reduced ? 127 : 255;
  float low = range[0] < 0 ? range[0] : 0.0f, high = range[1] > 0 ? range[1] : 0.0f;
  double s = (static_cast<double>(high) - low) / (qmax - qmin);
  if (static_cast<float>(s) == 0.0f || 1.0f / static_cast<float>(s) == INFINITY) s = 0.1;
  const float smallest = 6.1e-5f;
  if (s < static_cast<double>(smallest)) {
    const float original = static_cast<float>(s);
    s = smallest;
    if (low == 0.0f) high = smallest * static_cast<float>(qmax - qmin);
    else if (high == 0.0f) low = -smallest * static_cast<float>(qmax - qmin);
    else low *= smallest / original, high *= smallest / original;
  }
  const double from_low = qmin - low / s, from_high = qmax - high / s;
  const double low_error = fabs(qmin) - fabs(low / s), high_error = fabs(qmax) - fabs(high / s);
  const double initial = low_error < high_error ? from_low : from_high;
  *scale = s;
  *zero_point = initial < qmin ? static_cast<int64_t>(qmin) : initial > qmax ? static_cast<int64_t>(qmax) : static_cast<int64_t>(rint(initial));
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, quantize, const QuantizeParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t c = channel_of(p, i);
    const float v = static_cast<const float*>(p.x)[i], inverse = 1.0f / static_cast<float>(p.scales ? p.scales[c] : p.scale);
    const double zero_point = p.zero_points ? p.zero_points[c] : p.zero_point;
    int64_t q;
    if (p.float_zero_points) {
      const double at = static_cast<double>(rounded(__fadd_rn(__fmul_rn(v, inverse), static_cast<float>(zero_point))));
      q = !(at > static_cast<double>(p.low)) ? p.low : at > static_cast<double>(p.high) ? p.high : static_cast<int64_t>(at);
    } else {
      q = quantized(v, inverse, static_cast<int64_t>(zero_point), p.low, p.high);
    }
    store_quantized(p.dtype, p.out, i, q);
  }
}

TS_GLOBAL_BOUNDS(256, 2, dequantize, const QuantizeParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t c = channel_of(p, i);
    const int32_t q = load_quantized(p.dtype, p.x, i);
    const float scale = static_cast<float>(p.scales ? p.scales[c] : p.scale);
    const double zero_point = p.zero_points ? p.zero_points[c] : p.zero_point;
    static_cast<float*>(p.out)[i] = p.float_zero_points ? (static_cast<float>(q) - static_cast<float>(zero_point)) * scale
                                                        : static_cast<float>(q - static_cast<int64_t>(zero_point)) * scale;
  }
}

TS_GLOBAL_BOUNDS(256, 2, dequantize_centered, const QuantizeParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step())
    static_cast<float*>(p.out)[i] = static_cast<float>(load_quantized(p.dtype, p.x, i)) -
                                    static_cast<float>(p.zero_points ? p.zero_points[channel_of(p, i)] : p.zero_point);
}

TS_GLOBAL_BOUNDS(256, 2, quantize_fake, const QuantizeParams p) {
  double scale = p.scale;
  int64_t zero_point = static_cast<int64_t>(p.zero_point);
  if (p.range) choose(p.range, p.reduce_range != 0, &scale, &zero_point);
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const float v = load_real<float>(p.dtype, p.x, i);
    if (p.range) {
      const float s = static_cast<float>(scale);
      static_cast<float*>(p.out)[i] = static_cast<float>(quantized(v, 1.0f / s, zero_point, 0, 255) - zero_point) * s;
      continue;
    }
    const int64_t c = channel_of(p, i);
    const float of_channel = p.scales ? static_cast<float>(p.scales[c]) : static_cast<float>(scale);
    const int64_t zero = p.zero_points ? static_cast<int64_t>(rint(p.zero_points[c])) : zero_point;
    store_real<float>(p.dtype, p.out, i, fake(v, of_channel, zero, p.low, p.high));
  }
}
TS_GLOBAL_BOUNDS(256, 2, quantize_choose, const QuantizeParams p) {
  if (thread_index() != 0) return;
  double scale;
  int64_t zero_point;
  choose(p.range, p.reduce_range != 0, &scale, &zero_point);
  static_cast<double*>(p.out)[0] = scale;
  static_cast<double*>(p.out)[1] = static_cast<double>(zero_point);
}

TS_GLOBAL_BOUNDS(256, 2, quantize_sums, const RequantizeParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t c = channel_of(p, i);
    const float product = static_cast<float>(p.scales[p.one_scale ? 0 : c]) * static_cast<float>(p.input_scale);
    const float multiplier = product / static_cast<float>(p.scale), offset = p.bias ? p.bias[c] / product : 0.0f;
    store_quantized(p.dtype, p.out, i, quantized(__fadd_rn(p.sums[i], offset), multiplier, p.zero_point, p.low, p.high));
  }
}
TS_GLOBAL_BOUNDS(256, 2, scale_sums, const RequantizeParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t c = channel_of(p, i);
    const float scale = static_cast<float>(p.scales[p.one_scale ? 0 : c] * p.input_scale);
    static_cast<float*>(p.out)[i] = __fadd_rn(__fmul_rn(p.sums[i], scale), p.bias ? p.bias[c] : 0.0f);
  }
}
