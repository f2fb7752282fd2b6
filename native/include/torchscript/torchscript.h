// TorchScript programs in C++, without Node. Link the objects of native/core and native/cpu-avx.
//
//   torchscript::api::Program program = torchscript::api::Program::load("model.tsplan");
//   torchscript::api::Value y = program.run("forward", {torchscript::api::Tensor::of({1, 3, 224, 224}, pixels)});
//   const float* logits = y.tensor().data<float>();
//
// A plan file holds the compiled program and its weights (docs/plan-format.md, Plan file). Errors are exceptions derived from std::runtime_error.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace torchscript::api {

// PyTorch's scalar type codes (a selection by name).
enum class DType : int8_t { U8 = 0, I8 = 1, I16 = 2, I32 = 3, I64 = 4, F16 = 5, F32 = 6, F64 = 7, Bool = 11, BF16 = 15 };

template <class T> struct DTypeOf;
template <> struct DTypeOf<uint8_t> { static constexpr DType value = DType::U8; };
template <> struct DTypeOf<int8_t> { static constexpr DType value = DType::I8; };
template <> struct DTypeOf<int16_t> { static constexpr DType value = DType::I16; };
template <> struct DTypeOf<int32_t> { static constexpr DType value = DType::I32; };
template <> struct DTypeOf<int64_t> { static constexpr DType value = DType::I64; };
template <> struct DTypeOf<float> { static constexpr DType value = DType::F32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::F64; };
template <> struct DTypeOf<bool> { static constexpr DType value = DType::Bool; };

struct TensorState;
struct ValueState;
struct ProgramState;

// A contiguous tensor. Copies share memory.
class Tensor {
 public:
  // Uninitialised memory.
  Tensor(DType dtype, const std::vector<int64_t>& sizes);
  // A copy of the elements.
  template <class T> static Tensor of(const std::vector<int64_t>& sizes, const T* elements) {
    return copy(DTypeOf<T>::value, sizes, elements);
  }
  template <class T> static Tensor of(const std::vector<int64_t>& sizes, const std::vector<T>& elements) {
    return of(sizes, elements.data());
  }

  DType dtype() const;
  const std::vector<int64_t>& sizes() const;
  int64_t numel() const;
  template <class T> T* data() const { return static_cast<T*>(raw(DTypeOf<T>::value)); }
  void* data() const;

 private:
  friend class Value;
  friend class Program;
  explicit Tensor(std::shared_ptr<TensorState> state) : state_(std::move(state)) {}
  static Tensor copy(DType dtype, const std::vector<int64_t>& sizes, const void* elements);
  void* raw(DType expected) const;
  std::shared_ptr<TensorState> state_;
};

// What functions take and return.
class Value {
 public:
  enum class Kind { None, Bool, Int, Float, String, Tensor, List, Tuple, Other };
  Value();  // None
  Value(Tensor tensor);
  Value(bool b);
  Value(int64_t i);
  Value(int i) : Value(static_cast<int64_t>(i)) {}
  Value(double d);
  Value(const char* text) : Value(std::string(text)) {}
  Value(std::string text);
  static Value list(const std::vector<Value>& items);
  static Value tuple(const std::vector<Value>& items);

  Kind kind() const;
  // These throw when the value is of another kind.
  Tensor tensor() const;
  bool boolean() const;
  int64_t integer() const;
  double number() const;
  std::string string() const;
  std::vector<Value> items() const;  // List and Tuple

 private:
  friend class Program;
  explicit Value(std::shared_ptr<ValueState> state) : state_(std::move(state)) {}
  std::shared_ptr<ValueState> state_;
};

// A loaded program; run() may be called from many threads.
class Program {
 public:
  static Program load(const std::string& path);
  // A method of the module by name, or a function by its qualified name.
  Value run(const std::string& function, const std::vector<Value>& args) const;
  std::vector<std::string> functions() const;

 private:
  explicit Program(std::shared_ptr<ProgramState> state) : state_(std::move(state)) {}
  std::shared_ptr<ProgramState> state_;
};

// Threads that operators use; at least 1.
void set_num_threads(int threads);

}  // namespace torchscript::api
