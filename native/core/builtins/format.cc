// How values and tensors look in `print`, `str` and `format`.
#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "core/builtins/adapter.h"
#include "core/builtins/tensor_data.h"

namespace torchscript::builtins {

namespace {

std::string printf_double(const char* format, int width, int precision, double value) {
  char buffer[400];
  int length = std::snprintf(buffer, sizeof buffer, format, width, precision, value);
  return std::string(buffer, static_cast<size_t>(std::min<int>(std::max(length, 0), sizeof buffer - 1)));
}

std::string format_float(double d) {
  // An integral value prints all its digits and a bare point; the sign of zero is lost.
  if (d >= -9223372036854775808.0 && d < 9223372036854775808.0 && std::trunc(d) == d) return std::to_string(static_cast<int64_t>(d)) + ".";
  return printf_double("%*.*g", 0, 17, d);
}

std::string format_complex(Complex c) {
  std::string imaginary = format_float(c.imag());
  return format_float(c.real()) + (imaginary[0] == '-' ? "" : "+") + imaginary + "j";
}

void append(Context& context, std::string& out, const Value& value, int depth);

void append_items(Context& context, std::string& out, const std::vector<Value>& items, int depth) {
  for (size_t i = 0; i < items.size(); i++) {
    if (i > 0) out += ", ";
    append(context, out, items[i], depth);
  }
}

void append(Context& context, std::string& out, const Value& value, int depth) {
  if (depth > 200) throw OperatorError("A value is nested too deep to be printed");
  switch (value.tag()) {
    case Tag::None: out += "None"; return;
    case Tag::Bool: out += value.to_bool() ? "True" : "False"; return;
    case Tag::Int: out += std::to_string(value.to_int()); return;
    case Tag::Float: out += format_float(value.to_float()); return;
    case Tag::Complex: out += format_complex(value.to_complex()); return;
    case Tag::Tensor: out += format_tensor(context, value.to_tensor()); return;
    case Tag::String: out += value.to_string(); return;
    case Tag::Device: out += value.to_device().text(); return;
    case Tag::List:
      out += "[";
      append_items(context, out, value.to_list().items, depth + 1);
      out += "]";
      return;
    case Tag::Tuple: {
      const auto& items = value.to_tuple().items;
      out += "(";
      append_items(context, out, items, depth + 1);
      out += items.size() == 1 ? ",)" : ")";
      return;
    }
    case Tag::Dict: {
      bool first = true;
      out += "{";
      for (const auto& [key, item] : value.to_dict().entries) {
        if (!first) out += ", ";
        first = false;
        append(context, out, key, depth + 1);
        out += ": ";
        append(context, out, item, depth + 1);
      }
      out += "}";
      return;
    }
    case Tag::Enum: out += "Enum<" + value.to_enum().class_name + "." + value.to_enum().name + ">"; return;
    case Tag::Object: {
      char address[32];
      std::snprintf(address, sizeof address, "%p", static_cast<const void*>(value.pointer()));
      const ClassInfo* type = value.to_object().type;
      out += "<" + (type ? type->name : std::string("object")) + " object at " + address + ">";
      return;
    }
    default: out += std::string("<") + tag_name(value.tag()) + ">"; return;
  }
}

const char* type_word(DType dtype) {
  switch (dtype) {
    case DType::U8: return "Byte";
    case DType::I8: return "Char";
    case DType::I16: return "Short";
    case DType::I32: return "Int";
    case DType::I64: return "Long";
    case DType::F16: return "Half";
    case DType::F32: return "Float";
    case DType::F64: return "Double";
    case DType::C32: return "ComplexHalf";
    case DType::C64: return "ComplexFloat";
    case DType::C128: return "ComplexDouble";
    case DType::Bool: return "Bool";
    case DType::BF16: return "BFloat16";
    case DType::QI8: return "QInt8";
    case DType::QU8: return "QUInt8";
    case DType::QI32: return "QInt32";
    case DType::U16: return "UInt16";
    case DType::U32: return "UInt32";
    case DType::U64: return "UInt64";
    case DType::F8E5M2: return "Float8_e5m2";
    case DType::F8E4M3FN: return "Float8_e4m3fn";
    case DType::F8E5M2FNUZ: return "Float8_e5m2fnuz";
    case DType::F8E4M3FNUZ: return "Float8_e4m3fnuz";
    case DType::F8E8M0: return "Float8_e8m0fnu";
    default: return "Undefined";
  }
}

// How the numbers of a tensor are laid out: one style, one width and one scale for all of them.
struct NumberLayout {
  enum class Style { General, Fixed, Scientific } style = Style::General;
  double scale = 1;
  int width = 0;
  int precision = 6;

