// What the addon keeps for one JavaScript environment, and how errors cross.
#pragma once
#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "binding/small_results.h"
#include "core/errors.h"
#include "core/value.h"

namespace torchscript::binding {

// References to ArrayBuffers that storages keep alive. Storages may die on any thread, references only on the environment's own:
// those of other threads wait for the next call.
class BufferReferences {
 public:
  explicit BufferReferences(napi_env env) : env_(env), thread_(std::this_thread::get_id()) {}
  void release(napi_ref reference);
  void drain();
  void close();  // the environment goes

 private:
  std::mutex mutex_;
  napi_env env_;
  std::thread::id thread_;
  std::vector<napi_ref> waiting_;
  std::atomic<bool> has_waiting_{false};
  bool closed_ = false;
};

// A set of addresses: open addressing, no memory of its own for an entry.
class PointerSet {
 public:
  bool contains(const void* p) const {
    if (count_ == 0) return false;
    for (size_t i = home(p);; i = (i + 1) & mask()) {
      if (slots_[i] == p) return true;
      if (!slots_[i]) return false;
    }
  }
  void insert(const void* p) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    size_t i = home(p);
    while (slots_[i] && slots_[i] != p) i = (i + 1) & mask();
    if (!slots_[i]) count_++;
    slots_[i] = p;
  }
  void erase(const void* p) {
    if (!contains(p)) return;
    size_t hole = home(p);
    while (slots_[hole] != p) hole = (hole + 1) & mask();
    // Entries after the hole move into it unless that would put them before their home.
    for (size_t i = (hole + 1) & mask(); slots_[i]; i = (i + 1) & mask()) {
      if (((i - home(slots_[i])) & mask()) < ((i - hole) & mask())) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = nullptr;
    count_--;
  }
  size_t count() const { return count_; }
  template <class F> void for_each(F f) const {
    for (const void* p : slots_)
      if (p) f(p);
  }

 private:
  size_t mask() const { return slots_.size() - 1; }
  size_t home(const void* p) const { return (reinterpret_cast<uintptr_t>(p) * 0x9E3779B97F4A7C15u >> 20) & mask(); }
  void grow() {
    std::vector<const void*> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    count_ = 0;
    for (const void* p : old)
      if (p) insert(p);
  }
  std::vector<const void*> slots_;
  size_t count_ = 0;
};

// The ArrayBuffers that show storages of the executor (weakly held), by storage.
struct SharedBuffer {
  napi_ref reference;
  const void* holder;
};
using SharedBuffers = std::unordered_map<const Storage*, SharedBuffer>;

struct Environment {
  explicit Environment(Napi::Env env);
  ~Environment();
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Napi::FunctionReference tensor_class, storage_class, program_class, object_class, map_class, array_buffer_class;
  Napi::FunctionReference print_handler, warn_handler;
  std::shared_ptr<BufferReferences> buffers;
  std::shared_ptr<SharedBuffers> shared_buffers = std::make_shared<SharedBuffers>();
  SmallResults small_results;
  // Handles that are alive.
  PointerSet tensors, storages, objects;
  // When handles of tensors are looked through for those the collector has taken.
  static constexpr size_t kFirstSweep = 1024;
  static constexpr int64_t kUntoldBytes = int64_t{16} << 20;
  size_t tensors_since_sweep = 0, next_sweep = kFirstSweep;
  // Of the tensors behind handles, what V8 has not been told of yet.
  int64_t untold_bytes = 0;
  // How often in a row V8 has not collected its young generation when asked to.
  static constexpr int kYoungRefusals = 8;
  int young_refusals = 0;
  // What the constructor of a handle being made takes.
  void* pending_payload = nullptr;
  // Work of runAsync (worker.h).
  std::shared_ptr<struct AsyncPort> port;
  // False once the platform has refused an external ArrayBuffer.
  bool external_buffers = true;
};

// `a string`, `a number`, `an array`, `a Tensor`, `null`.
std::string describe(const Napi::Value& value);

Napi::Error argument_error(Napi::Env env, const std::string& message);
// The JavaScript error of a native exception.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr error);
// Throws when TORCHSCRIPT_ISA asks for what this machine cannot do.
void require_isa(Napi::Env env);

// A callback whose native exceptions become JavaScript errors.
template <class F> auto guarded(F callback) {
  return [callback](const Napi::CallbackInfo& info) -> Napi::Value {
    try {
      return callback(info);
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw to_js_error(info.Env(), std::current_exception());
    }
  };
}

}  // namespace torchscript::binding
