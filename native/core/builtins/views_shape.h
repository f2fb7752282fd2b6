// Shape rules of views: what sizes and strides a view has, and PyTorch's messages when there is none.
#pragma once
#include <optional>
#include <string>

#include "core/tensor.h"

namespace torchscript::builtins {

std::string sizes_text(const int64_t* sizes, size_t n);  // `[2, 3]`
inline std::string sizes_text(const Sizes& sizes) { return sizes_text(sizes.data(), sizes.size()); }
inline Sizes sizes_of(const Tensor& t) { return Sizes(t.view.sizes, t.view.sizes + t.view.ndim); }
inline Sizes strides_of(const Tensor& t) { return Sizes(t.view.strides, t.view.strides + t.view.ndim); }
int64_t product(const Sizes& sizes);  // throws when it does not fit 64 bits

// A dimension counted from the end when negative. A 0-dim tensor has dimension 0 and -1 where PyTorch lets it.
int wrap_dim(int64_t dim, int ndim);
Sizes wrap_dims(const Sizes& dims, int ndim);
// Same, and no dimension twice.
std::vector<bool> dim_mask(const Sizes& dims, int ndim);

// The shape with its one -1 replaced.
Sizes infer_size(const Sizes& shape, int64_t numel);
// Strides that show a tensor of these sizes and strides in another shape, if that needs no copy.
std::optional<Sizes> view_strides(const Sizes& sizes, const Sizes& strides, const Sizes& shape);
Sizes contiguous_strides(const Sizes& sizes);
Sizes broadcast_sizes(const Sizes& a, const Sizes& b);

enum class MemoryFormat : int64_t { Contiguous = 0, Preserve = 1, ChannelsLast = 2, ChannelsLast3d = 3 };
bool is_contiguous(const Tensor& t, MemoryFormat format = MemoryFormat::Contiguous);
// The format that the strides look like: Contiguous, ChannelsLast or ChannelsLast3d.
MemoryFormat suggested_format(const Tensor& t);

// A view with these sizes and strides; the storage is shared. Limits and bounds are checked. Channels with scales of their own stay where they are.
Ref<Tensor> make_view(const Tensor& base, const Sizes& sizes, const Sizes& strides, int64_t offset);
// The same where the dimension of these channels may be another, or some of them may be gone: channel i of the view is channel
// first + i * step of the tensor. An axis of -1: one channel is left, which the whole view has.
struct Channels {
  int axis;
  int64_t first, count, step;
};
bool has_channels(const Tensor& t);
Ref<Tensor> make_view(const Tensor& base, const Sizes& sizes, const Sizes& strides, int64_t offset, const Channels& channels);
// Raises for tensors that have them: views that do not keep the order of elements.
void refuse_channels(const Tensor& t);

}  // namespace torchscript::builtins
