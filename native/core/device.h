// Devices of the executor: names, memory and copies between them.
#pragma once
#include <string>

#include "core/tensor.h"
#include "core/value.h"
#include "accelerator.h"

namespace torchscript {

// The accelerator, with devices; throws OperatorError with the reason when there is none.
Accelerator& require_accelerator();
// `cpu`, `cuda:0`.
std::string device_text(int8_t device);
// kCpuDevice or the index of a CUDA device that exists, of a Device or a string; `cuda` is the current one. None: `otherwise`. Throws
// OperatorError, or UnsupportedOperator for devices of other types; `op` names who asks.
int8_t device_of(const Value& device, int8_t otherwise, const char* op);
Value device_value(int8_t device);

// As allocate_on: where a device has too little memory, idle schedules give up theirs.
void grow_arena(SharedArena& arena, size_t bytes);

// A contiguous copy of a tensor's window on a device, or the tensor itself when it is there. Weights stay weights. Nothing is recorded.
Ref<Tensor> moved_to(const Tensor& tensor, int8_t device);
// Copies the bytes of a storage to another of the same size on the same device.
void copy_storage(Storage& destination, const Storage& source);
// Copies between windows of equal shape, any strides, dtypes and devices, at least one of which is not the CPU.
void copy_views_across(Runtime& runtime, const TensorView& destination, const TensorView& source);
// Copies a window of a result to the CPU where it is in pinned memory already (host_copy.h); false where it is not.
bool copy_from_pinned(Runtime& runtime, const TensorView& destination, const Storage& storage, const TensorView& source);
// As copy_views_across, from pinned memory to the device of `destination`, as part of a graph that is being captured.
void enqueue_views_in(const TensorView& destination, const TensorView& pinned);

// What an operator without a CUDA kernel does: an error, or the CPU's kernel on copies of its arguments.
enum class Fallback : uint8_t { Error, Cpu };
Fallback cuda_fallback();
void set_cuda_fallback(Fallback fallback);
// Operators that ran on the CPU for want of a CUDA kernel since the last call, each once.
std::vector<std::string> take_fallen_back();
void note_fallen_back(const char* name);

}  // namespace torchscript
