#include "core/recorder.h"

#include <algorithm>
#include <cstring>

#include "core/device.h"
#include "core/invoke.h"

namespace torchscript {
namespace {

// Bytes from the first element to the end of the last one.
int64_t extent(const TensorView& view) {
  int64_t last = 0;
  for (int i = 0; i < view.ndim; i++) {
    if (view.sizes[i] == 0) return 0;
    last += (view.sizes[i] - 1) * view.strides[i];
  }
  return (last + 1) * dtype_size(view.dtype);
}

bool same_view(const TensorView& a, const TensorView& b) {
  if (a.data != b.data || a.dtype != b.dtype || a.ndim != b.ndim) return false;
  for (int i = 0; i < a.ndim; i++)
    if (a.sizes[i] != b.sizes[i] || a.strides[i] != b.strides[i]) return false;
  return true;
}

Ref<Storage> copy_of(const Storage& storage) {
  auto copy = Storage::allocate(storage.bytes, storage.device);
  copy_storage(*copy, storage);
  return copy;
}

}  // namespace

Recorder::Recorder(Tensor* const* inputs, size_t ninputs) {
  for (size_t i = 0; i < ninputs; i++) {
    Tensor& tensor = *inputs[i];
    inputs_.emplace_back(&tensor);
    input_views_.push_back(tensor.view);
    input_serials_.push_back(tensor.storage->serial);
    input_requires_grad_.push_back(tensor.requires_grad);
    int slot = add_slot(*tensor.storage, SlotKind::Input);
    slots_[static_cast<size_t>(slot)].input = static_cast<int>(i);
    keep_quant(tensor);
  }
}

int Recorder::add_slot(const Storage& storage, SlotKind kind) {
  int index = static_cast<int>(slots_.size());
  slots_.emplace_back();
  slots_.back().kind = kind;
  slots_.back().bytes = storage.bytes;
  slots_.back().device = storage.device;
  by_serial_[storage.serial] = index;
  return index;
}

int Recorder::slot_of(const Tensor& tensor) {
  auto found = by_serial_.find(tensor.storage->serial);
  if (found != by_serial_.end()) return found->second;
  Storage& storage = *tensor.storage;
  if (!storage.is_weight && !storage.module_state) {
    give_up("it uses a tensor that no recorded operator made");
    return -1;
  }
  int index = add_slot(storage, SlotKind::External);
  Slot& slot = slots_[static_cast<size_t>(index)];
  slot.storage = tensor.storage;
  slot.known = true;
  slot.version = storage.version.load(std::memory_order_acquire);
  return index;
}

void Recorder::keep_quant(const Tensor& tensor) {
  if (tensor.quant) quants_.push_back(tensor.quant);
}

bool Recorder::view_of(const TensorView& view, const Tensor& tensor, SlotView* out) {
  out->slot = slot_of(tensor);
  if (out->slot < 0) return false;
  const Slot& slot = slots_[static_cast<size_t>(out->slot)];
  out->view = view;
  keep_quant(tensor);
  if (slot.kind == SlotKind::Input) {
    const TensorView& whole = input_views_[static_cast<size_t>(slot.input)];
    out->offset = static_cast<const char*>(view.data) - static_cast<const char*>(whole.data);
    // What lies outside the argument's window need not be there in the next call.
    if (view.numel() > 0 && (out->offset < 0 || out->offset + extent(view) > extent(whole))) {
      give_up("it looks at an argument's memory outside of the argument");
      return false;
    }
  } else {
    out->offset = static_cast<const char*>(view.data) - static_cast<const char*>(tensor.storage->data);
  }
  out->view.data = nullptr;
  return true;
}

const char* Recorder::copy_bytes(const void* data, size_t bytes) {
  blobs_.push_back(std::make_unique<char[]>(std::max<size_t>(bytes, 1)));
  if (bytes) std::memcpy(blobs_.back().get(), data, bytes);
  return blobs_.back().get();
}

void Recorder::reads(const Tensor& tensor, const char* reason) {
  if (gave_up()) return;
  int slot = slot_of(tensor);
  if (slot < 0) return;
  if (!slots_[static_cast<size_t>(slot)].known && tensor.numel() > 0) {
    if (decide(tensor)) return;
    give_up(reason);
  }
  slots_[static_cast<size_t>(slot)].folded_from = true;
}

// Note [Decisions]
// A number on the device that the program looks at, to branch on it or to compute with it, splits the schedule: what was recorded holds for
// calls in which the number is the same. A replay looks, and goes on; or it starts again with the schedule that was recorded for what it has found.
// So nothing may have been written that others see, and no random number drawn.
bool Recorder::decide(const Tensor& tensor) {
  if (tensor.device() == kCpuDevice || tensor.numel() != 1 || tensor.view.quant || decisions_.size() >= kMaxDecisions) return false;
  for (const Slot& slot : slots_)
    if (slot.written) return false;
  for (const Step& step : steps_)
    if (step.random) return false;
  Decision decision;
  decision.step = steps_.size();
  if (!view_of(tensor.view, tensor, &decision.view)) return false;
  decision.bytes.resize(static_cast<size_t>(dtype_size(tensor.dtype())));
  require_accelerator().copy_out(tensor.device(), decision.bytes.data(), tensor.view.data, decision.bytes.size());
  decisions_.push_back(std::move(decision));
  return true;
}

void Recorder::data_dependent(const char* name, const Value* args, int nargs) {
  if (gave_up()) return;
  std::string reason = std::string("the shape of a result of ") + name + " depends on data";
  for (int i = 0; i < nargs; i++) {
    if (args[i].is(Tag::Tensor)) reads(args[i].to_tensor(), reason.c_str());
    else if (args[i].is(Tag::List)) {
      for (const Value& item : args[i].to_list().items)
        if (item.is(Tag::Tensor)) reads(item.to_tensor(), reason.c_str());
    }
  }
}

void Recorder::known(const Tensor& tensor) {
  if (gave_up() || by_serial_.count(tensor.storage->serial)) return;
  // As if copied from a constant, so that a later write to it can be replayed from the start.
  const Storage& storage = *tensor.storage;
  Ref<Storage> constant = copy_of(storage);
  int from = add_slot(*constant, SlotKind::Known);
  slots_[static_cast<size_t>(from)].known = true;
  slots_[static_cast<size_t>(from)].storage = constant;
  int to = add_slot(storage, SlotKind::Known);
  slots_[static_cast<size_t>(to)].known = true;
  slots_[static_cast<size_t>(to)].storage = tensor.storage;
  auto bytes = static_cast<int64_t>(storage.bytes);
  int64_t stride = 1;
  SlotView view;
  view.view.dtype = DType::U8;
  view.view.device = storage.device;
  view.view.ndim = 1;
  view.view.sizes[0] = bytes;
  view.view.strides[0] = stride;
  Step step{&copy_row(), "constant", {}, {}, 0, nullptr, {}, true, false};
  RecordedArg arg;
  arg.arg.kind = ArgKind::Tensor;
  arg.view = view;
  arg.view.slot = from;
  step.args.push_back(arg);
  view.slot = to;
  step.outputs.push_back(view);
  int index = static_cast<int>(steps_.size());
  slots_[static_cast<size_t>(from)].readers.push_back(index);
  slots_[static_cast<size_t>(to)].writers.push_back(index);
  steps_.push_back(std::move(step));
}

std::shared_ptr<const PackEntry> Recorder::pack_known(const Kernel& row, const Call& call, Storage& storage) {
  if (gave_up()) return nullptr;
  auto found = by_serial_.find(storage.serial);
  if (found == by_serial_.end()) return nullptr;
  const Slot& slot = slots_[static_cast<size_t>(found->second)];
  if (!slot.known || slot.kind == SlotKind::Input) return nullptr;
  return find_or_pack(row, call, storage);
}

void Recorder::kernel(const Kernel& row, const char* name, const Call& call, const Value* args, Tensor* const* written, int nwritten,
                      bool drew_random, std::vector<StackFrame> frames) {
  std::shared_ptr<const PackEntry> pack = std::move(pack_);
  pack_ = nullptr;
  if (gave_up()) return;
  if (steps_.size() >= kMaxSteps) return give_up("it runs too many operators");
  Step step{&row, name, {}, {}, call.workspace_bytes, std::move(pack), std::move(frames), false, row.random || drew_random};
  int index = static_cast<int>(steps_.size());
  bool all_known = !step.random;
  std::vector<int> read;
  auto look = [&](const Value& value, SlotView* view) {
    const Tensor& tensor = value.to_tensor();
    if (!view_of(tensor.view, tensor, view)) return false;
    all_known = all_known && slots_[static_cast<size_t>(view->slot)].known;
    read.push_back(view->slot);
    return true;
  };
  for (int i = 0; i < call.nargs; i++) {
    RecordedArg arg;
    arg.arg = call.args[i];
    switch (arg.arg.kind) {
      case ArgKind::Tensor:
        if (!look(args[i], &arg.view)) return;
        break;
      case ArgKind::TensorList: {
        const auto& items = args[i].is(Tag::Tuple) ? args[i].to_tuple().items : args[i].to_list().items;
        for (const Value& item : items) {
          SlotView view;
          if (!item.is_none() && !look(item, &view)) return;
          arg.list.push_back(view);
        }
        break;
      }
      case ArgKind::String: arg.arg.str.p = copy_bytes(arg.arg.str.p, static_cast<size_t>(arg.arg.str.n)); break;
      case ArgKind::IntList:
        arg.arg.ints.p = reinterpret_cast<const int64_t*>(copy_bytes(arg.arg.ints.p, static_cast<size_t>(arg.arg.ints.n) * 8));
        break;
      case ArgKind::FloatList:
        arg.arg.floats.p = reinterpret_cast<const double*>(copy_bytes(arg.arg.floats.p, static_cast<size_t>(arg.arg.floats.n) * 8));
        break;
      case ArgKind::BoolList:
        arg.arg.bools.p = reinterpret_cast<const bool*>(copy_bytes(arg.arg.bools.p, static_cast<size_t>(arg.arg.bools.n)));
        break;
      default: break;
    }
    step.args.push_back(std::move(arg));
  }
  // Writing known contents into a part of a storage leaves it known only when it was.
  std::vector<int> targets;
  for (int i = 0; i < nwritten; i++) {
    Tensor& tensor = *written[i];
    auto found = by_serial_.find(tensor.storage->serial);
    int slot = found == by_serial_.end() ? -1 : found->second;
    if (slot < 0 && (tensor.storage->is_weight || tensor.storage->module_state)) slot = slot_of(tensor);
    bool fresh = slot < 0;
    if (fresh) slot = add_slot(*tensor.storage, SlotKind::Intermediate);
    Slot& s = slots_[static_cast<size_t>(slot)];
    if (fresh && all_known) {
      s.kind = SlotKind::Known;
      s.known = true;
      s.storage = tensor.storage;
    } else if (!fresh && (s.kind == SlotKind::Input || s.kind == SlotKind::External)) {
      s.written = true;
      s.known = false;
      all_known = false;
    } else if (!fresh && s.kind == SlotKind::Known && !(all_known && s.known)) {
      s.known = false;
      s.dirty = true;
      all_known = false;
    }
    targets.push_back(slot);
  }
  bool folded = all_known;
  for (int slot : targets) {
    Slot& s = slots_[static_cast<size_t>(slot)];
    if (!s.known) folded = false;
  }
  for (int i = 0; i < nwritten; i++) {
    SlotView view;
    if (!view_of(written[i]->view, *written[i], &view)) return;
    step.outputs.push_back(view);
    slots_[static_cast<size_t>(view.slot)].writers.push_back(index);
    if (!folded && slots_[static_cast<size_t>(view.slot)].kind == SlotKind::Known) {
      slots_[static_cast<size_t>(view.slot)].known = false;
      slots_[static_cast<size_t>(view.slot)].dirty = true;
    }
  }
  for (int slot : read) slots_[static_cast<size_t>(slot)].readers.push_back(index);
  step.folded = folded;
  if (folded || step.pack) {
    for (int slot : read) {
      if (slots_[static_cast<size_t>(slot)].kind == SlotKind::External &&
          (folded || (row.pack_arg >= 0 && step.args[static_cast<size_t>(row.pack_arg)].view.slot == slot))) {
        slots_[static_cast<size_t>(slot)].folded_from = true;
      }
    }
  }
  steps_.push_back(std::move(step));
}

// A folded step becomes a real one when what it wrote is not constant after all: its storage was written later by a real step, or a
// real step read it before a later write.
void Recorder::unfold() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Slot& slot : slots_) {
      if (slot.kind != SlotKind::Known) continue;
      if (!slot.dirty && slot.writers.size() > 1) {
        for (int reader : slot.readers) {
          if (!steps_[static_cast<size_t>(reader)].folded && reader < slot.writers.back()) slot.dirty = true;
        }
      }
      if (!slot.dirty) continue;
      for (int writer : slot.writers) {
        Step& step = steps_[static_cast<size_t>(writer)];
        if (!step.folded) continue;
        step.folded = false;
        changed = true;
        // All it writes is written by a real step now.
        for (const SlotView& out : step.outputs) slots_[static_cast<size_t>(out.slot)].dirty = true;
      }
    }
  }
  for (Slot& slot : slots_) {
    if (slot.kind != SlotKind::Known || !slot.dirty) continue;
    slot.kind = SlotKind::Intermediate;
    slot.known = false;
    slot.storage = nullptr;
    for (int reader : slot.readers) {
      Step& step = steps_[static_cast<size_t>(reader)];
      if (step.pack && step.row->pack_arg >= 0 &&
          &slots_[static_cast<size_t>(step.args[static_cast<size_t>(step.row->pack_arg)].view.slot)] == &slot)
        step.pack = nullptr;
    }
  }
}

