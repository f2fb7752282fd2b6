// Eigenvalues and singular values: Jacobi rotations for Hermitian matrices and for singular values (accurate, and simple for the small sizes
// this is for), shifted QR on a Hessenberg form for general matrices.
#include <numeric>

#include "cpu-avx/portable/linalg/matrix.h"

namespace torchscript::portable::linalg {

using Complex = std::complex<double>;

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr int kMaxSweeps = 60;

// Rotation that diagonalises [[app, apq], [conj(apq), aqq]]: columns p' = c p - s conj(phase) q, q' = s phase p + c q.
template <class T> struct Rotation {
  double c, s;
  T phase;
};

template <class T> Rotation<T> rotation(double app, double aqq, T apq) {
  const double size = std::sqrt(squared(apq));
  const double theta = (aqq - app) / (2 * size);
  const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
  const double c = 1 / std::sqrt(t * t + 1);
  return {c, t * c, apq / size};
}

template <class T> void rotate_columns(Matrix<T>& m, int64_t p, int64_t q, const Rotation<T>& r) {
  for (int64_t i = 0; i < m.rows; i++) {
    const T x = m(i, p), y = m(i, q);
    m(i, p) = r.c * x - r.s * conjugate(r.phase) * y;
    m(i, q) = r.s * r.phase * x + r.c * y;
  }
}

template <class T> Matrix<T> columns_in_order(const Matrix<T>& m, const std::vector<int64_t>& order) {
  Matrix<T> out(m.rows, static_cast<int64_t>(order.size()));
  for (int64_t i = 0; i < m.rows; i++)
    for (size_t j = 0; j < order.size(); j++) out(i, static_cast<int64_t>(j)) = m(i, order[j]);
  return out;
}

// Makes columns [from, cols) orthonormal to the ones before, from unit vectors.
template <class T> void complete_basis(Matrix<T>& q, int64_t from) {
  for (int64_t j = from; j < q.cols; j++) {
    double best = -1;
    std::vector<T> chosen;
    for (int64_t e = 0; e < q.rows; e++) {
      std::vector<T> v(static_cast<size_t>(q.rows), T(0));
      v[static_cast<size_t>(e)] = T(1);
      for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < j; k++) {
          T dot(0);
          for (int64_t i = 0; i < q.rows; i++) dot += conjugate(q(i, k)) * v[static_cast<size_t>(i)];
          for (int64_t i = 0; i < q.rows; i++) v[static_cast<size_t>(i)] -= dot * q(i, k);
        }
      }
      double norm = 0;
      for (const T& x : v) norm += squared(x);
      if (norm > best) best = norm, chosen = v;
      if (norm > 0.5) break;
    }
    for (int64_t i = 0; i < q.rows; i++) q(i, j) = chosen[static_cast<size_t>(i)] / std::sqrt(best);
  }
}

template <class T> Matrix<T> widened(const Matrix<T>& m, int64_t cols) {
  Matrix<T> out(m.rows, cols);
  for (int64_t i = 0; i < m.rows; i++)
    for (int64_t j = 0; j < std::min(m.cols, cols); j++) out(i, j) = m(i, j);
  return out;
}

}  // namespace

template <class T> std::vector<double> eigen_hermitian(Matrix<T> a, Matrix<T>& vectors) {
  const int64_t n = a.rows;
  vectors = Matrix<T>::identity(n);
  for (int sweep = 0; sweep < kMaxSweeps; sweep++) {
    double off = 0, total = 0;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) (i == j ? total : off) += squared(a(i, j));
    if (!(off > kEpsilon * kEpsilon * (off + total))) break;
    for (int64_t p = 0; p < n; p++) {
      for (int64_t q = p + 1; q < n; q++) {
        if (squared(a(p, q)) == 0) continue;
        const Rotation<T> r = rotation(real_part(a(p, p)), real_part(a(q, q)), a(p, q));
        rotate_columns(a, p, q, r);
        for (int64_t j = 0; j < n; j++) {  // the adjoint from the left
          const T x = a(p, j), y = a(q, j);
          a(p, j) = r.c * x - r.s * r.phase * y;
          a(q, j) = r.s * conjugate(r.phase) * x + r.c * y;
        }
        a(p, q) = a(q, p) = T(0);
        rotate_columns(vectors, p, q, r);
      }
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return real_part(a(i, i)) < real_part(a(j, j)); });
  std::vector<double> values;
  for (const int64_t i : order) values.push_back(real_part(a(i, i)));
  vectors = columns_in_order(vectors, order);
  return values;
}

