// Lists: reference semantics, indices wrap from the end, slices copy.
#include <algorithm>

#include "core/builtins/adapter.h"
#include "core/builtins/compare.h"
#include "core/builtins/slices.h"

namespace torchscript::builtins {

int64_t wrap_list_index(int64_t index, size_t size) {
  int64_t n = static_cast<int64_t>(size);
  if (index < 0) index += n;
  if (index < 0 || index >= n) throw OperatorError("list index out of range", "IndexError");
  return index;
}

std::vector<int64_t> slice_positions(int64_t size, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step,
                                     const char* what) {
  if (step == 0) throw OperatorError(std::string(what) + " slice should have non-zero step", "builtins.ValueError");
  if (step == INT64_MIN) throw OperatorError(std::string(what) + " slice step is out of bounds");
  auto clamp = [&](int64_t at) {
    if (at < 0) at += size;
    if (at < 0) return step < 0 ? int64_t{-1} : int64_t{0};
    if (at >= size) return step < 0 ? size - 1 : size;
    return at;
  };
  int64_t first = start ? clamp(*start) : (step < 0 ? size - 1 : 0);
  int64_t last = end ? clamp(*end) : (step < 0 ? -1 : size);
  std::vector<int64_t> positions;
  if (step > 0) {
    for (int64_t at = first; at < last;) {
      positions.push_back(at);
      if (last - at <= step) break;
      at += step;
    }
  } else {
    for (int64_t at = first; at > last;) {
      positions.push_back(at);
      if (at - last <= -step) break;
      at += step;
    }
  }
  return positions;
}

namespace {

constexpr int64_t kMaxListItems = int64_t{1} << 32;

int64_t length(ListValue& list) { return static_cast<int64_t>(list.items.size()); }
Value get_item(ListValue& list, int64_t index) { return list.items[wrap_list_index(index, list.items.size())]; }

Value set_item(const Value& self, int64_t index, const Value& item) {
  ListValue& list = self.to_list();
  // The old item is released after the slot holds the new one: releasing it may run destructors that see the list.
  Value replaced = item;
  replaced.swap(list.items[wrap_list_index(index, list.items.size())]);
  return self;
}

Ref<ListValue> copy(ListValue& list) { return make_list(list.items, list.element); }

Value append(const Value& self, const Value& item) {
  Value kept = item;
  self.to_list().items.push_back(std::move(kept));
  return self;
}

void extend(ListValue& list, ListValue& other) {
  std::vector<Value> more = other.items;
  list.items.insert(list.items.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void insert(ListValue& list, int64_t index, const Value& item) {
  int64_t n = length(list);
  if (index < 0) index = std::max<int64_t>(index + n, 0);
  list.items.insert(list.items.begin() + std::min(index, n), Value(item));
}

Value pop(ListValue& list, int64_t index) {
  if (list.items.empty()) throw OperatorError("pop from empty list", "IndexError");
  int64_t n = length(list);
  if (index < 0) index += n;
  if (index < 0 || index >= n) throw OperatorError("list index out of range", "IndexError");
  Value item = std::move(list.items[index]);
  list.items.erase(list.items.begin() + index);
  return item;
}

void erase(ListValue& list, int64_t index) {
  if (list.items.empty()) throw OperatorError("pop index out of range", "IndexError");
  list.items.erase(list.items.begin() + wrap_list_index(index, list.items.size()));
}
void clear(ListValue& list) {
  std::vector<Value> released;
  released.swap(list.items);
}
void reverse(ListValue& list) { std::reverse(list.items.begin(), list.items.end()); }

std::string item_text(const Value& v) {
  if (v.is(Tag::String)) return v.to_string();
  if (v.is(Tag::Int)) return std::to_string(v.to_int());
  if (v.is(Tag::Bool)) return v.to_bool() ? "True" : "False";
  if (v.is(Tag::Float)) return std::to_string(v.to_float());
  return tag_name(v.tag());
}

int64_t find(ListValue& list, const Value& item) {
  for (size_t i = 0; i < list.items.size(); i++)
    if (values_equal(list.items[i], item)) return static_cast<int64_t>(i);
  return -1;
}
bool contains(ListValue& list, const Value& item) { return find(list, item) >= 0; }
int64_t index_of(ListValue& list, const Value& item) {
  int64_t at = find(list, item);
  if (at < 0) throw OperatorError("'" + item_text(item) + "' is not in list", "builtins.ValueError");
  return at;
}
void remove(ListValue& list, const Value& item) {
  int64_t at = find(list, item);
  if (at < 0) throw OperatorError("list.remove(x): x not in list", "builtins.ValueError");
  list.items.erase(list.items.begin() + at);
}
int64_t count(ListValue& list, const Value& item) {
  int64_t n = 0;
  for (const Value& v : list.items) n += values_equal(v, item);
  return n;
}

// Tensors compare by content: one-element tensors by their value, others have no truth value.
bool tensors_equal(Context& context, const Value& a, const Value& b) {
  if (a.identical(b) && a.to_tensor().numel() == 1 && !is_floating(a.to_tensor().dtype())) return true;
  Value args[2] = {a, b};
  Value result = context.call_operator("aten::eq.Tensor", args, 2).at(0);
  Tensor& t = result.to_tensor();
  if (t.numel() == 0) throw OperatorError("Boolean value of Tensor with no values is ambiguous");
  if (t.numel() > 1) throw OperatorError("Boolean value of Tensor with more than one value is ambiguous");
  return context.item(t).to_bool();
}
int64_t find_tensor(Context& context, ListValue& list, const Value& item) {
  for (size_t i = 0; i < list.items.size(); i++)
    if (tensors_equal(context, list.items[i], item)) return static_cast<int64_t>(i);
  return -1;
}
bool tensor_lists_equal(Context& context, ListValue& a, ListValue& b) {
  if (a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); i++)
    if (!tensors_equal(context, a.items[i], b.items[i])) return false;
  return true;
}

void sort_items(Context& context, std::vector<Value>& items, bool reversed) {
  // Objects say themselves which comes first. An inconsistent order, as NaN makes, is fine: the merge sort never reads outside the range.
  if (!items.empty() && (items[0].is(Tag::Complex) || items[0].is(Tag::List) || items[0].is(Tag::Dict))) {
    throw OperatorError(
      "Only list of Tensors, ints, floats, bools, strs, a User Defined Class that defines the __lt__ compare method or Tuples of "
      "aforementioned types can be sorted, got list of " + std::string(tag_name(items[0].tag())));
  }
  auto less = [&](const Value& a, const Value& b) {
    return a.is(Tag::Object) ? context.call_method(a, "__lt__", &b, 1).to_bool() : value_less(a, b);
  };
  if (reversed) std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) { return less(b, a); });
  else std::stable_sort(items.begin(), items.end(), less);
}
void sort(Context& context, ListValue& list, std::optional<bool> reversed) {
  std::vector<Value> items = list.items;
  sort_items(context, items, reversed.value_or(false));
  list.items.swap(items);
}
Ref<ListValue> sorted(Context& context, ListValue& list) {
  auto result = copy(list);
  sort_items(context, result->items, false);
  return result;
}
void sort_tensors(Context& context, std::vector<Value>& items, bool reversed) {
  std::vector<std::pair<Number, Value>> keyed;
  for (const Value& v : items) {
    if (v.to_tensor().numel() != 1) throw OperatorError("Boolean value of Tensor with more than one value is ambiguous");
    keyed.emplace_back(Number::of(context.item(v.to_tensor())), v);
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return value_less((reversed ? b : a).first.value(), (reversed ? a : b).first.value());
  });
  for (size_t i = 0; i < items.size(); i++) items[i] = keyed[i].second;
}

