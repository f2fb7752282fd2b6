// Tensors: a storage shared by views, and a strided window on it.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "core/refcount.h"
#include "kernel.h"

namespace torchscript {

// Packed forms of a weight, kept with its storage (pack.cc).
struct PackCache;
class FileMapping;
class Derived;
class HostCopy;

// A block of memory. Freed by `deleter` when given, else by the aligned allocator.
struct Storage : RefCounted, Recycled<Storage> {
  void* data = nullptr;
  size_t bytes = 0;
  // Where `data` is: kCpuDevice, or the index of a CUDA device, whose memory the CPU cannot reach.
  int8_t device = kCpuDevice;
  // Never given twice, as addresses are.
  const uint64_t serial;
  std::function<void()> deleter;
  // Raised by every write of the executor to this storage; packed weights remember the value they were made from.
  std::atomic<uint32_t> version{0};
  // A parameter, buffer or constant of a module: worth packing, and never placed in an arena.
  bool is_weight = false;
  // A parameter in memory of the executor that no host language has asked for: packed like a weight. A write of the executor raises the version.
  std::atomic<bool> packable{false};
  // Its memory was given to a host language, which may write it at any time.
  bool exposed = false;
  // A handle of a host language answers for its bytes to the collector.
  std::atomic<bool> is_claimed{false};
  // Held by an attribute that a program wrote.
  bool module_state = false;
  // For storages on memory of a host language: its handle on the memory, who that handle belongs to, and where the storage starts in it.
  void* foreign = nullptr;
  const void* foreign_owner = nullptr;
  size_t foreign_offset = 0;
  // The file that the memory is mapped from.
  std::shared_ptr<FileMapping> file;

  // Packed forms; made on first use, safe from many threads.
  PackCache& pack_cache();
  // The bytes of all packed forms.
  size_t packed_bytes() const;
  // Where the contents come from when they are computed on demand (derived.h). Set before anybody else sees the storage.
  std::unique_ptr<Derived> derived;
  // Of a result that a graph of a device made. Set before anybody else sees the storage.
  Ref<HostCopy> host_copy;
  // True while the contents are not in memory: whoever reads `data` calls settle() first.
  std::atomic<bool> away{false};
  void settle() {
    if (away.load(std::memory_order_acquire)) compute_contents();
  }

  // Called before anything writes into the memory.
  void about_to_write() {
    if (file || derived || host_copy) note_write();
  }
  // Gives back memory that can be read from its file again.
  void drop_pages();

  Storage();
  ~Storage() override;
  // Zeroed only when asked; 64-byte aligned. Throws OperatorError when memory cannot be had.
  static Ref<Storage> allocate(size_t bytes, int8_t device = kCpuDevice);
  static Ref<Storage> wrap(void* data, size_t bytes, std::function<void()> deleter);

 private:
  void note_write();
  void compute_contents();
  std::atomic<PackCache*> packs_{nullptr};
};

struct OwnedQuantParams : RefCounted {
  QuantParams params;  // its arrays point into the vectors
  std::vector<double> scales, zero_points;
};

using Sizes = std::vector<int64_t>;

struct Tensor : RefCounted, Recycled<Tensor> {
  Ref<Storage> storage;
  int64_t offset = 0;  // elements
  TensorView view;     // data kept in step with storage and offset
  Ref<OwnedQuantParams> quant;
  bool requires_grad = false;
  // A Python number that became a 0-dim tensor: counts as a number in type promotion.
  bool wrapped_number = false;

  static Ref<Tensor> empty(DType dtype, const int64_t* sizes, int ndim, int8_t device = kCpuDevice);
  static Ref<Tensor> empty(DType dtype, const Sizes& sizes) { return empty(dtype, sizes.data(), static_cast<int>(sizes.size())); }
  static Ref<Tensor> empty_strided(DType dtype, const int64_t* sizes, const int64_t* strides, int ndim, int8_t device = kCpuDevice);
  // A view on the storage of `base`; offset in elements of `dtype`. Keeps quantization parameters of `base`.
  static Ref<Tensor> view_of(const Tensor& base, const int64_t* sizes, const int64_t* strides, int ndim, int64_t offset);
  static Ref<Tensor> on_storage(Ref<Storage> storage, DType dtype, const int64_t* sizes, const int64_t* strides, int ndim, int64_t offset);

  int64_t numel() const { return view.numel(); }
  int dim() const { return view.ndim; }
  DType dtype() const { return view.dtype; }
  int8_t device() const { return view.device; }
  int64_t size(int d) const { return view.sizes[d]; }
  int64_t stride(int d) const { return view.strides[d]; }
};

}  // namespace torchscript
