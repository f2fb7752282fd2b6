#include "binding/handles.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <memory>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "binding/environment.h"
#include "binding/sink.h"
#include "binding/snapshot.h"
#include "binding/values.h"
#include "binding/worker.h"
#include "core/device.h"
#include "core/memory.h"
#include "core/mmap.h"
#include "core/pack_file.h"
#include "core/registry.h"

namespace torchscript::binding {
namespace {

// Only what is in the set is unwrapped: objects of other addons and of JavaScript are told apart safely, and faster than by type tags.
void* handle_in(const Napi::Value& value, const PointerSet Environment::*set) {
  void* native = nullptr;
  if (napi_unwrap(value.Env(), value, &native) != napi_ok) return nullptr;
  const auto& live = Environment::of(value.Env()).*set;
  return live.contains(native) ? native : nullptr;
}

// Inside handle classes `Ref` is Node-API's.
using TensorRef = Ref<Tensor>;
using StorageRef = Ref<Storage>;
using ProgramRef = Ref<Program>;

// Native payloads travel to constructors beside the call; JavaScript cannot make one.
template <class T> T* payload(const Napi::CallbackInfo& info, const char* what) {
  void* pending = std::exchange(Environment::of(info.Env()).pending_payload, nullptr);
  if (!pending) throw argument_error(info.Env(), std::string(what) + " handles are made by the addon only.");
  return static_cast<T*>(pending);
}

template <class T> Napi::Value construct(Napi::Env env, Napi::FunctionReference Environment::*handle_class, T* native) {
  Environment& environment = Environment::of(env);
  environment.pending_payload = native;
  return (environment.*handle_class).New({});
}

int64_t integer_argument(const Napi::CallbackInfo& info, size_t i, const char* name) {
  if (info.Length() <= i || !info[i].IsNumber())
    throw argument_error(info.Env(), std::string("Expected an integer for `") + name + "` but received " + describe(info[i]) + ".");
  double d = info[i].As<Napi::Number>().DoubleValue();
  if (!(d >= -9007199254740991.0 && d <= 9007199254740991.0) || d != static_cast<double>(static_cast<int64_t>(d))) {
    throw argument_error(info.Env(), std::string("Expected an integer for `") + name + "` but received " + describe(info[i]) + ".");
  }
  return static_cast<int64_t>(d);
}

DType dtype_argument(const Napi::CallbackInfo& info, size_t i) {
  int64_t code = integer_argument(info, i, "dtype");
  if (!is_known_dtype(code))
    throw argument_error(info.Env(), "Expected a dtype code for `dtype` but received " + std::to_string(code) + ".");
  return static_cast<DType>(code);
}

int sizes_argument(const Napi::CallbackInfo& info, size_t at, const char* name, int64_t* out) {
  if (info.Length() <= at || !info[at].IsArray())
    throw argument_error(info.Env(),
                         std::string("Expected an array of integers for `") + name + "` but received " + describe(info[at]) + ".");
  auto array = info[at].As<Napi::Array>();
  uint32_t n = array.Length();
  if (n > kMaxDims)
    throw argument_error(info.Env(), std::string("Expected at most ") + std::to_string(kMaxDims) + " entries in `" + name +
                                       "` but received " + std::to_string(n) + ".");
  for (uint32_t i = 0; i < n; i++) {
    Napi::Value item = array.Get(i);
    double d = item.IsNumber() ? item.As<Napi::Number>().DoubleValue() : -1;
    if (!(d >= 0 && d <= 9007199254740991.0) || d != static_cast<double>(static_cast<int64_t>(d))) {
      throw argument_error(info.Env(),
                           std::string("Expected non-negative integers in `") + name + "` but received " + describe(item) + ".");
    }
    out[i] = static_cast<int64_t>(d);
  }
  return static_cast<int>(n);
}

Napi::Array integers(Napi::Env env, const int64_t* items, int n) {
  auto array = Napi::Array::New(env, static_cast<size_t>(n));
  for (int i = 0; i < n; i++) array.Set(static_cast<uint32_t>(i), static_cast<double>(items[i]));
  return array;
}

// ---- storages ----

// Files that are mapped, by address. A storage on a mapped file shares it: the memory outlives the ArrayBuffer, which an
// environment that ends takes apart while runs on other threads may still read weights.
class Mappings {
 public:
  void add(const std::shared_ptr<FileMapping>& mapping) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    known_[mapping->data()] = mapping;
  }
  std::shared_ptr<FileMapping> find(void* address) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto entry = known_.find(address);
    return entry == known_.end() ? nullptr : entry->second.lock();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, std::weak_ptr<FileMapping>> known_;
};
Mappings& mappings() {
  static auto* instance = new Mappings;
  return *instance;
}

// A storage on a region of an ArrayBuffer, which it keeps alive.
Ref<Storage> storage_on_buffer(Napi::Env env, Napi::ArrayBuffer buffer, size_t offset, size_t bytes) {
  auto storage = Storage::wrap(static_cast<char*>(buffer.Data()) + offset, bytes, nullptr);
  pin_storage(env, *storage, buffer, offset);
  storage->file = mappings().find(buffer.Data());
  return storage;
}

Napi::ArrayBuffer buffer_argument(const Napi::CallbackInfo& info, size_t i) {
  if (info.Length() > i && info[i].IsArrayBuffer()) {
    auto buffer = info[i].As<Napi::ArrayBuffer>();
    if (buffer.IsDetached())
      throw argument_error(info.Env(), "Expected an ArrayBuffer for `buffer` but received one that was transferred.");
    // Shrinking it would take the memory away.
    if (buffer.Get("resizable").ToBoolean().Value())
      throw argument_error(info.Env(), "Expected an ArrayBuffer of fixed length for `buffer` but received a resizable one.");
    return buffer;
  }
  throw argument_error(info.Env(), "Expected an ArrayBuffer for `buffer` but received " + describe(info[i]) + ".");
}

void check_region(const Napi::CallbackInfo& info, Napi::ArrayBuffer buffer, int64_t offset, int64_t bytes) {
  auto size = static_cast<int64_t>(buffer.ByteLength());
  if (offset < 0 || bytes < 0 || offset > size || bytes > size - offset) {
    throw argument_error(info.Env(), "Expected a region inside the ArrayBuffer of " + std::to_string(size) + " bytes but received offset " +
                                       std::to_string(offset) + " and length " + std::to_string(bytes) + ".");
  }
}

class StorageHandle : public Napi::ObjectWrap<StorageHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeStorage",
                       {InstanceAccessor<&StorageHandle::byte_length>("byteLength"), InstanceMethod<&StorageHandle::move_to>("moveTo"), InstanceMethod<&StorageHandle::dispose>("dispose")});
  }
  explicit StorageHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    storage = *payload<StorageRef>(info, "Storage");
    Environment::of(info.Env()).storages.insert(this);
  }
  void Finalize(Napi::Env env) override {
    if (Environment* environment = env.GetInstanceData<Environment>()) environment->storages.erase(this);
  }
  Napi::Value byte_length(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), storage ? static_cast<double>(storage->bytes) : 0);
  }
  // Tensors that are made on the handle from now on are on the device.
  Napi::Value move_to(const Napi::CallbackInfo& info) {
    const int64_t device = integer_argument(info, 0, "device");
    try {
      if (!storage || device < 0 || device >= require_accelerator().count())
        throw argument_error(info.Env(), "Expected a CUDA device for `device` but received " + std::to_string(device) + ".");
      auto moved = Storage::allocate(storage->bytes, static_cast<int8_t>(device));
      if (storage->bytes) require_accelerator().copy_in(static_cast<int>(device), moved->data, storage->data, storage->bytes);
      moved->is_weight = storage->is_weight;
      storage = moved;
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw to_js_error(info.Env(), std::current_exception());
    }
    return info.Env().Undefined();
  }
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    storage = {};
    return info.Env().Undefined();
  }
  StorageRef storage;
};

