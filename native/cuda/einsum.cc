// einsum on the device: operands are contracted from left to right by matrix products, as cpu-avx/matmul_einsum.cc does it.
#include "cpu-avx/einsum_equation.h"

#include <list>

#include "cpu-avx/create.h"
#include "cuda/gemm.h"
#include "cuda/rows.h"

namespace torchscript::cuda {

using namespace einsum;

namespace {

// Tensors that are made on the way.
class Contraction {
 public:
  Contraction(Call& call, const Equation& e) : call_(call), e_(e) {}

  Labelled operand(size_t i) const { return label(*call_.args[1].tensors.p[i], e_.operands[i], e_); }

  // Sums the labels that `needed` does not say: a product with a column of ones, which is one number.
  Labelled sum_unneeded(const Labelled& t, const bool* needed) {
    std::vector<int> kept, gone;
    for (const int l : t.labels) (needed[l] ? kept : gone).push_back(l);
    if (gone.empty()) return t;
    const TensorView x = matrix(t, {&kept}, {&gone}, {});
    TensorView one = make(x.dtype, 1);
    one.ndim = 1, one.sizes[0] = one.strides[0] = 1;
    Arg number;
    number.kind = ArgKind::Int;
    number.i = 1;
    uint64_t element[2] = {};
    write_element(number, x.dtype, element);
    fill_dense(one, element, call_.runtime);
    one.ndim = 3;
    one.sizes[0] = 1, one.sizes[1] = x.sizes[2], one.sizes[2] = 1;
    one.strides[0] = one.strides[1] = one.strides[2] = 0;
    return multiplied(x, one, kept);
  }

  Labelled contract(const Labelled& x, const Labelled& y, const bool* needed) {
    std::vector<int> batch, rows, columns, summed;
    for (const int l : x.labels) (has(y, l) ? (needed[l] ? batch : summed) : rows).push_back(l);
    for (const int l : y.labels)
      if (!has(x, l)) columns.push_back(l);
    const TensorView left = matrix(x, {&batch}, {&rows}, {&summed});
    TensorView right = matrix(y, {&batch}, {&columns}, {&summed});
    std::swap(right.sizes[1], right.sizes[2]);
    std::swap(right.strides[1], right.strides[2]);
    std::vector<int> labels = batch;
    labels.insert(labels.end(), rows.begin(), rows.end());
    labels.insert(labels.end(), columns.begin(), columns.end());
    return multiplied(left, right, labels);
  }

 private:
  using Parts = std::initializer_list<const std::vector<int>*>;

  TensorView make(DType dtype, int64_t elements) {
    memory_.emplace_back(call_.outputs[0].device, static_cast<size_t>(std::max<int64_t>(1, elements) * dtype_size(dtype)));
    TensorView v;
    v.data = memory_.back().ptr<void>();
    v.dtype = dtype;
    v.device = call_.outputs[0].device;
    return v;
  }
  // [batch, rows, columns] with these labels, without gaps, in the dtype of the result.
  TensorView matrix(const Labelled& t, Parts batch, Parts rows, Parts columns) {
    std::vector<int> order;
    int64_t sizes[3] = {1, 1, 1};
    const Parts parts[] = {batch, rows, columns};
    for (int d = 0; d < 3; d++) {
      for (const auto* labels : parts[d]) {
        order.insert(order.end(), labels->begin(), labels->end());
        sizes[d] *= product_of(e_, *labels);
      }
    }
    // Of a sum the columns come last.
    if (columns.size() == 0) sizes[2] = sizes[1], sizes[1] = sizes[0], sizes[0] = 1;
    dense_.emplace_back(ordered(t, order), call_.outputs[0].dtype, call_.runtime);
    TensorView v = dense_.back().view();
    v.ndim = 3;
    for (int d = 0; d < 3; d++) v.sizes[d] = sizes[d];
    v.strides[0] = sizes[1] * sizes[2], v.strides[1] = sizes[2], v.strides[2] = 1;
    return v;
  }
  Labelled multiplied(const TensorView& x, const TensorView& y, const std::vector<int>& labels) {
    Product p;
    p.a = x;
    p.b = y;
    p.c = make(x.dtype, x.sizes[0] * x.sizes[1] * y.sizes[2]);
    p.c.ndim = 3;
    p.c.sizes[0] = x.sizes[0], p.c.sizes[1] = x.sizes[1], p.c.sizes[2] = y.sizes[2];
    p.c.strides[0] = x.sizes[1] * y.sizes[2], p.c.strides[1] = y.sizes[2], p.c.strides[2] = 1;
    run_product(call_.runtime, p);
    Labelled result;
    result.labels = labels;
    result.view = p.c;
    result.view.ndim = static_cast<int>(labels.size());
    int64_t stride = 1;
    for (int d = result.view.ndim - 1; d >= 0; d--) {
      result.view.sizes[d] = e_.sizes[labels[static_cast<size_t>(d)]];
      result.view.strides[d] = stride;
      stride *= std::max<int64_t>(1, result.view.sizes[d]);
    }
    return result;
  }

  Call& call_;
  const Equation& e_;
  std::list<Scratch> memory_;
  std::list<DenseInput> dense_;
};

void run_einsum(Call& call) {
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  const Equation e = parse_equation(call);
  Contraction c(call, e);
  const Labelled result = contract_all(
    e, [&](size_t i) { return c.operand(i); }, [&](const Labelled& t, const bool* needed) { return c.sum_unneeded(t, needed); },
    [&](const Labelled& x, const Labelled& y, const bool* needed) { return c.contract(x, y, needed); });
  copy_strided(out, as_output(result, e.output, out), call.runtime);
}
bool takes(const Call& call) {
  const Arg& list = call.args[1];
  if (list.kind != ArgKind::TensorList) return false;
  for (int64_t i = 0; i < list.tensors.n; i++)
    if (!list.tensors.p[i] || !plain_product_takes(list.tensors.p[i]->dtype)) return false;
  return true;
}
TS_CUDA_KERNEL(einsum, {.run = run_einsum, .accepts = takes});

}  // namespace
}  // namespace torchscript::cuda
