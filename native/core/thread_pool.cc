#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace torchscript {
namespace {

// How long a worker polls for more work before it parks: longer than the gap between two operators of one run, shorter
// than what a rationed host would notice.
constexpr int64_t kSpinNanoseconds = 40000;
// Pieces per thread: enough to even out a slow core, few enough that taking them costs little.
constexpr int64_t kChunksPerThread = 8;
constexpr int kMostThreads = 256;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string read_line(const std::string& path) {
  std::string text;
  if (FILE* file = std::fopen(path.c_str(), "r")) {
    char buffer[256];
    if (std::fgets(buffer, sizeof buffer, file)) text = buffer;
    std::fclose(file);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// CPUs granted by the cgroup, or 0 for no limit: v2 in every group up to the root, else v1.
double cgroup_quota() {
  double quota = 0;
  auto take = [&](double value) {
    if (value > 0 && (quota == 0 || value < quota)) quota = value;
  };
  std::string group;
  if (FILE* file = std::fopen("/proc/self/cgroup", "r")) {
    char line[4096];
    while (std::fgets(line, sizeof line, file)) {
      if (std::strncmp(line, "0::", 3) == 0) {
        group = line + 3;
        while (!group.empty() && group.back() == '\n') group.pop_back();
      }
    }
    std::fclose(file);
  }
  for (std::string at = group;; at = at.substr(0, at.rfind('/'))) {
    std::string text = read_line("/sys/fs/cgroup" + at + "/cpu.max");
    long long limit = 0, period = 0;
    if (std::sscanf(text.c_str(), "%lld %lld", &limit, &period) == 2 && period > 0)
      take(static_cast<double>(limit) / static_cast<double>(period));
    if (at.empty() || at.find('/') == std::string::npos) break;
  }
  long long limit = std::atoll(read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").c_str());
  long long period = std::atoll(read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us").c_str());
  if (limit > 0 && period > 0) take(static_cast<double>(limit) / static_cast<double>(period));
  return quota;
}

int count_cores() {
  int cores = 0;
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    std::set<std::string> physical;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (!CPU_ISSET(cpu, &set)) continue;
      std::string siblings = read_line("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
      physical.insert(siblings.empty() ? std::to_string(cpu) : siblings);
    }
    cores = static_cast<int>(physical.size());
  }
#endif
  if (cores <= 0) cores = static_cast<int>(std::thread::hardware_concurrency());
  double quota = cgroup_quota();
  if (quota > 0) cores = std::min(cores, std::max(1, static_cast<int>(quota + 0.5)));
  return std::clamp(cores, 1, kMostThreads);
}

thread_local bool inside_parallel = false;
// Runs that go on (ConcurrentRun): all of the process, and those of this thread.
std::atomic<int> concurrent_runs{0};
thread_local int own_runs = 0;

// One job at a time. The epoch tells workers that a new job may be there; whoever takes a ticket may touch the job, and the caller
// waits until `running` says that all ticket holders have left. A ticket publishes the fields of the job.
class Pool {
 public:
  int threads() {
    int n = threads_.load(std::memory_order_relaxed);
    if (n == 0) {
      int fresh = default_thread_count();
      threads_.compare_exchange_strong(n, fresh);
      n = threads_.load(std::memory_order_relaxed);
    }
    return n;
  }

  void resize(int threads) {
    std::lock_guard<std::mutex> lock(caller_);
    stop_workers();
    threads_.store(std::clamp(threads, 1, kMostThreads), std::memory_order_relaxed);
  }

  void run(int64_t n, int64_t grain, ParallelBody body, void* context) {
    if (n <= 0) return;
    if (grain < 1) grain = 1;
    const int helpers_left = threads() - 1 - (concurrent_runs.load(std::memory_order_relaxed) - own_runs);
    if (n <= grain || inside_parallel || helpers_left <= 0 || !caller_.try_lock()) {
      body(context, 0, n);
      return;
    }
    std::lock_guard<std::mutex> lock(caller_, std::adopt_lock);
    start_workers();
    int workers = static_cast<int>(workers_.size());
    body_ = body;
    context_ = context;
    n_ = n;
    pieces_ = std::min((n + grain - 1) / grain, kChunksPerThread * (workers + 1));
    error_ = nullptr;
    // Never more helpers than pieces beyond the caller's own.
    int helpers = static_cast<int>(std::min<int64_t>({workers, pieces_ - 1, helpers_left}));
    shares_ = helpers + 1;
    for (int i = 0; i < shares_; i++) share_[i].range.store(range(pieces_ * i / shares_, pieces_ * (i + 1) / shares_), std::memory_order_relaxed);
    running_.store(helpers, std::memory_order_relaxed);
    tickets_.store(helpers, std::memory_order_release);
    keep_off_this_cpu();
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) > 0) {
      // Whoever is about to sleep holds the mutex; nobody should wake up to find it taken.
      { std::lock_guard<std::mutex> wake(mutex_); }
      wake_.notify_all();
    }
    work(0);
    // Tickets that nobody took are withdrawn, so that a sleeping worker never delays the caller.
    int left = tickets_.exchange(0, std::memory_order_acq_rel);
    if (left > 0) running_.fetch_sub(left, std::memory_order_acq_rel);
    for (int spins = 0; running_.load(std::memory_order_acquire) != 0; spins++) {
      if (spins < 20000) pause();
      else std::this_thread::yield();
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static uint64_t range(int64_t begin, int64_t end) { return static_cast<uint64_t>(begin) << 32 | static_cast<uint64_t>(end); }

  // Takes a piece of a share: its owner from the front, others from the back. -1 when none is left.
  int64_t take(int share, bool own) {
    std::atomic<uint64_t>& at = share_[share].range;
    uint64_t now = at.load(std::memory_order_relaxed);
    for (;;) {
      const int64_t begin = static_cast<int64_t>(now >> 32), end = static_cast<int64_t>(now & 0xffffffffu);
      if (begin >= end) return -1;
      const uint64_t next = own ? range(begin + 1, end) : range(begin, end - 1);
      if (at.compare_exchange_weak(now, next, std::memory_order_relaxed)) return own ? begin : end - 1;
    }
  }

  // Works off the share of that number, then helps with the others.
  void work(int own) {
    inside_parallel = true;
    for (int i = 0; i < shares_; i++) {
      const int share = own + i < shares_ ? own + i : own + i - shares_;
      for (int64_t piece; (piece = take(share, i == 0)) >= 0;) {
        try {
          body_(context_, n_ * piece / pieces_, n_ * (piece + 1) / pieces_);
        } catch (...) {
          std::lock_guard<std::mutex> lock(mutex_);
          if (!error_) error_ = std::current_exception();
          for (int k = 0; k < shares_; k++) share_[k].range.store(0, std::memory_order_relaxed);
        }
      }
    }
    inside_parallel = false;
  }

  // The number of a ticket, counted down, or 0.
  int take_ticket() {
    int tickets = tickets_.load(std::memory_order_acquire);
    while (tickets > 0) {
      if (tickets_.compare_exchange_weak(tickets, tickets - 1, std::memory_order_acq_rel)) return tickets;
    }
    return 0;
  }

  void worker_loop() {
    uint32_t seen = 0;
    for (;;) {
      int64_t deadline = 0;
      for (int spins = 0; epoch_.load(std::memory_order_acquire) == seen && !stop_.load(std::memory_order_relaxed); spins++) {
        pause();
        if ((spins & 63) != 63) continue;
        int64_t now = now_ns();
        if (deadline == 0) deadline = now + kSpinNanoseconds;
        if (now < deadline) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        parked_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return epoch_.load(std::memory_order_seq_cst) != seen || stop_.load(std::memory_order_relaxed); });
        parked_.fetch_sub(1, std::memory_order_seq_cst);
      }
      if (stop_.load(std::memory_order_relaxed)) return;
      seen = epoch_.load(std::memory_order_acquire);
      if (const int ticket = take_ticket()) {
        work(ticket);
        running_.fetch_sub(1, std::memory_order_acq_rel);
      }
    }
  }

  // Workers stay off the processor that the caller runs on: a scheduler that takes the other processors for busy, as a virtual machine's
  // does whose idle ones the host has put to sleep, would wake them right there, in the caller's place.
  void keep_off_this_cpu() {
#if defined(__linux__)
    const int cpu = sched_getcpu();
    if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == avoided_cpu_) return;
    avoided_cpu_ = cpu;
    cpu_set_t others = cpus_;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) == 0) return;
    for (std::thread& worker : workers_) pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
#endif
  }

  void start_workers() {
    int wanted = threads() - 1;
    if (static_cast<int>(workers_.size()) == wanted) return;
    stop_.store(false);
#if defined(__linux__)
    avoided_cpu_ = -1;
    if (sched_getaffinity(0, sizeof cpus_, &cpus_) != 0) CPU_ZERO(&cpus_);
#endif
    while (static_cast<int>(workers_.size()) < wanted) {
      try {
        workers_.emplace_back([this] { worker_loop(); });
      } catch (const std::system_error&) {
        break;
      }
    }
  }

  void stop_workers() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_.store(true);
      wake_.notify_all();
    }
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stop_.store(false);
  }

  std::mutex caller_;
  std::vector<std::thread> workers_;
  std::atomic<int> threads_{0};