Napi::Value storage_from_buffer(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).buffers->drain();
  Napi::ArrayBuffer buffer = buffer_argument(info, 0);
  int64_t offset = integer_argument(info, 1, "byteOffset"), bytes = integer_argument(info, 2, "byteLength");
  check_region(info, buffer, offset, bytes);
  StorageRef storage = storage_on_buffer(info.Env(), buffer, static_cast<size_t>(offset), static_cast<size_t>(bytes));
  storage->is_weight = info.Length() > 3 && info[3].ToBoolean().Value();
  return construct(info.Env(), &Environment::storage_class, &storage);
}

// ---- tensors ----

std::vector<double> numbers_of(Napi::Env env, const Napi::Value& value, const char* name, size_t n) {
  std::vector<double> numbers;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array) {
    auto array = value.As<Napi::Float64Array>();
    numbers.assign(array.Data(), array.Data() + array.ElementLength());
  } else if (value.IsArray()) {
    auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) {
      Napi::Value item = array.Get(i);
      if (!item.IsNumber())
        throw argument_error(env, std::string("Expected numbers in `") + name + "` but received " + describe(item) + ".");
      numbers.push_back(item.As<Napi::Number>().DoubleValue());
    }
  }
  if (numbers.size() != n)
    throw argument_error(env,
                         std::string("Expected ") + std::to_string(n) + " numbers in `" + name + "` but received " + describe(value) + ".");
  return numbers;
}

void set_quant(Napi::Env env, Tensor& tensor, const Napi::Value& js) {
  if (js.IsUndefined() || js.IsNull()) return;
  if (!js.IsObject() || !is_quantized(tensor.dtype()))
    throw argument_error(env, "Expected quantization parameters with a quantized dtype for `quant`.");
  auto object = js.As<Napi::Object>();
  auto quant = make_ref<OwnedQuantParams>();
  int64_t scheme = object.Get("scheme").ToNumber().Int64Value();
  if (scheme != 0 && scheme != 1 && scheme != 4)
    throw argument_error(env, "Expected 0, 1 or 4 for `quant.scheme` but received " + std::to_string(scheme) + ".");
  QuantParams& params = quant->params;
  params.scheme = static_cast<QuantParams::Scheme>(scheme);
  if (scheme == 0) {
    params.scale = object.Get("scale").ToNumber().DoubleValue();
    params.zero_point = object.Get("zeroPoint").ToNumber().Int64Value();
  } else {
    params.axis = object.Get("axis").ToNumber().Int64Value();
    if (params.axis < 0 || params.axis >= tensor.dim())
      throw argument_error(env, "Expected a dimension of the tensor for `quant.axis` but received " + std::to_string(params.axis) + ".");
    auto n = static_cast<size_t>(tensor.size(static_cast<int>(params.axis)));
    quant->scales = numbers_of(env, object.Get("scale"), "quant.scale", n);
    quant->zero_points = numbers_of(env, object.Get("zeroPoint"), "quant.zeroPoint", n);
    params.scales = quant->scales.data();
    params.zero_points = quant->zero_points.data();
  }
  tensor.view.quant = &quant->params;
  tensor.quant = std::move(quant);
}

// Smaller ones are outweighed by their handles.
constexpr size_t kReportedFrom = 4096;

