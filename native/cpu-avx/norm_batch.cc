// batch_norm in its many spellings, and instance_norm. Training updates the running statistics in place, as PyTorch does although the
// schemas do not say so.
#include <algorithm>

#include "cpu-avx/conv/shape.h"
#include "cpu-avx/gemm/staging.h"
#include "cpu-avx/norm_rows.h"

namespace torchscript {
namespace {

// Where a row has its arguments; -1: not there.
struct BatchNormArguments {
  int weight, bias, mean, var, training, momentum, eps;
  bool training_value;  // where training is -1
  bool updates;         // writes the running statistics
  bool instance;        // statistics of each item; `training` says whether they come from the input
};
constexpr BatchNormArguments kFull = {1, 2, 3, 4, 5, 6, 7, false, true, false};
constexpr BatchNormArguments kFunctional = {1, 2, 3, 4, 5, 6, 7, false, false, false};
constexpr BatchNormArguments kNoStats = {1, 2, -1, -1, 3, 4, 5, false, false, false};
constexpr BatchNormArguments kNoTraining = {1, 2, 3, 4, -1, 5, 6, false, false, false};
constexpr BatchNormArguments kUpdate = {1, 2, 3, 4, -1, 5, 6, true, true, false};
constexpr BatchNormArguments kUpdateFunctional = {1, 2, 3, 4, -1, 5, 6, true, false, false};
constexpr BatchNormArguments kInstance = {1, 2, 3, 4, 5, 6, 7, false, true, true};

bool is_training(const Call& call, const BatchNormArguments& at) { return at.training < 0 ? at.training_value : call.args[at.training].b; }
const TensorView* optional_at(const Call& call, int i) { return i < 0 ? nullptr : call.optional_tensor(i); }

// Outputs: result, then saved mean, saved inverse deviation, then what the row adds (a reserve, new running statistics).
template <const BatchNormArguments& At, bool Reserve> void batch_norm_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "batch_norm", "input");
  if (!is_floating(x.dtype)) fail("\"batch_norm\" not implemented for '%s'", dtype_torch_name(x.dtype));
  if (!At.instance && x.numel() == 0 && call.noutputs == 1) return set_like(call, 0, x);
  if (x.ndim < 2) fail("Expected at least 2 dimensions for input tensor but received %d", x.ndim);
  const int64_t channels = x.sizes[1];
  for (int i : {At.weight, At.bias, At.mean, At.var}) {
    const TensorView* v = optional_at(call, i);
    if (v && (v->ndim != 1 || v->sizes[0] != channels)) {
      const char* name = i == At.weight ? "weight" : i == At.bias ? "bias" : i == At.mean ? "running_mean" : "running_var";
      fail("%s should contain %lld elements not %lld", name, static_cast<long long>(channels), static_cast<long long>(v->numel()));
    }
  }
  const bool training = is_training(call, At);
  if (!training && (!optional_at(call, At.mean) || !optional_at(call, At.var))) {
    fail(At.instance ? "Expected running_mean and running_var to be defined when use_input_stats is false"
                     : "Expected running_mean and running_var to be defined in evaluation mode");
  }
  set_like(call, 0, x);
  if (!At.instance && has_channels_last_strides(x)) make_channels_last(call.outputs[0]);
  const TensorView* weight = optional_at(call, At.weight);
  const DType stats = weight ? weight->dtype : x.dtype;
  const int64_t saved = training ? channels : 0, none = 0;
  if (call.noutputs > 1) call.set_output(1, stats, &saved, 1);
  if (call.noutputs > 2) call.set_output(2, stats, &saved, 1);
  int next = 3;
  if (Reserve && call.noutputs > next) call.set_output(next++, DType::U8, &none, 1);
  for (; next < call.noutputs; next++) call.set_output(next, stats, &channels, 1);
}

