// The kernel that computes a product of matrices, by dtypes, shapes and how they lie in memory.
#include <algorithm>
#include <cstdio>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "cuda/gemm.h"
#include "cuda/rows.h"
#include "cuda/wgmma.h"

namespace torchscript::cuda {

uint32_t* split_counters(int device) {
  static std::mutex mutex;
  static std::unordered_map<int, uint32_t*> all;
  std::lock_guard<std::mutex> lock(mutex);
  uint32_t*& counters = all[device];
  if (counters || is_capturing()) return counters;
  Context& context = enter(device);
  DevicePointer memory = 0;
  TS_CUDA(mem_alloc, &memory, kSplitTiles * sizeof(uint32_t));
  TS_CUDA(memset_d8, memory, 0, kSplitTiles * sizeof(uint32_t), context.stream);
  return counters = reinterpret_cast<uint32_t*>(memory);
}

int depth_splits(int device, int64_t blocks, int64_t steps, int64_t least, int waves) {
  const int64_t room = static_cast<int64_t>(enter(device).properties.multi_processors) * waves;
  if (blocks <= 0 || blocks >= room || blocks > kSplitTiles) return 1;
  const int64_t splits = std::min({room / blocks, steps / least, int64_t{64}});
  return splits > 1 && split_counters(device) ? static_cast<int>(splits) : 1;
}

namespace {

bool is_half(DType t) { return t == DType::F16 || t == DType::BF16; }
// Elements of 16 bytes.
int vector_of(DType t) { return is_half(t) ? 8 : 4; }

// The view with rows of a whole number of vectors apart, whatever was in memory.
TensorView padded_like(const TensorView& t) {
  TensorView v = t;
  int64_t stride = 1;
  for (int d = v.ndim - 1; d >= 0; d--) {
    // What repeats is copied once.
    if (t.strides[d] == 0 && d < v.ndim - 2) v.sizes[d] = 1;
    v.strides[d] = stride;
    stride *= std::max<int64_t>(1, v.sizes[d]);
    if (d == v.ndim - 1) stride = (stride + 7) / 8 * 8;  // vectors of halves
  }
  return v;
}
size_t padded_bytes(const TensorView& v) {
  int64_t n = v.ndim > 0 && v.sizes[0] > 0 ? v.strides[0] * v.sizes[0] : 1;
  return static_cast<size_t>(std::max<int64_t>(n, 8) * dtype_size(v.dtype));
}

// A copy of the operand as the Tensor Core kernels want it: vectors of 16 bytes along its rows.
class PaddedCopy {
 public:
  PaddedCopy(const TensorView& t, Runtime* runtime) : view_(padded_like(t)), memory_(t.device, padded_bytes(view_)) {
    view_.data = memory_.ptr<void>();
    TensorView from = t;
    for (int d = 0; d < t.ndim; d++) from.sizes[d] = view_.sizes[d];
    copy_strided(view_, from, runtime);
    for (int d = 0; d < t.ndim; d++) {
      if (view_.sizes[d] != t.sizes[d]) view_.strides[d] = 0;
      view_.sizes[d] = t.sizes[d];
    }
  }
  const TensorView& view() const { return view_; }

