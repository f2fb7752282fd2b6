// Reductions of a device's tensors by the kernels of reduce.cu.
#pragma once
#include "cpu-avx/reduce_driver.h"
#include "cuda/kernels/params_reduce.h"
#include "cuda/rows.h"

namespace torchscript::cuda {

// What a fold of real or whole numbers becomes.
class Reduction {
 public:
  Reduction(Call& call, const TensorView& x, const ReducedDims& dims) : call_(call), x_(x), dims_(dims), element_(element_of(x.dtype)) {
    for (int d = 0; d < x.ndim; d++) {
      if (dims.reduced[d]) count_ *= x.sizes[d];
      else outputs_ *= x.sizes[d];
    }
  }
  int64_t count() const { return count_; }
  DType accumulator(ReduceOp op) const {
    const Element e = op == kReduceNonZero ? Element::I64 : element_;
    return e == Element::I64 ? DType::I64 : e == Element::F64 ? DType::F64 : DType::F32;
  }
  int64_t accumulators_bytes() const { return std::max<int64_t>(1, outputs_) * 8; }

  struct Finish {
    ReduceFinish what = kFinishNone;
    double number = 0;
    int64_t count = 0;
    double exponent = 0;
    const void* param = nullptr;
  };
  // Into an output of the call, into a window shaped as one, or into dense accumulators at `to`.
  void into(int output, ReduceOp op, Finish finish) const { run(&call_.outputs[output], nullptr, op, finish); }
  void into_view(const TensorView& out, ReduceOp op, Finish finish) const { run(&out, nullptr, op, finish); }
  void into_memory(void* to, ReduceOp op, Finish finish) const { run(nullptr, to, op, finish); }

 private:
  static ReduceOp joining(ReduceOp op) {
    switch (op) {
      case kReduceProd: return kReduceProd;
      case kReduceXor: return kReduceXor;
      case kReduceMax:
      case kReduceAbsMax: return kReduceMax;
      case kReduceMin:
      case kReduceAbsMin: return kReduceMin;
      default: return kReduceSum;
    }
  }

