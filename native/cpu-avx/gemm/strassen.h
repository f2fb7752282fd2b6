// Products of many rows with packed weights by Winograd's form of Strassen's algorithm, one level deep: seven products of half-size
// matrices take the place of eight. Baseline code.
//
// A is cut into quarters by rows and columns, B by rows and by pairs of neighbouring panels, which stay packed as they are. Sums of
// quarters of A are made once; sums of quarters of B for one pair of panels and one slice of K at a time, in cache, by the first tile that
// needs them, so that weights take no more memory and no more bandwidth than they do for the plain product:
//
//   M1 = A11 B11   M2 = A12 B21   M3 = S4 B22   M4 = A22 T4   M5 = S1 T1   M6 = S2 T2   M7 = S3 T3
//   C11 = M1 + M2               C12 = M1 + M5 + M6 + M3
//   C21 = M1 + M6 + M7 - M4     C22 = M1 + M5 + M6 + M7
//
// The error is about three times that of the plain product, and relative to the larger of two rows that are summed. So rows of very
// different magnitudes are left to the plain product, as is what is not finite: sums would carry it over to other rows and columns.
#pragma once
#include <cstring>

#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/gemm/strassen_inner.h"
#include "cpu-avx/gemm/strassen_kept.h"

namespace torchscript {

constexpr int64_t kStrassenRows = 256;  // of A at a time

inline bool strassen_suits(const Gemm<float>& g) {
  return g.a_col == 1 && g.alpha == 1.0f && !g.accumulate && !g.bias_m && g.m >= 96 && g.k >= 256 && g.k % 2 == 0 &&
         g.n >= 2 * tile_kernels<float>().nr && g.m * g.n * g.k >= (1 << 25) && strassen_enabled();
}

// C (+)= A B for two neighbouring panels of B, from the seven left operands, in quarters.
struct StrassenPair {
  const float* operands;  // [7][half][kn] in the order of StrassenKernels::operands_of_a
  int64_t operand_step, row_step, half, kn;
  const float* b;        // B11, [kn][nr]
  int64_t right, lower;  // from B11 to B12 and to B21
  const float* next;     // B11 of the weights that come next, or null
  int64_t next_right;    // from there to B12
  float* c;              // [2 * half][nr + n1]
  int64_t c_row;
  int n1;
  bool accumulate = false;
  const float *bias = nullptr, *residual = nullptr;
  int64_t residual_row = 0;
  Activation activation = Activation::None;
};
// False when a result is not finite.
inline bool strassen_pair(const StrassenPair& p) {
  const TileKernels<float>& kernels = tile_kernels<float>();
  const int nr = kernels.nr;
  const int64_t half = p.half, kn = p.kn;
  const RowTiles row_tiles(half, kernels.mr);
  const int64_t tiles = row_tiles.count();
  float* sums = thread_scratch<float>(kSlotPackB, static_cast<size_t>(2 * kn * nr + 3 * half * nr));
  float *x = sums, *y = x + kn * nr;
  float *u1 = y + kn * nr, *u2 = u1 + half * nr, *u3 = u2 + half * nr;
  const float *b11 = p.b, *b12 = b11 + p.right, *b21 = b11 + p.lower, *b22 = b12 + p.lower;
  float *c11 = p.c, *c12 = c11 + nr, *c21 = c11 + half * p.c_row, *c22 = c21 + nr;
  // What each product is made of and added to: U1 = M1, U3 = M1 + M5 and then + M6, U2 = M1 + M6 and then + M7. The last of the sums of B
  // is -T4.
  struct Product {
    int left;
    const float *b, *minus;
    float* kept;
    float *to, *to_plus;
    float *c, *plus;
  };
  const Product products[7] = {{0, b11, nullptr, nullptr, u1, nullptr, nullptr, nullptr},
                               {4, b12, b11, x, u3, u1, nullptr, nullptr},
                               {5, b22, x, y, u2, u1, u3, u3},
                               {6, b22, b12, x, u2, u2, c22, u3},
                               {2, b22, nullptr, nullptr, nullptr, nullptr, c12, u3},
                               {3, b21, y, y, nullptr, nullptr, c21, u2},
                               {1, b21, nullptr, nullptr, nullptr, nullptr, c11, u1}};
  // The four pieces of the next weights are touched meanwhile, spread over the tiles.
  const int64_t lines = kn * nr * static_cast<int64_t>(sizeof(float)) / 64, pieces = (lines + kn - 1) / kn;
  const int64_t calls = tiles - std::max<int64_t>(row_tiles.full - 2, 0), every = std::max<int64_t>(1, 7 * calls / (4 * pieces));
  int64_t piece = 0, turn = 0;
  bool finite = true;
  for (const Product& product : products) {
    const Product* following = &product + 1 < products + 7 ? &product + 1 : p.next ? products : nullptr;
    ProductTile tile;
    tile.a_stride = p.row_step;
    tile.b_stride = nr;
    tile.k = kn;
    tile.alpha = 1.0f;
    tile.bias_n = tile.bias_m = nullptr;
    tile.accumulate = false;
    tile.activation = Activation::None;
    tile.n = nr;
    tile.c_stride = nr;
    const bool right = product.c == c12 || product.c == c22, lower = product.c == c21 || product.c == c22;
    const bool result = product.c && product.c != u3;
    if (result) {
      tile.n = right ? p.n1 : nr;
      tile.c_stride = p.c_row;
      tile.accumulate = p.accumulate;
      tile.finite = &finite;
      if (p.bias) tile.bias_n = p.bias + (right ? nr : 0);
      tile.activation = p.activation;
    }
    tile.prefetching = 1;
    for (int64_t t = 0; t < tiles; t += tile.tiles, turn++) {
      const int64_t row = row_tiles.first(t), height = row_tiles.first(t + 1) - row, at = row * nr;
      // The first one sums B.
      tile.tiles = t == 0 ? 1 : row_tiles.alike(t);
      tile.a = p.operands + product.left * p.operand_step + row * p.row_step;
      tile.m = static_cast<int>(height);
      const float* next_a = t + tile.tiles < tiles ? tile.a + height * p.row_step
                            : following            ? p.operands + following->left * p.operand_step
                                                   : nullptr;
      tile.next_a = reinterpret_cast<const char*>(next_a);
      tile.next_step = height * p.row_step * static_cast<int64_t>(sizeof(float)) / kn + 1;
      // The first tile sums B, the others find it.
      tile.b = row > 0 && product.kept ? product.kept : product.b;
      tile.b_minus = row > 0 ? nullptr : product.minus;
      tile.b_kept = product.kept;
      tile.to = product.to ? product.to + at : nullptr;
      tile.to_plus = product.to_plus ? product.to_plus + at : nullptr;
      tile.c = product.c ? product.c + row * tile.c_stride : nullptr;
      tile.plus = product.plus ? product.plus + at : nullptr;
      if (result && p.residual) {
        tile.residual = p.residual + ((lower ? half : 0) + row) * p.residual_row + (right ? nr : 0);
        tile.residual_stride = p.residual_row;
      }
      tile.prefetch = nullptr;
      if (p.next && turn % every == 0 && piece < 4 * pieces) {
        const int64_t quarter = piece / pieces;
        tile.prefetch =
          reinterpret_cast<const char*>(p.next + (quarter & 1) * p.next_right + (quarter >> 1) * p.lower) + piece % pieces * kn * 64;
        piece++;
      }
      kernels.tile_product(tile);
    }
  }
  return finite;
}

class Strassen {
 public:
  Strassen(Runtime& runtime, const Gemm<float>& g) : runtime_(runtime), g_(g) {
    panels_ = panel_count<float>(g.n);
    pairs_ = panels_ / 2;
    half_k_ = g.k / 2;
    slice_ = k_slice(half_k_, kernels_.kc);
    const int64_t blocks = (g.m + kStrassenRows - 1) / kStrassenRows;
    rows_each_ = ((g.m + blocks - 1) / blocks + 1) & ~int64_t{1};
  }

