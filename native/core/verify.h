// Checks on decoded code that let the interpreter run it without checks of its own.
#pragma once
#include <string>

#include "core/plan.h"

namespace torchscript {

// Registers, jump targets (starts of instructions), and indices of constants, operators, functions, types and classes; numbers of
// arguments and results of operators and calls; and that no path runs off the end. Throws PlanError.
void verify_code(const Plan& plan, const Function& function);

// Sets Function::mutates_objects: attribute writes, or mutations of lists and dicts, here or in what is called.
void propagate_mutation(Plan& plan);

// True for operators that change a list or a dict in place, by schema name.
bool is_container_mutation(const std::string& operator_name);

}  // namespace torchscript
