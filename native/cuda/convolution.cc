// convNd, convolution, convolution_mode, mkldnn_convolution, conv_transposeNd and convolution_epilogue on the device.
#include <algorithm>
#include <cstdio>

#include "cpu-avx/conv/bottleneck_parts.h"
#include "cuda/epilogue.h"
#include "cuda/conv_tiles.h"
#include "cuda/rows.h"
#include "cuda/wgmma.h"

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

}  // namespace

ConvParams conv_params(const Call& call, const ConvShape& s, const TensorView* residual, Activation activation) {
  const TensorView &out = call.outputs[0], &x = call.tensor(0), &w = call.tensor(1);
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
  return p;
}

namespace {

// Batch, channel, and pixels as one dimension; `whole`: and the batch with them. False where these are not evenly apart.
bool as_pixels(const ConvShape& s, const int64_t* sizes, const int64_t* strides, bool whole, int64_t* apart) {
  *apart = 0;
  int64_t expected = -1;
  for (int d = 4; d >= (whole ? 0 : 2); d--) {
    if (d == 1) continue;
    if (sizes[d] == 1) continue;
    if (expected < 0) *apart = strides[d];
    else if (strides[d] != expected) return false;
    expected = strides[d] * sizes[d];
  }
  if (expected < 0) *apart = strides[1] == 1 ? sizes[1] : 1;  // one pixel
  return true;
}

// A 1 x 1 convolution is a product: of all pixels with the weight, or of the weight with each image.
bool run_as_product(Call& call, const ConvShape& s, const TensorView* residual, Activation activation) {
  if (s.groups != 1 || s.transposed || !s.is_pointwise()) return false;
  for (int d = 0; d < 3; d++)
    if (s.out[d] != s.in[d]) return false;
  const TensorView &out = call.outputs[0], &x = call.tensor(0), &w = call.tensor(1);
  const int64_t sizes_in[5] = {s.batch, s.in_channels, s.in[0], s.in[1], s.in[2]}, sizes_out[5] = {s.batch, s.out_channels, s.in[0], s.in[1], s.in[2]};
  int64_t of_x[5], of_out[5], of_residual[5] = {};
  five_strides(s, x, of_x);
  five_strides(s, out, of_out);
  if (residual) five_strides(s, *residual, of_residual);
  const auto matrix = [](const TensorView& t, int64_t rows, int64_t columns, int64_t row, int64_t column) {
    TensorView v = t;
    v.ndim = 2;
    v.sizes[0] = rows, v.sizes[1] = columns;
    v.strides[0] = row, v.strides[1] = column;
    return v;
  };
  int64_t in_apart, out_apart, residual_apart = 0;
  const TensorView* bias = call.optional_tensor(2);
  Product p;
  p.activation = static_cast<int32_t>(activation);
  p.adds = bias != nullptr;
  p.adds_residual = residual != nullptr;
  p.convolution = true;
  const int64_t pixels = s.out_pixels();
  if (of_out[1] == 1 && of_x[1] == 1 && as_pixels(s, sizes_in, of_x, true, &in_apart) && as_pixels(s, sizes_out, of_out, true, &out_apart) &&
      (!residual || as_pixels(s, sizes_out, of_residual, true, &residual_apart))) {
    const int64_t all = s.batch * pixels;
    p.a = matrix(x, all, s.in_channels, in_apart, of_x[1]);
    p.b = matrix(w, s.in_channels, s.out_channels, w.strides[1], w.strides[0]);
    p.c = matrix(out, all, s.out_channels, out_apart, of_out[1]);
    if (bias) p.d = matrix(*bias, all, s.out_channels, 0, bias->strides[0]);
    if (residual) p.e = matrix(*residual, all, s.out_channels, residual_apart, of_residual[1]);
    run_product(call.runtime, p);
    return true;
  }
  if (!as_pixels(s, sizes_in, of_x, false, &in_apart) || !as_pixels(s, sizes_out, of_out, false, &out_apart) || of_x[1] == 1 || of_out[1] == 1 ||
      (residual && !as_pixels(s, sizes_out, of_residual, false, &residual_apart)))
    return false;
  const auto images = [&](const TensorView& t, int64_t rows, int64_t columns, int64_t image, int64_t row, int64_t column) {
    TensorView v = matrix(t, rows, columns, row, column);
    v.ndim = 3;
    v.sizes[2] = columns, v.strides[2] = column;
    v.sizes[1] = rows, v.strides[1] = row;
    v.sizes[0] = s.batch, v.strides[0] = image;
    return v;
  };
  p.a = images(w, s.out_channels, s.in_channels, 0, w.strides[0], w.strides[1]);
  p.b = images(x, s.in_channels, pixels, of_x[0], of_x[1], in_apart);
  p.c = images(out, s.out_channels, pixels, of_out[0], of_out[1], out_apart);
  if (bias) p.d = images(*bias, s.out_channels, pixels, 0, bias->strides[0], 0);
  if (residual) p.e = images(*residual, s.out_channels, pixels, of_residual[0], of_residual[1], residual_apart);
  run_product(call.runtime, p);
  return true;
}

// ---- tiles that are fetched ahead (kernels/conv_mma.cuh)

int vector_of(DType t) { return static_cast<int>(16 / dtype_size(t)); }
}  // namespace

