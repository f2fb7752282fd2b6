// lstm, gru, rnn_tanh and rnn_relu over padded input (.input) and packed sequences (.data), their cells, and packing of sequences.
//
// A direction of a layer multiplies all time steps by w_ih at once; each step then multiplies the rows that are still running by w_hh,
// packed once per call. Computed in float, or double for double.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu-avx/gemm/product.h"
#include "cpu-avx/rnn_inner.h"
#include "cpu-avx/rnn_layout.h"

namespace torchscript {
namespace {

using ll = long long;

template <class T> T sigmoid_of(T x) { return T(1) / (T(1) + std::exp(-x)); }

// One row of a step: x and hidden hold the gates (biases included); LSTM and plain cells have both summed in x.
template <Cell C, class T> void step_row(const T* x, const T* hidden, int64_t n, const T* h_before, const T* c_before, T* h, T* c) {
  if constexpr (std::is_same_v<T, float>) {
    if (C == Cell::Lstm) return rnn_table().lstm(x, n, n, c_before, c, h);
    if (C == Cell::Gru) return rnn_table().gru(x, hidden, n, n, h_before, h);
    if (C == Cell::Tanh) return rnn_table().tanh(x, n, h);
  }
  for (int64_t i = 0; i < n; i++) {
    if (C == Cell::Lstm) {
      const T cell = sigmoid_of(x[n + i]) * c_before[i] + sigmoid_of(x[i]) * std::tanh(x[2 * n + i]);
      c[i] = cell;
      h[i] = sigmoid_of(x[3 * n + i]) * std::tanh(cell);
    } else if (C == Cell::Gru) {
      const T r = sigmoid_of(x[i] + hidden[i]), z = sigmoid_of(x[n + i] + hidden[n + i]),
              fresh = std::tanh(x[2 * n + i] + r * hidden[2 * n + i]);
      h[i] = fresh + z * (h_before[i] - fresh);
    } else if (C == Cell::Tanh) {
      h[i] = std::tanh(x[i]);
    } else {
      h[i] = x[i] < 0 ? T(0) : x[i];
    }
  }
}

// One direction of a layer. x is [rows][features]; step t has sizes[t] rows from starts[t] on (sizes never grow). Results go to
// columns [column, column + out) of y, whose rows are y_row wide. h and c are [batch][...], first the initial, then the final state.
template <Cell C, class T>
void run_direction(Runtime& runtime, const Layout<C>& l, const TensorView* const* p, bool reverse, const T* x, int64_t features,
                   const std::vector<int64_t>& sizes, const std::vector<int64_t>& starts, T* y, int64_t y_row, int64_t column, T* h, T* c) {
  const int64_t rows = starts.back(), gates = gate_count(C) * l.hidden;
  const T *w_ih = stage<T>(runtime, *p[0]), *w_hh = stage<T>(runtime, *p[1]);
  const T *b_ih = l.biases ? stage<T>(runtime, *p[2]) : nullptr, *b_hh = l.biases ? stage<T>(runtime, *p[3]) : nullptr;
  const T* w_hr = l.projection ? stage<T>(runtime, *p[l.per - 1]) : nullptr;
  auto block = [&](int64_t n) { return static_cast<T*>(runtime.scratch(static_cast<size_t>(n) * sizeof(T) + 64)); };
  T* bias = nullptr;
  if (b_ih) {
    bias = block(gates);
    for (int64_t i = 0; i < gates; i++) bias[i] = b_ih[i] + (C == Cell::Gru ? T(0) : b_hh[i]);
  }
  T* gates_x = block(rows * gates);
  Gemm<T> g;
  g.m = rows;
  g.n = gates;
  g.k = features;
  g.a = x;
  g.a_row = features;
  g.b = w_ih;
  g.b_row = 1;
  g.b_col = features;
  g.c = gates_x;
  g.c_row = gates;
  g.bias_n = bias;
  gemm(runtime, g);
  T* packed = block(static_cast<int64_t>(packed_b_elements<T>(l.out, gates)) + 16);
  if (l.out > 0) pack_b_all<T>(&runtime, w_hh, 1, l.out, l.out, gates, packed);
  T* gates_h = C == Cell::Gru ? block(l.batch * gates) : nullptr;
  T* full = l.projection ? block(l.batch * l.hidden) : nullptr;
  const int64_t steps = static_cast<int64_t>(sizes.size());
  for (int64_t s = 0; s < steps; s++) {
    const int64_t t = reverse ? steps - 1 - s : s, n = sizes[static_cast<size_t>(t)], start = starts[static_cast<size_t>(t)];
    T* gx = gates_x + start * gates;
    Gemm<T> r;
    r.m = n;
    r.n = gates;
    r.k = l.out;
    r.a = h;
    r.a_row = l.out;
    r.b = w_hh;
    r.b_row = 1;
    r.b_col = l.out;
    r.packed_b = packed;
    r.c = C == Cell::Gru ? gates_h : gx;
    r.c_row = gates;
    r.accumulate = C != Cell::Gru;
    r.bias_n = C == Cell::Gru ? b_hh : nullptr;
    gemm(runtime, r);
    for (int64_t i = 0; i < n; i++) {
      T* to = l.projection ? full + i * l.hidden : h + i * l.out;
      step_row<C, T>(gx + i * gates, C == Cell::Gru ? gates_h + i * gates : nullptr, l.hidden, h + i * l.out,
                     c ? c + i * l.hidden : nullptr, to, c ? c + i * l.hidden : nullptr);
    }
    if (l.projection) {
      Gemm<T> q;
      q.m = n;
      q.n = l.out;
      q.k = l.hidden;
      q.a = full;
      q.a_row = l.hidden;
      q.b = w_hr;
      q.b_row = 1;
      q.b_col = l.hidden;
      q.c = h;
      q.c_row = l.out;
      gemm(runtime, q);
    }
    for (int64_t i = 0; i < n; i++) std::copy_n(h + i * l.out, l.out, y + (start + i) * y_row + column);
  }
}

template <Cell C, bool Packed> void rnn_infer(Call& call) {
  const Layout<C> l = layout_of<C>(call, arguments_of(Packed), C == Cell::Lstm ? "lstm" : C == Cell::Gru ? "gru" : "rnn");
  const DType dtype = l.input->dtype;
  if (Packed) {
    const int64_t sizes[2] = {l.input->sizes[0], l.out * l.directions};
    call.set_output(0, dtype, sizes, 2);
  } else {
    const int64_t sizes[3] = {l.batch_first ? l.batch : l.steps, l.batch_first ? l.steps : l.batch, l.out * l.directions};
    call.set_output(0, dtype, sizes, 3);
    if (l.batch_first) {  // computed time first, seen batch first
      call.outputs[0].strides[0] = std::max<int64_t>(1, sizes[2]);
      call.outputs[0].strides[1] = std::max<int64_t>(1, sizes[2]) * std::max<int64_t>(1, l.batch);
    }
  }
  const int64_t h[3] = {l.layers * l.directions, l.batch, l.out}, c[3] = {l.layers * l.directions, l.batch, l.hidden};
  if (call.noutputs > 1) call.set_output(1, dtype, h, 3);
  if (C == Cell::Lstm && call.noutputs > 2) call.set_output(2, dtype, c, 3);
}

template <Cell C, bool Packed> void rnn_run(Call& call) {
  const Arguments at = arguments_of(Packed);
  const Layout<C> l = layout_of<C>(call, at, "rnn");
  Runtime& runtime = *call.runtime;
  std::vector<int64_t> sizes(static_cast<size_t>(l.steps), l.batch), starts(static_cast<size_t>(l.steps) + 1, 0);
  if (Packed) {
    const TensorView& view = call.tensor(at.batch_sizes);
    for (int64_t t = 0; t < l.steps; t++) {
      sizes[static_cast<size_t>(t)] = view.ptr<int64_t>()[t * view.strides[0]];
      const int64_t n = sizes[static_cast<size_t>(t)];
      if (n < 1 || n > (t == 0 ? l.batch : sizes[static_cast<size_t>(t) - 1]))
        fail("batch_sizes should be positive, in decreasing order and at most the batch of the hidden state");
    }
  }
  for (size_t t = 0; t < sizes.size(); t++) starts[t + 1] = starts[t] + sizes[t];
  if (Packed && starts.back() != l.input->sizes[0])
    fail("Expected batch_sizes to sum to %lld but received %lld", ll(l.input->sizes[0]), ll(starts.back()));
  with_float_type(l.input->dtype, [&](auto type) {
    using T = decltype(type);
    const int64_t rows = starts.back(), width = l.out * l.directions;
    auto block = [&](int64_t n) { return static_cast<T*>(runtime.scratch(static_cast<size_t>(n) * sizeof(T) + 64)); };
    TensorView time_first = *l.input;
    if (l.batch_first) {
      std::swap(time_first.sizes[0], time_first.sizes[1]);
      std::swap(time_first.strides[0], time_first.strides[1]);
    }
    const T* x = stage<T>(runtime, time_first);
    int64_t features = l.features;
    T* h_all = block(l.layers * l.directions * l.batch * l.out);
    copy_in(*l.h0, h_all);
    T* c_all = nullptr;
    if (C == Cell::Lstm) {
      c_all = block(l.layers * l.directions * l.batch * l.hidden);
      copy_in(*l.c0, c_all);
    }
    T* y[2] = {block(rows * width), l.layers > 1 ? block(rows * width) : nullptr};
    for (int64_t layer = 0; layer < l.layers; layer++) {
      T* to = y[layer % 2];
      for (int64_t d = 0; d < l.directions; d++) {
        const int64_t i = layer * l.directions + d;
        run_direction<C, T>(runtime, l, l.params + i * l.per, d == 1, x, features, sizes, starts, to, width, d * l.out,
                            h_all + i * l.batch * l.out, c_all ? c_all + i * l.batch * l.hidden : nullptr);
      }
      x = to;
      features = width;
    }
    TensorView out = call.outputs[0];
    if (l.batch_first) {
      std::swap(out.sizes[0], out.sizes[1]);
      std::swap(out.strides[0], out.strides[1]);
    }
    copy_out(x, out);
    if (call.noutputs > 1) copy_out(h_all, call.outputs[1]);
    if (C == Cell::Lstm && call.noutputs > 2) copy_out(c_all, call.outputs[2]);
  });
}

#define TS_RNN(name, cell)                                                                 \
  TS_KERNEL(name##_input, {.infer = rnn_infer<cell, false>, .run = rnn_run<cell, false>}); \
  TS_KERNEL(name##_data, {.infer = rnn_infer<cell, true>, .run = rnn_run<cell, true>, .data_dependent = true})
TS_RNN(lstm, Cell::Lstm);
TS_RNN(gru, Cell::Gru);
TS_RNN(rnn_tanh, Cell::Tanh);
TS_RNN(rnn_relu, Cell::Relu);

// Cells: (input, hx, w_ih, w_hh, b_ih?, b_hh?); lstm_cell's hx is a list of two and it has two outputs.
template <Cell C> void cell_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "rnn cell", "input");
  const TensorView* h;
  if (C == Cell::Lstm) {
    if (call.args[1].kind != ArgKind::TensorList || call.args[1].tensors.n != 2 || !call.args[1].tensors.p[0] || !call.args[1].tensors.p[1])
      fail("lstm_cell expects two hidden states");
    h = call.args[1].tensors.p[0];
  } else {
    h = &tensor_argument(call, 1, "rnn cell", "hx");
  }
  const TensorView &w_ih = tensor_argument(call, 2, "rnn cell", "w_ih"), &w_hh = tensor_argument(call, 3, "rnn cell", "w_hh");
  if (!is_floating(x.dtype)) fail("\"rnn cell\" not implemented for '%s'", dtype_torch_name(x.dtype));
  if (x.ndim != 2 || h->ndim != 2 || w_ih.ndim != 2 || w_hh.ndim != 2) fail("Expected 2-D input, hidden state and weights of the cell");
  const int64_t n = h->sizes[1], gates = gate_count(C) * n;
  if (x.sizes[1] != w_ih.sizes[1]) fail("input has inconsistent input_size: got %lld expected %lld", ll(x.sizes[1]), ll(w_ih.sizes[1]));
  if (x.sizes[0] != h->sizes[0]) fail("Input batch size %lld doesn't match hidden0 batch size %lld", ll(x.sizes[0]), ll(h->sizes[0]));
  if (w_hh.sizes[1] != n || w_hh.sizes[0] != gates || w_ih.sizes[0] != gates)
    fail("hidden0 has inconsistent hidden_size: got %lld, expected %lld", ll(n), ll(w_hh.sizes[1]));
  for (int i : {4, 5}) {
    const TensorView* b = call.optional_tensor(i);
    if (b && (b->ndim != 1 || b->sizes[0] != gates)) fail("Expected a bias of %lld elements for the cell", ll(gates));
  }
  if (C == Cell::Lstm) {
    const TensorView* c = call.args[1].tensors.p[1];
    if (c->ndim != 2 || c->sizes[0] != h->sizes[0] || c->sizes[1] != n) fail("Expected a cell state of the shape of the hidden state");
  }
  for (int i = 0; i < call.noutputs; i++) call.set_output(i, x.dtype, h->sizes, 2);
}
template <Cell C> void cell_run(Call& call) {
  Runtime& runtime = *call.runtime;
  const TensorView& x = call.tensor(0);
  with_float_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    const TensorView& hv = C == Cell::Lstm ? *call.args[1].tensors.p[0] : call.tensor(1);
    const int64_t rows = x.sizes[0], n = hv.sizes[1], gates = gate_count(C) * n;
    auto block = [&](int64_t count) { return static_cast<T*>(runtime.scratch(static_cast<size_t>(count) * sizeof(T) + 64)); };
    const T* h_before = stage<T>(runtime, hv);
    const T* c_before = C == Cell::Lstm ? stage<T>(runtime, *call.args[1].tensors.p[1]) : nullptr;
    T *gx = block(rows * gates), *gh = C == Cell::Gru ? block(rows * gates) : gx;
    auto product = [&](const T* a, int weight, int bias, T* to, bool accumulate) {
      Gemm<T> g;
      g.m = rows;
      g.n = gates;
      g.k = call.tensor(weight).sizes[1];
      g.a = a;
      g.a_row = g.k;
      g.b = stage<T>(runtime, call.tensor(weight));
      g.b_row = 1;
      g.b_col = g.k;
      g.c = to;
      g.c_row = gates;
      g.accumulate = accumulate;
      g.bias_n = call.optional_tensor(bias) ? stage<T>(runtime, *call.optional_tensor(bias)) : nullptr;
      gemm(runtime, g);
    };
    product(stage<T>(runtime, x), 2, 4, gx, false);
    product(h_before, 3, 5, gh, C != Cell::Gru);
    T* h = block(rows * n);
    T* c = block(rows * n);
    for (int64_t i = 0; i < rows; i++)
      step_row<C, T>(gx + i * gates, gh + i * gates, n, h_before + i * n, c_before ? c_before + i * n : nullptr, h + i * n, c + i * n);
    copy_out(h, call.outputs[0]);
    if (C == Cell::Lstm && call.noutputs > 1) copy_out(c, call.outputs[1]);
  });
}
TS_KERNEL(lstm_cell, {.infer = cell_infer<Cell::Lstm>, .run = cell_run<Cell::Lstm>});
TS_KERNEL(gru_cell, {.infer = cell_infer<Cell::Gru>, .run = cell_run<Cell::Gru>});
TS_KERNEL(rnn_tanh_cell, {.infer = cell_infer<Cell::Tanh>, .run = cell_run<Cell::Tanh>});
TS_KERNEL(rnn_relu_cell, {.infer = cell_infer<Cell::Relu>, .run = cell_run<Cell::Relu>});

}  // namespace
}  // namespace torchscript
