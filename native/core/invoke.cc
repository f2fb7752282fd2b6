// Runs one kernel row on Values: arguments, infer, outputs, workspace, run, and the in-place and out variants.
#include <chrono>
#include <cstring>

#include "core/alternatives.h"
#include "core/derived.h"
#include "core/device.h"
#include "core/errors.h"
#include "core/invoke.h"
#include "core/pack.h"
#include "core/program.h"
#include "core/recorder.h"
#include "core/registry.h"
#include "core/run.h"
#include "core/trace.h"
#include "core/thread_pool.h"

namespace torchscript {

void KernelRuntime::parallel_for(int64_t n, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) {
  if (n <= 0) return;
  if (n <= grain) body(context, 0, n);
  else torchscript::parallel_for(n, grain, body, context);
}
int KernelRuntime::num_threads() const { return get_num_threads(); }

RandomSource& KernelRuntime::random() {
  if (!drew_random_) {
    random_lock_ = std::unique_lock<std::recursive_mutex>(default_generator().mutex);
    drew_random_ = true;
  }
  return default_generator();
}

void KernelRuntime::restore(const void* data) { settle_at(data); }

void* KernelRuntime::scratch(size_t bytes) {
  if (scratch_used_ < scratch_.size() && scratch_[scratch_used_].bytes() < bytes) scratch_[scratch_used_] = Block(bytes);
  else if (scratch_used_ == scratch_.size()) scratch_.emplace_back(bytes);
  return scratch_[scratch_used_++].data();
}

void KernelRuntime::free_scratch() {
  scratch_used_ = 0;
  size_t kept = 0;
  for (const Block& block : scratch_) kept += block.bytes();
  if (!keeps_scratch_ || kept > kKeptScratch) scratch_.clear();
}

void KernelRuntime::note(const char* inner_kernel) {
  if (!listening_) return;
  inner_ = inner_kernel;
  trace_note(inner_kernel);
}

void KernelRuntime::start_listening() {
  listening_ = true;
  inner_ = nullptr;
  started_ = profile_clock();
}

void KernelRuntime::stop_listening(const char* name, const char* row, const Call* call, int step, const std::vector<StackFrame>* frames) {
  const int64_t ended = profile_clock();
  listening_ = false;
  if (row) trace_operator(row);
  profile_add(name, row, inner_, started_, ended, call, step, frames);
}

void ArgList::set(const Value* values, int count) {
  count_ = count;
  used_ = 0;
  if (count > kInline) {
    many_.resize(static_cast<size_t>(count));
    args_ = many_.data();
  } else {
    args_ = inline_;
  }
  for (int i = 0; i < count; i++) convert(values[i], args_[i]);
}

void* ArgList::take(size_t bytes) {
  bytes = (bytes + 7) & ~size_t{7};
  if (used_ + bytes <= sizeof small_) {
    void* p = small_ + used_;
    used_ += bytes;
    return p;
  }
  heap_.push_back(std::make_unique<char[]>(bytes));
  return heap_.back().get();
}

void ArgList::convert(const Value& value, Arg& arg) {
  switch (value.tag()) {
    case Tag::None:
    case Tag::Generator:
    case Tag::Uninitialized: arg.kind = ArgKind::None; return;
    case Tag::Bool:
      arg.kind = ArgKind::Bool;
      arg.b = value.to_bool();
      return;
    case Tag::Int:
      arg.kind = ArgKind::Int;
      arg.i = value.to_int();
      return;
    case Tag::Float:
      arg.kind = ArgKind::Float;
      arg.d = value.to_float();
      return;
    case Tag::Complex:
      arg.kind = ArgKind::Complex;
      arg.c = {value.to_complex().real(), value.to_complex().imag()};
      return;
    case Tag::Tensor: {
      const Tensor& tensor = value.to_tensor();
      if (tensor.wrapped_number) return convert(read_element(tensor.view), arg);
      arg.kind = ArgKind::Tensor;
      arg.tensor = &tensor.view;
      return;
    }
    case Tag::String: {
      const std::string& text = value.to_string();
      arg.kind = ArgKind::String;
      arg.str = {text.data(), static_cast<int64_t>(text.size())};
      return;
    }
    case Tag::Device: {
      std::string text = value.to_device().text();
      char* copy = static_cast<char*>(take(text.size() + 1));
      std::memcpy(copy, text.c_str(), text.size() + 1);
      arg.kind = ArgKind::String;
      arg.str = {copy, static_cast<int64_t>(text.size())};
      return;
    }
    case Tag::Tuple: convert_items(value.to_tuple().items, nullptr, arg); return;
    case Tag::List: convert_items(value.to_list().items, value.to_list().element, arg); return;
    default: fail("A kernel cannot take a value of type '%s'", tag_name(value.tag()));
  }
}

void ArgList::convert_items(const std::vector<Value>& items, const TypeInfo* element, Arg& arg) {
  bool tensors = false, floats = false, ints = false, bools = false, nones = false, others = false;
  for (const Value& item : items) {
    switch (item.tag()) {
      case Tag::Tensor: tensors = true; break;
      case Tag::None: nones = true; break;
      case Tag::Float: floats = true; break;
      case Tag::Int: ints = true; break;
      case Tag::Bool: bools = true; break;
      default: others = true;
    }
  }
  size_t n = items.size();
  auto count = static_cast<int64_t>(n);
  if (others || (tensors && (floats || ints || bools)) || (nones && (floats || ints || bools)))
    fail("A kernel cannot take a list of mixed or structured elements");
  if (n == 0 && element) {
    const TypeInfo* inner = element->kind == TypeKind::Optional ? element->args[0] : element;
    tensors = inner->kind == TypeKind::Tensor;
    floats = inner->kind == TypeKind::Float;
    bools = inner->kind == TypeKind::Bool;
  }
  if (tensors || nones) {
    auto** list = static_cast<const TensorView**>(take(n * sizeof(void*)));
    for (size_t i = 0; i < n; i++) list[i] = items[i].is_none() ? nullptr : &items[i].to_tensor().view;
    arg.kind = ArgKind::TensorList;
    arg.tensors = {list, count};
  } else if (floats) {
    auto* list = static_cast<double*>(take(n * sizeof(double)));
    for (size_t i = 0; i < n; i++) list[i] = items[i].is(Tag::Bool) ? items[i].to_bool() : items[i].to_float();
    arg.kind = ArgKind::FloatList;
    arg.floats = {list, count};
  } else if (bools && !ints) {
    auto* list = static_cast<bool*>(take(n));
    for (size_t i = 0; i < n; i++) list[i] = items[i].to_bool();
    arg.kind = ArgKind::BoolList;
    arg.bools = {list, count};
  } else {
    auto* list = static_cast<int64_t*>(take(n * sizeof(int64_t)));
    for (size_t i = 0; i < n; i++) list[i] = items[i].is(Tag::Bool) ? items[i].to_bool() : items[i].to_int();
    arg.kind = ArgKind::IntList;
    arg.ints = {list, count};
  }
}

namespace {

// Sets out.quant's owned copy on a tensor that infer declared quantized.
void adopt_quant(Tensor& tensor, const TensorView& inferred) {
  if (!inferred.quant) return;
  auto owned = make_ref<OwnedQuantParams>();
  owned->params = *inferred.quant;
  if (inferred.quant->scheme != QuantParams::Scheme::PerTensorAffine && inferred.quant->scales) {
    auto n = static_cast<size_t>(inferred.sizes[inferred.quant->axis]);
    owned->scales.assign(inferred.quant->scales, inferred.quant->scales + n);
    owned->zero_points.assign(inferred.quant->zero_points, inferred.quant->zero_points + n);
    owned->params.scales = owned->scales.data();
    owned->params.zero_points = owned->zero_points.data();
  }
  tensor.quant = owned;
  tensor.view.quant = &owned->params;
}

std::string shape_text(const TensorView& view) {
  std::string text = "[";
  for (int i = 0; i < view.ndim; i++) text += (i ? ", " : "") + std::to_string(view.sizes[i]);
  return text + "]";
}

bool same_shape(const TensorView& a, const TensorView& b) {
  if (a.ndim != b.ndim) return false;
  for (int i = 0; i < a.ndim; i++)
    if (a.sizes[i] != b.sizes[i]) return false;
  return true;
}

bool same_window(const TensorView& a, const TensorView& b) {
  if (a.data != b.data || a.dtype != b.dtype || !same_shape(a, b)) return false;
  for (int i = 0; i < a.ndim; i++)
    if (a.sizes[i] > 1 && a.strides[i] != b.strides[i]) return false;
  return true;
}

// True when the kernel may write its result straight into `self`: same dtype, shape and strides as it would choose, and no other
// argument looks at the same memory through another window.
bool writes_directly(const Kernel& row, const TensorView& self, const TensorView& result, const Value* args, const Arg* argv, int nargs) {
  if (!row.in_place || self.dtype != result.dtype || !same_shape(self, result) || result.quant) return false;
  for (int i = 0; i < self.ndim; i++)
    if (self.sizes[i] > 1 && self.strides[i] != result.strides[i]) return false;
  const Storage* storage = args[0].to_tensor().storage.get();
  for (int i = 1; i < nargs; i++) {
    if (argv[i].kind == ArgKind::TensorList) {
      if (!args[i].is(Tag::List)) return false;
      for (const Value& item : args[i].to_list().items)
        if (item.is(Tag::Tensor) && item.to_tensor().storage.get() == storage) return false;
      continue;
    }
    if (argv[i].kind == ArgKind::Tensor && args[i].to_tensor().storage.get() == storage && !same_window(self, *argv[i].tensor))
      return false;
  }
  return true;
}

}  // namespace

bool on_accelerator(const Value* args, int nargs) {
  for (int i = 0; i < nargs; i++) {
    switch (args[i].tag()) {
      case Tag::Tensor:
        if (args[i].to_tensor().device() != kCpuDevice) return true;
        break;
      case Tag::Device:
        if (args[i].to_device().type != "cpu") return true;
        break;
      case Tag::List:
        for (const Value& item : args[i].to_list().items) {
          if (item.is(Tag::Tensor) ? item.to_tensor().device() != kCpuDevice : !item.is_none()) {
            if (item.is(Tag::Tensor)) return true;
            break;
          }
        }
        break;
      default: break;
    }
  }
  return false;
}

void check_result_cast(DType result, DType destination) {
  bool ok = true;
  if (is_complex(result) && !is_complex(destination)) ok = false;
  if (is_floating(result) && (is_integral(destination) || destination == DType::Bool)) ok = false;
  if (is_integral(result) && destination == DType::Bool) ok = false;
  if (!ok) fail("result type %s can't be cast to the desired output type %s", dtype_torch_name(result), dtype_torch_name(destination));
}

namespace {
bool is_packed_for(const Storage& storage) { return storage.is_weight || storage.packable.load(std::memory_order_relaxed); }
}  // namespace

// The row, or an alternative of it that is faster on this call.
const Kernel& Run::autotuned(const Kernel& row, Call& call, const Value* args) {
  if (row.pack_arg < 0 || row.pack_arg >= call.nargs || call.args[row.pack_arg].kind != ArgKind::Tensor || call.workspace_bytes > 0)
    return row;
  Storage& storage = *args[row.pack_arg].to_tensor().storage;
  // Only what stays packed is worth the time.
  return is_packed_for(storage) || recorder_->pack_known(row, call, storage) ? faster_row(row, call, storage) : row;
}

namespace {
// Brings weights that are away to memory, except that of one argument.
void settle_arguments(const Value* args, int nargs, int except) {
  for (int i = 0; i < nargs; i++) {
    if (i == except) continue;
    if (args[i].is(Tag::Tensor)) {
      args[i].to_tensor().storage->settle();
    } else if (args[i].is(Tag::List) || args[i].is(Tag::Tuple)) {
      for (const Value& item : args[i].is(Tag::List) ? args[i].to_list().items : args[i].to_tuple().items)
        if (item.is(Tag::Tensor)) item.to_tensor().storage->settle();
    }
  }
}
}  // namespace

// Runs the row; outputs have their memory. Packs the weight argument when there is one.
void Run::run_kernel(const Kernel& row, Call& call, const Value* args) {
  Block workspace;
  if (call.workspace_bytes > 0) {
    workspace = Block(call.workspace_bytes, call.noutputs > 0 ? call.outputs[0].device : kCpuDevice);
    call.workspace = workspace.data();
  }
  std::shared_ptr<const PackEntry> pack;
  if (row.pack_arg >= 0 && row.pack_arg < call.nargs && call.args[row.pack_arg].kind == ArgKind::Tensor) {
    Storage& storage = *args[row.pack_arg].to_tensor().storage;
    if (is_packed_for(storage)) pack = find_or_pack(row, call, storage);
    else if (recorder_) pack = recorder_->pack_known(row, call, storage);
    if (pack) call.packed = pack->data;
  }
  settle_arguments(args, call.nargs, pack && row.packed_only ? row.pack_arg : -1);
  row.run(call);
  if (recorder_) recorder_->pack_used(pack);
}

void Run::end_kernel(const char* name, const Kernel& row, const Call& call) {
  if (!profile_enabled()) return runtime_.end_operator(name, row.name);
  const std::vector<StackFrame> frames = stack_frames();
  runtime_.end_operator(name, row.name, &call, -1, &frames);
}

void Run::invoke(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                 int nresults) {
  if (nresults > kMaxOutputs) fail("%s has too many results", name);
  if (!row.quantized && has_quantized(args, nargs)) return invoke_dequantized(row, name, variant, args, nargs, results, nresults);
  if (on_accelerator(args, nargs)) return invoke_placed(row, name, variant, args, nargs, results, nresults);
  invoke_row(row, name, variant, args, nargs, results, nresults, kCpuDevice);
}

void Run::invoke_row(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                     int nresults, int8_t device) {
  int ninputs = variant == Operator::Variant::Out ? nargs - nresults : nargs;
  ArgList list;
  list.set(args, ninputs);
  std::vector<Value> present(derives_ ? static_cast<size_t>(nargs) : 0);
  TensorView outputs[kMaxOutputs];
  QuantParams quants[kMaxOutputs];
  Call call;
  call.args = list.data();
  call.nargs = ninputs;
  call.outputs = outputs;
  call.noutputs = variant == Operator::Variant::InPlace ? 1 : nresults;
  call.output_quant = quants;
  call.runtime = &runtime_;
  runtime_.begin_operator();
  try {
    if (row.data_dependent) {
      settle_arguments(args, ninputs, -1);
      if (recorder_) recorder_->data_dependent(name, args, ninputs);
    }
    if (row.infer) row.infer(call);
    if (device != kCpuDevice) {
      call.workspace_bytes = row.workspace ? row.workspace(call) : 0;
      for (int i = 0; i < call.noutputs; i++) outputs[i].device = device;
    }
    if (derives_ && device == kCpuDevice && variant == Operator::Variant::Functional) {
      if (nresults == 1 && call.noutputs == 1 && row.infer) {
        if (Ref<Tensor> derived = Derived::make(row, args, nargs, outputs[0])) {
          results[0] = Value(std::move(derived));
          end_kernel(name, row, call);
          return;
        }
      }
      // What is away stays so: most results here are small.
      for (int i = 0; i < nargs; i++) present[static_cast<size_t>(i)] = Derived::present(args[i]);
      args = present.data();
      list.set(args, ninputs);
    }
    if (variant == Operator::Variant::InPlace) {
      if (!args[0].is(Tag::Tensor)) fail("%s expects a tensor as its first argument", name);
      Tensor& self = args[0].to_tensor();
      check_result_cast(outputs[0].dtype, self.view.dtype);
      if (!same_shape(outputs[0], self.view)) {
        fail("output with shape %s doesn't match the broadcast shape %s", shape_text(self.view).c_str(), shape_text(outputs[0]).c_str());
      }
      if (writes_directly(row, self.view, outputs[0], args, call.args, ninputs)) {
        outputs[0] = self.view;
        self.storage->about_to_write();
        run_kernel(row, call, args);
        self.storage->version.fetch_add(1, std::memory_order_release);
        Tensor* written = &self;
        if (recorder_) recorder_->kernel(row, name, call, args, &written, 1, runtime_.drew_random(), stack_frames());
        if (nresults > 0) results[0] = args[0];
        end_kernel(name, row, call);
        return;
      }
    }
    Ref<Tensor> made[kMaxOutputs];
    Tensor* made_pointers[kMaxOutputs];
    for (int i = 0; i < call.noutputs; i++) {
      made[i] = Tensor::empty_strided(outputs[i].dtype, outputs[i].sizes, outputs[i].strides, outputs[i].ndim, device);
      adopt_quant(*made[i], outputs[i]);
      outputs[i] = made[i]->view;
      made_pointers[i] = made[i].get();
    }
    const Kernel& best =
      recorder_ && device == kCpuDevice && program_.autotune.load(std::memory_order_relaxed) ? autotuned(row, call, args) : row;
    run_kernel(best, call, args);
    if (recorder_) recorder_->kernel(best, name, call, args, made_pointers, call.noutputs, runtime_.drew_random(), stack_frames());
    end_kernel(name, row, call);
    if (variant == Operator::Variant::Functional) {
      for (int i = 0; i < nresults; i++) results[i] = Value(made[i]);
    } else if (variant == Operator::Variant::InPlace) {
      copy_recorded(args[0].to_tensor(), *made[0]);
      if (nresults > 0) results[0] = args[0];
    } else {
      for (int i = 0; i < nresults; i++) {
        Tensor& out = args[ninputs + i].to_tensor();
        check_result_cast(made[i]->view.dtype, out.view.dtype);
        resize_out(out, made[i]->view);
        copy_recorded(out, *made[i]);
        results[i] = args[ninputs + i];
      }
    }
  } catch (...) {
    runtime_.abandon_operator();
    throw;
  }
}

// Gives an out argument the shape of what is written to it.
void Run::resize_out(Tensor& out, const TensorView& result) {
  if (same_shape(out.view, result)) return;
  side_effect("it resizes an out argument");
  auto resized = Tensor::empty(out.view.dtype, result.sizes, result.ndim, out.device());
  out.storage = resized->storage;
  out.offset = 0;
  const QuantParams* quant = out.view.quant;
  out.view = resized->view;
  out.view.quant = quant;
}

// Copies `source` into `destination` (same shape) as a step of its own.
void Run::copy_recorded(Tensor& destination, Tensor& source) {
  source.storage->settle();
  destination.storage->about_to_write();
  if (!copy_from_pinned(runtime_, destination.view, *source.storage, source.view)) copy_views(runtime_, destination.view, source.view);
  destination.storage->version.fetch_add(1, std::memory_order_release);
  if (!recorder_) return;
  Arg arg;
  arg.kind = ArgKind::Tensor;
  arg.tensor = &source.view;
  TensorView output = destination.view;
  Call call;
  call.args = &arg;
  call.nargs = 1;
  call.outputs = &output;
  call.noutputs = 1;
  Value value{Ref<Tensor>(&source)};
  Tensor* written = &destination;
  recorder_->kernel(copy_row(), "copy_", call, &value, &written, 1, false, stack_frames());
}

void Run::copy_into(Tensor& destination, const Tensor& source) {
  const TensorView& from = source.view;
  const TensorView& to = destination.view;
  if (from.ndim > to.ndim) {
    // Leading dimensions of size 1 may be dropped, as PyTorch's copy_ allows.
    for (int i = 0; i < from.ndim - to.ndim; i++) {
      if (from.sizes[i] != 1)
        fail("output with shape %s doesn't match the broadcast shape %s", shape_text(to).c_str(), shape_text(from).c_str());
    }
  }
  int64_t strides[kMaxDims];
  for (int d = 0; d < to.ndim; d++) {
    int s = d - to.ndim + from.ndim;
    int64_t size = s >= 0 ? from.sizes[s] : 1;
    if (size != to.sizes[d] && size != 1) {
      fail(
        "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton dimension %d.  Target sizes: %s.  Tensor sizes: %s",
        static_cast<long long>(to.sizes[d]), static_cast<long long>(size), d, shape_text(to).c_str(), shape_text(from).c_str());
    }
    strides[d] = size == 1 && to.sizes[d] != 1 ? 0 : s >= 0 ? from.strides[s] : 0;
  }
  auto expanded = Tensor::view_of(source, to.sizes, strides, to.ndim, source.offset);
  if (destination.storage.get() == source.storage.get() && !same_window(to, expanded->view)) {
    // Overlapping windows: through a copy.
    auto apart = Tensor::empty(source.view.dtype, to.sizes, to.ndim, source.device());
    copy_recorded(*apart, *expanded);
    expanded = apart;
  }
  copy_recorded(destination, *expanded);
}

Value Run::call_kernel(const char* row, std::initializer_list<Value> args) {
  return call_kernel_n(row, args.begin(), static_cast<int>(args.size()), 1)[0];
}

std::vector<Value> Run::call_kernel_n(const char* row, const Value* args, int nargs, int noutputs) {
  const Kernel* kernel = find_kernel(row);
  if (!kernel) throw UnsupportedOperator(std::string("The kernel ") + row + " is not part of this build.");
  std::vector<Value> results(static_cast<size_t>(noutputs));
  invoke(*kernel, kernel->name, Operator::Variant::Functional, args, nargs, results.data(), noutputs);
  return results;
}

Value Run::item(const Tensor& tensor) {
  tensor.storage->settle();
  if (recorder_) recorder_->reads(tensor, "it reads the value of a tensor (item)");
  if (tensor.numel() != 1) fail("a Tensor with %lld elements cannot be converted to Scalar", static_cast<long long>(tensor.numel()));
  if (!tensor.storage->host_copy) return read_element(tensor.view);
  alignas(16) char element[16];
  TensorView here = tensor.view;
  here.device = kCpuDevice;
  here.data = element;
  return read_element(copy_from_pinned(runtime_, here, *tensor.storage, tensor.view) ? here : tensor.view);
}

void Run::reads_data(const Tensor& tensor, const char* reason) {
  tensor.storage->settle();
  if (recorder_) recorder_->reads(tensor, reason);
}

Value Run::known_tensor(Ref<Tensor> tensor) {
  if (recorder_) recorder_->known(*tensor);
  return Value(std::move(tensor));
}

}  // namespace torchscript
