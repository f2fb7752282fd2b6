// Convolution as tiles of a matrix product, in NCHW.
//
// The input is staged with its padding, each row split by the phase of the horizontal stride, so that consecutive output pixels of
// a row always read consecutive memory. The K = channels x taps axis is a table of offsets into that image. Two forms:
//   filters first: out[oc][pixel], weights packed as panels of A, pixels packed on the fly as panels of B (implicit im2col);
//   pixels first:  tmp[pixel][oc], pixels packed on the fly as panels of A, weights packed as panels of B, the result transposed:
//                  for maps whose pixels would fill panels of B badly (7x7, 1x1).
// Packed weights start with a header line that names the form, so that a pack made for one input shape serves every other.
#pragma once
#include <algorithm>
#include <vector>

#include "cpu-avx/conv/inner.h"
#include "cpu-avx/conv/shape.h"
#include "cpu-avx/gemm/gemm.h"

namespace torchscript {

// Winograd: conv/winograd.h; Last: conv/last.h, conv/winograd_last.h, conv/winograd_stem.h
enum class ConvForm : int64_t {
  FiltersFirst = 1,
  PixelsFirst = 2,
  Winograd2 = 3,
  Winograd4 = 4,
  Last = 5,
  LastWinograd2 = 6,
  LastWinograd4 = 7,
  LastStem = 8
};

template <class T> ConvForm choose_form(const ConvShape& s) {
  const auto& kernels = tile_kernels<T>();
  const int half = kernels.nr / 2;
  auto filled = [](int64_t n, int64_t unit) { return static_cast<double>(n) / static_cast<double>((n + unit - 1) / unit * unit); };
  const int64_t pixels = s.out_pixels(), filters = s.group_out();
  if (filters < half) return ConvForm::FiltersFirst;
  const double by_pixels = filled(pixels, half) * std::min(1.0, static_cast<double>(filters) / 8);
  const double by_filters = filled(filters, half) * (pixels < 4 ? 1.0 : std::min(1.0, static_cast<double>(pixels) / 8));
  return by_filters > by_pixels * 1.08 ? ConvForm::PixelsFirst : ConvForm::FiltersFirst;
}

template <class T> struct WeightLayout {
  ConvForm form;
  int64_t k, filters, group_elements;
  int height;  // FiltersFirst: rows of each tile
  int64_t tiles;
  WeightLayout(const ConvShape& s, ConvForm f) : form(f), k(s.group_in() * s.taps()), filters(s.group_out()) {
    const auto& kernels = tile_kernels<T>();
    height = tile_rows(filters, kernels.mr);
    tiles = (filters + height - 1) / height;
    group_elements = form == ConvForm::FiltersFirst ? tiles * k * kernels.mr : static_cast<int64_t>(packed_b_elements<T>(k, filters));
  }
  static constexpr size_t kHeader = 64;
  // The form decides the size too, so that packs of both forms are told apart by their size.
  size_t bytes(const ConvShape& s) const {
    return kHeader * static_cast<size_t>(form) + static_cast<size_t>(group_elements * s.groups) * sizeof(T);
  }
};

// `weight` is [oc][k] row-major.
template <class T> void pack_conv_weight(const ConvShape& s, ConvForm form, const T* weight, void* packed) {
  const WeightLayout<T> layout(s, form);
  const auto& kernels = tile_kernels<T>();
  *static_cast<int64_t*>(packed) = static_cast<int64_t>(form);
  T* out = reinterpret_cast<T*>(static_cast<char*>(packed) + WeightLayout<T>::kHeader);
  for (int64_t g = 0; g < s.groups; g++, out += layout.group_elements) {
    const T* w = weight + g * layout.filters * layout.k;
    if (form == ConvForm::PixelsFirst) {
      pack_b_panels<T>(w, 1, layout.k, layout.k, layout.filters, 0, panel_count<T>(layout.filters), out);
      continue;
    }
    for (int64_t t = 0; t < layout.tiles; t++) {
      const int64_t rows = std::min<int64_t>(layout.height, layout.filters - t * layout.height);
      kernels.pack_a(w + t * layout.height * layout.k, layout.k, 1, static_cast<int>(rows), layout.k, out + t * layout.k * kernels.mr);
    }
  }
}

// The staged image: element (c, z, y, x) of the padded input lies at c * plane + z * slice + y * row + (x % phases) * phase + x / phases.
template <class T> struct StagedImage {
  const T* data = nullptr;  // of batch item 0, channel 0
  int64_t plane = 0, slice = 0, row = 0, phase = 0, phases = 1;
  int64_t item = 0;  // from batch item to batch item
};
template <class T> struct StageLayout {
  int64_t depth, height, width;
  int64_t phases, phase, row, slice, plane;
  explicit StageLayout(const ConvShape& s) {
    depth = s.in[0] + s.pad_low[0] + s.pad_high[0];
    height = s.in[1] + s.pad_low[1] + s.pad_high[1];
    width = s.in[2] + s.pad_low[2] + s.pad_high[2];
    phases = s.stride[2];
    phase = (width + phases - 1) / phases;
    row = phase * phases;
    slice = row * height;
    plane = slice * depth;
  }
  bool is_plain(const ConvShape& s) const { return phases == 1 && depth == s.in[0] && height == s.in[1] && width == s.in[2]; }
};

// A 1x1 kernel with a stride reads every stride-th pixel: the same problem on a window of the input, without the stride.
inline void drop_stride(ConvShape& s, TensorView& x) {
  if (s.taps() != 1) return;
  for (int d = 0; d < 3; d++)
    if (s.pad_low[d] != 0 || s.pad_high[d] != 0) return;
  for (int d = 3 - s.spatial; d < 3; d++) {
    const int at = x.ndim - 3 + d;
    x.sizes[at] = s.in[d] = s.out[d];
    x.strides[at] *= s.stride[d];
    s.stride[d] = 1;
  }
}

// One channel with its padding.
template <class T> void stage_plane(const ConvShape& s, const StageLayout<T>& l, const T* in, const int64_t* strides, T* out) {
  const bool padded = !l.is_plain(s);
  if (padded) std::memset(static_cast<void*>(out), 0, static_cast<size_t>(l.plane) * sizeof(T));
  for (int64_t z = 0; z < s.in[0]; z++) {
    for (int64_t y = 0; y < s.in[1]; y++) {
      const T* from = in + z * strides[0] + y * strides[1];
      T* to = out + (z + s.pad_low[0]) * l.slice + (y + s.pad_low[1]) * l.row;
      if (l.phases == 1) {
        to += s.pad_low[2];
        if (strides[2] == 1) std::memcpy(static_cast<void*>(to), from, static_cast<size_t>(s.in[2]) * sizeof(T));
        else
          for (int64_t x = 0; x < s.in[2]; x++) to[x] = from[x * strides[2]];
        continue;
      }
      if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
        if (l.phases == 2 && strides[2] == 1) {
          T* even = to + s.pad_low[2] % 2 * l.phase + s.pad_low[2] / 2;
          T* odd = to + (s.pad_low[2] + 1) % 2 * l.phase + (s.pad_low[2] + 1) / 2;
          conv_kernels<T>().split_pairs(from, s.in[2] / 2, even, odd);
          if (s.in[2] % 2 == 1) even[s.in[2] / 2] = from[s.in[2] - 1];
          continue;
        }
      }
      for (int64_t p = 0; p < l.phases; p++) {
        // The first x with (x + pad) % phases == p.
        const int64_t first = ((p - s.pad_low[2]) % l.phases + l.phases) % l.phases;
        T* lane = to + p * l.phase + (first + s.pad_low[2]) / l.phases;
        const int64_t step = l.phases * strides[2];
        const T* f = from + first * strides[2];
        for (int64_t x = first; x < s.in[2]; x += l.phases, f += step) *lane++ = *f;
      }
    }
  }
}

