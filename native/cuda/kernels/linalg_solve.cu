// LU, Cholesky and LDL factorizations, the systems they solve, determinants, matrix exponentials.
// kernel: cpu-avx/portable/linalg (factor, solve_rows, ldl_rows)
// kernels: TS_LINALG_KERNEL linalg_$1_f64
// kernels: TS_LINALG_KERNEL linalg_$1_c128
#include "cuda/kernels/linalg.cuh"

using namespace torchscript::cuda;

namespace {

// a (m by n) in place, pivots, info: the first zero pivot.
template <class T> TS_DEVICE void lu_factor(const LinalgParams& p) {
  const int64_t m = p.m, n = p.n, count = m < n ? m : n;
  for (int64_t b = blockIdx.x; b < p.batch; b += gridDim.x) {
    T* a = matrix_at<T>(p.a, b, m * n);
    int32_t info = 0;
    for (int64_t k = 0; k < count; k++) {
      int64_t best = k;
      if (p.pivot) {
        double most = -1;
        int64_t at = INT64_MAX;
        for (int64_t i = k + lane(); i < m; i += lanes()) {
          const double size = size1(a[i * n + k]);
          if (size > most) most = size, at = i;
        }
        const double top = block_most(most), first = size1(a[k * n + k]);
        at = block_least(most == top ? at : INT64_MAX);
        if (first == first && at < m) best = at;
      }
      const T pivot = a[best * n + k];
      if (lane() == 0) p.pivots[b * count + k] = static_cast<int32_t>(best);
      __syncthreads();
      if (is_zero(pivot)) {
        if (info == 0) info = static_cast<int32_t>(k + 1);
        continue;
      }
      for (int64_t j = lane(); best != k && j < n; j += lanes()) {
        const T kept = a[k * n + j];
        a[k * n + j] = a[best * n + j];
        a[best * n + j] = kept;
      }
      __syncthreads();
      for (int64_t i = k + 1 + lane(); i < m; i += lanes()) a[i * n + k] = a[i * n + k] / pivot;
      __syncthreads();
      const int64_t width = n - k - 1;
      for (int64_t t = lane(); t < (m - k - 1) * width; t += lanes()) {
        const int64_t i = k + 1 + t / width, j = k + 1 + t % width;
        a[i * n + j] = a[i * n + j] - a[i * n + k] * a[k * n + j];
      }
      __syncthreads();
    }
    if (lane() == 0) p.info[b] = info;
  }
}

template <class T> TS_DEVICE void exchange_rows(const Mat<T>& b, int64_t n, int64_t cols, const int32_t* pivots, bool backwards) {
  for (int64_t j = lane(); j < cols; j += lanes()) {
    for (int64_t step = 0; step < n; step++) {
      const int64_t i = backwards ? n - 1 - step : step, other = pivots[i];
      if (other == i) continue;
      const T kept = b.get(i, j);
      b.set(i, j, b.get(other, j));
      b.set(other, j, kept);
    }
  }
  __syncthreads();
}
// b (m by k) = the solution for it, by the factors a (n by n) and pivots. `identity`: b is set to that first.
template <class T> TS_DEVICE void lu_solve(const LinalgParams& p) {
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    const Mat<T> lu = matrix_of(matrix_at<T>(p.a, i, p.n * p.n), p.n);
    T* data = matrix_at<T>(p.b, i, p.m * p.k);
    if (p.identity) set_identity(data, p.m, p.k);
    Mat<T> b = matrix_of(data, p.k);
    if (p.right) b = b.adjoint();  // X A = B is A^H X^H = B^H
    const int64_t cols = p.right ? p.m : p.k;
    const int32_t* pivots = p.pivots + i * p.n;
    if ((p.adjoint != 0) == (p.right != 0)) {
      exchange_rows(b, p.n, cols, pivots, false);
      solve_triangular(lu, b, p.n, cols, false, true);
      solve_triangular(lu, b, p.n, cols, true, false);
    } else {
      solve_triangular(lu.adjoint(), b, p.n, cols, false, false);
      solve_triangular(lu.adjoint(), b, p.n, cols, true, true);
      exchange_rows(b, p.n, cols, pivots, true);
    }
  }
}

// b (m by k) = the solution for it, by the triangle a (n by n).
template <class T> TS_DEVICE void triangular(const LinalgParams& p) {
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    Mat<T> a = matrix_of(matrix_at<T>(p.a, i, p.n * p.n), p.n), b = matrix_of(matrix_at<T>(p.b, i, p.m * p.k), p.k);
    bool upper = p.upper != 0;
    if (p.transposed) a = a.turned(), upper = !upper;
    if (p.right) solve_triangular(a.adjoint(), b.adjoint(), p.n, p.m, !upper, p.unit != 0);
    else solve_triangular(a, b, p.n, p.k, upper, p.unit != 0);
  }
}

