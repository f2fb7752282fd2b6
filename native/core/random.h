// The default generator: mt19937 as PyTorch's CPU generator uses it.
#pragma once
#include <cstdint>
#include <mutex>

#include "kernel.h"

namespace torchscript {

// The Mersenne Twister MT19937 of Matsumoto and Nishimura (1998), which gives the numbers of std::mt19937 a block at a time.
class MersenneTwister {
 public:
  void seed(uint32_t seed);
  uint32_t next() {
    if (at_ == kSize) refill();
    return draws_[at_++];
  }
  void fill(uint32_t* to, int64_t n);

 private:
  static constexpr int kSize = 624, kShift = 397;
  void refill();

  uint32_t state_[kSize];
  uint32_t draws_[kSize];  // of the state, tempered
  int at_ = kSize;
};

class Generator final : public RandomSource {
 public:
  explicit Generator(uint64_t seed = kDefaultSeed) { reseed(seed); }
  void reseed(uint64_t seed) {
    engine_.seed(static_cast<uint32_t>(seed));
    seed_ = seed;
    has_normal_ = false;
  }
  uint64_t seed() const { return seed_; }
  uint32_t next_u32() override { return engine_.next(); }
  void fill_u32(uint32_t* to, int64_t n) override { engine_.fill(to, n); }
  uint64_t next_u64() override;
  double next_normal_double() override;

  // Held while an operator draws; the default generator is shared by all runs of the process.
  std::recursive_mutex mutex;
  static constexpr uint64_t kDefaultSeed = 67280421310721;

 private:
  MersenneTwister engine_;
  uint64_t seed_ = kDefaultSeed;
  double next_normal_ = 0;
  bool has_normal_ = false;
};

Generator& default_generator();

}  // namespace torchscript
