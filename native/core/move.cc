// Moves a program's tensors between devices.
#include <unordered_map>
#include <unordered_set>

#include "core/device.h"
#include "core/program.h"

namespace torchscript {
namespace {

class Mover {
 public:
  Mover(int8_t device, DType dtype) : device_(device), dtype_(dtype) {}

  void tensor(Tensor& t, bool may_cast) {
    if (!tensors_.insert(&t).second) return;
    const bool casts = may_cast && dtype_ != DType::Undefined && t.dtype() != dtype_ &&
                       (is_floating(t.dtype()) || (is_complex(t.dtype()) && is_complex(dtype_)));
    t.storage->settle();
    if (casts) {
      auto fresh = Tensor::empty(dtype_, t.view.sizes, t.dim(), device_);
      KernelRuntime runtime;
      copy_views(runtime, fresh->view, t.view);
      fresh->storage->is_weight = t.storage->is_weight;
      fresh->storage->module_state = t.storage->module_state;
      t.storage = fresh->storage;
      t.offset = 0;
      t.view = fresh->view;
      return;
    }
    if (t.device() == device_) return;
    // Tensors that share memory go on sharing it.
    Ref<Storage>& moved = storages_[t.storage.get()];
    if (!moved) {
      kept_.push_back(t.storage);
      const auto bytes = static_cast<int64_t>(t.storage->bytes), one = int64_t{1};
      auto whole = Tensor::on_storage(t.storage, DType::U8, &bytes, &one, 1, 0);
      moved = moved_to(*whole, device_)->storage;
      moved->is_weight = t.storage->is_weight;
      moved->module_state = t.storage->module_state;
    }
    t.storage = moved;
    t.view.device = device_;
    t.view.data = static_cast<char*>(moved->data) + t.offset * dtype_size(t.dtype());
  }

  void value(const Value& v) {
    switch (v.tag()) {
      case Tag::Tensor: tensor(v.to_tensor(), true); return;
      case Tag::List: items(v, v.to_list().items); return;
      case Tag::Tuple: items(v, v.to_tuple().items); return;
      case Tag::Dict:
        if (!seen_.insert(v.pointer()).second) return;
        for (const auto& [key, item] : v.to_dict().entries) value(item);
        return;
      case Tag::Object:
        items(v, v.to_object().slots);
        value(v.to_object().payload);
        return;
      default: return;
    }
  }

 private:
  void items(const Value& holder, const std::vector<Value>& list) {
    if (!seen_.insert(holder.pointer()).second) return;
    for (const Value& item : list) value(item);
  }

  const int8_t device_;
  const DType dtype_;
  std::unordered_set<const Tensor*> tensors_;
  std::unordered_set<const RefCounted*> seen_;
  std::unordered_map<const Storage*, Ref<Storage>> storages_;
  std::vector<Ref<Storage>> kept_;  // so that addresses stay theirs
};

}  // namespace

void Program::move_to(int8_t device, DType dtype) {
  std::unique_lock<std::shared_mutex> lock(state_mutex_);
  Mover mover(device, dtype);
  mover.value(plan_->root);
  for (const Ref<Tensor>& t : loaded_tensors_) mover.tensor(*t, false);
  loaded_storages_.clear();
  for (const Ref<Tensor>& t : loaded_tensors_) loaded_storages_.push_back(t->storage);
  device_.store(device, std::memory_order_relaxed);
  state_changed();
  forget_recordings();
}

}  // namespace torchscript
