// Products of float16 and bfloat16 matrices with Hopper's wgmma: one warp has the copy engine fetch tiles some steps ahead, two warpgroups multiply 64 rows
// each of a tile of 128 x 128 or 128 x 256. Rows of a and columns of b are dense along the depth. Not emulated, and not used unless
// TORCHSCRIPT_CUDA_WGMMA=1.
// kernel: cpu-avx/matmul_half
// archs: sm_90a
#if !defined(TS_CUDA_EMULATED)
#include "cuda/kernels/gemm_mma.cuh"
#include "cuda/kernels/wgmma.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kRows = 128, kDepth = 64, kStages = 4;

template <class T, int kColumns> TS_DEVICE void gemm_wgmma(const TensorMap& a_map, const TensorMap& b_map, const MmaParams& p) {
  constexpr uint32_t kABytes = kRows * kDepth * 2, kBBytes = kColumns * kDepth * 2;
  constexpr int kChunk = 64, kOutPitch = kChunk + 8;
  static_assert(8 * 16 * kOutPitch * 4 <= kStages * (kABytes + kBBytes));
  __shared__ uint64_t filled[kStages], emptied[kStages];
  TS_DYNAMIC_SHARED(char, shared);
  const uint32_t begin = shared_place(shared), base = (begin + 1023u) & ~1023u;
  const auto a_tile = [&](int stage) { return base + static_cast<uint32_t>(stage) * kABytes; };
  const auto b_tile = [&](int stage) { return base + kStages * kABytes + static_cast<uint32_t>(stage) * kBBytes; };
  const GemmParams& g = p.product;
  const int group = static_cast<int>(threadIdx.x) / 128, steps = (g.k + kDepth - 1) / kDepth;
  int row, column;
  tile_of(blockIdx.x, p.row_tiles, p.column_tiles, &row, &column);
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; s++) {
      barrier_begin(shared_place(&filled[s]), 1);
      barrier_begin(shared_place(&emptied[s]), 2);
    }
    barriers_begun();
  }
  __syncthreads();
  if (group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 0) {
      prefetch_map(&a_map);
      prefetch_map(&b_map);
      for (int step = 0; step < steps; step++) {
        const int stage = step % kStages, turn = step / kStages;
        if (turn > 0) barrier_wait(shared_place(&emptied[stage]), static_cast<uint32_t>(turn - 1) & 1);
        const uint32_t barrier = shared_place(&filled[stage]);
        barrier_expect(barrier, kABytes + kBBytes);
        fetch_box(a_tile(stage), &a_map, barrier, step * kDepth, row * kRows);
        fetch_box(b_tile(stage), &b_map, barrier, step * kDepth, column * kColumns);
      }
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    const int half = group - 1;
    float d[kColumns / 2];
#pragma unroll
    for (int i = 0; i < kColumns / 2; i++) d[i] = 0;
    hold_sums(d);
    for (int step = 0; step < steps; step++) {
      const int stage = step % kStages;
      barrier_wait(shared_place(&filled[stage]), static_cast<uint32_t>(step / kStages) & 1);
      // 64 rows of 128 bytes are 8 KiB.
      const uint64_t a = matrix_descriptor(a_tile(stage) + static_cast<uint32_t>(half) * 8192), b = matrix_descriptor(b_tile(stage));
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < kDepth / 16; k++) wgmma(static_cast<T*>(nullptr), d, a + static_cast<uint64_t>(k * 2), b + static_cast<uint64_t>(k * 2), step > 0 || k > 0);
      wgmma_commit();
      // The products of the step before are done, and so is its stage.
      wgmma_wait<1>();
      if (step > 0 && threadIdx.x % 128 == 0) barrier_arrive(shared_place(&emptied[(step - 1) % kStages]));
    }
    wgmma_wait<0>();
    hold_sums(d);
    // The two warpgroups are done with the operands: sums leave through their memory. A warp has 16 rows.
    asm volatile("bar.sync 1, 256;" ::: "memory");
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32 - 4;
    float* const slots = reinterpret_cast<float*>(shared + (base - begin)) + warp * 16 * kOutPitch;
    const ProductOut<T> out = {p, static_cast<T*>(g.c), static_cast<const T*>(g.d), static_cast<const T*>(g.e), row * kRows, column * kColumns};
#pragma unroll
    for (int chunk = 0; chunk < kColumns / kChunk; chunk++) {
#pragma unroll
      for (int j = 0; j < kChunk / 8; j++) {
        const int at = (chunk * (kChunk / 8) + j) * 4;
        float* const to = slots + lane / 4 * kOutPitch + j * 8 + lane % 4 * 2;
        to[0] = d[at];
        to[1] = d[at + 1];
        to[8 * kOutPitch] = d[at + 2];
        to[8 * kOutPitch + 1] = d[at + 3];
      }
      hand_out_strip<kChunk, kOutPitch>(slots, warp * 16, chunk * kChunk, out);
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(384, 1, gemm_wgmma_f16_128x128, const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ MmaParams p) {
  gemm_wgmma<Half, 128>(a, b, p);
}
TS_GLOBAL_BOUNDS(384, 1, gemm_wgmma_f16_128x256, const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ MmaParams p) {
  gemm_wgmma<Half, 256>(a, b, p);
}
TS_GLOBAL_BOUNDS(384, 1, gemm_wgmma_bf16_128x128, const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ MmaParams p) {
  gemm_wgmma<BFloat, 128>(a, b, p);
}
TS_GLOBAL_BOUNDS(384, 1, gemm_wgmma_bf16_128x256, const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ MmaParams p) {
  gemm_wgmma<BFloat, 256>(a, b, p);
}
#endif
