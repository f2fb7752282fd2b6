// softmax, log_softmax and safe_softmax on the device.
#include "cpu-avx/reduce_driver.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

template <bool Log, bool Safe> void run_softmax(Call& call) {
  const TensorView& x = call.tensor(0);
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t dim = wrap_dim(call.args[1].as_int(), x.ndim);
  const DenseInput in(x, out.dtype, call.runtime);
  DenseOutput to(out);
  SoftmaxParams p;
  p.n = x.ndim == 0 ? 1 : x.sizes[dim];
  for (int d = static_cast<int>(dim) + 1; d < x.ndim; d++) p.inner *= x.sizes[d];
  p.rows = x.numel() / p.n;
  p.x = in.data();
  p.out = to.data();
  p.log = Log;
  p.safe = Safe;
  const Groups g = groups_for(p.rows, p.n, p.inner > 1);
  p.vectors = g.block.x > 1 && aligned_16(p.x) && aligned_16(p.out) && p.n * dtype_size(out.dtype) % 16 == 0;
  launch(out.device, call.runtime, KernelName("softmax_", out.dtype), g.grid, g.block, 0, p);
  to.finish(call.runtime);
}
bool takes(const Call& call) { return !is_complex(call.tensor(0).dtype); }
TS_CUDA_KERNEL(softmax, {.run = run_softmax<false, false>, .accepts = takes});
TS_CUDA_KERNEL(log_softmax, {.run = run_softmax<true, false>, .accepts = takes});
TS_CUDA_KERNEL(safe_softmax, {.run = run_softmax<false, true>, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
