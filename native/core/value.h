// Values of every TorchScript type.
#pragma once
#include <complex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/refcount.h"
#include "core/tensor.h"

namespace torchscript {

struct StringValue;
struct ListValue;
struct TupleValue;
struct DictValue;
struct ObjectValue;
struct EnumValue;
struct FutureValue;
struct DeviceValue;
struct GeneratorValue;
struct FunctionValue;
struct TypeInfo;   // plan.h: a type of the plan's type table
struct ClassInfo;  // plan.h: a class of the plan

enum class Tag : uint8_t {
  None,
  Bool,
  Int,
  Float,
  Complex,
  Tensor,
  String,
  List,
  Tuple,
  Dict,
  Object,
  Enum,
  Future,
  Device,
  Generator,
  Function,
  Uninitialized
};

// A tag, and a number or a counted reference (complex numbers are boxed).
class Value {
 public:
  Value() : tag_(Tag::None) { u_.i = 0; }
  Value(const Value& o) : tag_(o.tag_), u_(o.u_) {
    if (counted()) u_.p->retain();
  }
  Value(Value&& o) noexcept : tag_(o.tag_), u_(o.u_) { o.tag_ = Tag::None; }
  Value& operator=(const Value& o) {
    Value copy(o);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& o) noexcept {
    Value moved(std::move(o));
    swap(moved);
    return *this;
  }
  ~Value() {
    if (counted()) u_.p->release();
  }
  void swap(Value& o) noexcept {
    std::swap(tag_, o.tag_);
    std::swap(u_, o.u_);
  }

  static Value of_bool(bool b) {
    Value v;
    v.tag_ = Tag::Bool;
    v.u_.i = b;
    return v;
  }
  static Value of_int(int64_t i) {
    Value v;
    v.tag_ = Tag::Int;
    v.u_.i = i;
    return v;
  }
  static Value of_float(double d) {
    Value v;
    v.tag_ = Tag::Float;
    v.u_.d = d;
    return v;
  }
  static Value of_complex(std::complex<double> c);
  static Value uninitialized() {
    Value v;
    v.tag_ = Tag::Uninitialized;
    return v;
  }
  static Value of_string(std::string s);
  static Value of_ints(const std::vector<int64_t>& items);
  // Value(ref) for counted payloads.
  Value(Ref<Tensor> r) : Value(Tag::Tensor, r.detach()) {}
  Value(Ref<StringValue> r);
  Value(Ref<ListValue> r);
  Value(Ref<TupleValue> r);
  Value(Ref<DictValue> r);
  Value(Ref<ObjectValue> r);
  Value(Ref<EnumValue> r);
  Value(Ref<FutureValue> r);
  Value(Ref<DeviceValue> r);
  Value(Ref<GeneratorValue> r);
  Value(Ref<FunctionValue> r);

  Tag tag() const { return tag_; }
  bool is(Tag t) const { return tag_ == t; }
  bool is_none() const { return tag_ == Tag::None; }

  // Accessors check the tag and throw OperatorError "Expected a value of type 'int' but received 'str'".
  bool to_bool() const {
    expect(Tag::Bool);
    return u_.i != 0;
  }
  int64_t to_int() const {
    expect(Tag::Int);
    return u_.i;
  }
  double to_float() const {
    if (tag_ == Tag::Int) return static_cast<double>(u_.i);
    expect(Tag::Float);
    return u_.d;
  }
  std::complex<double> to_complex() const;  // from int and float too
  Tensor& to_tensor() const {
    expect(Tag::Tensor);
    return *static_cast<Tensor*>(u_.p);
  }
  Ref<Tensor> to_tensor_ref() const { return Ref<Tensor>(&to_tensor()); }
  const std::string& to_string() const;
  ListValue& to_list() const;
  TupleValue& to_tuple() const;
  DictValue& to_dict() const;
  ObjectValue& to_object() const;
  EnumValue& to_enum() const;
  FutureValue& to_future() const;
  DeviceValue& to_device() const;
  FunctionValue& to_function() const;
  // The integers of an int list (or of one int, as schemas int[N] accept).
  std::vector<int64_t> to_ints() const;
  RefCounted* pointer() const { return counted() ? u_.p : nullptr; }
  // Same object, or equal plain values: TorchScript's `is`.
  bool identical(const Value& o) const;

 private:
  Value(Tag tag, RefCounted* p) : tag_(tag) { u_.p = p; }
  bool counted() const { return tag_ >= Tag::Complex && tag_ <= Tag::Function; }
  void expect(Tag t) const {
    if (tag_ != t) wrong_tag(t);
  }
  [[noreturn]] void wrong_tag(Tag expected) const;
  Tag tag_;
  union Payload {
    int64_t i;
    double d;
    RefCounted* p;
  } u_;
};

const char* tag_name(Tag tag);

struct ComplexValue : RefCounted {
  std::complex<double> number;
  explicit ComplexValue(std::complex<double> c) : number(c) {}
};
struct StringValue : RefCounted {
  std::string text;
  explicit StringValue(std::string t) : text(std::move(t)) {}
};
struct ListValue : RefCounted {
  std::vector<Value> items;
  const TypeInfo* element = nullptr;  // declared element type where known; lives as long as the program
  bool shared = false;                // reachable from a module: changing it is an effect that outlives the run
};
struct TupleValue : RefCounted {
  std::vector<Value> items;
  const TypeInfo* type = nullptr; /* NamedTuple */
};
struct ValueHash {
  size_t operator()(const Value& v) const;
};
struct ValueEqual {
  bool operator()(const Value& a, const Value& b) const;
};
// Insertion-ordered dictionary.
struct DictValue : RefCounted {
  std::vector<std::pair<Value, Value>> entries;
  const TypeInfo* key_type = nullptr;
  const TypeInfo* value_type = nullptr;
  bool shared = false;  // as ListValue's
  const Value* find(const Value& key) const;
  void set(Value key, Value value);
  bool erase(const Value& key);
  void clear();

 private:
  std::unordered_map<Value, size_t, ValueHash, ValueEqual> index_;
};
struct ObjectValue : RefCounted {
  const ClassInfo* type = nullptr;
  std::vector<Value> slots;
  Value payload;       /* custom classes: native state */
  bool shared = false; /* as ListValue's */
};
struct EnumValue : RefCounted {
  std::string class_name, name;
  Value value;
};
struct DeviceValue : RefCounted {
  std::string type;
  int index = -1;
  std::string text() const;
};
struct GeneratorValue : RefCounted {
  RandomSource* source = nullptr;
};
struct FunctionValue : RefCounted {
  int32_t function = -1;
};
// fork runs its body at once; a Future holds the result or the error, raised again by wait.
struct FutureValue : RefCounted {
  bool done = false;
  Value value;
  std::exception_ptr error;
};

}  // namespace torchscript
