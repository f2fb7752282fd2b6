// Quantized products and convolutions of bytes on Tensor Cores.
// kernel: cpu-avx/portable/quantize (quantized_convolution, quantized_linear)
// ptx: compute_80
#include "cuda/kernels/quantized_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 2, quantized_mma_u8_128x128, const QuantizedParams p) { quantized_mma<Tiles<uint8_t, 128, 128, 64, 32, 3>>(p); }
TS_GLOBAL_BOUNDS(256, 2, quantized_mma_s8_128x128, const QuantizedParams p) { quantized_mma<Tiles<int8_t, 128, 128, 64, 32, 3>>(p); }
TS_GLOBAL_BOUNDS(128, 4, quantized_mma_u8_64x64, const QuantizedParams p) { quantized_mma<Tiles<uint8_t, 64, 64, 32, 32, 4>>(p); }
TS_GLOBAL_BOUNDS(128, 4, quantized_mma_s8_64x64, const QuantizedParams p) { quantized_mma<Tiles<int8_t, 64, 64, 32, 32, 4>>(p); }
