// The equation of an einsum, and tensors by its labels.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "kernel.h"

namespace torchscript::einsum {

// Labels: letters 0..51, dimensions of the ellipsis 52 + i counted from the right.
constexpr int kLetters = 52, kLabels = kLetters + kMaxDims;

struct Equation {
  std::vector<std::vector<int>> operands;  // a label for each dimension
  std::vector<int> output;
  int64_t sizes[kLabels];
};

inline int letter(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1; }

// One subscript: labels, with -1 where the ellipsis stands.
inline std::vector<int> subscript(const std::string& text) {
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

inline Equation parse_equation(const Call& call) {
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
      for (size_t before = 0; before < d; before++) {
        if (labels[before] != labels[d] || t->sizes[before] == t->sizes[d]) continue;
        fail("einsum(): a subscript is repeated for operand %d but the sizes don't match, %lld != %lld", static_cast<int>(i),
             static_cast<long long>(t->sizes[d]), static_cast<long long>(t->sizes[before]));
      }
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
inline Labelled label(const TensorView& view, const std::vector<int>& labels, const Equation& e) {
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
inline bool has(const Labelled& t, int l) {
  for (const int own : t.labels)
    if (own == l) return true;
  return false;
}
// The view with its dimensions in the order of `labels`, which it all has.
inline TensorView ordered(const Labelled& t, const std::vector<int>& labels) {
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
// A result as the output has it, whose dimensions are `labels`. Those that every operand had only with size 1 are dropped in the result.
inline TensorView as_output(const Labelled& t, const std::vector<int>& labels, const TensorView& out) {
  TensorView view = t.view;
  view.ndim = out.ndim;
  for (int d = 0; d < out.ndim; d++) {
    view.sizes[d] = out.sizes[d];
    view.strides[d] = 0;
    for (size_t at = 0; at < t.labels.size(); at++)
      if (t.labels[at] == labels[static_cast<size_t>(d)]) view.strides[d] = t.view.strides[at];
  }
  return view;
}
// Contracts operands from left to right. `operand(i)` gives one, `sum(t, needed)` sums the labels that `needed` does not say, and
// `contract(x, y, needed)` those of both that it does not say.
template <class Operand, class Sum, class Contract> Labelled contract_all(const Equation& e, Operand operand, Sum sum, Contract contract) {
  bool needed[kLabels], keep[kLabels];
  // By the output and the operands from i on.
  auto needed_from = [&](size_t i) {
    std::fill(needed, needed + kLabels, false);
    for (const int l : e.output) needed[l] = true;
    for (; i < e.operands.size(); i++)
      for (const int l : e.operands[i]) needed[l] = true;
  };
  needed_from(1);
  Labelled result = sum(operand(0), needed);
  for (size_t i = 1; i < e.operands.size(); i++) {
    needed_from(i + 1);
    Labelled next = operand(i);
    std::copy_n(needed, kLabels, keep);
    for (const int l : result.labels) keep[l] = true;
    next = sum(next, keep);
    std::copy_n(needed, kLabels, keep);
    for (const int l : next.labels) keep[l] = true;
    result = sum(result, keep);
    result = contract(result, next, needed);
  }
  return result;
}
inline int64_t product_of(const Equation& e, const std::vector<int>& labels) {
  int64_t n = 1;
  for (const int l : labels) n *= e.sizes[l];
  return n;
}

}  // namespace torchscript::einsum
