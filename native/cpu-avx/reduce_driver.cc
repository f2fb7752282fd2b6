#include "cpu-avx/reduce_driver.h"

#include <algorithm>
#include <cstring>

#include "cpu-avx/copy.h"

namespace torchscript {
namespace {

constexpr int64_t kTile = 1024;

struct Axis {
  int64_t size, stride, out;  // out: stride in the array of accumulators
};

struct Walk {
  Axis kept[kMaxDims], gone[kMaxDims];  // fastest in memory first
  int nkept = 0, ngone = 0;
  int64_t outputs = 1, reduced = 1;
};

void add_sorted(Axis* axes, int& n, Axis axis) {
  if (axis.size == 1) return;
  int at = n++;
  for (; at > 0 && axes[at - 1].stride > axis.stride; at--) axes[at] = axes[at - 1];
  axes[at] = axis;
}
void merge(Axis* axes, int& n) {
  int m = 0;
  for (int i = 0; i < n; i++) {
    if (m > 0 && axes[m - 1].stride * axes[m - 1].size == axes[i].stride && axes[m - 1].out * axes[m - 1].size == axes[i].out)
      axes[m - 1].size *= axes[i].size;
    else axes[m++] = axes[i];
  }
  n = m;
}

Walk make_walk(const TensorView& self, const ReducedDims& dims) {
  Walk w;
  int64_t out = 1;
  for (int d = self.ndim - 1; d >= 0; d--) {
    if (dims.reduced[d]) {
      w.reduced *= self.sizes[d];
      add_sorted(w.gone, w.ngone, {self.sizes[d], self.strides[d], 0});
    } else {
      w.outputs *= self.sizes[d];
      add_sorted(w.kept, w.nkept, {self.sizes[d], self.strides[d], out});
      out *= self.sizes[d];
    }
  }
  merge(w.kept, w.nkept);
  merge(w.gone, w.ngone);
  return w;
}

int64_t offset_of(const Axis* axes, int n, int64_t at, int64_t* out) {
  int64_t offset = 0, o = 0;
  for (int i = 0; i < n; i++) {
    const int64_t k = at % axes[i].size;
    at /= axes[i].size;
    offset += k * axes[i].stride;
    o += k * axes[i].out;
  }
  if (out) *out = o;
  return offset;
}

template <class T> void gather_as(int64_t n, char* to, const char* from, int64_t stride) {
  T* t = reinterpret_cast<T*>(to);
  const T* f = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < n; i++) t[i] = f[i * stride];
}
struct Sixteen {
  uint64_t a, b;
};
void gather(int64_t n, char* to, const char* from, int64_t stride, int64_t size) {
  switch (size) {
    case 1: gather_as<uint8_t>(n, to, from, stride); break;
    case 2: gather_as<uint16_t>(n, to, from, stride); break;
    case 4: gather_as<uint32_t>(n, to, from, stride); break;
    case 8: gather_as<uint64_t>(n, to, from, stride); break;
    default: gather_as<Sixteen>(n, to, from, stride); break;
  }
}

struct Reader {
  const char* data;
  int64_t size;
  ConvertFn load;  // null: elements are in their computed form
  alignas(64) char raw[kTile * 16];
  alignas(64) char tile[kTile * 16];

  Reader(const TensorView& self, Element element) : data(static_cast<const char*>(self.data)), size(dtype_size(self.dtype)) {
    constexpr Compute computes[kElements] = {Compute::F32, Compute::F64, Compute::I64, Compute::C128};
    const Compute c = computes[static_cast<int>(element)];
    load = self.dtype == dtype_of(c) ? nullptr : loader_of(self.dtype, c);
  }
  bool direct(int64_t stride) const { return !load && stride == 1; }
  // n <= kTile elements from `offset`, `stride` apart, in their computed form.
  const void* read(int64_t offset, int64_t stride, int64_t n) {
    const char* p = data + offset * size;
    if (stride != 1) {
      char* to = load ? raw : tile;
      gather(n, to, p, stride, size);
      p = to;
    }
    if (!load) return p;
    load(n, tile, p);
    return tile;
  }
};

// Folds positions [begin, end) of the reduced axes into one accumulator.
void fold_positions(const Walk& w, Reader& reader, FoldRowFn row, int64_t base, int64_t begin, int64_t end, void* acc, const void* param,
                    int64_t element_size) {
  if (w.ngone == 0) {
    if (begin < end) row(acc, reader.read(base, 1, 1), 1, param);
    return;
  }
  const Axis& inner = w.gone[0];
  for (int64_t at = begin; at < end;) {
    int64_t n = std::min(end - at, inner.size - at % inner.size);
    const int64_t offset = base + offset_of(w.gone, w.ngone, at, nullptr);
    if (reader.direct(inner.stride)) {
      row(acc, reader.data + offset * reader.size, n, param);
    } else {
      n = std::min(n, kTile);
      row(acc, reader.read(offset, inner.stride, n), n, param);
    }
    at += n;
  }
  (void)element_size;
}

}  // namespace

