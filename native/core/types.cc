// Types: the plain ones that need no plan, and how types are spelt.
#include "core/plan.h"

namespace torchscript {
namespace {

const TypeInfo* plain(TypeKind kind) {
  auto* type = new TypeInfo;
  type->kind = kind;
  return type;
}

}  // namespace

const TypeInfo* int_type() {
  static const TypeInfo* type = plain(TypeKind::Int);
  return type;
}
const TypeInfo* float_type() {
  static const TypeInfo* type = plain(TypeKind::Float);
  return type;
}
const TypeInfo* bool_type() {
  static const TypeInfo* type = plain(TypeKind::Bool);
  return type;
}
const TypeInfo* string_type() {
  static const TypeInfo* type = plain(TypeKind::String);
  return type;
}
const TypeInfo* tensor_type() {
  static const TypeInfo* type = plain(TypeKind::Tensor);
  return type;
}
const TypeInfo* any_type() {
  static const TypeInfo* type = plain(TypeKind::Any);
  return type;
}
const TypeInfo* complex_type() {
  static const TypeInfo* type = plain(TypeKind::Complex);
  return type;
}

std::string TypeInfo::text() const {
  // Types may be recursive through classes only, which are spelt by name.
  auto joined = [this] {
    std::string list;
    for (const TypeInfo* arg : args) list += (list.empty() ? "" : ", ") + arg->text();
    return list;
  };
  switch (kind) {
    case TypeKind::Tensor: return "Tensor";
    case TypeKind::Int: return "int";
    case TypeKind::Float: return "float";
    case TypeKind::Bool: return "bool";
    case TypeKind::Complex: return "complex";
    case TypeKind::String: return "str";
    case TypeKind::Number: return "number";
    case TypeKind::None: return "NoneType";
    case TypeKind::Device: return "Device";
    case TypeKind::Generator: return "Generator";
    case TypeKind::Any: return "Any";
    case TypeKind::List: return "List[" + joined() + "]";
    case TypeKind::Dict: return "Dict[" + joined() + "]";
    case TypeKind::Optional: return "Optional[" + joined() + "]";
    case TypeKind::Union: return "Union[" + joined() + "]";
    case TypeKind::Tuple: return "Tuple[" + joined() + "]";
    case TypeKind::NamedTuple:
    case TypeKind::Enum: return name;
    case TypeKind::Class: return class_info ? class_info->name : "object";
    case TypeKind::Future: return "Future[" + joined() + "]";
    case TypeKind::Function: return "Function";
    case TypeKind::AnyList: return "list";
    case TypeKind::AnyTuple: return "tuple";
    case TypeKind::AnyClass: return "AnyClassType";
    case TypeKind::AnyEnum: return "AnyEnumType";
    case TypeKind::Other: return name;
  }
  return "unknown";
}

}  // namespace torchscript
