#include "cuda/wgmma.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace torchscript::cuda {
namespace {

bool is_switched_on() {
  static const bool on = [] {
    const char* setting = std::getenv("TORCHSCRIPT_CUDA_WGMMA");
    return !setting || std::strcmp(setting, "0") != 0;
  }();
  return on;
}
// The kernels are compiled for this chip alone (sm_90a).
bool has_wgmma(int device) {
  const DeviceProperties& properties = enter(device).properties;
  return is_switched_on() && properties.major == 9 && properties.minor == 0 && driver().tensor_map_encode_tiled;
}

int64_t tiles_of(int64_t size, int64_t tile) { return (size + tile - 1) / tile; }

// ---- which products, and in which tiles

constexpr int64_t kRows = 128;
// How many columns a tile has, so that the rounds in which the chip takes all tiles are short: one of 128 columns takes somewhat more than half the time of
// one of 256, whose operands are used more often. 0 where tiles fill less than half of the chip: smaller ones, whose depth several blocks share, are better.
int columns_for(int device, int64_t rows, int64_t columns, int64_t depth_bytes, int64_t matrices) {
  if (rows < 64 || columns < 64 || depth_bytes < 128) return 0;
  const int64_t multiprocessors = enter(device).properties.multi_processors, row_tiles = tiles_of(rows, kRows) * matrices;
  const int64_t wide = row_tiles * tiles_of(columns, 256), narrow = row_tiles * tiles_of(columns, 128);
  // Numbers of tiles are of 32 bits, with the grid added.
  if (narrow > INT32_MAX || narrow * 2 < multiprocessors) return 0;
  return tiles_of(wide, multiprocessors) * 200 <= tiles_of(narrow, multiprocessors) * 115 ? 256 : 128;
}

// ---- operands as the copy engine sees them

struct Operand {
  const void* data;
  int64_t lines, along;    // elements of a line lie beside one another
  int64_t stride, matrix;  // bytes from a line to the next, from a matrix to the next
  int64_t matrices;
};
// cuTensorMapEncodeTiled, with boxes of 128 bytes by `box` lines in the 128-byte swizzle.
bool make_map(TensorMap* map, int type, int64_t element_bytes, const Operand& o, int64_t box) {
  const int64_t width = o.along * element_bytes;
  // Lines that overlap, or are not 16 bytes apart, are for other kernels.
  if (reinterpret_cast<uintptr_t>(o.data) % 16 != 0 || o.stride % 16 != 0 || o.stride < width || o.matrix % 16 != 0) return false;
  // A single matrix has any distance to the next.
  const int64_t matrix = o.matrices > 1 ? o.matrix : o.stride * o.lines;
  if (o.stride >= int64_t{1} << 40 || matrix <= 0 || matrix >= int64_t{1} << 40) return false;
  const uint64_t sizes[3] = {static_cast<uint64_t>(o.along), static_cast<uint64_t>(o.lines), static_cast<uint64_t>(o.matrices)};
  const uint64_t strides[2] = {static_cast<uint64_t>(o.stride), static_cast<uint64_t>(matrix)};
  const uint32_t boxes[3] = {static_cast<uint32_t>(128 / element_bytes), static_cast<uint32_t>(box), 1}, steps[3] = {1, 1, 1};
  // INTERLEAVE_NONE, SWIZZLE_128B, L2_PROMOTION_L2_256B, FLOAT_OOB_FILL_NONE: zeros outside
  return driver().tensor_map_encode_tiled(map, type, 3, const_cast<void*>(o.data), sizes, strides, boxes, steps, 0, 3, 3, 0) == kSuccess;
}

// How far apart the matrices of a window of the batch are, in elements: 0 where there is one for all. False where they are not evenly apart.
bool evenly_apart(const Loop<5>& loop, int window, int64_t* apart) {
  *apart = loop.ndim > 0 ? loop.strides[0][window] : 0;
  int64_t expected = *apart;
  for (int d = 0; d < loop.ndim; d++) {
    if (loop.strides[d][window] != expected) return false;
    expected *= loop.sizes[d].divisor;
  }
  return *apart >= 0;
}

unsigned grid_of(int device, const WgmmaParams& w) {
  const int64_t tiles = static_cast<int64_t>(w.row_tiles) * w.column_tiles * w.matrices;
  return static_cast<unsigned>(std::min<int64_t>(tiles, enter(device).properties.multi_processors));
}
void lay_out(WgmmaParams& w, int64_t rows, int64_t columns, int tile, int64_t depth_bytes) {
  w.row_tiles = static_cast<uint32_t>(tiles_of(rows, kRows));
  w.column_tiles = static_cast<uint32_t>(tiles_of(columns, tile));
  w.steps = static_cast<uint32_t>(tiles_of(depth_bytes, 128));
}

}  // namespace