int64_t wrap_dim(int64_t dim, int ndim) {
  const int64_t n = ndim > 0 ? ndim : 1;
  if (dim < -n || dim >= n) {
    fail_as("IndexError", "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)", static_cast<long long>(-n),
            static_cast<long long>(n - 1), static_cast<long long>(dim));
  }
  return dim < 0 ? dim + n : dim;
}

ReducedDims reduced_dims(const Arg& dims, int ndim) {
  ReducedDims r;
  const auto add = [&](int64_t dim) {
    const int64_t d = wrap_dim(dim, ndim);
    if (ndim == 0) return;
    if (r.reduced[d]) fail("dim %lld appears multiple times in the list of dims", static_cast<long long>(d));
    r.reduced[d] = true;
    r.count++;
  };
  if (dims.kind == ArgKind::Int) {
    add(dims.i);
  } else if (dims.kind == ArgKind::IntList && dims.ints.n > 0) {
    for (int64_t i = 0; i < dims.ints.n; i++) add(dims.ints.p[i]);
  } else {
    for (int d = 0; d < ndim; d++) r.reduced[d] = true;
    r.count = ndim;
  }
  return r;
}

void set_reduced_output(Call& call, int i, DType dtype, const TensorView& self, const ReducedDims& dims, bool keepdim) {
  int64_t sizes[kMaxDims];
  int n = 0;
  for (int d = 0; d < self.ndim; d++) {
    if (!dims.reduced[d]) sizes[n++] = self.sizes[d];
    else if (keepdim) sizes[n++] = 1;
  }
  call.set_output(i, dtype, sizes, n);
}

int64_t reduced_count(const TensorView& self, const ReducedDims& dims) {
  int64_t n = 1;
  for (int d = 0; d < self.ndim; d++)
    if (dims.reduced[d]) n *= self.sizes[d];
  return n;
}

Element element_of(DType t) {
  if (is_complex(t)) return Element::C128;
  if (t == DType::F64) return Element::F64;
  return is_floating(t) ? Element::F32 : Element::I64;
}

