// Results of a device in memory of the CPU.
#pragma once
#include <cstdint>
#include <mutex>

#include "accelerator.h"
#include "core/tensor.h"

namespace torchscript {

// Belongs to the storage of a result that a graph made. The graph may copy the result to pinned memory of its own too, where it stays until
// the graph runs again; and it learns from here whether somebody reads results on the CPU: Note [Results on the host] (schedule_graphs.cc).
class HostCopy : public RefCounted, public Recycled<HostCopy> {
 public:
  // What has happened to the result of one run.
  struct Use {
    bool was_read = false;    // on the CPU, before the next run
    bool was_served = false;  // from pinned memory
  };
  // A run has made the storage as it is now. Bytes [begin, begin + bytes) of it are at `pinned` when `done` has happened; null: nowhere.
  void begin_run(const Storage& storage, const char* pinned, size_t begin, size_t bytes, DeviceEvent* done);
  // The graph is about to run again, or goes: nothing reads the pinned memory from now on.
  Use end_run();
  // The storage is about to be written.
  void forget();
  // Somebody wants a window of the storage on the CPU. Copies it and gives true where it is in pinned memory. Throws what the device reports.
  bool read(Runtime& runtime, const Storage& storage, const TensorView& destination, const TensorView& source);

  // How often pinned memory was read, in this process.
  static int64_t served();

 private:
  std::mutex mutex_;
  const char* pinned_ = nullptr;
  size_t begin_ = 0, bytes_ = 0;
  DeviceEvent* done_ = nullptr;
  uint32_t version_ = 0;
  bool is_current_ = false;
  Use use_;
};

}  // namespace torchscript