// a (n by n) in place; info: the first minor that is not positive.
template <class T> TS_DEVICE void cholesky(const LinalgParams& p) {
  const int64_t n = p.n;
  for (int64_t b = blockIdx.x; b < p.batch; b += gridDim.x) {
    Mat<T> a = matrix_of(matrix_at<T>(p.a, b, n * n), n);
    if (p.upper) a = a.adjoint();
    int32_t info = 0;
    for (int64_t j = 0; j < n && info == 0; j++) {
      const double diagonal = real_part(a.get(j, j));
      __syncthreads();
      if (!(diagonal > 0)) {
        info = static_cast<int32_t>(j + 1);
        break;
      }
      const double root = sqrt(diagonal);
      if (lane() == 0) a.set(j, j, T(root));
      for (int64_t i = j + 1 + lane(); i < n; i += lanes()) a.set(i, j, a.get(i, j) / root);
      __syncthreads();
      const int64_t rest = n - j - 1;
      for (int64_t t = lane(); t < rest * rest; t += lanes()) {
        const int64_t i = j + 1 + t / rest, k = j + 1 + t % rest;
        if (k <= i) a.set(i, k, a.get(i, k) - a.get(i, j) * conjugate(a.get(k, j)));
      }
      __syncthreads();
    }
    __syncthreads();
    for (int64_t t = lane(); t < n * n; t += lanes())
      if (t % n > t / n) a.set(t / n, t % n, T(0));
    if (lane() == 0) p.info[b] = info;
  }
}
// b (n by k) = the solution for it, by the factor a. `identity`: b is set to that first.
template <class T> TS_DEVICE void cholesky_solve(const LinalgParams& p) {
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    Mat<T> a = matrix_of(matrix_at<T>(p.a, i, p.n * p.n), p.n);
    T* data = matrix_at<T>(p.b, i, p.n * p.k);
    if (p.identity) set_identity(data, p.n, p.k);
    const Mat<T> b = matrix_of(data, p.k);
    if (p.upper) a = a.adjoint();
    solve_triangular(a, b, p.n, p.k, false, false);
    solve_triangular(a.adjoint(), b, p.n, p.k, true, false);
  }
}

// b = determinants by the factors a and pivots, or their signs, with the logarithms of their sizes in s. A thread a matrix.
template <class T> TS_DEVICE void determinant(const LinalgParams& p) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.batch; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const T* a = matrix_at<T>(p.a, i, p.n * p.n);
    T value(1);
    double sum = 0;
    for (int64_t j = 0; j < p.n; j++) {
      T factor = a[j * p.n + j];
      if (p.pivots[i * p.n + j] != j) factor = -factor;
      if (p.s) {
        const double size = sqrt(squared(factor));
        sum += log(size);
        value = size == 0 ? T(0) : value * (factor / size);
      } else {
        value = value * factor;
      }
    }
    static_cast<T*>(p.b)[i] = value;
    if (p.s) p.s[i] = sum;
  }
}

// Of the factors a (m by n) and pivots: b the permutation (m by m), c the lower (m by k), d the upper factor (k by n); each may be absent.
template <class T> TS_DEVICE void lu_unpack(const LinalgParams& p) {
  const int64_t k = p.m < p.n ? p.m : p.n;
  for (int64_t i = blockIdx.x; i < p.batch; i += gridDim.x) {
    const T* a = matrix_at<T>(p.a, i, p.m * p.n);
    if (p.b) {
      T* to = matrix_at<T>(p.b, i, p.m * p.m);
      int32_t* order = reinterpret_cast<int32_t*>(p.work + blockIdx.x * p.work_bytes);
      set_zero(to, p.m * p.m);
      if (lane() == 0) {
        for (int64_t r = 0; r < p.m; r++) order[r] = static_cast<int32_t>(r);
        for (int64_t r = 0; r < k; r++) {
          const int32_t other = p.pivots[i * k + r], kept = order[r];
          if (other < 0 || other >= p.m) continue;
          order[r] = order[other];
          order[other] = kept;
        }
      }
      __syncthreads();
      for (int64_t r = lane(); r < p.m; r += lanes()) to[order[r] * p.m + r] = T(1);
      __syncthreads();
    }
    if (!p.c) continue;
    T *lower = matrix_at<T>(p.c, i, p.m * k), *upper = matrix_at<T>(p.d, i, k * p.n);
    for (int64_t t = lane(); t < p.m * k; t += lanes()) {
      const int64_t r = t / k, c = t % k;
      lower[t] = r == c ? T(1) : r > c ? a[r * p.n + c] : T(0);
    }
    for (int64_t t = lane(); t < k * p.n; t += lanes()) upper[t] = t / p.n > t % p.n ? T(0) : a[t];
  }
}

