// Records what one run of a function does with tensors and makes a schedule of it (schedule.h).
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/pack.h"
#include "core/schedule.h"
#include "core/value.h"
#include "kernel.h"

namespace torchscript {

// The run goes on as usual and tells the recorder about each kernel call. Storages are known by their serial number. A storage whose contents
// follow from the signature (made by the program from numbers, or by kernels from such storages and from weights) is *known*:
// kernels on known storages only are folded, which means that the schedule has their results as constants.
class Recorder {
 public:
  Recorder(Tensor* const* inputs, size_t ninputs);

  // The run cannot be replayed; the first reason stays.
  void give_up(const std::string& reason) {
    if (reason_.empty()) reason_ = reason;
  }
  bool gave_up() const { return !reason_.empty(); }
  const std::string& reason() const { return reason_; }

  // A kernel whose result shapes depend on data is about to run.
  void data_dependent(const char* name, const Value* args, int nargs);
  // The contents of a tensor influence the run beyond kernels.
  void reads(const Tensor& tensor, const char* reason);
  // The run made this tensor from values that follow from the signature.
  void known(const Tensor& tensor);
  // A kernel ran. `written` are the tensors of its outputs.
  void kernel(const Kernel& row, const char* name, const Call& call, const Value* args, Tensor* const* written, int nwritten,
              bool drew_random, std::vector<StackFrame> frames);
  // The packed form of a known tensor that is no weight.
  std::shared_ptr<const PackEntry> pack_known(const Kernel& row, const Call& call, Storage& storage);
  void pack_used(std::shared_ptr<const PackEntry> pack) { pack_ = std::move(pack); }

  // The schedule, or null after giving up.
  std::unique_ptr<Schedule> finish(const Value& result);

 private:
  struct Slot {
    SlotKind kind = SlotKind::Intermediate;
    size_t bytes = 0;
    int8_t device = kCpuDevice;
    int input = -1;
    Ref<Storage> storage;               // External and Known: kept alive
    bool known = false;                 // as of now
    bool dirty = false;                 // was known, then written by something that is not: its writers are steps
    bool folded_from = false;           // External: a folded step, a pack or the run itself looked at the contents
    bool written = false;               // External, Input
    uint32_t version = 0;               // External: at first sight
    std::vector<int> writers, readers;  // steps
  };
  struct RecordedArg {
    Arg arg;
    SlotView view;
    std::vector<SlotView> list;  // slot -1: None
  };
  struct Step {
    const Kernel* row;
    const char* name;
    std::vector<RecordedArg> args;
    std::vector<SlotView> outputs;
    size_t workspace_bytes;
    std::shared_ptr<const PackEntry> pack;
    std::vector<StackFrame> frames;
    bool folded, random;
    bool needed = false;
  };

  static constexpr size_t kMaxSteps = 20000;
  static constexpr size_t kMaxDecisions = 64;
  // A number that the run looked at, after so many steps.
  struct Decision {
    size_t step;
    SlotView view;
    std::vector<char> bytes;
  };
  bool decide(const Tensor& tensor);

  int slot_of(const Tensor& tensor);  // -1 after giving up
  int add_slot(const Storage& storage, SlotKind kind);
  bool view_of(const TensorView& view, const Tensor& tensor, SlotView* out);
  void keep_quant(const Tensor& tensor);
  const char* copy_bytes(const void* data, size_t bytes);
  bool record_result(const Value& value, ResultNode* node, int depth);
  void unfold();
  void find_needed();
  void plan_memory(Schedule& schedule, const std::vector<int>& order);

  std::vector<Ref<Tensor>> inputs_;
  std::vector<TensorView> input_views_;
  std::vector<uint64_t> input_serials_;
  std::vector<bool> input_requires_grad_;
  std::vector<Slot> slots_;
  std::unordered_map<uint64_t, int> by_serial_;
  std::vector<Step> steps_;
  std::vector<Decision> decisions_;
  std::vector<std::unique_ptr<char[]>> blobs_;
  std::vector<Ref<OwnedQuantParams>> quants_;
  std::vector<std::pair<int, Ref<Storage>>> copied_outputs_;
  std::unordered_map<int, int> output_of_known_;
  std::shared_ptr<const PackEntry> pack_;
  std::string reason_;
};

}  // namespace torchscript
