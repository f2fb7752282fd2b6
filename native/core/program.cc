#include "core/program.h"

#include "core/errors.h"
#include "core/recorder.h"
#include "core/registry.h"

namespace torchscript {

Ref<Program> Program::load(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors, OutputSink* sink) {
  auto program = make_ref<Program>();
  program->plan_ = decode_plan(bytes, size, tensors);
  for (const Ref<Tensor>& tensor : tensors) tensor->storage->module_state = true;
  Plan& plan = *program->plan_;
  for (const Operator& op : plan.operators) program->operators_.emplace(op.name, &op);
  for (const auto& pending : plan.pending_states) {
    Run run(*program, nullptr, sink);
    if (pending.function >= 0) {
      Value args[2] = {pending.object, pending.state};
      run.call_function(*plan.functions[static_cast<size_t>(pending.function)], args, 2);
    } else {
      std::string name = pending.object.to_object().type->name + "::__setstate__";
      BuiltinFn builtin = find_builtin(name);
      if (!builtin) throw UnsupportedOperator("The custom class " + pending.object.to_object().type->name + " is not supported yet.");
      Value args[2] = {pending.object, pending.state};
      Value none;
      builtin(run, args, 2, &none, 1);
    }
  }
  plan.pending_states.clear();
  for (uint32_t start : plan.start_functions) {
    Run run(*program, nullptr, sink);
    run.call_function(*plan.functions[start], nullptr, 0);
  }
  return program;
}

const Function& Program::function(size_t index) const {
  if (index >= plan_->functions.size()) fail("The program has no function %zu", index);
  return *plan_->functions[index];
}

const Function& Program::method(const Value& self, const std::string& name) const {
  const ClassInfo& type = *self.to_object().type;
  auto found = type.methods.find(name);
  if (found == type.methods.end()) fail_as("AttributeError", "'%s' object has no method '%s'", type.name.c_str(), name.c_str());
  return *plan_->functions[static_cast<size_t>(found->second)];
}

const Operator* Program::find_operator(const std::string& full_name) const {
  auto found = operators_.find(full_name);
  return found == operators_.end() ? nullptr : found->second;
}

const Kernel* Program::kernel_for(const std::string& full_name) const {
  // `aten::add.Tensor` → row `add`.
  size_t begin = full_name.find("::");
  begin = begin == std::string::npos ? 0 : begin + 2;
  return find_kernel(full_name.substr(begin, full_name.find('.', begin) - begin));
}

Value Program::run(const Function& function, const Value* args, size_t nargs, OutputSink* sink) {
  std::unique_lock<std::shared_mutex> alone(state_mutex_, std::defer_lock);
  std::shared_lock<std::shared_mutex> together(state_mutex_, std::defer_lock);
  if (function.mutates_objects) alone.lock();
  else together.lock();
  Run run(*this, nullptr, sink);
  return run.call_function(function, args, nargs);
}

Value Program::get_attribute(const ObjectValue& object, size_t slot) {
  std::shared_lock<std::shared_mutex> lock(state_mutex_);
  if (slot >= object.slots.size()) fail("%s has no attribute slot %zu", object.type->name.c_str(), slot);
  return object.slots[slot];
}

void Program::set_attribute(ObjectValue& object, size_t slot, Value value) {
  std::lock_guard<std::shared_mutex> lock(state_mutex_);
  if (slot >= object.slots.size()) fail("%s has no attribute slot %zu", object.type->name.c_str(), slot);
  state_changed();
  mark_shared(value);
  object.slots[slot] = std::move(value);
}

}  // namespace torchscript
