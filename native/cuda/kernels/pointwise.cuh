// Kernels of the pointwise family: the expressions of native/gen/pointwise.inc, which the CPU's kernels are made of too, at one lane. The files
// pointwise_*.cu are generated (scripts/gen.ts) and instantiate one kernel for an expression and a compute type.
#pragma once
#include "cuda/kernels/prelude.cuh"

#if defined(TS_CUDA_EMULATED)
#define TS_INLINE inline __attribute__((always_inline))
#else
#include "cuda/kernels/builtins.cuh"
#define TS_INLINE __device__ __forceinline__
#define TS_FUNCTION TS_DEVICE_CALL
#endif
#define TS_ISA gpu
#define TS_ISA_SCALAR 1
#include "cpu-avx/math_scalar.h"
#include "cpu-avx/math_special.h"

namespace torchscript {
namespace gpu {
namespace {

#include "gen/pointwise.inc"

using cuda::PointwiseParams;

// ---- elements in their computed form
template <class V> struct Form {
  using Element = typename V::Element;
};
template <class T> struct Form<Whole<T>> {
  using Element = Whole<T>;
};

// Memory of any dtype, where it is not the usual one.
template <class R> TS_DEVICE_CALL R load_real(int32_t dtype, const void* p, int64_t i) {
  switch (dtype) {
    case cuda::kBool:
    case cuda::kU8: return static_cast<R>(static_cast<const uint8_t*>(p)[i]);
    case cuda::kI8: return static_cast<R>(static_cast<const int8_t*>(p)[i]);
    case cuda::kI16: return static_cast<R>(static_cast<const int16_t*>(p)[i]);
    case cuda::kU16: return static_cast<R>(static_cast<const uint16_t*>(p)[i]);
    case cuda::kI32: return static_cast<R>(static_cast<const int32_t*>(p)[i]);
    case cuda::kU32: return static_cast<R>(static_cast<const uint32_t*>(p)[i]);
    case cuda::kI64: return static_cast<R>(static_cast<const int64_t*>(p)[i]);
    case cuda::kU64: return static_cast<R>(static_cast<const uint64_t*>(p)[i]);
    case cuda::kF16: return static_cast<R>(static_cast<float>(static_cast<const cuda::Half*>(p)[i]));
    case cuda::kBF16: return static_cast<R>(static_cast<float>(static_cast<const cuda::BFloat*>(p)[i]));
    case cuda::kF32: return static_cast<R>(static_cast<const float*>(p)[i]);
    case cuda::kF64: return static_cast<R>(static_cast<const double*>(p)[i]);
    default: return R(0);
  }
}

TS_DEVICE void load(float& x, int32_t dtype, const void* p, int64_t i) {
  if (dtype == cuda::kF32) x = static_cast<const float*>(p)[i];
  else if (dtype == cuda::kF16) x = static_cast<const cuda::Half*>(p)[i];
  else if (dtype == cuda::kBF16) x = static_cast<const cuda::BFloat*>(p)[i];
  else x = load_real<float>(dtype, p, i);
}
TS_DEVICE void load(double& x, int32_t dtype, const void* p, int64_t i) {
  x = dtype == cuda::kF64 ? static_cast<const double*>(p)[i] : load_real<double>(dtype, p, i);
}
TS_DEVICE void load(Whole<int32_t>& x, int32_t dtype, const void* p, int64_t i) {
  x.v = dtype == cuda::kI32 ? static_cast<const int32_t*>(p)[i] : load_real<int32_t>(dtype, p, i);
}
TS_DEVICE void load(Whole<int64_t>& x, int32_t dtype, const void* p, int64_t i) {
  x.v = dtype == cuda::kI64 ? static_cast<const int64_t*>(p)[i] : load_real<int64_t>(dtype, p, i);
}
TS_DEVICE void load(Whole<uint8_t>& x, int32_t, const void* p, int64_t i) { x.v = static_cast<const uint8_t*>(p)[i]; }
template <class R> TS_DEVICE void load(Complex<R>& x, int32_t dtype, const void* p, int64_t i) {
  switch (dtype) {
    case cuda::kC32:
      x.re = static_cast<float>(static_cast<const cuda::Half*>(p)[2 * i]);
      x.im = static_cast<float>(static_cast<const cuda::Half*>(p)[2 * i + 1]);
      break;
    case cuda::kC64:
      x.re = static_cast<R>(static_cast<const float*>(p)[2 * i]);
      x.im = static_cast<R>(static_cast<const float*>(p)[2 * i + 1]);
      break;
    case cuda::kC128:
      x.re = static_cast<R>(static_cast<const double*>(p)[2 * i]);
      x.im = static_cast<R>(static_cast<const double*>(p)[2 * i + 1]);
      break;
    default:
      x.re = load_real<R>(dtype, p, i);
      x.im = R(0);
  }
}

TS_DEVICE void put(float x, int32_t dtype, void* p, int64_t i) {
  if (dtype == cuda::kF32) static_cast<float*>(p)[i] = x;
  else if (dtype == cuda::kF16) static_cast<cuda::Half*>(p)[i] = cuda::Half(x);
  else static_cast<cuda::BFloat*>(p)[i] = cuda::BFloat(x);
}
TS_DEVICE void put(VecF x, int32_t dtype, void* p, int64_t i) { put(x.v, dtype, p, i); }
TS_DEVICE void put(double x, int32_t, void* p, int64_t i) { static_cast<double*>(p)[i] = x; }
TS_DEVICE void put(VecD x, int32_t dtype, void* p, int64_t i) { put(x.v, dtype, p, i); }
TS_DEVICE void put(MaskF x, int32_t, void* p, int64_t i) { static_cast<uint8_t*>(p)[i] = x.m; }
TS_DEVICE void put(MaskD x, int32_t, void* p, int64_t i) { static_cast<uint8_t*>(p)[i] = x.m; }
TS_DEVICE void put(Truth x, int32_t, void* p, int64_t i) { static_cast<uint8_t*>(p)[i] = x.m; }
TS_DEVICE void put(Whole<uint8_t> x, int32_t, void* p, int64_t i) { static_cast<uint8_t*>(p)[i] = x.v; }
TS_DEVICE void put(Whole<int64_t> x, int32_t dtype, void* p, int64_t i) {
  if (dtype == cuda::kU32) static_cast<uint32_t*>(p)[i] = static_cast<uint32_t>(x.v);
  else static_cast<int64_t*>(p)[i] = x.v;
}
TS_DEVICE void put(Whole<int32_t> x, int32_t dtype, void* p, int64_t i) {
  if (dtype == cuda::kI32) static_cast<int32_t*>(p)[i] = x.v;
  else if (dtype == cuda::kU8 || dtype == cuda::kI8) static_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(x.v);
  else static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>(x.v);
}
template <class R> TS_DEVICE void put(Complex<R> x, int32_t dtype, void* p, int64_t i) {
  if (dtype == cuda::kC32) {
    static_cast<cuda::Half*>(p)[2 * i] = cuda::Half(static_cast<float>(x.re));
    static_cast<cuda::Half*>(p)[2 * i + 1] = cuda::Half(static_cast<float>(x.im));
  } else {
    static_cast<R*>(p)[2 * i] = x.re;
    static_cast<R*>(p)[2 * i + 1] = x.im;
  }
}

// ---- four neighbours at a time, where memory allows
template <class T> struct alignas(4 * sizeof(T) <= 16 ? 4 * sizeof(T) : 16) Four {
  T v[4];
};
TS_DEVICE void load_four(float* x, int32_t dtype, const void* p, uint32_t i) {
  if (dtype == cuda::kF32) {
    const Four<float> v = static_cast<const Four<float>*>(p)[i];
    for (int j = 0; j < 4; j++) x[j] = v.v[j];
  } else if (dtype == cuda::kF16) {
    const Four<cuda::Half> v = static_cast<const Four<cuda::Half>*>(p)[i];
    for (int j = 0; j < 4; j++) x[j] = v.v[j];
  } else if (dtype == cuda::kBF16) {
    const Four<cuda::BFloat> v = static_cast<const Four<cuda::BFloat>*>(p)[i];
    for (int j = 0; j < 4; j++) x[j] = v.v[j];
  } else {
    for (int j = 0; j < 4; j++) x[j] = load_real<float>(dtype, p, int64_t{4} * i + j);
  }
}
template <class T> TS_DEVICE void load_four(Whole<T>* x, int32_t dtype, const void* p, uint32_t i) {
  for (int j = 0; j < 4; j++) load(x[j], dtype, p, int64_t{4} * i + j);
}
TS_DEVICE void put_four(const VecF* x, int32_t dtype, void* p, uint32_t i) {
  if (dtype == cuda::kF32) {
    Four<float> v;
    for (int j = 0; j < 4; j++) v.v[j] = x[j].v;
    static_cast<Four<float>*>(p)[i] = v;
  } else if (dtype == cuda::kF16) {
    Four<cuda::Half> v;
    for (int j = 0; j < 4; j++) v.v[j] = cuda::Half(x[j].v);
    static_cast<Four<cuda::Half>*>(p)[i] = v;
  } else {
    Four<cuda::BFloat> v;
    for (int j = 0; j < 4; j++) v.v[j] = cuda::BFloat(x[j].v);
    static_cast<Four<cuda::BFloat>*>(p)[i] = v;
  }
}
TS_DEVICE void put_four(const MaskF* x, int32_t, void* p, uint32_t i) {
  Four<uint8_t> v;
  for (int j = 0; j < 4; j++) v.v[j] = x[j].m;
  static_cast<Four<uint8_t>*>(p)[i] = v;
}
template <class R> TS_DEVICE void put_four(const R* x, int32_t dtype, void* p, uint32_t i) {
  for (int j = 0; j < 4; j++) put(x[j], dtype, p, int64_t{4} * i + j);
}

// A lane of the expression's type from an element.
TS_DEVICE VecF lane_of(float x, const VecF*) { return VecF(x); }
TS_DEVICE VecD lane_of(double x, const VecD*) { return VecD(x); }
template <class V> TS_DEVICE V lane_of(V x, const V*) { return x; }

template <class V, class Op, class Fn> TS_DEVICE void run_single(const PointwiseParams& p) {
  constexpr int count = Op::kCount;
  using Element = typename Form<V>::Element;
  for (uint32_t i = cuda::thread_index(); i < p.loop.n; i += cuda::thread_count()) {
    int64_t at[cuda::kPointwiseOperands + 1] = {};
    if (p.dense) {
      for (int k = 0; k <= count; k++) at[k] = k > 0 && (p.single >> (k - 1) & 1) ? 0 : i;
    } else {
      uint32_t rest = i;
      for (int d = 0; d < p.loop.ndim; d++) {
        const uint32_t q = cuda::divide(rest, p.loop.sizes[d]);
        const int64_t r = rest - q * p.loop.sizes[d].divisor;
        for (int k = 0; k <= count; k++) at[k] += r * p.loop.strides[d][k];
        rest = q;
      }
    }
    V x[count];
    typename V::Mask m[count];
    for (int k = 0; k < count; k++) {
      const cuda::PointwiseOperand& operand = p.operands[k];
      if ((Op::kConditions >> k) & 1) {
        m[k] = {operand.data ? static_cast<const uint8_t*>(operand.data)[at[k + 1]] != 0 : (operand.value[0] & 255) != 0};
      } else {
        Element e;
        if (operand.data) load(e, operand.dtype, operand.data, at[k + 1]);
        else e = *reinterpret_cast<const Element*>(operand.value);
        x[k] = lane_of(e, static_cast<const V*>(nullptr));
      }
    }
    put(Fn::call(x, m), p.out_dtype, p.out, at[0]);
  }
}

template <class V, class Op, class Fn> TS_DEVICE void run_four(const PointwiseParams& p) {
  constexpr int count = Op::kCount;
  using Element = typename Form<V>::Element;
  using Result = decltype(Fn::call(static_cast<const V*>(nullptr), static_cast<const typename V::Mask*>(nullptr)));
  const uint32_t groups = (p.loop.n + 3) / 4;
  for (uint32_t g = cuda::thread_index(); g < groups; g += cuda::thread_count()) {
    const bool whole = p.dense && 4 * g + 4 <= p.loop.n;
    int64_t at[cuda::kPointwiseOperands + 1][4];
    if (!whole) {
      for (int j = 0; j < 4; j++) {
        // Beyond the end: the last element again, not stored.
        uint32_t rest = 4 * g + j < p.loop.n ? 4 * g + j : p.loop.n - 1;
        for (int k = 0; k <= count; k++) at[k][j] = p.dense ? (k > 0 && (p.single >> (k - 1) & 1) ? 0 : rest) : 0;
        if (p.dense) continue;
        for (int d = 0; d < p.loop.ndim; d++) {
          const uint32_t q = cuda::divide(rest, p.loop.sizes[d]);
          const int64_t r = rest - q * p.loop.sizes[d].divisor;
          for (int k = 0; k <= count; k++) at[k][j] += r * p.loop.strides[d][k];
          rest = q;
        }
      }
    }
    Element e[count][4];
    typename V::Mask m[4][count];
    for (int k = 0; k < count; k++) {
      const cuda::PointwiseOperand& operand = p.operands[k];
      const bool repeats = p.single >> k & 1;
      if ((Op::kConditions >> k) & 1) {
        for (int j = 0; j < 4; j++) {
          const int64_t i = whole ? (repeats ? 0 : int64_t{4} * g + j) : at[k + 1][j];
          m[j][k] = {operand.data ? static_cast<const uint8_t*>(operand.data)[i] != 0 : (operand.value[0] & 255) != 0};
        }
      } else if (!operand.data) {
        for (int j = 0; j < 4; j++) e[k][j] = *reinterpret_cast<const Element*>(operand.value);
      } else if (whole && repeats) {
        load(e[k][0], operand.dtype, operand.data, 0);
        for (int j = 1; j < 4; j++) e[k][j] = e[k][0];
      } else if (whole) {
        load_four(e[k], operand.dtype, operand.data, g);
      } else {
        for (int j = 0; j < 4; j++) load(e[k][j], operand.dtype, operand.data, at[k + 1][j]);
      }
    }
    Result result[4];
    for (int j = 0; j < 4; j++) {
      V x[count];
      for (int k = 0; k < count; k++)
        if (!((Op::kConditions >> k) & 1)) x[k] = lane_of(e[k][j], static_cast<const V*>(nullptr));
      result[j] = Fn::call(x, m[j]);
    }
    if (whole) {
      put_four(result, p.out_dtype, p.out, g);
    } else {
      for (int j = 0; j < 4; j++)
        if (4 * g + j < p.loop.n) put(result[j], p.out_dtype, p.out, at[0][j]);
    }
  }
}

#define TS_METHOD(method)                                                                                                         \
  template <class Op> struct as_##method {                                                                                        \
    template <class V> static TS_INLINE auto call(const V* x, const typename V::Mask* m) { return Op::template method<V>(x, m); } \
  };
TS_METHOD(real)
TS_METHOD(whole)
TS_METHOD(truth)
TS_METHOD(complex)
#undef TS_METHOD

}  // namespace
}  // namespace gpu
}  // namespace torchscript

#define TS_POINTWISE_FOUR(op, method, V, label)                                            \
  TS_GLOBAL_BOUNDS(256, 1, pointwise_##op##_##label, const torchscript::cuda::PointwiseParams p) { \
    using namespace torchscript::gpu;                                                      \
    run_four<V, op_##op, as_##method<op_##op>>(p);                                         \
  }
#define TS_POINTWISE_SINGLE(op, method, V, label)                                          \
  TS_GLOBAL_BOUNDS(256, 1, pointwise_##op##_##label, const torchscript::cuda::PointwiseParams p) { \
    using namespace torchscript::gpu;                                                      \
    run_single<V, op_##op, as_##method<op_##op>>(p);                                       \
  }
