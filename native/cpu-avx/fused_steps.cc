// Reads the steps of a fused group for the arguments of one call.
#include "cpu-avx/fused_steps.h"

#include <algorithm>
#include <limits>

#include "cpu-avx/copy.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

bool is_float(Compute c) { return c == Compute::F32 || c == Compute::F64; }

// The shape of `view` is `shape` but for dimensions of size 1 in front.
bool same_shape(const TensorView& view, const TensorView& shape) {
  const TensorView& longer = view.ndim > shape.ndim ? view : shape;
  const TensorView& shorter = view.ndim > shape.ndim ? shape : view;
  const int extra = longer.ndim - shorter.ndim;
  for (int d = 0; d < longer.ndim; d++)
    if (longer.sizes[d] != (d < extra ? 1 : shorter.sizes[d - extra])) return false;
  return true;
}

// The expression that gives the same bits for these numbers with fewer operations.
PointwiseId cheaper_form(const PointwiseChoice& choice) {
  const auto number = [&](int k) {
    const Arg& arg = *choice.operands[k];
    return arg.is_number() && arg.kind != ArgKind::Complex ? arg.as_double() : std::numeric_limits<double>::quiet_NaN();
  };
  const auto bound = [&](int k) {
    const double b = number(k);
    return b == b && static_cast<float>(b) != 0;
  };
  switch (choice.id) {
    case PointwiseId::add: return number(2) == 1 ? PointwiseId::plus : choice.id;
    case PointwiseId::sub: return number(2) == 1 ? PointwiseId::minus : choice.id;
    case PointwiseId::clamp_lower: return bound(1) ? PointwiseId::clamp_above : choice.id;
    case PointwiseId::clamp_upper: return bound(1) ? PointwiseId::clamp_below : choice.id;
    case PointwiseId::clamp_both: return bound(1) && bound(2) ? PointwiseId::clamp_within : choice.id;
    default: return choice.id;
  }
}

}  // namespace

const char* FusedSteps::read_inputs(const Call& call) {
  for (int i = 1; i < call.nargs; i++) {
    input_args_.push_back(call.args[i]);
    input_values_.push_back(-1);
    const Arg& arg = call.args[i];
    if (arg.kind != ArgKind::Tensor) continue;
    if (arg.tensor->quant || is_quantized(arg.tensor->dtype)) return "quantized tensors";
    FusedValue value;
    value.view = *arg.tensor;
    value.view.data = nullptr;
    value.argument = i;
    input_values_.back() = static_cast<int>(values.size());
    values.push_back(value);
    step_of_value.push_back(-1);
  }
  return nullptr;
}

const char* FusedSteps::read_step(const FusedText::Step& from, int i) {
  FusedStep& step = steps[static_cast<size_t>(i)];
  Arg args[kMaxFusedArgs];
  int sources[kMaxFusedArgs];
  for (int k = 0; k < from.nargs; k++) {
    const FusedText::Operand& operand = from.args[k];
    sources[k] = operand.result ? steps[static_cast<size_t>(operand.index)].value : input_values_[static_cast<size_t>(operand.index)];
    if (sources[k] < 0) {
      args[k] = input_args_[static_cast<size_t>(operand.index)];
      continue;
    }
    args[k].kind = ArgKind::Tensor;
    args[k].tensor = &values[static_cast<size_t>(sources[k])].view;
  }
  TensorView out;
  Call call;
  call.args = args;
  call.nargs = from.nargs;
  call.outputs = &out;
  call.noutputs = 1;
  FusedValue result;
  switch (from.kind) {
    case FusedText::Kind::Reduction:
      step.reduction = true;
      from.reduction->infer(call);
      step.operands[0].value = sources[0];
      step.count = 1;
      break;
    case FusedText::Kind::Cast: {
      if (sources[0] < 0) return "a cast of a number";
      const TensorView& self = *args[0].tensor;
      const DType dtype = args[1].is_none() ? self.dtype : checked_dtype(args[1].as_int());
      if (is_quantized(dtype)) return "quantized tensors";
      if (dtype == self.dtype) {
        // The operator gives its argument itself.
        step.copied = true;
        step.value = sources[0];
        return nullptr;
      }
      out.dtype = dtype;
      format_strides(out, self, kPreserveFormat);
      step.cast = true;
      step.compute = between_dtypes(self.dtype);
      step.operands[0].value = sources[0];
      step.count = 1;
      break;
    }
    case FusedText::Kind::Pointwise: {
      PointwiseChoice choice;
      static const Arg none;
      std::fill(choice.operands, choice.operands + kMaxOperands, &none);
      if (!choose_pointwise(*from.row, call, choice)) return "an operator that does more than one expression for its arguments";
      infer_pointwise(call, choice.id, choice.operands);
      const PointwiseOp* op = &pointwise_op(choice.id);
      const PointwiseTypes types = pointwise_types(*op, choice.operands);
      if (out.dtype != types.out) return "an operator with a dtype of its own";
      step.common = types.common;
      step.compute = types.compute;
      if (is_float(types.compute)) choice.id = cheaper_form(choice);
      op = &pointwise_op(choice.id);
      step.id = choice.id;
      step.count = op->count;
      step.truth = op->promotion == Promotion::Bool;
      step.computed = computed_of(op->promotion, types.compute);
      if (!pointwise_table().entries[static_cast<int>(choice.id)][static_cast<int>(types.compute)].fn)
        return "an operator that is not defined for its dtypes";
      for (int k = 0; k < op->count; k++) {
        FusedOperand& operand = step.operands[k];
        operand.condition = op->conditions >> k & 1;
        const Arg* arg = choice.operands[k];
        if (arg->kind == ArgKind::Tensor) operand.value = sources[arg - args];
        else operand.number = *arg;
        if (operand.condition && operand.value < 0) return "a condition that is no tensor";
      }
      break;
    }
  }
  result.view = out;
  result.view.data = nullptr;
  result.view.quant = nullptr;
  step.value = static_cast<int>(values.size());
  values.push_back(result);
  step_of_value.push_back(i);
  return nullptr;
}

