// Binary search (bucketize, searchsorted), membership (isin) and counting (histc, histogram, bincount).
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

DType dtype_of(const Arg& arg) {
  switch (arg.kind) {
    case ArgKind::Tensor: return arg.tensor->dtype;
    case ArgKind::Float: return DType::F64;
    case ArgKind::Bool: return DType::Bool;
    case ArgKind::Complex: return DType::C128;
    default: return DType::I64;
  }
}

// The values of a tensor or of a number as double or int64.
template <class T> std::vector<T> values_of(const Arg& arg) {
  constexpr DType dtype = std::is_same_v<T, double> ? DType::F64 : DType::I64;
  if (arg.kind != ArgKind::Tensor) return {scalar_as<T>(arg)};
  std::vector<T> values(static_cast<size_t>(arg.tensor->numel()));
  copy_to_dense(values.data(), dtype, *arg.tensor);
  return values;
}

// Calls f(double{}) or f(int64_t{}): the type that values of both dtypes are compared in.
template <class F> void dispatch_comparison(DType a, DType b, const char* op, F&& f) {
  if (is_complex(a) || is_complex(b)) fail_dtype(op, is_complex(a) ? a : b);
  if (is_floating(a) || is_floating(b)) f(double{});
  else f(int64_t{});
}

// First position whose value is >= v (or > v where `right`); a NaN goes past the end.
template <class T> int64_t bound(const T* sorted, const int64_t* order, int64_t n, T v, bool right) {
  if (order == nullptr && n > 0) {  // without branches, which a random value would make the processor guess
    const auto before = [v, right](T at) { return right ? !(at > v) : !(at >= v); };
    const T* base = sorted;
    for (int64_t left = n; left > 1;) {
      const int64_t half = left / 2;
      base += before(base[half - 1]) ? half : 0;
      left -= half;
    }
    return base - sorted + (before(*base) ? 1 : 0);
  }
  int64_t begin = 0, end = n;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    const T at = sorted[order != nullptr ? order[middle] : middle];
    if (right ? !(at > v) : !(at >= v)) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

void infer_positions(Call& call, const Arg& values, bool int32) {
  const DType dtype = int32 ? DType::I32 : DType::I64;
  if (values.kind == ArgKind::Tensor) output_like(call, 0, *values.tensor, dtype);
  else call.set_output(0, dtype, nullptr, 0);
}

void search(Call& call, const Arg& sequence, const Arg& values, bool right, const TensorView* sorter) {
  const TensorView &sorted = *sequence.tensor, &out = call.outputs[0];
  const int64_t n = out.numel();
  if (n == 0) return;
  std::vector<int64_t> order;
  if (sorter != nullptr) {
    order.resize(static_cast<size_t>(sorter->numel()));
    copy_to_dense(order.data(), DType::I64, *sorter);
  }
  const int64_t row = sorted.ndim == 0 ? 1 : sorted.sizes[sorted.ndim - 1];
  const bool shared = sorted.ndim <= 1;
  for (const int64_t o : order)
    if (o < 0 || o >= row) fail("torch.searchsorted(): sorter index out of range");
  const int64_t per_row = shared ? n : (out.ndim == 0 ? 1 : out.sizes[out.ndim - 1]);
  dispatch_comparison(sorted.dtype, dtype_of(values), "searchsorted", [&](auto tag) {
    using T = decltype(tag);
    const std::vector<T> bounds = values_of<T>(sequence), wanted = values_of<T>(values);
    call.runtime->parallel(n, 2048, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t start = shared ? 0 : i / per_row * row;
        const int64_t at =
          bound(bounds.data() + start, order.empty() ? nullptr : order.data() + start, row, wanted[static_cast<size_t>(i)], right);
        if (out.dtype == DType::I32) out.ptr<int32_t>()[i] = static_cast<int32_t>(at);
        else out.ptr<int64_t>()[i] = at;
      }
    });
  });
}

