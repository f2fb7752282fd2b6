// Bunch-Kaufman factorization of symmetric matrices, A = L D L^T with blocks of one or two in D, as LAPACK's sytf2 keeps it in the lower
// triangle, and the systems it solves. A pivot of two has its number negative in both places. Hermitian matrices are L D L^H, as hetf2 has it:
// their diagonal is real, whatever its imaginary parts say.
#include "cpu-avx/portable/linalg/rows.h"

namespace torchscript::portable::linalg {
namespace {

double measure(double v) { return std::fabs(v); }
double measure(Complex v) { return std::fabs(v.real()) + std::fabs(v.imag()); }

double mirrored(double v, bool) { return v; }
Complex mirrored(Complex v, bool hermitian) { return hermitian ? std::conj(v) : v; }
double real_part(double v) { return v; }
double real_part(Complex v) { return v.real(); }

template <class T> int64_t ldl_factor(Matrix<T>& a, std::vector<int64_t>& pivots, bool hermitian) {
  const auto on_diagonal = [&](int64_t i) { return hermitian ? T(real_part(a(i, i))) : a(i, i); };
  const int64_t n = a.rows;
  const double alpha = (1 + std::sqrt(17.0)) / 8;
  int64_t info = 0;
  pivots.assign(static_cast<size_t>(n), 0);
  for (int64_t k = 0; k < n;) {
    int64_t step = 1, kp = k, largest = k;
    const double diagonal = measure(on_diagonal(k));
    double column = 0;
    for (int64_t i = k + 1; i < n; i++)
      if (measure(a(i, k)) > column) column = measure(a(i, k)), largest = i;
    if (std::max(diagonal, column) == 0) {
      if (info == 0) info = k + 1;
      a(k, k) = on_diagonal(k);
    } else {
      if (diagonal < alpha * column) {
        double row = 0;
        for (int64_t j = k; j < largest; j++) row = std::max(row, measure(a(largest, j)));
        for (int64_t i = largest + 1; i < n; i++) row = std::max(row, measure(a(i, largest)));
        if (diagonal < alpha * column * (column / row)) {
          kp = largest;
          if (measure(on_diagonal(largest)) < alpha * row) step = 2;
        }
      }
      const int64_t kk = k + step - 1;
      if (kp != kk) {
        for (int64_t i = kp + 1; i < n; i++) std::swap(a(i, kk), a(i, kp));
        for (int64_t i = kk + 1; i < kp; i++) {
          const T moved = mirrored(a(i, kk), hermitian);
          a(i, kk) = mirrored(a(kp, i), hermitian);
          a(kp, i) = moved;
        }
        a(kp, kk) = mirrored(a(kp, kk), hermitian);
        std::swap(a(kk, kk), a(kp, kp));
        if (step == 2) std::swap(a(k + 1, k), a(kp, k));
      }
      for (int64_t i = k; i <= std::max(kk, kp); i++) a(i, i) = on_diagonal(i);
      if (step == 1) {
        const T inverse = T(1) / a(k, k);
        for (int64_t j = k + 1; j < n; j++) {
          const T factor = mirrored(a(j, k), hermitian) * inverse;
          for (int64_t i = j; i < n; i++) a(i, j) -= a(i, k) * factor;
          a(j, j) = on_diagonal(j);
        }
        for (int64_t i = k + 1; i < n; i++) a(i, k) *= inverse;
      } else {
        // Rows of the two columns times the inverse of the block.
        const T off = a(k + 1, k), upper = mirrored(off, hermitian), d11 = a(k + 1, k + 1) / off, d22 = a(k, k) / upper;
        const T scale = T(1) / (d11 * d22 - T(1));
        for (int64_t j = k + 2; j < n; j++) {
          const T first = scale * (d11 * a(j, k) - a(j, k + 1)) / upper, second = scale * (d22 * a(j, k + 1) - a(j, k)) / off;
          for (int64_t i = j; i < n; i++) a(i, j) -= a(i, k) * mirrored(first, hermitian) + a(i, k + 1) * mirrored(second, hermitian);
          a(j, k) = first;
          a(j, k + 1) = second;
          a(j, j) = on_diagonal(j);
        }
      }
    }
    pivots[static_cast<size_t>(k)] = step == 1 ? kp + 1 : -(kp + 1);
    if (step == 2) pivots[static_cast<size_t>(k + 1)] = -(kp + 1);
    k += step;
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) a(i, j) = T(0);
  return info;
}

template <class T> void ldl_solve(const Matrix<T>& a, const std::vector<int64_t>& pivots, Matrix<T>& b, bool hermitian) {
  const int64_t n = a.rows;
  const auto exchange = [&](int64_t i, int64_t p) {
    for (int64_t j = 0; i != p && j < b.cols; j++) std::swap(b(i, j), b(p, j));
  };
  const auto subtract = [&](int64_t to, int64_t from, T factor) {
    for (int64_t j = 0; j < b.cols; j++) b(to, j) -= factor * b(from, j);
  };
  for (int64_t k = 0; k < n;) {
    const int64_t p = pivots[static_cast<size_t>(k)];
    if (p > 0) {
      exchange(k, p - 1);
      for (int64_t i = k + 1; i < n; i++) subtract(i, k, a(i, k));
      const T diagonal = hermitian ? T(real_part(a(k, k))) : a(k, k);
      for (int64_t j = 0; j < b.cols; j++) b(k, j) /= diagonal;
      k++;
      continue;
    }
    exchange(k + 1, -p - 1);
    for (int64_t i = k + 2; i < n; i++) subtract(i, k, a(i, k)), subtract(i, k + 1, a(i, k + 1));
    const T off = a(k + 1, k), upper = mirrored(off, hermitian), first = a(k, k) / upper, second = a(k + 1, k + 1) / off,
            denominator = first * second - T(1);
    for (int64_t j = 0; j < b.cols; j++) {
      const T x = b(k, j) / upper, y = b(k + 1, j) / off;
      b(k, j) = (second * x - y) / denominator;
      b(k + 1, j) = (first * y - x) / denominator;
    }
    k += 2;
  }
  for (int64_t k = n - 1; k >= 0;) {
    const int64_t p = pivots[static_cast<size_t>(k)];
    const int64_t block = p > 0 ? 1 : 2;
    for (int64_t c = k - block + 1; c <= k; c++)
      for (int64_t i = k + 1; i < n; i++) subtract(c, i, mirrored(a(i, c), hermitian));
    exchange(k, (p > 0 ? p : -p) - 1);
    k -= block;
  }
}

// (self, hermitian[, check_errors]) gives LD, pivots and info
void infer_ldl_factor(Call& call) {
  const TensorView& a = call.tensor(0);
  check_square(a, "torch.linalg.ldl_factor_ex");
  output_like(call, 0, a);
  matrix_output(call, 1, a, DType::I32, {rows_of(a)});
  matrix_output(call, 2, a, DType::I32, {});
}

void run_ldl_factor(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  const bool check = call.nargs < 3 || call.args[2].b;
  with_type(a.dtype, "ldl_factor", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> m(source + b * n * n, n, n);
      std::vector<int64_t> pivots;
      const int64_t info = ldl_factor(m, pivots, call.args[1].b);
      if (info != 0 && check)
        fail_as("torch._C._LinAlgError", "torch.linalg.ldl_factor: D[%lld,%lld] is zero.", static_cast<long long>(info),
                static_cast<long long>(info));
      out.put(b, m);
      for (int64_t i = 0; i < n; i++) call.outputs[1].ptr<int32_t>()[b * n + i] = static_cast<int32_t>(pivots[static_cast<size_t>(i)]);
      if (call.noutputs > 2) call.outputs[2].ptr<int32_t>()[b] = static_cast<int32_t>(info);
    }
  });
}

