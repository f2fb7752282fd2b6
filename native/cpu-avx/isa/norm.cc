// Note [ISA units] in binding.gyp. See norm_inner.h.
#include "cpu-avx/norm_inner.h"

#include "cpu-avx/math.h"
#include "cpu-avx/softmax_exp.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;
constexpr int64_t kBlock = 256 * W;

template <class F> inline double blocked_sum(int64_t n, F value) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = begin + kBlock < n ? begin + kBlock : n;
    VecF acc[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
    int64_t i = begin;
    for (; i + 4 * W <= end; i += 4 * W) {
#pragma GCC unroll 4
      for (int c = 0; c < 4; c++) acc[c] = value(acc[c], i + c * W, W);
    }
    for (; i < end; i += W) acc[0] = value(acc[0], i, end - i < W ? static_cast<int>(end - i) : W);
    total += hsum((acc[0] + acc[1]) + (acc[2] + acc[3]));
  }
  return total;
}
inline VecF load_some(const float* p, int n) { return n == W ? VecF::load(p) : VecF::load_partial(p, n); }
inline void store_some(VecF v, float* p, int n) {
  if (n == W) v.store(p);
  else v.store_partial(p, n);
}

double sum(const float* x, int64_t n) {
  return blocked_sum(n, [&](VecF acc, int64_t i, int k) { return acc + load_some(x + i, k); });
}
double sum_squares(const float* x, int64_t n, float mean) {
  const VecF m(mean);
  return blocked_sum(n, [&](VecF acc, int64_t i, int k) {
    if (k == W) {
      const VecF d = VecF::load(x + i) - m;
      return fma(d, d, acc);
    }
    float rest[W] = {};
    for (int j = 0; j < k; j++) rest[j] = x[i + j] - mean;
    const VecF d = VecF::load(rest);
    return fma(d, d, acc);
  });
}

template <class F> inline void each(int64_t n, F body) {
  int64_t i = 0;
  for (; i + W <= n; i += W) body(i, W);
  if (i < n) body(i, static_cast<int>(n - i));
}
void affine(const float* x, int64_t n, float mean, float scale, float shift, float* out) {
  const VecF m(mean), a(scale), b(shift);
  each(n, [&](int64_t i, int k) { store_some((load_some(x + i, k) - m) * a + b, out + i, k); });
}
void affine_channels(const float* x, int64_t rows, int64_t channels, const float* mean, const float* scale, const float* shift,
                     float* out) {
  for (int64_t r = 0; r < rows; r++, x += channels, out += channels) {
    each(channels, [&](int64_t i, int k) {
      store_some((load_some(x + i, k) - load_some(mean + i, k)) * load_some(scale + i, k) + load_some(shift + i, k), out + i, k);
    });
  }
}
void normalize(const float* x, int64_t n, float mean, float scale, const float* gamma, const float* beta, float* out) {
  const VecF m(mean), a(scale);
  each(n, [&](int64_t i, int k) {
    VecF y = (load_some(x + i, k) - m) * a;
    if (gamma && beta) y = fma(y, load_some(gamma + i, k), load_some(beta + i, k));
    else if (gamma) y = y * load_some(gamma + i, k);
    else if (beta) y = y + load_some(beta + i, k);
    store_some(y, out + i, k);
  });
}

// Softmax works on several short rows at once: the largest values, sums and quotients of one row each wait for the step before, and rows in turn
// fill these waits.
constexpr int kTogether = 4;
constexpr int64_t kShortRow = 32 * W;

