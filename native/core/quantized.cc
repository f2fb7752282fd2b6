// Quantized tensors through kernels that know only plain ones: arguments are dequantized, float results are quantized again with the
// parameters of the first quantized argument (PyTorch's own fixed ones for functions with a fixed range).
#include <cstring>

#include "core/run.h"
#include "core/errors.h"

namespace torchscript {
namespace {

bool is_quantized_tensor(const Value& value) { return value.is(Tag::Tensor) && is_quantized(value.to_tensor().dtype()); }

}  // namespace

bool has_quantized(const Value* args, int nargs) {
  for (int i = 0; i < nargs; i++) {
    if (is_quantized_tensor(args[i])) return true;
    if (!args[i].is(Tag::List)) continue;
    const auto& items = args[i].to_list().items;
    if (!items.empty() && is_quantized_tensor(items[0])) return true;
  }
  return false;
}

void Run::invoke_dequantized(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                             int nresults) {
  const int ninputs = variant == Operator::Variant::Out ? nargs - nresults : nargs;
  std::vector<Value> plain(args, args + ninputs);
  const Tensor* first = nullptr;
  // Averages are of the integers, as PyTorch's are: at ties the rounding of a scale would decide.
  const bool averages = std::strstr(row.name, "avg_pool") != nullptr;
  const auto dequantize = [&](const Value& value) -> Value {
    if (!is_quantized_tensor(value)) return value;
    if (first == nullptr) first = &value.to_tensor();
    return call_kernel(averages ? "quantized_centered" : "dequantize", {value});
  };
  for (Value& arg : plain) {
    if (!arg.is(Tag::List)) {
      arg = dequantize(arg);
      continue;
    }
    if (arg.to_list().items.empty() || !is_quantized_tensor(arg.to_list().items[0])) continue;
    auto list = make_ref<ListValue>();
    list->element = arg.to_list().element;
    for (const Value& item : arg.to_list().items) list->items.push_back(dequantize(item));
    arg = Value(std::move(list));
  }
  std::vector<Value> made(static_cast<size_t>(std::max(nresults, 1)));
  invoke(row, name, Operator::Variant::Functional, plain.data(), ninputs, made.data(), static_cast<int>(made.size()));
  if (first == nullptr || first->view.quant == nullptr) fail("%s: a quantized argument has no quantization parameters", name);
  const DType dtype = first->dtype();
  for (Value& result : made) {
    if (!result.is(Tag::Tensor) || result.to_tensor().dtype() != DType::F32) continue;
    if (first->view.quant->scheme != QuantParams::Scheme::PerTensorAffine) {
      throw UnsupportedOperator(std::string(name) + " is not supported for tensors quantized per channel.");
    }
    double scale = first->view.quant->scale;
    int64_t zero_point = first->view.quant->zero_point;
    const int64_t lowest = dtype == DType::QI8 ? -128 : 0;
    if (!std::strcmp(row.name, "sigmoid") || !std::strcmp(row.name, "hardsigmoid")) scale = 1.0 / 256, zero_point = lowest;
    if (!std::strcmp(row.name, "tanh")) scale = 2.0 / 256, zero_point = lowest + 128;
    result = call_kernel("quantize_per_tensor", {result, Value::of_float(averages ? 1 : scale), Value::of_int(zero_point),
                                                 Value::of_int(static_cast<int64_t>(dtype))});
    if (averages) {
      result =
        call_kernel("make_per_tensor_quantized", {call_kernel("int_repr", {result}), Value::of_float(scale), Value::of_int(zero_point)});
    }
  }
  for (int i = 0; i < nresults; i++) {
    if (variant == Operator::Variant::Functional) {
      results[i] = made[static_cast<size_t>(i)];
      continue;
    }
    const Value& target = variant == Operator::Variant::InPlace ? args[0] : args[ninputs + i];
    copy_into(target.to_tensor(), made[static_cast<size_t>(i)].to_tensor());
    results[i] = target;
  }
}

}  // namespace torchscript
