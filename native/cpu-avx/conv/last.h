// Convolution of float from and to channels-last tensors.
//
// The result is C[pixel][filter] = A[pixel][k] B[k][filter] with k = (tap, channel): weights are packed as panels of B. Rows of A are the
// pixels where they lie (1x1), rows gathered from the taps a block of pixels at a time, or, from a planar image, panels packed on the
// fly as in conv/forward.h. Depthwise kernels have vectors over channels.
#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu-avx/conv/forward.h"
#include "cpu-avx/conv/last_inner.h"
#include "cpu-avx/conv/narrow_inner.h"
#include "cpu-avx/gemm/strassen.h"

namespace torchscript {

// Elements of B that conv/narrow_inner.h is used for.
constexpr int64_t kNarrowElements = 1 << 16;
// Pointwise convolutions with as many filters may go through gemm/strassen.h: with fewer, sums of pixels cost what the products save.
constexpr int64_t kStrassenFilters = 128;

struct LastProblem {
  ConvShape s;
  const void* packed = nullptr;  // after the header
  const float* bias = nullptr;
  const float* residual = nullptr;  // as out
  float* out = nullptr;             // [batch][pixels][filters]
  int64_t out_pixel = 0;            // filters of a pixel of `out`, where they are more than those of this problem
  Activation activation = Activation::None;
};

inline bool has_last_form(const ConvShape& s) {
  return !s.transposed && s.batched && s.spatial == 2 && s.in_channels > 0 && (s.group_in() > 1 || s.groups == 1 || s.group_out() == 1);
}
inline bool is_depthwise_last(const ConvShape& s) { return s.groups > 1 && s.group_in() == 1; }
// Groups of a size that the grouped kernel takes; others are one product each, and larger ones are worth it.
inline bool is_grouped_last(const ConvShape& s) {
  const int64_t size = s.group_in(), width = conv_last_table().width;
  return s.groups > 1 && size > 1 && size == s.group_out() && (size % width == 0 || width % size == 0) && size <= std::max<int64_t>(16, 2 * width);
}

// Elements of the packed weights.
inline int64_t packed_last_elements(const ConvShape& s) {
  if (is_depthwise_last(s)) return s.out_channels * s.taps();
  const int64_t width = conv_last_table().width;
  if (is_grouped_last(s)) return (s.out_channels + width - 1) / width * width * s.taps() * s.group_in();
  if (s.groups > 1) return s.groups * static_cast<int64_t>(packed_b_elements<float>(s.group_in() * s.taps(), s.group_out()));
  return static_cast<int64_t>(packed_b_elements<float>(s.in_channels * s.taps(), s.out_channels));
}
// `weight` is [filters][channels][taps].
inline void pack_last(const ConvShape& s, const float* weight, float* out) {
  const int64_t taps = s.taps(), channels = s.group_in(), k = channels * taps;
  if (is_grouped_last(s)) {
    const int64_t width = conv_last_table().width;
    std::memset(static_cast<void*>(out), 0, static_cast<size_t>(packed_last_elements(s)) * sizeof(float));
    for (int64_t o = 0; o < s.out_channels; o++) {
      float* lane = out + o / width * width * k + o % width;
      for (int64_t c = 0; c < channels; c++) {
        for (int64_t t = 0; t < taps; t++) lane[(t * channels + c) * width] = weight[o * k + c * taps + t];
      }
    }
    return;
  }
  if (is_depthwise_last(s)) {
    for (int64_t o = 0; o < s.out_channels; o++) {
      for (int64_t t = 0; t < taps; t++) out[t * s.out_channels + o] = weight[o * taps + t];
    }
    return;
  }
  std::vector<float> ordered;
  if (taps > 1) {
    ordered.resize(static_cast<size_t>(s.out_channels * k));
    for (int64_t o = 0; o < s.out_channels; o++) {
      for (int64_t c = 0; c < channels; c++) {
        for (int64_t t = 0; t < taps; t++) ordered[static_cast<size_t>(o * k + t * channels + c)] = weight[o * k + c * taps + t];
      }
    }
    weight = ordered.data();
  }
  const int64_t filters = s.group_out(), panels = panel_count<float>(filters);
  for (int64_t g = 0; g < s.groups; g++, weight += filters * k, out += packed_b_elements<float>(k, filters))
    pack_b_panels<float>(weight, 1, k, k, filters, 0, panels, out);
}

// The input: pixels hold their channels adjacent. False for other layouts.
struct LastImage {
  const float* data;
  int64_t item, row, pixel;
};
inline bool last_image(const ConvShape& s, const TensorView& x, LastImage& image) {
  image = {x.ptr<float>(), x.strides[0], x.strides[2], x.strides[3]};
  if (s.in_channels > 1 && x.strides[1] != 1) return false;
  // One row or column may have any stride.
  if (s.in[2] == 1) image.pixel = s.in_channels;
  if (s.in[1] == 1) image.row = image.pixel * s.in[2];
  return image.pixel >= s.in_channels || s.in_pixels() == 1;
}

inline Gemm<float> last_product(const LastProblem& c) {
  const ConvShape& s = c.s;
  Gemm<float> g;
  g.n = s.out_channels;
  g.k = s.in_channels * s.taps();
  g.packed_b = static_cast<const float*>(c.packed);
  g.c = c.out;
  g.c_row = g.residual_row = c.out_pixel ? c.out_pixel : s.out_channels;
  g.bias_n = c.bias;
  g.residual = c.residual;
  g.activation = c.activation;
  return g;
}

// The row of A that belongs to a pixel of the result.
inline void gather_pixel(const ConvShape& s, const LastImage& image, int64_t pixel, float* row) {
  const int64_t channels = s.in_channels;
  const int64_t x = pixel % s.out[2], y = pixel / s.out[2] % s.out[1], item = pixel / s.out[2] / s.out[1];
  const int64_t left = x * s.stride[2] - s.pad_low[2];
  const bool adjacent = s.dilation[2] == 1 && image.pixel == channels;
  for (int64_t ky = 0; ky < s.kernel[1]; ky++, row += s.kernel[2] * channels) {
    const int64_t iy = y * s.stride[1] - s.pad_low[1] + ky * s.dilation[1];
    if (iy < 0 || iy >= s.in[1]) {
      std::memset(row, 0, static_cast<size_t>(s.kernel[2] * channels) * sizeof(float));
      continue;
    }
    const float* from = image.data + item * image.item + iy * image.row;
    if (adjacent) {
      const int64_t first = std::clamp<int64_t>(-left, 0, s.kernel[2]), last = std::clamp<int64_t>(s.in[2] - left, first, s.kernel[2]);
      if (first > 0) std::memset(row, 0, static_cast<size_t>(first * channels) * sizeof(float));
      std::memcpy(row + first * channels, from + (left + first) * channels, static_cast<size_t>((last - first) * channels) * sizeof(float));
      if (last < s.kernel[2]) std::memset(row + last * channels, 0, static_cast<size_t>((s.kernel[2] - last) * channels) * sizeof(float));
      continue;
    }
    for (int64_t kx = 0; kx < s.kernel[2]; kx++) {
      const int64_t ix = left + kx * s.dilation[2];
      if (ix < 0 || ix >= s.in[2]) std::memset(row + kx * channels, 0, static_cast<size_t>(channels) * sizeof(float));
      else std::memcpy(row + kx * channels, from + ix * image.pixel, static_cast<size_t>(channels) * sizeof(float));
    }
  }
}

// Pieces of the result: blocks of at most `most` pixels times splits of the panels, enough for every thread to take several.
template <class F> void for_pieces(Runtime& runtime, const Gemm<float>& g, int64_t pixels, int64_t most, const F& body) {
  const int64_t panels = panel_count<float>(g.n), threads = runtime.num_threads();
  const int64_t wanted = threads == 1 ? 1 : std::clamp<int64_t>(pixels * g.n * g.k / kMacsPerChunk, 1, 6 * threads);
  const int64_t least = (pixels + most - 1) / most;
  const int64_t blocks = std::min(pixels, std::max(least, std::min<int64_t>(wanted, pixels / (4 * tile_kernels<float>().mr))));
  const int64_t splits = std::min(panels, std::max<int64_t>(1, wanted / blocks));
  runtime.parallel(blocks * splits, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t block = i / splits, split = i % splits;
      body(pixels * block / blocks, pixels * (block + 1) / blocks, panels * split / splits, panels * (split + 1) / splits);
    }
  });
}

