// Indexing along one dimension (index_select, index_add, index_copy, index_fill, index_reduce) and by flat position (take, put).
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

// A tensor as [n along dim] x [offsets of the rest].
struct DimWalk {
  int64_t size, stride;
  std::vector<int64_t> rest;
};

DimWalk walk_dim(const TensorView& v, int dim) {
  if (v.ndim == 0) return {1, 1, {0}};
  TensorView rest = v;
  rest.ndim = v.ndim - 1;
  for (int d = dim; d < rest.ndim; d++) rest.sizes[d] = v.sizes[d + 1], rest.strides[d] = v.strides[d + 1];
  return {v.sizes[dim], v.strides[dim], offsets_of(rest, 0, rest.ndim)};
}

void check_index_vector(const TensorView& index, const char* op) {
  if (index.ndim > 1)
    fail_as("IndexError", "%s(): Index is supposed to be a vector, but got dim: %d with type: %s and size: %lld", op, index.ndim,
            dtype_torch_name(index.dtype), static_cast<long long>(index.numel()));
  if (index.dtype != DType::I64 && index.dtype != DType::I32) fail("%s(): Expected dtype int32/int64 for index", op);
}

// Checked positions in [0, size); negative ones count from the end where `wrap` is set.
const int64_t* positions_of(Call& call, const TensorView& index, int64_t size, bool wrap) {
  int64_t* positions = scratch<int64_t>(call, index.numel());
  copy_to_dense(positions, DType::I64, index);
  for (int64_t i = 0, n = index.numel(); i < n; i++) {
    if (wrap && positions[i] < 0 && positions[i] >= -size) positions[i] += size;
    if (positions[i] < 0 || positions[i] >= size) fail_as("IndexError", "index out of range in self");
  }
  return positions;
}

void infer_index_select(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(2);
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  check_index_vector(index, "index_select");
  if (self.ndim == 0 && index.numel() != 1)
    fail_as("IndexError", "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
            static_cast<long long>(index.numel()));
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  if (self.ndim > 0) sizes[dim] = index.numel();
  call.set_output(0, self.dtype, sizes, self.ndim);
  if (self.quant != nullptr) call.outputs[0].quant = self.quant;
}

void run_index_select(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(2), &out = call.outputs[0];
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  const int64_t size = size_at(self, dim), n = index.numel();
  const int64_t* positions = positions_of(call, index, size, false);
  if (out.numel() == 0) return;
  const char* source = static_cast<const char*>(dense(call, self, self.dtype));
  const int64_t inner = self.ndim == 0 ? 1 : product(self.sizes, dim + 1, self.ndim);
  const int64_t outer = out.numel() / (n * inner), row = inner * dtype_size(self.dtype);
  char* result = out.ptr<char>();
  if (inner == 1) {
    return dispatch_size(self.dtype, [&](auto tag) {
      using T = decltype(tag);
      const T* from = reinterpret_cast<const T*>(source);
      call.runtime->parallel(outer, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; o++) {
          T* to = out.ptr<T>() + o * n;
          for (int64_t i = 0; i < n; i++) to[i] = from[o * size + positions[i]];
        }
      });
    });
  }
  call.runtime->parallel(outer * n, std::max<int64_t>(1, 65536 / row), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++)
      std::memcpy(result + p * row, source + (p / n * size + positions[p % n]) * row, static_cast<size_t>(row));
  });
}

// self, dim, index, source: sizes of source match self but along dim, where it has index's length.
void infer_index_source(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(2), &source = call.tensor(3);
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  check_index_vector(index, "index_add");
  if (self.dtype != source.dtype)
    fail("index: self (%s) and source (%s) must have the same scalar type", dtype_torch_name(self.dtype), dtype_torch_name(source.dtype));
  const bool scalar_source = source.ndim == 0 && index.numel() == 1;
  const int64_t length = size_at(source, source.ndim == 0 ? 0 : std::min(dim, source.ndim - 1));
  if (!scalar_source && length != index.numel()) {
    fail_as("IndexError", "Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d",
            static_cast<long long>(index.numel()), static_cast<long long>(length), dim);
  }
  bool fits = scalar_source || std::max(self.ndim, 1) == std::max(source.ndim, 1);
  for (int d = 0; fits && d < source.ndim && d < self.ndim; d++) fits = d == dim || self.sizes[d] == source.sizes[d];
  if (!fits) {
    char a[256], b[256];
    fail("source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = %s source.shape = %s",
         shape_text(self, a), shape_text(source, b));
  }
  output_like(call, 0, self);
}

