// One run of a function: the interpreter's state, and the services that builtins and kernels see.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/builtin.h"
#include "core/memory.h"
#include "core/plan.h"
#include "core/random.h"
#include "core/schedule.h"
#include "core/trace.h"

namespace torchscript {

class Program;
class Recorder;

// Kernels' view of a run. Lives on the stack of the running thread.
class KernelRuntime final : public Runtime {
 public:
  KernelRuntime() = default;
  void parallel_for(int64_t n, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) override;
  int num_threads() const override;
  RandomSource& random() override;
  void note(const char* inner_kernel) override;
  void restore(const void* data) override;
  void* scratch(size_t bytes) override;

  // Before and after each kernel or builtin: frees scratch, releases the generator, and tells listeners.
  void begin_operator() {
    if (trace_enabled() || profile_enabled()) start_listening();
  }
  // `call`, `step` and `frames` are for the profiler: the kernel's call, its place in a schedule, and where the program called it.
  void end_operator(const char* name, const char* row = nullptr, const Call* call = nullptr, int step = -1,
                    const std::vector<StackFrame>* frames = nullptr) {
    if (scratch_used_ > 0) free_scratch();
    if (drew_random_) end_random();
    if (listening_) stop_listening(name, row, call, step, frames);
  }
  bool drew_random() const { return drew_random_; }
  // After an exception.
  void abandon_operator() {
    free_scratch();
    if (drew_random_) end_random();
    listening_ = false;
  }
  // Small scratch memory stays for later operators, so that a runtime that is kept allocates in its first run only.
  void keep_scratch() { keeps_scratch_ = true; }

 private:
  static constexpr size_t kKeptScratch = 1 << 20;
  void end_random() {
    drew_random_ = false;
    random_lock_.unlock();
  }
  void start_listening();
  void stop_listening(const char* name, const char* row, const Call* call, int step, const std::vector<StackFrame>* frames);

  void free_scratch();

  std::vector<Block> scratch_;  // the first scratch_used_ are in use
  size_t scratch_used_ = 0;
  bool keeps_scratch_ = false;
  std::unique_lock<std::recursive_mutex> random_lock_;
  bool drew_random_ = false;
  bool listening_ = false;
  int64_t started_ = 0;
  const char* inner_ = nullptr;
};

// Receives what programs print; may be called from any thread.
struct OutputSink {
  virtual void print(const std::string& line) = 0;
  virtual void warn(const std::string& message) = 0;

 protected:
  ~OutputSink() = default;
};

// True when an argument, or the first item of a list, is a quantized tensor (quantized.cc).
bool has_quantized(const Value* args, int nargs);

class Run final : public Context {
 public:
  Run(Program& program, Recorder* recorder, OutputSink* sink);

  // Runs a function on arguments that are already of the parameters' types. Throws ScriptError with the TorchScript stack.
  Value call_function(const Function& function, const Value* args, size_t nargs);

  Value call_kernel(const char* row, std::initializer_list<Value> args) override;
  std::vector<Value> call_kernel_n(const char* row, const Value* args, int nargs, int noutputs) override;
  void copy_into(Tensor& destination, const Tensor& source) override;
  Value item(const Tensor& tensor) override;
  void reads_data(const Tensor& tensor, const char* reason) override;
  Value known_tensor(Ref<Tensor> tensor) override;
  Value to_device(const Value& tensor, int8_t device) override;
  void side_effect(const char* reason) override;
  RandomSource& random() override {
    side_effect("random numbers");
    return runtime_.random();
  }
  void print(const std::string& line) override;
  void warn(const std::string& message) override;
  Value call_method(const Value& self, const char* method, const Value* args, int nargs) override;
  std::vector<Value> call_operator(const char* full_name, const Value* args, int nargs) override;

 private:
  struct Frame {
    const Function* function;
    Value* registers;
    size_t pc;       // of the instruction being run
    int32_t result;  // register of the caller that takes the returned value
  };
  struct Chunk {
    std::unique_ptr<Value[]> values;
    size_t size, used;
  };

  static constexpr size_t kMaxFrames = 10000;
  static constexpr int kMaxNesting = 100;  // of execute() in itself, through fork and methods that builtins call

  Value execute(size_t base);
  // Calls `__exit__` of the `with` blocks that an error leaves, innermost first. Their own errors are dropped: the first one is reported.
  void leave_contexts(size_t base);
  void push_frame(const Function& function, int32_t result);
  void pop_frame();
  void call_operator_row(const Operator& op, Value* args, int nargs, Value* results, int nresults);
  void call_builtin_variant(const Operator& op, Value* args, int nargs, Value* results, int nresults);
  void invoke(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results, int nresults);
  // The row as it is, on arguments that are all on `device`.
  void invoke_row(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results, int nresults,
                  int8_t device);
  // As invoke, where tensors are on a CUDA device or results are asked for there (invoke_device.cc).
  void invoke_placed(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                     int nresults);
  void invoke_elsewhere(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                        int nresults, int8_t run_on, int8_t results_on);
  // As invoke, for a row that takes no quantized tensors (quantized.cc).
  void invoke_dequantized(const Kernel& row, const char* name, Operator::Variant variant, const Value* args, int nargs, Value* results,
                          int nresults);
  const Kernel& autotuned(const Kernel& row, Call& call, const Value* args);
  void run_kernel(const Kernel& row, Call& call, const Value* args);
  void end_kernel(const char* name, const Kernel& row, const Call& call);
  void resize_out(Tensor& out, const TensorView& result);
  void copy_recorded(Tensor& destination, Tensor& source);
  std::vector<StackFrame> stack_frames() const;
  std::string render_stack() const { return render_frames(stack_frames()); }
  [[noreturn]] void rethrow_with_stack();
  [[noreturn]] void raise(const Value& message, const Value* class_name);

  Program& program_;
  Recorder* recorder_;
  OutputSink* sink_;
  const bool derives_;  // Program::derives
  KernelRuntime runtime_;
  std::vector<Frame> frames_;
  std::vector<Chunk> chunks_;
  std::vector<Value> contexts_;  // objects of the `with` blocks that are open
  int depth_ = 0;
};

// Shape and dtype checks of writing a result into an existing tensor, with PyTorch's messages.
void check_result_cast(DType result, DType destination);
// Copies with dtype conversion between tensors of equal shape; any strides.
void copy_views(Runtime& runtime, const TensorView& destination, const TensorView& source);
// The Value of the first element.
Value read_element(const TensorView& view);
// Marks lists and dicts in a value as reachable from a module.
void mark_shared(const Value& value);
// Like Python's isinstance on TorchScript types.
bool value_has_type(const Value& value, const TypeInfo& type);

}  // namespace torchscript
