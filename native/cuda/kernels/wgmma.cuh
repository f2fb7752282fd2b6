// Hopper's own instructions: barriers in shared memory that count bytes, the copy engine for tiles (TMA), and products of a warpgroup (wgmma). The host
// version (test/cuda/emulation/hopper.h) is given the same operands and the text of each product's instruction.
#pragma once
#include "cuda/kernels/mma.cuh"
#if defined(TS_CUDA_EMULATED)
#include "hopper.h"
#endif

namespace torchscript::cuda {

#if defined(TS_CUDA_EMULATED)

TS_DEVICE uint32_t shared_place(const void* p) { return ::emulation::shared_place(p); }
TS_DEVICE void barrier_begin(uint32_t barrier, uint32_t count) { ::emulation::mbarrier_init(barrier, count); }
TS_DEVICE void barriers_begun() {
  ::emulation::fence_mbarrier_init();
  ::emulation::fence_proxy_async();
}
TS_DEVICE void barrier_arrive(uint32_t barrier) { ::emulation::mbarrier_arrive(barrier); }
TS_DEVICE void barrier_expect(uint32_t barrier, uint32_t bytes) { ::emulation::mbarrier_arrive_expect_tx(barrier, bytes); }
TS_DEVICE void barrier_wait(uint32_t barrier, uint32_t parity) { ::emulation::mbarrier_wait_parity(barrier, parity); }
TS_DEVICE void fetch_box(uint32_t to, const void* map, uint32_t barrier, int32_t x, int32_t y, int32_t z) {
  const int32_t at[3] = {x, y, z};
  ::emulation::bulk_tensor(to, map, barrier, at, 3);
}
TS_DEVICE void fetch_box(uint32_t to, const void* map, uint32_t barrier, int32_t x, int32_t y, int32_t z, int32_t w) {
  const int32_t at[4] = {x, y, z, w};
  ::emulation::bulk_tensor(to, map, barrier, at, 4);
}
TS_DEVICE void prefetch_map(const void*) {}
template <int kCount> TS_DEVICE void more_registers() { ::emulation::setmaxnreg("inc", kCount); }
template <int kCount> TS_DEVICE void fewer_registers() { ::emulation::setmaxnreg("dec", kCount); }
TS_DEVICE void wgmma_fence() { ::emulation::wgmma_fence(); }
TS_DEVICE void wgmma_commit() { ::emulation::wgmma_commit(); }
template <int kLeft> TS_DEVICE void wgmma_wait() { ::emulation::wgmma_wait(kLeft); }
template <class Sum, int kCount> TS_DEVICE void hold_sums(Sum (&)[kCount]) {}

#define TS_WGMMA_64(text, immediates, constraint) ::emulation::wgmma("wgmma.mma_async.sync.aligned.m64n128" text, immediates, d, 64, a, b, adds != 0)
#define TS_WGMMA_128(text, immediates, constraint) ::emulation::wgmma("wgmma.mma_async.sync.aligned.m64n256" text, immediates, d, 128, a, b, adds != 0)

#else

TS_DEVICE uint32_t shared_place(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

TS_DEVICE void barrier_begin(uint32_t barrier, uint32_t count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count) : "memory"); }
// What was begun is seen by the copy engine.
TS_DEVICE void barriers_begun() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
TS_DEVICE void barrier_arrive(uint32_t barrier) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory"); }
TS_DEVICE void barrier_expect(uint32_t barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
// Waits for the end of the phase of this parity.
TS_DEVICE void barrier_wait(uint32_t barrier, uint32_t parity) {
  uint32_t done;
  do {
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(done)
                 : "r"(barrier), "r"(parity)
                 : "memory");
  } while (done == 0);
}

// A box of a tensor of three or four dimensions, of which `x` is the innermost, from there on; places outside it are zeros. The barrier counts its bytes.
TS_DEVICE void fetch_box(uint32_t to, const void* map, uint32_t barrier, int32_t x, int32_t y, int32_t z) {
  asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to), "l"(map), "r"(barrier),
               "r"(x), "r"(y), "r"(z)
               : "memory");
}
TS_DEVICE void fetch_box(uint32_t to, const void* map, uint32_t barrier, int32_t x, int32_t y, int32_t z, int32_t w) {
  asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to), "l"(map),
               "r"(barrier), "r"(x), "r"(y), "r"(z), "r"(w)
               : "memory");
}
TS_DEVICE void prefetch_map(const void* map) { asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory"); }

template <int kCount> TS_DEVICE void more_registers() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount)); }
template <int kCount> TS_DEVICE void fewer_registers() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount)); }

