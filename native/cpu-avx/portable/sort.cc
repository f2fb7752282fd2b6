// sort, argsort, topk, kthvalue, median, mode and quantiles along one dimension. NaN counts as the largest value.
#include "cpu-avx/portable/elements.h"

#include <numeric>

namespace torchscript::portable {
namespace {

// Order of values: NaN last.
template <class T> bool less(T a, T b) {
  if constexpr (is_float_type<T>) {
    const compute_t<T> x = a, y = b;
    return x < y || (std::isnan(y) && !std::isnan(x));
  } else {
    return a < b;
  }
}
template <class T> bool greater(T a, T b) { return less(b, a); }

// Lines along `dim` of a dense tensor: line l starts at (l / inner) * size * inner + l % inner.
struct Lines {
  int64_t size = 1, inner = 1, count = 1;
  int64_t start(int64_t line) const { return line / inner * size * inner + line % inner; }
};

Lines lines_of(const TensorView& v, int64_t dim) {
  Lines lines;
  const int d = wrap_dim(dim, v.ndim);
  if (v.ndim == 0) return lines;
  lines.size = v.sizes[d];
  lines.inner = product(v.sizes, d + 1, v.ndim);
  lines.count = product(v.sizes, 0, d) * lines.inner;
  return lines;
}

// Calls body(line, values) in parallel with the values of each line in a buffer.
template <class T, class F> void each_line(Call& call, const TensorView& self, const Lines& lines, F&& body) {
  const T* source = dense<T>(call, self);
  const int64_t grain = std::max<int64_t>(1, 4096 / std::max<int64_t>(lines.size, 1));
  call.runtime->parallel(lines.count, grain, [&](int64_t begin, int64_t end) {
    std::vector<std::pair<T, int64_t>> items(static_cast<size_t>(lines.size));
    for (int64_t l = begin; l < end; l++) {
      const T* from = source + lines.start(l);
      for (int64_t i = 0; i < lines.size; i++) items[static_cast<size_t>(i)] = {from[i * lines.inner], i};
      body(l, items);
    }
  });
}

template <class T> void sort_items(std::vector<std::pair<T, int64_t>>& items, bool descending) {
  if (descending) std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return greater(a.first, b.first); });
  else std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
}

void sort_lines(Call& call, int64_t dim, bool descending, void* values, int64_t* indices) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const Lines lines = lines_of(self, dim);
  dispatch_real(self.dtype, "sort", [&](auto tag) {
    using T = decltype(tag);
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      sort_items<T>(items, descending);
      const int64_t start = lines.start(l);
      for (int64_t i = 0; i < lines.size; i++) {
        if (values != nullptr) static_cast<T*>(values)[start + i * lines.inner] = items[static_cast<size_t>(i)].first;
        indices[start + i * lines.inner] = items[static_cast<size_t>(i)].second;
      }
    });
  });
}

void check_sortable(const TensorView& self) {
  if (is_complex(self.dtype)) fail("Sort does not support complex dtypes on CPU");
}

void infer_sort_at(Call& call, int dim_arg, bool with_values) {
  check_sortable(call.tensor(0));
  wrap_dim(call.args[dim_arg].i, call.tensor(0).ndim);
  if (with_values) output_like(call, 0, call.tensor(0));
  output_like(call, with_values ? 1 : 0, call.tensor(0), DType::I64);
}

void infer_sort(Call& call) { infer_sort_at(call, 1, true); }
void run_sort(Call& call) { sort_lines(call, call.args[1].i, call.args[2].b, call.outputs[0].data, call.outputs[1].ptr<int64_t>()); }
void infer_sort_stable(Call& call) { infer_sort_at(call, 2, true); }
void run_sort_stable(Call& call) { sort_lines(call, call.args[2].i, call.args[3].b, call.outputs[0].data, call.outputs[1].ptr<int64_t>()); }
void infer_argsort(Call& call) { infer_sort_at(call, 1, false); }
void run_argsort(Call& call) { sort_lines(call, call.args[1].i, call.args[2].b, nullptr, call.outputs[0].ptr<int64_t>()); }
void infer_argsort_stable(Call& call) { infer_sort_at(call, 2, false); }
void run_argsort_stable(Call& call) { sort_lines(call, call.args[2].i, call.args[3].b, nullptr, call.outputs[0].ptr<int64_t>()); }

// (self, k, dim, largest, sorted)
void infer_topk(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t k = call.args[1].i;
  const int dim = wrap_dim(call.args[2].i, self.ndim);
  if (is_complex(self.dtype)) fail("topk(): does not support complex dtypes");
  if (k < 0 || k > size_at(self, dim)) fail("selected index k out of range");
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  if (self.ndim > 0) sizes[dim] = k;
  call.set_output(0, self.dtype, sizes, self.ndim);
  call.set_output(1, DType::I64, sizes, self.ndim);
}

