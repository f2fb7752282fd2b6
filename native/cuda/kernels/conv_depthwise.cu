// Depthwise convolutions of channels-last images: a thread has eight channels of four pixels of a row, so that weights are read once for the four.
// The weight is packed: taps, then channels.
// kernel: cpu-avx/convolution (conv2d and its kin, convolution_epilogue)
#include "cuda/kernels/conv.cuh"
#include "cuda/kernels/eights.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kPixels = 4;

template <class T> TS_DEVICE void conv_depthwise(const DepthwiseParams& params) {
  const ConvParams& p = params.conv;
  for (uint32_t index = thread_index(); index < params.n; index += thread_count()) {
    const uint32_t place = divide(index, params.vectors), row = divide(place, params.quads);
    const int channel = static_cast<int>(index - place * params.vectors.divisor) * 8;
    const int x0 = static_cast<int>(place - row * params.quads.divisor) * kPixels;
    ConvPixel o = conv_pixel(p, row * p.out_sizes[2].divisor);
    const T* x = static_cast<const T*>(p.x) + o.batch * p.x_strides[0] + channel;
    const T* w = static_cast<const T*>(p.weight) + channel;
    float sums[kPixels][8] = {};
    for (int kz = 0; kz < static_cast<int>(p.kernel[0].divisor); kz++) {
      const int32_t z = conv_place(p, 0, conv_start(p, 0, o.at[0]), kz);
      for (int ky = 0; ky < static_cast<int>(p.kernel[1].divisor); ky++) {
        const int32_t y = conv_place(p, 1, conv_start(p, 1, o.at[1]), ky);
        for (int kx = 0; kx < static_cast<int>(p.kernel[2].divisor); kx++, w += p.group_filters.divisor) {
          if (z < 0 || y < 0) continue;
          float by[8];
          load_eight(w, 1, true, 8, by);
#pragma unroll
          for (int i = 0; i < kPixels; i++) {
            const int32_t xx = conv_place(p, 2, conv_start(p, 2, x0 + i), kx);
            if (xx < 0) continue;
            float from[8];
            load_eight(x + z * p.x_strides[2] + y * p.x_strides[3] + xx * p.x_strides[4], 1, true, 8, from);
#pragma unroll
            for (int c = 0; c < 8; c++) sums[i][c] += from[c] * by[c];
          }
        }
      }
    }
    float bias[8] = {};
    if (p.bias) load_eight(static_cast<const T*>(p.bias) + channel * p.bias_stride, p.bias_stride, false, 8, bias);
#pragma unroll
    for (int i = 0; i < kPixels; i++) {
      o.at[2] = x0 + i;
      if (o.at[2] >= static_cast<int32_t>(p.out_sizes[2].divisor)) break;
      float residual[8] = {};
      if (p.residual) load_eight(static_cast<const T*>(p.residual) + conv_offset(p.residual_strides, o, channel), p.residual_strides[1], params.residual_vectors != 0, 8, residual);
#pragma unroll
      for (int c = 0; c < 8; c++) sums[i][c] += bias[c] + residual[c];
      activate_each(sums[i], p.activation);
      store_eight(static_cast<T*>(p.out) + conv_offset(p.out_strides, o, channel), true, 8, sums[i]);
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, conv_depthwise_f32, const DepthwiseParams p) { conv_depthwise<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, conv_depthwise_f16, const DepthwiseParams p) { conv_depthwise<Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, conv_depthwise_bf16, const DepthwiseParams p) { conv_depthwise<BFloat>(p); }
