// cdist, pdist, isin and bincount on the device.
#include "cpu-avx/create.h"
#include "cuda/kernels/distance_params.h"
#include "cuda/rows.h"
#include "cuda/select.h"
#include "cuda/sort.h"

namespace torchscript::cuda {
namespace {

bool is_wide(DType t) { return t == DType::F32 || t == DType::F64; }
bool is_counted(DType t) { return t == DType::U8 || t == DType::I8 || t == DType::I16 || t == DType::I32 || t == DType::I64; }

// ---- cdist(x1, x2, p, compute_mode), pdist(self, p): differences are squared as they are, whatever compute_mode says

void run_distances(Call& call, const DistanceParams& given, DType dtype) {
  DistanceParams p = given;
  const TensorView& result = call.outputs[0];
  DenseOutput out(result);
  p.out = out.data();
  p.n = result.numel();
  const Groups g = groups_for(p.n, p.width, false);
  launch(result.device, call.runtime, dtype == DType::F64 ? "distance_f64" : "distance_f32", g.grid, g.block, 0, p);
  out.finish(call.runtime);
}
void run_cdist(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int n = out.ndim;
  DistanceParams p;
  p.rows = out.sizes[n - 2];
  p.columns = out.sizes[n - 1];
  p.width = call.tensor(0).sizes[call.tensor(0).ndim - 1];
  p.p = call.args[2].as_double();
  int64_t sizes[kMaxDims];
  std::copy(out.sizes, out.sizes + n, sizes);
  sizes[n - 1] = p.width;
  const DenseInput x(repeated_to(call.tensor(0), sizes, n), out.dtype, call.runtime);
  sizes[n - 2] = p.columns;
  const DenseInput y(repeated_to(call.tensor(1), sizes, n), out.dtype, call.runtime);
  p.x = x.data();
  p.y = y.data();
  run_distances(call, p, out.dtype);
}
void run_pdist(Call& call) {
  if (call.outputs[0].numel() == 0) return;
  const TensorView& self = call.tensor(0);
  const DenseInput x(self, self.dtype, call.runtime);
  DistanceParams p;
  p.rows = self.sizes[0];
  p.width = self.sizes[1];
  p.pairs = 1;
  p.p = call.args[1].as_double();
  p.x = p.y = x.data();
  run_distances(call, p, self.dtype);
}
bool takes_wide(const Call& call) { return is_wide(call.tensor(0).dtype); }
TS_CUDA_KERNEL(cdist, {.run = run_cdist, .accepts = takes_wide});
TS_CUDA_KERNEL(pdist, {.run = run_pdist, .accepts = takes_wide});

// ---- isin(elements, test_elements, assume_unique, invert)

DType dtype_of(const Arg& arg) {
  return arg.kind == ArgKind::Tensor  ? arg.tensor->dtype
         : arg.kind == ArgKind::Float ? DType::F64
         : arg.kind == ArgKind::Bool  ? DType::Bool
                                      : DType::I64;
}
// The argument as a dense vector: a tensor's elements, or one number.
class Elements {
 public:
  Elements(const Arg& arg, DType dtype, int device, Runtime* runtime) {
    if (arg.kind == ArgKind::Tensor) {
      dense_.emplace(*arg.tensor, dtype, runtime);
      view_ = dense_->view();
      view_.sizes[0] = arg.tensor->numel();
    } else {
      memory_.emplace(device, 8);
      view_.data = memory_->ptr<void>();
      view_.dtype = dtype;
      view_.device = static_cast<decltype(view_.device)>(device);
      view_.sizes[0] = 1;
    }
    view_.ndim = 1;
    view_.strides[0] = 1;
    if (arg.kind == ArgKind::Tensor) return;
    alignas(16) char element[16] = {};
    write_element(arg, dtype, element);
    fill_dense(view_, element, runtime);
  }
  const TensorView& view() const { return view_; }

