// What the inner kernels call of the executor, for programs that are built from them alone. TORCHSCRIPT_ISA chooses the instruction set.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernel.h"

namespace torchscript {

Isa active_isa() {
  const char* name = std::getenv("TORCHSCRIPT_ISA");
  if (name && !std::strcmp(name, "scalar")) return Isa::Scalar;
  if (name ? !std::strcmp(name, "avx512") : __builtin_cpu_supports("avx512bw") != 0) return Isa::Avx512;
  return Isa::Avx2;
}
void fail(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::vfprintf(stderr, format, args);
  std::abort();
}
const char* dtype_torch_name(DType) { return "dtype"; }

}  // namespace torchscript
