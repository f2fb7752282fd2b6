// cummax and cummin on the device.
#include "cuda/kernels/params_reduce.h"
#include "cuda/sort.h"

namespace torchscript::cuda {
namespace {

template <bool maximum> void run(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.numel() == 0) return;
  const DType dtype = is_real(self.dtype) ? DType::F64 : DType::I64;
  const Scratch memory(self.device, static_cast<size_t>(self.numel()) * 8);
  TensorView wide = contiguous_like(self, dtype);
  wide.data = memory.ptr<void>();
  copy_strided(wide, self, call.runtime);
  DenseOutput indices(call.outputs[1]);
  const SortLines lines = sort_lines_of(wide, call.args[1].as_int());
  ScanParams p;
  p.data = wide.data;
  p.lines = lines.count;
  p.n = lines.size;
  p.inner = lines.inner;
  int64_t* positions = static_cast<int64_t*>(indices.data());
  const int32_t largest = maximum;
  launch(self.device, call.runtime, dtype == DType::F64 ? "scan_extremes_f64" : "scan_extremes_i64", {grid_for(self.device, p.lines, 128)}, {128}, 0, p,
         positions, largest);
  copy_strided(call.outputs[0], wide, call.runtime);
  indices.finish(call.runtime);
}
bool takes(const Call& call) { return is_sortable(call.tensor(0).dtype); }
TS_CUDA_KERNEL(cummax, {.run = run<true>, .accepts = takes});
TS_CUDA_KERNEL(cummin, {.run = run<false>, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
