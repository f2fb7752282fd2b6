// ctc_loss and multilabel_margin_loss: losses whose targets are lists of labels.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cpu-avx/conv/shape.h"
#include "cpu-avx/gemm/staging.h"

namespace torchscript {
namespace {

using ll = long long;

std::vector<int64_t> integers(const Call& call, int i, const char* name) {
  const Arg& arg = call.args[i];
  if (arg.kind == ArgKind::IntList) return {arg.ints.p, arg.ints.p + arg.ints.n};
  const TensorView& v = tensor_argument(call, i, "ctc_loss", name);
  if (!is_integral(v.dtype)) fail("%s must be integral", name);
  std::vector<int64_t> out(static_cast<size_t>(v.numel()));
  copy_in(v, out.data());
  return out;
}

struct CtcProblem {
  int64_t steps, batch, classes, blank;
  bool batched;
  std::vector<int64_t> input_lengths, target_lengths, offsets;  // offsets: where each item's targets begin
  std::vector<int64_t> targets;
};

// (log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
CtcProblem ctc_problem(const Call& call) {
  CtcProblem p;
  const TensorView &x = tensor_argument(call, 0, "ctc_loss", "log_probs"), &t = tensor_argument(call, 1, "ctc_loss", "targets");
  if (!is_floating(x.dtype)) fail("\"ctc_loss_cpu\" not implemented for '%s'", dtype_torch_name(x.dtype));
  if (!is_integral(t.dtype)) fail("targets must be integral");
  if (x.ndim != 2 && x.ndim != 3) fail("Expected log_probs of ctc_loss to have 2 or 3 dimensions but received %d", x.ndim);
  p.batched = x.ndim == 3;
  p.steps = x.sizes[0];
  p.batch = p.batched ? x.sizes[1] : 1;
  p.classes = x.sizes[x.ndim - 1];
  p.input_lengths = integers(call, 2, "input_lengths");
  p.target_lengths = integers(call, 3, "target_lengths");
  p.blank = call.args[4].as_int();
  if (p.blank < 0 || p.blank >= p.classes) fail("blank must be in label range");
  if (static_cast<int64_t>(p.input_lengths.size()) != p.batch) fail("input_lengths must be of size batch_size");
  if (static_cast<int64_t>(p.target_lengths.size()) != p.batch) fail("target_lengths must be of size batch_size");
  p.targets.resize(static_cast<size_t>(t.numel()));
  copy_in(t, p.targets.data());
  const bool joined = t.ndim == 1 && p.batched;
  int64_t at = 0;
  const int64_t row = joined || t.ndim == 0 ? 0 : t.sizes[t.ndim - 1];
  if (!joined && p.batched && (t.ndim != 2 || t.sizes[0] != p.batch))
    fail("Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets'", ll(p.batch),
         ll(t.ndim > 0 ? t.sizes[0] : 0));
  for (int64_t i = 0; i < p.batch; i++) {
    const int64_t length = p.target_lengths[static_cast<size_t>(i)], input = p.input_lengths[static_cast<size_t>(i)];
    if (length < 0) fail("Expected target_lengths to have value at least 0, but got value %lld", ll(length));
    if (input < 0 || input > p.steps) fail("Expected input_lengths to have value at most %lld, but got value %lld", ll(p.steps), ll(input));
    p.offsets.push_back(at);
    if (!joined && length > row)
      fail("Expected tensor to have size at least %lld at dimension 1, but got size %lld for argument #2 'targets'", ll(length), ll(row));
    if (at + length > static_cast<int64_t>(p.targets.size()))
      fail("Expected `targets` of ctc_loss to have at least %lld elements but received %lld", ll(at + length), ll(p.targets.size()));
    for (int64_t s = 0; s < length; s++) {
      const int64_t label = p.targets[static_cast<size_t>(at + s)];
      if (label < 0 || label >= p.classes)
        fail("Expected targets of ctc_loss to be in [0, %lld) but received %lld", ll(p.classes), ll(label));
    }
    at += joined ? length : row;
  }
  return p;
}
void ctc_infer(Call& call) {
  const CtcProblem p = ctc_problem(call);
  const int64_t reduction = call.args[5].as_int();
  call.set_output(0, call.tensor(0).dtype, &p.batch, reduction == 0 && p.batched ? 1 : 0);
}

// -log of the sum over alignments, by the forward recursion over the labels with blanks between them.
double ctc_item(const CtcProblem& p, const std::vector<double>& logs, int64_t item) {
  const int64_t length = p.target_lengths[static_cast<size_t>(item)], steps = p.input_lengths[static_cast<size_t>(item)],
                states = 2 * length + 1;
  auto label = [&](int64_t s) {
    return s % 2 == 0 ? p.blank : p.targets[static_cast<size_t>(p.offsets[static_cast<size_t>(item)] + s / 2)];
  };
  auto log_prob = [&](int64_t t, int64_t s) { return logs[static_cast<size_t>((t * p.batch + item) * p.classes + label(s))]; };
  if (steps == 0) return length == 0 ? 0 : INFINITY;
  std::vector<double> alpha(static_cast<size_t>(states), -INFINITY), next(alpha);
  alpha[0] = log_prob(0, 0);
  if (states > 1) alpha[1] = log_prob(0, 1);
  for (int64_t t = 1; t < steps; t++) {
    for (int64_t s = 0; s < states; s++) {
      const double a = alpha[static_cast<size_t>(s)], b = s > 0 ? alpha[static_cast<size_t>(s - 1)] : -INFINITY;
      const double c = s > 1 && s % 2 == 1 && label(s) != label(s - 2) ? alpha[static_cast<size_t>(s - 2)] : -INFINITY;
      const double top = std::max({a, b, c});
      next[static_cast<size_t>(s)] =
        top == -INFINITY ? top : top + std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top)) + log_prob(t, s);
    }
    std::swap(alpha, next);
  }
  const double last = alpha[static_cast<size_t>(states - 1)], before = states > 1 ? alpha[static_cast<size_t>(states - 2)] : -INFINITY,
               top = std::max(last, before);
  return top == -INFINITY ? INFINITY : -(top + std::log(std::exp(last - top) + std::exp(before - top)));
}
void ctc_run(Call& call) {
  const CtcProblem p = ctc_problem(call);
  std::vector<double> logs(static_cast<size_t>(call.tensor(0).numel()));
  copy_in(call.tensor(0), logs.data());
  const int64_t reduction = call.args[5].as_int();
  const bool zero_infinity = call.args[6].b;
  std::vector<double> losses;
  double total = 0;
  for (int64_t i = 0; i < p.batch; i++) {
    double loss = ctc_item(p, logs, i);
    if (zero_infinity && loss == INFINITY) loss = 0;
    if (reduction == 1) loss /= static_cast<double>(std::max<int64_t>(1, p.target_lengths[static_cast<size_t>(i)]));
    losses.push_back(loss);
    total += loss;
  }
  if (reduction != 0) losses.assign(1, reduction == 1 ? total / static_cast<double>(p.batch) : total);
  copy_out(losses.data(), call.outputs[0]);
}
TS_KERNEL(ctc_loss, {.infer = ctc_infer, .run = ctc_run, .data_dependent = true});

