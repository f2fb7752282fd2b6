// What depends on data: positions of elements that are not zero, groups of equal slices, boxes that overlap.
// kernel: cpu-avx/portable/masked, unique, nms
#include "cuda/kernels/prelude.cuh"
#include "cuda/kernels/select_params.h"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

TS_DEVICE bool is_set(const SelectParams& p, int64_t i) {
  switch (p.dtype) {
    case kF16:
    case kBF16: return (static_cast<const uint16_t*>(p.x)[i] & 0x7fff) != 0;
    case kI16:
    case kU16: return static_cast<const uint16_t*>(p.x)[i] != 0;
    case kF32: return static_cast<const float*>(p.x)[i] != 0;
    case kI32:
    case kU32: return static_cast<const uint32_t*>(p.x)[i] != 0;
    case kF64: return static_cast<const double*>(p.x)[i] != 0;
    case kI64:
    case kU64: return static_cast<const uint64_t*>(p.x)[i] != 0;
    case kC64: return static_cast<const Complex64*>(p.x)[i].re != 0 || static_cast<const Complex64*>(p.x)[i].im != 0;
    case kC128: return static_cast<const Complex128*>(p.x)[i].re != 0 || static_cast<const Complex128*>(p.x)[i].im != 0;
    default: return static_cast<const uint8_t*>(p.x)[i] != 0;
  }
}

// The thread's four elements of a chunk, as bits.
TS_DEVICE uint32_t four_of(const SelectParams& p, int64_t chunk) {
  uint32_t bits = 0;
  const int64_t begin = chunk * kSelectChunk + threadIdx.x * 4;
  for (int k = 0; k < 4; k++) {
    if (begin + k >= p.loop.n) break;
    int64_t at[1];
    offsets_of<1>(p.loop, static_cast<uint32_t>(begin + k), at);
    if (is_set(p, at[0])) bits |= 1u << k;
  }
  return bits;
}

TS_DEVICE void copy_one(int32_t size, void* to, int64_t to_at, const void* from, int64_t from_at) {
  switch (size) {
    case 1: static_cast<uint8_t*>(to)[to_at] = static_cast<const uint8_t*>(from)[from_at]; break;
    case 2: static_cast<uint16_t*>(to)[to_at] = static_cast<const uint16_t*>(from)[from_at]; break;
    case 4: static_cast<uint32_t*>(to)[to_at] = static_cast<const uint32_t*>(from)[from_at]; break;
    case 8: static_cast<uint64_t*>(to)[to_at] = static_cast<const uint64_t*>(from)[from_at]; break;
    default: static_cast<Bytes16*>(to)[to_at] = static_cast<const Bytes16*>(from)[from_at]; break;
  }
}

