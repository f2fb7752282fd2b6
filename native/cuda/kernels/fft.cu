// Fourier transforms of any length: a pass for each prime factor of it, in Stockham's order, so that results come out in place.
// kernel: cpu-avx/portable/fft
#include "cuda/kernels/fft_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

TS_DEVICE void turn(float part, float* re, float* im) { sincospif(part, im, re); }
TS_DEVICE void turn(double part, double* re, double* im) { sincospi(part, im, re); }

template <class C, class A> TS_DEVICE void pass(const FftPassParams& p) {
  const int64_t m = p.left / p.radix;
  for (int64_t i = first_item(); i < p.lines * p.n; i += item_step()) {
    // Neighbours in memory are neighbours in `inner`, or in the line.
    const int64_t line = p.inner == 1 ? i / p.n : i / (p.n * p.inner) * p.inner + i % p.inner;
    const int64_t at = p.inner == 1 ? i % p.n : i / p.inner % p.n;
    const int64_t start = line / p.inner * p.n * p.inner + line % p.inner;
    // at = q + done * (radix * j + k)
    const int64_t q = at % p.done, k = at / p.done % p.radix, j = at / (p.done * p.radix);
    const C* x = static_cast<const C*>(p.x) + start;
    A re = 0, im = 0;
    for (int64_t r = 0; r < p.radix; r++) {
      const C v = x[(q + p.done * (j + m * r)) * p.inner];
      const int64_t turns = k * (r * m + j) % p.left;
      A c, s;
      turn(A(2) * static_cast<A>(turns) / static_cast<A>(p.left), &c, &s);
      if (p.forward) s = -s;
      re += v.re * c - v.im * s;
      im += v.re * s + v.im * c;
    }
    C out;
    out.re = re * static_cast<A>(p.scale);
    out.im = im * static_cast<A>(p.scale);
    static_cast<C*>(p.out)[start + at * p.inner] = out;
  }
}

template <class C> TS_DEVICE void mirror(const FftMirrorParams& p) {
  for (int64_t i = first_item(); i < p.outer * p.n * p.inner; i += item_step()) {
    const int64_t in = i % p.inner, k = i / p.inner % p.n, o = i / (p.inner * p.n);
    const bool mirrored = k >= p.kept;
    C v = static_cast<const C*>(p.x)[(o * p.kept + (mirrored ? p.n - k : k)) * p.inner + in];
    if (mirrored) v.im = -v.im;
    if (k == 0 || 2 * k == p.n) v.im = 0;
    static_cast<C*>(p.out)[i] = v;
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, fft_pass_f32, const FftPassParams p) { pass<Complex64, float>(p); }
TS_GLOBAL_BOUNDS(256, 2, fft_pass_f64, const FftPassParams p) { pass<Complex128, double>(p); }
TS_GLOBAL_BOUNDS(256, 2, fft_mirror_f32, const FftMirrorParams p) { mirror<Complex64>(p); }
TS_GLOBAL_BOUNDS(256, 2, fft_mirror_f64, const FftMirrorParams p) { mirror<Complex128>(p); }
