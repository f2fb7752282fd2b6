// Small tensors that nobody else holds cross to JavaScript as numbers: their elements are copied into an ArrayBuffer that many results
// share, and no object of the addon stands behind them. A handle, with its finalizer, costs more than most small computations.
#pragma once
#include <napi.h>

#include <vector>

#include "core/value.h"

namespace torchscript::binding {

class SmallResults {
 public:
  static constexpr size_t kLargest = 4096;  // bytes of one tensor
  static constexpr size_t kSlot = 64, kSlots = 256;

  // `{ memory }` for JavaScript: the buffer that the last result lies in.
  Napi::Object face(Napi::Env env);
  // False when the tensor is not one of these. The number is layout * kSlots + slot.
  bool put(Napi::Env env, const Value& value, uint32_t* number);
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

  int find_layout(const TensorView& view);

  std::vector<Layout> layouts_;
  std::vector<uint32_t> index_;  // open addressing; layout + 1
  uint32_t last_ = 0;
  char* data_ = nullptr;
  size_t used_ = kSlots;
  Napi::Reference<Napi::ArrayBuffer> memory_;
  Napi::ObjectReference face_;
};

}  // namespace torchscript::binding
