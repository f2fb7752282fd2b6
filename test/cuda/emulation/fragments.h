// Which element of a matrix each register of each lane holds in mma.sync, as the PTX ISA's section "Matrix Fragments for mma" gives it for every shape:
// the one place where the emulator and its tests say so. `group` is lane >> 2 and `member` is lane % 4 there.
#pragma once
#include <cstdint>
#include <cstring>

namespace emulation {

struct Place {
  int row, column;
};

// m16n8k16 of .f16 and .bf16: eight elements of a and four of b in a lane.
struct M16N8K16 {
  static constexpr int kDepth = 16, kA = 8, kB = 4, kBytes = 2;
  static constexpr Place a(int lane, int i) {
    return {i < 2 || (i >= 4 && i < 6) ? lane / 4 : lane / 4 + 8, i < 4 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8};
  }
  static constexpr Place b(int lane, int i) { return {i < 2 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8, lane / 4}; }
};
// m16n8k8 of .f16 (sm_75) and .bf16.
struct M16N8K8 {
  static constexpr int kDepth = 8, kA = 4, kB = 2, kBytes = 2;
  static constexpr Place a(int lane, int i) { return {i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)}; }
  static constexpr Place b(int lane, int i) { return {lane % 4 * 2 + i, lane / 4}; }
};
// m16n8k8 of .tf32.
struct M16N8K8Wide {
  static constexpr int kDepth = 8, kA = 4, kB = 2, kBytes = 4;
  static constexpr Place a(int lane, int i) { return {i == 0 || i == 2 ? lane / 4 : lane / 4 + 8, i < 2 ? lane % 4 : lane % 4 + 4}; }
  static constexpr Place b(int lane, int i) { return {i == 0 ? lane % 4 : lane % 4 + 4, lane / 4}; }
};
// m16n8k32 of .s8 and .u8.
struct M16N8K32 {
  static constexpr int kDepth = 32, kA = 16, kB = 8, kBytes = 1;
  static constexpr Place a(int lane, int i) {
    return {i < 4 || (i >= 8 && i < 12) ? lane / 4 : lane / 4 + 8, i < 8 ? lane % 4 * 4 + (i & 3) : lane % 4 * 4 + (i & 3) + 16};
  }
  static constexpr Place b(int lane, int i) { return {i < 4 ? lane % 4 * 4 + (i & 3) : lane % 4 * 4 + (i & 3) + 16, lane / 4}; }
};
// The sums of all of these: four in a lane.
constexpr Place sum_place(int lane, int i) { return {i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)}; }
// m8n8k16 of .s8 and .u8 (sm_75): four elements of a and of b, two sums.
struct M8N8K16 {
  static constexpr int kDepth = 16, kA = 4, kB = 4, kBytes = 1;
  static constexpr Place a(int lane, int i) { return {lane / 4, lane % 4 * 4 + i}; }
  static constexpr Place b(int lane, int i) { return {lane % 4 * 4 + i, lane / 4}; }
  static constexpr Place sum(int lane, int i) { return {lane / 4, lane % 4 * 2 + i}; }
};

// Where a shape keeps element (row, k) of a, and (k, column) of b: byte offsets into what all lanes brought, a's registers before b's.
template <class Shape> struct Holders {
  static constexpr int kABytes = Shape::kA * Shape::kBytes;
  uint16_t a[16][Shape::kDepth], b[Shape::kDepth][8];
  constexpr Holders() : a(), b() {
    for (int lane = 0; lane < 32; lane++) {
      for (int i = 0; i < Shape::kA; i++) a[Shape::a(lane, i).row][Shape::a(lane, i).column] = static_cast<uint16_t>(lane * 64 + i * Shape::kBytes);
      for (int i = 0; i < Shape::kB; i++) b[Shape::b(lane, i).row][Shape::b(lane, i).column] = static_cast<uint16_t>(lane * 64 + kABytes + i * Shape::kBytes);
    }
  }
};

template <class Shape> const Holders<Shape>& holders() {
  static const Holders<Shape> held;
  return held;
}

// The sums of one lane: c += a b. `all` is what the lanes brought: a's registers, then b's. `a_of` and `b_of` read an element at an address.
// GCC 12 takes it for a function without effects otherwise, and leaves calls out.
template <class Shape, class Sum, int kSums, class ReadA, class ReadB>
__attribute__((noipa)) void multiply_fragments(Sum (&c)[kSums], const char (*all)[64], int lane, const ReadA& a_of, const ReadB& b_of) {
  const Holders<Shape>& held = holders<Shape>();
  const char* bytes = reinterpret_cast<const char*>(all);
  for (int i = 0; i < kSums; i++) {
    Place at;
    if constexpr (kSums == 4) at = sum_place(lane, i);
    else at = Shape::sum(lane, i);
    for (int k = 0; k < Shape::kDepth; k++) c[i] += a_of(bytes + held.a[at.row][k]) * b_of(bytes + held.b[k][at.column]);
  }
}

}  // namespace emulation
