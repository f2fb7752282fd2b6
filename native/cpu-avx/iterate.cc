#include "cpu-avx/iterate.h"

#include <algorithm>
#include <cstring>

namespace torchscript {

void Iteration::build(const int64_t* shape, int dims, const int64_t (*operand_strides)[kMaxDims], int count) {
  operands = count;
  total = 1;
  int order[kMaxDims];
  int n = 0;
  for (int d = dims - 1; d >= 0; d--) {
    total *= shape[d];
    if (shape[d] != 1) order[n++] = d;
  }
  // Stable by the stride of operand 0 (a fresh output has no zero strides), then of the next ones.
  for (int i = 1; i < n; i++) {
    for (int j = i; j > 0; j--) {
      const int a = order[j - 1], b = order[j];
      bool swap = false;
      for (int k = 0; k < count; k++) {
        const int64_t sa = operand_strides[k][a], sb = operand_strides[k][b];
        if (sa == sb || sa == 0 || sb == 0) continue;
        swap = sa > sb;
        break;
      }
      if (!swap) break;
      std::swap(order[j - 1], order[j]);
    }
  }
  ndim = 0;
  for (int i = 0; i < n; i++) {
    const int d = order[i];
    bool merge = ndim > 0;
    for (int k = 0; merge && k < count; k++) merge = strides[k][ndim - 1] * sizes[ndim - 1] == operand_strides[k][d];
    if (merge) {
      sizes[ndim - 1] *= shape[d];
      continue;
    }
    sizes[ndim] = shape[d];
    for (int k = 0; k < count; k++) strides[k][ndim] = operand_strides[k][d];
    ndim++;
  }
  if (ndim == 0) {
    ndim = 1;
    sizes[0] = 1;
    for (int k = 0; k < count; k++) strides[k][0] = 1;
  }
}

namespace {

template <class T> void gather(int64_t n, char* to, const char* from, int64_t stride) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  T* t = reinterpret_cast<T*>(to);
  const T* f = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < n; i++) t[i] = f[i * stride];
}
template <class T> void scatter(int64_t n, char* to, int64_t stride, const char* from) {
  T* t = reinterpret_cast<T*>(to);
  const T* f = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < n; i++) t[i * stride] = f[i];
}

// f(count, offset) for the runs along the fastest dimension, in order. Divides only to find the first one.
template <class F> void for_runs(const Iteration& it, int k, int64_t at, int64_t n, const F& f) {
  const int64_t* strides = it.strides[k];
  int64_t index[kMaxDims];
  int64_t offset = 0;
  for (int d = 0; d < it.ndim; d++) {
    index[d] = at % it.sizes[d];
    at /= it.sizes[d];
    offset += index[d] * strides[d];
  }
  while (n > 0) {
    const int64_t count = std::min(n, it.sizes[0] - index[0]);
    f(count, offset);
    n -= count;
    index[0] += count;
    offset += count * strides[0];
    for (int d = 0; index[d] == it.sizes[d]; d++) {
      index[d] = 0;
      offset -= it.sizes[d] * strides[d];
      if (d + 1 == it.ndim) break;
      index[d + 1]++;
      offset += strides[d + 1];
    }
  }
}

}  // namespace

void gather_elements(int64_t n, char* to, const char* from, int64_t stride, int64_t size) {
  with_element_of(size, [&](auto e) { gather<decltype(e)>(n, to, from, stride); });
}
void scatter_elements(int64_t n, char* to, int64_t stride, const char* from, int64_t size) {
  with_element_of(size, [&](auto e) { scatter<decltype(e)>(n, to, stride, from); });
}
void gather_range(const Iteration& it, int k, int64_t at, int64_t n, char* to, const char* from, int64_t size) {
  with_element_of(size, [&](auto e) {
    for_runs(it, k, at, n, [&](int64_t count, int64_t offset) {
      gather<decltype(e)>(count, to, from + offset * size, it.strides[k][0]);
      to += count * size;
    });
  });
}
void scatter_range(const Iteration& it, int k, int64_t at, int64_t n, char* to, const char* from, int64_t size) {
  with_element_of(size, [&](auto e) {
    for_runs(it, k, at, n, [&](int64_t count, int64_t offset) {
      scatter<decltype(e)>(count, to + offset * size, it.strides[k][0], from);
      from += count * size;
    });
  });
}

}  // namespace torchscript
