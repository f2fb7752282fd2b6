#include "binding/values.h"

#include <cmath>
#include <cstring>

#include "binding/environment.h"
#include "binding/handles.h"
#include "core/builtins/number.h"
#include "core/builtins/tensor_data.h"

namespace torchscript::binding {
namespace {

constexpr int kMaxDepth = 100;
constexpr double kMaxSafe = 9007199254740991.0;

[[noreturn]] void mismatch(Napi::Env env, const TypeInfo& type, const Napi::Value& js, const Place& place) {
  throw argument_error(env, "Expected a value of type '" + type.text() + "' for " + place.phrase() + " but received " + describe(js) + ".");
}

bool is_integral_number(const Napi::Value& js, double* d) {
  *d = js.As<Napi::Number>().DoubleValue();
  return std::nearbyint(*d) == *d && std::abs(*d) <= kMaxSafe && !(*d == 0 && std::signbit(*d));
}

// A tensor of one element where a number is wanted, as PyTorch takes it: the number.
bool number_from_tensor(const Napi::Value& js, builtins::Number* out) {
  if (!is_tensor(js)) return false;
  Ref<Tensor> tensor = tensor_of(js);
  if (tensor->numel() != 1 || tensor->device() != kCpuDevice) return false;
  *out = builtins::Number::of(builtins::load_element(tensor->view, 0));
  return true;
}

// A tensor or a boolean where an int is wanted; floats of tensors lose their fraction.
bool int_from_other(const Napi::Value& js, Value* out) {
  if (js.IsBoolean()) {
    *out = Value::of_int(js.As<Napi::Boolean>().Value());
    return true;
  }
  builtins::Number n;
  if (!number_from_tensor(js, &n)) return false;
  if (n.kind == builtins::NumberKind::Complex && n.c.imag() != 0) return false;
  double d = n.kind == builtins::NumberKind::Complex ? n.c.real() : n.d;
  if (n.kind != builtins::NumberKind::Int && !(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) return false;
  *out = Value::of_int(n.kind == builtins::NumberKind::Int ? n.i : static_cast<int64_t>(d));
  return true;
}
bool float_from_other(const Napi::Value& js, Value* out) {
  if (js.IsBoolean()) {
    *out = Value::of_float(js.As<Napi::Boolean>().Value());
    return true;
  }
  builtins::Number n;
  if (!number_from_tensor(js, &n)) return false;
  if (n.kind == builtins::NumberKind::Complex && n.c.imag() != 0) return false;
  *out = Value::of_float(n.kind == builtins::NumberKind::Complex ? n.c.real() : n.as_float());
  return true;
}
bool complex_from_other(const Napi::Value& js, Value* out) {
  if (js.IsNumber() || js.IsBoolean()) {
    *out = Value::of_complex({js.ToNumber().DoubleValue(), 0});
    return true;
  }
  builtins::Number n;
  if (!number_from_tensor(js, &n)) return false;
  *out = Value::of_complex(n.as_complex());
  return true;
}
bool bool_from_other(const Napi::Value& js, Value* out) {
  builtins::Number n;
  if (!number_from_tensor(js, &n)) return false;
  *out = Value::of_bool(n.kind == builtins::NumberKind::Int ? n.i != 0 : n.as_complex() != builtins::Complex(0, 0));
  return true;
}

Value int_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Place& place) {
  Value other;
  if (js.IsNumber()) {
    double d = js.As<Napi::Number>().DoubleValue();
    if (std::nearbyint(d) != d || std::abs(d) > kMaxSafe) mismatch(env, type, js, place);
    return Value::of_int(static_cast<int64_t>(d));
  }
  if (js.IsBigInt()) {
    bool lossless = false;
    int64_t i = js.As<Napi::BigInt>().Int64Value(&lossless);
    if (!lossless) throw argument_error(env, "Expected a 64-bit integer for " + place.phrase() + " but received " + describe(js) + ".");
    return Value::of_int(i);
  }
  if (int_from_other(js, &other)) return other;
  mismatch(env, type, js, place);
}

Value float_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Place& place) {
  if (js.IsNumber()) return Value::of_float(js.As<Napi::Number>().DoubleValue());
  if (js.IsBigInt()) {
    bool lossless = false;
    return Value::of_float(static_cast<double>(js.As<Napi::BigInt>().Int64Value(&lossless)));
  }
  Value other;
  if (float_from_other(js, &other)) return other;
  mismatch(env, type, js, place);
}

bool complex_from_js(const Napi::Value& js, Value* out) {
  if (!js.IsObject() || js.IsArray()) return false;
  auto object = js.As<Napi::Object>();
  Napi::Value re = object.Get("re"), im = object.Get("im");
  if (!re.IsNumber() || !im.IsNumber()) return false;
  *out = Value::of_complex({re.As<Napi::Number>().DoubleValue(), im.As<Napi::Number>().DoubleValue()});
  return true;
}

// Elements of a typed array as a list of ints, floats or bools.
Value list_from_typed(Napi::Env env, const Napi::TypedArray& array, const TypeInfo& element, const TypeInfo& type, const Place& place) {
  auto list = make_ref<ListValue>();
  list->element = &element;
  size_t n = array.ElementLength();
  list->items.reserve(n);
  const char* bytes = static_cast<const char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  auto add = [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < n; i++) {
      T v;
      std::memcpy(&v, bytes + i * sizeof(T), sizeof(T));
      if (element.kind == TypeKind::Float) list->items.push_back(Value::of_float(static_cast<double>(v)));
      else if (element.kind == TypeKind::Int) list->items.push_back(Value::of_int(static_cast<int64_t>(v)));
      else mismatch(env, type, array, place);
    }
  };
  napi_typedarray_type kind = array.TypedArrayType();
  if (element.kind == TypeKind::Int && (kind == napi_float32_array || kind == napi_float64_array)) mismatch(env, type, array, place);
  switch (kind) {
    case napi_int8_array: add(int8_t{}); break;
    case napi_uint8_array:
    case napi_uint8_clamped_array: add(uint8_t{}); break;
    case napi_int16_array: add(int16_t{}); break;
    case napi_uint16_array: add(uint16_t{}); break;
    case napi_int32_array: add(int32_t{}); break;
    case napi_uint32_array: add(uint32_t{}); break;
    case napi_float32_array: add(float{}); break;
    case napi_float64_array: add(double{}); break;
    case napi_bigint64_array: add(int64_t{}); break;
    case napi_biguint64_array: add(uint64_t{}); break;
    default: mismatch(env, type, array, place);
  }
  return Value(std::move(list));
}

