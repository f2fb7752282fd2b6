// Parameters of sort.cu. Lines of n elements `inner` apart: line l begins at l / inner * n * inner + l % inner.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// Elements of one run of a block, at most.
constexpr int kSortRun = 1024;

struct SortParams {
  const void* x = nullptr;
  void* keys = nullptr;     // unsigned, in the order of values; 4 or 8 bytes
  int32_t* order = nullptr;  // positions in the line
  const void* from_keys = nullptr;
  const int32_t* from_order = nullptr;
  int64_t lines = 0, n = 0, inner = 1, run = 0;  // runs of a line that are sorted
  int32_t dtype = 0, descending = 0;
};

// Writes the first `taken` of each sorted line.
struct SortedTakeParams {
  const void* x = nullptr;
  const int32_t* order = nullptr;
  void* values = nullptr;  // or null
  int64_t* indices = nullptr;
  int64_t lines = 0, n = 0, inner = 1, taken = 0, first = 0;
  int32_t size = 0;  // of an element
};

enum SortedPick : int32_t { kPickMedian, kPickNanMedian, kPickMode };
// One element of each sorted line.
struct SortedPickParams {
  const void* x = nullptr;
  const int32_t* order = nullptr;
  void* values = nullptr;
  int64_t* indices = nullptr;  // or null
  int64_t lines = 0, n = 0, inner = 1;
  int32_t dtype = 0, pick = 0;
};

enum QuantileMethod : int32_t { kQuantileLinear, kQuantileLower, kQuantileHigher, kQuantileNearest, kQuantileMidpoint };
struct QuantileParams {
  const void* x = nullptr;
  const int32_t* order = nullptr;
  void* out = nullptr;      // [points, lines]
  const void* points = nullptr;  // or null: `point`
  double point = 0;
  int64_t lines = 0, n = 0, inner = 1, count = 1, points_stride = 1;
  int32_t method = 0, skip = 0;
};

// Slices of [outer, n, inner], ordered as sequences of elements: positions of runs are merged by comparing.
struct SliceParams {
  const void* x = nullptr;
  const int64_t* from = nullptr;
  int64_t* order = nullptr;
  int64_t* flags = nullptr;  // slice_starts: whether a slice differs from the one before it
  int64_t n = 0, outer = 1, inner = 1, run = 0;
  int32_t dtype = 0;
};

}  // namespace torchscript::cuda