Ref<ListValue> concatenate(ListValue& a, ListValue& b) {
  auto result = copy(a);
  result->items.insert(result->items.end(), b.items.begin(), b.items.end());
  return result;
}

// A negative count is an error, unlike in Python.
size_t checked_count(int64_t n) {
  if (n < 0) throw OperatorError("vector::reserve");
  return static_cast<size_t>(n);
}

Ref<ListValue> repeat(ListValue& list, int64_t times) {
  if (list.items.empty()) return make_list({}, list.element);
  if (times > 0 && length(list) > kMaxListItems / times)
    throw OperatorError("A list of " + std::to_string(length(list)) + " items cannot be repeated " + std::to_string(times) + " times");
  std::vector<Value> items;
  items.reserve(list.items.size() * checked_count(times));
  for (int64_t i = 0; i < times; i++) items.insert(items.end(), list.items.begin(), list.items.end());
  return make_list(std::move(items), list.element);
}
Value repeat_in_place(const Value& self, int64_t times) {
  // In place, a negative count empties the list.
  self.to_list().items = repeat(self.to_list(), std::max<int64_t>(times, 0))->items;
  return self;
}

Ref<ListValue> slice(ListValue& list, std::optional<int64_t> start, std::optional<int64_t> end, std::optional<int64_t> step) {
  std::vector<Value> items;
  for (int64_t at : slice_positions(length(list), start, end, step.value_or(1), "List")) items.push_back(list.items[at]);
  return make_list(std::move(items), list.element);
}

