// Walking several operands of one broadcast shape in the order of the first one's memory, with dimensions merged.
#pragma once
#include "kernel.h"

namespace torchscript {

constexpr int kMaxIterated = 24;

struct Iteration {
  int operands = 0;
  int ndim = 0;                             // 1 at least, unless total is 0
  int64_t sizes[kMaxDims];                  // fastest first
  int64_t strides[kMaxIterated][kMaxDims];  // elements
  int64_t total = 0;

  // Operand 0 gives the order; all have `shape`.
  void build(const int64_t* shape, int dims, const int64_t (*operand_strides)[kMaxDims], int count);
  // Element offset of operand k at linear position `at`.
  int64_t offset(int k, int64_t at) const {
    int64_t sum = 0;
    for (int d = 0; d < ndim; d++) {
      sum += at % sizes[d] * strides[k][d];
      at /= sizes[d];
    }
    return sum;
  }
  // Operand k lies in memory element after element, in the order of the iteration.
  bool is_linear(int k) const {
    bool linear = strides[k][0] == 1;
    for (int d = 1; linear && d < ndim; d++) linear = strides[k][d] == strides[k][d - 1] * sizes[d - 1];
    return linear;
  }
};

struct Sixteen {
  uint64_t a, b;
};
// f(T{}) with a type of as many bytes.
template <class F> void with_element_of(int64_t size, const F& f) {
  switch (size) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    default: return f(Sixteen{});
  }
}

// Elements of `size` bytes, `stride` elements apart, to or from a run of them.
void gather_elements(int64_t n, char* to, const char* from, int64_t stride, int64_t size);
void scatter_elements(int64_t n, char* to, int64_t stride, const char* from, int64_t size);
// The same for n elements of operand k from linear position `at` on, whose memory starts at `from` or `to`. After the last element comes the first.
void gather_range(const Iteration& it, int k, int64_t at, int64_t n, char* to, const char* from, int64_t size);
void scatter_range(const Iteration& it, int k, int64_t at, int64_t n, char* to, const char* from, int64_t size);

}  // namespace torchscript
