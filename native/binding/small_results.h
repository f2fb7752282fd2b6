// Tensors without a handle: an object of the addon behind each, with its finalizer, costs more than most small computations.
// Small results that nobody else holds cross to JavaScript as numbers; their elements are copied into an ArrayBuffer that many results
// share. Such results, and tensors that JavaScript makes over memory of its own, come back as an ArrayBuffer with a place in it.
#pragma once
#include <napi.h>

#include <vector>

#include "core/value.h"

namespace torchscript::binding {

class SmallResults {
 public:
  static constexpr size_t kLargest = 4096;  // bytes of one tensor
  static constexpr size_t kSlot = 64, kSlots = 256;

  static constexpr size_t kMaxArguments = 16;

  // `{ memory, places, changed }` for JavaScript: the buffer that the last result lies in; for each argument that is an ArrayBuffer the byte
  // offset and the layout of the tensor; pairs of an argument's index and the handle that its tensor needs after the call.
  Napi::Object face(Napi::Env env);
  // False when the tensor is not one of these. The number is layout * kSlots + slot.
  bool put(Napi::Env env, const Value& value, uint32_t* number);
  // The number of a layout; -1 when there are too many.
  int find_layout(const TensorView& view);
  // `{ dtype, sizes }` of a layout, or undefined.
  Napi::Value layout(Napi::Env env, size_t index) const;
  // The environment goes.
  void forget() {
    memory_.SuppressDestruct();
    face_.SuppressDestruct();
  }

 private:
  struct Layout {
    int64_t sizes[kMaxDims];
    int32_t ndim;
    DType dtype;
  };
  static constexpr size_t kMaxLayouts = size_t{1} << 14;

  friend class BorrowedArguments;

  std::vector<Layout> layouts_;
  std::vector<uint32_t> index_;  // open addressing; layout + 1
  uint32_t last_ = 0;
  char* data_ = nullptr;
  size_t used_ = kSlots;
  Napi::Reference<Napi::ArrayBuffer> memory_;
  Napi::ObjectReference face_;
  const double* places_ = nullptr;
};

// The arguments of one call that are ArrayBuffers.
class BorrowedArguments {
 public:
  // A tensor on the memory, good for this call. Throws where the place is not inside of the buffer.
  Ref<Tensor> take(Napi::Env env, SmallResults& results, const Napi::Value& buffer, size_t index);
  // After the run: tensors that something else holds now, or that the run has changed as objects, get handles and their memory a reference.
  void settle(Napi::Env env, SmallResults& results);

 private:
  struct Argument {
    napi_value buffer;
    size_t index, offset;
    uint32_t layout;
    Ref<Tensor> tensor;
    Ref<Storage> storage;
  };
  Argument items_[SmallResults::kMaxArguments];
  size_t count_ = 0;
};

}  // namespace torchscript::binding
