// Rows of elements shared by the threads of a group: a thread (blockDim.x == 1), a warp (32) or a whole block. blockDim.y groups lie in a
// block, and only groups of a thread or a warp lie beside others.
#pragma once
#include "cuda/kernels/prelude.cuh"

namespace torchscript::cuda {

// The group's values folded by a commutative function; every thread gets the result.
template <class T, class F> TS_DEVICE T group_fold(T value, F f) {
  if (blockDim.x == 1) return value;
  for (int flip = 16; flip > 0; flip >>= 1) value = f(value, __shfl_xor_sync(0xffffffffu, value, flip));
  if (blockDim.x == 32) return value;
  __shared__ T parts[32];
  const int warps = blockDim.x / 32;
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = parts[0];
  for (int i = 1; i < warps; i++) value = f(value, parts[i]);
  return value;
}

// NaN wins.
template <class T> TS_DEVICE T larger(T a, T b) { return a > b || a != a ? a : b; }
template <class T> TS_DEVICE T smaller(T a, T b) { return a < b || a != a ? a : b; }
template <class T> struct AddOf {
  TS_DEVICE T operator()(T a, T b) const { return a + b; }
};
template <class T> struct LargerOf {
  TS_DEVICE T operator()(T a, T b) const { return larger(a, b); }
};

TS_DEVICE int64_t first_row() { return static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; }
TS_DEVICE int64_t row_step() { return static_cast<int64_t>(gridDim.x) * blockDim.y; }

template <class T> struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T e[kSize];
};

// Calls f(k, element) for this thread's share of a row.
template <class T, class F> TS_DEVICE void each_of_row(const T* row, int64_t n, int64_t stride, bool vectors, F f) {
  if (vectors) {
    constexpr int kSize = Pack<T>::kSize;
    for (int64_t k = static_cast<int64_t>(threadIdx.x) * kSize; k < n; k += static_cast<int64_t>(blockDim.x) * kSize) {
      const Pack<T> pack = *reinterpret_cast<const Pack<T>*>(row + k);
      for (int i = 0; i < kSize; i++) f(k + i, pack.e[i]);
    }
    return;
  }
  for (int64_t k = threadIdx.x; k < n; k += blockDim.x) f(k, row[k * stride]);
}
// out[k] = f(k, element) for this thread's share of a row.
template <class T, class F> TS_DEVICE void map_row(T* out, const T* row, int64_t n, int64_t stride, bool vectors, F f) {
  if (vectors) {
    constexpr int kSize = Pack<T>::kSize;
    for (int64_t k = static_cast<int64_t>(threadIdx.x) * kSize; k < n; k += static_cast<int64_t>(blockDim.x) * kSize) {
      Pack<T> pack = *reinterpret_cast<const Pack<T>*>(row + k);
      for (int i = 0; i < kSize; i++) pack.e[i] = T(f(k + i, pack.e[i]));
      *reinterpret_cast<Pack<T>*>(out + k) = pack;
    }
    return;
  }
  for (int64_t k = threadIdx.x; k < n; k += blockDim.x) out[k * stride] = T(f(k, row[k * stride]));
}

// One element of a floating dtype that the launch chose.
template <class A> TS_DEVICE A load_real(int32_t dtype, const void* p, int64_t i) {
  switch (dtype) {
    case kF16: return static_cast<float>(static_cast<const Half*>(p)[i]);
    case kBF16: return static_cast<float>(static_cast<const BFloat*>(p)[i]);
    case kF32: return static_cast<const float*>(p)[i];
    default: return static_cast<A>(static_cast<const double*>(p)[i]);
  }
}
template <class A> TS_DEVICE void store_real(int32_t dtype, void* p, int64_t i, A value) {
  switch (dtype) {
    case kF16: static_cast<Half*>(p)[i] = Half(static_cast<float>(value)); break;
    case kBF16: static_cast<BFloat*>(p)[i] = BFloat(static_cast<float>(value)); break;
    case kF32: static_cast<float*>(p)[i] = static_cast<float>(value); break;
    default: static_cast<double*>(p)[i] = value; break;
  }
}

}  // namespace torchscript::cuda
