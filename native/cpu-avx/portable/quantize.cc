// Conversions between floats and quantized integers, fake quantization, and the choice of quantization parameters.
//
// q = clamp(round_half_even(x * (1 / scale)) + zero_point), x = (q - zero_point) * scale, both in float.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

struct Range {
  int64_t low, high;
};

Range range_of(DType dtype) {
  switch (dtype) {
    case DType::QU8: return {0, 255};
    case DType::QI8: return {-128, 127};
    case DType::QI32: return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    default: fail("Expected a quantized dtype (qint8, quint8, qint32) but received %s", dtype_torch_name(dtype));
  }
}

DType integers_of(DType dtype) {
  switch (dtype) {
    case DType::QU8: return DType::U8;
    case DType::QI8: return DType::I8;
    case DType::QI32: return DType::I32;
    default: fail_dtype("int_repr", dtype);
  }
}

int64_t quantize_value(float v, float inverse_scale, int64_t zero_point, int64_t low, int64_t high) {
  const float rounded = std::nearbyint(v * inverse_scale);
  if (std::isnan(rounded)) return low;
  const double q = static_cast<double>(rounded) + static_cast<double>(zero_point);
  return q <= static_cast<double>(low) ? low : q >= static_cast<double>(high) ? high : static_cast<int64_t>(q);
}

void store(void* out, DType dtype, int64_t i, int64_t q) {
  if (dtype == DType::QI32) static_cast<int32_t*>(out)[i] = static_cast<int32_t>(q);
  else static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(q);
}

void set_quantized(Call& call, const TensorView& self, DType dtype, const QuantParams& params) {
  range_of(dtype);
  output_like(call, 0, self, dtype);
  call.output_quant[0] = params;
  call.outputs[0].quant = &call.output_quant[0];
}

void check_float(const TensorView& self, const char* op) {
  if (self.dtype != DType::F32) fail("%s expects a Float Tensor, got %s", op, dtype_torch_name(self.dtype));
}

double number_or_element(const Arg& arg) {
  if (arg.kind != ArgKind::Tensor) return arg.as_double();
  if (arg.tensor->numel() != 1) fail("Expected a scale and a zero point of one element");
  double v;
  copy_to_dense(&v, DType::F64, *arg.tensor);
  return v;
}

// (self, scale, zero_point, dtype)
void infer_quantize(Call& call) {
  check_float(call.tensor(0), "Quantize only works on Float Tensor: quantize_per_tensor");
  const auto dtype = static_cast<DType>(call.args[3].i);
  QuantParams params;
  params.scale = number_or_element(call.args[1]);
  params.zero_point = static_cast<int64_t>(number_or_element(call.args[2]));
  const Range range = range_of(dtype);
  if (params.zero_point < range.low || params.zero_point > range.high) {
    fail("quantize_tensor_per_tensor_affine zero_point %lld is %s.", static_cast<long long>(params.zero_point),
         params.zero_point < range.low ? "below lower bound" : "above upper bound");
  }
  set_quantized(call, call.tensor(0), dtype, params);
}

void quantize_all(Call& call, bool relu) {
  const TensorView& out = call.outputs[0];
  const QuantParams params = *out.quant;
  Range range = range_of(out.dtype);
  if (relu) range.low = std::max(range.low, params.zero_point);
  const float* source = dense<float>(call, call.tensor(0));
  const float inverse = 1.0f / static_cast<float>(params.scale);
  call.runtime->parallel(out.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      store(out.data, out.dtype, i, quantize_value(source[i], inverse, params.zero_point, range.low, range.high));
  });
}
void run_quantize(Call& call) { quantize_all(call, false); }
void run_quantize_relu(Call& call) { quantize_all(call, true); }

