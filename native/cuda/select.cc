// masked_select, masked_scatter, nonzero, nonzero_static and nms on the device. Sizes of results that depend on data wait for them.
#include "cuda/select.h"

#include "cuda/kernels/params_reduce.h"
#include "cuda/sort.h"

namespace torchscript::cuda {

TensorView repeated_to(const TensorView& t, const int64_t* sizes, int ndim) {
  TensorView v = t;
  v.ndim = ndim;
  for (int d = 0; d < ndim; d++) {
    const int own = d - (ndim - t.ndim);
    v.sizes[d] = sizes[d];
    v.strides[d] = own < 0 || (t.sizes[own] == 1 && sizes[d] != 1) ? 0 : t.strides[own];
  }
  return v;
}

void sum_up(Runtime* runtime, int device, int64_t* values, int64_t n) {
  if (n < 2) return;
  ScanParams p;
  p.data = values;
  p.lines = 1;
  p.n = n;
  p.op = kScanSum;
  launch(device, runtime, "scan_i64", {1}, {256}, 0, p);
}

Selection::Selection(const TensorView& x, Runtime* runtime)
    : device_(x.device),
      runtime_(runtime),
      chunks_((x.numel() + kSelectChunk - 1) / kSelectChunk),
      counts_(x.device, static_cast<size_t>(std::max<int64_t>(1, chunks_)) * 8) {
  p_.x = x.data;
  p_.dtype = static_cast<int32_t>(x.dtype);
  p_.counts = counts_.ptr<int64_t>();
  if (chunks_ == 0) return;
  // The order of the window's elements is that of its dimensions, which merge but never change places.
  int64_t sizes[kMaxDims], strides[kMaxDims];
  int ndim = 0;
  for (int d = 0; d < x.ndim; d++) {
    if (x.sizes[d] == 1) continue;
    if (ndim > 0 && strides[ndim - 1] == x.strides[d] * x.sizes[d]) {
      sizes[ndim - 1] *= x.sizes[d];
      strides[ndim - 1] = x.strides[d];
    } else {
      sizes[ndim] = x.sizes[d];
      strides[ndim++] = x.strides[d];
    }
  }
  if (x.numel() > INT32_MAX) fail("Selecting of 2^31 elements or more is not supported on CUDA");
  p_.loop.n = static_cast<uint32_t>(x.numel());
  p_.loop.ndim = ndim;
  for (int d = 0; d < ndim; d++) {
    p_.loop.sizes[d] = divider_of(static_cast<uint32_t>(sizes[ndim - 1 - d]));
    p_.loop.strides[d][0] = strides[ndim - 1 - d];
  }
  launch(device_, runtime_, "select_count", {static_cast<unsigned>(chunks_)}, {256}, 0, p_);
  sum_up(runtime_, device_, p_.counts, chunks_);
}

int64_t Selection::count() const {
  if (chunks_ == 0) return 0;
  int64_t n = 0;
  accelerator()->copy_out(device_, &n, p_.counts + chunks_ - 1, 8);
  return n;
}

void Selection::write(int64_t* positions, int64_t limit, bool fills, int64_t rest) const {
  if (limit == 0) return;
  if (chunks_ == 0) {
    if (!fills) return;
    TensorView out;
    out.data = positions;
    out.dtype = DType::I64;
    out.device = static_cast<int8_t>(device_);
    out.ndim = 1;
    out.sizes[0] = limit;
    out.strides[0] = 1;
    return fill_dense(out, &rest, runtime_);
  }
  SelectParams p = p_;
  p.positions = positions;
  p.limit = limit;
  p.fills = fills;
  p.rest = rest;
  launch(device_, runtime_, "select_positions", {static_cast<unsigned>(chunks_)}, {256}, 0, p);
}

void write_coordinates(Runtime* runtime, const TensorView& shape, const int64_t* positions, const TensorView& out, int64_t rest) {
  CoordinatesParams p;
  p.positions = positions;
  p.out = out.ptr<int64_t>();
  p.n = out.sizes[0];
  p.ndim = shape.ndim;
  p.rest = rest;
  p.row = out.strides[0];
  p.column = out.strides[1];
  int64_t inner = 1;
  for (int d = shape.ndim - 1; d >= 0; d--) {
    p.sizes[d] = std::max<int64_t>(1, shape.sizes[d]);
    p.divisors[d] = inner;
    inner *= p.sizes[d];
  }
  if (p.n * p.ndim == 0) return;
  launch(out.device, runtime, "select_coordinates", {grid_for(out.device, p.n * p.ndim, 256)}, {256}, 0, p);
}

namespace {

void infer_nonzero(Call& call) {
  const int64_t sizes[2] = {Selection(call.tensor(0), call.runtime).count(), call.tensor(0).ndim};
  call.set_output(0, DType::I64, sizes, 2);
}
// Room beyond the last position is filled.
void run_positions(Call& call, bool fills, int64_t rest) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const Selection found(self, call.runtime);
  const Scratch positions(self.device, static_cast<size_t>(out.sizes[0]) * 8);
  found.write(positions.ptr<int64_t>(), out.sizes[0], fills);
  write_coordinates(call.runtime, self, positions.ptr<int64_t>(), out, rest);
}
bool is_selectable(const Call& call) {
  const DType t = call.tensor(0).dtype;
  return t != DType::C32 && !is_quantized(t) && !(static_cast<int>(t) >= 23 && static_cast<int>(t) <= 26) && t != DType::F8E8M0;
}
TS_CUDA_KERNEL(nonzero, {.infer = infer_nonzero,
                         .run = [](Call& call) { run_positions(call, false, 0); },
                         .data_dependent = true,
                         .accepts = is_selectable,
                         .waits = true});
// (self, size, fill_value)
TS_CUDA_KERNEL(nonzero_static, {.run = [](Call& call) { run_positions(call, true, call.args[2].i); }, .accepts = is_selectable});

// ---- masked_select, masked_scatter

void check_mask(const TensorView& mask, const char* op) {
  if (mask.dtype != DType::Bool && mask.dtype != DType::U8) fail("%s: expected BoolTensor for mask, but got %s", op, dtype_torch_name(mask.dtype));
}
// Both repeated to their common shape.
void broadcast(TensorView& a, TensorView& b) {
  const int ndim = std::max(a.ndim, b.ndim);
  int64_t sizes[kMaxDims];
  for (int d = 0; d < ndim; d++) {
    const int i = d - (ndim - a.ndim), j = d - (ndim - b.ndim);
    const int64_t p = i < 0 ? 1 : a.sizes[i], q = j < 0 ? 1 : b.sizes[j];
    if (p != q && p != 1 && q != 1) fail("The shape of the mask does not match the shape of the tensor");
    sizes[d] = p == 1 ? q : p;
  }
  a = repeated_to(a, sizes, ndim);
  b = repeated_to(b, sizes, ndim);
}
void move_selected(Call& call, const TensorView& window, void* dense, const int64_t* positions, int64_t n, bool writes) {
  // Positions count the elements of the shape row by row.
  SelectedParams p;
  p.window = window.data;
  p.dense = dense;
  p.positions = positions;
  p.n = n;
  p.size = static_cast<int32_t>(dtype_size(window.dtype));
  p.writes = writes;
  p.loop.n = static_cast<uint32_t>(window.numel());
  p.loop.ndim = window.ndim;
  for (int d = 0; d < window.ndim; d++) {
    p.loop.sizes[d] = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, window.sizes[window.ndim - 1 - d])));
    p.loop.strides[d][0] = window.strides[window.ndim - 1 - d];
  }
  if (n > 0) launch(window.device, call.runtime, "select_move", {grid_for(window.device, n, 256)}, {256}, 0, p);
}
void infer_masked_select(Call& call) {
  check_mask(call.tensor(1), "masked_select");
  TensorView self = call.tensor(0), mask = call.tensor(1);
  broadcast(self, mask);
  const int64_t n = Selection(mask, call.runtime).count();
  call.set_output(0, self.dtype, &n, 1);
}
void run_masked_select(Call& call) {
  TensorView self = call.tensor(0), mask = call.tensor(1);
  broadcast(self, mask);
  const int64_t n = call.outputs[0].numel();
  if (n == 0) return;
  const Selection found(mask, call.runtime);
  const Scratch positions(self.device, static_cast<size_t>(n) * 8);
  found.write(positions.ptr<int64_t>(), n);
  move_selected(call, self, call.outputs[0].data, positions.ptr<int64_t>(), n, false);
}
TS_CUDA_KERNEL(masked_select, {.infer = infer_masked_select,
                               .run = run_masked_select,
                               .data_dependent = true,
                               .accepts = [](const Call& call) { return !call.tensor(0).quant; },
                               .waits = true});