class TensorHandle : public Napi::ObjectWrap<TensorHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
      env, "NativeTensor",
      {InstanceMethod<&TensorHandle::info>("info"), InstanceMethod<&TensorHandle::data>("data"),
       InstanceMethod<&TensorHandle::contiguous_copy>("contiguousCopy"), InstanceMethod<&TensorHandle::copy_to>("copyTo"),
       InstanceMethod<&TensorHandle::set_requires_grad>("setRequiresGrad"), InstanceMethod<&TensorHandle::touch>("touch"),
       InstanceMethod<&TensorHandle::release_pages>("releasePages"), InstanceMethod<&TensorHandle::dispose>("dispose"),
       InstanceMethod<&TensorHandle::derived_storage>("derivedStorage"), InstanceAccessor<&TensorHandle::is_disposed>("isDisposed"),
       InstanceAccessor<&TensorHandle::identity>("identity"), InstanceAccessor<&TensorHandle::storage_id>("storageId"),
       InstanceAccessor<&TensorHandle::data_offset>("dataOffset"), InstanceAccessor<&TensorHandle::data_is_copy>("dataIsCopy")});
  }
  explicit TensorHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    tensor_ = *payload<TensorRef>(info, "Tensor");
    Environment::of(info.Env()).tensors.insert(this);
    // Memory of the executor counts towards garbage collection; that of ArrayBuffers is counted by them.
    if (!tensor_->storage->foreign && tensor_->storage->device == kCpuDevice && !tensor_->storage->away &&
        tensor_->storage->bytes >= kReportedFrom) {
      reported_ = static_cast<int64_t>(tensor_->storage->bytes);
      Napi::MemoryManagement::AdjustExternalMemory(info.Env(), reported_);
    }
  }
  void Finalize(Napi::Env env) override {
    if (Environment* environment = env.GetInstanceData<Environment>()) environment->tensors.erase(this);
    release(env);
  }

  // Whether the collector has taken the JavaScript object; its finalizer waits for the event loop.
  bool is_collected() const { return Value().IsEmpty(); }
  void free_collected(Napi::Env env) {
    Environment::of(env).tensors.erase(this);
    release(env);
    delete this;
  }

  TensorRef tensor(Napi::Env env) const {
    if (!tensor_) throw argument_error(env, "Expected a live Tensor but received one that was disposed of.");
    const Storage& storage = *tensor_->storage;
    if (storage.foreign && storage.foreign_owner == &Environment::of(env)) {
      napi_value buffer = nullptr;
      bool gone = false;
      napi_get_reference_value(env, static_cast<napi_ref>(storage.foreign), &buffer);
      if (buffer) napi_is_detached_arraybuffer(env, buffer, &gone);
      if (gone) throw argument_error(env, "Expected a live Tensor but received one whose ArrayBuffer was transferred.");
    }
    return tensor_;
  }

 private:
  void release(Napi::Env env) {
    if (reported_) Napi::MemoryManagement::AdjustExternalMemory(env, -reported_);
    reported_ = 0;
    tensor_ = nullptr;
  }

  Napi::Value info(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    TensorRef t = tensor(env);
    auto result = Napi::Object::New(env);
    result.Set("dtype", static_cast<double>(t->dtype()));
    result.Set("sizes", integers(env, t->view.sizes, t->dim()));
    result.Set("strides", integers(env, t->view.strides, t->dim()));
    result.Set("offset", static_cast<double>(t->offset));
    result.Set("isContiguous", t->view.is_contiguous());
    result.Set("storageBytes", static_cast<double>(t->storage->bytes));
    result.Set("requiresGrad", t->requires_grad);
    result.Set("device", static_cast<double>(t->device()));
    if (const QuantParams* q = t->view.quant) {
      auto quant = Napi::Object::New(env);
      quant.Set("scheme", static_cast<double>(q->scheme));
      if (q->scheme == QuantParams::Scheme::PerTensorAffine) {
        quant.Set("scale", q->scale);
        quant.Set("zeroPoint", static_cast<double>(q->zero_point));
      } else {
        auto numbers = [&](const double* p) {
          auto n = static_cast<size_t>(t->size(static_cast<int>(q->axis)));
          auto array = Napi::Float64Array::New(env, n);
          if (n) std::memcpy(array.Data(), p, n * sizeof(double));
          return array;
        };
        quant.Set("scale", numbers(q->scales));
        quant.Set("zeroPoint", numbers(q->zero_points));
        quant.Set("axis", static_cast<double>(q->axis));
      }
      result.Set("quant", quant);
    } else {
      result.Set("quant", env.Null());
    }
    return result;
  }

  Napi::Value data(const Napi::CallbackInfo& info);
  Napi::Value data_offset(const Napi::CallbackInfo& info) {
    const Storage& s = *tensor(info.Env())->storage;
    bool mine = s.foreign && s.foreign_owner == &Environment::of(info.Env());
    return Napi::Number::New(info.Env(), mine ? static_cast<double>(s.foreign_offset) : 0);
  }
  Napi::Value storage_id(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(tensor(info.Env())->storage->serial));
  }
  Napi::Value data_is_copy(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), is_copy_); }

  Napi::Value contiguous_copy(const Napi::CallbackInfo& info) {
    TensorRef t = tensor(info.Env());
    auto copy = Tensor::empty(t->dtype(), t->view.sizes, t->dim(), t->device());
    copy->quant = t->quant;
    copy->view.quant = t->view.quant;
    KernelRuntime runtime;
    t->storage->settle();
    copy_views(runtime, copy->view, t->view);
    return wrap_tensor(info.Env(), copy);
  }
  // The tensor on a device, -1 the CPU: a handle of the same tensor where it is there.
  Napi::Value copy_to(const Napi::CallbackInfo& info) {
    TensorRef t = tensor(info.Env());
    const int64_t device = integer_argument(info, 0, "device");
    Accelerator* cuda = accelerator();
    if (device < kCpuDevice || (device > kCpuDevice && device >= (cuda ? cuda->count() : 0)))
      throw argument_error(info.Env(), "Expected a device for `device` but received " + std::to_string(device) + ".");
    try {
      return wrap_tensor(info.Env(), moved_to(*t, static_cast<int8_t>(device)));
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw to_js_error(info.Env(), std::current_exception());
    }
  }
  Napi::Value set_requires_grad(const Napi::CallbackInfo& info) {
    tensor(info.Env())->requires_grad = info[0].ToBoolean().Value();
    return info.Env().Undefined();
  }
  Napi::Value touch(const Napi::CallbackInfo& info) {
    tensor(info.Env())->storage->version.fetch_add(1, std::memory_order_release);
    return info.Env().Undefined();
  }
  Napi::Value release_pages(const Napi::CallbackInfo& info) {
    tensor(info.Env())->storage->drop_pages();
    return info.Env().Undefined();
  }
  Napi::Value derived_storage(const Napi::CallbackInfo& info) {
    StorageRef storage = tensor(info.Env())->storage;
    if (!storage->derived) return info.Env().Null();
    return construct(info.Env(), &Environment::storage_class, &storage);
  }
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    release(info.Env());
    return info.Env().Undefined();
  }
  // Addresses of user space are exact as numbers.
  Napi::Value identity(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(tensor(info.Env()).get())));
  }
  Napi::Value is_disposed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), !tensor_); }

  TensorRef tensor_;
  int64_t reported_ = 0;
  bool is_copy_ = false;
};

