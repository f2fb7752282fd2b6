// Matrix products on the device: one description for all rows, and the choice of the kernel that computes it.
#pragma once
#include <optional>

#include "cuda/kernels.h"
#include "cuda/kernels/gemm_params.h"

namespace torchscript::cuda {

// c = activation(alpha a b + beta d + e), batched. Views of c, a, b, d and e share their leading dimensions (stride 0 where one repeats); the last two are the matrix.
struct Product {
  TensorView c, a, b, d, e;
  bool adds = false;          // d counts
  bool adds_residual = false;  // e counts
  double alpha = 1, beta = 1;
  // Of integers; imaginary parts of complex numbers.
  int64_t whole_alpha = 1, whole_beta = 1;
  double alpha_im = 0, beta_im = 0;
  bool conjugates = false;  // a, of complex numbers
  int32_t activation = 0;  // an Activation
  bool convolution = false;  // whose choice of TF32 counts
};

// Floating dtypes; those and the ones that plain arithmetic multiplies, without activations: integers, complex64, complex128.
bool product_takes(DType dtype);
bool plain_product_takes(DType dtype);
void run_product(Runtime* runtime, const Product& product);

// Kernels that share their tiles among blocks (kernels/gemm_params.h).
constexpr int64_t kSplitTiles = 4096;  // at most
// Zeros that the kernels leave as zeros; null while a graph is recorded that began before the device had any.
uint32_t* split_counters(int device);
// Into how many parts of at least `least` steps the depth goes, so that `blocks` others fill the device `waves` times.
int depth_splits(int device, int64_t blocks, int64_t steps, int64_t least, int waves);
// The same for `tiles` tiles of `batches` matrices, whose sums have so many bytes; `partial` holds them.
void share_depth(SplitParams& split, int device, std::optional<Scratch>& partial, int64_t tiles, int64_t batches, int64_t steps, int64_t least, int waves,
                 size_t tile_bytes);
// Kernels in tiles of a device, between their kind and dtype in the name: "" from Ampere on, "75" on Turing (small tiles; float16, float32 and bytes); null: none.
const char* tile_kernels(int device, DType dtype);
// Dynamic shared memory of the kernels whose tiles are `tile` x `tile`: operands of three or four steps, in rows of 80 bytes.
constexpr size_t tile_shared_bytes(int tile) { return tile == 128 ? 3 * 256 * 80 : 4 * 128 * 80; }

}  // namespace torchscript::cuda
