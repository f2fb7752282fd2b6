// The arguments of the rows of convolution, and the row convolution_epilogue, for rows that are made of it.
#pragma once
#include "cpu-avx/conv/shape.h"
#include "kernel.h"

namespace torchscript {

// Order of the arguments after input, weight and bias.
constexpr ConvArguments kConvNd = {3, 4, 5, -1, -1, 6};
constexpr ConvArguments kConvolution = {3, 4, 5, 6, 7, 8};
// Then residual? and activation, and whether the output is channels-last.
constexpr ConvArguments kEpilogue = {3, 4, 5, 6, 7, 8, 11};
constexpr int kEpilogueResidual = 9, kEpilogueActivation = 10, kEpilogueArguments = 12;

void infer_convolution_epilogue(Call& call);
void run_convolution_epilogue(Call& call);

inline TensorView channels_last_view(const TensorView& like, void* data) {
  TensorView view = like;
  make_channels_last(view);
  view.data = data;
  return view;
}
// Whether the memory is that of a channels-last tensor without gaps.
inline bool is_dense_last(const TensorView& x) {
  if (x.ndim != 4) return false;
  const TensorView dense = channels_last_view(x, nullptr);
  for (int d = 0; d < x.ndim; d++)
    if (x.sizes[d] > 1 && x.strides[d] != dense.strides[d]) return false;
  return true;
}

}  // namespace torchscript
