// Folds of segments, spaced numbers, mantissas and exponents, renormed rows, histograms, products of complex numbers.
// kernel: cpu-avx/reduce_segments, cpu-avx/create (linspace, logspace), cpu-avx/portable/search (histogram), embedding (renorm)
#include "cuda/kernels/prelude.cuh"
#include "cuda/kernels/rows.cuh"
#include "cuda/kernels/segments_params.h"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

TS_DEVICE void report(Fault* fault, uint64_t name, int64_t index, int64_t size) {
  if (fault->is_set) return;
  fault->index = index;
  fault->size = size;
  fault->op = name;
  __threadfence_system();
  fault->is_set = 1;
}

TS_DEVICE Complex128 times(Complex128 a, Complex128 b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

TS_DEVICE Complex128 number_of(const NumberParam& p) {
  if (!p.data) return {p.re, p.im};
  switch (p.dtype) {
    case kU8:
    case kBool: return {static_cast<double>(*static_cast<const uint8_t*>(p.data)), 0};
    case kI8: return {static_cast<double>(*static_cast<const int8_t*>(p.data)), 0};
    case kI16: return {static_cast<double>(*static_cast<const int16_t*>(p.data)), 0};
    case kI32: return {static_cast<double>(*static_cast<const int32_t*>(p.data)), 0};
    case kI64: return {static_cast<double>(*static_cast<const int64_t*>(p.data)), 0};
    case kC64: return {static_cast<const Complex64*>(p.data)->re, static_cast<const Complex64*>(p.data)->im};
    case kC128: return *static_cast<const Complex128*>(p.data);
    default: return {load_real<double>(p.dtype, p.data, 0), 0};
  }
}

template <class T> TS_DEVICE void histogram_edges(const WeighedBinsParams& p) {
  const T* x = static_cast<const T*>(p.x);
  T low = static_cast<T>(p.low), high = static_cast<T>(p.high);
  if (!p.ranged) {
    low = static_cast<T>(p.n > 0 ? INFINITY : 0), high = static_cast<T>(p.n > 0 ? -INFINITY : 1);
    for (int64_t i = threadIdx.x; i < p.n; i += blockDim.x) low = smaller(low, x[i]), high = larger(high, x[i]);
    low = group_fold(low, [](T a, T b) { return smaller(a, b); });
    high = group_fold(high, [](T a, T b) { return larger(a, b); });
  }
  if (low == high) low -= static_cast<T>(0.5), high += static_cast<T>(0.5);
  const T step = (high - low) / static_cast<T>(p.bins);
  T* edges = static_cast<T*>(p.edges);
  for (int64_t i = threadIdx.x; i <= p.bins; i += blockDim.x)
    edges[i] = i < (p.bins + 1) / 2 ? low + step * static_cast<T>(i) : high - step * static_cast<T>(p.bins - i);
}
template <class T> TS_DEVICE void histogram_count(const WeighedBinsParams& p) {
  const T *x = static_cast<const T*>(p.x), *edges = static_cast<const T*>(p.edges), *weights = static_cast<const T*>(p.weights);
  T* counts = static_cast<T*>(p.counts);
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const T v = x[i];
    if (!(v >= edges[0] && v <= edges[p.bins])) continue;
    int64_t begin = 0, end = p.bins + 1;  // the first edge beyond v
    while (begin < end) {
      const int64_t middle = (begin + end) / 2;
      if (edges[middle] > v) end = middle;
      else begin = middle + 1;
    }
    const int64_t at = begin - 1 < p.bins - 1 ? begin - 1 : p.bins - 1;
    atomicAdd(&counts[at], weights ? weights[i] : T(1));
  }
}
template <class T> TS_DEVICE void histogram_density(const WeighedBinsParams& p) {
  T *counts = static_cast<T*>(p.counts), *edges = static_cast<T*>(p.edges), total = 0;
  for (int64_t i = threadIdx.x; i < p.bins; i += blockDim.x) total += counts[i];
  total = group_fold(total, AddOf<T>());
  for (int64_t i = threadIdx.x; i < p.bins; i += blockDim.x) counts[i] = counts[i] / total / (edges[i + 1] - edges[i]);
}

}  // namespace

// Bounds of the segments of each row.
TS_GLOBAL(segment_bounds, const SegmentParams p) {
  const int64_t entries = p.count + (p.offsets ? 1 : 0);
  for (int64_t o = first_item(); o < p.outer; o += item_step()) {
    const int64_t* from = p.lengths + o * entries;
    int64_t* to = p.bounds + o * (p.count + 1);
    int64_t at = p.offsets ? from[0] : 0;
    for (int64_t k = 0; k <= p.count; k++) {
      int64_t next = k == 0 ? at : p.offsets ? from[k] : at + from[k - 1];
      if (next < (k == 0 ? 0 : at) || next > p.n) {
        report(p.fault, p.name, next, p.n + 1);
        next = k == 0 ? 0 : at;
      }
      to[k] = at = next;
    }
  }
}
TS_GLOBAL(segment_fold, const SegmentParams p) {
  const int64_t total = p.outer * p.count * p.inner;
  for (int64_t i = first_item(); i < total; i += item_step()) {
    const int64_t inner = i % p.inner, k = i / p.inner % p.count, o = i / p.inner / p.count;
    const int64_t begin = p.bounds[o * (p.count + 1) + k], end = p.bounds[o * (p.count + 1) + k + 1];
    double sum = p.initial;
    for (int64_t j = begin; j < end; j++) {
      const double v = p.x[(o * p.n + j) * p.inner + inner];
      switch (p.op) {
        case kSegmentMax: sum = sum != sum || sum > v ? sum : v; break;
        case kSegmentMin: sum = sum != sum || sum < v ? sum : v; break;
        case kSegmentProd: sum *= v; break;
        default: sum += v; break;
      }
    }
    if (p.op == kSegmentMean) sum = end > begin ? sum / static_cast<double>(end - begin) : p.given ? sum : static_cast<double>(NAN);
    p.out[i] = sum;
  }
}

