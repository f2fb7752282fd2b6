// Elements by position on the device: embedding, index_select, gather, take, index; scatter, index_put, index_add, index_copy, index_fill.
//
// Positions that are out of range are not seen here, since nothing waits for the device: the kernels tell them (Fault), and the next wait throws.
#include <cstring>
#include <list>
#include <string_view>
#include <vector>

#include "cpu-avx/create.h"
#include "cpu-avx/reduce_driver.h"
#include "cuda/kernels/params_index.h"
#include "cuda/rows.h"
#include "cuda/select.h"

namespace torchscript::cuda {
namespace {

bool is_position(DType t) { return t == DType::I64 || t == DType::I32; }
bool is_whole(DType t) {
  return t == DType::Bool || t == DType::U8 || t == DType::I8 || t == DType::I16 || t == DType::I32 || t == DType::I64;
}

// The shape that a launch goes over, and the strides of its windows.
struct Walk {
  explicit Walk(const char* op) { p.name = reinterpret_cast<uint64_t>(op); }
  int ndim = 0, dim = 0;  // dim: along which an index moves, where there is one
  int64_t sizes[kMaxDims];
  int64_t plain[kMaxDims] = {}, indexed[kMaxDims] = {}, index[kIndexTensors][kMaxDims] = {};
  IndexParams p;