  std::string text(double value) const {
    value /= scale;
    switch (style) {
      case Style::Fixed: return printf_double("%*.*f", width, precision, value);
      case Style::Scientific: return printf_double("%*.*e", width, precision, value);
      default: return printf_double("%*.*g", width, precision, value);
    }
  }
};

NumberLayout layout_of(const double* values, size_t n) {
  NumberLayout layout;
  if (n == 0) return layout;
  bool integral = true;
  for (size_t i = 0; i < n; i++) {
    if (std::isfinite(values[i]) && values[i] != std::ceil(values[i])) {
      integral = false;
      break;
    }
  }
  size_t first = 0;
  while (first < n && !std::isfinite(values[first])) first++;
  double low = 0, high = 0;
  if (first < n) {
    low = high = std::fabs(values[first]);
    for (size_t i = first; i < n; i++) {
      double magnitude = std::fabs(values[i]);
      if (!std::isfinite(values[i])) continue;
      low = std::min(low, magnitude);
      high = std::max(high, magnitude);
    }
  }
  auto exponent_of = [](double v) { return v != 0 ? static_cast<int>(std::floor(std::log10(v))) + 1 : 1; };
  int low_exponent = exponent_of(low), high_exponent = exponent_of(high);
  if (integral) {
    layout.style = NumberLayout::Style::General;
    if (high_exponent > 9) {
      layout.style = NumberLayout::Style::Scientific;
      layout.width = 11;
      layout.precision = 4;
    } else {
      layout.width = high_exponent + 1;
      // Whole numbers of up to nine digits print in full.
      layout.style = NumberLayout::Style::Fixed;
      layout.precision = 0;
    }
  } else if (high_exponent - low_exponent > 4) {
    layout.style = NumberLayout::Style::Scientific;
    layout.width = std::fabs(high_exponent) >= 100 || std::fabs(low_exponent) >= 100 ? 12 : 11;
    layout.precision = 4;
  } else if (high_exponent > 5 || high_exponent < 0) {
    layout.style = NumberLayout::Style::Fixed;
    layout.width = 7;
    layout.precision = 4;
    layout.scale = std::pow(10.0, high_exponent - 1);
  } else {
    layout.style = NumberLayout::Style::Fixed;
    layout.width = high_exponent == 0 ? 7 : high_exponent + 6;
    layout.precision = 4;
  }
  return layout;
}

std::string scale_line(double scale) { return printf_double("%*.*g", 0, 6, scale) + " *\n"; }

// The shortest digits that give the same double, without an exponent from 1e-4 up to 1e16.
std::string shortest(double d) {
  char buffer[64];
  double magnitude = std::fabs(d);
  auto form =
    d == 0 || !std::isfinite(d) || (magnitude >= 1e-4 && magnitude < 1e16) ? std::chars_format::fixed : std::chars_format::scientific;
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, d, form);
  return std::string(buffer, end);
}

// Only rows after the first of a piece, and the first after a line that names columns or a scale, are indented.
void append_matrix(std::string& out, const double* values, int64_t rows, int64_t columns, int line_size, int indent) {
  NumberLayout layout = layout_of(values, static_cast<size_t>(rows * columns));
  std::string indentation(static_cast<size_t>(indent), ' ');
  int64_t per_line = std::max<int64_t>(1, (line_size - indent) / (layout.width + 1));
  for (int64_t first = 0; first < columns; first += per_line) {
    int64_t last = std::min(first + per_line, columns);
    if (per_line < columns) {
      if (first != 0) out += "\n";
      out += "Columns " + std::to_string(first + 1) + " to " + std::to_string(last) + indentation;
    }
    if (layout.scale != 1) out += scale_line(layout.scale) + indentation;
    for (int64_t row = 0; row < rows; row++) {
      if (row > 0) out += layout.scale != 1 ? indentation + indentation : indentation;
      for (int64_t column = first; column < last; column++) {
        if (column > first) out += " ";
        out += layout.text(values[row * columns + column]);
      }
      out += "\n";
    }
  }
}

}  // namespace

std::string format_value(Context& context, const Value& value) {
  std::string out;
  append(context, out, value, 0);
  return out;
}

std::string format_tensor(Context& context, const Tensor& tensor) {
  std::vector<double> values = load_doubles(context, tensor, "print");
  std::string out;
  int ndim = tensor.dim();
  if (ndim == 0) {
    out = shortest(values[0]) + "\n";
  } else if (!values.empty() && ndim == 1) {
    NumberLayout layout = layout_of(values.data(), values.size());
    if (layout.scale != 1) out += scale_line(layout.scale);
    for (double v : values) out += layout.text(v) + "\n";
  } else if (!values.empty() && ndim == 2) {
    append_matrix(out, values.data(), tensor.size(0), tensor.size(1), 80, 0);
  } else if (!values.empty()) {
    int64_t rows = tensor.size(ndim - 2), columns = tensor.size(ndim - 1), matrix = rows * columns;
    for (int64_t at = 0; at * matrix < static_cast<int64_t>(values.size()); at++) {
      if (at > 0) out += "\n";
      std::string index;
      int64_t rest = at;
      for (int d = ndim - 3; d >= 0; d--) {
        index = std::to_string(rest % tensor.size(d) + 1) + "," + index;
        rest /= tensor.size(d);
      }
      out += "(" + index + ".,.) = \n";
      append_matrix(out, values.data() + at * matrix, rows, columns, 80, 1);
    }
  }
  out += std::string("[ ") + (is_quantized(tensor.dtype()) ? "Quantized" : "") + (tensor.device() == kCpuDevice ? "CPU" : "CUDA") + type_word(tensor.dtype()) + "Type{";
  for (int d = 0; d < ndim; d++) out += (d > 0 ? "," : "") + std::to_string(tensor.size(d));
  out += "}";
  if (tensor.view.quant != nullptr && is_quantized(tensor.dtype())) {
    const QuantParams& q = *tensor.view.quant;
    if (q.scheme == QuantParams::Scheme::PerTensorAffine) {
      out +=
        ", qscheme: per_tensor_affine, scale: " + printf_double("%*.*g", 0, 6, q.scale) + ", zero_point: " + std::to_string(q.zero_point);
    } else {
      out += ", qscheme: per_channel_affine, axis: " + std::to_string(q.axis);
    }
  }
  return out + " ]";
}

