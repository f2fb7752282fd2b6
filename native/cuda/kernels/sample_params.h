// Parameters of sample.cu: patches, grids and regions of planes.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// Dense tensors. im2col: x [planes, height, width], out [planes, kernel_h, kernel_w, columns_h, columns_w]; col2im the other way.
struct PatchParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t planes = 0, height = 0, width = 0, columns_h = 0, columns_w = 0;
  int64_t kernel[2] = {}, dilation[2] = {}, padding[2] = {}, stride[2] = {};
  int32_t dtype = 0, size = 0;
};

enum GridMode : int32_t { kGridBilinear, kGridNearest, kGridBicubic };
enum GridPadding : int32_t { kGridZeros, kGridBorder, kGridReflection };
// x [batch, channels, sizes...], grid [batch, points..., spatial], out [batch, channels, points...]; all dense.
struct GridSampleParams {
  void* out = nullptr;
  const void* x = nullptr;
  const void* grid = nullptr;
  int64_t batch = 0, channels = 0, points = 0;
  int64_t sizes[3] = {};
  int32_t spatial = 2, mode = 0, padding = 0, align = 0, dtype = 0;
};
// out [batch, sizes..., spatial], theta [batch, spatial, spatial + 1]; dense.
struct AffineGridParams {
  void* out = nullptr;
  const void* theta = nullptr;
  int64_t batch = 0, sizes[3] = {};
  int32_t spatial = 2, align = 0, dtype = 0;
};

enum RegionMethod : int32_t { kRegionAlign, kRegionPool, kRegionSensitiveAlign, kRegionSensitivePool };
// x [batch, channels, height, width], rois [n, 5], out [n, out_channels, rows, columns]; dense.
struct RegionParams {
  void* out = nullptr;
  int32_t* positions = nullptr;  // or null
  const void* x = nullptr;
  const void* rois = nullptr;
  int64_t n = 0, batch = 0, channels = 0, height = 0, width = 0, out_channels = 0, rows = 0, columns = 0, ratio = 0;
  double scale = 1;
  int32_t method = 0, aligned = 0, dtype = 0;
};

// One dimension at a time: out [outer, to, inner], x [outer, from, inner]; dense.
struct ResizeFilterParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t outer = 0, from = 0, to = 0, inner = 0;
  double scale = 1, filter_scale = 1, support = 1;
  int32_t filter = 0;  // 0 linear, 1 cubic, 2 lanczos
  int32_t dtype = 0, bytes = 0;  // bytes: of whole numbers, rounded
};

}  // namespace torchscript::cuda
