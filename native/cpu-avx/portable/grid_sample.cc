// grid_sampler in two and three dimensions, and affine_grid_generator.
//
// Coordinates are -1..1, x first; modes bilinear 0, nearest 1, bicubic 2 (2-D only); padding zeros 0, border 1, reflection 2.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

constexpr int64_t kBilinear = 0, kNearest = 1, kBicubic = 2;
constexpr int64_t kBorder = 1, kReflection = 2;

template <class C> C clip(C v, int64_t size) { return std::min(static_cast<C>(size - 1), std::max(v, C(0))); }

template <class C> C reflect(C v, int64_t twice_low, int64_t twice_high) {
  if (twice_low == twice_high) return C(0);
  const C low = static_cast<C>(twice_low) / 2, span = static_cast<C>(twice_high - twice_low) / 2;
  v = std::fabs(v - low);
  const C extra = std::fmod(v, span), flips = std::floor(v / span);
  return std::fmod(flips, C(2)) == 0 ? extra + low : span - extra + low;
}

template <class C> C unnormalize(C v, int64_t size, bool align) {
  return align ? (v + 1) / 2 * static_cast<C>(size - 1) : ((v + 1) * static_cast<C>(size) - 1) / 2;
}

template <class C> C place(C v, int64_t size, int64_t padding, bool align) {
  if (padding == kReflection) v = align ? reflect(v, 0, 2 * (size - 1)) : reflect(v, -1, 2 * size - 1);
  if (padding == kBorder || padding == kReflection)
    v = std::isfinite(v) ? clip(v, size) : v > 0 ? static_cast<C>(size - 1) : v < 0 ? C(0) : C(-1);
  return v;
}

// Floor as an integer; far outside values become -2 (outside of any tensor, with its neighbour).
template <class C> int64_t cell(C v) { return v >= C(-1) && v < C(1e15) ? static_cast<int64_t>(std::floor(v)) : -2; }

template <class C> void cubic_weights(C t, C* w) {
  const C a = C(-0.75);
  const auto near = [a](C x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [a](C x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  w[0] = far(t + 1), w[1] = near(t), w[2] = near(1 - t), w[3] = far(2 - t);
}

void infer_grid_sample(Call& call) {
  const TensorView &input = call.tensor(0), &grid = call.tensor(1);
  const int spatial = input.ndim - 2;
  if (spatial != 2 && spatial != 3) fail("grid_sampler(): expected 4D or 5D input, but got input with %d dimensions", input.ndim);
  if (grid.ndim != input.ndim)
    fail("grid_sampler(): expected grid and input to have same number of dimensions, but got %d and %d", grid.ndim, input.ndim);
  if (input.dtype != grid.dtype)
    fail("grid_sampler(): expected input and grid to have same dtype, but input has %s and grid has %s", dtype_torch_name(input.dtype),
         dtype_torch_name(grid.dtype));
  if (input.sizes[0] != grid.sizes[0])
    fail("grid_sampler(): expected grid and input to have same batch size, but got %lld and %lld", static_cast<long long>(grid.sizes[0]),
         static_cast<long long>(input.sizes[0]));
  if (grid.sizes[grid.ndim - 1] != spatial)
    fail("grid_sampler(): expected grid to have size %d in last dimension, but got %lld", spatial,
         static_cast<long long>(grid.sizes[grid.ndim - 1]));
  for (int d = 2; d < input.ndim; d++)
    if (input.sizes[d] <= 0) fail("grid_sampler(): expected input to have non-empty spatial dimensions");
  if (spatial == 3 && call.args[2].i == kBicubic) fail("grid_sampler(): bicubic interpolation only supports 4D input");
  int64_t sizes[5] = {input.sizes[0], input.sizes[1]};
  std::copy(grid.sizes + 1, grid.sizes + 1 + spatial, sizes + 2);
  call.set_output(0, input.dtype, sizes, input.ndim);
}

// Up to 16 weighted positions of one sample in a plane.
template <class C> struct Sample {
  int n = 0;
  int64_t at[16];
  C weight[16];
  void add(int64_t position, C w) { at[n] = position, weight[n++] = w; }
};

template <class C> Sample<C> sample_2d(const C* g, int64_t h, int64_t w, int64_t mode, int64_t padding, bool align) {
  Sample<C> s;
  const C rx = unnormalize(g[0], w, align), ry = unnormalize(g[1], h, align);
  if (mode == kBicubic) {
    C wx[4], wy[4];
    const C bx = std::floor(rx), by = std::floor(ry);
    cubic_weights(rx - bx, wx);
    cubic_weights(ry - by, wy);
    for (int j = 0; j < 4; j++) {
      for (int i = 0; i < 4; i++) {
        const int64_t x = cell(place(bx + static_cast<C>(i - 1), w, padding, align)),
                      y = cell(place(by + static_cast<C>(j - 1), h, padding, align));
        if (x >= 0 && x < w && y >= 0 && y < h) s.add(y * w + x, wx[i] * wy[j]);
      }
    }
    return s;
  }
  const C x = place(rx, w, padding, align), y = place(ry, h, padding, align);
  if (mode == kNearest) {
    const int64_t ix = cell(std::nearbyint(x)), iy = cell(std::nearbyint(y));
    if (ix >= 0 && ix < w && iy >= 0 && iy < h) s.add(iy * w + ix, C(1));
    return s;
  }
  const int64_t ix = cell(x), iy = cell(y);
  const C tx = x - static_cast<C>(ix), ty = y - static_cast<C>(iy);
  for (int k = 0; k < 4; k++) {
    const int64_t px = ix + (k & 1), py = iy + (k >> 1);
    if (px >= 0 && px < w && py >= 0 && py < h) s.add(py * w + px, (k & 1 ? tx : 1 - tx) * (k >> 1 ? ty : 1 - ty));
  }
  return s;
}

template <class C> Sample<C> sample_3d(const C* g, const int64_t* sizes, int64_t mode, int64_t padding, bool align) {
  Sample<C> s;
  C v[3], t[3];
  int64_t base[3];
  for (int d = 0; d < 3; d++) {  // v[0] along depth
    v[d] = place(unnormalize(g[2 - d], sizes[d], align), sizes[d], padding, align);
    base[d] = cell(mode == kNearest ? std::nearbyint(v[d]) : v[d]);
    t[d] = v[d] - static_cast<C>(base[d]);
  }
  for (int k = 0; k < (mode == kNearest ? 1 : 8); k++) {
    int64_t at = 0;
    C weight = 1;
    bool inside = true;
    for (int d = 0; d < 3; d++) {
      const int step = k >> d & 1;
      const int64_t p = base[d] + step;
      inside &= p >= 0 && p < sizes[d];
      at = at * sizes[d] + p;
      if (mode != kNearest) weight *= step ? t[d] : 1 - t[d];
    }
    if (inside) s.add(at, weight);
  }
  return s;
}

void run_grid_sample(Call& call) {
  const TensorView &input = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int spatial = input.ndim - 2;
  const int64_t mode = call.args[2].i, padding = call.args[3].i;
  const bool align = call.args[4].b;
  const int64_t channels = input.sizes[1], plane = product(input.sizes, 2, input.ndim), points = product(out.sizes, 2, out.ndim);
  dispatch_floating(input.dtype, "grid_sampler", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const C *source = static_cast<const C*>(dense(call, input, compute)),
            *grid = static_cast<const C*>(dense(call, call.tensor(1), compute));
    call.runtime->parallel(input.sizes[0] * points, std::max<int64_t>(1, 1024 / channels), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const int64_t n = r / points, p = r % points;
        const C* g = grid + r * spatial;
        const Sample<C> s = spatial == 2 ? sample_2d(g, input.sizes[2], input.sizes[3], mode, padding, align)
                                         : sample_3d(g, input.sizes + 2, mode, padding, align);
        for (int64_t c = 0; c < channels; c++) {
          const C* from = source + (n * channels + c) * plane;
          C sum = 0;
          for (int k = 0; k < s.n; k++) sum += from[s.at[k]] * s.weight[k];
          out.ptr<T>()[(n * channels + c) * points + p] = T(sum);
        }
      }
    });
  });
}

