// Plan files: a plan and its tensors in one file (docs/plan-format.md).
#pragma once
#include <string>

#include "core/program.h"

namespace torchscript {

// Maps the file and loads the program; weights are used in place. Throws PlanError.
Ref<Program> load_plan_file(const std::string& path, OutputSink* sink);

}  // namespace torchscript
