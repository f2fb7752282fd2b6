// cat, stack, flip, roll, repeat, pads, triangles, ranges on the device.
#include <cstring>
#include <string_view>

#include "cpu-avx/create.h"
#include "cpu-avx/reduce_driver.h"
#include "cuda/kernels/params_index.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

// ---- cat, stack: a copy into a part of the output for each tensor

void run_cat(Call& call) {
  const auto& list = call.args[0].tensors;
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t dim = wrap_dim(call.args[1].i, out.ndim);
  TensorView part = out;
  for (int64_t i = 0; i < list.n; i++) {
    const TensorView& v = *list.p[i];
    if (v.ndim == 1 && v.sizes[0] == 0) continue;  // whatever the rank of the others
    part.sizes[dim] = v.sizes[dim];
    if (v.numel() > 0) copy_strided(part, v, call.runtime);
    part.data = static_cast<char*>(part.data) + v.sizes[dim] * out.strides[dim] * dtype_size(out.dtype);
  }
}
void run_stack(Call& call) {
  const auto& list = call.args[0].tensors;
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t dim = wrap_dim(call.args[1].i, out.ndim);
  TensorView part = out;  // out without `dim`
  part.ndim = out.ndim - 1;
  for (int64_t d = dim; d < part.ndim; d++) part.sizes[d] = out.sizes[d + 1], part.strides[d] = out.strides[d + 1];
  for (int64_t i = 0; i < list.n; i++) {
    copy_strided(part, *list.p[i], call.runtime);
    part.data = static_cast<char*>(part.data) + out.strides[dim] * dtype_size(out.dtype);
  }
}
bool takes_list(const Call& call) {
  const Arg& list = call.args[0];
  if (list.kind != ArgKind::TensorList) return true;  // infer says what is wrong
  for (int64_t i = 0; i < list.tensors.n; i++)
    if (list.tensors.p[i] && list.tensors.p[i]->quant) return false;
  return true;
}
TS_CUDA_KERNEL(cat, {.run = run_cat, .accepts = takes_list});
TS_CUDA_KERNEL(stack, {.run = run_stack, .accepts = takes_list});

// ---- mapped copies

bool takes(const Call& call) { return call.args[0].kind != ArgKind::Tensor || !call.tensor(0).quant; }

struct Rule {
  MapMode mode = kMapFill;
  bool backwards = false;
  int64_t shift = 0, first = 0, size = 0;
};
Rule whole(int64_t size) { return {.size = size}; }

// rules[d] is of dimension d of both; in may be strided, and repeats where its stride is 0.
void run_map(Runtime* runtime, const TensorView& in, const TensorView& out_, const Rule* rules, const void* fill) {
  if (out_.numel() == 0) return;
  if (out_.numel() > INT32_MAX) fail("A result of 2^31 elements or more is not supported on CUDA");
  DenseOutput out(out_);
  MapParams p;
  p.out = out.data();
  p.x = in.data;
  p.n = static_cast<uint32_t>(out_.numel());
  p.ndim = out_.ndim;
  const int64_t item = dtype_size(out_.dtype);
  if (fill) std::memcpy(p.fill, fill, static_cast<size_t>(item));
  for (int d = 0; d < out_.ndim; d++) {
    MapDim& dim = p.dims[out_.ndim - 1 - d];
    const Rule& rule = rules[d];
    dim.out = divider_of(static_cast<uint32_t>(out_.sizes[d]));
    dim.mode = rule.mode;
    dim.backwards = rule.backwards;
    dim.shift = rule.shift;
    dim.first = rule.first;
    dim.size = rule.size;
    dim.stride = in.strides[d];
  }
  const char* name = item == 1 ? "map_1" : item == 2 ? "map_2" : item == 4 ? "map_4" : item == 8 ? "map_8" : "map_16";
  launch(out_.device, runtime, name, {grid_for(out_.device, p.n, 256)}, {256}, 0, p);
  out.finish(runtime);
}

TS_CUDA_KERNEL(flip, {.run =
                        [](Call& call) {
                          const TensorView& self = call.tensor(0);
                          Rule rules[kMaxDims];
                          for (int d = 0; d < self.ndim; d++) rules[d] = whole(self.sizes[d]);
                          const auto& dims = call.args[1].ints;
                          for (int64_t i = 0; i < dims.n && self.ndim > 0; i++) rules[wrap_dim(dims.p[i], self.ndim)].backwards = true;
                          run_map(call.runtime, self, call.outputs[0], rules, nullptr);
                        },
                      .accepts = takes});

