// Factorizations and the systems they solve on the device: LU, Cholesky, LDL, inverses, determinants, triangular systems, matrix exponentials.
// Rows that raise for a singular matrix wait for its number.
#include "cpu-avx/pointwise.h"
#include "cuda/linalg.h"

#include <cstdio>

namespace torchscript::cuda {

std::vector<int32_t> Numbers::read() const {
  std::vector<int32_t> values(static_cast<size_t>(count_));
  if (count_ > 0) accelerator()->copy_out(device_, values.data(), data(), values.size() * 4);
  return values;
}
void Numbers::put(const TensorView& out, int32_t more, Runtime* runtime) const {
  if (out.numel() == 0) return;
  TensorView from = contiguous_like(out, DType::I32);
  from.data = data();
  if (more == 0) return copy_strided(out, from, runtime);
  Arg numbers, added, one;
  numbers.kind = ArgKind::Tensor;
  numbers.tensor = &from;
  added.kind = one.kind = ArgKind::Int;
  added.i = more;
  one.i = 1;
  const Arg* operands[] = {&numbers, &added, &one};
  run_pointwise_to(runtime, out, PointwiseId::add, operands);
}

void launch_matrices(Runtime* runtime, int device, const char* name, DType dtype, LinalgParams p, int64_t threads, int64_t work) {
  if (p.batch == 0) return;
  char kernel[64];
  std::snprintf(kernel, sizeof kernel, "linalg_%s_%s", name, is_complex(dtype) ? "c128" : "f64");
  const auto blocks = static_cast<unsigned>(std::min<int64_t>(p.batch, 1024));
  std::optional<Scratch> memory;
  if (work > 0) {
    p.work_bytes = (work + 15) / 16 * 16;
    memory.emplace(device, static_cast<size_t>(p.work_bytes) * blocks);
    p.work = memory->ptr<char>();
  }
  launch(device, runtime, kernel, {blocks}, {threads <= 64 ? 32u : 256u}, 0, p);
}

namespace {

constexpr const char* kNotPositive =
  "The factorization could not be completed because the input is not positive-definite (the leading minor of order %lld is not positive-definite).";
constexpr const char* kSingularSolve = "The solver failed because the input matrix is singular.";
constexpr const char* kSingularInverse =
  "The diagonal element %lld is zero, the inversion could not be completed because the input matrix is singular.";

int64_t product_of(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (const int64_t s : shape) n *= s;
  return n;
}
// Calls fail(batch, info) for the first matrix whose number is not zero.
template <class F> void check_numbers(const Numbers& info, const F& fail_for) {
  const std::vector<int32_t> values = info.read();
  for (size_t i = 0; i < values.size(); i++)
    if (values[i] != 0) fail_for(static_cast<int64_t>(i), static_cast<int64_t>(values[i]));
}
const TensorView* output_at(const Call& call, int i) { return i < call.noutputs ? &call.outputs[i] : nullptr; }

// ---- Cholesky

void run_cholesky(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const WideCopy factor(a, call.runtime);
  const Numbers info(a.device, cpu::batches_of(a));
  LinalgParams p;
  p.a = factor.data();
  p.n = cpu::rows_of(a);
  p.batch = cpu::batches_of(a);
  p.upper = call.args[1].b;
  p.info = info.data();
  launch_matrices(call.runtime, a.device, "cholesky", a.dtype, p, p.n);
  if (check) check_numbers(info, [&](int64_t b, int64_t minor) { cpu::fail_singular(kNotPositive, "linalg.cholesky", b, p.batch, minor); });
  factor.put(call.outputs[0], call.runtime);
  if (const TensorView* out = output_at(call, 1)) info.put(*out, 0, call.runtime);
}
TS_CUDA_KERNEL(linalg_cholesky, {.run = [](Call& call) { run_cholesky(call, true); }, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_cholesky_ex, {.run = [](Call& call) { run_cholesky(call, call.args[2].b); }, .accepts = takes_matrices, .waits = true});

TS_CUDA_KERNEL(cholesky_solve, {.run =
                                  [](Call& call) {
                                    const TensorView &b = call.tensor(0), &out = call.outputs[0];
                                    const std::vector<int64_t> batch = cpu::batch_shape(b, 2, call.tensor(1), 2);
                                    const WideCopy factor(cpu::expand_batch(call.tensor(1), 2, batch), call.runtime);
                                    const WideCopy x(cpu::expand_batch(b, 2, batch), call.runtime);
                                    LinalgParams p;
                                    p.a = factor.data();
                                    p.b = x.data();
                                    p.n = cpu::rows_of(b);
                                    p.k = cpu::cols_of(b);
                                    p.batch = product_of(batch);
                                    p.upper = call.args[2].b;
                                    launch_matrices(call.runtime, out.device, "cholesky_solve", b.dtype, p, std::max(p.n, p.k));
                                    x.put(out, call.runtime);
                                  },
                                .accepts = takes_matrices});
TS_CUDA_KERNEL(cholesky_inverse, {.run =
                                    [](Call& call) {
                                      const TensorView& a = call.tensor(0);
                                      const WideCopy factor(a, call.runtime), x(a, wide_dtype(a.dtype));
                                      LinalgParams p;
                                      p.a = factor.data();
                                      p.b = x.data();
                                      p.n = p.k = cpu::rows_of(a);
                                      p.batch = cpu::batches_of(a);
                                      p.upper = call.args[1].b;
                                      p.identity = 1;
                                      launch_matrices(call.runtime, a.device, "cholesky_solve", a.dtype, p, p.n);
                                      x.put(call.outputs[0], call.runtime);
                                    },
                                  .accepts = takes_matrices});

// ---- LU

// The factors of a batch of matrices.
struct Factors {
  const WideCopy lu;
  const int64_t batch, m, n;
  const Numbers pivots, info;
  Factors(const TensorView& a, bool pivot, Runtime* runtime)
      : lu(a, runtime),
        batch(cpu::batches_of(a)),
        m(cpu::rows_of(a)),
        n(cpu::cols_of(a)),
        pivots(a.device, batch * std::min(m, n)),
        info(a.device, batch) {
    LinalgParams p;
    p.a = lu.data();
    p.m = m;
    p.n = n;
    p.batch = batch;
    p.pivots = pivots.data();
    p.info = info.data();
    p.pivot = pivot;
    launch_matrices(runtime, a.device, "lu_factor", a.dtype, p, std::max(m, n));
  }
};

void run_lu_factor(Call& call, bool check) {
  const Factors f(call.tensor(0), call.args[1].b, call.runtime);
  if (check)
    check_numbers(f.info, [](int64_t, int64_t info) {
      fail_as("torch._C._LinAlgError", "torch.linalg.lu_factor: U[%lld,%lld] is zero and using it on lu_solve would result in a division by zero.",
              static_cast<long long>(info), static_cast<long long>(info));
    });
  f.lu.put(call.outputs[0], call.runtime);
  if (const TensorView* out = output_at(call, 1)) f.pivots.put(*out, 1, call.runtime);
  if (const TensorView* out = output_at(call, 2)) f.info.put(*out, 0, call.runtime);
}
TS_CUDA_KERNEL(linalg_lu_factor, {.run = [](Call& call) { run_lu_factor(call, true); }, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_lu_factor_ex, {.run = [](Call& call) { run_lu_factor(call, call.args[2].b); }, .accepts = takes_matrices, .waits = true});

// P, L and U of factors without gaps, each where asked for.
void unpack(Call& call, const void* lu, int32_t* pivots, bool permutes, bool factors) {
  const TensorView& a = call.tensor(0);
  const DType wide = wide_dtype(a.dtype);
  std::optional<WideCopy> parts[3];
  for (int i = 0; i < 3; i++)
    if (i == 0 ? permutes : factors) parts[i].emplace(call.outputs[i], wide);
  LinalgParams p;
  p.a = const_cast<void*>(lu);
  p.b = parts[0] ? parts[0]->data() : nullptr;
  p.c = parts[1] ? parts[1]->data() : nullptr;
  p.d = parts[2] ? parts[2]->data() : nullptr;
  p.m = cpu::rows_of(a);
  p.n = cpu::cols_of(a);
  p.batch = cpu::batches_of(a);
  p.pivots = pivots;
  launch_matrices(call.runtime, a.device, "lu_unpack", a.dtype, p, std::max(p.m, p.n), std::max<int64_t>(1, p.m) * 4);
  for (int i = 0; i < 3; i++)
    if (parts[i]) parts[i]->put(call.outputs[i], call.runtime);
}
TS_CUDA_KERNEL(linalg_lu, {.run =
                             [](Call& call) {
                               const Factors f(call.tensor(0), call.args[1].b, call.runtime);
                               unpack(call, f.lu.data(), f.pivots.data(), call.args[1].b, true);
                             },
                           .accepts = takes_matrices});

// Pivots of the program, which count from 1, as the kernels' from 0.
class GivenPivots {
 public:
  GivenPivots(const TensorView& pivots, Runtime* runtime) : numbers_(pivots.device, pivots.numel()) {
    TensorView to = contiguous_like(pivots, DType::I32);
    to.data = numbers_.data();
    if (pivots.numel() > 0) copy_strided(to, pivots, runtime);
    numbers_.put(to, -1, runtime);
  }
  int32_t* data() const { return numbers_.data(); }
  // Waits.
  void check(int64_t rows) const {
    for (const int32_t v : numbers_.read())
      if (v < 0 || v >= rows)
        fail("pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive. Did you properly pass the result of lu_factor?");
  }

 private:
  Numbers numbers_;
};

TS_CUDA_KERNEL(lu_unpack, {.run =
                             [](Call& call) {
                               const WideCopy lu(call.tensor(0), call.runtime);
                               std::optional<GivenPivots> pivots;
                               if (call.args[3].b) {
                                 pivots.emplace(call.tensor(1), call.runtime);
                                 pivots->check(cpu::rows_of(call.tensor(0)));
                               }
                               unpack(call, lu.data(), pivots ? pivots->data() : nullptr, call.args[3].b, call.args[2].b);
                             },
                           .accepts = takes_matrices,
                           .waits = true});

// x (rows by columns, in place) solves op(A) x = b, or x op(A) = b where `right`.
void solve_factored(Runtime* runtime, int device, DType dtype, void* lu, int32_t* pivots, int64_t n, const TensorView& x, bool right, bool adjoint,
                    bool identity = false) {
  LinalgParams p;
  p.a = lu;
  p.b = x.data;
  p.n = n;
  p.m = cpu::rows_of(x);
  p.k = cpu::cols_of(x);
  p.batch = cpu::batches_of(x);
  p.pivots = pivots;
  p.right = right;
  p.adjoint = adjoint;
  p.identity = identity;
  launch_matrices(runtime, device, "lu_solve", dtype, p, std::max({p.n, p.m, p.k}));
}

// linalg_lu_solve: (LU, pivots, B, left, adjoint); lu_solve: (B, LU, pivots)
void run_lu_solve(Call& call, bool legacy) {
  const TensorView &lu = call.tensor(legacy ? 1 : 0), &pivots = call.tensor(legacy ? 2 : 1), &b = call.tensor(legacy ? 0 : 2);
  const std::vector<int64_t> batch = cpu::batch_shape(b, 2, lu, 2);
  const WideCopy factors(cpu::expand_batch(lu, 2, batch), call.runtime), x(cpu::expand_batch(b, 2, batch), call.runtime);
  const GivenPivots given(cpu::expand_batch(pivots, 1, batch), call.runtime);
  given.check(cpu::rows_of(lu));
  solve_factored(call.runtime, b.device, b.dtype, factors.data(), given.data(), cpu::rows_of(lu), x.view(), !legacy && !call.args[3].b,
                 !legacy && call.args[4].b);
  x.put(call.outputs[0], call.runtime);
}
TS_CUDA_KERNEL(linalg_lu_solve, {.run = [](Call& call) { run_lu_solve(call, false); }, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(lu_solve, {.run = [](Call& call) { run_lu_solve(call, true); }, .accepts = takes_matrices, .waits = true});

// linalg_solve: (A, B, left); _ex: (A, B, left, check_errors) with info
void run_solve(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  TensorView b = call.tensor(1);
  const bool vector = b.ndim == 1 || (a.ndim - 1 == b.ndim && std::equal(b.sizes, b.sizes + b.ndim, a.sizes));
  if (vector) b.sizes[b.ndim] = 1, b.strides[b.ndim] = 1, b.ndim++;
  const int64_t n = cpu::rows_of(a);
  const Factors f(a, true, call.runtime);
  if (check)
    check_numbers(f.info, [&](int64_t at, int64_t info) { cpu::fail_singular(kSingularSolve, "torch.linalg.solve", at, f.batch, info); });
  const std::vector<int64_t> batch = cpu::batch_shape(b, 2, a, 2);
  const WideCopy x(cpu::expand_batch(b, 2, batch), call.runtime);
  TensorView pivots = f.lu.view();
  pivots.ndim--;
  pivots = contiguous_like(pivots, DType::I32);
  pivots.data = f.pivots.data();
  const DenseInput lu(cpu::expand_batch(f.lu.view(), 2, batch), f.lu.view().dtype, call.runtime),
    expanded(cpu::expand_batch(pivots, 1, batch), DType::I32, call.runtime);
  solve_factored(call.runtime, a.device, a.dtype, lu.data(), static_cast<int32_t*>(expanded.data()), n, x.view(), !call.args[2].b, false);
  TensorView result = x.view();
  if (vector) result.ndim--;
  if (call.outputs[0].numel() > 0) copy_strided(call.outputs[0], result, call.runtime);
  if (call.noutputs == 4) {
    f.lu.put(call.outputs[1], call.runtime);
    f.pivots.put(call.outputs[2], 1, call.runtime);
    f.info.put(call.outputs[3], 0, call.runtime);
  } else if (call.noutputs > 1) {
    f.info.put(call.outputs[1], 0, call.runtime);
  }
}
TS_CUDA_KERNEL(linalg_solve, {.run = [](Call& call) { run_solve(call, true); }, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_solve_ex, {.run = [](Call& call) { run_solve(call, call.args[3].b); }, .accepts = takes_matrices, .waits = true});

void run_inverse(Call& call, bool check) {
  const TensorView& a = call.tensor(0);
  const Factors f(a, true, call.runtime);
  if (check) check_numbers(f.info, [&](int64_t at, int64_t info) { cpu::fail_singular(kSingularInverse, "linalg.inv", at, f.batch, info); });
  const WideCopy x(a, wide_dtype(a.dtype));
  solve_factored(call.runtime, a.device, a.dtype, f.lu.data(), f.pivots.data(), f.n, x.view(), false, false, true);
  x.put(call.outputs[0], call.runtime);
  if (const TensorView* out = output_at(call, 1)) f.info.put(*out, 0, call.runtime);
}
TS_CUDA_KERNEL(linalg_inv, {.run = [](Call& call) { run_inverse(call, true); }, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_inv_ex, {.run = [](Call& call) { run_inverse(call, call.args[1].b); }, .accepts = takes_matrices, .waits = true});

template <bool logarithm> void run_determinant(Call& call) {
  const TensorView& a = call.tensor(0);
  const Factors f(a, true, call.runtime);
  const WideCopy value(call.outputs[0], wide_dtype(a.dtype)), logs(call.outputs[0], DType::F64);
  LinalgParams p;
  p.a = f.lu.data();
  p.b = value.data();
  p.n = f.n;
  p.batch = f.batch;
  p.pivots = f.pivots.data();
  if (logarithm) p.s = static_cast<double*>(logs.data());
  launch_matrices(call.runtime, a.device, "determinant", a.dtype, p, 1);
  value.put(call.outputs[0], call.runtime);
  if (logarithm && call.noutputs > 1) logs.put(call.outputs[1], call.runtime);
}
TS_CUDA_KERNEL(linalg_det, {.run = run_determinant<false>, .accepts = takes_matrices});
TS_CUDA_KERNEL(linalg_slogdet, {.run = run_determinant<true>, .accepts = takes_matrices});

// ---- triangular systems

void run_triangular(Call& call, const TensorView& a, const TensorView& b, bool upper, bool left, bool transposed, bool unit) {
  const std::vector<int64_t> batch = cpu::batch_shape(a, 2, b, 2);
  const WideCopy triangle(cpu::expand_batch(a, 2, batch), call.runtime), x(cpu::expand_batch(b, 2, batch), call.runtime);
  LinalgParams p;
  p.a = triangle.data();
  p.b = x.data();
  p.n = cpu::rows_of(a);
  p.m = cpu::rows_of(b);
  p.k = cpu::cols_of(b);
  p.batch = product_of(batch);
  p.upper = upper;
  p.right = !left;
  p.transposed = transposed;
  p.unit = unit;
  launch_matrices(call.runtime, b.device, "triangular", b.dtype, p, std::max({p.n, p.m, p.k}));
  x.put(call.outputs[0], call.runtime);
}
TS_CUDA_KERNEL(linalg_solve_triangular,
               {.run =
                  [](Call& call) {
                    run_triangular(call, call.tensor(0), call.tensor(1), call.args[2].b, call.args[3].b, false, call.args[4].b);
                  },
                .accepts = takes_matrices});
TS_CUDA_KERNEL(triangular_solve, {.run =
                                    [](Call& call) {
                                      const TensorView &b = call.tensor(0), &a = call.tensor(1);
                                      run_triangular(call, a, b, call.args[2].b, true, call.args[3].b, call.args[4].b);
                                      if (call.noutputs > 1 && call.outputs[1].numel() > 0)
                                        copy_strided(call.outputs[1], cpu::expand_batch(a, 2, cpu::batch_shape(a, 2, b, 2)), call.runtime);
                                    },
                                  .accepts = takes_matrices});

// ---- linalg_matrix_exp(self)
TS_CUDA_KERNEL(linalg_matrix_exp, {.run =
                                     [](Call& call) {
                                       const TensorView& a = call.tensor(0);
                                       if (a.numel() == 0) return;
                                       const WideCopy x(a, call.runtime);
                                       LinalgParams p;
                                       p.a = x.data();
                                       p.n = cpu::rows_of(a);
                                       p.batch = cpu::batches_of(a);
                                       launch_matrices(call.runtime, a.device, "exponential", a.dtype, p, p.n, 3 * p.n * p.n * dtype_size(x.view().dtype));
                                       x.put(call.outputs[0], call.runtime);
                                     },
                                   .accepts = takes_matrices});

// ---- Bunch-Kaufman: linalg_ldl_factor (self, hermitian[, check_errors]), linalg_ldl_solve (LD, pivots, B, hermitian)
TS_CUDA_KERNEL(linalg_ldl_factor, {.run =
                                     [](Call& call) {
                                       const TensorView& a = call.tensor(0);
                                       const WideCopy factor(a, call.runtime);
                                       LinalgParams p;
                                       p.a = factor.data();
                                       p.n = cpu::rows_of(a);
                                       p.batch = cpu::batches_of(a);
                                       const Numbers pivots(a.device, p.batch * p.n), info(a.device, p.batch);
                                       p.pivots = pivots.data();
                                       p.info = info.data();
                                       launch_matrices(call.runtime, a.device, "ldl_factor", a.dtype, p, p.n);
                                       if (call.nargs < 3 || call.args[2].b)
                                         check_numbers(info, [](int64_t, int64_t at) {
                                           fail_as("torch._C._LinAlgError", "torch.linalg.ldl_factor: D[%lld,%lld] is zero.", static_cast<long long>(at),
                                                   static_cast<long long>(at));
                                         });
                                       factor.put(call.outputs[0], call.runtime);
                                       pivots.put(call.outputs[1], 0, call.runtime);
                                       if (call.noutputs > 2) info.put(call.outputs[2], 0, call.runtime);
                                     },
                                   .accepts = takes_matrices,
                                   .waits = true});
TS_CUDA_KERNEL(linalg_ldl_solve,
               {.run =
                  [](Call& call) {
                    const TensorView &ld = call.tensor(0), &b = call.tensor(2);
                    const std::vector<int64_t> batch = cpu::batch_shape(b, 2, ld, 2);
                    const WideCopy factors(cpu::expand_batch(ld, 2, batch), call.runtime), x(cpu::expand_batch(b, 2, batch), call.runtime);
                    const DenseInput pivots(cpu::expand_batch(call.tensor(1), 1, batch), DType::I32, call.runtime);
                    LinalgParams p;
                    p.a = factors.data();
                    p.b = x.data();
                    p.n = cpu::rows_of(ld);
                    p.k = cpu::cols_of(b);
                    p.batch = product_of(batch);
                    const Numbers info(b.device, p.batch);
                    p.pivots = static_cast<int32_t*>(pivots.data());
                    p.info = info.data();
                    launch_matrices(call.runtime, b.device, "ldl_solve", b.dtype, p, p.k);
                    check_numbers(info, [](int64_t, int64_t) { fail("torch.linalg.ldl_solve: Expected the pivots that ldl_factor gave"); });
                    x.put(call.outputs[0], call.runtime);
                  },
                .accepts = takes_matrices,
                .waits = true});

}  // namespace
}  // namespace torchscript::cuda
