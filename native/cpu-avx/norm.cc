// layer_norm, group_norm, instance_norm and rms_norm.
#include <algorithm>
#include <complex>
#include <limits>

#include "cpu-avx/conv/shape.h"
#include "cpu-avx/gemm/staging.h"
#include "cpu-avx/norm_rows.h"

namespace torchscript {
namespace {

using ll = long long;

void check_float(const char* op, const TensorView& x) {
  if (!is_floating(x.dtype)) fail("\"%s\" not implemented for '%s'", op, dtype_torch_name(x.dtype));
}
template <class T> const T* optional_stage(Call& call, int i) {
  const TensorView* v = call.optional_tensor(i);
  return v ? stage<T>(*call.runtime, *v) : nullptr;
}
// Statistics are of the input's dtype, or of the weight's where a half input has float weights.
DType stats_dtype(const Call& call, int weight) {
  const TensorView* w = call.optional_tensor(weight);
  return w ? w->dtype : call.tensor(0).dtype;
}

// The trailing dimensions that `normalized_shape` (argument 1) names: their first.
int normalized_axis(const Call& call, const char* op, int weight, int bias, bool complex = false) {
  const TensorView& x = tensor_argument(call, 0, op, "input");
  if (!complex || !is_complex(x.dtype)) check_float(op, x);
  const Arg& shape = call.args[1];
  if (shape.kind != ArgKind::IntList || shape.ints.n < 1)
    fail("Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []");
  const int n = static_cast<int>(shape.ints.n), axis = x.ndim - n;
  std::string text = "[";
  for (int d = 0; d < n; d++) text += (d ? ", " : "") + std::to_string(shape.ints.p[d]);
  text += "]";
  for (int i : {weight, bias}) {
    const TensorView* v = i >= 0 ? call.optional_tensor(i) : nullptr;
    bool same = !v || v->ndim == n;
    for (int d = 0; same && v && d < n; d++) same = v->sizes[d] == shape.ints.p[d];
    if (!same) {
      fail("Expected %s to be of same shape as normalized_shape, but got %s of shape %s and normalized_shape = %s",
           i == weight ? "weight" : "bias", i == weight ? "weight" : "bias", sizes_text(*v).c_str(), text.c_str());
    }
  }
  bool same = axis >= 0;
  for (int d = 0; same && d < n; d++) same = x.sizes[axis + d] == shape.ints.p[d];
  if (!same) {
    std::string expected = "[*";
    for (int d = 0; d < n; d++) expected += ", " + std::to_string(shape.ints.p[d]);
    fail("Given normalized_shape=%s, expected input with shape %s], but got input of size%s", text.c_str(), expected.c_str(),
         sizes_text(x).c_str());
  }
  return axis;
}
void set_kept_dims(Call& call, int i, DType dtype, int axis) {
  const TensorView& x = call.tensor(0);
  int64_t sizes[kMaxDims];
  for (int d = 0; d < x.ndim; d++) sizes[d] = d < axis ? x.sizes[d] : 1;
  call.set_output(i, dtype, sizes, x.ndim);
}

// layer_norm(input, normalized_shape, weight?, bias?, eps, ...) and native_layer_norm with mean and rstd as well.
void layer_norm_infer(Call& call) {
  const int axis = normalized_axis(call, "LayerNormKernelImpl", 2, 3);
  set_like(call, 0, call.tensor(0));
  for (int i = 1; i < call.noutputs; i++) set_kept_dims(call, i, stats_dtype(call, 2), axis);
}
void layer_norm_run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  const int axis = x.ndim - static_cast<int>(call.args[1].ints.n);
  int64_t rows = 1, n = 1;
  for (int d = 0; d < x.ndim; d++) (d < axis ? rows : n) *= x.sizes[d];
  const double eps = call.args[4].as_double();
  call.runtime->note("layer_norm");
  with_float_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    const T *in = stage<T>(*call.runtime, x), *gamma = optional_stage<T>(call, 2), *beta = optional_stage<T>(call, 3);
    T* to = output_block<T>(*call.runtime, out);
    T* mean = call.noutputs > 1 ? output_block<T>(*call.runtime, call.outputs[1]) : nullptr;
    T* rstd = call.noutputs > 2 ? output_block<T>(*call.runtime, call.outputs[2]) : nullptr;
    call.runtime->parallel(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Moments m = row_moments(in + i * n, n);
        const double scale = 1.0 / std::sqrt(m.variance + eps);
        row_normalize(in + i * n, n, m.mean, scale, gamma, beta, to + i * n);
        if (mean) mean[i] = static_cast<T>(m.mean);
        if (rstd) rstd[i] = static_cast<T>(scale);
      }
    });
    finish_output(to, out);
    if (mean) finish_output(mean, call.outputs[1]);
    if (rstd) finish_output(rstd, call.outputs[2]);
  });
}
TS_KERNEL(layer_norm, {.infer = layer_norm_infer, .run = layer_norm_run, .in_place = true});
// native_layer_norm's arguments lie as layer_norm's.
TS_KERNEL(native_layer_norm, {.infer = layer_norm_infer, .run = layer_norm_run});

