// index.Tensor: masks make the shape of the result depend on data, so they go to a kernel row of their own.
#include "core/builtin.h"

namespace torchscript {
namespace {

bool has_mask(const ListValue& indices) {
  for (const Value& index : indices.items) {
    if (index.is_none()) continue;
    const DType dtype = index.to_tensor().dtype();
    if (dtype == DType::Bool || dtype == DType::U8) return true;
  }
  return false;
}

void index(Context& context, Value* args, int, Value* results, int) {
  results[0] = context.call_kernel(has_mask(args[1].to_list()) ? "index_mask" : "index", {args[0], args[1]});
}

Builtins rows{
  {"aten::index.Tensor", index},
  {"aten::index.Tensor_hacked_twin", index},
  {"aten::_unsafe_index.Tensor", index},
  {"aten::_unsafe_index.Tensor_hacked_twin", index},
};

}  // namespace
}  // namespace torchscript
