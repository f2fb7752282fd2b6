// Schedules on a device as graphs that are launched as a whole.
//
// Note [Graphs of a schedule]
// The second call of a signature captures what the first has recorded: every run of steps that neither wait nor touch the CPU becomes one graph,
// with the copies of CPU arguments from pinned memory in it. Steps between such runs (a copy to the CPU, random numbers, a row that waits) run one by one.
// A graph has its addresses for good. So arguments on the device are copied into memory of the instance before a launch, and results out of it
// after; with `keeps` the result is the instance's memory itself. What cannot be captured, for want of memory too, runs step by step as before.
//
// Note [Results on the host]
// Results that are read on the CPU each time are copied to pinned memory at the end of the graph, so that a reader waits for an event and finds them
// there. Whether somebody reads is learned from the storages that were given (HostCopy): an output that was read after each of the last runs, before the
// next one, is copied from then on; one whose copies nobody takes for some runs is not, and needs more such runs to be copied again. Each change
// captures the last piece of the graphs anew. A copy holds until the graph runs again or the tensor is written; readers then copy from the device.
#include <algorithm>
#include <climits>
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
// Runs in a row that read an output before it is copied, at first and at most.
constexpr int kReadRuns = 2, kMostReadRuns = 512;
// Runs in a row that leave the copy alone before it is given up.
constexpr int kUnreadRuns = 8;
// Pinned memory of a device with which results are copied.
constexpr size_t kMostPinnedOfAll = size_t{256} << 20;

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

bool Schedule::capture(Instance& in, Tensor* const* inputs, bool keeps, int least_graph) {
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
    in.graphs = try_capture(in, inputs, keeps, least_graph, &failed, &reason);
    if (in.graphs) {
      report_graphs(*in.graphs);
      graph_report_.reason = refusals;
      return true;
    }
    if (failed < 0 || attempt == kMostRefusals) {
      graphs_refused_ = true;
      graph_report_ = {0, 0, 0, 0, reason};
      return false;
    }
    capturable_[static_cast<size_t>(failed)] = false;
    refusals += (refusals.empty() ? "" : "; ") + reason;
  }
}

