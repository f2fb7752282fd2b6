// Eigenvalues of Hermitian matrices, singular values and least squares on the device. Matrices that are not finite raise, for which rows wait.
#include <limits>
#include <string_view>

#include "cpu-avx/pointwise.h"
#include "cuda/linalg.h"

namespace torchscript::cuda {

void run_singular(Runtime* runtime, int device, DType dtype, void* a, int64_t batch, int64_t m, int64_t n, double* s, void* u, void* vh, bool full,
                  int32_t* info) {
  LinalgParams p;
  p.a = a;
  p.b = u;
  p.c = vh;
  p.s = s;
  p.m = m;
  p.n = n;
  p.batch = batch;
  p.full = full;
  p.info = info;
  // Room for what linalg_svd.cu takes, with 16 bytes for each piece.
  const int64_t most = std::max(m, n), least = std::min(m, n), side = full ? most : least, size = dtype_size(wide_dtype(dtype));
  const int64_t elements = 2 * most * least + side * most + 2 * least * least + most * least + most * side + 4 * least + 4 * most + 64;
  launch_matrices(runtime, device, "singular", dtype, p, most, elements * size + 8 * (8 * least + 64) + 1024);
}

namespace {

void check_finite(const Numbers& info, const char* name) {
  for (const int32_t v : info.read())
    if (v != 0) fail_as("torch._C._LinAlgError", "%s: The algorithm failed to converge because the input matrix contained non-finite values.", name);
}

void run_eigh(Call& call) {
  const TensorView& self = call.tensor(0);
  const WideCopy a(self, call.runtime);
  const WideCopy values(call.outputs[0], DType::F64);
  std::optional<WideCopy> vectors;
  if (call.noutputs > 1) vectors.emplace(self, a.view().dtype);
  LinalgParams p;
  p.a = a.data();
  p.b = vectors ? vectors->data() : nullptr;
  p.s = static_cast<double*>(values.data());
  p.n = cpu::rows_of(self);
  p.batch = cpu::batches_of(self);
  p.upper = call.args[1].str.p[0] == 'U' || call.args[1].str.p[0] == 'u';
  const Numbers info(self.device, p.batch);
  p.info = info.data();
  const int64_t size = dtype_size(a.view().dtype);
  launch_matrices(call.runtime, self.device, "eigen_hermitian", self.dtype, p, p.n, (2 * p.n * p.n + 4 * p.n) * size + 5 * 8 * p.n + 256);
  check_finite(info, "linalg.eigh");
  values.put(call.outputs[0], call.runtime);
  if (vectors) vectors->put(call.outputs[1], call.runtime);
}
TS_CUDA_KERNEL(linalg_eigh, {.run = run_eigh, .accepts = takes_matrices, .waits = true});

// linalg_svd (A, full_matrices, driver), _linalg_svd (A, full_matrices, compute_uv, driver), linalg_svdvals (A, driver), svd (self, some, compute_uv)
template <int form> void run_svd(Call& call) {
  const TensorView& self = call.tensor(0);
  const bool full = form == 2 ? false : form == 3 ? !call.args[1].b : call.args[1].b;
  const bool vectors = form == 0 || ((form == 1 || form == 3) && call.args[2].b);
  const WideCopy a(self, call.runtime);
  const DType wide = a.view().dtype;
  const int64_t m = cpu::rows_of(self), n = cpu::cols_of(self), batch = cpu::batches_of(self);
  const TensorView& s_out = call.outputs[form == 2 ? 0 : 1];
  const WideCopy s(s_out, DType::F64);
  const Numbers info(self.device, batch);
  if (!vectors) {
    run_singular(call.runtime, self.device, self.dtype, a.data(), batch, m, n, static_cast<double*>(s.data()), nullptr, nullptr, false, info.data());
    check_finite(info, "linalg.svd");
    s.put(s_out, call.runtime);
    const uint64_t zero[2] = {};
    for (int i = 0; form != 2 && i < 3; i += 2)
      if (call.outputs[i].numel() > 0) fill_dense(call.outputs[i], zero, call.runtime);
    return;
  }
  const WideCopy u(call.outputs[0], wide), v(call.outputs[2], wide);
  run_singular(call.runtime, self.device, self.dtype, a.data(), batch, m, n, static_cast<double*>(s.data()), u.data(), v.data(), full, info.data());
  check_finite(info, "linalg.svd");
  u.put(call.outputs[0], call.runtime);
  s.put(s_out, call.runtime);
  if (call.outputs[2].numel() == 0) return;
  if (form != 3) return v.put(call.outputs[2], call.runtime);
  // V is the adjoint of what was made, whose rows lie where V has columns.
  TensorView turned = v.view();
  const int last = turned.ndim - 1;
  turned.strides[last - 1] = 1;
  turned.strides[last] = turned.sizes[last - 1];
  copy_strided(call.outputs[2], turned, call.runtime);
  if (!is_complex(self.dtype)) return;
  Arg made;
  made.kind = ArgKind::Tensor;
  made.tensor = &call.outputs[2];
  const Arg* operands[] = {&made};
  run_pointwise_to(call.runtime, call.outputs[2], PointwiseId::conj_physical, operands);
}
TS_CUDA_KERNEL(linalg_svd, {.run = run_svd<0>, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_svd_uv, {.run = run_svd<1>, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(linalg_svdvals, {.run = run_svd<2>, .accepts = takes_matrices, .waits = true});
TS_CUDA_KERNEL(svd, {.run = run_svd<3>, .accepts = takes_matrices, .waits = true});

// ---- linalg_lstsq: (self, b, rcond, driver) gives the solution, the residuals, the rank and the singular values, the last three only where the
// driver has them. Residuals exist only when every matrix has full rank, which is why the shape waits for the data.

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
  f.has_residuals = driver != "gelsy" && cpu::rows_of(a) > cpu::cols_of(a);
  const double epsilon =
    cpu::real_dtype(a.dtype) == DType::F32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  f.rcond = call.args[2].is_none() ? epsilon * static_cast<double>(std::max(cpu::rows_of(a), cpu::cols_of(a))) : call.args[2].as_double();
  return f;
}
TensorView columns_of(const TensorView& b, bool vector) {
  TensorView out = b;
  if (vector) out.sizes[b.ndim] = 1, out.strides[b.ndim] = 1, out.ndim++;
  return out;
}

// The decomposition of a batch of matrices, and their ranks. Waits.
struct Ranked {
  const int64_t batch, m, n, k, size;
  const Scratch s, u, vh;
  std::vector<double> values;
  std::vector<int32_t> ranks;
  Ranked(const TensorView& a, double rcond, Runtime* runtime)
      : batch(cpu::batches_of(a)),
        m(cpu::rows_of(a)),
        n(cpu::cols_of(a)),
        k(std::min(m, n)),
        size(dtype_size(wide_dtype(a.dtype))),
        s(a.device, static_cast<size_t>(batch * k + 1) * 8),
        u(a.device, static_cast<size_t>((batch * m * k + 1) * size)),
        vh(a.device, static_cast<size_t>((batch * n * k + 1) * size)),
        values(static_cast<size_t>(batch * k)) {
    const WideCopy matrices(a, runtime);
    const Numbers info(a.device, batch);
    run_singular(runtime, a.device, a.dtype, matrices.data(), batch, m, n, s.ptr<double>(), u.ptr<void>(), vh.ptr<void>(), false, info.data());
    check_finite(info, "linalg.lstsq");
    if (!values.empty()) accelerator()->copy_out(a.device, values.data(), s.ptr<void>(), values.size() * 8);
    for (int64_t b = 0; b < batch; b++) {
      const double* row = values.data() + b * k;
      int32_t rank = 0;
      for (int64_t i = 0; i < k; i++) rank += row[i] > rcond * row[0];
      ranks.push_back(rank);
    }
  }
};

void infer_lstsq(Call& call) {
  const TensorView& a = call.tensor(0);
  cpu::check_matrix(a, "torch.linalg.lstsq");
  const LeastSquares f = lstsq_form(call);
  const TensorView b = columns_of(call.tensor(1), f.vector);
  if (b.ndim < 2 || cpu::rows_of(b) != cpu::rows_of(a)) fail("torch.linalg.lstsq: input.size(-2) should match other.size(-2)");
  const std::vector<int64_t> batch = cpu::batch_shape(a, 2, b, 2);
  std::vector<int64_t> shape = batch;
  shape.push_back(cpu::cols_of(a));
  if (!f.vector) shape.push_back(cpu::cols_of(b));
  call.set_output(0, a.dtype, shape.data(), static_cast<int>(shape.size()));
  const int64_t none = 0;
  bool residuals = f.has_residuals;
  if (residuals && f.has_rank)
    for (const int32_t rank : Ranked(a, f.rcond, call.runtime).ranks) residuals = residuals && rank == cpu::cols_of(a);
  if (residuals) {
    shape = batch;
    if (!f.vector) shape.push_back(cpu::cols_of(b));
    call.set_output(1, cpu::real_dtype(a.dtype), shape.data(), static_cast<int>(shape.size()));
  } else {
    call.set_output(1, cpu::real_dtype(a.dtype), &none, 1);
  }
  if (f.has_rank) cpu::matrix_output(call, 2, a, DType::I64, {});
  else call.set_output(2, DType::I64, &none, 1);
  if (f.has_values) cpu::matrix_output(call, 3, a, cpu::real_dtype(a.dtype), {std::min(cpu::rows_of(a), cpu::cols_of(a))});
  else call.set_output(3, cpu::real_dtype(a.dtype), &none, 1);
}

void run_lstsq(Call& call) {
  const LeastSquares f = lstsq_form(call);
  const TensorView b = columns_of(call.tensor(1), f.vector), &self = call.tensor(0);
  const std::vector<int64_t> batch = cpu::batch_shape(self, 2, b, 2);
  const WideCopy a(cpu::expand_batch(self, 2, batch), call.runtime), target(cpu::expand_batch(b, 2, batch), call.runtime);
  const Ranked r(a.view(), f.rcond, call.runtime);
  const Numbers ranks(self.device, r.batch);
  if (r.batch > 0) accelerator()->copy_in(self.device, ranks.data(), r.ranks.data(), r.ranks.size() * 4);
  const WideCopy x(call.outputs[0], a.view().dtype);
  LinalgParams p;
  p.a = r.u.ptr<void>();
  p.b = r.vh.ptr<void>();
  p.c = target.data();
  p.d = x.data();
  p.s = r.s.ptr<double>();
  p.m = r.m;
  p.n = r.n;
  p.k = cpu::cols_of(b);
  p.batch = r.batch;
  p.pivot = f.has_rank;
  p.info = ranks.data();
  launch_matrices(call.runtime, self.device, "least_squares", self.dtype, p, std::max({p.m, p.n, p.k}), std::max<int64_t>(1, r.k * p.k) * r.size);
  x.put(call.outputs[0], call.runtime);
  if (call.outputs[1].numel() > 0 && f.has_residuals) {
    const WideCopy sums(call.outputs[1], DType::F64);
    p.a = a.data();
    p.s = static_cast<double*>(sums.data());
    launch_matrices(call.runtime, self.device, "residuals", self.dtype, p, p.k);
    sums.put(call.outputs[1], call.runtime);
  }
  // The ranks and values of the matrices themselves, of which the batch may have repeats.
  const bool repeats = cpu::batches_of(self) != r.batch;
  std::optional<Ranked> own;
  if (repeats && (f.has_rank || f.has_values)) own.emplace(self, f.rcond, call.runtime);
  const Ranked& of = own ? *own : r;
  if (f.has_rank && call.outputs[2].numel() > 0) {
    const std::vector<int64_t> whole(of.ranks.begin(), of.ranks.end());
    accelerator()->copy_in(self.device, call.outputs[2].data, whole.data(), whole.size() * 8);
  }
  if (f.has_values && call.outputs[3].numel() > 0) {
    TensorView values = contiguous_like(call.outputs[3], DType::F64);
    values.data = of.s.ptr<void>();
    copy_strided(call.outputs[3], values, call.runtime);
  }
}
TS_CUDA_KERNEL(linalg_lstsq, {.infer = infer_lstsq, .run = run_lstsq, .data_dependent = true, .accepts = takes_matrices, .waits = true});

}  // namespace
}  // namespace torchscript::cuda
