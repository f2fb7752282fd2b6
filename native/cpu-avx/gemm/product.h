// Batched matrix products of strided views in any compute type.
#pragma once
#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/gemm/staging.h"
#include "cpu-avx/gemm/strassen_twice.h"
#include "kernel.h"

namespace torchscript {

// A view whose elements are of the compute type T: itself, or a converted copy, contiguous but for halves that fill their memory, which stay in
// their order.
template <class T> TensorView as_compute(Runtime& runtime, const TensorView& view) {
  if (is_stage_type<T>(view.dtype)) return view;
  TensorView out = view;
  T* block = static_cast<T*>(runtime.scratch(static_cast<size_t>(view.numel()) * sizeof(T) + 64));
  out.data = block;
  out.dtype = stage_dtype<T>();
  if (std::is_same_v<T, float> && (view.dtype == DType::F16 || view.dtype == DType::BF16) && is_dense(view)) {
    convert_table().load[static_cast<int>(view.dtype)][static_cast<int>(Compute::F32)](view.numel(), block, view.data);
    return out;
  }
  copy_in(view, block);
  int64_t stride = 1;
  for (int d = view.ndim - 1; d >= 0; d--) {
    out.strides[d] = stride;
    stride *= std::max<int64_t>(1, view.sizes[d]);
  }
  return out;
}
template <class T> TensorView as_contiguous(Runtime& runtime, const TensorView& view) {
  TensorView out = view;
  out.data = const_cast<T*>(stage<T>(runtime, view));
  out.dtype = stage_dtype<T>();
  int64_t stride = 1;
  for (int d = view.ndim - 1; d >= 0; d--) {
    out.strides[d] = stride;
    stride *= std::max<int64_t>(1, view.sizes[d]);
  }
  return out;
}

// Types without tiles: row by row, in the order that keeps B's rows and C's row in cache.
template <class T> void gemm_plain(const Gemm<T>& g) {
  for (int64_t i = 0; i < g.m; i++) {
    T* c = g.c + i * g.c_row;
    if (!g.accumulate)
      for (int64_t j = 0; j < g.n; j++) c[j] = T(0);
    for (int64_t k = 0; k < g.k; k++) {
      const T x = g.alpha * g.a[i * g.a_row + k * g.a_col];
      const T* b = g.b + k * g.b_row;
      if (g.b_col == 1)
        for (int64_t j = 0; j < g.n; j++) c[j] += x * b[j];
      else
        for (int64_t j = 0; j < g.n; j++) c[j] += x * b[j * g.b_col];
    }
    if (g.bias_n)
      for (int64_t j = 0; j < g.n; j++) c[j] += g.bias_n[j];
  }
}
template <> inline void gemm_plain(const Gemm<int64_t>& signed_gemm) {  // wraps
  const auto& g = signed_gemm;
  for (int64_t i = 0; i < g.m; i++) {
    uint64_t* c = reinterpret_cast<uint64_t*>(g.c) + i * g.c_row;
    if (!g.accumulate)
      for (int64_t j = 0; j < g.n; j++) c[j] = 0;
    for (int64_t k = 0; k < g.k; k++) {
      const uint64_t x = static_cast<uint64_t>(g.alpha) * static_cast<uint64_t>(g.a[i * g.a_row + k * g.a_col]);
      for (int64_t j = 0; j < g.n; j++) c[j] += x * static_cast<uint64_t>(g.b[k * g.b_row + j * g.b_col]);
    }
    if (g.bias_n)
      for (int64_t j = 0; j < g.n; j++) c[j] += static_cast<uint64_t>(g.bias_n[j]);
  }
}

// C is [m][n]; a product with one column reads A's rows as the vectors of a transposed product.
template <class T> Gemm<T> row_form(Gemm<T> g) {
  if (g.n == 1 && g.m > 1 && g.c_row == 1 && (!g.residual || g.residual_row == 1) && !g.packed_b && !g.bias_n && !g.bias_m) {
    Gemm<T> t = g;
    t.m = 1;
    t.n = g.m;
    t.a = g.b;
    t.a_row = 0;
    t.a_col = g.b_row;
    t.b = g.a;
    t.b_row = g.a_col;
    t.b_col = g.a_row;
    t.c_row = g.m;
    t.residual_row = g.m;
    return t;
  }
  return g;
}
template <class T> void run_product(Runtime& runtime, const Gemm<T>& product) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    Gemm<T> g = row_form(product);
    if (g.m == 1 && g.a_col != 1 && g.k > 0) {
      T* row = static_cast<T*>(runtime.scratch(static_cast<size_t>(g.k) * sizeof(T)));
      for (int64_t k = 0; k < g.k; k++) row[k] = g.a[k * g.a_col];
      g.a = row;
      g.a_col = 1;
    }
    if constexpr (std::is_same_v<T, float>) {
      if (g.subcubic && strassen_twice_product(runtime, g)) return;
    }
    gemm(runtime, g);
  } else {
    runtime.note("gemm_plain");
    gemm_plain(product);
  }
}

