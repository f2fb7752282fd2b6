// Factorizations and the systems they solve: Cholesky, LU, inverse, determinant, triangular.
#include "cpu-avx/portable/linalg/rows.h"

namespace torchscript::portable::linalg {
namespace {

constexpr const char* kNotPositive =
  "The factorization could not be completed because the input is not positive-definite (the leading minor of order %lld is not positive-definite).";
constexpr const char* kSingularSolve = "The solver failed because the input matrix is singular.";
constexpr const char* kSingularInverse =
  "The diagonal element %lld is zero, the inversion could not be completed because the input matrix is singular.";

// Numbers of a 32-bit output.
void put_int(Call& call, int output, int64_t at, int64_t value) {
  if (output < call.noutputs) call.outputs[output].ptr<int32_t>()[at] = static_cast<int32_t>(value);
}

template <class T> Matrix<T> flipped(const Matrix<T>& a, bool flip) { return flip ? adjoint(a) : a; }

// ---- Cholesky: (self, upper[, check_errors])
void infer_cholesky(Call& call) {
  const TensorView& a = call.tensor(0);
  check_square(a, "linalg.cholesky");
  output_like(call, 0, a);
  matrix_output(call, 1, a, DType::I32, {});
}

void cholesky_rows(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a), batches = batches_of(a);
  const bool upper = call.args[1].b;
  with_type(a.dtype, "cholesky", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches; b++) {
      Matrix<T> m = flipped(Matrix<T>(source + b * n * n, n, n), upper);
      const int64_t info = cholesky(m);
      if (info != 0 && check) fail_singular(kNotPositive, "linalg.cholesky", b, batches, info);
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) m(i, j) = T(0);
      out.put(b, flipped(m, upper));
      put_int(call, 1, b, info);
    }
  });
}
void run_cholesky(Call& call) { cholesky_rows(call, true); }
void run_cholesky_ex(Call& call) { cholesky_rows(call, call.args[2].b); }

// cholesky_solve: (b, factor, upper)
void infer_cholesky_solve(Call& call) {
  const TensorView &b = call.tensor(0), &factor = call.tensor(1);
  check_square(factor, "cholesky_solve");
  check_matrix(b, "cholesky_solve");
  if (rows_of(b) != rows_of(factor))
    fail("Incompatible matrix sizes for cholesky_solve: each A matrix is %lld by %lld but each b matrix is %lld by %lld",
         static_cast<long long>(rows_of(factor)), static_cast<long long>(rows_of(factor)), static_cast<long long>(rows_of(b)),
         static_cast<long long>(cols_of(b)));
  std::vector<int64_t> shape = batch_shape(b, 2, factor, 2);
  shape.push_back(rows_of(b));
  shape.push_back(cols_of(b));
  call.set_output(0, b.dtype, shape.data(), static_cast<int>(shape.size()));
}

void run_cholesky_solve(Call& call) {
  const TensorView &b = call.tensor(0), &factor = call.tensor(1);
  const std::vector<int64_t> batch = batch_shape(b, 2, factor, 2);
  const int64_t n = rows_of(b), k = cols_of(b), batches = product(batch.data(), 0, static_cast<int>(batch.size()));
  with_type(b.dtype, "cholesky_solve", [&](auto tag) {
    using T = decltype(tag);
    const T *right = load<T>(call, expand_batch(b, 2, batch)), *factors = load<T>(call, expand_batch(factor, 2, batch));
    Output<T> out(call, 0);
    for (int64_t i = 0; i < batches; i++) {
      const Matrix<T> lower = flipped(Matrix<T>(factors + i * n * n, n, n), call.args[2].b);
      Matrix<T> x(right + i * n * k, n, k);
      solve_triangular(lower, x, false, false);
      solve_triangular(adjoint(lower), x, true, false);
      out.put(i, x);
    }
  });
}

