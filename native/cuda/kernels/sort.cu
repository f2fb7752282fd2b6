// Stable sorting of lines: elements become unsigned keys, blocks sort runs of them in shared memory, and runs are merged by the rank of
// each element in the other run. NaN counts as the largest value.
// kernel: cpu-avx/portable/sort
#include "cuda/kernels/prelude.cuh"
#include "cuda/kernels/sort_params.h"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t line_start(int64_t line, int64_t n, int64_t inner) { return inner == 1 ? line * n : line / inner * n * inner + line % inner; }

TS_DEVICE uint32_t key_of(float x) {
  if (x != x) return 0xffffffffu;
  const uint32_t bits = __float_as_uint(x == 0 ? 0.0f : x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
TS_DEVICE uint64_t key_of(double x) {
  if (x != x) return ~0ull;
  const uint64_t bits = static_cast<uint64_t>(__double_as_longlong(x == 0 ? 0.0 : x));
  return bits >> 63 ? ~bits : bits | 0x8000000000000000ull;
}
TS_DEVICE uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
TS_DEVICE uint64_t key_of(int64_t x) { return static_cast<uint64_t>(x) ^ 0x8000000000000000ull; }

TS_DEVICE uint32_t narrow_key(int32_t dtype, const void* x, int64_t i) {
  switch (dtype) {
    case kF16: return key_of(static_cast<float>(static_cast<const Half*>(x)[i]));
    case kBF16: return key_of(static_cast<float>(static_cast<const BFloat*>(x)[i]));
    case kF32: return key_of(static_cast<const float*>(x)[i]);
    case kBool:
    case kU8: return key_of(static_cast<int32_t>(static_cast<const uint8_t*>(x)[i]));
    case kI8: return key_of(static_cast<int32_t>(static_cast<const int8_t*>(x)[i]));
    case kI16: return key_of(static_cast<int32_t>(static_cast<const int16_t*>(x)[i]));
    default: return key_of(static_cast<const int32_t*>(x)[i]);
  }
}
TS_DEVICE uint64_t wide_key(int32_t dtype, const void* x, int64_t i) {
  return dtype == kF64 ? key_of(static_cast<const double*>(x)[i]) : key_of(static_cast<const int64_t*>(x)[i]);
}
TS_DEVICE void key_at(const SortParams& p, int64_t i, uint32_t* key) { *key = narrow_key(p.dtype, p.x, i); }
TS_DEVICE void key_at(const SortParams& p, int64_t i, uint64_t* key) { *key = wide_key(p.dtype, p.x, i); }

// A block sorts a run of a line, by a bitonic network over keys and, where they are equal, positions.
template <class K> TS_DEVICE void sort_runs(const SortParams& p) {
  __shared__ K keys[kSortRun];
  __shared__ int32_t order[kSortRun];
  const int64_t runs = (p.n + kSortRun - 1) / kSortRun;
  for (int64_t task = blockIdx.x; task < p.lines * runs; task += gridDim.x) {
    const int64_t line = task / runs, begin = task % runs * kSortRun;
    const int64_t left = p.n - begin;
    const int count = static_cast<int>(left < kSortRun ? left : kSortRun);
    int width = 1;
    while (width < count) width *= 2;
    const int64_t start = line_start(line, p.n, p.inner);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < width; i += static_cast<int>(blockDim.x)) {
      K key = static_cast<K>(~K(0));
      if (i < count) {
        key_at(p, start + (begin + i) * p.inner, &key);
        if (p.descending) key = static_cast<K>(~key);
      }
      keys[i] = key;
      order[i] = i < count ? static_cast<int32_t>(begin + i) : INT32_MAX;
    }
    for (int size = 2; size <= width; size *= 2) {
      for (int step = size / 2; step > 0; step /= 2) {
        __syncthreads();
        for (int i = static_cast<int>(threadIdx.x); i < width; i += static_cast<int>(blockDim.x)) {
          const int other = i ^ step;
          if (other <= i) continue;
          const bool up = (i & size) == 0;
          const bool after = keys[i] > keys[other] || (keys[i] == keys[other] && order[i] > order[other]);
          if (after != up) continue;
          const K key = keys[i];
          keys[i] = keys[other];
          keys[other] = key;
          const int32_t position = order[i];
          order[i] = order[other];
          order[other] = position;
        }
      }
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
      static_cast<K*>(p.keys)[line * p.n + begin + i] = keys[i];
      p.order[line * p.n + begin + i] = order[i];
    }
  }
}

// How many of `count` sorted keys come before `key`; `equal`: those that are equal count too.
template <class K> TS_DEVICE int64_t rank_in(const K* keys, int64_t count, K key, bool equal) {
  int64_t low = 0, high = count;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (keys[middle] < key || (equal && keys[middle] == key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Pairs of neighbouring runs become one: a thread an element.
template <class K> TS_DEVICE void merge_runs(const SortParams& p) {
  const K* from = static_cast<const K*>(p.from_keys);
  const int64_t total = p.lines * p.n;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t line = i / p.n, at = i - line * p.n, pair = at / (2 * p.run) * (2 * p.run);
    const int64_t middle = pair + p.run < p.n ? pair + p.run : p.n, end = pair + 2 * p.run < p.n ? pair + 2 * p.run : p.n;
    const K* keys = from + line * p.n;
    const K key = keys[at];
    const int64_t to = at < middle ? at + rank_in(keys + middle, end - middle, key, false) : pair + (at - middle) + rank_in(keys + pair, middle - pair, key, true);
    static_cast<K*>(p.keys)[line * p.n + to] = key;
    p.order[line * p.n + to] = p.from_order[i];
  }
}

// ---- what becomes of sorted lines

TS_DEVICE void copy_element(int32_t size, void* to, int64_t to_at, const void* from, int64_t from_at) {
  switch (size) {
    case 1: static_cast<uint8_t*>(to)[to_at] = static_cast<const uint8_t*>(from)[from_at]; break;
    case 2: static_cast<uint16_t*>(to)[to_at] = static_cast<const uint16_t*>(from)[from_at]; break;
    case 4: static_cast<uint32_t*>(to)[to_at] = static_cast<const uint32_t*>(from)[from_at]; break;
    default: static_cast<uint64_t*>(to)[to_at] = static_cast<const uint64_t*>(from)[from_at]; break;
  }
}
TS_DEVICE int32_t size_of(int32_t dtype) {
  switch (dtype) {
    case kBool:
    case kU8:
    case kI8: return 1;
    case kF16:
    case kBF16:
    case kI16: return 2;
    case kF32:
    case kI32: return 4;
    default: return 8;
  }
}
TS_DEVICE uint64_t any_key(int32_t dtype, const void* x, int64_t i) {
  return size_of(dtype) == 8 ? wide_key(dtype, x, i) : narrow_key(dtype, x, i);
}
TS_DEVICE bool is_nan_at(int32_t dtype, const void* x, int64_t i) {
  switch (dtype) {
    case kF16: return narrow_key(dtype, x, i) == 0xffffffffu;
    case kBF16: return narrow_key(dtype, x, i) == 0xffffffffu;
    case kF32: return static_cast<const float*>(x)[i] != static_cast<const float*>(x)[i];
    case kF64: return static_cast<const double*>(x)[i] != static_cast<const double*>(x)[i];
    default: return false;
  }
}

// Elements before the NaN in a sorted line.
TS_DEVICE int64_t numbers_in(const void* x, const int32_t* order, int64_t start, int64_t n, int64_t inner, int32_t dtype) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (is_nan_at(dtype, x, start + order[middle] * inner)) high = middle;
    else low = middle + 1;
  }
  return low;
}

template <class T> TS_DEVICE void quantiles(const QuantileParams& p) {
  const T* x = static_cast<const T*>(p.x);
  const int32_t dtype = sizeof(T) == 8 ? kF64 : kF32;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.lines * p.count; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t point = i / p.lines, line = i % p.lines, start = line_start(line, p.n, p.inner);
    const int32_t* order = p.order + line * p.n;
    const auto value = [&](int64_t k) { return x[start + order[k] * p.inner]; };
    int64_t n = numbers_in(p.x, order, start, p.n, p.inner, dtype);
    T* out = static_cast<T*>(p.out) + i;
    if (p.skip ? n == 0 : n < p.n) {
      *out = value(p.n - 1);
      continue;
    }
    const T q = p.points ? static_cast<const T*>(p.points)[point * p.points_stride] : static_cast<T>(p.point);
    if (!(q >= T(0) && q <= T(1))) {
      *out = T(NAN);
      continue;
    }
    const T rank = q * static_cast<T>(n - 1), below = floor(rank);
    T position = rank;
    if (p.method == kQuantileLower) position = below;
    else if (p.method == kQuantileHigher) position = ceil(rank);
    else if (p.method == kQuantileNearest) position = rint(rank);
    const bool between = p.method == kQuantileLinear || p.method == kQuantileMidpoint;
    const T a = value(static_cast<int64_t>(between ? below : position));
    if (!between) {
      *out = a;
      continue;
    }
    const int64_t above = static_cast<int64_t>(ceil(rank));
    const T b = value(above < n - 1 ? above : n - 1), weight = p.method == kQuantileMidpoint ? T(0.5) : rank - below;
    *out = weight < T(0.5) ? a + weight * (b - a) : b - (b - a) * (T(1) - weight);
  }
}