// Strides of the caller's input in three spatial dimensions, and whether the kernels can read it where it lies.
struct InputWindow {
  int64_t strides[3] = {0, 0, 0}, channel = 0, item = 0;
  bool in_place = false;
};
template <class T> InputWindow input_window(const ConvShape& s, const TensorView& x) {
  const StageLayout<T> l(s);
  const int low = 3 - s.spatial, first = s.batched ? 2 : 1;
  InputWindow w;
  for (int d = 0; d < s.spatial; d++) w.strides[low + d] = x.strides[first + d];
  w.channel = x.strides[first - 1];
  w.item = s.batched ? x.strides[0] : 0;
  auto dense = [&](int d, int64_t want) { return s.in[d] == 1 || w.strides[d] == want; };
  w.in_place = l.is_plain(s) && dense(2, 1) && dense(1, s.in[2]) && dense(0, s.in[1] * s.in[2]);
  return w;
}

// The layout of the staged image with no data yet.
template <class T> StagedImage<T> image_layout(const ConvShape& s) {
  const StageLayout<T> l(s);
  StagedImage<T> image;
  image.plane = l.plane;
  image.slice = l.slice;
  image.row = l.row;
  image.phase = l.phase;
  image.phases = l.phases;
  image.item = l.plane * s.in_channels;
  return image;
}

