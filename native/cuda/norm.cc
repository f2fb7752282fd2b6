// layer_norm, rms_norm, group_norm, instance_norm and batch_norm on the device.
#include <limits>

#include "cpu-avx/conv/shape.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

bool takes(const Call& call) {
  for (int i = 0; i < call.nargs; i++)
    if (call.args[i].kind == ArgKind::Tensor && !is_real(call.args[i].tensor->dtype)) return false;
  return true;
}

// A vector of scales without gaps, in its own dtype.
class Scales {
 public:
  Scales(const TensorView* t, Runtime* runtime) {
    if (t) dense_.emplace(*t, t->dtype, runtime);
  }
  TypedData data() const { return typed(dense_ ? &dense_->view() : nullptr); }

 private:
  std::optional<DenseInput> dense_;
};
const TensorView* optional_at(const Call& call, int i) { return i < 0 ? nullptr : call.optional_tensor(i); }
const TensorView* output_at(const Call& call, int i) { return i < call.noutputs ? &call.outputs[i] : nullptr; }

// ---- rows

void run_rows(Call& call, NormRowsParams& p, int weight, int bias) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (p.rows == 0) return;
  const DenseInput in(x, x.dtype, call.runtime);
  const Scales gamma(optional_at(call, weight), call.runtime), beta(optional_at(call, bias), call.runtime);
  DenseOutput to(out);
  p.x = in.data();
  p.out = to.data();
  p.gamma = gamma.data();
  p.beta = beta.data();
  const Groups g = groups_for(p.rows, p.n, false);
  p.vectors = g.block.x > 1 && aligned_16(p.x) && aligned_16(p.out) && p.n * dtype_size(x.dtype) % 16 == 0;
  launch(out.device, call.runtime, KernelName("norm_rows_", x.dtype), g.grid, g.block, 0, p);
  to.finish(call.runtime);
}

// The trailing dimensions that argument 1 names are a row.
NormRowsParams trailing_rows(const Call& call) {
  const TensorView& x = call.tensor(0);
  NormRowsParams p;
  p.rows = p.n = 1;
  const int axis = x.ndim - static_cast<int>(call.args[1].ints.n);
  for (int d = 0; d < x.ndim; d++) (d < axis ? p.rows : p.n) *= x.sizes[d];
  p.pixels = divider_of(1);
  return p;
}
void run_layer_norm(Call& call) {
  NormRowsParams p = trailing_rows(call);
  p.eps = call.args[4].as_double();
  p.mean = typed(output_at(call, 1));
  p.rstd = typed(output_at(call, 2));
  run_rows(call, p, 2, 3);
}
TS_CUDA_KERNEL(layer_norm, {.run = run_layer_norm, .in_place = true, .accepts = takes});
TS_CUDA_KERNEL(native_layer_norm, {.run = run_layer_norm, .accepts = takes});

// PyTorch's default: of the dtype that it computes in.
double rms_epsilon(DType t) { return t == DType::F64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon(); }
TS_CUDA_KERNEL(rms_norm, {.run =
                            [](Call& call) {
                              NormRowsParams p = trailing_rows(call);
                              p.rms = 1;
                              const bool given = call.nargs > 3 && call.args[3].is_number();
                              p.eps = given ? call.args[3].as_double() : rms_epsilon(call.tensor(0).dtype);
                              p.rstd = typed(output_at(call, 1));
                              run_rows(call, p, 2, -1);
                            },
                          .accepts = takes});

void run_groups(Call& call, int64_t batch, int64_t channels, int64_t pixels, int64_t groups, int weight, int bias, double eps) {
  NormRowsParams p;
  p.rows = batch * groups;
  p.per = groups > 0 ? channels / groups : 0;
  p.n = p.per * pixels;
  if (p.n > INT32_MAX) fail("A group of 2^31 elements or more is not supported on CUDA");
  p.groups = std::max<int64_t>(1, groups);
  p.pixels = divider_of(static_cast<uint32_t>(std::max<int64_t>(1, pixels)));
  p.eps = eps;
  p.mean = typed(output_at(call, 1));
  p.rstd = typed(output_at(call, 2));
  run_rows(call, p, weight, bias);
}
TS_CUDA_KERNEL(group_norm, {.run =
                              [](Call& call) {
                                const TensorView& x = call.tensor(0);
                                if (x.numel() == 0) return;
                                run_groups(call, x.sizes[0], x.sizes[1], x.numel() / (x.sizes[0] * x.sizes[1]), call.args[1].as_int(), 2, 3,
                                           call.args[4].as_double());
                              },
                            .accepts = takes});
