// QR by Householder reflections, their products.
// kernel: cpu-avx/portable/linalg (reflect, decompose_rows)
// kernels: TS_LINALG_KERNEL linalg_$1_f64
// kernels: TS_LINALG_KERNEL linalg_$1_c128
#include "cuda/kernels/linalg.cuh"

using namespace torchscript::cuda;

namespace {

// a (m by n) in place, b: tau. work: m elements.
template <class T> TS_DEVICE void qr_factor(const LinalgParams& p) {
  T* v = reinterpret_cast<T*>(p.work + blockIdx.x * p.work_bytes);
  const int64_t k = p.m < p.n ? p.m : p.n;
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) householder_qr(matrix_at<T>(p.a, i, p.m * p.n), p.m, p.n, matrix_at<T>(p.b, i, k), v);
}
// c (k by n) = the upper triangle of a (m by n).
template <class T> TS_DEVICE void upper_triangle(const LinalgParams& p) {
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    const T* a = matrix_at<T>(p.a, i, p.m * p.n);
    T* to = matrix_at<T>(p.c, i, p.k * p.n);
    for (int64_t t = lane(); t < p.k * p.n; t += lanes()) to[t] = t / p.n <= t % p.n ? a[t] : T(0);
  }
}
// With `pivot` reflections, a (m by n) and b: c (m by k, or k by m where `right`) = Q c and its kin.
// `identity`: c is set to the identity first. work: m elements.
template <class T> TS_DEVICE void apply_q(const LinalgParams& p) {
  T* v = reinterpret_cast<T*>(p.work + blockIdx.x * p.work_bytes);
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    T* to = matrix_at<T>(p.c, i, p.m * p.k);
    if (p.identity) set_identity(to, p.m, p.k);
    Mat<T> c = matrix_of(to, p.right ? p.m : p.k);
    if (p.right) c = c.adjoint();  // X Q is (Q^H X^H)^H
    apply_reflections(matrix_at<T>(p.a, i, p.m * p.n), p.m, p.n, matrix_at<T>(p.b, i, p.pivot), p.pivot, c, p.k, (p.adjoint != 0) != (p.right != 0),
                      p.identity != 0, v);
  }
}

}  // namespace

TS_LINALG_KERNEL(qr_factor)
TS_LINALG_KERNEL(upper_triangle)
TS_LINALG_KERNEL(apply_q)
