// Convolutions of float16 and bfloat16 with Hopper's wgmma (gemm_wgmma.cuh): a tile's rows are a patch of pixels, whose channels under one tap the copy engine
// fetches as a box of the image, zeros where that is outside. A step is 64 channels of a tap. Channels lie beside one another; strides are one.
// kernel: cpu-avx/convolution
// archs: sm_90a
#include "cuda/kernels/conv_mma.cuh"
#include "cuda/kernels/gemm_wgmma.cuh"

using namespace torchscript::cuda;

namespace {

// The first pixel of a patch: x, y, image.
TS_DEVICE void patch_of(const ConvWgmmaParams& c, int tile, int (&first)[3]) {
  const int rest = tile / static_cast<int>(c.patches[0]);
  first[0] = (tile - rest * static_cast<int>(c.patches[0])) * static_cast<int>(c.patch[0]);
  first[2] = rest / static_cast<int>(c.patches[1]);
  first[1] = (rest - first[2] * static_cast<int>(c.patches[1])) * static_cast<int>(c.patch[1]);
  first[2] *= static_cast<int>(c.patch[2]);
}

template <class Tile> struct ImageOperands {
  const TensorMap &a, &b;
  const ConvWgmmaParams& c;
  TS_DEVICE uint32_t bytes() const { return c.patch[0] * c.patch[1] * c.patch[2] * 128 + Tile::kBBytes; }
  TS_DEVICE void fetch(uint32_t a_tile, uint32_t b_tile, uint32_t barrier, uint32_t, int row, int column, uint32_t step) const {
    int first[3];
    patch_of(c, row, first);
    const int tap = static_cast<int>(step / c.chunks), channel = static_cast<int>(step % c.chunks) * Tile::kDepth;
    const int y = tap / static_cast<int>(c.taps_across), x = tap - y * static_cast<int>(c.taps_across);
    fetch_box(a_tile, &a, barrier, channel, first[0] + x * c.dilation[0] - c.pad[0], first[1] + y * c.dilation[1] - c.pad[1], first[2]);
    fetch_box(b_tile, &b, barrier, channel, tap, column * Tile::kColumns);
  }
};

template <class T> struct PatchOut {
  const ConvMmaParams& p;
  const ConvWgmmaParams& c;
  int first[3];
  int filter0;
  TS_DEVICE bool by_vectors() const { return p.conv.out_strides[1] == 1; }
  // The row's pixel, or past all of them.
  TS_DEVICE ConvOut<T> at(int row) const {
    const uint32_t line = static_cast<uint32_t>(row) / c.patch[0], image = line / c.patch[1];
    const uint32_t x = static_cast<uint32_t>(first[0]) + (static_cast<uint32_t>(row) - line * c.patch[0]), y = static_cast<uint32_t>(first[1]) + (line - image * c.patch[1]);
    const uint32_t width = p.conv.out_sizes[2].divisor, height = p.conv.out_sizes[1].divisor;
    const bool inside = image < c.patch[2] && x < width && y < height;
    return {p, inside ? ((static_cast<uint32_t>(first[2]) + image) * height + y) * width + x : p.conv.pixels, filter0, 0};
  }
  TS_DEVICE void vector(int row, int column, float* slots) const { at(row).vector(0, column, slots); }
  TS_DEVICE void single(int row, int column, float sum) const { at(row).single(0, column, sum); }
};

template <class T, int kColumns>
TS_DEVICE void conv_wgmma(const TensorMap& a, const TensorMap& b, const WgmmaParams& w, const ConvWgmmaParams& c, const ConvMmaParams& p) {
  using Tile = WgmmaTile<T, kColumns, false>;
  multiply_wgmma<Tile>(ImageOperands<Tile>{a, b, c}, w, [&](uint32_t, int row, int column) {
    PatchOut<T> out = {p, c, {}, column * kColumns};
    patch_of(c, row, out.first);
    return out;
  });
}

}  // namespace

// kernels: TS_CONV_WGMMA conv_wgmma_$2_128x$3
#define TS_CONV_WGMMA(T, label, columns) TS_GLOBAL_BOUNDS(384, 1, conv_wgmma_##label##_128x##columns, \
    const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ WgmmaParams w, const __grid_constant__ ConvWgmmaParams c, \
    const __grid_constant__ ConvMmaParams p) { \
    conv_wgmma<T, columns>(a, b, w, c, p); \
  }
TS_CONV_WGMMA(Half, f16, 128)
TS_CONV_WGMMA(Half, f16, 256)
TS_CONV_WGMMA(BFloat, bf16, 128)
TS_CONV_WGMMA(BFloat, bf16, 256)
