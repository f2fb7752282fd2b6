// Random tensors: PyTorch's CPU numbers, drawn in the order of the output's memory. A float takes 24 bits of a 32-bit draw, a
// double 53 bits of a 64-bit one.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "cpu-avx/copy.h"
#include "cpu-avx/create.h"
#include "cpu-avx/pointwise.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

double uniform24(RandomSource& source) { return static_cast<double>(source.next_u32() & 0xffffff) * 0x1p-24; }
double uniform53(RandomSource& source) { return static_cast<double>(source.next_u64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53; }

// n draws of uniform24.
void fill_uniform24(RandomSource& source, float* to, int64_t n) {
  constexpr int64_t kBlock = 1024;
  uint32_t draws[kBlock];
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t part = std::min(kBlock, n - at);
    source.fill_u32(draws, part);
    for (int64_t i = 0; i < part; i++) to[at + i] = static_cast<float>(static_cast<int32_t>(draws[i] & 0xffffff)) * 0x1p-24f;
  }
}

void check_floating(const char* name, DType t) {
  if (!is_floating(t)) fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", name, dtype_torch_name(t));
}

// Fills a dense output with draw(source) in memory order.
template <class F> void draw_dense(Call& call, const TensorView& out, F draw) {
  RandomSource& source = call.runtime->random();
  double values[256];
  const int64_t total = out.numel(), size = dtype_size(out.dtype);
  for (int64_t at = 0; at < total; at += 256) {
    const int64_t n = std::min<int64_t>(256, total - at);
    for (int64_t i = 0; i < n; i++) values[i] = draw(source);
    store_doubles(n, out.dtype, static_cast<char*>(out.data) + at * size, values);
  }
}
// Product and sum are rounded once, as in PyTorch's builds for processors with FMA.
void draw_uniform(Call& call, const TensorView& out, double from, double to) {
  if (out.dtype == DType::F64) draw_dense(call, out, [&](RandomSource& s) { return std::fma(uniform53(s), to - from, from); });
  else if (out.dtype == DType::F32) {
    const float low = static_cast<float>(from), span = static_cast<float>(to) - low;
    float* values = out.ptr<float>();
    const int64_t n = out.numel();
    fill_uniform24(call.runtime->random(), values, n);
    if (low != 0 || span != 1)
      for (int64_t i = 0; i < n; i++) values[i] = std::fma(values[i], span, low);
  } else {
    const float low = static_cast<float>(from), span = static_cast<float>(to) - low;
    draw_dense(call, out, [&](RandomSource& s) { return static_cast<double>(std::fma(static_cast<float>(uniform24(s)), span, low)); });
  }
}

