// What products, convolutions and their quantized kin on Tensor Cores share: tiles of operands in shared memory that are fetched some steps ahead, the
// loop over them, sums that several blocks make together, and what is done with a tile of sums.
//
// A step is 64 bytes of depth: 32 halves, 64 bytes or 16 float32. Rows of a, and columns of b, lie in shared memory 80 bytes apart, so that the eight
// rows that ldmatrix takes together are in different banks. b may also lie by rows, where elements have 16 or 32 bits.
#pragma once
#include "cuda/kernels/activation.cuh"
#include "cuda/kernels/eights.cuh"
#include "cuda/kernels/gemm_params.h"
#include "cuda/kernels/mma.cuh"

namespace torchscript::cuda {

constexpr int kStepBytes = 64, kPitch = 80;

// Of `size` elements of T, how many bytes a vector from `at` on holds.
template <class T> TS_DEVICE int valid_bytes(int at, int size) {
  constexpr int kVector = 16 / static_cast<int>(sizeof(T));
  return at >= size ? 0 : size - at >= kVector ? 16 : (size - at) * static_cast<int>(sizeof(T));
}

// Adds up the sums of the blocks that share a tile. True in the block that goes on with it.
template <class Tile> TS_DEVICE bool gather(const SplitParams& p, uint32_t tile, int split, typename Tile::Sums& sums) {
  using Sum = typename Tile::Sum;
  if (p.splits == 1) return true;
  __shared__ uint32_t arrived;
  constexpr int kAll = Tile::kAll, kThreads = Tile::kThreads;
  Sum* const mine = static_cast<Sum*>(p.partial) + (static_cast<int64_t>(tile) * p.splits + split) * kAll * kThreads + threadIdx.x;
#pragma unroll
  for (int i = 0; i < kAll; i++) mine[i * kThreads] = sums.at[i];
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) arrived = atomicAdd(&p.counters[tile], 1u);
  __syncthreads();
  const bool last = arrived == static_cast<uint32_t>(p.splits) - 1;
  __syncthreads();
  if (!last) return false;
  __threadfence();
  if (threadIdx.x == 0) p.counters[tile] = 0;
#pragma unroll
  for (int i = 0; i < kAll; i++) sums.at[i] = 0;
  const volatile Sum* from = static_cast<const Sum*>(p.partial) + static_cast<int64_t>(tile) * p.splits * kAll * kThreads + threadIdx.x;
  for (int s = 0; s < p.splits; s++, from += kAll * kThreads) {
#pragma unroll
    for (int i = 0; i < kAll; i++) sums.at[i] += from[i * kThreads];
  }
  return true;
}

// A warp's 16 rows of sums in shared memory go to `out`.
template <int kWarpColumns, int kOutPitch, class Sum, class Out> TS_DEVICE void hand_out_strip(Sum* slots, int row0, int column0, const Out& out) {
  constexpr int kVectors = kWarpColumns / 8;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  __syncwarp();
  if (out.by_vectors()) {
#pragma unroll 1
    for (int v = lane; v < 16 * kVectors; v += 32) out.vector(row0 + v / kVectors, column0 + v % kVectors * 8, slots + v / kVectors * kOutPitch + v % kVectors * 8);
  } else {
#pragma unroll 1
    for (int v = lane; v < 16 * kWarpColumns; v += 32) out.single(row0 + v % 16, column0 + v / 16, slots[v % 16 * kOutPitch + v / 16]);
  }
  __syncwarp();
}

