// Dense linear algebra by one block a matrix, in double precision, real or complex. Every thread of the block calls every function; results are
// the same in all of them.
#pragma once
#include "cuda/kernels/linalg_params.h"
#include "cuda/kernels/prelude.cuh"
#include "cuda/kernels/rows.cuh"

namespace torchscript::cuda {

struct Cx {
  double re, im;
  Cx() = default;
  TS_DEVICE Cx(double r, double i = 0) : re(r), im(i) {}
};
TS_DEVICE Cx operator+(Cx a, Cx b) { return {a.re + b.re, a.im + b.im}; }
TS_DEVICE Cx operator-(Cx a, Cx b) { return {a.re - b.re, a.im - b.im}; }
TS_DEVICE Cx operator-(Cx a) { return {-a.re, -a.im}; }
TS_DEVICE Cx operator*(Cx a, Cx b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
TS_DEVICE Cx operator*(double a, Cx b) { return {a * b.re, a * b.im}; }
TS_DEVICE Cx operator*(Cx a, double b) { return {a.re * b, a.im * b}; }
TS_DEVICE Cx operator/(Cx a, double b) { return {a.re / b, a.im / b}; }
TS_DEVICE Cx operator/(Cx a, Cx b) {
  if (fabs(b.re) >= fabs(b.im)) {
    const double ratio = b.im / b.re, scale = b.re + b.im * ratio;
    return {(a.re + a.im * ratio) / scale, (a.im - a.re * ratio) / scale};
  }
  const double ratio = b.re / b.im, scale = b.re * ratio + b.im;
  return {(a.re * ratio + a.im) / scale, (a.im * ratio - a.re) / scale};
}
TS_DEVICE double conjugate(double v) { return v; }
TS_DEVICE Cx conjugate(Cx v) { return {v.re, -v.im}; }
TS_DEVICE double real_part(double v) { return v; }
TS_DEVICE double real_part(Cx v) { return v.re; }
TS_DEVICE double imaginary_part(double) { return 0; }
TS_DEVICE double imaginary_part(Cx v) { return v.im; }
TS_DEVICE double squared(double v) { return v * v; }
TS_DEVICE double squared(Cx v) { return v.re * v.re + v.im * v.im; }
TS_DEVICE bool is_zero(double v) { return v == 0; }
TS_DEVICE bool is_zero(Cx v) { return v.re == 0 && v.im == 0; }
TS_DEVICE bool is_finite(double v) { return v - v == 0; }
TS_DEVICE bool is_finite(Cx v) { return v.re - v.re == 0 && v.im - v.im == 0; }
// LAPACK's measure for pivots.
TS_DEVICE double size1(double v) { return fabs(v); }
TS_DEVICE double size1(Cx v) { return fabs(v.re) + fabs(v.im); }
TS_DEVICE double largest_part(double v) { return fabs(v); }
TS_DEVICE double largest_part(Cx v) { return fabs(v.re) > fabs(v.im) ? fabs(v.re) : fabs(v.im); }
TS_DEVICE double scaled(double v, int exponent) { return ldexp(v, exponent); }
TS_DEVICE Cx scaled(Cx v, int exponent) { return {ldexp(v.re, exponent), ldexp(v.im, exponent)}; }

TS_DEVICE int64_t lane() { return threadIdx.x; }
TS_DEVICE int64_t lanes() { return blockDim.x; }
TS_DEVICE double block_sum(double v) { return group_fold(v, AddOf<double>()); }
TS_DEVICE Cx block_sum(Cx v) { return {block_sum(v.re), block_sum(v.im)}; }
// NaN is passed over.
TS_DEVICE double block_most(double v) {
  return group_fold(v, [](double a, double b) { return a > b ? a : b; });
}
TS_DEVICE int64_t block_least(int64_t v) {
  return group_fold(v, [](int64_t a, int64_t b) { return a < b ? a : b; });
}

// A window on a matrix, perhaps turned.
template <class T> struct Mat {
  T* p;
  int64_t rs, cs;
  bool conj = false;
  TS_DEVICE T get(int64_t i, int64_t j) const {
    const T v = p[i * rs + j * cs];
    return conj ? conjugate(v) : v;
  }
  TS_DEVICE void set(int64_t i, int64_t j, T v) const { p[i * rs + j * cs] = conj ? conjugate(v) : v; }
  TS_DEVICE Mat adjoint() const { return {p, cs, rs, !conj}; }
  TS_DEVICE Mat turned() const { return {p, cs, rs, conj}; }
};
template <class T> TS_DEVICE Mat<T> matrix_of(T* p, int64_t cols) { return {p, cols, 1, false}; }
template <class T> TS_DEVICE T* matrix_at(void* p, int64_t batch, int64_t elements) { return static_cast<T*>(p) + batch * elements; }

template <class T> TS_DEVICE void set_identity(T* a, int64_t m, int64_t n) {
  for (int64_t t = lane(); t < m * n; t += lanes()) a[t] = T(t / n == t % n ? 1 : 0);
  __syncthreads();
}
template <class T> TS_DEVICE void set_zero(T* a, int64_t count) {
  for (int64_t t = lane(); t < count; t += lanes()) a[t] = T(0);
  __syncthreads();
}

// c = a b of n by n matrices.
template <class T> TS_DEVICE void multiply(T* c, const T* a, const T* b, int64_t n) {
  for (int64_t t = lane(); t < n * n; t += lanes()) {
    const int64_t i = t / n, j = t % n;
    T sum(0);
    for (int64_t k = 0; k < n; k++) sum = sum + a[i * n + k] * b[k * n + j];
    c[t] = sum;
  }
  __syncthreads();
}

// Solves a triangular system of n rows in place.
template <class T> TS_DEVICE void solve_triangular(const Mat<T>& a, const Mat<T>& b, int64_t n, int64_t cols, bool upper, bool unit) {
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = upper ? n - 1 - step : step;
    if (!unit) {
      const T by = a.get(i, i);
      for (int64_t j = lane(); j < cols; j += lanes()) b.set(i, j, b.get(i, j) / by);
      __syncthreads();
    }
    const int64_t first = upper ? 0 : i + 1, rest = upper ? i : n - i - 1;
    for (int64_t t = lane(); t < rest * cols; t += lanes()) {
      const int64_t r = first + t / cols, j = t % cols;
      b.set(r, j, b.get(r, j) - a.get(r, i) * b.get(i, j));
    }
    __syncthreads();
  }
}

// ---- Householder reflections I - tau v v^H with v[0] = 1, as LAPACK's larfg makes them

template <class T> struct Reflection {
  T tau;
  double beta;
};
// Makes v (n elements, the first of them alpha) the vector of the reflection that takes it to (beta, 0, ...); beta is real.
template <class T> TS_DEVICE Reflection<T> reflection(T* v, int64_t n) {
  __syncthreads();
  int exponent = 0;
  double below = 0;
  T alpha(0);
  for (int attempt = 0; attempt < 2; attempt++) {
    double mine = 0;
    for (int64_t i = 1 + lane(); i < n; i += lanes()) mine += squared(v[i]);
    below = block_sum(mine);
    alpha = v[0];
    const double all = below + squared(alpha);
    if (attempt == 1 || (all > 1e-280 && all < 1e280)) break;
    // Squares left the range: of scaled elements they do not.
    double top = 0;
    for (int64_t i = lane(); i < n; i += lanes()) top = largest_part(v[i]) > top ? largest_part(v[i]) : top;
    top = block_most(top);
    if (!(top > 0 && top < static_cast<double>(INFINITY) && !(top > 0.5 && top < 2))) break;
    exponent = ilogb(top);
    __syncthreads();
    for (int64_t i = lane(); i < n; i += lanes()) v[i] = scaled(v[i], -exponent);
    __syncthreads();
  }
  __syncthreads();
  if (lane() == 0) v[0] = T(1);
  if (below == 0 && imaginary_part(alpha) == 0) {
    __syncthreads();
    return {T(0), ldexp(real_part(alpha), exponent)};
  }
  const double norm = sqrt(squared(alpha) + below), beta = real_part(alpha) >= 0 ? -norm : norm;
  const T scale = T(1) / (alpha - T(beta));
  for (int64_t i = 1 + lane(); i < n; i += lanes()) v[i] = v[i] * scale;
  __syncthreads();
  return {(T(beta) - alpha) / beta, ldexp(beta, exponent)};
}

TS_DEVICE double warp_sum(double v) {
  for (int flip = 16; flip > 0; flip >>= 1) v += __shfl_xor_sync(0xffffffffu, v, flip);
  return v;
}
TS_DEVICE Cx warp_sum(Cx v) { return {warp_sum(v.re), warp_sum(v.im)}; }

// A = (I - tau v v^H) A of m by n elements.
template <class T> TS_DEVICE void reflect_left(const Mat<T>& a, int64_t m, int64_t n, const T* v, T tau) {
  __syncthreads();
  if (is_zero(tau) || n == 0) return;
  if (n >= 32 || m <= 32) {  // a thread a column
    for (int64_t j = lane(); j < n; j += lanes()) {
      T sum(0);
      for (int64_t i = 0; i < m; i++) sum = sum + conjugate(v[i]) * a.get(i, j);
      for (int64_t i = 0; i < m; i++) a.set(i, j, a.get(i, j) - tau * v[i] * sum);
    }
  } else {  // a warp a column
    for (int64_t j = lane() / 32; j < n; j += lanes() / 32) {
      T sum(0);
      for (int64_t i = lane() % 32; i < m; i += 32) sum = sum + conjugate(v[i]) * a.get(i, j);
      sum = warp_sum(sum);
      for (int64_t i = lane() % 32; i < m; i += 32) a.set(i, j, a.get(i, j) - tau * v[i] * sum);
    }
  }
  __syncthreads();
}
// A = A (I - tau v v^H)
template <class T> TS_DEVICE void reflect_right(const Mat<T>& a, int64_t m, int64_t n, const T* v, T tau) {
  __syncthreads();
  if (is_zero(tau) || m == 0) return;
  for (int64_t i = lane() / 32; i < m; i += lanes() / 32) {
    T sum(0);
    for (int64_t j = lane() % 32; j < n; j += 32) sum = sum + a.get(i, j) * v[j];
    sum = warp_sum(sum);
    for (int64_t j = lane() % 32; j < n; j += 32) a.set(i, j, a.get(i, j) - sum * (tau * conjugate(v[j])));
  }
  __syncthreads();
}

// In place, as LAPACK's geqrf keeps it; v has room for m elements.
template <class T> TS_DEVICE void householder_qr(T* a, int64_t m, int64_t n, T* tau, T* v) {
  const int64_t k = m < n ? m : n;
  for (int64_t p = 0; p < k; p++) {
    for (int64_t i = p + lane(); i < m; i += lanes()) v[i - p] = a[i * n + p];
    const Reflection<T> r = reflection(v, m - p);
    if (lane() == 0) tau[p] = r.tau, a[p * n + p] = T(r.beta);
    for (int64_t i = p + 1 + lane(); i < m; i += lanes()) a[i * n + p] = v[i - p];
    reflect_left(Mat<T>{a + p * n + p + 1, n, 1}, m - p, n - p - 1, v, conjugate(r.tau));
  }
  __syncthreads();
}
// Reflections 0 .. k of the columns of a (m by n): Q b, or its adjoint times b. b has m rows; `product`: it is the identity.
template <class T>
TS_DEVICE void apply_reflections(const T* a, int64_t m, int64_t n, const T* tau, int64_t k, const Mat<T>& b, int64_t cols, bool adjoint, bool product, T* v) {
  for (int64_t step = 0; step < k; step++) {
    const int64_t p = adjoint ? step : k - 1 - step;
    __syncthreads();
    for (int64_t i = p + lane(); i < m; i += lanes()) v[i - p] = i == p ? T(1) : a[i * n + p];
    const int64_t first = product ? p : 0;
    const T t = tau[p];
    if (first < cols) reflect_left(Mat<T>{b.p + p * b.rs + first * b.cs, b.rs, b.cs, b.conj}, m - p, cols - first, v, adjoint ? conjugate(t) : t);
  }
  __syncthreads();
}

// ---- rotations of neighbouring rows of `length` doubles: for k rising from 0 (or falling from count - 1), rows x = k and y = k + 1 become
// c[k] x + s[k] y and c[k] y - s[k] x.
TS_DEVICE void rotate_rows(double* a, int64_t length, int64_t count, const double* c, const double* s, bool falling) {
  for (int64_t j = lane(); j < length; j += lanes()) {
    for (int64_t step = 0; step < count; step++) {
      const int64_t k = falling ? count - 1 - step : step;
      const double x = a[k * length + j], y = a[(k + 1) * length + j];
      a[k * length + j] = c[k] * x + s[k] * y;
      a[(k + 1) * length + j] = c[k] * y - s[k] * x;
    }
  }
}

// The power of two by which a matrix whose squares would leave the range of double was brought near 1.
template <class T> TS_DEVICE int normalise(T* a, int64_t count) {
  __syncthreads();
  double top = 0;
  for (int64_t i = lane(); i < count; i += lanes()) top = largest_part(a[i]) > top ? largest_part(a[i]) : top;
  top = block_most(top);
  if (top == 0 || (top > 1e-120 && top < 1e120)) return 0;
  const int exponent = ilogb(top);
  for (int64_t i = lane(); i < count; i += lanes()) a[i] = scaled(a[i], -exponent);
  __syncthreads();
  return exponent;
}
template <class T> TS_DEVICE bool all_finite(const T* a, int64_t count) {
  double bad = 0;
  for (int64_t i = lane(); i < count; i += lanes()) bad += is_finite(a[i]) ? 0 : 1;
  return block_sum(bad) == 0;
}

#define TS_LINALG_KERNEL(name)                                                                \
  TS_GLOBAL_BOUNDS(256, 1, linalg_##name##_f64, const LinalgParams p) { name<double>(p); } \
  TS_GLOBAL_BOUNDS(256, 1, linalg_##name##_c128, const LinalgParams p) { name<Cx>(p); }

}  // namespace torchscript::cuda
