// gather, scatter (source or value; none, add, multiply), scatter_add and scatter_reduce.
//
// index has the rank of self; index[i][j][k] names the position along `dim` for the element (i, j, k).
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

enum class Reduce { None, Sum, Prod, Mean, Amax, Amin };

Reduce reduce_named(const Arg& arg) {
  const std::string_view name(arg.str.p, static_cast<size_t>(arg.str.n));
  if (name == "sum" || name == "add") return Reduce::Sum;
  if (name == "prod" || name == "multiply") return Reduce::Prod;
  if (name == "mean") return Reduce::Mean;
  if (name == "amax") return Reduce::Amax;
  if (name == "amin") return Reduce::Amin;
  fail("reduce argument must be either sum, prod, mean, amax or amin, got %.*s.", static_cast<int>(arg.str.n), arg.str.p);
}

void check_index(const TensorView& index, const char* op) {
  if (index.numel() != 0 && index.dtype != DType::I64 && index.dtype != DType::I32) fail("%s(): Expected dtype int32/int64 for index", op);
}

// Dimensions of one side of the walk: 0-dim tensors count as [1].
TensorView at_least_1d(const TensorView& v) {
  TensorView out = v;
  if (v.ndim == 0) out.ndim = 1, out.sizes[0] = 1, out.strides[0] = 1;
  return out;
}

// Calls f(other, target, n, other_stride, index pointer, target row base stride) for rows along the last dimension of index. `target` has the
// stride of `dim` taken out; its position is added from the index.
template <class F>
void walk(const TensorView& index, const int64_t* indices, const TensorView& other, const TensorView& target, int dim, F&& f) {
  TensorView flat = target;
  flat.strides[dim] = 0;
  const TensorView* views[2] = {&other, &flat};
  int64_t at = 0;
  for_each_row<2>(index.sizes, index.ndim, views, [&](const int64_t* offsets, int64_t n, const int64_t* strides) {
    f(offsets[0], strides[0], offsets[1], strides[1], indices + at, n);
    at += n;
  });
}

void check_positions(const int64_t* indices, int64_t n, int dim, int64_t size) {
  // A negative index is a large number without a sign.
  uint64_t largest = 0;
  for (int64_t i = 0; i < n; i++) largest = std::max(largest, static_cast<uint64_t>(indices[i]));
  if (n == 0 || largest < static_cast<uint64_t>(size)) return;
  for (int64_t i = 0; i < n; i++) {
    if (indices[i] >= 0 && indices[i] < size) continue;
    fail("index %lld is out of bounds for dimension %d with size %lld", static_cast<long long>(indices[i]), dim,
         static_cast<long long>(size));
  }
}

// Dense int64 indices, checked against [0, size).
const int64_t* checked_indices(Call& call, const TensorView& index, int dim, int64_t size) {
  const int64_t* indices = dense_int64(call, index);
  check_positions(indices, index.numel(), dim, size);
  return indices;
}

void infer_gather(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(2);
  check_index(index, "gather");
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  if (index.numel() != 0) {
    if (std::max(self.ndim, 1) != std::max(index.ndim, 1)) fail("Index tensor must have the same number of dimensions as input tensor");
    for (int d = 0; d < index.ndim; d++) {
      if (d != dim && index.sizes[d] > size_at(self, d)) {
        char a[256], b[256];
        fail("Size does not match at dimension %d expected index %s to be no larger than self %s apart from dimension %d", d,
             shape_text(index, a), shape_text(self, b), dim);
      }
    }
  }
  output_like(call, 0, index, self.dtype);
  if (self.quant != nullptr) call.outputs[0].quant = self.quant;
}

void run_gather(Call& call) {
  if (call.outputs[0].numel() == 0) return;
  const TensorView self = at_least_1d(call.tensor(0)), index = at_least_1d(call.tensor(2)), out = at_least_1d(call.outputs[0]);
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  const int64_t* indices = dense_int64(call, index);
  const int64_t stride = self.strides[dim], size = self.sizes[dim];
  dispatch_size(self.dtype, [&](auto tag) {
    using T = decltype(tag);
    walk(index, indices, out, self, dim,
         [&](int64_t to, int64_t to_stride, int64_t from, int64_t from_stride, const int64_t* positions, int64_t n) {
           check_positions(positions, n, dim, size);
           const T* source = self.ptr<T>() + from;
           T* result = out.ptr<T>() + to;
           if (to_stride == 1 && from_stride == 0 && stride == 1) {
             for (int64_t i = 0; i < n; i++) result[i] = source[positions[i]];
             return;
           }
           for (int64_t i = 0; i < n; i++) result[i * to_stride] = source[i * from_stride + positions[i] * stride];
         });
  });
}