// (theta, size, align_corners): the grid of positions of an output of `size`, transformed.
void infer_affine_grid(Call& call) {
  const TensorView& theta = call.tensor(0);
  const auto& size = call.args[1].ints;
  const int64_t spatial = size.n - 2;
  if (spatial != 2 && spatial != 3)
    fail_as("NotImplementedError",
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size of length %lld.",
            static_cast<long long>(size.n));
  if (theta.ndim != 3 || theta.sizes[0] != size.p[0] || theta.sizes[1] != spatial || theta.sizes[2] != spatial + 1) {
    char text[256];
    fail("Expected a batch of %lldD affine matrices of shape Nx%lldx%lld for size of length %lld. Got %s.", static_cast<long long>(spatial),
         static_cast<long long>(spatial), static_cast<long long>(spatial + 1), static_cast<long long>(size.n), shape_text(theta, text));
  }
  int64_t sizes[5] = {size.p[0]};
  for (int64_t d = 0; d < spatial; d++) sizes[1 + d] = size.p[2 + d];
  sizes[1 + spatial] = spatial;
  call.set_output(0, theta.dtype, sizes, static_cast<int>(spatial + 2));
}

void run_affine_grid(Call& call) {
  const TensorView& out = call.outputs[0];
  const int spatial = out.ndim - 2;
  const bool align = call.args[2].b;
  dispatch_floating(out.dtype, "affine_grid_generator", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
    const C* theta = static_cast<const C*>(dense(call, call.tensor(0), compute));
    const int64_t points = product(out.sizes, 1, 1 + spatial);
    for (int64_t r = 0, total = out.sizes[0] * points; r < total; r++) {
      int64_t rest = r % points;
      C x[4];
      for (int d = 0; d < spatial; d++) {  // x[0] runs along the last dimension
        const int64_t n = out.sizes[spatial - d], i = rest % n;
        rest /= n;
        const C linear = n > 1 ? C(2) * static_cast<C>(i) / static_cast<C>(n - 1) - 1 : align ? C(0) : C(0);
        x[d] = align ? linear : linear * static_cast<C>(n - 1) / static_cast<C>(n);
      }
      x[spatial] = 1;
      const C* m = theta + r / points * spatial * (spatial + 1);
      for (int i = 0; i < spatial; i++) {
        C sum = 0;
        for (int j = 0; j <= spatial; j++) sum += x[j] * m[i * (spatial + 1) + j];
        out.ptr<T>()[r * spatial + i] = T(sum);
      }
    }
  });
}

}  // namespace

TS_KERNEL(grid_sampler, {.infer = infer_grid_sample, .run = run_grid_sample});
TS_KERNEL(affine_grid_generator, {.infer = infer_affine_grid, .run = run_affine_grid});

}  // namespace torchscript::portable
