// The Fourier family on the device: trim or pad, transform one dimension after the other as complex numbers, keep what the form returns.
#include "cpu-avx/portable/fft_transform.h"
#include "cuda/kernels/fft_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {

using namespace portable::fft;

namespace {

int64_t elements(const int64_t* sizes, int begin, int end) {
  int64_t n = 1;
  for (int d = begin; d < end; d++) n *= sizes[d];
  return n;
}
TensorView dense_view(void* data, DType dtype, const TensorView& like, const int64_t* sizes) {
  TensorView v = like;
  v.data = data;
  v.quant = nullptr;
  std::copy(sizes, sizes + like.ndim, v.sizes);
  return contiguous_like(v, dtype);
}
// A part of a view, from the beginning of every dimension.
TensorView part_of(const TensorView& t, const int64_t* sizes) {
  TensorView v = t;
  for (int d = 0; d < t.ndim; d++) v.sizes[d] = std::min(t.sizes[d], sizes[d]);
  return v;
}

// Data that passes go to and fro between two blocks of memory.
struct Buffers {
  Buffers(int device, size_t bytes) : first(device, bytes), second(device, bytes) {}
  Scratch first, second;
  void* now() const { return at_second ? second.ptr<void>() : first.ptr<void>(); }
  void* next() const { return at_second ? first.ptr<void>() : second.ptr<void>(); }
  bool at_second = false;
};

void transform_dim(Call& call, Buffers& data, DType dtype, const int64_t* sizes, int ndim, int d, bool forward, double scale) {
  FftPassParams p;
  p.n = sizes[d];
  p.inner = elements(sizes, d + 1, ndim);
  p.lines = elements(sizes, 0, d) * p.inner;
  p.forward = forward;
  const int device = call.outputs[0].device;
  p.left = p.n;
  while (p.left > 1) {
    p.radix = 2;
    while (p.left % p.radix != 0) p.radix = p.radix * p.radix > p.left ? p.left : p.radix + 1;
    p.x = data.now();
    p.out = data.next();
    p.scale = p.left == p.radix ? scale : 1;
    launch(device, call.runtime, dtype == DType::C128 ? "fft_pass_f64" : "fft_pass_f32", {grid_for(device, p.lines * p.n, 256)}, {256}, 0, p);
    data.at_second = !data.at_second;
    p.left /= p.radix;
    p.done *= p.radix;
  }
}

void run_transform(Call& call, const Transform& t) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int ndim = self.ndim;
  const DType dtype = complex_of(self.dtype);
  int64_t sizes[kMaxDims], whole[kMaxDims];
  std::copy(self.sizes, self.sizes + ndim, sizes);
  for (size_t i = 0; i < t.dims.size(); i++) sizes[t.dims[i]] = t.n[i];
  std::copy(sizes, sizes + ndim, whole);
  const int last = t.dims.empty() ? 0 : t.dims.back();
  const bool half = t.kind == Kind::OneSidedToReal;
  if (half) sizes[last] = t.n.back() / 2 + 1;
  Buffers data(self.device, static_cast<size_t>(elements(whole, 0, ndim) * dtype_size(dtype)));
  const TensorView loaded = dense_view(data.now(), dtype, self, sizes);
  if (!std::equal(sizes, sizes + ndim, self.sizes)) {
    const uint64_t zero[2] = {};
    fill_dense(loaded, zero, call.runtime);
  }
  copy_strided(part_of(loaded, self.sizes), part_of(self, sizes), call.runtime);
  // The factor goes with the last transform that does something.
  int scaled = -1;
  for (size_t i = 0; i < t.dims.size(); i++)
    if (t.n[i] > 1) scaled = static_cast<int>(i);
  for (size_t i = 0; i < t.dims.size(); i++) {
    const int d = t.dims[i];
    if (half && i + 1 == t.dims.size()) {
      FftMirrorParams p;
      p.n = t.n[i];
      p.kept = sizes[d];
      p.inner = elements(sizes, d + 1, ndim);
      p.outer = elements(sizes, 0, d);
      p.x = data.now();
      p.out = data.next();
      launch(self.device, call.runtime, dtype == DType::C128 ? "fft_mirror_f64" : "fft_mirror_f32", {grid_for(self.device, p.outer * p.n * p.inner, 256)},
             {256}, 0, p);
      data.at_second = !data.at_second;
      sizes[d] = t.n[i];
    }
    transform_dim(call, data, dtype, sizes, ndim, d, t.forward, scaled == static_cast<int>(i) ? t.scale : 1);
  }
  copy_strided(out, part_of(dense_view(data.now(), dtype, self, sizes), out.sizes), call.runtime);
}

bool takes(const Call& call) {
  if (call.args[0].kind != ArgKind::Tensor) return false;
  const DType t = call.tensor(0).dtype;
  return t == DType::F32 || t == DType::F64 || t == DType::C64 || t == DType::C128 || t == DType::Bool || t == DType::U8 || t == DType::I8 ||
         t == DType::I16 || t == DType::I32 || t == DType::I64;
}
template <const Form& form> void run_one(Call& call) { run_transform(call, one_dimensional(call, form)); }
template <const Form& form> void run_many(Call& call) { run_transform(call, many_dimensional(call, form)); }
TS_CUDA_KERNEL(fft_fft, {.run = run_one<kFft>, .accepts = takes});
TS_CUDA_KERNEL(fft_ifft, {.run = run_one<kIfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_rfft, {.run = run_one<kRfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_irfft, {.run = run_one<kIrfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_hfft, {.run = run_one<kHfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_ihfft, {.run = run_one<kIhfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_fftn, {.run = run_many<kFft>, .accepts = takes});
TS_CUDA_KERNEL(fft_ifftn, {.run = run_many<kIfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_rfftn, {.run = run_many<kRfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_irfftn, {.run = run_many<kIrfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_hfftn, {.run = run_many<kHfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_ihfftn, {.run = run_many<kIhfft>, .accepts = takes});
TS_CUDA_KERNEL(fft_c2c, {.run = [](Call& call) { run_transform(call, c2c(call)); }, .accepts = takes});
TS_CUDA_KERNEL(fft_r2c, {.run = [](Call& call) { run_transform(call, r2c(call)); }, .accepts = takes});
TS_CUDA_KERNEL(fft_c2r, {.run = [](Call& call) { run_transform(call, c2r(call)); }, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