// Where the source has too few elements, the places that lack one stay as they are: nothing waits for their number.
void run_masked_scatter(Call& call) {
  const TensorView &out = call.outputs[0], &source = call.tensor(2);
  if (out.data != call.tensor(0).data) copy_strided(out, repeated_to(call.tensor(0), out.sizes, out.ndim), call.runtime);
  const int64_t most = std::min(out.numel(), source.numel());
  if (most == 0) return;
  const TensorView mask = repeated_to(call.tensor(1), out.sizes, out.ndim);
  const Selection found(mask, call.runtime);
  const Scratch positions(out.device, static_cast<size_t>(most) * 8);
  found.write(positions.ptr<int64_t>(), most, true);
  const DenseInput values(source, source.dtype, call.runtime);
  move_selected(call, out, values.data(), positions.ptr<int64_t>(), most, true);
}
TS_CUDA_KERNEL(masked_scatter, {.run = run_masked_scatter, .in_place = true});

// ---- nms(boxes, scores, threshold)

// Bytes that say of each box, best first, whether it stays.
void find_kept(Call& call, const SortedLines& sorted, uint8_t* kept) {
  const TensorView& boxes = call.tensor(0);
  const DType compute = boxes.dtype == DType::F64 ? DType::F64 : DType::F32;
  const DenseInput dense(boxes, compute, call.runtime);
  NmsParams p;
  p.n = boxes.sizes[0];
  p.words = (p.n + 63) / 64;
  const Scratch overlaps(boxes.device, static_cast<size_t>(p.n * p.words) * 8), gone(boxes.device, static_cast<size_t>(p.words) * 8);
  p.boxes = dense.data();
  p.order = sorted.order();
  p.overlaps = overlaps.ptr<uint64_t>();
  p.kept = kept;
  p.threshold = call.args[2].as_double();
  launch(boxes.device, call.runtime, compute == DType::F64 ? "nms_overlaps_f64" : "nms_overlaps_f32",
         {grid_for(boxes.device, p.n * p.words, 128)}, {128}, 0, p);
  uint64_t* words = gone.ptr<uint64_t>();
  launch(boxes.device, call.runtime, "nms_keep", {1}, {256}, 0, p, words);
}
template <class F> void with_kept(Call& call, const F& use) {
  const TensorView &boxes = call.tensor(0), &scores = call.tensor(1);
  if (boxes.ndim != 2 || boxes.sizes[1] != 4) fail("boxes should be a 2d tensor with 4 elements in dimension 1, got %dD", boxes.ndim);
  if (scores.ndim != 1) fail("scores should be a 1d tensor, got %dD", scores.ndim);
  const int64_t n = boxes.sizes[0];
  if (n != scores.sizes[0])
    fail("boxes and scores should have same number of elements in dimension 0, got %lld and %lld", static_cast<long long>(n),
         static_cast<long long>(scores.sizes[0]));
  if (boxes.dtype != scores.dtype) fail("dets should have the same type as scores");
  if (n == 0) return use(nullptr, nullptr);
  const DenseInput dense(scores, scores.dtype, call.runtime);
  const SortedLines sorted(dense.view(), sort_lines_of(dense.view(), 0), true, call.runtime);
  const Scratch kept(boxes.device, static_cast<size_t>(n));
  find_kept(call, sorted, kept.ptr<uint8_t>());
  TensorView flags = contiguous_like(scores, DType::U8);
  flags.data = kept.ptr<void>();
  const Selection found(flags, call.runtime);
  use(&found, sorted.order());
}
void infer_nms(Call& call) {
  with_kept(call, [&](const Selection* found, const int32_t*) {
    const int64_t n = found ? found->count() : 0;
    call.set_output(0, DType::I64, &n, 1);
  });
}
void run_nms(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  with_kept(call, [&](const Selection* found, const int32_t* order) {
    const int64_t n = out.numel();
    const Scratch positions(out.device, static_cast<size_t>(n) * 8), picked(out.device, static_cast<size_t>(n) * 4);
    found->write(positions.ptr<int64_t>(), n);
    TensorView window = contiguous_like(call.tensor(1), DType::I32);
    window.data = const_cast<int32_t*>(order);
    move_selected(call, window, picked.ptr<void>(), positions.ptr<int64_t>(), n, false);
    TensorView from = contiguous_like(out, DType::I32);
    from.data = picked.ptr<void>();
    copy_strided(out, from, call.runtime);
  });
}
TS_CUDA_KERNEL(nms, {.infer = infer_nms,
                     .run = run_nms,
                     .data_dependent = true,
                     .accepts = [](const Call& call) { return is_real(call.tensor(0).dtype); },
                     .waits = true});

}  // namespace
}  // namespace torchscript::cuda
