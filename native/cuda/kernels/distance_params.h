// Parameters of distance.cu: distances between rows, membership and counts of whole numbers.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// The p-norm of differences of rows of `width` elements. cdist: [batches, rows, columns]; `pairs`: those of one matrix, above the diagonal.
struct DistanceParams {
  void* out = nullptr;
  const void* x = nullptr;
  const void* y = nullptr;
  int64_t n = 0, rows = 0, columns = 0, width = 0;
  int32_t pairs = 0;
  double p = 2;
};

// Whether elements are among `m` others, in the order that sorts these.
struct MemberParams {
  uint8_t* out = nullptr;
  const void* x = nullptr;
  const void* among = nullptr;
  const int32_t* order = nullptr;
  int64_t n = 0, m = 0;
  int32_t inverts = 0;
};

// counts[x[i]] += 1, or weights[i].
struct CountParams {
  void* counts = nullptr;
  const int64_t* x = nullptr;
  const void* weights = nullptr;
  int64_t n = 0;
};

}  // namespace torchscript::cuda
