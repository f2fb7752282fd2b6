#include "core/tensor.h"

#include <cstring>

#include "core/derived.h"
#include "core/host_copy.h"
#include "core/memory.h"
#include "core/mmap.h"
#include "core/pack.h"

namespace torchscript {

namespace {
std::atomic<uint64_t> next_serial{1};
}

Storage::Storage() : serial(next_serial.fetch_add(1, std::memory_order_relaxed)) {}
Storage::~Storage() {
  if (derived) derived->forget(*this);
  delete packs_.load(std::memory_order_acquire);
  if (deleter) deleter();
  else if (data) free_on(device, data, bytes);
}

Ref<Storage> Storage::allocate(size_t bytes, int8_t device) {
  auto storage = make_ref<Storage>();
  storage->device = device;
  storage->data = device == kCpuDevice ? allocate_block(bytes) : allocate_on(device, bytes);
  storage->bytes = bytes;
  return storage;
}

Ref<Storage> Storage::wrap(void* data, size_t bytes, std::function<void()> deleter) {
  auto storage = make_ref<Storage>();
  storage->data = data;
  storage->bytes = bytes;
  if (deleter) storage->deleter = std::move(deleter);
  else storage->deleter = [] {};
  return storage;
}

PackCache& Storage::pack_cache() {
  PackCache* cache = packs_.load(std::memory_order_acquire);
  if (cache) return *cache;
  auto* fresh = new PackCache;
  if (packs_.compare_exchange_strong(cache, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;
  return *cache;
}

size_t Storage::packed_bytes() const {
  PackCache* cache = packs_.load(std::memory_order_acquire);
  if (!cache) return 0;
  std::lock_guard<std::mutex> lock(cache->mutex);
  size_t bytes = 0;
  for (const auto& entry : cache->entries) bytes += entry->bytes;
  return bytes;
}

void Storage::note_write() {
  if (file) file->about_to_write();
  if (derived) derived->about_to_write(*this);
  if (host_copy) host_copy->forget();
}
void Storage::compute_contents() { derived->settle(*this); }
void Storage::drop_pages() {
  if (file) file->drop(data, bytes);
}

namespace {

void check_dims(int ndim) {
  if (ndim > kMaxDims) fail("Tensors of more than %d dimensions are not supported, but got %d", kMaxDims, ndim);
}

// Bytes that a window touches from its first element on; fails on negative sizes and on overflow.
size_t window_bytes(DType dtype, const int64_t* sizes, const int64_t* strides, int ndim) {
  __int128 last = 0;
  for (int i = 0; i < ndim; i++) {
    if (sizes[i] < 0) fail("Trying to create tensor with negative dimension %lld", static_cast<long long>(sizes[i]));
  }
  for (int i = 0; i < ndim; i++) {
    if (sizes[i] == 0) return 0;
    last += static_cast<__int128>(sizes[i] - 1) * strides[i];
    if (last > (static_cast<__int128>(1) << 60) || last < 0) fail("Storage size calculation overflowed");
  }
  return static_cast<size_t>(last + 1) * static_cast<size_t>(dtype_size(dtype));
}

void set_window(Tensor& tensor, DType dtype, const int64_t* sizes, const int64_t* strides, int ndim, int64_t offset) {
  TensorView& view = tensor.view;
  view.dtype = dtype;
  view.ndim = ndim;
  if (ndim > 0) {
    std::memcpy(view.sizes, sizes, sizeof(int64_t) * static_cast<size_t>(ndim));
    std::memcpy(view.strides, strides, sizeof(int64_t) * static_cast<size_t>(ndim));
  }
  tensor.offset = offset;
  view.device = tensor.storage->device;
  view.data = static_cast<char*>(tensor.storage->data) + offset * dtype_size(dtype);
}

}  // namespace

Ref<Tensor> Tensor::empty(DType dtype, const int64_t* sizes, int ndim, int8_t device) {
  check_dims(ndim);
  int64_t strides[kMaxDims];
  int64_t stride = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    strides[d] = stride;
    if (sizes[d] > 1 && __builtin_mul_overflow(stride, sizes[d], &stride)) fail("Storage size calculation overflowed");
  }
  return empty_strided(dtype, sizes, strides, ndim, device);
}

Ref<Tensor> Tensor::empty_strided(DType dtype, const int64_t* sizes, const int64_t* strides, int ndim, int8_t device) {
  check_dims(ndim);
  auto tensor = make_ref<Tensor>();
  tensor->storage = Storage::allocate(window_bytes(dtype, sizes, strides, ndim), device);
  set_window(*tensor, dtype, sizes, strides, ndim, 0);
  return tensor;
}

Ref<Tensor> Tensor::view_of(const Tensor& base, const int64_t* sizes, const int64_t* strides, int ndim, int64_t offset) {
  auto tensor = on_storage(base.storage, base.view.dtype, sizes, strides, ndim, offset);
  tensor->quant = base.quant;
  tensor->view.quant = base.view.quant;
  return tensor;
}

Ref<Tensor> Tensor::on_storage(Ref<Storage> storage, DType dtype, const int64_t* sizes, const int64_t* strides, int ndim, int64_t offset) {
  check_dims(ndim);
  for (int i = 0; i < ndim; i++) {
    if (strides[i] < 0) fail("as_strided: Negative strides are not supported at the moment");
  }
  size_t bytes = window_bytes(dtype, sizes, strides, ndim);
  size_t item = static_cast<size_t>(dtype_size(dtype));
  if (offset < 0) fail("Tensor: invalid storage offset %lld", static_cast<long long>(offset));
  if (bytes > 0 && (static_cast<size_t>(offset) > storage->bytes / item || bytes > storage->bytes - static_cast<size_t>(offset) * item)) {
    fail(
      "setStorage: sizes and strides require a storage size of %zu bytes with offset %lld, which are out of bounds for storage of size %zu",
      bytes, static_cast<long long>(offset), storage->bytes);
  }
  auto tensor = make_ref<Tensor>();
  tensor->storage = std::move(storage);
  set_window(*tensor, dtype, sizes, strides, ndim, offset);
  return tensor;
}

}  // namespace torchscript
