#include "cuda/gemm.h"

#include <algorithm>

#include "cpu-avx/gemm/epilogue.h"
#include "cuda/epilogue.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

// ---- views of matrices

// The view with `dims` dimensions of size one in front.
TensorView led_by_ones(const TensorView& t, int ndim) {
  TensorView v = t;
  const int added = ndim - t.ndim;
  for (int d = ndim - 1; d >= 0; d--) {
    v.sizes[d] = d < added ? 1 : t.sizes[d - added];
    v.strides[d] = d < added ? 0 : t.strides[d - added];
  }
  v.ndim = ndim;
  return v;
}
// A vector as a matrix of one row, or of one column.
TensorView as_row(const TensorView& t) { return led_by_ones(t, 2); }
TensorView as_column(const TensorView& t) {
  TensorView v = t;
  v.ndim = 2;
  v.sizes[1] = 1;
  v.strides[1] = 0;
  return v;
}
// Repeats dimensions of one element to `sizes`.
TensorView expanded(const TensorView& t, const int64_t* sizes, int ndim) {
  TensorView v = led_by_ones(t, ndim);
  for (int d = 0; d < ndim; d++) {
    if (v.sizes[d] == 1 && sizes[d] != 1) v.strides[d] = 0;
    v.sizes[d] = sizes[d];
  }
  return v;
}
void expand_batches(TensorView& t, const TensorView& c) {
  TensorView v = led_by_ones(t, c.ndim);
  for (int d = 0; d + 2 < c.ndim; d++) {
    if (v.sizes[d] == 1 && c.sizes[d] != 1) v.strides[d] = 0;
    v.sizes[d] = c.sizes[d];
  }
  t = v;
}

void matmul_into(Runtime* runtime, const TensorView& out, const TensorView& x, const TensorView& y) {
  Product p;
  p.a = x.ndim == 1 ? as_row(x) : x;
  p.b = y.ndim == 1 ? as_column(y) : y;
  p.c = out;
  // The output lacks the dimension that a vector does.
  if (y.ndim == 1) {
    p.c.sizes[p.c.ndim] = 1;
    p.c.strides[p.c.ndim++] = 0;
  }
  if (x.ndim == 1) {
    const int n = p.c.ndim++;
    p.c.sizes[n] = p.c.sizes[n - 1];
    p.c.strides[n] = p.c.strides[n - 1];
    p.c.sizes[n - 1] = 1;
    p.c.strides[n - 1] = 0;
  }
  expand_batches(p.a, p.c);
  expand_batches(p.b, p.c);
  run_product(runtime, p);
}

bool takes_dtypes(const Call& call, bool (*takes_dtype)(DType), int except = -1) {
  bool any = false;
  for (int i = 0; i < call.nargs; i++) {
    if (call.args[i].kind != ArgKind::Tensor || i == except) continue;
    any = true;
    if (!takes_dtype(call.args[i].tensor->dtype)) return false;
  }
  return any;
}
bool takes(const Call& call) { return takes_dtypes(call, plain_product_takes); }
bool takes_epilogue(const Call& call, int residual_at) {
  return takes_dtypes(call, product_takes, residual_at) && takes_residual(call.optional_tensor(residual_at));
}

