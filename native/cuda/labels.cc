// ctc_loss, multilabel_margin_loss, embedding_bag, fractional_max_pool, bucketize, searchsorted and histc on the device. What indices and
// labels out of range are is not seen here, since nothing waits for them: they count as nothing.
#include <string_view>
#include <vector>

#include "cpu-avx/conv/shape.h"
#include "cuda/kernels/labels_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

const char* in_float(DType t, const char* f32, const char* f64) { return t == DType::F64 ? f64 : f32; }
bool takes_real(const Call& call) { return call.args[0].kind == ArgKind::Tensor && is_real(call.tensor(0).dtype); }
TensorView vector_of(const void* data, DType dtype, const TensorView& like, int64_t n) {
  TensorView v;
  v.data = const_cast<void*>(data);
  v.dtype = dtype;
  v.device = like.device;
  v.ndim = 1;
  v.sizes[0] = n;
  v.strides[0] = 1;
  return v;
}
// A vector of `n` elements where the output has as many, in any dtype.
void copy_vector(const TensorView& out, const void* data, DType dtype, Runtime* runtime) {
  TensorView from = contiguous_like(out, dtype);
  from.data = const_cast<void*>(data);
  copy_strided(out, from, runtime);
}
// Losses of rows, their sum or their mean.
void write_losses(Call& call, const double* losses, int64_t rows, int64_t reduction, bool keeps) {
  const TensorView& out = call.outputs[0];
  if (reduction == 0 && keeps) return copy_vector(out, losses, DType::F64, call.runtime);
  const Scratch sum(out.device, 8);
  LossSumParams p;
  p.out = sum.ptr<double>();
  p.losses = losses;
  p.n = rows;
  p.factor = reduction == 1 && rows > 0 ? 1 / static_cast<double>(rows) : 1;
  launch(out.device, call.runtime, "loss_sum", {1}, {256}, 0, p);
  copy_vector(out, p.out, DType::F64, call.runtime);
}

// ---- ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity); lengths are on the CPU

std::vector<int64_t> integers(const Call& call, int i, const char* name) {
  const Arg& arg = call.args[i];
  if (arg.kind == ArgKind::IntList) return {arg.ints.p, arg.ints.p + arg.ints.n};
  const TensorView& v = tensor_argument(call, i, "ctc_loss", name);
  if (v.dtype != DType::I64 && v.dtype != DType::I32) fail("%s must be integral", name);
  std::vector<int64_t> out(static_cast<size_t>(v.numel()));
  const int64_t stride = v.ndim > 0 ? v.strides[0] : 0;
  for (size_t k = 0; k < out.size(); k++) {
    const int64_t at = static_cast<int64_t>(k) * stride;
    out[k] = v.dtype == DType::I64 ? v.ptr<int64_t>()[at] : v.ptr<int32_t>()[at];
  }
  return out;
}
void infer_ctc(Call& call) {
  const TensorView &x = call.tensor(0), &t = tensor_argument(call, 1, "ctc_loss", "targets");
  if (!is_integral(t.dtype)) fail("targets must be integral");
  if (x.ndim != 2 && x.ndim != 3) fail("Expected log_probs of ctc_loss to have 2 or 3 dimensions but received %d", x.ndim);
  const int64_t batch = x.ndim == 3 ? x.sizes[1] : 1;
  call.set_output(0, x.dtype, &batch, call.args[5].as_int() == 0 && x.ndim == 3 ? 1 : 0);
}
void run_ctc(Call& call) {
  const TensorView &x = call.tensor(0), &t = call.tensor(1);
  const bool batched = x.ndim == 3;
  const int64_t steps = x.sizes[0], batch = batched ? x.sizes[1] : 1, classes = x.sizes[x.ndim - 1];
  const std::vector<int64_t> inputs = integers(call, 2, "input_lengths"), lengths = integers(call, 3, "target_lengths");
  if (static_cast<int64_t>(inputs.size()) != batch) fail("input_lengths must be of size batch_size");
  if (static_cast<int64_t>(lengths.size()) != batch) fail("target_lengths must be of size batch_size");
  const bool joined = t.ndim == 1 && batched;
  const int64_t row = joined || t.ndim == 0 ? 0 : t.sizes[t.ndim - 1];
  if (!joined && batched && (t.ndim != 2 || t.sizes[0] != batch))
    fail("Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets'", static_cast<long long>(batch),
         static_cast<long long>(t.ndim > 0 ? t.sizes[0] : 0));
  CtcParams p;
  p.batch = batch;
  p.classes = classes;
  p.blank = call.args[4].as_int();
  if (p.blank < 0 || p.blank >= classes) fail("blank must be in label range");
  std::vector<int64_t> plan;
  plan.insert(plan.end(), inputs.begin(), inputs.end());
  plan.insert(plan.end(), lengths.begin(), lengths.end());
  int64_t at = 0, longest = 0;
  for (size_t i = 0; i < lengths.size(); i++) {
    if (lengths[i] < 0) fail("Expected target_lengths to have value at least 0, but got value %lld", static_cast<long long>(lengths[i]));
    if (inputs[i] < 0 || inputs[i] > steps)
      fail("Expected input_lengths to have value at most %lld, but got value %lld", static_cast<long long>(steps), static_cast<long long>(inputs[i]));
    if ((!joined && lengths[i] > row) || at + lengths[i] > t.numel())
      fail("Expected `targets` of ctc_loss to have at least %lld elements but received %lld", static_cast<long long>(at + lengths[i]),
           static_cast<long long>(t.numel()));
    plan.push_back(at);
    longest = std::max(longest, lengths[i]);
    at += joined ? lengths[i] : row;
  }
  p.longest = 2 * longest + 1;
  const DenseInput logs(x, DType::F64, call.runtime), targets(t, DType::I64, call.runtime);
  const auto count = static_cast<size_t>(std::max<int64_t>(1, batch));
  const Scratch losses(x.device, count * 8), states(x.device, count * 2 * static_cast<size_t>(p.longest) * 8), of_items(x.device, count * 3 * 8);
  if (batch > 0) accelerator()->copy_in(x.device, of_items.ptr<void>(), plan.data(), plan.size() * 8);
  p.losses = losses.ptr<double>();
  p.states = states.ptr<double>();
  p.lengths = of_items.ptr<int64_t>();
  p.logs = static_cast<const double*>(logs.data());
  p.targets = static_cast<const int64_t*>(targets.data());
  const int64_t reduction = call.args[5].as_int();
  if (batch > 0) {
    launch(x.device, call.runtime, "ctc_loss_items", {static_cast<unsigned>(batch)}, {128}, 0, p);
    const int32_t zero_infinity = call.args[6].b, divides = reduction == 1;
    launch(x.device, call.runtime, "ctc_loss_finish", {grid_for(x.device, batch, 256)}, {256}, 0, p, zero_infinity, divides);
  }
  write_losses(call, p.losses, batch, reduction, batched);
}
TS_CUDA_KERNEL(ctc_loss, {.infer = infer_ctc, .run = run_ctc, .accepts = takes_real, .waits = true, .on_host = 12});

