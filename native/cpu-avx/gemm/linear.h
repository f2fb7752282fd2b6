// Rows of linear layers that other rows fall back to. Defined in matmul.cc.
#pragma once
#include "kernel.h"

namespace torchscript {

// (input, weight [out, in], bias?)
void linear_infer(Call& call);
// (input, weight [out, in], bias?, residual?, activation)
void linear_epilogue_infer(Call& call);
void linear_epilogue_run(Call& call);

}  // namespace torchscript
