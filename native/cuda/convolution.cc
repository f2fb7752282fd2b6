// convNd, convolution, convolution_mode, mkldnn_convolution, conv_transposeNd and convolution_epilogue on the device.
#include <algorithm>

#include "cpu-avx/conv/rows.h"
#include "cpu-avx/gemm/epilogue.h"
#include "cuda/kernels.h"
#include "cuda/kernels/conv_params.h"

namespace torchscript::cuda {
namespace {

// As on the CPU.
constexpr ConvArguments kConvNd = {3, 4, 5, -1, -1, 6};
constexpr ConvArguments kConvolution = {3, 4, 5, 6, 7, 8};
constexpr ConvArguments kTransposedNd = {3, 4, 7, -2, 5, 6};
constexpr ConvArguments kMkldnn = {4, 3, 5, -1, -1, 6};

const char* tiles_kernel(DType dtype) {
  switch (dtype) {
    case DType::F16: return "conv_tiles_f16";
    case DType::BF16: return "conv_tiles_bf16";
    case DType::F64: return "conv_tiles_f64";
    default: return "conv_tiles_f32";
  }
}
const char* direct_kernel(DType dtype) {
  switch (dtype) {
    case DType::F16: return "conv_direct_f16";
    case DType::BF16: return "conv_direct_bf16";
    case DType::F64: return "conv_direct_f64";
    default: return "conv_direct_f32";
  }
}
bool is_own(DType dtype) { return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F64; }

// Batch, channel and three dimensions of an input or output.
void five_strides(const ConvShape& s, const TensorView& t, int64_t* to) {
  for (int d = 0; d < 5; d++) to[d] = 0;
  const int lead = s.batched ? 2 : 1;
  if (s.batched) to[0] = t.strides[0];
  to[1] = t.strides[lead - 1];
  for (int d = 0; d < s.spatial; d++) to[5 - s.spatial + d] = t.strides[lead + d];
}

template <int N, const ConvArguments& At> void conv_with(Call& call, const TensorView* residual, Activation activation) {
  const ConvShape s = conv_shape(call, N, At);
  const TensorView &out = call.outputs[0], &x = call.tensor(0), &w = call.tensor(1);
  if (out.numel() == 0) return;
  const int64_t pixels = s.batch * s.out_pixels(), depth = s.group_in() * s.taps();
  if (out.numel() > INT32_MAX || depth > INT32_MAX || s.out_channels > INT32_MAX)
    fail("A convolution with an output of 2^31 elements or more is not supported on CUDA");
  ConvParams p;
  p.out = out.data;
  p.x = x.data;
  p.weight = w.data;
  if (const TensorView* bias = call.optional_tensor(2)) {
    p.bias = bias->data;
    p.bias_stride = bias->strides[0];
  }
  five_strides(s, out, p.out_strides);
  five_strides(s, x, p.x_strides);
  if (residual) {
    p.residual = residual->data;
    five_strides(s, *residual, p.residual_strides);
  }
  p.group_in = static_cast<int32_t>(s.group_in());
  p.group_out = static_cast<int32_t>(s.group_out());
  p.groups = static_cast<int32_t>(s.groups);
  p.w_strides[0] = w.strides[s.transposed ? 1 : 0];
  p.w_strides[1] = w.strides[s.transposed ? 0 : 1];
  for (int d = 0; d < s.spatial; d++) p.w_strides[5 - s.spatial + d] = w.strides[2 + d];
  p.w_strides[5] = w.strides[0] * (s.transposed ? s.group_in() : s.group_out());
  for (int d = 0; d < 3; d++) {
    // Places in the input are 32-bit.
    if (std::max(s.in[d], s.out[d]) * s.stride[d] + s.dilation[d] * s.kernel[d] + s.pad_low[d] > INT32_MAX)
      fail("A convolution that reaches 2^31 elements or more in a dimension is not supported on CUDA");
    p.in[d] = static_cast<int32_t>(s.in[d]);
    p.stride[d] = static_cast<int32_t>(s.stride[d]);
    p.dilation[d] = static_cast<int32_t>(s.dilation[d]);
    p.pad[d] = static_cast<int32_t>(s.pad_low[d]);
    p.out_sizes[d] = divider_of(static_cast<uint32_t>(s.out[d]));
    p.kernel[d] = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, s.kernel[d])));
  }
  p.transposed = s.transposed;
  p.activation = static_cast<int32_t>(activation);
  p.channels_inner = s.channels_last || (p.x_strides[1] == 1 && p.x_strides[4] != 1);
  p.pixels = static_cast<uint32_t>(pixels);
  p.depth = static_cast<int32_t>(depth);
  p.elements = static_cast<uint32_t>(out.numel());
  p.taps = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, s.taps())));
  p.channels = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, s.group_in())));
  p.filters = divider_of(static_cast<uint32_t>(s.out_channels));
  p.group_filters = divider_of(static_cast<uint32_t>(s.group_out()));
  if (s.groups > 1 && s.group_out() <= 8)
    return launch(out.device, call.runtime, direct_kernel(x.dtype), {grid_for(out.device, out.numel(), 256)}, {256}, 0, p);
  const auto tiles = [](int64_t size) { return static_cast<unsigned>((size + 63) / 64); };
  if (tiles(s.group_out()) > 65535) fail("A convolution of more than %d filters is not supported on CUDA", 65535 * 64);
  const Dim grid = {tiles(pixels), tiles(s.group_out()), static_cast<unsigned>(std::min<int64_t>(s.groups, 65535))};
  launch(out.device, call.runtime, tiles_kernel(x.dtype), grid, {256}, 0, p);
}
template <int N, const ConvArguments& At> void conv_run(Call& call) { conv_with<N, At>(call, nullptr, Activation::None); }
bool takes(const Call& call) { return call.nargs > 0 && call.args[0].kind == ArgKind::Tensor && is_own(call.tensor(0).dtype); }