// Intersection over union above the threshold.
template <class T> TS_DEVICE bool overlaps(const NmsParams& p, int64_t a, int64_t b) {
  const T *u = static_cast<const T*>(p.boxes) + 4 * a, *v = static_cast<const T*>(p.boxes) + 4 * b;
  const auto lesser = [](T x, T y) { return y < x ? y : x; };
  const auto greater = [](T x, T y) { return x < y ? y : x; };
  const T w = greater(T(0), lesser(u[2], v[2]) - greater(u[0], v[0])), h = greater(T(0), lesser(u[3], v[3]) - greater(u[1], v[1]));
  const T inter = w * h, area_u = (u[2] - u[0]) * (u[3] - u[1]), area_v = (v[2] - v[0]) * (v[3] - v[1]);
  return inter / (area_u + area_v - inter) > p.threshold;
}
// A thread a word of 64 boxes that come later.
template <class T> TS_DEVICE void find_overlaps(const NmsParams& p) {
  for (int64_t i = first_item(); i < p.n * p.words; i += item_step()) {
    const int64_t row = i / p.words, word = i % p.words;
    uint64_t bits = 0;
    for (int k = 0; k < 64; k++) {
      const int64_t other = word * 64 + k;
      if (other > row && other < p.n && overlaps<T>(p, p.order[row], p.order[other])) bits |= uint64_t{1} << k;
    }
    p.overlaps[i] = bits;
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, select_count, const SelectParams p) {
  __shared__ unsigned found;
  if (threadIdx.x == 0) found = 0;
  __syncthreads();
  const unsigned own = static_cast<unsigned>(__popc(four_of(p, blockIdx.x)));
  if (own) atomicAdd(&found, own);
  __syncthreads();
  if (threadIdx.x == 0) p.counts[blockIdx.x] = found;
}

TS_GLOBAL_BOUNDS(256, 2, select_positions, const SelectParams p) {
  __shared__ int sums[256];
  const uint32_t bits = four_of(p, blockIdx.x);
  const int own = __popc(bits);
  sums[threadIdx.x] = own;
  __syncthreads();
  for (unsigned back = 1; back < blockDim.x; back *= 2) {
    const int before = threadIdx.x >= back ? sums[threadIdx.x - back] : 0;
    __syncthreads();
    sums[threadIdx.x] += before;
    __syncthreads();
  }
  int64_t to = (blockIdx.x > 0 ? p.counts[blockIdx.x - 1] : 0) + sums[threadIdx.x] - own;
  for (int k = 0; k < 4; k++) {
    if (!(bits >> k & 1)) continue;
    if (to < p.limit) p.positions[to] = static_cast<int64_t>(blockIdx.x) * kSelectChunk + threadIdx.x * 4 + k;
    to++;
  }
  if (!p.fills) return;
  // What is beyond the last.
  const int64_t all = p.counts[gridDim.x - 1];
  for (int64_t i = all + first_item(); i < p.limit; i += item_step()) p.positions[i] = p.rest;
}

TS_GLOBAL_BOUNDS(256, 2, select_coordinates, const CoordinatesParams p) {
  for (int64_t i = first_item(); i < p.n * p.ndim; i += item_step()) {
    const int64_t k = i / p.ndim, d = i % p.ndim, position = p.positions[k];
    p.out[k * p.row + d * p.column] = position < 0 ? p.rest : position / p.divisors[d] % p.sizes[d];
  }
}

TS_GLOBAL_BOUNDS(256, 2, select_move, const SelectedParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t position = p.positions[i];
    if (position < 0) continue;
    int64_t at[1];
    offsets_of<1>(p.loop, static_cast<uint32_t>(position), at);
    if (p.writes) copy_one(p.size, p.window, at[0], p.dense, i);
    else copy_one(p.size, p.dense, i, p.window, at[0]);
  }
}

TS_GLOBAL_BOUNDS(256, 2, groups_write, const GroupsParams p) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const int64_t group = p.sums[i] - 1, slice = p.order[i];
    if (p.inverse) p.inverse[slice] = group;
    if (i > 0 && p.sums[i - 1] - 1 == group) continue;
    if (p.counts) {
      int64_t low = i + 1, high = p.n;
      while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (p.sums[middle] - 1 > group) high = middle;
        else low = middle + 1;
      }
      p.counts[group] = low - i;
    }
    if (!p.values) continue;
    for (int64_t o = 0; o < p.outer; o++)
      for (int64_t k = 0; k < p.inner; k++)
        copy_one(p.size, p.values, (o * p.groups + group) * p.inner + k, p.x, (o * p.n + slice) * p.inner + k);
  }
}

TS_GLOBAL_BOUNDS(256, 2, nms_overlaps_f32, const NmsParams p) { find_overlaps<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, nms_overlaps_f64, const NmsParams p) { find_overlaps<double>(p); }

// One block: what a kept box overlaps with is not kept. `overlaps` ends as the words of what is gone, in row 0.
TS_GLOBAL_BOUNDS(256, 2, nms_keep, const NmsParams p, uint64_t* gone) {
  for (int64_t w = threadIdx.x; w < p.words; w += blockDim.x) gone[w] = 0;
  for (int64_t i = 0; i < p.n; i++) {
    __syncthreads();
    const bool keeps = (gone[i / 64] >> (i % 64) & 1) == 0;
    if (threadIdx.x == 0) p.kept[i] = keeps;
    __syncthreads();
    if (!keeps) continue;
    for (int64_t w = i / 64 + threadIdx.x; w < p.words; w += blockDim.x) gone[w] |= p.overlaps[i * p.words + w];
  }
}