// cholesky_inverse: (factor, upper)
void infer_like_square(Call& call) {
  check_square(call.tensor(0), "linalg");
  output_like(call, 0, call.tensor(0));
}
void run_cholesky_inverse(Call& call) {
  const TensorView& factor = call.tensor(0);
  const int64_t n = rows_of(factor);
  with_type(factor.dtype, "cholesky_inverse", [&](auto tag) {
    using T = decltype(tag);
    const T* factors = load<T>(call, factor);
    Output<T> out(call, 0);
    for (int64_t i = 0; i < batches_of(factor); i++) {
      const Matrix<T> lower = flipped(Matrix<T>(factors + i * n * n, n, n), call.args[1].b);
      Matrix<T> x = Matrix<T>::identity(n);
      solve_triangular(lower, x, false, false);
      solve_triangular(adjoint(lower), x, true, false);
      out.put(i, x);
    }
  });
}

// ---- LU: (A, pivot[, check_errors]) gives LU, pivots (from 1) and info
void infer_lu_factor(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "linalg.lu_factor");
  output_like(call, 0, a);
  matrix_output(call, 1, a, DType::I32, {std::min(rows_of(a), cols_of(a))});
  matrix_output(call, 2, a, DType::I32, {});
}

void lu_rows(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n), batches = batches_of(a);
  with_type(a.dtype, "lu_factor", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches; b++) {
      Matrix<T> lu(source + b * m * n, m, n);
      std::vector<int64_t> pivots;
      const int64_t info = lu_factor(lu, pivots, call.args[1].b);
      if (info != 0 && check)
        fail_as("torch._C._LinAlgError",
                "torch.linalg.lu_factor: U[%lld,%lld] is zero and using it on lu_solve would result in a division by zero.",
                static_cast<long long>(info), static_cast<long long>(info));
      out.put(b, lu);
      for (int64_t i = 0; i < k; i++) put_int(call, 1, b * k + i, pivots[static_cast<size_t>(i)] + 1);
      put_int(call, 2, b, info);
    }
  });
}
void run_lu_factor(Call& call) { lu_rows(call, true); }
void run_lu_factor_ex(Call& call) { lu_rows(call, call.args[2].b); }

template <class T> Matrix<T> permutation(const std::vector<int64_t>& pivots, int64_t m) {
  std::vector<int64_t> order(static_cast<size_t>(m));
  for (int64_t i = 0; i < m; i++) order[static_cast<size_t>(i)] = i;
  for (size_t i = 0; i < pivots.size(); i++) std::swap(order[i], order[static_cast<size_t>(pivots[i])]);
  Matrix<T> p(m, m);
  for (int64_t i = 0; i < m; i++) p(order[static_cast<size_t>(i)], i) = T(1);
  return p;
}

template <class T> void split_lu(const Matrix<T>& lu, Matrix<T>& l, Matrix<T>& u) {
  const int64_t k = std::min(lu.rows, lu.cols);
  l = Matrix<T>::identity(lu.rows, k);
  u = Matrix<T>(k, lu.cols);
  for (int64_t i = 0; i < lu.rows; i++)
    for (int64_t j = 0; j < lu.cols; j++) {
      if (i > j && j < k) l(i, j) = lu(i, j);
      else if (i <= j && i < k) u(i, j) = lu(i, j);
    }
}

// linalg_lu: (A, pivot) gives P, L, U; P is empty without pivoting
void infer_lu(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "linalg.lu");
  const int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n), none = 0;
  if (call.args[1].b) matrix_output(call, 0, a, a.dtype, {m, m});
  else call.set_output(0, a.dtype, &none, 1);
  matrix_output(call, 1, a, a.dtype, {m, k});
  matrix_output(call, 2, a, a.dtype, {k, n});
}

void run_lu(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a);
  const bool pivot = call.args[1].b;
  with_type(a.dtype, "lu", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> p(call, 0), l(call, 1), u(call, 2);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> lu(source + b * m * n, m, n), lower, upper;
      std::vector<int64_t> pivots;
      lu_factor(lu, pivots, pivot);
      split_lu(lu, lower, upper);
      if (pivot) p.put(b, permutation<T>(pivots, m));
      l.put(b, lower);
      u.put(b, upper);
    }
  });
}

std::vector<int64_t> pivots_at(const int64_t* all, int64_t b, int64_t k, int64_t m) {
  std::vector<int64_t> pivots(all + b * k, all + (b + 1) * k);
  for (int64_t& p : pivots) {
    p -= 1;
    if (p < 0 || p >= m)
      fail("pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive. Did you properly pass the result of lu_factor?");
  }
  return pivots;
}

