// Products with few rows (at most eight): the weight is read once, in vectors of 16 bytes along its dense dimension, and every row of a goes with it.
// gemv_rows: columns of b are dense along the depth (linear), a warp a column. gemv_columns: rows of b are dense (mm, addmm), a block 64 columns, and
// the depth goes to several blocks.
// kernel: cpu-avx/matmul
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/gemm_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32, kColumns = 64;

// The elements of 16 bytes as floats.
template <class T> struct Vector {
  static constexpr int kCount = 16 / static_cast<int>(sizeof(T));
  float at[kCount];
  TS_DEVICE void load(const T* from) {
    const uint4 v = __ldg(reinterpret_cast<const uint4*>(from));
    const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      if constexpr (sizeof(T) == 2) {
        T element;
        element.bits = static_cast<uint16_t>(i % 2 ? words[i / 2] >> 16 : words[i / 2]);
        at[i] = static_cast<float>(element);
      } else {
        at[i] = __uint_as_float(words[i]);
      }
    }
  }
};

template <class T> TS_DEVICE void finish(const GemmParams& p, const int64_t* at, int row, int column, float sum) {
  float value = static_cast<float>(p.alpha) * sum;
  if (p.d) value += static_cast<float>(p.beta) * static_cast<float>(static_cast<const T*>(p.d)[at[3] + row * p.d_row + column * p.d_col]);
  if (p.e) value += static_cast<float>(static_cast<const T*>(p.e)[at[4] + row * p.e_row + column * p.e_col]);
  static_cast<T*>(p.c)[at[0] + row * p.c_row + column * p.c_col] = T(activated(value, p.activation));
}

template <class T, int kRows> TS_DEVICE void gemv_rows(const GemvParams& params) {
  const GemmParams& p = params.product;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (uint32_t z = blockIdx.z; z < p.batches.n; z += gridDim.z) {
    int64_t at[5];
    offsets_of<5>(p.batches, z, at);
    const T* a = static_cast<const T*>(p.a) + at[1];
    for (int64_t column = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; column < p.n; column += static_cast<int64_t>(gridDim.x) * kWarps) {
      const T* b = static_cast<const T*>(p.b) + at[2] + column * p.b_col;
      float sums[kRows] = {};
      if (params.vectors) {
        constexpr int kCount = Vector<T>::kCount;
        const int whole = p.k - p.k % kCount;
#pragma unroll(kRows == 1 ? 4 : 2)
        for (int k = lane * kCount; k < whole; k += 32 * kCount) {
          Vector<T> y;
          y.load(b + k);
#pragma unroll
          for (int i = 0; i < kRows; i++) {
            if (i >= p.m) break;
            Vector<T> x;
            x.load(a + i * p.a_row + k);
#pragma unroll
            for (int j = 0; j < kCount; j++) sums[i] += x.at[j] * y.at[j];
          }
        }
        const int k = whole + lane;
        if (k < p.k) {
          const float y = static_cast<float>(b[k]);
#pragma unroll
          for (int i = 0; i < kRows; i++)
            if (i < p.m) sums[i] += static_cast<float>(a[i * p.a_row + k]) * y;
        }
      } else {
        for (int k = lane; k < p.k; k += 32) {
          const float y = static_cast<float>(b[k * p.b_row]);
#pragma unroll
          for (int i = 0; i < kRows; i++)
            if (i < p.m) sums[i] += static_cast<float>(a[i * p.a_row + k * p.a_col]) * y;
        }
      }
      float mine = 0;
#pragma unroll
      for (int i = 0; i < kRows; i++) {
#pragma unroll
        for (int by = 16; by > 0; by /= 2) sums[i] += __shfl_xor_sync(0xffffffffu, sums[i], by);
        mine = lane == i ? sums[i] : mine;
      }
      if (lane < kRows && lane < p.m) finish<T>(p, at, lane, static_cast<int>(column), mine);
    }
  }
}

