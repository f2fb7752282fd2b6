// The product of gemm/strassen.h for weights that are small enough to keep their sums: they are packed beside the panels, so that a few
// dozen rows pay for their own sums alone. Baseline code.
//
// The seven products of a pair of panels are tasks of their own, which threads share out; whoever finishes the last of a pair puts its
// quarters of C together.
#pragma once
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/gemm/strassen_inner.h"

namespace torchscript {

// TORCHSCRIPT_STRASSEN=0 turns it off.
inline bool strassen_enabled() {
  static const bool enabled = [] {
    const char* text = std::getenv("TORCHSCRIPT_STRASSEN");
    return !text || std::strcmp(text, "0") != 0;
  }();
  return enabled;
}

constexpr float kStrassenRowRatio = 64.0f;  // between the largest elements of two rows that are summed

constexpr int64_t kKeptBytes = 512 << 10;  // of packed weights: with their sums they fit the second-level cache
constexpr int64_t kKeptRows = 256;         // of A at a time
constexpr int64_t kKeptPairs = 64;

inline int64_t strassen_pairs(int64_t n) { return panel_count<float>(n) / 2; }
// Floats that follow the packed panels of [k][n] weights: T1, T2, T3 and T4 of each pair of panels.
inline size_t strassen_kept_elements(int64_t k, int64_t n) {
  const bool suits = strassen_enabled() && k % 2 == 0 && k >= 256 && strassen_pairs(n) >= 1 && strassen_pairs(n) <= kKeptPairs &&
                     packed_b_elements<float>(k, n) * sizeof(float) <= static_cast<size_t>(kKeptBytes);
  return suits ? static_cast<size_t>(strassen_pairs(n) * 2 * k * tile_kernels<float>().nr) : 0;
}
inline void strassen_keep_sums(float* packed, int64_t k, int64_t n) {
  const int64_t quarter = k / 2 * tile_kernels<float>().nr;
  float* to = packed + packed_b_elements<float>(k, n);
  for (int64_t p = 0; p < strassen_pairs(n); p++, to += 4 * quarter) {
    const float *b11 = packed + 4 * p * quarter, *b21 = b11 + quarter, *b12 = b21 + quarter, *b22 = b12 + quarter;
    strassen_kernels().sums_of_b(b11, b12, b21, b22, quarter, to, to + quarter, to + 2 * quarter, to + 3 * quarter);
  }
}

inline bool strassen_kept_suits(const Gemm<float>& g) {
  return g.kept_sums && g.a_col == 1 && g.alpha == 1.0f && !g.accumulate && !g.bias_m && g.m >= 24;
}

class StrassenKept {
 public:
  StrassenKept(Runtime& runtime, const Gemm<float>& g) : runtime_(runtime), g_(g) {
    pairs_ = strassen_pairs(g.n);
    half_k_ = g.k / 2;
    slice_ = k_slice(half_k_, kernels_.kc);
  }

  void run() {
    const int64_t blocks = (g_.m + kKeptRows - 1) / kKeptRows;
    for (int64_t i = 0; i < blocks; i++) {
      m0_ = g_.m * i / blocks;
      half_ = (g_.m * (i + 1) / blocks - m0_) / 2;
      const int64_t m1 = g_.m * (i + 1) / blocks;
      if (!sum_rows()) {
        plain(m0_, m1, 0, g_.n);
        continue;
      }
      runtime_.note(strassen_.kept_name);
      multiply();
      const int64_t column = 2 * pairs_ * kernels_.nr;
      if (column < g_.n) plain(m0_, m0_ + 2 * half_, column, g_.n);
      if ((m1 - m0_) % 2) plain(m1 - 1, m1, 0, g_.n);
    }
  }

 private:
  // The product itself for a part of C; the first column is that of a panel.
  void plain(int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
    Gemm<float> g = g_;
    g.m = m1 - m0;
    g.n = n1 - n0;
    g.a += m0 * g.a_row;
    g.packed_b += n0 * g.k;
    g.c += m0 * g.c_row + n0;
    if (g.bias_n) g.bias_n += n0;
    if (g.residual) g.residual += m0 * g.residual_row + n0;
    gemm(runtime_, g);
  }

  // Left operands of the products. False when two rows that are summed differ too much in magnitude.
  bool sum_rows() {
    const float* a = g_.a + m0_ * g_.a_row;
    // Rows that fall into the same cache sets are copied, the others stay where they are.
    const bool copy = g_.a_row * static_cast<int64_t>(sizeof(float)) % 4096 == 0 && std::min<int64_t>(half_, kernels_.mr) > 6;
    const int64_t step = (half_k_ + 31) & ~int64_t{15}, operand = half_ * step;
    float* sums = thread_scratch<float>(kSlotUser, static_cast<size_t>((copy ? 7 : 4) * operand));
    std::atomic<bool> match{true};
    runtime_.parallel(half_, std::max<int64_t>(1, 32768 / half_k_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end && match.load(std::memory_order_relaxed); i++) {
        const float *upper = a + i * g_.a_row, *lower = upper + half_ * g_.a_row;
        float largest[2];
        if (copy) {
          strassen_.operands_of_a(upper, upper + half_k_, lower, lower + half_k_, half_k_, sums + i * step, operand);
          largest[0] = strassen_.largest(upper, g_.k);
          largest[1] = strassen_.largest(lower, g_.k);
        } else {
          strassen_.sums_of_a(upper, upper + half_k_, lower, lower + half_k_, half_k_, sums + i * step, operand, largest);
        }
        // NaN compares as unlike.
        if (!(largest[0] <= kStrassenRowRatio * largest[1] && largest[1] <= kStrassenRowRatio * largest[0])) match.store(false);
      }
    });
    if (copy) {
      for (int q = 0; q < 7; q++) left_[q] = {sums + q * operand, step};
    } else {
      const float* lower = a + half_ * g_.a_row;
      const Operand operands[7] = {{a, g_.a_row}, {a + half_k_, g_.a_row}, {sums + 3 * operand, step}, {lower + half_k_, g_.a_row},
                                   {sums, step},  {sums + operand, step},  {sums + 2 * operand, step}};
      std::copy(operands, operands + 7, left_);
    }
    return match.load();
  }

