// max_pool, avg_pool and their adaptive forms on the device.
#include "cuda/kernels/pool_params.h"

#include "cpu-avx/gemm/staging.h"
#include "cpu-avx/pool_shape.h"
#include "cuda/places.h"

namespace torchscript::cuda {
namespace {

// Whole numbers are pooled as int64.
void launch_pool(Call& call, PoolParams& p, const PoolShape& s, bool mean) {
  if (call.outputs[0].numel() == 0) return;
  std::optional<DenseInput> wide;
  std::optional<Scratch> memory;
  TensorView x = call.tensor(0), out = call.outputs[0];
  if (!is_real(x.dtype)) {
    wide.emplace(x, DType::I64, call.runtime);
    x = wide->view();
    memory.emplace(out.device, static_cast<size_t>(out.numel()) * 8);
    out = contiguous_like(out, DType::I64);
    out.data = memory->ptr<void>();
  }
  set_places(p, s.spatial, x, out);
  if (call.noutputs > 1) {
    p.indices = call.outputs[1].ptr<int64_t>();
    five_strides(s.spatial, call.outputs[1], p.index_strides);
  }
  int64_t window = 1;
  for (int d = 0; d < 3; d++) {
    p.kernel[d] = small(s.kernel[d]);
    p.stride[d] = small(s.stride[d]);
    p.pad[d] = small(s.pad[d]);
    p.dilation[d] = small(s.dilation[d]);
    small(s.out[d] * s.stride[d] + s.kernel[d] * s.dilation[d] + s.pad[d]);
    window *= p.adaptive ? (s.in[d] + s.out[d] - 1) / s.out[d] : s.kernel[d];
  }
  if (mean && window >= 128) p.lanes = 32;
  const char* name = x.dtype == DType::I64 ? (mean ? "pool_mean_i64" : "pool_max_i64") : by_dtype(x.dtype, mean ? "pool_mean_f32" : "pool_max_f32", mean ? "pool_mean_f16" : "pool_max_f16",
                              mean ? "pool_mean_bf16" : "pool_max_bf16", mean ? "pool_mean_f64" : "pool_max_f64");
  launch(out.device, call.runtime, name, {grid_for(out.device, out.numel() * p.lanes, 256)}, {256}, 0, p);
  if (wide) copy_strided(call.outputs[0], out, call.runtime);
}

// Arguments as on the CPU.
template <int N> void run_max(Call& call) {
  PoolParams p;
  launch_pool(call, p, pool_shape(call, "max_pool", N, 1, 2, 3, 4, 5), false);
}
template <int N> void run_mean(Call& call) {
  PoolParams p;
  p.include_pad = call.nargs <= 5 || call.args[5].b;
  p.divisor = call.nargs > 6 && call.args[6].kind == ArgKind::Int ? call.args[6].i : 0;
  launch_pool(call, p, pool_shape(call, "avg_pool", N, 1, 2, 3, -1, 4), true);
}
template <int N, bool kMean> void run_adaptive(Call& call) {
  PoolShape s;
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  s.spatial = N;
  for (int d = 0; d < N; d++) {
    s.in[3 - N + d] = x.sizes[x.ndim - N + d];
    s.out[3 - N + d] = out.sizes[out.ndim - N + d];
  }
  PoolParams p;
  p.adaptive = 1;
  launch_pool(call, p, s, kMean);
}
bool takes(const Call& call) {
  if (call.nargs == 0 || call.args[0].kind != ArgKind::Tensor || call.tensor(0).quant) return false;
  const DType t = call.tensor(0).dtype;
  return is_real(t) || (is_integral(t) && t != DType::U64);
}

#define TS_CUDA_POOL(name, function) TS_CUDA_KERNEL(name, {.run = function, .accepts = takes})
TS_CUDA_POOL(max_pool1d, run_max<1>);
TS_CUDA_POOL(max_pool2d, run_max<2>);
TS_CUDA_POOL(max_pool3d, run_max<3>);
TS_CUDA_POOL(avg_pool1d, run_mean<1>);
TS_CUDA_POOL(avg_pool2d, run_mean<2>);
TS_CUDA_POOL(avg_pool3d, run_mean<3>);
#define TS_CUDA_ADAPTIVE(name, dims, mean) TS_CUDA_KERNEL(name, {.run = run_adaptive<dims, mean>, .accepts = takes})
TS_CUDA_ADAPTIVE(adaptive_avg_pool1d, 1, true);
TS_CUDA_ADAPTIVE(adaptive_avg_pool2d, 2, true);
TS_CUDA_ADAPTIVE(adaptive_avg_pool3d, 3, true);
TS_CUDA_ADAPTIVE(adaptive_max_pool1d, 1, false);
TS_CUDA_ADAPTIVE(adaptive_max_pool2d, 2, false);
TS_CUDA_ADAPTIVE(adaptive_max_pool3d, 3, false);

}  // namespace
}  // namespace torchscript::cuda
