// _pack_padded_sequence and _pad_packed_sequence on the device. Lengths and batch sizes are read on the CPU, where a step is a copy of as many rows
// as are not done.
#include <vector>

#include "cpu-avx/create.h"
#include "cuda/rows.h"

namespace torchscript::cuda {
namespace {

std::vector<int64_t> numbers_of(const TensorView& v) {
  std::vector<int64_t> out(static_cast<size_t>(v.sizes[0]));
  for (size_t i = 0; i < out.size(); i++) out[i] = v.ptr<int64_t>()[static_cast<int64_t>(i) * v.strides[0]];
  return out;
}
void write_numbers(const TensorView& out, const std::vector<int64_t>& values) {
  accelerator()->copy_in(out.device, out.data, values.data(), values.size() * 8);
}
// Rows 0 .. n of step t of a padded tensor.
TensorView rows_at(const TensorView& padded, bool batch_first, int64_t t, int64_t n) {
  const int step = batch_first ? 1 : 0, batch = 1 - step;
  TensorView v = padded;
  v.data = static_cast<char*>(v.data) + t * padded.strides[step] * dtype_size(padded.dtype);
  v.ndim--;
  v.sizes[0] = n;
  v.strides[0] = padded.strides[batch];
  for (int d = 1; d < v.ndim; d++) v.sizes[d] = padded.sizes[d + 1], v.strides[d] = padded.strides[d + 1];
  return v;
}
// Rows first .. first + n of a packed tensor.
TensorView rows_from(const TensorView& packed, int64_t first, int64_t n) {
  TensorView v = packed;
  v.data = static_cast<char*>(v.data) + first * packed.strides[0] * dtype_size(packed.dtype);
  v.sizes[0] = n;
  return v;
}

// (input, lengths, batch_first) -> data, batch_sizes. Lengths decrease.
void run_pack(Call& call) {
  const std::vector<int64_t> lengths = numbers_of(call.tensor(1));
  std::vector<int64_t> sizes;
  int64_t first = 0, n = static_cast<int64_t>(lengths.size());
  for (int64_t t = 0; t < lengths[0]; t++) {
    while (lengths[static_cast<size_t>(n - 1)] <= t) n--;
    sizes.push_back(n);
    const TensorView to = rows_from(call.outputs[0], first, n);
    if (to.numel() > 0) copy_strided(to, rows_at(call.tensor(0), call.args[2].b, t, n), call.runtime);
    first += n;
  }
  write_numbers(call.outputs[1], sizes);
}

// (data, batch_sizes, batch_first, padding_value, total_length) -> padded, lengths
void run_pad(Call& call) {
  const TensorView &data = call.tensor(0), &out = call.outputs[0];
  const std::vector<int64_t> sizes = numbers_of(call.tensor(1));
  std::vector<int64_t> lengths(static_cast<size_t>(sizes[0]));
  for (const int64_t n : sizes)
    for (int64_t b = 0; b < n; b++) lengths[static_cast<size_t>(b)]++;
  write_numbers(call.outputs[1], lengths);
  if (out.numel() == 0) return;
  const Scratch memory(out.device, 16);
  alignas(16) char element[16] = {};
  write_element(call.args[3], out.dtype, element);
  TensorView padding = out;
  padding.data = memory.ptr<void>();
  padding.ndim = 0;
  fill_dense(padding, element, call.runtime);
  padding = out;
  padding.data = memory.ptr<void>();
  for (int d = 0; d < out.ndim; d++) padding.strides[d] = 0;
  copy_strided(out, padding, call.runtime);
  int64_t first = 0;
  for (size_t t = 0; t < sizes.size(); t++) {
    copy_strided(rows_at(out, call.args[2].b, static_cast<int64_t>(t), sizes[t]), rows_from(data, first, sizes[t]), call.runtime);
    first += sizes[t];
  }
}

TS_CUDA_KERNEL(pack_padded_sequence, {.run = run_pack, .waits = true, .on_host = 2});
TS_CUDA_KERNEL(pad_packed_sequence, {.run = run_pad, .waits = true, .on_host = 2});

}  // namespace
}  // namespace torchscript::cuda
