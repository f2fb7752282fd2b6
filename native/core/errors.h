// Exceptions of the native side; binding.cc turns them into JavaScript errors.
#pragma once
#include <stdexcept>
#include <string>

namespace torchscript {

// An operator or a program failed. `python_class` is what Python would raise: "RuntimeError", "IndexError", "builtins.ValueError".
struct OperatorError : std::runtime_error {
  explicit OperatorError(const std::string& message, std::string python_class = "RuntimeError")
      : std::runtime_error(message), python_class(std::move(python_class)) {}
  std::string python_class;
};

// Not implemented: operator, overload, dtype or device.
struct UnsupportedOperator : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A `raise` of a TorchScript program, or an operator's error with the TorchScript stack added.
struct ScriptError : std::runtime_error {
  ScriptError(const std::string& message, std::string python_class, std::string stack, bool from_operator = false)
      : std::runtime_error(message), python_class(std::move(python_class)), stack(std::move(stack)), from_operator(from_operator) {}
  std::string python_class;
  std::string stack;  // rendered "Traceback of TorchScript" block
  bool from_operator;
};

// UnsupportedOperator with the TorchScript stack added.
struct LocatedUnsupported : std::runtime_error {
  LocatedUnsupported(const std::string& message, std::string stack) : std::runtime_error(message), stack(std::move(stack)) {}
  std::string stack;
};

// The plan bytes are malformed.
struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace torchscript