// The input as the kernels read it: in place when it needs no padding, else staged in scratch. x is [batch, channels, 3 dims].
template <class T> StagedImage<T> stage_image(Runtime& runtime, const ConvShape& s, const TensorView& x) {
  const StageLayout<T> l(s);
  const InputWindow w = input_window<T>(s, x);
  StagedImage<T> image = image_layout<T>(s);
  if (w.in_place) {
    image.data = x.ptr<T>();
    image.plane = w.channel;
    image.item = w.item;
    return image;
  }
  T* out = static_cast<T*>(runtime.scratch(static_cast<size_t>(image.item * s.batch) * sizeof(T) + 128));
  image.data = out;
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, l.plane));
  runtime.parallel(s.batch * s.in_channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      stage_plane<T>(s, l, x.ptr<T>() + i / s.in_channels * w.item + i % s.in_channels * w.channel, w.strides, out + i * l.plane);
    }
  });
  return image;
}

// Offsets of the taps of `channels` channels, in the order of the weight.
template <class T> void tap_offsets(const ConvShape& s, const StagedImage<T>& image, int64_t channels, int64_t* out) {
  for (int64_t c = 0; c < channels; c++) {
    for (int64_t z = 0; z < s.kernel[0]; z++) {
      for (int64_t y = 0; y < s.kernel[1]; y++) {
        for (int64_t x = 0; x < s.kernel[2]; x++) {
          const int64_t at = x * s.dilation[2];
          *out++ = c * image.plane + z * s.dilation[0] * image.slice + y * s.dilation[1] * image.row + (at % image.phases) * image.phase +
                   at / image.phases;
        }
      }
    }
  }
}

// Runs of the pixels [first, first + count).
template <class T> int pixel_runs(const ConvShape& s, const StagedImage<T>& image, int64_t first, int count, PixelRun* runs) {
  if (s.is_pointwise() && image.row == s.in[2]) {
    runs[0] = {first, 0, count};
    return 1;
  }
  int n = 0;
  for (int done = 0; done < count;) {
    const int64_t pixel = first + done;
    const int64_t x = pixel % s.out[2], y = pixel / s.out[2] % s.out[1], z = pixel / s.out[2] / s.out[1];
    const int run = static_cast<int>(std::min<int64_t>(count - done, s.out[2] - x));
    runs[n++] = {z * s.stride[0] * image.slice + y * s.stride[1] * image.row + x, done, run};
    done += run;
  }
  return n;
}

template <class T> struct ConvProblem {
  ConvShape s;
  StagedImage<T> image;
  const int64_t* offsets = nullptr;  // of one group
  const T* packed = nullptr;         // weights after the header
  const T* bias = nullptr;
  T* out = nullptr;             // [batch][oc][pixels]
  const T* residual = nullptr;  // as out
  Activation activation = Activation::None;
  // After the output's [from, from + n) hold the sums and the bias.
  void finish(int64_t from, int64_t n) const {
    tile_kernels<T>().epilogue(out + from, n, residual ? residual + from : nullptr, n, 1, n, activation);
  }
};

// Panels of pixels that share one pass over the weights: their K slices together fill about a quarter of a megabyte.
template <class T> int64_t panels_per_block(int64_t slice) {
  const int64_t bytes = slice * tile_kernels<T>().nr * static_cast<int64_t>(sizeof(T));
  return std::clamp<int64_t>((256 << 10) / std::max<int64_t>(1, bytes), 1, 16);
}