// Channels of a group in the packed weight: a whole number of vectors, which those of several groups must be by themselves.
int64_t packed_channels(const ConvShape& s, DType t) { return (s.group_in() + vector_of(t) - 1) / vector_of(t) * vector_of(t); }

namespace {

bool has_tiles(DType t) { return t == DType::F16 || t == DType::BF16 || t == DType::F32; }
bool suits_tiles(const ConvShape& s, DType t, int device) {
  if (!has_tiles(t) || s.group_in() == 0 || s.group_out() == 0 || s.taps() == 0 || !tile_kernels(device, t)) return false;
  if (s.groups > 1 && (s.group_in() % vector_of(t) != 0 || s.group_out() <= 8)) return false;
  return packed_channels(s, t) * s.taps() <= INT32_MAX;
}
}  // namespace

size_t packed_weight_bytes(const ConvShape& s, DType t) {
  return static_cast<size_t>(s.out_channels * s.taps() * packed_channels(s, t) * dtype_size(t));
}
namespace {

void zero_fill(int device, void* to, size_t bytes) {
  Context& context = enter(device);
  TS_CUDA(memset_d8, reinterpret_cast<DevicePointer>(to), 0, bytes, current_stream(context));
}
}  // namespace

void pack_weight(Runtime* runtime, const ConvShape& s, const TensorView& w, void* to) {
  const int64_t channels = packed_channels(s, w.dtype);
  if (channels != s.group_in()) zero_fill(w.device, to, packed_weight_bytes(s, w.dtype));
  // Groups, filters, channels, then the taps.
  TensorView from = w, packed = w;
  packed.data = to;
  from.ndim = packed.ndim = 3 + s.spatial;
  const int64_t first = w.strides[0], second = w.strides[1];
  from.sizes[0] = s.groups, from.strides[0] = first * (s.transposed ? s.group_in() : s.group_out());
  from.sizes[1] = s.group_out(), from.strides[1] = s.transposed ? second : first;
  from.sizes[2] = s.group_in(), from.strides[2] = s.transposed ? first : second;
  for (int d = 0; d < s.spatial; d++) from.sizes[3 + d] = w.sizes[2 + d], from.strides[3 + d] = w.strides[2 + d];
  int64_t stride = channels;
  for (int d = s.spatial - 1; d >= 0; d--) {
    packed.strides[3 + d] = stride;
    stride *= w.sizes[2 + d];
  }
  packed.strides[2] = 1;
  packed.strides[1] = stride;
  packed.strides[0] = stride * s.group_out();
  for (int d = 0; d < packed.ndim; d++) packed.sizes[d] = from.sizes[d];
  copy_strided(packed, from, runtime);
}
namespace {

// Whether vectors of 16 bytes along the channels begin where they should.
bool in_vectors(const void* data, const int64_t* strides, const int64_t* sizes, DType t) {
  bool fits = strides[1] == 1 && aligned_16(data);
  for (int d : {0, 2, 3, 4}) fits = fits && (sizes[d] <= 1 || strides[d] % vector_of(t) == 0);
  return fits;
}

}  // namespace

