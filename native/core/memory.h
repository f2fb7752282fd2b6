// Blocks of memory for storages, arenas and packed weights.
#pragma once
#include <cstddef>
#include <cstdint>

namespace torchscript {

constexpr size_t kAlignment = 64;

// A 64-byte aligned block of at least `bytes`; large blocks come from a cache of freed ones, on huge pages where the system
// gives them. Throws OperatorError when memory cannot be had. Contents are undefined.
void* allocate_block(size_t bytes);
// `bytes` is what allocate_block was asked for.
void free_block(void* block, size_t bytes) noexcept;
// Memory that is written once and kept, such as packed weights: on huge pages, and what is large goes back to the system when it is freed. The
// first touch of huge pages may take longer, once; on ordinary ones every pass over them does. Throws as allocate_block.
void* allocate_lasting(size_t bytes);
// Whether the system has huge pages for it.
bool has_huge_pages();
void free_lasting(void* block, size_t bytes) noexcept;
// Addresses for a block that has no memory yet: touching it is an error of the process until commit_block. Throws as allocate_block.
void* reserve_block(size_t bytes);
// Gives it memory, which is zero.
void commit_block(void* block, size_t bytes);
// Takes it away again.
void decommit_block(void* block, size_t bytes) noexcept;
void free_reserved_block(void* block, size_t bytes, bool committed) noexcept;
// Gives cached blocks back to the system: of all sizes, or only those that hold much.
void release_cached_blocks(size_t least = 1) noexcept;

struct MemoryCounters {
  int64_t live_bytes = 0;
  int64_t cached_bytes = 0;
  int64_t peak_bytes = 0;
  int64_t packed_bytes = 0;
};
MemoryCounters memory_counters();
void count_packed_bytes(int64_t delta);

// The same on a device, or on the CPU where `device` is kCpuDevice.
void* allocate_on(int device, size_t bytes);
void free_on(int device, void* block, size_t bytes) noexcept;

// An owned block.
class Block {
 public:
  Block() = default;
  explicit Block(size_t bytes) : data_(allocate_block(bytes)), bytes_(bytes) {}
  Block(size_t bytes, int device) : data_(allocate_on(device, bytes)), bytes_(bytes), device_(device) {}
  Block(Block&& o) noexcept : data_(o.data_), bytes_(o.bytes_), device_(o.device_) { o.data_ = nullptr; }
  Block& operator=(Block&& o) noexcept {
    if (this != &o) {
      reset();
      data_ = o.data_;
      bytes_ = o.bytes_;
      device_ = o.device_;
      o.data_ = nullptr;
    }
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { reset(); }
  void reset() noexcept {
    if (data_) free_on(device_, data_, bytes_);
    data_ = nullptr;
  }
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  int device() const { return device_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
  int device_ = -1;
};

}  // namespace torchscript