  // An index tensor, whose dimension 0 is dimension `first` of the walk; it moves the indexed window along a dimension.
  void add(const TensorView& index_, int first, int64_t size, int64_t stride) {
    const int k = p.count++;
    p.index[k] = index_.data;
    p.index_is_32[k] = index_.dtype == DType::I32;
    p.size[k] = size;
    p.stride[k] = stride;
    for (int d = 0; d < index_.ndim; d++) index[k][first + d] = index_.sizes[d] == 1 ? 0 : index_.strides[d];
  }
  void run(Runtime* runtime, int device, const char* kernel) {
    const int64_t* strides[2 + kIndexTensors] = {plain, indexed};
    for (int k = 0; k < kIndexTensors; k++) strides[2 + k] = index[k];
    if (!build_loop(p.loop, sizes, ndim, strides, 2 + kIndexTensors)) fail("Indexing of 2^31 elements or more is not supported on CUDA");
    if (p.loop.n == 0) return;
    p.fault = enter(device).fault;
    launch(device, runtime, kernel, {grid_for(device, p.loop.n, 256)}, {256}, 0, p);
  }
};
const char* sized(const char* const (&names)[5], DType t) {
  int64_t size = dtype_size(t);
  int i = 0;
  while (size > 1) size /= 2, i++;
  return names[i];
}
const char* gather_kernel(DType t) { return sized({"gather_1", "gather_2", "gather_4", "gather_8", "gather_16"}, t); }
const char* scatter_kernel(DType t) { return sized({"scatter_1", "scatter_2", "scatter_4", "scatter_8", "scatter_16"}, t); }
const char* combine_kernel(DType t) { return is_real(t) ? "scatter_combine_real" : "scatter_combine_whole"; }

bool is_addable(DType t) { return is_real(t) || is_whole(t) || t == DType::C64 || t == DType::C128; }
// Adds what the walk reads; parts of complex numbers add by themselves.
void run_adding(const Walk& walk, Runtime* runtime, const TensorView& out) {
  Walk w = walk;
  w.p.dtype = static_cast<int32_t>(out.dtype);
  if (!is_complex(out.dtype)) return w.run(runtime, out.device, combine_kernel(out.dtype));
  const DType part = out.dtype == DType::C128 ? DType::F64 : DType::F32;
  w.p.dtype = static_cast<int32_t>(part);
  for (int d = 0; d < w.ndim; d++) w.plain[d] *= 2, w.indexed[d] *= 2;
  for (int k = 0; k < w.p.count; k++) w.p.stride[k] *= 2;
  for (int i = 0; i < 2; i++) {
    w.run(runtime, out.device, combine_kernel(part));
    w.p.plain = static_cast<char*>(w.p.plain) + dtype_size(part);
    w.p.indexed = static_cast<char*>(w.p.indexed) + dtype_size(part);
  }
}

TensorView at_least_1d(const TensorView& t) {
  TensorView v = t;
  if (v.ndim == 0) v.ndim = 1, v.sizes[0] = 1, v.strides[0] = 1;
  return v;
}
void start_from(const TensorView& out, const TensorView& self, Runtime* runtime) {
  if (out.data != self.data) copy_strided(out, self, runtime);
}

// ---- reading

// Fills the walk with the result's shape: what is read lies as `self` but along `dim`.
void along(Walk& w, const TensorView& shape, const TensorView& plain, const TensorView& indexed, int64_t dim) {
  w.ndim = shape.ndim;
  for (int d = 0; d < shape.ndim; d++) {
    w.sizes[d] = shape.sizes[d];
    w.plain[d] = plain.strides[d];
    w.indexed[d] = d == dim ? 0 : indexed.strides[d];
  }
  w.p.plain = plain.data;
  w.p.indexed = indexed.data;
}

bool takes_self(const Call& call) { return !call.tensor(0).quant; }

TS_CUDA_KERNEL(embedding, {.run = [](Call& call) {
                 const TensorView &weight = call.tensor(0), &index = call.tensor(1), &out = call.outputs[0];
                 Walk w("embedding");
                 w.ndim = out.ndim;
                 for (int d = 0; d < out.ndim; d++) w.sizes[d] = out.sizes[d], w.plain[d] = out.strides[d];
                 w.indexed[out.ndim - 1] = weight.strides[1];
                 w.p.plain = out.data;
                 w.p.indexed = weight.data;
                 w.add(index, 0, weight.sizes[0], weight.strides[0]);
                 w.run(call.runtime, out.device, gather_kernel(out.dtype));
               }});

TS_CUDA_KERNEL(index_select, {.run =
                                [](Call& call) {
                                  const TensorView self = at_least_1d(call.tensor(0)), index = at_least_1d(call.tensor(2)), out = at_least_1d(call.outputs[0]);
                                  const int64_t dim = wrap_dim(call.args[1].i, self.ndim);
                                  Walk w("index_select");
                                  along(w, out, out, self, dim);
                                  w.add(index, static_cast<int>(dim), self.sizes[dim], self.strides[dim]);
                                  w.run(call.runtime, out.device, gather_kernel(out.dtype));
                                },
                              .accepts = takes_self});

TS_CUDA_KERNEL(gather, {.run =
                          [](Call& call) {
                            if (call.outputs[0].numel() == 0) return;
                            const TensorView self = at_least_1d(call.tensor(0)), index = at_least_1d(call.tensor(2)), out = at_least_1d(call.outputs[0]);
                            const int64_t dim = wrap_dim(call.args[1].i, self.ndim);
                            Walk w("gather");
                            along(w, out, out, self, dim);
                            w.add(index, 0, self.sizes[dim], self.strides[dim]);
                            w.run(call.runtime, out.device, gather_kernel(out.dtype));
                          },
                        .accepts = takes_self});

TS_CUDA_KERNEL(take, {.run = [](Call& call) {
                 const TensorView &index = call.tensor(1), &out = call.outputs[0];
                 const DenseInput self(call.tensor(0), call.tensor(0).dtype, call.runtime);
                 Walk w("take");
                 w.ndim = out.ndim;
                 for (int d = 0; d < out.ndim; d++) w.sizes[d] = out.sizes[d], w.plain[d] = out.strides[d];
                 w.p.plain = out.data;
                 w.p.indexed = self.data();
                 w.p.wraps = 1;
                 w.add(index, 0, call.tensor(0).numel(), 1);
                 w.run(call.runtime, out.device, gather_kernel(out.dtype));
               }});

// ---- index, index_put: index tensors broadcast together; their dimensions replace the indexed ones where these are adjacent, else come first

bool is_mask(DType t) { return t == DType::Bool || t == DType::U8; }
bool takes_indices(const Call& call, bool masks) {
  const Arg& list = call.args[1];
  if (list.kind != ArgKind::TensorList || call.tensor(0).quant) return false;
  int count = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    const TensorView* t = list.tensors.p[i];
    if (!t) continue;
    const bool mask = masks && is_mask(t->dtype) && t->ndim > 0;
    if (!mask && !is_position(t->dtype)) return false;
    count += mask ? t->ndim : 1;
  }
  return count <= kIndexTensors;
}
bool takes_positions(const Call& call) { return takes_indices(call, false); }
bool takes_masks(const Call& call) { return takes_indices(call, true); }

bool is_one_mask(const Arg& list) {
  int given = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) given += list.tensors.p[i] != nullptr;
  return given == 1;
}