// 16 uniforms to 16 normals: Box and Muller on the two halves.
template <class T> void normal_16(T* x, T mean, T std) {
  for (int j = 0; j < 8; j++) {
    const T u1 = 1 - x[j], u2 = x[j + 8];
    const T radius = std::sqrt(-2 * std::log(u1)), theta = static_cast<T>(2 * 3.14159265358979323846) * u2;
    x[j] = radius * std::cos(theta) * std + mean;
    x[j + 8] = radius * std::sin(theta) * std + mean;
  }
}
template <class T> void fill_normals(RandomSource& source, T* x, int64_t n, double mean, double std) {
  const auto fill_uniform = [&](T* to, int64_t count) {
    if constexpr (std::is_same_v<T, float>) fill_uniform24(source, to, count);
    else
      for (int64_t i = 0; i < count; i++) to[i] = uniform53(source);
  };
  fill_uniform(x, n);
  for (int64_t i = 0; i + 16 <= n; i += 16) normal_16(x + i, static_cast<T>(mean), static_cast<T>(std));
  if (n % 16 != 0) {  // the last 16 are drawn anew
    x += n - 16;
    fill_uniform(x, 16);
    normal_16(x, static_cast<T>(mean), static_cast<T>(std));
  }
}
void draw_normal(Call& call, const TensorView& out, double mean, double std) {
  const int64_t n = out.numel();
  if (n < 16 || !out.is_contiguous()) return draw_dense(call, out, [&](RandomSource& s) { return s.next_normal_double() * std + mean; });
  RandomSource& source = call.runtime->random();
  if (out.dtype == DType::F64) return fill_normals(source, out.ptr<double>(), n, mean, std);
  if (out.dtype == DType::F32) return fill_normals(source, out.ptr<float>(), n, mean, std);
  float* wide = static_cast<float*>(call.runtime->scratch(static_cast<size_t>(n) * 4));
  fill_normals(source, wide, n, mean, std);
  storer_of(Compute::F32, out.dtype)(n, out.data, wide);
}
void draw_integers(Call& call, const TensorView& out, int64_t low, uint64_t range) {
  RandomSource& source = call.runtime->random();
  const ConvertFn store = storer_of(Compute::I64, out.dtype);
  const int64_t total = out.numel(), size = dtype_size(out.dtype);
  constexpr int64_t kBlock = 512;
  int64_t values[kBlock];
  uint32_t draws[kBlock];
  const bool wide = range >= (uint64_t{1} << 28) || range == 0;
  for (int64_t at = 0; at < total; at += kBlock) {
    const int64_t n = std::min(kBlock, total - at);
    if (wide) {
      for (int64_t i = 0; i < n; i++) {
        const uint64_t draw = source.next_u64();
        values[i] = static_cast<int64_t>((range ? draw % range : draw) + static_cast<uint64_t>(low));
      }
    } else {
      source.fill_u32(draws, n);
      const uint32_t narrow = static_cast<uint32_t>(range);
      for (int64_t i = 0; i < n; i++) values[i] = static_cast<int64_t>(draws[i] % narrow + static_cast<uint64_t>(low));
    }
    store(n, static_cast<char*>(out.data) + at * size, values);
  }
}

// ---- rand, randn (size, dtype) and with a generator before the dtype; *_like (self, dtype, ..., memory format)
template <int dtype> void infer_sized(Call& call) {
  set_sized_output(call, 0, dtype_arg(call, dtype, DType::F32), call.args[0]);
  if (!is_complex(call.outputs[0].dtype)) check_floating("uniform", call.outputs[0].dtype);
}
template <int dtype, int format> void infer_like(Call& call) {
  call.outputs[0].dtype = dtype_arg(call, dtype, call.tensor(0).dtype);
  format_strides(call.outputs[0], call.tensor(0), format < call.nargs ? format_of(call.args[format]) : kPreserveFormat);
}
// A complex output is twice as many reals.
TensorView reals(const TensorView& out) {
  TensorView view = out;
  if (is_complex(out.dtype)) {
    view.dtype = real_of(out.dtype);
    view.ndim = 1;
    view.sizes[0] = out.numel() * 2;
    view.strides[0] = 1;
  }
  return view;
}
void run_rand(Call& call) { draw_uniform(call, reals(call.outputs[0]), 0, 1); }
void run_randn(Call& call) { draw_normal(call, reals(call.outputs[0]), 0, is_complex(call.outputs[0].dtype) ? std::sqrt(0.5) : 1); }
TS_KERNEL(rand, {.infer = infer_sized<1>, .run = run_rand, .random = true});
TS_KERNEL(rand_generator, {.infer = infer_sized<2>, .run = run_rand, .random = true});
TS_KERNEL(randn, {.infer = infer_sized<1>, .run = run_randn, .random = true});
TS_KERNEL(randn_generator, {.infer = infer_sized<2>, .run = run_randn, .random = true});
TS_KERNEL(rand_like, {.infer = infer_like<1, 5>, .run = run_rand, .random = true});
TS_KERNEL(randn_like, {.infer = infer_like<1, 5>, .run = run_randn, .random = true});

TS_KERNEL(rand_like_generator, {.infer = infer_like<2, 6>, .run = run_rand, .random = true});
TS_KERNEL(randn_like_generator, {.infer = infer_like<2, 6>, .run = run_randn, .random = true});

