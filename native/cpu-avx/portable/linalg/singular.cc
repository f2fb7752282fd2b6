// Singular values as LAPACK's gesdd finds them: reduction to a bidiagonal matrix by reflections, after a QR where the matrix is tall, then
// implicit QR with zero or Wilkinson-like shifts (Demmel and Kahan, 1990). The signs of the vectors are LAPACK's (as MKL builds it).
#include <numeric>

#include "cpu-avx/portable/linalg/reflect.h"
#include "cpu-avx/portable/linalg/rotation.h"

namespace torchscript::portable::linalg {
namespace {

constexpr double kEpsilon = 0x1p-53;
// Up to this size LAPACK iterates; above it divides and conquers.
constexpr int64_t kConquered = 25;

struct Bidiagonal {
  std::vector<double> d, e;
};

// A = Q B P^H. Vectors go to columns of `left` and `right`, as a QR keeps them. B is upper bidiagonal where m >= n, else lower.
template <class T> struct Reduced {
  Bidiagonal b;
  Matrix<T> left, right;
  std::vector<T> left_tau, right_tau;
};
template <class T> Reduced<T> bidiagonalise(Matrix<T>& a) {
  const int64_t m = a.rows, n = a.cols, k = std::min(m, n);
  const bool upper = m >= n;
  Reduced<T> r;
  r.b.d.resize(static_cast<size_t>(k));
  r.b.e.resize(static_cast<size_t>(k));
  // An upper matrix has columns reduced from the diagonal on and rows from beside it; a lower one the other way round.
  const int64_t column_shift = upper ? 0 : 1, row_shift = upper ? 1 : 0;
  r.left = Matrix<T>(std::max<int64_t>(m - column_shift, 0), std::max<int64_t>(k - column_shift, 0));
  r.right = Matrix<T>(std::max<int64_t>(n - row_shift, 0), std::max<int64_t>(k - row_shift, 0));
  r.left_tau.assign(static_cast<size_t>(r.left.cols), T(0));
  r.right_tau.assign(static_cast<size_t>(r.right.cols), T(0));
  std::vector<T> v(static_cast<size_t>(std::max(m, n)));
  Reflector<T> reflector(std::max(m, n));
  const auto columns = [&](int64_t i) {
    const int64_t at = i + column_shift, size = m - at;
    for (int64_t j = 0; j < size; j++) v[static_cast<size_t>(j)] = a(at + j, i);
    const Reflection<T> f = reflection(v.data(), size);
    for (int64_t j = 1; j < size; j++) r.left(i + j, i) = v[static_cast<size_t>(j)];
    r.left_tau[static_cast<size_t>(i)] = f.tau;
    reflector.left(block_of(a, at, i + 1), v.data(), conjugate(f.tau));
    return f.beta;
  };
  const auto rows = [&](int64_t i) {
    const int64_t at = i + row_shift, size = n - at;
    for (int64_t j = 0; j < size; j++) v[static_cast<size_t>(j)] = conjugate(a(i, at + j));
    const Reflection<T> f = reflection(v.data(), size);
    for (int64_t j = 1; j < size; j++) r.right(i + j, i) = v[static_cast<size_t>(j)];
    r.right_tau[static_cast<size_t>(i)] = f.tau;
    reflector.right(block_of(a, i + 1, at), v.data(), f.tau);
    return f.beta;
  };
  for (int64_t i = 0; i < k; i++) {
    r.b.d[static_cast<size_t>(i)] = upper ? columns(i) : rows(i);
    if (i + 1 < k) r.b.e[static_cast<size_t>(i)] = upper ? rows(i) : columns(i);
  }
  return r;
}

// The first `count` columns of the product of the reflections of `vectors`, `shift` rows down, as the rows of the result.
template <class T>
Matrix<T> turned_product(const Matrix<T>& vectors, const std::vector<T>& tau, int64_t shift, int64_t size, int64_t count, bool adjoint) {
  const Matrix<T> q = householder_product(vectors, tau, count - shift);
  Matrix<T> rows(count, size);
  for (int64_t i = 0; i < shift; i++) rows(i, i) = T(1);
  for (int64_t i = 0; i < q.rows; i++)
    for (int64_t j = 0; j < q.cols; j++) rows(j + shift, i + shift) = adjoint ? conjugate(q(i, j)) : q(i, j);
  return rows;
}

// LAPACK's bdsqr on an upper bidiagonal matrix. Rows of u (transposed) and of vt turn along.
class Iteration {
 public:
  struct Rows {
    double* a = nullptr;
    int64_t length = 0;
  };
  Iteration(Bidiagonal& b, Rows u, Rows vt) : d_(b.d), e_(b.e), n_(static_cast<int64_t>(b.d.size())), u_(u), vt_(vt) {
    for (auto* x : {&right_c_, &right_s_, &left_c_, &left_s_}) x->resize(b.d.size());
  }

