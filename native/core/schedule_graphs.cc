// Schedules on a device as graphs that are launched as a whole.
//
// Note [Graphs of a schedule]
// The second call of a signature captures what the first has recorded: every run of steps that neither wait nor touch the CPU becomes one graph,
// with the copies of CPU arguments from pinned memory in it. Steps between such runs (a copy to the CPU, random numbers, a row that waits) run one by one.
// A graph has its addresses for good. So arguments on the device are copied into memory of the instance before a launch, and results out of it
// after; with `keeps` the result is the instance's memory itself. What cannot be captured, for want of memory too, runs step by step as before.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "core/device.h"
#include "core/errors.h"
#include "core/invoke.h"
#include "core/schedule_instance.h"

namespace torchscript {
namespace {

// CPU arguments beyond this go through the pinned memory that all copies share.
constexpr size_t kMostPinned = size_t{64} << 20;
// Rows that refuse to be captured are left out, so many at most.
constexpr int kMostRefusals = 8;
constexpr size_t kBlockAlignment = 256;

// Bytes from the first element of a window to the end of the last one.
size_t extent_of(const TensorView& view) {
  int64_t last = 0;
  for (int d = 0; d < view.ndim; d++) {
    if (view.sizes[d] == 0) return 0;
    last += (view.sizes[d] - 1) * view.strides[d];
  }
  return static_cast<size_t>((last + 1) * dtype_size(view.dtype));
}
bool graphs_allowed() {
  static const bool allowed = [] {
    const char* value = std::getenv("TORCHSCRIPT_CUDA_GRAPHS");
    return !value || std::strcmp(value, "off") != 0;
  }();
  return allowed;
}
size_t aligned(size_t bytes) { return (bytes + kBlockAlignment - 1) & ~(kBlockAlignment - 1); }

}  // namespace

bool Schedule::is_capturable(size_t index) const {
  const ScheduleStep& step = steps[index];
  if (step.random || step.row->random || step.row->data_dependent || step.row->waits) return false;
  for (int i = 0; i < step.noutputs; i++)
    if (views[static_cast<size_t>(step.first_output + i)].device != device) return false;
  const auto there = [&](int view) { return view < 0 || views[static_cast<size_t>(view)].device == device; };
  for (int i = 0; i < step.nargs; i++) {
    const ScheduleArg& arg = args[static_cast<size_t>(step.first_arg + i)];
    for (int view : arg.list)
      if (!there(view)) return false;
    if (arg.arg.kind != ArgKind::Tensor || there(arg.view)) continue;
    // The copy of an argument, which nothing writes on the CPU before.
    const ScheduleSlot& slot = slots[static_cast<size_t>(view_slots[static_cast<size_t>(arg.view)])];
    if (step.row != &copy_row() || slot.kind != SlotKind::Input || slot.bytes > kMostPinned) return false;
    if (std::find(written_inputs.begin(), written_inputs.end(), slot.input) != written_inputs.end()) return false;
  }
  return step.noutputs > 0;
}

bool Schedule::capture(Instance& in, Tensor* const* inputs, int least_graph) {
  if (in.graphs) return true;
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (graphs_refused_ || !graphs_allowed()) return false;
  if (capturable_.empty()) {
    for (size_t i = 0; i < steps.size(); i++) capturable_.push_back(is_capturable(i));
  }
  std::string refusals;
  for (int attempt = 0;; attempt++) {
    int failed = -1;
    std::string reason;
    in.graphs = try_capture(in, inputs, least_graph, &failed, &reason);
    if (in.graphs) {
      graph_report_ = {0, 0, static_cast<int64_t>(in.graphs->bytes), refusals};
      for (const Graphs::Piece& piece : in.graphs->pieces) {
        if (!piece.graph) continue;
        graph_report_.graphs++;
        graph_report_.nodes += static_cast<int64_t>(piece.graph->nodes());
        graph_report_.bytes += static_cast<int64_t>(piece.graph->bytes());
      }
      return true;
    }
    if (failed < 0 || attempt == kMostRefusals) {
      graphs_refused_ = true;
      graph_report_ = {0, 0, 0, reason};
      return false;
    }
    capturable_[static_cast<size_t>(failed)] = false;
    refusals += (refusals.empty() ? "" : "; ") + reason;
  }
}

// Null after a failure, which says why, and which step refused if it was one alone.
std::unique_ptr<Schedule::Graphs> Schedule::try_capture(Instance& in, Tensor* const* inputs, int least_graph, int* failed, std::string* reason) {
  auto graphs = std::make_unique<Graphs>();
  const int n = static_cast<int>(steps.size());
  std::vector<bool> in_graph(static_cast<size_t>(n));
  bool some = false;
  const auto decides = [&](int step) {
    return std::any_of(decisions.begin(), decisions.end(), [step](const ScheduleDecision& decision) { return decision.step == step; });
  };
  for (int i = 0, end; i < n; i = end) {
    const bool captures = capturable_[static_cast<size_t>(i)];
    for (end = i + 1; end < n && capturable_[static_cast<size_t>(end)] == captures && !decides(end);) end++;
    const bool is_graph = captures && end - i >= least_graph;
    some = some || is_graph;
    for (int k = i; k < end; k++) in_graph[static_cast<size_t>(k)] = is_graph;
    // Neighbours that run one by one are one piece.
    if (is_graph || i == 0 || in_graph[static_cast<size_t>(i - 1)] || decides(i)) graphs->pieces.push_back({i, end, nullptr});
    else graphs->pieces.back().last = end;
  }
  if (!some) {
    *reason = "there are no " + std::to_string(least_graph) + " steps in a row that a graph could have";
    return nullptr;
  }
  Accelerator& cuda = require_accelerator();
  int at = 0;
  try {
    // Which window belongs to which step.
    std::vector<int> step_of(views.size(), -1);
    for (int i = 0; i < n; i++) {
      const ScheduleStep& step = steps[static_cast<size_t>(i)];
      for (int a = 0; a < step.nargs; a++) {
        const ScheduleArg& arg = args[static_cast<size_t>(step.first_arg + a)];
        if (arg.view >= 0) step_of[static_cast<size_t>(arg.view)] = i;
        for (int view : arg.list)
          if (view >= 0) step_of[static_cast<size_t>(view)] = i;
      }
      for (int o = 0; o < step.noutputs; o++) step_of[static_cast<size_t>(step.first_output + o)] = i;
    }
    // Windows of decisions belong to none.
    const auto is_in_graph = [&](int view) {
      const int step = step_of[static_cast<size_t>(view)];
      return step >= 0 && in_graph[static_cast<size_t>(step)];
    };
    // Memory of arguments.
    size_t on_device = 0, pinned = 0;
    std::vector<int64_t> device_offset(ninputs_, -1), pinned_offset(ninputs_, -1);
    for (const Patch& p : input_patches_) {
      const auto input = static_cast<size_t>(p.source);
      const TensorView& view = inputs[input]->view;
      if (view.device == device) {
        if (device_offset[input] >= 0) continue;
        const bool is_written = std::find(written_inputs.begin(), written_inputs.end(), p.source) != written_inputs.end();
        device_offset[input] = static_cast<int64_t>(on_device);
        graphs->on_device.push_back({p.source, extent_of(view), on_device, is_written});
        on_device += aligned(std::max<size_t>(graphs->on_device.back().bytes, 1));
      } else if (is_in_graph(p.view) && pinned_offset[input] < 0) {
        pinned_offset[input] = static_cast<int64_t>(pinned);
        graphs->on_cpu.push_back({p.source, extent_of(view), pinned, false});
        pinned += aligned(std::max<size_t>(graphs->on_cpu.back().bytes, 1));
      }
    }
    if (on_device > 0) graphs->device_inputs = Block(on_device, device);
    if (pinned > 0) {
      graphs->pinned = static_cast<char*>(cuda.allocate_pinned(pinned));
      graphs->pinned_free = cuda.make_event(device);
    }
    graphs->bytes = on_device;
    for (const Patch& p : input_patches_) {
      const auto input = static_cast<size_t>(p.source);
      char* base = nullptr;
      if (device_offset[input] >= 0) base = static_cast<char*>(graphs->device_inputs.data()) + device_offset[input];
      else if (is_in_graph(p.view)) base = graphs->pinned + pinned_offset[input];
      if (base) graphs->own.emplace_back(p.view, base + p.offset);
      else graphs->input_patches.push_back(p);
    }
    // Memory of results.
    graphs->outputs.resize(output_slots_.size());
    for (const Patch& p : output_patches_) {
      Ref<Storage>& storage = graphs->outputs[static_cast<size_t>(p.source)];
      const ScheduleSlot& slot = slots[static_cast<size_t>(output_slots_[static_cast<size_t>(p.source)])];
      if (slot.device != device) {
        graphs->output_patches.push_back(p);
        continue;
      }
      if (!storage) {
        storage = Storage::allocate(slot.bytes, device);
        graphs->bytes += slot.bytes;
      }
      graphs->own.emplace_back(p.view, static_cast<char*>(storage->data) + p.offset);
    }
    for (const auto& [view, data] : graphs->own) in.views[static_cast<size_t>(view)].data = data;
    for (Graphs::Piece& piece : graphs->pieces) {
      if (!in_graph[static_cast<size_t>(piece.first)]) continue;
      cuda.begin_capture(device);
      for (at = piece.first; at < piece.last; at++) {
        const ScheduleStep& step = steps[static_cast<size_t>(at)];
        const Call& call = in.calls[static_cast<size_t>(at)];
        if (step.row == &copy_row() && call.args[0].tensor->device != device) enqueue_views_in(call.outputs[0], *call.args[0].tensor);
        else step.row->run(in.calls[static_cast<size_t>(at)]);
        in.runtime.abandon_operator();
      }
      at = -1;
      piece.graph = cuda.end_capture();
    }
    return graphs;
  } catch (const std::exception& e) {
    cuda.abandon_capture();
    in.runtime.abandon_operator();
    const auto* error = dynamic_cast<const OperatorError*>(&e);
    const bool alone = error && error->python_class != "OutOfMemoryError" && at >= 0 && at < n && in_graph[static_cast<size_t>(at)];
    *failed = alone ? at : -1;
    *reason = (alone ? std::string(steps[static_cast<size_t>(at)].name) + ": " : std::string()) + e.what();
    return nullptr;
  }
}

Value Schedule::replay_graphs(Instance& in, Tensor* const* inputs, bool keeps) {
  Graphs& graphs = *in.graphs;
  Accelerator& cuda = require_accelerator();
  const auto inputs_at = static_cast<char*>(graphs.device_inputs.data());
  // Results: those of the graphs are copied when they are there, unless they are kept.
  auto fresh = [&](size_t i) {
    const ScheduleSlot& slot = slots[static_cast<size_t>(output_slots_[i])];
    return Storage::allocate(slot.bytes, slot.device);
  };
  if (keeps) {
    bool same = in.kept.size() == output_slots_.size();
    for (size_t i = 0; same && i < output_slots_.size(); i++) same = !graphs.outputs[i] || in.kept[i] == graphs.outputs[i];
    if (!same) {
      in.kept_result = Value();
      in.kept.clear();
      for (size_t i = 0; i < output_slots_.size(); i++) in.kept.push_back(graphs.outputs[i] ? graphs.outputs[i] : fresh(i));
    }
    in.outputs.assign(in.kept.begin(), in.kept.end());
  } else {
    for (size_t i = 0; i < output_slots_.size(); i++) in.outputs.push_back(fresh(i));
  }
  for (const auto& [slot, constant] : copied_outputs) {
    for (size_t i = 0; i < output_slots_.size(); i++)
      if (output_slots_[i] == slot) copy_storage(*in.outputs[i], *constant);
  }
  for (const Graphs::Input& input : graphs.on_device)
    cuda.copy_between(device, inputs_at + input.offset, device, inputs[input.input]->view.data, input.bytes);
  if (graphs.pinned) {
    if (graphs.pinned_used) graphs.pinned_free->wait();
    for (const Graphs::Input& input : graphs.on_cpu) {
      inputs[input.input]->storage->settle();
      std::memcpy(graphs.pinned + input.offset, inputs[input.input]->view.data, input.bytes);
    }
  }
  if (std::exchange(graphs.is_stale, false))
    for (const auto& [view, data] : graphs.own) in.views[static_cast<size_t>(view)].data = data;
  for (const Patch& p : graphs.input_patches)
    in.views[static_cast<size_t>(p.view)].data = static_cast<char*>(inputs[p.source]->view.data) + p.offset;
  for (const Patch& p : graphs.output_patches)
    in.views[static_cast<size_t>(p.view)].data = static_cast<char*>(in.outputs[static_cast<size_t>(p.source)]->data) + p.offset;

  {
    // Whatever happens: the memory is read until then.
    struct Used {
      Graphs& graphs;
      ~Used() {
        try {
          graphs.pinned_free->record();
          graphs.pinned_used = true;
        } catch (...) {
          // The device is gone.
        }
      }
    };
    std::optional<Used> used;
    if (graphs.pinned) used.emplace(graphs);
    size_t decided = 0;
    for (const Graphs::Piece& piece : graphs.pieces) {
      check_decisions(in, piece.first, &decided);
      if (piece.graph) piece.graph->launch();
      else run_steps(in, piece.first, piece.last);
    }
    check_decisions(in, static_cast<int>(steps.size()), &decided);
  }
  for (const Graphs::Input& input : graphs.on_device) {
    if (input.is_written) cuda.copy_between(device, inputs[input.input]->view.data, device, inputs_at + input.offset, input.bytes);
  }
  if (!keeps) {
    for (size_t i = 0; i < output_slots_.size(); i++)
      if (graphs.outputs[i]) copy_storage(*in.outputs[i], *graphs.outputs[i]);
    return build(result, inputs, in.outputs);
  }
  for (const Ref<Storage>& storage : in.kept) storage->version.fetch_add(1, std::memory_order_release);
  if (in.kept_result.is_none()) in.kept_result = build(result, inputs, in.outputs);
  return in.kept_result;
}

GraphReport Schedule::graph_report() {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  return graph_report_;
}

}  // namespace torchscript
