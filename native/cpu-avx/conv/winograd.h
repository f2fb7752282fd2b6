// Winograd convolution of float: where it is worth its transforms, and its driver.
//
// Tiles of all images of a batch are one axis, cut into panels of nr. A block of panels goes through three steps: inputs to V[f][panel][ic][lane],
// M[f][oc][panel][lane] = U[f] V[f] on the tiles of gemm/tiles.h, outputs from M. Blocks are as large as half of a usual L2 holds. Enough
// blocks: each thread takes whole ones; else threads share the steps of one.
#pragma once
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cpu-avx/conv/forward.h"
#include "cpu-avx/conv/winograd_inner.h"
#include "cpu-avx/gemm/product.h"

namespace torchscript {

// TORCHSCRIPT_WINOGRAD: 0 turns it off, 2 and 4 take F(2, 3) and F(4, 3) wherever they can be.
inline int winograd_setting() {
  static const int setting = [] {
    const char* text = std::getenv("TORCHSCRIPT_WINOGRAD");
    return !text || !*text ? -1 : std::atoi(text);
  }();
  return setting;
}

inline bool can_use_winograd(const ConvShape& s) {
  if (s.transposed || s.groups != 1 || s.kernel[0] != 1 || s.kernel[1] != 3 || s.kernel[2] != 3 || s.in[0] != 1 || s.out[0] != 1)
    return false;
  for (int d = 0; d < 3; d++)
    if (s.stride[d] != 1 || s.dilation[d] != 1) return false;
  return s.pad_low[0] == 0 && s.in_channels > 0 && s.out_channels > 0 && s.out_pixels() > 0;
}

struct WinogradShape {
  int m, n;                      // pixels a tile has in each direction, points
  int64_t rows, columns, tiles;  // of tiles
  WinogradShape(const ConvShape& s, int size) : m(size), n(size + 2) {
    rows = (s.out[1] + m - 1) / m;
    columns = (s.out[2] + m - 1) / m;
    tiles = rows * columns * s.batch;
  }
  int points() const { return n * n; }
};
// Lanes that a panel of `count` tiles or pixels takes.
inline int panel_lanes(int64_t count, int nr) { return count <= nr / 2 ? nr / 2 : nr; }
inline int64_t padded_lanes(int64_t count, int nr) { return count / nr * nr + (count % nr ? panel_lanes(count % nr, nr) : 0); }

// 4 or 2, or 0 where the direct product is expected to be faster. Costs are in multiply-adds of one vector.
inline int winograd_size(const ConvShape& s) {
  const int setting = winograd_setting();
  if (setting == 0 || !can_use_winograd(s)) return 0;
  if (setting == 2 || setting == 4) return setting;
  const auto& kernels = tile_kernels<float>();
  const double ic = static_cast<double>(s.in_channels), oc = static_cast<double>(s.out_channels), lanes = kernels.nr / 2;
  if (s.in_channels < 8 || s.out_channels < 8) return 0;
  const double bytes_each = 0.2 * 4;  // a byte of weights from memory costs about a fifth of a cycle
  const double pixels = static_cast<double>(s.out_pixels() * s.batch);
  double best = 9 * ic * oc * pixels / lanes * 1.1 + 9 * ic * oc * bytes_each * 0.5;
  int choice = 0;
  for (int m : {4, 2}) {
    const WinogradShape w(s, m);
    const double vectors = static_cast<double>(padded_lanes(w.tiles, kernels.nr)) / lanes, points = w.points();
    const double cost = vectors * points * (ic * oc + 8 * ic + 6 * oc) + points * ic * oc * bytes_each * 0.5;
    if (cost < best) {
      best = cost;
      choice = m;
    }
  }
  return choice;
}

// Packed weights: panels of A of height rows, [f][panel][ic][mr].
struct WinogradWeights {
  int height;
  int64_t panels, each;  // elements of one f
  explicit WinogradWeights(const ConvShape& s) {
    const auto& kernels = tile_kernels<float>();
    height = tile_rows(s.out_channels, kernels.mr);
    panels = (s.out_channels + height - 1) / height;
    each = panels * s.in_channels * kernels.mr;
  }
};
inline void pack_winograd(const ConvShape& s, int m, const float* weight, float* out) {
  const auto& kernels = tile_kernels<float>();
  const WinogradWeights w(s);
  const int n = m + 2;
  const double* g = winograd_filter_matrix(m);
  const int64_t ic = s.in_channels;
  std::memset(static_cast<void*>(out), 0, static_cast<size_t>(w.each * n * n) * sizeof(float));
  for (int64_t o = 0; o < s.out_channels; o++) {
    float* lane = out + o / w.height * ic * kernels.mr + o % w.height;
    for (int64_t c = 0; c < ic; c++, lane += kernels.mr) {
      const float* k = weight + (o * ic + c) * 9;
      double half[6][3];
      for (int i = 0; i < n; i++) {
        for (int x = 0; x < 3; x++) half[i][x] = g[3 * i] * k[x] + g[3 * i + 1] * k[3 + x] + g[3 * i + 2] * k[6 + x];
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
          lane[(i * n + j) * w.each] = static_cast<float>(half[i][0] * g[3 * j] + half[i][1] * g[3 * j + 1] + half[i][2] * g[3 * j + 2]);
      }
    }
  }
}

// A block of tiles: where its inputs are staged and which pixels it makes.
struct WinogradBlock {
  struct Region {
    int64_t item, row, rows, at;
  };  // rows of tiles of one image; elements of the staged channel before them
  std::vector<Region> regions;
  std::vector<TileRun> runs;
  std::vector<int32_t> first;  // run of each panel, and the end
  int64_t staged = 0, phase = 0, line = 0;
  WinogradBlock(const ConvShape& s, const WinogradShape& w, int64_t begin, int64_t end, int nr) {
    phase = w.columns + 1;
    line = phase * w.m;
    const int64_t per_item = w.rows * w.columns;
    for (int64_t tile = begin; tile < end;) {
      const int64_t item = tile / per_item, stop = std::min(end, (item + 1) * per_item);
      const int64_t row = tile % per_item / w.columns, last = (stop - 1) % per_item / w.columns;
      regions.push_back({item, row, last - row + 1, staged});
      staged += ((last - row + 1) * w.m + 2) * line;
      tile = stop;
    }
    size_t region = 0;
    for (int64_t tile = begin; tile < end;) {
      const int64_t lane = (tile - begin) % nr;
      if (lane == 0) first.push_back(static_cast<int32_t>(runs.size()));
      if (regions[region].item != tile / per_item) region++;
      const Region& r = regions[region];
      const int64_t row = tile % per_item / w.columns, column = tile % w.columns;
      const int64_t count = std::min({nr - lane, w.columns - column, end - tile});
      const int64_t y = row * w.m, x = column * w.m;
      runs.push_back({r.at + (row - r.row) * w.m * line + column, r.item * s.out_channels * s.out_pixels() + y * s.out[2] + x,
                      static_cast<int32_t>(lane), static_cast<int32_t>(count), static_cast<int32_t>(std::min<int64_t>(w.m, s.out[1] - y)),
                      static_cast<int32_t>(std::min<int64_t>(count * w.m, s.out[2] - x))});
      tile += count;
    }
    first.push_back(static_cast<int32_t>(runs.size()));
  }
};

// False when a value was not finite: the transforms spread such values over their tile, and the direct product has to do it.
inline bool run_winograd(Runtime& runtime, const ConvProblem<float>& c, int m, const TensorView& x) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const auto& inner = winograd_table().f32;
  const WinogradShape w(s, m);
  const WinogradWeights weights(s);
  const int nr = kernels.nr, points = w.points();
  const int64_t ic = s.in_channels, oc = s.out_channels, pixels = s.out_pixels();
  InputWindow window = input_window<float>(s, x);
  TensorView image = x;
  if (s.in[2] > 1 && window.strides[2] != 1) {
    image = as_contiguous<float>(runtime, x);
    window = input_window<float>(s, image);
  }
  const int threads = runtime.num_threads();
  const int64_t panels = (w.tiles + nr - 1) / nr;
  const int64_t panel_bytes = points * (ic + oc) * nr * static_cast<int64_t>(sizeof(float));
  int64_t per_block = std::clamp<int64_t>((768 << 10) / panel_bytes, 1, panels);
  int64_t blocks = (panels + per_block - 1) / per_block;
  per_block = (panels + blocks - 1) / blocks;
  blocks = (panels + per_block - 1) / per_block;
  // A line more from point to point, so that the points of one lane do not fall into the same cache sets.
  const int64_t v_step = per_block * ic * nr + 16, p_step = per_block * oc * nr + 16;
  const size_t floats = static_cast<size_t>(points * (v_step + p_step)) + 128;
  std::atomic<bool> finite{true};
  const bool at_once = c.activation <= Activation::Relu6;

