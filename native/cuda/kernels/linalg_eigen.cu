// Eigenvalues of Hermitian matrices: reduction to a tridiagonal matrix by reflections, then implicit QL or QR.
// kernel: cpu-avx/portable/linalg/symmetric
// kernels: TS_LINALG_KERNEL linalg_$1_f64
// kernels: TS_LINALG_KERNEL linalg_$1_c128
#include "cuda/kernels/linalg_rotation.cuh"

using namespace torchscript::cuda;

namespace {

template <class T> TS_DEVICE void reverse(T* a, int64_t count) {
  for (int64_t i = lane(); i < count / 2; i += lanes()) {
    const T kept = a[i];
    a[i] = a[count - 1 - i];
    a[count - 1 - i] = kept;
  }
  __syncthreads();
}

// A = Q T Q^H by the lower triangle.
template <class T> TS_DEVICE void tridiagonalise(T* a, int64_t n, double* d, double* e, T* tau, T* vectors, T* v, T* w) {
  for (int64_t k = 0; k < n; k++) {
    __syncthreads();
    if (lane() == 0) d[k] = real_part(a[k * n + k]), e[k] = 0;
    if (k + 1 == n) break;
    const int64_t size = n - k - 1;
    for (int64_t i = lane(); i < size; i += lanes()) v[i] = a[(k + 1 + i) * n + k];
    const Reflection<T> r = reflection(v, size);
    if (lane() == 0) e[k] = r.beta, tau[k] = r.tau;
    for (int64_t i = 1 + lane(); i < size; i += lanes()) vectors[(k + i) * (n - 1) + k] = v[i];
    __syncthreads();
    if (is_zero(r.tau)) continue;
    // A - v w^H - w v^H with w = tau A v - (tau / 2) (tau A v)^H v v
    T* rest = a + (k + 1) * n + k + 1;
    for (int64_t i = lane() / 32; i < size; i += lanes() / 32) {
      T sum(0);
      for (int64_t j = lane() % 32; j < size; j += 32) sum = sum + rest[i * n + j] * v[j];
      sum = warp_sum(sum);
      if (lane() % 32 == 0) w[i] = r.tau * sum;
    }
    __syncthreads();
    T dot(0);
    for (int64_t i = lane(); i < size; i += lanes()) dot = dot + conjugate(w[i]) * v[i];
    dot = block_sum(dot);
    const T half = r.tau * dot * T(-0.5);
    __syncthreads();
    for (int64_t i = lane(); i < size; i += lanes()) w[i] = w[i] + half * v[i];
    __syncthreads();
    for (int64_t t = lane(); t < size * size; t += lanes()) {
      const int64_t i = t / size, j = t % size;
      rest[i * n + j] = rest[i * n + j] - (v[i] * conjugate(w[j]) + w[i] * conjugate(v[j]));
    }
  }
  __syncthreads();
}

// Of a (n by n), which is overwritten, by one triangle: s the values, b the vectors or null; info 1 where a is not finite.
template <class T> TS_DEVICE void eigen_hermitian(const LinalgParams& p) {
  const int64_t n = p.n;
  for (int64_t batch = blockIdx.x; batch < p.batch; batch += gridDim.x) {
    Arena arena{p.work + blockIdx.x * p.work_bytes};
    T *a = matrix_at<T>(p.a, batch, n * n), *out = p.b ? matrix_at<T>(p.b, batch, n * n) : nullptr;
    double *values = p.s + batch * n, *d = arena.take<double>(n), *e = arena.take<double>(n), *c = arena.take<double>(n), *s = arena.take<double>(n);
    int64_t* order = arena.take<int64_t>(n);
    T *v = arena.take<T>(n), *w = arena.take<T>(n), *tau = arena.take<T>(n), *across = arena.take<T>(n), *vectors = arena.take<T>(n * n),
      *z = arena.take<T>(n * n);
    __syncthreads();
    for (int64_t t = lane(); t < n * n; t += lanes()) {
      const int64_t i = t / n, j = t % n;
      if (i == j) a[t] = T(real_part(a[t]));
      else if (p.upper ? i > j : i < j) a[t] = conjugate(a[j * n + i]);
    }
    __syncthreads();
    const bool finite = all_finite(a, n * n);
    if (lane() == 0) p.info[batch] = finite ? 0 : 1;
    if (!finite) continue;
    const int exponent = normalise(a, n * n);
    // The reduction by the upper triangle is that by the lower one of the matrix with both orders reversed.
    if (p.upper) reverse(a, n * n);
    tridiagonalise(a, n, d, e, tau, vectors, v, w);
    if (p.upper) {
      reverse(d, n);
      reverse(e, n - 1);
    }
    if (out) {
      set_identity(a, n, n);
      apply_reflections(vectors, n - 1, n - 1, tau, n - 1, Mat<T>{a + n + 1, n, 1}, n - 1, false, true, v);
      if (p.upper) reverse(a, n * n);
      for (int64_t t = lane(); t < n * n; t += lanes()) z[t % n * n + t / n] = a[t];  // the columns of Q turn as rows
      __syncthreads();
      if (n > kConquered) {
        // u with T = (two tridiagonal halves) + |e| u u^T, in the basis of the matrix.
        const int64_t half = n / 2;
        const double joint = e[half - 1] < 0 ? -1 : 1;
        for (int64_t i = lane(); i < n; i += lanes()) across[i] = z[(half - 1) * n + i] + joint * z[half * n + i];
        __syncthreads();
      }
    }
    TridiagonalSteps steps{d, e, c, s, n, 30 * n};
    follow(steps, [&](const Turn& t) {
      if (out) rotate_rows(reinterpret_cast<double*>(z + t.row * n), n * kDoubles<T>, t.count, c, s, t.falling != 0);
    });
    for (int64_t i = lane(); i < n; i += lanes()) {
      int64_t rank = 0;
      for (int64_t j = 0; j < n; j++) rank += d[j] < d[i] || (d[j] == d[i] && j < i);
      order[rank] = i;
    }
    __syncthreads();
    for (int64_t j = lane(); j < n; j += lanes()) {
      const int64_t from = order[j];
      values[j] = ldexp(d[from], exponent);
      if (!out) continue;
      double along = 0;
      for (int64_t i = 0; n > kConquered && i < n; i++) along += real_part(conjugate(across[i]) * z[from * n + i]);
      // Divide and conquer makes vectors (D - lambda)^-1 z of the halves' eigenvectors, whose product with u is negative: it is -1 / |e|.
      const double sign = along > 0 ? -1 : 1;
      for (int64_t i = 0; i < n; i++) out[i * n + j] = z[from * n + i] * sign;
    }
    __syncthreads();
  }
}

}  // namespace

TS_LINALG_KERNEL(eigen_hermitian)
