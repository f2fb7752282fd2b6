// Matrix products by plain arithmetic: tiles of 64 x 64, any strides, sums in float (float64: in double); the depth may go to several blocks. The kernels
// for Tensor Cores are others.
// kernel: cpu-avx/matmul
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/gemm_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kTile = 64, kDepth = 16, kThreads = 256;

// Element (i, j) of a tile of `rows` x `columns` for thread t's turn, so that neighbours in a warp are neighbours in memory.
TS_DEVICE void place(int index, int rows, int columns, bool by_columns, int* i, int* j) {
  *i = by_columns ? index / columns : index % rows;
  *j = by_columns ? index % columns : index / rows;
}

template <class T, class Sum> TS_DEVICE void gemm(const MmaParams& params) {
  __shared__ uint32_t arrived;
  __shared__ Sum a_tile[kDepth][kTile + 4];
  __shared__ Sum b_tile[kDepth][kTile + 4];
  const GemmParams& p = params.product;
  const int splits = params.split.splits, split = static_cast<int>(blockIdx.z % static_cast<unsigned>(splits));
  const int steps = (p.k + kDepth - 1) / kDepth;
  const int first = static_cast<int>(static_cast<int64_t>(steps) * split / splits) * kDepth;
  const int last = min(p.k, static_cast<int>(static_cast<int64_t>(steps) * (split + 1) / splits) * kDepth);
  const uint32_t across = static_cast<uint32_t>((p.n + kTile - 1) / kTile), down = blockIdx.x / across;
  const int row0 = static_cast<int>(down) * kTile, column0 = static_cast<int>(blockIdx.x - down * across) * kTile;
  const int ty = threadIdx.x / 16, tx = threadIdx.x % 16;
  const bool a_by_columns = p.a_col == 1, b_by_columns = p.b_col == 1;
  for (uint32_t z = blockIdx.z / static_cast<unsigned>(splits); z < p.batches.n; z += gridDim.z / static_cast<unsigned>(splits)) {
    int64_t at[5];
    offsets_of<5>(p.batches, z, at);
    T* c = static_cast<T*>(p.c) + at[0];
    const T* a = static_cast<const T*>(p.a) + at[1];
    const T* b = static_cast<const T*>(p.b) + at[2];
    const T* d = static_cast<const T*>(p.d) + (p.d ? at[3] : 0);
    const T* e = static_cast<const T*>(p.e) + (p.e ? at[4] : 0);
    Sum sum[4][4] = {};
    for (int k0 = first; k0 < last; k0 += kDepth) {
      for (int index = threadIdx.x; index < kTile * kDepth; index += kThreads) {
        int i, j;
        place(index, kTile, kDepth, a_by_columns, &i, &j);
        const bool inside = row0 + i < p.m && k0 + j < p.k;
        a_tile[j][i] = inside ? static_cast<Sum>(a[(row0 + i) * p.a_row + (k0 + j) * p.a_col]) : Sum(0);
        place(index, kDepth, kTile, b_by_columns, &i, &j);
        const bool within = k0 + i < p.k && column0 + j < p.n;
        b_tile[i][j] = within ? static_cast<Sum>(b[(k0 + i) * p.b_row + (column0 + j) * p.b_col]) : Sum(0);
      }
      __syncthreads();
      for (int k = 0; k < kDepth; k++) {
        Sum x[4], y[4];
        for (int i = 0; i < 4; i++) x[i] = a_tile[k][ty * 4 + i];
        for (int j = 0; j < 4; j++) y[j] = b_tile[k][tx * 4 + j];
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++) sum[i][j] += x[i] * y[j];
      }
      __syncthreads();
    }
    if (splits > 1) {
      const uint32_t tile = z * gridDim.x + blockIdx.x;
      Sum* const all = static_cast<Sum*>(params.split.partial) + static_cast<int64_t>(tile) * splits * kTile * kTile + threadIdx.x;
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) all[split * kTile * kTile + (i * 4 + j) * kThreads] = sum[i][j];
      __threadfence();
      __syncthreads();
      if (threadIdx.x == 0) arrived = atomicAdd(&params.split.counters[tile], 1u);
      __syncthreads();
      if (arrived != static_cast<uint32_t>(splits) - 1) continue;
      __threadfence();
      if (threadIdx.x == 0) params.split.counters[tile] = 0;
      const volatile Sum* from = all;
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          sum[i][j] = 0;
          for (int s = 0; s < splits; s++) sum[i][j] += from[s * kTile * kTile + (i * 4 + j) * kThreads];
        }
      }
    }
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        const int row = row0 + ty * 4 + i, column = column0 + tx * 4 + j;
        if (row >= p.m || column >= p.n) continue;
        Sum value = static_cast<Sum>(p.alpha) * sum[i][j];
        if (d) value += static_cast<Sum>(p.beta) * static_cast<Sum>(d[row * p.d_row + column * p.d_col]);
        if (e) value += static_cast<Sum>(e[row * p.e_row + column * p.e_col]);
        c[row * p.c_row + column * p.c_col] = T(activated(value, p.activation));
      }
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, gemm_simple_f32, const MmaParams p) { gemm<float, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, gemm_simple_f16, const MmaParams p) { gemm<Half, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, gemm_simple_bf16, const MmaParams p) { gemm<BFloat, float>(p); }
TS_GLOBAL_BOUNDS(256, 1, gemm_simple_f64, const MmaParams p) { gemm<double, double>(p); }