bool run_wgmma(Runtime* runtime, int device, DType dtype, const MmaParams& p) {
  if ((dtype != DType::F16 && dtype != DType::BF16) || !has_wgmma(device)) return false;
  const GemmParams& g = p.product;
  const int columns = columns_for(device, g.m, g.n, int64_t{g.k} * 2, g.batches.n);
  int64_t a_apart, b_apart;
  if (columns == 0 || g.a_col != 1 || !evenly_apart(g.batches, 1, &a_apart) || !evenly_apart(g.batches, 2, &b_apart)) return false;
  const bool by_rows = g.b_row != 1;
  if (by_rows && g.b_col != 1) return false;
  const int64_t matrices = g.batches.n;
  WgmmaParams w;
  lay_out(w, g.m, g.n, columns, int64_t{g.k} * 2);
  w.matrices = g.batches.n;
  w.a_matrices = a_apart != 0;
  w.b_matrices = b_apart != 0;
  const int type = dtype == DType::F16 ? 6 : 9;  // CU_TENSOR_MAP_DATA_TYPE_FLOAT16, _BFLOAT16
  const Operand of_a = {g.a, g.m, g.k, g.a_row * 2, a_apart * 2, a_apart ? matrices : 1};
  const Operand of_b = by_rows ? Operand{g.b, g.k, g.n, g.b_row * 2, b_apart * 2, b_apart ? matrices : 1} : Operand{g.b, g.n, g.k, g.b_col * 2, b_apart * 2, b_apart ? matrices : 1};
  TensorMap a, b;
  if (!make_map(&a, type, 2, of_a, kRows) || !make_map(&b, type, 2, of_b, by_rows ? 64 : columns)) return false;
  char name[64];
  std::snprintf(name, sizeof name, "gemm_wgmma_%s_128x%d_%s", dtype == DType::F16 ? "f16" : "bf16", columns, by_rows ? "rows" : "columns");
  launch(device, runtime, name, {grid_of(device, w)}, {384}, kWgmmaSharedBytes, a, b, w, p);
  return true;
}

bool run_quantized_wgmma(Runtime* runtime, int device, bool is_unsigned, int64_t row, const QuantizedParams& p) {
  if (!has_wgmma(device)) return false;
  const ConvParams& c = p.tiles.conv;
  const int columns = columns_for(device, c.pixels, c.group_out, c.depth, 1);
  if (columns == 0 || c.groups != 1 || c.depth != c.group_in) return false;
  WgmmaParams w;
  lay_out(w, c.pixels, c.group_out, columns, c.depth);
  TensorMap a, b;
  // CU_TENSOR_MAP_DATA_TYPE_UINT8
  if (!make_map(&a, 0, 1, {c.x, c.pixels, c.depth, row, 0, 1}, kRows) || !make_map(&b, 0, 1, {c.weight, c.group_out, c.depth, c.depth, 0, 1}, columns)) return false;
  char name[64];
  std::snprintf(name, sizeof name, "quantized_wgmma_%s_128x%d", is_unsigned ? "u8" : "s8", columns);
  launch(device, runtime, name, {grid_of(device, w)}, {384}, kWgmmaSharedBytes, a, b, w, p);
  return true;
}

namespace {

// The patch of at most 128 pixels of which the fewest cover all images. Returns how many those are.
int64_t choose_patch(ConvWgmmaParams& c, int64_t width, int64_t height, int64_t images) {
  int64_t fewest = INT64_MAX;
  for (int64_t across = std::min<int64_t>(width, kRows); across >= 1; across--) {
    const int64_t down = std::min(height, kRows / across);
    // Several images where one is within a patch.
    const int64_t deep = across == width && down == height ? std::min(images, kRows / (across * down)) : 1;
    const int64_t patches = tiles_of(width, across) * tiles_of(height, down) * tiles_of(images, deep);
    if (patches >= fewest) continue;
    fewest = patches;
    c.patch[0] = static_cast<uint32_t>(across), c.patch[1] = static_cast<uint32_t>(down), c.patch[2] = static_cast<uint32_t>(deep);
    c.patches[0] = static_cast<uint32_t>(tiles_of(width, across)), c.patches[1] = static_cast<uint32_t>(tiles_of(height, down));
  }
  return fewest;
}

}  // namespace

