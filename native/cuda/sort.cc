// sort, argsort, topk, kthvalue, median, mode and quantiles on the device. Of equal values the first comes first, in topk and kthvalue too.
#include "cuda/sort.h"

#include <cmath>
#include <string_view>

#include "cuda/kernels/sort_params.h"

namespace torchscript::cuda {
namespace {

size_t keys_bytes(const TensorView& x) { return static_cast<size_t>(std::max<int64_t>(1, x.numel()) * (dtype_size(x.dtype) == 8 ? 8 : 4)); }

}  // namespace

SortLines sort_lines_of(const TensorView& v, int64_t dim) {
  SortLines lines;
  if (v.ndim == 0) return lines;
  const int64_t at = dim < 0 ? dim + v.ndim : dim;
  lines.size = v.sizes[at];
  for (int64_t d = at + 1; d < v.ndim; d++) lines.inner *= v.sizes[d];
  lines.count = lines.inner;
  for (int64_t d = 0; d < at; d++) lines.count *= v.sizes[d];
  return lines;
}

bool is_sortable(DType t) {
  return is_real(t) || t == DType::Bool || t == DType::U8 || t == DType::I8 || t == DType::I16 || t == DType::I32 || t == DType::I64;
}

SortedLines::SortedLines(const TensorView& dense, const SortLines& lines, bool descending, Runtime* runtime)
    : keys_(dense.device, 2 * keys_bytes(dense)), positions_(dense.device, 2 * static_cast<size_t>(std::max<int64_t>(1, dense.numel())) * 4) {
  const int64_t total = lines.count * lines.size;
  if (lines.size > INT32_MAX) fail("Sorting of 2^31 elements or more is not supported on CUDA");
  order_ = positions_.ptr<int32_t>();
  if (total == 0) return;
  char* keys[2] = {keys_.ptr<char>(), keys_.ptr<char>() + keys_bytes(dense)};
  int32_t* order[2] = {order_, order_ + total};
  const bool wide = dtype_size(dense.dtype) == 8;
  SortParams p;
  p.x = dense.data;
  p.dtype = static_cast<int32_t>(dense.dtype);
  p.descending = descending;
  p.lines = lines.count;
  p.n = lines.size;
  p.inner = lines.inner;
  p.keys = keys[0];
  p.order = order[0];
  const int64_t runs = lines.count * ((lines.size + kSortRun - 1) / kSortRun);
  const auto threads = static_cast<unsigned>(std::clamp<int64_t>((lines.size + 31) / 32 * 32, 32, 256));
  launch(dense.device, runtime, wide ? "sort_runs_64" : "sort_runs_32", {static_cast<unsigned>(std::min<int64_t>(runs, 65535))}, {threads}, 0, p);
  int now = 0;
  for (p.run = kSortRun; p.run < lines.size; p.run *= 2) {
    p.from_keys = keys[now];
    p.from_order = order[now];
    now = 1 - now;
    p.keys = keys[now];
    p.order = order[now];
    launch(dense.device, runtime, wide ? "sort_merge_64" : "sort_merge_32", {grid_for(dense.device, total, 256)}, {256}, 0, p);
  }
  order_ = order[now];
}

namespace {

// The first `taken` of each sorted line from `first` on; values may be null.
void take(Call& call, int64_t dim, bool descending, int64_t first, int64_t taken, const TensorView* values, const TensorView& indices) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0 || taken == 0) return;
  const SortLines lines = sort_lines_of(self, dim);
  const DenseInput x(self, self.dtype, call.runtime);
  const SortedLines sorted(x.view(), lines, descending, call.runtime);
  std::optional<DenseOutput> of_values;
  if (values) of_values.emplace(*values);
  DenseOutput of_indices(indices);
  SortedTakeParams p;
  p.x = x.data();
  p.order = sorted.order();
  p.values = of_values ? of_values->data() : nullptr;
  p.indices = static_cast<int64_t*>(of_indices.data());
  p.lines = lines.count;
  p.n = lines.size;
  p.inner = lines.inner;
  p.first = first;
  p.taken = taken;
  p.size = static_cast<int32_t>(dtype_size(self.dtype));
  launch(self.device, call.runtime, "sorted_take", {grid_for(self.device, lines.count * taken, 256)}, {256}, 0, p);
  if (of_values) of_values->finish(call.runtime);
  of_indices.finish(call.runtime);
}
int64_t length_of(const TensorView& t, int64_t dim) { return sort_lines_of(t, dim).size; }

// dim and descending are arguments `dim` and `dim + 1`.
template <int dim, bool with_values> void run_sort(Call& call) {
  take(call, call.args[dim].i, call.args[dim + 1].b, 0, length_of(call.tensor(0), call.args[dim].i), with_values ? &call.outputs[0] : nullptr,
       call.outputs[with_values ? 1 : 0]);
}
bool takes(const Call& call) { return call.args[0].kind == ArgKind::Tensor && is_sortable(call.tensor(0).dtype); }
TS_CUDA_KERNEL(sort, {.run = run_sort<1, true>, .accepts = takes});
TS_CUDA_KERNEL(sort_stable, {.run = run_sort<2, true>, .accepts = takes});
TS_CUDA_KERNEL(argsort, {.run = run_sort<1, false>, .accepts = takes});
TS_CUDA_KERNEL(argsort_stable, {.run = run_sort<2, false>, .accepts = takes});
// (self, k, dim, largest, sorted)
TS_CUDA_KERNEL(topk, {.run = [](Call& call) { take(call, call.args[2].i, call.args[3].b, 0, call.args[1].i, &call.outputs[0], call.outputs[1]); },
                      .accepts = takes});
