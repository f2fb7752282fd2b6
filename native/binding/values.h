// Values to JavaScript and back.
#pragma once
#include <napi.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "core/value.h"

namespace torchscript::binding {

// Where a value stands, for messages: "`x[0]` (argument 1 of forward)". A chain on the stack, spelt only when something is wrong.
struct Place {
  const Place* parent = nullptr;
  std::string_view name;  // of the argument; below it: a field, or a key when `quoted`
  int64_t index = -1;     // below it: an element
  bool quoted = false;
  std::string_view where;  // of the root: `forward`, or the whole phrase when argument is 0
  size_t argument = 0;

  std::string path() const;
  std::string phrase() const;  // "`x[0]` (argument 1 of forward)"
};

// Converts by declared type; throws an ERR_ARGUMENT error.
Value from_js(Napi::Env env, const Napi::Value& js, const TypeInfo& type, const Program& program, const Place& place, int depth = 0);
// `type` may be null; it names the fields of named tuples.
Napi::Value to_js(Napi::Env env, const Value& value, const TypeInfo* type, const Ref<Program>& program, int depth = 0);

// The arguments of a call, in parameter order: positional ones, then `{ __kwargs__ }`, then defaults.
std::vector<Value> call_arguments(Napi::Env env, const Napi::Array& args, const Function& function, const Program& program);

}  // namespace torchscript::binding
