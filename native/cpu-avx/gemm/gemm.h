// Driver of the tiles: cache blocking, packing and the split over threads. Baseline code.
//
// C[m][n] = activation(alpha * A B (+ C) + bias (+ residual)). Columns go by panels of nr, rows by balanced tiles of at most mr. Panels are the
// outer loop and row tiles the inner one, so that weights are read once for every kMBlock rows; K is blocked at about kKBlock. A row
// block of A is packed when its columns are strided, or when its rows would fall into the same cache sets.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cpu-avx/gemm/tiles.h"
#include "kernel.h"

namespace torchscript {

// Memory of the current thread that grows to what was asked for and stays; `slot` keeps nested users apart.
template <class T> T* thread_scratch(int slot, size_t count) {
  struct Buffer {
    void* data = nullptr;
    size_t bytes = 0;
    ~Buffer() { std::free(data); }
  };
  thread_local Buffer buffers[4];
  Buffer& buffer = buffers[slot];
  const size_t bytes = (count * sizeof(T) + 127) & ~size_t{63};
  if (bytes > buffer.bytes) {
    std::free(buffer.data);
    buffer.bytes = 0;
    buffer.data = std::aligned_alloc(64, bytes);
    if (!buffer.data) throw std::bad_alloc();
    buffer.bytes = bytes;
  }
  return static_cast<T*>(buffer.data);
}
enum ThreadSlot { kSlotPackA = 0, kSlotPackB = 1, kSlotUser = 2, kSlotUser2 = 3 };

// Rows of A that stay in the second-level cache while all panels of B pass, and the rows of B a panel is cut at.
constexpr int64_t kMBlock = 144;
constexpr int64_t kKBlock = 768;
constexpr int64_t kPrefetchingTiles = 8;
// Multiply-adds worth a piece of their own on another thread: about 20 microseconds.
constexpr int64_t kMacsPerChunk = 1 << 20;
// The same of a product with packed B, where bytes of B count too: a row or two wait for them alone.
constexpr int64_t kMacsPerPiece = 3 << 18;
constexpr int64_t kBytesPerPiece = 3 << 18;
// Less than three of them, some 40 microseconds, is done before a thread that sleeps has woken up.
inline bool worth_sharing(int64_t macs, int64_t bytes) { return macs >= 3 * kMacsPerPiece || bytes >= 3 * kBytesPerPiece; }

template <class T> struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t a_row = 0, a_col = 1;
  const T* b = nullptr;  // strided, unless packed_b is given
  int64_t b_row = 0, b_col = 1;
  const T* packed_b = nullptr;
  const T* next_b = nullptr;  // a panel that is read after the last of packed_b, if any: it is brought in meanwhile
  T* c = nullptr;
  int64_t c_row = 0;  // columns of C are adjacent
  T alpha = T(1);
  bool accumulate = false;
  const T* bias_n = nullptr;
  const T* bias_m = nullptr;
  const T* residual = nullptr;  // columns adjacent
  int64_t residual_row = 0;
  Activation activation = Activation::None;
  bool subcubic = false;         // algorithms with fewer multiplications may be used: gemm/strassen.h
  const T* kept_sums = nullptr;  // of packed B: gemm/strassen_kept.h, or null
};

template <class T> int64_t panel_count(int64_t n) { return (n + tile_kernels<T>().nr - 1) / tile_kernels<T>().nr; }
template <class T> size_t packed_b_elements(int64_t k, int64_t n) {
  return static_cast<size_t>(panel_count<T>(n) * k * tile_kernels<T>().nr);
}

template <class T>
void pack_b_panels(const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t n, int64_t panel0, int64_t panel1, T* out) {
  const auto& kernels = tile_kernels<T>();
  for (int64_t p = panel0; p < panel1; p++) {
    const int columns = static_cast<int>(std::min<int64_t>(kernels.nr, n - p * kernels.nr));
    kernels.pack_b(b + p * kernels.nr * b_col, b_row, b_col, k, columns, out + p * k * kernels.nr);
  }
}
template <class T> void pack_b_all(Runtime* runtime, const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t n, T* out) {
  const int64_t panels = panel_count<T>(n);
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, k * tile_kernels<T>().nr));
  auto body = [&](int64_t begin, int64_t end) { pack_b_panels(b, b_row, b_col, k, n, begin, end, out); };
  if (runtime) runtime->parallel(panels, grain, body);
  else body(0, panels);
}

