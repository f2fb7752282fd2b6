// The three convolutions that torchscript::bottleneck is, as calls of convolution_epilogue.
#pragma once
#include "cpu-avx/conv/rows.h"
#include "cpu-avx/gemm/epilogue.h"

namespace torchscript::bottleneck {

// Places of the arguments of each part: weight, bias, activation.
inline constexpr int kExpand[3] = {1, 2, 3}, kDepthwise[3] = {4, 5, 8}, kProject[3] = {9, 10, 12};
inline constexpr int kStride = 6, kPadding = 7, kResidual = 11, kExpandStride = 13, kExpandPadding = 14;

// The call of one of the parts as convolution_epilogue.
struct Part {
  int64_t ones[2] = {1, 1}, zeros[2] = {0, 0};
  Arg args[kEpilogueArguments];
  TensorView result;
  Call call;
  Part(const Call& whole, const TensorView& input, const int (&at)[3]) {
    call = whole;
    call.args = args;
    call.nargs = kEpilogueArguments;
    call.outputs = &result;
    call.noutputs = 1;
    call.packed = nullptr;
    args[0].kind = ArgKind::Tensor;
    args[0].tensor = &input;
    args[1] = whole.args[at[0]];
    args[2] = whole.args[at[1]];
    auto list = [](const int64_t* p) {
      Arg arg;
      arg.kind = ArgKind::IntList;
      arg.ints = {p, 2};
      return arg;
    };
    const bool depthwise = at[0] == kDepthwise[0], expand = at[0] == kExpand[0];
    args[3] = depthwise ? whole.args[kStride] : expand ? whole.args[kExpandStride] : list(ones);
    args[4] = depthwise ? whole.args[kPadding] : expand ? whole.args[kExpandPadding] : list(zeros);
    args[5] = list(ones);
    args[6].kind = ArgKind::Bool;
    args[6].b = false;
    args[7] = list(zeros);
    args[8].kind = ArgKind::Int;
    args[8].i = depthwise ? call.tensor(1).sizes[0] : 1;
    if (at[0] == kProject[0]) args[kEpilogueResidual] = whole.args[kResidual];
    args[kEpilogueActivation] = whole.args[at[2]];
    args[11].kind = ArgKind::Bool;
    args[11].b = true;
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
};

// Shapes of the parts; body(expand or null, depthwise, project).
template <class F> void with_parts(Call& call, const F& body) {
  const TensorView& x = call.tensor(0);
  auto rest = [&](Part* expand, const TensorView& wide) {
    Part depthwise(call, wide, kDepthwise);
    infer_convolution_epilogue(depthwise.call);
    Part project(call, depthwise.result, kProject);
    infer_convolution_epilogue(project.call);
    body(expand, depthwise, project);
  };
  if (!call.optional_tensor(kExpand[0])) return rest(nullptr, x);
  Part expand(call, x, kExpand);
  infer_convolution_epilogue(expand.call);
  rest(&expand, expand.result);
}

}  // namespace torchscript::bottleneck
