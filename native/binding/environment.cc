#include "binding/environment.h"

#include "binding/handles.h"
#include "binding/worker.h"
#include "core/isa.h"

namespace torchscript::binding {

void BufferReferences::release(napi_ref reference) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  if (std::this_thread::get_id() == thread_) {
    napi_delete_reference(env_, reference);
    return;
  }
  waiting_.push_back(reference);
  has_waiting_.store(true, std::memory_order_release);
}

void BufferReferences::drain() {
  if (!has_waiting_.load(std::memory_order_acquire)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  for (napi_ref reference : waiting_) napi_delete_reference(env_, reference);
  waiting_.clear();
  has_waiting_.store(false, std::memory_order_release);
}

void BufferReferences::close() {
  drain();
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

Environment::Environment(Napi::Env env) : buffers(std::make_shared<BufferReferences>(env)) {
  map_class = Napi::Persistent(env.Global().Get("Map").As<Napi::Function>());
  array_buffer_class = Napi::Persistent(env.Global().Get("ArrayBuffer").As<Napi::Function>());
}

Environment::~Environment() {
  if (port) close_port(*port);
  buffers->close();
  small_results.forget();
  // The environment deletes what references are left with itself.
  for (Napi::FunctionReference* f :
       {&tensor_class, &storage_class, &program_class, &object_class, &map_class, &array_buffer_class, &print_handler,
        &warn_handler})
    f->SuppressDestruct();
}

std::string describe(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "the number " + value.As<Napi::Number>().ToString().Utf8Value();
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "the bigint " + value.ToString().Utf8Value();
    case napi_external: return "an external value";
    case napi_object: break;
  }
  if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
  if (value.IsTypedArray()) return "a typed array";
  if (value.IsArrayBuffer()) return "an ArrayBuffer";
  if (is_tensor(value)) return "a Tensor";
  if (is_object_handle(value)) return "a TorchScript object";
  if (value.IsPromise()) return "a Promise";
  return "an object";
}

namespace {

Napi::Error coded(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

}  // namespace

Napi::Error argument_error(Napi::Env env, const std::string& message) { return coded(env, "ERR_ARGUMENT", message); }

Napi::Error to_js_error(Napi::Env env, std::exception_ptr error) {
  auto script = [&](const std::string& message, const std::string& python_class, const std::string& stack, bool from_operator) {
    std::string text = message;
    // PyTorch prints RuntimeError for whatever operators throw, and the class of a raise statement.
    if (!stack.empty()) {
      text = "The following operation failed in the TorchScript interpreter.\n" + stack + (from_operator ? "RuntimeError" : python_class) +
             ": " + message;
    }
    Napi::Error e = coded(env, "ERR_SCRIPT", text);
    e.Set("pythonType", Napi::String::New(env, python_class));
    e.Set("scriptMessage", Napi::String::New(env, message));
    e.Set("scriptStack", Napi::String::New(env, stack));
    return e;
  };
  try {
    std::rethrow_exception(error);
  } catch (const ScriptError& e) {
    return script(e.what(), e.python_class, e.stack, e.from_operator);
  } catch (const OperatorError& e) {
    return script(e.what(), e.python_class, "", true);
  } catch (const UnsupportedOperator& e) {
    return coded(env, "ERR_UNSUPPORTED", e.what());
  } catch (const LocatedUnsupported& e) {
    Napi::Error js = coded(env, "ERR_UNSUPPORTED", e.what());
    js.Set("scriptStack", Napi::String::New(env, e.stack));
    return js;
  } catch (const PlanError& e) {
    return coded(env, "ERR_PLAN", e.what());
  } catch (const std::bad_alloc&) {
    return script("Out of memory", "MemoryError", "", true);
  } catch (const std::exception& e) {
    return script(e.what(), "RuntimeError", "", true);
  }
}

void require_isa(Napi::Env env) {
  if (!isa_error().empty()) throw argument_error(env, isa_error());
}

}  // namespace torchscript::binding
