// Views as functions, for builtins that are made of other builtins.
#pragma once
#include "core/builtin.h"
#include "core/builtins/views_shape.h"

namespace torchscript::builtins {

Ref<Tensor> alias(const Tensor& t);
Ref<Tensor> view(const Tensor& t, const Sizes& shape);
Value reshape(Context& context, const Value& self, const Sizes& shape);
Ref<Tensor> permute(const Tensor& t, const Sizes& dims);
Ref<Tensor> transpose(const Tensor& t, int64_t dim0, int64_t dim1);
Ref<Tensor> unsqueeze(const Tensor& t, int64_t dim);
Ref<Tensor> squeeze(const Tensor& t, const std::vector<bool>& which);
Ref<Tensor> expand(const Tensor& t, const Sizes& shape);
Ref<Tensor> select(const Tensor& t, int64_t dim, int64_t index);
Ref<Tensor> slice(const Tensor& t, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step);
Ref<Tensor> narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length);

Value clone(Context& context, const Value& self, const Value& memory_format);
Value clone_contiguous(Context& context, const Value& self);
// The tensor in another dtype (the same tensor when it has it).
Value cast(Context& context, const Value& self, DType dtype);
// A number of a schema as a dtype; throws on codes that PyTorch does not have.
DType dtype_of(int64_t code);
void require_strided(const Value& layout, const char* op);

}  // namespace torchscript::builtins
