// A product of matrices on Tensor Cores, with what follows it.
#pragma once
#include "cuda/kernels/mma_tiles.cuh"

namespace torchscript::cuda {

// activation(alpha sum + beta d + e) to c: elements of Out in memory.
template <class Out> struct ProductOut {
  const MmaParams& p;
  Out* c;
  const Out* d;
  const Out* e;
  int row0, column0;
  TS_DEVICE bool by_vectors() const { return p.product.c_col == 1; }
  TS_DEVICE void vector(int in_row, int in_column, float* slots) const {
    const GemmParams& g = p.product;
    const int row = row0 + in_row, column = column0 + in_column, n = g.n - column;
    if (row >= g.m || n <= 0) return;
    float x[8], y[8];
    take_eight(slots, x);
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] *= static_cast<float>(g.alpha);
    if (d) {
      load_eight(d + row * g.d_row + column * g.d_col, g.d_col, p.d_vectors != 0, n, y);
#pragma unroll
      for (int i = 0; i < 8; i++) x[i] += static_cast<float>(g.beta) * y[i];
    }
    if (e) {
      load_eight(e + row * g.e_row + column * g.e_col, g.e_col, p.e_vectors != 0, n, y);
#pragma unroll
      for (int i = 0; i < 8; i++) x[i] += y[i];
    }
    activate_eight(x, slots, g.activation);
    store_eight(c + row * g.c_row + column, p.c_vectors != 0, n, x);
  }
  TS_DEVICE void single(int in_row, int in_column, float sum) const {
    const GemmParams& g = p.product;
    const int row = row0 + in_row, column = column0 + in_column;
    if (row >= g.m || column >= g.n) return;
    float value = static_cast<float>(g.alpha) * sum;
    if (d) value += static_cast<float>(g.beta) * static_cast<float>(d[row * g.d_row + column * g.d_col]);
    if (e) value += static_cast<float>(e[row * g.e_row + column * g.e_col]);
    c[row * g.c_row + column * g.c_col] = Out(activated(value, g.activation));
  }
};

// blockIdx.x: a tile; blockIdx.z: a matrix of the batch, and a part of the depth.
template <class Tile, class Out> TS_DEVICE void gemm_mma(const MmaParams& p) {
  using T = typename Tile::T;
  TS_DYNAMIC_SHARED(char, shared);
  const GemmParams& g = p.product;
  int row, column;
  tile_of(blockIdx.x, p.row_tiles, p.column_tiles, &row, &column);
  const int steps = (g.k + Tile::kDepth - 1) / Tile::kDepth, splits = p.split.splits;
  const int split = static_cast<int>(blockIdx.z % static_cast<unsigned>(splits));
  const int first = static_cast<int>(static_cast<int64_t>(steps) * split / splits), last = static_cast<int>(static_cast<int64_t>(steps) * (split + 1) / splits);
  for (uint32_t z = blockIdx.z / static_cast<unsigned>(splits); z < g.batches.n; z += gridDim.z / static_cast<unsigned>(splits)) {
    int64_t at[5];
    offsets_of<5>(g.batches, z, at);
    DenseLines<T, Tile::kRows, Tile::kThreads> a;
    EitherB<Tile> b;
    const T* of_b = static_cast<const T*>(g.b) + at[2];
    a.begin(static_cast<const T*>(g.a) + at[1], g.a_row, row * Tile::kRows, g.m, g.k);
    b.by_rows = g.b_col == 1 && g.b_row != 1;
    if (b.by_rows) b.rows.begin(of_b, g.b_row, column * Tile::kColumns, g.n, g.k);
    else b.columns.begin(of_b, g.b_col, column * Tile::kColumns, g.n, g.k);
    typename Tile::Sums sums = {};
    Tile::multiply(shared, a, b, b.by_rows, first, last, sums);
    if (!gather<Tile>(p.split, z * gridDim.x + blockIdx.x, split, sums)) continue;
    const ProductOut<Out> out = {p, static_cast<Out*>(g.c) + at[0], static_cast<const Out*>(g.d) + (g.d ? at[3] : 0),
                                 static_cast<const Out*>(g.e) + (g.e ? at[4] : 0), row * Tile::kRows, column * Tile::kColumns};
    Tile::hand_out(shared, sums, out);
    __syncthreads();
  }
}

}  // namespace torchscript::cuda
