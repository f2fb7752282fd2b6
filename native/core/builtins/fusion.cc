// Whether a fused group can run as one kernel, which depends on what its arguments are, not on data.
#include "core/builtins/adapter.h"
#include "core/invoke.h"
#include "core/registry.h"

namespace torchscript::builtins {
namespace {

// fusion_fits(program, inputs...)
void fusion_fits(Context&, Value* args, int nargs, Value* results, int) {
  const Kernel* row = on_accelerator(args, nargs) ? find_cuda_kernel("fused_pointwise") : find_kernel("fused_pointwise");
  bool fits = row != nullptr && row->accepts != nullptr;
  if (fits) {
    try {
      ArgList list;
      list.set(args, nargs);
      Call call;
      call.args = list.data();
      call.nargs = nargs;
      call.noutputs = -1;
      fits = row->accepts(call);
    } catch (const OperatorError&) {
      fits = false;
    }
  }
  results[0] = Value::of_bool(fits);
}

Builtins rows{{"torchscript::fusion_fits", fusion_fits}};

}  // namespace
}  // namespace torchscript::builtins
