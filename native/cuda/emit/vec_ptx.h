// Vectors of vec.h that hold no numbers: each operation writes its PTX instruction. With them the expressions of the CPU's kernels, and the functions
// of math.h that they call, write the device's code. Roundings are those of the CPU with fused multiply-add.
#pragma once
#include "cuda/emit/recorder.h"

namespace torchscript {
namespace TS_ISA {

using cuda::emit::known_b32;
using cuda::emit::known_b64;
using cuda::emit::known_f32;
using cuda::emit::known_f64;
using cuda::emit::recorder;
using cuda::emit::Type;
using cuda::emit::Value;

inline Value ptx(Type type, const char* mnemonic, std::initializer_list<Value> args) { return recorder().op(type, mnemonic, args); }
inline Value known_value(float x) { return known_f32(x); }
inline Value known_value(double x) { return known_f64(x); }
inline Value known_value(int32_t x) { return known_b32(x); }
inline Value known_value(int64_t x) { return known_b64(x); }

struct MaskF {
  Value v;
};
struct MaskD {
  Value v;
};
// Both sides of what depends on `any` are written.
#define TS_MASK_OPS(M)                                                               \
  inline M operator&(M a, M b) { return {ptx(Type::Pred, "and.pred", {a.v, b.v})}; } \
  inline M operator|(M a, M b) { return {ptx(Type::Pred, "or.pred", {a.v, b.v})}; }  \
  inline M operator^(M a, M b) { return {ptx(Type::Pred, "xor.pred", {a.v, b.v})}; } \
  inline M operator~(M a) { return {ptx(Type::Pred, "not.pred", {a.v})}; }           \
  inline bool any(M) { return true; }
TS_MASK_OPS(MaskF)
TS_MASK_OPS(MaskD)
#undef TS_MASK_OPS

// Elements that are taken out one by one are for functions of the C library, which the device does not have.
#define TS_VEC(V, T, M, type, suffix, unequal)                                                        \
  struct V {                                                                                          \
    static constexpr int kWidth = 1;                                                                  \
    using Element = T;                                                                                \
    using Mask = M;                                                                                   \
    Value v;                                                                                          \
    V() = default;                                                                                    \
    V(T x) : v(known_value(x)) {}                                                                     \
    static V of(Value v) {                                                                            \
      V r;                                                                                            \
      r.v = v;                                                                                        \
      return r;                                                                                       \
    }                                                                                                 \
    static V zero() { return V(T(0)); }                                                               \
    static V load(const T* p) { return V(*p); }                                                       \
    static V load_partial(const T* p, int) { return V(*p); }                                          \
    void store(T* p) const {                                                                          \
      *p = T(1);                                                                                      \
      recorder().refuse("a function of the C library");                                               \
    }                                                                                                 \
    void store_partial(T* p, int) const { store(p); }                                                 \
  };                                                                                                  \
  inline M operator==(V a, V b) { return {ptx(Type::Pred, "setp.eq." suffix, {a.v, b.v})}; }          \
  inline M operator!=(V a, V b) { return {ptx(Type::Pred, "setp." unequal "." suffix, {a.v, b.v})}; } \
  inline M operator<(V a, V b) { return {ptx(Type::Pred, "setp.lt." suffix, {a.v, b.v})}; }           \
  inline M operator<=(V a, V b) { return {ptx(Type::Pred, "setp.le." suffix, {a.v, b.v})}; }          \
  inline M operator>(V a, V b) { return {ptx(Type::Pred, "setp.gt." suffix, {a.v, b.v})}; }           \
  inline M operator>=(V a, V b) { return {ptx(Type::Pred, "setp.ge." suffix, {a.v, b.v})}; }          \
  inline V select(M m, V a, V b) { return V::of(ptx(type, "selp." suffix, {a.v, b.v, m.v})); }
TS_VEC(VecF, float, MaskF, Type::F32, "f32", "neu")
TS_VEC(VecD, double, MaskD, Type::F64, "f64", "neu")
TS_VEC(VecI, int32_t, MaskF, Type::B32, "s32", "ne")
TS_VEC(VecL, int64_t, MaskD, Type::B64, "s64", "ne")
#undef TS_VEC

#define TS_VEC_FLOAT(V, M, type, t)                                                        \
  inline V operator+(V a, V b) { return V::of(ptx(type, "add.rn." t, {a.v, b.v})); }       \
  inline V operator-(V a, V b) { return V::of(ptx(type, "sub.rn." t, {a.v, b.v})); }       \
  inline V operator*(V a, V b) { return V::of(ptx(type, "mul.rn." t, {a.v, b.v})); }       \
  inline V operator/(V a, V b) {                                                           \
    if (a.v.known && a.v.bits == V(1).v.bits) return V::of(ptx(type, "rcp.rn." t, {b.v})); \
    return V::of(ptx(type, "div.rn." t, {a.v, b.v}));                                      \
  }                                                                                        \
  inline V operator-(V a) { return V::of(ptx(type, "neg." t, {a.v})); }                    \
  inline V fma(V a, V b, V c) { return V::of(ptx(type, "fma.rn." t, {a.v, b.v, c.v})); }   \
  inline V fms(V a, V b, V c) { return fma(a, b, -c); }                                    \
  inline V fnma(V a, V b, V c) { return fma(-a, b, c); }                                   \
  inline V max(V a, V b) { return select(a > b, a, b); }                                   \
  inline V min(V a, V b) { return select(a < b, a, b); }                                   \
  inline V abs(V a) { return V::of(ptx(type, "abs." t, {a.v})); }                          \
  inline V sqrt(V a) { return V::of(ptx(type, "sqrt.rn." t, {a.v})); }                     \
  inline V floor(V a) { return V::of(ptx(type, "cvt.rmi." t "." t, {a.v})); }              \
  inline V ceil(V a) { return V::of(ptx(type, "cvt.rpi." t "." t, {a.v})); }               \
  inline V trunc(V a) { return V::of(ptx(type, "cvt.rzi." t "." t, {a.v})); }              \
  inline V round_even(V a) { return V::of(ptx(type, "cvt.rni." t "." t, {a.v})); }         \
  inline V copysign(V a, V b) { return V::of(ptx(type, "copysign." t, {b.v, a.v})); }      \
  inline M is_nan(V a) { return {ptx(Type::Pred, "setp.nan." t, {a.v, a.v})}; }
TS_VEC_FLOAT(VecF, MaskF, Type::F32, "f32")
TS_VEC_FLOAT(VecD, MaskD, Type::F64, "f64")
#undef TS_VEC_FLOAT

#define TS_VEC_INT(V, type, bits)                                                             \
  inline V operator+(V a, V b) { return V::of(ptx(type, "add.s" bits, {a.v, b.v})); }         \
  inline V operator-(V a, V b) { return V::of(ptx(type, "sub.s" bits, {a.v, b.v})); }         \
  inline V operator*(V a, V b) { return V::of(ptx(type, "mul.lo.s" bits, {a.v, b.v})); }      \
  inline V operator&(V a, V b) { return V::of(ptx(type, "and.b" bits, {a.v, b.v})); }         \
  inline V operator|(V a, V b) { return V::of(ptx(type, "or.b" bits, {a.v, b.v})); }          \
  inline V operator^(V a, V b) { return V::of(ptx(type, "xor.b" bits, {a.v, b.v})); }         \
  inline V operator~(V a) { return V::of(ptx(type, "not.b" bits, {a.v})); }                   \
  template <int k> V shl(V a) { return V::of(ptx(type, "shl.b" bits, {a.v, known_b32(k)})); } \
  template <int k> V shr(V a) { return V::of(ptx(type, "shr.u" bits, {a.v, known_b32(k)})); }
TS_VEC_INT(VecI, Type::B32, "32")
TS_VEC_INT(VecL, Type::B64, "64")
#undef TS_VEC_INT
template <int k> VecI sar(VecI a) { return VecI::of(ptx(Type::B32, "shr.s32", {a.v, known_b32(k)})); }

inline VecI as_int(VecF a) { return VecI::of(ptx(Type::B32, "mov.b32", {a.v})); }
inline VecF as_float(VecI a) { return VecF::of(ptx(Type::F32, "mov.b32", {a.v})); }
inline VecL as_int(VecD a) { return VecL::of(ptx(Type::B64, "mov.b64", {a.v})); }
inline VecD as_float(VecL a) { return VecD::of(ptx(Type::F64, "mov.b64", {a.v})); }
// Out of range: INT_MIN, as on the CPU.
inline VecI to_int(VecF a) {
  const VecI whole = VecI::of(ptx(Type::B32, "cvt.rzi.s32.f32", {a.v}));
  return select((a >= VecF(-0x1p31f)) & (a < VecF(0x1p31f)), whole, VecI(INT32_MIN));
}
// Of what math.h rounds, which is in range or NaN.
inline VecI round_to_int(VecF a) { return VecI::of(ptx(Type::B32, "cvt.rni.s32.f32", {a.v})); }
inline VecF to_float(VecI a) { return VecF::of(ptx(Type::F32, "cvt.rn.f32.s32", {a.v})); }

inline VecF load_f16(const uint16_t*) { return VecF::zero(); }
inline VecF load_bf16(const uint16_t*) { return VecF::zero(); }
inline void store_f16(uint16_t*, VecF) {}
inline void store_bf16(uint16_t*, VecF) {}

// What math.h leaves to the C library (vec_far.h).
VecF sin_far(VecF x);
VecF cos_far(VecF x);
VecF tan_far(VecF x);
VecF pow_special(VecF x, VecF y);

}  // namespace TS_ISA
}  // namespace torchscript
