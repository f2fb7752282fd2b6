#include "cuda/arena.h"

#include <algorithm>

namespace torchscript::cuda {
namespace {

MemoryProperties properties_of(const Context& context) {
  MemoryProperties properties;
  properties.location.id = context.device;
  return properties;
}

}  // namespace

class ArenaMemory::User final : public SharedArena {
 public:
  explicit User(ArenaMemory& memory) : memory_(memory) {}
  ~User() override { memory_.change(bytes_, 0); }
  void* base() const override { return reinterpret_cast<void*>(memory_.base_); }
  size_t bytes() const override { return bytes_; }
  void grow(size_t bytes) override {
    if (bytes <= bytes_) return;
    memory_.change(bytes_, bytes);
    bytes_ = bytes;
  }
  std::mutex& order() override { return memory_.order_; }

 private:
  ArenaMemory& memory_;
  size_t bytes_ = 0;
};

std::unique_ptr<ArenaMemory> ArenaMemory::make(Context& context) {
  const Driver& d = driver();
  if (!d.mem_granularity || !d.mem_reserve || !d.mem_create || !d.mem_release || !d.mem_map || !d.mem_unmap || !d.mem_set_access) return nullptr;
  const MemoryProperties properties = properties_of(context);
  size_t granularity = 0;
  DevicePointer base = 0;
  if (d.mem_granularity(&granularity, &properties, 0) != kSuccess || granularity == 0) return nullptr;
  const size_t reserved = (context.properties.total_memory + granularity - 1) / granularity * granularity;
  if (d.mem_reserve(&base, reserved, 0, 0, 0) != kSuccess) return nullptr;
  return std::unique_ptr<ArenaMemory>(new ArenaMemory(context, base, reserved, granularity));
}

std::unique_ptr<SharedArena> ArenaMemory::share() { return std::make_unique<User>(*this); }

void ArenaMemory::change(size_t before, size_t after) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (after > mapped_) map(after);
  if (after > 0) wanted_.insert(after);
  if (before > 0) wanted_.erase(wanted_.find(before));
  if (after < before) trim();
}

void ArenaMemory::map(size_t bytes) {
  const Driver& d = driver();
  enter(context_.index);
  const size_t fresh = (bytes - mapped_ + granularity_ - 1) / granularity_ * granularity_;
  const MemoryProperties properties = properties_of(context_);
  Chunk chunk{0, mapped_, fresh};
  chunks_.reserve(chunks_.size() + 1);
  context_.allocator->map(fresh, [&]() -> Result {
    if (fresh > reserved_ - mapped_) return kOutOfMemory;
    if (const Result made = d.mem_create(&chunk.handle, fresh, &properties, 0); made != kSuccess) return made;
    Result result = d.mem_map(base_ + mapped_, fresh, 0, chunk.handle, 0);
    if (result == kSuccess) {
      MemoryAccess access;
      access.location = properties.location;
      result = d.mem_set_access(base_ + mapped_, fresh, &access, 1);
      if (result != kSuccess) d.mem_unmap(base_ + mapped_, fresh);
    }
    if (result != kSuccess) d.mem_release(chunk.handle);
    return result;
  });
  chunks_.push_back(chunk);
  mapped_ += fresh;
}

// Gives back what is behind the last byte that somebody wants, by chunks as they came.
void ArenaMemory::trim() noexcept {
  const size_t wanted = wanted_.empty() ? 0 : *wanted_.rbegin();
  if (chunks_.empty() || chunks_.back().at < wanted) return;
  const Driver& d = driver();
  if (d.ctx_set_current(context_.handle) == kSuccess) d.stream_synchronize(context_.stream);
  while (!chunks_.empty() && chunks_.back().at >= wanted) {
    const Chunk& chunk = chunks_.back();
    d.mem_unmap(base_ + chunk.at, chunk.bytes);
    d.mem_release(chunk.handle);
    context_.allocator->unmapped(chunk.bytes);
    mapped_ = chunk.at;
    chunks_.pop_back();
  }
  leave();
}

}  // namespace torchscript::cuda
