// matmul, mm, bmm, mv, dot, vdot and the products that add to their first argument.
#include <string>

#include "cpu-avx/gemm/epilogue.h"
#include "cpu-avx/gemm/linear.h"

namespace torchscript {
namespace {

// The C++ type names that PyTorch's dtype messages print.
const char* type_text(DType t) {
  switch (t) {
    case DType::F32: return "float";
    case DType::F64: return "double";
    case DType::F16: return "c10::Half";
    case DType::BF16: return "c10::BFloat16";
    case DType::I64: return "long";
    case DType::I32: return "int";
    case DType::I16: return "short";
    case DType::I8: return "signed char";
    case DType::U8: return "unsigned char";
    case DType::Bool: return "bool";
    case DType::C64: return "c10::complex<float>";
    case DType::C128: return "c10::complex<double>";
    default: return dtype_torch_name(t);
  }
}
using ll = long long;

void check_dtypes(const char* impl, const TensorView& a, const TensorView& b) {
  if (a.dtype != b.dtype) fail("expected m1 and m2 to have the same dtype, but got: %s != %s", type_text(a.dtype), type_text(b.dtype));
  if (a.dtype == DType::Bool || is_quantized(a.dtype)) fail("\"%s\" not implemented for '%s'", impl, dtype_torch_name(a.dtype));
}

// matmul's operands as [batch..., m, k] and [batch..., k, n], and the shape of the result.
struct Shapes {
  TensorView a, b;
  int64_t out[kMaxDims];
  int ndim = 0;
};
Shapes matmul_shapes(const TensorView& x, const TensorView& y) {
  if (x.ndim == 0 || y.ndim == 0) fail("both arguments to matmul need to be at least 1D, but they are %dD and %dD", x.ndim, y.ndim);
  check_dtypes("addmm_impl_cpu_", x, y);
  const bool vector_x = x.ndim == 1, vector_y = y.ndim == 1;
  const int nb = std::max({x.ndim, y.ndim, 2}) - 2;
  const int64_t m = vector_x ? 1 : x.sizes[x.ndim - 2], k = x.sizes[x.ndim - 1];
  const int64_t k2 = vector_y ? y.sizes[0] : y.sizes[y.ndim - 2], n = vector_y ? 1 : y.sizes[y.ndim - 1];
  if (k != k2) {
    if (vector_x && vector_y)
      fail(
        "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the same number of elements, but got %lld and %lld elements respectively",
        ll(k), ll(k2), ll(k), ll(k2));
    if (vector_y && x.ndim == 2) fail("size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)", ll(m), ll(m), ll(k), ll(k2));
    if (x.ndim <= 2 || y.ndim <= 2) {
      int64_t rows = 1;
      for (int d = 0; d + 1 < x.ndim; d++) rows *= x.sizes[d];
      fail("mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", ll(rows), ll(k), ll(k2), ll(n));
    }
    fail("Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].", ll(x.sizes[0]), ll(k),
         ll(y.sizes[0]), ll(k2));
  }
  Shapes s;
  auto place = [&](const TensorView& from, bool vector, bool row, TensorView& to) {
    to = from;
    to.ndim = nb + 2;
    const int own = vector ? 0 : from.ndim - 2;
    for (int d = 0; d < nb; d++) {
      const int source = d - (nb - own);
      to.sizes[d] = source < 0 ? 1 : from.sizes[source];
      to.strides[d] = source < 0 || from.sizes[source] == 1 ? 0 : from.strides[source];
    }
    to.sizes[nb] = vector ? (row ? 1 : from.sizes[0]) : from.sizes[own];
    to.sizes[nb + 1] = vector ? (row ? from.sizes[0] : 1) : from.sizes[own + 1];
    to.strides[nb] = vector ? (row ? 0 : from.strides[0]) : from.strides[own];
    to.strides[nb + 1] = vector ? (row ? from.strides[0] : 0) : from.strides[own + 1];
  };
  place(x, vector_x, true, s.a);
  place(y, vector_y, false, s.b);
  for (int d = 0; d < nb; d++) {
    const int64_t p = s.a.sizes[d], q = s.b.sizes[d];
    if (p != q && p != 1 && q != 1) {
      fail("The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d", ll(p), ll(q), d);
    }
    const int64_t size = p == 1 ? q : p;
    s.a.sizes[d] = s.b.sizes[d] = size;
    s.out[s.ndim++] = size;
  }
  if (!vector_x) s.out[s.ndim++] = m;
  if (!vector_y) s.out[s.ndim++] = n;
  return s;
}

void matmul_infer(Call& call) {
  const Shapes s = matmul_shapes(tensor_argument(call, 0, "matmul", "self"), tensor_argument(call, 1, "matmul", "other"));
  call.set_output(0, call.tensor(0).dtype, s.out, s.ndim);
}

// out = alpha * x y (+ c), the operands as matmul takes them. Uses `call.packed` where the row packs.
template <class T> void matmul_to(Call& call, const TensorView& x, const TensorView& y, T* c, Gemm<T> model) {
  const Shapes s = matmul_shapes(as_compute<T>(*call.runtime, x), as_compute<T>(*call.runtime, y));
  if (call.packed && y.ndim == 2) model.packed_b = static_cast<const T*>(call.packed);
  batched_product<T>(*call.runtime, s.a, s.b, c, model);
}

template <class T> void run_matmul_as(Call& call, const TensorView& x, const TensorView& y) {
  T* c = output_block<T>(*call.runtime, call.outputs[0]);
  matmul_to<T>(call, x, y, c, {});
  finish_output(c, call.outputs[0]);
}
void matmul_run(Call& call) {
  const TensorView &x = call.tensor(0), &y = call.tensor(1);
  with_compute_type(x.dtype, [&](auto t) { run_matmul_as<decltype(t)>(call, x, y); });
}

// Weights on the right of a product: a matrix of a floating dtype. Rows that may use Strassen's algorithm keep sums of small ones.
template <class T> size_t kept_elements(int64_t k, int64_t n) { return std::is_same_v<T, float> ? strassen_kept_elements(k, n) : 0; }
size_t pack_bytes_of(const TensorView& weight, int64_t k, int64_t n, bool subcubic) {
  if (!is_floating(weight.dtype)) return 0;
  return with_float_type(weight.dtype, [&](auto t) {
    using T = decltype(t);
    return (packed_b_elements<T>(k, n) + (subcubic ? kept_elements<T>(k, n) : 0)) * sizeof(T);
  });
}
template <class T> void use_packed(Gemm<T>& g, const void* packed, int64_t k, int64_t n, bool subcubic) {
  g.packed_b = static_cast<const T*>(packed);
  g.subcubic = subcubic;
  if (packed && subcubic && kept_elements<T>(k, n)) g.kept_sums = g.packed_b + packed_b_elements<T>(k, n);
}
void pack_weight(Runtime* runtime, const TensorView& weight, bool transposed, bool subcubic, void* packed) {
  with_float_type(weight.dtype, [&](auto t) {
    using T = decltype(t);
    const TensorView w = as_compute<T>(*runtime, weight);
    const int kd = transposed ? 1 : 0;
    const int64_t k = w.sizes[kd], n = w.sizes[1 - kd];
    pack_b_all<T>(runtime, w.ptr<T>(), w.strides[kd], w.strides[1 - kd], k, n, static_cast<T*>(packed));
    if constexpr (std::is_same_v<T, float>) {
      if (subcubic && strassen_kept_elements(k, n)) strassen_keep_sums(static_cast<T*>(packed), k, n);
    }
  });
}
template <int I, bool Subcubic = false> size_t pack_bytes_right(const Call& call) {
  if (call.args[I].kind != ArgKind::Tensor || call.tensor(I).ndim != 2) return 0;
  return pack_bytes_of(call.tensor(I), call.tensor(I).sizes[0], call.tensor(I).sizes[1], Subcubic);
}
template <int I, bool Subcubic = false> void pack_right(const Call& call, void* packed) {
  pack_weight(call.runtime, call.tensor(I), false, Subcubic, packed);
}

TS_KERNEL(
  matmul,
  {.infer = matmul_infer, .run = matmul_run, .pack_arg = 1, .pack_bytes = pack_bytes_right<1>, .pack = pack_right<1>, .packed_only = true});

void mm_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 0, "mm", "self"), &b = tensor_argument(call, 1, "mm", "mat2");
  if (a.ndim != 2) fail("self must be a matrix");
  if (b.ndim != 2) fail("mat2 must be a matrix");
  matmul_infer(call);
}
TS_KERNEL(
  mm, {.infer = mm_infer, .run = matmul_run, .pack_arg = 1, .pack_bytes = pack_bytes_right<1>, .pack = pack_right<1>, .packed_only = true});