Place element_of(const Place& place, size_t index) {
  Place inner;
  inner.parent = &place;
  inner.index = static_cast<int64_t>(index);
  return inner;
}
Place field_of(const Place& place, std::string_view name, bool quoted) {
  Place inner;
  inner.parent = &place;
  inner.name = name;
  inner.quoted = quoted;
  return inner;
}

void check_interrupted(Napi::Env env) {
  if (env.IsExceptionPending()) throw Napi::Error::New(env);
}

Value list_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& element, const TypeInfo& type, const Program& program,
                   const Place& place, int depth) {
  if (js.IsTypedArray()) return list_from_typed(env, js.As<Napi::TypedArray>(), element, type, place);
  if (!js.IsArray()) mismatch(env, type, js, place);
  auto array = js.As<Napi::Array>();
  auto list = make_ref<ListValue>();
  list->element = &element;
  uint32_t n = array.Length();
  for (uint32_t i = 0; i < n; i++) {
    Napi::HandleScope scope(env);
    list->items.push_back(from_js(env, array.Get(i), element, program, element_of(place, i), depth + 1));
  }
  return Value(std::move(list));
}

Value dict_key_from_text(Napi::Env env, const Napi::Value& key, const TypeInfo& type, const Program& program, const Place& place,
                         int depth) {
  if (type.kind == TypeKind::Int || type.kind == TypeKind::Float) return from_js(env, key.ToNumber(), type, program, place, depth);
  return from_js(env, key, type, program, place, depth);
}