// (self, scales, zero_points, axis, dtype)
void infer_quantize_channels(Call& call) {
  const TensorView &self = call.tensor(0), &scales = call.tensor(1), &zero_points = call.tensor(2);
  check_float(self, "quantize_per_channel");
  const int axis = wrap_dim(call.args[3].i, self.ndim);
  const int64_t n = size_at(self, axis);
  if (scales.numel() != n || zero_points.numel() != n)
    fail("length of scales must equal to channel, expected %lld got, %lld", static_cast<long long>(n),
         static_cast<long long>(scales.numel()));
  auto* values = static_cast<double*>(call.runtime->scratch(static_cast<size_t>(2 * n + 1) * sizeof(double)));
  copy_to_dense(values, DType::F64, scales);
  copy_to_dense(values + n, DType::F64, zero_points);
  QuantParams params;
  params.scheme = is_floating(zero_points.dtype) ? QuantParams::Scheme::PerChannelAffineFloat : QuantParams::Scheme::PerChannelAffine;
  params.axis = axis;
  params.scales = values;
  params.zero_points = values + n;
  set_quantized(call, self, static_cast<DType>(call.args[4].i), params);
}

void run_quantize_channels(Call& call) {
  const TensorView& out = call.outputs[0];
  const QuantParams& params = *out.quant;
  const Range range = range_of(out.dtype);
  const float* source = dense<float>(call, call.tensor(0));
  const int axis = static_cast<int>(params.axis);
  const int64_t n = size_at(out, axis), inner = out.ndim == 0 ? 1 : product(out.sizes, axis + 1, out.ndim);
  for (int64_t i = 0, total = out.numel(); i < total; i++) {
    const int64_t c = i / inner % n;
    if (params.scheme == QuantParams::Scheme::PerChannelAffineFloat) {
      const float inverse = 1.0f / static_cast<float>(params.scales[c]);
      const double q = std::nearbyint(source[i] * inverse + static_cast<float>(params.zero_points[c]));
      store(out.data, out.dtype, i,
            static_cast<int64_t>(std::min(std::max(q, static_cast<double>(range.low)), static_cast<double>(range.high))));
    } else {
      store(out.data, out.dtype, i,
            quantize_value(source[i], 1.0f / static_cast<float>(params.scales[c]), static_cast<int64_t>(params.zero_points[c]), range.low,
                           range.high));
    }
  }
}

// Parameters that cover [low, high] and represent 0 exactly.
QuantParams choose(float low, float high, int64_t qmin, int64_t qmax) {
  low = std::min(low, 0.f);
  high = std::max(high, 0.f);
  QuantParams params;
  double scale = (static_cast<double>(high) - low) / static_cast<double>(qmax - qmin);
  if (static_cast<float>(scale) == 0.0f || std::isinf(1.0f / static_cast<float>(scale))) scale = 0.1;
  constexpr float kSmallest = 6.1e-5f;
  if (scale < kSmallest) {
    const auto original = static_cast<float>(scale);
    scale = kSmallest;
    if (low == 0.0f) high = kSmallest * static_cast<float>(qmax - qmin);
    else if (high == 0.0f) low = -kSmallest * static_cast<float>(qmax - qmin);
    else low *= kSmallest / original, high *= kSmallest / original;
  }
  const double from_low = static_cast<double>(qmin) - low / scale, from_high = static_cast<double>(qmax) - high / scale;
  const double low_error = std::fabs(static_cast<double>(qmin)) - std::fabs(low / scale),
               high_error = std::fabs(static_cast<double>(qmax)) - std::fabs(high / scale);
  const double initial = low_error < high_error ? from_low : from_high;
  params.scale = scale;
  params.zero_point = initial < static_cast<double>(qmin)   ? qmin
                      : initial > static_cast<double>(qmax) ? qmax
                                                            : static_cast<int64_t>(std::nearbyint(initial));
  return params;
}