  void run() {
    const double tolerance = std::max(10.0, std::min(100.0, std::pow(kEpsilon, -0.125))) * kEpsilon;
    double mu = std::fabs(d(0)), least = mu;
    for (int64_t i = 1; i < n_ && least != 0; i++) {
      mu = std::fabs(d(i)) * (mu / (mu + std::fabs(e(i - 1))));
      least = std::min(least, mu);
    }
    const double count = static_cast<double>(n_), limit = 6 * count * count;
    threshold_ = std::max(tolerance * (least / std::sqrt(count)), limit * std::numeric_limits<double>::min());
    int64_t old_low = -1, old_high = -1;
    bool down = true;
    double steps = 0;
    for (int64_t high = n_ - 1; high > 0;) {
      if (steps > limit * 5) return;
      double largest = std::fabs(d(high));
      int64_t low = high - 1;
      for (; low >= 0; low--) {
        const double off = std::fabs(e(low));
        if (off <= threshold_) {
          e(low) = 0;
          break;
        }
        largest = std::max({largest, std::fabs(d(low)), off});
      }
      low++;
      if (low == high) {
        high--;
        continue;
      }
      if (low == high - 1) {
        const Singular2 pair = singular2(d(low), e(low), d(high));
        d(low) = pair.larger, e(low) = 0, d(high) = pair.smaller;
        rotate_one(vt_, low, pair.cr, pair.sr);
        rotate_one(u_, low, pair.cl, pair.sl);
        high -= 2;
        continue;
      }
      if (low > old_high || high < old_low) down = std::fabs(d(low)) >= std::fabs(d(high));
      double smallest = 0;
      if (converged(low, high, down, tolerance, &smallest)) continue;
      old_low = low, old_high = high;
      double shift = 0;
      if (count * tolerance * (smallest / largest) > std::max(kEpsilon, 0.01 * tolerance)) {
        const double end = std::fabs(down ? d(low) : d(high));
        shift = down ? smaller_singular(d(high - 1), e(high - 1), d(high)) : smaller_singular(d(low), e(low), d(low + 1));
        if (end > 0 && (shift / end) * (shift / end) < kEpsilon) shift = 0;
      }
      steps += static_cast<double>(high - low);
      if (down) shift == 0 ? zero_shift_down(low, high) : shifted_down(low, high, shift);
      else shift == 0 ? zero_shift_up(low, high) : shifted_up(low, high, shift);
    }
  }

