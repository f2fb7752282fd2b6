// Attention. A block of query rows meets the keys block by block: scores = scale * Q K^T (+ mask) in cache, an online softmax by rows, then
// scores * V onto the output, which is divided by the sums at the end. There is never a row of scores longer than a block of keys. Queries are
// read and results written by their strides; K^T and V are packed once for each head.
//
// The output keeps the order of the query's strides, as PyTorch's does: a query that is a transposed projection gives an output whose
// transpose, which follows in models, is contiguous.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu-avx/attention_inner.h"
#include "cpu-avx/attention_problem.h"
#include "cpu-avx/gemm/product.h"

namespace torchscript {
namespace {

using Arguments = AttentionArguments;
using Problem = AttentionProblem;
constexpr int64_t kQueryRows = 128, kKeys = 512;

template <const Arguments& At> void attention_infer(Call& call) {
  const Problem p = attention_problem(call, At);
  int64_t sizes[kMaxDims];
  for (int d = 0; d < p.nb; d++) sizes[d] = p.batch[d];
  sizes[p.nb] = p.length;
  sizes[p.nb + 1] = p.value_dim;
  call.set_output(0, p.q.dtype, sizes, p.nb + 2);
  if ((p.nb == 2 || (p.handwritten && p.nb == 1)) && p.keeps_order && p.value_dim == p.dim && p.q.strides[p.nb + 1] == 1) {
    // Dense, in the order of the query's strides.
    const int n = p.nb + 1;
    int order[3] = {0, 1, 2};
    bool dense = true;
    for (int i = 0; i < n; i++) dense = dense && (p.q.strides[i] >= p.dim || p.q.sizes[i] == 1);
    std::stable_sort(order, order + n, [&](int a, int b) { return p.q.strides[a] > p.q.strides[b]; });
    TensorView& out = call.outputs[0];
    int64_t stride = std::max<int64_t>(1, p.value_dim);
    for (int i = n - 1; dense && i >= 0; i--) {
      out.strides[order[i]] = stride;
      stride *= std::max<int64_t>(1, out.sizes[order[i]]);
    }
  }
  if (call.noutputs > 1) {
    call.set_output(1, p.q.dtype == DType::F64 ? DType::F64 : DType::F32, sizes, p.nb + 1);
    if (p.nb == 2) {
      call.outputs[1].strides[1] = 1;
      call.outputs[1].strides[2] = p.batch[1];
      call.outputs[1].strides[0] = p.batch[1] * p.length;
    }
  }
}

template <class T> struct Offsets { int64_t q = 0, k = 0, v = 0, mask = 0, out = 0, sum = 0; };
template <class T> Offsets<T> offsets_of(const Problem& p, const TensorView& out, const TensorView* sum, int64_t index) {
  Offsets<T> o;
  for (int d = p.nb - 1; d >= 0; d--) {
    const int64_t i = index % p.batch[d];
    index /= p.batch[d];
    // Shared heads: the query head's group.
    auto at = [&](const TensorView& v) {
      return (v.sizes[d] == p.batch[d] || v.sizes[d] == 0 ? i : i / (p.batch[d] / v.sizes[d])) * v.strides[d];
    };
    o.q += at(p.q);
    o.k += at(p.k);
    o.v += at(p.v);
    if (p.has_mask) o.mask += at(p.mask);
    o.out += i * out.strides[d];
    if (sum) o.sum += i * sum->strides[d];
  }
  return o;
}

// Scores of `rows` rows from `first` on and `count` keys from `key` on, rows `step` apart.
template <class T>
void add_mask(const Problem& p, int64_t offset, int64_t first, int64_t rows, int64_t key, int64_t count, T* scores, int64_t step) {
  const int64_t rs = p.mask.strides[p.nb], cs = p.mask.strides[p.nb + 1];
  const T fill = static_cast<T>(p.fill);
  if (p.mask.dtype == DType::Bool) {
    const bool sets = p.sets;
    for (int64_t i = 0; i < rows; i++) {
      const uint8_t* m = static_cast<const uint8_t*>(p.mask.data) + offset + (first + i) * rs + key * cs;
      T* s = scores + i * step;
      if (cs == 1)
        for (int64_t j = 0; j < count; j++) s[j] = (m[j] != 0) == sets ? fill : s[j];
      else
        for (int64_t j = 0; j < count; j++) s[j] = (m[j * cs] != 0) == sets ? fill : s[j];
    }
    return;
  }
  with_element(p.mask.dtype, [&](auto e) {
    using E = decltype(e);
    for (int64_t i = 0; i < rows; i++) {
      const E* m = static_cast<const E*>(p.mask.data) + offset + (first + i) * rs + key * cs;
      T* s = scores + i * step;
      if (cs == 1)
        for (int64_t j = 0; j < count; j++) s[j] += load_as<T>(m[j]);
      else
        for (int64_t j = 0; j < count; j++) s[j] += load_as<T>(m[j * cs]);
    }
  });
}

void softmax_step(float* x, int64_t rows, int64_t step, int64_t n, float* top, float* total, float* factor) {
  attention_table().softmax_step(x, rows, step, n, top, total, factor);
}
void softmax_step(double* x, int64_t rows, int64_t step, int64_t n, double* top, double* total, double* factor) {
  for (int64_t r = 0; r < rows; r++) {
    double *row = x + r * step, m = top[r], sum = 0;
    for (int64_t i = 0; i < n; i++) m = row[i] > m ? row[i] : m;
    const double shift = m == -INFINITY ? 0 : m;
    for (int64_t i = 0; i < n; i++) sum += row[i] = std::exp(row[i] - shift);
    factor[r] = top[r] == -INFINITY ? 0 : std::exp(top[r] - m);
    total[r] = total[r] * factor[r] + sum;
    top[r] = m;
  }
}
void scale_row(float* x, int64_t n, float factor) { attention_table().scale(x, n, factor); }
void scale_row(double* x, int64_t n, double factor) {
  for (int64_t i = 0; i < n; i++) x[i] *= factor;
}

template <class T> void run_as(Call& call, Problem p) {
  Runtime& runtime = *call.runtime;
  TensorView out = call.outputs[0];
  const bool direct = is_stage_type<T>(out.dtype);
  if (!direct) {
    out.data = runtime.scratch(static_cast<size_t>(out.numel()) * sizeof(T) + 64);
    out.dtype = std::is_same_v<T, double> ? DType::F64 : DType::F32;  // same strides: they are dense
  }
  p.q = as_compute<T>(runtime, p.q);
  p.k = as_compute<T>(runtime, p.k);
  p.v = as_compute<T>(runtime, p.v);
  TensorView* sum = call.noutputs > 1 ? &call.outputs[1] : nullptr;
  const int nb = p.nb, mr = tile_kernels<T>().mr, nr = tile_kernels<T>().nr;
  const T lowest = -std::numeric_limits<T>::infinity();
  // Blocks of whole tiles of rows, and of whole panels of keys.
  const int64_t row_blocks = std::max<int64_t>(1, (p.length + kQueryRows - 1) / kQueryRows);
  const int64_t rows_each = row_blocks == 1 ? p.length : ((p.length + row_blocks - 1) / row_blocks + mr - 1) / mr * mr;
  const int64_t blocks = row_blocks == 1 ? 1 : (p.length + rows_each - 1) / rows_each;
  const int64_t key_blocks = std::max<int64_t>(1, (p.keys + kKeys - 1) / kKeys);
  const int64_t keys_each = ((p.keys + key_blocks - 1) / key_blocks + nr - 1) / nr * nr;
  const int64_t step = (keys_each + 15) / 16 * 16 + 16;  // of rows of scores
  runtime.note(std::is_same_v<T, float> ? "attention_f32" : "attention_f64");
  const int64_t macs = std::max<int64_t>(1, rows_each * p.keys * (p.dim + p.value_dim));
  runtime.parallel(p.count * blocks, std::max<int64_t>(1, kMacsPerChunk / macs), [&](int64_t begin, int64_t end) {
    int64_t packed_for = -1;
    const int64_t value_panels = panel_count<T>(p.value_dim);
    const size_t k_elements = packed_b_elements<T>(p.dim, p.keys), v_elements = packed_b_elements<T>(p.keys, p.value_dim);
    T* packed_k = thread_scratch<T>(kSlotUser, k_elements + v_elements + 64);
    T* packed_v = packed_k + k_elements;
    T* scores = thread_scratch<T>(kSlotUser2, static_cast<size_t>(rows_each * step + 2 * rows_each + p.dim + 64));
    T *tops = scores + rows_each * step, *totals = tops + rows_each, *query_row = totals + rows_each;
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / blocks, first = i % blocks * rows_each, rows = std::min(rows_each, p.length - first);
      if (rows <= 0) continue;
      const Offsets<T> o = offsets_of<T>(p, out, sum, item);
      if (packed_for != item) {
        packed_for = item;
        if (p.dim > 0) pack_b_all<T>(nullptr, p.k.ptr<T>() + o.k, p.k.strides[nb + 1], p.k.strides[nb], p.dim, p.keys, packed_k);
        for (int64_t key = 0; key < p.keys; key += keys_each) {
          pack_b_all<T>(nullptr, p.v.ptr<T>() + o.v + key * p.v.strides[nb], p.v.strides[nb], p.v.strides[nb + 1],
                        std::min(keys_each, p.keys - key), p.value_dim, packed_v + key * value_panels * nr);
        }
      }
      T* to = out.ptr<T>() + o.out + first * out.strides[nb];
      std::fill(tops, tops + rows, lowest);
      std::fill(totals, totals + rows, T(0));
      const int64_t seen = p.causal ? std::min(p.keys, first + rows) : p.keys;
      for (int64_t key = 0; key < seen; key += keys_each) {
        const int64_t count = std::min(keys_each, seen - key), padded = (count + 15) / 16 * 16;
        Gemm<T> g;
        g.m = rows;
        g.n = count;
        g.k = p.dim;
        g.a = p.q.ptr<T>() + o.q + first * p.q.strides[nb];
        g.a_row = p.q.strides[nb];
        g.a_col = p.q.strides[nb + 1];
        if (rows == 1 && g.a_col != 1) {
          for (int64_t k = 0; k < p.dim; k++) query_row[k] = g.a[k * g.a_col];
          g.a = query_row;
          g.a_col = 1;
        }
        g.packed_b = packed_k + key * p.dim;
        g.c = scores;
        g.c_row = step;
        g.alpha = static_cast<T>(p.scale);
        if (p.dim == 0) gemm_empty(g);
        else gemm_block(g, 0, rows, 0, panel_count<T>(count));
        if (p.has_mask) add_mask<T>(p, o.mask, first, rows, key, count, scores, step);
        for (int64_t r = 0; r < rows; r += kSoftmaxRows) {
          const int64_t several = std::min<int64_t>(kSoftmaxRows, rows - r);
          const auto visible = [&](int64_t row) { return p.causal ? std::clamp<int64_t>(first + row + 1 - key, 0, count) : count; };
          const int64_t width = (visible(r + several - 1) + 15) / 16 * 16;
          for (int64_t i = r; i < r + several; i++) {
            std::fill(scores + i * step + visible(i), scores + i * step + width, lowest);
            std::fill(scores + i * step + width, scores + i * step + padded, T(0));
          }
          T factor[kSoftmaxRows];
          softmax_step(scores + r * step, several, step, width, tops + r, totals + r, factor);
          for (int64_t i = 0; key > 0 && i < several; i++)
            if (factor[i] != T(1)) scale_row(to + (r + i) * out.strides[nb], p.value_dim, factor[i]);
        }
        Gemm<T> h;
        h.m = rows;
        h.n = p.value_dim;
        h.k = count;
        h.a = scores;
        h.a_row = step;
        // Panels have as many rows as the block, of which a causal one may not need all.
        h.packed_b = packed_v + key * value_panels * nr;
        h.c = to;
        h.c_row = out.strides[nb];
        h.accumulate = key > 0;
        const int64_t packed_rows = std::min(keys_each, p.keys - key);
        if (count == packed_rows) {
          if (p.value_dim > 0) gemm_block(h, 0, rows, 0, value_panels);
        } else {
          for (int64_t panel = 0; panel < value_panels; panel++) {
            Gemm<T> one = h;
            one.n = std::min<int64_t>(nr, p.value_dim - panel * nr);
            one.packed_b = h.packed_b + panel * packed_rows * nr;
            one.c = h.c + panel * nr;
            gemm_block(one, 0, rows, 0, 1);
          }
        }
      }
      for (int64_t r = 0; r < rows; r++) {
        T* row = to + r * out.strides[nb];
        // Rows that see nothing are zero; written out, their softmax is NaN, and without keys the sum is zero.
        const bool nothing = tops[r] == lowest && totals[r] == T(0);
        if (nothing) std::fill(row, row + p.value_dim, p.handwritten && p.keys > 0 ? std::numeric_limits<T>::quiet_NaN() : T(0));
        else scale_row(row, p.value_dim, T(1) / totals[r]);
        if (!sum) continue;
        const double value = nothing ? -INFINITY : static_cast<double>(tops[r]) + std::log(static_cast<double>(totals[r]));
        const int64_t at = o.sum + (first + r) * sum->strides[nb];
        if (sum->dtype == DType::F64) sum->ptr<double>()[at] = value;
        else sum->ptr<float>()[at] = static_cast<float>(value);
      }
    }
  });
  if (!direct) {
    // Both blocks are dense with equal strides: element by element in memory order.
    with_element(call.outputs[0].dtype, [&](auto e) {
      using E = decltype(e);
      E* to = static_cast<E*>(call.outputs[0].data);
      const T* from = out.ptr<T>();
      const int64_t n = out.numel();
      for (int64_t i = 0; i < n; i++) to[i] = store_as<E>(from[i]);
    });
  }
}

template <const Arguments& At> void attention_run(Call& call) {
  const Problem p = attention_problem(call, At);
  with_float_type(p.q.dtype, [&](auto t) { run_as<decltype(t)>(call, p); });
}

TS_KERNEL(scaled_dot_product_attention, {.infer = attention_infer<kAttention>, .run = attention_run<kAttention>});
TS_KERNEL(attention, {.infer = attention_infer<kHandwritten>, .run = attention_run<kHandwritten>});
TS_KERNEL(flash_attention_for_cpu, {.infer = attention_infer<kFlash>, .run = attention_run<kFlash>});

}  // namespace
}  // namespace torchscript
