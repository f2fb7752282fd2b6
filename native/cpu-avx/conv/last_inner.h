// Inner kernels of convolution and pooling on channels-last tensors, one table an instruction set: vectors run over channels.
#pragma once
#include "cpu-avx/gemm/tiles.h"
#include "kernel.h"

namespace torchscript {

// A depthwise convolution of float with one filter a channel; pixels of input and output hold their channels adjacent.
struct DepthwiseLast {
  const float* in;                             // pixel (0, 0) of the image
  int64_t in_row, in_pixel;                    // elements from row to row, from pixel to pixel
  int64_t height, width, channels;             // of the image
  int64_t kernel_y, kernel_x, stride_y, stride_x, dilation_y, dilation_x, pad_top, pad_left;
  const float* weight;                         // [kernel_y * kernel_x][channels]
  const float* bias;                           // or null
  const float* zeros;                          // `channels` of them
  const float* residual;                       // as out, or null
  Activation activation;                       // None, Relu or Relu6
  float* out;                                  // pixel (0, 0) of the result
  int64_t out_row, out_pixel, rows, columns;   // of the result
};

// A convolution of float whose groups have `size` channels on both sides: `size` divides the width of a vector, or is a multiple of it.
struct GroupedLast {
  const float* in;  // pixel (0, 0) of the image
  int64_t in_row, in_pixel;
  int64_t height, width, channels, size;
  int64_t kernel_y, kernel_x, stride_y, stride_x, dilation_y, dilation_x, pad_top, pad_left;
  const float* weight;    // [vector of channels][kernel_y * kernel_x][channel of the group that is read][lane], zeros past the last channel
  const float* bias;      // or null
  const float* zeros;     // `channels` of them
  const float* residual;  // as out, or null
  Activation activation;  // None, Relu or Relu6
  float* out;             // pixel (0, 0) of the result, whose pixels are `channels` apart
  int64_t columns;        // of the result
};

// Adjacent pixels of a row of the result from a planar image: pixel i reads image[offsets[k] + i] for each k.
struct StemTile {
  const float* image;
  const int64_t* offsets;
  int64_t k;
  const float* b;     // a panel, as in gemm/tiles.h
  const float* bias;  // or null
  Activation activation;  // None, Relu or Relu6
  float* c;
  int64_t c_stride;
  int m, n;
};

struct ConvLastTable {
  int width;  // channels of a vector
  void (*stem)(const StemTile& tile);
  // Rows [y0, y1) of the result.
  void (*depthwise)(const DepthwiseLast& d, int64_t y0, int64_t y1);
  void (*grouped)(const GroupedLast& g, int64_t y0, int64_t y1);
  // out[c] = max over t < n of taps[t][c]; NaN wins. n may be 0: -infinity.
  void (*max_taps)(const float* const* taps, int64_t n, int64_t channels, float* out);
  // out[c] = sum over t < n of taps[t][c], divided by `divisor`.
  void (*mean_taps)(const float* const* taps, int64_t n, int64_t channels, float divisor, float* out);
};
TS_ISA_TABLE(ConvLastTable, conv_last_table);

// A few tiles side by side and a vector of filters of conv/winograd_stem.h, to act(Y + bias + residual). False when a Y is not finite.
struct StemGroup {
  static constexpr int kTiles = 8;
  const float* v;  // [point][term][kTiles], a point having channels times 4, 2 or 1 terms
  const float* u;  // [point][term][vector of filters]
  int64_t channels;
  int tiles, filters;
  const float* bias;      // or null
  const float* residual;  // as out, or null
  float* out;             // of the first pixel
  int64_t out_row, out_pixel;
  int rows;         // of pixels, up to 3
  int64_t columns;  // of pixels that are left
  Activation activation;
};

// Winograd tiles of conv/winograd_inner.h, conv/winograd_last.h and conv/winograd_stem.h.
struct WinogradLastTable {
  // V[f][c] at v + f * v_step from the (m + 2) x (m + 2) pixels of a tile.
  void (*input)(int m, const float* const* pixels, int64_t channels, float* v, int64_t v_step);
  // The same with a stride of 2, from 5 x 5 pixels: 9 points, of each the channels of the parities that it has.
  void (*strided)(const float* const* pixels, int64_t channels, float* v, int64_t v_step);
  // 36 points of tiles side by side, for one channel and parity of rows and columns: point f of tile i at
  // v[i / StemGroup::kTiles * group_step + offsets[f] + i % StemGroup::kTiles], for whole groups and one more. Column x of the image, from
  // the first that a tile reads, lies at x % 6 * phase + x / 6. Points at infinity are not written for odd rows or columns.
  void (*stem)(const float* image, int64_t row, int64_t phase, int py, int px, int64_t tiles, float* v, const int64_t* offsets,
               int64_t group_step);
  bool (*stem_group)(const StemGroup& group);
  // Pixels [i][j], i < rows, j < columns, of a tile of m x m with n x n points from M[f][c] at p + f * p_step: act(Y + bias + residual), act
  // None, Relu or Relu6. False when a Y is not finite.
  bool (*output)(int m, int n, const float* p, int64_t p_step, int64_t channels, const float* bias, const float* residual, float* out,
                 int64_t out_row, int64_t out_pixel, int rows, int columns, Activation activation);
};
TS_ISA_TABLE(WinogradLastTable, winograd_last_table);

}  // namespace torchscript
