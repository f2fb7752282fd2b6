// Elements read or written where tensors of positions say: embedding, index_select, gather, index; scatter, index_put, index_add.
// kernel: cpu-avx/portable/index, index_dim, gather_scatter, embedding
#include "cuda/kernels/params_index.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

// Where element i of the loop is in the plain window and in the indexed one; false: nowhere.
TS_DEVICE bool locate(const IndexParams& p, uint32_t i, int64_t* plain, int64_t* indexed) {
  int64_t at[2 + kIndexTensors];
  offsets_of<2 + kIndexTensors>(p.loop, i, at);
  *plain = at[0];
  int64_t sum = at[1];
  // Unrolled: at[] stays in registers.
#pragma unroll
  for (int k = 0; k < kIndexTensors; k++) {
    if (k >= p.count) break;
    int64_t position = p.index_is_32[k] ? static_cast<const int32_t*>(p.index[k])[at[2 + k]] : static_cast<const int64_t*>(p.index[k])[at[2 + k]];
    // What fills the room that a mask leaves.
    if (position == INT64_MIN) return false;
    const int64_t given = position;
    if (p.wraps && position < 0) position += p.size[k];
    if (position < 0 || position >= p.size[k]) {
      // Of several any is told.
      if (!p.fault->is_set) {
        p.fault->index = given;
        p.fault->size = p.size[k];
        p.fault->op = p.name;
        __threadfence_system();
        p.fault->is_set = 1;
      }
      return false;
    }
    sum += position * p.stride[k];
  }
  *indexed = sum;
  return true;
}

template <class T> TS_DEVICE void gather(const IndexParams& p) {
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t to, from;
    const bool found = locate(p, i, &to, &from);
    static_cast<T*>(p.plain)[to] = found ? static_cast<const T*>(p.indexed)[from] : T{};
  }
}
template <class T> TS_DEVICE void scatter(const IndexParams& p) {
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t from, to;
    if (!locate(p, i, &from, &to)) continue;
    static_cast<T*>(p.indexed)[to] = p.plain ? static_cast<const T*>(p.plain)[from] : *reinterpret_cast<const T*>(p.value);
  }
}

template <class A> TS_DEVICE A combined(int32_t op, A a, A b) {
  switch (op) {
    case kCombineMultiply: return a * b;
    case kCombineLarger: return a > b || a != a ? a : b;
    case kCombineSmaller: return a < b || a != a ? a : b;
    default: return a + b;
  }
}

// *p = combined(*p, v) for elements of any width, by exchanging the word that they lie in.
template <class T, class A> TS_DEVICE void combine_word(T* to, A v, int32_t op) {
  if constexpr (sizeof(T) == 8) {
    auto* word = reinterpret_cast<unsigned long long*>(to);
    unsigned long long seen = *word, assumed;
    do {
      assumed = seen;
      T element = *reinterpret_cast<const T*>(&assumed);
      element = T(combined<A>(op, static_cast<A>(element), v));
      seen = atomicCAS(word, assumed, *reinterpret_cast<const unsigned long long*>(&element));
    } while (seen != assumed);
  } else {
    const uintptr_t address = reinterpret_cast<uintptr_t>(to);
    auto* word = reinterpret_cast<unsigned int*>(address & ~uintptr_t{3});
    const unsigned shift = static_cast<unsigned>(address & 3) * 8;
    const unsigned mask = sizeof(T) == 4 ? 0xffffffffu : ((1u << (sizeof(T) * 8 % 32)) - 1) << shift;
    unsigned int seen = *word, assumed;
    do {
      assumed = seen;
      unsigned bits = (assumed & mask) >> shift;
      T element = *reinterpret_cast<const T*>(&bits);
      element = T(combined<A>(op, static_cast<A>(element), v));
      bits = 0;
      *reinterpret_cast<T*>(&bits) = element;
      seen = atomicCAS(word, assumed, (assumed & ~mask) | (bits << shift));
    } while (seen != assumed);
  }
}

struct Truth {
  uint8_t bits;
  Truth() = default;
  TS_DEVICE explicit Truth(int64_t x) : bits(x != 0) {}
  TS_DEVICE operator int64_t() const { return bits; }
};

