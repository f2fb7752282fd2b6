#include "core/alternatives.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>

#include "core/errors.h"
#include "core/memory.h"
#include "core/pack.h"
#include "core/registry.h"

namespace torchscript {
namespace {

// Runs that are timed, and seconds that are enough. The first run is not timed: it brings the weights into cache.
constexpr int kRuns = 10;
constexpr double kEnough = 0.02;

// TORCHSCRIPT_PROVIDER=onednn takes it wherever it has a kernel, untimed.
bool is_forced() {
  const char* text = std::getenv("TORCHSCRIPT_PROVIDER");
  return text && std::string(text) == "onednn";
}

double best_time(const Kernel& row, Call& call, const PackEntry* pack) {
  call.packed = pack ? pack->data : nullptr;
  double best = std::numeric_limits<double>::infinity(), total = 0;
  for (int i = 0; i <= kRuns && total < kEnough; i++) {
    const auto start = std::chrono::steady_clock::now();
    row.run(call);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (i > 0) {
      best = std::min(best, seconds);
      total += seconds;
    }
  }
  call.packed = nullptr;
  return best;
}

}  // namespace

const Kernel& faster_row(const Kernel& row, Call& call, Storage& storage) {
  const Kernel* other = find_kernel(std::string("onednn_") + row.name);
  if (!other) return row;
  std::shared_ptr<const PackEntry> theirs;
  try {
    theirs = find_or_pack(*other, call, storage);
    if (!theirs) return row;
    if (is_forced()) return *other;
    std::shared_ptr<const PackEntry> ours = find_or_pack(row, call, storage);
    if (!ours || !row.packed_only || !other->packed_only) storage.settle();
    // In turn, so that a noisy moment does not decide.
    double our_time = best_time(row, call, ours.get()), their_time = best_time(*other, call, theirs.get());
    our_time = std::min(our_time, best_time(row, call, ours.get()));
    their_time = std::min(their_time, best_time(*other, call, theirs.get()));
    const bool is_ours = our_time <= their_time;
    drop_pack(is_ours ? theirs : ours, storage);
    return is_ours ? row : *other;
  } catch (const OperatorError&) {
    if (theirs) drop_pack(theirs, storage);
    return row;
  }
}

}  // namespace torchscript