// The list with each mask replaced by the positions of its true elements, a tensor a dimension. They are as many as there are (`waits`), or
// as many as there can be, where those beyond the last lie nowhere.
class Positions {
 public:
  Positions(const TensorView& self, const Arg& list, bool waits, Runtime* runtime) {
    int dim = 0;
    for (int64_t i = 0; i < list.tensors.n; i++) {
      const TensorView* t = list.tensors.p[i];
      if (!t || !is_mask(t->dtype)) {
        pointers_.push_back(t);
        dim++;
        continue;
      }
      masks_ = true;
      for (int d = 0; d < t->ndim; d++) {
        if (dim + d >= self.ndim || t->sizes[d] != self.sizes[dim + d])
          fail_as("IndexError", "The shape of the mask at index %d does not match the shape of the indexed tensor at index %d", static_cast<int>(i), dim + d);
      }
      const Selection found(*t, runtime);
      const int64_t n = waits ? found.count() : t->numel();
      const auto room = static_cast<size_t>(std::max<int64_t>(1, n)) * 8;
      const Scratch flat(t->device, room);
      memory_.emplace_back(t->device, room * static_cast<size_t>(t->ndim));
      found.write(flat.ptr<int64_t>(), n, !waits);
      TensorView columns;
      columns.data = memory_.back().ptr<void>();
      columns.dtype = DType::I64;
      columns.device = t->device;
      columns.ndim = 2;
      columns.sizes[0] = n, columns.sizes[1] = t->ndim;
      columns.strides[0] = 1, columns.strides[1] = n;
      write_coordinates(runtime, *t, flat.ptr<int64_t>(), columns, INT64_MIN);
      for (int d = 0; d < t->ndim; d++) {
        TensorView column = columns;
        column.ndim = 1;
        column.data = columns.ptr<int64_t>() + d * n;
        views_.push_back(column);
        pointers_.push_back(&views_.back());
      }
      dim += t->ndim;
    }
    arg_.kind = ArgKind::TensorList;
    arg_.tensors = {pointers_.data(), static_cast<int64_t>(pointers_.size())};
  }
  const Arg& list() const { return arg_; }
  bool masks() const { return masks_; }

 private:
  bool masks_ = false;
  std::list<TensorView> views_;
  std::vector<const TensorView*> pointers_;
  std::list<Scratch> memory_;
  Arg arg_;
};

