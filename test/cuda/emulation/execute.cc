#include "execute.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "fibers.h"
#include "hopper.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulation {

KernelEntry* kernels = nullptr;

namespace {

enum class State { Ready, AtBarrier, AtExchange, AtCondition, Done };

struct AsyncCopy {
  char* to;
  const char* from;
  size_t bytes, valid;
};

struct Thread {
  Fiber fiber;
  uint3 index;
  int id = 0;
  State state = State::Done;
  unsigned wait_mask = 0;        // AtExchange: with whom
  unsigned turn = 0;             // where the warp's last exchange is
  std::function<bool()> ready;   // AtCondition: whether the thread goes on
  const char* waits_for = "";
  std::vector<AsyncCopy> open;   // asynchronous copies since the last commit
  std::deque<std::vector<AsyncCopy>> groups;
};

struct Warp {
  unsigned arrived = 0;
  unsigned alive = 0;
  char brought[32][64];
  // What was brought. Each lane takes it in the next visit, in which its warp brings at most one more.
  char given[4][32][64];
  unsigned turn = 0;
};

struct Block {
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<std::unique_ptr<Warp>> warps;
  size_t count = 0;
};
Block block;
Thread* running = nullptr;
Fiber scheduler;
const Launch* launched = nullptr;
std::string failure;
sigjmp_buf escape;

constexpr size_t kSharedLimit = 256 << 10;
constexpr size_t kGuard = 256;
// Dynamic shared memory begins at 16 bytes and no more.
constexpr size_t kSharedBegin = 48;
alignas(1024) char shared_window[kSharedBegin + kSharedLimit + kGuard];
char* const shared_memory = shared_window + kSharedBegin;

void thread_main() {
  launched->kernel->invoke(launched->kernel->function, launched->parameters);
  running->state = State::Done;
  Warp& warp = *block.warps[static_cast<size_t>(running->id / 32)];
  warp.alive &= ~(1u << (running->id % 32));
  switch_to(running->fiber, scheduler);
  std::abort();
}

void run_thread(Thread& thread) {
  running = &thread;
  threadIdx = thread.index;
  switch_to(scheduler, thread.fiber);
}

void give_way() { switch_to(running->fiber, scheduler); }

// The lanes of a mask that have all arrived go on.
void settle(Warp& warp, size_t base, unsigned mask) {
  const unsigned needed = mask & warp.alive;
  if ((warp.arrived & needed) != needed) return;
  for (int lane = 0; lane < 32; lane++) {
    if (!(needed >> lane & 1)) continue;
    Thread& thread = *block.threads[base + static_cast<size_t>(lane)];
    if (thread.state != State::AtExchange || thread.wait_mask != mask) return;
  }
  warp.turn = (warp.turn + 1) % 4;
  std::memcpy(warp.given[warp.turn], warp.brought, sizeof warp.brought);
  for (int lane = 0; lane < 32; lane++) {
    if (!(needed >> lane & 1)) continue;
    Thread& thread = *block.threads[base + static_cast<size_t>(lane)];
    thread.state = State::Ready;
    thread.turn = warp.turn;
  }
  warp.arrived &= ~needed;
}

// Runs the threads of one block to the end.
void run_block() {
  for (auto& warp : block.warps) warp->arrived = warp->alive = 0;
  for (size_t i = 0; i < block.count; i++) {
    Thread& thread = *block.threads[i];
    thread.state = State::Ready;
    thread.open.clear();
    thread.groups.clear();
    thread.ready = nullptr;
    prepare(thread.fiber, thread_main);
    block.warps[i / 32]->alive |= 1u << (i % 32);
  }
  // A thread that never gives way needs no second visit.
  begin_asynchronous(shared_window, shared_memory, launched->shared_bytes);
  for (size_t done = 0; done < block.count;) {
    bool progress = false;
    done = 0;
    size_t at_barrier = 0;
    for (size_t i = 0; i < block.count; i++) {
      Thread& thread = *block.threads[i];
      if (thread.state == State::Ready) {
        progress = true;
        run_thread(thread);
      }
      if (thread.state == State::Done) done++;
      if (thread.state == State::AtBarrier) at_barrier++;
    }
    // Threads that ended count as arrived.
    for (size_t w = 0; w < block.warps.size() && w * 32 < block.count; w++) {
      Warp& warp = *block.warps[w];
      for (int lane = 0; lane < 32 && w * 32 + static_cast<size_t>(lane) < block.count; lane++) {
        Thread& thread = *block.threads[w * 32 + static_cast<size_t>(lane)];
        if (thread.state != State::AtExchange) continue;
        settle(warp, w * 32, thread.wait_mask);
        progress = progress || thread.state == State::Ready;
      }
    }
    if (at_barrier > 0 && at_barrier + done == block.count) {
      progress = true;
      for (size_t i = 0; i < block.count; i++)
        if (block.threads[i]->state == State::AtBarrier) block.threads[i]->state = State::Ready;
    }
    for (size_t i = 0; i < block.count; i++) {
      Thread& thread = *block.threads[i];
      if (thread.state != State::AtCondition || !thread.ready()) continue;
      thread.state = State::Ready;
      progress = true;
    }
    if (!progress && done < block.count && !asynchronous_progress()) {
      std::string where;
      for (size_t i = 0; i < block.count && where.size() < 200; i++) {
        Thread& thread = *block.threads[i];
        if (thread.state == State::AtBarrier) where += " " + std::to_string(i) + " at __syncthreads";
        if (thread.state == State::AtExchange) where += " " + std::to_string(i) + " at a warp's exchange";
        if (thread.state == State::AtCondition) where += " " + std::to_string(i) + " at " + thread.waits_for;
      }
      leave("threads wait for each other:" + where);
    }
  }
  end_asynchronous();
}

void use(size_t threads) {
  while (block.threads.size() < threads) {
    block.threads.push_back(std::make_unique<Thread>());
    block.threads.back()->id = static_cast<int>(block.threads.size()) - 1;
  }
  while (block.warps.size() * 32 < threads) block.warps.push_back(std::make_unique<Warp>());
  block.count = threads;
}

}  // namespace

