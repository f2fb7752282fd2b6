// LU, Cholesky, triangular systems and the exponential.
#include "cpu-avx/portable/linalg/matrix.h"

namespace torchscript::portable::linalg {

using Complex = std::complex<double>;

namespace {
// LAPACK's measure for pivots.
double size_of(double v) { return std::fabs(v); }
double size_of(Complex v) { return std::fabs(v.real()) + std::fabs(v.imag()); }
}  // namespace

template <class T> int64_t lu_factor(Matrix<T>& a, std::vector<int64_t>& pivots, bool pivot) {
  const int64_t n = std::min(a.rows, a.cols);
  int64_t info = 0;
  pivots.assign(static_cast<size_t>(n), 0);
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; pivot && i < a.rows; i++)
      if (size_of(a(i, k)) > size_of(a(best, k))) best = i;
    pivots[static_cast<size_t>(k)] = best;
    if (a(best, k) == T(0)) {
      if (info == 0) info = k + 1;
      continue;
    }
    for (int64_t j = 0; best != k && j < a.cols; j++) std::swap(a(k, j), a(best, j));
    for (int64_t i = k + 1; i < a.rows; i++) {
      const T factor = a(i, k) /= a(k, k);
      for (int64_t j = k + 1; j < a.cols; j++) a(i, j) -= factor * a(k, j);
    }
  }
  return info;
}

template <class T> void lu_solve(const Matrix<T>& lu, const std::vector<int64_t>& pivots, Matrix<T>& b, Form form) {
  const int64_t n = lu.rows;
  const auto exchange = [&](int64_t i) {
    const int64_t p = pivots[static_cast<size_t>(i)];
    for (int64_t j = 0; p != i && j < b.cols; j++) std::swap(b(i, j), b(p, j));
  };
  if (form == Form::Plain) {
    for (int64_t i = 0; i < n; i++) exchange(i);
    solve_triangular(lu, b, false, true);
    solve_triangular(lu, b, true, false);
    return;
  }
  Matrix<T> turned(n, n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) turned(j, i) = form == Form::Adjoint ? conjugate(lu(i, j)) : lu(i, j);
  solve_triangular(turned, b, false, false);
  solve_triangular(turned, b, true, true);
  for (int64_t i = n - 1; i >= 0; i--) exchange(i);
}

template <class T> int64_t cholesky(Matrix<T>& a) {
  const int64_t n = a.rows;
  for (int64_t j = 0; j < n; j++) {
    double diagonal = real_part(a(j, j));
    for (int64_t k = 0; k < j; k++) diagonal -= squared(a(j, k));
    if (!(diagonal > 0)) return j + 1;
    const double root = std::sqrt(diagonal);
    a(j, j) = T(root);
    for (int64_t i = j + 1; i < n; i++) {
      T v = a(i, j);
      for (int64_t k = 0; k < j; k++) v -= a(i, k) * conjugate(a(j, k));
      a(i, j) = v / root;
    }
    for (int64_t i = 0; i < j; i++) a(i, j) = T(0);
  }
  return 0;
}

template <class T> void solve_triangular(const Matrix<T>& a, Matrix<T>& b, bool upper, bool unit) {
  const int64_t n = a.rows;
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = upper ? n - 1 - step : step;
    for (int64_t k = upper ? i + 1 : 0; k < (upper ? n : i); k++)
      for (int64_t j = 0; j < b.cols; j++) b(i, j) -= a(i, k) * b(k, j);
    if (!unit)
      for (int64_t j = 0; j < b.cols; j++) b(i, j) /= a(i, i);
  }
}

template <class T> Matrix<T> exponential(const Matrix<T>& a) {
  const int64_t n = a.rows;
  double norm = 0;
  for (int64_t j = 0; j < n; j++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += std::sqrt(squared(a(i, j)));
    norm = std::max(norm, sum);
  }
  int squarings = 0;
  while (norm > 0.5 && std::isfinite(norm) && squarings < 1100) norm /= 2, squarings++;
  Matrix<T> scaled = a;
  for (T& v : scaled.a) v *= std::ldexp(1.0, -squarings);
  Matrix<T> sum = Matrix<T>::identity(n), term = sum;
  for (int k = 1; k <= 18; k++) {
    term = multiply(term, scaled);
    for (T& v : term.a) v /= static_cast<double>(k);
    for (size_t i = 0; i < sum.a.size(); i++) sum.a[i] += term.a[i];
  }
  for (int s = 0; s < squarings; s++) sum = multiply(sum, sum);
  return sum;
}

#define INSTANTIATE(T)                                                                     \
  template int64_t lu_factor(Matrix<T>&, std::vector<int64_t>&, bool);                     \
  template void lu_solve(const Matrix<T>&, const std::vector<int64_t>&, Matrix<T>&, Form); \
  template int64_t cholesky(Matrix<T>&);                                                   \
  template void solve_triangular(const Matrix<T>&, Matrix<T>&, bool, bool);                \
  template Matrix<T> exponential(const Matrix<T>&)
INSTANTIATE(double);
INSTANTIATE(Complex);
#undef INSTANTIATE

}  // namespace torchscript::portable::linalg
