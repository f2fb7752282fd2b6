// The problem of one convolution call in three spatial dimensions (missing ones have size 1), and the checks PyTorch makes.
#pragma once
#include <algorithm>
#include <string>

#include "cpu-avx/channels_last.h"
#include "cpu-avx/gemm/staging.h"
#include "kernel.h"

namespace torchscript {

struct ConvShape {
  int spatial = 2;  // dimensions the caller has
  bool batched = true;
  bool transposed = false;
  bool channels_last = false;  // of the output
  int64_t batch = 1, in_channels = 0, out_channels = 0, groups = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, pad_low[3] = {0, 0, 0}, pad_high[3] = {0, 0, 0}, out_padding[3] = {0, 0, 0};

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t in_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t out_pixels() const { return out[0] * out[1] * out[2]; }
  bool is_pointwise() const {
    for (int d = 0; d < 3; d++)
      if (kernel[d] != 1 || stride[d] != 1 || pad_low[d] != 0 || pad_high[d] != 0) return false;
    return true;
  }
  bool is_depthwise() const { return groups > 1 && groups == in_channels && group_out() >= 1; }
};

// Which argument of the row holds what; -1: not there.
struct ConvArguments {
  int stride, padding, dilation, transposed, output_padding, groups;
  int channels_last = -1;  // true: the output is channels-last whatever the input is
};

inline std::string sizes_text(const TensorView& v) {
  std::string text = "[";
  for (int d = 0; d < v.ndim; d++) text += (d ? ", " : "") + std::to_string(v.sizes[d]);
  return text + "]";
}

inline void read_list(const Call& call, int i, int spatial, int64_t fallback, const char* name, int64_t* to) {
  for (int d = 0; d < 3; d++) to[d] = fallback;
  int64_t* own = to + (3 - spatial);
  if (i < 0 || i >= call.nargs || call.args[i].is_none()) return;
  const Arg& arg = call.args[i];
  if (arg.kind == ArgKind::Int) {
    for (int d = 0; d < spatial; d++) own[d] = arg.i;
    return;
  }
  if (arg.kind != ArgKind::IntList || (arg.ints.n != spatial && arg.ints.n != 1 && arg.ints.n != 0)) {
    fail("expected %s to be a single integer value or a list of %d values to match the convolution dimensions", name, spatial);
  }
  for (int d = 0; d < spatial && arg.ints.n > 0; d++) own[d] = arg.ints.p[arg.ints.n == 1 ? 0 : d];
}

// `spatial` is 0 where the operator takes any number of dimensions.
inline ConvShape conv_shape(const Call& call, int spatial, const ConvArguments& at) {
  const TensorView &x = tensor_argument(call, 0, "convolution", "input"), &w = tensor_argument(call, 1, "convolution", "weight");
  const TensorView* bias = call.optional_tensor(2);
  ConvShape s;
  s.spatial = spatial > 0 ? spatial : w.ndim - 2;
  if (s.spatial < 1 || s.spatial > 3 || w.ndim != s.spatial + 2)
    fail("weight should have at least three dimensions and match the convolution, but got weight of size: %s", sizes_text(w).c_str());
  const char* op = at.transposed == -2 ? "conv_transpose" : "conv";
  if (x.ndim != s.spatial + 1 && x.ndim != s.spatial + 2) {
    fail("Expected %dD (unbatched) or %dD (batched) input to %s%dd, but got input of size: %s", s.spatial + 1, s.spatial + 2, op, s.spatial,
         sizes_text(x).c_str());
  }
  if (x.dtype != w.dtype)
    fail("Input type (%s) and weight type (%s) should be the same", dtype_torch_name(x.dtype), dtype_torch_name(w.dtype));
  if (bias && bias->dtype != x.dtype)
    fail("Input type (%s) and bias type (%s) should be the same", dtype_torch_name(x.dtype), dtype_torch_name(bias->dtype));
  if (x.dtype == DType::Bool || is_quantized(x.dtype)) fail("\"convolution\" not implemented for '%s'", dtype_torch_name(x.dtype));
  s.batched = x.ndim == s.spatial + 2;
  s.transposed = at.transposed == -2 || (at.transposed >= 0 && at.transposed < call.nargs && call.args[at.transposed].b);
  s.batch = s.batched ? x.sizes[0] : 1;
  s.in_channels = x.sizes[s.batched ? 1 : 0];
  s.groups = at.groups >= 0 && at.groups < call.nargs ? call.args[at.groups].as_int() : 1;
  if (s.groups <= 0) fail("non-positive groups is not supported");
  s.out_channels = s.transposed ? w.sizes[1] * s.groups : w.sizes[0];
  const int low = 3 - s.spatial;
  for (int i : {at.stride, at.padding, at.dilation, at.output_padding}) {
    // Beyond this no window has a meaning, and sums of such numbers could overflow.
    if (i < 0 || i >= call.nargs || call.args[i].kind != ArgKind::IntList) continue;
    for (int64_t d = 0; d < call.args[i].ints.n; d++) {
      if (call.args[i].ints.p[d] > (int64_t{1} << 31))
        fail("Expected stride, padding, dilation and output_padding of a convolution below 2^31 but received %lld",
             static_cast<long long>(call.args[i].ints.p[d]));
    }
  }
  for (int d = 0; d < s.spatial; d++) {
    s.in[low + d] = x.sizes[(s.batched ? 2 : 1) + d];
    s.kernel[low + d] = w.sizes[2 + d];
  }
  read_list(call, at.stride, s.spatial, 1, "stride", s.stride);
  read_list(call, at.dilation, s.spatial, 1, "dilation", s.dilation);
  for (int d = 0; d < 3; d++) {
    if (s.stride[d] <= 0) fail("non-positive stride is not supported");
    if (s.dilation[d] <= 0) fail("dilation should be greater than zero");
  }
  if (at.padding < call.nargs && call.args[at.padding].kind == ArgKind::String) {
    const std::string mode(call.args[at.padding].str.p, static_cast<size_t>(call.args[at.padding].str.n));
    if (mode == "same") {
      for (int d = low; d < 3; d++) {
        if (s.stride[d] != 1) fail("padding='same' is not supported for strided convolutions");
        const int64_t total = s.dilation[d] * (s.kernel[d] - 1);
        s.pad_low[d] = total / 2;
        s.pad_high[d] = total - total / 2;
      }
    } else if (mode != "valid") {
      fail("Invalid padding string: '%s'", mode.c_str());
    }
  } else {
    read_list(call, at.padding, s.spatial, 0, "padding", s.pad_low);
    for (int d = 0; d < low; d++) s.pad_low[d] = 0;
    for (int d = 0; d < 3; d++) {
      if (s.pad_low[d] < 0) fail("negative padding is not supported");
      s.pad_high[d] = s.pad_low[d];
    }
  }
  if (s.transposed) {
    read_list(call, at.output_padding, s.spatial, 0, "output_padding", s.out_padding);
    for (int d = 0; d < low; d++) s.out_padding[d] = 0;
    if (w.sizes[0] != s.in_channels) {
      fail("Given transposed=1, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead",
           sizes_text(w).c_str(), sizes_text(x).c_str(), static_cast<long long>(w.sizes[0]), static_cast<long long>(s.in_channels));
    }
    if (s.in_channels % s.groups != 0) fail("Expected input channels divisible by groups in transposed convolution");
    for (int d = low; d < 3; d++) {
      if (s.out_padding[d] >= std::max(s.stride[d], s.dilation[d])) fail("output padding must be smaller than either stride or dilation");
    }
  } else {
    if (w.sizes[0] % s.groups != 0) {
      fail("Given groups=%lld, expected weight to be divisible by %lld at dimension 0, but got weight of size %s instead",
           static_cast<long long>(s.groups), static_cast<long long>(s.groups), sizes_text(w).c_str());
    }
    if (w.sizes[1] * s.groups != s.in_channels) {
      fail("Given groups=%lld, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead",
           static_cast<long long>(s.groups), sizes_text(w).c_str(), sizes_text(x).c_str(), static_cast<long long>(w.sizes[1] * s.groups),
           static_cast<long long>(s.in_channels));
    }
  }
  if (bias && (bias->ndim != 1 || bias->sizes[0] != s.out_channels)) {
    fail("Given weight of size %s, expected bias to be 1-dimensional with %lld elements, but got bias of size %s instead",
         sizes_text(w).c_str(), static_cast<long long>(s.out_channels), sizes_text(*bias).c_str());
  }
  for (int d = low; d < 3; d++) {
    if (s.transposed) {
      s.out[d] = (s.in[d] - 1) * s.stride[d] - 2 * s.pad_low[d] + s.dilation[d] * (s.kernel[d] - 1) + s.out_padding[d] + 1;
      if (s.out[d] <= 0)
        fail("Given input size per channel: (%lld). Calculated output size per channel: (%lld). Output size is too small",
             static_cast<long long>(s.in[d]), static_cast<long long>(s.out[d]));
    } else {
      const int64_t padded = s.in[d] + s.pad_low[d] + s.pad_high[d], reach = s.dilation[d] * (s.kernel[d] - 1) + 1;
      if (padded < reach || s.kernel[d] == 0) {
        fail("Calculated padded input size per channel: (%lld). Kernel size: (%lld). Kernel size can't be greater than actual input size",
             static_cast<long long>(padded), static_cast<long long>(reach));
      }
      s.out[d] = (padded - reach) / s.stride[d] + 1;
    }
  }
  int64_t staged[5] = {s.batch, std::max(s.in_channels, s.out_channels), 1, 1, 1};
  for (int d = 0; d < 3; d++) staged[2 + d] = s.transposed ? s.out[d] : s.in[d] + s.pad_low[d] + s.pad_high[d] + s.stride[d];
  check_elements(staged, 5);
  s.channels_last = s.batched && s.spatial >= 2 && (has_channels_last_strides(x) || has_channels_last_strides(w));
  const Arg* told = at.channels_last >= 0 && at.channels_last < call.nargs ? &call.args[at.channels_last] : nullptr;
  if (told && told->kind == ArgKind::Bool && s.batched && s.spatial == 2) s.channels_last = s.channels_last || told->b;
  return s;
}

inline void set_conv_output(Call& call, const ConvShape& s) {
  int64_t sizes[5];
  int n = 0;
  if (s.batched) sizes[n++] = s.batch;
  sizes[n++] = s.out_channels;
  for (int d = 3 - s.spatial; d < 3; d++) sizes[n++] = s.out[d];
  call.set_output(0, call.tensor(0).dtype, sizes, n);
  if (s.channels_last) make_channels_last(call.outputs[0]);
}

}  // namespace torchscript
