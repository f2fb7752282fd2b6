// Advanced indexing: index, index_mask (index with at least one mask: its shape depends on data) and index_put.
//
// The list of index tensors is aligned with the dimensions of self; null keeps a dimension. Masks become the columns of their nonzero
// positions. Index tensors broadcast together; their dimensions replace the indexed ones in place when these are adjacent, else they come first.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

struct IndexPlan {
  // Per dimension of self: the index tensor, or null. Owned columns of masks are views on `columns`.
  std::vector<const TensorView*> by_dim;
  std::vector<std::vector<int64_t>> columns;
  std::vector<TensorView> column_views;
  std::vector<int64_t> index_shape;
  std::vector<int> kept_before, indexed, kept_after;
};

bool is_mask(const TensorView& v) { return v.dtype == DType::Bool || v.dtype == DType::U8; }

void check_index_dtype(const TensorView& v) {
  if (v.dtype == DType::I64 || v.dtype == DType::I32 || is_mask(v)) return;
  fail_as("IndexError", "tensors used as indices must be long, int, byte or bool tensors");
}

// Positions of the true elements of a mask, one column a dimension.
void mask_columns(const TensorView& mask, std::vector<std::vector<int64_t>>& columns) {
  columns.assign(static_cast<size_t>(mask.ndim), {});
  int64_t position[kMaxDims] = {};
  if (mask.numel() == 0) return;
  for (;;) {
    int64_t offset = 0;
    for (int d = 0; d < mask.ndim; d++) offset += position[d] * mask.strides[d];
    if (mask.ptr<uint8_t>()[offset])
      for (int d = 0; d < mask.ndim; d++) columns[d].push_back(position[d]);
    int d = mask.ndim - 1;
    for (; d >= 0 && ++position[d] == mask.sizes[d]; d--) position[d] = 0;
    if (d < 0) return;
  }
}

void check_mask_shape(const TensorView& self, const TensorView& mask, int dim, int64_t index) {
  for (int d = 0; d < mask.ndim; d++) {
    if (dim + d < self.ndim && mask.sizes[d] == self.sizes[dim + d]) continue;
    char a[256], b[256];
    fail_as("IndexError", "The shape of the mask %s at index %lld does not match the shape of the indexed tensor %s at index %d",
            shape_text(mask, a), static_cast<long long>(index), shape_text(self, b), dim + d);
  }
}

IndexPlan make_plan(const TensorView& self, const Arg& list) {
  if (list.kind != ArgKind::TensorList) fail("Expected a list of tensors for `indices`");
  IndexPlan plan;
  int total = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    const TensorView* v = list.tensors.p[i];
    if (v != nullptr) check_index_dtype(*v);
    total += v != nullptr && is_mask(*v) ? std::max(v->ndim, 1) : 1;
  }
  plan.columns.reserve(static_cast<size_t>(total));
  plan.column_views.reserve(static_cast<size_t>(total));
  int dim = 0;
  for (int64_t i = 0; i < list.tensors.n; i++) {
    const TensorView* v = list.tensors.p[i];
    if (v == nullptr || !is_mask(*v)) {
      plan.by_dim.push_back(v);
      dim++;
      continue;
    }
    check_mask_shape(self, *v, dim, i);
    std::vector<std::vector<int64_t>> columns;
    mask_columns(*v, columns);
    for (auto& column : columns) {
      plan.columns.push_back(std::move(column));
      TensorView view;
      view.data = plan.columns.back().data();
      view.ndim = 1;
      view.sizes[0] = static_cast<int64_t>(plan.columns.back().size());
      view.strides[0] = 1;
      view.dtype = DType::I64;
      plan.column_views.push_back(view);
      plan.by_dim.push_back(&plan.column_views.back());
      dim++;
    }
  }
  if (static_cast<int>(plan.by_dim.size()) > self.ndim) {
    fail_as("IndexError", "too many indices for tensor of dimension %d (got %d)", self.ndim, static_cast<int>(plan.by_dim.size()));
  }
  plan.by_dim.resize(static_cast<size_t>(self.ndim), nullptr);
  for (const TensorView* v : plan.by_dim) {
    if (v == nullptr || broadcast_into(plan.index_shape, *v)) continue;
    fail_as("IndexError", "shape mismatch: indexing tensors could not be broadcast together");
  }
  for (int d = 0; d < self.ndim; d++)
    if (plan.by_dim[d] != nullptr) plan.indexed.push_back(d);
  const bool adjacent = plan.indexed.empty() || plan.indexed.back() - plan.indexed.front() + 1 == static_cast<int>(plan.indexed.size());
  const int first = plan.indexed.empty() ? self.ndim : plan.indexed.front();
  for (int d = 0; d < self.ndim; d++) {
    if (plan.by_dim[d] != nullptr) continue;
    (adjacent && d < first ? plan.kept_before : plan.kept_after).push_back(d);
  }
  return plan;
}

std::vector<int64_t> result_shape(const TensorView& self, const IndexPlan& plan) {
  std::vector<int64_t> shape;
  for (const int d : plan.kept_before) shape.push_back(self.sizes[d]);
  shape.insert(shape.end(), plan.index_shape.begin(), plan.index_shape.end());
  for (const int d : plan.kept_after) shape.push_back(self.sizes[d]);
  if (shape.size() > kMaxDims) fail("index: the result has more than %d dimensions", kMaxDims);
  return shape;
}

