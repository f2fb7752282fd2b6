// Quantized products and convolutions of bytes on Tensor Cores.
// kernel: cpu-avx/portable/quantize (quantized_convolution, quantized_linear)
// ptx: compute_80
#include "cuda/kernels/quantized_mma.cuh"

using namespace torchscript::cuda;

TS_GLOBAL_BOUNDS(256, 2, quantized_mma_u8_128x128, const QuantizedParams p) { quantized_mma<Tiles<uint8_t, 128, 128, 64, 32, 3>>(p); }
TS_GLOBAL_BOUNDS(256, 2, quantized_mma_s8_128x128, const QuantizedParams p) { quantized_mma<Tiles<int8_t, 128, 128, 64, 32, 3>>(p); }
TS_GLOBAL_BOUNDS(128, 4, quantized_mma_u8_64x64, const QuantizedParams p) { quantized_mma<Tiles<uint8_t, 64, 64, 32, 32, 4>>(p); }
TS_GLOBAL_BOUNDS(128, 4, quantized_mma_s8_64x64, const QuantizedParams p) { quantized_mma<Tiles<int8_t, 64, 64, 32, 32, 4>>(p); }

// The sum of each row, a warp a row.
TS_GLOBAL(byte_row_sums, const ByteSumsParams p) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int row = static_cast<int>(thread_index() / 32); row < p.rows; row += static_cast<int>(thread_count() / 32)) {
    int32_t sum = 0;
    for (int i = lane; i < p.columns; i += 32) sum += p.from[static_cast<int64_t>(row) * p.columns + i];
    for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, by);
    if (lane == 0) p.to[row] = sum;
  }
}
