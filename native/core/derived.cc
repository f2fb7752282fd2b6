#include "core/derived.h"

#include <algorithm>
#include <map>

#include "core/invoke.h"
#include "core/memory.h"
#include "core/mmap.h"
#include "core/piecewise.h"
#include "core/run.h"

namespace torchscript {
namespace {

// Smaller results are cheap to keep, and are asked for one element at a time.
constexpr size_t kLeastBytes = 8 << 10;

// Storages that are derived, by their addresses.
struct Known {
  std::mutex mutex;
  std::map<const char*, Storage*> storages;
  std::atomic<size_t> count{0};
};
Known& known() {
  static auto* instance = new Known;
  return *instance;
}

// Contents that are computed to be packed, one after the other: they share a block, unless they are large.
constexpr size_t kSharedBytes = 512 << 10;
struct Workbench {
  std::mutex mutex;
  void* block = nullptr;
  size_t bytes = 0;
  bool busy = false;
  int recordings = 0;
};
Workbench& workbench() {
  static auto* instance = new Workbench;
  return *instance;
}
void release_block(Workbench& w) {
  if (w.block) free_block(w.block, w.bytes);
  w.block = nullptr;
  w.bytes = 0;
}

// A storage for a while.
Ref<Storage> passing_storage(size_t bytes) {
  if (bytes > kSharedBytes) {
    void* block = reserve_block(bytes);
    auto storage = Storage::wrap(block, bytes, [block, bytes] { free_reserved_block(block, bytes, true); });
    commit_block(block, bytes);
    return storage;
  }
  Workbench& w = workbench();
  std::lock_guard<std::mutex> lock(w.mutex);
  if (w.busy) return Storage::allocate(bytes);
  if (w.bytes < bytes) {
    release_block(w);
    w.block = allocate_block(bytes);
    w.bytes = bytes;
  }
  w.busy = true;
  return Storage::wrap(w.block, bytes, [] {
    Workbench& mine = workbench();
    std::lock_guard<std::mutex> again(mine.mutex);
    mine.busy = false;
    if (mine.recordings == 0) release_block(mine);
  });
}

template <class F> void each_tensor(const Value& value, const F& body) {
  if (value.is(Tag::Tensor)) return body(value.to_tensor());
  if (!value.is(Tag::List) && !value.is(Tag::Tuple)) return;
  for (const Value& item : value.is(Tag::List) ? value.to_list().items : value.to_tuple().items) each_tensor(item, body);
}

}  // namespace

Derived::~Derived() = default;

// Registers with the files that a value is read from; false when it may change without the executor knowing.
bool Derived::depends_on(const Value& value, Storage& storage) {
  bool is_fixed = true;
  each_tensor(value, [&](const Tensor& tensor) {
    const Storage& source = *tensor.storage;
    std::vector<std::shared_ptr<FileMapping>> files;
    if (source.file) files.push_back(source.file);
    else if (source.derived) files = source.derived->files_;
    else if (source.foreign) is_fixed = false;
    if (!source.is_weight || tensor.view.quant || tensor.wrapped_number) is_fixed = false;
    for (auto& file : files) {
      if (std::find(files_.begin(), files_.end(), file) != files_.end()) continue;
      if (file->add_dependent(storage)) files_.push_back(std::move(file));
      else is_fixed = false;
    }
  });
  return is_fixed;
}

Ref<Tensor> Derived::make(const Kernel& row, const Value* args, int nargs, const TensorView& output) {
  if (!row.total || row.random || row.data_dependent || output.quant) return nullptr;
  // Other dtypes are converted before they are packed, or each time.
  if ((output.dtype != DType::F32 && output.dtype != DType::F64) || !output.is_contiguous()) return nullptr;
  const size_t bytes = static_cast<size_t>(output.numel()) * static_cast<size_t>(dtype_size(output.dtype));
  if (bytes < kLeastBytes) return nullptr;
  bool has_tensor = false;
  for (int i = 0; i < nargs; i++) {
    each_tensor(args[i], [&](const Tensor&) { has_tensor = true; });
    if (args[i].is(Tag::Generator)) return nullptr;
  }
  if (!has_tensor) return nullptr;
  auto storage = make_ref<Storage>();
  storage->deleter = [] {};
  storage->derived.reset(new Derived(row, args, nargs));
  for (int i = 0; i < nargs; i++)
    if (!storage->derived->depends_on(args[i], *storage)) return nullptr;
  storage->data = reserve_block(bytes);
  storage->bytes = bytes;
  storage->is_weight = true;
  storage->away.store(true, std::memory_order_release);
  {
    std::lock_guard<std::mutex> lock(known().mutex);
    known().storages[static_cast<const char*>(storage->data)] = storage.get();
    known().count.fetch_add(1, std::memory_order_release);
  }
  return Tensor::on_storage(std::move(storage), output.dtype, output.sizes, output.strides, output.ndim, 0);
}

Value Derived::present(const Value& value) {
  if (value.is(Tag::Tensor)) {
    const Tensor& tensor = value.to_tensor();
    if (!tensor.storage->away.load(std::memory_order_acquire)) return value;
    Ref<Storage> made = tensor.storage->derived->contents(*tensor.storage);
    if (!made) return value;
    const TensorView& view = tensor.view;
    return Value(Tensor::on_storage(std::move(made), view.dtype, view.sizes, view.strides, view.ndim, tensor.offset));
  }
  if (!value.is(Tag::List) && !value.is(Tag::Tuple)) return value;
  bool is_away = false;
  each_tensor(value, [&](const Tensor& tensor) { is_away = is_away || tensor.storage->away.load(std::memory_order_acquire); });
  if (!is_away) return value;
  if (value.is(Tag::List)) {
    auto list = make_ref<ListValue>();
    list->element = value.to_list().element;
    for (const Value& item : value.to_list().items) list->items.push_back(present(item));
    return Value(std::move(list));
  }
  auto tuple = make_ref<TupleValue>();
  tuple->type = value.to_tuple().type;
  for (const Value& item : value.to_tuple().items) tuple->items.push_back(present(item));
  return Value(std::move(tuple));
}

void Derived::compute(void* into, size_t bytes) {
  std::vector<Value> args;
  for (const Value& value : args_) args.push_back(present(value));
  ArgList list;
  list.set(args.data(), static_cast<int>(args.size()));
  KernelRuntime runtime;
  TensorView output;
  QuantParams quants[kMaxOutputs];
  Call call;
  call.args = list.data();
  call.nargs = static_cast<int>(args.size());
  call.outputs = &output;
  call.noutputs = 1;
  call.output_quant = quants;
  call.runtime = &runtime;
  row_.infer(call);
  Block workspace;
  if (call.workspace_bytes > 0) {
    workspace = Block(call.workspace_bytes);
    call.workspace = workspace.data();
  }
  if (static_cast<size_t>(output.numel() * dtype_size(output.dtype)) != bytes) fail("%s gives another size than before", row_.name);
  output.data = into;
  // What the file holds can be read again.
  std::vector<Storage*> mapped;
  for (const Value& value : args_) {
    each_tensor(value, [&](const Tensor& tensor) {
      if (tensor.storage->file) mapped.push_back(tensor.storage.get());
    });
  }
  PiecewiseRuntime pieces(runtime, mapped);
  if (pieces.pays()) call.runtime = &pieces;
  row_.run(call);
  for (Storage* storage : mapped) storage->drop_pages();
}

Ref<Storage> Derived::contents(Storage& storage) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!storage.away.load(std::memory_order_acquire)) return nullptr;
  auto made = passing_storage(storage.bytes);
  compute(made->data, storage.bytes);
  return made;
}

