// A convolution as a product whose first matrix is never made: its rows are pixels of the output, its depth the taps with their channels inside, which
// lie beside one another in the image. The weight is packed so: groups, filters, taps, channels.
#pragma once
#include "cuda/kernels/conv.cuh"
#include "cuda/kernels/mma_tiles.cuh"

namespace torchscript::cuda {

// The rows of pixels. Each thread follows the terms of its vector from step to step: steps are fetched in order.
template <class T, int kLines, int kThreads> struct ConvLines {
  static constexpr int kCount = kLines * 4 / kThreads, kVector = 16 / static_cast<int>(sizeof(T)), kDepth = kStepBytes / static_cast<int>(sizeof(T));
  const ConvParams& p;
  const T* x;
  int64_t batch[kCount];  // where the pixel's image begins; -1: no pixel
  int32_t start[kCount][3];
  int32_t channel, tap[3];
  uint32_t padding = 0;  // four bytes outside the image, where elements are bytes
  TS_DEVICE explicit ConvLines(const ConvParams& params) : p(params) {}
  TS_DEVICE void begin(int group, uint32_t first, int step) {
    x = static_cast<const T*>(p.x) + static_cast<int64_t>(group) * p.group_in;
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      const uint32_t pixel = first + threadIdx.x / 4 + static_cast<uint32_t>(i * (kThreads / 4));
      const bool inside = pixel < p.pixels;
      const ConvPixel o = conv_pixel(p, inside ? pixel : 0);
      batch[i] = inside ? o.batch * p.x_strides[0] : -1;
#pragma unroll
      for (int d = 0; d < 3; d++) start[i][d] = conv_start(p, d, o.at[d]);
    }
    const uint32_t k = static_cast<uint32_t>(step * kDepth + static_cast<int>(threadIdx.x) % 4 * kVector);
    uint32_t rest = divide(k, p.channels);
    channel = static_cast<int32_t>(k - rest * p.channels.divisor);
#pragma unroll
    for (int d = 2; d > 0; d--) {
      const uint32_t q = divide(rest, p.kernel[d]);
      tap[d] = static_cast<int32_t>(rest - q * p.kernel[d].divisor);
      rest = q;
    }
    tap[0] = static_cast<int32_t>(rest);
  }
  TS_DEVICE void fetch(char* tile, int) {
    char* to = tile + static_cast<int>(threadIdx.x) / 4 * kPitch + static_cast<int>(threadIdx.x) % 4 * 16;
    const bool within = tap[0] < static_cast<int32_t>(p.kernel[0].divisor);
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      const int32_t z = conv_place(p, 0, start[i][0], tap[0]);
      const int32_t y = conv_place(p, 1, start[i][1], tap[1]);
      const int32_t xx = conv_place(p, 2, start[i][2], tap[2]);
      const bool inside = within && batch[i] >= 0 && z >= 0 && y >= 0 && xx >= 0;
      const T* from = inside ? x + batch[i] + z * p.x_strides[2] + y * p.x_strides[3] + xx * p.x_strides[4] + channel : x;
      char* const place = to + i * (kThreads / 4) * kPitch;
      if constexpr (sizeof(T) == 1) {
        if (!inside) {
          *reinterpret_cast<uint4*>(place) = make_uint4(padding, padding, padding, padding);
          continue;
        }
      }
      copy_async(place, from, inside ? 16 : 0);
    }
    channel += kDepth;
    while (channel >= p.group_in) {
      channel -= p.group_in;
      if (++tap[2] < static_cast<int32_t>(p.kernel[2].divisor)) continue;
      tap[2] = 0;
      if (++tap[1] < static_cast<int32_t>(p.kernel[1].divisor)) continue;
      tap[1] = 0;
      tap[0]++;
    }
  }
};

