// Shapes of window pooling in three spatial dimensions (missing ones have size 1).
#pragma once
#include "cpu-avx/conv/shape.h"

namespace torchscript {

struct PoolShape {
  int spatial = 2;
  int64_t planes = 1;  // batch times channels
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
};

inline const TensorView& pool_input(const Call& call, const char* op, int spatial, PoolShape& s) {
  const TensorView& x = tensor_argument(call, 0, op, "self");
  if (x.ndim != spatial + 1 && x.ndim != spatial + 2) {
    fail("%s(): Expected %dD or %dD input tensor, but got %s", op, spatial + 1, spatial + 2, sizes_text(x).c_str());
  }
  s.spatial = spatial;
  for (int d = 0; d < x.ndim - spatial; d++) s.planes *= x.sizes[d];
  for (int d = 0; d < spatial; d++) {
    s.in[3 - spatial + d] = x.sizes[x.ndim - spatial + d];
    if (x.sizes[x.ndim - spatial + d] == 0)
      fail("%s(): Expected input's non-batch dimensions to have non-zero size, but got %s", op, sizes_text(x).c_str());
  }
  if (x.ndim == spatial + 2 && x.sizes[1] == 0)
    fail("%s(): Expected input's non-batch dimensions to have non-zero size, but got %s", op, sizes_text(x).c_str());
  return x;
}

// Reads kernel, stride, padding and (when `dilation` >= 0) dilation, and computes the output.
inline PoolShape pool_shape(const Call& call, const char* op, int spatial, int kernel, int stride, int padding, int dilation,
                            int ceil_mode) {
  PoolShape s;
  pool_input(call, op, spatial, s);
  read_list(call, kernel, spatial, 1, "kernel_size", s.kernel);
  const bool own_stride = stride < call.nargs && (call.args[stride].kind == ArgKind::Int ||
                                                  (call.args[stride].kind == ArgKind::IntList && call.args[stride].ints.n > 0));
  if (own_stride) read_list(call, stride, spatial, 1, "stride", s.stride);
  else
    for (int d = 0; d < 3; d++) s.stride[d] = s.kernel[d];
  read_list(call, padding, spatial, 0, "padding", s.pad);
  if (dilation >= 0) read_list(call, dilation, spatial, 1, "dilation", s.dilation);
  for (int d = 0; d < 3 - spatial; d++) {
    s.pad[d] = 0;
    s.kernel[d] = s.stride[d] = s.dilation[d] = 1;
  }
  const bool ceil = ceil_mode < call.nargs && call.args[ceil_mode].kind == ArgKind::Bool && call.args[ceil_mode].b;
  for (int d = 3 - spatial; d < 3; d++) {
    if (s.kernel[d] <= 0) fail("kernel size should be greater than zero, but got %lld", static_cast<long long>(s.kernel[d]));
    if (s.stride[d] <= 0) fail("stride should not be zero");
    if (s.dilation[d] <= 0) fail("dilation should be greater than zero, but got %lld", static_cast<long long>(s.dilation[d]));
    if (s.pad[d] < 0) fail("pad must be non-negative, but got pad: %lld", static_cast<long long>(s.pad[d]));
    const int64_t reach = s.dilation[d] * (s.kernel[d] - 1) + 1;
    if (s.pad[d] > reach / 2) {
      fail("pad should be at most half of effective kernel size, but got pad=%lld, kernel_size=%lld and dilation=%lld",
           static_cast<long long>(s.pad[d]), static_cast<long long>(s.kernel[d]), static_cast<long long>(s.dilation[d]));
    }
    const int64_t room = s.in[d] + 2 * s.pad[d] - reach + (ceil ? s.stride[d] - 1 : 0);
    int64_t out = (room >= 0 ? room / s.stride[d] : -((-room + s.stride[d] - 1) / s.stride[d])) + 1;
    // The last window must begin inside the input or its left padding.
    if (ceil && (out - 1) * s.stride[d] >= s.in[d] + s.pad[d]) out--;
    if (out < 1) {
      fail("Given input size: (%s). Calculated output size is too small: %lld", sizes_text(call.tensor(0)).c_str(),
           static_cast<long long>(out));
    }
    s.out[d] = out;
  }
  return s;
}

// Output i: the input's leading dimensions and the pooled ones, in the input's memory format where PyTorch keeps it.
inline void set_pool_output(Call& call, int i, DType dtype, const PoolShape& s, bool keep_format) {
  const TensorView& x = call.tensor(0);
  int64_t sizes[5];
  const int lead = x.ndim - s.spatial;
  for (int d = 0; d < lead; d++) sizes[d] = x.sizes[d];
  for (int d = 0; d < s.spatial; d++) sizes[lead + d] = s.out[3 - s.spatial + d];
  check_elements(sizes, x.ndim);
  call.set_output(i, dtype, sizes, x.ndim);
  if (keep_format && has_channels_last_strides(x)) make_channels_last(call.outputs[i]);
}

// Calls body(plane) over all planes on all threads; `work` is the cost of one.
template <class F> void for_planes(Runtime& runtime, int64_t planes, int64_t work, const F& body) {
  runtime.parallel(planes, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, work)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) body(p);
  });
}

}  // namespace torchscript
