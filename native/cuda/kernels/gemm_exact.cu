// Products of integers, which wrap, and of complex numbers: tiles of 32 x 32, any strides.
// kernel: cpu-avx/matmul
#include "cuda/kernels/gemm_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

constexpr int kTile = 32, kDepth = 16, kThreads = 256;

// Integers of any width, whose sums wrap: the low bits are the same in 64.
struct Wholes {
  using Sum = uint64_t;
  static TS_DEVICE Sum load(const PlainProductParams& p, const void* x, int64_t i, bool) {
    switch (p.dtype) {
      case kU8:
      case kI8: return static_cast<const uint8_t*>(x)[i];
      case kI16: return static_cast<const uint16_t*>(x)[i];
      case kI32: return static_cast<const uint32_t*>(x)[i];
      default: return static_cast<const uint64_t*>(x)[i];
    }
  }
  static TS_DEVICE void store(const PlainProductParams& p, void* x, int64_t i, Sum value) {
    switch (p.dtype) {
      case kU8:
      case kI8: static_cast<uint8_t*>(x)[i] = static_cast<uint8_t>(value); break;
      case kI16: static_cast<uint16_t*>(x)[i] = static_cast<uint16_t>(value); break;
      case kI32: static_cast<uint32_t*>(x)[i] = static_cast<uint32_t>(value); break;
      default: static_cast<uint64_t*>(x)[i] = value; break;
    }
  }
  static TS_DEVICE Sum zero() { return 0; }
  static TS_DEVICE Sum plus(Sum a, Sum b) { return a + b; }
  static TS_DEVICE Sum times(Sum a, Sum b) { return a * b; }
  static TS_DEVICE Sum alpha(const PlainProductParams& p) { return static_cast<Sum>(p.whole_alpha); }
  static TS_DEVICE Sum beta(const PlainProductParams& p) { return static_cast<Sum>(p.whole_beta); }
};

template <class R> struct Pair {
  R re, im;
};
template <class R> struct Complexes {
  using Sum = Pair<R>;
  static TS_DEVICE Sum load(const PlainProductParams&, const void* x, int64_t i, bool conjugates) {
    Sum v = static_cast<const Sum*>(x)[i];
    if (conjugates) v.im = -v.im;
    return v;
  }
  static TS_DEVICE void store(const PlainProductParams&, void* x, int64_t i, Sum value) { static_cast<Sum*>(x)[i] = value; }
  static TS_DEVICE Sum zero() { return {R(0), R(0)}; }
  static TS_DEVICE Sum plus(Sum a, Sum b) { return {a.re + b.re, a.im + b.im}; }
  static TS_DEVICE Sum times(Sum a, Sum b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
  static TS_DEVICE Sum alpha(const PlainProductParams& p) { return {static_cast<R>(p.product.alpha), static_cast<R>(p.alpha_im)}; }
  static TS_DEVICE Sum beta(const PlainProductParams& p) { return {static_cast<R>(p.product.beta), static_cast<R>(p.beta_im)}; }
};

// Bytes per element are the dtype's, so that windows move by elements.
TS_DEVICE int64_t bytes_of(int32_t dtype) {
  switch (dtype) {
    case kU8:
    case kI8: return 1;
    case kI16: return 2;
    case kI32: return 4;
    case kC128: return 16;
    default: return 8;
  }
}
TS_DEVICE const char* moved(const void* x, int64_t elements, int64_t bytes) { return static_cast<const char*>(x) + elements * bytes; }

template <class M> TS_DEVICE void multiply(const PlainProductParams& params) {
  using Sum = typename M::Sum;
  __shared__ Sum a_tile[kDepth][kTile + 1];
  __shared__ Sum b_tile[kDepth][kTile + 1];
  const GemmParams& p = params.product;
  const int64_t bytes = bytes_of(params.dtype);
  const int columns = (p.n + kTile - 1) / kTile;
  const int row0 = static_cast<int>(blockIdx.x / static_cast<unsigned>(columns)) * kTile;
  const int column0 = static_cast<int>(blockIdx.x % static_cast<unsigned>(columns)) * kTile;
  const int ty = threadIdx.x / 16, tx = threadIdx.x % 16;
  const bool a_by_columns = p.a_col == 1, b_by_columns = p.b_col == 1;
  for (uint32_t z = blockIdx.z; z < p.batches.n; z += gridDim.z) {
    int64_t at[5];
    offsets_of<5>(p.batches, z, at);
    char* c = static_cast<char*>(p.c) + at[0] * bytes;
    const char *a = moved(p.a, at[1], bytes), *b = moved(p.b, at[2], bytes), *d = p.d ? moved(p.d, at[3], bytes) : nullptr;
    Sum sum[2][2] = {{M::zero(), M::zero()}, {M::zero(), M::zero()}};
    for (int k0 = 0; k0 < p.k; k0 += kDepth) {
      for (int index = threadIdx.x; index < kTile * kDepth; index += kThreads) {
        int i = a_by_columns ? index / kDepth : index % kTile, j = a_by_columns ? index % kDepth : index / kTile;
        const bool inside = row0 + i < p.m && k0 + j < p.k;
        a_tile[j][i] = inside ? M::load(params, a, (row0 + i) * p.a_row + (k0 + j) * p.a_col, params.conjugates != 0) : M::zero();
        i = b_by_columns ? index / kTile : index % kDepth, j = b_by_columns ? index % kTile : index / kDepth;
        const bool within = k0 + i < p.k && column0 + j < p.n;
        b_tile[i][j] = within ? M::load(params, b, (k0 + i) * p.b_row + (column0 + j) * p.b_col, false) : M::zero();
      }
      __syncthreads();
      for (int k = 0; k < kDepth; k++) {
        const Sum x[2] = {a_tile[k][ty * 2], a_tile[k][ty * 2 + 1]}, y[2] = {b_tile[k][tx * 2], b_tile[k][tx * 2 + 1]};
        for (int i = 0; i < 2; i++)
          for (int j = 0; j < 2; j++) sum[i][j] = M::plus(sum[i][j], M::times(x[i], y[j]));
      }
      __syncthreads();
    }
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < 2; j++) {
        const int row = row0 + ty * 2 + i, column = column0 + tx * 2 + j;
        if (row >= p.m || column >= p.n) continue;
        Sum value = M::times(M::alpha(params), sum[i][j]);
        if (d) value = M::plus(value, M::times(M::beta(params), M::load(params, d, row * p.d_row + column * p.d_col, false)));
        M::store(params, c, row * p.c_row + column * p.c_col, value);
      }
    }
  }
}

}  // namespace

TS_GLOBAL_BOUNDS(256, 2, gemm_whole, const PlainProductParams p) { multiply<Wholes>(p); }
TS_GLOBAL_BOUNDS(256, 2, gemm_complex_c64, const PlainProductParams p) { multiply<Complexes<float>>(p); }
TS_GLOBAL_BOUNDS(256, 2, gemm_complex_c128, const PlainProductParams p) { multiply<Complexes<double>>(p); }
