// An interpreter of the PTX that native/cuda/emit writes. Instructions that it does not know are errors that name them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cuda_emulation.h"

namespace emulation {

struct PtxProgram;
struct PtxKernel {
  KernelEntry entry;
  std::string name;
  size_t parameter_bytes = 0;
  unsigned most_threads = 1024;
  std::shared_ptr<PtxProgram> program;
};

// The kernels of a text, or none with what is wrong in `error`.
std::vector<std::unique_ptr<PtxKernel>> parse_ptx(const std::string& text, std::string* error);
inline bool is_ptx(const char* image) { return std::strncmp(image, ".version", 8) == 0; }

}  // namespace emulation