QuantParams choose_for(const TensorView& self, Range range, bool reduce_range) {
  std::vector<float> values(static_cast<size_t>(self.numel()));
  copy_to_dense(values.data(), DType::F32, self);
  float low = 0, high = 0;
  if (!values.empty()) low = high = values[0];
  for (const float v : values) low = std::min(low, v), high = std::max(high, v);
  if (!std::isfinite(low) || !std::isfinite(high))
    fail("Expected finite values to choose quantization parameters for but received %g and %g", static_cast<double>(low),
         static_cast<double>(high));
  if (reduce_range) range.low /= 2, range.high /= 2;
  return choose(low, high, range.low, range.high);
}

// (self, dtype, reduce_range)
void infer_quantize_dynamic(Call& call) {
  check_float(call.tensor(0), "quantize_per_tensor_dynamic");
  const auto dtype = static_cast<DType>(call.args[1].i);
  if (dtype != DType::QU8 && dtype != DType::QI8) fail("dtype %s not supported", dtype_torch_name(dtype));
  set_quantized(call, call.tensor(0), dtype, choose_for(call.tensor(0), range_of(dtype), call.args[2].b));
}

// choose_qparams: (self, reduce_range) gives scale and zero point as a tensor of two doubles.
void infer_choose(Call& call) {
  const int64_t n = 2;
  call.set_output(0, DType::F64, &n, 1);
}
void run_choose(Call& call) {
  const QuantParams params = choose_for(call.tensor(0), {0, 255}, call.args[1].b);
  call.outputs[0].ptr<double>()[0] = params.scale;
  call.outputs[0].ptr<double>()[1] = static_cast<double>(params.zero_point);
}

// fake_quantize_dynamic: (self, reduce_range): quantized to 8 bits with parameters of its own range, and back.
void infer_fake_dynamic(Call& call) {
  check_float(call.tensor(0), "dynamic quantization");
  output_like(call, 0, call.tensor(0));
}
void run_fake_dynamic(Call& call) {
  const QuantParams params = choose_for(call.tensor(0), {0, 255}, call.args[1].b);
  const float *source = dense<float>(call, call.tensor(0)), scale = static_cast<float>(params.scale), inverse = 1.0f / scale;
  float* out = call.outputs[0].ptr<float>();
  for (int64_t i = 0, n = call.outputs[0].numel(); i < n; i++)
    out[i] = static_cast<float>(quantize_value(source[i], inverse, params.zero_point, 0, 255) - params.zero_point) * scale;
}

void infer_dequantize(Call& call) {
  output_like(call, 0, call.tensor(0), is_quantized(call.tensor(0).dtype) ? DType::F32 : call.tensor(0).dtype);
}

// Four-bit elements lie two in a byte, the even one in the low half, over the whole row-major tensor.
int64_t four_bits(const TensorView& self, int64_t i) { return (self.ptr<uint8_t>()[i / 2] >> (i % 2 * 4)) & 15; }

void run_dequantize(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (!is_quantized(self.dtype)) return copy_to_dense(out.data, out.dtype, self);
  if (self.quant == nullptr) fail("dequantize: the quantized tensor has no quantization parameters");
  const QuantParams& params = *self.quant;
  const int64_t n = out.numel();
  const bool packed = self.dtype == DType::QU4x2;
  if (packed && !self.is_contiguous()) fail("dequantize: 4-bit tensors must be contiguous");
  std::vector<int32_t> values(static_cast<size_t>(n));
  if (packed)
    for (int64_t i = 0; i < n; i++) values[static_cast<size_t>(i)] = static_cast<int32_t>(four_bits(self, i));
  else copy_to_dense(values.data(), DType::I32, self);
  const bool channels = params.scheme != QuantParams::Scheme::PerTensorAffine;
  const int axis = static_cast<int>(params.axis);
  const int64_t count = channels ? size_at(self, axis) : 1,
                inner = channels && self.ndim > 0 ? product(self.sizes, axis + 1, self.ndim) : 1;
  float* result = out.ptr<float>();
  call.runtime->parallel(n, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t c = channels ? i / inner % count : 0;
      const auto scale = static_cast<float>(channels ? params.scales[c] : params.scale);
      if (params.scheme == QuantParams::Scheme::PerChannelAffineFloat)
        result[i] = (static_cast<float>(values[i]) - static_cast<float>(params.zero_points[c])) * scale;
      else result[i] = static_cast<float>(values[i] - (channels ? static_cast<int64_t>(params.zero_points[c]) : params.zero_point)) * scale;
    }
  });
}

