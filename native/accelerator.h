// The device ABI: what the executor sees of an accelerator. Devices are numbered from 0; the CPU is kCpuDevice (kernel.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernel.h"

namespace torchscript {

struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  size_t total_memory = 0;
  int multi_processors = 0;
  int warp_size = 32;
  int max_threads_per_block = 0;
  int shared_memory_per_block = 0;        // without opting in
  int shared_memory_per_block_optin = 0;  // at most
  int l2_cache_bytes = 0;
  int clock_khz = 0;
  int memory_clock_khz = 0;
  int memory_bus_bits = 0;
};

struct DeviceMemoryCounters {
  int64_t live_bytes = 0;    // of blocks in use
  int64_t cached_bytes = 0;  // freed blocks kept for reuse
  int64_t peak_bytes = 0;    // most of live_bytes
  int64_t total_bytes = 0, free_bytes = 0;  // of the device, by the driver
  int64_t allocations = 0;   // calls of the driver
  int64_t pinned_bytes = 0;  // on the CPU, for copies
  int64_t arena_bytes = 0;   // that schedules share; of live_bytes
};

struct DeviceGraphCounters {
  int64_t captured = 0, alive = 0, launches = 0;
  int64_t launched_nodes = 0;  // of all launches
};

// A place in the order of a device's work.
class DeviceEvent {
 public:
  virtual ~DeviceEvent() = default;
  // After everything that was asked of the device so far.
  virtual void record() = 0;
  virtual bool done() = 0;
  // Throws what the work before it reported (synchronize).
  virtual void wait() = 0;
};

// A sequence of work on a device that was recorded once and is launched as a whole.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  virtual void launch() = 0;
  virtual size_t nodes() const = 0;
  // Of memory that its kernels asked for, in an arena or not.
  virtual size_t bytes() const = 0;
};

// Memory of a device that many users share, each from its first byte on: as large as the largest of them wants. The work of two must not mix, and
// what one leaves there is gone when another begins.
class SharedArena {
 public:
  virtual ~SharedArena() = default;
  // Stays where it is.
  virtual void* base() const = 0;
  // How much this user wants.
  virtual size_t bytes() const = 0;
  // Wants so much at least. Throws OutOfMemoryError.
  virtual void grow(size_t bytes) = 0;
  // Held while work is asked for that uses it.
  virtual std::mutex& order() = 0;
};

// Every operation of a device is in order: what is asked first is done first, and freed memory is taken again in that order. Throws
// OperatorError with the driver's error and its call.
class Accelerator {
 public:
  virtual const char* type() const = 0;  // "cuda"
  // Opens the driver on first use. 0 where there is none, or no device.
  virtual int count() = 0;
  // Why count() is 0; empty when it is not.
  virtual std::string unavailable_reason() = 0;
  virtual DeviceProperties properties(int device) = 0;
  virtual std::string driver_version() = 0;
  // Of the file of compiled kernels; `reason` says why there is none.
  virtual std::vector<std::string> kernel_names(std::string* path, std::string* reason) = 0;

  // A folder for kernels that are compiled at run time; empty: none.
  virtual void keep_kernels(const std::string& folder) = 0;

  // The device that `cuda` without an index means on this thread.
  virtual int current_device() = 0;
  virtual void set_current_device(int device) = 0;

  // 256-byte aligned; contents are undefined. What is freed while a graph is being captured lives as long as the graph.
  virtual void* allocate(int device, size_t bytes) = 0;
  virtual void release(int device, void* block, size_t bytes) noexcept = 0;
  virtual void release_cached(int device) = 0;
  // A user of the device's arena. Null where memory cannot be shared so.
  virtual std::unique_ptr<SharedArena> share_arena(int device) = 0;
  virtual DeviceMemoryCounters counters(int device) = 0;
  virtual void reset_peak(int device) = 0;

  // Host memory may be used again when this returns.
  virtual void copy_in(int device, void* to, const void* from, size_t bytes) = 0;
  // Waits for the bytes.
  virtual void copy_out(int device, void* to, const void* from, size_t bytes) = 0;
  virtual void copy_between(int to_device, void* to, int from_device, const void* from, size_t bytes) = 0;
  // Windows of equal shape on one device, of any strides and dtypes.
  virtual void copy_views(const TensorView& destination, const TensorView& source) = 0;
  // Throws what kernels have reported since the last wait, such as an index that was out of range.
  virtual void synchronize(int device) = 0;
  // `spins`: its wait() takes the CPU, and returns sooner.
  virtual std::unique_ptr<DeviceEvent> make_event(int device, bool spins = false) = 0;

  // Memory that the device reads and writes directly while the program goes on.
  virtual void* allocate_pinned(int device, size_t bytes) = 0;
  virtual void release_pinned(int device, void* block, size_t bytes) noexcept = 0;
  virtual size_t pinned_bytes(int device) = 0;

  // Between the two everything that this thread asks of the device is recorded instead of done; copy_out, synchronize and errors end it.
  // Memory that is asked for meanwhile is of the arena, where one is given, from `scratch_at` on.
  virtual void begin_capture(int device, SharedArena* arena = nullptr, size_t scratch_at = 0) = 0;
  virtual std::unique_ptr<DeviceGraph> end_capture() = 0;
  virtual bool is_capturing() = 0;
  virtual DeviceGraphCounters graph_counters() = 0;
  // After an exception between the two.
  virtual void abandon_capture() noexcept = 0;
  // Copies to and from pinned memory, for captures: nothing waits.
  virtual void enqueue_copy_in(int device, void* to, const void* pinned, size_t bytes) = 0;
  virtual void enqueue_copy_out(int device, void* pinned, const void* from, size_t bytes) = 0;

 protected:
  ~Accelerator() = default;
};

// Null in a build without one.
Accelerator* accelerator();
void register_accelerator(Accelerator* instance);

// Whether products and convolutions of float32 may round their operands to TF32 on a device's Tensor Cores. Off unless the program asks.
void allow_tf32(bool products, bool convolutions);
bool allows_tf32_products();
bool allows_tf32_convolutions();

}  // namespace torchscript
