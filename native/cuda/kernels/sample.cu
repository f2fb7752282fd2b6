// Patches of planes, samples at positions of a grid, regions of planes, and resizing with a filter.
// kernel: cpu-avx/portable/im2col, grid_sample, roi, upsample
#include "cuda/kernels/rows.cuh"
#include "cuda/kernels/sample_params.h"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }
TS_DEVICE int64_t least(int64_t a, int64_t b) { return b < a ? b : a; }
TS_DEVICE int64_t most(int64_t a, int64_t b) { return a < b ? b : a; }
template <class A> TS_DEVICE A lesser(A a, A b) { return b < a ? b : a; }
template <class A> TS_DEVICE A greater(A a, A b) { return a < b ? b : a; }
// Sums and differences of products that are not contracted, since a position decides which elements count.
TS_DEVICE float product_of(float a, float b) { return __fmul_rn(a, b); }
TS_DEVICE double product_of(double a, double b) { return __dmul_rn(a, b); }

template <class A> TS_DEVICE A rounded(A x) { return static_cast<A>(round(x)); }

// ---- patches

template <class T> TS_DEVICE void take_patches(const PatchParams& p) {
  const int64_t kernel = p.kernel[0] * p.kernel[1], columns = p.columns_h * p.columns_w, total = p.planes * kernel * columns;
  for (int64_t i = first_item(); i < total; i += item_step()) {
    const int64_t j = i % p.columns_w, row = i / p.columns_w % p.columns_h, k = i / columns % kernel, plane = i / (columns * kernel);
    const int64_t h = row * p.stride[0] - p.padding[0] + k / p.kernel[1] * p.dilation[0];
    const int64_t w = j * p.stride[1] - p.padding[1] + k % p.kernel[1] * p.dilation[1];
    const bool inside = h >= 0 && h < p.height && w >= 0 && w < p.width;
    static_cast<T*>(p.out)[i] = inside ? static_cast<const T*>(p.x)[(plane * p.height + h) * p.width + w] : T{};
  }
}

// An element gathers what lies on it, in the order of the kernel's places.
template <class A> TS_DEVICE void add_patches(const PatchParams& p) {
  const int64_t kernel = p.kernel[0] * p.kernel[1], columns = p.columns_h * p.columns_w, total = p.planes * p.height * p.width;
  for (int64_t i = first_item(); i < total; i += item_step()) {
    const int64_t x = i % p.width, y = i / p.width % p.height, plane = i / (p.width * p.height);
    A sum = 0;
    for (int64_t k = 0; k < kernel; k++) {
      const int64_t h = y + p.padding[0] - k / p.kernel[1] * p.dilation[0], w = x + p.padding[1] - k % p.kernel[1] * p.dilation[1];
      if (h < 0 || w < 0 || h % p.stride[0] != 0 || w % p.stride[1] != 0) continue;
      const int64_t row = h / p.stride[0], column = w / p.stride[1];
      if (row >= p.columns_h || column >= p.columns_w) continue;
      sum += load_real<A>(p.dtype, p.x, (plane * kernel + k) * columns + row * p.columns_w + column);
    }
    store_real<A>(p.dtype, p.out, i, sum);
  }
}

// ---- grids

