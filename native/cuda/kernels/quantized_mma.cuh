// Quantized products and convolutions on Tensor Cores: sums of products of bytes in 32-bit integers, quantized again on their way out.
#pragma once
#include "cuda/kernels/conv_mma.cuh"
#include "cuda/kernels/quantized_params.h"

namespace torchscript::cuda {

struct QuantizedOut {
  const QuantizedParams& p;
  uint32_t pixel0;
  int filter0, group;
  TS_DEVICE bool by_vectors() const { return p.tiles.conv.out_strides[1] == 1; }
  TS_DEVICE uint8_t quantized(int filter, int32_t sum) const {
    const ConvParams& c = p.tiles.conv;
    const float scale = p.scales[filter] * p.input_scale;
    const float offset = c.bias ? static_cast<const float*>(c.bias)[filter * c.bias_stride] / scale : 0.0f;
    const float value = rintf((static_cast<float>(sum - p.x_zero * p.sums[filter]) + offset) * (scale / p.out_scale));
    const float low = static_cast<float>(p.low), high = static_cast<float>(p.high), q = value + static_cast<float>(p.out_zero);
    return static_cast<uint8_t>(static_cast<int32_t>(q > low ? (q < high ? q : high) : low));
  }
  TS_DEVICE void vector(int row, int column, int32_t* slots) const {
    const ConvParams& c = p.tiles.conv;
    const int in_group = filter0 + column, n = c.group_out - in_group;
    const uint32_t pixel = pixel0 + static_cast<uint32_t>(row);
    if (pixel >= c.pixels || n <= 0) return;
    const int filter = group * c.group_out + in_group;
    uint8_t* to = static_cast<uint8_t*>(c.out) + conv_offset(c.out_strides, conv_pixel(c, pixel), filter);
    uint32_t words[2] = {};
    int32_t sums[8];
    take_eight(slots, sums);
#pragma unroll
    for (int i = 0; i < 8; i++)
      if (i < n) words[i / 4] |= static_cast<uint32_t>(quantized(filter + i, sums[i])) << (i % 4 * 8);
    if (p.tiles.out_vectors && n >= 8) {
      *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
      return;
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
      if (i < n) to[i] = static_cast<uint8_t>(words[i / 4] >> (i % 4 * 8));
  }
  TS_DEVICE void single(int row, int column, int32_t sum) const {
    const ConvParams& c = p.tiles.conv;
    const uint32_t pixel = pixel0 + static_cast<uint32_t>(row);
    if (pixel >= c.pixels || filter0 + column >= c.group_out) return;
    const int filter = group * c.group_out + filter0 + column;
    static_cast<uint8_t*>(c.out)[conv_offset(c.out_strides, conv_pixel(c, pixel), filter)] = quantized(filter, sum);
  }
};

template <class Tile> TS_DEVICE void quantized_mma(const QuantizedParams& p) {
  conv_tiles_into<Tile>(p.tiles, static_cast<uint32_t>(p.x_zero & 255) * 0x01010101u,
                        [&](uint32_t pixel0, int filter0, int group) { return QuantizedOut{p, pixel0, filter0, group}; });
}

}  // namespace torchscript::cuda
