// torchvision's region operators: roi_align, roi_pool, ps_roi_align, ps_roi_pool. A region is (batch index, x1, y1, x2, y2), scaled by spatial_scale.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

void infer_rois(Call& call, const char* op, int64_t channels, int outputs) {
  const TensorView &input = call.tensor(0), &rois = call.tensor(1);
  if (input.ndim != 4) fail("%s: Expected input to be 4-D but received %d-D", op, input.ndim);
  if (rois.ndim != 2 || rois.sizes[1] != 5) fail("Tensor rois should have shape [K, 5]");
  if (input.dtype != rois.dtype) fail("Expected tensor for argument #1 'input' to have the same type as tensor for argument #2 'rois'");
  if (call.args[3].i <= 0 || call.args[4].i <= 0) fail("%s: Expected a positive output size", op);
  const int64_t sizes[4] = {rois.sizes[0], channels, call.args[3].i, call.args[4].i};
  call.set_output(0, input.dtype, sizes, 4);
  if (outputs > 1) call.set_output(1, DType::I32, sizes, 4);
}

template <class C> int64_t batch_of(const C* roi, int64_t batches) {
  const C at = roi[0];
  return at >= 0 && at < static_cast<C>(batches) ? static_cast<int64_t>(at) : -1;
}

// Batch indices are checked before the parallel part.
template <class C> void check_batches(const C* rois, int64_t n, int64_t batches) {
  for (int64_t k = 0; k < n; k++)
    if (batch_of(rois + 5 * k, batches) < 0)
      fail("Expected the batch index of a roi in [0, %lld) but received %g", static_cast<long long>(batches),
           static_cast<double>(rois[5 * k]));
}

// Bilinear sample; outside of (-1, size) it is 0.
template <class C> C bilinear(const C* plane, int64_t height, int64_t width, C y, C x) {
  if (!(y >= -1 && y <= static_cast<C>(height) && x >= -1 && x <= static_cast<C>(width))) return C(0);
  y = std::max(y, C(0));
  x = std::max(x, C(0));
  auto y0 = static_cast<int64_t>(y), x0 = static_cast<int64_t>(x);
  int64_t y1 = y0 + 1, x1 = x0 + 1;
  if (y0 >= height - 1) y0 = y1 = height - 1, y = static_cast<C>(y0);
  if (x0 >= width - 1) x0 = x1 = width - 1, x = static_cast<C>(x0);
  const C ly = y - static_cast<C>(y0), lx = x - static_cast<C>(x0), hy = 1 - ly, hx = 1 - lx;
  return hy * hx * plane[y0 * width + x0] + hy * lx * plane[y0 * width + x1] + ly * hx * plane[y1 * width + x0] +
         ly * lx * plane[y1 * width + x1];
}

int64_t samples_of(int64_t ratio, double extent, int64_t bins) {
  return ratio > 0 ? ratio : std::min<int64_t>(static_cast<int64_t>(std::ceil(extent / static_cast<double>(bins))), 1 << 20);
}

// Mean of the samples of one bin.
template <class C> C bin_mean(const C* plane, int64_t height, int64_t width, C y, C x, C bin_h, C bin_w, int64_t grid_h, int64_t grid_w) {
  C sum = 0;
  for (int64_t i = 0; i < grid_h; i++) {
    const C sy = y + (static_cast<C>(i) + C(0.5)) * bin_h / static_cast<C>(grid_h);
    for (int64_t j = 0; j < grid_w; j++)
      sum += bilinear(plane, height, width, sy, x + (static_cast<C>(j) + C(0.5)) * bin_w / static_cast<C>(grid_w));
  }
  return sum;
}

// (input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned)
void infer_roi_align(Call& call) { infer_rois(call, "roi_align", call.tensor(0).ndim == 4 ? call.tensor(0).sizes[1] : 0, 1); }