// What an external ArrayBuffer keeps alive.
struct ExternalBuffer {
  StorageRef storage;
  std::shared_ptr<SharedBuffers> known;
};

void drop_external_buffer(napi_env env, void*, void* hint) {
  std::unique_ptr<ExternalBuffer> holder(static_cast<ExternalBuffer*>(hint));
  auto entry = holder->known->find(holder->storage.get());
  if (entry == holder->known->end() || entry->second.holder != holder.get()) return;
  napi_delete_reference(env, entry->second.reference);
  holder->known->erase(entry);
}

Napi::Value TensorHandle::data(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Environment& environment = Environment::of(env);
  TensorRef t = tensor(env);
  Storage& storage = *t->storage;
  if (storage.device != kCpuDevice) {
    throw argument_error(env, "Expected a tensor on the CPU but received one on " + device_text(storage.device) +
                                ": its memory is out of reach; copy the tensor with `cpu()` first.");
  }
  // Whoever asks for a weight's memory may write it, unless told otherwise: packed forms are made again.
  const bool for_reading = info[0].IsBoolean() && info[0].As<Napi::Boolean>().Value();
  if (for_reading) storage.settle();
  else storage.about_to_write();
  if (!for_reading) storage.exposed = true;
  // From now on it may be written unseen.
  if (!for_reading && storage.packable.exchange(false)) storage.version.fetch_add(1, std::memory_order_release);
  if (storage.is_weight && !for_reading) storage.version.fetch_add(1, std::memory_order_release);
  napi_value value = nullptr;
  if (storage.foreign && storage.foreign_owner == &environment) {
    napi_get_reference_value(env, static_cast<napi_ref>(storage.foreign), &value);
    return Napi::Value(env, value);
  }
  // One ArrayBuffer for each storage, as long as JavaScript holds it.
  SharedBuffers& shared = *environment.shared_buffers;
  auto known = shared.find(&storage);
  if (known != shared.end()) {
    napi_get_reference_value(env, known->second.reference, &value);
    if (value) return Napi::Value(env, value);
  }
  if (environment.external_buffers && storage.bytes > 0) {
    auto* holder = new ExternalBuffer{t->storage, environment.shared_buffers};
    napi_status status = napi_create_external_arraybuffer(env, storage.data, storage.bytes, drop_external_buffer, holder, &value);
    if (status == napi_ok) {
      napi_ref reference;
      napi_create_reference(env, value, 0, &reference);
      if (known != shared.end()) napi_delete_reference(env, known->second.reference);
      shared[&storage] = {reference, holder};
      return Napi::Value(env, value);
    }
    delete holder;
    environment.external_buffers = false;
  }
  auto copy = Napi::ArrayBuffer::New(env, storage.bytes);
  if (storage.bytes) std::memcpy(copy.Data(), storage.data, storage.bytes);
  is_copy_ = storage.bytes > 0;
  return copy;
}

Napi::Value tensor_on_storage(const Napi::CallbackInfo& info) {
  auto* handle = static_cast<StorageHandle*>(handle_in(info[0], &Environment::storages));
  if (handle && !handle->storage) throw argument_error(info.Env(), "Expected a storage for `storage` but received one that is disposed.");
  if (!handle) throw argument_error(info.Env(), "Expected a storage for `storage` but received " + describe(info[0]) + ".");
  StorageRef storage = handle->storage;
  DType dtype = dtype_argument(info, 1);
  int64_t sizes[kMaxDims], strides[kMaxDims];
  int ndim = sizes_argument(info, 2, "sizes", sizes);
  if (sizes_argument(info, 3, "strides", strides) != ndim)
    throw argument_error(info.Env(), "Expected as many entries in `strides` as in `sizes`.");
  auto tensor = Tensor::on_storage(std::move(storage), dtype, sizes, strides, ndim, integer_argument(info, 4, "offset"));
  if (info.Length() > 5) set_quant(info.Env(), *tensor, info[5]);
  return wrap_tensor(info.Env(), tensor);
}

Napi::Value tensor_from_buffer(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).buffers->drain();
  Napi::ArrayBuffer buffer = buffer_argument(info, 0);
  int64_t offset = integer_argument(info, 1, "byteOffset");
  DType dtype = dtype_argument(info, 2);
  int64_t sizes[kMaxDims], strides[kMaxDims];
  int ndim = sizes_argument(info, 3, "sizes", sizes);
  if (info.Length() > 4 && info[4].IsArray()) {
    if (sizes_argument(info, 4, "strides", strides) != ndim)
      throw argument_error(info.Env(), "Expected as many entries in `strides` as in `sizes`.");
  } else {
    int64_t stride = 1;
    for (int d = ndim - 1; d >= 0; d--) {
      strides[d] = stride;
      if (sizes[d] > 1 && __builtin_mul_overflow(stride, sizes[d], &stride))
        throw argument_error(info.Env(), "Expected sizes that fit in memory.");
    }
  }
  check_region(info, buffer, offset, 0);
  int64_t bytes = static_cast<int64_t>(buffer.ByteLength()) - offset;
  if (info.Length() > 5) {
    bytes = integer_argument(info, 5, "byteLength");
    check_region(info, buffer, offset, bytes);
  }
  StorageRef storage = storage_on_buffer(info.Env(), buffer, static_cast<size_t>(offset), static_cast<size_t>(bytes));
  return wrap_tensor(info.Env(), Tensor::on_storage(std::move(storage), dtype, sizes, strides, ndim, 0));
}

Napi::Value empty_tensor(const Napi::CallbackInfo& info) {
  DType dtype = dtype_argument(info, 0);
  int64_t sizes[kMaxDims];
  int ndim = sizes_argument(info, 1, "sizes", sizes);
  return wrap_tensor(info.Env(), Tensor::empty(dtype, sizes, ndim));
}