// The walk over self[indices]; `plain` is not set.
void walk_indices(Walk& w, const TensorView& self, const Arg& list) {
  int first = -1, last = -1, count = 0, rank = 0;
  for (int64_t d = 0; d < list.tensors.n; d++) {
    const TensorView* t = list.tensors.p[d];
    if (!t) continue;
    if (first < 0) first = static_cast<int>(d);
    last = static_cast<int>(d);
    count++;
    rank = std::max(rank, static_cast<int>(t->ndim));
  }
  if (list.tensors.n > self.ndim)
    fail_as("IndexError", "too many indices for tensor of dimension %d (got %d)", self.ndim, static_cast<int>(list.tensors.n));
  const auto indexed = [&](int d) { return d < list.tensors.n && list.tensors.p[d]; };
  const bool adjacent = count > 0 && last - first + 1 == count;
  const int place = adjacent ? first : 0;
  if (self.ndim - count + rank > kMaxDims) fail("index: the result has more than %d dimensions", kMaxDims);
  const auto keep = [&](int d) {
    w.sizes[w.ndim] = self.sizes[d];
    w.indexed[w.ndim++] = self.strides[d];
  };
  for (int d = 0; d < place; d++) keep(d);
  const int begin = w.ndim;
  for (int i = 0; i < rank; i++) w.sizes[w.ndim++] = 1;
  for (int d = place; d < self.ndim; d++)
    if (!indexed(d)) keep(d);
  w.p.wraps = 1;
  w.p.indexed = self.data;
  for (int64_t d = 0; d < list.tensors.n; d++) {
    const TensorView* t = list.tensors.p[d];
    if (!t) continue;
    const int lead = begin + rank - t->ndim;
    for (int i = 0; i < t->ndim; i++) {
      int64_t& size = w.sizes[lead + i];
      if (size != t->sizes[i] && size != 1 && t->sizes[i] != 1)
        fail_as("IndexError", "shape mismatch: indexing tensors could not be broadcast together");
      if (size == 1) size = t->sizes[i];
    }
    w.add(*t, lead, self.sizes[d], self.strides[d]);
  }
}

TS_CUDA_KERNEL(index, {.run =
                         [](Call& call) {
                           const TensorView& out = call.outputs[0];
                           Walk w("index");
                           walk_indices(w, call.tensor(0), call.args[1]);
                           w.p.plain = out.data;
                           for (int d = 0; d < w.ndim; d++) w.plain[d] = out.strides[d];
                           w.run(call.runtime, out.device, gather_kernel(out.dtype));
                         },
                       .accepts = takes_positions});

void infer_mask(Call& call) {
  const Positions positions(call.tensor(0), call.args[1], true, call.runtime);
  Walk w("index");
  walk_indices(w, call.tensor(0), positions.list());
  call.set_output(0, call.tensor(0).dtype, w.sizes, w.ndim);
}
TS_CUDA_KERNEL(index_mask, {.infer = infer_mask,
                            .run =
                              [](Call& call) {
                                const TensorView& out = call.outputs[0];
                                if (out.numel() == 0) return;
                                const Positions positions(call.tensor(0), call.args[1], true, call.runtime);
                                Walk w("index");
                                walk_indices(w, call.tensor(0), positions.list());
                                w.p.plain = out.data;
                                for (int d = 0; d < w.ndim; d++) w.plain[d] = out.strides[d];
                                w.run(call.runtime, out.device, gather_kernel(out.dtype));
                              },
                            .data_dependent = true,
                            .accepts = takes_masks,
                            .waits = true});

bool takes_put(const Call& call) {
  const DType t = call.tensor(0).dtype;
  return takes_masks(call) && (!call.args[3].b || is_addable(t));
}
TS_CUDA_KERNEL(index_put, {.run =
                             [](Call& call) {
                               const TensorView &out = call.outputs[0], &values = call.tensor(2);
                               start_from(out, call.tensor(0), call.runtime);
                               const Positions positions(out, call.args[1], !is_one_mask(call.args[1]), call.runtime);
                               Walk w("index_put");
                               walk_indices(w, out, positions.list());
                               w.p.plain = values.data;
                               const int lead = w.ndim - values.ndim;
                               // Of masks there may be fewer positions than room for them.
                               const auto fits = [&](int64_t size, int64_t room) { return positions.masks() ? size <= room : size == room; };
                               for (int d = 0; d < values.ndim; d++) {
                                 const int at = lead + d;
                                 if (values.sizes[d] != 1 && (at < 0 || !fits(values.sizes[d], w.sizes[at])))
                                   fail("shape mismatch: value tensor cannot be broadcast to indexing result");
                                 if (at >= 0) w.plain[at] = values.sizes[d] == 1 ? 0 : values.strides[d];
                               }
                               if (call.args[3].b) run_adding(w, call.runtime, out);
                               else w.run(call.runtime, out.device, scatter_kernel(out.dtype));
                             },
                           .in_place = true,
                           .accepts = takes_put});