template <class A> TS_DEVICE A reflected(A v, int64_t twice_low, int64_t twice_high) {
  if (twice_low == twice_high) return A(0);
  const A low = static_cast<A>(twice_low) / 2, span = static_cast<A>(twice_high - twice_low) / 2;
  v = fabs(v - low);
  const A extra = fmod(v, span), flips = floor(v / span);
  return fmod(flips, A(2)) == 0 ? extra + low : span - extra + low;
}
template <class A> TS_DEVICE A unnormalized(A v, int64_t size, bool align) {
  return align ? (v + 1) / 2 * static_cast<A>(size - 1) : (product_of(v + 1, static_cast<A>(size)) - 1) / 2;
}
template <class A> TS_DEVICE A placed(A v, int64_t size, int32_t padding, bool align) {
  if (padding == kGridReflection) v = align ? reflected(v, 0, 2 * (size - 1)) : reflected(v, -1, 2 * size - 1);
  if (padding == kGridBorder || padding == kGridReflection) {
    if (fabs(v) < static_cast<A>(INFINITY)) v = lesser(static_cast<A>(size - 1), greater(v, A(0)));
    else v = v > 0 ? static_cast<A>(size - 1) : v < 0 ? A(0) : A(-1);
  }
  return v;
}
// Floor as an integer; far outside values become -2.
template <class A> TS_DEVICE int64_t cell(A v) { return v >= A(-1) && v < A(1e15) ? static_cast<int64_t>(floor(v)) : -2; }
template <class A> TS_DEVICE A cubic_near(A x, A a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
template <class A> TS_DEVICE A cubic_far(A x, A a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }
template <class A> TS_DEVICE void cubic_weights(A t, A* w) {
  const A a = A(-0.75);
  w[0] = cubic_far(t + 1, a), w[1] = cubic_near(t, a), w[2] = cubic_near(1 - t, a), w[3] = cubic_far(2 - t, a);
}

// kTaps: 2 of each dimension, or 4 of a cubic, which has two dimensions. Elements are summed as on the CPU: the first of three dimensions changes
// first, the last of two. Loops over taps and dimensions are unrolled, so that all of them stay in registers.
template <class A, int kTaps> TS_DEVICE void sample_taps(const GridSampleParams& p) {
  constexpr int kOuter = kTaps == 4 ? 1 : kTaps;
  const bool flat = p.spatial == 2, align = p.align != 0;
  const int64_t plane = p.sizes[0] * p.sizes[1] * (flat ? 1 : p.sizes[2]);
  for (int64_t i = first_item(); i < p.batch * p.points; i += item_step()) {
    const int64_t n = i / p.points, point = i % p.points;
    // By loop, from the outermost: where an element is in its plane, -1 outside of it.
    int64_t at[3][kTaps];
    A weight[3][kTaps];
    int count[3];
#pragma unroll
    for (int s = 0; s < 3; s++) {
      count[s] = p.mode == kGridNearest ? 1 : kTaps;
      if (s == 0 && flat) {
        count[s] = 1;
        at[s][0] = 0;
        weight[s][0] = A(1);
        continue;
      }
      const int64_t size = s == 0 ? p.sizes[2] : s == 1 ? (flat ? p.sizes[0] : p.sizes[1]) : (flat ? p.sizes[1] : p.sizes[0]);
      const int64_t step = s == 0 ? 1 : s == 1 ? (flat ? p.sizes[1] : p.sizes[2]) : (flat ? 1 : p.sizes[1] * p.sizes[2]);
      const A g = load_real<A>(p.dtype, p.grid, i * p.spatial + (flat ? 2 - s : s));
      if constexpr (kTaps == 4) {
        const A raw = unnormalized(g, size, align), base = floor(raw);
        cubic_weights(raw - base, weight[s]);
#pragma unroll
        for (int k = 0; k < kTaps; k++) {
          const int64_t position = cell(placed(base + static_cast<A>(k - 1), size, p.padding, align));
          at[s][k] = position >= 0 && position < size ? position * step : -1;
        }
      } else {
        const A v = placed(unnormalized(g, size, align), size, p.padding, align);
        const int64_t base = cell(p.mode == kGridNearest ? static_cast<A>(rint(v)) : v);
        const A t = v - static_cast<A>(base);
        weight[s][0] = p.mode == kGridNearest ? A(1) : 1 - t;
        weight[s][1] = t;
#pragma unroll
        for (int k = 0; k < kTaps; k++) at[s][k] = base + k >= 0 && base + k < size ? (base + k) * step : -1;
      }
    }
    for (int64_t c = 0; c < p.channels; c++) {
      const int64_t from = (n * p.channels + c) * plane;
      A sum = 0;
#pragma unroll
      for (int u = 0; u < kOuter; u++) {
        if (u >= count[0]) break;
#pragma unroll
        for (int v = 0; v < kTaps; v++) {
          if (v >= count[1]) break;
#pragma unroll
          for (int w = 0; w < kTaps; w++) {
            if (w < count[2] && at[0][u] >= 0 && at[1][v] >= 0 && at[2][w] >= 0)
              sum += load_real<A>(p.dtype, p.x, from + at[0][u] + at[1][v] + at[2][w]) * (weight[1][v] * weight[2][w] * weight[0][u]);
          }
        }
      }
      store_real<A>(p.dtype, p.out, (n * p.channels + c) * p.points + point, sum);
    }
  }
}
template <class A> TS_DEVICE void sample_grid(const GridSampleParams& p) {
  if (p.mode == kGridBicubic) sample_taps<A, 4>(p);
  else sample_taps<A, 2>(p);
}

template <class A> TS_DEVICE void affine_grid(const AffineGridParams& p) {
  const int spatial = p.spatial;
  const bool flat = spatial == 2;
  const int64_t points = p.sizes[0] * p.sizes[1] * (flat ? 1 : p.sizes[2]);
  for (int64_t i = first_item(); i < p.batch * points; i += item_step()) {
    int64_t rest = i % points;
    A x[3];
#pragma unroll
    for (int d = 0; d < 3; d++) {
      if (d >= spatial) break;
      const int64_t n = d == 0 ? (flat ? p.sizes[1] : p.sizes[2]) : d == 1 ? (flat ? p.sizes[0] : p.sizes[1]) : p.sizes[0], at = rest % n;
      rest /= n;
      const A linear = n > 1 ? A(2) * static_cast<A>(at) / static_cast<A>(n - 1) - 1 : A(0);
      x[d] = p.align ? linear : linear * static_cast<A>(n - 1) / static_cast<A>(n);
    }
    for (int k = 0; k < spatial; k++) {
      const int64_t row = (i / points * spatial + k) * (spatial + 1);
      A sum = 0;
#pragma unroll
      for (int j = 0; j < 3; j++)
        if (j < spatial) sum += x[j] * load_real<A>(p.dtype, p.theta, row + j);
      store_real<A>(p.dtype, p.out, i * spatial + k, sum + load_real<A>(p.dtype, p.theta, row + spatial));
    }
  }
}

// ---- regions

// Bilinear sample; outside of (-1, size) it is 0.
template <class A> TS_DEVICE A bilinear(const RegionParams& p, int64_t plane, A y, A x) {
  if (!(y >= -1 && y <= static_cast<A>(p.height) && x >= -1 && x <= static_cast<A>(p.width))) return A(0);
  y = greater(y, A(0));
  x = greater(x, A(0));
  int64_t y0 = static_cast<int64_t>(y), x0 = static_cast<int64_t>(x), y1 = y0 + 1, x1 = x0 + 1;
  if (y0 >= p.height - 1) y0 = y1 = p.height - 1, y = static_cast<A>(y0);
  if (x0 >= p.width - 1) x0 = x1 = p.width - 1, x = static_cast<A>(x0);
  const A ly = y - static_cast<A>(y0), lx = x - static_cast<A>(x0), hy = 1 - ly, hx = 1 - lx;
  const auto at = [&](int64_t h, int64_t w) { return load_real<A>(p.dtype, p.x, plane + h * p.width + w); };
  return hy * hx * at(y0, x0) + hy * lx * at(y0, x1) + ly * hx * at(y1, x0) + ly * lx * at(y1, x1);
}
template <class A> TS_DEVICE int64_t samples_of(int64_t ratio, A extent, int64_t bins) {
  return ratio > 0 ? ratio : least(static_cast<int64_t>(ceil(static_cast<double>(extent) / static_cast<double>(bins))), 1 << 20);
}
template <class A> TS_DEVICE int64_t edge(A v, int64_t start, int64_t limit) {
  return least(most(static_cast<int64_t>(v) + start, 0), limit);
}

template <class A> TS_DEVICE void regions(const RegionParams& p) {
  const int64_t total = p.n * p.out_channels * p.rows * p.columns;
  const bool sensitive = p.method == kRegionSensitiveAlign || p.method == kRegionSensitivePool;
  for (int64_t i = first_item(); i < total; i += item_step()) {
    const int64_t column = i % p.columns, row = i / p.columns % p.rows, channel = i / (p.columns * p.rows) % p.out_channels;
    const int64_t region = i / (p.columns * p.rows * p.out_channels);
    A roi[5];
    for (int k = 0; k < 5; k++) roi[k] = load_real<A>(p.dtype, p.rois, region * 5 + k);
    const int64_t from = sensitive ? (channel * p.rows + row) * p.columns + column : channel;
    // Regions of an image that is not there are zeros: nothing waits for them to be checked.
    if (!(roi[0] >= 0 && roi[0] < static_cast<A>(p.batch))) {
      store_real<A>(p.dtype, p.out, i, A(0));
      if (p.positions) p.positions[i] = -1;
      continue;
    }
    const int64_t plane = (static_cast<int64_t>(roi[0]) * p.channels + from) * p.height * p.width;
    const A scale = static_cast<A>(p.scale);
    A value = 0;
    int32_t position = sensitive ? static_cast<int32_t>(from) : -1;
    if (p.method == kRegionAlign || p.method == kRegionSensitiveAlign) {
      const bool shifted = p.method == kRegionSensitiveAlign || p.aligned;
      const A shift = shifted ? A(0.5) : A(0);
      const A x = product_of(roi[1], scale) - shift, y = product_of(roi[2], scale) - shift;
      A w = product_of(roi[3], scale) - shift - x, h = product_of(roi[4], scale) - shift - y;
      if (!shifted) w = greater(w, A(1)), h = greater(h, A(1));
      const A bin_h = h / static_cast<A>(p.rows), bin_w = w / static_cast<A>(p.columns);
      const int64_t grid_h = samples_of(p.ratio, h, p.rows), grid_w = samples_of(p.ratio, w, p.columns);
      for (int64_t a = 0; a < grid_h; a++) {
        const A sy = y + product_of(static_cast<A>(row), bin_h) + product_of(static_cast<A>(a) + A(0.5), bin_h) / static_cast<A>(grid_h);
        for (int64_t b = 0; b < grid_w; b++)
          value += bilinear(p, plane, sy, x + product_of(static_cast<A>(column), bin_w) + product_of(static_cast<A>(b) + A(0.5), bin_w) / static_cast<A>(grid_w));
      }
      value /= static_cast<A>(sensitive ? grid_h * grid_w : most(grid_h * grid_w, 1));
    } else if (p.method == kRegionPool) {
      const int64_t x = static_cast<int64_t>(rounded<A>(roi[1] * scale)), y = static_cast<int64_t>(rounded<A>(roi[2] * scale));
      const A w = static_cast<A>(most(static_cast<int64_t>(rounded<A>(roi[3] * scale)) - x + 1, 1)) / static_cast<A>(p.columns);
      const A h = static_cast<A>(most(static_cast<int64_t>(rounded<A>(roi[4] * scale)) - y + 1, 1)) / static_cast<A>(p.rows);
      const int64_t y0 = edge(floor(product_of(static_cast<A>(row), h)), y, p.height), y1 = edge(ceil(product_of(static_cast<A>(row + 1), h)), y, p.height);
      const int64_t x0 = edge(floor(product_of(static_cast<A>(column), w)), x, p.width), x1 = edge(ceil(product_of(static_cast<A>(column + 1), w)), x, p.width);
      if (y1 > y0 && x1 > x0) value = sizeof(A) == 8 ? static_cast<A>(-1.7976931348623157e308) : static_cast<A>(-3.402823466e38f);
      for (int64_t a = y0; a < y1; a++) {
        for (int64_t b = x0; b < x1; b++) {
          const A v = load_real<A>(p.dtype, p.x, plane + a * p.width + b);
          if (v > value) value = v, position = static_cast<int32_t>(a * p.width + b);
        }
      }
    } else {
      const A x = rounded<A>(roi[1]) * scale, y = rounded<A>(roi[2]) * scale;
      const A w = greater(product_of(rounded<A>(roi[3]), scale) - x, A(0.1)) / static_cast<A>(p.columns);
      const A h = greater(product_of(rounded<A>(roi[4]), scale) - y, A(0.1)) / static_cast<A>(p.rows);
      const int64_t y0 = edge(floor(product_of(static_cast<A>(row), h) + y), 0, p.height - 1), y1 = edge(ceil(product_of(static_cast<A>(row + 1), h) + y), 0, p.height - 1);
      const int64_t x0 = edge(floor(product_of(static_cast<A>(column), w) + x), 0, p.width - 1), x1 = edge(ceil(product_of(static_cast<A>(column + 1), w) + x), 0, p.width - 1);
      for (int64_t a = y0; a < y1; a++)
        for (int64_t b = x0; b < x1; b++) value += load_real<A>(p.dtype, p.x, plane + a * p.width + b);
      value = y1 <= y0 || x1 <= x0 ? A(0) : value / static_cast<A>((y1 - y0) * (x1 - x0));
    }
    store_real<A>(p.dtype, p.out, i, value);
    if (p.positions) p.positions[i] = position;
  }
}

// ---- resizing with a filter as wide as what an output element covers

template <class A> TS_DEVICE A filtered(int32_t filter, A x) {
  x = fabs(x);
  if (filter == 0) return x < 1 ? 1 - x : A(0);
  if (filter == 1) return x < 1 ? cubic_near(x, A(-0.5)) : x < 2 ? cubic_far(x, A(-0.5)) : A(0);
  if (x == 0) return A(1);
  if (x >= 3) return A(0);
  const A a = static_cast<A>(3.14159265358979323846) * x, b = a / 3;
  return sin(a) / a * (sin(b) / b);
}
template <class A> TS_DEVICE void resize_filtered(const ResizeFilterParams& p) {
  const A scale = static_cast<A>(p.scale), inverse = static_cast<A>(p.filter_scale), support = static_cast<A>(p.support);
  const int64_t width = least(static_cast<int64_t>(ceil(support)) * 2 + 1, p.from);
  for (int64_t i = first_item(); i < p.outer * p.to * p.inner; i += item_step()) {
    const int64_t k = i % p.inner, at = i / p.inner % p.to, o = i / (p.inner * p.to);
    const A center = product_of(scale, static_cast<A>(at) + A(0.5));
    const int64_t begin = most(static_cast<int64_t>(center - support + A(0.5)), 0);
    const int64_t n = least(most(least(static_cast<int64_t>(center + support + A(0.5)), p.from) - begin, 0), width);
    A total = 0, sum = 0;
    for (int64_t t = 0; t < n; t++) total += filtered(p.filter, product_of(static_cast<A>(t + begin) - center + A(0.5), inverse));
    for (int64_t t = 0; t < n; t++) {
      const A weight = filtered(p.filter, product_of(static_cast<A>(t + begin) - center + A(0.5), inverse));
      sum += (total != 0 ? weight / total : weight) * static_cast<const A*>(p.x)[(o * p.from + begin + t) * p.inner + k];
    }
    static_cast<A*>(p.out)[i] = sum;
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, im2col, const PatchParams p) {
  switch (p.size) {
    case 1: take_patches<uint8_t>(p); break;
    case 2: take_patches<uint16_t>(p); break;
    case 4: take_patches<uint32_t>(p); break;
    case 8: take_patches<uint64_t>(p); break;
    default: take_patches<Bytes16>(p); break;
  }
}
TS_GLOBAL_BOUNDS(256, 2, col2im_f32, const PatchParams p) { add_patches<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, col2im_f64, const PatchParams p) { add_patches<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, grid_sample_f32, const GridSampleParams p) { sample_grid<float>(p); }
TS_GLOBAL_BOUNDS(256, 1, grid_sample_f64, const GridSampleParams p) { sample_grid<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, affine_grid_f32, const AffineGridParams p) { affine_grid<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, affine_grid_f64, const AffineGridParams p) { affine_grid<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, regions_f32, const RegionParams p) { regions<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, regions_f64, const RegionParams p) { regions<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, resize_filter_f32, const ResizeFilterParams p) { resize_filtered<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, resize_filter_f64, const ResizeFilterParams p) { resize_filtered<double>(p); }
