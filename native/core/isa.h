// Diagnosis of the instruction set choice (kernel.h: active_isa).
#pragma once
#include <string>

namespace torchscript {

// Why TORCHSCRIPT_ISA cannot be obeyed, or empty. The binding refuses to work while it is not empty.
const std::string& isa_error();

}  // namespace torchscript
