#include "core/trace.h"

#include <chrono>
#include <mutex>

#include "core/plan.h"
#include "core/schedule.h"
#include "core/tensor.h"

namespace torchscript {

std::atomic<bool> trace_on{false}, profile_on{false};

namespace {

constexpr size_t kTraceLimit = 1 << 20, kProfileLimit = 1 << 20;

std::mutex& mutex() {
  static auto* m = new std::mutex;
  return *m;
}
std::vector<std::string>& trace_lines() {
  static auto* lines = new std::vector<std::string>;
  return *lines;
}
ProfileEvents& profile_events() {
  static auto* events = new ProfileEvents;
  return *events;
}
int thread_number() {
  static std::atomic<int> next{0};
  thread_local const int number = next.fetch_add(1);
  return number;
}
// Notes of the operator that runs on this thread; nested operators add theirs to the outer one's.
thread_local std::vector<std::string> notes;

}  // namespace

void trace_note(const char* inner) {
  if (trace_enabled() && notes.size() < 64) notes.emplace_back(inner);
}

void trace_operator(const char* name) {
  if (!trace_enabled()) {
    notes.clear();
    return;
  }
  std::string line = name;
  for (size_t i = 0; i < notes.size(); i++) line += (i ? ", " : ": ") + notes[i];
  notes.clear();
  std::lock_guard<std::mutex> lock(mutex());
  if (trace_lines().size() < kTraceLimit) trace_lines().push_back(std::move(line));
}

std::vector<std::string> take_trace() {
  std::lock_guard<std::mutex> lock(mutex());
  return std::move(trace_lines());
}

int64_t profile_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

namespace {

ProfileOperand tensor_operand(const TensorView& view) {
  ProfileOperand operand;
  operand.kind = ProfileOperand::Kind::Tensor;
  operand.dtype = view.dtype;
  operand.sizes.assign(view.sizes, view.sizes + view.ndim);
  operand.bytes = dtype_size(view.dtype);
  for (int i = 0; i < view.ndim; i++)
    if (view.strides[i] != 0 || view.sizes[i] == 0) operand.bytes *= view.sizes[i];
  return operand;
}

void add_operands(const Arg& arg, std::vector<ProfileOperand>& operands) {
  ProfileOperand operand;
  switch (arg.kind) {
    case ArgKind::Tensor: operands.push_back(tensor_operand(*arg.tensor)); return;
    case ArgKind::TensorList:
      for (int64_t i = 0; i < arg.tensors.n; i++)
        if (arg.tensors.p[i]) operands.push_back(tensor_operand(*arg.tensors.p[i]));
      return;
    case ArgKind::Int:
      operand.kind = ProfileOperand::Kind::Int;
      operand.value = arg.i;
      break;
    case ArgKind::Bool:
      operand.kind = ProfileOperand::Kind::Bool;
      operand.value = arg.b;
      break;
    default: break;
  }
  operands.push_back(std::move(operand));
}

// "file:line" of the innermost call whose source is known.
std::string location_of(const std::vector<StackFrame>& frames) {
  for (size_t i = frames.size(); i-- > 0;) {
    if (const SourceRange* range = frames[i].function->range_at(frames[i].pc)) return range->file + ":" + std::to_string(range->line);
  }
  return "";
}

}  // namespace

void profile_add(const char* name, const char* row, const char* inner, int64_t start, int64_t end, const Call* call, int step,
                 const std::vector<StackFrame>* frames) {
  if (!profile_enabled()) return;
  ProfileEvent event;
  event.name = name;
  if (row) event.row = row;
  if (inner) event.inner = inner;
  if (frames) event.location = location_of(*frames);
  event.start = start;
  event.nanoseconds = end - start;
  event.thread = thread_number();
  event.step = step;
  if (call) {
    for (int i = 0; i < call->nargs; i++) add_operands(call->args[i], event.inputs);
    for (int i = 0; i < call->noutputs; i++) event.outputs.push_back(tensor_operand(call->outputs[i]));
  }
  std::lock_guard<std::mutex> lock(mutex());
  ProfileEvents& all = profile_events();
  if (all.events.size() < kProfileLimit) all.events.push_back(std::move(event));
  else all.dropped++;
}

ProfileEvents take_profile() {
  std::lock_guard<std::mutex> lock(mutex());
  ProfileEvents taken = std::move(profile_events());
  profile_events() = {};
  return taken;
}

}  // namespace torchscript
