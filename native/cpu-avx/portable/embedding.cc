// embedding: rows of a table; embedding_bag: sums, means or maxima of rows over bags; embedding_renorm.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

void check_indices(const TensorView& v, const char* op, const char* name) {
  if (v.dtype == DType::I64 || v.dtype == DType::I32) return;
  fail(
    "Expected tensor for argument #1 '%s' to have one of the following scalar types: Long, Int; but got %s instead (while checking arguments for %s)",
    name, dtype_torch_name(v.dtype), op);
}

void infer_embedding(Call& call) {
  const TensorView &weight = call.tensor(0), &indices = call.tensor(1);
  if (weight.ndim != 2) fail("'weight' must be 2-D");
  check_indices(indices, "embedding", "indices");
  if (indices.ndim + 1 > kMaxDims) fail("embedding: the result has more than %d dimensions", kMaxDims);
  int64_t sizes[kMaxDims];
  std::copy(indices.sizes, indices.sizes + indices.ndim, sizes);
  sizes[indices.ndim] = weight.sizes[1];
  call.set_output(0, weight.dtype, sizes, indices.ndim + 1);
}

void check_range(const int64_t* indices, int64_t n, int64_t rows) {
  for (int64_t i = 0; i < n; i++)
    if (indices[i] < 0 || indices[i] >= rows) fail_as("IndexError", "index out of range in self");
}

void run_embedding(Call& call) {
  const TensorView &weight = call.tensor(0), &out = call.outputs[0];
  const int64_t n = call.tensor(1).numel(), width = weight.sizes[1];
  const int64_t* indices = dense_int64(call, call.tensor(1));
  check_range(indices, n, weight.sizes[0]);
  if (out.numel() == 0) return;
  dispatch_size(weight.dtype, [&](auto tag) {
    using T = decltype(tag);
    const int64_t row_stride = weight.strides[0], stride = weight.strides[1];
    call.runtime->parallel(n, std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const T* from = weight.ptr<T>() + indices[i] * row_stride;
        T* to = out.ptr<T>() + i * width;
        if (stride == 1) std::memcpy(to, from, static_cast<size_t>(width) * sizeof(T));
        else
          for (int64_t j = 0; j < width; j++) to[j] = from[j * stride];
      }
    });
  });
}

// weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx
// gives the bags, the bag of each index, the number of indices of each bag, and (mode max) the index of each maximum.
constexpr int kSum = 0, kMean = 1, kMax = 2;

void infer_embedding_bag(Call& call) {
  const TensorView &weight = call.tensor(0), &indices = call.tensor(1), &offsets = call.tensor(2);
  if (weight.ndim != 2) fail("embedding_bag: Expected a 2-D weight");
  check_indices(indices, "embedding_bag", "indices");
  check_indices(offsets, "embedding_bag", "offsets");
  if (indices.ndim != 1 || offsets.ndim != 1) fail("embedding_bag: Expected 1-D indices and offsets");
  const bool last = call.args[7].b;
  if (last && offsets.sizes[0] < 1) fail("include_last_offset: number of offset should be at least 1");
  const int64_t mode = call.args[4].i;
  if (mode < kSum || mode > kMax) fail("embedding_bag: unknown mode %lld", static_cast<long long>(mode));
  if (call.optional_tensor(6) != nullptr) {
    if (mode != kSum) fail("embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum'");
    if (call.tensor(6).numel() != indices.numel()) fail("expected per_sample_weights.ndim to be 1 and of the same length as the indices");
  }
  const int64_t bags = offsets.sizes[0] - (last ? 1 : 0), width = weight.sizes[1];
  const int64_t sizes[2] = {bags, width}, n = indices.sizes[0];
  call.set_output(0, weight.dtype, sizes, 2);
  call.set_output(1, indices.dtype, &n, 1);
  call.set_output(2, indices.dtype, &bags, 1);
  if (mode == kMax) call.set_output(3, indices.dtype, sizes, 2);
  else call.set_output(3, indices.dtype, &bags, 1);
}

