// im2col (nn.Unfold), its adjoint col2im (nn.Fold).
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

struct Pair {
  int64_t h, w;
};

Pair pair_of(const Arg& arg) {
  if (arg.kind == ArgKind::Int) return {arg.i, arg.i};
  if (arg.ints.n == 1) return {arg.ints.p[0], arg.ints.p[0]};
  if (arg.ints.n != 2)
    fail("It is expected kernel_size, dilation, padding and stride to have 2 elements, but got %lld", static_cast<long long>(arg.ints.n));
  return {arg.ints.p[0], arg.ints.p[1]};
}

struct Windows {
  Pair kernel, dilation, padding, stride;
  int64_t height, width, columns_h, columns_w;
};

Windows windows_of(const Call& call, int first, int64_t height, int64_t width) {
  Windows w{pair_of(call.args[first]),
            pair_of(call.args[first + 1]),
            pair_of(call.args[first + 2]),
            pair_of(call.args[first + 3]),
            height,
            width,
            0,
            0};
  if (w.kernel.h <= 0 || w.kernel.w <= 0)
    fail("kernel size should be greater than zero, but got kernel_height: %lld kernel_width: %lld", static_cast<long long>(w.kernel.h),
         static_cast<long long>(w.kernel.w));
  if (w.dilation.h <= 0 || w.dilation.w <= 0)
    fail("dilation should be greater than zero, but got dilation_height: %lld dilation_width: %lld", static_cast<long long>(w.dilation.h),
         static_cast<long long>(w.dilation.w));
  if (w.stride.h <= 0 || w.stride.w <= 0)
    fail("stride should be greater than zero, but got stride_height: %lld stride_width: %lld", static_cast<long long>(w.stride.h),
         static_cast<long long>(w.stride.w));
  if (w.padding.h < 0 || w.padding.w < 0)
    fail("padding should be non-negative, but got pad_height: %lld pad_width: %lld", static_cast<long long>(w.padding.h),
         static_cast<long long>(w.padding.w));
  const int64_t space_h = height + 2 * w.padding.h - w.dilation.h * (w.kernel.h - 1) - 1,
                space_w = width + 2 * w.padding.w - w.dilation.w * (w.kernel.w - 1) - 1;
  if (space_h < 0 || space_w < 0) {
    fail(
      "Given an image of spatial size (%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, %lld), calculated shape of the array of sliding blocks is too small (non-positive)",
      static_cast<long long>(height), static_cast<long long>(width), static_cast<long long>(w.kernel.h), static_cast<long long>(w.kernel.w),
      static_cast<long long>(w.dilation.h), static_cast<long long>(w.dilation.w), static_cast<long long>(w.padding.h),
      static_cast<long long>(w.padding.w));
  }
  w.columns_h = space_h / w.stride.h + 1;
  w.columns_w = space_w / w.stride.w + 1;
  return w;
}

void infer_im2col(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.ndim != 3 && self.ndim != 4)
    fail("Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got %d dimensions",
         self.ndim);
  const int n = self.ndim;
  const Windows w = windows_of(call, 1, self.sizes[n - 2], self.sizes[n - 1]);
  int64_t sizes[3] = {self.sizes[0], self.sizes[n - 3] * w.kernel.h * w.kernel.w, w.columns_h * w.columns_w};
  if (n == 3) call.set_output(0, self.dtype, sizes + 1, 2);
  else call.set_output(0, self.dtype, sizes, 3);
}

void run_im2col(Call& call) {
  const TensorView& self = call.tensor(0);
  const int n = self.ndim;
  const Windows w = windows_of(call, 1, self.sizes[n - 2], self.sizes[n - 1]);
  const int64_t planes = product(self.sizes, 0, n - 2), kernel = w.kernel.h * w.kernel.w, columns = w.columns_h * w.columns_w;
  dispatch_size(self.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* source = dense<T>(call, self);
    T* out = call.outputs[0].ptr<T>();
    call.runtime->parallel(planes * kernel, std::max<int64_t>(1, 8192 / columns), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const T* plane = source + r / kernel * w.height * w.width;
        const int64_t kh = r % kernel / w.kernel.w, kw = r % w.kernel.w;
        T* to = out + r * columns;
        for (int64_t i = 0; i < w.columns_h; i++) {
          const int64_t h = i * w.stride.h - w.padding.h + kh * w.dilation.h;
          for (int64_t j = 0; j < w.columns_w; j++) {
            const int64_t x = j * w.stride.w - w.padding.w + kw * w.dilation.w;
            *to++ = h >= 0 && h < w.height && x >= 0 && x < w.width ? plane[h * w.width + x] : T{};
          }
        }
      }
    });
  });
}

void infer_col2im(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.ndim != 2 && self.ndim != 3)
    fail(
      "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got %d dimensions",
      self.ndim);
  const Pair size = pair_of(call.args[1]);
  const Windows w = windows_of(call, 2, size.h, size.w);
  const int64_t rows = self.sizes[self.ndim - 2], kernel = w.kernel.h * w.kernel.w;
  if (rows % kernel != 0)
    fail(
      "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=%lld and kernel_size=(%lld, %lld).",
      static_cast<long long>(rows), static_cast<long long>(w.kernel.h), static_cast<long long>(w.kernel.w));
  if (self.sizes[self.ndim - 1] != w.columns_h * w.columns_w) {
    fail(
      "Given output_size=(%lld, %lld), expected size of input's dimension 2 to match the calculated number of sliding blocks %lld * %lld = %lld, but got input.size(2)=%lld.",
      static_cast<long long>(size.h), static_cast<long long>(size.w), static_cast<long long>(w.columns_h),
      static_cast<long long>(w.columns_w), static_cast<long long>(w.columns_h * w.columns_w),
      static_cast<long long>(self.sizes[self.ndim - 1]));
  }
  const int64_t sizes[4] = {self.sizes[0], rows / kernel, size.h, size.w};
  if (self.ndim == 2) call.set_output(0, self.dtype, sizes + 1, 3);
  else call.set_output(0, self.dtype, sizes, 4);
}

void run_col2im(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  const Pair size = pair_of(call.args[1]);
  const Windows w = windows_of(call, 2, size.h, size.w);
  const int64_t kernel = w.kernel.h * w.kernel.w, columns = w.columns_h * w.columns_w, plane = size.h * size.w;
  if (plane == 0) return;
  dispatch_all(self.dtype, "col2im", [&](auto tag) {
    using T = decltype(tag);
    const T* source = dense<T>(call, self);
    call.runtime->parallel(out.numel() / plane, std::max<int64_t>(1, 8192 / (kernel * columns)), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        T* to = out.ptr<T>() + p * plane;
        std::fill(to, to + plane, T{});
        for (int64_t k = 0; k < kernel; k++) {
          const T* from = source + (p * kernel + k) * columns;
          for (int64_t i = 0; i < w.columns_h; i++) {
            const int64_t h = i * w.stride.h - w.padding.h + k / w.kernel.w * w.dilation.h;
            for (int64_t j = 0; j < w.columns_w; j++) {
              const int64_t x = j * w.stride.w - w.padding.w + k % w.kernel.w * w.dilation.w;
              if (h >= 0 && h < size.h && x >= 0 && x < size.w)
                to[h * size.w + x] = add_elements(to[h * size.w + x], from[i * w.columns_w + j]);
            }
          }
        }
      }
    });
  });
}

}  // namespace

TS_KERNEL(im2col, {.infer = infer_im2col, .run = run_im2col});
TS_KERNEL(col2im, {.infer = infer_col2im, .run = run_col2im});

}  // namespace torchscript::portable