void check_bmm(const TensorView& a, const TensorView& b) {
  if (a.ndim != 3) fail("batch1 must be a 3D tensor");
  if (b.ndim != 3) fail("batch2 must be a 3D tensor");
  if (a.dtype != b.dtype) fail("expected scalar type %s but found %s", dtype_torch_name(a.dtype), dtype_torch_name(b.dtype));
  if (a.sizes[0] != b.sizes[0] || a.sizes[2] != b.sizes[1]) {
    fail("Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].", ll(a.sizes[0]),
         ll(a.sizes[2]), ll(b.sizes[0]), ll(b.sizes[1]));
  }
}
void bmm_infer(Call& call) {
  check_bmm(tensor_argument(call, 0, "bmm", "self"), tensor_argument(call, 1, "bmm", "mat2"));
  matmul_infer(call);
}
TS_KERNEL(bmm, {.infer = bmm_infer, .run = matmul_run});

void mv_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 0, "mv", "self"), &b = tensor_argument(call, 1, "mv", "vec");
  if (a.ndim != 2 || b.ndim != 1) fail("vector + matrix @ vector expected, got %d, %d, %d", 1, a.ndim, b.ndim);
  matmul_infer(call);
}
TS_KERNEL(mv, {.infer = mv_infer, .run = matmul_run});

