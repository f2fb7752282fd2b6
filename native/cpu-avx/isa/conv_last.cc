// Note [ISA units] in binding.gyp. See conv/last_inner.h for what each kernel does.
#include "cpu-avx/conv/last_inner.h"

#include "cpu-avx/gemm/lanes.h"
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {
namespace {

using L = LanesF32;
using V = L::V;
constexpr int W = L::W;
constexpr int kColumns = 4;  // pixels of a row that share their loads

template <bool Whole> inline V load(const float* p, int n) { return Whole ? L::load(p) : L::load_n(p, n); }
inline V clamped(V x, Activation activation) {
  if (activation != Activation::None) x = L::relu(x);
  if (activation == Activation::Relu6) x = L::min(L::set1(6), x);
  return x;
}

// What a 3x3 kernel needs of its problem, by value: stores of pixels cannot change it.
struct Window {
  const float *weight, *bias, *residual;  // residual: of the first pixel, or null
  float* out;                             // of the first pixel
  int64_t channels, out_row, out_pixel;
  V low, high;  // bounds of the activation
};

// Channels [c, c + W) of Rows x Columns pixels of a 3x3 kernel. `at(r, j)` is where the channels of column j of row r of the image begin.
// ByColumns: of the kernel, whose weights stay in registers; else by pixels of the image.
template <int Stride, int Rows, int Columns, bool Whole, bool ByColumns, class At>
inline void depthwise3_vector(const Window& w, const At& at, int64_t c, int n) {
  V acc[Rows][Columns];
  const V start = w.bias ? load<Whole>(w.bias + c, n) : L::zero();
#pragma GCC unroll 2
  for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < Columns; i++) acc[r][i] = start;
  }
  if constexpr (ByColumns) {
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; kx++) {
      V weight[3];
#pragma GCC unroll 3
      for (int ky = 0; ky < 3; ky++) weight[ky] = load<Whole>(w.weight + (3 * ky + kx) * w.channels + c, n);
#pragma GCC unroll 5
      for (int y = 0; y < (Rows - 1) * Stride + 3; y++) {
#pragma GCC unroll 4
        for (int i = 0; i < Columns; i++) {
          const V x = load<Whole>(at(y, i * Stride + kx) + c, n);
#pragma GCC unroll 2
          for (int r = 0; r < Rows; r++) {
            const int ky = y - r * Stride;
            if (ky >= 0 && ky <= 2) acc[r][i] = L::fma(weight[ky], x, acc[r][i]);
          }
        }
      }
    }
  } else {
#pragma GCC unroll 5
    for (int y = 0; y < (Rows - 1) * Stride + 3; y++) {
#pragma GCC unroll 9
      for (int j = 0; j < (Columns - 1) * Stride + 3; j++) {
        const V x = load<Whole>(at(y, j) + c, n);
#pragma GCC unroll 2
        for (int r = 0; r < Rows; r++) {
          const int ky = y - r * Stride;
          if (ky < 0 || ky > 2) continue;
#pragma GCC unroll 4
          for (int i = 0; i < Columns; i++) {
            const int kx = j - i * Stride;
            if (kx < 0 || kx > 2) continue;
            acc[r][i] = L::fma(load<Whole>(w.weight + (3 * ky + kx) * w.channels + c, n), x, acc[r][i]);
          }
        }
      }
    }
  }
  if (w.residual) {
#pragma GCC unroll 2
    for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
      for (int i = 0; i < Columns; i++) acc[r][i] = L::add(acc[r][i], load<Whole>(w.residual + r * w.out_row + i * w.out_pixel + c, n));
    }
  }