// ---- multilabel_margin_loss(self, target, reduction) -> loss [, is_target]

void infer_multilabel(Call& call) {
  const TensorView &x = call.tensor(0), &t = tensor_argument(call, 1, "multilabel_margin_loss", "target");
  bool same = x.ndim == t.ndim && x.ndim <= 2;
  for (int d = 0; same && d < x.ndim; d++) same = x.sizes[d] == t.sizes[d];
  if (!same || t.dtype != DType::I64)
    fail("inconsistent target size: %s for input of size: %s", sizes_text(t).c_str(), sizes_text(x).c_str());
  call.set_output(0, x.dtype, x.sizes, call.args[2].as_int() == 0 && x.ndim == 2 ? 1 : 0);
  if (call.noutputs > 1) call.set_output(1, x.dtype, x.sizes, x.ndim);
}
void run_multilabel(Call& call) {
  const TensorView& given = call.tensor(0);
  const DenseInput x(given, DType::F64, call.runtime), targets(call.tensor(1), DType::I64, call.runtime);
  MultilabelParams p;
  p.classes = given.ndim == 0 ? 1 : given.sizes[given.ndim - 1];
  p.rows = p.classes == 0 ? 0 : given.numel() / p.classes;
  const Scratch losses(given.device, static_cast<size_t>(std::max<int64_t>(1, p.rows)) * 8),
    is_target(given.device, static_cast<size_t>(std::max<int64_t>(1, given.numel())) * 8);
  p.losses = losses.ptr<double>();
  p.is_target = is_target.ptr<double>();
  p.x = static_cast<const double*>(x.data());
  p.targets = static_cast<const int64_t*>(targets.data());
  if (p.rows > 0) launch(given.device, call.runtime, "multilabel_margin", {static_cast<unsigned>(std::min<int64_t>(p.rows, 65535))}, {256}, 0, p);
  write_losses(call, p.losses, p.rows, call.args[2].as_int(), given.ndim == 2);
  if (call.noutputs > 1) copy_vector(call.outputs[1], p.is_target, DType::F64, call.runtime);
}
TS_CUDA_KERNEL(multilabel_margin_loss, {.infer = infer_multilabel, .run = run_multilabel, .accepts = takes_real});

// ---- embedding_bag: weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx

