// Parameters of kernels that give each row of a tensor to a thread, a warp or a block (kernels/rows.cuh).
#pragma once
#include "cuda/kernels/params.h"

namespace torchscript::cuda {

// Element k of row i is at (i / inner) * n * inner + i % inner + k * inner, in both tensors.
struct SoftmaxParams {
  void* out = nullptr;
  const void* x = nullptr;
  int64_t rows = 0, n = 0, inner = 1;
  int32_t log = 0, safe = 0;  // safe: rows of -inf give zeros
  int32_t vectors = 0;        // rows begin at 16 bytes
};

// A tensor that scales or saves: none where data is null.
struct TypedData {
  void* data = nullptr;
  int32_t dtype = 0;
};

struct NormRowsParams {
  void* out = nullptr;
  const void* x = nullptr;
  TypedData gamma, beta, mean, rstd;
  int64_t rows = 0, n = 0;
  double eps = 0;
  int32_t rms = 0;      // mean squares instead of variances
  int32_t vectors = 0;  // rows begin at 16 bytes
  // Element k of row i is scaled by gamma[i % groups * per + k / pixels].
  int64_t groups = 1, per = 0;
  Divider pixels;
};

// Mean and variance of each channel of [batch, channels, pixels], or [batch, pixels, channels].
struct ChannelStatsParams {
  double* mean = nullptr;
  double* variance = nullptr;
  const void* x = nullptr;
  int64_t batch = 0, channels = 0, pixels = 0;
  int64_t batch_stride = 0, channel_stride = 0, pixel_stride = 0;
};

// out = (x - mean) * gamma / sqrt(variance + eps) + beta by channels: element i is of channel i / pixels % channels.
struct ChannelAffineParams {
  void* out = nullptr;
  const void* x = nullptr;
  TypedData gamma, beta, mean, variance;
  double eps = 0;
  uint32_t n = 0;
  Divider pixels, channels;
};

// What training saves: the batch's statistics, and the running ones moved towards them.
struct ChannelSaveParams {
  const double* mean = nullptr;
  const double* variance = nullptr;
  TypedData saved_mean, saved_rstd;        // of the batch
  TypedData running_mean, running_var;     // read
  TypedData next_mean, next_var;           // written, possibly the same memory
  int32_t channels = 0;
  int32_t training = 0;
  double eps = 0, momentum = 0, count = 0;
};

}  // namespace torchscript::cuda
