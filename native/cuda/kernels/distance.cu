// Distances between rows, membership in a set, and counts of whole numbers.
// kernel: cpu-avx/portable/distance, portable/search
#include "cuda/kernels/distance_params.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

TS_DEVICE float magnitude(float x) { return fabsf(x); }
TS_DEVICE double magnitude(double x) { return fabs(x); }
TS_DEVICE float power(float x, float p) { return powf(x, p); }
TS_DEVICE double power(double x, double p) { return pow(x, p); }
TS_DEVICE float root(float x) { return sqrtf(x); }
TS_DEVICE double root(double x) { return sqrt(x); }

// Pair k of n rows, (0, 1), (0, 2), ...: its rows. The first guess of the row is a root, which may be one off.
TS_DEVICE void pair_at(int64_t k, int64_t n, int64_t* i, int64_t* j) {
  const double b = static_cast<double>(n) - 0.5;
  int64_t row = static_cast<int64_t>(b - sqrt(b * b - 2.0 * static_cast<double>(k)));
  if (row < 0) row = 0;
  while (row > 0 && row * (2 * n - row - 1) / 2 > k) row--;
  while ((row + 1) * (2 * n - row - 2) / 2 <= k) row++;
  *i = row;
  *j = row + 1 + (k - row * (2 * n - row - 1) / 2);
}

// A group of threads an output.
template <class T> TS_DEVICE void distances(const DistanceParams& p) {
  const T exponent = static_cast<T>(p.p);
  for (int64_t o = first_row(); o < p.n; o += row_step()) {
    int64_t i, j;
    if (p.pairs) {
      pair_at(o, p.rows, &i, &j);
    } else {
      i = o / p.columns;
      j = i / p.rows * p.columns + o % p.columns;
    }
    const T* x = static_cast<const T*>(p.x) + i * p.width;
    const T* y = static_cast<const T*>(p.y) + j * p.width;
    T sum = 0;
    if (p.p == 2) {
      for (int64_t k = threadIdx.x; k < p.width; k += blockDim.x) sum += (x[k] - y[k]) * (x[k] - y[k]);
    } else if (p.p == 1) {
      for (int64_t k = threadIdx.x; k < p.width; k += blockDim.x) sum += magnitude(x[k] - y[k]);
    } else if (p.p == 0) {
      for (int64_t k = threadIdx.x; k < p.width; k += blockDim.x) sum += x[k] != y[k] ? T(1) : T(0);
    } else if (p.p == static_cast<double>(INFINITY)) {
      for (int64_t k = threadIdx.x; k < p.width; k += blockDim.x) sum = larger(sum, magnitude(x[k] - y[k]));
    } else {
      for (int64_t k = threadIdx.x; k < p.width; k += blockDim.x) sum += power(magnitude(x[k] - y[k]), exponent);
    }
    sum = p.p == static_cast<double>(INFINITY) ? group_fold(sum, LargerOf<T>{}) : group_fold(sum, AddOf<T>{});
    if (threadIdx.x != 0) continue;
    static_cast<T*>(p.out)[o] = p.p == 2 ? root(sum) : p.p == 0 || p.p == 1 || p.p == static_cast<double>(INFINITY) ? sum : power(sum, T(1) / exponent);
  }
}

template <class T> TS_DEVICE void members(const MemberParams& p) {
  const T* among = static_cast<const T*>(p.among);
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const T x = static_cast<const T*>(p.x)[i];
    // The first that is not less; NaN lies last and equals nothing.
    int64_t low = 0, high = p.m;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (among[p.order[middle]] < x) low = middle + 1;
      else high = middle;
    }
    const bool found = low < p.m && among[p.order[low]] == x;
    p.out[i] = found != (p.inverts != 0);
  }
}

template <class T> TS_DEVICE void weigh(const CountParams& p) {
  for (int64_t i = first_item(); i < p.n; i += item_step())
    atomicAdd(static_cast<T*>(p.counts) + p.x[i], p.weights ? static_cast<const T*>(p.weights)[i] : T(1));
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, distance_f32, const DistanceParams p) { distances<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, distance_f64, const DistanceParams p) { distances<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, member_f64, const MemberParams p) { members<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, member_i64, const MemberParams p) { members<int64_t>(p); }
TS_GLOBAL_BOUNDS(256, 2, count_i64, const CountParams p) { weigh<unsigned long long>(p); }
TS_GLOBAL_BOUNDS(256, 2, count_f32, const CountParams p) { weigh<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, count_f64, const CountParams p) { weigh<double>(p); }

// One block: the smallest and the largest of n numbers.
TS_GLOBAL_BOUNDS(256, 2, count_range, const int64_t* x, int64_t n, int64_t* range) {
  int64_t low = x[0], high = x[0];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  low = group_fold(low, [](int64_t a, int64_t b) { return a < b ? a : b; });
  high = group_fold(high, [](int64_t a, int64_t b) { return a > b ? a : b; });
  if (threadIdx.x == 0) range[0] = low, range[1] = high;
}