// With the statistics that are given, where the channels are adjacent in both tensors.
template <class T, class F>
void normalize_channels_last(Runtime& runtime, const TensorView& x, const TensorView& out, const T* mean, const T* shift,
                             const F& scale_of) {
  const int64_t channels = x.sizes[1], rows = x.numel() / channels;
  T* scale = static_cast<T*>(runtime.scratch(static_cast<size_t>(channels) * sizeof(T) + 64));
  T* zeros = static_cast<T*>(runtime.scratch(static_cast<size_t>(channels) * sizeof(T) + 64));
  for (int64_t c = 0; c < channels; c++) {
    scale[c] = static_cast<T>(scale_of(c));
    zeros[c] = T{};
  }
  const TensorView inside = with_channels_inside(out);
  const T* in = stage<T>(runtime, with_channels_inside(x));
  T* to = output_block<T>(runtime, inside);
  runtime.parallel(rows, std::max<int64_t>(1, 32768 / channels), [&](int64_t begin, int64_t end) {
    rows_affine(in + begin * channels, end - begin, channels, mean, scale, shift ? shift : zeros, to + begin * channels);
  });
  finish_output(to, inside);
}

template <const BatchNormArguments& At, bool Reserve> void batch_norm_run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (!At.instance && x.numel() == 0 && call.noutputs == 1) return;
  const int64_t batch = x.sizes[0], channels = x.sizes[1], pixels = batch * channels > 0 ? x.numel() / (batch * channels) : 0;
  const bool training = is_training(call, At);
  const double momentum = call.args[At.momentum].as_double(), eps = call.args[At.eps].as_double();
  call.runtime->note("batch_norm");
  with_float_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    Runtime& runtime = *call.runtime;
    auto staged = [&](int i) { return optional_at(call, i) ? stage<T>(runtime, *optional_at(call, i)) : nullptr; };
    const T *gamma = staged(At.weight), *beta = staged(At.bias), *running_mean = staged(At.mean), *running_var = staged(At.var);
    const bool beside = x.ndim == 2 || (has_channels_last_strides(x) && has_channels_last_strides(out));
    if (!At.instance && !training && call.noutputs == 1 && x.numel() > 0 && beside) {
      return normalize_channels_last<T>(runtime, x, out, running_mean, beta, [&](int64_t c) {
        return (gamma ? static_cast<double>(gamma[c]) : 1.0) / std::sqrt(static_cast<double>(running_var[c]) + eps);
      });
    }
    const T* in = stage<T>(runtime, x);
    T* to = output_block<T>(runtime, out);
    const int64_t sets = At.instance ? batch * channels : channels;
    auto* moments = static_cast<Moments*>(runtime.scratch(static_cast<size_t>(sets) * sizeof(Moments) + 64));
    const double count = static_cast<double>(At.instance ? pixels : batch * pixels);
    if (training) {
      runtime.parallel(sets, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, batch * pixels)), [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; c++) {
          if (At.instance || batch == 1) {
            moments[c] = row_moments(in + c * pixels, pixels);
            continue;
          }
          double sum = 0, squares = 0;
          for (int64_t b = 0; b < batch; b++) sum += row_sum(in + (b * channels + c) * pixels, pixels);
          const double mean = sum / count, rounded = static_cast<double>(static_cast<T>(mean));
          for (int64_t b = 0; b < batch; b++) squares += row_squares(in + (b * channels + c) * pixels, pixels, rounded);
          moments[c] = {mean, squares / count - (mean - rounded) * (mean - rounded)};
        }
      });
    } else {
      for (int64_t c = 0; c < sets; c++)
        moments[c] = {static_cast<double>(running_mean[c % channels]), static_cast<double>(running_var[c % channels])};
    }
    runtime.parallel(batch * channels, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, pixels)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t c = i % channels;
        const Moments& m = moments[At.instance ? i : c];
        const double a = (gamma ? static_cast<double>(gamma[c]) : 1.0) / std::sqrt(m.variance + eps);
        row_affine(in + i * pixels, pixels, m.mean, a, beta ? static_cast<double>(beta[c]) : 0.0, to + i * pixels);
      }
    });
    finish_output(to, out);

    auto save = [&](const TensorView& view, auto value) {
      T* block = output_block<T>(runtime, view);
      for (int64_t c = 0; c < view.numel(); c++) block[c] = static_cast<T>(value(c));
      finish_output(block, view);
    };
    auto new_mean = [&](int64_t c) {
      double mean = moments[c].mean;
      if (At.instance) {
        mean = 0;
        for (int64_t b = 0; b < batch; b++) mean += moments[b * channels + c].mean / static_cast<double>(batch);
      }
      return momentum * mean + (1 - momentum) * static_cast<double>(running_mean[c]);
    };
    auto new_var = [&](int64_t c) {
      double variance = moments[c].variance;
      if (At.instance) {
        variance = 0;
        for (int64_t b = 0; b < batch; b++) variance += moments[b * channels + c].variance / static_cast<double>(batch);
      }
      return momentum * variance * (count / (count - 1)) + (1 - momentum) * static_cast<double>(running_var[c]);
    };
    if (call.noutputs > 1) save(call.outputs[1], [&](int64_t c) { return moments[c].mean; });
    if (call.noutputs > 2) save(call.outputs[2], [&](int64_t c) { return 1.0 / std::sqrt(moments[c].variance + eps); });
    const int next = Reserve ? 4 : 3;
    if (call.noutputs > next && running_mean)
      save(call.outputs[next], [&](int64_t c) { return training ? new_mean(c) : static_cast<double>(running_mean[c]); });
    if (call.noutputs > next + 1 && running_var)
      save(call.outputs[next + 1], [&](int64_t c) { return training ? new_var(c) : static_cast<double>(running_var[c]); });
    if (training && At.updates && count > 0) {
      auto update = [&](int i, auto value) {
        const TensorView* view = optional_at(call, i);
        if (!view) return;
        T* fresh = static_cast<T*>(runtime.scratch(static_cast<size_t>(channels) * sizeof(T) + 64));
        for (int64_t c = 0; c < channels; c++) fresh[c] = static_cast<T>(value(c));
        copy_out(fresh, *view);
      };
      if (running_mean) update(At.mean, new_mean);
      if (running_var) update(At.var, new_var);
    }
  });
}