 private:
  double& d(int64_t i) { return d_[static_cast<size_t>(i)]; }
  double& e(int64_t i) { return e_[static_cast<size_t>(i)]; }
  void rotate_one(const Rows& rows, int64_t at, double c, double s) {
    if (rows.a != nullptr) rotate_rows(rows.a + at * rows.length, rows.length, 1, &c, &s, false);
  }
  void turn(const Rows& rows, int64_t low, int64_t count, const std::vector<double>& c, const std::vector<double>& s, bool falling) {
    if (rows.a != nullptr) rotate_rows(rows.a + low * rows.length, rows.length, count, c.data(), s.data(), falling);
  }
  // The rotations number k of both sides.
  void keep(int64_t k, double right_c, double right_s, double left_c, double left_s) {
    right_c_[static_cast<size_t>(k)] = right_c, right_s_[static_cast<size_t>(k)] = right_s;
    left_c_[static_cast<size_t>(k)] = left_c, left_s_[static_cast<size_t>(k)] = left_s;
  }
  void apply_down(int64_t low, int64_t high) {
    turn(vt_, low, high - low, right_c_, right_s_, false);
    turn(u_, low, high - low, left_c_, left_s_, false);
    if (std::fabs(e(high - 1)) <= threshold_) e(high - 1) = 0;
  }
  // Rotations from the bottom: those computed for the right side belong to U.
  void apply_up(int64_t low, int64_t high) {
    turn(vt_, low, high - low, left_c_, left_s_, true);
    turn(u_, low, high - low, right_c_, right_s_, true);
    if (std::fabs(e(low)) <= threshold_) e(low) = 0;
  }

  // Sets one off-diagonal element to zero where the criteria of Demmel and Kahan allow; else gives a bound for the smallest singular value.
  bool converged(int64_t low, int64_t high, bool down, double tolerance, double* smallest) {
    double& end = down ? e(high - 1) : e(low);
    if (std::fabs(end) <= tolerance * std::fabs(down ? d(high) : d(low))) {
      end = 0;
      return true;
    }
    double mu = std::fabs(down ? d(low) : d(high));
    *smallest = mu;
    for (int64_t step = 0; step < high - low; step++) {
      const int64_t i = down ? low + step : high - 1 - step;
      if (std::fabs(e(i)) <= tolerance * mu) {
        e(i) = 0;
        return true;
      }
      mu = std::fabs(down ? d(i + 1) : d(i)) * (mu / (mu + std::fabs(e(i))));
      *smallest = std::min(*smallest, mu);
    }
    return false;
  }

  void zero_shift_down(int64_t low, int64_t high) {
    double c = 1, old_c = 1, old_s = 0;
    for (int64_t i = low; i < high; i++) {
      const Givens right = givens(d(i) * c, e(i));
      if (i > low) e(i - 1) = old_s * right.r;
      const Givens left = givens(old_c * right.r, d(i + 1) * right.s);
      c = right.c, old_c = left.c, old_s = left.s;
      d(i) = left.r;
      keep(i - low, right.c, right.s, left.c, left.s);
    }
    const double h = d(high) * c;
    d(high) = h * old_c;
    e(high - 1) = h * old_s;
    apply_down(low, high);
  }
  void zero_shift_up(int64_t low, int64_t high) {
    double c = 1, old_c = 1, old_s = 0;
    for (int64_t i = high; i > low; i--) {
      const Givens right = givens(d(i) * c, e(i - 1));
      if (i < high) e(i) = old_s * right.r;
      const Givens left = givens(old_c * right.r, d(i - 1) * right.s);
      c = right.c, old_c = left.c, old_s = left.s;
      d(i) = left.r;
      keep(i - low - 1, right.c, -right.s, left.c, -left.s);
    }
    const double h = d(low) * c;
    d(low) = h * old_c;
    e(low) = h * old_s;
    apply_up(low, high);
  }
  void shifted_down(int64_t low, int64_t high, double shift) {
    double f = (std::fabs(d(low)) - shift) * (std::copysign(1.0, d(low)) + shift / d(low)), g = e(low);
    for (int64_t i = low; i < high; i++) {
      const Givens right = givens(f, g);
      if (i > low) e(i - 1) = right.r;
      f = right.c * d(i) + right.s * e(i);
      e(i) = right.c * e(i) - right.s * d(i);
      g = right.s * d(i + 1);
      d(i + 1) = right.c * d(i + 1);
      const Givens left = givens(f, g);
      d(i) = left.r;
      f = left.c * e(i) + left.s * d(i + 1);
      d(i + 1) = left.c * d(i + 1) - left.s * e(i);
      if (i < high - 1) {
        g = left.s * e(i + 1);
        e(i + 1) = left.c * e(i + 1);
      }
      keep(i - low, right.c, right.s, left.c, left.s);
    }
    e(high - 1) = f;
    apply_down(low, high);
  }
  void shifted_up(int64_t low, int64_t high, double shift) {
    double f = (std::fabs(d(high)) - shift) * (std::copysign(1.0, d(high)) + shift / d(high)), g = e(high - 1);
    for (int64_t i = high; i > low; i--) {
      const Givens right = givens(f, g);
      if (i < high) e(i) = right.r;
      f = right.c * d(i) + right.s * e(i - 1);
      e(i - 1) = right.c * e(i - 1) - right.s * d(i);
      g = right.s * d(i - 1);
      d(i - 1) = right.c * d(i - 1);
      const Givens left = givens(f, g);
      d(i) = left.r;
      f = left.c * e(i - 1) + left.s * d(i - 1);
      d(i - 1) = left.c * d(i - 1) - left.s * e(i - 1);
      if (i > low + 1) {
        g = left.s * e(i - 2);
        e(i - 2) = left.c * e(i - 2);
      }
      keep(i - low - 1, right.c, -right.s, left.c, -left.s);
    }
    e(low) = f;
    apply_up(low, high);
  }

