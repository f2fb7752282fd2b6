// Runs plans without Node, for builds with sanitizers. Usage: driver <mode> <plan files>
//   values   recorded runs give what unrecorded ones give
//   threads  many threads run one program
//   damage   damaged plans are refused or run without memory errors
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/errors.h"
#include "core/program.h"
#include "core/thread_pool.h"

using namespace torchscript;

namespace {

std::vector<uint8_t> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

uint32_t state = 1;
uint32_t next_random() {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

std::vector<Value> make_args(uint32_t seed) {
  std::vector<Value> args;
  for (int i = 0; i < 3; i++) {
    auto t = Tensor::empty(DType::F32, {3, 3});
    for (int k = 0; k < 9; k++)
      t->view.ptr<float>()[k] = static_cast<float>(static_cast<int>((seed * 31 + static_cast<uint32_t>(i * 9 + k) * 17) % 9) - 4) / 4;
    args.emplace_back(std::move(t));
  }
  return args;
}

std::vector<float> numbers(const Value& value) {
  std::vector<float> all;
  KernelRuntime runtime;
  for (const Value& item : value.to_list().items) {
    const Tensor& t = item.to_tensor();
    auto copy = Tensor::empty(t.dtype(), t.view.sizes, t.dim());
    copy_views(runtime, copy->view, t.view);
    all.insert(all.end(), copy->view.ptr<float>(), copy->view.ptr<float>() + copy->numel());
  }
  return all;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

std::vector<float> run(Program& program, uint32_t seed) {
  std::vector<Value> args = make_args(seed);
  return numbers(program.run(program.function(0), args.data(), args.size(), nullptr));
}

int check_values(const char* path) {
  std::vector<uint8_t> bytes = read_file(path);
  Ref<Program> recording = Program::load(bytes.data(), bytes.size(), {}, nullptr);
  Ref<Program> plain = Program::load(bytes.data(), bytes.size(), {}, nullptr);
  plain->recording = false;
  for (uint32_t seed = 0; seed < 4; seed++) {
    if (!same(run(*recording, seed), run(*plain, seed))) {
      std::fprintf(stderr, "%s: run %u differs from the unrecorded one\n", path, seed);
      return 1;
    }
  }
  return 0;
}

int check_threads(const char* path) {
  std::vector<uint8_t> bytes = read_file(path);
  Ref<Program> program = Program::load(bytes.data(), bytes.size(), {}, nullptr);
  Ref<Program> plain = Program::load(bytes.data(), bytes.size(), {}, nullptr);
  plain->recording = false;
  std::vector<std::vector<float>> expected;
  for (uint32_t seed = 0; seed < 8; seed++) expected.push_back(run(*plain, seed));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; k++) {
    threads.emplace_back([&] {
      for (uint32_t seed = 0; seed < 8; seed++)
        if (!same(run(*program, seed), expected[seed])) wrong++;
      // The pool from several callers, and an exception through it.
      std::atomic<int64_t> sum{0};
      auto add = [](void* context, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) static_cast<std::atomic<int64_t>*>(context)->fetch_add(i);
      };
      parallel_for(1000, 10, add, &sum);
      if (sum != 499500) wrong++;
      try {
        parallel_for(
          1000, 10,
          [](void*, int64_t, int64_t end) {
            if (end > 500) throw OperatorError("stop");
          },
          nullptr);
        wrong++;
      } catch (const OperatorError&) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (wrong) std::fprintf(stderr, "%s: %d wrong results\n", path, wrong.load());
  return wrong ? 1 : 0;
}

// A damaged program may run forever: each batch has a process and a time limit of its own.
int check_damage(const char* path) {
  std::vector<uint8_t> bytes = read_file(path);
  state = static_cast<uint32_t>(bytes.size()) * 2654435761u | 1;
  int failures = 0;
  for (int batch = 0; batch < 8; batch++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(10);
      set_num_threads(1);
      state += static_cast<uint32_t>(batch) * 977 + 1;
      for (int i = 0; i < 200; i++) {
        std::vector<uint8_t> damaged = bytes;
        for (uint32_t n = 1 + next_random() % 3; n > 0; n--)
          damaged[next_random() % damaged.size()] = static_cast<uint8_t>(next_random() % 3 == 0 ? next_random() : next_random() % 8);
        if (next_random() % 8 == 0) damaged.resize(next_random() % damaged.size());
        try {
          Ref<Program> program = Program::load(damaged.data(), damaged.size(), {}, nullptr);
          if (program->plan().functions.empty() || program->plan().functions[0]->parameters.size() != 3) continue;
          for (uint32_t seed = 0; seed < 2; seed++) run(*program, seed);
        } catch (const std::exception&) {
        }
      }
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    if (!hung && status != 0) {
      std::fprintf(stderr, "%s: batch %d of damaged plans failed (status %d)\n", path, batch, status);
      failures++;
    }
  }
  return failures ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  int failures = 0;
  set_num_threads(4);
  for (int i = 2; i < argc; i++) {
    try {
      if (std::strcmp(argv[1], "values") == 0) failures += check_values(argv[i]);
      else if (std::strcmp(argv[1], "threads") == 0) failures += check_threads(argv[i]);
      else failures += check_damage(argv[i]);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", argv[i], e.what());
      failures++;
    }
  }
  std::printf("%s: %d plans, %d failures\n", argc > 1 ? argv[1] : "", argc - 2, failures);
  return failures ? 1 : 0;
}