void dot_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 0, "dot", "self"), &b = tensor_argument(call, 1, "dot", "tensor");
  if (a.ndim != 1 || b.ndim != 1) fail("1D tensors expected, but got %dD and %dD tensors", a.ndim, b.ndim);
  if (a.dtype != b.dtype)
    fail("dot : expected both vectors to have same dtype, but found %s and %s", dtype_torch_name(a.dtype), dtype_torch_name(b.dtype));
  matmul_infer(call);
}
TS_KERNEL(dot, {.infer = dot_infer, .run = matmul_run});

// dot with the first vector conjugated.
void vdot_run(Call& call) {
  const TensorView& x = call.tensor(0);
  if (!is_complex(x.dtype)) return matmul_run(call);
  const int64_t n = x.numel();
  auto* conjugated = static_cast<Complex128*>(call.runtime->scratch(static_cast<size_t>(n) * sizeof(Complex128) + 64));
  copy_in(x, conjugated);
  for (int64_t i = 0; i < n; i++) conjugated[i].im = -conjugated[i].im;
  TensorView view = x;
  view.data = conjugated;
  view.dtype = DType::C128;
  view.strides[0] = 1;
  auto* c = static_cast<Complex128*>(call.runtime->scratch(sizeof(Complex128)));
  const TensorView y = as_compute<Complex128>(*call.runtime, call.tensor(1));
  matmul_to<Complex128>(call, view, y, c, {});
  copy_out(c, call.outputs[0]);
}
TS_KERNEL(vdot, {.infer = dot_infer, .run = vdot_run});

