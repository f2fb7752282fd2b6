#include "cuda/gemm.h"

#include <algorithm>

namespace torchscript::cuda {
namespace {

const char* simple_kernel(DType dtype) {
  switch (dtype) {
    case DType::F16: return "gemm_simple_f16";
    case DType::BF16: return "gemm_simple_bf16";
    case DType::F64: return "gemm_simple_f64";
    default: return "gemm_simple_f32";
  }
}

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

bool takes(const Call& call) {
  const TensorView* first = nullptr;
  for (int i = 0; i < call.nargs; i++) {
    if (call.args[i].kind != ArgKind::Tensor) continue;
    if (!first) first = call.args[i].tensor;
    if (!product_takes(call.args[i].tensor->dtype)) return false;
  }
  return first != nullptr;
}

void run_matmul(Call& call) { matmul_into(call.runtime, call.outputs[0], call.tensor(0), call.tensor(1)); }
TS_CUDA_KERNEL(matmul, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(mm, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(bmm, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(mv, {.run = run_matmul, .accepts = takes});
TS_CUDA_KERNEL(dot, {.run = [](Call& call) {
                       Product p;
                       p.a = as_row(call.tensor(0));
                       p.b = as_column(call.tensor(1));
                       p.c = call.outputs[0];
                       p.c.ndim = 2;
                       p.c.sizes[0] = p.c.sizes[1] = 1;
                       p.c.strides[0] = p.c.strides[1] = 0;
                       run_product(call.runtime, p);
                     },
                     .accepts = takes});

// addmm(self, a, b, beta, alpha) and its kin: self is repeated to the result's shape.
double scalar_at(const Call& call, int i) { return i < call.nargs && call.args[i].is_number() ? call.args[i].as_double() : 1; }
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
  p.beta = scalar_at(call, 3);
  p.alpha = scalar_at(call, 4);
  // Nothing of self counts then, not even NaN.
  p.adds = p.beta != 0;
  run_product(call.runtime, p);
}
TS_CUDA_KERNEL(addmm, {.run = run_add, .accepts = takes});
TS_CUDA_KERNEL(addmv, {.run = run_add, .accepts = takes});
TS_CUDA_KERNEL(baddbmm, {.run = run_add, .accepts = takes});

// linear(x, weight, bias): x times the transposed weight.
void run_linear(Call& call) {
  Product p;
  const TensorView& weight = call.tensor(1);
  p.a = call.tensor(0);
  p.c = call.outputs[0];
  const int64_t k = p.a.sizes[p.a.ndim - 1];
  // One product where rows follow each other.
  if (p.a.is_contiguous() && p.c.is_contiguous()) {
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
  run_product(call.runtime, p);
}
TS_CUDA_KERNEL(linear, {.run = run_linear, .accepts = takes});

}  // namespace

bool product_takes(DType dtype) { return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F64; }

void run_product(Runtime* runtime, const Product& product) {
  const int batch_dims = product.c.ndim - 2;
  GemmParams p;
  const TensorView* views[] = {&product.c, &product.a, &product.b, product.adds ? &product.d : &product.c};
  const int64_t* strides[4];
  for (int i = 0; i < 4; i++) strides[i] = views[i]->strides;
  if (!build_loop(p.batches, product.c.sizes, batch_dims, strides, 4)) fail("A product of more than 2^31 matrices is not supported on CUDA");
  const auto row = [&](int i) { return views[i]->strides[batch_dims]; };
  const auto column = [&](int i) { return views[i]->strides[batch_dims + 1]; };
  const int64_t m = product.c.sizes[batch_dims], n = product.c.sizes[batch_dims + 1], k = product.a.sizes[batch_dims + 1];
  if (m == 0 || n == 0 || p.batches.n == 0) return;
  if (m > INT32_MAX || n > INT32_MAX || k > INT32_MAX) fail("A matrix with a side of 2^31 elements or more is not supported on CUDA");
  p.m = static_cast<int32_t>(m);
  p.n = static_cast<int32_t>(n);
  p.k = static_cast<int32_t>(k);
  p.c = product.c.data;
  p.a = product.a.data;
  p.b = product.b.data;
  p.d = product.adds ? product.d.data : nullptr;
  p.c_row = row(0), p.c_col = column(0);
  p.a_row = row(1), p.a_col = column(1);
  p.b_row = row(2), p.b_col = column(2);
  p.d_row = row(3), p.d_col = column(3);
  p.alpha = product.alpha;
  p.beta = product.beta;
  const auto tiles = [](int64_t size) { return static_cast<unsigned>((size + 63) / 64); };
  if (tiles(m) > 65535) fail("A matrix of more than %d rows is not supported on CUDA", 65535 * 64);
  const Dim grid = {tiles(n), tiles(m), std::min(p.batches.n, 65535u)};
  launch(product.c.device, runtime, simple_kernel(product.c.dtype), grid, {256}, 0, p);
}

}  // namespace torchscript::cuda
