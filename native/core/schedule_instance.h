// What one run of a schedule at a time needs.
#pragma once
#include <memory>
#include <vector>

#include "accelerator.h"
#include "core/memory.h"
#include "core/run.h"
#include "core/schedule.h"

namespace torchscript {

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
  ~Graphs() {
    // Graphs first: they may still run.
    pieces.clear();
    if (pinned) accelerator()->release_pinned(pinned);
  }
  std::vector<Piece> pieces;
  Block device_inputs;
  std::vector<Input> on_device;  // into device_inputs
  char* pinned = nullptr;
  std::vector<Input> on_cpu;  // into pinned, which graphs copy from
  std::unique_ptr<DeviceEvent> pinned_free;
  bool pinned_used = false;
  std::vector<Ref<Storage>> outputs;        // by output slot; null where the graphs do not make it
  std::vector<std::pair<int, char*>> own;   // where windows are in all that
  bool is_stale = false;                    // a run without graphs has put them elsewhere
  std::vector<Patch> input_patches;         // of steps that run one by one: arguments on the CPU
  std::vector<Patch> output_patches;        // likewise: results on the CPU
  size_t bytes = 0;                         // of all of that
};

struct Schedule::Instance {
  Block arena, device_arena;
  std::vector<TensorView> views;
  std::vector<Arg> args;
  std::vector<std::vector<const TensorView*>> lists;
  std::vector<Call> calls;
  std::vector<Ref<Storage>> outputs;  // of the run that goes on
  std::vector<Ref<Storage>> kept;     // of results that are given again
  Value kept_result;
  KernelRuntime runtime;
  std::unique_ptr<Graphs> graphs;
};

}  // namespace torchscript
