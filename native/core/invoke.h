// Arguments of a kernel made from Values.
#pragma once
#include <memory>
#include <vector>

#include "core/value.h"
#include "kernel.h"

namespace torchscript {

// Args that point into the values they were made from; small lists live inside.
class ArgList {
 public:
  ArgList() = default;
  ArgList(const ArgList&) = delete;
  ArgList& operator=(const ArgList&) = delete;
  void set(const Value* values, int count);
  const Arg* data() const { return args_; }
  int count() const { return count_; }

 private:
  static constexpr int kInline = 24;
  void convert(const Value& value, Arg& arg);
  void convert_items(const std::vector<Value>& items, const TypeInfo* element, Arg& arg);
  void* take(size_t bytes);

  Arg inline_[kInline];
  Arg* args_ = inline_;
  int count_ = 0;
  std::vector<Arg> many_;
  alignas(8) char small_[768];
  size_t used_ = 0;
  std::vector<std::unique_ptr<char[]>> heap_;
};

// Whether a tensor among the arguments is on an accelerator, or a Device asks for one.
bool on_accelerator(const Value* args, int nargs);

// The executor's own row that copies args[0] into outputs[0], converting; infer is not called.
const Kernel& copy_row();

}  // namespace torchscript