// The shape of a block's tile, of its warps' parts, and of the operands' tiles in shared memory, of which kStages are there at a time.
template <int kRowsOf, int kColumnsOf, int kWarpRowsOf, int kWarpColumnsOf, int kStagesOf> struct StagedTile {
  static constexpr int kRows = kRowsOf, kColumns = kColumnsOf, kWarpRows = kWarpRowsOf, kWarpColumns = kWarpColumnsOf, kStages = kStagesOf;
  static constexpr int kAcross = kColumns / kWarpColumns, kThreads = kRows / kWarpRows * kAcross * 32;
  static constexpr int kAStage = kRows * kPitch, kBStage = kColumns * kPitch;
  // A warp's sums on their way out: 16 rows of floats.
  static constexpr int kOutPitch = kWarpColumns + 8;
  static constexpr int kOperandBytes = kStages * (kAStage + kBStage), kOutBytes = kThreads / 32 * 16 * kOutPitch * 4;
  static constexpr int kSharedBytes = kOperandBytes > kOutBytes ? kOperandBytes : kOutBytes;

  TS_DEVICE static int warp_row() { return static_cast<int>(threadIdx.x) / 32 / kAcross * kWarpRows; }
  TS_DEVICE static int warp_column() { return static_cast<int>(threadIdx.x) / 32 % kAcross * kWarpColumns; }

  // each(a_tile, b_tile) for the steps from `first` to `last`. a.fetch(tile, step) and b.fetch(tile, step) begin to fill a tile.
  template <class A, class B, class Each> TS_DEVICE static void steps(char* shared, A& a, B& b, int first, int last, const Each& each) {
    char* const a_tiles = shared;
    char* const b_tiles = shared + kStages * kAStage;
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (first + s < last) {
        a.fetch(a_tiles + s * kAStage, first + s);
        b.fetch(b_tiles + s * kBStage, first + s);
      }
      commit_copies();
    }
    int now = 0, ahead = kStages - 1;
    for (int step = first; step < last; step++) {
      wait_copies<kStages - 2>();
      // Everyone's part of this step's tiles is there, and no one reads those of the step before.
      __syncthreads();
      if (step + kStages - 1 < last) {
        a.fetch(a_tiles + ahead * kAStage, step + kStages - 1);
        b.fetch(b_tiles + ahead * kBStage, step + kStages - 1);
      }
      commit_copies();
      each(a_tiles + now * kAStage, b_tiles + now * kBStage);
      now = now + 1 == kStages ? 0 : now + 1;
      ahead = ahead + 1 == kStages ? 0 : ahead + 1;
    }
    wait_copies<0>();
    __syncthreads();
  }
};

template <class Element, int kRowsOf, int kColumnsOf, int kWarpRowsOf, int kWarpColumnsOf, int kStagesOf>
struct Tiles : StagedTile<kRowsOf, kColumnsOf, kWarpRowsOf, kWarpColumnsOf, kStagesOf> {
  using Staged = StagedTile<kRowsOf, kColumnsOf, kWarpRowsOf, kWarpColumnsOf, kStagesOf>;
  using Staged::kBStage, Staged::kColumns, Staged::kOutPitch, Staged::kWarpColumns, Staged::kWarpRows, Staged::warp_column, Staged::warp_row;
  using T = Element;
  using Sum = typename MmaSum<T>::type;
  static constexpr int kDepth = kStepBytes / static_cast<int>(sizeof(T)), kVector = 16 / static_cast<int>(sizeof(T));
  static constexpr int kI = kWarpRows / 16, kJ = kWarpColumns / 8;
  // Rows of b lie so far apart that what a warp takes together is in different banks.
  static constexpr int kWidePitch = kColumns * static_cast<int>(sizeof(T)) + (sizeof(T) == 4 ? 32 : 16);
  static_assert(sizeof(T) == 1 || kDepth * kWidePitch <= kBStage);

  static constexpr int kAll = kI * kJ * 4;
  struct Sums {
    Sum at[kAll];
  };

  // Adds the products of the steps from `first` to `last`.
  template <class A, class B> TS_DEVICE static void multiply(char* shared, A& a, B& b, bool by_rows, int first, int last, Sums& sums) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    Staged::steps(shared, a, b, first, last, [&](const char* a_tile, const char* b_now) {
      const char* a_now = a_tile + (warp_row() + lane % 16) * kPitch + lane / 16 * 16;
#pragma unroll
      for (int k = 0; k < 2; k++) {
        uint32_t x[kI][4], y[kJ][2];
#pragma unroll
        for (int i = 0; i < kI; i++) load_matrices<false>(x[i], a_now + i * 16 * kPitch + k * 32);
        if (!by_rows) {
          const char* from = b_now + (warp_column() + lane % 8 + lane / 16 * 8) * kPitch + lane / 8 % 2 * 16 + k * 32;
#pragma unroll
          for (int j = 0; j < kJ; j += 2) {
            uint32_t pair[4];
            load_matrices<false>(pair, from + j * 8 * kPitch);
            y[j][0] = pair[0];
            y[j][1] = pair[1];
            y[j + 1][0] = pair[2];
            y[j + 1][1] = pair[3];
          }
        } else if constexpr (sizeof(T) == 2) {
          const char* from = b_now + (k * 16 + lane % 16) * kWidePitch + (warp_column() + lane / 16 * 8) * 2;
#pragma unroll
          for (int j = 0; j < kJ; j += 2) {
            uint32_t pair[4];
            load_matrices<true>(pair, from + j * 16);
            y[j][0] = pair[0];
            y[j][1] = pair[1];
            y[j + 1][0] = pair[2];
            y[j + 1][1] = pair[3];
          }
        } else if constexpr (sizeof(T) == 4) {
          const char* from = b_now + (k * 8 + lane % 4) * kWidePitch + (warp_column() + lane / 4) * 4;
#pragma unroll
          for (int j = 0; j < kJ; j++) {
            y[j][0] = *reinterpret_cast<const uint32_t*>(from + j * 32);
            y[j][1] = *reinterpret_cast<const uint32_t*>(from + j * 32 + 4 * kWidePitch);
          }
        }
#pragma unroll
        for (int i = 0; i < kI; i++)
#pragma unroll
          for (int j = 0; j < kJ; j++) multiply_add<T>(reinterpret_cast<Sum(&)[4]>(sums.at[(i * kJ + j) * 4]), x[i], y[j]);
      }
    });
  }

  // Hands out the sums. out.vector(row, column, slots): `slots` are the sums of eight columns from `column` on, in shared memory that may be
  // overwritten; out.single(row, column, sum): one sum. The first where out.by_vectors() says so. Rows and columns are those of the tile.
  template <class Out> TS_DEVICE static void hand_out(char* shared, const Sums& sums, const Out& out) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    Sum* const slots = reinterpret_cast<Sum*>(shared) + static_cast<int>(threadIdx.x) / 32 * 16 * kOutPitch;
