// segment_reduce (runs of lengths along an axis) and hash_tensor (exclusive or of the bits).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu-avx/copy.h"
#include "cpu-avx/reduce_driver.h"

namespace torchscript {
namespace {

// ---- segment_reduce(data, reduce, lengths, indices, offsets, axis, unsafe, initial)
bool is_text(const Arg& arg, const char* text) {
  return arg.kind == ArgKind::String && arg.str.n == static_cast<int64_t>(std::strlen(text)) &&
         std::memcmp(arg.str.p, text, static_cast<size_t>(arg.str.n)) == 0;
}
struct Segments {
  const TensorView* bounds;  // lengths, or offsets of one more entry
  bool lengths;
  int axis;
  int64_t count;
};
Segments segments_of(const Call& call) {
  const TensorView& data = call.tensor(0);
  Segments s;
  s.lengths = call.optional_tensor(2) != nullptr;
  s.bounds = s.lengths ? call.optional_tensor(2) : call.optional_tensor(4);
  if (!s.bounds) fail("segment_reduce(): Either lengths or offsets must be defined.");
  if (call.optional_tensor(3)) fail("segment_reduce(): indices based reduction is not supported yet.");
  s.axis = static_cast<int>(wrap_dim(call.args[5].as_int(), data.ndim));
  if (s.bounds->ndim != s.axis + 1)
    fail("segment_reduce(): Expected lengths or offsets to have %d dimensions but received %d", s.axis + 1, s.bounds->ndim);
  for (int d = 0; d < s.axis; d++)
    if (s.bounds->sizes[d] != data.sizes[d]) fail("segment_reduce(): Expected lengths or offsets to agree with data before the axis");
  s.count = s.bounds->sizes[s.axis] - (s.lengths ? 0 : 1);
  if (s.count < 0) fail("segment_reduce(): Expected at least one offset but received none");
  return s;
}
void infer_segments(Call& call) {
  const TensorView& data = call.tensor(0);
  if (!is_floating(data.dtype))
    fail_as("NotImplementedError", "\"segment_reduce_cpu\" not implemented for '%s'", dtype_torch_name(data.dtype));
  const Segments s = segments_of(call);
  int64_t sizes[kMaxDims];
  std::copy(data.sizes, data.sizes + data.ndim, sizes);
  sizes[s.axis] = s.count;
  call.set_output(0, data.dtype, sizes, data.ndim);
}
void run_segments(Call& call) {
  const TensorView &data = call.tensor(0), &out = call.outputs[0];
  const Segments s = segments_of(call);
  const auto dense = [&](const TensorView& like, const TensorView& from, DType dtype) {
    TensorView view;
    view.dtype = dtype;
    format_strides(view, like, kContiguousFormat);
    view.data = call.runtime->scratch(static_cast<size_t>(view.numel() + 1) * 8);
    if (from.data) copy_strided(view, from, call.runtime);
    return view;
  };
  const double* x = dense(data, data, DType::F64).ptr<double>();
  const int64_t* bounds = dense(*s.bounds, *s.bounds, DType::I64).ptr<int64_t>();
  TensorView nothing;
  const TensorView result = dense(out, nothing, DType::F64);
  double* y = result.ptr<double>();
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < s.axis; d++) outer *= data.sizes[d];
  for (int d = s.axis + 1; d < data.ndim; d++) inner *= data.sizes[d];
  const int64_t n = data.sizes[s.axis];
  const Arg& reduce = call.args[1];
  const bool maximum = is_text(reduce, "max"), minimum = is_text(reduce, "min"), mean = is_text(reduce, "mean"),
             product = is_text(reduce, "prod");
  if (!maximum && !minimum && !mean && !product && !is_text(reduce, "sum"))
    fail("unsupported reduction '%.*s'", static_cast<int>(reduce.str.n), reduce.str.p);
  const bool given = call.nargs > 7 && call.args[7].is_number();
  const double inf = std::numeric_limits<double>::infinity();
  const double initial = given ? call.args[7].as_double() : maximum ? -inf : minimum ? inf : product ? 1 : 0;
  for (int64_t o = 0; o < outer; o++) {
    int64_t at = 0;
    for (int64_t k = 0; k < s.count; k++) {
      const int64_t* b = bounds + o * s.bounds->sizes[s.axis] + k;
      const int64_t begin = s.lengths ? at : b[0], end = s.lengths ? at + b[0] : b[1];
      if (begin < 0 || end < begin || end > n)
        fail("segment_reduce(): Expected segments within the %lld elements of the axis but received [%lld, %lld)",
             static_cast<long long>(n), static_cast<long long>(begin), static_cast<long long>(end));
      at = end;
      for (int64_t j = 0; j < inner; j++) {
        double acc = initial;
        for (int64_t i = begin; i < end; i++) {
          const double v = x[(o * n + i) * inner + j];
          if (maximum) acc = std::isnan(acc) || acc > v ? acc : v;
          else if (minimum) acc = std::isnan(acc) || acc < v ? acc : v;
          else if (product) acc *= v;
          else acc += v;
        }
        if (mean) acc = end == begin ? (given ? acc : std::nan("")) : acc / static_cast<double>(end - begin);
        y[(o * s.count + k) * inner + j] = acc;
      }
    }
  }
  copy_strided(out, result, call.runtime);
}
TS_KERNEL(segment_reduce, {.infer = infer_segments, .run = run_segments});

// ---- hash_tensor(self, dim, keepdim, mode): floats as the bits of float64, integers as int64
TS_KERNEL(hash_tensor, {.infer =
                          [](Call& call) {
                            const DType t = call.tensor(0).dtype;
                            if (is_complex(t))
                              fail_as("NotImplementedError", "\"xor_sum_cpu\" not implemented for '%s'", dtype_torch_name(t));
                            if (call.nargs > 3 && call.args[3].as_int() != 0)
                              fail("Unknown hash_tensor mode: %lld", static_cast<long long>(call.args[3].as_int()));
                            set_reduced_output(call, 0, DType::U64, call.tensor(0), reduced_dims(call.args[1], call.tensor(0).ndim),
                                               call.args[2].as_int() != 0);
                          },
                        .run =
                          [](Call& call) {
                            const TensorView& self = call.tensor(0);
                            const ReducedDims dims = reduced_dims(call.args[1], self.ndim);
                            TensorView wide;
                            wide.dtype = is_floating(self.dtype) ? DType::F64 : DType::I64;
                            format_strides(wide, self, kContiguousFormat);
                            const int64_t n = wide.numel();
                            wide.data = call.runtime->scratch(static_cast<size_t>(n + 1) * 8);
                            copy_strided(wide, self, call.runtime);
                            uint64_t* out = call.outputs[0].ptr<uint64_t>();
                            std::fill(out, out + call.outputs[0].numel(), 0);
                            for (int64_t i = 0; i < n; i++) {
                              int64_t rest = i, to = 0, stride = 1;
                              for (int d = self.ndim - 1; d >= 0; d--) {
                                if (!dims.reduced[d]) {
                                  to += rest % self.sizes[d] * stride;
                                  stride *= self.sizes[d];
                                }
                                rest /= self.sizes[d];
                              }
                              out[to] ^= wide.ptr<uint64_t>()[i];
                            }
                          }});

}  // namespace
}  // namespace torchscript