Value dict_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo* key_type, const TypeInfo* value_type, const TypeInfo& type,
                   const Program& program, const Place& place, int depth) {
  if (!js.IsObject() || js.IsArray() || js.IsTypedArray() || is_tensor(js) || is_object_handle(js)) mismatch(env, type, js, place);
  auto dict = make_ref<DictValue>();
  dict->key_type = key_type;
  dict->value_type = value_type;
  auto object = js.As<Napi::Object>();
  Environment& environment = Environment::of(env);
  if (object.InstanceOf(environment.map_class.Value())) {
    Napi::Value entries = env.Global().Get("Array").As<Napi::Object>().Get("from").As<Napi::Function>().Call({js});
    auto list = entries.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) {
      Napi::HandleScope scope(env);
      auto entry = Napi::Value(list.Get(i)).As<Napi::Array>();
      Value key = from_js(env, entry.Get(0u), *key_type, program, field_of(place, " key", false), depth + 1);
      std::string name = key.is(Tag::String) ? key.to_string() : std::to_string(i);
      dict->set(std::move(key), from_js(env, entry.Get(1u), *value_type, program, field_of(place, name, true), depth + 1));
    }
    return Value(std::move(dict));
  }
  Napi::Array names = object.GetPropertyNames();
  check_interrupted(env);
  for (uint32_t i = 0; i < names.Length(); i++) {
    Napi::HandleScope scope(env);
    Napi::Value name = names.Get(i);
    Value key = dict_key_from_text(env, name, *key_type, program, field_of(place, " key", false), depth + 1);
    std::string text = name.ToString().Utf8Value();
    dict->set(std::move(key), from_js(env, object.Get(name), *value_type, program, field_of(place, text, true), depth + 1));
  }
  return Value(std::move(dict));
}

Value tuple_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Program& program, const Place& place, int depth) {
  auto tuple = make_ref<TupleValue>();
  size_t n = type.args.size();
  if (js.IsArray()) {
    auto array = js.As<Napi::Array>();
    if (array.Length() != n) {
      throw argument_error(
        env, "Expected a tuple of " + std::to_string(n) + " elements for " + place.phrase() + " but received " + describe(js) + ".");
    }
    for (uint32_t i = 0; i < n; i++) {
      tuple->items.push_back(from_js(env, array.Get(i), *type.args[i], program, element_of(place, i), depth + 1));
    }
  } else if (type.kind == TypeKind::NamedTuple && js.IsObject() && !is_tensor(js)) {
    auto object = js.As<Napi::Object>();
    for (size_t i = 0; i < n; i++) {
      tuple->items.push_back(
        from_js(env, object.Get(type.fields[i]), *type.args[i], program, field_of(place, type.fields[i], false), depth + 1));
    }
  } else {
    mismatch(env, type, js, place);
  }
  if (type.kind == TypeKind::NamedTuple) tuple->type = &type;
  return Value(std::move(tuple));
}

Value enum_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Place& place) {
  std::string name;
  if (js.IsString()) name = js.As<Napi::String>().Utf8Value();
  else if (js.IsObject() && !js.IsArray()) {
    Napi::Value property = js.As<Napi::Object>().Get("name");
    if (property.IsString()) name = property.As<Napi::String>().Utf8Value();
  }
  for (const auto& [member, value] : type.members) {
    if (member != name) continue;
    auto e = make_ref<EnumValue>();
    e->class_name = type.name;
    e->name = member;
    e->value = value;
    return Value(std::move(e));
  }
  mismatch(env, type, js, place);
}

// A value whose declared type says nothing.
Value any_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Program& program, const Place& place, int depth) {
  double d;
  switch (js.Type()) {
    case napi_undefined:
    case napi_null: return Value();
    case napi_boolean: return Value::of_bool(js.As<Napi::Boolean>().Value());
    case napi_number: return is_integral_number(js, &d) ? Value::of_int(static_cast<int64_t>(d)) : Value::of_float(d);
    case napi_bigint: return int_from_js(env, js, type, place);
    case napi_string: return Value::of_string(js.As<Napi::String>().Utf8Value());
    case napi_object: break;
    default: mismatch(env, type, js, place);
  }
  if (is_tensor(js)) return Value(tensor_of(js));
  if (is_object_handle(js)) return object_of(env, js, program, place.path());
  if (js.IsTypedArray()) {
    napi_typedarray_type kind = js.As<Napi::TypedArray>().TypedArrayType();
    bool floats = kind == napi_float32_array || kind == napi_float64_array;
    return list_from_typed(env, js.As<Napi::TypedArray>(), floats ? *float_type() : *int_type(), type, place);
  }
  if (js.IsArray()) {
    Value value = list_from_js(env, js, *any_type(), type, program, place, depth);
    ListValue& list = value.to_list();
    bool same = !list.items.empty();
    for (const Value& item : list.items) same = same && item.tag() == list.items[0].tag();
    if (same) {
      switch (list.items[0].tag()) {
        case Tag::Int: list.element = int_type(); break;
        case Tag::Float: list.element = float_type(); break;
        case Tag::Bool: list.element = bool_type(); break;
        case Tag::String: list.element = string_type(); break;
        case Tag::Tensor: list.element = tensor_type(); break;
        default: break;
      }
    }
    return value;
  }
  Value complex;
  if (complex_from_js(js, &complex)) return complex;
  Value dict = dict_from_js(env, js, any_type(), any_type(), type, program, place, depth);
  // What it is a dict of, its entries say.
  dict.to_dict().key_type = dict.to_dict().value_type = nullptr;
  return dict;
}

