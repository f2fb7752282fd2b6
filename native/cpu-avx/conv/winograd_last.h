// Winograd convolution of channels-last float tensors, 3x3 with a stride of 1 or 2: where it is worth its transforms, and its driver.
//
// With a stride of 2, the even and the odd rows and columns of the image, and of the kernel, are four convolutions without one, of at most
// 2x2 taps, whose results add up. F(2, 2) has the points 0, -1 and infinity, and the sum is made at the points: channels of all four are
// terms of one product. At infinity only the last of two taps counts, so that products there have fewer terms: 25 in place of 36.
//
// A block of tiles goes through three steps: pixels to V[f][tile][ic]; for a few panels of filters at a time M[f][tile][oc] = V[f] U[f]
// on the tiles of gemm/tiles.h, and pixels from M. V stays in a usual L2. Enough blocks: each thread takes whole ones; else threads
// share the steps of one.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "cpu-avx/conv/last.h"
#include "cpu-avx/conv/winograd.h"

namespace torchscript {

// What tiles read and how many terms their points have.
struct WinogradLastTiles {
  bool strided;
  int m, n, side;  // pixels that a tile makes, points, and pixels that it reads, in each direction
  int64_t rows, columns, count;
  WinogradLastTiles(const ConvShape& s, int size) : strided(s.stride[1] == 2), m(size), n(strided ? 3 : m + 2), side(strided ? 5 : n) {
    rows = (s.out[1] + m - 1) / m;
    columns = (s.out[2] + m - 1) / m;
    count = rows * columns * s.batch;
  }
  int points() const { return n * n; }
  // Of a point, in channels.
  int terms(int f) const { return strided ? (f < 6 ? 2 : 1) * (f % 3 < 2 ? 2 : 1) : 1; }
  int all_terms() const { return strided ? 25 : points(); }
};

// Packed weights: for each group of panels of B, [f][panel][term][ic][nr].
struct WinogradLastWeights {
  int64_t panels, each, groups, group_elements;
  WinogradLastWeights(const ConvShape& s, const WinogradLastTiles& w) {
    const int nr = tile_kernels<float>().nr;
    panels = panel_count<float>(s.out_channels);
    each = std::max(1, 32 / nr);  // panels of a group
    groups = (panels + each - 1) / each;
    group_elements = w.all_terms() * each * s.in_channels * nr;
  }
  int64_t elements() const { return groups * group_elements; }
};
// `weight` may lie in the last bytes of `out`: a group takes no fewer than its filters, which are copied before it is written.
inline void pack_winograd_last(const ConvShape& s, int m, const float* weight, float* out) {
  const int nr = tile_kernels<float>().nr;
  const WinogradLastTiles tiles(s, m);
  const WinogradLastWeights w(s, tiles);
  const int n = tiles.n;
  const double* g = winograd_filter_matrix(m);
  // Of the taps of even and of odd rows or columns.
  static constexpr double strided[2][3][3] = {{{1, 0, 0}, {1, 0, 1}, {0, 0, 1}}, {{0, 1, 0}, {0, 1, 0}, {0, 0, 0}}};
  const int64_t ic = s.in_channels, filters = w.each * nr;
  std::vector<float> taps(static_cast<size_t>(std::min(filters, s.out_channels) * ic * 9));
  for (int64_t first = 0; first < s.out_channels; first += filters) {
    const int64_t count = std::min(filters, s.out_channels - first);
    float* const group = out + first / filters * w.group_elements;
    std::memcpy(taps.data(), weight + first * ic * 9, static_cast<size_t>(count * ic * 9) * sizeof(float));
    std::memset(static_cast<void*>(group), 0, static_cast<size_t>(w.group_elements) * sizeof(float));
    for (int64_t o = 0; o < count; o++) {
      float* point = group + o % nr;
      for (int f = 0; f < n * n; f++) {
        const int terms = tiles.terms(f), i = f / n, j = f % n;
        float* lane = point + o / nr * terms * ic * nr;
        point += w.each * terms * ic * nr;
        for (int term = 0; term < terms; term++) {
          const int across = j < 2 ? 2 : 1;
          const double* gi = tiles.strided ? strided[term / across][i] : g + 3 * i;
          const double* gj = tiles.strided ? strided[term % across][j] : g + 3 * j;
          for (int64_t c = 0; c < ic; c++, lane += nr) {
            const float* k = taps.data() + (o * ic + c) * 9;
            double half[3];
            for (int x = 0; x < 3; x++) half[x] = gi[0] * k[x] + gi[1] * k[3 + x] + gi[2] * k[6 + x];
            *lane = static_cast<float>(half[0] * gj[0] + half[1] * gj[1] + half[2] * gj[2]);
          }
        }
      }
    }
  }
}

inline bool can_use_strided_winograd(const ConvShape& s) {
  ConvShape plain = s;
  plain.stride[1] = plain.stride[2] = 1;
  return s.stride[1] == 2 && s.stride[2] == 2 && can_use_winograd(plain);
}

// 4 or 2, or 0 where the direct product is expected to be faster. Costs are in multiply-adds.
inline int winograd_last_size(const ConvShape& s) {
  const int setting = winograd_setting();
  const bool strided = can_use_strided_winograd(s);
  if (setting == 0 || !(strided || can_use_winograd(s))) return 0;
  if (setting == 2 || setting == 4) return strided ? 2 : setting;
  if (s.in_channels < 8 || s.out_channels < 8) return 0;
  const double ic = static_cast<double>(s.in_channels), oc = static_cast<double>(s.out_channels);
  const double pixels = static_cast<double>(s.out_pixels() * s.batch), bytes = 8;  // multiply-adds that a weight from memory costs
  double best = 9 * ic * oc * (pixels * 1.1 + bytes);
  int choice = 0;
  for (int m : {4, 2}) {
    if (strided && m == 4) continue;
    const WinogradLastTiles w(s, m);
    const double tiles = static_cast<double>(w.count), terms = w.all_terms();
    const double cost = terms * (tiles * (ic * oc + 24 * ic) + bytes * ic * oc) + tiles * w.points() * 16 * oc;
    if (cost < best) {
      best = cost;
      choice = m;
    }
  }
  return choice;
}

// False when a value was not finite: the transforms spread such values over their tile, and the direct product has to do it.
inline bool run_winograd_last(Runtime& runtime, const LastProblem& c, int m, const LastImage& image) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const auto& inner = winograd_last_table();
  const WinogradLastTiles w(s, m);
  const int side = w.side, points = w.points(), threads = runtime.num_threads();
  const WinogradLastWeights weights(s, w);
  const int64_t ic = s.in_channels, oc = s.out_channels, width = weights.each * kernels.nr;
  // Rows and points stay out of each other's cache sets.
  const int64_t v_row = (ic % 256 == 0 ? ic + 16 : ic) + (w.strided ? 3 * ic : 0);
  const int64_t tile_bytes = (w.strided ? 25 * ic : points * v_row) * static_cast<int64_t>(sizeof(float));
  int64_t blocks;
  if (w.strided) {
    blocks = std::max<int64_t>(1, w.count * tile_bytes / (640 << 10));
  } else {
    const int64_t most = std::max<int64_t>(kernels.mr, (384 << 10) / tile_bytes / kernels.mr * kernels.mr);
    blocks = w.count <= most + most / 2 ? 1 : (w.count + most - 1) / most;
  }
  const int64_t per_block = (w.count + blocks - 1) / blocks;
  blocks = (w.count + per_block - 1) / per_block;
  const int64_t v_step = per_block * v_row + 16, p_step = per_block * width + 16;
  const size_t v_floats = static_cast<size_t>(points * v_step + 64), p_floats = static_cast<size_t>(points * p_step + 64);
  std::atomic<bool> finite{true};
  const bool at_once = c.activation <= Activation::Relu6;
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(ic) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(ic) * sizeof(float));

  auto run_block = [&](int64_t block, float* v, const auto& parallel) {
    const int64_t first = block * per_block, count = std::min(per_block, w.count - first);
    parallel(count, [&](int64_t begin, int64_t end) {
      const float* pixels[36];
      for (int64_t t = begin; t < end; t++) {
        const int64_t tile = first + t, column = tile % w.columns, row = tile / w.columns % w.rows, item = tile / w.columns / w.rows;
        const int64_t top = row * m * s.stride[1] - s.pad_low[1], left = column * m * s.stride[2] - s.pad_low[2];
        const float* from = image.data + item * image.item;
        for (int i = 0; i < side; i++) {
          for (int j = 0; j < side; j++) {
            const bool inside = top + i >= 0 && top + i < s.in[1] && left + j >= 0 && left + j < s.in[2];
            pixels[i * side + j] = inside ? from + (top + i) * image.row + (left + j) * image.pixel : zeros;
          }
        }
        if (w.strided) inner.strided(pixels, ic, v + t * v_row, v_step);
        else inner.input(m, pixels, ic, v + t * v_row, v_step);
      }
    });
    parallel(weights.groups, [&](int64_t begin, int64_t end) {
      float* products = thread_scratch<float>(kSlotUser, p_floats);
      bool good = true;
      for (int64_t group = begin; group < end; group++) {
        const int64_t f0 = group * width, filters = std::min(width, oc - f0);
        Gemm<float> g;
        g.m = count;
        g.n = filters;
        g.a_row = v_row;
        g.c_row = width;
        const float* b = static_cast<const float*>(c.packed) + group * weights.group_elements;
        for (int f = 0; f < points; f++) {
          g.k = w.terms(f) * ic;
          g.a = v + f * v_step;
          g.packed_b = b;
          // Points follow each other, and groups do.
          b += weights.each * g.k * kernels.nr;
          g.next_b = f + 1 < points || group + 1 < end ? b : nullptr;
          g.c = products + f * p_step;
          gemm_block(g, 0, count, 0, panel_count<float>(filters));
        }
        for (int64_t t = 0; t < count; t++) {
          const int64_t tile = first + t, x = tile % w.columns * m, y = tile / w.columns % w.rows * m, item = tile / w.columns / w.rows;
          const int64_t to = ((item * s.out[1] + y) * s.out[2] + x) * oc + f0;
          const int rows = static_cast<int>(std::min<int64_t>(m, s.out[1] - y));
          const int columns = static_cast<int>(std::min<int64_t>(m, s.out[2] - x));
          const float* bias = c.bias ? c.bias + f0 : nullptr;
          const float* residual = c.residual ? c.residual + to : nullptr;
          good = inner.output(m, w.n, products + t * width, p_step, filters, bias, residual, c.out + to, s.out[2] * oc, oc, rows, columns,
                              at_once ? c.activation : Activation::None) &&
                 good;
          if (at_once) continue;
          for (int i = 0; i < rows; i++) kernels.epilogue(c.out + to + i * s.out[2] * oc, oc, nullptr, 0, columns, filters, c.activation);
        }
      }
      if (!good) finite.store(false, std::memory_order_relaxed);
    });
  };

  auto alone = [](int64_t count, const auto& body) { body(0, count); };
  const int64_t macs = w.count * w.all_terms() * ic * oc;
  if (threads == 1 || blocks >= 2 * threads || macs < 3 * kMacsPerChunk) {
    runtime.parallel(blocks, std::max<int64_t>(1, kMacsPerChunk * blocks / std::max<int64_t>(1, macs)), [&](int64_t begin, int64_t end) {
      float* v = thread_scratch<float>(kSlotUser2, v_floats);
      for (int64_t i = begin; i < end; i++) run_block(i, v, alone);
    });
  } else {
    float* v = static_cast<float*>(runtime.scratch(v_floats * sizeof(float)));
    auto shared = [&](int64_t count, const auto& body) {
      runtime.parallel(count, std::max<int64_t>(1, (count + 4 * threads - 1) / (4 * threads)), body);
    };
    for (int64_t i = 0; i < blocks; i++) run_block(i, v, shared);
  }
  return finite.load(std::memory_order_relaxed);
}

}  // namespace torchscript
