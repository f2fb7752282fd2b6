// unique, unique_dim and their consecutive forms on the device. The size of the result waits for the data.
#include "cpu-avx/reduce_driver.h"
#include "cuda/kernels/sort_params.h"
#include "cuda/select.h"
#include "cuda/sort.h"

namespace torchscript::cuda {
namespace {

// Slices of [outer, n, inner], grouped where neighbours are equal, after sorting where asked.
class SliceGroups {
 public:
  // dim < 0: every element is a slice.
  SliceGroups(const TensorView& self, int dim, bool sorted, Runtime* runtime)
      : runtime_(runtime),
        n_(dim < 0 ? self.numel() : self.ndim == 0 ? 1 : self.sizes[dim]),
        dense_(self, self.dtype, runtime),
        order_(self.device, static_cast<size_t>(std::max<int64_t>(1, n_)) * 8),
        sums_(self.device, static_cast<size_t>(std::max<int64_t>(1, n_)) * 8) {
    p_.x = dense_.data();
    p_.dtype = static_cast<int32_t>(self.dtype);
    p_.n = n_;
    if (dim >= 0) {
      for (int d = 0; d < dim; d++) p_.outer *= self.sizes[d];
      for (int d = dim + 1; d < self.ndim; d++) p_.inner *= self.sizes[d];
    }
    p_.from = order_.ptr<int64_t>();
    if (self.numel() == 0) {
      if (n_ > 0) fail("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
      return;
    }
    number_slices();
    if (sorted && p_.outer * p_.inner == 1) sort_elements();
    else if (sorted) sort_slices();
    p_.flags = sums_.ptr<int64_t>();
    launch(self.device, runtime_, "slices_start", {grid_for(self.device, n_, 256)}, {256}, 0, p_);
    sum_up(runtime_, self.device, p_.flags, n_);
  }
  // Waits.
  int64_t count() const {
    if (dense_.view().numel() == 0) return 0;
    int64_t groups = 0;
    accelerator()->copy_out(dense_.view().device, &groups, sums_.ptr<int64_t>() + n_ - 1, 8);
    return groups;
  }
  void write(const TensorView& values, int64_t groups, int64_t* inverse, int64_t* counts) const {
    if (dense_.view().numel() == 0) return;
    GroupsParams g;
    g.x = p_.x;
    g.order = p_.from;
    g.sums = sums_.ptr<int64_t>();
    g.values = values.data;
    g.inverse = inverse;
    g.counts = counts;
    g.n = n_;
    g.groups = groups;
    g.outer = p_.outer;
    g.inner = p_.inner;
    g.size = static_cast<int32_t>(dtype_size(dense_.view().dtype));
    launch(values.device, runtime_, "groups_write", {grid_for(values.device, n_, 256)}, {256}, 0, g);
  }

 private:
  TensorView as_vector(const void* data, DType dtype) const {
    TensorView v;
    v.data = const_cast<void*>(data);
    v.dtype = dtype;
    v.device = dense_.view().device;
    v.ndim = 1;
    v.sizes[0] = n_;
    v.strides[0] = 1;
    return v;
  }
  // 0, 1, 2, ...
  void number_slices() {
    const TensorView order = as_vector(order_.ptr<void>(), DType::I64);
    const int64_t one = 1, zero = 0;
    fill_dense(order, &one, runtime_);
    TensorView first = order;
    first.sizes[0] = 1;
    fill_dense(first, &zero, runtime_);
    sum_up(runtime_, order.device, order_.ptr<int64_t>(), n_);
  }
  void sort_elements() {
    TensorView flat = as_vector(p_.x, dense_.view().dtype);
    const SortedLines sorted(flat, sort_lines_of(flat, 0), false, runtime_);
    copy_strided(as_vector(order_.ptr<void>(), DType::I64), as_vector(sorted.order(), DType::I32), runtime_);
  }
  // Runs of one slice on merge until one is left.
  void sort_slices() {
    const Scratch other(dense_.view().device, static_cast<size_t>(n_) * 8);
    int64_t* memory[2] = {order_.ptr<int64_t>(), other.ptr<int64_t>()};
    int now = 0;
    for (p_.run = 1; p_.run < n_; p_.run *= 2) {
      p_.from = memory[now];
      now = 1 - now;
      p_.order = memory[now];
      launch(dense_.view().device, runtime_, "slices_merge", {grid_for(dense_.view().device, n_, 256)}, {256}, 0, p_);
    }
    if (now == 1) copy_strided(as_vector(memory[0], DType::I64), as_vector(memory[1], DType::I64), runtime_);
    p_.from = memory[0];
  }

  Runtime* runtime_;
  int64_t n_;
  DenseInput dense_;
  Scratch order_, sums_;
  SliceParams p_;
};

struct Request {
  int dim;  // -1: all elements
  bool sorted, inverse, counts;
};

void set_vector(Call& call, int output, int64_t n) {
  if (output < call.noutputs) call.set_output(output, DType::I64, &n, 1);
}
void infer(Call& call, const Request& r) {
  const TensorView& self = call.tensor(0);
  const int64_t n = SliceGroups(self, r.dim, r.sorted, call.runtime).count();
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  if (r.dim < 0) call.set_output(0, self.dtype, &n, 1);
  else {
    if (self.ndim > 0) sizes[r.dim] = n;
    call.set_output(0, self.dtype, sizes, self.ndim);
  }
  if (r.dim >= 0) set_vector(call, 1, r.inverse ? (self.ndim == 0 ? 1 : self.sizes[r.dim]) : 0);
  else if (r.inverse) call.set_output(1, DType::I64, self.sizes, self.ndim);
  else set_vector(call, 1, 0);
  set_vector(call, 2, r.counts ? n : 0);
}
void run(Call& call, const Request& r) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const SliceGroups groups(self, r.dim, r.sorted, call.runtime);
  const int64_t n = r.dim < 0 ? call.outputs[0].sizes[0] : self.ndim == 0 ? 1 : call.outputs[0].sizes[r.dim];
  const auto vector = [&](int i) { return i < call.noutputs && call.outputs[i].numel() > 0 ? call.outputs[i].ptr<int64_t>() : nullptr; };
  groups.write(call.outputs[0], n, vector(1), vector(2));
}

// As cpu-avx/portable/unique.cc.
int dim_at(const Call& call, int i) { return wrap_dim(call.args[i].i, call.tensor(0).ndim); }
Request of_unique(const Call& call) { return {-1, true, call.args[2].b, false}; }
Request of_unique2(const Call& call) { return {-1, true, call.args[2].b, call.args[3].b}; }
Request of_dim(const Call& call) { return {dim_at(call, 1), true, true, true}; }
Request of_dim_consecutive(const Call& call) { return {dim_at(call, 1), false, true, true}; }
Request of_consecutive(const Call& call) {
  if (call.args[3].is_none() || (call.args[3].i == 0 && call.tensor(0).ndim == 1)) return {-1, false, call.args[1].b, call.args[2].b};
  return {dim_at(call, 3), false, true, true};
}
bool takes(const Call& call) { return is_sortable(call.tensor(0).dtype); }
#define TS_CUDA_UNIQUE(name, request)                                    \
  TS_CUDA_KERNEL(name, {.infer = [](Call& call) { infer(call, request(call)); }, \
                        .run = [](Call& call) { run(call, request(call)); },     \
                        .data_dependent = true,                                  \
                        .accepts = takes,                                        \
                        .waits = true})
TS_CUDA_UNIQUE(unique, of_unique);
TS_CUDA_UNIQUE(unique2, of_unique2);
TS_CUDA_UNIQUE(unique_dim, of_dim);
TS_CUDA_UNIQUE(unique_dim_consecutive, of_dim_consecutive);
TS_CUDA_UNIQUE(unique_consecutive, of_consecutive);

}  // namespace
}  // namespace torchscript::cuda