// multilabel_margin_loss(self, target, reduction) -> loss [, is_target]: targets of a row end at the first -1.
void multilabel_infer(Call& call) {
  const TensorView &x = tensor_argument(call, 0, "multilabel_margin_loss", "self"),
                   &t = tensor_argument(call, 1, "multilabel_margin_loss", "target");
  if (!is_floating(x.dtype)) fail("\"multilabel_margin_loss_forward_out_frame\" not implemented for '%s'", dtype_torch_name(x.dtype));
  bool same = x.ndim == t.ndim && x.ndim <= 2;
  for (int d = 0; same && d < x.ndim; d++) same = x.sizes[d] == t.sizes[d];
  if (!same || t.dtype != DType::I64)
    fail("inconsistent target size: %s for input of size: %s", sizes_text(t).c_str(), sizes_text(x).c_str());
  const int64_t classes = x.ndim == 0 ? 1 : x.sizes[x.ndim - 1];
  for_each_element(t, [&](int64_t offset, int64_t) {
    const int64_t label = t.ptr<int64_t>()[offset];
    if (label < -1 || label >= classes)
      fail("Expected target of multilabel_margin_loss to be in [-1, %lld) but received %lld", ll(classes), ll(label));
  });
  call.set_output(0, x.dtype, x.sizes, call.args[2].as_int() == 0 && x.ndim == 2 ? 1 : 0);
  if (call.noutputs > 1) call.set_output(1, x.dtype, x.sizes, x.ndim);
}
void multilabel_run(Call& call) {
  const TensorView& x = call.tensor(0);
  const int64_t classes = x.ndim == 0 ? 1 : x.sizes[x.ndim - 1], rows = classes == 0 ? 0 : x.numel() / classes;
  std::vector<double> in(static_cast<size_t>(x.numel())), is_target(in.size(), 0), losses;
  std::vector<int64_t> targets(in.size());
  copy_in(x, in.data());
  copy_in(call.tensor(1), targets.data());
  double total = 0;
  for (int64_t r = 0; r < rows; r++) {
    const double* row = in.data() + r * classes;
    const int64_t* labels = targets.data() + r * classes;
    double* mine = is_target.data() + r * classes;
    for (int64_t i = 0; i < classes && labels[i] >= 0; i++) mine[labels[i]] = 1;
    double sum = 0;
    for (int64_t i = 0; i < classes && labels[i] >= 0; i++) {
      for (int64_t j = 0; j < classes; j++)
        if (mine[j] == 0) sum += std::max(0.0, 1 - row[labels[i]] + row[j]);
    }
    losses.push_back(sum / static_cast<double>(classes));
    total += losses.back();
  }
  const int64_t reduction = call.args[2].as_int();
  if (reduction != 0 || x.ndim < 2) losses.assign(1, reduction == 1 && rows > 0 ? total / static_cast<double>(rows) : total);
  copy_out(losses.data(), call.outputs[0]);
  if (call.noutputs > 1) copy_out(is_target.data(), call.outputs[1]);
}
TS_KERNEL(multilabel_margin_loss, {.infer = multilabel_infer, .run = multilabel_run, .data_dependent = true});

}  // namespace
}  // namespace torchscript
