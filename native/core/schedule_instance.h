// What one run of a schedule at a time needs.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "accelerator.h"
#include "core/host_copy.h"
#include "core/memory.h"
#include "core/run.h"
#include "core/schedule.h"

namespace torchscript {

// Memory of the CPU that a device copies from and to.
class Pinned {
 public:
  Pinned() = default;
  Pinned(int8_t device, size_t bytes) : data_(static_cast<char*>(accelerator()->allocate_pinned(device, bytes))), bytes_(bytes), device_(device) {}
  Pinned(Pinned&& o) noexcept : data_(std::exchange(o.data_, nullptr)), bytes_(std::exchange(o.bytes_, 0)), device_(o.device_) {}
  Pinned& operator=(Pinned&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(bytes_, o.bytes_);
    std::swap(device_, o.device_);
    return *this;
  }
  ~Pinned() {
    if (data_) accelerator()->release_pinned(device_, data_, bytes_);
  }
  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  char* data_ = nullptr;
  size_t bytes_ = 0;
  int8_t device_ = kCpuDevice;
};

// Work of a schedule that the device has as graphs. The graphs read inputs in memory of their own, where each call copies its arguments,
// and write results in memory of their own.
struct Schedule::Graphs {
  // Steps [first, last), as one graph or one by one.
  struct Piece {
    int first = 0, last = 0;
    std::unique_ptr<DeviceGraph> graph;
  };
  // An argument, from its first element to its last.
  struct Input {
    int input = 0;
    size_t bytes = 0, offset = 0;
    bool is_written = false;
  };
  // What becomes of an output on the CPU: Note [Results on the host].
  struct Result {
    size_t begin = 0, bytes = 0;  // of the storage, as far as results show it
    Ref<HostCopy> last;           // of the last run
    bool is_copied = false;
    size_t offset = 0;            // into pinned_results
    int streak = 0;               // runs in a row whose use asks for the other way
    int needed = 0;               // before it is copied
  };
  ~Graphs() {
    for (Result& result : results)
      if (result.last) result.last->end_run();
    // Graphs first: they may still run.
    pieces.clear();
  }
  std::vector<Piece> pieces;
  Block own_inputs;
  char* device_inputs = nullptr;  // own_inputs, or in the shared arena
  std::vector<Input> on_device;   // into device_inputs
  Pinned pinned;
  std::vector<Input> on_cpu;  // into pinned, which graphs copy from
  std::unique_ptr<DeviceEvent> pinned_free;
  bool pinned_used = false;
  std::vector<Ref<Storage>> outputs;        // by output slot; null where the graphs do not make it
  bool own_output(size_t i) const { return outputs[i] && !outputs_are_shared; }
  bool outputs_are_shared = false;          // in the shared arena: good until the arena's order is let go
  size_t scratch_at = 0;                    // in the shared arena: memory that captures ask for
  std::vector<Result> results;              // likewise
  Pinned pinned_results;                    // of those that are copied
  std::unique_ptr<DeviceEvent> results_done;
  std::vector<std::pair<int, char*>> own;   // where windows are in all that
  bool is_stale = false;                    // a run without graphs has put them elsewhere
  std::vector<Patch> input_patches;         // of steps that run one by one: arguments on the CPU
  std::vector<Patch> output_patches;        // likewise: results on the CPU
  size_t bytes = 0;                         // of all of that
};

struct Schedule::Instance {
  Block arena;
  // Memory on the device: the one that all schedules share (Note [The arena of a device]), or a block.
  std::unique_ptr<SharedArena> shared;
  Block device_arena;
  void* on_device() const { return shared ? shared->base() : device_arena.data(); }
  std::vector<TensorView> views;
  std::vector<Arg> args;
  std::vector<std::vector<const TensorView*>> lists;
  std::vector<Call> calls;
  std::vector<Ref<Storage>> outputs;  // of the run that goes on
  std::vector<Ref<Storage>> kept;     // of results that are given again
  Value kept_result;
  KernelRuntime runtime;
  Tensor* const* inputs = nullptr;    // likewise
  std::unique_ptr<Graphs> graphs;
};

}  // namespace torchscript
