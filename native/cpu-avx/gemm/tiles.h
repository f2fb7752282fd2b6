// Inner kernels of matrix multiplication, float and double, one table an instruction set.
//
// A tile computes C[m][n] = alpha * sum_k A[m][k] * B[k][n] (+ C) (+ bias) (+ residual), then the activation, for m <= mr rows and n <= nr
// columns, in registers: 14x32 float on AVX-512 (28 accumulators, 2 vectors of B, A by embedded broadcast), 6x16 on AVX2 (12
// accumulators, 2 of B, 1-2 broadcasts), halves of that in columns for double. Accumulation is in the element type.
//
// Packed forms: a panel of B is [k][nr] with zeros past the matrix' last column; a panel of A is [k][mr]. Panels follow each
// other, so that panel p of a packed B with K rows starts at p * K * nr.
#pragma once
#include "kernel.h"

namespace torchscript {

// Relu and Relu6 are done on the registers of a tile, the rest on the tile just stored. NaN passes through all of them.
enum class Activation : int32_t { None = 0, Relu, Relu6, Hardswish, Hardsigmoid, Silu, Sigmoid, Tanh, Gelu, GeluTanh };

template <class T> struct Tile {
  const T* a;        // A panel [k][mr], or rows in place
  int64_t a_stride;  // rows in place: elements from row to row; a panel: to the panel of the next of `tiles`
  const T* b;        // first row of B
  int64_t b_stride;  // elements from row k to k + 1; nr elements of a row must be readable (nr / 2 when n <= nr / 2)
  int64_t k;
  T* c;
  int64_t c_stride;
  int m, n;
  bool accumulate;  // add to what C holds
  T alpha;
  const T* bias_n;              // per column, or null
  const T* bias_m;              // per row, or null
  const T* residual = nullptr;  // [m][n], added before the activation, or null
  int64_t residual_stride = 0;
  Activation activation;
  const char* prefetch;  // memory to bring into the second-level cache, prefetch_step bytes each step of k, or null
  int64_t prefetch_step = 64;
  int tiles = 1;              // as many, one under another: a, c, bias_m, residual and prefetch go on
  int prefetching = 1 << 30;  // of them, those that prefetch
};

// A tile of one of the products of gemm/strassen.h, rows of A in place. Buffers are [rows][nr].
struct ProductTile : Tile<float> {
  const float* b_minus = nullptr;  // B is b - b_minus, which is put to b_kept, all [k][nr]; or null, and B is b
  float* b_kept = nullptr;
  const char* next_a = nullptr;  // the rows of the next tile, prefetched by next_step bytes each step of k, or null
  int64_t next_step = 0;
  float* to = nullptr;  // sum (+ to_plus), or null
  const float* to_plus = nullptr;
  const float* plus = nullptr;  // added to what goes to C, which may be null; `finite` turns false where that sum is not
  bool* finite = nullptr;
};

template <class T> struct TileKernels {
  int mr, nr;
  int kc;            // rows of B worth blocking for
  const char* name;  // of the inner kernel
  const char* gemv_name;
  void (*tile_packed)(const Tile<T>& tile);
  void (*tile_rows)(const Tile<T>& tile);
  void (*tile_product)(const ProductTile& tile);  // float alone
  // One row of A against one packed panel, with several chains of accumulators.
  void (*gemv_panel)(const T* a, const T* panel, int64_t k, T* out, int n, T alpha, bool accumulate, const T* bias, const T* residual,
                     Activation activation);
  // out[i] = alpha * dot(rows[i], x) + (accumulate ? out[i] : 0), rows contiguous.
  void (*dot_rows)(const T* rows, int64_t row_stride, int64_t nrows, const T* x, int64_t k, T* out, int64_t out_stride, T alpha,
                   bool accumulate);
  // Packs k rows and n <= nr columns of a strided matrix into one zero-padded panel of B.
  void (*pack_b)(const T* b, int64_t row_stride, int64_t col_stride, int64_t k, int n, T* panel);
  // Packs m <= mr rows and k columns into one panel of A; rows past m are zero.
  void (*pack_a)(const T* a, int64_t row_stride, int64_t col_stride, int m, int64_t k, T* panel);
  // c = activation(c + residual) for rows of n elements; residual may be null.
  void (*epilogue)(T* c, int64_t c_stride, const T* residual, int64_t residual_stride, int64_t rows, int64_t n, Activation activation);
};

struct GemmTable {
  TileKernels<float> f32;
  TileKernels<double> f64;
};

TS_ISA_TABLE(GemmTable, gemm_table);

template <class T> inline const TileKernels<T>& tile_kernels();
template <> inline const TileKernels<float>& tile_kernels<float>() { return gemm_table().f32; }
template <> inline const TileKernels<double>& tile_kernels<double>() { return gemm_table().f64; }

}  // namespace torchscript