// -1, 0 or 1; of sequences with NaN none comes first.
template <class T, class A> TS_DEVICE int compare_slices(const void* slices, int64_t n, int64_t outer, int64_t inner, int64_t a, int64_t b) {
  const T* x = static_cast<const T*>(slices);
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      const A u = static_cast<A>(x[(o * n + a) * inner + i]), v = static_cast<A>(x[(o * n + b) * inner + i]);
      if (u < v) return -1;
      if (!(u == v)) return 1;
    }
  }
  return 0;
}
// By value: parameters by reference would be copied to local memory.
TS_DEVICE_CALL int compare_slices(int32_t dtype, const void* x, int64_t n, int64_t outer, int64_t inner, int64_t a, int64_t b) {
  switch (dtype) {
    case kF16: return compare_slices<Half, float>(x, n, outer, inner, a, b);
    case kBF16: return compare_slices<BFloat, float>(x, n, outer, inner, a, b);
    case kF32: return compare_slices<float, float>(x, n, outer, inner, a, b);
    case kF64: return compare_slices<double, double>(x, n, outer, inner, a, b);
    case kBool:
    case kU8: return compare_slices<uint8_t, int32_t>(x, n, outer, inner, a, b);
    case kI8: return compare_slices<int8_t, int32_t>(x, n, outer, inner, a, b);
    case kI16: return compare_slices<int16_t, int32_t>(x, n, outer, inner, a, b);
    case kI32: return compare_slices<int32_t, int32_t>(x, n, outer, inner, a, b);
    default: return compare_slices<int64_t, int64_t>(x, n, outer, inner, a, b);
  }
}

