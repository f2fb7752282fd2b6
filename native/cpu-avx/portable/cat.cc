// cat and stack.
#include "cpu-avx/channels_last.h"
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

// 1-D tensors without elements are ignored by cat whatever the rank of the others.
bool is_ignored(const TensorView& v) { return v.ndim == 1 && v.sizes[0] == 0; }

const Arg& checked_list(Call& call, const char* op) {
  const Arg& list = call.args[0];
  if (list.kind != ArgKind::TensorList || list.tensors.n == 0) fail("%s expects a non-empty TensorList", op);
  for (int64_t i = 0; i < list.tensors.n; i++)
    if (list.tensors.p[i] == nullptr) fail("%s(): expected Tensor as element %lld", op, static_cast<long long>(i));
  return list;
}

DType common_dtype(const Arg& list) {
  DType dtype = list.tensors.p[0]->dtype;
  for (int64_t i = 1; i < list.tensors.n; i++) dtype = promote(dtype, list.tensors.p[i]->dtype);
  return dtype;
}

bool all_channels_last(const Arg& list) {
  for (int64_t i = 0; i < list.tensors.n; i++)
    if (!has_channels_last_strides(*list.tensors.p[i])) return false;
  return true;
}

void infer_cat(Call& call) {
  const Arg& list = checked_list(call, "torch.cat(): expected a non-empty list of Tensors; cat");
  const TensorView* first = nullptr;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    const TensorView& v = *list.tensors.p[i];
    if (v.ndim == 0) fail("zero-dimensional tensor (at position %lld) cannot be concatenated", static_cast<long long>(i));
    if (first == nullptr && !is_ignored(v)) first = &v;
  }
  const DType dtype = common_dtype(list);
  if (first == nullptr) {
    const int64_t none = 0;
    wrap_dim(call.args[1].i, 1);
    return call.set_output(0, dtype, &none, 1);
  }
  const int dim = wrap_dim(call.args[1].i, first->ndim);
  int64_t sizes[kMaxDims];
  std::copy(first->sizes, first->sizes + first->ndim, sizes);
  sizes[dim] = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    const TensorView& v = *list.tensors.p[i];
    if (is_ignored(v)) continue;
    if (v.ndim != first->ndim) fail("Tensors must have same number of dimensions: got %d and %d", first->ndim, v.ndim);
    for (int d = 0; d < v.ndim; d++) {
      if (d == dim || v.sizes[d] == first->sizes[d]) continue;
      fail("Sizes of tensors must match except in dimension %d. Expected size %lld but got size %lld for tensor number %lld in the list.",
           dim, static_cast<long long>(first->sizes[d]), static_cast<long long>(v.sizes[d]), static_cast<long long>(i));
    }
    sizes[dim] += v.sizes[dim];
  }
  call.set_output(0, dtype, sizes, first->ndim);
  if (all_channels_last(list)) make_channels_last(call.outputs[0]);
  if (list.tensors.p[0]->quant != nullptr) call.outputs[0].quant = list.tensors.p[0]->quant;
}

// Writes `v` into the part of `out` that starts at `at` along `dim` (sizes as [outer, along dim, inner]).
void place(Call& call, const TensorView& v, const TensorView& out, int64_t outer, int64_t out_row, int64_t at, int64_t row) {
  if (v.numel() == 0) return;
  const int64_t size = dtype_size(out.dtype);
  char* to = out.ptr<char>() + at * size;
  if (v.dtype == out.dtype && v.is_contiguous()) {
    const char* from = v.ptr<char>();
    if (outer == 1) {
      call.runtime->parallel(row * size, 1 << 18,
                             [&](int64_t begin, int64_t end) { std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin)); });
    } else if (row <= 8) {
      dispatch_size(out.dtype, [&](auto tag) {
        using T = decltype(tag);
        T* target = reinterpret_cast<T*>(to);
        const T* source = reinterpret_cast<const T*>(from);
        call.runtime->parallel(outer, 16384, [&](int64_t begin, int64_t end) {
          for (int64_t o = begin; o < end; o++)
            for (int64_t i = 0; i < row; i++) target[o * out_row + i] = source[o * row + i];
        });
      });
    } else {
      call.runtime->parallel(outer, std::max<int64_t>(1, (1 << 16) / (row * size)), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; o++) std::memcpy(to + o * out_row * size, from + o * row * size, static_cast<size_t>(row * size));
      });
    }
    return;
  }
  TensorView target = v;
  target.data = to;
  target.dtype = out.dtype;
  for (int d = 0; d < v.ndim; d++) target.strides[d] = out.strides[d];
  copy_view(target, v);
}

void run_cat(Call& call) {
  const Arg& list = call.args[0];
  TensorView out = call.outputs[0];
  if (out.numel() == 0) return;
  int dim = wrap_dim(call.args[1].i, out.ndim);
  const bool inside = has_channels_last_strides(out);
  if (inside) {
    dim = inside_dim(dim, out.ndim);
    out = with_channels_inside(out);
  }
  const int64_t outer = product(out.sizes, 0, dim), inner = product(out.sizes, dim + 1, out.ndim), out_row = out.sizes[dim] * inner;
  int64_t at = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    if (is_ignored(*list.tensors.p[i])) continue;
    const TensorView v = inside ? with_channels_inside(*list.tensors.p[i]) : *list.tensors.p[i];
    const int64_t row = v.sizes[dim] * inner;
    place(call, v, out, outer, out_row, at, row);
    at += row;
  }
}

void infer_stack(Call& call) {
  const Arg& list = checked_list(call, "stack");
  const TensorView& first = *list.tensors.p[0];
  if (first.ndim == kMaxDims) fail("stack: the result has more than %d dimensions", kMaxDims);
  const int dim = wrap_dim(call.args[1].i, first.ndim + 1);
  for (int64_t i = 1; i < list.tensors.n; i++) {
    const TensorView& v = *list.tensors.p[i];
    if (v.ndim == first.ndim && std::equal(v.sizes, v.sizes + v.ndim, first.sizes)) continue;
    char a[256], b[256];
    fail("stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %lld", shape_text(first, a), shape_text(v, b),
         static_cast<long long>(i));
  }
  int64_t sizes[kMaxDims];
  for (int d = 0; d <= first.ndim; d++) sizes[d] = d == dim ? list.tensors.n : first.sizes[d < dim ? d : d - 1];
  call.set_output(0, common_dtype(list), sizes, first.ndim + 1);
}

void run_stack(Call& call) {
  const Arg& list = call.args[0];
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int dim = wrap_dim(call.args[1].i, out.ndim);
  const int64_t outer = product(out.sizes, 0, dim), row = product(out.sizes, dim + 1, out.ndim), n = list.tensors.n;
  TensorView window = out;  // out without `dim`
  window.ndim = out.ndim - 1;
  for (int d = dim; d < window.ndim; d++) window.sizes[d] = out.sizes[d + 1], window.strides[d] = out.strides[d + 1];
  for (int64_t i = 0; i < n; i++) {
    TensorView part = window;
    part.data = out.data;
    place(call, *list.tensors.p[i], part, outer, n * row, i * row, row);
  }
}

}  // namespace

TS_KERNEL(cat, {.infer = infer_cat, .run = run_cat, .total = true});
TS_KERNEL(stack, {.infer = infer_stack, .run = run_stack});

}  // namespace torchscript::portable
