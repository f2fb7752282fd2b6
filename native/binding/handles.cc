// Handles of tensors and storages.
#include "binding/handles.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "binding/handle_class.h"
#include "core/device.h"
#include "core/memory.h"
#include "core/mmap.h"

namespace torchscript::binding {
namespace {

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
                       {InstanceAccessor<&StorageHandle::byte_length>("byteLength"), InstanceMethod<&StorageHandle::move_to>("moveTo"),
                        InstanceMethod<&StorageHandle::dispose>("dispose")});
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

// Memory of the executor counts towards garbage collection; that of ArrayBuffers is counted by them.
bool counts_as_external(const Storage& storage) {
  return !storage.foreign && storage.device == kCpuDevice && !storage.away && storage.bytes >= kReportedFrom;
}

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
    claim(Environment::of(info.Env()));
  }
  void Finalize(Napi::Env env) override {
    if (Environment* environment = env.GetInstanceData<Environment>()) environment->tensors.erase(this);
    release(env);
  }

  // The bytes that V8 is to be told of for this handle and has not been; from now on they count as told.
  int64_t tell(Environment& environment) {
    claim(environment);
    if (!claimed_ || is_told_) return 0;
    is_told_ = true;
    environment.untold_bytes -= claimed_;
    return claimed_;
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
  // One handle at a time answers for the bytes of a storage.
  void claim(Environment& environment) {
    if (claimed_ || !tensor_ || !counts_as_external(*tensor_->storage) || tensor_->storage->is_claimed.exchange(true)) return;
    claimed_ = static_cast<int64_t>(tensor_->storage->bytes);
    environment.untold_bytes += claimed_;
  }
  void release(Napi::Env env) {
    if (claimed_) {
      tensor_->storage->is_claimed = false;
      if (is_told_) Napi::MemoryManagement::AdjustExternalMemory(env, -claimed_);
      else if (Environment* environment = env.GetInstanceData<Environment>()) environment->untold_bytes -= claimed_;
    }
    claimed_ = 0;
    is_told_ = false;
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
  int64_t claimed_ = 0;
  bool is_told_ = false;
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

// A collection of V8's young generation, where the handles of results that were dropped at once lie: some 0.1 ms. V8 has one whenever an
// ArrayBuffer is made while the young ones hold 32 MB, so that a buffer of this size (never touched: addresses alone) asks for it.
// A full collection that comes in between takes its place and may keep the buffer. Where V8 never has one, nobody asks again.
void collect_young(Napi::Env env, Environment& environment) {
  constexpr double kYoungBytes = 32 << 20;
  if (environment.young_refusals >= Environment::kYoungRefusals) return;
  environment.young_refusals++;
  napi_ref probe = nullptr;
  try {
    Napi::Function array_buffer = environment.array_buffer_class.Value();
    {
      Napi::HandleScope scope(env);
      Napi::Object large = array_buffer.New({Napi::Number::New(env, kYoungBytes)});
      if (napi_create_reference(env, large, 0, &probe) != napi_ok) return;
    }
    Napi::HandleScope scope(env);
    array_buffer.New({Napi::Number::New(env, 1)});
  } catch (const Napi::Error&) {  // out of memory
  }
  if (!probe) return;
  Napi::HandleScope scope(env);
  napi_value large = nullptr;
  napi_get_reference_value(env, probe, &large);
  napi_delete_reference(env, probe);
  if (large) napi_detach_arraybuffer(env, large);
  else environment.young_refusals = 0;
}

// Finalizers run when the event loop turns. A loop that does not let it turn would keep the memory of every tensor it has dropped, so that
// handles whose objects are gone are freed as new ones are made. Each pass looks at all handles and the next waits until as many new ones are
// there as were left, which makes the cost of one handle constant.
// Large tensors do not wait for that many. V8 is told only of those that outlive a collection of its young generation: over its limit of 64 MB
// since its last full collection it marks for 5 to 10 ms each time that it is told of more.
void free_collected_tensors(Napi::Env env, Environment& environment, const Storage& next) {
  const int64_t more = counts_as_external(next) && !next.is_claimed ? static_cast<int64_t>(next.bytes) : 0;
  const auto is_much = [&] { return environment.untold_bytes > 0 && environment.untold_bytes + more > Environment::kUntoldBytes; };
  if (++environment.tensors_since_sweep < environment.next_sweep && !is_much()) return;
  environment.tensors_since_sweep = 0;
  const auto sweep = [&](bool tells) {
    std::vector<TensorHandle*> collected;
    int64_t told = 0;
    environment.tensors.for_each([&](const void* p) {
      Napi::HandleScope scope(env);
      auto* handle = static_cast<TensorHandle*>(const_cast<void*>(p));
      if (handle->is_collected()) collected.push_back(handle);
      else if (tells) told += handle->tell(environment);
    });
    for (TensorHandle* handle : collected) handle->free_collected(env);
    if (told) Napi::MemoryManagement::AdjustExternalMemory(env, told);
  };
  // What a collection of V8's own has taken first: it may be enough, and the buffer should not come on top of it.
  sweep(false);
  if (is_much()) {
    collect_young(env, environment);
    sweep(true);
  }
  environment.next_sweep = std::max<size_t>(Environment::kFirstSweep, environment.tensors.count());
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

TensorRef tensor_of(const Napi::Value& value) {
  auto* handle = static_cast<TensorHandle*>(handle_in(value, &Environment::tensors));
  return handle ? handle->tensor(value.Env()) : nullptr;
}

Napi::Value wrap_tensor(Napi::Env env, TensorRef tensor) {
  free_collected_tensors(env, Environment::of(env), *tensor->storage);
  return construct(env, &Environment::tensor_class, &tensor);
}

void define_handles(Napi::Env env, Napi::Object exports, Environment& environment) {
  environment.tensor_class = Napi::Persistent(TensorHandle::define(env));
  environment.storage_class = Napi::Persistent(StorageHandle::define(env));
  auto define = [&](const char* name, auto callback) { exports.Set(name, Napi::Function::New(env, guarded(callback), name)); };
  define("storageFromBuffer", storage_from_buffer);
  define("tensorOnStorage", tensor_on_storage);
  define("tensorFromBuffer", tensor_from_buffer);
  define("emptyTensor", empty_tensor);
  define("mapFile", map_file);
  define_program_handles(env, exports, environment);
}

}  // namespace torchscript::binding