inline void run_last_gathered(Runtime& runtime, const LastProblem& c, const LastImage& image) {
  const ConvShape& s = c.s;
  const Gemm<float> whole = last_product(c);
  const int64_t line = (whole.k + 15) / 16 * 16, step = line % 256 == 0 ? line + 16 : line;  // rows stay out of each other's cache sets
  const int mr = tile_kernels<float>().mr;
  if (s.taps() == 1 && whole.n >= kStrassenFilters) {
    // Every pixel once, for a product that wants them all.
    Gemm<float> g = whole;
    g.m = s.batch * s.out_pixels();
    g.a_row = step;
    if (strassen_suits(g)) {
      float* rows = static_cast<float*>(runtime.scratch(static_cast<size_t>(g.m * step) * sizeof(float)));
      for (int64_t q = 0; q < g.m; q++) gather_pixel(s, image, q, rows + q * step);
      g.a = rows;
      if (strassen_product(runtime, g)) return;
    }
  }
  const int64_t most = std::max<int64_t>(4 * mr, (48 << 10) / step / mr * mr);
  for_pieces(runtime, whole, s.batch * s.out_pixels(), most, [&](int64_t q0, int64_t q1, int64_t p0, int64_t p1) {
    float* rows = thread_scratch<float>(kSlotUser, static_cast<size_t>((q1 - q0) * step));
    for (int64_t q = q0; q < q1; q++) gather_pixel(s, image, q, rows + (q - q0) * step);
    Gemm<float> g = whole;
    g.m = q1 - q0;
    g.a = rows;
    g.a_row = step;
    g.c += q0 * g.c_row;
    if (g.residual) g.residual += q0 * g.c_row;
    gemm_block(g, 0, g.m, p0, p1);
  });
}

