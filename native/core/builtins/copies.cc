// clone, contiguous, to and their kin: the same tensor when nothing changes, else a kernel's copy. Writes into existing tensors.
#include "core/builtins/adapter.h"
#include "core/builtins/views.h"
#include "core/device.h"
#include "core/registry.h"

namespace torchscript::builtins {

DType dtype_of(int64_t code) {
  if (!is_known_dtype(code)) throw OperatorError("Expected a dtype but received " + std::to_string(code));
  return static_cast<DType>(code);
}

void require_strided(const Value& layout, const char* op) {
  if (!layout.is_none() && layout.to_int() != 0) {
    throw UnsupportedOperator(std::string(op) + ": layout " + std::to_string(layout.to_int()) + " is not supported, only torch.strided");
  }
}

Value clone(Context& context, const Value& self, const Value& memory_format) { return context.call_kernel("clone", {self, memory_format}); }
Value clone_contiguous(Context& context, const Value& self) { return clone(context, self, Value::of_int(0)); }

Value cast(Context& context, const Value& self, DType dtype) {
  if (self.to_tensor().dtype() == dtype) return self;
  return context.call_kernel("cast", {self, Value::of_int(static_cast<int64_t>(dtype)), Value()});
}

namespace {

MemoryFormat format_of(const Value& v, MemoryFormat fallback) {
  if (v.is_none()) return fallback;
  int64_t code = v.to_int();
  if (code < 0 || code > 3) throw OperatorError("Expected a memory format but received " + std::to_string(code));
  return static_cast<MemoryFormat>(code);
}
void check_rank(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::ChannelsLast && t.dim() != 4) throw OperatorError("required rank 4 tensor to use channels_last format");
  if (format == MemoryFormat::ChannelsLast3d && t.dim() != 5) throw OperatorError("required rank 5 tensor to use channels_last_3d format");
}

Value clone_checked(Context& context, const Value& self, const Value& memory_format) {
  check_rank(self.to_tensor(), format_of(memory_format, MemoryFormat::Preserve));
  return clone(context, self, memory_format);
}

Value contiguous(Context& context, const Value& self, const Value& memory_format) {
  MemoryFormat format = format_of(memory_format, MemoryFormat::Contiguous);
  if (format == MemoryFormat::Preserve) throw OperatorError("preserve memory format is unsupported by the contiguous operator");
  Tensor& t = self.to_tensor();
  if (is_contiguous(t, format)) return self;
  check_rank(t, format);
  return clone(context, self, Value::of_int(static_cast<int64_t>(format)));
}

Value convert(Context& context, const Value& self, std::optional<int64_t> dtype_code, std::optional<bool> copy,
              const Value& memory_format) {
  Tensor& t = self.to_tensor();
  DType dtype = dtype_code ? dtype_of(*dtype_code) : t.dtype();
  MemoryFormat format = format_of(memory_format, MemoryFormat::Preserve);
  bool same_layout = format == MemoryFormat::Preserve || suggested_format(t) == format;
  if (dtype == t.dtype()) {
    if (same_layout && !copy.value_or(false)) return self;
    check_rank(t, format);
    return clone(context, self, Value::of_int(static_cast<int64_t>(format)));
  }
  check_rank(t, format);
  return context.call_kernel("cast", {self, Value::of_int(static_cast<int64_t>(dtype)), memory_format});
}

// The same, on a device: cast where the tensor is, then moved.
Value convert_to(Context& context, const Value& self, std::optional<int64_t> dtype, int8_t device, std::optional<bool> copy,
                 const Value& memory_format) {
  if (self.to_tensor().device() == device) return convert(context, self, dtype, copy, memory_format);
  return context.to_device(convert(context, self, dtype, false, memory_format), device);
}

using MaybeInt = std::optional<int64_t>;
using MaybeBool = std::optional<bool>;

// Arguments after the ones that name the target: non_blocking, copy, memory_format.
Value to_device(Context& context, const Value& self, const Value& device, MaybeInt dtype, MaybeBool, MaybeBool copy, const Value& format) {
  return convert_to(context, self, dtype, device_of(device, self.to_tensor().device(), "aten::to"), copy, format);
}
Value to_dtype(Context& context, const Value& self, MaybeInt dtype, MaybeBool, MaybeBool copy, const Value& format) {
  return convert(context, self, dtype, copy, format);
}
Value to_other(Context& context, const Value& self, Tensor& other, MaybeBool, MaybeBool copy, const Value& format) {
  return convert_to(context, self, static_cast<int64_t>(other.dtype()), other.device(), copy, format);
}
Value to_options(Context& context, const Value& self, MaybeInt dtype, const Value& layout, const Value& device, MaybeBool, MaybeBool,
                 MaybeBool copy, const Value& format) {
  require_strided(layout, "aten::to");
  return convert_to(context, self, dtype, device_of(device, self.to_tensor().device(), "aten::to"), copy, format);
}
Value to_copy(Context& context, const Value& self, MaybeInt dtype, const Value& layout, const Value& device, MaybeBool, MaybeBool,
              const Value& format) {
  require_strided(layout, "aten::_to_copy");
  return convert_to(context, self, dtype, device_of(device, self.to_tensor().device(), "aten::_to_copy"), true, format);
}

Value conjugate(Context& context, const Value& self) {
  return is_complex(self.to_tensor().dtype()) ? context.call_kernel("conj_physical", {self}) : self;
}

Value positive(const Value& self) {
  if (self.to_tensor().dtype() == DType::Bool) throw OperatorError("The `+` operator, on a bool tensor is not supported.");
  return self;
}

// A float tensor in the scales of a quantized one.
Value quantized_as(Context& context, const Value& source, const Tensor& like) {
  const QuantParams& q = *like.view.quant;
  const Value dtype = Value::of_int(static_cast<int64_t>(like.dtype()));
  if (q.scheme == QuantParams::Scheme::PerTensorAffine)
    return context.call_kernel("quantize_per_tensor", {source, Value::of_float(q.scale), Value::of_int(q.zero_point), dtype});
  const int64_t channels = like.size(static_cast<int>(q.axis));
  auto scales = Tensor::empty(DType::F64, &channels, 1), zero_points = Tensor::empty(DType::I64, &channels, 1);
  for (int64_t c = 0; c < channels; c++) {
    scales->view.ptr<double>()[c] = q.scales[c];
    zero_points->view.ptr<int64_t>()[c] = static_cast<int64_t>(q.zero_points[c]);
  }
  return context.call_kernel("quantize_per_channel",
                             {source, context.known_tensor(scales), context.known_tensor(zero_points), Value::of_int(q.axis), dtype});
}

// Between quantized tensors the destination takes the scales as well.
Value copy_quantized(Context& context, const Value& self, const Value& source) {
  Tensor &destination = self.to_tensor(), &from = source.to_tensor();
  if (!is_quantized(destination.dtype())) {
    throw OperatorError(
      "Copying from quantized Tensor to non-quantized Tensor is not allowed, please use dequantize to get a float Tensor from a quantized "
      "Tensor");
  }
  if (sizes_of(destination) != sizes_of(from)) throw OperatorError("Quantized copy only works with Tensors with the same shape");
  if (!is_quantized(from.dtype())) {
    if (from.dtype() != DType::F32) throw OperatorError("Quantized copy only works with kFloat as source Tensor");
    context.copy_into(destination, quantized_as(context, source, destination).to_tensor());
    return self;
  }
  if (destination.dtype() != from.dtype()) throw OperatorError("Quantized Copy only works with Tensors with the same dtype");
  context.side_effect("aten::copy_");
  context.copy_into(destination, from);
  destination.quant = from.quant;
  destination.view.quant = from.view.quant;
  return self;
}

// Writes `source`, broadcast to the destination's shape.
Value copy_into(Context& context, const Value& self, const Value& source) {
  Tensor& destination = self.to_tensor();
  Tensor& from = source.to_tensor();
  if (&destination == &from) return self;
  if (is_quantized(destination.dtype()) || is_quantized(from.dtype())) return copy_quantized(context, self, source);
  if (sizes_of(destination) == sizes_of(from)) {
    context.copy_into(destination, from);
  } else {
    Sizes target = sizes_of(destination);
    broadcast_sizes(target, sizes_of(from));  // its message names both sizes
    context.copy_into(destination, *expand(from, target));
  }
  return self;
}
Value copy_number(Context& context, const Value& self, const Value& number) {
  if (is_quantized(self.to_tensor().dtype())) {
    Tensor& destination = self.to_tensor();
    auto wide = Tensor::empty(DType::F32, destination.view.sizes, destination.dim());
    std::fill_n(wide->view.ptr<float>(), wide->numel(), static_cast<float>(number.is(Tag::Int) ? number.to_int() : number.to_float()));
    return copy_quantized(context, self, context.known_tensor(wide));
  }
  auto scalar = Tensor::empty(DType::F64, nullptr, 0);
  if (number.is(Tag::Int)) scalar = Tensor::empty(DType::I64, nullptr, 0);
  if (number.is(Tag::Int)) *scalar->view.ptr<int64_t>() = number.to_int();
  else *scalar->view.ptr<double>() = number.to_float();
  Value known = context.known_tensor(scalar);
  return copy_into(context, self, known);
}
Value copied(Context& context, const Value& self, const Value& source) {
  Value result = clone(context, self, Value());
  return copy_into(context, result, source);
}

Value set_data(Context& context, const Value& self, Tensor& fresh) {
  context.side_effect("aten::set_data");
  Tensor& t = self.to_tensor();
  t.storage = fresh.storage;
  t.offset = fresh.offset;
  t.quant = fresh.quant;
  t.view = fresh.view;
  return self;
}

Value resize(Context& context, const Value& self, Sizes sizes, const Value& memory_format) {
  Tensor& t = self.to_tensor();
  if (sizes_of(t) == sizes && memory_format.is_none()) return self;
  if (sizes.size() > static_cast<size_t>(kMaxDims)) throw OperatorError("Expected at most " + std::to_string(kMaxDims) + " dimensions");
  for (int64_t size : sizes)
    if (size < 0) throw OperatorError("Trying to resize to a negative dimension " + std::to_string(size));
  context.side_effect("aten::resize_");
  int64_t needed = t.offset + product(sizes);
  int64_t item = dtype_size(t.dtype());
  Ref<Tensor> window;
  if (needed > static_cast<int64_t>(t.storage->bytes) / item) {
    // Old elements keep their place in a larger storage.
    Sizes flat{needed};
    auto larger = Tensor::empty(t.dtype(), flat.data(), 1, t.device());
    int64_t kept = static_cast<int64_t>(t.storage->bytes) / item;
    if (kept > 0) {
      Sizes old{kept}, one{1};
      auto from = Tensor::on_storage(t.storage, t.dtype(), old.data(), one.data(), 1, 0);
      auto to = Tensor::on_storage(larger->storage, t.dtype(), old.data(), one.data(), 1, 0);
      context.copy_into(*to, *from);
    }
    t.storage = larger->storage;
  }
  Sizes strides = contiguous_strides(sizes);
  window = make_view(t, sizes, strides, t.offset);
  const QuantParams* quant = t.view.quant;
  t.view = window->view;
  t.view.quant = quant;
  return self;
}

const Value& unchanged(const Value& self) { return self; }
constexpr BuiltinFn kUnchanged = fn<[](const Value& self) { return unchanged(self); }>;

// Quantized tensors of a list, or of anything, as floats.
Value dequantize(Context& context, const Value& v) {
  if (v.is(Tag::Tensor)) return is_quantized(v.to_tensor().dtype()) ? context.call_kernel("dequantize", {v}) : cast(context, v, DType::F32);
  auto all = [&](const std::vector<Value>& from) {
    std::vector<Value> items;
    for (const Value& item : from) items.push_back(dequantize(context, item));
    return items;
  };
  if (v.is(Tag::List)) return Value(make_list(all(v.to_list().items), v.to_list().element));
  if (v.is(Tag::Tuple)) return Value(make_tuple_value(all(v.to_tuple().items)));
  return v;
}

static Builtins rows{
  {"aten::dequantize.tensors", fn<dequantize>},
  {"aten::dequantize.list", fn<dequantize>},
  {"aten::dequantize.any", fn<dequantize>},
  {"aten::clone", fn<clone_checked>},
  {"aten::contiguous", fn<contiguous>},
  {"aten::to.device", fn<to_device>},
  {"aten::to.dtype", fn<to_dtype>},
  {"aten::to.other", fn<to_other>},
  {"aten::to.dtype_layout", fn<to_options>},
  {"aten::to.prim_Device", fn<to_device>},
  {"aten::to.prim_dtype", fn<to_dtype>},
  {"aten::to.prim_other",
   fn<[](Context& context, const Value& self, MaybeBool, MaybeBool copy) { return convert(context, self, std::nullopt, copy, Value()); }>},
  {"aten::_to_copy", fn<to_copy>},
  {"aten::type_as", fn<[](Context& context, const Value& self, Tensor& other) {
     return context.to_device(cast(context, self, other.dtype()), other.device());
   }>},
  {"aten::cpu", fn<[](Context& context, const Value& self) { return context.to_device(self, kCpuDevice); }>},
  {"aten::cuda", fn<[](Context& context, const Value& self) {
     if (self.to_tensor().device() != kCpuDevice) return self;
     return context.to_device(self, static_cast<int8_t>(require_accelerator().current_device()));
   }>},
  {"aten::to_dense", fn<[](Context& context, const Value& self, MaybeInt dtype) { return convert(context, self, dtype, false, Value()); }>},
  {"aten::to_mkldnn", kUnchanged},
  {"aten::resolve_conj", kUnchanged},
  {"aten::resolve_neg", kUnchanged},
  {"aten::lift", kUnchanged},
  {"aten::lift_fresh", kUnchanged},
  {"aten::pin_memory", kUnchanged},
  {"aten::data", fn<[](Tensor& t) { return alias(t); }>},
  {"prim::data", fn<[](Tensor& t) { return alias(t); }>},
  {"aten::detach_", kUnchanged},
  {"aten::retain_grad", fn<[](const Value&) {}>},
  {"aten::_fw_primal", fn<[](Tensor& t) { return alias(t); }>},
  {"aten::_make_dual", fn<[](Tensor& t) { return alias(t); }>},
  {"aten::_autocast_to_full_precision", fn<[](Context& context, const Value& self, bool on_cuda, bool on_cpu) {
     const Tensor& t = self.to_tensor();
     const bool is_reduced = t.dtype() == DType::F16 || t.dtype() == DType::BF16;
     return is_reduced && (t.device() == kCpuDevice ? on_cpu : on_cuda) ? cast(context, self, DType::F32) : self;
   }>},
  {"aten::_autocast_to_reduced_precision",
   fn<[](Context& context, const Value& self, bool on_cuda, bool on_cpu, int64_t cuda_dtype, int64_t cpu_dtype) {
     const Tensor& t = self.to_tensor();
     const bool here = t.device() == kCpuDevice;
     if (t.dtype() != DType::F32 || !(here ? on_cpu : on_cuda)) return self;
     return cast(context, self, dtype_of(here ? cpu_dtype : cuda_dtype));
   }>},
  {"aten::requires_grad_", fn<[](const Value& self, MaybeBool on) {
     self.to_tensor().requires_grad = on.value_or(true);
     return self;
   }>},
  {"aten::conj", fn<conjugate>},
  {"aten::_conj", fn<conjugate>},
  {"aten::_neg_view", fn<[](Context& context, const Value& self) { return context.call_kernel("neg", {self}); }>},
  {"aten::positive", fn<positive>},
  {"aten::copy_", fn<copy_into>},
  {"aten::copy_.Tensor", fn<copy_into>},
  {"aten::copy_.int", fn<copy_number>},
  {"aten::copy_.float", fn<copy_number>},
  {"aten::copy", fn<copied>},
  {"aten::set_data", fn<set_data>},
  {"aten::set_.source_Tensor", fn<set_data>},
  {"aten::resize_", fn<resize>},
  {"aten::resize_as_", fn<[](Context& context, const Value& self, Tensor& other, const Value& format) {
     return resize(context, self, sizes_of(other), format);
   }>},
};

}  // namespace
}  // namespace torchscript::builtins
