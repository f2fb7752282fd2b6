#include "cuda/kernels.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace torchscript::cuda {
namespace {

// torchscript.cuda: "TSCUDA01", number of images (u32); for each its name, offset and size in the file (u64) and the names of its kernels. Texts
// have their length (u32) before them. scripts/build-cuda.mjs writes it; an image is a fatbin, loaded when a kernel of it is first launched.
struct Image {
  std::string name;
  size_t offset = 0, bytes = 0;
};
struct KernelFile {
  std::string path, reason;
  std::vector<char> bytes;
  std::vector<Image> images;
  std::unordered_map<std::string, int> image_of;  // by kernel
};

std::string folder_of(const std::string& path) {
  size_t slash = path.find_last_of("/\\");
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string kernel_file_path() {
  const char* chosen = std::getenv("TORCHSCRIPT_CUDA_KERNELS");
  if (chosen && *chosen) return chosen;
  const char* other_driver = std::getenv("TORCHSCRIPT_CUDA_DRIVER");
  if (other_driver && *other_driver) return folder_of(other_driver) + "/torchscript.cuda";
  const std::string addon = addon_path();
  return addon.empty() ? "torchscript.cuda" : folder_of(addon) + "/torchscript.cuda";
}

class Reader {
 public:
  explicit Reader(const std::vector<char>& bytes) : bytes_(bytes) {}
  template <class T> bool number(T* value) {
    if (bytes_.size() - at_ < sizeof(T)) return false;
    std::memcpy(value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  bool text(std::string* value) {
    uint32_t n = 0;
    if (!number(&n) || bytes_.size() - at_ < n) return false;
    value->assign(bytes_.data() + at_, n);
    at_ += n;
    return true;
  }

 private:
  const std::vector<char>& bytes_;
  size_t at_ = 8;
};

bool read_images(KernelFile& file) {
  if (file.bytes.size() < 8 || std::memcmp(file.bytes.data(), "TSCUDA01", 8) != 0) return false;
  Reader reader(file.bytes);
  uint32_t count = 0;
  if (!reader.number(&count) || count > 65536) return false;
  for (uint32_t i = 0; i < count; i++) {
    Image image;
    uint64_t offset = 0, bytes = 0;
    uint32_t kernels = 0;
    if (!reader.text(&image.name) || !reader.number(&offset) || !reader.number(&bytes) || !reader.number(&kernels)) return false;
    if (offset > file.bytes.size() || bytes > file.bytes.size() - offset) return false;
    image.offset = offset;
    image.bytes = bytes;
    for (uint32_t k = 0; k < kernels; k++) {
      std::string name;
      if (!reader.text(&name)) return false;
      file.image_of[name] = static_cast<int>(i);
    }
    file.images.push_back(std::move(image));
  }
  return true;
}

const KernelFile& kernel_file() {
  static const KernelFile* file = [] {
    auto* fresh = new KernelFile;
    fresh->path = kernel_file_path();
    std::FILE* stream = std::fopen(fresh->path.c_str(), "rb");
    if (!stream) {
      fresh->reason = "the compiled kernels are not at " + fresh->path + " (npm run build:cuda makes them; it needs nvcc)";
      return fresh;
    }
    char buffer[65536];
    for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, stream)) > 0;) fresh->bytes.insert(fresh->bytes.end(), buffer, buffer + n);
    std::fclose(stream);
    if (!read_images(*fresh)) {
      fresh->reason = fresh->path + " is not a file of compiled kernels";
      fresh->images.clear();
      fresh->image_of.clear();
    }
    return fresh;
  }();
  return *file;
}

// What is loaded on one device.
struct Loaded {
  std::mutex mutex;
  std::vector<ModuleHandle> modules;
  struct Entry {
    FunctionHandle handle = nullptr;
    size_t dynamic_shared = 48 << 10;  // what may be asked for, beside the static
  };
  std::unordered_map<std::string_view, Entry> functions;
};
Loaded& loaded_on(int device) {
  static std::mutex mutex;
  static std::unordered_map<int, Loaded*> all;
  std::lock_guard<std::mutex> lock(mutex);
  Loaded*& loaded = all[device];
  if (!loaded) loaded = new Loaded;
  return *loaded;
}

}  // namespace

std::vector<std::string> kernel_file_names(std::string* path, std::string* reason) {
  const KernelFile& file = kernel_file();
  *path = file.path;
  *reason = file.reason;
  std::vector<std::string> names;
  for (const auto& [name, image] : file.image_of) names.push_back(name);
  return names;
}

