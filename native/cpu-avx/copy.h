// Copies between tensors of any strides and dtypes.
#pragma once
#include "cpu-avx/pointwise.h"

namespace torchscript {

// dst = src, broadcast to dst's shape and converted to its dtype (PyTorch's casts: floats truncate to integers, narrow ones
// wrap). The two must not overlap unless they are the same view.
void copy_strided(const TensorView& dst, const TensorView& src, Runtime* runtime);

// A compute type that loses nothing of a dtype on its way to another one.
Compute between_dtypes(DType from);

// Shape and strides of a copy of `like` in a memory format (c10's codes; None preserves).
enum : int64_t { kContiguousFormat = 0, kPreserveFormat = 1, kChannelsLast = 2, kChannelsLast3d = 3 };
void format_strides(TensorView& out, const TensorView& like, int64_t format);
inline int64_t format_of(const Arg& arg, int64_t otherwise = kPreserveFormat) { return arg.kind == ArgKind::Int ? arg.i : otherwise; }

}  // namespace torchscript
