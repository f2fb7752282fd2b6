// The problem of one attention call, and the checks PyTorch makes.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu-avx/gemm/staging.h"
#include "kernel.h"

namespace torchscript {

// Places of arguments. `handwritten` is softmax(scale * Q K^T, masked) V as programs write it out: a mask may be of any batch, and rows that see
// nothing are NaN, not zero.
struct AttentionArguments {
  int mask, dropout, causal, scale, gqa, handwritten = -1;
};
constexpr AttentionArguments kAttention = {3, 4, 5, 6, 7};
constexpr AttentionArguments kFlash = {5, 3, 4, 6, -1};
constexpr AttentionArguments kHandwritten = {3, -1, -1, 6, -1, 4};

struct AttentionProblem {
  int nb = 0;  // batch dimensions, heads included
  int64_t batch[kMaxDims], count = 1;
  int64_t length = 0, keys = 0, dim = 0, value_dim = 0;
  bool causal = false;
  double scale = 1;
  TensorView q, k, v, mask;  // expanded to the batch; mask to [batch, length, keys]
  bool has_mask = false, handwritten = false, keeps_order = true;
  // A bool mask sets the scores where it is `sets` to `fill`; others are added.
  bool sets = false;
  double fill = -std::numeric_limits<double>::infinity();
};

// Expands the leading dimensions of `view` to the batch; `repeat` is how many query heads share one of its heads.
inline void expand_attention(TensorView& view, const AttentionProblem& p, int trailing, int64_t repeat, const char* name) {
  using ll = long long;
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

inline AttentionProblem attention_problem(const Call& call, const AttentionArguments& at) {
  using ll = long long;
  const char* op = "scaled_dot_product_attention";
  AttentionProblem p;
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
  p.causal = at.causal >= 0 && call.args[at.causal].b;
  p.handwritten = at.handwritten >= 0;
  if (p.handwritten) {
    const Arg& kind = call.args[at.handwritten];
    p.sets = kind.kind == ArgKind::String && kind.str.n > 0 && kind.str.p[0] == 'f';
    p.fill = call.args[5].as_double();
    p.keeps_order = call.args[7].b;
  }
  const TensorView* mask = call.optional_tensor(at.mask);
  if (p.causal && mask) fail("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  if (at.dropout >= 0 && call.args[at.dropout].as_double() != 0)
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
  if (p.handwritten && mask) p.nb = std::max(p.nb, mask->ndim - 2);
  const bool gqa = at.gqa >= 0 && at.gqa < call.nargs && call.args[at.gqa].b;
  for (int d = 0; d < p.nb; d++) {
    p.batch[d] = 1;
    for (const TensorView* v : {&p.q, &p.k, &p.v}) {
      const int from = d - (p.nb - (v->ndim - 2));
      if (from >= 0 && v->sizes[from] != 1 && (v == &p.q || !gqa || d != p.nb - 1)) p.batch[d] = v->sizes[from];
    }
    if (p.handwritten && mask) {
      const int from = d - (p.nb - (mask->ndim - 2));
      if (from >= 0 && mask->sizes[from] != 1) p.batch[d] = mask->sizes[from];
    }
    p.count *= p.batch[d];
  }
  auto repeat_of = [&](const TensorView& v) -> int64_t {
    if (!gqa || p.nb == 0 || v.ndim < 3) return 1;
    const int64_t heads = v.sizes[v.ndim - 3];
    if (heads == 0 || p.batch[p.nb - 1] % heads != 0) fail("Number of heads in key and value must divide the number of heads in query");
    return p.batch[p.nb - 1] / heads;
  };
  expand_attention(p.q, p, 2, 1, "query");
  expand_attention(p.k, p, 2, repeat_of(p.k), "key");
  expand_attention(p.v, p, 2, repeat_of(p.v), "value");
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
    expand_attention(m, p, 2, 1, "attn_mask");
    p.mask = m;
  }
  return p;
}

}  // namespace torchscript
