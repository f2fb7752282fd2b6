// What a call of the Fourier family asks for: dimensions, lengths, direction and factor of its transform, and the shape of its result.
#pragma once
#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "cpu-avx/portable/elements.h"

namespace torchscript::portable::fft {

enum class Kind { ToComplex, RealToOneSided, OneSidedToReal };

struct Transform {
  Kind kind = Kind::ToComplex;
  bool forward = true;     // of the exponent
  std::vector<int> dims;   // the last one is the one that is one-sided
  std::vector<int64_t> n;  // lengths of the transforms
  double scale = 1;
};

inline DType real_of(DType t) { return t == DType::C128 || t == DType::F64 ? DType::F64 : DType::F32; }
inline DType complex_of(DType t) { return real_of(t) == DType::F64 ? DType::C128 : DType::C64; }

inline void check_input(const TensorView& self, const Transform& t, const char* op) {
  if (self.dtype == DType::F16 || self.dtype == DType::BF16 || self.dtype == DType::C32)
    fail("Unsupported dtype %s", dtype_torch_name(self.dtype));
  if (t.kind == Kind::RealToOneSided && is_complex(self.dtype))
    fail("%s expects a real input tensor, but got %s", op, dtype_torch_name(self.dtype));
  for (const int64_t n : t.n)
    if (n < 1) fail("Invalid number of data points (%lld) specified", static_cast<long long>(n));
}

inline void infer_transform(Call& call, const Transform& t, const char* op) {
  const TensorView& self = call.tensor(0);
  check_input(self, t, op);
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (size_t i = 0; i < t.dims.size(); i++) sizes[t.dims[i]] = t.n[i];
  if (t.kind == Kind::RealToOneSided) sizes[t.dims.back()] = t.n.back() / 2 + 1;
  call.set_output(0, t.kind == Kind::OneSidedToReal ? real_of(self.dtype) : complex_of(self.dtype), sizes, self.ndim);
}

// Normalisation of the functional forms: `backward` (the default) scales inverse transforms, `forward` the others, `ortho` both.
inline double scale_named(const Arg& norm, bool inverse, const std::vector<int64_t>& n) {
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
inline constexpr Form kFft{"fft", Kind::ToComplex, true, false}, kIfft{"ifft", Kind::ToComplex, false, true},
  kRfft{"rfft", Kind::RealToOneSided, true, false}, kIrfft{"irfft", Kind::OneSidedToReal, false, true},
  kHfft{"hfft", Kind::OneSidedToReal, true, false}, kIhfft{"ihfft", Kind::RealToOneSided, false, true};

// (self, n, dim, norm)
inline Transform one_dimensional(const Call& call, const Form& form) {
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
inline Transform many_dimensional(const Call& call, const Form& form) {
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

// The primitives: normalization 0 none, 1 by the root of n, 2 by n.
inline Transform primitive(const Call& call, Kind kind, bool forward) {
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
inline Transform c2c(const Call& call) { return primitive(call, Kind::ToComplex, call.args[3].b); }
inline Transform r2c(const Call& call) { return primitive(call, call.args[3].b ? Kind::RealToOneSided : Kind::ToComplex, true); }
inline Transform c2r(const Call& call) { return primitive(call, Kind::OneSidedToReal, false); }

}  // namespace torchscript::portable::fft
