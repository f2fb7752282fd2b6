// Rows of reductions by folding: sums, products, extremes, norms, variances, logical and counting ones.
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "cpu-avx/copy.h"
#include "cpu-avx/promote.h"
#include "cpu-avx/reduce_driver.h"

namespace torchscript {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const Arg kNone;

const Arg& arg_at(const Call& call, int i) { return i < call.nargs ? call.args[i] : kNone; }
bool flag_at(const Call& call, int i) { return i >= 0 && i < call.nargs && call.args[i].as_int() != 0; }

// The arguments of a reduction, wherever its schema has them (-1: not there).
struct Where {
  int dims = -1, keepdim = -1, dtype = -1;
};

DType dtype_at(const Call& call, int i) {
  return i >= 0 && arg_at(call, i).kind == ArgKind::Int ? checked_dtype(call.args[i].i) : DType::Undefined;
}
ReducedDims dims_at(const Call& call, int i) { return reduced_dims(i >= 0 ? arg_at(call, i) : kNone, call.tensor(0).ndim); }

DType default_float(const char* name, DType t) {
  if (is_floating(t) || is_complex(t)) return t;
  fail("%s(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: %s", name,
       dtype_torch_name(t));
}

// `self` in another dtype, in scratch memory.
TensorView in_dtype(Call& call, const TensorView& self, DType dtype) {
  if (self.dtype == dtype) return self;
  TensorView copy;
  copy.dtype = dtype;
  format_strides(copy, self, kPreserveFormat);
  copy.data = call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, copy.numel()) * dtype_size(dtype)));
  copy_strided(copy, self, call.runtime);
  return copy;
}

struct Accumulators {
  Element element;
  int64_t count;
  void* data;
  double* real() const { return static_cast<double*>(data); }
  int64_t* whole() const { return static_cast<int64_t*>(data); }
  std::complex<double>* complex() const { return static_cast<std::complex<double>*>(data); }
  template <class F> void each_real(F f) const {
    if (element == Element::C128)
      for (int64_t i = 0; i < count; i++) complex()[i] = f(complex()[i].real());
    else
      for (int64_t i = 0; i < count; i++) real()[i] = f(real()[i]);
  }
};

Accumulators fold(Call& call, const TensorView& self, const ReducedDims& dims, Fold op, double identity, const void* param = nullptr) {
  Accumulators acc;
  acc.element = element_of(self.dtype);
  acc.count = 1;
  for (int d = 0; d < self.ndim; d++)
    if (!dims.reduced[d]) acc.count *= self.sizes[d];
  acc.data = call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, acc.count) * accumulator_size(acc.element)));
  for (int64_t i = 0; i < acc.count; i++) {
    if (acc.element == Element::C128) acc.complex()[i] = identity;
    else if (acc.element == Element::I64)
      acc.whole()[i] = std::isinf(identity) ? (identity > 0 ? INT64_MAX : INT64_MIN) : static_cast<int64_t>(identity);
    else acc.real()[i] = identity;
  }
  fold_dims(call.runtime, self, dims, op, acc.data, param);
  return acc;
}
void store(Call& call, const Accumulators& acc, int output = 0) {
  store_accumulators(call.runtime, call.outputs[output], acc.element, acc.data);
}

// ---- sum, prod, nansum: integers and bool give int64
DType sum_dtype(const Call& call, const Where& w) {
  const DType asked = dtype_at(call, w.dtype);
  if (asked != DType::Undefined) return asked;
  const DType t = call.tensor(0).dtype;
  return is_floating(t) || is_complex(t) ? t : DType::I64;
}
template <int dims, int keepdim, int dtype> void infer_sum(Call& call) {
  const Where w{dims, keepdim, dtype};
  set_reduced_output(call, 0, sum_dtype(call, w), call.tensor(0), dims_at(call, dims), flag_at(call, keepdim));
}
template <Fold op, int dims, int dtype> void run_sum(Call& call) {
  const DType out = call.outputs[0].dtype;
  TensorView self = call.tensor(0);
  if (element_of(out) != element_of(self.dtype) || (out != self.dtype && !is_floating(out) && out != DType::I64))
    self = in_dtype(call, self, out);
  store(call, fold(call, self, dims_at(call, dims), op, op == Fold::Prod ? 1 : 0));
}
#define TS_SUM_ROW(name, op, dims, keepdim, dtype) \
  TS_KERNEL(name, {.infer = infer_sum<dims, keepdim, dtype>, .run = run_sum<op, dims, dtype>})
