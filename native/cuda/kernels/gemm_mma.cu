// Products of float16 and bfloat16 matrices on Tensor Cores: tiles of 64 x 64 by four warps, 32 deep, the next tile on its way while one is multiplied.
// Rows of a, and rows or columns of b, are dense and begin at 16 bytes; other operands take gemm_simple.
// kernel: cpu-avx/matmul_half
// ptx: compute_80
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/mma.cuh"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

// Steps between rows keep the rows that a load takes together in different banks.
constexpr int kTile = 64, kDepth = 32, kThreads = 128, kStep = kDepth + 8, kWideStep = kTile + 8;

// Elements of a row that a vector of eight from `at` on holds, in bytes.
TS_DEVICE int valid_bytes(int at, int size) { return at >= size ? 0 : size - at >= 8 ? 16 : (size - at) * 2; }

template <class T> TS_DEVICE void gemm_mma(const GemmParams& p) {
  __shared__ uint4 a_vectors[2][kTile * kStep / 8];
  __shared__ uint4 b_vectors[2][kTile * kStep / 8];  // columns of b, or kDepth rows of b
  uint16_t* const a_tile[2] = {reinterpret_cast<uint16_t*>(a_vectors[0]), reinterpret_cast<uint16_t*>(a_vectors[1])};
  uint16_t* const b_tile[2] = {reinterpret_cast<uint16_t*>(b_vectors[0]), reinterpret_cast<uint16_t*>(b_vectors[1])};
  const int t = static_cast<int>(threadIdx.x), lane = t % 32, warp_row = t / 64 * 32, warp_column = t / 32 % 2 * 32;
  const int row0 = static_cast<int>(blockIdx.y) * kTile, column0 = static_cast<int>(blockIdx.x) * kTile;
  const bool by_rows = p.b_col == 1;  // rows of b are dense
  const int steps = (p.k + kDepth - 1) / kDepth;
  for (uint32_t z = blockIdx.z; z < p.batches.n; z += gridDim.z) {
    int64_t at[5];
    offsets_of<5>(p.batches, z, at);
    const T* a = static_cast<const T*>(p.a) + at[1];
    const T* b = static_cast<const T*>(p.b) + at[2];
    const auto fetch = [&](int step) {
      const int k0 = step * kDepth, buffer = step % 2;
      for (int index = t; index < kTile * kDepth / 8; index += kThreads) {
        const int i = index / 4, j = index % 4 * 8;
        int valid = row0 + i < p.m ? valid_bytes(k0 + j, p.k) : 0;
        copy_async(&a_tile[buffer][i * kStep + j], valid ? a + (row0 + i) * p.a_row + k0 + j : a, valid);
        if (by_rows) {
          const int k = index / 8, column = index % 8 * 8;
          valid = k0 + k < p.k ? valid_bytes(column0 + column, p.n) : 0;
          copy_async(&b_tile[buffer][k * kWideStep + column], valid ? b + (k0 + k) * p.b_row + column0 + column : b, valid);
        } else {
          valid = column0 + i < p.n ? valid_bytes(k0 + j, p.k) : 0;
          copy_async(&b_tile[buffer][i * kStep + j], valid ? b + (column0 + i) * p.b_col + k0 + j : b, valid);
        }
      }
      commit_copies();
    };
    float sum[2][4][4] = {};
    if (steps > 0) fetch(0);
    for (int step = 0; step < steps; step++) {
      if (step + 1 < steps) {
        fetch(step + 1);
        wait_copies<1>();
      } else {
        wait_copies<0>();
      }
      __syncthreads();
      const uint16_t* a_now = a_tile[step % 2];
      const uint16_t* b_now = b_tile[step % 2];
      for (int k = 0; k < kDepth; k += 16) {
        uint32_t x[2][4], y[4][2];
        for (int i = 0; i < 2; i++) load_matrices<false>(x[i], a_now + (warp_row + i * 16 + lane % 16) * kStep + k + lane / 16 * 8);
        for (int j = 0; j < 2; j++) {
          uint32_t pair[4];
          const int column = warp_column + j * 16;
          if (by_rows) load_matrices<true>(pair, b_now + (k + lane % 16) * kWideStep + column + lane / 16 * 8);
          else load_matrices<false>(pair, b_now + (column + lane % 8 + lane / 16 * 8) * kStep + k + lane / 8 % 2 * 8);
          y[2 * j][0] = pair[0];
          y[2 * j][1] = pair[1];
          y[2 * j + 1][0] = pair[2];
          y[2 * j + 1][1] = pair[3];
        }
        for (int i = 0; i < 2; i++)
          for (int j = 0; j < 4; j++) multiply_add<T>(sum[i][j], x[i], y[j]);
      }
      __syncthreads();
    }
    T* c = static_cast<T*>(p.c) + at[0];
    const T* d = static_cast<const T*>(p.d) + (p.d ? at[3] : 0);
    const T* e = static_cast<const T*>(p.e) + (p.e ? at[4] : 0);
    // Sums stay in registers where their indices are known.
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
          const int row = row0 + warp_row + i * 16 + lane / 4 + r / 2 * 8, column = column0 + warp_column + j * 8 + lane % 4 * 2 + r % 2;
          if (row >= p.m || column >= p.n) continue;
          float value = static_cast<float>(p.alpha) * sum[i][j][r];
          if (d) value += static_cast<float>(p.beta) * static_cast<float>(d[row * p.d_row + column * p.d_col]);
          if (e) value += static_cast<float>(e[row * p.e_row + column * p.e_col]);
          c[row * p.c_row + column * p.c_col] = T(activated(value, p.activation));
        }
      }
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(128, 4, gemm_mma_f16, const GemmParams p) { gemm_mma<Half>(p); }
TS_GLOBAL_BOUNDS(128, 4, gemm_mma_bf16, const GemmParams p) { gemm_mma<BFloat>(p); }
