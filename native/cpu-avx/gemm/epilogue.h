// What follows a product in the rows linear_epilogue and convolution_epilogue: activation(product + residual), both optional.
#pragma once
#include <cstring>
#include <string>

#include "cpu-avx/channels_last.h"
#include "cpu-avx/gemm/product.h"
#include "cpu-avx/promote.h"

namespace torchscript {

inline Activation activation_argument(const Call& call, int i) {
  if (i >= call.nargs || call.args[i].kind != ArgKind::String) return Activation::None;
  const std::string name(call.args[i].str.p, static_cast<size_t>(call.args[i].str.n));
  static constexpr struct {
    const char* name;
    Activation activation;
  } kNames[] = {{"", Activation::None},
                {"relu", Activation::Relu},
                {"relu6", Activation::Relu6},
                {"hardswish", Activation::Hardswish},
                {"hardsigmoid", Activation::Hardsigmoid},
                {"silu", Activation::Silu},
                {"sigmoid", Activation::Sigmoid},
                {"tanh", Activation::Tanh},
                {"gelu", Activation::Gelu},
                {"gelu_tanh", Activation::GeluTanh}};
  for (const auto& entry : kNames)
    if (name == entry.name) return entry.activation;
  fail("Expected '', relu, relu6, hardswish, hardsigmoid, silu, sigmoid, tanh, gelu or gelu_tanh for `activation` but received '%s'",
       name.c_str());
}

inline bool same_kind(const TensorView& a, const TensorView& b) {
  bool same = a.dtype == b.dtype && a.ndim == b.ndim;
  for (int d = 0; same && d < a.ndim; d++) same = a.sizes[d] == b.sizes[d];
  return same;
}

template <class T> void activate(T* block, int64_t n, Activation activation) {
  if (activation == Activation::None) return;
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    tile_kernels<T>().epilogue(block, n, nullptr, 0, 1, n, activation);
  } else {
    if constexpr (std::is_same_v<T, int64_t>) {
      if (activation == Activation::Relu || activation == Activation::Relu6) {
        for (int64_t i = 0; i < n; i++) block[i] = block[i] < 0 ? 0 : activation == Activation::Relu6 && block[i] > 6 ? 6 : block[i];
        return;
      }
    }
    fail("Epilogues of products have no such activation for integers and complex numbers");
  }
}

// infer(call) makes output 0 the product; this makes it the sum with the residual.
template <class Infer> void infer_epilogue(Call& call, int residual_at, int activation_at, const Infer& infer) {
  activation_argument(call, activation_at);
  infer(call);
  const TensorView* residual = call.optional_tensor(residual_at);
  if (!residual || same_kind(*residual, call.outputs[0])) return;
  const TensorView product = call.outputs[0];
  int64_t shape[kMaxDims];
  int ndim = 0;
  broadcast_shape(shape, ndim, product);
  broadcast_shape(shape, ndim, *residual);
  ResultType type;
  type.add(product);
  type.add(*residual);
  const bool last = ndim == product.ndim && has_channels_last_strides(product);
  call.set_output(0, type.get(), shape, ndim);
  if (last) make_channels_last(call.outputs[0]);
}

// activation(out + residual) where `out` is, which has no gaps; the residual is repeated.
template <class T> void add_repeated(Runtime& runtime, TensorView out, const TensorView& residual, Activation activation) {
  TensorView other = out;
  const int missing = out.ndim - residual.ndim;
  for (int d = 0; d < out.ndim; d++) other.strides[d] = d < missing || residual.sizes[d - missing] == 1 ? 0 : residual.strides[d - missing];
  if (has_channels_last_strides(out)) {
    out = with_channels_inside(out);
    other = with_channels_inside(other);
  }
  const int last = out.ndim - 1;
  const int64_t n = out.sizes[last], step = other.strides[last];
  if (n == 0) return;
  T* block = out.ptr<T>();
  runtime.parallel(out.numel() / n, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      int64_t offset = 0, rest = r;
      for (int d = last - 1; d >= 0; d--) {
        offset += rest % out.sizes[d] * other.strides[d];
        rest /= out.sizes[d];
      }
      const T* from = static_cast<const T*>(residual.data) + offset;
      T* to = block + r * n;
      if (step == 1)
        for (int64_t i = 0; i < n; i++) to[i] += from[i];
      else
        for (int64_t i = 0; i < n; i++) to[i] += from[i * step];
    }
    activate(block + begin * n, (end - begin) * n, activation);
  });
}

// run(call, residual, activation) computes into output 0 with a residual of the very same shape and dtype; sums that broadcast or
// promote are made from the product apart.
template <class Infer, class Run> void run_epilogue(Call& call, int residual_at, int activation_at, const Infer& infer, const Run& run) {
  const Activation activation = activation_argument(call, activation_at);
  const TensorView* residual = call.optional_tensor(residual_at);
  if (!residual) return run(call, nullptr, activation);
  TensorView product;
  Call inner = call;
  inner.outputs = &product;
  infer(inner);
  if (same_kind(*residual, product)) return run(call, residual, activation);
  // A residual that is repeated over the product.
  const TensorView& sum = call.outputs[0];
  const bool whole = product.ndim == sum.ndim && product.numel() == sum.numel();
  if (whole && product.dtype == sum.dtype && residual->dtype == sum.dtype && (sum.dtype == DType::F32 || sum.dtype == DType::F64) &&
      (sum.is_contiguous() || (has_channels_last_strides(sum) && with_channels_inside(sum).is_contiguous()))) {
    run(call, nullptr, Activation::None);
    if (sum.dtype == DType::F32) add_repeated<float>(*call.runtime, sum, *residual, activation);
    else add_repeated<double>(*call.runtime, sum, *residual, activation);
    return;
  }
  product.data = call.runtime->scratch(static_cast<size_t>(product.numel() * dtype_size(product.dtype)) + 64);
  run(inner, nullptr, Activation::None);
  const TensorView& out = call.outputs[0];
  with_compute_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    T* block = output_block<T>(*call.runtime, out);
    const int64_t n = out.numel();
    T* other = static_cast<T*>(call.runtime->scratch(static_cast<size_t>(n) * sizeof(T) + 64));
    start_from<T>(product, T(1), false, block, out.sizes, out.ndim);
    start_from<T>(*residual, T(1), false, other, out.sizes, out.ndim);
    for (int64_t i = 0; i < n; i++) block[i] += other[i];
    activate(block, n, activation);
    finish_output(block, out);
  });
}

}  // namespace torchscript
