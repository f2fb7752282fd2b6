// One-dimensional discrete Fourier transform of any length, in double.
//
// Lengths whose prime factors are small run as mixed radix decimation in time; others by Bluestein's algorithm, which writes the transform
// as a convolution with a chirp and does that at a power of two.
#pragma once
#include <complex>
#include <cstdint>
#include <memory>
#include <vector>

namespace torchscript::portable {

class FftPlan {
 public:
  using Complex = std::complex<double>;
  // The exponent's sign: forward transforms have -1.
  FftPlan(int64_t n, bool forward);
  int64_t size() const { return n_; }
  // Numbers that `work` of transform must hold.
  int64_t work_size() const { return bluestein_ ? 2 * chirp_plan_->size() + chirp_plan_->work_size() : n_; }
  void transform(Complex* data, Complex* work) const;

  // What transforms of several lines in float need (fft_inner.h).
  bool has_small_factors() const { return !bluestein_ && (factors_.empty() || factors_.back() <= 13); }
  const std::vector<int64_t>& factors() const { return factors_; }
  const std::vector<float>& float_twiddles() const { return float_twiddles_; }

 private:
  void radix(Complex* out, const Complex* in, int64_t step, size_t factor, int64_t n) const;
  void convolve(Complex* data, Complex* work) const;

  int64_t n_;
  bool bluestein_ = false;
  std::vector<int64_t> factors_;
  std::vector<Complex> twiddles_;  // exp(sign * 2 pi i k / n)
  std::vector<float> float_twiddles_;
  std::vector<Complex> chirp_, chirp_spectrum_;
  std::unique_ptr<FftPlan> chirp_plan_, chirp_inverse_;
};

// Transforms of n real numbers, n even, as complex ones of half the length.
class RealFftPlan {
 public:
  using Complex = FftPlan::Complex;
  RealFftPlan(int64_t n, bool forward);
  int64_t work_size() const { return n_ / 2 + half_->work_size(); }
  // The n / 2 + 1 first terms of the transform of n numbers.
  void to_one_sided(const double* in, Complex* out, Complex* work) const;
  // n numbers from the n / 2 + 1 first terms of their spectrum; the imaginary parts of the first and the last one are ignored.
  void to_real(const Complex* in, double* out, Complex* work) const;
  const FftPlan& half() const { return *half_; }
  const std::vector<float>& float_twiddles() const { return float_twiddles_; }

 private:
  int64_t n_;
  std::shared_ptr<const FftPlan> half_;
  std::vector<Complex> twiddles_;  // exp(sign * 2 pi i k / n), k up to n / 2
  std::vector<float> float_twiddles_;
};

// Plans are kept between calls, up to a limit. Thread-safe.
std::shared_ptr<const FftPlan> fft_plan(int64_t n, bool forward);
std::shared_ptr<const RealFftPlan> real_fft_plan(int64_t n, bool forward);

}  // namespace torchscript::portable
