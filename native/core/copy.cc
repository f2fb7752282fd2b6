// Copies between windows of any strides, with PyTorch's conversions between dtypes.
#include <cmath>
#include <complex>
#include <cstring>

#include "core/device.h"
#include "core/invoke.h"
#include "core/run.h"
#include "kernel.h"

namespace torchscript {
namespace {

float half_to_float(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  uint32_t exponent = (h >> 10) & 31, mantissa = h & 0x3FF;
  uint32_t bits;
  if (exponent == 31) bits = sign | 0x7F800000 | mantissa << 13;
  else if (exponent != 0) bits = sign | (exponent + 112) << 23 | mantissa << 13;
  else {
    float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

uint16_t float_to_half(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return sign | 0x7E00;
  if (magnitude >= 0x477FF000) return sign | 0x7C00;
  if (magnitude < 0x38800000) {
    // Subnormal: the addition rounds to a multiple of 2^-24.
    float positive;
    std::memcpy(&positive, &magnitude, 4);
    float rounded = positive + 0.5f;
    uint32_t r;
    std::memcpy(&r, &rounded, 4);
    return static_cast<uint16_t>(sign | (r - 0x3F000000));
  }
  uint32_t odd = magnitude >> 13 & 1;
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000 + 0xFFF + odd) >> 13));
}

float bfloat_to_float(uint16_t b) {
  uint32_t bits = static_cast<uint32_t>(b) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

uint16_t float_to_bfloat(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if (std::isnan(f)) return 0x7FC0;
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// Elements pass through one of three wide forms: integers as int64, reals as double, complex as complex<double>.
constexpr int kPiece = 256;
enum class Wide { Integer, Real, Complex };

Wide wide_form(DType t) {
  if (is_complex(t)) return Wide::Complex;
  return is_floating(t) ? Wide::Real : Wide::Integer;
}

template <class T> void gather(const char* from, int64_t stride, int n, T* to) {
  for (int i = 0; i < n; i++) std::memcpy(&to[i], from + i * stride, sizeof(T));
}

template <class S> void load_integers(const char* from, int64_t stride, int n, int64_t* wide) {
  for (int i = 0; i < n; i++) {
    S v;
    std::memcpy(&v, from + i * stride, sizeof v);
    wide[i] = static_cast<int64_t>(v);
  }
}

void load_integer_piece(DType t, const char* from, int64_t stride, int n, int64_t* wide) {
  switch (t) {
    case DType::U8:
    case DType::Bool:
    case DType::QU8: load_integers<uint8_t>(from, stride, n, wide); return;
    case DType::I8:
    case DType::QI8: load_integers<int8_t>(from, stride, n, wide); return;
    case DType::I16: load_integers<int16_t>(from, stride, n, wide); return;
    case DType::U16: load_integers<uint16_t>(from, stride, n, wide); return;
    case DType::I32:
    case DType::QI32: load_integers<int32_t>(from, stride, n, wide); return;
    case DType::U32: load_integers<uint32_t>(from, stride, n, wide); return;
    case DType::I64:
    case DType::U64: load_integers<int64_t>(from, stride, n, wide); return;
    default: fail("copy from %s is not supported", dtype_torch_name(t));
  }
}

void load_real_piece(DType t, const char* from, int64_t stride, int n, double* wide) {
  switch (t) {
    case DType::F32:
      for (int i = 0; i < n; i++) {
        float v;
        std::memcpy(&v, from + i * stride, 4);
        wide[i] = v;
      }
      return;
    case DType::F64: gather(from, stride, n, wide); return;
    case DType::F16:
      for (int i = 0; i < n; i++) {
        uint16_t v;
        std::memcpy(&v, from + i * stride, 2);
        wide[i] = half_to_float(v);
      }
      return;
    case DType::BF16:
      for (int i = 0; i < n; i++) {
        uint16_t v;
        std::memcpy(&v, from + i * stride, 2);
        wide[i] = bfloat_to_float(v);
      }
      return;
    default: fail("copy from %s is not supported", dtype_torch_name(t));
  }
}

void load_complex_piece(DType t, const char* from, int64_t stride, int n, std::complex<double>* wide) {
  switch (t) {
    case DType::C32:
      for (int i = 0; i < n; i++) {
        uint16_t v[2];
        std::memcpy(v, from + i * stride, 4);
        wide[i] = {half_to_float(v[0]), half_to_float(v[1])};
      }
      return;
    case DType::C64:
      for (int i = 0; i < n; i++) {
        float v[2];
        std::memcpy(v, from + i * stride, 8);
        wide[i] = {v[0], v[1]};
      }
      return;
    default: gather(from, stride, n, wide);
  }
}

// Truncation as x86 does it: out of range gives the smallest integer; narrow types wrap through int32.
int32_t real_to_int32(double d) { return d > -2147483649.0 && d < 2147483648.0 ? static_cast<int32_t>(d) : INT32_MIN; }
int64_t real_to_int64(double d) { return d >= -0x1p63 && d < 0x1p63 ? static_cast<int64_t>(d) : INT64_MIN; }

template <class T, class F> void scatter(char* to, int64_t stride, int n, F value) {
  for (int i = 0; i < n; i++) {
    T v = value(i);
    std::memcpy(to + i * stride, &v, sizeof v);
  }
}

template <class W> double real_of(const W& w) {
  if constexpr (std::is_same_v<W, std::complex<double>>) return w.real();
  else return static_cast<double>(w);
}
template <class W> int64_t int64_of(const W& w) {
  if constexpr (std::is_same_v<W, int64_t>) return w;
  else return real_to_int64(real_of(w));
}
template <class W> int32_t int32_of(const W& w) {
  if constexpr (std::is_same_v<W, int64_t>) return static_cast<int32_t>(w);
  else return real_to_int32(real_of(w));
}
// A float from an integer is rounded once.
template <class W> float float_of(const W& w) {
  if constexpr (std::is_same_v<W, int64_t>) return static_cast<float>(w);
  else return static_cast<float>(real_of(w));
}
template <class W> double imag_of(const W& w) {
  if constexpr (std::is_same_v<W, std::complex<double>>) return w.imag();
  else return 0;
}
template <class W> bool truth_of(const W& w) {
  if constexpr (std::is_same_v<W, std::complex<double>>) return w.real() != 0 || w.imag() != 0;
  else return w != 0;
}

template <class W> void store_piece(DType t, const W* wide, char* to, int64_t stride, int n) {
  switch (t) {
    case DType::Bool: scatter<uint8_t>(to, stride, n, [&](int i) { return static_cast<uint8_t>(truth_of(wide[i])); }); return;
    case DType::U8:
    case DType::QU8: scatter<uint8_t>(to, stride, n, [&](int i) { return static_cast<uint8_t>(int32_of(wide[i])); }); return;
    case DType::I8:
    case DType::QI8: scatter<int8_t>(to, stride, n, [&](int i) { return static_cast<int8_t>(int32_of(wide[i])); }); return;
    case DType::I16: scatter<int16_t>(to, stride, n, [&](int i) { return static_cast<int16_t>(int32_of(wide[i])); }); return;
    case DType::U16: scatter<uint16_t>(to, stride, n, [&](int i) { return static_cast<uint16_t>(int32_of(wide[i])); }); return;
    case DType::I32:
    case DType::QI32: scatter<int32_t>(to, stride, n, [&](int i) { return int32_of(wide[i]); }); return;
    case DType::U32: scatter<uint32_t>(to, stride, n, [&](int i) { return static_cast<uint32_t>(int64_of(wide[i])); }); return;
    case DType::I64:
    case DType::U64: scatter<int64_t>(to, stride, n, [&](int i) { return int64_of(wide[i]); }); return;
    case DType::F32: scatter<float>(to, stride, n, [&](int i) { return float_of(wide[i]); }); return;
    case DType::F64: scatter<double>(to, stride, n, [&](int i) { return real_of(wide[i]); }); return;
    case DType::F16: scatter<uint16_t>(to, stride, n, [&](int i) { return float_to_half(float_of(wide[i])); }); return;
    case DType::BF16: scatter<uint16_t>(to, stride, n, [&](int i) { return float_to_bfloat(float_of(wide[i])); }); return;
    case DType::C32:
      scatter<uint32_t>(to, stride, n, [&](int i) {
        return float_to_half(float_of(wide[i])) | static_cast<uint32_t>(float_to_half(static_cast<float>(imag_of(wide[i])))) << 16;
      });
      return;
    case DType::C64:
      scatter<std::complex<float>>(to, stride, n,
                                   [&](int i) { return std::complex<float>(float_of(wide[i]), static_cast<float>(imag_of(wide[i]))); });
      return;
    case DType::C128:
      scatter<std::complex<double>>(to, stride, n, [&](int i) { return std::complex<double>(real_of(wide[i]), imag_of(wide[i])); });
      return;
    default: fail("copy to %s is not supported", dtype_torch_name(t));
  }
}

void convert_line(DType from_type, const char* from, int64_t from_stride, DType to_type, char* to, int64_t to_stride, int64_t n) {
  union {
    int64_t integers[kPiece];
    double reals[kPiece];
    double complexes[2 * kPiece];
  } wide;
  for (int64_t at = 0; at < n; at += kPiece) {
    int count = static_cast<int>(n - at < kPiece ? n - at : kPiece);
    const char* f = from + at * from_stride;
    char* t = to + at * to_stride;
    switch (wide_form(from_type)) {
      case Wide::Integer:
        load_integer_piece(from_type, f, from_stride, count, wide.integers);
        if (from_type == DType::U64 && is_floating(to_type)) {
          for (int i = 0; i < count; i++) wide.reals[i] = static_cast<double>(static_cast<uint64_t>(wide.integers[i]));
          store_piece(to_type, wide.reals, t, to_stride, count);
        } else {
          store_piece(to_type, wide.integers, t, to_stride, count);
        }
        break;
      case Wide::Real:
        load_real_piece(from_type, f, from_stride, count, wide.reals);
        store_piece(to_type, wide.reals, t, to_stride, count);
        break;
      case Wide::Complex: {
        auto* complexes = reinterpret_cast<std::complex<double>*>(wide.complexes);
        load_complex_piece(from_type, f, from_stride, count, complexes);
        store_piece(to_type, complexes, t, to_stride, count);
        break;
      }
    }
  }
}

template <class T> void move_line(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t n) {
  for (int64_t i = 0; i < n; i++) std::memcpy(to + i * to_stride, from + i * from_stride, sizeof(T));
}

struct Wide16 {
  uint64_t a, b;
};

void copy_line(DType type, const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t n) {
  int64_t item = dtype_size(type);
  if (from_stride == item && to_stride == item) {
    std::memmove(to, from, static_cast<size_t>(n * item));
    return;
  }
  switch (item) {
    case 1: move_line<uint8_t>(from, from_stride, to, to_stride, n); return;
    case 2: move_line<uint16_t>(from, from_stride, to, to_stride, n); return;
    case 4: move_line<uint32_t>(from, from_stride, to, to_stride, n); return;
    case 8: move_line<uint64_t>(from, from_stride, to, to_stride, n); return;
    default: move_line<Wide16>(from, from_stride, to, to_stride, n); return;
  }
}

// Dimensions in descending order of the destination's stride, merged where both windows allow; strides in bytes.
struct Lines {
  int64_t sizes[kMaxDims], to[kMaxDims], from[kMaxDims];
  int ndim = 0;
};

Lines merge(const TensorView& destination, const TensorView& source) {
  int order[kMaxDims];
  int n = 0;
  for (int d = 0; d < destination.ndim; d++)
    if (destination.sizes[d] != 1) order[n++] = d;
  for (int i = 1; i < n; i++) {
    for (int j = i; j > 0 && destination.strides[order[j]] > destination.strides[order[j - 1]]; j--) std::swap(order[j], order[j - 1]);
  }
  Lines lines;
  int64_t to_item = dtype_size(destination.dtype), from_item = dtype_size(source.dtype);
  for (int i = 0; i < n; i++) {
    int d = order[i];
    int64_t to = destination.strides[d] * to_item, from = source.strides[d] * from_item;
    int last = lines.ndim - 1;
    if (last >= 0 && lines.to[last] == to * destination.sizes[d] && lines.from[last] == from * destination.sizes[d]) {
      lines.sizes[last] *= destination.sizes[d];
      lines.to[last] = to;
      lines.from[last] = from;
    } else {
      lines.sizes[lines.ndim] = destination.sizes[d];
      lines.to[lines.ndim] = to;
      lines.from[lines.ndim] = from;
      lines.ndim++;
    }
  }
  if (lines.ndim == 0) {
    lines.sizes[0] = 1;
    lines.to[0] = to_item;
    lines.from[0] = from_item;
    lines.ndim = 1;
  }
  return lines;
}

void run_copy(Call& call) { copy_views(*call.runtime, call.outputs[0], call.tensor(0)); }

Kernel make_copy_row() {
  Kernel row;
  row.name = "executor_copy";
  row.run = run_copy;
  return row;
}

}  // namespace

const Kernel& copy_row() {
  static const Kernel row = make_copy_row();
  return row;
}

void copy_views(Runtime& runtime, const TensorView& destination, const TensorView& source) {
  if (destination.device != kCpuDevice || source.device != kCpuDevice) return copy_views_across(runtime, destination, source);
  int64_t total = destination.numel();
  if (total == 0) return;
  Lines lines = merge(destination, source);
  int inner = lines.ndim - 1;
  int64_t line = lines.sizes[inner];
  auto copy_piece = [&](const char* from, char* to, int64_t n) {
    if (destination.dtype == source.dtype) copy_line(source.dtype, from, lines.from[inner], to, lines.to[inner], n);
    else convert_line(source.dtype, from, lines.from[inner], destination.dtype, to, lines.to[inner], n);
  };
  auto* to = static_cast<char*>(destination.data);
  auto* from = static_cast<const char*>(source.data);
  constexpr int64_t kGrain = 16384;
  if (inner == 0) {
    runtime.parallel(line, kGrain,
                     [&](int64_t begin, int64_t end) { copy_piece(from + begin * lines.from[0], to + begin * lines.to[0], end - begin); });
    return;
  }
  int64_t grain = kGrain / line + 1;
  runtime.parallel(total / line, grain, [&](int64_t begin, int64_t end) {
    int64_t index[kMaxDims];
    int64_t rest = begin;
    const char* f = from;
    char* t = to;
    for (int d = inner - 1; d >= 0; d--) {
      index[d] = rest % lines.sizes[d];
      rest /= lines.sizes[d];
      f += index[d] * lines.from[d];
      t += index[d] * lines.to[d];
    }
    for (int64_t i = begin; i < end; i++) {
      copy_piece(f, t, line);
      for (int d = inner - 1; d >= 0; d--) {
        f += lines.from[d];
        t += lines.to[d];
        if (++index[d] < lines.sizes[d]) break;
        f -= lines.from[d] * lines.sizes[d];
        t -= lines.to[d] * lines.sizes[d];
        index[d] = 0;
      }
    }
  });
}

Value read_element(const TensorView& view) {
  if (view.device != kCpuDevice) {
    alignas(16) char element[16];
    require_accelerator().copy_out(view.device, element, view.data, static_cast<size_t>(dtype_size(view.dtype)));
    TensorView here = view;
    here.device = kCpuDevice;
    here.data = element;
    return read_element(here);
  }
  const char* p = static_cast<const char*>(view.data);
  switch (wide_form(view.dtype)) {
    case Wide::Complex: {
      std::complex<double> v;
      load_complex_piece(view.dtype, p, 0, 1, &v);
      return Value::of_complex(v);
    }
    case Wide::Real: {
      double v;
      load_real_piece(view.dtype, p, 0, 1, &v);
      return Value::of_float(v);
    }
    default: {
      int64_t v;
      load_integer_piece(view.dtype, p, 0, 1, &v);
      if (view.dtype == DType::Bool) return Value::of_bool(v != 0);
      if (is_quantized(view.dtype) && view.quant && view.quant->scheme == QuantParams::Scheme::PerTensorAffine) {
        return Value::of_float(static_cast<double>(static_cast<float>(v - view.quant->zero_point) * static_cast<float>(view.quant->scale)));
      }
      return Value::of_int(v);
    }
  }
}

}  // namespace torchscript
