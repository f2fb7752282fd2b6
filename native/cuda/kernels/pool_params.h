// What pooling and resizing hand to their kernels.
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// Windows of any strides, in elements: batch, channel, then three dimensions.
struct PoolParams {
  void* out = nullptr;
  int64_t* indices = nullptr;  // null: none
  const void* x = nullptr;
  int64_t out_strides[5] = {}, index_strides[5] = {}, x_strides[5] = {};
  uint32_t elements = 0;  // of the output
  int32_t channels_inner = 0;
  Divider channels, out_sizes[3];
  int32_t in[3] = {}, kernel[3] = {}, stride[3] = {}, pad[3] = {}, dilation[3] = {};
  int32_t adaptive = 0;     // windows follow from the sizes
  int32_t include_pad = 0;
  int32_t lanes = 1;        // threads that sum one window: 1 or 32
  int64_t divisor = 0;      // 0: the window's elements
};

struct ResizeParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t out_strides[5] = {}, x_strides[5] = {};
  uint32_t elements = 0;
  int32_t channels_inner = 0;
  Divider channels, out_sizes[3];
  int32_t in[3] = {};
  double scale[3] = {};  // input places an output place
  int32_t exact = 0, align_corners = 0, cubic = 0;
};

}  // namespace torchscript::cuda