// self + a product: which of the arguments 3 and 4 are beta and alpha is the same for the whole family.
void check_expands(const TensorView& self, const int64_t* sizes, int ndim) {
  bool ok = self.ndim <= ndim;
  for (int d = 0; ok && d < self.ndim; d++) {
    const int64_t have = self.sizes[d], want = sizes[ndim - self.ndim + d];
    if (have != want && have != 1) {
      fail("The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton dimension %d.", ll(want), ll(have),
           ndim - self.ndim + d);
    }
  }
  if (!ok)
    fail("expand: the number of sizes provided (%d) must be greater or equal to the number of dimensions in the tensor (%d)", ndim,
         self.ndim);
}
void add_infer(Call& call, const TensorView& x, const TensorView& y, bool sum_batch) {
  Shapes s = matmul_shapes(x, y);
  const TensorView& self = tensor_argument(call, 0, "addmm", "self");
  if (self.dtype != x.dtype)
    fail("self and mat2 must have the same dtype, but got %s and %s", dtype_torch_name(self.dtype), dtype_torch_name(y.dtype));
  int64_t* sizes = s.out + (sum_batch ? 1 : 0);
  const int ndim = s.ndim - (sum_batch ? 1 : 0);
  check_expands(self, sizes, ndim);
  call.set_output(0, x.dtype, sizes, ndim);
}
void addmm_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 1, "addmm", "mat1"), &b = tensor_argument(call, 2, "addmm", "mat2");
  if (a.ndim != 2) fail("mat1 must be a matrix, got %d-D tensor", a.ndim);
  if (b.ndim != 2) fail("mat2 must be a matrix, got %d-D tensor", b.ndim);
  add_infer(call, a, b, false);
}
void addmv_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 1, "addmv", "mat"), &b = tensor_argument(call, 2, "addmv", "vec");
  if (a.ndim != 2 || b.ndim != 1) fail("vector + matrix @ vector expected, got %d, %d, %d", call.tensor(0).ndim, a.ndim, b.ndim);
  add_infer(call, a, b, false);
}
void baddbmm_infer(Call& call) {
  check_bmm(tensor_argument(call, 1, "baddbmm", "batch1"), tensor_argument(call, 2, "baddbmm", "batch2"));
  add_infer(call, call.tensor(1), call.tensor(2), false);
}
void addbmm_infer(Call& call) {
  check_bmm(tensor_argument(call, 1, "addbmm", "batch1"), tensor_argument(call, 2, "addbmm", "batch2"));
  add_infer(call, call.tensor(1), call.tensor(2), true);
}
void add_run(Call& call) {
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    T* c = output_block<T>(*call.runtime, out);
    Gemm<T> model;
    model.alpha = call.nargs > 4 ? number_as<T>(call.args[4]) : T(1);
    const TensorView& self = call.tensor(0);
    const bool no_self = call.nargs > 3 && is_zero(call.args[3]);
    const bool unit = call.nargs <= 3 || (!is_complex(out.dtype) && call.args[3].as_double() == 1);
    const bool is_bias = unit && is_stage_type<T>(self.dtype) && out.ndim == 2 && self.ndim == 1 && self.sizes[0] == out.sizes[1] &&
                         self.strides[0] == 1 && out.numel() > 0;
    if (is_bias) model.bias_n = self.ptr<T>();
    else model.accumulate = start_from<T>(self, call.nargs > 3 ? number_as<T>(call.args[3]) : T(1), no_self, c, out.sizes, out.ndim);
    matmul_to<T>(call, call.tensor(1), call.tensor(2), c, model);
    finish_output(c, out);
  });
}
void addbmm_run(Call& call) {
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    T* c = output_block<T>(*call.runtime, out);
    Gemm<T> model;
    model.alpha = number_as<T>(call.args[4]);
    model.accumulate = start_from<T>(call.tensor(0), number_as<T>(call.args[3]), is_zero(call.args[3]), c, out.sizes, 2);
    const TensorView a = as_compute<T>(*call.runtime, call.tensor(1)), b = as_compute<T>(*call.runtime, call.tensor(2));
    if (a.sizes[0] == 0 && !model.accumulate)
      for (int64_t i = 0; i < out.numel(); i++) c[i] = T(0);
    for (int64_t i = 0; i < a.sizes[0]; i++) {
      TensorView x = a, y = b;
      x.ndim = y.ndim = 2;
      x.data = a.ptr<T>() + i * a.strides[0];
      y.data = b.ptr<T>() + i * b.strides[0];
      for (int d = 0; d < 2; d++) {
        x.sizes[d] = a.sizes[d + 1];
        x.strides[d] = a.strides[d + 1];
        y.sizes[d] = b.sizes[d + 1];
        y.strides[d] = b.strides[d + 1];
      }
      batched_product<T>(*call.runtime, x, y, c, model);
      model.accumulate = true;
    }
    finish_output(c, out);
  });
}

TS_KERNEL(
  addmm,
  {.infer = addmm_infer, .run = add_run, .pack_arg = 2, .pack_bytes = pack_bytes_right<2>, .pack = pack_right<2>, .packed_only = true});
TS_KERNEL(addmv, {.infer = addmv_infer, .run = add_run});
TS_KERNEL(baddbmm, {.infer = baddbmm_infer, .run = add_run});
TS_KERNEL(addbmm, {.infer = addbmm_infer, .run = addbmm_run});

}  // namespace

