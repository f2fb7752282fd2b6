// Attention with an online softmax: a block has 64 rows of queries and 64 columns of values, meets the keys 64 by 64, and never has more scores than that.
// Arithmetic is in float (float64: in double); values of more than 64 columns make the scores again in each block of columns.
// kernel: cpu-avx/attention (scaled_dot_product_attention, attention)
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/attention_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kTile = 64, kThreads = 256;

template <class T> struct Numbers {
  using Sum = float;
  static constexpr int kDepth = 16;
};
template <> struct Numbers<double> {
  using Sum = double;
  static constexpr int kDepth = 8;
};
TS_DEVICE float log_of(float x) { return logf(x); }
TS_DEVICE double log_of(double x) { return log(x); }

template <class Sum> TS_DEVICE Sum mask_value(const AttentionParams& p, int64_t at) {
  switch (p.mask_dtype) {
    case kF16: return static_cast<const Half*>(p.mask)[at];
    case kBF16: return static_cast<const BFloat*>(p.mask)[at];
    case kF64: return static_cast<Sum>(static_cast<const double*>(p.mask)[at]);
    default: return static_cast<const float*>(p.mask)[at];
  }
}

template <class T> TS_DEVICE void attention(const AttentionParams& p) {
  using Sum = typename Numbers<T>::Sum;
  constexpr int kDepth = Numbers<T>::kDepth;
  const Sum scale = static_cast<Sum>(p.scale);
  __shared__ Sum x_tile[kDepth][kTile + 4];  // columns of queries
  __shared__ Sum y_tile[kDepth][kTile + 4];  // columns of keys, then rows of values
  __shared__ Sum scores[kTile][kTile + 4];
  const int t = static_cast<int>(threadIdx.x), ty = t / 16, tx = t % 16;
  const int row0 = static_cast<int>(blockIdx.x) * kTile, column0 = static_cast<int>(blockIdx.y) * kTile;
  for (uint32_t item = blockIdx.z; item < p.batches.n; item += gridDim.z) {
    int64_t at[6];
    offsets_of<6>(p.batches, item, at);
    const T* q = static_cast<const T*>(p.q) + at[1];
    const T* k = static_cast<const T*>(p.k) + at[2];
    const T* v = static_cast<const T*>(p.v) + at[3];
    Sum top[4], total[4] = {}, sum[4][4] = {};
#pragma unroll
    for (int i = 0; i < 4; i++) top[i] = -INFINITY;
    const int seen = p.causal && row0 + kTile < p.keys ? row0 + kTile : p.keys;
    for (int key0 = 0; key0 < seen; key0 += kTile) {
      Sum s[4][4] = {};
      for (int d0 = 0; d0 < p.dim; d0 += kDepth) {
#pragma unroll 2
        for (int index = t; index < kTile * kDepth; index += kThreads) {
          const int d = index % kDepth, i = index / kDepth;
          x_tile[d][i] = row0 + i < p.length && d0 + d < p.dim ? static_cast<Sum>(q[(row0 + i) * p.q_row + (d0 + d) * p.q_col]) : Sum(0);
          y_tile[d][i] = key0 + i < p.keys && d0 + d < p.dim ? static_cast<Sum>(k[(key0 + i) * p.k_row + (d0 + d) * p.k_col]) : Sum(0);
        }
        __syncthreads();
#pragma unroll 4
        for (int d = 0; d < kDepth; d++) {
          Sum a[4], b[4];
#pragma unroll
          for (int i = 0; i < 4; i++) a[i] = x_tile[d][ty * 4 + i];
#pragma unroll
          for (int j = 0; j < 4; j++) b[j] = y_tile[d][tx + 16 * j];
#pragma unroll
          for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) s[i][j] += a[i] * b[j];
        }
        __syncthreads();
      }
      // A row of scores is in the 16 threads of one `ty`.
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int row = row0 + ty * 4 + i;
        Sum highest = top[i];
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const int key = key0 + tx + 16 * j;
          Sum value = s[i][j] * scale;
          if (row >= p.length || key >= p.keys || (p.causal && key > row)) {
            value = -INFINITY;
          } else if (p.mask) {
            const int64_t place = at[4] + row * p.mask_row + key * p.mask_col;
            if (p.mask_dtype == kBool) {
              if ((static_cast<const uint8_t*>(p.mask)[place] != 0) == (p.sets != 0)) value = static_cast<Sum>(p.fill);
            } else {
              value += mask_value<Sum>(p, place);
            }
          }
          s[i][j] = value;
          highest = value > highest ? value : highest;
        }
        for (int by = 8; by > 0; by /= 2) {
          const Sum other = __shfl_xor_sync(0xffffffffu, highest, by, 16);
          highest = other > highest ? other : highest;
        }
        const Sum shift = highest == -INFINITY ? Sum(0) : highest;
        Sum row_total = 0;
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const Sum e = exp_of(s[i][j] - shift);
          scores[ty * 4 + i][tx + 16 * j] = e;
          row_total += e;
        }
        for (int by = 8; by > 0; by /= 2) row_total += __shfl_xor_sync(0xffffffffu, row_total, by, 16);
        const Sum factor = top[i] == -INFINITY ? Sum(0) : exp_of(top[i] - highest);
        total[i] = total[i] * factor + row_total;
        top[i] = highest;
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] *= factor;
      }
      for (int v0 = 0; v0 < kTile; v0 += kDepth) {
#pragma unroll 2
        for (int index = t; index < kTile * kDepth; index += kThreads) {
          const int j = index % kTile, d = index / kTile, key = key0 + v0 + d;
          y_tile[d][j] = key < p.keys && column0 + j < p.value_dim ? static_cast<Sum>(v[key * p.v_row + (column0 + j) * p.v_col]) : Sum(0);
        }
        __syncthreads();
#pragma unroll 4
        for (int d = 0; d < kDepth; d++) {
          Sum a[4], b[4];
#pragma unroll
          for (int i = 0; i < 4; i++) a[i] = scores[ty * 4 + i][v0 + d];
#pragma unroll
          for (int j = 0; j < 4; j++) b[j] = y_tile[d][tx + 16 * j];
#pragma unroll
          for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) sum[i][j] += a[i] * b[j];
        }
        __syncthreads();
      }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = row0 + ty * 4 + i;
      if (row >= p.length) continue;
      const bool nothing = top[i] == -INFINITY && total[i] == Sum(0);
      T* to = static_cast<T*>(p.out) + at[0] + row * p.out_row;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const int column = column0 + tx + 16 * j;
        if (column < p.value_dim) to[column * p.out_col] = T(nothing ? static_cast<Sum>(p.nothing) : sum[i][j] / total[i]);
      }
      if (p.sums && blockIdx.y == 0 && tx == 0) static_cast<Sum*>(p.sums)[at[5] + row * p.sums_row] = nothing ? static_cast<Sum>(-INFINITY) : top[i] + log_of(total[i]);
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, attention_f32, const AttentionParams p) { attention<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, attention_f16, const AttentionParams p) { attention<Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, attention_bf16, const AttentionParams p) { attention<BFloat>(p); }
TS_GLOBAL_BOUNDS(256, 1, attention_f64, const AttentionParams p) { attention<double>(p); }