// The elements before `g.b`'s data decide nothing here: `a` is [batch..., m, k] and `b` [batch..., k, n] of element type T with
// equal batch sizes (strides may be 0); c is [batch..., m, n] contiguous, as is the residual. `model` carries alpha, accumulate, bias and packed B
// (of one matrix, for all the batch).
template <class T> void batched_product(Runtime& runtime, TensorView a, const TensorView& b, T* c, Gemm<T> model) {
  const int nb = a.ndim - 2;
  int64_t count = 1;
  for (int d = 0; d < nb; d++) count *= a.sizes[d];
  Gemm<T> g = model;
  g.m = a.sizes[nb];
  g.k = a.sizes[nb + 1];
  g.n = b.sizes[nb + 1];
  if (count == 0 || g.m == 0 || g.n == 0) return;
  bool one_b = true;
  for (int d = 0; d < nb; d++) one_b = one_b && (b.strides[d] == 0 || b.sizes[d] == 1);
  if (one_b && count > 1) {
    // One matrix on the right: the batch becomes rows.
    bool folds = true;
    for (int d = 0; d < nb; d++) folds = folds && (a.sizes[d] == 1 || a.strides[d] == a.strides[d + 1] * a.sizes[d + 1]);
    if (folds) {
      g.a = a.ptr<T>();
      g.a_row = a.strides[nb];
      g.a_col = a.strides[nb + 1];
      if (g.m == 1)
        for (int d = nb - 1; d >= 0; d--)
          if (a.sizes[d] != 1) {
            g.a_row = a.strides[d];
            break;
          }
    } else {
      const TensorView copy = as_contiguous<T>(runtime, a);
      g.a = copy.ptr<T>();
      g.a_row = g.k;
      g.a_col = 1;
    }
    g.m *= count;
    count = 1;
  } else {
    g.a = a.ptr<T>();
    g.a_row = a.strides[nb];
    g.a_col = a.strides[nb + 1];
  }
  g.b = b.ptr<T>();
  g.b_row = b.strides[nb];
  g.b_col = b.strides[nb + 1];
  g.c = c;
  g.c_row = g.residual_row = g.n;
  if (count == 1) return run_product(runtime, g);

  auto item = [&](int64_t i) {
    Gemm<T> one = g;
    one.c = c + i * g.m * g.n;
    if (g.residual) one.residual = g.residual + i * g.m * g.n;
    for (int d = nb - 1; d >= 0; d--) {
      const int64_t at = i % a.sizes[d];
      i /= a.sizes[d];
      one.a += at * a.strides[d];
      one.b += at * b.strides[d];
    }
    return one;
  };
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    const int64_t macs = std::max<int64_t>(1, g.m * g.n * g.k);
    if (g.k * g.n * static_cast<int64_t>(sizeof(T)) <= (4 << 20) && (count >= runtime.num_threads() || macs < kMacsPerChunk)) {
      runtime.note(g.m == 1 ? tile_kernels<T>().gemv_name : tile_kernels<T>().name);
      runtime.parallel(count, std::max<int64_t>(1, kMacsPerChunk / macs), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          Gemm<T> one = row_form(item(i));
          if (one.m == 1 && one.a_col != 1) {
            T* row = thread_scratch<T>(kSlotUser, static_cast<size_t>(one.k));
            for (int64_t k = 0; k < one.k; k++) row[k] = one.a[k * one.a_col];
            one.a = row;
            one.a_col = 1;
          }
          gemm_serial(one);
        }
      });
      return;
    }
  }
  for (int64_t i = 0; i < count; i++) run_product(runtime, item(i));
}

// C = beta * broadcast(self); returns whether there is anything to accumulate on (beta = 0 reads nothing, not even NaN).
template <class T> bool start_from(const TensorView& self, T beta, bool beta_is_zero, T* c, const int64_t* sizes, int ndim) {
  if (beta_is_zero) return false;
  TensorView view = self;
  view.ndim = ndim;
  for (int d = 0; d < ndim; d++) {
    const int from = d - (ndim - self.ndim);
    view.sizes[d] = sizes[d];
    view.strides[d] = from < 0 || self.sizes[from] == 1 ? 0 : self.strides[from];
  }
  with_element(view.dtype, [&](auto e) {
    using E = decltype(e);
    const E* p = static_cast<const E*>(view.data);
    for_each_element(view, [&](int64_t offset, int64_t i) { c[i] = beta * load_as<T>(p[offset]); });
  });
  return true;
}
template <class T> T number_as(const Arg& arg) {
  if constexpr (std::is_same_v<T, Complex128>)
    return arg.kind == ArgKind::Complex ? Complex128(arg.c.re, arg.c.im) : Complex128(arg.as_double());
  else if constexpr (std::is_same_v<T, int64_t>) return arg.as_int();
  else return static_cast<T>(arg.as_double());
}
inline bool is_zero(const Arg& arg) { return arg.kind == ArgKind::Complex ? arg.c.re == 0 && arg.c.im == 0 : arg.as_double() == 0; }

}  // namespace torchscript
