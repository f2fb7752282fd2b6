// scaled_dot_product_attention. A block of query rows meets all keys at once: scores = scale * Q K^T (+ mask) in cache, softmax by
// rows, then scores * V straight into the output. K^T and V are packed once for each block of query rows.
//
// The output keeps the order of the query's strides, as PyTorch's does: a query that is a transposed projection gives an output whose
// transpose, which follows in models, is contiguous.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu-avx/gemm/product.h"
#include "cpu-avx/norm_rows.h"

namespace torchscript {
namespace {

using ll = long long;
constexpr int64_t kQueryRows = 128;

struct Arguments {
  int mask, dropout, causal, scale, gqa;
};
constexpr Arguments kAttention = {3, 4, 5, 6, 7};
constexpr Arguments kFlash = {5, 3, 4, 6, -1};

struct Problem {
  int nb = 0;  // batch dimensions, heads included
  int64_t batch[kMaxDims], count = 1;
  int64_t length = 0, keys = 0, dim = 0, value_dim = 0;
  bool causal = false;
  double scale = 1;
  TensorView q, k, v, mask;  // expanded to the batch; mask to [batch, length, keys]
  bool has_mask = false;
};

// Expands the leading dimensions of `view` to the batch; `repeat` is how many query heads share one of its heads.
void expand(TensorView& view, const Problem& p, int trailing, int64_t repeat, const char* name) {
  const int own = view.ndim - trailing;
  TensorView out = view;
  out.ndim = p.nb + trailing;
  for (int d = 0; d < p.nb; d++) {
    const int from = d - (p.nb - own);
    const int64_t size = from < 0 ? 1 : view.sizes[from];
    const bool heads = repeat > 1 && d == p.nb - 1;
    if (size != 1 && size != p.batch[d] && !(heads && size * repeat == p.batch[d])) {
      fail("The size of %s (%lld) must match the size of query (%lld) at dimension %d", name, ll(size), ll(p.batch[d]), d);
    }
    out.sizes[d] = heads ? size : p.batch[d];
    out.strides[d] = from < 0 || (size == 1 && !heads) ? 0 : view.strides[from];
  }
  for (int d = 0; d < trailing; d++) {
    out.sizes[p.nb + d] = view.sizes[own + d];
    out.strides[p.nb + d] = view.strides[own + d];
  }
  view = out;
}

Problem attention_problem(const Call& call, const Arguments& at) {
  const char* op = "scaled_dot_product_attention";
  Problem p;
  p.q = tensor_argument(call, 0, op, "query");
  p.k = tensor_argument(call, 1, op, "key");
  p.v = tensor_argument(call, 2, op, "value");
  if (p.q.dtype != p.k.dtype || p.q.dtype != p.v.dtype) {
    fail("Expected query, key, and value to have the same dtype, but got query.dtype: %s key.dtype: %s and value.dtype: %s instead.",
         dtype_name(p.q.dtype), dtype_name(p.k.dtype), dtype_name(p.v.dtype));
  }
  if (!is_floating(p.q.dtype)) fail("\"scaled_dot_product_attention\" not implemented for '%s'", dtype_torch_name(p.q.dtype));
  if (p.q.ndim < 2 || p.k.ndim < 2 || p.v.ndim < 2)
    fail("Expected query, key, and value to all be at least 2 dimensional, but got query.dim: %d, key.dim: %d and value.dim: %d instead.",
         p.q.ndim, p.k.ndim, p.v.ndim);
  p.causal = call.args[at.causal].b;
  const TensorView* mask = call.optional_tensor(at.mask);
  if (p.causal && mask) fail("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  if (call.args[at.dropout].as_double() != 0)
    fail_as("NotImplementedError", "Expected dropout_p of scaled_dot_product_attention to be 0 but received %g",
            call.args[at.dropout].as_double());
  p.length = p.q.sizes[p.q.ndim - 2];
  p.dim = p.q.sizes[p.q.ndim - 1];
  p.keys = p.k.sizes[p.k.ndim - 2];
  p.value_dim = p.v.sizes[p.v.ndim - 1];
  if (p.k.sizes[p.k.ndim - 1] != p.dim || p.v.sizes[p.v.ndim - 2] != p.keys) {
    fail("mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", ll(p.length), ll(p.dim), ll(p.k.sizes[p.k.ndim - 1]),
         ll(p.keys));
  }
  p.scale = at.scale < call.nargs && call.args[at.scale].is_number() ? call.args[at.scale].as_double()
                                                                     : 1.0 / std::sqrt(static_cast<double>(p.dim));
  p.nb = std::max({p.q.ndim, p.k.ndim, p.v.ndim}) - 2;
  const bool gqa = at.gqa >= 0 && at.gqa < call.nargs && call.args[at.gqa].b;
  for (int d = 0; d < p.nb; d++) {
    p.batch[d] = 1;
    for (const TensorView* v : {&p.q, &p.k, &p.v}) {
      const int from = d - (p.nb - (v->ndim - 2));
      if (from >= 0 && v->sizes[from] != 1 && (v == &p.q || !gqa || d != p.nb - 1)) p.batch[d] = v->sizes[from];
    }
    p.count *= p.batch[d];
  }
  auto repeat_of = [&](const TensorView& v) -> int64_t {
    if (!gqa || p.nb == 0 || v.ndim < 3) return 1;
    const int64_t heads = v.sizes[v.ndim - 3];
    if (heads == 0 || p.batch[p.nb - 1] % heads != 0) fail("Number of heads in key and value must divide the number of heads in query");
    return p.batch[p.nb - 1] / heads;
  };
  expand(p.q, p, 2, 1, "query");
  expand(p.k, p, 2, repeat_of(p.k), "key");
  expand(p.v, p, 2, repeat_of(p.v), "value");
  if (mask) {
    if (mask->dtype != DType::Bool && mask->dtype != p.q.dtype && mask->dtype != DType::F32) {
      fail(
        "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: %s and  query.dtype: %s instead.",
        dtype_name(mask->dtype), dtype_name(p.q.dtype));
    }
    p.has_mask = true;
    TensorView m = *mask;
    while (m.ndim < 2) {
      for (int d = m.ndim; d > 0; d--) {
        m.sizes[d] = m.sizes[d - 1];
        m.strides[d] = m.strides[d - 1];
      }
      m.sizes[0] = 1;
      m.strides[0] = 0;
      m.ndim++;
    }
    const int64_t want[2] = {p.length, p.keys};
    for (int d = 0; d < 2; d++) {
      const int at_dim = m.ndim - 2 + d;
      if (m.sizes[at_dim] != want[d] && m.sizes[at_dim] != 1)
        fail("The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d", ll(want[d]),
             ll(m.sizes[at_dim]), p.nb + d);
      if (m.sizes[at_dim] == 1) m.strides[at_dim] = 0;
      m.sizes[at_dim] = want[d];
    }
    if (m.ndim - 2 > p.nb) fail("Expected attn_mask with at most %d dimensions but received %d", p.nb + 2, m.ndim);
    expand(m, p, 2, 1, "attn_mask");
    p.mask = m;
  }
  return p;
}

template <const Arguments& At> void attention_infer(Call& call) {
  const Problem p = attention_problem(call, At);
  int64_t sizes[kMaxDims];
  for (int d = 0; d < p.nb; d++) sizes[d] = p.batch[d];
  sizes[p.nb] = p.length;
  sizes[p.nb + 1] = p.value_dim;
  call.set_output(0, p.q.dtype, sizes, p.nb + 2);
  if (p.nb == 2 && p.value_dim == p.dim && p.q.strides[3] == 1) {
    // Dense, in the order of the query's strides.
    int order[3] = {0, 1, 2};
    bool dense = true;
    for (int i = 0; i < 3; i++) dense = dense && (p.q.strides[i] >= p.dim || p.q.sizes[i] == 1);
    std::stable_sort(order, order + 3, [&](int a, int b) { return p.q.strides[a] > p.q.strides[b]; });
    TensorView& out = call.outputs[0];
    int64_t stride = std::max<int64_t>(1, p.value_dim);
    for (int i = 2; dense && i >= 0; i--) {
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

template <class T> void add_mask(const Problem& p, int64_t offset, int64_t first, int64_t rows, T* scores) {
  const int64_t rs = p.mask.strides[p.nb], cs = p.mask.strides[p.nb + 1];
  with_element(p.mask.dtype, [&](auto e) {
    using E = decltype(e);
    for (int64_t i = 0; i < rows; i++) {
      const E* m = static_cast<const E*>(p.mask.data) + offset + (first + i) * rs;
      T* s = scores + i * p.keys;
      if (p.mask.dtype == DType::Bool) {
        for (int64_t j = 0; j < p.keys; j++) s[j] = load_as<float>(m[j * cs]) != 0 ? s[j] : -std::numeric_limits<T>::infinity();
      } else {
        for (int64_t j = 0; j < p.keys; j++) s[j] += load_as<T>(m[j * cs]);
      }
    }
  });
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
  const int nb = p.nb;
  const int64_t blocks = std::max<int64_t>(1, (p.length + kQueryRows - 1) / kQueryRows), rows_each = (p.length + blocks - 1) / blocks;
  runtime.note(std::is_same_v<T, float> ? "attention_f32" : "attention_f64");
  const int64_t macs = std::max<int64_t>(1, rows_each * p.keys * (p.dim + p.value_dim));
  runtime.parallel(p.count * blocks, std::max<int64_t>(1, kMacsPerChunk / macs), [&](int64_t begin, int64_t end) {
    int64_t packed_for = -1;
    const size_t k_elements = packed_b_elements<T>(p.dim, p.keys), v_elements = packed_b_elements<T>(p.keys, p.value_dim);
    T* packed_k = thread_scratch<T>(kSlotUser, k_elements + v_elements + 64);
    T* packed_v = packed_k + k_elements;
    T* scores = thread_scratch<T>(kSlotUser2, static_cast<size_t>(rows_each * p.keys + rows_each * p.dim + 64));
    T* query_rows = scores + rows_each * p.keys;
    for (int64_t i = begin; i < end; i++) {
      const int64_t item = i / blocks, first = i % blocks * rows_each, rows = std::min(rows_each, p.length - first);
      if (rows <= 0) continue;
      const Offsets<T> o = offsets_of<T>(p, out, sum, item);
      if (packed_for != item) {
        packed_for = item;
        if (p.dim > 0) pack_b_all<T>(nullptr, p.k.ptr<T>() + o.k, p.k.strides[nb + 1], p.k.strides[nb], p.dim, p.keys, packed_k);
        if (p.keys > 0) pack_b_all<T>(nullptr, p.v.ptr<T>() + o.v, p.v.strides[nb], p.v.strides[nb + 1], p.keys, p.value_dim, packed_v);
      }
      Gemm<T> g;
      g.m = rows;
      g.n = p.keys;
      g.k = p.dim;
      g.a = p.q.ptr<T>() + o.q + first * p.q.strides[nb];
      g.a_row = p.q.strides[nb];
      g.a_col = p.q.strides[nb + 1];
      if (rows == 1 && g.a_col != 1) {
        for (int64_t k = 0; k < p.dim; k++) query_rows[k] = g.a[k * g.a_col];
        g.a = query_rows;
        g.a_col = 1;
      }
      g.packed_b = packed_k;
      g.c = scores;
      g.c_row = p.keys;
      g.alpha = static_cast<T>(p.scale);
      if (p.keys > 0) {
        if (p.dim == 0) gemm_empty(g);
        else gemm_block(g, 0, rows, 0, panel_count<T>(p.keys));
      }
      if (p.has_mask) add_mask<T>(p, o.mask, first, rows, scores);
      for (int64_t r = 0; r < rows; r++) {
        T* row = scores + r * p.keys;
        int64_t seen = p.keys;
        if (p.causal) {
          seen = std::min(p.keys, first + r + 1);
          std::fill(row + seen, row + p.keys, T(0));
        }
        bool masked = p.has_mask || seen == 0;
        for (int64_t j = 0; j < seen && masked; j++) masked = row[j] == -std::numeric_limits<T>::infinity();
        if (sum) {
          double top = -INFINITY, total = 0;
          for (int64_t j = 0; j < seen; j++) top = std::max(top, static_cast<double>(row[j]));
          for (int64_t j = 0; j < seen; j++) total += std::exp(static_cast<double>(row[j]) - top);
          const double value = masked ? -INFINITY : top + std::log(total);
          const int64_t at = o.sum + (first + r) * sum->strides[nb];
          if (sum->dtype == DType::F64) sum->ptr<double>()[at] = value;
          else sum->ptr<float>()[at] = static_cast<float>(value);
        }
        if (masked) std::fill(row, row + seen, T(0));
        else row_softmax(row, seen, false, row);
      }
      Gemm<T> h;
      h.m = rows;
      h.n = p.value_dim;
      h.k = p.keys;
      h.a = scores;
      h.a_row = p.keys;
      h.packed_b = packed_v;
      h.c = out.ptr<T>() + o.out + first * out.strides[nb];
      h.c_row = out.strides[nb];
      if (p.value_dim > 0) {
        if (p.keys == 0) gemm_empty(h);
        else gemm_block(h, 0, rows, 0, panel_count<T>(p.value_dim));
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
TS_KERNEL(flash_attention_for_cpu, {.infer = attention_infer<kFlash>, .run = attention_run<kFlash>});

}  // namespace
}  // namespace torchscript
