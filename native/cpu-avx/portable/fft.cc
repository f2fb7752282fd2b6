// The Fourier family: fft, rfft, irfft, hfft, ihfft and their inverses in one and more dimensions, and the _fft_ primitives.
//
// Every form is: trim or zero-pad the transformed dimensions, transform them in double, keep what the form returns. A one-sided input is
// completed by its Hermitian symmetry (the imaginary parts of the first and the middle term are ignored).
#include "cpu-avx/portable/elements.h"
#include "cpu-avx/portable/fft_plan.h"

namespace torchscript::portable {
namespace {

using Complex = FftPlan::Complex;

enum class Kind { ToComplex, RealToOneSided, OneSidedToReal };

struct Transform {
  Kind kind = Kind::ToComplex;
  bool forward = true;     // of the exponent
  std::vector<int> dims;   // the last one is the one that is one-sided
  std::vector<int64_t> n;  // lengths of the transforms
  double scale = 1;
};

DType real_of(DType t) { return t == DType::C128 || t == DType::F64 ? DType::F64 : DType::F32; }
DType complex_of(DType t) { return real_of(t) == DType::F64 ? DType::C128 : DType::C64; }

void check_input(const TensorView& self, const Transform& t, const char* op) {
  if (self.dtype == DType::F16 || self.dtype == DType::BF16 || self.dtype == DType::C32)
    fail("Unsupported dtype %s", dtype_torch_name(self.dtype));
  if (t.kind == Kind::RealToOneSided && is_complex(self.dtype))
    fail("%s expects a real input tensor, but got %s", op, dtype_torch_name(self.dtype));
  for (const int64_t n : t.n)
    if (n < 1) fail("Invalid number of data points (%lld) specified", static_cast<long long>(n));
}

void infer_transform(Call& call, const Transform& t, const char* op) {
  const TensorView& self = call.tensor(0);
  check_input(self, t, op);
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (size_t i = 0; i < t.dims.size(); i++) sizes[t.dims[i]] = t.n[i];
  if (t.kind == Kind::RealToOneSided) sizes[t.dims.back()] = t.n.back() / 2 + 1;
  call.set_output(0, t.kind == Kind::OneSidedToReal ? real_of(self.dtype) : complex_of(self.dtype), sizes, self.ndim);
}

// Transforms along dimension d of a dense buffer.
void transform_dim(Call& call, Complex* data, const int64_t* sizes, int ndim, int d, bool forward) {
  const int64_t n = sizes[d], inner = product(sizes, d + 1, ndim), lines = product(sizes, 0, d) * inner;
  if (n <= 1 || lines == 0) return;
  const FftPlan plan(n, forward);
  call.runtime->parallel(lines, std::max<int64_t>(1, 2048 / n), [&](int64_t begin, int64_t end) {
    std::vector<Complex> line(static_cast<size_t>(n)), work(static_cast<size_t>(plan.work_size()));
    for (int64_t l = begin; l < end; l++) {
      Complex* at = data + l / inner * n * inner + l % inner;
      if (inner == 1) {
        plan.transform(at, work.data());
        continue;
      }
      for (int64_t i = 0; i < n; i++) line[static_cast<size_t>(i)] = at[i * inner];
      plan.transform(line.data(), work.data());
      for (int64_t i = 0; i < n; i++) at[i * inner] = line[static_cast<size_t>(i)];
    }
  });
}

// Row-major copy of `self` as complex numbers with sizes `sizes`, cut or filled with zeros.
Complex* load(Call& call, const TensorView& self, const int64_t* sizes) {
  const int64_t total = product(sizes, 0, self.ndim);
  Complex* data = scratch<Complex>(call, total);
  std::fill(data, data + total, Complex(0));
  TensorView part = self, target = self;
  int64_t stride = 1;
  for (int d = self.ndim - 1; d >= 0; d--) {
    part.sizes[d] = target.sizes[d] = std::min(self.sizes[d], sizes[d]);
    target.strides[d] = stride;
    stride *= sizes[d];
  }
  target.data = data;
  target.dtype = DType::C128;
  if (part.numel() > 0) copy_view(target, part);
  return data;
}

void run_transform(Call& call, const Transform& t) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (out.numel() == 0) return;
  const int ndim = self.ndim;
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + ndim, sizes);
  for (size_t i = 0; i < t.dims.size(); i++) sizes[t.dims[i]] = t.n[i];
  const int last = t.dims.empty() ? 0 : t.dims.back();
  const bool half = t.kind == Kind::OneSidedToReal;
  if (half) sizes[last] = t.n.back() / 2 + 1;
  Complex* data = load(call, self, sizes);
  for (size_t i = 0; i < t.dims.size(); i++)
    if (!half || static_cast<int>(i) + 1 < static_cast<int>(t.dims.size())) transform_dim(call, data, sizes, ndim, t.dims[i], t.forward);
  if (half) {
    const int64_t n = t.n.back(), kept = sizes[last], inner = product(sizes, last + 1, ndim), outer = product(sizes, 0, last);
    Complex* full = scratch<Complex>(call, outer * n * inner);
    for (int64_t o = 0; o < outer; o++) {
      for (int64_t k = 0; k < n; k++) {
        const bool mirrored = k >= kept;
        const Complex* from = data + (o * kept + (mirrored ? n - k : k)) * inner;
        Complex* to = full + (o * n + k) * inner;
        for (int64_t i = 0; i < inner; i++)
          to[i] = k == 0 || 2 * k == n ? Complex(from[i].real(), 0) : mirrored ? std::conj(from[i]) : from[i];
      }
    }
    sizes[last] = n;
    data = full;
    transform_dim(call, data, sizes, ndim, last, t.forward);
  }
  TensorView result = out;
  int64_t stride = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    result.strides[d] = stride;
    stride *= sizes[d];
  }
  for (int64_t i = 0; i < stride; i++) data[i] *= t.scale;
  result.data = data;
  result.dtype = DType::C128;
  copy_to_dense(out.data, out.dtype, result);
}

