// Loops over the vectors of a row whose last one is partial. Included by units built for one instruction set.
#pragma once
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {

// body(i, load, store) for each vector of n elements; `load` and `store` take whole vectors, and what is left of the last one.
template <class Vec, class T, class F> TS_INLINE void for_vectors(int64_t n, F body) {
  int64_t i = 0;
  for (; i + Vec::kWidth <= n; i += Vec::kWidth) {
    body(
      i, [](const T* p) { return Vec::load(p); }, [](Vec x, T* p) { x.store(p); });
  }
  const int rest = static_cast<int>(n - i);
  if (rest > 0) {
    body(
      i, [rest](const T* p) { return Vec::load_partial(p, rest); }, [rest](Vec x, T* p) { x.store_partial(p, rest); });
  }
}

}  // namespace TS_ISA
}  // namespace torchscript
