// A pointwise convolution or the first of a network, a depthwise and a pointwise one of channels-last images as one: bands of rows of the wide image between them stay in
// the cache. Each row of it is computed once by a thread; a band keeps the rows that the next one reads again.
#pragma once
#include "cpu-avx/conv/last.h"
#include "cpu-avx/conv/narrow_inner.h"

namespace torchscript {

struct Bottleneck {
  bool has_expand = false;
  const TensorView* planar = nullptr;  // the image, where the first is one that conv/last.h calls a stem
  LastProblem expand, depthwise, project;  // packed as conv/last.h has them; the outputs of the first two are not used
};

inline bool runs_as_bottleneck(const ConvShape& s) {
  return s.batched && s.spatial == 2 && s.kernel[1] == 3 && s.kernel[2] == 3 && s.dilation[1] == 1 && s.dilation[2] == 1;
}

// Pixels [begin, end) of a pointwise part: rows of `a` to rows of `c`. Activations past Relu6 follow.
inline void narrow_product(const LastProblem& part, const float* a, int64_t a_row, int64_t m, float* c, const float* residual) {
  const ConvShape& s = part.s;
  const bool at_once = part.activation <= Activation::Relu6;
  conv_narrow_table().product({a, a_row, m, s.in_channels, static_cast<const float*>(part.packed), s.out_channels, part.bias, residual,
                               at_once ? part.activation : Activation::None, c, s.out_channels});
  if (!at_once) tile_kernels<float>().epilogue(c, m * s.out_channels, nullptr, 0, 1, m * s.out_channels, part.activation);
}

inline void run_bottleneck(Runtime& runtime, const Bottleneck& b, const LastImage& image) {
  const ConvShape& s = b.depthwise.s;  // from the wide image to the narrowed one
  const auto& kernels = tile_kernels<float>();
  const int64_t hidden = s.in_channels, narrow_row = s.out[2] * hidden;
  const int64_t stride = s.stride[1], pad = s.pad_low[1], left = s.pad_low[2];
  // Wide rows are held with the zeros around them.
  const int64_t wide_pixels = left + s.in[2] + std::max<int64_t>(0, (s.out[2] - 1) * s.stride[2] + 3 - left - s.in[2]);
  const int64_t wide_row = wide_pixels * hidden;
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(hidden) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(hidden) * sizeof(float));
  // Rows of the result in a band: the wide rows fill about 192 KB. Those in a chunk, which is one thread's.
  const int64_t wide = std::max<int64_t>(5, (48 << 10) / std::max<int64_t>(1, wide_row));
  const int64_t band = std::max<int64_t>(2, ((wide - 3) / stride + 1) / 2 * 2);
  const int64_t threads = runtime.num_threads();
  const int64_t macs = s.out_pixels() * hidden * (9 + b.project.s.out_channels) + s.in_pixels() * hidden * b.expand.s.in_channels * b.expand.s.taps();
  // Chunks do the rows around them again: few of them, and as many for each thread.
  const int64_t each = std::clamp<int64_t>(s.out[1] / (12 * threads), 1, 4);
  const int64_t chunks = threads == 1 ? 1 : std::clamp<int64_t>(std::min(threads * each, macs / kMacsPerChunk), 1, s.out[1]);
  const bool at_once = b.depthwise.activation <= Activation::Relu6;
  DepthwiseLast shared{};
  shared.channels = hidden;
  shared.kernel_y = shared.kernel_x = 3;
  shared.stride_y = stride;
  shared.stride_x = s.stride[2];
  shared.dilation_y = shared.dilation_x = 1;
  shared.weight = static_cast<const float*>(b.depthwise.packed);
  shared.bias = b.depthwise.bias;
  shared.zeros = zeros;
  shared.activation = at_once ? b.depthwise.activation : Activation::None;
  shared.out_row = narrow_row;
  shared.out_pixel = hidden;
  shared.columns = s.out[2];
  const InputWindow window = b.planar ? input_window<float>(b.expand.s, *b.planar) : InputWindow{};
  runtime.parallel(s.batch * chunks, 1, [&](int64_t begin, int64_t end) {
    const int64_t held_rows = (band - 1) * stride + 3;
    float* rows = thread_scratch<float>(kSlotUser, static_cast<size_t>(held_rows * wide_row));
    float* narrow = thread_scratch<float>(kSlotUser2, static_cast<size_t>(2 * narrow_row));
    if (b.has_expand) {
      for (int64_t r = 0; r < held_rows; r++) {
        std::memset(rows + r * wide_row, 0, static_cast<size_t>(left * hidden) * sizeof(float));
        std::memset(rows + r * wide_row + (left + s.in[2]) * hidden, 0,
                    static_cast<size_t>((wide_pixels - left - s.in[2]) * hidden) * sizeof(float));
      }
    }
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / chunks, chunk = i % chunks;
      const float* from = image.data + item * image.item;
      const int64_t first = s.out[1] * chunk / chunks, stop = s.out[1] * (chunk + 1) / chunks;
      int64_t held0 = 0, held1 = 0;  // rows of the wide image that `rows` holds; those outside of it are zeros
      for (int64_t y0 = first; y0 < stop; y0 += band) {
        const int64_t y1 = std::min(stop, y0 + band);
        if (b.has_expand) {
          const int64_t e0 = y0 * stride - pad, e1 = (y1 - 1) * stride - pad + 3;
          int64_t next = e0;
          if (y0 > first && held1 > e0) {
            std::memmove(rows, rows + (e0 - held0) * wide_row, static_cast<size_t>((held1 - e0) * wide_row) * sizeof(float));
            next = held1;
          }
          held0 = e0;
          held1 = e1;
          // Rows outside of the image are zeros.
          auto row_at = [&](int64_t y) { return rows + (y - e0) * wide_row + left * hidden; };
          for (; next < std::min<int64_t>(0, e1); next++) std::memset(row_at(next), 0, static_cast<size_t>(s.in[2] * hidden) * sizeof(float));
          const int64_t inside = std::min(e1, s.in[1]);
          if (b.planar && next < inside) {
            stem_rows(b.expand, *b.planar, window, item, next, inside, row_at(next), wide_row);
            next = inside;
          }
          for (; next < inside; next++) narrow_product(b.expand, from + next * image.row, image.pixel, s.in[2], row_at(next), nullptr);
          for (; next < e1; next++) std::memset(row_at(next), 0, static_cast<size_t>(s.in[2] * hidden) * sizeof(float));
        }
        for (int64_t y = y0; y < y1; y += 2) {
          const int64_t count = std::min<int64_t>(2, y1 - y);
          DepthwiseLast d = shared;
          if (b.has_expand) {
            d.in = rows + (y * stride - pad - held0) * wide_row;
            d.in_row = wide_row;
            d.in_pixel = hidden;
            d.height = (count - 1) * stride + 3;
            d.width = wide_pixels;
            d.rows = count;
            d.out = narrow;
            conv_last_table().depthwise(d, 0, count);
          } else {
            d.in = from;
            d.in_row = image.row;
            d.in_pixel = image.pixel;
            d.height = s.in[1];
            d.width = s.in[2];
            d.pad_top = pad;
            d.pad_left = left;
            d.rows = s.out[1];
            d.out = narrow - y * narrow_row;
            conv_last_table().depthwise(d, y, y + count);
          }
          if (!at_once) kernels.epilogue(narrow, count * narrow_row, nullptr, 0, 1, count * narrow_row, b.depthwise.activation);
          const int64_t at = (item * s.out[1] + y) * s.out[2] * b.project.s.out_channels;
          narrow_product(b.project, narrow, hidden, count * s.out[2], b.project.out + at, b.project.residual ? b.project.residual + at : nullptr);
        }
      }
    }
  });
}

}  // namespace torchscript
