// Linear layers whose packed weights are kept in 16 bits: what a few rows wait for is the memory that holds the weights. Products and sums are
// float, so only the weights are rounded.
#include <cmath>
#include <string>

#include "cpu-avx/gemm/epilogue.h"
#include "cpu-avx/gemm/half_inner.h"
#include "cpu-avx/gemm/linear.h"

namespace torchscript {
namespace {

// More rows than this find the panel widened by the first of them. Tiles of few rows would wait for its stores, and more of them widen it again.
int64_t widened_rows(int64_t tile_rows) { return tile_rows > 8 ? tile_rows : 24; }

HalfStorage storage_argument(const Call& call) {
  const Arg& arg = call.args[5];
  const std::string name = arg.kind == ArgKind::String ? std::string(arg.str.p, static_cast<size_t>(arg.str.n)) : "";
  if (name == "float16") return HalfStorage::Float16;
  if (name == "bfloat16") return HalfStorage::BFloat16;
  fail("Expected float16 or bfloat16 for `storage` but received '%s'", name.c_str());
}

// The call with its weight as [out, in], whichever way round it came.
struct LinearCall {
  Call call;
  Arg args[5];
  TensorView weight;

  explicit LinearCall(const Call& given) : call(given) {
    tensor_argument(given, 0, "linear_compressed", "input");
    const TensorView& w = tensor_argument(given, 1, "linear_compressed", "weight");
    const bool transposed = given.args[6].as_int() != 0;
    if (transposed && given.tensor(0).ndim != 2) fail("mat1 must be a matrix, got %d-D tensor", given.tensor(0).ndim);
    if (w.ndim != 2) fail("Expected a matrix for `weight` of linear_compressed but received %d dimensions", w.ndim);
    for (int i = 0; i < 5; i++) args[i] = given.args[i];
    weight = w;
    if (transposed) {
      std::swap(weight.sizes[0], weight.sizes[1]);
      std::swap(weight.strides[0], weight.strides[1]);
    }
    args[1].tensor = &weight;
    call.args = args;
    call.nargs = 5;
    call.packed = nullptr;
  }
  LinearCall(const LinearCall&) = delete;
};

void infer(Call& call) {
  storage_argument(call);
  LinearCall linear(call);
  linear_epilogue_infer(linear.call);
}

size_t pack_bytes(const Call& call) {
  if (call.args[1].kind != ArgKind::Tensor || call.tensor(1).dtype != DType::F32 || call.tensor(1).ndim != 2) return 0;
  const LinearCall linear(call);
  return packed_b_elements<float>(linear.weight.sizes[1], linear.weight.sizes[0]) * sizeof(uint16_t);
}

// Numbers beyond what the storage holds become its largest ones.
uint16_t rounded(float x, HalfStorage storage) {
  const bool is_half = storage == HalfStorage::Float16;
  const uint16_t bits = is_half ? float_to_half_bits(x) : float_to_bfloat_bits(x);
  const uint16_t infinity = is_half ? 0x7c00 : 0x7f80;
  return (bits & 0x7fff) == infinity && std::isfinite(x) ? static_cast<uint16_t>(bits - 1) : bits;
}

void pack(const Call& call, void* packed) {
  const LinearCall linear(call);
  const HalfStorage storage = storage_argument(call);
  const TensorView& w = linear.weight;
  const int64_t n = w.sizes[0], k = w.sizes[1], nr = tile_kernels<float>().nr;
  auto body = [&](int64_t begin, int64_t end) {
    float* panel = thread_scratch<float>(kSlotPackB, static_cast<size_t>(k * nr));
    for (int64_t p = begin; p < end; p++) {
      const int columns = static_cast<int>(std::min(nr, n - p * nr));
      tile_kernels<float>().pack_b(w.ptr<float>() + p * nr * w.strides[0], w.strides[1], w.strides[0], k, columns, panel);
      uint16_t* to = static_cast<uint16_t*>(packed) + p * k * nr;
      for (int64_t i = 0; i < k * nr; i++) to[i] = rounded(panel[i], storage);
    }
  };
  call.runtime->parallel(panel_count<float>(n), 1, body);
}

struct Layer {
  int64_t m, n, k;
  const float* a;
  const uint16_t* packed;
  HalfStorage storage;
  const float* bias;
  const float* residual;
  float* c;
  Activation activation;
};

// One panel's columns for at most HalfKernels::rows rows.
void few_rows(const Layer& layer, int64_t p, int64_t row, int rows, int64_t nr, float* wide) {
  float* sums = thread_scratch<float>(kSlotUser, static_cast<size_t>(rows * nr));
  half_kernels().panel_rows(layer.a + row * layer.k, layer.k, rows, layer.packed + p * layer.k * nr, layer.k, layer.storage, sums, wide);
  const int64_t columns = std::min(nr, layer.n - p * nr);
  for (int i = 0; i < rows; i++) {
    float* c = layer.c + (row + i) * layer.n + p * nr;
    const float* bias = layer.bias ? layer.bias + p * nr : nullptr;
    for (int64_t j = 0; j < columns; j++) c[j] = bias ? sums[i * nr + j] + bias[j] : sums[i * nr + j];
  }
  float* c = layer.c + row * layer.n + p * nr;
  const float* residual = layer.residual ? layer.residual + row * layer.n + p * nr : nullptr;
  tile_kernels<float>().epilogue(c, layer.n, residual, layer.n, rows, columns, layer.activation);
}

// One panel's columns for all rows: the first ones widen the panel, the others find it in cache.
void many_rows(const Layer& layer, int64_t p, int64_t nr) {
  const int64_t most = half_kernels().rows, first = layer.m / ((layer.m + most - 1) / most);
  float* wide = thread_scratch<float>(kSlotUser2, static_cast<size_t>(layer.k * nr));
  few_rows(layer, p, 0, static_cast<int>(first), nr, wide);
  Gemm<float> g;
  g.m = layer.m - first;
  g.n = std::min(nr, layer.n - p * nr);
  g.k = layer.k;
  g.a = layer.a + first * layer.k;
  g.a_row = layer.k;
  g.packed_b = wide;
  g.c = layer.c + first * layer.n + p * nr;
  g.c_row = g.residual_row = layer.n;
  if (layer.bias) g.bias_n = layer.bias + p * nr;
  if (layer.residual) g.residual = layer.residual + first * layer.n + p * nr;
  g.activation = layer.activation;
  gemm_block(g, 0, g.m, 0, 1);
}

void run_packed(Call& call, const TensorView* residual, Activation activation, const void* packed, HalfStorage storage) {
  Runtime& runtime = *call.runtime;
  const TensorView &w = call.tensor(1), &out = call.outputs[0];
  const TensorView* bias = call.optional_tensor(2);
  Layer layer;
  layer.n = w.sizes[0];
  layer.k = w.sizes[1];
  layer.m = layer.n == 0 ? 0 : out.numel() / layer.n;
  layer.a = stage<float>(runtime, call.tensor(0));
  layer.packed = static_cast<const uint16_t*>(packed);
  layer.storage = storage;
  layer.bias = bias ? stage<float>(runtime, *bias) : nullptr;
  layer.residual = residual ? stage<float>(runtime, *residual) : nullptr;
  layer.activation = activation;
  layer.c = output_block<float>(runtime, out);
  runtime.note(half_kernels().name);
  const int64_t nr = tile_kernels<float>().nr, most = half_kernels().rows;
  const int64_t work = std::max<int64_t>(1, std::max(layer.m * layer.k * nr / 2, layer.k * nr * 2));
  runtime.parallel(panel_count<float>(layer.n), std::max<int64_t>(1, kBytesPerPiece / work), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      if (layer.m > widened_rows(most)) {
        many_rows(layer, p, nr);
        continue;
      }
      const int64_t tiles = (layer.m + most - 1) / most;
      for (int64_t t = 0; t < tiles; t++) {
        const int64_t row = layer.m * t / tiles, next = layer.m * (t + 1) / tiles;
        few_rows(layer, p, row, static_cast<int>(next - row), nr, nullptr);
      }
    }
  });
  finish_output(layer.c, out);
}

// Without packed weights it is the layer as it was, with its own weights.
void run(Call& call) {
  const HalfStorage storage = storage_argument(call);
  LinearCall linear(call);
  const TensorView& weight = linear.weight;
  const TensorView* bias = call.optional_tensor(2);
  const bool suits = call.packed && weight.sizes[1] > 0 && call.tensor(0).dtype == DType::F32 &&
                     (!bias || (bias->ndim == 1 && bias->sizes[0] == weight.sizes[0]));
  if (!suits) return linear_epilogue_run(linear.call);
  run_epilogue(linear.call, 3, 4, linear_infer, [&](Call& inner, const TensorView* residual, Activation activation) {
    run_packed(inner, residual, activation, call.packed, storage);
  });
}

TS_KERNEL(linear_compressed, {.infer = infer, .run = run, .pack_arg = 1, .pack_bytes = pack_bytes, .pack = pack});

}  // namespace
}  // namespace torchscript