#define TS_CUDA_CONV(name, dims, arguments) TS_CUDA_KERNEL(name, {.run = conv_run<dims, arguments>, .accepts = takes})
TS_CUDA_CONV(conv1d, 1, kConvNd);
TS_CUDA_CONV(conv2d, 2, kConvNd);
TS_CUDA_CONV(conv3d, 3, kConvNd);
TS_CUDA_CONV(convolution, 0, kConvolution);
TS_CUDA_CONV(convolution_mode, 0, kConvNd);
TS_CUDA_CONV(mkldnn_convolution, 0, kMkldnn);
TS_CUDA_CONV(conv_transpose1d, 1, kTransposedNd);
TS_CUDA_CONV(conv_transpose2d, 2, kTransposedNd);
TS_CUDA_CONV(conv_transpose3d, 3, kTransposedNd);

// The residual is repeated to the product's shape; one that makes the result larger, or of another dtype, is not taken.
void run_with_epilogue(Call& call) {
  const Activation activation = activation_argument(call, kEpilogueActivation);
  const TensorView* residual = call.optional_tensor(kEpilogueResidual);
  if (!residual) return conv_with<0, kEpilogue>(call, nullptr, activation);
  const TensorView& out = call.outputs[0];
  TensorView repeated = *residual;
  repeated.ndim = out.ndim;
  for (int d = 0; d < out.ndim; d++) {
    const int from = d - (out.ndim - residual->ndim);
    repeated.sizes[d] = out.sizes[d];
    repeated.strides[d] = from < 0 || residual->sizes[from] != out.sizes[d] ? 0 : residual->strides[from];
  }
  conv_with<0, kEpilogue>(call, &repeated, activation);
}
bool takes_epilogue(const Call& call) {
  if (!takes(call)) return false;
  const TensorView* residual = call.optional_tensor(kEpilogueResidual);
  if (!residual) return true;
  if (residual->dtype != call.tensor(0).dtype) return false;
  TensorView product;
  Call inner = call;
  inner.outputs = &product;
  inner.noutputs = 1;
  set_conv_output(inner, conv_shape(inner, 0, kEpilogue));
  if (residual->ndim > product.ndim) return false;
  for (int d = 0; d < residual->ndim; d++) {
    const int64_t size = residual->sizes[residual->ndim - 1 - d];
    if (size != 1 && size != product.sizes[product.ndim - 1 - d]) return false;
  }
  return true;
}
TS_CUDA_KERNEL(convolution_epilogue, {.run = run_with_epilogue, .accepts = takes_epilogue});

}  // namespace
}  // namespace torchscript::cuda
