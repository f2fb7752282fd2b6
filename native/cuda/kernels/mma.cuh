// Tensor Cores, loads of their operands, and copies into shared memory that go on in the background. Each has a host version, which does what the
// instruction does lane by lane (test/cuda/emulation/fragments.h). compute_80 has them all; below it copies are made at once, halves are multiplied
// 8 deep and bytes 8 x 8 x 16.
#pragma once
#include "cuda/kernels/prelude.cuh"
#if defined(TS_CUDA_EMULATED)
#include "fragments.h"
#endif

// Whether the chip is older than Ampere. The emulator has each file of kernels for one.
#if defined(TS_CUDA_EMULATED)
#if TS_CUDA_CHIP < 80
#define TS_MMA_TURING
#endif
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define TS_MMA_TURING
#endif

namespace torchscript::cuda {

// float32 of which the Tensor Cores see the sign, the exponent and ten bits.
struct Tf32 {
  float value;
  Tf32() = default;
  TS_DEVICE explicit Tf32(float x) : value(x) {}
  TS_DEVICE operator float() const { return value; }
};

// What products of elements are summed in. Bytes of a are signed (int8_t) or not (uint8_t), those of b are signed.
template <class T> struct MmaSum { using type = float; };
template <> struct MmaSum<int8_t> { using type = int32_t; };
template <> struct MmaSum<uint8_t> { using type = int32_t; };

#if defined(TS_CUDA_EMULATED)

// Four matrices of 8 rows of 16 bytes: lane 8 i + r brings the address of row r of matrix i, and gets four neighbouring bytes of a row of each;
// transposed: two 16-bit elements below one another.
template <bool kTransposed> TS_DEVICE void load_matrices(uint32_t (&to)[4], const void* row) {
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

TS_DEVICE uint32_t to_tf32(uint32_t bits) {
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits;
  return (bits + 0x1000u) & ~0x1fffu;
}

template <class E> TS_DEVICE E element_at(const char* at) {
  E e;
  memcpy(&e, at, sizeof e);
  return e;
}

#if defined(TS_MMA_TURING)
// mma.m16n8k8 and mma.m8n8k16.
TS_DEVICE void multiply_add_halves(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t b) {
  const uint32_t mine[3] = {a0, a1, b};
  const auto all = ::emulation::exchange(0xffffffffu, mine, sizeof mine);
  const auto of = [&](const char* at) { return static_cast<float>(element_at<Half>(at)); };
  ::emulation::multiply_fragments<::emulation::M16N8K8>(c, all, ::emulation::lane(), of, of);
}
template <class T> TS_DEVICE void multiply_add_bytes(int32_t& c0, int32_t& c1, uint32_t a, uint32_t b) {
  const uint32_t mine[2] = {a, b};
  const auto all = ::emulation::exchange(0xffffffffu, mine, sizeof mine);
  const auto of_a = [&](const char* at) { return static_cast<int32_t>(element_at<T>(at)); };
  const auto of_b = [&](const char* at) { return static_cast<int32_t>(element_at<int8_t>(at)); };
  int32_t c[2] = {c0, c1};
  ::emulation::multiply_fragments<::emulation::M8N8K16>(c, all, ::emulation::lane(), of_a, of_b);
  c0 = c[0], c1 = c[1];
}
#else
// c += a b of 16 rows, 32 bytes of depth and 8 columns.
template <class T> TS_DEVICE void multiply_add(typename MmaSum<T>::type (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const auto all = ::emulation::exchange(0xffffffffu, mine, sizeof mine);
  const int lane = ::emulation::lane();
  if constexpr (sizeof(T) == 1) {
    const auto of_a = [&](const char* at) { return static_cast<int32_t>(element_at<T>(at)); };
    const auto of_b = [&](const char* at) { return static_cast<int32_t>(element_at<int8_t>(at)); };
    ::emulation::multiply_fragments<::emulation::M16N8K32>(c, all, lane, of_a, of_b);
  } else if constexpr (sizeof(T) == 2) {
    const auto of = [&](const char* at) { return static_cast<float>(element_at<T>(at)); };
    ::emulation::multiply_fragments<::emulation::M16N8K16>(c, all, lane, of, of);
  } else {
    const auto of = [&](const char* at) { return __uint_as_float(to_tf32(element_at<uint32_t>(at))); };
    ::emulation::multiply_fragments<::emulation::M16N8K8Wide>(c, all, lane, of, of);
  }
}

// 16 bytes, of which `valid` are read and the others are zero.
TS_DEVICE void copy_async(void* to, const void* from, int valid) { ::emulation::async_copy(to, from, 16, static_cast<size_t>(valid)); }
TS_DEVICE void commit_copies() { ::emulation::async_commit(); }
template <int kLeft> TS_DEVICE void wait_copies() { ::emulation::async_wait(kLeft); }
#endif

#else

TS_DEVICE uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

template <bool kTransposed> TS_DEVICE void load_matrices(uint32_t (&to)[4], const void* row) {
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

#define TS_MMA(shape, types, sum, constraint)                                                                                             \
  asm volatile("mma.sync.aligned." shape ".row.col." types " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"           \
               : constraint(c[0]), constraint(c[1]), constraint(c[2]), constraint(c[3])                                                  \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

#if !defined(TS_MMA_TURING)
TS_DEVICE void multiply_add_as(Half*, float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TS_MMA("m16n8k16", "f32.f16.f16.f32", float, "+f");
}
TS_DEVICE void multiply_add_as(BFloat*, float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TS_MMA("m16n8k16", "f32.bf16.bf16.f32", float, "+f");
}
TS_DEVICE uint32_t to_tf32(uint32_t bits) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
  return rounded;
}
TS_DEVICE void multiply_add_as(Tf32*, float (&c)[4], const uint32_t (&x)[4], const uint32_t (&y)[2]) {
  const uint32_t a[4] = {to_tf32(x[0]), to_tf32(x[1]), to_tf32(x[2]), to_tf32(x[3])}, b[2] = {to_tf32(y[0]), to_tf32(y[1])};
  TS_MMA("m16n8k8", "f32.tf32.tf32.f32", float, "+f");
}
TS_DEVICE void multiply_add_as(int8_t*, int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TS_MMA("m16n8k32", "s32.s8.s8.s32", int32_t, "+r");
}
TS_DEVICE void multiply_add_as(uint8_t*, int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TS_MMA("m16n8k32", "s32.u8.s8.s32", int32_t, "+r");
}

TS_DEVICE void copy_async(void* to, const void* from, int valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(valid) : "memory");
}
TS_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLeft> TS_DEVICE void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory"); }
#else
TS_DEVICE void multiply_add_halves(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t b) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a0), "r"(a1), "r"(b));
}
#define TS_MMA_8(types) \
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32." types ".s32 {%0, %1}, {%2}, {%3}, {%0, %1};" : "+r"(c0), "+r"(c1) : "r"(a), "r"(b))
template <class T> TS_DEVICE void multiply_add_bytes(int32_t& c0, int32_t& c1, uint32_t a, uint32_t b);
template <> TS_DEVICE void multiply_add_bytes<int8_t>(int32_t& c0, int32_t& c1, uint32_t a, uint32_t b) { TS_MMA_8("s8.s8"); }
template <> TS_DEVICE void multiply_add_bytes<uint8_t>(int32_t& c0, int32_t& c1, uint32_t a, uint32_t b) { TS_MMA_8("u8.s8"); }
#endif