// a = its exponential. work: three matrices.
template <class T> TS_DEVICE void exponential(const LinalgParams& p) {
  const int64_t n = p.n, size = n * n;
  T* work = reinterpret_cast<T*>(p.work + blockIdx.x * p.work_bytes);
  for (int64_t b = blockIdx.x; b < p.batch; b += gridDim.x) {
    T *a = matrix_at<T>(p.a, b, size), *sum = work, *term = work + size, *next = work + 2 * size;
    double norm = 0;
    for (int64_t j = lane(); j < n; j += lanes()) {
      double column = 0;
      for (int64_t i = 0; i < n; i++) column += sqrt(squared(a[i * n + j]));
      norm = column > norm || column != column ? column : norm;
    }
    norm = group_fold(norm, LargerOf<double>());
    int squarings = 0;
    while (norm > 0.5 && norm - norm == 0 && squarings < 1100) norm /= 2, squarings++;
    __syncthreads();
    for (int64_t t = lane(); t < size; t += lanes()) a[t] = scaled(a[t], -squarings);
    set_identity(sum, n, n);
    set_identity(term, n, n);
    for (int k = 1; k <= 18; k++) {
      multiply(next, term, a, n);
      for (int64_t t = lane(); t < size; t += lanes()) {
        next[t] = next[t] / static_cast<double>(k);
        sum[t] = sum[t] + next[t];
      }
      __syncthreads();
      T* kept = term;
      term = next;
      next = kept;
    }
    for (int s = 0; s < squarings; s++) {
      multiply(next, sum, sum, n);
      T* kept = sum;
      sum = next;
      next = kept;
    }
    for (int64_t t = lane(); t < size; t += lanes()) a[t] = sum[t];
    __syncthreads();
  }
}

