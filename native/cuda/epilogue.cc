#include "cuda/epilogue.h"

#include <optional>
#include <vector>

#include "cpu-avx/gemm/epilogue.h"
#include "cpu-avx/pointwise.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

PointwiseId expression_of(Activation activation) {
  switch (activation) {
    case Activation::Relu: return PointwiseId::relu;
    case Activation::Relu6: return PointwiseId::relu6;
    case Activation::Hardswish: return PointwiseId::hardswish;
    case Activation::Hardsigmoid: return PointwiseId::hardsigmoid;
    case Activation::Silu: return PointwiseId::silu;
    case Activation::Sigmoid: return PointwiseId::sigmoid;
    case Activation::Tanh: return PointwiseId::tanh;
    case Activation::Gelu: return PointwiseId::gelu_erf;
    case Activation::GeluTanh: return PointwiseId::gelu_tanh;
    default: fail("Epilogues have no activation %d apart", static_cast<int>(activation));
  }
}

Arg tensor_arg(const TensorView& t) {
  Arg arg;
  arg.kind = ArgKind::Tensor;
  arg.tensor = &t;
  return arg;
}

void give_memory(TensorView& t, const TensorView& like, std::optional<Scratch>& memory) {
  t.device = like.device;
  t.data = memory.emplace(t.device, static_cast<size_t>(std::max<int64_t>(1, t.numel()) * dtype_size(t.dtype))).ptr<void>();
}

}  // namespace

bool takes_residual(const TensorView* residual) { return !residual || (!is_complex(residual->dtype) && !residual->quant); }

void run_epilogue_apart(Call& call, const char* row, int residual_at, int activation_at, void (*run)(Call&)) {
  const TensorView& out = call.outputs[0];
  const TensorView& residual = call.tensor(residual_at);
  const Activation activation = activation_argument(call, activation_at);
  std::vector<Arg> args(call.args, call.args + call.nargs);
  args[static_cast<size_t>(residual_at)] = Arg();
  Arg& name = args[static_cast<size_t>(activation_at)];
  name = Arg();
  name.kind = ArgKind::String;
  name.str = {"", 0};
  TensorView product;
  Call inner = call;
  inner.args = args.data();
  inner.outputs = &product;
  inner.noutputs = 1;
  find_kernel(row)->infer(inner);
  std::optional<Scratch> memory, wide;
  if (same_kind(product, out)) product = out;
  else give_memory(product, out, memory);
  run(inner);
  // Halves are rounded once, after the activation.
  TensorView sum = out;
  const bool widens = activation != Activation::None && (out.dtype == DType::F16 || out.dtype == DType::BF16);
  if (widens) {
    sum = contiguous_like(out, DType::F32);
    give_memory(sum, out, wide);
  }
  Arg one;
  one.kind = ArgKind::Int;
  one.i = 1;
  const Arg a = tensor_arg(product), b = tensor_arg(residual), c = tensor_arg(sum);
  const Arg* operands[] = {&a, &b, &one};
  run_pointwise_to(call.runtime, sum, PointwiseId::add, operands);
  if (activation == Activation::None) return;
  const Arg* operand[] = {&c};
  run_pointwise_to(call.runtime, out, expression_of(activation), operand);
}

}  // namespace torchscript::cuda