// Steps whose effect nobody sees are left out; draws of random numbers stay, because they advance the generator.
void Recorder::find_needed() {
  std::vector<bool> live(slots_.size());
  for (size_t s = 0; s < slots_.size(); s++) {
    live[s] = slots_[s].kind == SlotKind::Input || slots_[s].kind == SlotKind::External || slots_[s].kind == SlotKind::Output;
  }
  size_t decision = decisions_.size();
  for (size_t i = steps_.size(); i-- > 0;) {
    // What is looked at after this step.
    for (; decision > 0 && decisions_[decision - 1].step > i; decision--)
      live[static_cast<size_t>(decisions_[decision - 1].view.slot)] = true;
    Step& step = steps_[i];
    if (step.folded) continue;
    step.needed = step.random;
    for (const SlotView& out : step.outputs)
      if (live[static_cast<size_t>(out.slot)]) step.needed = true;
    if (!step.needed) continue;
    for (const SlotView& out : step.outputs) live[static_cast<size_t>(out.slot)] = true;
    for (const RecordedArg& arg : step.args) {
      if (arg.arg.kind == ArgKind::Tensor) live[static_cast<size_t>(arg.view.slot)] = true;
      for (const SlotView& view : arg.list)
        if (view.slot >= 0) live[static_cast<size_t>(view.slot)] = true;
    }
  }
}

