// segment_reduce, frexp, linspace, logspace, float_power, embedding_renorm, histogram and repeat_interleave of many counts on the device.
#include "cuda/kernels/segments_params.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "cpu-avx/reduce_driver.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

size_t bytes_of(const TensorView& t, DType dtype) { return static_cast<size_t>(std::max<int64_t>(1, t.numel()) * dtype_size(dtype)); }
// Memory of `dtype` without gaps, shaped as a tensor.
class Temporary {
 public:
  Temporary(const TensorView& like, DType dtype) : memory_(like.device, bytes_of(like, dtype)), view_(contiguous_like(like, dtype)) {
    view_.data = memory_.ptr<void>();
  }
  const TensorView& view() const { return view_; }
  template <class T> T* ptr() const { return static_cast<T*>(view_.data); }

 private:
  Scratch memory_;
  TensorView view_;
};

// ---- segment_reduce(data, reduce, lengths, indices, offsets, axis, unsafe, initial). Segments beyond the axis are a fault.
void run_segments(Call& call) {
  const TensorView &data = call.tensor(0), &out = call.outputs[0];
  const std::string_view reduce(call.args[1].str.p, static_cast<size_t>(call.args[1].str.n));
  SegmentParams p;
  if (reduce == "sum") p.op = kSegmentSum;
  else if (reduce == "mean") p.op = kSegmentMean;
  else if (reduce == "max") p.op = kSegmentMax;
  else if (reduce == "min") p.op = kSegmentMin;
  else if (reduce == "prod") p.op = kSegmentProd;
  else fail("unsupported reduction '%.*s'", static_cast<int>(reduce.size()), reduce.data());
  if (out.numel() == 0) return;
  p.offsets = call.optional_tensor(2) == nullptr;
  const DenseInput lengths(*call.optional_tensor(p.offsets ? 4 : 2), DType::I64, call.runtime), x(data, DType::F64, call.runtime);
  const Temporary result(out, DType::F64);
  const int64_t axis = wrap_dim(call.args[5].as_int(), data.ndim);
  for (int64_t d = 0; d < axis; d++) p.outer *= data.sizes[d];
  for (int64_t d = axis + 1; d < data.ndim; d++) p.inner *= data.sizes[d];
  p.n = data.sizes[axis];
  p.count = out.sizes[axis];
  p.x = static_cast<const double*>(x.data());
  p.out = result.ptr<double>();
  p.lengths = static_cast<const int64_t*>(lengths.data());
  const Scratch bounds(out.device, static_cast<size_t>(p.outer * (p.count + 1)) * 8);
  p.bounds = bounds.ptr<int64_t>();
  p.given = call.nargs > 7 && call.args[7].is_number();
  p.initial = p.given                ? call.args[7].as_double()
              : p.op == kSegmentMax  ? -INFINITY
              : p.op == kSegmentMin  ? INFINITY
              : p.op == kSegmentProd ? 1
                                     : 0;
  p.fault = enter(out.device).fault;
  p.name = reinterpret_cast<uint64_t>("segment_reduce");
  launch(out.device, call.runtime, "segment_bounds", {grid_for(out.device, p.outer, 64)}, {64}, 0, p);
  launch(out.device, call.runtime, "segment_fold", {grid_for(out.device, out.numel(), 128)}, {128}, 0, p);
  copy_strided(out, result.view(), call.runtime);
}
TS_CUDA_KERNEL(segment_reduce, {.run = run_segments});

// ---- frexp(self)
void run_frexp(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const Temporary wide(self, DType::F64), exponents(self, DType::I32);
  copy_strided(wide.view(), self, call.runtime);
  FrexpParams p;
  p.x = wide.ptr<double>();
  p.exponents = exponents.ptr<int32_t>();
  p.n = self.numel();
  launch(self.device, call.runtime, "frexp_f64", {grid_for(self.device, p.n, 256)}, {256}, 0, p);
  copy_strided(call.outputs[0], wide.view(), call.runtime);
  copy_strided(call.outputs[1], exponents.view(), call.runtime);
}
TS_CUDA_KERNEL(frexp, {.run = run_frexp});

// ---- linspace(start, end, steps, dtype), logspace(start, end, steps, base, dtype): the bounds may be tensors
NumberParam number_param(const Arg& arg) {
  NumberParam p;
  if (arg.kind == ArgKind::Tensor) {
    p.data = arg.tensor->data;
    p.dtype = static_cast<int32_t>(arg.tensor->dtype);
  } else {
    p.re = arg.as_double();
    p.im = arg.kind == ArgKind::Complex ? arg.c.im : 0;
  }
  return p;
}
template <bool logarithmic> void run_space(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  SpaceParams p;
  p.complex = is_complex(out.dtype);
  const Temporary values(out, p.complex ? DType::C128 : DType::F64);
  p.out = values.ptr<void>();
  p.start = number_param(call.args[0]);
  p.end = number_param(call.args[1]);
  p.n = out.numel();
  p.logarithmic = logarithmic;
  if (logarithmic) p.base = call.args[3].as_double();
  p.whole = is_integral(out.dtype);
  launch(out.device, call.runtime, "space_fill", {grid_for(out.device, p.n, 128)}, {128}, 0, p);
  copy_strided(out, values.view(), call.runtime);
}
TS_CUDA_KERNEL(linspace, {.run = run_space<false>});
TS_CUDA_KERNEL(logspace, {.run = run_space<true>});

