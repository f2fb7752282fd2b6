// Dense operators compute in one of four element types: float (half and bfloat16 too), double, int64 (all integers) and a pair of
// doubles (complex). Operands of another dtype or layout are brought into a contiguous block of that type first.
#pragma once
#include <cstring>
#include <type_traits>

#include "cpu-avx/pointwise.h"
#include "kernel.h"

namespace torchscript {

struct Complex128 {
  double re = 0, im = 0;
  Complex128() = default;
  Complex128(double r) : re(r) {}
  Complex128(double r, double i) : re(r), im(i) {}
  Complex128& operator+=(const Complex128& o) {
    re += o.re;
    im += o.im;
    return *this;
  }
};
inline Complex128 operator*(const Complex128& a, const Complex128& b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline Complex128 operator+(const Complex128& a, const Complex128& b) { return {a.re + b.re, a.im + b.im}; }

inline float half_bits_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, magnitude = static_cast<uint32_t>(h & 0x7fff) << 13;
  float scaled;
  std::memcpy(&scaled, &magnitude, 4);
  scaled *= 0x1p112f;
  uint32_t bits;
  std::memcpy(&bits, &scaled, 4);
  if ((h & 0x7c00) == 0x7c00) bits = magnitude | 0x7f800000u;
  bits |= sign;
  std::memcpy(&scaled, &bits, 4);
  return scaled;
}
inline uint16_t float_to_half_bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00;
  if (magnitude < 0x38800000u) {
    float shifted;
    std::memcpy(&shifted, &magnitude, 4);
    shifted += 0.5f;
    std::memcpy(&magnitude, &shifted, 4);
    return static_cast<uint16_t>(sign | (magnitude - 0x3f000000u));
  }
  magnitude += 0xc8000fffu + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | (magnitude >> 13));
}
inline float bfloat_bits_to_float(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
inline uint16_t float_to_bfloat_bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

struct HalfBits {
  uint16_t bits;
};
struct BFloatBits {
  uint16_t bits;
};
struct ComplexHalf {
  uint16_t re, im;
};
struct Complex64 {
  float re, im;
};

// f(E{}) with the C++ type of a dtype.
template <class F> auto with_element(DType dtype, const F& f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::F16: return f(HalfBits{});
    case DType::BF16: return f(BFloatBits{});
    case DType::I64:
    case DType::U64: return f(int64_t{});
    case DType::I32: return f(int32_t{});
    case DType::U32: return f(uint32_t{});
    case DType::I16: return f(int16_t{});
    case DType::U16: return f(uint16_t{});
    case DType::I8: return f(int8_t{});
    case DType::U8:
    case DType::Bool: return f(uint8_t{});
    case DType::C32: return f(ComplexHalf{});
    case DType::C64: return f(Complex64{});
    case DType::C128: return f(Complex128{});
    default: fail("Dense operators are not implemented for '%s'", dtype_torch_name(dtype));
  }
}

template <class T, class E> inline T load_as(const E& e) {
  if constexpr (std::is_same_v<E, HalfBits>) return T(half_bits_to_float(e.bits));
  else if constexpr (std::is_same_v<E, BFloatBits>) return T(bfloat_bits_to_float(e.bits));
  else if constexpr (std::is_same_v<E, ComplexHalf> || std::is_same_v<E, Complex64> || std::is_same_v<E, Complex128>) {
    double re, im;
    if constexpr (std::is_same_v<E, ComplexHalf>) {
      re = half_bits_to_float(e.re);
      im = half_bits_to_float(e.im);
    } else {
      re = e.re;
      im = e.im;
    }
    if constexpr (std::is_same_v<T, Complex128>) return {re, im};
    else return static_cast<T>(re);
  } else return static_cast<T>(e);
}
template <class E, class T> inline E store_as(const T& t) {
  if constexpr (std::is_same_v<T, Complex128>) {
    if constexpr (std::is_same_v<E, ComplexHalf>)
      return {float_to_half_bits(static_cast<float>(t.re)), float_to_half_bits(static_cast<float>(t.im))};
    else if constexpr (std::is_same_v<E, Complex64>) return {static_cast<float>(t.re), static_cast<float>(t.im)};
    else if constexpr (std::is_same_v<E, Complex128>) return t;
    else return store_as<E>(t.re);
  } else if constexpr (std::is_same_v<E, HalfBits>) return {float_to_half_bits(static_cast<float>(t))};
  else if constexpr (std::is_same_v<E, BFloatBits>) return {float_to_bfloat_bits(static_cast<float>(t))};
  else if constexpr (std::is_same_v<E, ComplexHalf>) return {float_to_half_bits(static_cast<float>(t)), 0};
  else if constexpr (std::is_same_v<E, Complex64>) return {static_cast<float>(t), 0};
  else if constexpr (std::is_same_v<E, Complex128>) return Complex128(static_cast<double>(t));
  else return static_cast<E>(t);
}