// Throws where external memory is not allowed (Electron), so that the caller reads ranges instead of copying the whole file.
Napi::Value map_file(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsString()) throw argument_error(env, "Expected a string for `path` but received " + describe(info[0]) + ".");
  std::shared_ptr<FileMapping> mapping;
  try {
    mapping = std::make_shared<FileMapping>(info[0].As<Napi::String>().Utf8Value());
  } catch (const std::system_error& reason) {
    Napi::Error error = Napi::Error::New(env, reason.what());
    int number = reason.code().value();
    error.Set("code", Napi::String::New(env, number == ENOENT ? "ENOENT" : number == EACCES ? "EACCES" : "EIO"));
    throw error;
  }
  if (mapping->bytes() == 0) return Napi::ArrayBuffer::New(env, 0);
  auto finalize = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<FileMapping>*>(hint); };
  auto holder = std::make_unique<std::shared_ptr<FileMapping>>(mapping);
  napi_value value = nullptr;
  napi_status status = napi_create_external_arraybuffer(env, mapping->data(), mapping->bytes(), finalize, holder.get(), &value);
  // Where the memory is not taken at all, it is still ours. After other failures (too large) Node-API runs the finalizer itself.
  if (status == napi_no_external_buffers_allowed)
    throw Napi::Error::New(env, "This runtime does not allow memory of an addon in an ArrayBuffer");
  holder.release();
  if (status != napi_ok) throw Napi::Error::New(env);
  mappings().add(mapping);
  return Napi::Value(env, value);
}

// Finalizers run when the event loop turns. A loop that does not let it turn would keep the memory of every tensor it has dropped, so that
// handles whose objects are gone are freed as new ones are made. Each pass looks at all handles and the next waits until as many new ones are
// there as were left, which makes the cost of one handle constant.
// Large tensors do not wait for that many.
void free_collected_tensors(Napi::Env env, Environment& environment, size_t bytes) {
  environment.bytes_since_sweep += bytes;
  if (++environment.tensors_since_sweep < environment.next_sweep && environment.bytes_since_sweep < Environment::kSweepBytes) return;
  environment.tensors_since_sweep = environment.bytes_since_sweep = 0;
  std::vector<TensorHandle*> collected;
  environment.tensors.for_each([&](const void* p) {
    Napi::HandleScope scope(env);
    auto* handle = static_cast<TensorHandle*>(const_cast<void*>(p));
    if (handle->is_collected()) collected.push_back(handle);
  });
  for (TensorHandle* handle : collected) handle->free_collected(env);
  environment.next_sweep = std::max<size_t>(Environment::kFirstSweep, environment.tensors.count());
}

// ---- objects and programs ----

struct ObjectPayload {
  Value object;
  ProgramRef program;
};

class ObjectHandle : public Napi::ObjectWrap<ObjectHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
      env, "NativeObject",
      {InstanceAccessor<&ObjectHandle::class_name>("className"), InstanceAccessor<&ObjectHandle::class_index>("classIndex")});
  }
  explicit ObjectHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    held = *payload<ObjectPayload>(info, "Object");
    Environment::of(info.Env()).objects.insert(this);
  }
  void Finalize(Napi::Env env) override {
    if (Environment* environment = env.GetInstanceData<Environment>()) environment->objects.erase(this);
  }
  Napi::Value class_name(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), held.object.to_object().type->name); }
  Napi::Value class_index(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), held.object.to_object().type->index); }
  ObjectPayload held;
};