TS_CUDA_KERNEL(native_group_norm, {.run =
                                     [](Call& call) {
                                       run_groups(call, call.args[3].as_int(), call.args[4].as_int(), call.args[5].as_int(),
                                                  call.args[6].as_int(), 1, 2, call.args[7].as_double());
                                     },
                                   .accepts = takes});

// ---- channels

// Where a row has its arguments, as on the CPU (cpu-avx/norm_batch.cc).
struct At {
  int weight, bias, mean, var, training, momentum, eps;
  bool training_value, updates, instance;
};
constexpr At kFull = {1, 2, 3, 4, 5, 6, 7, false, true, false};
constexpr At kFunctional = {1, 2, 3, 4, 5, 6, 7, false, false, false};
constexpr At kNoStats = {1, 2, -1, -1, 3, 4, 5, false, false, false};
constexpr At kNoTraining = {1, 2, 3, 4, -1, 5, 6, false, false, false};
constexpr At kUpdate = {1, 2, 3, 4, -1, 5, 6, true, true, false};
constexpr At kUpdateFunctional = {1, 2, 3, 4, -1, 5, 6, true, false, false};
constexpr At kInstance = {1, 2, 3, 4, 5, 6, 7, false, true, true};

bool is_training(const Call& call, const At& at) { return at.training < 0 ? at.training_value : call.args[at.training].b; }

// (x - mean) scaled by channels, where both tensors lie as [outer, channels, pixels].
void run_affine(Runtime* runtime, const TensorView& x, ChannelAffineParams& p, int64_t channels, int64_t pixels) {
  const int64_t item = channels * pixels, total = x.numel();
  if (item > INT32_MAX) fail("A batch item of 2^31 elements or more is not supported on CUDA");
  p.pixels = divider_of(static_cast<uint32_t>(pixels));
  p.channels = divider_of(static_cast<uint32_t>(channels));
  const int64_t size = dtype_size(x.dtype), most = std::max<int64_t>(1, (int64_t{1} << 30) / item) * item;
  for (int64_t done = 0; done < total;) {
    p.n = static_cast<uint32_t>(std::min(most, total - done));
    launch(x.device, runtime, KernelName("channel_affine_", x.dtype), {grid_for(x.device, p.n, 256)}, {256}, 0, p);
    p.x = static_cast<const char*>(p.x) + p.n * size;
    p.out = static_cast<char*>(p.out) + p.n * size;
    done += p.n;
  }
}

// Running statistics of an instance_norm: means over the batch.
void update_instances(Call& call, const At& at, int64_t batch, int64_t channels, int64_t pixels) {
  const TensorView* running[2] = {optional_at(call, at.mean), optional_at(call, at.var)};
  const int64_t sets = batch * channels;
  if ((!running[0] && !running[1]) || sets * pixels == 0) return;
  const TensorView& x = call.tensor(0);
  const DenseInput in(x, x.dtype, call.runtime);
  const Scratch memory(x.device, static_cast<size_t>(2 * sets + 4 * channels) * 8);
  ChannelStatsParams q;
  q.mean = memory.ptr<double>();
  q.variance = q.mean + sets;
  q.x = in.data();
  q.batch = 1;
  q.channels = sets;
  q.pixels = pixels;
  q.batch_stride = sets * pixels;
  q.channel_stride = pixels;
  q.pixel_stride = 1;
  launch(x.device, call.runtime, KernelName("channel_stats_", x.dtype), {static_cast<unsigned>(sets)}, {256}, 0, q);
  ChannelSaveParams s;
  double* means[2] = {q.variance + sets, q.variance + sets + 2 * channels};
  for (int i = 0; i < 2; i++) {
    ChannelStatsParams over;  // the batch
    over.mean = means[i];
    over.variance = means[i] + channels;
    over.x = i == 0 ? q.mean : q.variance;
    over.batch = 1;
    over.channels = channels;
    over.pixels = batch;
    over.batch_stride = sets;
    over.channel_stride = 1;
    over.pixel_stride = channels;
    launch(x.device, call.runtime, "channel_stats_f64", {static_cast<unsigned>(channels)}, {256}, 0, over);
  }
  s.channels = static_cast<int32_t>(channels);
  s.training = 1;
  s.eps = call.args[at.eps].as_double();
  s.momentum = call.args[at.momentum].as_double();
  s.count = static_cast<double>(pixels);
  s.mean = means[0];
  s.variance = means[1];
  s.running_mean = s.next_mean = typed(running[0]);
  s.running_var = s.next_var = typed(running[1]);
  launch(x.device, call.runtime, "channel_save", {grid_for(x.device, channels, 256)}, {256}, 0, s);
}

