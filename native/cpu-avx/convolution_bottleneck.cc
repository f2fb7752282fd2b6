// torchscript::bottleneck: see conv/bottleneck.h. What that does not do is done by the three convolutions one after the other.
#include "cpu-avx/conv/bottleneck.h"

#include "cpu-avx/conv/bottleneck_parts.h"

namespace torchscript {
namespace {

using namespace bottleneck;

enum class Kind { Expand, Depthwise, Project };
bool fits(const Part& part, const LastProblem& c, Kind kind) {
  const ConvShape& s = c.s;
  if (part.call.tensor(0).dtype != DType::F32 || part.call.tensor(1).dtype != DType::F32 || part.result.dtype != DType::F32) return false;
  if (!has_last_form(s) || part.result.numel() == 0) return false;
  if (kind == Kind::Depthwise) return is_depthwise_last(s) && runs_as_bottleneck(s);
  return s.groups == 1 && (s.is_pointwise() || (kind == Kind::Expand && is_stem(s, c)));
}

void bottleneck_infer(Call& call) {
  with_parts(call, [&](Part*, Part&, Part& project) { call.outputs[0] = project.result; });
}

bool run_together(Call& call, Part* expand, Part& depthwise, Part& project) {
  Runtime& runtime = *call.runtime;
  Bottleneck b;
  auto fill = [&](Part& part, LastProblem& c, Kind kind) {
    c.s = conv_shape(part.call, 0, kEpilogue);
    if (!fits(part, c, kind)) return false;
    c.activation = activation_argument(part.call, kEpilogueActivation);
    return true;
  };
  b.has_expand = expand != nullptr;
  if (expand && !fill(*expand, b.expand, Kind::Expand)) return false;
  if (!fill(depthwise, b.depthwise, Kind::Depthwise) || !fill(project, b.project, Kind::Project)) return false;
  LastImage image;
  const bool last = last_image(expand ? b.expand.s : b.depthwise.s, call.tensor(0), image);
  if (expand && !b.expand.s.is_pointwise()) {
    if (last && b.expand.s.in_channels > 1) return false;
    b.planar = &call.tensor(0);
  } else if (!last) {
    return false;
  }
  const TensorView& out = call.outputs[0];
  if (!is_dense_last(out)) return false;
  if (const TensorView* residual = call.optional_tensor(kResidual)) {
    if (!same_kind(*residual, out) || !is_dense_last(*residual)) return false;
    b.project.residual = residual->ptr<float>();
  }
  auto pack = [&](Part& part, LastProblem& c) {
    float* packed = static_cast<float*>(runtime.scratch(static_cast<size_t>(packed_last_elements(c.s)) * sizeof(float) + 64));
    pack_last(c.s, stage<float>(runtime, part.call.tensor(1)), packed);
    c.packed = packed;
    const TensorView* bias = part.call.optional_tensor(2);
    c.bias = bias ? stage<float>(runtime, *bias) : nullptr;
  };
  if (expand) pack(*expand, b.expand);
  pack(depthwise, b.depthwise);
  pack(project, b.project);
  b.project.out = out.ptr<float>();
  runtime.note(b.planar ? "conv_bottleneck_stem" : "conv_bottleneck");
  run_bottleneck(runtime, b, image);
  return true;
}

void bottleneck_run(Call& call) {
  with_parts(call, [&](Part* expand, Part& depthwise, Part& project) {
    if (run_together(call, expand, depthwise, project)) return;
    auto give = [&](Part& part) {
      part.result.data = call.runtime->scratch(static_cast<size_t>(part.result.numel() * dtype_size(part.result.dtype)) + 64);
      run_convolution_epilogue(part.call);
    };
    if (expand) give(*expand);
    give(depthwise);
    project.result = call.outputs[0];
    run_convolution_epilogue(project.call);
  });
}
TS_KERNEL(bottleneck, {.infer = bottleneck_infer, .run = bottleneck_run});

}  // namespace
}  // namespace torchscript