// Calls f(target element, source element) for every pair, in order of the index.
template <class T, class F> void each_pair(Call& call, bool wrap, F&& f) {
  const TensorView &out = call.outputs[0], &source = call.tensor(3);
  const int dim = wrap_dim(call.args[1].i, out.ndim);
  const DimWalk to = walk_dim(out, dim), from = walk_dim(source, dim);
  const int64_t* positions = positions_of(call, call.tensor(2), to.size, wrap);
  for (int64_t i = 0, n = call.tensor(2).numel(); i < n; i++) {
    T* target = out.ptr<T>() + positions[i] * to.stride;
    const T* value = source.ptr<T>() + i * from.stride;
    for (size_t r = 0; r < from.rest.size() && r < to.rest.size(); r++) f(target[to.rest[r]], value[from.rest[r]]);
  }
}

void run_index_add(Call& call) {
  start_from(call.outputs[0], call.tensor(0));
  dispatch_all(call.outputs[0].dtype, "index_add", [&](auto tag) {
    using T = decltype(tag);
    const T alpha = scalar_as<T>(call.args[4]);
    each_pair<T>(call, false, [&](T& to, T v) { to = add_elements(to, multiply_elements(v, alpha)); });
  });
}

void run_index_copy(Call& call) {
  start_from(call.outputs[0], call.tensor(0));
  dispatch_size(call.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    each_pair<T>(call, false, [](T& to, T v) { to = v; });
  });
}

void infer_index_fill(Call& call) {
  check_index_vector(call.tensor(2), "index_fill_");
  wrap_dim(call.args[1].i, call.tensor(0).ndim);
  if (call.args[3].kind == ArgKind::Tensor && call.tensor(3).ndim != 0) {
    fail("index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).", call.tensor(3).ndim);
  }
  output_like(call, 0, call.tensor(0));
}

void run_index_fill(Call& call) {
  const TensorView& out = call.outputs[0];
  start_from(out, call.tensor(0));
  const int dim = wrap_dim(call.args[1].i, out.ndim);
  const DimWalk to = walk_dim(out, dim);
  const int64_t* positions = positions_of(call, call.tensor(2), to.size, true);
  dispatch_all(out.dtype, "index_fill", [&](auto tag) {
    using T = decltype(tag);
    T value;
    if (call.args[3].kind == ArgKind::Tensor) copy_to_dense(&value, out.dtype, call.tensor(3));
    else value = scalar_as<T>(call.args[3]);
    for (int64_t i = 0, n = call.tensor(2).numel(); i < n; i++)
      for (const int64_t r : to.rest) out.ptr<T>()[positions[i] * to.stride + r] = value;
  });
}

void run_index_reduce(Call& call) {
  const TensorView& out = call.outputs[0];
  start_from(out, call.tensor(0));
  const std::string_view reduce(call.args[4].str.p, static_cast<size_t>(call.args[4].str.n));
  const bool include_self = call.args[5].b;
  const bool prod = reduce == "prod", mean = reduce == "mean", amax = reduce == "amax", amin = reduce == "amin";
  if (!prod && !mean && !amax && !amin)
    fail("index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %.*s.", static_cast<int>(reduce.size()),
         reduce.data());
  const int dim = wrap_dim(call.args[1].i, out.ndim);
  const DimWalk to = walk_dim(out, dim);
  const int64_t* positions = positions_of(call, call.tensor(2), to.size, false);
  const int64_t n = call.tensor(2).numel();
  dispatch_real(out.dtype, "index_reduce", [&](auto tag) {
    using T = decltype(tag);
    T* result = out.ptr<T>();
    if (!include_self) {
      T start = static_cast<T>(prod ? 1 : 0);
      if constexpr (is_float_type<T>) {
        const float infinity = std::numeric_limits<float>::infinity();
        if (amax || amin) start = T(amax ? -infinity : infinity);
      } else if (amax || amin) {
        start = amax ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
      }
      for (int64_t i = 0; i < n; i++)
        for (const int64_t r : to.rest) result[positions[i] * to.stride + r] = start;
    }
    each_pair<T>(call, false, [&](T& target, T v) {
      if (prod) target = multiply_elements(target, v);
      else if (mean) target = add_elements(target, v);
      else if (amax) target = is_nan(target) || target > v ? target : v;
      else target = is_nan(target) || target < v ? target : v;
    });
    if (!mean) return;
    std::vector<int64_t> count(static_cast<size_t>(to.size), include_self ? 1 : 0);
    for (int64_t i = 0; i < n; i++) count[static_cast<size_t>(positions[i])]++;
    for (int64_t p = 0; p < to.size; p++) {
      const int64_t c = std::max<int64_t>(count[static_cast<size_t>(p)], 1);
      if (c == 1) continue;
      for (const int64_t r : to.rest) {
        T& v = result[p * to.stride + r];
        if constexpr (std::is_same_v<T, bool>) v = false;
        else if constexpr (std::is_integral_v<T>) v = static_cast<T>(static_cast<int64_t>(v) / c - (static_cast<int64_t>(v) % c < 0));
        else v = T(static_cast<compute_t<T>>(v) / static_cast<compute_t<T>>(c));
      }
    }
  });
}

