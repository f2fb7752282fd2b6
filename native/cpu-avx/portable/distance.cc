// Distances between rows: cdist (two sets, batched) and pdist (all pairs of one set).
#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

template <class T> T distance(const T* a, const T* b, int64_t n, double p) {
  double sum = 0;
  if (p == 0) {
    for (int64_t i = 0; i < n; i++) sum += a[i] != b[i];
  } else if (p == 1) {
    for (int64_t i = 0; i < n; i++) sum += std::fabs(static_cast<double>(a[i] - b[i]));
  } else if (p == 2) {
    for (int64_t i = 0; i < n; i++) sum += static_cast<double>(a[i] - b[i]) * static_cast<double>(a[i] - b[i]);
    sum = std::sqrt(sum);
  } else if (std::isinf(p)) {
    for (int64_t i = 0; i < n; i++) {
      const double d = std::fabs(static_cast<double>(a[i] - b[i]));
      if (std::isnan(d) || d > sum) sum = d;
      if (std::isnan(d)) break;
    }
  } else {
    for (int64_t i = 0; i < n; i++) sum += std::pow(std::fabs(static_cast<double>(a[i] - b[i])), p);
    sum = std::pow(sum, 1 / p);
  }
  return static_cast<T>(sum);
}

void check_p(double p, const char* op) {
  if (!(p >= 0)) fail("%s only supports non-negative p values", op);
}

// (x1, x2, p, compute_mode)
void infer_cdist(Call& call) {
  const TensorView &a = call.tensor(0), &b = call.tensor(1);
  if (!is_floating(a.dtype) || !is_floating(b.dtype))
    fail("cdist only supports floating-point dtypes, X1 got: %s, X2 got: %s", dtype_torch_name(a.dtype), dtype_torch_name(b.dtype));
  if (a.dtype != b.dtype)
    fail("expected m1 and m2 to have the same dtype, but got: %s != %s", dtype_torch_name(a.dtype), dtype_torch_name(b.dtype));
  if (a.ndim < 2 || b.ndim < 2) fail("cdist only supports at least 2D tensors, X1 got: %dD, X2 got: %dD", a.ndim, b.ndim);
  if (a.sizes[a.ndim - 1] != b.sizes[b.ndim - 1])
    fail("X1 and X2 must have the same number of columns. X1: %lld X2: %lld", static_cast<long long>(a.sizes[a.ndim - 1]),
         static_cast<long long>(b.sizes[b.ndim - 1]));
  check_p(call.args[2].as_double(), "cdist");
  TensorView batch_a = a, batch_b = b;
  batch_a.ndim -= 2;
  batch_b.ndim -= 2;
  std::vector<int64_t> shape(batch_a.sizes, batch_a.sizes + batch_a.ndim);
  if (!broadcast_into(shape, batch_b)) fail("cdist: the batch dimensions of X1 and X2 do not broadcast");
  shape.push_back(a.sizes[a.ndim - 2]);
  shape.push_back(b.sizes[b.ndim - 2]);
  call.set_output(0, a.dtype, shape.data(), static_cast<int>(shape.size()));
}

