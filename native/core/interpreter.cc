// The register machine.
#include <algorithm>
#include <new>

#include "core/errors.h"
#include "core/program.h"
#include "core/recorder.h"
#include "core/run.h"

namespace torchscript {
namespace {

constexpr size_t kChunkValues = 1024;
// The first one is small: most runs of one operator need no more.
constexpr size_t kFirstChunkValues = 32;
constexpr int kInlineArgs = 16;
constexpr int kInlineResults = 8;

// Registers of one instruction's arguments, kept across instructions so that the common case makes no heap memory.
struct Operands {
  Value inline_values[kInlineArgs];
  std::vector<Value> heap;
  Value* reserve(size_t n) {
    if (n <= kInlineArgs) return inline_values;
    heap.clear();
    heap.resize(n);
    return heap.data();
  }
  void clear(size_t n) {
    if (n <= kInlineArgs)
      for (size_t i = 0; i < n; i++) inline_values[i] = Value();
    else heap.clear();
  }
};

}  // namespace

void Run::push_frame(const Function& function, int32_t result) {
  if (frames_.size() >= kMaxFrames) fail_as("RecursionError", "maximum recursion depth exceeded while calling %s", function.name.c_str());
  if (!function.error.empty()) {
    if (function.error_is_unsupported) throw UnsupportedOperator(function.error);
    throw OperatorError(function.error);
  }
  size_t n = function.nregisters;
  if (chunks_.empty() || chunks_.back().size - chunks_.back().used < n) {
    size_t size = std::max(n, chunks_.empty() ? kFirstChunkValues : kChunkValues);
    chunks_.push_back({std::make_unique<Value[]>(size), size, 0});
  }
  Chunk& chunk = chunks_.back();
  frames_.push_back({&function, chunk.values.get() + chunk.used, 0, result});
  chunk.used += n;
}

void Run::pop_frame() {
  const Frame& frame = frames_.back();
  size_t n = frame.function->nregisters;
  for (size_t i = 0; i < n; i++) frame.registers[i] = Value();
  Chunk& chunk = chunks_.back();
  chunk.used -= n;
  if (chunk.used == 0 && chunks_.size() > 1) chunks_.pop_back();
  frames_.pop_back();
}

Run::Run(Program& program, Recorder* recorder, OutputSink* sink)
    : program_(program), recorder_(recorder), sink_(sink), derives_(program.derives.load(std::memory_order_relaxed)) {}

Value Run::call_function(const Function& function, const Value* args, size_t nargs) {
  if (nargs != function.parameters.size()) {
    fail("%s() takes %zu arguments but %zu were given", function.name.c_str(), function.parameters.size(), nargs);
  }
  if (depth_ >= kMaxNesting) fail_as("RecursionError", "maximum recursion depth exceeded while calling %s", function.name.c_str());
  size_t base = frames_.size();
  size_t contexts = contexts_.size();
  push_frame(function, 0);
  for (size_t i = 0; i < nargs; i++) frames_.back().registers[i] = args[i];
  depth_++;
  try {
    Value result = execute(base);
    depth_--;
    return result;
  } catch (...) {
    depth_--;
    std::exception_ptr located;
    try {
      rethrow_with_stack();
    } catch (...) {
      located = std::current_exception();
    }
    while (frames_.size() > base) pop_frame();
    leave_contexts(contexts);
    std::rethrow_exception(located);
  }
}

void Run::leave_contexts(size_t base) {
  while (contexts_.size() > base) {
    Value object = std::move(contexts_.back());
    contexts_.pop_back();
    try {
      const Function& exit = program_.method(object, "__exit__");
      std::vector<Value> args(exit.parameters.size());
      if (!args.empty()) args[0] = object;
      call_function(exit, args.data(), args.size());
    } catch (...) {
    }
  }
}

Value Run::execute(size_t base) {
  const Plan& plan = program_.plan();
  Operands operands;
  Value results[kInlineResults];
  const int32_t* code = nullptr;
  Value* r = nullptr;
  size_t pc = 0;

  auto enter = [&] {
    Frame& frame = frames_.back();
    code = frame.function->code.data();
    r = frame.registers;
    pc = frame.pc;
  };
  // Operands: a negative word takes the value out of its register.
  auto take = [&](int32_t w) { return w < 0 ? std::move(r[~w]) : r[w]; };
  auto gather = [&](const int32_t* words, size_t n) {
    Value* args = operands.reserve(n);
    for (size_t i = 0; i < n; i++) args[i] = take(words[i]);
    return args;
  };
  // Starts a call: the caller's frame is left at its next instruction's words, so its pc stays that of the call for the stack trace.
  auto call = [&](const Function& callee, const int32_t* args, size_t n, int32_t result) {
    Value* caller = r;
    push_frame(callee, result);
    Value* registers = frames_.back().registers;
    for (size_t i = 0; i < n; i++) registers[i] = args[i] < 0 ? std::move(caller[~args[i]]) : caller[args[i]];
    enter();
  };

  enter();
  for (;;) {
    const int32_t* w = code + pc;
    frames_.back().pc = pc;
    switch (static_cast<Op>(w[0])) {
      case Op::Const:
        r[w[1]] = plan.constants[static_cast<size_t>(w[2])];
        pc += 3;
        break;
      case Op::Move:
        r[w[1]] = take(w[2]);
        pc += 3;
        break;
      case Op::OpCall: {
        const Operator& op = plan.operators[static_cast<size_t>(w[1])];
        int nargs = w[2];
        const int32_t* words = w + 3;
        int nresults = words[nargs];
        const int32_t* into = words + nargs + 1;
        Value* args = gather(words, static_cast<size_t>(nargs));
        if (nresults <= kInlineResults) {
          call_operator_row(op, args, nargs, results, nresults);
          operands.clear(static_cast<size_t>(nargs));
          for (int i = 0; i < nresults; i++) {
            r[into[i]] = std::move(results[i]);
          }
        } else {
          std::vector<Value> many(static_cast<size_t>(nresults));
          call_operator_row(op, args, nargs, many.data(), nresults);
          operands.clear(static_cast<size_t>(nargs));
          for (int i = 0; i < nresults; i++) r[into[i]] = std::move(many[static_cast<size_t>(i)]);
        }
        pc += 4 + static_cast<size_t>(nargs) + static_cast<size_t>(nresults);
        break;
      }
      case Op::Call: {
        size_t n = static_cast<size_t>(w[2]);
        call(*plan.functions[static_cast<size_t>(w[1])], w + 3, n, w[3 + n]);
        break;
      }
      case Op::CallMethod: {
        size_t n = static_cast<size_t>(w[2]);
        const std::string& name = plan.constants[static_cast<size_t>(w[1])].to_string();
        const Value& self = w[3] < 0 ? r[~w[3]] : r[w[3]];
        const Function& callee = program_.method(self, name);
        if (callee.parameters.size() != n)
          fail("%s() takes %zu arguments but %zu were given", callee.name.c_str(), callee.parameters.size(), n);
        call(callee, w + 3, n, w[3 + n]);
        break;
      }
      case Op::Jump: pc = static_cast<size_t>(w[1]); break;
      case Op::JumpFalse: pc = take(w[1]).to_bool() ? pc + 3 : static_cast<size_t>(w[2]); break;
      case Op::LoopBegin: {
        int64_t limit = take(w[2]).to_int();
        bool condition = take(w[3]).to_bool();
        r[w[1]] = Value::of_int(0);
        pc = limit > 0 && condition ? pc + 5 : static_cast<size_t>(w[4]);
        break;
      }
      case Op::LoopNext: {
        int64_t trip = r[w[1]].to_int() + 1;
        int64_t limit = take(w[2]).to_int();
        bool condition = take(w[3]).to_bool();
        r[w[1]] = Value::of_int(trip);
        pc = trip < limit && condition ? static_cast<size_t>(w[4]) : pc + 5;
        break;
      }
      case Op::Return: {
        Value value = take(w[1]);
        int32_t into = frames_.back().result;
        pop_frame();
        if (frames_.size() == base) return value;
        enter();
        // The caller's pc is still at its call instruction.
        const int32_t* at = code + pc;
        pc += 4 + static_cast<size_t>(at[2]);
        r[into] = std::move(value);
        break;
      }
      case Op::GetAttr: {
        const Value& holder = w[2] < 0 ? r[~w[2]] : r[w[2]];
        const ObjectValue& object = holder.to_object();
        size_t slot = static_cast<size_t>(w[3]);
        if (slot >= object.slots.size()) fail("'%s' object has no such attribute", object.type->name.c_str());
        if (object.slots[slot].is(Tag::Uninitialized)) {
          fail_as("AttributeError", "'%s' object has no attribute '%s'", object.type->name.c_str(),
                  object.type->attributes[slot].name.c_str());
        }
        Value value = object.slots[slot];
        if (w[2] < 0) r[~w[2]] = Value();
        r[w[1]] = std::move(value);
        pc += 4;
        break;
      }
      case Op::SetAttr: {
        Value holder = take(w[1]);
        ObjectValue& object = holder.to_object();
        size_t slot = static_cast<size_t>(w[2]);
        if (slot >= object.slots.size()) fail("'%s' object has no such attribute", object.type->name.c_str());
        if (object.shared) {
          side_effect("it writes an attribute of a module");
          program_.state_changed();
          mark_shared(r[w[3] < 0 ? ~w[3] : w[3]]);
        }
        object.slots[slot] = take(w[3]);
        pc += 4;
        break;
      }
      case Op::Tuple: {
        size_t n = static_cast<size_t>(w[3]);
        auto tuple = make_ref<TupleValue>();
        if (w[2] >= 0) tuple->type = plan.types[static_cast<size_t>(w[2])].get();
        tuple->items.reserve(n);
        for (size_t i = 0; i < n; i++) tuple->items.push_back(take(w[4 + i]));
        r[w[1]] = Value(std::move(tuple));
        pc += 4 + n;
        break;
      }
      case Op::TupleUnpack: {
        Value holder = take(w[1]);
        size_t n = static_cast<size_t>(w[2]);
        const auto& items = holder.to_tuple().items;
        if (items.size() != n) fail("Expected a tuple of %zu elements but found %zu", n, items.size());
        for (size_t i = 0; i < n; i++) r[w[3 + i]] = items[i];
        pc += 3 + n;
        break;
      }
      case Op::TupleIndex: {
        Value holder = take(w[2]);
        const auto& items = holder.to_tuple().items;
        int64_t index = w[3] < 0 ? w[3] + static_cast<int64_t>(items.size()) : w[3];
        if (index < 0 || index >= static_cast<int64_t>(items.size())) fail_as("IndexError", "tuple index out of range");
        r[w[1]] = items[static_cast<size_t>(index)];
        pc += 4;
        break;
      }
      case Op::TupleSlice: {
        Value holder = take(w[2]);
        const TupleValue& source = holder.to_tuple();
        auto size = static_cast<int64_t>(source.items.size());
        int64_t begin = std::clamp<int64_t>(w[3] < 0 ? w[3] + size : w[3], 0, size);
        int64_t end = std::clamp<int64_t>(w[4] < 0 ? w[4] + size : w[4], begin, size);
        auto tuple = make_ref<TupleValue>();
        tuple->items.assign(source.items.begin() + begin, source.items.begin() + end);
        r[w[1]] = Value(std::move(tuple));
        pc += 5;
        break;
      }
      case Op::List: {
        size_t n = static_cast<size_t>(w[3]);
        auto list = make_ref<ListValue>();
        list->element = plan.types[static_cast<size_t>(w[2])].get();
        list->items.reserve(n);
        for (size_t i = 0; i < n; i++) list->items.push_back(take(w[4 + i]));
        r[w[1]] = Value(std::move(list));
        pc += 4 + n;
        break;
      }
      case Op::ListUnpack: {
        Value holder = take(w[1]);
        size_t n = static_cast<size_t>(w[2]);
        const auto& items = holder.to_list().items;
        if (items.size() != n) fail("Expected %zu elements in a list but found %zu", n, items.size());
        for (size_t i = 0; i < n; i++) r[w[3 + i]] = items[i];
        pc += 3 + n;
        break;
      }
      case Op::Dict: {
        size_t n = static_cast<size_t>(w[4]);
        auto dict = make_ref<DictValue>();
        dict->key_type = plan.types[static_cast<size_t>(w[2])].get();
        dict->value_type = plan.types[static_cast<size_t>(w[3])].get();
        for (size_t i = 0; i < n; i++) {
          Value key = take(w[5 + 2 * i]);
          dict->set(std::move(key), take(w[6 + 2 * i]));
        }
        r[w[1]] = Value(std::move(dict));
        pc += 5 + 2 * n;
        break;
      }
      case Op::NewObject: {
        auto object = make_ref<ObjectValue>();
        object->type = plan.classes[static_cast<size_t>(w[2])].get();
        object->slots.assign(object->type->attributes.size(), Value::uninitialized());
        r[w[1]] = Value(std::move(object));
        pc += 3;
        break;
      }
      case Op::IsInstance: {
        Value value = take(w[2]);
        size_t n = static_cast<size_t>(w[3]);
        bool is = false;
        for (size_t i = 0; i < n && !is; i++) is = value_has_type(value, *plan.types[static_cast<size_t>(w[4 + i])]);
        r[w[1]] = Value::of_bool(is);
        pc += 4 + n;
        break;
      }
      case Op::Raise: raise(w[1] < 0 ? r[~w[1]] : r[w[1]], w[2] < 0 ? nullptr : &r[w[2]]);
      case Op::Fork: {
        const Function& callee = *plan.functions[static_cast<size_t>(w[2])];
        size_t n = static_cast<size_t>(w[3]);
        std::vector<Value> args;
        for (size_t i = 0; i < n; i++) args.push_back(take(w[4 + i]));
        auto future = make_ref<FutureValue>();
        try {
          future->value = call_function(callee, args.data(), n);
        } catch (...) {
          future->error = std::current_exception();
          side_effect("a forked task failed");
        }
        future->done = true;
        r[w[1]] = Value(std::move(future));
        pc += 4 + n;
        break;
      }
      case Op::Wait: {
        Value holder = take(w[2]);
        const FutureValue& future = holder.to_future();
        if (future.error) std::rethrow_exception(future.error);
        r[w[1]] = future.value;
        pc += 3;
        break;
      }
      case Op::Drop: {
        size_t n = static_cast<size_t>(w[1]);
        for (size_t i = 0; i < n; i++) r[w[2 + i]] = Value();
        pc += 2 + n;
        break;
      }
      case Op::Uninitialized:
        r[w[1]] = Value::uninitialized();
        pc += 2;
        break;
      case Op::Unsupported: throw UnsupportedOperator(plan.constants[static_cast<size_t>(w[1])].to_string());
      case Op::EnumName: {
        Value holder = take(w[2]);
        r[w[1]] = Value::of_string(holder.to_enum().name);
        pc += 3;
        break;
      }
      case Op::EnumValue: {
        Value holder = take(w[2]);
        r[w[1]] = holder.to_enum().value;
        pc += 3;
        break;
      }
      case Op::UncheckedCast:
        r[w[1]] = take(w[2]);
        pc += 4;
        break;
      case Op::Enter: {
        Value object = take(w[1]);
        object.to_object();
        contexts_.push_back(std::move(object));
        pc += 2;
        break;
      }
      case Op::Exit:
        if (contexts_.empty()) fail("a with block ends that has not begun");
        contexts_.pop_back();
        pc += 1;
        break;
      case Op::Count: fail("unknown instruction");
    }
  }
}

// The in-place or out form of a builtin: its results are written to where they belong.
void Run::call_builtin_variant(const Operator& op, Value* args, int nargs, Value* results, int nresults) {
  const bool in_place = op.variant == Operator::Variant::InPlace;
  const int first = in_place ? 0 : nargs - nresults;
  const std::vector<Value> targets(args + first, args + first + (in_place ? 1 : nresults));
  op.builtin(*this, args, in_place ? nargs : first, results, nresults);
  for (size_t i = 0; i < targets.size() && i < static_cast<size_t>(nresults); i++) {
    Tensor& target = targets[i].to_tensor();
    const Value made = results[i];
    const TensorView& view = made.to_tensor().view;
    check_result_cast(view.dtype, target.view.dtype);
    if (!in_place) resize_out(target, view);
    copy_into(target, made.to_tensor());
    results[i] = targets[i];
  }
}

void Run::call_operator_row(const Operator& op, Value* args, int nargs, Value* results, int nresults) {
  if (op.builtin) {
    runtime_.begin_operator();
    try {
      if (op.mutates_container && nargs > 0 &&
          ((args[0].is(Tag::List) && args[0].to_list().shared) || (args[0].is(Tag::Dict) && args[0].to_dict().shared))) {
        side_effect("it changes a list or dictionary of a module");
        program_.state_changed();
        for (int i = 1; i < nargs; i++) mark_shared(args[i]);
      }
      if (op.variant == Operator::Variant::Functional) op.builtin(*this, args, nargs, results, nresults);
      else call_builtin_variant(op, args, nargs, results, nresults);
    } catch (...) {
      runtime_.abandon_operator();
      throw;
    }
    runtime_.end_operator(op.name.c_str());
    return;
  }
  if (!op.kernel) throw UnsupportedOperator("The operator " + op.name + " is not supported yet.");
  invoke(*op.kernel, op.name.c_str(), op.variant, args, nargs, results, nresults);
}

std::vector<StackFrame> Run::stack_frames() const {
  std::vector<StackFrame> frames;
  frames.reserve(frames_.size());
  for (const Frame& frame : frames_) frames.push_back({frame.function, frame.pc});
  return frames;
}

void Run::rethrow_with_stack() {
  try {
    throw;
  } catch (const ScriptError&) {
    throw;
  } catch (const OperatorError& e) {
    throw ScriptError(e.what(), e.python_class, render_stack(), true);
  } catch (const UnsupportedOperator& e) {
    // The text keeps the operator's name first; the stack follows once, from the innermost call.
    throw LocatedUnsupported(e.what(), render_stack());
  } catch (const LocatedUnsupported&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw ScriptError("Out of memory", "MemoryError", render_stack(), true);
  }
}

void Run::raise(const Value& message, const Value* class_name) {
  std::string text = message.is(Tag::String) ? message.to_string() : "";
  std::string python_class =
    class_name && class_name->is(Tag::String) && !class_name->to_string().empty() ? class_name->to_string() : "RuntimeError";
  throw ScriptError(text, python_class, render_stack());
}

void Run::side_effect(const char* reason) {
  if (recorder_) recorder_->give_up(reason);
}

void Run::print(const std::string& line) {
  side_effect("it prints");
  if (sink_) sink_->print(line);
}

void Run::warn(const std::string& message) {
  side_effect("it warns");
  if (sink_) sink_->warn(message);
}

Value Run::call_method(const Value& self, const char* method, const Value* args, int nargs) {
  const Function& function = program_.method(self, method);
  std::vector<Value> all{self};
  all.insert(all.end(), args, args + nargs);
  return call_function(function, all.data(), all.size());
}

std::vector<Value> Run::call_operator(const char* full_name, const Value* args, int nargs) {
  // Operators of the plan know their variant and number of results; others are looked up as a builtin or a kernel of one result.
  Operator other;
  const Operator* op = program_.find_operator(full_name);
  if (!op) {
    other.name = full_name;
    other.builtin = find_builtin(full_name);
    if (!other.builtin) other.kernel = program_.kernel_for(full_name);
    other.nresults = 1;
    op = &other;
  }
  std::vector<Value> inputs(args, args + nargs);
  std::vector<Value> results(op->nresults == 0xFFFFFFFF ? 1 : op->nresults);
  call_operator_row(*op, inputs.data(), nargs, results.data(), static_cast<int>(results.size()));
  return results;
}

void mark_shared(const Value& value) {
  switch (value.tag()) {
    case Tag::Tensor: value.to_tensor().storage->module_state = true; return;
    case Tag::List: {
      ListValue& list = value.to_list();
      if (list.shared) return;
      list.shared = true;
      for (const Value& item : list.items) mark_shared(item);
      return;
    }
    case Tag::Dict: {
      DictValue& dict = value.to_dict();
      if (dict.shared) return;
      dict.shared = true;
      for (const auto& [key, item] : dict.entries) {
        mark_shared(key);
        mark_shared(item);
      }
      return;
    }
    case Tag::Tuple:
      for (const Value& item : value.to_tuple().items) mark_shared(item);
      return;
    case Tag::Object: {
      ObjectValue& object = value.to_object();
      if (object.shared) return;
      object.shared = true;
      for (const Value& slot : object.slots) mark_shared(slot);
      return;
    }
    default: return;
  }
}

}  // namespace torchscript
