// Elements of the dtypes in registers and in memory, as PTX.
//
// In a register an element is what it is between steps, rounded to its dtype: halves and float32 in .f32, float64 in .f64, integers of 32 bits and
// fewer in .b32 (extended), int64 and uint32 in .b64, bool as a predicate.
#pragma once
#include "cpu-avx/pointwise.h"
#include "cuda/emit/recorder.h"

namespace torchscript::cuda::emit {

bool has_elements(DType dtype);
Type register_of(DType dtype);
// In the form that a compute type works on (cpu-avx/isa/convert.cc), and back. B as a number: .b32 of 0 or 1.
Value as_compute(Recorder& r, const Value& element, DType from, Compute to);
Value as_dtype(Recorder& r, const Value& computed, Compute from, DType to);
// The predicate as 1 or 0 of a compute type.
Value truth_as(Recorder& r, const Value& truth, Compute to);

// `lanes` neighbours at an address, which is aligned to their size up to 16 bytes.
void load_elements(Recorder& r, DType dtype, const Value& address, int lanes, Value* elements, bool uniform = false);
void store_elements(Recorder& r, DType dtype, const Value& address, int lanes, const Value* elements,
                    const std::string& guard = std::string());

}  // namespace torchscript::cuda::emit