// quantized_centered: q - zero_point as floats, whose products and sums are those of the integers while they stay below 2^24.
void run_centered(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (self.quant == nullptr) fail("the quantized tensor has no quantization parameters");
  const QuantParams& params = *self.quant;
  TensorView plain = self;
  plain.dtype = integers_of(self.dtype);
  copy_to_dense(out.data, DType::F32, plain);
  const bool channels = params.scheme != QuantParams::Scheme::PerTensorAffine;
  const int axis = static_cast<int>(params.axis);
  const int64_t count = channels ? size_at(self, axis) : 1,
                inner = channels && self.ndim > 0 ? product(self.sizes, axis + 1, self.ndim) : 1;
  if (!channels && params.zero_point == 0) return;
  float* result = out.ptr<float>();
  call.runtime->parallel(out.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      result[i] -= static_cast<float>(channels ? params.zero_points[i / inner % count] : static_cast<double>(params.zero_point));
  });
}

// Sums of integer products to their values or to quantized ones: (sums, weight_scales, bias, input_scale, axis[, scale, zero_point, dtype, relu]).
// Channels lie along `axis`, counted from the front or the end.
struct Channels {
  int64_t count, inner;
  const double* scales;
  bool one_scale;
  const float* bias;
};

Channels channels_of(Call& call) {
  const TensorView &sums = call.tensor(0), &scales = call.tensor(1);
  const int axis = wrap_dim(call.args[4].i, sums.ndim);
  Channels c{size_at(sums, axis), sums.ndim == 0 ? 1 : product(sums.sizes, axis + 1, sums.ndim),
             static_cast<const double*>(dense(call, scales, DType::F64)), scales.numel() == 1, nullptr};
  if (!c.one_scale && scales.numel() != c.count)
    fail("Expected a weight scale for each of %lld channels but received %lld", static_cast<long long>(c.count),
         static_cast<long long>(scales.numel()));
  if (const TensorView* bias = call.optional_tensor(2)) {
    if (bias->numel() != c.count)
      fail("Expected a bias for each of %lld channels but received %lld", static_cast<long long>(c.count),
           static_cast<long long>(bias->numel()));
    c.bias = static_cast<const float*>(dense(call, *bias, DType::F32));
  }
  return c;
}

void infer_scale_sums(Call& call) { output_like(call, 0, call.tensor(0)); }
void run_scale_sums(Call& call) {
  const Channels c = channels_of(call);
  const float* sums = dense<float>(call, call.tensor(0));
  const double input_scale = call.args[3].as_double();
  for (int64_t i = 0, n = call.outputs[0].numel(); i < n; i++) {
    const int64_t k = i / c.inner % c.count;
    call.outputs[0].ptr<float>()[i] =
      sums[i] * static_cast<float>(c.scales[c.one_scale ? 0 : k] * input_scale) + (c.bias != nullptr ? c.bias[k] : 0.f);
  }
}

