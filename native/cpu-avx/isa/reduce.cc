// Folds of reductions. Four vectors accumulate side by side in the element's type; at most 256 vectors (or 64 rows) are
// summed so before they join the float64 accumulator.
#include "cpu-avx/math_scalar.h"

#include "cpu-avx/reduce.h"

namespace torchscript {
namespace TS_ISA {
namespace {

#define TS_STRING_(x) #x
#define TS_STRING(x) TS_STRING_(x)

using I64 = Whole<int64_t>;
using C128 = Complex<double>;

template <class V> struct Lanes {  // of a vector, and its accumulator
  using Memory = typename V::Element;
  using Acc = double;
  static TS_INLINE V load(const Memory* p) { return V::load(p); }
  static TS_INLINE V splat(Acc x) { return V(static_cast<Memory>(x)); }
};
template <> struct Lanes<I64> {
  using Memory = I64;
  using Acc = I64;
  static TS_INLINE I64 load(const I64* p) { return *p; }
  static TS_INLINE I64 splat(I64 x) { return x; }
};
template <> struct Lanes<C128> {
  using Memory = C128;
  using Acc = C128;
  static TS_INLINE C128 load(const C128* p) { return *p; }
  static TS_INLINE C128 splat(C128 x) { return x; }
};

struct AddOp {
  template <class V> static TS_INLINE V join(V a, V b) { return a + b; }
};
struct MulOp {
  template <class V> static TS_INLINE V join(V a, V b) { return a * b; }
};
struct MaxOp {
  template <class V> static TS_INLINE V join(V a, V b) { return max_nan(a, b); }
  static TS_INLINE double join(double a, double b) { return a != a || a > b ? a : b; }
  static TS_INLINE C128 join(C128 a, C128) { return a; }
};
struct MinOp {
  template <class V> static TS_INLINE V join(V a, V b) { return min_nan(a, b); }
  static TS_INLINE double join(double a, double b) { return a != a || a < b ? a : b; }
  static TS_INLINE C128 join(C128 a, C128) { return a; }
};

TS_INLINE C128 magnitude(C128 x) { return {abs(x), 0}; }
template <class V> TS_INLINE V magnitude(V x) { return abs(x); }
TS_INLINE C128 squared(C128 x) { return {x.re * x.re + x.im * x.im, 0}; }
template <class V> TS_INLINE V squared(V x) { return x * x; }
template <class V> TS_INLINE V zero_of() { return constant<V>(0.0); }
template <class V> TS_INLINE V one_of() { return constant<V>(1.0); }

struct Plain {
  template <class V> static TS_INLINE V map(V x, V) { return x; }
};
struct Magnitude {
  template <class V> static TS_INLINE V map(V x, V) { return magnitude(x); }
};
struct Square {
  template <class V> static TS_INLINE V map(V x, V) { return squared(x); }
};
struct Power {
  template <class V> static TS_INLINE V map(V x, V p) { return pow(magnitude(x), p); }
};
struct NonZeroMap {
  template <class V> static TS_INLINE V map(V x, V) { return select(x != zero_of<V>(), one_of<V>(), zero_of<V>()); }
};
struct NanToZero {
  template <class V> static TS_INLINE V map(V x, V) { return select(is_nan(x), zero_of<V>(), x); }
};
struct NotNanMap {
  template <class V> static TS_INLINE V map(V x, V) { return select(is_nan(x), zero_of<V>(), one_of<V>()); }
};
struct Deviation {
  template <class V> static TS_INLINE V map(V x, V p) { return squared(x - p); }
};
struct ExpShifted {
  template <class V> static TS_INLINE V map(V x, V p) { return exp(x - p); }
  static TS_INLINE I64 map(I64 x, I64) { return x; }
};

// Joins the lanes of v into acc.
template <class Op, class V> TS_INLINE void fold_lanes(double& acc, V v) {
  typename V::Element lanes[V::kWidth];
  v.store(lanes);
  for (int i = 0; i < V::kWidth; i++) acc = Op::join(acc, static_cast<double>(lanes[i]));
}
template <class Op> TS_INLINE void fold_lanes(I64& acc, I64 v) { acc = Op::join(acc, v); }
template <class Op> TS_INLINE void fold_lanes(C128& acc, C128 v) { acc = Op::join(acc, v); }

template <class V, class Map, class Op> void fold_row(void* acc_, const void* x_, int64_t n, const void* param_) {
  using L = Lanes<V>;
  using Memory = typename L::Memory;
  using Acc = typename L::Acc;
  constexpr int width = V::kWidth;
  const Memory* x = static_cast<const Memory*>(x_);
  Acc acc = *static_cast<const Acc*>(acc_);
  const V p = param_ ? L::splat(*static_cast<const Acc*>(param_)) : zero_of<V>();
  if constexpr (!__is_same(Acc, double)) {
    for (int64_t i = 0; i < n; i++) acc = Op::join(acc, Map::map(x[i], p));
    *static_cast<Acc*>(acc_) = acc;
    return;
  } else {
    while (n >= 4 * width) {
      const int64_t block = n < 256 * width ? n : 256 * width;
      V a = Map::map(L::load(x), p), b = Map::map(L::load(x + width), p), c = Map::map(L::load(x + 2 * width), p),
        d = Map::map(L::load(x + 3 * width), p);
      int64_t i = 4 * width;
      for (; i + 4 * width <= block; i += 4 * width) {
        a = Op::join(a, Map::map(L::load(x + i), p));
        b = Op::join(b, Map::map(L::load(x + i + width), p));
        c = Op::join(c, Map::map(L::load(x + i + 2 * width), p));
        d = Op::join(d, Map::map(L::load(x + i + 3 * width), p));
      }
      fold_lanes<Op>(acc, Op::join(Op::join(a, b), Op::join(c, d)));
      x += i;
      n -= i;
    }
    for (; n >= width; n -= width, x += width) fold_lanes<Op>(acc, Map::map(L::load(x), p));
    if constexpr (width > 1) {
      if (n > 0) {
        Memory lanes[width];
        Map::map(V::load_partial(x, static_cast<int>(n)), p).store(lanes);
        for (int i = 0; i < n; i++) acc = Op::join(acc, static_cast<double>(lanes[i]));
      }
    }
    *static_cast<Acc*>(acc_) = acc;
  }
}

template <class V, class Map, class Op>
void fold_columns(void* acc_, const void* x_, int64_t n, int64_t rows, int64_t row_stride, const void* param_) {
  using L = Lanes<V>;
  using Memory = typename L::Memory;
  using Acc = typename L::Acc;
  constexpr int width = V::kWidth;
  const Memory* x = static_cast<const Memory*>(x_);
  Acc* acc = static_cast<Acc*>(acc_);
  const Acc* param = static_cast<const Acc*>(param_);
  int64_t i = 0;
  if constexpr (width > 1) {
    // Four vectors side by side: whole cache lines of each row.
    for (; !param && i + 4 * width <= n; i += 4 * width) {
      const V p = zero_of<V>();
      for (int64_t r = 0; r < rows;) {
        const int64_t end = r + 64 < rows ? r + 64 : rows;
        const Memory* line = x + i + r * row_stride;
        V a = Map::map(V::load(line), p), b = Map::map(V::load(line + width), p), c = Map::map(V::load(line + 2 * width), p),
          d = Map::map(V::load(line + 3 * width), p);
        for (r++; r < end; r++) {
          line += row_stride;
          a = Op::join(a, Map::map(V::load(line), p));
          b = Op::join(b, Map::map(V::load(line + width), p));
          c = Op::join(c, Map::map(V::load(line + 2 * width), p));
          d = Op::join(d, Map::map(V::load(line + 3 * width), p));
        }
        Memory lanes[4 * width];
        a.store(lanes);
        b.store(lanes + width);
        c.store(lanes + 2 * width);
        d.store(lanes + 3 * width);
        for (int j = 0; j < 4 * width; j++) acc[i + j] = Op::join(acc[i + j], static_cast<double>(lanes[j]));
      }
    }
  }
  for (; i + width <= n; i += width) {
    V p = zero_of<V>();
    if (param) {
      if constexpr (width > 1) {
        Memory lanes[width];
        for (int j = 0; j < width; j++) lanes[j] = static_cast<Memory>(param[i + j]);
        p = V::load(lanes);
      } else {
        p = L::splat(param[i]);
      }
    }
    for (int64_t r = 0; r < rows;) {
      const int64_t end = r + 64 < rows ? r + 64 : rows;
      V a = Map::map(L::load(x + i + r * row_stride), p);
      for (r++; r < end; r++) a = Op::join(a, Map::map(L::load(x + i + r * row_stride), p));
      if constexpr (width > 1) {
        Memory lanes[width];
        a.store(lanes);
        for (int j = 0; j < width; j++) acc[i + j] = Op::join(acc[i + j], static_cast<double>(lanes[j]));
      } else {
        fold_lanes<Op>(acc[i], a);
      }
    }
  }
  if constexpr (width > 1) {
    const int rest = static_cast<int>(n - i);
    if (rest > 0) {
      Memory lanes[width] = {};
      if (param)
        for (int j = 0; j < rest; j++) lanes[j] = static_cast<Memory>(param[i + j]);
      const V p = V::load(lanes);
      for (int64_t r = 0; r < rows;) {
        const int64_t end = r + 64 < rows ? r + 64 : rows;
        V a = Map::map(V::load_partial(x + i + r * row_stride, rest), p);
        for (r++; r < end; r++) a = Op::join(a, Map::map(V::load_partial(x + i + r * row_stride, rest), p));
        a.store(lanes);
        for (int j = 0; j < rest; j++) acc[i + j] = Op::join(acc[i + j], static_cast<double>(lanes[j]));
      }
    }
  }
}

#define TS_FOLD(name, Map, Op)                                                                           \
  {                                                                                                      \
    {fold_row<VecF, Map, Op>, fold_columns<VecF, Map, Op>, "reduce_" #name "_f32_" TS_STRING(TS_ISA)},   \
      {fold_row<VecD, Map, Op>, fold_columns<VecD, Map, Op>, "reduce_" #name "_f64_" TS_STRING(TS_ISA)}, \
      {fold_row<I64, Map, Op>, fold_columns<I64, Map, Op>, "reduce_" #name "_i64_" TS_STRING(TS_ISA)}, { \
      fold_row<C128, Map, Op>, fold_columns<C128, Map, Op>, "reduce_" #name "_c128_" TS_STRING(TS_ISA)   \
    }                                                                                                    \
  }

}  // namespace

extern const ReduceTable reduce_table;
constinit const ReduceTable reduce_table = {
  {TS_FOLD(sum, Plain, AddOp), TS_FOLD(prod, Plain, MulOp), TS_FOLD(max, Plain, MaxOp), TS_FOLD(min, Plain, MinOp),
   TS_FOLD(abs_sum, Magnitude, AddOp), TS_FOLD(square_sum, Square, AddOp), TS_FOLD(abs_max, Magnitude, MaxOp),
   TS_FOLD(abs_min, Magnitude, MinOp), TS_FOLD(pow_sum, Power, AddOp), TS_FOLD(non_zero, NonZeroMap, AddOp),
   TS_FOLD(nan_sum, NanToZero, AddOp), TS_FOLD(not_nan, NotNanMap, AddOp), TS_FOLD(square_deviation, Deviation, AddOp),
   TS_FOLD(exp_sum, ExpShifted, AddOp)}};

}  // namespace TS_ISA
}  // namespace torchscript
