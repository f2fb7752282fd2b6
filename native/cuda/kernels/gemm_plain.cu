// Products of float32 matrices in tiles that are fetched ahead: 128 x 128 by eight warps, or 64 x 64 by four. By plain arithmetic, or, where the program
// asked for it, on Tensor Cores that see ten bits of each element (TF32). Operands are as for gemm_mma; others take gemm_simple.
// kernel: cpu-avx/matmul
// ptx: compute_80
#include "cuda/kernels/gemm_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 1, gemm_plain_f32_128x128, const MmaParams p) { gemm_mma<PlainTiles<128, 128, 32, 64, 3>, float>(p); }
TS_GLOBAL_BOUNDS(128, 4, gemm_plain_f32_64x64, const MmaParams p) { gemm_mma<PlainTiles<64, 64, 32, 32, 4>, float>(p); }
TS_GLOBAL_BOUNDS(256, 1, gemm_mma_tf32_128x128, const MmaParams p) { gemm_mma<Tiles<Tf32, 128, 128, 64, 32, 3>, float>(p); }
TS_GLOBAL_BOUNDS(128, 4, gemm_mma_tf32_64x64, const MmaParams p) { gemm_mma<Tiles<Tf32, 64, 64, 32, 32, 4>, float>(p); }