TS_SUM_ROW(sum_all, Fold::Sum, -1, -1, 1);
TS_SUM_ROW(sum_dim, Fold::Sum, 1, 2, 3);
TS_SUM_ROW(prod_all, Fold::Prod, -1, -1, 1);
TS_SUM_ROW(prod_dim, Fold::Prod, 1, 2, 3);
TS_SUM_ROW(nansum, Fold::NanSum, 1, 2, 3);

// ---- mean, nanmean
template <int dims, int keepdim, int dtype> void infer_mean(Call& call) {
  const DType asked = dtype_at(call, dtype);
  const DType out = default_float("mean", asked != DType::Undefined ? asked : call.tensor(0).dtype);
  set_reduced_output(call, 0, out, call.tensor(0), dims_at(call, dims), flag_at(call, keepdim));
}
template <int dims, bool skip_nan> void run_mean(Call& call) {
  TensorView self = call.tensor(0);
  const DType out = call.outputs[0].dtype;
  if (element_of(out) != element_of(self.dtype)) self = in_dtype(call, self, out);
  const ReducedDims d = dims_at(call, dims);
  const Accumulators acc = fold(call, self, d, skip_nan ? Fold::NanSum : Fold::Sum, 0);
  if (skip_nan) {
    const Accumulators n = fold(call, self, d, Fold::NotNan, 0);
    if (acc.element == Element::C128)
      for (int64_t i = 0; i < acc.count; i++) acc.complex()[i] /= n.complex()[i].real();
    else
      for (int64_t i = 0; i < acc.count; i++) acc.real()[i] /= n.real()[i];
  } else {
    const double n = static_cast<double>(reduced_count(self, d));
    if (acc.element == Element::C128)
      for (int64_t i = 0; i < acc.count; i++) acc.complex()[i] = {acc.complex()[i].real() / n, acc.complex()[i].imag() / n};
    else
      for (int64_t i = 0; i < acc.count; i++) acc.real()[i] /= n;
  }
  store(call, acc);
}
TS_KERNEL(mean_all, {.infer = infer_mean<-1, -1, 1>, .run = run_mean<-1, false>});
TS_KERNEL(mean_dim, {.infer = infer_mean<1, 2, 3>, .run = run_mean<1, false>});
TS_KERNEL(nanmean, {.infer = infer_mean<1, 2, 3>, .run = run_mean<1, true>});

// ---- amax, amin, max, min, aminmax
void check_not_empty(const char* name, const TensorView& self, const ReducedDims& dims, bool listed) {
  if (is_complex(self.dtype)) fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", name, dtype_torch_name(self.dtype));
  if (self.numel() != 0) return;
  if (!listed)
    fail("%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.", name);
  for (int d = 0; d < self.ndim; d++) {
    if (dims.reduced[d] && self.sizes[d] == 0) fail_as("IndexError", "%s(): Expected reduction dim %d to have non-zero size.", name, d);
  }
}
bool has_dims(const Arg& arg) { return arg.kind == ArgKind::Int || (arg.kind == ArgKind::IntList && arg.ints.n > 0); }
template <bool maximum, int dims, int keepdim> void infer_extreme(Call& call) {
  const ReducedDims d = dims_at(call, dims);
  check_not_empty(dims < 0 ? (maximum ? "max" : "min") : (maximum ? "amax" : "amin"), call.tensor(0), d,
                  dims >= 0 && has_dims(arg_at(call, dims)));
  set_reduced_output(call, 0, call.tensor(0).dtype, call.tensor(0), d, flag_at(call, keepdim));
}
template <bool maximum, int dims> void run_extreme(Call& call) {
  store(call, fold(call, call.tensor(0), dims_at(call, dims), maximum ? Fold::Max : Fold::Min, maximum ? -kInf : kInf));
}
TS_KERNEL(amax, {.infer = infer_extreme<true, 1, 2>, .run = run_extreme<true, 1>});
TS_KERNEL(amin, {.infer = infer_extreme<false, 1, 2>, .run = run_extreme<false, 1>});
TS_KERNEL(max_all, {.infer = infer_extreme<true, -1, -1>, .run = run_extreme<true, -1>});
TS_KERNEL(min_all, {.infer = infer_extreme<false, -1, -1>, .run = run_extreme<false, -1>});
TS_KERNEL(aminmax, {.infer =
                      [](Call& call) {
                        const ReducedDims d = dims_at(call, 1);
                        check_not_empty("aminmax", call.tensor(0), d, has_dims(arg_at(call, 1)));
                        for (int i = 0; i < 2; i++) set_reduced_output(call, i, call.tensor(0).dtype, call.tensor(0), d, flag_at(call, 2));
                      },
                    .run =
                      [](Call& call) {
                        const ReducedDims d = dims_at(call, 1);
                        store(call, fold(call, call.tensor(0), d, Fold::Min, kInf), 0);
                        store(call, fold(call, call.tensor(0), d, Fold::Max, -kInf), 1);
                      }});

