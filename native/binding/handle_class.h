// What the classes of handles have in common: how they are made, told apart, and read their arguments.
#pragma once
#include <napi.h>

#include <string>
#include <utility>

#include "binding/environment.h"
#include "core/program.h"
#include "core/registry.h"
#include "core/tensor.h"

namespace torchscript::binding {

// Inside handle classes `Ref` is Node-API's.
using TensorRef = Ref<Tensor>;
using StorageRef = Ref<Storage>;
using ProgramRef = Ref<Program>;

// Only what is in the set is unwrapped: objects of other addons and of JavaScript are told apart safely, and faster than by type tags.
inline void* handle_in(const Napi::Value& value, const PointerSet Environment::*set) {
  void* native = nullptr;
  if (napi_unwrap(value.Env(), value, &native) != napi_ok) return nullptr;
  const auto& live = Environment::of(value.Env()).*set;
  return live.contains(native) ? native : nullptr;
}

// Native payloads travel to constructors beside the call; JavaScript cannot make one.
template <class T> T* payload(const Napi::CallbackInfo& info, const char* what) {
  void* pending = std::exchange(Environment::of(info.Env()).pending_payload, nullptr);
  if (!pending) throw argument_error(info.Env(), std::string(what) + " handles are made by the addon only.");
  return static_cast<T*>(pending);
}

template <class T> Napi::Value construct(Napi::Env env, Napi::FunctionReference Environment::*handle_class, T* native) {
  Environment& environment = Environment::of(env);
  environment.pending_payload = native;
  return (environment.*handle_class).New({});
}

inline int64_t integer_argument(const Napi::CallbackInfo& info, size_t i, const char* name) {
  if (info.Length() <= i || !info[i].IsNumber())
    throw argument_error(info.Env(), std::string("Expected an integer for `") + name + "` but received " + describe(info[i]) + ".");
  double d = info[i].As<Napi::Number>().DoubleValue();
  if (!(d >= -9007199254740991.0 && d <= 9007199254740991.0) || d != static_cast<double>(static_cast<int64_t>(d))) {
    throw argument_error(info.Env(), std::string("Expected an integer for `") + name + "` but received " + describe(info[i]) + ".");
  }
  return static_cast<int64_t>(d);
}

inline DType dtype_argument(const Napi::CallbackInfo& info, size_t i) {
  int64_t code = integer_argument(info, i, "dtype");
  if (!is_known_dtype(code))
    throw argument_error(info.Env(), "Expected a dtype code for `dtype` but received " + std::to_string(code) + ".");
  return static_cast<DType>(code);
}

}  // namespace torchscript::binding
