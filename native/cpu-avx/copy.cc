// Copies: contiguous runs, blocked transposition, conversion through tiles. Rows clone, cast and copy.
#include "cpu-avx/copy.h"

#include <algorithm>
#include <cstring>

#include "cpu-avx/iterate.h"
#include "cpu-avx/pointwise.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

constexpr int64_t kGrain = 65536;
constexpr int64_t kTile = 1024;

template <class T> void copy_line(int64_t n, char* to, int64_t to_stride, const char* from, int64_t from_stride) {
  T* t = reinterpret_cast<T*>(to);
  const T* f = reinterpret_cast<const T*>(from);
  if (to_stride == 1 && from_stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else if (to_stride == 1 && from_stride == 0) {
    std::fill(t, t + n, *f);
  } else if (to_stride == 1) {
    for (int64_t i = 0; i < n; i++) t[i] = f[i * from_stride];
  } else {
    for (int64_t i = 0; i < n; i++) t[i * to_stride] = f[i * from_stride];
  }
}

// `rows` x `columns`: to is contiguous along columns, from along rows. Tiles of 8 x 8 pass through registers and L1: strides
// of a power of two would otherwise put every line of a larger block into the same cache set.
template <class T> void transpose(char* to, int64_t to_row, const char* from, int64_t from_column, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = 8;
  T* t = reinterpret_cast<T*>(to);
  const T* f = reinterpret_cast<const T*>(from);
  int64_t r = 0;
  for (; r + kBlock <= rows; r += kBlock) {
    int64_t c = 0;
    for (; c + kBlock <= columns; c += kBlock) {
      T tile[kBlock][kBlock];
      for (int j = 0; j < kBlock; j++) std::memcpy(tile[j], f + r + (c + j) * from_column, sizeof tile[j]);
      for (int i = 0; i < kBlock; i++) {
        T line[kBlock];
        for (int j = 0; j < kBlock; j++) line[j] = tile[j][i];
        std::memcpy(t + (r + i) * to_row + c, line, sizeof line);
      }
    }
    for (; c < columns; c++)
      for (int i = 0; i < kBlock; i++) t[(r + i) * to_row + c] = f[r + i + c * from_column];
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) t[r * to_row + c] = f[r + c * from_column];
}

template <class T> void copy_same(const Iteration& it, char* to, const char* from, Runtime* runtime) {
  if (it.ndim == 1) {
    runtime->parallel(it.total, kGrain, [&](int64_t begin, int64_t end) {
      copy_line<T>(end - begin, to + begin * it.strides[0][0] * static_cast<int64_t>(sizeof(T)), it.strides[0][0],
                   from + begin * it.strides[1][0] * static_cast<int64_t>(sizeof(T)), it.strides[1][0]);
    });
    return;
  }
  constexpr int64_t size = sizeof(T);
  int across = 0;  // dimension along which the source is contiguous
  if (it.strides[0][0] == 1 && it.strides[1][0] > 1) {
    for (int d = 1; d < it.ndim; d++)
      if (it.strides[1][d] == 1) across = d;
  }
  if (across && it.sizes[across] >= 8 && it.sizes[0] >= 8) {
    // The two dimensions make planes of `rows` x `columns`; the others count planes. Pieces of rows are shared out.
    const int64_t rows = it.sizes[across], columns = it.sizes[0];
    Iteration outer;
    outer.ndim = 0;
    for (int d = 1; d < it.ndim; d++) {
      if (d == across) continue;
      outer.sizes[outer.ndim] = it.sizes[d];
      outer.strides[0][outer.ndim] = it.strides[0][d];
      outer.strides[1][outer.ndim++] = it.strides[1][d];
    }
    const int64_t planes = it.total / (rows * columns);
    constexpr int64_t kBand = 32;
    const int64_t bands = (rows + kBand - 1) / kBand;
    runtime->parallel(planes * bands, std::max<int64_t>(1, kGrain / (columns * kBand)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t first = i % bands * kBand;
        const int64_t plane = i / bands;
        char* t = to + (outer.offset(0, plane) + first * it.strides[0][across]) * size;
        const char* f = from + (outer.offset(1, plane) + first) * size;
        transpose<T>(t, it.strides[0][across], f, it.strides[1][0], std::min(kBand, rows - first), columns);
      }
    });
    return;
  }
  const int64_t inner = it.sizes[0];
  runtime->parallel(it.total / inner, std::max<int64_t>(1, kGrain / inner), [&](int64_t begin, int64_t end) {
    int64_t index[kMaxDims];
    int64_t rest = begin;
    const char* f = from;
    char* t = to;
    for (int d = 1; d < it.ndim; d++) {
      index[d] = rest % it.sizes[d];
      rest /= it.sizes[d];
      t += index[d] * it.strides[0][d] * size;
      f += index[d] * it.strides[1][d] * size;
    }
    for (int64_t row = begin; row < end; row++) {
      copy_line<T>(inner, t, it.strides[0][0], f, it.strides[1][0]);
      for (int d = 1; d < it.ndim; d++) {
        t += it.strides[0][d] * size;
        f += it.strides[1][d] * size;
        if (++index[d] < it.sizes[d]) break;
        t -= it.strides[0][d] * size * it.sizes[d];
        f -= it.strides[1][d] * size * it.sizes[d];
        index[d] = 0;
      }
    }
  });
}

}  // namespace

Compute between_dtypes(DType from) {
  if (is_complex(from)) return from == DType::C128 ? Compute::C128 : Compute::C64;
  if (is_floating(from)) return from == DType::F64 ? Compute::F64 : Compute::F32;
  if (from == DType::I64 || from == DType::U32 || from == DType::U64) return Compute::I64;
  return from == DType::Bool ? Compute::B : Compute::I32;
}

