// A recorded run of a function for one signature: kernel calls on planned memory, and how the result is put together.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/memory.h"
#include "core/pack.h"
#include "core/plan.h"
#include "core/value.h"
#include "kernel.h"

namespace torchscript {

class DeviceGraph;

enum class SlotKind : uint8_t {
  Input,         // the storage of a tensor argument
  External,      // a weight, constant or attribute of the program
  Known,         // contents follow from the signature: kept as a constant
  Intermediate,  // lives in the arena
  Output,        // escapes: allocated by each run
};

// A window on a slot. Offsets are in bytes: from the first element of an input, else from the start of the storage.
struct SlotView {
  int slot = -1;
  int64_t offset = 0;
  TensorView view;
};

struct ScheduleSlot {
  SlotKind kind = SlotKind::Intermediate;
  size_t bytes = 0;
  int8_t device = kCpuDevice;
  int input = -1;        // Input: which tensor of the flattened arguments
  Ref<Storage> storage;  // External, Known
  int64_t arena = -1;    // Intermediate: offset
};

struct ScheduleStep {
  const Kernel* row = nullptr;
  const char* name = nullptr;  // of the operator, for the profiler
  int first_arg = 0, nargs = 0;
  int first_output = 0, noutputs = 0;  // into views
  int8_t device = kCpuDevice;          // of its outputs and workspace
  int64_t workspace = -1;              // arena offset
  size_t workspace_bytes = 0;
  std::shared_ptr<const PackEntry> pack;
  std::shared_ptr<const void> prepared;
  int frames = -1;  // where it was called: index into stacks
  bool random = false;
  int reads_input = -1;  // which argument, on the device, it copies to the CPU
};

// An argument; tensors are indices into views.
struct ScheduleArg {
  Arg arg;                // Tensor and TensorList: pointers are made for each instance
  int view = -1;          // Tensor
  std::vector<int> list;  // TensorList, -1 for None
};

// How the result is put together.
struct ResultNode {
  enum class Kind : uint8_t { Constant, InputTensor, View, List, Tuple, Dict, Future } kind = Kind::Constant;
  Value constant;
  int input = -1;  // InputTensor
  SlotView view;   // View
  Ref<OwnedQuantParams> quant;
  bool requires_grad = false;
  std::vector<ResultNode> items;   // Dict: keys and values in turn
  const TypeInfo* type = nullptr;  // List element, Tuple type, Dict key
  const TypeInfo* value_type = nullptr;
};

// A number on the device that the program looked at after some steps. The schedule holds for calls in which it has the same bytes.
struct ScheduleDecision {
  int step = 0;  // before it
  int view = 0;
  std::vector<char> bytes;
};
// What a replay throws when a number is another one: nothing that others see has been written.
struct Diverged {
  size_t decision;
  std::vector<char> bytes;
};

struct StackFrame {
  const Function* function;
  size_t pc;
};

// How a schedule uses graphs of its device (accelerator.h).
struct GraphReport {
  int64_t graphs = 0, nodes = 0, bytes = 0;  // of one instance; bytes of inputs and results that the graphs own
  int64_t pinned_bytes = 0;
  std::string reason;                        // why none, or not for all steps
};

class Schedule {
 public:
  // Memory and prepared calls of one run at a time.
  struct Instance;
  struct InstanceDeleter {
    void operator()(Instance* instance) const;
  };
  using InstancePtr = std::unique_ptr<Instance, InstanceDeleter>;

  Schedule();
  ~Schedule();
  InstancePtr take_instance();
  void give_instance(InstancePtr instance);
  // Runs it. `inputs` are the tensors of the arguments in order, with the signature's shapes. Apart from the result, and from what kernels
  // ask of their runtime, the second run in an instance allocates nothing.
  // With `keeps` the result lies in memory of the instance, and is the one that the instance gave before: the next such replay writes it.
  // Throws Diverged. Consecutive steps on a device, at least `least_graph` of them, are launched as one graph; 0: never.
  Value replay(Instance& instance, Tensor* const* inputs, bool keeps = false, int least_graph = 0);
  GraphReport graph_report();
  // Whether another schedule of the same signature is the one for what this one has found.
  bool continues(const Schedule& before, const Diverged& found) const;
  // Drops the instances that nobody uses, of all schedules that have device memory.
  static void release_idle_device_memory();
  // False when a weight that was packed or folded has been written since.
  bool is_current() const {
    for (const auto& [storage, version] : guards)
      if (storage->version.load(std::memory_order_acquire) != version) return false;
    return true;
  }

