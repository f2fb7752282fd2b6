// What rows whose kernels want tensors without gaps share: dense inputs and outputs, groups of threads for rows.
#pragma once
#include <algorithm>
#include <optional>

#include "cuda/kernels.h"
#include "cuda/kernels/params_rows.h"

namespace torchscript::cuda {

inline bool is_real(DType t) { return t == DType::F32 || t == DType::F16 || t == DType::BF16 || t == DType::F64; }
// The kernel's name for a floating dtype: "softmax_" gives "softmax_f32".
struct KernelName {
  char text[64];
  KernelName(const char* prefix, DType t);
  operator const char*() const { return text; }
};

// A view with the strides of a contiguous tensor.
TensorView contiguous_like(const TensorView& t, DType dtype);

// The tensor in `dtype` without gaps: itself, or a copy that lives as long as this.
class DenseInput {
 public:
  DenseInput(const TensorView& t, DType dtype, Runtime* runtime);
  const TensorView& view() const { return view_; }
  void* data() const { return view_.data; }

 private:
  TensorView view_;
  std::optional<Scratch> memory_;
};
// Memory without gaps for an output; `finish` copies it where the output is not so.
class DenseOutput {
 public:
  explicit DenseOutput(const TensorView& out);
  void* data() const { return view_.data; }
  const TensorView& view() const { return view_; }
  void finish(Runtime* runtime);

 private:
  TensorView out_, view_;
  std::optional<Scratch> memory_;
};

// Threads for `rows` rows of n elements: a group a row. Strided rows get a thread each, so that neighbours read neighbours.
struct Groups {
  Dim grid, block;
};
Groups groups_for(int64_t rows, int64_t n, bool strided);

inline bool aligned_16(const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }
inline TypedData typed(const TensorView* t) {
  TypedData d;
  if (!t) return d;
  d.data = t->data;
  d.dtype = static_cast<int32_t>(t->dtype);
  return d;
}

}  // namespace torchscript::cuda
