// QR and products of reflections on the device.
#include <string_view>

#include "cuda/linalg.h"

namespace torchscript::cuda {
namespace {

// The reflections of a QR.
struct Reflections {
  const WideCopy a;
  const int64_t batch, m, n, k, size;
  const Scratch taus;
  Reflections(const TensorView& self, Runtime* runtime)
      : a(self, runtime),
        batch(cpu::batches_of(self)),
        m(cpu::rows_of(self)),
        n(cpu::cols_of(self)),
        k(std::min(m, n)),
        size(dtype_size(a.view().dtype)),
        taus(self.device, static_cast<size_t>(std::max<int64_t>(1, batch * k) * size)) {
    LinalgParams p;
    p.a = a.data();
    p.b = taus.ptr<void>();
    p.m = m;
    p.n = n;
    p.batch = batch;
    launch_matrices(runtime, self.device, "qr_factor", self.dtype, p, std::max(m, n), std::max<int64_t>(1, m) * size);
  }
};

// c (m by k, or k by m where `right`) times Q, or Q itself.
void apply_q(Runtime* runtime, int device, DType dtype, void* a, const void* taus, int64_t count, int64_t batch, int64_t m, int64_t n, void* c,
             int64_t k, bool right, bool adjoint, bool identity) {
  LinalgParams p;
  p.a = a;
  p.b = const_cast<void*>(taus);
  p.c = c;
  p.m = m;
  p.n = n;
  p.k = k;
  p.pivot = static_cast<int32_t>(count);
  p.batch = batch;
  p.right = right;
  p.adjoint = adjoint;
  p.identity = identity;
  launch_matrices(runtime, device, "apply_q", dtype, p, std::max({m, n, k}), std::max<int64_t>(1, m) * dtype_size(wide_dtype(dtype)));
}

TS_CUDA_KERNEL(geqrf, {.run =
                         [](Call& call) {
                           const Reflections r(call.tensor(0), call.runtime);
                           r.a.put(call.outputs[0], call.runtime);
                           TensorView taus = contiguous_like(call.outputs[1], r.a.view().dtype);
                           taus.data = r.taus.ptr<void>();
                           if (taus.numel() > 0) copy_strided(call.outputs[1], taus, call.runtime);
                         },
                       .accepts = takes_matrices});

TS_CUDA_KERNEL(linalg_qr, {.run =
                             [](Call& call) {
                               const TensorView& self = call.tensor(0);
                               const Reflections r(self, call.runtime);
                               const DType wide = r.a.view().dtype;
                               const WideCopy upper(call.outputs[1], wide);
                               LinalgParams p;
                               p.a = r.a.data();
                               p.c = upper.data();
                               p.m = r.m;
                               p.n = r.n;
                               p.k = cpu::rows_of(call.outputs[1]);
                               p.batch = r.batch;
                               launch_matrices(call.runtime, self.device, "upper_triangle", self.dtype, p, p.n);
                               upper.put(call.outputs[1], call.runtime);
                               if (std::string_view(call.args[1].str.p, static_cast<size_t>(call.args[1].str.n)) == "r") return;
                               const WideCopy q(call.outputs[0], wide);
                               apply_q(call.runtime, self.device, self.dtype, r.a.data(), r.taus.ptr<void>(), r.k, r.batch, r.m, r.n, q.data(), p.k, false,
                                       false, true);
                               q.put(call.outputs[0], call.runtime);
                             },
                           .accepts = takes_matrices});

TS_CUDA_KERNEL(linalg_householder_product, {.run =
                                              [](Call& call) {
                                                const TensorView &self = call.tensor(0), &tau = call.tensor(1);
                                                const WideCopy a(self, call.runtime), q(self, wide_dtype(self.dtype));
                                                const DenseInput taus(tau, wide_dtype(self.dtype), call.runtime);
                                                const int64_t n = cpu::cols_of(self);
                                                apply_q(call.runtime, self.device, self.dtype, a.data(), taus.data(), tau.sizes[tau.ndim - 1],
                                                        cpu::batches_of(self), cpu::rows_of(self), n, q.data(), n, false, false, true);
                                                q.put(call.outputs[0], call.runtime);
                                              },
                                            .accepts = takes_matrices});

// (self, tau, other, left, transpose)
TS_CUDA_KERNEL(ormqr, {.run =
                         [](Call& call) {
                           const TensorView &self = call.tensor(0), &tau = call.tensor(1), &other = call.tensor(2);
                           const WideCopy a(self, call.runtime), c(other, call.runtime);
                           const DenseInput taus(tau, wide_dtype(self.dtype), call.runtime);
                           const bool left = call.args[3].b;
                           apply_q(call.runtime, self.device, self.dtype, a.data(), taus.data(), tau.sizes[tau.ndim - 1], cpu::batches_of(self),
                                   cpu::rows_of(self), cpu::cols_of(self), c.data(), left ? cpu::cols_of(other) : cpu::rows_of(other), !left,
                                   call.args[4].b, false);
                           c.put(call.outputs[0], call.runtime);
                         },
                       .accepts = takes_matrices});

}  // namespace
}  // namespace torchscript::cuda
