// What JavaScript sees of CUDA devices.
#pragma once
#include <napi.h>

namespace torchscript::binding {

Napi::Object cuda_face(Napi::Env env);

}  // namespace torchscript::binding
