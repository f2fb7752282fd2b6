// Small dense linear algebra in double precision, real or complex: T is double or std::complex<double>. Matrices are row-major.
#pragma once
#include <complex>
#include <cstdint>
#include <vector>

#include "cpu-avx/portable/elements.h"

namespace torchscript::portable::linalg {

template <class T> T conjugate(T v) {
  if constexpr (is_complex_type<T>::value) return std::conj(v);
  else return v;
}
template <class T> double real_part(T v) {
  if constexpr (is_complex_type<T>::value) return v.real();
  else return v;
}
template <class T> double squared(T v) {
  if constexpr (is_complex_type<T>::value) return v.real() * v.real() + v.imag() * v.imag();
  else return v * v;
}

template <class T> struct Matrix {
  int64_t rows = 0, cols = 0;
  std::vector<T> a;
  Matrix() = default;
  Matrix(int64_t r, int64_t c) : rows(r), cols(c), a(static_cast<size_t>(r * c), T(0)) {}
  Matrix(const T* data, int64_t r, int64_t c) : rows(r), cols(c), a(data, data + r * c) {}
  T& operator()(int64_t i, int64_t j) { return a[static_cast<size_t>(i * cols + j)]; }
  const T& operator()(int64_t i, int64_t j) const { return a[static_cast<size_t>(i * cols + j)]; }
  void copy_to(T* out) const { std::copy(a.begin(), a.end(), out); }
  static Matrix identity(int64_t n) { return identity(n, n); }
  static Matrix identity(int64_t r, int64_t c) {
    Matrix m(r, c);
    for (int64_t i = 0; i < std::min(r, c); i++) m(i, i) = T(1);
    return m;
  }
};

template <class T> Matrix<T> multiply(const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> c(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t k = 0; k < a.cols; k++)
      for (int64_t j = 0; j < b.cols; j++) c(i, j) += a(i, k) * b(k, j);
  return c;
}
template <class T> Matrix<T> adjoint(const Matrix<T>& a) {
  Matrix<T> b(a.cols, a.rows);
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++) b(j, i) = conjugate(a(i, j));
  return b;
}

// In place P A = L U; pivots are the rows exchanged with (from 0). Returns the position (from 1) of the first zero pivot, 0 if none.
template <class T> int64_t lu_factor(Matrix<T>& a, std::vector<int64_t>& pivots, bool pivot = true);
// Solves A X = B with the factors, or its transpose or adjoint, in place.
enum class Form { Plain, Transposed, Adjoint };
template <class T> void lu_solve(const Matrix<T>& lu, const std::vector<int64_t>& pivots, Matrix<T>& b, Form form = Form::Plain);
// Lower factor in place (the upper triangle becomes 0); the order of the first minor that is not positive, 0 if none.
template <class T> int64_t cholesky(Matrix<T>& a);
// Solves a triangular system in place.
template <class T> void solve_triangular(const Matrix<T>& a, Matrix<T>& b, bool upper, bool unit);
// Householder reflections as LAPACK's geqrf keeps them.
template <class T> std::vector<T> householder_qr(Matrix<T>& a);
// The first `cols` columns of the product of the reflections.
template <class T> Matrix<T> householder_product(const Matrix<T>& a, const std::vector<T>& tau, int64_t cols);
// Q or its adjoint times b.
template <class T> void apply_reflections(const Matrix<T>& a, const std::vector<T>& tau, Matrix<T>& b, bool adjoint);
// Eigenvalues of a Hermitian matrix, ascending; its eigenvectors are the columns of `vectors`, unless that is null. Both triangles are filled;
// `upper` says which of them the reduction is to follow, which decides the signs of the vectors.
template <class T> std::vector<double> eigen_hermitian(Matrix<T> a, Matrix<T>* vectors, bool upper);
// A = U diag(s) V^H with min(m, n) columns, falling; `full` completes U and V to square ones. Without vectors both are null.
template <class T> void singular_values(const Matrix<T>& a, std::vector<double>& s, Matrix<T>* u, Matrix<T>* vh, bool full);
// Eigenvalues of a general matrix and its eigenvectors as columns of norm 1, unless `vectors` is null. False when they do not converge.
template <class T> bool eigen_general(Matrix<T> a, std::vector<std::complex<double>>& values, Matrix<std::complex<double>>* vectors);
template <class T> Matrix<T> exponential(const Matrix<T>& a);

}  // namespace torchscript::portable::linalg