bool Recorder::record_result(const Value& value, ResultNode* node, int depth) {
  if (depth > 64) {
    give_up("its result is nested too deeply");
    return false;
  }
  auto children = [&](const std::vector<Value>& items) {
    for (const Value& item : items) {
      node->items.emplace_back();
      if (!record_result(item, &node->items.back(), depth + 1)) return false;
    }
    return true;
  };
  switch (value.tag()) {
    case Tag::Tensor: {
      const Tensor& tensor = value.to_tensor();
      for (size_t i = 0; i < inputs_.size(); i++) {
        if (inputs_[i].get() != &tensor) continue;
        node->kind = ResultNode::Kind::InputTensor;
        node->input = static_cast<int>(i);
        return true;
      }
      node->kind = ResultNode::Kind::View;
      if (!view_of(tensor.view, tensor, &node->view)) return false;
      node->quant = tensor.quant;
      node->requires_grad = tensor.requires_grad;
      return true;
    }
    case Tag::List:
      node->kind = ResultNode::Kind::List;
      node->type = value.to_list().element;
      return children(value.to_list().items);
    case Tag::Tuple:
      node->kind = ResultNode::Kind::Tuple;
      node->type = value.to_tuple().type;
      return children(value.to_tuple().items);
    case Tag::Dict: {
      const DictValue& dict = value.to_dict();
      node->kind = ResultNode::Kind::Dict;
      node->type = dict.key_type;
      node->value_type = dict.value_type;
      std::vector<Value> items;
      for (const auto& [key, item] : dict.entries) {
        items.push_back(key);
        items.push_back(item);
      }
      return children(items);
    }
    case Tag::Future:
      if (value.to_future().error) break;
      node->kind = ResultNode::Kind::Future;
      return children({value.to_future().value});
    case Tag::Object:
    case Tag::Function:
    case Tag::Generator: break;
    default: node->constant = value; return true;
  }
  give_up(std::string("it returns a value of type ") + tag_name(value.tag()));
  return false;
}

