// Shapes of a reduction and the walk over its input (reduce_driver.cc); rows in reduce.cc.
#pragma once
#include "cpu-avx/reduce.h"

namespace torchscript {

// Which dimensions go. None or an empty list: all of them.
struct ReducedDims {
  bool reduced[kMaxDims] = {};
  int count = 0;
};
ReducedDims reduced_dims(const Arg& dims, int ndim);
int64_t wrap_dim(int64_t dim, int ndim);
// Sets output i to the reduced shape.
void set_reduced_output(Call& call, int i, DType dtype, const TensorView& self, const ReducedDims& dims, bool keepdim);
// Number of elements that one output sees.
int64_t reduced_count(const TensorView& self, const ReducedDims& dims);

// Element type a dtype is reduced in.
Element element_of(DType t);
constexpr int64_t accumulator_size(Element e) { return e == Element::C128 ? 16 : 8; }
constexpr DType accumulator_dtype(Element e) { return e == Element::C128 ? DType::C128 : e == Element::I64 ? DType::I64 : DType::F64; }

// Folds `self` into an array of accumulators, one for each output in row-major order, which the caller has filled with the
// identity. `param`: one accumulator for each output, or null.
void fold_dims(Runtime* runtime, const TensorView& self, const ReducedDims& dims, Fold fold, void* acc, const void* param);

// Writes accumulators to an output, converting.
void store_accumulators(Runtime* runtime, const TensorView& out, Element element, const void* acc);

// A row of a reduction that may end a fused group: how its result follows from one fold.
struct FusedReduction {
  const char* row;
  void (*infer)(Call& call);
  int dims;  // position of the argument; -1: all of them
  Fold fold;
  double identity;
  enum class Finish : uint8_t { None, Mean, Any, All } finish;
};
const FusedReduction* find_fused_reduction(const char* name, int64_t size);

}  // namespace torchscript
