// A folder of kernels that the driver has compiled: `<name>-sm_90.cuda` for each text and chip. An entry holds the text, the driver's version and a digest;
// what does not match is compiled again, and entries take their names when they are whole.
#pragma once
#include <string>
#include <vector>

namespace torchscript::cuda {

// TORCHSCRIPT_CUDA_CACHE at first; empty: none.
void set_kernel_folder(const std::string& folder);
std::string kernel_folder();

// The compiled form of a text for a chip (`sm_90`), from the folder or, when it is not there, from the driver and then stored. Empty when there is no
// folder, or no way to compile apart from loading.
std::vector<char> compiled_kernel(const std::string& name, const std::string& text, const std::string& chip);

}  // namespace torchscript::cuda
