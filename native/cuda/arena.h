// The arena of a device (SharedArena): addresses for as much as the device has, with memory behind as many as the largest user wants. So its users'
// graphs keep their addresses when it grows.
#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "cuda/context.h"

namespace torchscript::cuda {

class ArenaMemory {
 public:
  // Null where the driver cannot.
  static std::unique_ptr<ArenaMemory> make(Context& context);
  std::unique_ptr<SharedArena> share();

 private:
  class User;
  struct Chunk {
    unsigned long long handle;
    size_t at, bytes;
  };
  ArenaMemory(Context& context, DevicePointer base, size_t reserved, size_t granularity)
      : context_(context), base_(base), reserved_(reserved), granularity_(granularity) {}
  // One user wants `after` bytes in place of `before`.
  void change(size_t before, size_t after);
  void map(size_t bytes);
  void trim() noexcept;

  Context& context_;
  const DevicePointer base_;
  const size_t reserved_, granularity_;
  std::mutex order_;
  std::mutex mutex_;  // of what follows
  std::multiset<size_t> wanted_;
  std::vector<Chunk> chunks_;
  size_t mapped_ = 0;
};

}  // namespace torchscript::cuda
