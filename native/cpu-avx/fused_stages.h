// Stages of fused groups (isa/fused.cc): one operator on a block of eight vectors that stays in registers from stage to stage.
#pragma once
#include "cpu-avx/pointwise.h"

namespace torchscript {

// A stage of a pipeline. It works on the block whose first element is `at`, and calls the next one. Operands other than the block in
// registers lie in memory: operand k of the block at p[k] + at * step[k] bytes. A step of 0 is one value, repeated over 64 bytes.
using StageFn = void (*)();
struct Stage {
  StageFn fn;
  const char* p[3];
  int64_t step[3];
};

constexpr int kBlockVectors = 8;

// Forms of one expression by what is in registers; null where there is none. The other operands are Stage::p in order.
enum class StageForm : uint8_t {
  FirstValue,   // operand 0, and the second operand is one value; also for expressions of one operand
  FirstArray,   // operand 0, the second operand is an array
  SecondValue,  // operand 1, the first operand is one value
  SecondArray,
  Both,   // operands 0 and 1 are the same
  First,  // of three operands: any steps
  Second,
  Third
};
constexpr int kStageForms = 8;
// What is no expression.
enum class StageKind : uint8_t {
  Load,    // starts a pipeline with the array p[0]
  Store,   // writes the block to p[0]; it goes on in registers
  Stream,  // as Store, past the caches; 64-byte aligned
  End      // ends every pipeline
};

struct PipelineTable {
  int64_t block;                                          // elements
  StageFn (*expression)(PointwiseId id, StageForm form);  // null: there is none
  StageFn (*other)(StageKind kind);
  // Runs the blocks of [begin, end), which are multiples of `block`.
  void (*run)(const Stage* stages, int64_t begin, int64_t end);
};
struct FusedTable {
  PipelineTable f32, f64;
  void (*fence)();  // after streams, before other threads look
  const char* label;
};
TS_ISA_TABLE(FusedTable, fused_table);

}  // namespace torchscript
