// Positions and values chosen by a mask: masked_select, masked_scatter, nonzero, nonzero_static.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

void check_mask(const TensorView& mask, const char* op) {
  if (mask.dtype != DType::Bool && mask.dtype != DType::U8)
    fail("%s: expected BoolTensor for mask, but got %s", op, dtype_torch_name(mask.dtype));
}

std::vector<int64_t> common_shape(const TensorView& self, const TensorView& mask) {
  std::vector<int64_t> shape(self.sizes, self.sizes + self.ndim);
  if (!broadcast_into(shape, mask)) {
    char a[256], b[256];
    fail("The shape of the mask %s does not match the shape of the tensor %s", shape_text(mask, a), shape_text(self, b));
  }
  return shape;
}

void infer_masked_select(Call& call) {
  const TensorView &self = call.tensor(0), &mask = call.tensor(1);
  check_mask(mask, "masked_select");
  const std::vector<int64_t> shape = common_shape(self, mask);
  const TensorView flags = expand_view(mask, shape.data(), static_cast<int>(shape.size()));
  const TensorView* views[1] = {&flags};
  int64_t n = 0;
  for_each_row<1>(shape.data(), static_cast<int>(shape.size()), views, [&](const int64_t* offsets, int64_t count, const int64_t* strides) {
    for (int64_t i = 0; i < count; i++) n += flags.ptr<uint8_t>()[offsets[0] + i * strides[0]] != 0;
  });
  call.set_output(0, self.dtype, &n, 1);
}

void run_masked_select(Call& call) {
  const std::vector<int64_t> shape = common_shape(call.tensor(0), call.tensor(1));
  const int ndim = static_cast<int>(shape.size());
  const TensorView values = expand_view(call.tensor(0), shape.data(), ndim), flags = expand_view(call.tensor(1), shape.data(), ndim);
  const TensorView* views[2] = {&values, &flags};
  dispatch_size(values.dtype, [&](auto tag) {
    using T = decltype(tag);
    T *out = call.outputs[0].ptr<T>(), *end = out + call.outputs[0].numel();
    for_each_row<2>(shape.data(), ndim, views, [&](const int64_t* offsets, int64_t count, const int64_t* strides) {
      for (int64_t i = 0; i < count && out < end; i++)
        if (flags.ptr<uint8_t>()[offsets[1] + i * strides[1]]) *out++ = values.ptr<T>()[offsets[0] + i * strides[0]];
    });
  });
}

void infer_masked_scatter(Call& call) {
  const TensorView &self = call.tensor(0), &mask = call.tensor(1), &source = call.tensor(2);
  if (mask.dtype != DType::Bool)
    fail("masked_scatter_ only supports boolean masks, but got mask with dtype %s", dtype_torch_name(mask.dtype));
  if (self.dtype != source.dtype)
    fail("masked_scatter: expected self and source to have same dtypes but got %s and %s", dtype_torch_name(self.dtype),
         dtype_torch_name(source.dtype));
  const std::vector<int64_t> shape = common_shape(self, mask);
  call.set_output(0, self.dtype, shape.data(), static_cast<int>(shape.size()));
}

void run_masked_scatter(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.data != call.tensor(0).data) copy_view(out, expand_view(call.tensor(0), out.sizes, out.ndim));
  const TensorView flags = expand_view(call.tensor(1), out.sizes, out.ndim);
  const TensorView* views[2] = {&out, &flags};
  dispatch_size(out.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* source = dense<T>(call, call.tensor(2));
    const int64_t available = call.tensor(2).numel();
    int64_t used = 0;
    for_each_row<2>(out.sizes, out.ndim, views, [&](const int64_t* offsets, int64_t count, const int64_t* strides) {
      for (int64_t i = 0; i < count; i++) {
        if (!flags.ptr<uint8_t>()[offsets[1] + i * strides[1]]) continue;
        if (used == available) fail("masked_scatter: expected self to have at least as many elements in source as true elements in mask");
        out.ptr<T>()[offsets[0] + i * strides[0]] = source[used++];
      }
    });
  });
}

template <class T> bool is_nonzero(T v) {
  if constexpr (is_complex_type<T>::value) return v != T(0);
  else return static_cast<compute_t<T>>(v) != 0;
}

int64_t count_nonzero(const TensorView& self) {
  int64_t n = 0;
  const TensorView* views[1] = {&self};
  dispatch_all(self.dtype, "nonzero", [&](auto tag) {
    using T = decltype(tag);
    for_each_row<1>(self.sizes, self.ndim, views, [&](const int64_t* offsets, int64_t count, const int64_t* strides) {
      for (int64_t i = 0; i < count; i++) n += is_nonzero(self.ptr<T>()[offsets[0] + i * strides[0]]);
    });
  });
  return n;
}

// Writes up to `limit` positions, row-major; returns how many.
int64_t write_positions(const TensorView& self, int64_t* out, int64_t limit) {
  int64_t found = 0, flat = 0;
  const TensorView* views[1] = {&self};
  dispatch_all(self.dtype, "nonzero", [&](auto tag) {
    using T = decltype(tag);
    for_each_row<1>(self.sizes, self.ndim, views, [&](const int64_t* offsets, int64_t count, const int64_t* strides) {
      for (int64_t i = 0; i < count; i++, flat++) {
        if (found == limit || !is_nonzero(self.ptr<T>()[offsets[0] + i * strides[0]])) continue;
        int64_t rest = flat;
        for (int d = self.ndim - 1; d >= 0; d--) {
          out[found * self.ndim + d] = rest % self.sizes[d];
          rest /= self.sizes[d];
        }
        found++;
      }
    });
  });
  return found;
}

void infer_nonzero(Call& call) {
  const int64_t sizes[2] = {count_nonzero(call.tensor(0)), call.tensor(0).ndim};
  call.set_output(0, DType::I64, sizes, 2);
}

void run_nonzero(Call& call) { write_positions(call.tensor(0), call.outputs[0].ptr<int64_t>(), call.outputs[0].sizes[0]); }

void infer_nonzero_static(Call& call) {
  if (call.args[1].i < 0) fail("nonzero_static: 'size' must be an non-negative integer");
  const int64_t sizes[2] = {call.args[1].i, call.tensor(0).ndim};
  call.set_output(0, DType::I64, sizes, 2);
}

void run_nonzero_static(Call& call) {
  const TensorView& out = call.outputs[0];
  const int64_t found = write_positions(call.tensor(0), out.ptr<int64_t>(), out.sizes[0]);
  std::fill(out.ptr<int64_t>() + found * out.sizes[1], out.ptr<int64_t>() + out.numel(), call.args[2].i);
}

}  // namespace

TS_KERNEL(masked_select, {.infer = infer_masked_select, .run = run_masked_select, .data_dependent = true});
TS_KERNEL(masked_scatter, {.infer = infer_masked_scatter, .run = run_masked_scatter, .in_place = true, .self_first = true});
TS_KERNEL(nonzero, {.infer = infer_nonzero, .run = run_nonzero, .data_dependent = true});
TS_KERNEL(nonzero_static, {.infer = infer_nonzero_static, .run = run_nonzero_static});

}  // namespace torchscript::portable
