// Two levels of the algorithm of gemm/strassen.h: 49 products of quarter size take the place of 64. Baseline code.
//
// The outer level cuts B by rows and by pairs of panels, four neighbouring panels at a time; the inner one cuts each of its operands again.
// Left operands of all 49 products are made once for a slice of K, the outer sums of B for four panels and a slice of K at a time.
// The error is about three times that of one level.
#pragma once
#include "cpu-avx/gemm/strassen.h"

namespace torchscript {

constexpr int64_t kTwiceRows = 120;    // fewer do not pay for the sums of B
constexpr int64_t kTwicePanels = 16;   // fewer do not pay for the sums of A
constexpr int64_t kTwiceDepth = 1024;  // longer sums gain less, at the same loss of digits
constexpr int64_t kTwiceSlice = 192;   // rows of a quarter of B at a time, at most
constexpr int64_t kApart = 80;         // floats that keep what is read together out of the same cache sets

// Rows of a quarter of B at a time, all slices alike; 0 where there is no such number.
inline int64_t twice_slice(int64_t k) {
  const int64_t quarter = k / 4;
  if (k % 4 != 0) return 0;
  for (int64_t slices = (quarter + kTwiceSlice - 1) / kTwiceSlice; slices > 0 && quarter / slices >= 128; slices++) {
    if (quarter % slices == 0) return quarter / slices;
  }
  return 0;
}
inline bool strassen_twice_suits(const Gemm<float>& g) {
  const int nr = tile_kernels<float>().nr;
  return strassen_suits(g) && g.m >= kTwiceRows && g.k <= kTwiceDepth && twice_slice(g.k) > 0 && g.n % (4 * nr) == 0 &&
         g.n >= kTwicePanels * nr;
}

class StrassenTwice {
 public:
  StrassenTwice(Runtime& runtime, const Gemm<float>& g) : runtime_(runtime), g_(g) {
    quads_ = g.n / (4 * kernels_.nr);
    half_k_ = g.k / 2;
    slice_ = twice_slice(g.k);
    const int64_t blocks = (g.m + kStrassenRows - 1) / kStrassenRows;
    rows_each_ = ((g.m + blocks - 1) / blocks + 3) & ~int64_t{3};
  }

  // False when the rows do not suit; then nothing is done.
  bool run() {
    for (int64_t m0 = 0; m0 < g_.m; m0 += rows_each_) {
      set_rows(m0);
      if (!rows_match()) return false;
    }
    runtime_.note(strassen_.twice_name);
    set_rows(0);
    operands_ = thread_scratch<float>(kSlotUser, static_cast<size_t>(49 * operand_step_));
    finite_ = static_cast<uint8_t*>(runtime_.scratch(static_cast<size_t>(quads_)));
    for (int64_t m0 = 0; m0 < g_.m; m0 += rows_each_) {
      set_rows(m0);
      rows();
    }
    return true;
  }

 private:
  void set_rows(int64_t m0) {
    m0_ = m0;
    m1_ = std::min(g_.m, m0 + rows_each_);
    quarter_ = (m1_ - m0_) / 4;
    half_ = 2 * quarter_;
    row_step_ = (slice_ + 31) & ~int64_t{15};
    operand_step_ = quarter_ * row_step_;
  }

  // Whether the rows that are summed are of like magnitude. NaN compares as unlike.
  bool rows_match() const {
    for (int64_t i = m0_; i < m0_ + quarter_; i++) {
      float least = 0, most = 0;
      for (int64_t q = 0; q < 4; q++) {
        const float x = strassen_.largest(g_.a + (i + q * quarter_) * g_.a_row, g_.k);
        if (q == 0) least = most = x;
        if (!(x <= kStrassenRowRatio * least && most <= kStrassenRowRatio * x)) return false;
        least = std::min(least, x);
        most = std::max(most, x);
      }
    }
    return true;
  }

