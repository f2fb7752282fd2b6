// Eigenvalues of general matrices as LAPACK's geev finds them: balancing, reduction to Hessenberg form by reflections, double-shift QR for
// real matrices and single-shift QR for complex ones, eigenvectors of the triangular form by substitution.
#include "cpu-avx/portable/linalg/reflect.h"
#include "cpu-avx/portable/linalg/rotation.h"

namespace torchscript::portable::linalg {
namespace {

constexpr double kUlp = 0x1p-52;
constexpr double kSafe = std::numeric_limits<double>::min();
constexpr double kSmall = kSafe / kUlp;

double size1(double v) { return std::fabs(v); }
double size1(Complex v) { return std::fabs(v.real()) + std::fabs(v.imag()); }

// Rows and columns low .. high are left to be reduced; the others are triangular already. `scale` holds the partners of exchanged rows outside
// that range and powers of two inside.
struct Balance {
  int64_t low, high;
  std::vector<double> scale;
};
template <class T> void exchange(Matrix<T>& a, int64_t i, int64_t j) {
  for (int64_t r = 0; i != j && r < a.rows; r++) std::swap(a(r, i), a(r, j));
  for (int64_t c = 0; i != j && c < a.cols; c++) std::swap(a(i, c), a(j, c));
}
template <class T> Balance balance(Matrix<T>& a) {
  const int64_t n = a.rows;
  Balance b{0, n - 1, std::vector<double>(static_cast<size_t>(n), 1.0)};
  // The first row (from below) or column (from above) that isolates an eigenvalue.
  const auto isolated = [&](bool row) {
    for (int64_t step = b.low; step <= b.high; step++) {
      const int64_t i = row ? b.low + b.high - step : step;
      bool alone = true;
      for (int64_t j = b.low; alone && j <= b.high; j++) alone = i == j || (row ? a(i, j) : a(j, i)) == T(0);
      if (alone) return i;
    }
    return int64_t{-1};
  };
  for (int64_t i; b.low < b.high && (i = isolated(true)) >= 0; b.high--) {
    exchange(a, i, b.high);
    b.scale[static_cast<size_t>(b.high)] = static_cast<double>(i);
  }
  for (int64_t i; b.low < b.high && (i = isolated(false)) >= 0; b.low++) {
    exchange(a, i, b.low);
    b.scale[static_cast<size_t>(b.low)] = static_cast<double>(i);
  }
  for (bool again = true; again;) {
    again = false;
    for (int64_t i = b.low; i <= b.high; i++) {
      double c = 0, r = 0, top_c = 0, top_r = 0;
      for (int64_t j = b.low; j <= b.high; j++) c += squared(a(j, i)), r += squared(a(i, j));
      for (int64_t j = 0; j <= b.high; j++) top_c = std::max(top_c, squared(a(j, i)));
      for (int64_t j = b.low; j < n; j++) top_r = std::max(top_r, squared(a(i, j)));
      c = std::sqrt(c), r = std::sqrt(r), top_c = std::sqrt(top_c), top_r = std::sqrt(top_r);
      if (c == 0 || r == 0) continue;
      const double before = c + r, least = kSafe / kUlp * 2, most = 1 / least;
      double f = 1;
      for (double g = r / 2; c < g && std::max({f, c, top_c}) < most && std::min({r, g, top_r}) > least;)
        f *= 2, c *= 2, top_c *= 2, r /= 2, g /= 2, top_r /= 2;
      for (double g = c / 2; g >= r && std::max(r, top_r) < most && std::min({f, c, g, top_c}) > least;)
        f /= 2, c /= 2, g /= 2, top_c /= 2, r *= 2, top_r *= 2;
      if (c + r >= 0.95 * before) continue;
      if (f < 1 && b.scale[static_cast<size_t>(i)] < 1 && f * b.scale[static_cast<size_t>(i)] <= least) continue;
      if (f > 1 && b.scale[static_cast<size_t>(i)] > 1 && b.scale[static_cast<size_t>(i)] >= most / f) continue;
      b.scale[static_cast<size_t>(i)] *= f;
      again = true;
      for (int64_t j = b.low; j < n; j++) a(i, j) *= 1 / f;
      for (int64_t j = 0; j <= b.high; j++) a(j, i) *= f;
    }
  }
  return b;
}
template <class T> void undo_balance(const Balance& b, Matrix<T>& v) {
  const auto swap_rows = [&](int64_t i) {
    const auto k = static_cast<int64_t>(b.scale[static_cast<size_t>(i)]);
    for (int64_t c = 0; k != i && c < v.cols; c++) std::swap(v(i, c), v(k, c));
  };
  for (int64_t i = b.low; i <= b.high; i++)
    for (int64_t c = 0; b.low < b.high && c < v.cols; c++) v(i, c) *= b.scale[static_cast<size_t>(i)];
  for (int64_t i = b.low - 1; i >= 0; i--) swap_rows(i);
  for (int64_t i = b.high + 1; i < v.rows; i++) swap_rows(i);
}

// A = Q H Q^H in place; q, where wanted, is Q.
template <class T> void to_hessenberg(Matrix<T>& a, const Balance& b, Matrix<T>* q) {
  const int64_t n = a.rows, size = std::max<int64_t>(b.high - b.low, 0);
  std::vector<T> v(static_cast<size_t>(n)), tau(static_cast<size_t>(size), T(0));
  Matrix<T> vectors(size, size);
  Reflector<T> reflector(n);
  for (int64_t i = b.low; i < b.high; i++) {
    const int64_t k = i - b.low, length = b.high - i;
    for (int64_t j = 0; j < length; j++) v[static_cast<size_t>(j)] = a(i + 1 + j, i);
    const Reflection<T> f = reflection(v.data(), length);
    tau[static_cast<size_t>(k)] = f.tau;
    a(i + 1, i) = T(f.beta);
    for (int64_t j = 1; j < length; j++) {
      vectors(k + j, k) = v[static_cast<size_t>(j)];
      a(i + 1 + j, i) = T(0);
    }
    reflector.right(block_of(a, 0, i + 1, b.high + 1, length), v.data(), f.tau);
    reflector.left(block_of(a, i + 1, i + 1, length, n - i - 1), v.data(), conjugate(f.tau));
  }
  if (q == nullptr) return;
  *q = Matrix<T>::identity(n);
  const Matrix<T> inner = householder_product(vectors, tau, size);
  for (int64_t i = 0; i < size; i++)
    for (int64_t j = 0; j < size; j++) (*q)(b.low + 1 + i, b.low + 1 + j) = inner(i, j);
}

// LAPACK's lanv2: the rotation (c, s) that makes [[a, b], [c, d]] triangular, or of equal diagonal where its eigenvalues are complex.
struct Standard2 {
  double a, b, c, d, cs, sn;
};
Standard2 standardise(double a, double b, double c, double d) {
  const auto sign = [](double v) { return std::copysign(1.0, v); };
  if (c == 0) return {a, b, c, d, 1, 0};
  if (b == 0) return {d, -c, 0, a, 0, 1};
  if (a - d == 0 && sign(b) != sign(c)) return {a, b, c, d, 1, 0};
  const double gap = a - d, most = std::max(std::fabs(b), std::fabs(c)), least = std::min(std::fabs(b), std::fabs(c)) * sign(b) * sign(c);
  double p = 0.5 * gap;
  const double scale = std::max(std::fabs(p), most);
  double z = p / scale * p + most / scale * least;
  if (z >= 4 * kUlp) {
    z = p + std::copysign(std::sqrt(scale) * std::sqrt(z), p);
    const double tau = std::hypot(c, z);
    return {d + z, b - c, 0, d - most / z * least, z / tau, c / tau};
  }
  const double sigma = b + c, tau = std::hypot(sigma, gap);
  double cs = std::sqrt(0.5 * (1 + std::fabs(sigma) / tau)), sn = -(p / (tau * cs)) * sign(sigma);
  const double aa = a * cs + b * sn, bb = -a * sn + b * cs, cc = c * cs + d * sn, dd = -c * sn + d * cs;
  Standard2 r{aa * cs + cc * sn, bb * cs + dd * sn, -aa * sn + cc * cs, -bb * sn + dd * cs, cs, sn};
  const double mean = 0.5 * (r.a + r.d);
  r.a = r.d = mean;
  if (r.c == 0) return r;
  if (r.b == 0) return {r.a, -r.c, 0, r.d, -sn, cs};
  if (sign(r.b) != sign(r.c)) return r;
  const double root_b = std::sqrt(std::fabs(r.b)), root_c = std::sqrt(std::fabs(r.c)), inverse = 1 / std::sqrt(std::fabs(r.b + r.c));
  p = std::copysign(root_b * root_c, r.c);
  const double cs1 = root_b * inverse, sn1 = root_c * inverse;
  return {mean + p, r.b - r.c, 0, mean - p, cs * cs1 - sn * sn1, cs * sn1 + sn * cs1};
}

// Whether h(k, k - 1) counts as zero (Ahues and Tisseur, 1997).
template <class T> bool negligible(const Matrix<T>& h, int64_t k, const Balance& b, double small) {
  const double off = size1(h(k, k - 1));
  if (off <= small) return true;
  double test = size1(h(k - 1, k - 1)) + size1(h(k, k));
  if (test == 0) {
    if (k - 2 >= b.low) test += std::fabs(real_part(h(k - 1, k - 2)));
    if (k + 1 <= b.high) test += std::fabs(real_part(h(k + 1, k)));
  }
  if (std::fabs(real_part(h(k, k - 1))) > kUlp * test) return false;
  const double other = size1(h(k - 1, k)), ab = std::max(off, other), ba = std::min(off, other);
  const double diagonal = size1(h(k, k)), gap = size1(T(h(k - 1, k - 1) - h(k, k)));
  const double aa = std::max(diagonal, gap), bb = std::min(diagonal, gap), s = aa + ab;
  return ba * (ab / s) <= std::max(small, kUlp * (bb * (aa / s)));
}

// Real Schur form in place (LAPACK's lahqr), z turning along. False if an eigenvalue does not converge.
bool schur(Matrix<double>& h, const Balance& b, Matrix<double>* z, std::vector<Complex>& values) {
  const int64_t n = h.rows;
  values.assign(static_cast<size_t>(n), Complex(0));
  for (int64_t i = 0; i < n; i++)
    if (i < b.low || i > b.high) values[static_cast<size_t>(i)] = h(i, i);
  const double small = kSafe * (static_cast<double>(b.high - b.low + 1) / kUlp);
  const int64_t limit = 30 * std::max<int64_t>(10, b.high - b.low + 1);
  int64_t stuck = 0;
  for (int64_t i = b.high; i >= b.low;) {
    int64_t l = b.low;
    bool found = false;
    for (int64_t step = 0; step <= limit; step++) {
      int64_t k = i;
      while (k > l && !negligible(h, k, b, small)) k--;
      l = k;
      if (l > b.low) h(l, l - 1) = 0;
      if (l >= i - 1) {
        found = true;
        break;
      }
      stuck++;
      double h11 = h(i - 1, i - 1), h21 = h(i, i - 1), h12 = h(i - 1, i), h22 = h(i, i);
      if (stuck % 10 == 0) {  // exceptional shifts
        const bool below = stuck % 20 == 0;
        const double s = below ? std::fabs(h(i, i - 1)) + std::fabs(h(i - 1, i - 2)) : std::fabs(h(l + 1, l)) + std::fabs(h(l + 2, l + 1));
        h11 = h22 = 0.75 * s + (below ? h(i, i) : h(l, l));
        h12 = -0.4375 * s, h21 = s;
      }
      double s = std::fabs(h11) + std::fabs(h12) + std::fabs(h21) + std::fabs(h22), r1 = 0, i1 = 0, r2 = 0, i2 = 0;
      if (s != 0) {
        h11 /= s, h21 /= s, h12 /= s, h22 /= s;
        const double mean = (h11 + h22) / 2, det = (h11 - mean) * (h22 - mean) - h12 * h21, root = std::sqrt(std::fabs(det));
        if (det >= 0) {
          r1 = r2 = mean * s;
          i1 = root * s, i2 = -i1;
        } else {
          r1 = mean + root, r2 = mean - root;
          r1 = r2 = (std::fabs(r1 - h22) <= std::fabs(r2 - h22) ? r1 : r2) * s;
        }
      }
      double v[3];
      int64_t m = i - 2;
      for (;; m--) {
        const double below = h(m + 1, m);
        s = std::fabs(h(m, m) - r2) + std::fabs(i2) + std::fabs(below);
        const double ratio = below / s;
        v[0] = ratio * h(m, m + 1) + (h(m, m) - r1) * ((h(m, m) - r2) / s) - i1 * (i2 / s);
        v[1] = ratio * (h(m, m) + h(m + 1, m + 1) - r1 - r2);
        v[2] = ratio * h(m + 2, m + 1);
        s = std::fabs(v[0]) + std::fabs(v[1]) + std::fabs(v[2]);
        for (double& x : v) x /= s;
        if (m == l) break;
        const double near = std::fabs(h(m - 1, m - 1)) + std::fabs(h(m, m)) + std::fabs(h(m + 1, m + 1));
        if (std::fabs(h(m, m - 1)) * (std::fabs(v[1]) + std::fabs(v[2])) <= kUlp * std::fabs(v[0]) * near) break;
      }
      for (k = m; k < i; k++) {
        const int64_t size = std::min<int64_t>(3, i - k + 1);
        if (k > m)
          for (int64_t j = 0; j < size; j++) v[j] = h(k + j, k - 1);
        const Reflection<double> f = reflection(v, size);
        if (k > m) {
          h(k, k - 1) = f.beta, h(k + 1, k - 1) = 0;
          if (k < i - 1) h(k + 2, k - 1) = 0;
        } else if (m > l) {
          h(k, k - 1) *= 1 - f.tau;
        }
        const double v1 = v[1], v2 = size == 3 ? v[2] : 0, t0 = f.tau, t1 = f.tau * v1, t2 = f.tau * v2;
        double *r0 = &h(k, 0), *ra = &h(k + 1, 0), *rb = size == 3 ? &h(k + 2, 0) : nullptr;
        for (int64_t j = k; j < n; j++) {
          const double sum = r0[j] + v1 * ra[j] + (rb != nullptr ? v2 * rb[j] : 0);
          r0[j] -= sum * t0, ra[j] -= sum * t1;
          if (rb != nullptr) rb[j] -= sum * t2;
        }
        const auto columns = [&](Matrix<double>& x, int64_t end) {
          for (int64_t j = 0; j < end; j++) {
            double* p = &x(j, k);
            const double sum = p[0] + v1 * p[1] + (size == 3 ? v2 * p[2] : 0);
            p[0] -= sum * t0, p[1] -= sum * t1;
            if (size == 3) p[2] -= sum * t2;
          }
        };
        columns(h, std::min(k + 3, i) + 1);
        if (z != nullptr) columns(*z, n);
      }
    }
    if (!found) return false;
    if (l == i) {
      values[static_cast<size_t>(i)] = h(i, i);
    } else {
      const Standard2 p = standardise(h(i - 1, i - 1), h(i - 1, i), h(i, i - 1), h(i, i));
      h(i - 1, i - 1) = p.a, h(i - 1, i) = p.b, h(i, i - 1) = p.c, h(i, i) = p.d;
      const double imaginary = p.c == 0 ? 0 : std::sqrt(std::fabs(p.b)) * std::sqrt(std::fabs(p.c));
      values[static_cast<size_t>(i - 1)] = {p.a, imaginary};
      values[static_cast<size_t>(i)] = {p.d, -imaginary};
      const auto turn = [&](double& x, double& y) {
        const double t = p.cs * x + p.sn * y;
        y = p.cs * y - p.sn * x;
        x = t;
      };
      for (int64_t j = i + 1; j < n; j++) turn(h(i - 1, j), h(i, j));
      for (int64_t j = 0; j < i - 1; j++) turn(h(j, i - 1), h(j, i));
      for (int64_t j = 0; z != nullptr && j < n; j++) turn((*z)(j, i - 1), (*z)(j, i));
    }
    stuck = 0;
    i = l - 1;
  }
  return true;
}

// The same of a complex matrix (zlahqr): T is triangular.
bool schur(Matrix<Complex>& h, const Balance& b, Matrix<Complex>* z, std::vector<Complex>& values) {
  const int64_t n = h.rows;
  const double small = kSafe * (static_cast<double>(b.high - b.low + 1) / kUlp);
  const int64_t limit = 30 * std::max<int64_t>(10, b.high - b.low + 1);
  // Subdiagonal elements are made real.
  for (int64_t i = b.low + 1; i <= b.high; i++) {
    if (h(i, i - 1).imag() == 0) continue;
    Complex f = h(i, i - 1) / size1(h(i, i - 1));
    f = std::conj(f) / std::abs(f);
    h(i, i - 1) = std::abs(h(i, i - 1));
    for (int64_t j = i; j < n; j++) h(i, j) = times(h(i, j), f);
    for (int64_t j = 0; j <= std::min(b.high, i + 1); j++) h(j, i) = times(h(j, i), std::conj(f));
    for (int64_t j = 0; z != nullptr && j < n; j++) (*z)(j, i) = times((*z)(j, i), std::conj(f));
  }
  int64_t stuck = 0;
  for (int64_t i = b.high; i >= b.low;) {
    int64_t l = b.low;
    bool found = false;
    for (int64_t step = 0; step <= limit; step++) {
      int64_t k = i;
      while (k > l && !negligible(h, k, b, small)) k--;
      l = k;
      if (l > b.low) h(l, l - 1) = 0;
      if (l >= i) {
        found = true;
        break;
      }
      stuck++;
      Complex t;
      if (stuck % 20 == 0) {
        t = 0.75 * std::fabs(h(i, i - 1).real()) + h(i, i);
      } else if (stuck % 10 == 0) {
        t = 0.75 * std::fabs(h(l + 1, l).real()) + h(l, l);
      } else {  // Wilkinson's shift
        t = h(i, i);
        const Complex u = std::sqrt(h(i - 1, i)) * std::sqrt(h(i, i - 1));
        double s = size1(u);
        if (s != 0) {
          const Complex x = 0.5 * (h(i - 1, i - 1) - t);
          const double sx = size1(x);
          s = std::max(s, sx);
          Complex y = s * std::sqrt((x / s) * (x / s) + (u / s) * (u / s));
          if (sx > 0 && (x / sx).real() * y.real() + (x / sx).imag() * y.imag() < 0) y = -y;
          t -= u * (u / (x + y));
        }
      }
      Complex v[2];
      int64_t m = i - 1;
      for (;; m--) {
        const Complex h11 = h(m, m), h22 = h(m + 1, m + 1);
        Complex first = h11 - t;
        double h21 = h(m + 1, m).real();
        const double s = size1(first) + std::fabs(h21);
        first /= s, h21 /= s;
        v[0] = first, v[1] = h21;
        if (m == l) break;
        if (std::fabs(h(m, m - 1).real()) * std::fabs(h21) <= kUlp * (size1(first) * (size1(h11) + size1(h22)))) break;
      }
      for (k = m; k < i; k++) {
        if (k > m) v[0] = h(k, k - 1), v[1] = h(k + 1, k - 1);
        const Reflection<Complex> f = reflection(v, 2);
        if (k > m) h(k, k - 1) = f.beta, h(k + 1, k - 1) = 0;
        const Complex v1 = v[1], t0 = f.tau;
        const double t1 = times(t0, v1).real();
        for (int64_t j = k; j < n; j++) {
          const Complex sum = times(std::conj(t0), h(k, j)) + t1 * h(k + 1, j);
          h(k, j) -= sum;
          h(k + 1, j) -= times(sum, v1);
        }
        const auto columns = [&](Matrix<Complex>& x, int64_t end) {
          for (int64_t j = 0; j < end; j++) {
            const Complex sum = times(t0, x(j, k)) + t1 * x(j, k + 1);
            x(j, k) -= sum;
            x(j, k + 1) -= times(sum, std::conj(v1));
          }
        };
        columns(h, std::min(k + 2, i) + 1);
        if (z != nullptr) columns(*z, n);
        if (k == m && m > l) {  // the step began in the middle: its subdiagonal element is kept real
          Complex f2 = Complex(1) - t0;
          f2 /= std::abs(f2);
          h(m + 1, m) = times(h(m + 1, m), std::conj(f2));
          if (m + 2 <= i) h(m + 2, m + 1) = times(h(m + 2, m + 1), f2);
          for (int64_t j = m; j <= i; j++) {
            if (j == m + 1) continue;
            for (int64_t c = j + 1; c < n; c++) h(j, c) = times(h(j, c), f2);
            for (int64_t r = 0; r < j; r++) h(r, j) = times(h(r, j), std::conj(f2));
            for (int64_t r = 0; z != nullptr && r < n; r++) (*z)(r, j) = times((*z)(r, j), std::conj(f2));
          }
        }
      }
      Complex last = h(i, i - 1);
      if (last.imag() != 0) {
        const double size = std::abs(last);
        h(i, i - 1) = size;
        last /= size;
        for (int64_t j = i + 1; j < n; j++) h(i, j) = times(h(i, j), std::conj(last));
        for (int64_t j = 0; j < i; j++) h(j, i) = times(h(j, i), last);
        for (int64_t j = 0; z != nullptr && j < n; j++) (*z)(j, i) = times((*z)(j, i), last);
      }
    }
    if (!found) return false;
    stuck = 0;
    i = l - 1;
  }
  values.resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) values[static_cast<size_t>(i)] = h(i, i);
  return true;
}

// Eigenvector k of a quasi-triangular matrix with its eigenvalue: unit vectors of the basis that z gives. A pair of complex eigenvalues is
// asked for by its first row.
template <class T> std::vector<Complex> triangular_vector(const Matrix<T>& t, int64_t k, Complex value, double smallest) {
  std::vector<Complex> x(static_cast<size_t>(t.rows), Complex(0));
  int64_t top = k;
  if (!is_complex_type<T>::value && value.imag() != 0) {
    const double above = real_part(t(k, k + 1)), below = real_part(t(k + 1, k));
    if (std::fabs(above) >= std::fabs(below)) {
      x[static_cast<size_t>(k)] = 1;
      x[static_cast<size_t>(k + 1)] = Complex(0, value.imag() / above);
    } else {
      x[static_cast<size_t>(k)] = -value.imag() / below;
      x[static_cast<size_t>(k + 1)] = Complex(0, 1);
    }
    top = k + 1;
  } else {
    x[static_cast<size_t>(k)] = 1;
  }
  const auto rest = [&](int64_t i, int64_t from) {
    Complex sum(0);
    for (int64_t j = from; j <= top; j++) sum += times(Complex(t(i, j)), x[static_cast<size_t>(j)]);
    return -sum;
  };
  const auto guarded = [&](Complex gap) { return size1(gap) < smallest ? Complex(smallest) : gap; };
  for (int64_t i = k - 1; i >= 0; i--) {
    const bool pair = !is_complex_type<T>::value && i > 0 && t(i, i - 1) != T(0);
    if (!pair) {
      x[static_cast<size_t>(i)] = rest(i, i + 1) / guarded(Complex(t(i, i)) - value);
    } else {
      const Complex a = Complex(t(i - 1, i - 1)) - value, b(t(i - 1, i)), c(t(i, i - 1)), d = Complex(t(i, i)) - value;
      const Complex p = rest(i - 1, i + 1), q = rest(i, i + 1), det = guarded(a * d - b * c);
      x[static_cast<size_t>(i - 1)] = (p * d - b * q) / det;
      x[static_cast<size_t>(i)] = (a * q - c * p) / det;
      i--;
    }
    // Values near the end of the range are brought back; only the direction counts.
    double size = 0;
    for (int64_t j = std::max<int64_t>(i, 0); j <= top; j++) size = std::max(size, size1(x[static_cast<size_t>(j)]));
    if (size > 1e150)
      for (int64_t j = std::max<int64_t>(i, 0); j <= top; j++) x[static_cast<size_t>(j)] /= size;
  }
  return x;
}

}  // namespace