void run_embedding_bag(Call& call) {
  const TensorView& weight = call.tensor(0);
  const DenseInput indices(call.tensor(1), DType::I64, call.runtime), offsets(call.tensor(2), DType::I64, call.runtime);
  std::optional<DenseInput> weights;
  if (const TensorView* given = call.optional_tensor(6)) weights.emplace(*given, weight.dtype, call.runtime);
  DenseOutput out(call.outputs[0]);
  BagParams p;
  p.n = call.tensor(1).numel();
  p.bags = call.outputs[0].sizes[0];
  p.width = weight.sizes[1];
  p.rows = weight.sizes[0];
  p.noffsets = call.tensor(2).numel();
  p.mode = static_cast<int32_t>(call.args[4].i);
  p.padding = call.args[8].is_none() ? -1 : call.args[8].i;
  if (p.padding < -p.rows || p.padding >= p.rows)
    fail("padding_idx must be within the number of embeddings, -%lld through %lld but got %lld", static_cast<long long>(p.rows),
         static_cast<long long>(p.rows - 1), static_cast<long long>(p.padding));
  if (p.padding < -1) p.padding += p.rows;
  const auto room = [](int64_t n) { return static_cast<size_t>(std::max<int64_t>(1, n)) * 8; };
  const Scratch bag_of(weight.device, room(p.n)), counts(weight.device, room(p.bags)), maxima(weight.device, room(p.mode == kBagMax ? p.bags * p.width : 1));
  for (const auto& [memory, n] : {std::pair{&bag_of, p.n}, std::pair{&counts, p.bags}}) {
    const int64_t zero = 0;
    if (n > 0) fill_dense(vector_of(memory->ptr<void>(), DType::I64, weight, n), &zero, call.runtime);
  }
  p.out = out.data();
  p.table = weight.data;
  p.row_stride = weight.strides[0];
  p.column_stride = weight.strides[1];
  p.weights = weights ? weights->data() : nullptr;
  p.indices = static_cast<const int64_t*>(indices.data());
  p.offsets = static_cast<const int64_t*>(offsets.data());
  p.bag_of = bag_of.ptr<int64_t>();
  p.counts = counts.ptr<int64_t>();
  p.maxima = p.mode == kBagMax ? maxima.ptr<int64_t>() : nullptr;
  p.dtype = static_cast<int32_t>(weight.dtype);
  if (p.bags * p.width > 0)
    launch(weight.device, call.runtime, in_float(weight.dtype, "embedding_bag_f32", "embedding_bag_f64"), {grid_for(weight.device, p.bags * p.width, 256)}, {256}, 0, p);
  out.finish(call.runtime);
  if (call.noutputs > 1) copy_vector(call.outputs[1], p.bag_of, DType::I64, call.runtime);
  if (call.noutputs > 2) copy_vector(call.outputs[2], p.counts, DType::I64, call.runtime);
  if (call.noutputs > 3) copy_vector(call.outputs[3], p.maxima ? p.maxima : p.counts, DType::I64, call.runtime);
}
TS_CUDA_KERNEL(embedding_bag, {.run = run_embedding_bag, .accepts = takes_real});

// ---- fractional_max_pool(self, kernel_size, output_size, random_samples) -> values, indices

template <int N> void run_fractional(Call& call) {
  const TensorView &self = call.tensor(0), &result = call.outputs[0];
  if (result.numel() == 0) return;
  const DenseInput x(self, self.dtype, call.runtime), samples(call.tensor(3), self.dtype, call.runtime);
  DenseOutput out(result);
  std::optional<DenseOutput> indices;
  if (call.noutputs > 1) indices.emplace(call.outputs[1]);
  FractionalPoolParams p;
  p.out = out.data();
  p.indices = indices ? static_cast<int64_t*>(indices->data()) : nullptr;
  p.x = x.data();
  p.samples = samples.data();
  p.planes = 1;
  for (int d = 0; d < self.ndim - N; d++) p.planes *= self.sizes[d];
  p.channels = self.sizes[self.ndim - N - 1];
  p.sample_rows = call.tensor(3).sizes[1];
  read_list(call, 1, N, 1, "kernel_size", p.kernel);
  for (int d = 0; d < 3; d++) {
    const int own = d - (3 - N);
    p.in[d] = own < 0 ? 1 : self.sizes[self.ndim - N + own];
    p.out_sizes[d] = own < 0 ? 1 : result.sizes[result.ndim - N + own];
    if (own < 0) p.kernel[d] = 1;
  }
  p.dims = N;
  p.dtype = static_cast<int32_t>(self.dtype);
  launch(self.device, call.runtime, in_float(self.dtype, "fractional_pool_f32", "fractional_pool_f64"), {grid_for(self.device, result.numel(), 256)}, {256}, 0, p);
  out.finish(call.runtime);
  if (indices) indices->finish(call.runtime);
}
TS_CUDA_KERNEL(fractional_max_pool2d, {.run = run_fractional<2>, .accepts = takes_real});
TS_CUDA_KERNEL(fractional_max_pool3d, {.run = run_fractional<3>, .accepts = takes_real});