  // False when the rows do not suit; then nothing is done.
  bool run() {
    if (!rows_match()) return false;
    runtime_.note(strassen_.name);
    // Rows of operands lie a line apart, so that those of a tile do not fall into the same cache sets.
    row_step_ = (slice_ + 31) & ~int64_t{15};
    operand_step_ = std::min(g_.m, rows_each_) / 2 * row_step_;
    operands_ = thread_scratch<float>(kSlotUser, static_cast<size_t>(7 * operand_step_));
    finite_ = static_cast<uint8_t*>(runtime_.scratch(static_cast<size_t>(pairs_)));
    for (int64_t m0 = 0; m0 < g_.m; m0 += rows_each_) rows(m0, std::min(g_.m, m0 + rows_each_));
    return true;
  }

 private:
  // Whether the rows that are summed are of like magnitude. NaN compares as unlike.
  bool rows_match() const {
    for (int64_t m0 = 0; m0 < g_.m; m0 += rows_each_) {
      const int64_t half = (std::min(g_.m, m0 + rows_each_) - m0) / 2;
      for (int64_t i = m0; i < m0 + half; i++) {
        const float x = strassen_.largest(g_.a + i * g_.a_row, g_.k), y = strassen_.largest(g_.a + (i + half) * g_.a_row, g_.k);
        if (!(x <= kStrassenRowRatio * y && y <= kStrassenRowRatio * x)) return false;
      }
    }
    return true;
  }