// |x|^2 + |y|^2 - 2 x y: what PyTorch does for p = 2 and more than 25 rows unless compute_mode forbids it (2) or asks for it always (1).
bool by_product(const Call& call, int64_t rows, int64_t cols) {
  const int64_t mode = call.nargs > 3 && call.args[3].is_number() ? call.args[3].as_int() : 0;
  return call.args[2].as_double() == 2 && (mode == 1 || (mode == 0 && (rows > 25 || cols > 25)));
}
template <class T> std::vector<double> squares_of(const T* x, int64_t rows, int64_t width) {
  std::vector<double> sums(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; r++) {
    double parts[4] = {};
    for (int64_t i = 0; i < width; i++) parts[i & 3] += static_cast<double>(x[r * width + i]) * static_cast<double>(x[r * width + i]);
    sums[static_cast<size_t>(r)] = parts[0] + parts[1] + (parts[2] + parts[3]);
  }
  return sums;
}
template <class T> void distances_by_product(Call& call, const T* x, const T* y, int64_t rows, int64_t cols, int64_t width, T* out) {
  Gemm<T> g;
  g.m = rows, g.n = cols, g.k = width;
  g.a = x, g.a_row = width;
  g.b = y, g.b_row = 1, g.b_col = width;
  g.c = out, g.c_row = cols;
  g.alpha = T(-2);
  gemm(*call.runtime, g);
  const std::vector<double> of_x = squares_of(x, rows, width), of_y = squares_of(y, cols, width);
  call.runtime->parallel(rows, std::max<int64_t>(1, 16384 / cols), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      for (int64_t c = 0; c < cols; c++) {
        const double square = static_cast<double>(out[r * cols + c]) + of_x[static_cast<size_t>(r)] + of_y[static_cast<size_t>(c)];
        out[r * cols + c] = std::sqrt(static_cast<T>(square < 0 ? 0 : square));
      }
    }
  });
}

void run_cdist(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int n = out.ndim;
  const int64_t rows = out.sizes[n - 2], cols = out.sizes[n - 1], width = call.tensor(0).sizes[call.tensor(0).ndim - 1];
  int64_t sizes_a[kMaxDims], sizes_b[kMaxDims];
  std::copy(out.sizes, out.sizes + n, sizes_a);
  std::copy(out.sizes, out.sizes + n, sizes_b);
  sizes_a[n - 1] = sizes_b[n - 1] = width;
  sizes_b[n - 2] = cols;
  const TensorView a = expand_view(call.tensor(0), sizes_a, n), b = expand_view(call.tensor(1), sizes_b, n);
  const double p = call.args[2].as_double();
  dispatch_floating(out.dtype, "cdist", [&](auto tag) {
    using T = decltype(tag);
    if constexpr (is_half_type<T>) {
      fail_dtype("cdist", out.dtype);
    } else {
      const T *x = dense<T>(call, a), *y = dense<T>(call, b);
      if (width > 0 && by_product(call, rows, cols)) {
        for (int64_t i = 0; i < out.numel() / (rows * cols); i++)
          distances_by_product(call, x + i * rows * width, y + i * cols * width, rows, cols, width, out.ptr<T>() + i * rows * cols);
        return;
      }
      call.runtime->parallel(out.numel() / cols, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, cols * width)),
                             [&](int64_t begin, int64_t end) {
                               for (int64_t r = begin; r < end; r++)
                                 for (int64_t c = 0; c < cols; c++)
                                   out.ptr<T>()[r * cols + c] = distance(x + r * width, y + (r / rows * cols + c) * width, width, p);
                             });
    }
  });
}

// (self, p)
void infer_pdist(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.ndim != 2) fail("pdist only supports 2D tensors, got: %dD", self.ndim);
  if (!is_floating(self.dtype)) fail("pdist only supports floating-point dtypes");
  check_p(call.args[1].as_double(), "pdist");
  const int64_t n = self.sizes[0] * (self.sizes[0] - 1) / 2;
  call.set_output(0, self.dtype, &n, 1);
}

void run_pdist(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t n = self.sizes[0], width = self.sizes[1];
  dispatch_floating(self.dtype, "pdist", [&](auto tag) {
    using T = decltype(tag);
    if constexpr (is_half_type<T>) {
      fail_dtype("pdist", self.dtype);
    } else {
      const T* x = dense<T>(call, self);
      T* out = call.outputs[0].ptr<T>();
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) *out++ = distance(x + i * width, x + j * width, width, call.args[1].as_double());
    }
  });
}

}  // namespace

TS_KERNEL(cdist, {.infer = infer_cdist, .run = run_cdist});
TS_KERNEL(pdist, {.infer = infer_pdist, .run = run_pdist});

}  // namespace torchscript::portable
