// Note [ISA units] in binding.gyp. See gemm/tiles.h for what each kernel does.
#include "cpu-avx/gemm/tiles.h"

#include "cpu-avx/gemm/lanes.h"
#include "cpu-avx/gemm/transpose.h"
#include "cpu-avx/math.h"

namespace torchscript {
namespace TS_ISA {
namespace {

#define TS_STRING2(x) #x
#define TS_STRING(x) TS_STRING2(x)

#if defined(TS_ISA_AVX512)
constexpr int kMR = 14, kNV = 2, kKC32 = 384, kKC64 = 256;
#define TS_TILE_F32 "14x32"
#define TS_TILE_F64 "14x16"
#elif defined(TS_ISA_AVX2)
constexpr int kMR = 6, kNV = 2, kKC32 = 256, kKC64 = 256;
#define TS_TILE_F32 "6x16"
#define TS_TILE_F64 "6x8"
#else
constexpr int kMR = 4, kNV = 8, kKC32 = 256, kKC64 = 256;
#define TS_TILE_F32 "4x8"
#define TS_TILE_F64 "4x8"
#endif

template <class L> struct VectorOf;
template <> struct VectorOf<LanesF32> { using V = VecF; };
template <> struct VectorOf<LanesF64> { using V = VecD; };

// The expressions are those of the pointwise operators, so that fused and separate results agree.
template <class V, Activation A> TS_INLINE V activated(V x) {
  const V zero = V::zero(), three(3), six(6);
  if constexpr (A == Activation::Relu) return select(x < zero, zero, x);
  else if constexpr (A == Activation::Relu6) return select(x < zero, zero, select(x > six, six, x));
  else if constexpr (A == Activation::Hardswish || A == Activation::Hardsigmoid) {
    const V shifted = x + three;
    const V clamped = select(shifted < zero, zero, select(shifted > six, six, shifted));
    return A == Activation::Hardswish ? x * clamped / six : clamped / six;
  } else if constexpr (A == Activation::Silu) return silu(x);
  else if constexpr (A == Activation::Sigmoid) return sigmoid(x);
  else if constexpr (A == Activation::Tanh) return tanh(x);
  else if constexpr (A == Activation::Gelu) return gelu(x);
  else if constexpr (A == Activation::GeluTanh) return gelu_tanh(x);
  else return x;
}
template <class L, Activation A>
void epilogue_rows(typename L::T* c, int64_t c_stride, const typename L::T* residual, int64_t residual_stride, int64_t rows, int64_t n) {
  using V = typename VectorOf<L>::V;
  for (int64_t i = 0; i < rows; i++, c += c_stride, residual += residual_stride) {
    int64_t j = 0;
    for (; j + V::kWidth <= n; j += V::kWidth) {
      V x = V::load(c + j);
      if (residual) x = x + V::load(residual + j);
      activated<V, A>(x).store(c + j);
    }
    if (j < n) {
      V x = V::load_partial(c + j, static_cast<int>(n - j));
      if (residual) x = x + V::load_partial(residual + j, static_cast<int>(n - j));
      activated<V, A>(x).store_partial(c + j, static_cast<int>(n - j));
    }
  }
}
template <class L>
__attribute__((noinline)) void epilogue(typename L::T* c, int64_t c_stride, const typename L::T* residual, int64_t residual_stride,
                                        int64_t rows, int64_t n, Activation activation) {
  if (!residual) residual_stride = 0;
  switch (activation) {
    case Activation::None:
      if (residual) epilogue_rows<L, Activation::None>(c, c_stride, residual, residual_stride, rows, n);
      return;
#define TS_ACTIVATION(A) \
  case Activation::A: return epilogue_rows<L, Activation::A>(c, c_stride, residual, residual_stride, rows, n);
      TS_ACTIVATION(Relu)
      TS_ACTIVATION(Relu6)
      TS_ACTIVATION(Hardswish)
      TS_ACTIVATION(Hardsigmoid)
      TS_ACTIVATION(Silu)
      TS_ACTIVATION(Sigmoid)
      TS_ACTIVATION(Tanh)
      TS_ACTIVATION(Gelu)
      TS_ACTIVATION(GeluTanh)
#undef TS_ACTIVATION
  }
}

// Stores a tile of any width: the rare one, at the right edge of C.
template <class L> __attribute__((noinline)) void finish_edge(const Tile<typename L::T>& t, const typename L::T* sums, int NV, int M) {
  using T = typename L::T;
  using V = typename L::V;
  for (int i = 0; i < M; i++) {
    T* c = t.c + i * t.c_stride;
    for (int v = 0; v < NV && v * L::W < t.n; v++) {
      const int at = v * L::W, n = t.n - at < L::W ? t.n - at : L::W;
      V x = L::mul(L::load(sums + (i * NV + v) * L::W), L::set1(t.alpha));
      if (t.accumulate) x = L::add(x, L::load_n(c + at, n));
      if (t.bias_n) x = L::add(x, L::load_n(t.bias_n + at, n));
      if (t.bias_m) x = L::add(x, L::set1(t.bias_m[i]));
      if (t.residual) x = L::add(x, L::load_n(t.residual + i * t.residual_stride + at, n));
      if (t.activation == Activation::Relu || t.activation == Activation::Relu6) x = L::relu(x);
      if (t.activation == Activation::Relu6) x = L::min(L::set1(T(6)), x);
      L::store_n(c + at, x, n);
    }
  }
}

#define TS_EACH(body)                                              \
  _Pragma("GCC unroll 14") for (int i = 0; i < M; i++) {           \
    _Pragma("GCC unroll 8") for (int v = 0; v < NV; v++) { body; } \
  }
// One pass over the registers for each thing that is asked for: decided once a tile, not once a vector.
template <class L, int NV, int M> TS_INLINE void finish(const Tile<typename L::T>& t, typename L::V (&acc)[M][NV]) {
  using T = typename L::T;
  using V = typename L::V;
  if (t.n != NV * L::W) {
    T sums[M * NV * L::W];
    TS_EACH(L::store(sums + (i * NV + v) * L::W, acc[i][v]))
    finish_edge<L>(t, sums, NV, M);
  } else {
    T* const c = t.c;
    const int64_t stride = t.c_stride;
    if (t.alpha != T(1)) {
      const V alpha = L::set1(t.alpha);
      TS_EACH(acc[i][v] = L::mul(acc[i][v], alpha))
    }
    if (t.accumulate) TS_EACH(acc[i][v] = L::add(acc[i][v], L::load(c + i * stride + v * L::W)))
    if (t.bias_n) {
      const T* bias = t.bias_n;
      TS_EACH(acc[i][v] = L::add(acc[i][v], L::load(bias + v * L::W)))
    }
    if (t.bias_m) {
      const T* bias = t.bias_m;
      TS_EACH(acc[i][v] = L::add(acc[i][v], L::set1(bias[i])))
    }
    if (t.residual) {
      const T* residual = t.residual;
      const int64_t step = t.residual_stride;
      TS_EACH(acc[i][v] = L::add(acc[i][v], L::load(residual + i * step + v * L::W)))
    }
    if (t.activation == Activation::Relu || t.activation == Activation::Relu6) {
      TS_EACH(acc[i][v] = L::relu(acc[i][v]))
      if (t.activation == Activation::Relu6) {
        const V six = L::set1(T(6));
        TS_EACH(acc[i][v] = L::min(six, acc[i][v]))
      }
    }
    TS_EACH(L::store(c + i * stride + v * L::W, acc[i][v]))
  }
  if (t.activation > Activation::Relu6) epilogue<L>(t.c, t.c_stride, nullptr, 0, M, t.n, t.activation);
}
// What most tiles are asked for, with few instructions between two of them.
template <class L, int NV> TS_INLINE bool is_plain(const Tile<typename L::T>& t) {
  return t.n == NV * L::W && t.alpha == 1 && !t.bias_m && !t.accumulate && t.activation <= Activation::Relu6;
}
template <class L, int NV, int M>
TS_INLINE void finish_plain(const Tile<typename L::T>& t, typename L::T* c, const typename L::T* residual, typename L::V (&acc)[M][NV]) {
  using T = typename L::T;
  using V = typename L::V;
  if (const T* const bias = t.bias_n) TS_EACH(acc[i][v] = L::add(acc[i][v], L::load(bias + v * L::W)))
  if (residual) {
    const int64_t step = t.residual_stride;
    TS_EACH(acc[i][v] = L::add(acc[i][v], L::load(residual + i * step + v * L::W)))
  }
  if (t.activation != Activation::None) {
    TS_EACH(acc[i][v] = L::relu(acc[i][v]))
    if (t.activation == Activation::Relu6) {
      const V six = L::set1(T(6));
      TS_EACH(acc[i][v] = L::min(six, acc[i][v]))
    }
  }
  const int64_t stride = t.c_stride;
  TS_EACH(L::store(c + i * stride + v * L::W, acc[i][v]))
}

#undef TS_EACH

// Rows i of A are reached as group pointers (three rows each) plus 0, 1 or 2 strides, which x86 addressing does for free.
template <class L, int NV, int M, bool Packed> void run_tile(const Tile<typename L::T>& t) {
  using T = typename L::T;
  using V = typename L::V;
  constexpr int kGroups = (M + 2) / 3;
  constexpr int kLines = kNV * L::W * sizeof(T) >= 128 ? 2 : 1;
  const int64_t s = t.a_stride, depth = t.k, b_stride = t.b_stride;
  const T *first = t.a, *residual = t.residual;
  T* c = t.c;
  const bool plain = is_plain<L, NV>(t);
  const char* prefetch = t.prefetch;
  int64_t prefetch_step = prefetch ? t.prefetch_step / kLines : 0;
  if (!prefetch) prefetch = reinterpret_cast<const char*>(t.b);
  for (int done = 0;;) {
    V acc[M][NV];
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[i][v] = L::zero();
    }
    const T* a[kGroups];
#pragma GCC unroll 5
    for (int g = 0; g < kGroups; g++) a[g] = first + 3 * g * s;
    const T *p = first, *b = t.b;
    for (int64_t k = 0; k < depth; k++) {
      V bv[NV];
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) bv[v] = L::load(b + v * L::W);
#pragma GCC unroll 2
      for (int line = 0; line < kLines; line++) {
        __builtin_prefetch(prefetch, 0, 2);
        prefetch += prefetch_step;
      }
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
        const V x = L::set1(Packed ? p[i] : a[i / 3][(i % 3) * s]);
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) acc[i][v] = L::fma(x, bv[v], acc[i][v]);
      }
      b += b_stride;
      if (Packed) {
        p += kMR;
      } else {
#pragma GCC unroll 5
        for (int g = 0; g < kGroups; g++) a[g]++;
      }
    }
    if (plain) {
      finish_plain<L, NV, M>(t, c, residual, acc);
    } else {
      Tile<T> one = t;
      one.c = c;
      one.residual = residual;
      if (t.bias_m) one.bias_m += done * M;
      finish<L, NV, M>(one, acc);
    }
    if (++done == t.tiles) return;
    first += Packed ? s : M * s;
    c += M * t.c_stride;
    if (residual) residual += M * t.residual_stride;
    if (done >= t.prefetching) prefetch_step = 0;
  }
}

