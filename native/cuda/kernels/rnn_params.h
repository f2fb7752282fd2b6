// Parameters of rnn.cu.
#pragma once
#include <stdint.h>

namespace torchscript::cuda {

enum RnnCell : int32_t { kRnnLstm, kRnnGru, kRnnTanh, kRnnRelu };

// The pointwise part of one time step, of `rows` rows of `units`. Rows of the gates lie without gaps, those of the states `units` apart.
struct RnnStepParams {
  const void* x = nullptr;       // gates of the input
  const void* hidden = nullptr;  // gates of the hidden state
  const void* h_before = nullptr;
  const void* c_before = nullptr;
  void* h = nullptr;  // possibly h_before
  void* c = nullptr;  // possibly c_before
  void* y = nullptr;  // h again, rows `y_row` apart; null: not wanted
  int64_t y_row = 0;
  int32_t cell = 0, rows = 0, units = 0;
};

}  // namespace torchscript::cuda
