// Speed of float convolution against the measured peak of fused multiply-adds, one thread, on the layers of ResNet, MobileNetV2 and a small
// network: the direct product in both forms, and Winograd, planar and channels-last. Built and run by bench/kernels/run.sh conv
// [part of a name].
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "alone.h"
#include "cpu-avx/conv/winograd_last.h"

namespace torchscript {

namespace {

struct OneThread final : Runtime {
  std::vector<std::unique_ptr<char[]>> blocks;
  std::vector<size_t> sizes;
  size_t used = 0;
  void parallel_for(int64_t n, int64_t, void (*body)(void*, int64_t, int64_t), void* context) override { body(context, 0, n); }
  int num_threads() const override { return 1; }
  RandomSource& random() override { std::abort(); }
  void note(const char*) override {}
  void* scratch(size_t bytes) override {
    if (used == blocks.size() || sizes[used] < bytes) {
      blocks.resize(used);
      sizes.resize(used);
      blocks.emplace_back(new char[bytes + 64]);
      sizes.push_back(bytes);
    }
    return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(blocks[used++].get()) + 63) & ~uintptr_t{63});
  }
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
template <class F> double once(int repeat, const F& body) {
  const double start = seconds();
  for (int i = 0; i < repeat; i++) body();
  return (seconds() - start) / repeat;
}

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
  double least = 1;
  for (int i = 0; i < 40; i++) least = std::min(least, once(2000, [&] { kernels.tile_packed(tile); }));
  return 2.0 * static_cast<double>(k * kernels.mr * kernels.nr) / least;
}

struct Layer { const char* name; int64_t ic, oc, size, kernel, stride, groups; };
constexpr Layer kLayers[] = {
    {"resnet stem", 3, 64, 224, 7, 2, 1},
    {"resnet18 3x3 56", 64, 64, 56, 3, 1, 1},
    {"resnet18 3x3 28", 128, 128, 28, 3, 1, 1},
    {"resnet18 3x3 14", 256, 256, 14, 3, 1, 1},
    {"resnet18 3x3 7", 512, 512, 7, 3, 1, 1},
    {"resnet18 3x3/2 56", 64, 128, 56, 3, 2, 1},
    {"resnet18 3x3/2 28", 128, 256, 28, 3, 2, 1},
    {"resnet18 3x3/2 14", 256, 512, 14, 3, 2, 1},
    {"resnet50 1x1 56 64-256", 64, 256, 56, 1, 1, 1},
    {"resnet50 1x1 56 256-64", 256, 64, 56, 1, 1, 1},
    {"resnet50 1x1 28 512-128", 512, 128, 28, 1, 1, 1},
    {"resnet50 1x1 28 128-512", 128, 512, 28, 1, 1, 1},
    {"resnet50 1x1 14 1024-256", 1024, 256, 14, 1, 1, 1},
    {"resnet50 1x1 14 256-1024", 256, 1024, 14, 1, 1, 1},
    {"resnet50 1x1 7 2048-512", 2048, 512, 7, 1, 1, 1},
    {"resnet50 1x1 7 512-2048", 512, 2048, 7, 1, 1, 1},
    {"mobile stem", 3, 32, 224, 3, 2, 1},
    {"mobile 1x1 112 32-16", 32, 16, 112, 1, 1, 1},
    {"mobile 1x1 112 16-96", 16, 96, 112, 1, 1, 1},
    {"mobile 1x1 56 144-24", 144, 24, 56, 1, 1, 1},
    {"mobile 1x1 28 32-192", 32, 192, 28, 1, 1, 1},
    {"mobile 1x1 14 384-64", 384, 64, 14, 1, 1, 1},
    {"mobile 1x1 14 64-384", 64, 384, 14, 1, 1, 1},
    {"mobile 1x1 14 96-576", 96, 576, 14, 1, 1, 1},
    {"mobile 1x1 7 960-160", 960, 160, 7, 1, 1, 1},
    {"mobile 1x1 7 320-1280", 320, 1280, 7, 1, 1, 1},
    {"mobile dw 112", 32, 32, 112, 3, 1, 32},
    {"mobile dw/2 112", 96, 96, 112, 3, 2, 96},
    {"mobile dw 56", 144, 144, 56, 3, 1, 144},
    {"mobile dw 28", 192, 192, 28, 3, 1, 192},
    {"mobile dw 14", 384, 384, 14, 3, 1, 384},
    {"mobile dw 7", 960, 960, 7, 3, 1, 960},
    {"cnn 3x3 28 1-32", 1, 32, 28, 3, 1, 1},
    {"cnn 3x3 14 32-64", 32, 64, 14, 3, 1, 1},
};

