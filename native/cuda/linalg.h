// What the rows of linear algebra on the device share: batches of matrices of float64 or complex128, a block of threads for each.
#pragma once
#include "cpu-avx/portable/linalg/rows.h"
#include "cuda/kernels/linalg_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {

namespace cpu = ::torchscript::portable::linalg;

inline DType wide_dtype(DType t) { return is_complex(t) ? DType::C128 : DType::F64; }
inline bool takes_matrices(const Call& call) {
  for (int i = 0; i < call.nargs; i++)
    if (call.args[i].kind == ArgKind::Tensor && call.args[i].tensor->dtype == DType::C32) return false;
  return true;
}

// A tensor in float64 or complex128, without gaps; a copy that may be written.
class WideCopy {
 public:
  WideCopy(const TensorView& t, Runtime* runtime) : WideCopy(t, wide_dtype(t.dtype)) {
    if (t.numel() > 0) copy_strided(view_, t, runtime);
  }
  // Without values.
  WideCopy(const TensorView& shape, DType dtype)
      : memory_(shape.device, static_cast<size_t>(std::max<int64_t>(1, shape.numel()) * dtype_size(dtype))), view_(contiguous_like(shape, dtype)) {
    view_.data = memory_.ptr<void>();
  }
  const TensorView& view() const { return view_; }
  void* data() const { return view_.data; }
  // Into an output of the same shape.
  void put(const TensorView& out, Runtime* runtime) const {
    if (out.numel() > 0) copy_strided(out, view_, runtime);
  }

 private:
  Scratch memory_;
  TensorView view_;
};

// Whole numbers of the device for each matrix.
class Numbers {
 public:
  Numbers(int device, int64_t count)
      : device_(device), count_(count), memory_(device, static_cast<size_t>(std::max<int64_t>(1, count)) * 4) {}
  int32_t* data() const { return memory_.ptr<int32_t>(); }
  // Waits.
  std::vector<int32_t> read() const;
  // Into an int32 output, each plus `more`.
  void put(const TensorView& out, int32_t more, Runtime* runtime) const;

 private:
  int device_;
  int64_t count_;
  Scratch memory_;
};

// The kernel `linalg_<name>_<f64 or c128>`, a block a matrix, with `work` bytes for each block.
void launch_matrices(Runtime* runtime, int device, const char* name, DType dtype, LinalgParams p, int64_t threads, int64_t work = 0);

// Singular values of a [batch, m, n] into s [batch, k], and vectors where u and vh are not null.
void run_singular(Runtime* runtime, int device, DType dtype, void* a, int64_t batch, int64_t m, int64_t n, double* s, void* u, void* vh, bool full,
                  int32_t* info);

}  // namespace torchscript::cuda
