#include "core/pack.h"

#include <algorithm>
#include <cstring>

#include "core/derived.h"
#include "core/piecewise.h"

namespace torchscript {
namespace {

constexpr size_t kLargePack = 4 << 20;

template <class T> void append(std::string& key, const T& value) { key.append(reinterpret_cast<const char*>(&value), sizeof value); }

std::string pack_key(const Kernel& row, const Call& call, const Storage& storage, size_t bytes) {
  std::string key;
  const TensorView& view = call.tensor(row.pack_arg);
  append(key, static_cast<const char*>(view.data) - static_cast<const char*>(storage.data));
  append(key, view.dtype);
  append(key, bytes);
  for (int i = 0; i < view.ndim; i++) {
    append(key, view.sizes[i]);
    append(key, view.strides[i]);
  }
  for (int i = 0; i < call.nargs; i++) {
    const Arg& arg = call.args[i];
    append(key, arg.kind);
    switch (arg.kind) {
      case ArgKind::Int: append(key, arg.i); break;
      case ArgKind::Float: append(key, arg.d); break;
      case ArgKind::Bool: append(key, arg.b); break;
      case ArgKind::Complex: append(key, arg.c); break;
      case ArgKind::String:
        append(key, arg.str.n);
        key.append(arg.str.p, static_cast<size_t>(arg.str.n));
        break;
      case ArgKind::IntList:
        append(key, arg.ints.n);
        for (int64_t k = 0; k < arg.ints.n; k++) append(key, arg.ints.p[k]);
        break;
      case ArgKind::FloatList:
        append(key, arg.floats.n);
        for (int64_t k = 0; k < arg.floats.n; k++) append(key, arg.floats.p[k]);
        break;
      case ArgKind::BoolList:
        append(key, arg.bools.n);
        for (int64_t k = 0; k < arg.bools.n; k++) append(key, arg.bools.p[k]);
        break;
      default: break;
    }
  }
  return key;
}

// Packs the contents of the storage that lie at `data`.
void pack_from(const Kernel& row, const Call& call, const Storage& storage, const void* data, void* packed) {
  std::vector<Arg> args(call.args, call.args + call.nargs);
  TensorView weight = call.tensor(row.pack_arg);
  weight.data =
    const_cast<char*>(static_cast<const char*>(data)) + (static_cast<const char*>(weight.data) - static_cast<const char*>(storage.data));
  args[static_cast<size_t>(row.pack_arg)].tensor = &weight;
  Call beside = call;
  beside.args = args.data();
  row.pack(beside, packed);
}

// Whether the contents of the storage can be made at the end of the memory that they are packed into.
bool fits_over(const Kernel& row, const Call& call, const Storage& storage, size_t bytes) {
  constexpr size_t kAlignment = 64;
  const TensorView& weight = call.tensor(row.pack_arg);
  return bytes >= storage.bytes && (bytes - storage.bytes) % kAlignment == 0 && weight.data == storage.data &&
         static_cast<size_t>(weight.numel() * dtype_size(weight.dtype)) == storage.bytes && row.packs_over && row.packs_over(call);
}

void pack_into(const Kernel& row, const Call& call, Storage& storage, void* packed, size_t bytes) {
  if (storage.away.load(std::memory_order_acquire)) {
    if (fits_over(row, call, storage, bytes)) {
      void* end = static_cast<char*>(packed) + (bytes - storage.bytes);
      if (storage.derived->contents_at(storage, end)) return pack_from(row, call, storage, end, packed);
    } else if (Ref<Storage> made = storage.derived->contents(storage)) {
      return pack_from(row, call, storage, made->data, packed);
    }
  }
  if (!storage.file) return row.pack(call, packed);
  PiecewiseRuntime runtime(*call.runtime, {&storage});
  if (!runtime.pays()) return row.pack(call, packed);
  Call slowly = call;
  slowly.runtime = &runtime;
  row.pack(slowly, packed);
}

}  // namespace

PackEntry::~PackEntry() {
  if (!data) return;
  count_packed_bytes(-static_cast<int64_t>(bytes));
  if (device != kCpuDevice) free_on(device, data, bytes);
  else if (!file) free_lasting(data, bytes);
}

std::vector<std::shared_ptr<const PackEntry>> packs_of(Storage& storage) {
  PackCache& cache = storage.pack_cache();
  std::lock_guard<std::mutex> lock(cache.mutex);
  std::vector<std::shared_ptr<const PackEntry>> current;
  for (const auto& entry : cache.entries)
    if (entry->version == storage.version.load(std::memory_order_acquire)) current.push_back(entry);
  return current;
}

void add_pack(std::shared_ptr<PackEntry> entry, Storage& storage) {
  count_packed_bytes(static_cast<int64_t>(entry->bytes));
  PackCache& cache = storage.pack_cache();
  std::lock_guard<std::mutex> lock(cache.mutex);
  for (const auto& known : cache.entries)
    if (known->row == entry->row && known->key == entry->key && known->version == entry->version) return;
  cache.entries.push_back(std::move(entry));
}

std::shared_ptr<const PackEntry> find_or_pack(const Kernel& row, const Call& call, Storage& storage) {
  size_t bytes = row.pack_bytes(call);
  if (bytes == 0) return nullptr;
  std::string key = pack_key(row, call, storage, bytes);
  uint32_t version = storage.version.load(std::memory_order_acquire);
  PackCache& cache = storage.pack_cache();
  std::lock_guard<std::mutex> lock(cache.mutex);
  auto& entries = cache.entries;
  entries.erase(std::remove_if(entries.begin(), entries.end(), [&](const auto& e) { return e->version != version; }), entries.end());
  for (const auto& entry : entries) {
    if (entry->row == &row && entry->key == key && entry->bytes == bytes) return entry;
  }
  auto entry = std::make_shared<PackEntry>();
  entry->row = &row;
  entry->key = std::move(key);
  entry->version = version;
  entry->device = storage.device;
  // What the run before it has left would be in memory beside it.
  if (bytes >= kLargePack) release_cached_blocks(kLargePack / 4);
  entry->data = storage.device == kCpuDevice ? allocate_lasting(bytes) : allocate_on(storage.device, bytes);
  entry->bytes = bytes;
  count_packed_bytes(static_cast<int64_t>(bytes));
  pack_into(row, call, storage, entry->data, bytes);
  entries.push_back(entry);
  // From now on mostly the packed form is read.
  storage.drop_pages();
  return entry;
}

void drop_pack(const std::shared_ptr<const PackEntry>& entry, Storage& storage) {
  PackCache& cache = storage.pack_cache();
  std::lock_guard<std::mutex> lock(cache.mutex);
  cache.entries.erase(std::remove(cache.entries.begin(), cache.entries.end(), entry), cache.entries.end());
}

}  // namespace torchscript
