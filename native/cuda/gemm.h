// Matrix products on the device: one description for all rows, and the choice of the kernel that computes it.
#pragma once
#include "cuda/kernels.h"

namespace torchscript::cuda {

// c = activation(alpha a b + beta d + e), batched. Views of c, a, b, d and e share their leading dimensions (stride 0 where one repeats); the last two are the matrix.
struct Product {
  TensorView c, a, b, d, e;
  bool adds = false;          // d counts
  bool adds_residual = false;  // e counts
  double alpha = 1, beta = 1;
  int32_t activation = 0;  // an Activation
};

bool product_takes(DType dtype);
void run_product(Runtime* runtime, const Product& product);

}  // namespace torchscript::cuda