Value union_from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Program& program, const Place& place, int depth) {
  // An integer-valued number is an int where the union has int.
  double d;
  if (js.IsNumber()) {
    TypeKind wanted = is_integral_number(js, &d) ? TypeKind::Int : TypeKind::Float;
    for (const TypeInfo* member : type.args)
      if (member->kind == wanted) return from_js(env, js, *member, program, place, depth);
  }
  // Tensors and booleans are numbers only where the union does not name them.
  if (is_tensor(js) || js.IsBoolean()) {
    TypeKind wanted = js.IsBoolean() ? TypeKind::Bool : TypeKind::Tensor;
    for (const TypeInfo* member : type.args)
      if (member->kind == wanted) return from_js(env, js, *member, program, place, depth);
  }
  for (const TypeInfo* member : type.args) {
    try {
      return from_js(env, js, *member, program, place, depth + 1);
    } catch (const Napi::Error&) {
    }
  }
  mismatch(env, type, js, place);
}

}  // namespace

std::string Place::path() const {
  if (!parent) return std::string(name);
  std::string text = parent->path();
  if (index >= 0) return text + "[" + std::to_string(index) + "]";
  if (quoted) return text + "[\"" + std::string(name) + "\"]";
  return text + (name == " key" ? "" : ".") + std::string(name);
}

std::string Place::phrase() const {
  const Place* root = this;
  while (root->parent) root = root->parent;
  std::string place =
    root->argument ? "argument " + std::to_string(root->argument) + " of " + std::string(root->where) : std::string(root->where);
  return "`" + path() + "` (" + place + ")";
}

Value from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Program& program, const Place& place, int depth) {
  if (depth > kMaxDepth)
    throw argument_error(env, "Expected fewer levels of nesting for the value of argument " + std::to_string(place.argument) + ".");
  switch (type.kind) {
    case TypeKind::Tensor:
      if (!is_tensor(js)) mismatch(env, type, js, place);
      return Value(tensor_of(js));
    case TypeKind::Int: return int_from_js(env, js, type, place);
    case TypeKind::Float: return float_from_js(env, js, type, place);
    case TypeKind::Bool: {
      Value other;
      if (js.IsBoolean()) return Value::of_bool(js.As<Napi::Boolean>().Value());
      if (bool_from_other(js, &other)) return other;
      mismatch(env, type, js, place);
    }
    case TypeKind::Complex: {
      Value value;
      if (complex_from_js(js, &value)) return value;
      if (complex_from_other(js, &value)) return value;
      mismatch(env, type, js, place);
    }
    case TypeKind::String:
      if (!js.IsString()) mismatch(env, type, js, place);
      return Value::of_string(js.As<Napi::String>().Utf8Value());
    case TypeKind::Number: {
      if (js.IsBoolean()) return Value::of_bool(js.As<Napi::Boolean>().Value());
      double d;
      if (js.IsNumber()) return is_integral_number(js, &d) ? Value::of_int(static_cast<int64_t>(d)) : Value::of_float(d);
      if (js.IsBigInt()) return int_from_js(env, js, type, place);
      Value value;
      if (complex_from_js(js, &value)) return value;
      mismatch(env, type, js, place);
    }
    case TypeKind::None:
      if (!js.IsNull() && !js.IsUndefined()) mismatch(env, type, js, place);
      return Value();
    case TypeKind::Device:
      if (!js.IsString()) mismatch(env, type, js, place);
      return parse_device(js.As<Napi::String>().Utf8Value());
    case TypeKind::Any: return any_from_js(env, js, type, program, place, depth);
    case TypeKind::List: return list_from_js(env, js, *type.args[0], type, program, place, depth);
    case TypeKind::AnyList:
      if (!js.IsArray() && !js.IsTypedArray()) mismatch(env, type, js, place);
      return any_from_js(env, js, type, program, place, depth);
    case TypeKind::Dict: return dict_from_js(env, js, type.args[0], type.args[1], type, program, place, depth);
    case TypeKind::Optional:
      if (js.IsNull() || js.IsUndefined()) return Value();
      return from_js(env, js, *type.args[0], program, place, depth);
    case TypeKind::Union: return union_from_js(env, js, type, program, place, depth);
    case TypeKind::Tuple:
    case TypeKind::NamedTuple: return tuple_from_js(env, js, type, program, place, depth);
    case TypeKind::AnyTuple: {
      if (!js.IsArray()) mismatch(env, type, js, place);
      auto tuple = make_ref<TupleValue>();
      auto array = js.As<Napi::Array>();
      for (uint32_t i = 0; i < array.Length(); i++)
        tuple->items.push_back(any_from_js(env, array.Get(i), *any_type(), program, place, depth + 1));
      return Value(std::move(tuple));
    }
    case TypeKind::Class:
    case TypeKind::AnyClass: {
      if (!is_object_handle(js)) mismatch(env, type, js, place);
      Value object = object_of(env, js, program, place.path());
      if (!value_has_type(object, type)) mismatch(env, type, js, place);
      return object;
    }
    case TypeKind::Enum: return enum_from_js(env, js, type, place);
    case TypeKind::Future: {
      auto future = make_ref<FutureValue>();
      future->value = from_js(env, js, *type.args[0], program, place, depth + 1);
      future->done = true;
      return Value(std::move(future));
    }
    case TypeKind::Generator:
      if (js.IsNull() || js.IsUndefined()) return Value();
      mismatch(env, type, js, place);
    default: mismatch(env, type, js, place);
  }
}

