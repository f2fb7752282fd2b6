// Hopper's asynchronous instructions, after the PTX ISA (8.x: 5.5 tensors, 9.7.13.15 mbarrier, 9.7.15 wgmma): barriers in shared memory that count bytes,
// tiles that the copy engine fetches, products of a warpgroup. What they do is done when nothing else can go on or at once, by turns of blocks: copies
// that arrive as late as can be with operands that are read as early as can be, and the other way round. Sums reach registers at a wait. Shared memory is
// there twice: the copy engine and the products see what threads have written after fence.proxy.async.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emulation {

// ---- for kernels
// The address of dynamic shared memory as instructions take it.
uint32_t shared_place(const void* p);

void mbarrier_init(uint32_t barrier, uint32_t count);
void fence_mbarrier_init();
void fence_proxy_async();
void mbarrier_arrive(uint32_t barrier);
void mbarrier_arrive_expect_tx(uint32_t barrier, uint32_t bytes);
void mbarrier_wait_parity(uint32_t barrier, uint32_t parity);

// cp.async.bulk.tensor in the tile mode; `at` begins with the innermost dimension.
void bulk_tensor(uint32_t to, const void* map, uint32_t barrier, const int32_t* at, int dimensions);

// `instruction` is wgmma.mma_async.sync.aligned and so on as it stands in the kernel's text, `immediates` what follows scale-d there.
void wgmma(const char* instruction, const char* immediates, void* d, int registers, uint64_t a, uint64_t b, bool adds);
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(int left);
void setmaxnreg(const char* action, int registers);

// ---- for the emulator
void begin_asynchronous(const char* window, char* shared, size_t bytes);
// Lets one thing happen that is under way. False: there is none.
bool asynchronous_progress();
void end_asynchronous();

// cuTensorMapEncodeTiled: false where its arguments are not what it takes.
bool encode_tensor_map(void* map, int dtype, unsigned rank, void* address, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                       const uint32_t* element_strides, int interleave, int swizzle, int promotion, int fill);

}  // namespace emulation