// (self, boundaries, out_int32, right)
void infer_bucketize(Call& call) {
  if (call.tensor(1).ndim != 1) fail("boundaries tensor must be 1 dimension, but got dim(%d)", call.tensor(1).ndim);
  infer_positions(call, call.args[0], call.args[2].b);
}
void run_bucketize(Call& call) { search(call, call.args[1], call.args[0], call.args[3].b, nullptr); }

// (sorted_sequence, self, out_int32, right, side, sorter)
void infer_searchsorted(Call& call) {
  const TensorView& sorted = call.tensor(0);
  const TensorView* values = call.optional_tensor(1);
  if (!call.args[4].is_none()) {
    const std::string_view side(call.args[4].str.p, static_cast<size_t>(call.args[4].str.n));
    if (side != "left" && side != "right")
      fail("torch.searchsorted(): side can only be 'left' or 'right' but got %.*s", static_cast<int>(side.size()), side.data());
    if (call.args[3].b && side == "left")
      fail("torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True");
  }
  if (sorted.ndim > 1) {
    bool fits = values != nullptr && values->ndim == sorted.ndim;
    for (int d = 0; fits && d + 1 < sorted.ndim; d++) fits = values->sizes[d] == sorted.sizes[d];
    if (!fits) {
      char a[256], b[256];
      fail(
        "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor %s and input value tensor %s",
        shape_text(sorted, a), values != nullptr ? shape_text(*values, b) : "[]");
    }
  }
  if (values != nullptr && values->ndim != 0 && values->dtype != sorted.dtype) {
    fail(
      "torch.searchsorted(): boundary tensor and input value tensor should have same dtype, but got boundary tensor %s and input value tensor %s",
      dtype_torch_name(sorted.dtype), dtype_torch_name(values->dtype));
  }
  if (const TensorView* sorter = call.optional_tensor(5)) {
    if (sorter->dtype != DType::I64 || sorter->numel() != sorted.numel())
      fail("torch.searchsorted(): sorter must be a tensor of long dtype with the shape of the boundaries");
  }
  infer_positions(call, call.args[1], call.args[2].b);
}
void run_searchsorted(Call& call) {
  const bool right = call.args[3].b || (!call.args[4].is_none() && call.args[4].str.n == 5);
  search(call, call.args[0], call.args[1], right, call.optional_tensor(5));
}

// (elements, test_elements, assume_unique, invert)
void infer_isin(Call& call) {
  if (call.args[0].kind == ArgKind::Tensor) output_like(call, 0, call.tensor(0), DType::Bool);
  else call.set_output(0, DType::Bool, nullptr, 0);
}

void run_isin(Call& call) {
  const bool invert = call.args[3].b;
  dispatch_comparison(dtype_of(call.args[0]), dtype_of(call.args[1]), "isin", [&](auto tag) {
    using T = decltype(tag);
    const std::vector<T> elements = values_of<T>(call.args[0]);
    std::vector<T> tests = values_of<T>(call.args[1]);
    tests.erase(std::remove_if(tests.begin(), tests.end(), [](T v) { return is_nan(v); }), tests.end());
    std::sort(tests.begin(), tests.end());
    for (size_t i = 0; i < elements.size(); i++) {
      const bool found = !is_nan(elements[i]) && std::binary_search(tests.begin(), tests.end(), elements[i]);
      call.outputs[0].ptr<bool>()[i] = found != invert;
    }
  });
}

// (self, bins, min, max)
void infer_histc(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t bins = call.args[1].i;
  if (!is_floating(self.dtype)) fail_dtype("histogram_cpu", self.dtype);
  if (bins <= 0) fail("torch.histc(): bins must be > 0, but got %lld for dimension 0", static_cast<long long>(bins));
  call.set_output(0, self.dtype, &bins, 1);
}

