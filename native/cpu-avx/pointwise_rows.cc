// Kernel rows of the pointwise family: one for each expression that schemas reach directly, and those that choose an
// expression by their arguments.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu-avx/copy.h"
#include "cpu-avx/pointwise.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

#define TS_POINTWISE_ROW(name)                                                            \
  TS_KERNEL(name, {.infer = [](Call& call) { infer_pointwise(call, PointwiseId::name); }, \
                   .run = [](Call& call) { run_pointwise(call, PointwiseId::name); },     \
                   .in_place = true,                                                      \
                   .total = true});
#include "gen/pointwise_rows.inc"
#undef TS_POINTWISE_ROW

const Arg kNone;

bool text_is(const Arg& arg, const char* text) {
  return arg.kind == ArgKind::String && arg.str.n == static_cast<int64_t>(std::strlen(text)) &&
         std::memcmp(arg.str.p, text, arg.str.n) == 0;
}
Arg float_arg(double d) {
  Arg arg;
  arg.kind = ArgKind::Float;
  arg.d = d;
  return arg;
}

// ---- gelu(self, approximate)
PointwiseId gelu_of(const Call& call) {
  const Arg& mode = call.args[1];
  if (call.nargs < 2 || mode.is_none() || text_is(mode, "none")) return PointwiseId::gelu_erf;
  if (text_is(mode, "tanh")) return PointwiseId::gelu_tanh;
  fail("approximate argument must be either none or tanh.");
}
TS_KERNEL(gelu, {.infer =
                   [](Call& call) {
                     const Arg* o[] = {&call.args[0]};
                     infer_pointwise(call, gelu_of(call), o);
                   },
                 .run =
                   [](Call& call) {
                     const Arg* o[] = {&call.args[0]};
                     run_pointwise(call, gelu_of(call), o);
                   },
                 .in_place = true});

// ---- clamp(self, min, max), clamp_min(self, min), clamp_max(self, max): numbers or tensors, either absent
struct ClampChoice {
  PointwiseId id;
  const Arg* operands[3];
};
ClampChoice clamp_of(const Arg* self, const Arg* low, const Arg* high) {
  if (low->is_none() && high->is_none()) fail("torch.clamp: At least one of 'min' or 'max' must not be None");
  if (high->is_none()) return {PointwiseId::clamp_lower, {self, low, nullptr}};
  if (low->is_none()) return {PointwiseId::clamp_upper, {self, high, nullptr}};
  return {PointwiseId::clamp_both, {self, low, high}};
}
void infer_clamp(Call& call, const Arg* low, const Arg* high) {
  const ClampChoice c = clamp_of(&call.args[0], low, high);
  infer_pointwise(call, c.id, c.operands);
}
void run_clamp(Call& call, const Arg* low, const Arg* high) {
  const ClampChoice c = clamp_of(&call.args[0], low, high);
  run_pointwise(call, c.id, c.operands);
}
const Arg* at(const Call& call, int i) { return i < call.nargs ? &call.args[i] : &kNone; }
TS_KERNEL(clamp, {.infer = [](Call& call) { infer_clamp(call, at(call, 1), at(call, 2)); },
                  .run = [](Call& call) { run_clamp(call, at(call, 1), at(call, 2)); },
                  .in_place = true});
TS_KERNEL(clamp_min, {.infer = [](Call& call) { infer_clamp(call, at(call, 1), &kNone); },
                      .run = [](Call& call) { run_clamp(call, at(call, 1), &kNone); },
                      .in_place = true});
TS_KERNEL(clamp_max, {.infer = [](Call& call) { infer_clamp(call, &kNone, at(call, 1)); },
                      .run = [](Call& call) { run_clamp(call, &kNone, at(call, 1)); },
                      .in_place = true});