#pragma GCC unroll 2
  for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < Columns; i++) {
      const V x = L::min(w.high, L::max(w.low, acc[r][i]));
      float* to = w.out + r * w.out_row + i * w.out_pixel + c;
      if (Whole) L::store(to, x);
      else L::store_n(to, x, n);
    }
  }
}
// Where moving pointers are worth preparing: on so many channels, and not where the sums and what is read again leave no registers.
constexpr int64_t kMovingChannels = 64;
template <int Stride> constexpr bool moves_along = W >= 16 || (W == 8 && Stride == 2);
// Where pixels lie when all of them are inside: rows as pointers that move along with the channels, so that an address is one of them plus
// a multiple of `pixel`.
template <int Count> struct Inside {
  const float* rows[Count];
  int64_t pixel;
  TS_INLINE const float* operator()(int r, int j) const { return rows[r] + j * pixel; }
  TS_INLINE void advance() {
#pragma GCC unroll 5
    for (int r = 0; r < Count; r++) {
      rows[r] += W;
      asm("" : "+r"(rows[r]));
    }
  }
};
template <int Stride, int Rows, int Columns, int Count>
__attribute__((noinline)) void depthwise3_pixels(const Window& whole, Inside<Count> at) {
  Window w = whole;
  int64_t left = w.channels;
  for (; left >= W; left -= W) {
    depthwise3_vector<Stride, Rows, Columns, true, true>(w, at, 0, W);
    at.advance();
    w.weight += W;
    w.out += W;
    if (w.bias) w.bias += W;
    if (w.residual) w.residual += W;
  }
  if (left > 0) depthwise3_vector<Stride, Rows, Columns, false, true>(w, at, 0, static_cast<int>(left));
}
template <int Stride, int Rows, int Columns, class At> __attribute__((noinline)) void depthwise3_pixels(const Window& w, const At& at) {
  int64_t c = 0;
  for (; c + W <= w.channels; c += W) depthwise3_vector<Stride, Rows, Columns, true, false>(w, at, c, W);
  if (c < w.channels) depthwise3_vector<Stride, Rows, Columns, false, false>(w, at, c, static_cast<int>(w.channels - c));
}
template <int Stride, int Rows, class At> void depthwise3_columns(const Window& w, const At& at, int columns) {
  if (columns == 4) depthwise3_pixels<Stride, Rows, 4>(w, at);
  else if (columns == 3) depthwise3_pixels<Stride, Rows, 3>(w, at);
  else if (columns == 2) depthwise3_pixels<Stride, Rows, 2>(w, at);
  else depthwise3_pixels<Stride, Rows, 1>(w, at);
}
template <int Stride, int Rows> void depthwise3_rows(const DepthwiseLast& d, int64_t y) {
  constexpr int kHigh = (Rows - 1) * Stride + 3, kWide = (kColumns - 1) * Stride + 3;
  const int64_t top = y * Stride - d.pad_top;
  const bool inside_rows = top >= 0 && top + kHigh <= d.height;
  Window w{d.weight, d.bias, nullptr, nullptr, d.channels, d.out_row, d.out_pixel, L::set1(-__builtin_inff()), L::set1(__builtin_inff())};
  if (d.activation != Activation::None) w.low = L::zero();
  if (d.activation == Activation::Relu6) w.high = L::set1(6);
  for (int64_t x = 0; x < d.columns; x += kColumns) {
    const int columns = static_cast<int>(d.columns - x < kColumns ? d.columns - x : kColumns), wide = (columns - 1) * Stride + 3;
    const int64_t left = x * Stride - d.pad_left, to = y * d.out_row + x * d.out_pixel;
    w.out = d.out + to;
    w.residual = d.residual ? d.residual + to : nullptr;
    if (inside_rows && left >= 0 && left + wide <= d.width) {
      const float* first = d.in + top * d.in_row + left * d.in_pixel;
      const int64_t row = d.in_row, pixel = d.in_pixel;
      if (moves_along<Stride> && d.channels >= kMovingChannels) {
        Inside<kHigh> inside;
        for (int r = 0; r < kHigh; r++) inside.rows[r] = first + r * row;
        inside.pixel = pixel;
        depthwise3_columns<Stride, Rows>(w, inside, columns);
      } else {
        depthwise3_columns<Stride, Rows>(w, [=](int r, int j) { return first + r * row + j * pixel; }, columns);
      }
    } else {
      const float* from[kHigh][kWide];
      for (int r = 0; r < kHigh; r++) {
        for (int j = 0; j < wide; j++) {
          const int64_t iy = top + r, ix = left + j;
          const bool inside = iy >= 0 && iy < d.height && ix >= 0 && ix < d.width;
          from[r][j] = inside ? d.in + iy * d.in_row + ix * d.in_pixel : d.zeros;
        }
      }
      depthwise3_columns<Stride, Rows>(w, [&from](int r, int j) { return from[r][j]; }, columns);
    }
  }
}
template <int Stride> void depthwise3(const DepthwiseLast& d, int64_t y0, int64_t y1) {
  int64_t y = y0;
  for (; y + 2 <= y1; y += 2) depthwise3_rows<Stride, 2>(d, y);
  if (y < y1) depthwise3_rows<Stride, 1>(d, y);
}

