// The pointwise part of a recurrent step on float rows, one table an instruction set.
#pragma once
#include "kernel.h"

namespace torchscript {

struct RnnTable {
  // Gates i, f, g, o, each n wide and `stride` apart: c = sigmoid(f) c_before + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c).
  void (*lstm)(const float* gates, int64_t stride, int64_t n, const float* c_before, float* c, float* h);
  // Gates r, z, n of the input and of the hidden state: h = (1 - z) tanh(n_x + r n_h) + z h_before.
  void (*gru)(const float* x, const float* hidden, int64_t stride, int64_t n, const float* h_before, float* h);
  void (*tanh)(const float* x, int64_t n, float* h);
};
TS_ISA_TABLE(RnnTable, rnn_table);

}  // namespace torchscript