void infer_scatter(Call& call) {
  const TensorView &self = call.tensor(0), &index = call.tensor(2);
  check_index(index, "scatter");
  const int dim = wrap_dim(call.args[1].i, self.ndim);
  const TensorView* source = call.optional_tensor(3);
  if (source != nullptr && source->dtype != self.dtype) {
    fail("scatter(): Expected self.dtype to be equal to src.dtype");
  }
  if (index.numel() != 0) {
    const int rank = std::max(self.ndim, 1);
    if (rank != std::max(index.ndim, 1) || (source != nullptr && rank != std::max(source->ndim, 1))) {
      fail("Index tensor must have the same number of dimensions as self tensor");
    }
    const TensorView to = at_least_1d(self), positions = at_least_1d(index), from = at_least_1d(source != nullptr ? *source : index);
    for (int d = 0; d < rank; d++) {
      const bool too_big = (d != dim && positions.sizes[d] > to.sizes[d]) || positions.sizes[d] > from.sizes[d];
      if (!too_big) continue;
      char a[256], b[256];
      fail("Expected index %s to be no larger than self %s apart from dimension %d", shape_text(index, a), shape_text(self, b), dim);
    }
  }
  output_like(call, 0, self);
}

template <class T> T larger(T a, T b) { return is_nan(a) || a > b ? a : b; }
template <class T> T smaller(T a, T b) { return is_nan(a) || a < b ? a : b; }

template <class T> void combine(T& to, T v, Reduce reduce) {
  if constexpr (is_complex_type<T>::value) {
    to = reduce == Reduce::None ? v : reduce == Reduce::Prod ? to * v : to + v;
  } else {
    switch (reduce) {
      case Reduce::None: to = v; break;
      case Reduce::Sum:
      case Reduce::Mean: to = add_elements(to, v); break;
      case Reduce::Prod: to = multiply_elements(to, v); break;
      case Reduce::Amax: to = larger(to, v); break;
      case Reduce::Amin: to = smaller(to, v); break;
    }
  }
}

template <class T> T identity_of(Reduce reduce) {
  if constexpr (is_complex_type<T>::value) {
    return T(reduce == Reduce::Prod ? 1 : 0);
  } else if constexpr (is_float_type<T>) {
    const float infinity = std::numeric_limits<float>::infinity();
    return reduce == Reduce::Prod ? T(1.f) : reduce == Reduce::Amax ? T(-infinity) : reduce == Reduce::Amin ? T(infinity) : T(0.f);
  } else {
    return reduce == Reduce::Prod   ? T(1)
           : reduce == Reduce::Amax ? std::numeric_limits<T>::lowest()
           : reduce == Reduce::Amin ? std::numeric_limits<T>::max()
                                    : T(0);
  }
}

