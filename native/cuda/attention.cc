// scaled_dot_product_attention, attention and flash_attention_for_cpu on the device.
#include <cstdio>

#include "cpu-avx/attention_problem.h"
#include "cuda/kernels/attention_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

// Strides over the batch with its last dimension in two: heads that share a key's head, which `shared` are.
void batch_strides(const AttentionProblem& p, const TensorView& v, int64_t shared, int64_t* to) {
  for (int d = 0; d < p.nb; d++) to[d] = v.strides[d];
  if (p.nb == 0) return;
  const int64_t last = v.strides[p.nb - 1];
  // Its own heads are fewer: one for `shared` of the query's.
  const bool fewer = v.sizes[p.nb - 1] != p.batch[p.nb - 1];
  to[p.nb - 1] = fewer ? last : last * shared;
  to[p.nb] = fewer ? 0 : last;
}
int64_t shared_heads(const AttentionProblem& p, const TensorView& v) {
  const int64_t own = p.nb > 0 ? v.sizes[p.nb - 1] : 1, all = p.nb > 0 ? p.batch[p.nb - 1] : 1;
  return own > 0 && own != all ? all / own : 1;
}

// Rows are dense and begin at 16 bytes in every matrix.
bool has_vectors(const TensorView& v, int nb) {
  bool fits = (v.strides[nb + 1] == 1 || v.sizes[nb + 1] == 1) && aligned_16(v.data);
  for (int d = 0; d <= nb; d++) fits = fits && (v.sizes[d] <= 1 || v.strides[d] % 8 == 0);
  return fits;
}
bool suits_tensor_cores(const AttentionProblem& p, const TensorView& out) {
  if ((out.dtype != DType::F16 && out.dtype != DType::BF16) || enter(out.device).properties.major < 8) return false;
  return p.dim <= 256 && p.value_dim <= 256 && has_vectors(p.q, p.nb) && has_vectors(p.k, p.nb) && has_vectors(p.v, p.nb);
}

template <const AttentionArguments& At> void run(Call& call) {
  const AttentionProblem p = attention_problem(call, At);
  const TensorView& out = call.outputs[0];
  TensorView* sums = call.noutputs > 1 ? &call.outputs[1] : nullptr;
  if (p.count == 0 || p.length == 0) return;
  AttentionParams a;
  const int nb = p.nb;
  a.out = out.data;
  a.q = p.q.data;
  a.k = p.k.data;
  a.v = p.v.data;
  a.mask = p.has_mask ? p.mask.data : nullptr;
  a.sums = sums ? sums->data : nullptr;
  if (std::max({p.length, p.keys, p.dim, p.value_dim}) > INT32_MAX - 64) fail("Attention over 2^31 elements or more is not supported on CUDA");
  a.length = static_cast<int32_t>(p.length);
  a.keys = static_cast<int32_t>(p.keys);
  a.dim = static_cast<int32_t>(p.dim);
  a.value_dim = static_cast<int32_t>(p.value_dim);
  a.q_row = p.q.strides[nb], a.q_col = p.q.strides[nb + 1];
  a.k_row = p.k.strides[nb], a.k_col = p.k.strides[nb + 1];
  a.v_row = p.v.strides[nb], a.v_col = p.v.strides[nb + 1];
  a.out_row = out.strides[nb], a.out_col = out.strides[nb + 1];
  if (p.has_mask) {
    a.mask_row = p.mask.strides[nb], a.mask_col = p.mask.strides[nb + 1];
    a.mask_dtype = static_cast<int32_t>(p.mask.dtype);
  }
  if (sums) a.sums_row = sums->strides[nb];
  a.scale = p.scale;
  a.fill = p.fill;
  a.nothing = p.handwritten && p.keys > 0 ? std::numeric_limits<float>::quiet_NaN() : 0;
  a.causal = p.causal;
  a.sets = p.sets;
  const int64_t of_keys = shared_heads(p, p.k), of_values = shared_heads(p, p.v), shared = std::max(of_keys, of_values);
  if (of_keys != of_values && of_keys != 1 && of_values != 1) fail("Attention whose keys and values have different numbers of heads is not supported on CUDA");
  int64_t sizes[kMaxDims], strides[6][kMaxDims] = {};
  for (int d = 0; d < nb; d++) sizes[d] = p.batch[d];
  if (nb > 0) {
    sizes[nb - 1] /= shared;
    sizes[nb] = shared;
  }
  TensorView of_out = out, of_sums = sums ? *sums : out;
  const TensorView* views[] = {&of_out, &p.q, &p.k, &p.v, p.has_mask ? &p.mask : &of_out, &of_sums};
  const int64_t* rows[6];
  for (int i = 0; i < 6; i++) {
    batch_strides(p, *views[i], shared, strides[i]);
    rows[i] = strides[i];
  }
  if (!build_loop(a.batches, sizes, nb > 0 ? nb + 1 : 0, rows, 6)) fail("Attention of more than 2^31 heads is not supported on CUDA");
  const auto tiles = [](int64_t size) { return static_cast<unsigned>(std::max<int64_t>(1, (size + 63) / 64)); };
  if (suits_tensor_cores(p, out)) {
    a.out_vectors = has_vectors(out, nb);
    const int dim = static_cast<int>(std::max(p.dim, p.value_dim)), padded = dim <= 64 ? 64 : dim <= 128 ? 128 : 256, keys = padded == 256 ? 32 : 64;
    char name[64];
    std::snprintf(name, sizeof name, "attention_mma_%s_%d", out.dtype == DType::F16 ? "f16" : "bf16", padded);
    const size_t shared = static_cast<size_t>((64 + 2 * keys) * (padded * 2 + 16));
    return launch(out.device, call.runtime, name, {tiles(p.length), 1, std::min(a.batches.n, 65535u)}, {128}, shared, a);
  }
  if (tiles(p.value_dim) > 65535) fail("Attention with values of more than %d columns is not supported on CUDA", 65535 * 64);
  const Dim grid = {tiles(p.length), tiles(p.value_dim), std::min(a.batches.n, 65535u)};
  launch(out.device, call.runtime, KernelName("attention_", out.dtype), grid, {256}, 0, a);
}

template <const AttentionArguments& At> bool takes(const Call& call) {
  if (call.nargs < 3 || call.args[0].kind != ArgKind::Tensor) return false;
  const DType dtype = call.tensor(0).dtype;
  if (!is_real(dtype)) return false;
  // The batch with its heads in two needs a dimension more.
  for (int i = 0; i < 3; i++)
    if (call.args[i].kind == ArgKind::Tensor && call.args[i].tensor->ndim >= kMaxDims) return false;
  return true;
}
TS_CUDA_KERNEL(scaled_dot_product_attention, {.run = run<kAttention>, .accepts = takes<kAttention>});
TS_CUDA_KERNEL(attention, {.run = run<kHandwritten>, .accepts = takes<kHandwritten>});
TS_CUDA_KERNEL(flash_attention_for_cpu, {.run = run<kFlash>, .accepts = takes<kFlash>});

}  // namespace
}  // namespace torchscript::cuda