// K in equal slices of about kc.
inline int64_t k_slice(int64_t k, int64_t kc) {
  if (k <= kc + kc / 2) return std::max<int64_t>(k, 1);
  const int64_t slices = (k + kc - 1) / kc;
  return (k + slices - 1) / slices;
}
// m rows as tiles of at most mr: as many full ones as leave no short one, whose few sums would wait for each other, then one or two more.
struct RowTiles {
  int mr;
  int64_t full, rows;

  RowTiles(int64_t m, int tile_rows) : mr(tile_rows), full(m / tile_rows), rows(m) {
    const int64_t rest = m - full * mr;
    if (rest > 0 && 2 * rest <= mr && full > 0) full--;
  }
  int64_t count() const { return full + (rows - full * mr + mr - 1) / mr; }
  int64_t first(int64_t t) const {
    if (t <= full) return t * mr;
    const int64_t rest = rows - full * mr;
    return t == count() ? rows : full * mr + (rest + 1) / 2;
  }
  // Tiles from t on that one call does.
  int alike(int64_t t) const { return t < full ? static_cast<int>(full - t) : 1; }
};
// Rows of each tile when m rows are cut into as few tiles of at most mr as possible.
inline int tile_rows(int64_t m, int mr) {
  const int64_t tiles = (m + mr - 1) / mr;
  return tiles == 0 ? 1 : static_cast<int>((m + tiles - 1) / tiles);
}

// Rows [m0, m1) and panels [panel0, panel1), B packed, on this thread.
template <class T> void gemm_block(const Gemm<T>& g, int64_t m0, int64_t m1, int64_t panel0, int64_t panel1) {
  const auto& kernels = tile_kernels<T>();
  const int nr = kernels.nr;
  if (m1 - m0 == 1 && g.a_col == 1 && !g.bias_m) {
    for (int64_t p = panel0; p < panel1; p++) {
      const int columns = static_cast<int>(std::min<int64_t>(nr, g.n - p * nr));
      kernels.gemv_panel(g.a + m0 * g.a_row, g.packed_b + p * g.k * nr, g.k, g.c + m0 * g.c_row + p * nr, columns, g.alpha, g.accumulate,
                         g.bias_n ? g.bias_n + p * nr : nullptr, g.residual ? g.residual + m0 * g.residual_row + p * nr : nullptr,
                         g.activation);
    }
    return;
  }
  const int64_t slice = k_slice(g.k, kKBlock);
  // Rows 4 KiB apart share their sets of the first-level cache, of which each holds 8 lines.
  const bool collide = g.a_row * static_cast<int64_t>(sizeof(T)) % 4096 == 0 && std::min<int64_t>(kernels.mr, m1 - m0) > 6;
  const bool pack = g.a_col != 1 || (collide && panel1 - panel0 > 1);
  // Equal blocks, of full tiles but for the last.
  const int64_t blocks = std::max<int64_t>(1, (m1 - m0 + kMBlock - 1) / kMBlock);
  const int64_t most = ((m1 - m0 + blocks - 1) / blocks + kernels.mr - 1) / kernels.mr * kernels.mr;
  for (int64_t mb = m0; mb < m1; mb += most) {
    const int64_t rows = std::min(most, m1 - mb);
    const RowTiles row_tiles(rows, kernels.mr);
    const int64_t tiles = row_tiles.count();
    for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += slice) {
      const int64_t kn = std::min(slice, g.k - k0);
      const bool last = k0 + kn >= g.k;
      T* packed = nullptr;
      if (pack) {
        packed = thread_scratch<T>(kSlotPackA, static_cast<size_t>(tiles * kernels.mr * slice));
        for (int64_t t = 0; t < tiles; t++) {
          const int64_t row = row_tiles.first(t);
          kernels.pack_a(g.a + (mb + row) * g.a_row + k0 * g.a_col, g.a_row, g.a_col, static_cast<int>(row_tiles.first(t + 1) - row), kn,
                         packed + t * kernels.mr * slice);
        }
      }
      // The row tiles of a panel bring in the next panel, each of them an equal part. Very few rows wait for the memory alone, and reading on is
      // then best left to the processor.
      const bool prefetches = tiles > 1 || 2 * rows >= kernels.mr;
      const int64_t prefetching = std::min(tiles, kPrefetchingTiles);
      const int64_t prefetch_step = (nr * static_cast<int64_t>(sizeof(T)) + prefetching - 1) / prefetching;
      for (int64_t p = panel0; p < panel1; p++) {
        Tile<T> tile;
        tile.b = g.packed_b + p * g.k * nr + k0 * nr;
        tile.b_stride = nr;
        tile.k = kn;
        tile.c_stride = g.c_row;
        tile.n = static_cast<int>(std::min<int64_t>(nr, g.n - p * nr));
        tile.accumulate = g.accumulate || k0 > 0;
        tile.alpha = g.alpha;
        tile.bias_n = last && g.bias_n ? g.bias_n + p * nr : nullptr;
        tile.activation = last ? g.activation : Activation::None;
        tile.a_stride = pack ? kernels.mr * slice : g.a_row;
        tile.prefetch_step = prefetch_step;
        const T* after = p + 1 < panel1 ? tile.b + g.k * nr : g.next_b;
        const char* next = prefetches ? reinterpret_cast<const char*>(after) : nullptr;
        for (int64_t t = 0; t < tiles; t += tile.tiles) {
          const int64_t row = mb + row_tiles.first(t);
          tile.tiles = row_tiles.alike(t);
          tile.m = static_cast<int>(row_tiles.first(t + 1) - row_tiles.first(t));
          tile.c = g.c + row * g.c_row + p * nr;
          tile.bias_m = last && g.bias_m ? g.bias_m + row : nullptr;
          tile.residual = last && g.residual ? g.residual + row * g.residual_row + p * nr : nullptr;
          tile.residual_stride = g.residual_row;
          tile.prefetch = next && t < prefetching ? next + t * kn * prefetch_step : nullptr;
          tile.prefetching = static_cast<int>(prefetching - t);
          if (pack) {
            tile.a = packed + t * kernels.mr * slice;
            kernels.tile_packed(tile);
          } else {
            tile.a = g.a + row * g.a_row + k0;
            kernels.tile_rows(tile);
          }
        }
      }
    }
  }
}

