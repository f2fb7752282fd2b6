// What the kernels of convolutions share: where pixels and taps are, and what follows the sum.
#pragma once
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/conv_params.h"
#include "cuda/kernels/prelude.cuh"

namespace torchscript::cuda {

template <class T> struct SumOf { using type = float; };
template <> struct SumOf<double> { using type = double; };

struct ConvPixel {
  int32_t batch = 0, at[3] = {};  // of the output
};
TS_DEVICE ConvPixel conv_pixel(const ConvParams& p, uint32_t pixel) {
  ConvPixel o;
  for (int d = 2; d >= 0; d--) {
    const uint32_t q = divide(pixel, p.out_sizes[d]);
    o.at[d] = static_cast<int32_t>(pixel - q * p.out_sizes[d].divisor);
    pixel = q;
  }
  o.batch = static_cast<int32_t>(pixel);
  return o;
}

// Where a tap of the kernel falls in one dimension of the input, or -1. `start` is the output's place times the stride less the padding;
// transposed: the place plus the padding.
TS_DEVICE int32_t conv_place(const ConvParams& p, int d, int32_t start, int32_t tap) {
  int32_t at = start + tap * p.dilation[d];
  if (p.transposed) {
    at = start - tap * p.dilation[d];
    if (at < 0) return -1;
    const int32_t q = at / p.stride[d];
    if (q * p.stride[d] != at) return -1;
    at = q;
  }
  return at >= 0 && at < p.in[d] ? at : -1;
}
TS_DEVICE int32_t conv_start(const ConvParams& p, int d, int32_t at) { return p.transposed ? at + p.pad[d] : at * p.stride[d] - p.pad[d]; }

// Term `k` of a sum: channel and taps. The tap in x is innermost, or the channel is.
struct ConvTerm {
  int32_t channel, tap[3];
};
TS_DEVICE ConvTerm conv_term(const ConvParams& p, uint32_t k) {
  ConvTerm t;
  uint32_t tap;
  if (p.channels_inner) {
    tap = divide(k, p.channels);
    t.channel = static_cast<int32_t>(k - tap * p.channels.divisor);
  } else {
    t.channel = static_cast<int32_t>(divide(k, p.taps));
    tap = k - static_cast<uint32_t>(t.channel) * p.taps.divisor;
  }
  for (int d = 2; d >= 0; d--) {
    const uint32_t q = divide(tap, p.kernel[d]);
    t.tap[d] = static_cast<int32_t>(tap - q * p.kernel[d].divisor);
    tap = q;
  }
  return t;
}

TS_DEVICE int64_t conv_offset(const int64_t* strides, const ConvPixel& o, int32_t channel) {
  return o.batch * strides[0] + channel * strides[1] + o.at[0] * strides[2] + o.at[1] * strides[3] + o.at[2] * strides[4];
}

template <class T, class Sum> TS_DEVICE void conv_store(const ConvParams& p, const ConvPixel& o, int32_t filter, Sum sum) {
  if (p.bias) sum += static_cast<Sum>(static_cast<const T*>(p.bias)[filter * p.bias_stride]);
  if (p.residual) sum += static_cast<Sum>(static_cast<const T*>(p.residual)[conv_offset(p.residual_strides, o, filter)]);
  static_cast<T*>(p.out)[conv_offset(p.out_strides, o, filter)] = T(activated(sum, p.activation));
}

}  // namespace torchscript::cuda
