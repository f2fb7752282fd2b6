// Convolutions of channels-last images on Tensor Cores: float16, bfloat16, and float32 where the program asked for TF32. Tiles are those of gemm_mma.
// kernel: cpu-avx/convolution (conv2d and its kin, convolution_epilogue, conv_transpose)
// ptx: compute_80
#include "cuda/kernels/conv_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 2, conv_mma_f16_128x128, const ConvMmaParams p) { conv_mma<Tiles<Half, 128, 128, 64, 32, 3>, Half>(p); }
TS_GLOBAL_BOUNDS(128, 4, conv_mma_f16_64x64, const ConvMmaParams p) { conv_mma<Tiles<Half, 64, 64, 32, 32, 4>, Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, conv_mma_bf16_128x128, const ConvMmaParams p) { conv_mma<Tiles<BFloat, 128, 128, 64, 32, 3>, BFloat>(p); }
TS_GLOBAL_BOUNDS(128, 4, conv_mma_bf16_64x64, const ConvMmaParams p) { conv_mma<Tiles<BFloat, 64, 64, 32, 32, 4>, BFloat>(p); }
TS_GLOBAL_BOUNDS(128, 3, conv_mma_tf32_64x64, const ConvMmaParams p) { conv_mma<Tiles<Tf32, 64, 64, 32, 32, 4>, float>(p); }
