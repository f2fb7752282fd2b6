#include "cuda/emitted.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cuda/kernel_cache.h"

namespace torchscript::cuda {
namespace {

// TORCHSCRIPT_CUDA_PTX names a folder that gets the texts, to look at and to assemble.
void keep_text(const emit::KernelText& kernel) {
  const char* folder = std::getenv("TORCHSCRIPT_CUDA_PTX");
  if (!folder || !*folder) return;
  const std::string path = std::string(folder) + "/" + kernel.name + ".ptx";
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(kernel.text.data(), 1, kernel.text.size(), file);
    std::fclose(file);
  }
}

struct Emitted {
  std::mutex mutex;
  std::unordered_map<std::string, FunctionHandle> functions;  // by name, which follows from the text
};
Emitted& emitted_on(int device) {
  static std::mutex mutex;
  static std::unordered_map<int, Emitted*> all;
  std::lock_guard<std::mutex> lock(mutex);
  Emitted*& emitted = all[device];
  if (!emitted) emitted = new Emitted;
  return *emitted;
}

FunctionHandle find_emitted(Context& context, const emit::KernelText& kernel) {
  Emitted& emitted = emitted_on(context.index);
  std::lock_guard<std::mutex> lock(emitted.mutex);
  FunctionHandle& function = emitted.functions[kernel.name];
  if (function) return function;
  keep_text(kernel);
  ModuleHandle module = nullptr;
  const std::string chip = "sm_" + std::to_string(context.properties.major) + std::to_string(context.properties.minor);
  const std::vector<char> compiled = compiled_kernel(kernel.name, kernel.text, chip);
  if (!compiled.empty() && driver().module_load_data(&module, compiled.data(), 0, nullptr, nullptr) == kSuccess) {
    TS_CUDA(module_get_function, &function, module, kernel.name.c_str());
    return function;
  }
  char log[2048] = {};
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  const Result result = driver().module_load_data(&module, kernel.text.c_str(), 2, options, values);
  if (result != kSuccess) {
    fail("CUDA error: %s in cuModuleLoadDataEx of %s, which was made for a fused group%s%s", error_text(result).c_str(),
         kernel.name.c_str(), log[0] ? ": " : "", log);
  }
  TS_CUDA(module_get_function, &function, module, kernel.name.c_str());
  return function;
}

}  // namespace

void launch_text(int device, Runtime* runtime, const emit::KernelText& kernel, unsigned grid, const void* parameters) {
  Context& context = enter(device);
  const FunctionHandle function = find_emitted(context, kernel);
  if (runtime) runtime->note("fused_pointwise_cuda");
  void* list[] = {const_cast<void*>(parameters)};
  TS_CUDA(launch_kernel, function, grid, 1, 1, emit::kThreads, 1, 1, 0, current_stream(context), list, nullptr);
}

}  // namespace torchscript::cuda
