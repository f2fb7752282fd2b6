// Rows that make tensors from sizes and numbers.
#include "cpu-avx/create.h"

#include <algorithm>
#include <cstring>

#include "cpu-avx/copy.h"
#include "cpu-avx/pointwise.h"
#include "cpu-avx/promote.h"

namespace torchscript {

Arg number_of(const Arg& arg) {
  if (arg.kind != ArgKind::Tensor) return arg;
  const TensorView& t = *arg.tensor;
  if (t.numel() != 1) fail("Expected a number or a tensor of one element but received one of %lld", static_cast<long long>(t.numel()));
  if (t.device != kCpuDevice) fail("Expected a number or a tensor on the CPU but received one on cuda:%d", t.device);
  Arg number;
  if (is_complex(t.dtype)) {
    double parts[2];
    loader_of(t.dtype, Compute::C128)(1, parts, t.data);
    number.kind = ArgKind::Complex;
    number.c = {parts[0], parts[1]};
  } else if (is_floating(t.dtype)) {
    number.kind = ArgKind::Float;
    loader_of(t.dtype, Compute::F64)(1, &number.d, t.data);
  } else {
    int64_t value;
    loader_of(t.dtype, Compute::I64)(1, &value, t.data);
    number.kind = t.dtype == DType::Bool ? ArgKind::Bool : ArgKind::Int;
    if (t.dtype == DType::Bool) number.b = value != 0;
    else number.i = value;
  }
  return number;
}

void write_element(const Arg& number, DType dtype, void* to) {
  const ConvertTable& table = convert_table();
  const int slot = static_cast<int>(dtype);
  if (slot < 0 || slot >= kDTypeSlots || !table.store[static_cast<int>(Compute::F64)][slot])
    fail("Expected a dtype with arithmetic for `dtype` but received %s", dtype_name(dtype));
  if (number.kind == ArgKind::Complex) {
    const double parts[2] = {number.c.re, number.c.im};
    if (!is_complex(dtype) && number.c.im != 0) fail("value cannot be converted to type %s without overflow", dtype_name(dtype));
    table.store[static_cast<int>(Compute::C128)][slot](1, to, parts);
  } else if (number.kind == ArgKind::Float) {
    if (is_integral(dtype) && !(std::fabs(number.d) < 0x1p64))
      fail("value cannot be converted to type %s without overflow", dtype == DType::I64 ? "int64_t" : dtype_name(dtype));
    if (dtype == DType::F64 || !is_integral(dtype)) {
      table.store[static_cast<int>(Compute::F64)][slot](1, to, &number.d);
    } else {
      const int64_t whole = static_cast<int64_t>(number.d);
      table.store[static_cast<int>(Compute::I64)][slot](1, to, &whole);
    }
  } else {
    const int64_t whole = number.as_int();
    table.store[static_cast<int>(Compute::I64)][slot](1, to, &whole);
  }
}

void set_sized_output(Call& call, int output, DType dtype, const Arg& size) {
  const int64_t one = size.kind == ArgKind::Int ? size.i : 0;
  const int64_t* p = size.kind == ArgKind::Int ? &one : size.ints.p;
  const int64_t n = size.kind == ArgKind::Int ? 1 : size.ints.n;
  if (n > kMaxDims) fail("Expected at most %d dimensions but received %lld", kMaxDims, static_cast<long long>(n));
  int64_t bytes = dtype_size(dtype);
  for (int64_t i = 0; i < n; i++) {
    if (p[i] > 0 && __builtin_mul_overflow(bytes, p[i], &bytes)) fail("Storage size calculation overflowed");
    if (p[i] < 0) fail("Trying to create tensor with negative dimension %lld", static_cast<long long>(p[i]));
  }
  call.set_output(output, dtype, p, static_cast<int>(n));
}

void fill_dense(Runtime* runtime, const TensorView& out, const void* element) {
  const int64_t size = dtype_size(out.dtype), n = out.numel();
  if (n == 0) return;
  char* data = static_cast<char*>(out.data);
  bool zero = true;
  for (int64_t i = 0; i < size; i++) zero = zero && static_cast<const char*>(element)[i] == 0;
  runtime->parallel(n, 65536, [&](int64_t begin, int64_t end) {
    char* p = data + begin * size;
    if (zero || size == 1) {
      std::memset(p, *static_cast<const unsigned char*>(element), static_cast<size_t>((end - begin) * size));
      return;
    }
    // Doubling copies.
    const int64_t total = (end - begin) * size;
    std::memcpy(p, element, static_cast<size_t>(size));
    for (int64_t done = size; done < total;) {
      const int64_t piece = std::min({done, total - done, int64_t{16384}});
      std::memcpy(p + done, p, static_cast<size_t>(piece));
      done += piece;
    }
  });
}

void store_doubles(int64_t n, DType dtype, void* to, const double* from) {
  const ConvertFn store = storer_of(Compute::F64, dtype);
  if (!store) fail("Expected a dtype with arithmetic for `dtype` but received %s", dtype_name(dtype));
  store(n, to, from);
}

namespace {

Arg int_arg(int64_t i) {
  Arg arg;
  arg.kind = ArgKind::Int;
  arg.i = i;
  return arg;
}
const Arg kZero = int_arg(0);
const Arg kOne = int_arg(1);

void fill_number(Call& call, const Arg& number) {
  alignas(16) char element[16] = {};
  // Zero bytes are zero in every dtype, those without arithmetic too.
  if (&number != &kZero) write_element(number, call.outputs[0].dtype, element);
  fill_dense(call.runtime, call.outputs[0], element);
}
int64_t layout(const Call& call, int i) { return i < call.nargs ? format_of(call.args[i]) : kPreserveFormat; }

// ---- from sizes: (size, dtype, ...), (size, value, dtype, ...), (self, size, dtype, ...), (self, size, value, dtype, ...)
void zeros_infer(Call& call) { set_sized_output(call, 0, dtype_arg(call, 1, DType::F32), call.args[0]); }
TS_KERNEL(zeros, {.infer = zeros_infer, .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(ones, {.infer = zeros_infer, .run = [](Call& call) { fill_number(call, kOne); }});
TS_KERNEL(empty, {.infer =
                    [](Call& call) {
                      zeros_infer(call);
                      const int64_t format = call.nargs > 5 ? format_of(call.args[5], kContiguousFormat) : kContiguousFormat;
                      if (format >= kChannelsLast) {
                        const TensorView like = call.outputs[0];
                        format_strides(call.outputs[0], like, format);
                      }
                    },
                  .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(
  full, {.infer = [](Call& call) { set_sized_output(call, 0, dtype_arg(call, 2, dtype_of_number(number_of(call.args[1]))), call.args[0]); },
         .run = [](Call& call) { fill_number(call, number_of(call.args[1])); }});
void new_infer(Call& call) { set_sized_output(call, 0, dtype_arg(call, 2, call.tensor(0).dtype), call.args[1]); }
TS_KERNEL(new_zeros, {.infer = new_infer, .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(new_ones, {.infer = new_infer, .run = [](Call& call) { fill_number(call, kOne); }});
TS_KERNEL(new_full, {.infer = [](Call& call) { set_sized_output(call, 0, dtype_arg(call, 3, call.tensor(0).dtype), call.args[1]); },
                     .run = [](Call& call) { fill_number(call, call.args[2]); }});
void like_infer(Call& call, int dtype, int format) {
  call.outputs[0].dtype = dtype_arg(call, dtype, call.tensor(0).dtype);
  format_strides(call.outputs[0], call.tensor(0), layout(call, format));
}
TS_KERNEL(zeros_like, {.infer = [](Call& call) { like_infer(call, 1, 5); }, .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(ones_like, {.infer = [](Call& call) { like_infer(call, 1, 5); }, .run = [](Call& call) { fill_number(call, kOne); }});
TS_KERNEL(full_like,
          {.infer = [](Call& call) { like_infer(call, 2, 6); }, .run = [](Call& call) { fill_number(call, number_of(call.args[1])); }});
void strided_infer(Call& call, int size, DType dtype) {
  set_sized_output(call, 0, dtype, call.args[size]);
  TensorView& out = call.outputs[0];
  const Arg& strides = call.args[size + 1];
  if (strides.ints.n != out.ndim) fail("mismatch in length of strides and shape");
  // Only dense layouts can be an output's; others keep the order of a contiguous one.
  TensorView like = out;
  for (int d = 0; d < out.ndim; d++) like.strides[d] = strides.ints.p[d];
  format_strides(out, like, kPreserveFormat);
}
TS_KERNEL(empty_strided, {.infer = [](Call& call) { strided_infer(call, 0, dtype_arg(call, 2, DType::F32)); },
                          .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(new_empty_strided, {.infer = [](Call& call) { strided_infer(call, 1, dtype_arg(call, 3, call.tensor(0).dtype)); },
                              .run = [](Call& call) { fill_number(call, kZero); }});
TS_KERNEL(scalar_tensor, {.infer = [](Call& call) { call.set_output(0, dtype_arg(call, 1, DType::F32), nullptr, 0); },
                          .run = [](Call& call) { fill_number(call, number_of(call.args[0])); }});

// ---- fill(self, value), zero(self)
void fill_infer(Call& call) {
  call.outputs[0].dtype = call.tensor(0).dtype;
  format_strides(call.outputs[0], call.tensor(0), kPreserveFormat);
}
TS_KERNEL(fill, {.infer =
                   [](Call& call) {
                     if (call.args[1].kind == ArgKind::Tensor && call.args[1].tensor->ndim > 0) {
                       fail("fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.", call.args[1].tensor->ndim);
                     }
                     fill_infer(call);
                   },
                 .run = [](Call& call) { fill_number(call, number_of(call.args[1])); },
                 .in_place = true});
TS_KERNEL(zero, {.infer = fill_infer, .run = [](Call& call) { fill_number(call, kZero); }, .in_place = true});

// fill_diagonal(self, value, wrap): all dimensions of one size, or a matrix (whose diagonal may wrap when it is tall)
TS_KERNEL(fill_diagonal, {.infer =
                            [](Call& call) {
                              const TensorView& self = call.tensor(0);
                              if (self.ndim < 2) fail("dimensions must larger than 1");
                              for (int d = 1; self.ndim > 2 && d < self.ndim; d++) {
                                if (self.sizes[d] != self.sizes[0]) fail("all dimensions of input must be of equal length");
                              }
                              fill_infer(call);
                            },
                          .run =
                            [](Call& call) {
                              const TensorView &self = call.tensor(0), &out = call.outputs[0];
                              if (out.data != self.data) copy_strided(out, self, call.runtime);
                              if (out.numel() == 0) return;
                              alignas(16) char element[16];
                              write_element(number_of(call.args[1]), out.dtype, element);
                              const int64_t size = dtype_size(out.dtype);
                              int64_t step = 0, n = out.sizes[0];
                              for (int d = 0; d < out.ndim; d++) {
                                step += out.strides[d];
                                n = std::min(n, out.sizes[d]);
                              }
                              char* data = static_cast<char*>(out.data);
                              for (int64_t i = 0; i < n; i++) std::memcpy(data + i * step * size, element, static_cast<size_t>(size));
                              const bool wrap = call.nargs > 2 && call.args[2].as_int() != 0;
                              if (!wrap || out.ndim != 2 || out.sizes[0] <= out.sizes[1] + 1) return;
                              // Blocks of columns + 1 rows repeat the diagonal.
                              for (int64_t row = out.sizes[1] + 1; row < out.sizes[0]; row++) {
                                const int64_t column = row % (out.sizes[1] + 1);
                                if (column < out.sizes[1])
                                  std::memcpy(data + (row * out.strides[0] + column * out.strides[1]) * size, element,
                                              static_cast<size_t>(size));
                              }
                            },
                          .in_place = true});

// ---- arange, range: bounds and step at the given positions, dtype after them
struct Range {
  Arg start = int_arg(0), end, step = int_arg(1);
  DType dtype;
  bool whole;
};
template <int bounds> Range range_of(const Call& call) {
  Range r;
  if (bounds == 1) {
    r.end = number_of(call.args[0]);
  } else {
    r.start = number_of(call.args[0]);
    r.end = number_of(call.args[1]);
    if (bounds == 3) r.step = number_of(call.args[2]);
  }
  r.whole = r.start.kind != ArgKind::Float && r.end.kind != ArgKind::Float && r.step.kind != ArgKind::Float;
  r.dtype = dtype_arg(call, bounds, r.whole ? DType::I64 : DType::F32);
  if (r.step.as_double() == 0) fail("step must be nonzero");
  const double span = r.end.as_double() - r.start.as_double();
  if (!std::isfinite(span) || !std::isfinite(r.step.as_double()))
    fail("unsupported range: %g -> %g", r.start.as_double(), r.end.as_double());
  if (span != 0 && (span > 0) != (r.step.as_double() > 0)) fail("upper bound and lower bound inconsistent with step sign");
  return r;
}
template <int bounds, bool inclusive> void infer_range(Call& call) {
  Range r = range_of<bounds>(call);
  if (inclusive) r.dtype = dtype_arg(call, bounds, DType::F32);
  double size;
  if (inclusive) {
    size = std::floor((r.end.as_double() - r.start.as_double()) / r.step.as_double()) + 1;
  } else if (is_integral(r.dtype)) {
    // In the integers of the dtype, as PyTorch counts.
    const int64_t start = r.start.as_int(), end = r.end.as_int(), step = r.step.as_int();
    if (step == 0) fail("step must be nonzero");
    size = r.whole ? std::ceil(static_cast<double>(end - start) / static_cast<double>(step))
                   : std::ceil((r.end.as_double() - r.start.as_double()) / r.step.as_double());
  } else {
    size = std::ceil((r.end.as_double() - r.start.as_double()) / r.step.as_double());
  }
  if (!(size >= 0) || size > 0x1p40) fail("invalid size, possible overflow?");
  const int64_t n = static_cast<int64_t>(size);
  call.set_output(0, r.dtype, &n, 1);
}
template <int bounds> void run_range(Call& call) {
  const Range r = range_of<bounds>(call);
  const TensorView& out = call.outputs[0];
  if (is_integral(out.dtype)) {
    const int64_t start = r.start.as_int(), step = r.step.as_int(), size = dtype_size(out.dtype);
    const ConvertFn store = storer_of(Compute::I64, out.dtype);
    int64_t values[256];
    for (int64_t at = 0; at < out.numel(); at += 256) {
      const int64_t n = std::min<int64_t>(256, out.numel() - at);
      for (int64_t i = 0; i < n; i++) values[i] = start + (at + i) * step;
      store(n, static_cast<char*>(out.data) + at * size, values);
    }
    return;
  }
  const double start = r.start.as_double(), step = r.step.as_double();
  generate(call, [&](int64_t i) { return start + static_cast<double>(i) * step; });
}
TS_KERNEL(arange_end, {.infer = infer_range<1, false>, .run = run_range<1>});
TS_KERNEL(arange_start, {.infer = infer_range<2, false>, .run = run_range<2>});
TS_KERNEL(arange_step, {.infer = infer_range<3, false>, .run = run_range<3>});
TS_KERNEL(range_start, {.infer = infer_range<2, true>, .run = run_range<2>});
TS_KERNEL(range_step, {.infer = infer_range<3, true>, .run = run_range<3>});

// ---- linspace(start, end, steps, dtype), logspace(start, end, steps, base, dtype): symmetric about the middle
bool is_complex_arg(const Arg& arg) {
  return arg.kind == ArgKind::Complex || (arg.kind == ArgKind::Tensor && is_complex(arg.tensor->dtype));
}
template <int dtype> void infer_space(Call& call) {
  const int64_t steps = call.args[2].as_int();
  if (steps < 0) fail("number of steps must be non-negative");
  for (int i = 0; i < 2; i++) {
    if (call.args[i].kind == ArgKind::Tensor && call.args[i].tensor->ndim != 0)
      fail("linspace only supports 0-dimensional start and end tensors, but got %s with %d dimension(s).", i ? "end" : "start",
           call.args[i].tensor->ndim);
  }
  const bool complex = is_complex_arg(call.args[0]) || is_complex_arg(call.args[1]);
  call.set_output(0, dtype_arg(call, dtype, complex ? DType::C64 : DType::F32), &steps, 1);
}
template <bool logarithmic> void run_space(Call& call) {
  const int64_t steps = call.args[2].as_int();
  const TensorView& out = call.outputs[0];
  const Arg a = number_of(call.args[0]), b = number_of(call.args[1]);
  const double base = logarithmic ? call.args[3].as_double() : 0;
  if (is_complex(out.dtype)) {
    const double ai = a.kind == ArgKind::Complex ? a.c.im : 0, bi = b.kind == ArgKind::Complex ? b.c.im : 0;
    const double n = static_cast<double>(std::max<int64_t>(1, steps - 1));
    const ConvertFn store = storer_of(Compute::C128, out.dtype);
    for (int64_t i = 0; i < steps; i++) {
      const double t = static_cast<double>(i) / n;
      double re = a.as_double() + (b.as_double() - a.as_double()) * t, im = ai + (bi - ai) * t;
      if (logarithmic) {
        const double m = std::pow(base, re), angle = im * std::log(base);
        re = m * std::cos(angle);
        im = m * std::sin(angle);
      }
      const double parts[2] = {re, im};
      store(1, static_cast<char*>(out.data) + i * dtype_size(out.dtype), parts);
    }
    return;
  }
  double start = a.as_double(), end = b.as_double();
  if (is_integral(out.dtype)) {
    start = std::trunc(start);
    end = std::trunc(end);
  }
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  generate(call, [&](int64_t i) {
    const double x = i < steps / 2 || steps == 1 ? start + step * static_cast<double>(i) : end - step * static_cast<double>(steps - i - 1);
    return logarithmic ? std::pow(base, x) : x;
  });
}
TS_KERNEL(linspace, {.infer = infer_space<3>, .run = run_space<false>});
TS_KERNEL(logspace, {.infer = infer_space<4>, .run = run_space<true>});

// ---- eye(n, dtype), eye.m(n, m, dtype)
template <bool square> void infer_eye(Call& call) {
  const int64_t n = call.args[0].as_int(), m = square ? n : call.args[1].as_int();
  if (n < 0 || m < 0) fail("n must be greater or equal to 0, got %lld", static_cast<long long>(n < 0 ? n : m));
  const int64_t sizes[] = {n, m};
  call.set_output(0, dtype_arg(call, square ? 1 : 2, DType::F32), sizes, 2);
}
void run_eye(Call& call) {
  const TensorView& out = call.outputs[0];
  fill_number(call, kZero);
  alignas(16) char one[16];
  write_element(kOne, out.dtype, one);
  const int64_t size = dtype_size(out.dtype);
  for (int64_t i = 0; i < std::min(out.sizes[0], out.sizes[1]); i++) {
    std::memcpy(static_cast<char*>(out.data) + (i * out.sizes[1] + i) * size, one, static_cast<size_t>(size));
  }
}
TS_KERNEL(eye, {.infer = infer_eye<true>, .run = run_eye});
TS_KERNEL(eye_m, {.infer = infer_eye<false>, .run = run_eye});

// ---- tril(self, diagonal), triu(self, diagonal)
void infer_triangle(Call& call) {
  const TensorView& self = call.tensor(0);
  if (self.ndim < 2) fail("tril/triu: input tensor must have at least 2 dimensions");
  call.set_output(0, self.dtype, self.sizes, self.ndim);
}
template <bool lower> void run_triangle(Call& call) {
  const TensorView &self = call.tensor(0), &out = call.outputs[0];
  if (self.data != out.data) copy_strided(out, self, call.runtime);
  const int64_t rows = out.sizes[out.ndim - 2], columns = out.sizes[out.ndim - 1], size = dtype_size(out.dtype);
  if (out.numel() == 0) return;
  const int64_t k = call.args[1].as_int();
  char* data = static_cast<char*>(out.data);
  call.runtime->parallel(out.numel() / columns, std::max<int64_t>(1, 32768 / columns), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line++) {
      const int64_t edge = std::clamp<int64_t>(line % rows + k + (lower ? 1 : 0), 0, columns);  // first column past, or of, the kept part
      char* p = data + line * columns * size;
      if (lower) std::memset(p + edge * size, 0, static_cast<size_t>((columns - edge) * size));
      else std::memset(p, 0, static_cast<size_t>(edge * size));
    }
  });
}
TS_KERNEL(tril, {.infer = infer_triangle, .run = run_triangle<true>, .in_place = true});
TS_KERNEL(triu, {.infer = infer_triangle, .run = run_triangle<false>, .in_place = true});

// ---- tril_indices(row, col, offset, dtype), triu_indices
template <bool lower, class F> void each_index(const Call& call, F f) {
  const int64_t rows = call.args[0].as_int(), columns = call.args[1].as_int(), k = call.args[2].as_int();
  for (int64_t r = 0; r < rows; r++) {
    const int64_t begin = lower ? 0 : std::clamp<int64_t>(r + k, 0, columns);
    const int64_t end = lower ? std::clamp<int64_t>(r + k + 1, 0, columns) : columns;
    f(r, begin, end);
  }
}
template <bool lower> void infer_indices(Call& call) {
  if (call.args[0].as_int() < 0 || call.args[1].as_int() < 0) fail("row and col must be non-negative");
  int64_t n = 0;
  each_index<lower>(call, [&](int64_t, int64_t begin, int64_t end) { n += std::max<int64_t>(0, end - begin); });
  const int64_t sizes[] = {2, n};
  call.set_output(0, dtype_arg(call, 3, DType::I64), sizes, 2);
}
template <bool lower> void run_indices(Call& call) {
  const TensorView& out = call.outputs[0];
  const int64_t n = out.sizes[1], size = dtype_size(out.dtype);
  const ConvertFn store = storer_of(Compute::I64, out.dtype);
  char* p = static_cast<char*>(out.data);
  int64_t at = 0;
  each_index<lower>(call, [&](int64_t r, int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++, at++) {
      store(1, p + at * size, &r);
      store(1, p + (n + at) * size, &c);
    }
  });
}
TS_KERNEL(tril_indices, {.infer = infer_indices<true>, .run = run_indices<true>});
TS_KERNEL(triu_indices, {.infer = infer_indices<false>, .run = run_indices<false>});

// ---- windows(length, [periodic, [parameters]], dtype): cosine sums, Bartlett and Kaiser
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; k < 200 && term > sum * 1e-17; k++) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}
enum class Window { Hann, Hamming, Blackman, Bartlett, Kaiser };
template <Window kind, int given> struct WindowRow {  // `given`: arguments before dtype
  static void infer(Call& call) {
    const int64_t n = call.args[0].as_int();
    if (n < 0) fail("window_length must be non-negative, got %lld", static_cast<long long>(n));
    const DType dtype = dtype_arg(call, given, DType::F32);
    if (!is_floating(dtype)) fail("window functions expect a floating point dtype, got %s", dtype_torch_name(dtype));
    call.set_output(0, dtype, &n, 1);
  }
  static void run(Call& call) {
    const int64_t length = call.args[0].as_int();
    const bool periodic = given < 2 || call.args[1].as_int() != 0;
    const double n = static_cast<double>(periodic ? length : length - 1);
    const double alpha = kind == Window::Hamming ? (given > 2 ? call.args[2].as_double() : 0.54) : 0.5;
    const double beta = kind == Window::Hamming ? (given > 3 ? call.args[3].as_double() : 0.46) : 0.5;
    const double kaiser = kind == Window::Kaiser ? (given > 2 ? call.args[2].as_double() : 12.0) : 0;
    const double pi = 3.14159265358979323846;
    generate(call, [&](int64_t i) {
      if (length == 1) return 1.0;
      const double t = static_cast<double>(i) / n;
      switch (kind) {
        case Window::Blackman: return 0.42 - 0.5 * std::cos(2 * pi * t) + 0.08 * std::cos(4 * pi * t);
        case Window::Bartlett: return 1 - std::fabs(2 * t - 1);
        case Window::Kaiser: return bessel_i0(kaiser * std::sqrt(std::max(0.0, 1 - (2 * t - 1) * (2 * t - 1)))) / bessel_i0(kaiser);
        default: return alpha - beta * std::cos(2 * pi * t);
      }
    });
  }
};
#define TS_WINDOW(name, kind, given) \
  TS_KERNEL(name, {.infer = WindowRow<Window::kind, given>::infer, .run = WindowRow<Window::kind, given>::run})
TS_WINDOW(hann_window, Hann, 1);
TS_WINDOW(hann_window_periodic, Hann, 2);
TS_WINDOW(hamming_window, Hamming, 1);
TS_WINDOW(hamming_window_periodic, Hamming, 2);
TS_WINDOW(hamming_window_alpha, Hamming, 3);
TS_WINDOW(hamming_window_alpha_beta, Hamming, 4);
TS_WINDOW(blackman_window, Blackman, 1);
TS_WINDOW(blackman_window_periodic, Blackman, 2);
TS_WINDOW(bartlett_window, Bartlett, 1);
TS_WINDOW(bartlett_window_periodic, Bartlett, 2);
TS_WINDOW(kaiser_window, Kaiser, 1);
TS_WINDOW(kaiser_window_periodic, Kaiser, 2);
TS_WINDOW(kaiser_window_beta, Kaiser, 3);

}  // namespace
}  // namespace torchscript
