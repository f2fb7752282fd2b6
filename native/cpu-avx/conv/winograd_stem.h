// Winograd convolution of planar images of few channels by 7x7 kernels with a stride of 2, to channels-last images.
//
// As in conv/winograd_last.h, the even and the odd rows and columns are four convolutions without a stride, here of at most 4x4 taps, whose
// results add up. F(3, 4) has the six points of F(4, 3), so that the transform of the input is the same; the sum is made at the points, of
// four terms a channel, or less at infinity, where only the last of four taps counts: 121 in place of 441 for 9 pixels.
#pragma once
#include <atomic>

#include "cpu-avx/conv/last.h"
#include "cpu-avx/conv/winograd.h"

namespace torchscript {

constexpr int kStemTile = 3, kStemPoints = 6, kStemAllPoints = kStemPoints * kStemPoints, kStemTerms = 121, kStemPhases = 2 * kStemTile;
inline int stem_terms(int f) { return (f < 30 ? 2 : 1) * (f % kStemPoints < 5 ? 2 : 1); }

inline bool can_use_winograd_stem(const ConvShape& s) {
  return !s.transposed && s.groups == 1 && s.in[0] == 1 && s.kernel[0] == 1 && s.kernel[1] == 7 && s.kernel[2] == 7 && s.stride[1] == 2 &&
         s.stride[2] == 2 && s.dilation[1] == 1 && s.dilation[2] == 1 && s.pad_low[0] == 0 && s.in_channels > 0 && s.in_channels <= 8;
}
inline bool is_winograd_stem(const ConvShape& s) {
  const int setting = winograd_setting();
  if (setting == 0 || !can_use_winograd_stem(s)) return false;
  // Tiles fill a few vectors of filters and of tiles.
  return setting > 0 || (s.out_channels >= 16 && s.out[2] >= 32 && s.out[1] >= 8);
}

// Packed weights: for each vector of filters, [f][term][channel][lane].
inline int64_t winograd_stem_elements(const ConvShape& s) {
  const int64_t width = conv_last_table().width;
  return (s.out_channels + width - 1) / width * kStemTerms * s.in_channels * width;
}
inline void pack_winograd_stem(const ConvShape& s, const float* weight, float* out) {
  const int64_t ic = s.in_channels, width = conv_last_table().width;
  // Powers of the points over what their products with the others come to, as winograd_filter_matrix has them; infinity takes the last.
  static constexpr double r = 1.4142135623730951, x[5] = {0, r / 2, -r / 2, r, -r}, scale[5] = {1, -2.0 / 3, -2.0 / 3, 1.0 / 6, 1.0 / 6};
  double g[kStemPoints][4] = {};
  for (int i = 0; i < 5; i++) {
    double power = scale[i];
    for (int a = 0; a < 4; a++, power *= x[i]) g[i][a] = power;
  }
  g[5][3] = 1;
  std::memset(static_cast<void*>(out), 0, static_cast<size_t>(winograd_stem_elements(s)) * sizeof(float));
  for (int64_t o = 0; o < s.out_channels; o++) {
    float* lane = out + o / width * kStemTerms * ic * width + o % width;
    for (int f = 0; f < kStemAllPoints; f++) {
      const int i = f / kStemPoints, j = f % kStemPoints, across = j < 5 ? 2 : 1;
      for (int term = 0; term < stem_terms(f); term++) {
        const int py = term / across, px = term % across;
        for (int64_t c = 0; c < ic; c++, lane += width) {
          const float* k = weight + (o * ic + c) * 49;
          double sum = 0;
          for (int y = py; y < 7; y += 2) {
            for (int z = px; z < 7; z += 2) sum += g[i][y / 2] * g[j][z / 2] * static_cast<double>(k[7 * y + z]);
          }
          *lane = static_cast<float>(sum);
        }
      }
    }
  }
}

// `x` has adjacent pixels in rows. False when a value was not finite: the direct product has to do it.
inline bool run_winograd_stem(Runtime& runtime, const LastProblem& c, const TensorView& x) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const auto& inner = winograd_last_table();
  const InputWindow window = input_window<float>(s, x);
  const int64_t ic = s.in_channels, oc = s.out_channels, width = conv_last_table().width;
  const int64_t rows = (s.out[1] + kStemTile - 1) / kStemTile, columns = (s.out[2] + kStemTile - 1) / kStemTile;
  const int64_t groups = (columns + StemGroup::kTiles - 1) / StemGroup::kTiles, group_step = kStemTerms * ic * StemGroup::kTiles;
  int64_t offsets[kStemAllPoints];  // of points in a group
  for (int64_t f = 0, at = 0; f < kStemAllPoints; f++) {
    offsets[f] = at;
    at += stem_terms(static_cast<int>(f)) * ic * StemGroup::kTiles;
  }
  // Rows of tiles in a piece, which stages what they read.
  const int64_t threads = runtime.num_threads(), phase = columns + 1, line = kStemPhases * phase;
  const int64_t pieces = std::clamp<int64_t>(rows * line * kStemPhases * ic * static_cast<int64_t>(sizeof(float)) / (128 << 10),
                                             std::min<int64_t>(rows, threads == 1 ? 1 : 4 * threads), rows);
  const int64_t most = (rows + pieces - 1) / pieces, staged_rows = kStemPhases * most + 6, plane = staged_rows * line;
  const size_t staged_floats = static_cast<size_t>(ic * plane + 64), v_floats = static_cast<size_t>((groups + 1) * group_step + 64);
  const bool at_once = c.activation <= Activation::Relu6;
  std::atomic<bool> finite{true};
  runtime.parallel(s.batch * pieces, 1, [&](int64_t begin, int64_t end) {
    float* staged = thread_scratch<float>(kSlotPackB, staged_floats);
    float* v = thread_scratch<float>(kSlotUser, v_floats);
    bool good = true;
    for (int64_t piece = begin; piece < end; piece++) {
      const int64_t item = piece / pieces, first = rows * (piece % pieces) / pieces, last = rows * (piece % pieces + 1) / pieces;
      for (int64_t channel = 0; channel < ic; channel++) {
        const float* from = x.ptr<float>() + item * window.item + channel * window.channel;
        winograd_table().f32.stage(kStemPhases, from, window.strides[1], s.in[1], s.in[2], first * kStemPhases - s.pad_low[1],
                                   (last - first) * kStemPhases + 6, s.pad_low[2], phase, staged + channel * plane);
      }
      for (int64_t row = first; row < last; row++) {
        for (int parity = 0; parity < 4; parity++) {
          const int py = parity / 2, px = parity % 2;
          for (int64_t channel = 0; channel < ic; channel++) {
            int64_t to[kStemAllPoints];
            for (int f = 0; f < kStemAllPoints; f++) {
              const int64_t part = py * (f % kStemPoints < 5 ? 2 : 1) + px;
              to[f] = offsets[f] + (part * ic + channel) * StemGroup::kTiles;
            }
            inner.stem(staged + channel * plane + (row - first) * kStemPhases * line, line, phase, py, px, columns, v, to, group_step);
          }
        }
        StemGroup g;
        g.channels = ic;
        g.out_row = s.out[2] * oc;
        g.out_pixel = oc;
        g.rows = static_cast<int>(std::min<int64_t>(kStemTile, s.out[1] - row * kStemTile));
        g.activation = at_once ? c.activation : Activation::None;
        const int64_t start = (item * s.out[1] + row * kStemTile) * s.out[2] * oc;
        for (int64_t group = 0; group < groups; group++) {
          const int64_t tile = group * StemGroup::kTiles;
          g.v = v + group * group_step;
          g.tiles = static_cast<int>(std::min<int64_t>(StemGroup::kTiles, columns - tile));
          g.columns = s.out[2] - tile * kStemTile;
          g.u = static_cast<const float*>(c.packed);
          for (int64_t filter = 0; filter < oc; filter += width, g.u += kStemTerms * ic * width) {
            const int64_t to = start + tile * kStemTile * oc + filter;
            g.filters = static_cast<int>(std::min(width, oc - filter));
            g.bias = c.bias ? c.bias + filter : nullptr;
            g.residual = c.residual ? c.residual + to : nullptr;
            g.out = c.out + to;
            good = inner.stem_group(g) && good;
          }
        }
        if (!at_once) kernels.epilogue(c.out + start, 0, nullptr, 0, 1, g.rows * g.out_row, c.activation);
      }
    }
    if (!good) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load(std::memory_order_relaxed);
}

}  // namespace torchscript
