// _pack_padded_sequence and _pad_packed_sequence. Elements are moved as bytes.
#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu-avx/gemm/staging.h"

namespace torchscript {
namespace {

using ll = long long;

// (input, lengths, batch_first) -> data, batch_sizes. Lengths decrease.
std::vector<int64_t> lengths_of(const Call& call) {
  const TensorView& lengths = tensor_argument(call, 1, "_pack_padded_sequence", "lengths");
  if (lengths.ndim != 1 || lengths.dtype != DType::I64)
    fail("'lengths' argument should be a 1D CPU int64 tensor, but got %dD %s tensor", lengths.ndim, dtype_torch_name(lengths.dtype));
  std::vector<int64_t> out(static_cast<size_t>(lengths.sizes[0]));
  for (size_t i = 0; i < out.size(); i++) out[i] = lengths.ptr<int64_t>()[static_cast<int64_t>(i) * lengths.strides[0]];
  return out;
}
void pack_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "_pack_padded_sequence", "input");
  const bool batch_first = call.args[2].b;
  const std::vector<int64_t> lengths = lengths_of(call);
  if (x.ndim < 2) fail("Expected `input` of _pack_padded_sequence to have at least 2 dimensions but received %d", x.ndim);
  if (x.numel() == 0) fail("Cannot pack empty tensors.");
  const int64_t batch = x.sizes[batch_first ? 0 : 1], steps = x.sizes[batch_first ? 1 : 0];
  if (static_cast<int64_t>(lengths.size()) != batch)
    fail("Expected `len(lengths)` to be equal to batch_size, but got %lld (batch_size=%lld)", ll(lengths.size()), ll(batch));
  int64_t total = 0;
  for (size_t i = 0; i < lengths.size(); i++) {
    if (lengths[i] <= 0) fail("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0");
    if (i > 0 && lengths[i] > lengths[i - 1])
      fail(
        "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.");
    total += lengths[i];
  }
  if (lengths[0] > steps)
    fail("Expected lengths of at most %lld for `lengths` of _pack_padded_sequence but received %lld", ll(steps), ll(lengths[0]));
  int64_t sizes[kMaxDims] = {total};
  for (int d = 2; d < x.ndim; d++) sizes[d - 1] = x.sizes[d];
  call.set_output(0, x.dtype, sizes, x.ndim - 1);
  call.set_output(1, DType::I64, &lengths[0], 1);
}
void pack_run(Call& call) {
  const TensorView& x = call.tensor(0);
  const bool batch_first = call.args[2].b;
  const std::vector<int64_t> lengths = lengths_of(call);
  const int64_t item = dtype_size(x.dtype), steps = call.outputs[1].sizes[0];
  char* to = call.outputs[0].ptr<char>();
  TensorView row = x;
  row.ndim = x.ndim - 2;
  for (int d = 2; d < x.ndim; d++) {
    row.sizes[d - 2] = x.sizes[d];
    row.strides[d - 2] = x.strides[d];
  }
  for (int64_t t = 0; t < steps; t++) {
    int64_t n = 0;
    while (n < static_cast<int64_t>(lengths.size()) && lengths[static_cast<size_t>(n)] > t) n++;
    call.outputs[1].ptr<int64_t>()[t] = n;
    for (int64_t b = 0; b < n; b++) {
      const char* from = x.ptr<char>() + (t * x.strides[batch_first ? 1 : 0] + b * x.strides[batch_first ? 0 : 1]) * item;
      for_each_element(row, [&](int64_t offset, int64_t) {
        std::memcpy(to, from + offset * item, static_cast<size_t>(item));
        to += item;
      });
    }
  }
}
TS_KERNEL(pack_padded_sequence, {.infer = pack_infer, .run = pack_run, .data_dependent = true});

