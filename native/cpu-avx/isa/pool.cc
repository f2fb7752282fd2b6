// Note [ISA units] in binding.gyp. See pool_inner.h.
#include "cpu-avx/pool_inner.h"

#include "cpu-avx/conv/lanes_pairs.h"
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;

inline float max_one(float a, float b) { return a > b || a != a ? a : b; }

void max_rows(float* acc, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) max_nan(VecF::load(acc + i), VecF::load(x + i)).store(acc + i);
  for (; i < n; i++) acc[i] = max_one(acc[i], x[i]);
}
void add_rows(float* acc, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) (VecF::load(acc + i) + VecF::load(x + i)).store(acc + i);
  for (; i < n; i++) acc[i] += x[i];
}
void max_windows(const float* row, int64_t n, int64_t stride, int64_t window, int64_t step, float* out) {
  int64_t i = 0;
  if (stride == 1) {
    for (; i + W <= n; i += W) {
      VecF m = VecF::load(row + i);
      for (int64_t k = 1; k < window; k++) m = max_nan(m, VecF::load(row + i + k * step));
      m.store(out + i);
    }
  }
  if (stride == 2) {
    // One window more lies behind a vector of them, so that no load passes the row's end.
    for (; i + W < n; i += W) {
      VecF m(evens(VecF::load(row + 2 * i).v, VecF::load(row + 2 * i + W).v));
      for (int64_t k = 1; k < window; k++) {
        const float* p = row + 2 * i + k * step;
        m = max_nan(m, VecF(evens(VecF::load(p).v, VecF::load(p + W).v)));
      }
      m.store(out + i);
    }
  }
  for (; i < n; i++) {
    float m = row[i * stride];
    for (int64_t k = 1; k < window; k++) m = max_one(m, row[i * stride + k * step]);
    out[i] = m;
  }
}

}  // namespace

extern const PoolTable pool_table;
const PoolTable pool_table = {max_rows, add_rows, max_windows};

}  // namespace TS_ISA
}  // namespace torchscript