  std::vector<double>&d_, &e_;
  int64_t n_;
  Rows u_, vt_;
  double threshold_ = 0;
  std::vector<double> right_c_, right_s_, left_c_, left_s_;
};

template <class T> Iteration::Rows rows_of(Matrix<T>* m) {
  if (m == nullptr) return {};
  return {reinterpret_cast<double*>(m->a.data()), m->cols * (is_complex_type<T>::value ? 2 : 1)};
}

// Of a matrix that is not much taller than wide: rows of ut are columns of U.
template <class T>
void decompose(Matrix<T> a, std::vector<double>& s, Matrix<T>* ut, Matrix<T>* vh, int64_t left_count, int64_t right_count) {
  const int64_t m = a.rows, n = a.cols, k = std::min(m, n);
  Reduced<T> r = bidiagonalise(a);
  const bool vectors = ut != nullptr, lower = m < n;
  std::vector<T> middle;
  if (vectors) {
    *ut = turned_product(r.left, r.left_tau, lower ? 1 : 0, m, left_count, false);
    *vh = turned_product(r.right, r.right_tau, lower ? 0 : 1, n, right_count, true);
  }
  if (lower) {  // rotations from the left make it upper
    std::vector<double> c(static_cast<size_t>(k)), sn(static_cast<size_t>(k));
    for (int64_t i = 0; i + 1 < k; i++) {
      const auto at = static_cast<size_t>(i);
      const Givens g = givens(r.b.d[at], r.b.e[at]);
      r.b.d[at] = g.r;
      r.b.e[at] = g.s * r.b.d[at + 1];
      r.b.d[at + 1] *= g.c;
      c[at] = g.c, sn[at] = g.s;
    }
    if (vectors) {
      const Iteration::Rows rows = rows_of(ut);
      rotate_rows(rows.a, rows.length, k - 1, c.data(), sn.data(), false);
    }
  }
  if (vectors && k > kConquered)
    for (int64_t i = 0; i < m; i++) middle.push_back((*ut)(k / 2, i));
  Iteration(r.b, rows_of(ut), rows_of(vh)).run();
  std::vector<double>& d = r.b.d;
  for (int64_t i = 0; i < k; i++) {
    double& value = d[static_cast<size_t>(i)];
    if (!(value < 0)) continue;
    value = -value;
    if (!vectors) continue;
    Matrix<T>& flipped = k == 1 ? *ut : *vh;
    for (int64_t j = 0; j < flipped.cols; j++) flipped(i, j) = -flipped(i, j);
  }
  std::vector<int64_t> order(static_cast<size_t>(k));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return d[static_cast<size_t>(i)] > d[static_cast<size_t>(j)]; });
  s.clear();
  for (const int64_t i : order) s.push_back(d[static_cast<size_t>(i)]);
  if (!vectors) return;
  const Matrix<T> old_u = *ut, old_v = *vh;
  for (int64_t i = 0; i < k; i++) {
    const int64_t from = order[static_cast<size_t>(i)];
    // Divide and conquer gives every left vector a negative component in the row that joins the halves.
    double along = 0;
    for (int64_t j = 0; j < static_cast<int64_t>(middle.size()); j++)
      along += real_part(times(conjugate(middle[static_cast<size_t>(j)]), old_u(from, j)));
    const double sign = along > 0 ? -1 : 1;
    for (int64_t j = 0; j < m; j++) (*ut)(i, j) = old_u(from, j) * sign;
    for (int64_t j = 0; j < n; j++) (*vh)(i, j) = old_v(from, j) * sign;
  }
}

}  // namespace

