// The C++ API (include/torchscript/torchscript.h) on the executor.
#include <cstdio>
#include <cstring>

#include "core/errors.h"
#include "core/isa.h"
#include "core/plan_file.h"
#include "core/thread_pool.h"
#include "include/torchscript/torchscript.h"

namespace torchscript::api {
namespace core = ::torchscript;

struct TensorState {
  Ref<core::Tensor> tensor;
  std::vector<int64_t> sizes;
};
struct ValueState {
  core::Value value;
};
struct ProgramState {
  Ref<core::Program> program;
};

namespace {

std::shared_ptr<TensorState> state_of(Ref<core::Tensor> tensor) {
  auto state = std::make_shared<TensorState>();
  if (!tensor->view.is_contiguous()) {
    auto copy = core::Tensor::empty(tensor->dtype(), tensor->view.sizes, tensor->dim());
    core::KernelRuntime runtime;
    tensor->storage->settle();
    core::copy_views(runtime, copy->view, tensor->view);
    copy->quant = tensor->quant;
    copy->view.quant = tensor->view.quant;
    tensor = std::move(copy);
  }
  state->sizes.assign(tensor->view.sizes, tensor->view.sizes + tensor->dim());
  state->tensor = std::move(tensor);
  return state;
}

std::shared_ptr<ValueState> state_of(core::Value value) {
  auto state = std::make_shared<ValueState>();
  state->value = std::move(value);
  return state;
}

struct StandardSink final : core::OutputSink {
  void print(const std::string& line) override { std::fprintf(stdout, "%s\n", line.c_str()); }
  void warn(const std::string& message) override { std::fprintf(stderr, "%s\n", message.c_str()); }
};
StandardSink standard_sink;

}  // namespace

Tensor::Tensor(DType dtype, const std::vector<int64_t>& sizes)
    : state_(state_of(core::Tensor::empty(static_cast<core::DType>(dtype), sizes.data(), static_cast<int>(sizes.size())))) {}
Tensor Tensor::copy(DType dtype, const std::vector<int64_t>& sizes, const void* elements) {
  Tensor made(dtype, sizes);
  auto bytes = static_cast<size_t>(made.numel() * core::dtype_size(static_cast<core::DType>(dtype)));
  if (bytes) std::memcpy(made.data(), elements, bytes);
  return made;
}
DType Tensor::dtype() const { return static_cast<DType>(state_->tensor->dtype()); }
const std::vector<int64_t>& Tensor::sizes() const { return state_->sizes; }
int64_t Tensor::numel() const { return state_->tensor->numel(); }
void* Tensor::data() const {
  state_->tensor->storage->settle();
  return state_->tensor->view.data;
}
void* Tensor::raw(DType expected) const {
  if (expected != dtype())
    core::fail("Expected elements of %s but the tensor has %s", core::dtype_name(static_cast<core::DType>(expected)),
               core::dtype_name(state_->tensor->dtype()));
  return data();
}

Value::Value() : state_(state_of(core::Value())) {}
Value::Value(Tensor tensor) : state_(state_of(core::Value(tensor.state_->tensor))) {}
Value::Value(bool b) : state_(state_of(core::Value::of_bool(b))) {}
Value::Value(int64_t i) : state_(state_of(core::Value::of_int(i))) {}
Value::Value(double d) : state_(state_of(core::Value::of_float(d))) {}
Value::Value(std::string text) : state_(state_of(core::Value::of_string(std::move(text)))) {}

Value Value::list(const std::vector<Value>& items) {
  auto list = core::make_ref<core::ListValue>();
  for (const Value& item : items) list->items.push_back(item.state_->value);
  return Value(state_of(core::Value(std::move(list))));
}
Value Value::tuple(const std::vector<Value>& items) {
  auto tuple = core::make_ref<core::TupleValue>();
  for (const Value& item : items) tuple->items.push_back(item.state_->value);
  return Value(state_of(core::Value(std::move(tuple))));
}

Value::Kind Value::kind() const {
  switch (state_->value.tag()) {
    case core::Tag::None: return Kind::None;
    case core::Tag::Bool: return Kind::Bool;
    case core::Tag::Int: return Kind::Int;
    case core::Tag::Float: return Kind::Float;
    case core::Tag::String: return Kind::String;
    case core::Tag::Tensor: return Kind::Tensor;
    case core::Tag::List: return Kind::List;
    case core::Tag::Tuple: return Kind::Tuple;
    default: return Kind::Other;
  }
}
Tensor Value::tensor() const { return Tensor(state_of(state_->value.to_tensor_ref())); }
bool Value::boolean() const { return state_->value.to_bool(); }
int64_t Value::integer() const { return state_->value.to_int(); }
double Value::number() const { return state_->value.to_float(); }
std::string Value::string() const { return state_->value.to_string(); }
std::vector<Value> Value::items() const {
  std::vector<Value> all;
  const auto& items = state_->value.is(core::Tag::Tuple) ? state_->value.to_tuple().items : state_->value.to_list().items;
  for (const core::Value& item : items) all.push_back(Value(state_of(item)));
  return all;
}

Program Program::load(const std::string& path) {
  if (!core::isa_error().empty()) throw core::OperatorError(core::isa_error());
  auto state = std::make_shared<ProgramState>();
  state->program = core::load_plan_file(path, &standard_sink);
  return Program(std::move(state));
}

Value Program::run(const std::string& name, const std::vector<Value>& args) const {
  const core::Plan& plan = state_->program->plan();
  const core::Function* function = nullptr;
  std::vector<core::Value> values;
  if (plan.root.is(core::Tag::Object) && plan.root.to_object().type->methods.count(name)) {
    function = &state_->program->method(plan.root, name);
    values.push_back(plan.root);
  } else {
    for (const auto& f : plan.functions)
      if (f->name == name) function = f.get();
  }
  if (!function) core::fail("The program has no function %s", name.c_str());
  for (const Value& arg : args) values.push_back(arg.state_->value);
  const auto& parameters = function->parameters;
  for (size_t i = values.size(); i < parameters.size() && parameters[i].has_default; i++) values.push_back(parameters[i].default_value);
  if (values.size() != parameters.size())
    core::fail("%s() takes %zu arguments but %zu were given", name.c_str(), parameters.size(), values.size());
  for (size_t i = 0; i < values.size(); i++) {
    // Integers stand for floats, as in Python; lists learn their element type.
    if (values[i].is(core::Tag::Int) && parameters[i].type->kind == core::TypeKind::Float)
      values[i] = core::Value::of_float(values[i].to_float());
    if (values[i].is(core::Tag::List) && parameters[i].type->kind == core::TypeKind::List)
      values[i].to_list().element = parameters[i].type->args[0];
    if (!core::value_has_type(values[i], *parameters[i].type)) {
      core::fail("Expected a value of type '%s' for `%s` but received '%s'", parameters[i].type->text().c_str(), parameters[i].name.c_str(),
                 core::tag_name(values[i].tag()));
    }
  }
  return Value(state_of(state_->program->run(*function, values.data(), values.size(), &standard_sink)));
}

std::vector<std::string> Program::functions() const {
  const core::Plan& plan = state_->program->plan();
  std::vector<std::string> names;
  if (plan.root.is(core::Tag::Object))
    for (const auto& [name, index] : plan.root.to_object().type->methods) names.push_back(name);
  else
    for (const auto& f : plan.functions) names.push_back(f->name);
  return names;
}

void set_num_threads(int threads) { core::set_num_threads(threads); }

}  // namespace torchscript::api
