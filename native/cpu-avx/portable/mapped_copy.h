// Copies whose output position maps, dimension by dimension, to an input position or to a fill value: roll, flip, repeat, pads, nearest resize.
#pragma once
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {

// maps[d][i] is the input index along d of output index i, or -1 for the fill value. `fill` points at one element (null: no -1 occurs).
using IndexMaps = std::vector<std::vector<int64_t>>;
std::vector<int64_t> identity_map(int64_t n);
// out is contiguous and has the sizes of the maps; `in` may be strided.
void mapped_copy(Call& call, const TensorView& in, const TensorView& out, const IndexMaps& maps, const void* fill);

}  // namespace torchscript::portable