// rms_norm(input, normalized_shape, weight?, eps?); _fused_rms_norm adds rstd.
void rms_norm_infer(Call& call) {
  const int axis = normalized_axis(call, "rms_norm", 2, -1, true);
  set_like(call, 0, call.tensor(0));
  if (has_channels_last_strides(call.tensor(0))) make_channels_last(call.outputs[0]);
  if (call.noutputs > 1) set_kept_dims(call, 1, call.tensor(0).dtype == DType::F64 ? DType::F64 : DType::F32, axis);
}
// x / sqrt(mean(x^2) + eps), the squares complex too.
void complex_rms_norm(Call& call, int64_t rows, int64_t n) {
  using Pair = std::complex<double>;
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  const double epsilon = x.dtype == DType::C64 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const double eps = call.nargs > 3 && call.args[3].is_number() ? call.args[3].as_double() : epsilon;
  const auto* in = reinterpret_cast<const Pair*>(stage<Complex128>(*call.runtime, x));
  const auto* gamma = reinterpret_cast<const Pair*>(optional_stage<Complex128>(call, 2));
  Complex128* to = output_block<Complex128>(*call.runtime, out);
  for (int64_t i = 0; i < rows; i++) {
    Pair squares = 0;
    for (int64_t j = 0; j < n; j++) squares += in[i * n + j] * in[i * n + j];
    const Pair scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
    for (int64_t j = 0; j < n; j++) {
      const Pair v = in[i * n + j] * scale * (gamma ? gamma[j] : Pair(1));
      to[i * n + j] = {v.real(), v.imag()};
    }
  }
  finish_output(to, out);
}
void rms_norm_run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  const int axis = x.ndim - static_cast<int>(call.args[1].ints.n);
  int64_t rows = 1, n = 1;
  for (int d = 0; d < x.ndim; d++) (d < axis ? rows : n) *= x.sizes[d];
  if (is_complex(x.dtype)) return complex_rms_norm(call, rows, n);
  with_float_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    const double eps =
      call.nargs > 3 && call.args[3].is_number() ? call.args[3].as_double() : static_cast<double>(std::numeric_limits<T>::epsilon());
    const T *in = stage<T>(*call.runtime, x), *gamma = optional_stage<T>(call, 2);
    T* to = output_block<T>(*call.runtime, out);
    T* rstd = call.noutputs > 1 ? output_block<T>(*call.runtime, call.outputs[1]) : nullptr;
    call.runtime->parallel(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const double scale = 1.0 / std::sqrt(row_squares(in + i * n, n, 0.0) / static_cast<double>(n) + eps);
        row_normalize(in + i * n, n, 0.0, scale, gamma, static_cast<const T*>(nullptr), to + i * n);
        if (rstd) rstd[i] = static_cast<T>(scale);
      }
    });
    finish_output(to, out);
    if (rstd) finish_output(rstd, call.outputs[1]);
  });
}
TS_KERNEL(rms_norm, {.infer = rms_norm_infer, .run = rms_norm_run});