// Sums in registers of what gemm/tiles.h says of ProductTile. B that has to be summed is, in passing: additions and multiply-adds have
// execution units of their own.
template <int M, bool SumsB> void run_product(const ProductTile& t) {
  using L = LanesF32;
  using V = L::V;
  constexpr int NV = kNV, NR = kNV * L::W;
  constexpr int kGroups = (M + 2) / 3;
  constexpr int kLines = NR * sizeof(float) >= 128 ? 2 : 1;
  const int64_t s = t.a_stride, depth = t.k;
  const bool plain = is_plain<L, NV>(t);
  const char* prefetch = t.prefetch ? t.prefetch : reinterpret_cast<const char*>(t.b);
  int64_t prefetch_step = t.prefetch ? t.prefetch_step / kLines : 0;
  const char* next = t.next_a ? t.next_a : prefetch;
  const int64_t next_step = t.next_a ? t.next_step : 0;
  for (int done = 0; done < t.tiles; done++) {
    V acc[M][NV];
#pragma GCC unroll 14
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[i][v] = L::zero();
    }
    const float* a[kGroups];
#pragma GCC unroll 5
    for (int g = 0; g < kGroups; g++) a[g] = t.a + (done * M + 3 * g) * s;
    const float *b = t.b, *minus = t.b_minus;
    float* kept = t.b_kept;
    for (int64_t k = 0; k < depth; k++) {
      V bv[NV];
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) {
        bv[v] = L::load(b + v * L::W);
        if constexpr (SumsB) {
          bv[v] = L::sub(bv[v], L::load(minus + v * L::W));
          L::store(kept + v * L::W, bv[v]);
        }
      }
      __builtin_prefetch(next, 0, 2);
      next += next_step;
#pragma GCC unroll 2
      for (int line = 0; line < kLines; line++) {
        __builtin_prefetch(prefetch, 0, 2);
        prefetch += prefetch_step;
      }
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
        const V x = L::set1(a[i / 3][(i % 3) * s]);
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) acc[i][v] = L::fma(x, bv[v], acc[i][v]);
      }
      b += NR;
      if constexpr (SumsB) {
        minus += NR;
        kept += NR;
      }