// ---- scatter

bool is_combinable(DType t) { return is_real(t) || is_whole(t); }

// What changes nothing.
void write_identity(int op, DType dtype, uint64_t* to) {
  Arg identity;
  identity.kind = ArgKind::Float;
  identity.d = op == kCombineMultiply ? 1 : op == kCombineLarger ? -INFINITY : op == kCombineSmaller ? INFINITY : 0;
  if (is_whole(dtype)) {
    identity.kind = ArgKind::Int;
    const int bits = dtype == DType::Bool ? 1 : static_cast<int>(dtype_size(dtype)) * 8;
    const bool is_signed = dtype != DType::Bool && dtype != DType::U8;
    const int64_t most = is_signed ? static_cast<int64_t>(~uint64_t{0} >> (65 - bits)) : (int64_t{1} << bits) - 1;
    identity.i = op == kCombineMultiply ? 1 : op == kCombineLarger ? (is_signed ? -most - 1 : 0) : op == kCombineSmaller ? most : 0;
  }
  write_element(identity, dtype, to);
}
// Combines as the walk says (op kCombineMean: adds, then divides by how many there were); without self what is written to starts anew.
void run_combined(Call& call, Walk& w, const TensorView& out, int op, bool include_self) {
  const bool mean = op == kCombineMean;
  if (mean) op = kCombineAdd;
  if (!include_self) {
    Walk start = w;
    start.p.plain = nullptr;
    write_identity(op, out.dtype, start.p.value);
    start.run(call.runtime, out.device, scatter_kernel(out.dtype));
  }
  w.p.op = op;
  w.run(call.runtime, out.device, combine_kernel(out.dtype));
  if (!mean || out.numel() == 0) return;
  TensorView counts = contiguous_like(out, DType::I64);
  const Scratch memory(out.device, static_cast<size_t>(out.numel()) * 8);
  counts.data = memory.ptr<void>();
  const int64_t before = include_self ? 1 : 0, one = 1;
  fill_dense(counts, &before, call.runtime);
  Walk count = w;
  count.p.plain = nullptr;
  count.p.indexed = counts.data;
  count.p.value[0] = static_cast<uint64_t>(one);
  count.p.dtype = static_cast<int32_t>(DType::I64);
  count.p.alpha_whole = 1;
  for (int d = 0; d < w.ndim; d++) count.indexed[d] = 0;
  // Dimensions of the walk are those of the output, one of which the index moves along.
  for (int d = 0; d < out.ndim; d++)
    if (d != w.dim) count.indexed[d] = counts.strides[d];
  count.p.stride[0] = counts.strides[w.dim];
  count.run(call.runtime, out.device, "scatter_combine_whole");
  DivideParams p;
  p.x = out.data;
  p.counts = static_cast<const int64_t*>(counts.data);
  p.dtype = static_cast<int32_t>(out.dtype);
  const int64_t* strides[] = {out.strides, counts.strides};
  if (!build_loop(p.loop, out.sizes, out.ndim, strides, 2)) fail("Indexing of 2^31 elements or more is not supported on CUDA");
  launch(out.device, call.runtime, "divide_by_counts", {grid_for(out.device, p.loop.n, 256)}, {256}, 0, p);
}

// Writes or combines `source`, or one number, where index says; op -1 writes.
void run_scatter(Call& call, const TensorView* source, const Arg* number, int op, bool include_self) {
  start_from(call.outputs[0], call.tensor(0), call.runtime);
  if (call.tensor(2).numel() == 0) return;
  const TensorView out = at_least_1d(call.outputs[0]), index = at_least_1d(call.tensor(2));
  const TensorView values = source ? at_least_1d(*source) : index;
  const int64_t dim = wrap_dim(call.args[1].i, out.ndim);
  Walk w("scatter");
  w.dim = static_cast<int>(dim);
  along(w, index, values, out, dim);
  w.add(index, 0, out.sizes[dim], out.strides[dim]);
  w.p.dtype = static_cast<int32_t>(out.dtype);
  if (number) {
    w.p.plain = nullptr;
    write_element(*number, out.dtype, w.p.value);
  }
  if (op < 0) return w.run(call.runtime, out.device, scatter_kernel(out.dtype));
  run_combined(call, w, out, op, include_self);
}

