// The addon's face to JavaScript. The only place that knows Node-API; state is per environment, so that worker threads may load it.
#include <napi.h>

#include "binding/cuda.h"
#include "binding/environment.h"
#include "binding/handles.h"
#include "binding/worker.h"
#include "core/isa.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/registry.h"
#include "core/thread_pool.h"
#include "core/trace.h"

namespace torchscript::binding {
namespace {

Napi::Value set_num_threads_js(const Napi::CallbackInfo& info) {
  int64_t n = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : 0;
  if (n < 1 || n > 1024)
    throw argument_error(info.Env(), "Expected a positive integer for `threads` but received " + describe(info[0]) + ".");
  set_num_threads(static_cast<int>(n));
  return info.Env().Undefined();
}

Napi::Value seed_js(const Napi::CallbackInfo& info) {
  uint64_t seed = 0;
  if (info[0].IsBigInt()) {
    bool lossless = false;
    seed = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  } else if (info[0].IsNumber()) {
    seed = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value());
  } else {
    throw argument_error(info.Env(), "Expected an integer for `seed` but received " + describe(info[0]) + ".");
  }
  Generator& generator = default_generator();
  std::lock_guard<std::recursive_mutex> lock(generator.mutex);
  generator.reseed(seed);
  return info.Env().Undefined();
}

Napi::Array strings(Napi::Env env, std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  auto array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) array.Set(static_cast<uint32_t>(i), list[i]);
  return array;
}

Napi::Value native_operators_js(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("builtins", strings(info.Env(), builtin_names()));
  result.Set("kernels", strings(info.Env(), kernel_names()));
  result.Set("cudaKernels", strings(info.Env(), cuda_kernel_names()));
  return result;
}

Napi::Value take_trace_js(const Napi::CallbackInfo& info) {
  std::vector<std::string> lines = take_trace();
  auto array = Napi::Array::New(info.Env(), lines.size());
  for (size_t i = 0; i < lines.size(); i++) array.Set(static_cast<uint32_t>(i), lines[i]);
  return array;
}

Napi::Array operands(Napi::Env env, const std::vector<ProfileOperand>& list) {
  auto array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) {
    const ProfileOperand& from = list[i];
    Napi::Value value = env.Null();
    if (from.kind == ProfileOperand::Kind::Int) value = Napi::Number::New(env, static_cast<double>(from.value));
    if (from.kind == ProfileOperand::Kind::Bool) value = Napi::Boolean::New(env, from.value != 0);
    if (from.kind == ProfileOperand::Kind::Tensor) {
      auto tensor = Napi::Object::New(env);
      auto shape = Napi::Array::New(env, from.sizes.size());
      for (size_t d = 0; d < from.sizes.size(); d++) shape.Set(static_cast<uint32_t>(d), static_cast<double>(from.sizes[d]));
      tensor.Set("dtype", static_cast<double>(from.dtype));
      tensor.Set("shape", shape);
      tensor.Set("bytes", static_cast<double>(from.bytes));
      value = tensor;
    }
    array.Set(static_cast<uint32_t>(i), value);
  }
  return array;
}

Napi::Value take_profile_js(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  ProfileEvents taken = take_profile();
  auto array = Napi::Array::New(env, taken.events.size());
  for (size_t i = 0; i < taken.events.size(); i++) {
    Napi::HandleScope scope(env);
    const ProfileEvent& event = taken.events[i];
    auto row = Napi::Object::New(env);
    row.Set("name", event.name);
    row.Set("row", event.row);
    row.Set("inner", event.inner);
    row.Set("location", event.location);
    row.Set("start", static_cast<double>(event.start));
    row.Set("nanoseconds", static_cast<double>(event.nanoseconds));
    row.Set("thread", event.thread);
    row.Set("step", event.step);
    row.Set("inputs", operands(env, event.inputs));
    row.Set("outputs", operands(env, event.outputs));
    array.Set(static_cast<uint32_t>(i), row);
  }
  auto result = Napi::Object::New(env);
  result.Set("events", array);
  result.Set("dropped", static_cast<double>(taken.dropped));
  return result;
}

