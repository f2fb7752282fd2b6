// What the machine can do, for the benchmark to compare with: fused multiply-adds of float32 on registers, and bandwidth of each level of memory.
// Built by bench/harness/machine.ts once for each instruction set with -DVECTOR_BYTES=16|32|64; prints one JSON object.
// Usage: probe [threads]
#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#ifndef VECTOR_BYTES
#define VECTOR_BYTES 16
#endif
#define LIMITS limits
#define LIMITS_TARGET
#include "limits.h"

namespace {

using limits::kLanes, limits::multiply_adds, limits::read_all, limits::Vec;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void copy_all(float* to, const float* from, int64_t n) {
  const Vec* v = reinterpret_cast<const Vec*>(from);
  Vec* w = reinterpret_cast<Vec*>(to);
  for (int64_t i = 0; i < n / kLanes; i++) {
    Vec x = v[i];
    LIMITS_KEEP(x);
    w[i] = x;
  }
}

// Least time of several rounds of `body(thread)` on all threads at once, which start together; the caller is one of them.
double least_time(int threads, int rounds, const std::function<void(int)>& body) {
  double least = 1e9;
  for (int r = 0; r < rounds; r++) {
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> workers;
    for (int t = 1; t < threads; t++) {
      workers.emplace_back([&, t] {
        ready.fetch_add(1);
        while (!go.load()) {
        }
        body(t);
      });
    }
    while (ready.load() < threads - 1) {
    }
    const double start = seconds();
    go.store(true);
    body(0);
    for (std::thread& worker : workers) worker.join();
    least = std::min(least, seconds() - start);
  }
  return least;
}

// On huge pages where the system gives them, as the executor's blocks are.
float* buffer(int64_t bytes) {
  constexpr int64_t kHuge = int64_t{2} << 20;
  const int64_t alignment = bytes >= kHuge ? kHuge : 4096;
  void* p = std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>((bytes + alignment - 1) / alignment * alignment));
  if (!p) std::exit(1);
#ifdef MADV_HUGEPAGE
  if (bytes >= kHuge) madvise(p, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
  std::memset(p, 0, static_cast<size_t>(bytes));
  return static_cast<float*>(p);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  double flops = 0;
  const double peak_time = least_time(threads, 12, [&](int t) {
    const double n = multiply_adds(1'000'000);
    if (t == 0) flops = n;
  });
  std::printf("{\"threads\": %d, \"gflops\": %.1f, \"read\": [", threads, threads * flops / peak_time / 1e9);
  // Every thread reads memory of its own, so that the levels that cores have to themselves add up.
  const int64_t kib[] = {16, 256, 4096, 16384, 262144};
  constexpr int kLevels = 5;
  for (int i = 0; i < kLevels; i++) {
    const int64_t each = (i == kLevels - 1 ? kib[i] * 1024 / threads : kib[i] * 1024) / 4096 * 4096;
    std::vector<float*> data;
    for (int t = 0; t < threads; t++) data.push_back(buffer(each));
    const int64_t repeat = std::max<int64_t>(1, (int64_t{48} << 20) / each);
    const double time = least_time(threads, i == kLevels - 1 ? 5 : 8, [&](int t) {
      for (int64_t r = 0; r < repeat; r++) read_all(data[static_cast<size_t>(t)], each / 4);
    });
    const double rate = static_cast<double>(threads) * static_cast<double>(repeat) * static_cast<double>(each) / time / 1e9;
    std::printf("%s{\"bytes\": %lld, \"gbs\": %.1f}", i ? ", " : "", static_cast<long long>(each), rate);
    for (float* p : data) std::free(p);
  }
  // One pass over 4 M floats that reads and writes: what a chain of pointwise operators can come to. Both directions are counted.
  const int64_t pass = int64_t{16} << 20;
  float* from = buffer(pass);
  float* to = buffer(pass);
  const int64_t share = pass / threads / 4096 * 4096;
  const double time = least_time(threads, 12, [&](int t) { copy_all(to + t * share / 4, from + t * share / 4, share / 4); });
  std::printf("], \"copy\": {\"bytes\": %lld, \"gbs\": %.1f, \"ms\": %.4f}}\n", static_cast<long long>(pass),
              2.0 * static_cast<double>(share) * threads / time / 1e9, time * 1e3);
}
