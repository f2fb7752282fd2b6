#include "core/digest.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/thread_pool.h"

namespace torchscript {
namespace {

// Pieces are digested apart, then their digests.
constexpr size_t kPiece = 1 << 20;
// Pieces after which memory of a file is given back.
constexpr int64_t kPiecesHeld = 16;

constexpr uint64_t kOdd[8] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u, 0xD6E8FEB86659FD93u,
                              0xA0761D6478BD642Fu, 0xE7037ED1A0B428DBu, 0x8EBC6AF09C88C6E3u, 0x589965CC75374CC3u};

// Both halves of a product, which depend on all bits of both factors.
inline uint64_t fold(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline uint64_t load(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

Digest digest_piece(const uint8_t* p, size_t bytes, uint64_t seed) {
  uint64_t lane[4] = {kOdd[0] ^ seed, kOdd[1] + seed, kOdd[2] ^ bytes, kOdd[3] + bytes};
  size_t at = 0;
  for (; at + 64 <= bytes; at += 64)
    for (int i = 0; i < 4; i++)
      lane[i] = fold(load(p + at + 16 * i) ^ kOdd[2 * i % 8] ^ lane[i], load(p + at + 16 * i + 8) ^ kOdd[2 * i + 1]) + kOdd[i] * at;
  if (at < bytes) {
    uint8_t rest[64] = {};
    std::memcpy(rest, p + at, bytes - at);
    for (int i = 0; i < 4; i++)
      lane[i] = fold(load(rest + 16 * i) ^ kOdd[2 * i % 8] ^ lane[i], load(rest + 16 * i + 8) ^ kOdd[2 * i + 1]) + kOdd[i] * at;
  }
  const uint64_t a = fold(lane[0] ^ kOdd[4], lane[1] ^ kOdd[5]), b = fold(lane[2] ^ kOdd[6], lane[3] ^ kOdd[7]);
  return {{fold(a ^ kOdd[0], b ^ kOdd[3]), fold(a ^ lane[2] ^ kOdd[1], b ^ lane[0] ^ kOdd[2])}};
}

}  // namespace

std::string Digest::hex() const {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (uint64_t word : words)
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(word >> shift) & 15];
  return text;
}

Digest digest_of(const void* data, size_t bytes, FileMapping* file) {
  const auto* p = static_cast<const uint8_t*>(data);
  if (bytes <= kPiece) return digest_piece(p, bytes, bytes);
  const auto pieces = static_cast<int64_t>((bytes + kPiece - 1) / kPiece);
  std::vector<Digest> parts(static_cast<size_t>(pieces));
  struct Work {
    const uint8_t* p;
    size_t bytes;
    int64_t first;
    Digest* parts;
  } work{p, bytes, 0, parts.data()};
  for (; work.first < pieces; work.first += kPiecesHeld) {
    parallel_for(
      std::min(kPiecesHeld, pieces - work.first), 1,
      [](void* context, int64_t begin, int64_t end) {
        const Work& w = *static_cast<Work*>(context);
        for (int64_t i = w.first + begin; i < w.first + end; i++) {
          const size_t at = static_cast<size_t>(i) * kPiece;
          w.parts[i] = digest_piece(w.p + at, std::min(kPiece, w.bytes - at), static_cast<uint64_t>(i));
        }
      },
      &work);
    if (file)
      file->drop(p + static_cast<size_t>(work.first) * kPiece,
                 std::min(static_cast<size_t>(kPiecesHeld) * kPiece, bytes - static_cast<size_t>(work.first) * kPiece));
  }
  return digest_piece(reinterpret_cast<const uint8_t*>(parts.data()), parts.size() * sizeof(Digest), bytes);
}

}  // namespace torchscript
