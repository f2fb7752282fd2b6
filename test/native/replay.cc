// What replays of recorded schedules do besides computing, on plans without weights whose first function takes three tensors of shape [3, 3].
// Usage: replay <mode> <plan files>
//   allocations  prints the number of allocations of ten replays
//   threads      prints the number of threads that the process has while eight others run the plan
//   busy         prints whether three runs at a time kept more than the three threads of the pool busy, and whether one alone had help
#include <dirent.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/program.h"
#include "core/thread_pool.h"

using namespace torchscript;

namespace {
std::atomic<long> allocations{0};
}

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t n) {
  allocations++;
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t size) {
  allocations++;
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t n) {
  allocations++;
  return __libc_realloc(p, n);
}
void* aligned_alloc(size_t alignment, size_t n) {
  allocations++;
  return __libc_memalign(alignment, n);
}
}

namespace {

Ref<Program> load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return Program::load(bytes.data(), bytes.size(), {}, nullptr);
}

std::vector<Value> make_args() {
  std::vector<Value> args;
  for (int i = 0; i < 3; i++) {
    auto t = Tensor::empty(DType::F32, {3, 3});
    for (int k = 0; k < 9; k++) t->view.ptr<float>()[k] = static_cast<float>((i + 2 * k) % 5 - 2) / 4;
    args.emplace_back(std::move(t));
  }
  return args;
}

int count_threads() {
  int n = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (dirent* entry = readdir(tasks)) n += entry->d_name[0] != '.';
  closedir(tasks);
  return n;
}

void measure_allocations(const char* path) {
  Ref<Program> program = load(path);
  const Function& function = program->function(0);
  std::vector<Value> args = make_args();
  for (int i = 0; i < 4; i++) program->run(function, args.data(), args.size(), nullptr);
  long before = allocations;
  for (int i = 0; i < 10; i++) program->run(function, args.data(), args.size(), nullptr);
  long after = allocations;
  auto reports = program->signatures();
  std::printf("%s %ld\n", reports.size() == 1 && reports[0].recorded ? "recorded" : "dynamic", after - before);
}

void measure_threads(const char* path) {
  Ref<Program> program = load(path);
  const Function& function = program->function(0);
  std::atomic<int> started{0};
  std::atomic<bool> stop{false};
  auto busy = [&] {
    std::vector<Value> args = make_args();
    started++;
    while (!stop) {
      program->run(function, args.data(), args.size(), nullptr);
      std::atomic<int64_t> sum{0};
      parallel_for(
        64, 1, [](void* context, int64_t begin, int64_t end) { static_cast<std::atomic<int64_t>*>(context)->fetch_add(end - begin); },
        &sum);
      if (sum != 64) std::abort();
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; i++) callers.emplace_back(busy);
  int most = 0;
  while (started < 8) std::this_thread::yield();
  for (int i = 0; i < 100; i++) {
    most = std::max(most, count_threads());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  std::printf("%d\n", most);
}

// The most threads that are inside of pieces at a time, as `runs` threads hand out work.
int most_inside(int runs) {
  std::atomic<int> ready{0}, inside{0}, most{0};
  auto work = [&] {
    ConcurrentRun counted;
    ready++;
    while (ready < runs) std::this_thread::yield();
    auto piece = [&](int64_t) {
      int now = ++inside;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      inside--;
    };
    for (int i = 0; i < 20; i++) {
      parallel_for(
        24, 1,
        [](void* context, int64_t begin, int64_t end) {
          for (int64_t k = begin; k < end; k++) (*static_cast<decltype(piece)*>(context))(k);
        },
        &piece);
    }
    // Who is done early must not make room for helpers of the others.
    ready--;
    while (ready > 0) std::this_thread::yield();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < runs; i++) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return most;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "busy") == 0) {
    set_num_threads(3);
    std::printf("%s\n%s\n", most_inside(1) > 1 ? "help" : "alone", most_inside(3) > 3 ? "more" : "no more");
    return 0;
  }
  bool threads = argc > 1 && std::strcmp(argv[1], "threads") == 0;
  set_num_threads(threads ? 3 : 1);
  for (int i = 2; i < argc; i++) {
    if (threads) measure_threads(argv[i]);
    else measure_allocations(argv[i]);
  }
  return 0;
}
