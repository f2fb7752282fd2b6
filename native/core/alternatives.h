// Choice between kernels that compute the same, by their time on the call at hand.
#pragma once
#include "core/tensor.h"
#include "kernel.h"

namespace torchscript {

// `row`, or a row named <provider>_<row's name> that took less time for this very call. Outputs have their memory, which is written.
// `storage` holds argument row.pack_arg, whose contents stay. The loser's packed weights are dropped.
const Kernel& faster_row(const Kernel& row, Call& call, Storage& storage);

}  // namespace torchscript