 private:
  TensorView view_;
  Scratch memory_;
};

bool is_vectored(const TensorView& t, int d) { return t.sizes[d] <= 1 || t.strides[d] % vector_of(t.dtype) == 0; }
bool batches_are_vectored(const TensorView& t) {
  for (int d = 0; d + 2 < t.ndim; d++)
    if (!is_vectored(t, d)) return false;
  return aligned_16(t.data);
}
// Rows are dense and begin at 16 bytes; or columns are.
bool has_vector_rows(const TensorView& t) {
  return (t.strides[t.ndim - 1] == 1 || t.sizes[t.ndim - 1] == 1) && is_vectored(t, t.ndim - 2) && batches_are_vectored(t);
}
bool has_vector_columns(const TensorView& t) {
  return t.strides[t.ndim - 2] == 1 && is_vectored(t, t.ndim - 1) && batches_are_vectored(t);
}

unsigned tiles_of(int64_t size, int64_t tile) { return static_cast<unsigned>((size + tile - 1) / tile); }

// Fills what is common to all kernels. False where there is nothing to do.
bool fill(GemmParams& p, const Product& product) {
  const int batch_dims = product.c.ndim - 2;
  const TensorView* views[] = {&product.c, &product.a, &product.b, product.adds ? &product.d : &product.c,
                               product.adds_residual ? &product.e : &product.c};
  const int64_t* strides[5];
  for (int i = 0; i < 5; i++) strides[i] = views[i]->strides;
  if (!build_loop(p.batches, product.c.sizes, batch_dims, strides, 5)) fail("A product of more than 2^31 matrices is not supported on CUDA");
  const auto row = [&](int i) { return views[i]->strides[batch_dims]; };
  const auto column = [&](int i) { return views[i]->strides[batch_dims + 1]; };
  const int64_t m = product.c.sizes[batch_dims], n = product.c.sizes[batch_dims + 1], k = product.a.sizes[batch_dims + 1];
  if (m == 0 || n == 0 || p.batches.n == 0) return false;
  if (m > INT32_MAX - 256 || n > INT32_MAX - 256 || k > INT32_MAX - 256) fail("A matrix with a side of 2^31 elements or more is not supported on CUDA");
  p.m = static_cast<int32_t>(m);
  p.n = static_cast<int32_t>(n);
  p.k = static_cast<int32_t>(k);
  p.c = product.c.data;
  p.a = product.a.data;
  p.b = product.b.data;
  p.d = product.adds ? product.d.data : nullptr;
  p.c_row = row(0), p.c_col = column(0);
  p.a_row = row(1), p.a_col = column(1);
  p.b_row = row(2), p.b_col = column(2);
  p.d_row = row(3), p.d_col = column(3);
  p.e = product.adds_residual ? product.e.data : nullptr;
  p.e_row = row(4), p.e_col = column(4);
  p.activation = product.activation;
  p.alpha = product.alpha;
  p.beta = product.beta;
  return true;
}

// Whether eight columns of a row are a vector of 16 bytes (float32: two) in every matrix.
bool row_vectors(const TensorView& t, bool used) { return used && t.strides[t.ndim - 1] == 1 && is_vectored(t, t.ndim - 2) && batches_are_vectored(t); }

}  // namespace

const char* tile_kernels(int device, DType dtype) {
  const DeviceProperties properties = enter(device).properties;
  if (properties.major >= 8) return "";
  const bool has = dtype == DType::F16 || dtype == DType::F32 || dtype == DType::I8;
  return has && properties.major == 7 && properties.minor >= 5 ? "75" : nullptr;
}

void share_depth(SplitParams& split, int device, std::optional<Scratch>& partial, int64_t tiles, int64_t batches, int64_t steps, int64_t least, int waves,
                 size_t tile_bytes) {
  split.splits = depth_splits(device, tiles, steps, least, waves);
  if (split.splits * batches > 65535) split.splits = 1;
  if (split.splits == 1) return;
  partial.emplace(device, static_cast<size_t>(split.splits * tiles) * tile_bytes);
  split.partial = partial->ptr<void>();
  split.counters = split_counters(device);
}

namespace {

// At most eight rows: the weight is read once, by a warp a column or in vectors of its rows.
bool run_few_rows(Runtime* runtime, const Product& product) {
  const DType dtype = product.c.dtype;
  const int nd = product.c.ndim;
  const int64_t m = product.c.sizes[nd - 2];
  if ((!is_half(dtype) && dtype != DType::F32) || m > 8) return false;
  GemvParams p;
  if (!fill(p.product, product)) return true;
  GemmParams& g = p.product;
  const int device = product.c.device, vector = is_half(dtype) ? 8 : 4;
  const auto steps_in_vectors = [&](const TensorView& t, int across) {
    bool fits = t.sizes[nd - 1 - across] <= 1 || t.strides[nd - 1 - across] % vector == 0;
    for (int d = 0; d < nd - 2; d++) fits = fits && (t.sizes[d] <= 1 || t.strides[d] % vector == 0);
    return fits && aligned_16(t.data);
  };
  const bool by_columns = product.b.strides[nd - 1] == 1 && g.n > 1 && product.b.strides[nd - 2] != 1;
  char name[64];
  const char* label = dtype == DType::F32 ? "f32" : dtype == DType::F16 ? "f16" : "bf16";
  const int rows = m == 1 ? 1 : m <= 4 ? 4 : 8;
  const unsigned batches = std::min(g.batches.n, 65535u);
  std::snprintf(name, sizeof name, "gemv_%s_%s_%d", by_columns ? "columns" : "rows", label, rows);
  if (!by_columns) {
    p.vectors = (g.b_row == 1 || g.k == 1) && (g.a_col == 1 || g.k == 1) && steps_in_vectors(product.b, 0) && steps_in_vectors(product.a, 1);
    launch(device, runtime, name, {std::min(tiles_of(g.n, 8), 65536u), 1, batches}, {256}, 0, p);
    return true;
  }
  if (g.n % vector != 0 || !steps_in_vectors(product.b, 1)) return false;
  const int64_t tiles = static_cast<int64_t>(tiles_of(g.n, 64)) * batches;
  std::optional<Scratch> partial;
  if (batches == g.batches.n) share_depth(p.split, device, partial, tiles, 1, g.k, 64, 2, static_cast<size_t>(rows) * 64 * sizeof(float));
  launch(device, runtime, name, {tiles_of(g.n, 64), static_cast<unsigned>(p.split.splits), batches}, {256}, 0, p);
  return true;
}

void run_tiles(Runtime* runtime, const Product& product) {
  MmaParams p;
  if (!fill(p.product, product)) return;
  const GemmParams& g = p.product;
  // A dimension of one element has any stride: the kernels look at these.
  if (g.a_col != 1) p.product.a_col = 1;
  const bool by_columns = has_vector_columns(product.b);
  p.product.b_row = by_columns ? 1 : p.product.b_row;
  p.product.b_col = by_columns ? p.product.b_col : 1;
  if (!by_columns && p.product.b_row == 1) p.product.b_row = 8;  // one row, whose distance from the next is anything
  p.c_vectors = row_vectors(product.c, true);
  p.d_vectors = row_vectors(product.d, product.adds);
  p.e_vectors = row_vectors(product.e, product.adds_residual);
  const int device = product.c.device;
  if (run_wgmma(runtime, device, product.c.dtype, p)) return;
  const int64_t sms = enter(device).properties.multi_processors, batches = std::min(g.batches.n, 65535u);
  const int64_t large = static_cast<int64_t>(tiles_of(g.m, 128)) * tiles_of(g.n, 128) * batches;
  const char* chip = tile_kernels(device, product.c.dtype);
  const int tile = !*chip && large >= sms && g.m > 64 && g.n > 64 ? 128 : 64;
  p.row_tiles = static_cast<int32_t>(tiles_of(g.m, tile));
  p.column_tiles = static_cast<int32_t>(tiles_of(g.n, tile));
  const int64_t tiles = static_cast<int64_t>(p.row_tiles) * p.column_tiles;
  if (tiles > INT32_MAX) fail("A product with a result of 2^43 elements or more is not supported on CUDA");
  std::optional<Scratch> partial;
  if (tile == 64 && batches == g.batches.n) share_depth(p.split, device, partial, tiles * batches, batches, (g.k * dtype_size(product.c.dtype) + 63) / 64, 4, 2, 64 * 64 * sizeof(float));
  const bool tf32 = !*chip && (product.convolution ? allows_tf32_convolutions() : allows_tf32_products());
  const char* kind = product.c.dtype == DType::F32 && !tf32 ? "plain" : "mma";
  const char* label = product.c.dtype == DType::F16 ? "f16" : product.c.dtype == DType::BF16 ? "bf16" : tf32 ? "tf32" : "f32";
  char name[64];
  std::snprintf(name, sizeof name, "gemm_%s%s_%s_%dx%d", kind, chip, label, tile, tile);
  launch(device, runtime, name, {static_cast<unsigned>(tiles), 1, static_cast<unsigned>(batches * p.split.splits)}, {tile == 128 ? 256u : 128u}, tile_shared_bytes(tile), p);
}

// Tiles that are fetched ahead take operands whose rows are vectors; others are copied so where the product is worth it.
bool run_in_tiles(Runtime* runtime, const Product& product) {
  if ((!is_half(product.c.dtype) && product.c.dtype != DType::F32) || !tile_kernels(product.c.device, product.c.dtype)) return false;
  const bool a_fits = has_vector_rows(product.a), b_fits = has_vector_rows(product.b) || has_vector_columns(product.b);
  if (a_fits && b_fits) return run_tiles(runtime, product), true;
  const int nd = product.c.ndim;
  const int64_t m = product.c.sizes[nd - 2], n = product.c.sizes[nd - 1], k = product.a.sizes[nd - 1];
  if (product.c.numel() == 0 || k == 0 || m < 16 || n < 16 || k < 16) return false;
  Product copied = product;
  std::optional<PaddedCopy> a, b;
  if (!a_fits) copied.a = a.emplace(product.a, runtime).view();
  if (!b_fits) copied.b = b.emplace(product.b, runtime).view();
  run_tiles(runtime, copied);
  return true;
}

bool is_whole(DType t) { return t == DType::U8 || t == DType::I8 || t == DType::I16 || t == DType::I32 || t == DType::I64; }

// Integers and complex numbers.
void run_exact(Runtime* runtime, const Product& product) {
  PlainProductParams p;
  if (!fill(p.product, product)) return;
  const DType dtype = product.c.dtype;
  p.dtype = static_cast<int32_t>(dtype);
  p.conjugates = product.conjugates;
  p.whole_alpha = product.whole_alpha, p.whole_beta = product.whole_beta;
  p.alpha_im = product.alpha_im, p.beta_im = product.beta_im;
  const char* kernel = is_whole(dtype) ? "gemm_whole" : dtype == DType::C64 ? "gemm_complex_c64" : "gemm_complex_c128";
  const int64_t tiles = static_cast<int64_t>(tiles_of(p.product.m, 32)) * tiles_of(p.product.n, 32);
  if (tiles > INT32_MAX) fail("A product with a result of 2^41 elements or more is not supported on CUDA");
  launch(product.c.device, runtime, kernel, {static_cast<unsigned>(tiles), 1, std::min(p.product.batches.n, 65535u)}, {256}, 0, p);
}

const char* simple_kernel(DType dtype) {
  switch (dtype) {
    case DType::F16: return "gemm_simple_f16";
    case DType::BF16: return "gemm_simple_bf16";
    case DType::F64: return "gemm_simple_f64";
    default: return "gemm_simple_f32";
  }
}

}  // namespace

bool product_takes(DType dtype) { return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F64; }
bool plain_product_takes(DType dtype) { return product_takes(dtype) || is_whole(dtype) || dtype == DType::C64 || dtype == DType::C128; }

void run_product(Runtime* runtime, const Product& product) {
  if (!product_takes(product.c.dtype)) return run_exact(runtime, product);
  const int nd = product.c.ndim;
  // Few columns are few rows of the transposed product.
  if (product.c.sizes[nd - 1] <= 8 && product.c.sizes[nd - 2] > 8 && (product.c.dtype == DType::F32 || is_half(product.c.dtype))) {
    Product turned = product;
    std::swap(turned.a, turned.b);
    for (TensorView* v : {&turned.a, &turned.b, &turned.c, &turned.d, &turned.e}) {
      if (v->ndim != nd) continue;
      std::swap(v->sizes[nd - 1], v->sizes[nd - 2]);
      std::swap(v->strides[nd - 1], v->strides[nd - 2]);
    }
    if (run_few_rows(runtime, turned)) return;
  }
  // Tensor Cores are better from five rows on, where nothing has to be copied for them.
  const bool prefers_tiles = is_half(product.c.dtype) && product.c.sizes[nd - 2] > 4 && has_vector_rows(product.a) &&
                             (has_vector_rows(product.b) || has_vector_columns(product.b)) && tile_kernels(product.c.device, product.c.dtype);
  if (prefers_tiles && run_in_tiles(runtime, product)) return;
  if (run_few_rows(runtime, product) || run_in_tiles(runtime, product)) return;
  MmaParams params;
  GemmParams& p = params.product;
  if (!fill(p, product)) return;
  const unsigned rows = tiles_of(p.m, 64), columns = tiles_of(p.n, 64);
  if (static_cast<int64_t>(rows) * columns > INT32_MAX) fail("A product with a result of 2^43 elements or more is not supported on CUDA");
  const unsigned batches = std::min(p.batches.n, 65535u);
  const int device = product.c.device;
  const int64_t tiles = static_cast<int64_t>(rows) * columns * batches;
  std::optional<Scratch> partial;
  if (batches == p.batches.n) share_depth(params.split, device, partial, tiles, batches, (p.k + 15) / 16, 8, 2, 64 * 64 * (product.c.dtype == DType::F64 ? 8 : 4));
  const Dim grid = {rows * columns, 1, batches * static_cast<unsigned>(params.split.splits)};
  launch(device, runtime, simple_kernel(product.c.dtype), grid, {256}, 0, params);
}

}  // namespace torchscript::cuda
