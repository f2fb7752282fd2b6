// Equality and order of values as list operators need them.
#pragma once
#include "core/builtins/number.h"
#include "core/value.h"

namespace torchscript::builtins {

bool numbers_equal(const Number& a, const Number& b);
// Numbers by value, containers item by item, anything else by identity.
bool values_equal(const Value& a, const Value& b);
bool sequences_equal(const std::vector<Value>& a, const std::vector<Value>& b);
// Numbers, strings, and lists or tuples of them; throws OperatorError on anything else.
bool value_less(const Value& a, const Value& b);

}  // namespace torchscript::builtins
