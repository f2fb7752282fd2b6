// Python's index rules, shared by lists and strings.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace torchscript::builtins {

// A list index counted from the end when negative; "list index out of range" otherwise.
int64_t wrap_list_index(int64_t index, size_t size);
// The positions that `[start:end:step]` selects; `what` begins the message for a step of zero.
std::vector<int64_t> slice_positions(int64_t size, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step,
                                     const char* what);

}  // namespace torchscript::builtins
