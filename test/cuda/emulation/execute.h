// Runs one grid of a kernel.
#pragma once
#include <cstddef>
#include <string>

#include "cuda_emulation.h"

namespace emulation {

struct Launch {
  const KernelEntry* kernel;
  dim3 grid, block;
  size_t shared_bytes;
  void** parameters;
};

// What went wrong, or an empty text.
std::string execute(const Launch& launch);
// Leaves the running kernel with an error; `execute` returns it.
[[noreturn]] void leave(const std::string& error);
// "block (0,0,0) thread (3,0,0)" of the running thread; empty when no kernel runs.
std::string position();

}  // namespace emulation
