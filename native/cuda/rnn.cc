// lstm, gru, rnn_tanh and rnn_relu over padded input and packed sequences, and their cells.
//
// A direction of a layer multiplies all time steps by w_ih at once; a step multiplies the rows that are still running by w_hh, and one
// launch does the rest. The states live in the outputs for them.
#include <vector>

#include "cpu-avx/rnn_layout.h"
#include "cuda/gemm.h"
#include "cuda/kernels/rnn_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

constexpr RnnCell cell_of(Cell cell) {
  return cell == Cell::Lstm ? kRnnLstm : cell == Cell::Gru ? kRnnGru : cell == Cell::Tanh ? kRnnTanh : kRnnRelu;
}

TensorView matrix(void* data, const TensorView& like, int64_t rows, int64_t columns, int64_t row_stride) {
  TensorView v;
  v.data = data;
  v.dtype = like.dtype;
  v.device = like.device;
  v.ndim = 2;
  v.sizes[0] = rows, v.sizes[1] = columns;
  v.strides[0] = row_stride, v.strides[1] = 1;
  return v;
}
char* at_element(const TensorView& t, int64_t i) { return t.ptr<char>() + i * dtype_size(t.dtype); }

// c = a times the transposed weight, plus a bias.
void multiply(Runtime* runtime, const TensorView& c, const TensorView& a, const TensorView& weight, const TensorView* bias) {
  Product p;
  p.c = c;
  p.a = a;
  p.b = weight;
  std::swap(p.b.sizes[0], p.b.sizes[1]);
  std::swap(p.b.strides[0], p.b.strides[1]);
  if (bias) {
    p.d = c;
    p.d.data = bias->data;
    p.d.strides[0] = 0, p.d.strides[1] = bias->strides[0];
    p.adds = true;
  }
  run_product(runtime, p);
}

void launch_step(Runtime* runtime, const TensorView& like, const RnnStepParams& p) {
  if (p.rows == 0 || p.units == 0) return;
  launch(like.device, runtime, KernelName("rnn_step_", like.dtype), {grid_for(like.device, int64_t{p.rows} * p.units, 256)}, {256}, 0, p);
}
int32_t small(int64_t n) {
  if (n > INT32_MAX) fail("A recurrent layer of 2^31 rows or units is not supported on CUDA");
  return static_cast<int32_t>(n);
}

// One direction of a layer: x is [rows][features]; step t has sizes[t] rows from starts[t] on. Results go to columns [column, column + out)
// of y. h and c are [batch][...], first the initial, then the final state.
template <Cell C>
void run_direction(Runtime* runtime, const Layout<C>& l, const TensorView* const* params, bool reverse, const TensorView& x,
                   const std::vector<int64_t>& sizes, const std::vector<int64_t>& starts, const TensorView& y, int64_t column,
                   const TensorView& h, const TensorView& c) {
  const int64_t rows = starts.back(), gates = gate_count(C) * l.hidden, size = dtype_size(x.dtype);
  if (rows == 0) return;
  const TensorView *b_ih = l.biases ? params[2] : nullptr, *b_hh = l.biases ? params[3] : nullptr;
  const Scratch x_memory(x.device, static_cast<size_t>(std::max<int64_t>(1, rows * gates) * size));
  const Scratch h_memory(x.device, static_cast<size_t>(std::max<int64_t>(1, l.batch * gates) * size));
  std::optional<Scratch> unprojected;
  if (l.projection) unprojected.emplace(x.device, static_cast<size_t>(std::max<int64_t>(1, l.batch * l.hidden) * size));
  const TensorView gates_x = matrix(x_memory.ptr<void>(), x, rows, gates, gates);
  multiply(runtime, gates_x, x, *params[0], b_ih);
  const auto steps = static_cast<int64_t>(sizes.size());
  for (int64_t s = 0; s < steps; s++) {
    const int64_t t = reverse ? steps - 1 - s : s, n = sizes[static_cast<size_t>(t)], start = starts[static_cast<size_t>(t)];
    const TensorView gates_h = matrix(h_memory.ptr<void>(), x, n, gates, gates), running = matrix(h.data, x, n, l.out, l.out);
    multiply(runtime, gates_h, running, *params[1], b_hh);
    const TensorView to = matrix(at_element(y, start * y.strides[0] + column), y, n, l.out, y.strides[0]);
    RnnStepParams p;
    p.cell = cell_of(C);
    p.x = at_element(gates_x, start * gates);
    p.hidden = gates_h.data;
    p.h_before = h.data;
    p.c_before = p.c = c.data;
    p.h = l.projection ? unprojected->template ptr<void>() : h.data;
    p.y = l.projection ? nullptr : to.data;
    p.y_row = y.strides[0];
    p.rows = small(n);
    p.units = small(l.hidden);
    launch_step(runtime, x, p);
    if (!l.projection) continue;
    multiply(runtime, running, matrix(p.h, x, n, l.hidden, l.hidden), *params[l.per - 1], nullptr);
    copy_strided(to, running, runtime);
  }
}