  void rows(int64_t m0, int64_t m1) {
    const int64_t half = (m1 - m0) / 2;
    std::memset(finite_, 1, static_cast<size_t>(pairs_));
    for (int64_t k0 = 0; k0 < half_k_; k0 += slice_) {
      const int64_t kn = std::min(slice_, half_k_ - k0);
      runtime_.parallel(half, std::max<int64_t>(1, 32768 / kn), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const float *upper = g_.a + (m0 + i) * g_.a_row + k0, *lower = upper + half * g_.a_row;
          strassen_.operands_of_a(upper, upper + half_k_, lower, lower + half_k_, kn, operands_ + i * row_step_, operand_step_);
        }
      });
      runtime_.parallel(pairs_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; p++) {
          pair(m0, half, k0, kn, p, p + 1 < end);
          if ((m1 - m0) % 2) odd_row(m1 - 1, k0, kn, p);
        }
      });
    }
    runtime_.parallel(pairs_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        if (!finite_[p]) gemm_block(g_, m0, m0 + 2 * half, 2 * p, 2 * p + 2);
      }
    });
    if (panels_ % 2) gemm_block(g_, m0, m1, panels_ - 1, panels_);
  }

  void pair(int64_t m0, int64_t half, int64_t k0, int64_t kn, int64_t pair, bool more) {
    const int nr = kernels_.nr;
    const int64_t panel_step = g_.k * nr, column = 2 * pair * nr;
    const bool last = k0 + kn >= half_k_;
    StrassenPair p;
    p.operands = operands_;
    p.operand_step = operand_step_;
    p.row_step = row_step_;
    p.half = half;
    p.kn = kn;
    p.b = g_.packed_b + 2 * pair * panel_step + k0 * nr;
    p.right = panel_step;
    p.lower = half_k_ * nr;
    p.next = more ? p.b + 2 * panel_step : nullptr;
    p.next_right = panel_step;
    p.c = g_.c + m0 * g_.c_row + column;
    p.c_row = g_.c_row;
    p.n1 = static_cast<int>(std::min<int64_t>(nr, g_.n - column - nr));
    p.accumulate = k0 > 0;
    p.bias = last && g_.bias_n ? g_.bias_n + column : nullptr;
    p.residual = last && g_.residual ? g_.residual + m0 * g_.residual_row + column : nullptr;
    p.residual_row = g_.residual_row;
    p.activation = last ? g_.activation : Activation::None;
    if (!strassen_pair(p)) finite_[pair] = 0;
  }

  // A row without a partner, while the weights are in cache.
  void odd_row(int64_t row, int64_t k0, int64_t kn, int64_t pair) {
    const int nr = kernels_.nr;
    const float* a = g_.a + row * g_.a_row + k0;
    const bool last = k0 + kn >= half_k_;
    for (int64_t p = 2 * pair; p < 2 * pair + 2; p++) {
      const float* panel = g_.packed_b + (p * g_.k + k0) * nr;
      const int n = static_cast<int>(std::min<int64_t>(nr, g_.n - p * nr));
      float* c = g_.c + row * g_.c_row + p * nr;
      kernels_.gemv_panel(a, panel, kn, c, n, 1.0f, k0 > 0, nullptr, nullptr, Activation::None);
      kernels_.gemv_panel(a + half_k_, panel + half_k_ * nr, kn, c, n, 1.0f, true, last && g_.bias_n ? g_.bias_n + p * nr : nullptr,
                          last && g_.residual ? g_.residual + row * g_.residual_row + p * nr : nullptr,
                          last ? g_.activation : Activation::None);
    }
  }

  Runtime& runtime_;
  const Gemm<float>& g_;
  const TileKernels<float>& kernels_ = tile_kernels<float>();
  const StrassenKernels& strassen_ = strassen_kernels();
  int64_t panels_, pairs_, half_k_, slice_, rows_each_;
  int64_t row_step_ = 0, operand_step_ = 0;
  float* operands_ = nullptr;  // of one slice of K
  uint8_t* finite_ = nullptr;  // by pair of panels
};

// Computes g where that is faster than the plain product and about as exact; false when nothing was done.
inline bool strassen_product(Runtime& runtime, Gemm<float> g) {
  if (strassen_kept_suits(g)) {
    StrassenKept(runtime, g).run();
    return true;
  }
  if (!strassen_suits(g)) return false;
  if (!g.packed_b) {
    float* packed = static_cast<float*>(runtime.scratch(packed_b_elements<float>(g.k, g.n) * sizeof(float)));
    pack_b_all(&runtime, g.b, g.b_row, g.b_col, g.k, g.n, packed);
    g.packed_b = packed;
  }
  return Strassen(runtime, g).run();
}

}  // namespace torchscript