// The range of the values where low equals high, as PyTorch chooses it.
template <class C> void choose_range(const C* values, int64_t n, C& low, C& high, bool given) {
  if (!given && n == 0) low = 0, high = 1;
  if (!given && n > 0) {
    low = high = values[0];
    for (int64_t i = 0; i < n; i++) {
      if (std::isnan(values[i])) low = high = values[i];
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
  }
  if (!std::isfinite(low) || !std::isfinite(high))
    fail("torch.histogram: range of [%g, %g] is not finite", static_cast<double>(low), static_cast<double>(high));
  if (low > high)
    fail("torch.histogram: min should not exceed max, but got min %g max %g for dimension 0", static_cast<double>(low),
         static_cast<double>(high));
  if (low == high) low -= C(0.5), high += C(0.5);
}

void run_histc(Call& call) {
  const int64_t n = call.tensor(0).numel(), bins = call.args[1].i;
  dispatch_floating(call.tensor(0).dtype, "histogram_cpu", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    std::vector<C> values(static_cast<size_t>(n)), counts(static_cast<size_t>(bins));
    copy_to_dense(values.data(), sizeof(C) == 8 ? DType::F64 : DType::F32, call.tensor(0));
    C low = static_cast<C>(call.args[2].as_double()), high = static_cast<C>(call.args[3].as_double());
    const bool given = low != high;
    if (!given && n == 0) low = 0, high = 1;
    if (!given && n > 0) {
      low = high = values[0];
      for (const C v : values) {
        if (!std::isfinite(v)) fail("torch.histc: range of [%g, %g] is not finite", static_cast<double>(v), static_cast<double>(v));
        low = std::min(low, v), high = std::max(high, v);
      }
    }
    if (low == high) low -= 1, high += 1;
    if (!std::isfinite(low) || !std::isfinite(high))
      fail("torch.histc: range of [%g, %g] is not finite", static_cast<double>(low), static_cast<double>(high));
    if (low > high) fail("torch.histc: max must be larger than min");
    for (const C v : values) {
      if (!(v >= low && v <= high)) continue;
      const auto at = static_cast<int64_t>((v - low) * static_cast<C>(bins) / (high - low));
      counts[static_cast<size_t>(std::min(at, bins - 1))] += 1;
    }
    for (int64_t i = 0; i < bins; i++) call.outputs[0].ptr<T>()[i] = T(counts[static_cast<size_t>(i)]);
  });
}

// histogram: (self, bins, range, weight, density) or, with the edges given, (self, bins, weight, density)
void infer_histogram(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.dtype != DType::F32 && self.dtype != DType::F64) fail_dtype("histogram_cpu", self.dtype);
  const TensorView* edges = call.optional_tensor(1);
  if (edges != nullptr && (edges->ndim != 1 || edges->sizes[0] < 1)) fail("torch.histogram(): bins tensor should have one dimension");
  if (edges != nullptr && edges->dtype != self.dtype) fail("torch.histogram(): input tensor and bins tensors should have the same dtype");
  const int64_t bins = edges != nullptr ? edges->sizes[0] - 1 : call.args[1].i, count = bins + 1;
  if (edges == nullptr && bins <= 0)
    fail("torch.histogram(): bins must be > 0, but got %lld for dimension 0", static_cast<long long>(bins));
  call.set_output(0, self.dtype, &bins, 1);
  call.set_output(1, self.dtype, &count, 1);
}