// std::partial_sort's choice among equal values, for a stream of values: `heap` keeps the k best, and a value that beats the worst of them takes
// its place. `heap` has room for one more.
template <class T, class F>
void best_of_line(const T* from, int64_t step, int64_t n, int64_t k, F order, std::vector<std::pair<T, int64_t>>& heap) {
  heap.resize(static_cast<size_t>(k + 1));
  for (int64_t i = 0; i < k; i++) heap[static_cast<size_t>(i)] = {from[i * step], i};
  const auto begin = heap.begin(), end = begin + k;
  std::make_heap(begin, end, order);
  for (int64_t i = k; i < n; i++) {
    const std::pair<T, int64_t> candidate(from[i * step], i);
    if (!order(candidate, heap[0])) continue;
    *end = candidate;
    std::pop_heap(begin, end + 1, order);
  }
  std::sort_heap(begin, end, order);
}

void run_topk(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t k = call.args[1].i;
  const Lines lines = lines_of(self, call.args[2].i);
  const bool largest = call.args[3].b;
  if (call.outputs[0].numel() == 0) return;
  dispatch_real(self.dtype, "topk", [&](auto tag) {
    using T = decltype(tag);
    const auto put = [&](int64_t l, const auto& items) {
      const int64_t start = l / lines.inner * k * lines.inner + l % lines.inner;
      for (int64_t i = 0; i < k; i++) {
        call.outputs[0].ptr<T>()[start + i * lines.inner] = items[static_cast<size_t>(i)].first;
        call.outputs[1].ptr<int64_t>()[start + i * lines.inner] = items[static_cast<size_t>(i)].second;
      }
    };
    const auto is_greater = [](const auto& x, const auto& y) { return greater(x.first, y.first); };
    const auto is_less = [](const auto& x, const auto& y) { return less(x.first, y.first); };
    // The choice of algorithm decides which of equal values are taken; it is PyTorch's.
    if (k * 64 <= lines.size) {
      const T* source = dense<T>(call, self);
      call.runtime->parallel(lines.count, std::max<int64_t>(1, 16384 / lines.size), [&](int64_t begin, int64_t end) {
        std::vector<std::pair<T, int64_t>> heap;
        for (int64_t l = begin; l < end; l++) {
          if (largest) best_of_line(source + lines.start(l), lines.inner, lines.size, k, is_greater, heap);
          else best_of_line(source + lines.start(l), lines.inner, lines.size, k, is_less, heap);
          put(l, heap);
        }
      });
      return;
    }
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      const auto choose = [&](auto order) {
        std::nth_element(items.begin(), items.begin() + k - 1, items.end(), order);
        if (call.args[4].b) std::sort(items.begin(), items.begin() + k - 1, order);
      };
      if (largest) choose(is_greater);
      else choose(is_less);
      put(l, items);
    });
  });
}

// Outputs of a reduction along args[dim_arg]: values and indices.
void infer_reduced(Call& call, int dim_arg, bool keepdim) {
  const TensorView& self = call.tensor(0);
  const int dim = wrap_dim(call.args[dim_arg].i, self.ndim);
  int64_t sizes[kMaxDims];
  int n = 0;
  for (int d = 0; d < self.ndim; d++) {
    if (d != dim) sizes[n++] = self.sizes[d];
    else if (keepdim) sizes[n++] = 1;
  }
  call.set_output(0, self.dtype, sizes, n);
  call.set_output(1, DType::I64, sizes, n);
}

void check_nonempty(Call& call, int dim_arg, const char* op) {
  const TensorView& self = call.tensor(0);
  const int dim = wrap_dim(call.args[dim_arg].i, self.ndim);
  if (size_at(self, dim) == 0) fail_as("IndexError", "%s(): Expected reduction dim %d to have non-zero size.", op, dim);
}