// Normalisation of the functional forms: `backward` (the default) scales inverse transforms, `forward` the others, `ortho` both.
double scale_named(const Arg& norm, bool inverse, const std::vector<int64_t>& n) {
  double total = 1;
  for (const int64_t v : n) total *= static_cast<double>(v);
  if (norm.is_none()) return inverse ? 1 / total : 1;
  const std::string_view name(norm.str.p, static_cast<size_t>(norm.str.n));
  if (name == "backward") return inverse ? 1 / total : 1;
  if (name == "forward") return inverse ? 1 : 1 / total;
  if (name == "ortho") return 1 / std::sqrt(total);
  fail("Invalid normalization mode: \"%.*s\"", static_cast<int>(name.size()), name.data());
}

struct Form {
  const char* name;
  Kind kind;
  bool forward;  // the exponent's sign
  bool inverse;  // scaled by default
};
constexpr Form kFft{"fft", Kind::ToComplex, true, false}, kIfft{"ifft", Kind::ToComplex, false, true},
  kRfft{"rfft", Kind::RealToOneSided, true, false}, kIrfft{"irfft", Kind::OneSidedToReal, false, true},
  kHfft{"hfft", Kind::OneSidedToReal, true, false}, kIhfft{"ihfft", Kind::RealToOneSided, false, true};

// (self, n, dim, norm)
Transform one_dimensional(const Call& call, const Form& form) {
  const TensorView& self = call.tensor(0);
  if (self.ndim == 0)
    fail_as("IndexError", "Dimension specified as %lld but tensor has no dimensions", static_cast<long long>(call.args[2].i));
  Transform t;
  t.kind = form.kind;
  t.forward = form.forward;
  t.dims = {wrap_dim(call.args[2].i, self.ndim)};
  const int64_t size = self.sizes[t.dims[0]];
  t.n = {!call.args[1].is_none() ? call.args[1].i : form.kind == Kind::OneSidedToReal ? 2 * (size - 1) : size};
  t.scale = scale_named(call.args[3], form.inverse, t.n);
  return t;
}

// (self, s, dim, norm)
Transform many_dimensional(const Call& call, const Form& form) {
  const TensorView& self = call.tensor(0);
  const Arg &s = call.args[1], &dim = call.args[2];
  Transform t;
  t.kind = form.kind;
  t.forward = form.forward;
  if (!dim.is_none()) {
    for (int64_t i = 0; i < dim.ints.n; i++) {
      const int d = wrap_dim(dim.ints.p[i], self.ndim);
      if (std::find(t.dims.begin(), t.dims.end(), d) != t.dims.end()) fail("FFT dims must be unique");
      t.dims.push_back(d);
    }
  } else {
    const int64_t n = s.is_none() ? self.ndim : s.ints.n;
    if (n > self.ndim) fail("Got shape with %lld values but input tensor only has %d dimensions.", static_cast<long long>(n), self.ndim);
    for (int64_t d = self.ndim - n; d < self.ndim; d++) t.dims.push_back(static_cast<int>(d));
  }
  if (!s.is_none() && s.ints.n != static_cast<int64_t>(t.dims.size()))
    fail("When given, dim and shape arguments must have the same length");
  for (size_t i = 0; i < t.dims.size(); i++) {
    const int64_t size = self.sizes[t.dims[i]];
    const bool given = !s.is_none() && s.ints.p[i] != -1;
    t.n.push_back(given ? s.ints.p[i] : form.kind == Kind::OneSidedToReal && i + 1 == t.dims.size() ? 2 * (size - 1) : size);
  }
  if (t.dims.empty() && form.kind != Kind::ToComplex) fail("%sn must transform at least one axis", form.name);
  t.scale = scale_named(call.args[3], form.inverse, t.n);
  return t;
}