Napi::Value to_js(Napi::Env env, const Value& value, const TypeInfo* type, const Ref<Program>& program, int depth) {
  if (depth > kMaxDepth) throw OperatorError("The result is nested too deeply");
  while (type && type->kind == TypeKind::Optional) type = type->args[0];
  auto element = [&](size_t i) -> const TypeInfo* { return type && i < type->args.size() ? type->args[i] : nullptr; };
  switch (value.tag()) {
    case Tag::None:
    case Tag::Uninitialized: return env.Null();
    case Tag::Bool: return Napi::Boolean::New(env, value.to_bool());
    case Tag::Int: {
      int64_t i = value.to_int();
      if (i >= -static_cast<int64_t>(kMaxSafe) && i <= static_cast<int64_t>(kMaxSafe))
        return Napi::Number::New(env, static_cast<double>(i));
      return Napi::BigInt::New(env, i);
    }
    case Tag::Float: return Napi::Number::New(env, value.to_float());
    case Tag::Complex: {
      auto object = Napi::Object::New(env);
      object.Set("re", value.to_complex().real());
      object.Set("im", value.to_complex().imag());
      return object;
    }
    case Tag::Tensor: return wrap_tensor(env, value.to_tensor_ref());
    case Tag::String: return Napi::String::New(env, value.to_string());
    case Tag::Device: return Napi::String::New(env, value.to_device().text());
    case Tag::List: {
      const auto& items = value.to_list().items;
      auto array = Napi::Array::New(env, items.size());
      const TypeInfo* inner = type && type->kind == TypeKind::List ? element(0) : nullptr;
      for (size_t i = 0; i < items.size(); i++) {
        Napi::HandleScope scope(env);
        array.Set(static_cast<uint32_t>(i), to_js(env, items[i], inner, program, depth + 1));
      }
      return array;
    }
    case Tag::Tuple: {
      const TupleValue& tuple = value.to_tuple();
      const TypeInfo* named = tuple.type && tuple.type->kind == TypeKind::NamedTuple ? tuple.type
                              : type && type->kind == TypeKind::NamedTuple           ? type
                                                                                     : nullptr;
      if (named && named->fields.size() == tuple.items.size()) {
        auto object = Napi::Object::New(env);
        for (size_t i = 0; i < tuple.items.size(); i++)
          object.Set(named->fields[i], to_js(env, tuple.items[i], named->args[i], program, depth + 1));
        return object;
      }
      bool typed = type && type->kind == TypeKind::Tuple;
      auto array = Napi::Array::New(env, tuple.items.size());
      for (size_t i = 0; i < tuple.items.size(); i++) {
        array.Set(static_cast<uint32_t>(i), to_js(env, tuple.items[i], typed ? element(i) : nullptr, program, depth + 1));
      }
      return array;
    }
    case Tag::Dict: {
      const DictValue& dict = value.to_dict();
      auto entries = Napi::Array::New(env, dict.entries.size());
      bool typed = type && type->kind == TypeKind::Dict;
      for (size_t i = 0; i < dict.entries.size(); i++) {
        Napi::HandleScope scope(env);
        auto entry = Napi::Array::New(env, 2);
        entry.Set(0u, to_js(env, dict.entries[i].first, typed ? element(0) : nullptr, program, depth + 1));
        entry.Set(1u, to_js(env, dict.entries[i].second, typed ? element(1) : nullptr, program, depth + 1));
        entries.Set(static_cast<uint32_t>(i), entry);
      }
      return Environment::of(env).map_class.New({entries});
    }
    case Tag::Object: return wrap_object(env, value, program);
    case Tag::Enum: {
      const EnumValue& e = value.to_enum();
      auto object = Napi::Object::New(env);
      object.Set("className", e.class_name);
      object.Set("name", e.name);
      object.Set("value", to_js(env, e.value, nullptr, program, depth + 1));
      return object;
    }
    case Tag::Future: {
      const FutureValue& future = value.to_future();
      if (future.error) std::rethrow_exception(future.error);
      return to_js(env, future.value, type && type->kind == TypeKind::Future ? element(0) : nullptr, program, depth + 1);
    }
    case Tag::Generator: return env.Null();
    case Tag::Function: throw OperatorError("A function cannot be returned to JavaScript");
  }
  return env.Undefined();
}