// (self, k, dim, keepdim)
TS_CUDA_KERNEL(kthvalue, {.run = [](Call& call) { take(call, call.args[2].i, false, call.args[1].i - 1, 1, &call.outputs[0], call.outputs[1]); },
                          .accepts = takes});

void pick(Call& call, SortedPick what, bool all) {
  const TensorView& self = call.tensor(0);
  SortLines lines;
  lines.size = self.numel();
  if (!all) lines = sort_lines_of(self, call.args[1].i);
  if (self.numel() == 0) {
    if (!all) return;
    // The median of nothing.
    double nothing[2] = {};
    if (self.dtype == DType::F64) nothing[0] = NAN;
    else if (self.dtype == DType::I64) reinterpret_cast<int64_t*>(nothing)[0] = INT64_MIN;
    else if (self.dtype == DType::F32) reinterpret_cast<float*>(nothing)[0] = NAN;
    else if (self.dtype == DType::F16) reinterpret_cast<uint16_t*>(nothing)[0] = 0x7e00;
    else if (self.dtype == DType::BF16) reinterpret_cast<uint16_t*>(nothing)[0] = 0x7fc0;
    return fill_dense(call.outputs[0], nothing, call.runtime);
  }
  const DenseInput x(self, self.dtype, call.runtime);
  const SortedLines sorted(x.view(), lines, false, call.runtime);
  DenseOutput values(call.outputs[0]);
  std::optional<DenseOutput> indices;
  if (!all) indices.emplace(call.outputs[1]);
  SortedPickParams p;
  p.x = x.data();
  p.order = sorted.order();
  p.values = values.data();
  p.indices = indices ? static_cast<int64_t*>(indices->data()) : nullptr;
  p.lines = lines.count;
  p.n = lines.size;
  p.inner = lines.inner;
  p.dtype = static_cast<int32_t>(self.dtype);
  p.pick = what;
  launch(self.device, call.runtime, "sorted_pick", {grid_for(self.device, lines.count, 256)}, {256}, 0, p);
  values.finish(call.runtime);
  if (indices) indices->finish(call.runtime);
}
TS_CUDA_KERNEL(median_dim, {.run = [](Call& call) { pick(call, kPickMedian, false); }, .accepts = takes});
TS_CUDA_KERNEL(nanmedian_dim, {.run = [](Call& call) { pick(call, kPickNanMedian, false); }, .accepts = takes});
TS_CUDA_KERNEL(median_all, {.run = [](Call& call) { pick(call, kPickMedian, true); }, .accepts = takes});
TS_CUDA_KERNEL(nanmedian_all, {.run = [](Call& call) { pick(call, kPickNanMedian, true); }, .accepts = takes});
TS_CUDA_KERNEL(mode, {.run = [](Call& call) { pick(call, kPickMode, false); }, .accepts = takes});

// (self, q, dim, keepdim, interpolation). Points outside of [0, 1] in a tensor give NaN, since nothing waits for them.
template <bool skip> void run_quantile(Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView* points = call.optional_tensor(1);
  if (!points && !(call.args[1].as_double() >= 0 && call.args[1].as_double() <= 1)) fail("quantile() q values must be in the range [0, 1]");
  if (call.outputs[0].numel() == 0) return;
  SortLines lines;
  lines.size = self.numel();
  if (!call.args[2].is_none()) lines = sort_lines_of(self, call.args[2].i);
  const DenseInput x(self, self.dtype, call.runtime);
  const SortedLines sorted(x.view(), lines, false, call.runtime);
  DenseOutput out(call.outputs[0]);
  QuantileParams p;
  p.x = x.data();
  p.order = sorted.order();
  p.out = out.data();
  p.points = points ? points->data : nullptr;
  p.point = call.args[1].as_double();
  p.count = points ? points->numel() : 1;
  p.points_stride = points && points->ndim == 1 ? points->strides[0] : 1;
  p.lines = lines.count;
  p.n = lines.size;
  p.inner = lines.inner;
  p.skip = skip;
  const std::string_view how(call.args[4].str.p, static_cast<size_t>(call.args[4].str.n));
  p.method = how == "lower"      ? kQuantileLower
             : how == "higher"   ? kQuantileHigher
             : how == "nearest"  ? kQuantileNearest
             : how == "midpoint" ? kQuantileMidpoint
                                 : kQuantileLinear;
  launch(self.device, call.runtime, self.dtype == DType::F64 ? "sorted_quantile_f64" : "sorted_quantile_f32",
         {grid_for(self.device, p.lines * p.count, 256)}, {256}, 0, p);
  out.finish(call.runtime);
}
TS_CUDA_KERNEL(quantile, {.run = run_quantile<false>, .accepts = takes});
TS_CUDA_KERNEL(nanquantile, {.run = run_quantile<true>, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
