// What products on Tensor Cores hand to their kernels.
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// How the terms of one product go to several blocks: each writes its sums to `partial`, and the last one to arrive at a tile adds them up in
// order. `counters` are zero between launches.
struct SplitParams {
  int32_t splits = 1;
  void* partial = nullptr;
  uint32_t* counters = nullptr;
};

// A product for Tensor Cores. Tiles are numbered so that neighbours in time share operands: columns within groups of kTileGroup rows.
constexpr int kTileGroup = 8;
struct MmaParams {
  GemmParams product;
  SplitParams split;
  int32_t row_tiles = 0, column_tiles = 0;
  int32_t c_vectors = 0, d_vectors = 0, e_vectors = 0;  // rows may be read and written in vectors of 16 bytes
};

// A product of integers or complex numbers.
struct PlainProductParams {
  GemmParams product;
  int32_t dtype = 0, conjugates = 0;  // conjugates: a
  int64_t whole_alpha = 1, whole_beta = 1;
  double alpha_im = 0, beta_im = 0;
};

// A product with at most eight rows.
struct GemvParams {
  GemmParams product;
  SplitParams split;
  int32_t vectors = 0;  // rows of a and columns of b are vectors of 16 bytes along the depth
};

// A CUtensorMap: what the copy engine knows of matrices.
struct alignas(64) TensorMap {
  uint64_t words[16] = {};
};

// Tiles of products on Hopper (gemm_wgmma.cuh): `matrices` of them, each of so many tiles, with so many steps of 128 bytes of depth.
struct WgmmaParams {
  uint32_t matrices = 1, row_tiles = 0, column_tiles = 0, steps = 0;
  uint32_t a_matrices = 0, b_matrices = 0;  // operands have a matrix for each; else one for all
};
// Their shared memory: stages of operands, which begin at 1024 bytes, sums on their way out, barriers.
constexpr uint32_t kWgmmaStageBytes = 192 << 10, kWgmmaOutBytes = 18 << 10, kWgmmaBarrierBytes = 128;
constexpr uint32_t kWgmmaSharedBytes = 1024 + kWgmmaStageBytes + kWgmmaOutBytes + kWgmmaBarrierBytes;

}  // namespace torchscript::cuda