// ---- division of integers refuses a zero divisor
DType common_type(const Call& call) {
  ResultType result;
  result.add(call.args[0]);
  result.add(call.args[1]);
  return result.get();
}
template <class T> bool has_zero(const TensorView& t) {
  const int64_t n = t.numel();
  int64_t index[kMaxDims] = {};
  const T* p = t.ptr<T>();
  for (int64_t i = 0; i < n; i++) {
    if (*p == 0) return true;
    for (int d = t.ndim - 1; d >= 0; d--) {
      p += t.strides[d];
      if (++index[d] < t.sizes[d]) break;
      p -= t.strides[d] * t.sizes[d];
      index[d] = 0;
    }
  }
  return false;
}
void refuse_zero_divisor(const Call& call) {
  const DType type = common_type(call);
  if (!is_integral(type) && type != DType::Bool) return;
  const Arg& divisor = call.args[1];
  // On a device the quotient is unspecified, as in PyTorch: nobody waits for the data.
  if (divisor.kind == ArgKind::Tensor && divisor.tensor->device != kCpuDevice) return;
  bool zero;
  if (divisor.kind != ArgKind::Tensor) {
    zero = divisor.as_int() == 0;
  } else {
    switch (dtype_size(divisor.tensor->dtype)) {
      case 1: zero = has_zero<uint8_t>(*divisor.tensor); break;
      case 2: zero = has_zero<uint16_t>(*divisor.tensor); break;
      case 4: zero = has_zero<uint32_t>(*divisor.tensor); break;
      default: zero = has_zero<uint64_t>(*divisor.tensor); break;
    }
  }
  if (zero) fail("ZeroDivisionError");
}
void infer_two(Call& call, PointwiseId id) {
  const Arg* o[] = {&call.args[0], &call.args[1]};
  infer_pointwise(call, id, o);
}
void run_division(Call& call, PointwiseId id) {
  if (call.outputs[0].numel() > 0) refuse_zero_divisor(call);
  const Arg* o[] = {&call.args[0], &call.args[1]};
  run_pointwise(call, id, o);
}
TS_KERNEL(remainder, {.infer = [](Call& call) { infer_two(call, PointwiseId::remainder_of); },
                      .run = [](Call& call) { run_division(call, PointwiseId::remainder_of); },
                      .in_place = true});
TS_KERNEL(fmod, {.infer = [](Call& call) { infer_two(call, PointwiseId::fmod_of); },
                 .run = [](Call& call) { run_division(call, PointwiseId::fmod_of); },
                 .in_place = true});
TS_KERNEL(floor_divide, {.infer = [](Call& call) { infer_two(call, PointwiseId::div_floor); },
                         .run = [](Call& call) { run_division(call, PointwiseId::div_floor); },
                         .in_place = true});
PointwiseId division_of(const Call& call) {
  const Arg& mode = *at(call, 2);
  if (mode.is_none()) return PointwiseId::div;
  if (text_is(mode, "trunc")) return PointwiseId::div_trunc;
  if (text_is(mode, "floor")) return PointwiseId::div_floor;
  fail("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%.*s'", static_cast<int>(mode.str.n), mode.str.p);
}
TS_KERNEL(div_mode, {.infer = [](Call& call) { infer_two(call, division_of(call)); },
                     .run =
                       [](Call& call) {
                         const PointwiseId id = division_of(call);
                         if (id != PointwiseId::div) return run_division(call, id);
                         const Arg* o[] = {&call.args[0], &call.args[1]};
                         run_pointwise(call, id, o);
                       },
                     .in_place = true});

// ---- pow(self, exponent): small exponents by multiplication and roots
struct PowChoice {
  PointwiseId id;
  bool unary;
};
PowChoice pow_of_call(const Call& call) {
  const Arg& exponent = call.args[1];
  const DType type = common_type(call);
  if (is_integral(type) && exponent.is_number() && exponent.as_double() < 0) {
    fail("Integers to negative integer powers are not allowed.");
  }
  if (exponent.is_number() && exponent.kind != ArgKind::Complex && call.args[0].kind == ArgKind::Tensor &&
      type == call.args[0].tensor->dtype) {
    const double e = exponent.as_double();
    if (e == 2) return {PointwiseId::square, true};
    if (e == 3) return {PointwiseId::cube, true};
    if (is_floating(type)) {
      if (e == 0.5) return {PointwiseId::sqrt, true};
      if (e == -0.5) return {PointwiseId::rsqrt, true};
      if (e == -1) return {PointwiseId::reciprocal, true};
    }
  }
  return {PointwiseId::pow_of, false};
}
// bool ** bool is refused, bool ** number is the number's kind.
TS_KERNEL(pow, {.infer =
                  [](Call& call) {
                    infer_two(call, PointwiseId::pow_of);
                    pow_of_call(call);
                  },
                .run =
                  [](Call& call) {
                    const PowChoice choice = pow_of_call(call);
                    const Arg* o[] = {&call.args[0], &call.args[1]};
                    run_pointwise(call, choice.id, o);
                  },
                .in_place = true});

