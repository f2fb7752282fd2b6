// Unique elements, or unique slices along a dimension, sorted or consecutive; with the position of each input in the result and counts.
#include "cpu-avx/portable/elements.h"

#include <functional>
#include <numeric>

namespace torchscript::portable {
namespace {

struct Groups {
  std::vector<int64_t> first;    // an input of each group
  std::vector<int64_t> inverse;  // group of each input
  std::vector<int64_t> counts;
};

// Groups [0, n) by `equal` of neighbours, after sorting by `before` where `sorted`.
Groups group(int64_t n, bool sorted, const std::function<bool(int64_t, int64_t)>& before,
             const std::function<bool(int64_t, int64_t)>& equal) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (sorted) std::stable_sort(order.begin(), order.end(), before);
  Groups groups;
  groups.inverse.resize(static_cast<size_t>(n));
  for (size_t i = 0; i < order.size(); i++) {
    if (i == 0 || !equal(order[i - 1], order[i])) {
      groups.first.push_back(order[i]);
      groups.counts.push_back(0);
    }
    groups.counts.back()++;
    groups.inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  return groups;
}

template <class T> bool before_value(T a, T b) {
  if constexpr (is_float_type<T>) return static_cast<compute_t<T>>(a) < static_cast<compute_t<T>>(b) || (is_nan(b) && !is_nan(a));
  else return a < b;
}

template <class T> std::vector<T> dense_values(const TensorView& v) {
  std::vector<T> values(static_cast<size_t>(v.numel() > 0 ? v.numel() : 1));
  copy_to_dense(values.data(), v.dtype, v);
  return values;
}

template <> std::vector<bool> dense_values<bool>(const TensorView& v) {
  std::vector<uint8_t> bytes(static_cast<size_t>(v.numel() > 0 ? v.numel() : 1));
  copy_to_dense(bytes.data(), v.dtype, v);
  return std::vector<bool>(bytes.begin(), bytes.end());
}

Groups flat_groups(const TensorView& self, bool sorted) {
  Groups groups;
  dispatch_real(self.dtype, "unique", [&](auto tag) {
    using T = decltype(tag);
    const auto values = dense_values<T>(self);
    const auto at = [&](int64_t i) { return static_cast<T>(values[static_cast<size_t>(i)]); };
    groups = group(
      self.numel(), sorted, [&](int64_t a, int64_t b) { return before_value(at(a), at(b)); },
      [&](int64_t a, int64_t b) { return at(a) == at(b); });
  });
  return groups;
}

Groups dim_groups(const TensorView& self, int dim, bool sorted) {
  Groups groups;
  const int64_t n = size_at(self, dim), inner = self.ndim == 0 ? 1 : product(self.sizes, dim + 1, self.ndim),
                outer = self.ndim == 0 ? 1 : product(self.sizes, 0, dim);
  if (self.numel() == 0) {
    if (n == 0 && outer * inner != 0) return groups;
    if (n > 0) fail("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
    return groups;
  }
  dispatch_real(self.dtype, "unique_dim", [&](auto tag) {
    using T = decltype(tag);
    const auto values = dense_values<T>(self);
    const auto compare = [&](int64_t a, int64_t b) {
      for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
          const T x = values[static_cast<size_t>((o * n + a) * inner + i)], y = values[static_cast<size_t>((o * n + b) * inner + i)];
          if (x < y) return -1;
          if (!(x == y)) return 1;
        }
      }
      return 0;
    };
    groups = group(
      n, sorted, [&](int64_t a, int64_t b) { return compare(a, b) < 0; }, [&](int64_t a, int64_t b) { return compare(a, b) == 0; });
  });
  return groups;
}

void set_vector(Call& call, int output, int64_t n) {
  if (output < call.noutputs) call.set_output(output, DType::I64, &n, 1);
}

void write_vector(Call& call, int output, const std::vector<int64_t>& values) {
  if (output < call.noutputs && call.outputs[output].numel() > 0)
    std::memcpy(call.outputs[output].data, values.data(), values.size() * sizeof(int64_t));
}

void infer_flat(Call& call, bool sorted, bool inverse, bool counts) {
  const TensorView& self = call.tensor(0);
  const auto n = static_cast<int64_t>(flat_groups(self, sorted).first.size());
  call.set_output(0, self.dtype, &n, 1);
  if (inverse) output_like(call, 1, self, DType::I64);
  else set_vector(call, 1, 0);
  set_vector(call, 2, counts ? n : 0);
}

void run_flat(Call& call, bool sorted) {
  const TensorView& self = call.tensor(0);
  const Groups groups = flat_groups(self, sorted);
  dispatch_size(self.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* values = dense<T>(call, self);
    for (size_t i = 0; i < groups.first.size(); i++) call.outputs[0].ptr<T>()[i] = values[groups.first[i]];
  });
  write_vector(call, 1, groups.inverse);
  write_vector(call, 2, groups.counts);
}