// The k-th smallest (from 0) by PyTorch's quickselect, which decides the index among equal values.
template <class T> std::pair<T, int64_t> kth(std::vector<std::pair<T, int64_t>>& items, int64_t k) {
  const auto above = [&](int64_t a, int64_t b) {
    return greater(items[static_cast<size_t>(a)].first, items[static_cast<size_t>(b)].first);
  };
  const auto exchange = [&](int64_t a, int64_t b) { std::swap(items[static_cast<size_t>(a)], items[static_cast<size_t>(b)]); };
  int64_t left = 0, right = static_cast<int64_t>(items.size()) - 1;
  while (right > left) {
    if (right == left + 1) {
      if (above(left, right)) exchange(left, right);
      break;
    }
    exchange(left + (right - left) / 2, left + 1);
    if (above(left + 1, right)) exchange(left + 1, right);
    if (above(left, right)) exchange(left, right);
    if (above(left + 1, left)) exchange(left + 1, left);
    int64_t i = left + 1, j = right;
    const T pivot = items[static_cast<size_t>(left)].first;
    for (;;) {
      do i++;
      while (greater(pivot, items[static_cast<size_t>(i)].first));
      do j--;
      while (greater(items[static_cast<size_t>(j)].first, pivot));
      if (j < i) break;
      exchange(i, j);
    }
    exchange(left, j);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
  return items[static_cast<size_t>(k)];
}

void infer_kthvalue(Call& call) {
  const TensorView& self = call.tensor(0);
  const int dim = wrap_dim(call.args[2].i, self.ndim);
  const int64_t size = size_at(self, dim), k = call.args[1].i;
  if (k < 1 || k > size) fail("kthvalue(): selected number k out of range for dimension %d", dim);
  infer_reduced(call, 2, call.args[3].b);
}

void run_kthvalue(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const Lines lines = lines_of(self, call.args[2].i);
  dispatch_real(self.dtype, "kthvalue", [&](auto tag) {
    using T = decltype(tag);
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      const auto found = kth<T>(items, call.args[1].i - 1);
      call.outputs[0].ptr<T>()[l] = found.first;
      call.outputs[1].ptr<int64_t>()[l] = found.second;
    });
  });
}

template <class T> T not_a_number() {
  if constexpr (is_float_type<T>) return T(std::numeric_limits<float>::quiet_NaN());
  else return T{};
}

// The lower middle value; a NaN wins, or is left out where `skip` is set.
template <class T> std::pair<T, int64_t> median_of(std::vector<std::pair<T, int64_t>>& items, bool skip) {
  int64_t nans = 0, first = -1;
  for (const auto& item : items) {
    if (!is_nan(item.first)) continue;
    if (first < 0) first = item.second;
    nans++;
  }
  const auto n = static_cast<int64_t>(items.size());
  if (nans > 0 && !skip) return {not_a_number<T>(), first};
  // Equal values count in the order of their positions.
  std::vector<int64_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  const auto middle = order.begin() + (n - nans - 1) / 2;
  std::nth_element(order.begin(), middle, order.end(), [&](int64_t a, int64_t b) {
    const T x = items[static_cast<size_t>(a)].first, y = items[static_cast<size_t>(b)].first;
    return less(x, y) || (!less(y, x) && a < b);
  });
  return items[static_cast<size_t>(*middle)];
}

void infer_median_dim(Call& call) {
  check_nonempty(call, 1, "median");
  infer_reduced(call, 1, call.args[2].b);
}

void median_lines(Call& call, bool skip) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const Lines lines = lines_of(self, call.args[1].i);
  dispatch_real(self.dtype, "median", [&](auto tag) {
    using T = decltype(tag);
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      const auto found = median_of<T>(items, skip);
      call.outputs[0].ptr<T>()[l] = found.first;
      call.outputs[1].ptr<int64_t>()[l] = found.second;
    });
  });
}
void run_median_dim(Call& call) { median_lines(call, false); }
void run_nanmedian_dim(Call& call) { median_lines(call, true); }

void infer_median_all(Call& call) { call.set_output(0, call.tensor(0).dtype, nullptr, 0); }

void median_all(Call& call, bool skip) {
  const TensorView& self = call.tensor(0);
  dispatch_real(self.dtype, "median", [&](auto tag) {
    using T = decltype(tag);
    if (self.numel() == 0) {
      *call.outputs[0].ptr<T>() = std::is_same_v<T, int64_t> ? static_cast<T>(std::numeric_limits<int64_t>::min()) : not_a_number<T>();
      return;
    }
    Lines lines;
    lines.size = self.numel();
    each_line<T>(call, self, lines, [&](int64_t, auto& items) { *call.outputs[0].ptr<T>() = median_of<T>(items, skip).first; });
  });
}
void run_median_all(Call& call) { median_all(call, false); }
void run_nanmedian_all(Call& call) { median_all(call, true); }

// The most frequent value, of equally frequent ones the smallest. The order among equal values is that of std::sort, as in PyTorch.
void infer_mode(Call& call) {
  check_nonempty(call, 1, "mode");
  infer_reduced(call, 1, call.args[2].b);
}

void run_mode(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const Lines lines = lines_of(self, call.args[1].i);
  dispatch_real(self.dtype, "mode", [&](auto tag) {
    using T = decltype(tag);
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      size_t best = 0, best_count = 0, begin = 0;
      for (size_t i = 1; i <= items.size(); i++) {
        if (i < items.size() && items[i - 1].first == items[i].first) continue;
        if (i - begin > best_count) best_count = i - begin, best = i - 1;
        begin = i;
      }
      call.outputs[0].ptr<T>()[l] = items[best].first;
      call.outputs[1].ptr<int64_t>()[l] = items[best].second;
    });
  });
}

