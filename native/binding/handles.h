// The objects that JavaScript holds: tensors, storages, programs and TorchScript objects.
#pragma once
#include <napi.h>

#include "core/program.h"
#include "core/tensor.h"

namespace torchscript::binding {

struct Environment;

void define_handles(Napi::Env env, Napi::Object exports, Environment& environment);
// The part of it that program_handles.cc has.
void define_program_handles(Napi::Env env, Napi::Object exports, Environment& environment);

bool is_tensor(const Napi::Value& value);
bool is_object_handle(const Napi::Value& value);
// Throws when the tensor has been disposed of.
Ref<Tensor> tensor_of(const Napi::Value& value);
// Throws when the object belongs to another program.
Value object_of(Napi::Env env, const Napi::Value& value, const Program& program, const std::string& name);
Napi::Value wrap_tensor(Napi::Env env, Ref<Tensor> tensor);
// The mapped file that an ArrayBuffer with this memory shows, if it shows one.
std::shared_ptr<FileMapping> mapping_at(void* data);
// Has a storage keep the ArrayBuffer that it lies in.
void pin_storage(Napi::Env env, Storage& storage, napi_value buffer, size_t offset);
Napi::Value wrap_object(Napi::Env env, const Value& object, const Ref<Program>& program);

}  // namespace torchscript::binding