// ---- any, all, count_nonzero: by counting
// An empty list reduces nothing here.
ReducedDims logical_dims(const Call& call, int i) {
  if (i >= 0 && arg_at(call, i).kind == ArgKind::IntList && arg_at(call, i).ints.n == 0) return {};
  return dims_at(call, i);
}
template <int dims, int keepdim> void infer_logical(Call& call) {
  const DType out = call.tensor(0).dtype == DType::U8 ? DType::U8 : DType::Bool;
  set_reduced_output(call, 0, out, call.tensor(0), logical_dims(call, dims), flag_at(call, keepdim));
}
// Element counts as an int64 array.
int64_t* counts(Call& call, const ReducedDims& d, int64_t* outputs) {
  const Accumulators acc = fold(call, call.tensor(0), d, Fold::NonZero, 0);
  *outputs = acc.count;
  if (acc.element == Element::I64) return acc.whole();
  int64_t* n = acc.whole();
  const bool complex = acc.element == Element::C128;
  for (int64_t i = 0; i < acc.count; i++) {
    const double value = complex ? acc.complex()[i].real() : acc.real()[i];
    n[i] = static_cast<int64_t>(value);
  }
  return n;
}
template <bool all, int dims> void run_logical(Call& call) {
  const ReducedDims d = logical_dims(call, dims);
  int64_t outputs;
  int64_t* n = counts(call, d, &outputs);
  const int64_t full = reduced_count(call.tensor(0), d);
  for (int64_t i = 0; i < outputs; i++) n[i] = all ? n[i] == full : n[i] != 0;
  store_accumulators(call.runtime, call.outputs[0], Element::I64, n);
}
TS_KERNEL(any_all, {.infer = infer_logical<-1, -1>, .run = run_logical<false, -1>});
TS_KERNEL(any_dim, {.infer = infer_logical<1, 2>, .run = run_logical<false, 1>});
TS_KERNEL(all_all, {.infer = infer_logical<-1, -1>, .run = run_logical<true, -1>});
TS_KERNEL(all_dim, {.infer = infer_logical<1, 2>, .run = run_logical<true, 1>});
TS_KERNEL(count_nonzero, {.infer = [](Call& call) { set_reduced_output(call, 0, DType::I64, call.tensor(0), dims_at(call, 1), false); },
                          .run =
                            [](Call& call) {
                              int64_t outputs;
                              const int64_t* n = counts(call, dims_at(call, 1), &outputs);
                              store_accumulators(call.runtime, call.outputs[0], Element::I64, n);
                            }});

