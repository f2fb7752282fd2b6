// Driver of the pointwise family: broadcasting, promotion, output layout, tiles.
#include "cpu-avx/pointwise.h"

#include <algorithm>
#include <cstring>

#include "cpu-avx/iterate.h"
#include "cpu-avx/pointwise_device.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

#define TS_POINTWISE_OP(name, promotion, classes, count, conditions, params, ...) \
  {#name, promotion, classes, count, conditions, params, {__VA_ARGS__}},
constexpr PointwiseOp kOps[] = {
#include "gen/pointwise_table.inc"
};
#undef TS_POINTWISE_OP

constexpr int64_t kTile = 1024;    // elements that are gathered or converted at a time
constexpr int64_t kGrain = 32768;  // elements a thread takes at least
constexpr int64_t kShortRow = 48;  // rows below this are gathered into tiles

uint8_t class_of(DType t) {
  if (t == DType::Bool) return kBoolClass;
  if (is_complex(t)) return kComplexClass;
  if (is_floating(t)) return kFloatClass;
  return kIntClass;
}

using Types = PointwiseTypes;

bool in_promotion(const PointwiseOp& op, int k) { return !((op.conditions | op.params) >> k & 1); }

}  // namespace

PointwiseTypes pointwise_types(const PointwiseOp& op, const Arg* const* operands) {
  ResultType result;
  for (int k = 0; k < op.count; k++) {
    if (in_promotion(op, k)) result.add(*operands[k]);
  }
  DType common = result.get();
  if (std::strcmp(op.name, "sub") == 0 || std::strcmp(op.name, "rsub") == 0) {
    for (int k = 0; k < 2; k++) {
      if (operands[k]->kind == ArgKind::Bool || (operands[k]->kind == ArgKind::Tensor && operands[k]->tensor->dtype == DType::Bool)) {
        fail(
          "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
      }
    }
  }
  if (common == DType::Undefined) fail("Expected a tensor or a number for the operands of `%s` but received None", op.name);
  if (is_quantized(common)) fail("%s is not implemented for quantized tensors", op.name);
  const bool lifts = op.promotion == Promotion::Float || (op.promotion == Promotion::Real && !(op.classes & kIntClass));
  if (lifts && !is_floating(common) && !is_complex(common)) common = DType::F32;
  if (!(op.classes & class_of(common)) || (is_floating(common) && dtype_size(common) == 1)) {
    fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", op.name, dtype_torch_name(common));
  }
  Types types;
  types.common = common;
  types.compute = compute_of(common);
  types.out = op.promotion == Promotion::Bool ? DType::Bool : op.promotion == Promotion::Real ? real_of(common) : common;
  return types;
}

namespace {

void check_scalar_conversion(const PointwiseOp& op, const Arg& arg, DType common) {
  if (arg.kind == ArgKind::Complex && !is_complex(common))
    fail("value cannot be converted to type %s without overflow", dtype_torch_name(common));
  if (common == DType::Bool || is_integral(common)) {
    const bool is_alpha = std::strcmp(op.name, "add") == 0 || std::strcmp(op.name, "sub") == 0 || std::strcmp(op.name, "rsub") == 0;
    if (is_alpha && arg.kind == ArgKind::Float) fail("For integral input tensors, argument alpha must not be a floating point number.");
  }
}

// A number as one element of a compute type.
void write_number(const Arg& arg, Compute compute, void* to) {
  const bool none = arg.is_none();
  const double d = none ? __builtin_nan("") : arg.as_double();
  switch (compute) {
    case Compute::F32: *static_cast<float*>(to) = static_cast<float>(d); break;
    case Compute::F64: *static_cast<double*>(to) = d; break;
    case Compute::I32: *static_cast<int32_t*>(to) = static_cast<int32_t>(arg.as_int()); break;
    case Compute::I64: *static_cast<int64_t*>(to) = arg.as_int(); break;
    case Compute::B:
      *static_cast<uint8_t*>(to) = arg.kind == ArgKind::Float     ? arg.d != 0
                                   : arg.kind == ArgKind::Complex ? arg.c.re != 0 || arg.c.im != 0
                                                                  : arg.as_int() != 0;
      break;
    case Compute::C64: {
      float* p = static_cast<float*>(to);
      p[0] = static_cast<float>(d);
      p[1] = arg.kind == ArgKind::Complex ? static_cast<float>(arg.c.im) : 0;
      break;
    }
    case Compute::C128: {
      double* p = static_cast<double*>(to);
      p[0] = d;
      p[1] = arg.kind == ArgKind::Complex ? arg.c.im : 0;
      break;
    }
  }
}
}  // namespace

void write_number_as(const Arg& arg, DType dtype, Compute compute, void* to) {
  write_number(arg, compute, to);
  if (arg.is_none()) return;
  if (dtype == dtype_of(compute) || dtype == DType::Bool) return;
  const ConvertTable& table = convert_table();
  alignas(16) char narrow[16];
  table.store[static_cast<int>(compute)][static_cast<int>(dtype)](1, narrow, to);
  table.load[static_cast<int>(dtype)][static_cast<int>(compute)](1, to, narrow);
}

void repeat_value(void* buffer, int64_t size, int64_t count) {
  char* p = static_cast<char*>(buffer);
  for (int64_t i = 1; i < count; i++) std::memcpy(p + i * size, p, static_cast<size_t>(size));
}

namespace {

// One operand of a run.
struct Source {
  const char* data = nullptr;  // of a tensor; null for a number
  int64_t size = 0;            // of an element in memory
  ConvertFn load = nullptr;    // null: memory is already in the computed form
  int64_t width = 0;           // of an element in the computed form
  int operand = 0;             // in the iteration
  bool broadcast = false;      // one value everywhere
  bool linear = false;         // in memory in the order of the iteration
  alignas(64) char value[64];  // that value, repeated
};

struct Plan {
  PointwiseFn fn;
  Iteration it;
  Source sources[kMaxOperands];
  int count;
  bool fill_tiles;  // the inner function wants full tiles of broadcast values
  char* out;
  int64_t out_size;   // element in memory
  int64_t out_width;  // element as computed
  ConvertFn store;    // null: computed as stored
};

void run_range(const Plan& plan, int64_t begin, int64_t end) {
  const Iteration& it = plan.it;
  alignas(64) char gathered[kTile * 16];
  alignas(64) char tiles[kMaxOperands][kTile * 16];
  alignas(64) char result[kTile * 16];
  const bool rows = it.ndim > 1 && it.sizes[0] >= kShortRow;
  const void* in[kMaxOperands];
  int64_t step[kMaxOperands];
  bool direct = true;  // no tile in between
  for (int k = 0; k < plan.count; k++) {
    const Source& s = plan.sources[k];
    if (s.broadcast) {
      step[k] = 0;
      in[k] = s.value;
      if (plan.fill_tiles) {
        std::memcpy(tiles[k], s.value, static_cast<size_t>(s.width));
        repeat_value(tiles[k], s.width, std::min(kTile, end - begin));
        in[k] = tiles[k];
        direct = false;
      }
      continue;
    }
    step[k] = 1;
    const int64_t stride = it.strides[s.operand][0];
    const bool as_is = !s.load && (rows || it.ndim == 1 ? stride == 1 : s.linear);
    if (!as_is) direct = false;
  }
  const bool straight = rows ? it.strides[0][0] == 1 : it.is_linear(0);
  const bool out_as_is = !plan.store && straight;
  if (!out_as_is) direct = false;
  for (int64_t at = begin; at < end;) {
    int64_t n = end - at;
    if (rows) n = std::min(n, it.sizes[0] - at % it.sizes[0]);
    if (!direct) n = std::min(n, kTile);
    for (int k = 0; k < plan.count; k++) {
      const Source& s = plan.sources[k];
      if (s.broadcast) continue;
      if (!rows && it.ndim > 1) {
        if (s.linear && !s.load) {
          in[k] = s.data + at * s.size;
          continue;
        }
        char* raw = s.load ? gathered : tiles[k];
        gather_range(it, s.operand, at, n, raw, s.data, s.size);
        if (s.load) s.load(n, tiles[k], raw);
        in[k] = tiles[k];
        continue;
      }
      const char* p = s.data + (rows ? it.offset(s.operand, at) : at * it.strides[s.operand][0]) * s.size;
      const int64_t stride = it.strides[s.operand][0];
      if (stride == 1 && !s.load) {
        in[k] = p;
        step[k] = 1;
        continue;
      }
      if (stride == 0) {
        if (s.load) s.load(1, tiles[k], p);
        else std::memcpy(tiles[k], p, static_cast<size_t>(s.width));
        repeat_value(tiles[k], s.width, plan.fill_tiles ? n : 64 / s.width);
        step[k] = 0;
        in[k] = tiles[k];
        continue;
      }
      if (stride != 1) {
        char* raw = s.load ? gathered : tiles[k];
        gather_elements(n, raw, p, stride, s.size);
        p = raw;
      }
      if (s.load) s.load(n, tiles[k], p);
      in[k] = tiles[k];
      step[k] = 1;
    }
    if (out_as_is) {
      plan.fn(n, plan.out + (rows ? it.offset(0, at) : at) * plan.out_size, in, step);
    } else {
      plan.fn(n, result, in, step);
      char* from = result;
      if (plan.store) {
        char* to = straight ? plan.out + (rows ? it.offset(0, at) : at) * plan.out_size : gathered;
        plan.store(n, to, result);
        from = gathered;
      }
      if (!(plan.store && straight)) {
        if (rows || it.ndim == 1) {
          scatter_elements(n, plan.out + (rows ? it.offset(0, at) : at * it.strides[0][0]) * plan.out_size, it.strides[0][0], from,
                           plan.out_size);
        } else {
          scatter_range(it, 0, at, n, plan.out, from, plan.out_size);
        }
      }
    }
    at += n;
  }
}

}  // namespace

ConvertFn loader_of(DType from, Compute to) {
  const ConvertFn fn = static_cast<int>(from) >= 0 ? convert_table().load[static_cast<int>(from)][static_cast<int>(to)] : nullptr;
  if (!fn) fail_as("NotImplementedError", "arithmetic is not implemented for '%s'", dtype_torch_name(from));
  return fn;
}
ConvertFn storer_of(Compute from, DType to) {
  const ConvertFn fn = static_cast<int>(to) >= 0 ? convert_table().store[static_cast<int>(from)][static_cast<int>(to)] : nullptr;
  if (!fn) fail_as("NotImplementedError", "arithmetic is not implemented for '%s'", dtype_torch_name(to));
  return fn;
}
DType checked_dtype(int64_t code) {
  const DType dtype = code >= 0 && code < 127 ? static_cast<DType>(code) : DType::Undefined;
  if (dtype == DType::Undefined || std::strcmp(dtype_name(dtype), "undefined") == 0)
    fail("Expected a scalar type for `dtype` but received %lld", static_cast<long long>(code));
  return dtype;
}

const PointwiseOp& pointwise_op(PointwiseId id) { return kOps[static_cast<int>(id)]; }

void infer_pointwise(Call& call, PointwiseId id, const Arg* const* operands, DType result) {
  const PointwiseOp& op = pointwise_op(id);
  const Types types = pointwise_types(op, operands);
  TensorView& out = call.outputs[0];
  out.dtype = result != DType::Undefined ? result : types.out;
  const TensorView* tensors[kMaxOperands];
  int count = 0;
  bool same = true;  // all of one shape and contiguous, numbers aside
  for (int k = 0; k < op.count; k++) {
    const Arg& arg = *operands[k];
    if (op.params >> k & 1) {
      check_scalar_conversion(op, arg, types.common);
      continue;
    }
    if (arg.kind != ArgKind::Tensor) continue;
    const TensorView& t = *arg.tensor;
    if (op.conditions >> k & 1 && t.dtype != DType::Bool && t.dtype != DType::U8) {
      fail("%s expected condition to be a boolean tensor, but got a tensor with dtype %s", op.name, dtype_torch_name(t.dtype));
    }
    if (t.ndim > 0 || count == 0) {
      same = same && t.is_contiguous();
      if (count > 0) {
        same = same && t.ndim == tensors[0]->ndim;
        for (int d = 0; same && d < t.ndim; d++) same = t.sizes[d] == tensors[0]->sizes[d];
      }
    }
    tensors[count++] = &t;
  }
  if (count == 0) {
    call.set_output(0, out.dtype, nullptr, 0);
    return;
  }
  if (same) {
    const TensorView* widest = tensors[0];
    for (int i = 1; i < count; i++)
      if (tensors[i]->ndim > widest->ndim) widest = tensors[i];
    if (tensors[0]->ndim == widest->ndim) {
      call.set_output(0, out.dtype, widest->sizes, widest->ndim);
      return;
    }
  }
  int ndim = 0;
  int64_t shape[kMaxDims];
  for (int i = 0; i < count; i++) broadcast_shape(shape, ndim, *tensors[i]);
  int64_t strides[kMaxOperands][kMaxDims];
  for (int i = 0; i < count; i++) broadcast_strides(strides[i], shape, ndim, *tensors[i]);
  out.ndim = ndim;
  std::copy(shape, shape + ndim, out.sizes);
  output_strides(out.strides, shape, ndim, strides, count);
}

// The common case, for small tensors above all: every operand a contiguous float tensor of the output's shape or a single
// value, all of one dtype. False when it is not that.
template <class T>
bool run_plainly(Runtime* runtime, const TensorView& out, PointwiseId id, const PointwiseOp& op, const Arg* const* operands, DType dtype) {
  constexpr int kLanes = 64 / sizeof(T);
  alignas(64) T values[kMaxOperands][kLanes];
  struct {
    PointwiseFn fn;
    char* out;
    const char* in[kMaxOperands];
    int64_t step[kMaxOperands], size[kMaxOperands];
    int64_t out_size;
    int count;
  } run;
  if (out.dtype != (op.promotion == Promotion::Bool ? DType::Bool : dtype) || !out.is_contiguous()) return false;
  for (int k = 0; k < op.count; k++) {
    const Arg& arg = *operands[k];
    const bool condition = op.conditions >> k & 1;
    if (arg.kind != ArgKind::Tensor) {
      if (arg.kind == ArgKind::Complex || condition) return false;
      const T value = arg.is_none() ? static_cast<T>(__builtin_nan("")) : static_cast<T>(arg.as_double());
      for (int i = 0; i < kLanes; i++) values[k][i] = value;
    } else {
      const TensorView& t = *arg.tensor;
      if (t.dtype != (condition ? DType::Bool : dtype)) return false;
      bool same = t.ndim == out.ndim;
      int64_t numel = 1;
      for (int d = 0; d < t.ndim; d++) {
        same = same && t.sizes[d] == out.sizes[d];
        numel *= t.sizes[d];
      }
      if (same && t.is_contiguous()) {
        run.in[k] = static_cast<const char*>(t.data);
        run.step[k] = 1;
        run.size[k] = condition ? 1 : sizeof(T);
        continue;
      }
      if (numel != 1 || condition) return false;
      const T value = *t.ptr<T>();
      for (int i = 0; i < kLanes; i++) values[k][i] = value;
    }
    run.in[k] = reinterpret_cast<const char*>(values[k]);
    run.step[k] = run.size[k] = 0;
  }
  const int64_t n = out.numel();
  if (n == 0) return true;
  const PointwiseEntry& entry =
    pointwise_table().entries[static_cast<int>(id)][static_cast<int>(sizeof(T) == 4 ? Compute::F32 : Compute::F64)];
  if (!entry.fn) return false;
  run.fn = entry.fn;
  run.out = static_cast<char*>(out.data);
  run.out_size = dtype_size(out.dtype);
  run.count = op.count;
  runtime->note(entry.label);
  const auto piece = [&run](int64_t begin, int64_t end) {
    const void* in[kMaxOperands];
    for (int k = 0; k < run.count; k++) in[k] = run.in[k] + begin * run.size[k];
    run.fn(end - begin, run.out + begin * run.out_size, in, run.step);
  };
  if (n <= kGrain) piece(0, n);
  else runtime->parallel(n, kGrain, piece);
  return true;
}
bool run_plainly(Runtime* runtime, const TensorView& out, PointwiseId id, const PointwiseOp& op, const Arg* const* operands) {
  for (int k = 0; k < op.count; k++) {
    if (!in_promotion(op, k) || operands[k]->kind != ArgKind::Tensor) continue;
    const DType dtype = operands[k]->tensor->dtype;
    if (dtype == DType::F32) return run_plainly<float>(runtime, out, id, op, operands, dtype);
    if (dtype == DType::F64) return run_plainly<double>(runtime, out, id, op, operands, dtype);
    return false;
  }
  return false;
}

DevicePointwise device_pointwise = nullptr;

void run_pointwise_to(Runtime* runtime, const TensorView& out, PointwiseId id, const Arg* const* operands) {
  if (out.device != kCpuDevice) return device_pointwise(runtime, out, id, operands);
  const PointwiseOp& op = pointwise_op(id);
  if (run_plainly(runtime, out, id, op, operands)) return;
  const Types types = pointwise_types(op, operands);
  const int compute = static_cast<int>(types.compute);
  const PointwiseEntry& entry = pointwise_table().entries[static_cast<int>(id)][compute];
  if (!entry.fn) fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", op.name, dtype_torch_name(types.common));
  const ConvertTable& convert = convert_table();

  Plan plan;
  plan.fn = entry.fn;
  plan.count = op.count;
  plan.fill_tiles = types.compute != Compute::F32 && types.compute != Compute::F64;
  plan.out = static_cast<char*>(out.data);
  plan.out_size = dtype_size(out.dtype);
  const Compute computed = op.promotion != Promotion::Real  ? types.compute
                           : types.compute == Compute::C64  ? Compute::F32
                           : types.compute == Compute::C128 ? Compute::F64
                                                            : types.compute;
  if (op.promotion == Promotion::Bool) {
    plan.out_width = 1;
    plan.store = out.dtype == DType::Bool ? nullptr : convert.load[static_cast<int>(DType::Bool)][static_cast<int>(compute_of(out.dtype))];
    if (out.dtype != DType::Bool) fail("%s writes bool, not %s", op.name, dtype_torch_name(out.dtype));
  } else {
    plan.out_width = compute_size(computed);
    plan.store = out.dtype == dtype_of(computed) ? nullptr : convert.store[static_cast<int>(computed)][static_cast<int>(out.dtype)];
    if (out.dtype != dtype_of(computed) && !plan.store) fail("%s cannot write %s", op.name, dtype_torch_name(out.dtype));
  }

  int64_t strides[kMaxIterated][kMaxDims];
  std::copy(out.strides, out.strides + out.ndim, strides[0]);
  int iterated = 1;
  for (int k = 0; k < op.count; k++) {
    const Arg& arg = *operands[k];
    Source& source = plan.sources[k];
    const bool condition = op.conditions >> k & 1;
    source.width = condition ? 1 : compute_size(types.compute);
    if (arg.kind != ArgKind::Tensor) {
      source.broadcast = true;
      if (condition) source.value[0] = arg.as_int() != 0;
      else write_number_as(arg, types.common, types.compute, source.value);
      repeat_value(source.value, source.width, 64 / source.width);
      continue;
    }
    const TensorView& t = *arg.tensor;
    source.data = static_cast<const char*>(t.data);
    source.size = dtype_size(t.dtype);
    if (!condition) {
      if (t.dtype != dtype_of(types.compute)) {
        source.load = convert.load[static_cast<int>(t.dtype)][compute];
        if (!source.load) fail_as("NotImplementedError", "\"%s\" not implemented for '%s'", op.name, dtype_torch_name(t.dtype));
      }
    }
    if (t.numel() == 1 && t.ndim <= out.ndim) {
      source.broadcast = true;
      if (source.load) source.load(1, source.value, source.data);
      else std::memcpy(source.value, source.data, static_cast<size_t>(source.width));
      repeat_value(source.value, source.width, 64 / source.width);
      continue;
    }
    broadcast_strides(strides[iterated], out.sizes, out.ndim, t);
    source.operand = iterated++;
  }
  plan.it.build(out.sizes, out.ndim, strides, iterated);
  if (plan.it.total == 0) return;
  for (int k = 0; k < plan.count; k++) plan.sources[k].linear = !plan.sources[k].broadcast && plan.it.is_linear(plan.sources[k].operand);
  runtime->note(entry.label);
  runtime->parallel(plan.it.total, kGrain, [&plan](int64_t begin, int64_t end) { run_range(plan, begin, end); });
}

void run_pointwise(Call& call, PointwiseId id, const Arg* const* operands) {
  run_pointwise_to(call.runtime, call.outputs[0], id, operands);
}

namespace {
void operands_of(const Call& call, PointwiseId id, const Arg** operands) {
  static const Arg none;
  const PointwiseOp& op = pointwise_op(id);
  for (int k = 0; k < op.count; k++) operands[k] = op.arg[k] < call.nargs ? &call.args[op.arg[k]] : &none;
}
}  // namespace

void infer_pointwise(Call& call, PointwiseId id) {
  const Arg* operands[kMaxOperands];
  operands_of(call, id, operands);
  infer_pointwise(call, id, operands);
}
void run_pointwise(Call& call, PointwiseId id) {
  const Arg* operands[kMaxOperands];
  operands_of(call, id, operands);
  run_pointwise(call, id, operands);
}

}  // namespace torchscript
