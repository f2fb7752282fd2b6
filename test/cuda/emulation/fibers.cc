#include "fibers.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace emulation {

#if defined(__x86_64__)
extern "C" void emulation_switch(void** save, void* load);
asm(R"(
.text
.globl emulation_switch
.type emulation_switch,@function
emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulation_switch,.-emulation_switch
)");

void prepare(Fiber& fiber, void (*entry)()) {
  if (!fiber.stack) {
    void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    fiber.stack = static_cast<char*>(memory);
  }
  // Six registers and the address to return to; a call leaves the stack 8 bytes off a multiple of 16.
  auto** top = reinterpret_cast<void**>(fiber.stack + kStackBytes - 64);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.stack_pointer = top;
}

void switch_to(Fiber& from, Fiber& to) { emulation_switch(&from.stack_pointer, to.stack_pointer); }
#else
#error "the CUDA emulator switches fibers on x86-64 only"
#endif

}  // namespace emulation
