// einsum(equation, operands, path?). Operands are contracted from left to right: labels that no later operand and no output needs are
// summed, labels of both operands that are still needed are the batch of a matrix product, the rest its rows and columns.
#include <algorithm>
#include <string>
#include <vector>

#include "cpu-avx/conv/shape.h"
#include "cpu-avx/einsum_equation.h"
#include "cpu-avx/gemm/product.h"

namespace torchscript {

using namespace einsum;

namespace {

// Sums the labels that `needed` does not say.
template <class T> Labelled sum_unneeded(Runtime& runtime, const Labelled& t, const bool* needed, const Equation& e) {
  std::vector<int> kept, gone;
  for (const int l : t.labels) (needed[l] ? kept : gone).push_back(l);
  if (gone.empty()) return t;
  std::vector<int> order = kept;
  order.insert(order.end(), gone.begin(), gone.end());
  const TensorView view = as_contiguous<T>(runtime, ordered(t, order));
  const int64_t outer = product_of(e, kept), inner = product_of(e, gone);
  T* out = static_cast<T*>(runtime.scratch(static_cast<size_t>(outer) * sizeof(T) + 64));
  for (int64_t i = 0; i < outer; i++) {
    T total = T(0);
    for (int64_t j = 0; j < inner; j++) total += view.ptr<T>()[i * inner + j];
    out[i] = total;
  }
  Labelled result;
  result.view = view;
  result.view.data = out;
  result.view.ndim = static_cast<int>(kept.size());
  int64_t stride = 1;
  for (int d = result.view.ndim - 1; d >= 0; d--) {
    result.view.strides[d] = stride;
    stride *= std::max<int64_t>(1, result.view.sizes[d]);
  }
  result.labels = kept;
  return result;
}

template <class T> Labelled contract(Runtime& runtime, const Labelled& x, const Labelled& y, const bool* needed, const Equation& e) {
  std::vector<int> batch, rows, columns, summed;
  for (const int l : x.labels) (has(y, l) ? (needed[l] ? batch : summed) : rows).push_back(l);
  for (const int l : y.labels)
    if (!has(x, l)) columns.push_back(l);
  auto joined = [](std::initializer_list<const std::vector<int>*> parts) {
    std::vector<int> out;
    for (const auto* p : parts) out.insert(out.end(), p->begin(), p->end());
    return out;
  };
  const int64_t nb = product_of(e, batch), m = product_of(e, rows), n = product_of(e, columns), k = product_of(e, summed);
  auto matrix = [&](const Labelled& t, const std::vector<int>& order, int64_t r, int64_t c) {
    TensorView v = as_contiguous<T>(runtime, ordered(t, order));
    v.ndim = 3;
    v.sizes[0] = nb;
    v.sizes[1] = r;
    v.sizes[2] = c;
    v.strides[0] = r * c;
    v.strides[1] = c;
    v.strides[2] = 1;
    return v;
  };
  T* out = static_cast<T*>(runtime.scratch(static_cast<size_t>(nb * m * n) * sizeof(T) + 64));
  Labelled result;
  result.labels = joined({&batch, &rows, &columns});
  result.view.dtype = x.view.dtype;
  result.view.data = out;
  result.view.ndim = static_cast<int>(result.labels.size());
  int64_t stride = 1;
  for (int d = result.view.ndim - 1; d >= 0; d--) {
    result.view.sizes[d] = e.sizes[result.labels[static_cast<size_t>(d)]];
    result.view.strides[d] = stride;
    stride *= std::max<int64_t>(1, result.view.sizes[d]);
  }
  // A transposed right operand stays as it is when its rows are the sum.
  TensorView right = matrix(y, joined({&batch, &columns, &summed}), n, k);
  std::swap(right.sizes[1], right.sizes[2]);
  std::swap(right.strides[1], right.strides[2]);
  batched_product<T>(runtime, matrix(x, joined({&batch, &rows, &summed}), m, k), right, out, {});
  return result;
}

// The dtype of the result for operands of integers or bool: those that are summed by themselves become int64, as sum makes them.
DType widened(const Equation& e, const Arg& list, DType dtype) {
  if (!is_integral(dtype) && dtype != DType::Bool) return dtype;
  const auto in_output = [&](int l) { return std::find(e.output.begin(), e.output.end(), l) != e.output.end(); };
  if (list.tensors.n == 1) {
    for (const int l : e.operands[0])
      if (!in_output(l)) return DType::I64;
    return dtype;
  }
  const auto sizes_of = [&](size_t i) {
    std::vector<int64_t> sizes(kLabels, 1);
    for (size_t d = 0; d < e.operands[i].size(); d++) sizes[static_cast<size_t>(e.operands[i][d])] = list.tensors.p[i]->sizes[d];
    return sizes;
  };
  std::vector<int64_t> left = sizes_of(0);
  DType result = dtype;
  for (size_t i = 1; i < e.operands.size(); i++) {
    const std::vector<int64_t> right = sizes_of(i);
    bool contracts = false, sums_left = false, sums_right = false;
    for (size_t l = 0; l < static_cast<size_t>(kLabels); l++) {
      bool needed = in_output(static_cast<int>(l));
      for (size_t j = i + 1; j < e.operands.size(); j++)
        needed = needed || std::find(e.operands[j].begin(), e.operands[j].end(), static_cast<int>(l)) != e.operands[j].end();
      if (!needed) (left[l] != 1 && right[l] != 1 ? contracts : left[l] != 1 ? sums_left : sums_right) |= left[l] != 1 || right[l] != 1;
      left[l] = needed ? std::max(left[l], right[l]) : 1;
    }
    const DType a = sums_left ? DType::I64 : result, b = sums_right ? DType::I64 : dtype;
    if (contracts && a != b) fail("expected scalar type %s but found %s", dtype_torch_name(a), dtype_torch_name(b));
    if (contracts && a == DType::Bool) fail("\"bmm\" not implemented for 'Bool'");
    result = a == DType::I64 ? a : b;
  }
  return result;
}

void einsum_infer(Call& call) {
  const Equation e = parse_equation(call);
  const Arg& list = call.args[1];
  const DType dtype = list.tensors.p[0]->dtype;
  for (int64_t i = 1; i < list.tensors.n; i++) {
    if (list.tensors.p[i]->dtype != dtype)
      fail("expected scalar type %s but found %s", dtype_torch_name(dtype), dtype_torch_name(list.tensors.p[i]->dtype));
  }
  if (e.output.size() > static_cast<size_t>(kMaxDims)) fail("Expected an einsum with at most %d output dimensions", kMaxDims);
  int64_t sizes[kMaxDims];
  for (size_t d = 0; d < e.output.size(); d++) sizes[d] = e.sizes[e.output[d]];
  call.set_output(0, widened(e, list, dtype), sizes, static_cast<int>(e.output.size()));
}
void einsum_run(Call& call) {
  const Equation e = parse_equation(call);
  const Arg& list = call.args[1];
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    const Labelled result = contract_all(
      e, [&](size_t i) { return label(as_compute<T>(*call.runtime, *list.tensors.p[i]), e.operands[i], e); },
      [&](const Labelled& x, const bool* needed) { return sum_unneeded<T>(*call.runtime, x, needed, e); },
      [&](const Labelled& x, const Labelled& y, const bool* needed) { return contract<T>(*call.runtime, x, y, needed, e); });
    TensorView view = as_output(result, e.output, out);
    view.dtype = stage_dtype<T>();
    copy_out(stage<T>(*call.runtime, view), out);
  });
}
TS_KERNEL(einsum, {.infer = einsum_infer, .run = einsum_run});

}  // namespace
}  // namespace torchscript