void run_roi_align(Call& call) {
  const TensorView &input = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t channels = input.sizes[1], height = input.sizes[2], width = input.sizes[3], ph = out.sizes[2], pw = out.sizes[3],
                ratio = call.args[5].i;
  const bool aligned = call.args[6].b;
  dispatch_floating(input.dtype, "roi_align", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const C *source = static_cast<const C*>(dense(call, input, compute)),
            *rois = static_cast<const C*>(dense(call, call.tensor(1), compute));
    check_batches(rois, out.sizes[0], input.sizes[0]);
    const C scale = static_cast<C>(call.args[2].as_double()), shift = aligned ? C(0.5) : C(0);
    call.runtime->parallel(out.sizes[0] * channels, 4, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const C* roi = rois + r / channels * 5;
        const C x = roi[1] * scale - shift, y = roi[2] * scale - shift;
        C w = roi[3] * scale - shift - x, h = roi[4] * scale - shift - y;
        if (!aligned) w = std::max(w, C(1)), h = std::max(h, C(1));
        const C bin_h = h / static_cast<C>(ph), bin_w = w / static_cast<C>(pw);
        const int64_t grid_h = samples_of(ratio, h, ph), grid_w = samples_of(ratio, w, pw);
        const C count = static_cast<C>(std::max<int64_t>(grid_h * grid_w, 1));
        const C* plane = source + (batch_of(roi, input.sizes[0]) * channels + r % channels) * height * width;
        for (int64_t i = 0; i < ph; i++)
          for (int64_t j = 0; j < pw; j++)
            out.ptr<T>()[(r * ph + i) * pw + j] =
              T(bin_mean(plane, height, width, y + static_cast<C>(i) * bin_h, x + static_cast<C>(j) * bin_w, bin_h, bin_w, grid_h, grid_w) /
                count);
      }
    });
  });
}

// Whole-number bin edges, clipped to the image.
template <class C> void bin_range(int64_t bin, C size, int64_t start, int64_t limit, int64_t& begin, int64_t& end) {
  begin = std::min(std::max<int64_t>(static_cast<int64_t>(std::floor(static_cast<C>(bin) * size)) + start, 0), limit);
  end = std::min(std::max<int64_t>(static_cast<int64_t>(std::ceil(static_cast<C>(bin + 1) * size)) + start, 0), limit);
}

// (input, rois, spatial_scale, pooled_height, pooled_width): maximum of each bin and its position in the plane, -1 when the bin is empty.
void infer_roi_pool(Call& call) { infer_rois(call, "roi_pool", call.tensor(0).ndim == 4 ? call.tensor(0).sizes[1] : 0, 2); }

void run_roi_pool(Call& call) {
  const TensorView &input = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t channels = input.sizes[1], height = input.sizes[2], width = input.sizes[3], ph = out.sizes[2], pw = out.sizes[3];
  dispatch_floating(input.dtype, "roi_pool", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const C *source = static_cast<const C*>(dense(call, input, compute)),
            *rois = static_cast<const C*>(dense(call, call.tensor(1), compute));
    check_batches(rois, out.sizes[0], input.sizes[0]);
    const C scale = static_cast<C>(call.args[2].as_double());
    int32_t* positions = call.noutputs > 1 ? call.outputs[1].ptr<int32_t>() : nullptr;
    call.runtime->parallel(out.sizes[0] * channels, 4, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const C* roi = rois + r / channels * 5;
        const auto x = static_cast<int64_t>(std::round(roi[1] * scale)), y = static_cast<int64_t>(std::round(roi[2] * scale));
        const int64_t w = std::max<int64_t>(static_cast<int64_t>(std::round(roi[3] * scale)) - x + 1, 1),
                      h = std::max<int64_t>(static_cast<int64_t>(std::round(roi[4] * scale)) - y + 1, 1);
        const C bin_h = static_cast<C>(h) / static_cast<C>(ph), bin_w = static_cast<C>(w) / static_cast<C>(pw);
        const C* plane = source + (batch_of(roi, input.sizes[0]) * channels + r % channels) * height * width;
        for (int64_t i = 0; i < ph; i++) {
          for (int64_t j = 0; j < pw; j++) {
            int64_t y0, y1, x0, x1;
            bin_range(i, bin_h, y, height, y0, y1);
            bin_range(j, bin_w, x, width, x0, x1);
            const bool empty = y1 <= y0 || x1 <= x0;
            C best = empty ? C(0) : std::numeric_limits<C>::lowest();
            int32_t at = -1;
            for (int64_t a = y0; a < y1; a++)
              for (int64_t b = x0; b < x1; b++)
                if (plane[a * width + b] > best) best = plane[a * width + b], at = static_cast<int32_t>(a * width + b);
            out.ptr<T>()[(r * ph + i) * pw + j] = T(best);
            if (positions != nullptr) positions[(r * ph + i) * pw + j] = at;
          }
        }
      }
    });
  });
}

