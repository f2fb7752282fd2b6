// A decoded plan (docs/plan-format.md).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/builtin.h"
#include "core/value.h"
#include "kernel.h"

namespace torchscript {

enum class TypeKind : uint8_t {
  Tensor = 0,
  Int = 1,
  Float = 2,
  Bool = 3,
  Complex = 4,
  String = 5,
  Number = 6,
  None = 7,
  Device = 8,
  Generator = 9,
  Any = 10,
  List = 11,
  Dict = 12,
  Optional = 13,
  Union = 14,
  Tuple = 15,
  NamedTuple = 16,
  Class = 17,
  Enum = 18,
  Future = 19,
  Function = 20,
  AnyList = 21,
  AnyTuple = 22,
  AnyClass = 23,
  AnyEnum = 24,
  Other = 25
};

struct TypeInfo {
  TypeKind kind = TypeKind::Any;
  // List: element. Dict: key, value. Optional, Future: inner. Union, Tuple, NamedTuple: members. Enum: value type.
  std::vector<const TypeInfo*> args;
  std::string name;                 // NamedTuple and Enum: qualified name; Other: text
  std::vector<std::string> fields;  // NamedTuple
  const ClassInfo* class_info = nullptr;
  std::vector<std::pair<std::string, Value>> members;  // Enum

  // As Python annotations spell it: `List[int]`, `Optional[Tensor]`.
  std::string text() const;
};

const TypeInfo* int_type();
const TypeInfo* float_type();
const TypeInfo* bool_type();
const TypeInfo* string_type();
const TypeInfo* tensor_type();
const TypeInfo* any_type();
const TypeInfo* complex_type();

struct Attribute {
  std::string name;
  const TypeInfo* type = nullptr;
  uint8_t flags = 0;
};

enum class ClassFlavor : uint8_t { Module = 0, Class = 1, Interface = 2, ModuleInterface = 3, Custom = 4 };

struct ClassInfo {
  std::string name;
  int32_t index = 0;
  ClassFlavor flavor = ClassFlavor::Class;
  std::vector<Attribute> attributes;
  std::unordered_map<std::string, int32_t> methods;
  std::unordered_set<int32_t> implementers;  // of an interface: indices of classes
};

struct Operator {
  std::string name;  // full schema name
  enum class Variant : uint8_t { Functional = 0, InPlace = 1, Out = 2 };
  Variant variant = Variant::Functional;
  uint32_t nargs = 0xFFFFFFFF;
  uint32_t nresults = 0;
  BuiltinFn builtin = nullptr;
  const Kernel* kernel = nullptr;  // when there is no builtin; both null: unsupported
  std::string target;
  bool mutates_container = false;
};

struct Parameter {
  std::string name;
  const TypeInfo* type = nullptr;
  bool has_default = false;
  bool kwarg_only = false;
  Value default_value;
};

struct SourceRange {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  std::string text;
};

struct Function {
  std::string name;
  int32_t index = 0;
  std::vector<Parameter> parameters;
  const TypeInfo* return_type = nullptr;
  uint32_t nregisters = 0;
  std::string error;
  bool error_is_unsupported = false;
  std::vector<int32_t> code;
  std::vector<std::pair<uint32_t, uint32_t>> lines;
  std::vector<SourceRange> ranges;
  // Writes attributes of objects, itself or through what it calls.
  bool mutates_objects = false;

  // The range of the instruction at `pc`, or null.
  const SourceRange* range_at(size_t pc) const;
};

enum class Op : int32_t {
  Const = 0,
  Move,
  OpCall,
  Call,
  CallMethod,
  Jump,
  JumpFalse,
  LoopBegin,
  LoopNext,
  Return,
  GetAttr,
  SetAttr,
  Tuple,
  TupleUnpack,
  TupleIndex,
  List,
  ListUnpack,
  Dict,
  NewObject,
  IsInstance,
  Raise,
  Fork,
  Wait,
  Drop,
  Uninitialized,
  TupleSlice,
  Unsupported,
  EnumName,
  EnumValue,
  UncheckedCast,
  Enter,
  Exit,
  Count
};

struct Plan {
  std::vector<std::unique_ptr<TypeInfo>> types;
  std::vector<std::unique_ptr<ClassInfo>> classes;
  std::vector<Operator> operators;
  std::vector<Value> constants;
  std::vector<std::unique_ptr<Function>> functions;
  Value root;
  std::vector<uint32_t> start_functions;
  // Objects whose `__setstate__` is still to be called with a state, in order; function -1: a custom class's builtin.
  struct PendingState {
    Value object;
    int32_t function;
    Value state;
  };
  std::vector<PendingState> pending_states;
  // Objects, lists and dicts may form cycles; they are taken apart when the plan goes.
  std::vector<Value> heap;

  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan();
};

// `cpu`, `cuda:0`; throws OperatorError.
Value parse_device(const std::string& text);

// Throws PlanError. `tensors` is the plan's tensor table.
std::unique_ptr<Plan> decode_plan(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors);

}  // namespace torchscript
