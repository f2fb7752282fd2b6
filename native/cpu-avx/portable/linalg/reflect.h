// Householder reflections I - tau v v^H with v[0] = 1, as LAPACK's larfg makes them, and the matrix-vector loops that decompositions are
// made of. Real loops run in the instruction set in force (linalg_inner.h).
#pragma once
#include "cpu-avx/linalg_inner.h"
#include "cpu-avx/portable/linalg/matrix.h"

namespace torchscript::portable::linalg {

using Complex = std::complex<double>;

// A window on a row-major matrix.
template <class T> struct Block {
  T* a;
  int64_t row, m, n;
};
template <class T> Block<T> block_of(Matrix<T>& a, int64_t i, int64_t j, int64_t m, int64_t n) {
  return {a.a.data() + i * a.cols + j, a.cols, m, n};
}
template <class T> Block<T> block_of(Matrix<T>& a, int64_t i, int64_t j) { return block_of(a, i, j, a.rows - i, a.cols - j); }

// Products without the NaN recovery that the language asks of complex multiplication.
inline double times(double a, double b) { return a * b; }
inline Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// w = v^H A
inline void column_sums(const Block<double>& a, const double* v, double* w) { linalg_table().column_sums(a.a, a.row, a.m, a.n, v, w); }
inline void column_sums(const Block<Complex>& a, const Complex* v, Complex* w) {
  std::fill(w, w + a.n, Complex(0));
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < a.n; j++) w[j] += times(std::conj(v[i]), a.a[i * a.row + j]);
}
// w = A v
inline void row_sums(const Block<double>& a, const double* v, double* w) { linalg_table().row_sums(a.a, a.row, a.m, a.n, v, w); }
inline void row_sums(const Block<Complex>& a, const Complex* v, Complex* w) {
  for (int64_t i = 0; i < a.m; i++) {
    Complex sum(0);
    for (int64_t j = 0; j < a.n; j++) sum += times(a.a[i * a.row + j], v[j]);
    w[i] = sum;
  }
}
// A -= v w^T
inline void subtract(const Block<double>& a, const double* v, const double* w) { linalg_table().subtract(a.a, a.row, a.m, a.n, v, w); }
inline void subtract(const Block<Complex>& a, const Complex* v, const Complex* w) {
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < a.n; j++) a.a[i * a.row + j] -= times(v[i], w[j]);
}
// Rotations of neighbouring rows of n elements: LinalgTable::rotate_rows.
inline void rotate_rows(double* a, int64_t n, int64_t count, const double* c, const double* s, bool falling) {
  if (count > 0) linalg_table().rotate_rows(a, n, n, count, c, s, falling);
}

// The largest real or imaginary part, by size.
inline double largest(const double* v, int64_t n) {
  double top = 0;
  for (int64_t i = 0; i < n; i++) top = std::max(top, std::fabs(v[i]));
  return top;
}
inline double largest(const Complex* v, int64_t n) { return largest(reinterpret_cast<const double*>(v), 2 * n); }
inline double scaled(double v, int exponent) { return std::ldexp(v, exponent); }
inline Complex scaled(Complex v, int exponent) { return {std::ldexp(v.real(), exponent), std::ldexp(v.imag(), exponent)}; }

// Makes v (n elements, the first of them alpha) the vector of the reflection that takes it to (beta, 0, ...); beta is real.
template <class T> struct Reflection {
  T tau;
  double beta;
};
template <class T> Reflection<T> reflection(T* v, int64_t n) {
  double below = 0, imaginary = 0;
  for (int64_t i = 1; i < n; i++) below += squared(v[i]);
  const T alpha = v[0];
  if constexpr (is_complex_type<T>::value) imaginary = alpha.imag();
  if (!(below + squared(alpha) > 1e-280 && below + squared(alpha) < 1e280)) {  // squares left the range: of scaled elements they do not
    const double top = largest(v, n);
    if (top > 0 && top < std::numeric_limits<double>::infinity() && !(top > 0.5 && top < 2)) {
      const int exponent = std::ilogb(top);
      for (int64_t i = 0; i < n; i++) v[i] = scaled(v[i], -exponent);
      const Reflection<T> r = reflection(v, n);
      return {r.tau, std::ldexp(r.beta, exponent)};
    }
  }
  v[0] = T(1);
  if (below == 0 && imaginary == 0) return {T(0), real_part(alpha)};
  const double norm = std::sqrt(squared(alpha) + below), beta = real_part(alpha) >= 0 ? -norm : norm;
  const T scale = T(1) / (alpha - beta);
  for (int64_t i = 1; i < n; i++) v[i] = times(v[i], scale);
  return {(T(beta) - alpha) / beta, beta};
}

// Scratch for reflections of blocks up to `size` rows or columns.
template <class T> struct Reflector {
  std::vector<T> w, scaled;
  explicit Reflector(int64_t size) : w(static_cast<size_t>(size)), scaled(static_cast<size_t>(size)) {}
  // A = (I - tau v v^H) A
  void left(const Block<T>& a, const T* v, T tau) {
    if (tau == T(0) || a.n == 0) return;
    column_sums(a, v, w.data());
    for (int64_t i = 0; i < a.m; i++) scaled[static_cast<size_t>(i)] = times(tau, v[i]);
    subtract(a, scaled.data(), w.data());
  }
  // A = A (I - tau v v^H)
  void right(const Block<T>& a, const T* v, T tau) {
    if (tau == T(0) || a.m == 0) return;
    row_sums(a, v, w.data());
    for (int64_t j = 0; j < a.n; j++) scaled[static_cast<size_t>(j)] = times(tau, conjugate(v[j]));
    subtract(a, w.data(), scaled.data());
  }
};

// Brings a matrix whose squares would leave the range of double near 1; the power of two that its values are to be multiplied by again.
template <class T> int normalise(Matrix<T>& a) {
  const double top = largest(a.a.data(), static_cast<int64_t>(a.a.size()));
  if (top == 0 || (top > 1e-120 && top < 1e120)) return 0;
  const int exponent = std::ilogb(top);
  for (T& v : a.a) v = scaled(v, -exponent);
  return exponent;
}

}  // namespace torchscript::portable::linalg
