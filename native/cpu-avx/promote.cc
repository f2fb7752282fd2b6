#include "cpu-avx/promote.h"

#include <algorithm>

namespace torchscript {
namespace {

// Rank within integers and floats; 0 for others.
int integer_rank(DType t) {
  switch (t) {
    case DType::U8:
    case DType::I8: return 1;
    case DType::I16: return 2;
    case DType::I32: return 3;
    case DType::I64: return 4;
    default: return 0;
  }
}
bool is_unusual(DType t) {
  return t == DType::U16 || t == DType::U32 || t == DType::U64 || is_quantized(t) || (is_floating(t) && dtype_size(t) == 1);
}

}  // namespace

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::Undefined) return b;
  if (b == DType::Undefined) return a;
  if (is_complex(a) || is_complex(b)) {
    const DType ra = real_of(a), rb = real_of(b);
    return complex_of(is_floating(ra) || is_floating(rb) ? promote_types(ra, rb) : DType::F32);
  }
  if (a == DType::Bool) return b;
  if (b == DType::Bool) return a;
  if (is_unusual(a) || is_unusual(b)) {
    if (is_floating(a) && !is_unusual(a)) return a;
    if (is_floating(b) && !is_unusual(b)) return b;
    fail("Promotion for %s and %s is not supported", dtype_torch_name(a), dtype_torch_name(b));
  }
  if (is_floating(a) && is_floating(b)) {
    if (a == DType::F64 || b == DType::F64) return DType::F64;
    return DType::F32;  // of half, bfloat16 and float32 any two different ones
  }
  if (is_floating(a)) return a;
  if (is_floating(b)) return b;
  const int ra = integer_rank(a), rb = integer_rank(b);
  if (ra == 1 && rb == 1) return DType::I16;
  return ra > rb ? a : b;
}

void ResultType::add(const TensorView& tensor) {
  DType& slot = tensor.ndim > 0 ? dim_ : zero_;
  slot = promote_types(slot, tensor.dtype);
}
void ResultType::add(const Arg& arg) {
  switch (arg.kind) {
    case ArgKind::Tensor: add(*arg.tensor); break;
    case ArgKind::Int: number_ = promote_types(number_, DType::I64); break;
    case ArgKind::Float: number_ = promote_types(number_, DType::F32); break;
    case ArgKind::Bool: number_ = promote_types(number_, DType::Bool); break;
    case ArgKind::Complex: number_ = promote_types(number_, DType::C64); break;
    default: break;
  }
}
static DType combine(DType higher, DType lower) {
  if (is_complex(higher)) return higher;
  if (is_floating(higher)) return is_complex(lower) ? complex_of(higher) : higher;
  if (higher == DType::Bool || is_floating(lower) || is_complex(lower)) return promote_types(higher, lower);
  return higher != DType::Undefined ? higher : lower;
}
DType ResultType::get() const { return combine(dim_, combine(zero_, number_)); }

void broadcast_shape(int64_t* shape, int& ndim, const TensorView& tensor) {
  const int n = std::max(ndim, tensor.ndim);
  for (int i = 0; i < n; i++) {  // from the last dimension
    const int64_t a = i < ndim ? shape[ndim - 1 - i] : 1;
    const int64_t b = i < tensor.ndim ? tensor.sizes[tensor.ndim - 1 - i] : 1;
    if (a != b && a != 1 && b != 1) {
      fail("The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d", static_cast<long long>(a),
           static_cast<long long>(b), n - 1 - i);
    }
  }
  if (tensor.ndim > ndim) {
    for (int i = ndim - 1; i >= 0; i--) shape[i + tensor.ndim - ndim] = shape[i];
    for (int i = 0; i < tensor.ndim - ndim; i++) shape[i] = 1;
    ndim = tensor.ndim;
  }
  for (int i = 0; i < tensor.ndim; i++) {
    int64_t& a = shape[ndim - 1 - i];
    if (a == 1) a = tensor.sizes[tensor.ndim - 1 - i];
  }
}

void broadcast_strides(int64_t* strides, const int64_t* shape, int ndim, const TensorView& tensor) {
  const int offset = ndim - tensor.ndim;
  for (int d = 0; d < ndim; d++) {
    const int s = d - offset;
    strides[d] = s < 0 || (tensor.sizes[s] == 1 && shape[d] != 1) ? 0 : tensor.strides[s];
  }
}

void output_strides(int64_t* out, const int64_t* shape, int ndim, const int64_t (*strides)[kMaxDims], int operands) {
  int order[kMaxDims];  // fastest first
  for (int i = 0; i < ndim; i++) order[i] = ndim - 1 - i;
  const auto compare = [&](int a, int b) {
    for (int k = 0; k < operands; k++) {
      const int64_t sa = strides[k][a], sb = strides[k][b];
      if (sa == 0 || sb == 0) continue;
      if (sa < sb) return -1;
      if (sa > sb || shape[a] > shape[b]) return 1;
    }
    return 0;
  };
  for (int i = 1; i < ndim; i++) {
    int at = i;
    for (int j = i - 1; j >= 0; j--) {
      const int c = compare(order[j], order[at]);
      if (c > 0) {
        std::swap(order[j], order[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  int64_t stride = 1;
  for (int i = 0; i < ndim; i++) {
    out[order[i]] = stride;
    stride *= shape[order[i]] > 0 ? shape[order[i]] : 1;
  }
}

}  // namespace torchscript
