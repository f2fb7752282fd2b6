// Reductions by folding, in float, double or int64. Each output belongs to a thread, a warp or a block; few outputs of many elements are folded in
// parts, which a second launch folds.
// kernel: cpu-avx/reduce
#include "cuda/kernels/params_reduce.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

template <class A> TS_DEVICE A identity(int32_t op) {
  switch (op) {
    case kReduceProd: return A(1);
    case kReduceMax: return static_cast<A>(-INFINITY);
    case kReduceMin:
    case kReduceAbsMin: return static_cast<A>(INFINITY);
    default: return A(0);
  }
}
template <> TS_DEVICE int64_t identity<int64_t>(int32_t op) {
  return op == kReduceProd ? 1 : op == kReduceMax ? INT64_MIN : op == kReduceMin || op == kReduceAbsMin ? INT64_MAX : 0;
}

TS_DEVICE float magnitude(float x) { return fabsf(x); }
TS_DEVICE double magnitude(double x) { return fabs(x); }
TS_DEVICE float power(float x, float p) { return powf(x, p); }
TS_DEVICE double power(double x, double p) { return pow(x, p); }
TS_DEVICE float exponential(float x) { return expf(x); }
TS_DEVICE double exponential(double x) { return exp(x); }
TS_DEVICE float logarithm(float x) { return logf(x); }
TS_DEVICE double logarithm(double x) { return log(x); }
TS_DEVICE float root(float x) { return sqrtf(x); }
TS_DEVICE double root(double x) { return sqrt(x); }

