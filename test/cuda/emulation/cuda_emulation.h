// The CUDA execution model for kernels that a C++ compiler builds: blocks one after the other, threads as fibers that give way at barriers and at
// what a warp does together. The names are CUDA's. One kernel runs at a time (driver.cc).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
// Blocks do not run at the same time, so that one copy serves them all.
#define __shared__ static
#define __constant__ static
#define __grid_constant__

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
using uint3 = dim3;
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulation {

// ---- kernels, found by their names
struct KernelEntry {
  const char* name;
  void (*function)();
  void (*invoke)(void (*function)(), void** parameters);
  int parameters;
  const size_t* sizes;
  KernelEntry* next;
  unsigned most_threads = 1024, blocks = 1;  // of the launch bounds
};
extern KernelEntry* kernels;

template <class... P> struct Parameters {
  static constexpr size_t sizes[sizeof...(P) + 1] = {sizeof(P)..., 0};
  template <size_t... I> static void spread(void (*f)(P...), void** list, std::index_sequence<I...>) {
    f(*static_cast<std::remove_const_t<P>*>(list[I])...);
  }
  static void invoke(void (*f)(), void** list) { spread(reinterpret_cast<void (*)(P...)>(f), list, std::index_sequence_for<P...>()); }
};
struct Registration {
  KernelEntry entry;
  template <class... P>
  Registration(const char* name, void (*kernel)(P...), unsigned threads, unsigned blocks)
      : entry{name, reinterpret_cast<void (*)()>(kernel), Parameters<P...>::invoke, sizeof...(P), Parameters<P...>::sizes, kernels, threads, blocks} {
    kernels = &entry;
  }
};

void* dynamic_shared();
// __syncthreads.
void barrier();
// Waits for the lanes of `mask` and gives the bytes that each of them brought, by lane.
const char (*exchange(unsigned mask, const void* mine, size_t bytes))[64];
int lane();
[[noreturn]] void trap(const char* why);
// Asynchronous copies of the running thread, done when it waits for them.
void async_copy(void* to, const void* from, size_t bytes, size_t valid);
void async_commit();
void async_wait(int groups_left);

// ---- half precision
inline float bits_to_float(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
inline uint32_t float_to_bits(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return bits;
}
inline float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return bits_to_float(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return bits_to_float(sign | (exponent + 112) << 23 | mantissa << 13);
  const float value = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -value : value;
}
inline uint16_t float_to_half(float f) {
  const uint32_t bits = float_to_bits(f);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7fff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return static_cast<uint16_t>(sign | (float_to_bits(bits_to_float(magnitude) + 0.5f) - 0x3f000000));
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}
inline float bfloat_to_float(uint16_t b) { return bits_to_float(static_cast<uint32_t>(b) << 16); }
inline uint16_t float_to_bfloat(float f) {
  const uint32_t bits = float_to_bits(f);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <class T> T exchanged(unsigned mask, T value, int from) {
  static_assert(sizeof(T) <= 16);
  T result;
  std::memcpy(&result, exchange(mask, &value, sizeof value)[from & 31], sizeof result);
  return result;
}

}  // namespace emulation

// ---- barriers and warps
inline void __syncthreads() { emulation::barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  char nothing = 0;
  emulation::exchange(mask, &nothing, 1);
}
inline int __syncthreads_count(int predicate) {
  static int count;
  emulation::barrier();
  if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0) count = 0;
  emulation::barrier();
  count += predicate != 0;
  emulation::barrier();
  return count;
}
inline int __syncthreads_or(int predicate) { return __syncthreads_count(predicate) > 0; }
inline int __syncthreads_and(int predicate) { return __syncthreads_count(!predicate) == 0; }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned) {}
inline unsigned __activemask() { return 0xffffffffu; }

template <class T> T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  const int base = emulation::lane() & ~(width - 1);
  return emulation::exchanged(mask, value, base | (from & (width - 1)));
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32) {
  const int lane = emulation::lane(), from = lane ^ flip;
  return emulation::exchanged(mask, value, (from & ~(width - 1)) == (lane & ~(width - 1)) ? from : lane);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const int lane = emulation::lane(), from = lane + static_cast<int>(by);
  return emulation::exchanged(mask, value, (from & ~(width - 1)) == (lane & ~(width - 1)) ? from : lane);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const int lane = emulation::lane(), from = lane - static_cast<int>(by);
  return emulation::exchanged(mask, value, from >= (lane & ~(width - 1)) ? from : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const int mine = predicate != 0;
  const auto all = emulation::exchange(mask, &mine, sizeof mine);
  unsigned votes = 0;
  for (int i = 0; i < 32; i++) {
    int vote = 0;
    if (!(mask >> i & 1)) continue;
    std::memcpy(&vote, all[i], sizeof vote);
    votes |= static_cast<unsigned>(vote) << i;
  }
  return votes;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }
template <class T> unsigned __match_any_sync(unsigned mask, T value) {
  const auto all = emulation::exchange(mask, &value, sizeof value);
  unsigned same = 0;
  for (int i = 0; i < 32; i++)
    if ((mask >> i & 1) && std::memcmp(all[i], &value, sizeof value) == 0) same |= 1u << i;
  return same;
}
#define EMULATED_REDUCE(name, expression)                                 \
  template <class T> T __reduce_##name##_sync(unsigned mask, T value) {   \
    const auto all = emulation::exchange(mask, &value, sizeof value);     \
    bool first = true;                                                    \
    T a{};                                                                \
    for (int i = 0; i < 32; i++) {                                        \
      if (!(mask >> i & 1)) continue;                                     \
      T b;                                                                \
      std::memcpy(&b, all[i], sizeof b);                                  \
      a = first ? b : (expression);                                       \
      first = false;                                                      \
    }                                                                     \
    return a;                                                             \
  }
