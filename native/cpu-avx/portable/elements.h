// Element types of tensors, dispatch over dtypes, and dense copies of strided arguments, for kernels written in plain C++.
#pragma once
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <string_view>
#include <vector>

#include "kernel.h"

namespace torchscript::portable {

inline float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = (h >> 10) & 31;
  uint32_t mantissa = h & 0x3ff, bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | (mantissa << 13);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa == 0) {
    bits = sign;
  } else {
    int shift = 0;
    while (!(mantissa & 0x400)) mantissa <<= 1, shift++;
    bits = sign | (static_cast<uint32_t>(113 - shift) << 23) | ((mantissa & 0x3ff) << 13);
  }
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

// Rounds to nearest even, overflow to infinity.
inline uint16_t float_to_half(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x477ff000) return sign | 0x7c00;
  if (bits < 0x38800000) {  // subnormal: adding 0.5 aligns the mantissa and rounds
    float value;
    std::memcpy(&value, &bits, 4);
    value += 0.5f;
    std::memcpy(&bits, &value, 4);
    return static_cast<uint16_t>(sign | (bits - 0x3f000000));
  }
  bits += 0xc8000fff + ((bits >> 13) & 1);
  return static_cast<uint16_t>(sign | (bits >> 13));
}

inline float bfloat16_to_float(uint16_t b) {
  const uint32_t bits = static_cast<uint32_t>(b) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

inline uint16_t float_to_bfloat16(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

struct Half {
  uint16_t bits;
  Half() = default;
  Half(float f) : bits(float_to_half(f)) {}
  operator float() const { return half_to_float(bits); }
};
struct BFloat16 {
  uint16_t bits;
  BFloat16() = default;
  BFloat16(float f) : bits(float_to_bfloat16(f)) {}
  operator float() const { return bfloat16_to_float(bits); }
};

template <class T> constexpr bool is_half_type = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T> constexpr bool is_float_type = std::is_floating_point_v<T> || is_half_type<T>;
template <class T> struct is_complex_type : std::false_type {};
template <class T> struct is_complex_type<std::complex<T>> : std::true_type {};

// The type that sums of T are kept in.
template <class T> struct Accumulator { using type = std::conditional_t<std::is_integral_v<T>, int64_t, T>; };
template <> struct Accumulator<Half> { using type = float; };
template <> struct Accumulator<BFloat16> { using type = float; };
template <class T> using accumulator_t = typename Accumulator<T>::type;
// The type that one operation on T is computed in.
template <class T> using compute_t = std::conditional_t<is_half_type<T>, float, T>;

template <class T> bool is_nan(T v) {
  if constexpr (is_half_type<T>) return std::isnan(static_cast<float>(v));
  else if constexpr (std::is_floating_point_v<T>) return std::isnan(v);
  else if constexpr (is_complex_type<T>::value) return std::isnan(v.real()) || std::isnan(v.imag());
  else return false;
}

// Sum and product with wrapping integers; bool: or, and.
template <class T> T add_elements(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else if constexpr (is_half_type<T>) return T(static_cast<float>(a) + static_cast<float>(b));
  else return a + b;
}
template <class T> T multiply_elements(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a && b;
  else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else if constexpr (is_half_type<T>) return T(static_cast<float>(a) * static_cast<float>(b));
  else return a * b;
}

[[noreturn]] void fail_dtype(const char* op, DType dtype);

// Calls f(T{}) with the element type.
template <class F> void dispatch_floating(DType dtype, const char* op, F&& f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::F16: return f(Half{});
    case DType::BF16: return f(BFloat16{});
    default: fail_dtype(op, dtype);
  }
}
template <class F> void dispatch_integral(DType dtype, const char* op, F&& f) {
  switch (dtype) {
    case DType::U8: return f(uint8_t{});
    case DType::I8: return f(int8_t{});
    case DType::I16: return f(int16_t{});
    case DType::I32: return f(int32_t{});
    case DType::I64: return f(int64_t{});
    case DType::U16: return f(uint16_t{});
    case DType::U32: return f(uint32_t{});
    case DType::U64: return f(uint64_t{});
    default: fail_dtype(op, dtype);
  }
}
template <class F> void dispatch_real(DType dtype, const char* op, F&& f) {
  if (is_floating(dtype)) return dispatch_floating(dtype, op, f);
  if (dtype == DType::Bool) return f(bool{});
  dispatch_integral(dtype, op, f);
}
template <class F> void dispatch_all(DType dtype, const char* op, F&& f) {
  if (dtype == DType::C64) return f(std::complex<float>{});
  if (dtype == DType::C128) return f(std::complex<double>{});
  dispatch_real(dtype, op, f);
}
template <class F> void dispatch_floating_complex(DType dtype, const char* op, F&& f) {
  if (dtype == DType::C64) return f(std::complex<float>{});
  if (dtype == DType::C128) return f(std::complex<double>{});
  dispatch_floating(dtype, op, f);
}
struct Bytes16 {
  uint64_t low, high;
};
// Calls f(T{}) with an integer of the element's size: for kernels that only move elements.
template <class F> void dispatch_size(DType dtype, F&& f) {
  switch (dtype_size(dtype)) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    default: return f(Bytes16{});
  }
}