bool truth(const Value& v) {
  if (v.is(Tag::String)) return !v.to_string().empty();
  Number n = Number::of(v);
  return n.kind == NumberKind::Int ? n.i != 0 : n.as_complex() != Complex(0, 0);
}
bool any(ListValue& list) { return std::any_of(list.items.begin(), list.items.end(), truth); }
bool all(ListValue& list) { return std::all_of(list.items.begin(), list.items.end(), truth); }

// Adds up in 32 bits and wraps, as PyTorch does.
int64_t sum_ints(ListValue& list) {
  int64_t total = 0;
  for (const Value& v : list.items) total = wrap_add(total, Number::of(v).i);
  return static_cast<int32_t>(total);
}
double sum_floats(ListValue& list) {
  double total = 0;
  for (const Value& v : list.items) total += v.to_float();
  return total;
}
Complex sum_complex(ListValue& list) {
  Complex total;
  for (const Value& v : list.items) total += v.to_complex();
  return total;
}

Ref<ListValue> range_list(int64_t n) {
  if (n > kMaxListItems) throw OperatorError("A list of " + std::to_string(n) + " items is too long");
  std::vector<Value> items;
  items.reserve(checked_count(n));
  for (int64_t i = 0; i < n; i++) items.push_back(Value::of_int(i));
  return make_list(std::move(items), int_type());
}

Ref<ListValue> characters(const std::string& text) {
  std::vector<Value> items;
  for (char c : text) items.push_back(Value::of_string(std::string(1, c)));
  return make_list(std::move(items), string_type());
}