// linear(input, weight [out, in], bias?): the weight is packed once, transposed.
void linear_infer(Call& call) {
  const TensorView &x = tensor_argument(call, 0, "linear", "input"), &w = tensor_argument(call, 1, "linear", "weight");
  const TensorView* bias = call.optional_tensor(2);
  if (w.ndim != 1 && w.ndim != 2) fail("linear(): argument 'weight' must be 1D or 2D, but got %dD", w.ndim);
  if (x.ndim == 0) fail("both arguments to linear need to be at least 1D, but they are %dD and %dD", x.ndim, w.ndim);
  check_dtypes("addmm_impl_cpu_", x, w);
  if (bias && bias->dtype != x.dtype)
    fail("self and mat2 must have the same dtype, but got %s and %s", dtype_torch_name(bias->dtype), dtype_torch_name(x.dtype));
  const int64_t in = w.sizes[w.ndim - 1], out = w.ndim == 2 ? w.sizes[0] : 1;
  if (x.sizes[x.ndim - 1] != in) {
    int64_t rows = 1;
    for (int d = 0; d + 1 < x.ndim; d++) rows *= x.sizes[d];
    fail("mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", ll(rows), ll(x.sizes[x.ndim - 1]), ll(in), ll(out));
  }
  int64_t sizes[kMaxDims];
  int ndim = x.ndim - 1;
  for (int d = 0; d < ndim; d++) sizes[d] = x.sizes[d];
  if (w.ndim == 2) sizes[ndim++] = out;
  if (bias) check_expands(*bias, sizes, ndim);
  call.set_output(0, x.dtype, sizes, ndim);
}
namespace {

void linear_with(Call& call, const TensorView* residual, Activation activation, bool subcubic) {
  const TensorView& out = call.outputs[0];
  const TensorView* bias = call.optional_tensor(2);
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    Runtime& runtime = *call.runtime;
    T* c = output_block<T>(runtime, out);
    Gemm<T> model;
    if (bias) {
      const bool row = bias->ndim == 1 && call.tensor(1).ndim == 2 && bias->sizes[0] == call.tensor(1).sizes[0];
      if (row) model.bias_n = stage<T>(runtime, *bias);
      else model.accumulate = start_from<T>(*bias, T(1), false, c, out.sizes, out.ndim);
    }
    TensorView x = as_compute<T>(runtime, call.tensor(0)), w = as_compute<T>(runtime, call.tensor(1));
    // [batch..., rows, in] x [in, out]
    if (x.ndim == 1) {
      x.sizes[1] = x.sizes[0];
      x.strides[1] = x.strides[0];
      x.sizes[0] = 1;
      x.strides[0] = 0;
      x.ndim = 2;
    }
    TensorView y = w;
    y.ndim = x.ndim;
    const int nb = x.ndim - 2;
    for (int d = 0; d < nb; d++) {
      y.sizes[d] = x.sizes[d];
      y.strides[d] = 0;
    }
    y.sizes[nb] = w.sizes[w.ndim - 1];
    y.strides[nb] = w.strides[w.ndim - 1];
    y.sizes[nb + 1] = w.ndim == 2 ? w.sizes[0] : 1;
    y.strides[nb + 1] = w.ndim == 2 ? w.strides[0] : 0;
    constexpr bool tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;
    if constexpr (tiles) {
      use_packed(model, call.packed, y.sizes[nb], y.sizes[nb + 1], subcubic);
      model.activation = activation;
    }
    if (residual) {
      if constexpr (tiles) {
        model.residual = stage<T>(runtime, *residual);
        batched_product<T>(runtime, x, y, c, model);
      } else {
        const T* sum = stage<T>(runtime, *residual);
        batched_product<T>(runtime, x, y, c, model);
        for (int64_t i = 0; i < out.numel(); i++) c[i] += sum[i];
      }
    } else {
      batched_product<T>(runtime, x, y, c, model);
    }
    if constexpr (!tiles) activate(c, out.numel(), activation);
    finish_output(c, out);
  });
}
void linear_run(Call& call) { linear_with(call, nullptr, Activation::None, false); }
template <bool Subcubic> size_t linear_pack_bytes(const Call& call) {
  if (call.args[1].kind != ArgKind::Tensor || call.tensor(1).ndim != 2) return 0;
  return pack_bytes_of(call.tensor(1), call.tensor(1).sizes[1], call.tensor(1).sizes[0], Subcubic);
}
template <bool Subcubic> void linear_pack(const Call& call, void* packed) {
  pack_weight(call.runtime, call.tensor(1), true, Subcubic, packed);
}
TS_KERNEL(linear, {.infer = linear_infer,
                   .run = linear_run,
                   .pack_arg = 1,
                   .pack_bytes = linear_pack_bytes<false>,
                   .pack = linear_pack<false>,
                   .packed_only = true});

}  // namespace