// ---- square(self): of bool as int64
void square_call(Call& call, bool run) {
  Arg two;
  two.kind = ArgKind::Int;
  two.i = 2;
  const bool truth = call.tensor(0).dtype == DType::Bool;
  const Arg* o[] = {&call.args[0], &two};
  const PointwiseId id = truth ? PointwiseId::pow_of : PointwiseId::square;
  if (run) run_pointwise(call, id, o);
  else infer_pointwise(call, id, o);
}
TS_KERNEL(square_of,
          {.infer = [](Call& call) { square_call(call, false); }, .run = [](Call& call) { square_call(call, true); }, .in_place = true});

// ---- float_power(self, exponent): in float64 or complex128
struct FloatPower {
  TensorView views[2];
  Arg args[2];
  const Arg* list[2];
  FloatPower(Call& call, bool convert) {
    bool complex = false;
    for (int i = 0; i < 2; i++) {
      const Arg& arg = call.args[i];
      complex = complex || arg.kind == ArgKind::Complex || (arg.kind == ArgKind::Tensor && is_complex(arg.tensor->dtype));
    }
    const DType dtype = complex ? DType::C128 : DType::F64;
    for (int i = 0; i < 2; i++) {
      list[i] = &args[i];
      args[i] = call.args[i];
      if (args[i].kind != ArgKind::Tensor) continue;
      views[i] = *call.args[i].tensor;
      args[i].tensor = &views[i];
      views[i].dtype = dtype;
      if (!convert || call.args[i].tensor->dtype == dtype) continue;
      format_strides(views[i], *call.args[i].tensor, kPreserveFormat);
      views[i].data = call.runtime->scratch(static_cast<size_t>(views[i].numel() + 1) * 16);
      copy_strided(views[i], *call.args[i].tensor, call.runtime);
    }
  }
};
TS_KERNEL(float_power, {.infer =
                          [](Call& call) {
                            FloatPower p(call, false);
                            infer_pointwise(call, PointwiseId::pow_of, p.list);
                          },
                        .run =
                          [](Call& call) {
                            FloatPower p(call, true);
                            run_pointwise(call, PointwiseId::pow_of, p.list);
                          }});

// ---- frexp(self): mantissa in [1/2, 1) and exponent
TS_KERNEL(frexp, {.infer =
                    [](Call& call) {
                      const TensorView& self = call.tensor(0);
                      if (!is_floating(self.dtype)) fail("torch.frexp() only supports floating-point dtypes");
                      for (int i = 0; i < 2; i++) {
                        format_strides(call.outputs[i], self, kPreserveFormat);
                        call.outputs[i].dtype = i ? DType::I32 : self.dtype;
                      }
                    },
                  .run =
                    [](Call& call) {
                      TensorView wide = call.outputs[0];
                      wide.dtype = DType::F64;
                      const int64_t n = wide.numel();
                      wide.data = call.runtime->scratch(static_cast<size_t>(n + 1) * 8);
                      copy_strided(wide, call.tensor(0), call.runtime);
                      int32_t* exponents = call.outputs[1].ptr<int32_t>();
                      for (int64_t i = 0; i < n; i++) {
                        int exponent = 0;
                        wide.ptr<double>()[i] = std::frexp(wide.ptr<double>()[i], &exponent);
                        exponents[i] = exponent;
                      }
                      copy_strided(call.outputs[0], wide, call.runtime);
                    }});

// ---- round(self), round.decimals(self, decimals)
void round_call(Call& call, bool run) {
  const int64_t places = at(call, 1)->as_int();
  const DType dtype = call.args[0].kind == ArgKind::Tensor ? call.tensor(0).dtype : DType::F32;
  const Arg scale = float_arg(std::pow(10.0, std::abs(static_cast<double>(places))));
  const Arg* o[] = {&call.args[0], &scale};
  const PointwiseId id = places == 0 || !is_floating(dtype) ? PointwiseId::round_whole
                         : places > 0                       ? PointwiseId::round_places
                                                            : PointwiseId::round_tens;
  if (run) run_pointwise(call, id, o);
  else infer_pointwise(call, id, o);
}
TS_KERNEL(round,
          {.infer = [](Call& call) { round_call(call, false); }, .run = [](Call& call) { round_call(call, true); }, .in_place = true});

