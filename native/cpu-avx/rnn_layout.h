// What a call of lstm, gru, rnn_tanh or rnn_relu asks for: its arguments, sizes and parameters, checked.
#pragma once
#include "cpu-avx/gemm/product.h"
#include "kernel.h"

namespace torchscript {

enum class Cell : uint8_t { Lstm, Gru, Tanh, Relu };
constexpr int gate_count(Cell cell) { return cell == Cell::Lstm ? 4 : cell == Cell::Gru ? 3 : 1; }

// The arguments of a call, whichever form it has.
struct Arguments {
  bool packed;  // .data
  int input = 0, batch_sizes = -1, hidden, params, biases, layers, dropout, train, bidirectional, batch_first = -1;
};
inline Arguments arguments_of(bool packed) {
  Arguments a;
  a.packed = packed;
  int at = 1;
  if (packed) a.batch_sizes = at++;
  a.hidden = at++;
  a.params = at++;
  a.biases = at++;
  a.layers = at++;
  a.dropout = at++;
  a.train = at++;
  a.bidirectional = at++;
  if (!packed) a.batch_first = at++;
  return a;
}

template <Cell C> struct Layout {
  int64_t layers, directions, batch, steps, features, hidden, out;  // out: size of h (projection included)
  bool batch_first = false, biases, projection = false;
  int per;  // parameters of one direction of a layer
  const TensorView* input;
  const TensorView* h0;
  const TensorView* c0 = nullptr;
  const TensorView* const* params;
};

template <Cell C> Layout<C> layout_of(const Call& call, const Arguments& at, const char* op) {
  using ll = long long;
  Layout<C> l;
  l.input = &tensor_argument(call, at.input, op, "input");
  if (C == Cell::Lstm) {
    if (call.args[at.hidden].kind != ArgKind::TensorList || call.args[at.hidden].tensors.n != 2 || !call.args[at.hidden].tensors.p[0] ||
        !call.args[at.hidden].tensors.p[1])
      fail("lstm expects two hidden states");
    l.h0 = call.args[at.hidden].tensors.p[0];
    l.c0 = call.args[at.hidden].tensors.p[1];
  } else {
    l.h0 = &tensor_argument(call, at.hidden, op, "hx");
  }
  if (call.args[at.params].kind != ArgKind::TensorList) fail("Expected a list of tensors for `params` of %s", op);
  l.params = call.args[at.params].tensors.p;
  l.biases = call.args[at.biases].b;
  l.layers = call.args[at.layers].as_int();
  l.directions = call.args[at.bidirectional].b ? 2 : 1;
  if (call.args[at.train].b && call.args[at.dropout].as_double() > 0)
    fail_as("NotImplementedError", "Expected dropout of %s to be 0 in training but received %g", op, call.args[at.dropout].as_double());
  const int64_t count = call.args[at.params].tensors.n;
  const int64_t plain = l.biases ? 4 : 2;
  if (l.layers <= 0 || (count != l.layers * l.directions * plain && !(C == Cell::Lstm && count == l.layers * l.directions * (plain + 1)))) {
    fail("got an incorrect number of RNN parameters");
  }
  l.per = static_cast<int>(count / (l.layers * l.directions));
  l.projection = l.per != plain;
  for (int64_t i = 0; i < count; i++) {
    if (!l.params[i]) fail("Expected a Tensor for each of `params` of %s", op);
    if (l.params[i]->dtype != l.input->dtype)
      fail("Input and parameter tensors are not the same dtype, found input tensor with %s and parameter tensor with %s",
           dtype_torch_name(l.input->dtype), dtype_torch_name(l.params[i]->dtype));
  }
  if (!is_floating(l.input->dtype)) fail("\"%s\" not implemented for '%s'", op, dtype_torch_name(l.input->dtype));
  const TensorView& x = *l.input;
  if (at.packed) {
    if (x.ndim != 2) fail("Expected a 2-D packed sequence for %s but received %d-D", op, x.ndim);
    const TensorView& sizes = tensor_argument(call, at.batch_sizes, op, "batch_sizes");
    if (sizes.ndim != 1 || sizes.dtype != DType::I64) fail("batch_sizes should always be 1-D int64");
    l.steps = sizes.sizes[0];
    l.batch = l.h0->ndim == 3 ? l.h0->sizes[1] : 0;
    l.features = x.sizes[1];
  } else {
    if (x.ndim != 3) fail("Expected a 3-D input for %s but received %d-D", op, x.ndim);
    l.batch_first = call.args[at.batch_first].b;
    l.steps = x.sizes[l.batch_first ? 1 : 0];
    l.batch = x.sizes[l.batch_first ? 0 : 1];
    l.features = x.sizes[2];
  }
  if (l.h0->ndim != 3 || l.h0->sizes[0] != l.layers * l.directions || l.h0->sizes[1] != l.batch) {
    fail("Expected hidden size (%lld, %lld, ...), got a tensor of %d dimensions", ll(l.layers * l.directions), ll(l.batch), l.h0->ndim);
  }
  l.out = l.h0->sizes[2];
  l.hidden = C == Cell::Lstm && l.c0->ndim == 3 ? l.c0->sizes[2] : l.out;
  if (C == Cell::Lstm && (l.c0->ndim != 3 || l.c0->sizes[0] != l.layers * l.directions || l.c0->sizes[1] != l.batch))
    fail("Expected cell size (%lld, %lld, ...)", ll(l.layers * l.directions), ll(l.batch));
  // Every parameter has the shape its place asks for.
  const int64_t gates = gate_count(C) * l.hidden;
  for (int64_t i = 0; i < l.layers * l.directions; i++) {
    const TensorView* const* p = l.params + i * l.per;
    const int64_t in = i / l.directions == 0 ? l.features : l.out * l.directions;
    bool ok = p[0]->ndim == 2 && p[0]->sizes[0] == gates && p[0]->sizes[1] == in && p[1]->ndim == 2 && p[1]->sizes[0] == gates &&
              p[1]->sizes[1] == l.out;
    for (int b = 2; ok && l.biases && b < 4; b++) ok = p[b]->ndim == 1 && p[b]->sizes[0] == gates;
    if (ok && l.projection) ok = p[l.per - 1]->ndim == 2 && p[l.per - 1]->sizes[0] == l.out && p[l.per - 1]->sizes[1] == l.hidden;
    if (!ok) fail("input.size(-1) must be equal to input_size. Expected %lld, got %lld", ll(p[0]->ndim == 2 ? p[0]->sizes[1] : 0), ll(in));
  }
  return l;
}

}  // namespace torchscript
