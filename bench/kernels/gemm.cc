// Speed of the float matrix product against the measured peak of fused multiply-adds, one thread, on the shapes of transformers and
// ResNet. Built and run by bench/kernels/run.sh.
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cpu-avx/gemm/gemm.h"

namespace torchscript {

Isa active_isa() {
  const char* name = std::getenv("TORCHSCRIPT_ISA");
  if (name && !std::strcmp(name, "scalar")) return Isa::Scalar;
  if (name ? !std::strcmp(name, "avx512") : __builtin_cpu_supports("avx512bw") != 0) return Isa::Avx512;
  return Isa::Avx2;
}
void fail(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::vfprintf(stderr, format, args);
  std::abort();
}

namespace {

struct OneThread final : Runtime {
  void parallel_for(int64_t n, int64_t, void (*body)(void*, int64_t, int64_t), void* context) override { body(context, 0, n); }
  int num_threads() const override { return 1; }
  RandomSource& random() override { std::abort(); }
  void note(const char*) override {}
  void* scratch(size_t) override { std::abort(); }
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Best of several runs of about 20 ms each.
template <class F> double best(double work, const F& body) {
  double least = 1e9;
  const int repeat = std::max(1, static_cast<int>(2e9 / work));
  for (int round = 0; round < 10; round++) {
    const double start = seconds();
    for (int i = 0; i < repeat; i++) body();
    least = std::min(least, (seconds() - start) / repeat);
  }
  return least;
}

// One tile whose panels stay in the first-level cache: nothing but multiply-adds is left to wait for.
double peak() {
  const auto& kernels = tile_kernels<float>();
  const int64_t k = 64;
  std::vector<float> a(static_cast<size_t>(k * kernels.mr), 1e-3f), b(static_cast<size_t>(k * kernels.nr), 1e-3f), c(static_cast<size_t>(kernels.mr * kernels.nr));
  Tile<float> tile{};
  tile.a = a.data();
  tile.b = b.data();
  tile.b_stride = kernels.nr;
  tile.k = k;
  tile.c = c.data();
  tile.c_stride = kernels.nr;
  tile.m = kernels.mr;
  tile.n = kernels.nr;
  tile.alpha = 1;
  const double work = 2.0 * static_cast<double>(k * kernels.mr * kernels.nr);
  return work / best(work, [&] { kernels.tile_packed(tile); });
}

void run(double top, int64_t m, int64_t n, int64_t k) {
  std::vector<float> a(static_cast<size_t>(m * k), 0.01f), w(static_cast<size_t>(n * k), 0.02f), bias(static_cast<size_t>(n), 1.0f), c(static_cast<size_t>(m * n));
  std::vector<float> packed(packed_b_elements<float>(k, n));
  pack_b_all<float>(nullptr, w.data(), 1, k, k, n, packed.data());
  Gemm<float> g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a.data();
  g.a_row = k;
  g.packed_b = packed.data();
  g.c = c.data();
  g.c_row = n;
  g.bias_n = bias.data();
  OneThread runtime;
  const double work = 2.0 * static_cast<double>(m * n * k);
  const double speed = work / best(work, [&] { gemm(runtime, g); });
  std::printf("%5lld x %5lld x %4lld  %6.1f GFLOP/s  %3.0f %%\n", static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), speed / 1e9, 100 * speed / top);
}

}  // namespace
}  // namespace torchscript

int main() {
  using namespace torchscript;
  const double top = peak();
  std::printf("%s, peak %.1f GFLOP/s\n", tile_kernels<float>().name, top / 1e9);
  const int64_t shapes[][3] = {{128, 768, 768}, {128, 3072, 768}, {128, 768, 3072}, {197, 768, 768}, {3136, 64, 64}, {784, 128, 512}, {49, 2048, 512}, {16, 3072, 768}, {1, 784, 128}, {1, 3072, 768}};
  for (const auto& s : shapes) run(top, s[0], s[1], s[2]);
}