template <const Form& form> void infer_one(Call& call) { infer_transform(call, one_dimensional(call, form), form.name); }
template <const Form& form> void run_one(Call& call) { run_transform(call, one_dimensional(call, form)); }
template <const Form& form> void infer_many(Call& call) { infer_transform(call, many_dimensional(call, form), form.name); }
template <const Form& form> void run_many(Call& call) { run_transform(call, many_dimensional(call, form)); }

// The primitives: normalization 0 none, 1 by the root of n, 2 by n.
Transform primitive(const Call& call, Kind kind, bool forward) {
  const TensorView& self = call.tensor(0);
  Transform t;
  t.kind = kind;
  t.forward = forward;
  const auto& dims = call.args[1].ints;
  double total = 1;
  for (int64_t i = 0; i < dims.n; i++) {
    t.dims.push_back(wrap_dim(dims.p[i], self.ndim));
    t.n.push_back(size_at(self, t.dims.back()));
  }
  if (kind == Kind::OneSidedToReal && !t.n.empty()) t.n.back() = call.args[3].i;
  for (const int64_t n : t.n) total *= static_cast<double>(n);
  t.scale = call.args[2].i == 0 ? 1 : call.args[2].i == 1 ? 1 / std::sqrt(total) : 1 / total;
  return t;
}
Transform c2c(const Call& call) { return primitive(call, Kind::ToComplex, call.args[3].b); }
Transform r2c(const Call& call) { return primitive(call, call.args[3].b ? Kind::RealToOneSided : Kind::ToComplex, true); }
Transform c2r(const Call& call) { return primitive(call, Kind::OneSidedToReal, false); }
void infer_c2c(Call& call) { infer_transform(call, c2c(call), "_fft_c2c"); }
void run_c2c(Call& call) { run_transform(call, c2c(call)); }
void infer_r2c(Call& call) { infer_transform(call, r2c(call), "_fft_r2c"); }
void run_r2c(Call& call) { run_transform(call, r2c(call)); }
void infer_c2r(Call& call) { infer_transform(call, c2r(call), "_fft_c2r"); }
void run_c2r(Call& call) { run_transform(call, c2r(call)); }

}  // namespace

TS_KERNEL(fft_fft, {.infer = infer_one<kFft>, .run = run_one<kFft>});
TS_KERNEL(fft_ifft, {.infer = infer_one<kIfft>, .run = run_one<kIfft>});
TS_KERNEL(fft_rfft, {.infer = infer_one<kRfft>, .run = run_one<kRfft>});
TS_KERNEL(fft_irfft, {.infer = infer_one<kIrfft>, .run = run_one<kIrfft>});
TS_KERNEL(fft_hfft, {.infer = infer_one<kHfft>, .run = run_one<kHfft>});
TS_KERNEL(fft_ihfft, {.infer = infer_one<kIhfft>, .run = run_one<kIhfft>});
TS_KERNEL(fft_fftn, {.infer = infer_many<kFft>, .run = run_many<kFft>});
TS_KERNEL(fft_ifftn, {.infer = infer_many<kIfft>, .run = run_many<kIfft>});
TS_KERNEL(fft_rfftn, {.infer = infer_many<kRfft>, .run = run_many<kRfft>});
TS_KERNEL(fft_irfftn, {.infer = infer_many<kIrfft>, .run = run_many<kIrfft>});
TS_KERNEL(fft_hfftn, {.infer = infer_many<kHfft>, .run = run_many<kHfft>});
TS_KERNEL(fft_ihfftn, {.infer = infer_many<kIhfft>, .run = run_many<kIhfft>});
TS_KERNEL(fft_c2c, {.infer = infer_c2c, .run = run_c2c});
TS_KERNEL(fft_r2c, {.infer = infer_r2c, .run = run_r2c});
TS_KERNEL(fft_c2r, {.infer = infer_c2r, .run = run_c2r});

}  // namespace torchscript::portable