// ---- randint(high, size, dtype), randint.low(low, high, size, dtype), randint_like(self, [low,] high, dtype)
void check_bounds(int64_t low, int64_t high) {
  if (low >= high)
    fail("random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld", static_cast<long long>(low),
         static_cast<long long>(high));
}
template <int low, int dtype> void infer_randint(Call& call) {  // low: how many bounds come before the size, less one
  check_bounds(low ? call.args[0].as_int() : 0, call.args[low].as_int());
  set_sized_output(call, 0, dtype_arg(call, dtype, DType::I64), call.args[low + 1]);
}
template <int low> void run_randint(Call& call) {
  const int64_t from = low ? call.args[0].as_int() : 0;
  draw_integers(call, call.outputs[0], from, static_cast<uint64_t>(call.args[low].as_int() - from));
}
TS_KERNEL(randint, {.infer = infer_randint<0, 2>, .run = run_randint<0>, .random = true});
TS_KERNEL(randint_generator, {.infer = infer_randint<0, 3>, .run = run_randint<0>, .random = true});
TS_KERNEL(randint_low, {.infer = infer_randint<1, 3>, .run = run_randint<1>, .random = true});
TS_KERNEL(randint_low_generator, {.infer = infer_randint<1, 4>, .run = run_randint<1>, .random = true});
TS_KERNEL(randint_like, {.infer =
                           [](Call& call) {
                             check_bounds(0, call.args[1].as_int());
                             infer_like<2, 6>(call);
                           },
                         .run = [](Call& call) { draw_integers(call, call.outputs[0], 0, static_cast<uint64_t>(call.args[1].as_int())); },
                         .random = true});
TS_KERNEL(randint_like_low, {.infer =
                               [](Call& call) {
                                 check_bounds(call.args[1].as_int(), call.args[2].as_int());
                                 infer_like<3, 7>(call);
                               },
                             .run =
                               [](Call& call) {
                                 draw_integers(call, call.outputs[0], call.args[1].as_int(),
                                               static_cast<uint64_t>(call.args[2].as_int() - call.args[1].as_int()));
                               },
                             .random = true});

// ---- randperm(n, dtype)
template <int dtype> void infer_randperm(Call& call) {
  const int64_t n = call.args[0].as_int();
  if (n < 0) fail("n must be non-negative, got%lld", static_cast<long long>(n));
  call.set_output(0, dtype_arg(call, dtype, DType::I64), &n, 1);
}
void run_randperm(Call& call) {
  const TensorView& out = call.outputs[0];
  const int64_t n = out.numel();
  int64_t* p = out.dtype == DType::I64 ? out.ptr<int64_t>()
                                       : static_cast<int64_t*>(call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, n)) * 8));
  std::iota(p, p + n, 0);
  RandomSource& source = call.runtime->random();
  for (int64_t i = 0; i < n - 1; i++) {
    const uint64_t left = static_cast<uint64_t>(n - i);
    const uint64_t draw = n >= (int64_t{1} << 32) / 20 ? source.next_u64() : source.next_u32();
    std::swap(p[i], p[i + static_cast<int64_t>(draw % left)]);
  }
  if (out.dtype != DType::I64) storer_of(Compute::I64, out.dtype)(n, out.data, p);
}
TS_KERNEL(randperm, {.infer = infer_randperm<1>, .run = run_randperm, .random = true});
TS_KERNEL(randperm_generator, {.infer = infer_randperm<2>, .run = run_randperm, .random = true});

// ---- in the shape of self: uniform, normal, exponential, ... (self, parameters)
void infer_self(Call& call) { infer_like<100, 100>(call); }
double real_at(const Call& call, int i, double otherwise) {
  return i < call.nargs && call.args[i].is_number() ? call.args[i].as_double() : otherwise;
}
TS_KERNEL(uniform, {.infer =
                      [](Call& call) {
                        infer_self(call);
                        if (!is_complex(call.tensor(0).dtype)) check_floating("check_uniform_bounds", call.tensor(0).dtype);
                      },
                    .run = [](Call& call) { draw_uniform(call, reals(call.outputs[0]), real_at(call, 1, 0), real_at(call, 2, 1)); },
                    .random = true,
                    .in_place = true});
TS_KERNEL(normal, {.infer =
                     [](Call& call) {
                       infer_self(call);
                       if (real_at(call, 2, 1) < 0) fail("normal expects std >= 0.0, but found std %g", real_at(call, 2, 1));
                       if (!is_complex(call.tensor(0).dtype)) check_floating("normal_kernel_cpu", call.tensor(0).dtype);
                     },
                   .run = [](Call& call) { draw_normal(call, reals(call.outputs[0]), real_at(call, 1, 0), real_at(call, 2, 1)); },
                   .random = true,
                   .in_place = true});