std::vector<Value> call_arguments(Napi::Env env, const Napi::Array& args, const Function& function, const Program& program) {
  uint32_t given = args.Length();
  Napi::Object keywords;
  if (given > 0) {
    Napi::Value last = args.Get(given - 1);
    if (last.IsObject() && !last.IsArray() && !is_tensor(last) && !is_object_handle(last) && !last.IsTypedArray()) {
      Napi::Value marked = last.As<Napi::Object>().Get("__kwargs__");
      if (marked.IsObject()) {
        keywords = marked.As<Napi::Object>();
        given--;
      }
    }
  }
  const std::string_view short_name = std::string_view(function.name).substr(function.name.rfind('.') + 1);
  auto text = [&] { return std::string(short_name); };
  const auto& parameters = function.parameters;
  // self is not counted in messages.
  size_t hidden = !parameters.empty() && parameters[0].name == "self" ? 1 : 0;
  size_t positional = 0;
  for (const Parameter& p : parameters)
    if (!p.kwarg_only) positional++;
  if (given > positional) {
    throw argument_error(env, text() + "() expected at most " + std::to_string(positional - hidden) + " argument(s) but received " +
                                std::to_string(given - hidden) + " argument(s).");
  }
  std::vector<Value> values;
  values.reserve(parameters.size());
  size_t used = 0;
  for (size_t i = 0; i < parameters.size(); i++) {
    const Parameter& p = parameters[i];
    Napi::HandleScope scope(env);
    Place place;
    place.name = p.name;
    place.where = short_name;
    place.argument = i + 1 - hidden;
    bool named = !keywords.IsEmpty() && keywords.HasOwnProperty(p.name);
    if (i < given && !p.kwarg_only) {
      if (named)
        throw argument_error(env,
                             "Expected one value for `" + p.name + "` of " + text() + " but received it both by position and by name.");
      Napi::Value js = args.Get(static_cast<uint32_t>(i));
      if (p.type->kind == TypeKind::Tensor && is_tensor(js)) values.push_back(Value(tensor_of(js)));
      else if (js.IsUndefined() && p.has_default) values.push_back(p.default_value);
      else values.push_back(from_js(env, js, *p.type, program, place));
    } else if (named) {
      used++;
      values.push_back(from_js(env, keywords.Get(p.name), *p.type, program, place));
    } else if (p.has_default) {
      values.push_back(p.default_value);
    } else {
      throw argument_error(env, text() + "() is missing value for argument '" + p.name + "'.");
    }
  }
  if (!keywords.IsEmpty()) {
    Napi::Array names = keywords.GetPropertyNames();
    if (names.Length() != used) {
      for (uint32_t i = 0; i < names.Length(); i++) {
        std::string keyword = Napi::Value(names.Get(i)).ToString().Utf8Value();
        bool known = false;
        for (const Parameter& p : parameters) known = known || p.name == keyword;
        if (!known) throw argument_error(env, "Unknown keyword argument '" + keyword + "' for '" + text() + "'.");
      }
    }
  }
  return values;
}

}  // namespace torchscript::binding
