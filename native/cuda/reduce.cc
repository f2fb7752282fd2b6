// Reductions on the device: what the rows of cpu-avx/reduce.cc compute, by the kernels of reduce.cu.
#include "cuda/reduction.h"

#include <cmath>

namespace torchscript::cuda {
namespace {

const Arg kNone;
const Arg& arg_at(const Call& call, int i) { return i >= 0 && i < call.nargs ? call.args[i] : kNone; }
bool flag_at(const Call& call, int i) { return arg_at(call, i).as_int() != 0; }
ReducedDims dims_at(const Call& call, int i) { return reduced_dims(arg_at(call, i), call.tensor(0).ndim); }

bool takes(const Call& call) {
  const DType t = call.tensor(0).dtype;
  return is_wide_complex(t) || is_real(t) || t == DType::Bool || t == DType::U8 || t == DType::I8 || t == DType::I16 || t == DType::I32 || t == DType::I64;
}
bool takes_as(const Call& call, int dtype) {
  const Arg& arg = arg_at(call, dtype);
  return takes(call) && (arg.kind != ArgKind::Int || static_cast<DType>(arg.i) != DType::C32);
}
bool takes_ordered(const Call& call) { return takes(call) && !is_complex(call.tensor(0).dtype); }

// ---- sum, prod, nansum, mean, nanmean
template <ReduceOp op, int dims> void run_sum(Call& call) {
  const DType out = call.outputs[0].dtype, self = call.tensor(0).dtype;
  const bool cast = element_of(out) != element_of(self) || (is_complex(out) && out != self) || (out != self && !is_floating(out) && out != DType::I64);
  const Operand x(call, cast ? out : self);
  if (is_complex(out)) return reduce_complex_sum(call, x.view(), dims_at(call, dims), op == kReduceProd, false);
  const bool whole = element_of(x.view().dtype) == Element::I64;
  Reduction(call, x.view(), dims_at(call, dims)).into(0, op == kReduceNanSum && whole ? kReduceSum : op, {});
}
#define TS_SUM_ROW(name, op, dims, dtype) \
  TS_CUDA_KERNEL(name, {.run = run_sum<op, dims>, .accepts = [](const Call& call) { return takes_as(call, dtype); }})
TS_SUM_ROW(sum_all, kReduceSum, -1, 1);
TS_SUM_ROW(sum_dim, kReduceSum, 1, 3);
TS_SUM_ROW(prod_all, kReduceProd, -1, 1);
TS_SUM_ROW(prod_dim, kReduceProd, 1, 3);
TS_CUDA_KERNEL(nansum, {.run = run_sum<kReduceNanSum, 1>, .accepts = [](const Call& call) { return takes_ordered(call) && takes_as(call, 3); }});

template <int dims, bool skip_nan> void run_mean(Call& call) {
  const DType out = call.outputs[0].dtype, self = call.tensor(0).dtype;
  const Operand x(call, element_of(out) != element_of(self) || is_complex(out) ? out : self);
  const ReducedDims d = dims_at(call, dims);
  if (is_complex(out)) return reduce_complex_sum(call, x.view(), d, false, true);
  const Reduction r(call, x.view(), d);
  if (!skip_nan) return r.into(0, kReduceSum, {.what = kFinishDivide, .number = static_cast<double>(r.count())});
  const Scratch counts(x.view().device, static_cast<size_t>(r.accumulators_bytes()));
  r.into_memory(counts.ptr<void>(), kReduceNotNan, {});
  r.into(0, kReduceNanSum, {.what = kFinishDivideBy, .param = counts.ptr<void>()});
}
#define TS_MEAN_ROW(name, dims, dtype, skip) \
  TS_CUDA_KERNEL(name, {.run = run_mean<dims, skip>, .accepts = [](const Call& call) { return takes_as(call, dtype); }})
TS_MEAN_ROW(mean_all, -1, 1, false);
TS_MEAN_ROW(mean_dim, 1, 3, false);
TS_CUDA_KERNEL(nanmean, {.run = run_mean<1, true>, .accepts = [](const Call& call) { return takes_ordered(call) && takes_as(call, 3); }});

// ---- extremes
template <bool maximum, int dims> void run_extreme(Call& call) {
  const ReducedDims d = dims_at(call, dims);
  Reduction(call, call.tensor(0), d).into(0, maximum ? kReduceMax : kReduceMin, {});
}
TS_CUDA_KERNEL(amax, {.run = run_extreme<true, 1>, .accepts = takes_ordered});
TS_CUDA_KERNEL(amin, {.run = run_extreme<false, 1>, .accepts = takes_ordered});
TS_CUDA_KERNEL(max_all, {.run = run_extreme<true, -1>, .accepts = takes_ordered});
TS_CUDA_KERNEL(min_all, {.run = run_extreme<false, -1>, .accepts = takes_ordered});
TS_CUDA_KERNEL(aminmax, {.run =
                           [](Call& call) {
                             const ReducedDims d = dims_at(call, 1);
                             const Reduction r(call, call.tensor(0), d);
                             r.into(0, kReduceMin, {});
                             r.into(1, kReduceMax, {});
                           },
                         .accepts = takes_ordered});

// ---- any, all, count_nonzero
std::optional<ComplexSizes> truth_of(const Call& call) {
  if (!is_complex(call.tensor(0).dtype)) return std::nullopt;
  return std::optional<ComplexSizes>(std::in_place, call.tensor(0), true, call.runtime);
}
template <bool all, int dims> void run_logical(Call& call) {
  const Arg& list = arg_at(call, dims);
  // An empty list reduces nothing here.
  const ReducedDims d = list.kind == ArgKind::IntList && list.ints.n == 0 ? ReducedDims{} : dims_at(call, dims);
  const std::optional<ComplexSizes> truth = truth_of(call);
  const Reduction r(call, truth ? truth->view() : call.tensor(0), d);
  r.into(0, kReduceNonZero, {.what = all ? kFinishEqual : kFinishAny, .count = r.count()});
}
TS_CUDA_KERNEL(any_all, {.run = run_logical<false, -1>, .accepts = takes});
TS_CUDA_KERNEL(any_dim, {.run = run_logical<false, 1>, .accepts = takes});
TS_CUDA_KERNEL(all_all, {.run = run_logical<true, -1>, .accepts = takes});
TS_CUDA_KERNEL(all_dim, {.run = run_logical<true, 1>, .accepts = takes});
TS_CUDA_KERNEL(count_nonzero, {.run =
                                 [](Call& call) {
                                   const ReducedDims d = dims_at(call, 1);
                                   const std::optional<ComplexSizes> truth = truth_of(call);
                                   Reduction(call, truth ? truth->view() : call.tensor(0), d).into(0, kReduceNonZero, {});
                                 },
                               .accepts = takes});

// ---- norms
template <int p_at, int dims, int dtype> void run_norm(Call& call) {
  const double p = p_at >= 0 && !arg_at(call, p_at).is_none() ? arg_at(call, p_at).as_double() : 2;
  const DType self = call.tensor(0).dtype;
  const DType asked = arg_at(call, dtype).kind == ArgKind::Int ? static_cast<DType>(arg_at(call, dtype).i) : self;
  const Operand x(call, element_of(asked) != element_of(self) || is_complex(asked) ? asked : self);
  const ReducedDims d = dims_at(call, dims);
  std::optional<ComplexSizes> sizes;
  if (is_complex(asked)) sizes.emplace(x.view(), false, call.runtime);
  const Reduction r(call, sizes ? sizes->view() : x.view(), d);
  if (p == 2) r.into(0, kReduceSquareSum, {.what = kFinishRoot});
  else if (p == 1) r.into(0, kReduceAbsSum, {});
  else if (p == 0) r.into(0, kReduceNonZero, {});
  else if (std::isinf(p)) r.into(0, p > 0 ? kReduceAbsMax : kReduceAbsMin, {});
  else r.into(0, kReducePowSum, {.what = kFinishPower, .number = 1 / p, .exponent = p});
}
#define TS_NORM_ROW(name, p, dims, dtype) \
  TS_CUDA_KERNEL(name, {.run = run_norm<p, dims, dtype>, .accepts = [](const Call& call) { return takes_as(call, dtype); }})
TS_NORM_ROW(norm_all, 1, -1, -1);
TS_NORM_ROW(norm_all_dtype, 1, -1, 2);
TS_NORM_ROW(norm_dim, 1, 2, 4);
TS_NORM_ROW(vector_norm, 1, 2, 4);
TS_NORM_ROW(frobenius_norm, -1, 1, -1);

// ---- variances
template <int dims, int unbiased, int correction, bool root> void run_var(Call& call) {
  double less = 1;
  if (unbiased >= 0 && unbiased < call.nargs) less = flag_at(call, unbiased) ? 1 : 0;
  if (correction >= 0 && !arg_at(call, correction).is_none()) less = arg_at(call, correction).as_double();
  const ReducedDims d = dims_at(call, dims);
  if (is_complex(call.tensor(0).dtype)) return reduce_complex_variance(call, d, less, root);
  const Reduction r(call, call.tensor(0), d);
  const double n = static_cast<double>(r.count());
  const Scratch means(call.tensor(0).device, static_cast<size_t>(r.accumulators_bytes()));
  r.into_memory(means.ptr<void>(), kReduceSum, {.what = kFinishDivide, .number = n});
  r.into(0, kReduceSquareDeviation,
         {.what = root ? kFinishDivideRoot : kFinishDivide, .number = std::max(0.0, n - less), .param = means.ptr<void>()});
  if (call.noutputs > 1) r.into(1, kReduceSum, {.what = kFinishDivide, .number = n});
}
#define TS_VAR_ROW(name, ...) TS_CUDA_KERNEL(name, {.run = run_var<__VA_ARGS__>, .accepts = takes})
TS_VAR_ROW(var_all, -1, 1, -1, false);
TS_VAR_ROW(var_dim, 1, 2, -1, false);
TS_VAR_ROW(var_correction, 1, -1, 2, false);
TS_VAR_ROW(std_all, -1, 1, -1, true);
TS_VAR_ROW(std_dim, 1, 2, -1, true);
TS_VAR_ROW(std_correction, 1, -1, 2, true);
TS_VAR_ROW(var_mean_all, -1, 1, -1, false);
TS_VAR_ROW(var_mean_dim, 1, 2, -1, false);
TS_VAR_ROW(var_mean_correction, 1, -1, 2, false);
TS_VAR_ROW(std_mean_all, -1, 1, -1, true);
TS_VAR_ROW(std_mean_dim, 1, 2, -1, true);
TS_VAR_ROW(std_mean_correction, 1, -1, 2, true);

// ---- logsumexp
TS_CUDA_KERNEL(logsumexp, {.run =
                             [](Call& call) {
                               const Operand x(call, call.outputs[0].dtype);
                               const ReducedDims d = dims_at(call, 1);
                               if (is_complex(x.view().dtype)) return reduce_complex_logsumexp(call, d);
                               const Reduction r(call, x.view(), d);
                               // An infinite maximum is the result itself, not a shift.
                               const Scratch most(x.view().device, static_cast<size_t>(r.accumulators_bytes()));
                               r.into_memory(most.ptr<void>(), kReduceMax, {.what = kFinishZeroIfInfinite});
                               r.into(0, kReduceExpSum, {.what = kFinishLogPlus, .param = most.ptr<void>()});
                             },
                           .accepts = takes});

// ---- positions
// Along `dim`; -1: of all elements in order.
void run_index(Call& call, bool maximum, int dim, int values, int indices) {
  const TensorView& out = call.outputs[indices];
  if (out.numel() == 0) return;
  std::optional<DenseInput> flat;
  TensorView x = call.tensor(0);
  if (dim < 0) {
    flat.emplace(x, x.dtype, call.runtime);
    x = flat->view();
    x.sizes[0] = call.tensor(0).numel();
    x.strides[0] = 1;
    x.ndim = 1;
    dim = 0;
  } else if (x.ndim == 0) {
    x.ndim = 1;
    x.sizes[0] = x.strides[0] = 1;
  }
  ReduceIndexParams p;
  p.x = x.data;
  p.values = values >= 0 ? call.outputs[values].data : nullptr;
  p.indices = out.ptr<int64_t>();
  p.dtype = static_cast<int32_t>(x.dtype);
  p.maximum = maximum;
  p.n = x.sizes[dim];
  p.stride = x.strides[dim];
  int64_t sizes[kMaxDims], dense[kMaxDims], of_x[kMaxDims];
  int kept = 0;
  for (int d = 0; d < x.ndim; d++) {
    if (d == dim) continue;
    sizes[kept] = x.sizes[d];
    of_x[kept++] = x.strides[d];
  }
  int64_t stride = 1;
  for (int d = kept - 1; d >= 0; d--) {
    dense[d] = stride;
    stride *= sizes[d];
  }
  const int64_t* strides[] = {dense, of_x};
  if (!build_loop(p.kept, sizes, kept, strides, 2)) fail("More than 2^31 reductions are not supported on CUDA");
  const Groups g = groups_for(p.kept.n, p.n, p.stride != 1 && p.kept.n >= 32);
  const Element e = element_of(x.dtype);
  launch(x.device, call.runtime, e == Element::I64 ? "reduce_index_i64" : e == Element::F64 ? "reduce_index_f64" : "reduce_index_f32", g.grid,
         g.block, 0, p);
}
template <bool maximum> void run_arg(Call& call) {
  const TensorView& x = call.tensor(0);
  run_index(call, maximum, call.args[1].is_none() ? -1 : static_cast<int>(wrap_dim(call.args[1].i, x.ndim)), -1, 0);
}
template <bool maximum> void run_along(Call& call) {
  run_index(call, maximum, static_cast<int>(wrap_dim(call.args[1].as_int(), call.tensor(0).ndim)), 0, 1);
}
TS_CUDA_KERNEL(argmax, {.run = run_arg<true>, .accepts = takes_ordered});
TS_CUDA_KERNEL(argmin, {.run = run_arg<false>, .accepts = takes_ordered});
TS_CUDA_KERNEL(max_dim, {.run = run_along<true>, .accepts = takes_ordered});
TS_CUDA_KERNEL(min_dim, {.run = run_along<false>, .accepts = takes_ordered});

// ---- running folds, in float64 or int64
void run_scan(Call& call, ScanOp op) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (is_complex(out.dtype)) return scan_complex(call, op == kScanProd);
  const int64_t total = self.numel();
  if (total == 0) return;
  const bool whole = element_of(out.dtype) == Element::I64;
  TensorView wide = contiguous_like(self, whole ? DType::I64 : DType::F64);
  std::optional<Scratch> memory;
  const bool in_output = out.dtype == wide.dtype && out.is_contiguous();
  if (!in_output) memory.emplace(self.device, static_cast<size_t>(total * 8));
  wide.data = in_output ? out.data : memory->ptr<void>();
  if (self.dtype != out.dtype && whole && out.dtype != DType::I64) {
    const DenseInput narrow(self, out.dtype, call.runtime);  // wraps in the dtype asked for first
    copy_strided(wide, narrow.view(), call.runtime);
  } else {
    copy_strided(wide, self, call.runtime);
  }
  ScanParams p;
  p.data = wide.data;
  p.op = op;
  p.n = 1;
  if (self.ndim > 0) {
    const int64_t dim = wrap_dim(call.args[1].as_int(), self.ndim);
    p.n = self.sizes[dim];
    for (int d = static_cast<int>(dim) + 1; d < self.ndim; d++) p.inner *= self.sizes[d];
  }
  p.lines = total / p.n;
  Groups g = groups_for(p.lines, p.n, p.n < 64 || (p.inner > 1 && p.lines >= 1024));
  if (g.block.x != 1) {
    g.block = {256, 1};
    g.grid.x = static_cast<unsigned>(std::min<int64_t>(p.lines, INT32_MAX));
  }
  launch(self.device, call.runtime, whole ? "scan_i64" : "scan_f64", g.grid, g.block, 0, p);
  if (!in_output) copy_strided(out, wide, call.runtime);
}
bool takes_scan(const Call& call) { return takes_as(call, 2); }
TS_CUDA_KERNEL(cumsum, {.run = [](Call& call) { run_scan(call, kScanSum); }, .accepts = takes_scan});
TS_CUDA_KERNEL(cumprod, {.run = [](Call& call) { run_scan(call, kScanProd); }, .accepts = takes_scan});
TS_CUDA_KERNEL(logcumsumexp, {.run = [](Call& call) { run_scan(call, kScanLogSumExp); },
                              .accepts = [](const Call& call) { return takes_ordered(call) && takes_as(call, 2); }});

// ---- hash_tensor(self, dim, keepdim, mode): the exclusive or of floats as the bits of float64, and of integers
TS_CUDA_KERNEL(hash_tensor, {.run =
                               [](Call& call) {
                                 const DenseInput wide(call.tensor(0), is_floating(call.tensor(0).dtype) ? DType::F64 : DType::I64, call.runtime);
                                 TensorView bits = wide.view();
                                 bits.dtype = DType::I64;
                                 const ReducedDims d = dims_at(call, 1);
                                 Reduction(call, bits, d).into(0, kReduceXor, {});
                               },
                             .accepts = takes_ordered});

}  // namespace
}  // namespace torchscript::cuda
