// Attention with an online softmax on Tensor Cores, for float16 and bfloat16: a block has 64 rows of queries, 16 a warp, and meets the keys tile by tile.
// Scores and exponentials never leave registers: the sums of one product are the operand of the next. Heads of at most 64, 128 or 256.
// kernel: cpu-avx/attention (scaled_dot_product_attention, attention)
// ptx: compute_80
#include "cuda/kernels/attention_params.h"
#include "cuda/kernels/mma.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kRows = 64, kThreads = 128;
constexpr float kLog2e = 1.4426950408889634f;

TS_DEVICE float mask_at(const AttentionParams& p, int64_t at) {
  switch (p.mask_dtype) {
    case kF16: return static_cast<const Half*>(p.mask)[at];
    case kBF16: return static_cast<const BFloat*>(p.mask)[at];
    default: return static_cast<const float*>(p.mask)[at];
  }
}

// Begins to bring `lines` rows from `first` on, zeros beyond the last and beyond `columns`.
template <class T, int kLines, int kDim> TS_DEVICE void fetch_rows(char* tile, const T* from, int64_t stride, int first, int last, int columns) {
  constexpr int kVectors = kDim / 8, kPitch = kDim * 2 + 16;
  for (int index = static_cast<int>(threadIdx.x); index < kLines * kVectors; index += kThreads) {
    const int row = index / kVectors, column = index % kVectors * 8, left = columns - column;
    const int bytes = first + row >= last || left <= 0 ? 0 : left >= 8 ? 16 : left * 2;
    copy_async(tile + row * kPitch + column * 2, bytes ? from + (first + row) * stride + column : from, bytes);
  }
  commit_copies();
}

template <class T> TS_DEVICE uint32_t pair_of(float low, float high) { return T(low).bits | static_cast<uint32_t>(T(high).bits) << 16; }

template <class T, int kDim, int kKeys> TS_DEVICE void attention(const AttentionParams& p) {
  constexpr int kPitch = kDim * 2 + 16, kD = kDim / 16, kS = kKeys / 8, kO = kDim / 8;
  constexpr bool kHolds = kDim <= 64;  // queries stay in registers
  TS_DYNAMIC_SHARED(char, shared);
  char* const q_tile = shared;
  char* const k_tile = q_tile + kRows * kPitch;
  char* const v_tile = k_tile + kKeys * kPitch;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int row0 = static_cast<int>(blockIdx.x) * kRows, mine = row0 + warp * 16 + lane / 4;
  char* const own_rows = q_tile + warp * 16 * kPitch;
  const char* const q_at = own_rows + lane % 16 * kPitch + lane / 16 * 16;
  const char* const k_at = k_tile + (lane % 8 + lane / 16 * 8) * kPitch + lane / 8 % 2 * 16;
  const char* const v_at = v_tile + lane % 16 * kPitch + lane / 16 * 16;
  const float scale = static_cast<float>(p.scale), fill = static_cast<float>(p.fill);
  for (uint32_t item = blockIdx.z; item < p.batches.n; item += gridDim.z) {
    int64_t at[6];
    offsets_of<6>(p.batches, item, at);
    const T* k = static_cast<const T*>(p.k) + at[2];
    const T* v = static_cast<const T*>(p.v) + at[3];
    fetch_rows<T, kRows, kDim>(q_tile, static_cast<const T*>(p.q) + at[1], p.q_row, row0, p.length, p.dim);
    const int seen = p.causal && row0 + kRows < p.keys ? row0 + kRows : p.keys;
    fetch_rows<T, kKeys, kDim>(k_tile, k, p.k_row, 0, seen, p.dim);
    float top[2] = {-INFINITY, -INFINITY}, total[2] = {}, sum[kO][4] = {};
    uint32_t held[kHolds ? kD : 1][4];
    for (int key0 = 0; key0 < seen; key0 += kKeys) {
      fetch_rows<T, kKeys, kDim>(v_tile, v, p.v_row, key0, seen, p.value_dim);
      // All but the values.
      wait_copies<1>();
      __syncthreads();
      if constexpr (kHolds) {
        if (key0 == 0) {
#pragma unroll
          for (int d = 0; d < kD; d++) load_matrices<false>(held[d], q_at + d * 32);
        }
      }
      float s[kS][4] = {};
#pragma unroll
      for (int d = 0; d < kD; d++) {
        uint32_t x[4];
        if constexpr (kHolds) {
#pragma unroll
          for (int r = 0; r < 4; r++) x[r] = held[d][r];
        } else {
          load_matrices<false>(x, q_at + d * 32);
        }
#pragma unroll
        for (int j = 0; j < kS; j += 2) {
          uint32_t y[4];
          load_matrices<false>(y, k_at + j * 8 * kPitch + d * 32);
          multiply_add<T>(s[j], x, {y[0], y[1]});
          multiply_add<T>(s[j + 1], x, {y[2], y[3]});
        }
      }
      __syncthreads();
      if (key0 + kKeys < seen) fetch_rows<T, kKeys, kDim>(k_tile, k, p.k_row, key0 + kKeys, seen, p.dim);
      else commit_copies();
      // A row is in the four lanes of a group; registers 0 and 1 are of one row, 2 and 3 of the one eight below.
      float highest[2] = {top[0], top[1]};
#pragma unroll
      for (int j = 0; j < kS; j++) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
          const int row = mine + r / 2 * 8, key = key0 + j * 8 + lane % 4 * 2 + r % 2;
          float value = s[j][r] * scale;
          if (row >= p.length || key >= p.keys || (p.causal && key > row)) {
            value = -INFINITY;
          } else if (p.mask) {
            const int64_t place = at[4] + row * p.mask_row + key * p.mask_col;
            if (p.mask_dtype == kBool) {
              if ((static_cast<const uint8_t*>(p.mask)[place] != 0) == (p.sets != 0)) value = fill;
            } else {
              value += mask_at(p, place);
            }
          }
          s[j][r] = value;
          highest[r / 2] = value > highest[r / 2] ? value : highest[r / 2];
        }
      }
#pragma unroll
      for (int h = 0; h < 2; h++) {
#pragma unroll
        for (int by = 2; by > 0; by /= 2) {
          const float other = __shfl_xor_sync(0xffffffffu, highest[h], by);
          highest[h] = other > highest[h] ? other : highest[h];
        }
        const float shift = highest[h] == -INFINITY ? 0.0f : highest[h];
        const float factor = top[h] == -INFINITY ? 0.0f : exp2f((top[h] - highest[h]) * kLog2e);
        float row_total = 0;
#pragma unroll
        for (int j = 0; j < kS; j++) {
#pragma unroll
          for (int r = 2 * h; r < 2 * h + 2; r++) {
            s[j][r] = exp2f((s[j][r] - shift) * kLog2e);
            row_total += s[j][r];
          }
        }
        // Each lane has its own part of the total until the end.
        total[h] = total[h] * factor + row_total;
        top[h] = highest[h];
#pragma unroll
        for (int j = 0; j < kO; j++) {
          sum[j][2 * h] *= factor;
          sum[j][2 * h + 1] *= factor;
        }
      }
      // The values; the next keys are still on their way.
      wait_copies<1>();
      __syncthreads();
#pragma unroll
      for (int i = 0; i < kKeys / 16; i++) {
        const uint32_t x[4] = {pair_of<T>(s[2 * i][0], s[2 * i][1]), pair_of<T>(s[2 * i][2], s[2 * i][3]), pair_of<T>(s[2 * i + 1][0], s[2 * i + 1][1]),
                               pair_of<T>(s[2 * i + 1][2], s[2 * i + 1][3])};
#pragma unroll
        for (int j = 0; j < kO; j += 2) {
          uint32_t y[4];
          load_matrices<true>(y, v_at + i * 16 * kPitch + j * 16);
          multiply_add<T>(sum[j], x, {y[0], y[1]});
          multiply_add<T>(sum[j + 1], x, {y[2], y[3]});
        }
      }
      __syncthreads();
    }
    wait_copies<0>();
    __syncthreads();
    // Results leave through the queries' rows of this warp.