std::string position() {
  if (!running) return "";
  auto text = [](const uint3& p) { return "(" + std::to_string(p.x) + "," + std::to_string(p.y) + "," + std::to_string(p.z) + ")"; };
  return "block " + text(blockIdx) + " thread " + text(running->index);
}

void leave(const std::string& error) {
  failure = error;
  siglongjmp(escape, 1);
}
void trap(const char* why) { leave(why); }

std::string execute(const Launch& launch) {
  launched = &launch;
  failure.clear();
  if (sigsetjmp(escape, 1) == 0) {
    gridDim = launch.grid;
    blockDim = launch.block;
    use(static_cast<size_t>(launch.block.x) * launch.block.y * launch.block.z);
    size_t id = 0;
    for (unsigned z = 0; z < launch.block.z; z++)
      for (unsigned y = 0; y < launch.block.y; y++)
        for (unsigned x = 0; x < launch.block.x; x++) block.threads[id++]->index = {x, y, z};
    for (unsigned z = 0; z < launch.grid.z; z++) {
      for (unsigned y = 0; y < launch.grid.y; y++) {
        for (unsigned x = 0; x < launch.grid.x; x++) {
          blockIdx = {x, y, z};
          // Shared memory begins as anything.
          std::memset(shared_memory, 0xB7, launch.shared_bytes + kGuard);
          run_block();
          for (size_t i = 0; i < kGuard; i++)
            if (shared_memory[launch.shared_bytes + i] != static_cast<char>(0xB7)) leave("a write beyond the end of dynamic shared memory");
        }
      }
    }
  }
  running = nullptr;
  return failure;
}

void* dynamic_shared() { return shared_memory; }

int lane() { return running->id % 32; }
int thread_id() { return running->id; }
size_t thread_total() { return block.count; }
int thread_registers() {
  const unsigned threads = launched->kernel->most_threads * launched->kernel->blocks;
  return static_cast<int>(std::min(65536 / threads / 8 * 8, 255u));
}

void wait_for(const char* what, const std::function<bool()>& ready) {
  if (ready()) return;
  running->ready = ready;
  running->waits_for = what;
  running->state = State::AtCondition;
  give_way();
}

void barrier() {
  running->state = State::AtBarrier;
  give_way();
}

const char (*exchange(unsigned mask, const void* mine, size_t bytes))[64] {
  Thread& thread = *running;
  Warp& warp = *block.warps[static_cast<size_t>(thread.id / 32)];
  const int lane = thread.id % 32;
  if (!(mask >> lane & 1)) leave("a lane calls a function of the warp with a mask that leaves it out");
  std::memcpy(warp.brought[lane], mine, bytes);
  warp.arrived |= 1u << lane;
  thread.wait_mask = mask;
  thread.state = State::AtExchange;
  give_way();
  return warp.given[thread.turn];
}

void async_copy(void* to, const void* from, size_t bytes, size_t valid) {
  running->open.push_back({static_cast<char*>(to), static_cast<const char*>(from), bytes, valid});
}
void async_commit() {
  running->groups.push_back(std::move(running->open));
  running->open.clear();
}
void async_wait(int groups_left) {
  while (running->groups.size() > static_cast<size_t>(groups_left)) {
    for (const AsyncCopy& copy : running->groups.front()) {
      std::memcpy(copy.to, copy.from, copy.valid);
      std::memset(copy.to + copy.valid, 0, copy.bytes - copy.valid);
    }
    running->groups.pop_front();
  }
}

}  // namespace emulation