std::unique_ptr<Schedule> Recorder::finish(const Value& result) {
  if (gave_up()) return nullptr;
  for (size_t i = 0; i < inputs_.size(); i++) {
    if (inputs_[i]->storage->serial != input_serials_[i] || !same_view(inputs_[i]->view, input_views_[i])) {
      give_up("it changes the shape of an argument in place");
      return nullptr;
    }
    if (inputs_[i]->requires_grad != input_requires_grad_[i]) {
      give_up("it changes requires_grad of an argument");
      return nullptr;
    }
  }
  for (const Slot& slot : slots_) {
    if (slot.kind == SlotKind::External && slot.written && slot.folded_from) {
      give_up("it writes a parameter or constant whose value it has used");
      return nullptr;
    }
  }
  auto schedule = std::make_unique<Schedule>();
  if (!record_result(result, &schedule->result, 0)) return nullptr;
  unfold();

  // What the result shows is allocated by each run; constants among it are copied.
  std::vector<ResultNode*> nodes{&schedule->result};
  while (!nodes.empty()) {
    ResultNode* node = nodes.back();
    nodes.pop_back();
    for (ResultNode& item : node->items) nodes.push_back(&item);
    if (node->kind != ResultNode::Kind::View) continue;
    Slot& slot = slots_[static_cast<size_t>(node->view.slot)];
    if (slot.kind == SlotKind::Intermediate) {
      slot.kind = SlotKind::Output;
    } else if (slot.kind == SlotKind::Known) {
      auto [at, fresh] = output_of_known_.try_emplace(node->view.slot, static_cast<int>(slots_.size()));
      if (fresh) {
        // The caller of this run holds the storage and may write it.
        Ref<Storage> constant = copy_of(*slot.storage);
        slots_[static_cast<size_t>(node->view.slot)].storage = constant;
        Slot copy;
        copy.kind = SlotKind::Output;
        copy.bytes = constant->bytes;
        copy.device = constant->device;
        copied_outputs_.emplace_back(at->second, constant);
        slots_.push_back(std::move(copy));
      }
      node->view.slot = at->second;
    }
  }
  find_needed();
  for (const Slot& slot : slots_) {
    if (slot.device == kCpuDevice) continue;
    if (schedule->device != kCpuDevice && schedule->device != slot.device) {
      give_up("it uses more than one CUDA device");
      return nullptr;
    }
    schedule->device = slot.device;
  }

  std::vector<int> order;
  for (size_t i = 0; i < steps_.size(); i++)
    if (steps_[i].needed) order.push_back(static_cast<int>(i));
  Schedule& s = *schedule;
  auto add_view = [&](const SlotView& view) {
    s.views.push_back(view.view);
    s.view_slots.push_back(view.slot);
    s.view_offsets.push_back(view.offset);
    return static_cast<int>(s.views.size()) - 1;
  };
  for (int i : order) {
    Step& from = steps_[static_cast<size_t>(i)];
    ScheduleStep step;
    step.row = from.row;
    step.name = from.name;
    step.first_arg = static_cast<int>(s.args.size());
    step.nargs = static_cast<int>(from.args.size());
    for (const RecordedArg& arg : from.args) {
      ScheduleArg to;
      to.arg = arg.arg;
      if (arg.arg.kind == ArgKind::Tensor) to.view = add_view(arg.view);
      for (const SlotView& view : arg.list) to.list.push_back(view.slot < 0 ? -1 : add_view(view));
      s.args.push_back(std::move(to));
    }
    step.first_output = static_cast<int>(s.views.size());
    step.noutputs = static_cast<int>(from.outputs.size());
    for (const SlotView& out : from.outputs) add_view(out);
    step.workspace_bytes = from.workspace_bytes;
    step.device = from.outputs.empty() ? kCpuDevice : from.outputs[0].view.device;
    step.pack = from.pack;
    step.random = from.random;
    if (!from.frames.empty()) {
      step.frames = static_cast<int>(s.stacks.size());
      s.stacks.push_back(std::move(from.frames));
    }
    s.steps.push_back(std::move(step));
  }
  for (const Decision& decision : decisions_) {
    int before = 0;
    while (before < static_cast<int>(order.size()) && static_cast<size_t>(order[static_cast<size_t>(before)]) < decision.step) before++;
    s.decisions.push_back({before, add_view(decision.view), decision.bytes});
  }
  std::vector<bool> used(slots_.size());
  for (int slot : s.view_slots) used[static_cast<size_t>(slot)] = true;
  for (size_t i = 0; i < slots_.size(); i++) {
    Slot& from = slots_[i];
    ScheduleSlot slot;
    slot.kind = from.kind;
    slot.bytes = from.bytes;
    slot.device = from.device;
    slot.input = from.input;
    // Results may be views of externals that no step uses.
    if (used[i] || from.kind == SlotKind::External) slot.storage = from.storage;
    if (from.kind == SlotKind::Known && used[i]) s.constant_bytes += static_cast<int64_t>(from.bytes);
    if (from.kind == SlotKind::External && from.folded_from) s.guards.emplace_back(from.storage, from.version);
    if (from.kind == SlotKind::Input && from.written) s.written_inputs.push_back(from.input);
    if (from.kind == SlotKind::External && from.written) s.written_externals.push_back(from.storage);
    s.slots.push_back(std::move(slot));
  }
  s.copied_outputs = std::move(copied_outputs_);
  plan_memory(s, order);
  s.blobs = std::move(blobs_);
  s.quants = std::move(quants_);
  return schedule;
}

