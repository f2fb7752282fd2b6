// QR, eigenvalues, singular values, least squares, matrix exponential.
#include "cpu-avx/portable/linalg/rows.h"

namespace torchscript::portable::linalg {
namespace {

template <class T> bool all_finite(const Matrix<T>& m) {
  return std::all_of(m.a.begin(), m.a.end(), [](const T& x) { return x - x == T(0); });
}

// geqrf: (self) gives the reflections and tau
void infer_geqrf(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "torch.geqrf");
  output_like(call, 0, a);
  matrix_output(call, 1, a, a.dtype, {std::min(rows_of(a), cols_of(a))});
}
void run_geqrf(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a);
  with_type(a.dtype, "geqrf", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0), taus(call, 1);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> q(source + b * m * n, m, n);
      taus.put(b, householder_qr(q));
      out.put(b, q);
    }
  });
}

// linalg_qr: (A, mode): reduced, complete or r
void infer_qr(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "linalg.qr");
  const std::string_view mode(call.args[1].str.p, static_cast<size_t>(call.args[1].str.n));
  if (mode != "reduced" && mode != "complete" && mode != "r")
    fail("qr received unrecognized mode '%.*s' but expected one of 'reduced' (default), 'r', or 'complete'", static_cast<int>(mode.size()),
         mode.data());
  const int64_t m = rows_of(a), n = cols_of(a), k = mode == "complete" ? m : std::min(m, n), none = 0;
  if (mode == "r") call.set_output(0, a.dtype, &none, 1);
  else matrix_output(call, 0, a, a.dtype, {m, k});
  matrix_output(call, 1, a, a.dtype, {k, n});
}
void run_qr(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a), k = call.outputs[1].sizes[call.outputs[1].ndim - 2];
  const bool wants_q = call.args[1].str.p[0] != 'r' || call.args[1].str.n > 1;
  with_type(a.dtype, "linalg.qr", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> q(call, 0), r(call, 1);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> f(source + b * m * n, m, n), upper(k, n);
      const std::vector<T> tau = householder_qr(f);
      for (int64_t i = 0; i < std::min(k, n); i++)
        for (int64_t j = i; j < n; j++) upper(i, j) = f(i, j);
      r.put(b, upper);
      if (wants_q) q.put(b, householder_product(f, tau, k));
    }
  });
}

// linalg_householder_product: (input, tau)
void infer_householder(Call& call) {
  const TensorView &a = call.tensor(0), &tau = call.tensor(1);
  check_matrix(a, "torch.linalg.householder_product");
  if (rows_of(a) < cols_of(a)) fail("torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]");
  if (tau.ndim < 1 || tau.ndim + 1 != a.ndim || tau.sizes[tau.ndim - 1] > cols_of(a))
    fail("torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]");
  output_like(call, 0, a);
}
void run_householder(Call& call) {
  const TensorView &a = call.tensor(0), &tau = call.tensor(1);
  const int64_t m = rows_of(a), n = cols_of(a), k = tau.sizes[tau.ndim - 1];
  with_type(a.dtype, "householder_product", [&](auto tag) {
    using T = decltype(tag);
    const T *source = load<T>(call, a), *taus = load<T>(call, tau);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches_of(a); b++)
      out.put(b, householder_product(Matrix<T>(source + b * m * n, m, n), std::vector<T>(taus + b * k, taus + (b + 1) * k), n));
  });
}

// ormqr: (self, tau, other, left, transpose)
void infer_ormqr(Call& call) {
  const TensorView &a = call.tensor(0), &tau = call.tensor(1), &c = call.tensor(2);
  check_matrix(a, "torch.ormqr");
  check_matrix(c, "torch.ormqr");
  const int64_t side = call.args[3].b ? rows_of(c) : cols_of(c);
  if (tau.ndim < 1 || tau.sizes[tau.ndim - 1] > side || rows_of(a) != side)
    fail("torch.ormqr: other.shape[%d] must be equal to input.shape[-2]", call.args[3].b ? -2 : -1);
  if (batches_of(a) != batches_of(c)) fail("torch.ormqr: batch dimensions of other must be equal to input.shape");
  output_like(call, 0, c);
}
void run_ormqr(Call& call) {
  const TensorView &a = call.tensor(0), &tau = call.tensor(1), &c = call.tensor(2);
  const int64_t m = rows_of(a), n = cols_of(a), k = tau.sizes[tau.ndim - 1];
  const bool left = call.args[3].b, transposed = call.args[4].b;
  with_type(a.dtype, "ormqr", [&](auto tag) {
    using T = decltype(tag);
    const T *source = load<T>(call, a), *taus = load<T>(call, tau), *others = load<T>(call, c);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches_of(a); b++) {
      const Matrix<T> f(source + b * m * n, m, n);
      const std::vector<T> t(taus + b * k, taus + (b + 1) * k);
      Matrix<T> x(others + b * rows_of(c) * cols_of(c), rows_of(c), cols_of(c));
      if (left) {
        apply_reflections(f, t, x, transposed);
      } else {  // X Q is (Q^H X^H)^H
        Matrix<T> turned = adjoint(x);
        apply_reflections(f, t, turned, !transposed);
        x = adjoint(turned);
      }
      out.put(b, x);
    }
  });
}

