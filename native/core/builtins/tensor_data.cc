#include "core/builtins/tensor_data.h"
#include "core/device.h"

#include <cmath>
#include <cstring>

#include "core/builtins/number.h"
#include "core/errors.h"

namespace torchscript::builtins {

Value one_item(Context& context, Tensor& tensor) {
  int64_t n = tensor.numel();
  if (n != 1) throw OperatorError("a Tensor with " + std::to_string(n) + " elements cannot be converted to Scalar");
  return context.item(tensor);
}

namespace {

template <class T> T read(const TensorView& view, int64_t offset) { return static_cast<const T*>(view.data)[offset]; }

float bits_to_float(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// A small float of `exponent` and `mantissa` bits, by value: exact for every format that PyTorch has.
double small_float(uint32_t bits, int exponent, int mantissa, int bias, bool has_infinity) {
  uint32_t sign = bits >> (exponent + mantissa) & 1;
  uint32_t e = bits >> mantissa & ((1u << exponent) - 1);
  uint32_t m = bits & ((1u << mantissa) - 1);
  double value;
  if (has_infinity && e == (1u << exponent) - 1) value = m ? NAN : INFINITY;
  else if (e == 0) value = std::ldexp(m, 1 - bias - mantissa);
  else value = std::ldexp(m + (1u << mantissa), static_cast<int>(e) - bias - mantissa);
  return sign ? -value : value;
}

double dequantized(const TensorView& view, int64_t offset, int64_t stored) {
  if (view.quant == nullptr) return static_cast<double>(stored);
  const QuantParams& q = *view.quant;
  if (q.scheme == QuantParams::Scheme::PerTensorAffine) {
    return static_cast<float>(static_cast<float>(stored - q.zero_point) * static_cast<float>(q.scale));
  }
  // The channel of an element, from its place: strides are positive and the axis is one of the dimensions.
  int64_t channel = 0;
  if (q.axis >= 0 && q.axis < view.ndim && view.strides[q.axis] > 0) channel = offset / view.strides[q.axis] % view.sizes[q.axis];
  if (q.scheme == QuantParams::Scheme::PerChannelAffine) return static_cast<float>((stored - q.zero_points[channel]) * q.scales[channel]);
  return static_cast<float>(stored * q.scales[channel] + q.zero_points[channel]);
}

}  // namespace

Value load_element(const TensorView& view, int64_t offset) {
  switch (view.dtype) {
    case DType::U8: return Value::of_int(read<uint8_t>(view, offset));
    case DType::I8: return Value::of_int(read<int8_t>(view, offset));
    case DType::I16: return Value::of_int(read<int16_t>(view, offset));
    case DType::I32: return Value::of_int(read<int32_t>(view, offset));
    case DType::I64: return Value::of_int(read<int64_t>(view, offset));
    case DType::U16: return Value::of_int(read<uint16_t>(view, offset));
    case DType::U32: return Value::of_int(read<uint32_t>(view, offset));
    case DType::U64: return Value::of_int(static_cast<int64_t>(read<uint64_t>(view, offset)));
    case DType::Bool: return Value::of_bool(read<uint8_t>(view, offset) != 0);
    case DType::F32: return Value::of_float(read<float>(view, offset));
    case DType::F64: return Value::of_float(read<double>(view, offset));
    case DType::F16: return Value::of_float(small_float(read<uint16_t>(view, offset), 5, 10, 15, true));
    case DType::BF16: return Value::of_float(bits_to_float(static_cast<uint32_t>(read<uint16_t>(view, offset)) << 16));
    case DType::F8E5M2: return Value::of_float(small_float(read<uint8_t>(view, offset), 5, 2, 15, true));
    case DType::F8E4M3FN: {
      uint8_t bits = read<uint8_t>(view, offset);
      return Value::of_float((bits & 0x7f) == 0x7f ? NAN : small_float(bits, 4, 3, 7, false));
    }
    case DType::F8E5M2FNUZ: {
      uint8_t bits = read<uint8_t>(view, offset);
      return Value::of_float(bits == 0x80 ? NAN : small_float(bits, 5, 2, 16, false));
    }
    case DType::F8E4M3FNUZ: {
      uint8_t bits = read<uint8_t>(view, offset);
      return Value::of_float(bits == 0x80 ? NAN : small_float(bits, 4, 3, 8, false));
    }
    case DType::F8E8M0: {
      uint8_t bits = read<uint8_t>(view, offset);
      return Value::of_float(bits == 0xff ? NAN : std::ldexp(1.0, bits - 127));
    }
    case DType::C64: return Value::of_complex({read<float>(view, 2 * offset), read<float>(view, 2 * offset + 1)});
    case DType::C128: return Value::of_complex({read<double>(view, 2 * offset), read<double>(view, 2 * offset + 1)});
    case DType::C32:
      return Value::of_complex({small_float(read<uint16_t>(view, 2 * offset), 5, 10, 15, true),
                                small_float(read<uint16_t>(view, 2 * offset + 1), 5, 10, 15, true)});
    case DType::QI8: return Value::of_float(dequantized(view, offset, read<int8_t>(view, offset)));
    case DType::QU8: return Value::of_float(dequantized(view, offset, read<uint8_t>(view, offset)));
    case DType::QI32: return Value::of_float(dequantized(view, offset, read<int32_t>(view, offset)));
    default: throw UnsupportedOperator(std::string("Reading elements of dtype ") + dtype_name(view.dtype) + " is not supported");
  }
}

void store_element(Tensor& tensor, int64_t offset, const Value& value) {
  void* data = tensor.view.data;
  Number n = Number::of(value);
  switch (tensor.dtype()) {
    case DType::I64: static_cast<int64_t*>(data)[offset] = n.kind == NumberKind::Int ? n.i : truncate_to_int(n.as_float()); break;
    case DType::F32: static_cast<float*>(data)[offset] = static_cast<float>(n.as_float()); break;
    case DType::F64: static_cast<double*>(data)[offset] = n.as_float(); break;
    case DType::Bool: static_cast<uint8_t*>(data)[offset] = n.as_complex() != Complex(0, 0); break;
    case DType::C64: {
      Complex c = n.as_complex();
      static_cast<float*>(data)[2 * offset] = static_cast<float>(c.real());
      static_cast<float*>(data)[2 * offset + 1] = static_cast<float>(c.imag());
      break;
    }
    case DType::C128: {
      Complex c = n.as_complex();
      static_cast<double*>(data)[2 * offset] = c.real();
      static_cast<double*>(data)[2 * offset + 1] = c.imag();
      break;
    }
    default: throw OperatorError(std::string("Making elements of dtype ") + dtype_name(tensor.dtype()) + " from numbers is not supported");
  }
}

std::vector<double> load_doubles(Context& context, const Tensor& tensor, const char* reason) {
  context.reads_data(tensor, reason);
  const Ref<Tensor> here = moved_to(tensor, kCpuDevice);
  const TensorView& view = here->view;
  int64_t n = view.numel();
  std::vector<double> items;
  items.reserve(static_cast<size_t>(n));
  int64_t index[kMaxDims] = {};
  int64_t offset = 0;
  for (int64_t at = 0; at < n; at++) {
    Value v = load_element(view, offset);
    items.push_back(v.is(Tag::Complex) ? v.to_complex().real() : Number::of(v).as_float());
    for (int d = view.ndim - 1; d >= 0; d--) {
      offset += view.strides[d];
      if (++index[d] < view.sizes[d]) break;
      offset -= index[d] * view.strides[d];
      index[d] = 0;
    }
  }
  return items;
}

}  // namespace torchscript::builtins
