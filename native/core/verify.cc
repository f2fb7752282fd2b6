#include "core/verify.h"

#include <unordered_set>

#include "core/errors.h"

namespace torchscript {
namespace {

// Walks the words of one function.
class Verifier {
 public:
  Verifier(const Plan& plan, const Function& function) : plan_(plan), f_(function), code_(function.code) {}

  void run() {
    if (f_.nregisters > kMaxRegisters) bad("too many registers");
    if (!f_.error.empty()) {
      if (!code_.empty()) bad("a function that failed to compile has code");
      return;
    }
    if (f_.nregisters < f_.parameters.size()) bad("fewer registers than parameters");
    bool falls_through = true;
    while (pc_ < code_.size()) {
      starts_.insert(static_cast<int32_t>(pc_));
      falls_through = instruction();
    }
    if (falls_through) bad("the code runs off its end");
    for (int32_t target : targets_) {
      if (!starts_.count(target)) bad("a jump goes to no instruction");
    }
  }

 private:
  static constexpr uint32_t kMaxRegisters = 1u << 20;

  [[noreturn]] void bad(const std::string& what) const {
    throw PlanError("The plan is malformed: " + what + " (function " + f_.name + ", word " + std::to_string(pc_) + ").");
  }
  int32_t word() {
    if (pc_ >= code_.size()) bad("an instruction is cut off");
    return code_[pc_++];
  }
  void result() { check(word(), f_.nregisters, "register"); }
  void source() {
    int32_t r = word();
    check(r < 0 ? ~r : r, f_.nregisters, "register");
  }
  void check(int32_t i, size_t limit, const char* what) const {
    if (i < 0 || static_cast<size_t>(i) >= limit) bad(std::string("a ") + what + " index is out of range");
  }
  void jump() { targets_.insert(word()); }
  int32_t number() {
    int32_t n = word();
    if (n < 0 || static_cast<size_t>(n) > code_.size()) bad("a count is out of range");
    return n;
  }
  void sources(int64_t n) {
    for (int64_t i = 0; i < n; i++) source();
  }
  void results(int32_t n) {
    for (int32_t i = 0; i < n; i++) result();
  }
  void type() { check(word(), plan_.types.size(), "type"); }
  void optional_type() {
    int32_t t = word();
    if (t != -1) check(t, plan_.types.size(), "type");
  }
  void string_constant() {
    int32_t k = word();
    check(k, plan_.constants.size(), "constant");
    if (!plan_.constants[static_cast<size_t>(k)].is(Tag::String)) bad("a constant is not a string");
  }
  void call(bool has_function) {
    int32_t function = -1;
    if (has_function) {
      function = word();
      check(function, plan_.functions.size(), "function");
    } else {
      string_constant();
    }
    int32_t n = number();
    if (!has_function && n == 0) bad("a method call has no self");
    if (has_function && static_cast<size_t>(n) != plan_.functions[static_cast<size_t>(function)]->parameters.size()) {
      bad("a call has another number of arguments than " + plan_.functions[static_cast<size_t>(function)]->name + " has parameters");
    }
    sources(n);
    result();
  }

  // Moves past one instruction; true when control may go on to the next.
  bool instruction() {
    int32_t op = word();
    if (op < 0 || op >= static_cast<int32_t>(Op::Count)) bad("unknown opcode " + std::to_string(op));
    switch (static_cast<Op>(op)) {
      case Op::Const:
        result();
        check(word(), plan_.constants.size(), "constant");
        return true;
      case Op::Move:
      case Op::Wait:
        result();
        source();
        return true;
      case Op::OpCall: {
        int32_t index = word();
        check(index, plan_.operators.size(), "operator");
        const Operator& o = plan_.operators[static_cast<size_t>(index)];
        int32_t nargs = number();
        if (o.nargs != 0xFFFFFFFF && static_cast<uint32_t>(nargs) != o.nargs) bad("wrong number of arguments of " + o.name);
        if (o.variant == Operator::Variant::InPlace && nargs < 1) bad("an in-place operator has no argument");
        sources(nargs);
        int32_t nresults = number();
        if (o.nresults != 0xFFFFFFFF && static_cast<uint32_t>(nresults) != o.nresults) bad("wrong number of results of " + o.name);
        if (o.variant == Operator::Variant::Out && nargs < nresults) bad("an out operator has too few arguments");
        results(nresults);
        return true;
      }
      case Op::Call: call(true); return true;
      case Op::CallMethod: call(false); return true;
      case Op::Jump: jump(); return false;
      case Op::JumpFalse:
        source();
        jump();
        return true;
      case Op::LoopBegin:
      case Op::LoopNext:
        result();
        source();
        source();
        jump();
        return true;
      case Op::Return: source(); return false;
      case Op::GetAttr:
        result();
        source();
        slot();
        return true;
      case Op::SetAttr:
        source();
        slot();
        source();
        return true;
      case Op::Tuple:
        result();
        optional_type();
        sources(number());
        return true;
      case Op::TupleUnpack:
      case Op::ListUnpack:
        source();
        results(number());
        return true;
      case Op::TupleIndex:
        result();
        source();
        word();
        return true;
      case Op::List:
        result();
        type();
        sources(number());
        return true;
      case Op::Dict:
        result();
        type();
        type();
        sources(int64_t{2} * number());
        return true;
      case Op::NewObject:
        result();
        check(word(), plan_.classes.size(), "class");
        return true;
      case Op::IsInstance: {
        result();
        source();
        int32_t n = number();
        for (int32_t i = 0; i < n; i++) type();
        return true;
      }
      case Op::Raise: {
        source();
        int32_t r = word();
        if (r != -1) check(r, f_.nregisters, "register");
        return false;
      }
      case Op::Fork: {
        result();
        int32_t function = word();
        check(function, plan_.functions.size(), "function");
        int32_t n = number();
        if (static_cast<size_t>(n) != plan_.functions[static_cast<size_t>(function)]->parameters.size())
          bad("a fork has a wrong number of arguments");
        sources(n);
        return true;
      }
      case Op::Drop: results(number()); return true;
      case Op::Uninitialized: result(); return true;
      case Op::TupleSlice:
        result();
        source();
        word();
        word();
        return true;
      case Op::Unsupported: string_constant(); return false;
      case Op::EnumName:
      case Op::EnumValue:
        result();
        source();
        return true;
      case Op::UncheckedCast:
        result();
        source();
        type();
        return true;
      case Op::Enter: source(); return true;
      case Op::Exit: return true;
      case Op::Count: break;
    }
    bad("unknown opcode");
  }
  void slot() {
    if (word() < 0) bad("a slot index is negative");
  }

