// einsum(equation, operands, path?). Operands are contracted from left to right: labels that no later operand and no output needs are
// summed, labels of both operands that are still needed are the batch of a matrix product, the rest its rows and columns.
#include <string>
#include <vector>

#include "cpu-avx/conv/shape.h"
#include "cpu-avx/gemm/product.h"

namespace torchscript {
namespace {

// Labels: letters 0..51, dimensions of the ellipsis 52 + i counted from the right.
constexpr int kLetters = 52, kLabels = kLetters + kMaxDims;

struct Equation {
  std::vector<std::vector<int>> operands;  // a label for each dimension
  std::vector<int> output;
  int64_t sizes[kLabels];
};

int letter(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1; }

// One subscript: labels, with -1 where the ellipsis stands.
std::vector<int> subscript(const std::string& text) {
  std::vector<int> out;
  bool ellipsis = false;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == ' ') continue;
    if (text[i] == '.') {
      if (text.compare(i, 3, "...") != 0 || ellipsis) fail("einsum(): found '.' for operand that is not part of any ellipsis");
      ellipsis = true;
      out.push_back(-1);
      i += 2;
      continue;
    }
    const int label = letter(text[i]);
    if (label < 0)
      fail("einsum(): invalid subscript given at index %d in the equation string, subscripts must be in [a-zA-Z]", static_cast<int>(i));
    out.push_back(label);
  }
  return out;
}

Equation parse(const Call& call) {
  if (call.args[0].kind != ArgKind::String) fail("Expected a string for `equation` of einsum");
  const std::string text(call.args[0].str.p, static_cast<size_t>(call.args[0].str.n));
  const Arg& list = call.args[1];
  if (list.kind != ArgKind::TensorList || list.tensors.n == 0) fail("einsum(): must provide at least one operand");
  const size_t arrow = text.find("->");
  const std::string inputs = text.substr(0, arrow);
  std::vector<std::vector<int>> subscripts;
  for (size_t at = 0;;) {
    const size_t comma = inputs.find(',', at);
    subscripts.push_back(subscript(inputs.substr(at, comma == std::string::npos ? comma : comma - at)));
    if (comma == std::string::npos) break;
    at = comma + 1;
  }
  if (static_cast<int64_t>(subscripts.size()) != list.tensors.n)
    fail("einsum(): %s operands were provided than specified in the equation",
         static_cast<int64_t>(subscripts.size()) < list.tensors.n ? "more" : "fewer");
  Equation e;
  for (int64_t& s : e.sizes) s = -1;
  int widest = 0;
  int counts[kLabels] = {};
  for (size_t i = 0; i < subscripts.size(); i++) {
    const TensorView* t = list.tensors.p[i];
    if (!t) fail("Expected a Tensor for each operand of einsum");
    int named = 0;
    bool ellipsis = false;
    for (const int l : subscripts[i]) l < 0 ? ellipsis = true : named++;
    const int covered = t->ndim - named;
    if (covered < 0 || (covered > 0 && !ellipsis)) {
      fail("einsum(): the number of subscripts in the equation (%d) %s the number of dimensions (%d) for operand %d", named,
           covered < 0 ? "is more than" : "does not match", t->ndim, static_cast<int>(i));
    }
    widest = std::max(widest, covered);
    std::vector<int> labels;
    for (const int l : subscripts[i]) {
      if (l >= 0) labels.push_back(l);
      else
        for (int d = covered - 1; d >= 0; d--) labels.push_back(kLetters + d);
    }
    for (size_t d = 0; d < labels.size(); d++) {
      int64_t& size = e.sizes[labels[d]];
      if (size == -1 || size == 1) size = t->sizes[d];
      else if (t->sizes[d] != 1 && t->sizes[d] != size) {
        fail(
          "einsum(): operands do not broadcast with remapped shapes [original->remapped]: subscript has size %lld for operand %d which does not broadcast with previously seen size %lld",
          static_cast<long long>(t->sizes[d]), static_cast<int>(i), static_cast<long long>(size));
      }
      counts[labels[d]]++;
    }
    e.operands.push_back(labels);
  }
  if (arrow == std::string::npos) {
    for (int d = widest - 1; d >= 0; d--) e.output.push_back(kLetters + d);
    for (int l = 0; l < kLetters; l++)
      if (counts[l] == 1) e.output.push_back(l);
  } else {
    bool seen[kLabels] = {};
    for (const int l : subscript(text.substr(arrow + 2))) {
      if (l < 0) {
        for (int d = widest - 1; d >= 0; d--) e.output.push_back(kLetters + d);
        continue;
      }
      if (seen[l]) fail("einsum(): output subscript appears more than once in the output");
      if (counts[l] == 0) fail("einsum(): output subscript does not appear in the equation for any input operand");
      seen[l] = true;
      e.output.push_back(l);
    }
  }
  return e;
}

// A tensor by its labels: strides of the labels it has, whose bit is set in `has`.
struct Labelled {
  TensorView view;
  std::vector<int> labels;
};