namespace {

// `%d`, `%s` ... of Python's formatting, without width or precision. Floating specifiers work in single precision.
void append_specified(Context& context, std::string& out, char key, const Value& value) {
  bool number = value.is(Tag::Int) || value.is(Tag::Float) || value.is(Tag::Bool) || value.is(Tag::Complex);
  auto need_number = [&] {
    if (!number)
      throw OperatorError(std::string("%") + key + " requires a number for formatting, but got " +
                          (value.is(Tag::String) ? "String" : tag_name(value.tag())));
  };
  switch (key) {
    case 'd':
    case 'i': {
      need_number();
      Number n = Number::of(value);
      if (n.kind == NumberKind::Int) out += std::to_string(n.i);
      // A float becomes a 32-bit integer, the smallest one when it does not fit.
      else out += std::to_string(std::fabs(n.as_float()) < 2147483648.0 ? static_cast<int32_t>(n.as_float()) : INT32_MIN);
      return;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F': {
      need_number();
      const char* format = key == 'e' ? "%*.*e" : key == 'E' ? "%*.*E" : key == 'f' ? "%*.*f" : "%*.*F";
      out += printf_double(format, 0, 6, static_cast<float>(Number::of(value).as_float()));
      return;
    }
    case 'c':
      if (value.is(Tag::Int)) out += static_cast<char>(value.to_int());
      else if (value.is(Tag::String) && value.to_string().size() == 1) out += value.to_string();
      else
        throw OperatorError(std::string("%c requires an int or char for formatting, but got ") +
                            (value.is(Tag::String) ? "String" : tag_name(value.tag())));
      return;
    case 's': out += format_value(context, value); return;
    default: throw OperatorError(std::string("The specifier %") + key + " is not supported in TorchScript format strings");
  }
}

std::string percent_format(Context& context, const std::string& format, Rest rest) {
  std::vector<Value> items;
  if (rest.count == 1 && rest.begin[0].is(Tag::Tuple)) items = rest.begin[0].to_tuple().items;
  else items.assign(rest.begin, rest.begin + rest.count);
  std::string out;
  size_t used = 0;
  for (size_t begin = 0;;) {
    size_t at = format.find('%', begin);
    if (at == std::string::npos) {
      out.append(format, begin);
      break;
    }
    if (at + 1 >= format.size()) throw OperatorError("Incomplete format specifier");
    out.append(format, begin, at - begin);
    begin = at + 2;
    if (format[at + 1] == '%') {
      out += '%';
      continue;
    }
    if (used >= items.size()) throw OperatorError("Too few arguments for format string");
    append_specified(context, out, format[at + 1], items[used++]);
  }
  if (used != items.size()) throw OperatorError("Too many arguments for format string");
  return out;
}

// Only a plain `{}` is replaced.
std::string brace_format(Context& context, const std::string& format, Rest rest) {
  std::string out;
  size_t begin = 0;
  for (int used = 0;; used++) {
    size_t at = format.find("{}", begin);
    if (at == std::string::npos) break;
    out.append(format, begin, at - begin);
    if (used >= rest.count) throw OperatorError("Too few arguments for format string: " + format);
    out += format_value(context, rest.begin[used]);
    begin = at + 2;
  }
  return out.append(format, begin);
}

void print(Context& context, Rest rest) {
  context.side_effect("print");
  std::string line;
  for (int i = 0; i < rest.count; i++) {
    if (i > 0) line += " ";
    line += format_value(context, rest.begin[i]);
  }
  context.print(line);
}

static Builtins rows{
  {"aten::str", fn<[](Context& context, const Value& value) { return format_value(context, value); }>},
  {"aten::format", fn<brace_format>},
  {"aten::percentFormat", fn<percent_format>},
  {"prim::Print", fn<print>},
  {"aten::_print", fn<[](Context& context, const std::string& s) {
     context.side_effect("print");
     context.print(s);
   }>},
};

}  // namespace
}  // namespace torchscript::builtins