TS_KERNEL(exponential, {.infer = infer_self,
                        .run =
                          [](Call& call) {
                            const double l = real_at(call, 1, 1);
                            draw_dense(call, call.outputs[0], [&](RandomSource& s) { return -std::log1p(-uniform53(s)) / l; });
                          },
                        .random = true,
                        .in_place = true});
TS_KERNEL(geometric, {.infer = infer_self,
                      .run =
                        [](Call& call) {
                          const double p = real_at(call, 1, 0.5);
                          draw_dense(call, call.outputs[0],
                                     [&](RandomSource& s) { return std::ceil(std::log(uniform53(s)) / std::log1p(-p)); });
                        },
                      .random = true,
                      .in_place = true});
TS_KERNEL(cauchy, {.infer = infer_self,
                   .run =
                     [](Call& call) {
                       const double median = real_at(call, 1, 0), sigma = real_at(call, 2, 1);
                       draw_dense(call, call.outputs[0], [&](RandomSource& s) {
                         return median + sigma * std::tan(3.14159265358979323846 * (uniform53(s) - 0.5));
                       });
                     },
                   .random = true,
                   .in_place = true});
TS_KERNEL(log_normal, {.infer = infer_self,
                       .run =
                         [](Call& call) {
                           const double mean = real_at(call, 1, 1), std = real_at(call, 2, 2);
                           draw_dense(call, call.outputs[0],
                                      [&](RandomSource& s) { return std::exp(s.next_normal_double() * std + mean); });
                         },
                       .random = true,
                       .in_place = true});
// random(self), random.to(self, to), random.from(self, from, to)
uint64_t default_range(DType t) {
  switch (t) {
    case DType::Bool: return 2;
    case DType::U8: return 256;
    case DType::I8: return 128;
    case DType::I16: return 32768;
    case DType::I32: return uint64_t{1} << 31;
    case DType::F16: return 2049;
    case DType::BF16: return 257;
    case DType::F32: return (uint64_t{1} << 24) + 1;
    case DType::F64: return (uint64_t{1} << 53) + 1;
    default: return uint64_t{1} << 63;
  }
}
TS_KERNEL(random, {.infer = infer_self,
                   .run =
                     [](Call& call) {
                       const uint64_t range = default_range(call.outputs[0].dtype);
                       const bool wide = call.outputs[0].dtype == DType::I64 || call.outputs[0].dtype == DType::F64;
                       RandomSource& source = call.runtime->random();
                       const TensorView& out = call.outputs[0];
                       const ConvertFn store = storer_of(Compute::I64, out.dtype);
                       for (int64_t i = 0; i < out.numel(); i++) {
                         const int64_t value = static_cast<int64_t>((wide ? source.next_u64() : source.next_u32()) % range);
                         store(1, static_cast<char*>(out.data) + i * dtype_size(out.dtype), &value);
                       }
                     },
                   .random = true,
                   .in_place = true});
TS_KERNEL(random_to, {.infer = infer_self,
                      .run = [](Call& call) { draw_integers(call, call.outputs[0], 0, static_cast<uint64_t>(call.args[1].as_int())); },
                      .random = true,
                      .in_place = true});
TS_KERNEL(random_from, {.infer = infer_self,
                        .run =
                          [](Call& call) {
                            const int64_t from = call.args[1].as_int();
                            const uint64_t range = call.args[2].is_none()
                                                     ? default_range(call.outputs[0].dtype) - static_cast<uint64_t>(from)
                                                     : static_cast<uint64_t>(call.args[2].as_int() - from);
                            draw_integers(call, call.outputs[0], from, range);
                          },
                        .random = true,
                        .in_place = true});

