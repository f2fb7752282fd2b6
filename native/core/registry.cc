// Registries of kernel rows and builtins, names of dtypes, and fail().
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "core/builtin.h"
#include "core/errors.h"
#include "core/registry.h"
#include "kernel.h"

namespace torchscript {
namespace {

std::string format_message(const char* format, va_list list) {
  va_list again;
  va_copy(again, list);
  int length = vsnprintf(nullptr, 0, format, list);
  std::string text(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  if (length > 0) vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

// Constructed on first use: rows register themselves while other units are still being initialised.
std::unordered_map<std::string, const Kernel*>& kernel_map() {
  static auto* map = new std::unordered_map<std::string, const Kernel*>;
  return *map;
}
std::unordered_map<std::string_view, Kernel*>& cuda_kernel_map() {
  static auto* map = new std::unordered_map<std::string_view, Kernel*>;
  return *map;
}
std::unordered_map<std::string, BuiltinFn>& builtin_map() {
  static auto* map = new std::unordered_map<std::string, BuiltinFn>;
  return *map;
}

struct DTypeNames {
  DType dtype;
  const char* name;
  const char* torch_name;
};
constexpr DTypeNames kDTypeNames[] = {{DType::U8, "uint8", "Byte"},
                                      {DType::I8, "int8", "Char"},
                                      {DType::I16, "int16", "Short"},
                                      {DType::I32, "int32", "Int"},
                                      {DType::I64, "int64", "Long"},
                                      {DType::F16, "float16", "Half"},
                                      {DType::F32, "float32", "Float"},
                                      {DType::F64, "float64", "Double"},
                                      {DType::C32, "complex32", "ComplexHalf"},
                                      {DType::C64, "complex64", "ComplexFloat"},
                                      {DType::C128, "complex128", "ComplexDouble"},
                                      {DType::Bool, "bool", "Bool"},
                                      {DType::QI8, "qint8", "QInt8"},
                                      {DType::QU8, "quint8", "QUInt8"},
                                      {DType::QI32, "qint32", "QInt32"},
                                      {DType::BF16, "bfloat16", "BFloat16"},
                                      {DType::QU4x2, "quint4x2", "QUInt4x2"},
                                      {DType::QU2x4, "quint2x4", "QUInt2x4"},
                                      {DType::F8E5M2, "float8_e5m2", "Float8_e5m2"},
                                      {DType::F8E4M3FN, "float8_e4m3fn", "Float8_e4m3fn"},
                                      {DType::F8E5M2FNUZ, "float8_e5m2fnuz", "Float8_e5m2fnuz"},
                                      {DType::F8E4M3FNUZ, "float8_e4m3fnuz", "Float8_e4m3fnuz"},
                                      {DType::U16, "uint16", "UInt16"},
                                      {DType::U32, "uint32", "UInt32"},
                                      {DType::U64, "uint64", "UInt64"},
                                      {DType::F8E8M0, "float8_e8m0fnu", "Float8_e8m0fnu"}};

}  // namespace

void fail(const char* format, ...) {
  va_list list;
  va_start(list, format);
  std::string text = format_message(format, list);
  va_end(list);
  throw OperatorError(text);
}

void fail_as(const char* python_class, const char* format, ...) {
  va_list list;
  va_start(list, format);
  std::string text = format_message(format, list);
  va_end(list);
  throw OperatorError(text, python_class);
}

const char* dtype_name(DType t) {
  for (const auto& row : kDTypeNames)
    if (row.dtype == t) return row.name;
  return "undefined";
}

const char* dtype_torch_name(DType t) {
  for (const auto& row : kDTypeNames)
    if (row.dtype == t) return row.torch_name;
  return "Undefined";
}

bool is_known_dtype(int64_t code) {
  for (const auto& row : kDTypeNames)
    if (static_cast<int64_t>(row.dtype) == code) return true;
  return false;
}

KernelRegistration::KernelRegistration(Kernel* row) { kernel_map()[row->name] = row; }
KernelRegistration::KernelRegistration(Kernel* row, bool on_cuda) {
  if (on_cuda) cuda_kernel_map()[row->name] = row;
  else kernel_map()[row->name] = row;
}

const Kernel* find_cuda_kernel(const char* name) {
  // Rows take what they do not give from the CPU's rows, once all are registered.
  static const bool completed = [] {
    for (auto& [key, row] : cuda_kernel_map()) {
      const Kernel* cpu = find_kernel(row->name);
      if (!cpu) continue;
      row->data_dependent = row->data_dependent || (cpu->data_dependent && !row->infer);
      row->random = row->random || cpu->random;
      row->quantized = row->quantized || cpu->quantized;
      row->self_first = row->self_first || cpu->self_first;
      if (!row->infer) row->infer = cpu->infer;
      if (!row->run) row->run = cpu->run;
    }
    return true;
  }();
  static_cast<void>(completed);
  auto found = cuda_kernel_map().find(name);
  return found == cuda_kernel_map().end() ? nullptr : found->second;
}

const Kernel* find_kernel(const char* name) { return find_kernel(std::string(name)); }
const Kernel* find_kernel(const std::string& name) {
  auto found = kernel_map().find(name);
  return found == kernel_map().end() ? nullptr : found->second;
}

Builtins::Builtins(std::initializer_list<BuiltinRow> rows) {
  for (const BuiltinRow& row : rows) builtin_map()[row.name] = row.run;
}

BuiltinFn find_builtin(const std::string& full_name) {
  auto found = builtin_map().find(full_name);
  return found == builtin_map().end() ? nullptr : found->second;
}

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const auto& [name, row] : kernel_map()) names.push_back(name);
  return names;
}

std::vector<std::string> cuda_kernel_names() {
  std::vector<std::string> names;
  for (const auto& [name, row] : cuda_kernel_map()) names.emplace_back(name);
  // These draw on the CPU, for every device.
  for (const auto& [name, row] : kernel_map())
    if (row->random) names.emplace_back(name);
  return names;
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const auto& [name, run] : builtin_map()) names.push_back(name);
  return names;
}

}  // namespace torchscript