// Lanes [0, n).
inline MaskF first_lanes(int n) {
  alignas(64) static constexpr float kLane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return VecF::load(kLane) < VecF(static_cast<float>(n));
}
// -inf in lanes beyond the row: no largest value, and next to nothing in a sum of exponentials.
inline VecF load_row(const float* p, int n) {
  return n == W ? VecF::load(p) : select(first_lanes(n), VecF::load_partial(p, n), VecF(-__builtin_inff()));
}
// f(accumulator, i, lanes) over a row, with four accumulators.
template <class F> inline void by_fours(int64_t n, F f) {
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) f(c, i + c * W, W);
  }
  for (; i + W <= n; i += W) f(0, i, W);
  if (i < n) f(1, i, static_cast<int>(n - i));
}
// The largest element; a NaN is found by the sum that follows.
inline float row_max(const float* x, int64_t n) {
  const VecF least(-__builtin_inff());
  VecF m[4] = {least, least, least, least};
  by_fours(n, [&](int c, int64_t i, int k) { m[c] = max(load_row(x + i, k), m[c]); });
  return hmax(max(max(m[0], m[1]), max(m[2], m[3])));
}
// f applied to each element, and the sum of the results.
template <class F> inline float row_map(const float* x, int64_t n, float* out, F f) {
  VecF sum[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
  by_fours(n, [&](int c, int64_t i, int k) {
    const VecF e = f(load_row(x + i, k));
    sum[c] = sum[c] + e;
    store_some(e, out + i, k);
  });
  return hsum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}
void softmax(const float* x, int64_t rows, int64_t n, float* out) {
  const int64_t together = n <= kShortRow ? kTogether : 1;
  for (int64_t first = 0; first < rows; first += together) {
    const int count = static_cast<int>(rows - first < together ? rows - first : together);
    const float* from = x + first * n;
    float* to = out + first * n;
    float value[kTogether];
    for (int r = 0; r < count; r++) value[r] = row_max(from + r * n, n);
    for (int r = 0; r < count; r++) {
      const VecF m(value[r]);
      value[r] = 1.0f / row_map(from + r * n, n, to + r * n, [&](VecF v) { return exp_raised(v - m); });
    }
    for (int r = 0; r < count; r++) {
      const VecF scale(value[r]);
      float* row = to + r * n;
      each(n, [&](int64_t i, int k) { store_some(load_some(row + i, k) * scale, row + i, k); });
    }
  }
}
void log_softmax(const float* x, int64_t n, float* out) {
  const float m = row_max(x, n);
  const VecF mv(m);
  const double total = blocked_sum(n, [&](VecF acc, int64_t i, int k) { return acc + exp_flushed(load_row(x + i, k) - mv); });
  const VecF l(static_cast<float>(__builtin_log(total)));
  each(n, [&](int64_t i, int k) { store_some((load_some(x + i, k) - mv) - l, out + i, k); });
}
void softmax_columns(const float* x, int64_t n, int64_t stride, int lanes, bool log_form, float* out) {
  for (int lane = 0; lane < lanes; lane += W) {
    const int k = lanes - lane < W ? lanes - lane : W;
    VecF m(-__builtin_inff()), total = VecF::zero();
    for (int64_t i = 0; i < n; i++) m = max(load_some(x + i * stride + lane, k), m);
    for (int64_t i = 0; i < n; i++) {
      const VecF e = exp_raised(load_some(x + i * stride + lane, k) - m);
      total = total + e;
      if (!log_form) store_some(e, out + i * stride + lane, k);
    }
    if (log_form) {
      const VecF l = log(total * VecF(0x1p-64f));
      for (int64_t i = 0; i < n; i++) store_some((load_some(x + i * stride + lane, k) - m) - l, out + i * stride + lane, k);
    } else {
      const VecF scale = VecF(1.0f) / total;
      for (int64_t i = 0; i < n; i++) store_some(load_some(out + i * stride + lane, k) * scale, out + i * stride + lane, k);
    }
  }
}

#define TS_STRING2(x) #x
#define TS_STRING(x) TS_STRING2(x)

}  // namespace

extern const NormTable norm_table;
const NormTable norm_table = {TS_STRING(TS_ISA), sum,     sum_squares, affine,         affine_channels,
                              normalize,         softmax, log_softmax, softmax_columns};

}  // namespace TS_ISA
}  // namespace torchscript
