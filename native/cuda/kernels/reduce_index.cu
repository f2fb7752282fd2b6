// Positions of extremes along a dimension.
// kernel: cpu-avx/reduce_index
#include "cuda/kernels/params_reduce.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

template <class A> struct Found {
  A value;
  int64_t index;
};
// Whether a comes before b: NaN first, then the extreme, then the lower index.
template <class A> TS_DEVICE bool precedes(const Found<A>& a, const Found<A>& b, bool maximum) {
  if (b.index < 0) return true;
  if (a.index < 0) return false;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan || b_nan) return a_nan && b_nan ? a.index < b.index : a_nan;
  if (a.value == b.value) return a.index < b.index;
  return maximum ? a.value > b.value : a.value < b.value;
}

template <class T, class A> TS_DEVICE void find(const ReduceIndexParams& p) {
  const bool maximum = p.maximum != 0;
  for (int64_t o = first_row(); o < p.kept.n; o += row_step()) {
    int64_t at[2];
    offsets_of<2>(p.kept, static_cast<uint32_t>(o), at);
    const T* x = static_cast<const T*>(p.x) + at[1];
    Found<A> best = {A(0), -1};
    for (int64_t i = threadIdx.x; i < p.n; i += blockDim.x) {
      const Found<A> candidate = {static_cast<A>(x[i * p.stride]), i};
      if (precedes(candidate, best, maximum)) best = candidate;
    }
    if (blockDim.x > 1) {
      for (int flip = 16; flip > 0; flip >>= 1) {
        Found<A> other;
        other.value = __shfl_xor_sync(0xffffffffu, best.value, flip);
        other.index = __shfl_xor_sync(0xffffffffu, best.index, flip);
        if (precedes(other, best, maximum)) best = other;
      }
    }
    if (blockDim.x > 32) {
      __shared__ A values[32];
      __shared__ int64_t indices[32];
      __syncthreads();
      if (threadIdx.x % 32 == 0) {
        values[threadIdx.x / 32] = best.value;
        indices[threadIdx.x / 32] = best.index;
      }
      __syncthreads();
      for (unsigned i = 0; i < blockDim.x / 32; i++) {
        const Found<A> other = {values[i], indices[i]};
        if (precedes(other, best, maximum)) best = other;
      }
    }
    if (threadIdx.x == 0) {
      p.indices[at[0]] = best.index;
      if (p.values) static_cast<T*>(p.values)[at[0]] = x[best.index * p.stride];
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, reduce_index_f32, const ReduceIndexParams p) {
  switch (p.dtype) {
    case kF16: find<Half, float>(p); break;
    case kBF16: find<BFloat, float>(p); break;
    default: find<float, float>(p); break;
  }
}
TS_GLOBAL_BOUNDS(256, 2, reduce_index_f64, const ReduceIndexParams p) { find<double, double>(p); }
TS_GLOBAL_BOUNDS(256, 2, reduce_index_i64, const ReduceIndexParams p) {
  switch (p.dtype) {
    case kBool:
    case kU8: find<uint8_t, int64_t>(p); break;
    case kI8: find<int8_t, int64_t>(p); break;
    case kI16: find<int16_t, int64_t>(p); break;
    case kI32: find<int32_t, int64_t>(p); break;
    default: find<int64_t, int64_t>(p); break;
  }
}