void fold_dims(Runtime* runtime, const TensorView& self, const ReducedDims& dims, Fold fold, void* acc_, const void* param_) {
  const Element element = element_of(self.dtype);
  const FoldEntry& entry = reduce_table().folds[static_cast<int>(fold)][static_cast<int>(element)];
  const Walk w = make_walk(self, dims);
  if (w.outputs == 0 || w.reduced == 0) return;
  runtime->note(entry.label);
  const int64_t width = accumulator_size(element);
  char* acc = static_cast<char*>(acc_);
  const char* param = static_cast<const char*>(param_);

  const bool by_rows = w.nkept == 0 || (w.ngone > 0 && w.gone[0].stride <= w.kept[0].stride) || w.kept[0].stride != 1;
  if (by_rows) {
    if (w.outputs < runtime->num_threads() && w.reduced >= 131072 && fold != Fold::Prod) {
      // Few outputs: pieces of each are folded apart, then together.
      constexpr int64_t kPiece = 32768;
      const int64_t pieces = (w.reduced + kPiece - 1) / kPiece;
      char* partial = static_cast<char*>(runtime->scratch(static_cast<size_t>(w.outputs * pieces * width)));
      for (int64_t o = 0; o < w.outputs; o++) {
        int64_t out;
        const int64_t base = offset_of(w.kept, w.nkept, o, &out);
        char* const mine = partial + o * pieces * width;
        for (int64_t i = 0; i < pieces; i++) std::memcpy(mine + i * width, acc + out * width, static_cast<size_t>(width));
        runtime->parallel(pieces, 1, [&](int64_t begin, int64_t end) {
          Reader reader(self, element);
          for (int64_t i = begin; i < end; i++) {
            fold_positions(w, reader, entry.row, base, i * kPiece, std::min(w.reduced, (i + 1) * kPiece), mine + i * width,
                           param ? param + out * width : nullptr, width);
          }
        });
        // Accumulators join by the operation alone, in float64.
        const Fold join = fold == Fold::Max || fold == Fold::AbsMax   ? Fold::Max
                          : fold == Fold::Min || fold == Fold::AbsMin ? Fold::Min
                                                                      : Fold::Sum;
        const Element wide = element == Element::F32 ? Element::F64 : element;
        reduce_table().folds[static_cast<int>(join)][static_cast<int>(wide)].row(acc + out * width, mine, pieces, nullptr);
      }
      return;
    }
    const int64_t grain = std::max<int64_t>(1, 32768 / w.reduced);
    runtime->parallel(w.outputs, grain, [&](int64_t begin, int64_t end) {
      Reader reader(self, element);
      for (int64_t o = begin; o < end; o++) {
        int64_t out;
        const int64_t base = offset_of(w.kept, w.nkept, o, &out);
        fold_positions(w, reader, entry.row, base, 0, w.reduced, acc + out * width, param ? param + out * width : nullptr, width);
      }
    });
    return;
  }

  // Columns: blocks along the fastest kept axis, all reduced positions for each.
  const Axis& line = w.kept[0];
  const int64_t block = std::min<int64_t>(line.size, 512);
  const int64_t blocks = (line.size + block - 1) / block;
  const int64_t lines = w.outputs / line.size;
  const int64_t grain = std::max<int64_t>(1, 32768 / (block * w.reduced));
  runtime->parallel(lines * blocks, grain, [&](int64_t begin, int64_t end) {
    Reader reader(self, element);
    alignas(64) char local[512 * 16], local_param[512 * 16];
    for (int64_t i = begin; i < end; i++) {
      int64_t out;
      const int64_t first = i % blocks * block;
      const int64_t n = std::min(block, line.size - first);
      const int64_t base = offset_of(w.kept + 1, w.nkept - 1, i / blocks, &out) + first * line.stride;
      out += first * line.out;
      // Accumulators of the block side by side.
      const bool dense = line.out == 1;
      char* a = acc + out * width;
      const char* p = param ? param + out * width : nullptr;
      if (!dense) {
        for (int64_t j = 0; j < n; j++) {
          std::memcpy(local + j * width, a + j * line.out * width, static_cast<size_t>(width));
          if (p) std::memcpy(local_param + j * width, p + j * line.out * width, static_cast<size_t>(width));
        }
        if (p) p = local_param;
      }
      char* target = dense ? a : local;
      if (w.ngone == 0) {
        entry.columns(target, reader.read(base, line.stride, n), n, 1, 0, p);
      } else {
        const Axis& rows = w.gone[0];
        for (int64_t at = 0; at < w.reduced; at += rows.size) {
          const int64_t offset = base + offset_of(w.gone, w.ngone, at, nullptr);
          if (reader.direct(line.stride)) {
            entry.columns(target, reader.data + offset * reader.size, n, rows.size, rows.stride, p);
          } else {
            for (int64_t r = 0; r < rows.size; r++)
              entry.columns(target, reader.read(offset + r * rows.stride, line.stride, n), n, 1, 0, p);
          }
        }
      }
      if (!dense) {
        for (int64_t j = 0; j < n; j++) std::memcpy(a + j * line.out * width, local + j * width, static_cast<size_t>(width));
      }
    }
  });
}

void store_accumulators(Runtime* runtime, const TensorView& out, Element element, const void* acc) {
  TensorView view = out;
  view.data = const_cast<void*>(acc);
  view.dtype = accumulator_dtype(element);
  view.quant = nullptr;
  int64_t stride = 1;
  for (int d = view.ndim - 1; d >= 0; d--) {
    view.strides[d] = stride;
    stride *= view.sizes[d];
  }
  copy_strided(out, view, runtime);
}

}  // namespace torchscript