// Offsets into self (in its strides) of every position of the broadcast index tensors.
int64_t* index_offsets(Call& call, const TensorView& self, const IndexPlan& plan, int64_t n) {
  int64_t* offsets = scratch<int64_t>(call, n);
  std::fill(offsets, offsets + n, 0);
  int64_t* values = scratch<int64_t>(call, n);
  for (const int d : plan.indexed) {
    copy_to_dense(values, DType::I64, expand_view(*plan.by_dim[d], plan.index_shape.data(), static_cast<int>(plan.index_shape.size())));
    const int64_t size = self.sizes[d], stride = self.strides[d];
    for (int64_t i = 0; i < n; i++) {
      int64_t v = values[i];
      if (v < -size || v >= size) {
        fail_as("IndexError", "index %lld is out of bounds for dimension %d with size %lld", static_cast<long long>(v), d,
                static_cast<long long>(size));
      }
      if (v < 0) v += size;
      offsets[i] += v * stride;
    }
  }
  return offsets;
}

TensorView keep_dims(const TensorView& self, const std::vector<int>& dims) {
  TensorView v = self;
  v.ndim = static_cast<int32_t>(dims.size());
  for (size_t i = 0; i < dims.size(); i++) {
    v.sizes[i] = self.sizes[dims[i]];
    v.strides[i] = self.strides[dims[i]];
  }
  return v;
}

void infer_index(Call& call) {
  const TensorView& self = call.tensor(0);
  const std::vector<int64_t> shape = result_shape(self, make_plan(self, call.args[1]));
  call.set_output(0, self.dtype, shape.data(), static_cast<int>(shape.size()));
  if (self.quant != nullptr) call.outputs[0].quant = self.quant;
}

void run_index(Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) {
    if (self.numel() == 0) {  // indices are still checked when the result keeps positions
      const IndexPlan plan = make_plan(self, call.args[1]);
      index_offsets(call, self, plan, product(plan.index_shape.data(), 0, static_cast<int>(plan.index_shape.size())));
    }
    return;
  }
  const IndexPlan plan = make_plan(self, call.args[1]);
  const int64_t n = product(plan.index_shape.data(), 0, static_cast<int>(plan.index_shape.size()));
  const int64_t* offsets = index_offsets(call, self, plan, n);
  const TensorView before = keep_dims(self, plan.kept_before), after = keep_dims(self, plan.kept_after);
  const std::vector<int64_t> outer = offsets_of(before, 0, before.ndim);
  const bool dense_rows = after.is_contiguous();
  const int64_t row = after.numel();
  const std::vector<int64_t> inner = dense_rows ? std::vector<int64_t>() : offsets_of(after, 0, after.ndim);
  dispatch_size(self.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* source = self.ptr<T>();
    T* result = out.ptr<T>();
    const int64_t positions = static_cast<int64_t>(outer.size()) * n;
    call.runtime->parallel(positions, std::max<int64_t>(1, 16384 / std::max<int64_t>(row, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        const T* from = source + outer[p / n] + offsets[p % n];
        T* to = result + p * row;
        if (row == 1 && dense_rows) *to = *from;
        else if (dense_rows) std::memcpy(to, from, static_cast<size_t>(row) * sizeof(T));
        else
          for (int64_t j = 0; j < row; j++) to[j] = from[inner[j]];
      }
    });
  });
}

void infer_index_put(Call& call) {
  const TensorView& self = call.tensor(0);
  if (call.tensor(2).dtype != self.dtype) {
    fail("Index put requires the source and destination dtypes match, got %s for the destination and %s for the source.",
         dtype_torch_name(self.dtype), dtype_torch_name(call.tensor(2).dtype));
  }
  output_like(call, 0, self);
}

void run_index_put(Call& call) {
  const TensorView& out = call.outputs[0];
  start_from(out, call.tensor(0));
  const IndexPlan plan = make_plan(out, call.args[1]);
  const std::vector<int64_t> shape = result_shape(out, plan);
  const int64_t total = product(shape.data(), 0, static_cast<int>(shape.size()));
  const TensorView expanded = expand_view(call.tensor(2), shape.data(), static_cast<int>(shape.size()));
  const int64_t n = product(plan.index_shape.data(), 0, static_cast<int>(plan.index_shape.size()));
  const int64_t* offsets = index_offsets(call, out, plan, n);
  if (total == 0) return;
  const bool accumulate = call.args[3].b;
  const TensorView before = keep_dims(out, plan.kept_before), after = keep_dims(out, plan.kept_after);
  const std::vector<int64_t> outer = offsets_of(before, 0, before.ndim), inner = offsets_of(after, 0, after.ndim);
  const int64_t row = static_cast<int64_t>(inner.size());
  const bool one_value = call.tensor(2).numel() == 1;
  if (!accumulate) {
    dispatch_size(out.dtype, [&](auto tag) {
      using T = decltype(tag);
      T* result = out.ptr<T>();
      const T* values = one_value ? call.tensor(2).ptr<T>() : dense<T>(call, expanded);
      const int64_t step = one_value ? 0 : 1;
      for (size_t b = 0; b < outer.size(); b++)
        for (int64_t i = 0; i < n; i++)
          for (int64_t j = 0; j < row; j++, values += step) result[outer[b] + offsets[i] + inner[j]] = *values;
    });
    return;
  }
  dispatch_all(out.dtype, "index_put", [&](auto tag) {
    using T = decltype(tag);
    T* result = out.ptr<T>();
    const T* values = dense<T>(call, expanded);
    for (size_t b = 0; b < outer.size(); b++) {
      for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < row; j++, values++) {
          T& to = result[outer[b] + offsets[i] + inner[j]];
          to = add_elements(to, *values);
        }
      }
    }
  });
}

}  // namespace

TS_KERNEL(index, {.infer = infer_index, .run = run_index, .quantized = true});
TS_KERNEL(index_mask, {.infer = infer_index, .run = run_index, .data_dependent = true, .quantized = true});
TS_KERNEL(index_put, {.infer = infer_index_put, .run = run_index_put, .in_place = true, .self_first = true});

}  // namespace torchscript::portable