// Rows of a state [layers * directions, batch, width], in the call's output or in memory of the call.
class State {
 public:
  State(Call& call, int output, const TensorView& initial, int64_t width) : rows_(initial.sizes[1]), width_(width) {
    const TensorView dense = contiguous_like(initial, initial.dtype);
    if (output < call.noutputs) {
      out_.emplace(call.outputs[output]);
      view_ = out_->view();
    } else {
      memory_.emplace(initial.device, static_cast<size_t>(std::max<int64_t>(1, initial.numel()) * dtype_size(initial.dtype)));
      view_ = dense;
      view_.data = memory_->ptr<void>();
    }
    copy_strided(view_, initial, call.runtime);
  }
  TensorView of(int64_t i) const { return matrix(at_element(view_, i * rows_ * width_), view_, rows_, width_, width_); }
  void finish(Runtime* runtime) {
    if (out_) out_->finish(runtime);
  }

 private:
  int64_t rows_, width_;
  TensorView view_;
  std::optional<DenseOutput> out_;
  std::optional<Scratch> memory_;
};

template <Cell C, bool Packed> void run(Call& call) {
  const Arguments at = arguments_of(Packed);
  const Layout<C> l = layout_of<C>(call, at, "rnn");
  Runtime* runtime = call.runtime;
  std::vector<int64_t> sizes(static_cast<size_t>(l.steps), l.batch), starts(static_cast<size_t>(l.steps) + 1, 0);
  if (Packed) {
    const TensorView& given = call.tensor(at.batch_sizes);
    for (size_t t = 0; t < sizes.size(); t++) sizes[t] = given.ptr<int64_t>()[static_cast<int64_t>(t) * given.strides[0]];
    for (size_t t = 0; t < sizes.size(); t++)
      if (sizes[t] < 1 || sizes[t] > (t == 0 ? l.batch : sizes[t - 1]))
        fail("batch_sizes should be positive, in decreasing order and at most the batch of the hidden state");
  }
  for (size_t t = 0; t < sizes.size(); t++) starts[t + 1] = starts[t] + sizes[t];
  if (Packed && starts.back() != l.input->sizes[0])
    fail("Expected batch_sizes to sum to %lld but received %lld", static_cast<long long>(l.input->sizes[0]), static_cast<long long>(starts.back()));
  const int64_t rows = starts.back(), width = l.out * l.directions;
  TensorView time_first = *l.input, out = call.outputs[0];
  if (l.batch_first) {
    for (TensorView* v : {&time_first, &out}) {
      std::swap(v->sizes[0], v->sizes[1]);
      std::swap(v->strides[0], v->strides[1]);
    }
  }
  const DenseInput input(time_first, time_first.dtype, runtime);
  DenseOutput output(out);
  State h(call, 1, *l.h0, l.out);
  std::optional<State> c;
  if (C == Cell::Lstm) c.emplace(call, 2, *l.c0, l.hidden);
  std::optional<Scratch> between[2];
  TensorView x = matrix(input.data(), input.view(), rows, l.features, l.features);
  for (int64_t layer = 0; layer < l.layers; layer++) {
    void* to = output.data();
    if (layer + 1 < l.layers) {
      std::optional<Scratch>& memory = between[layer % 2];
      if (!memory) memory.emplace(x.device, static_cast<size_t>(std::max<int64_t>(1, rows * width) * dtype_size(x.dtype)));
      to = memory->template ptr<void>();
    }
    const TensorView y = matrix(to, x, rows, width, width);
    for (int64_t d = 0; d < l.directions; d++) {
      const int64_t i = layer * l.directions + d;
      run_direction<C>(runtime, l, l.params + i * l.per, d == 1, x, sizes, starts, y, d * l.out, h.of(i), c ? c->of(i) : h.of(i));
    }
    x = y;
  }
  output.finish(runtime);
  h.finish(runtime);
  if (c) c->finish(runtime);
}