// Any kernel: Vectors vectors of channels of one pixel at a time.
template <int Vectors, bool Whole>
inline void depthwise_pixel(const DepthwiseLast& d, int64_t y, int64_t x, int64_t c, int n) {
  V acc[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) acc[v] = d.bias ? load<Whole>(d.bias + c + v * W, n) : L::zero();
  for (int64_t ky = 0; ky < d.kernel_y; ky++) {
    const int64_t iy = y * d.stride_y - d.pad_top + ky * d.dilation_y;
    if (iy < 0 || iy >= d.height) continue;
    for (int64_t kx = 0; kx < d.kernel_x; kx++) {
      const int64_t ix = x * d.stride_x - d.pad_left + kx * d.dilation_x;
      if (ix < 0 || ix >= d.width) continue;
      const float* from = d.in + iy * d.in_row + ix * d.in_pixel + c;
      const float* weight = d.weight + (ky * d.kernel_x + kx) * d.channels + c;
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) acc[v] = L::fma(load<Whole>(weight + v * W, n), load<Whole>(from + v * W, n), acc[v]);
    }
  }
  const int64_t to = y * d.out_row + x * d.out_pixel + c;
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) {
    V r = acc[v];
    if (d.residual) r = L::add(r, load<Whole>(d.residual + to + v * W, n));
    r = clamped(r, d.activation);
    if (Whole) L::store(d.out + to + v * W, r);
    else L::store_n(d.out + to + v * W, r, n);
  }
}
void depthwise_any(const DepthwiseLast& d, int64_t y0, int64_t y1) {
  for (int64_t y = y0; y < y1; y++) {
    for (int64_t x = 0; x < d.columns; x++) {
      int64_t c = 0;
      for (; c + 4 * W <= d.channels; c += 4 * W) depthwise_pixel<4, true>(d, y, x, c, W);
      for (; c + W <= d.channels; c += W) depthwise_pixel<1, true>(d, y, x, c, W);
      if (c < d.channels) depthwise_pixel<1, false>(d, y, x, c, static_cast<int>(d.channels - c));
    }
  }
}
void depthwise(const DepthwiseLast& d, int64_t y0, int64_t y1) {
  if (d.kernel_y == 3 && d.kernel_x == 3 && d.dilation_y == 1 && d.dilation_x == 1 && d.stride_y == d.stride_x && d.stride_y <= 2) {
    if (d.stride_y == 1) depthwise3<1>(d, y0, y1);
    else depthwise3<2>(d, y0, y1);
  } else {
    depthwise_any(d, y0, y1);
  }
}

// Lane l of the result is lane base[l] + j of x: channel j of the group of each lane. Size: of a group, a divisor of W.
template <int Size> struct OfGroup;
#if defined(TS_ISA_AVX512)
template <int Size> struct OfGroup {
  __m512i lanes;
  OfGroup() {
    alignas(64) int32_t base[16];
    for (int l = 0; l < 16; l++) base[l] = l / Size * Size;
    lanes = _mm512_load_si512(base);
  }
  void next() { lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(1)); }
  V operator()(V x) const { return Size <= 4 ? _mm512_permutevar_ps(x, lanes) : _mm512_permutexvar_ps(lanes, x); }
};
#elif defined(TS_ISA_AVX2)
template <int Size> struct OfGroup {
  __m256i lanes;
  OfGroup() {
    alignas(32) int32_t base[8];
    for (int l = 0; l < 8; l++) base[l] = l / Size * Size;
    lanes = _mm256_load_si256(reinterpret_cast<const __m256i*>(base));
  }
  void next() { lanes = _mm256_add_epi32(lanes, _mm256_set1_epi32(1)); }
  V operator()(V x) const { return _mm256_permutevar_ps(x, lanes); }
};
#endif

// Pixels of a row that share their loads of weights: as many as fit with what is held of them, then a few.
#if defined(TS_ISA_AVX512)
template <int Size> constexpr int kGroupedMany = 14;
constexpr int kGroupedFew = 7;
#elif defined(TS_ISA_AVX2)
template <int Size> constexpr int kGroupedMany = Size == 0 ? 7 : 6;
constexpr int kGroupedFew = 2;
#else
template <int Size> constexpr int kGroupedMany = 4;
constexpr int kGroupedFew = 2;
#endif