// (data, batch_sizes, batch_first, padding_value, total_length) -> padded, lengths
std::vector<int64_t> batch_sizes_of(const Call& call) {
  const TensorView& v = tensor_argument(call, 1, "_pad_packed_sequence", "batch_sizes");
  if (v.ndim != 1 || v.dtype != DType::I64 || v.sizes[0] == 0)
    fail("Expected a 1-D int64 tensor for `batch_sizes` of _pad_packed_sequence");
  std::vector<int64_t> out(static_cast<size_t>(v.sizes[0]));
  for (size_t i = 0; i < out.size(); i++) out[i] = v.ptr<int64_t>()[static_cast<int64_t>(i) * v.strides[0]];
  return out;
}
void unpack_infer(Call& call) {
  const TensorView& data = tensor_argument(call, 0, "_pad_packed_sequence", "data");
  const std::vector<int64_t> sizes = batch_sizes_of(call);
  int64_t total = 0;
  for (size_t t = 0; t < sizes.size(); t++) {
    if (sizes[t] < 1 || (t > 0 && sizes[t] > sizes[t - 1]))
      fail("Expected `batch_sizes` of _pad_packed_sequence to be positive and in decreasing order");
    total += sizes[t];
  }
  if (data.ndim < 1 || data.sizes[0] != total) fail("Expected `data` of _pad_packed_sequence to have %lld rows", ll(total));
  const int64_t wanted = call.args[4].as_int();
  int64_t steps = static_cast<int64_t>(sizes.size());
  if (wanted > 0) {
    if (wanted < steps)
      fail(
        "Expected total_length to be at least the length of the longest sequence in input, but got total_length=%lld and max sequence length being %lld",
        ll(wanted), ll(steps));
    steps = wanted;
  }
  const bool batch_first = call.args[2].b;
  int64_t shape[kMaxDims] = {batch_first ? sizes[0] : steps, batch_first ? steps : sizes[0]};
  for (int d = 1; d < data.ndim; d++) shape[d + 1] = data.sizes[d];
  check_elements(shape, data.ndim + 1);
  call.set_output(0, data.dtype, shape, data.ndim + 1);
  if (batch_first) {
    TensorView& out = call.outputs[0];
    int64_t row = 1;
    for (int d = 2; d < out.ndim; d++) row *= std::max<int64_t>(1, out.sizes[d]);
    out.strides[0] = row;
    out.strides[1] = row * sizes[0];
  }
  call.set_output(1, DType::I64, &sizes[0], 1);
}
void unpack_run(Call& call) {
  const TensorView &data = call.tensor(0), &out = call.outputs[0];
  const std::vector<int64_t> sizes = batch_sizes_of(call);
  const bool batch_first = call.args[2].b;
  const int64_t steps = out.sizes[batch_first ? 1 : 0], batch = sizes[0];
  int64_t* lengths = call.outputs[1].ptr<int64_t>();
  std::fill_n(lengths, batch, int64_t{0});
  for (const int64_t n : sizes)
    for (int64_t b = 0; b < n; b++) lengths[b]++;
  with_element(out.dtype, [&](auto e) {
    using E = decltype(e);
    E padding = e;
    if constexpr (std::is_same_v<E, ComplexHalf> || std::is_same_v<E, Complex64> || std::is_same_v<E, Complex128>)
      padding = store_as<E>(Complex128(call.args[3].as_double()));
    else if constexpr (std::is_integral_v<E>) padding = static_cast<E>(call.args[3].as_int());
    else padding = store_as<E>(call.args[3].as_double());
    TensorView row = data;
    row.ndim = data.ndim - 1;
    for (int d = 1; d < data.ndim; d++) {
      row.sizes[d - 1] = data.sizes[d];
      row.strides[d - 1] = data.strides[d];
    }
    int64_t start = 0;
    for (int64_t t = 0; t < steps; t++) {
      const int64_t n = t < static_cast<int64_t>(sizes.size()) ? sizes[static_cast<size_t>(t)] : 0;
      for (int64_t b = 0; b < batch; b++) {
        E* to = out.ptr<E>() + t * out.strides[batch_first ? 1 : 0] + b * out.strides[batch_first ? 0 : 1];
        const E* from = data.ptr<E>() + (start + b) * data.strides[0];
        for_each_element(row, [&](int64_t offset, int64_t i) { to[i] = b < n ? from[offset] : padding; });
      }
      start += n;
    }
  });
}
TS_KERNEL(pad_packed_sequence, {.infer = unpack_infer, .run = unpack_run, .data_dependent = true});

}  // namespace
}  // namespace torchscript