#pragma GCC unroll 5
      for (int g = 0; g < kGroups; g++) a[g]++;
    }
    if (done + 1 >= t.prefetching) prefetch_step = 0;
    const int64_t from = done * M * NR;
    if (float* const to = t.to) {
      const float* plus = t.to_plus;
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) {
          const int64_t at = from + i * NR + v * L::W;
          L::store(to + at, plus ? L::add(acc[i][v], L::load(plus + at)) : acc[i][v]);
        }
      }
    }
    if (!t.c) continue;
    if (const float* const plus = t.plus) {
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) acc[i][v] = L::add(acc[i][v], L::load(plus + from + i * NR + v * L::W));
      }
    }
    if (t.finite) {
      V check[2] = {L::zero(), L::zero()};
#pragma GCC unroll 14
      for (int i = 0; i < M; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) check[v % 2] = L::add(check[v % 2], L::sub(acc[i][v], acc[i][v]));
      }
      if (!(L::sum(L::add(check[0], check[1])) == 0)) *t.finite = false;
    }
    float* const c = t.c + done * M * t.c_stride;
    const float* const residual = t.residual ? t.residual + done * M * t.residual_stride : nullptr;
    if (plain) {
      finish_plain<L, NV, M>(t, c, residual, acc);
    } else {
      Tile<float> one = t;
      one.c = c;
      one.residual = residual;
      finish<L, NV, M>(one, acc);
    }
  }
}
template <int M> void product_m(const ProductTile& t) {
  if (t.b_minus) run_product<M, true>(t);
  else run_product<M, false>(t);
}
void tile_product(const ProductTile& t) {
  switch (t.m) {
    case 1: return product_m<1>(t);
    case 2: return product_m<2>(t);
    case 3: return product_m<3>(t);
    case 4: return product_m<4>(t);
#if !defined(TS_ISA_SCALAR)
    case 5: return product_m<5>(t);
    case 6: return product_m<6>(t);
#endif
#if defined(TS_ISA_AVX512)
    case 7: return product_m<7>(t);
    case 8: return product_m<8>(t);
    case 9: return product_m<9>(t);
    case 10: return product_m<10>(t);
    case 11: return product_m<11>(t);
    case 12: return product_m<12>(t);
    case 13: return product_m<13>(t);
    case 14: return product_m<14>(t);
#endif
  }
}

