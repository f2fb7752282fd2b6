// Kernel calls with tensors on a CUDA device: which device, which row, and what happens where there is none.
#include <cstring>

#include "core/device.h"
#include "core/errors.h"
#include "core/invoke.h"
#include "core/recorder.h"
#include "core/program.h"
#include "core/registry.h"
#include "core/run.h"

namespace torchscript {
namespace {

template <class F> void for_each_tensor(const Value* args, int nargs, const F& visit) {
  for (int i = 0; i < nargs; i++) {
    if (args[i].is(Tag::Tensor)) visit(args[i].to_tensor(), i);
    else if (args[i].is(Tag::List) || args[i].is(Tag::Tuple)) {
      for (const Value& item : args[i].is(Tag::List) ? args[i].to_list().items : args[i].to_tuple().items)
        if (item.is(Tag::Tensor)) visit(item.to_tensor(), i);
    }
  }
}

// Indices may be on the CPU, as in PyTorch.
bool takes_cpu_indices(const Kernel& row) { return std::strncmp(row.name, "index", 5) == 0 && std::strstr(row.name, "select") == nullptr; }

std::string types_of(const Value* args, int nargs) {
  std::string text;
  for_each_tensor(args, nargs, [&](const Tensor& t, int) {
    const char* name = dtype_name(t.dtype());
    if (text.find(name) != std::string::npos) return;
    text += (text.empty() ? "" : ", ") + std::string(name);
  });
  return text;
}

// The value with every tensor in it replaced.
template <class F> Value mapped(const Value& value, const F& map) {
  if (value.is(Tag::Tensor)) return map(value);
  if (!value.is(Tag::List) && !value.is(Tag::Tuple)) return value;
  const auto& items = value.is(Tag::List) ? value.to_list().items : value.to_tuple().items;
  bool tensors = false;
  for (const Value& item : items) tensors = tensors || item.is(Tag::Tensor);
  if (!tensors) return value;
  auto list = make_ref<ListValue>();
  if (value.is(Tag::List)) list->element = value.to_list().element;
  for (const Value& item : items) list->items.push_back(mapped(item, map));
  return Value(std::move(list));
}

// Constants of a program that was moved say `cpu` and mean where it is.
int8_t asked_device(const Program& program, const Value& device, int8_t otherwise, const char* name) {
  const int8_t asked = device_of(device, otherwise, name);
  return asked == kCpuDevice && program.device() != kCpuDevice ? program.device() : asked;
}

}  // namespace

Value Run::to_device(const Value& value, int8_t device) {
  Tensor& from = value.to_tensor();
  if (from.device() == device) return value;
  int64_t strides[kMaxDims];
  int64_t stride = 1, covered = 1, numel = from.numel();
  bool repeats = false;
  for (int d = from.dim() - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= from.size(d);
    covered += (from.size(d) - 1) * from.stride(d);
    repeats = repeats || (from.size(d) > 1 && from.stride(d) == 0);
  }
  // The order of dimensions in memory stays where there are no gaps.
  const bool keep = numel > 0 && covered == numel && !repeats;
  auto to = Tensor::empty_strided(from.dtype(), from.view.sizes, keep ? from.view.strides : strides, from.dim(), device);
  to->quant = from.quant;
  to->view.quant = from.view.quant;
  to->requires_grad = from.requires_grad;
  copy_recorded(*to, from);
  return Value(std::move(to));
}

void Run::invoke_placed(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                        int nresults) {
  // Where the tensors are. Single values on the CPU count as numbers.
  int8_t device = kCpuDevice, first = kCpuDevice;
  bool some = false, mixed = false, on_cpu = false;
  const Kernel* cuda = find_cuda_kernel(row.name);
  const uint32_t on_host = cuda ? cuda->on_host : 0;
  const auto stays = [&](int i) { return i < 32 && (on_host >> i & 1) != 0; };
  bool from_device = false;
  for_each_tensor(args, nargs, [&](const Tensor& t, int i) {
    if (t.wrapped_number) return;
    if (stays(i)) {
      from_device = from_device || t.device() != kCpuDevice;
      return;
    }
    if (t.device() == kCpuDevice) {
      on_cpu = true;
      return;
    }
    mixed = mixed || (some && t.device() != device);
    if (!some) first = t.device();
    some = true;
    device = t.device();
  });
  auto refuse = [&](int8_t a, int8_t b) {
    throw OperatorError("Expected all tensors to be on the same device, but found at least two devices, " + device_text(a) + " and " +
                        device_text(b) + "! (when calling " + name + ")");
  };
  if (mixed) refuse(first, device);
  int8_t asked = device;
  for (int i = 0; i < nargs; i++)
    if (args[i].is(Tag::Device)) asked = asked_device(program_, args[i], device, name);
  if (!some) {
    // A tensor made of sizes and numbers: where there is a CUDA row it is made there.
    const Kernel* made_there = row.random ? nullptr : cuda;
    if (on_cpu || from_device || asked == kCpuDevice || !made_there) return invoke_elsewhere(row, name, variant, args, nargs, results, nresults, kCpuDevice, asked);
    return invoke_row(*made_there, name, variant, args, nargs, results, nresults, asked);
  }
  if (asked != device) return invoke_elsewhere(row, name, variant, args, nargs, results, nresults, device, asked);
  std::vector<Value> moved;
  if (on_cpu || from_device) {
    // In a program that was moved, what it makes on the CPU follows.
    const bool follows = program_.device() == device;
    const bool indices = takes_cpu_indices(row);
    const int written = variant == Operator::Variant::Functional ? -1 : variant == Operator::Variant::InPlace ? 0 : nargs - nresults;
    for_each_tensor(args, nargs, [&](const Tensor& t, int i) {
      if (t.wrapped_number || t.device() != kCpuDevice || stays(i)) return;
      const bool is_written = variant == Operator::Variant::InPlace ? i == written : written >= 0 && i >= written;
      if (is_written || (t.dim() > 0 && !follows && !(indices && i == 1))) refuse(device, kCpuDevice);
    });
    moved.reserve(static_cast<size_t>(nargs));
    for (int i = 0; i < nargs; i++)
      moved.push_back(mapped(
        args[i], [&](const Value& v) { return v.to_tensor().wrapped_number ? v : to_device(v, stays(i) ? kCpuDevice : device); }));
    args = moved.data();
  }
  if (cuda && cuda->accepts) {
    ArgList list;
    const int ninputs = variant == Operator::Variant::Out ? nargs - nresults : nargs;
    list.set(args, ninputs);
    Call call;
    call.args = list.data();
    call.nargs = ninputs;
    call.runtime = &runtime_;
    if (!cuda->accepts(call)) cuda = nullptr;
  }
  if (cuda) return invoke_row(*cuda, name, variant, args, nargs, results, nresults, device);
  // Random numbers are the CPU's generator's, wherever they are wanted.
  if (row.random) return invoke_elsewhere(row, name, variant, args, nargs, results, nresults, kCpuDevice, device);
  if (cuda_fallback() == Fallback::Error) {
    const std::string types = types_of(args, nargs);
    throw UnsupportedOperator(std::string(name) + " has no CUDA kernel for " + types + " (row " + row.name + ") on " + device_text(device) +
                              ". It runs on the CPU: move its arguments there with .cpu(), or allow it everywhere with " +
                              "torch.cuda.setFallback('cpu').");
  }
  note_fallen_back(name);
  invoke_elsewhere(row, name, variant, args, nargs, results, nresults, kCpuDevice, device);
}

// Runs the row with its tensors on `run_on`, and gives results on `results_on`.
void Run::invoke_elsewhere(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                           int nresults, int8_t run_on, int8_t results_on) {
  const int ninputs = variant == Operator::Variant::Out ? nargs - nresults : nargs;
  std::vector<Value> there;
  for (int i = 0; i < ninputs; i++) {
    if (args[i].is(Tag::Device)) there.push_back(device_value(run_on));
    else there.push_back(mapped(args[i], [&](const Value& v) { return v.to_tensor().wrapped_number ? v : to_device(v, run_on); }));
  }
  std::vector<Value> made(static_cast<size_t>(std::max(nresults, 1)));
  invoke(row, name, Operator::Variant::Functional, there.data(), ninputs, made.data(), static_cast<int>(made.size()));
  for (int i = 0; i < static_cast<int>(made.size()); i++) {
    const Value result = mapped(made[static_cast<size_t>(i)], [&](const Value& v) { return to_device(v, results_on); });
    if (variant == Operator::Variant::Functional) {
      if (i < nresults) results[i] = result;
      continue;
    }
    const Value& target = variant == Operator::Variant::InPlace ? args[0] : args[ninputs + i];
    check_result_cast(result.to_tensor().dtype(), target.to_tensor().dtype());
    copy_into(target.to_tensor(), result.to_tensor());
    if (i < nresults) results[i] = target;
  }
}

}  // namespace torchscript