// lu_unpack: (LU, pivots, unpack_data, unpack_pivots)
void infer_lu_unpack(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "torch.lu_unpack");
  const int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n), none = 0;
  if (call.args[3].b && (call.tensor(1).ndim < 1 || call.tensor(1).numel() != batches_of(a) * k))
    fail("torch.lu_unpack: Expected LU_pivots of the shape of LU");
  if (call.args[3].b) matrix_output(call, 0, a, a.dtype, {m, m});
  else call.set_output(0, a.dtype, &none, 1);
  for (int i = 1; i < 3; i++) {
    if (!call.args[2].b) call.set_output(i, a.dtype, &none, 1);
    else if (i == 1) matrix_output(call, 1, a, a.dtype, {m, k});
    else matrix_output(call, 2, a, a.dtype, {k, n});
  }
}

void run_lu_unpack(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n);
  const int64_t* pivots = call.args[3].b ? dense_int64(call, call.tensor(1)) : nullptr;
  with_type(a.dtype, "lu_unpack", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> p(call, 0), l(call, 1), u(call, 2);
    for (int64_t b = 0; b < batches_of(a); b++) {
      if (pivots != nullptr) p.put(b, permutation<T>(pivots_at(pivots, b, k, m), m));
      if (!call.args[2].b) continue;
      Matrix<T> lower, upper;
      split_lu(Matrix<T>(source + b * m * n, m, n), lower, upper);
      l.put(b, lower);
      u.put(b, upper);
    }
  });
}

// X with op(A) X = B, or X op(A) = B where `left` is false.
template <class T> Matrix<T> solve_with(const Matrix<T>& lu, const std::vector<int64_t>& pivots, Matrix<T> b, bool left, bool adjointed) {
  if (left) {
    lu_solve(lu, pivots, b, adjointed ? Form::Adjoint : Form::Plain);
    return b;
  }
  Matrix<T> turned = adjoint(b);  // X A = B is A^H X^H = B^H
  lu_solve(lu, pivots, turned, adjointed ? Form::Plain : Form::Adjoint);
  return adjoint(turned);
}

// linalg_lu_solve: (LU, pivots, B, left, adjoint); lu_solve: (B, LU, pivots)
struct LuSystem {
  const TensorView *lu, *pivots, *b;
  bool left, adjointed;
};
LuSystem lu_system(const Call& call, bool legacy) {
  if (legacy) return {&call.tensor(1), &call.tensor(2), &call.tensor(0), true, false};
  return {&call.tensor(0), &call.tensor(1), &call.tensor(2), call.args[3].b, call.args[4].b};
}

void infer_lu_solve_any(Call& call, bool legacy) {
  const LuSystem s = lu_system(call, legacy);
  check_square(*s.lu, "torch.linalg.lu_solve");
  check_matrix(*s.b, "torch.linalg.lu_solve");
  if ((s.left ? rows_of(*s.b) : cols_of(*s.b)) != rows_of(*s.lu))
    fail("torch.linalg.lu_solve: Incompatible shapes of A and B for the equation %s", s.left ? "AX = B" : "XA = B");
  if (s.pivots->ndim + 1 != s.lu->ndim || s.pivots->sizes[s.pivots->ndim - 1] != rows_of(*s.lu))
    fail("torch.linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
  std::vector<int64_t> shape = batch_shape(*s.b, 2, *s.lu, 2);
  shape.push_back(rows_of(*s.b));
  shape.push_back(cols_of(*s.b));
  call.set_output(0, s.b->dtype, shape.data(), static_cast<int>(shape.size()));
}

void run_lu_solve_any(Call& call, bool legacy) {
  const LuSystem s = lu_system(call, legacy);
  const std::vector<int64_t> batch = batch_shape(*s.b, 2, *s.lu, 2);
  const int64_t n = rows_of(*s.lu), m = rows_of(*s.b), k = cols_of(*s.b),
                batches = product(batch.data(), 0, static_cast<int>(batch.size()));
  const int64_t* pivots = dense_int64(call, expand_batch(*s.pivots, 1, batch));
  with_type(s.b->dtype, "lu_solve", [&](auto tag) {
    using T = decltype(tag);
    const T *lus = load<T>(call, expand_batch(*s.lu, 2, batch)), *right = load<T>(call, expand_batch(*s.b, 2, batch));
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches; b++)
      out.put(b, solve_with(Matrix<T>(lus + b * n * n, n, n), pivots_at(pivots, b, n, n), Matrix<T>(right + b * m * k, m, k), s.left,
                            s.adjointed));
  });
}
void infer_linalg_lu_solve(Call& call) { infer_lu_solve_any(call, false); }
void run_linalg_lu_solve(Call& call) { run_lu_solve_any(call, false); }
void infer_legacy_lu_solve(Call& call) { infer_lu_solve_any(call, true); }
void run_legacy_lu_solve(Call& call) { run_lu_solve_any(call, true); }