// Groups of channels of each batch item: group g of item b covers [b, g * per .. (g + 1) * per, pixels].
void run_groups(Call& call, int64_t batch, int64_t channels, int64_t pixels, int64_t groups, int weight, int bias, double eps) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  const int64_t per = groups > 0 ? channels / groups : 0, n = per * pixels;
  call.runtime->note("group_norm");
  with_float_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    const T *in = stage<T>(*call.runtime, x), *gamma = optional_stage<T>(call, weight), *beta = optional_stage<T>(call, bias);
    T* to = output_block<T>(*call.runtime, out);
    T* mean = call.noutputs > 1 ? output_block<T>(*call.runtime, call.outputs[1]) : nullptr;
    T* rstd = call.noutputs > 2 ? output_block<T>(*call.runtime, call.outputs[2]) : nullptr;
    call.runtime->parallel(batch * groups, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Moments m = row_moments(in + i * n, n);
        const double scale = 1.0 / std::sqrt(m.variance + eps);
        for (int64_t c = 0; c < per; c++) {
          const int64_t channel = i % groups * per + c, at = i * n + c * pixels;
          const double a = gamma ? scale * static_cast<double>(gamma[channel]) : scale;
          row_affine(in + at, pixels, m.mean, a, beta ? static_cast<double>(beta[channel]) : 0.0, to + at);
        }
        if (mean) mean[i] = static_cast<T>(m.mean);
        if (rstd) rstd[i] = static_cast<T>(scale);
      }
    });
    finish_output(to, out);
    if (mean) finish_output(mean, call.outputs[1]);
    if (rstd) finish_output(rstd, call.outputs[2]);
  });
}

// group_norm(input, num_groups, weight?, bias?, eps, ...)
void group_norm_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "group_norm", "input");
  check_float("GroupNormKernelImpl", x);
  const int64_t groups = call.args[1].as_int();
  if (x.ndim < 2) fail("Expected at least 2 dimensions for input tensor but received %d", x.ndim);
  if (groups <= 0) fail("Expected num groups to be greater than 0, got %lld", ll(groups));
  if (x.sizes[1] % groups != 0) {
    fail("Expected number of channels in input to be divisible by num_groups, but got input of shape %s and num_groups=%lld",
         sizes_text(x).c_str(), ll(groups));
  }
  for (int i : {2, 3}) {
    const TensorView* v = call.optional_tensor(i);
    if (v && (v->ndim != 1 || v->sizes[0] != x.sizes[1])) {
      fail("Expected %s to be a vector of size equal to the number of channels in input, but got %s of shape %s and input of shape %s",
           i == 2 ? "weight" : "bias", i == 2 ? "weight" : "bias", sizes_text(*v).c_str(), sizes_text(x).c_str());
    }
  }
  set_like(call, 0, x);
  if (has_channels_last_strides(x)) make_channels_last(call.outputs[0]);
}
void group_norm_run(Call& call) {
  const TensorView& x = call.tensor(0);
  if (x.numel() == 0) return;
  run_groups(call, x.sizes[0], x.sizes[1], x.numel() / (x.sizes[0] * x.sizes[1]), call.args[1].as_int(), 2, 3, call.args[4].as_double());
}
TS_KERNEL(group_norm, {.infer = group_norm_infer, .run = group_norm_run});

// native_group_norm(input, weight?, bias?, N, C, HxW, group, eps) -> (out, mean, rstd)
void native_group_norm_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "native_group_norm", "input");
  check_float("GroupNormKernelImpl", x);
  const int64_t stats[2] = {call.args[3].as_int(), call.args[6].as_int()};
  if (stats[1] <= 0 || call.args[4].as_int() % stats[1] != 0 || stats[0] * call.args[4].as_int() * call.args[5].as_int() != x.numel()) {
    fail("Expected N, C, HxW and group of native_group_norm to describe the input but received %lld, %lld, %lld, %lld", ll(stats[0]),
         ll(call.args[4].as_int()), ll(call.args[5].as_int()), ll(stats[1]));
  }
  set_like(call, 0, x);
  if (has_channels_last_strides(x)) make_channels_last(call.outputs[0]);
  for (int i = 1; i < call.noutputs; i++) call.set_output(i, stats_dtype(call, 1), stats, 2);
}
void native_group_norm_run(Call& call) {
  run_groups(call, call.args[3].as_int(), call.args[4].as_int(), call.args[5].as_int(), call.args[6].as_int(), 1, 2,
             call.args[7].as_double());
}
TS_KERNEL(native_group_norm, {.infer = native_group_norm_infer, .run = native_group_norm_run});

}  // namespace
}  // namespace torchscript
