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

template <int Stride, bool Edge> TS_INLINE void max_block(const MaxPlane& p, const LaneRange (&inside)[2 * kMaxPlaneKernel], int64_t y, int64_t x, int n) {
  const VecF lowest(-__builtin_inff());
  VecF acc = lowest;
  const int64_t column = x * Stride - p.pad_left, top = y * p.stride_y - p.pad_top;
  const int64_t first = top < 0 ? -top : 0, last = p.height - top < p.kernel_y ? p.height - top : p.kernel_y;
  auto load = [&](const float* from, int64_t i) {
    if constexpr (Edge) return VecF(fill_outside(load_range(from, inside[i]), inside[i], lowest.v));
    else return VecF::load(from);
  };
  for (int64_t i = first; i < last; i++) {
    const float* row = p.in + (top + i) * p.width + column;
    if constexpr (Stride == 1) {
      for (int64_t j = 0; j < p.kernel_x; j++) acc = max_nan(acc, load(row + j, j));
    } else {
      for (int64_t j = 0; j < p.kernel_x; j += 2) {
        const VecF a = load(row + j, 2 * j), b = load(row + j + W, 2 * j + 1);
        acc = max_nan(acc, VecF(evens(a.v, b.v)));
        if (j + 1 < p.kernel_x) acc = max_nan(acc, VecF(odds(a.v, b.v)));
      }
    }
  }
  float* to = p.out + y * p.columns + x;
  if (n == W) acc.store(to);
  else acc.store_partial(to, n);
}
template <int Stride> void max_plane_stride(const MaxPlane& p) {
  // What one block reads, from its first column on: with pairs a column more than the kernel has when that is odd.
  const int64_t span = Stride == 1 ? W + p.kernel_x - 1 : 2 * W + (p.kernel_x - 1) / 2 * 2;
  for (int64_t x = 0; x < p.columns; x += W) {
    const int64_t column = x * Stride - p.pad_left, left = p.columns - x;
    const int n = static_cast<int>(left < W ? left : W);
    LaneRange inside[2 * kMaxPlaneKernel] = {};
    if (column < 0 || column + span > p.width) {
      for (int64_t j = 0; j < p.kernel_x; j++) {
        if (Stride == 1) {
          inside[j] = columns_inside(column + j, p.width);
        } else {
          inside[2 * j] = columns_inside(column + j, p.width);
          inside[2 * j + 1] = columns_inside(column + j + W, p.width);
        }
      }
      for (int64_t y = 0; y < p.rows; y++) max_block<Stride, true>(p, inside, y, x, n);
    } else {
      for (int64_t y = 0; y < p.rows; y++) max_block<Stride, false>(p, inside, y, x, n);
    }
  }
}
void max_plane(const MaxPlane& p, int stride) {
  if (stride == 1) max_plane_stride<1>(p);
  else max_plane_stride<2>(p);
}

}  // namespace

extern const PoolTable pool_table;
const PoolTable pool_table = {max_plane, max_rows, add_rows, max_windows};

}  // namespace TS_ISA
}  // namespace torchscript