// linalg_solve: (A, B, left); _ex: (A, B, left, check_errors) with info; B of one dimension less, with the sizes of A's rows, is a batch of vectors.
bool is_vector_system(const TensorView& a, const TensorView& b) {
  return b.ndim == 1 || (a.ndim - 1 == b.ndim && std::equal(b.sizes, b.sizes + b.ndim, a.sizes));
}

TensorView as_columns(const TensorView& b, bool vector) {
  TensorView out = b;
  if (vector) out.sizes[b.ndim] = 1, out.strides[b.ndim] = 1, out.ndim++;
  return out;
}

void infer_solve(Call& call) {
  const TensorView& a = call.tensor(0);
  check_square(a, "linalg.solve");
  const bool vector = is_vector_system(a, call.tensor(1)), left = call.args[2].b;
  if (vector && !left) fail("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False.");
  if (call.tensor(1).dtype != a.dtype)
    fail("linalg.solve: Expected A and B to have the same dtype, but found A of type %s and B of type %s instead",
         dtype_torch_name(a.dtype), dtype_torch_name(call.tensor(1).dtype));
  const TensorView b = as_columns(call.tensor(1), vector);
  check_matrix(b, "linalg.solve");
  if ((left ? rows_of(b) : cols_of(b)) != rows_of(a))
    fail("linalg.solve: Incompatible shapes of A and B for the equation %s", left ? "AX = B" : "XA = B");
  std::vector<int64_t> shape = batch_shape(b, 2, a, 2);
  shape.push_back(rows_of(b));
  if (!vector) shape.push_back(cols_of(b));
  call.set_output(0, a.dtype, shape.data(), static_cast<int>(shape.size()));
  if (call.noutputs == 4) {
    output_like(call, 1, a);
    matrix_output(call, 2, a, DType::I32, {rows_of(a)});
    matrix_output(call, 3, a, DType::I32, {});
  } else {
    matrix_output(call, 1, a, DType::I32, {});
  }
}

void solve_rows(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const TensorView b = as_columns(call.tensor(1), is_vector_system(a, call.tensor(1)));
  const std::vector<int64_t> batch = batch_shape(b, 2, a, 2);
  const int64_t n = rows_of(a), m = rows_of(b), k = cols_of(b), batches = product(batch.data(), 0, static_cast<int>(batch.size()));
  with_type(a.dtype, "linalg.solve", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    std::vector<Matrix<T>> factors;
    std::vector<std::vector<int64_t>> pivots(static_cast<size_t>(batches_of(a)));
    Output<T> out(call, 0), lu_out(call, call.noutputs == 4 ? 1 : call.noutputs);
    for (int64_t i = 0; i < batches_of(a); i++) {
      factors.emplace_back(source + i * n * n, n, n);
      const int64_t info = lu_factor(factors.back(), pivots[static_cast<size_t>(i)]);
      if (info != 0 && check) fail_singular(kSingularSolve, "torch.linalg.solve", i, batches_of(a), info);
      lu_out.put(i, factors.back());
      for (int64_t p = 0; p < n && call.noutputs == 4; p++)
        put_int(call, 2, i * n + p, pivots[static_cast<size_t>(i)][static_cast<size_t>(p)] + 1);
      put_int(call, call.noutputs == 4 ? 3 : 1, i, info);
    }
    // Which matrix of A each position of the broadcast batch has.
    std::vector<int64_t> numbers(static_cast<size_t>(std::max<int64_t>(batches_of(a), 1)));
    for (size_t i = 0; i < numbers.size(); i++) numbers[i] = static_cast<int64_t>(i);
    TensorView which = a;
    which.ndim -= 2;
    which.data = numbers.data();
    which.dtype = DType::I64;
    for (int64_t d = which.ndim - 1, stride = 1; d >= 0; d--) which.strides[d] = stride, stride *= which.sizes[d];
    const int64_t* chosen = dense_int64(call, expand_batch(which, 0, batch));
    const T* right = load<T>(call, expand_batch(b, 2, batch));
    for (int64_t i = 0; i < batches; i++) {
      const auto f = static_cast<size_t>(chosen[i]);
      out.put(i, solve_with(factors[f], pivots[f], Matrix<T>(right + i * m * k, m, k), call.args[2].b, false));
    }
  });
}
void run_solve(Call& call) { solve_rows(call, true); }
void run_solve_ex(Call& call) { solve_rows(call, call.args[3].b); }

