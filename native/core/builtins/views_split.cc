// Views that cut a tensor into pieces, and the copying forms of all views.
#include <algorithm>

#include "core/builtins/adapter.h"
#include "core/builtins/tensor_data.h"
#include "core/builtins/views.h"

namespace torchscript::builtins {
namespace {

using MaybeInt = std::optional<int64_t>;
using Pieces = Ref<ListValue>;

Pieces pieces_of(const Tensor& t, int64_t dim, const Sizes& sizes) {
  std::vector<Value> items;
  int64_t start = 0;
  for (int64_t size : sizes) {
    items.push_back(Value(narrow(t, dim, start, size)));
    start += size;
  }
  return make_list(std::move(items), tensor_type());
}

Pieces split(Tensor& t, int64_t split_size, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("split expects at least a 1-dimensional tensor");
  if (split_size < 0) throw OperatorError("split expects split_size be non-negative, but got split_size=" + std::to_string(split_size));
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  int64_t size = t.size(dim);
  if (split_size == 0 && size != 0) {
    throw OperatorError("split_size can only be 0 if dimension size is 0, but got dimension size of " + std::to_string(size));
  }
  Sizes sizes;
  for (int64_t rest = size; rest > 0; rest -= split_size) sizes.push_back(std::min(split_size, rest));
  if (sizes.empty()) sizes.push_back(0);
  return pieces_of(t, dim, sizes);
}

Pieces split_with_sizes(Tensor& t, Sizes sizes, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("split expects at least a 1-dimensional tensor");
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  int64_t total = 0;
  for (int64_t size : sizes) {
    if (size < 0) {
      throw OperatorError("split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=" + sizes_text(sizes));
    }
    total = __builtin_add_overflow(total, size, &total) ? INT64_MAX : total;
  }
  if (total != t.size(dim)) {
    throw OperatorError("split_with_sizes expects split_sizes to sum exactly to " + std::to_string(t.size(dim)) +
                        " (input tensor's size at dimension " + std::to_string(dim) + "), but got split_sizes=" + sizes_text(sizes));
  }
  return pieces_of(t, dim, sizes);
}

Pieces chunk(Tensor& t, int64_t chunks, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("chunk expects at least a 1-dimensional tensor");
  if (chunks <= 0) throw OperatorError("chunk expects `chunks` to be greater than 0, got: " + std::to_string(chunks));
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  int64_t size = t.size(dim), each = size / chunks + (size % chunks != 0);
  if (each > 0 || size > 0) return split(t, each, dim);
  // An empty dimension still gives as many chunks as asked for.
  if (chunks > (1 << 20)) throw OperatorError("chunk of an empty dimension into " + std::to_string(chunks) + " pieces");
  return pieces_of(t, dim, Sizes(static_cast<size_t>(chunks), 0));
}

Pieces tensor_split_sections(Tensor& t, int64_t sections, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  if (sections <= 0) throw OperatorError("number of sections must be larger than 0, got " + std::to_string(sections));
  if (sections > (1 << 24)) throw OperatorError("tensor_split into " + std::to_string(sections) + " pieces");
  int64_t size = t.size(dim), each = size / sections, longer = size % sections;
  Sizes sizes;
  for (int64_t i = 0; i < sections; i++) sizes.push_back(each + (i < longer));
  return pieces_of(t, dim, sizes);
}

Pieces tensor_split_indices(Tensor& t, Sizes indices, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  std::vector<Value> items;
  int64_t start = 0;
  for (size_t i = 0; i <= indices.size(); i++) {
    int64_t end = i < indices.size() ? indices[i] : t.size(dim);
    items.push_back(Value(slice(t, dim, start, end, 1)));
    start = end;
  }
  return make_list(std::move(items), tensor_type());
}

Pieces tensor_split_tensor(Context& context, Tensor& t, Tensor& where, MaybeInt dim) {
  if (where.dim() > 1 || where.dtype() != DType::I64) {
    throw OperatorError("tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor of int64");
  }
  if (where.dim() == 0) return tensor_split_sections(t, context.item(where).to_int(), dim);
  Sizes indices;
  for (double v : load_doubles(context, where, "tensor_split")) indices.push_back(static_cast<int64_t>(v));
  return tensor_split_indices(t, indices, dim);
}

// hsplit, vsplit, dsplit: along the second (first for vectors), first and third dimension.
template <char Kind> int axis_of(const Tensor& t) {
  int least = Kind == 'h' ? 1 : Kind == 'v' ? 2 : 3;
  if (t.dim() < least) {
    throw OperatorError(std::string("torch.") + Kind + "split requires a tensor with at least " + std::to_string(least) +
                        " dimension, but got a tensor with " + std::to_string(t.dim()) + " dimensions!");
  }
  return Kind == 'h' ? (t.dim() == 1 ? 0 : 1) : Kind == 'v' ? 0 : 2;
}
template <char Kind> Pieces axis_split(Tensor& t, int64_t sections) {
  int dim = axis_of<Kind>(t);
  if (sections == 0 || t.size(dim) % sections != 0) {
    throw OperatorError(std::string("torch.") + Kind + "split attempted to split along dimension " + std::to_string(dim) +
                        ", but the size of the dimension " + std::to_string(t.size(dim)) + " is not divisible by the split_size " +
                        std::to_string(sections) + "!");
  }
  return tensor_split_sections(t, sections, dim);
}
template <char Kind> Pieces axis_split_at(Tensor& t, Sizes indices) { return tensor_split_indices(t, indices, axis_of<Kind>(t)); }

Pieces unbind(Tensor& t, MaybeInt dim_) {
  if (t.dim() == 0) throw OperatorError("Dimension specified as 0 but tensor has no dimensions", "IndexError");
  int dim = wrap_dim(dim_.value_or(0), t.dim());
  std::vector<Value> items;
  for (int64_t i = 0; i < t.size(dim); i++) items.push_back(Value(select(t, dim, i)));
  return make_list(std::move(items), tensor_type());
}

// The pieces of a flat tensor in the shapes of others.
Pieces unflatten_dense(Tensor& flat, ListValue& like) {
  std::vector<Value> items;
  int64_t start = 0;
  for (const Value& v : like.items) {
    int64_t n = v.to_tensor().numel();
    items.push_back(Value(view(*narrow(flat, 0, start, n), sizes_of(v.to_tensor()))));
    start += n;
  }
  return make_list(std::move(items), tensor_type());
}

// where(condition): the coordinates of true elements, one tensor a dimension.
Pieces nonzero_lists(Context& context, const Value& condition) {
  Value source = condition.to_tensor().dim() == 0 ? Value(unsqueeze(condition.to_tensor(), 0)) : condition;
  Value found = context.call_kernel("nonzero", {source});
  return unbind(found.to_tensor(), 1);
}

// The copying form of a view operator: its result, each tensor cloned.
template <BuiltinFn View> void copied(Context& context, Value* args, int nargs, Value* results, int nresults) {
  if (nresults < 1) return;
  Value result;
  View(context, args, nargs, &result, 1);
  if (result.is(Tag::List)) {
    for (Value& item : result.to_list().items) item = clone_contiguous(context, item);
  } else {
    result = clone_contiguous(context, result);
  }
  results[0] = std::move(result);
}

// Same through another operator's builtin.
struct CopyName {
  static constexpr size_t kMax = 40;
  char text[kMax] = {};
  constexpr CopyName(const char* s) {
    for (size_t i = 0; i + 1 < kMax && s[i]; i++) text[i] = s[i];
  }
};
template <CopyName Name> void copied_operator(Context& context, Value* args, int nargs, Value* results, int nresults) {
  static const BuiltinFn view = find_builtin(Name.text);
  if (!view) throw UnsupportedOperator(std::string(Name.text) + " is not supported");
  if (nresults < 1) return;
  Value result;
  view(context, args, nargs, &result, 1);
  results[0] = clone_contiguous(context, result);
}

static Builtins rows{
  {"aten::split.Tensor", fn<split>},
  {"aten::split.sizes", fn<split_with_sizes>},
  {"aten::split", fn<split_with_sizes>},
  {"aten::split_with_sizes", fn<split_with_sizes>},
  {"aten::unsafe_split.Tensor", fn<split>},
  {"aten::unsafe_split_with_sizes", fn<split_with_sizes>},
  {"aten::chunk", fn<chunk>},
  {"aten::unsafe_chunk", fn<chunk>},
  {"aten::tensor_split.sections", fn<tensor_split_sections>},
  {"aten::tensor_split.indices", fn<tensor_split_indices>},
  {"aten::tensor_split.tensor_indices_or_sections", fn<tensor_split_tensor>},
  {"aten::hsplit.int", fn<axis_split<'h'>>},
  {"aten::vsplit.int", fn<axis_split<'v'>>},
  {"aten::dsplit.int", fn<axis_split<'d'>>},
  {"aten::hsplit.array", fn<axis_split_at<'h'>>},
  {"aten::vsplit.array", fn<axis_split_at<'v'>>},
  {"aten::dsplit.array", fn<axis_split_at<'d'>>},
  {"aten::unbind.int", fn<unbind>},
  {"aten::unflatten_dense_tensors", fn<unflatten_dense>},
  {"aten::where", fn<nonzero_lists>},
  {"aten::nonzero_numpy", fn<nonzero_lists>},
  {"aten::split_copy.Tensor", copied<fn<split>>},
  {"aten::split_with_sizes_copy", copied<fn<split_with_sizes>>},
  {"aten::unbind_copy.int", copied<fn<unbind>>},
  {"aten::alias_copy", copied_operator<"aten::alias">},
  {"aten::detach_copy", copied_operator<"aten::detach">},
  {"aten::view_copy", copied_operator<"aten::view">},
  {"aten::view_copy.dtype", copied_operator<"aten::view.dtype">},
  {"aten::_reshape_alias_copy", copied_operator<"aten::_reshape_alias">},
  {"aten::_reshape_copy", copied_operator<"aten::reshape">},
  {"aten::transpose_copy.int", copied_operator<"aten::transpose.int">},
  {"aten::t_copy", copied_operator<"aten::t">},
  {"aten::permute_copy", copied_operator<"aten::permute">},
  {"aten::unsqueeze_copy", copied_operator<"aten::unsqueeze">},
  {"aten::squeeze_copy", copied_operator<"aten::squeeze">},
  {"aten::squeeze_copy.dim", copied_operator<"aten::squeeze.dim">},
  {"aten::squeeze_copy.dims", copied_operator<"aten::squeeze.dims">},
  {"aten::expand_copy", copied_operator<"aten::expand">},
  {"aten::select_copy.int", copied_operator<"aten::select.int">},
  {"aten::slice_copy.Tensor", copied_operator<"aten::slice.Tensor">},
  {"aten::narrow_copy", copied_operator<"aten::narrow">},
  {"aten::unfold_copy", copied_operator<"aten::unfold">},
  {"aten::diagonal_copy", copied_operator<"aten::diagonal">},
  {"aten::as_strided_copy", copied_operator<"aten::as_strided">},
  {"aten::view_as_real_copy", copied_operator<"aten::view_as_real">},
  {"aten::view_as_complex_copy", copied_operator<"aten::view_as_complex">},
  {"aten::_conj_copy", copied_operator<"aten::conj">},
  {"aten::_neg_view_copy", copied_operator<"aten::_neg_view">},
  {"aten::lift_fresh_copy", copied_operator<"aten::alias">},
};

}  // namespace
}  // namespace torchscript::builtins
