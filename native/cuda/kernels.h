// The compiled kernels: where they are found, how they are launched, and the launches that every room of kernels shares.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "cuda/context.h"
#include "cuda/kernels/params.h"
#include "kernel.h"

namespace torchscript::cuda {

// A kernel on the context's device; throws OperatorError that says why it is missing. `dynamic_shared` beyond 48 KiB is asked of the driver.
FunctionHandle find_function(Context& context, const char* name, size_t dynamic_shared = 0);
// The file of kernels (docs/cuda.md): TORCHSCRIPT_CUDA_KERNELS, else torchscript.cuda beside the driver that TORCHSCRIPT_CUDA_DRIVER names,
// else beside the addon. Names of the kernels in it, or why there is none.
std::vector<std::string> kernel_file_names(std::string* path, std::string* reason);

struct Dim {
  unsigned x = 1, y = 1, z = 1;
};

// Launches `name` on the device of `device` with parameters exactly as TS_GLOBAL declares them. Notes the kernel's name.
void launch_raw(int device, Runtime* runtime, const char* name, Dim grid, Dim block, size_t dynamic_shared, void** parameters);
template <class... P> void launch(int device, Runtime* runtime, const char* name, Dim grid, Dim block, size_t dynamic_shared, const P&... parameters) {
  void* list[] = {const_cast<void*>(static_cast<const void*>(&parameters))...};
  launch_raw(device, runtime, name, grid, block, dynamic_shared, list);
}

// Blocks for `n` threads' work that strides through the grid: enough to fill the device, no more.
unsigned grid_for(int device, int64_t n, int block);

// Memory of the running call, in order with its launches.
class Scratch {
 public:
  Scratch(int device, size_t bytes) : device_(device), bytes_(bytes), data_(accelerator()->allocate(device, bytes)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { accelerator()->release(device_, data_, bytes_); }
  template <class T> T* ptr() const { return static_cast<T*>(data_); }

 private:
  int device_;
  size_t bytes_;
  void* data_;
};

Divider divider_of(uint32_t divisor);

// A loop over windows of the shape of `views[0]`, whose strides are `strides[k]` (0 where a window repeats): dimensions of one element are
// left out, neighbours merge, the innermost is where the first window is densest. False when there are 2^31 elements or more.
bool build_loop(const int64_t* sizes, int ndim, const int64_t* const* strides, int windows, uint32_t* n, int32_t* loop_ndim, Divider* dividers,
                int64_t* out_strides, int out_row);
template <int kWindows> bool build_loop(Loop<kWindows>& loop, const int64_t* sizes, int ndim, const int64_t* const* strides, int windows) {
  return build_loop(sizes, ndim, strides, windows, &loop.n, &loop.ndim, loop.sizes, &loop.strides[0][0], kWindows);
}

// Copies a window into another of equal shape on one device: any strides and dtypes, any number of elements.
void copy_strided(const TensorView& destination, const TensorView& source, Runtime* runtime = nullptr);
// Every element of a window without gaps; `element` is on the CPU.
void fill_dense(const TensorView& out, const void* element, Runtime* runtime = nullptr);

}  // namespace torchscript::cuda