bool run_conv_wgmma(Runtime* runtime, int device, DType dtype, const ConvShape& s, const ConvMmaParams& p) {
  if ((dtype != DType::F16 && dtype != DType::BF16) || !has_wgmma(device)) return false;
  const ConvParams& g = p.conv;
  if (s.groups != 1 || s.transposed || s.in[0] != 1 || s.out[0] != 1 || s.kernel[0] != 1) return false;
  if (s.stride[1] != 1 || s.stride[2] != 1) return false;
  ConvWgmmaParams c;
  const int64_t patches = choose_patch(c, s.out[2], s.out[1], s.batch), channels = g.group_in;
  c.chunks = static_cast<uint32_t>(tiles_of(channels, 64));
  // Neither patches nor steps are mostly empty.
  if (patches * kRows * 2 > int64_t{g.pixels} * 3 || int64_t{c.chunks} * 64 * 2 > channels * 3 || patches > INT32_MAX / 256) return false;
  const int columns = columns_for(device, patches * kRows, g.group_out, channels * 2 * s.taps(), 1);
  if (columns == 0) return false;
  c.taps_across = static_cast<uint32_t>(s.kernel[2]);
  for (int d = 0; d < 2; d++) {
    c.dilation[d] = g.dilation[2 - d];
    c.pad[d] = g.pad[2 - d];
  }
  WgmmaParams w;
  w.row_tiles = static_cast<uint32_t>(patches);
  w.column_tiles = static_cast<uint32_t>(tiles_of(g.group_out, columns));
  w.steps = c.chunks * static_cast<uint32_t>(s.taps());
  // The image: channels, x, y, images. A dimension of one element has any stride.
  const uint64_t sizes[4] = {static_cast<uint64_t>(channels), static_cast<uint64_t>(s.in[2]), static_cast<uint64_t>(s.in[1]), static_cast<uint64_t>(s.batch)};
  const int64_t apart[3] = {g.x_strides[4] * 2, g.x_strides[3] * 2, g.x_strides[0] * 2};
  uint64_t strides[3];
  for (int d = 0; d < 3; d++) {
    if (sizes[d + 1] > 1 && (apart[d] <= 0 || apart[d] % 16 != 0)) return false;
    strides[d] = sizes[d + 1] > 1 ? static_cast<uint64_t>(apart[d]) : d == 0 ? sizes[0] * 2 : strides[d - 1] * sizes[d];
    if (strides[d] >= uint64_t{1} << 40) return false;
  }
  if (reinterpret_cast<uintptr_t>(g.x) % 16 != 0) return false;
  const uint32_t box[4] = {64, c.patch[0], c.patch[1], c.patch[2]}, steps[4] = {1, 1, 1, 1};
  // The packed weight: channels, taps, filters.
  const uint64_t weight_sizes[3] = {static_cast<uint64_t>(channels), static_cast<uint64_t>(s.taps()), static_cast<uint64_t>(g.group_out)};
  const uint64_t weight_strides[2] = {static_cast<uint64_t>(channels) * 2, static_cast<uint64_t>(channels * s.taps()) * 2};
  const uint32_t weight_box[3] = {64, 1, static_cast<uint32_t>(columns)};
  const int type = dtype == DType::F16 ? 6 : 9;
  TensorMap a, b;
  const auto encode = driver().tensor_map_encode_tiled;
  if (encode(&a, type, 4, const_cast<void*>(g.x), sizes, strides, box, steps, 0, 3, 3, 0) != kSuccess ||
      encode(&b, type, 3, const_cast<void*>(g.weight), weight_sizes, weight_strides, weight_box, steps, 0, 3, 3, 0) != kSuccess)
    return false;
  char name[64];
  std::snprintf(name, sizeof name, "conv_wgmma_%s_128x%d", dtype == DType::F16 ? "f16" : "bf16", columns);
  launch(device, runtime, name, {grid_of(device, w)}, {384}, kWgmmaSharedBytes, a, b, w, c, p);
  return true;
}

}  // namespace torchscript::cuda
