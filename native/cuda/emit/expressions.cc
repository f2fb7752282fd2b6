#include "cuda/emit/expressions.h"

#define TS_ISA ptx
#define TS_INLINE inline
#define TS_VEC_HEADER "cuda/emit/vec_ptx.h"
#define TS_SCALAR_HEADER "cuda/emit/scalar_ptx.h"
#include "cpu-avx/math_scalar.h"
#include "cpu-avx/math_special.h"

namespace torchscript {
namespace ptx {

// ---- what math.h leaves to the C library on the CPU
VecF sin_far(VecF x) {
  recorder().refuse("the sine");
  return x;
}
VecF cos_far(VecF x) {
  recorder().refuse("the cosine");
  return x;
}
VecF tan_far(VecF x) {
  recorder().refuse("the tangent");
  return x;
}
// Of NaN, or to an infinite power.
VecF pow_special(VecF x, VecF y) {
  const VecF zero(0.0f), one(1.0f), infinite(kInfF), a = abs(x);
  const VecF grown = select(a == one, one, select((a > one) ^ (y < zero), infinite, zero));
  return select((x == one) | (y == zero), one, select(is_nan(x) | is_nan(y), x + y, grown));
}

namespace {

#include "gen/pointwise.inc"

template <class V, class Op, class Fn> struct Cell {
  static Value record(const Value* operands) {
    V x[Op::kCount];
    typename V::Mask m[Op::kCount];
    for (int k = 0; k < Op::kCount; k++) ((Op::kConditions >> k) & 1 ? m[k].v : x[k].v) = operands[k];
    return Fn::call(static_cast<const V*>(x), static_cast<const typename V::Mask*>(m)).v;
  }
  static constexpr cuda::emit::RecordFn fn = record;
};
template <class R, class Op, class Fn> struct Cell<Complex<R>, Op, Fn> {
  static constexpr cuda::emit::RecordFn fn = nullptr;
};

#define TS_METHOD(method)                                                                                               \
  template <class Op> struct as_##method {                                                                              \
    template <class V> static auto call(const V* x, const typename V::Mask* m) { return Op::template method<V>(x, m); } \
  };
TS_METHOD(real)
TS_METHOD(whole)
TS_METHOD(truth)
TS_METHOD(complex)

#define TS_CELL_V(name, method, V, label) Cell<V, op_##name, as_##method<op_##name>>::fn
#define TS_CELL_S TS_CELL_V
#define TS_NO_CELL nullptr
constexpr cuda::emit::RecordFn kExpressions[][kComputes] = {
#include "gen/pointwise_entries.inc"
};

}  // namespace
}  // namespace ptx

namespace cuda::emit {

RecordFn expression_of(PointwiseId id, Compute compute) { return ptx::kExpressions[static_cast<int>(id)][static_cast<int>(compute)]; }

}  // namespace cuda::emit
}  // namespace torchscript