// Pixels of panels [p0, p1), filter tiles [t0, t1) of one group of one image.
template <class T>
void conv_filters_first(const ConvProblem<T>& c, const WeightLayout<T>& w, int64_t item, int64_t group, int64_t p0, int64_t p1, int64_t t0,
                        int64_t t1) {
  const auto& kernels = tile_kernels<T>();
  const ConvShape& s = c.s;
  const int nr = kernels.nr;
  const int64_t pixels = s.out_pixels(), slice = k_slice(w.k, kernels.kc);
  const T* image = c.image.data + item * c.image.item + group * s.group_in() * c.image.plane;
  const T* weights = c.packed + group * w.group_elements;
  const bool in_place = s.is_pointwise() && c.image.row == s.in[2] && t1 - t0 <= 3;
  T* panels = thread_scratch<T>(kSlotPackB, static_cast<size_t>((p1 - p0) * slice * nr + 64));
  std::vector<PixelRun> runs(static_cast<size_t>(nr));
  for (int64_t k0 = 0; k0 < w.k; k0 += slice) {
    const int64_t kn = std::min(slice, w.k - k0);
    const bool last = k0 + kn == w.k;
    for (int64_t p = p0; p < p1; p++) {
      const int count = static_cast<int>(std::min<int64_t>(nr, pixels - p * nr));
      if (in_place && (count == nr || count == nr / 2)) continue;
      const int n = pixel_runs(s, c.image, p * nr, count, runs.data());
      conv_kernels<T>().pack_pixels(image, c.offsets + k0, kn, runs.data(), n, panels + (p - p0) * kn * nr, nr);
    }
    for (int64_t t = t0; t < t1; t++) {
      const int64_t row = t * w.height;
      Tile<T> tile;
      tile.a = weights + t * w.k * kernels.mr + k0 * kernels.mr;
      tile.a_stride = 0;
      tile.k = kn;
      tile.c_stride = pixels;
      tile.m = static_cast<int>(std::min<int64_t>(w.height, w.filters - row));
      tile.accumulate = k0 > 0;
      tile.alpha = T(1);
      tile.bias_n = nullptr;
      tile.bias_m = last && c.bias ? c.bias + group * w.filters + row : nullptr;
      tile.activation = last ? c.activation : Activation::None;
      tile.prefetch = nullptr;
      for (int64_t p = p0; p < p1; p++) {
        tile.n = static_cast<int>(std::min<int64_t>(nr, pixels - p * nr));
        if (in_place && (tile.n == nr || tile.n == nr / 2)) {
          tile.b = image + k0 * c.image.plane + p * nr;
          tile.b_stride = c.image.plane;
        } else {
          tile.b = panels + (p - p0) * kn * nr;
          tile.b_stride = nr;
        }
        const int64_t at = ((item * s.groups + group) * w.filters + row) * pixels + p * nr;
        tile.c = c.out + at;
        tile.residual = last && c.residual ? c.residual + at : nullptr;
        tile.residual_stride = pixels;
        kernels.tile_packed(tile);
      }
    }
  }
}

