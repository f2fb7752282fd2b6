// Convolutions as products of matrices that are never made: pixels x (channels and taps) times (channels and taps) x filters, in tiles of 64 x 64 of
// pixels and filters. Any strides, dilation and groups; transposed ones gather. Groups of few filters go one thread an element.
// kernel: cpu-avx/convolution (conv2d and its kin, convolution_epilogue, conv_transpose)
#include "cuda/kernels/conv.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kTile = 64, kDepth = 16, kThreads = 256;

template <class T> TS_DEVICE void conv_tiles(const ConvParams& p) {
  using Sum = typename SumOf<T>::type;
  __shared__ Sum x_tile[kDepth][kTile + 4];
  __shared__ Sum w_tile[kDepth][kTile + 4];
  __shared__ int64_t pixel_at[kTile];      // where the pixel's batch begins; -1: no pixel
  __shared__ int32_t pixel_start[kTile][3];
  __shared__ int64_t x_at[kDepth], w_at[kDepth];  // of the term's channel, and its weight
  __shared__ int32_t term_tap[kDepth][3];
  const uint32_t pixel0 = blockIdx.x * kTile;
  const int filter0 = static_cast<int>(blockIdx.y) * kTile, t = static_cast<int>(threadIdx.x);
  const int ty = t / 16, tx = t % 16;
  if (t < kTile) {
    const bool inside = pixel0 + t < p.pixels;
    const ConvPixel o = conv_pixel(p, inside ? pixel0 + t : 0);
    pixel_at[t] = inside ? o.batch * p.x_strides[0] : -1;
    for (int d = 0; d < 3; d++) pixel_start[t][d] = conv_start(p, d, o.at[d]);
  }
  for (int group = static_cast<int>(blockIdx.z); group < p.groups; group += static_cast<int>(gridDim.z)) {
    const T* x = static_cast<const T*>(p.x) + static_cast<int64_t>(group) * p.group_in * p.x_strides[1];
    const T* weight = static_cast<const T*>(p.weight) + group * p.w_strides[5];
    Sum sum[4][4] = {};
    for (int k0 = 0; k0 < p.depth; k0 += kDepth) {
      if (t < kDepth && k0 + t < p.depth) {
        const ConvTerm term = conv_term(p, static_cast<uint32_t>(k0 + t));
        x_at[t] = term.channel * p.x_strides[1];
        w_at[t] = term.channel * p.w_strides[1];
        for (int d = 0; d < 3; d++) {
          w_at[t] += term.tap[d] * p.w_strides[2 + d];
          term_tap[t][d] = term.tap[d];
        }
      }
      __syncthreads();
      for (int index = t; index < kTile * kDepth; index += kThreads) {
        // Neighbours in a warp are neighbours in memory: pixels, or channels.
        const int i = p.channels_inner ? index / kDepth : index % kTile, k = p.channels_inner ? index % kDepth : index / kTile;
        Sum value = 0;
        if (k0 + k < p.depth && pixel_at[i] >= 0) {
          const int32_t z = conv_place(p, 0, pixel_start[i][0], term_tap[k][0]);
          const int32_t y = conv_place(p, 1, pixel_start[i][1], term_tap[k][1]);
          const int32_t xx = conv_place(p, 2, pixel_start[i][2], term_tap[k][2]);
          if (z >= 0 && y >= 0 && xx >= 0)
            value = static_cast<Sum>(x[pixel_at[i] + x_at[k] + z * p.x_strides[2] + y * p.x_strides[3] + xx * p.x_strides[4]]);
        }
        x_tile[k][i] = value;
        const int f = index / kDepth, wk = index % kDepth;
        w_tile[wk][f] = k0 + wk < p.depth && filter0 + f < p.group_out
                          ? static_cast<Sum>(weight[(filter0 + f) * p.w_strides[0] + w_at[wk]])
                          : Sum(0);
      }
      __syncthreads();
      for (int k = 0; k < kDepth; k++) {
        Sum a[4], b[4];
        // Pixels of a thread are 16 apart, so that stores of a warp are neighbours; filters likewise where they are neighbours.
        for (int i = 0; i < 4; i++) a[i] = x_tile[k][(p.channels_inner ? ty : tx) + 16 * i];
        for (int j = 0; j < 4; j++) b[j] = w_tile[k][(p.channels_inner ? tx : ty) + 16 * j];
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++) sum[i][j] += a[i] * b[j];
      }
      __syncthreads();
    }
    for (int i = 0; i < 4; i++) {
      const uint32_t pixel = pixel0 + static_cast<uint32_t>((p.channels_inner ? ty : tx) + 16 * i);
      if (pixel >= p.pixels) continue;
      const ConvPixel o = conv_pixel(p, pixel);
      for (int j = 0; j < 4; j++) {
        const int filter = filter0 + (p.channels_inner ? tx : ty) + 16 * j;
        if (filter < p.group_out) conv_store<T>(p, o, group * p.group_out + filter, sum[i][j]);
      }
    }
  }
}