#pragma unroll
    for (int h = 0; h < 2; h++) {
#pragma unroll
      for (int by = 2; by > 0; by /= 2) total[h] += __shfl_xor_sync(0xffffffffu, total[h], by);
      const bool nothing = top[h] == -INFINITY && total[h] == 0.0f;
      char* const to = own_rows + (lane / 4 + 8 * h) * kPitch + lane % 4 * 4;
#pragma unroll
      for (int j = 0; j < kO; j++) {
        const float low = nothing ? p.nothing : sum[j][2 * h] / total[h], high = nothing ? p.nothing : sum[j][2 * h + 1] / total[h];
        *reinterpret_cast<uint32_t*>(to + j * 16) = pair_of<T>(low, high);
      }
      const int row = mine + 8 * h;
      if (p.sums && lane % 4 == 0 && row < p.length) static_cast<float*>(p.sums)[at[5] + row * p.sums_row] = nothing ? -INFINITY : top[h] + logf(total[h]);
    }
    __syncwarp();
    T* out = static_cast<T*>(p.out) + at[0];
    for (int index = lane; index < 16 * (kDim / 8); index += 32) {
      const int in_tile = index / (kDim / 8), row = row0 + warp * 16 + in_tile, column = index % (kDim / 8) * 8;
      if (row >= p.length || column >= p.value_dim) continue;
      const char* from = own_rows + in_tile * kPitch + column * 2;
      if (p.out_vectors && column + 8 <= p.value_dim) {
        *reinterpret_cast<uint4*>(out + row * p.out_row + column) = *reinterpret_cast<const uint4*>(from);
      } else {
        for (int c = column; c < column + 8 && c < p.value_dim; c++) out[row * p.out_row + c * p.out_col] = reinterpret_cast<const T*>(from)[c - column];
      }
    }
    __syncthreads();
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(128, 3, attention_mma_f16_64, const AttentionParams p) { attention<Half, 64, 64>(p); }
TS_GLOBAL_BOUNDS(128, 3, attention_mma_bf16_64, const AttentionParams p) { attention<BFloat, 64, 64>(p); }
TS_GLOBAL_BOUNDS(128, 2, attention_mma_f16_128, const AttentionParams p) { attention<Half, 128, 64>(p); }
TS_GLOBAL_BOUNDS(128, 2, attention_mma_bf16_128, const AttentionParams p) { attention<BFloat, 128, 64>(p); }
TS_GLOBAL_BOUNDS(128, 2, attention_mma_f16_256, const AttentionParams p) { attention<Half, 256, 32>(p); }
TS_GLOBAL_BOUNDS(128, 2, attention_mma_bf16_256, const AttentionParams p) { attention<BFloat, 256, 32>(p); }
