#include "core/host_copy.h"

#include <atomic>

#include "core/run.h"

namespace torchscript {
namespace {
std::atomic<int64_t> times_served{0};
}

int64_t HostCopy::served() { return times_served.load(std::memory_order_relaxed); }

void HostCopy::begin_run(const Storage& storage, const char* pinned, size_t begin, size_t bytes, DeviceEvent* done) {
  std::lock_guard<std::mutex> lock(mutex_);
  pinned_ = pinned;
  begin_ = begin;
  bytes_ = bytes;
  done_ = done;
  version_ = storage.version.load(std::memory_order_acquire);
  is_current_ = true;
  use_ = {};
}

HostCopy::Use HostCopy::end_run() {
  std::lock_guard<std::mutex> lock(mutex_);
  pinned_ = nullptr;
  done_ = nullptr;
  is_current_ = false;
  return use_;
}

void HostCopy::forget() {
  std::lock_guard<std::mutex> lock(mutex_);
  pinned_ = nullptr;
}

bool HostCopy::read(Runtime& runtime, const Storage& storage, const TensorView& destination, const TensorView& source) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!is_current_) return false;
  use_.was_read = true;
  if (!pinned_ || storage.version.load(std::memory_order_acquire) != version_) return false;
  int64_t last = 0;
  for (int d = 0; d < source.ndim; d++) {
    if (source.sizes[d] == 0) return false;
    last += (source.sizes[d] - 1) * source.strides[d];
  }
  const auto from = static_cast<size_t>(static_cast<const char*>(source.data) - static_cast<const char*>(storage.data));
  const auto to = from + static_cast<size_t>((last + 1) * dtype_size(source.dtype));
  if (from < begin_ || to > begin_ + bytes_) return false;
  done_->wait();
  TensorView here = source;
  here.device = kCpuDevice;
  here.data = const_cast<char*>(pinned_) + (from - begin_);
  copy_views(runtime, destination, here);
  use_.was_served = true;
  times_served.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace torchscript