class ProgramHandle : public Napi::ObjectWrap<ProgramHandle> {
  // A method of an object, as a JavaScript function.
  struct Bound {
    ProgramRef program;
    const Function* function;
    torchscript::Value self;
    const Tensor* last = nullptr;  // that was given, where results are kept
  };

 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeProgram",
                       {InstanceMethod<&ProgramHandle::run>("run"),
                        InstanceMethod<&ProgramHandle::call>("call"),
                        InstanceMethod<&ProgramHandle::invoke>("invoke"),
                        InstanceMethod<&ProgramHandle::bind>("bind"),
                        InstanceMethod<&ProgramHandle::run_async>("runAsync"),
                        InstanceMethod<&ProgramHandle::root>("root"),
                        InstanceMethod<&ProgramHandle::get_attr>("getAttr"),
                        InstanceMethod<&ProgramHandle::set_attr>("setAttr"),
                        InstanceMethod<&ProgramHandle::snapshot>("snapshot"),
                        InstanceMethod<&ProgramHandle::signatures>("signatures"),
                        InstanceMethod<&ProgramHandle::memory>("memory"),
                        InstanceMethod<&ProgramHandle::set_recording>("setRecording"),
                        InstanceMethod<&ProgramHandle::move_to>("moveTo"),
                        InstanceMethod<&ProgramHandle::set_autotune>("setAutotune"),
                        InstanceMethod<&ProgramHandle::set_derives>("setDerives"),
                        InstanceMethod<&ProgramHandle::set_keeps_results>("setKeepsResults"),
                        InstanceMethod<&ProgramHandle::set_least_graph>("setLeastGraph"),
                        InstanceMethod<&ProgramHandle::weights_digest>("weightsDigest"),
                        InstanceMethod<&ProgramHandle::write_packs>("writePacks"),
                        InstanceMethod<&ProgramHandle::read_packs>("readPacks"),
                        InstanceMethod<&ProgramHandle::state_version>("stateVersion"),
                        InstanceMethod<&ProgramHandle::dispose>("dispose")});
  }
  explicit ProgramHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) { program_ = *payload<ProgramRef>(info, "Program"); }

 private:
  const ProgramRef& program(Napi::Env env) const {
    if (!program_) throw argument_error(env, "Expected a live program but this one was disposed of.");
    return program_;
  }
  const Function& function(const Napi::CallbackInfo& info) {
    int64_t index = integer_argument(info, 0, "functionIndex");
    const ProgramRef& p = program(info.Env());
    if (index < 0 || static_cast<size_t>(index) >= p->plan().functions.size())
      throw argument_error(info.Env(), "Expected the index of a function but received " + std::to_string(index) + ".");
    if (info.Length() < 2 || !info[1].IsArray())
      throw argument_error(info.Env(), "Expected an array for `args` but received " + describe(info[1]) + ".");
    return p->function(static_cast<size_t>(index));
  }

  Napi::Value run(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      Environment& environment = Environment::of(info.Env());
      environment.buffers->drain();
      const Function& f = function(info);
      ProgramRef p = program_;
      std::vector<torchscript::Value> args = call_arguments(info.Env(), info[1].As<Napi::Array>(), f, *p);
      BufferedSink sink;
      try {
        torchscript::Value result = p->run(f, args.data(), args.size(), &sink);
        sink.deliver(environment, info.Env());
        return to_js(info.Env(), result, f.return_type, p);
      } catch (const Napi::Error&) {
        throw;
      } catch (...) {
        std::exception_ptr error = std::current_exception();
        sink.deliver(environment, info.Env());
        std::rethrow_exception(error);
      }
    });
  }
  // run() with the arguments in the call itself, all of them.
  Napi::Value call(const Napi::CallbackInfo& info) { return call_with(info, false); }
  // call() where a small tensor as the result is the number that SmallResults gives.
  Napi::Value invoke(const Napi::CallbackInfo& info) { return call_with(info, true); }

  Napi::Value call_with(const Napi::CallbackInfo& info, bool small_results) {
    return translated(info, [&]() -> Napi::Value {
      Napi::Env env = info.Env();
      int64_t index = integer_argument(info, 0, "functionIndex");
      ProgramRef p = program(env);
      if (index < 0 || static_cast<size_t>(index) >= p->plan().functions.size())
        throw argument_error(env, "Expected the index of a function but received " + std::to_string(index) + ".");
      return run_function(info, 1, p, p->function(static_cast<size_t>(index)), nullptr, small_results);
    });
  }

  // A method of an object as a JavaScript function that does what invoke() does, without asking again which method of which object.
  // Lives on after dispose(), which takes its object away.
  Napi::Value bind(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      Napi::Env env = info.Env();
      int64_t index = integer_argument(info, 0, "functionIndex");
      const ProgramRef& p = program(env);
      if (index < 0 || static_cast<size_t>(index) >= p->plan().functions.size())
        throw argument_error(env, "Expected the index of a function but received " + std::to_string(index) + ".");
      const Function& f = p->function(static_cast<size_t>(index));
      torchscript::Value self = object_of(env, info[1], *p, "self");
      if (f.parameters.empty() || !value_has_type(self, *f.parameters[0].type))
        throw argument_error(env, "Expected a method of the object for `functionIndex` but received " + f.name + ".");
      auto bound = std::make_shared<Bound>(Bound{p, &f, std::move(self)});
      if (bound_.size() >= 2 * live_bound_ + 16) {
        std::erase_if(bound_, [](const auto& weak) { return weak.expired(); });
        live_bound_ = bound_.size();
      }
      bound_.push_back(bound);
      return Napi::Function::New(
        env,
        [bound](const Napi::CallbackInfo& call) -> Napi::Value {
          return translated(call, [&]() -> Napi::Value {
            if (!bound->program) throw argument_error(call.Env(), "Expected a live program but this one was disposed of.");
            // A call from within, through a handler of prints, may dispose of the program.
            ProgramRef p = bound->program;
            torchscript::Value self = bound->self;
            return run_function(call, 0, p, *bound->function, &self, true, bound.get());
          });
        },
        f.name);
    });
  }

  // Runs a function on the arguments from `first` on; `self`, where given, comes before them.
  static Napi::Value run_function(const Napi::CallbackInfo& info, size_t first, const ProgramRef& p, const Function& f,
                                  const torchscript::Value* self, bool small_results, Bound* bound = nullptr) {
    Napi::Env env = info.Env();
    Environment& environment = Environment::of(env);
    environment.buffers->drain();
    const size_t n = f.parameters.size(), hidden = self ? 1 : 0, given = info.Length() - first;
    if (given != n - hidden)
      throw argument_error(
        env, "Expected " + std::to_string(n - hidden) + " arguments for " + f.name + " but received " + std::to_string(given) + ".");
    constexpr size_t kInline = 8;
    torchscript::Value few[kInline];
    std::vector<torchscript::Value> many(n > kInline ? n : 0);
    torchscript::Value* args = n > kInline ? many.data() : few;
    BorrowedArguments borrowed;
    if (self) args[0] = *self;
    for (size_t i = hidden; i < n; i++) args[i] = argument(env, info[first + i - hidden], f, i, *p, borrowed);
    BufferedSink sink;
    try {
      const bool keeps = p->keeps_results.load(std::memory_order_relaxed);
      torchscript::Value result = p->run(f, args, n, &sink, keeps);
      borrowed.settle(env, environment.small_results);
      sink.deliver(environment, env);
      if (keeps && bound && f.return_type->kind == TypeKind::Tensor && result.is(Tag::Tensor)) {
        // The handle that JavaScript has is one user, the schedule another.
        const Tensor* given = &result.to_tensor();
        if (bound->last == given && given->use_count() > 2) return Napi::Number::New(env, -1);
        Napi::Value handle = to_js(env, result, f.return_type, p);
        bound->last = given;
        return handle;
      }
      uint32_t number;
      if (small_results && f.return_type->kind == TypeKind::Tensor && environment.small_results.put(env, result, &number))
        return Napi::Number::New(env, number);
      return to_js(env, result, f.return_type, p);
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      std::exception_ptr error = std::current_exception();
      borrowed.settle(env, environment.small_results);
      sink.deliver(environment, env);
      std::rethrow_exception(error);
    }
  }
  static torchscript::Value argument(Napi::Env env, Napi::Value js, const Function& f, size_t i, const Program& program,
                                     BorrowedArguments& borrowed) {
    const Parameter& parameter = f.parameters[i];
    if (js.IsArrayBuffer()) {
      TensorRef t = borrowed.take(env, Environment::of(env).small_results, js, i);
      const TypeInfo& type = *parameter.type;
      if (type.kind == TypeKind::Tensor || (type.kind == TypeKind::Optional && type.args[0]->kind == TypeKind::Tensor))
        return torchscript::Value(std::move(t));
      js = wrap_tensor(env, std::move(t));
    }
    if (parameter.type->kind == TypeKind::Tensor) {
      if (TensorRef t = tensor_of(js)) return torchscript::Value(std::move(t));
    } else if (parameter.type->kind == TypeKind::Class) {
      auto* handle = static_cast<ObjectHandle*>(handle_in(js, &Environment::objects));
      if (handle && handle->held.program.get() == &program && value_has_type(handle->held.object, *parameter.type))
        return handle->held.object;
    } else if (parameter.has_default && js.IsUndefined()) {
      return parameter.default_value;
    }
    Place place;
    place.name = parameter.name;
    place.where = std::string_view(f.name).substr(f.name.rfind('.') + 1);
    place.argument = i + 1 - (f.parameters[0].name == "self" ? 1 : 0);
    return from_js(env, js, *parameter.type, program, place);
  }
  Napi::Value run_async(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      Environment& environment = Environment::of(info.Env());
      environment.buffers->drain();
      const Function& f = function(info);
      return start_run(info.Env(), environment, program_, f, call_arguments(info.Env(), info[1].As<Napi::Array>(), f, *program_));
    });
  }
  Napi::Value root(const Napi::CallbackInfo& info) {
    const ProgramRef& p = program(info.Env());
    if (!p->plan().root.is(Tag::Object)) return info.Env().Null();
    return wrap_object(info.Env(), p->plan().root, p);
  }
  Napi::Value get_attr(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      ProgramRef p = program(info.Env());
      if (!is_object_handle(info[0]))
        throw argument_error(info.Env(), "Expected a TorchScript object for `object` but received " + describe(info[0]) + ".");
      torchscript::Value object = object_of(info.Env(), info[0], *p, "object");
      auto slot = static_cast<size_t>(integer_argument(info, 1, "slot"));
      torchscript::Value value = p->get_attribute(object.to_object(), slot);
      return to_js(info.Env(), value, object.to_object().type->attributes[slot].type, p);
    });
  }
  Napi::Value set_attr(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      ProgramRef p = program(info.Env());
      if (!is_object_handle(info[0]))
        throw argument_error(info.Env(), "Expected a TorchScript object for `object` but received " + describe(info[0]) + ".");
      torchscript::Value object = object_of(info.Env(), info[0], *p, "object");
      auto slot = static_cast<size_t>(integer_argument(info, 1, "slot"));
      const auto& attributes = object.to_object().type->attributes;
      if (slot >= attributes.size())
        throw argument_error(info.Env(),
                             "Expected a slot of " + object.to_object().type->name + " but received " + std::to_string(slot) + ".");
      const std::string where = "attribute of " + object.to_object().type->name;
      Place place;
      place.name = attributes[slot].name;
      place.where = where;
      torchscript::Value value = from_js(info.Env(), info[2], *attributes[slot].type, *p, place);
      p->set_attribute(object.to_object(), slot, std::move(value));
      return info.Env().Undefined();
    });
  }
  Napi::Value snapshot(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      ProgramRef p = program(info.Env());
      if (!is_object_handle(info[0]))
        throw argument_error(info.Env(), "Expected a TorchScript object for `object` but received " + describe(info[0]) + ".");
      torchscript::Value object = object_of(info.Env(), info[0], *p, "object");
      BufferedSink sink;
      Napi::Value result = snapshot_of(info.Env(), p, object, &sink);
      sink.deliver(Environment::of(info.Env()), info.Env());
      return result;
    });
  }
  Napi::Value signatures(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    std::vector<SignatureReport> reports = program(env)->signatures();
    auto array = Napi::Array::New(env, reports.size());
    for (size_t i = 0; i < reports.size(); i++) {
      const SignatureReport& r = reports[i];
      auto row = Napi::Object::New(env);
      row.Set("function", r.function);
      row.Set("inputs", r.inputs);
      row.Set("state", r.recorded ? "recorded" : "dynamic");
      row.Set("reason", r.reason);
      row.Set("steps", static_cast<double>(r.steps));
      row.Set("arenaBytes", static_cast<double>(r.arena_bytes));
      row.Set("outputBytes", static_cast<double>(r.output_bytes));
      row.Set("liveBytes", static_cast<double>(r.live_bytes));
      row.Set("constantBytes", static_cast<double>(r.constant_bytes));
      row.Set("replays", static_cast<double>(r.replays));
      row.Set("deviceArenaBytes", static_cast<double>(r.device_arena_bytes));
      row.Set("graphs", static_cast<double>(r.graphs.graphs));
      row.Set("graphNodes", static_cast<double>(r.graphs.nodes));
      row.Set("graphBytes", static_cast<double>(r.graphs.bytes));
      row.Set("graphReason", r.graphs.reason);
      array.Set(static_cast<uint32_t>(i), row);
    }
    return array;
  }
  Napi::Value memory(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    ProgramMemory memory = program(env)->memory();
    auto result = Napi::Object::New(env);
    result.Set("weightBytes", static_cast<double>(memory.weight_bytes));
    result.Set("packedBytes", static_cast<double>(memory.packed_bytes));
    result.Set("awayBytes", static_cast<double>(memory.away_bytes));
    return result;
  }
  Napi::Value move_to(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      const int64_t device = integer_argument(info, 0, "device");
      if (device > kCpuDevice && device >= require_accelerator().count())
        throw argument_error(info.Env(), "Expected a device for `device` but received " + std::to_string(device) + ".");
      program(info.Env())->move_to(static_cast<int8_t>(device), info[1].IsNumber() ? dtype_argument(info, 1) : DType::Undefined);
      return info.Env().Undefined();
    });
  }
  Napi::Value set_recording(const Napi::CallbackInfo& info) {
    program(info.Env())->recording.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  }
  Napi::Value set_autotune(const Napi::CallbackInfo& info) {
    program(info.Env())->autotune.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  }
  Napi::Value set_least_graph(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      const int64_t steps = integer_argument(info, 0, "steps");
      if (steps < 0 || steps > 1000000)
        throw argument_error(info.Env(), "Expected a number of steps for `steps` but received " + std::to_string(steps) + ".");
      program(info.Env())->least_graph.store(static_cast<int>(steps));
      return info.Env().Undefined();
    });
  }
  Napi::Value set_keeps_results(const Napi::CallbackInfo& info) {
    program(info.Env())->keeps_results.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  }
  Napi::Value weights_digest(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value { return Napi::String::New(info.Env(), program(info.Env())->weights_digest().hex()); });
  }
  Napi::Value write_packs(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      torchscript::write_packs(*program(info.Env()), path_argument(info));
      return info.Env().Undefined();
    });
  }
  Napi::Value read_packs(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      std::string problem;
      size_t found = torchscript::read_packs(*program(info.Env()), path_argument(info), &problem);
      if (!problem.empty()) return Napi::String::New(info.Env(), problem);
      return Napi::Number::New(info.Env(), static_cast<double>(found));
    });
  }
  static std::string path_argument(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsString())
      throw argument_error(info.Env(), "Expected a string for `path` but received " + describe(info[0]) + ".");
    return info[0].As<Napi::String>().Utf8Value();
  }
  Napi::Value set_derives(const Napi::CallbackInfo& info) {
    program(info.Env())->derives.store(info[0].ToBoolean().Value());
    return info.Env().Undefined();
  }
  Napi::Value state_version(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(program(info.Env())->state_version()));
  }
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    // Objects of the program may live on; its memory does not.
    if (program_) program_->forget_recordings();
    program_ = nullptr;
    for (const auto& weak : bound_) {
      if (auto bound = weak.lock()) {
        bound->self = torchscript::Value();
        bound->program = nullptr;
      }
    }
    bound_.clear();
    return info.Env().Undefined();
  }

  // Native exceptions of instance methods become JavaScript errors.
  template <class F> static Napi::Value translated(const Napi::CallbackInfo& info, F body) {
    try {
      return body();
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw to_js_error(info.Env(), std::current_exception());
    }
  }

  ProgramRef program_;
  std::vector<std::weak_ptr<Bound>> bound_;
  size_t live_bound_ = 0;  // when those that are gone were last left out
};