 private:
  TensorView view_;
  std::optional<DenseInput> dense_;
  std::optional<Scratch> memory_;
};
void run_isin(Call& call) {
  const TensorView& result = call.outputs[0];
  if (result.numel() == 0) return;
  const DType dtype = is_floating(dtype_of(call.args[0])) || is_floating(dtype_of(call.args[1])) ? DType::F64 : DType::I64;
  const Elements x(call.args[0], dtype, result.device, call.runtime), among(call.args[1], dtype, result.device, call.runtime);
  DenseOutput out(result);
  MemberParams p;
  p.out = static_cast<uint8_t*>(out.data());
  p.x = x.view().data;
  p.among = among.view().data;
  p.n = result.numel();
  p.m = among.view().sizes[0];
  p.inverts = call.args[3].b;
  std::optional<SortedLines> sorted;
  if (p.m > 0) sorted.emplace(among.view(), sort_lines_of(among.view(), 0), false, call.runtime);
  p.order = sorted ? sorted->order() : nullptr;
  launch(result.device, call.runtime, dtype == DType::F64 ? "member_f64" : "member_i64", {grid_for(result.device, p.n, 256)}, {256}, 0, p);
  out.finish(call.runtime);
}
bool takes_isin(const Call& call) {
  for (int i = 0; i < 2; i++) {
    const DType t = dtype_of(call.args[i]);
    if (call.args[i].kind == ArgKind::Complex || (!is_real(t) && !is_counted(t) && t != DType::Bool)) return false;
  }
  return true;
}
TS_CUDA_KERNEL(isin, {.run = run_isin, .accepts = takes_isin});

// ---- bincount(self, weights, minlength)

void infer_bincount(Call& call) {
  const TensorView &self = call.tensor(0), *weights = call.optional_tensor(1);
  int64_t n = call.args[2].as_int();
  if (n < 0) fail("minlength should be >= 0");
  if (self.ndim != 1) fail("bincount only supports 1-d non-negative integral inputs.");
  if (weights && (weights->ndim != 1 || weights->numel() != self.numel())) fail("weights should be 1-d and have the same length as input");
  if (self.numel() > 0) {
    const DenseInput x(self, DType::I64, call.runtime);
    const Scratch range(self.device, 16);
    int64_t found[2];
    const int64_t* data = static_cast<const int64_t*>(x.data());
    const int64_t count = self.numel();
    int64_t* to = range.ptr<int64_t>();
    launch(self.device, call.runtime, "count_range", {1}, {256}, 0, data, count, to);
    accelerator()->copy_out(self.device, found, to, sizeof found);
    if (found[0] < 0) fail("bincount only supports 1-d non-negative integral inputs.");
    n = std::max(n, found[1] + 1);
  }
  call.set_output(0, !weights ? DType::I64 : weights->dtype == DType::F32 ? DType::F32 : DType::F64, &n, 1);
}
void run_bincount(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0], *weights = call.optional_tensor(1);
  if (out.numel() == 0) return;
  const uint64_t zero[2] = {};
  fill_dense(out, zero, call.runtime);
  if (self.numel() == 0) return;
  const DenseInput x(self, DType::I64, call.runtime);
  std::optional<DenseInput> w;
  if (weights) w.emplace(*weights, out.dtype, call.runtime);
  CountParams p;
  p.counts = out.data;
  p.x = static_cast<const int64_t*>(x.data());
  p.weights = w ? w->data() : nullptr;
  p.n = self.numel();
  launch(self.device, call.runtime, out.dtype == DType::F64 ? "count_f64" : out.dtype == DType::F32 ? "count_f32" : "count_i64",
         {grid_for(self.device, p.n, 256)}, {256}, 0, p);
}
TS_CUDA_KERNEL(bincount, {.infer = infer_bincount,
                          .run = run_bincount,
                          .data_dependent = true,
                          .accepts = [](const Call& call) { return is_counted(call.tensor(0).dtype); },
                          .waits = true});

}  // namespace
}  // namespace torchscript::cuda