TS_GLOBAL(frexp_f64, const FrexpParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    int exponent = 0;
    const double x = p.x[i];
    if (x - x == 0) p.x[i] = frexp(x, &exponent);
    p.exponents[i] = exponent;
  }
}

TS_GLOBAL(space_fill, const SpaceParams p) {
  Complex128 a = number_of(p.start), b = number_of(p.end);
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    if (p.complex) {
      const double t = static_cast<double>(i) / static_cast<double>(p.n > 1 ? p.n - 1 : 1);
      Complex128 v = {a.re + (b.re - a.re) * t, a.im + (b.im - a.im) * t};
      if (p.logarithmic) {
        const double m = pow(p.base, v.re), angle = v.im * log(p.base);
        v = {m * cos(angle), m * sin(angle)};
      }
      static_cast<Complex128*>(p.out)[i] = v;
      continue;
    }
    const double start = p.whole ? trunc(a.re) : a.re, end = p.whole ? trunc(b.re) : b.re;
    const double step = p.n > 1 ? (end - start) / static_cast<double>(p.n - 1) : 0;
    const double x = i < p.n / 2 || p.n == 1 ? start + step * static_cast<double>(i) : end - step * static_cast<double>(p.n - i - 1);
    static_cast<double*>(p.out)[i] = p.logarithmic ? pow(p.base, x) : x;
  }
}

TS_GLOBAL(renorm_mark, const RenormParams p) {
  for (int64_t i = first_item(); i < p.count; i += item_step()) {
    const int64_t row = p.index[i];
    if (row < 0 || row >= p.rows) report(p.fault, p.name, row, p.rows);
    else p.marks[row] = 1;
  }
}
TS_GLOBAL_BOUNDS(256, 2, renorm_rows, const RenormParams p) {
  const bool most = fabs(p.exponent) == static_cast<double>(INFINITY);
  for (int64_t row = first_row(); row < p.rows; row += row_step()) {
    if (!p.marks[row]) continue;
    double norm = 0;
    for (int64_t j = threadIdx.x; j < p.columns; j += blockDim.x) {
      const double v = fabs(load_real<double>(p.dtype, p.table, row * p.row_stride + j * p.column_stride));
      norm = most ? (v > norm ? v : norm) : norm + pow(v, p.exponent);
    }
    norm = group_fold(norm, [most](double a, double b) { return most ? (a > b ? a : b) : a + b; });
    if (!most) norm = pow(norm, 1 / p.exponent);
    if (norm <= p.limit) continue;
    const double scale = p.limit / (norm + 1e-7);
    for (int64_t j = threadIdx.x; j < p.columns; j += blockDim.x) {
      const int64_t at = row * p.row_stride + j * p.column_stride;
      store_real<double>(p.dtype, p.table, at, load_real<double>(p.dtype, p.table, at) * scale);
    }
  }
}

TS_GLOBAL_BOUNDS(256, 2, histogram_edges_f32, const WeighedBinsParams p) { histogram_edges<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, histogram_edges_f64, const WeighedBinsParams p) { histogram_edges<double>(p); }
TS_GLOBAL(histogram_count_f32, const WeighedBinsParams p) { histogram_count<float>(p); }
TS_GLOBAL(histogram_count_f64, const WeighedBinsParams p) { histogram_count<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, histogram_density_f32, const WeighedBinsParams p) { histogram_density<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, histogram_density_f64, const WeighedBinsParams p) { histogram_density<double>(p); }

// A warp for each product.
TS_GLOBAL_BOUNDS(256, 2, product_c128, const ComplexFoldParams p) {
  const int64_t total = p.outer * p.inner;
  for (int64_t i = first_row(); i < total; i += row_step()) {
    const Complex128* x = static_cast<const Complex128*>(p.x) + i / p.inner * p.n * p.inner + i % p.inner;
    Complex128 product = {1, 0};
    for (int64_t j = threadIdx.x; j < p.n; j += 32) product = times(product, x[j * p.inner]);
    for (int flip = 16; flip > 0; flip >>= 1)
      product = times(product, {__shfl_xor_sync(0xffffffffu, product.re, flip), __shfl_xor_sync(0xffffffffu, product.im, flip)});
    if (threadIdx.x == 0) static_cast<Complex128*>(p.out)[i] = product;
  }
}
TS_GLOBAL(running_product_c128, const ComplexFoldParams p) {
  for (int64_t i = first_item(); i < p.outer * p.inner; i += item_step()) {
    Complex128* x = static_cast<Complex128*>(p.x) + i / p.inner * p.n * p.inner + i % p.inner;
    for (int64_t j = 1; j < p.n; j++) x[j * p.inner] = times(x[(j - 1) * p.inner], x[j * p.inner]);
  }
}
TS_GLOBAL(running_sum_c128, const ComplexFoldParams p) {
  for (int64_t i = first_item(); i < p.outer * p.inner; i += item_step()) {
    Complex128* x = static_cast<Complex128*>(p.x) + i / p.inner * p.n * p.inner + i % p.inner;
    for (int64_t j = 1; j < p.n; j++) {
      x[j * p.inner].re += x[(j - 1) * p.inner].re;
      x[j * p.inner].im += x[(j - 1) * p.inner].im;
    }
  }
}
