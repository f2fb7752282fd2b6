#include "core/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "kernel.h"

namespace torchscript {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kReuse = false;  // reuse would hide accesses after the end of a block's life
#else
constexpr bool kReuse = true;
#endif

constexpr size_t kHugePage = 2 << 20;
constexpr size_t kLargestRequest = size_t{1} << 46;
constexpr int64_t kCacheLimit = int64_t{1} << 30;

std::atomic<int64_t> live_bytes{0}, cached_bytes{0}, peak_bytes{0}, packed_bytes{0};

// Sizes are rounded so that near-equal requests share blocks: to cache lines up to 1 KB, then to 1/8 of the power of two below.
constexpr size_t kFineLimit = 1024;
constexpr int kFineClasses = static_cast<int>(kFineLimit / kAlignment);  // 16
constexpr int kClasses = kFineClasses + 8 * 37;

struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass size_class(size_t bytes) {
  if (bytes <= kFineLimit) {
    size_t lines = bytes == 0 ? 1 : (bytes + kAlignment - 1) / kAlignment;
    return {static_cast<int>(lines) - 1, lines * kAlignment};
  }
  // 2^e < bytes <= 2^(e+1), in eighths of 2^e.
  int e = 63 - __builtin_clzll(bytes - 1);
  size_t step = size_t{1} << (e - 3);
  size_t eighths = (bytes - (size_t{1} << e) + step - 1) / step;  // 1 to 8
  return {kFineClasses + 8 * (e - 10) + static_cast<int>(eighths) - 1, (size_t{1} << e) + eighths * step};
}

// Freed blocks wait for the next request of their size: malloc costs more for small ones, and page faults of fresh memory more than the
// work on it for large ones. Leaked on purpose: storages may be freed while the process ends.
struct Cache {
  std::mutex mutex;
  std::vector<void*> blocks[kClasses];
};
Cache& cache() {
  static Cache* instance = new Cache;
  return *instance;
}

// Small blocks that the thread itself has freed: no lock.
struct Pocket {
  static constexpr int kKept = 32;  // of one size
  void* blocks[kFineClasses][kKept];
  int count[kFineClasses] = {};
  bool closed = false;
  ~Pocket() {
    for (int i = 0; i < kFineClasses; i++) {
      while (count[i] > 0) {
        std::free(blocks[i][--count[i]]);
        cached_bytes.fetch_sub(static_cast<int64_t>(kAlignment) * (i + 1), std::memory_order_relaxed);
      }
    }
    closed = true;  // what is freed later on this thread goes to the common cache
  }
};
Pocket& pocket() {
  static thread_local Pocket p;
  return p;
}

// Memory of its own from the system, at a multiple of `alignment`, of huge pages where the system has them.
void* map_aligned(size_t bytes, size_t alignment) {
  // Over-allocate to align, then give the ends back.
  size_t total = bytes + alignment;
  void* raw = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(raw);
  char* aligned = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(begin) + alignment - 1) & ~(alignment - 1));
  if (aligned > begin) munmap(begin, static_cast<size_t>(aligned - begin));
  char* end = begin + total;
  if (end > aligned + bytes) munmap(aligned + bytes, static_cast<size_t>(end - (aligned + bytes)));
#ifdef MADV_HUGEPAGE
  madvise(aligned, bytes, MADV_HUGEPAGE);
#endif
  return aligned;
}

// Blocks smaller than a huge page but larger than most small pages' worth share regions of huge pages: the weights of a network are read
// once a call, and a miss of the TLB for every 4 KB of them costs some per cent of it. A region goes back to the system when its last
// block does; until then what was freed in it gives its whole pages back, which splits a huge page. That is why memory that lasts has
// regions of its own.
constexpr size_t kRegion = 32 << 20;
constexpr size_t kSharedLimit = 16 << 10;
struct Region {
  size_t used, blocks;
};
struct Regions {
  std::mutex mutex;
  Region* open = nullptr;  // the one that takes more
};
enum class Life { Passing, Lasting };
Regions& regions(Life life) {
  static Regions* instances = new Regions[2];
  return instances[life == Life::Lasting];
}
bool in_region(size_t bytes) { return kReuse && bytes >= kSharedLimit && bytes < kHugePage; }

void* region_allocate(size_t bytes, Life life) {
  Regions& r = regions(life);
  std::lock_guard<std::mutex> lock(r.mutex);
  if (!r.open || r.open->used + bytes > kRegion) {
    auto* region = static_cast<Region*>(map_aligned(kRegion, kRegion));
    if (!region) return nullptr;
    *region = {kAlignment, 0};
    r.open = region;
  }
  char* block = reinterpret_cast<char*>(r.open) + r.open->used;
  // A line more, so that blocks begin at different places of a page.
  r.open->used += bytes + kAlignment;
  r.open->blocks++;
  return block;
}
void region_free(void* block, size_t bytes, Life life) {
  Regions& r = regions(life);
  std::lock_guard<std::mutex> lock(r.mutex);
  const uintptr_t at = reinterpret_cast<uintptr_t>(block);
  auto* region = reinterpret_cast<Region*>(at & ~(kRegion - 1));
  if (--region->blocks == 0) {
    if (region == r.open) r.open = nullptr;
    munmap(static_cast<void*>(region), kRegion);
    return;
  }
  const uintptr_t first = (at + 4095) & ~uintptr_t{4095}, last = (at + bytes) & ~uintptr_t{4095};
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

constexpr size_t whole_pages(size_t bytes) { return (bytes + 4095) & ~size_t{4095}; }

void* system_allocate(size_t bytes) {
  if (in_region(bytes)) return region_allocate(bytes, Life::Passing);
  return bytes < kHugePage ? std::aligned_alloc(kAlignment, bytes) : map_aligned(whole_pages(bytes), kHugePage);
}

void system_free(void* block, size_t bytes) {
  if (in_region(bytes)) region_free(block, bytes, Life::Passing);
  else if (bytes < kHugePage) std::free(block);
  else munmap(block, whole_pages(bytes));
}

void add_live(int64_t bytes) {
  int64_t live = live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
  }
}

}  // namespace