// Of two folds.
template <class A> TS_DEVICE A join(int32_t op, A a, A b) {
  switch (op) {
    case kReduceProd: return a * b;
    case kReduceMax:
    case kReduceAbsMax: return larger(a, b);
    case kReduceMin:
    case kReduceAbsMin: return smaller(a, b);
    default: return a + b;
  }
}
template <> TS_DEVICE int64_t join<int64_t>(int32_t op, int64_t a, int64_t b) {
  switch (op) {
    case kReduceProd: return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    case kReduceMax: return a > b ? a : b;
    case kReduceMin: return a < b ? a : b;
    case kReduceXor: return a ^ b;
    default: return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
}

// What an element adds.
template <class A> TS_DEVICE A term(int32_t op, A x, A param, A exponent) {
  switch (op) {
    case kReduceAbsSum:
    case kReduceAbsMax:
    case kReduceAbsMin: return magnitude(x);
    case kReduceSquareSum: return x * x;
    case kReducePowSum: return power(magnitude(x), exponent);
    case kReduceNonZero: return A(x != 0);
    case kReduceNanSum: return x != x ? A(0) : x;
    case kReduceNotNan: return A(x == x);
    case kReduceSquareDeviation: return (x - param) * (x - param);
    case kReduceExpSum: return exponential(x - param);
    default: return x;
  }
}
template <> TS_DEVICE int64_t term<int64_t>(int32_t op, int64_t x, int64_t, int64_t) { return op == kReduceNonZero ? x != 0 : x; }

template <class A> TS_DEVICE A finished(const ReduceParams& p, A value, A param) {
  const A number = static_cast<A>(p.number);
  switch (p.finish) {
    case kFinishDivide: return value / number;
    case kFinishDivideBy: return value / param;
    case kFinishRoot: return root(value);
    case kFinishPower: return power(value, number);
    case kFinishDivideRoot: return root(value / number);
    case kFinishLogPlus: return logarithm(value) + param;
    case kFinishZeroIfInfinite: return magnitude(value) == static_cast<A>(INFINITY) ? A(0) : value;
    default: return value;
  }
}
template <> TS_DEVICE int64_t finished<int64_t>(const ReduceParams& p, int64_t value, int64_t) {
  return p.finish == kFinishAny ? value != 0 : p.finish == kFinishEqual ? value == p.count : value;
}

template <class A> TS_DEVICE void store_result(int32_t dtype, void* out, int64_t at, A value) {
  switch (dtype) {
    case kF16:
    case kBF16:
    case kF32:
    case kF64: store_real<A>(dtype, out, at, value); break;
    case kBool: static_cast<uint8_t*>(out)[at] = value != 0; break;
    case kU8:
    case kI8: static_cast<uint8_t*>(out)[at] = static_cast<uint8_t>(static_cast<int64_t>(value)); break;
    case kI16:
    case kU16: static_cast<uint16_t*>(out)[at] = static_cast<uint16_t>(static_cast<int64_t>(value)); break;
    case kI32:
    case kU32: static_cast<uint32_t*>(out)[at] = static_cast<uint32_t>(static_cast<int64_t>(value)); break;
    default: static_cast<int64_t*>(out)[at] = static_cast<int64_t>(value); break;
  }
}

template <class A, class T> struct Converted {
  static TS_DEVICE A of(T x) { return static_cast<A>(x); }
};
// Floats are counted only.
template <class T> TS_DEVICE int64_t counted(T x) { return x != 0; }
template <> struct Converted<int64_t, float> {
  static TS_DEVICE int64_t of(float x) { return counted(x); }
};
template <> struct Converted<int64_t, double> {
  static TS_DEVICE int64_t of(double x) { return counted(x); }
};
template <> struct Converted<int64_t, Half> {
  static TS_DEVICE int64_t of(Half x) { return counted(static_cast<float>(x)); }
};
template <> struct Converted<int64_t, BFloat> {
  static TS_DEVICE int64_t of(BFloat x) { return counted(static_cast<float>(x)); }
};

// This thread's share of positions [begin, end).
template <class T, class A> TS_DEVICE A fold_span(const ReduceParams& p, const T* x, int64_t begin, int64_t end, A param) {
  const int32_t op = p.op;
  const A exponent = static_cast<A>(p.exponent);
  A sum = identity<A>(op);
  const int64_t step = blockDim.x;
  int64_t i = begin + threadIdx.x;
  if (p.gone.ndim <= 1) {
    const int64_t stride = p.gone.ndim == 0 ? 0 : p.gone.strides[0][0];
    for (; i + 3 * step < end; i += 4 * step) {
      T read[4];
      for (int k = 0; k < 4; k++) read[k] = x[(i + k * step) * stride];
      for (int k = 0; k < 4; k++) sum = join<A>(op, sum, term<A>(op, Converted<A, T>::of(read[k]), param, exponent));
    }
    for (; i < end; i += step) sum = join<A>(op, sum, term<A>(op, Converted<A, T>::of(x[i * stride]), param, exponent));
  } else {
    for (; i < end; i += step) {
      int64_t at;
      offsets_of<1>(p.gone, static_cast<uint32_t>(i), &at);
      sum = join<A>(op, sum, term<A>(op, Converted<A, T>::of(x[at]), param, exponent));
    }
  }
  return sum;
}

template <class A> struct Elements;
template <> struct Elements<float> {
  static TS_DEVICE float fold(const ReduceParams& p, int64_t at, int64_t begin, int64_t end, float param) {
    switch (p.x_dtype) {
      case kF16: return fold_span<Half, float>(p, static_cast<const Half*>(p.x) + at, begin, end, param);
      case kBF16: return fold_span<BFloat, float>(p, static_cast<const BFloat*>(p.x) + at, begin, end, param);
      default: return fold_span<float, float>(p, static_cast<const float*>(p.x) + at, begin, end, param);
    }
  }
};
template <> struct Elements<double> {
  static TS_DEVICE double fold(const ReduceParams& p, int64_t at, int64_t begin, int64_t end, double param) {
    return fold_span<double, double>(p, static_cast<const double*>(p.x) + at, begin, end, param);
  }
};
template <> struct Elements<int64_t> {
  static TS_DEVICE int64_t fold(const ReduceParams& p, int64_t at, int64_t begin, int64_t end, int64_t param) {
    switch (p.x_dtype) {
      case kBool:
      case kU8: return fold_span<uint8_t, int64_t>(p, static_cast<const uint8_t*>(p.x) + at, begin, end, param);
      case kI8: return fold_span<int8_t, int64_t>(p, static_cast<const int8_t*>(p.x) + at, begin, end, param);
      case kI16: return fold_span<int16_t, int64_t>(p, static_cast<const int16_t*>(p.x) + at, begin, end, param);
      case kI32: return fold_span<int32_t, int64_t>(p, static_cast<const int32_t*>(p.x) + at, begin, end, param);
      case kF16: return fold_span<Half, int64_t>(p, static_cast<const Half*>(p.x) + at, begin, end, param);
      case kBF16: return fold_span<BFloat, int64_t>(p, static_cast<const BFloat*>(p.x) + at, begin, end, param);
      case kF32: return fold_span<float, int64_t>(p, static_cast<const float*>(p.x) + at, begin, end, param);
      case kF64: return fold_span<double, int64_t>(p, static_cast<const double*>(p.x) + at, begin, end, param);
      default: return fold_span<int64_t, int64_t>(p, static_cast<const int64_t*>(p.x) + at, begin, end, param);
    }
  }
};

template <class A> TS_DEVICE void reduce(const ReduceParams& p) {
  const int64_t n = p.gone.n;
  const int64_t length = (n + p.parts - 1) / p.parts, begin = length * blockIdx.y, end = begin + length < n ? begin + length : n;
  for (int64_t o = first_row(); o < p.kept.n; o += row_step()) {
    int64_t at[3];
    offsets_of<3>(p.kept, static_cast<uint32_t>(o), at);
    const A param = p.param ? static_cast<const A*>(p.param)[at[1]] : A(0);
    A value = Elements<A>::fold(p, at[2], begin, end, param);
    const int32_t op = p.op;
    value = group_fold(value, [op](A a, A b) { return join<A>(op, a, b); });
    if (threadIdx.x == 0) store_result<A>(p.out_dtype, p.out, at[0] + static_cast<int64_t>(blockIdx.y) * p.part_stride, finished<A>(p, value, param));
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, reduce_f32, const ReduceParams p) { reduce<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, reduce_f64, const ReduceParams p) { reduce<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, reduce_i64, const ReduceParams p) { reduce<int64_t>(p); }
