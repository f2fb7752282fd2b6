// Tensor Cores, loads of their operands, and copies into shared memory that go on in the background. Each has a host version, which does what the
// instruction does lane by lane. The instructions need compute_80.
#pragma once
#include "cuda/kernels/prelude.cuh"

namespace torchscript::cuda {

#if defined(TS_CUDA_EMULATED)

// Four matrices of 8 x 8 16-bit elements: lane 8 i + r brings the address of row r of matrix i, and gets two neighbours of a row of each.
template <bool kTransposed> TS_DEVICE void load_matrices(uint32_t (&to)[4], const uint16_t* row) {
  const auto rows = ::emulation::exchange(0xffffffffu, &row, sizeof row);
  const int lane = ::emulation::lane();
  for (int i = 0; i < 4; i++) {
    uint16_t pair[2];
    for (int e = 0; e < 2; e++) {
      const int r = kTransposed ? 2 * (lane % 4) + e : lane / 4, c = kTransposed ? lane / 4 : 2 * (lane % 4) + e;
      const uint16_t* from;
      memcpy(&from, rows[8 * i + r], sizeof from);
      pair[e] = from[c];
    }
    to[i] = pair[0] | static_cast<uint32_t>(pair[1]) << 16;
  }
}

// c += a b of 16 x 16, 16 x 8 and 16 x 8 elements.
template <class T> TS_DEVICE void multiply_add(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  struct {
    uint32_t a[4], b[2];
  } mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}}, other;
  const auto all = ::emulation::exchange(0xffffffffu, &mine, sizeof mine);
  const auto element = [](uint32_t pair, int k) {
    T value;
    value.bits = static_cast<uint16_t>(k % 2 ? pair >> 16 : pair);
    return static_cast<float>(value);
  };
  const int lane = ::emulation::lane();
  for (int i = 0; i < 4; i++) {
    const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; k++) {
      memcpy(&other, all[row % 8 * 4 + k % 8 / 2], sizeof other);
      const float x = element(other.a[row / 8 + k / 8 * 2], k);
      memcpy(&other, all[column * 4 + k % 8 / 2], sizeof other);
      c[i] += x * element(other.b[k / 8], k);
    }
  }
}

// 16 bytes, of which `valid` are read and the others are zero.
TS_DEVICE void copy_async(void* to, const void* from, int valid) { ::emulation::async_copy(to, from, 16, static_cast<size_t>(valid)); }
TS_DEVICE void commit_copies() { ::emulation::async_commit(); }
template <int kLeft> TS_DEVICE void wait_copies() { ::emulation::async_wait(kLeft); }

#else

TS_DEVICE uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

template <bool kTransposed> TS_DEVICE void load_matrices(uint32_t (&to)[4], const uint16_t* row) {
  if constexpr (kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
}

template <class T> struct IsBFloat { static constexpr bool value = false; };
template <> struct IsBFloat<BFloat> { static constexpr bool value = true; };

template <class T> TS_DEVICE void multiply_add(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (IsBFloat<T>::value)
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

TS_DEVICE void copy_async(void* to, const void* from, int valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(valid) : "memory");
}
TS_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLeft> TS_DEVICE void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory"); }

#endif

}  // namespace torchscript::cuda
