// The Fourier family: fft, rfft, irfft, hfft, ihfft and their inverses in one and more dimensions, and the _fft_ primitives.
//
// Every form is: trim or zero-pad the transformed dimensions, transform them in double, keep what the form returns. A one-sided input is
// completed by its Hermitian symmetry (the imaginary parts of the first and the middle term are ignored).
#include "cpu-avx/fft_inner.h"
#include "cpu-avx/portable/elements.h"
#include "cpu-avx/portable/fft_plan.h"
#include "cpu-avx/portable/fft_transform.h"

namespace torchscript::portable {
namespace {

using namespace fft;
using Complex = FftPlan::Complex;

// Transforms along dimension d of a dense buffer.
void transform_dim(Call& call, Complex* data, const int64_t* sizes, int ndim, int d, bool forward) {
  const int64_t n = sizes[d], inner = product(sizes, d + 1, ndim), lines = product(sizes, 0, d) * inner;
  if (n <= 1 || lines == 0) return;
  const std::shared_ptr<const FftPlan> shared = fft_plan(n, forward);
  const FftPlan& plan = *shared;
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

// Row-major copy of `self` as numbers of type T with sizes `sizes`, cut or filled with zeros.
template <class T> T* load(Call& call, const TensorView& self, const int64_t* sizes) {
  const int64_t total = product(sizes, 0, self.ndim);
  T* data = scratch<T>(call, total);
  if (!std::equal(sizes, sizes + self.ndim, self.sizes)) std::fill(data, data + total, T(0));
  TensorView part = self, target = self;
  int64_t stride = 1;
  for (int d = self.ndim - 1; d >= 0; d--) {
    part.sizes[d] = target.sizes[d] = std::min(self.sizes[d], sizes[d]);
    target.strides[d] = stride;
    stride *= sizes[d];
  }
  target.data = data;
  target.dtype = std::is_same_v<T, double>    ? DType::F64
                 : std::is_same_v<T, Complex> ? DType::C128
                 : std::is_same_v<T, float>   ? DType::F32
                                              : DType::C64;
  if (part.numel() > 0) copy_view(target, part);
  return data;
}

// Writes dense numbers of type T with sizes `sizes`, times a factor, to the output, which may be shorter.
template <class T> void store(Call& call, T* data, const int64_t* sizes, double scale) {
  const TensorView& out = call.outputs[0];
  TensorView result = out;
  int64_t stride = 1;
  for (int d = out.ndim - 1; d >= 0; d--) {
    result.strides[d] = stride;
    stride *= sizes[d];
  }
  if (scale != 1)
    for (int64_t i = 0; i < stride; i++) data[i] *= scale;
  result.data = data;
  result.dtype = std::is_same_v<T, double> ? DType::F64 : DType::C128;
  copy_to_dense(out.data, out.dtype, result);
}

// Calls f(line) for the lines along dimension `last` of dense data, where a line is its number and the places of its first elements in
// data of `from` and of `to` elements along that dimension.
template <class F> void each_line(Call& call, const int64_t* sizes, int ndim, int last, int64_t from, int64_t to, F&& f) {
  const int64_t inner = product(sizes, last + 1, ndim), lines = product(sizes, 0, last) * inner;
  call.runtime->parallel(lines, std::max<int64_t>(1, 2048 / std::max(from, to)), [&](int64_t begin, int64_t end) {
    f(
      begin, end, inner, [=](int64_t l) { return l / inner * from * inner + l % inner; },
      [=](int64_t l) { return l / inner * to * inner + l % inner; });
  });
}

// Real numbers to the first half of their spectrum along `last`, of an even length n.
Complex* one_sided(Call& call, const double* in, const int64_t* sizes, int ndim, int last, int64_t n, bool forward) {
  const std::shared_ptr<const RealFftPlan> plan = real_fft_plan(n, forward);
  const int64_t kept = n / 2 + 1;
  Complex* out = scratch<Complex>(call, product(sizes, 0, ndim) / n * kept);
  each_line(call, sizes, ndim, last, n, kept, [&](int64_t begin, int64_t end, int64_t inner, auto source, auto target) {
    std::vector<double> line(static_cast<size_t>(n));
    std::vector<Complex> half(static_cast<size_t>(kept)), work(static_cast<size_t>(plan->work_size()));
    for (int64_t l = begin; l < end; l++) {
      const double* from = in + source(l);
      Complex* to = out + target(l);
      if (inner == 1) {
        plan->to_one_sided(from, to, work.data());
        continue;
      }
      for (int64_t i = 0; i < n; i++) line[static_cast<size_t>(i)] = from[i * inner];
      plan->to_one_sided(line.data(), half.data(), work.data());
      for (int64_t i = 0; i < kept; i++) to[i * inner] = half[static_cast<size_t>(i)];
    }
  });
  return out;
}

// The other way round; `sizes` are those of the spectrum but for `last`.
double* from_one_sided(Call& call, const Complex* in, const int64_t* sizes, int ndim, int last, int64_t n, bool forward) {
  const std::shared_ptr<const RealFftPlan> plan = real_fft_plan(n, forward);
  const int64_t kept = n / 2 + 1;
  double* out = scratch<double>(call, product(sizes, 0, ndim) / kept * n);
  each_line(call, sizes, ndim, last, kept, n, [&](int64_t begin, int64_t end, int64_t inner, auto source, auto target) {
    std::vector<double> line(static_cast<size_t>(n));
    std::vector<Complex> half(static_cast<size_t>(kept)), work(static_cast<size_t>(plan->work_size()));
    for (int64_t l = begin; l < end; l++) {
      const Complex* from = in + source(l);
      double* to = out + target(l);
      if (inner == 1) {
        plan->to_real(from, to, work.data());
        continue;
      }
      for (int64_t i = 0; i < kept; i++) half[static_cast<size_t>(i)] = from[i * inner];
      plan->to_real(half.data(), line.data(), work.data());
      for (int64_t i = 0; i < n; i++) to[i * inner] = line[static_cast<size_t>(i)];
    }
  });
  return out;
}

// Float inputs of enough lines, of lengths with small factors, run in float, as many lines at a time as a vector has lanes.
constexpr int64_t kLongestAcross = int64_t{1} << 16;

struct Across {
  const FftTable& table = fft_table();
  std::vector<float> a, b;
  int64_t element() const { return 2 * table.lanes; }
  void reserve(int64_t n) {
    if (static_cast<int64_t>(a.size()) < n * element()) a.resize(static_cast<size_t>(n * element())), b.resize(a.size());
  }
};

// What one dimension's transform does with a group of lines: reads `from` elements each, writes `to`.
enum class Step { Complex, RealToHalf, RealToFull, HalfToReal };

void transform_across(Call& call, const float* in, float* out, const int64_t* sizes, int ndim, int d, int64_t n, Step step, bool forward,
                      float scale) {
  const bool real_in = step == Step::RealToHalf || step == Step::RealToFull, real_out = step == Step::HalfToReal;
  const int64_t from = step == Step::HalfToReal ? n / 2 + 1 : n, to = step == Step::RealToHalf ? n / 2 + 1 : n, h = n / 2;
  const int64_t inner = product(sizes, d + 1, ndim), outer = product(sizes, 0, d);
  const int64_t in_unit = real_in ? 1 : 2, out_unit = real_out ? 1 : 2;
  const std::shared_ptr<const FftPlan> plan = step == Step::Complex ? fft_plan(n, forward) : nullptr;
  const std::shared_ptr<const RealFftPlan> real = step == Step::Complex ? nullptr : real_fft_plan(n, forward);
  const FftPlan& inner_plan = plan != nullptr ? *plan : real->half();
  const FftShape shape{inner_plan.size(), inner_plan.factors().data(), inner_plan.float_twiddles().data(), forward};
  const int64_t lanes = fft_table().lanes;
  // Groups of lines: neighbours along the inner dimensions, or whole rows where there are none.
  const int64_t each = inner == 1 ? outer : inner, groups_each = (each + lanes - 1) / lanes,
                groups = inner == 1 ? groups_each : outer * groups_each;
  call.runtime->parallel(groups, std::max<int64_t>(1, 8192 / (n * lanes)), [&](int64_t begin, int64_t end) {
    Across across;
    const FftTable& table = across.table;
    across.reserve(n + 1);
    for (int64_t g = begin; g < end; g++) {
      const int64_t o = inner == 1 ? 0 : g / groups_each, first = g % groups_each * lanes;
      const int count = static_cast<int>(std::min(lanes, each - first));
      const float* source = inner == 1 ? in + first * from * in_unit : in + (o * from * inner + first) * in_unit;
      float* target = inner == 1 ? out + first * to * out_unit : out + (o * to * inner + first) * out_unit;
      float *a = across.a.data(), *b = across.b.data();
      if (inner == 1) {
        table.columns_of_rows(source, from * in_unit, count, from * in_unit, a);
      } else if (!real_in) {
        table.split_pairs(source, 2 * inner, count, from, a);
      } else {
        for (int64_t i = 0; i < from; i++)
          for (int l = 0; l < lanes; l++) a[i * lanes + l] = l < count ? source[i * inner + l] : 0.0f;
      }
      if (step == Step::HalfToReal) {
        table.from_one_sided(a, real->float_twiddles().data(), h, b);
        std::swap(a, b);
      }
      table.transform(shape, a, b);
      if (real_in) {
        table.to_one_sided(b, real->float_twiddles().data(), h, a);
        if (step == Step::RealToFull) table.mirror(a, h);
        std::swap(a, b);
      }
      if (inner == 1) {
        table.rows_of_columns(b, to * out_unit, target, to * out_unit, count, scale);
      } else if (!real_out) {
        table.join_pairs(b, to, target, 2 * inner, count, scale);
      } else {
        for (int64_t i = 0; i < to; i++)
          for (int l = 0; l < count; l++) target[i * inner + l] = b[i * lanes + l] * scale;
      }
    }
  });
}

// Whether it ran so; `sizes` are those of the whole transform but for a one-sided input.
bool run_across(Call& call, const Transform& t, const int64_t* whole) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if ((self.dtype != DType::F32 && self.dtype != DType::C64) || t.dims.empty() || self.ndim == 0) return false;
  const bool half = t.kind == Kind::OneSidedToReal;
  const int64_t n = t.n.back(), total = product(whole, 0, self.ndim);
  if (t.kind != Kind::ToComplex && n % 2 != 0) return false;
  if (half && self.dtype != DType::C64) return false;
  for (size_t i = 0; i < t.dims.size(); i++) {
    const bool last = i + 1 == t.dims.size();
    const int64_t length = t.n[i], lines = total / whole[t.dims[i]];
    if (length > kLongestAcross || lines < 4) return false;
    if (length < 2 && last && t.kind != Kind::ToComplex) return false;
    if (!fft_plan(length, t.forward)->has_small_factors()) return false;
    if (length % 2 == 0 && length > 2 && !fft_plan(length / 2, t.forward)->has_small_factors()) return false;
  }
  int64_t sizes[kMaxDims];
  std::copy(whole, whole + self.ndim, sizes);
  const int last = t.dims.back();
  const auto factor = static_cast<float>(t.scale);
  // A real input of one transform is done as a one-sided one and completed.
  const bool real_full = t.kind == Kind::ToComplex && self.dtype == DType::F32 && t.dims.size() == 1 && n % 2 == 0 && n > 1;
  const bool from_real = t.kind == Kind::RealToOneSided || real_full;
  const float* data;
  bool own = false;  // the data may be overwritten
  if (self.dtype == (from_real ? DType::F32 : DType::C64) && self.is_contiguous() && std::equal(sizes, sizes + self.ndim, self.sizes)) {
    data = self.ptr<float>();
  } else {
    data = from_real ? load<float>(call, self, sizes) : reinterpret_cast<float*>(load<std::complex<float>>(call, self, sizes));
    own = true;
  }
  size_t left = t.dims.size();
  const auto apply = [&](int d, int64_t length, Step step, int64_t length_after) {
    const bool in_place = step == Step::Complex && own;
    const int64_t numbers = product(sizes, 0, self.ndim) / sizes[d] * length_after * (step == Step::HalfToReal ? 1 : 2);
    const bool finishes = --left == 0;
    float* to = finishes && out.is_contiguous() ? out.ptr<float>() : in_place ? const_cast<float*>(data) : scratch<float>(call, numbers);
    transform_across(call, data, to, sizes, self.ndim, d, length, step, t.forward, finishes ? factor : 1.0f);
    sizes[d] = length_after;
    data = to;
    own = true;
  };
  if (from_real) apply(last, n, real_full ? Step::RealToFull : Step::RealToHalf, real_full ? n : n / 2 + 1);
  for (size_t i = 0; i < t.dims.size(); i++) {
    if (i + 1 == t.dims.size() && (real_full || t.kind != Kind::ToComplex)) continue;
    apply(t.dims[i], t.n[i], Step::Complex, t.n[i]);
  }
  if (half) apply(last, n, Step::HalfToReal, n);
  if (data == out.ptr<float>()) return true;
  TensorView result = out;
  int64_t stride = 1;
  for (int d = out.ndim - 1; d >= 0; d--) result.strides[d] = stride, stride *= sizes[d];
  result.data = const_cast<float*>(data);
  copy_view(out, result);
  return true;
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
  if (run_across(call, t, sizes)) return;
  const bool even = !t.n.empty() && t.n.back() % 2 == 0;
  if (t.kind == Kind::RealToOneSided && even) {
    const int64_t n = t.n.back();
    Complex* data = one_sided(call, load<double>(call, self, sizes), sizes, ndim, last, n, t.forward);
    sizes[last] = n / 2 + 1;
    for (size_t i = 0; i + 1 < t.dims.size(); i++) transform_dim(call, data, sizes, ndim, t.dims[i], t.forward);
    return store(call, data, sizes, t.scale);
  }
  Complex* data = load<Complex>(call, self, sizes);
  for (size_t i = 0; i < t.dims.size(); i++)
    if (!half || static_cast<int>(i) + 1 < static_cast<int>(t.dims.size())) transform_dim(call, data, sizes, ndim, t.dims[i], t.forward);
  if (!half) return store(call, data, sizes, t.scale);
  const int64_t n = t.n.back();
  if (even) {
    double* real = from_one_sided(call, data, sizes, ndim, last, n, t.forward);
    sizes[last] = n;
    return store(call, real, sizes, t.scale);
  }
  const int64_t kept = sizes[last], inner = product(sizes, last + 1, ndim), outer = product(sizes, 0, last);
  Complex* full = scratch<Complex>(call, outer * n * inner);
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t k = 0; k < n; k++) {
      const bool mirrored = k >= kept;
      const Complex* from = data + (o * kept + (mirrored ? n - k : k)) * inner;
      Complex* to = full + (o * n + k) * inner;
      for (int64_t i = 0; i < inner; i++) to[i] = k == 0 ? Complex(from[i].real(), 0) : mirrored ? std::conj(from[i]) : from[i];
    }
  }
  sizes[last] = n;
  transform_dim(call, full, sizes, ndim, last, t.forward);
  store(call, full, sizes, t.scale);
}

template <const Form& form> void infer_one(Call& call) { infer_transform(call, one_dimensional(call, form), form.name); }
template <const Form& form> void run_one(Call& call) { run_transform(call, one_dimensional(call, form)); }
template <const Form& form> void infer_many(Call& call) { infer_transform(call, many_dimensional(call, form), form.name); }
template <const Form& form> void run_many(Call& call) { run_transform(call, many_dimensional(call, form)); }

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