// Channels [c, c + W) of P pixels of row y from column x on. Size: that of the groups, or 0 where it is a multiple of W. `at(ky, kx, i)` is
// where the channels of a tap of pixel i begin.
template <int Size, int P, bool Whole, class At>
inline void grouped_vector(const GroupedLast& g, const At& at, int64_t c, int n, float* out, const float* residual) {
  const int64_t taps = g.kernel_y * g.kernel_x;
  const V start = g.bias ? load<Whole>(g.bias + c, n) : L::zero();
  V acc[P];
#pragma GCC unroll 14
  for (int i = 0; i < P; i++) acc[i] = start;
  const float* weight = g.weight + c * taps * g.size;
  for (int64_t t = 0, ky = 0, kx = 0; t < taps; t++) {
    if constexpr (Size == 0) {
      const int64_t first = c / g.size * g.size;
      const float* from[P];
#pragma GCC unroll 14
      for (int i = 0; i < P; i++) from[i] = at(ky, kx, i) + first;
      for (int64_t j = 0; j < g.size; j++, weight += W) {
        const V w = L::load(weight);
#pragma GCC unroll 14
        for (int i = 0; i < P; i++) acc[i] = L::fma(L::set1(from[i][j]), w, acc[i]);
      }
    } else {
#if !defined(TS_ISA_SCALAR)
      V x[P];
#pragma GCC unroll 14
      for (int i = 0; i < P; i++) x[i] = load<Whole>(at(ky, kx, i) + c, n);
      OfGroup<Size> of_group;
#pragma GCC unroll 8
      for (int j = 0; j < Size; j++, weight += W) {
        const V w = L::load(weight);
#pragma GCC unroll 14
        for (int i = 0; i < P; i++) acc[i] = L::fma(of_group(x[i]), w, acc[i]);
        of_group.next();
      }
#endif
    }
    if (++kx == g.kernel_x) {
      kx = 0;
      ky++;
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < P; i++) {
    const int64_t to = i * g.channels + c;
    V x = acc[i];
    if (residual) x = L::add(x, load<Whole>(residual + to, n));
    x = clamped(x, g.activation);
    if (Whole) L::store(out + to, x);
    else L::store_n(out + to, x, n);
  }
}
template <int Size, int P, class At>
__attribute__((noinline)) void grouped_pixels(const GroupedLast& g, const At& at, float* out, const float* residual) {
  int64_t c = 0;
  for (; c + W <= g.channels; c += W) grouped_vector<Size, P, true>(g, at, c, W, out, residual);
  if (c < g.channels) grouped_vector<Size, P, false>(g, at, c, static_cast<int>(g.channels - c), out, residual);
}
template <int Size, int P> void grouped_tile(const GroupedLast& g, int64_t y, int64_t x) {
  const int64_t top = y * g.stride_y - g.pad_top, left = x * g.stride_x - g.pad_left, to = (y * g.columns + x) * g.channels;
  const int64_t width = (P - 1) * g.stride_x + (g.kernel_x - 1) * g.dilation_x + 1;
  float* out = g.out + to;
  const float* residual = g.residual ? g.residual + to : nullptr;
  if (left >= 0 && left + width <= g.width) {
    const int64_t step = g.stride_x * g.in_pixel;
    auto at = [&](int64_t ky, int64_t kx, int i) {
      const int64_t iy = top + ky * g.dilation_y;
      return iy >= 0 && iy < g.height ? g.in + iy * g.in_row + (left + kx * g.dilation_x) * g.in_pixel + i * step : g.zeros;
    };
    grouped_pixels<Size, P>(g, at, out, residual);
  } else {
    auto at = [&](int64_t ky, int64_t kx, int i) {
      const int64_t iy = top + ky * g.dilation_y, ix = left + kx * g.dilation_x + i * g.stride_x;
      return iy >= 0 && iy < g.height && ix >= 0 && ix < g.width ? g.in + iy * g.in_row + ix * g.in_pixel : g.zeros;
    };
    grouped_pixels<Size, P>(g, at, out, residual);
  }
}
template <int Size> void grouped_row(const GroupedLast& g, int64_t y) {
  int64_t x = 0;
  for (; x + kGroupedMany<Size> <= g.columns; x += kGroupedMany<Size>) grouped_tile<Size, kGroupedMany<Size>>(g, y, x);
  for (; x + kGroupedFew <= g.columns; x += kGroupedFew) grouped_tile<Size, kGroupedFew>(g, y, x);
  for (; x < g.columns; x++) grouped_tile<Size, 1>(g, y, x);
}
void grouped(const GroupedLast& g, int64_t y0, int64_t y1) {
  for (int64_t y = y0; y < y1; y++) {
#if !defined(TS_ISA_SCALAR)
    if (g.size == 2) grouped_row<2>(g, y);
    else if (g.size == 4) grouped_row<4>(g, y);
    else if (g.size == 8 && W > 8) grouped_row<8>(g, y);
    else
#endif
      grouped_row<0>(g, y);
  }
}

#if defined(TS_ISA_AVX512)
constexpr int kMR = 14, kNV = 2;
#elif defined(TS_ISA_AVX2)
constexpr int kMR = 6, kNV = 2;
#else
constexpr int kMR = 4, kNV = 8;
#endif

template <int NV, int M, bool Whole> void stem_tile(const StemTile& t) {
  V acc[M][NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; v++) {
    // The sums start with the bias.
    const int left = t.n - v * W;
    V start = L::zero();
    if (t.bias && (Whole || left > 0)) start = Whole ? L::load(t.bias + v * W) : L::load_n(t.bias + v * W, left < W ? left : W);
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) acc[i][v] = start;
  }
  const float* b = t.b;
  const float* image = t.image;
  const int64_t *offset = t.offsets, *end = offset + t.k;
  for (; offset != end; offset++, b += kNV * W) {
    const float* p = image + *offset;
    V bv[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) bv[v] = L::load(b + v * W);
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
      const V x = L::set1(p[i]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[i][v] = L::fma(x, bv[v], acc[i][v]);
    }
  }
  if (t.activation != Activation::None) {
    // Comparisons that let NaN pass.
    const V low = L::zero(), high = L::set1(t.activation == Activation::Relu6 ? 6.0f : __builtin_inff());
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[i][v] = L::min(high, L::max(low, acc[i][v]));
    }
  }
  float* c = t.c;
