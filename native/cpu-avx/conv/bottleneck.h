// A pointwise, a depthwise and a pointwise convolution of channels-last images as one: bands of rows of the wide image between them stay in
// the cache. Each row of it is computed once by a thread; a band keeps the rows that the next one reads again.
#pragma once
#include "cpu-avx/conv/last.h"

namespace torchscript {

struct Bottleneck {
  bool has_expand = false;
  LastProblem expand, depthwise, project;  // packed as conv/last.h has them; the outputs of the first two are not used
};

inline bool runs_as_bottleneck(const ConvShape& s) {
  return s.batched && s.spatial == 2 && s.kernel[1] == 3 && s.kernel[2] == 3 && s.dilation[1] == 1 && s.dilation[2] == 1;
}

inline void run_bottleneck(Runtime& runtime, const Bottleneck& b, const LastImage& image) {
  const ConvShape& s = b.depthwise.s;  // from the wide image to the narrowed one
  const auto& kernels = tile_kernels<float>();
  const int64_t hidden = s.in_channels, wide_row = s.in[2] * hidden, narrow_row = s.out[2] * hidden;
  const int64_t stride = s.stride[1], pad = s.pad_low[1];
  const Gemm<float> expand = b.has_expand ? last_product(b.expand) : Gemm<float>{};
  const Gemm<float> project = last_product(b.project);
  float* zeros = static_cast<float*>(runtime.scratch(static_cast<size_t>(hidden) * sizeof(float)));
  std::memset(zeros, 0, static_cast<size_t>(hidden) * sizeof(float));
  // Rows of the result in a band: the wide rows fill about 192 KB. Those in a chunk, which is one thread's.
  const int64_t wide = std::max<int64_t>(5, (48 << 10) / std::max<int64_t>(1, wide_row));
  const int64_t band = std::max<int64_t>(2, ((wide - 3) / stride + 1) / 2 * 2);
  const int64_t threads = runtime.num_threads();
  const int64_t macs = s.out_pixels() * hidden * (9 + project.n) + s.in_pixels() * hidden * expand.k;
  const int64_t chunks = threads == 1 ? 1 : std::clamp<int64_t>(std::min(s.out[1] / 6, macs / kMacsPerChunk), 1, 4 * threads);
  const bool at_once = b.depthwise.activation <= Activation::Relu6;
  runtime.parallel(s.batch * chunks, 1, [&](int64_t begin, int64_t end) {
    float* rows = thread_scratch<float>(kSlotUser, static_cast<size_t>(((band - 1) * stride + 3) * wide_row));
    float* narrow = thread_scratch<float>(kSlotUser2, static_cast<size_t>(2 * narrow_row));
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / chunks, chunk = i % chunks;
      const float* from = image.data + item * image.item;
      const int64_t first = s.out[1] * chunk / chunks, stop = s.out[1] * (chunk + 1) / chunks;
      int64_t held0 = 0, held1 = 0;  // rows of the wide image that `rows` holds
      for (int64_t y0 = first; y0 < stop; y0 += band) {
        const int64_t y1 = std::min(stop, y0 + band);
        const int64_t e0 = std::clamp<int64_t>(y0 * stride - pad, 0, s.in[1]);
        const int64_t e1 = std::clamp<int64_t>((y1 - 1) * stride - pad + 3, e0, s.in[1]);
        DepthwiseLast d{};
        if (b.has_expand) {
          int64_t next = e0;
          if (held1 > e0 && held0 <= e0) {
            const size_t kept = static_cast<size_t>((held1 - e0) * wide_row) * sizeof(float);
            if (held0 < e0) std::memmove(rows, rows + (e0 - held0) * wide_row, kept);
            next = held1;
          }
          held0 = e0;
          held1 = std::max(e1, next);
          if (e1 > next) {
            Gemm<float> g = expand;
            g.m = (e1 - next) * s.in[2];
            g.a = from + next * image.row;
            g.a_row = image.pixel;
            g.c = rows + (next - e0) * wide_row;
            gemm_block(g, 0, g.m, 0, panel_count<float>(g.n));
          }
          d.in = rows - e0 * wide_row;
          d.in_row = wide_row;
          d.in_pixel = hidden;
        } else {
          d.in = from;
          d.in_row = image.row;
          d.in_pixel = image.pixel;
        }
        d.height = s.in[1];
        d.width = s.in[2];
        d.channels = hidden;
        d.kernel_y = d.kernel_x = 3;
        d.stride_y = stride;
        d.stride_x = s.stride[2];
        d.dilation_y = d.dilation_x = 1;
        d.pad_top = pad;
        d.pad_left = s.pad_low[2];
        d.weight = static_cast<const float*>(b.depthwise.packed);
        d.bias = b.depthwise.bias;
        d.zeros = zeros;
        d.activation = at_once ? b.depthwise.activation : Activation::None;
        d.out_row = narrow_row;
        d.out_pixel = hidden;
        d.rows = s.out[1];
        d.columns = s.out[2];
        for (int64_t y = y0; y < y1; y += 2) {
          const int64_t count = std::min<int64_t>(2, y1 - y);
          d.out = narrow - y * narrow_row;
          conv_last_table().depthwise(d, y, y + count);
          if (!at_once) kernels.epilogue(narrow, count * narrow_row, nullptr, 0, 1, count * narrow_row, b.depthwise.activation);
          Gemm<float> g = project;
          const int64_t at = (item * s.out[1] + y) * s.out[2];
          g.m = count * s.out[2];
          g.a = narrow;
          g.a_row = hidden;
          g.c += at * g.c_row;
          if (g.residual) g.residual += at * g.c_row;
          gemm_block(g, 0, g.m, 0, panel_count<float>(g.n));
        }
      }
    }
  });
}

}  // namespace torchscript
