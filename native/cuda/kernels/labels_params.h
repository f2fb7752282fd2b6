// Parameters of labels.cu: losses with lists of labels, bags of embeddings, fractional pooling, searches.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

// Of each item: -log of the sum over alignments.
struct CtcParams {
  double* losses = nullptr;
  double* states = nullptr;  // [batch, 2, longest]
  const double* logs = nullptr;  // [steps, batch, classes]
  const int64_t* targets = nullptr;
  const int64_t* lengths = nullptr;  // [3, batch]: of inputs, of targets, where targets begin
  int64_t batch = 0, classes = 0, blank = 0, longest = 0;
};

// [rows, classes]
struct MultilabelParams {
  double* losses = nullptr;
  double* is_target = nullptr;
  const double* x = nullptr;
  const int64_t* targets = nullptr;
  int64_t rows = 0, classes = 0;
};

// One number of n: their sum times `factor`.
struct LossSumParams {
  double* out = nullptr;
  const double* losses = nullptr;
  int64_t n = 0;
  double factor = 1;
};

enum BagMode : int32_t { kBagSum, kBagMean, kBagMax };
struct BagParams {
  void* out = nullptr;  // [bags, width]
  const void* table = nullptr;
  const void* weights = nullptr;  // of indices, or null
  const int64_t* indices = nullptr;
  const int64_t* offsets = nullptr;
  int64_t* bag_of = nullptr;  // or null
  int64_t* counts = nullptr;  // or null
  int64_t* maxima = nullptr;  // [bags, width], or null
  int64_t n = 0, bags = 0, width = 0, rows = 0, noffsets = 0, padding = -1, row_stride = 0, column_stride = 0;
  int32_t mode = 0, dtype = 0;
};

// Windows of equal size that begin where samples say. Planes of [depth, height, width], dense.
struct FractionalPoolParams {
  void* out = nullptr;
  int64_t* indices = nullptr;  // or null
  const void* x = nullptr;
  const void* samples = nullptr;  // [batch, channels, dims], dense
  int64_t planes = 0, channels = 1, sample_rows = 1;
  int64_t in[3] = {}, out_sizes[3] = {}, kernel[3] = {};
  int32_t dims = 2, dtype = 0;
};

struct SearchParams {
  void* out = nullptr;
  const void* sorted = nullptr;
  const void* values = nullptr;    // null: `value`
  const int64_t* order = nullptr;  // or null
  double value = 0;
  int64_t whole_value = 0;
  int64_t n = 0, row = 0, per_row = 0;  // per_row 0: one row for all
  int32_t right = 0, out_is_32 = 0;
};

struct HistogramParams {
  unsigned long long* counts = nullptr;
  const void* x = nullptr;
  const void* range = nullptr;  // lowest and highest value, or null: low, high
  double low = 0, high = 0;
  int64_t n = 0, bins = 0;
};

}  // namespace torchscript::cuda
