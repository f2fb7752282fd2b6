// What convolutions hand to their kernels.
#pragma once
#include "cuda/kernels/gemm_params.h"

namespace torchscript::cuda {

// One convolution in three spatial dimensions. Windows are of any strides, in elements: batch, channel, then the three dimensions.
struct ConvParams {
  void* out = nullptr;
  const void* x = nullptr;
  const void* weight = nullptr;
  const void* bias = nullptr;      // null: none
  const void* residual = nullptr;  // null: none
  int64_t out_strides[5] = {}, x_strides[5] = {}, residual_strides[5] = {};
  // Filter within a group, channel within a group, the three taps; then from group to group.
  int64_t w_strides[6] = {};
  int64_t bias_stride = 0;
  int32_t in[3] = {}, stride[3] = {}, dilation[3] = {}, pad[3] = {};
  int32_t group_in = 0, group_out = 0, groups = 0;
  int32_t transposed = 0;
  int32_t activation = 0;     // cpu-avx/gemm/tiles.h
  int32_t channels_inner = 0;  // x, and so the order of sums: channels are neighbours in memory
  uint32_t pixels = 0;        // of the output, with the batch
  int32_t depth = 0;          // group_in times taps
  uint32_t elements = 0;      // of the output
  Divider out_sizes[3];       // z, y, x of the output
  Divider taps, kernel[3];    // all taps; z, y, x
  Divider channels;           // group_in
  Divider filters, group_filters;  // all, and of a group
};

// A convolution in tiles (kernels/conv_mma.cuh): x has its channels beside one another, group_in is a whole number of vectors, and the weight is packed.
struct ConvMmaParams {
  ConvParams conv;
  SplitParams split;
  int32_t row_tiles = 0, column_tiles = 0;
  int32_t out_vectors = 0, bias_vectors = 0, residual_vectors = 0;  // eight filters may be read and written in vectors of 16 bytes
};

// Convolutions on Hopper (kernels/conv_wgmma.cu): the output in patches of pixels, `patch` wide, high and images deep, `patches` of them across and down;
// `chunks` of 64 channels a tap.
struct ConvWgmmaParams {
  uint32_t patch[3] = {1, 1, 1}, patches[2] = {1, 1};
  uint32_t taps_across = 1, chunks = 1;
  int32_t dilation[2] = {1, 1}, pad[2] = {};  // x, y
};

// A depthwise convolution of a channels-last image whose channels are a multiple of eight; the weight is packed: taps, channels.
struct DepthwiseParams {
  ConvParams conv;
  uint32_t n = 0;          // threads' work: rows of the output, quads of pixels, vectors of eight channels
  Divider vectors, quads;
  int32_t residual_vectors = 0;
};

}  // namespace torchscript::cuda
