// A product on Hopper: blocks that stay, each of which takes one tile after the other. One thread has the copy engine fetch the operands of the tiles' steps
// into a ring of stages, as far ahead as there are stages, across tiles; two warpgroups multiply.
//
// Tiles of 128 x 256: both warpgroups multiply 64 rows each. Tiles of 128 x 128: the warpgroups take turns with whole tiles, so that one multiplies while
// the other hands out its sums.
#pragma once
#include "cuda/kernels/mma_tiles.cuh"
#include "cuda/kernels/wgmma.cuh"

namespace torchscript::cuda {

template <class Element, int kColumnsOf, bool kRowsOfBOf> struct WgmmaTile {
  using T = Element;
  using Sum = typename MmaSum<T>::type;
  static constexpr bool kTurns = kColumnsOf == 128, kRowsOfB = kRowsOfBOf;
  // A step is 128 bytes of depth: four products.
  static constexpr int kRows = 128, kColumns = kColumnsOf, kDepth = 128 / static_cast<int>(sizeof(T));
  static constexpr uint32_t kABytes = kRows * 128, kBBytes = kColumns * 128, kBox = 64 * 128;
  static constexpr int kStages = static_cast<int>(kWgmmaStageBytes / (kABytes + kBBytes));
  // Whole parts of 64 rows that a warpgroup multiplies, and how many warps read a stage.
  static constexpr int kParts = kTurns ? 2 : 1, kReaders = kTurns ? 4 : 8;
  // A warp's sums on their way out: 16 rows of 32, at whose distance neither the writes nor the reads of 16 bytes meet in a bank.
  static constexpr int kChunk = 32, kOutPitch = 36;
  static_assert(kStages * (kABytes + kBBytes) == kWgmmaStageBytes && 8 * 16 * kOutPitch * 4 == kWgmmaOutBytes && (2 * kStages + 2) * 8 <= kWgmmaBarrierBytes);
};

// Matrices: steps go along their depth.
template <class Tile> struct MatrixOperands {
  const TensorMap &a, &b;
  const WgmmaParams& p;
  static constexpr uint32_t kBytes = Tile::kABytes + Tile::kBBytes;
  TS_DEVICE uint32_t bytes() const { return kBytes; }
  TS_DEVICE void fetch(uint32_t a_tile, uint32_t b_tile, uint32_t barrier, uint32_t matrix, int row, int column, uint32_t step) const {
    const int a_matrix = p.a_matrices ? static_cast<int>(matrix) : 0, b_matrix = p.b_matrices ? static_cast<int>(matrix) : 0;
    const int depth = static_cast<int>(step) * Tile::kDepth;
    fetch_box(a_tile, &a, barrier, depth, row * Tile::kRows, a_matrix);
    if constexpr (Tile::kRowsOfB) {
#pragma unroll
      for (int box = 0; box < Tile::kColumns / 64; box++)
        fetch_box(b_tile + static_cast<uint32_t>(box) * Tile::kBox, &b, barrier, column * Tile::kColumns + box * 64, depth, b_matrix);
    } else {
      fetch_box(b_tile, &b, barrier, depth, column * Tile::kColumns, b_matrix);
    }
  }
};

// operands.fetch(a, b, barrier, matrix, row, column, step) begins to fill the tiles of a step with operands.bytes() bytes, of the tile of sums in that row
// and column of tiles; out_of(matrix, row, column) makes what takes its sums.
template <class Tile, class Operands, class OutOf> TS_DEVICE void multiply_wgmma(const Operands& operands, const WgmmaParams& p, const OutOf& out_of) {
  using Sum = typename Tile::Sum;
  constexpr int kStages = Tile::kStages, kColumns = Tile::kColumns;
  TS_DYNAMIC_SHARED(char, shared);
  const uint32_t begin = shared_place(shared), base = (begin + 1023u) & ~1023u;
  const auto a_tile = [&](uint32_t stage) { return base + stage * Tile::kABytes; };
  const auto b_tile = [&](uint32_t stage) { return base + kStages * Tile::kABytes + stage * Tile::kBBytes; };
  const uint32_t barriers = base + kWgmmaStageBytes + kWgmmaOutBytes;
  const auto filled = [&](uint32_t stage) { return barriers + stage * 8; };
  const auto emptied = [&](uint32_t stage) { return barriers + (kStages + stage) * 8; };
  const auto turn_of = [&](uint32_t group) { return barriers + (2 * kStages + group) * 8; };
  const uint32_t tiles = p.row_tiles * p.column_tiles, all = tiles * p.matrices;
  if (threadIdx.x == 0) {
    for (uint32_t s = 0; s < kStages; s++) {
      barrier_begin(filled(s), 1);
      barrier_begin(emptied(s), Tile::kReaders);
    }
    for (uint32_t group = 0; group < 2; group++) barrier_begin(turn_of(group), 4);
    barriers_begun();
  }
  __syncthreads();
  // Steps are numbered through all tiles: step `at` has stage at % kStages, and is the (at / kStages)th there.
  uint32_t at = 0;
  if (threadIdx.x < 128) {
    fewer_registers<40>();
    if (threadIdx.x == 0) {
      prefetch_map(&operands.a);
      prefetch_map(&operands.b);
      for (uint32_t tile = blockIdx.x; tile < all; tile += gridDim.x) {
        const uint32_t matrix = tile / tiles;
        int row, column;
        tile_of(tile - matrix * tiles, static_cast<int>(p.row_tiles), static_cast<int>(p.column_tiles), &row, &column);
        for (uint32_t step = 0; step < p.steps; step++, at++) {
          const uint32_t stage = at % kStages, turn = at / kStages;
          if (turn > 0) barrier_wait(emptied(stage), (turn - 1) & 1);
          barrier_expect(filled(stage), operands.bytes());
          operands.fetch(a_tile(stage), b_tile(stage), filled(stage), matrix, row, column, step);
        }
      }
    }
  } else {
    more_registers<232>();
    const uint32_t group = threadIdx.x / 128 - 1, lane = threadIdx.x % 32, warp = threadIdx.x / 32 - 4;
    Sum* const slots = reinterpret_cast<Sum*>(shared + (base - begin) + kWgmmaStageBytes) + warp * 16 * Tile::kOutPitch;
    const auto empty = [&](uint32_t step) {
      if (lane == 0) barrier_arrive(emptied(step % kStages));
    };
    Sum d[Tile::kParts][kColumns / 2];
    uint32_t count = 0;
    for (uint32_t tile = blockIdx.x; tile < all; tile += gridDim.x, count++) {
      if (Tile::kTurns && count % 2 != group) {
        at += p.steps;
        continue;
      }
      const uint32_t matrix = tile / tiles;
      int row, column;
      tile_of(tile - matrix * tiles, static_cast<int>(p.row_tiles), static_cast<int>(p.column_tiles), &row, &column);
#pragma unroll
      for (int part = 0; part < Tile::kParts; part++) {
#pragma unroll
        for (int i = 0; i < kColumns / 2; i++) d[part][i] = 0;
        hold_sums(d[part]);
      }
      // A warpgroup takes up its tile when the other has seen all of its steps come: a parity tells a phase from the one before only.
      if (Tile::kTurns && count > 0) barrier_wait(turn_of(group), ((count - 1) / 2) & 1);
      for (uint32_t step = 0; step < p.steps; step++, at++) {
        const uint32_t stage = at % kStages;
        barrier_wait(filled(stage), (at / kStages) & 1);
        // 64 rows of 128 bytes are a box.
        const uint64_t a = depth_descriptor(a_tile(stage) + (Tile::kTurns ? 0 : group * Tile::kBox));
        const uint64_t b = Tile::kRowsOfB ? rows_descriptor(b_tile(stage), Tile::kBox) : depth_descriptor(b_tile(stage));
        wgmma_fence();
        // From product to product the depth goes on by 32 bytes of a line, or by sixteen rows of b.
#pragma unroll
        for (uint32_t k = 0; k < 4; k++)
#pragma unroll
          for (int part = 0; part < Tile::kParts; part++)
            Wgmma<typename Tile::T, Tile::kRowsOfB>::add(d[part], a + (static_cast<uint32_t>(part) * Tile::kBox + k * 32) / 16, b + k * (Tile::kRowsOfB ? 16 * 128 : 32) / 16,
                                                         step > 0 || k > 0);
        wgmma_commit();
        // The products of the step before are done, and so is its stage.
        wgmma_wait<1>();
        if (step > 0) empty(at - 1);
      }
      if (Tile::kTurns && lane == 0) barrier_arrive(turn_of(1 - group));
      wgmma_wait<0>();
#pragma unroll
      for (int part = 0; part < Tile::kParts; part++) hold_sums(d[part]);
      empty(at - 1);
      const auto out = out_of(matrix, row, column);
      const int first_row = static_cast<int>(Tile::kTurns ? warp % 4 : warp) * 16;
      constexpr int kChunks = kColumns / Tile::kChunk;
      // Registers have fixed places: one of the parts below is taken.
#pragma unroll 1
      for (int chunk = 0; chunk < Tile::kParts * kChunks; chunk++) {
#pragma unroll
        for (int c = 0; c < Tile::kParts * kChunks; c++) {
          if (chunk != c) continue;
          const Sum* const sums = &d[c / kChunks][c % kChunks * (Tile::kChunk / 2)];
#pragma unroll
          for (int j = 0; j < Tile::kChunk / 8; j++) {
            Sum* const to = slots + lane / 4 * Tile::kOutPitch + j * 8 + lane % 4 * 2;
            put_two(to, sums[j * 4], sums[j * 4 + 1]);
            put_two(to + 8 * Tile::kOutPitch, sums[j * 4 + 2], sums[j * 4 + 3]);
          }
        }
        hand_out_strip<Tile::kChunk, Tile::kOutPitch>(slots, chunk / kChunks * 64 + first_row, chunk % kChunks * Tile::kChunk, out);
      }
    }
  }
}

}  // namespace torchscript::cuda
