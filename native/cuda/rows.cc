#include "cuda/rows.h"

#include <cstdio>

namespace torchscript::cuda {

KernelName::KernelName(const char* prefix, DType t) {
  const char* label = t == DType::F16 ? "f16" : t == DType::BF16 ? "bf16" : t == DType::F64 ? "f64" : "f32";
  std::snprintf(text, sizeof text, "%s%s", prefix, label);
}

TensorView contiguous_like(const TensorView& t, DType dtype) {
  TensorView v = t;
  v.dtype = dtype;
  int64_t stride = 1;
  for (int d = v.ndim - 1; d >= 0; d--) {
    v.strides[d] = stride;
    stride *= std::max<int64_t>(1, v.sizes[d]);
  }
  return v;
}

DenseInput::DenseInput(const TensorView& t, DType dtype, Runtime* runtime) : view_(t) {
  if (t.dtype == dtype && t.is_contiguous()) return;
  view_ = contiguous_like(t, dtype);
  memory_.emplace(t.device, static_cast<size_t>(std::max<int64_t>(1, t.numel()) * dtype_size(dtype)));
  view_.data = memory_->ptr<void>();
  copy_strided(view_, t, runtime);
}

DenseOutput::DenseOutput(const TensorView& out) : out_(out), view_(out) {
  if (out.is_contiguous()) return;
  view_ = contiguous_like(out, out.dtype);
  memory_.emplace(out.device, static_cast<size_t>(std::max<int64_t>(1, out.numel()) * dtype_size(out.dtype)));
  view_.data = memory_->ptr<void>();
}
void DenseOutput::finish(Runtime* runtime) {
  if (memory_) copy_strided(out_, view_, runtime);
}

Groups groups_for(int64_t rows, int64_t n, bool strided) {
  Groups g;
  if (strided || n <= 4) g.block = {1, 128};
  else if (n <= 1024) g.block = {32, 4};
  else g.block = {256, 1};
  g.grid.x = static_cast<unsigned>(std::clamp<int64_t>((rows + g.block.y - 1) / g.block.y, 1, INT32_MAX));
  return g;
}

}  // namespace torchscript::cuda
