// What a processor can do at most: float32 multiply-adds on registers, and reads of memory. Included once for each width of vectors, with
// LIMITS naming the namespace, VECTOR_BYTES the width and LIMITS_TARGET the attributes of functions. Multiply-adds are fused
// where the compiler may contract expressions (-ffp-contract=fast).
#include <cstdint>

#ifndef LIMITS_KEEP
#if defined(__x86_64__)
#define LIMITS_KEEP(v) asm volatile("" : "+x"(v))
#else
#define LIMITS_KEEP(v) asm volatile("" : "+w"(v))
#endif
// Enough chains for two units of latency 4 or 5, and few enough for 16 registers. Accumulators are variables of their own: an array of
// them, named in asm, would lie in memory.
#define LIMITS_EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#endif

namespace LIMITS {

using Vec = float __attribute__((vector_size(VECTOR_BYTES)));
constexpr int64_t kLanes = VECTOR_BYTES / 4;
constexpr int kChains = 12;

// Floating-point operations of one call.
LIMITS_TARGET inline double multiply_adds(int64_t rounds) {
  Vec x{}, y{};
  x += 0.999f;
  y += 0.001f;
  LIMITS_KEEP(x);
  LIMITS_KEEP(y);
#define LIMITS_START(i) Vec a##i = Vec{} + static_cast<float>(i);
#define LIMITS_STEP(i) \
  a##i = a##i * x + y; \
  LIMITS_KEEP(a##i);
  LIMITS_EACH(LIMITS_START)
  for (int64_t r = 0; r < rounds; r++) {
    LIMITS_EACH(LIMITS_STEP)
  }
#undef LIMITS_START
#undef LIMITS_STEP
  return 2.0 * kLanes * kChains * static_cast<double>(rounds);
}

LIMITS_TARGET inline void read_all(const float* data, int64_t n) {
  const Vec* v = reinterpret_cast<const Vec*>(data);
#define LIMITS_LOAD(i) \
  {                    \
    Vec x = v[i];      \
    LIMITS_KEEP(x);    \
  }
  for (int64_t i = 0; i + kChains <= n / kLanes; i += kChains, v += kChains) {
    LIMITS_EACH(LIMITS_LOAD)
  }
#undef LIMITS_LOAD
}

}  // namespace LIMITS
