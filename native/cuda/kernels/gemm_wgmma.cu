// Products of float16 and bfloat16 matrices with Hopper's wgmma (gemm_wgmma.cuh). Rows of a are dense along the depth, b is by columns or by rows.
// kernel: cpu-avx/matmul_half
// archs: sm_90a
#include "cuda/kernels/gemm_mma.cuh"
#include "cuda/kernels/gemm_wgmma.cuh"

using namespace torchscript::cuda;

namespace {

template <class T, int kColumns, bool kRowsOfB> TS_DEVICE void gemm_wgmma(const TensorMap& a, const TensorMap& b, const WgmmaParams& w, const MmaParams& p) {
  using Tile = WgmmaTile<T, kColumns, kRowsOfB>;
  multiply_wgmma<Tile>(MatrixOperands<Tile>{a, b, w}, w, [&](uint32_t matrix, int row, int column) {
    const GemmParams& g = p.product;
    int64_t at[5];
    offsets_of<5>(g.batches, matrix, at);
    return ProductOut<T>{p, static_cast<T*>(g.c) + at[0], static_cast<const T*>(g.d) + (g.d ? at[3] : 0), static_cast<const T*>(g.e) + (g.e ? at[4] : 0), row * Tile::kRows,
                         column * kColumns};
  });
}

}  // namespace

// kernels: TS_GEMM_WGMMA gemm_wgmma_$2_128x$3_$4
#define TS_GEMM_WGMMA(T, label, columns, b_label, by_rows) TS_GLOBAL_BOUNDS(384, 1, gemm_wgmma_##label##_128x##columns##_##b_label, \
    const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ WgmmaParams w, const __grid_constant__ MmaParams p) { \
    gemm_wgmma<T, columns, by_rows>(a, b, w, p); \
  }
TS_GEMM_WGMMA(Half, f16, 128, columns, false)
TS_GEMM_WGMMA(Half, f16, 256, columns, false)
TS_GEMM_WGMMA(Half, f16, 128, rows, true)
TS_GEMM_WGMMA(Half, f16, 256, rows, true)
TS_GEMM_WGMMA(BFloat, bf16, 128, columns, false)
TS_GEMM_WGMMA(BFloat, bf16, 256, columns, false)
TS_GEMM_WGMMA(BFloat, bf16, 128, rows, true)
TS_GEMM_WGMMA(BFloat, bf16, 256, rows, true)