// activation(sum + bias + residual) to where the pixel and the filter are in the output.
template <class Out> struct ConvOut {
  const ConvMmaParams& p;
  uint32_t pixel0;
  int filter0, group;  // within the group
  TS_DEVICE bool by_vectors() const { return p.conv.out_strides[1] == 1; }
  TS_DEVICE void vector(int row, int column, float* slots) const {
    const ConvParams& c = p.conv;
    const int in_group = filter0 + column, n = c.group_out - in_group;
    const uint32_t pixel = pixel0 + static_cast<uint32_t>(row);
    if (pixel >= c.pixels || n <= 0) return;
    const ConvPixel o = conv_pixel(c, pixel);
    const int filter = group * c.group_out + in_group;
    float x[8], y[8];
    take_eight(slots, x);
    if (c.bias) {
      load_eight(static_cast<const Out*>(c.bias) + filter * c.bias_stride, c.bias_stride, p.bias_vectors != 0, n, y);
#pragma unroll
      for (int i = 0; i < 8; i++) x[i] += y[i];
    }
    if (c.residual) {
      load_eight(static_cast<const Out*>(c.residual) + conv_offset(c.residual_strides, o, filter), c.residual_strides[1], p.residual_vectors != 0, n, y);
#pragma unroll
      for (int i = 0; i < 8; i++) x[i] += y[i];
    }
    activate_eight(x, slots, c.activation);
    store_eight(static_cast<Out*>(c.out) + conv_offset(c.out_strides, o, filter), p.out_vectors != 0, n, x);
  }
  TS_DEVICE void single(int row, int column, float sum) const {
    const uint32_t pixel = pixel0 + static_cast<uint32_t>(row);
    if (pixel >= p.conv.pixels || filter0 + column >= p.conv.group_out) return;
    conv_store<Out>(p.conv, conv_pixel(p.conv, pixel), group * p.conv.group_out + filter0 + column, sum);
  }
};

// blockIdx.x: a tile; blockIdx.z: a group, and a part of the depth. out_of(pixel, filter, group) makes what takes the sums.
template <class Tile, class OutOf> TS_DEVICE void conv_tiles_into(const ConvMmaParams& p, uint32_t padding, const OutOf& out_of) {
  using T = typename Tile::T;
  TS_DYNAMIC_SHARED(char, shared);
  const ConvParams& c = p.conv;
  int row, column;
  tile_of(blockIdx.x, p.row_tiles, p.column_tiles, &row, &column);
  const int steps = (c.depth + Tile::kDepth - 1) / Tile::kDepth, splits = p.split.splits;
  const int split = static_cast<int>(blockIdx.z % static_cast<unsigned>(splits));
  const int first = static_cast<int>(static_cast<int64_t>(steps) * split / splits), last = static_cast<int>(static_cast<int64_t>(steps) * (split + 1) / splits);
  for (int group = static_cast<int>(blockIdx.z) / splits; group < c.groups; group += static_cast<int>(gridDim.z) / splits) {
    ConvLines<T, Tile::kRows, Tile::kThreads> a(c);
    DenseLines<T, Tile::kColumns, Tile::kThreads> b;
    a.padding = padding;
    a.begin(group, static_cast<uint32_t>(row) * Tile::kRows, first);
    b.begin(static_cast<const T*>(c.weight) + static_cast<int64_t>(group) * c.group_out * c.depth, c.depth, column * Tile::kColumns, c.group_out, c.depth);
    typename Tile::Sums sums = {};
    Tile::multiply(shared, a, b, false, first, last, sums);
    if (!gather<Tile>(p.split, static_cast<uint32_t>(group) * gridDim.x + blockIdx.x, split, sums)) continue;
    Tile::hand_out(shared, sums, out_of(static_cast<uint32_t>(row) * Tile::kRows, column * Tile::kColumns, group));
    __syncthreads();
  }
}
template <class Tile, class Out> TS_DEVICE void conv_mma(const ConvMmaParams& p) {
  conv_tiles_into<Tile>(p, 0, [&](uint32_t pixel0, int filter0, int group) { return ConvOut<Out>{p, pixel0, filter0, group}; });
}

}  // namespace torchscript::cuda
