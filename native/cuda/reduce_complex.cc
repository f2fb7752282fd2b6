// Reductions of complex tensors on the device: sums part by part, norms of magnitudes, products by a kernel of their own.
#include <cmath>

#include "cuda/kernels/segments_params.h"
#include "cuda/reduction.h"

namespace torchscript::cuda {
namespace {

size_t bytes_of(const TensorView& t, DType dtype) { return static_cast<size_t>(std::max<int64_t>(1, t.numel()) * dtype_size(dtype)); }
Arg tensor_arg(const TensorView& t) {
  Arg a;
  a.kind = ArgKind::Tensor;
  a.tensor = &t;
  return a;
}
Arg whole_arg(int64_t i) {
  Arg a;
  a.kind = ArgKind::Int;
  a.i = i;
  return a;
}

// The kept dimensions first, then those that go.
TensorView gone_last(const TensorView& t, const ReducedDims& dims) {
  TensorView v = t;
  int at = 0;
  for (const bool gone : {false, true}) {
    for (int d = 0; d < t.ndim; d++)
      if (dims.reduced[d] == gone) v.sizes[at] = t.sizes[d], v.strides[at++] = t.strides[d];
  }
  return v;
}

}  // namespace

void reduce_complex_sum(Call& call, const TensorView& self, const ReducedDims& dims, bool product, bool mean) {
  const TensorView& out = call.outputs[0];
  if (!product) {
    for (int part = 0; part < 2; part++) {
      const TensorView x = part_of(self, part);
      const Reduction r(call, x, dims);
      r.into_view(part_of(out, part), kReduceSum, {.what = mean ? kFinishDivide : kFinishNone, .number = static_cast<double>(r.count())});
    }
    return;
  }
  if (out.numel() == 0) return;
  const DenseInput x(gone_last(self, dims), DType::C128, call.runtime);
  TensorView made = contiguous_like(out, DType::C128);
  const Scratch memory(out.device, bytes_of(out, DType::C128));
  made.data = memory.ptr<void>();
  ComplexFoldParams p;
  p.x = x.data();
  p.out = made.data;
  p.outer = out.numel();
  p.n = self.numel() / p.outer;
  launch(out.device, call.runtime, "product_c128", {static_cast<unsigned>(std::min<int64_t>((p.outer + 3) / 4, INT32_MAX))}, {32, 4}, 0, p);
  copy_strided(out, made, call.runtime);
}

ComplexSizes::ComplexSizes(const TensorView& self, bool truth, Runtime* runtime) : memory_(self.device, bytes_of(self, DType::F64)), view_(self) {
  view_ = contiguous_like(self, truth ? DType::Bool : self.dtype == DType::C128 ? DType::F64 : DType::F32);
  view_.data = memory_.ptr<void>();
  if (self.numel() == 0) return;
  const Arg x = tensor_arg(self), zero = whole_arg(0);
  const Arg* operands[] = {&x, &zero};
  run_pointwise_to(runtime, view_, truth ? PointwiseId::ne : PointwiseId::abs, operands);
}

void reduce_complex_variance(Call& call, const ReducedDims& dims, double less, bool root) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  TensorView sum = contiguous_like(out, out.dtype);
  const Scratch memory(out.device, bytes_of(out, out.dtype));
  sum.data = memory.ptr<void>();
  for (int part = 0; part < 2; part++) {
    const TensorView x = part_of(self, part);
    const Reduction r(call, x, dims);
    const double n = static_cast<double>(r.count());
    const Scratch means(self.device, static_cast<size_t>(r.accumulators_bytes()));
    r.into_memory(means.ptr<void>(), kReduceSum, {.what = kFinishDivide, .number = n});
    r.into_view(part == 0 ? sum : out, kReduceSquareDeviation,
                {.what = kFinishDivide, .number = std::max(0.0, n - less), .param = means.ptr<void>()});
    if (call.noutputs > 1) r.into_view(part_of(call.outputs[1], part), kReduceSum, {.what = kFinishDivide, .number = n});
  }
  if (out.numel() == 0) return;
  const Arg a = tensor_arg(sum), b = tensor_arg(out), one = whole_arg(1);
  const Arg* operands[] = {&a, &b, &one};
  run_pointwise_to(call.runtime, out, PointwiseId::add, operands);
  if (root) run_pointwise_to(call.runtime, out, PointwiseId::sqrt, &operands[1]);
}

void reduce_complex_logsumexp(Call& call, const ReducedDims& dims) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  TensorView powers = contiguous_like(self, DType::C128);
  const Scratch memory(self.device, bytes_of(self, DType::C128));
  powers.data = memory.ptr<void>();
  const DenseInput wide(self, DType::C128, call.runtime);
  const Arg x = tensor_arg(wide.view());
  const Arg* of_x[] = {&x};
  if (self.numel() > 0) run_pointwise_to(call.runtime, powers, PointwiseId::exp, of_x);
  TensorView sums = contiguous_like(out, DType::C128);
  const Scratch room(out.device, bytes_of(out, DType::C128));
  sums.data = room.ptr<void>();
  for (int part = 0; part < 2; part++) {
    const TensorView p = part_of(powers, part);
    Reduction(call, p, dims).into_view(part_of(sums, part), kReduceSum, {});
  }
  if (out.numel() == 0) return;
  const Arg s = tensor_arg(sums);
  const Arg* of_s[] = {&s};
  run_pointwise_to(call.runtime, sums, PointwiseId::log, of_s);
  copy_strided(out, sums, call.runtime);
}

void scan_complex(Call& call, bool product) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (self.numel() == 0) return;
  TensorView wide = contiguous_like(self, DType::C128);
  const Scratch memory(self.device, bytes_of(self, DType::C128));
  wide.data = memory.ptr<void>();
  const DenseInput asked(self, out.dtype, call.runtime);
  copy_strided(wide, asked.view(), call.runtime);
  ComplexFoldParams p;
  p.x = wide.data;
  p.n = 1;
  if (self.ndim > 0) {
    const int64_t dim = wrap_dim(call.args[1].as_int(), self.ndim);
    p.n = self.sizes[dim];
    for (int d = static_cast<int>(dim) + 1; d < self.ndim; d++) p.inner *= self.sizes[d];
  }
  p.outer = self.numel() / p.n / p.inner;
  launch(self.device, call.runtime, product ? "running_product_c128" : "running_sum_c128", {grid_for(self.device, p.outer * p.inner, 64)}, {64}, 0, p);
  copy_strided(out, wide, call.runtime);
}

}  // namespace torchscript::cuda