  auto run_block = [&](int64_t block, float* v, float* products, const auto& parallel) {
    const int64_t tile0 = block * per_block * nr, tile1 = std::min(w.tiles, tile0 + per_block * nr);
    const WinogradBlock b(s, w, tile0, tile1, nr);
    const int64_t count = static_cast<int64_t>(b.first.size()) - 1;
    auto lanes = [&](int64_t p) { return panel_lanes(tile1 - tile0 - p * nr, nr); };
    auto tiles_of = [&](int64_t p) { return std::min<int64_t>(nr, tile1 - tile0 - p * nr); };
    parallel(ic, 64, [&](int64_t begin, int64_t end) {
      float* staged = thread_scratch<float>(kSlotUser, static_cast<size_t>(b.staged + 64));
      for (int64_t channel = begin; channel < end; channel++) {
        for (const auto& r : b.regions) {
          inner.stage(m, image.ptr<float>() + r.item * window.item + channel * window.channel, window.strides[1], s.in[1], s.in[2],
                      r.row * m - s.pad_low[1], r.rows * m + 2, s.pad_low[2], b.phase, staged + r.at);
        }
        for (int64_t p = 0; p < count; p++) {
          const int width = lanes(p);
          inner.input(m, staged, b.line, b.phase, b.runs.data() + b.first[p], b.first[p + 1] - b.first[p], width,
                      v + p * ic * nr + channel * width, v_step);
        }
      }
    });
    const int64_t slice = k_slice(ic, kernels.kc);
    parallel(points * weights.panels, std::max<int64_t>(1, kMacsPerChunk / (ic * weights.height * nr * count)),
             [&](int64_t begin, int64_t end) {
               for (int64_t k0 = 0; k0 < ic; k0 += slice) {
                 Tile<float> tile;
                 tile.k = std::min(slice, ic - k0);
                 tile.a_stride = 0;
                 tile.c_stride = count * nr;
                 tile.accumulate = k0 > 0;
                 tile.alpha = 1;
                 tile.bias_n = tile.bias_m = nullptr;
                 tile.activation = Activation::None;
                 for (int64_t i = begin; i < end; i++) {
                   const int64_t f = i / weights.panels, row = i % weights.panels * weights.height;
                   tile.a = c.packed + (i * ic + k0) * kernels.mr;
                   tile.m = static_cast<int>(std::min<int64_t>(weights.height, oc - row));
                   for (int64_t p = 0; p < count; p++) {
                     const int width = lanes(p);
                     tile.b = v + f * v_step + p * ic * nr + k0 * width;
                     tile.b_stride = width;
                     tile.n = static_cast<int>(tiles_of(p));
                     tile.c = products + f * p_step + (row * count + p) * nr;
                     tile.prefetch = p == 0 && i + 1 < end ? reinterpret_cast<const char*>(tile.a + ic * kernels.mr) : nullptr;
                     kernels.tile_packed(tile);
                   }
                 }
               }
             });
    parallel(oc, 64, [&](int64_t begin, int64_t end) {
      bool good = true;
      for (int64_t o = begin; o < end; o++) {
        float* out = c.out + o * pixels;
        const float* residual = c.residual ? c.residual + o * pixels : nullptr;
        for (int64_t p = 0; p < count; p++) {
          const TileRun* runs = b.runs.data() + b.first[p];
          const int nruns = b.first[p + 1] - b.first[p];
          good = inner.output(m, products + (o * count + p) * nr, p_step, lanes(p), c.bias ? c.bias[o] : 0.0f, runs, nruns, out, residual,
                              s.out[2], at_once ? c.activation : Activation::None) &&
                 good;
          if (at_once) continue;
          for (int r = 0; r < nruns; r++)
            kernels.epilogue(out + runs[r].out, s.out[2], nullptr, 0, runs[r].rows, runs[r].columns, c.activation);
        }
      }
      if (!good) finite.store(false, std::memory_order_relaxed);
    });
  };

  auto alone = [](int64_t n, int64_t, const auto& body) { body(0, n); };
  if (threads == 1 || blocks >= 2 * threads) {
    runtime.parallel(blocks, 1, [&](int64_t begin, int64_t end) {
      float* v = thread_scratch<float>(kSlotUser2, floats);
      for (int64_t i = begin; i < end; i++) run_block(i, v, v + points * v_step, alone);
    });
  } else {
    float* v = static_cast<float*>(runtime.scratch(floats * sizeof(float)));
    auto shared = [&](int64_t n, int64_t grain, const auto& body) {
      runtime.parallel(n, std::max<int64_t>(1, std::min(grain, (n + 2 * threads - 1) / (2 * threads))), body);
    };
    for (int64_t i = 0; i < blocks; i++) run_block(i, v, v + points * v_step, shared);
  }
  return finite.load(std::memory_order_relaxed);
}

}  // namespace torchscript