// ---- bucketize(self, boundaries, out_int32, right), searchsorted(sorted, self, out_int32, right, side, sorter)

DType dtype_of(const Arg& arg) {
  return arg.kind == ArgKind::Tensor  ? arg.tensor->dtype
         : arg.kind == ArgKind::Float ? DType::F64
         : arg.kind == ArgKind::Bool  ? DType::Bool
                                      : DType::I64;
}
void search(Call& call, const Arg& sequence, const Arg& wanted, bool right, const TensorView* sorter) {
  const TensorView &sorted = *sequence.tensor, &result = call.outputs[0];
  if (result.numel() == 0) return;
  const DType dtype = is_floating(sorted.dtype) || is_floating(dtype_of(wanted)) ? DType::F64 : DType::I64;
  const DenseInput bounds(sorted, dtype, call.runtime);
  std::optional<DenseInput> values, order;
  if (wanted.kind == ArgKind::Tensor) values.emplace(*wanted.tensor, dtype, call.runtime);
  if (sorter) order.emplace(*sorter, DType::I64, call.runtime);
  DenseOutput out(result);
  SearchParams p;
  p.out = out.data();
  p.out_is_32 = result.dtype == DType::I32;
  p.sorted = bounds.data();
  p.values = values ? values->data() : nullptr;
  p.value = wanted.as_double();
  p.whole_value = wanted.as_int();
  p.order = order ? static_cast<const int64_t*>(order->data()) : nullptr;
  p.n = result.numel();
  p.row = sorted.ndim == 0 ? 1 : sorted.sizes[sorted.ndim - 1];
  p.per_row = sorted.ndim <= 1 ? 0 : result.ndim == 0 ? 1 : result.sizes[result.ndim - 1];
  p.right = right;
  launch(sorted.device, call.runtime, dtype == DType::F64 ? "search_f64" : "search_i64", {grid_for(sorted.device, p.n, 256)}, {256}, 0, p);
  out.finish(call.runtime);
}
bool takes_search(const Call& call) {
  for (int i = 0; i < 2; i++) {
    const DType t = dtype_of(call.args[i]);
    if (!is_real(t) && t != DType::Bool && t != DType::U8 && t != DType::I8 && t != DType::I16 && t != DType::I32 && t != DType::I64) return false;
  }
  return true;
}
TS_CUDA_KERNEL(bucketize, {.run = [](Call& call) { search(call, call.args[1], call.args[0], call.args[3].b, nullptr); }, .accepts = takes_search});
TS_CUDA_KERNEL(searchsorted, {.run =
                                [](Call& call) {
                                  const bool right = call.args[3].b || (!call.args[4].is_none() && call.args[4].str.n == 5);
                                  search(call, call.args[0], call.args[1], right, call.optional_tensor(5));
                                },
                              .accepts = takes_search});

// ---- histc(self, bins, min, max). A range that is not finite is not seen here.

void run_histc(Call& call) {
  const TensorView& self = call.tensor(0);
  const DType compute = self.dtype == DType::F64 ? DType::F64 : DType::F32;
  const DenseInput x(self, compute, call.runtime);
  HistogramParams p;
  p.x = x.data();
  p.n = self.numel();
  p.bins = call.args[1].i;
  p.low = call.args[2].as_double();
  p.high = call.args[3].as_double();
  if (p.low > p.high) fail("torch.histc: max must be larger than min");
  const Scratch counts(self.device, static_cast<size_t>(p.bins) * 8), range(self.device, 16);
  const int64_t zero = 0;
  fill_dense(vector_of(counts.ptr<void>(), DType::I64, self, p.bins), &zero, call.runtime);
  p.counts = counts.ptr<unsigned long long>();
  if (p.n > 0) {
    if (p.low == p.high) {
      p.range = range.ptr<void>();
      launch(self.device, call.runtime, in_float(compute, "histogram_range_f32", "histogram_range_f64"), {1}, {256}, 0, p.x, p.n, p.range);
    }
    launch(self.device, call.runtime, in_float(compute, "histogram_f32", "histogram_f64"), {grid_for(self.device, p.n, 256)}, {256}, 0, p);
  }
  copy_vector(call.outputs[0], p.counts, DType::I64, call.runtime);
}
TS_CUDA_KERNEL(histc, {.run = run_histc, .accepts = takes_real});

}  // namespace
}  // namespace torchscript::cuda
