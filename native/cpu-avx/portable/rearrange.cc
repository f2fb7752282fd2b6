// roll, flip, repeat (and tile), repeat_interleave.
#include "cpu-avx/portable/mapped_copy.h"

namespace torchscript::portable {
namespace {

IndexMaps identity_maps(const TensorView& v) {
  IndexMaps maps;
  for (int d = 0; d < v.ndim; d++) maps.push_back(identity_map(v.sizes[d]));
  return maps;
}

void keep_quant(Call& call) {
  if (call.tensor(0).quant != nullptr) call.outputs[0].quant = call.tensor(0).quant;
}

// A dense tensor as one dimension.
TensorView flat_view(Call& call, const TensorView& v) {
  TensorView flat = v;
  flat.data = const_cast<void*>(dense(call, v, v.dtype));
  flat.ndim = 1;
  flat.sizes[0] = v.numel();
  flat.strides[0] = 1;
  return flat;
}

std::vector<int64_t> rolled(int64_t n, int64_t shift) {
  std::vector<int64_t> map(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) map[static_cast<size_t>(i)] = ((i - shift % n) % n + n) % n;
  return map;
}

void infer_roll(Call& call) {
  const TensorView& self = call.tensor(0);
  const auto &shifts = call.args[1].ints, &dims = call.args[2].ints;
  if (shifts.n == 0) fail("`shifts` required");
  if (dims.n == 0 ? shifts.n != 1 : dims.n != shifts.n)
    fail("shifts and dimensions must align. shifts: %lld, dims:%lld", static_cast<long long>(shifts.n), static_cast<long long>(dims.n));
  for (int64_t i = 0; i < dims.n; i++)
    if (self.ndim > 0) wrap_dim(dims.p[i], self.ndim);
  output_like(call, 0, self);
  keep_quant(call);
}

// From the end, in pieces: a shift by a few elements makes addresses of loads follow those of stores at the same place of other pages, which the
// processor takes for the same memory.
void copy_from_end(char* to, const char* from, size_t n) {
  constexpr size_t kPiece = 256;
  for (; n > kPiece; n -= kPiece) std::memcpy(to + n - kPiece, from + n - kPiece, kPiece);
  std::memcpy(to, from, n);
}

// One dimension of n between `outer` and `inner` elements of dense memory: two runs of each line change places.
void roll_runs(Call& call, const TensorView& self, const TensorView& out, int64_t outer, int64_t n, int64_t inner, int64_t shift) {
  const auto item = static_cast<size_t>(inner * dtype_size(self.dtype)), line = item * static_cast<size_t>(n);
  const int64_t moved = ((shift % n) + n) % n;
  const size_t tail = item * static_cast<size_t>(moved), head = line - tail;
  call.runtime->parallel(outer, std::max<int64_t>(1, 65536 / static_cast<int64_t>(line + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      const char* from = self.ptr<char>() + static_cast<size_t>(o) * line;
      char* to = out.ptr<char>() + static_cast<size_t>(o) * line;
      copy_from_end(to + tail, from, head);
      std::memcpy(to, from + head, tail);
    }
  });
}

void run_roll(Call& call) {
  const auto &shifts = call.args[1].ints, &dims = call.args[2].ints;
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const bool plain = self.is_contiguous() && call.outputs[0].is_contiguous() && self.dtype == call.outputs[0].dtype && self.ndim > 0;
  if (dims.n == 0 && plain) return roll_runs(call, self, call.outputs[0], 1, self.numel(), 1, shifts.p[0]);
  if (dims.n == 0 || self.ndim == 0) {
    TensorView out = call.outputs[0];
    out.ndim = 1;
    out.sizes[0] = self.numel();
    out.strides[0] = 1;
    return mapped_copy(call, flat_view(call, self), out, {rolled(self.numel(), self.ndim == 0 ? 0 : shifts.p[0])}, nullptr);
  }
  int64_t total[kMaxDims] = {};
  for (int64_t i = 0; i < dims.n; i++) {
    const int d = wrap_dim(dims.p[i], self.ndim);
    total[d] = (total[d] + shifts.p[i] % self.sizes[d]) % self.sizes[d];
  }
  int rolling = 0, rolled_dim = 0;
  for (int d = 0; d < self.ndim; d++)
    if (total[d] != 0) rolling++, rolled_dim = d;
  if (plain && rolling <= 1) {
    const int64_t inner = product(self.sizes, rolled_dim + 1, self.ndim), n = self.sizes[rolled_dim];
    return roll_runs(call, self, call.outputs[0], product(self.sizes, 0, rolled_dim), n, inner, total[rolled_dim]);
  }
  IndexMaps maps;
  for (int d = 0; d < self.ndim; d++) maps.push_back(rolled(self.sizes[d], total[d]));
  mapped_copy(call, self, call.outputs[0], maps, nullptr);
}

void infer_flip(Call& call) {
  bool seen[kMaxDims] = {};
  const auto& dims = call.args[1].ints;
  for (int64_t i = 0; i < dims.n; i++) {
    bool& flag = seen[wrap_dim(dims.p[i], call.tensor(0).ndim)];
    if (flag) fail("dim %lld appears multiple times in the list of dims", static_cast<long long>(dims.p[i]));
    flag = true;
  }
  output_like(call, 0, call.tensor(0));
  keep_quant(call);
}

void run_flip(Call& call) {
  const TensorView& self = call.tensor(0);
  IndexMaps maps = identity_maps(self);
  const auto& dims = call.args[1].ints;
  for (int64_t i = 0; i < dims.n && self.ndim > 0; i++) {
    auto& map = maps[static_cast<size_t>(wrap_dim(dims.p[i], self.ndim))];
    std::reverse(map.begin(), map.end());
  }
  mapped_copy(call, self, call.outputs[0], maps, nullptr);
}

void infer_repeat_sizes(Call& call, int64_t nrepeats, const int64_t* repeats) {
  const TensorView& self = call.tensor(0);
  if (nrepeats > kMaxDims) fail("repeat: more than %d dimensions", kMaxDims);
  int64_t sizes[kMaxDims];
  const int64_t ndim = std::max<int64_t>(nrepeats, self.ndim);
  for (int64_t d = 0; d < ndim; d++) {
    const int64_t count = d < ndim - nrepeats ? 1 : repeats[d - (ndim - nrepeats)],
                  size = d < ndim - self.ndim ? 1 : self.sizes[d - (ndim - self.ndim)];
    if (count < 0) fail("Trying to create tensor with negative dimension %lld", static_cast<long long>(count * size));
    sizes[d] = size * count;
  }
  call.set_output(0, self.dtype, sizes, static_cast<int>(ndim));
  keep_quant(call);
}

void infer_repeat(Call& call) {
  if (call.args[1].ints.n < call.tensor(0).ndim)
    fail("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  infer_repeat_sizes(call, call.args[1].ints.n, call.args[1].ints.p);
}
void infer_tile(Call& call) { infer_repeat_sizes(call, call.args[1].ints.n, call.args[1].ints.p); }

void run_repeat(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  TensorView self = call.tensor(0);
  const int lead = out.ndim - self.ndim;
  for (int d = out.ndim - 1; d >= 0; d--) {
    self.sizes[d] = d < lead ? 1 : self.sizes[d - lead];
    self.strides[d] = d < lead ? 0 : self.strides[d - lead];
  }
  self.ndim = out.ndim;
  IndexMaps maps;
  for (int d = 0; d < out.ndim; d++) {
    maps.emplace_back(static_cast<size_t>(out.sizes[d]));
    for (int64_t i = 0; i < out.sizes[d]; i++) maps.back()[static_cast<size_t>(i)] = i % self.sizes[d];
  }
  mapped_copy(call, self, out, maps, nullptr);
}

// repeat_interleave: (self, repeats, dim, output_size); repeats is a number or a tensor of one count or of one count per position.
int64_t interleaved_length(const TensorView& self, const Arg& dim) {
  return dim.is_none() ? self.numel() : size_at(self, wrap_dim(dim.i, self.ndim));
}

std::vector<int64_t> counts_of(const Arg& repeats, int64_t length) {
  std::vector<int64_t> counts;
  if (repeats.kind == ArgKind::Tensor) {
    const TensorView& v = *repeats.tensor;
    if (v.ndim > 1) fail("repeats must be 0-dim or 1-dim tensor");
    if (v.dtype != DType::I64 && v.dtype != DType::I32) fail("repeats has to be Long or Int tensor");
    counts.resize(static_cast<size_t>(v.numel()));
    copy_to_dense(counts.data(), DType::I64, v);
    if (counts.size() == 1) counts.assign(static_cast<size_t>(length), counts[0]);
    if (static_cast<int64_t>(counts.size()) != length)
      fail("repeats must have the same size as input along dim, but got repeats.size(0) = %lld and input.size(dim) = %lld",
           static_cast<long long>(counts.size()), static_cast<long long>(length));
  } else {
    counts.assign(static_cast<size_t>(length), repeats.i);
  }
  for (const int64_t c : counts)
    if (c < 0) fail("repeats can not be negative");
  return counts;
}

void infer_repeat_interleave(Call& call) {
  const TensorView& self = call.tensor(0);
  const Arg& dim = call.args[2];
  const std::vector<int64_t> counts = counts_of(call.args[1], interleaved_length(self, dim));
  int64_t total = 0;
  for (const int64_t c : counts) total += c;
  if (!call.args[3].is_none() && call.args[3].i != total) fail("allocated size does not match required size");
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  if (dim.is_none() || self.ndim == 0) return call.set_output(0, self.dtype, &total, 1);
  sizes[wrap_dim(dim.i, self.ndim)] = total;
  call.set_output(0, self.dtype, sizes, self.ndim);
}

void run_repeat_interleave(Call& call) {
  const Arg& dim = call.args[2];
  const bool flat = dim.is_none() || call.tensor(0).ndim == 0;
  const TensorView self = flat ? flat_view(call, call.tensor(0)) : call.tensor(0);
  const int d = flat ? 0 : wrap_dim(dim.i, self.ndim);
  IndexMaps maps = identity_maps(self);
  const std::vector<int64_t> counts = counts_of(call.args[1], self.sizes[d]);
  std::vector<int64_t> map;
  for (size_t i = 0; i < counts.size(); i++) map.insert(map.end(), static_cast<size_t>(counts[i]), static_cast<int64_t>(i));
  maps[static_cast<size_t>(d)] = std::move(map);
  mapped_copy(call, self, call.outputs[0], maps, nullptr);
}

// repeat_interleave.Tensor: (repeats, output_size) gives the positions.
void infer_repeat_positions(Call& call) {
  Arg repeats;
  repeats.kind = ArgKind::Tensor;
  repeats.tensor = &call.tensor(0);
  if (call.tensor(0).ndim != 1) fail("repeat_interleave only accept 1D vector as repeat");
  int64_t total = 0;
  for (const int64_t c : counts_of(repeats, call.tensor(0).numel())) total += c;
  call.set_output(0, call.tensor(0).dtype, &total, 1);
}

void run_repeat_positions(Call& call) {
  std::vector<int64_t> positions;
  const std::vector<int64_t> counts = counts_of(call.args[0], call.tensor(0).numel());
  for (size_t i = 0; i < counts.size(); i++) positions.insert(positions.end(), static_cast<size_t>(counts[i]), static_cast<int64_t>(i));
  convert_row(call.outputs[0].data, call.outputs[0].dtype, positions.data(), DType::I64, static_cast<int64_t>(positions.size()), 1);
}

}  // namespace

TS_KERNEL(roll, {.infer = infer_roll, .run = run_roll, .quantized = true});
TS_KERNEL(flip, {.infer = infer_flip, .run = run_flip, .quantized = true});
TS_KERNEL(repeat, {.infer = infer_repeat, .run = run_repeat, .quantized = true});
TS_KERNEL(tile, {.infer = infer_tile, .run = run_repeat, .quantized = true});
TS_KERNEL(repeat_interleave, {.infer = infer_repeat_interleave, .run = run_repeat_interleave, .quantized = true});
TS_KERNEL(repeat_interleave_tensor,
          {.infer = infer_repeat_interleave, .run = run_repeat_interleave, .data_dependent = true, .quantized = true});
TS_KERNEL(repeat_positions, {.infer = infer_repeat_positions, .run = run_repeat_positions, .data_dependent = true});

}  // namespace torchscript::portable