// Pixels [q0, q1), panels of filters [p0, p1) of one group of one image.
template <class T>
void conv_pixels_first(const ConvProblem<T>& c, const WeightLayout<T>& w, int64_t item, int64_t group, int64_t q0, int64_t q1, int64_t p0,
                       int64_t p1) {
  const auto& kernels = tile_kernels<T>();
  const ConvShape& s = c.s;
  const int nr = kernels.nr, mr = kernels.mr;
  const int64_t pixels = s.out_pixels(), slice = k_slice(w.k, kernels.kc), count = q1 - q0;
  const int height = tile_rows(count, mr);
  const int64_t tiles = (count + height - 1) / height;
  const int64_t f0 = p0 * nr, f1 = std::min(w.filters, p1 * nr), width = f1 - f0;
  const T* image = c.image.data + item * c.image.item + group * s.group_in() * c.image.plane;
  const T* weights = c.packed + group * w.group_elements;
  T* rows = thread_scratch<T>(kSlotPackA, static_cast<size_t>(tiles * slice * mr + 64));
  T* result = thread_scratch<T>(kSlotUser, static_cast<size_t>(count * width));
  PixelRun runs[64];
  for (int64_t k0 = 0; k0 < w.k; k0 += slice) {
    const int64_t kn = std::min(slice, w.k - k0);
    const bool last = k0 + kn == w.k;
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t first = q0 + t * height;
      const int n = pixel_runs(s, c.image, first, static_cast<int>(std::min<int64_t>(height, q1 - first)), runs);
      conv_kernels<T>().pack_pixels(image, c.offsets + k0, kn, runs, n, rows + t * kn * mr, mr);
    }
    for (int64_t p = p0; p < p1; p++) {
      Tile<T> tile;
      tile.b = weights + p * w.k * nr + k0 * nr;
      tile.b_stride = nr;
      tile.k = kn;
      tile.c_stride = width;
      tile.n = static_cast<int>(std::min<int64_t>(nr, w.filters - p * nr));
      tile.accumulate = k0 > 0;
      tile.alpha = T(1);
      tile.bias_n = last && c.bias ? c.bias + group * w.filters + p * nr : nullptr;
      tile.bias_m = nullptr;
      tile.activation = last && !c.residual ? c.activation : Activation::None;
      tile.a_stride = 0;
      const char* next = p + 1 < p1 ? reinterpret_cast<const char*>(tile.b + w.k * nr) : nullptr;
      for (int64_t t = 0; t < tiles; t++) {
        tile.m = static_cast<int>(std::min<int64_t>(height, count - t * height));
        tile.a = rows + t * kn * mr;
        tile.c = result + t * height * width + (p - p0) * nr;
        tile.prefetch = next && t < 2 && tiles > 1 ? next + t * kn * 64 : nullptr;
        kernels.tile_packed(tile);
      }
    }
  }
  const int64_t at = ((item * s.groups + group) * w.filters + f0) * pixels + q0;
  conv_kernels<T>().transpose(result, width, count, width, c.out + at, pixels);
  if (c.residual) kernels.epilogue(c.out + at, pixels, c.residual + at, pixels, width, count, c.activation);
}

// Each channel is staged just before it is used, so that its plane is still in cache. c.image holds the layout only.
template <class T> void run_depthwise(Runtime& runtime, const ConvProblem<T>& c, const TensorView& x, const T* weight) {
  const ConvShape& s = c.s;
  const StageLayout<T> l(s);
  const InputWindow w = input_window<T>(s, x);
  const int64_t taps = s.taps(), multiplier = s.group_out(), pixels = s.out_pixels();
  const int64_t grain = std::max<int64_t>(1, kMacsPerChunk / 4 / std::max<int64_t>(1, taps * pixels * multiplier));
  if constexpr (std::is_same_v<T, float>) {
    const bool plain = s.in[0] == 1 && s.kernel[0] == 1 && s.pad_low[0] == 0 && s.kernel[1] == 3 && s.kernel[2] == 3 &&
                       s.dilation[1] == 1 && s.dilation[2] == 1 && s.stride[1] == s.stride[2] && s.stride[1] <= 2 && s.out[0] == 1;
    if (plain && (w.strides[2] == 1 || s.in[2] == 1)) {
      runtime.parallel(s.batch * s.in_channels, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t item = i / s.in_channels, channel = i % s.in_channels;
          for (int64_t m = 0; m < multiplier; m++) {
            const int64_t oc = channel * multiplier + m, at = (item * s.out_channels + oc) * pixels;
            const bool at_once = c.activation <= Activation::Relu6;
            const Depthwise3 d{x.ptr<T>() + item * w.item + channel * w.channel,
                               w.strides[1],
                               s.in[1],
                               s.in[2],
                               s.pad_low[1],
                               s.pad_low[2],
                               weight + oc * 9,
                               c.bias ? c.bias[oc] : 0.0f,
                               c.residual ? c.residual + at : nullptr,
                               at_once ? c.activation : Activation::None,
                               c.out + at,
                               s.out[1],
                               s.out[2]};
            conv_table().depthwise3(d, static_cast<int>(s.stride[1]));
            if (!at_once) tile_kernels<T>().epilogue(c.out + at, pixels, nullptr, 0, 1, pixels, c.activation);
          }
        }
      });
      return;
    }
  }
  // What the sums take in registers; the rest is done on the plane.
  const bool at_once = !c.residual && c.activation <= Activation::Relu6;
  runtime.parallel(s.batch * s.in_channels, grain, [&](int64_t begin, int64_t end) {
    T* staged = w.in_place ? nullptr : thread_scratch<T>(kSlotUser, static_cast<size_t>(l.plane + 32));
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / s.in_channels, channel = i % s.in_channels;
      const T* plane = x.ptr<T>() + item * w.item + channel * w.channel;
      if (staged) {
        stage_plane<T>(s, l, plane, w.strides, staged);
        plane = staged;
      }
      for (int64_t m = 0; m < multiplier; m++) {
        const int64_t oc = channel * multiplier + m;
        T* out = c.out + (item * s.out_channels + oc) * pixels;
        for (int64_t z = 0; z < s.out[0]; z++) {
          conv_kernels<T>().depthwise(plane + z * s.stride[0] * l.slice, c.offsets, taps, weight + oc * taps, c.bias ? c.bias[oc] : T(0),
                                      s.stride[1] * l.row, s.out[1], s.out[2], at_once ? c.activation : Activation::None,
                                      out + z * s.out[1] * s.out[2]);
        }
        if (!at_once) c.finish((item * s.out_channels + oc) * pixels, pixels);
      }
    }
  });
}

