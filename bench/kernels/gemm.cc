// Speed of the float matrix product on one thread against what the machine can do: fused multiply-adds in registers, and reads from the
// level of the memory that holds the weights. Built and run by bench/kernels/run.sh.
//
// `floor` is the larger of the time of the multiply-adds at the measured peak and the time of reading the packed weights at the
// bandwidth of their level; the last column is floor / measured. Best of several rounds, peak and product in turn.
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "alone.h"
#include "cpu-avx/gemm/gemm.h"
#include "cpu-avx/gemm/strassen_twice.h"

#define LIMITS narrow
#define VECTOR_BYTES 32
#define LIMITS_TARGET __attribute__((target("avx2,fma"), noinline))
#include "limits.h"
#undef LIMITS
#undef VECTOR_BYTES
#undef LIMITS_TARGET
#define LIMITS wide
#define VECTOR_BYTES 64
#define LIMITS_TARGET __attribute__((target("avx512f"), noinline))
#include "limits.h"

namespace torchscript {

namespace {

struct OneThread final : Runtime {
  std::vector<void*> blocks;
  void parallel_for(int64_t n, int64_t, void (*body)(void*, int64_t, int64_t), void* context) override { body(context, 0, n); }
  int num_threads() const override { return 1; }
  RandomSource& random() override { std::abort(); }
  void note(const char*) override {}
  void* scratch(size_t bytes) override {
    blocks.push_back(std::aligned_alloc(64, (bytes + 127) & ~size_t{63}));
    return blocks.back();
  }
  void clear() {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
};

struct Aligned {
  float* data;
  explicit Aligned(size_t count, float value = 0.01f) {
    const size_t bytes = count * 4 + 64, page = bytes >= (1 << 20) ? 2 << 20 : 4096;
    data = static_cast<float*>(std::aligned_alloc(page, (bytes + page - 1) / page * page));
    if (page > 4096) madvise(data, (bytes + page - 1) / page * page, MADV_HUGEPAGE);
    for (size_t i = 0; i < count; i++) data[i] = value;
  }
  Aligned(Aligned&& other) : data(other.data) { other.data = nullptr; }
  ~Aligned() { std::free(data); }
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class F> double timed(int repeat, const F& body) {
  const double start = seconds();
  for (int i = 0; i < repeat; i++) body();
  return (seconds() - start) / repeat;
}

// FLOP/s of multiply-adds on registers.
double measure_peak() {
  double work = 0;
  const double time = timed(1, [&] { work = (active_isa() == Isa::Avx512 ? wide::multiply_adds : narrow::multiply_adds)(20000); });
  return work / time;
}
double measure_read(const float* p, int64_t bytes) {
  const int repeat = static_cast<int>(std::max<int64_t>(1, (8 << 20) / bytes));
  return static_cast<double>(bytes) / timed(repeat, [&] { (active_isa() == Isa::Avx512 ? wide::read_all : narrow::read_all)(p, bytes / 4); });
}

constexpr int64_t kColdBytes = 192 << 20;
double top = 0, bandwidth[4] = {};  // first, second and third level, memory
const char* const kLevels[] = {"L1", "L2", "L3", "DRAM"};
int level_of(int64_t bytes) { return bytes <= (24 << 10) ? 0 : bytes <= (768 << 10) ? 1 : bytes <= (24 << 20) ? 2 : 3; }

struct Shape {
  const char* name;
  int64_t m, n, k;
  bool cold;  // the weights come from memory, as those of a large model do
  bool subcubic = false;
};

void run(const Shape& s) {
  const int64_t m = s.m, n = s.n, k = s.k;
  Aligned a(static_cast<size_t>(m * k)), w(static_cast<size_t>(n * k), 0.02f), bias(static_cast<size_t>(n)), c(static_cast<size_t>(m * n));
  const size_t elements = packed_b_elements<float>(k, n), sums = s.subcubic ? strassen_kept_elements(k, n) : 0;
  const int64_t bytes = static_cast<int64_t>(elements) * 4;
  const int copies = s.cold ? static_cast<int>(kColdBytes / bytes + 1) : 1;
  std::vector<Aligned> packed;
  for (int i = 0; i < copies; i++) {
    packed.emplace_back(elements + sums);
    pack_b_all<float>(nullptr, w.data, 1, k, k, n, packed.back().data);
    if (sums) strassen_keep_sums(packed.back().data, k, n);
  }
  OneThread runtime;
  int next = 0;
  auto body = [&] {
    Gemm<float> g;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = a.data;
    g.a_row = k;
    g.packed_b = packed[static_cast<size_t>(next++ % copies)].data;
    g.c = c.data;
    g.c_row = n;
    g.bias_n = bias.data;
    if (sums) g.kept_sums = g.packed_b + elements;
    if (!s.subcubic || !strassen_twice_product(runtime, g)) gemm(runtime, g);
    runtime.clear();
  };
  const double work = 2.0 * static_cast<double>(m * n * k);
  double least = 1e9;
  body();
  const double once = timed(1, body);
  const int repeat = std::max(copies, static_cast<int>(0.003 / once));
  for (int round = 0; round < (repeat * once < 0.02 ? 25 : 8); round++) {
    top = std::max(top, measure_peak());
    least = std::min(least, timed(repeat, body));
  }
  const int level = s.cold ? 3 : level_of(bytes);
  const double compute = work / top, memory = static_cast<double>(bytes) / bandwidth[level];
  std::printf("%-22s %5lld %5lld %5lld %9.2f us %6.1f GFLOP/s %5.1f %% of peak %6.1f GB/s %-4s floor %9.2f us %5.1f %%\n", s.name,
              static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), least * 1e6, work / least / 1e9,
              100 * work / least / top, static_cast<double>(bytes) / least / 1e9, kLevels[level], std::max(compute, memory) * 1e6,
              100 * std::max(compute, memory) / least);
  std::fflush(stdout);
}

// Attention: heads of [rows][depth] inside [tokens][3 * heads * depth], scores = q k^T and out = scores v.
void run_batched(const char* name, int64_t heads, int64_t tokens, int64_t depth, bool transposed) {
  const int64_t row = 3 * heads * depth;
  Aligned qkv(static_cast<size_t>(tokens * row)), scores(static_cast<size_t>(heads * tokens * tokens)),
    out(static_cast<size_t>(tokens * heads * depth));
  auto body = [&] {
    for (int64_t h = 0; h < heads; h++) {
      Gemm<float> g;
      g.m = tokens;
      if (transposed) {
        g.n = tokens;
        g.k = depth;
        g.a = qkv.data + h * depth;
        g.a_row = row;
        g.b = qkv.data + (heads + h) * depth;
        g.b_row = 1;
        g.b_col = row;
        g.c = scores.data + h * tokens * tokens;
        g.c_row = tokens;
      } else {
        g.n = depth;
        g.k = tokens;
        g.a = scores.data + h * tokens * tokens;
        g.a_row = tokens;
        g.b = qkv.data + (2 * heads + h) * depth;
        g.b_row = row;
        g.c = out.data + h * depth;
        g.c_row = heads * depth;
      }
      gemm_serial(g);
    }
  };
  const double work = 2.0 * static_cast<double>(heads * tokens * tokens * depth);
  double least = 1e9;
  const double once = timed(1, body);
  const int repeat = std::max(1, static_cast<int>(0.003 / once));
  for (int round = 0; round < 25; round++) {
    top = std::max(top, measure_peak());
    least = std::min(least, timed(repeat, body));
  }
  std::printf("%-22s %lld heads, %lld tokens, depth %lld: %9.2f us %6.1f GFLOP/s %5.1f %% of peak\n", name, static_cast<long long>(heads),
              static_cast<long long>(tokens), static_cast<long long>(depth), least * 1e6, work / least / 1e9, 100 * work / least / top);
}

const Shape kShapes[] = {
  {"BERT qkv, proj", 128, 768, 768, false},
  {"BERT mlp up", 128, 3072, 768, false},
  {"BERT mlp down", 128, 768, 3072, false},
  {"BERT qkv merged", 128, 2304, 768, false},
  {"BERT mlp up, cold", 128, 3072, 768, true},
  {"BERT mlp down, cold", 128, 768, 3072, true},
  {"ViT proj", 197, 768, 768, false},
  {"ViT mlp up", 197, 3072, 768, false},
  {"ViT mlp down", 197, 768, 3072, false},
  {"ViT qkv merged", 197, 2304, 768, false},
  {"ResNet-50 conv2 1x1", 3136, 64, 64, false},
  {"ResNet-50 conv2 1x1 x4", 3136, 256, 64, false},
  {"ResNet-50 conv3 1x1", 784, 128, 512, false},
  {"ResNet-50 conv3 1x1 x4", 784, 512, 128, false},
  {"ResNet-50 conv4 1x1", 196, 256, 1024, false},
  {"ResNet-50 conv4 1x1 x4", 196, 1024, 256, false},
  {"ResNet-50 conv5 1x1", 49, 512, 2048, false},
  {"ResNet-50 conv5 1x1 x4", 49, 2048, 512, false},
  {"GPT-2 qkv, 16", 16, 2304, 768, true},
  {"GPT-2 proj, 16", 16, 768, 768, true},
  {"GPT-2 mlp up, 16", 16, 3072, 768, true},
  {"GPT-2 mlp down, 16", 16, 768, 3072, true},
  {"GPT-2 head, 16", 16, 50257, 768, true},
  {"GPT-2 mlp up, 2", 2, 3072, 768, true},
  {"GPT-2 mlp up, 4", 4, 3072, 768, true},
  {"GPT-2 mlp up, 8", 8, 3072, 768, true},
  {"GPT-2 mlp up, 12", 12, 3072, 768, true},
  {"GPT-2 mlp up, 24", 24, 3072, 768, true},
  {"GPT-2 mlp up, 31", 31, 3072, 768, true},
  {"GPT-2 decode mlp up", 1, 3072, 768, true},
  {"GPT-2 decode mlp down", 1, 768, 3072, true},
  {"GPT-2 decode head", 1, 50257, 768, true},
  {"GEMV in L3", 1, 3072, 768, false},
  {"GEMV in L2", 1, 256, 512, false},
  {"GEMV in L1", 1, 64, 64, false},
  {"MLP 1", 1, 128, 784, false},
  {"MLP 1, last", 1, 10, 128, false},
  {"MLP 32", 32, 128, 784, false},
  {"MLP 32, last", 32, 10, 128, false},
  {"Strassen BERT proj", 128, 768, 768, false, true},
  {"Strassen BERT qkv", 128, 2304, 768, false, true},
  {"Strassen BERT up", 128, 3072, 768, false, true},
  {"Strassen BERT up, cold", 128, 3072, 768, true, true},
  {"Strassen BERT down", 128, 768, 3072, false, true},
  {"Strassen BERT down, cold", 128, 768, 3072, true, true},
  {"Strassen ViT proj", 197, 768, 768, false, true},
  {"Strassen ViT qkv", 197, 2304, 768, false, true},
  {"Strassen ViT up, cold", 197, 3072, 768, true, true},
  {"Strassen ViT down, cold", 197, 768, 3072, true, true},
  {"Strassen MLP 24", 24, 128, 784, false, true},
  {"Strassen MLP 32", 32, 128, 784, false, true},
  {"Strassen MLP 64", 64, 128, 784, false, true},
  {"MLP 24", 24, 128, 784, false},
  {"MLP 64", 64, 128, 784, false},
};

}  // namespace
}  // namespace torchscript

int main(int argc, char** argv) {
  using namespace torchscript;
  const std::string filter = argc > 1 ? argv[1] : "";
  {
    const Aligned memory(static_cast<size_t>(kColdBytes / 4));
    const int64_t sizes[] = {16 << 10, 512 << 10, 12 << 20, kColdBytes};
    for (int round = 0; round < 8; round++) {
      top = std::max(top, measure_peak());
      for (int level = 0; level < 4; level++) {
        if (level == 3 && round >= 3) continue;
        bandwidth[level] = std::max(bandwidth[level], measure_read(memory.data, sizes[level]));
      }
    }
  }
  std::printf("%s: %.1f GFLOP/s; reads %.0f GB/s (16 KiB), %.0f (512 KiB), %.0f (12 MiB), %.1f (192 MiB)\n", tile_kernels<float>().name,
              top / 1e9, bandwidth[0] / 1e9, bandwidth[1] / 1e9, bandwidth[2] / 1e9, bandwidth[3] / 1e9);
  for (const Shape& s : kShapes)
    if (std::string(s.name).find(filter) != std::string::npos) run(s);
  if (std::string("attention").find(filter) != std::string::npos) {
    run_batched("BERT scores", 12, 128, 64, true);
    run_batched("BERT values", 12, 128, 64, false);
    run_batched("ViT scores", 12, 197, 64, true);
    run_batched("ViT values", 12, 197, 64, false);
  }
}
