// Fused chains of ten pointwise operators against one read-and-write pass over the same memory, by as many threads. Built and run by
// bench/kernels/run.sh.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "alone.h"
#include "core/thread_pool.h"
#include "cpu-avx/fused.h"

namespace torchscript {

void fail_as(const char*, const char* format, ...) { fail("%s", format); }
const char* dtype_name(DType) { return "dtype"; }
KernelRegistration::KernelRegistration(Kernel*) {}

namespace {

struct Pooled final : Runtime {
  void parallel_for(int64_t n, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) override {
    if (n <= grain) body(context, 0, n);
    else torchscript::parallel_for(n, grain, body, context);
  }
  int num_threads() const override { return get_num_threads(); }
  RandomSource& random() override { std::abort(); }
  void note(const char*) override {}
  void* scratch(size_t bytes) override {
    blocks.emplace_back(bytes + 64);
    return blocks.back().data();
  }
  std::vector<std::vector<char>> blocks;
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Spec {
  const char* name;
  const char* program;
  std::vector<double> numbers;
};

float* floats(int64_t n) { return static_cast<float*>(std::aligned_alloc(1 << 21, static_cast<size_t>((n * 4 + (1 << 21) - 1) >> 21 << 21))); }

void measure(const Spec& spec, int64_t n, int threads) {
  set_num_threads(threads);
  float *x = floats(n), *y = floats(n);
  for (int64_t i = 0; i < n; i++) {
    x[i] = static_cast<float>(i % 1000) * 1e-2f - 5;
    y[i] = 0;
  }
  std::vector<TensorView> views(1);
  views[0].ndim = 1;
  views[0].sizes[0] = n;
  views[0].strides[0] = 1;
  views[0].data = x;
  std::vector<Arg> args(2 + spec.numbers.size());
  args[0].kind = ArgKind::String;
  args[0].str = {spec.program, static_cast<int64_t>(std::strlen(spec.program))};
  args[1].kind = ArgKind::Tensor;
  args[1].tensor = views.data();
  for (size_t i = 0; i < spec.numbers.size(); i++) {
    args[2 + i].kind = ArgKind::Float;
    args[2 + i].d = spec.numbers[i];
  }
  TensorView out;
  Pooled runtime;
  Call call;
  call.args = args.data();
  call.nargs = static_cast<int>(args.size());
  call.outputs = &out;
  call.noutputs = 1;
  call.runtime = &runtime;
  std::string reason;
  const auto group = FusedGroup::build(call, &reason);
  if (!group) {
    std::printf("%s: %s\n", spec.name, reason.c_str());
    return;
  }
  group->describe(call);
  out.data = y;
  std::vector<char> workspace(call.workspace_bytes + 64);
  call.workspace = workspace.data();
  // The pass is the machine's own pipeline with nothing between the load and the store.
  const PipelineTable& table = fused_table().f32;
  const bool streams = n * 4 >= (int64_t{32} << 20);
  Stage stages[3] = {{table.other(StageKind::Load), {reinterpret_cast<char*>(x)}, {4, 0, 0}},
                     {table.other(streams ? StageKind::Stream : StageKind::Store), {reinterpret_cast<char*>(y)}, {4, 0, 0}},
                     {table.other(StageKind::End), {}, {}}};
  const auto pass = [&] {
    runtime.parallel(n / 16384, 1, [&](int64_t begin, int64_t end) {
      table.run(stages, begin * 16384, end * 16384);
      if (streams) fused_table().fence();
    });
  };
  const auto library = [&] {
    runtime.parallel(n / 16384, 1, [&](int64_t begin, int64_t end) {
      std::memcpy(y + begin * 16384, x + begin * 16384, static_cast<size_t>((end - begin) * 16384 * 4));
    });
  };
  const auto fused = [&] { group->run(call); };
  std::vector<double> times[3];
  const auto time = [](std::vector<double>& list, const auto& body) {
    const double start = seconds();
    body();
    list.push_back(seconds() - start);
  };
  const int rounds = static_cast<int>(std::max<int64_t>(12, (int64_t{80} << 20) / n));
  for (int round = 0; round < rounds; round++) {
    time(times[0], pass);
    time(times[1], library);
    time(times[2], fused);
  }
  double least[3], middle[3];
  for (int k = 0; k < 3; k++) {
    std::sort(times[k].begin(), times[k].end());
    least[k] = times[k][0] * 1e3;
    middle[k] = times[k][times[k].size() / 2] * 1e3;
  }
  std::printf("%-16s %5.1f M %d thread%s  fused %6.2f (%6.2f) ms   pass %6.2f (%6.2f)   memcpy %6.2f (%6.2f)   ratio to the pass %.2f (%.2f)\n", spec.name,
              static_cast<double>(n) / (1 << 20), threads, threads > 1 ? "s" : " ", least[2], middle[2], least[0], middle[0], least[1], middle[1],
              least[2] / least[0], middle[2] / middle[0]);
  std::free(x);
  std::free(y);
}

}  // namespace
}  // namespace torchscript

int main(int argc, char** argv) {
  using namespace torchscript;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("%s: minima and medians\n", fused_table().label);
  const Spec specs[] = {
    {"cheap", "mul i0 i1;add v0 i2 i3;relu v1;sub v2 i1 i3;clamp v3 i4 i5;abs v4;neg v5;mul v6 v6;add v7 i2 i3;maximum v8 v8>v9",
     {1.5, 0.25, 1, -4, 4}},
    {"residual", "mul i0 i1;add v0 i0 i3;relu v1;sub v2 i0 i3;clamp v3 i4 i5;abs v4;neg v5;mul v6 i0;add v7 i0 i3;relu v8>v9", {1.5, 0.25, 1, -4, 4}},
    {"transcendental", "mul i0 i1;add v0 i2 i3;tanh v1;sub v2 i1 i3;sigmoid v3;abs v4;exp v5;mul v6 v6;add v7 i2 i3;relu v8>v9", {1.5, 0.25, 1}},
  };
  for (const Spec& spec : specs) {
    if (argc > 1 && std::strcmp(argv[1], spec.name) != 0) continue;
    for (int64_t millions : {1, 4, 16})
      for (int threads : {1, 2}) measure(spec, millions << 20, threads);
  }
  return 0;
}