template <class T> void singular_values(const Matrix<T>& a, std::vector<double>& s, Matrix<T>* u, Matrix<T>* vh, bool full) {
  const int64_t m = a.rows, n = a.cols, k = std::min(m, n);
  Matrix<T> work = a, ut;
  const int exponent = normalise(work);
  const int64_t left = full ? m : k, right = full ? n : k;
  if (k == 0) {
    s.clear();
    if (u != nullptr) *u = Matrix<T>::identity(m, left), *vh = Matrix<T>::identity(right, n);
    return;
  }
  Matrix<T>* target = u != nullptr ? &ut : nullptr;
  // MKL takes the QR first from 3 / 2 on; the LQ of wide matrices only for complex ones, and both from 17 / 9 on there.
  constexpr bool complex = is_complex_type<T>::value;
  const bool tall = m > n && (complex ? m >= n * 17 / 9 : m >= n * 3 / 2), wide = complex && n > m && n >= m * 17 / 9;
  if (wide) {
    Matrix<T> turned = adjoint(work), l(m, m), inner;
    const std::vector<T> tau = householder_qr(turned);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j <= i; j++) l(i, j) = conjugate(turned(j, i));
    decompose(l, s, target, u != nullptr ? &inner : nullptr, m, m);
    if (u != nullptr) {
      *u = Matrix<T>(m, m);
      Matrix<T> v = Matrix<T>::identity(n, right);
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) (*u)(i, j) = ut(j, i), v(i, j) = conjugate(inner(j, i));
      apply_reflections(turned, tau, v, false);
      *vh = adjoint(v);
    }
  } else if (tall) {
    const std::vector<T> tau = householder_qr(work);
    Matrix<T> r(n, n);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i; j < n; j++) r(i, j) = work(i, j);
    decompose(r, s, target, vh, n, n);
    if (u != nullptr) {
      *u = Matrix<T>::identity(m, left);
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) (*u)(i, j) = ut(j, i);
      apply_reflections(work, tau, *u, false);
    }
  } else {
    decompose(work, s, target, vh, left, right);
    if (u != nullptr) {
      *u = Matrix<T>(m, left);
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < left; j++) (*u)(i, j) = ut(j, i);
    }
  }
  for (double& value : s) value = std::ldexp(value, exponent);
}

template void singular_values(const Matrix<double>&, std::vector<double>&, Matrix<double>*, Matrix<double>*, bool);
template void singular_values(const Matrix<Complex>&, std::vector<double>&, Matrix<Complex>*, Matrix<Complex>*, bool);

}  // namespace torchscript::portable::linalg
