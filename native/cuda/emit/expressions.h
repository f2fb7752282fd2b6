// The expressions of the pointwise family (native/gen) as PTX.
#pragma once
#include "cpu-avx/pointwise.h"
#include "cuda/emit/recorder.h"

namespace torchscript::cuda::emit {

// Writes an expression on operands in the form of a compute type (conditions are predicates) to the recorder of this thread. The result is of that
// type, or a predicate.
using RecordFn = Value (*)(const Value* operands);
// Null where there is none. One that cannot be written refuses when it is called.
RecordFn expression_of(PointwiseId id, Compute compute);

}  // namespace torchscript::cuda::emit
