// Fused groups on the device: one emitted kernel for a group, two for a reduction of few long rows. Steps that give less than the group's shape are
// computed in that kernel too, unless somebody reads their results.
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cpu-avx/fused_steps.h"
#include "cpu-avx/promote.h"
#include "cuda/emit/elements.h"
#include "cuda/emitted.h"

namespace torchscript::cuda {
namespace {

using emit::Head;
using emit::KernelClass;
using emit::KernelText;
using emit::Window;

constexpr int64_t kMost = int64_t{1} << 31;  // elements
constexpr int kMaxVector = 8;
constexpr int64_t kLongReduction = 1 << 15;  // elements of a row that several blocks may share
constexpr int64_t kLeastPiece = 1 << 13;
constexpr int kParameterBytes = 4096;

// Texts by what they depend on.
std::shared_ptr<const KernelText> text_for(const std::string& key, const std::function<KernelText()>& write) {
  static std::mutex mutex;
  static auto* known = new std::unordered_map<std::string, std::shared_ptr<const KernelText>>;
  std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<const KernelText>& text = (*known)[key];
  if (!text) text = std::make_shared<KernelText>(write());
  return text;
}

// The kernel of a group for the dtypes, shapes and strides of one call.
class DeviceGroup {
 public:
  // Null with a reason when the group has to run operator by operator. Looks at no data.
  static std::unique_ptr<DeviceGroup> build(const Call& call, std::string* reason);
  void describe(Call& call) const;
  size_t workspace() const { return workspace_; }
  void run(Call& call) const;

 private:
  const char* prepare();
  const char* make_windows();
  const char* make_loop();
  void choose_rows();
  KernelClass class_for(int vector) const;
  std::shared_ptr<const KernelText> text(int vector) const;
  char* memory_of(const Call& call, int value) const;
  void run_small(Call& call, size_t step) const;
  int64_t unit_bytes(const Window& window) const { return dtype_size(window.dtype); }

