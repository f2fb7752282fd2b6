// isinstance on TorchScript types.
#include "core/run.h"

namespace torchscript {
namespace {

bool same_type(const TypeInfo& a, const TypeInfo& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.class_info != b.class_info || a.name != b.name || a.args.size() != b.args.size()) return false;
  for (size_t i = 0; i < a.args.size(); i++)
    if (!same_type(*a.args[i], *b.args[i])) return false;
  return true;
}

bool items_have_type(const std::vector<Value>& items, const TypeInfo& type) {
  for (const Value& item : items)
    if (!value_has_type(item, type)) return false;
  return true;
}

}  // namespace

bool value_has_type(const Value& value, const TypeInfo& type) {
  switch (type.kind) {
    case TypeKind::Any: return true;
    case TypeKind::Tensor: return value.is(Tag::Tensor);
    case TypeKind::Int: return value.is(Tag::Int);
    case TypeKind::Float: return value.is(Tag::Float);
    case TypeKind::Bool: return value.is(Tag::Bool);
    case TypeKind::Complex: return value.is(Tag::Complex);
    case TypeKind::String: return value.is(Tag::String);
    case TypeKind::Number: return value.is(Tag::Int) || value.is(Tag::Float) || value.is(Tag::Complex) || value.is(Tag::Bool);
    case TypeKind::None: return value.is_none();
    case TypeKind::Device: return value.is(Tag::Device);
    case TypeKind::Generator: return value.is(Tag::Generator);
    case TypeKind::Function: return value.is(Tag::Function);
    case TypeKind::Future: return value.is(Tag::Future);
    case TypeKind::AnyList: return value.is(Tag::List);
    case TypeKind::AnyTuple: return value.is(Tag::Tuple);
    case TypeKind::AnyClass: return value.is(Tag::Object);
    case TypeKind::AnyEnum: return value.is(Tag::Enum);
    case TypeKind::Optional: return value.is_none() || value_has_type(value, *type.args[0]);
    case TypeKind::Union:
      for (const TypeInfo* member : type.args)
        if (value_has_type(value, *member)) return true;
      return false;
    case TypeKind::List: {
      if (!value.is(Tag::List)) return false;
      const ListValue& list = value.to_list();
      if (list.element && list.element->kind != TypeKind::Any) return same_type(*list.element, *type.args[0]);
      return items_have_type(list.items, *type.args[0]);
    }
    case TypeKind::Dict: {
      if (!value.is(Tag::Dict)) return false;
      const DictValue& dict = value.to_dict();
      if (dict.key_type && dict.value_type) return same_type(*dict.key_type, *type.args[0]) && same_type(*dict.value_type, *type.args[1]);
      for (const auto& [key, item] : dict.entries)
        if (!value_has_type(key, *type.args[0]) || !value_has_type(item, *type.args[1])) return false;
      return true;
    }
    case TypeKind::Tuple:
    case TypeKind::NamedTuple: {
      if (!value.is(Tag::Tuple)) return false;
      const TupleValue& tuple = value.to_tuple();
      if (type.kind == TypeKind::NamedTuple && tuple.type && tuple.type->name != type.name) return false;
      if (tuple.items.size() != type.args.size()) return false;
      for (size_t i = 0; i < tuple.items.size(); i++)
        if (!value_has_type(tuple.items[i], *type.args[i])) return false;
      return true;
    }
    case TypeKind::Class: {
      if (!value.is(Tag::Object) || !type.class_info) return false;
      const ClassInfo& actual = *value.to_object().type;
      return &actual == type.class_info || actual.name == type.class_info->name || type.class_info->implementers.count(actual.index) > 0;
    }
    case TypeKind::Enum: return value.is(Tag::Enum) && value.to_enum().class_name == type.name;
    case TypeKind::Other: return false;
  }
  return false;
}

}  // namespace torchscript
