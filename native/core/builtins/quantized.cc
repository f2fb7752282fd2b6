// Operators on packed quantized parameters. A packed object is an ObjectValue whose payload is a tuple; next to the quantized weight it keeps
// the weight's integers less their zero point as floats, so that products run on the float kernels: sums of integers below 2^24 are exact in
// float, and scaled once at the end.
#include "core/device.h"
#include "core/builtins/adapter.h"
#include "core/builtins/custom_object.h"
#include "core/invoke.h"
#include "core/registry.h"

namespace torchscript {
namespace {

using builtins::make_custom_object;
using builtins::make_list;
using builtins::make_tuple_value;

constexpr const char* kLinear = "__torch__.torch.classes.quantized.LinearPackedParamsBase";
constexpr const char* kConv2d = "__torch__.torch.classes.quantized.Conv2dPackedParamsBase";
constexpr const char* kConv3d = "__torch__.torch.classes.quantized.Conv3dPackedParamsBase";
constexpr const char* kEmbedding = "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase";
constexpr const char* kCell = "__torch__.torch.classes.rnn.CellParamsBase";

const std::vector<Value>& items_of(const Value& packed, size_t count, const char* what) {
  const Value& payload = packed.to_object().payload;
  if (!payload.is(Tag::Tuple) || payload.to_tuple().items.size() != count) fail("Expected %s but received another packed object", what);
  return payload.to_tuple().items;
}

// A weight is worth packing by the kernels that use it.
Value as_weight(const Value& tensor) {
  tensor.to_tensor().storage->is_weight = true;
  return tensor;
}

Value float_weight(Context& context, const Value& weight) {
  return as_weight(is_quantized(weight.to_tensor().dtype()) ? context.call_kernel("dequantize", {weight}) : weight);
}

// The weight's integers less their zero point, and its scales (one, or one for each output channel).
Value centered_weight(Context& context, const Value& weight) { return as_weight(context.call_kernel("quantized_centered", {weight})); }

Value scales_of(const Value& weight) {
  const Tensor& t = weight.to_tensor();
  if (t.view.quant == nullptr) fail("Expected a weight with quantization parameters");
  const QuantParams& q = *t.view.quant;
  const bool channels = q.scheme != QuantParams::Scheme::PerTensorAffine;
  const int64_t n = channels ? t.size(static_cast<int>(q.axis)) : 1;
  auto scales = Tensor::empty(DType::F64, &n, 1);
  for (int64_t i = 0; i < n; i++) scales->view.ptr<double>()[i] = channels ? q.scales[i] : q.scale;
  return as_weight(Value(std::move(scales)));
}

double input_scale(const Value& x) {
  const QuantParams* q = x.to_tensor().view.quant;
  if (q == nullptr || q->scheme != QuantParams::Scheme::PerTensorAffine) fail("Expected an input quantized per tensor");
  return q->scale;
}

// Whether the tensor is on a device that has the fused row for these arguments.
bool device_takes(const char* row, const Value* args, int nargs) {
  if (args[0].to_tensor().device() == kCpuDevice) return false;
  const Kernel* kernel = find_cuda_kernel(row);
  if (!kernel || !kernel->accepts) return false;
  ArgList list;
  list.set(args, nargs);
  Call call;
  call.args = list.data();
  call.nargs = nargs;
  return kernel->accepts(call);
}

// ---- linear: (weight, bias, centered or half-precision weight, scales or None for half precision)
enum { kLinearWeight, kLinearBias, kLinearCentered, kLinearScales, kLinearItems };

Value linear_payload(Context& context, const Value& weight, const Value& bias) {
  const bool half = !is_quantized(weight.to_tensor().dtype());
  return Value(
    make_tuple_value({as_weight(weight), bias, half ? as_weight(weight) : centered_weight(context, weight), half ? Value() : scales_of(weight)}));
}

void linear_prepack(Context& context, Value* args, int nargs, Value* results, int) {
  if (!is_quantized(args[0].to_tensor().dtype()))
    fail("quantized::linear_prepack: Expected a quantized weight but received %s", dtype_torch_name(args[0].to_tensor().dtype()));
  results[0] = make_custom_object(kLinear, linear_payload(context, args[0], nargs > 1 ? args[1] : Value()));
}

// Half-precision weights keep their rounded values.
void linear_prepack_fp16(Context& context, Value* args, int nargs, Value* results, int) {
  const Tensor& weight = args[0].to_tensor();
  auto half = Tensor::empty(DType::F16, weight.view.sizes, weight.dim());
  auto rounded = Tensor::empty(DType::F32, weight.view.sizes, weight.dim());
  context.copy_into(*half, weight);
  context.copy_into(*rounded, *half);
  results[0] = make_custom_object(kLinear, linear_payload(context, Value(rounded), nargs > 1 ? args[1] : Value()));
}

void linear_unpack(Context&, Value* args, int, Value* results, int nresults) {
  const auto& items = items_of(args[0], kLinearItems, "packed linear parameters");
  results[0] = items[kLinearWeight];
  if (nresults > 1) results[1] = items[kLinearBias];
}

// Methods give the pair as one tuple.
template <BuiltinFn unpack> void unpack_method(Context& context, Value* args, int nargs, Value* results, int) {
  Value pair[2];
  unpack(context, args, nargs, pair, 2);
  results[0] = Value(make_tuple_value({pair[0], pair[1]}));
}

void linear_set_state(Context& context, Value* args, int, Value*, int) {
  const auto& state = args[1].to_tuple().items;
  if (state.size() != 2) fail("LinearPackedParamsBase: Expected a state of weight and bias");
  args[0].to_object().payload = linear_payload(context, state[0], state[1]);
}

void linear_get_state(Context&, Value* args, int, Value* results, int) {
  const auto& items = items_of(args[0], kLinearItems, "packed linear parameters");
  results[0] = Value(make_tuple_value({items[kLinearWeight], items[kLinearBias]}));
}

Value requantize(Context& context, const Value& sums, const Value& scales, const Value& bias, double input, int64_t axis,
                 const Value& scale, const Value& zero_point, DType dtype, bool relu) {
  return context.call_kernel("requantize_sums", {sums, scales, bias, Value::of_float(input), Value::of_int(axis), scale, zero_point,
                                                 Value::of_int(static_cast<int64_t>(dtype)), Value::of_bool(relu)});
}

DType quantized_dtype(const Value& tensor, const char* name) {
  const DType dtype = tensor.to_tensor().dtype();
  if (!is_quantized(dtype)) fail("%s: Expected a quantized input but received %s", name, dtype_torch_name(dtype));
  return dtype;
}

template <bool relu> void linear(Context& context, Value* args, int, Value* results, int) {
  const auto& items = items_of(args[1], kLinearItems, "packed linear parameters");
  const DType dtype = quantized_dtype(args[0], "quantized::linear");
  if (items[kLinearScales].is_none()) fail("quantized::linear: Expected a weight of 8 bits");
  const Value fused[] = {args[0], items[kLinearWeight], items[kLinearBias], args[2], args[3], Value::of_int(static_cast<int64_t>(dtype)), Value::of_bool(relu)};
  if (device_takes("quantized_linear", fused, 7)) {
    results[0] = context.call_kernel_n("quantized_linear", fused, 7, 1)[0];
    return;
  }
  const Value sums = context.call_kernel("linear", {context.call_kernel("quantized_centered", {args[0]}), items[kLinearCentered], Value()});
  results[0] = requantize(context, sums, items[kLinearScales], items[kLinearBias], input_scale(args[0]), -1, args[2], args[3], dtype, relu);
}

Value dynamic_linear(Context& context, const Value& x, const Value& packed, bool reduce_range) {
  const auto& items = items_of(packed, kLinearItems, "packed linear parameters");
  if (items[kLinearScales].is_none()) return context.call_kernel("linear", {x, items[kLinearCentered], items[kLinearBias]});
  const Value sums = context.call_kernel(
    "linear", {context.call_kernel("fake_quantize_dynamic", {x, Value::of_bool(reduce_range)}), items[kLinearCentered], Value()});
  return context.call_kernel("scale_sums", {sums, items[kLinearScales], items[kLinearBias], Value::of_float(1), Value::of_int(-1)});
}

template <bool relu> void linear_dynamic(Context& context, Value* args, int nargs, Value* results, int) {
  results[0] = dynamic_linear(context, args[0], args[1], nargs > 2 && args[2].to_bool());
  if (relu) results[0] = context.call_kernel("relu", {results[0]});
}

// ---- convolutions: (weight, bias, centered weight, scales, stride, padding, dilation, output padding, groups, transposed)
enum {
  kConvWeight,
  kConvBias,
  kConvCentered,
  kConvScales,
  kConvStride,
  kConvPadding,
  kConvDilation,
  kConvOutputPadding,
  kConvGroups,
  kConvTransposed,
  kConvItems
};

Value conv_payload(Context& context, const Value& weight, const Value& bias, Value stride, Value padding, Value dilation,
                   Value output_padding, int64_t groups, bool transposed) {
  if (!is_quantized(weight.to_tensor().dtype()))
    fail("quantized::conv_prepack: Expected a quantized weight but received %s", dtype_torch_name(weight.to_tensor().dtype()));
  return Value(make_tuple_value({as_weight(weight), bias, centered_weight(context, weight), scales_of(weight), std::move(stride), std::move(padding),
                                 std::move(dilation), std::move(output_padding), Value::of_int(groups), Value::of_bool(transposed)}));
}

template <int spatial> constexpr const char* conv_class() { return spatial == 3 ? kConv3d : kConv2d; }

// One-dimensional parameters are kept as two-dimensional ones of height 1.
Value widened(const Value& list, int64_t first) {
  std::vector<int64_t> values = list.to_ints();
  if (values.size() == 1) values.insert(values.begin(), first);
  return Value::of_ints(values);
}

Value insert_dim(const Value& tensor, int at) {
  const Tensor& t = tensor.to_tensor();
  Sizes sizes(t.view.sizes, t.view.sizes + t.dim()), strides(t.view.strides, t.view.strides + t.dim());
  sizes.insert(sizes.begin() + at, 1);
  strides.insert(strides.begin() + at, at < t.dim() ? t.size(at) * t.stride(at) : 1);
  return Value(Tensor::view_of(t, sizes.data(), strides.data(), t.dim() + 1, t.offset));
}

Value remove_dim(const Value& tensor, int at) {
  const Tensor& t = tensor.to_tensor();
  Sizes sizes(t.view.sizes, t.view.sizes + t.dim()), strides(t.view.strides, t.view.strides + t.dim());
  sizes.erase(sizes.begin() + at);
  strides.erase(strides.begin() + at);
  return Value(Tensor::view_of(t, sizes.data(), strides.data(), t.dim() - 1, t.offset));
}

// (weight, bias, stride, padding[, output_padding], dilation, groups)
template <int spatial, bool transposed> void conv_prepack(Context& context, Value* args, int, Value* results, int) {
  const int next = transposed ? 5 : 4;
  constexpr bool widen = spatial == 1;
  const Value weight = widen ? insert_dim(args[0], 2) : args[0];
  const Value output_padding = transposed ? args[4] : Value::of_ints(std::vector<int64_t>(args[2].to_ints().size(), 0));
  results[0] = make_custom_object(conv_class<spatial>(),
                           conv_payload(context, weight, args[1], widen ? widened(args[2], 1) : args[2],
                                        widen ? widened(args[3], 0) : args[3], widen ? widened(args[next], 1) : args[next],
                                        widen ? widened(output_padding, 0) : output_padding, args[next + 1].to_int(), transposed));
}

template <bool widened_weight> void conv_unpack(Context&, Value* args, int, Value* results, int nresults) {
  const auto& items = items_of(args[0], kConvItems, "packed convolution parameters");
  results[0] = widened_weight ? remove_dim(items[kConvWeight], 2) : items[kConvWeight];
  if (nresults > 1) results[1] = items[kConvBias];
}

template <int field> void conv_field(Context&, Value* args, int, Value* results, int) {
  const Value& value = items_of(args[0], kConvItems, "packed convolution parameters")[field];
  results[0] = value.is(Tag::Bool) ? Value::of_int(value.to_bool()) : value;
}

// The state of an archive: ("2", [config as int16, weight], [bias]) or (3, config, [None, weight, bias]); config is the number of spatial
// dimensions, then stride, padding, dilation and output padding of each, groups, and whether it is transposed.
void conv_set_state(Context& context, Value* args, int, Value*, int) {
  const auto& state = args[1].to_tuple().items;
  if (state.size() != 3) fail("ConvPackedParamsBase: Expected a state of three items");
  std::vector<int64_t> config;
  Value weight, bias;
  if (state[0].is(Tag::String) && state[0].to_string() == "2") {
    const auto& tensors = state[1].to_list().items;
    const auto& optional = state[2].to_list().items;
    if (tensors.size() < 2 || optional.empty()) fail("ConvPackedParamsBase: Expected a configuration, a weight and a bias");
    const Ref<Tensor> packed_here = moved_to(tensors[0].to_tensor(), kCpuDevice);
    const Tensor& packed = *packed_here;
    if (packed.dtype() != DType::I16 || packed.dim() != 1) fail("ConvPackedParamsBase: Expected a configuration of 16-bit integers");
    for (int64_t i = 0; i < packed.numel(); i++) config.push_back(packed.view.ptr<int16_t>()[i * packed.stride(0)]);
    weight = tensors[1];
    bias = optional[0];
  } else if (state[0].is(Tag::Int) && state[0].to_int() == 3) {
    config = state[1].to_ints();
    const auto& optional = state[2].to_list().items;
    if (optional.size() < 3) fail("ConvPackedParamsBase: Expected a weight and a bias");
    weight = optional[1];
    bias = optional[2];
  } else {
    throw UnsupportedOperator("This version of packed convolution parameters is not supported; save the model again with a newer PyTorch.");
  }
  const size_t d = config.empty() ? 0 : static_cast<size_t>(config[0]);
  if ((d != 2 && d != 3) || config.size() != 3 + 4 * d) fail("ConvPackedParamsBase: the configuration has %zu numbers", config.size());
  const auto part = [&](size_t i) {
    return Value::of_ints({config.begin() + static_cast<int64_t>(1 + i * d), config.begin() + static_cast<int64_t>(1 + (i + 1) * d)});
  };
  args[0].to_object().payload =
    conv_payload(context, weight, bias, part(0), part(1), part(2), part(3), config[1 + 4 * d], (config[2 + 4 * d] & 1) != 0);
}

// The second of those states, which every version of PyTorch reads.
void conv_get_state(Context&, Value* args, int, Value* results, int) {
  const auto& p = items_of(args[0], kConvItems, "packed convolution parameters");
  std::vector<int64_t> config{static_cast<int64_t>(p[kConvStride].to_ints().size())};
  for (int field : {kConvStride, kConvPadding, kConvDilation, kConvOutputPadding})
    for (int64_t number : p[static_cast<size_t>(field)].to_ints()) config.push_back(number);
  config.push_back(p[kConvGroups].to_int());
  config.push_back(p[kConvTransposed].to_bool());
  const auto n = static_cast<int64_t>(config.size());
  auto packed = Tensor::empty(DType::I16, &n, 1);
  for (int64_t i = 0; i < n; i++) packed->view.ptr<int16_t>()[i] = static_cast<int16_t>(config[static_cast<size_t>(i)]);
  results[0] = Value(make_tuple_value(
    {Value::of_string("2"), Value(make_list({Value(packed), p[kConvWeight]}, tensor_type())), Value(make_list({p[kConvBias]}, nullptr))}));
}

Value run_conv(Context& context, const Value& x, const Value& packed) {
  const auto& p = items_of(packed, kConvItems, "packed convolution parameters");
  const size_t spatial = p[kConvStride].to_ints().size();
  if (p[kConvTransposed].to_bool()) {
    return context.call_kernel(
      spatial == 3 ? "conv_transpose3d" : "conv_transpose2d",
      {x, p[kConvCentered], Value(), p[kConvStride], p[kConvPadding], p[kConvOutputPadding], p[kConvGroups], p[kConvDilation]});
  }
  return context.call_kernel(spatial == 3 ? "conv3d" : "conv2d",
                             {x, p[kConvCentered], Value(), p[kConvStride], p[kConvPadding], p[kConvDilation], p[kConvGroups]});
}

// Channels come after the batch, if there is one.
int64_t channel_axis(const Value& y, bool one_dimensional, const std::vector<Value>& p) {
  const int batched = static_cast<int>(p[kConvStride].to_ints().size()) + 2 - (one_dimensional ? 1 : 0);
  return y.to_tensor().dim() < batched ? 0 : 1;
}

// (input, packed, scale, zero_point), or with the convolution's numbers, which the packed object has too, in between.
template <bool relu, bool one_dimensional> void conv(Context& context, Value* args, int nargs, Value* results, int) {
  const DType dtype = quantized_dtype(args[0], "quantized::conv");
  if constexpr (!one_dimensional) {
    const auto& items = items_of(args[1], kConvItems, "packed convolution parameters");
    const Value fused[] = {args[0],
                           items[kConvWeight],
                           items[kConvBias],
                           items[kConvStride],
                           items[kConvPadding],
                           items[kConvDilation],
                           items[kConvTransposed],
                           items[kConvOutputPadding],
                           items[kConvGroups],
                           args[nargs - 2],
                           args[nargs - 1],
                           Value::of_int(static_cast<int64_t>(dtype)),
                           Value::of_bool(relu)};
    if (device_takes("quantized_convolution", fused, 13)) {
      results[0] = context.call_kernel_n("quantized_convolution", fused, 13, 1)[0];
      return;
    }
  }
  Value x = context.call_kernel("quantized_centered", {args[0]});
  const int channels_at = one_dimensional ? x.to_tensor().dim() - 1 : 0;
  if (one_dimensional) x = insert_dim(x, channels_at);
  Value y = run_conv(context, x, args[1]);
  if (one_dimensional) y = remove_dim(y, y.to_tensor().dim() - 2);
  const auto& p = items_of(args[1], kConvItems, "packed convolution parameters");
  results[0] = requantize(context, y, p[kConvScales], p[kConvBias], input_scale(args[0]), channel_axis(y, one_dimensional, p),
                          args[nargs - 2], args[nargs - 1], dtype, relu);
}

// (input, other, packed, scale, zero_point)
template <bool relu> void conv_add(Context& context, Value* args, int nargs, Value* results, int) {
  const DType dtype = quantized_dtype(args[0], "quantized::conv2d_add");
  const auto& p = items_of(args[2], kConvItems, "packed convolution parameters");
  const Value sums = run_conv(context, context.call_kernel("quantized_centered", {args[0]}), args[2]);
  const Value y =
    context.call_kernel("scale_sums", {sums, p[kConvScales], p[kConvBias], Value::of_float(input_scale(args[0])), Value::of_int(1)});
  const Value sum = context.call_kernel("add", {y, context.call_kernel("dequantize", {args[1]}), Value::of_int(1)});
  results[0] = context.call_kernel(relu ? "quantize_per_tensor_relu" : "quantize_per_tensor",
                                   {sum, args[nargs - 2], args[nargs - 1], Value::of_int(static_cast<int64_t>(dtype))});
}

template <bool one_dimensional> void conv_dynamic(Context& context, Value* args, int nargs, Value* results, int) {
  Value x = context.call_kernel("fake_quantize_dynamic", {args[0], Value::of_bool(nargs > 2 && args[2].to_bool())});
  if (one_dimensional) x = insert_dim(x, x.to_tensor().dim() - 1);
  const auto& p = items_of(args[1], kConvItems, "packed convolution parameters");
  const Value sums = run_conv(context, x, args[1]);
  results[0] = context.call_kernel("scale_sums", {sums, p[kConvScales], p[kConvBias], Value::of_float(1), Value::of_int(1)});
  if (one_dimensional) results[0] = remove_dim(results[0], results[0].to_tensor().dim() - 2);
}

// ---- embeddings: (weight, float weight)
Value embedding_payload(Context& context, const Value& weight) { return Value(make_tuple_value({weight, float_weight(context, weight)})); }

void embedding_prepack(Context& context, Value* args, int, Value* results, int) {
  results[0] = make_custom_object(kEmbedding, embedding_payload(context, args[0]));
}
void embedding_unpack(Context&, Value* args, int, Value* results, int) {
  results[0] = items_of(args[0], 2, "packed embedding parameters")[0];
}
// (version, [weight], [], [bits])
void embedding_set_state(Context& context, Value* args, int, Value*, int) {
  const auto& state = args[1].to_tuple().items;
  if (state.size() != 4 || state[1].to_list().items.empty()) fail("EmbeddingPackedParamsBase: Expected a state with a weight");
  args[0].to_object().payload = embedding_payload(context, state[1].to_list().items[0]);
}

void embedding_get_state(Context&, Value* args, int, Value* results, int) {
  const Value& weight = items_of(args[0], 2, "packed embedding parameters")[0];
  const int64_t bits = weight.to_tensor().dtype() == DType::QU4x2 ? 4 : 8;
  results[0] = Value(make_tuple_value({Value::of_int(1), Value(make_list({weight}, tensor_type())), Value(make_list({}, float_type())),
                                       Value(make_list({Value::of_int(bits)}, int_type()))}));
}

void embedding(Context& context, Value* args, int, Value* results, int) {
  results[0] = context.call_kernel("embedding", {items_of(args[0], 2, "packed embedding parameters")[1], args[1], Value::of_int(-1),
                                                 Value::of_bool(false), Value::of_bool(false)});
}

// (weight, indices, offsets, scale_grad_by_freq, mode, pruned_weights, per_sample_weights, compressed_indices_mapping, include_last_offset);
// two-dimensional indices are one bag a row.
void embedding_bag(Context& context, Value* args, int, Value* results, int) {
  const Value& table = items_of(args[0], 2, "packed embedding parameters")[1];
  if (args[5].to_bool() || !args[7].is_none())
    throw UnsupportedOperator("quantized::embedding_bag with pruned weights is not supported yet.");
  Value indices = args[1], offsets = args[2];
  const Tensor& ids = indices.to_tensor();
  if (ids.dim() == 2) {
    const int64_t rows = ids.size(0), width = ids.size(1), total = rows * width;
    auto starts = Tensor::empty(DType::I64, &rows, 1);
    for (int64_t r = 0; r < rows; r++) starts->view.ptr<int64_t>()[r] = r * width;
    offsets = context.known_tensor(starts);
    if (!ids.view.is_contiguous()) fail("quantized::embedding_bag: Expected contiguous indices");
    const int64_t stride = 1;
    indices = Value(Tensor::view_of(ids, &total, &stride, 1, ids.offset));
  }
  if (offsets.is_none()) fail("embedding_bag_byte expects offsets to be set for 1D indices.");
  const Value bag_args[] = {table,   indices, offsets,          Value::of_bool(false), args[4], Value::of_bool(false),
                            args[6], args[8], Value::of_int(-1)};
  results[0] = context.call_kernel_n("embedding_bag", bag_args, 9, 4)[0];
}

// ---- recurrent cells: (packed input weight, packed hidden weight, reduce_range)
Value cell_payload(const Value& ih, const Value& hh, bool reduce_range) {
  return Value(make_tuple_value({ih, hh, Value::of_bool(reduce_range)}));
}

void make_cell_dynamic(Context&, Value* args, int nargs, Value* results, int) {
  results[0] = make_custom_object(kCell, cell_payload(args[0], args[1], nargs > 4 && args[4].to_bool()));
}
void make_cell_fp16(Context&, Value* args, int, Value* results, int) {
  results[0] = make_custom_object(kCell, cell_payload(args[0], args[1], false));
}

// (kind, [biases], doubles, [reduce_range], [packed weights])
void cell_set_state(Context&, Value* args, int, Value*, int) {
  const auto& state = args[1].to_tuple().items;
  if (state.size() != 5 || state[4].to_list().items.size() != 2)
    throw UnsupportedOperator("This kind of quantized cell parameters is not supported.");
  const std::vector<int64_t> flags = state[3].is(Tag::List) ? state[3].to_ints() : std::vector<int64_t>();
  args[0].to_object().payload = cell_payload(state[4].to_list().items[0], state[4].to_list().items[1], !flags.empty() && flags[0] != 0);
}

void cell_get_state(Context&, Value* args, int, Value* results, int) {
  const auto& p = items_of(args[0], 3, "quantized cell parameters");
  const auto& ih = items_of(p[0], kLinearItems, "packed linear parameters");
  const auto& hh = items_of(p[1], kLinearItems, "packed linear parameters");
  const bool half = ih[kLinearScales].is_none();
  Value biases(half ? make_list({}, tensor_type()) : make_list({ih[kLinearBias], hh[kLinearBias]}, tensor_type()));
  Value flags(half ? make_list({}, int_type()) : make_list({Value::of_int(p[2].to_bool())}, int_type()));
  results[0] = Value(make_tuple_value({Value::of_string(half ? "quantized_fp16" : "quantized_dynamic"), biases,
                                       Value(make_list({}, float_type())), flags, Value(make_list({p[0], p[1]}, nullptr))}));
}

// One step of a cell from the products with its two weights; `c` only for lstm.
struct Gates {
  Value input, hidden;
};

Value part_of(const Value& gates, int64_t index, int64_t count) {
  const Tensor& t = gates.to_tensor();
  const int last = t.dim() - 1;
  Sizes sizes(t.view.sizes, t.view.sizes + t.dim()), strides(t.view.strides, t.view.strides + t.dim());
  sizes[static_cast<size_t>(last)] /= count;
  return Value(
    Tensor::view_of(t, sizes.data(), strides.data(), t.dim(), t.offset + index * sizes[static_cast<size_t>(last)] * t.stride(last)));
}

Value add(Context& context, const Value& a, const Value& b) { return context.call_kernel("add", {a, b, Value::of_int(1)}); }
Value subtract(Context& context, const Value& a, const Value& b) { return context.call_kernel("sub", {a, b, Value::of_int(1)}); }
Value multiply(Context& context, const Value& a, const Value& b) { return context.call_kernel("mul", {a, b}); }

void lstm_step(Context& context, const Gates& gates, Value& h, Value& c) {
  const Value sum = add(context, gates.input, gates.hidden);
  const Value in = context.call_kernel("sigmoid", {part_of(sum, 0, 4)}), forget = context.call_kernel("sigmoid", {part_of(sum, 1, 4)});
  const Value cell = context.call_kernel("tanh", {part_of(sum, 2, 4)}), out = context.call_kernel("sigmoid", {part_of(sum, 3, 4)});
  c = add(context, multiply(context, forget, c), multiply(context, in, cell));
  h = multiply(context, out, context.call_kernel("tanh", {c}));
}

void gru_step(Context& context, const Gates& gates, Value& h) {
  const auto gate = [&](int64_t i) {
    return context.call_kernel("sigmoid", {add(context, part_of(gates.hidden, i, 3), part_of(gates.input, i, 3))});
  };
  const Value reset = gate(0), update = gate(1);
  const Value fresh =
    context.call_kernel("tanh", {add(context, part_of(gates.input, 2, 3), multiply(context, part_of(gates.hidden, 2, 3), reset))});
  h = add(context, multiply(context, subtract(context, h, fresh), update), fresh);
}

// (input, hx, w_ih, w_hh, b_ih, b_hh); the packed weights have the biases.
Gates cell_gates(Context& context, const Value& input, const Value& h, const Value& ih, const Value& hh, bool reduce_range) {
  return {dynamic_linear(context, input, ih, reduce_range), dynamic_linear(context, h, hh, reduce_range)};
}

void lstm_cell(Context& context, Value* args, int, Value* results, int nresults) {
  const auto& state = args[1].to_list().items;
  if (state.size() != 2) fail("quantized_lstm_cell_dynamic: Expected two hidden states");
  Value h = state[0], c = state[1];
  lstm_step(context, cell_gates(context, args[0], h, args[2], args[3], true), h, c);
  results[0] = h;
  if (nresults > 1) results[1] = c;
}
void gru_cell(Context& context, Value* args, int, Value* results, int) {
  Value h = args[1];
  gru_step(context, cell_gates(context, args[0], h, args[2], args[3], true), h);
  results[0] = h;
}
template <int is_relu> void rnn_cell(Context& context, Value* args, int, Value* results, int) {
  const Gates gates = cell_gates(context, args[0], args[1], args[2], args[3], true);
  results[0] = context.call_kernel(is_relu ? "relu" : "tanh", {add(context, gates.input, gates.hidden)});
}

Value select(const Value& tensor, int64_t index) {
  const Tensor& t = tensor.to_tensor();
  if (index < 0 || t.dim() == 0 || index >= t.size(0))
    fail("quantized recurrent layer: Expected %lld states", static_cast<long long>(index + 1));
  return Value(Tensor::view_of(t, t.view.sizes + 1, t.view.strides + 1, t.dim() - 1, t.offset + index * t.stride(0)));
}

Value swap_first_two(const Value& tensor) {
  const Tensor& t = tensor.to_tensor();
  if (t.dim() < 2) fail("quantized recurrent layer: Expected an input of three dimensions");
  Sizes sizes(t.view.sizes, t.view.sizes + t.dim()), strides(t.view.strides, t.view.strides + t.dim());
  std::swap(sizes[0], sizes[1]);
  std::swap(strides[0], strides[1]);
  return Value(Tensor::view_of(t, sizes.data(), strides.data(), t.dim(), t.offset));
}

Value stack(Context& context, std::vector<Value> parts) {
  return context.call_kernel("stack", {Value(make_list(std::move(parts), nullptr)), Value::of_int(0)});
}

// (input, states, params, has_biases, num_layers, dropout, train, bidirectional, batch_first); the products with the input weights are done for all steps
// at once, as PyTorch does, which decides the range they are quantized with.
void recurrent(Context& context, Value* args, Value* results, int nresults, bool lstm) {
  const auto& params = args[2].to_list().items;
  const int64_t layers = args[4].to_int();
  const bool both = args[7].to_bool(), batch_first = args[8].to_bool();
  const int directions = both ? 2 : 1;
  if (layers < 1 || static_cast<int64_t>(params.size()) != layers * directions)
    fail("quantized recurrent layer: Expected %lld cells but received %zu", static_cast<long long>(layers * directions), params.size());
  const Value h0 = lstm ? args[1].to_list().items.at(0) : args[1], c0 = lstm ? args[1].to_list().items.at(1) : Value();
  Value layer_input = batch_first ? swap_first_two(args[0]) : args[0];
  const int64_t steps = layer_input.to_tensor().size(0);
  std::vector<Value> last_h, last_c;
  for (int64_t l = 0; l < layers; l++) {
    std::vector<Value> outputs;
    for (int d = 0; d < directions; d++) {
      const int64_t at = l * directions + d;
      const auto& cell = items_of(params[static_cast<size_t>(at)], 3, "quantized cell parameters");
      const bool reduce_range = cell[2].to_bool();
      const Value products = dynamic_linear(context, layer_input, cell[0], reduce_range);
      Value h = select(h0, at), c = lstm ? select(c0, at) : Value();
      std::vector<Value> sequence(static_cast<size_t>(steps));
      for (int64_t s = 0; s < steps; s++) {
        const int64_t t = d == 0 ? s : steps - 1 - s;
        const Gates gates{select(products, t), dynamic_linear(context, h, cell[1], reduce_range)};
        if (lstm) lstm_step(context, gates, h, c);
        else gru_step(context, gates, h);
        sequence[static_cast<size_t>(t)] = h;
      }
      outputs.push_back(stack(context, std::move(sequence)));
      last_h.push_back(h);
      if (lstm) last_c.push_back(c);
    }
    layer_input =
      directions == 1 ? outputs[0] : context.call_kernel("cat", {Value(make_list(std::move(outputs), nullptr)), Value::of_int(2)});
  }
  results[0] = batch_first ? swap_first_two(layer_input) : layer_input;
  if (nresults > 1) results[1] = stack(context, std::move(last_h));
  if (lstm && nresults > 2) results[2] = stack(context, std::move(last_c));
}
void quantized_lstm(Context& context, Value* args, int, Value* results, int nresults) { recurrent(context, args, results, nresults, true); }
void quantized_gru(Context& context, Value* args, int, Value* results, int nresults) { recurrent(context, args, results, nresults, false); }

void choose_qparams(Context& context, Value* args, int nargs, Value* results, int nresults) {
  const Value both = context.call_kernel("choose_qparams", {args[0], Value::of_bool(nargs > 1 && args[1].to_bool())});
  context.reads_data(both.to_tensor(), "it chooses quantization parameters from data");
  const Ref<Tensor> here = moved_to(both.to_tensor(), kCpuDevice);
  const double* values = here->view.ptr<double>();
  results[0] = Value::of_float(values[0]);
  if (nresults > 1) results[1] = Value::of_int(static_cast<int64_t>(values[1]));
}

Builtins rows{
  {"quantized::linear_prepack", linear_prepack},
  {"_quantized::linear_prepack", linear_prepack},
  {"quantized::linear_prepack_fp16", linear_prepack_fp16},
  {"_quantized::linear_prepack_fp16", linear_prepack_fp16},
  {"quantized::linear_unpack", linear_unpack},
  {"quantized::linear_unpack_fp16", linear_unpack},
  {"quantized::linear", linear<false>},
  {"_quantized::linear", linear<false>},
  {"quantized::linear_relu", linear<true>},
  {"quantized::linear_dynamic", linear_dynamic<false>},
  {"_quantized::linear_dynamic", linear_dynamic<false>},
  {"quantized::linear_relu_dynamic", linear_dynamic<true>},
  {"quantized::linear_dynamic_fp16", linear_dynamic<false>},
  {"quantized::linear_relu_dynamic_fp16", linear_dynamic<true>},
  {"quantized::conv1d_prepack", conv_prepack<1, false>},
  {"quantized::conv2d_prepack", conv_prepack<2, false>},
  {"quantized::conv3d_prepack", conv_prepack<3, false>},
  {"quantized::conv_prepack", conv_prepack<2, false>},
  {"_quantized::conv2d_prepack", conv_prepack<2, false>},
  {"_quantized::conv3d_prepack", conv_prepack<3, false>},
  {"quantized::conv_transpose1d_prepack", conv_prepack<1, true>},
  {"quantized::conv_transpose2d_prepack", conv_prepack<2, true>},
  {"quantized::conv_transpose3d_prepack", conv_prepack<3, true>},
  {"quantized::conv1d_unpack", conv_unpack<true>},
  {"quantized::conv2d_unpack", conv_unpack<false>},
  {"quantized::conv3d_unpack", conv_unpack<false>},
  {"quantized::conv_unpack", conv_unpack<false>},
  {"quantized::conv_transpose1d_unpack", conv_unpack<true>},
  {"quantized::conv_transpose2d_unpack", conv_unpack<false>},
  {"quantized::conv_transpose3d_unpack", conv_unpack<false>},
  {"quantized::conv2d_stride", conv_field<kConvStride>},
  {"quantized::conv2d_padding", conv_field<kConvPadding>},
  {"quantized::conv2d_dilation", conv_field<kConvDilation>},
  {"quantized::conv2d_output_padding", conv_field<kConvOutputPadding>},
  {"quantized::conv2d_groups", conv_field<kConvGroups>},
  {"quantized::conv2d_transpose", conv_field<kConvTransposed>},
  {"quantized::conv3d_stride", conv_field<kConvStride>},
  {"quantized::conv3d_padding", conv_field<kConvPadding>},
  {"quantized::conv3d_dilation", conv_field<kConvDilation>},
  {"quantized::conv3d_output_padding", conv_field<kConvOutputPadding>},
  {"quantized::conv3d_groups", conv_field<kConvGroups>},
  {"quantized::conv3d_transpose", conv_field<kConvTransposed>},
  {"quantized::conv1d", conv<false, true>},
  {"quantized::conv1d_relu", conv<true, true>},
  {"quantized::conv2d", conv<false, false>},
  {"quantized::conv2d.new", conv<false, false>},
  {"quantized::conv2d_relu", conv<true, false>},
  {"quantized::conv2d_relu.new", conv<true, false>},
  {"_quantized::conv2d", conv<false, false>},
  {"_quantized::conv2d_relu", conv<true, false>},
  {"quantized::conv3d", conv<false, false>},
  {"quantized::conv3d.new", conv<false, false>},
  {"quantized::conv3d_relu", conv<true, false>},
  {"quantized::conv3d_relu.new", conv<true, false>},
  {"quantized::conv2d_add", conv_add<false>},
  {"quantized::conv2d_add_relu", conv_add<true>},
  {"quantized::conv_transpose1d", conv<false, true>},
  {"quantized::conv_transpose2d", conv<false, false>},
  {"quantized::conv_transpose3d", conv<false, false>},
  {"quantized::conv1d_dynamic", conv_dynamic<true>},
  {"quantized::conv2d_dynamic", conv_dynamic<false>},
  {"quantized::conv3d_dynamic", conv_dynamic<false>},
  {"quantized::conv_transpose1d_dynamic", conv_dynamic<true>},
  {"quantized::conv_transpose2d_dynamic", conv_dynamic<false>},
  {"quantized::conv_transpose3d_dynamic", conv_dynamic<false>},
  {"quantized::embedding_bag_prepack", embedding_prepack},
  {"quantized::embedding_bag_unpack", embedding_unpack},
  {"quantized::embedding_byte", embedding},
  {"quantized::embedding_4bit", embedding},
  {"quantized::embedding_bag_byte", embedding_bag},
  {"quantized::embedding_bag_4bit", embedding_bag},
  {"quantized::make_quantized_cell_params_dynamic", make_cell_dynamic},
  {"quantized::make_quantized_cell_params_fp16", make_cell_fp16},
  {"quantized::quantized_lstm_cell_dynamic", lstm_cell},
  {"quantized::quantized_gru_cell_dynamic", gru_cell},
  {"quantized::quantized_rnn_relu_cell_dynamic", rnn_cell<1>},
  {"quantized::quantized_rnn_tanh_cell_dynamic", rnn_cell<0>},
  {"aten::quantized_lstm.input", quantized_lstm},
  {"aten::quantized_gru.input", quantized_gru},
  {"aten::_choose_qparams_per_tensor", choose_qparams},
  {"__torch__.torch.classes.quantized.LinearPackedParamsBase::__setstate__", linear_set_state},
  {"__torch__.torch.classes.quantized.LinearPackedParamsBase::__getstate__", linear_get_state},
  {"__torch__.torch.classes.quantized.LinearPackedParamsBase::unpack", unpack_method<linear_unpack>},
  {"__torch__.torch.classes.quantized.Conv2dPackedParamsBase::__setstate__", conv_set_state},
  {"__torch__.torch.classes.quantized.Conv2dPackedParamsBase::__getstate__", conv_get_state},
  {"__torch__.torch.classes.quantized.Conv2dPackedParamsBase::unpack", unpack_method<conv_unpack<false>>},
  {"__torch__.torch.classes.quantized.Conv3dPackedParamsBase::__setstate__", conv_set_state},
  {"__torch__.torch.classes.quantized.Conv3dPackedParamsBase::__getstate__", conv_get_state},
  {"__torch__.torch.classes.quantized.Conv3dPackedParamsBase::unpack", unpack_method<conv_unpack<false>>},
  {"__torch__.torch.classes.quantized.EmbeddingPackedParamsBase::__setstate__", embedding_set_state},
  {"__torch__.torch.classes.quantized.EmbeddingPackedParamsBase::__getstate__", embedding_get_state},
  {"__torch__.torch.classes.rnn.CellParamsBase::__setstate__", cell_set_state},
  {"__torch__.torch.classes.rnn.CellParamsBase::__getstate__", cell_get_state},
};

}  // namespace
}  // namespace torchscript