  const Plan& plan_;
  const Function& f_;
  const std::vector<int32_t>& code_;
  size_t pc_ = 0;
  std::unordered_set<int32_t> starts_;
  std::unordered_set<int32_t> targets_;
};

}  // namespace

void verify_code(const Plan& plan, const Function& function) { Verifier(plan, function).run(); }

bool is_container_mutation(const std::string& name) {
  static const std::unordered_set<std::string> names = {
    "aten::append", "aten::extend", "aten::insert", "aten::pop",        "aten::popitem",   "aten::clear", "aten::remove", "aten::reverse",
    "aten::sort",   "aten::Delete", "aten::update", "aten::setdefault", "aten::_set_item", "aten::add_",  "aten::mul_"};
  return names.count(name.substr(0, name.find('.'))) != 0;
}

// Number of words of the instruction at pc; the code has been verified.
static size_t instruction_length(const std::vector<int32_t>& c, size_t pc) {
  auto n = [&](size_t at) { return static_cast<size_t>(c[pc + at]); };
  switch (static_cast<Op>(c[pc])) {
    case Op::Const:
    case Op::Move:
    case Op::Wait:
    case Op::JumpFalse:
    case Op::NewObject:
    case Op::EnumName:
    case Op::EnumValue:
    case Op::Raise: return 3;
    case Op::OpCall: return 4 + n(2) + n(3 + n(2));
    case Op::Call:
    case Op::CallMethod: return 4 + n(2);
    case Op::Fork: return 4 + n(3);
    case Op::Jump:
    case Op::Return:
    case Op::Uninitialized:
    case Op::Unsupported:
    case Op::Enter: return 2;
    case Op::Exit: return 1;
    case Op::LoopBegin:
    case Op::LoopNext: return 5;
    case Op::GetAttr:
    case Op::SetAttr:
    case Op::TupleIndex:
    case Op::UncheckedCast: return 4;
    case Op::Tuple:
    case Op::List:
    case Op::IsInstance: return 4 + n(3);
    case Op::TupleUnpack:
    case Op::ListUnpack: return 3 + n(2);
    case Op::Dict: return 5 + 2 * n(4);
    case Op::Drop: return 2 + n(1);
    case Op::TupleSlice: return 5;
    case Op::Count: break;
  }
  return c.size();
}

void propagate_mutation(Plan& plan) {
  std::unordered_map<std::string, std::vector<int32_t>> by_name;
  for (auto& c : plan.classes) {
    for (auto& [name, f] : c->methods) by_name[name].push_back(f);
  }
  std::vector<std::vector<int32_t>> callers(plan.functions.size());
  std::vector<int32_t> work;
  for (auto& f : plan.functions) {
    auto mark = [&] {
      if (!f->mutates_objects) work.push_back(f->index);
      f->mutates_objects = true;
    };
    for (size_t pc = 0; pc < f->code.size(); pc += instruction_length(f->code, pc)) {
      switch (static_cast<Op>(f->code[pc])) {
        case Op::SetAttr: mark(); break;
        case Op::OpCall:
          if (plan.operators[static_cast<size_t>(f->code[pc + 1])].mutates_container) mark();
          break;
        case Op::Call: callers[static_cast<size_t>(f->code[pc + 1])].push_back(f->index); break;
        case Op::Fork: callers[static_cast<size_t>(f->code[pc + 2])].push_back(f->index); break;
        case Op::CallMethod: {
          auto found = by_name.find(plan.constants[static_cast<size_t>(f->code[pc + 1])].to_string());
          if (found == by_name.end()) break;
          for (int32_t callee : found->second) callers[static_cast<size_t>(callee)].push_back(f->index);
          break;
        }
        default: break;
      }
    }
  }
  while (!work.empty()) {
    int32_t f = work.back();
    work.pop_back();
    for (int32_t caller : callers[static_cast<size_t>(f)]) {
      Function& c = *plan.functions[static_cast<size_t>(caller)];
      if (c.mutates_objects) continue;
      c.mutates_objects = true;
      work.push_back(caller);
    }
  }
}

}  // namespace torchscript
