// The plan decoder. Every count, index and length is checked before it is used.
#include "core/plan.h"

#include <cstring>
#include <functional>
#include <unordered_set>

#include "core/errors.h"
#include "core/registry.h"
#include "core/verify.h"

namespace torchscript {
namespace {

constexpr uint32_t kMagic = 0x4C505354;
constexpr uint32_t kVersion = 1;
constexpr uint32_t kNoIndex = 0xFFFFFFFF;
constexpr int kMaxKeyDepth = 32;
constexpr int kMaxTypeDepth = 256;

class Decoder {
 public:
  Decoder(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors)
      : p_(bytes), size_(size), tensors_(tensors), plan_(new Plan) {}

  std::unique_ptr<Plan> decode() {
    if (u32() != kMagic) bad("the magic number is missing");
    uint32_t version = u32();
    if (version != kVersion) bad("format version " + std::to_string(version) + " is not supported");
    types();
    classes();
    check_types();
    operators();
    heap();
    uint32_t nconstants = count(1);
    for (uint32_t i = 0; i < nconstants; i++) plan_->constants.push_back(value());
    functions();
    plan_->root = value();
    uint32_t nstart = count(4);
    for (uint32_t i = 0; i < nstart; i++) plan_->start_functions.push_back(index(u32(), plan_->functions.size(), "function"));
    if (at_ != size_) bad("it has bytes after its end");
    check_references();
    for (auto& function : plan_->functions) verify_code(*plan_, *function);
    propagate_mutation(*plan_);
    return std::move(plan_);
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    throw PlanError("The plan is malformed: " + what + " (at byte " + std::to_string(at_) + ").");
  }
  void need(size_t n) const {
    if (size_ - at_ < n) bad("it ends too early");
  }
  template <class T> T read() {
    need(sizeof(T));
    T v;
    std::memcpy(&v, p_ + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  uint8_t u8() { return read<uint8_t>(); }
  uint32_t u32() { return read<uint32_t>(); }
  std::string str() {
    uint32_t n = u32();
    need(n);
    std::string s(reinterpret_cast<const char*>(p_ + at_), n);
    at_ += n;
    return s;
  }
  // A count of items that take at least `item` bytes each.
  uint32_t count(size_t item) {
    uint32_t n = u32();
    if (n > (size_ - at_) / item) bad("a count is larger than what follows");
    return n;
  }
  uint32_t index(uint32_t i, size_t limit, const char* what) const {
    if (i >= limit) bad(std::string("a ") + what + " index is out of range");
    return i;
  }
  const TypeInfo* type(uint32_t i) const { return plan_->types[index(i, plan_->types.size(), "type")].get(); }
  const TypeInfo* type() { return type(u32()); }

  void types() {
    uint32_t n = count(1);
    for (uint32_t i = 0; i < n; i++) plan_->types.push_back(std::make_unique<TypeInfo>());
    class_of_type_.assign(n, kNoIndex);
    for (uint32_t i = 0; i < n; i++) {
      TypeInfo& t = *plan_->types[i];
      uint8_t kind = u8();
      if (kind > static_cast<uint8_t>(TypeKind::Other)) bad("unknown type kind " + std::to_string(kind));
      t.kind = static_cast<TypeKind>(kind);
      switch (t.kind) {
        case TypeKind::List:
        case TypeKind::Optional:
        case TypeKind::Future: t.args = {type()}; break;
        case TypeKind::Dict:
          t.args.push_back(type());
          t.args.push_back(type());
          break;
        case TypeKind::Union:
        case TypeKind::Tuple: type_list(t); break;
        case TypeKind::NamedTuple: {
          t.name = str();
          uint32_t fields = count(4);
          for (uint32_t k = 0; k < fields; k++) t.fields.push_back(str());
          type_list(t);
          if (t.args.size() != t.fields.size()) bad("a NamedTuple has another number of fields than of types");
          break;
        }
        case TypeKind::Class: class_of_type_[i] = u32(); break;
        case TypeKind::Enum: {
          t.name = str();
          t.args = {type()};
          uint32_t members = count(5);
          for (uint32_t k = 0; k < members; k++) {
            std::string name = str();
            t.members.emplace_back(std::move(name), value());
          }
          break;
        }
        case TypeKind::Other: t.name = str(); break;
        default: break;
      }
    }
  }
  void type_list(TypeInfo& t) {
    uint32_t n = count(4);
    for (uint32_t k = 0; k < n; k++) t.args.push_back(type());
  }

  void classes() {
    uint32_t n = count(17);
    for (uint32_t i = 0; i < n; i++) {
      plan_->classes.push_back(std::make_unique<ClassInfo>());
      ClassInfo& c = *plan_->classes.back();
      c.index = static_cast<int32_t>(i);
      c.name = str();
      uint8_t flavor = u8();
      if (flavor > static_cast<uint8_t>(ClassFlavor::Custom)) bad("unknown class flavor");
      c.flavor = static_cast<ClassFlavor>(flavor);
      uint32_t attributes = count(9);
      for (uint32_t k = 0; k < attributes; k++) {
        Attribute a;
        a.name = str();
        a.type = type();
        a.flags = u8();
        c.attributes.push_back(std::move(a));
      }
      uint32_t methods = count(8);
      for (uint32_t k = 0; k < methods; k++) {
        std::string name = str();
        c.methods[name] = static_cast<int32_t>(u32());
      }
      uint32_t implementers = count(4);
      for (uint32_t k = 0; k < implementers; k++) c.implementers.insert(static_cast<int32_t>(index(u32(), n, "class")));
    }
    for (size_t i = 0; i < plan_->types.size(); i++) {
      if (plan_->types[i]->kind == TypeKind::Class)
        plan_->types[i]->class_info = plan_->classes[index(class_of_type_[i], n, "class")].get();
    }
  }

  // Types may contain each other, never themselves.
  void check_types() {
    std::unordered_map<const TypeInfo*, int> depth;  // 0 while being visited
    std::function<int(const TypeInfo*)> visit = [&](const TypeInfo* t) {
      auto [at, fresh] = depth.try_emplace(t, 0);
      if (!fresh) {
        if (at->second == 0) bad("a type contains itself");
        return at->second;
      }
      visiting_++;
      if (visiting_ > kMaxTypeDepth) bad("types are nested too deeply");
      int deepest = 0;
      for (const TypeInfo* arg : t->args) deepest = std::max(deepest, visit(arg));
      visiting_--;
      return depth[t] = deepest + 1;
    };
    for (auto& t : plan_->types) visit(t.get());
  }

  void operators() {
    uint32_t n = count(18);
    for (uint32_t i = 0; i < n; i++) {
      Operator op;
      op.name = str();
      uint8_t kind = u8();
      op.target = str();
      uint8_t variant = u8();
      if (kind > 1 || variant > 2) bad("unknown operator kind or variant");
      op.variant = static_cast<Operator::Variant>(variant);
      op.nargs = u32();
      op.nresults = u32();
      if (op.nresults > 64 && op.nresults != kNoIndex) bad("an operator has too many results");
      if (kind == 0) op.builtin = find_builtin(op.target);
      if (!op.builtin) op.kernel = find_kernel(op.target);
      op.mutates_container = is_container_mutation(op.name);
      plan_->operators.push_back(std::move(op));
    }
  }

  Value value() {
    switch (u8()) {
      case 0: return Value();
      case 1: return Value::of_bool(false);
      case 2: return Value::of_bool(true);
      case 3: return Value::of_int(read<int64_t>());
      case 4: return Value::of_float(read<double>());
      case 5: {
        double re = read<double>();
        double im = read<double>();
        return Value::of_complex({re, im});
      }
      case 6: return Value(tensors_[index(u32(), tensors_.size(), "tensor")]);
      case 7: return plan_->heap[index(u32(), plan_->heap.size(), "heap")];
      case 8: return parse_device(str());
      case 9: {
        auto f = make_ref<FunctionValue>();
        f->function = static_cast<int32_t>(u32());
        function_values_.push_back(f->function);
        return Value(std::move(f));
      }
      case 10: return Value::uninitialized();
      case 11: return Value::of_string(str());
      default: bad("unknown value tag");
    }
  }
  void skip_value() {
    switch (u8()) {
      case 0:
      case 1:
      case 2:
      case 10: return;
      case 3:
      case 4: skip(8); return;
      case 5: skip(16); return;
      case 6:
      case 7:
      case 9: skip(4); return;
      case 8:
      case 11: skip(u32()); return;
      default: bad("unknown value tag");
    }
  }
  void skip(size_t n) {
    need(n);
    at_ += n;
  }

  // Entries may refer to later ones: the first walk makes them, the second fills them, dictionaries last (their keys must be complete).
  void heap() {
    uint32_t n = count(5);
    size_t begin = at_;
    for (uint32_t i = 0; i < n; i++) plan_->heap.push_back(make_entry());
    size_t end = at_;
    at_ = begin;
    std::vector<std::pair<size_t, uint32_t>> dicts;
    for (uint32_t i = 0; i < n; i++) {
      if (p_[at_] == 2) {
        dicts.emplace_back(at_, i);
        make_entry();
      } else {
        fill_entry(plan_->heap[i]);
      }
    }
    for (auto [position, i] : dicts) {
      at_ = position;
      fill_entry(plan_->heap[i]);
    }
    at_ = end;
  }

  // Makes the entry at the read position, still empty, and moves past it.
  Value make_entry() {
    switch (u8()) {
      case 0: {
        auto list = make_ref<ListValue>();
        list->shared = true;
        skip(4);
        skip_values(1);
        return Value(std::move(list));
      }
      case 1: {
        skip(4);
        skip_values(1);
        return Value(make_ref<TupleValue>());
      }
      case 2: {
        auto dict = make_ref<DictValue>();
        dict->shared = true;
        skip(8);
        skip_values(2);
        return Value(std::move(dict));
      }
      case 3: {
        auto object = make_ref<ObjectValue>();
        object->shared = true;
        object->type = plan_->classes[index(u32(), plan_->classes.size(), "class")].get();
        skip_values(1);
        return Value(std::move(object));
      }
      case 4: {
        auto object = make_ref<ObjectValue>();
        object->shared = true;
        object->type = plan_->classes[index(u32(), plan_->classes.size(), "class")].get();
        skip(4);
        skip_value();
        return Value(std::move(object));
      }
      case 5: {
        str();
        str();
        skip_value();
        return Value(make_ref<EnumValue>());
      }
      default: bad("unknown heap entry kind");
    }
  }
  void skip_values(uint32_t per_item) {
    uint32_t n = count(per_item);
    for (uint64_t k = 0; k < uint64_t{n} * per_item; k++) skip_value();
  }

  void fill_entry(Value& entry) {
    switch (u8()) {
      case 0: {
        ListValue& list = entry.to_list();
        list.element = type();
        uint32_t n = count(1);
        for (uint32_t k = 0; k < n; k++) list.items.push_back(value());
        break;
      }
      case 1: {
        TupleValue& tuple = entry.to_tuple();
        uint32_t t = u32();
        if (t != kNoIndex) tuple.type = type(t);
        uint32_t n = count(1);
        for (uint32_t k = 0; k < n; k++) tuple.items.push_back(value());
        break;
      }
      case 2: {
        DictValue& dict = entry.to_dict();
        dict.key_type = type();
        dict.value_type = type();
        uint32_t n = count(2);
        for (uint32_t k = 0; k < n; k++) {
          Value key = value();
          check_key(key, 0);
          dict.set(std::move(key), value());
        }
        break;
      }
      case 3: {
        ObjectValue& object = entry.to_object();
        skip(4);
        uint32_t n = count(1);
        if (n != object.type->attributes.size())
          bad("an object of class " + object.type->name + " has another number of slots than its class");
        for (uint32_t k = 0; k < n; k++) object.slots.push_back(value());
        break;
      }
      case 4: {
        ObjectValue& object = entry.to_object();
        skip(4);
        uint32_t function = u32();
        for (const Attribute& a : object.type->attributes) {
          object.slots.push_back(a.type->kind == TypeKind::Optional ? Value() : Value::uninitialized());
        }
        if (function != kNoIndex) function_values_.push_back(static_cast<int32_t>(function));
        else if (object.type->flavor != ClassFlavor::Custom) bad("an object with state has no __setstate__");
        plan_->pending_states.push_back({entry, static_cast<int32_t>(function), value()});
        break;
      }
      case 5: {
        EnumValue& e = entry.to_enum();
        e.class_name = str();
        e.name = str();
        e.value = value();
        break;
      }
      default: break;
    }
  }
  void check_key(const Value& key, int depth) {
    switch (key.tag()) {
      case Tag::Bool:
      case Tag::Int:
      case Tag::Float:
      case Tag::Complex:
      case Tag::String:
      case Tag::Device:
      case Tag::Enum:
      case Tag::Tensor: return;
      case Tag::Tuple:
        if (depth > kMaxKeyDepth) bad("a dictionary key is nested too deeply");
        for (const Value& item : key.to_tuple().items) check_key(item, depth + 1);
        return;
      default: bad("a dictionary key has a type that cannot be a key");
    }
  }

  void functions() {
    uint32_t n = count(10);
    for (uint32_t i = 0; i < n; i++) {
      plan_->functions.push_back(std::make_unique<Function>());
      Function& f = *plan_->functions.back();
      f.index = static_cast<int32_t>(i);
      f.name = str();
      uint32_t nparameters = count(10);
      for (uint32_t k = 0; k < nparameters; k++) {
        Parameter p;
        p.name = str();
        p.type = type();
        p.has_default = u8() != 0;
        if (p.has_default) p.default_value = value();
        p.kwarg_only = u8() != 0;
        f.parameters.push_back(std::move(p));
      }
      f.return_type = type();
      f.nregisters = u32();
      f.error = str();
      f.error_is_unsupported = u8() != 0;
      uint32_t words = count(4);
      f.code.resize(words);
      if (words) std::memcpy(f.code.data(), p_ + at_, size_t{words} * 4);
      skip(size_t{words} * 4);
      uint32_t lines = count(8);
      for (uint32_t k = 0; k < lines; k++) {
        uint32_t pc = u32();
        uint32_t range = u32();
        if (!f.lines.empty() && pc < f.lines.back().first) bad("a line table is not sorted");
        f.lines.emplace_back(pc, range);
      }
      uint32_t ranges = count(16);
      for (uint32_t k = 0; k < ranges; k++) {
        SourceRange r;
        r.file = str();
        r.line = u32();
        r.column = u32();
        r.text = str();
        f.ranges.push_back(std::move(r));
      }
      for (auto [pc, range] : f.lines) index(range, f.ranges.size(), "range");
    }
  }

  void check_references() {
    for (int32_t f : function_values_) index(static_cast<uint32_t>(f), plan_->functions.size(), "function");
    for (auto& c : plan_->classes) {
      for (auto& [name, f] : c->methods) index(static_cast<uint32_t>(f), plan_->functions.size(), "function");
    }
  }

  const uint8_t* p_;
  size_t size_;
  size_t at_ = 0;
  int visiting_ = 0;
  const std::vector<Ref<Tensor>>& tensors_;
  std::unique_ptr<Plan> plan_;
  std::vector<uint32_t> class_of_type_;
  std::vector<int32_t> function_values_;
};

}  // namespace

Value parse_device(const std::string& text) {
  auto device = make_ref<DeviceValue>();
  size_t colon = text.find(':');
  device->type = text.substr(0, colon);
  if (colon != std::string::npos) {
    const std::string digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > 4 || digits.find_first_not_of("0123456789") != std::string::npos)
      fail("Invalid device string: '%s'", text.c_str());
    device->index = std::stoi(digits);
  }
  if (device->type.empty()) fail("Invalid device string: '%s'", text.c_str());
  return Value(std::move(device));
}

const SourceRange* Function::range_at(size_t pc) const {
  const SourceRange* found = nullptr;
  for (auto [start, range] : lines) {
    if (start > pc) break;
    found = &ranges[range];
  }
  return found;
}

Plan::~Plan() {
  for (Value& entry : heap) {
    if (entry.is(Tag::Object)) {
      entry.to_object().slots.clear();
      entry.to_object().payload = Value();
    } else if (entry.is(Tag::List)) {
      entry.to_list().items.clear();
    } else if (entry.is(Tag::Dict)) {
      entry.to_dict().clear();
    } else if (entry.is(Tag::Tuple)) {
      entry.to_tuple().items.clear();
    }
  }
}

std::unique_ptr<Plan> decode_plan(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors) {
  return Decoder(bytes, size, tensors).decode();
}

}  // namespace torchscript