void run_roll(Call& call) {
  const auto &shifts = call.args[1].ints, &dims = call.args[2].ints;
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  Rule rules[kMaxDims];
  if (dims.n == 0 || self.ndim == 0) {
    const DenseInput dense(self, self.dtype, call.runtime);
    TensorView flat = dense.view(), out = call.outputs[0];
    for (TensorView* v : {&flat, &out}) v->ndim = 1, v->sizes[0] = self.numel(), v->strides[0] = 1;
    rules[0] = {.mode = kMapWrap, .shift = self.ndim == 0 ? 0 : -(shifts.p[0] % self.numel()), .size = self.numel()};
    return run_map(call.runtime, flat, out, rules, nullptr);
  }
  for (int d = 0; d < self.ndim; d++) rules[d] = {.mode = kMapWrap, .size = self.sizes[d]};
  for (int64_t i = 0; i < dims.n; i++) {
    const int64_t d = wrap_dim(dims.p[i], self.ndim);
    rules[d].shift = (rules[d].shift - shifts.p[i] % self.sizes[d]) % self.sizes[d];
  }
  run_map(call.runtime, self, call.outputs[0], rules, nullptr);
}
TS_CUDA_KERNEL(roll, {.run = run_roll, .accepts = takes});

void run_repeat(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  TensorView self = call.tensor(0);
  const int lead = out.ndim - self.ndim;
  Rule rules[kMaxDims];
  for (int d = out.ndim - 1; d >= 0; d--) {
    self.sizes[d] = d < lead ? 1 : self.sizes[d - lead];
    self.strides[d] = d < lead ? 0 : self.strides[d - lead];
    rules[d] = {.mode = kMapWrap, .size = self.sizes[d]};
  }
  self.ndim = out.ndim;
  run_map(call.runtime, self, out, rules, nullptr);
}
TS_CUDA_KERNEL(repeat, {.run = run_repeat, .accepts = takes});
TS_CUDA_KERNEL(tile, {.run = run_repeat, .accepts = takes});

// repeat_interleave(self, repeats, dim, output_size) of one count: a dimension that repeats after `dim`.
TS_CUDA_KERNEL(repeat_interleave, {.run =
                                     [](Call& call) {
                                       const TensorView& out = call.outputs[0];
                                       if (out.numel() == 0) return;
                                       const bool flat = call.args[2].is_none() || call.tensor(0).ndim == 0;
                                       const DenseInput dense(call.tensor(0), call.tensor(0).dtype, call.runtime);
                                       TensorView from = dense.view();
                                       if (flat) from.ndim = 1, from.sizes[0] = call.tensor(0).numel(), from.strides[0] = 1;
                                       const int64_t dim = flat ? 0 : wrap_dim(call.args[2].i, from.ndim), count = call.args[1].i;
                                       TensorView to = out;
                                       for (TensorView* v : {&from, &to}) {
                                         for (int d = v->ndim; d > dim + 1; d--) v->sizes[d] = v->sizes[d - 1], v->strides[d] = v->strides[d - 1];
                                         v->ndim++;
                                       }
                                       from.sizes[dim + 1] = to.sizes[dim + 1] = count;
                                       from.strides[dim + 1] = 0;
                                       to.strides[dim + 1] = out.strides[dim];
                                       to.sizes[dim] = from.sizes[dim];
                                       to.strides[dim] = out.strides[dim] * count;
                                       copy_strided(to, from, call.runtime);
                                     },
                                   .accepts =
                                     [](const Call& call) {
                                       return takes(call) && call.tensor(0).ndim < kMaxDims && call.args[1].kind == ArgKind::Int;
                                     }});

// ---- pads