#if defined(__linux__)
  cpu_set_t cpus_;         // where this process may run
  int avoided_cpu_ = -1;   // where workers may not
#endif

  ParallelBody body_ = nullptr;
  void* context_ = nullptr;
  int64_t n_ = 0, pieces_ = 0;
  int shares_ = 0;
  std::exception_ptr error_;

  // Pieces that are left, first and end, of what each thread begins with. From call to call a thread begins with the same part, which its
  // cache may still hold.
  struct alignas(64) Share {
    std::atomic<uint64_t> range{0};
  };
  Share share_[kMostThreads];
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<int> tickets_{0};
  alignas(64) std::atomic<int> running_{0};
  alignas(64) std::atomic<int> parked_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

// Leaked: its threads may outlive static destructors. A forked child starts with a fresh one, because threads do not survive fork.
Pool* the_pool = nullptr;
Pool& pool() {
  static std::once_flag once;
  std::call_once(once, [] {
    the_pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; });
  });
  return *the_pool;
}

}  // namespace

ConcurrentRun::ConcurrentRun() {
  own_runs++;
  concurrent_runs.fetch_add(1, std::memory_order_relaxed);
}
ConcurrentRun::~ConcurrentRun() {
  own_runs--;
  concurrent_runs.fetch_sub(1, std::memory_order_relaxed);
}

int default_thread_count() {
  static const int count = count_cores();
  return count;
}

void set_num_threads(int threads) { pool().resize(threads); }
int get_num_threads() { return pool().threads(); }
void parallel_for(int64_t n, int64_t grain, ParallelBody body, void* context) { pool().run(n, grain, body, context); }

}  // namespace torchscript