// Columns: the full width, or half of it where that is enough (a tail of at most half a panel wastes no work on zeros).
template <class L, int M, bool Packed> void tile_m(const Tile<typename L::T>& t) {
  if (t.n > (kNV / 2) * L::W) run_tile<L, kNV, M, Packed>(t);
  else run_tile<L, kNV / 2, M, Packed>(t);
}

template <class L, bool Packed> void tile_any(const Tile<typename L::T>& t) {
  switch (t.m) {
    case 1: return tile_m<L, 1, Packed>(t);
    case 2: return tile_m<L, 2, Packed>(t);
    case 3: return tile_m<L, 3, Packed>(t);
    case 4: return tile_m<L, 4, Packed>(t);
#if !defined(TS_ISA_SCALAR)
    case 5: return tile_m<L, 5, Packed>(t);
    case 6: return tile_m<L, 6, Packed>(t);
#endif
#if defined(TS_ISA_AVX512)
    case 7: return tile_m<L, 7, Packed>(t);
    case 8: return tile_m<L, 8, Packed>(t);
    case 9: return tile_m<L, 9, Packed>(t);
    case 10: return tile_m<L, 10, Packed>(t);
    case 11: return tile_m<L, 11, Packed>(t);
    case 12: return tile_m<L, 12, Packed>(t);
    case 13: return tile_m<L, 13, Packed>(t);
    case 14: return tile_m<L, 14, Packed>(t);
#endif
  }
}