  void run(const TensorView* out, void* to, ReduceOp op, Finish finish) const {
    if (outputs_ == 0) return;
    const DType acc = accumulator(op);
    ReduceParams p;
    p.x = x_.data;
    p.x_dtype = static_cast<int32_t>(x_.dtype);
    p.out = out ? out->data : to;
    p.out_dtype = static_cast<int32_t>(out ? out->dtype : acc);
    p.op = op;
    p.finish = finish.what;
    p.number = finish.number;
    p.count = finish.count;
    p.exponent = finish.exponent;
    p.param = finish.param;
    // Kept and reduced dimensions; the outputs' strides are those of the tensor with or without the reduced dimensions.
    int64_t sizes[kMaxDims], of_out[kMaxDims], of_dense[kMaxDims], of_x[kMaxDims], gone_sizes[kMaxDims], gone_strides[kMaxDims];
    int kept = 0, gone = 0, place = 0;
    const bool keepdim = out && out->ndim == x_.ndim;
    for (int d = 0; d < x_.ndim; d++) {
      if (dims_.reduced[d]) {
        gone_sizes[gone] = x_.sizes[d];
        gone_strides[gone++] = x_.strides[d];
        if (keepdim) place++;
        continue;
      }
      sizes[kept] = x_.sizes[d];
      of_x[kept] = x_.strides[d];
      of_out[kept++] = out ? out->strides[place] : 0;
      place++;
    }
    int64_t stride = 1;
    for (int d = kept - 1; d >= 0; d--) {
      of_dense[d] = stride;
      stride *= std::max<int64_t>(1, sizes[d]);
    }
    const int64_t* kept_strides[] = {out ? of_out : of_dense, of_dense, of_x};
    const int64_t* reduced_strides[] = {gone_strides};
    if (!build_loop(p.kept, sizes, kept, kept_strides, 3) || !build_loop(p.gone, gone_sizes, gone, reduced_strides, 1))
      fail("A reduction of 2^31 elements or more to one is not supported on CUDA");
    const int64_t n = p.gone.n;
    const bool strided = p.gone.ndim > 0 && p.gone.strides[0][0] != 1 && p.kept.ndim > 0 && p.kept.strides[0][2] == 1 && outputs_ >= 32;
    Groups g = groups_for(outputs_, n, strided);
    const char* kernel = acc == DType::I64 ? "reduce_i64" : acc == DType::F64 ? "reduce_f64" : "reduce_f32";
    // Enough blocks for the device: several on one output.
    const int64_t blocks = grid_for(x_.device, int64_t{1} << 30, 256);
    const int64_t piece = g.block.x == 1 ? 64 : 4096;
    const int64_t parts = g.grid.x * 2 > blocks ? 1 : std::min<int64_t>({(n + piece - 1) / piece, blocks / g.grid.x, 1024});
    if (parts <= 1) return launch(x_.device, call_.runtime, kernel, g.grid, g.block, 0, p);

    const Scratch partial(x_.device, static_cast<size_t>(parts * outputs_ * 8));
    ReduceParams first = p;
    first.out = partial.ptr<void>();
    first.out_dtype = static_cast<int32_t>(acc);
    first.finish = kFinishNone;
    first.parts = static_cast<int32_t>(parts);
    first.part_stride = outputs_;
    for (int d = 0; d < first.kept.ndim; d++) first.kept.strides[d][0] = first.kept.strides[d][1];
    g.grid.y = static_cast<unsigned>(parts);
    launch(x_.device, call_.runtime, kernel, g.grid, g.block, 0, first);
    ReduceParams second = p;
    second.x = partial.ptr<void>();
    second.x_dtype = static_cast<int32_t>(acc);
    second.op = joining(op);
    for (int d = 0; d < second.kept.ndim; d++) second.kept.strides[d][2] = second.kept.strides[d][1];
    second.gone.n = static_cast<uint32_t>(parts);
    second.gone.ndim = 1;
    second.gone.sizes[0] = divider_of(static_cast<uint32_t>(parts));
    second.gone.strides[0][0] = outputs_;
    g = groups_for(outputs_, parts, outputs_ >= 32);
    launch(x_.device, call_.runtime, kernel, g.grid, g.block, 0, second);
  }

  Call& call_;
  const TensorView& x_;
  const ReducedDims& dims_;
  Element element_;
  int64_t outputs_ = 1, count_ = 1;
};

// self in the dtype that the reduction is of.
class Operand {
 public:
  Operand(Call& call, DType dtype) : view_(call.tensor(0)) {
    if (view_.dtype == dtype) return;
    dense_.emplace(view_, dtype, call.runtime);
    view_ = dense_->view();
  }
  const TensorView& view() const { return view_; }

 private:
  TensorView view_;
  std::optional<DenseInput> dense_;
};

// ---- complex tensors: as real ones where parts fold by themselves (reduce_complex.cc)

// The real or the imaginary parts of a complex tensor.
inline TensorView part_of(const TensorView& t, int part) {
  TensorView v = t;
  v.dtype = t.dtype == DType::C128 ? DType::F64 : DType::F32;
  v.data = static_cast<char*>(t.data) + part * dtype_size(v.dtype);
  for (int d = 0; d < v.ndim; d++) v.strides[d] *= 2;
  return v;
}
inline bool is_wide_complex(DType t) { return t == DType::C64 || t == DType::C128; }

// Output 0 is the sum or the product; `mean`: the sum divided by the number of elements.
void reduce_complex_sum(Call& call, const TensorView& self, const ReducedDims& dims, bool product, bool mean);
// Magnitudes without gaps, or 1 where an element is not zero.
class ComplexSizes {
 public:
  ComplexSizes(const TensorView& self, bool truth, Runtime* runtime);
  const TensorView& view() const { return view_; }

 private:
  Scratch memory_;
  TensorView view_;
};
// Outputs: the variance, or its root, and the mean where asked for.
void reduce_complex_variance(Call& call, const ReducedDims& dims, double less, bool root);
void reduce_complex_logsumexp(Call& call, const ReducedDims& dims);
// cumsum, or cumprod.
void scan_complex(Call& call, bool product);

}  // namespace torchscript::cuda
