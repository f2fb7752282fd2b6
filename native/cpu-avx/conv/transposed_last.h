// Transposed convolution of float from and to channels-last tensors, without groups.
//
// Pixels of the result that lie a stride apart read the same taps, of adjacent pixels of the input: each of these classes is a product of
// rows gathered from its taps with its part of the weights, and every pixel of the result is written once.
#pragma once
#include <cstring>
#include <vector>

#include "cpu-avx/conv/last.h"

namespace torchscript {

// Of one direction: pixels first, first + stride, ... of the result, which read taps k with k * dilation % stride == residue.
struct TransposedAxis {
  int64_t stride, dilation, kernel, residue, first, count, taps = 0;
  TransposedAxis(const ConvShape& s, int d, int64_t r) : stride(s.stride[d]), dilation(s.dilation[d]), kernel(s.kernel[d]), residue(r) {
    first = ((r - s.pad_low[d]) % stride + stride) % stride;
    count = first < s.out[d] ? (s.out[d] - first - 1) / stride + 1 : 0;
    shift_ = first + s.pad_low[d];
    for (int64_t k = 0; k < kernel; k++) taps += has(k);
  }
  bool has(int64_t k) const { return k * dilation % stride == residue; }
  // Where pixel number i reads a tap.
  int64_t at(int64_t i, int64_t k) const { return i + (shift_ - k * dilation) / stride; }

 private:
  int64_t shift_;
};
// body(rows, columns) for each class.
template <class F> void for_classes(const ConvShape& s, const F& body) {
  for (int64_t y = 0; y < s.stride[1]; y++) {
    for (int64_t x = 0; x < s.stride[2]; x++) body(TransposedAxis(s, 1, y), TransposedAxis(s, 2, x));
  }
}
constexpr int64_t kMostTransposedStride = 16;  // with more, most classes have no taps
inline bool has_transposed_last_form(const ConvShape& s) {
  return s.transposed && s.batched && s.spatial == 2 && s.groups == 1 && s.in_channels > 0 &&
         s.stride[1] <= kMostTransposedStride && s.stride[2] <= kMostTransposedStride;
}

// `weight` is [channels][filters][taps]; the packed form has as many elements as that of conv/last.h.
inline void pack_transposed_last(const ConvShape& s, const float* weight, float* out) {
  const int64_t ic = s.in_channels, oc = s.out_channels;
  std::vector<float> ordered;
  for_classes(s, [&](const TransposedAxis& rows, const TransposedAxis& columns) {
    const int64_t k = rows.taps * columns.taps * ic;
    ordered.resize(static_cast<size_t>(oc * k));
    int64_t tap = 0;
    for (int64_t ky = 0; ky < s.kernel[1]; ky++) {
      for (int64_t kx = 0; kx < s.kernel[2]; kx++) {
        if (!rows.has(ky) || !columns.has(kx)) continue;
        const float* from = weight + ky * s.kernel[2] + kx;
        for (int64_t o = 0; o < oc; o++) {
          for (int64_t c = 0; c < ic; c++) ordered[static_cast<size_t>(o * k + tap * ic + c)] = from[(c * oc + o) * s.taps()];
        }
        tap++;
      }
    }
    if (k > 0) pack_b_panels<float>(ordered.data(), 1, k, k, oc, 0, panel_count<float>(oc), out);
    out += packed_b_elements<float>(k, oc);
  });
}

inline void run_transposed_last(Runtime& runtime, const LastProblem& c, const LastImage& image) {
  const ConvShape& s = c.s;
  const auto& kernels = tile_kernels<float>();
  const int64_t ic = s.in_channels, oc = s.out_channels, nr = kernels.nr;
  const bool dense = image.row == s.in[2] * image.pixel && (s.batch == 1 || image.item == s.in[1] * image.row);
  const float* packed = static_cast<const float*>(c.packed);
  for_classes(s, [&](const TransposedAxis& rows, const TransposedAxis& columns) {
    Gemm<float> whole = last_product(c);
    whole.k = rows.taps * columns.taps * ic;
    whole.packed_b = packed;
    whole.residual = nullptr;
    if (c.residual) whole.activation = Activation::None;
    packed += packed_b_elements<float>(whole.k, oc);
    const int64_t pixels = s.batch * rows.count * columns.count;
    if (pixels == 0) return;
    // One tap that reads every pixel of the input where it lies.
    int64_t ky = 0, kx = 0;
    while (ky < s.kernel[1] && !rows.has(ky)) ky++;
    while (kx < s.kernel[2] && !columns.has(kx)) kx++;
    const bool in_place = dense && rows.taps * columns.taps == 1 && rows.count == s.in[1] && columns.count == s.in[2] &&
                          rows.at(0, ky) == 0 && columns.at(0, kx) == 0;
    const int64_t line = (whole.k + 15) / 16 * 16, step = line % 256 == 0 ? line + 16 : line;
    const int64_t most = std::max<int64_t>(4 * kernels.mr, (48 << 10) / std::max(step, oc) / kernels.mr * kernels.mr);
    for_pieces(runtime, whole, pixels, most, [&](int64_t q0, int64_t q1, int64_t p0, int64_t p1) {
      const int64_t f0 = p0 * nr, filters = std::min(oc, p1 * nr) - f0;
      float* results = thread_scratch<float>(kSlotUser2, static_cast<size_t>((q1 - q0) * filters + 64));
      Gemm<float> g = whole;
      g.m = q1 - q0;
      g.n = filters;
      g.packed_b += p0 * nr * g.k;
      g.c = results;
      g.c_row = filters;
      if (g.bias_n) g.bias_n += f0;
      if (in_place) {
        g.a = image.data + q0 * image.pixel;
        g.a_row = image.pixel;
      } else {
        float* gathered = thread_scratch<float>(kSlotUser, static_cast<size_t>((q1 - q0) * step + 64));
        for (int64_t q = q0; q < q1; q++) {
          const int64_t x = q % columns.count, y = q / columns.count % rows.count, item = q / columns.count / rows.count;
          float* to = gathered + (q - q0) * step;
          for (int64_t i = 0; i < s.kernel[1]; i++) {
            if (!rows.has(i)) continue;
            const int64_t iy = rows.at(y, i);
            for (int64_t j = 0; j < s.kernel[2]; j++) {
              if (!columns.has(j)) continue;
              const int64_t ix = columns.at(x, j);
              const float* from = image.data + item * image.item + iy * image.row + ix * image.pixel;
              const size_t bytes = static_cast<size_t>(ic) * sizeof(float);
              if (iy < 0 || iy >= s.in[1] || ix < 0 || ix >= s.in[2]) std::memset(to, 0, bytes);
              else std::memcpy(to, from, bytes);
              to += ic;
            }
          }
        }
        g.a = gathered;
        g.a_row = step;
      }
      if (g.k > 0) gemm_block(g, 0, g.m, 0, p1 - p0);
      else gemm_empty(g);
      for (int64_t q = q0; q < q1; q++) {
        const int64_t x = q % columns.count, y = q / columns.count % rows.count, item = q / columns.count / rows.count;
        const int64_t to = ((item * s.out[1] + rows.first + y * rows.stride) * s.out[2] + columns.first + x * columns.stride) * oc + f0;
        std::memcpy(c.out + to, results + (q - q0) * filters, static_cast<size_t>(filters) * sizeof(float));
        if (c.residual) kernels.epilogue(c.out + to, filters, c.residual + to, filters, 1, filters, c.activation);
      }
    });
  });
}

}  // namespace torchscript
