#include "cuda/emit/expressions.h"

#define TS_ISA ptx
#define TS_INLINE inline
#define TS_VEC_HEADER "cuda/emit/vec_ptx.h"
#define TS_SCALAR_HEADER "cuda/emit/scalar_ptx.h"
// The C library's gives way to one that can be written.
#define fmod fmod_of_library
#include "cpu-avx/math.h"
#undef fmod

namespace torchscript {
namespace ptx {

VecF fmod(VecF a, VecF b);
inline VecD fmod(VecD a, VecD b) { return fmod_of_library(a, b); }

}  // namespace ptx
}  // namespace torchscript

#include "cpu-avx/math_scalar.h"
#include "cpu-avx/math_special.h"

namespace torchscript {
namespace ptx {

// ---- what math.h leaves to the C library on the CPU
namespace {

struct FarAngle {
  VecF rest;  // within pi / 4
  VecI quadrant;
};
// x modulo 2 pi by as many bits of 2 / pi as that takes (Payne and Hanek); NaN of infinity. For |x| of 2^13 or more.
FarAngle far_angle(VecF x) {
  const auto op = [](Type type, const char* mnemonic, std::initializer_list<Value> args) { return ptx(type, mnemonic, args); };
  constexpr uint32_t kBits[] = {0, 0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB};
  const VecI bits = as_int(x);
  // |x| = mantissa 2^(place - 32), place = 32 word + shift.
  const VecI mantissa = shl<8>(bits) | VecI(INT32_MIN), place = (shr<23>(bits) & VecI(255)) - VecI(126);
  const VecI word = sar<5>(place), shift = place & VecI(31);
  const auto part = [&](int at) {
    VecI chosen(static_cast<int32_t>(kBits[at + 4]));
    for (int q = 3; q >= 0; q--) chosen = select(word == VecI(q), VecI(static_cast<int32_t>(kBits[at + q])), chosen);
    return chosen;
  };
  const auto product = [&](int at) { return VecL::of(op(Type::B64, "mul.wide.u32", {mantissa.v, part(at).v})); };
  const auto upper = [&](VecL a) { return VecL::of(op(Type::B64, "shr.u64", {a.v, known_b32(32)})); };
  const auto lower = [&](VecL a) { return VecI::of(op(Type::B32, "cvt.u32.u64", {a.v})); };
  // Words of the product, from the integral part down.
  const VecL p2 = product(3) + upper(product(4)), p1 = product(2) + upper(p2), p0 = product(1) + upper(p1);
  const VecI whole = mantissa * part(0) + lower(upper(p0)), first = lower(p0), second = lower(p1), third = lower(p2);
  const auto shifted = [&](VecI a, VecI below) {
    const Value left = op(Type::B32, "shl.b32", {a.v, shift.v}), right = op(Type::B32, "shr.u32", {below.v, (VecI(32) - shift).v});
    return VecI::of(op(Type::B32, "or.b32", {left, right}));
  };
  const VecI turns = shifted(whole, first), high = shifted(first, second), low = shifted(second, third);
  const Value wide = op(Type::B64, "cvt.u64.u32", {high.v});
  const VecL fraction = VecL::of(op(Type::B64, "shl.b64", {wide, known_b32(32)})) | VecL::of(op(Type::B64, "cvt.u64.u32", {low.v}));
  const VecI nearest = turns + shr<31>(high);
  const VecD scaled = VecD::of(op(Type::F64, "cvt.rn.f64.s64", {fraction.v})) * VecD(0x1.921fb54442d18p-64);
  const VecF rest = VecF::of(op(Type::F32, "cvt.rn.f32.f64", {scaled.v}));
  const MaskF negative = bits < VecI(0);
  return {select(abs(x) < VecF(kInfF), select(negative, -rest, rest), VecF(kNanF)), select(negative, VecI(0) - nearest, nearest)};
}
// One of sine and cosine of the rest, with the sign of its quadrant.
VecF turned(const FarAngle& angle, VecI quadrant) {
  const SinCos parts = sincos_reduced(angle.rest);
  const VecF value = select((quadrant & VecI(1)) != VecI(0), parts.cos, parts.sin);
  return as_float(as_int(value) ^ shl<30>(quadrant & VecI(2)));
}
// Written behind a branch: few arguments are that large.
template <class F> VecF where_far(VecF x, const F& f) {
  auto branch = recorder().branch((abs(x) > VecF(8192.0f)).v, known_f32(0));
  return VecF::of(recorder().join(branch, f(far_angle(x)).v));
}

}  // namespace

VecF sin_far(VecF x) {
  return where_far(x, [](const FarAngle& a) { return turned(a, a.quadrant); });
}
VecF cos_far(VecF x) {
  return where_far(x, [](const FarAngle& a) { return turned(a, a.quadrant + VecI(1)); });
}
VecF tan_far(VecF x) {
  return where_far(x, [](const FarAngle& a) { return turned(a, a.quadrant) / turned(a, a.quadrant + VecI(1)); });
}
// What is left of |a| when |b| is taken away as often as it goes, in float64: each time a multiple of b by up to 2^28, whose product with b is exact.
VecF fmod(VecF a, VecF b) {
  const auto wide = [](VecF x) { return VecD::of(ptx(Type::F64, "cvt.f64.f32", {x.v})); };
  const auto exponent = [](VecD x) { return VecI::of(ptx(Type::B32, "cvt.u32.u64", {shr<52>(as_int(x)).v})); };
  const MaskF defined = (abs(a) < VecF(kInfF)) & (abs(b) > VecF(0.0f));
  const VecD step = wide(abs(b));
  auto loop = recorder().loop(wide(select(defined, abs(a), VecF(0.0f))).v);
  const VecD rest = VecD::of(loop.variable);
  recorder().leave_unless(loop, (rest >= step).v);
  const VecI apart = exponent(rest) - exponent(step) - VecI(26), scale = VecI::of(ptx(Type::B32, "max.s32", {apart.v, known_b32(0)}));
  const VecL power = VecL::of(ptx(Type::B64, "cvt.s64.s32", {(scale + VecI(1023)).v}));
  const VecD multiple = step * as_float(shl<52>(power)), next = fma(-trunc(rest / multiple), multiple, rest);
  // The quotient may have been rounded up to the next integer.
  recorder().again(loop, select(next < VecD(0.0), next + multiple, next).v);
  const VecF left = VecF::of(ptx(Type::F32, "cvt.rn.f32.f64", {rest.v}));
  return select(defined, copysign(left, a), VecF(kNanF));
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
template <class R, class Op, class Fn> struct Cell<Complex<R>, Op, Fn> { static constexpr cuda::emit::RecordFn fn = nullptr; };

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
