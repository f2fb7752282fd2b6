// Questions about tensors whose answer is one bool: equal, allclose.
#include <cmath>
#include <cstring>

#include "core/builtins/adapter.h"
#include "core/builtins/compare.h"
#include "core/builtins/tensor_data.h"
#include "core/builtins/views_shape.h"
#include "core/device.h"

namespace torchscript::builtins {
namespace {

// Visits the elements of two tensors of one shape, row-major, until `visit(offset_a, offset_b)` says false.
template <class Visit> bool all_pairs(const TensorView& a, const TensorView& b, const Visit& visit) {
  int64_t n = a.numel();
  int64_t index[kMaxDims] = {};
  int64_t at_a = 0, at_b = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!visit(at_a, at_b)) return false;
    for (int d = a.ndim - 1; d >= 0; d--) {
      at_a += a.strides[d];
      at_b += b.strides[d];
      if (++index[d] < a.sizes[d]) break;
      at_a -= index[d] * a.strides[d];
      at_b -= index[d] * b.strides[d];
      index[d] = 0;
    }
  }
  return true;
}

// The tensor, on the CPU; both must be on one device.
Ref<Tensor> on_cpu(Tensor& t, const Tensor& other) {
  if (t.device() != other.device()) {
    throw OperatorError("Expected all tensors to be on the same device, but found at least two devices, " + device_text(t.device()) +
                        " and " + device_text(other.device()) + "!");
  }
  return moved_to(t, kCpuDevice);
}

bool equal(Context& context, Tensor& a_, Tensor& b_) {
  const Ref<Tensor> a_here = on_cpu(a_, b_), b_here = on_cpu(b_, a_);
  Tensor &a = *a_here, &b = *b_here;
  if (a.dtype() != b.dtype()) {
    throw OperatorError(std::string("Expected object of data type ") + dtype_name(a.dtype()) + " but got data type " +
                        dtype_name(b.dtype()) + " for argument 'other' in call to equal");
  }
  if (sizes_of(a) != sizes_of(b)) return false;
  context.reads_data(a_, "equal");
  context.reads_data(b_, "equal");
  bool bytes_decide = is_integral(a.dtype()) || a.dtype() == DType::Bool;
  if (bytes_decide && is_contiguous(a) && is_contiguous(b)) {
    return std::memcmp(a.view.data, b.view.data, static_cast<size_t>(a.numel() * dtype_size(a.dtype()))) == 0;
  }
  if (a.dtype() == DType::F32) {
    return all_pairs(a.view, b.view, [&](int64_t i, int64_t j) { return a.view.ptr<float>()[i] == b.view.ptr<float>()[j]; });
  }
  return all_pairs(a.view, b.view, [&](int64_t i, int64_t j) { return values_equal(load_element(a.view, i), load_element(b.view, j)); });
}

bool all_close(Context& context, Tensor& a_, Tensor& b_, std::optional<double> rtol_, std::optional<double> atol_,
               std::optional<bool> equal_nan) {
  const Ref<Tensor> a_here = on_cpu(a_, b_), b_here = on_cpu(b_, a_);
  Tensor &a = *a_here, &b = *b_here;
  double rtol = rtol_.value_or(1e-5), atol = atol_.value_or(1e-8);
  if (a.dtype() != b.dtype())
    throw OperatorError(std::string(dtype_torch_name(a.dtype())) + " did not match " + dtype_torch_name(b.dtype()));
  Sizes shape = broadcast_sizes(sizes_of(a), sizes_of(b));
  auto stretched = [&](Tensor& t) {
    TensorView view = t.view;
    int added = static_cast<int>(shape.size()) - t.dim();
    view.ndim = static_cast<int>(shape.size());
    for (int d = 0; d < view.ndim; d++) {
      bool repeated = d < added || t.size(d - added) == 1;
      view.sizes[d] = shape[d];
      view.strides[d] = repeated ? 0 : t.stride(d - added);
    }
    return view;
  };
  context.reads_data(a_, "allclose");
  context.reads_data(b_, "allclose");
  TensorView x = stretched(a), y = stretched(b);
  return all_pairs(x, y, [&](int64_t i, int64_t j) {
    Complex p = Number::of(load_element(x, i)).as_complex(), q = Number::of(load_element(y, j)).as_complex();
    if (p == q) return true;
    bool nan_p = std::isnan(p.real()) || std::isnan(p.imag()), nan_q = std::isnan(q.real()) || std::isnan(q.imag());
    if (nan_p || nan_q) return equal_nan.value_or(false) && nan_p && nan_q;
    double distance = std::abs(p - q);
    return std::isfinite(distance) && std::isfinite(std::abs(q)) && distance <= atol + rtol * std::abs(q);
  });
}

static Builtins rows{
  {"aten::equal", fn<equal>},
  {"aten::allclose", fn<all_close>},
};

}  // namespace
}  // namespace torchscript::builtins