// linalg_inv: (A); _ex: (A, check_errors)
void infer_inverse(Call& call) {
  check_square(call.tensor(0), "linalg.inv");
  output_like(call, 0, call.tensor(0));
  matrix_output(call, 1, call.tensor(0), DType::I32, {});
}

void inverse_rows(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  with_type(a.dtype, "linalg.inv", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> lu(source + b * n * n, n, n), x = Matrix<T>::identity(n);
      std::vector<int64_t> pivots;
      const int64_t info = lu_factor(lu, pivots);
      if (info != 0 && check) fail_singular(kSingularInverse, "linalg.inv", b, batches_of(a), info);
      lu_solve(lu, pivots, x);
      out.put(b, x);
      put_int(call, 1, b, info);
    }
  });
}
void run_inverse(Call& call) { inverse_rows(call, true); }
void run_inverse_ex(Call& call) { inverse_rows(call, call.args[1].b); }

// Determinants: det (A), slogdet (A) gives sign and logarithm
void infer_det(Call& call) {
  check_square(call.tensor(0), "linalg.det");
  matrix_output(call, 0, call.tensor(0), call.tensor(0).dtype, {});
}
void infer_slogdet(Call& call) {
  infer_det(call);
  matrix_output(call, 1, call.tensor(0), real_dtype(call.tensor(0).dtype), {});
}

void determinant_rows(Call& call, bool logarithm) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  with_type(a.dtype, "linalg.det", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    Output<double> logs(call, logarithm ? 1 : call.noutputs);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> lu(source + b * n * n, n, n);
      std::vector<int64_t> pivots;
      lu_factor(lu, pivots);
      T value(1);
      double sum = 0;
      for (int64_t i = 0; i < n; i++) {
        T factor = lu(i, i);
        if (pivots[static_cast<size_t>(i)] != i) factor = -factor;
        if (logarithm) {
          const double size = std::sqrt(squared(factor));
          sum += std::log(size);
          value *= size == 0 ? T(0) : factor / size;
        } else {
          value *= factor;
        }
      }
      out.data[b] = value;
      if (logarithm && logs.data != nullptr) logs.data[b] = sum;
    }
  });
}
void run_det(Call& call) { determinant_rows(call, false); }
void run_slogdet(Call& call) { determinant_rows(call, true); }

// linalg_solve_triangular: (A, B, upper, left, unitriangular); triangular_solve: (B, A, upper, transpose, unitriangular) gives X and A
void infer_triangular(Call& call, const TensorView& a, const TensorView& b, bool left) {
  check_square(a, "linalg.solve_triangular");
  check_matrix(b, "linalg.solve_triangular");
  if ((left ? rows_of(b) : cols_of(b)) != rows_of(a))
    fail("linalg.solve_triangular: Incompatible shapes of A and B for the equation %s", left ? "AX = B" : "XA = B");
  std::vector<int64_t> shape = batch_shape(a, 2, b, 2);
  shape.push_back(rows_of(b));
  shape.push_back(cols_of(b));
  call.set_output(0, b.dtype, shape.data(), static_cast<int>(shape.size()));
}

