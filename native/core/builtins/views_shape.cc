#include "core/builtins/views_shape.h"

#include <algorithm>

#include "core/errors.h"

namespace torchscript::builtins {

std::string sizes_text(const int64_t* sizes, size_t n) {
  std::string out = "[";
  for (size_t i = 0; i < n; i++) out += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  return out + "]";
}

int64_t product(const Sizes& sizes) {
  int64_t n = 1;
  bool zero = false;
  for (int64_t s : sizes) {
    if (s == 0) zero = true;
    else if (__builtin_mul_overflow(n, s, &n)) throw OperatorError("The sizes " + sizes_text(sizes) + " have too many elements");
  }
  return zero ? 0 : n;
}

int wrap_dim(int64_t dim, int ndim) {
  int64_t n = ndim == 0 ? 1 : ndim;
  if (dim < -n || dim >= n) {
    throw OperatorError("Dimension out of range (expected to be in range of [" + std::to_string(-n) + ", " + std::to_string(n - 1) +
                          "], but got " + std::to_string(dim) + ")",
                        "IndexError");
  }
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

Sizes wrap_dims(const Sizes& dims, int ndim) {
  Sizes wrapped;
  for (int64_t d : dims) wrapped.push_back(wrap_dim(d, ndim));
  return wrapped;
}

std::vector<bool> dim_mask(const Sizes& dims, int ndim) {
  std::vector<bool> mask(static_cast<size_t>(std::max(ndim, 1)), false);
  for (int64_t d : dims) {
    int at = wrap_dim(d, ndim);
    if (mask[at]) throw OperatorError("dim " + std::to_string(at) + " appears multiple times in the list of dims");
    mask[at] = true;
  }
  return mask;
}

Sizes infer_size(const Sizes& shape, int64_t numel) {
  Sizes result = shape;
  int64_t known = 1;
  int inferred = -1;
  bool overflow = false;
  for (size_t d = 0; d < shape.size(); d++) {
    if (shape[d] == -1) {
      if (inferred >= 0) throw OperatorError("only one dimension can be inferred");
      inferred = static_cast<int>(d);
    } else if (shape[d] >= 0) {
      overflow = __builtin_mul_overflow(known, shape[d], &known) || overflow;
    } else {
      throw OperatorError("invalid shape dimension " + std::to_string(shape[d]) + " at index " + std::to_string(d) + " of shape " +
                          sizes_text(shape));
    }
  }
  if (!overflow && (numel == known || (inferred >= 0 && known > 0 && numel % known == 0))) {
    if (inferred >= 0) {
      if (known == 0) {
        throw OperatorError("cannot reshape tensor of 0 elements into shape " + sizes_text(shape) +
                            " because the unspecified dimension size -1 can be any value and is ambiguous");
      }
      result[inferred] = numel / known;
    }
    return result;
  }
  throw OperatorError("shape '" + sizes_text(shape) + "' is invalid for input of size " + std::to_string(numel));
}

Sizes contiguous_strides(const Sizes& sizes) {
  Sizes strides(sizes.size());
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0;) {
    strides[d] = stride;
    if (__builtin_mul_overflow(stride, std::max<int64_t>(sizes[d], 1), &stride)) {
      throw OperatorError("The sizes " + sizes_text(sizes) + " have too many elements");
    }
  }
  return strides;
}

std::optional<Sizes> view_strides(const Sizes& sizes, const Sizes& strides, const Sizes& shape) {
  if (sizes.empty()) return Sizes(shape.size(), 1);
  int64_t numel = product(sizes);
  if (numel == 0) return sizes == shape ? strides : contiguous_strides(shape);
  // Both shapes are walked from the back, one mergeable run of old dimensions at a time.
  Sizes result(shape.size());
  int64_t at = static_cast<int64_t>(shape.size()) - 1;
  int64_t run_stride = strides.back(), run = 1, covered = 1;
  for (int64_t d = static_cast<int64_t>(sizes.size()) - 1; d >= 0; d--) {
    run *= sizes[d];
    if (d == 0 || (sizes[d - 1] != 1 && strides[d - 1] != run * run_stride)) {
      while (at >= 0 && (covered < run || shape[at] == 1)) {
        result[at] = covered * run_stride;
        covered *= shape[at];
        at--;
      }
      if (covered != run) return std::nullopt;
      if (d > 0) {
        run_stride = strides[d - 1];
        run = covered = 1;
      }
    }
  }
  return at == -1 ? std::optional<Sizes>(result) : std::nullopt;
}

Sizes broadcast_sizes(const Sizes& a, const Sizes& b) {
  size_t n = std::max(a.size(), b.size());
  Sizes result(n);
  for (size_t i = 0; i < n; i++) {
    int64_t x = i < n - a.size() ? 1 : a[i - (n - a.size())];
    int64_t y = i < n - b.size() ? 1 : b[i - (n - b.size())];
    if (x != y && x != 1 && y != 1) {
      throw OperatorError("The size of tensor a (" + std::to_string(x) + ") must match the size of tensor b (" + std::to_string(y) +
                          ") at non-singleton dimension " + std::to_string(i));
    }
    result[i] = x == 1 ? y : x;
  }
  return result;
}

bool is_contiguous(const Tensor& t, MemoryFormat format) {
  static constexpr int kLast2d[] = {1, 3, 2, 0}, kLast3d[] = {1, 4, 3, 2, 0};
  if (format == MemoryFormat::ChannelsLast || format == MemoryFormat::ChannelsLast3d) {
    int n = format == MemoryFormat::ChannelsLast ? 4 : 5;
    if (t.dim() != n) return false;
    const int* order = n == 4 ? kLast2d : kLast3d;
    int64_t expected = 1;
    for (int i = 0; i < n; i++) {
      int d = order[i];
      if (t.size(d) == 1) continue;
      if (t.stride(d) != expected) return false;
      expected *= t.size(d);
    }
    return true;
  }
  return t.numel() == 0 || t.view.is_contiguous();
}

MemoryFormat suggested_format(const Tensor& t) {
  auto looks_channels_last = [&](const int* order, int n) {
    int64_t least = 0;
    if (t.stride(1) == 0) return false;
    for (int i = 0; i < n; i++) {
      int d = order[i];
      if (t.size(d) == 0) return false;
      if (t.stride(d) < least) return false;
      // N111 tensors are ambiguous and count as contiguous.
      if (d == 0 && least == t.stride(1)) return false;
      least = t.stride(d);
      if (t.size(d) > 1) least *= t.size(d);
    }
    return true;
  };
  static constexpr int kLast2d[] = {1, 3, 2, 0}, kLast3d[] = {1, 4, 3, 2, 0};
  if (t.dim() == 4 && looks_channels_last(kLast2d, 4)) return MemoryFormat::ChannelsLast;
  if (t.dim() == 5 && looks_channels_last(kLast3d, 5)) return MemoryFormat::ChannelsLast3d;
  return MemoryFormat::Contiguous;
}

namespace {
Ref<Tensor> plain_view(const Tensor& base, const Sizes& sizes, const Sizes& strides, int64_t offset) {
  if (sizes.size() > static_cast<size_t>(kMaxDims)) {
    throw OperatorError("Expected at most " + std::to_string(kMaxDims) + " dimensions but received " + std::to_string(sizes.size()));
  }
  return Tensor::view_of(base, sizes.data(), strides.data(), static_cast<int>(sizes.size()), offset);
}
}  // namespace

bool has_channels(const Tensor& t) { return t.view.quant && t.view.quant->scheme != QuantParams::Scheme::PerTensorAffine; }

void refuse_channels(const Tensor& t) {
  if (has_channels(t)) throw OperatorError("Setting strides is possible only on uniformly quantized tensor");
}

Ref<Tensor> make_view(const Tensor& base, const Sizes& sizes, const Sizes& strides, int64_t offset) {
  if (has_channels(base)) {
    const auto axis = static_cast<size_t>(base.view.quant->axis);
    const int64_t channels = base.size(static_cast<int>(axis));
    if (axis >= sizes.size()) {
      throw OperatorError("Channel axis out of range in per channel affine dequantization. Got:" + std::to_string(axis) +
                          " Expected: [0, " + std::to_string(sizes.size()) + ")");
    }
    if (sizes[axis] != channels) {
      throw OperatorError("length of scales must equal to channel, expected " + std::to_string(sizes[axis]) + " got, " +
                          std::to_string(channels));
    }
  }
  return plain_view(base, sizes, strides, offset);
}

Ref<Tensor> make_view(const Tensor& base, const Sizes& sizes, const Sizes& strides, int64_t offset, const Channels& channels) {
  auto view = plain_view(base, sizes, strides, offset);
  const QuantParams& all = *base.view.quant;
  auto kept = make_ref<OwnedQuantParams>();
  kept->params = all;
  if (channels.axis < 0) {
    kept->params.scheme = QuantParams::Scheme::PerTensorAffine;
    kept->params.scale = all.scales[channels.first];
    kept->params.zero_point = static_cast<int64_t>(all.zero_points[channels.first]);
    kept->params.axis = 0;
    kept->params.scales = kept->params.zero_points = nullptr;
  } else {
    for (int64_t i = 0; i < channels.count; i++) {
      kept->scales.push_back(all.scales[channels.first + i * channels.step]);
      kept->zero_points.push_back(all.zero_points[channels.first + i * channels.step]);
    }
    kept->params.axis = channels.axis;
    kept->params.scales = kept->scales.data();
    kept->params.zero_points = kept->zero_points.data();
  }
  view->quant = kept;
  view->view.quant = &kept->params;
  return view;
}

}  // namespace torchscript::builtins