TS_KERNEL(batch_norm, {.infer = batch_norm_infer<kFull, false>, .run = batch_norm_run<kFull, false>});
TS_KERNEL(native_batch_norm, {.infer = batch_norm_infer<kFull, false>, .run = batch_norm_run<kFull, false>});
TS_KERNEL(native_batch_norm_functional, {.infer = batch_norm_infer<kFunctional, false>, .run = batch_norm_run<kFunctional, false>});
TS_KERNEL(native_batch_norm_no_stats, {.infer = batch_norm_infer<kNoStats, false>, .run = batch_norm_run<kNoStats, false>});
TS_KERNEL(native_batch_norm_no_training, {.infer = batch_norm_infer<kNoTraining, false>, .run = batch_norm_run<kNoTraining, false>});
TS_KERNEL(batch_norm_with_update, {.infer = batch_norm_infer<kUpdate, true>, .run = batch_norm_run<kUpdate, true>});
TS_KERNEL(batch_norm_with_update_functional,
          {.infer = batch_norm_infer<kUpdateFunctional, true>, .run = batch_norm_run<kUpdateFunctional, true>});
TS_KERNEL(batch_norm_no_update, {.infer = batch_norm_infer<kNoTraining, true>, .run = batch_norm_run<kNoTraining, true>});
TS_KERNEL(instance_norm, {.infer = batch_norm_infer<kInstance, false>, .run = batch_norm_run<kInstance, false>});

}  // namespace
}  // namespace torchscript
