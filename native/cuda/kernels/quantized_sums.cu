// Sums of rows of bytes: what a zero point of the input adds to each sum of products.
// kernel: cpu-avx/portable/quantize (quantized_convolution, quantized_linear)
#include "cuda/kernels/quantized_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

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