// Position-sensitive forms: bin (i, j) of output channel c reads input channel (c * ph + i) * pw + j.
int64_t sensitive_channels(const Call& call) {
  const TensorView& input = call.tensor(0);
  if (input.ndim != 4) return 0;
  const int64_t bins = call.args[3].i * call.args[4].i;
  if (bins <= 0 || input.sizes[1] % bins != 0) fail("input channels must be a multiple of pooling height * pooling width");
  return input.sizes[1] / bins;
}

void infer_ps_roi_align(Call& call) { infer_rois(call, "ps_roi_align", sensitive_channels(call), 2); }
void infer_ps_roi_pool(Call& call) { infer_rois(call, "ps_roi_pool", sensitive_channels(call), 2); }

void ps_roi(Call& call, bool align) {
  const TensorView &input = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t height = input.sizes[2], width = input.sizes[3], channels = out.sizes[1], ph = out.sizes[2], pw = out.sizes[3],
                ratio = align ? call.args[5].i : 0;
  dispatch_floating(input.dtype, align ? "ps_roi_align" : "ps_roi_pool", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const C *source = static_cast<const C*>(dense(call, input, compute)),
            *rois = static_cast<const C*>(dense(call, call.tensor(1), compute));
    check_batches(rois, out.sizes[0], input.sizes[0]);
    const C scale = static_cast<C>(call.args[2].as_double());
    int32_t* mapping = call.noutputs > 1 ? call.outputs[1].ptr<int32_t>() : nullptr;
    call.runtime->parallel(out.numel(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const int64_t j = r % pw, i = r / pw % ph, c = r / (pw * ph) % channels, channel = (c * ph + i) * pw + j;
        const C* roi = rois + r / (pw * ph * channels) * 5;
        const C* plane = source + (batch_of(roi, input.sizes[0]) * input.sizes[1] + channel) * height * width;
        if (mapping != nullptr) mapping[r] = static_cast<int32_t>(channel);
        if (align) {
          const C x = roi[1] * scale - C(0.5), y = roi[2] * scale - C(0.5), w = roi[3] * scale - C(0.5) - x,
                  h = roi[4] * scale - C(0.5) - y;
          const C bin_h = h / static_cast<C>(ph), bin_w = w / static_cast<C>(pw);
          const int64_t grid_h = samples_of(ratio, h, ph), grid_w = samples_of(ratio, w, pw);
          out.ptr<T>()[r] =
            T(bin_mean(plane, height, width, y + static_cast<C>(i) * bin_h, x + static_cast<C>(j) * bin_w, bin_h, bin_w, grid_h, grid_w) /
              static_cast<C>(grid_h * grid_w));
          continue;
        }
        const C x = std::round(roi[1]) * scale, y = std::round(roi[2]) * scale, w = std::max(std::round(roi[3]) * scale - x, C(0.1)),
                h = std::max(std::round(roi[4]) * scale - y, C(0.1));
        const C bin_h = h / static_cast<C>(ph), bin_w = w / static_cast<C>(pw);
        const auto edge = [](C v, int64_t limit) { return std::min(std::max<int64_t>(static_cast<int64_t>(v), 0), limit - 1); };
        const int64_t y0 = edge(std::floor(static_cast<C>(i) * bin_h + y), height),
                      y1 = edge(std::ceil(static_cast<C>(i + 1) * bin_h + y), height);
        const int64_t x0 = edge(std::floor(static_cast<C>(j) * bin_w + x), width),
                      x1 = edge(std::ceil(static_cast<C>(j + 1) * bin_w + x), width);
        C sum = 0;
        for (int64_t a = y0; a < y1; a++)
          for (int64_t b = x0; b < x1; b++) sum += plane[a * width + b];
        out.ptr<T>()[r] = T(y1 <= y0 || x1 <= x0 ? C(0) : sum / static_cast<C>((y1 - y0) * (x1 - x0)));
      }
    });
  });
}
void run_ps_roi_align(Call& call) { ps_roi(call, true); }
void run_ps_roi_pool(Call& call) { ps_roi(call, false); }

}  // namespace

TS_KERNEL(roi_align, {.infer = infer_roi_align, .run = run_roi_align});
TS_KERNEL(roi_pool, {.infer = infer_roi_pool, .run = run_roi_pool});
TS_KERNEL(ps_roi_align, {.infer = infer_ps_roi_align, .run = run_ps_roi_align});
TS_KERNEL(ps_roi_pool, {.infer = infer_ps_roi_pool, .run = run_ps_roi_pool});

}  // namespace torchscript::portable
