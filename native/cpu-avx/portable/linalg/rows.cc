#include "cpu-avx/portable/linalg/rows.h"

#include <cstdio>

namespace torchscript::portable::linalg {

DType real_dtype(DType t) { return t == DType::C64 ? DType::F32 : t == DType::C128 ? DType::F64 : t; }
DType complex_dtype(DType t) { return t == DType::F32 ? DType::C64 : t == DType::F64 ? DType::C128 : t; }

void check_matrix(const TensorView& a, const char* name) {
  if (a.ndim < 2) fail("%s: The input tensor A must have at least 2 dimensions.", name);
  const bool known = a.dtype == DType::F32 || a.dtype == DType::F64 || a.dtype == DType::C64 || a.dtype == DType::C128;
  if (!known) fail("%s: Expected a floating point or complex tensor as input. Got %s", name, dtype_torch_name(a.dtype));
}

void check_square(const TensorView& a, const char* name) {
  check_matrix(a, name);
  if (rows_of(a) != cols_of(a))
    fail("%s: A must be batches of square matrices, but they are %lld by %lld matrices", name, static_cast<long long>(rows_of(a)),
         static_cast<long long>(cols_of(a)));
}

void matrix_output(Call& call, int i, const TensorView& like, DType dtype, std::initializer_list<int64_t> trailing) {
  if (i >= call.noutputs) return;
  int64_t sizes[kMaxDims];
  int n = std::max(like.ndim - 2, 0);
  std::copy(like.sizes, like.sizes + n, sizes);
  for (const int64_t s : trailing) sizes[n++] = s;
  call.set_output(i, dtype, sizes, n);
}

std::vector<int64_t> batch_shape(const TensorView& a, int skip_a, const TensorView& b, int skip_b) {
  std::vector<int64_t> shape(a.sizes, a.sizes + (a.ndim - skip_a));
  TensorView other = b;
  other.ndim -= skip_b;
  if (!broadcast_into(shape, other)) fail("linalg: The batch dimensions of the arguments do not broadcast");
  return shape;
}

TensorView expand_batch(const TensorView& v, int keep, const std::vector<int64_t>& batch) {
  int64_t sizes[kMaxDims];
  std::copy(batch.begin(), batch.end(), sizes);
  std::copy(v.sizes + (v.ndim - keep), v.sizes + v.ndim, sizes + batch.size());
  return expand_view(v, sizes, static_cast<int>(batch.size()) + keep);
}

void fail_singular(const char* format, const char* name, int64_t batch, int64_t batches, int64_t info) {
  char where[64] = "", reason[256];
  if (batches > 1) std::snprintf(where, sizeof where, "(Batch element %lld): ", static_cast<long long>(batch));
  std::snprintf(reason, sizeof reason, format, static_cast<long long>(info));
  fail_as("torch._C._LinAlgError", "%s: %s%s", name, where, reason);
}

}  // namespace torchscript::portable::linalg