// ---- nan_to_num(self, nan, posinf, neginf): absent bounds are those of the dtype
void nan_to_num_call(Call& call, bool run) {
  const DType dtype = call.tensor(0).dtype;
  const double highest = dtype == DType::F16 || dtype == DType::C32    ? 65504.0
                         : dtype == DType::BF16                        ? 0x1.fep127
                         : dtype == DType::F64 || dtype == DType::C128 ? 1.7976931348623157e308
                                                                       : 3.40282346638528859812e38;
  const Arg bounds[] = {float_arg(0), float_arg(highest), float_arg(-highest)};
  const Arg* o[4] = {&call.args[0]};
  for (int i = 0; i < 3; i++) o[i + 1] = at(call, i + 1)->is_none() ? &bounds[i] : at(call, i + 1);
  if (run) run_pointwise(call, PointwiseId::nan_to_num_of, o);
  else infer_pointwise(call, PointwiseId::nan_to_num_of, o);
}
TS_KERNEL(nan_to_num, {.infer = [](Call& call) { nan_to_num_call(call, false); },
                       .run = [](Call& call) { nan_to_num_call(call, true); },
                       .in_place = true});

// ---- complex(real, imag), polar(abs, angle): two real passes, into the parts of the output
TensorView part_of(const TensorView& out, int part) {
  TensorView view = out;
  view.dtype = real_of(out.dtype);
  view.data = static_cast<char*>(out.data) + part * dtype_size(view.dtype);
  for (int d = 0; d < view.ndim; d++) view.strides[d] *= 2;
  return view;
}
void infer_complex(Call& call) {
  const TensorView &a = call.tensor(0), &b = call.tensor(1);
  if (a.dtype != b.dtype || !is_floating(a.dtype)) {
    fail("Expected both inputs to be Half, Float or Double tensors but got %s and %s", dtype_torch_name(a.dtype),
         dtype_torch_name(b.dtype));
  }
  infer_two(call, PointwiseId::polar_real);
  call.outputs[0].dtype = complex_of(a.dtype);
}
TS_KERNEL(polar, {.infer = infer_complex, .run = [](Call& call) {
                    const Arg* o[] = {&call.args[0], &call.args[1]};
                    run_pointwise_to(call.runtime, part_of(call.outputs[0], 0), PointwiseId::polar_real, o);
                    run_pointwise_to(call.runtime, part_of(call.outputs[0], 1), PointwiseId::polar_imag, o);
                  }});
TS_KERNEL(complex, {.infer = infer_complex, .run = [](Call& call) {
                      for (int part = 0; part < 2; part++) {
                        const Arg* o[] = {&call.args[part]};
                        run_pointwise_to(call.runtime, part_of(call.outputs[0], part), PointwiseId::positive, o);
                      }
                    }});

// ---- prelu(self, weight): one weight, or one for each channel
struct PreluOperands {
  TensorView weight;
  Arg arg;
  const Arg* list[2];
  explicit PreluOperands(const Call& call) {
    const TensorView& self = call.tensor(0);
    const TensorView& w = call.tensor(1);
    weight = w;
    const int64_t n = w.numel();
    if (w.ndim > 1 && n != 1) fail("prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = %d", w.ndim);
    if (n != 1) {
      if (self.ndim == 0) fail("Not allow zero-dim input tensor.");
      const int channel = self.ndim >= 2 ? 1 : 0;
      const int64_t channels = self.ndim >= 2 ? self.sizes[1] : 1;
      if (channels != n)
        fail("Mismatch of parameter numbers and input channel size. Found parameter numbers = %lld and channel size = %lld.",
             static_cast<long long>(n), static_cast<long long>(channels));
      weight.ndim = self.ndim;
      for (int d = 0; d < self.ndim; d++) {
        weight.sizes[d] = d == channel ? n : 1;
        weight.strides[d] = d == channel ? w.strides[0] : 0;
      }
    } else {
      weight.ndim = 0;
    }
    if (w.dtype != self.dtype)
      fail("prelu: Type promoting not supported. Got %s and %s", dtype_torch_name(self.dtype), dtype_torch_name(w.dtype));
    arg.kind = ArgKind::Tensor;
    arg.tensor = &weight;
    list[0] = &call.args[0];
    list[1] = &arg;
  }
};
TS_KERNEL(prelu, {.infer =
                    [](Call& call) {
                      PreluOperands o(call);
                      infer_pointwise(call, PointwiseId::prelu_kernel, o.list);
                    },
                  .run =
                    [](Call& call) {
                      PreluOperands o(call);
                      run_pointwise(call, PointwiseId::prelu_kernel, o.list);
                    },
                  .in_place = true});

