#include "binding/small_results.h"

#include <cstring>

#include "binding/environment.h"
#include "binding/handles.h"

namespace torchscript::binding {
namespace {

bool same_sizes(const int64_t* a, const int64_t* b, int n) { return std::memcmp(a, b, sizeof(int64_t) * static_cast<size_t>(n)) == 0; }

size_t hash(const int64_t* sizes, int n, DType dtype) {
  uint64_t h = static_cast<uint64_t>(dtype) + 64 * static_cast<uint64_t>(n);
  for (int i = 0; i < n; i++) h = (h ^ static_cast<uint64_t>(sizes[i])) * 0x9E3779B97F4A7C15u;
  return static_cast<size_t>(h >> 32);
}

// Strides as fresh tensors have them, in dimensions of one element too.
bool has_plain_strides(const TensorView& view) {
  int64_t expected = 1;
  for (int i = view.ndim - 1; i >= 0; i--) {
    if (view.strides[i] != expected) return false;
    expected *= view.sizes[i];
  }
  return true;
}

}  // namespace

Napi::Object SmallResults::face(Napi::Env env) {
  if (face_.IsEmpty()) {
    auto face = Napi::Object::New(env);
    face.Set("memory", Napi::ArrayBuffer::New(env, 0));
    auto places = Napi::Float64Array::New(env, 2 * kMaxArguments);
    places_ = places.Data();
    // It stays where it is as long as the face has it.
    napi_property_descriptor fixed = {"places", nullptr, nullptr, nullptr, nullptr, places, napi_enumerable, nullptr};
    napi_define_properties(env, face, 1, &fixed);
    face.Set("changed", env.Undefined());
    face_ = Napi::Persistent(face);
  }
  return face_.Value();
}

int SmallResults::find_layout(const TensorView& view) {
  auto is = [&](const Layout& l) { return l.dtype == view.dtype && l.ndim == view.ndim && same_sizes(l.sizes, view.sizes, view.ndim); };
  if (last_ < layouts_.size() && is(layouts_[last_])) return static_cast<int>(last_);
  if ((layouts_.size() + 1) * 2 > index_.size()) {
    if (layouts_.size() >= kMaxLayouts) return -1;
    std::vector<uint32_t> larger(index_.empty() ? 64 : index_.size() * 2);
    index_.swap(larger);
    for (size_t i = 0; i < layouts_.size(); i++) {
      size_t at = hash(layouts_[i].sizes, layouts_[i].ndim, layouts_[i].dtype) & (index_.size() - 1);
      while (index_[at]) at = (at + 1) & (index_.size() - 1);
      index_[at] = static_cast<uint32_t>(i) + 1;
    }
  }
  size_t at = hash(view.sizes, view.ndim, view.dtype) & (index_.size() - 1);
  for (; index_[at]; at = (at + 1) & (index_.size() - 1)) {
    if (is(layouts_[index_[at] - 1])) return static_cast<int>(last_ = index_[at] - 1);
  }
  Layout fresh;
  std::memcpy(fresh.sizes, view.sizes, sizeof(int64_t) * static_cast<size_t>(view.ndim));
  fresh.ndim = view.ndim;
  fresh.dtype = view.dtype;
  layouts_.push_back(fresh);
  last_ = static_cast<uint32_t>(layouts_.size()) - 1;
  index_[at] = last_ + 1;
  return static_cast<int>(last_);
}

bool SmallResults::put(Napi::Env env, const Value& value, uint32_t* number) {
  if (!value.is(Tag::Tensor)) return false;
  const Tensor& tensor = value.to_tensor();
  const Storage& storage = *tensor.storage;
  const TensorView& view = tensor.view;
  if (storage.bytes == 0 || storage.bytes > kLargest || tensor.use_count() != 1 || storage.use_count() != 1) return false;
  if (storage.device != kCpuDevice || storage.deleter || storage.is_weight || storage.module_state || tensor.offset != 0 || tensor.requires_grad || tensor.wrapped_number ||
      view.quant || is_quantized(view.dtype) || !has_plain_strides(view) ||
      static_cast<size_t>(view.numel() * dtype_size(view.dtype)) != storage.bytes)
    return false;
  int layout = find_layout(view);
  if (layout < 0) return false;
  const size_t slots = (storage.bytes + kSlot - 1) / kSlot;
  if (used_ + slots > kSlots) {
    auto memory = Napi::ArrayBuffer::New(env, kSlot * kSlots);
    memory_ = Napi::Reference<Napi::ArrayBuffer>::New(memory, 1);
    data_ = static_cast<char*>(memory.Data());
    face(env).Set("memory", memory);
    used_ = 0;
  }
  std::memcpy(data_ + used_ * kSlot, storage.data, storage.bytes);
  *number = static_cast<uint32_t>(static_cast<size_t>(layout) * kSlots + used_);
  used_ += slots;
  return true;
}

Napi::Value SmallResults::layout(Napi::Env env, size_t index) const {
  if (index >= layouts_.size()) return env.Undefined();
  const Layout& layout = layouts_[index];
  auto sizes = Napi::Array::New(env, static_cast<size_t>(layout.ndim));
  for (int i = 0; i < layout.ndim; i++) sizes.Set(static_cast<uint32_t>(i), static_cast<double>(layout.sizes[i]));
  auto result = Napi::Object::New(env);
  result.Set("dtype", static_cast<double>(layout.dtype));
  result.Set("sizes", sizes);
  return result;
}

Ref<Tensor> BorrowedArguments::take(Napi::Env env, SmallResults& results, const Napi::Value& buffer, size_t index) {
  auto outside = [&] { return argument_error(env, "Expected a live Tensor but received one whose ArrayBuffer was transferred."); };
  if (index >= SmallResults::kMaxArguments) throw outside();
  const double offset = results.places_[2 * index], number = results.places_[2 * index + 1];
  if (!(offset >= 0 && offset < 9e15) || !(number >= 0 && number < static_cast<double>(results.layouts_.size()))) throw outside();
  const auto layout_index = static_cast<uint32_t>(number);
  const SmallResults::Layout& layout = results.layouts_[layout_index];
  void* data = nullptr;
  size_t size = 0;
  napi_get_arraybuffer_info(env, buffer, &data, &size);
  size_t bytes = static_cast<size_t>(dtype_size(layout.dtype));
  for (int i = 0; i < layout.ndim; i++) bytes *= static_cast<size_t>(layout.sizes[i]);
  const auto at = static_cast<size_t>(offset);
  if (at > size || bytes > size - at) throw outside();
  char* begin = static_cast<char*>(data) + at;
  // One tensor given twice is one tensor.
  for (size_t i = 0; i < count_; i++)
    if (items_[i].storage->data == begin && items_[i].layout == layout_index) return items_[i].tensor;
  Argument& item = items_[count_++];
  item.buffer = buffer;
  item.index = index;
  item.offset = at;
  item.layout = layout_index;
  item.storage = Storage::wrap(begin, bytes, nullptr);
  if (data != results.data_) item.storage->file = mapping_at(data);
  int64_t strides[kMaxDims];
  int64_t stride = 1;
  for (int d = layout.ndim - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= layout.sizes[d];
  }
  item.tensor = Tensor::on_storage(item.storage, layout.dtype, layout.sizes, strides, layout.ndim, 0);
  return item.tensor;
}

void BorrowedArguments::settle(Napi::Env env, SmallResults& results) {
  Napi::Array changed;
  for (size_t i = 0; i < count_; i++) {
    Argument& item = items_[i];
    Tensor& tensor = *item.tensor;
    const SmallResults::Layout& layout = results.layouts_[item.layout];
    const TensorView& view = tensor.view;
    const bool own = tensor.storage == item.storage;
    const bool same = own && tensor.offset == 0 && !tensor.requires_grad && !view.quant && view.dtype == layout.dtype &&
                      view.ndim == layout.ndim && same_sizes(view.sizes, layout.sizes, layout.ndim) && has_plain_strides(view);
    // The call's own: one here and one among the arguments; the storage one here and one of the tensor.
    const bool held = tensor.use_count() > 2 || item.storage->use_count() > (own ? 2u : 1u);
    if (same && !held) continue;
    pin_storage(env, *item.storage, item.buffer, item.offset);
    if (changed.IsEmpty()) changed = Napi::Array::New(env);
    changed.Set(changed.Length(), static_cast<double>(item.index));
    changed.Set(changed.Length(), wrap_tensor(env, item.tensor));
  }
  count_ = 0;
  if (!changed.IsEmpty()) results.face(env).Set("changed", changed);
}

}  // namespace torchscript::binding
