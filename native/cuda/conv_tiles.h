// Convolutions in tiles that are fetched ahead (kernels/conv_mma.cuh): the packed weight, the image as the kernels want it, and the grid.
#pragma once
#include <optional>

#include "cpu-avx/conv/shape.h"
#include "cuda/gemm.h"
#include "cuda/kernels/conv_params.h"

namespace torchscript::cuda {

// What all kernels of convolutions want to know of a call.
ConvParams conv_params(const Call& call, const ConvShape& s, const TensorView* residual, Activation activation);

// Channels of a group in the packed weight: groups, filters, taps, then these.
int64_t packed_channels(const ConvShape& s, DType t);
size_t packed_weight_bytes(const ConvShape& s, DType t);
void pack_weight(Runtime* runtime, const ConvShape& s, const TensorView& w, void* to);

struct ConvTiles {
  ConvMmaParams p;
  int tile = 64;
  Dim grid;
  // Lays a call out; false where the image would have to be copied for a sum of at most `worth` terms.
  bool begin(Call& call, const ConvShape& s, const ConvParams& params, bool small_tiles, int64_t worth);

 private:
  std::optional<Scratch> image, weight, partial;
};

}  // namespace torchscript::cuda