void infer_requantize_sums(Call& call) {
  const auto dtype = static_cast<DType>(call.args[7].i);
  QuantParams params;
  params.scale = call.args[5].as_double();
  params.zero_point = call.args[6].as_int();
  set_quantized(call, call.tensor(0), dtype, params);
}
void run_requantize_sums(Call& call) {
  const Channels c = channels_of(call);
  const TensorView& out = call.outputs[0];
  const float* sums = dense<float>(call, call.tensor(0));
  const double input_scale = call.args[3].as_double(), scale = out.quant->scale;
  const int64_t zero_point = out.quant->zero_point;
  Range range = range_of(out.dtype);
  if (call.args[8].b) range.low = std::max(range.low, zero_point);
  std::vector<float> multiplier(static_cast<size_t>(c.count)), offset(static_cast<size_t>(c.count), 0.f);
  for (int64_t k = 0; k < c.count; k++) {
    const float product_scale = static_cast<float>(c.scales[c.one_scale ? 0 : k]) * static_cast<float>(input_scale);
    multiplier[static_cast<size_t>(k)] = product_scale / static_cast<float>(scale);
    if (c.bias != nullptr) offset[static_cast<size_t>(k)] = c.bias[k] / product_scale;
  }
  call.runtime->parallel(out.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const auto k = static_cast<size_t>(i / c.inner % c.count);
      store(out.data, out.dtype, i, quantize_value(sums[i] + offset[k], multiplier[k], zero_point, range.low, range.high));
    }
  });
}

void infer_int_repr(Call& call) { output_like(call, 0, call.tensor(0), integers_of(call.tensor(0).dtype)); }
void run_int_repr(Call& call) {
  TensorView plain = call.tensor(0);
  plain.dtype = call.outputs[0].dtype;
  copy_to_dense(call.outputs[0].data, plain.dtype, plain);
}

// Integers given quantization parameters: (self, scale, zero_point) or (self, scales, zero_points, axis)
DType quantized_of(DType dtype) {
  switch (dtype) {
    case DType::U8: return DType::QU8;
    case DType::I8: return DType::QI8;
    case DType::I32: return DType::QI32;
    default: fail_dtype("_make_per_tensor_quantized_tensor", dtype);
  }
}
void infer_make(Call& call) {
  QuantParams params;
  params.scale = call.args[1].as_double();
  params.zero_point = call.args[2].as_int();
  set_quantized(call, call.tensor(0), quantized_of(call.tensor(0).dtype), params);
}
void run_make(Call& call) {
  TensorView plain = call.outputs[0];
  plain.dtype = call.tensor(0).dtype;
  copy_view(plain, call.tensor(0));
}
void infer_make_channels(Call& call) {
  const TensorView& self = call.tensor(0);
  const int axis = wrap_dim(call.args[3].i, self.ndim);
  const int64_t n = size_at(self, axis);
  if (call.tensor(1).numel() != n || call.tensor(2).numel() != n) fail("length of scales must equal to channel");
  auto* values = static_cast<double*>(call.runtime->scratch(static_cast<size_t>(2 * n + 1) * sizeof(double)));
  copy_to_dense(values, DType::F64, call.tensor(1));
  copy_to_dense(values + n, DType::F64, call.tensor(2));
  QuantParams params;
  params.scheme = QuantParams::Scheme::PerChannelAffine;
  params.axis = axis;
  params.scales = values;
  params.zero_points = values + n;
  set_quantized(call, self, quantized_of(self.dtype), params);
}

// (self, scale, zero_point, quant_min, quant_max) and (self, scale, zero_point, axis, quant_min, quant_max)
void infer_fake(Call& call) {
  const TensorView& self = call.tensor(0);
  if (!is_floating(self.dtype)) fail_dtype("fake_quantize", self.dtype);
  output_like(call, 0, self);
}

float fake(float v, float scale, float inverse, int64_t zero_point, int64_t low, int64_t high) {
  if (std::isnan(v)) return static_cast<float>(low - zero_point) * scale;
  const float q = std::nearbyint(v * inverse + static_cast<float>(0)) + static_cast<float>(zero_point);
  return (std::min(std::max(q, static_cast<float>(low)), static_cast<float>(high)) - static_cast<float>(zero_point)) * scale;
}

