// Tensors made of Python numbers and lists, and the dtype rules of such numbers.
#include <algorithm>

#include "core/builtins/adapter.h"
#include "core/builtins/promotion.h"
#include "core/builtins/tensor_data.h"
#include "core/builtins/views.h"
#include "core/device.h"

namespace torchscript::builtins {
namespace {

using MaybeInt = std::optional<int64_t>;
using MaybeBool = std::optional<bool>;

Ref<Tensor> scalar_of(const Value& number, DType dtype) {
  auto t = Tensor::empty(dtype, nullptr, 0);
  store_element(*t, 0, number);
  return t;
}

// prim::NumToTensor: full precision, unlike torch.tensor.
Value number_tensor(Context& context, const Value& number) {
  DType dtype = number.is(Tag::Bool)      ? DType::Bool
                : number.is(Tag::Float)   ? DType::F64
                : number.is(Tag::Complex) ? DType::C128
                                          : DType::I64;
  return context.known_tensor(scalar_of(number, dtype));
}

// Numbers become the default dtype of their kind first, and only then what `dtype` asks for, as PyTorch's scripts do.
Value finish(Context& context, Value t, MaybeInt dtype, const Value& device, MaybeBool requires_grad) {
  if (dtype) t = cast(context, t, dtype_of(*dtype));
  t = context.to_device(t, device_of(device, kCpuDevice, "aten::tensor"));
  if (requires_grad.value_or(false)) {
    DType d = t.to_tensor().dtype();
    if (!is_floating(d) && !is_complex(d)) throw OperatorError("Only Tensors of floating point and complex dtype can require gradients");
    t.to_tensor().requires_grad = true;
  }
  return t;
}

Value from_number(Context& context, const Value& number, MaybeInt dtype, const Value& device, MaybeBool requires_grad) {
  return finish(context, context.known_tensor(scalar_of(number, default_dtype(number))), dtype, device, requires_grad);
}

Value scalar_tensor(Context& context, const Value& number, MaybeInt dtype, const Value& layout, const Value& device) {
  require_strided(layout, "aten::scalar_tensor");
  Number n = Number::of(number);
  DType wanted = dtype ? dtype_of(*dtype) : DType::F32;
  DType exact = n.kind == NumberKind::Int ? DType::I64 : n.kind == NumberKind::Float ? DType::F64 : DType::C128;
  if (wanted == DType::F32 && n.kind != NumberKind::Complex) exact = DType::F32;
  return context.to_device(cast(context, context.known_tensor(scalar_of(n.value(), exact)), wanted),
                           device_of(device, kCpuDevice, "aten::scalar_tensor"));
}

// The shape of a nested list along its first items.
Sizes list_shape(const Value& list, const Value*& leaf, const TypeInfo*& element) {
  Sizes shape;
  const Value* at = &list;
  while (at->is(Tag::List)) {
    const ListValue& items = at->to_list();
    if (shape.size() == static_cast<size_t>(kMaxDims)) throw OperatorError("A list is nested too deep to become a tensor");
    shape.push_back(static_cast<int64_t>(items.items.size()));
    element = items.element;
    if (items.items.empty()) {
      // The declared type knows further dimensions and the kind of number.
      while (element && element->kind == TypeKind::List && !element->args.empty()) {
        shape.push_back(0);
        element = element->args[0];
      }
      return shape;
    }
    at = &items.items[0];
  }
  leaf = at;
  return shape;
}

void fill(Context& context, Tensor& t, int64_t& at, const Value& list, const Sizes& shape, size_t dim) {
  if (dim == shape.size()) {
    store_element(t, at++, list.is(Tag::Tensor) ? one_item(context, list.to_tensor()) : list);
    return;
  }
  if (!list.is(Tag::List)) throw OperatorError("Expected a nested list of numbers but received items of different depth");
  const auto& items = list.to_list().items;
  if (static_cast<int64_t>(items.size()) != shape[dim]) {
    throw OperatorError("Expected sequence of length " + std::to_string(shape[dim]) + " at dim " + std::to_string(dim) + " (got " +
                        std::to_string(items.size()) + ")");
  }
  for (const Value& item : items) fill(context, t, at, item, shape, dim + 1);
}

// One kind for all items of a list of mixed numbers.
void widen(const Value& list, DType& dtype, int depth) {
  if (depth > kMaxDims) return;
  for (const Value& item : list.to_list().items) {
    if (item.is(Tag::List)) widen(item, dtype, depth + 1);
    else if (!item.is(Tag::Tensor)) dtype = promote_types(dtype, default_dtype(item));
  }
}

Value from_list(Context& context, const Value& list, MaybeInt dtype, const Value& device, MaybeBool requires_grad) {
  const Value* leaf = nullptr;
  const TypeInfo* element = nullptr;
  Sizes shape = list_shape(list, leaf, element);
  DType made = DType::F32;
  if (leaf && leaf->is(Tag::Tensor)) {
    made = leaf->to_tensor().dtype();
    if (made != DType::I64 && made != DType::F32 && made != DType::F64 && made != DType::Bool &&
        !(made == DType::C64 || made == DType::C128)) {
      made = is_floating(made) ? DType::F32 : DType::I64;
    }
  } else if (leaf) {
    if (!leaf->is(Tag::Int) && !leaf->is(Tag::Float) && !leaf->is(Tag::Bool) && !leaf->is(Tag::Complex)) {
      throw OperatorError(std::string("Input must be of ints, floats, or bools, got ") + tag_name(leaf->tag()));
    }
    made = default_dtype(*leaf);
    widen(list, made, 0);
  } else if (element) {
    made = element->kind == TypeKind::Int       ? DType::I64
           : element->kind == TypeKind::Bool    ? DType::Bool
           : element->kind == TypeKind::Complex ? DType::C64
                                                : DType::F32;
  }
  auto t = Tensor::empty(made, shape);
  int64_t at = 0;
  if (product(shape) > 0) fill(context, *t, at, list, shape, 0);
  else if (leaf) fill(context, *t, at, list, shape, 0);
  return finish(context, context.known_tensor(std::move(t)), dtype, device, requires_grad);
}

Value as_tensor(Context& context, const Value& data, MaybeInt dtype, const Value& device) {
  const Value cast_to = dtype ? cast(context, data, dtype_of(*dtype)) : data;
  return context.to_device(cast_to, device_of(device, data.to_tensor().device(), "aten::as_tensor"));
}

Value shape_as_tensor(Context& context, Tensor& t) {
  Sizes shape{t.dim()};
  auto result = Tensor::empty(DType::I64, shape);
  for (int d = 0; d < t.dim(); d++) result->view.ptr<int64_t>()[d] = t.size(d);
  return context.known_tensor(std::move(result));
}
Value reshape_from_tensor(Context& context, const Value& self, Tensor& shape) {
  if (shape.dim() != 1) throw OperatorError("_reshape_from_tensor: shape must be a vector");
  Sizes sizes;
  for (double v : load_doubles(context, shape, "_reshape_from_tensor")) sizes.push_back(static_cast<int64_t>(v));
  return reshape(context, self, sizes);
}
Value dim_range(Context& context, Tensor& like, int64_t dim) {
  Sizes shape{like.dim() == 0 ? 1 : like.size(wrap_dim(dim, like.dim()))};
  auto result = Tensor::empty(DType::I64, shape);
  for (int64_t i = 0; i < shape[0]; i++) result->view.ptr<int64_t>()[i] = i;
  return context.known_tensor(std::move(result));
}

TypeOperand operand_of(const Value& v) { return v.is(Tag::Tensor) ? TypeOperand::of(v.to_tensor()) : TypeOperand::of_number(v); }
int64_t result_type(const Value& a, const Value& b) {
  return static_cast<int64_t>(torchscript::builtins::result_type({operand_of(a), operand_of(b)}));
}

bool can_cast(int64_t from_code, int64_t to_code) {
  DType from = dtype_of(from_code), to = dtype_of(to_code);
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && !is_floating(to) && !is_complex(to)) return false;
  if (from != DType::Bool && to == DType::Bool) return false;
  return true;
}

static Builtins rows{
  {"prim::NumToTensor.Scalar", fn<number_tensor>},
  {"prim::NumToTensor.bool", fn<number_tensor>},
  {"aten::tensor.int", fn<from_number>},
  {"aten::tensor.float", fn<from_number>},
  {"aten::tensor.bool", fn<from_number>},
  {"aten::tensor.complex", fn<from_number>},
  {"aten::tensor", fn<from_list>},
  {"aten::as_tensor.int",
   fn<[](Context& context, const Value& v, MaybeInt dtype, const Value& device) { return from_number(context, v, dtype, device, {}); }>},
  {"aten::as_tensor.float",
   fn<[](Context& context, const Value& v, MaybeInt dtype, const Value& device) { return from_number(context, v, dtype, device, {}); }>},
  {"aten::as_tensor.bool",
   fn<[](Context& context, const Value& v, MaybeInt dtype, const Value& device) { return from_number(context, v, dtype, device, {}); }>},
  {"aten::as_tensor.complex",
   fn<[](Context& context, const Value& v, MaybeInt dtype, const Value& device) { return from_number(context, v, dtype, device, {}); }>},
  {"aten::as_tensor.list",
   fn<[](Context& context, const Value& v, MaybeInt dtype, const Value& device) { return from_list(context, v, dtype, device, {}); }>},
  {"aten::as_tensor", fn<as_tensor>},
  {"aten::scalar_tensor", fn<scalar_tensor>},
  {"aten::_shape_as_tensor", fn<shape_as_tensor>},
  {"aten::_reshape_from_tensor", fn<reshape_from_tensor>},
  {"aten::_dim_arange", fn<dim_range>},
  {"aten::result_type.Tensor", fn<result_type>},
  {"aten::result_type.Scalar", fn<result_type>},
  {"aten::result_type.Scalar_Tensor", fn<result_type>},
  {"aten::result_type.Scalar_Scalar", fn<result_type>},
  {"aten::promote_types", fn<[](int64_t a, int64_t b) { return static_cast<int64_t>(promote_types(dtype_of(a), dtype_of(b))); }>},
  {"aten::can_cast", fn<can_cast>},
};

}  // namespace
}  // namespace torchscript::builtins
