// The CUDA driver, opened when something asks for it. Its types are declared here, so that the addon is built without a toolkit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace torchscript::cuda {

using Result = int;  // CUresult
using DevicePointer = uint64_t;
using Device = int;
struct ContextHandle_;
struct ModuleHandle_;
struct FunctionHandle_;
struct StreamHandle_;
struct EventHandle_;
struct GraphHandle_;
struct GraphExecHandle_;
struct GraphNodeHandle_;
struct LinkHandle_;
using ContextHandle = ContextHandle_*;
using ModuleHandle = ModuleHandle_*;
using FunctionHandle = FunctionHandle_*;
using StreamHandle = StreamHandle_*;
using EventHandle = EventHandle_*;
using GraphHandle = GraphHandle_*;
using GraphExecHandle = GraphExecHandle_*;
using GraphNodeHandle = GraphNodeHandle_*;
using LinkHandle = LinkHandle_*;

// CUDA_ERROR_*
constexpr Result kSuccess = 0, kOutOfMemory = 2, kNotFound = 500, kNotReady = 600, kIllegalAddress = 700;
// CU_DEVICE_ATTRIBUTE_*
constexpr int kMaxThreadsPerBlock = 1, kMaxSharedPerBlock = 8, kWarpSize = 10, kClockRate = 13, kMultiprocessorCount = 16, kMemoryClock = 36,
              kMemoryBusWidth = 37, kL2CacheSize = 38, kComputeMajor = 75, kComputeMinor = 76, kMaxSharedPerBlockOptin = 97,
              kVirtualMemory = 102;
// CU_FUNC_ATTRIBUTE_*
constexpr int kFunctionStaticShared = 1, kFunctionMaxDynamicShared = 8;
// CUmemAllocationProp and CUmemAccessDesc.
struct MemoryLocation {
  int type = 1;  // a device
  int id = 0;
};
struct MemoryProperties {
  int type = 1;  // pinned
  int handle_types = 0;
  MemoryLocation location;
  void* windows_handle = nullptr;
  unsigned char flags[8] = {};
};
struct MemoryAccess {
  MemoryLocation location;
  int flags = 3;  // reading and writing
};
constexpr unsigned kStreamNonBlocking = 1, kEventDisableTiming = 2, kEventBlockingSync = 1, kCaptureRelaxed = 2, kHostAllocPortable = 1, kHostAllocMapped = 2;
// CU_JIT_*
constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6, kJitInputPtx = 1;

