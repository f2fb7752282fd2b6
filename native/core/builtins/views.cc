// Views: new windows on a tensor's storage.
#include "core/builtins/views.h"

#include <algorithm>

#include "core/builtins/adapter.h"

namespace torchscript::builtins {

Ref<Tensor> alias(const Tensor& t) { return make_view(t, sizes_of(t), strides_of(t), t.offset); }

Ref<Tensor> view(const Tensor& t, const Sizes& shape) {
  Sizes sizes = infer_size(shape, t.numel());
  std::optional<Sizes> strides = view_strides(sizes_of(t), strides_of(t), sizes);
  if (!strides) {
    throw OperatorError(
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
      "subspaces). Use .reshape(...) instead.");
  }
  return make_view(t, sizes, *strides, t.offset);
}

Value reshape(Context& context, const Value& self, const Sizes& shape) {
  Tensor& t = self.to_tensor();
  Sizes sizes = infer_size(shape, t.numel());
  std::optional<Sizes> strides = view_strides(sizes_of(t), strides_of(t), sizes);
  if (strides) return Value(make_view(t, sizes, *strides, t.offset));
  Value copy = clone_contiguous(context, self);
  return Value(view(copy.to_tensor(), sizes));
}

Ref<Tensor> permute(const Tensor& t, const Sizes& dims) {
  if (static_cast<int>(dims.size()) != t.dim()) {
    throw OperatorError(
      "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
      "dimensions i.e. input.dim() = " +
      std::to_string(t.dim()) + " is not equal to len(dims) = " + std::to_string(dims.size()));
  }
  Sizes sizes, strides;
  std::vector<bool> seen(dims.size(), false);
  for (int64_t dim : dims) {
    int d = wrap_dim(dim, t.dim());
    if (seen[d]) throw OperatorError("permute(): duplicate dims are not allowed.");
    seen[d] = true;
    sizes.push_back(t.size(d));
    strides.push_back(t.stride(d));
  }
  refuse_channels(t);
  return make_view(t, sizes, strides, t.offset);
}

Ref<Tensor> transpose(const Tensor& t, int64_t dim0, int64_t dim1) {
  int a = wrap_dim(dim0, t.dim()), b = wrap_dim(dim1, t.dim());
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  if (a != b) {
    refuse_channels(t);
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  return make_view(t, sizes, strides, t.offset);
}

Ref<Tensor> unsqueeze(const Tensor& t, int64_t dim) {
  int d = wrap_dim(dim, t.dim() + 1);
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  int64_t stride = d < t.dim() ? sizes[d] * strides[d] : 1;
  sizes.insert(sizes.begin() + d, 1);
  strides.insert(strides.begin() + d, stride);
  if (!has_channels(t)) return make_view(t, sizes, strides, t.offset);
  const int axis = static_cast<int>(t.view.quant->axis);
  return make_view(t, sizes, strides, t.offset, {axis + (d <= axis), 0, t.size(axis), 1});
}

Ref<Tensor> squeeze(const Tensor& t, const std::vector<bool>& which) {
  Sizes sizes, strides;
  const int axis = has_channels(t) ? static_cast<int>(t.view.quant->axis) : -1;
  int new_axis = axis;
  for (int d = 0; d < t.dim(); d++) {
    if (which[d] && t.size(d) == 1) {
      new_axis = d == axis ? -1 : new_axis - (d < axis);
      continue;
    }
    sizes.push_back(t.size(d));
    strides.push_back(t.stride(d));
  }
  if (axis >= 0) return make_view(t, sizes, strides, t.offset, {new_axis, 0, t.size(axis), 1});
  return make_view(t, sizes, strides, t.offset);
}

Ref<Tensor> expand(const Tensor& t, const Sizes& shape) {
  int n = static_cast<int>(shape.size()), added = n - t.dim();
  if (added < 0) {
    throw OperatorError("expand(torch." + std::string(dtype_torch_name(t.dtype())) + "Tensor{" + sizes_text(sizes_of(t)) +
                        "}, size=" + sizes_text(shape) + "): the number of sizes provided (" + std::to_string(n) +
                        ") must be greater or equal to the number of dimensions in the tensor (" + std::to_string(t.dim()) + ")");
  }
  Sizes sizes = shape, strides(shape.size());
  for (int d = n - 1; d >= 0; d--) {
    int from = d - added;
    int64_t size = from >= 0 ? t.size(from) : 1;
    int64_t stride = from >= 0 ? t.stride(from) : d + 1 < n ? sizes[d + 1] * strides[d + 1] : 1;
    if (sizes[d] == -1) {
      if (from < 0) {
        throw OperatorError("The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension " + std::to_string(d));
      }
      sizes[d] = size;
    }
    if (sizes[d] < 0) throw OperatorError("The expanded size of the tensor (" + std::to_string(sizes[d]) + ") isn't allowed");
    if (sizes[d] != size) {
      if (size != 1) {
        throw OperatorError("The expanded size of the tensor (" + std::to_string(sizes[d]) + ") must match the existing size (" +
                            std::to_string(size) + ") at non-singleton dimension " + std::to_string(d) +
                            ".  Target sizes: " + sizes_text(shape) + ".  Tensor sizes: " + sizes_text(sizes_of(t)));
      }
      stride = 0;
    }
    strides[d] = stride;
  }
  product(sizes);
  refuse_channels(t);
  return make_view(t, sizes, strides, t.offset);
}

Ref<Tensor> select(const Tensor& t, int64_t dim, int64_t index) {
  if (t.dim() == 0) throw OperatorError("select() cannot be applied to a 0-dim tensor.", "IndexError");
  int d = wrap_dim(dim, t.dim());
  int64_t size = t.size(d);
  if (index < -size || index >= size) {
    throw OperatorError("select(): index " + std::to_string(index) + " out of range for tensor of size " + sizes_text(sizes_of(t)) +
                          " at dimension " + std::to_string(d),
                        "IndexError");
  }
  if (index < 0) index += size;
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  int64_t offset = t.offset + index * strides[d];
  sizes.erase(sizes.begin() + d);
  strides.erase(strides.begin() + d);
  if (!has_channels(t)) return make_view(t, sizes, strides, offset);
  const int axis = static_cast<int>(t.view.quant->axis);
  if (axis == d) return make_view(t, sizes, strides, offset, {-1, index, 1, 1});
  return make_view(t, sizes, strides, offset, {axis - (d < axis), 0, t.size(axis), 1});
}

Ref<Tensor> slice(const Tensor& t, int64_t dim, std::optional<int64_t> start_, std::optional<int64_t> end_, int64_t step) {
  if (t.dim() == 0) throw OperatorError("slice() cannot be applied to a 0-dim tensor.");
  int d = wrap_dim(dim, t.dim());
  if (step <= 0) throw OperatorError("slice step must be positive");
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  int64_t size = sizes[d], start = start_.value_or(0), end = end_.value_or(INT64_MAX);
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = std::clamp<int64_t>(start, 0, size);
  end = std::clamp<int64_t>(end, start, size);
  sizes[d] = end == start ? 0 : (end - start - 1) / step + 1;
  int64_t offset = t.offset + start * strides[d];
  // A stride is used only between two elements; a step beyond the end must not overflow it.
  if (sizes[d] > 1) strides[d] *= step;
  else if (__builtin_mul_overflow(strides[d], step, &strides[d])) strides[d] = 1;
  if (!has_channels(t) || t.view.quant->axis != d) return make_view(t, sizes, strides, offset);
  // One channel that is left is the quantizer of the whole, as in PyTorch.
  return make_view(t, sizes, strides, offset, {sizes[d] == 1 ? -1 : d, start, sizes[d], step});
}

Ref<Tensor> narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length) {
  if (t.dim() == 0) throw OperatorError("narrow() cannot be applied to a 0-dim tensor.");
  if (length < 0) throw OperatorError("narrow(): length must be non-negative.");
  int d = wrap_dim(dim, t.dim());
  int64_t size = t.size(d);
  if (start < -size || start > size) {
    throw OperatorError("start out of range (expected to be in range of [" + std::to_string(-size) + ", " + std::to_string(size) +
                          "], but got " + std::to_string(start) + ")",
                        "IndexError");
  }
  if (start < 0) start += size;
  if (length > size - start) {
    throw OperatorError("start (" + std::to_string(start) + ") + length (" + std::to_string(length) + ") exceeds dimension size (" +
                        std::to_string(size) + ").");
  }
  return slice(t, d, start, start + length, 1);
}

namespace {

using MaybeInt = std::optional<int64_t>;

std::vector<bool> all_dims(const Tensor& t) { return std::vector<bool>(static_cast<size_t>(std::max(t.dim(), 1)), true); }
Ref<Tensor> squeeze_all(Tensor& t) { return squeeze(t, all_dims(t)); }
Ref<Tensor> squeeze_one(Tensor& t, int64_t dim) { return squeeze(t, dim_mask({dim}, t.dim())); }
Ref<Tensor> squeeze_many(Tensor& t, Sizes dims) { return squeeze(t, dim_mask(dims, t.dim())); }

Ref<Tensor> flip_matrix(Tensor& t) {
  if (t.dim() > 2) throw OperatorError("t() expects a tensor with <= 2 dimensions, but self is " + std::to_string(t.dim()) + "D");
  return t.dim() < 2 ? alias(t) : transpose(t, 0, 1);
}
Ref<Tensor> reverse_dims(Tensor& t) {
  Sizes dims;
  for (int d = t.dim() - 1; d >= 0; d--) dims.push_back(d);
  return permute(t, dims);
}
Ref<Tensor> transpose_last(Tensor& t) {
  if (t.dim() == 0) return alias(t);
  if (t.dim() < 2)
    throw OperatorError("tensor.mT is only supported on matrices or batches of matrices. Got " + std::to_string(t.dim()) + "-D tensor.");
  return transpose(t, -2, -1);
}
Value conjugate(Context& context, Value v) { return is_complex(v.to_tensor().dtype()) ? context.call_kernel("conj_physical", {v}) : v; }
Value matrix_h(Context& context, const Value& self) {
  Tensor& t = self.to_tensor();
  if (t.dim() != 0 && t.dim() != 2)
    throw OperatorError("tensor.H is only supported on matrices (2-D tensors). Got " + std::to_string(t.dim()) + "-D tensor.");
  return conjugate(context, Value(t.dim() == 0 ? alias(t) : transpose(t, 0, 1)));
}
Value adjoint(Context& context, const Value& self) {
  Tensor& t = self.to_tensor();
  if (t.dim() == 1) throw OperatorError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.");
  return conjugate(context, Value(t.dim() == 0 ? alias(t) : transpose(t, -2, -1)));
}

Ref<Tensor> move_dims(Tensor& t, Sizes source, Sizes destination) {
  if (source.size() != destination.size()) {
    throw OperatorError("movedim: Invalid source or destination dims: source (" + sizes_text(source) +
                        " dims) should contain the same number of dims as destination (" + sizes_text(destination) + " dims)");
  }
  std::vector<bool> from = dim_mask(source, t.dim()), to = dim_mask(destination, t.dim());
  if (t.dim() == 0) return alias(t);
  Sizes order(static_cast<size_t>(t.dim()), -1);
  for (size_t i = 0; i < source.size(); i++) order[wrap_dim(destination[i], t.dim())] = wrap_dim(source[i], t.dim());
  int next = 0;
  for (int64_t& d : order) {
    if (d >= 0) continue;
    while (from[next]) next++;
    d = next++;
  }
  return permute(t, order);
}

Value flatten(Context& context, const Value& self, int64_t start_dim, int64_t end_dim) {
  Tensor& t = self.to_tensor();
  int start = wrap_dim(start_dim, t.dim()), end = wrap_dim(end_dim, t.dim());
  if (start > end) throw OperatorError("flatten() has invalid args: start_dim cannot come after end_dim");
  if (t.dim() == 0) return reshape(context, self, {1});
  if (start == end) return self;
  Sizes shape;
  int64_t merged = 1;
  for (int d = start; d <= end; d++) merged *= t.size(d);
  for (int d = 0; d < start; d++) shape.push_back(t.size(d));
  shape.push_back(merged);
  for (int d = end + 1; d < t.dim(); d++) shape.push_back(t.size(d));
  return reshape(context, self, shape);
}

Ref<Tensor> unflatten(Tensor& t, int64_t dim, Sizes sizes) {
  int d = wrap_dim(dim, t.dim());
  if (sizes.empty()) throw OperatorError("unflatten: sizes must be non-empty");
  int64_t size = t.dim() == 0 ? 1 : t.size(d);
  Sizes inferred;
  try {
    inferred = infer_size(sizes, size);
  } catch (const OperatorError&) {
    throw OperatorError("unflatten: Provided sizes " + sizes_text(sizes) + " don't multiply up to the size of dim " + std::to_string(d) +
                        " (" + std::to_string(size) + ") in the input tensor");
  }
  Sizes shape = sizes_of(t);
  if (!shape.empty()) shape.erase(shape.begin() + d);
  shape.insert(shape.begin() + d, inferred.begin(), inferred.end());
  return view(t, shape);
}

Ref<Tensor> unfold(Tensor& t, int64_t dimension, int64_t size, int64_t step) {
  int d = wrap_dim(dimension, t.dim());
  int64_t length = t.dim() == 0 ? 1 : t.size(d);
  if (size < 0) throw OperatorError("size is " + std::to_string(size) + " but must be >= 0");
  if (size > length) {
    throw OperatorError("maximum size for tensor at dimension " + std::to_string(d) + " is " + std::to_string(length) + " but size is " +
                        std::to_string(size));
  }
  if (step <= 0) throw OperatorError("step is " + std::to_string(step) + " but must be > 0");
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  int64_t stride = t.dim() == 0 ? 1 : strides[d];
  if (t.dim() > 0) {
    sizes[d] = (length - size) / step + 1;
    if (sizes[d] > 1) strides[d] *= step;
  }
  sizes.push_back(size);
  strides.push_back(stride);
  refuse_channels(t);
  return make_view(t, sizes, strides, t.offset);
}

Ref<Tensor> diagonal(Tensor& t, MaybeInt offset_, MaybeInt dim1, MaybeInt dim2) {
  int64_t offset = offset_.value_or(0);
  int a = wrap_dim(dim1.value_or(0), t.dim()), b = wrap_dim(dim2.value_or(1), t.dim());
  if (a == b)
    throw OperatorError("diagonal dimensions cannot be identical " + std::to_string(dim1.value_or(0)) + ", " +
                        std::to_string(dim2.value_or(1)));
  int64_t rows = t.size(a), columns = t.size(b);
  int64_t length =
    offset >= 0 ? std::min(rows, offset > columns ? 0 : columns - offset) : std::min(offset < -rows ? 0 : rows + offset, columns);
  length = std::max<int64_t>(length, 0);
  int64_t at = t.offset;
  if (length > 0) at += offset >= 0 ? offset * t.stride(b) : -offset * t.stride(a);
  Sizes sizes, strides;
  for (int d = 0; d < t.dim(); d++) {
    if (d == a || d == b) continue;
    sizes.push_back(t.size(d));
    strides.push_back(t.stride(d));
  }
  sizes.push_back(length);
  strides.push_back(t.stride(a) + t.stride(b));
  refuse_channels(t);
  return make_view(t, sizes, strides, at);
}

Ref<Tensor> as_strided(Tensor& t, Sizes sizes, Sizes strides, MaybeInt storage_offset) {
  if (sizes.size() != strides.size()) {
    throw OperatorError("mismatch in length of strides and shape");
  }
  int64_t offset = storage_offset.value_or(t.offset);
  if (offset < 0) throw OperatorError("Tensor: invalid storage offset " + std::to_string(offset));
  int64_t last = offset;
  bool overflow = false;
  for (size_t d = 0; d < sizes.size(); d++) {
    if (strides[d] < 0)
      throw OperatorError("as_strided: Negative strides are not supported at the moment, got strides: " + sizes_text(strides));
    if (sizes[d] < 0)
      throw OperatorError("Storage size calculation overflowed with sizes=" + sizes_text(sizes) + " and strides=" + sizes_text(strides));
    int64_t reach;
    overflow = __builtin_mul_overflow(std::max<int64_t>(sizes[d] - 1, 0), strides[d], &reach) ||
               __builtin_add_overflow(last, reach, &last) || overflow;
  }
  int64_t capacity = static_cast<int64_t>(t.storage ? t.storage->bytes : 0) / dtype_size(t.dtype());
  if (overflow || (product(sizes) > 0 && last >= capacity)) {
    throw OperatorError("setStorage: sizes " + sizes_text(sizes) + ", strides " + sizes_text(strides) + ", storage offset " +
                        std::to_string(offset) + ", and itemsize " + std::to_string(dtype_size(t.dtype())) +
                        " requiring a storage size of " +
                        (overflow ? std::string("too many") : std::to_string((last + 1) * dtype_size(t.dtype()))) +
                        " are out of bounds for storage of size " + std::to_string(t.storage ? t.storage->bytes : 0));
  }
  if (product(sizes) == 0) offset = std::min(offset, capacity);
  refuse_channels(t);
  return make_view(t, sizes, strides, offset);
}

// The storage read as another dtype; sizes, strides and offset are in elements of that dtype.
Ref<Tensor> reinterpret(const Tensor& t, DType dtype, const Sizes& sizes, const Sizes& strides, int64_t offset) {
  if (sizes.size() > static_cast<size_t>(kMaxDims)) throw OperatorError("Expected at most " + std::to_string(kMaxDims) + " dimensions");
  return Tensor::on_storage(t.storage, dtype, sizes.data(), strides.data(), static_cast<int>(sizes.size()), offset);
}

DType real_dtype(DType dtype) { return dtype == DType::C128 ? DType::F64 : dtype == DType::C64 ? DType::F32 : DType::F16; }
DType complex_dtype(DType dtype) { return dtype == DType::F64 ? DType::C128 : dtype == DType::F32 ? DType::C64 : DType::C32; }

Ref<Tensor> part_of_complex(Tensor& t, int64_t part) {
  Sizes strides = strides_of(t);
  for (int64_t& s : strides) s *= 2;
  return reinterpret(t, real_dtype(t.dtype()), sizes_of(t), strides, 2 * t.offset + part);
}
Value real(const Value& self) { return is_complex(self.to_tensor().dtype()) ? Value(part_of_complex(self.to_tensor(), 0)) : self; }
Ref<Tensor> imaginary(Tensor& t) {
  if (!is_complex(t.dtype())) throw OperatorError("imag is not implemented for tensors with non-complex dtypes.");
  return part_of_complex(t, 1);
}
Ref<Tensor> view_as_real(Tensor& t) {
  if (!is_complex(t.dtype())) throw OperatorError("view_as_real is only supported for complex tensors");
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  for (int64_t& s : strides) s *= 2;
  sizes.push_back(2);
  strides.push_back(1);
  return reinterpret(t, real_dtype(t.dtype()), sizes, strides, 2 * t.offset);
}
Ref<Tensor> view_as_complex(Tensor& t) {
  if (t.dtype() != DType::F32 && t.dtype() != DType::F64 && t.dtype() != DType::F16) {
    throw OperatorError(
      std::string("view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ") +
      dtype_torch_name(t.dtype()));
  }
  if (t.dim() == 0) throw OperatorError("Input tensor must have one or more dimensions");
  int last = t.dim() - 1;
  if (t.size(last) != 2) throw OperatorError("Tensor must have a last dimension of size 2");
  if (t.stride(last) != 1) throw OperatorError("Tensor must have a last dimension with stride 1");
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  sizes.pop_back();
  strides.pop_back();
  for (int64_t& s : strides) {
    if (s % 2) throw OperatorError("Tensor must have a stride divisible by 2 for all but last dimension");
    s /= 2;
  }
  if (t.offset % 2) throw OperatorError("Tensor must have a storage_offset divisible by 2");
  return reinterpret(t, complex_dtype(t.dtype()), sizes, strides, t.offset / 2);
}

Value view_dtype(const Value& self, int64_t code) {
  Tensor& t = self.to_tensor();
  DType dtype = dtype_of(code);
  if (dtype == t.dtype()) return self;
  if (is_quantized(dtype) || is_quantized(t.dtype())) throw OperatorError("self.view: quantized tensors cannot be viewed as another dtype");
  int64_t from = dtype_size(t.dtype()), to = dtype_size(dtype);
  Sizes sizes = sizes_of(t), strides = strides_of(t);
  if (from == to) return Value(reinterpret(t, dtype, sizes, strides, t.offset));
  if (sizes.empty()) {
    throw OperatorError("self.dim() cannot be 0 to view " + std::string(dtype_torch_name(t.dtype())) + " as " + dtype_torch_name(dtype) +
                        " (different element sizes)");
  }
  if (strides.back() != 1)
    throw OperatorError("self.stride(-1) must be 1 to view " + std::string(dtype_torch_name(t.dtype())) + " as " + dtype_torch_name(dtype) +
                        " (different element sizes), but got " + std::to_string(strides.back()));
  if (from > to) {
    int64_t ratio = from / to;
    for (size_t d = 0; d + 1 < strides.size(); d++) strides[d] *= ratio;
    sizes.back() *= ratio;
    return Value(reinterpret(t, dtype, sizes, strides, t.offset * ratio));
  }
  int64_t ratio = to / from;
  if (sizes.back() % ratio || t.offset % ratio) {
    throw OperatorError("self.size(-1) must be divisible by " + std::to_string(ratio) + " to view " + dtype_torch_name(t.dtype()) + " as " +
                        dtype_torch_name(dtype) + " (different element sizes), but got " + std::to_string(sizes.back()));
  }
  for (size_t d = 0; d + 1 < strides.size(); d++) {
    if (strides[d] % ratio)
      throw OperatorError("self.stride(" + std::to_string(d) + ") must be divisible by " + std::to_string(ratio) +
                          " to view this tensor as another dtype");
    strides[d] /= ratio;
  }
  sizes.back() /= ratio;
  return Value(reinterpret(t, dtype, sizes, strides, t.offset / ratio));
}

Value at_least(const Value& self, int n) {
  Tensor& t = self.to_tensor();
  if (t.dim() >= n) return self;
  if (n == 1) return Value(view(t, {1}));
  if (n == 2) return Value(t.dim() == 0 ? view(t, {1, 1}) : unsqueeze(t, 0));
  if (t.dim() == 0) return Value(view(t, {1, 1, 1}));
  if (t.dim() == 1) return Value(unsqueeze(*unsqueeze(t, 0), -1));
  return Value(unsqueeze(t, -1));
}
template <int N> Value at_least_one(const Value& self) { return at_least(self, N); }
template <int N> Ref<ListValue> at_least_all(ListValue& list) {
  std::vector<Value> items;
  for (const Value& v : list.items) items.push_back(at_least(v, N));
  return make_list(std::move(items), tensor_type());
}

Ref<ListValue> broadcast_tensors(ListValue& list) {
  Sizes shape;
  for (const Value& v : list.items) shape = broadcast_sizes(shape, sizes_of(v.to_tensor()));
  std::vector<Value> items;
  for (const Value& v : list.items) items.push_back(Value(expand(v.to_tensor(), shape)));
  return make_list(std::move(items), tensor_type());
}

Ref<ListValue> mesh_grid(ListValue& list, const Value& indexing_) {
  std::string indexing = indexing_.is_none() ? "ij" : indexing_.to_string();
  if (list.items.empty()) throw OperatorError("meshgrid expects a non-empty TensorList");
  if (indexing != "ij" && indexing != "xy")
    throw OperatorError("torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: " + indexing);
  std::vector<Ref<Tensor>> tensors;
  for (const Value& v : list.items) {
    if (v.to_tensor().dim() > 1)
      throw OperatorError("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got a tensor of rank " +
                          std::to_string(v.to_tensor().dim()));
    if (v.to_tensor().dtype() != list.items[0].to_tensor().dtype())
      throw OperatorError("torch.meshgrid expects all tensors to have the same dtype");
    tensors.push_back(v.to_tensor_ref());
  }
  bool swapped = indexing == "xy" && tensors.size() >= 2;
  if (swapped) std::swap(tensors[0], tensors[1]);
  Sizes shape;
  for (const auto& t : tensors) shape.push_back(t->numel());
  std::vector<Value> grids;
  for (size_t i = 0; i < tensors.size(); i++) {
    Sizes one(tensors.size(), 1);
    one[i] = tensors[i]->numel();
    grids.push_back(Value(expand(*view(*tensors[i], one), shape)));
  }
  if (swapped) std::swap(grids[0], grids[1]);
  return make_list(std::move(grids), tensor_type());
}

Value reshape_like(Context& context, const Value& self, Tensor& other) { return reshape(context, self, sizes_of(other)); }
Ref<Tensor> expand_like(Tensor& t, Tensor& other) { return expand(t, sizes_of(other)); }
Ref<Tensor> narrow_at_tensor(Context& context, Tensor& t, int64_t dim, Tensor& start, int64_t length) {
  if (start.dim() != 0 || (!is_integral(start.dtype()))) throw OperatorError("start must be an 0-dim integral Tensor.");
  return narrow(t, dim, context.item(start).to_int(), length);
}
Ref<Tensor> slice_maybe(Tensor& t, MaybeInt dim, MaybeInt start, MaybeInt end, MaybeInt step) {
  return slice(t, dim.value_or(0), start, end, step.value_or(1));
}
Value ravel(Context& context, const Value& self) {
  Tensor& t = self.to_tensor();
  if (is_contiguous(t)) return Value(view(t, {-1}));
  return reshape(context, self, {-1});
}

// The same tensor object with a new window, for squeeze_, t_, transpose_ ...
Value rewindow(Context& context, const Value& self, const Ref<Tensor>& window) {
  Tensor& t = self.to_tensor();
  if (t.storage->is_weight || t.storage->module_state) context.side_effect("it changes the shape of a module's tensor in place");
  t.offset = window->offset;
  const QuantParams* quant = t.view.quant;
  t.view = window->view;
  t.view.quant = quant;
  return self;
}

static Builtins rows{
  {"aten::alias", fn<[](Tensor& t) { return alias(t); }>},
  {"aten::detach", fn<[](Tensor& t) { return alias(t); }>},
  {"aten::view", fn<[](Tensor& t, Sizes shape) { return view(t, shape); }>},
  {"aten::view.dtype", fn<view_dtype>},
  {"aten::_unsafe_view", fn<[](Tensor& t, Sizes shape) { return view(t, shape); }>},
  {"aten::view_as", fn<[](Tensor& t, Tensor& other) { return view(t, sizes_of(other)); }>},
  {"aten::reshape", fn<[](Context& context, const Value& self, Sizes shape) { return reshape(context, self, shape); }>},
  {"aten::reshape_as", fn<reshape_like>},
  {"aten::_reshape_alias", fn<[](Tensor& t, Sizes sizes, Sizes strides) { return as_strided(t, sizes, strides, t.offset); }>},
  {"aten::flatten.using_ints", fn<[](Context& context, const Value& self, MaybeInt start, MaybeInt end) {
     return flatten(context, self, start.value_or(0), end.value_or(-1));
   }>},
  {"aten::unflatten.int", fn<unflatten>},
  {"aten::ravel", fn<ravel>},
  {"aten::transpose.int", fn<[](Tensor& t, int64_t a, int64_t b) { return transpose(t, a, b); }>},
  {"aten::swapaxes", fn<[](Tensor& t, int64_t a, int64_t b) { return transpose(t, a, b); }>},
  {"aten::swapdims", fn<[](Tensor& t, int64_t a, int64_t b) { return transpose(t, a, b); }>},
  {"aten::t", fn<flip_matrix>},
  {"aten::numpy_T", fn<reverse_dims>},
  {"aten::numpy_T.a", fn<reverse_dims>},
  {"aten::mT", fn<transpose_last>},
  {"aten::mT.a", fn<transpose_last>},
  {"aten::mH", fn<adjoint>},
  {"aten::mH.a", fn<adjoint>},
  {"aten::matrix_H", fn<matrix_h>},
  {"aten::matrix_H.a", fn<matrix_h>},
  {"aten::adjoint", fn<adjoint>},
  {"aten::permute", fn<[](Tensor& t, Sizes dims) { return permute(t, dims); }>},
  {"aten::movedim.int", fn<[](Tensor& t, int64_t from, int64_t to) { return move_dims(t, {from}, {to}); }>},
  {"aten::movedim.intlist", fn<move_dims>},
  {"aten::moveaxis.int", fn<[](Tensor& t, int64_t from, int64_t to) { return move_dims(t, {from}, {to}); }>},
  {"aten::moveaxis.intlist", fn<move_dims>},
  {"aten::unsqueeze", fn<[](Tensor& t, int64_t dim) { return unsqueeze(t, dim); }>},
  {"aten::squeeze", fn<squeeze_all>},
  {"aten::squeeze.dim", fn<squeeze_one>},
  {"aten::squeeze.dims", fn<squeeze_many>},
  {"aten::expand", fn<[](Tensor& t, Sizes shape) { return expand(t, shape); }>},
  {"aten::expand_as", fn<expand_like>},
  {"aten::broadcast_to", fn<[](Tensor& t, Sizes shape) { return expand(t, shape); }>},
  {"aten::broadcast_tensors", fn<broadcast_tensors>},
  {"aten::meshgrid", fn<[](ListValue& list) { return mesh_grid(list, Value()); }>},
  {"aten::meshgrid.indexing", fn<mesh_grid>},
  {"aten::select.int", fn<[](Tensor& t, int64_t dim, int64_t index) { return select(t, dim, index); }>},
  {"aten::slice.Tensor", fn<slice_maybe>},
  {"aten::narrow", fn<[](Tensor& t, int64_t dim, int64_t start, int64_t length) { return narrow(t, dim, start, length); }>},
  {"aten::narrow.Tensor", fn<narrow_at_tensor>},
  {"aten::unfold", fn<unfold>},
  {"aten::diagonal", fn<diagonal>},
  {"aten::linalg_diagonal",
   fn<[](Tensor& t, MaybeInt offset, MaybeInt dim1, MaybeInt dim2) { return diagonal(t, offset, dim1.value_or(-2), dim2.value_or(-1)); }>},
  {"aten::as_strided", fn<as_strided>},
  {"aten::real", fn<real>},
  {"aten::imag", fn<imaginary>},
  {"aten::view_as_real", fn<view_as_real>},
  {"aten::view_as_complex", fn<view_as_complex>},
  {"aten::atleast_1d", fn<at_least_one<1>>},
  {"aten::atleast_2d", fn<at_least_one<2>>},
  {"aten::atleast_3d", fn<at_least_one<3>>},
  {"aten::atleast_1d.Sequence", fn<at_least_all<1>>},
  {"aten::atleast_2d.Sequence", fn<at_least_all<2>>},
  {"aten::atleast_3d.Sequence", fn<at_least_all<3>>},
  {"aten::squeeze_", fn<[](Context& context, const Value& self) { return rewindow(context, self, squeeze_all(self.to_tensor())); }>},
  {"aten::squeeze_.dim",
   fn<[](Context& context, const Value& self, int64_t dim) { return rewindow(context, self, squeeze_one(self.to_tensor(), dim)); }>},
  {"aten::squeeze_.dims",
   fn<[](Context& context, const Value& self, Sizes dims) { return rewindow(context, self, squeeze_many(self.to_tensor(), dims)); }>},
  {"aten::unsqueeze_",
   fn<[](Context& context, const Value& self, int64_t dim) { return rewindow(context, self, unsqueeze(self.to_tensor(), dim)); }>},
  {"aten::t_", fn<[](Context& context, const Value& self) { return rewindow(context, self, flip_matrix(self.to_tensor())); }>},
  {"aten::transpose_", fn<[](Context& context, const Value& self, int64_t a, int64_t b) {
     return rewindow(context, self, transpose(self.to_tensor(), a, b));
   }>},
  {"aten::swapaxes_", fn<[](Context& context, const Value& self, int64_t a, int64_t b) {
     return rewindow(context, self, transpose(self.to_tensor(), a, b));
   }>},
  {"aten::swapdims_", fn<[](Context& context, const Value& self, int64_t a, int64_t b) {
     return rewindow(context, self, transpose(self.to_tensor(), a, b));
   }>},
  {"aten::as_strided_", fn<[](Context& context, const Value& self, Sizes sizes, Sizes strides, MaybeInt offset) {
     return rewindow(context, self, as_strided(self.to_tensor(), sizes, strides, offset));
   }>},
};

}  // namespace
}  // namespace torchscript::builtins