bool Derived::contents_at(Storage& storage, void* into) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!storage.away.load(std::memory_order_acquire)) return false;
  compute(into, storage.bytes);
  return true;
}

void Derived::settle(Storage& storage) {
  std::vector<Value> args;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!storage.away.load(std::memory_order_acquire)) return;
  commit_block(storage.data, storage.bytes);
  try {
    compute(storage.data, storage.bytes);
  } catch (...) {
    // Asked again, it is computed again.
    decommit_block(storage.data, storage.bytes);
    throw;
  }
  args.swap(args_);
  storage.away.store(false, std::memory_order_release);
}

void Derived::about_to_write(Storage& storage) {
  settle(storage);
  // What is computed from it depends on the same files.
  for (const auto& file : files_) file->about_to_write();
}

void Derived::forget(Storage& storage) {
  for (const auto& file : files_) file->remove_dependent(storage);
  if (!storage.data) return;
  {
    std::lock_guard<std::mutex> lock(known().mutex);
    known().storages.erase(static_cast<const char*>(storage.data));
    known().count.fetch_sub(1, std::memory_order_release);
  }
  free_reserved_block(storage.data, storage.bytes, !storage.away.load(std::memory_order_acquire));
}

void begin_recording() {
  std::lock_guard<std::mutex> lock(workbench().mutex);
  workbench().recordings++;
}
void end_recording() {
  Workbench& w = workbench();
  std::lock_guard<std::mutex> lock(w.mutex);
  if (--w.recordings == 0 && !w.busy) release_block(w);
}

namespace {

template <class T> void append(std::string& text, const T& value) { text.append(reinterpret_cast<const char*>(&value), sizeof value); }

void append_value(std::string& text, const Value& value) {
  append(text, value.tag());
  switch (value.tag()) {
    case Tag::Bool: append(text, value.to_bool()); break;
    case Tag::Int: append(text, value.to_int()); break;
    case Tag::Float: append(text, value.to_float()); break;
    case Tag::Complex: append(text, value.to_complex()); break;
    case Tag::String:
      append(text, value.to_string().size());
      text += value.to_string();
      break;
    case Tag::Tensor: {
      const Tensor& tensor = value.to_tensor();
      append(text, identity_of(*tensor.storage));
      append(text, tensor.view.dtype);
      append(text, tensor.offset);
      for (int d = 0; d < tensor.dim(); d++) {
        append(text, tensor.size(d));
        append(text, tensor.stride(d));
      }
      break;
    }
    case Tag::List:
    case Tag::Tuple: {
      const auto& items = value.is(Tag::List) ? value.to_list().items : value.to_tuple().items;
      append(text, items.size());
      for (const Value& item : items) append_value(text, item);
      break;
    }
    default: break;
  }
}

}  // namespace

Digest Derived::origin() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string text = row_.name;
  for (const Value& value : args_) append_value(text, value);
  return digest_of(text);
}

Digest identity_of(Storage& storage) {
  if (storage.away.load(std::memory_order_acquire)) return storage.derived->origin();
  return digest_of(storage.data, storage.bytes, storage.file.get());
}

void settle_at(const void* data) {
  if (known().count.load(std::memory_order_acquire) == 0) return;
  Storage* storage = nullptr;
  {
    std::lock_guard<std::mutex> lock(known().mutex);
    auto after = known().storages.upper_bound(static_cast<const char*>(data));
    if (after == known().storages.begin()) return;
    auto [begin, found] = *std::prev(after);
    if (static_cast<const char*>(data) >= begin + found->bytes) return;
    storage = found;
  }
  storage->settle();
}

}  // namespace torchscript
