#include "core/schedule.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/device.h"
#include "core/errors.h"
#include "core/invoke.h"
#include "core/run.h"
#include "core/schedule_instance.h"

namespace torchscript {
namespace {

// More runs at a time than this make their memory anew.
constexpr size_t kKeptInstances = 4;
// On a device runs are in one order, and instances free as soon as they have been asked for.
constexpr size_t kKeptDeviceInstances = 2;
// Arena bytes that all schedules together keep between runs.
constexpr int64_t kKeptArenaBytes = int64_t{1} << 30;
std::atomic<int64_t> kept_arena_bytes{0};

}  // namespace

void Schedule::InstanceDeleter::operator()(Instance* instance) const { delete instance; }

void Schedule::prepare() {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (prepared_) return;
  std::vector<int> output_index(slots.size(), -1);
  for (size_t s = 0; s < slots.size(); s++) {
    if (slots[s].kind != SlotKind::Output) continue;
    output_index[s] = static_cast<int>(output_slots_.size());
    output_slots_.push_back(static_cast<int>(s));
  }
  for (size_t v = 0; v < views.size(); v++) {
    const ScheduleSlot& slot = slots[static_cast<size_t>(view_slots[v])];
    if (slot.kind == SlotKind::Input) input_patches_.push_back({static_cast<int>(v), slot.input, view_offsets[v]});
    else if (slot.kind == SlotKind::Output)
      output_patches_.push_back({static_cast<int>(v), output_index[static_cast<size_t>(view_slots[v])], view_offsets[v]});
  }
  for (const ScheduleSlot& slot : slots)
    ninputs_ = std::max(ninputs_, static_cast<size_t>(slot.kind == SlotKind::Input ? slot.input + 1 : 0));
  for (ScheduleStep& step : steps) {
    if (step.row != &copy_row() || step.device != kCpuDevice) continue;
    const ScheduleSlot& slot = slots[static_cast<size_t>(view_slots[static_cast<size_t>(args[static_cast<size_t>(step.first_arg)].view)])];
    if (slot.kind == SlotKind::Input && slot.device != kCpuDevice) step.reads_input = slot.input;
  }
  keepable_ = !output_slots_.empty() && can_keep(result);
  free_.reserve(kKeptInstances);
  prepared_ = true;
}

Schedule::InstancePtr Schedule::make_instance() {
  InstancePtr instance(new Instance);
  Instance& in = *instance;
  in.arena = Block(arena_bytes);
  if (device != kCpuDevice) in.shared = require_accelerator().share_arena(device);
  if (in.shared) grow_arena(*in.shared, device_arena_bytes);
  else if (device_arena_bytes > 0) in.device_arena = Block(device_arena_bytes, device);
  in.views = views;
  auto arena = [&in](int8_t on) { return static_cast<char*>(on == kCpuDevice ? in.arena.data() : in.on_device()); };
  for (size_t v = 0; v < views.size(); v++) {
    const ScheduleSlot& slot = slots[static_cast<size_t>(view_slots[v])];
    if (slot.kind == SlotKind::Intermediate) in.views[v].data = arena(slot.device) + slot.arena + view_offsets[v];
    else if (slot.kind == SlotKind::External || slot.kind == SlotKind::Known)
      in.views[v].data = static_cast<char*>(slot.storage->data) + view_offsets[v];
  }
  in.args.reserve(args.size());
  for (const ScheduleArg& from : args) {
    Arg arg = from.arg;
    if (arg.kind == ArgKind::Tensor) {
      arg.tensor = &in.views[static_cast<size_t>(from.view)];
    } else if (arg.kind == ArgKind::TensorList) {
      std::vector<const TensorView*> list;
      for (int view : from.list) list.push_back(view < 0 ? nullptr : &in.views[static_cast<size_t>(view)]);
      in.lists.push_back(std::move(list));
      arg.tensors = {in.lists.back().data(), static_cast<int64_t>(in.lists.back().size())};
    }
    in.args.push_back(arg);
  }
  in.calls.reserve(steps.size());
  for (const ScheduleStep& step : steps) {
    Call call;
    call.args = in.args.data() + step.first_arg;
    call.nargs = step.nargs;
    call.outputs = in.views.data() + step.first_output;
    call.noutputs = step.noutputs;
    call.workspace_bytes = step.workspace_bytes;
    call.workspace = step.workspace < 0 ? nullptr : arena(step.device) + step.workspace;
    call.packed = step.pack ? step.pack->data : nullptr;
    call.runtime = &in.runtime;
    in.calls.push_back(call);
  }
  prepare_steps(in);
  in.outputs.reserve(output_slots_.size());
  in.runtime.keep_scratch();
  return instance;
}

// Note [The arena of a device]
// Everything of a device is done in one order, so that two schedules never run at once there, and all of them have their intermediates at the same
// addresses: memory for the largest is enough. That holds as long as the work of two calls does not mix, which calls on several threads might do:
// who asks for work on the arena holds its order until all of it is asked for. Graphs have what they own of inputs and results there too, and what
// their kernels ask for; so inputs are copied in, and results out, within the same hold. What outlives the call is elsewhere: results, and those that
// `keeps` gives again.
std::unique_lock<std::mutex> Schedule::hold_order(const Instance& in) {
  return in.shared ? std::unique_lock<std::mutex>(in.shared->order()) : std::unique_lock<std::mutex>();
}

// What kernels make once for a signature, with the first instance.
void Schedule::prepare_steps(Instance& in) {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  for (size_t i = 0; i < steps.size(); i++) {
    ScheduleStep& step = steps[i];
    if (!step.row->prepare) continue;
    if (!step.prepared) {
      step.prepared = std::shared_ptr<const void>(step.row->prepare(in.calls[i]),
                                                  [row = step.row](const void* p) { row->release(const_cast<void*>(p)); });
    }
    in.calls[i].prepared = step.prepared.get();
  }
}

Schedule::InstancePtr Schedule::take_instance() {
  {
    std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (!free_.empty()) {
      auto instance = std::move(free_.back());
      free_.pop_back();
      kept_arena_bytes.fetch_sub(static_cast<int64_t>(arena_bytes), std::memory_order_relaxed);
      return instance;
    }
  }
  prepare();
  return make_instance();
}

void Schedule::give_instance(InstancePtr instance) {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (free_.size() >= (device == kCpuDevice ? kKeptInstances : kKeptDeviceInstances) || kept_arena_bytes.load(std::memory_order_relaxed) > kKeptArenaBytes) return;
  free_.push_back(std::move(instance));
  kept_arena_bytes.fetch_add(static_cast<int64_t>(arena_bytes), std::memory_order_relaxed);
}

namespace {
std::mutex schedules_mutex;
std::vector<Schedule*> schedules;
}  // namespace

Schedule::Schedule() {
  std::lock_guard<std::mutex> lock(schedules_mutex);
  schedules.push_back(this);
}

Schedule::~Schedule() {
  {
    std::lock_guard<std::mutex> lock(schedules_mutex);
    *std::find(schedules.begin(), schedules.end(), this) = schedules.back();
    schedules.pop_back();
  }
  kept_arena_bytes.fetch_sub(static_cast<int64_t>(arena_bytes * free_.size()), std::memory_order_relaxed);
}

void Schedule::release_idle_device_memory() {
  std::vector<InstancePtr> idle;
  {
    std::lock_guard<std::mutex> lock(schedules_mutex);
    for (Schedule* schedule : schedules) {
      if (schedule->device == kCpuDevice) continue;
      // Whoever holds it may be the one who asks.
      std::unique_lock<std::recursive_mutex> held(schedule->mutex_, std::try_to_lock);
      if (!held) continue;
      kept_arena_bytes.fetch_sub(static_cast<int64_t>(schedule->arena_bytes * schedule->free_.size()), std::memory_order_relaxed);
      for (InstancePtr& instance : schedule->free_) idle.push_back(std::move(instance));
      schedule->free_.clear();
    }
  }
}

// Lists and dictionaries belong to whoever gets them.
bool Schedule::can_keep(const ResultNode& node) const {
  if (node.kind == ResultNode::Kind::Constant) return true;
  if (node.kind == ResultNode::Kind::View) return slots[static_cast<size_t>(node.view.slot)].kind == SlotKind::Output;
  if (node.kind != ResultNode::Kind::Tuple) return false;
  for (const ResultNode& item : node.items)
    if (!can_keep(item)) return false;
  return true;
}

namespace {

// Whether an argument lies in memory of results that are kept: the result of one call given to the next.
bool reads_kept(const std::vector<Ref<Storage>>& kept, Tensor* const* inputs, size_t ninputs) {
  for (size_t i = 0; i < ninputs; i++) {
    const char* data = static_cast<const char*>(inputs[i]->view.data);
    for (const Ref<Storage>& storage : kept) {
      const char* begin = static_cast<const char*>(storage->data);
      if (inputs[i]->storage == storage || (data >= begin && data < begin + storage->bytes)) return true;
    }
  }
  return false;
}

}  // namespace

// Whatever happens, what was written counts as written, and the outputs go to nobody but the caller.
struct Schedule::Settled {
  const Schedule& schedule;
  Instance& in;
  Tensor* const* inputs;
  ~Settled() {
    in.outputs.clear();
    for (int input : schedule.written_inputs) inputs[input]->storage->version.fetch_add(1, std::memory_order_release);
    for (const Ref<Storage>& storage : schedule.written_externals) storage->version.fetch_add(1, std::memory_order_release);
  }
};

void Schedule::run_steps(Instance& in, int first, int last) {
  KernelRuntime& runtime = in.runtime;
  const ScheduleStep* step = steps.data() + first;
  const ScheduleStep* end = steps.data() + last;
  Call* call = in.calls.data() + first;
  try {
    for (; step != end; step++, call++) {
      runtime.begin_operator();
      if (step->reads_input < 0 || !copy_from_pinned(runtime, call->outputs[0], *in.inputs[step->reads_input]->storage, *call->args[0].tensor))
        step->row->run(*call);
      runtime.end_operator(step->name, step->row->name, call, static_cast<int>(step - steps.data()),
                           step->frames < 0 ? nullptr : &stacks[static_cast<size_t>(step->frames)]);
    }
  } catch (const OperatorError& e) {
    runtime.abandon_operator();
    throw ScriptError(e.what(), e.python_class, step->frames < 0 ? "" : render_frames(stacks[static_cast<size_t>(step->frames)]), true);
  } catch (...) {
    runtime.abandon_operator();
    throw;
  }
}

void Schedule::check_decisions(Instance& in, int step, size_t* next) const {
  for (; *next < decisions.size() && decisions[*next].step <= step; ++*next) {
    const ScheduleDecision& decision = decisions[*next];
    std::vector<char> bytes(decision.bytes.size());
    const TensorView& there = in.views[static_cast<size_t>(decision.view)];
    const ScheduleSlot& slot = slots[static_cast<size_t>(view_slots[static_cast<size_t>(decision.view)])];
    TensorView here = there;
    here.device = kCpuDevice;
    here.data = bytes.data();
    if (slot.kind != SlotKind::Input || !copy_from_pinned(in.runtime, here, *in.inputs[slot.input]->storage, there))
      require_accelerator().copy_out(device, bytes.data(), there.data, bytes.size());
    if (bytes != decision.bytes) throw Diverged{*next, std::move(bytes)};
  }
}

bool Schedule::continues(const Schedule& before, const Diverged& found) const {
  if (decisions.size() <= found.decision || before.decisions.size() <= found.decision) return false;
  for (size_t i = 0; i < found.decision; i++)
    if (decisions[i].bytes != before.decisions[i].bytes) return false;
  return decisions[found.decision].bytes == found.bytes;
}

Value Schedule::replay(Instance& in, Tensor* const* inputs, bool keeps, int least_graph) {
  Settled settled{*this, in, inputs};
  for (int input : written_inputs) inputs[input]->storage->about_to_write();
  for (const Ref<Storage>& storage : written_externals) storage->about_to_write();
  keeps = keeps && keepable_;
  in.inputs = inputs;
  // Listeners want to see each kernel.
  if (least_graph > 0 && device != kCpuDevice && !trace_enabled() && !profile_enabled() && capture(in, inputs, keeps, least_graph))
    return replay_graphs(in, inputs, keeps);
  const auto order = hold_order(in);
  if (in.graphs) in.graphs->is_stale = true;
  if (keeps && !in.kept.empty() && reads_kept(in.kept, inputs, ninputs_)) {
    in.kept.clear();
    in.kept_result = Value();
  }
  if (keeps && !in.kept.empty()) {
    for (const Ref<Storage>& storage : in.kept) storage->about_to_write();
    in.outputs.assign(in.kept.begin(), in.kept.end());
  } else {
    for (int slot : output_slots_)
      in.outputs.push_back(Storage::allocate(slots[static_cast<size_t>(slot)].bytes, slots[static_cast<size_t>(slot)].device));
    if (keeps) in.kept.assign(in.outputs.begin(), in.outputs.end());
  }
  for (const auto& [slot, constant] : copied_outputs) {
    for (size_t i = 0; i < output_slots_.size(); i++) {
      if (output_slots_[i] == slot) copy_storage(*in.outputs[i], *constant);
    }
  }
  TensorView* views_now = in.views.data();
  for (const Patch& p : input_patches_) views_now[p.view].data = static_cast<char*>(inputs[p.source]->view.data) + p.offset;
  for (const Patch& p : output_patches_)
    views_now[p.view].data = static_cast<char*>(in.outputs[static_cast<size_t>(p.source)]->data) + p.offset;

  int at = 0;
  size_t decided = 0;
  for (const ScheduleDecision& decision : decisions) {
    run_steps(in, at, decision.step);
    at = decision.step;
    check_decisions(in, at, &decided);
  }
  run_steps(in, at, static_cast<int>(steps.size()));
  if (!keeps) return build(result, inputs, in.outputs);
  for (const Ref<Storage>& storage : in.kept) storage->version.fetch_add(1, std::memory_order_release);
  if (in.kept_result.is_none()) in.kept_result = build(result, inputs, in.outputs);
  return in.kept_result;
}

Value Schedule::build(const ResultNode& node, Tensor* const* inputs, const std::vector<Ref<Storage>>& outputs) const {
  switch (node.kind) {
    case ResultNode::Kind::Constant: return node.constant;
    case ResultNode::Kind::InputTensor: return Value(Ref<Tensor>(inputs[node.input]));
    case ResultNode::Kind::View: {
      const ScheduleSlot& slot = slots[static_cast<size_t>(node.view.slot)];
      Ref<Storage> storage;
      int64_t bytes = node.view.offset;
      if (slot.kind == SlotKind::Input) {
        const Tensor& input = *inputs[slot.input];
        storage = input.storage;
        bytes += static_cast<const char*>(input.view.data) - static_cast<const char*>(storage->data);
      } else if (slot.kind == SlotKind::Output) {
        for (size_t i = 0; i < output_slots_.size(); i++)
          if (output_slots_[i] == node.view.slot) storage = outputs[i];
      } else {
        storage = slot.storage;
      }
      auto tensor = make_ref<Tensor>();
      tensor->view = node.view.view;
      tensor->view.data = static_cast<char*>(storage->data) + bytes;
      tensor->offset = bytes / dtype_size(tensor->view.dtype);
      tensor->storage = std::move(storage);
      tensor->quant = node.quant;
      tensor->requires_grad = node.requires_grad;
      return Value(std::move(tensor));
    }
    case ResultNode::Kind::List: {
      auto list = make_ref<ListValue>();
      list->element = node.type;
      list->items.reserve(node.items.size());
      for (const ResultNode& item : node.items) list->items.push_back(build(item, inputs, outputs));
      return Value(std::move(list));
    }
    case ResultNode::Kind::Tuple: {
      auto tuple = make_ref<TupleValue>();
      tuple->type = node.type;
      tuple->items.reserve(node.items.size());
      for (const ResultNode& item : node.items) tuple->items.push_back(build(item, inputs, outputs));
      return Value(std::move(tuple));
    }
    case ResultNode::Kind::Dict: {
      auto dict = make_ref<DictValue>();
      dict->key_type = node.type;
      dict->value_type = node.value_type;
      for (size_t i = 0; i + 1 < node.items.size(); i += 2)
        dict->set(build(node.items[i], inputs, outputs), build(node.items[i + 1], inputs, outputs));
      return Value(std::move(dict));
    }
    case ResultNode::Kind::Future: {
      auto future = make_ref<FutureValue>();
      future->done = true;
      future->value = build(node.items[0], inputs, outputs);
      return Value(std::move(future));
    }
  }
  return Value();
}

std::string render_frames(const std::vector<StackFrame>& frames) {
  bool archived = false;
  std::string text;
  for (const StackFrame& frame : frames) {
    const SourceRange* range = frame.function->range_at(frame.pc);
    if (!range) continue;
    archived = archived || range->file.rfind("code/", 0) == 0;
    const std::string& name = frame.function->name;
    text += "  File \"";
    text += range->file;
    text += "\", line " + std::to_string(range->line) + ", in " + name.substr(name.rfind('.') + 1) + "\n" + range->text;
    if (text.back() != '\n') text += '\n';
  }
  if (text.empty()) return text;
  return std::string(archived ? "Traceback of TorchScript, serialized code" : "Traceback of TorchScript") + " (most recent call last):\n" +
         text;
}

}  // namespace torchscript