static Builtins rows{
  {"aten::len.t", fn<length>},
  {"aten::len.any", fn<length>},
  {"aten::__getitem__.t", fn<get_item>},
  {"aten::select.t", fn<get_item>},
  {"aten::_set_item.t", fn<set_item>},
  {"aten::append.t", fn<append>},
  {"aten::extend.t", fn<extend>},
  {"aten::insert.t", fn<insert>},
  {"aten::pop.t", fn<[](ListValue& list, std::optional<int64_t> index) { return pop(list, index.value_or(-1)); }>},
  {"aten::Delete.t", fn<erase>},
  {"aten::clear.t", fn<clear>},
  {"aten::reverse.t", fn<reverse>},
  {"aten::copy.t", fn<copy>},
  {"aten::list.t", fn<copy>},
  {"aten::list", fn<characters>},
  {"aten::Size", fn<[](const Value& sizes) { return sizes; }>},
  {"aten::add.t", fn<concatenate>},
  {"aten::add_.t", fn<[](const Value& self, ListValue& other) {
     extend(self.to_list(), other);
     return self;
   }>},
  {"aten::mul.left_t", fn<repeat>},
  {"aten::mul.right_", fn<[](int64_t times, ListValue& list) { return repeat(list, times); }>},
  {"aten::mul_.t", fn<repeat_in_place>},
  {"aten::slice.t", fn<slice>},
  {"aten::remove.int", fn<remove>},
  {"aten::remove.float", fn<remove>},
  {"aten::remove.bool", fn<remove>},
  {"aten::remove.str", fn<remove>},
  {"aten::remove.Tensor", fn<[](Context& context, ListValue& list, const Value& item) {
     int64_t at = find_tensor(context, list, item);
     if (at < 0) throw OperatorError("list.remove(x): x not in list", "builtins.ValueError");
     list.items.erase(list.items.begin() + at);
   }>},
  {"aten::index.list_int", fn<index_of>},
  {"aten::index.list_float", fn<index_of>},
  {"aten::index.list_bool", fn<index_of>},
  {"aten::index.list_str", fn<index_of>},
  {"aten::index.list_Tensor", fn<[](Context& context, ListValue& list, const Value& item) {
     int64_t at = find_tensor(context, list, item);
     if (at < 0) throw OperatorError("the Tensor is not in list", "builtins.ValueError");
     return at;
   }>},
  {"aten::count.int", fn<count>},
  {"aten::count.float", fn<count>},
  {"aten::count.bool", fn<count>},
  {"aten::count.str", fn<count>},
  {"aten::count.Tensor", fn<[](Context& context, ListValue& list, const Value& item) {
     int64_t n = 0;
     for (const Value& v : list.items) n += tensors_equal(context, v, item);
     return n;
   }>},
  {"aten::__contains__.int_list", fn<contains>},
  {"aten::__contains__.str_list", fn<contains>},
  {"aten::__contains__.float_list", fn<contains>},
  {"aten::eq.Tensor_list", fn<tensor_lists_equal>},
  {"aten::ne.Tensor_list", fn<[](Context& context, ListValue& a, ListValue& b) { return !tensor_lists_equal(context, a, b); }>},
  {"aten::sort.int", fn<sort>},
  {"aten::sort.float", fn<sort>},
  {"aten::sort.bool", fn<sort>},
  {"aten::sort.str", fn<sort>},
  {"aten::sort.any", fn<sort>},
  {"aten::sort.Tensor", fn<[](Context& context, ListValue& list, std::optional<bool> reversed) {
     sort_tensors(context, list.items, reversed.value_or(false));
   }>},
  {"aten::sorted.int", fn<sorted>},
  {"aten::sorted.float", fn<sorted>},
  {"aten::sorted.bool", fn<sorted>},
  {"aten::sorted.str", fn<sorted>},
  {"aten::sorted.any", fn<sorted>},
  {"aten::sorted.Tensor", fn<[](Context& context, ListValue& list) {
     auto result = copy(list);
     sort_tensors(context, result->items, false);
     return result;
   }>},
  {"aten::any.str", fn<any>},
  {"aten::any.int", fn<any>},
  {"aten::any.float", fn<any>},
  {"aten::any.bool", fn<any>},
  {"aten::all.int", fn<all>},
  {"aten::all.float", fn<all>},
  {"aten::all.bool", fn<all>},
  {"aten::sum.int", fn<sum_ints>},
  {"aten::sum.bool", fn<sum_ints>},
  {"aten::sum.float", fn<sum_floats>},
  {"aten::sum.complex", fn<sum_complex>},
  {"prim::rangelist", fn<range_list>},
};

}  // namespace
}  // namespace torchscript::builtins
