// Attention with an online softmax: a block has 64 rows of queries and 64 columns of values, meets the keys 64 by 64, and never has more scores than that.
// Arithmetic is in float; values of more than 64 columns make the scores again in each block of columns.
// kernel: cpu-avx/attention (scaled_dot_product_attention, attention)
#include "cuda/kernels/attention_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kTile = 64, kDepth = 16, kThreads = 256;

TS_DEVICE float mask_value(const AttentionParams& p, int64_t at) {
  switch (p.mask_dtype) {
    case kF16: return static_cast<const Half*>(p.mask)[at];
    case kBF16: return static_cast<const BFloat*>(p.mask)[at];
    default: return static_cast<const float*>(p.mask)[at];
  }
}

template <class T> TS_DEVICE void attention(const AttentionParams& p) {
  __shared__ float x_tile[kDepth][kTile + 4];  // columns of queries
  __shared__ float y_tile[kDepth][kTile + 4];  // columns of keys, then rows of values
  __shared__ float scores[kTile][kTile + 4];
  const int t = static_cast<int>(threadIdx.x), ty = t / 16, tx = t % 16;
  const int row0 = static_cast<int>(blockIdx.x) * kTile, column0 = static_cast<int>(blockIdx.y) * kTile;
  for (uint32_t item = blockIdx.z; item < p.batches.n; item += gridDim.z) {
    int64_t at[6];
    offsets_of<6>(p.batches, item, at);
    const T* q = static_cast<const T*>(p.q) + at[1];
    const T* k = static_cast<const T*>(p.k) + at[2];
    const T* v = static_cast<const T*>(p.v) + at[3];
    float top[4], total[4] = {}, sum[4][4] = {};
    for (int i = 0; i < 4; i++) top[i] = -INFINITY;
    const int seen = p.causal && row0 + kTile < p.keys ? row0 + kTile : p.keys;
    for (int key0 = 0; key0 < seen; key0 += kTile) {
      float s[4][4] = {};
      for (int d0 = 0; d0 < p.dim; d0 += kDepth) {
        for (int index = t; index < kTile * kDepth; index += kThreads) {
          const int d = index % kDepth, i = index / kDepth;
          x_tile[d][i] = row0 + i < p.length && d0 + d < p.dim ? static_cast<float>(q[(row0 + i) * p.q_row + (d0 + d) * p.q_col]) : 0.0f;
          y_tile[d][i] = key0 + i < p.keys && d0 + d < p.dim ? static_cast<float>(k[(key0 + i) * p.k_row + (d0 + d) * p.k_col]) : 0.0f;
        }
        __syncthreads();
        for (int d = 0; d < kDepth; d++) {
          float a[4], b[4];
          for (int i = 0; i < 4; i++) a[i] = x_tile[d][ty * 4 + i];
          for (int j = 0; j < 4; j++) b[j] = y_tile[d][tx + 16 * j];
          for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) s[i][j] += a[i] * b[j];
        }
        __syncthreads();
      }
      // A row of scores is in the 16 threads of one `ty`.
      for (int i = 0; i < 4; i++) {
        const int row = row0 + ty * 4 + i;
        float highest = top[i];
        for (int j = 0; j < 4; j++) {
          const int key = key0 + tx + 16 * j;
          float value = s[i][j] * p.scale;
          if (row >= p.length || key >= p.keys || (p.causal && key > row)) {
            value = -INFINITY;
          } else if (p.mask) {
            const int64_t place = at[4] + row * p.mask_row + key * p.mask_col;
            if (p.mask_dtype == kBool) {
              if ((static_cast<const uint8_t*>(p.mask)[place] != 0) == (p.sets != 0)) value = p.fill;
            } else {
              value += mask_value(p, place);
            }
          }
          s[i][j] = value;
          highest = value > highest ? value : highest;
        }
        for (int by = 8; by > 0; by /= 2) {
          const float other = __shfl_xor_sync(0xffffffffu, highest, by, 16);
          highest = other > highest ? other : highest;
        }
        const float shift = highest == -INFINITY ? 0.0f : highest;
        float row_total = 0;
        for (int j = 0; j < 4; j++) {
          const float e = expf(s[i][j] - shift);
          scores[ty * 4 + i][tx + 16 * j] = e;
          row_total += e;
        }
        for (int by = 8; by > 0; by /= 2) row_total += __shfl_xor_sync(0xffffffffu, row_total, by, 16);
        const float factor = top[i] == -INFINITY ? 0.0f : expf(top[i] - highest);
        total[i] = total[i] * factor + row_total;
        top[i] = highest;
        for (int j = 0; j < 4; j++) sum[i][j] *= factor;
      }
      for (int v0 = 0; v0 < kTile; v0 += kDepth) {
        for (int index = t; index < kTile * kDepth; index += kThreads) {
          const int j = index % kTile, d = index / kTile, key = key0 + v0 + d;
          y_tile[d][j] = key < p.keys && column0 + j < p.value_dim ? static_cast<float>(v[key * p.v_row + (column0 + j) * p.v_col]) : 0.0f;
        }
        __syncthreads();
        for (int d = 0; d < kDepth; d++) {
          float a[4], b[4];
          for (int i = 0; i < 4; i++) a[i] = scores[ty * 4 + i][v0 + d];
          for (int j = 0; j < 4; j++) b[j] = y_tile[d][tx + 16 * j];
          for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) sum[i][j] += a[i] * b[j];
        }
        __syncthreads();
      }
    }
    for (int i = 0; i < 4; i++) {
      const int row = row0 + ty * 4 + i;
      if (row >= p.length) continue;
      const bool nothing = top[i] == -INFINITY && total[i] == 0.0f;
      T* to = static_cast<T*>(p.out) + at[0] + row * p.out_row;
      for (int j = 0; j < 4; j++) {
        const int column = column0 + tx + 16 * j;
        if (column < p.value_dim) to[column * p.out_col] = T(nothing ? p.nothing : sum[i][j] / total[i]);
      }
      if (p.sums && blockIdx.y == 0 && tx == 0) p.sums[at[5] + row * p.sums_row] = nothing ? -INFINITY : top[i] + logf(total[i]);
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, attention_f32, const AttentionParams p) { attention<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, attention_f16, const AttentionParams p) { attention<Half>(p); }
TS_GLOBAL_BOUNDS(256, 2, attention_bf16, const AttentionParams p) { attention<BFloat>(p); }
