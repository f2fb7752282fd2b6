// softmax, log_softmax and their _softmax forms.
#include <algorithm>

#include "cpu-avx/gemm/staging.h"
#include "cpu-avx/norm_rows.h"

namespace torchscript {
namespace {

// softmax(self, dim, dtype?) and _softmax(self, dim, half_to_float).
template <bool Safe> void softmax_infer(Call& call) {
  const TensorView& x = tensor_argument(call, 0, "softmax", "self");
  wrap_dim(call.args[1].as_int(), x.ndim);
  DType dtype = x.dtype;
  if (call.nargs > 2 && call.args[2].kind == ArgKind::Int) dtype = static_cast<DType>(call.args[2].i);
  if (call.nargs > 2 && call.args[2].kind == ArgKind::Bool && call.args[2].b) {
    if (x.dtype != DType::F16) fail("conversion is supported for Half type only");
    dtype = DType::F32;
  }
  if (!is_floating(dtype)) fail("\"softmax_lastdim_kernel_impl\" not implemented for '%s'", dtype_torch_name(dtype));
  call.set_output(0, dtype, x.sizes, x.ndim);
}

template <bool Log, bool Safe> void softmax_run(Call& call) {
  const TensorView &x = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int dim = wrap_dim(call.args[1].as_int(), x.ndim);
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < dim; d++) outer *= x.sizes[d];
  for (int d = dim + 1; d < x.ndim; d++) inner *= x.sizes[d];
  const int64_t n = x.ndim == 0 ? 1 : x.sizes[dim];
  call.runtime->note(Log ? "log_softmax" : "softmax");
  with_float_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    const T* in = stage<T>(*call.runtime, x);
    T* to = output_block<T>(*call.runtime, out);
    const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n));
    if (inner == 1) {
      call.runtime->parallel(outer, grain, [&](int64_t begin, int64_t end) {
        rows_softmax(in + begin * n, end - begin, n, Log, to + begin * n);
      });
    } else {
      constexpr int64_t kLanes = 64;
      const int64_t pieces = (inner + kLanes - 1) / kLanes;
      call.runtime->parallel(outer * pieces, std::max<int64_t>(1, grain / kLanes), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t lane = i % pieces * kLanes, base = i / pieces * n * inner + lane;
          column_softmax(in + base, n, inner, static_cast<int>(std::min(kLanes, inner - lane)), Log, to + base);
        }
      });
    }
    if (Safe) {
      // Rows of -inf give zeros instead of NaN.
      for (int64_t o = 0; o < outer * inner; o++) {
        const int64_t base = o / inner * n * inner + o % inner;
        bool masked = true;
        for (int64_t i = 0; i < n && masked; i++) masked = in[base + i * inner] == -INFINITY;
        if (masked)
          for (int64_t i = 0; i < n; i++) to[base + i * inner] = 0;
      }
    }
    finish_output(to, out);
  });
}

TS_KERNEL(softmax, {.infer = softmax_infer<false>, .run = softmax_run<false, false>});
TS_KERNEL(log_softmax, {.infer = softmax_infer<false>, .run = softmax_run<true, false>});
TS_KERNEL(safe_softmax, {.infer = softmax_infer<true>, .run = softmax_run<false, true>});

}  // namespace
}  // namespace torchscript
