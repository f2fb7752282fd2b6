// quantized_linear and quantized_convolution on the device: bytes on Tensor Cores.
#include <cstdio>
#include <cstring>

#include "cpu-avx/conv/rows.h"
#include "cpu-avx/gemm/epilogue.h"
#include "cuda/conv_tiles.h"
#include "cuda/kernels/quantized_params.h"
#include "cuda/rows.h"
#include "cuda/wgmma.h"

namespace torchscript::cuda {
namespace {

// quantized_convolution(x, weight, bias?, stride, padding, dilation, transposed, output_padding, groups, scale, zero_point, dtype, relu) and
// quantized_linear(x, weight, bias?, scale, zero_point, dtype, relu), which is a convolution of images of one pixel.
struct Problem {
  Arg args[9];
  TensorView x, weight, out;
  Call call;
  ConvShape shape;
};

TensorView as_bytes(const TensorView& t) {
  TensorView v = t;
  v.dtype = DType::I8;
  v.quant = nullptr;
  return v;
}
// Rows as images of one pixel: (rows, columns, 1).
TensorView as_pixels(const TensorView& t) {
  TensorView v = as_bytes(t);
  int64_t rows = 1;
  for (int d = 0; d + 1 < t.ndim; d++) rows *= t.sizes[d];
  v.ndim = 3;
  v.sizes[1] = t.sizes[t.ndim - 1], v.strides[1] = t.strides[t.ndim - 1];
  v.sizes[0] = rows, v.strides[0] = t.ndim > 1 ? t.strides[t.ndim - 2] : v.sizes[1];
  v.sizes[2] = v.strides[2] = 1;
  return v;
}

template <bool kLinear> void make(Problem& p, const Call& call) {
  p.x = kLinear ? as_pixels(call.tensor(0)) : as_bytes(call.tensor(0));
  p.weight = kLinear ? as_pixels(call.tensor(1)) : as_bytes(call.tensor(1));
  for (TensorView* v : {&p.x, &p.weight}) {
    p.args[v == &p.x ? 0 : 1].kind = ArgKind::Tensor;
    p.args[v == &p.x ? 0 : 1].tensor = v;
  }
  for (int i = 3; !kLinear && i < 9; i++) p.args[i] = call.args[i];
  p.call = call;
  p.call.args = p.args;
  p.call.nargs = kLinear ? 3 : 9;
  if (call.outputs && call.noutputs > 0) p.out = kLinear ? as_pixels(call.outputs[0]) : as_bytes(call.outputs[0]);
  p.call.outputs = &p.out;
  p.shape = conv_shape(p.call, kLinear ? 1 : 0, kConvolution);
}

// Behind the packed weight: the scale of each filter, then the sum of its weights.
size_t scales_at(const ConvShape& s) { return (packed_weight_bytes(s, DType::I8) + 255) / 256 * 256; }
size_t all_bytes(const ConvShape& s) { return scales_at(s) + static_cast<size_t>(s.out_channels) * (sizeof(float) + sizeof(int32_t)); }

void pack_all(Runtime* runtime, const ConvShape& s, const TensorView& weight, const QuantParams& quant, void* to) {
  pack_weight(runtime, s, as_bytes(weight), to);
  std::vector<float> scales(static_cast<size_t>(s.out_channels));
  const bool channels = quant.scheme != QuantParams::Scheme::PerTensorAffine;
  for (size_t i = 0; i < scales.size(); i++) scales[i] = static_cast<float>(channels ? quant.scales[i] : quant.scale);
  auto* of_scales = static_cast<char*>(to) + scales_at(s);
  accelerator()->copy_in(weight.device, of_scales, scales.data(), scales.size() * sizeof(float));
  ByteSumsParams p;
  p.from = static_cast<const int8_t*>(to);
  p.to = reinterpret_cast<int32_t*>(of_scales + scales.size() * sizeof(float));
  p.rows = static_cast<int32_t>(s.out_channels);
  p.columns = static_cast<int32_t>(s.taps() * packed_channels(s, DType::I8));
  launch(weight.device, runtime, "byte_row_sums", {grid_for(weight.device, int64_t{32} * p.rows, 256)}, {256}, 0, p);
}
template <bool kLinear> size_t pack_bytes(const Call& call) {
  Problem p;
  make<kLinear>(p, call);
  return all_bytes(p.shape);
}
template <bool kLinear> void pack(const Call& call, void* packed) {
  Problem p;
  make<kLinear>(p, call);
  pack_all(call.runtime, p.shape, p.weight, *call.tensor(1).quant, packed);
}

// Whether each pixel of the output has one of the input, which lie evenly apart in memory.
bool pixels_are_rows(const ConvShape& s, const ConvParams& c, int64_t* apart) {
  if (s.groups != 1 || s.transposed || !s.is_pointwise()) return false;
  const int64_t sizes[4] = {s.in[2], s.in[1], s.in[0], s.batch}, strides[4] = {c.x_strides[4], c.x_strides[3], c.x_strides[2], c.x_strides[0]};
  *apart = c.group_in;
  int64_t expected = -1;
  for (int d = 0; d < 4; d++) {
    if (d < 3 && s.out[2 - d] != s.in[2 - d]) return false;
    if (sizes[d] == 1) continue;
    if (expected < 0) *apart = strides[d];
    else if (strides[d] != expected) return false;
    expected = strides[d] * sizes[d];
  }
  return true;
}

template <bool kLinear> void run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  Problem problem;
  std::optional<DenseInput> dense;
  Call inner = call;
  Arg args[16];
  TensorView whole = x;
  if (kLinear && x.ndim > 2 && !x.is_contiguous()) {
    TensorView bytes = as_bytes(x);
    dense.emplace(bytes, DType::I8, call.runtime);
    whole = dense->view();
    whole.dtype = x.dtype, whole.quant = x.quant;
    for (int i = 0; i < call.nargs; i++) args[i] = call.args[i];
    args[0].tensor = &whole;
    inner.args = args;
  }
  make<kLinear>(problem, inner);
  const ConvShape& s = problem.shape;
  std::optional<Scratch> packed;
  const void* weights = call.packed;
  if (!weights) {
    packed.emplace(out.device, all_bytes(s));
    pack_all(call.runtime, s, problem.weight, *call.tensor(1).quant, packed->ptr<void>());
    weights = packed->ptr<void>();
  }
  problem.call.packed = weights;
  ConvTiles tiles;
  tiles.begin(problem.call, s, conv_params(problem.call, s, nullptr, Activation::None), false, 0);
  QuantizedParams p;
  p.tiles = tiles.p;
  if (const TensorView* bias = call.optional_tensor(2)) {
    p.tiles.conv.bias = bias->data;
    p.tiles.conv.bias_stride = bias->strides[0];
  }
  p.scales = reinterpret_cast<const float*>(static_cast<const char*>(weights) + scales_at(s));
  p.sums = reinterpret_cast<const int32_t*>(p.scales + s.out_channels);
  p.input_scale = static_cast<float>(x.quant->scale);
  p.out_scale = static_cast<float>(out.quant->scale);
  p.x_zero = static_cast<int32_t>(x.quant->zero_point);
  p.out_zero = static_cast<int32_t>(out.quant->zero_point);
  p.low = out.dtype == DType::QU8 ? 0 : -128;
  p.high = out.dtype == DType::QU8 ? 255 : 127;
  if (call.args[call.nargs - 1].b) p.low = std::max(p.low, p.out_zero);
  int64_t row;
  if (pixels_are_rows(s, p.tiles.conv, &row) && run_quantized_wgmma(call.runtime, out.device, x.dtype == DType::QU8, row, p)) return;
  char name[64];
  std::snprintf(name, sizeof name, "quantized_mma%s_%s_%dx%d", tile_kernels(out.device, DType::I8), x.dtype == DType::QU8 ? "u8" : "s8", tiles.tile, tiles.tile);
  launch(out.device, call.runtime, name, tiles.grid, {tiles.tile == 128 ? 256u : 128u}, tile_shared_bytes(tiles.tile), p);
}

template <bool kLinear> bool takes(const Call& call) {
  if (call.args[0].kind != ArgKind::Tensor || call.args[1].kind != ArgKind::Tensor) return false;
  const TensorView &x = call.tensor(0), &w = call.tensor(1);
  if (x.device == kCpuDevice || !tile_kernels(x.device, DType::I8)) return false;
  if ((x.dtype != DType::QU8 && x.dtype != DType::QI8) || w.dtype != DType::QI8 || !x.quant || !w.quant) return false;
  if (x.quant->scheme != QuantParams::Scheme::PerTensorAffine || x.numel() == 0 || w.numel() == 0) return false;
  const TensorView* bias = call.optional_tensor(2);
  if (bias && bias->dtype != DType::F32) return false;
  if (kLinear && (w.ndim != 2 || x.ndim < 2)) return false;
  // Zero points of weights are zero, and scales are of filters.
  const QuantParams& q = *w.quant;
  const bool transposed = !kLinear && call.args[6].b;
  if (q.scheme == QuantParams::Scheme::PerChannelAffine) {
    if (q.axis != 0 || transposed) return false;
    for (int64_t i = 0; i < w.sizes[0]; i++)
      if (q.zero_points[i] != 0) return false;
  } else if (q.scheme != QuantParams::Scheme::PerTensorAffine || q.zero_point != 0) {
    return false;
  }
  if (kLinear) return true;
  Problem p;
  make<kLinear>(p, call);
  return p.shape.groups == 1 || p.shape.group_in() % 16 == 0;
}

TS_CUDA_KERNEL(quantized_linear, {.run = run<true>, .pack_arg = 1, .pack_bytes = pack_bytes<true>, .pack = pack<true>, .accepts = takes<true>, .quantized = true});
TS_CUDA_KERNEL(quantized_convolution, {.run = run<false>, .pack_arg = 1, .pack_bytes = pack_bytes<false>, .pack = pack<false>, .accepts = takes<false>, .quantized = true});

}  // namespace
}  // namespace torchscript::cuda
