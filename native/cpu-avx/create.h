// Helpers of rows that make tensors.
#pragma once
#include <cmath>

#include "cpu-avx/pointwise.h"

namespace torchscript {

inline DType dtype_arg(const Call& call, int i, DType otherwise) {
  return i < call.nargs && call.args[i].kind == ArgKind::Int ? checked_dtype(call.args[i].i) : otherwise;
}
// What `torch.full` and friends make of a number.
inline DType dtype_of_number(const Arg& arg) {
  return arg.kind == ArgKind::Bool      ? DType::Bool
         : arg.kind == ArgKind::Int     ? DType::I64
         : arg.kind == ArgKind::Complex ? DType::C64
                                        : DType::F32;
}
// A number, or the one element of a tensor.
Arg number_of(const Arg& arg);
// One element of `dtype` from a number, as PyTorch converts scalars (refuses infinity and NaN for integers).
void write_element(const Arg& number, DType dtype, void* to);
// Shape from an int list (or one int); refuses negative sizes.
void set_sized_output(Call& call, int output, DType dtype, const Arg& size);
// `out` holds one value everywhere; out is dense.
void fill_dense(Runtime* runtime, const TensorView& out, const void* element);

// Writes f(i), computed in float64, to the contiguous output.
template <class F> void generate(Call& call, const F& f);
// Converts n float64 values to elements of dtype.
void store_doubles(int64_t n, DType dtype, void* to, const double* from);

template <class F> void generate(Call& call, const F& f) {
  const TensorView& out = call.outputs[0];
  const int64_t size = dtype_size(out.dtype);
  call.runtime->parallel(out.numel(), 16384, [&](int64_t begin, int64_t end) {
    double values[256];
    for (int64_t at = begin; at < end; at += 256) {
      const int64_t n = end - at < 256 ? end - at : 256;
      for (int64_t i = 0; i < n; i++) values[i] = f(at + i);
      store_doubles(n, out.dtype, static_cast<char*>(out.data) + at * size, values);
    }
  });
}

}  // namespace torchscript
