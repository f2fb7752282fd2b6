// Singular values: reduction to a bidiagonal matrix by reflections, after a QR where the matrix is tall, then implicit QR.
// kernel: cpu-avx/portable/linalg/singular
// kernels: TS_LINALG_KERNEL linalg_$1_f64
// kernels: TS_LINALG_KERNEL linalg_$1_c128
#include "cuda/kernels/linalg_rotation.cuh"

using namespace torchscript::cuda;

namespace {

// A (m by n, overwritten) = Q B P^H: B's diagonals, and the vectors as a QR keeps them. B is upper bidiagonal where m >= n, else lower.
template <class T> struct Reduced {
  T *left, *right, *left_tau, *right_tau, *v;
  double *d, *e;
};
template <class T> TS_DEVICE void bidiagonalise(T* a, int64_t m, int64_t n, const Reduced<T>& r) {
  const int64_t k = m < n ? m : n;
  const bool upper = m >= n;
  const int64_t column_shift = upper ? 0 : 1, row_shift = upper ? 1 : 0, left_cols = k - column_shift, right_cols = k - row_shift;
  // One instance each of the reductions of a column and of a row.
  for (int64_t step = 0; step < 2 * k; step++) {
    const int64_t i = step / 2;
    const bool diagonal = step % 2 == 0;
    if (!diagonal && i + 1 == k) break;
    double beta;
    if (diagonal == upper) {
      const int64_t at = i + column_shift, size = m - at;
      __syncthreads();
      for (int64_t j = lane(); j < size; j += lanes()) r.v[j] = a[(at + j) * n + i];
      const Reflection<T> f = reflection(r.v, size);
      for (int64_t j = 1 + lane(); j < size; j += lanes()) r.left[(i + j) * left_cols + i] = r.v[j];
      if (lane() == 0) r.left_tau[i] = f.tau;
      reflect_left(Mat<T>{a + at * n + i + 1, n, 1}, size, n - i - 1, r.v, conjugate(f.tau));
      beta = f.beta;
    } else {
      const int64_t at = i + row_shift, size = n - at;
      __syncthreads();
      for (int64_t j = lane(); j < size; j += lanes()) r.v[j] = conjugate(a[i * n + at + j]);
      const Reflection<T> f = reflection(r.v, size);
      for (int64_t j = 1 + lane(); j < size; j += lanes()) r.right[(i + j) * right_cols + i] = r.v[j];
      if (lane() == 0) r.right_tau[i] = f.tau;
      reflect_right(Mat<T>{a + (i + 1) * n + at, n, 1}, m - i - 1, size, r.v, f.tau);
      beta = f.beta;
    }
    if (lane() == 0) (diagonal ? r.d : r.e)[i] = beta;
  }
  __syncthreads();
}

// The product of the reflections of `vectors` (size - shift rows), `shift` rows down, its first `count` columns as rows.
template <class T>
TS_DEVICE void turned_product(T* rows, const T* vectors, const T* tau, int64_t reflections, int64_t shift, int64_t size, int64_t count, bool adjoint, T* v) {
  set_identity(rows, count, size);
  apply_reflections(vectors, size - shift, reflections, tau, reflections, Mat<T>{rows + shift * size + shift, 1, size, adjoint}, count - shift, false, true,
                    v);
}

template <class T> TS_DEVICE void decompose(Arena arena, T* a, int64_t m, int64_t n, double* s, T* ut, T* vh, int64_t left_count, int64_t right_count) {
  const int64_t k = m < n ? m : n, most = m > n ? m : n;
  const bool vectors = ut != nullptr, lower = m < n;
  Reduced<T> r;
  r.left = arena.take<T>(m * k), r.right = arena.take<T>(n * k);
  r.left_tau = arena.take<T>(k), r.right_tau = arena.take<T>(k), r.v = arena.take<T>(most);
  r.d = arena.take<double>(k), r.e = arena.take<double>(k);
  T* middle = arena.take<T>(m);
  double *rc = arena.take<double>(k), *rs = arena.take<double>(k), *lc = arena.take<double>(k), *ls = arena.take<double>(k);
  int64_t* order = arena.take<int64_t>(k);
  double *d = r.d, *e = r.e;
  bidiagonalise(a, m, n, r);
  if (vectors) {
    turned_product(ut, r.left, r.left_tau, lower ? k - 1 : k, lower ? 1 : 0, m, left_count, false, r.v);
    turned_product(vh, r.right, r.right_tau, lower ? k : k - 1, lower ? 0 : 1, n, right_count, true, r.v);
  }
  const int64_t u_length = m * kDoubles<T>, v_length = n * kDoubles<T>;
  double *u_rows = reinterpret_cast<double*>(ut), *v_rows = reinterpret_cast<double*>(vh);
  if (lower) {  // rotations from the left make it upper
    if (lane() == 0) {
      for (int64_t i = 0; i + 1 < k; i++) {
        const Givens g = givens(d[i], e[i]);
        d[i] = g.r;
        e[i] = g.s * d[i + 1];
        d[i + 1] *= g.c;
        lc[i] = g.c, ls[i] = g.s;
      }
    }
    __syncthreads();
    if (vectors) rotate_rows(u_rows, u_length, k - 1, lc, ls, false);
    __syncthreads();
  }
  if (vectors && k > kConquered)
    for (int64_t i = lane(); i < m; i += lanes()) middle[i] = ut[k / 2 * m + i];
  BidiagonalSteps steps{d, e, rc, rs, lc, ls, k};
  if (lane() == 0) steps.begin();
  follow(steps, [&](const Turn& t) {
    if (!vectors) return;
    const bool falling = t.falling != 0, crossed = t.crossed != 0;
    rotate_rows(v_rows + t.row * v_length, v_length, t.count, crossed ? lc : rc, crossed ? ls : rs, falling);
    rotate_rows(u_rows + t.row * u_length, u_length, t.count, crossed ? rc : lc, crossed ? rs : ls, falling);
  });
  for (int64_t i = 0; i < k; i++) {
    const double value = d[i];
    __syncthreads();
    if (!(value < 0)) continue;
    if (lane() == 0) d[i] = -value;
    if (!vectors) continue;
    T* row = k == 1 ? ut + i * m : vh + i * n;
    for (int64_t j = lane(); j < (k == 1 ? m : n); j += lanes()) row[j] = -row[j];
  }
  __syncthreads();
  for (int64_t i = lane(); i < k; i += lanes()) {
    int64_t rank = 0;
    for (int64_t j = 0; j < k; j++) rank += d[j] > d[i] || (d[j] == d[i] && j < i) || (d[j] != d[j] && j < i);
    order[rank < k ? rank : k - 1] = i;
    if (rank < k) s[rank] = d[i];
  }
  __syncthreads();
  if (!vectors) return;
  T *old_u = r.left, *old_v = r.right;
  for (int64_t t = lane(); t < k * m; t += lanes()) old_u[t] = ut[t];
  for (int64_t t = lane(); t < k * n; t += lanes()) old_v[t] = vh[t];
  __syncthreads();
  for (int64_t i = lane() / 32; i < k; i += lanes() / 32) {
    const int64_t from = order[i];
    // Divide and conquer gives every left vector a negative component in the row that joins the halves.
    double along = 0;
    for (int64_t j = lane() % 32; k > kConquered && j < m; j += 32) along += real_part(conjugate(middle[j]) * old_u[from * m + j]);
    const double sign = warp_sum(along) > 0 ? -1 : 1;
    for (int64_t j = lane() % 32; j < m; j += 32) ut[i * m + j] = old_u[from * m + j] * sign;
    for (int64_t j = lane() % 32; j < n; j += 32) vh[i * n + j] = old_v[from * n + j] * sign;
  }
  __syncthreads();
}

// Of a (m by n), which is overwritten: s, and b = U (m by left) and c = V^H (right by n) or null; info 1 where a is not finite.
template <class T> TS_DEVICE void singular(const LinalgParams& p) {
  const int64_t m = p.m, n = p.n, k = m < n ? m : n, left = p.full ? m : k, right = p.full ? n : k;
  constexpr bool kComplex = sizeof(T) == sizeof(Cx);
  // MKL takes the QR first from 3 / 2 on; the LQ of wide matrices only for complex ones, and both from 17 / 9 on there.
  const bool tall = m > n && (kComplex ? m >= n * 17 / 9 : m >= n * 3 / 2), wide = kComplex && n > m && n >= m * 17 / 9;
  for (int64_t batch = blockIdx.x; batch < p.batch; batch += gridDim.x) {
    Arena arena{p.work + blockIdx.x * p.work_bytes};
    T *a = matrix_at<T>(p.a, batch, m * n), *u = p.b ? matrix_at<T>(p.b, batch, m * left) : nullptr, *vh = p.c ? matrix_at<T>(p.c, batch, right * n) : nullptr;
    double* s = p.s + batch * k;
    __syncthreads();
    const bool finite = all_finite(a, m * n);
    if (lane() == 0) p.info[batch] = finite ? 0 : 1;
    if (!finite) continue;
    if (k == 0) {
      if (u) {
        set_identity(u, m, left);
        set_identity(vh, right, n);
      }
      continue;
    }
    const int exponent = normalise(a, m * n);
    T *tau = arena.take<T>(k), *v = arena.take<T>(m > n ? m : n), *square = arena.take<T>(k * k), *inner = arena.take<T>(k * k);
    T* ut = arena.take<T>((tall || wide ? k : left) * (tall || wide ? k : m));
    T* turned = wide ? arena.take<T>(n * m) : nullptr;
    T* basis = wide ? arena.take<T>(n * right) : nullptr;
    T *core = a, *core_vh = vh;
    int64_t core_m = m, core_n = n, core_left = left, core_right = right;
    if (wide) {
      for (int64_t t = lane(); t < m * n; t += lanes()) turned[t % n * m + t / n] = conjugate(a[t]);
      __syncthreads();
      householder_qr(turned, n, m, tau, v);
      for (int64_t t = lane(); t < m * m; t += lanes()) square[t] = t % m <= t / m ? conjugate(turned[t % m * m + t / m]) : T(0);
      core_vh = u ? inner : nullptr;
    } else if (tall) {
      householder_qr(a, m, n, tau, v);
      for (int64_t t = lane(); t < n * n; t += lanes()) square[t] = t % n >= t / n ? a[t] : T(0);
    }
    if (wide || tall) core = square, core_m = core_n = core_left = core_right = k;
    __syncthreads();
    decompose(arena, core, core_m, core_n, s, u ? ut : nullptr, core_vh, core_left, core_right);
    if (u) {
      const int64_t filled = tall ? k : left;
      if (tall) set_identity(u, m, left);
      for (int64_t t = lane(); t < core_m * filled; t += lanes()) {
        const int64_t i = t / filled, j = t % filled;
        u[i * left + j] = ut[j * core_m + i];
      }
      __syncthreads();
      if (tall) apply_reflections(a, m, n, tau, k, matrix_of(u, left), left, false, false, v);
      if (wide) {
        set_identity(basis, n, right);
        for (int64_t t = lane(); t < m * m; t += lanes()) basis[t / m * right + t % m] = conjugate(inner[t % m * m + t / m]);
        __syncthreads();
        apply_reflections(turned, n, m, tau, k, matrix_of(basis, right), right, false, false, v);
        for (int64_t t = lane(); t < n * right; t += lanes()) vh[t % right * n + t / right] = conjugate(basis[t]);
      }
    }
    __syncthreads();
    for (int64_t i = lane(); exponent != 0 && i < k; i += lanes()) s[i] = ldexp(s[i], exponent);
    __syncthreads();
  }
}

// Solutions of least squares, by singular values s, u (m by k) and vh (k by n) of a matrix: d (n by cols) for c (m by cols), k columns. What is not
// more than `rank` says is left out. work: k by cols.
template <class T> TS_DEVICE void least_squares(const LinalgParams& p) {
  const int64_t m = p.m, n = p.n, k = m < n ? m : n, cols = p.k;
  for (int64_t batch = blockIdx.x; batch < p.batch; batch += gridDim.x) {
    const T *u = matrix_at<T>(p.a, batch, m * k), *vh = matrix_at<T>(p.b, batch, k * n), *target = matrix_at<T>(p.c, batch, m * cols);
    T *x = matrix_at<T>(p.d, batch, n * cols), *part = reinterpret_cast<T*>(p.work + blockIdx.x * p.work_bytes);
    const double* s = p.s + batch * k;
    const int64_t rank = p.info[batch];
    __syncthreads();
    for (int64_t t = lane(); t < k * cols; t += lanes()) {
      const int64_t r = t / cols, c = t % cols;
      T sum(0);
      for (int64_t i = 0; i < m; i++) sum = sum + conjugate(u[i * k + r]) * target[i * cols + c];
      part[t] = r < rank || (!p.pivot && s[r] > 0) ? sum / s[r] : T(0);
    }
    __syncthreads();
    for (int64_t t = lane(); t < n * cols; t += lanes()) {
      const int64_t r = t / cols, c = t % cols;
      T sum(0);
      for (int64_t i = 0; i < k; i++) sum = sum + conjugate(vh[i * n + r]) * part[i * cols + c];
      x[t] = sum;
    }
    __syncthreads();
  }
}
// s = sums of squares of a (m by n) d (n by k) - c (m by k), by columns.
template <class T> TS_DEVICE void residuals(const LinalgParams& p) {
  for (int64_t batch = blockIdx.x; batch < p.batch; batch += gridDim.x) {
    const T *a = matrix_at<T>(p.a, batch, p.m * p.n), *x = matrix_at<T>(p.d, batch, p.n * p.k), *target = matrix_at<T>(p.c, batch, p.m * p.k);
    for (int64_t c = lane(); c < p.k; c += lanes()) {
      double sum = 0;
      for (int64_t r = 0; r < p.m; r++) {
        T product(0);
        for (int64_t j = 0; j < p.n; j++) product = product + a[r * p.n + j] * x[j * p.k + c];
        sum += squared(product - target[r * p.k + c]);
      }
      p.s[batch * p.k + c] = sum;
    }
  }
}

}  // namespace

TS_LINALG_KERNEL(singular)
TS_LINALG_KERNEL(least_squares)
TS_LINALG_KERNEL(residuals)
