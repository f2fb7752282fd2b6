// Parameters of fft.cu.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// One pass of a transform of lines of n complex numbers, `inner` apart: `radix` of them are joined, `left` = n / done before it.
struct FftPassParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t lines = 0, n = 0, inner = 1, radix = 2, left = 0, done = 1;
  double scale = 1;
  int32_t forward = 1;
};

// Completes the first half of a spectrum: out [outer, n, inner], x [outer, kept, inner].
struct FftMirrorParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t outer = 0, n = 0, kept = 0, inner = 1;
};

}  // namespace torchscript::cuda