// Calls f(offset, i) for each element in row-major order; offset is in elements of the view, i counts.
template <class F> void for_each_element(const TensorView& view, const F& f) {
  const int64_t total = view.numel();
  if (total == 0) return;
  if (view.ndim == 0) return f(int64_t{0}, int64_t{0});
  const int last = view.ndim - 1;
  int64_t index[kMaxDims] = {};
  int64_t offset = 0, i = 0;
  while (i < total) {
    for (int64_t j = 0; j < view.sizes[last]; j++) f(offset + j * view.strides[last], i++);
    for (int d = last - 1; d >= 0; d--) {
      offset += view.strides[d];
      if (++index[d] < view.sizes[d]) break;
      offset -= view.strides[d] * view.sizes[d];
      index[d] = 0;
    }
  }
}

// f(offset, i, n) for each run of n adjacent elements, in row-major order. False, and nothing done, where runs are not worth it.
template <class F> bool for_each_run(TensorView view, const F& f) {
  int64_t run = 1;
  while (view.ndim > 0 && (view.sizes[view.ndim - 1] == 1 || view.strides[view.ndim - 1] == run)) run *= view.sizes[--view.ndim];
  if (run < 16) return false;
  for_each_element(view, [&](int64_t offset, int64_t i) { f(offset, i * run, run); });
  return true;
}
template <class E> constexpr bool kIsHalf = std::is_same_v<E, HalfBits> || std::is_same_v<E, BFloatBits>;
// Whether the elements fill their memory from the first on, in any order of dimensions.
inline bool is_dense(const TensorView& view) {
  int64_t expected = 1, left = 0;
  for (int d = 0; d < view.ndim; d++) left += view.sizes[d] != 1;
  for (; left > 0; left--) {
    int at = 0;
    while (at < view.ndim && (view.sizes[at] <= 1 || view.strides[at] != expected)) at++;
    if (at == view.ndim) return false;
    expected *= view.sizes[at];
  }
  return true;
}

template <class T> constexpr bool is_stage_type(DType dtype) {
  return (std::is_same_v<T, float> && dtype == DType::F32) || (std::is_same_v<T, double> && dtype == DType::F64) ||
         (std::is_same_v<T, int64_t> && (dtype == DType::I64 || dtype == DType::U64)) ||
         (std::is_same_v<T, Complex128> && dtype == DType::C128);
}

template <class T> constexpr DType stage_dtype() {
  return std::is_same_v<T, float>     ? DType::F32
         : std::is_same_v<T, double>  ? DType::F64
         : std::is_same_v<T, int64_t> ? DType::I64
                                      : DType::C128;
}

