// Note [ISA units] in binding.gyp. See rnn_inner.h.
#include "cpu-avx/rnn_inner.h"

#include "cpu-avx/math.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;
inline VecF load(const float* p, int k) { return k == W ? VecF::load(p) : VecF::load_partial(p, k); }
inline void store(VecF v, float* p, int k) {
  if (k == W) v.store(p);
  else v.store_partial(p, k);
}
template <class F> inline void each(int64_t n, F body) {
  for (int64_t i = 0; i < n; i += W) body(i, n - i < W ? static_cast<int>(n - i) : W);
}

void lstm(const float* gates, int64_t stride, int64_t n, const float* c_before, float* c, float* h) {
  each(n, [&](int64_t i, int k) {
    const VecF in = sigmoid(load(gates + i, k)), forget = sigmoid(load(gates + stride + i, k));
    const VecF fresh = tanh(load(gates + 2 * stride + i, k)), out = sigmoid(load(gates + 3 * stride + i, k));
    const VecF cell = fma(forget, load(c_before + i, k), in * fresh);
    store(cell, c + i, k);
    store(out * tanh(cell), h + i, k);
  });
}
void gru(const float* x, const float* hidden, int64_t stride, int64_t n, const float* h_before, float* h) {
  each(n, [&](int64_t i, int k) {
    const VecF r = sigmoid(load(x + i, k) + load(hidden + i, k)), z = sigmoid(load(x + stride + i, k) + load(hidden + stride + i, k));
    const VecF fresh = tanh(fma(r, load(hidden + 2 * stride + i, k), load(x + 2 * stride + i, k)));
    store(fma(z, load(h_before + i, k) - fresh, fresh), h + i, k);
  });
}
void tanh_row(const float* x, int64_t n, float* h) {
  each(n, [&](int64_t i, int k) { store(tanh(load(x + i, k)), h + i, k); });
}

}  // namespace

extern const RnnTable rnn_table;
const RnnTable rnn_table = {lstm, gru, tanh_row};

}  // namespace TS_ISA
}  // namespace torchscript
