// Note [ISA units] in binding.gyp. See fft_inner.h for what each loop does.
#include "cpu-avx/fft_inner.h"

#include "cpu-avx/gemm/transpose.h"
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {
namespace {

constexpr int W = VecF::kWidth;
constexpr int kPair = 2 * W;
constexpr int kLargestFactor = 13;

struct Value {
  VecF re, im;
};
TS_INLINE Value load(const float* p) { return {VecF::load(p), VecF::load(p + W)}; }
TS_INLINE void store(float* p, Value x) {
  x.re.store(p);
  x.im.store(p + W);
}
TS_INLINE Value operator+(Value a, Value b) { return {a.re + b.re, a.im + b.im}; }
TS_INLINE Value operator-(Value a, Value b) { return {a.re - b.re, a.im - b.im}; }
TS_INLINE Value times(Value a, const float* w) {
  const VecF c(w[0]), s(w[1]);
  return {fnma(a.im, s, a.re * c), fma(a.im, c, a.re * s)};
}
TS_INLINE Value conjugate(Value a) { return {a.re, -a.im}; }

void columns_of_rows(const float* in, int64_t row, int count, int64_t width, float* out) {
  int64_t j = 0;
#if !defined(TS_ISA_SCALAR)
  if (count == W) {
    for (; j + 8 <= width; j += 8)
      for (int i = 0; i < W; i += 8) transpose8(in + i * row + j, row, out + j * W + i, W);
  }
#endif
  for (; j < width; j++)
    for (int i = 0; i < W; i++) out[j * W + i] = i < count ? in[i * row + j] : 0.0f;
}
void rows_of_columns(const float* in, int64_t width, float* out, int64_t row, int count, float scale) {
  int64_t j = 0;
#if !defined(TS_ISA_SCALAR)
  if (count == W) {
    const __m256 factor = _mm256_set1_ps(scale);
    for (; j + 8 <= width; j += 8) {
      for (int i = 0; i < W; i += 8) {
        __m256 r[8];
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++) r[k] = _mm256_mul_ps(_mm256_loadu_ps(in + (j + k) * W + i), factor);
        transpose8_registers(r, out + i * row + j, row);
      }
    }
  }
#endif
  for (; j < width; j++)
    for (int i = 0; i < count; i++) out[i * row + j] = in[j * W + i] * scale;
}
void split_pairs(const float* in, int64_t step, int count, int64_t n, float* out) {
  for (int64_t j = 0; j < n; j++, in += step, out += kPair) {
    if (count == W) {
      for (int i = 0; i < W; i++) out[i] = in[2 * i], out[W + i] = in[2 * i + 1];
    } else {
      for (int i = 0; i < W; i++) out[i] = i < count ? in[2 * i] : 0.0f, out[W + i] = i < count ? in[2 * i + 1] : 0.0f;
    }
  }
}
void join_pairs(const float* in, int64_t n, float* out, int64_t step, int count, float scale) {
  for (int64_t j = 0; j < n; j++, in += kPair, out += step) {
    if (count == W) {
      for (int i = 0; i < W; i++) out[2 * i] = in[i] * scale, out[2 * i + 1] = in[W + i] * scale;
    } else {
      for (int i = 0; i < count; i++) out[2 * i] = in[i] * scale, out[2 * i + 1] = in[W + i] * scale;
    }
  }
}

struct Four {
  Value a, b, c, d;
};
template <bool forward> TS_INLINE Four butterfly(Value a, Value b, Value c, Value d) {
  const Value s0 = a + c, s1 = a - c, s2 = b + d, s3 = b - d;
  const Value turned = forward ? Value{s3.im, -s3.re} : Value{-s3.im, s3.re};
  return {s0 + s2, s1 + turned, s0 - s2, s1 - turned};
}

// One factor: m butterflies over p interleaved transforms of m elements each. The twiddles of a shorter transform are every step-th.
template <bool forward> void pass4(float* x, int64_t m, const float* w, int64_t step) {
  for (int64_t k = 0; k < m; k++) {
    float* p = x + k * kPair;
    const Four y = butterfly<forward>(load(p), times(load(p + m * kPair), w + 2 * k * step),
                                      times(load(p + 2 * m * kPair), w + 4 * k * step), times(load(p + 3 * m * kPair), w + 6 * k * step));
    store(p, y.a);
    store(p + m * kPair, y.b);
    store(p + 2 * m * kPair, y.c);
    store(p + 3 * m * kPair, y.d);
  }
}
void pass2(float* x, int64_t m, const float* w, int64_t step) {
  for (int64_t k = 0; k < m; k++) {
    float *p = x + k * kPair, *q = p + m * kPair;
    const Value a = load(p), b = times(load(q), w + 2 * k * step);
    store(p, a + b);
    store(q, a - b);
  }
}
void pass_any(float* x, int64_t p, int64_t m, const float* w, int64_t step) {
  for (int64_t k = 0; k < m; k++) {
    Value t[kLargestFactor];
    for (int64_t j = 0; j < p; j++) t[j] = times(load(x + (k + j * m) * kPair), w + 2 * j * k * step);
    for (int64_t q = 0; q < p; q++) {
      Value sum = t[0];
      for (int64_t j = 1; j < p; j++) sum = sum + times(t[j], w + 2 * (j * q % p * m * step));
      store(x + (k + q * m) * kPair, sum);
    }
  }
}

// out[0, n) = transform of in[0], in[step], ...
template <bool forward> void radix(const FftShape& shape, const int64_t* factor, float* out, const float* in, int64_t step, int64_t n) {
  const int64_t p = *factor, m = n / p;
  if (m == 1) {
    const int64_t far = step * kPair;
    if (p == 4) {
      const Four y = butterfly<forward>(load(in), load(in + far), load(in + 2 * far), load(in + 3 * far));
      store(out, y.a);
      store(out + kPair, y.b);
      store(out + 2 * kPair, y.c);
      store(out + 3 * kPair, y.d);
      return;
    }
    for (int64_t j = 0; j < p; j++) store(out + j * kPair, load(in + j * far));
  } else {
    for (int64_t j = 0; j < p; j++) radix<forward>(shape, factor + 1, out + j * m * kPair, in + j * step * kPair, step * p, m);
  }
  if (p == 4) pass4<forward>(out, m, shape.twiddles, step);
  else if (p == 2) pass2(out, m, shape.twiddles, step);
  else pass_any(out, p, m, shape.twiddles, step);
}
void transform(const FftShape& shape, const float* in, float* out) {
  if (shape.n == 1) return store(out, load(in));
  if (shape.forward) radix<true>(shape, shape.factors, out, in, 1, shape.n);
  else radix<false>(shape, shape.factors, out, in, 1, shape.n);
}

void to_one_sided(const float* z, const float* twiddles, int64_t h, float* out) {
  const VecF half(0.5f);
  for (int64_t k = 0; k <= h; k++) {
    const Value a = load(z + (k == h ? 0 : k) * kPair), b = conjugate(load(z + (k == 0 ? 0 : h - k) * kPair));
    const Value sum = a + b, difference = a - b;
    const Value odd = times({difference.im * half, -difference.re * half}, twiddles + 2 * k);
    store(out + k * kPair, {fma(sum.re, half, odd.re), fma(sum.im, half, odd.im)});
  }
}
void from_one_sided(const float* in, const float* twiddles, int64_t h, float* z) {
  for (int64_t k = 0; k < h; k++) {
    Value a = load(in + k * kPair), b = conjugate(load(in + (h - k) * kPair));
    if (k == 0) a.im = b.im = VecF::zero();
    const Value odd = times(a - b, twiddles + 2 * k);
    store(z + k * kPair, a + b + Value{-odd.im, odd.re});
  }
}
void mirror(float* x, int64_t h) {
  for (int64_t k = 1; k < h; k++) store(x + (2 * h - k) * kPair, conjugate(load(x + k * kPair)));
}

}  // namespace

extern const FftTable fft_table;
const FftTable fft_table = {W, columns_of_rows, rows_of_columns, split_pairs, join_pairs, transform, to_one_sided, from_one_sided, mirror};

}  // namespace TS_ISA
}  // namespace torchscript
