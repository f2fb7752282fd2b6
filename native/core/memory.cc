#include "core/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "kernel.h"

namespace torchscript {
namespace {

// Below this malloc serves well; above it, page faults of fresh memory cost more than the work on it.
constexpr size_t kCacheFrom = 64 << 10;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kLargestRequest = size_t{1} << 46;
constexpr int64_t kCacheLimit = int64_t{1} << 30;

std::atomic<int64_t> live_bytes{0}, cached_bytes{0}, peak_bytes{0}, packed_bytes{0};

// Leaked on purpose: storages may be freed while the process ends.
struct Cache {
  std::mutex mutex;
  std::unordered_map<size_t, std::vector<void*>> blocks;
};
Cache& cache() {
  static Cache* instance = new Cache;
  return *instance;
}

// Sizes are rounded so that near-equal requests share blocks: to 1/8 of the power of two below, at least a cache line.
size_t rounded(size_t bytes) {
  if (bytes < kCacheFrom) return std::max(kAlignment, (bytes + kAlignment - 1) & ~(kAlignment - 1));
  size_t step = kAlignment;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) & ~(step - 1);
}

void* system_allocate(size_t bytes) {
  if (bytes < kHugePage) return std::aligned_alloc(kAlignment, bytes);
  // Over-allocate to align to a huge page, then give the ends back.
  size_t total = ((bytes + 4095) & ~size_t{4095}) + kHugePage;
  void* raw = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(raw);
  char* aligned = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(begin) + kHugePage - 1) & ~(kHugePage - 1));
  size_t used = (bytes + 4095) & ~size_t{4095};
  if (aligned > begin) munmap(begin, static_cast<size_t>(aligned - begin));
  char* end = begin + total;
  if (end > aligned + used) munmap(aligned + used, static_cast<size_t>(end - (aligned + used)));
#ifdef MADV_HUGEPAGE
  madvise(aligned, used, MADV_HUGEPAGE);
#endif
  return aligned;
}

void system_free(void* block, size_t bytes) {
  if (bytes < kHugePage) std::free(block);
  else munmap(block, (bytes + 4095) & ~size_t{4095});
}

}  // namespace

void* allocate_block(size_t bytes) {
  if (bytes > kLargestRequest) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  size_t size = rounded(bytes);
  void* block = nullptr;
  if (size >= kCacheFrom) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    auto found = c.blocks.find(size);
    if (found != c.blocks.end() && !found->second.empty()) {
      block = found->second.back();
      found->second.pop_back();
      cached_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    }
  }
  if (!block) block = system_allocate(size);
  if (!block) {
    release_cached_blocks();
    block = system_allocate(size);
  }
  if (!block) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  int64_t live = live_bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed) + static_cast<int64_t>(size);
  int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {}
  return block;
}

void free_block(void* block, size_t bytes) noexcept {
  size_t size = rounded(bytes);
  live_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
  if (size >= kCacheFrom && cached_bytes.load(std::memory_order_relaxed) + static_cast<int64_t>(size) <= kCacheLimit) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    try {
      c.blocks[size].push_back(block);
      cached_bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
      return;
    } catch (...) {
    }
  }
  system_free(block, size);
}

void release_cached_blocks() noexcept {
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  for (auto& [size, blocks] : c.blocks) {
    for (void* block : blocks) {
      system_free(block, size);
      cached_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    }
    blocks.clear();
  }
}

MemoryCounters memory_counters() {
  MemoryCounters counters;
  counters.live_bytes = live_bytes.load(std::memory_order_relaxed);
  counters.cached_bytes = cached_bytes.load(std::memory_order_relaxed);
  counters.peak_bytes = peak_bytes.load(std::memory_order_relaxed);
  counters.packed_bytes = packed_bytes.load(std::memory_order_relaxed);
  return counters;
}

void count_packed_bytes(int64_t delta) { packed_bytes.fetch_add(delta, std::memory_order_relaxed); }

}  // namespace torchscript