void infer_dim(Call& call, int dim, bool sorted, bool inverse, bool counts) {
  const TensorView& self = call.tensor(0);
  const auto n = static_cast<int64_t>(dim_groups(self, dim, sorted).first.size());
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  if (self.ndim > 0) sizes[dim] = n;
  call.set_output(0, self.dtype, sizes, self.ndim);
  set_vector(call, 1, inverse ? size_at(self, dim) : 0);
  set_vector(call, 2, counts ? n : 0);
}

void run_dim(Call& call, int dim, bool sorted) {
  const TensorView& self = call.tensor(0);
  const Groups groups = dim_groups(self, dim, sorted);
  const int64_t n = size_at(self, dim), inner = self.ndim == 0 ? 1 : product(self.sizes, dim + 1, self.ndim),
                outer = self.ndim == 0 ? 1 : product(self.sizes, 0, dim);
  if (call.outputs[0].numel() > 0) {
    const char* source = static_cast<const char*>(dense(call, self, self.dtype));
    const int64_t row = inner * dtype_size(self.dtype), count = static_cast<int64_t>(groups.first.size());
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < count; i++)
        std::memcpy(call.outputs[0].ptr<char>() + (o * count + i) * row, source + (o * n + groups.first[static_cast<size_t>(i)]) * row,
                    static_cast<size_t>(row));
  }
  write_vector(call, 1, groups.inverse);
  write_vector(call, 2, groups.counts);
}

// (self, sorted, return_inverse[, return_counts]): the result is sorted whatever is asked.
void infer_unique(Call& call) { infer_flat(call, true, call.args[2].b, false); }
void infer_unique2(Call& call) { infer_flat(call, true, call.args[2].b, call.args[3].b); }
void run_unique(Call& call) { run_flat(call, true); }
// (self, dim, sorted, return_inverse, return_counts)
void infer_unique_dim(Call& call) { infer_dim(call, wrap_dim(call.args[1].i, call.tensor(0).ndim), true, true, true); }
void run_unique_dim(Call& call) { run_dim(call, wrap_dim(call.args[1].i, call.tensor(0).ndim), true); }
// (self, dim, return_inverse, return_counts)
void infer_dim_consecutive(Call& call) { infer_dim(call, wrap_dim(call.args[1].i, call.tensor(0).ndim), false, true, true); }
void run_dim_consecutive(Call& call) { run_dim(call, wrap_dim(call.args[1].i, call.tensor(0).ndim), false); }
// (self, return_inverse, return_counts, dim)
bool is_flat(const Call& call) { return call.args[3].is_none() || (call.args[3].i == 0 && call.tensor(0).ndim == 1); }
void infer_consecutive(Call& call) {
  const TensorView& self = call.tensor(0);
  if (is_flat(call)) infer_flat(call, false, call.args[1].b, call.args[2].b);
  else infer_dim(call, wrap_dim(call.args[3].i, self.ndim), false, true, true);
}
void run_consecutive(Call& call) {
  if (is_flat(call)) run_flat(call, false);
  else run_dim(call, wrap_dim(call.args[3].i, call.tensor(0).ndim), false);
}

}  // namespace

TS_KERNEL(unique, {.infer = infer_unique, .run = run_unique, .data_dependent = true});
TS_KERNEL(unique2, {.infer = infer_unique2, .run = run_unique, .data_dependent = true});
TS_KERNEL(unique_dim, {.infer = infer_unique_dim, .run = run_unique_dim, .data_dependent = true});
TS_KERNEL(unique_dim_consecutive, {.infer = infer_dim_consecutive, .run = run_dim_consecutive, .data_dependent = true});
TS_KERNEL(unique_consecutive, {.infer = infer_consecutive, .run = run_consecutive, .data_dependent = true});

}  // namespace torchscript::portable