bool ConvTiles::begin(Call& call, const ConvShape& s, const ConvParams& params, bool small_tiles, int64_t worth) {
  const TensorView &out = call.outputs[0], &x = call.tensor(0), &w = call.tensor(1);
  const DType dtype = x.dtype;
  const int device = out.device, vector = vector_of(dtype);
  p.conv = params;
  ConvParams& c = p.conv;
  const int64_t in_sizes[5] = {s.batch, s.in_channels, s.in[0], s.in[1], s.in[2]}, out_sizes[5] = {s.batch, s.out_channels, s.out[0], s.out[1], s.out[2]};
  const int64_t channels = packed_channels(s, dtype);
  const bool as_it_is = channels == s.group_in() && in_vectors(c.x, c.x_strides, in_sizes, dtype);
  if (!as_it_is && params.depth <= worth) return false;
  if (!as_it_is) {
    // Channels beside one another, zeros after them.
    const int64_t all = s.groups * channels, pixels = s.batch * s.in_pixels();
    const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, all * pixels) * dtype_size(dtype));
    image.emplace(device, bytes);
    if (channels != s.group_in()) zero_fill(device, image->ptr<void>(), bytes);
    TensorView from = x, to = x;
    from.ndim = to.ndim = 5;
    int64_t stride = all;
    for (int d : {4, 3, 2, 0}) {
      to.strides[d] = stride;
      stride *= std::max<int64_t>(1, in_sizes[d]);
    }
    to.strides[1] = 1;
    for (int d = 0; d < 5; d++) {
      from.sizes[d] = to.sizes[d] = in_sizes[d];
      from.strides[d] = c.x_strides[d];
      c.x_strides[d] = to.strides[d];
    }
    to.data = image->ptr<void>();
    copy_strided(to, from, call.runtime);
    c.x = to.data;
  }
  c.weight = call.packed;
  if (!c.weight) {
    weight.emplace(device, packed_weight_bytes(s, dtype));
    pack_weight(call.runtime, s, w, weight->ptr<void>());
    c.weight = weight->ptr<void>();
  }
  c.group_in = static_cast<int32_t>(channels);
  c.channels = divider_of(static_cast<uint32_t>(channels));
  c.depth = static_cast<int32_t>(channels * s.taps());
  const bool groups_fit = s.groups == 1 || s.group_out() % vector == 0;
  p.out_vectors = groups_fit && in_vectors(c.out, c.out_strides, out_sizes, dtype);
  p.residual_vectors = groups_fit && c.residual && in_vectors(c.residual, c.residual_strides, out_sizes, dtype);
  p.bias_vectors = groups_fit && c.bias && c.bias_stride == 1 && aligned_16(c.bias);
  const auto tiles = [](int64_t size, int tile) { return (size + tile - 1) / tile; };
  const int64_t sms = enter(device).properties.multi_processors;
  small_tiles = small_tiles || *tile_kernels(device, dtype);
  tile = !small_tiles && tiles(c.pixels, 128) * tiles(c.group_out, 128) * s.groups >= sms && c.group_out > 64 && c.pixels > 64 ? 128 : 64;
  p.row_tiles = static_cast<int32_t>(tiles(c.pixels, tile));
  p.column_tiles = static_cast<int32_t>(tiles(c.group_out, tile));
  const int64_t all = static_cast<int64_t>(p.row_tiles) * p.column_tiles, groups = std::min<int64_t>(s.groups, 65535);
  if (all > INT32_MAX) fail("A convolution with an output of 2^43 elements or more is not supported on CUDA");
  if (tile == 64 && groups == s.groups)
    share_depth(p.split, device, partial, all * groups, groups, (c.depth * dtype_size(dtype) + 63) / 64, 4, 2, 64 * 64 * sizeof(float));
  grid = {static_cast<unsigned>(all), 1, static_cast<unsigned>(groups * p.split.splits)};
  return true;
}

