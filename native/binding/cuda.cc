#include "binding/cuda.h"

#include "binding/environment.h"
#include "core/device.h"
#include "core/host_copy.h"

namespace torchscript::binding {
namespace {

int device_argument(const Napi::CallbackInfo& info, size_t i) {
  Accelerator& cuda = require_accelerator();
  const double d = info.Length() > i && info[i].IsNumber() ? info[i].As<Napi::Number>().DoubleValue() : cuda.current_device();
  if (!(d >= 0 && d < cuda.count()) || d != static_cast<int>(d)) {
    throw argument_error(info.Env(), "Expected a CUDA device from 0 to " + std::to_string(cuda.count() - 1) + " for `device` but received " +
                                       describe(info[i]) + ".");
  }
  return static_cast<int>(d);
}

Napi::Array texts(Napi::Env env, const std::vector<std::string>& list) {
  auto array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) array.Set(static_cast<uint32_t>(i), list[i]);
  return array;
}

Napi::Value properties(const Napi::CallbackInfo& info) {
  const DeviceProperties p = require_accelerator().properties(device_argument(info, 0));
  auto result = Napi::Object::New(info.Env());
  result.Set("name", p.name);
  result.Set("major", p.major);
  result.Set("minor", p.minor);
  result.Set("totalMemory", static_cast<double>(p.total_memory));
  result.Set("multiProcessorCount", p.multi_processors);
  result.Set("warpSize", p.warp_size);
  result.Set("maxThreadsPerBlock", p.max_threads_per_block);
  result.Set("sharedMemoryPerBlock", p.shared_memory_per_block);
  result.Set("sharedMemoryPerBlockOptin", p.shared_memory_per_block_optin);
  result.Set("l2CacheSize", p.l2_cache_bytes);
  result.Set("clockRate", p.clock_khz);
  result.Set("memoryClockRate", p.memory_clock_khz);
  result.Set("memoryBusWidth", p.memory_bus_bits);
  return result;
}

Napi::Value memory_stats(const Napi::CallbackInfo& info) {
  const DeviceMemoryCounters c = require_accelerator().counters(device_argument(info, 0));
  auto result = Napi::Object::New(info.Env());
  result.Set("liveBytes", static_cast<double>(c.live_bytes));
  result.Set("cachedBytes", static_cast<double>(c.cached_bytes));
  result.Set("peakBytes", static_cast<double>(c.peak_bytes));
  result.Set("freeBytes", static_cast<double>(c.free_bytes));
  result.Set("totalBytes", static_cast<double>(c.total_bytes));
  result.Set("allocations", static_cast<double>(c.allocations));
  result.Set("pinnedBytes", static_cast<double>(c.pinned_bytes));
  result.Set("arenaBytes", static_cast<double>(c.arena_bytes));
  return result;
}

}  // namespace

Napi::Object cuda_face(Napi::Env env) {
  auto face = Napi::Object::New(env);
  auto define = [&](const char* name, auto callback) { face.Set(name, Napi::Function::New(env, guarded(callback), name)); };
  define("deviceCount", [](const Napi::CallbackInfo& info) -> Napi::Value {
    Accelerator* cuda = accelerator();
    return Napi::Number::New(info.Env(), cuda ? cuda->count() : 0);
  });
  define("unavailableReason", [](const Napi::CallbackInfo& info) -> Napi::Value {
    Accelerator* cuda = accelerator();
    if (!cuda) return Napi::String::New(info.Env(), "this build has no CUDA backend");
    return Napi::String::New(info.Env(), cuda->count() > 0 ? "" : cuda->unavailable_reason());
  });
  define("driverVersion", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::String::New(info.Env(), require_accelerator().driver_version());
  });
  define("kernelFile", [](const Napi::CallbackInfo& info) -> Napi::Value {
    std::string path, reason;
    Accelerator* cuda = accelerator();
    const std::vector<std::string> names = cuda ? cuda->kernel_names(&path, &reason) : std::vector<std::string>{};
    auto result = Napi::Object::New(info.Env());
    result.Set("path", path);
    result.Set("reason", reason);
    result.Set("kernels", texts(info.Env(), names));
    return result;
  });
  define("properties", properties);
  define("memoryStats", memory_stats);
  define("graphStats", [](const Napi::CallbackInfo& info) -> Napi::Value {
    const DeviceGraphCounters c = require_accelerator().graph_counters();
    auto result = Napi::Object::New(info.Env());
    result.Set("captured", static_cast<double>(c.captured));
    result.Set("alive", static_cast<double>(c.alive));
    result.Set("launches", static_cast<double>(c.launches));
    result.Set("launchedNodes", static_cast<double>(c.launched_nodes));
    result.Set("pinnedReads", static_cast<double>(HostCopy::served()));
    return result;
  });
  define("currentDevice", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), require_accelerator().current_device());
  });
  define("setCurrentDevice", [](const Napi::CallbackInfo& info) -> Napi::Value {
    require_accelerator().set_current_device(device_argument(info, 0));
    return info.Env().Undefined();
  });
  define("synchronize", [](const Napi::CallbackInfo& info) -> Napi::Value {
    require_accelerator().synchronize(device_argument(info, 0));
    return info.Env().Undefined();
  });
  define("emptyCache", [](const Napi::CallbackInfo& info) -> Napi::Value {
    require_accelerator().release_cached(device_argument(info, 0));
    return info.Env().Undefined();
  });
  define("resetPeak", [](const Napi::CallbackInfo& info) -> Napi::Value {
    require_accelerator().reset_peak(device_argument(info, 0));
    return info.Env().Undefined();
  });
  define("setFallback", [](const Napi::CallbackInfo& info) -> Napi::Value {
    set_cuda_fallback(info[0].ToBoolean().Value() ? Fallback::Cpu : Fallback::Error);
    return info.Env().Undefined();
  });
  define("allowTf32", [](const Napi::CallbackInfo& info) -> Napi::Value {
    allow_tf32(info[0].ToBoolean().Value(), info[1].ToBoolean().Value());
    return info.Env().Undefined();
  });
  define("keepKernels", [](const Napi::CallbackInfo& info) -> Napi::Value {
    if (Accelerator* cuda = accelerator()) cuda->keep_kernels(info[0].ToString().Utf8Value());
    return info.Env().Undefined();
  });
  define("takeFallenBack", [](const Napi::CallbackInfo& info) -> Napi::Value { return texts(info.Env(), take_fallen_back()); });
  return face;
}

}  // namespace torchscript::binding