// Steps of the largest shape run in tiles; those before them that give less run by themselves.
const char* FusedSteps::choose_shape() {
  const TensorView* largest = nullptr;
  for (const FusedStep& step : steps) {
    if (step.reduction || step.copied) continue;
    const TensorView& view = values[static_cast<size_t>(step.value)].view;
    const int64_t n = view.numel();
    if (n == 0) return "no elements";
    if (!largest || n > total || (n == total && view.ndim > largest->ndim)) {
      largest = &view;
      total = n;
    }
  }
  if (!largest) return "nothing to compute";
  shape = *largest;
  for (FusedStep& step : steps) {
    if (step.reduction || step.copied) continue;
    const TensorView& view = values[static_cast<size_t>(step.value)].view;
    if (view.numel() != total) continue;
    if (!same_shape(view, shape)) return "results of several shapes";
    step.full = true;
  }
  return nullptr;
}

const char* FusedSteps::reduce(const FusedText::Step& text, int index) {
  FusedStep& step = steps[static_cast<size_t>(index)];
  const FusedReduction& row = *text.reduction;
  const int source = step.operands[0].value;
  const TensorView& self = values[static_cast<size_t>(source)].view;
  const TensorView& out = values[static_cast<size_t>(step.value)].view;
  if (step_of_value[static_cast<size_t>(source)] < 0 || !steps[static_cast<size_t>(step_of_value[static_cast<size_t>(source)])].full)
    return "a reduction of something else";
  if (is_complex(self.dtype) || is_complex(out.dtype)) return "a reduction of complex numbers";
  const Element element = element_of(self.dtype);
  if (row.finish == FusedReduction::Finish::None || row.finish == FusedReduction::Finish::Mean) {
    const bool sums = row.fold == Fold::Sum;
    if (sums && (element_of(out.dtype) != element || (out.dtype != self.dtype && !is_floating(out.dtype) && out.dtype != DType::I64)))
      return "a sum in another dtype";
  }
  Arg dims;
  if (row.dims >= 0 && row.dims < text.nargs) {
    const FusedText::Operand& operand = text.args[row.dims];
    if (operand.result) return "a reduction over dimensions that are no constants";
    dims = input_args_[static_cast<size_t>(operand.index)];
    if (dims.kind == ArgKind::Tensor) return "a reduction over dimensions that are no constants";
    if (dims.kind == ArgKind::IntList && dims.ints.n == 0 && row.fold == Fold::NonZero) return "a reduction over no dimension";
  }
  const ReducedDims gone = reduced_dims(dims, self.ndim);
  reduced.kept = reduced.gone = 1;
  for (int d = 0; d < self.ndim; d++) {
    if (self.sizes[d] == 1) continue;
    if (gone.reduced[d]) reduced.gone *= self.sizes[d];
    else if (reduced.gone > 1) return "a reduction over dimensions that are not the last ones";
    else reduced.kept *= self.sizes[d];
  }
  if (!self.is_contiguous()) return "a reduction of another memory layout";
  reduced.row = &row;
  reduced.element = element;
  return nullptr;
}

const char* FusedSteps::read(const Call& call, const FusedText& text) {
  if (text.inputs > call.nargs - 1) return "arguments are missing";
  // Views of values are pointed to.
  values.reserve(static_cast<size_t>(call.nargs) + text.steps.size());
  steps.resize(text.steps.size());
  if (const char* reason = read_inputs(call)) return reason;
  for (size_t i = 0; i < steps.size(); i++)
    if (const char* reason = read_step(text.steps[i], static_cast<int>(i))) return reason;
  // Where nothing is to be computed yet the number is not known.
  if (call.noutputs >= 0 && static_cast<int>(text.outputs.size()) != call.noutputs) return "another number of outputs";
  for (size_t i = 0; i < text.outputs.size(); i++) {
    FusedStep& step = steps[static_cast<size_t>(text.outputs[i])];
    if (step.copied) return "a conversion to the dtype that is there";
    if (step.output >= 0) return "one result twice";
    step.output = static_cast<int>(i);
    values[static_cast<size_t>(step.value)].output = static_cast<int>(i);
    outputs.push_back(values[static_cast<size_t>(step.value)].view);
  }
  if (const char* reason = choose_shape()) return reason;
  for (size_t i = 0; i < steps.size(); i++) {
    const FusedStep& step = steps[i];
    if (!step.reduction) continue;
    if (i + 1 != steps.size() || step.output < 0) return "a reduction that is not the end";
    if (const char* reason = reduce(text.steps[i], static_cast<int>(i))) return reason;
    reduced.step = static_cast<int>(i);
    reduced.output = step.output;
  }
  return nullptr;
}

}  // namespace torchscript
