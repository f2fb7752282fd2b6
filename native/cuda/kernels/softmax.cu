// Softmax and its logarithm of rows: maximum, sum of exponentials, quotient; rows are read three times, mostly from cache.
// kernel: cpu-avx/softmax
#include "cuda/kernels/params_rows.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE float exponential(float x) { return expf(x); }
TS_DEVICE double exponential(double x) { return exp(x); }
TS_DEVICE float logarithm(float x) { return logf(x); }
TS_DEVICE double logarithm(double x) { return log(x); }

template <class T, class A> TS_DEVICE void softmax(const SoftmaxParams& p) {
  const bool vectors = p.vectors != 0;
  for (int64_t row = first_row(); row < p.rows; row += row_step()) {
    const int64_t at = p.inner == 1 ? row * p.n : row / p.inner * p.n * p.inner + row % p.inner;
    const T* x = static_cast<const T*>(p.x) + at;
    T* out = static_cast<T*>(p.out) + at;
    A most = -INFINITY;
    each_of_row(x, p.n, p.inner, vectors, [&](int64_t, T v) { most = larger(static_cast<A>(v), most); });
    most = group_fold(most, LargerOf<A>());
    A sum = 0;
    each_of_row(x, p.n, p.inner, vectors, [&](int64_t, T v) { sum += exponential(static_cast<A>(v) - most); });
    sum = group_fold(sum, AddOf<A>());
    if (p.log) {
      const A shift = logarithm(sum);
      map_row(out, x, p.n, p.inner, vectors, [&](int64_t, T v) { return static_cast<A>(v) - most - shift; });
    } else {
      const bool zero = p.safe && most == -INFINITY;
      const A scale = 1 / sum;
      map_row(out, x, p.n, p.inner, vectors, [&](int64_t, T v) { return zero ? A(0) : exponential(static_cast<A>(v) - most) * scale; });
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, softmax_f32, const SoftmaxParams p) { softmax<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, softmax_f16, const SoftmaxParams p) { softmax<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, softmax_bf16, const SoftmaxParams p) { softmax<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, softmax_f64, const SoftmaxParams p) { softmax<double, double>(p); }