enum class Pad { Constant, Reflect, Replicate, Circular };
void run_pads(Call& call, Pad pad, const Arg* value) {
  const TensorView& self = call.tensor(0);
  const auto& pads = call.args[1].ints;
  Rule rules[kMaxDims];
  for (int d = 0; d < self.ndim; d++) {
    const int64_t i = self.ndim - 1 - d, size = self.sizes[d];
    rules[d] = whole(size);
    if (i >= pads.n / 2) continue;
    const int64_t left = pads.p[2 * i], right = pads.p[2 * i + 1];
    rules[d].shift = -left;
    if (pad == Pad::Reflect) rules[d].mode = kMapReflect;
    if (pad == Pad::Replicate) rules[d].mode = kMapClamp;
    if (pad == Pad::Circular) {
      // Of what the negative pads leave.
      const int64_t crop = std::max<int64_t>(-left, 0);
      rules[d] = {.mode = kMapWrap, .shift = -std::max<int64_t>(left, 0), .first = crop, .size = size - crop - std::max<int64_t>(-right, 0)};
    }
  }
  alignas(16) char fill[16] = {};
  if (value && value->is_number()) write_element(*value, self.dtype, fill);
  run_map(call.runtime, self, call.outputs[0], rules, fill);
}
TS_CUDA_KERNEL(constant_pad_nd, {.run = [](Call& call) { run_pads(call, Pad::Constant, &call.args[2]); }, .accepts = takes});
TS_CUDA_KERNEL(reflection_pad, {.run = [](Call& call) { run_pads(call, Pad::Reflect, nullptr); }, .accepts = takes});
TS_CUDA_KERNEL(replication_pad, {.run = [](Call& call) { run_pads(call, Pad::Replicate, nullptr); }, .accepts = takes});
TS_CUDA_KERNEL(circular_pad, {.run = [](Call& call) { run_pads(call, Pad::Circular, nullptr); }, .accepts = takes});
TS_CUDA_KERNEL(pad, {.run =
                       [](Call& call) {
                         const std::string_view mode(call.args[2].str.p, static_cast<size_t>(call.args[2].str.n));
                         if (mode == "constant") return run_pads(call, Pad::Constant, &call.args[3]);
                         run_pads(call, mode == "reflect" ? Pad::Reflect : mode == "replicate" ? Pad::Replicate : Pad::Circular, nullptr);
                       },
                     .accepts = takes});

// ---- triangles, ranges, identities

template <bool lower> void run_triangle(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  if (self.data != out.data) copy_strided(out, self, call.runtime);
  TriangleParams p;
  p.out = out.data;
  p.size = static_cast<int32_t>(dtype_size(out.dtype));
  p.lower = lower;
  p.n = out.numel();
  p.rows = out.sizes[out.ndim - 2];
  p.columns = out.sizes[out.ndim - 1];
  p.diagonal = call.args[1].as_int();
  launch(out.device, call.runtime, "triangle_zero", {grid_for(out.device, p.n, 256)}, {256}, 0, p);
}
TS_CUDA_KERNEL(tril, {.run = run_triangle<true>, .in_place = true, .accepts = takes});
TS_CUDA_KERNEL(triu, {.run = run_triangle<false>, .in_place = true, .accepts = takes});

void fill_range(Call& call, RangeParams& p) {
  const TensorView& out = call.outputs[0];
  p.out = out.data;
  p.dtype = static_cast<int32_t>(out.dtype);
  p.n = out.numel();
  p.whole = element_of(out.dtype) == Element::I64;
  if (p.n > 0) launch(out.device, call.runtime, "range_fill", {grid_for(out.device, p.n, 256)}, {256}, 0, p);
}
// The numbers are of the CPU: infer has read them.
template <int start, int step> void run_range(Call& call) {
  RangeParams p;
  if (start >= 0) p.start = call.args[start].as_double(), p.whole_start = call.args[start].as_int();
  p.step = p.whole_step = 1;
  if (step >= 0) p.step = call.args[step].as_double(), p.whole_step = call.args[step].as_int();
  fill_range(call, p);
}
template <int numbers> bool takes_numbers(const Call& call) {
  for (int i = 0; i < numbers; i++)
    if (!call.args[i].is_number() || call.args[i].kind == ArgKind::Complex) return false;
  return true;
}
TS_CUDA_KERNEL(arange_end, {.run = run_range<-1, -1>, .accepts = takes_numbers<1>});
TS_CUDA_KERNEL(arange_start, {.run = run_range<0, -1>, .accepts = takes_numbers<2>});
TS_CUDA_KERNEL(arange_step, {.run = run_range<0, 2>, .accepts = takes_numbers<3>});

void run_eye(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  alignas(16) char element[16] = {};
  fill_dense(out, element, call.runtime);
  const Scratch memory(out.device, 16);
  TensorView one = out;
  one.data = memory.ptr<void>();
  one.ndim = 0;
  Arg number;
  number.kind = ArgKind::Int;
  number.i = 1;
  write_element(number, out.dtype, element);
  fill_dense(one, element, call.runtime);
  TensorView diagonal = out;
  diagonal.ndim = one.ndim = 1;
  diagonal.sizes[0] = one.sizes[0] = std::min(out.sizes[0], out.sizes[1]);
  diagonal.strides[0] = out.strides[0] + out.strides[1];
  one.strides[0] = 0;
  copy_strided(diagonal, one, call.runtime);
}
TS_CUDA_KERNEL(eye, {.run = run_eye});
TS_CUDA_KERNEL(eye_m, {.run = run_eye});

}  // namespace
}  // namespace torchscript::cuda