// Writes or combines `values` (a view of index's rank, or one number when `value` is given) into output 0.
void scatter(Call& call, const TensorView* source, const Arg* value, Reduce reduce, bool include_self) {
  start_from(call.outputs[0], call.tensor(0));
  if (call.tensor(2).numel() == 0) return;
  const TensorView out = at_least_1d(call.outputs[0]), index = at_least_1d(call.tensor(2));
  TensorView values = source != nullptr ? at_least_1d(*source) : index;
  const int dim = wrap_dim(call.args[1].i, out.ndim);
  const int64_t* indices = checked_indices(call, index, dim, out.sizes[dim]);
  const int64_t stride = out.strides[dim];
  if (reduce == Reduce::None && source != nullptr) {
    dispatch_size(out.dtype, [&](auto tag) {
      using T = decltype(tag);
      walk(index, indices, values, out, dim,
           [&](int64_t from, int64_t from_stride, int64_t to, int64_t to_stride, const int64_t* positions, int64_t n) {
             for (int64_t i = 0; i < n; i++)
               out.ptr<T>()[to + i * to_stride + positions[i] * stride] = values.ptr<T>()[from + i * from_stride];
           });
    });
    return;
  }
  dispatch_all(out.dtype, "scatter", [&](auto tag) {
    using T = decltype(tag);
    T* result = out.ptr<T>();
    T number{};
    if (value != nullptr) {
      number = scalar_as<T>(*value);
      for (int d = 0; d < values.ndim; d++) values.strides[d] = 0;
      values.data = &number;
    }
    const auto each = [&](auto&& f) {
      walk(index, indices, values, out, dim,
           [&](int64_t from, int64_t from_stride, int64_t to, int64_t to_stride, const int64_t* positions, int64_t n) {
             for (int64_t i = 0; i < n; i++) f(to + i * to_stride + positions[i] * stride, values.ptr<T>()[from + i * from_stride]);
           });
    };
    if (!include_self) each([&](int64_t at, T) { result[at] = identity_of<T>(reduce); });
    if (reduce != Reduce::Mean) {
      each([&](int64_t at, T v) { combine(result[at], v, reduce); });
      return;
    }
    each([&](int64_t at, T v) { result[at] = add_elements(result[at], v); });
    // Counts live at the element's offset from the start of the output's memory.
    int64_t extent = 1;
    for (int d = 0; d < out.ndim; d++) extent += (out.sizes[d] - 1) * out.strides[d];
    std::vector<int64_t> count(static_cast<size_t>(extent), include_self ? 1 : 0);
    each([&](int64_t at, T) { count[static_cast<size_t>(at)]++; });
    each([&](int64_t at, T) {
      int64_t& n = count[static_cast<size_t>(at)];
      if (n == 0) return;
      if constexpr (std::is_same_v<T, bool>) {
        result[at] = result[at] && n == 1;
      } else if constexpr (std::is_integral_v<T>) {
        const T divisor = static_cast<T>(n);
        T quotient = divisor == 0 ? T(0) : static_cast<T>(result[at] / divisor);
        if (divisor != 0 && result[at] % divisor != 0 && (result[at] < 0) != (divisor < 0)) quotient--;
        result[at] = quotient;
      } else if constexpr (is_complex_type<T>::value) {
        result[at] /= static_cast<typename T::value_type>(n);
      } else {
        result[at] = T(static_cast<compute_t<T>>(result[at]) / static_cast<compute_t<T>>(n));
      }
      n = 0;  // divide once
    });
  });
}

void run_scatter_src(Call& call) { scatter(call, &call.tensor(3), nullptr, Reduce::None, true); }
void run_scatter_value(Call& call) { scatter(call, nullptr, &call.args[3], Reduce::None, true); }
void run_scatter_src_reduce(Call& call) { scatter(call, &call.tensor(3), nullptr, reduce_named(call.args[4]), true); }
void run_scatter_value_reduce(Call& call) { scatter(call, nullptr, &call.args[3], reduce_named(call.args[4]), true); }
void run_scatter_add(Call& call) { scatter(call, &call.tensor(3), nullptr, Reduce::Sum, true); }
void run_scatter_reduce(Call& call) {
  scatter(call, &call.tensor(3), nullptr, reduce_named(call.args[4]), call.nargs < 6 || call.args[5].b);
}

}  // namespace

TS_KERNEL(gather, {.infer = infer_gather, .run = run_gather, .quantized = true});
TS_KERNEL(scatter_src, {.infer = infer_scatter, .run = run_scatter_src, .in_place = true, .self_first = true});
TS_KERNEL(scatter_value, {.infer = infer_scatter, .run = run_scatter_value, .in_place = true, .self_first = true});
TS_KERNEL(scatter_src_reduce, {.infer = infer_scatter, .run = run_scatter_src_reduce, .in_place = true, .self_first = true});
TS_KERNEL(scatter_value_reduce, {.infer = infer_scatter, .run = run_scatter_value_reduce, .in_place = true, .self_first = true});
TS_KERNEL(scatter_add, {.infer = infer_scatter, .run = run_scatter_add, .in_place = true, .self_first = true});
TS_KERNEL(scatter_reduce, {.infer = infer_scatter, .run = run_scatter_reduce, .in_place = true, .self_first = true});

}  // namespace torchscript::portable
