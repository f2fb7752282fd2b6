// The process's one pool of threads for work inside operators.
#pragma once
#include <cstdint>

namespace torchscript {

// Physical cores this process may use: affinity, hyperthread siblings and cgroup quota respected.
int default_thread_count();

void set_num_threads(int threads);  // at least 1
int get_num_threads();

using ParallelBody = void (*)(void* context, int64_t begin, int64_t end);

// Calls body over disjoint pieces of [0, n), the caller being one of the workers; returns when all are done. Runs inline when n <= grain,
// with one thread, inside another parallel_for, or while another caller uses the pool. The first exception of a body is rethrown here.
void parallel_for(int64_t n, int64_t grain, ParallelBody body, void* context);

// One of several runs that go on at a time, on the thread that makes it. Each counts as one of the threads that may be busy: what is left
// of their number helps in parallel_for.
class ConcurrentRun {
 public:
  ConcurrentRun();
  ~ConcurrentRun();
  ConcurrentRun(const ConcurrentRun&) = delete;
  ConcurrentRun& operator=(const ConcurrentRun&) = delete;
};

}  // namespace torchscript
