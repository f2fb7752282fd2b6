// Quantized tensors on the device: quantize, dequantize, fake quantization, and the sums of integer products, which are exact in float.
#include <vector>

#include "cpu-avx/reduce_driver.h"
#include "cuda/kernels/quantize_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

void range_of(DType t, int64_t* low, int64_t* high) {
  *low = t == DType::QU8 ? 0 : t == DType::QI8 ? -128 : INT32_MIN;
  *high = t == DType::QU8 ? 255 : t == DType::QI8 ? 127 : INT32_MAX;
}
bool is_plain_quantized(DType t) { return t == DType::QU8 || t == DType::QI8 || t == DType::QI32; }

// Scale and zero point of a quantized tensor; those of channels in memory of the device, which is this object's.
class Parameters {
 public:
  Parameters(QuantizeParams& p, const TensorView& t) {
    if (!t.quant) fail("the quantized tensor has no quantization parameters");
    const QuantParams& q = *t.quant;
    p.scale = q.scale;
    p.zero_point = static_cast<double>(q.zero_point);
    p.dtype = static_cast<int32_t>(t.dtype);
    if (q.scheme == QuantParams::Scheme::PerTensorAffine) return;
    p.channels = t.ndim == 0 ? 1 : t.sizes[q.axis];
    for (int64_t d = q.axis + 1; d < t.ndim; d++) p.inner *= t.sizes[d];
    p.float_zero_points = q.scheme == QuantParams::Scheme::PerChannelAffineFloat;
    const auto n = static_cast<size_t>(p.channels);
    memory_.emplace(t.device, std::max<size_t>(1, 2 * n) * 8);
    if (n > 0) {
      accelerator()->copy_in(t.device, memory_->ptr<void>(), q.scales, n * 8);
      accelerator()->copy_in(t.device, memory_->ptr<double>() + n, q.zero_points, n * 8);
    }
    p.scales = memory_->ptr<double>();
    p.zero_points = memory_->ptr<double>() + n;
  }

 private:
  std::optional<Scratch> memory_;
};
void launch_over(Call& call, const TensorView& like, const char* name, const auto& p) {
  if (p.n > 0) launch(like.device, call.runtime, name, {grid_for(like.device, p.n, 256)}, {256}, 0, p);
}

void run_quantize(Call& call, bool relu) {
  const DenseInput x(call.tensor(0), DType::F32, call.runtime);
  DenseOutput out(call.outputs[0]);
  QuantizeParams p;
  const Parameters parameters(p, call.outputs[0]);
  range_of(call.outputs[0].dtype, &p.low, &p.high);
  if (relu) p.low = std::max(p.low, call.outputs[0].quant->zero_point);
  p.out = out.data();
  p.x = x.data();
  p.n = call.outputs[0].numel();
  launch_over(call, call.outputs[0], "quantize", p);
  out.finish(call.runtime);
}
bool takes_float(const Call& call) { return call.args[0].kind == ArgKind::Tensor && call.tensor(0).dtype == DType::F32; }
TS_CUDA_KERNEL(quantize_per_tensor, {.run = [](Call& call) { run_quantize(call, false); }, .accepts = takes_float});
TS_CUDA_KERNEL(quantize_per_tensor_relu, {.run = [](Call& call) { run_quantize(call, true); }, .accepts = takes_float});
// Scales and zero points in tensors are read on the CPU: they are part of what the result is.
TS_CUDA_KERNEL(quantize_per_tensor_qparams, {.run = [](Call& call) { run_quantize(call, false); }, .accepts = takes_float, .waits = true, .on_host = 6});
TS_CUDA_KERNEL(quantize_per_channel, {.run = [](Call& call) { run_quantize(call, false); }, .accepts = takes_float, .waits = true, .on_host = 6});