template <class T, int kRows> TS_DEVICE void gemv_columns(const GemvParams& params) {
  constexpr int kCount = Vector<T>::kCount, kAcross = kColumns / kCount, kDown = kThreads / kAcross, kFlip = kAcross;
  __shared__ float parts[kWarps][kRows][kColumns];
  __shared__ uint32_t arrived;
  const GemmParams& p = params.product;
  const int t = static_cast<int>(threadIdx.x), splits = params.split.splits, split = static_cast<int>(blockIdx.y);
  const int column0 = static_cast<int>(blockIdx.x) * kColumns, column = column0 + t % kAcross * kCount;
  const int first = static_cast<int>(static_cast<int64_t>(p.k) * split / splits), last = static_cast<int>(static_cast<int64_t>(p.k) * (split + 1) / splits);
  for (uint32_t z = blockIdx.z; z < p.batches.n; z += gridDim.z) {
    int64_t at[5];
    offsets_of<5>(p.batches, z, at);
    const T* a = static_cast<const T*>(p.a) + at[1];
    const T* b = static_cast<const T*>(p.b) + at[2] + column;
    float sums[kRows][kCount] = {};
    if (column < p.n) {
#pragma unroll(kRows == 1 ? 4 : 2)
      for (int k = first + t / kAcross; k < last; k += kDown) {
        Vector<T> y;
        y.load(b + k * p.b_row);
#pragma unroll
        for (int i = 0; i < kRows; i++) {
          const float x = i < p.m ? static_cast<float>(a[i * p.a_row + k * p.a_col]) : 0.0f;
#pragma unroll
          for (int j = 0; j < kCount; j++) sums[i][j] += x * y.at[j];
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
#pragma unroll
      for (int j = 0; j < kCount; j++) {
#pragma unroll
        for (int by = 16; by >= kFlip; by /= 2) sums[i][j] += __shfl_xor_sync(0xffffffffu, sums[i][j], by);
        if (t % 32 < kAcross) parts[t / 32][i][t % kAcross * kCount + j] = sums[i][j];
      }
    }
    __syncthreads();
    for (int index = t; index < kRows * kColumns; index += kThreads) {
      float sum = 0;
#pragma unroll
      for (int w = 0; w < kWarps; w++) sum += parts[w][index / kColumns][index % kColumns];
      parts[0][index / kColumns][index % kColumns] = sum;
    }
    __syncthreads();
    if (splits > 1) {
      const uint32_t tile = z * gridDim.x + blockIdx.x;
      float* const all = static_cast<float*>(params.split.partial) + static_cast<int64_t>(tile) * splits * kRows * kColumns;
      for (int index = t; index < kRows * kColumns; index += kThreads) all[split * kRows * kColumns + index] = parts[0][index / kColumns][index % kColumns];
      __threadfence();
      __syncthreads();
      if (t == 0) arrived = atomicAdd(&params.split.counters[tile], 1u);
      __syncthreads();
      if (arrived != static_cast<uint32_t>(splits) - 1) continue;
      __threadfence();
      if (t == 0) params.split.counters[tile] = 0;
      const volatile float* from = all;
      for (int index = t; index < kRows * kColumns; index += kThreads) {
        float sum = 0;
        for (int s = 0; s < splits; s++) sum += from[s * kRows * kColumns + index];
        parts[0][index / kColumns][index % kColumns] = sum;
      }
      __syncthreads();
    }
    for (int index = t; index < kRows * kColumns; index += kThreads) {
      const int row = index / kColumns, in_column = index % kColumns;
      if (row < p.m && column0 + in_column < p.n) finish<T>(p, at, row, column0 + in_column, parts[0][row][in_column]);
    }
    __syncthreads();
  }
}

}  // namespace

// kernels: TS_GEMV gemv_rows_$1_$2
// kernels: TS_GEMV gemv_columns_$1_$2
#define TS_GEMV(label, rows, T)                                                                                     \
  TS_GLOBAL_BOUNDS(256, rows == 1 ? 4 : 2, gemv_rows_##label##_##rows, const GemvParams p) { gemv_rows<T, rows>(p); } \
  TS_GLOBAL_BOUNDS(256, rows == 1 ? 4 : rows == 4 ? 2 : 1, gemv_columns_##label##_##rows, const GemvParams p) { gemv_columns<T, rows>(p); }
TS_GEMV(f32, 1, float)
TS_GEMV(f32, 4, float)
TS_GEMV(f32, 8, float)
TS_GEMV(f16, 1, Half)
TS_GEMV(f16, 4, Half)
TS_GEMV(f16, 8, Half)
TS_GEMV(bf16, 1, BFloat)
TS_GEMV(bf16, 4, BFloat)
TS_GEMV(bf16, 8, BFloat)
