// Note [ISA units] in binding.gyp. See linalg_inner.h for what each loop does.
#include "cpu-avx/linalg_inner.h"

#include "cpu-avx/for_vectors.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecD::kWidth;

void column_sums(const double* a, int64_t row, int64_t m, int64_t n, const double* v, double* w) {
  // Strips of four vectors stay in registers while the rows pass.
  int64_t j = 0;
  for (; j + 4 * W <= n; j += 4 * W) {
    VecD sum[4] = {VecD::zero(), VecD::zero(), VecD::zero(), VecD::zero()};
    const double* p = a + j;
    for (int64_t i = 0; i < m; i++, p += row) {
      const VecD x(v[i]);
#pragma GCC unroll 4
      for (int c = 0; c < 4; c++) sum[c] = fma(x, VecD::load(p + c * W), sum[c]);
    }
    for (int c = 0; c < 4; c++) sum[c].store(w + j + c * W);
  }
  for_vectors<VecD, double>(n - j, [&](int64_t at, auto load, auto store) {
    VecD even = VecD::zero(), odd = VecD::zero();
    const double* p = a + j + at;
    int64_t i = 0;
    for (; i + 2 <= m; i += 2, p += 2 * row) {
      even = fma(VecD(v[i]), load(p), even);
      odd = fma(VecD(v[i + 1]), load(p + row), odd);
    }
    if (i < m) even = fma(VecD(v[i]), load(p), even);
    store(even + odd, w + j + at);
  });
}

void row_sums(const double* a, int64_t row, int64_t m, int64_t n, const double* v, double* w) {
  int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    VecD sum[4] = {VecD::zero(), VecD::zero(), VecD::zero(), VecD::zero()};
    const double* p = a + i * row;
    for_vectors<VecD, double>(n, [&](int64_t j, auto load, auto) {
      const VecD x = load(v + j);
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) sum[r] = fma(load(p + r * row + j), x, sum[r]);
    });
    for (int r = 0; r < 4; r++) w[i + r] = hsum(sum[r]);
  }
  for (; i < m; i++) {
    VecD sum = VecD::zero();
    for_vectors<VecD, double>(n, [&](int64_t j, auto load, auto) { sum = fma(load(a + i * row + j), load(v + j), sum); });
    w[i] = hsum(sum);
  }
}

void subtract(double* a, int64_t row, int64_t m, int64_t n, const double* v, const double* w) {
  for (int64_t i = 0; i < m; i++) {
    const VecD x(v[i]);
    double* p = a + i * row;
    for_vectors<VecD, double>(n, [&](int64_t j, auto load, auto store) { store(fnma(x, load(w + j), load(p + j)), p + j); });
  }
}

void subtract_symmetric(double* a, int64_t row, int64_t n, const double* v, const double* w) {
  for (int64_t i = 0; i < n; i++) {
    const VecD x(v[i]), y(w[i]);
    double* p = a + i * row;
    for_vectors<VecD, double>(n, [&](int64_t j, auto load, auto store) { store(fnma(y, load(v + j), fnma(x, load(w + j), load(p + j))), p + j); });
  }
}

void rotate_rows(double* a, int64_t row, int64_t n, int64_t count, const double* c, const double* s, bool falling) {
  // The row that two rotations share stays in a register; two strips hide the latency of the chain.
  int64_t j = 0;
  for (; j + 4 * W <= n; j += 4 * W) {
    VecD carried[4];
    double* p = a + j + (falling ? count * row : 0);
    for (int r = 0; r < 4; r++) carried[r] = VecD::load(p + r * W);
    for (int64_t i = 0; i < count; i++) {
      const int64_t k = falling ? count - 1 - i : i;
      const VecD cs(c[k]), sn(s[k]);
      double* next = falling ? p - row : p + row;
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) {
        const VecD other = VecD::load(next + r * W), x = falling ? other : carried[r], y = falling ? carried[r] : other;
        const VecD up = fma(cs, x, sn * y), down = fms(cs, y, sn * x);
        (falling ? down : up).store(p + r * W);
        carried[r] = falling ? up : down;
      }
      p = next;
    }
    for (int r = 0; r < 4; r++) carried[r].store(p + r * W);
  }
  for_vectors<VecD, double>(n - j, [&](int64_t at, auto load, auto store) {
    double* p = a + j + at + (falling ? count * row : 0);
    VecD carried = load(p);
    for (int64_t i = 0; i < count; i++) {
      const int64_t k = falling ? count - 1 - i : i;
      const VecD cs(c[k]), sn(s[k]);
      double* next = falling ? p - row : p + row;
      const VecD other = load(next), x = falling ? other : carried, y = falling ? carried : other;
      const VecD up = fma(cs, x, sn * y), down = fms(cs, y, sn * x);
      store(falling ? down : up, p);
      carried = falling ? up : down;
      p = next;
    }
    store(carried, p);
  });
}

}  // namespace

extern const LinalgTable linalg_table;
const LinalgTable linalg_table = {column_sums, row_sums, subtract, subtract_symmetric, rotate_rows};

}  // namespace TS_ISA
}  // namespace torchscript
