// Running extremes of lines and the last position of each, in place on accumulators: a thread a line. NaN stays.
// kernel: cpu-avx/reduce_scan (cummax, cummin)
#include "cuda/kernels/params_reduce.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

template <class A> TS_DEVICE void scan_extremes(const ScanParams& p, int64_t* indices, int32_t maximum) {
  for (int64_t line = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; line < p.lines; line += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t base = p.inner == 1 ? line * p.n : line / p.inner * p.n * p.inner + line % p.inner;
    A* x = static_cast<A*>(p.data) + base;
    A best = x[0];
    int64_t index = 0;
    for (int64_t i = 0; i < p.n; i++) {
      const A v = x[i * p.inner];
      if (v != v || (!(best != best) && (maximum ? v >= best : v <= best))) best = v, index = i;
      x[i * p.inner] = best;
      indices[base + i * p.inner] = index;
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(128, 2, scan_extremes_f64, const ScanParams p, int64_t* indices, int32_t maximum) { scan_extremes<double>(p, indices, maximum); }
TS_GLOBAL_BOUNDS(128, 2, scan_extremes_i64, const ScanParams p, int64_t* indices, int32_t maximum) { scan_extremes<int64_t>(p, indices, maximum); }
