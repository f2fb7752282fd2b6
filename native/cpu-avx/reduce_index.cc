// Reductions that give positions: argmax, argmin, max and min along a dimension. The first position wins among equals, and
// the first NaN over everything.
#include <algorithm>

#include "cpu-avx/reduce_driver.h"

namespace torchscript {
namespace {

// One line of n elements `stride` apart, in logical order.
template <class T, bool maximum> struct Best {
  T value;
  int64_t index;
  void take(T x, int64_t i) {
    if constexpr (static_cast<T>(0.5) != 0) {
      if (!(maximum ? x <= value : x >= value) && !(value != value)) {
        value = x;
        index = i;
      }
    } else {
      if (maximum ? x > value : x < value) {
        value = x;
        index = i;
      }
    }
  }
};

float widen(DType t, const void* p, int64_t i) {
  float out;
  loader_of(t, Compute::F32)(1, &out, static_cast<const uint16_t*>(p) + i);
  return out;
}

struct Lines {
  int64_t outputs = 1, inner = 1, n = 1;  // lines are (outer, inner): consecutive outputs along the last kept dims
  TensorView self;
  int dim = -1;  // -1: the whole tensor, flattened
  int64_t offset(int64_t output) const {
    if (dim < 0) return 0;
    int64_t sum = 0;
    for (int d = self.ndim - 1; d >= 0; d--) {
      if (d == dim) continue;
      sum += output % self.sizes[d] * self.strides[d];
      output /= self.sizes[d];
    }
    return sum;
  }
};

template <class T, class Get, bool maximum> void find(const Lines& lines, Runtime* runtime, Get get, void* values, int64_t* indices) {
  const TensorView& self = lines.self;
  T* value_out = static_cast<T*>(values);
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, lines.n));
  runtime->parallel(lines.outputs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      const int64_t base = lines.offset(o);
      Best<decltype(get(0)), maximum> best{get(base), 0};
      if (lines.dim >= 0 || self.is_contiguous()) {
        const int64_t stride = lines.dim >= 0 ? (self.ndim ? self.strides[lines.dim] : 0) : 1;
        for (int64_t i = 1; i < lines.n; i++) best.take(get(base + i * stride), i);
      } else {
        int64_t index[kMaxDims] = {};
        int64_t at = 0;
        for (int64_t i = 0; i < lines.n; i++) {
          best.take(get(at), i);
          for (int d = self.ndim - 1; d >= 0; d--) {
            at += self.strides[d];
            if (++index[d] < self.sizes[d]) break;
            at -= self.strides[d] * self.sizes[d];
            index[d] = 0;
          }
        }
      }
      indices[o] = best.index;
      if (value_out) {
        int64_t at = base;
        if (lines.dim >= 0 && self.ndim) at += best.index * self.strides[lines.dim];
        value_out[o] = static_cast<const T*>(self.data)[at];
      }
    }
  });
}
template <class T, bool maximum> void find_plain(const Lines& lines, Runtime* runtime, void* values, int64_t* indices) {
  const T* p = static_cast<const T*>(lines.self.data);
  const auto get = [p](int64_t i) { return p[i]; };
  find<T, decltype(get), maximum>(lines, runtime, get, values, indices);
}
template <bool maximum> void find_any(const Lines& lines, Runtime* runtime, void* values, int64_t* indices) {
  const DType t = lines.self.dtype;
  switch (t) {
    case DType::F32: return find_plain<float, maximum>(lines, runtime, values, indices);
    case DType::F64: return find_plain<double, maximum>(lines, runtime, values, indices);
    case DType::I64: return find_plain<int64_t, maximum>(lines, runtime, values, indices);
    case DType::I32: return find_plain<int32_t, maximum>(lines, runtime, values, indices);
    case DType::I16: return find_plain<int16_t, maximum>(lines, runtime, values, indices);
    case DType::I8: return find_plain<int8_t, maximum>(lines, runtime, values, indices);
    case DType::U8:
    case DType::Bool: return find_plain<uint8_t, maximum>(lines, runtime, values, indices);
    case DType::F16:
    case DType::BF16: {
      const void* p = lines.self.data;
      const auto get = [t, p](int64_t i) { return widen(t, p, i); };
      return find<uint16_t, decltype(get), maximum>(lines, runtime, get, values, indices);
    }
    default: fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", maximum ? "max" : "min", dtype_torch_name(t));
  }
}