// -1: none of these.
int op_named(const Arg& arg) {
  const std::string_view name(arg.str.p, static_cast<size_t>(arg.str.n));
  if (name == "sum" || name == "add") return kCombineAdd;
  if (name == "prod" || name == "multiply") return kCombineMultiply;
  if (name == "amax") return kCombineLarger;
  if (name == "amin") return kCombineSmaller;
  if (name == "mean") return kCombineMean;
  return -1;
}
bool takes_add(const Call& call) { return is_combinable(call.tensor(0).dtype); }
bool takes_reduce(const Call& call) { return takes_add(call) && op_named(call.args[4]) >= 0; }
bool takes_plain_reduce(const Call& call) { return takes_reduce(call) && op_named(call.args[4]) != kCombineMean; }
TS_CUDA_KERNEL(scatter_src, {.run = [](Call& call) { run_scatter(call, &call.tensor(3), nullptr, -1, true); }, .in_place = true});
TS_CUDA_KERNEL(scatter_value, {.run = [](Call& call) { run_scatter(call, nullptr, &call.args[3], -1, true); },
                               .in_place = true,
                               .accepts = [](const Call& call) { return call.args[3].is_number(); }});
TS_CUDA_KERNEL(scatter_src_reduce, {.run = [](Call& call) { run_scatter(call, &call.tensor(3), nullptr, op_named(call.args[4]), true); },
                                    .in_place = true,
                                    .accepts = takes_plain_reduce});
TS_CUDA_KERNEL(scatter_value_reduce, {.run = [](Call& call) { run_scatter(call, nullptr, &call.args[3], op_named(call.args[4]), true); },
                                      .in_place = true,
                                      .accepts = [](const Call& call) { return takes_plain_reduce(call) && call.args[3].is_number(); }});
TS_CUDA_KERNEL(scatter_add, {.run = [](Call& call) { run_scatter(call, &call.tensor(3), nullptr, kCombineAdd, true); },
                             .in_place = true,
                             .accepts = takes_add});
TS_CUDA_KERNEL(scatter_reduce, {.run =
                                  [](Call& call) {
                                    const bool include_self = call.nargs < 6 || call.args[5].b;
                                    run_scatter(call, &call.tensor(3), nullptr, op_named(call.args[4]), include_self);
                                  },
                                .in_place = true,
                                .accepts = takes_reduce});

// ---- index_add, index_copy, index_fill: along one dimension

// The walk over the source, or over what is filled.
void run_along(Call& call, const char* op, const TensorView* source, const char* kernel, IndexParams& set, int combine = -1, bool include_self = true) {
  const TensorView out = at_least_1d(call.outputs[0]), index = at_least_1d(call.tensor(2));
  const int64_t dim = wrap_dim(call.args[1].i, out.ndim);
  Walk w(op);
  const uint64_t name = w.p.name;
  w.p = set;
  w.p.name = name;
  TensorView shape = out;
  shape.sizes[dim] = index.numel();
  TensorView values = source ? at_least_1d(*source) : shape;
  if (source && source->numel() == 1)
    for (int d = 0; d < shape.ndim; d++) values.strides[d] = 0;
  along(w, shape, values, out, dim);
  if (!source) w.p.plain = nullptr;
  w.add(index, static_cast<int>(dim), out.sizes[dim], out.strides[dim]);
  w.p.dtype = static_cast<int32_t>(out.dtype);
  w.dim = static_cast<int>(dim);
  if (combine >= 0) return run_combined(call, w, out, combine, include_self);
  if (!kernel) return run_adding(w, call.runtime, out);
  w.run(call.runtime, out.device, kernel);
}
TS_CUDA_KERNEL(index_add, {.run =
                             [](Call& call) {
                               start_from(call.outputs[0], call.tensor(0), call.runtime);
                               IndexParams set;
                               if (call.nargs > 4 && call.args[4].is_number()) set.alpha = call.args[4].as_double(), set.alpha_whole = call.args[4].as_int();
                               run_along(call, "index_add", &call.tensor(3), nullptr, set);
                             },
                           .in_place = true,
                           .accepts = [](const Call& call) {
                             return is_addable(call.tensor(0).dtype) && (call.nargs < 5 || call.args[4].kind != ArgKind::Complex);
                           }});