// name in the library, and what we call. `TS_CUDA_FUNCTION(member, symbol, arguments)`; those of TS_CUDA_OPTIONAL may be null.
#define TS_CUDA_FUNCTIONS                                                                                                               \
  TS_CUDA_FUNCTION(init, "cuInit", (unsigned flags))                                                                                    \
  TS_CUDA_FUNCTION(driver_get_version, "cuDriverGetVersion", (int* version))                                                            \
  TS_CUDA_FUNCTION(device_get_count, "cuDeviceGetCount", (int* count))                                                                  \
  TS_CUDA_FUNCTION(device_get, "cuDeviceGet", (Device * device, int ordinal))                                                           \
  TS_CUDA_FUNCTION(device_get_name, "cuDeviceGetName", (char* name, int length, Device device))                                         \
  TS_CUDA_FUNCTION(device_get_attribute, "cuDeviceGetAttribute", (int* value, int attribute, Device device))                            \
  TS_CUDA_FUNCTION(device_total_mem, "cuDeviceTotalMem_v2", (size_t * bytes, Device device))                                            \
  TS_CUDA_FUNCTION(primary_ctx_retain, "cuDevicePrimaryCtxRetain", (ContextHandle * context, Device device))                            \
  TS_CUDA_FUNCTION(ctx_set_current, "cuCtxSetCurrent", (ContextHandle context))                                                         \
  TS_CUDA_FUNCTION(mem_alloc, "cuMemAlloc_v2", (DevicePointer * pointer, size_t bytes))                                                 \
  TS_CUDA_FUNCTION(mem_free, "cuMemFree_v2", (DevicePointer pointer))                                                                   \
  TS_CUDA_FUNCTION(mem_get_info, "cuMemGetInfo_v2", (size_t * free, size_t* total))                                                     \
  TS_CUDA_FUNCTION(mem_host_alloc, "cuMemHostAlloc", (void** pointer, size_t bytes, unsigned flags))                                    \
  TS_CUDA_FUNCTION(mem_free_host, "cuMemFreeHost", (void* pointer))                                                                     \
  TS_CUDA_FUNCTION(memcpy_htod, "cuMemcpyHtoDAsync_v2", (DevicePointer to, const void* from, size_t bytes, StreamHandle stream))        \
  TS_CUDA_FUNCTION(memcpy_dtoh, "cuMemcpyDtoHAsync_v2", (void* to, DevicePointer from, size_t bytes, StreamHandle stream))              \
  TS_CUDA_FUNCTION(memcpy_dtod, "cuMemcpyDtoDAsync_v2", (DevicePointer to, DevicePointer from, size_t bytes, StreamHandle stream))      \
  TS_CUDA_FUNCTION(memcpy_peer, "cuMemcpyPeerAsync",                                                                                    \
                   (DevicePointer to, ContextHandle to_context, DevicePointer from, ContextHandle from_context, size_t bytes,           \
                    StreamHandle stream))                                                                                               \
  TS_CUDA_FUNCTION(memset_d8, "cuMemsetD8Async", (DevicePointer to, unsigned char value, size_t bytes, StreamHandle stream))            \
  TS_CUDA_FUNCTION(stream_create, "cuStreamCreate", (StreamHandle * stream, unsigned flags))                                            \
  TS_CUDA_FUNCTION(stream_destroy, "cuStreamDestroy_v2", (StreamHandle stream))                                                         \
  TS_CUDA_FUNCTION(stream_synchronize, "cuStreamSynchronize", (StreamHandle stream))                                                    \
  TS_CUDA_FUNCTION(stream_wait_event, "cuStreamWaitEvent", (StreamHandle stream, EventHandle event, unsigned flags))                    \
  TS_CUDA_FUNCTION(stream_begin_capture, "cuStreamBeginCapture_v2", (StreamHandle stream, int mode))                                    \
  TS_CUDA_FUNCTION(stream_end_capture, "cuStreamEndCapture", (StreamHandle stream, GraphHandle * graph))                                \
  TS_CUDA_FUNCTION(event_create, "cuEventCreate", (EventHandle * event, unsigned flags))                                                \
  TS_CUDA_FUNCTION(event_destroy, "cuEventDestroy_v2", (EventHandle event))                                                             \
  TS_CUDA_FUNCTION(event_record, "cuEventRecord", (EventHandle event, StreamHandle stream))                                             \
  TS_CUDA_FUNCTION(event_query, "cuEventQuery", (EventHandle event))                                                                    \
  TS_CUDA_FUNCTION(event_synchronize, "cuEventSynchronize", (EventHandle event))                                                        \
  TS_CUDA_FUNCTION(event_elapsed, "cuEventElapsedTime", (float* milliseconds, EventHandle start, EventHandle end))                      \
  TS_CUDA_FUNCTION(module_load_data, "cuModuleLoadDataEx",                                                                              \
                   (ModuleHandle * module, const void* image, unsigned count, int* options, void** values))                             \
  TS_CUDA_FUNCTION(module_unload, "cuModuleUnload", (ModuleHandle module))                                                              \
  TS_CUDA_FUNCTION(module_get_function, "cuModuleGetFunction", (FunctionHandle * function, ModuleHandle module, const char* name))      \
  TS_CUDA_FUNCTION(func_get_attribute, "cuFuncGetAttribute", (int* value, int attribute, FunctionHandle function))                      \
  TS_CUDA_FUNCTION(func_set_attribute, "cuFuncSetAttribute", (FunctionHandle function, int attribute, int value))                       \
  TS_CUDA_FUNCTION(occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor",                                                            \
                   (int* blocks, FunctionHandle function, int block_size, size_t dynamic_shared))                                       \
  TS_CUDA_FUNCTION(launch_kernel, "cuLaunchKernel",                                                                                     \
                   (FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,     \
                    unsigned block_z, unsigned shared_bytes, StreamHandle stream, void** parameters, void** extra))                     \
  TS_CUDA_FUNCTION(graph_instantiate, "cuGraphInstantiateWithFlags",                                                                    \
                   (GraphExecHandle * instance, GraphHandle graph, unsigned long long flags))                                           \
  TS_CUDA_FUNCTION(graph_launch, "cuGraphLaunch", (GraphExecHandle instance, StreamHandle stream))                                      \
  TS_CUDA_FUNCTION(graph_get_nodes, "cuGraphGetNodes", (GraphHandle graph, GraphNodeHandle * nodes, size_t * count))                    \
  TS_CUDA_FUNCTION(graph_destroy, "cuGraphDestroy", (GraphHandle graph))                                                                \
  TS_CUDA_FUNCTION(graph_exec_destroy, "cuGraphExecDestroy", (GraphExecHandle instance))                                                \
  TS_CUDA_FUNCTION(get_error_name, "cuGetErrorName", (Result error, const char** name))                                                 \
  TS_CUDA_FUNCTION(get_error_string, "cuGetErrorString", (Result error, const char** text))                                             \
  TS_CUDA_OPTIONAL(link_create, "cuLinkCreate_v2", (unsigned count, int* options, void** values, LinkHandle* link))                     \
  TS_CUDA_OPTIONAL(link_add_data, "cuLinkAddData_v2",                                                                                   \
                   (LinkHandle link, int type, void* data, size_t bytes, const char* name, unsigned count, int* options, void** values)) \
  TS_CUDA_OPTIONAL(link_complete, "cuLinkComplete", (LinkHandle link, void** cubin, size_t* bytes))                                     \
  TS_CUDA_OPTIONAL(link_destroy, "cuLinkDestroy", (LinkHandle link))                                                                    \
  TS_CUDA_OPTIONAL(mem_granularity, "cuMemGetAllocationGranularity",                                                                    \
                   (size_t* bytes, const MemoryProperties* properties, int option))                                                     \
  TS_CUDA_OPTIONAL(mem_reserve, "cuMemAddressReserve",                                                                                  \
                   (DevicePointer * pointer, size_t bytes, size_t alignment, DevicePointer wanted, unsigned long long flags))           \
  TS_CUDA_OPTIONAL(mem_create, "cuMemCreate",                                                                                           \
                   (unsigned long long* handle, size_t bytes, const MemoryProperties* properties, unsigned long long flags))            \
  TS_CUDA_OPTIONAL(mem_release, "cuMemRelease", (unsigned long long handle))                                                            \
  TS_CUDA_OPTIONAL(mem_map, "cuMemMap",                                                                                                 \
                   (DevicePointer pointer, size_t bytes, size_t offset, unsigned long long handle, unsigned long long flags))           \
  TS_CUDA_OPTIONAL(mem_unmap, "cuMemUnmap", (DevicePointer pointer, size_t bytes))                                                      \
  TS_CUDA_OPTIONAL(mem_set_access, "cuMemSetAccess",                                                                                    \
                   (DevicePointer pointer, size_t bytes, const MemoryAccess* access, size_t count))                                     \
  TS_CUDA_OPTIONAL(launch_kernel_ex, "cuLaunchKernelEx",                                                                                \
                   (const void* config, FunctionHandle function, void** parameters, void** extra))                                      \
  TS_CUDA_OPTIONAL(tensor_map_encode_tiled, "cuTensorMapEncodeTiled",                                                                   \
                   (void* map, int dtype, unsigned rank, void* address, const uint64_t* sizes, const uint64_t* strides,                 \
                    const uint32_t* box, const uint32_t* element_strides, int interleave, int swizzle, int promotion, int fill))

struct Driver {
#define TS_CUDA_FUNCTION(member, symbol, arguments) Result(*member) arguments = nullptr;
#define TS_CUDA_OPTIONAL(member, symbol, arguments) Result(*member) arguments = nullptr;
  TS_CUDA_FUNCTIONS
#undef TS_CUDA_FUNCTION
#undef TS_CUDA_OPTIONAL
  int version = 0;  // 12040 is 12.4
  int devices = 0;
  std::string path;    // of the library
  std::string reason;  // why there are no devices
};

// The file that this code was loaded from; empty where the system does not say.
std::string addon_path();
// Opens the driver, once. With devices == 0 only `reason` counts.
const Driver& driver();
// "CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
std::string error_text(Result result);
// Throws OperatorError "CUDA error: CUDA_ERROR_... (...) in cuLaunchKernel" unless the call succeeded.
void check_result(Result result, const char* call);
#define TS_CUDA(member, ...) ::torchscript::cuda::check_result(::torchscript::cuda::driver().member(__VA_ARGS__), #member)

}  // namespace torchscript::cuda