// One element a thread: depthwise convolutions, and groups of few filters.
template <class T> TS_DEVICE void conv_direct(const ConvParams& p) {
  using Sum = typename SumOf<T>::type;
  for (uint32_t index = thread_index(); index < p.elements; index += thread_count()) {
    uint32_t filter, pixel;
    if (p.channels_inner) {
      pixel = divide(index, p.filters);
      filter = index - pixel * p.filters.divisor;
    } else {
      // Batch, filter, then places.
      const uint32_t plane = p.out_sizes[0].divisor * p.out_sizes[1].divisor * p.out_sizes[2].divisor;
      uint32_t rest = index, place = 0, scale = 1;
      for (int d = 2; d >= 0; d--) {
        const uint32_t q = divide(rest, p.out_sizes[d]);
        place += (rest - q * p.out_sizes[d].divisor) * scale;
        scale *= p.out_sizes[d].divisor;
        rest = q;
      }
      const uint32_t batch = divide(rest, p.filters);
      filter = rest - batch * p.filters.divisor;
      pixel = batch * plane + place;
    }
    const ConvPixel o = conv_pixel(p, pixel);
    const uint32_t group = divide(filter, p.group_filters);
    const T* x = static_cast<const T*>(p.x) + o.batch * p.x_strides[0] + static_cast<int64_t>(group) * p.group_in * p.x_strides[1];
    const T* weight = static_cast<const T*>(p.weight) + group * p.w_strides[5] + (filter - group * p.group_filters.divisor) * p.w_strides[0];
    Sum sum = 0;
    for (int kz = 0; kz < static_cast<int>(p.kernel[0].divisor); kz++) {
      const int32_t z = conv_place(p, 0, conv_start(p, 0, o.at[0]), kz);
      if (z < 0) continue;
      for (int ky = 0; ky < static_cast<int>(p.kernel[1].divisor); ky++) {
        const int32_t y = conv_place(p, 1, conv_start(p, 1, o.at[1]), ky);
        if (y < 0) continue;
        for (int kx = 0; kx < static_cast<int>(p.kernel[2].divisor); kx++) {
          const int32_t xx = conv_place(p, 2, conv_start(p, 2, o.at[2]), kx);
          if (xx < 0) continue;
          const T* from = x + z * p.x_strides[2] + y * p.x_strides[3] + xx * p.x_strides[4];
          const T* by = weight + kz * p.w_strides[2] + ky * p.w_strides[3] + kx * p.w_strides[4];
          for (int c = 0; c < p.group_in; c++) sum += static_cast<Sum>(from[c * p.x_strides[1]]) * static_cast<Sum>(by[c * p.w_strides[1]]);
        }
      }
    }
    conv_store<T>(p, o, static_cast<int32_t>(filter), sum);
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, conv_tiles_f32, const ConvParams p) { conv_tiles<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, conv_tiles_f16, const ConvParams p) { conv_tiles<Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, conv_tiles_bf16, const ConvParams p) { conv_tiles<BFloat>(p); }
TS_GLOBAL_BOUNDS(256, 1, conv_tiles_f64, const ConvParams p) { conv_tiles<double>(p); }
TS_GLOBAL(conv_direct_f32, const ConvParams p) { conv_direct<float>(p); }
TS_GLOBAL(conv_direct_f16, const ConvParams p) { conv_direct<Half>(p); }
TS_GLOBAL(conv_direct_bf16, const ConvParams p) { conv_direct<BFloat>(p); }
TS_GLOBAL(conv_direct_f64, const ConvParams p) { conv_direct<double>(p); }
