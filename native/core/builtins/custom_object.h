// Objects of the classes that PyTorch defines in C++, `__torch__.torch.classes.*`: a class name and one value.
#pragma once
#include "core/value.h"

namespace torchscript::builtins {

Value make_custom_object(const char* class_name, Value payload);

}  // namespace torchscript::builtins
