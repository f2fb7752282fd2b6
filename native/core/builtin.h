// Operators that the executor runs itself: views, scalars, lists, dicts, strings, conversions. They work on Values, compute no
// tensor data (kernels do), and live in native/core/builtins/, grouped by family.
#pragma once
#include <initializer_list>
#include <string>

#include "core/value.h"

namespace torchscript {

// What a builtin may ask of the run it is part of.
struct Context {
  // Runs a kernel row on arguments in schema order and returns its first output (call_kernel_n: all of them).
  virtual Value call_kernel(const char* row, std::initializer_list<Value> args) = 0;
  virtual std::vector<Value> call_kernel_n(const char* row, const Value* args, int nargs, int noutputs) = 0;
  // Writes the kernel's result into an existing tensor (a view is fine), as in-place operators do: casts to its dtype.
  virtual void copy_into(Tensor& destination, const Tensor& source) = 0;
  // The value of a one-element tensor as Int, Float, Bool or Complex. The only way a builtin may look at tensor data: it makes the run
  // data-dependent unless the tensor is known for the shape signature (size arithmetic of traces).
  virtual Value item(const Tensor& tensor) = 0;
  // A builtin that must see raw data (tolist, data-dependent shapes) says so first; `reason` names the operator.
  virtual void reads_data(const Tensor& tensor, const char* reason) = 0;
  // A tensor made from values known at this point (NumToTensor, torch.tensor of numbers, arange of ints): recorded as a constant of the signature.
  virtual Value known_tensor(Ref<Tensor> tensor) = 0;
  // The tensor on a device: itself, or a copy, which is a step of its own.
  virtual Value to_device(const Value& tensor, int8_t device) = 0;
  // The run has an effect besides its results (print, warn, seeding, attribute writes): it is never replayed from a recording.
  virtual void side_effect(const char* reason) = 0;
  virtual RandomSource& random() = 0;
  // Standard output and warnings of programs; the runtime decides where they go.
  virtual void print(const std::string& line) = 0;
  virtual void warn(const std::string& message) = 0;
  // Calls a method of an object by name, such as `__lt__` of the elements that a sort compares.
  virtual Value call_method(const Value& self, const char* method, const Value* args, int nargs) = 0;
  // Calls another operator by full schema name, builtin or kernel.
  virtual std::vector<Value> call_operator(const char* full_name, const Value* args, int nargs) = 0;

 protected:
  ~Context() = default;
};

using BuiltinFn = void (*)(Context& context, Value* args, int nargs, Value* results, int nresults);

// File-scope registration: static Builtins b{{"aten::add.int", [](Context&, Value* a, int, Value* r, int) { ... }}, ...};
struct BuiltinRow {
  const char* name;  // full schema name, `aten::add.int`
  BuiltinFn run;
};
struct Builtins {
  Builtins(std::initializer_list<BuiltinRow> rows);
};
BuiltinFn find_builtin(const std::string& full_name);  // null when there is none

}  // namespace torchscript