// From a planar image. The panels hold k in the order of the weights: (tap, channel).
inline void run_last_planar(Runtime& runtime, const LastProblem& c, const TensorView& x) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const int nr = kernels.nr, mr = kernels.mr;
  const Gemm<float> g = last_product(c);
  const StagedImage<float> image = stage_image<float>(runtime, s, x);
  const int64_t taps = s.taps(), pixels = s.out_pixels(), slice = k_slice(g.k, kernels.kc);
  auto* by_channel = static_cast<int64_t*>(runtime.scratch(static_cast<size_t>(2 * g.k) * sizeof(int64_t)));
  auto* offsets = by_channel + g.k;
  tap_offsets(s, image, s.in_channels, by_channel);
  for (int64_t t = 0; t < taps; t++) {
    for (int64_t channel = 0; channel < s.in_channels; channel++) offsets[t * s.in_channels + channel] = by_channel[channel * taps + t];
  }
  for (int64_t item = 0; item < s.batch; item++) {
    for_pieces(runtime, g, pixels, 8 * mr, [&](int64_t q0, int64_t q1, int64_t p0, int64_t p1) {
      const int height = tile_rows(q1 - q0, mr);
      const int64_t tiles = (q1 - q0 + height - 1) / height;
      float* rows = thread_scratch<float>(kSlotPackA, static_cast<size_t>(tiles * slice * mr + 64));
      PixelRun runs[64];
      for (int64_t k0 = 0; k0 < g.k; k0 += slice) {
        const int64_t kn = std::min(slice, g.k - k0);
        const bool last = k0 + kn == g.k;
        for (int64_t t = 0; t < tiles; t++) {
          const int64_t first = q0 + t * height;
          const int n = pixel_runs(s, image, first, static_cast<int>(std::min<int64_t>(height, q1 - first)), runs);
          conv_kernels<float>().pack_pixels(image.data + item * image.item, offsets + k0, kn, runs, n, rows + t * kn * mr, mr);
        }
        for (int64_t p = p0; p < p1; p++) {
          Tile<float> tile;
          tile.b = g.packed_b + p * g.k * nr + k0 * nr;
          tile.b_stride = nr;
          tile.k = kn;
          tile.a_stride = 0;
          tile.c_stride = tile.residual_stride = g.c_row;
          tile.n = static_cast<int>(std::min<int64_t>(nr, g.n - p * nr));
          tile.accumulate = k0 > 0;
          tile.alpha = 1;
          tile.bias_n = last && g.bias_n ? g.bias_n + p * nr : nullptr;
          tile.bias_m = nullptr;
          tile.activation = last ? g.activation : Activation::None;
          tile.prefetch = nullptr;
          for (int64_t t = 0; t < tiles; t++) {
            const int64_t at = (item * pixels + q0 + t * height) * g.c_row + p * nr;
            tile.m = static_cast<int>(std::min<int64_t>(height, q1 - q0 - t * height));
            tile.a = rows + t * kn * mr;
            tile.c = g.c + at;
            tile.residual = last && g.residual ? g.residual + at : nullptr;
            kernels.tile_packed(tile);
          }
        }
      }
    });
  }
}

