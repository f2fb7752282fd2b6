#include "binding/snapshot.h"

#include <unordered_map>
#include <vector>

#include "binding/environment.h"
#include "binding/handles.h"
#include "core/builtin.h"
#include "core/errors.h"
#include "core/run.h"

namespace torchscript::binding {
namespace {

bool is_utf8(const std::string& text) {
  const auto* s = reinterpret_cast<const unsigned char*>(text.data());
  const size_t n = text.size();
  for (size_t i = 0; i < n;) {
    const unsigned char c = s[i];
    const size_t length = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > n) return false;
    for (size_t k = 1; k < length; k++)
      if ((s[i + k] & 0xC0) != 0x80) return false;
    // Overlong forms, surrogates and what lies above U+10FFFF.
    if ((c == 0xE0 && s[i + 1] < 0xA0) || (c == 0xED && s[i + 1] > 0x9F) || (c == 0xF0 && s[i + 1] < 0x90) ||
        (c == 0xF4 && s[i + 1] > 0x8F))
      return false;
    i += length;
  }
  return true;
}

// Values are found breadth first and kept alive, so that neither depth nor reused addresses matter.
class Snapshot {
 public:
  Snapshot(Napi::Env env, const Ref<Program>& program, OutputSink* sink) : env_(env), program_(program), sink_(sink) {}

  Napi::Value take(const Value& root) {
    auto result = Napi::Object::New(env_);
    auto entries = Napi::Array::New(env_);
    result.Set("root", child(root));
    for (size_t i = 0; i < found_.size(); i++) {
      Napi::HandleScope scope(env_);
      const Value value = found_[i];
      entries.Set(static_cast<uint32_t>(i), entry(value));
    }
    result.Set("entries", entries);
    return result;
  }

 private:
  Napi::Value child(const Value& value) {
    switch (value.tag()) {
      case Tag::None:
      case Tag::Uninitialized:
      case Tag::Generator: return env_.Null();
      case Tag::Bool: return Napi::Boolean::New(env_, value.to_bool());
      case Tag::Int: return Napi::BigInt::New(env_, value.to_int());
      case Tag::Float: return Napi::Number::New(env_, value.to_float());
      case Tag::Complex: {
        auto object = Napi::Object::New(env_);
        object.Set("re", value.to_complex().real());
        object.Set("im", value.to_complex().imag());
        return object;
      }
      case Tag::String: {
        const std::string& text = value.to_string();
        if (is_utf8(text)) return Napi::String::New(env_, text);
        return Napi::Buffer<char>::Copy(env_, text.data(), text.size());
      }
      case Tag::Device: {
        auto object = Napi::Object::New(env_);
        object.Set("device", value.to_device().text());
        return object;
      }
      case Tag::Future: throw UnsupportedOperator("A Future cannot be saved.");
      case Tag::Function: throw UnsupportedOperator("A function cannot be saved.");
      default: {
        auto [known, is_new] = index_.emplace(value.pointer(), found_.size());
        if (is_new) found_.push_back(value);
        auto object = Napi::Object::New(env_);
        object.Set("ref", static_cast<double>(known->second));
        return object;
      }
    }
  }

  Napi::Array children(const std::vector<Value>& values) {
    auto array = Napi::Array::New(env_, values.size());
    for (size_t i = 0; i < values.size(); i++) {
      Napi::HandleScope scope(env_);
      array.Set(static_cast<uint32_t>(i), child(values[i]));
    }
    return array;
  }

  Napi::Value entry(const Value& value) {
    auto object = Napi::Object::New(env_);
    const auto kind = [&](const char* name) { object.Set("kind", name); };
    const auto type = [&](const char* name, const TypeInfo* info) {
      if (info) object.Set(name, info->text());
    };
    switch (value.tag()) {
      case Tag::Tensor:
        kind("tensor");
        object.Set("tensor", wrap_tensor(env_, value.to_tensor_ref()));
        break;
      case Tag::List:
        kind("list");
        type("elementType", value.to_list().element);
        object.Set("items", children(program_->parts_of(value)));
        break;
      case Tag::Tuple:
        kind("tuple");
        object.Set("items", children(program_->parts_of(value)));
        break;
      case Tag::Dict:
        kind("dict");
        type("keyType", value.to_dict().key_type);
        type("valueType", value.to_dict().value_type);
        object.Set("items", children(program_->parts_of(value)));
        break;
      case Tag::Enum:
        kind("enum");
        object.Set("className", value.to_enum().class_name);
        object.Set("value", child(value.to_enum().value));
        break;
      default: kind("object"); write_object(object, value);
    }
    return object;
  }

  void write_object(Napi::Object& object, const Value& value) {
    const ClassInfo& type = *value.to_object().type;
    object.Set("className", type.name);
    const bool is_custom = type.flavor == ClassFlavor::Custom;
    // Packed objects made by operators have classes of no program.
    object.Set("classIndex", is_custom ? -1.0 : static_cast<double>(type.index));
    if (is_custom) {
      BuiltinFn get_state = find_builtin(type.name + "::__getstate__");
      if (!get_state) throw UnsupportedOperator("Objects of the custom class " + type.name + " cannot be saved.");
      Run run(*program_, nullptr, sink_);
      Value self = value, state;
      get_state(run, &self, 1, &state, 1);
      object.Set("state", child(state));
    } else if (type.methods.contains("__getstate__") && type.methods.contains("__setstate__")) {
      object.Set("state", child(program_->run(program_->method(value, "__getstate__"), &value, 1, sink_)));
    } else {
      object.Set("slots", children(program_->parts_of(value)));
    }
  }

  Napi::Env env_;
  Ref<Program> program_;
  OutputSink* sink_;
  std::vector<Value> found_;
  std::unordered_map<const RefCounted*, size_t> index_;
};

}  // namespace

Napi::Value snapshot_of(Napi::Env env, const Ref<Program>& program, const Value& object, OutputSink* sink) {
  return Snapshot(env, program, sink).take(object);
}

}  // namespace torchscript::binding