// (LD, pivots, B, hermitian)
void infer_ldl_solve(Call& call) {
  const TensorView &ld = call.tensor(0), &pivots = call.tensor(1), &b = call.tensor(2);
  check_square(ld, "torch.linalg.ldl_solve");
  check_matrix(b, "torch.linalg.ldl_solve");
  if (rows_of(b) != rows_of(ld)) fail("torch.linalg.ldl_solve: Incompatible shapes of LD and B");
  if (pivots.ndim + 1 != ld.ndim || !std::equal(pivots.sizes, pivots.sizes + pivots.ndim, ld.sizes))
    fail("torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same");
  std::vector<int64_t> shape = batch_shape(b, 2, ld, 2);
  shape.push_back(rows_of(b));
  shape.push_back(cols_of(b));
  call.set_output(0, b.dtype, shape.data(), static_cast<int>(shape.size()));
}

void run_ldl_solve(Call& call) {
  const TensorView &ld = call.tensor(0), &b = call.tensor(2);
  const std::vector<int64_t> batch = batch_shape(b, 2, ld, 2);
  const int64_t n = rows_of(ld), k = cols_of(b), batches = product(batch.data(), 0, static_cast<int>(batch.size()));
  const int64_t* pivots = dense_int64(call, expand_batch(call.tensor(1), 1, batch));
  for (int64_t i = 0; i < batches; i++) {
    for (int64_t j = 0; j < n; j++) {
      const int64_t p = pivots[i * n + j];
      const bool pair = p < 0 && j + 1 < n && pivots[i * n + j + 1] == p;
      if (p == 0 || std::abs(p) > n || (p < 0 && !pair)) fail("torch.linalg.ldl_solve: Expected the pivots that ldl_factor gave");
      if (pair) j++;
    }
  }
  with_type(b.dtype, "ldl_solve", [&](auto tag) {
    using T = decltype(tag);
    const T *factors = load<T>(call, expand_batch(ld, 2, batch)), *right = load<T>(call, expand_batch(b, 2, batch));
    Output<T> out(call, 0);
    for (int64_t i = 0; i < batches; i++) {
      Matrix<T> x(right + i * n * k, n, k);
      ldl_solve(Matrix<T>(factors + i * n * n, n, n), std::vector<int64_t>(pivots + i * n, pivots + (i + 1) * n), x, call.args[3].b);
      out.put(i, x);
    }
  });
}

}  // namespace

TS_KERNEL(linalg_ldl_factor, {.infer = infer_ldl_factor, .run = run_ldl_factor});
TS_KERNEL(linalg_ldl_solve, {.infer = infer_ldl_solve, .run = run_ldl_solve});

}  // namespace torchscript::portable::linalg
