// The default generator: mt19937 as PyTorch's CPU generator uses it.
#pragma once
#include <cstdint>
#include <mutex>
#include <random>

#include "kernel.h"

namespace torchscript {

class Generator final : public RandomSource {
 public:
  explicit Generator(uint64_t seed = kDefaultSeed) { reseed(seed); }
  void reseed(uint64_t seed) {
    engine_.seed(static_cast<uint32_t>(seed));
    seed_ = seed;
    has_normal_ = false;
  }
  uint64_t seed() const { return seed_; }
  uint32_t next_u32() override { return static_cast<uint32_t>(engine_()); }
  uint64_t next_u64() override;
  double next_normal_double() override;

  // Held while an operator draws; the default generator is shared by all runs of the process.
  std::recursive_mutex mutex;
  static constexpr uint64_t kDefaultSeed = 67280421310721;

 private:
  std::mt19937 engine_;
  uint64_t seed_ = kDefaultSeed;
  double next_normal_ = 0;
  bool has_normal_ = false;
};

Generator& default_generator();

}  // namespace torchscript
