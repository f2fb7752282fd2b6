// What a fused group computes for one call: its steps by the operators' own rules of dtypes and shapes (docs/fusion.md). The kernels of the CPU and
// of devices are made from it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cpu-avx/pointwise.h"
#include "cpu-avx/reduce_driver.h"

namespace torchscript {

constexpr int kMaxFusedSteps = 96;
constexpr int kMaxFusedInputs = 96;
constexpr int kMaxFusedArgs = 8;

// The program of a group as text: `row arg arg;row arg>v1 v0`. An argument is `i3`, argument 4 of the kernel, or `v2`, the result of step 2;
// after `>` come the steps whose results are the outputs. The row `cast` is (self, dtype).
struct FusedText {
  enum class Kind : uint8_t { Pointwise, Cast, Reduction };
  struct Operand {
    bool result;
    int index;
  };
  struct Step {
    Kind kind = Kind::Pointwise;
    const PointwiseRow* row = nullptr;
    const FusedReduction* reduction = nullptr;
    int nargs = 0;
    Operand args[kMaxFusedArgs];
  };
  std::vector<Step> steps;
  std::vector<int> outputs;
  int inputs = 0;
  // Null when the text is no program.
  static std::shared_ptr<const FusedText> parse(const char* text, int64_t size);
};

// A tensor that the group is given or makes.
struct FusedValue {
  TensorView view;  // without data
  int argument = -1, output = -1, small = -1;
};

struct FusedOperand {
  int value = -1;  // index of values; -1: a number
  Arg number;
  bool condition = false;
};
struct FusedStep {
  bool cast = false, reduction = false;
  bool copied = false;  // gives its argument itself
  bool full = false;    // of the group's shape; others give less
  PointwiseId id = PointwiseId::count;
  DType common = DType::F32;
  Compute compute = Compute::F32, computed = Compute::F32;
  bool truth = false;
  int count = 0;
  FusedOperand operands[kMaxOperands];
  int value = -1;   // the result
  int output = -1;  // of the group
};
// The reduction that ends a group: over the last dimensions of a contiguous result.
struct FusedReduced {
  const FusedReduction* row = nullptr;
  int step = -1, output = -1;
  Element element = Element::F32;
  int64_t kept = 1, gone = 1;
};

struct FusedSteps {
  std::vector<FusedValue> values;  // arguments, then results
  std::vector<int> step_of_value;  // -1: an argument
  std::vector<FusedStep> steps;
  std::vector<TensorView> outputs;
  TensorView shape;  // of the full steps
  int64_t total = 0;
  FusedReduced reduced;

  // Null, or why the group has to run operator by operator. Looks at no data; throws what the operators say.
  const char* read(const Call& call, const FusedText& text);
  bool is_full(int value) const {
    const int step = step_of_value[static_cast<size_t>(value)];
    return step >= 0 && steps[static_cast<size_t>(step)].full;
  }

 private:
  const char* read_inputs(const Call& call);
  const char* read_step(const FusedText::Step& from, int i);
  const char* choose_shape();
  const char* reduce(const FusedText::Step& from, int i);

  std::vector<Arg> input_args_;
  std::vector<int> input_values_;  // -1: a number
};

}  // namespace torchscript
