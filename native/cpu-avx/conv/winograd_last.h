// Winograd convolution of channels-last float tensors: where it is worth its transforms, and its driver.
//
// A block of tiles goes through three steps: pixels to V[f][tile][ic]; for a few panels of filters at a time M[f][tile][oc] = V[f] U[f]
// on the tiles of gemm/tiles.h, and pixels from M. V stays in a usual L2. Enough blocks: each thread takes whole ones; else threads
// share the steps of one.
#pragma once
#include <atomic>

#include "cpu-avx/conv/last.h"
#include "cpu-avx/conv/winograd.h"

namespace torchscript {

// Packed weights: for each group of panels of B, [f][panel][ic][nr].
struct WinogradLastWeights {
  int64_t panels, each, groups, group_elements;
  WinogradLastWeights(const ConvShape& s, int points) {
    const int nr = tile_kernels<float>().nr;
    panels = panel_count<float>(s.out_channels);
    each = std::max(1, 32 / nr);  // panels of a group
    groups = (panels + each - 1) / each;
    group_elements = points * each * s.in_channels * nr;
  }
  int64_t elements() const { return groups * group_elements; }
};
inline void pack_winograd_last(const ConvShape& s, int m, const float* weight, float* out) {
  const int n = m + 2, points = n * n, nr = tile_kernels<float>().nr;
  const WinogradLastWeights w(s, points);
  const double* g = winograd_filter_matrix(m);
  const int64_t ic = s.in_channels;
  std::memset(static_cast<void*>(out), 0, static_cast<size_t>(w.elements()) * sizeof(float));
  for (int64_t o = 0; o < s.out_channels; o++) {
    const int64_t panel = o / nr;
    float* lane = out + panel / w.each * w.group_elements + panel % w.each * ic * nr + o % nr;
    for (int64_t c = 0; c < ic; c++, lane += nr) {
      const float* k = weight + (o * ic + c) * 9;
      double half[6][3];
      for (int i = 0; i < n; i++) {
        for (int x = 0; x < 3; x++) half[i][x] = g[3 * i] * k[x] + g[3 * i + 1] * k[3 + x] + g[3 * i + 2] * k[6 + x];
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
          lane[(i * n + j) * w.each * ic * nr] =
            static_cast<float>(half[i][0] * g[3 * j] + half[i][1] * g[3 * j + 1] + half[i][2] * g[3 * j + 2]);
      }
    }
  }
}

// 4 or 2, or 0 where the direct product is expected to be faster. Costs are in multiply-adds.
inline int winograd_last_size(const ConvShape& s) {
  const int setting = winograd_setting();
  if (setting == 0 || !can_use_winograd(s)) return 0;
  if (setting == 2 || setting == 4) return setting;
  if (s.in_channels < 8 || s.out_channels < 8) return 0;
  const double ic = static_cast<double>(s.in_channels), oc = static_cast<double>(s.out_channels);
  const double pixels = static_cast<double>(s.out_pixels() * s.batch), bytes = 8;  // multiply-adds that a weight from memory costs
  double best = 9 * ic * oc * (pixels * 1.1 + bytes);
  int choice = 0;
  for (int m : {4, 2}) {
    const WinogradShape w(s, m);
    const double tiles = static_cast<double>(w.tiles), points = w.points();
    const double cost = points * (tiles * (ic * oc + 24 * ic + 16 * oc) + bytes * ic * oc);
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
  const WinogradShape w(s, m);
  const int n = m + 2, points = w.points(), threads = runtime.num_threads();
  const WinogradLastWeights weights(s, points);
  const int64_t ic = s.in_channels, oc = s.out_channels, width = weights.each * kernels.nr;
  // Rows and points stay out of each other's cache sets.
  const int64_t v_row = ic % 256 == 0 ? ic + 16 : ic;
  const int64_t tile_bytes = points * v_row * static_cast<int64_t>(sizeof(float));
  int64_t per_block = std::max<int64_t>(kernels.mr, (384 << 10) / tile_bytes / kernels.mr * kernels.mr);
  if (w.tiles <= per_block + per_block / 2) per_block = w.tiles;
  int64_t blocks = (w.tiles + per_block - 1) / per_block;
  per_block = (w.tiles + blocks - 1) / blocks;
  blocks = (w.tiles + per_block - 1) / per_block;
  const int64_t v_step = per_block * v_row + 16, p_step = per_block * width + 16;
  const size_t v_floats = static_cast<size_t>(points * v_step + 64), p_floats = static_cast<size_t>(points * p_step + 64);
  std::atomic<bool> finite{true};
  const bool at_once = c.activation <= Activation::Relu6;
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(ic) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(ic) * sizeof(float));

  auto run_block = [&](int64_t block, float* v, const auto& parallel) {
    const int64_t first = block * per_block, count = std::min(per_block, w.tiles - first);
    parallel(count, [&](int64_t begin, int64_t end) {
      const float* pixels[36];
      for (int64_t t = begin; t < end; t++) {
        const int64_t tile = first + t, column = tile % w.columns, row = tile / w.columns % w.rows, item = tile / w.columns / w.rows;
        const int64_t top = row * m - s.pad_low[1], left = column * m - s.pad_low[2];
        const float* from = image.data + item * image.item;
        for (int i = 0; i < n; i++) {
          for (int j = 0; j < n; j++) {
            const bool inside = top + i >= 0 && top + i < s.in[1] && left + j >= 0 && left + j < s.in[2];
            pixels[i * n + j] = inside ? from + (top + i) * image.row + (left + j) * image.pixel : zeros;
          }
        }
        inner.input(m, pixels, ic, v + t * v_row, v_step);
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
        g.k = ic;
        g.a_row = v_row;
        g.c_row = width;
        for (int f = 0; f < points; f++) {
          g.a = v + f * v_step;
          g.packed_b = static_cast<const float*>(c.packed) + group * weights.group_elements + f * weights.each * ic * kernels.nr;
          // Points follow each other, and groups do.
          g.next_b = f + 1 < points || group + 1 < end ? g.packed_b + weights.each * ic * kernels.nr : nullptr;
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
          good = inner.output(m, products + t * width, p_step, filters, bias, residual,
                              c.out + to, s.out[2] * oc, oc, rows, columns, at_once ? c.activation : Activation::None) &&
                 good;
          if (at_once) continue;
          for (int i = 0; i < rows; i++)
            kernels.epilogue(c.out + to + i * s.out[2] * oc, oc, nullptr, 0, columns, filters, c.activation);
        }
      }
      if (!good) finite.store(false, std::memory_order_relaxed);
    });
  };

  auto alone = [](int64_t count, const auto& body) { body(0, count); };
  const int64_t macs = w.tiles * points * ic * oc;
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