void run_embedding_bag(Call& call) {
  const TensorView& weight = call.tensor(0);
  const int64_t n = call.tensor(1).numel(), width = weight.sizes[1], bags = call.outputs[0].sizes[0], rows = weight.sizes[0];
  const int64_t *indices = dense_int64(call, call.tensor(1)), *offsets = dense_int64(call, call.tensor(2));
  check_range(indices, n, rows);
  const int64_t noffsets = call.tensor(2).numel();
  if (noffsets > 0 && offsets[0] != 0)
    fail("offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got %lld",
         static_cast<long long>(offsets[0]));
  for (int64_t b = 0; b < noffsets; b++) {
    if (offsets[b] < 0 || offsets[b] > n || (b > 0 && offsets[b] < offsets[b - 1]))
      fail("offsets have to be increasing and at most the number of indices %lld", static_cast<long long>(n));
  }
  const int64_t mode = call.args[4].i;
  int64_t padding = call.args[8].is_none() ? -1 : call.args[8].i;
  if (padding < -rows || padding >= rows)
    fail("padding_idx must be within the number of embeddings, -%lld through %lld but got %lld", static_cast<long long>(rows),
         static_cast<long long>(rows - 1), static_cast<long long>(padding));
  // -1 stands for no padding unless the argument was given as None or counted from the end by the functional form.
  if (padding < -1) padding += rows;
  std::vector<int64_t> bag_of(static_cast<size_t>(n)), counts(static_cast<size_t>(bags)),
    maxima(mode == kMax ? static_cast<size_t>(bags * width) : 0);
  dispatch_floating(weight.dtype, "embedding_bag", [&](auto tag) {
    using T = decltype(tag);
    using A = accumulator_t<T>;
    const T* sample_weights =
      call.optional_tensor(6) != nullptr ? static_cast<const T*>(dense(call, call.tensor(6), weight.dtype)) : nullptr;
    std::vector<A> sum(static_cast<size_t>(width));
    for (int64_t b = 0; b < bags; b++) {
      const int64_t begin = offsets[b], end = b + 1 < noffsets ? offsets[b + 1] : n;
      std::fill(sum.begin(), sum.end(), A(0));
      int64_t count = 0;
      for (int64_t i = begin; i < end; i++) {
        bag_of[i] = b;
        if (indices[i] == padding) continue;
        const T* row = weight.ptr<T>() + indices[i] * weight.strides[0];
        for (int64_t j = 0; j < width; j++) {
          const A v = static_cast<A>(row[j * weight.strides[1]]);
          if (mode == kMax) {
            if (count == 0 || v > sum[j] || is_nan(v)) sum[j] = v, maxima[b * width + j] = indices[i];
          } else {
            sum[j] += sample_weights != nullptr ? v * static_cast<A>(sample_weights[i]) : v;
          }
        }
        count++;
      }
      counts[b] = count;
      T* out = call.outputs[0].ptr<T>() + b * width;
      for (int64_t j = 0; j < width; j++) out[j] = T(mode == kMean && count > 0 ? sum[j] / static_cast<A>(count) : sum[j]);
    }
  });
  const auto write = [&](int output, const std::vector<int64_t>& values) {
    if (call.noutputs > output && !values.empty())
      convert_row(call.outputs[output].data, call.outputs[output].dtype, values.data(), DType::I64, static_cast<int64_t>(values.size()), 1);
  };
  write(1, bag_of);
  write(2, counts);
  write(3, mode == kMax ? maxima : counts);
}

void infer_embedding_renorm(Call& call) {
  if (call.tensor(0).ndim != 2) fail("embedding_renorm: Expected a 2-D weight");
  check_indices(call.tensor(1), "embedding_renorm_", "indices");
  output_like(call, 0, call.tensor(0));
}

void run_embedding_renorm(Call& call) {
  const TensorView& out = call.outputs[0];
  start_from(out, call.tensor(0));
  const int64_t n = call.tensor(1).numel();
  const int64_t* indices = dense_int64(call, call.tensor(1));
  check_range(indices, n, out.sizes[0]);
  std::vector<int64_t> rows(indices, indices + n);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  const double limit = call.args[2].as_double(), p = call.args[3].as_double();
  dispatch_floating(out.dtype, "embedding_renorm", [&](auto tag) {
    using T = decltype(tag);
    for (const int64_t r : rows) {
      T* row = out.ptr<T>() + r * out.strides[0];
      double norm = 0;
      for (int64_t j = 0; j < out.sizes[1]; j++) {
        const double v = std::fabs(static_cast<double>(row[j * out.strides[1]]));
        norm = std::isinf(p) ? std::max(norm, v) : norm + std::pow(v, p);
      }
      if (!std::isinf(p)) norm = std::pow(norm, 1 / p);
      if (norm <= limit) continue;
      const double scale = limit / (norm + 1e-7);
      for (int64_t j = 0; j < out.sizes[1]; j++)
        row[j * out.strides[1]] = T(static_cast<compute_t<T>>(static_cast<double>(row[j * out.strides[1]]) * scale));
    }
  });
}

}  // namespace

TS_KERNEL(embedding, {.infer = infer_embedding, .run = run_embedding});
TS_KERNEL(embedding_bag, {.infer = infer_embedding_bag, .run = run_embedding_bag});
TS_KERNEL(embedding_renorm, {.infer = infer_embedding_renorm, .run = run_embedding_renorm, .in_place = true, .self_first = true});

}  // namespace torchscript::portable