Lines lines_of(const TensorView& self, int dim) {
  Lines lines;
  lines.self = self;
  lines.dim = dim;
  lines.n = dim < 0 ? self.numel() : self.ndim ? self.sizes[dim] : 1;
  lines.outputs = 1;
  for (int d = 0; dim >= 0 && d < self.ndim; d++)
    if (d != dim) lines.outputs *= self.sizes[d];
  return lines;
}

template <bool maximum> void infer_arg(Call& call) {
  const TensorView& self = call.tensor(0);
  const Arg& dim = call.args[1];
  const char* name = maximum ? "argmax" : "argmin";
  if (self.dtype == DType::Bool || is_complex(self.dtype))
    fail_as("NotImplementedError", "\"%s_cpu\" not implemented for '%s'", name, dtype_torch_name(self.dtype));
  const ReducedDims dims = reduced_dims(dim, self.ndim);
  if (self.numel() == 0 && dim.is_none())
    fail_as("IndexError", "%s(): Expected reduction dim to be specified for input.numel() == 0.", name);
  if (!dim.is_none() && self.ndim && self.sizes[wrap_dim(dim.i, self.ndim)] == 0)
    fail_as("IndexError", "%s(): Expected reduction dim %lld to have non-zero size.", name, static_cast<long long>(dim.i));
  set_reduced_output(call, 0, DType::I64, self, dims, call.args[2].as_int() != 0);
}
template <bool maximum> void run_arg(Call& call) {
  const TensorView& self = call.tensor(0);
  if (call.outputs[0].numel() == 0) return;
  const int dim = call.args[1].is_none() ? -1 : static_cast<int>(wrap_dim(call.args[1].i, self.ndim));
  find_any<maximum>(lines_of(self, dim), call.runtime, nullptr, call.outputs[0].ptr<int64_t>());
}
TS_KERNEL(argmax, {.infer = infer_arg<true>, .run = run_arg<true>});
TS_KERNEL(argmin, {.infer = infer_arg<false>, .run = run_arg<false>});

template <bool maximum> void infer_along(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t dim = wrap_dim(call.args[1].as_int(), self.ndim);
  if (is_complex(self.dtype))
    fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", maximum ? "max" : "min", dtype_torch_name(self.dtype));
  if (self.ndim && self.sizes[dim] == 0)
    fail_as("IndexError", "%s(): Expected reduction dim %lld to have non-zero size.", maximum ? "max" : "min", static_cast<long long>(dim));
  Arg which;
  which.kind = ArgKind::Int;
  which.i = dim;
  const ReducedDims dims = reduced_dims(which, self.ndim);
  set_reduced_output(call, 0, self.dtype, self, dims, call.args[2].as_int() != 0);
  set_reduced_output(call, 1, DType::I64, self, dims, call.args[2].as_int() != 0);
}
template <bool maximum> void run_along(Call& call) {
  const TensorView& self = call.tensor(0);
  if (call.outputs[0].numel() == 0) return;
  const int dim = static_cast<int>(wrap_dim(call.args[1].as_int(), self.ndim));
  find_any<maximum>(lines_of(self, dim), call.runtime, call.outputs[0].data, call.outputs[1].ptr<int64_t>());
}
TS_KERNEL(max_dim, {.infer = infer_along<true>, .run = run_along<true>});
TS_KERNEL(min_dim, {.infer = infer_along<false>, .run = run_along<false>});

}  // namespace
}  // namespace torchscript
