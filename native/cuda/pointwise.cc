// The pointwise family on the device: the expressions that the CPU computes, by kernels of pointwise_*.cu.
#include "cpu-avx/pointwise.h"

#include <cstring>

#include "cpu-avx/pointwise_device.h"
#include "cpu-avx/promote.h"
#include "cuda/kernels.h"

namespace torchscript::cuda {
namespace {

#define TS_CELL_V(name, method, V, label) "pointwise_" #name "_" #label
#define TS_CELL_S(name, method, V, label) "pointwise_" #name "_" #label
#define TS_NO_CELL nullptr
constexpr const char* kKernels[][kComputes] = {
#include "gen/pointwise_entries.inc"
};

constexpr int kBlock = 256;

// Windows of one shape: the output, then the operands that are tensors.
struct Windows {
  int64_t sizes[kMaxDims];
  int64_t strides[kPointwiseOperands + 1][kMaxDims];
  char* data[kPointwiseOperands + 1];
  int64_t item[kPointwiseOperands + 1];
  int ndim;
};

void run_windows(Runtime* runtime, int device, const char* kernel, PointwiseParams& params, const Windows& w, int count) {
  const int64_t* strides[kPointwiseOperands + 1];
  for (int k = 0; k <= count; k++) strides[k] = w.strides[k];
  if (!build_loop(params.loop, w.sizes, w.ndim, strides, count + 1)) {
    // In two halves, along the longest dimension.
    int longest = 0;
    for (int d = 1; d < w.ndim; d++)
      if (w.sizes[d] > w.sizes[longest]) longest = d;
    Windows part = w;
    part.sizes[longest] = w.sizes[longest] / 2;
    run_windows(runtime, device, kernel, params, part, count);
    for (int k = 0; k <= count; k++)
      if (part.data[k]) part.data[k] += part.sizes[longest] * w.strides[k][longest] * w.item[k];
    part.sizes[longest] = w.sizes[longest] - part.sizes[longest];
    run_windows(runtime, device, kernel, params, part, count);
    return;
  }
  if (params.loop.n == 0) return;
  params.out = w.data[0];
  params.dense = params.loop.ndim <= 1;
  params.single = 0;
  for (int k = 0; k <= count; k++) {
    if (k > 0) params.operands[k - 1].data = w.data[k];
    const int64_t stride = params.loop.ndim == 0 ? (k == 0) : params.loop.strides[0][k];
    if (k > 0 && !w.data[k]) continue;
    if (k > 0 && stride == 0) params.single |= 1 << (k - 1);
    else if (stride != 1) params.dense = 0;
    const int64_t vector = 4 * w.item[k] < 16 ? 4 * w.item[k] : 16;
    if (stride == 1 && reinterpret_cast<uintptr_t>(w.data[k]) % static_cast<uintptr_t>(vector) != 0) params.dense = 0;
  }
  launch(device, runtime, kernel, {grid_for(device, (params.loop.n + 3) / 4, kBlock)}, {kBlock}, 0, params);
}

void run_on_device(Runtime* runtime, const TensorView& out, PointwiseId id, const Arg* const* operands) {
  const PointwiseOp& op = pointwise_op(id);
  const PointwiseTypes types = pointwise_types(op, operands);
  const char* kernel = kKernels[static_cast<int>(id)][static_cast<int>(types.compute)];
  if (!kernel) fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", op.name, dtype_torch_name(types.common));
  if (op.promotion == Promotion::Bool && out.dtype != DType::Bool) fail("%s writes bool, not %s", op.name, dtype_torch_name(out.dtype));
  PointwiseParams params;
  params.out_dtype = static_cast<int32_t>(out.dtype);
  Windows w;
  w.ndim = out.ndim;
  for (int d = 0; d < out.ndim; d++) w.sizes[d] = out.sizes[d], w.strides[0][d] = out.strides[d];
  w.data[0] = static_cast<char*>(out.data);
  w.item[0] = dtype_size(out.dtype);
  for (int k = 0; k < op.count; k++) {
    const Arg& arg = *operands[k];
    PointwiseOperand& operand = params.operands[k];
    const bool condition = op.conditions >> k & 1;
    for (int d = 0; d < out.ndim; d++) w.strides[k + 1][d] = 0;
    w.data[k + 1] = nullptr;
    w.item[k + 1] = 1;
    if (arg.kind != ArgKind::Tensor) {
      if (condition) operand.value[0] = arg.as_int() != 0;
      else write_number_as(arg, types.common, types.compute, operand.value);
      continue;
    }
    const TensorView& t = *arg.tensor;
    operand.dtype = static_cast<int32_t>(t.dtype);
    w.data[k + 1] = static_cast<char*>(t.data);
    w.item[k + 1] = dtype_size(t.dtype);
    if (t.numel() == 1 && t.ndim > out.ndim) continue;
    broadcast_strides(w.strides[k + 1], out.sizes, out.ndim, t);
  }
  run_windows(runtime, out.device, kernel, params, w, op.count);
}

const bool kRegistered = [] {
  device_pointwise = run_on_device;
  return true;
}();

#define TS_POINTWISE_ROW(name) TS_CUDA_KERNEL(name, {.run = [](Call& call) { run_pointwise(call, PointwiseId::name); }, .in_place = true});
#include "gen/pointwise_rows.inc"
#undef TS_POINTWISE_ROW

// Rows that choose an expression: what the CPU's run does is run_pointwise, which comes here.
#define TS_CHOSEN_ROW(name) TS_CUDA_KERNEL(name, {.in_place = true})
TS_CHOSEN_ROW(gelu);
TS_CHOSEN_ROW(clamp);
TS_CHOSEN_ROW(clamp_min);
TS_CHOSEN_ROW(clamp_max);
TS_CHOSEN_ROW(remainder);
TS_CHOSEN_ROW(fmod);
TS_CHOSEN_ROW(floor_divide);
TS_CHOSEN_ROW(div_mode);
TS_CHOSEN_ROW(pow);
TS_CHOSEN_ROW(square_of);
TS_CHOSEN_ROW(round);
TS_CHOSEN_ROW(nan_to_num);
TS_CHOSEN_ROW(prelu);
TS_CUDA_KERNEL(polar, {});
TS_CUDA_KERNEL(complex, {});

}  // namespace
}  // namespace torchscript::cuda
