// Fast digests of memory: they tell contents apart and notice damage; they do not withstand somebody who looks for collisions.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/mmap.h"

namespace torchscript {

struct Digest {
  std::array<uint64_t, 2> words{};
  bool operator==(const Digest&) const = default;
  bool operator<(const Digest& other) const { return words < other.words; }
  std::string hex() const;
};

// The same bytes give the same digest on every machine. Splits the work between threads. `file`, when given, holds the bytes: what has been
// read is given back.
Digest digest_of(const void* data, size_t bytes, FileMapping* file = nullptr);
inline Digest digest_of(const std::string& bytes) { return digest_of(bytes.data(), bytes.size()); }

}  // namespace torchscript