// linalg_eigh: (A, UPLO): eigenvalues and vectors from one triangle
void infer_eigh(Call& call) {
  const TensorView& a = call.tensor(0);
  check_square(a, "linalg.eigh");
  if (call.args[1].str.n != 1 || !std::strchr("ULul", call.args[1].str.p[0]))
    fail("Expected UPLO argument to be 'L' or 'U', but got %.*s", static_cast<int>(call.args[1].str.n), call.args[1].str.p);
  matrix_output(call, 0, a, real_dtype(a.dtype), {rows_of(a)});
  if (call.noutputs > 1) output_like(call, 1, a);
}
void run_eigh(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  const bool upper = call.args[1].str.p[0] == 'U' || call.args[1].str.p[0] == 'u';
  with_type(a.dtype, "linalg.eigh", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<double> values(call, 0);
    Output<T> vectors(call, 1);
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> m(source + b * n * n, n, n), v;
      for (int64_t i = 0; i < n; i++) {
        m(i, i) = T(real_part(m(i, i)));
        for (int64_t j = 0; j < i; j++) (upper ? m(i, j) : m(j, i)) = conjugate(upper ? m(j, i) : m(i, j));
      }
      if (!all_finite(m))
        fail_as("torch._C._LinAlgError",
                "linalg.eigh: The algorithm failed to converge because the input matrix contained non-finite values.");
      values.put(b, eigen_hermitian(m, call.noutputs > 1 ? &v : nullptr, upper));
      if (call.noutputs > 1) vectors.put(b, v);
    }
  });
}

// linalg_eig: (A), linalg_eigvals: (A)
void infer_eig(Call& call) {
  const TensorView& a = call.tensor(0);
  check_square(a, "linalg.eig");
  matrix_output(call, 0, a, complex_dtype(a.dtype), {rows_of(a)});
  if (call.noutputs > 1) output_like(call, 1, a, complex_dtype(a.dtype));
}
void run_eig(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  with_type(a.dtype, "linalg.eig", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<Complex> values(call, 0), vectors(call, 1);
    for (int64_t b = 0; b < batches_of(a); b++) {
      const Matrix<T> m(source + b * n * n, n, n);
      if (!all_finite(m)) fail_as("torch._C._LinAlgError", "torch.linalg.eig: input tensor should not contain infs or NaNs.");
      std::vector<Complex> e;
      Matrix<Complex> v;
      if (!eigen_general(m, e, call.noutputs > 1 ? &v : nullptr))
        fail_as("torch._C._LinAlgError", "linalg.eig: The algorithm failed to converge because the input matrix is ill-conditioned.");
      values.put(b, e);
      if (call.noutputs > 1) vectors.put(b, v);
    }
  });
}

// Singular values: linalg_svd (A, full_matrices, driver), _linalg_svd (A, full_matrices, compute_uv, driver), linalg_svdvals (A, driver), and
// svd (self, some, compute_uv) that gives V instead of its adjoint.
struct SvdForm {
  bool full, vectors, values_only, plain_v;
};
SvdForm svd_form(const Call& call, int form) {
  if (form == 1) return {call.args[1].b, call.args[2].b, false, false};
  if (form == 2) return {false, false, true, false};
  if (form == 3) return {!call.args[1].b, call.args[2].b, false, true};
  return {call.args[1].b, true, false, false};
}

void infer_svd_form(Call& call, int form) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "linalg.svd");
  const SvdForm f = svd_form(call, form);
  const int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n), none = 0;
  if (f.values_only) return matrix_output(call, 0, a, real_dtype(a.dtype), {k});
  matrix_output(call, 1, a, real_dtype(a.dtype), {k});
  if (f.vectors) {
    matrix_output(call, 0, a, a.dtype, {m, f.full ? m : k});
    if (f.plain_v) matrix_output(call, 2, a, a.dtype, {n, f.full ? n : k});
    else matrix_output(call, 2, a, a.dtype, {f.full ? n : k, n});
  } else if (f.plain_v) {  // zeros
    matrix_output(call, 0, a, a.dtype, {m, m});
    matrix_output(call, 2, a, a.dtype, {n, n});
  } else {
    call.set_output(0, a.dtype, &none, 1);
    call.set_output(2, a.dtype, &none, 1);
  }
}