void check_flat(const TensorView& index, const char* op) {
  if (index.dtype != DType::I64) fail("%s(): Expected a long tensor for index, but got %s", op, dtype_torch_name(index.dtype));
}

void check_flat_position(int64_t& position, int64_t n) {
  if (position < -n || position >= n) {
    fail_as("IndexError", "out of range: tried to access index %lld on a tensor of %lld elements.", static_cast<long long>(position),
            static_cast<long long>(n));
  }
  if (position < 0) position += n;
}

// Offset of the row-major position `flat`.
int64_t flat_offset(const TensorView& v, int64_t flat) {
  int64_t offset = 0;
  for (int d = v.ndim - 1; d >= 0; d--) {
    offset += flat % v.sizes[d] * v.strides[d];
    flat /= v.sizes[d];
  }
  return offset;
}

void infer_take(Call& call) {
  check_flat(call.tensor(1), "take");
  if (call.tensor(0).numel() == 0 && call.tensor(1).numel() != 0) fail_as("IndexError", "take(): tried to take from an empty tensor");
  output_like(call, 0, call.tensor(1), call.tensor(0).dtype);
}

void run_take(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  const int64_t* index = dense_int64(call, call.tensor(1));
  dispatch_size(self.dtype, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0, n = out.numel(), total = self.numel(); i < n; i++) {
      int64_t position = index[i];
      check_flat_position(position, total);
      out.ptr<T>()[i] = self.ptr<T>()[flat_offset(self, position)];
    }
  });
}

void infer_put(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(1), &source = call.tensor(2);
  check_flat(index, "put_");
  if (self.dtype != source.dtype)
    fail("put_(): self and source expected to have the same dtype, but got self.dtype = %s and source.dtype = %s",
         dtype_torch_name(self.dtype), dtype_torch_name(source.dtype));
  if (index.numel() != source.numel())
    fail("put_(): Expected source and index to have the same number of elements, but got source.numel() = %lld, index.numel() = %lld",
         static_cast<long long>(source.numel()), static_cast<long long>(index.numel()));
  output_like(call, 0, self);
}

void run_put(Call& call) {
  const TensorView& out = call.outputs[0];
  start_from(out, call.tensor(0));
  const int64_t* index = dense_int64(call, call.tensor(1));
  const bool accumulate = call.args[3].b;
  dispatch_all(out.dtype, "put_", [&](auto tag) {
    using T = decltype(tag);
    const T* source = dense<T>(call, call.tensor(2));
    for (int64_t i = 0, n = call.tensor(1).numel(), total = out.numel(); i < n; i++) {
      int64_t position = index[i];
      check_flat_position(position, total);
      T& to = out.ptr<T>()[flat_offset(out, position)];
      to = accumulate ? add_elements(to, source[i]) : source[i];
    }
  });
}

}  // namespace

TS_KERNEL(index_select, {.infer = infer_index_select, .run = run_index_select, .quantized = true});
TS_KERNEL(index_add, {.infer = infer_index_source, .run = run_index_add, .in_place = true, .self_first = true});
TS_KERNEL(index_copy, {.infer = infer_index_source, .run = run_index_copy, .in_place = true, .self_first = true});
TS_KERNEL(index_fill, {.infer = infer_index_fill, .run = run_index_fill, .in_place = true, .self_first = true});
TS_KERNEL(index_reduce, {.infer = infer_index_source, .run = run_index_reduce, .in_place = true, .self_first = true});
TS_KERNEL(take, {.infer = infer_take, .run = run_take});
TS_KERNEL(put, {.infer = infer_put, .run = run_put, .in_place = true, .self_first = true});

}  // namespace torchscript::portable
