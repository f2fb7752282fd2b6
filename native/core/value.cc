#include "core/value.h"

#include <cstring>

#include "core/errors.h"
#include "core/plan.h"

namespace torchscript {

const char* tag_name(Tag tag) {
  switch (tag) {
    case Tag::None: return "NoneType";
    case Tag::Bool: return "bool";
    case Tag::Int: return "int";
    case Tag::Float: return "float";
    case Tag::Complex: return "complex";
    case Tag::Tensor: return "Tensor";
    case Tag::String: return "str";
    case Tag::List: return "List";
    case Tag::Tuple: return "Tuple";
    case Tag::Dict: return "Dict";
    case Tag::Object: return "object";
    case Tag::Enum: return "Enum";
    case Tag::Future: return "Future";
    case Tag::Device: return "Device";
    case Tag::Generator: return "Generator";
    case Tag::Function: return "Function";
    case Tag::Uninitialized: return "uninitialized value";
  }
  return "unknown";
}

Value Value::of_complex(std::complex<double> c) { return Value(Tag::Complex, make_ref<ComplexValue>(c).detach()); }
Value Value::of_string(std::string s) { return Value(make_ref<StringValue>(std::move(s))); }

Value Value::of_ints(const std::vector<int64_t>& items) {
  auto list = make_ref<ListValue>();
  list->element = int_type();
  list->items.reserve(items.size());
  for (int64_t item : items) list->items.push_back(of_int(item));
  return Value(std::move(list));
}

Value::Value(Ref<StringValue> r) : Value(Tag::String, r.detach()) {}
Value::Value(Ref<ListValue> r) : Value(Tag::List, r.detach()) {}
Value::Value(Ref<TupleValue> r) : Value(Tag::Tuple, r.detach()) {}
Value::Value(Ref<DictValue> r) : Value(Tag::Dict, r.detach()) {}
Value::Value(Ref<ObjectValue> r) : Value(Tag::Object, r.detach()) {}
Value::Value(Ref<EnumValue> r) : Value(Tag::Enum, r.detach()) {}
Value::Value(Ref<FutureValue> r) : Value(Tag::Future, r.detach()) {}
Value::Value(Ref<DeviceValue> r) : Value(Tag::Device, r.detach()) {}
Value::Value(Ref<GeneratorValue> r) : Value(Tag::Generator, r.detach()) {}
Value::Value(Ref<FunctionValue> r) : Value(Tag::Function, r.detach()) {}

void Value::wrong_tag(Tag expected) const {
  if (tag_ == Tag::Uninitialized) fail("A value was used before it was assigned");
  fail("Expected a value of type '%s' but received '%s'", tag_name(expected), tag_name(tag_));
}

std::complex<double> Value::to_complex() const {
  if (tag_ == Tag::Int) return {static_cast<double>(u_.i), 0};
  if (tag_ == Tag::Float) return {u_.d, 0};
  if (tag_ == Tag::Bool) return {u_.i ? 1.0 : 0.0, 0};
  expect(Tag::Complex);
  return static_cast<ComplexValue*>(u_.p)->number;
}

const std::string& Value::to_string() const {
  expect(Tag::String);
  return static_cast<StringValue*>(u_.p)->text;
}
ListValue& Value::to_list() const {
  expect(Tag::List);
  return *static_cast<ListValue*>(u_.p);
}
TupleValue& Value::to_tuple() const {
  expect(Tag::Tuple);
  return *static_cast<TupleValue*>(u_.p);
}
DictValue& Value::to_dict() const {
  expect(Tag::Dict);
  return *static_cast<DictValue*>(u_.p);
}
ObjectValue& Value::to_object() const {
  expect(Tag::Object);
  return *static_cast<ObjectValue*>(u_.p);
}
EnumValue& Value::to_enum() const {
  expect(Tag::Enum);
  return *static_cast<EnumValue*>(u_.p);
}
FutureValue& Value::to_future() const {
  expect(Tag::Future);
  return *static_cast<FutureValue*>(u_.p);
}
DeviceValue& Value::to_device() const {
  expect(Tag::Device);
  return *static_cast<DeviceValue*>(u_.p);
}
FunctionValue& Value::to_function() const {
  expect(Tag::Function);
  return *static_cast<FunctionValue*>(u_.p);
}

std::vector<int64_t> Value::to_ints() const {
  if (tag_ == Tag::Int) return {u_.i};
  const ListValue& list = to_list();
  std::vector<int64_t> items;
  items.reserve(list.items.size());
  for (const Value& item : list.items) items.push_back(item.to_int());
  return items;
}

bool Value::identical(const Value& o) const {
  if (tag_ != o.tag_) return false;
  switch (tag_) {
    case Tag::None:
    case Tag::Uninitialized: return true;
    case Tag::Bool:
    case Tag::Int: return u_.i == o.u_.i;
    case Tag::Float: return u_.d == o.u_.d;
    case Tag::Complex: return to_complex() == o.to_complex();
    case Tag::String: return u_.p == o.u_.p || to_string() == o.to_string();
    case Tag::Device: return u_.p == o.u_.p || to_device().text() == o.to_device().text();
    case Tag::Enum: return u_.p == o.u_.p || (to_enum().class_name == o.to_enum().class_name && to_enum().name == o.to_enum().name);
    default: return u_.p == o.u_.p;
  }
}

std::string DeviceValue::text() const { return index < 0 ? type : type + ":" + std::to_string(index); }

size_t ValueHash::operator()(const Value& v) const {
  switch (v.tag()) {
    case Tag::Bool: return std::hash<int64_t>()(v.to_bool());
    case Tag::Int: return std::hash<int64_t>()(v.to_int());
    case Tag::Float: {
      // Equal keys hash alike: 1.0 and 1 are different types and never meet in one dictionary, but -0.0 equals 0.0.
      double d = v.to_float();
      return std::hash<double>()(d == 0 ? 0.0 : d);
    }
    case Tag::Complex: return std::hash<double>()(v.to_complex().real()) * 31 + std::hash<double>()(v.to_complex().imag());
    case Tag::String: return std::hash<std::string>()(v.to_string());
    case Tag::Device: return std::hash<std::string>()(v.to_device().text());
    case Tag::Enum: return std::hash<std::string>()(v.to_enum().class_name) * 31 + std::hash<std::string>()(v.to_enum().name);
    case Tag::Tuple: {
      size_t hash = 7;
      for (const Value& item : v.to_tuple().items) hash = hash * 31 + (*this)(item);
      return hash;
    }
    default: return std::hash<const void*>()(v.pointer());
  }
}

bool ValueEqual::operator()(const Value& a, const Value& b) const {
  if (a.is(Tag::Tuple) && b.is(Tag::Tuple)) {
    const auto& x = a.to_tuple().items;
    const auto& y = b.to_tuple().items;
    if (x.size() != y.size()) return false;
    for (size_t i = 0; i < x.size(); i++)
      if (!(*this)(x[i], y[i])) return false;
    return true;
  }
  return a.identical(b);
}

const Value* DictValue::find(const Value& key) const {
  auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries[found->second].second;
}

void DictValue::set(Value key, Value value) {
  auto [at, inserted] = index_.try_emplace(key, entries.size());
  if (inserted) entries.emplace_back(std::move(key), std::move(value));
  else entries[at->second].second = std::move(value);
}

bool DictValue::erase(const Value& key) {
  auto found = index_.find(key);
  if (found == index_.end()) return false;
  size_t at = found->second;
  index_.erase(found);
  entries.erase(entries.begin() + static_cast<ptrdiff_t>(at));
  for (auto& [k, position] : index_)
    if (position > at) position--;
  return true;
}

void DictValue::clear() {
  entries.clear();
  index_.clear();
}

}  // namespace torchscript
