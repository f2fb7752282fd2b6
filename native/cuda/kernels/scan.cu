// Running folds along a dimension, in place on accumulators: a thread a line, or a block that goes through a line in pieces.
// kernel: cpu-avx/reduce_scan
#include "cuda/kernels/params_reduce.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE double step(int32_t op, double a, double x) {
  if (op == kScanSum) return a + x;
  if (op == kScanProd) return a * x;
  if (a != a || x != x) return a + x;
  const double high = a > x ? a : x, low = a > x ? x : a;
  return high == low && fabs(high) == static_cast<double>(INFINITY) ? high : high + log1p(exp(low - high));
}
TS_DEVICE uint64_t step(int32_t op, uint64_t a, uint64_t x) { return op == kScanProd ? a * x : a + x; }

template <class A> TS_DEVICE void scan(const ScanParams& p) {
  for (int64_t line = first_row(); line < p.lines; line += row_step()) {
    A* x = static_cast<A*>(p.data) + (p.inner == 1 ? line * p.n : line / p.inner * p.n * p.inner + line % p.inner);
    if (blockDim.x == 1) {
      A sum = x[0];
      for (int64_t i = 1; i < p.n; i++) {
        sum = step(p.op, sum, x[i * p.inner]);
        x[i * p.inner] = sum;
      }
      continue;
    }
    __shared__ A piece[256];
    A before = x[0];
    for (int64_t begin = 0; begin < p.n; begin += blockDim.x) {
      const int64_t i = begin + threadIdx.x;
      __syncthreads();
      piece[threadIdx.x] = x[(i < p.n ? i : p.n - 1) * p.inner];
      __syncthreads();
      for (unsigned back = 1; back < blockDim.x; back *= 2) {
        const bool adds = threadIdx.x >= back;
        const A other = adds ? piece[threadIdx.x - back] : piece[threadIdx.x];
        __syncthreads();
        if (adds) piece[threadIdx.x] = step(p.op, other, piece[threadIdx.x]);
        __syncthreads();
      }
      const A value = begin == 0 ? piece[threadIdx.x] : step(p.op, before, piece[threadIdx.x]);
      const A last = piece[blockDim.x - 1];
      before = begin == 0 ? last : step(p.op, before, last);
      if (i < p.n) x[i * p.inner] = value;
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, scan_f64, const ScanParams p) { scan<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, scan_i64, const ScanParams p) { scan<uint64_t>(p); }
