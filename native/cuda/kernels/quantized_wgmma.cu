// Quantized linear layers and 1 x 1 convolutions with Hopper's wgmma (gemm_wgmma.cuh): rows of pixels and of filters, both dense along the depth.
// kernel: cpu-avx/portable/quantize
// archs: sm_90a
#include "cuda/kernels/gemm_wgmma.cuh"
#include "cuda/kernels/quantized_mma.cuh"

using namespace torchscript::cuda;

namespace {

template <class T, int kColumns> TS_DEVICE void quantized_wgmma(const TensorMap& a, const TensorMap& b, const WgmmaParams& w, const QuantizedParams& p) {
  using Tile = WgmmaTile<T, kColumns, false>;
  multiply_wgmma<Tile>(MatrixOperands<Tile>{a, b, w}, w,
                       [&](uint32_t, int row, int column) { return QuantizedOut{p, static_cast<uint32_t>(row * Tile::kRows), column * kColumns, 0}; });
}

}  // namespace

// kernels: TS_QUANTIZED_WGMMA quantized_wgmma_$2_128x$3
#define TS_QUANTIZED_WGMMA(T, label, columns) TS_GLOBAL_BOUNDS(384, 1, quantized_wgmma_##label##_128x##columns, \
    const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ WgmmaParams w, const __grid_constant__ QuantizedParams p) { \
    quantized_wgmma<T, columns>(a, b, w, p); \
  }
TS_QUANTIZED_WGMMA(int8_t, s8, 128)
TS_QUANTIZED_WGMMA(int8_t, s8, 256)
TS_QUANTIZED_WGMMA(uint8_t, u8, 128)
TS_QUANTIZED_WGMMA(uint8_t, u8, 256)
