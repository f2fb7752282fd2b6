// torchvision::deform_conv2d: a convolution whose taps are moved by per-position offsets (y, x) and, where a mask is used, weighted by it.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

// (input, weight, offset, mask, bias, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups, offset_groups, use_mask)
struct Shape {
  int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups, offset_groups;
  int64_t n, channels, height, width, out_channels, kernel_h, kernel_w, out_h, out_w;
  bool use_mask;
};

Shape shape_of(const Call& call) {
  const TensorView &input = call.tensor(0), &weight = call.tensor(1), &offset = call.tensor(2), &mask = call.tensor(3);
  if (input.ndim != 4 || weight.ndim != 4 || offset.ndim != 4) fail("deform_conv2d: Expected 4-D input, weight and offset");
  if (weight.dtype != input.dtype || offset.dtype != input.dtype) fail("deform_conv2d: Expected input, weight and offset of one dtype");
  const auto i = [&](int arg) { return call.args[arg].i; };
  Shape s{i(5),
          i(6),
          i(7),
          i(8),
          i(9),
          i(10),
          i(11),
          i(12),
          input.sizes[0],
          input.sizes[1],
          input.sizes[2],
          input.sizes[3],
          weight.sizes[0],
          weight.sizes[2],
          weight.sizes[3],
          0,
          0,
          call.args[13].b};
  if (s.stride_h <= 0 || s.stride_w <= 0 || s.pad_h < 0 || s.pad_w < 0 || s.dilation_h <= 0 || s.dilation_w <= 0 || s.groups <= 0 ||
      s.offset_groups <= 0)
    fail("deform_conv2d: Expected positive strides, dilations and groups and paddings of at least 0");
  if (weight.sizes[1] * s.groups != s.channels || s.out_channels % s.groups != 0 || s.channels % s.offset_groups != 0)
    fail("deform_conv2d: the channels of input (%lld) and weight (%lld) do not match %lld groups", static_cast<long long>(s.channels),
         static_cast<long long>(weight.sizes[1]), static_cast<long long>(s.groups));
  s.out_h = (s.height + 2 * s.pad_h - (s.dilation_h * (s.kernel_h - 1) + 1)) / s.stride_h + 1;
  s.out_w = (s.width + 2 * s.pad_w - (s.dilation_w * (s.kernel_w - 1) + 1)) / s.stride_w + 1;
  const int64_t taps = s.offset_groups * s.kernel_h * s.kernel_w;
  const auto fits = [&](const TensorView& v, int64_t channels) {
    return v.ndim == 4 && v.sizes[0] == s.n && v.sizes[1] == channels && v.sizes[2] == s.out_h && v.sizes[3] == s.out_w;
  };
  if (!fits(offset, 2 * taps))
    fail("offset.shape[1] is not valid: got: %lld expected: %lld", static_cast<long long>(offset.sizes[1]),
         static_cast<long long>(2 * taps));
  if (s.use_mask && (mask.dtype != input.dtype || !fits(mask, taps)))
    fail("mask.shape[1] is not valid: expected: %lld", static_cast<long long>(taps));
  if (s.out_h <= 0 || s.out_w <= 0)
    fail("Calculated output size too small - out_h: %lld out_w: %lld", static_cast<long long>(s.out_h), static_cast<long long>(s.out_w));
  return s;
}

void infer_deform(Call& call) {
  const Shape s = shape_of(call);
  const int64_t sizes[4] = {s.n, s.out_channels, s.out_h, s.out_w};
  call.set_output(0, call.tensor(0).dtype, sizes, 4);
}

template <class C> C sample(const C* plane, int64_t height, int64_t width, C y, C x) {
  if (!(y > -1 && x > -1 && y < static_cast<C>(height) && x < static_cast<C>(width))) return C(0);
  const auto y0 = static_cast<int64_t>(std::floor(y)), x0 = static_cast<int64_t>(std::floor(x));
  const C ly = y - static_cast<C>(y0), lx = x - static_cast<C>(x0);
  const auto at = [&](int64_t a, int64_t b) { return a >= 0 && a < height && b >= 0 && b < width ? plane[a * width + b] : C(0); };
  return (1 - ly) * (1 - lx) * at(y0, x0) + (1 - ly) * lx * at(y0, x0 + 1) + ly * (1 - lx) * at(y0 + 1, x0) + ly * lx * at(y0 + 1, x0 + 1);
}

void run_deform(Call& call) {
  const Shape s = shape_of(call);
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const int64_t kernel = s.kernel_h * s.kernel_w, points = s.out_h * s.out_w, per_group = s.channels / s.groups,
                out_per_group = s.out_channels / s.groups;
  dispatch_floating(out.dtype, "deform_conv2d", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const auto values = [&](int arg) { return static_cast<const C*>(dense(call, call.tensor(arg), compute)); };
    const C *input = values(0), *weight = values(1), *offset = values(2), *mask = s.use_mask ? values(3) : nullptr,
            *bias = call.tensor(4).numel() == s.out_channels ? values(4) : nullptr;
    call.runtime->parallel(s.n * points, 8, [&](int64_t begin, int64_t end) {
      std::vector<C> column(static_cast<size_t>(s.channels * kernel));
      for (int64_t r = begin; r < end; r++) {
        const int64_t n = r / points, p = r % points, oy = p / s.out_w, ox = p % s.out_w;
        for (int64_t c = 0; c < s.channels; c++) {
          const int64_t group = c / (s.channels / s.offset_groups);
          for (int64_t k = 0; k < kernel; k++) {
            const int64_t tap = (n * s.offset_groups + group) * kernel + k;
            const C y = static_cast<C>(oy * s.stride_h - s.pad_h + k / s.kernel_w * s.dilation_h) + offset[2 * tap * points + p];
            const C x = static_cast<C>(ox * s.stride_w - s.pad_w + k % s.kernel_w * s.dilation_w) + offset[(2 * tap + 1) * points + p];
            const C v = sample(input + (n * s.channels + c) * s.height * s.width, s.height, s.width, y, x);
            column[static_cast<size_t>(c * kernel + k)] = mask != nullptr ? v * mask[tap * points + p] : v;
          }
        }
        for (int64_t o = 0; o < s.out_channels; o++) {
          const C *w = weight + o * per_group * kernel, *v = column.data() + o / out_per_group * per_group * kernel;
          C sum = 0;
          for (int64_t k = 0; k < per_group * kernel; k++) sum += w[k] * v[k];
          out.ptr<T>()[(n * s.out_channels + o) * points + p] = T(bias != nullptr ? sum + bias[o] : sum);
        }
      }
    });
  });
}

}  // namespace

TS_KERNEL(deform_conv2d, {.infer = infer_deform, .run = run_deform});

}  // namespace torchscript::portable
