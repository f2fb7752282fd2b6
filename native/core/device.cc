#include "core/device.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "core/errors.h"
#include "core/host_copy.h"
#include "core/memory.h"
#include "core/run.h"

namespace torchscript {
namespace {

Accelerator*& instance() {
  static Accelerator* registered = nullptr;
  return registered;
}

std::atomic<Fallback> fallback_mode{Fallback::Error};
std::atomic<bool> tf32_products{false}, tf32_convolutions{false};
std::mutex fallen_mutex;
std::vector<std::string> fallen;

// Bytes of a window without gaps in any order of its dimensions that starts at its data; 0 for other windows.
size_t dense_bytes(const TensorView& view) { return view.is_contiguous() ? static_cast<size_t>(view.numel() * dtype_size(view.dtype)) : 0; }

TensorView contiguous_like(const TensorView& shape, DType dtype, void* data, int8_t device) {
  TensorView view = shape;
  view.dtype = dtype;
  view.data = data;
  view.device = device;
  view.quant = nullptr;
  int64_t stride = 1;
  for (int d = view.ndim - 1; d >= 0; d--) {
    view.strides[d] = stride;
    stride *= view.sizes[d];
  }
  return view;
}

bool same_strides(const TensorView& a, const TensorView& b) {
  for (int d = 0; d < a.ndim; d++)
    if (a.sizes[d] > 1 && a.strides[d] != b.strides[d]) return false;
  return true;
}

}  // namespace

Accelerator* accelerator() { return instance(); }
void register_accelerator(Accelerator* given) { instance() = given; }

Accelerator& require_accelerator() {
  Accelerator* found = accelerator();
  if (!found) throw OperatorError("CUDA is not available: this build has no CUDA backend");
  if (found->count() == 0) throw OperatorError("CUDA is not available: " + found->unavailable_reason());
  return *found;
}

void* allocate_on(int device, size_t bytes) {
  if (device == kCpuDevice) return allocate_block(bytes);
  Accelerator& cuda = require_accelerator();
  try {
    return cuda.allocate(device, bytes);
  } catch (const OperatorError& e) {
    if (e.python_class != "OutOfMemoryError" || cuda.is_capturing()) throw;
    Schedule::release_idle_device_memory();
  }
  return cuda.allocate(device, bytes);
}
void grow_arena(SharedArena& arena, size_t bytes) {
  try {
    return arena.grow(bytes);
  } catch (const OperatorError& e) {
    if (e.python_class != "OutOfMemoryError") throw;
    Schedule::release_idle_device_memory();
  }
  arena.grow(bytes);
}
void free_on(int device, void* block, size_t bytes) noexcept {
  if (device == kCpuDevice) free_block(block, bytes);
  else if (Accelerator* found = accelerator()) found->release(device, block, bytes);
}

std::string device_text(int8_t device) { return device == kCpuDevice ? "cpu" : "cuda:" + std::to_string(device); }

int8_t device_of(const Value& device, int8_t otherwise, const char* op) {
  if (device.is_none()) return otherwise;
  std::string type;
  int index = -1;
  if (device.is(Tag::String)) {
    type = device.to_string();
    size_t colon = type.find(':');
    if (colon != std::string::npos) {
      const std::string digits = type.substr(colon + 1);
      type.resize(colon);
      if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos)
        throw OperatorError("Invalid device string: '" + device.to_string() + "'");
      index = std::stoi(digits);
    }
  } else {
    type = device.to_device().type;
    index = device.to_device().index;
  }
  if (type == "cpu") return kCpuDevice;
  if (type != "cuda") throw UnsupportedOperator(std::string(op) + ": device '" + type + "' is not supported, only 'cpu' and 'cuda'");
  Accelerator& cuda = require_accelerator();
  if (index < 0) index = cuda.current_device();
  if (index >= cuda.count()) {
    throw OperatorError("Expected a CUDA device below " + std::to_string(cuda.count()) + " for `device` but received cuda:" +
                        std::to_string(index));
  }
  return static_cast<int8_t>(index);
}

Value device_value(int8_t device) {
  auto value = make_ref<DeviceValue>();
  value->type = device == kCpuDevice ? "cpu" : "cuda";
  value->index = device;
  return Value(std::move(value));
}

Ref<Tensor> moved_to(const Tensor& tensor, int8_t device) {
  if (tensor.device() == device) return Ref<Tensor>(const_cast<Tensor*>(&tensor));
  tensor.storage->settle();
  const TensorView& from = tensor.view;
  // The memory's order of dimensions stays where it has no gaps.
  TensorView dense = contiguous_like(from, from.dtype, nullptr, device);
  int64_t numel = from.numel(), covered = 1;
  for (int d = 0; d < from.ndim; d++) covered += (from.sizes[d] - 1) * from.strides[d];
  bool repeats = false;
  for (int d = 0; d < from.ndim; d++) repeats = repeats || (from.sizes[d] > 1 && from.strides[d] == 0);
  const bool keep = numel > 0 && covered == numel && !repeats;
  auto made = Tensor::empty_strided(from.dtype, from.sizes, keep ? from.strides : dense.strides, from.ndim, device);
  made->quant = tensor.quant;
  made->view.quant = from.quant;
  made->requires_grad = tensor.requires_grad;
  made->storage->is_weight = tensor.storage->is_weight;
  KernelRuntime runtime;
  if (!copy_from_pinned(runtime, made->view, *tensor.storage, from)) copy_views(runtime, made->view, from);
  return made;
}

