// An emulated CUDA driver: the functions of libcuda that native/cuda/driver.h resolves, on host memory and with kernels that were compiled as C++
// (cuda_emulation.h). Work waits in a queue until something asks for its end, as on a device, so that host memory that changes too early shows.
// Device memory can be reached only while a kernel or a copy runs, where the CPU has protection keys; each block ends at a page that never can.
//
//   TORCHSCRIPT_EMULATED_DEVICES (2)   TORCHSCRIPT_EMULATED_CAPABILITY (80)   TORCHSCRIPT_EMULATED_MEMORY (bytes a device, 1 GiB)   TORCHSCRIPT_EMULATED_LOG=1: what runs, to standard error
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "execute.h"
#include "hopper.h"
#include "ptx.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {

using Result = int;
using DevicePointer = uint64_t;
enum : Result {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kInvalidPtx = 218,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901
};

struct ErrorName {
  Result code;
  const char *name, *text;
};
constexpr ErrorName kErrors[] = {{kSuccess, "CUDA_SUCCESS", "no error"},
                                 {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
                                 {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
                                 {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
                                 {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
                                 {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
                                 {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
                                 {kInvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
                                 {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
                                 {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
                                 {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
                                 {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
                                 {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
                                 {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
                                 {kCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"}};

std::recursive_mutex everything;
#define LOCKED std::lock_guard<std::recursive_mutex> lock(everything)

size_t number_from(const char* variable, size_t otherwise) {
  const char* value = std::getenv(variable);
  return value && *value ? std::strtoull(value, nullptr, 10) : otherwise;
}
const int kDevices = static_cast<int>(number_from("TORCHSCRIPT_EMULATED_DEVICES", 2));
const size_t kMemory = number_from("TORCHSCRIPT_EMULATED_MEMORY", size_t{1} << 30);
const int kCapability = static_cast<int>(number_from("TORCHSCRIPT_EMULATED_CAPABILITY", 80));
const int kSharedOptin = (kCapability >= 90 ? 227 : kCapability == 75 ? 64 : 163) << 10;
const bool kLog = number_from("TORCHSCRIPT_EMULATED_LOG", 0) != 0;

// ---- memory: one range of addresses for all devices
constexpr size_t kPage = 4096;
constexpr size_t kRange = size_t{1} << 38;
constexpr unsigned char kSlack = 0xC5;

struct Allocation {
  DevicePointer begin;
  size_t bytes, pages;
  int device;
};
char* range_begin = nullptr;
size_t range_used = 0;
std::map<DevicePointer, Allocation> allocations;  // by begin
std::multimap<size_t, char*> free_pages;          // by number of pages
size_t used_bytes[64];
int protection_key = -1;

void open_range() {
  if (range_begin) return;
  void* memory = mmap(nullptr, kRange, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  range_begin = static_cast<char*>(memory);
#if defined(__x86_64__)
  protection_key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
#endif
}

// Device memory can be reached while one of these lives.
struct Reach {
  Reach() {
    if (protection_key >= 0) pkey_set(protection_key, 0);
  }
  ~Reach() {
    if (protection_key >= 0) pkey_set(protection_key, PKEY_DISABLE_ACCESS);
  }
};

const Allocation* allocation_at(DevicePointer p, size_t bytes) {
  auto after = allocations.upper_bound(p);
  if (after == allocations.begin()) return nullptr;
  const Allocation& a = std::prev(after)->second;
  return p >= a.begin && p - a.begin <= a.bytes && bytes <= a.bytes - (p - a.begin) ? &a : nullptr;
}
bool in_range(const void* p) {
  const auto address = static_cast<const char*>(p);
  return range_begin && address >= range_begin && address < range_begin + kRange;
}

Result allocate(int device, size_t bytes, DevicePointer* out) {
  open_range();
  if (bytes == 0) return kInvalidValue;
  if (used_bytes[device] + bytes > kMemory) return kOutOfMemory;
  const size_t pages = (bytes + kPage - 1) / kPage;
  char* block;
  auto known = free_pages.find(pages);
  if (known != free_pages.end()) {
    block = known->second;
    free_pages.erase(known);
  } else {
    // A page that can never be reached follows each block.
    if (range_used + (pages + 1) * kPage > kRange) return kOutOfMemory;
    block = range_begin + range_used;
    range_used += (pages + 1) * kPage;
  }
  if (protection_key >= 0) pkey_mprotect(block, pages * kPage, PROT_READ | PROT_WRITE, protection_key);
  else mprotect(block, pages * kPage, PROT_READ | PROT_WRITE);
  Reach reach;
  std::memset(block, kSlack, pages * kPage);
  const size_t rounded = (bytes + 15) & ~size_t{15};
  *out = reinterpret_cast<DevicePointer>(block + pages * kPage - rounded);
  allocations[*out] = {*out, bytes, pages, device};
  used_bytes[device] += bytes;
  return kSuccess;
}

// The bytes around a block that are not its own.
bool is_intact(const Allocation& a) {
  Reach reach;
  const auto* end = reinterpret_cast<const unsigned char*>(a.begin) + a.bytes;
  const auto* limit = reinterpret_cast<const unsigned char*>((a.begin + a.bytes + kPage - 1) & ~(kPage - 1));
  const auto* first = limit - a.pages * kPage;
  for (const auto* p = end; p < limit; p++)
    if (*p != kSlack) return false;
  for (const auto* p = first; p < reinterpret_cast<const unsigned char*>(a.begin); p++)
    if (*p != kSlack) return false;
  return true;
}

// ---- contexts, modules and streams
struct Context {
  int device;
};
Context contexts[64];
thread_local Context* current = nullptr;

struct Function {
  const emulation::KernelEntry* kernel;
  size_t dynamic_shared = 48 << 10;
};
struct Module {
  std::map<std::string, std::unique_ptr<Function>> functions;
  std::vector<std::unique_ptr<emulation::PtxKernel>> written;  // of a text
};

using Work = std::function<Result()>;
struct Graph {
  std::vector<Work> nodes;
};
struct Stream {
  int device;
  Graph* capture = nullptr;
};
struct Event {
  bool recorded = false, done = true;
};

struct Pending {
  Work run;
};
std::deque<Pending> queue;
Result sticky = kSuccess;  // after an illegal access nothing works, as on a device

const char* error_name(Result result) {
  for (const ErrorName& error : kErrors)
    if (error.code == result) return error.name;
  return nullptr;
}

Result drain() {
  while (!queue.empty() && sticky == kSuccess) {
    Pending next = std::move(queue.front());
    queue.pop_front();
    sticky = next.run();
  }
  if (sticky != kSuccess) queue.clear();
  return sticky;
}

Result enqueue(Stream* stream, Work work) {
  if (stream && stream->capture) {
    stream->capture->nodes.push_back(std::move(work));
    return kSuccess;
  }
  queue.push_back({std::move(work)});
  return sticky;
}

void report(const std::string& text) {
  std::string line = "emulated CUDA: " + text + "\n";
  if (write(2, line.data(), line.size()) < 0) return;
}

// ---- kernels
struct sigaction previous_segv, previous_bus;
std::string running_kernel;

void on_fault(int, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<DevicePointer>(info->si_addr);
  char where[32];
  snprintf(where, sizeof where, "0x%llx", static_cast<unsigned long long>(address));
  std::string what = std::string("an access outside of device memory at ") + where;
  if (in_range(info->si_addr)) {
    auto after = allocations.upper_bound(address);
    if (after != allocations.begin()) {
      const Allocation& a = std::prev(after)->second;
      what = "an access " + std::to_string(address - a.begin) + " bytes after the begin of a block of " + std::to_string(a.bytes) + " bytes";
    }
  }
  emulation::leave(what + " in " + running_kernel + ", " + emulation::position());
}

Result run_kernel(const emulation::Launch& launch) {
  running_kernel = launch.kernel->name;
  if (kLog) report("kernel " + running_kernel);
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  // The fault may be an overflow of a fiber's stack.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  static char alternate[64 << 10];
  stack_t own = {}, before = {};
  own.ss_sp = alternate;
  own.ss_size = sizeof alternate;
  sigaltstack(&own, &before);
  sigaction(SIGSEGV, &action, &previous_segv);
  sigaction(SIGBUS, &action, &previous_bus);
  std::string failure;
  {
    Reach reach;
    failure = emulation::execute(launch);
  }
  sigaction(SIGSEGV, &previous_segv, nullptr);
  sigaction(SIGBUS, &previous_bus, nullptr);
  sigaltstack(&before, nullptr);
  if (!failure.empty()) {
    report(failure + (failure.find(running_kernel) == std::string::npos ? " in " + running_kernel : ""));
    return failure.find("access") != std::string::npos ? kIllegalAddress : kLaunchFailed;
  }
  return kSuccess;
}

Result copy_bytes(void* to, const void* from, size_t bytes) {
  for (const void* p : {const_cast<const void*>(to), from}) {
    if (in_range(p) && !allocation_at(reinterpret_cast<DevicePointer>(p), bytes)) {
      report("a copy of " + std::to_string(bytes) + " bytes outside of a block");
      return kIllegalAddress;
    }
  }
  Reach reach;
  std::memcpy(to, from, bytes);
  return kSuccess;
}

Stream* as_stream(void* stream) { return static_cast<Stream*>(stream); }
void* pointer(DevicePointer p) { return reinterpret_cast<void*>(p); }

}  // namespace

API Result cuInit(unsigned) { return kDevices > 0 ? kSuccess : 100; }
API Result cuDriverGetVersion(int* version) {
  *version = 12080;
  return kSuccess;
}
API Result cuDeviceGetCount(int* count) {
  *count = kDevices;
  return kSuccess;
}
API Result cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal >= 0 && ordinal < kDevices ? kSuccess : kInvalidDevice;
}
API Result cuDeviceGetName(char* name, int length, int device) {
  snprintf(name, static_cast<size_t>(length), "Emulated GPU %d", device);
  return kSuccess;
}
API Result cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 1: *value = 1024; break;             // threads a block
    case 8: *value = 48 << 10; break;         // shared memory a block
    case 10: *value = 32; break;              // warp
    case 13: *value = 1000000; break;         // clock
    case 16: *value = 2; break;               // multiprocessors
    case 36: *value = 1000000; break;         // memory clock
    case 37: *value = 64; break;              // bus
    case 38: *value = 1 << 20; break;         // L2
    case 75: *value = kCapability / 10; break;  // compute capability
    case 76: *value = kCapability % 10; break;
    case 97: *value = kSharedOptin; break;       // shared memory a block, opted in
    case 102: *value = 1; break;                 // virtual memory
    default: *value = 0;
  }
  return kSuccess;
}
API Result cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = kMemory;
  return kSuccess;
}
API Result cuDevicePrimaryCtxRetain(void** context, int device) {
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  contexts[device].device = device;
  *context = &contexts[device];
  return kSuccess;
}
API Result cuCtxSetCurrent(void* context) {
  current = static_cast<Context*>(context);
  return kSuccess;
}
API Result cuMemAlloc_v2(DevicePointer* out, size_t bytes) {
  LOCKED;
  if (!current) return kInvalidContext;
  return sticky != kSuccess ? sticky : allocate(current->device, bytes, out);
}
API Result cuMemFree_v2(DevicePointer p) {
  LOCKED;
  drain();
  auto found = allocations.find(p);
  if (found == allocations.end()) return kInvalidValue;
  const Allocation a = found->second;
  const bool intact = is_intact(a);
  char* first = reinterpret_cast<char*>(((a.begin + a.bytes + kPage - 1) & ~(kPage - 1)) - a.pages * kPage);
  mprotect(first, a.pages * kPage, PROT_NONE);
  free_pages.emplace(a.pages, first);
  used_bytes[a.device] -= a.bytes;
  allocations.erase(found);
  if (!intact) {
    report("a block of " + std::to_string(a.bytes) + " bytes was written beyond its ends");
    sticky = kIllegalAddress;
  }
  return sticky;
}
// Addresses that get their memory from the first one on, and lose it from the last one on: an allocation that grows.
API Result cuMemGetAllocationGranularity(size_t* bytes, const void*, int) {
  *bytes = kPage;
  return kSuccess;
}
API Result cuMemAddressReserve(DevicePointer* out, size_t bytes, size_t, DevicePointer, unsigned long long) {
  LOCKED;
  open_range();
  const size_t pages = (bytes + kPage - 1) / kPage;
  if (range_used + (pages + 1) * kPage > kRange) return kOutOfMemory;
  *out = reinterpret_cast<DevicePointer>(range_begin + range_used);
  range_used += (pages + 1) * kPage;
  allocations[*out] = {*out, 0, 0, 0};
  return kSuccess;
}
struct MemoryHandle {
  size_t bytes;
  int device;
};
API Result cuMemCreate(unsigned long long* handle, size_t bytes, const int* properties, unsigned long long) {
  LOCKED;
  const int device = properties[3];  // CUmemAllocationProp::location.id
  if (properties[0] != 1 || properties[2] != 1 || device < 0 || device >= kDevices || bytes == 0 || bytes % kPage != 0) return kInvalidValue;
  if (used_bytes[device] + bytes > kMemory) return kOutOfMemory;
  used_bytes[device] += bytes;
  *handle = reinterpret_cast<unsigned long long>(new MemoryHandle{bytes, device});
  return kSuccess;
}
API Result cuMemRelease(unsigned long long handle) {
  LOCKED;
  auto* held = reinterpret_cast<MemoryHandle*>(handle);
  used_bytes[held->device] -= held->bytes;
  delete held;
  return kSuccess;
}
API Result cuMemMap(DevicePointer p, size_t bytes, size_t offset, unsigned long long handle, unsigned long long) {
  LOCKED;
  auto after = allocations.upper_bound(p);
  if (after == allocations.begin() || offset != 0 || reinterpret_cast<MemoryHandle*>(handle)->bytes != bytes) return kInvalidValue;
  Allocation& a = std::prev(after)->second;
  if (p != a.begin + a.bytes) return kInvalidValue;
  a.bytes += bytes;
  return kSuccess;
}
API Result cuMemSetAccess(DevicePointer p, size_t bytes, const int* access, size_t count) {
  LOCKED;
  if (count != 1 || access[0] != 1 || access[2] != 3 || !allocation_at(p, bytes)) return kInvalidValue;
  if (protection_key >= 0) pkey_mprotect(pointer(p), bytes, PROT_READ | PROT_WRITE, protection_key);
  else mprotect(pointer(p), bytes, PROT_READ | PROT_WRITE);
  Reach reach;
  std::memset(pointer(p), kSlack, bytes);
  return kSuccess;
}
API Result cuMemUnmap(DevicePointer p, size_t bytes) {
  LOCKED;
  auto after = allocations.upper_bound(p);
  if (after == allocations.begin()) return kInvalidValue;
  Allocation& a = std::prev(after)->second;
  if (!queue.empty() || p + bytes != a.begin + a.bytes || p < a.begin) return kInvalidValue;
  a.bytes -= bytes;
  mprotect(pointer(p), bytes, PROT_NONE);
  return kSuccess;
}
API Result cuMemGetInfo_v2(size_t* free, size_t* total) {
  LOCKED;
  if (!current) return kInvalidContext;
  *total = kMemory;
  *free = kMemory - used_bytes[current->device];
  return kSuccess;
}
API Result cuMemHostAlloc(void** out, size_t bytes, unsigned) {
  *out = std::aligned_alloc(64, (bytes + 63) & ~size_t{63});
  return *out ? kSuccess : kOutOfMemory;
}
API Result cuMemFreeHost(void* p) {
  LOCKED;
  drain();
  std::free(p);
  return kSuccess;
}
API Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes, void* stream) {
  LOCKED;
  return enqueue(as_stream(stream), [=] { return copy_bytes(pointer(to), from, bytes); });
}
API Result cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, size_t bytes, void* stream) {
  LOCKED;
  return enqueue(as_stream(stream), [=] { return copy_bytes(to, pointer(from), bytes); });
}
API Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes, void* stream) {
  LOCKED;
  return enqueue(as_stream(stream), [=] { return copy_bytes(pointer(to), pointer(from), bytes); });
}
API Result cuMemcpyPeerAsync(DevicePointer to, void*, DevicePointer from, void*, size_t bytes, void* stream) {
  return cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
}
API Result cuMemsetD8Async(DevicePointer to, unsigned char value, size_t bytes, void* stream) {
  LOCKED;
  return enqueue(as_stream(stream), [=] {
    if (!allocation_at(to, bytes)) return static_cast<Result>(kIllegalAddress);
    Reach reach;
    std::memset(pointer(to), value, bytes);
    return static_cast<Result>(kSuccess);
  });
}
API Result cuStreamCreate(void** stream, unsigned) {
  if (!current) return kInvalidContext;
  *stream = new Stream{current->device};
  return kSuccess;
}
API Result cuStreamDestroy_v2(void* stream) {
  LOCKED;
  drain();
  delete as_stream(stream);
  return kSuccess;
}
API Result cuStreamSynchronize(void* stream) {
  LOCKED;
  if (as_stream(stream)->capture) return kCaptureUnsupported;
  return drain();
}
API Result cuStreamWaitEvent(void*, void*, unsigned) { return kSuccess; }  // all work is in one order
API Result cuStreamBeginCapture_v2(void* stream, int) {
  LOCKED;
  as_stream(stream)->capture = new Graph;
  return kSuccess;
}
API Result cuStreamEndCapture(void* stream, void** graph) {
  LOCKED;
  *graph = std::exchange(as_stream(stream)->capture, nullptr);
  return *graph ? kSuccess : kInvalidValue;
}
API Result cuEventCreate(void** event, unsigned) {
  *event = new Event;
  return kSuccess;
}
API Result cuEventDestroy_v2(void* event) {
  LOCKED;
  drain();
  delete static_cast<Event*>(event);
  return kSuccess;
}
API Result cuEventRecord(void* event, void* stream) {
  LOCKED;
  auto* e = static_cast<Event*>(event);
  e->recorded = true;
  e->done = false;
  return enqueue(as_stream(stream), [e] {
    e->done = true;
    return static_cast<Result>(kSuccess);
  });
}
API Result cuEventQuery(void* event) {
  LOCKED;
  return static_cast<Event*>(event)->done ? kSuccess : kNotReady;
}
API Result cuEventSynchronize(void* event) {
  LOCKED;
  while (!static_cast<Event*>(event)->done && !queue.empty() && sticky == kSuccess) {
    Pending next = std::move(queue.front());
    queue.pop_front();
    sticky = next.run();
  }
  return sticky;
}
API Result cuEventElapsedTime(float* milliseconds, void*, void*) {
  *milliseconds = 0;
  return kSuccess;
}
API Result cuModuleLoadDataEx(void** module, const void* image, unsigned count, int* options, void** values) {
  LOCKED;
  if (emulation::is_ptx(static_cast<const char*>(image))) {
    std::string error;
    auto kernels = emulation::parse_ptx(static_cast<const char*>(image), &error);
    if (!error.empty()) {
      report("PTX " + error);
      // CU_JIT_ERROR_LOG_BUFFER and its size.
      for (unsigned i = 0; i + 1 < count; i++)
        if (options[i] == 5 && options[i + 1] == 6) snprintf(static_cast<char*>(values[i]), reinterpret_cast<size_t>(values[i + 1]), "%s", error.c_str());
      return kInvalidPtx;
    }
    auto* m = new Module;
    m->written = std::move(kernels);
    *module = m;
    return kSuccess;
  }
  if (std::strncmp(static_cast<const char*>(image), "emulated", 8) != 0) return kInvalidImage;
  *module = new Module;
  return kSuccess;
}
// Linking gives the text back.
struct Link {
  std::string text;
};
API Result cuLinkCreate_v2(unsigned, int*, void**, void** link) {
  *link = new Link;
  return kSuccess;
}
API Result cuLinkAddData_v2(void* link, int type, void* data, size_t bytes, const char*, unsigned, int*, void**) {
  std::string error;
  const std::string text(static_cast<const char*>(data), bytes > 0 ? bytes - 1 : 0);
  emulation::parse_ptx(text, &error);
  if (type != 1 || !error.empty()) return kInvalidPtx;
  if (kLog) report("PTX is compiled");
  static_cast<Link*>(link)->text = text;
  return kSuccess;
}
API Result cuLinkComplete(void* link, void** cubin, size_t* bytes) {
  auto* l = static_cast<Link*>(link);
  *cubin = l->text.data();
  *bytes = l->text.size() + 1;
  return kSuccess;
}
API Result cuLinkDestroy(void* link) {
  delete static_cast<Link*>(link);
  return kSuccess;
}
API Result cuModuleUnload(void* module) {
  LOCKED;
  drain();
  delete static_cast<Module*>(module);
  return kSuccess;
}
API Result cuModuleGetFunction(void** function, void* module, const char* name) {
  LOCKED;
  auto* m = static_cast<Module*>(module);
  for (const auto& kernel : m->written) {
    if (kernel->name != name) continue;
    auto& held = m->functions[name];
    if (!held) held = std::make_unique<Function>(Function{&kernel->entry});
    *function = held.get();
    return kSuccess;
  }
  for (const emulation::KernelEntry* k = emulation::kernels; k; k = k->next) {
    if (std::strcmp(k->name, name) != 0) continue;
    auto& held = m->functions[name];
    if (!held) held = std::make_unique<Function>(Function{k});
    *function = held.get();
    return kSuccess;
  }
  return kNotFound;
}
API Result cuFuncGetAttribute(int* value, int, void*) {
  *value = 0;
  return kSuccess;
}
API Result cuFuncSetAttribute(void* function, int attribute, int value) {
  if (attribute == 8) {
    if (value > kSharedOptin) return kInvalidValue;
    static_cast<Function*>(function)->dynamic_shared = static_cast<size_t>(value);
  }
  return kSuccess;
}
API Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int block_size, size_t) {
  *blocks = 2048 / std::max(block_size, 1);
  return kSuccess;
}
API Result cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                          void* stream, void** parameters, void**) {
  LOCKED;
  auto* f = static_cast<Function*>(function);
  if (!f || gx == 0 || gy == 0 || gz == 0 || bx == 0 || by == 0 || bz == 0) return kInvalidValue;
  if (gy > 65535 || gz > 65535 || bz > 64 || static_cast<uint64_t>(bx) * by * bz > f->kernel->most_threads || shared > f->dynamic_shared) return kInvalidValue;
  // TORCHSCRIPT_EMULATED_NO_CAPTURE: a kernel that cannot be part of a graph.
  if (const char* refused = std::getenv("TORCHSCRIPT_EMULATED_NO_CAPTURE"); refused && *refused && as_stream(stream)->capture && std::strstr(f->kernel->name, refused))
    return kCaptureUnsupported;
  // Parameters are read now, as by the driver.
  size_t total = 0;
  for (int i = 0; i < f->kernel->parameters; i++) total += (f->kernel->sizes[i] + 63) & ~size_t{63};
  if (total > 4096) return kInvalidValue;
  auto values = std::shared_ptr<char>(static_cast<char*>(std::aligned_alloc(64, (total + 64) & ~size_t{63})), std::free);
  std::vector<void*> list;
  size_t at = 0;
  for (int i = 0; i < f->kernel->parameters; i++) {
    std::memcpy(values.get() + at, parameters[i], f->kernel->sizes[i]);
    list.push_back(values.get() + at);
    at += (f->kernel->sizes[i] + 63) & ~size_t{63};
  }
  return enqueue(as_stream(stream), [=, held = values]() mutable {
    emulation::Launch launch{f->kernel, {gx, gy, gz}, {bx, by, bz}, shared, list.data()};
    return run_kernel(launch);
  });
}
API Result cuTensorMapEncodeTiled(void* map, int dtype, unsigned rank, void* address, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                                  const uint32_t* element_strides, int interleave, int swizzle, int promotion, int fill) {
  return emulation::encode_tensor_map(map, dtype, rank, address, sizes, strides, box, element_strides, interleave, swizzle, promotion, fill) ? kSuccess : kInvalidValue;
}
API Result cuGraphInstantiateWithFlags(void** instance, void* graph, unsigned long long) {
  LOCKED;
  *instance = new Graph(*static_cast<Graph*>(graph));
  return kSuccess;
}
API Result cuGraphLaunch(void* instance, void* stream) {
  LOCKED;
  auto nodes = static_cast<Graph*>(instance)->nodes;
  for (Work& node : nodes) {
    const Result result = enqueue(as_stream(stream), node);
    if (result != kSuccess) return result;
  }
  return sticky;
}
API Result cuGraphGetNodes(void* graph, void*, size_t* count) {
  *count = static_cast<Graph*>(graph)->nodes.size();
  return kSuccess;
}
API Result cuGraphDestroy(void* graph) {
  LOCKED;
  delete static_cast<Graph*>(graph);
  return kSuccess;
}
API Result cuGraphExecDestroy(void* instance) { return cuGraphDestroy(instance); }
API Result cuGetErrorName(Result error, const char** name) {
  *name = error_name(error);
  return *name ? kSuccess : kInvalidValue;
}
API Result cuGetErrorString(Result error, const char** text) {
  *text = nullptr;
  for (const ErrorName& e : kErrors)
    if (e.code == error) *text = e.text;
  return *text ? kSuccess : kInvalidValue;
}