  std::vector<ScheduleSlot> slots;
  std::vector<TensorView> views;  // data pointers of constants are set
  std::vector<int> view_slots;
  std::vector<int64_t> view_offsets;
  std::vector<ScheduleArg> args;
  std::vector<ScheduleStep> steps;
  std::vector<std::vector<StackFrame>> stacks;
  std::vector<ScheduleDecision> decisions;  // in order of steps
  ResultNode result;
  int8_t device = kCpuDevice;     // the one CUDA device among its slots
  size_t arena_bytes = 0;         // on the CPU
  size_t device_arena_bytes = 0;  // on the device
  size_t live_bytes = 0;  // most bytes of intermediates and workspaces alive at one step: no arena can be smaller
  std::vector<std::pair<Ref<Storage>, uint32_t>> guards;
  std::vector<int> written_inputs;
  std::vector<Ref<Storage>> written_externals;
  std::vector<std::pair<int, Ref<Storage>>> copied_outputs;  // Output slots that start as a copy of a constant
  // What the arguments and views point into.
  std::vector<std::unique_ptr<char[]>> blobs;
  std::vector<Ref<OwnedQuantParams>> quants;
  int64_t constant_bytes = 0;

 private:
  struct Patch {
    int view, source;
    int64_t offset;
  };
  struct Graphs;
  // Marks what a run writes, whatever happens.
  struct Settled;
  InstancePtr make_instance();
  static std::unique_lock<std::mutex> hold_order(const Instance& instance);
  void run_steps(Instance& instance, int first, int last);
  // Those before step `step`, from number `*next` on.
  void check_decisions(Instance& instance, int step, size_t* next) const;
  bool is_capturable(size_t step) const;
  // Makes the instance's graphs, unless that has failed before.
  bool capture(Instance& instance, Tensor* const* inputs, bool keeps, int least_graph);
  std::unique_ptr<Graphs> try_capture(Instance& instance, Tensor* const* inputs, bool keeps, int least_graph, int* failed, std::string* reason);
  // A piece of the instance's graphs.
  std::unique_ptr<DeviceGraph> capture_piece(Instance& instance, Graphs& graphs, size_t piece, int* at);
  void report_graphs(const Graphs& graphs);
  void find_results(Graphs& graphs) const;
  void enqueue_results(const Graphs& graphs) const;
  // Ends the last run's results, and makes the graph with the copies to pinned memory that its uses ask for.
  void choose_copies(Instance& instance);
  void copy_results(Instance& instance, const std::vector<bool>& copied);
  Value replay_graphs(Instance& instance, Tensor* const* inputs, bool keeps);
  void prepare_steps(Instance& instance);
  bool can_keep(const ResultNode& node) const;
  Value build(const ResultNode& node, Tensor* const* inputs, const std::vector<Ref<Storage>>& outputs) const;
  void prepare();

  std::recursive_mutex mutex_;  // memory that a step asks for may have idle instances dropped
  std::vector<InstancePtr> free_;
  bool prepared_ = false;
  size_t ninputs_ = 0;
  bool keepable_ = false;  // the result is of outputs and constants alone
  std::vector<Patch> input_patches_, output_patches_;
  std::vector<int> output_slots_;
  // Steps that graphs may have, when a first capture was tried.
  std::vector<bool> capturable_;
  bool graphs_refused_ = false;
  GraphReport graph_report_;
};

// Renders "Traceback of TorchScript" of frames, outermost first; empty when no source is known.
std::string render_frames(const std::vector<StackFrame>& frames);

}  // namespace torchscript