// Diagonals of repeated labels, and labels of size 1 that others have larger are dropped.
Labelled label(const TensorView& view, const std::vector<int>& labels, const Equation& e) {
  Labelled out;
  out.view = view;
  out.view.ndim = 0;
  for (size_t d = 0; d < labels.size(); d++) {
    if (view.sizes[d] == 1 && e.sizes[labels[d]] != 1) continue;
    size_t at = 0;
    while (at < out.labels.size() && out.labels[at] != labels[d]) at++;
    if (at < out.labels.size()) {
      out.view.strides[at] += view.strides[d];
      continue;
    }
    out.labels.push_back(labels[d]);
    out.view.sizes[at] = view.sizes[d];
    out.view.strides[at] = view.strides[d];
    out.view.ndim++;
  }
  return out;
}
bool has(const Labelled& t, int l) {
  for (const int own : t.labels)
    if (own == l) return true;
  return false;
}
// The view with its dimensions in the order of `labels`, which it all has.
TensorView ordered(const Labelled& t, const std::vector<int>& labels) {
  TensorView out = t.view;
  out.ndim = static_cast<int>(labels.size());
  for (size_t i = 0; i < labels.size(); i++) {
    size_t at = 0;
    while (t.labels[at] != labels[i]) at++;
    out.sizes[i] = t.view.sizes[at];
    out.strides[i] = t.view.strides[at];
  }
  return out;
}
int64_t product_of(const Equation& e, const std::vector<int>& labels) {
  int64_t n = 1;
  for (const int l : labels) n *= e.sizes[l];
  return n;
}

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

void einsum_infer(Call& call) {
  const Equation e = parse(call);
  const Arg& list = call.args[1];
  const DType dtype = list.tensors.p[0]->dtype;
  for (int64_t i = 1; i < list.tensors.n; i++) {
    if (list.tensors.p[i]->dtype != dtype)
      fail("expected scalar type %s but found %s", dtype_torch_name(dtype), dtype_torch_name(list.tensors.p[i]->dtype));
  }
  if (e.output.size() > static_cast<size_t>(kMaxDims)) fail("Expected an einsum with at most %d output dimensions", kMaxDims);
  int64_t sizes[kMaxDims];
  for (size_t d = 0; d < e.output.size(); d++) sizes[d] = e.sizes[e.output[d]];
  // One operand is summed as sum does it: integers become int64.
  bool sums = false;
  if (list.tensors.n == 1) {
    for (const int l : e.operands[0]) {
      bool kept = false;
      for (const int o : e.output) kept = kept || o == l;
      sums = sums || !kept;
    }
  }
  const bool widens = sums && (is_integral(dtype) || dtype == DType::Bool);
  call.set_output(0, widens ? DType::I64 : dtype, sizes, static_cast<int>(e.output.size()));
}
void einsum_run(Call& call) {
  const Equation e = parse(call);
  const Arg& list = call.args[1];
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    auto needed_after = [&](int64_t i, bool* needed) {
      std::fill(needed, needed + kLabels, false);
      for (const int l : e.output) needed[l] = true;
      for (int64_t j = i; j < list.tensors.n; j++)
        for (const int l : e.operands[static_cast<size_t>(j)]) needed[l] = true;
    };
    bool needed[kLabels];
    auto operand = [&](int64_t i) {
      return label(as_compute<T>(*call.runtime, *list.tensors.p[i]), e.operands[static_cast<size_t>(i)], e);
    };
    needed_after(1, needed);
    Labelled result = sum_unneeded<T>(*call.runtime, operand(0), needed, e);
    for (int64_t i = 1; i < list.tensors.n; i++) {
      needed_after(i + 1, needed);
      Labelled next = operand(i);
      bool keep[kLabels];
      std::copy_n(needed, kLabels, keep);
      for (const int l : result.labels) keep[l] = true;
      next = sum_unneeded<T>(*call.runtime, next, keep, e);
      std::copy_n(needed, kLabels, keep);
      for (const int l : next.labels) keep[l] = true;
      result = sum_unneeded<T>(*call.runtime, result, keep, e);
      result = contract<T>(*call.runtime, result, next, needed, e);
    }
    // Labels of the output that every operand had only with size 1 are broadcast by nothing: their size is 1.
    TensorView view = result.view;
    view.ndim = out.ndim;
    for (int d = 0; d < out.ndim; d++) {
      view.sizes[d] = out.sizes[d];
      view.strides[d] = 0;
      for (size_t at = 0; at < result.labels.size(); at++)
        if (result.labels[at] == e.output[static_cast<size_t>(d)]) view.strides[d] = result.view.strides[at];
    }
    view.dtype = stage_dtype<T>();
    copy_out(stage<T>(*call.runtime, view), out);
  });
}
TS_KERNEL(einsum, {.infer = einsum_infer, .run = einsum_run});

}  // namespace
}  // namespace torchscript
