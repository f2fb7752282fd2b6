#include "cuda/context.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cuda/arena.h"
#include "cuda/kernel_cache.h"
#include "cuda/kernels.h"

namespace torchscript::cuda {
namespace {

struct SizeClass {
  int index;
  size_t bytes;
};

constexpr size_t kSmallest = 512;
constexpr size_t kLargestRequest = size_t{1} << 46;

// Multiples of 512 bytes up to 4 KiB, then eighths of powers of two.
SizeClass size_class(size_t bytes) {
  if (bytes <= 8 * kSmallest) {
    size_t steps = std::max<size_t>(1, (bytes + kSmallest - 1) / kSmallest);
    return {static_cast<int>(steps) - 1, steps * kSmallest};
  }
  int e = 63 - __builtin_clzll(bytes - 1);  // 2^e < bytes <= 2^(e+1)
  size_t step = size_t{1} << (e - 3);
  size_t eighths = (bytes - (size_t{1} << e) + step - 1) / step;
  return {8 + 8 * (e - 12) + static_cast<int>(eighths) - 1, (size_t{1} << e) + eighths * step};
}

std::string size_text(double bytes) {
  const char* units[] = {"bytes", "KiB", "MiB", "GiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 3) bytes /= 1024, unit++;
  char text[48];
  snprintf(text, sizeof text, unit ? "%.2f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}

// A capture of this thread.
struct Capture {
  Context* context = nullptr;
  StreamHandle stream = nullptr;
  std::vector<std::pair<void*, size_t>> kept;  // freed meanwhile: the graph's
  SharedArena* arena = nullptr;                // where memory comes from
  size_t scratch_at = 0, scratch_end = 0;
  bool has(const void* block) const {
    const char* begin = arena ? static_cast<const char*>(arena->base()) : nullptr;
    return arena && block >= begin + scratch_at && block < begin + scratch_end;
  }
  // Blocks of the arena are nobody's.
  void release_kept() noexcept {
    for (auto [block, bytes] : kept)
      if (!has(block)) context->allocator->release(block, bytes);
    kept.clear();
  }
};
thread_local Capture* capture = nullptr;

thread_local int current = 0;

std::atomic<int64_t> graphs_captured{0}, graphs_alive{0}, graph_launches{0}, graph_nodes_launched{0};

class CapturedGraph final : public DeviceGraph {
 public:
  CapturedGraph(Context& context, GraphExecHandle instance, size_t nodes, std::vector<std::pair<void*, size_t>> kept, size_t scratch)
      : context_(context), instance_(instance), nodes_(nodes), kept_(std::move(kept)), scratch_(scratch) {
    graphs_captured++;
    graphs_alive++;
  }
  ~CapturedGraph() override {
    graphs_alive--;
    // What it still runs must be done first.
    if (driver().ctx_set_current(context_.handle) == kSuccess) {
      driver().stream_synchronize(context_.stream);
      driver().graph_exec_destroy(instance_);
    }
    leave();
    for (auto [block, bytes] : kept_) context_.allocator->release(block, bytes);
  }
  void launch() override {
    enter(context_.index);
    TS_CUDA(graph_launch, instance_, context_.stream);
    graph_launches.fetch_add(1, std::memory_order_relaxed);
    graph_nodes_launched.fetch_add(static_cast<int64_t>(nodes_), std::memory_order_relaxed);
  }
  size_t nodes() const override { return nodes_; }
  size_t bytes() const override {
    size_t sum = scratch_;
    for (const auto& [block, bytes] : kept_) sum += bytes;
    return sum;
  }

 private:
  Context& context_;
  GraphExecHandle instance_;
  size_t nodes_;
  std::vector<std::pair<void*, size_t>> kept_;
  size_t scratch_;
};

class Event final : public DeviceEvent {
 public:
  Event(int device, bool spins) : context_(enter(device)) {
    TS_CUDA(event_create, &handle_, kEventDisableTiming | (spins ? 0 : kEventBlockingSync));
  }
  ~Event() override {
    if (driver().ctx_set_current(context_.handle) == kSuccess) driver().event_destroy(handle_);
    leave();
  }
  void record() override {
    enter(context_.index);
    TS_CUDA(event_record, handle_, context_.stream);
  }
  bool done() override {
    enter(context_.index);
    const Result result = driver().event_query(handle_);
    if (result == kNotReady) return false;
    check_result(result, "event_query");
    return true;
  }
  void wait() override {
    enter(context_.index);
    TS_CUDA(event_synchronize, handle_);
    context_.check_fault();
  }

 private:
  Context& context_;
  EventHandle handle_ = nullptr;
};

class Backend final : public Accelerator {
 public:
  Backend() { register_accelerator(this); }
  const char* type() const override { return "cuda"; }
  int count() override { return driver().devices; }
  std::string unavailable_reason() override { return driver().reason; }
  std::string driver_version() override {
    const int version = driver().version;
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  }
  std::vector<std::string> kernel_names(std::string* path, std::string* reason) override { return kernel_file_names(path, reason); }
  DeviceProperties properties(int device) override { return enter(device).properties; }

  int current_device() override { return current; }
  void set_current_device(int device) override {
    enter(device);
    current = device;
  }

  void* allocate(int device, size_t bytes) override {
    Context& context = enter(device);
    if (capture && capture->context == &context) {
      // What this capture has freed is used in its order too.
      for (auto at = capture->kept.begin(); at != capture->kept.end(); ++at) {
        if (at->second != bytes) continue;
        void* block = at->first;
        capture->kept.erase(at);
        return block;
      }
      if (capture->arena) {
        const size_t at = capture->scratch_end, end = at + ((std::max<size_t>(bytes, 1) + 255) & ~size_t{255});
        capture->arena->grow(end);
        capture->scratch_end = end;
        return static_cast<char*>(capture->arena->base()) + at;
      }
    }
    return context.allocator->allocate(bytes);
  }
  void release(int device, void* block, size_t bytes) noexcept override {
    try {
      Context& context = enter(device);
      if (capture && capture->context == &context) {
        capture->kept.emplace_back(block, bytes);
        return;
      }
      context.allocator->release(block, bytes);
    } catch (...) {
      // The device is gone, and its memory with it.
    }
  }
  void release_cached(int device) override {
    Context& context = enter(device);
    TS_CUDA(stream_synchronize, context.stream);
    context.allocator->release_cached();
  }
  DeviceMemoryCounters counters(int device) override {
    Context& context = enter(device);
    DeviceMemoryCounters counters = context.allocator->counters();
    counters.pinned_bytes = context.pinned_bytes;
    return counters;
  }
  void reset_peak(int device) override { enter(device).allocator->reset_peak(); }

  void copy_in(int device, void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    Context& context = enter(device);
    refuse_capture(context, "a copy from the CPU");
    context.staging.copy_in(context.stream, reinterpret_cast<DevicePointer>(to), from, bytes);
  }
  void copy_out(int device, void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    Context& context = enter(device);
    refuse_capture(context, "a copy to the CPU");
    context.staging.copy_out(context.stream, to, reinterpret_cast<DevicePointer>(from), bytes);
    context.check_fault();
  }
  void copy_between(int to_device, void* to, int from_device, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    const auto target = reinterpret_cast<DevicePointer>(to), source = reinterpret_cast<DevicePointer>(from);
    if (to_device == from_device) {
      Context& context = enter(to_device);
      TS_CUDA(memcpy_dtod, target, source, bytes, current_stream(context));
      return;
    }
    // The other device's work on either side must be done.
    Context& destination = enter(to_device);
    refuse_capture(destination, "a copy between devices");
    TS_CUDA(stream_synchronize, destination.stream);
    Context& origin = enter(from_device);
    TS_CUDA(memcpy_peer, target, destination.handle, source, origin.handle, bytes, origin.stream);
    TS_CUDA(stream_synchronize, origin.stream);
    origin.check_fault();
  }
  void copy_views(const TensorView& destination, const TensorView& source) override { copy_strided(destination, source); }
  void synchronize(int device) override {
    Context& context = enter(device);
    refuse_capture(context, "a synchronization");
    TS_CUDA(stream_synchronize, context.stream);
    context.check_fault();
  }
  std::unique_ptr<DeviceEvent> make_event(int device, bool spins) override { return std::make_unique<Event>(device, spins); }

  void* allocate_pinned(int device, size_t bytes) override {
    Context& context = enter(device);
    void* memory = nullptr;
    TS_CUDA(mem_host_alloc, &memory, std::max<size_t>(bytes, 1), kHostAllocPortable);
    context.pinned_bytes += static_cast<int64_t>(bytes);
    return memory;
  }
  void release_pinned(int device, void* block, size_t bytes) noexcept override {
    if (!block) return;
    driver().mem_free_host(block);
    try {
      enter(device).pinned_bytes -= static_cast<int64_t>(bytes);
    } catch (...) {
      // The device is gone.
    }
  }
  size_t pinned_bytes(int device) override { return static_cast<size_t>(enter(device).pinned_bytes.load()); }

  void keep_kernels(const std::string& folder) override { set_kernel_folder(folder); }
  std::unique_ptr<SharedArena> share_arena(int device) override {
    ArenaMemory* arena = enter(device).arena;
    return arena ? arena->share() : nullptr;
  }

  void begin_capture(int device, SharedArena* arena, size_t scratch_at) override {
    Context& context = enter(device);
    if (capture) fail("A capture goes on already");
    auto fresh = std::make_unique<Capture>();
    fresh->context = &context;
    fresh->arena = arena;
    fresh->scratch_at = fresh->scratch_end = scratch_at;
    TS_CUDA(stream_create, &fresh->stream, kStreamNonBlocking);
    const Result result = driver().stream_begin_capture(fresh->stream, kCaptureRelaxed);
    if (result != kSuccess) driver().stream_destroy(fresh->stream);
    check_result(result, "stream_begin_capture");
    capture = fresh.release();
  }
  std::unique_ptr<DeviceGraph> end_capture() override {
    std::unique_ptr<Capture> done(std::exchange(capture, nullptr));
    if (!done) fail("No capture goes on");
    GraphHandle graph = nullptr;
    Result result = driver().stream_end_capture(done->stream, &graph);
    driver().stream_destroy(done->stream);
    GraphExecHandle instance = nullptr;
    size_t nodes = 0;
    const char* call = "stream_end_capture";
    if (result == kSuccess) {
      driver().graph_get_nodes(graph, nullptr, &nodes);
      call = "graph_instantiate";
      result = driver().graph_instantiate(&instance, graph, 0);
      driver().graph_destroy(graph);
    }
    if (result != kSuccess) {
      done->release_kept();
      check_result(result, call);
    }
    std::erase_if(done->kept, [&](const auto& block) { return done->has(block.first); });
    return std::make_unique<CapturedGraph>(*done->context, instance, nodes, std::move(done->kept), done->scratch_end - done->scratch_at);
  }
  bool is_capturing() override { return capture != nullptr; }
  DeviceGraphCounters graph_counters() override { return {graphs_captured, graphs_alive, graph_launches, graph_nodes_launched}; }
  void abandon_capture() noexcept override {
    std::unique_ptr<Capture> done(std::exchange(capture, nullptr));
    if (!done) return;
    GraphHandle graph = nullptr;
    if (driver().stream_end_capture(done->stream, &graph) == kSuccess && graph) driver().graph_destroy(graph);
    driver().stream_destroy(done->stream);
    done->release_kept();
  }
  void enqueue_copy_in(int device, void* to, const void* pinned, size_t bytes) override {
    if (bytes == 0) return;
    Context& context = enter(device);
    TS_CUDA(memcpy_htod, reinterpret_cast<DevicePointer>(to), pinned, bytes, current_stream(context));
  }
  void enqueue_copy_out(int device, void* pinned, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    Context& context = enter(device);
    TS_CUDA(memcpy_dtoh, pinned, reinterpret_cast<DevicePointer>(from), bytes, current_stream(context));
  }

 private:
  static void refuse_capture(Context& context, const char* what) {
    if (capture && capture->context == &context) fail("%s cannot be part of a CUDA graph", what);
  }
};

Backend backend;

}  // namespace

bool Allocator::is_exact() {
  static const bool exact = [] {
    const char* value = std::getenv("TORCHSCRIPT_CUDA_ALLOCATOR");
    return value && std::strcmp(value, "exact") == 0;
  }();
  return exact;
}

void Allocator::map(size_t bytes, const std::function<Result()>& make) {
  std::lock_guard<std::mutex> lock(mutex_);
  Result result = make();
  if (result == kOutOfMemory) {
    release_cached_locked();
    result = make();
  }
  if (result == kOutOfMemory) out_of_memory(bytes, static_cast<size_t>(counters_.live_bytes), static_cast<size_t>(counters_.cached_bytes));
  check_result(result, "mem_map");
  counters_.allocations++;
  counters_.arena_bytes += static_cast<int64_t>(bytes);
  counters_.live_bytes += static_cast<int64_t>(bytes);
  counters_.peak_bytes = std::max(counters_.peak_bytes, counters_.live_bytes);
}

void Allocator::unmapped(size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  counters_.arena_bytes -= static_cast<int64_t>(bytes);
  counters_.live_bytes -= static_cast<int64_t>(bytes);
}

void* Allocator::allocate(size_t bytes) {
  if (bytes > kLargestRequest) out_of_memory(bytes, 0, 0);
  auto [index, size] = size_class(bytes);
  if (is_exact()) size = std::max<size_t>(bytes, 1);
  std::lock_guard<std::mutex> lock(mutex_);
  DevicePointer block = 0;
  std::vector<DevicePointer>& list = blocks_[index];
  if (!is_exact() && !list.empty()) {
    block = list.back();
    list.pop_back();
    counters_.cached_bytes -= static_cast<int64_t>(size);
  } else {
    Result result = driver().mem_alloc(&block, size);
    if (result == kOutOfMemory) {
      release_cached_locked();
      result = driver().mem_alloc(&block, size);
    }
    if (result == kOutOfMemory) out_of_memory(bytes, static_cast<size_t>(counters_.live_bytes), static_cast<size_t>(counters_.cached_bytes));
    check_result(result, "mem_alloc");
    counters_.allocations++;
  }
  counters_.live_bytes += static_cast<int64_t>(size);
  counters_.peak_bytes = std::max(counters_.peak_bytes, counters_.live_bytes);
  return reinterpret_cast<void*>(block);
}

void Allocator::release(void* block, size_t bytes) noexcept {
  auto [index, size] = size_class(bytes);
  std::lock_guard<std::mutex> lock(mutex_);
  const auto pointer = reinterpret_cast<DevicePointer>(block);
  if (is_exact()) {
    counters_.live_bytes -= static_cast<int64_t>(std::max<size_t>(bytes, 1));
    driver().mem_free(pointer);
    return;
  }
  counters_.live_bytes -= static_cast<int64_t>(size);
  try {
    blocks_[index].push_back(pointer);
    counters_.cached_bytes += static_cast<int64_t>(size);
  } catch (...) {
    driver().mem_free(pointer);
  }
}

void Allocator::release_cached() {
  std::lock_guard<std::mutex> lock(mutex_);
  release_cached_locked();
}

void Allocator::release_cached_locked() {
  // cuMemFree waits for the work that uses the block.
  for (auto& list : blocks_) {
    for (DevicePointer block : list) driver().mem_free(block);
    list.clear();
  }
  counters_.cached_bytes = 0;
}

DeviceMemoryCounters Allocator::counters() {
  std::lock_guard<std::mutex> lock(mutex_);
  DeviceMemoryCounters result = counters_;
  size_t free = 0, total = 0;
  if (driver().mem_get_info(&free, &total) == kSuccess) {
    result.free_bytes = static_cast<int64_t>(free);
    result.total_bytes = static_cast<int64_t>(total);
  }
  return result;
}

void Allocator::reset_peak() {
  std::lock_guard<std::mutex> lock(mutex_);
  counters_.peak_bytes = counters_.live_bytes;
}

void Allocator::out_of_memory(size_t bytes, size_t live, size_t cached) {
  size_t free = 0, total = 0;
  driver().mem_get_info(&free, &total);
  fail_as("OutOfMemoryError", "CUDA out of memory. Tried to allocate %s. GPU %d has a total capacity of %s of which %s is free; %s is in use by tensors and %s is kept for reuse.",
       size_text(static_cast<double>(bytes)).c_str(), device_, size_text(static_cast<double>(total)).c_str(),
       size_text(static_cast<double>(free)).c_str(), size_text(static_cast<double>(live)).c_str(), size_text(static_cast<double>(cached)).c_str());
}

Staging::Piece& Staging::next() {
  Piece& piece = pieces_[at_];
  at_ = (at_ + 1) % kPieces;
  if (!piece.memory) {
    void* memory = nullptr;
    TS_CUDA(mem_host_alloc, &memory, kPiece, kHostAllocPortable);
    piece.memory = static_cast<char*>(memory);
    pinned_bytes_ += static_cast<int64_t>(kPiece);
    TS_CUDA(event_create, &piece.done, kEventDisableTiming);
  }
  if (piece.used) TS_CUDA(event_synchronize, piece.done);
  return piece;
}

void Staging::copy_in(StreamHandle stream, DevicePointer to, const void* from, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t at = 0; at < bytes;) {
    const size_t n = std::min(kPiece, bytes - at);
    Piece& piece = next();
    std::memcpy(piece.memory, static_cast<const char*>(from) + at, n);
    TS_CUDA(memcpy_htod, to + at, piece.memory, n, stream);
    TS_CUDA(event_record, piece.done, stream);
    piece.used = true;
    at += n;
  }
}

void Staging::copy_out(StreamHandle stream, void* to, DevicePointer from, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  // Two pieces in turn: one arrives while the other is emptied.
  struct Pending {
    Piece* piece = nullptr;
    size_t at = 0, bytes = 0;
  } before;
  auto empty = [&](Pending& pending) {
    if (!pending.piece) return;
    TS_CUDA(event_synchronize, pending.piece->done);
    std::memcpy(static_cast<char*>(to) + pending.at, pending.piece->memory, pending.bytes);
    pending.piece->used = false;
  };
  for (size_t at = 0; at < bytes;) {
    const size_t n = std::min(kPiece, bytes - at);
    Pending now{&next(), at, n};
    TS_CUDA(memcpy_dtoh, now.piece->memory, from + at, n, stream);
    TS_CUDA(event_record, now.piece->done, stream);
    now.piece->used = true;
    empty(before);
    before = now;
    at += n;
  }
  empty(before);
}

Context::Context(int which) : index(which) {
  TS_CUDA(device_get, &device, which);
  TS_CUDA(primary_ctx_retain, &handle, device);
  TS_CUDA(ctx_set_current, handle);
  TS_CUDA(stream_create, &stream, kStreamNonBlocking);
  char name[256] = {};
  TS_CUDA(device_get_name, name, sizeof name, device);
  properties.name = name;
  TS_CUDA(device_total_mem, &properties.total_memory, device);
  auto attribute = [&](int id) {
    int value = 0;
    driver().device_get_attribute(&value, id, device);
    return value;
  };
  properties.major = attribute(kComputeMajor);
  properties.minor = attribute(kComputeMinor);
  properties.multi_processors = attribute(kMultiprocessorCount);
  properties.warp_size = attribute(kWarpSize);
  properties.max_threads_per_block = attribute(kMaxThreadsPerBlock);
  properties.shared_memory_per_block = attribute(kMaxSharedPerBlock);
  properties.shared_memory_per_block_optin = attribute(kMaxSharedPerBlockOptin);
  properties.l2_cache_bytes = attribute(kL2CacheSize);
  properties.clock_khz = attribute(kClockRate);
  properties.memory_clock_khz = attribute(kMemoryClock);
  properties.memory_bus_bits = attribute(kMemoryBusWidth);
  allocator = std::make_unique<Allocator>(which);
  if (!Allocator::is_exact() && attribute(kVirtualMemory)) arena = ArenaMemory::make(*this).release();
  void* memory = nullptr;
  TS_CUDA(mem_host_alloc, &memory, sizeof(Fault), kHostAllocPortable | kHostAllocMapped);
  fault = new (memory) Fault;
}

void Context::check_fault() {
  auto& is_set = *reinterpret_cast<volatile int32_t*>(&fault->is_set);
  if (!is_set) return;
  std::atomic_thread_fence(std::memory_order_acquire);
  const Fault found = *fault;
  is_set = 0;
  fail_as("IndexError",
          "CUDA error: device-side assert: index %lld is out of bounds for a dimension of size %lld in %s on cuda:%d. "
          "The operator ran before the call that waited for it; it read zeros there, and wrote nothing.",
          static_cast<long long>(found.index), static_cast<long long>(found.size), reinterpret_cast<const char*>(found.op), index);
}

namespace {
thread_local Context* entered = nullptr;
}
void leave() { entered = nullptr; }

Context& enter(int device) {
  constexpr int kMaxDevices = 64;
  static std::mutex mutex;
  static std::atomic<Context*> contexts[kMaxDevices];
  const Driver& d = driver();
  if (d.devices == 0) fail("CUDA is not available: %s", d.reason.c_str());
  if (device < 0 || device >= d.devices || device >= kMaxDevices)
    fail("Expected a CUDA device from 0 to %d for `device` but received %d", d.devices - 1, device);
  Context* context = contexts[device].load(std::memory_order_acquire);
  if (!context) {
    std::lock_guard<std::mutex> lock(mutex);
    context = contexts[device].load(std::memory_order_acquire);
    if (!context) {
      // Lives as long as the process: memory may be freed while it ends.
      context = new Context(device);
      contexts[device].store(context, std::memory_order_release);
    }
  }
  if (entered != context) {
    TS_CUDA(ctx_set_current, context->handle);
    entered = context;
  }
  return *context;
}

StreamHandle current_stream(Context& context) { return capture && capture->context == &context ? capture->stream : context.stream; }
bool is_capturing() { return capture != nullptr; }

}  // namespace torchscript::cuda