template <class T> bool eigen_general(Matrix<T> a, std::vector<Complex>& values, Matrix<Complex>* vectors) {
  const int64_t n = a.rows;
  values.clear();
  if (n == 0) {
    if (vectors != nullptr) *vectors = Matrix<Complex>(0, 0);
    return true;
  }
  const int exponent = normalise(a);
  const Balance b = balance(a);
  Matrix<T> z;
  Matrix<T>* target = vectors != nullptr ? &z : nullptr;
  to_hessenberg(a, b, target);
  if (!schur(a, b, target, values)) return false;
  if (vectors != nullptr) {
    *vectors = Matrix<Complex>(n, n);
    std::vector<Complex> column(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; k++) {
      const Complex value = values[static_cast<size_t>(k)];
      const std::vector<Complex> x = triangular_vector(a, k, value, std::max(kUlp * size1(value), kSmall * static_cast<double>(n)));
      for (int64_t i = 0; i < n; i++) {
        Complex sum(0);
        for (int64_t j = 0; j < n; j++) sum += times(Complex(z(i, j)), x[static_cast<size_t>(j)]);
        (*vectors)(i, k) = sum;
      }
      if (!is_complex_type<T>::value && value.imag() != 0) k++;  // its partner is the conjugate
    }
    undo_balance(b, *vectors);
    for (int64_t k = 0; k < n; k++) {
      Matrix<Complex>& v = *vectors;
      double norm = 0, top = 0;
      int64_t largest = 0;
      for (int64_t i = 0; i < n; i++) top = std::max(top, size1(v(i, k)));
      if (top > 0)
        for (int64_t i = 0; i < n; i++) v(i, k) /= top;
      for (int64_t i = 0; i < n; i++) {
        norm += squared(v(i, k));
        if (squared(v(i, k)) > squared(v(largest, k))) largest = i;
      }
      norm = std::sqrt(norm);
      const bool pair = !is_complex_type<T>::value && values[static_cast<size_t>(k)].imag() != 0;
      Complex phase(1);
      if (pair) {
        const Givens g = givens_positive(v(largest, k).real(), v(largest, k).imag());
        phase = Complex(g.c, -g.s);
      } else if (is_complex_type<T>::value) {
        phase = std::conj(v(largest, k)) / std::abs(v(largest, k));
      }
      for (int64_t i = 0; i < n; i++) v(i, k) = times(v(i, k), phase) / norm;
      if (pair || is_complex_type<T>::value) v(largest, k) = v(largest, k).real();
      if (!pair) continue;
      for (int64_t i = 0; i < n; i++) v(i, k + 1) = std::conj(v(i, k));
      k++;
    }
  }
  for (Complex& v : values) v = scaled(v, exponent);
  return true;
}

template bool eigen_general(Matrix<double>, std::vector<Complex>&, Matrix<Complex>*);
template bool eigen_general(Matrix<Complex>, std::vector<Complex>&, Matrix<Complex>*);

}  // namespace torchscript::portable::linalg