void run(double top, const Layer& l) {
  ConvShape s;
  s.in_channels = l.ic;
  s.out_channels = l.oc;
  s.groups = l.groups;
  for (int d = 1; d < 3; d++) {
    s.in[d] = l.size;
    s.kernel[d] = l.kernel;
    s.stride[d] = l.stride;
    s.pad_low[d] = s.pad_high[d] = l.kernel / 2;
    s.out[d] = (l.size + 2 * s.pad_low[d] - l.kernel) / l.stride + 1;
  }
  std::vector<float> in(static_cast<size_t>(l.ic * l.size * l.size), 0.01f), weight(static_cast<size_t>(l.oc * s.group_in() * l.kernel * l.kernel), 0.02f);
  std::vector<float> bias(static_cast<size_t>(l.oc), 1.0f), out(static_cast<size_t>(l.oc * s.out_pixels()));
  TensorView x;
  x.data = in.data();
  x.ndim = 4;
  const int64_t sizes[4] = {1, l.ic, l.size, l.size};
  for (int d = 3, stride = 1; d >= 0; d--) {
    x.sizes[d] = sizes[d];
    x.strides[d] = stride;
    stride *= static_cast<int>(sizes[d]);
  }
  OneThread runtime;
  ConvProblem<float> c;
  c.s = s;
  c.bias = bias.data();
  c.out = out.data();
  const double work = 2.0 * static_cast<double>(l.oc * s.out_pixels() * s.group_in() * s.taps());
  std::vector<int64_t> offsets(static_cast<size_t>(s.group_in() * s.taps()));
  std::vector<float> packs[8];
  // Channels-last: 5 direct or depthwise, 6 and 7 Winograd. The numbers are the same for any order of the input.
  TensorView last_x = x;
  last_x.strides[1] = 1;
  last_x.strides[3] = l.ic;
  last_x.strides[2] = l.ic * l.size;
  LastProblem last;
  last.s = s;
  last.bias = bias.data();
  last.out = out.data();
  std::vector<int> forms;
  if (s.is_depthwise()) {
    forms.push_back(4);
  } else {
    forms = {0, 1};
    for (int f = 0; f < 2; f++) {
      const ConvForm form = f ? ConvForm::PixelsFirst : ConvForm::FiltersFirst;
      packs[f].resize(WeightLayout<float>(s, form).bytes(s) / 4);
      pack_conv_weight<float>(s, form, weight.data(), packs[f].data());
    }
    if (can_use_winograd(s)) {
      for (int f = 2; f < 4; f++) {
        const int m = f == 2 ? 2 : 4;
        packs[f].resize(static_cast<size_t>(WinogradWeights(s).each * (m + 2) * (m + 2)));
        pack_winograd(s, m, weight.data(), packs[f].data());
        forms.push_back(f);
      }
    }
  }
  packs[5].resize(static_cast<size_t>(packed_last_elements(s)));
  pack_last(s, weight.data(), packs[5].data());
  forms.push_back(5);
  if (can_use_winograd(s)) {
    for (int f = 6; f < 8; f++) {
      const int m = f == 6 ? 2 : 4;
      packs[f].resize(static_cast<size_t>(WinogradLastWeights(s, WinogradLastTiles(s, m)).elements()));
      pack_winograd_last(s, m, weight.data(), packs[f].data());
      forms.push_back(f);
    }
  }
  LastImage last_in;
  last_image(s, last_x, last_in);
  auto body = [&](int f) {
    runtime.used = 0;
    if (f >= 5) {
      last.packed = packs[f].data();
      // The stem reads a planar image.
      if (f == 5) run_last(runtime, last, l.ic <= 4 ? x : last_x);
      else run_winograd_last(runtime, last, f == 6 ? 2 : 4, last_in);
      return;
    }
    if (f == 4) {
      c.image = image_layout<float>(s);
      tap_offsets(s, c.image, 1, offsets.data());
      c.offsets = offsets.data();
      run_depthwise(runtime, c, x, weight.data());
    } else if (f >= 2) {
      c.packed = packs[f].data();
      run_winograd(runtime, c, f == 2 ? 2 : 4, x);
    } else {
      c.image = stage_image<float>(runtime, s, x);
      tap_offsets(s, c.image, s.group_in(), offsets.data());
      c.offsets = offsets.data();
      c.packed = packs[f].data() + WeightLayout<float>::kHeader / 4;
      run_conv(runtime, c, f ? ConvForm::PixelsFirst : ConvForm::FiltersFirst);
    }
  };
  // The forms in turns, so that what else the machine does falls on all of them.
  double least[8];
  for (double& each : least) each = 1e9;
  const int repeat = std::max(1, static_cast<int>(1e7 / work));
  for (int round = 0; round < 100; round++) for (int f : forms) least[f] = std::min(least[f], once(repeat, [&] { body(f); }));
  const int size = winograd_size(s), last_size = winograd_last_size(s);
  const int planar = s.is_depthwise() ? 4 : size == 4 ? 3 : size == 2 ? 2 : choose_form<float>(s) == ConvForm::PixelsFirst ? 1 : 0;
  const int chosen = last_size == 4 ? 7 : last_size == 2 ? 6 : 5;
  static const char* names[8] = {"filters", "pixels", "F(2,3)", "F(4,3)", "depthwise", "last", "last F(2,3)", "last F(4,3)"};
  std::printf("%-26s %8.1f us %4.0f %% of peak ", l.name, 1e6 * least[chosen], 100 * work / least[chosen] / top);
  for (int f : forms) std::printf(" %s%s %.1f", f == chosen || f == planar ? "*" : "", names[f], work / least[f] / 1e9);
  std::printf("\n");
}

}  // namespace
}  // namespace torchscript

int main(int argc, char** argv) {
  using namespace torchscript;
  const double top = peak();
  std::printf("%s, peak %.1f GFLOP/s; GFLOP/s of the direct product's operations\n", tile_kernels<float>().name, top / 1e9);
  for (const auto& l : kLayers) if (argc < 2 || std::strstr(l.name, argv[1])) run(top, l);
}