void run_histogram(Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView* given_edges = call.optional_tensor(1);
  const int first = given_edges != nullptr ? 2 : 3;
  const TensorView* weight = call.optional_tensor(first);
  const bool density = call.args[first + 1].b;
  const int64_t n = self.numel(), bins = call.outputs[0].sizes[0];
  if (weight != nullptr && weight->numel() != n)
    fail(
      "torch.histogram(): if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension");
  dispatch_floating(self.dtype, "histogram_cpu", [&](auto tag) {
    using T = decltype(tag);
    if constexpr (!is_half_type<T>) {
      const T* values = dense<T>(call, self);
      const T* weights = weight != nullptr ? static_cast<const T*>(dense(call, *weight, self.dtype)) : nullptr;
      T *counts = call.outputs[0].ptr<T>(), *edges = call.outputs[1].ptr<T>();
      if (given_edges != nullptr) {
        copy_to_dense(edges, self.dtype, *given_edges);
      } else {
        const auto& range = call.args[2];
        T low = 0, high = 0;
        if (!range.is_none()) {
          if (range.floats.n != 2)
            fail("torch.histogram(): for a 1-dimensional histogram range should have 2 elements, but got %lld",
                 static_cast<long long>(range.floats.n));
          low = static_cast<T>(range.floats.p[0]), high = static_cast<T>(range.floats.p[1]);
        }
        choose_range(values, n, low, high, !range.is_none());
        const T step = (high - low) / static_cast<T>(bins);
        for (int64_t i = 0; i <= bins; i++)
          edges[i] = i < (bins + 1) / 2 ? low + step * static_cast<T>(i) : high - step * static_cast<T>(bins - i);
      }
      std::fill(counts, counts + bins, T(0));
      for (int64_t i = 0; i < n; i++) {
        const T v = values[i];
        if (bins == 0 || !(v >= edges[0] && v <= edges[bins])) continue;
        const int64_t at = std::upper_bound(edges, edges + bins + 1, v) - edges - 1;
        counts[std::min(at, bins - 1)] += weights != nullptr ? weights[i] : T(1);
      }
      if (!density) return;
      T total = 0;
      for (int64_t i = 0; i < bins; i++) total += counts[i];
      for (int64_t i = 0; i < bins; i++) counts[i] = counts[i] / total / (edges[i + 1] - edges[i]);
    }
  });
}

// (self, weights, minlength)
std::vector<int64_t> counted(const Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.ndim != 1 || is_floating(self.dtype) || is_complex(self.dtype)) fail("bincount only supports 1-d non-negative integral inputs.");
  std::vector<int64_t> values = values_of<int64_t>(call.args[0]);
  for (const int64_t v : values)
    if (v < 0) fail("bincount only supports 1-d non-negative integral inputs.");
  return values;
}

void infer_bincount(Call& call) {
  const TensorView* weights = call.optional_tensor(1);
  if (call.args[2].i < 0) fail("minlength should be >= 0");
  int64_t n = call.args[2].i;
  for (const int64_t v : counted(call)) n = std::max(n, v + 1);
  if (weights != nullptr && (weights->ndim != 1 || weights->numel() != call.tensor(0).numel()))
    fail("weights should be 1-d and have the same length as input");
  call.set_output(0, weights == nullptr ? DType::I64 : weights->dtype == DType::F32 ? DType::F32 : DType::F64, &n, 1);
}

void run_bincount(Call& call) {
  const TensorView& out = call.outputs[0];
  const std::vector<int64_t> values = counted(call);
  if (call.optional_tensor(1) == nullptr) {
    std::fill(out.ptr<int64_t>(), out.ptr<int64_t>() + out.numel(), 0);
    for (const int64_t v : values) out.ptr<int64_t>()[v]++;
    return;
  }
  dispatch_floating(out.dtype, "bincount", [&](auto tag) {
    using T = decltype(tag);
    const T* weights = static_cast<const T*>(dense(call, call.tensor(1), out.dtype));
    std::fill(out.ptr<T>(), out.ptr<T>() + out.numel(), T(0.f));
    for (size_t i = 0; i < values.size(); i++) out.ptr<T>()[values[i]] = add_elements(out.ptr<T>()[values[i]], weights[i]);
  });
}

}  // namespace

TS_KERNEL(bucketize, {.infer = infer_bucketize, .run = run_bucketize});
TS_KERNEL(searchsorted, {.infer = infer_searchsorted, .run = run_searchsorted});
TS_KERNEL(isin, {.infer = infer_isin, .run = run_isin});
TS_KERNEL(histc, {.infer = infer_histc, .run = run_histc});
TS_KERNEL(histogram, {.infer = infer_histogram, .run = run_histogram});
TS_KERNEL(bincount, {.infer = infer_bincount, .run = run_bincount, .data_dependent = true});

}  // namespace torchscript::portable