// ---- norms: the result is real
struct NormArgs {
  double p = 2;
  ReducedDims dims;
  bool keepdim = false;
  DType dtype = DType::Undefined;
};
template <int p, int dims, int keepdim, int dtype> NormArgs norm_args(const Call& call) {
  NormArgs a;
  if (p >= 0 && !arg_at(call, p).is_none()) a.p = arg_at(call, p).as_double();
  a.dims = dims_at(call, dims);
  a.keepdim = flag_at(call, keepdim);
  a.dtype = dtype_at(call, dtype);
  const DType t = a.dtype != DType::Undefined ? a.dtype : call.tensor(0).dtype;
  if (!is_floating(t) && !is_complex(t)) {
    fail("linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s", dtype_torch_name(t));
  }
  return a;
}
void infer_norm(Call& call, const NormArgs& a) {
  const DType t = a.dtype != DType::Undefined ? a.dtype : call.tensor(0).dtype;
  if (std::isinf(a.p) && reduced_count(call.tensor(0), a.dims) == 0 && call.tensor(0).ndim > 0) {
    fail("linalg.vector_norm cannot compute the %g norm on an empty tensor because the operation does not have an identity", a.p);
  }
  set_reduced_output(call, 0, real_of(t), call.tensor(0), a.dims, a.keepdim);
}
// Magnitudes of complex numbers, which have no order, and whose powers are not those of their magnitudes.
TensorView magnitudes(Call& call, const TensorView& self) {
  TensorView real = self;
  real.dtype = real_of(self.dtype);
  format_strides(real, self, kPreserveFormat);
  real.data = call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, real.numel()) * dtype_size(real.dtype)));
  Arg arg;
  arg.kind = ArgKind::Tensor;
  arg.tensor = &self;
  const Arg* operands[] = {&arg};
  run_pointwise_to(call.runtime, real, PointwiseId::abs, operands);
  return real;
}
void run_norm(Call& call, const NormArgs& a) {
  TensorView self = call.tensor(0);
  if (a.dtype != DType::Undefined && element_of(a.dtype) != element_of(self.dtype)) self = in_dtype(call, self, a.dtype);
  Accumulators acc;
  if (a.p == 2) {
    acc = fold(call, self, a.dims, Fold::SquareSum, 0);
    acc.each_real([](double x) { return std::sqrt(x); });
  } else if (a.p == 1) {
    acc = fold(call, self, a.dims, Fold::AbsSum, 0);
  } else if (a.p == 0) {
    acc = fold(call, self, a.dims, Fold::NonZero, 0);
  } else if (std::isinf(a.p)) {
    if (is_complex(self.dtype)) self = magnitudes(call, self);
    acc = a.p > 0 ? fold(call, self, a.dims, Fold::AbsMax, 0) : fold(call, self, a.dims, Fold::AbsMin, kInf);
  } else {
    if (is_complex(self.dtype)) self = magnitudes(call, self);
    int64_t outputs = 1;
    for (int d = 0; d < self.ndim; d++)
      if (!a.dims.reduced[d]) outputs *= self.sizes[d];
    double* param = static_cast<double*>(call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, outputs) * 8)));
    std::fill(param, param + outputs, a.p);
    acc = fold(call, self, a.dims, Fold::PowSum, 0, param);
    acc.each_real([&](double x) { return std::pow(x, 1 / a.p); });
  }
  store(call, acc);
}
#define TS_NORM_ROW(name, p, dims, keepdim, dtype)                                                          \
  TS_KERNEL(name, {.infer = [](Call& call) { infer_norm(call, norm_args<p, dims, keepdim, dtype>(call)); }, \
                   .run = [](Call& call) { run_norm(call, norm_args<p, dims, keepdim, dtype>(call)); }})
TS_NORM_ROW(norm_all, 1, -1, -1, -1);
TS_NORM_ROW(norm_all_dtype, 1, -1, -1, 2);
TS_NORM_ROW(norm_dim, 1, 2, 3, 4);
TS_NORM_ROW(vector_norm, 1, 2, 3, 4);
TS_NORM_ROW(frobenius_norm, -1, 1, 2, -1);

// ---- variances: means first, then squared deviations from them
struct VarArgs {
  ReducedDims dims;
  double correction = 1;
  bool keepdim = false;
};
template <int dims, int unbiased, int correction, int keepdim> VarArgs var_args(const Call& call) {
  VarArgs a;
  a.dims = dims_at(call, dims);
  if (unbiased >= 0 && unbiased < call.nargs) a.correction = flag_at(call, unbiased) ? 1 : 0;
  if (correction >= 0 && !arg_at(call, correction).is_none()) a.correction = arg_at(call, correction).as_double();
  a.keepdim = flag_at(call, keepdim);
  return a;
}
void infer_var(Call& call, const VarArgs& a) {
  const DType t = call.tensor(0).dtype;
  if (!is_floating(t) && !is_complex(t)) fail("std and var only support floating point and complex dtypes");
  set_reduced_output(call, 0, real_of(t), call.tensor(0), a.dims, a.keepdim);
  if (call.noutputs > 1) set_reduced_output(call, 1, t, call.tensor(0), a.dims, a.keepdim);
}
void run_var(Call& call, const VarArgs& a, bool root) {
  const TensorView& self = call.tensor(0);
  const double n = static_cast<double>(reduced_count(self, a.dims));
  const Accumulators mean = fold(call, self, a.dims, Fold::Sum, 0);
  if (mean.element == Element::C128)
    for (int64_t i = 0; i < mean.count; i++) mean.complex()[i] = {mean.complex()[i].real() / n, mean.complex()[i].imag() / n};
  else
    for (int64_t i = 0; i < mean.count; i++) mean.real()[i] /= n;
  const Accumulators acc = fold(call, self, a.dims, Fold::SquareDeviation, 0, mean.data);
  const double divisor = std::max(0.0, n - a.correction);
  acc.each_real([&](double x) { return root ? std::sqrt(x / divisor) : x / divisor; });
  store(call, acc, 0);
  if (call.noutputs > 1) store(call, mean, 1);
}
#define TS_VAR_ROW(name, root, ...)                                                           \
  TS_KERNEL(name, {.infer = [](Call& call) { infer_var(call, var_args<__VA_ARGS__>(call)); }, \
                   .run = [](Call& call) { run_var(call, var_args<__VA_ARGS__>(call), root); }})