template <class L>
void gemv_panel(const typename L::T* a, const typename L::T* panel, int64_t k, typename L::T* out, int n, typename L::T alpha,
                bool accumulate, const typename L::T* bias, const typename L::T* residual, Activation activation) {
  using V = typename L::V;
  constexpr int NR = kNV * L::W, kChains = 4;
  V acc[kChains][kNV];
#pragma GCC unroll 4
  for (int c = 0; c < kChains; c++) {
#pragma GCC unroll 8
    for (int v = 0; v < kNV; v++) acc[c][v] = L::zero();
  }
  int64_t i = 0;
  for (; i + kChains <= k; i += kChains) {
#pragma GCC unroll 4
    for (int c = 0; c < kChains; c++) {
      const V x = L::set1(a[i + c]);
#pragma GCC unroll 8
      for (int v = 0; v < kNV; v++) acc[c][v] = L::fma(x, L::load(panel + (i + c) * NR + v * L::W), acc[c][v]);
    }
  }
  for (; i < k; i++) {
    const V x = L::set1(a[i]);
#pragma GCC unroll 8
    for (int v = 0; v < kNV; v++) acc[0][v] = L::fma(x, L::load(panel + i * NR + v * L::W), acc[0][v]);
  }
  V sum[1][kNV];
#pragma GCC unroll 8
  for (int v = 0; v < kNV; v++) sum[0][v] = L::add(L::add(acc[0][v], acc[1][v]), L::add(acc[2][v], acc[3][v]));
  Tile<typename L::T> t{};
  t.c = out;
  t.m = 1;
  t.n = n;
  t.accumulate = accumulate;
  t.alpha = alpha;
  t.bias_n = bias;
  t.residual = residual;
  t.activation = activation;
  finish<L, kNV, 1>(t, sum);
}

template <class L> inline typename L::T dot(const typename L::T* x, const typename L::T* y, int64_t k) {
  using V = typename L::V;
  V acc[4] = {L::zero(), L::zero(), L::zero(), L::zero()};
  int64_t i = 0;
  for (; i + 4 * L::W <= k; i += 4 * L::W) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) acc[c] = L::fma(L::load(x + i + c * L::W), L::load(y + i + c * L::W), acc[c]);
  }
  for (; i + L::W <= k; i += L::W) acc[0] = L::fma(L::load(x + i), L::load(y + i), acc[0]);
  if (i < k) acc[1] = L::fma(L::load_n(x + i, static_cast<int>(k - i)), L::load_n(y + i, static_cast<int>(k - i)), acc[1]);
  return L::sum(L::add(L::add(acc[0], acc[1]), L::add(acc[2], acc[3])));
}