  void rows() {
    std::memset(finite_, 1, static_cast<size_t>(quads_));
    for (int64_t k0 = 0; k0 < half_k_; k0 += 2 * slice_) {
      sum_rows(k0);
      runtime_.parallel(quads_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t q = begin; q < end; q++) {
          quad(q, k0, q + 1 < end);
          for (int64_t row = m0_ + 4 * quarter_; row < m1_; row++) odd_row(row, q, k0);
        }
      });
    }
    runtime_.parallel(quads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t q = begin; q < end; q++) {
        if (!finite_[q]) gemm_block(g_, m0_, m0_ + 4 * quarter_, 4 * q, 4 * q + 4);
      }
    });
  }

  void sum_rows(int64_t k0) {
    runtime_.parallel(quarter_, std::max<int64_t>(1, 4096 / slice_), [&](int64_t begin, int64_t end) {
      // Rows i and i + quarter_ of the outer operands, in cache.
      const int64_t row = 2 * slice_ + 16, step = 2 * row;
      float* outer = thread_scratch<float>(kSlotPackB, static_cast<size_t>(7 * step));
      for (int64_t i = begin; i < end; i++) {
        for (int64_t lower = 0; lower < 2; lower++) {
          const float *top = g_.a + (m0_ + i + lower * quarter_) * g_.a_row + k0, *bottom = top + half_ * g_.a_row;
          strassen_.operands_of_a(top, top + half_k_, bottom, bottom + half_k_, 2 * slice_, outer + lower * row, step);
        }
        for (int64_t o = 0; o < 7; o++) {
          const float *top = outer + o * step, *bottom = top + row;
          strassen_.operands_of_a(top, top + slice_, bottom, bottom + slice_, slice_, operands_ + 7 * o * operand_step_ + i * row_step_,
                                  operand_step_);
        }
      }
    });
  }

  void quad(int64_t q, int64_t k0, bool more) {
    const int nr = kernels_.nr;
    const int64_t panel = g_.k * nr, low = half_k_ * nr, width = 2 * nr, size = half_ * width + kApart;
    const int64_t run = 2 * slice_ * nr, sum = 2 * run + kApart;  // a slice of half a panel, and of both panels
    float* products = thread_scratch<float>(kSlotUser2, static_cast<size_t>(7 * size + 4 * sum));
    float* t = products + 7 * size;
    const float *b11 = g_.packed_b + 4 * q * panel + k0 * nr, *b12 = b11 + 2 * panel, *b21 = b11 + low, *b22 = b12 + low;
    for (int64_t side = 0; side < 2; side++) {
      const int64_t at = side * panel;
      float* to = t + side * run;
      strassen_.sums_of_b(b11 + at, b12 + at, b21 + at, b22 + at, run, to, to + sum, to + 2 * sum, to + 3 * sum);
    }
    // In an order that ends with the weights that are read in place; meanwhile those of the next four panels are brought in.
    struct Product {
      int left;
      const float* b;
      int64_t right;  // from the first panel of b to the second
      const float* after;
    };
    const float* const next = more ? b11 + 4 * panel : nullptr;
    const Product order[7] = {{4, t, run, next},
                              {5, t + sum, run, next ? next + low : nullptr},
                              {6, t + 2 * sum, run, nullptr},
                              {3, t + 3 * sum, run, next ? next + 2 * panel : nullptr},
                              {2, b22, panel, nullptr},
                              {1, b21, panel, next ? next + 2 * panel + low : nullptr},
                              {0, b11, panel, nullptr}};
    for (const Product& product : order) {
      StrassenPair p;
      p.operands = operands_ + 7 * product.left * operand_step_;
      p.operand_step = operand_step_;
      p.row_step = row_step_;
      p.half = quarter_;
      p.kn = slice_;
      p.b = product.b;
      p.right = product.right;
      p.lower = slice_ * nr;
      p.next = product.after;
      p.next_right = panel;
      p.c = products + product.left * size;
      p.c_row = width;
      p.n1 = nr;
      strassen_pair(p);
    }
    const bool last = k0 + 2 * slice_ >= half_k_;
    const int64_t column = 4 * q * nr;
    float *top = g_.c + m0_ * g_.c_row + column, *bottom = top + half_ * g_.c_row;
    const float* bias = last && g_.bias_n ? g_.bias_n + column : nullptr;
    const int n = static_cast<int>(width);
    if (!strassen_.combine(products, size, half_, n, bias, k0 > 0, top, bottom, g_.c_row, n, n)) finite_[q] = 0;
    if (last && (g_.residual || g_.activation != Activation::None)) {
      const float* residual = g_.residual ? g_.residual + m0_ * g_.residual_row + column : nullptr;
      kernels_.epilogue(top, g_.c_row, residual, g_.residual_row, 2 * half_, 2 * width, g_.activation);
    }
  }

  // A row without partners, while the weights are in cache.
  void odd_row(int64_t row, int64_t q, int64_t k0) {
    const int nr = kernels_.nr;
    const bool last = k0 + 2 * slice_ >= half_k_;
    const float* a = g_.a + row * g_.a_row + k0;
    for (int64_t p = 4 * q; p < 4 * q + 4; p++) {
      const float* panel = g_.packed_b + (p * g_.k + k0) * nr;
      float* c = g_.c + row * g_.c_row + p * nr;
      kernels_.gemv_panel(a, panel, 2 * slice_, c, nr, 1.0f, k0 > 0, nullptr, nullptr, Activation::None);
      kernels_.gemv_panel(
        a + half_k_, panel + half_k_ * nr, 2 * slice_, c, nr, 1.0f, true, last && g_.bias_n ? g_.bias_n + p * nr : nullptr,
        last && g_.residual ? g_.residual + row * g_.residual_row + p * nr : nullptr, last ? g_.activation : Activation::None);
    }
  }

  Runtime& runtime_;
  const Gemm<float>& g_;
  const TileKernels<float>& kernels_ = tile_kernels<float>();
  const StrassenKernels& strassen_ = strassen_kernels();
  int64_t quads_, half_k_, slice_, rows_each_;
  int64_t m0_ = 0, m1_ = 0, quarter_ = 0, half_ = 0;  // of the rows in work
  int64_t row_step_ = 0, operand_step_ = 0;
  float* operands_ = nullptr;  // [7][7][quarter_][slice_]
  uint8_t* finite_ = nullptr;  // by four panels
};

// strassen_product with two levels where they are faster.
inline bool strassen_twice_product(Runtime& runtime, Gemm<float> g) {
  if (strassen_kept_suits(g) || !strassen_twice_suits(g)) return strassen_product(runtime, g);
  if (!g.packed_b) {
    float* packed = static_cast<float*>(runtime.scratch(packed_b_elements<float>(g.k, g.n) * sizeof(float)));
    pack_b_all(&runtime, g.b, g.b_row, g.b_col, g.k, g.n, packed);
    g.packed_b = packed;
  }
  return StrassenTwice(runtime, g).run() || strassen_product(runtime, g);
}

}  // namespace torchscript
