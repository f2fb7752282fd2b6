// Products on Hopper (kernels/gemm_wgmma.cuh): which of them its kernels take, and the launch.
#pragma once
#include "cpu-avx/conv/shape.h"
#include "cuda/gemm.h"
#include "cuda/kernels/quantized_params.h"

namespace torchscript::cuda {

// A product of float16 or bfloat16 as run_tiles lays it out. False: another kernel has to compute it.
bool run_wgmma(Runtime* runtime, int device, DType dtype, const MmaParams& params);
// A quantized layer whose pixels are rows of bytes, `row` apart, of as many channels as its filters have.
bool run_quantized_wgmma(Runtime* runtime, int device, bool is_unsigned, int64_t row, const QuantizedParams& params);
// A convolution of float16 or bfloat16 as ConvTiles lays it out.
bool run_conv_wgmma(Runtime* runtime, int device, DType dtype, const ConvShape& s, const ConvMmaParams& params);

}  // namespace torchscript::cuda
