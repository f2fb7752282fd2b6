// The kernels in tiles for Turing: the same code with that chip's smaller products, and copies that wait.
// kernel: cpu-avx/matmul_half, cpu-avx/convolution, cpu-avx/portable/quantize
// archs: sm_75
#include "cuda/kernels/gemm_mma.cuh"
#include "cuda/kernels/quantized_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(128, 2, gemm_mma75_f16_64x64, const MmaParams p) { gemm_mma<Tiles<Half, 64, 64, 32, 32, 2>, Half>(p); }
TS_GLOBAL_BOUNDS(128, 2, gemm_plain75_f32_64x64, const MmaParams p) { gemm_mma<PlainTiles<64, 64, 32, 32, 2>, float>(p); }
TS_GLOBAL_BOUNDS(128, 2, conv_mma75_f16_64x64, const ConvMmaParams p) { conv_mma<Tiles<Half, 64, 64, 32, 32, 2>, Half>(p); }
TS_GLOBAL_BOUNDS(128, 2, conv_plain75_f32_64x64, const ConvMmaParams p) { conv_mma<PlainTiles<64, 64, 32, 32, 2>, float>(p); }
TS_GLOBAL_BOUNDS(128, 2, quantized_mma75_u8_64x64, const QuantizedParams p) { quantized_mma<Tiles<uint8_t, 64, 64, 32, 32, 2>>(p); }
TS_GLOBAL_BOUNDS(128, 2, quantized_mma75_s8_64x64, const QuantizedParams p) { quantized_mma<Tiles<int8_t, 64, 64, 32, 32, 2>>(p); }