#pragma GCC unroll 14
  for (int i = 0; i < M; i++, c += t.c_stride) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) {
      const int left = t.n - v * W;
      if (Whole || left >= W) L::store(c + v * W, acc[i][v]);
      else if (left > 0) L::store_n(c + v * W, acc[i][v], left);
    }
  }
}
template <int M> void stem_rows(const StemTile& t) {
  if (t.n == kNV * W) stem_tile<kNV, M, true>(t);
  else if (t.n > kNV / 2 * W) stem_tile<kNV, M, false>(t);
  else stem_tile<kNV / 2, M, false>(t);
}
template <int M> void stem_any(const StemTile& t) {
  if (t.m == M) return stem_rows<M>(t);
  if constexpr (M > 1) stem_any<M - 1>(t);
}
void stem(const StemTile& t) { stem_any<kMR>(t); }

void max_taps(const float* const* taps, int64_t n, int64_t channels, float* out) {
  const VecF lowest(-__builtin_inff());
  int64_t c = 0;
  for (; c + VecF::kWidth <= channels; c += VecF::kWidth) {
    VecF m = lowest;
    for (int64_t t = 0; t < n; t++) m = max_nan(m, VecF::load(taps[t] + c));
    m.store(out + c);
  }
  if (c < channels) {
    const int left = static_cast<int>(channels - c);
    VecF m = lowest;
    for (int64_t t = 0; t < n; t++) m = max_nan(m, VecF::load_partial(taps[t] + c, left));
    m.store_partial(out + c, left);
  }
}
void mean_taps(const float* const* taps, int64_t n, int64_t channels, float divisor, float* out) {
  const VecF by(divisor);
  int64_t c = 0;
  for (; c + 4 * VecF::kWidth <= channels; c += 4 * VecF::kWidth) {
    VecF sum[4] = {VecF::zero(), VecF::zero(), VecF::zero(), VecF::zero()};
    for (int64_t t = 0; t < n; t++) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) sum[v] = sum[v] + VecF::load(taps[t] + c + v * VecF::kWidth);
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) (sum[v] / by).store(out + c + v * VecF::kWidth);
  }
  for (; c < channels; c += VecF::kWidth) {
    const int left = static_cast<int>(channels - c < VecF::kWidth ? channels - c : VecF::kWidth);
    VecF sum = VecF::zero();
    for (int64_t t = 0; t < n; t++) sum = sum + VecF::load_partial(taps[t] + c, left);
    (sum / by).store_partial(out + c, left);
  }
}

}  // namespace

extern const ConvLastTable conv_last_table;
const ConvLastTable conv_last_table = {W, stem, depthwise, grouped, max_taps, mean_taps};

}  // namespace TS_ISA
}  // namespace torchscript
