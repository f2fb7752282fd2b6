// A loaded program: its plan, and what the executor has learnt about running it.
#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/plan.h"
#include "core/refcount.h"
#include "core/run.h"

namespace torchscript {

// What the recorder did with one signature of a function.
struct SignatureReport {
  std::string function, inputs, reason;
  bool recorded = false;
  int64_t steps = 0, arena_bytes = 0, constant_bytes = 0, replays = 0;
};

class Program : public RefCounted {
 public:
  // Runs `__setstate__` of objects and the plan's start functions.
  static Ref<Program> load(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors, OutputSink* sink);

  const Plan& plan() const { return *plan_; }
  const Function& function(size_t index) const;  // throws OperatorError when there is none
  // The method of an object's class; throws OperatorError.
  const Function& method(const Value& self, const std::string& name) const;
  const Operator* find_operator(const std::string& full_name) const;
  const Kernel* kernel_for(const std::string& full_name) const;

  // Thread-safe. Arguments are of the parameters' types.
  Value run(const Function& function, const Value* args, size_t nargs, OutputSink* sink);

  Value get_attribute(const ObjectValue& object, size_t slot);
  void set_attribute(ObjectValue& object, size_t slot, Value value);

  // Attributes, or lists and dictionaries that they reach, were written: what was recorded before is void.
  void state_changed() { generation_.fetch_add(1, std::memory_order_acq_rel); }
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::atomic<bool> recording{true};
  std::vector<SignatureReport> signatures() { return {}; }

 private:
  std::unique_ptr<Plan> plan_;
  std::unordered_map<std::string, const Operator*> operators_;
  std::atomic<uint64_t> generation_{0};
  // Runs that may write attributes, and writes from outside, hold it alone; other operator-by-operator runs share it.
  std::shared_mutex state_mutex_;
};

}  // namespace torchscript