// Writes `n` elements of `source` (stride in elements) to dense `destination`, converted as PyTorch casts.
void convert_row(void* destination, DType to, const void* source, DType from, int64_t n, int64_t stride);
// Row-major elements of `view` as dense elements of dtype `to`.
void copy_to_dense(void* destination, DType to, const TensorView& view);
// Casts between views of one shape.
void copy_view(const TensorView& destination, const TensorView& source);
// The row-major elements of `view` with dtype `dtype`: its own memory when it is dense already, else scratch memory of the call.
const void* dense(Call& call, const TensorView& view, DType dtype);
template <class T> const T* dense(Call& call, const TensorView& view) { return static_cast<const T*>(dense(call, view, view.dtype)); }
inline const int64_t* dense_int64(Call& call, const TensorView& view) { return static_cast<const int64_t*>(dense(call, view, DType::I64)); }
template <class T> T* scratch(Call& call, int64_t n) {
  return static_cast<T*>(call.runtime->scratch(static_cast<size_t>(n > 0 ? n : 1) * sizeof(T)));
}

// A number of a Scalar argument as an element.
template <class T> T scalar_as(const Arg& arg) {
  if constexpr (is_complex_type<T>::value) {
    using R = typename T::value_type;
    return arg.kind == ArgKind::Complex ? T(static_cast<R>(arg.c.re), static_cast<R>(arg.c.im)) : T(static_cast<R>(arg.as_double()));
  } else if constexpr (std::is_same_v<T, bool>) {
    return arg.kind == ArgKind::Float ? arg.d != 0 : arg.as_int() != 0;
  } else if constexpr (is_float_type<T>) {
    return T(static_cast<compute_t<T>>(arg.as_double()));
  } else {
    return static_cast<T>(arg.as_int());
  }
}

// `dim` counted from the front; IndexError when it is out of range. A 0-dim tensor has the dimensions -1 and 0.
int wrap_dim(int64_t dim, int ndim);
inline int64_t size_at(const TensorView& v, int dim) { return v.ndim == 0 ? 1 : v.sizes[dim]; }
inline int64_t stride_at(const TensorView& v, int dim) { return v.ndim == 0 ? 1 : v.strides[dim]; }
int64_t product(const int64_t* sizes, int begin, int end);
// Sets output i to the shape of `like`, contiguous.
inline void output_like(Call& call, int i, const TensorView& like, DType dtype) { call.set_output(i, dtype, like.sizes, like.ndim); }
inline void output_like(Call& call, int i, const TensorView& like) { output_like(call, i, like, like.dtype); }
// "[2, 3]"
const char* shape_text(const TensorView& v, char (&buffer)[256]);
// Right-aligned broadcast of `shape` (in and out) with `view`; false when they do not match.
bool broadcast_into(std::vector<int64_t>& shape, const TensorView& view);
// `view` expanded to `sizes`; its shape must broadcast to them.
TensorView expand_view(const TensorView& view, const int64_t* sizes, int ndim);
// Starts output 0 of an in-place capable row as a copy of `self`, or leaves it when it is that memory already.
void start_from(const TensorView& output, const TensorView& self);
// Promoted dtype of two tensors of one category.
DType promote(DType a, DType b);
// Element offsets of `view` restricted to dimensions [begin, end), row-major.
std::vector<int64_t> offsets_of(const TensorView& view, int begin, int end);

// Calls f(offsets, n, strides) for every innermost row over views of one shape (N views): offsets in elements.
template <int N, class F> void for_each_row(const int64_t* sizes, int ndim, const TensorView* const (&views)[N], F&& f) {
  int64_t offsets[N] = {}, strides[N];
  if (ndim == 0) {
    for (int k = 0; k < N; k++) strides[k] = 1;
    f(offsets, int64_t{1}, strides);
    return;
  }
  for (int d = 0; d < ndim; d++)
    if (sizes[d] == 0) return;
  for (int k = 0; k < N; k++) strides[k] = views[k]->strides[ndim - 1];
  int64_t counter[kMaxDims] = {};
  for (;;) {
    f(offsets, sizes[ndim - 1], strides);
    int d = ndim - 2;
    for (; d >= 0; d--) {
      for (int k = 0; k < N; k++) offsets[k] += views[k]->strides[d];
      if (++counter[d] < sizes[d]) break;
      for (int k = 0; k < N; k++) offsets[k] -= views[k]->strides[d] * sizes[d];
      counter[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace torchscript::portable