EMULATED_REDUCE(add, a + b)
EMULATED_REDUCE(min, a < b ? a : b)
EMULATED_REDUCE(max, a > b ? a : b)
#undef EMULATED_REDUCE

// ---- atomics: threads give way at barriers only
template <class T, class V> T atomicAdd(T* p, V value) {
  T old = *p;
  *p = static_cast<T>(old + static_cast<T>(value));
  return old;
}
template <class T, class V> T atomicSub(T* p, V value) { return atomicAdd(p, static_cast<T>(-static_cast<T>(value))); }
template <class T, class V> T atomicMax(T* p, V value) {
  T old = *p;
  if (static_cast<T>(value) > old) *p = static_cast<T>(value);
  return old;
}
template <class T, class V> T atomicMin(T* p, V value) {
  T old = *p;
  if (static_cast<T>(value) < old) *p = static_cast<T>(value);
  return old;
}
template <class T, class V> T atomicExch(T* p, V value) { return std::exchange(*p, static_cast<T>(value)); }
template <class T, class E, class V> T atomicCAS(T* p, E expected, V value) {
  T old = *p;
  if (old == static_cast<T>(expected)) *p = static_cast<T>(value);
  return old;
}
template <class T, class V> T atomicOr(T* p, V value) {
  T old = *p;
  *p = old | static_cast<T>(value);
  return old;
}
template <class T, class V> T atomicAnd(T* p, V value) {
  T old = *p;
  *p = old & static_cast<T>(value);
  return old;
}
inline unsigned atomicInc(unsigned* p, unsigned limit) {
  unsigned old = *p;
  *p = old >= limit ? 0 : old + 1;
  return old;
}

// ---- loads, bits and arithmetic
template <class T> T __ldg(const T* p) { return *p; }
template <class T> T __ldcs(const T* p) { return *p; }
template <class T> void __stcs(T* p, T value) { *p = value; }
inline uint32_t __umulhi(uint32_t a, uint32_t b) { return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32); }
inline uint64_t __umul64hi(uint64_t a, uint64_t b) { return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64); }
inline int __popc(uint32_t x) { return __builtin_popcount(x); }
inline int __popcll(uint64_t x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline float __int_as_float(int x) { return emulation::bits_to_float(static_cast<uint32_t>(x)); }
inline float __uint_as_float(uint32_t x) { return emulation::bits_to_float(x); }
inline int __float_as_int(float x) { return static_cast<int>(emulation::float_to_bits(x)); }
inline uint32_t __float_as_uint(float x) { return emulation::float_to_bits(x); }
inline long long __double_as_longlong(double x) {
  long long bits;
  std::memcpy(&bits, &x, 8);
  return bits;
}
inline double __longlong_as_double(long long x) {
  double value;
  std::memcpy(&value, &x, 8);
  return value;
}
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float exp10f(float x) { return std::pow(10.0f, x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline void sincospi(double x, double* sine, double* cosine) {
  *sine = std::sin(3.14159265358979323846 * x);
  *cosine = std::cos(3.14159265358979323846 * x);
}
inline void sincospif(float x, float* sine, float* cosine) {
  double s, c;
  sincospi(x, &s, &c);
  *sine = static_cast<float>(s), *cosine = static_cast<float>(c);
}
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
inline int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 32; i += 8) c += static_cast<int8_t>(a >> i) * static_cast<int8_t>(b >> i);
  return c;
}
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long min(long a, long b) { return a < b ? a : b; }
inline long max(long a, long b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// ---- vectors
#define EMULATED_VECTORS(T, name)                                                       \
  struct alignas(2 * sizeof(T)) name##2 { T x, y; };                                    \
  struct name##3 { T x, y, z; };                                                        \
  struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) name##4 { T x, y, z, w; };    \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                            \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATED_VECTORS(float, float)
EMULATED_VECTORS(double, double)
EMULATED_VECTORS(int, int)
EMULATED_VECTORS(short, short)
EMULATED_VECTORS(unsigned short, ushort)
EMULATED_VECTORS(signed char, char)
EMULATED_VECTORS(unsigned char, uchar)
EMULATED_VECTORS(long long, longlong)
EMULATED_VECTORS(unsigned long long, ulonglong)
#undef EMULATED_VECTORS
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