Napi::Value load_program(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  require_isa(env);
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw argument_error(env, "Expected a Uint8Array for `plan` but received " + describe(info[0]) + ".");
  }
  if (info.Length() < 2 || !info[1].IsArray())
    throw argument_error(env, "Expected an array of tensors for `tensors` but received " + describe(info[1]) + ".");
  auto bytes = info[0].As<Napi::Uint8Array>();
  auto list = info[1].As<Napi::Array>();
  std::vector<TensorRef> tensors;
  for (uint32_t i = 0; i < list.Length(); i++) {
    Napi::HandleScope scope(env);
    Napi::Value item = list.Get(i);
    if (!is_tensor(item)) throw argument_error(env, "Expected tensors in `tensors` but received " + describe(item) + ".");
    tensors.push_back(tensor_of(item));
  }
  BufferedSink sink;
  ProgramRef program = Program::load(bytes.Data(), bytes.ByteLength(), tensors, &sink);
  sink.deliver(Environment::of(env), env);
  return construct(env, &Environment::program_class, &program);
}

}  // namespace

std::shared_ptr<FileMapping> mapping_at(void* data) { return mappings().find(data); }

void pin_storage(Napi::Env env, Storage& storage, napi_value buffer, size_t offset) {
  Environment& environment = Environment::of(env);
  napi_ref reference;
  napi_create_reference(env, buffer, 1, &reference);
  storage.deleter = [buffers = environment.buffers, reference] { buffers->release(reference); };
  storage.foreign = reference;
  storage.foreign_offset = offset;
  storage.foreign_owner = &environment;
}

