#include "core/random.h"

#include <algorithm>
#include <cmath>

namespace torchscript {

void MersenneTwister::seed(uint32_t seed) {
  state_[0] = seed;
  for (uint32_t i = 1; i < kSize; i++) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  at_ = kSize;
}

void MersenneTwister::refill() {
  const auto mix = [](uint32_t high, uint32_t low, uint32_t far) {
    const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return far ^ (y >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
  };
  for (int i = 0; i < kSize - kShift; i++) state_[i] = mix(state_[i], state_[i + 1], state_[i + kShift]);
  for (int i = kSize - kShift; i < kSize - 1; i++) state_[i] = mix(state_[i], state_[i + 1], state_[i + kShift - kSize]);
  state_[kSize - 1] = mix(state_[kSize - 1], state_[0], state_[kShift - 1]);
  for (int i = 0; i < kSize; i++) {
    uint32_t y = state_[i];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    draws_[i] = y ^ (y >> 18);
  }
  at_ = 0;
}

void MersenneTwister::fill(uint32_t* to, int64_t n) {
  while (n > 0) {
    if (at_ == kSize) refill();
    const int64_t part = std::min<int64_t>(n, kSize - at_);
    std::copy(draws_ + at_, draws_ + at_ + part, to);
    at_ += static_cast<int>(part);
    to += part;
    n -= part;
  }
}

uint64_t Generator::next_u64() {
  uint64_t high = next_u32();
  uint64_t low = next_u32();
  return high << 32 | low;
}

double Generator::next_normal_double() {
  if (has_normal_) {
    has_normal_ = false;
    return next_normal_;
  }
  constexpr uint64_t kMask = (uint64_t{1} << 53) - 1;
  double u1 = static_cast<double>(next_u64() & kMask) * 0x1p-53;
  double u2 = static_cast<double>(next_u64() & kMask) * 0x1p-53;
  double r = std::sqrt(-2.0 * std::log1p(-u2));
  double theta = 2.0 * M_PI * u1;
  next_normal_ = r * std::sin(theta);
  has_normal_ = true;
  return r * std::cos(theta);
}

Generator& default_generator() {
  static Generator* generator = new Generator;
  return *generator;
}

}  // namespace torchscript