// linear(input, weight, bias?), then residual? and activation.
void linear_epilogue_infer(Call& call) { infer_epilogue(call, 3, 4, linear_infer); }
void linear_epilogue_run(Call& call) {
  run_epilogue(call, 3, 4, linear_infer,
               [](Call& inner, const TensorView* residual, Activation activation) { linear_with(inner, residual, activation, true); });
}

namespace {

TS_KERNEL(linear_epilogue, {.infer = linear_epilogue_infer,
                            .run = linear_epilogue_run,
                            .pack_arg = 1,
                            .pack_bytes = linear_pack_bytes<true>,
                            .pack = linear_pack<true>,
                            .packed_only = true});

// addmm(bias, mat1, mat2) seen in a shape, then residual? and activation.
void addmm_view_infer(Call& call) {
  const TensorView &a = tensor_argument(call, 1, "addmm", "mat1"), &b = tensor_argument(call, 2, "addmm", "mat2");
  if (a.ndim != 2) fail("mat1 must be a matrix, got %d-D tensor", a.ndim);
  if (b.ndim != 2) fail("mat2 must be a matrix, got %d-D tensor", b.ndim);
  add_infer(call, a, b, false);
  if (call.args[3].kind != ArgKind::IntList) return;
  const auto& shape = call.args[3].ints;
  const int64_t n = call.outputs[0].numel();
  if (shape.n > kMaxDims) fail("Expected a shape of at most %d dimensions but received %lld", kMaxDims, static_cast<long long>(shape.n));
  int64_t sizes[kMaxDims], known = 1;
  int unknown = -1;
  for (int d = 0; d < shape.n; d++) {
    sizes[d] = shape.p[d];
    if (sizes[d] == -1 && unknown < 0) unknown = d;
    else if (sizes[d] < 0) fail("invalid shape dimension %lld", static_cast<long long>(sizes[d]));
    else known *= sizes[d];
  }
  if (unknown >= 0) known *= sizes[unknown] = known > 0 ? n / known : 0;
  if (known != n) fail("shape is invalid for input of size %lld", static_cast<long long>(n));
  call.set_output(0, call.outputs[0].dtype, sizes, static_cast<int>(shape.n));
}
void addmm_epilogue_with(Call& call, const TensorView* residual, Activation activation) {
  const TensorView &out = call.outputs[0], &bias = call.tensor(0);
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    Runtime& runtime = *call.runtime;
    const TensorView x = as_compute<T>(runtime, call.tensor(1)), w = as_compute<T>(runtime, call.tensor(2));
    const int64_t sizes[2] = {x.sizes[0], w.sizes[1]};
    T* c = output_block<T>(runtime, out);
    Gemm<T> model;
    constexpr bool tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;
    if (tiles && bias.ndim == 1 && bias.sizes[0] == sizes[1]) model.bias_n = stage<T>(runtime, bias);
    else model.accumulate = start_from<T>(bias, T(1), false, c, sizes, 2);
    if constexpr (tiles) {
      use_packed(model, call.packed, w.sizes[0], w.sizes[1], true);
      model.activation = activation;
      if (residual) model.residual = stage<T>(runtime, *residual);
      batched_product<T>(runtime, x, w, c, model);
    } else {
      batched_product<T>(runtime, x, w, c, model);
      const T* sum = residual ? stage<T>(runtime, *residual) : nullptr;
      for (int64_t i = 0; sum && i < out.numel(); i++) c[i] += sum[i];
      activate(c, out.numel(), activation);
    }
    finish_output(c, out);
  });
}
void addmm_epilogue_infer(Call& call) { infer_epilogue(call, 4, 5, addmm_view_infer); }
void addmm_epilogue_run(Call& call) { run_epilogue(call, 4, 5, addmm_view_infer, addmm_epilogue_with); }
TS_KERNEL(addmm_epilogue, {.infer = addmm_epilogue_infer,
                           .run = addmm_epilogue_run,
                           .pack_arg = 2,
                           .pack_bytes = pack_bytes_right<2, true>,
                           .pack = pack_right<2, true>,
                           .packed_only = true});

}  // namespace
}  // namespace torchscript