  void multiply() {
    const int64_t size = half_ * kernels_.nr;
    const bool shared = runtime_.num_threads() > 1 && 7 * pairs_ * size * half_k_ >= 2 * kMacsPerPiece;
    float* products = thread_scratch<float>(kSlotUser2, static_cast<size_t>((shared ? pairs_ : 1) * 7 * size));
    if (!shared) {
      for (int64_t p = 0; p < pairs_; p++) {
        for (int q = 0; q < 7; q++) product(p, q, products + q * size);
        combine(p, products);
      }
      return;
    }
    std::atomic<int> done[kKeptPairs] = {};
    const int64_t grain = std::max<int64_t>(1, kMacsPerPiece / 4 / (size * half_k_));
    runtime_.parallel(7 * pairs_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t p = i / 7;
        product(p, static_cast<int>(i % 7), products + i * size);
        if (done[p].fetch_add(1, std::memory_order_acq_rel) == 6) combine(p, products + 7 * p * size);
      }
    });
  }

  const float* right(int64_t pair, int q) const {
    const int64_t quarter = half_k_ * kernels_.nr;
    const float *b = g_.packed_b + 4 * pair * quarter, *t = g_.kept_sums + 4 * pair * quarter;
    switch (q) {
      case 0: return b;
      case 1: return b + quarter;
      case 2: return b + 3 * quarter;
      case 3: return t + 3 * quarter;
      default: return t + (q - 4) * quarter;
    }
  }

  void product(int64_t pair, int q, float* to) {
    const int nr = kernels_.nr;
    const RowTiles row_tiles(half_, kernels_.mr);
    const int64_t tiles = row_tiles.count(), prefetching = std::min(tiles, kPrefetchingTiles);
    const float* next = q < 6 ? right(pair, q + 1) : pair + 1 < pairs_ ? right(pair + 1, 0) : nullptr;
    Tile<float> tile{};
    tile.a_stride = left_[q].row;
    tile.b_stride = nr;
    tile.c_stride = nr;
    tile.n = nr;
    tile.alpha = 1.0f;
    tile.prefetch_step = (nr * static_cast<int64_t>(sizeof(float)) + prefetching - 1) / prefetching;
    for (int64_t k0 = 0; k0 < half_k_; k0 += slice_) {
      tile.k = std::min(slice_, half_k_ - k0);
      tile.b = right(pair, q) + k0 * nr;
      tile.accumulate = k0 > 0;
      for (int64_t t = 0; t < tiles; t += tile.tiles) {
        const int64_t row = row_tiles.first(t);
        tile.tiles = row_tiles.alike(t);
        tile.prefetching = static_cast<int>(prefetching - t);
        tile.m = static_cast<int>(row_tiles.first(t + 1) - row);
        tile.a = left_[q].data + row * left_[q].row + k0;
        tile.c = to + row * nr;
        tile.prefetch = next && t < prefetching ? reinterpret_cast<const char*>(next + k0 * nr) + t * tile.k * tile.prefetch_step : nullptr;
        kernels_.tile_rows(tile);
      }
    }
  }

  void combine(int64_t pair, const float* products) {
    const int nr = kernels_.nr;
    const int64_t column = 2 * pair * nr;
    const int n1 = static_cast<int>(std::min<int64_t>(nr, g_.n - column - nr));
    float *top = g_.c + m0_ * g_.c_row + column, *bottom = top + half_ * g_.c_row;
    const float* bias = g_.bias_n ? g_.bias_n + column : nullptr;
    if (!strassen_.combine(products, half_ * nr, half_, nr, bias, false, top, bottom, g_.c_row, nr, n1)) {
      gemm_block(g_, m0_, m0_ + 2 * half_, 2 * pair, 2 * pair + 2);
    } else if (g_.residual || g_.activation != Activation::None) {
      const float* residual = g_.residual ? g_.residual + m0_ * g_.residual_row + column : nullptr;
      kernels_.epilogue(top, g_.c_row, residual, g_.residual_row, 2 * half_, nr + n1, g_.activation);
    }
  }

  struct Operand {
    const float* data;
    int64_t row;
  };
  Runtime& runtime_;
  const Gemm<float>& g_;
  const TileKernels<float>& kernels_ = tile_kernels<float>();
  const StrassenKernels& strassen_ = strassen_kernels();
  int64_t pairs_, half_k_, slice_;
  int64_t m0_ = 0, half_ = 0;  // of the rows in work
  Operand left_[7];
};

}  // namespace torchscript