// Rows of C when there is nothing to sum.
template <class T> void gemm_empty(const Gemm<T>& g) {
  for (int64_t i = 0; i < g.m; i++) {
    for (int64_t j = 0; j < g.n; j++) {
      T x = g.accumulate ? g.c[i * g.c_row + j] : T(0);
      if (g.bias_n) x += g.bias_n[j];
      if (g.bias_m) x += g.bias_m[i];
      g.c[i * g.c_row + j] = x;
    }
  }
  tile_kernels<T>().epilogue(g.c, g.c_row, g.residual, g.residual_row, g.m, g.n, g.activation);
}

// A few rows against a B that is read in place: packing it would cost as much as the product.
template <class T> bool gemm_in_place_b(Runtime* runtime, const Gemm<T>& g) {
  const auto& kernels = tile_kernels<T>();
  const int64_t grain = std::max<int64_t>(1, kMacsPerChunk / 4 / std::max<int64_t>(1, g.m * g.k));
  const bool shared = runtime && worth_sharing(g.m * g.n * g.k, g.n * g.k * static_cast<int64_t>(sizeof(T)));
  auto parallel = [&](int64_t n, int64_t per, auto&& body) {
    if (shared) runtime->parallel(n, per, body);
    else body(0, n);
  };
  if (g.b_row == 1 && g.a_col == 1 && g.m <= 3 && !g.bias_n && !g.bias_m) {
    parallel(g.n, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < g.m; i++) {
        kernels.dot_rows(g.b + begin * g.b_col, g.b_col, end - begin, g.a + i * g.a_row, g.k, g.c + i * g.c_row + begin, 1, g.alpha,
                         g.accumulate);
        kernels.epilogue(g.c + i * g.c_row + begin, 0, g.residual ? g.residual + i * g.residual_row + begin : nullptr, 0, 1, end - begin,
                         g.activation);
      }
    });
    return true;
  }
  if (g.b_col != 1 || g.m > kernels.mr || g.a_col != 1) return false;
  const int nr = kernels.nr;
  const int64_t panels = panel_count<T>(g.n);
  parallel(panels, std::max<int64_t>(1, grain / nr), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      Tile<T> tile;
      tile.n = static_cast<int>(std::min<int64_t>(nr, g.n - p * nr));
      tile.b = g.b + p * nr;
      tile.b_stride = g.b_row;
      if (tile.n < nr && tile.n != nr / 2) {
        T* panel = thread_scratch<T>(kSlotPackB, static_cast<size_t>(g.k * nr));
        kernels.pack_b(tile.b, g.b_row, 1, g.k, tile.n, panel);
        tile.b = panel;
        tile.b_stride = nr;
      }
      tile.k = g.k;
      tile.a = g.a;
      tile.a_stride = g.a_row;
      tile.c = g.c + p * nr;
      tile.c_stride = g.c_row;
      tile.m = static_cast<int>(g.m);
      tile.accumulate = g.accumulate;
      tile.alpha = g.alpha;
      tile.bias_n = g.bias_n ? g.bias_n + p * nr : nullptr;
      tile.bias_m = g.bias_m;
      tile.residual = g.residual ? g.residual + p * nr : nullptr;
      tile.residual_stride = g.residual_row;
      tile.activation = g.activation;
      tile.prefetch = nullptr;
      kernels.tile_rows(tile);
    }
  });
  return true;
}

