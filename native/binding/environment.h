// What the addon keeps for one JavaScript environment, and how errors cross.
#pragma once
#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

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

  Napi::FunctionReference tensor_class, storage_class, program_class, object_class, map_class;
  Napi::FunctionReference print_handler, warn_handler;
  std::shared_ptr<BufferReferences> buffers;
  std::shared_ptr<SharedBuffers> shared_buffers = std::make_shared<SharedBuffers>();
  // Handles that are alive.
  std::unordered_set<const void*> tensors, storages, objects;
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