Napi::Value memory_stats_js(const Napi::CallbackInfo& info) {
  MemoryCounters counters = memory_counters();
  auto result = Napi::Object::New(info.Env());
  result.Set("liveBytes", static_cast<double>(counters.live_bytes));
  result.Set("cachedBytes", static_cast<double>(counters.cached_bytes));
  result.Set("peakBytes", static_cast<double>(counters.peak_bytes));
  result.Set("packedBytes", static_cast<double>(counters.packed_bytes));
  return result;
}

template <bool kWarnings> Napi::Value set_handler_js(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  Napi::FunctionReference& handler = kWarnings ? environment.warn_handler : environment.print_handler;
  if (info[0].IsFunction()) handler = Napi::Persistent(info[0].As<Napi::Function>());
  else handler.Reset();
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);
  define_handles(env, exports, *environment);
  auto define = [&](const char* name, auto callback) { exports.Set(name, Napi::Function::New(env, guarded(callback), name)); };
  define("setNumThreads", set_num_threads_js);
  define("getNumThreads", [](const Napi::CallbackInfo& info) -> Napi::Value { return Napi::Number::New(info.Env(), get_num_threads()); });
  define("isa", [](const Napi::CallbackInfo& info) -> Napi::Value {
    require_isa(info.Env());
    return Napi::String::New(info.Env(), isa_name(active_isa()));
  });
  define("nativeOperators", native_operators_js);
  define("seed", seed_js);
  define("setTrace", [](const Napi::CallbackInfo& info) -> Napi::Value {
    trace_on.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  });
  define("takeTrace", take_trace_js);
  define("setProfile", [](const Napi::CallbackInfo& info) -> Napi::Value {
    profile_on.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  });
  define("takeProfile", take_profile_js);
  define("memoryStats", memory_stats_js);
  exports.Set("smallResults", environment->small_results.face(env));
  define("layoutOf", [](const Napi::CallbackInfo& info) -> Napi::Value {
    TensorView view;
    auto sizes = info[1].IsArray() ? info[1].As<Napi::Array>() : Napi::Array::New(info.Env());
    int64_t dtype = info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : -1;
    if (!is_known_dtype(dtype) || is_quantized(static_cast<DType>(dtype)) || sizes.Length() > kMaxDims)
      return Napi::Number::New(info.Env(), -1);
    view.dtype = static_cast<DType>(dtype);
    view.ndim = static_cast<int32_t>(sizes.Length());
    int64_t bytes = dtype_size(view.dtype);
    for (int i = 0; i < view.ndim; i++) {
      Napi::Value size = sizes.Get(static_cast<uint32_t>(i));
      view.sizes[i] = size.IsNumber() ? size.As<Napi::Number>().Int64Value() : -1;
      // Tensors without elements need no memory, and so have no place in it.
      if (view.sizes[i] <= 0 || __builtin_mul_overflow(bytes, view.sizes[i], &bytes)) return Napi::Number::New(info.Env(), -1);
    }
    return Napi::Number::New(info.Env(), Environment::of(info.Env()).small_results.find_layout(view));
  });
  define("resultLayout", [](const Napi::CallbackInfo& info) -> Napi::Value {
    int64_t index = info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : -1;
    return Environment::of(info.Env()).small_results.layout(info.Env(), index < 0 ? SIZE_MAX : static_cast<size_t>(index));
  });
  exports.Set("cuda", cuda_face(env));
  define("setPrintHandler", set_handler_js<false>);
  define("setWarnHandler", set_handler_js<true>);
  return exports;
}

}  // namespace
}  // namespace torchscript::binding

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return torchscript::binding::init(env, exports); }
NODE_API_MODULE(torchscript, init_addon)