  FusedSteps steps_;
  KernelClass class_;
  Loop<1> loop_;                               // sizes of its dimensions
  std::vector<std::vector<int64_t>> strides_;  // of windows in elements, by dimension of the loop
  std::vector<uint32_t> offset_strides_;       // in bytes, by offsets and dimension
  std::vector<int64_t> small_places_;          // in the workspace, by value; -1
  std::vector<size_t> smalls_;                 // steps that run by themselves
  int most_ = 1;                               // elements of a vector
  int64_t piece_ = 0, pieces_ = 1, partials_ = 0;
  size_t workspace_ = 0;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const KernelText> texts_[kMaxVector + 1];
  mutable std::shared_ptr<const KernelText> fold_;
};

const char* DeviceGroup::make_windows() {
  const size_t count = steps_.steps.size();
  class_.computed.assign(count, 0);
  class_.window_of_value.assign(steps_.values.size(), -1);
  small_places_.assign(steps_.values.size(), -1);
  bool apart = false;
  for (const FusedStep& step : steps_.steps) apart = apart || (!step.full && !step.reduction && !step.copied && step.output >= 0);
  for (size_t s = 0; s < count; s++) {
    const FusedStep& step = steps_.steps[s];
    if (step.reduction || step.copied) continue;
    for (int k = 0; k < step.count; k++) {
      if (step.operands[k].value >= 0 && !emit::has_elements(steps_.values[static_cast<size_t>(step.operands[k].value)].view.dtype))
        return "dtypes without kernels";
    }
    if (!emit::has_elements(steps_.values[static_cast<size_t>(step.value)].view.dtype)) return "dtypes without kernels";
    class_.computed[s] = step.full || !apart;
    if (class_.computed[s]) continue;
    smalls_.push_back(s);
    if (step.output >= 0) continue;
    const TensorView& view = steps_.values[static_cast<size_t>(step.value)].view;
    small_places_[static_cast<size_t>(step.value)] = static_cast<int64_t>(workspace_);
    workspace_ += static_cast<size_t>((view.numel() * dtype_size(view.dtype) + 255) / 256 * 256);
  }
  const auto add = [&](int value, bool output) {
    int& known = class_.window_of_value[static_cast<size_t>(value)];
    if (known >= 0) return;
    known = static_cast<int>(class_.windows.size());
    Window window;
    window.value = value;
    window.dtype = steps_.values[static_cast<size_t>(value)].view.dtype;
    window.output = output;
    class_.windows.push_back(window);
  };
  for (size_t s = 0; s < count; s++) {
    if (!class_.computed[s]) continue;
    const FusedStep& step = steps_.steps[s];
    for (int k = 0; k < step.count; k++) {
      const int value = step.operands[k].value;
      if (value < 0) continue;
      const int from = steps_.step_of_value[static_cast<size_t>(value)];
      if (from < 0 || !class_.computed[static_cast<size_t>(from)]) add(value, false);
    }
  }
  for (size_t s = 0; s < count; s++)
    if (class_.computed[s] && steps_.steps[s].output >= 0) add(steps_.steps[s].value, true);
  if (steps_.reduced.row) add(steps_.steps[static_cast<size_t>(steps_.reduced.step)].value, true);
  return nullptr;
}

// Dimensions of the group's shape, merged where all windows allow, and how each window is read.
const char* DeviceGroup::make_loop() {
  if (steps_.total >= kMost) return "2^31 elements or more";
  const TensorView& shape = steps_.shape;
  const size_t count = class_.windows.size(), loops = count - (steps_.reduced.row ? 1 : 0);
  std::vector<std::array<int64_t, kMaxDims>> all(loops + 1);
  // The order of the first result, or of the shape where a reduction follows it.
  const int first = steps_.reduced.row ? -1 : [&] {
    for (size_t k = 0; k < loops; k++)
      if (class_.windows[k].output) return static_cast<int>(k);
    return -1;
  }();
  int64_t stride = 1;
  for (int d = shape.ndim - 1; d >= 0; d--) {
    all[0][static_cast<size_t>(d)] = stride;
    stride *= shape.sizes[d];
  }
  for (size_t k = 0; k < loops; k++) {
    const TensorView& view = steps_.values[static_cast<size_t>(class_.windows[k].value)].view;
    if (view.numel() == 1 && view.ndim > shape.ndim) all[k + 1].fill(0);
    else broadcast_strides(all[k + 1].data(), shape.sizes, shape.ndim, view);
  }
  if (first >= 0) all[0] = all[static_cast<size_t>(first) + 1];
  std::vector<const int64_t*> rows;
  for (const auto& row : all) rows.push_back(row.data());
  std::vector<int64_t> merged(static_cast<size_t>(kLoopDims) * rows.size());
  const int windows = static_cast<int>(rows.size());
  if (!build_loop(shape.sizes, shape.ndim, rows.data(), windows, &loop_.n, &loop_.ndim, loop_.sizes, merged.data(), windows))
    return "2^31 elements or more";
  class_.ndim = std::max(1, loop_.ndim);
  std::vector<int64_t> dense(static_cast<size_t>(class_.ndim), 1);
  for (int d = 1; d < loop_.ndim; d++) dense[static_cast<size_t>(d)] = dense[static_cast<size_t>(d - 1)] * loop_.sizes[d - 1].divisor;
  std::vector<std::vector<int64_t>> seen;
  for (size_t k = 0; k < loops; k++) {
    Window& window = class_.windows[k];
    std::vector<int64_t> own(static_cast<size_t>(class_.ndim), 0);
    bool linear = true, single = !window.output;
    for (int d = 0; d < loop_.ndim; d++) {
      own[static_cast<size_t>(d)] = merged[static_cast<size_t>(d * windows) + k + 1];
      linear = linear && own[static_cast<size_t>(d)] == dense[static_cast<size_t>(d)];
      single = single && own[static_cast<size_t>(d)] == 0;
    }
    if (loop_.ndim == 0) own[0] = window.output;
    strides_.push_back(own);
    window.access = single ? Window::Access::Single : linear ? Window::Access::Linear : Window::Access::Offset;
    if (window.access != Window::Access::Offset) continue;
    window.inner = own[0] == 0 ? Window::Inner::Same : own[0] == 1 ? Window::Inner::Next : Window::Inner::Apart;
    std::vector<int64_t> bytes = own;
    for (int64_t& b : bytes) {
      b *= unit_bytes(window);
      if (b < 0 || b >= int64_t{1} << 32) return "strides of 4 GiB or more";
    }
    const auto known = std::find(seen.begin(), seen.end(), bytes);
    window.offsets = static_cast<int>(known - seen.begin());
    if (known == seen.end()) seen.push_back(bytes);
  }
  class_.offsets = static_cast<int>(seen.size());
  for (const auto& bytes : seen)
    for (int64_t b : bytes) offset_strides_.push_back(static_cast<uint32_t>(b));
  // 16 bytes of the narrowest elements, as far as rows are whole vectors.
  int64_t narrowest = 16;
  for (size_t k = 0; k < loops; k++) {
    const Window& w = class_.windows[k];
    if (w.access == Window::Access::Linear || (w.access == Window::Access::Offset && w.inner == Window::Inner::Next))
      narrowest = std::min(narrowest, unit_bytes(w));
  }
  most_ = static_cast<int>(std::min<int64_t>(kMaxVector, 16 / narrowest));
  const auto fits = [&](int vector) {
    if (loop_.ndim > 1 && loop_.sizes[0].divisor % static_cast<uint32_t>(vector) != 0) return false;
    if (steps_.reduced.row && steps_.reduced.gone % vector != 0) return false;
    for (size_t k = 0; k < loops; k++) {
      const Window& w = class_.windows[k];
      if (w.access != Window::Access::Offset || w.inner != Window::Inner::Next) continue;
      for (int d = 1; d < class_.ndim; d++)
        if (strides_[k][static_cast<size_t>(d)] % vector != 0) return false;
    }
    return true;
  };
  while (most_ > 1 && !fits(most_)) most_ /= 2;
  const emit::Layout layout(count, emit::numbers_of(steps_, class_.computed).size(), class_.ndim, class_.offsets);
  if (layout.bytes > kParameterBytes) return "too many tensors";
  return nullptr;
}

void DeviceGroup::choose_rows() {
  const FusedReduced& reduced = steps_.reduced;
  if (!reduced.row) return;
  int threads = 1;
  while (threads < 32 && threads * most_ < reduced.gone) threads *= 2;
  if (reduced.gone > int64_t{32} * most_ * 8) threads = emit::kThreads;
  class_.row_threads = threads;
  class_.windows.back().access = Window::Access::Linear;
  if (threads == emit::kThreads && reduced.gone >= kLongReduction && reduced.kept < 256) {
    const int64_t wanted = std::max<int64_t>(1, 512 / reduced.kept);
    piece_ = std::max(kLeastPiece, (reduced.gone + wanted - 1) / wanted);
    piece_ = (piece_ + kMaxVector - 1) / kMaxVector * kMaxVector;
    pieces_ = (reduced.gone + piece_ - 1) / piece_;
  }
  class_.pieces = pieces_ > 1;
  if (!class_.pieces) return;
  partials_ = static_cast<int64_t>(workspace_);
  workspace_ += static_cast<size_t>((reduced.kept * pieces_ * emit::accumulator_bytes(*reduced.row, reduced.element) + 255) / 256 * 256);
}

KernelClass DeviceGroup::class_for(int vector) const {
  KernelClass shape = class_;
  shape.vector = vector;
  return shape;
}

std::shared_ptr<const KernelText> DeviceGroup::text(int vector) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<const KernelText>& known = texts_[vector];
  if (!known) {
    const KernelClass shape = class_for(vector);
    known = text_for(emit::key_of(steps_, shape), [&] { return emit::kernel_text(steps_, shape); });
  }
  return known;
}

std::unique_ptr<DeviceGroup> DeviceGroup::build(const Call& call, std::string* reason) {
  const auto refuse = [&](const std::string& why) {
    if (reason) *reason = why;
    return std::unique_ptr<DeviceGroup>();
  };
  if (call.nargs < 1 || call.args[0].kind != ArgKind::String) return refuse("no program");
  const auto program = FusedText::parse(call.args[0].str.p, call.args[0].str.n);
  if (!program) return refuse("no program");
  auto group = std::make_unique<DeviceGroup>();
  try {
    if (const char* why = group->steps_.read(call, *program)) return refuse(why);
    if (const char* why = group->make_windows()) return refuse(why);
    if (const char* why = group->make_loop()) return refuse(why);
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
  group->choose_rows();
  for (int i = 0; i < call.nargs; i++)
    if (call.args[i].kind == ArgKind::Tensor && call.args[i].tensor->device != kCpuDevice) {
      group->class_.brain_floats = enter(call.args[i].tensor->device).properties.major >= 8;
      break;
    }
  const auto text = group->text(group->most_);
  if (!text->refusal.empty()) return refuse(text->refusal);
  return group;
}

void DeviceGroup::describe(Call& call) const {
  for (size_t i = 0; i < steps_.outputs.size(); i++) {
    TensorView& out = call.outputs[i];
    void* data = out.data;
    const int8_t device = out.device;
    out = steps_.outputs[i];
    out.data = data;
    out.device = device;
  }
}

char* DeviceGroup::memory_of(const Call& call, int value) const {
  const FusedValue& v = steps_.values[static_cast<size_t>(value)];
  if (v.output >= 0) return static_cast<char*>(call.outputs[v.output].data);
  if (v.argument >= 0) return static_cast<char*>(call.args[v.argument].tensor->data);
  return static_cast<char*>(call.workspace) + small_places_[static_cast<size_t>(value)];
}

void DeviceGroup::run_small(Call& call, size_t at) const {
  const FusedStep& step = steps_.steps[at];
  TensorView views[kMaxOperands];
  Arg args[kMaxOperands];
  const Arg* operands[kMaxOperands];
  const auto view_of = [&](int value) {
    TensorView view = steps_.values[static_cast<size_t>(value)].view;
    view.data = memory_of(call, value);
    view.device = call.outputs[0].device;
    return view;
  };
  for (int k = 0; k < step.count; k++) {
    operands[k] = &args[k];
    if (step.operands[k].value < 0) {
      args[k] = step.operands[k].number;
      continue;
    }
    views[k] = view_of(step.operands[k].value);
    args[k].kind = ArgKind::Tensor;
    args[k].tensor = &views[k];
  }
  const TensorView out = view_of(step.value);
  if (step.cast) copy_strided(out, views[0], call.runtime);
  else run_pointwise_to(call.runtime, out, step.id, operands);
}

void DeviceGroup::run(Call& call) const {
  const int device = call.outputs[0].device;
  for (size_t step : smalls_) run_small(call, step);
  // Vectors as long as all memory is aligned to.
  int vector = most_;
  char* memory[kMaxFusedInputs + kMaxFusedSteps];
  const FusedReduced& reduced = steps_.reduced;
  for (size_t k = 0; k < class_.windows.size(); k++) {
    const Window& w = class_.windows[k];
    memory[k] = memory_of(call, w.value);
    if (w.access == Window::Access::Single || (w.access == Window::Access::Offset && w.inner != Window::Inner::Next)) continue;
    if (reduced.row && k + 1 == class_.windows.size()) continue;
    while (vector > 1 &&
           reinterpret_cast<uintptr_t>(memory[k]) % static_cast<uintptr_t>(std::min<int64_t>(16, vector * unit_bytes(w))) != 0)
      vector /= 2;
  }
  const auto kernel = text(vector);
  if (!kernel->refusal.empty()) fail("a fused group does not take %s", kernel->refusal.c_str());
  if (class_.pieces) memory[class_.windows.size() - 1] = static_cast<char*>(call.workspace) + partials_;

  const auto numbers = emit::numbers_of(steps_, class_.computed);
  const emit::Layout layout(class_.windows.size(), numbers.size(), class_.ndim, class_.offsets);
  alignas(16) char block[kParameterBytes] = {};
  Head head;
  if (reduced.row) {
    head.n = static_cast<uint32_t>(reduced.kept);
    head.vectors = head.count = static_cast<uint32_t>(reduced.gone);
    head.piece = static_cast<uint32_t>(piece_);
    head.pieces = static_cast<uint32_t>(pieces_);
    head.units = static_cast<uint32_t>(reduced.kept * pieces_);
  } else {
    head.n = loop_.n;
    head.vectors = loop_.n / static_cast<uint32_t>(vector);
  }
  std::memcpy(block, &head, sizeof head);
  std::memcpy(block + layout.windows, memory, class_.windows.size() * sizeof(char*));
  for (size_t i = 0; i < numbers.size(); i++) {
    const FusedStep& step = steps_.steps[static_cast<size_t>(numbers[i].step)];
    write_number_as(step.operands[numbers[i].operand].number, step.common, step.compute, block + layout.numbers + i * 8);
  }
  for (int d = 0; d + 1 < class_.ndim; d++) {
    const uint32_t divider[3] = {loop_.sizes[d].divisor, loop_.sizes[d].magic, loop_.sizes[d].shift};
    std::memcpy(block + layout.dividers + d * 12, divider, sizeof divider);
  }
  if (!offset_strides_.empty()) std::memcpy(block + layout.strides, offset_strides_.data(), offset_strides_.size() * sizeof(uint32_t));

  if (!reduced.row) {
    const int64_t work = std::max<int64_t>(head.vectors, vector > 1 ? head.n % static_cast<uint32_t>(vector) : 0);
    return launch_text(device, call.runtime, *kernel, grid_for(device, work, emit::kThreads), block);
  }
  const int64_t lanes = int64_t{head.units} * class_.row_threads;
  launch_text(device, call.runtime, *kernel, grid_for(device, lanes, emit::kThreads), block);
  if (!class_.pieces) return;
  const DType out = steps_.outputs[static_cast<size_t>(reduced.output)].dtype;
  std::shared_ptr<const KernelText> fold;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!fold_) {
      const std::string key = std::string("fold ") + reduced.row->row + " " + std::to_string(static_cast<int>(reduced.element)) + " " +
                              dtype_name(out) + (class_.brain_floats ? " bf16" : "");
      fold_ = text_for(key, [&] { return emit::fold_text(*reduced.row, reduced.element, out, class_.brain_floats); });
    }
    fold = fold_;
  }
  const emit::Layout folded(2, 0, 1, 0);
  alignas(16) char fold_block[64] = {};
  head.units = static_cast<uint32_t>(reduced.kept);
  head.vectors = static_cast<uint32_t>(pieces_);
  std::memcpy(fold_block, &head, sizeof head);
  const char* windows[2] = {static_cast<const char*>(call.workspace) + partials_,
                            static_cast<const char*>(call.outputs[reduced.output].data)};
  std::memcpy(fold_block + folded.windows, windows, sizeof windows);
  launch_text(device, call.runtime, *fold, grid_for(device, reduced.kept * 32, emit::kThreads), fold_block);
}

std::unique_ptr<DeviceGroup> build_or_fail(const Call& call) {
  std::string reason;
  auto group = DeviceGroup::build(call, &reason);
  if (!group) fail("a fused group does not take %s", reason.c_str());
  return group;
}

TS_CUDA_KERNEL(fused_pointwise, {.infer = [](Call& call) { build_or_fail(call)->describe(call); },
                                 .run =
                                   [](Call& call) {
                                     if (call.prepared) return static_cast<const DeviceGroup*>(call.prepared)->run(call);
                                     build_or_fail(call)->run(call);
                                   },
                                 .in_place = true,
                                 .accepts =
                                   [](const Call& call) {
                                     Call asked = call;
                                     asked.noutputs = -1;  // not known yet
                                     return DeviceGroup::build(asked, nullptr) != nullptr;
                                   },
                                 .prepare = [](const Call& call) -> void* { return build_or_fail(call).release(); },
                                 .release = [](void* prepared) { delete static_cast<DeviceGroup*>(prepared); },
                                 .workspace = [](const Call& call) { return build_or_fail(call)->workspace(); }});

}  // namespace
}  // namespace torchscript::cuda