template <class T> void run_conv(Runtime& runtime, const ConvProblem<T>& c, ConvForm form) {
  const ConvShape& s = c.s;
  const WeightLayout<T> w(s, form);
  const auto& kernels = tile_kernels<T>();
  const int64_t pixels = s.out_pixels(), items = s.batch * s.groups;
  const int threads = runtime.num_threads();
  const int64_t macs = pixels * w.filters * w.k;
  // Enough pieces for every thread to take several, none smaller than about 20 microseconds.
  const int64_t wanted =
    threads == 1
      ? 1
      : std::clamp<int64_t>(std::min<int64_t>(macs * items / kMacsPerChunk, 6 * threads) / std::max<int64_t>(1, items), 1, 6 * threads);
  if (form == ConvForm::FiltersFirst) {
    const int64_t panels = panel_count<T>(pixels);
    const int64_t per_block = panels_per_block<T>(k_slice(w.k, kernels.kc));
    const int64_t least = (panels + per_block - 1) / per_block;
    const int64_t blocks = std::min(panels, std::max(least, std::min<int64_t>(wanted, (panels + 1) / 2)));
    const int64_t splits = std::min(w.tiles, std::max<int64_t>(1, wanted / blocks));
    runtime.parallel(items * blocks * splits, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t split = i % splits, block = i / splits % blocks, item = i / splits / blocks;
        conv_filters_first(c, w, item / s.groups, item % s.groups, panels * block / blocks, panels * (block + 1) / blocks,
                           w.tiles * split / splits, w.tiles * (split + 1) / splits);
      }
    });
    return;
  }
  const int64_t panels = panel_count<T>(w.filters);
  const int64_t most = 8 * kernels.mr;
  const int64_t blocks = (pixels + most - 1) / most;
  const int64_t splits = std::min(panels, std::max<int64_t>(1, (wanted + blocks - 1) / blocks));
  runtime.parallel(items * blocks * splits, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t split = i % splits, block = i / splits % blocks, item = i / splits / blocks;
      conv_pixels_first(c, w, item / s.groups, item % s.groups, pixels * block / blocks, pixels * (block + 1) / blocks,
                        panels * split / splits, panels * (split + 1) / splits);
    }
  });
}

// Every compute type, no packing: the reference, and integers and complex numbers.
template <class T> void run_conv_plain(Runtime& runtime, const ConvProblem<T>& c, const T* weight) {
  const ConvShape& s = c.s;
  const int64_t k = s.group_in() * s.taps(), pixels = s.out_pixels();
  runtime.parallel(s.batch * s.out_channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t oc = i % s.out_channels, group = oc / s.group_out();
      const T* image = c.image.data + i / s.out_channels * c.image.item + group * s.group_in() * c.image.plane;
      for (int64_t p = 0; p < pixels; p++) {
        PixelRun run;
        pixel_runs(s, c.image, p, 1, &run);
        T sum = c.bias ? c.bias[oc] : T(0);
        for (int64_t j = 0; j < k; j++) sum += weight[oc * k + j] * image[c.offsets[j] + run.from];
        c.out[i * pixels + p] = sum;
      }
    }
  });
}

}  // namespace torchscript
