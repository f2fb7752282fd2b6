// Comparisons of numbers, strings, devices, enums and lists.
#include "core/builtins/adapter.h"
#include "core/builtins/compare.h"

namespace torchscript::builtins {

bool numbers_equal(const Number& a, const Number& b) {
  switch (common_kind(a, b)) {
    case NumberKind::Int: return a.i == b.i;
    case NumberKind::Float: return a.as_float() == b.as_float();
    default: return a.as_complex() == b.as_complex();
  }
}

bool values_equal(const Value& a, const Value& b) {
  auto is_number = [](const Value& v) { return v.is(Tag::Bool) || v.is(Tag::Int) || v.is(Tag::Float) || v.is(Tag::Complex); };
  if (is_number(a) && is_number(b)) return numbers_equal(Number::of(a), Number::of(b));
  if (a.is(Tag::List) && b.is(Tag::List)) return sequences_equal(a.to_list().items, b.to_list().items);
  if (a.is(Tag::Tuple) && b.is(Tag::Tuple)) return sequences_equal(a.to_tuple().items, b.to_tuple().items);
  return a.identical(b);
}

bool sequences_equal(const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++)
    if (!values_equal(a[i], b[i])) return false;
  return true;
}

bool value_less(const Value& a, const Value& b) {
  if (a.is(Tag::String) && b.is(Tag::String)) return a.to_string() < b.to_string();
  if ((a.is(Tag::Tuple) && b.is(Tag::Tuple)) || (a.is(Tag::List) && b.is(Tag::List))) {
    const auto& x = a.is(Tag::Tuple) ? a.to_tuple().items : a.to_list().items;
    const auto& y = b.is(Tag::Tuple) ? b.to_tuple().items : b.to_list().items;
    for (size_t i = 0; i < x.size() && i < y.size(); i++) {
      if (value_less(x[i], y[i])) return true;
      if (value_less(y[i], x[i])) return false;
    }
    return x.size() < y.size();
  }
  Number x = Number::of(a), y = Number::of(b);
  return common_kind(x, y) == NumberKind::Int ? x.i < y.i : x.as_float() < y.as_float();
}

namespace {

bool equal(Number a, Number b) { return numbers_equal(a, b); }
bool not_equal(Number a, Number b) { return !numbers_equal(a, b); }
template <class Compare> bool ordered(Number a, Number b) {
  return common_kind(a, b) == NumberKind::Int ? Compare()(a.i, b.i) : Compare()(a.as_float(), b.as_float());
}
bool lists_equal(ListValue& a, ListValue& b) { return sequences_equal(a.items, b.items); }
bool lists_differ(ListValue& a, ListValue& b) { return !sequences_equal(a.items, b.items); }
bool devices_equal(DeviceValue& a, DeviceValue& b) { return a.type == b.type && a.index == b.index; }

constexpr BuiltinFn kEqual = fn<equal>, kNotEqual = fn<not_equal>;
constexpr BuiltinFn kLess = fn<ordered<std::less<>>>, kLessEqual = fn<ordered<std::less_equal<>>>;
constexpr BuiltinFn kGreater = fn<ordered<std::greater<>>>, kGreaterEqual = fn<ordered<std::greater_equal<>>>;
using Text = const std::string&;

static Builtins rows{
  {"aten::eq.int", fn<[](int64_t a, int64_t b) { return a == b; }>},
  {"aten::eq.float", fn<[](double a, double b) { return a == b; }>},
  {"aten::eq.bool", fn<[](bool a, bool b) { return a == b; }>},
  {"aten::eq.complex", kEqual},
  {"aten::eq.int_float", kEqual},
  {"aten::eq.float_int", kEqual},
  {"aten::eq.float_complex", kEqual},
  {"aten::eq.complex_float", kEqual},
  {"aten::eq", kEqual},
  {"aten::eq.str", fn<[](Text a, Text b) { return a == b; }>},
  {"aten::eq.device", fn<devices_equal>},
  {"aten::eq.enum", fn<[](const Value& a, const Value& b) { return a.identical(b); }>},
  {"aten::eq.int_list", fn<lists_equal>},
  {"aten::eq.float_list", fn<lists_equal>},
  {"aten::eq.bool_list", fn<lists_equal>},
  {"aten::eq.str_list", fn<lists_equal>},
  {"aten::ne.int", fn<[](int64_t a, int64_t b) { return a != b; }>},
  {"aten::ne.float", fn<[](double a, double b) { return a != b; }>},
  {"aten::ne.bool", fn<[](bool a, bool b) { return a != b; }>},
  {"aten::ne.complex", kNotEqual},
  {"aten::ne.int_float", kNotEqual},
  {"aten::ne.float_int", kNotEqual},
  {"aten::ne.float_complex", kNotEqual},
  {"aten::ne.complex_float", kNotEqual},
  {"aten::ne", kNotEqual},
  {"aten::ne.str", fn<[](Text a, Text b) { return a != b; }>},
  {"aten::ne.device", fn<[](DeviceValue& a, DeviceValue& b) { return !devices_equal(a, b); }>},
  {"aten::ne.enum", fn<[](const Value& a, const Value& b) { return !a.identical(b); }>},
  {"aten::ne.int_list", fn<lists_differ>},
  {"aten::ne.float_list", fn<lists_differ>},
  {"aten::ne.bool_list", fn<lists_differ>},
  {"aten::ne.str_list", fn<lists_differ>},
  {"aten::lt.int", fn<[](int64_t a, int64_t b) { return a < b; }>},
  {"aten::lt.float", fn<[](double a, double b) { return a < b; }>},
  {"aten::lt.int_float", kLess},
  {"aten::lt.float_int", kLess},
  {"aten::lt", kLess},
  {"aten::lt.str", fn<[](Text a, Text b) { return a < b; }>},
  {"aten::le.int", fn<[](int64_t a, int64_t b) { return a <= b; }>},
  {"aten::le.float", fn<[](double a, double b) { return a <= b; }>},
  {"aten::le.int_float", kLessEqual},
  {"aten::le.float_int", kLessEqual},
  {"aten::le", kLessEqual},
  {"aten::le.str", fn<[](Text a, Text b) { return a <= b; }>},
  {"aten::gt.int", fn<[](int64_t a, int64_t b) { return (a > b); }>},
  {"aten::gt.float", fn<[](double a, double b) { return (a > b); }>},
  {"aten::gt.int_float", kGreater},
  {"aten::gt.float_int", kGreater},
  {"aten::gt", kGreater},
  {"aten::gt.str", fn<[](Text a, Text b) { return (a > b); }>},
  {"aten::ge.int", fn<[](int64_t a, int64_t b) { return (a >= b); }>},
  {"aten::ge.float", fn<[](double a, double b) { return (a >= b); }>},
  {"aten::ge.int_float", kGreaterEqual},
  {"aten::ge.float_int", kGreaterEqual},
  {"aten::ge", kGreaterEqual},
  {"aten::ge.str", fn<[](Text a, Text b) { return (a >= b); }>},
};

}  // namespace
}  // namespace torchscript::builtins
