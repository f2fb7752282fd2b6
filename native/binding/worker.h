// Runs off the JavaScript thread.
#pragma once
#include <napi.h>

#include <memory>
#include <vector>

#include "core/program.h"

namespace torchscript::binding {

struct Environment;
struct AsyncPort;

// A promise of the function's result, computed on a thread of the addon's own.
Napi::Value start_run(Napi::Env env, Environment& environment, Ref<Program> program, const Function& function, std::vector<Value> args);
void close_port(AsyncPort& port);

}  // namespace torchscript::binding
