// Writes PTX instructions. What is computed once for all threads' elements goes before the loop, what was computed before is not computed again.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <unordered_map>
#include <vector>

namespace torchscript::cuda::emit {

// Of registers: .pred, .b16, .b32, .f32, .b64 and .f64.
enum class Type : uint8_t { Pred, B16, B32, F32, B64, F64 };
constexpr int kTypes = 6;

// A register, or a number that is known while the text is written.
struct Value {
  Type type = Type::B32;
  bool known = false;
  int id = -1;
  uint64_t bits = 0;
};
Value known_f32(float x);
Value known_f64(double x);
Value known_b32(int32_t x);
Value known_b64(int64_t x);
Value known_b16(uint16_t x);

class Recorder {
 public:
  // Chips from sm_80 on have instructions that give bfloat16.
  explicit Recorder(bool has_brain_floats) : has_brain_floats_(has_brain_floats) {}
  bool has_brain_floats() const { return has_brain_floats_; }
  // `mnemonic result, args...;` The same instruction on the same arguments gives the register that holds its result. One whose arguments are the
  // same for all elements is written before the loop.
  Value op(Type result, const char* mnemonic, std::initializer_list<Value> args);
  // 32 bits of two halves, and back.
  Value pair(const Value& low, const Value& high);
  Value half_of(const Value& word, int which);
  // A line of the running part, or of what comes before the loop.
  void line(const std::string& text, bool uniform = false);
  // A register that instructions of the text name.
  Value fresh(Type type, bool uniform);
  std::string label() { return "$L" + std::to_string(++labels_); }
  static std::string text_of(const Value& value);
  // The value in a register.
  Value held(const Value& value);

  // Instructions until `join` run only where `predicate` holds; none knows their results afterwards but by `variable`, which they may give a value.
  struct Branch {
    Value variable;
    std::string label;
    std::unordered_map<std::string, Value> results;
  };
  Branch branch(const Value& predicate, const Value& otherwise);
  Value join(Branch& branch, const Value& result);

  // Instructions until `again` run over and over until `leave_unless` finds its predicate false. `variable` starts with `first`, and each time takes
  // what `again` gives it.
  struct Loop {
    Value variable;
    std::string begin, end;
    std::unordered_map<std::string, Value> results;
  };
  Loop loop(const Value& first);
  void leave_unless(const Loop& loop, const Value& predicate);
  void again(Loop& loop, const Value& next);

  // Instructions from here on are of another part of the text, which knows the results of none but the uniform region.
  void begin_body();
  // The text of that part.
  std::string end_body();
  std::string uniform_text() const { return uniform_; }
  std::string declarations() const;

  // The text cannot be written: `what` has no instructions.
  void refuse(const std::string& what) {
    if (refusal_.empty()) refusal_ = what;
  }
  const std::string& refusal() const { return refusal_; }

 private:
  bool is_uniform(const Value& value) const {
    return value.known || uniform_registers_[static_cast<int>(value.type)][static_cast<size_t>(value.id)];
  }

  std::string uniform_, body_;
  std::unordered_map<std::string, Value> uniform_results_, body_results_;
  std::vector<bool> uniform_registers_[kTypes];
  std::unordered_map<int, Value> halves_;  // that float32 registers were made of
  bool has_brain_floats_, in_body_ = false;
  int labels_ = 0;
  std::string refusal_;
};

// The recorder that the symbolic vectors of vec_ptx.h write to, of this thread.
Recorder& recorder();
class Recording {
 public:
  explicit Recording(Recorder& recorder);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

 private:
  Recorder* before_;
};

}  // namespace torchscript::cuda::emit
