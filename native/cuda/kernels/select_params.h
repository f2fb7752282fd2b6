// Parameters of select.cu.
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// Elements that a block of 256 threads looks at.
constexpr int kSelectChunk = 1024;

// Elements of a window that are not zero, in order.
struct SelectParams {
  const void* x = nullptr;
  int32_t dtype = 0;
  int64_t* counts = nullptr;     // of each chunk; once summed up, of all up to its end
  int64_t* positions = nullptr;  // which element
  int64_t limit = 0;             // room of `positions`
  int64_t rest = 0;              // what fills the room that is left, where `fills`
  int32_t fills = 0;
  Loop<1> loop;
};

// Positions as indices of dimensions: column d of [n, ndim] is positions / divisors[d] % sizes[d]. Negative positions are `rest`.
struct CoordinatesParams {
  const int64_t* positions = nullptr;
  int64_t* out = nullptr;
  int64_t n = 0, rest = 0;
  int64_t row = 0, column = 0;  // strides of `out`
  int32_t ndim = 0;
  int64_t sizes[kLoopDims], divisors[kLoopDims];
};

// Element positions[i] of a window, and element i of a dense tensor: one is copied to the other.
struct SelectedParams {
  void* window = nullptr;
  void* dense = nullptr;
  const int64_t* positions = nullptr;
  int64_t n = 0;
  int32_t size = 0, writes = 0;  // writes: into the window
  Loop<1> loop;
};

// Groups of equal slices of [outer, n, inner], of which sums[i] is one more than the group of the i-th in `order`.
struct GroupsParams {
  const void* x = nullptr;
  const int64_t* order = nullptr;
  const int64_t* sums = nullptr;
  void* values = nullptr;      // [outer, groups, inner], or null
  int64_t* inverse = nullptr;  // or null
  int64_t* counts = nullptr;   // or null
  int64_t n = 0, groups = 0, outer = 1, inner = 1;
  int32_t size = 0;  // of an element
};

// Which of n boxes, best first, overlap too much with one before them.
struct NmsParams {
  const void* boxes = nullptr;  // [n, 4], dense
  const int32_t* order = nullptr;
  uint64_t* overlaps = nullptr;  // [n, words]
  uint8_t* kept = nullptr;       // [n], by order
  int64_t n = 0, words = 0;
  double threshold = 0;
};

}  // namespace torchscript::cuda
