// Parameters of linalg_*.cu.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// Batches of row-major matrices of double, or of pairs of double. A block makes a matrix; what each field is says the kernel.
struct LinalgParams {
  void* a = nullptr;
  void* b = nullptr;
  void* c = nullptr;
  void* d = nullptr;
  double* s = nullptr;
  int32_t* pivots = nullptr;  // from 0
  int32_t* info = nullptr;    // of each matrix: 0, or what stopped
  char* work = nullptr;       // work_bytes for each block of the grid
  int64_t work_bytes = 0;
  int64_t batch = 0, m = 0, n = 0, k = 0;
  int32_t upper = 0, unit = 0, right = 0, transposed = 0, adjoint = 0, pivot = 0, identity = 0, full = 0;
};

}  // namespace torchscript::cuda