template <const At& at, bool Reserve> void run_batch_norm(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (!at.instance && x.numel() == 0 && call.noutputs == 1) return;
  Runtime* runtime = call.runtime;
  const int64_t batch = x.sizes[0], channels = x.sizes[1], pixels = batch * channels > 0 ? x.numel() / (batch * channels) : 0;
  const bool training = is_training(call, at);
  const double eps = call.args[at.eps].as_double();
  if (at.instance && training) {
    run_groups(call, batch, channels, pixels, channels, at.weight, at.bias, eps);
    return update_instances(call, at, batch, channels, pixels);
  }

  const bool last = !at.instance && has_channels_last_strides(x) && has_channels_last_strides(out);
  std::optional<DenseInput> in;
  std::optional<DenseOutput> to;
  if (!last) in.emplace(x, x.dtype, runtime), to.emplace(out);
  const Scales gamma(optional_at(call, at.weight), runtime), beta(optional_at(call, at.bias), runtime);
  const Scales mean(optional_at(call, at.mean), runtime), var(optional_at(call, at.var), runtime);
  ChannelAffineParams p;
  p.x = last ? x.data : in->data();
  p.out = last ? out.data : to->data();
  p.gamma = gamma.data();
  p.beta = beta.data();
  p.eps = eps;
  std::optional<Scratch> moments;
  ChannelSaveParams s;
  s.channels = static_cast<int32_t>(channels);
  s.training = training && batch * pixels > 0;
  s.eps = eps;
  s.momentum = call.args[at.momentum].as_double();
  s.count = static_cast<double>(batch * pixels);
  if (training) {
    moments.emplace(x.device, static_cast<size_t>(std::max<int64_t>(1, channels)) * 16);
    ChannelStatsParams q;
    q.mean = moments->ptr<double>();
    q.variance = q.mean + channels;
    q.x = p.x;
    q.batch = batch;
    q.channels = channels;
    q.pixels = pixels;
    q.batch_stride = channels * pixels;
    q.channel_stride = last ? 1 : pixels;
    q.pixel_stride = last ? channels : 1;
    if (pixels <= 4) {
      // Items are what there are many of.
      std::swap(q.batch, q.pixels);
      std::swap(q.batch_stride, q.pixel_stride);
    }
    if (channels > 0)
      launch(x.device, runtime, KernelName("channel_stats_", x.dtype), {static_cast<unsigned>(channels)}, {256}, 0, q);
    p.mean.data = q.mean;
    p.variance.data = q.variance;
    p.mean.dtype = p.variance.dtype = static_cast<int32_t>(DType::F64);
    s.mean = q.mean;
    s.variance = q.variance;
  } else {
    p.mean = mean.data();
    p.variance = var.data();
  }
  if (x.numel() > 0) run_affine(runtime, x, p, channels, last ? 1 : pixels);
  if (to) to->finish(runtime);

  if (training) {
    s.saved_mean = typed(output_at(call, 1));
    s.saved_rstd = typed(output_at(call, 2));
  }
  s.running_mean = mean.data();
  s.running_var = var.data();
  const int next = Reserve ? 4 : 3;
  if (s.running_mean.data) s.next_mean = typed(output_at(call, next));
  if (s.running_var.data) s.next_var = typed(output_at(call, next + 1));
  if (at.updates && s.training) s.next_mean = typed(optional_at(call, at.mean)), s.next_var = typed(optional_at(call, at.var));
  if (channels > 0 && (s.saved_mean.data || s.saved_rstd.data || s.next_mean.data || s.next_var.data))
    launch(x.device, runtime, "channel_save", {grid_for(x.device, channels, 256)}, {256}, 0, s);
}

// Updates of vectors with gaps are the CPU's.
template <const At& at> bool takes_batch(const Call& call) {
  if (!takes(call)) return false;
  if (!is_training(call, at)) return true;
  for (int i : {at.mean, at.var}) {
    const TensorView* t = optional_at(call, i);
    if (t && at.updates && !t->is_contiguous()) return false;
  }
  return true;
}
#define TS_BATCH_ROW(name, at, reserve) TS_CUDA_KERNEL(name, {.run = run_batch_norm<at, reserve>, .accepts = takes_batch<at>})
TS_BATCH_ROW(batch_norm, kFull, false);
TS_BATCH_ROW(native_batch_norm, kFull, false);
TS_BATCH_ROW(native_batch_norm_functional, kFunctional, false);
TS_BATCH_ROW(native_batch_norm_no_stats, kNoStats, false);
TS_BATCH_ROW(native_batch_norm_no_training, kNoTraining, false);
TS_BATCH_ROW(batch_norm_with_update, kUpdate, true);
TS_BATCH_ROW(batch_norm_with_update_functional, kUpdateFunctional, true);
TS_BATCH_ROW(batch_norm_no_update, kNoTraining, true);
TS_BATCH_ROW(instance_norm, kInstance, false);

}  // namespace
}  // namespace torchscript::cuda