#pragma unroll
    for (int i = 0; i < kI; i++) {
#pragma unroll
      for (int j = 0; j < kJ; j++) {
        Sum* const to = slots + lane / 4 * kOutPitch + j * 8 + lane % 4 * 2;
        const int at = (i * kJ + j) * 4;
        to[0] = sums.at[at];
        to[1] = sums.at[at + 1];
        to[8 * kOutPitch] = sums.at[at + 2];
        to[8 * kOutPitch + 1] = sums.at[at + 3];
      }
      hand_out_strip<kWarpColumns, kOutPitch>(slots, warp_row() + i * 16, warp_column(), out);
    }
  }
};

// The same by plain arithmetic on float32. A thread has eight rows, four apart, and columns eight apart.
template <int kRowsOf, int kColumnsOf, int kWarpRowsOf, int kWarpColumnsOf, int kStagesOf>
struct PlainTiles : StagedTile<kRowsOf, kColumnsOf, kWarpRowsOf, kWarpColumnsOf, kStagesOf> {
  using Staged = StagedTile<kRowsOf, kColumnsOf, kWarpRowsOf, kWarpColumnsOf, kStagesOf>;
  using Staged::kBStage, Staged::kColumns, Staged::kOutPitch, Staged::kWarpColumns, Staged::kWarpRows, Staged::warp_column, Staged::warp_row;
  using T = float;
  using Sum = float;
  static constexpr int kDepth = 16, kVector = 4;
  static constexpr int kI = kWarpRows / 4, kJ = kWarpColumns / 8, kAll = kI * kJ;
  static constexpr int kWidePitch = kColumns * 4 + 32;
  static_assert(kDepth * kWidePitch <= kBStage);
  struct Sums {
    float at[kAll];
  };

  template <class A, class B> TS_DEVICE static void multiply(char* shared, A& a, B& b, bool by_rows, int first, int last, Sums& sums) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    Staged::steps(shared, a, b, first, last, [&](const char* a_tile, const char* b_now) {
      const char* a_now = a_tile + (warp_row() + lane / 8) * kPitch;
#pragma unroll 1
      for (int k = 0; k < kDepth; k += 4) {
        float4 y[kJ];
#pragma unroll
        for (int j = 0; j < kJ; j++) {
          const int column = warp_column() + lane % 8 + 8 * j;
          if (!by_rows) {
            y[j] = *reinterpret_cast<const float4*>(b_now + column * kPitch + k * 4);
          } else {
            const char* from = b_now + k * kWidePitch + column * 4;
            y[j].x = *reinterpret_cast<const float*>(from);
            y[j].y = *reinterpret_cast<const float*>(from + kWidePitch);
            y[j].z = *reinterpret_cast<const float*>(from + 2 * kWidePitch);
            y[j].w = *reinterpret_cast<const float*>(from + 3 * kWidePitch);
          }
        }
#pragma unroll
        for (int i = 0; i < kI; i++) {
          const float4 x = *reinterpret_cast<const float4*>(a_now + i * 4 * kPitch + k * 4);
#pragma unroll
          for (int j = 0; j < kJ; j++) {
            float& sum = sums.at[i * kJ + j];
            sum += x.x * y[j].x;
            sum += x.y * y[j].y;
            sum += x.z * y[j].z;
            sum += x.w * y[j].w;
          }
        }
      }
    });
  }

  template <class Out> TS_DEVICE static void hand_out(char* shared, const Sums& sums, const Out& out) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    float* const slots = reinterpret_cast<float*>(shared) + static_cast<int>(threadIdx.x) / 32 * 16 * kOutPitch;
