// Inner functions of the pointwise family: one loop over tiles for each expression and compute type.
#include "cpu-avx/math_scalar.h"
#include "cpu-avx/math_special.h"

#include "cpu-avx/pointwise.h"

namespace torchscript {
namespace TS_ISA {
namespace {

#include "gen/pointwise.inc"

#define TS_STRING_(x) #x
#define TS_STRING(x) TS_STRING_(x)

TS_INLINE void put(float* out, VecF v) { v.store(out); }
TS_INLINE void put(double* out, VecD v) { v.store(out); }
TS_INLINE void put(uint8_t* out, MaskF m) { store_mask(out, m); }
TS_INLINE void put(uint8_t* out, MaskD m) { store_mask(out, m); }
TS_INLINE void put_tail(float* out, VecF v, int n) { v.store_partial(out, n); }
TS_INLINE void put_tail(double* out, VecD v, int n) { v.store_partial(out, n); }
template <class M> TS_INLINE void put_tail(uint8_t* out, M m, int n) {
  uint8_t bytes[VecF::kWidth];
  store_mask(bytes, m);
  for (int i = 0; i < n; i++) out[i] = bytes[i];
}
template <class R> struct OutputOf { using type = uint8_t; };
template <> struct OutputOf<VecF> { using type = float; };
template <> struct OutputOf<VecD> { using type = double; };
TS_INLINE MaskF get_mask(const uint8_t* p, const VecF*) { return load_mask_f(p); }
TS_INLINE MaskD get_mask(const uint8_t* p, const VecD*) { return load_mask_d(p); }

// Float vectors. Fn is a struct whose static call(x, m) is the expression.
template <class V, class Op, class Fn> void run_vector(int64_t n, void* out_, const void* const* in, const int64_t* step) {
  constexpr int count = Op::kCount, width = V::kWidth;
  using E = typename V::Element;
  using Result = decltype(Fn::call(static_cast<const V*>(nullptr), static_cast<const typename V::Mask*>(nullptr)));
  using Out = typename OutputOf<Result>::type;
  Out* out = static_cast<Out*>(out_);
  const E* p[count];
  const uint8_t* c[count];
  int64_t advance[count];
  for (int k = 0; k < count; k++) {
    p[k] = static_cast<const E*>(in[k]);
    c[k] = static_cast<const uint8_t*>(in[k]);
    advance[k] = step[k] * width;
  }
  V x[count];
  typename V::Mask m[count];
  int64_t i = 0;
  for (; i + width <= n; i += width) {
#pragma GCC unroll 6
    for (int k = 0; k < count; k++) {
      if ((Op::kConditions >> k) & 1) {
        m[k] = get_mask(c[k], static_cast<const V*>(nullptr));
        c[k] += advance[k];
      } else {
        x[k] = V::load(p[k]);
        p[k] += advance[k];
      }
    }
    put(out + i, Fn::call(x, m));
  }
  if (i < n) {
    const int rest = static_cast<int>(n - i);
#pragma GCC unroll 6
    for (int k = 0; k < count; k++) {
      const int have = step[k] ? rest : width;
      if ((Op::kConditions >> k) & 1) {
        uint8_t bytes[16] = {};
        for (int j = 0; j < have; j++) bytes[j] = c[k][j];
        m[k] = get_mask(bytes, static_cast<const V*>(nullptr));
      } else {
        x[k] = step[k] ? V::load_partial(p[k], rest) : V::load(p[k]);
      }
    }
    put_tail(out + i, Fn::call(x, m), rest);
  }
}

TS_INLINE uint8_t element(Truth t) { return t.m; }
TS_INLINE float element(float x) { return x; }
TS_INLINE double element(double x) { return x; }
template <class T> TS_INLINE Whole<T> element(Whole<T> x) { return x; }
template <class R> TS_INLINE Complex<R> element(Complex<R> x) { return x; }

// Integers and complex numbers, all steps 1; left to the compiler to vectorise.
template <class V, class Op, class Fn> void run_single(int64_t n, void* out_, const void* const* in, const int64_t*) {
  constexpr int count = Op::kCount;
  using Out = decltype(element(Fn::call(static_cast<const V*>(nullptr), static_cast<const Truth*>(nullptr))));
  Out* out = static_cast<Out*>(out_);
  const V* p[count];
  const uint8_t* c[count];
  for (int k = 0; k < count; k++) {
    p[k] = static_cast<const V*>(in[k]);
    c[k] = static_cast<const uint8_t*>(in[k]);
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) {
    V x[count];
    Truth m[count];
#pragma GCC unroll 6
    for (int k = 0; k < count; k++) {
      if ((Op::kConditions >> k) & 1) m[k] = {c[k][i] != 0};
      else x[k] = p[k][i];
    }
    out[i] = element(Fn::call(x, m));
  }
}

// A method of an op struct as a type.
#define TS_METHOD(method)                                                                                                         \
  template <class Op> struct as_##method {                                                                                        \
    template <class V> static TS_INLINE auto call(const V* x, const typename V::Mask* m) { return Op::template method<V>(x, m); } \
  };
TS_METHOD(real)
TS_METHOD(whole)
TS_METHOD(truth)
TS_METHOD(complex)

#define TS_CELL_V(name, method, V, label) \
  { run_vector<V, op_##name, as_##method<op_##name>>, "pointwise_" #name "_" #label "_" TS_STRING(TS_ISA) }
#define TS_CELL_S(name, method, V, label) \
  { run_single<V, op_##name, as_##method<op_##name>>, "pointwise_" #name "_" #label "_" TS_STRING(TS_ISA) }
#define TS_NO_CELL \
  { nullptr, nullptr }

constexpr PointwiseEntry kEntries[][kComputes] = {
#include "gen/pointwise_entries.inc"
};

}  // namespace

extern const PointwiseTable pointwise_table;
constinit const PointwiseTable pointwise_table = {kEntries};

}  // namespace TS_ISA
}  // namespace torchscript