TS_CUDA_KERNEL(index_copy, {.run =
                              [](Call& call) {
                                start_from(call.outputs[0], call.tensor(0), call.runtime);
                                IndexParams set;
                                run_along(call, "index_copy", &call.tensor(3), scatter_kernel(call.outputs[0].dtype), set);
                              },
                            .in_place = true});
TS_CUDA_KERNEL(index_fill, {.run =
                              [](Call& call) {
                                start_from(call.outputs[0], call.tensor(0), call.runtime);
                                IndexParams set;
                                set.wraps = 1;
                                const char* kernel = scatter_kernel(call.outputs[0].dtype);
                                if (call.args[3].kind == ArgKind::Tensor) {
                                  const DenseInput value(call.tensor(3), call.outputs[0].dtype, call.runtime);
                                  return run_along(call, "index_fill", &value.view(), kernel, set);
                                }
                                write_element(call.args[3], call.outputs[0].dtype, set.value);
                                run_along(call, "index_fill", nullptr, kernel, set);
                              },
                            .in_place = true});
TS_CUDA_KERNEL(index_reduce, {.run =
                                [](Call& call) {
                                  start_from(call.outputs[0], call.tensor(0), call.runtime);
                                  IndexParams set;
                                  run_along(call, "index_reduce", &call.tensor(3), nullptr, set, op_named(call.args[4]), call.args[5].b);
                                },
                              .in_place = true,
                              .accepts = [](const Call& call) {
                                const int op = op_named(call.args[4]);
                                return is_combinable(call.tensor(0).dtype) && call.tensor(0).dtype != DType::Bool && op >= 0 && op != kCombineAdd;
                              }});

// ---- put(self, index, source, accumulate): by position in row-major order

void run_put(Call& call) {
  const TensorView &out = call.outputs[0], &index = call.tensor(1);
  start_from(out, call.tensor(0), call.runtime);
  if (index.numel() == 0) return;
  const DenseInput source(call.tensor(2), out.dtype, call.runtime), positions(index, index.dtype, call.runtime);
  // Where the output has gaps: a copy without, and back.
  const DenseInput dense(out, out.dtype, call.runtime);
  TensorView flat = positions.view();
  flat.ndim = 1;
  flat.sizes[0] = index.numel();
  flat.strides[0] = 1;
  Walk w("put_");
  w.ndim = 1;
  w.sizes[0] = flat.sizes[0];
  w.plain[0] = 1;
  w.p.plain = source.data();
  w.p.indexed = dense.data();
  w.p.wraps = 1;
  w.add(flat, 0, out.numel(), 1);
  if (call.args[3].b) run_adding(w, call.runtime, out);
  else w.run(call.runtime, out.device, scatter_kernel(out.dtype));
  if (dense.data() != out.data) copy_strided(out, dense.view(), call.runtime);
}
TS_CUDA_KERNEL(put, {.run = run_put,
                     .in_place = true,
                     .accepts = [](const Call& call) { return !call.args[3].b || is_addable(call.tensor(0).dtype); }});

// ---- repeat_interleave(self, repeats, dim, output_size): the counts are read on the CPU, and the positions copied from there

