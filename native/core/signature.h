// What a recorded schedule depends on: shapes, strides and dtypes of tensor arguments, and the values of all others.
#pragma once
#include <string>
#include <string_view>

#include "core/small_vector.h"
#include "core/value.h"

namespace torchscript {

struct Signature {
  SmallVector<char, 512> bytes;
  SmallVector<Tensor*, 16> tensors;  // of the arguments, depth first

  std::string_view key() const { return {bytes.data(), bytes.size()}; }
  // False when calls with such arguments are not recorded: tensors that share memory with each other or with the program's state.
  bool read(const Value* args, size_t nargs);
  // Whether read() would give this key, which is compared as the arguments are walked and not made. Sets `tensors` alone.
  bool matches(const Value* args, size_t nargs, std::string_view key);

 private:
  template <class Key> bool add(Key& key, const Value& value, int depth);
  bool tensors_are_apart() const;
};

// `float32[1, 3, 224, 224], True`
std::string describe_signature(const Value* args, size_t nargs);

}  // namespace torchscript
