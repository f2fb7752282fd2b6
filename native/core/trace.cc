#include "core/trace.h"

#include <chrono>
#include <map>
#include <mutex>

namespace torchscript {

std::atomic<bool> trace_on{false}, profile_on{false};

namespace {

constexpr size_t kTraceLimit = 1 << 20;

std::mutex& mutex() {
  static auto* m = new std::mutex;
  return *m;
}
std::vector<std::string>& trace_lines() {
  static auto* lines = new std::vector<std::string>;
  return *lines;
}
std::map<std::pair<std::string, std::string>, std::pair<int64_t, int64_t>>& profile_rows() {
  static auto* rows = new std::map<std::pair<std::string, std::string>, std::pair<int64_t, int64_t>>;
  return *rows;
}
// Notes of the operator that runs on this thread; nested operators add theirs to the outer one's.
thread_local std::vector<std::string> notes;

}  // namespace

void trace_note(const char* inner) {
  if (trace_enabled() && notes.size() < 64) notes.emplace_back(inner);
}

void trace_operator(const char* name) {
  if (!trace_enabled()) {
    notes.clear();
    return;
  }
  std::string line = name;
  for (size_t i = 0; i < notes.size(); i++) line += (i ? ", " : ": ") + notes[i];
  notes.clear();
  std::lock_guard<std::mutex> lock(mutex());
  if (trace_lines().size() < kTraceLimit) trace_lines().push_back(std::move(line));
}

std::vector<std::string> take_trace() {
  std::lock_guard<std::mutex> lock(mutex());
  return std::move(trace_lines());
}

int64_t profile_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void profile_add(const char* name, const char* inner, int64_t nanoseconds) {
  if (!profile_enabled()) return;
  std::lock_guard<std::mutex> lock(mutex());
  auto& row = profile_rows()[{name, inner ? inner : ""}];
  row.first++;
  row.second += nanoseconds;
}

std::vector<ProfileRow> take_profile() {
  std::lock_guard<std::mutex> lock(mutex());
  std::vector<ProfileRow> rows;
  for (auto& [key, value] : profile_rows()) rows.push_back({key.first, key.second, value.first, value.second});
  profile_rows().clear();
  return rows;
}

}  // namespace torchscript