bool is_tensor(const Napi::Value& value) { return handle_in(value, &Environment::tensors) != nullptr; }
bool is_object_handle(const Napi::Value& value) { return handle_in(value, &Environment::objects) != nullptr; }

TensorRef tensor_of(const Napi::Value& value) {
  auto* handle = static_cast<TensorHandle*>(handle_in(value, &Environment::tensors));
  return handle ? handle->tensor(value.Env()) : nullptr;
}

Value object_of(Napi::Env env, const Napi::Value& value, const Program& program, const std::string& name) {
  auto* handle = static_cast<ObjectHandle*>(handle_in(value, &Environment::objects));
  if (!handle) throw argument_error(env, "Expected a TorchScript object for `" + name + "` but received " + describe(value) + ".");
  const ObjectPayload& held = handle->held;
  if (held.program.get() != &program)
    throw argument_error(env, "Expected an object of this program for `" + name + "` but received one of another program.");
  return held.object;
}

Napi::Value wrap_tensor(Napi::Env env, TensorRef tensor) {
  free_collected_tensors(env, Environment::of(env), tensor->storage->bytes);
  return construct(env, &Environment::tensor_class, &tensor);
}

Napi::Value wrap_object(Napi::Env env, const Value& object, const ProgramRef& program) {
  ObjectPayload payload{object, program};
  return construct(env, &Environment::object_class, &payload);
}

void define_handles(Napi::Env env, Napi::Object exports, Environment& environment) {
  environment.tensor_class = Napi::Persistent(TensorHandle::define(env));
  environment.storage_class = Napi::Persistent(StorageHandle::define(env));
  environment.program_class = Napi::Persistent(ProgramHandle::define(env));
  environment.object_class = Napi::Persistent(ObjectHandle::define(env));
  auto define = [&](const char* name, auto callback) { exports.Set(name, Napi::Function::New(env, guarded(callback), name)); };
  define("loadProgram", load_program);
  define("storageFromBuffer", storage_from_buffer);
  define("tensorOnStorage", tensor_on_storage);
  define("tensorFromBuffer", tensor_from_buffer);
  define("emptyTensor", empty_tensor);
  define("mapFile", map_file);
}

}  // namespace torchscript::binding
