// Convolutions of channels-last float32 images by plain arithmetic, in the tiles of gemm_plain.
// kernel: cpu-avx/convolution (conv2d and its kin, convolution_epilogue, conv_transpose)
// ptx: compute_80
#include "cuda/kernels/conv_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 1, conv_plain_f32_128x128, const ConvMmaParams p) { conv_mma<PlainTiles<128, 128, 32, 64, 3>, float>(p); }
TS_GLOBAL_BOUNDS(128, 3, conv_plain_f32_64x64, const ConvMmaParams p) { conv_mma<PlainTiles<64, 64, 32, 32, 4>, float>(p); }
