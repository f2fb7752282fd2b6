// The scalar backend of vec.h: one lane.
#pragma once

namespace torchscript {
namespace TS_ISA {

struct MaskF {
  bool m;
};
struct MaskD {
  bool m;
};
#define TS_MASK_OPS(M)                                     \
  TS_INLINE M operator&(M a, M b) { return {a.m && b.m}; } \
  TS_INLINE M operator|(M a, M b) { return {a.m || b.m}; } \
  TS_INLINE M operator^(M a, M b) { return {a.m != b.m}; } \
  TS_INLINE M operator~(M a) { return {!a.m}; }            \
  TS_INLINE bool any(M a) { return a.m; }                  \
  TS_INLINE bool all(M a) { return a.m; }                  \
  TS_INLINE void store_mask(uint8_t* p, M a) { *p = a.m; }
TS_MASK_OPS(MaskF)
TS_MASK_OPS(MaskD)
#undef TS_MASK_OPS
TS_INLINE MaskF load_mask_f(const uint8_t* p) { return {*p != 0}; }
TS_INLINE MaskD load_mask_d(const uint8_t* p) { return {*p != 0}; }

#define TS_VEC(V, T, M)                                                                   \
  struct V {                                                                              \
    static constexpr int kWidth = 1;                                                      \
    using Element = T;                                                                    \
    using Mask = M;                                                                       \
    T v;                                                                                  \
    V() = default;                                                                        \
    TS_INLINE V(T x) : v(x) {}                                                            \
    static TS_INLINE V zero() { return V(T(0)); }                                         \
    static TS_INLINE V load(const T* p) { return V(*p); }                                 \
    static TS_INLINE V load_partial(const T* p, int n) { return n > 0 ? V(*p) : zero(); } \
    TS_INLINE void store(T* p) const { *p = v; }                                          \
    TS_INLINE void store_partial(T* p, int n) const {                                     \
      if (n > 0) *p = v;                                                                  \
    }                                                                                     \
  };                                                                                      \
  TS_INLINE M operator==(V a, V b) { return {a.v == b.v}; }                               \
  TS_INLINE M operator!=(V a, V b) { return {a.v != b.v}; }                               \
  TS_INLINE M operator<(V a, V b) { return {a.v < b.v}; }                                 \
  TS_INLINE M operator<=(V a, V b) { return {a.v <= b.v}; }                               \
  TS_INLINE M operator>(V a, V b) { return {a.v > b.v}; }                                 \
  TS_INLINE M operator>=(V a, V b) { return {a.v >= b.v}; }                               \
  TS_INLINE V select(M m, V a, V b) { return m.m ? a : b; }
TS_VEC(VecF, float, MaskF)
TS_VEC(VecD, double, MaskD)
TS_VEC(VecI, int32_t, MaskF)
TS_VEC(VecL, int64_t, MaskD)
#undef TS_VEC

#define TS_VEC_FLOAT(V, M, suffix)                                                   \
  TS_INLINE V operator+(V a, V b) { return V(a.v + b.v); }                           \
  TS_INLINE V operator-(V a, V b) { return V(a.v - b.v); }                           \
  TS_INLINE V operator*(V a, V b) { return V(a.v * b.v); }                           \
  TS_INLINE V operator/(V a, V b) { return V(a.v / b.v); }                           \
  TS_INLINE V operator-(V a) { return V(-a.v); }                                     \
  TS_INLINE V fma(V a, V b, V c) { return V(a.v * b.v + c.v); }                      \
  TS_INLINE V fms(V a, V b, V c) { return V(a.v * b.v - c.v); }                      \
  TS_INLINE V fnma(V a, V b, V c) { return V(c.v - a.v * b.v); }                     \
  TS_INLINE V max(V a, V b) { return V(a.v > b.v ? a.v : b.v); }                     \
  TS_INLINE V min(V a, V b) { return V(a.v < b.v ? a.v : b.v); }                     \
  TS_INLINE V abs(V a) { return V(__builtin_fabs##suffix(a.v)); }                    \
  TS_INLINE V sqrt(V a) { return V(__builtin_sqrt##suffix(a.v)); }                   \
  TS_INLINE V floor(V a) { return V(__builtin_floor##suffix(a.v)); }                 \
  TS_INLINE V ceil(V a) { return V(__builtin_ceil##suffix(a.v)); }                   \
  TS_INLINE V trunc(V a) { return V(__builtin_trunc##suffix(a.v)); }                 \
  TS_INLINE V round_even(V a) { return V(__builtin_nearbyint##suffix(a.v)); }        \
  TS_INLINE V copysign(V a, V b) { return V(__builtin_copysign##suffix(a.v, b.v)); } \
  TS_INLINE M is_nan(V a) { return {a.v != a.v}; }
TS_VEC_FLOAT(VecF, MaskF, f)
TS_VEC_FLOAT(VecD, MaskD, )
#undef TS_VEC_FLOAT
TS_INLINE float hsum(VecF a) { return a.v; }
TS_INLINE float hmax(VecF a) { return a.v; }
TS_INLINE float hmin(VecF a) { return a.v; }
TS_INLINE double hsum(VecD a) { return a.v; }
TS_INLINE double hmax(VecD a) { return a.v; }
TS_INLINE double hmin(VecD a) { return a.v; }

#define TS_VEC_INT(V, T, U)                                                                                \
  TS_INLINE V operator+(V a, V b) { return V(static_cast<T>(static_cast<U>(a.v) + static_cast<U>(b.v))); } \
  TS_INLINE V operator-(V a, V b) { return V(static_cast<T>(static_cast<U>(a.v) - static_cast<U>(b.v))); } \
  TS_INLINE V operator*(V a, V b) { return V(static_cast<T>(static_cast<U>(a.v) * static_cast<U>(b.v))); } \
  TS_INLINE V operator&(V a, V b) { return V(a.v & b.v); }                                                 \
  TS_INLINE V operator|(V a, V b) { return V(a.v | b.v); }                                                 \
  TS_INLINE V operator^(V a, V b) { return V(a.v ^ b.v); }                                                 \
  TS_INLINE V operator~(V a) { return V(~a.v); }                                                           \
  template <int k> TS_INLINE V shl(V a) { return V(static_cast<T>(static_cast<U>(a.v) << k)); }            \
  template <int k> TS_INLINE V shr(V a) { return V(static_cast<T>(static_cast<U>(a.v) >> k)); }
TS_VEC_INT(VecI, int32_t, uint32_t)
TS_VEC_INT(VecL, int64_t, uint64_t)
#undef TS_VEC_INT
template <int k> TS_INLINE VecI sar(VecI a) { return VecI(a.v >> k); }

TS_INLINE VecI as_int(VecF a) { return VecI(bit_cast<int32_t>(a.v)); }
TS_INLINE VecF as_float(VecI a) { return VecF(bit_cast<float>(a.v)); }
TS_INLINE VecI to_int(VecF a) { return VecI(a.v >= -2147483648.0f && a.v < 2147483648.0f ? static_cast<int32_t>(a.v) : INT32_MIN); }
TS_INLINE VecI round_to_int(VecF a) { return to_int(round_even(a)); }
TS_INLINE VecF to_float(VecI a) { return VecF(static_cast<float>(a.v)); }
TS_INLINE VecL as_int(VecD a) { return VecL(bit_cast<int64_t>(a.v)); }
TS_INLINE VecD as_float(VecL a) { return VecD(bit_cast<double>(a.v)); }

TS_INLINE VecF load_f16(const uint16_t* p) { return VecF(f16_to_f32(*p)); }
TS_INLINE VecF load_bf16(const uint16_t* p) { return VecF(bf16_to_f32(*p)); }
TS_INLINE void store_f16(uint16_t* p, VecF v) { *p = f32_to_f16(v.v); }
TS_INLINE void store_bf16(uint16_t* p, VecF v) { *p = f32_to_bf16(v.v); }

}  // namespace TS_ISA
}  // namespace torchscript