void run_matmul(Call& call) { matmul_into(call.runtime, call.outputs[0], call.tensor(0), call.tensor(1)); }
TS_CUDA_KERNEL(matmul, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(mm, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(bmm, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(mv, {.run = run_matmul, .accepts = takes});
template <bool conjugates> void run_dot(Call& call) {
  Product p;
  p.a = as_row(call.tensor(0));
  p.b = as_column(call.tensor(1));
  p.c = call.outputs[0];
  p.c.ndim = 2;
  p.c.sizes[0] = p.c.sizes[1] = 1;
  p.c.strides[0] = p.c.strides[1] = 0;
  p.conjugates = conjugates;
  run_product(call.runtime, p);
}
TS_CUDA_KERNEL(dot, {.run = run_dot<false>, .accepts = takes});
TS_CUDA_KERNEL(vdot, {.run = run_dot<true>, .accepts = takes});

// addmm(self, a, b, beta, alpha) and its kin: self is repeated to the result's shape.
void set_scalars(Product& p, const Call& call) {
  const auto set = [&](int i, double& real, int64_t& whole, double& imaginary) {
    if (i >= call.nargs || !call.args[i].is_number()) return;
    const Arg& number = call.args[i];
    real = number.as_double();
    whole = number.as_int();
    if (number.kind == ArgKind::Complex) imaginary = number.c.im;
  };
  set(3, p.beta, p.whole_beta, p.beta_im);
  set(4, p.alpha, p.whole_alpha, p.alpha_im);
  // Nothing of self counts then, not even NaN.
  p.adds = is_integral(p.c.dtype) ? p.whole_beta != 0 : p.beta != 0 || p.beta_im != 0;
}
void run_add(Call& call) {
  Product p;
  p.c = call.outputs[0];
  p.a = call.tensor(1);
  p.b = call.tensor(2);
  p.d = expanded(call.tensor(0), p.c.sizes, p.c.ndim);
  if (p.b.ndim == 1) {
    p.b = as_column(p.b);
    for (TensorView* v : {&p.c, &p.d}) {
      v->sizes[1] = 1;
      v->strides[1] = 0;
      v->ndim = 2;
    }
  }
  set_scalars(p, call);
  run_product(call.runtime, p);
}
// addbmm(self, batch1, batch2, beta, alpha): the sum over the batch is one depth of all.
void run_addbmm(Call& call) {
  const TensorView &x = call.tensor(1), &y = call.tensor(2);
  TensorView turned = x;
  turned.sizes[0] = x.sizes[1], turned.strides[0] = x.strides[1];
  turned.sizes[1] = x.sizes[0], turned.strides[1] = x.strides[0];
  const DenseInput a(turned, x.dtype, call.runtime), b(y, y.dtype, call.runtime);
  const auto as_matrix = [](const TensorView& t, int64_t rows, int64_t columns) {
    TensorView v = t;
    v.ndim = 2;
    v.sizes[0] = rows, v.sizes[1] = columns;
    v.strides[0] = columns, v.strides[1] = 1;
    return v;
  };
  Product p;
  p.c = call.outputs[0];
  p.a = as_matrix(a.view(), x.sizes[1], x.sizes[0] * x.sizes[2]);
  p.b = as_matrix(b.view(), y.sizes[0] * y.sizes[1], y.sizes[2]);
  p.d = expanded(call.tensor(0), p.c.sizes, p.c.ndim);
  set_scalars(p, call);
  run_product(call.runtime, p);
}
TS_CUDA_KERNEL(addmm, {.run = run_add, .accepts = takes});
TS_CUDA_KERNEL(addmv, {.run = run_add, .accepts = takes});
TS_CUDA_KERNEL(baddbmm, {.run = run_add, .accepts = takes});
TS_CUDA_KERNEL(addbmm, {.run = run_addbmm, .accepts = takes});

// Repeated to the shape of the result, and given the dimensions of the matrices of `c`, which are those of a tensor without gaps.
TensorView repeated_rows(const TensorView& t, const TensorView& out, const TensorView& c) {
  TensorView v = expanded(t, out.sizes, out.ndim);
  if (c.ndim == v.ndim || c.ndim != 2) return led_by_ones(v, c.ndim);
  // Rows follow each other.
  const int64_t columns = v.ndim > 0 ? v.strides[v.ndim - 1] : 0, rows = v.ndim > 1 ? v.strides[v.ndim - 2] : 0;
  v.ndim = 2;
  v.sizes[0] = c.sizes[0], v.sizes[1] = c.sizes[1];
  v.strides[0] = rows, v.strides[1] = columns;
  return v;
}
// Whether leading dimensions are one: each is as far apart as the one inside it is long.
bool rows_follow(const TensorView& t, const TensorView& out) {
  const TensorView v = expanded(t, out.sizes, out.ndim);
  for (int d = v.ndim - 3; d >= 0; d--)
    if (v.sizes[d] != 1 && v.strides[d] != v.strides[d + 1] * v.sizes[d + 1]) return false;
  return true;
}

// linear(x, weight, bias): x times the transposed weight; then a residual and an activation.
void linear_with(Call& call, const TensorView* residual, Activation activation) {
  Product p;
  p.activation = static_cast<int32_t>(activation);
  const TensorView& weight = call.tensor(1);
  p.a = call.tensor(0);
  p.c = call.outputs[0];
  const int64_t k = p.a.sizes[p.a.ndim - 1];
  // One product where rows follow each other.
  if (p.a.is_contiguous() && p.c.is_contiguous() && (!residual || (weight.ndim == 2 && rows_follow(*residual, p.c)))) {
    const int64_t rows = k > 0 ? p.a.numel() / k : 1;
    int64_t out_rows = 1;
    for (int d = 0; d + 1 < p.c.ndim; d++) out_rows *= p.c.sizes[d];
    for (TensorView* v : {&p.a, &p.c}) {
      const int64_t columns = v == &p.a ? k : weight.ndim == 1 ? 1 : weight.sizes[0];
      v->ndim = 2;
      v->sizes[0] = k > 0 ? rows : out_rows;
      v->sizes[1] = columns;
      v->strides[0] = columns;
      v->strides[1] = 1;
    }
  } else {
    if (p.a.ndim == 1) p.a = as_row(p.a);
    if (weight.ndim == 1) {
      p.c.sizes[p.c.ndim] = 1;
      p.c.strides[p.c.ndim++] = 0;
    }
    p.c = led_by_ones(p.c, std::max(2, static_cast<int>(p.c.ndim)));
  }
  p.b = weight.ndim == 1 ? as_row(weight) : weight;
  std::swap(p.b.sizes[0], p.b.sizes[1]);
  std::swap(p.b.strides[0], p.b.strides[1]);
  expand_batches(p.b, p.c);
  if (const TensorView* bias = call.optional_tensor(2)) {
    p.d = expanded(*bias, p.c.sizes, p.c.ndim);
    p.adds = true;
  }
  if (residual) {
    p.e = repeated_rows(*residual, call.outputs[0], p.c);
    p.adds_residual = true;
  }
  run_product(call.runtime, p);
}
void run_linear(Call& call) { linear_with(call, nullptr, Activation::None); }
TS_CUDA_KERNEL(linear, {.run = run_linear, .accepts = takes});

// Whether the kernels take a residual: it has the product's dtype and is repeated to its shape, of which `sizes` are known from the end.
bool fits_residual(const TensorView* residual, const TensorView& x, const TensorView& like, int64_t columns) {
  if (!residual) return true;
  if (residual->dtype != x.dtype || residual->ndim > like.ndim) return false;
  for (int d = 0; d < residual->ndim; d++) {
    const int64_t size = residual->sizes[residual->ndim - 1 - d];
    if (size != 1 && size != (d == 0 ? columns : like.sizes[like.ndim - 1 - d])) return false;
  }
  return true;
}
// linear_epilogue(x, weight, bias?, residual?, activation)
void run_linear_epilogue(Call& call) {
  const TensorView* residual = call.optional_tensor(3);
  if (!fits_residual(residual, call.tensor(0), call.tensor(0), call.tensor(1).sizes[0]))
    return run_epilogue_apart(call, "linear_epilogue", 3, 4, run_linear_epilogue);
  linear_with(call, residual, activation_argument(call, 4));
}
TS_CUDA_KERNEL(linear_epilogue, {.run = run_linear_epilogue,
                                 .accepts = [](const Call& call) { return takes_epilogue(call, 3) && call.tensor(1).ndim == 2; }});
// addmm_epilogue(bias, mat1, mat2, shape?, residual?, activation): the product is seen in `shape`.
bool fits_addmm_residual(const Call& call) {
  const TensorView *residual = call.optional_tensor(4), &a = call.tensor(1), &b = call.tensor(2);
  if (call.args[3].kind != ArgKind::IntList) return fits_residual(residual, a, a, b.sizes[1]);
  // Seen in a shape: the very same elements.
  return !residual || (residual->dtype == a.dtype && residual->is_contiguous() && same_kind(*residual, call.outputs[0]));
}
void run_addmm_epilogue(Call& call) {
  if (!fits_addmm_residual(call)) return run_epilogue_apart(call, "addmm_epilogue", 4, 5, run_addmm_epilogue);
  Product p;
  p.a = call.tensor(1);
  p.b = call.tensor(2);
  p.c = call.outputs[0];
  const auto as_matrix = [&](TensorView& t) {
    t.ndim = 2;
    t.sizes[0] = p.a.sizes[0], t.sizes[1] = p.b.sizes[1];
    t.strides[0] = t.sizes[1], t.strides[1] = 1;
  };
  as_matrix(p.c);
  p.d = expanded(call.tensor(0), p.c.sizes, 2);
  p.adds = true;
  if (const TensorView* residual = call.optional_tensor(4)) {
    p.e = *residual;
    if (call.args[3].kind == ArgKind::IntList) as_matrix(p.e);
    else p.e = expanded(p.e, p.c.sizes, 2);
    p.adds_residual = true;
  }
  p.activation = static_cast<int32_t>(activation_argument(call, 5));
  run_product(call.runtime, p);
}
bool takes_addmm_epilogue(const Call& call) {
  return takes_epilogue(call, 4) && call.tensor(1).ndim == 2 && call.tensor(2).ndim == 2 && call.tensor(0).ndim <= 2;
}
TS_CUDA_KERNEL(addmm_epilogue, {.run = run_addmm_epilogue, .accepts = takes_addmm_epilogue});

}  // namespace

}  // namespace torchscript::cuda
