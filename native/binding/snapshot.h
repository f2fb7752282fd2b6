// Objects of a program as data, for writing archives.
#pragma once
#include <napi.h>

#include "core/program.h"

namespace torchscript::binding {

// Everything that an object reaches, as `{ root, entries }` (NativeBinding.Snapshot): counted values are entries, once each and in the order
// in which they are found; other values name them by their index.
Napi::Value snapshot_of(Napi::Env env, const Ref<Program>& program, const Value& object, OutputSink* sink);

}  // namespace torchscript::binding
