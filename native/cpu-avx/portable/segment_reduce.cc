// segment_reduce: sum, mean, product, maximum or minimum of the rows of segments along an axis, given by lengths or by offsets.
#include "cpu-avx/portable/elements.h"

namespace torchscript::portable {
namespace {

// (data, reduce, lengths, indices, offsets, axis, unsafe, initial)
struct Segments {
  int axis;
  bool offsets;
  const TensorView* table;
  int64_t count;
};

Segments segments_of(const Call& call) {
  const TensorView& data = call.tensor(0);
  if (call.optional_tensor(3) != nullptr) fail("segment_reduce(): indices based reduction is not supported yet.");
  Segments s{wrap_dim(call.args[5].i, data.ndim), call.optional_tensor(4) != nullptr, nullptr, 0};
  s.table = s.offsets ? call.optional_tensor(4) : call.optional_tensor(2);
  if (s.table == nullptr) fail("segment_reduce(): Either lengths or offsets must be defined.");
  if (s.table->dtype != DType::I64 && s.table->dtype != DType::I32) fail("segment_reduce(): Expected lengths or offsets to be integers");
  if (s.table->ndim != s.axis + 1) fail("segment_reduce(): Expected the axis to be the last dimension of lengths");
  for (int d = 0; d < s.axis; d++)
    if (s.table->sizes[d] != data.sizes[d])
      fail("segment_reduce(): Expected all dimensions of lengths before the axis to match those of data");
  s.count = s.table->sizes[s.axis] - (s.offsets ? 1 : 0);
  if (s.count < 0) fail("segment_reduce(): Expected at least one offset");
  return s;
}

void infer_segment_reduce(Call& call) {
  const TensorView& data = call.tensor(0);
  const Segments s = segments_of(call);
  int64_t sizes[kMaxDims];
  std::copy(data.sizes, data.sizes + data.ndim, sizes);
  sizes[s.axis] = s.count;
  call.set_output(0, data.dtype, sizes, data.ndim);
}

void run_segment_reduce(Call& call) {
  const TensorView &data = call.tensor(0), &out = call.outputs[0];
  const Segments s = segments_of(call);
  const std::string_view reduce(call.args[1].str.p, static_cast<size_t>(call.args[1].str.n));
  const bool largest = reduce == "max", smallest = reduce == "min", mean = reduce == "mean", product_of = reduce == "prod";
  if (!largest && !smallest && !mean && !product_of && reduce != "sum")
    fail("segment_reduce(): Expected reduce to be one of sum, mean, max, min or prod but got %.*s", static_cast<int>(reduce.size()),
         reduce.data());
  const int64_t *table = dense_int64(call, *s.table), outer = product(data.sizes, 0, s.axis), length = data.sizes[s.axis],
                inner = product(data.sizes, s.axis + 1, data.ndim);
  const Arg& initial = call.args[7];
  dispatch_floating(data.dtype, "segment_reduce", [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T* source = dense<T>(call, data);
    for (int64_t o = 0; o < outer; o++) {
      const int64_t* row = table + o * s.table->sizes[s.axis];
      int64_t begin = 0;
      for (int64_t k = 0; k < s.count; k++) {
        if (s.offsets) begin = row[k];
        const int64_t end = s.offsets ? row[k + 1] : begin + row[k];
        if (begin < 0 || end < begin || end > length)
          fail("segment_reduce(): Expected all rows of lengths along axis to sum to data.size(axis)");
        for (int64_t i = 0; i < inner; i++) {
          const C infinity = std::numeric_limits<C>::infinity();
          C value = initial.is_none() ? (largest      ? -infinity
                                         : smallest   ? infinity
                                         : product_of ? C(1)
                                                      : C(0))
                                      : static_cast<C>(initial.as_double());
          for (int64_t j = begin; j < end; j++) {
            const C v = source[(o * length + j) * inner + i];
            if (largest) value = std::isnan(v) || v > value ? v : value;
            else if (smallest) value = std::isnan(v) || v < value ? v : value;
            else if (product_of) value *= v;
            else value += v;
          }
          if (mean && begin == end && initial.is_none()) value = std::numeric_limits<C>::quiet_NaN();
          else if (mean && end > begin && !std::isnan(value)) value /= static_cast<C>(end - begin);
          out.ptr<T>()[(o * s.count + k) * inner + i] = T(value);
        }
        begin = end;
      }
    }
  });
}

}  // namespace

TS_KERNEL(segment_reduce, {.infer = infer_segment_reduce, .run = run_segment_reduce});

}  // namespace torchscript::portable