// ---- what rows compute, for fused groups
bool choose_clamp(PointwiseChoice& out, const ClampChoice& choice) {
  out.id = choice.id;
  std::copy(choice.operands, choice.operands + 3, out.operands);
  return true;
}
// Division of integers looks for zeros first.
bool choose_division(Call& call, PointwiseChoice& out, PointwiseId id) {
  const DType type = common_type(call);
  if (id != PointwiseId::div && (is_integral(type) || type == DType::Bool)) return false;
  out.id = id;
  out.operands[0] = &call.args[0];
  out.operands[1] = &call.args[1];
  return true;
}

#define TS_POINTWISE_ROW(name) {#name, PointwiseId::name, nullptr},
constexpr PointwiseRow kRows[] = {
#include "gen/pointwise_rows.inc"
  {"gelu", PointwiseId::gelu_erf,
   [](Call& call, PointwiseChoice& out) {
     out.id = gelu_of(call);
     out.operands[0] = &call.args[0];
     return true;
   }},
  {"clamp", PointwiseId::clamp_both,
   [](Call& call, PointwiseChoice& out) { return choose_clamp(out, clamp_of(&call.args[0], at(call, 1), at(call, 2))); }},
  {"clamp_min", PointwiseId::clamp_lower,
   [](Call& call, PointwiseChoice& out) { return choose_clamp(out, clamp_of(&call.args[0], at(call, 1), &kNone)); }},
  {"clamp_max", PointwiseId::clamp_upper,
   [](Call& call, PointwiseChoice& out) { return choose_clamp(out, clamp_of(&call.args[0], &kNone, at(call, 1))); }},
  {"remainder", PointwiseId::remainder_of,
   [](Call& call, PointwiseChoice& out) { return choose_division(call, out, PointwiseId::remainder_of); }},
  {"fmod", PointwiseId::fmod_of, [](Call& call, PointwiseChoice& out) { return choose_division(call, out, PointwiseId::fmod_of); }},
  {"floor_divide", PointwiseId::div_floor,
   [](Call& call, PointwiseChoice& out) { return choose_division(call, out, PointwiseId::div_floor); }},
  {"div_mode", PointwiseId::div, [](Call& call, PointwiseChoice& out) { return choose_division(call, out, division_of(call)); }},
  {"pow", PointwiseId::pow_of,
   [](Call& call, PointwiseChoice& out) {
     // Both expressions have to promote alike.
     const PowChoice choice = pow_of_call(call);
     out.id = choice.id;
     out.operands[0] = &call.args[0];
     out.operands[1] = &call.args[1];
     return true;
   }},
  {"square_of", PointwiseId::square,
   [](Call& call, PointwiseChoice& out) {
     if (call.tensor(0).dtype == DType::Bool) return false;
     out.id = PointwiseId::square;
     out.operands[0] = &call.args[0];
     return true;
   }},
  {"round", PointwiseId::round_whole,
   [](Call& call, PointwiseChoice& out) {
     if (at(call, 1)->as_int() != 0) return false;
     out.id = PointwiseId::round_whole;
     out.operands[0] = &call.args[0];
     return true;
   }},
};
#undef TS_POINTWISE_ROW

}  // namespace

const PointwiseRow* find_pointwise_row(const char* name, int64_t size) {
  for (const PointwiseRow& row : kRows)
    if (static_cast<int64_t>(std::strlen(row.name)) == size && std::memcmp(row.name, name, static_cast<size_t>(size)) == 0) return &row;
  return nullptr;
}

bool choose_pointwise(const PointwiseRow& row, Call& call, PointwiseChoice& choice) {
  if (row.choose) return row.choose(call, choice);
  choice.id = row.id;
  const PointwiseOp& op = pointwise_op(row.id);
  for (int k = 0; k < op.count; k++) choice.operands[k] = at(call, op.arg[k]);
  return true;
}

}  // namespace torchscript
