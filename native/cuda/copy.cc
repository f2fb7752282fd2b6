// Copies and fills on the device, and the rows that are nothing else.
#include <cstring>

#include "cpu-avx/create.h"
#include "cuda/kernels.h"

namespace torchscript::cuda {
namespace {

constexpr int kBlock = 256;

bool is_aligned(const void* p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

const char* cast_kernel(DType from, DType to) {
  if (from == DType::F32 && to == DType::F16) return "cast_f32_f16";
  if (from == DType::F32 && to == DType::BF16) return "cast_f32_bf16";
  if (from == DType::F16 && to == DType::F32) return "cast_f16_f32";
  if (from == DType::BF16 && to == DType::F32) return "cast_bf16_f32";
  return nullptr;
}

bool has_conversion(DType t) { return !(static_cast<int>(t) >= 23 && static_cast<int>(t) <= 26) && t != DType::F8E8M0 && t != DType::QU4x2 && t != DType::QU2x4; }

}  // namespace

void copy_strided(const TensorView& destination, const TensorView& source, Runtime* runtime) {
  const int64_t n = destination.numel();
  if (n == 0) return;
  const bool cast = destination.dtype != source.dtype;
  if (cast && (!has_conversion(destination.dtype) || !has_conversion(source.dtype)))
    fail("copy from %s to %s is not supported on CUDA", dtype_torch_name(source.dtype), dtype_torch_name(destination.dtype));
  CopyParams params;
  const int64_t* strides[] = {destination.strides, source.strides};
  if (!build_loop(params.loop, destination.sizes, destination.ndim, strides, 2)) {
    // In two halves, along the longest dimension.
    int longest = 0;
    for (int d = 1; d < destination.ndim; d++)
      if (destination.sizes[d] > destination.sizes[longest]) longest = d;
    const int64_t half = destination.sizes[longest] / 2;
    for (int part = 0; part < 2; part++) {
      TensorView to = destination, from = source;
      to.sizes[longest] = from.sizes[longest] = part ? destination.sizes[longest] - half : half;
      if (part) {
        to.data = static_cast<char*>(to.data) + half * to.strides[longest] * dtype_size(to.dtype);
        from.data = static_cast<char*>(from.data) + half * from.strides[longest] * dtype_size(from.dtype);
      }
      copy_strided(to, from, runtime);
    }
    return;
  }
  params.to = destination.data;
  params.from = source.data;
  params.to_dtype = static_cast<int32_t>(destination.dtype);
  params.from_dtype = static_cast<int32_t>(source.dtype);
  const bool dense =
    params.loop.ndim == 0 || (params.loop.ndim == 1 && params.loop.strides[0][0] == 1 && params.loop.strides[0][1] == 1);
  const int device = destination.device;
  if (!cast) {
    if (dense) {
      Context& context = enter(device);
      if (runtime) runtime->note("memcpy");
      TS_CUDA(memcpy_dtod, reinterpret_cast<DevicePointer>(destination.data), reinterpret_cast<DevicePointer>(source.data),
              static_cast<size_t>(n * dtype_size(source.dtype)), current_stream(context));
      return;
    }
    const char* names[] = {"copy_1", "copy_2", "copy_4", "copy_8", "copy_16"};
    int size = static_cast<int>(dtype_size(source.dtype)), index = 0;
    while (size > 1) size /= 2, index++;
    return launch(device, runtime, names[index], {grid_for(device, n, kBlock)}, {kBlock}, 0, params);
  }
  const char* fast = dense ? cast_kernel(source.dtype, destination.dtype) : nullptr;
  if (fast && is_aligned(params.to, 16) && is_aligned(params.from, 16))
    return launch(device, runtime, fast, {grid_for(device, (n + 3) / 4, kBlock)}, {kBlock}, 0, params);
  launch(device, runtime, "copy_cast", {grid_for(device, n, kBlock)}, {kBlock}, 0, params);
}

void fill_dense(const TensorView& out, const void* element, Runtime* runtime) {
  FillParams params;
  params.to = out.data;
  params.n = out.numel();
  if (params.n == 0) return;
  const int64_t size = dtype_size(out.dtype);
  std::memcpy(params.pattern, element, static_cast<size_t>(size));
  const char* name = size == 1 ? "fill_1" : size == 2 ? "fill_2" : size == 4 ? "fill_4" : size == 8 ? "fill_8" : "fill_16";
  launch(out.device, runtime, name, {grid_for(out.device, params.n, kBlock)}, {kBlock}, 0, params);
}

namespace {

void run_copy(Call& call) { copy_strided(call.outputs[0], call.tensor(0), call.runtime); }
TS_CUDA_KERNEL(clone, {.run = run_copy});
TS_CUDA_KERNEL(cast, {.run = run_copy});

// A row's number: an argument, or a tensor of one element, which is copied.
void fill_with(Call& call, const Arg& number) {
  TensorView& out = call.outputs[0];
  if (number.kind == ArgKind::Tensor) {
    TensorView repeated = *number.tensor;
    repeated.ndim = out.ndim;
    for (int d = 0; d < out.ndim; d++) repeated.sizes[d] = out.sizes[d], repeated.strides[d] = 0;
    return copy_strided(out, repeated, call.runtime);
  }
  alignas(16) char element[16] = {};
  write_element(number, out.dtype, element);
  fill_dense(out, element, call.runtime);
}
Arg whole(int64_t i) {
  Arg arg;
  arg.kind = ArgKind::Int;
  arg.i = i;
  return arg;
}
void run_zero(Call& call) {
  alignas(16) const char element[16] = {};
  fill_dense(call.outputs[0], element, call.runtime);
}
void run_one(Call& call) { fill_with(call, whole(1)); }
TS_CUDA_KERNEL(zeros, {.run = run_zero});
TS_CUDA_KERNEL(ones, {.run = run_one});
TS_CUDA_KERNEL(empty, {.run = run_zero});
TS_CUDA_KERNEL(full, {.run = [](Call& call) { fill_with(call, call.args[1]); }});
TS_CUDA_KERNEL(new_zeros, {.run = run_zero});
TS_CUDA_KERNEL(new_ones, {.run = run_one});
TS_CUDA_KERNEL(new_full, {.run = [](Call& call) { fill_with(call, call.args[2]); }});
TS_CUDA_KERNEL(zeros_like, {.run = run_zero});
TS_CUDA_KERNEL(ones_like, {.run = run_one});
TS_CUDA_KERNEL(full_like, {.run = [](Call& call) { fill_with(call, call.args[1]); }});
TS_CUDA_KERNEL(empty_strided, {.run = run_zero});
TS_CUDA_KERNEL(new_empty_strided, {.run = run_zero});
TS_CUDA_KERNEL(scalar_tensor, {.run = [](Call& call) { fill_with(call, call.args[0]); }});
TS_CUDA_KERNEL(fill, {.run = [](Call& call) { fill_with(call, call.args[1]); }, .in_place = true});
TS_CUDA_KERNEL(zero, {.run = run_zero, .in_place = true});

}  // namespace
}  // namespace torchscript::cuda
