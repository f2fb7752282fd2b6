// The text of a fused group's kernel for one class of signatures (docs/cuda.md).
#pragma once
#include <string>
#include <vector>

#include "cpu-avx/fused_steps.h"

namespace torchscript::cuda::emit {

constexpr int kThreads = 256;

// A tensor that the kernel reads or writes.
struct Window {
  enum class Access : uint8_t {
    Single,  // one element
    Linear,  // in the order of the loop, without gaps
    Offset   // at offsets that are worked out by the dimensions of the loop
  };
  int value = -1;
  DType dtype = DType::F32;
  bool output = false;
  Access access = Access::Single;
  int offsets = -1;  // Offset: which; windows of the same strides in bytes share them
  // Offset: how far the elements of one vector are apart.
  enum class Inner : uint8_t { Same, Next, Apart } inner = Inner::Same;
};

// What a text is made for; all else is parameters.
struct KernelClass {
  std::vector<Window> windows;
  std::vector<int> window_of_value;  // -1: none
  std::vector<char> computed;        // by step: by this kernel
  int ndim = 1;                      // of the loop
  int offsets = 0;
  int vector = 1;  // elements that a thread takes at a time
  // Groups that end in a reduction.
  int row_threads = 0;        // 0: none; up to 32, or kThreads
  bool pieces = false;        // of rows: accumulators are stored, which a kernel of fold_text joins
  bool brain_floats = false;  // of chips that have instructions for them
};

// The parameters are one block of bytes, in this order: Head; addresses of the windows; numbers, 8 bytes each; sizes of the loop's dimensions but the
// last, as Divider; strides in bytes by offsets and dimension, 4 bytes each.
struct Head {
  uint32_t n = 0;        // elements, or rows
  uint32_t vectors = 0;  // whole vectors of n, or elements of a row
  uint32_t piece = 0;    // elements of a piece of a row
  uint32_t pieces = 1;   // of a row
  uint32_t units = 0;    // rows times pieces
  uint32_t count = 0;    // elements that each result follows from
};
struct Layout {
  int windows = 0, numbers = 0, dividers = 0, strides = 0, bytes = 0;
  Layout() = default;
  Layout(size_t window_count, size_t number_count, int ndim, int offsets);
};

// What is computed with, where it is a number: (step, operand) in the order of the parameters.
struct NumberPlace {
  int step, operand;
};
std::vector<NumberPlace> numbers_of(const FusedSteps& steps, const std::vector<char>& computed);

struct KernelText {
  std::string name, text;
  std::string refusal;  // why there is none
};
// Everything that the text of a group depends on, as a text. Two groups of one key have one text.
std::string key_of(const FusedSteps& steps, const KernelClass& shape);
KernelText kernel_text(const FusedSteps& steps, const KernelClass& shape);
// The second kernel of a reduction in pieces: folds `pieces` accumulators of each row. Its windows are the accumulators and the result.
KernelText fold_text(const FusedReduction& row, Element element, DType out, bool brain_floats);
// Bytes of an accumulator in memory.
int accumulator_bytes(const FusedReduction& row, Element element);

}  // namespace torchscript::cuda::emit
