// Which instruction set runs: the best that the processor and the operating system support, or what TORCHSCRIPT_ISA asks for.
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/errors.h"
#include "core/isa.h"
#include "kernel.h"

#if defined(TS_HAVE_X86_KERNELS)
#include <cpuid.h>
#endif

namespace torchscript {
namespace {

Isa best_isa() {
#if defined(TS_HAVE_X86_KERNELS)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return Isa::Scalar;
  bool osxsave = c & (1u << 27), avx = c & (1u << 28), fma = c & (1u << 12), f16c = c & (1u << 29);
  if (!osxsave || !avx || !fma || !f16c) return Isa::Scalar;
  // XCR0: what the operating system saves on a context switch. 6: XMM and YMM; 0xE0: opmask, upper ZMM, ZMM16-31.
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 0x6) != 0x6) return Isa::Scalar;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 5))) return Isa::Scalar;
#if defined(TS_EMULATED_AVX512)
  // Emulated units are for tests only: they run when they are asked for, and the processor's AVX-512 is not looked at.
  return Isa::Avx2;
#else
  bool f = b & (1u << 16), dq = b & (1u << 17), bw = b & (1u << 30), vl = b & (1u << 31);
  if (f && dq && bw && vl && (low & 0xE0) == 0xE0) return Isa::Avx512;
  return Isa::Avx2;
#endif
#else
  return Isa::Scalar;
#endif
}

// The best that TORCHSCRIPT_ISA may ask for.
Isa best_forced(Isa best) {
#if defined(TS_EMULATED_AVX512)
  if (best == Isa::Avx2) return Isa::Avx512;
#endif
  return best;
}

struct Choice {
  Isa isa;
  std::string error;
};

Choice choose() {
  Isa best = best_isa();
  const char* forced = std::getenv("TORCHSCRIPT_ISA");
  if (!forced || !*forced) return {best, ""};
  for (Isa isa : {Isa::Scalar, Isa::Avx2, Isa::Avx512}) {
    if (std::strcmp(forced, isa_name(isa)) != 0) continue;
    if (isa <= best_forced(best)) return {isa, ""};
    return {best, std::string("TORCHSCRIPT_ISA asks for ") + forced + ", but this machine supports only " + isa_name(best) + "."};
  }
  return {best, std::string("Expected scalar, avx2 or avx512 for TORCHSCRIPT_ISA but received \"") + forced + "\"."};
}

const Choice& choice() {
  static const Choice made = choose();
  return made;
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choice().isa;
  return isa;
}

const std::string& isa_error() { return choice().error; }

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::Avx512: return "avx512";
    case Isa::Avx2: return "avx2";
    default: return "scalar";
  }
}

}  // namespace torchscript