// From a planar image of few channels: no panels, the tiles read the staged image. Bands of rows are staged just before they are used.
inline bool is_stem(const ConvShape& s, const LastProblem& c) {
  return !c.residual && s.groups == 1 && s.in_channels * s.taps() <= 256 && s.in[0] == 1 && s.kernel[0] == 1;
}
// Rows of the image that row y of the result reads are [y * stride - pad, y * stride - pad + reach).
inline int64_t stem_reach(const ConvShape& s) { return s.dilation[1] * (s.kernel[1] - 1) + 1; }

// Rows [y0, y1) of the result for one image of a batch, to `out`. Uses the scratch that packing has.
inline void stem_rows(const LastProblem& c, const TensorView& x, const InputWindow& w, int64_t item, int64_t y0, int64_t y1, float* out,
                      int64_t out_row) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const int nr = kernels.nr, height = tile_rows(s.out[2], kernels.mr);
  const int64_t taps = s.taps(), k = s.in_channels * taps, n = s.out_channels, panels = panel_count<float>(n);
  const bool at_once = c.activation <= Activation::Relu6;
  // The same convolution on the rows that these read.
  const int64_t top = y0 * s.stride[1] - s.pad_low[1], bottom = (y1 - 1) * s.stride[1] - s.pad_low[1] + stem_reach(s);
  const int64_t first = std::clamp<int64_t>(top, 0, s.in[1]), last = std::clamp<int64_t>(bottom, first, s.in[1]);
  ConvShape band = s;
  band.in[1] = last - first;
  band.out[1] = y1 - y0;
  band.pad_low[1] = first - top;
  band.pad_high[1] = bottom - last;
  const StageLayout<float> layout(band);
  const StagedImage<float> image = image_layout<float>(band);
  float* staged = thread_scratch<float>(kSlotPackB, static_cast<size_t>(layout.plane * s.in_channels + 64));
  int64_t* offsets = thread_scratch<int64_t>(kSlotPackA, static_cast<size_t>(2 * k));
  const float* from = x.ptr<float>() + item * w.item + first * w.strides[1];
  for (int64_t channel = 0; channel < s.in_channels; channel++)
    stage_plane<float>(band, layout, from + channel * w.channel, w.strides, staged + channel * layout.plane);
  tap_offsets(band, image, s.in_channels, offsets + k);
  for (int64_t t = 0; t < taps; t++) {
    for (int64_t channel = 0; channel < s.in_channels; channel++) offsets[t * s.in_channels + channel] = offsets[k + channel * taps + t];
  }
  const float* packed = static_cast<const float*>(c.packed);
  for (int64_t y = y0; y < y1; y++, out += out_row) {
    for (int64_t p = 0; p < panels; p++) {
      for (int64_t column = 0; column < s.out[2]; column += height) {
        conv_last_table().stem({staged + (y - y0) * s.stride[1] * layout.row + column, offsets, k, packed + p * k * nr,
                                c.bias ? c.bias + p * nr : nullptr, at_once ? c.activation : Activation::None, out + column * n + p * nr, n,
                                static_cast<int>(std::min<int64_t>(height, s.out[2] - column)),
                                static_cast<int>(std::min<int64_t>(nr, n - p * nr))});
      }
    }
    if (!at_once) kernels.epilogue(out, s.out[2] * n, nullptr, 0, 1, s.out[2] * n, c.activation);
  }
}
inline void run_last_stem(Runtime& runtime, const LastProblem& c, const TensorView& x) {
  const ConvShape& s = c.s;
  const InputWindow w = input_window<float>(s, x);
  // Rows of the result in a band: what it reads fills about 128 KB.
  const StageLayout<float> whole(s);
  const int64_t fits = ((32 << 10) / std::max<int64_t>(1, whole.row * s.in_channels) - stem_reach(s)) / s.stride[1];
  const int64_t most = std::clamp<int64_t>(fits, 1, runtime.num_threads() == 1 ? 32 : 8), bands = (s.out[1] + most - 1) / most;
  const int64_t macs = s.out_pixels() / bands * s.out_channels * s.in_channels * s.taps(), row = s.out[2] * s.out_channels;
  runtime.parallel(s.batch * bands, std::max<int64_t>(1, kMacsPerChunk / std::max<int64_t>(1, macs)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / bands, y0 = s.out[1] * (i % bands) / bands, y1 = s.out[1] * (i % bands + 1) / bands;
      stem_rows(c, x, w, item, y0, y1, c.out + (item * s.out[1] + y0) * row, row);
    }
  });
}