namespace {

bool run_in_tiles(Call& call, const ConvShape& s, const ConvParams& params) {
  const DType dtype = call.tensor(0).dtype;
  const int device = call.outputs[0].device;
  if (!suits_tiles(s, dtype, device)) return false;
  const char* chip = tile_kernels(device, dtype);
  const bool tf32 = dtype == DType::F32 && !*chip && allows_tf32_convolutions();
  ConvTiles tiles;
  // A sum of few terms is not worth a copy of the image.
  if (!tiles.begin(call, s, params, tf32, dtype == DType::F32 ? 32 : 16)) return false;
  if (run_conv_wgmma(call.runtime, device, dtype, s, tiles.p)) return true;
  const char* kind = dtype == DType::F32 && !tf32 ? "plain" : "mma";
  const char* label = dtype == DType::F16 ? "f16" : dtype == DType::BF16 ? "bf16" : tf32 ? "tf32" : "f32";
  char name[64];
  std::snprintf(name, sizeof name, "conv_%s%s_%s_%dx%d", kind, chip, label, tiles.tile, tiles.tile);
  launch(device, call.runtime, name, tiles.grid, {tiles.tile == 128 ? 256u : 128u}, tile_shared_bytes(tiles.tile), tiles.p);
  return true;
}

// ---- depthwise, of channels-last images (kernels/conv_depthwise.cu)

bool suits_depthwise(const ConvShape& s, DType t) {
  return has_tiles(t) && s.groups > 1 && s.group_in() == 1 && s.group_out() == 1 && !s.transposed && s.groups % 8 == 0 && s.taps() > 0;
}
size_t depthwise_bytes(const ConvShape& s, DType t) { return static_cast<size_t>(s.taps() * s.groups * dtype_size(t)); }
void pack_depthwise(Runtime* runtime, const ConvShape& s, const TensorView& w, void* to) {
  TensorView packed = w;
  packed.data = to;
  int64_t stride = s.groups;
  for (int d = s.spatial - 1; d >= 0; d--) {
    packed.strides[2 + d] = stride;
    stride *= w.sizes[2 + d];
  }
  packed.strides[0] = packed.strides[1] = 1;
  copy_strided(packed, w, runtime);
}
bool run_depthwise(Call& call, const ConvShape& s, const ConvParams& params) {
  const TensorView &out = call.outputs[0], &x = call.tensor(0);
  const DType dtype = x.dtype;
  const int64_t in_sizes[5] = {s.batch, s.in_channels, s.in[0], s.in[1], s.in[2]}, out_sizes[5] = {s.batch, s.out_channels, s.out[0], s.out[1], s.out[2]};
  if (!suits_depthwise(s, dtype) || !in_vectors(params.x, params.x_strides, in_sizes, dtype) || !in_vectors(params.out, params.out_strides, out_sizes, dtype))
    return false;
  DepthwiseParams p;
  p.conv = params;
  std::optional<Scratch> weight;
  p.conv.weight = call.packed;
  if (!call.packed) {
    weight.emplace(out.device, depthwise_bytes(s, dtype));
    pack_depthwise(call.runtime, s, call.tensor(1), weight->ptr<void>());
    p.conv.weight = weight->ptr<void>();
  }
  p.conv.group_filters = divider_of(static_cast<uint32_t>(s.groups));
  p.vectors = divider_of(static_cast<uint32_t>(s.groups / 8));
  p.quads = divider_of(static_cast<uint32_t>((s.out[2] + 3) / 4));
  p.n = static_cast<uint32_t>(s.batch * s.out[0] * s.out[1]) * p.quads.divisor * p.vectors.divisor;
  p.residual_vectors = params.residual && in_vectors(params.residual, params.residual_strides, out_sizes, dtype);
  launch(out.device, call.runtime, KernelName("conv_depthwise_", dtype), {grid_for(out.device, p.n, 256)}, {256}, 0, p);
  return true;
}

template <int N, const ConvArguments& At> size_t conv_pack_bytes(const Call& call) {
  const TensorView& w = call.tensor(1);
  const ConvShape s = conv_shape(call, N, At);
  if (suits_depthwise(s, w.dtype)) return depthwise_bytes(s, w.dtype);
  return (!s.is_pointwise() || s.transposed || s.groups > 1) && suits_tiles(s, w.dtype, w.device) ? packed_weight_bytes(s, w.dtype) : 0;
}
template <int N, const ConvArguments& At> void conv_pack(const Call& call, void* packed) {
  const ConvShape s = conv_shape(call, N, At);
  if (suits_depthwise(s, call.tensor(1).dtype)) pack_depthwise(call.runtime, s, call.tensor(1), packed);
  else pack_weight(call.runtime, s, call.tensor(1), packed);
}

template <int N, const ConvArguments& At> void conv_with(Call& call, const TensorView* residual, Activation activation) {
  const ConvShape s = conv_shape(call, N, At);
  const TensorView &out = call.outputs[0], &x = call.tensor(0);
  if (out.numel() == 0) return;
  if (run_as_product(call, s, residual, activation)) return;
  const ConvParams p = conv_params(call, s, residual, activation);
  if (run_depthwise(call, s, p) || run_in_tiles(call, s, p)) return;
  if (s.groups > 1 && s.group_out() <= 8)
    return launch(out.device, call.runtime, direct_kernel(x.dtype), {grid_for(out.device, out.numel(), 256)}, {256}, 0, p);
  const auto tiles = [](int64_t size) { return static_cast<unsigned>((size + 63) / 64); };
  if (tiles(s.group_out()) > 65535) fail("A convolution of more than %d filters is not supported on CUDA", 65535 * 64);
  const Dim grid = {tiles(p.pixels), tiles(s.group_out()), static_cast<unsigned>(std::min<int64_t>(s.groups, 65535))};
  launch(out.device, call.runtime, tiles_kernel(x.dtype), grid, {256}, 0, p);
}
template <int N, const ConvArguments& At> void conv_run(Call& call) { conv_with<N, At>(call, nullptr, Activation::None); }
bool takes(const Call& call) { return call.nargs > 0 && call.args[0].kind == ArgKind::Tensor && is_own(call.tensor(0).dtype); }

#define TS_CUDA_CONV(name, dims, arguments)                           \
  TS_CUDA_KERNEL(name, {.run = conv_run<dims, arguments>,             \
                        .pack_arg = 1,                                \
                        .pack_bytes = conv_pack_bytes<dims, arguments>, \
                        .pack = conv_pack<dims, arguments>,           \
                        .accepts = takes})
TS_CUDA_CONV(conv1d, 1, kConvNd);
TS_CUDA_CONV(conv2d, 2, kConvNd);
TS_CUDA_CONV(conv3d, 3, kConvNd);
TS_CUDA_CONV(convolution, 0, kConvolution);
TS_CUDA_CONV(convolution_mode, 0, kConvNd);
TS_CUDA_CONV(mkldnn_convolution, 0, kMkldnn);
TS_CUDA_CONV(conv_transpose1d, 1, kTransposedNd);
TS_CUDA_CONV(conv_transpose2d, 2, kTransposedNd);
TS_CUDA_CONV(conv_transpose3d, 3, kTransposedNd);

// Whether the kernels take the residual: it has the product's dtype and is repeated to its shape.
bool fits_residual(const Call& call) {
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
void run_with_epilogue(Call& call) {
  if (!fits_residual(call)) return run_epilogue_apart(call, "convolution_epilogue", kEpilogueResidual, kEpilogueActivation, run_with_epilogue);
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
bool takes_epilogue(const Call& call) { return takes(call) && takes_residual(call.optional_tensor(kEpilogueResidual)); }
TS_CUDA_KERNEL(convolution_epilogue, {.run = run_with_epilogue,
                                      .pack_arg = 1,
                                      .pack_bytes = conv_pack_bytes<0, kEpilogue>,
                                      .pack = conv_pack<0, kEpilogue>,
                                      .accepts = takes_epilogue});

// bottleneck: its three convolutions one after the other. The depthwise weight, which every one has, is packed.
bool takes_bottleneck(const Call& call) {
  bool fits = takes(call);
  for (int at : {1, 4, 9})
    if (const TensorView* w = call.optional_tensor(at)) fits = fits && w->dtype == call.tensor(0).dtype;
  const TensorView* residual = call.optional_tensor(bottleneck::kResidual);
  if (!fits || !residual) return fits;
  bottleneck::with_parts(const_cast<Call&>(call), [&](bottleneck::Part*, bottleneck::Part& depthwise, bottleneck::Part& project) {
    (void)depthwise;
    fits = takes_epilogue(project.call) && fits_residual(project.call);
  });
  return fits;
}
void run_bottleneck(Call& call) {
  bottleneck::with_parts(call, [&](bottleneck::Part* expand, bottleneck::Part& depthwise, bottleneck::Part& project) {
    std::optional<Scratch> wide, narrow;
    const auto give = [&](bottleneck::Part& part, std::optional<Scratch>& memory) {
      const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, part.result.numel()) * dtype_size(part.result.dtype));
      part.result.device = call.outputs[0].device;
      part.result.data = memory.emplace(part.result.device, bytes).ptr<void>();
      run_with_epilogue(part.call);
    };
    if (expand) give(*expand, wide);
    depthwise.call.packed = call.packed;
    give(depthwise, narrow);
    project.result = call.outputs[0];
    run_with_epilogue(project.call);
  });
}
size_t bottleneck_pack_bytes(const Call& call) {
  size_t bytes = 0;
  bottleneck::with_parts(const_cast<Call&>(call), [&](bottleneck::Part*, bottleneck::Part& depthwise, bottleneck::Part&) {
    bytes = conv_pack_bytes<0, kEpilogue>(depthwise.call);
  });
  return bytes;
}
void bottleneck_pack(const Call& call, void* packed) {
  bottleneck::with_parts(const_cast<Call&>(call), [&](bottleneck::Part*, bottleneck::Part& depthwise, bottleneck::Part&) {
    conv_pack<0, kEpilogue>(depthwise.call, packed);
  });
}
TS_CUDA_KERNEL(bottleneck, {.run = run_bottleneck,
                            .pack_arg = 4,
                            .pack_bytes = bottleneck_pack_bytes,
                            .pack = bottleneck_pack,
                            .accepts = takes_bottleneck});

}  // namespace
}  // namespace torchscript::cuda