void run_repeat_each(Call& call) {
  const TensorView out = at_least_1d(call.outputs[0]);
  if (out.numel() == 0) return;
  const bool flat = call.args[2].is_none() || call.tensor(0).ndim == 0;
  const DenseInput dense(call.tensor(0), call.tensor(0).dtype, call.runtime);
  TensorView self = dense.view();
  if (flat) self.ndim = 1, self.sizes[0] = call.tensor(0).numel(), self.strides[0] = 1;
  const int64_t dim = flat ? 0 : wrap_dim(call.args[2].i, self.ndim), length = self.sizes[dim];
  const TensorView& repeats = call.tensor(1);
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < length; i++) {
    const int64_t at = repeats.numel() == 1 ? 0 : i * repeats.strides[0];
    const int64_t count = repeats.dtype == DType::I32 ? repeats.ptr<int32_t>()[at] : repeats.ptr<int64_t>()[at];
    positions.insert(positions.end(), static_cast<size_t>(count), i);
  }
  const Scratch memory(out.device, positions.size() * 8);
  accelerator()->copy_in(out.device, memory.ptr<void>(), positions.data(), positions.size() * 8);
  TensorView index;
  index.data = memory.ptr<void>();
  index.dtype = DType::I64;
  index.device = out.device;
  index.ndim = 1;
  index.sizes[0] = static_cast<int64_t>(positions.size());
  index.strides[0] = 1;
  Walk w("repeat_interleave");
  along(w, out, out, self, dim);
  w.add(index, static_cast<int>(dim), self.sizes[dim], self.strides[dim]);
  w.run(call.runtime, out.device, gather_kernel(out.dtype));
}
TS_CUDA_KERNEL(repeat_interleave_tensor, {.run = run_repeat_each, .accepts = takes_self, .waits = true, .on_host = 2});

// ---- max_unpool(self, indices, output_size, ...): a value goes to its position in a plane of zeros. The CPU's infer reads the indices.

template <int N> void infer_unpool(Call& call) {
  const TensorView &x = call.tensor(0), &indices = call.tensor(1);
  if (indices.dtype != DType::I64) fail("elements in indices should be type int64 but got: %s", dtype_torch_name(indices.dtype));
  if (x.ndim != N + 1 && x.ndim != N + 2)
    fail("Input to max_unpooling%dd should be a %dd or %dd Tensor, but got a tensor with %d dimensions.", N, N + 1, N + 2, x.ndim);
  bool same = x.ndim == indices.ndim;
  for (int d = 0; same && d < x.ndim; d++) same = x.sizes[d] == indices.sizes[d];
  if (!same) fail("Expected shape of indices to be same as that of the input tensor");
  if (call.args[2].kind != ArgKind::IntList || call.args[2].ints.n != N) fail("There should be exactly %d elements in output_size", N);
  int64_t sizes[kMaxDims];
  for (int d = 0; d < x.ndim; d++) {
    sizes[d] = d < x.ndim - N ? x.sizes[d] : call.args[2].ints.p[d - (x.ndim - N)];
    if (sizes[d] < 0) fail("Expected output_size to be non-negative");
  }
  call.set_output(0, x.dtype, sizes, x.ndim);
}
template <int N> void run_unpool(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  DenseOutput planes(out);
  const uint64_t zero[2] = {};
  if (out.numel() > 0) fill_dense(planes.view(), zero, call.runtime);
  Walk w("max_unpool");
  w.ndim = x.ndim;
  int64_t plane = 1;
  for (int d = 0; d < x.ndim; d++) {
    w.sizes[d] = x.sizes[d];
    w.plain[d] = x.strides[d];
    w.indexed[d] = d < x.ndim - N ? planes.view().strides[d] : 0;
    if (d >= x.ndim - N) plane *= out.sizes[d];
  }
  w.p.plain = x.data;
  w.p.indexed = planes.data();
  w.add(call.tensor(1), 0, plane, 1);
  w.run(call.runtime, out.device, scatter_kernel(out.dtype));
  planes.finish(call.runtime);
}
TS_CUDA_KERNEL(max_unpool2d, {.infer = infer_unpool<2>, .run = run_unpool<2>});
TS_CUDA_KERNEL(max_unpool3d, {.infer = infer_unpool<3>, .run = run_unpool<3>});

}  // namespace
}  // namespace torchscript::cuda
