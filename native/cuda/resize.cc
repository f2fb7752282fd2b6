// upsample_nearest, upsample_nearest_exact, upsample_linear and upsample_cubic on the device.
#include "cuda/kernels/pool_params.h"
#include "cuda/places.h"

namespace torchscript::cuda {
namespace {

enum class Method { Nearest, NearestExact, Linear, Cubic };
constexpr bool is_nearest(Method m) { return m == Method::Nearest || m == Method::NearestExact; }

// plain: (self, output_size[, align_corners], scale per dimension...); vec: (input, output_size?[, align_corners], scale_factors?)
template <Method method, bool vec> void run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int spatial = x.ndim - 2, scale_arg = is_nearest(method) ? 2 : 3;
  ResizeParams p;
  set_places(p, spatial, x, out);
  p.exact = method == Method::NearestExact;
  p.cubic = method == Method::Cubic;
  p.align_corners = !is_nearest(method) && call.args[2].b;
  for (int d = 0; d < 3; d++) {
    const int own = d - (3 - spatial);
    // A dimension that is not there keeps its one place.
    p.scale[d] = is_nearest(method) ? 1 : -1;
    if (own < 0) continue;
    double given = 0;
    if (vec) given = call.args[scale_arg].kind == ArgKind::FloatList ? call.args[scale_arg].floats.p[own] : 0;
    else given = scale_arg + own < call.nargs ? call.args[scale_arg + own].as_double() : 0;
    const double in = static_cast<double>(x.sizes[own + 2]), n = static_cast<double>(out.sizes[own + 2]);
    const bool wide = x.dtype == DType::F64 && !is_nearest(method);
    const auto ratio = [&](double a, double b) { return wide ? a / b : static_cast<double>(static_cast<float>(a) / static_cast<float>(b)); };
    p.scale[d] = p.align_corners ? (n > 1 ? ratio(in - 1, n - 1) : 0) : given > 0 ? 1.0 / given : ratio(in, n);
  }
  const unsigned grid = grid_for(out.device, out.numel(), 256);
  if (is_nearest(method)) {
    const int64_t size = dtype_size(x.dtype);
    const char* name = size == 1 ? "resize_nearest_1" : size == 2 ? "resize_nearest_2" : size == 4 ? "resize_nearest_4" : "resize_nearest_8";
    return launch(out.device, call.runtime, name, {grid}, {256}, 0, p);
  }
  launch(out.device, call.runtime, by_dtype(x.dtype, "resize_taps_f32", "resize_taps_f16", "resize_taps_bf16", "resize_taps_f64"), {grid},
         {256}, 0, p);
}
bool takes(const Call& call) { return call.nargs > 0 && call.args[0].kind == ArgKind::Tensor && is_real(call.tensor(0).dtype); }
bool takes_any(const Call& call) {
  return call.nargs > 0 && call.args[0].kind == ArgKind::Tensor && dtype_size(call.tensor(0).dtype) <= 8;
}

TS_CUDA_KERNEL(upsample_nearest, {.run = run<Method::Nearest, false>, .accepts = takes_any});
TS_CUDA_KERNEL(upsample_nearest_vec, {.run = run<Method::Nearest, true>, .accepts = takes_any});
TS_CUDA_KERNEL(upsample_nearest_exact, {.run = run<Method::NearestExact, false>, .accepts = takes_any});
TS_CUDA_KERNEL(upsample_nearest_exact_vec, {.run = run<Method::NearestExact, true>, .accepts = takes_any});
TS_CUDA_KERNEL(upsample_linear, {.run = run<Method::Linear, false>, .accepts = takes});
TS_CUDA_KERNEL(upsample_linear_vec, {.run = run<Method::Linear, true>, .accepts = takes});
TS_CUDA_KERNEL(upsample_cubic, {.run = run<Method::Cubic, false>, .accepts = takes});
TS_CUDA_KERNEL(upsample_cubic_vec, {.run = run<Method::Cubic, true>, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