namespace {

void copy_converting(const Iteration& it, const TensorView& dst, const TensorView& src, Runtime* runtime) {
  const Compute compute = between_dtypes(src.dtype);
  const ConvertFn load = loader_of(src.dtype, compute), store = storer_of(compute, dst.dtype);
  // Memory that is in the form of the compute type already needs no tile.
  const bool loads = src.dtype != dtype_of(compute);
  const bool stores = dst.dtype != dtype_of(compute);
  const int64_t from_size = dtype_size(src.dtype), to_size = dtype_size(dst.dtype);
  const bool from_linear = it.is_linear(1), to_linear = it.is_linear(0);
  runtime->parallel(it.total, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) char raw[kTile * 16], tile[kTile * 16], result[kTile * 16];
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t n = std::min(kTile, end - at);
      const char* from = static_cast<const char*>(src.data) + at * from_size;
      if (!from_linear) {
        gather_range(it, 1, at, n, raw, static_cast<const char*>(src.data), from_size);
        from = raw;
      }
      const char* middle = from;
      if (loads) {
        load(n, tile, from);
        middle = tile;
      }
      char* to = static_cast<char*>(dst.data) + at * to_size;
      if (to_linear) {
        if (stores) store(n, to, middle);
        else std::memcpy(to, middle, static_cast<size_t>(n * to_size));
        continue;
      }
      if (stores) {
        store(n, result, middle);
        middle = result;
      }
      scatter_range(it, 0, at, n, static_cast<char*>(dst.data), middle, to_size);
    }
  });
}

}  // namespace

void copy_strided(const TensorView& dst, const TensorView& src, Runtime* runtime) {
  int64_t strides[2][kMaxDims];
  std::copy(dst.strides, dst.strides + dst.ndim, strides[0]);
  broadcast_strides(strides[1], dst.sizes, dst.ndim, src);
  Iteration it;
  it.build(dst.sizes, dst.ndim, strides, 2);
  if (it.total == 0) return;
  const bool same = dst.dtype == src.dtype || (is_quantized(src.dtype) && dtype_size(src.dtype) == dtype_size(dst.dtype));
  if (!same) return copy_converting(it, dst, src, runtime);
  with_element_of(dtype_size(dst.dtype),
                  [&](auto e) { copy_same<decltype(e)>(it, static_cast<char*>(dst.data), static_cast<const char*>(src.data), runtime); });
}

void format_strides(TensorView& out, const TensorView& like, int64_t format) {
  out.ndim = like.ndim;
  std::copy(like.sizes, like.sizes + like.ndim, out.sizes);
  if (format == kPreserveFormat) {
    output_strides(out.strides, out.sizes, out.ndim, &like.strides, 1);
    return;
  }
  int order[kMaxDims];  // slowest first
  for (int d = 0; d < out.ndim; d++) order[d] = d;
  if (format == kChannelsLast || format == kChannelsLast3d) {
    const int want = format == kChannelsLast ? 4 : 5;
    if (out.ndim != want) fail("required rank %d tensor to use channels_last%s format", want, want == 5 ? "_3d" : "");
    for (int d = 1; d + 1 < want; d++) order[d] = d + 1;
    order[want - 1] = 1;
  }
  int64_t stride = 1;
  for (int i = out.ndim - 1; i >= 0; i--) {
    out.strides[order[i]] = stride;
    stride *= std::max<int64_t>(1, out.sizes[order[i]]);
  }
}

namespace {

// clone(self, memory_format)
TS_KERNEL(clone, {.infer =
                    [](Call& call) {
                      const TensorView& self = call.tensor(0);
                      TensorView& out = call.outputs[0];
                      out.dtype = self.dtype;
                      format_strides(out, self, call.nargs > 1 ? format_of(call.args[1]) : kPreserveFormat);
                      out.quant = self.quant;
                    },
                  .run = [](Call& call) { copy_strided(call.outputs[0], call.tensor(0), call.runtime); }});

// cast(self, dtype, memory_format)
TS_KERNEL(cast, {.infer =
                   [](Call& call) {
                     const TensorView& self = call.tensor(0);
                     TensorView& out = call.outputs[0];
                     out.dtype = checked_dtype(call.args[1].as_int());
                     if (is_quantized(self.dtype) != is_quantized(out.dtype)) {
                       fail("Expected a dtype that is not quantized for `dtype` but received %s from %s", dtype_name(out.dtype),
                            dtype_name(self.dtype));
                     }
                     format_strides(out, self, call.nargs > 2 ? format_of(call.args[2]) : kPreserveFormat);
                   },
                 .run = [](Call& call) { copy_strided(call.outputs[0], call.tensor(0), call.runtime); }});

// copy(self, src): src in the shape and dtype of self
TS_KERNEL(copy, {.infer =
                   [](Call& call) {
                     const TensorView &self = call.tensor(0), &src = call.tensor(1);
                     int ndim = self.ndim;
                     int64_t shape[kMaxDims];
                     std::copy(self.sizes, self.sizes + self.ndim, shape);
                     broadcast_shape(shape, ndim, src);
                     bool same = ndim == self.ndim;
                     for (int d = 0; same && d < ndim; d++) same = shape[d] == self.sizes[d];
                     if (!same) fail("The expanded size of the tensor must match the existing size at every non-singleton dimension");
                     call.outputs[0].dtype = self.dtype;
                     format_strides(call.outputs[0], self, kPreserveFormat);
                   },
                 .run = [](Call& call) { copy_strided(call.outputs[0], call.tensor(1), call.runtime); },
                 .in_place = true});

}  // namespace
}  // namespace torchscript
