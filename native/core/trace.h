// Listeners to the operators that run: a list of names for tests, and times for the profiler.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace torchscript {

extern std::atomic<bool> trace_on, profile_on;
inline bool trace_enabled() { return trace_on.load(std::memory_order_relaxed); }
inline bool profile_enabled() { return profile_on.load(std::memory_order_relaxed); }

void trace_operator(const char* name);
void trace_note(const char* inner);
std::vector<std::string> take_trace();

int64_t profile_clock();
void profile_add(const char* name, const char* inner, int64_t nanoseconds);
struct ProfileRow {
  std::string name, inner;
  int64_t count = 0, nanoseconds = 0;
};
std::vector<ProfileRow> take_profile();

}  // namespace torchscript
