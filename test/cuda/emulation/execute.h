// Runs one grid of a kernel.
#pragma once
#include <cstddef>
#include <functional>
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
// The running thread's number in its block, and how many there are.
int thread_id();
size_t thread_total();
// Registers that each thread of the running kernel begins with, as its launch bounds leave them.
int thread_registers();
// The running thread goes on when `ready` says so.
void wait_for(const char* what, const std::function<bool()>& ready);

}  // namespace emulation
