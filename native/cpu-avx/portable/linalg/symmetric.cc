// Eigenvalues of Hermitian matrices as LAPACK's syevd finds them: reduction to a tridiagonal matrix by reflections, then implicit QL or QR.
// The signs of the eigenvectors are LAPACK's (as MKL builds it).
#include <numeric>

#include "cpu-avx/portable/linalg/reflect.h"
#include "cpu-avx/portable/linalg/rotation.h"

namespace torchscript::portable::linalg {
namespace {

constexpr double kEpsilon = 0x1p-53;
// Up to this size LAPACK iterates; above it divides and conquers.
constexpr int64_t kConquered = 25;

struct Tridiagonal {
  std::vector<double> d, e;
};

// A = Q T Q^H by the lower triangle; fills q unless it is null.
template <class T> Tridiagonal tridiagonalise(Matrix<T>& a, Matrix<T>* q) {
  const int64_t n = a.rows;
  Tridiagonal t{std::vector<double>(static_cast<size_t>(n)), std::vector<double>(static_cast<size_t>(n))};
  std::vector<T> v(static_cast<size_t>(n)), w(static_cast<size_t>(n)), tau(static_cast<size_t>(std::max<int64_t>(n - 1, 0)));
  Matrix<T> vectors(std::max<int64_t>(n - 1, 0), std::max<int64_t>(n - 1, 0));
  for (int64_t k = 0; k < n; k++) {
    t.d[static_cast<size_t>(k)] = real_part(a(k, k));
    if (k + 1 == n) break;
    const int64_t size = n - k - 1;
    for (int64_t i = 0; i < size; i++) v[static_cast<size_t>(i)] = a(k + 1 + i, k);
    const Reflection<T> r = reflection(v.data(), size);
    t.e[static_cast<size_t>(k)] = r.beta;
    tau[static_cast<size_t>(k)] = r.tau;
    for (int64_t i = 1; i < size; i++) vectors(k + i, k) = v[static_cast<size_t>(i)];
    if (r.tau == T(0)) continue;
    // A - v w^H - w v^H with w = tau A v - (tau / 2) (tau A v)^H v v
    const Block<T> rest = block_of(a, k + 1, k + 1);
    row_sums(rest, v.data(), w.data());
    T dot(0);
    for (int64_t i = 0; i < size; i++) {
      w[static_cast<size_t>(i)] = times(r.tau, w[static_cast<size_t>(i)]);
      dot += times(conjugate(w[static_cast<size_t>(i)]), v[static_cast<size_t>(i)]);
    }
    const T half = times(r.tau, dot) * T(-0.5);
    for (int64_t i = 0; i < size; i++) w[static_cast<size_t>(i)] += times(half, v[static_cast<size_t>(i)]);
    if constexpr (is_complex_type<T>::value) {
      for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++)
          rest.a[i * rest.row + j] -= times(v[static_cast<size_t>(i)], std::conj(w[static_cast<size_t>(j)])) +
                                      times(w[static_cast<size_t>(i)], std::conj(v[static_cast<size_t>(j)]));
    } else {
      linalg_table().subtract_symmetric(rest.a, rest.row, size, v.data(), w.data());
    }
  }
  if (q != nullptr) {
    const Matrix<T> inner = householder_product(vectors, tau, n - 1);
    *q = Matrix<T>::identity(n);
    for (int64_t i = 1; i < n; i++)
      std::copy(&inner.a[static_cast<size_t>((i - 1) * (n - 1))], &inner.a[static_cast<size_t>((i - 1) * (n - 1))] + (n - 1), &(*q)(i, 1));
  }
  return t;
}

template <class T> void reverse(Matrix<T>& a) { std::reverse(a.a.begin(), a.a.end()); }

// LAPACK's steqr. The rows of z (n rows of `length`, or none) turn along.
class Iteration {
 public:
  Iteration(std::vector<double>& d, std::vector<double>& e, double* z, int64_t length)
      : d_(d), e_(e), n_(static_cast<int64_t>(d.size())), z_(z), length_(length), c_(d.size()), s_(d.size()) {}

  void run() {
    steps_ = 30 * n_;
    for (int64_t first = 0; first < n_;) {
      if (first > 0) e(first - 1) = 0;
      int64_t last = first;
      for (; last + 1 < n_; last++) {
        const double size = std::fabs(e(last));
        if (size == 0) break;
        if (size <= std::sqrt(std::fabs(d(last))) * std::sqrt(std::fabs(d(last + 1))) * kEpsilon) {
          e(last) = 0;
          break;
        }
      }
      if (last == first) {
        first = last + 1;
        continue;
      }
      const bool up = std::fabs(d(last)) < std::fabs(d(first));
      const int64_t done = up ? qr(last, first) : ql(first, last);
      (void)done;
      first = last + 1;
    }
  }

 private:
  double& d(int64_t i) { return d_[static_cast<size_t>(i)]; }
  double& e(int64_t i) { return e_[static_cast<size_t>(i)]; }
  bool split(int64_t i, int64_t j, double off) {
    return off * off <= (kEpsilon * kEpsilon * std::fabs(d(i))) * std::fabs(d(j)) + std::numeric_limits<double>::min();
  }
  void turn(int64_t row, int64_t count, bool falling) {
    if (z_ != nullptr) rotate_rows(z_ + row * length_, length_, count, c_.data(), s_.data(), falling);
  }
  void turn_one(int64_t row, double c, double s) {
    c_[0] = c, s_[0] = s;
    turn(row, 1, false);
  }

