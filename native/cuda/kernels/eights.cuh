// Eight neighbouring elements of memory as floats.
#pragma once
#include "cuda/kernels/activation.cuh"

namespace torchscript::cuda {

// A vector of 16 or two of 16 bytes, or those of the first `n` one by one.
template <class T> TS_DEVICE void load_eight(const T* from, int64_t stride, bool vector, int n, float (&to)[8]) {
  if (vector && n >= 8) {
    if constexpr (sizeof(T) == 2) {
      const uint4 v = *reinterpret_cast<const uint4*>(from);
      const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int i = 0; i < 8; i++) {
        T element;
        element.bits = static_cast<uint16_t>(i % 2 ? words[i / 2] >> 16 : words[i / 2]);
        to[i] = static_cast<float>(element);
      }
    } else {
      const float4* vectors = reinterpret_cast<const float4*>(from);
      const float4 u = vectors[0], v = vectors[1];
      to[0] = u.x, to[1] = u.y, to[2] = u.z, to[3] = u.w;
      to[4] = v.x, to[5] = v.y, to[6] = v.z, to[7] = v.w;
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; i++) to[i] = i < n ? static_cast<float>(from[i * stride]) : 0.0f;
}
template <class T> TS_DEVICE void store_eight(T* to, bool vector, int n, const float (&from)[8]) {
  if (vector && n >= 8) {
    if constexpr (sizeof(T) == 2) {
      uint32_t words[4];
#pragma unroll
      for (int i = 0; i < 4; i++) words[i] = T(from[2 * i]).bits | static_cast<uint32_t>(T(from[2 * i + 1]).bits) << 16;
      *reinterpret_cast<uint4*>(to) = make_uint4(words[0], words[1], words[2], words[3]);
    } else {
      reinterpret_cast<float4*>(to)[0] = make_float4(from[0], from[1], from[2], from[3]);
      reinterpret_cast<float4*>(to)[1] = make_float4(from[4], from[5], from[6], from[7]);
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; i++)
    if (i < n) to[i] = T(from[i]);
}

// Two neighbouring sums to shared memory at 8 bytes, and eight from there at 16.
TS_DEVICE void put_two(float* to, float x, float y) { *reinterpret_cast<float2*>(to) = make_float2(x, y); }
TS_DEVICE void put_two(int32_t* to, int32_t x, int32_t y) { *reinterpret_cast<int2*>(to) = make_int2(x, y); }
TS_DEVICE void take_eight(const float* from, float (&to)[8]) {
  const float4 u = reinterpret_cast<const float4*>(from)[0], v = reinterpret_cast<const float4*>(from)[1];
  to[0] = u.x, to[1] = u.y, to[2] = u.z, to[3] = u.w;
  to[4] = v.x, to[5] = v.y, to[6] = v.z, to[7] = v.w;
}
TS_DEVICE void take_eight(const int32_t* from, int32_t (&to)[8]) {
  const int4 u = reinterpret_cast<const int4*>(from)[0], v = reinterpret_cast<const int4*>(from)[1];
  to[0] = u.x, to[1] = u.y, to[2] = u.z, to[3] = u.w;
  to[4] = v.x, to[5] = v.y, to[6] = v.z, to[7] = v.w;
}

// The activation of eight values in registers. Functions are called in a place each only for the common ones, which are short.
TS_DEVICE void activate_each(float (&x)[8], int32_t activation) {
  if (activation == 0) return;
  if (activation == 1 || activation == 2) {
    const float high = activation == 1 ? INFINITY : 6.0f;
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = bounded(x[i], 0.0f, high);
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] = activated(x[i], activation);
}

}  // namespace torchscript::cuda
