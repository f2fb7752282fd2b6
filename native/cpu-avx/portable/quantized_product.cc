// Shapes of the fused products of quantized tensors, which devices compute: quantized_linear(x, weight, bias?, scale, zero_point, dtype, relu) and
// quantized_convolution(x, weight, bias?, stride, padding, dilation, transposed, output_padding, groups, scale, zero_point, dtype, relu). On the CPU
// the operators are made of others (core/builtins/quantized.cc).
#include "cpu-avx/conv/rows.h"
#include "cpu-avx/conv/shape.h"

namespace torchscript {
namespace {

void make_quantized(Call& call, int at) {
  TensorView& out = call.outputs[0];
  out.dtype = static_cast<DType>(call.args[at + 2].i);
  if (out.dtype != DType::QU8 && out.dtype != DType::QI8)
    fail("Expected quint8 or qint8 for `dtype` but received %s", dtype_torch_name(out.dtype));
  QuantParams params;
  params.scale = call.args[at].as_double();
  params.zero_point = call.args[at + 1].as_int();
  call.output_quant[0] = params;
  out.quant = &call.output_quant[0];
}

void infer_linear(Call& call) {
  const TensorView &x = call.tensor(0), &w = call.tensor(1);
  if (w.ndim != 2 || x.ndim < 1 || x.sizes[x.ndim - 1] != w.sizes[1]) fail("Expected an input of rows as long as those of the weight");
  int64_t sizes[kMaxDims];
  for (int d = 0; d < x.ndim; d++) sizes[d] = x.sizes[d];
  sizes[x.ndim - 1] = w.sizes[0];
  call.set_output(0, DType::U8, sizes, x.ndim);
  make_quantized(call, 3);
}
void infer_convolution(Call& call) {
  Arg args[9];
  TensorView x = call.tensor(0), w = call.tensor(1);
  x.dtype = w.dtype = DType::I8;
  for (int i = 3; i < 9; i++) args[i] = call.args[i];
  args[0].kind = args[1].kind = ArgKind::Tensor;
  args[0].tensor = &x;
  args[1].tensor = &w;
  Call inner = call;
  inner.args = args;
  inner.nargs = 9;
  set_conv_output(inner, conv_shape(inner, 0, kConvolution));
  make_quantized(call, 9);
}
void run_nothing(Call&) { fail("Fused products of quantized tensors are for devices"); }
bool takes_none(const Call&) { return false; }

TS_KERNEL(quantized_linear, {.infer = infer_linear, .run = run_nothing, .pack_arg = 1, .accepts = takes_none, .quantized = true});
TS_KERNEL(quantized_convolution, {.infer = infer_convolution, .run = run_nothing, .pack_arg = 1, .accepts = takes_none, .quantized = true});

}  // namespace
}  // namespace torchscript
