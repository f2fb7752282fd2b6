// Packed weights, cached with the storage of the weight.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/memory.h"
#include "core/tensor.h"

namespace torchscript {

// One packed form. Its key is everything a pack may depend on: the row, the window on the weight, the non-tensor arguments and
// the size.
struct PackEntry {
  const Kernel* row = nullptr;
  std::string key;
  uint32_t version = 0;
  size_t bytes = 0;
  void* data = nullptr;
  int8_t device = kCpuDevice;
  std::shared_ptr<FileMapping> file;  // that holds the memory; else it is its own
  PackEntry() = default;
  PackEntry(const PackEntry&) = delete;
  PackEntry& operator=(const PackEntry&) = delete;
  ~PackEntry();
};

struct PackCache {
  std::mutex mutex;
  std::vector<std::shared_ptr<const PackEntry>> entries;
};

// The packed form of argument row.pack_arg for this call, made when missing; null when the row does not pack now. `storage` holds
// that argument and must be a weight.
std::shared_ptr<const PackEntry> find_or_pack(const Kernel& row, const Call& call, Storage& storage);
// The packed forms that are up to date.
std::vector<std::shared_ptr<const PackEntry>> packs_of(Storage& storage);
// Adds a packed form that was made elsewhere; one that is there already stays.
void add_pack(std::shared_ptr<PackEntry> entry, Storage& storage);
// Takes a packed form out of the cache; users of it keep it alive. Null is allowed.
void drop_pack(const std::shared_ptr<const PackEntry>& entry, Storage& storage);

}  // namespace torchscript
