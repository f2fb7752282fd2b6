#include "cuda/driver.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include <cstdlib>
#include <cstring>

#include "kernel.h"

namespace torchscript::cuda {
namespace {

#if defined(_WIN32)
constexpr const char* kLibrary = "nvcuda.dll";
void* open_library(const char* path, std::string& reason) {
  void* library = reinterpret_cast<void*>(LoadLibraryA(path));
  if (!library) reason = "error " + std::to_string(GetLastError());
  return library;
}
void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library), name));
}
std::string file_of(const void* address) {
  constexpr DWORD kOfAddress = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  HMODULE library = nullptr;
  char name[4096];
  if (!GetModuleHandleExA(kOfAddress, static_cast<LPCSTR>(address), &library)) return {};
  const DWORD length = GetModuleFileNameA(library, name, sizeof name);
  return length < sizeof name ? std::string(name, length) : std::string();
}
#else
constexpr const char* kLibrary = "libcuda.so.1";
void* open_library(const char* path, std::string& reason) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char* error = library ? nullptr : dlerror();
  if (error) reason = error;
  return library;
}
void* find_symbol(void* library, const char* name) { return dlsym(library, name); }
std::string file_of(const void* address) {
  Dl_info info;
  return dladdr(address, &info) && info.dli_fname ? info.dli_fname : std::string();
}
#endif

void open_driver(Driver& d) {
  const char* chosen = std::getenv("TORCHSCRIPT_CUDA_DRIVER");
  d.path = chosen && *chosen ? chosen : kLibrary;
  std::string failure;
  void* library = open_library(d.path.c_str(), failure);
  if (!library) {
    d.reason = "the NVIDIA driver library " + d.path + " could not be opened (" + failure + "); CUDA needs an NVIDIA GPU and its driver";
    return;
  }
  const char* missing = nullptr;
#define TS_CUDA_FUNCTION(member, symbol, arguments)                                  \
  d.member = reinterpret_cast<decltype(d.member)>(find_symbol(library, symbol));     \
  if (!d.member && !missing) missing = symbol;
#define TS_CUDA_OPTIONAL(member, symbol, arguments) d.member = reinterpret_cast<decltype(d.member)>(find_symbol(library, symbol));
  TS_CUDA_FUNCTIONS
#undef TS_CUDA_FUNCTION
#undef TS_CUDA_OPTIONAL
  if (missing) {
    d.reason = "the NVIDIA driver library " + d.path + " has no function " + missing + "; a driver for CUDA 12 or later is needed";
    return;
  }
  auto failed = [&](Result result, const char* call) {
    if (result == kSuccess) return false;
    const char *name = nullptr, *text = nullptr;
    d.get_error_name(result, &name);
    d.get_error_string(result, &text);
    d.reason = std::string(call) + " failed with " + (name ? name : std::to_string(result).c_str()) + (text ? std::string(" (") + text + ")" : "");
    return true;
  };
  if (failed(d.init(0), "cuInit") || failed(d.driver_get_version(&d.version), "cuDriverGetVersion")) return;
  int count = 0;
  if (failed(d.device_get_count(&count), "cuDeviceGetCount")) return;
  if (count <= 0) {
    d.reason = "the NVIDIA driver finds no device";
    return;
  }
  d.devices = count;
}

}  // namespace

std::string addon_path() { return file_of(reinterpret_cast<const void*>(&addon_path)); }

const Driver& driver() {
  // Never closed: device memory may be freed while the process ends.
  static const Driver* instance = [] {
    auto* fresh = new Driver;
    open_driver(*fresh);
    return fresh;
  }();
  return *instance;
}

std::string error_text(Result result) {
  const Driver& d = driver();
  const char *name = nullptr, *text = nullptr;
  if (d.get_error_name) d.get_error_name(result, &name);
  if (d.get_error_string) d.get_error_string(result, &text);
  if (!name) return "error " + std::to_string(result);
  return std::string(name) + (text ? std::string(" (") + text + ")" : "");
}

void check_result(Result result, const char* call) {
  if (result == kSuccess) return;
  const char* symbol = call;
#define TS_CUDA_FUNCTION(member, name, arguments) \
  if (std::strcmp(call, #member) == 0) symbol = name;
#define TS_CUDA_OPTIONAL TS_CUDA_FUNCTION
  TS_CUDA_FUNCTIONS
#undef TS_CUDA_FUNCTION
#undef TS_CUDA_OPTIONAL
  fail("CUDA error: %s in %s", error_text(result).c_str(), symbol);
}

}  // namespace torchscript::cuda
