// Matrix products on the device: one description for all rows, and the choice of the kernel that computes it.
#pragma once
#include "cuda/kernels.h"

namespace torchscript::cuda {

// c = alpha a b + beta d, batched. `views` of c, a, b and d share their leading dimensions (stride 0 where one repeats); the last two are the matrix.
struct Product {
  TensorView c, a, b, d;
  bool adds = false;  // d counts
  double alpha = 1, beta = 1;
};

bool product_takes(DType dtype);
void run_product(Runtime* runtime, const Product& product);

}  // namespace torchscript::cuda
