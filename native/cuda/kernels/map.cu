// Copies whose output index gives the input index dimension by dimension: flip, roll, repeat, pads; triangles; ranges.
// kernel: cpu-avx/portable/mapped_copy
#include "cuda/kernels/params_index.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

template <class T> TS_DEVICE void map_elements(const MapParams& p) {
  const T* x = static_cast<const T*>(p.x);
  const T fill = *reinterpret_cast<const T*>(p.fill);
  for (uint32_t i = thread_index(); i < p.n; i += thread_count()) {
    uint32_t rest = i;
    int64_t at = 0;
    bool outside = false;
    for (int d = 0; d < p.ndim; d++) {
      const MapDim& dim = p.dims[d];
      const uint32_t q = divide(rest, dim.out);
      int64_t k = rest - q * dim.out.divisor;
      rest = q;
      if (dim.backwards) k = static_cast<int64_t>(dim.out.divisor) - 1 - k;
      k += dim.shift;
      switch (dim.mode) {
        case kMapFill: outside |= k < 0 || k >= dim.size; break;
        case kMapReflect:
          if (k < 0) k = -k;
          if (k >= dim.size) k = 2 * (dim.size - 1) - k;
          break;
        case kMapClamp: k = k < 0 ? 0 : k >= dim.size ? dim.size - 1 : k; break;
        case kMapWrap: k = (k % dim.size + dim.size) % dim.size + dim.first; break;
      }
      at += k * dim.stride;
    }
    static_cast<T*>(p.out)[i] = outside ? fill : x[at];
  }
}

}  // namespace

TS_GLOBAL(map_1, const MapParams p) { map_elements<uint8_t>(p); }
TS_GLOBAL(map_2, const MapParams p) { map_elements<uint16_t>(p); }
TS_GLOBAL(map_4, const MapParams p) { map_elements<uint32_t>(p); }
TS_GLOBAL(map_8, const MapParams p) { map_elements<uint64_t>(p); }
TS_GLOBAL(map_16, const MapParams p) { map_elements<Bytes16>(p); }

TS_GLOBAL(triangle_zero, const TriangleParams p) {
  for (int64_t i = thread_index(); i < p.n; i += thread_count()) {
    const int64_t line = i / p.columns, column = i - line * p.columns, row = line % p.rows;
    const bool kept = p.lower ? column <= row + p.diagonal : column >= row + p.diagonal;
    if (kept) continue;
    switch (p.size) {
      case 1: static_cast<uint8_t*>(p.out)[i] = 0; break;
      case 2: static_cast<uint16_t*>(p.out)[i] = 0; break;
      case 4: static_cast<uint32_t*>(p.out)[i] = 0; break;
      case 8: static_cast<uint64_t*>(p.out)[i] = 0; break;
      default: static_cast<Bytes16*>(p.out)[i] = Bytes16{0, 0}; break;
    }
  }
}

TS_GLOBAL(range_fill, const RangeParams p) {
  for (int64_t i = thread_index(); i < p.n; i += thread_count()) {
    const int64_t whole = static_cast<int64_t>(static_cast<uint64_t>(p.whole_start) + static_cast<uint64_t>(i) * static_cast<uint64_t>(p.whole_step));
    double value = p.start + static_cast<double>(i) * p.step;
    if (p.symmetric && i >= p.n / 2) value = p.end - static_cast<double>(p.n - 1 - i) * p.step;
    const int64_t integer = p.whole ? whole : to_int64(value);
    switch (p.dtype) {
      case kF16: static_cast<Half*>(p.out)[i] = Half(static_cast<float>(value)); break;
      case kBF16: static_cast<BFloat*>(p.out)[i] = BFloat(static_cast<float>(value)); break;
      case kF32: static_cast<float*>(p.out)[i] = static_cast<float>(value); break;
      case kF64: static_cast<double*>(p.out)[i] = value; break;
      case kU8:
      case kI8: static_cast<uint8_t*>(p.out)[i] = static_cast<uint8_t>(integer); break;
      case kI16: static_cast<int16_t*>(p.out)[i] = static_cast<int16_t>(integer); break;
      case kI32: static_cast<int32_t*>(p.out)[i] = static_cast<int32_t>(integer); break;
      default: static_cast<int64_t*>(p.out)[i] = integer; break;
    }
  }
}
