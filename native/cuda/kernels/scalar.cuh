// Half precision as storage, and conversions between the dtypes as PyTorch does them.
#pragma once
#include <stdint.h>

#if !defined(TS_CUDA_EMULATED)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace torchscript::cuda {

#if defined(TS_CUDA_EMULATED)
TS_DEVICE float half_bits_to_float(uint16_t h) { return ::emulation::half_to_float(h); }
TS_DEVICE uint16_t float_to_half_bits(float x) { return ::emulation::float_to_half(x); }
TS_DEVICE float bfloat_bits_to_float(uint16_t h) { return ::emulation::bfloat_to_float(h); }
TS_DEVICE uint16_t float_to_bfloat_bits(float x) { return ::emulation::float_to_bfloat(x); }
#else
TS_DEVICE float half_bits_to_float(uint16_t h) { return __half2float(__ushort_as_half(h)); }
TS_DEVICE uint16_t float_to_half_bits(float x) { return __half_as_ushort(__float2half_rn(x)); }
TS_DEVICE float bfloat_bits_to_float(uint16_t h) { return __uint_as_float(static_cast<uint32_t>(h) << 16); }
TS_DEVICE uint16_t float_to_bfloat_bits(float x) {
  const uint32_t bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
#endif

// Elements in memory; arithmetic is in float.
struct Half {
  uint16_t bits;
  Half() = default;
  TS_DEVICE explicit Half(float x) : bits(float_to_half_bits(x)) {}
  TS_DEVICE operator float() const { return half_bits_to_float(bits); }
};
struct BFloat {
  uint16_t bits;
  BFloat() = default;
  TS_DEVICE explicit BFloat(float x) : bits(float_to_bfloat_bits(x)) {}
  TS_DEVICE operator float() const { return bfloat_bits_to_float(bits); }
};

// DType codes of kernel.h.
enum : int32_t {
  kU8 = 0,
  kI8 = 1,
  kI16 = 2,
  kI32 = 3,
  kI64 = 4,
  kF16 = 5,
  kF32 = 6,
  kF64 = 7,
  kC32 = 8,
  kC64 = 9,
  kC128 = 10,
  kBool = 11,
  kQI8 = 12,
  kQU8 = 13,
  kQI32 = 14,
  kBF16 = 15,
  kU16 = 27,
  kU32 = 28,
  kU64 = 29
};

struct alignas(16) Bytes16 {
  uint64_t a, b;
};
struct Complex64 {
  float re, im;
};
struct Complex128 {
  double re, im;
};

// Truncation as x86 does it: out of range gives the smallest integer.
TS_DEVICE int32_t to_int32(double d) { return d > -2147483649.0 && d < 2147483648.0 ? static_cast<int32_t>(d) : INT32_MIN; }
TS_DEVICE int64_t to_int64(double d) {
  return d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? static_cast<int64_t>(d) : INT64_MIN;
}

}  // namespace torchscript::cuda