void* allocate_block(size_t bytes) {
  if (bytes > kLargestRequest) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  auto [index, size] = size_class(bytes);
  void* block = nullptr;
  if (index < kFineClasses) {
    Pocket& p = pocket();
    if (p.count[index] > 0) {
      block = p.blocks[index][--p.count[index]];
      cached_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    }
  }
  if (!block) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    std::vector<void*>& list = c.blocks[index];
    if (!list.empty()) {
      block = list.back();
      list.pop_back();
      cached_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    }
  }
  if (!block) block = system_allocate(size);
  if (!block) {
    release_cached_blocks();
    block = system_allocate(size);
  }
  if (!block) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  add_live(static_cast<int64_t>(size));
  return block;
}

void free_block(void* block, size_t bytes) noexcept {
  auto [index, size] = size_class(bytes);
  live_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
  if (kReuse && index < kFineClasses) {
    Pocket& p = pocket();
    if (!p.closed && p.count[index] < Pocket::kKept) {
      p.blocks[index][p.count[index]++] = block;
      cached_bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
      return;
    }
  }
  if (kReuse && cached_bytes.load(std::memory_order_relaxed) + static_cast<int64_t>(size) <= kCacheLimit) {
    Cache& c = cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    try {
      c.blocks[index].push_back(block);
      cached_bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
      return;
    } catch (...) {
    }
  }
  system_free(block, size);
}

namespace {

// What memory that lasts takes: no rounding to classes of sizes, since nobody asks for the block again.
constexpr size_t lasting_bytes(size_t bytes) {
  return bytes < kHugePage ? (bytes + kAlignment - 1) & ~(kAlignment - 1) : whole_pages(bytes);
}

}  // namespace

void* allocate_lasting(size_t bytes) {
  if (bytes < kSharedLimit) return allocate_block(bytes);
  const size_t size = lasting_bytes(bytes);
  void* block = nullptr;
  if (in_region(size)) block = region_allocate(size, Life::Lasting);
  else if (size < kHugePage) block = std::aligned_alloc(kAlignment, size);
  else if (bytes <= kLargestRequest) block = map_aligned(size, kHugePage);
  if (!block) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  add_live(static_cast<int64_t>(size));
  return block;
}

bool has_huge_pages() {
#ifdef MADV_HUGEPAGE
  static const bool known = [] {
    // `always [madvise] never`: what is in brackets holds.
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string setting;
    std::getline(file, setting);
    return setting.find('[') != std::string::npos && setting.find("[never]") == std::string::npos;
  }();
  return known;
#else
  return false;
#endif
}

void free_lasting(void* block, size_t bytes) noexcept {
  if (bytes < kSharedLimit) return free_block(block, bytes);
  const size_t size = lasting_bytes(bytes);
  if (in_region(size)) region_free(block, size, Life::Lasting);
  else if (size < kHugePage) std::free(block);
  else munmap(block, size);
  live_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
}

void* reserve_block(size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
  flags |= MAP_NORESERVE;
#endif
  void* block = bytes > kLargestRequest ? MAP_FAILED : mmap(nullptr, whole_pages(bytes), PROT_NONE, flags, -1, 0);
  if (block == MAP_FAILED) fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  return block;
}

void commit_block(void* block, size_t bytes) {
  if (mprotect(block, whole_pages(bytes), PROT_READ | PROT_WRITE) != 0)
    fail("DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  add_live(static_cast<int64_t>(whole_pages(bytes)));
}

void decommit_block(void* block, size_t bytes) noexcept {
  madvise(block, whole_pages(bytes), MADV_DONTNEED);
  mprotect(block, whole_pages(bytes), PROT_NONE);
  live_bytes.fetch_sub(static_cast<int64_t>(whole_pages(bytes)), std::memory_order_relaxed);
}

void free_reserved_block(void* block, size_t bytes, bool committed) noexcept {
  munmap(block, whole_pages(bytes));
  if (committed) live_bytes.fetch_sub(static_cast<int64_t>(whole_pages(bytes)), std::memory_order_relaxed);
}

void release_cached_blocks(size_t least) noexcept {
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  for (size_t bytes = least;;) {
    auto [index, size] = size_class(bytes);
    if (index >= kClasses || size > kLargestRequest) break;
    for (void* block : c.blocks[index]) {
      system_free(block, size);
      cached_bytes.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    }
    c.blocks[index].clear();
    bytes = size + 1;
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