void run_svd_form(Call& call, int form) {
  const TensorView& a = call.tensor(0);
  const SvdForm f = svd_form(call, form);
  const int64_t m = rows_of(a), n = cols_of(a);
  with_type(a.dtype, "linalg.svd", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> us(call, f.values_only ? call.noutputs : 0), vs(call, f.values_only ? call.noutputs : 2);
    Output<double> values(call, f.values_only ? 0 : 1);
    if (!f.vectors && us.data != nullptr) std::fill(us.data, us.data + us.view->numel(), T(0));
    if (!f.vectors && vs.data != nullptr) std::fill(vs.data, vs.data + vs.view->numel(), T(0));
    for (int64_t b = 0; b < batches_of(a); b++) {
      Matrix<T> u, vh;
      std::vector<double> s;
      const Matrix<T> matrix(source + b * m * n, m, n);
      if (!all_finite(matrix))
        fail_as("torch._C._LinAlgError",
                "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.");
      singular_values(matrix, s, f.vectors ? &u : nullptr, f.vectors ? &vh : nullptr, f.full);
      values.put(b, s);
      if (!f.vectors) continue;
      us.put(b, u);
      vs.put(b, f.plain_v ? adjoint(vh) : vh);
    }
  });
}
template <int form> void infer_svd(Call& call) { infer_svd_form(call, form); }
template <int form> void run_svd(Call& call) { run_svd_form(call, form); }

// linalg_lstsq: (self, b, rcond, driver) gives the solution, the residuals, the rank and the singular values, the last three only where the driver has them
struct LeastSquares {
  bool vector, has_rank, has_values, has_residuals;
  double rcond;
};

LeastSquares lstsq_form(const Call& call) {
  const TensorView &a = call.tensor(0), &b = call.tensor(1);
  std::string_view driver = "gelsy";
  if (!call.args[3].is_none()) driver = {call.args[3].str.p, static_cast<size_t>(call.args[3].str.n)};
  if (driver != "gels" && driver != "gelsy" && driver != "gelsd" && driver != "gelss")
    fail("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
  LeastSquares f{};
  f.vector = b.ndim == 1 || (a.ndim - 1 == b.ndim && std::equal(b.sizes, b.sizes + b.ndim, a.sizes));
  f.has_rank = driver != "gels";
  f.has_values = driver == "gelsd" || driver == "gelss";
  f.has_residuals = driver != "gelsy" && rows_of(a) > cols_of(a);
  const double epsilon = real_dtype(a.dtype) == DType::F32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  f.rcond = call.args[2].is_none() ? epsilon * static_cast<double>(std::max(rows_of(a), cols_of(a))) : call.args[2].as_double();
  return f;
}

TensorView columns_of(const TensorView& b, bool vector) {
  TensorView out = b;
  if (vector) out.sizes[b.ndim] = 1, out.strides[b.ndim] = 1, out.ndim++;
  return out;
}

template <class T> int64_t rank_of(const std::vector<double>& s, double rcond) {
  int64_t rank = 0;
  for (const double v : s) rank += v > rcond * s[0];
  return rank;
}

// Residuals exist only when every matrix has full rank, which is why the shape depends on data.
bool all_full_rank(Call& call, const LeastSquares& f) {
  const TensorView& a = call.tensor(0);
  const int64_t m = rows_of(a), n = cols_of(a);
  bool full = true;
  with_type(a.dtype, "linalg.lstsq", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    for (int64_t b = 0; b < batches_of(a); b++) {
      std::vector<double> s;
      singular_values<T>(Matrix<T>(source + b * m * n, m, n), s, nullptr, nullptr, false);
      full &= rank_of<T>(s, f.rcond) == n;
    }
  });
  return full;
}

void infer_lstsq(Call& call) {
  const TensorView& a = call.tensor(0);
  check_matrix(a, "torch.linalg.lstsq");
  const LeastSquares f = lstsq_form(call);
  const TensorView b = columns_of(call.tensor(1), f.vector);
  if (b.ndim < 2 || rows_of(b) != rows_of(a)) fail("torch.linalg.lstsq: input.size(-2) should match other.size(-2)");
  const std::vector<int64_t> batch = batch_shape(a, 2, b, 2);
  std::vector<int64_t> shape = batch;
  shape.push_back(cols_of(a));
  if (!f.vector) shape.push_back(cols_of(b));
  call.set_output(0, a.dtype, shape.data(), static_cast<int>(shape.size()));
  const int64_t none = 0;
  if (f.has_residuals && (!f.has_rank || all_full_rank(call, f))) {
    shape = batch;
    if (!f.vector) shape.push_back(cols_of(b));
    call.set_output(1, real_dtype(a.dtype), shape.data(), static_cast<int>(shape.size()));
  } else {
    call.set_output(1, real_dtype(a.dtype), &none, 1);
  }
  if (f.has_rank) matrix_output(call, 2, a, DType::I64, {});
  else call.set_output(2, DType::I64, &none, 1);
  if (f.has_values) matrix_output(call, 3, a, real_dtype(a.dtype), {std::min(rows_of(a), cols_of(a))});
  else call.set_output(3, real_dtype(a.dtype), &none, 1);
}