inline void run_last_depthwise(Runtime& runtime, const LastProblem& c, const LastImage& image) {
  const ConvShape& s = c.s;
  const int64_t channels = s.in_channels, pixels = s.out_pixels();
  const bool at_once = c.activation <= Activation::Relu6;
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(channels) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(channels) * sizeof(float));
  const int64_t work = s.out[2] * channels * s.taps();
  // An even number of rows to a piece, for the kernels do two at a time.
  const int64_t pairs = (s.out[1] + 1) / 2, grain = std::max<int64_t>(1, kMacsPerChunk / 2 / std::max<int64_t>(1, 2 * work));
  runtime.parallel(s.batch * pairs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const int64_t item = i / pairs, stop = std::min(end, (item + 1) * pairs);
      const int64_t y0 = i % pairs * 2, y1 = std::min(s.out[1], (stop - item * pairs) * 2), at = item * pixels * channels;
      const DepthwiseLast d{image.data + item * image.item, image.row, image.pixel, s.in[1], s.in[2], channels, s.kernel[1], s.kernel[2],
                            s.stride[1], s.stride[2], s.dilation[1], s.dilation[2], s.pad_low[1], s.pad_low[2],
                            static_cast<const float*>(c.packed), c.bias, zeros, c.residual ? c.residual + at : nullptr,
                            at_once ? c.activation : Activation::None, c.out + at, s.out[2] * channels, channels, s.out[1], s.out[2]};
      conv_last_table().depthwise(d, y0, y1);
      if (!at_once) {
        const int64_t n = (y1 - y0) * s.out[2] * channels;
        tile_kernels<float>().epilogue(d.out + y0 * d.out_row, n, nullptr, 0, 1, n, c.activation);
      }
      i = stop;
    }
  });
}

// Products for the kernel of conv/narrow_inner.h: all of B stays in a usual L2 while rows of A and C, which are pixels, pass once, whole.
inline bool runs_narrow(Runtime& runtime, const Gemm<float>& g) {
  const int64_t threads = runtime.num_threads();
  return g.k * g.n <= kNarrowElements && g.activation <= Activation::Relu6 && g.m > 1 && g.n > 1 &&
         g.a_row * static_cast<int64_t>(sizeof(float)) % 4096 != 0 && (threads == 1 || g.m >= 2 * threads * tile_kernels<float>().mr);
}
inline void run_narrow(Runtime& runtime, const Gemm<float>& g) {
  const auto& table = conv_narrow_table();
  runtime.note(table.name);
  const int64_t mr = tile_kernels<float>().mr, tiles = (g.m + mr - 1) / mr, threads = runtime.num_threads();
  const int64_t pieces = threads == 1 ? 1 : std::clamp<int64_t>(g.m * g.n * g.k / kMacsPerPiece, 1, std::min(tiles, 6 * threads));
  runtime.parallel(pieces, 1, [&](int64_t begin, int64_t end) {
    const int64_t m0 = tiles * begin / pieces * mr, m1 = std::min(g.m, tiles * end / pieces * mr);
    table.product({g.a + m0 * g.a_row, g.a_row, m1 - m0, g.k, g.packed_b, g.n, g.bias_n, g.residual ? g.residual + m0 * g.c_row : nullptr,
                   g.activation, g.c + m0 * g.c_row, g.c_row});
  });
}