// One product on this thread.
template <class T> void gemm_serial(Gemm<T> g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) return gemm_empty(g);
  if (!g.packed_b) {
    if (gemm_in_place_b<T>(nullptr, g)) return;
    T* packed = thread_scratch<T>(kSlotPackB, packed_b_elements<T>(g.k, g.n));
    pack_b_all<T>(nullptr, g.b, g.b_row, g.b_col, g.k, g.n, packed);
    g.packed_b = packed;
  }
  gemm_block(g, 0, g.m, 0, panel_count<T>(g.n));
}

// One product on all threads.
template <class T> void gemm(Runtime& runtime, Gemm<T> g) {
  if (g.m == 0 || g.n == 0) return;
  const auto& kernels = tile_kernels<T>();
  runtime.note(g.m == 1 || g.n == 1 ? kernels.gemv_name : kernels.name);
  if (g.k == 0) return gemm_empty(g);
  const int64_t macs = g.m * g.n * g.k;
  if (runtime.num_threads() == 1 && macs < (1 << 24)) return gemm_serial(g);
  if (!g.packed_b) {
    if (gemm_in_place_b(&runtime, g)) return;
    T* packed = static_cast<T*>(runtime.scratch(packed_b_elements<T>(g.k, g.n) * sizeof(T)));
    pack_b_all(&runtime, g.b, g.b_row, g.b_col, g.k, g.n, packed);
    g.packed_b = packed;
  }
  // Equal pieces, each worth the hand-over, and several a thread: the one that runs faster takes more of them.
  const int64_t panels = panel_count<T>(g.n), threads = runtime.num_threads();
  const int64_t bytes = g.n * g.k * static_cast<int64_t>(sizeof(T));
  const int64_t worth = worth_sharing(macs, bytes) ? std::max(macs / kMacsPerPiece, bytes / kBytesPerPiece) : 1;
  const int64_t wanted = threads == 1 ? 1 : std::min(worth, 8 * threads);
  const int64_t row_chunks = wanted == 1 ? 1 : (g.m + kMBlock - 1) / kMBlock;
  const int64_t panels_each = std::max<int64_t>(1, panels * row_chunks / wanted);
  const int64_t panel_chunks = wanted == 1 ? 1 : (panels + panels_each - 1) / panels_each;
  runtime.parallel(row_chunks * panel_chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t r = i / panel_chunks, p = i % panel_chunks;
      const int64_t m0 = g.m * r / row_chunks, m1 = g.m * (r + 1) / row_chunks;
      if (m0 < m1) gemm_block(g, m0, m1, panels * p / panel_chunks, panels * (p + 1) / panel_chunks);
    }
  });
}

}  // namespace torchscript
