// Rows with an epilogue (linear_epilogue and its kin) on residuals that their kernels do not take.
#pragma once
#include "cuda/kernels.h"

namespace torchscript::cuda {

// Whether the row can take the residual, in registers or apart: it is of no complex numbers.
bool takes_residual(const TensorView* residual);
// The product, the sum with a residual that promotes it or makes it larger, and the activation apart, as on the CPU. `run` computes the call
// without residual and activation; `row` is the row's name.
void run_epilogue_apart(Call& call, const char* row, int residual_at, int activation_at, void (*run)(Call&));

}  // namespace torchscript::cuda
