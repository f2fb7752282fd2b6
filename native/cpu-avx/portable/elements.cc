#include "cpu-avx/portable/elements.h"

#include <cstdio>

namespace torchscript::portable {

void fail_dtype(const char* op, DType dtype) {
  fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", op, dtype_torch_name(dtype));
}

int wrap_dim(int64_t dim, int ndim) {
  const int64_t n = ndim == 0 ? 1 : ndim;
  if (dim < -n || dim >= n) {
    fail_as("IndexError", "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)", static_cast<long long>(-n),
            static_cast<long long>(n - 1), static_cast<long long>(dim));
  }
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

int64_t product(const int64_t* sizes, int begin, int end) {
  int64_t n = 1;
  for (int d = begin; d < end; d++) n *= sizes[d];
  return n;
}

const char* shape_text(const TensorView& v, char (&buffer)[256]) {
  int at = std::snprintf(buffer, sizeof buffer, "[");
  for (int d = 0; d < v.ndim; d++)
    at += std::snprintf(buffer + at, sizeof buffer - at, d ? ", %lld" : "%lld", static_cast<long long>(v.sizes[d]));
  std::snprintf(buffer + at, sizeof buffer - at, "]");
  return buffer;
}

bool broadcast_into(std::vector<int64_t>& shape, const TensorView& view) {
  if (static_cast<int>(shape.size()) < view.ndim) shape.insert(shape.begin(), view.ndim - shape.size(), 1);
  const size_t lead = shape.size() - view.ndim;
  for (int d = 0; d < view.ndim; d++) {
    int64_t& n = shape[lead + d];
    if (view.sizes[d] == n || view.sizes[d] == 1) continue;
    if (n != 1) return false;
    n = view.sizes[d];
  }
  return true;
}

TensorView expand_view(const TensorView& view, const int64_t* sizes, int ndim) {
  TensorView out = view;
  out.ndim = ndim;
  const int lead = ndim - view.ndim;
  bool fits = lead >= 0;
  for (int d = 0; fits && d < view.ndim; d++) fits = view.sizes[d] == sizes[lead + d] || view.sizes[d] == 1;
  if (!fits) {
    char from[256], to[256];
    TensorView target = out;
    for (int d = 0; d < ndim; d++) target.sizes[d] = sizes[d];
    fail("shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s", shape_text(view, from),
         shape_text(target, to));
  }
  for (int d = 0; d < ndim; d++) {
    out.sizes[d] = sizes[d];
    const bool repeats = d < lead || (view.sizes[d - lead] == 1 && sizes[d] != 1);
    out.strides[d] = repeats ? 0 : view.strides[d - lead];
  }
  return out;
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (is_complex(a) || is_complex(b)) {
    const auto wide = [](DType t) { return t == DType::C128 || t == DType::F64; };
    return wide(a) || wide(b)                                                         ? DType::C128
           : a == DType::C64 || b == DType::C64 || a == DType::F32 || b == DType::F32 ? DType::C64
                                                                                      : DType::C32;
  }
  if (is_floating(a) && is_floating(b)) return a == DType::F64 || b == DType::F64 ? DType::F64 : DType::F32;
  if (is_floating(a)) return a;
  if (is_floating(b)) return b;
  if (a == DType::Bool) return b;
  if (b == DType::Bool) return a;
  if (a == DType::U8 || b == DType::U8) {
    const DType other = a == DType::U8 ? b : a;
    return other == DType::I8 ? DType::I16 : other;
  }
  return dtype_size(a) > dtype_size(b) ? a : b;
}

namespace {

double load_double(const void* p, DType t, int64_t i) {
  switch (t) {
    case DType::F32: return static_cast<const float*>(p)[i];
    case DType::F64: return static_cast<const double*>(p)[i];
    case DType::F16: return half_to_float(static_cast<const uint16_t*>(p)[i]);
    case DType::BF16: return bfloat16_to_float(static_cast<const uint16_t*>(p)[i]);
    default: return 0;
  }
}

int64_t load_int(const void* p, DType t, int64_t i) {
  switch (t) {
    case DType::Bool:
    case DType::U8:
    case DType::QU8: return static_cast<const uint8_t*>(p)[i];
    case DType::I8:
    case DType::QI8: return static_cast<const int8_t*>(p)[i];
    case DType::I16: return static_cast<const int16_t*>(p)[i];
    case DType::I32:
    case DType::QI32: return static_cast<const int32_t*>(p)[i];
    case DType::U16: return static_cast<const uint16_t*>(p)[i];
    case DType::U32: return static_cast<const uint32_t*>(p)[i];
    default: return static_cast<const int64_t*>(p)[i];
  }
}

// Out of range and NaN give the smallest integer, as the x86 conversions do.
int64_t truncate(double v) {
  if (!(v > -9223372036854775809.0 && v < 9223372036854775808.0)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(v);
}

void store_int(void* p, DType t, int64_t i, int64_t v) {
  switch (t) {
    case DType::Bool: static_cast<uint8_t*>(p)[i] = v != 0; break;
    case DType::U8:
    case DType::I8:
    case DType::QU8:
    case DType::QI8: static_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(v); break;
    case DType::I16:
    case DType::U16: static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>(v); break;
    case DType::I32:
    case DType::U32:
    case DType::QI32: static_cast<uint32_t*>(p)[i] = static_cast<uint32_t>(v); break;
    case DType::I64:
    case DType::U64: static_cast<int64_t*>(p)[i] = v; break;
    case DType::F32: static_cast<float*>(p)[i] = static_cast<float>(v); break;
    case DType::F64: static_cast<double*>(p)[i] = static_cast<double>(v); break;
    case DType::F16: static_cast<uint16_t*>(p)[i] = float_to_half(static_cast<float>(v)); break;
    case DType::BF16: static_cast<uint16_t*>(p)[i] = float_to_bfloat16(static_cast<float>(v)); break;
    case DType::C64: static_cast<std::complex<float>*>(p)[i] = static_cast<float>(v); break;
    case DType::C128: static_cast<std::complex<double>*>(p)[i] = static_cast<double>(v); break;
    default: break;
  }
}

void store_double(void* p, DType t, int64_t i, double v) {
  switch (t) {
    case DType::Bool: static_cast<uint8_t*>(p)[i] = v != 0; break;
    case DType::F32: static_cast<float*>(p)[i] = static_cast<float>(v); break;
    case DType::F64: static_cast<double*>(p)[i] = v; break;
    case DType::F16: static_cast<uint16_t*>(p)[i] = float_to_half(static_cast<float>(v)); break;
    case DType::BF16: static_cast<uint16_t*>(p)[i] = float_to_bfloat16(static_cast<float>(v)); break;
    case DType::C64: static_cast<std::complex<float>*>(p)[i] = static_cast<float>(v); break;
    case DType::C128: static_cast<std::complex<double>*>(p)[i] = v; break;
    case DType::I64:
    case DType::U64:
    case DType::U32: store_int(p, t, i, truncate(v)); break;
    default: {
      const bool fits = v > -2147483649.0 && v < 2147483648.0;
      store_int(p, t, i, fits ? static_cast<int32_t>(v) : std::numeric_limits<int32_t>::min());
    }
  }
}

void check_convertible(DType t) {
  const bool known = is_integral(t) || is_quantized(t) || t == DType::Bool || t == DType::F32 || t == DType::F64 || t == DType::F16 ||
                     t == DType::BF16 || t == DType::C64 || t == DType::C128;
  if (!known) fail_dtype("copy", t);
}

template <class T> void gather_row(T* destination, const T* source, int64_t n, int64_t stride) {
  if (stride == 1) std::memcpy(destination, source, static_cast<size_t>(n) * sizeof(T));
  else
    for (int64_t i = 0; i < n; i++) destination[i] = source[i * stride];
}

template <class T> void scatter_row(T* destination, int64_t stride, const T* source, int64_t n) {
  for (int64_t i = 0; i < n; i++) destination[i * stride] = source[i];
}

}  // namespace

void convert_row(void* destination, DType to, const void* source, DType from, int64_t n, int64_t stride) {
  if (to == from) {
    dispatch_size(to, [&](auto tag) {
      using T = decltype(tag);
      gather_row(static_cast<T*>(destination), static_cast<const T*>(source), n, stride);
    });
    return;
  }
  check_convertible(to);
  check_convertible(from);
  if (is_complex(from)) {
    for (int64_t i = 0; i < n; i++) {
      const std::complex<double> v = from == DType::C64 ? std::complex<double>(static_cast<const std::complex<float>*>(source)[i * stride])
                                                        : static_cast<const std::complex<double>*>(source)[i * stride];
      if (to == DType::C128) static_cast<std::complex<double>*>(destination)[i] = v;
      else if (to == DType::C64) static_cast<std::complex<float>*>(destination)[i] = std::complex<float>(v);
      else if (to == DType::Bool) static_cast<uint8_t*>(destination)[i] = v != 0.0;
      else store_double(destination, to, i, v.real());
    }
  } else if (is_floating(from)) {
    for (int64_t i = 0; i < n; i++) store_double(destination, to, i, load_double(source, from, i * stride));
  } else {
    for (int64_t i = 0; i < n; i++) store_int(destination, to, i, load_int(source, from, i * stride));
  }
}

void copy_to_dense(void* destination, DType to, const TensorView& view) {
  if (view.numel() == 0) return;
  char* out = static_cast<char*>(destination);
  const char* in = static_cast<const char*>(view.data);
  if (view.is_contiguous()) return convert_row(out, to, in, view.dtype, view.numel(), 1);
  const TensorView* views[1] = {&view};
  for_each_row<1>(view.sizes, view.ndim, views, [&](const int64_t* offsets, int64_t n, const int64_t* strides) {
    convert_row(out, to, in + offsets[0] * dtype_size(view.dtype), view.dtype, n, strides[0]);
    out += n * dtype_size(to);
  });
}

void copy_view(const TensorView& destination, const TensorView& source) {
  if (destination.is_contiguous()) return copy_to_dense(destination.data, destination.dtype, source);
  const TensorView* views[2] = {&destination, &source};
  std::vector<uint64_t> row;
  const int64_t to_size = dtype_size(destination.dtype), from_size = dtype_size(source.dtype);
  for_each_row<2>(destination.sizes, destination.ndim, views, [&](const int64_t* offsets, int64_t n, const int64_t* strides) {
    row.resize(static_cast<size_t>(n) * 2);
    convert_row(row.data(), destination.dtype, static_cast<const char*>(source.data) + offsets[1] * from_size, source.dtype, n, strides[1]);
    char* out = static_cast<char*>(destination.data) + offsets[0] * to_size;
    dispatch_size(destination.dtype, [&](auto tag) {
      using T = decltype(tag);
      scatter_row(reinterpret_cast<T*>(out), strides[0], reinterpret_cast<const T*>(row.data()), n);
    });
  });
}

const void* dense(Call& call, const TensorView& view, DType dtype) {
  if (view.dtype == dtype && view.is_contiguous()) return view.data;
  const int64_t n = view.numel();
  void* copy = call.runtime->scratch(static_cast<size_t>(n > 0 ? n : 1) * dtype_size(dtype));
  copy_to_dense(copy, dtype, view);
  return copy;
}

void start_from(const TensorView& output, const TensorView& self) {
  if (output.data != self.data) copy_view(output, self);
}

std::vector<int64_t> offsets_of(const TensorView& view, int begin, int end) {
  std::vector<int64_t> offsets(1, 0);
  for (int d = begin; d < end; d++) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * view.sizes[d]);
    for (const int64_t o : offsets)
      for (int64_t i = 0; i < view.sizes[d]; i++) next.push_back(o + i * view.strides[d]);
    offsets.swap(next);
  }
  return offsets;
}

}  // namespace torchscript::portable