TS_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
TS_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kLeft> TS_DEVICE void wgmma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory"); }
// Sums are in flight until a wait: the compiler neither reads nor moves them across this.
template <int kCount> TS_DEVICE void hold_sums(float (&d)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; i++) asm volatile("" : "+f"(d[i])::"memory");
}
template <int kCount> TS_DEVICE void hold_sums(int32_t (&d)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; i++) asm volatile("" : "+r"(d[i])::"memory");
}

// Registers and sums of the first 128 columns, and of the 128 after them.
#define TS_WGMMA_REGISTERS \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TS_WGMMA_MORE_REGISTERS \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define TS_WGMMA_8(c, i) c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3]), c(d[i + 4]), c(d[i + 5]), c(d[i + 6]), c(d[i + 7])
#define TS_WGMMA_SUMS(c, i) \
  TS_WGMMA_8(c, i), TS_WGMMA_8(c, i + 8), TS_WGMMA_8(c, i + 16), TS_WGMMA_8(c, i + 24), TS_WGMMA_8(c, i + 32), TS_WGMMA_8(c, i + 40), TS_WGMMA_8(c, i + 48), \
    TS_WGMMA_8(c, i + 56)

#define TS_WGMMA_64(text, immediates, constraint) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128" text " {" TS_WGMMA_REGISTERS "}, %64, %65, p" immediates "; }" \
               : TS_WGMMA_SUMS(constraint, 0) \
               : "l"(a), "l"(b), "r"(adds))
#define TS_WGMMA_128(text, immediates, constraint) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %130, 0; wgmma.mma_async.sync.aligned.m64n256" text " {" TS_WGMMA_REGISTERS ", " TS_WGMMA_MORE_REGISTERS \
               "}, %128, %129, p" immediates "; }" \
               : TS_WGMMA_SUMS(constraint, 0), TS_WGMMA_SUMS(constraint, 64) \
               : "l"(a), "l"(b), "r"(adds))

#endif

// Matrices in shared memory as boxes with the 128-byte swizzle lie: lines of 128 bytes whose 16-byte parts are swizzled over eight lines, eights of lines
// 1024 bytes apart. Bits: 0-13 address / 16, 16-29 leading offset / 16, 32-45 stride offset / 16, 62-63 swizzle 1.
//
// Lines are rows of a or columns of b, and go along the depth: the leading offset is of no use.
TS_DEVICE uint64_t depth_descriptor(uint32_t address) {
  return static_cast<uint64_t>((address & 0x3ffffu) >> 4) | uint64_t{1} << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}
// Lines are rows of b, in boxes of 64 columns, `apart` bytes from one to the next.
TS_DEVICE uint64_t rows_descriptor(uint32_t address, uint32_t apart) {
  return static_cast<uint64_t>((address & 0x3ffffu) >> 4) | static_cast<uint64_t>(apart >> 4) << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}

// d = a b, or d + a b where `adds`, of 64 rows, 32 bytes of depth and 128 or 256 columns. `kRowsOfB`: of b by rows (16-bit elements only).
#define TS_WGMMA_EITHER(text, immediates, constraint)                      \
  {                                                                        \
    if constexpr (kCount == 64) TS_WGMMA_64(text, immediates, constraint); \
    else TS_WGMMA_128(text, immediates, constraint);                       \
  }
template <class T, bool kRowsOfB> struct Wgmma;
template <> struct Wgmma<Half, false> {
  template <int kCount> TS_DEVICE static void add(float (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k16.f32.f16.f16", ", 1, 1, 0, 0", "+f")
};
template <> struct Wgmma<Half, true> {
  template <int kCount> TS_DEVICE static void add(float (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k16.f32.f16.f16", ", 1, 1, 0, 1", "+f")
};
template <> struct Wgmma<BFloat, false> {
  template <int kCount> TS_DEVICE static void add(float (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k16.f32.bf16.bf16", ", 1, 1, 0, 0", "+f")
};
template <> struct Wgmma<BFloat, true> {
  template <int kCount> TS_DEVICE static void add(float (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k16.f32.bf16.bf16", ", 1, 1, 0, 1", "+f")
};
template <> struct Wgmma<int8_t, false> {
  template <int kCount> TS_DEVICE static void add(int32_t (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k32.s32.s8.s8", "", "+r")
};
template <> struct Wgmma<uint8_t, false> {
  template <int kCount> TS_DEVICE static void add(int32_t (&d)[kCount], uint64_t a, uint64_t b, int32_t adds) TS_WGMMA_EITHER("k32.s32.u8.s8", "", "+r")
};

}  // namespace torchscript::cuda