#pragma unroll
    for (int strip = 0; strip < kWarpRows / 16; strip++) {
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < kJ; j++) slots[(lane / 8 + 4 * i) * kOutPitch + lane % 8 + 8 * j] = sums.at[(strip * 4 + i) * kJ + j];
      hand_out_strip<kWarpColumns, kOutPitch>(slots, warp_row() + strip * 16, warp_column(), out);
    }
  }
};

// Rows of a matrix (or columns: `stride` leads from one to the next) that are dense along the depth, `kLines` of them in a tile.
template <class T, int kLines, int kThreads> struct DenseLines {
  static constexpr int kCount = kLines * 4 / kThreads, kVector = 16 / static_cast<int>(sizeof(T)), kDepth = kStepBytes / static_cast<int>(sizeof(T));
  const T* base;
  const T* from[kCount];
  int depth;
  uint32_t inside;
  TS_DEVICE void begin(const T* matrix, int64_t stride, int first, int lines, int size) {
    const int line = static_cast<int>(threadIdx.x) / 4;
    base = matrix;
    depth = size;
    inside = 0;
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      const int at = first + line + i * (kThreads / 4);
      from[i] = matrix + at * stride + static_cast<int>(threadIdx.x) % 4 * kVector;
      inside |= (at < lines ? 1u : 0u) << i;
    }
  }
  TS_DEVICE void fetch(char* tile, int step) const {
    const int k = step * kDepth;
    const int valid = valid_bytes<T>(k + static_cast<int>(threadIdx.x) % 4 * kVector, depth);
    char* to = tile + static_cast<int>(threadIdx.x) / 4 * kPitch + static_cast<int>(threadIdx.x) % 4 * 16;
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      const int bytes = inside >> i & 1 ? valid : 0;
      copy_async(to + i * (kThreads / 4) * kPitch, bytes ? from[i] + k : base, bytes);
    }
  }
};

// kDepth rows of b, dense along the columns.
template <class Tile> struct WideRows {
  using T = typename Tile::T;
  static constexpr int kAcross = Tile::kColumns / Tile::kVector, kCount = Tile::kDepth * kAcross / Tile::kThreads, kApart = Tile::kThreads / kAcross;
  static_assert(Tile::kThreads % kAcross == 0 && kCount >= 1);
  const T* base;
  const T* from;
  int64_t stride;
  int depth, valid;
  TS_DEVICE void begin(const T* matrix, int64_t row, int first, int columns, int size) {
    const int column = first + static_cast<int>(threadIdx.x) % kAcross * Tile::kVector;
    base = matrix;
    from = matrix + static_cast<int>(threadIdx.x) / kAcross * row + column;
    stride = row;
    depth = size;
    valid = valid_bytes<T>(column, columns);
  }
  TS_DEVICE void fetch(char* tile, int step) const {
    const int k = static_cast<int>(threadIdx.x) / kAcross;
    char* to = tile + k * Tile::kWidePitch + static_cast<int>(threadIdx.x) % kAcross * 16;
    const T* source = from + static_cast<int64_t>(step) * Tile::kDepth * stride;
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      const int bytes = step * Tile::kDepth + k + i * kApart < depth ? valid : 0;
      copy_async(to + i * kApart * Tile::kWidePitch, bytes ? source + i * kApart * stride : base, bytes);
    }
  }
};

// One of the two, as the launch says.
template <class Tile> struct EitherB {
  bool by_rows;
  union {
    DenseLines<typename Tile::T, Tile::kColumns, Tile::kThreads> columns;
    WideRows<Tile> rows;
  };
  TS_DEVICE EitherB() {}
  TS_DEVICE void fetch(char* tile, int step) const {
    if constexpr (sizeof(typename Tile::T) > 1) {
      if (by_rows) return rows.fetch(tile, step);
    }
    columns.fetch(tile, step);
  }
};

// Row and column of tiles of this block.
TS_DEVICE void tile_of(uint32_t block, int row_tiles, int column_tiles, int* row, int* column) {
  const uint32_t wide = static_cast<uint32_t>(kTileGroup * column_tiles), group = block / wide, rest = block - group * wide;
  const int first = static_cast<int>(group) * kTileGroup;
  const uint32_t rows = static_cast<uint32_t>(row_tiles - first < kTileGroup ? row_tiles - first : kTileGroup);
  *column = static_cast<int>(rest / rows);
  *row = first + static_cast<int>(rest % rows);
}

// The activation of eight values. What calls functions goes over `slots` one by one, so that the functions are there once.
TS_DEVICE void activate_eight(float (&x)[8], float* slots, int32_t activation) {
  if (activation == 0) return;
  if (activation == 1) {
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = x[i] < 0.0f ? 0.0f : x[i];
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; i++) slots[i] = x[i];
#pragma unroll 1
  for (int i = 0; i < 8; i++) slots[i] = activated(slots[i], activation);
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] = slots[i];
}

}  // namespace torchscript::cuda