template <class T> void singular_values(const Matrix<T>& a, Matrix<T>& u, std::vector<double>& s, Matrix<T>& vh, bool full) {
  if (a.rows < a.cols) {
    Matrix<T> left, right;
    singular_values(adjoint(a), left, s, right, full);
    u = adjoint(right);
    vh = adjoint(left);
    return;
  }
  const int64_t m = a.rows, n = a.cols;
  Matrix<T> w = a, v = Matrix<T>::identity(n);
  for (int sweep = 0; sweep < kMaxSweeps; sweep++) {
    bool rotated = false;
    for (int64_t p = 0; p < n; p++) {
      for (int64_t q = p + 1; q < n; q++) {
        double pp = 0, qq = 0;
        T pq(0);
        for (int64_t i = 0; i < m; i++) {
          pp += squared(w(i, p));
          qq += squared(w(i, q));
          pq += conjugate(w(i, p)) * w(i, q);
        }
        if (!(std::sqrt(squared(pq)) > kEpsilon * std::sqrt(pp * qq)) || squared(pq) == 0) continue;
        rotated = true;
        const Rotation<T> r = rotation(pp, qq, pq);
        rotate_columns(w, p, q, r);
        rotate_columns(v, p, q, r);
      }
    }
    if (!rotated) break;
  }
  std::vector<double> norms(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; j++) {
    double sum = 0;
    for (int64_t i = 0; i < m; i++) sum += squared(w(i, j));
    norms[static_cast<size_t>(j)] = std::sqrt(sum);
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return norms[static_cast<size_t>(i)] > norms[static_cast<size_t>(j)]; });
  s.clear();
  for (const int64_t j : order) s.push_back(norms[static_cast<size_t>(j)]);
  u = columns_in_order(w, order);
  vh = adjoint(columns_in_order(v, order));
  const double smallest = n > 0 ? s[0] * kEpsilon * static_cast<double>(m) : 0;
  int64_t rank = 0;
  while (rank < n && s[static_cast<size_t>(rank)] > smallest) rank++;
  for (int64_t j = 0; j < rank; j++)
    for (int64_t i = 0; i < m; i++) u(i, j) /= s[static_cast<size_t>(j)];
  complete_basis(u, rank);
  if (full && m > n) {
    // The further columns are those of a QR of the matrix, as LAPACK's are for tall matrices.
    Matrix<T> reflections = a;
    const std::vector<T> tau = householder_qr(reflections);
    const Matrix<T> q = householder_product(reflections, tau, m);
    u = widened(u, m);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = n; j < m; j++) u(i, j) = q(i, j);
    if (rank < n) complete_basis(u, rank);
  }
}