// ---- normal of tensors: draws of (0, 1), times std, plus mean
void infer_normal_tensors(Call& call) {
  const Arg* operands[3] = {&call.args[0], &call.args[1], nullptr};
  const Arg one;
  operands[2] = &one;
  infer_pointwise(call, PointwiseId::add, operands);
}
void run_normal_tensors(Call& call) {
  const TensorView& out = call.outputs[0];
  draw_normal(call, out, 0, 1);
  Arg drawn;
  drawn.kind = ArgKind::Tensor;
  drawn.tensor = &out;
  Arg one;
  one.kind = ArgKind::Int;
  one.i = 1;
  const Arg* scale[] = {&drawn, &call.args[1]};
  run_pointwise_to(call.runtime, out, PointwiseId::mul, scale);
  const Arg* shift[] = {&drawn, &call.args[0], &one};
  run_pointwise_to(call.runtime, out, PointwiseId::add, shift);
}
TS_KERNEL(normal_tensors, {.infer = infer_normal_tensors, .run = run_normal_tensors, .random = true});
TS_KERNEL(normal_sized, {.infer = [](Call& call) { set_sized_output(call, 0, dtype_arg(call, 4, DType::F32), call.args[2]); },
                         .run = [](Call& call) { draw_normal(call, call.outputs[0], call.args[0].as_double(), call.args[1].as_double()); },
                         .random = true});

// ---- bernoulli(self): self holds the probabilities; bernoulli.p(self, p)
void check_probability(double p) {
  if (!(p >= 0 && p <= 1)) fail("bernoulli_ expects p to be in [0, 1], but got p=%g", p);
}
void draw_bernoulli_of(Call& call, const TensorView& probabilities, const TensorView& out) {
  RandomSource& source = call.runtime->random();
  // Elements in the memory order of the output.
  TensorView p = out;
  p.dtype = probabilities.dtype == DType::F64 ? DType::F64 : DType::F32;
  const bool wide = p.dtype == DType::F64;
  const int64_t n = out.numel();
  p.data = call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, n)) * 8);
  copy_strided(p, probabilities, call.runtime);
  double* draws = static_cast<double*>(call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, n)) * 8));
  for (int64_t i = 0; i < n; i++) {
    const double probability = wide ? p.ptr<double>()[i] : static_cast<double>(p.ptr<float>()[i]);
    if (!(probability >= 0 && probability <= 1)) fail("Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
    draws[i] = (wide ? uniform53(source) : uniform24(source)) < probability;
  }
  store_doubles(n, out.dtype, out.data, draws);
}
void draw_bernoulli(Call& call, const TensorView& out, double p) {
  draw_dense(call, out, [&](RandomSource& s) { return uniform53(s) < p ? 1.0 : 0.0; });
}
TS_KERNEL(bernoulli, {.infer =
                        [](Call& call) {
                          infer_self(call);
                          check_floating("bernoulli_tensor_cpu_self_", call.tensor(0).dtype);
                        },
                      .run = [](Call& call) { draw_bernoulli_of(call, call.tensor(0), call.outputs[0]); },
                      .random = true});
TS_KERNEL(bernoulli_p, {.infer =
                          [](Call& call) {
                            infer_self(call);
                            check_probability(real_at(call, 1, 0.5));
                          },
                        .run = [](Call& call) { draw_bernoulli(call, call.outputs[0], real_at(call, 1, 0.5)); },
                        .random = true,
                        .in_place = true});
TS_KERNEL(bernoulli_tensor,
          {.infer = infer_self, .run = [](Call& call) { draw_bernoulli_of(call, call.tensor(1), call.outputs[0]); }, .random = true});

