// What is linked in: kernel rows (kernel.h) and builtins (builtin.h). Filled by static initialisers, read-only afterwards.
#pragma once
#include <string>
#include <vector>

#include "kernel.h"

namespace torchscript {

const Kernel* find_kernel(const std::string& name);
// The row for tensors on a CUDA device; null when there is none.
const Kernel* find_cuda_kernel(const char* name);
std::vector<std::string> kernel_names();
std::vector<std::string> cuda_kernel_names();
std::vector<std::string> builtin_names();
bool is_known_dtype(int64_t code);

}  // namespace torchscript
