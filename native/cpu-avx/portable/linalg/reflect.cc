// QR by Householder reflections and products with its Q: by blocks in the compact form I - V T V^T on the matrix product (Schreiber and Van
// Loan, 1989) for real matrices, one by one for complex ones.
#include "cpu-avx/portable/linalg/reflect.h"

#include "cpu-avx/gemm/gemm.h"

namespace torchscript::portable::linalg {
namespace {

constexpr int64_t kBlock = 32;
// Below this many reflections a block is not worth its T.
constexpr int64_t kFewReflections = 8;

// Reflections p .. p + count of a QR as a dense matrix V with ones on its diagonal, and T: their product is I - V T V^T.
struct Compact {
  int64_t m, count;
  std::vector<double> v, t, w;
  Compact(const Matrix<double>& a, const std::vector<double>& tau, int64_t p, int64_t size)
      : m(a.rows - p), count(size), v(static_cast<size_t>(m * size)), t(static_cast<size_t>(size * size)) {
    for (int64_t i = 0; i < m; i++)
      for (int64_t k = 0; k < count; k++) v[static_cast<size_t>(i * count + k)] = i > k ? a(p + i, p + k) : i == k ? 1 : 0;
    // Products of the columns of V.
    std::vector<double> products(static_cast<size_t>(count * count));
    multiply(v.data(), 1, count, count, m, v.data(), count, count, products.data(), 1, false);
    for (int64_t k = 0; k < count; k++) {
      const double f = tau[static_cast<size_t>(p + k)];
      for (int64_t i = 0; i < k; i++) {
        double sum = 0;
        for (int64_t j = i; j < k; j++) sum += t[static_cast<size_t>(i * count + j)] * products[static_cast<size_t>(j * count + k)];
        t[static_cast<size_t>(i * count + k)] = -f * sum;
      }
      t[static_cast<size_t>(k * count + k)] = f;
    }
  }
  // c (rows by n) = or += alpha a b, a of `inner` columns.
  static void multiply(const double* a, int64_t a_row, int64_t a_col, int64_t rows, int64_t inner, const double* b, int64_t b_row,
                       int64_t n, double* c, double alpha, bool accumulate, int64_t c_row = 0) {
    Gemm<double> g;
    g.m = rows, g.n = n, g.k = inner;
    g.a = a, g.a_row = a_row, g.a_col = a_col;
    g.b = b, g.b_row = b_row;
    g.c = c, g.c_row = c_row == 0 ? n : c_row;
    g.alpha = alpha, g.accumulate = accumulate;
    gemm_serial(g);
  }
  void apply(const Block<double>& a, bool adjoint) {
    if (a.n == 0) return;
    w.resize(static_cast<size_t>(2 * count * a.n));
    double *product = w.data(), *turned = w.data() + count * a.n;
    multiply(v.data(), 1, count, count, m, a.a, a.row, a.n, product, 1, false);
    multiply(t.data(), adjoint ? 1 : count, adjoint ? count : 1, count, count, product, a.n, a.n, turned, 1, false);
    multiply(v.data(), count, 1, m, count, turned, a.n, a.n, a.a, -1, true, a.row);
  }
};

// The vector of reflection p, its leading one written out.
template <class T> void vector_of(const Matrix<T>& a, int64_t p, T* v) {
  v[0] = T(1);
  for (int64_t i = p + 1; i < a.rows; i++) v[i - p] = a(i, p);
}

// Reflections begin .. end of b's rows, in the order of Q b or of its adjoint's; columns before `first(p)` are zero and stay.
template <class T, class F>
void apply_range(const Matrix<T>& a, const std::vector<T>& tau, int64_t begin, int64_t end, Matrix<T>& b, bool adjoint, F first) {
  std::vector<T> v(static_cast<size_t>(a.rows));
  Reflector<T> reflector(std::max(b.rows, b.cols));
  for (int64_t step = begin; step < end; step++) {
    const int64_t p = adjoint ? step : begin + end - 1 - step;
    vector_of(a, p, v.data());
    const T t = tau[static_cast<size_t>(p)];
    reflector.left(block_of(b, p, first(p)), v.data(), adjoint ? conjugate(t) : t);
  }
}
template <class T, class F> void apply_all(const Matrix<T>& a, const std::vector<T>& tau, Matrix<T>& b, bool adjoint, F first) {
  const auto k = static_cast<int64_t>(tau.size());
  if constexpr (!is_complex_type<T>::value) {
    if (k >= kFewReflections && b.cols >= kFewReflections) {
      const int64_t blocks = (k + kBlock - 1) / kBlock;
      for (int64_t step = 0; step < blocks; step++) {
        const int64_t p = (adjoint ? step : blocks - 1 - step) * kBlock, size = std::min(kBlock, k - p);
        Compact(a, tau, p, size).apply(block_of(b, p, first(p)), adjoint);
      }
      return;
    }
  }
  apply_range(a, tau, 0, k, b, adjoint, first);
}

}  // namespace

template <class T> std::vector<T> householder_qr(Matrix<T>& a) {
  const int64_t k = std::min(a.rows, a.cols);
  std::vector<T> tau(static_cast<size_t>(k), T(0)), v(static_cast<size_t>(a.rows));
  Reflector<T> reflector(std::max(a.rows, a.cols));
  const bool blocked = !is_complex_type<T>::value && k > kBlock;
  for (int64_t begin = 0; begin < k;) {
    const int64_t end = blocked ? std::min(k, begin + kBlock) : k, last = blocked ? end : a.cols;
    for (int64_t p = begin; p < end; p++) {
      for (int64_t i = p; i < a.rows; i++) v[static_cast<size_t>(i - p)] = a(i, p);
      const Reflection<T> r = reflection(v.data(), a.rows - p);
      tau[static_cast<size_t>(p)] = r.tau;
      a(p, p) = T(r.beta);
      for (int64_t i = p + 1; i < a.rows; i++) a(i, p) = v[static_cast<size_t>(i - p)];
      reflector.left(block_of(a, p, p + 1, a.rows - p, last - p - 1), v.data(), conjugate(r.tau));
    }
    if constexpr (!is_complex_type<T>::value) {
      if (last < a.cols) Compact(a, tau, begin, end - begin).apply(block_of(a, begin, last), true);
    }
    begin = end;
  }
  return tau;
}

template <class T> void apply_reflections(const Matrix<T>& a, const std::vector<T>& tau, Matrix<T>& b, bool adjoint) {
  apply_all(a, tau, b, adjoint, [](int64_t) { return int64_t{0}; });
}

template <class T> Matrix<T> householder_product(const Matrix<T>& a, const std::vector<T>& tau, int64_t cols) {
  Matrix<T> q = Matrix<T>::identity(a.rows, cols);
  apply_all(a, tau, q, false, [](int64_t p) { return p; });
  return q;
}

#define INSTANTIATE(T)                                                                      \
  template std::vector<T> householder_qr(Matrix<T>&);                                       \
  template Matrix<T> householder_product(const Matrix<T>&, const std::vector<T>&, int64_t); \
  template void apply_reflections(const Matrix<T>&, const std::vector<T>&, Matrix<T>&, bool)
INSTANTIATE(double);
INSTANTIATE(Complex);
#undef INSTANTIATE

}  // namespace torchscript::portable::linalg
