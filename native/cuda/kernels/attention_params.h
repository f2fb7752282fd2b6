// What attention hands to its kernels.
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

struct AttentionParams {
  void* out = nullptr;
  void* sums = nullptr;  // logarithms of the sums of exponentials, float (double for float64); null: none
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  const void* mask = nullptr;  // null: none
  int32_t length = 0, keys = 0, dim = 0, value_dim = 0;
  int64_t q_row = 0, q_col = 0, k_row = 0, k_col = 0, v_row = 0, v_col = 0, mask_row = 0, mask_col = 0, out_row = 0, out_col = 0, sums_row = 0;
  double scale = 1, fill = 0;
  float nothing = 0;  // `nothing` is what rows give that see no key
  int32_t causal = 0, mask_dtype = 0;
  int32_t sets = 0;  // a bool mask sets the scores where it is true to `fill`, otherwise where it is false
  int32_t out_vectors = 0;  // rows of the result may be written in vectors of 16 bytes
  Loop<6> batches;   // out, q, k, v, mask, sums
};

}  // namespace torchscript::cuda
