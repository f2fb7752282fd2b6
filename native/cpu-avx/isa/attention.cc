// Note [ISA units] in binding.gyp. See attention_inner.h.
#include "cpu-avx/attention_inner.h"

#include "cpu-avx/math.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;

float softmax_step(float* x, int64_t n, float* top, float* total) {
  const float lowest = -__builtin_inff();
  VecF best[4] = {VecF(lowest), VecF(lowest), VecF(lowest), VecF(lowest)};
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) best[c] = max(VecF::load(x + i + c * W), best[c]);
  }
  for (; i < n; i += W) best[0] = max(VecF::load(x + i), best[0]);
  float m = hmax(max(max(best[0], best[1]), max(best[2], best[3])));
  if (!(m > *top)) m = *top;
  // A NaN is not the largest; it makes the sum NaN.
  const VecF shift(m == lowest ? 0.0f : m);
  VecF sum[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
  auto step = [&](VecF& acc, int64_t at) {
    const VecF d = VecF::load(x + at) - shift;
    const VecF e = select(is_nan(d), d, exp(d));
    e.store(x + at);
    acc = acc + e;
  };
  i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) step(sum[c], i + c * W);
  }
  for (; i < n; i += W) step(sum[0], i);
  float factor = 1;
  if (*top == lowest) {
    factor = 0;
  } else if (m != *top) {
    float lanes[W];
    exp(VecF(*top) - VecF(m)).store(lanes);
    factor = lanes[0];
  }
  *total = *total * factor + hsum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  *top = m;
  return factor;
}

void scale(float* x, int64_t n, float factor) {
  const VecF f(factor);
  int64_t i = 0;
  for (; i + W <= n; i += W) (VecF::load(x + i) * f).store(x + i);
  if (i < n) (VecF::load_partial(x + i, static_cast<int>(n - i)) * f).store_partial(x + i, static_cast<int>(n - i));
}

}  // namespace

extern const AttentionTable attention_table;
const AttentionTable attention_table = {softmax_step, scale};

}  // namespace TS_ISA
}  // namespace torchscript
