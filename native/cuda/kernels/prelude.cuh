// What every kernel file begins with. Compiled by nvcc, or by a C++ compiler against the emulator of test/cuda/emulation (docs/cuda.md).
//
//   TS_GLOBAL(name, parameters...) { body }              a kernel, found by its name
//   TS_GLOBAL_BOUNDS(threads, blocks, name, ...) { }     the same with launch bounds: at most `threads` a block, `blocks` a multiprocessor
//   TS_DEVICE, TS_DEVICE_CALL                            a function that kernels call, inlined or not
//   TS_DYNAMIC_SHARED(type, name)                        dynamic shared memory, 16-byte aligned
#pragma once
#include <stdint.h>

#if defined(TS_CUDA_EMULATED)
#include "cuda_emulation.h"
#define TS_GLOBAL(name, ...) TS_GLOBAL_BOUNDS(1024, 1, name, __VA_ARGS__)
#define TS_GLOBAL_BOUNDS(threads, blocks, name, ...)                                     \
  extern "C" void name(__VA_ARGS__);                                                     \
  static const ::emulation::Registration name##_registered(#name, name, threads, blocks); \
  extern "C" void name(__VA_ARGS__)
#define TS_DEVICE inline
#define TS_DEVICE_CALL __attribute__((noinline)) static
#define TS_DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(::emulation::dynamic_shared())
#else
#define TS_GLOBAL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#define TS_GLOBAL_BOUNDS(threads, blocks, name, ...) extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)
#define TS_DEVICE __device__ __forceinline__
#define TS_DEVICE_CALL static __device__ __noinline__
#define TS_DYNAMIC_SHARED(type, name)                                 \
  extern __shared__ __align__(16) unsigned char ts_dynamic_shared_[]; \
  type* name = reinterpret_cast<type*>(ts_dynamic_shared_)
#endif

#include "cuda/kernels/params.h"
#include "cuda/kernels/scalar.cuh"

namespace torchscript::cuda {

TS_DEVICE uint32_t divide(uint32_t n, const Divider& d) { return (__umulhi(n, d.magic) + n) >> d.shift; }

// Where element `i` of a loop is in each window.
template <int kWindows> TS_DEVICE void offsets_of(const Loop<kWindows>& loop, uint32_t i, int64_t* offsets) {
  for (int k = 0; k < kWindows; k++) offsets[k] = 0;
  for (int d = 0; d < loop.ndim; d++) {
    const uint32_t q = divide(i, loop.sizes[d]);
    const uint32_t r = i - q * loop.sizes[d].divisor;
    for (int k = 0; k < kWindows; k++) offsets[k] += static_cast<int64_t>(r) * loop.strides[d][k];
    i = q;
  }
}

TS_DEVICE uint32_t thread_index() { return blockIdx.x * blockDim.x + threadIdx.x; }
TS_DEVICE uint32_t thread_count() { return gridDim.x * blockDim.x; }

}  // namespace torchscript::cuda
