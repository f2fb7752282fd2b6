// Kernels whose text is written at run time (emit/): compiled by the driver, kept by content.
#pragma once
#include "cuda/emit/kernel.h"
#include "cuda/kernels.h"

namespace torchscript::cuda {

// Launches a kernel of a text with its block of parameters.
void launch_text(int device, Runtime* runtime, const emit::KernelText& kernel, unsigned grid, const void* parameters);

}  // namespace torchscript::cuda