template <class L>
void dot_rows(const typename L::T* rows, int64_t row_stride, int64_t nrows, const typename L::T* x, int64_t k, typename L::T* out,
              int64_t out_stride, typename L::T alpha, bool accumulate) {
  for (int64_t r = 0; r < nrows; r++) {
    const typename L::T d = alpha * dot<L>(rows + r * row_stride, x, k);
    out[r * out_stride] = accumulate ? out[r * out_stride] + d : d;
  }
}

// The shared form of pack_a and pack_b: `width` lanes of a panel, of which the first `count` hold lane i at i * lane_stride.
template <class L, int Width>
inline void pack_panel(const typename L::T* in, int64_t lane_stride, int64_t k_stride, int count, int64_t k, typename L::T* panel) {
  using T = typename L::T;
#if !defined(TS_ISA_SCALAR)
  if constexpr (sizeof(T) == 4 && (Width == 6 || Width == 14)) {
    if (k_stride == 1 && lane_stride != 1) return transpose_to_panel<Width>(in, lane_stride, count, k, panel);
  }
#endif
  if (count < Width) {
    for (int64_t j = 0; j < k; j++) {
      for (int i = count; i < Width; i++) panel[j * Width + i] = 0;
    }
  }
  if (lane_stride == 1) {
    for (int64_t j = 0; j < k; j++) {
      const T* from = in + j * k_stride;
      T* to = panel + j * Width;
      if (count == Width) {
        if constexpr (Width % L::W == 0) {
#pragma GCC unroll 8
          for (int v = 0; v < Width / L::W; v++) L::store(to + v * L::W, L::load(from + v * L::W));
        } else {
#pragma GCC unroll 16
          for (int i = 0; i < Width; i++) to[i] = from[i];
        }
      } else {
        for (int i = 0; i < count; i++) to[i] = from[i];
      }
    }
  } else if (k_stride == 1) {
    transpose_block<T>(in, lane_stride, count, k, panel, Width);
  } else {
    for (int64_t j = 0; j < k; j++) {
      for (int i = 0; i < count; i++) panel[j * Width + i] = in[i * lane_stride + j * k_stride];
    }
  }
}

template <class L> void pack_b(const typename L::T* b, int64_t row_stride, int64_t col_stride, int64_t k, int n, typename L::T* panel) {
  pack_panel<L, kNV * L::W>(b, col_stride, row_stride, n, k, panel);
}
template <class L> void pack_a(const typename L::T* a, int64_t row_stride, int64_t col_stride, int m, int64_t k, typename L::T* panel) {
  pack_panel<L, kMR>(a, row_stride, col_stride, m, k, panel);
}

template <class L>
constexpr TileKernels<typename L::T> kernels(int kc, const char* name, const char* gemv_name, void (*product)(const ProductTile&)) {
  return {kMR,     kNV * L::W,    kc,          name,      gemv_name, tile_any<L, true>, tile_any<L, false>,
          product, gemv_panel<L>, dot_rows<L>, pack_b<L>, pack_a<L>, epilogue<L>};
}

}  // namespace

extern const GemmTable gemm_table;
const GemmTable gemm_table = {
  kernels<LanesF32>(kKC32, "gemm_f32_" TS_STRING(TS_ISA) "_" TS_TILE_F32, "gemv_f32_" TS_STRING(TS_ISA), tile_product),
  kernels<LanesF64>(kKC64, "gemm_f64_" TS_STRING(TS_ISA) "_" TS_TILE_F64, "gemv_f64_" TS_STRING(TS_ISA), nullptr),
};

}  // namespace TS_ISA
}  // namespace torchscript
