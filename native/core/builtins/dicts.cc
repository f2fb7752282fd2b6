// Dictionaries keep insertion order. Key types share one implementation: the overloads of the schemas differ in key type alone.
#include "core/builtins/adapter.h"
#include "core/builtins/tensor_data.h"

namespace torchscript::builtins {
namespace {

[[noreturn]] void missing(Context& context, const Value& key) {
  throw OperatorError("KeyError: " + format_value(context, key), "builtins.KeyError");
}

int64_t length(DictValue& dict) { return static_cast<int64_t>(dict.entries.size()); }
bool contains(DictValue& dict, const Value& key) { return dict.find(key) != nullptr; }

Value get_item(Context& context, DictValue& dict, const Value& key) {
  const Value* found = dict.find(key);
  if (!found) missing(context, key);
  return *found;
}
void set_item(DictValue& dict, const Value& key, const Value& value) { dict.set(key, value); }
Value get(DictValue& dict, const Value& key) {
  const Value* found = dict.find(key);
  return found ? *found : Value();
}
Value get_or(DictValue& dict, const Value& key, const Value& fallback) {
  const Value* found = dict.find(key);
  return found ? *found : fallback;
}
Value set_default(DictValue& dict, const Value& key, const Value& fallback) {
  const Value* found = dict.find(key);
  if (found) return *found;
  dict.set(key, fallback);
  return fallback;
}
Value pop(Context& context, DictValue& dict, const Value& key) {
  Value item = get_item(context, dict, key);
  dict.erase(key);
  return item;
}
Value pop_or(DictValue& dict, const Value& key, const Value& fallback) {
  Value item = get_or(dict, key, fallback);
  dict.erase(key);
  return item;
}
// The oldest entry goes first.
Value pop_item(DictValue& dict) {
  if (dict.entries.empty()) throw OperatorError("popitem(): dictionary is empty", "builtins.KeyError");
  auto [key, item] = dict.entries.front();
  dict.erase(key);
  return Value(make_tuple_value({key, item}));
}
void erase(Context& context, DictValue& dict, const Value& key) {
  if (!dict.erase(key)) missing(context, key);
}
void clear(DictValue& dict) { dict.clear(); }
void update(DictValue& dict, DictValue& other) {
  auto entries = other.entries;
  for (auto& [key, item] : entries) dict.set(key, item);
}

Ref<ListValue> keys(DictValue& dict) {
  std::vector<Value> items;
  for (const auto& entry : dict.entries) items.push_back(entry.first);
  return make_list(std::move(items), dict.key_type);
}
Ref<ListValue> values(DictValue& dict) {
  std::vector<Value> items;
  for (const auto& entry : dict.entries) items.push_back(entry.second);
  return make_list(std::move(items), dict.value_type);
}
Ref<ListValue> entries(DictValue& dict) {
  std::vector<Value> items;
  for (const auto& [key, item] : dict.entries) items.push_back(Value(make_tuple_value({key, item})));
  return make_list(std::move(items), nullptr);
}

Ref<DictValue> copy(DictValue& dict) {
  auto result = make_ref<DictValue>();
  result->key_type = dict.key_type;
  result->value_type = dict.value_type;
  for (const auto& [key, item] : dict.entries) result->set(key, item);
  return result;
}
Ref<DictValue> from_pairs(ListValue& pairs) {
  auto result = make_ref<DictValue>();
  if (pairs.element && pairs.element->kind == TypeKind::Tuple && pairs.element->args.size() == 2) {
    result->key_type = pairs.element->args[0];
    result->value_type = pairs.element->args[1];
  }
  for (const Value& pair : pairs.items) {
    const auto& items = pair.to_tuple().items;
    if (items.size() != 2) throw OperatorError("Expected pairs of key and value but received a tuple of " + std::to_string(items.size()));
    result->set(items[0], items[1]);
  }
  return result;
}

#define TS_DICT_ROWS(key)                                                                                                          \
  {"aten::keys." #key, fn<keys>}, {"aten::values." #key, fn<values>}, {"aten::items." #key, fn<entries>},                          \
    {"aten::len.Dict_" #key, fn<length>}, {"aten::__getitem__.Dict_" #key, fn<get_item>}, {"aten::_set_item." #key, fn<set_item>}, \
    {"aten::__contains__." #key, fn<contains>}, {"aten::get." #key, fn<get>}, {"aten::get.default_" #key, fn<get_or>},             \
    {"aten::setdefault." #key, fn<set_default>}, {"aten::pop.Dict_" #key, fn<pop>}, {"aten::pop.Dict_default_" #key, fn<pop_or>},  \
    {"aten::popitem." #key, fn<pop_item>}, {"aten::Delete.Dict_" #key, fn<erase>}, {"aten::clear." #key, fn<clear>},               \
    {"aten::update." #key, fn<update>}, {"aten::copy.Dict_" #key, fn<copy>}, {"aten::dict." #key, fn<from_pairs>}, {               \
    "aten::dict.Dict_" #key, fn<copy>                                                                                              \
  }

static Builtins rows{
  TS_DICT_ROWS(str),
  TS_DICT_ROWS(int),
  TS_DICT_ROWS(bool),
  TS_DICT_ROWS(float),
  TS_DICT_ROWS(complex),
  TS_DICT_ROWS(Tensor),
  {"aten::dict", fn<[]() {
     auto result = make_ref<DictValue>();
     result->key_type = string_type();
     result->value_type = tensor_type();
     return result;
   }>},
};

}  // namespace
}  // namespace torchscript::builtins
