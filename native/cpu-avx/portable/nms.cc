// torchvision::nms: boxes in order of falling scores, each suppressing later ones whose overlap is greater than the threshold.
#include "cpu-avx/portable/elements.h"

#include <numeric>

namespace torchscript::portable {
namespace {

std::vector<int64_t> kept_boxes(const Call& call) {
  const TensorView &boxes = call.tensor(0), &scores = call.tensor(1);
  if (boxes.ndim != 2 || boxes.sizes[1] != 4) fail("boxes should be a 2d tensor with 4 elements in dimension 1, got %dD", boxes.ndim);
  if (scores.ndim != 1) fail("scores should be a 1d tensor, got %dD", scores.ndim);
  if (boxes.sizes[0] != scores.sizes[0])
    fail("boxes and scores should have same number of elements in dimension 0, got %lld and %lld", static_cast<long long>(boxes.sizes[0]),
         static_cast<long long>(scores.sizes[0]));
  if (boxes.dtype != scores.dtype) fail("dets should have the same type as scores");
  const double threshold = call.args[2].as_double();
  const auto n = static_cast<size_t>(boxes.sizes[0]);
  std::vector<int64_t> kept;
  dispatch_floating(boxes.dtype, "nms", [&](auto tag) {
    using C = compute_t<decltype(tag)>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    std::vector<C> b(n * 4 + 1), s(n + 1), area(n);
    copy_to_dense(b.data(), compute, boxes);
    copy_to_dense(s.data(), compute, scores);
    std::vector<int64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t x, int64_t y) { return s[x] > s[y] || (std::isnan(s[x]) && !std::isnan(s[y])); });
    for (size_t i = 0; i < n; i++) area[i] = (b[4 * i + 2] - b[4 * i]) * (b[4 * i + 3] - b[4 * i + 1]);
    std::vector<bool> suppressed(n, false);
    for (size_t x = 0; x < n; x++) {
      const auto i = static_cast<size_t>(order[x]);
      if (suppressed[i]) continue;
      kept.push_back(order[x]);
      const C *p = &b[4 * i], area_i = area[i];
      for (size_t y = x + 1; y < n; y++) {
        const auto j = static_cast<size_t>(order[y]);
        if (suppressed[j]) continue;
        const C* q = &b[4 * j];
        const C w = std::max(C(0), std::min(p[2], q[2]) - std::max(p[0], q[0])),
                h = std::max(C(0), std::min(p[3], q[3]) - std::max(p[1], q[1]));
        const C inter = w * h;
        if (inter / (area_i + area[j] - inter) > threshold) suppressed[j] = true;
      }
    }
  });
  return kept;
}

void infer_nms(Call& call) {
  const auto n = static_cast<int64_t>(kept_boxes(call).size());
  call.set_output(0, DType::I64, &n, 1);
}

void run_nms(Call& call) {
  const std::vector<int64_t> kept = kept_boxes(call);
  std::copy(kept.begin(), kept.end(), call.outputs[0].ptr<int64_t>());
}

}  // namespace

TS_KERNEL(nms, {.infer = infer_nms, .run = run_nms, .data_dependent = true});

}  // namespace torchscript::portable