// Offsets of intermediates and workspaces: by size, largest first, at the lowest place that is free while they live.
void Recorder::plan_memory(Schedule& s, const std::vector<int>& order) {
  struct Region {
    int64_t bytes;
    int first, last;
    int8_t device;
    int64_t offset = -1;
  };
  int n = static_cast<int>(s.steps.size());
  std::vector<int> first(slots_.size(), n), last(slots_.size(), -1);
  auto touch = [&](int slot, int step) {
    first[static_cast<size_t>(slot)] = std::min(first[static_cast<size_t>(slot)], step);
    last[static_cast<size_t>(slot)] = std::max(last[static_cast<size_t>(slot)], step);
  };
  for (int i = 0; i < n; i++) {
    const Step& step = steps_[static_cast<size_t>(order[static_cast<size_t>(i)])];
    for (const RecordedArg& arg : step.args) {
      if (arg.arg.kind == ArgKind::Tensor) touch(arg.view.slot, i);
      for (const SlotView& view : arg.list)
        if (view.slot >= 0) touch(view.slot, i);
    }
    for (const SlotView& out : step.outputs) touch(out.slot, i);
  }
  for (const ScheduleDecision& decision : s.decisions)
    touch(s.view_slots[static_cast<size_t>(decision.view)], std::max(decision.step - 1, 0));
  // A kernel that may work in place takes the memory of an argument that dies with it.
  std::vector<int> merged(slots_.size());
  for (size_t i = 0; i < merged.size(); i++) merged[i] = static_cast<int>(i);
  auto root = [&](int slot) {
    while (merged[static_cast<size_t>(slot)] != slot) slot = merged[static_cast<size_t>(slot)];
    return slot;
  };
  for (int i = 0; i < n; i++) {
    const Step& step = steps_[static_cast<size_t>(order[static_cast<size_t>(i)])];
    if (!step.row->in_place || step.outputs.size() != 1) continue;
    const SlotView& out = step.outputs[0];
    const Slot& target = slots_[static_cast<size_t>(out.slot)];
    if (target.kind != SlotKind::Intermediate || first[static_cast<size_t>(out.slot)] != i || out.offset != 0) continue;
    const bool starts = step.row->self_first;
    for (const RecordedArg& arg : step.args) {
      if (starts && &arg != step.args.data()) break;
      if (arg.arg.kind != ArgKind::Tensor) continue;
      const Slot& source = slots_[static_cast<size_t>(arg.view.slot)];
      int base = root(arg.view.slot);
      if (source.kind != SlotKind::Intermediate || arg.view.offset != 0 || source.bytes != target.bytes || source.device != target.device ||
          last[static_cast<size_t>(base)] != i)
        continue;
      if (arg.view.view.quant || out.view.quant || !same_view(arg.view.view, out.view)) continue;
      bool alone = true;
      for (const RecordedArg& other : step.args) {
        if (!other.list.empty()) alone = false;
        if (other.arg.kind == ArgKind::Tensor && &other != &arg && root(other.view.slot) == base &&
            (starts || !same_view(other.view.view, arg.view.view)))
          alone = false;
      }
      if (!alone) continue;
      merged[static_cast<size_t>(out.slot)] = base;
      last[static_cast<size_t>(base)] = last[static_cast<size_t>(out.slot)];
      break;
    }
  }
  std::vector<Region> regions;
  std::vector<int> region_of(slots_.size(), -1), workspace_region(static_cast<size_t>(n), -1);
  // Device memory is aligned to what its widest accesses want.
  const size_t alignment = s.device == kCpuDevice ? kAlignment : 4 * kAlignment;
  auto aligned = [alignment](size_t bytes) {
    return static_cast<int64_t>(std::max<size_t>((bytes + alignment - 1) & ~(alignment - 1), alignment));
  };
  for (size_t i = 0; i < slots_.size(); i++) {
    if (slots_[i].kind != SlotKind::Intermediate || last[i] < 0 || root(static_cast<int>(i)) != static_cast<int>(i)) continue;
    region_of[i] = static_cast<int>(regions.size());
    regions.push_back({aligned(slots_[i].bytes), first[i], last[i], slots_[i].device});
  }
  for (int i = 0; i < n; i++) {
    if (s.steps[static_cast<size_t>(i)].workspace_bytes == 0) continue;
    workspace_region[static_cast<size_t>(i)] = static_cast<int>(regions.size());
    regions.push_back({aligned(s.steps[static_cast<size_t>(i)].workspace_bytes), i, i, s.steps[static_cast<size_t>(i)].device});
  }
  std::vector<int> by_size(regions.size());
  for (size_t i = 0; i < by_size.size(); i++) by_size[i] = static_cast<int>(i);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](int a, int b) { return regions[static_cast<size_t>(a)].bytes > regions[static_cast<size_t>(b)].bytes; });
  std::vector<int> placed;  // in order of offset
  int64_t total = 0, device_total = 0;
  for (int r : by_size) {
    Region& region = regions[static_cast<size_t>(r)];
    int64_t at = 0;
    for (int p : placed) {
      const Region& other = regions[static_cast<size_t>(p)];
      if (other.last < region.first || other.first > region.last || other.device != region.device) continue;
      if (other.offset >= at + region.bytes) break;
      at = std::max(at, other.offset + other.bytes);
    }
    region.offset = at;
    int64_t& sum = region.device == kCpuDevice ? total : device_total;
    sum = std::max(sum, at + region.bytes);
    placed.insert(
      std::upper_bound(placed.begin(), placed.end(), r,
                       [&](int a, int b) { return regions[static_cast<size_t>(a)].offset < regions[static_cast<size_t>(b)].offset; }),
      r);
  }
  for (size_t i = 0; i < slots_.size(); i++) {
    if (slots_[i].kind != SlotKind::Intermediate || last[i] < 0) continue;
    s.slots[i].arena = regions[static_cast<size_t>(region_of[static_cast<size_t>(root(static_cast<int>(i)))])].offset;
  }
  for (int i = 0; i < n; i++) {
    if (workspace_region[static_cast<size_t>(i)] >= 0)
      s.steps[static_cast<size_t>(i)].workspace = regions[static_cast<size_t>(workspace_region[static_cast<size_t>(i)])].offset;
  }
  s.arena_bytes = static_cast<size_t>(total);
  s.device_arena_bytes = static_cast<size_t>(device_total);
  std::vector<int64_t> live(static_cast<size_t>(n));
  for (const Region& region : regions)
    for (int i = region.first; i <= region.last; i++) live[static_cast<size_t>(i)] += region.bytes;
  for (int64_t bytes : live) s.live_bytes = std::max(s.live_bytes, static_cast<size_t>(bytes));
}

}  // namespace torchscript