// ---- native_dropout(input, p, train) -> (output, mask)
void infer_dropout(Call& call) {
  const double p = call.args[1].as_double();
  if (!(p >= 0 && p <= 1)) fail("dropout probability has to be between 0 and 1, but got %g", p);
  infer_self(call);
}
Arg tensor_arg(const TensorView& t) {
  Arg arg;
  arg.kind = ArgKind::Tensor;
  arg.tensor = &t;
  return arg;
}
Arg float_arg(double d) {
  Arg arg;
  arg.kind = ArgKind::Float;
  arg.d = d;
  return arg;
}
void multiply(Call& call, const TensorView& out, const Arg& a, const Arg& b) {
  const Arg* operands[] = {&a, &b};
  run_pointwise_to(call.runtime, out, PointwiseId::mul, operands);
}
TS_KERNEL(native_dropout, {.infer =
                             [](Call& call) {
                               infer_dropout(call);
                               call.outputs[1] = call.outputs[0];
                               call.outputs[1].dtype = DType::Bool;
                             },
                           .run =
                             [](Call& call) {
                               const TensorView &self = call.tensor(0), &out = call.outputs[0], &mask = call.outputs[1];
                               const double p = call.args[1].as_double();
                               const bool train = call.args[2].is_none() || call.args[2].as_int() != 0;
                               const uint8_t yes = 1;
                               if (!train || p == 0) {
                                 copy_strided(out, self, call.runtime);
                                 fill_dense(call.runtime, mask, &yes);
                                 return;
                               }
                               draw_bernoulli(call, mask, 1 - p);
                               multiply(call, out, tensor_arg(self), tensor_arg(mask));
                               multiply(call, out, tensor_arg(out), float_arg(p == 1 ? 0 : 1 / (1 - p)));
                             },
                           .random = true});

// ---- multinomial(self, num_samples, replacement)
void infer_multinomial(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t samples = call.args[1].as_int();
  if (self.ndim != 1 && self.ndim != 2) fail("prob_dist must be 1 or 2 dim");
  check_floating("multinomial", self.dtype);
  if (samples <= 0) fail("cannot sample n_sample <= 0 samples");
  if (call.args[2].as_int() == 0 && samples > self.sizes[self.ndim - 1])
    fail("cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  const int64_t sizes[] = {self.ndim == 2 ? self.sizes[0] : samples, samples};
  call.set_output(0, DType::I64, sizes, self.ndim);
}
void run_multinomial(Call& call) {
  const TensorView& self = call.tensor(0);
  const int64_t samples = call.args[1].as_int(), n = self.sizes[self.ndim - 1], rows = self.ndim == 2 ? self.sizes[0] : 1;
  const bool replacement = call.args[2].as_int() != 0;
  TensorView p;
  p.dtype = DType::F64;
  format_strides(p, self, kContiguousFormat);
  p.data = call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, rows * n)) * 8);
  copy_strided(p, self, call.runtime);
  double* weights = p.ptr<double>();
  int64_t* out = call.outputs[0].ptr<int64_t>();
  for (int64_t r = 0; r < rows; r++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      const double w = weights[r * n + i];
      if (!(w >= 0) || std::isinf(w)) fail("probability tensor contains either `inf`, `nan` or element < 0");
      sum += w;
    }
    if (sum <= 0) fail("invalid multinomial distribution (sum of probabilities <= 0)");
  }
  RandomSource& source = call.runtime->random();
  if (!replacement || samples == 1) {
    // The largest of p / exponential draws.
    int64_t* order = static_cast<int64_t*>(call.runtime->scratch(static_cast<size_t>(n) * 8));
    double* ratio = static_cast<double*>(call.runtime->scratch(static_cast<size_t>(std::max<int64_t>(1, rows * n)) * 8));
    const bool wide = self.dtype == DType::F64;
    for (int64_t i = 0; i < rows * n; i++) {
      const double q = -std::log1p(-uniform53(source));
      ratio[i] = wide ? weights[i] / q : static_cast<double>(static_cast<float>(weights[i]) / static_cast<float>(q));
    }
    for (int64_t r = 0; r < rows; r++) {
      std::iota(order, order + n, 0);
      const double* q = ratio + r * n;
      std::partial_sort(order, order + samples, order + n, [&](int64_t a, int64_t b) { return q[a] > q[b] || (q[a] == q[b] && a < b); });
      std::copy(order, order + samples, out + r * samples);
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++) {
    double* cumulative = weights + r * n;
    for (int64_t i = 1; i < n; i++) cumulative[i] += cumulative[i - 1];
    const double sum = cumulative[n - 1];
    for (int64_t i = 0; i < n; i++) cumulative[i] /= sum;
    for (int64_t s = 0; s < samples; s++) {
      const double u = uniform53(source);
      out[r * samples + s] = std::min<int64_t>(n - 1, std::lower_bound(cumulative, cumulative + n, u) - cumulative);
    }
  }
}
TS_KERNEL(multinomial, {.infer = infer_multinomial, .run = run_multinomial, .random = true});

}  // namespace
}  // namespace torchscript