// Row-major copy as T.
template <class T> void copy_in(const TensorView& view, T* out) {
  with_element(view.dtype, [&](auto e) {
    using E = decltype(e);
    const E* p = static_cast<const E*>(view.data);
    if constexpr (std::is_same_v<E, T>) {
      if (view.is_contiguous()) {
        const size_t bytes = static_cast<size_t>(view.numel()) * sizeof(T);
        if (bytes) std::memcpy(static_cast<void*>(out), view.data, bytes);
        return;
      }
    }
    if constexpr (std::is_same_v<T, float> && kIsHalf<E>) {
      const ConvertFn load = convert_table().load[static_cast<int>(view.dtype)][static_cast<int>(Compute::F32)];
      if (for_each_run(view, [&](int64_t offset, int64_t i, int64_t n) { load(n, out + i, p + offset); })) return;
    }
    for_each_element(view, [&](int64_t offset, int64_t i) { out[i] = load_as<T>(p[offset]); });
  });
}
template <class T> void copy_out(const T* in, const TensorView& view) {
  with_element(view.dtype, [&](auto e) {
    using E = decltype(e);
    E* p = static_cast<E*>(view.data);
    if constexpr (std::is_same_v<T, float> && kIsHalf<E>) {
      const ConvertFn store = convert_table().store[static_cast<int>(Compute::F32)][static_cast<int>(view.dtype)];
      if (for_each_run(view, [&](int64_t offset, int64_t i, int64_t n) { store(n, p + offset, in + i); })) return;
    }
    for_each_element(view, [&](int64_t offset, int64_t i) { p[offset] = store_as<E>(in[i]); });
  });
}

// The view's elements row-major as T: in place where they are that already.
template <class T> const T* stage(Runtime& runtime, const TensorView& view) {
  if (is_stage_type<T>(view.dtype) && view.is_contiguous()) return static_cast<const T*>(view.data);
  T* out = static_cast<T*>(runtime.scratch(static_cast<size_t>(view.numel()) * sizeof(T) + 64));
  copy_in(view, out);
  return out;
}
// Where to compute an output: the output itself, or scratch that finish_output copies from.
template <class T> T* output_block(Runtime& runtime, const TensorView& out) {
  if (is_stage_type<T>(out.dtype) && out.is_contiguous()) return static_cast<T*>(out.data);
  return static_cast<T*>(runtime.scratch(static_cast<size_t>(out.numel()) * sizeof(T) + 64));
}
template <class T> void finish_output(const T* block, const TensorView& out) {
  if (static_cast<const void*>(block) != out.data) copy_out(block, out);
}

// f(T{}) with the type that operands of `dtype` are computed in.
template <class F> auto with_compute_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::F32:
    case DType::F16:
    case DType::BF16: return f(float{});
    case DType::F64: return f(double{});
    case DType::C32:
    case DType::C64:
    case DType::C128: return f(Complex128{});
    default: return f(int64_t{});
  }
}
template <class F> auto with_float_type(DType dtype, const F& f) { return dtype == DType::F64 ? f(double{}) : f(float{}); }

// The tensor argument i, refused when it is None or a number.
inline const TensorView& tensor_argument(const Call& call, int i, const char* op, const char* name) {
  if (i >= call.nargs || call.args[i].kind != ArgKind::Tensor) fail("Expected a Tensor for `%s` of %s", name, op);
  return *call.args[i].tensor;
}
// Refuses sizes whose product no memory holds, before integers overflow on them.
inline void check_elements(const int64_t* sizes, int n) {
  double product = 1;
  for (int d = 0; d < n; d++) product *= static_cast<double>(sizes[d]);
  if (product > 1e14) fail("Expected a tensor of at most 1e14 elements but received sizes that ask for %g", product);
}
inline void set_like(Call& call, int i, const TensorView& like) { call.set_output(i, like.dtype, like.sizes, like.ndim); }
inline int wrap_dim(int64_t dim, int ndim) {
  const int64_t range = ndim > 0 ? ndim : 1;
  if (dim < -range || dim >= range) {
    fail_as("IndexError", "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)", static_cast<long long>(-range),
            static_cast<long long>(range - 1), static_cast<long long>(dim));
  }
  return static_cast<int>(dim < 0 ? dim + range : dim);
}

}  // namespace torchscript
