#include "core/random.h"

#include <cmath>

namespace torchscript {

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
