#include "core/signature.h"

#include <algorithm>
#include <cstring>

namespace torchscript {
namespace {

// A key that is made.
class Maker {
 public:
  explicit Maker(SmallVector<char, 512>& bytes) : bytes_(bytes) {}
  void append(const void* data, size_t n) { bytes_.append(static_cast<const char*>(data), n); }
  static constexpr bool holds() { return true; }

 private:
  SmallVector<char, 512>& bytes_;
};

// A key that is compared with one that was made.
class Comparer {
 public:
  explicit Comparer(std::string_view key) : at_(key.data()), end_(at_ + key.size()) {}
  void append(const void* data, size_t n) {
    if (static_cast<size_t>(end_ - at_) < n || std::memcmp(at_, data, n) != 0) {
      same_ = false;
      return;
    }
    at_ += n;
  }
  bool holds() const { return same_; }
  bool ends() const { return same_ && at_ == end_; }

 private:
  const char *at_, *end_;
  bool same_ = true;
};

template <class Key, class T> void append(Key& key, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  key.append(&value, sizeof value);
}
template <class Key> void append_text(Key& key, const std::string& text) {
  append(key, text.size());
  key.append(text.data(), text.size());
}

template <class Key> void append_quant(Key& key, const TensorView& view) {
  const QuantParams& q = *view.quant;
  append(key, q.scheme);
  if (q.scheme == QuantParams::Scheme::PerTensorAffine) {
    append(key, q.scale);
    append(key, q.zero_point);
    return;
  }
  append(key, q.axis);
  auto n = static_cast<size_t>(view.sizes[q.axis]);
  key.append(q.scales, n * sizeof(double));
  key.append(q.zero_points, n * sizeof(double));
}

}  // namespace

bool Signature::tensors_are_apart() const {
  if (tensors.size() < 2) return true;
  if (tensors.size() == 2) return tensors[0]->storage != tensors[1]->storage;
  SmallVector<const Storage*, 16> storages;
  for (Tensor* tensor : tensors) storages.push_back(tensor->storage.get());
  std::sort(storages.data(), storages.data() + storages.size());
  return std::adjacent_find(storages.begin(), storages.end()) == storages.end();
}

bool Signature::read(const Value* args, size_t nargs) {
  bytes.clear();
  tensors.clear();
  Maker key(bytes);
  for (size_t i = 0; i < nargs; i++)
    if (!add(key, args[i], 0)) return false;
  return tensors_are_apart();
}

bool Signature::matches(const Value* args, size_t nargs, std::string_view known) {
  tensors.clear();
  Comparer key(known);
  for (size_t i = 0; i < nargs; i++)
    if (!add(key, args[i], 0) || !key.holds()) return false;
  return key.ends() && tensors_are_apart();
}

template <class Key> bool Signature::add(Key& key, const Value& value, int depth) {
  if (depth > 64 || !key.holds()) return false;
  append(key, value.tag());
  switch (value.tag()) {
    case Tag::None:
    case Tag::Uninitialized: return true;
    case Tag::Bool: append(key, value.to_bool()); return true;
    case Tag::Int: append(key, value.to_int()); return true;
    case Tag::Float: append(key, value.to_float()); return true;
    case Tag::Complex:
      append(key, value.to_complex().real());
      append(key, value.to_complex().imag());
      return true;
    case Tag::String: append_text(key, value.to_string()); return true;
    case Tag::Device: append_text(key, value.to_device().text()); return true;
    case Tag::Enum: {
      const EnumValue& e = value.to_enum();
      append_text(key, e.class_name);
      append_text(key, e.name);
      return true;
    }
    case Tag::Tensor: {
      Tensor& tensor = value.to_tensor();
      if (tensor.storage->is_weight || tensor.storage->module_state || tensor.wrapped_number) return false;
      const TensorView& view = tensor.view;
      append(key, view.dtype);
      append(key, view.device);
      append(key, view.ndim);
      append(key, tensor.requires_grad);
      key.append(view.sizes, sizeof(int64_t) * static_cast<size_t>(view.ndim));
      key.append(view.strides, sizeof(int64_t) * static_cast<size_t>(view.ndim));
      if (view.quant) append_quant(key, view);
      tensors.push_back(&tensor);
      return true;
    }
    case Tag::List:
      append(key, value.to_list().items.size());
      for (const Value& item : value.to_list().items)
        if (!add(key, item, depth + 1)) return false;
      return true;
    case Tag::Tuple:
      append(key, value.to_tuple().items.size());
      for (const Value& item : value.to_tuple().items)
        if (!add(key, item, depth + 1)) return false;
      return true;
    case Tag::Dict:
      append(key, value.to_dict().entries.size());
      for (const auto& [k, v] : value.to_dict().entries)
        if (!add(key, k, depth + 1) || !add(key, v, depth + 1)) return false;
      return true;
    // Writes to the attributes of objects void all recordings (Program::state_changed).
    case Tag::Object: append(key, value.pointer()); return value.to_object().shared;
    case Tag::Future:
    case Tag::Generator:
    case Tag::Function: return false;
  }
  return false;
}

namespace {

std::string describe(const Value& value, int depth) {
  auto list = [&](const std::vector<Value>& items, const char* open, const char* close) {
    std::string text = open;
    for (size_t i = 0; i < items.size() && i < 8; i++) text += (i ? ", " : "") + describe(items[i], depth + 1);
    return text + (items.size() > 8 ? ", ..." : "") + close;
  };
  if (depth > 4) return "...";
  switch (value.tag()) {
    case Tag::None: return "None";
    case Tag::Bool: return value.to_bool() ? "True" : "False";
    case Tag::Int: return std::to_string(value.to_int());
    case Tag::Float: return std::to_string(value.to_float());
    case Tag::String: return "\"" + value.to_string().substr(0, 40) + "\"";
    case Tag::Tensor: {
      const TensorView& view = value.to_tensor().view;
      std::string text = dtype_name(view.dtype);
      text += "[";
      for (int i = 0; i < view.ndim; i++) text += (i ? ", " : "") + std::to_string(view.sizes[i]);
      return text + "]";
    }
    case Tag::List: return list(value.to_list().items, "[", "]");
    case Tag::Tuple: return list(value.to_tuple().items, "(", ")");
    case Tag::Dict: return "{" + std::to_string(value.to_dict().entries.size()) + " entries}";
    default: return tag_name(value.tag());
  }
}

}  // namespace

std::string describe_signature(const Value* args, size_t nargs) {
  std::string text;
  for (size_t i = 0; i < nargs; i++) {
    if (i == 0 && args[i].is(Tag::Object)) continue;
    if (!text.empty()) text += ", ";
    text += describe(args[i], 0);
  }
  return text;
}

}  // namespace torchscript
