// Where expressions on device memory run: set by the room of that device.
#pragma once
#include "cpu-avx/pointwise.h"

namespace torchscript {

using DevicePointwise = void (*)(Runtime* runtime, const TensorView& out, PointwiseId id, const Arg* const* operands);
extern DevicePointwise device_pointwise;

}  // namespace torchscript