FunctionHandle find_function(Context& context, const char* name, size_t dynamic_shared) {
  Loaded& loaded = loaded_on(context.index);
  std::lock_guard<std::mutex> lock(loaded.mutex);
  auto found = loaded.functions.find(name);
  if (found == loaded.functions.end()) {
    const KernelFile& file = kernel_file();
    auto known = file.image_of.find(name);
    if (known == file.image_of.end())
      fail("CUDA kernel %s is missing: %s", name, file.reason.empty() ? ("it is not in " + file.path).c_str() : file.reason.c_str());
    loaded.modules.resize(file.images.size());
    ModuleHandle& module = loaded.modules[static_cast<size_t>(known->second)];
    if (!module) {
      const Image& image = file.images[static_cast<size_t>(known->second)];
      char log[2048] = {};
      int options[] = {kJitErrorLog, kJitErrorLogBytes};
      void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
      const Result result = driver().module_load_data(&module, file.bytes.data() + image.offset, 2, options, values);
      if (result != kSuccess) {
        module = nullptr;
        fail("CUDA error: %s in cuModuleLoadDataEx of %s for compute capability %d.%d%s%s", error_text(result).c_str(), image.name.c_str(),
             context.properties.major, context.properties.minor, log[0] ? ": " : "", log);
      }
    }
    Loaded::Entry entry;
    TS_CUDA(module_get_function, &entry.handle, module, name);
    int static_shared = 0;
    TS_CUDA(func_get_attribute, &static_shared, kFunctionStaticShared, entry.handle);
    entry.dynamic_shared -= std::min(entry.dynamic_shared, static_cast<size_t>(static_shared));
    found = loaded.functions.emplace(known->first, entry).first;
  }
  Loaded::Entry& entry = found->second;
  if (dynamic_shared > entry.dynamic_shared) {
    TS_CUDA(func_set_attribute, entry.handle, kFunctionMaxDynamicShared, static_cast<int>(dynamic_shared));
    entry.dynamic_shared = dynamic_shared;
  }
  return entry.handle;
}

void launch_raw(int device, Runtime* runtime, const char* name, Dim grid, Dim block, size_t dynamic_shared, void** parameters) {
  Context& context = enter(device);
  const FunctionHandle function = find_function(context, name, dynamic_shared);
  if (runtime) runtime->note(name);
  const Result result = driver().launch_kernel(function, grid.x, grid.y, grid.z, block.x, block.y, block.z,
                                               static_cast<unsigned>(dynamic_shared), current_stream(context), parameters, nullptr);
  if (result != kSuccess) {
    fail("CUDA error: %s in cuLaunchKernel of %s with grid %ux%ux%u, block %ux%ux%u and %zu bytes of shared memory",
         error_text(result).c_str(), name, grid.x, grid.y, grid.z, block.x, block.y, block.z, dynamic_shared);
  }
}

unsigned grid_for(int device, int64_t n, int block) {
  const int64_t needed = (n + block - 1) / block;
  const int64_t resident = static_cast<int64_t>(enter(device).properties.multi_processors) * (2048 / block);
  return static_cast<unsigned>(needed < 1 ? 1 : needed < resident ? needed : resident);
}

Divider divider_of(uint32_t divisor) {
  Divider d;
  d.divisor = divisor;
  for (d.shift = 0; d.shift < 32; d.shift++)
    if ((uint64_t{1} << d.shift) >= divisor) break;
  d.magic = static_cast<uint32_t>(((uint64_t{1} << 32) * ((uint64_t{1} << d.shift) - divisor)) / divisor + 1);
  return d;
}

bool build_loop(const int64_t* sizes, int ndim, const int64_t* const* strides, int windows, uint32_t* n, int32_t* loop_ndim, Divider* dividers,
                int64_t* out_strides, int out_row) {
  int64_t total = 1;
  int order[kLoopDims];
  int count = 0;
  for (int d = ndim - 1; d >= 0; d--) {
    total *= sizes[d];
    if (sizes[d] != 1) order[count++] = d;
  }
  if (total >= int64_t{1} << 31) return false;
  // Innermost first, by the strides of the first window.
  for (int i = 1; i < count; i++) {
    for (int j = i; j > 0 && strides[0][order[j]] < strides[0][order[j - 1]]; j--) std::swap(order[j], order[j - 1]);
  }
  int64_t merged[kLoopDims];
  int last = -1;
  for (int i = 0; i < count; i++) {
    const int d = order[i];
    bool joins = last >= 0;
    for (int k = 0; joins && k < windows; k++) joins = strides[k][d] == out_strides[last * out_row + k] * merged[last];
    if (joins) {
      merged[last] *= sizes[d];
      continue;
    }
    merged[++last] = sizes[d];
    for (int k = 0; k < windows; k++) out_strides[last * out_row + k] = strides[k][d];
  }
  *n = static_cast<uint32_t>(total);
  *loop_ndim = last + 1;
  for (int d = 0; d <= last; d++) dividers[d] = divider_of(static_cast<uint32_t>(merged[d] > 0 ? merged[d] : 1));
  return true;
}

}  // namespace torchscript::cuda