#if !defined(TS_MMA_TURING)
template <class T> TS_DEVICE void multiply_add(typename MmaSum<T>::type (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  multiply_add_as(static_cast<T*>(nullptr), c, a, b);
}
#endif

#endif

#if defined(TS_MMA_TURING)
// c += a b of 16 rows, 32 bytes of depth and 8 columns: of halves the two halves of the depth one after the other, of bytes eight rows of each.
template <class T> TS_DEVICE void multiply_add(typename MmaSum<T>::type (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    if constexpr (sizeof(T) == 2) {
      multiply_add_halves(c, a[2 * h], a[2 * h + 1], b[h]);
    } else {
#pragma unroll
      for (int r = 0; r < 2; r++) multiply_add_bytes<T>(c[2 * r], c[2 * r + 1], a[2 * h + r], b[h]);
    }
  }
}

// 16 bytes, of which `valid` are read and the others are zero.
TS_DEVICE void copy_async(void* to, const void* from, int valid) {
  uint4 vector = make_uint4(0, 0, 0, 0);
  if (valid == 16) {
    vector = __ldg(static_cast<const uint4*>(from));
  } else if (valid > 0) {
    const auto* bytes = static_cast<const uint8_t*>(from);
    uint32_t words[4] = {};
#pragma unroll
    for (int i = 0; i < 16; i++)
      if (i < valid) words[i / 4] |= static_cast<uint32_t>(bytes[i]) << (i % 4 * 8);
    vector = make_uint4(words[0], words[1], words[2], words[3]);
  }
  *static_cast<uint4*>(to) = vector;
}
TS_DEVICE void commit_copies() {}
template <int kLeft> TS_DEVICE void wait_copies() {}
#endif

}  // namespace torchscript::cuda
