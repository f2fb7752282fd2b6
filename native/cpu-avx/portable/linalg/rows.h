// What the rows of the linear algebra operators share: batches of matrices in double precision.
#pragma once
#include "cpu-avx/portable/linalg/matrix.h"

namespace torchscript::portable::linalg {

using Complex = std::complex<double>;

inline int64_t rows_of(const TensorView& v) { return v.sizes[v.ndim - 2]; }
inline int64_t cols_of(const TensorView& v) { return v.sizes[v.ndim - 1]; }
inline int64_t batches_of(const TensorView& v) { return product(v.sizes, 0, v.ndim - 2); }
DType real_dtype(DType t);
DType complex_dtype(DType t);
// At least two dimensions, floating or complex.
void check_matrix(const TensorView& a, const char* name);
void check_square(const TensorView& a, const char* name);
// Sets output i to batch dimensions of `like` and the given trailing ones.
void matrix_output(Call& call, int i, const TensorView& like, DType dtype, std::initializer_list<int64_t> trailing);
// Common batch dimensions of two views whose last `skip` dimensions are matrices (or vectors).
std::vector<int64_t> batch_shape(const TensorView& a, int skip_a, const TensorView& b, int skip_b);
// `v` with its leading dimensions expanded to `batch`; its last `keep` dimensions stay.
TensorView expand_batch(const TensorView& v, int keep, const std::vector<int64_t>& batch);
[[noreturn]] void fail_singular(const char* format, const char* name, int64_t batch, int64_t batches, int64_t info);

template <class T> constexpr DType compute_dtype() { return is_complex_type<T>::value ? DType::C128 : DType::F64; }
template <class T> const T* load(Call& call, const TensorView& v) { return static_cast<const T*>(dense(call, v, compute_dtype<T>())); }

// An output kept in T while it is made.
template <class T> struct Output {
  const TensorView* view = nullptr;
  T* data = nullptr;
  Output(Call& call, int i) {
    if (i >= call.noutputs) return;
    view = &call.outputs[i];
    data = scratch<T>(call, view->numel());
  }
  void put(int64_t batch, const Matrix<T>& m) {
    if (data != nullptr) m.copy_to(data + batch * static_cast<int64_t>(m.a.size()));
  }
  void put(int64_t batch, const std::vector<T>& v) {
    if (data != nullptr) std::copy(v.begin(), v.end(), data + batch * static_cast<int64_t>(v.size()));
  }
  ~Output() {
    if (data != nullptr && view->numel() > 0) convert_row(view->data, view->dtype, data, compute_dtype<T>(), view->numel(), 1);
  }
};

template <class F> void with_type(DType dtype, const char* name, F&& f) {
  if (dtype == DType::C64 || dtype == DType::C128) return f(Complex{});
  if (is_floating(dtype)) return f(double{});
  fail_dtype(name, dtype);
}

}  // namespace torchscript::portable::linalg
