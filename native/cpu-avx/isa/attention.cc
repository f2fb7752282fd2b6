// Note [ISA units] in binding.gyp. See attention_inner.h.
#include "cpu-avx/attention_inner.h"

#include "cpu-avx/math.h"
#include "cpu-avx/softmax_exp.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;

// f over four accumulators.
template <class F> inline void by_fours(int64_t n, F f) {
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) f(c, i + c * W);
  }
  for (; i < n; i += W) f(0, i);
}
void softmax_step(float* x, int64_t rows, int64_t step, int64_t n, float* top, float* total, float* factor) {
  constexpr float lowest = -__builtin_inff();
  float largest[kSoftmaxRows];
  // Row by row in each part: what one row waits for, others fill.
  for (int64_t r = 0; r < rows; r++) {
    const float* row = x + r * step;
    VecF best[4] = {VecF(lowest), VecF(lowest), VecF(lowest), VecF(lowest)};
    by_fours(n, [&](int c, int64_t i) { best[c] = max(VecF::load(row + i), best[c]); });
    const float m = hmax(max(max(best[0], best[1]), max(best[2], best[3])));
    largest[r] = m > top[r] ? m : top[r];
  }
  for (int64_t r = 0; r < rows; r++) {
    float* row = x + r * step;
    const float m = largest[r];
    // A NaN is not the largest; it makes the sum NaN.
    const VecF shift(m == lowest ? 0.0f : m);
    VecF sum[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
    by_fours(n, [&](int c, int64_t i) {
      const VecF e = exp_flushed(VecF::load(row + i) - shift);
      e.store(row + i);
      sum[c] = sum[c] + e;
    });
    float f = 1;
    if (top[r] == lowest) {
      f = 0;
    } else if (m != top[r]) {
      float lanes[W];
      exp(VecF(top[r]) - VecF(m)).store(lanes);
      f = lanes[0];
    }
    total[r] = total[r] * f + hsum((sum[0] + sum[1]) + (sum[2] + sum[3]));
    top[r] = m;
    factor[r] = f;
  }
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