// Bunch-Kaufman as LAPACK's sytf2 keeps it in the lower triangle: a (n by n) in place; pivots from 1, those of blocks of two negative.
template <class T> TS_DEVICE void ldl_factor(const LinalgParams& p) {
  const int64_t n = p.n;
  const double alpha = (1 + sqrt(17.0)) / 8;
  for (int64_t b = blockIdx.x; b < p.batch; b += gridDim.x) {
    T* a = matrix_at<T>(p.a, b, n * n);
    int32_t *pivots = p.pivots + b * n, info = 0;
    const auto exchange = [&](int64_t x, int64_t y) {
      const T kept = a[x];
      a[x] = a[y];
      a[y] = kept;
    };
    for (int64_t k = 0; k < n;) {
      __syncthreads();
      int64_t step = 1, kp = k, largest = INT64_MAX;
      const double diagonal = size1(a[k * n + k]);
      double column = 0;
      for (int64_t i = k + 1 + lane(); i < n; i += lanes())
        if (size1(a[i * n + k]) > column) column = size1(a[i * n + k]), largest = i;
      const double top = block_most(column);
      largest = block_least(column == top ? largest : INT64_MAX);
      column = top;
      if ((diagonal > column ? diagonal : column) == 0) {
        if (info == 0) info = static_cast<int32_t>(k + 1);
      } else {
        if (diagonal < alpha * column) {
          double row = 0;
          for (int64_t j = k + lane(); j < n; j += lanes()) {
            const double size = j < largest ? size1(a[largest * n + j]) : j > largest ? size1(a[j * n + largest]) : 0;
            row = size > row ? size : row;
          }
          row = block_most(row);
          if (diagonal < alpha * column * (column / row)) {
            kp = largest;
            if (size1(a[largest * n + largest]) < alpha * row) step = 2;
          }
        }
        const int64_t kk = k + step - 1;
        __syncthreads();
        if (kp != kk) {
          for (int64_t i = kp + 1 + lane(); i < n; i += lanes()) exchange(i * n + kk, i * n + kp);
          for (int64_t i = kk + 1 + lane(); i < kp; i += lanes()) exchange(i * n + kk, kp * n + i);
          if (lane() == 0) {
            exchange(kk * n + kk, kp * n + kp);
            if (step == 2) exchange((k + 1) * n + k, kp * n + k);
          }
        }
        __syncthreads();
        const int64_t first = k + step, rest = n - first;
        if (step == 1) {
          const T inverse = T(1) / a[k * n + k];
          for (int64_t t = lane(); t < rest * rest; t += lanes()) {
            const int64_t i = first + t / rest, j = first + t % rest;
            if (i >= j) a[i * n + j] = a[i * n + j] - a[i * n + k] * (a[j * n + k] * inverse);
          }
          __syncthreads();
          for (int64_t i = first + lane(); i < n; i += lanes()) a[i * n + k] = a[i * n + k] * inverse;
        } else {
          const T off = a[(k + 1) * n + k], d11 = a[(k + 1) * n + k + 1] / off, d22 = a[k * n + k] / off,
                  scale = T(1) / (d11 * d22 - T(1)) / off;
          const auto one = [&](int64_t j) { return scale * (d11 * a[j * n + k] - a[j * n + k + 1]); };
          const auto two = [&](int64_t j) { return scale * (d22 * a[j * n + k + 1] - a[j * n + k]); };
          for (int64_t t = lane(); t < rest * rest; t += lanes()) {
            const int64_t i = first + t / rest, j = first + t % rest;
            if (i >= j) a[i * n + j] = a[i * n + j] - (a[i * n + k] * one(j) + a[i * n + k + 1] * two(j));
          }
          __syncthreads();
          for (int64_t j = first + lane(); j < n; j += lanes()) {
            const T x = one(j), y = two(j);
            a[j * n + k] = x;
            a[j * n + k + 1] = y;
          }
        }
      }
      if (lane() == 0) {
        pivots[k] = static_cast<int32_t>(step == 1 ? kp + 1 : -(kp + 1));
        if (step == 2) pivots[k + 1] = static_cast<int32_t>(-(kp + 1));
      }
      k += step;
    }
    __syncthreads();
    for (int64_t t = lane(); t < n * n; t += lanes())
      if (t % n > t / n) a[t] = T(0);
    if (lane() == 0) p.info[b] = info;
  }
}
// b (n by k) = the solution for it. Pivots that ldl_factor cannot have given make info 1. A thread a column.
template <class T> TS_DEVICE void ldl_solve(const LinalgParams& p) {
  const int64_t n = p.n, cols = p.k;
  for (int64_t at = blockIdx.x; at < p.batch; at += gridDim.x) {
    const T* a = matrix_at<T>(p.a, at, n * n);
    T* b = matrix_at<T>(p.b, at, n * cols);
    const int32_t* pivots = p.pivots + at * n;
    bool sound = true;
    for (int64_t j = 0; j < n; j++) {
      const int64_t v = pivots[j];
      const bool pair = v < 0 && j + 1 < n && pivots[j + 1] == v;
      if (v == 0 || v > n || -v > n || (v < 0 && !pair)) sound = false;
      if (pair) j++;
    }
    if (lane() == 0) p.info[at] = sound ? 0 : 1;
    if (!sound) continue;
    for (int64_t j = lane(); j < cols; j += lanes()) {
      const auto exchange = [&](int64_t x, int64_t y) {
        const T kept = b[x * cols + j];
        b[x * cols + j] = b[y * cols + j];
        b[y * cols + j] = kept;
      };
      for (int64_t k = 0; k < n;) {
        const int64_t v = pivots[k];
        if (v > 0) {
          exchange(k, v - 1);
          const T x = b[k * cols + j];
          for (int64_t i = k + 1; i < n; i++) b[i * cols + j] = b[i * cols + j] - a[i * n + k] * x;
          b[k * cols + j] = x / a[k * n + k];
          k++;
          continue;
        }
        exchange(k + 1, -v - 1);
        const T u = b[k * cols + j], w = b[(k + 1) * cols + j];
        for (int64_t i = k + 2; i < n; i++) b[i * cols + j] = b[i * cols + j] - a[i * n + k] * u - a[i * n + k + 1] * w;
        const T off = a[(k + 1) * n + k], first = a[k * n + k] / off, second = a[(k + 1) * n + k + 1] / off, below = first * second - T(1);
        const T x = u / off, y = w / off;
        b[k * cols + j] = (second * x - y) / below;
        b[(k + 1) * cols + j] = (first * y - x) / below;
        k += 2;
      }
      for (int64_t k = n - 1; k >= 0;) {
        const int64_t v = pivots[k], block = v > 0 ? 1 : 2;
        for (int64_t c = k - block + 1; c <= k; c++)
          for (int64_t i = k + 1; i < n; i++) b[c * cols + j] = b[c * cols + j] - a[i * n + c] * b[i * cols + j];
        exchange(k, (v > 0 ? v : -v) - 1);
        k -= block;
      }
    }
  }
}

}  // namespace

TS_LINALG_KERNEL(lu_factor)
TS_LINALG_KERNEL(lu_solve)
TS_LINALG_KERNEL(triangular)
TS_LINALG_KERNEL(cholesky)
TS_LINALG_KERNEL(cholesky_solve)
TS_LINALG_KERNEL(determinant)
TS_LINALG_KERNEL(lu_unpack)
TS_LINALG_KERNEL(exponential)
TS_LINALG_KERNEL(ldl_factor)
TS_LINALG_KERNEL(ldl_solve)
