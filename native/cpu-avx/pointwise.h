// The pointwise family: operators given by one scalar expression (lib/ops/*.ts, docs/pointwise.md), generated into
// native/gen/pointwise.inc, compiled for each instruction set by isa/pointwise.cc, driven by pointwise.cc.
#pragma once
#include "kernel.h"

namespace torchscript {

// What an expression is computed in. Half and bfloat16 compute in F32, integers narrower than 64 bits in I32, bool in B: bytes
// of 0 or 1.
enum class Compute : uint8_t { F32, F64, I32, I64, B, C64, C128 };
constexpr int kComputes = 7;

constexpr Compute compute_of(DType t) {
  switch (t) {
    case DType::F16:
    case DType::BF16:
    case DType::F32: return Compute::F32;
    case DType::F64: return Compute::F64;
    case DType::C32:
    case DType::C64: return Compute::C64;
    case DType::C128: return Compute::C128;
    case DType::Bool: return Compute::B;
    case DType::I64:
    case DType::U32:
    case DType::U64: return Compute::I64;
    default: return Compute::I32;
  }
}
constexpr int64_t compute_size(Compute c) {
  return c == Compute::C128 ? 16 : c == Compute::F64 || c == Compute::I64 || c == Compute::C64 ? 8 : c == Compute::B ? 1 : 4;
}
constexpr DType dtype_of(Compute c) {
  constexpr DType types[kComputes] = {DType::F32, DType::F64, DType::I32, DType::I64, DType::Bool, DType::C64, DType::C128};
  return types[static_cast<int>(c)];
}

constexpr int kMaxOperands = 6;

// n results to out. Operand k starts at in[k] and advances step[k] elements (1, or 0: a broadcast value repeated over 64
// bytes); conditions are bytes. Integer and complex functions want all steps 1. Out is bytes when the result is bool.
using PointwiseFn = void (*)(int64_t n, void* out, const void* const* in, const int64_t* step);
struct PointwiseEntry {
  PointwiseFn fn;
  const char* label;
};
struct PointwiseTable {
  const PointwiseEntry (*entries)[kComputes];  // by PointwiseId
};
TS_ISA_TABLE(PointwiseTable, pointwise_table);

// Conversions of contiguous elements: `load` from a dtype into a compute type, `store` back. Null where undefined.
using ConvertFn = void (*)(int64_t n, void* to, const void* from);
constexpr int kDTypeSlots = 128;
struct ConvertTable {
  ConvertFn load[kDTypeSlots][kComputes];
  ConvertFn store[kComputes][kDTypeSlots];
};
TS_ISA_TABLE(ConvertTable, convert_table);
// Those that must exist: others are refused by name.
ConvertFn loader_of(DType from, Compute to);
ConvertFn storer_of(Compute from, DType to);
// A ScalarType code of the catalog that names a dtype.
DType checked_dtype(int64_t code);

enum class Promotion : uint8_t { Same, Float, Bool, Real };
enum : uint8_t { kBoolClass = 1, kIntClass = 2, kFloatClass = 4, kComplexClass = 8 };

struct PointwiseOp {
  const char* name;
  Promotion promotion;
  uint8_t classes;
  uint8_t count;             // operands and parameters
  uint8_t conditions;        // bit k: operand k is a bool condition, which takes no part in promotion
  uint8_t params;            // bit k: a number of the computed type, no part in promotion
  int8_t arg[kMaxOperands];  // their positions in the schema
};
#define TS_POINTWISE_OP(name, ...) name,
enum class PointwiseId : uint16_t {
#include "gen/pointwise_table.inc"
  count
};
#undef TS_POINTWISE_OP

const PointwiseOp& pointwise_op(PointwiseId id);

struct PointwiseTypes {
  DType common;  // what operands are promoted to, and the dtype of parameters
  Compute compute;
  DType out;
};
// Throws what the operator says about operands it does not take.
PointwiseTypes pointwise_types(const PointwiseOp& op, const Arg* const* operands);
// What a function of the table writes for a compute type: the real part's type where complex numbers become real.
constexpr Compute computed_of(Promotion promotion, Compute compute) {
  return promotion != Promotion::Real ? compute
         : compute == Compute::C64    ? Compute::F32
         : compute == Compute::C128   ? Compute::F64
                                      : compute;
}
// A number as one element of a compute type. One of a narrow integer dtype wraps to it first; half and bfloat16 round; None is NaN.
void write_number_as(const Arg& arg, DType dtype, Compute compute, void* to);
// Repeats the first of `count` elements.
void repeat_value(void* buffer, int64_t size, int64_t count);

// What a row of this family computes for a call.
struct PointwiseChoice {
  PointwiseId id;
  const Arg* operands[kMaxOperands];  // of the call, or None
};
// A row by its name; null when it does more than one expression, or may raise because of data.
struct PointwiseRow {
  const char* name;
  PointwiseId id;                                       // where `choose` is null
  bool (*choose)(Call& call, PointwiseChoice& choice);  // false: not for this call
};
const PointwiseRow* find_pointwise_row(const char* name, int64_t size);
bool choose_pointwise(const PointwiseRow& row, Call& call, PointwiseChoice& choice);

// Infer and run of one operator on explicit operands, for rows that pick an expression by their arguments.
// `operands` has pointwise_op(id).count entries. `result` (not Undefined) overrides the output dtype.
void infer_pointwise(Call& call, PointwiseId id, const Arg* const* operands, DType result = DType::Undefined);
void run_pointwise(Call& call, PointwiseId id, const Arg* const* operands);
// The same without a call around it: operands and an output of any strides.
void run_pointwise_to(Runtime* runtime, const TensorView& out, PointwiseId id, const Arg* const* operands);

// Arguments at the positions the schema gives them.
void infer_pointwise(Call& call, PointwiseId id);
void run_pointwise(Call& call, PointwiseId id);

}  // namespace torchscript
