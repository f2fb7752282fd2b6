// Elements that are not zero, in order: what masks and nonzero are made of.
#pragma once
#include "cuda/kernels/select_params.h"
#include "cuda/rows.h"

namespace torchscript::cuda {

// Counts the elements of a window that are not zero, and writes their positions.
class Selection {
 public:
  Selection(const TensorView& x, Runtime* runtime);
  // Waits for the device.
  int64_t count() const;
  // The first `limit` positions, as one number each (row-major). `fills`: the room beyond the last gets `rest`.
  void write(int64_t* positions, int64_t limit, bool fills = false, int64_t rest = -1) const;

 private:
  int device_;
  Runtime* runtime_;
  int64_t chunks_;
  SelectParams p_;
  Scratch counts_;
};

// Positions as a matrix [n, ndim] of indices of the dimensions of `shape`; negative positions become `rest`.
void write_coordinates(Runtime* runtime, const TensorView& shape, const int64_t* positions, const TensorView& out, int64_t rest);
// Running sums of `n` whole numbers, in place.
void sum_up(Runtime* runtime, int device, int64_t* values, int64_t n);
// The window, repeated to a shape.
TensorView repeated_to(const TensorView& t, const int64_t* sizes, int ndim);

}  // namespace torchscript::cuda
