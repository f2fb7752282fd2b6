// Identity, optionals, devices, seeding, warnings and questions about the environment.
#include <chrono>

#include "core/builtins/adapter.h"
#include "core/builtins/slices.h"
#include "core/builtins/views_shape.h"

namespace torchscript::builtins {
namespace {

using MaybeInt = std::optional<int64_t>;

Value unwrap(const Value& v) {
  if (v.is_none()) throw OperatorError("Unwrapping null optional");
  return v;
}

Ref<DeviceValue> make_device(const std::string& text, MaybeInt index_) {
  static const char* const known[] = {"cpu",  "cuda", "ipu", "xpu",  "mkldnn", "opengl", "opencl", "ideep", "hip",  "ve",
                                      "fpga", "maia", "xla", "lazy", "vulkan", "mps",    "meta",   "hpu",   "mtia", "privateuseone"};
  std::string type = text;
  MaybeInt index = index_;
  size_t colon = text.find(':');
  if (colon != std::string::npos) {
    type = text.substr(0, colon);
    std::string digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos || index) {
      throw OperatorError("Invalid device string: '" + text + "'");
    }
    index = std::stoi(digits);
  }
  bool found = false;
  for (const char* name : known) found = found || type == name;
  if (!found) {
    throw OperatorError(
      "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone device type at start of device string: " +
      type);
  }
  if (index && (*index < -1 || *index > 127))
    throw OperatorError("Device index must be -1 or non-negative and below 128, got " + std::to_string(*index));
  auto device = make_ref<DeviceValue>();
  device->type = type;
  device->index = index ? static_cast<int>(*index) : -1;
  return device;
}

Value tuple_index(TupleValue& tuple, int64_t index) {
  int64_t n = static_cast<int64_t>(tuple.items.size());
  if (index < 0) index += n;
  if (index < 0 || index >= n) throw OperatorError("Tuple index out of range", "IndexError");
  return tuple.items[index];
}

void warn(Context& context, const std::string& message) {
  context.side_effect("aten::warn");
  context.warn(message);
}

void check_scalar(Number n, const std::string& message) {
  if (n.kind == NumberKind::Complex ? n.c == Complex(0, 0) : n.as_float() == 0) throw OperatorError(message);
}
void check_tensor(Context& context, Tensor& t, const Value& message) {
  if (t.numel() != 1) throw OperatorError("Boolean value of Tensor with more than one value is ambiguous");
  Number n = Number::of(context.item(t));
  check_scalar(n, message.is_none() ? "Expected Tensor to be nonzero" : message.to_string());
}

Value broadcast_shape(Sizes a, Sizes b) { return Value::of_ints(broadcast_sizes(a, b)); }

bool no() { return false; }

static Builtins rows{
  {"aten::_unwrap_optional", fn<unwrap>},
  {"prim::unchecked_unwrap_optional", fn<[](const Value& v) { return v; }>},
  {"prim::unchecked_cast", fn<[](const Value& v) { return v; }>},
  {"aten::__is__", fn<[](const Value& a, const Value& b) { return a.identical(b); }>},
  {"aten::__isnot__", fn<[](const Value& a, const Value& b) { return !a.identical(b); }>},
  {"prim::TupleIndex", fn<tuple_index>},
  {"prim::IfThenElse", fn<[](bool condition, const Value& a, const Value& b) { return condition ? a : b; }>},
  {"prim::id", fn<[](const Value& v) { return static_cast<int64_t>(reinterpret_cast<intptr_t>(v.pointer())); }>},
  {"aten::device", fn<[](const std::string& text) { return make_device(text, {}); }>},
  {"aten::device.with_index", fn<make_device>},
  {"prim::type", fn<[](DeviceValue& device) { return device.type; }>},
  {"prim::index", fn<[](DeviceValue& device) { return device.index < 0 ? Value() : Value::of_int(device.index); }>},
  {"aten::warn", fn<warn>},
  {"prim::TimePoint", fn<[](Context& context) {
     context.side_effect("prim::TimePoint");
     return static_cast<int64_t>(
       std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
   }>},
  {"prim::AddStatValue", fn<[](const std::string&, int64_t) {}>},
  {"aten::_assert_scalar", fn<check_scalar>},
  {"aten::_assert_async", fn<check_tensor>},
  {"aten::_assert_async.msg", fn<check_tensor>},
  {"aten::sym_constrain_range", fn<[](const Value&) {}>},
  {"aten::sym_constrain_range_for_size", fn<[](const Value&) {}>},
  {"aten::set_grad_enabled", fn<[](bool) {}>},
  {"aten::is_grad_enabled", fn<no>},
  {"aten::is_autocast_enabled", fn<no>},
  {"aten::is_autocast_cpu_enabled", fn<no>},
  {"aten::get_autocast_dtype", fn<[](const std::string&) { return static_cast<int64_t>(DType::BF16); }>},
  {"aten::is_scripting", fn<[]() { return true; }>},
  {"aten::has_torch_function", fn<no>},
  {"aten::is_vulkan_available", fn<no>},
  {"aten::_nnpack_available", fn<no>},
  {"aten::_use_cudnn_rnn_flatten_weight", fn<no>},
  {"aten::_get_tracing_state", fn<no>},
  {"aten::_get_cpu_capability", fn<[]() { return std::string(isa_name(active_isa())); }>},
  {"aten::broadcast_shapes", fn<broadcast_shape>},
  {"aten::_infer_size", fn<broadcast_shape>},
  {"aten::_size_if_not_equal", fn<[](Sizes a, Sizes b) { return a == b ? Value() : Value::of_ints(a); }>},
};

}  // namespace
}  // namespace torchscript::builtins