void run_lstsq(Call& call) {
  const LeastSquares f = lstsq_form(call);
  const TensorView b = columns_of(call.tensor(1), f.vector);
  const std::vector<int64_t> batch = batch_shape(call.tensor(0), 2, b, 2);
  const TensorView a = expand_batch(call.tensor(0), 2, batch), right = expand_batch(b, 2, batch);
  const int64_t m = rows_of(a), n = cols_of(a), k = cols_of(b), batches = batches_of(a), own = batches_of(call.tensor(0));
  with_type(a.dtype, "linalg.lstsq", [&](auto tag) {
    using T = decltype(tag);
    const T *source = load<T>(call, a), *values = load<T>(call, right);
    Output<T> out(call, 0);
    Output<double> residuals(call, 1), singular(call, 3);
    for (int64_t i = 0; i < batches; i++) {
      const Matrix<T> matrix(source + i * m * n, m, n), target(values + i * m * k, m, k);
      Matrix<T> u, vh;
      std::vector<double> s;
      singular_values(matrix, s, &u, &vh, false);
      const int64_t rank = rank_of<T>(s, f.rcond);
      Matrix<T> part = multiply(adjoint(u), target);
      for (int64_t r = 0; r < part.rows; r++)
        for (int64_t c = 0; c < k; c++)
          part(r, c) = r < rank || (!f.has_rank && s[static_cast<size_t>(r)] > 0) ? part(r, c) / s[static_cast<size_t>(r)] : T(0);
      const Matrix<T> x = multiply(adjoint(vh), part);
      out.put(i, x);
      if (f.has_rank && i < own && call.noutputs > 2) call.outputs[2].ptr<int64_t>()[i] = rank;
      if (f.has_values && i < own) singular.put(i, s);
      if (residuals.data == nullptr || residuals.view->numel() != batches * k) continue;
      const Matrix<T> product = multiply(matrix, x);
      for (int64_t c = 0; c < k; c++) {
        double sum = 0;
        for (int64_t r = 0; r < m; r++) sum += squared(product(r, c) - target(r, c));
        residuals.data[i * k + c] = sum;
      }
    }
  });
}

// linalg_matrix_exp: (self)
void infer_exponential(Call& call) {
  const TensorView& a = call.tensor(0);
  if (a.dtype == DType::F16 || a.dtype == DType::BF16) {  // these have no other decompositions
    if (a.ndim < 2 || rows_of(a) != cols_of(a)) fail("linalg.matrix_exp: A must be batches of square matrices");
  } else {
    check_square(a, "linalg.matrix_exp");
  }
  output_like(call, 0, call.tensor(0));
}
void run_exponential(Call& call) {
  const TensorView& a = call.tensor(0);
  const int64_t n = rows_of(a);
  with_type(a.dtype, "linalg.matrix_exp", [&](auto tag) {
    using T = decltype(tag);
    const T* source = load<T>(call, a);
    Output<T> out(call, 0);
    for (int64_t b = 0; b < batches_of(a); b++) out.put(b, exponential(Matrix<T>(source + b * n * n, n, n)));
  });
}

}  // namespace

TS_KERNEL(geqrf, {.infer = infer_geqrf, .run = run_geqrf});
TS_KERNEL(linalg_qr, {.infer = infer_qr, .run = run_qr});
TS_KERNEL(linalg_householder_product, {.infer = infer_householder, .run = run_householder});
TS_KERNEL(ormqr, {.infer = infer_ormqr, .run = run_ormqr});
TS_KERNEL(linalg_eigh, {.infer = infer_eigh, .run = run_eigh});
TS_KERNEL(linalg_eig, {.infer = infer_eig, .run = run_eig});
TS_KERNEL(linalg_svd, {.infer = infer_svd<0>, .run = run_svd<0>});
TS_KERNEL(linalg_svd_uv, {.infer = infer_svd<1>, .run = run_svd<1>});
TS_KERNEL(linalg_svdvals, {.infer = infer_svd<2>, .run = run_svd<2>});
TS_KERNEL(svd, {.infer = infer_svd<3>, .run = run_svd<3>});
TS_KERNEL(linalg_lstsq, {.infer = infer_lstsq, .run = run_lstsq, .data_dependent = true});
TS_KERNEL(linalg_matrix_exp, {.infer = infer_exponential, .run = run_exponential});

}  // namespace torchscript::portable::linalg
