// im2col, col2im, grid_sampler, affine_grid_generator, torchvision's regions and antialiased resizing on the device.
#include "cuda/kernels/sample_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

const char* in_float(DType t, const char* f32, const char* f64) { return t == DType::F64 ? f64 : f32; }
bool takes_real(const Call& call) { return call.args[0].kind == ArgKind::Tensor && is_real(call.tensor(0).dtype); }
void launch_items(Call& call, const TensorView& like, const char* name, int64_t n, const auto& p) {
  if (n > 0) launch(like.device, call.runtime, name, {grid_for(like.device, n, 256)}, {256}, 0, p);
}

// ---- im2col(self, kernel_size, dilation, padding, stride), col2im(self, output_size, kernel_size, dilation, padding, stride)

void pair_of(const Arg& arg, int64_t* to) {
  if (arg.kind == ArgKind::IntList) to[0] = arg.ints.p[0], to[1] = arg.ints.n > 1 ? arg.ints.p[1] : to[0];
  else to[0] = to[1] = arg.as_int();
}
PatchParams patches_of(const Call& call, int first, int64_t height, int64_t width, DType dtype) {
  PatchParams p;
  pair_of(call.args[first], p.kernel);
  pair_of(call.args[first + 1], p.dilation);
  pair_of(call.args[first + 2], p.padding);
  pair_of(call.args[first + 3], p.stride);
  p.height = height;
  p.width = width;
  p.columns_h = (height + 2 * p.padding[0] - p.dilation[0] * (p.kernel[0] - 1) - 1) / p.stride[0] + 1;
  p.columns_w = (width + 2 * p.padding[1] - p.dilation[1] * (p.kernel[1] - 1) - 1) / p.stride[1] + 1;
  p.dtype = static_cast<int32_t>(dtype);
  p.size = static_cast<int32_t>(dtype_size(dtype));
  return p;
}
void run_im2col(Call& call) {
  const TensorView& self = call.tensor(0);
  const DenseInput x(self, self.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  PatchParams p = patches_of(call, 1, self.sizes[self.ndim - 2], self.sizes[self.ndim - 1], self.dtype);
  p.x = x.data();
  p.out = out.data();
  p.planes = p.height * p.width > 0 ? self.numel() / (p.height * p.width) : 0;
  launch_items(call, self, "im2col", call.outputs[0].numel(), p);
  out.finish(call.runtime);
}
void run_col2im(Call& call) {
  const TensorView& self = call.tensor(0);
  const DenseInput x(self, self.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  const TensorView& image = call.outputs[0];
  PatchParams p = patches_of(call, 2, image.sizes[image.ndim - 2], image.sizes[image.ndim - 1], self.dtype);
  p.x = x.data();
  p.out = out.data();
  p.planes = p.height * p.width > 0 ? image.numel() / (p.height * p.width) : 0;
  launch_items(call, self, in_float(self.dtype, "col2im_f32", "col2im_f64"), image.numel(), p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(im2col, {.run = run_im2col, .accepts = [](const Call& call) { return !call.tensor(0).quant; }});
TS_CUDA_KERNEL(col2im, {.run = run_col2im, .accepts = takes_real});

// ---- grid_sampler(input, grid, mode, padding, align_corners), affine_grid_generator(theta, size, align_corners)

void run_grid_sample(Call& call) {
  const TensorView& self = call.tensor(0);
  if (call.outputs[0].numel() == 0) return;
  const DenseInput x(self, self.dtype, call.runtime), grid(call.tensor(1), self.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  GridSampleParams p;
  p.x = x.data();
  p.grid = grid.data();
  p.out = out.data();
  p.batch = self.sizes[0];
  p.channels = self.sizes[1];
  p.spatial = self.ndim - 2;
  p.points = 1;
  for (int d = 0; d < p.spatial; d++) {
    p.sizes[d] = self.sizes[d + 2];
    p.points *= call.outputs[0].sizes[d + 2];
  }
  p.mode = static_cast<int32_t>(call.args[2].i);
  p.padding = static_cast<int32_t>(call.args[3].i);
  p.align = call.args[4].b;
  p.dtype = static_cast<int32_t>(self.dtype);
  launch_items(call, self, in_float(self.dtype, "grid_sample_f32", "grid_sample_f64"), p.batch * p.points, p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(grid_sampler, {.run = run_grid_sample, .accepts = takes_real});

void run_affine_grid(Call& call) {
  const TensorView &given = call.tensor(0), &image = call.outputs[0];
  const DenseInput theta(given, given.dtype, call.runtime);
  DenseOutput out(image);
  AffineGridParams p;
  p.theta = theta.data();
  p.out = out.data();
  p.batch = image.sizes[0];
  p.spatial = image.ndim - 2;
  for (int d = 0; d < p.spatial; d++) p.sizes[d] = image.sizes[d + 1];
  p.align = call.args[2].b;
  p.dtype = static_cast<int32_t>(given.dtype);
  launch_items(call, given, in_float(given.dtype, "affine_grid_f32", "affine_grid_f64"), image.numel() / p.spatial, p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(affine_grid_generator, {.run = run_affine_grid, .accepts = takes_real});

// ---- roi_align(input, rois, scale, rows, columns, ratio, aligned), roi_pool(input, rois, scale, rows, columns), ps_roi_*

template <RegionMethod method> void run_regions(Call& call) {
  const TensorView &self = call.tensor(0), &result = call.outputs[0];
  if (result.numel() == 0) return;
  const DenseInput x(self, self.dtype, call.runtime), rois(call.tensor(1), self.dtype, call.runtime);
  DenseOutput out(result);
  std::optional<DenseOutput> positions;
  if (method != kRegionAlign && call.noutputs > 1) positions.emplace(call.outputs[1]);
  RegionParams p;
  p.x = x.data();
  p.rois = rois.data();
  p.out = out.data();
  p.positions = positions ? static_cast<int32_t*>(positions->data()) : nullptr;
  p.n = result.sizes[0];
  p.batch = self.sizes[0];
  p.channels = self.sizes[1];
  p.height = self.sizes[2];
  p.width = self.sizes[3];
  p.out_channels = result.sizes[1];
  p.rows = result.sizes[2];
  p.columns = result.sizes[3];
  p.scale = call.args[2].as_double();
  if (method == kRegionAlign || method == kRegionSensitiveAlign) p.ratio = call.args[5].as_int();
  if (method == kRegionAlign) p.aligned = call.args[6].b;
  p.method = method;
  p.dtype = static_cast<int32_t>(self.dtype);
  launch_items(call, self, in_float(self.dtype, "regions_f32", "regions_f64"), result.numel(), p);
  out.finish(call.runtime);
  if (positions) positions->finish(call.runtime);
}
TS_CUDA_KERNEL(roi_align, {.run = run_regions<kRegionAlign>, .accepts = takes_real});
TS_CUDA_KERNEL(roi_pool, {.run = run_regions<kRegionPool>, .accepts = takes_real});
TS_CUDA_KERNEL(ps_roi_align, {.run = run_regions<kRegionSensitiveAlign>, .accepts = takes_real});
TS_CUDA_KERNEL(ps_roi_pool, {.run = run_regions<kRegionSensitivePool>, .accepts = takes_real});

// ---- upsample_*_aa: one dimension after the other, the last first, in float or double

// plain: (self, output_size, align_corners, scale per dimension...); vec: (input, output_size?, align_corners, scale_factors?)
template <int filter, bool vec> void run_filtered(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const DType compute = self.dtype == DType::F64 ? DType::F64 : DType::F32;
  const DenseInput x(self, compute, call.runtime);
  const int spatial = self.ndim - 2;
  std::optional<Scratch> memory[2];
  const void* from = x.data();
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (int d = spatial - 1; d >= 0; d--) {
    ResizeFilterParams p;
    p.from = sizes[d + 2];
    p.to = out.sizes[d + 2];
    p.outer = p.inner = 1;
    for (int e = 0; e < d + 2; e++) p.outer *= sizes[e];
    for (int e = d + 3; e < self.ndim; e++) p.inner *= sizes[e];
    double given = 0;
    if (vec) given = call.args[3].kind == ArgKind::FloatList ? call.args[3].floats.p[d] : 0;
    else given = 3 + d < call.nargs ? call.args[3 + d].as_double() : 0;
    const auto ratio = [&](double a, double b) { return compute == DType::F64 ? a / b : static_cast<double>(static_cast<float>(a) / static_cast<float>(b)); };
    const auto in = static_cast<double>(p.from), n = static_cast<double>(p.to);
    p.scale = call.args[2].b ? (n > 1 ? ratio(in - 1, n - 1) : 0) : given > 0 ? 1.0 / given : ratio(in, n);
    if (compute == DType::F32) p.scale = static_cast<float>(p.scale);
    const double reach = filter == 0 ? 1 : filter == 1 ? 2 : 3;
    p.support = p.scale >= 1 ? (compute == DType::F64 ? reach * p.scale : static_cast<double>(static_cast<float>(reach) * static_cast<float>(p.scale))) : reach;
    p.filter_scale = p.scale >= 1 ? ratio(1, p.scale) : 1;
    p.filter = filter;
    const int64_t total = p.outer * p.to * p.inner;
    std::optional<Scratch>& to = memory[d % 2];
    to.emplace(self.device, static_cast<size_t>(total * dtype_size(compute)));
    p.x = from;
    p.out = to->ptr<void>();
    launch_items(call, self, in_float(self.dtype, "resize_filter_f32", "resize_filter_f64"), total, p);
    from = p.out;
    sizes[d + 2] = p.to;
  }
  TensorView result = contiguous_like(out, compute);
  result.data = const_cast<void*>(from);
  copy_strided(out, result, call.runtime);
}
TS_CUDA_KERNEL(upsample_linear_aa, {.run = run_filtered<0, false>, .accepts = takes_real});
TS_CUDA_KERNEL(upsample_linear_aa_vec, {.run = run_filtered<0, true>, .accepts = takes_real});
TS_CUDA_KERNEL(upsample_cubic_aa, {.run = run_filtered<1, false>, .accepts = takes_real});
TS_CUDA_KERNEL(upsample_cubic_aa_vec, {.run = run_filtered<1, true>, .accepts = takes_real});
TS_CUDA_KERNEL(upsample_lanczos_aa, {.run = run_filtered<2, false>, .accepts = takes_real});
TS_CUDA_KERNEL(upsample_lanczos_aa_vec, {.run = run_filtered<2, true>, .accepts = takes_real});

}  // namespace
}  // namespace torchscript::cuda