void run_values(Call& call, const char* kernel) {
  const TensorView& self = call.tensor(0);
  if (!is_quantized(self.dtype)) return copy_strided(call.outputs[0], self, call.runtime);
  const DenseInput x(self, self.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  QuantizeParams p;
  const Parameters parameters(p, self);
  p.out = out.data();
  p.x = x.data();
  p.n = self.numel();
  launch_over(call, self, kernel, p);
  out.finish(call.runtime);
}
bool takes_quantized(const Call& call) {
  return call.args[0].kind == ArgKind::Tensor && (!is_quantized(call.tensor(0).dtype) || is_plain_quantized(call.tensor(0).dtype));
}
TS_CUDA_KERNEL(dequantize, {.run = [](Call& call) { run_values(call, "dequantize"); }, .accepts = takes_quantized});
TS_CUDA_KERNEL(quantized_centered, {.run = [](Call& call) { run_values(call, "dequantize_centered"); }, .accepts = takes_quantized});

// (sums, weight_scales, bias, input_scale, axis[, scale, zero_point, dtype, relu])
void run_sums(Call& call, bool quantizes) {
  const TensorView &given = call.tensor(0), &result = call.outputs[0];
  const DenseInput sums(given, DType::F32, call.runtime), scales(call.tensor(1), DType::F64, call.runtime);
  std::optional<DenseInput> bias;
  const int axis = static_cast<int>(wrap_dim(call.args[4].i, given.ndim));
  RequantizeParams p;
  p.channels = given.ndim == 0 ? 1 : given.sizes[axis];
  for (int d = axis + 1; d < given.ndim; d++) p.inner *= given.sizes[d];
  p.one_scale = call.tensor(1).numel() == 1;
  if (!p.one_scale && call.tensor(1).numel() != p.channels)
    fail("Expected a weight scale for each of %lld channels but received %lld", static_cast<long long>(p.channels),
         static_cast<long long>(call.tensor(1).numel()));
  if (const TensorView* b = call.optional_tensor(2)) {
    if (b->numel() != p.channels)
      fail("Expected a bias for each of %lld channels but received %lld", static_cast<long long>(p.channels), static_cast<long long>(b->numel()));
    bias.emplace(*b, DType::F32, call.runtime);
    p.bias = static_cast<const float*>(bias->data());
  }
  DenseOutput out(result);
  p.out = out.data();
  p.sums = static_cast<const float*>(sums.data());
  p.scales = static_cast<const double*>(scales.data());
  p.n = given.numel();
  p.input_scale = call.args[3].as_double();
  if (quantizes) {
    p.scale = result.quant->scale;
    p.zero_point = result.quant->zero_point;
    p.dtype = static_cast<int32_t>(result.dtype);
    range_of(result.dtype, &p.low, &p.high);
    if (call.args[8].b) p.low = std::max(p.low, p.zero_point);
  }
  launch_over(call, result, quantizes ? "quantize_sums" : "scale_sums", p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(scale_sums, {.run = [](Call& call) { run_sums(call, false); }});
TS_CUDA_KERNEL(requantize_sums, {.run = [](Call& call) { run_sums(call, true); }});

// The bytes, as integers or as quantized elements.
void run_bytes(Call& call) {
  TensorView from = call.tensor(0), to = call.outputs[0];
  from.dtype = to.dtype = dtype_size(to.dtype) == 4 ? DType::I32 : DType::U8;
  copy_strided(to, from, call.runtime);
}
TS_CUDA_KERNEL(int_repr, {.run = run_bytes, .accepts = takes_quantized});
TS_CUDA_KERNEL(make_per_tensor_quantized, {.run = run_bytes});
TS_CUDA_KERNEL(make_per_channel_quantized, {.run = run_bytes, .waits = true, .on_host = 6});

// ---- fake quantization: (self, scale, zero_point, quant_min, quant_max), with channels (self, scale, zero_point, axis, quant_min, quant_max)

void run_fake(Call& call, bool channels) {
  const TensorView& self = call.tensor(0);
  const DenseInput x(self, self.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  QuantizeParams p;
  p.x = x.data();
  p.out = out.data();
  p.n = self.numel();
  p.dtype = static_cast<int32_t>(self.dtype);
  p.low = call.args[channels ? 4 : 3].i;
  p.high = call.args[channels ? 5 : 4].i;
  if (!channels && p.low > p.high) fail("`quant_min` should be less than or equal to `quant_max`.");
  std::optional<DenseInput> scales, zero_points;
  if (channels) {
    const auto axis = wrap_dim(call.args[3].i, self.ndim);
    p.channels = self.ndim == 0 ? 1 : self.sizes[axis];
    for (int64_t d = axis + 1; d < self.ndim; d++) p.inner *= self.sizes[d];
  }
  if (const TensorView* t = call.optional_tensor(1)) {
    scales.emplace(*t, DType::F64, call.runtime);
    p.scales = static_cast<const double*>(scales->data());
  } else {
    p.scale = call.args[1].as_double();
  }
  if (const TensorView* t = call.optional_tensor(2)) {
    zero_points.emplace(*t, DType::F64, call.runtime);
    p.zero_points = static_cast<const double*>(zero_points->data());
  } else {
    p.zero_point = call.args[2].as_double();
  }
  launch_over(call, self, "quantize_fake", p);
  out.finish(call.runtime);
}
bool takes_real(const Call& call) { return call.args[0].kind == ArgKind::Tensor && is_real(call.tensor(0).dtype); }
TS_CUDA_KERNEL(fake_quantize_per_tensor_affine, {.run = [](Call& call) { run_fake(call, false); }, .accepts = takes_real});
TS_CUDA_KERNEL(fake_quantize_per_channel_affine, {.run = [](Call& call) { run_fake(call, true); }, .accepts = takes_real});

// With parameters of its own range: choose_qparams(self, reduce_range), fake_quantize_dynamic(self, reduce_range).
void run_of_range(Call& call, const char* kernel, bool elements) {
  const TensorView& self = call.tensor(0);
  const DenseInput x(self, DType::F32, call.runtime);
  const Scratch range(self.device, 8);
  QuantizeParams p;
  p.x = x.data();
  p.range = range.ptr<float>();
  p.reduce_range = call.args[1].b;
  p.dtype = static_cast<int32_t>(DType::F32);
  const int64_t n = self.numel();
  p.n = elements ? n : 1;
  const float* values = static_cast<const float*>(x.data());
  float* to = range.ptr<float>();
  if (n > 0) {
    launch(self.device, call.runtime, "histogram_range_f32", {1}, {256}, 0, values, n, to);
  } else {
    const uint64_t zero[2] = {};
    TensorView both = contiguous_like(self, DType::F32);
    both.data = to;
    both.ndim = 1, both.sizes[0] = 2, both.strides[0] = 1;
    fill_dense(both, zero, call.runtime);
  }
  DenseOutput out(call.outputs[0]);
  p.out = out.data();
  launch_over(call, self, kernel, p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(choose_qparams, {.run = [](Call& call) { run_of_range(call, "quantize_choose", false); }, .accepts = takes_float});
TS_CUDA_KERNEL(fake_quantize_dynamic, {.run = [](Call& call) { run_of_range(call, "quantize_fake", true); }, .accepts = takes_float});

}  // namespace
}  // namespace torchscript::cuda
