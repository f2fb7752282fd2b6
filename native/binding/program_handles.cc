// Handles of programs and of TorchScript objects.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/handle_class.h"
#include "binding/handles.h"
#include "binding/sink.h"
#include "binding/snapshot.h"
#include "binding/values.h"
#include "binding/worker.h"
#include "core/device.h"
#include "core/pack_file.h"
#include "core/registry.h"

namespace torchscript::binding {
namespace {

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
      torchscript::Value object = object_of(info.Env(), info[0], *p, "object");
      auto slot = static_cast<size_t>(integer_argument(info, 1, "slot"));
      torchscript::Value value = p->get_attribute(object.to_object(), slot);
      return to_js(info.Env(), value, object.to_object().type->attributes[slot].type, p);
    });
  }
  Napi::Value set_attr(const Napi::CallbackInfo& info) {
    return translated(info, [&]() -> Napi::Value {
      ProgramRef p = program(info.Env());
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
      row.Set("pinnedBytes", static_cast<double>(r.graphs.pinned_bytes));
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

bool is_object_handle(const Napi::Value& value) { return handle_in(value, &Environment::objects) != nullptr; }

Value object_of(Napi::Env env, const Napi::Value& value, const Program& program, const std::string& name) {
  auto* handle = static_cast<ObjectHandle*>(handle_in(value, &Environment::objects));
  if (!handle) throw argument_error(env, "Expected a TorchScript object for `" + name + "` but received " + describe(value) + ".");
  const ObjectPayload& held = handle->held;
  if (held.program.get() != &program)
    throw argument_error(env, "Expected an object of this program for `" + name + "` but received one of another program.");
  return held.object;
}

Napi::Value wrap_object(Napi::Env env, const Value& object, const ProgramRef& program) {
  ObjectPayload payload{object, program};
  return construct(env, &Environment::object_class, &payload);
}

void define_program_handles(Napi::Env env, Napi::Object exports, Environment& environment) {
  environment.program_class = Napi::Persistent(ProgramHandle::define(env));
  environment.object_class = Napi::Persistent(ObjectHandle::define(env));
  exports.Set("loadProgram", Napi::Function::New(env, guarded(load_program), "loadProgram"));
}

}  // namespace torchscript::binding