void eigen_general(Matrix<Complex> h, std::vector<Complex>& values, Matrix<Complex>* vectors) {
  const int64_t n = h.rows;
  Matrix<Complex> z = Matrix<Complex>::identity(n);
  // Hessenberg form by reflections.
  for (int64_t k = 0; k + 2 < n; k++) {
    double norm = 0;
    for (int64_t i = k + 1; i < n; i++) norm += squared(h(i, k));
    norm = std::sqrt(norm);
    if (norm == 0) continue;
    std::vector<Complex> v(static_cast<size_t>(n), Complex(0));
    for (int64_t i = k + 1; i < n; i++) v[static_cast<size_t>(i)] = h(i, k);
    const Complex alpha = h(k + 1, k);
    v[static_cast<size_t>(k + 1)] += (std::abs(alpha) == 0 ? Complex(1) : alpha / std::abs(alpha)) * norm;
    double length = 0;
    for (const Complex& x : v) length += squared(x);
    for (int64_t j = 0; j < n; j++) {
      Complex dot(0);
      for (int64_t i = k + 1; i < n; i++) dot += std::conj(v[static_cast<size_t>(i)]) * h(i, j);
      dot *= 2 / length;
      for (int64_t i = k + 1; i < n; i++) h(i, j) -= v[static_cast<size_t>(i)] * dot;
    }
    for (Matrix<Complex>* m : {&h, &z}) {
      for (int64_t i = 0; i < n; i++) {
        Complex dot(0);
        for (int64_t j = k + 1; j < n; j++) dot += (*m)(i, j) * v[static_cast<size_t>(j)];
        dot *= 2 / length;
        for (int64_t j = k + 1; j < n; j++) (*m)(i, j) -= dot * std::conj(v[static_cast<size_t>(j)]);
      }
    }
  }
  // QR steps with the eigenvalue of the trailing block that is nearer to its last element as shift.
  int64_t high = n - 1;
  for (int iteration = 0; high > 0 && iteration < 300 * static_cast<int>(n); iteration++) {
    int64_t low = high;
    while (low > 0 && std::abs(h(low, low - 1)) > kEpsilon * (std::abs(h(low, low)) + std::abs(h(low - 1, low - 1)))) low--;
    if (low > 0) h(low, low - 1) = 0;
    if (low == high) {
      high--;
      iteration = 0;
      continue;
    }
    const Complex a = h(high - 1, high - 1), b = h(high - 1, high), c = h(high, high - 1), d = h(high, high);
    const Complex half = (a - d) / 2.0, root = std::sqrt(half * half + b * c);
    const Complex e1 = d + half + root, e2 = d + half - root;
    Complex shift = std::abs(e1 - d) < std::abs(e2 - d) ? e1 : e2;
    if (iteration % 11 == 10) shift = std::abs(h(high, high - 1)) + std::abs(h(high - 1, high - 1));
    for (int64_t i = low; i <= high; i++) h(i, i) -= shift;
    std::vector<std::pair<Complex, Complex>> rotations;
    for (int64_t k = low; k < high; k++) {
      const Complex x = h(k, k), y = h(k + 1, k);
      const double r = std::sqrt(squared(x) + squared(y));
      const Complex cs = r == 0 ? Complex(1) : x / r, sn = r == 0 ? Complex(0) : y / r;
      rotations.emplace_back(cs, sn);
      for (int64_t j = k; j < n; j++) {
        const Complex p = h(k, j), q = h(k + 1, j);
        h(k, j) = std::conj(cs) * p + std::conj(sn) * q;
        h(k + 1, j) = -sn * p + cs * q;
      }
    }
    for (int64_t k = low; k < high; k++) {
      const auto [cs, sn] = rotations[static_cast<size_t>(k - low)];
      const auto turn = [cs = cs, sn = sn, k](Matrix<Complex>& m, int64_t i) {
        const Complex p = m(i, k), q = m(i, k + 1);
        m(i, k) = p * cs + q * sn;
        m(i, k + 1) = -p * std::conj(sn) + q * std::conj(cs);
      };
      for (int64_t i = 0; i <= std::min(k + 1, high); i++) turn(h, i);
      for (int64_t i = 0; i < n; i++) turn(z, i);
    }
    for (int64_t i = low; i <= high; i++) h(i, i) += shift;
  }
  values.clear();
  for (int64_t i = 0; i < n; i++) values.push_back(h(i, i));
  if (vectors == nullptr) return;
  *vectors = Matrix<Complex>(n, n);
  double scale = 0;
  for (const Complex& v : h.a) scale = std::max(scale, std::abs(v));
  for (int64_t k = 0; k < n; k++) {
    std::vector<Complex> x(static_cast<size_t>(n), Complex(0));
    x[static_cast<size_t>(k)] = 1;
    for (int64_t i = k - 1; i >= 0; i--) {
      Complex sum(0);
      for (int64_t j = i + 1; j <= k; j++) sum += h(i, j) * x[static_cast<size_t>(j)];
      Complex gap = h(k, k) - h(i, i);
      if (std::abs(gap) < kEpsilon * scale) gap = kEpsilon * (scale > 0 ? scale : 1);
      x[static_cast<size_t>(i)] = sum / gap;
    }
    double norm = 0;
    for (int64_t i = 0; i < n; i++) {
      Complex sum(0);
      for (int64_t j = 0; j <= k; j++) sum += z(i, j) * x[static_cast<size_t>(j)];
      (*vectors)(i, k) = sum;
      norm += squared(sum);
    }
    for (int64_t i = 0; i < n; i++) (*vectors)(i, k) /= std::sqrt(norm);
  }
}

template std::vector<double> eigen_hermitian(Matrix<double>, Matrix<double>&);
template std::vector<double> eigen_hermitian(Matrix<Complex>, Matrix<Complex>&);
template void singular_values(const Matrix<double>&, Matrix<double>&, std::vector<double>&, Matrix<double>&, bool);
template void singular_values(const Matrix<Complex>&, Matrix<Complex>&, std::vector<double>&, Matrix<Complex>&, bool);

}  // namespace torchscript::portable::linalg
