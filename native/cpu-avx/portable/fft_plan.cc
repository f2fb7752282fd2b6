#include "cpu-avx/portable/fft_plan.h"

#include <cmath>
#include <map>
#include <mutex>
#include <utility>

namespace torchscript::portable {
namespace {

constexpr double kPi = 3.14159265358979323846;
// Longest prime factor done by the direct butterfly.
constexpr int64_t kMaxPrime = 61;

FftPlan::Complex unit(int64_t k, int64_t n, bool forward) {
  const double angle = 2 * kPi * static_cast<double>(k) / static_cast<double>(n);
  return {std::cos(angle), forward ? -std::sin(angle) : std::sin(angle)};
}

std::vector<float> as_floats(const std::vector<FftPlan::Complex>& values) {
  std::vector<float> out;
  for (const FftPlan::Complex& v : values) out.push_back(static_cast<float>(v.real())), out.push_back(static_cast<float>(v.imag()));
  return out;
}

FftPlan::Complex multiply(FftPlan::Complex a, FftPlan::Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

FftPlan::FftPlan(int64_t n, bool forward) : n_(n) {
  int64_t rest = n;
  for (const int64_t p : {4, 2, 3, 5, 7, 11, 13})
    while (rest % p == 0) factors_.push_back(p), rest /= p;
  for (int64_t p = 17; p <= kMaxPrime && rest > 1; p += 2)
    while (rest % p == 0) factors_.push_back(p), rest /= p;
  bluestein_ = rest > 1;
  if (!bluestein_) {
    twiddles_.resize(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; k++) twiddles_[static_cast<size_t>(k)] = unit(k, n, forward);
    float_twiddles_ = as_floats(twiddles_);
    return;
  }
  int64_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  chirp_.resize(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; k++) {
    // k^2 modulo 2n keeps the angle exact.
    const auto square =
      static_cast<int64_t>(static_cast<unsigned __int128>(k) * static_cast<unsigned __int128>(k) % static_cast<unsigned __int128>(2 * n));
    chirp_[static_cast<size_t>(k)] = unit(square, 2 * n, forward);
  }
  chirp_plan_ = std::make_unique<FftPlan>(m, true);
  chirp_inverse_ = std::make_unique<FftPlan>(m, false);
  chirp_spectrum_.assign(static_cast<size_t>(m), Complex(0));
  for (int64_t k = 0; k < n; k++) {
    chirp_spectrum_[static_cast<size_t>(k)] = std::conj(chirp_[static_cast<size_t>(k)]);
    if (k > 0) chirp_spectrum_[static_cast<size_t>(m - k)] = std::conj(chirp_[static_cast<size_t>(k)]);
  }
  std::vector<Complex> work(static_cast<size_t>(m));
  chirp_plan_->transform(chirp_spectrum_.data(), work.data());
}

void FftPlan::transform(Complex* data, Complex* work) const {
  if (bluestein_) return convolve(data, work);
  if (n_ <= 1) return;
  std::copy(data, data + n_, work);
  radix(data, work, 1, 0, n_);
}

// out[0, n) = transform of in[0], in[step], ...
void FftPlan::radix(Complex* out, const Complex* in, int64_t step, size_t factor, int64_t n) const {
  const int64_t p = factors_[factor], m = n / p;
  if (m == 1) {
    for (int64_t j = 0; j < p; j++) out[j] = in[j * step];
  } else {
    for (int64_t j = 0; j < p; j++) radix(out + j * m, in + j * step, step * p, factor + 1, m);
  }
  const Complex* w = twiddles_.data();
  if (p == 2) {
    for (int64_t k = 0; k < m; k++) {
      const Complex a = out[k], b = multiply(out[k + m], w[k * step]);
      out[k] = a + b;
      out[k + m] = a - b;
    }
    return;
  }
  if (p == 4) {
    const bool forward = n_ >= 4 && w[n_ / 4].imag() < 0;
    for (int64_t k = 0; k < m; k++) {
      const Complex a = out[k], b = multiply(out[k + m], w[k * step]), c = multiply(out[k + 2 * m], w[2 * k * step]),
                    d = multiply(out[k + 3 * m], w[3 * k * step]);
      const Complex s0 = a + c, s1 = a - c, s2 = b + d, s3 = b - d;
      const Complex turned = forward ? Complex(s3.imag(), -s3.real()) : Complex(-s3.imag(), s3.real());
      out[k] = s0 + s2;
      out[k + m] = s1 + turned;
      out[k + 2 * m] = s0 - s2;
      out[k + 3 * m] = s1 - turned;
    }
    return;
  }
  Complex t[kMaxPrime];
  for (int64_t k = 0; k < m; k++) {
    for (int64_t j = 0; j < p; j++) t[j] = multiply(out[k + j * m], w[j * k * step]);
    for (int64_t q = 0; q < p; q++) {
      Complex sum = t[0];
      for (int64_t j = 1; j < p; j++) sum += multiply(t[j], w[j * q % p * m * step]);
      out[k + q * m] = sum;
    }
  }
}

void FftPlan::convolve(Complex* data, Complex* work) const {
  const int64_t m = chirp_plan_->size();
  Complex *a = work, *rest = work + m;
  std::fill(a, a + m, Complex(0));
  for (int64_t k = 0; k < n_; k++) a[k] = multiply(data[k], chirp_[static_cast<size_t>(k)]);
  chirp_plan_->transform(a, rest);
  for (int64_t k = 0; k < m; k++) a[k] = multiply(a[k], chirp_spectrum_[static_cast<size_t>(k)]);
  chirp_inverse_->transform(a, rest);
  const double scale = 1.0 / static_cast<double>(m);
  for (int64_t k = 0; k < n_; k++) data[k] = multiply(a[k], chirp_[static_cast<size_t>(k)]) * scale;
}

RealFftPlan::RealFftPlan(int64_t n, bool forward) : n_(n), half_(fft_plan(n / 2, forward)) {
  for (int64_t k = 0; k <= n / 2; k++) twiddles_.push_back(unit(k, n, forward));
  float_twiddles_ = as_floats(twiddles_);
}

// With z = even terms + i odd terms, E = (Z[k] + conj Z[h - k]) / 2 and O = (Z[k] - conj Z[h - k]) / 2i are the transforms of the two,
// and X[k] = E[k] + w^k O[k].
void RealFftPlan::to_one_sided(const double* in, Complex* out, Complex* work) const {
  const int64_t h = n_ / 2;
  for (int64_t k = 0; k < h; k++) work[k] = {in[2 * k], in[2 * k + 1]};
  half_->transform(work, work + h);
  for (int64_t k = 0; k <= h; k++) {
    const Complex a = work[k == h ? 0 : k], b = std::conj(work[k == 0 ? 0 : h - k]);
    const Complex even = (a + b) * 0.5, difference = (a - b) * 0.5;
    out[k] = even + multiply(twiddles_[static_cast<size_t>(k)], {difference.imag(), -difference.real()});
  }
}

// y[2j] and y[2j + 1] are the transforms of X[k] + X[k + h] and of (X[k] - X[k + h]) w^k, where X[k + h] = conj X[h - k].
void RealFftPlan::to_real(const Complex* in, double* out, Complex* work) const {
  const int64_t h = n_ / 2;
  for (int64_t k = 0; k < h; k++) {
    const Complex a = k == 0 ? Complex(in[0].real(), 0) : in[k], b = k == 0 ? Complex(in[h].real(), 0) : std::conj(in[h - k]);
    const Complex odd = multiply(a - b, twiddles_[static_cast<size_t>(k)]);
    work[k] = a + b + Complex(-odd.imag(), odd.real());
  }
  half_->transform(work, work + h);
  for (int64_t k = 0; k < h; k++) {
    out[2 * k] = work[k].real();
    out[2 * k + 1] = work[k].imag();
  }
}

namespace {

// Numbers that kept plans hold together, about.
constexpr int64_t kKeptNumbers = int64_t{1} << 20;

template <class Plan> std::shared_ptr<const Plan> kept_plan(int64_t n, bool forward) {
  static std::mutex* mutex = new std::mutex;
  static auto* plans = new std::map<std::pair<int64_t, bool>, std::shared_ptr<const Plan>>;
  static int64_t held = 0;
  {
    std::lock_guard lock(*mutex);
    const auto found = plans->find({n, forward});
    if (found != plans->end()) return found->second;
  }
  auto plan = std::make_shared<const Plan>(n, forward);
  if (n > kKeptNumbers / 4) return plan;
  std::lock_guard lock(*mutex);
  if (held + n > kKeptNumbers) {
    plans->clear();
    held = 0;
  }
  if (plans->emplace(std::pair(n, forward), plan).second) held += n;
  return plan;
}

}  // namespace

std::shared_ptr<const FftPlan> fft_plan(int64_t n, bool forward) { return kept_plan<FftPlan>(n, forward); }
std::shared_ptr<const RealFftPlan> real_fft_plan(int64_t n, bool forward) { return kept_plan<RealFftPlan>(n, forward); }

}  // namespace torchscript::portable