template <class T, class A> TS_DEVICE void combine(const IndexParams& p, A alpha) {
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t from, to;
    if (!locate(p, i, &from, &to)) continue;
    const A v = static_cast<A>(p.plain ? static_cast<const T*>(p.plain)[from] : *reinterpret_cast<const T*>(p.value));
    combine_word<T, A>(static_cast<T*>(p.indexed) + to, p.op == kCombineAdd ? static_cast<A>(v * alpha) : v, p.op);
  }
}

template <class T> TS_DEVICE void divide_whole(T* x, int64_t by) {
  const int64_t value = *x;
  *x = static_cast<T>(value / by - (value % by < 0));
}

}  // namespace

TS_GLOBAL(gather_1, const IndexParams p) { gather<uint8_t>(p); }
TS_GLOBAL(gather_2, const IndexParams p) { gather<uint16_t>(p); }
TS_GLOBAL(gather_4, const IndexParams p) { gather<uint32_t>(p); }
TS_GLOBAL(gather_8, const IndexParams p) { gather<uint64_t>(p); }
TS_GLOBAL(gather_16, const IndexParams p) { gather<Bytes16>(p); }
TS_GLOBAL(scatter_1, const IndexParams p) { scatter<uint8_t>(p); }
TS_GLOBAL(scatter_2, const IndexParams p) { scatter<uint16_t>(p); }
TS_GLOBAL(scatter_4, const IndexParams p) { scatter<uint32_t>(p); }
TS_GLOBAL(scatter_8, const IndexParams p) { scatter<uint64_t>(p); }
TS_GLOBAL(scatter_16, const IndexParams p) { scatter<Bytes16>(p); }

TS_GLOBAL(scatter_combine_real, const IndexParams p) {
  switch (p.dtype) {
    case kF16: combine<Half, float>(p, static_cast<float>(p.alpha)); break;
    case kBF16: combine<BFloat, float>(p, static_cast<float>(p.alpha)); break;
    case kF32: combine<float, float>(p, static_cast<float>(p.alpha)); break;
    default: combine<double, double>(p, p.alpha); break;
  }
}
TS_GLOBAL(scatter_combine_whole, const IndexParams p) {
  switch (p.dtype) {
    case kBool: combine<Truth, int64_t>(p, p.alpha_whole); break;
    case kU8: combine<uint8_t, int64_t>(p, p.alpha_whole); break;
    case kI8: combine<int8_t, int64_t>(p, p.alpha_whole); break;
    case kI16: combine<int16_t, int64_t>(p, p.alpha_whole); break;
    case kI32: combine<int32_t, int64_t>(p, p.alpha_whole); break;
    default: combine<int64_t, int64_t>(p, p.alpha_whole); break;
  }
}

TS_GLOBAL(divide_by_counts, const DivideParams p) {
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t at[2];
    offsets_of<2>(p.loop, i, at);
    const int64_t count = p.counts[at[1]];
    if (count <= 1) continue;
    switch (p.dtype) {
      case kF16: {
        Half* x = static_cast<Half*>(p.x) + at[0];
        *x = Half(static_cast<float>(*x) / static_cast<float>(count));
        break;
      }
      case kBF16: {
        BFloat* x = static_cast<BFloat*>(p.x) + at[0];
        *x = BFloat(static_cast<float>(*x) / static_cast<float>(count));
        break;
      }
      case kF32: static_cast<float*>(p.x)[at[0]] /= static_cast<float>(count); break;
      case kF64: static_cast<double*>(p.x)[at[0]] /= static_cast<double>(count); break;
      case kBool: static_cast<uint8_t*>(p.x)[at[0]] = 0; break;
      case kU8: divide_whole(static_cast<uint8_t*>(p.x) + at[0], count); break;
      case kI8: divide_whole(static_cast<int8_t*>(p.x) + at[0], count); break;
      case kI16: divide_whole(static_cast<int16_t*>(p.x) + at[0], count); break;
      case kI32: divide_whole(static_cast<int32_t*>(p.x) + at[0], count); break;
      default: divide_whole(static_cast<int64_t*>(p.x) + at[0], count); break;
    }
  }
}
