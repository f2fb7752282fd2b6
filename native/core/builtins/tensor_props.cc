// What a tensor is: sizes, strides, dtype, device and flags.
#include <algorithm>

#include "core/builtins/adapter.h"
#include "core/builtins/tensor_data.h"
#include "core/builtins/views_shape.h"
#include "core/device.h"

namespace torchscript::builtins {
namespace {

using MaybeInt = std::optional<int64_t>;

int64_t size_at(Tensor& t, int64_t dim) {
  if (t.dim() == 0) {
    throw OperatorError("Dimension specified as " + std::to_string(dim) + " but tensor has no dimensions", "IndexError");
  }
  return t.size(wrap_dim(dim, t.dim()));
}
int64_t stride_at(Tensor& t, int64_t dim) {
  if (t.dim() == 0) throw OperatorError("Dimension specified as " + std::to_string(dim) + " but tensor has no dimensions", "IndexError");
  return t.stride(wrap_dim(dim, t.dim()));
}
Sizes all_sizes(Tensor& t) { return sizes_of(t); }
Sizes all_strides(Tensor& t) { return strides_of(t); }
int64_t numel(Tensor& t) { return t.numel(); }
int64_t rank(Tensor& t) { return t.dim(); }

int64_t length(Tensor& t) {
  if (t.dim() == 0) throw OperatorError("len() of a 0-d tensor", "builtins.TypeError");
  return t.size(0);
}

bool contiguous(Tensor& t, MaybeInt format) {
  int64_t code = format.value_or(0);
  if (code < 0 || code > 3) throw OperatorError("Expected a memory format but received " + std::to_string(code));
  if (code == 1) throw OperatorError("preserve memory format is unsupported by the is_contiguous operator");
  return is_contiguous(t, static_cast<MemoryFormat>(code));
}

// Each element has a place of its own and there are no gaps.
bool dense(Tensor& t) {
  std::vector<std::pair<int64_t, int64_t>> dims;
  for (int d = 0; d < t.dim(); d++)
    if (t.size(d) != 1) dims.emplace_back(t.stride(d), t.size(d));
  if (t.numel() == 0) return true;
  std::sort(dims.begin(), dims.end());
  int64_t expected = 1;
  for (auto [stride, size] : dims) {
    if (stride != expected) return false;
    expected *= size;
  }
  return true;
}

void check_metadata(Tensor& t, const Value& size, const Value& stride, MaybeInt dtype) {
  if (!size.is_none() && size.to_ints() != sizes_of(t))
    throw OperatorError("Tensor sizes mismatch! Expected: " + sizes_text(size.to_ints()) + ", Got: " + sizes_text(sizes_of(t)));
  if (!stride.is_none() && stride.to_ints() != strides_of(t))
    throw OperatorError("Tensor strides mismatch! Expected: " + sizes_text(stride.to_ints()) + ", Got: " + sizes_text(strides_of(t)));
  if (dtype && *dtype != static_cast<int64_t>(t.dtype()))
    throw OperatorError(std::string("Tensor dtype mismatch! Got: ") + dtype_torch_name(t.dtype()));
}

const QuantParams& quant_of(Tensor& t, const char* what) {
  if (!is_quantized(t.dtype()) || t.view.quant == nullptr)
    throw OperatorError(std::string(what) + " is only defined for quantized tensors");
  return *t.view.quant;
}
const QuantParams& per_tensor(Tensor& t, const char* what) {
  const QuantParams& q = quant_of(t, what);
  if (q.scheme != QuantParams::Scheme::PerTensorAffine)
    throw OperatorError(std::string(what) + ": Expected quantizer->qscheme() == kPerTensorAffine");
  return q;
}
const QuantParams& per_channel(Tensor& t, const char* what) {
  const QuantParams& q = quant_of(t, what);
  if (q.scheme == QuantParams::Scheme::PerTensorAffine)
    throw OperatorError(std::string(what) + ": Expected quantizer->qscheme() == kPerChannelAffine");
  return q;
}
Ref<Tensor> channel_values(const QuantParams& q, Tensor& t, const double* values, bool integral) {
  Sizes shape{t.size(static_cast<int>(q.axis))};
  bool single = q.scheme == QuantParams::Scheme::PerChannelAffineFloat;
  auto result = Tensor::empty(single ? DType::F32 : integral ? DType::I64 : DType::F64, shape);
  for (int64_t i = 0; i < shape[0]; i++) store_element(*result, i, Value::of_float(values[i]));
  return result;
}

Value to_list(Context& context, const Tensor& t, int dim, int64_t offset) {
  if (dim == t.dim()) return load_element(t.view, offset);
  std::vector<Value> items;
  for (int64_t i = 0; i < t.size(dim); i++) items.push_back(to_list(context, t, dim + 1, offset + i * t.stride(dim)));
  const TypeInfo* element = dim + 1 < t.dim()          ? nullptr
                            : is_floating(t.dtype())   ? float_type()
                            : t.dtype() == DType::Bool ? bool_type()
                            : is_complex(t.dtype())    ? complex_type()
                                                       : int_type();
  return Value(make_list(std::move(items), element));
}
// The annotation that the program gives: dimensions of the list and the kind of its elements (0 int, 1 float, 2 bool, 3 complex).
Value tolist(Context& context, Tensor& t, MaybeInt depth, MaybeInt kind) {
  if (kind) {
    static const char* const names[] = {"Long", "Float", "Bool", "ComplexDouble"};
    int64_t own = is_complex(t.dtype()) ? 3 : t.dtype() == DType::Bool ? 2 : is_floating(t.dtype()) ? 1 : 0;
    if (own != *kind) {
      throw OperatorError(std::string("Output annotation element type and runtime tensor element type must match for tolist(): ") +
                          (*kind >= 0 && *kind < 4 ? names[*kind] : "unknown") + " vs " + dtype_torch_name(t.dtype()));
    }
  }
  if (depth && *depth != t.dim()) {
    throw OperatorError("Output annotation list dimension and runtime tensor dimension must match for tolist()");
  }
  if (t.dim() == 0) return one_item(context, t);
  context.reads_data(t, "tolist");
  return to_list(context, *moved_to(t, kCpuDevice), 0, 0);
}

bool never(Tensor&) { return false; }
constexpr BuiltinFn kNever = fn<never>;

static Builtins rows{
  {"aten::size", fn<all_sizes>},
  {"aten::sym_size", fn<all_sizes>},
  {"aten::size.int", fn<size_at>},
  {"aten::sym_size.int", fn<size_at>},
  {"aten::stride", fn<all_strides>},
  {"aten::sym_stride", fn<all_strides>},
  {"aten::stride.int", fn<stride_at>},
  {"aten::sym_stride.int", fn<stride_at>},
  {"aten::storage_offset", fn<[](Tensor& t) { return t.offset; }>},
  {"aten::sym_storage_offset", fn<[](Tensor& t) { return t.offset; }>},
  {"aten::dim", fn<rank>},
  {"aten::dense_dim", fn<rank>},
  {"aten::sparse_dim", fn<[](Tensor&) { return int64_t{0}; }>},
  {"aten::numel", fn<numel>},
  {"aten::sym_numel", fn<numel>},
  {"aten::len.Tensor", fn<length>},
  {"aten::element_size", fn<[](Tensor& t) { return dtype_size(t.dtype()); }>},
  {"prim::itemsize", fn<[](Tensor& t) { return dtype_size(t.dtype()); }>},
  {"prim::nbytes", fn<[](Tensor& t) { return t.numel() * dtype_size(t.dtype()); }>},
  {"aten::is_contiguous", fn<contiguous>},
  {"aten::is_contiguous.memory_format", fn<contiguous>},
  {"aten::sym_is_contiguous", fn<contiguous>},
  {"aten::is_non_overlapping_and_dense", fn<dense>},
  {"aten::is_strides_like_format", fn<[](Tensor& t, int64_t format) { return static_cast<int64_t>(suggested_format(t)) == format; }>},
  {"aten::is_same_size", fn<[](Tensor& a, Tensor& b) { return sizes_of(a) == sizes_of(b); }>},
  {"aten::is_set_to", fn<[](Tensor& a, Tensor& b) {
     return a.storage == b.storage && a.offset == b.offset && sizes_of(a) == sizes_of(b) && strides_of(a) == strides_of(b);
   }>},
  {"aten::_has_same_storage_numel",
   fn<[](Tensor& a, Tensor& b) { return a.storage->bytes / dtype_size(a.dtype()) == b.storage->bytes / dtype_size(b.dtype()); }>},
  {"aten::_has_compatible_shallow_copy_type", fn<[](Tensor&, Tensor&) { return true; }>},
  {"aten::_version", fn<[](Tensor& t) { return static_cast<int64_t>(t.storage->version); }>},
  {"aten::output_nr", fn<[](Tensor&) { return int64_t{0}; }>},
  {"aten::get_device", fn<[](Tensor& t) { return int64_t{t.device()}; }>},
  {"aten::is_floating_point", fn<[](Tensor& t) { return is_floating(t.dtype()); }>},
  {"aten::is_complex", fn<[](Tensor& t) { return is_complex(t.dtype()); }>},
  {"aten::is_signed", fn<[](Tensor& t) {
     DType d = t.dtype();
     return !(d == DType::U8 || d == DType::U16 || d == DType::U32 || d == DType::U64 || d == DType::Bool || d == DType::QU8);
   }>},
  {"aten::is_leaf", fn<[](Tensor&) { return true; }>},
  {"aten::is_conj", kNever},
  {"aten::is_neg", kNever},
  {"aten::_is_zerotensor", kNever},
  {"aten::is_inference", kNever},
  {"aten::is_distributed", kNever},
  {"aten::is_pinned", kNever},
  {"aten::is_coalesced", kNever},
  {"aten::retains_grad", kNever},
  {"aten::_assert_tensor_metadata", fn<check_metadata>},
  {"aten::q_scale", fn<[](Tensor& t) { return per_tensor(t, "q_scale").scale; }>},
  {"aten::q_zero_point", fn<[](Tensor& t) { return per_tensor(t, "q_zero_point").zero_point; }>},
  {"aten::q_per_channel_axis", fn<[](Tensor& t) { return per_channel(t, "q_per_channel_axis").axis; }>},
  {"aten::q_per_channel_scales", fn<[](Tensor& t) {
     const QuantParams& q = per_channel(t, "q_per_channel_scales");
     return channel_values(q, t, q.scales, false);
   }>},
  {"aten::q_per_channel_zero_points", fn<[](Tensor& t) {
     const QuantParams& q = per_channel(t, "q_per_channel_zero_points");
     return channel_values(q, t, q.zero_points, true);
   }>},
  {"aten::qscheme", fn<[](Tensor& t) { return static_cast<int64_t>(quant_of(t, "qscheme").scheme); }>},
  {"prim::device", fn<[](Tensor& t) { return device_value(t.device()); }>},
  {"prim::dtype", fn<[](Tensor& t) { return static_cast<int64_t>(t.dtype()); }>},
  {"prim::layout", fn<[](Tensor&) { return int64_t{0}; }>},
  {"prim::requires_grad", fn<[](Tensor& t) { return t.requires_grad; }>},
  {"prim::is_cpu", fn<[](Tensor&) { return true; }>},
  {"prim::is_quantized", fn<[](Tensor& t) { return is_quantized(t.dtype()); }>},
  {"prim::is_cuda", fn<[](Tensor& t) { return t.device() != kCpuDevice; }>},
  {"prim::is_ipu", kNever},
  {"prim::is_maia", kNever},
  {"prim::is_meta", kNever},
  {"prim::is_mkldnn", kNever},
  {"prim::is_mps", kNever},
  {"prim::is_mtia", kNever},
  {"prim::is_nested", kNever},
  {"prim::is_sparse", kNever},
  {"prim::is_sparse_csr", kNever},
  {"prim::is_vulkan", kNever},
  {"prim::is_xla", kNever},
  {"prim::is_xpu", kNever},
  {"prim::name", fn<[](Tensor&) { return Value(); }>},
  {"prim::grad", fn<[](Tensor&) { return Value(); }>},
  {"prim::tolist", fn<tolist>},
  {"aten::_tensor_to_list", fn<[](Context& context, Tensor& t) {
     Sizes items;
     for (double v : load_doubles(context, t, "_tensor_to_list")) items.push_back(truncate_to_int(v));
     return items;
   }>},
};

}  // namespace
}  // namespace torchscript::builtins
