// The pointwise part of a recurrent step: a thread a unit of a row.
// kernel: cpu-avx/rnn
#include "cuda/kernels/prelude.cuh"
#include "cuda/kernels/rnn_params.h"

using namespace torchscript::cuda;

namespace {

TS_DEVICE float exp_of(float x) { return expf(x); }
TS_DEVICE double exp_of(double x) { return exp(x); }
TS_DEVICE float tanh_of(float x) { return tanhf(x); }
TS_DEVICE double tanh_of(double x) { return tanh(x); }
template <class A> TS_DEVICE A sigmoid(A x) { return A(1) / (A(1) + exp_of(-x)); }

template <class T, class A> TS_DEVICE void step(const RnnStepParams& p) {
  const int64_t n = p.units, gates = p.cell == kRnnLstm ? 4 : p.cell == kRnnGru ? 3 : 1, total = n * p.rows;
  for (int64_t i = thread_index(); i < total; i += thread_count()) {
    const int64_t row = i / n, unit = i - row * n;
    const T* x = static_cast<const T*>(p.x) + row * gates * n + unit;
    const T* hidden = static_cast<const T*>(p.hidden) + row * gates * n + unit;
    const auto gate = [&](int k) { return static_cast<A>(x[k * n]) + static_cast<A>(hidden[k * n]); };
    A h;
    if (p.cell == kRnnLstm) {
      const A c = sigmoid(gate(1)) * static_cast<A>(static_cast<const T*>(p.c_before)[i]) + sigmoid(gate(0)) * tanh_of(gate(2));
      static_cast<T*>(p.c)[i] = T(c);
      h = sigmoid(gate(3)) * tanh_of(c);
    } else if (p.cell == kRnnGru) {
      const A r = sigmoid(gate(0)), z = sigmoid(gate(1));
      const A fresh = tanh_of(static_cast<A>(x[2 * n]) + r * static_cast<A>(hidden[2 * n]));
      h = fresh + z * (static_cast<A>(static_cast<const T*>(p.h_before)[i]) - fresh);
    } else {
      const A sum = gate(0);
      h = p.cell == kRnnTanh ? tanh_of(sum) : sum < A(0) ? A(0) : sum;
    }
    static_cast<T*>(p.h)[i] = T(h);
    if (p.y) static_cast<T*>(p.y)[row * p.y_row + unit] = T(h);
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, rnn_step_f32, const RnnStepParams p) { step<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, rnn_step_f16, const RnnStepParams p) { step<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, rnn_step_bf16, const RnnStepParams p) { step<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, rnn_step_f64, const RnnStepParams p) { step<double, double>(p); }
