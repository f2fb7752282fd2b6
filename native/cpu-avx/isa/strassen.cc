// Note [ISA units] in binding.gyp. See gemm/strassen_inner.h for what each kernel does.
#include "cpu-avx/gemm/strassen_inner.h"

#include "cpu-avx/for_vectors.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;

void operands_of_a(const float* a11, const float* a12, const float* a21, const float* a22, int64_t n, float* to, int64_t step) {
  for_vectors<VecF, float>(n, [&](int64_t i, auto load, auto store) {
    const VecF x11 = load(a11 + i), x12 = load(a12 + i), x21 = load(a21 + i), x22 = load(a22 + i);
    const VecF s1 = x21 + x22, s2 = s1 - x11;
    store(x11, to + i);
    store(x12, to + step + i);
    store(x12 - s2, to + 2 * step + i);
    store(x22, to + 3 * step + i);
    store(s1, to + 4 * step + i);
    store(s2, to + 5 * step + i);
    store(x11 - x21, to + 6 * step + i);
  });
}

void sums_of_a(const float* a11, const float* a12, const float* a21, const float* a22, int64_t n, float* to, int64_t step, float* largest) {
  VecF upper = VecF::zero(), lower = VecF::zero();
  for_vectors<VecF, float>(n, [&](int64_t i, auto load, auto store) {
    const VecF x11 = load(a11 + i), x12 = load(a12 + i), x21 = load(a21 + i), x22 = load(a22 + i);
    const VecF s1 = x21 + x22, s2 = s1 - x11;
    store(s1, to + i);
    store(s2, to + step + i);
    store(x11 - x21, to + 2 * step + i);
    store(x12 - s2, to + 3 * step + i);
    upper = max(max(abs(x11), abs(x12)), upper);
    lower = max(max(abs(x21), abs(x22)), lower);
  });
  largest[0] = hmax(upper);
  largest[1] = hmax(lower);
}

void sums_of_b(const float* b11, const float* b12, const float* b21, const float* b22, int64_t n, float* t1, float* t2, float* t3,
               float* t4) {
  // Rows of panels are whole vectors.
  for (int64_t i = 0; i < n; i += W) {
    const VecF x12 = VecF::load(b12 + i), x22 = VecF::load(b22 + i);
    const VecF x1 = x12 - VecF::load(b11 + i), x2 = x22 - x1;
    x1.store(t1 + i);
    x2.store(t2 + i);
    (x22 - x12).store(t3 + i);
    (x2 - VecF::load(b21 + i)).store(t4 + i);
  }
}

bool combine(const float* m, int64_t m_step, int64_t rows, int width, const float* bias, bool accumulate, float* top, float* bottom,
             int64_t c_row, int n0, int n1) {
  VecF check = VecF::zero();
  for (int64_t i = 0; i < rows; i++, m += width, top += c_row, bottom += c_row) {
    for (int j = 0; j < width; j += W) {
      // Rows of C lie far apart, where no prefetcher of the processor looks for them.
      for (int side = 0; side < 2; side++) {
        __builtin_prefetch(top + 2 * c_row + side * width + j, 1, 3);
        __builtin_prefetch(bottom + 2 * c_row + side * width + j, 1, 3);
      }
      auto product = [&](int q) { return VecF::load(m + (q - 1) * m_step + j); };
      const VecF m1 = product(1), m5 = product(5);
      const VecF u2 = m1 + product(6), u3 = u2 + product(7);
      const VecF c11 = m1 + product(2), c21 = u3 - product(4), c22 = u3 + m5, c12 = (u2 + m5) + product(3);
      check = check + (((c11 - c11) + (c12 - c12)) + ((c21 - c21) + (c22 - c22)));
      auto put = [&](VecF x, float* c, int at, int n) {
        if (n <= 0) return;
        auto load = [&](const float* p) { return n >= W ? VecF::load(p) : VecF::load_partial(p, n); };
        if (bias) x = x + load(bias + at);
        if (accumulate) x = x + load(c + at);
        if (n >= W) x.store(c + at);
        else x.store_partial(c + at, n);
      };
      put(c11, top, j, n0 - j);
      put(c21, bottom, j, n0 - j);
      put(c12, top, width + j, n1 - j);
      put(c22, bottom, width + j, n1 - j);
    }
  }
  const float sum = hsum(check);
  return sum == sum;
}

float largest(const float* x, int64_t n) {
  VecF best[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) best[c] = max(abs(VecF::load(x + i + c * W)), best[c]);
  }
  for (; i < n; i += W) {
    const int64_t left = n - i;
    best[0] = max(abs(left < W ? VecF::load_partial(x + i, static_cast<int>(left)) : VecF::load(x + i)), best[0]);
  }
  return hmax(max(max(best[0], best[1]), max(best[2], best[3])));
}

#define TS_STRING2(x) #x
#define TS_STRING(x) TS_STRING2(x)

}  // namespace

extern const StrassenKernels strassen_kernels;
const StrassenKernels strassen_kernels = {"strassen_f32_" TS_STRING(TS_ISA),
                                          "strassen_twice_f32_" TS_STRING(TS_ISA),
                                          "strassen_kept_f32_" TS_STRING(TS_ISA),
                                          operands_of_a,
                                          sums_of_a,
                                          sums_of_b,
                                          combine,
                                          largest};

}  // namespace TS_ISA
}  // namespace torchscript