  // Eigenvalues of rows l .. last, found from l on.
  int64_t ql(int64_t l, const int64_t last) {
    while (l <= last) {
      int64_t m = l;
      while (m < last && !split(m, m + 1, e(m))) m++;
      if (m < last) e(m) = 0;
      if (m == l) {
        l++;
        continue;
      }
      if (m == l + 1) {
        const Symmetric2 pair = symmetric2(d(l), e(l), d(l + 1));
        turn_one(l, pair.cs, pair.sn);
        d(l) = pair.larger, d(l + 1) = pair.smaller;
        e(l) = 0;
        l += 2;
        continue;
      }
      if (steps_-- <= 0) return l;
      double p = d(l), g = (d(l + 1) - p) / (2 * e(l)), r = std::hypot(g, 1.0), s = 1, c = 1;
      g = d(m) - p + e(l) / (g + std::copysign(r, g));
      p = 0;
      for (int64_t i = m - 1; i >= l; i--) {
        const double f = s * e(i), b = c * e(i);
        const Givens turned = givens_positive(g, f);
        c = turned.c, s = turned.s;
        if (i != m - 1) e(i + 1) = turned.r;
        g = d(i + 1) - p;
        r = (d(i) - g) * s + 2 * c * b;
        p = s * r;
        d(i + 1) = g + p;
        g = c * r - b;
        c_[static_cast<size_t>(i - l)] = c, s_[static_cast<size_t>(i - l)] = -s;
      }
      turn(l, m - l, true);
      d(l) -= p;
      e(l) = g;
    }
    return l;
  }
  // The same from the last row up.
  int64_t qr(int64_t l, const int64_t first) {
    while (l >= first) {
      int64_t m = l;
      while (m > first && !split(m, m - 1, e(m - 1))) m--;
      if (m > first) e(m - 1) = 0;
      if (m == l) {
        l--;
        continue;
      }
      if (m == l - 1) {
        const Symmetric2 pair = symmetric2(d(l - 1), e(l - 1), d(l));
        turn_one(l - 1, pair.cs, pair.sn);
        d(l - 1) = pair.larger, d(l) = pair.smaller;
        e(l - 1) = 0;
        l -= 2;
        continue;
      }
      if (steps_-- <= 0) return l;
      double p = d(l), g = (d(l - 1) - p) / (2 * e(l - 1)), r = std::hypot(g, 1.0), s = 1, c = 1;
      g = d(m) - p + e(l - 1) / (g + std::copysign(r, g));
      p = 0;
      for (int64_t i = m; i < l; i++) {
        const double f = s * e(i), b = c * e(i);
        const Givens turned = givens_positive(g, f);
        c = turned.c, s = turned.s;
        if (i != m) e(i - 1) = turned.r;
        g = d(i) - p;
        r = (d(i + 1) - g) * s + 2 * c * b;
        p = s * r;
        d(i) = g + p;
        g = c * r - b;
        c_[static_cast<size_t>(i - m)] = c, s_[static_cast<size_t>(i - m)] = s;
      }
      turn(m, l - m, false);
      d(l) -= p;
      e(l - 1) = g;
    }
    return l;
  }

  std::vector<double>&d_, &e_;
  int64_t n_;
  double* z_;
  int64_t length_, steps_ = 0;
  std::vector<double> c_, s_;
};

}  // namespace

template <class T> std::vector<double> eigen_hermitian(Matrix<T> a, Matrix<T>* vectors, bool upper) {
  const int64_t n = a.rows;
  const int exponent = normalise(a);
  // The reduction by the upper triangle is that by the lower one of the matrix with both orders reversed.
  if (upper) reverse(a);
  Matrix<T> q;
  Tridiagonal t = tridiagonalise(a, vectors != nullptr ? &q : nullptr);
  if (upper && n > 0) {
    reverse(q);
    std::reverse(t.d.begin(), t.d.end());
    std::reverse(t.e.begin(), t.e.end() - 1);
  }
  Matrix<T> z;
  std::vector<T> across;
  if (vectors != nullptr) {
    z = Matrix<T>(n, n);  // transposed: the columns of Q turn as rows
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) z(j, i) = q(i, j);
    if (n > kConquered) {
      // u with T = (two tridiagonal halves) + |e| u u^T, in the basis of the matrix.
      const int64_t half = n / 2;
      const double joint = t.e[static_cast<size_t>(half - 1)] < 0 ? -1 : 1;
      for (int64_t i = 0; i < n; i++) across.push_back(z(half - 1, i) + joint * z(half, i));
    }
  }
  const int64_t parts = is_complex_type<T>::value ? 2 : 1;
  Iteration(t.d, t.e, vectors != nullptr ? reinterpret_cast<double*>(z.a.data()) : nullptr, n * parts).run();
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return t.d[static_cast<size_t>(i)] < t.d[static_cast<size_t>(j)]; });
  std::vector<double> values;
  for (const int64_t i : order) values.push_back(std::ldexp(t.d[static_cast<size_t>(i)], exponent));
  if (vectors == nullptr) return values;
  *vectors = Matrix<T>(n, n);
  for (int64_t j = 0; j < n; j++) {
    const int64_t from = order[static_cast<size_t>(j)];
    double along = 0;
    for (size_t i = 0; i < across.size(); i++) along += real_part(times(conjugate(across[i]), z(from, static_cast<int64_t>(i))));
    // Divide and conquer makes vectors (D - lambda)^-1 z of the halves' eigenvectors, whose product with u is negative: it is -1 / |e|.
    const double sign = along > 0 ? -1 : 1;
    for (int64_t i = 0; i < n; i++) (*vectors)(i, j) = z(from, i) * sign;
  }
  return values;
}

template std::vector<double> eigen_hermitian(Matrix<double>, Matrix<double>*, bool);
template std::vector<double> eigen_hermitian(Matrix<Complex>, Matrix<Complex>*, bool);

}  // namespace torchscript::portable::linalg