void run_fake(Call& call) {
  const int64_t low = call.args[3].i, high = call.args[4].i, zero_point = static_cast<int64_t>(number_or_element(call.args[2]));
  if (low > high) fail("`quant_min` should be less than or equal to `quant_max`.");
  const auto scale = static_cast<float>(number_or_element(call.args[1]));
  const float inverse = 1.0f / scale, *source = static_cast<const float*>(dense(call, call.tensor(0), DType::F32));
  dispatch_floating(call.outputs[0].dtype, "fake_quantize", [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0, n = call.outputs[0].numel(); i < n; i++)
      call.outputs[0].ptr<T>()[i] = T(fake(source[i], scale, inverse, zero_point, low, high));
  });
}

void infer_fake_channels(Call& call) {
  infer_fake(call);
  const int64_t n = size_at(call.tensor(0), wrap_dim(call.args[3].i, call.tensor(0).ndim));
  if (call.tensor(1).numel() != n || call.tensor(2).numel() != n)
    fail("dimensions of scale and zero-point are not consistent with input tensor");
}

void run_fake_channels(Call& call) {
  const TensorView& out = call.outputs[0];
  const int axis = wrap_dim(call.args[3].i, out.ndim);
  const int64_t low = call.args[4].i, high = call.args[5].i, count = size_at(out, axis),
                inner = out.ndim == 0 ? 1 : product(out.sizes, axis + 1, out.ndim);
  const float *source = static_cast<const float*>(dense(call, call.tensor(0), DType::F32)),
              *scales = static_cast<const float*>(dense(call, call.tensor(1), DType::F32));
  const double* zero_points = static_cast<const double*>(dense(call, call.tensor(2), DType::F64));
  dispatch_floating(out.dtype, "fake_quantize", [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0, n = out.numel(); i < n; i++) {
      const int64_t c = i / inner % count;
      out.ptr<T>()[i] = T(fake(source[i], scales[c], 1.0f / scales[c], static_cast<int64_t>(std::nearbyint(zero_points[c])), low, high));
    }
  });
}

}  // namespace

TS_KERNEL(quantize_per_tensor, {.infer = infer_quantize, .run = run_quantize});
TS_KERNEL(quantize_per_tensor_relu, {.infer = infer_quantize, .run = run_quantize_relu});
TS_KERNEL(quantize_per_tensor_qparams, {.infer = infer_quantize, .run = run_quantize, .data_dependent = true});
TS_KERNEL(quantize_per_channel, {.infer = infer_quantize_channels, .run = run_quantize_channels, .data_dependent = true});
TS_KERNEL(quantize_per_tensor_dynamic, {.infer = infer_quantize_dynamic, .run = run_quantize, .data_dependent = true});
TS_KERNEL(choose_qparams, {.infer = infer_choose, .run = run_choose});
TS_KERNEL(fake_quantize_dynamic, {.infer = infer_fake_dynamic, .run = run_fake_dynamic});
TS_KERNEL(dequantize, {.infer = infer_dequantize, .run = run_dequantize, .quantized = true});
TS_KERNEL(quantized_centered, {.infer = infer_dequantize, .run = run_centered, .quantized = true});
TS_KERNEL(scale_sums, {.infer = infer_scale_sums, .run = run_scale_sums});
TS_KERNEL(requantize_sums, {.infer = infer_requantize_sums, .run = run_requantize_sums});
TS_KERNEL(int_repr, {.infer = infer_int_repr, .run = run_int_repr, .quantized = true});
TS_KERNEL(make_per_tensor_quantized, {.infer = infer_make, .run = run_make});
TS_KERNEL(make_per_channel_quantized, {.infer = infer_make_channels, .run = run_make, .data_dependent = true});
TS_KERNEL(fake_quantize_per_tensor_affine, {.infer = infer_fake, .run = run_fake});
TS_KERNEL(fake_quantize_per_channel_affine, {.infer = infer_fake_channels, .run = run_fake_channels});

}  // namespace torchscript::portable
