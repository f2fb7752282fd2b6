// Resizing of the spatial dimensions: nearest, nearest-exact, linear, cubic, and the antialiased linear, cubic and lanczos forms.
//
// Nearest resizes move elements. The others are separable: along each dimension an output position is a weighted sum of a few input
// positions (taps), computed from the last dimension to the first in float (double for double tensors).
#include "cpu-avx/channels_last.h"
#include "cpu-avx/portable/mapped_copy.h"

namespace torchscript::portable {
namespace {

enum class Method { Nearest, NearestExact, Linear, Cubic, LinearAa, CubicAa, LanczosAa };
constexpr bool is_nearest(Method m) { return m == Method::Nearest || m == Method::NearestExact; }

struct Resize {
  int spatial = 0;
  bool align_corners = false;
  int64_t sizes[kMaxDims] = {};  // of the output's spatial dimensions
  double scales[kMaxDims] = {};  // given scale factors, 0: from the sizes
};

// plain: (self, output_size[, align_corners], scale per dimension...); vec: (input, output_size?[, align_corners], scale_factors?)
Resize resize_of(const Call& call, Method method, bool vec) {
  const TensorView& self = call.tensor(0);
  Resize r;
  r.spatial = self.ndim - 2;
  if (r.spatial < 1 || r.spatial > 3) fail("It is expected input_size equals to 3, 4 or 5, but got size %d", self.ndim);
  const int scale_arg = is_nearest(method) ? 2 : 3;
  r.align_corners = !is_nearest(method) && call.args[2].b;
  const Arg& size = call.args[1];
  if (vec) {
    const Arg& scales = call.args[scale_arg];
    if (size.is_none() == scales.is_none()) fail("Must specify exactly one of output_size and scale_factors");
    if (!scales.is_none()) {
      if (scales.floats.n != r.spatial)
        fail("It is expected scale_factors equals to %d, but got size %lld", r.spatial, static_cast<long long>(scales.floats.n));
      for (int d = 0; d < r.spatial; d++) {
        r.scales[d] = scales.floats.p[d];
        r.sizes[d] = static_cast<int64_t>(static_cast<double>(self.sizes[d + 2]) * r.scales[d]);
      }
    }
  } else {
    for (int d = 0; d < r.spatial; d++) r.scales[d] = scale_arg + d < call.nargs ? call.args[scale_arg + d].as_double() : 0;
  }
  if (!size.is_none()) {
    if (size.ints.n != r.spatial)
      fail("It is expected output_size equals to %d, but got size %lld", r.spatial, static_cast<long long>(size.ints.n));
    for (int d = 0; d < r.spatial; d++) r.sizes[d] = size.ints.p[d];
  }
  for (int d = 0; d < r.spatial; d++) {
    if (r.sizes[d] > 0 && self.sizes[d + 2] > 0) continue;
    char text[256];
    fail("Input and output sizes should be greater than 0, but got input %s and output size %lld", shape_text(self, text),
         static_cast<long long>(r.sizes[d]));
  }
  return r;
}

void infer_resize(Call& call, Method method, bool vec) {
  const TensorView& self = call.tensor(0);
  const Resize r = resize_of(call, method, vec);
  int64_t sizes[kMaxDims] = {self.sizes[0], self.sizes[1]};
  std::copy(r.sizes, r.sizes + r.spatial, sizes + 2);
  call.set_output(0, self.dtype, sizes, self.ndim);
  if (has_channels_last_strides(self)) make_channels_last(call.outputs[0]);
  if (self.quant != nullptr) call.outputs[0].quant = self.quant;
}

// What a call resizes, with its dimensions in the order of the memory of the result.
struct Images {
  TensorView self, out;
  int first = 2;  // of the spatial dimensions
};
Images images_of(const Call& call) {
  Images images{call.tensor(0), call.outputs[0]};
  if (has_channels_last_strides(images.out)) images = {with_channels_inside(images.self), with_channels_inside(images.out), 1};
  return images;
}

void run_nearest(Call& call, Method method, const Resize& r) {
  const auto [self, out, first] = images_of(call);
  IndexMaps maps{identity_map(out.sizes[0])};
  if (first == 2) maps.push_back(identity_map(out.sizes[1]));
  for (int d = 0; d < r.spatial; d++) {
    const int64_t in = self.sizes[d + first], n = out.sizes[d + first];
    const float scale = r.scales[d] > 0 ? static_cast<float>(1.0 / r.scales[d]) : static_cast<float>(in) / static_cast<float>(n);
    std::vector<int64_t> map(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; i++) {
      const float at = method == Method::NearestExact ? (static_cast<float>(i) + 0.5f) * scale : static_cast<float>(i) * scale;
      map[static_cast<size_t>(i)] = std::min(static_cast<int64_t>(std::floor(at)), in - 1);
    }
    maps.push_back(std::move(map));
  }
  if (first == 1) maps.push_back(identity_map(out.sizes[out.ndim - 1]));
  mapped_copy(call, self, out, maps, nullptr);
}

// Taps of every output position along one dimension: `width` of them, unused ones with weight 0.
template <class C> struct Taps {
  int64_t width = 1;
  bool identity = false;
  std::vector<int64_t> index;
  std::vector<C> weight;
};

template <class C> C scale_of(int64_t in, int64_t out, bool align_corners, double given) {
  if (align_corners) return out > 1 ? static_cast<C>(in - 1) / static_cast<C>(out - 1) : C(0);
  return given > 0 ? static_cast<C>(1.0 / given) : static_cast<C>(in) / static_cast<C>(out);
}

template <class C> C cubic_near(C x, C a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
template <class C> C cubic_far(C x, C a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

template <class C> C filter(Method method, C x) {
  x = std::fabs(x);
  if (method == Method::LinearAa) return x < 1 ? 1 - x : C(0);
  if (method == Method::CubicAa) return x < 1 ? cubic_near(x, C(-0.5)) : x < 2 ? cubic_far(x, C(-0.5)) : C(0);
  if (x == 0) return C(1);
  if (x >= 3) return C(0);
  const C pi = static_cast<C>(3.14159265358979323846), a = pi * x, b = a / 3;
  return std::sin(a) / a * (std::sin(b) / b);
}

template <class C> Taps<C> antialias_taps(Method method, int64_t in, int64_t out, C scale) {
  const C reach = (method == Method::LinearAa ? C(2) : method == Method::CubicAa ? C(4) : C(6)) * C(0.5);
  const C support = scale >= 1 ? reach * scale : reach, inverse = scale >= 1 ? 1 / scale : C(1);
  Taps<C> taps;
  taps.width = std::min<int64_t>(static_cast<int64_t>(std::ceil(support)) * 2 + 1, in);
  taps.index.assign(static_cast<size_t>(out * taps.width), 0);
  taps.weight.assign(static_cast<size_t>(out * taps.width), C(0));
  for (int64_t i = 0; i < out; i++) {
    const C center = scale * (static_cast<C>(i) + C(0.5));
    const int64_t begin = std::max<int64_t>(static_cast<int64_t>(center - support + C(0.5)), 0);
    const int64_t n =
      std::min<int64_t>(std::max<int64_t>(std::min(static_cast<int64_t>(center + support + C(0.5)), in) - begin, 0), taps.width);
    C total = 0;
    for (int64_t t = 0; t < n; t++) {
      const C w = filter(method, (static_cast<C>(t + begin) - center + C(0.5)) * inverse);
      taps.index[static_cast<size_t>(i * taps.width + t)] = begin + t;
      taps.weight[static_cast<size_t>(i * taps.width + t)] = w;
      total += w;
    }
    for (int64_t t = 0; total != 0 && t < n; t++) taps.weight[static_cast<size_t>(i * taps.width + t)] /= total;
  }
  return taps;
}

template <class C> Taps<C> make_taps(Method method, int64_t in, int64_t out, bool align_corners, double given) {
  const C scale = scale_of<C>(in, out, align_corners, given);
  if (method != Method::Linear && method != Method::Cubic) return antialias_taps<C>(method, in, out, scale);
  Taps<C> taps;
  const bool cubic = method == Method::Cubic;
  if (!cubic && in == out) {
    taps.identity = true;
    return taps;
  }
  taps.width = cubic ? 4 : 2;
  for (int64_t i = 0; i < out; i++) {
    C at = align_corners ? scale * static_cast<C>(i) : scale * (static_cast<C>(i) + C(0.5)) - C(0.5);
    if (!cubic && at < 0) at = 0;
    const int64_t base = std::min(static_cast<int64_t>(std::floor(at)), in - 1);
    const C t = std::min(std::max(at - static_cast<C>(base), C(0)), C(1));
    if (cubic) {
      const C a = C(-0.75);
      const C weights[4] = {cubic_far(t + 1, a), cubic_near(t, a), cubic_near(1 - t, a), cubic_far(2 - t, a)};
      for (int64_t k = 0; k < 4; k++) {
        taps.index.push_back(std::min(std::max<int64_t>(base + k - 1, 0), in - 1));
        taps.weight.push_back(weights[k]);
      }
    } else {
      taps.index.push_back(base);
      taps.index.push_back(base < in - 1 ? base + 1 : base);
      taps.weight.push_back(1 - t);
      taps.weight.push_back(t);
    }
  }
  return taps;
}

// One dimension of `outer` x `in` x `inner` resized to `out`.
template <class C>
void pass(Call& call, const C* source, C* result, int64_t outer, int64_t in, int64_t out, int64_t inner, const Taps<C>& taps) {
  const int64_t width = taps.width;
  call.runtime->parallel(
    inner == 1 ? outer : outer * out, std::max<int64_t>(1, 16384 / (width * (inner == 1 ? out : inner))), [&](int64_t begin, int64_t end) {
      if (inner == 1) {
        for (int64_t o = begin; o < end; o++) {
          const C* from = source + o * in;
          C* to = result + o * out;
          if (width == 2) {
            for (int64_t i = 0; i < out; i++)
              to[i] = from[taps.index[2 * i]] * taps.weight[2 * i] + from[taps.index[2 * i + 1]] * taps.weight[2 * i + 1];
            continue;
          }
          for (int64_t i = 0; i < out; i++) {
            C sum = from[taps.index[i * width]] * taps.weight[i * width];
            for (int64_t t = 1; t < width; t++) sum += from[taps.index[i * width + t]] * taps.weight[i * width + t];
            to[i] = sum;
          }
        }
        return;
      }
      for (int64_t r = begin; r < end; r++) {
        const int64_t i = r % out;
        const C* plane = source + r / out * in * inner;
        C* to = result + r * inner;
        const int64_t* index = taps.index.data() + i * width;
        const C* weight = taps.weight.data() + i * width;
        if (width == 2) {
          const C *a = plane + index[0] * inner, *b = plane + index[1] * inner, wa = weight[0], wb = weight[1];
          for (int64_t k = 0; k < inner; k++) to[k] = a[k] * wa + b[k] * wb;
          continue;
        }
        for (int64_t k = 0; k < inner; k++) to[k] = plane[index[0] * inner + k] * weight[0];
        for (int64_t t = 1; t < width; t++) {
          const C *a = plane + index[t] * inner, w = weight[t];
          if (w == 0) continue;
          for (int64_t k = 0; k < inner; k++) to[k] += a[k] * w;
        }
      }
    });
}

template <class C> void run_separable(Call& call, Method method, const Resize& r) {
  const auto [self, out, first] = images_of(call);
  constexpr DType compute = sizeof(C) == 8 ? DType::F64 : DType::F32;
  const C* current = static_cast<const C*>(dense(call, self, compute));
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (int d = r.spatial - 1; d >= 0; d--) {
    const Taps<C> taps = make_taps<C>(method, self.sizes[d + first], r.sizes[d], r.align_corners, r.scales[d]);
    if (taps.identity) continue;
    bool last = true;  // the remaining dimensions keep their values
    for (int e = 0; e < d; e++) last &= method == Method::Linear && self.sizes[e + first] == r.sizes[e];
    const int64_t outer = product(sizes, 0, d + first), in = sizes[d + first], inner = product(sizes, d + first + 1, self.ndim);
    sizes[d + first] = r.sizes[d];
    C* result = last && out.dtype == compute ? out.ptr<C>() : scratch<C>(call, outer * r.sizes[d] * inner);
    pass(call, current, result, outer, in, r.sizes[d], inner, taps);
    current = result;
  }
  const int64_t n = out.numel();
  if (current == out.data) return;
  if (is_quantized(out.dtype)) {
    const C low = out.dtype == DType::QI8 ? C(-128) : C(0), high = out.dtype == DType::QI8 ? C(127) : C(255);
    for (int64_t i = 0; i < n; i++)
      out.ptr<uint8_t>()[i] = static_cast<uint8_t>(static_cast<int>(std::min(std::max(std::nearbyint(current[i]), low), high)));
    return;
  }
  convert_row(out.data, out.dtype, current, compute, n, 1);
}

// Bytes resize in fixed point, rounded to bytes after each dimension: 16-bit weights with as many fraction bits as the largest allows.
void run_bytes(Call& call, Method method, const Resize& r) {
  const auto [self, out, first] = images_of(call);
  const uint8_t* current = dense<uint8_t>(call, self);
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (int d = r.spatial - 1; d >= 0; d--) {
    const int64_t outer = product(sizes, 0, d + first), in = sizes[d + first], inner = product(sizes, d + first + 1, self.ndim),
                  n = r.sizes[d];
    sizes[d + first] = n;
    Taps<double> taps = make_taps<double>(method, in, n, r.align_corners, r.scales[d]);
    if (taps.identity) continue;
    const int64_t width = taps.width;
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
      for (int64_t t = 1; t < width; t++) {  // positions clamped to the edge share one weight
        const auto at = static_cast<size_t>(i * width + t);
        if (taps.index[at] == taps.index[at - 1]) taps.weight[at] += taps.weight[at - 1], taps.weight[at - 1] = 0;
      }
      for (int64_t t = 0; t < width; t++) largest = std::max(largest, taps.weight[static_cast<size_t>(i * width + t)]);
    }
    int bits = 0;
    while (bits < 22 && static_cast<int>(0.5 + largest * (1 << (bits + 1))) < (1 << 15)) bits++;
    std::vector<int32_t> weights(taps.weight.size());
    for (size_t i = 0; i < weights.size(); i++)
      weights[i] = static_cast<int32_t>(taps.weight[i] * (1 << bits) + (taps.weight[i] < 0 ? -0.5 : 0.5));
    uint8_t* result = scratch<uint8_t>(call, outer * n * inner);
    for (int64_t p = 0, total = outer * n; p < total; p++) {
      const uint8_t* plane = current + p / n * in * inner;
      for (int64_t k = 0; k < inner; k++) {
        int32_t sum = bits > 0 ? 1 << (bits - 1) : 0;
        for (int64_t t = 0; t < width; t++) {
          const auto at = static_cast<size_t>(p % n * width + t);
          sum += plane[taps.index[at] * inner + k] * weights[at];
        }
        result[p * inner + k] = static_cast<uint8_t>(std::min(std::max(sum >> bits, 0), 255));
      }
    }
    current = result;
  }
  std::memcpy(out.data, current, static_cast<size_t>(out.numel()));
}

void run_resize(Call& call, Method method, bool vec) {
  if (call.outputs[0].numel() == 0) return;
  const Resize r = resize_of(call, method, vec);
  if (is_nearest(method)) return run_nearest(call, method, r);
  const DType dtype = call.tensor(0).dtype;
  if (!is_floating(dtype) && dtype != DType::U8 && dtype != DType::QU8 && dtype != DType::QI8) fail_dtype("upsample", dtype);
  if (dtype == DType::U8) run_bytes(call, method, r);
  else if (dtype == DType::F64) run_separable<double>(call, method, r);
  else run_separable<float>(call, method, r);
}

template <Method method, bool vec> void infer(Call& call) { infer_resize(call, method, vec); }
template <Method method, bool vec> void run(Call& call) { run_resize(call, method, vec); }

}  // namespace

TS_KERNEL(upsample_nearest, {.infer = infer<Method::Nearest, false>, .run = run<Method::Nearest, false>, .quantized = true});
TS_KERNEL(upsample_nearest_vec, {.infer = infer<Method::Nearest, true>, .run = run<Method::Nearest, true>, .quantized = true});
TS_KERNEL(upsample_nearest_exact,
          {.infer = infer<Method::NearestExact, false>, .run = run<Method::NearestExact, false>, .quantized = true});
TS_KERNEL(upsample_nearest_exact_vec,
          {.infer = infer<Method::NearestExact, true>, .run = run<Method::NearestExact, true>, .quantized = true});
TS_KERNEL(upsample_linear, {.infer = infer<Method::Linear, false>, .run = run<Method::Linear, false>});
TS_KERNEL(upsample_linear_vec, {.infer = infer<Method::Linear, true>, .run = run<Method::Linear, true>});
TS_KERNEL(upsample_cubic, {.infer = infer<Method::Cubic, false>, .run = run<Method::Cubic, false>});
TS_KERNEL(upsample_cubic_vec, {.infer = infer<Method::Cubic, true>, .run = run<Method::Cubic, true>});
TS_KERNEL(upsample_linear_aa, {.infer = infer<Method::LinearAa, false>, .run = run<Method::LinearAa, false>});
TS_KERNEL(upsample_linear_aa_vec, {.infer = infer<Method::LinearAa, true>, .run = run<Method::LinearAa, true>});
TS_KERNEL(upsample_cubic_aa, {.infer = infer<Method::CubicAa, false>, .run = run<Method::CubicAa, false>});
TS_KERNEL(upsample_cubic_aa_vec, {.infer = infer<Method::CubicAa, true>, .run = run<Method::CubicAa, true>});
TS_KERNEL(upsample_lanczos_aa, {.infer = infer<Method::LanczosAa, false>, .run = run<Method::LanczosAa, false>});
TS_KERNEL(upsample_lanczos_aa_vec, {.infer = infer<Method::LanczosAa, true>, .run = run<Method::LanczosAa, true>});

}  // namespace torchscript::portable