void triangular_rows(Call& call, const TensorView& a, const TensorView& b, bool upper, bool left, bool transposed, bool unit) {
  const std::vector<int64_t> batch = batch_shape(a, 2, b, 2);
  const int64_t n = rows_of(a), m = rows_of(b), k = cols_of(b), batches = product(batch.data(), 0, static_cast<int>(batch.size()));
  with_type(b.dtype, "triangular_solve", [&](auto tag) {
    using T = decltype(tag);
    const T *factors = load<T>(call, expand_batch(a, 2, batch)), *right = load<T>(call, expand_batch(b, 2, batch));
    Output<T> out(call, 0);
    for (int64_t i = 0; i < batches; i++) {
      Matrix<T> t(factors + i * n * n, n, n), x(right + i * m * k, m, k);
      if (transposed) {
        Matrix<T> turned(n, n);
        for (int64_t r = 0; r < n; r++)
          for (int64_t c = 0; c < n; c++) turned(c, r) = t(r, c);
        t = turned;
      }
      if (left) {
        solve_triangular(t, x, upper != transposed, unit);
      } else {
        Matrix<T> turned = adjoint(x);
        solve_triangular(adjoint(t), turned, !upper, unit);
        x = adjoint(turned);
      }
      out.put(i, x);
    }
  });
}
void infer_solve_triangular(Call& call) { infer_triangular(call, call.tensor(0), call.tensor(1), call.args[3].b); }
void run_solve_triangular(Call& call) {
  triangular_rows(call, call.tensor(0), call.tensor(1), call.args[2].b, call.args[3].b, false, call.args[4].b);
}
void infer_triangular_solve(Call& call) {
  infer_triangular(call, call.tensor(1), call.tensor(0), true);
  const std::vector<int64_t> batch = batch_shape(call.tensor(1), 2, call.tensor(0), 2);
  const TensorView a = expand_batch(call.tensor(1), 2, batch);
  if (call.noutputs > 1) output_like(call, 1, a);
}
void run_triangular_solve(Call& call) {
  triangular_rows(call, call.tensor(1), call.tensor(0), call.args[2].b, true, call.args[3].b, call.args[4].b);
  if (call.noutputs > 1)
    copy_to_dense(call.outputs[1].data, call.outputs[1].dtype, expand_view(call.tensor(1), call.outputs[1].sizes, call.outputs[1].ndim));
}

}  // namespace

TS_KERNEL(linalg_cholesky, {.infer = infer_cholesky, .run = run_cholesky});
TS_KERNEL(linalg_cholesky_ex, {.infer = infer_cholesky, .run = run_cholesky_ex});
TS_KERNEL(cholesky_solve, {.infer = infer_cholesky_solve, .run = run_cholesky_solve});
TS_KERNEL(cholesky_inverse, {.infer = infer_like_square, .run = run_cholesky_inverse});
TS_KERNEL(linalg_lu_factor, {.infer = infer_lu_factor, .run = run_lu_factor});
TS_KERNEL(linalg_lu_factor_ex, {.infer = infer_lu_factor, .run = run_lu_factor_ex});
TS_KERNEL(linalg_lu, {.infer = infer_lu, .run = run_lu});
TS_KERNEL(lu_unpack, {.infer = infer_lu_unpack, .run = run_lu_unpack});
TS_KERNEL(linalg_lu_solve, {.infer = infer_linalg_lu_solve, .run = run_linalg_lu_solve});
TS_KERNEL(lu_solve, {.infer = infer_legacy_lu_solve, .run = run_legacy_lu_solve});
TS_KERNEL(linalg_solve, {.infer = infer_solve, .run = run_solve});
TS_KERNEL(linalg_solve_ex, {.infer = infer_solve, .run = run_solve_ex});
TS_KERNEL(linalg_inv, {.infer = infer_inverse, .run = run_inverse});
TS_KERNEL(linalg_inv_ex, {.infer = infer_inverse, .run = run_inverse_ex});
TS_KERNEL(linalg_det, {.infer = infer_det, .run = run_det});
TS_KERNEL(linalg_slogdet, {.infer = infer_slogdet, .run = run_slogdet});
TS_KERNEL(linalg_solve_triangular, {.infer = infer_solve_triangular, .run = run_solve_triangular});
TS_KERNEL(triangular_solve, {.infer = infer_triangular_solve, .run = run_triangular_solve});

}  // namespace torchscript::portable::linalg
