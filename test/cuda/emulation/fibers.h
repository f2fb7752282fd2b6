// Fibers: a thread of a block each, on a stack of its own.
#pragma once
#include <cstddef>

namespace emulation {

struct Fiber {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
};

constexpr size_t kStackBytes = 256 << 10;

// Makes the fiber begin at `entry` when it is switched to next. Stacks are kept between uses.
void prepare(Fiber& fiber, void (*entry)());
// Leaves `from` for `to`; comes back when somebody switches to `from`.
void switch_to(Fiber& from, Fiber& to);

}  // namespace emulation