TS_DEVICE int compare(const SliceParams& p, int64_t a, int64_t b) { return compare_slices(p.dtype, p.x, p.n, p.outer, p.inner, a, b); }

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, sort_runs_32, const SortParams p) { sort_runs<uint32_t>(p); }
TS_GLOBAL_BOUNDS(256, 2, sort_runs_64, const SortParams p) { sort_runs<uint64_t>(p); }
TS_GLOBAL_BOUNDS(256, 2, sort_merge_32, const SortParams p) { merge_runs<uint32_t>(p); }
TS_GLOBAL_BOUNDS(256, 2, sort_merge_64, const SortParams p) { merge_runs<uint64_t>(p); }

TS_GLOBAL_BOUNDS(256, 2, sorted_take, const SortedTakeParams p) {
  const int64_t total = p.lines * p.taken;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t line = i / p.taken, k = i - line * p.taken;
    const int64_t position = p.order[line * p.n + p.first + k];
    const int64_t to = line_start(line, p.taken, p.inner) + k * p.inner;
    p.indices[to] = position;
    if (p.values) copy_element(p.size, p.values, to, p.x, line_start(line, p.n, p.inner) + position * p.inner);
  }
}

TS_GLOBAL_BOUNDS(256, 2, sorted_pick, const SortedPickParams p) {
  for (int64_t line = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; line < p.lines; line += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int32_t* order = p.order + line * p.n;
    const int64_t start = line_start(line, p.n, p.inner);
    int64_t at = 0;
    if (p.pick == kPickMode) {
      // The first of the longest runs of equal values, at its last position.
      int64_t best = 0, begin = 0;
      for (int64_t i = 1; i <= p.n; i++) {
        const bool same = i < p.n && any_key(p.dtype, p.x, start + order[i - 1] * p.inner) == any_key(p.dtype, p.x, start + order[i] * p.inner) &&
                          !is_nan_at(p.dtype, p.x, start + order[i] * p.inner);
        if (same) continue;
        if (i - begin > best) best = i - begin, at = i - 1;
        begin = i;
      }
    } else {
      const int64_t numbers = numbers_in(p.x, order, start, p.n, p.inner, p.dtype);
      const bool skip = p.pick == kPickNanMedian && numbers > 0;
      at = numbers < p.n && !skip ? numbers : (numbers - 1) / 2;
    }
    copy_element(size_of(p.dtype), p.values, line, p.x, start + order[at] * p.inner);
    if (p.indices) p.indices[line] = order[at];
  }
}

TS_GLOBAL_BOUNDS(256, 2, sorted_quantile_f32, const QuantileParams p) { quantiles<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, sorted_quantile_f64, const QuantileParams p) { quantiles<double>(p); }

TS_GLOBAL_BOUNDS(256, 2, slices_merge, const SliceParams p) {
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; at < p.n; at += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t pair = at / (2 * p.run) * (2 * p.run);
    const int64_t middle = pair + p.run < p.n ? pair + p.run : p.n, end = pair + 2 * p.run < p.n ? pair + 2 * p.run : p.n;
    const bool left = at < middle;
    int64_t low = left ? middle : pair, high = left ? end : middle;
    const int64_t first = low, own = p.from[at];
    while (low < high) {
      const int64_t half = (low + high) / 2;
      const int64_t other = p.from[half];
      const bool before = (compare(p, left ? other : own, left ? own : other) < 0) == left;
      if (before) low = half + 1;
      else high = half;
    }
    p.order[left ? at + (low - first) : pair + (at - middle) + (low - first)] = own;
  }
}
TS_GLOBAL_BOUNDS(256, 2, slices_start, const SliceParams p) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.n; i += static_cast<int64_t>(gridDim.x) * blockDim.x)
    p.flags[i] = i == 0 || compare(p, p.from[i - 1], p.from[i]) != 0;
}