// (self, q, dim, keepdim, interpolation); q is a number or a 0-dim or 1-dim tensor, whose dimension comes first in the result.
void infer_quantile(Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView* q = call.optional_tensor(1);
  if (self.dtype != DType::F32 && self.dtype != DType::F64) fail("quantile() input tensor must be either float or double dtype");
  if (self.numel() == 0) fail("quantile() input tensor must be non-empty");
  if (q != nullptr && q->ndim > 1) fail("quantile() q must be a scalar or 1D tensor");
  if (q != nullptr && q->dtype != self.dtype) fail("quantile() q tensor must be same dtype as the input tensor");
  int64_t sizes[kMaxDims];
  int n = 0;
  if (q != nullptr && q->ndim == 1) sizes[n++] = q->sizes[0];
  const bool flat = call.args[2].is_none();
  const int dim = flat ? -1 : wrap_dim(call.args[2].i, self.ndim);
  for (int d = 0; d < self.ndim; d++) {
    if (!flat && d != dim) sizes[n++] = self.sizes[d];
    else if (call.args[3].b) sizes[n++] = 1;
  }
  call.set_output(0, self.dtype, sizes, n);
}

void quantile(Call& call, bool skip) {
  const TensorView& self = call.tensor(0);
  const TensorView* q = call.optional_tensor(1);
  std::vector<double> points(q != nullptr ? static_cast<size_t>(q->numel()) : 1, call.args[1].as_double());
  if (q != nullptr) copy_to_dense(points.data(), DType::F64, *q);
  for (const double p : points)
    if (!(p >= 0 && p <= 1)) fail("quantile() q values must be in the range [0, 1]");
  Lines lines;
  lines.size = self.numel();
  if (!call.args[2].is_none()) lines = lines_of(self, call.args[2].i);
  const std::string_view how(call.args[4].str.p, static_cast<size_t>(call.args[4].str.n));
  dispatch_floating(self.dtype, "quantile", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    each_line<T>(call, self, lines, [&](int64_t l, auto& items) {
      sort_items<T>(items, false);
      auto n = static_cast<int64_t>(items.size());
      bool nan = is_nan(items.back().first);
      if (skip) {
        while (n > 0 && is_nan(items[static_cast<size_t>(n - 1)].first)) n--;
        nan = n == 0;
      }
      for (size_t k = 0; k < points.size(); k++) {
        T& out = call.outputs[0].template ptr<T>()[static_cast<int64_t>(k) * lines.count + l];
        if (nan) {
          out = not_a_number<T>();
          continue;
        }
        const C rank = static_cast<C>(points[k]) * static_cast<C>(n - 1);
        const C below = std::floor(rank);
        C position = rank;
        if (how == "lower") position = below;
        else if (how == "higher") position = std::ceil(rank);
        else if (how == "nearest") position = std::nearbyint(rank);
        const auto low = static_cast<int64_t>(how == "linear" || how == "midpoint" ? below : position);
        const C a = items[static_cast<size_t>(low)].first;
        if (how != "linear" && how != "midpoint") {
          out = T(a);
          continue;
        }
        const C b = items[static_cast<size_t>(std::min(static_cast<int64_t>(std::ceil(rank)), n - 1))].first;
        const C weight = how == "midpoint" ? C(0.5) : rank - below;
        out = T(weight < C(0.5) ? a + weight * (b - a) : b - (b - a) * (C(1) - weight));
      }
    });
  });
}
void run_quantile(Call& call) { quantile(call, false); }
void run_nanquantile(Call& call) { quantile(call, true); }

}  // namespace

TS_KERNEL(sort, {.infer = infer_sort, .run = run_sort});
TS_KERNEL(sort_stable, {.infer = infer_sort_stable, .run = run_sort_stable});
TS_KERNEL(argsort, {.infer = infer_argsort, .run = run_argsort});
TS_KERNEL(argsort_stable, {.infer = infer_argsort_stable, .run = run_argsort_stable});
TS_KERNEL(topk, {.infer = infer_topk, .run = run_topk});
TS_KERNEL(kthvalue, {.infer = infer_kthvalue, .run = run_kthvalue});
TS_KERNEL(median_dim, {.infer = infer_median_dim, .run = run_median_dim});
TS_KERNEL(nanmedian_dim, {.infer = infer_median_dim, .run = run_nanmedian_dim});
TS_KERNEL(median_all, {.infer = infer_median_all, .run = run_median_all});
TS_KERNEL(nanmedian_all, {.infer = infer_median_all, .run = run_nanmedian_all});
TS_KERNEL(mode, {.infer = infer_mode, .run = run_mode});
TS_KERNEL(quantile, {.infer = infer_quantile, .run = run_quantile});
TS_KERNEL(nanquantile, {.infer = infer_quantile, .run = run_nanquantile});

}  // namespace torchscript::portable
