// Parameters of kernels that move elements by position (map.cu, index.cu).
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// How an output index along a dimension gives an input index: i + shift, counted backwards where `backwards` is set, then brought into range.
enum MapMode : int32_t {
  kMapFill,     // the fill value outside of [0, size)
  kMapReflect,  // about the first and last element
  kMapClamp,
  kMapWrap  // into [first, first + size)
};
struct MapDim {
  Divider out;
  int32_t mode = 0, backwards = 0;
  int64_t shift = 0, first = 0, size = 0, stride = 0;
};
struct MapParams {
  void* out = nullptr;  // dense
  const void* x = nullptr;
  uint32_t n = 0;
  int32_t ndim = 0;
  alignas(16) uint64_t fill[2] = {};  // read as one element of up to 16 bytes
  MapDim dims[kLoopDims];  // innermost first
};

// What a kernel has found wrong, in memory of the CPU: the next wait throws it.
struct Fault {
  int32_t is_set = 0;
  int64_t index = 0, size = 0;
  uint64_t op = 0;  // const char*, for the CPU
};

constexpr int kIndexTensors = 4;
// Elements of one window (`plain`) and of another (`indexed`), whose position is its own plus stride[k] times what index tensor k says. Positions
// out of range are a fault; they read zero and write nothing.
struct IndexParams {
  void* plain = nullptr;  // null: `value`
  void* indexed = nullptr;
  alignas(16) uint64_t value[2] = {};  // read as one element of up to 16 bytes
  int32_t count = 0, wraps = 0;  // wraps: negative positions count from the end
  const void* index[kIndexTensors] = {};
  int32_t index_is_32[kIndexTensors] = {};
  int64_t size[kIndexTensors] = {};
  int64_t stride[kIndexTensors] = {};
  // scatter_combine
  int32_t dtype = 0, op = 0;
  double alpha = 1;
  int64_t alpha_whole = 1;
  Fault* fault = nullptr;
  uint64_t name = 0;
  Loop<2 + kIndexTensors> loop;  // plain, indexed, index tensors
};
enum CombineOp : int32_t { kCombineAdd, kCombineMultiply, kCombineLarger, kCombineSmaller, kCombineMean };  // the mean is none of the kernel's

// x divided by counts of at least one; whole numbers downwards.
struct DivideParams {
  void* x = nullptr;
  const int64_t* counts = nullptr;
  int32_t dtype = 0;
  Loop<2> loop;  // x, counts
};

// Zeros above or below a diagonal of [batch, rows, columns].
struct TriangleParams {
  void* out = nullptr;
  int32_t size = 0;  // of an element
  int32_t lower = 0;
  int64_t n = 0, rows = 0, columns = 0, diagonal = 0;
};

// start + i * step; `symmetric`: counted from both ends towards the middle.
struct RangeParams {
  void* out = nullptr;
  int32_t dtype = 0, whole = 0, symmetric = 0;
  int64_t n = 0;
  double start = 0, step = 0, end = 0;
  int64_t whole_start = 0, whole_step = 0;
};

}  // namespace torchscript::cuda