// ---- float_power(self, exponent): in float64 or complex128
void run_float_power(Call& call) {
  Arg args[2];
  const Arg* list[2] = {&args[0], &args[1]};
  std::optional<DenseInput> wide[2];
  for (int i = 0; i < 2; i++) {
    args[i] = call.args[i];
    if (args[i].kind != ArgKind::Tensor) continue;
    wide[i].emplace(*args[i].tensor, call.outputs[0].dtype, call.runtime);
    args[i].tensor = &wide[i]->view();
  }
  run_pointwise_to(call.runtime, call.outputs[0], PointwiseId::pow_of, list);
}
TS_CUDA_KERNEL(float_power, {.run = run_float_power});

// ---- embedding_renorm(self, indices, max_norm, norm_type)
void run_renorm(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.data != call.tensor(0).data) copy_strided(out, call.tensor(0), call.runtime);
  const DenseInput index(call.tensor(1), DType::I64, call.runtime);
  RenormParams p;
  p.count = index.view().numel();
  p.rows = out.sizes[0];
  p.columns = out.sizes[1];
  if (p.count == 0) return;
  TensorView marks = out;
  marks.ndim = 1;
  const Temporary marked(marks, DType::I32);
  const int32_t zero = 0;
  fill_dense(marked.view(), &zero, call.runtime);
  p.table = out.data;
  p.dtype = static_cast<int32_t>(out.dtype);
  p.marks = marked.ptr<int32_t>();
  p.index = static_cast<const int64_t*>(index.data());
  p.row_stride = out.strides[0];
  p.column_stride = out.strides[1];
  p.limit = call.args[2].as_double();
  p.exponent = call.args[3].as_double();
  p.fault = enter(out.device).fault;
  p.name = reinterpret_cast<uint64_t>("embedding_renorm_");
  launch(out.device, call.runtime, "renorm_mark", {grid_for(out.device, p.count, 256)}, {256}, 0, p);
  if (p.rows == 0) return;
  const Groups g = groups_for(p.rows, std::max<int64_t>(p.columns, 32), false);
  launch(out.device, call.runtime, "renorm_rows", g.grid, g.block, 0, p);
}
TS_CUDA_KERNEL(embedding_renorm, {.run = run_renorm, .in_place = true, .accepts = [](const Call& call) { return is_real(call.tensor(0).dtype); }});

// ---- histogram(self, bins, range, weight, density), or (self, edges, weight, density). A range of the data that is not finite is not seen here.
void run_histogram(Call& call) {
  const TensorView &self = call.tensor(0), &counts = call.outputs[0], &edges = call.outputs[1];
  const TensorView* given = call.optional_tensor(1);
  const int first = given ? 2 : 3;
  const TensorView* weight = call.optional_tensor(first);
  WeighedBinsParams p;
  p.n = self.numel();
  p.bins = counts.sizes[0];
  if (weight && weight->numel() != p.n)
    fail("torch.histogram(): if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension");
  const bool is_double = self.dtype == DType::F64;
  const DenseInput x(self, self.dtype, call.runtime);
  std::optional<DenseInput> weights;
  if (weight) weights.emplace(*weight, self.dtype, call.runtime);
  p.x = x.data();
  p.weights = weights ? weights->data() : nullptr;
  p.counts = counts.data;
  p.edges = edges.data;
  if (given) {
    copy_strided(edges, *given, call.runtime);
  } else {
    const Arg& range = call.args[2];
    if (!range.is_none()) {
      if (range.floats.n != 2)
        fail("torch.histogram(): for a 1-dimensional histogram range should have 2 elements, but got %lld", static_cast<long long>(range.floats.n));
      p.low = range.floats.p[0];
      p.high = range.floats.p[1];
      p.ranged = 1;
      if (!std::isfinite(p.low) || !std::isfinite(p.high)) fail("torch.histogram: range of [%g, %g] is not finite", p.low, p.high);
      if (p.low > p.high) fail("torch.histogram: min should not exceed max, but got min %g max %g for dimension 0", p.low, p.high);
    }
    launch(self.device, call.runtime, is_double ? "histogram_edges_f64" : "histogram_edges_f32", {1}, {256}, 0, p);
  }
  if (p.bins == 0) return;
  const uint64_t zero = 0;
  fill_dense(counts, &zero, call.runtime);
  if (p.n > 0)
    launch(self.device, call.runtime, is_double ? "histogram_count_f64" : "histogram_count_f32", {grid_for(self.device, p.n, 256)}, {256}, 0, p);
  if (call.args[first + 1].b)
    launch(self.device, call.runtime, is_double ? "histogram_density_f64" : "histogram_density_f32", {1}, {256}, 0, p);
}
TS_CUDA_KERNEL(histogram, {.run = run_histogram});

}  // namespace
}  // namespace torchscript::cuda
