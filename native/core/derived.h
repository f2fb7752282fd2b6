// Weights that are computed when somebody reads them.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "core/digest.h"
#include "core/tensor.h"
#include "core/value.h"

namespace torchscript {

// Note [Derived weights]
// What folding makes of weights, such as a convolution's filters times the scale of a batch norm, is mostly read once: by the kernel that packs it.
// Such a storage has addresses and no memory (`Storage::away`) until somebody else reads it. Packing computes the contents into a block that
// is free again afterwards (contents); every other reader calls Storage::settle first, which computes them in place, for good. Rows
// that are `packed_only` do so through Runtime::restore for their weight alone.
// Contents never change meanwhile: they depend on files that nobody has written, which settle what depends on them before they are written
// (FileMapping::about_to_write), and on memory that only the executor has.
class Derived {
 public:
  // The result of a row that never fails and gives one tensor, as a weight that is derived. Null where it has to be computed now: it is
  // small, or an argument may change. `output` is what infer said.
  static Ref<Tensor> make(const Kernel& row, const Value* args, int nargs, const TensorView& output);
  // A value whose tensors can be read: those that are away are computed beside.
  static Value present(const Value& value);

  ~Derived();
  // The contents in a storage of their own; null when the storage has them.
  Ref<Storage> contents(Storage& storage);
  // The contents at `into`; false when the storage has them.
  bool contents_at(Storage& storage, void* into);
  void settle(Storage& storage);
  // What the contents are computed from, as a digest: of files and operators. Only while the storage is away.
  Digest origin();
  // Before the storage is written: settles it, and all that may be computed from it.
  void about_to_write(Storage& storage);
  // Before the storage goes.
  void forget(Storage& storage);

 private:
  Derived(const Kernel& row, const Value* args, int nargs) : row_(row), args_(args, args + nargs) {}
  bool depends_on(const Value& value, Storage& storage);
  void compute(void* into, size_t bytes);

  std::mutex mutex_;
  const Kernel& row_;
  std::vector<Value> args_;
  std::vector<std::shared_ptr<FileMapping>> files_;
};

// Between these, memory for contents is kept for the next ones: recordings pack many weights.
void begin_recording();
void end_recording();

// A digest of what a storage holds, without bringing it to memory.
Digest identity_of(Storage& storage);

// Settles the storage that `data` points into, when it is away.
void settle_at(const void* data);

}  // namespace torchscript
