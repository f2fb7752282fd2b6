// Devices, their streams and their memory.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/driver.h"
#include "cuda/kernels/params_index.h"
#include "accelerator.h"

namespace torchscript::cuda {

// Freed blocks wait for the next request of their size class. Work on a device is in order, so that a block may be taken again while its
// last reader still runs.
class Allocator {
 public:
  explicit Allocator(int device) : device_(device) {}
  // Whether each request goes to the driver with its own size, so that a checking driver sees accesses beyond the end.
  static bool is_exact();
  void* allocate(size_t bytes);
  // Memory that came from the driver in another way. `make` asks for it, and is asked again after cached blocks were given back.
  void map(size_t bytes, const std::function<Result()>& make);
  void unmapped(size_t bytes);
  void release(void* block, size_t bytes) noexcept;
  void release_cached();
  DeviceMemoryCounters counters();
  void reset_peak();

 private:
  static constexpr int kClasses = 8 * 48;
  void release_cached_locked();
  [[noreturn]] void out_of_memory(size_t bytes, size_t live, size_t cached);

  const int device_;
  std::mutex mutex_;
  std::vector<DevicePointer> blocks_[kClasses];
  DeviceMemoryCounters counters_;
};

// Pinned memory that copies pass through, so that the caller's memory is free when they return. Taken in a ring; a piece is used again when
// the copy that used it is done.
class Staging {
 public:
  // `pinned_bytes` counts the memory.
  explicit Staging(std::atomic<int64_t>& pinned_bytes) : pinned_bytes_(pinned_bytes) {}
  void copy_in(StreamHandle stream, DevicePointer to, const void* from, size_t bytes);
  void copy_out(StreamHandle stream, void* to, DevicePointer from, size_t bytes);

 private:
  static constexpr size_t kPiece = size_t{1} << 20;
  static constexpr int kPieces = 4;
  struct Piece {
    char* memory = nullptr;
    EventHandle done = nullptr;
    bool used = false;
  };
  Piece& next();
  std::atomic<int64_t>& pinned_bytes_;
  std::mutex mutex_;
  Piece pieces_[kPieces];
  int at_ = 0;
};

class ArenaMemory;

struct Context {
  int index = 0;
  Device device = 0;
  ContextHandle handle = nullptr;
  StreamHandle stream = nullptr;  // all work of the device
  DeviceProperties properties;
  std::unique_ptr<Allocator> allocator;
  ArenaMemory* arena = nullptr;  // null where there is none
  std::atomic<int64_t> pinned_bytes{0};
  Staging staging{pinned_bytes};
  Fault* fault = nullptr;  // what kernels have found wrong
  // Throws it, once.
  void check_fault();
  explicit Context(int index);
};

// The context of a device, made on first use; makes it current on this thread.
Context& enter(int device);
// After another context was made current on this thread.
void leave();
// Where work of this thread goes: the device's stream, or the capture that goes on.
StreamHandle current_stream(Context& context);
bool is_capturing();

}  // namespace torchscript::cuda
