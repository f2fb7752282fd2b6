// Integers of math_scalar.h that write PTX instructions. Complex numbers have none.
#pragma once

namespace torchscript {
namespace TS_ISA {

struct Truth {
  Value v;
};
inline Truth operator&(Truth a, Truth b) { return {ptx(Type::Pred, "and.pred", {a.v, b.v})}; }
inline Truth operator|(Truth a, Truth b) { return {ptx(Type::Pred, "or.pred", {a.v, b.v})}; }
inline Truth operator^(Truth a, Truth b) { return {ptx(Type::Pred, "xor.pred", {a.v, b.v})}; }
inline Truth operator~(Truth a) { return {ptx(Type::Pred, "not.pred", {a.v})}; }

// Bytes lie in 32-bit registers, without what is above them.
template <class T> struct Whole {
  static constexpr int kWidth = 1;
  static constexpr bool kLong = sizeof(T) == 8;
  static constexpr Type kType = kLong ? Type::B64 : Type::B32;
  using Element = T;
  using Mask = Truth;
  Value v;
  Whole() = default;
  Whole(T x) : v(kLong ? known_b64(static_cast<int64_t>(x)) : known_b32(static_cast<int32_t>(x))) {}
  // The instruction of this width, its result within it.
  static Whole op(const char* of_32, const char* of_64, std::initializer_list<Value> args) {
    Whole r;
    r.v = ptx(kType, kLong ? of_64 : of_32, args);
    if constexpr (sizeof(T) == 1) r.v = ptx(Type::B32, "and.b32", {r.v, known_b32(255)});
    return r;
  }
};
#define TS_WHOLE template <class T> Whole<T>
#define TS_WHOLE_2(name, mnemonic, suffix) \
  TS_WHOLE name(Whole<T> a, Whole<T> b) { return Whole<T>::op(mnemonic "." suffix "32", mnemonic "." suffix "64", {a.v, b.v}); }
TS_WHOLE_2(operator+, "add", "s")
TS_WHOLE_2(operator-, "sub", "s")
TS_WHOLE_2(operator*, "mul.lo", "s")
TS_WHOLE_2(operator&, "and", "b")
TS_WHOLE_2(operator|, "or", "b")
TS_WHOLE_2(operator^, "xor", "b")
TS_WHOLE_2(max, "max", "s")
TS_WHOLE_2(min, "min", "s")
#undef TS_WHOLE_2
TS_WHOLE operator-(Whole<T> a) { return Whole<T>::op("neg.s32", "neg.s64", {a.v}); }
TS_WHOLE operator~(Whole<T> a) { return Whole<T>::op("not.b32", "not.b64", {a.v}); }
#define TS_COMPARE(op, mnemonic)                                                                               \
  template <class T> Truth operator op(Whole<T> a, Whole<T> b) {                                               \
    return {ptx(Type::Pred, Whole<T>::kLong ? "setp." mnemonic ".s64" : "setp." mnemonic ".s32", {a.v, b.v})}; \
  }
TS_COMPARE(==, "eq")
TS_COMPARE(!=, "ne")
TS_COMPARE(<, "lt")
TS_COMPARE(<=, "le")
TS_COMPARE(>, "gt")
TS_COMPARE(>=, "ge")
#undef TS_COMPARE
TS_WHOLE select(Truth c, Whole<T> a, Whole<T> b) { return Whole<T>::op("selp.b32", "selp.b64", {a.v, b.v, c.v}); }
TS_WHOLE abs(Whole<T> a) { return Whole<T>::op("abs.s32", "abs.s64", {a.v}); }
TS_WHOLE max_nan(Whole<T> a, Whole<T> b) { return max(a, b); }
TS_WHOLE min_nan(Whole<T> a, Whole<T> b) { return min(a, b); }
inline Truth never() { return {ptx(Type::Pred, "setp.ne.s32", {known_b32(0), known_b32(0)})}; }
template <class T> Truth is_nan(Whole<T>) { return never(); }
template <class T> Truth is_inf(Whole<T>) { return never(); }
TS_WHOLE trunc_div(Whole<T> a, Whole<T> b) {
  const Whole<T> zero(0), q = Whole<T>::op("div.s32", "div.s64", {a.v, b.v});
  return select(b == zero, zero, select(b == Whole<T>(static_cast<T>(-1)), -a, q));
}
TS_WHOLE fmod(Whole<T> a, Whole<T> b) {
  const Whole<T> zero(0), r = Whole<T>::op("rem.s32", "rem.s64", {a.v, b.v});
  return select((b == zero) | (b == Whole<T>(static_cast<T>(-1))), zero, r);
}
// The remainder `r` is on the other side of zero than the divisor.
template <class T> Truth is_beyond(Whole<T> r, Whole<T> a, Whole<T> b) {
  const Whole<T> zero(0);
  return (r != zero) & ((a < zero) ^ (b < zero));
}
TS_WHOLE floor_div(Whole<T> a, Whole<T> b) {
  const Whole<T> q = trunc_div(a, b);
  return select(is_beyond(fmod(a, b), a, b), q - Whole<T>(1), q);
}
TS_WHOLE remainder(Whole<T> a, Whole<T> b) {
  const Whole<T> r = fmod(a, b);
  return select(is_beyond(r, r, b), r + b, r);
}
TS_WHOLE refused(const char* what) {
  recorder().refuse(what);
  return Whole<T>(0);
}
TS_WHOLE pow(Whole<T>, Whole<T>) { return refused<T>("a power of integers"); }
TS_WHOLE gcd(Whole<T>, Whole<T>) { return refused<T>("a greatest common divisor"); }
TS_WHOLE lcm(Whole<T>, Whole<T>) { return refused<T>("a least common multiple"); }
// Counts beyond the width, negative ones included.
template <class T> Value shift_count(Whole<T> b, int64_t most) {
  if constexpr (Whole<T>::kLong) return ptx(Type::B32, "cvt.u32.u64", {ptx(Type::B64, "min.u64", {b.v, known_b64(most)})});
  else return ptx(Type::B32, "min.u32", {b.v, known_b32(static_cast<int32_t>(most))});
}
TS_WHOLE shift_left(Whole<T> a, Whole<T> b) { return Whole<T>::op("shl.b32", "shl.b64", {a.v, shift_count(b, sizeof(T) * 8)}); }
TS_WHOLE shift_right(Whole<T> a, Whole<T> b) { return Whole<T>::op("shr.s32", "shr.s64", {a.v, shift_count(b, sizeof(T) * 8 - 1)}); }
#undef TS_WHOLE

template <class R> struct Complex {
  using Element = Complex;
  using Mask = Truth;
  R re, im;
};

}  // namespace TS_ISA
}  // namespace torchscript
