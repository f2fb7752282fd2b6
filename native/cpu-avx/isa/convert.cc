// Conversions between element types and compute types, on contiguous elements. Float to integer truncates; out of range
// gives what x86 gives: the smallest int32 or int64, and through int32 for narrower integers.
#include "cpu-avx/vec.h"

#include "cpu-avx/pointwise.h"

namespace torchscript {
namespace TS_ISA {
namespace {

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};
struct Truth {
  uint8_t byte;
};
template <class R> struct Pair { R re, im; };
// Eight bits: a sign, Exponent and Mantissa bits. IEEE's specials, or NaN alone: all ones, or (Fnuz) the code of minus zero.
enum class Specials { Ieee, AllOnes, Fnuz };
template <int Exponent, int Mantissa, int Bias, Specials special> struct Eight {
  uint8_t bits;
  TS_INLINE float value() const {
    const int e = bits >> Mantissa & ((1 << Exponent) - 1), m = bits & ((1 << Mantissa) - 1);
    const float sign = bits >> 7 ? -1.0f : 1.0f;
    if (special == Specials::Fnuz && bits == 0x80) return __builtin_nanf("");
    if (special == Specials::AllOnes && (bits & 0x7f) == 0x7f) return __builtin_nanf("");
    if (special == Specials::Ieee && e == (1 << Exponent) - 1) return m ? __builtin_nanf("") : sign * __builtin_inff();
    const float whole = e == 0 ? static_cast<float>(m) : static_cast<float>(m + (1 << Mantissa));
    return sign * __builtin_ldexpf(whole, (e == 0 ? 1 : e) - Bias - Mantissa);
  }
};
// A power of two, and no sign.
struct PowerOfTwo {
  uint8_t bits;
  TS_INLINE float value() const { return bits == 0xff ? __builtin_nanf("") : __builtin_ldexpf(1.0f, bits - 127); }
};

TS_INLINE float widen(Half h) { return f16_to_f32(h.bits); }
TS_INLINE float widen(Brain h) { return bf16_to_f32(h.bits); }
TS_INLINE uint8_t widen(Truth t) { return t.byte != 0; }
template <int E, int M, int B, Specials S> TS_INLINE float widen(Eight<E, M, B, S> x) { return x.value(); }
TS_INLINE float widen(PowerOfTwo x) { return x.value(); }
template <class T> TS_INLINE T widen(T x) { return x; }

template <class To, class From> struct Convert;
template <class T> constexpr bool kIsPair = false;
template <class R> constexpr bool kIsPair<Pair<R>> = true;
template <class T> constexpr bool kIsFloat = __is_same(T, float) || __is_same(T, double);

template <class To, class From> TS_INLINE To number(From x) {  // between plain numbers
  if constexpr (kIsFloat<From> && !kIsFloat<To> && sizeof(To) < 4) return static_cast<To>(static_cast<int32_t>(x));
  else if constexpr (kIsFloat<From> && __is_same(To, uint32_t)) return static_cast<To>(static_cast<int64_t>(x));
  else if constexpr (kIsFloat<From> && __is_same(To, uint64_t))
    return x >= From(0x1p63) ? static_cast<To>(x) : static_cast<To>(static_cast<int64_t>(x));
  else return static_cast<To>(x);
}
template <class To, class From> TS_INLINE To convert(From from) {
  const auto x = widen(from);
  using X = __typeof__(widen(from));
  if constexpr (kIsPair<To>) {
    using R = decltype(To::re);
    if constexpr (kIsPair<X>) return {convert<R>(x.re), convert<R>(x.im)};
    else return {convert<R>(x), convert<R>(0)};
  } else if constexpr (__is_same(To, Truth)) {
    if constexpr (kIsPair<X>) return {static_cast<uint8_t>(convert<float>(x.re) != 0 || convert<float>(x.im) != 0)};
    else return {static_cast<uint8_t>(x != 0)};
  } else if constexpr (kIsPair<X>) {
    return convert<To>(x.re);
  } else if constexpr (__is_same(To, Half)) {
    return {f32_to_f16(number<float>(x))};
  } else if constexpr (__is_same(To, Brain)) {
    return {f32_to_bf16(number<float>(x))};
  } else {
    return number<To>(x);
  }
}

template <class To, class From> void loop(int64_t n, void* to, const void* from) {
  To* t = static_cast<To*>(to);
  const From* f = static_cast<const From*>(from);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) t[i] = convert<To>(f[i]);
}

template <VecF (*load)(const uint16_t*)> void load_halves(int64_t n, void* to, const void* from) {
  float* t = static_cast<float*>(to);
  const uint16_t* f = static_cast<const uint16_t*>(from);
  int64_t i = 0;
  for (; i + VecF::kWidth <= n; i += VecF::kWidth) load(f + i).store(t + i);
  if (i < n) {
    uint16_t rest[VecF::kWidth] = {};
    for (int64_t j = i; j < n; j++) rest[j - i] = f[j];
    load(rest).store_partial(t + i, static_cast<int>(n - i));
  }
}
template <void (*store)(uint16_t*, VecF)> void store_halves(int64_t n, void* to, const void* from) {
  uint16_t* t = static_cast<uint16_t*>(to);
  const float* f = static_cast<const float*>(from);
  int64_t i = 0;
  for (; i + VecF::kWidth <= n; i += VecF::kWidth) store(t + i, VecF::load(f + i));
  if (i < n) {
    uint16_t rest[VecF::kWidth];
    store(rest, VecF::load_partial(f + i, static_cast<int>(n - i)));
    for (int64_t j = i; j < n; j++) t[j] = rest[j - i];
  }
}

template <class From> void load_truth_of(int64_t n, void* to, const void* from) {
  uint8_t* t = static_cast<uint8_t*>(to);
  const From* f = static_cast<const From*>(from);
  for (int64_t i = 0; i < n; i++) t[i] = convert<Truth>(f[i]).byte;
}

template <class T> constexpr void fill_loads(ConvertTable& table, DType dtype) {
  ConvertFn* load = table.load[static_cast<int>(dtype)];
  load[static_cast<int>(Compute::F32)] = loop<float, T>;
  load[static_cast<int>(Compute::F64)] = loop<double, T>;
  load[static_cast<int>(Compute::I32)] = loop<int32_t, T>;
  load[static_cast<int>(Compute::I64)] = loop<int64_t, T>;
  load[static_cast<int>(Compute::B)] = load_truth_of<T>;
  load[static_cast<int>(Compute::C64)] = loop<Pair<float>, T>;
  load[static_cast<int>(Compute::C128)] = loop<Pair<double>, T>;
}
template <class T> constexpr void fill_row(ConvertTable& table, DType dtype) {
  const int d = static_cast<int>(dtype);
  fill_loads<T>(table, dtype);
  table.store[static_cast<int>(Compute::F32)][d] = loop<T, float>;
  table.store[static_cast<int>(Compute::F64)][d] = loop<T, double>;
  table.store[static_cast<int>(Compute::I32)][d] = loop<T, int32_t>;
  table.store[static_cast<int>(Compute::I64)][d] = loop<T, int64_t>;
  table.store[static_cast<int>(Compute::B)][d] = loop<T, uint8_t>;
  table.store[static_cast<int>(Compute::C64)][d] = loop<T, Pair<float>>;
  table.store[static_cast<int>(Compute::C128)][d] = loop<T, Pair<double>>;
}

constexpr ConvertTable make_table() {
  ConvertTable table{};
  fill_row<uint8_t>(table, DType::U8);
  fill_row<int8_t>(table, DType::I8);
  fill_row<int16_t>(table, DType::I16);
  fill_row<int32_t>(table, DType::I32);
  fill_row<int64_t>(table, DType::I64);
  fill_row<Half>(table, DType::F16);
  fill_row<Brain>(table, DType::BF16);
  fill_row<float>(table, DType::F32);
  fill_row<double>(table, DType::F64);
  fill_row<Pair<Half>>(table, DType::C32);
  fill_row<Pair<float>>(table, DType::C64);
  fill_row<Pair<double>>(table, DType::C128);
  fill_row<Truth>(table, DType::Bool);
  fill_row<uint16_t>(table, DType::U16);
  fill_row<uint32_t>(table, DType::U32);
  fill_row<uint64_t>(table, DType::U64);
  fill_loads<Eight<5, 2, 15, Specials::Ieee>>(table, DType::F8E5M2);
  fill_loads<Eight<4, 3, 7, Specials::AllOnes>>(table, DType::F8E4M3FN);
  fill_loads<Eight<5, 2, 16, Specials::Fnuz>>(table, DType::F8E5M2FNUZ);
  fill_loads<Eight<4, 3, 8, Specials::Fnuz>>(table, DType::F8E4M3FNUZ);
  fill_loads<PowerOfTwo>(table, DType::F8E8M0);
  table.load[static_cast<int>(DType::F16)][static_cast<int>(Compute::F32)] = load_halves<load_f16>;
  table.load[static_cast<int>(DType::BF16)][static_cast<int>(Compute::F32)] = load_halves<load_bf16>;
  table.store[static_cast<int>(Compute::F32)][static_cast<int>(DType::F16)] = store_halves<store_f16>;
  table.store[static_cast<int>(Compute::F32)][static_cast<int>(DType::BF16)] = store_halves<store_bf16>;
  return table;
}

}  // namespace

extern const ConvertTable convert_table;
constinit const ConvertTable convert_table = make_table();

}  // namespace TS_ISA
}  // namespace torchscript