bool takes(const Call& call) { return call.args[0].kind == ArgKind::Tensor && is_real(call.tensor(0).dtype); }
#define TS_CUDA_RNN(name, cell)                                                      \
  TS_CUDA_KERNEL(name##_input, {.run = run<cell, false>, .accepts = takes});         \
  TS_CUDA_KERNEL(name##_data, {.run = run<cell, true>, .accepts = takes, .waits = true, .on_host = 2})
TS_CUDA_RNN(lstm, Cell::Lstm);
TS_CUDA_RNN(gru, Cell::Gru);
TS_CUDA_RNN(rnn_tanh, Cell::Tanh);
TS_CUDA_RNN(rnn_relu, Cell::Relu);

// Cells: (input, hx, w_ih, w_hh, b_ih?, b_hh?); lstm_cell's hx is a list of two and it has two outputs.
template <Cell C> void run_cell(Call& call) {
  const TensorView& given = call.tensor(0);
  const DenseInput x(given, given.dtype, call.runtime);
  const TensorView& state = C == Cell::Lstm ? *call.args[1].tensors.p[0] : call.tensor(1);
  const DenseInput h_before(state, state.dtype, call.runtime);
  std::optional<DenseInput> c_before;
  if (C == Cell::Lstm) c_before.emplace(*call.args[1].tensors.p[1], given.dtype, call.runtime);
  const int64_t rows = given.sizes[0], n = state.sizes[1], gates = gate_count(C) * n;
  const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, rows * gates) * dtype_size(given.dtype));
  const Scratch x_memory(given.device, bytes), h_memory(given.device, bytes), unused(given.device, bytes);
  const TensorView gates_x = matrix(x_memory.ptr<void>(), given, rows, gates, gates), gates_h = matrix(h_memory.ptr<void>(), given, rows, gates, gates);
  multiply(call.runtime, gates_x, x.view(), call.tensor(2), call.optional_tensor(4));
  multiply(call.runtime, gates_h, h_before.view(), call.tensor(3), call.optional_tensor(5));
  DenseOutput h(call.outputs[0]);
  std::optional<DenseOutput> c;
  if (C == Cell::Lstm && call.noutputs > 1) c.emplace(call.outputs[1]);
  RnnStepParams p;
  p.cell = cell_of(C);
  p.x = gates_x.data;
  p.hidden = gates_h.data;
  p.h_before = h_before.data();
  p.c_before = c_before ? c_before->data() : nullptr;
  p.h = h.data();
  p.c = c ? c->data() : unused.ptr<void>();
  p.rows = small(rows);
  p.units = small(n);
  launch_step(call.runtime, given, p);
  h.finish(call.runtime);
  if (c) c->finish(call.runtime);
}
TS_CUDA_KERNEL(lstm_cell, {.run = run_cell<Cell::Lstm>, .accepts = takes});
TS_CUDA_KERNEL(gru_cell, {.run = run_cell<Cell::Gru>, .accepts = takes});
TS_CUDA_KERNEL(rnn_tanh_cell, {.run = run_cell<Cell::Tanh>, .accepts = takes});
TS_CUDA_KERNEL(rnn_relu_cell, {.run = run_cell<Cell::Relu>, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