inline void run_last_grouped(Runtime& runtime, const LastProblem& c, const LastImage& image) {
  const ConvShape& s = c.s;
  const int64_t channels = s.in_channels, row = s.out[2] * channels;
  const bool at_once = c.activation <= Activation::Relu6;
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(channels) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(channels) * sizeof(float));
  const int64_t grain = std::max<int64_t>(1, kMacsPerChunk / 2 / std::max<int64_t>(1, row * s.taps() * s.group_in()));
  runtime.parallel(s.batch * s.out[1], grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const int64_t item = i / s.out[1], stop = std::min(end, (item + 1) * s.out[1]), at = item * s.out[1] * row;
      const int64_t y0 = i % s.out[1], y1 = y0 + stop - i;
      const GroupedLast g{image.data + item * image.item, image.row, image.pixel, s.in[1], s.in[2], channels, s.group_in(), s.kernel[1],
                          s.kernel[2], s.stride[1], s.stride[2], s.dilation[1], s.dilation[2], s.pad_low[1], s.pad_low[2],
                          static_cast<const float*>(c.packed), c.bias, zeros, c.residual ? c.residual + at : nullptr,
                          at_once ? c.activation : Activation::None, c.out + at, s.out[2]};
      conv_last_table().grouped(g, y0, y1);
      if (!at_once) tile_kernels<float>().epilogue(g.out + y0 * row, (y1 - y0) * row, nullptr, 0, 1, (y1 - y0) * row, c.activation);
      i = stop;
    }
  });
}

// x may be of any layout. Kernels of groups want one that last_image takes.
inline void run_last(Runtime& runtime, const LastProblem& c, const TensorView& x) {
  const ConvShape& s = c.s;
  LastImage image;
  // An image of one channel is planar too.
  const bool last = last_image(s, x, image) && (s.in_channels > 1 || s.is_pointwise());
  if (is_depthwise_last(s)) {
    runtime.note("conv_depthwise_last");
    return run_last_depthwise(runtime, c, image);
  }
  if (is_grouped_last(s)) {
    runtime.note("conv_grouped_last");
    return run_last_grouped(runtime, c, image);
  }
  if (s.groups > 1) {
    runtime.note(tile_kernels<float>().name);
    for (int64_t g = 0; g < s.groups; g++) {
      LastProblem part = c;
      part.s.groups = 1;
      part.s.in_channels = s.group_in();
      part.s.out_channels = s.group_out();
      part.packed = static_cast<const float*>(c.packed) + g * static_cast<int64_t>(packed_b_elements<float>(s.group_in() * s.taps(), s.group_out()));
      if (c.bias) part.bias += g * s.group_out();
      if (c.residual) part.residual += g * s.group_out();
      part.out += g * s.group_out();
      part.out_pixel = s.out_channels;
      LastImage slice = image;
      slice.data += g * s.group_in();
      run_last_gathered(runtime, part, slice);
    }
    return;
  }
  if (!last && is_stem(s, c)) {
    runtime.note("conv_stem");
    return run_last_stem(runtime, c, x);
  }
  const bool dense = image.row == s.in[2] * image.pixel && (s.batch == 1 || image.item == s.in[1] * image.row);
  const bool in_rows = last && dense && s.is_pointwise();
  if (!in_rows) {
    runtime.note(tile_kernels<float>().name);
    return last ? run_last_gathered(runtime, c, image) : run_last_planar(runtime, c, x);
  }
  Gemm<float> g = last_product(c);
  g.m = s.batch * s.out_pixels();
  g.a = image.data;
  g.a_row = image.pixel;
  if (runs_narrow(runtime, g)) return run_narrow(runtime, g);
  if (g.n >= kStrassenFilters && strassen_product(runtime, g)) return;
  gemm(runtime, g);
}

}  // namespace torchscript
