// Listeners to the operators that run: a list of names for tests, and times for the profiler.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel.h"

namespace torchscript {

struct StackFrame;

extern std::atomic<bool> trace_on, profile_on;
inline bool trace_enabled() { return trace_on.load(std::memory_order_relaxed); }
inline bool profile_enabled() { return profile_on.load(std::memory_order_relaxed); }

void trace_operator(const char* name);
void trace_note(const char* inner);
std::vector<std::string> take_trace();

// What an operator was called with, and what it made.
struct ProfileOperand {
  enum class Kind : uint8_t { Other, Tensor, Int, Bool } kind = Kind::Other;
  DType dtype = DType::F32;
  int64_t value = 0;  // Int, Bool
  int64_t bytes = 0;  // Tensor: memory that the window touches; dimensions of stride 0 count once
  std::vector<int64_t> sizes;
};
// One operator that ran. Times are those of the monotonic clock.
struct ProfileEvent {
  std::string name, row, inner, location;
  int64_t start = 0, nanoseconds = 0;
  int thread = 0;  // small numbers, in the order in which threads first report
  int step = -1;   // of the recorded schedule
  std::vector<ProfileOperand> inputs, outputs;
};
struct ProfileEvents {
  std::vector<ProfileEvent> events;
  int64_t dropped = 0;  // beyond the limit
};

int64_t profile_clock();
// `row` and `call` are null for builtins. `step` is -1 and `frames` null where they are not known.
void profile_add(const char* name, const char* row, const char* inner, int64_t start, int64_t end, const Call* call, int step,
                 const std::vector<StackFrame>* frames);
ProfileEvents take_profile();

}  // namespace torchscript