TS_VAR_ROW(var_all, false, -1, 1, -1, -1);
TS_VAR_ROW(var_dim, false, 1, 2, -1, 3);
TS_VAR_ROW(var_correction, false, 1, -1, 2, 3);
TS_VAR_ROW(std_all, true, -1, 1, -1, -1);
TS_VAR_ROW(std_dim, true, 1, 2, -1, 3);
TS_VAR_ROW(std_correction, true, 1, -1, 2, 3);
TS_VAR_ROW(var_mean_all, false, -1, 1, -1, -1);
TS_VAR_ROW(var_mean_dim, false, 1, 2, -1, 3);
TS_VAR_ROW(var_mean_correction, false, 1, -1, 2, 3);
TS_VAR_ROW(std_mean_all, true, -1, 1, -1, -1);
TS_VAR_ROW(std_mean_dim, true, 1, 2, -1, 3);
TS_VAR_ROW(std_mean_correction, true, 1, -1, 2, 3);

// ---- logsumexp(self, dim, keepdim)
TS_KERNEL(logsumexp, {.infer =
                        [](Call& call) {
                          const DType t = call.tensor(0).dtype;
                          set_reduced_output(call, 0, is_floating(t) || is_complex(t) ? t : DType::F32, call.tensor(0), dims_at(call, 1),
                                             flag_at(call, 2));
                        },
                      .run =
                        [](Call& call) {
                          const TensorView self = in_dtype(call, call.tensor(0), call.outputs[0].dtype);
                          const ReducedDims d = dims_at(call, 1);
                          // The shift of complex numbers is the largest real part.
                          TensorView real = self;
                          if (is_complex(self.dtype)) {
                            real.dtype = real_of(self.dtype);
                            for (int i = 0; i < real.ndim; i++) real.strides[i] *= 2;
                          }
                          const Accumulators most = fold(call, real, d, Fold::Max, -kInf);
                          // An infinite maximum is the result itself, not a shift.
                          for (int64_t i = 0; i < most.count; i++)
                            if (std::isinf(most.real()[i])) most.real()[i] = 0;
                          if (is_complex(self.dtype)) {
                            auto* shift = static_cast<std::complex<double>*>(
                              call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, most.count)) * sizeof(std::complex<double>)));
                            for (int64_t i = 0; i < most.count; i++) shift[i] = most.real()[i];
                            const Accumulators acc = fold(call, self, d, Fold::ExpSum, 0, shift);
                            for (int64_t i = 0; i < acc.count; i++) acc.complex()[i] = std::log(acc.complex()[i]) + shift[i];
                            return store(call, acc);
                          }
                          const Accumulators acc = fold(call, self, d, Fold::ExpSum, 0, most.data);
                          for (int64_t i = 0; i < acc.count; i++) acc.real()[i] = std::log(acc.real()[i]) + most.real()[i];
                          store(call, acc);
                        }});

// ---- those that may end a fused group
using Finish = FusedReduction::Finish;
constexpr FusedReduction kFused[] = {
  {"sum_all", infer_sum<-1, -1, 1>, -1, Fold::Sum, 0, Finish::None},
  {"sum_dim", infer_sum<1, 2, 3>, 1, Fold::Sum, 0, Finish::None},
  {"mean_all", infer_mean<-1, -1, 1>, -1, Fold::Sum, 0, Finish::Mean},
  {"mean_dim", infer_mean<1, 2, 3>, 1, Fold::Sum, 0, Finish::Mean},
  {"amax", infer_extreme<true, 1, 2>, 1, Fold::Max, -kInf, Finish::None},
  {"amin", infer_extreme<false, 1, 2>, 1, Fold::Min, kInf, Finish::None},
  {"max_all", infer_extreme<true, -1, -1>, -1, Fold::Max, -kInf, Finish::None},
  {"min_all", infer_extreme<false, -1, -1>, -1, Fold::Min, kInf, Finish::None},
  {"any_all", infer_logical<-1, -1>, -1, Fold::NonZero, 0, Finish::Any},
  {"any_dim", infer_logical<1, 2>, 1, Fold::NonZero, 0, Finish::Any},
  {"all_all", infer_logical<-1, -1>, -1, Fold::NonZero, 0, Finish::All},
  {"all_dim", infer_logical<1, 2>, 1, Fold::NonZero, 0, Finish::All},
};

}  // namespace

const FusedReduction* find_fused_reduction(const char* name, int64_t size) {
  for (const FusedReduction& row : kFused)
    if (static_cast<int64_t>(std::strlen(row.row)) == size && std::memcmp(row.row, name, static_cast<size_t>(size)) == 0) return &row;
  return nullptr;
}

}  // namespace torchscript
