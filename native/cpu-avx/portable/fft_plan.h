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

 private:
  void radix(Complex* out, const Complex* in, int64_t step, size_t factor, int64_t n) const;
  void convolve(Complex* data, Complex* work) const;

  int64_t n_;
  bool bluestein_ = false;
  std::vector<int64_t> factors_;
  std::vector<Complex> twiddles_;  // exp(sign * 2 pi i k / n)
  std::vector<Complex> chirp_, chirp_spectrum_;
  std::unique_ptr<FftPlan> chirp_plan_, chirp_inverse_;
};

}  // namespace torchscript::portable