void copy_storage(Storage& destination, const Storage& source) {
  if (source.bytes == 0) return;
  const_cast<Storage&>(source).settle();
  if (source.device == kCpuDevice) std::memcpy(destination.data, source.data, source.bytes);
  else require_accelerator().copy_between(destination.device, destination.data, source.device, source.data, source.bytes);
}

void copy_views_across(Runtime& runtime, const TensorView& destination, const TensorView& source) {
  const int64_t n = destination.numel();
  if (n == 0) return;
  Accelerator& cuda = require_accelerator();
  if (destination.device == source.device) return cuda.copy_views(destination, source);
  const bool same_type = destination.dtype == source.dtype;
  const size_t to_bytes = static_cast<size_t>(n * dtype_size(destination.dtype));
  // As long as neither has gaps and both have one order, bytes are copied as they lie.
  auto dense = [&](const TensorView& view) {
    int64_t covered = 1;
    for (int d = 0; d < view.ndim; d++) {
      if (view.sizes[d] > 1 && view.strides[d] == 0) return false;
      covered += (view.sizes[d] - 1) * view.strides[d];
    }
    return covered == n;
  };
  const bool straight = same_type && same_strides(destination, source) && dense(destination) && dense(source);
  if (source.device == kCpuDevice) {
    if (straight) return cuda.copy_in(destination.device, destination.data, source.data, to_bytes);
    Block host;
    const void* bytes = source.data;
    if (!same_type || dense_bytes(source) == 0) {
      host = Block(to_bytes);
      copy_views(runtime, contiguous_like(source, destination.dtype, host.data(), kCpuDevice), source);
      bytes = host.data();
    }
    if (dense_bytes(destination)) return cuda.copy_in(destination.device, destination.data, bytes, to_bytes);
    Block staged(to_bytes, destination.device);
    cuda.copy_in(destination.device, staged.data(), bytes, to_bytes);
    return cuda.copy_views(destination, contiguous_like(destination, destination.dtype, staged.data(), destination.device));
  }
  // From a device: made dense there, in the destination's dtype.
  Block staged;
  const void* bytes = source.data;
  if (!straight && (!same_type || dense_bytes(source) == 0)) {
    staged = Block(to_bytes, source.device);
    cuda.copy_views(contiguous_like(source, destination.dtype, staged.data(), source.device), source);
    bytes = staged.data();
  }
  const bool lands = straight || dense_bytes(destination);
  if (destination.device == kCpuDevice) {
    if (lands) return cuda.copy_out(source.device, destination.data, bytes, to_bytes);
    Block host(to_bytes);
    cuda.copy_out(source.device, host.data(), bytes, to_bytes);
    return copy_views(runtime, destination, contiguous_like(destination, destination.dtype, host.data(), kCpuDevice));
  }
  if (lands) return cuda.copy_between(destination.device, destination.data, source.device, bytes, to_bytes);
  Block landed(to_bytes, destination.device);
  cuda.copy_between(destination.device, landed.data(), source.device, bytes, to_bytes);
  cuda.copy_views(destination, contiguous_like(destination, destination.dtype, landed.data(), destination.device));
}

bool copy_from_pinned(Runtime& runtime, const TensorView& destination, const Storage& storage, const TensorView& source) {
  return storage.host_copy && destination.device == kCpuDevice && storage.host_copy->read(runtime, storage, destination, source);
}

void enqueue_views_in(const TensorView& destination, const TensorView& pinned) {
  const int64_t n = destination.numel();
  if (n == 0) return;
  Accelerator& cuda = require_accelerator();
  int64_t last = 0;
  for (int d = 0; d < pinned.ndim; d++) last += (pinned.sizes[d] - 1) * pinned.strides[d];
  const auto bytes = static_cast<size_t>((last + 1) * dtype_size(pinned.dtype));
  if (destination.dtype == pinned.dtype && same_strides(destination, pinned) && last + 1 == n)
    return cuda.enqueue_copy_in(destination.device, destination.data, pinned.data, bytes);
  Block staged(bytes, destination.device);
  cuda.enqueue_copy_in(destination.device, staged.data(), pinned.data, bytes);
  TensorView there = pinned;
  there.data = staged.data();
  there.device = destination.device;
  cuda.copy_views(destination, there);
}

Fallback cuda_fallback() { return fallback_mode.load(std::memory_order_relaxed); }
void set_cuda_fallback(Fallback fallback) { fallback_mode.store(fallback, std::memory_order_relaxed); }

void allow_tf32(bool products, bool convolutions) {
  tf32_products.store(products, std::memory_order_relaxed);
  tf32_convolutions.store(convolutions, std::memory_order_relaxed);
}
bool allows_tf32_products() { return tf32_products.load(std::memory_order_relaxed); }
bool allows_tf32_convolutions() { return tf32_convolutions.load(std::memory_order_relaxed); }

void note_fallen_back(const char* name) {
  std::lock_guard<std::mutex> lock(fallen_mutex);
  if (std::find(fallen.begin(), fallen.end(), name) == fallen.end()) fallen.emplace_back(name);
}
std::vector<std::string> take_fallen_back() {
  std::lock_guard<std::mutex> lock(fallen_mutex);
  return std::move(fallen);
}

}  // namespace torchscript