// Null after a failure, which says why, and which step refused if it was one alone.
std::unique_ptr<Schedule::Graphs> Schedule::try_capture(Instance& in, Tensor* const* inputs, bool keeps, int least_graph, int* failed,
                                                        std::string* reason) {
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
    // In the shared arena inputs and results follow the intermediates.
    size_t end = aligned(device_arena_bytes);
    const auto in_arena = [&](size_t bytes) {
      const size_t at = end;
      end = at + aligned(std::max<size_t>(bytes, 1));
      grow_arena(*in.shared, end);
      return static_cast<char*>(in.shared->base()) + at;
    };
    if (on_device > 0) {
      if (!in.shared) graphs->own_inputs = Block(on_device, device);
      graphs->device_inputs = in.shared ? in_arena(on_device) : static_cast<char*>(graphs->own_inputs.data());
    }
    if (pinned > 0) {
      graphs->pinned = Pinned(device, pinned);
      graphs->pinned_free = cuda.make_event(device);
    }
    graphs->bytes = on_device;
    for (const Patch& p : input_patches_) {
      const auto input = static_cast<size_t>(p.source);
      char* base = nullptr;
      if (device_offset[input] >= 0) base = graphs->device_inputs + device_offset[input];
      else if (is_in_graph(p.view)) base = graphs->pinned.data() + pinned_offset[input];
      if (base) graphs->own.emplace_back(p.view, base + p.offset);
      else graphs->input_patches.push_back(p);
    }
    // Memory of results.
    graphs->outputs.resize(output_slots_.size());
    graphs->outputs_are_shared = in.shared && !keeps;
    for (const Patch& p : output_patches_) {
      Ref<Storage>& storage = graphs->outputs[static_cast<size_t>(p.source)];
      const ScheduleSlot& slot = slots[static_cast<size_t>(output_slots_[static_cast<size_t>(p.source)])];
      if (slot.device != device) {
        graphs->output_patches.push_back(p);
        continue;
      }
      if (!storage) {
        if (graphs->outputs_are_shared) {
          storage = Storage::wrap(in_arena(slot.bytes), slot.bytes, nullptr);
          storage->device = device;
        } else {
          storage = Storage::allocate(slot.bytes, device);
        }
        graphs->bytes += slot.bytes;
      }
      graphs->own.emplace_back(p.view, static_cast<char*>(storage->data) + p.offset);
    }
    find_results(*graphs);
    graphs->scratch_at = end;
    for (const auto& [view, data] : graphs->own) in.views[static_cast<size_t>(view)].data = data;
    for (Graphs::Piece& piece : graphs->pieces) {
      if (!in_graph[static_cast<size_t>(piece.first)]) continue;
      piece.graph = capture_piece(in, *graphs, static_cast<size_t>(&piece - graphs->pieces.data()), &at);
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

std::unique_ptr<DeviceGraph> Schedule::capture_piece(Instance& in, Graphs& graphs, size_t index, int* at) {
  Accelerator& cuda = require_accelerator();
  const Graphs::Piece& piece = graphs.pieces[index];
  cuda.begin_capture(device, in.shared.get(), graphs.scratch_at);
  for (*at = piece.first; *at < piece.last; ++*at) {
    const ScheduleStep& step = steps[static_cast<size_t>(*at)];
    Call& call = in.calls[static_cast<size_t>(*at)];
    if (step.row == &copy_row() && call.args[0].tensor->device != device) enqueue_views_in(call.outputs[0], *call.args[0].tensor);
    else step.row->run(call);
    in.runtime.abandon_operator();
  }
  *at = -1;
  if (index + 1 == graphs.pieces.size()) enqueue_results(graphs);
  return cuda.end_capture();
}

void Schedule::report_graphs(const Graphs& graphs) {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  GraphReport report;
  report.reason = graph_report_.reason;
  report.bytes = static_cast<int64_t>(graphs.bytes);
  report.pinned_bytes = static_cast<int64_t>(graphs.pinned.bytes() + graphs.pinned_results.bytes());
  for (const Graphs::Piece& piece : graphs.pieces) {
    if (!piece.graph) continue;
    report.graphs++;
    report.nodes += static_cast<int64_t>(piece.graph->nodes());
    report.bytes += static_cast<int64_t>(piece.graph->bytes());
  }
  graph_report_ = std::move(report);
}

// The windows of outputs that the result shows.
void Schedule::find_results(Graphs& graphs) const {
  graphs.results.resize(output_slots_.size());
  std::vector<const ResultNode*> nodes{&result};
  while (!nodes.empty()) {
    const ResultNode& node = *nodes.back();
    nodes.pop_back();
    for (const ResultNode& item : node.items) nodes.push_back(&item);
    if (node.kind != ResultNode::Kind::View) continue;
    const auto output = static_cast<size_t>(std::find(output_slots_.begin(), output_slots_.end(), node.view.slot) - output_slots_.begin());
    if (output == output_slots_.size() || !graphs.outputs[output]) continue;
    Graphs::Result& r = graphs.results[output];
    const auto begin = static_cast<size_t>(node.view.offset), bytes = extent_of(node.view.view);
    if (bytes == 0) continue;
    const size_t end = std::max(r.begin + r.bytes, begin + bytes);
    r.begin = r.bytes == 0 ? begin : std::min(r.begin, begin);
    r.bytes = end - r.begin;
    r.needed = kReadRuns;
  }
}

void Schedule::enqueue_results(const Graphs& graphs) const {
  for (size_t i = 0; i < graphs.results.size(); i++) {
    const Graphs::Result& r = graphs.results[i];
    if (r.is_copied)
      require_accelerator().enqueue_copy_out(device, graphs.pinned_results.data() + r.offset, static_cast<char*>(graphs.outputs[i]->data) + r.begin,
                                             r.bytes);
  }
}

void Schedule::choose_copies(Instance& in) {
  Graphs& graphs = *in.graphs;
  bool changes = false;
  std::vector<bool> copied;
  for (Graphs::Result& r : graphs.results) {
    bool is_copied = r.is_copied;
    if (r.last) {
      const HostCopy::Use use = r.last->end_run();
      r.last = nullptr;
      r.streak = (is_copied ? !use.was_served : use.was_read) ? r.streak + 1 : 0;
      if (r.streak >= (is_copied ? kUnreadRuns : r.needed)) {
        if (is_copied) r.needed = std::min(4 * r.needed, kMostReadRuns);
        is_copied = !is_copied;
        changes = true;
        r.streak = 0;
      }
    }
    copied.push_back(is_copied);
  }
  if (changes) copy_results(in, copied);
}

void Schedule::copy_results(Instance& in, const std::vector<bool>& copied) {
  Graphs& graphs = *in.graphs;
  Accelerator& cuda = require_accelerator();
  const std::vector<Graphs::Result> before = graphs.results;
  Graphs::Piece& last = graphs.pieces.back();
  // What is replaced goes in this order: graphs that may still run before what they write.
  Pinned memory = std::move(graphs.pinned_results);
  std::unique_ptr<DeviceGraph> graph;
  try {
    size_t bytes = 0;
    for (size_t i = 0; i < copied.size(); i++) {
      Graphs::Result& r = graphs.results[i];
      r.is_copied = copied[i];
      r.offset = bytes;
      if (r.is_copied) bytes += aligned(r.bytes);
    }
    if (bytes > kMostPinned || bytes + cuda.pinned_bytes(device) > kMostPinnedOfAll) throw OperatorError("too much pinned memory is in use");
    if (bytes > 0) graphs.pinned_results = Pinned(device, bytes);
    if (bytes > 0 && !graphs.results_done) graphs.results_done = cuda.make_event(device, true);
    if (last.graph) {
      int at = -1;
      graph = std::exchange(last.graph, capture_piece(in, graphs, graphs.pieces.size() - 1, &at));
    }
    report_graphs(graphs);
  } catch (const std::exception&) {
    // As before, for good.
    cuda.abandon_capture();
    in.runtime.abandon_operator();
    graphs.results = before;
    graphs.pinned_results = std::move(memory);
    for (size_t i = 0; i < copied.size(); i++)
      if (!before[i].is_copied) graphs.results[i].needed = INT_MAX;
  }
}

Value Schedule::replay_graphs(Instance& in, Tensor* const* inputs, bool keeps) {
  Graphs& graphs = *in.graphs;
  Accelerator& cuda = require_accelerator();
  if (std::exchange(graphs.is_stale, false))
    for (const auto& [view, data] : graphs.own) in.views[static_cast<size_t>(view)].data = data;
  choose_copies(in);
  const auto inputs_at = graphs.device_inputs;
  // Results: those of the graphs are copied when they are there, unless they are kept.
  auto fresh = [&](size_t i) {
    const ScheduleSlot& slot = slots[static_cast<size_t>(output_slots_[i])];
    return Storage::allocate(slot.bytes, slot.device);
  };
  if (keeps) {
    bool same = in.kept.size() == output_slots_.size();
    for (size_t i = 0; same && i < output_slots_.size(); i++) same = !graphs.own_output(i) || in.kept[i] == graphs.outputs[i];
    if (!same) {
      in.kept_result = Value();
      in.kept.clear();
      for (size_t i = 0; i < output_slots_.size(); i++) in.kept.push_back(graphs.own_output(i) ? graphs.outputs[i] : fresh(i));
    }
    in.outputs.assign(in.kept.begin(), in.kept.end());
  } else {
    for (size_t i = 0; i < output_slots_.size(); i++) in.outputs.push_back(fresh(i));
  }
  for (const auto& [slot, constant] : copied_outputs) {
    for (size_t i = 0; i < output_slots_.size(); i++)
      if (output_slots_[i] == slot) copy_storage(*in.outputs[i], *constant);
  }
  if (graphs.pinned.data()) {
    if (graphs.pinned_used) graphs.pinned_free->wait();
    for (const Graphs::Input& input : graphs.on_cpu) {
      inputs[input.input]->storage->settle();
      std::memcpy(graphs.pinned.data() + input.offset, inputs[input.input]->view.data, input.bytes);
    }
  }
  const auto order = hold_order(in);
  for (const Graphs::Input& input : graphs.on_device)
    cuda.copy_between(device, inputs_at + input.offset, device, inputs[input.input]->view.data, input.bytes);
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
    if (graphs.pinned.data()) used.emplace(graphs);
    size_t decided = 0;
    for (const Graphs::Piece& piece : graphs.pieces) {
      check_decisions(in, piece.first, &decided);
      if (piece.graph) piece.graph->launch();
      else run_steps(in, piece.first, piece.last);
    }
    check_decisions(in, static_cast<int>(steps.size()), &decided);
    if (graphs.pinned_results.data()) {
      if (!graphs.pieces.back().graph) enqueue_results(graphs);
      graphs.results_done->record();
    }
  }
  for (const Graphs::Input& input : graphs.on_device) {
    if (input.is_written) cuda.copy_between(device, inputs[input.input]->view.data, device, inputs_at + input.offset, input.bytes);
  }
  for (size_t i = 0; i < output_slots_.size(); i++)
    if (graphs.outputs[i] && in.outputs[i] != graphs.outputs[i]) copy_storage(*in.outputs[i], *graphs.outputs[i]);
  if (keeps) {
    for (const Ref<Storage>& storage : in.kept) storage->version.fetch_add(1, std::memory_order_release);
  }
  for (size_t i = 0; i < output_slots_.size(); i++) {
    Graphs::Result& r = graphs.results[i];
    if (r.bytes == 0) continue;
    Storage& storage = *in.outputs[i];
    if (!storage.host_copy) storage.host_copy = make_ref<HostCopy>();
    storage.host_copy->begin_run(storage, r.is_copied ? graphs.pinned_results.data() + r.offset : nullptr, r.begin, r.bytes, graphs.results_done.get());
    r.last = storage.host_copy;
  }
  if (!keeps) return build(result, inputs, in.outputs);
  if (in.kept_result.is_none()) in.kept_result = build(result, inputs, in.outputs);
  return in.kept_result;
}

GraphReport Schedule::graph_report() {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  return graph_report_;
}

}  // namespace torchscript
