// Sorting on the device, as rows need it.
#pragma once
#include "cuda/rows.h"

namespace torchscript::cuda {

// Lines along `dim` of a dense tensor: line l starts at l / inner * size * inner + l % inner.
struct SortLines {
  int64_t size = 1, inner = 1, count = 1;
};
SortLines sort_lines_of(const TensorView& v, int64_t dim);

bool is_sortable(DType t);

// The order of the elements of each line of a dense tensor, stable, NaN as the largest value: order()[l * size + i] is the position of
// the i-th. Lives as long as this.
class SortedLines {
 public:
  SortedLines(const TensorView& dense, const SortLines& lines, bool descending, Runtime* runtime);
  const int32_t* order() const { return order_; }

 private:
  Scratch keys_, positions_;
  int32_t* order_ = nullptr;
};

}  // namespace torchscript::cuda
