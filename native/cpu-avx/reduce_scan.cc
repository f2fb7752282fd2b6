// Running reductions along a dimension: cumsum, cumprod, logcumsumexp (float64 inside, as PyTorch), cummax, cummin.
#include <algorithm>
#include <cmath>
#include <complex>

#include "cpu-avx/copy.h"
#include "cpu-avx/reduce_driver.h"

namespace torchscript {
namespace {

enum class Scan { Sum, Prod, LogSumExp };

template <Scan scan, class A> A step(A a, A x) {
  if constexpr (scan == Scan::Sum) {
    return a + x;
  } else if constexpr (scan == Scan::Prod) {
    return a * x;
  } else if constexpr (std::is_same_v<A, std::complex<double>>) {
    const A high = a.real() >= x.real() ? a : x, low = a.real() >= x.real() ? x : a;
    if (std::isinf(high.real()) && high.real() < 0) return high;
    return high + std::log(1.0 + std::exp(low - high));
  } else if constexpr (std::is_same_v<A, double>) {
    if (std::isnan(a) || std::isnan(x)) return a + x;
    const double high = std::max(a, x), low = std::min(a, x);
    return high == low && std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
  } else {
    return a;
  }
}

// Tensor of accumulators, contiguous: scanned in place along dim.
template <Scan scan, class A> void scan_lines(Runtime* runtime, A* data, int64_t outer, int64_t n, int64_t inner) {
  if (inner == 1) {
    runtime->parallel(outer, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) {
        A* p = data + o * n;
        for (int64_t i = 1; i < n; i++) p[i] = step<scan>(p[i - 1], p[i]);
      }
    });
    return;
  }
  runtime->parallel(outer, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n * inner)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      A* p = data + o * n * inner;
      for (int64_t i = 1; i < n; i++) {
        for (int64_t j = 0; j < inner; j++) p[i * inner + j] = step<scan>(p[(i - 1) * inner + j], p[i * inner + j]);
      }
    }
  });
}

template <Scan scan> void infer_scan(Call& call) {
  const TensorView& self = call.tensor(0);
  wrap_dim(call.args[1].as_int(), self.ndim);
  DType out = self.dtype;
  if (call.nargs > 2 && call.args[2].kind == ArgKind::Int) out = checked_dtype(call.args[2].i);
  else if (!is_floating(out) && !is_complex(out)) out = scan == Scan::LogSumExp ? DType::F32 : DType::I64;
  call.set_output(0, out, self.sizes, self.ndim);
}
template <Scan scan> void run_scan(Call& call) {
  const TensorView& self = call.tensor(0);
  const TensorView& out = call.outputs[0];
  const int64_t total = self.numel();
  if (total == 0) return;
  const Element element = element_of(out.dtype);
  TensorView wide;
  wide.dtype = accumulator_dtype(element);
  format_strides(wide, self, kContiguousFormat);
  const bool in_output = out.dtype == wide.dtype && out.is_contiguous();
  wide.data = in_output ? out.data : call.runtime->scratch(static_cast<size_t>(total * accumulator_size(element)));
  if (self.dtype != out.dtype && !is_floating(out.dtype) && !is_complex(out.dtype) && out.dtype != DType::I64) {
    TensorView narrow = wide;  // wraps in the dtype asked for first
    narrow.dtype = out.dtype;
    narrow.data = call.runtime->scratch(static_cast<size_t>(total * dtype_size(out.dtype)));
    copy_strided(narrow, self, call.runtime);
    copy_strided(wide, narrow, call.runtime);
  } else {
    copy_strided(wide, self, call.runtime);
  }
  int64_t n = 1, inner = 1;
  if (self.ndim > 0) {
    const int64_t dim = wrap_dim(call.args[1].as_int(), self.ndim);
    n = self.sizes[dim];
    for (int d = static_cast<int>(dim) + 1; d < self.ndim; d++) inner *= self.sizes[d];
  }
  const int64_t outer = total / (n * inner);
  call.runtime->note(scan == Scan::Sum ? "scan_sum" : scan == Scan::Prod ? "scan_prod" : "scan_logsumexp");
  switch (element) {
    case Element::I64: scan_lines<scan>(call.runtime, static_cast<uint64_t*>(wide.data), outer, n, inner); break;
    case Element::C128: scan_lines<scan>(call.runtime, static_cast<std::complex<double>*>(wide.data), outer, n, inner); break;
    default: scan_lines<scan>(call.runtime, static_cast<double*>(wide.data), outer, n, inner); break;
  }
  if (!in_output) copy_strided(out, wide, call.runtime);
}
TS_KERNEL(cumsum, {.infer = infer_scan<Scan::Sum>, .run = run_scan<Scan::Sum>});
TS_KERNEL(cumprod, {.infer = infer_scan<Scan::Prod>, .run = run_scan<Scan::Prod>});
TS_KERNEL(logcumsumexp, {.infer = infer_scan<Scan::LogSumExp>, .run = run_scan<Scan::LogSumExp>});

// ---- cummax, cummin: values and the last position of the running extreme; NaN stays
template <bool maximum, class T>
void extremes(Runtime* runtime, const T* x, T* values, int64_t* indices, int64_t outer, int64_t n, int64_t inner) {
  runtime->parallel(outer * inner, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line++) {
      const int64_t base = line / inner * n * inner + line % inner;
      T best = x[base];
      int64_t index = 0;
      for (int64_t i = 0; i < n; i++) {
        const T v = x[base + i * inner];
        if (v != v || (!(best != best) && (maximum ? v >= best : v <= best))) {
          best = v;
          index = i;
        }
        values[base + i * inner] = best;
        indices[base + i * inner] = index;
      }
    }
  });
}
void infer_extremes(Call& call) {
  const TensorView& self = call.tensor(0);
  wrap_dim(call.args[1].as_int(), self.ndim);
  call.set_output(0, self.dtype, self.sizes, self.ndim);
  call.set_output(1, DType::I64, self.sizes, self.ndim);
}
template <bool maximum> void run_extremes(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t total = self.numel();
  if (total == 0) return;
  const Element element = element_of(self.dtype);
  if (element == Element::C128) fail_as("NotImplementedError", "\"cummax\" not implemented for '%s'", dtype_torch_name(self.dtype));
  TensorView wide;
  wide.dtype = accumulator_dtype(element);
  format_strides(wide, self, kContiguousFormat);
  wide.data = call.runtime->scratch(static_cast<size_t>(total * 8));
  copy_strided(wide, self, call.runtime);
  int64_t n = 1, inner = 1;
  if (self.ndim > 0) {
    const int64_t dim = wrap_dim(call.args[1].as_int(), self.ndim);
    n = self.sizes[dim];
    for (int d = static_cast<int>(dim) + 1; d < self.ndim; d++) inner *= self.sizes[d];
  }
  const int64_t outer = total / (n * inner);
  int64_t* indices = call.outputs[1].ptr<int64_t>();
  if (element == Element::I64) extremes<maximum>(call.runtime, wide.ptr<int64_t>(), wide.ptr<int64_t>(), indices, outer, n, inner);
  else extremes<maximum>(call.runtime, wide.ptr<double>(), wide.ptr<double>(), indices, outer, n, inner);
  copy_strided(call.outputs[0], wide, call.runtime);
}
TS_KERNEL(cummax, {.infer = infer_extremes, .run = run_extremes<true>});
TS_KERNEL(cummin, {.infer = infer_extremes, .run = run_extremes<false>});

}  // namespace
}  // namespace torchscript
