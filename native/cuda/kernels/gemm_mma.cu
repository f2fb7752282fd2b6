// Products of float16 and bfloat16 matrices on Tensor Cores: tiles of 128 x 128 by eight warps, or of 64 x 64 by four, over steps that are fetched ahead.
// Rows of a, and rows or columns of b, are dense and begin at 16 bytes; other operands take gemm_simple.
// kernel: cpu-avx/matmul_half
// ptx: compute_80
#include "cuda/kernels/gemm_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 2, gemm_mma_f16_128x128, const MmaParams p) { gemm_mma<Tiles<Half, 128, 128, 64, 32, 3>, Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, gemm_mma_bf16_128x128, const MmaParams p) { gemm_mma<Tiles<BFloat, 128, 128, 64, 32, 3>, BFloat>(p); }
TS_GLOBAL_BOUNDS(128, 4, gemm_mma_f16_64x64, const MmaParams p) { gemm_mma<Tiles<Half, 64, 64, 32, 32, 4>, Half>(p); }
TS_GLOBAL_BOUNDS(128, 4, gemm_mma_bf16_64x64, const MmaParams p) { gemm_mma<Tiles<BFloat, 64, 64, 32, 32, 4>, BFloat>(p); }
