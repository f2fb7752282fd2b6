// What a recorded schedule depends on: shapes, strides and dtypes of tensor arguments, and the values of all others.
#pragma once
#include <string>
#include <vector>

#include "core/value.h"

namespace torchscript {

struct Signature {
  std::string key;
  std::vector<Tensor*> tensors;  // of the arguments, depth first

  // False when calls with such arguments are not recorded: tensors that share memory with each other or with the program's state.
  bool read(const Value* args, size_t nargs);

 private:
  bool add(const Value& value, int depth);
};

// `float32[1, 3, 224, 224], True`
std::string describe_signature(const Value* args, size_t nargs);

}  // namespace torchscript
