// oneDNN as a second provider of linear layers, products and convolutions in float32: rows whose names are those of ours behind onednn_. Nothing
// calls them by name; a recording that is told to time alternatives tries them (core/alternatives.h).
//
// Headers of oneDNN 2 at build time are all it takes. The library is opened when it is first asked for and is never needed: without it the
// rows pack nothing, and a row that packs nothing is no alternative.
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#endif
#if defined(DNNL_VERSION_MAJOR) && DNNL_VERSION_MAJOR == 2
#include <dlfcn.h>

#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include "cpu-avx/conv/rows.h"
#include "cpu-avx/gemm/epilogue.h"

namespace torchscript {
namespace {

#define TS_DNNL_FUNCTIONS(X)                                                                                                       \
  X(engine_create)                                                                                                                 \
  X(stream_create)                                                                                                                 \
  X(primitive_attr_create) X(primitive_attr_destroy) X(primitive_desc_create) X(primitive_desc_destroy) X(primitive_desc_query_md) \
    X(primitive_create) X(primitive_destroy) X(primitive_execute) X(memory_desc_init_by_strides) X(memory_desc_init_by_tag)        \
      X(memory_desc_get_size) X(memory_create) X(memory_destroy) X(memory_set_data_handle) X(reorder_primitive_desc_create)        \
        X(matmul_desc_init) X(dilated_convolution_forward_desc_init) X(set_max_cpu_isa)

struct Library {
#define TS_FIELD(name) decltype(&::dnnl_##name) name = nullptr;
  TS_DNNL_FUNCTIONS(TS_FIELD)
#undef TS_FIELD
  void (*set_threads)(int) = nullptr;  // of its OpenMP, when it has that
  dnnl_engine_t engine = nullptr;
  bool ready = false;

  Library() {
    void* handle = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return;
    bool all = true;
#define TS_RESOLVE(field) all = (field = reinterpret_cast<decltype(field)>(dlsym(handle, "dnnl_" #field))) != nullptr && all;
    TS_DNNL_FUNCTIONS(TS_RESOLVE)
#undef TS_RESOLVE
    if (!all) return;
    set_threads = reinterpret_cast<void (*)(int)>(dlsym(handle, "omp_set_num_threads"));
    if (active_isa() != Isa::Avx512) set_max_cpu_isa(active_isa() == Isa::Avx2 ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41);
    ready = engine_create(&engine, dnnl_cpu, 0) == dnnl_success;
  }
};
const Library& library() {
  static const Library* const one = new Library;
  return *one;
}

void check(dnnl_status_t status) {
  if (status != dnnl_success) fail("oneDNN failed with status %d", static_cast<int>(status));
}

// A product or a convolution as oneDNN is told about it.
struct Task {
  bool is_convolution = false;
  dnnl_memory_desc_t input{}, weight{}, bias{}, output{};  // of the operands as they lie in memory
  dnnl_memory_desc_t any{};                                // the weight in whatever form suits
  bool has_bias = false;
  dnnl_dims_t strides{}, dilations{}, padding{};
  const void *input_data = nullptr, *weight_data = nullptr, *bias_data = nullptr;
  const TensorView* residual = nullptr;
  Activation activation = Activation::None;
};

// What of a task decides the primitive.
std::string key_of(const Task& task, const dnnl_memory_desc_t& packed) {
  std::string key;
  auto add = [&](const auto& part) { key.append(reinterpret_cast<const char*>(&part), sizeof part); };
  add(task.is_convolution);
  add(task.has_bias);
  for (const dnnl_memory_desc_t* md : {&task.input, &packed, &task.output}) {
    key.append(reinterpret_cast<const char*>(md->dims), sizeof(md->dims[0]) * static_cast<size_t>(md->ndims));
    add(md->format_kind);
    add(md->format_desc.blocking);
  }
  for (int d = 0; d < 2; d++) {
    add(task.strides[d]);
    add(task.dilations[d]);
    add(task.padding[d]);
  }
  return key;
}

dnnl_primitive_desc_t describe(const Task& task, const dnnl_memory_desc_t& weight) {
  const Library& dnnl = library();
  const dnnl_memory_desc_t* bias = task.has_bias ? &task.bias : nullptr;
  dnnl_primitive_desc_t made = nullptr;
  dnnl_status_t status;
  if (task.is_convolution) {
    dnnl_convolution_desc_t desc;
    status = dnnl.dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_auto, &task.input, &weight, bias,
                                                        &task.output, task.strides, task.dilations, task.padding, task.padding);
    if (status == dnnl_success) status = dnnl.primitive_desc_create(&made, &desc, nullptr, dnnl.engine, nullptr);
  } else {
    dnnl_matmul_desc_t desc;
    status = dnnl.matmul_desc_init(&desc, &task.input, &weight, bias, &task.output);
    if (status == dnnl_success) status = dnnl.primitive_desc_create(&made, &desc, nullptr, dnnl.engine, nullptr);
  }
  return status == dnnl_success ? made : nullptr;
}

// A primitive with memory objects whose data is set for each run. Of one thread.
struct Primitive {
  dnnl_stream_t stream = nullptr;
  dnnl_primitive_t primitive = nullptr;
  dnnl_memory_t memory[4] = {};
  ~Primitive() {
    for (dnnl_memory_t m : memory)
      if (m) library().memory_destroy(m);
    if (primitive) library().primitive_destroy(primitive);
  }
};
dnnl_stream_t thread_stream() {
  thread_local dnnl_stream_t stream = nullptr;  // as long as the process
  if (!stream) check(library().stream_create(&stream, library().engine, dnnl_stream_default_flags));
  return stream;
}

Primitive& primitive_of(const Task& task, const dnnl_memory_desc_t& packed) {
  thread_local std::unordered_map<std::string, std::unique_ptr<Primitive>> known;
  std::string key = key_of(task, packed);
  std::unique_ptr<Primitive>& entry = known[key];
  if (entry) return *entry;
  const Library& dnnl = library();
  auto made = std::make_unique<Primitive>();
  dnnl_primitive_desc_t desc = describe(task, packed);
  if (!desc) fail("oneDNN has no kernel for an operator that it had one for");
  const dnnl_status_t status = dnnl.primitive_create(&made->primitive, desc);
  dnnl.primitive_desc_destroy(desc);
  check(status);
  const dnnl_memory_desc_t* operands[] = {&task.input, &packed, task.has_bias ? &task.bias : nullptr, &task.output};
  for (int i = 0; i < 4; i++)
    if (operands[i]) check(dnnl.memory_create(&made->memory[i], operands[i], dnnl.engine, DNNL_MEMORY_NONE));
  entry = std::move(made);
  return *entry;
}

// Packed: the description of the weights' form, then the weights.
constexpr size_t kHeader = (sizeof(dnnl_memory_desc_t) + 63) / 64 * 64;

bool packed_form(const Task& task, dnnl_memory_desc_t* form) {
  dnnl_primitive_desc_t desc = describe(task, task.any);
  if (!desc) return false;
  *form = *library().primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
  library().primitive_desc_destroy(desc);
  return true;
}
size_t bytes_of(const Task& task) {
  dnnl_memory_desc_t form;
  return packed_form(task, &form) ? kHeader + library().memory_desc_get_size(&form) : 0;
}
void pack_task(const Task& task, void* packed) {
  const Library& dnnl = library();
  dnnl_memory_desc_t form;
  if (!packed_form(task, &form)) fail("oneDNN has no kernel for an operator that it had one for");
  std::memcpy(packed, &form, sizeof form);
  dnnl_primitive_desc_t desc = nullptr;
  check(dnnl.reorder_primitive_desc_create(&desc, &task.weight, dnnl.engine, &form, dnnl.engine, nullptr));
  Primitive reorder;
  const dnnl_status_t status = dnnl.primitive_create(&reorder.primitive, desc);
  dnnl.primitive_desc_destroy(desc);
  check(status);
  check(dnnl.memory_create(&reorder.memory[0], &task.weight, dnnl.engine, const_cast<void*>(task.weight_data)));
  check(dnnl.memory_create(&reorder.memory[1], &form, dnnl.engine, static_cast<char*>(packed) + kHeader));
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, reorder.memory[0]}, {DNNL_ARG_TO, reorder.memory[1]}};
  check(dnnl.primitive_execute(reorder.primitive, thread_stream(), 2, args));
}

void run_task(Call& call, const Task& task) {
  const Library& dnnl = library();
  if (!call.packed) fail("oneDNN's operators need packed weights");
  dnnl_memory_desc_t packed;
  std::memcpy(&packed, call.packed, sizeof packed);
  call.runtime->note(task.is_convolution ? "onednn_convolution" : "onednn_matmul");
  if (dnnl.set_threads) dnnl.set_threads(call.runtime->num_threads());
  Primitive& primitive = primitive_of(task, packed);
  const TensorView& out = call.outputs[0];
  const void* data[] = {task.input_data, static_cast<const char*>(call.packed) + kHeader, task.bias_data, out.data};
  const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
  dnnl_exec_arg_t args[4];
  int count = 0;
  for (int i = 0; i < 4; i++) {
    if (!primitive.memory[i]) continue;
    check(dnnl.memory_set_data_handle(primitive.memory[i], const_cast<void*>(data[i])));
    args[count++] = {names[i], primitive.memory[i]};
  }
  check(dnnl.primitive_execute(primitive.primitive, thread_stream(), count, args));
  // Its own activations differ from PyTorch's for NaN.
  if (!task.residual && task.activation == Activation::None) return;
  float* c = out.ptr<float>();
  const float* residual = task.residual ? task.residual->ptr<float>() : nullptr;
  const int64_t n = out.numel(), piece = 16384;
  call.runtime->parallel((n + piece - 1) / piece, 1, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * piece, length = std::min(n, end * piece) - at;
    tile_kernels<float>().epilogue(c + at, 0, residual ? residual + at : nullptr, 0, 1, length, task.activation);
  });
}

bool same_layout(const TensorView& a, const TensorView& b) {
  bool same = same_kind(a, b);
  for (int d = 0; same && d < a.ndim; d++) same = a.sizes[d] == 1 || a.strides[d] == b.strides[d];
  return same;
}
bool is_float_vector(const TensorView& view, int64_t n) {
  return view.dtype == DType::F32 && view.ndim == 1 && view.sizes[0] == n && (n == 1 || view.strides[0] == 1);
}
void set_md(dnnl_memory_desc_t* md, std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides) {
  dnnl_dims_t dims, steps;
  std::copy(sizes.begin(), sizes.end(), dims);
  std::copy(strides.begin(), strides.end(), steps);
  check(library().memory_desc_init_by_strides(md, static_cast<int>(sizes.size()), dims, dnnl_f32, steps));
}
void set_any(dnnl_memory_desc_t* md, const dnnl_memory_desc_t& like) {
  check(library().memory_desc_init_by_tag(md, like.ndims, like.dims, dnnl_f32, dnnl_format_tag_any));
}

// Where the arguments of a row are; -1 for none.
struct LinearArguments {
  int input, weight, bias, residual, activation;
  bool transposed;  // weight is [out, in]
};
constexpr LinearArguments kLinear{0, 1, 2, -1, -1, true}, kLinearEpilogue{0, 1, 2, 3, 4, true}, kMatmul{0, 1, -1, -1, -1, false},
  kAddmm{1, 2, 0, -1, -1, false};

bool common_parts(const Call& call, int bias_at, int residual_at, int activation_at, int64_t n, Task* task) {
  if (!library().ready || call.outputs[0].dtype != DType::F32 || call.outputs[0].numel() == 0) return false;
  const TensorView* bias = bias_at < 0 ? nullptr : call.optional_tensor(bias_at);
  if (bias) {
    if (!is_float_vector(*bias, n)) return false;
    task->has_bias = true;
    task->bias_data = bias->data;
  }
  task->residual = residual_at < 0 ? nullptr : call.optional_tensor(residual_at);
  if (task->residual && !same_layout(*task->residual, call.outputs[0])) return false;
  if (activation_at >= 0) task->activation = activation_argument(call, activation_at);
  return true;
}

bool linear_task(const Call& call, const LinearArguments& at, Task* task) {
  if (call.args[at.input].kind != ArgKind::Tensor || call.args[at.weight].kind != ArgKind::Tensor) return false;
  const TensorView &x = call.tensor(at.input), &w = call.tensor(at.weight), &out = call.outputs[0];
  if (x.dtype != DType::F32 || w.dtype != DType::F32 || w.ndim != 2 || x.ndim < 1 || !x.is_contiguous() || !out.is_contiguous())
    return false;
  if (at.input == 1) {  // addmm: self + product
    for (int i = 3; i < 5; i++)
      if (call.args[i].as_double() != 1) return false;
  }
  const int kd = at.transposed ? 1 : 0;
  const int64_t k = w.sizes[kd], n = w.sizes[1 - kd];
  if (k == 0 || n == 0 || x.sizes[x.ndim - 1] != k || (w.strides[0] != 1 && w.strides[1] != 1)) return false;
  if (!common_parts(call, at.bias, at.residual, at.activation, n, task)) return false;
  const int64_t m = x.numel() / k;
  if (out.numel() != m * n) return false;
  set_md(&task->input, {m, k}, {k, 1});
  set_md(&task->weight, {k, n}, {w.strides[kd], w.strides[1 - kd]});
  set_md(&task->output, {m, n}, {n, 1});
  if (task->has_bias) set_md(&task->bias, {1, n}, {n, 1});
  set_any(&task->any, task->weight);
  task->input_data = x.data;
  task->weight_data = w.data;
  return true;
}

struct ConvolutionArguments {
  ConvArguments shape;
  int residual, activation;
};
constexpr ConvolutionArguments kOneConv2d{kConvNd, -1, -1}, kOneConvolution{kConvolution, -1, -1},
  kOneEpilogue{kEpilogue, kEpilogueResidual, kEpilogueActivation};

bool convolution_task(const Call& call, const ConvolutionArguments& at, Task* task) {
  if (call.args[0].kind != ArgKind::Tensor || call.args[1].kind != ArgKind::Tensor) return false;
  const TensorView &x = call.tensor(0), &w = call.tensor(1), &out = call.outputs[0];
  if (x.dtype != DType::F32 || w.dtype != DType::F32 || x.ndim != 4 || w.ndim != 4 || out.ndim != 4) return false;
  if (x.numel() == 0 || w.numel() == 0) return false;
  const ConvShape s = conv_shape(call, 2, at.shape);
  if (s.transposed || !common_parts(call, 2, at.residual, at.activation, s.out_channels, task)) return false;
  for (int d = 0; d < 2; d++) {
    task->strides[d] = s.stride[d + 1];
    task->padding[d] = s.pad_low[d + 1];
    task->dilations[d] = s.dilation[d + 1] - 1;
    if (s.pad_low[d + 1] != s.pad_high[d + 1]) return false;
  }
  const int64_t groups = s.groups;
  auto dense = [](const TensorView& v) {
    const int64_t plane = v.sizes[2] * v.sizes[3];
    const bool last = v.strides[1] == 1 && v.strides[3] == v.sizes[1] && v.strides[2] == v.sizes[1] * v.sizes[3];
    const bool first = v.strides[3] == 1 && v.strides[2] == v.sizes[3] && v.strides[1] == plane;
    return (last || first) && v.strides[0] == plane * v.sizes[1];
  };
  if (!dense(x) || !dense(out)) return false;
  task->is_convolution = true;
  set_md(&task->input, {x.sizes[0], x.sizes[1], x.sizes[2], x.sizes[3]}, {x.strides[0], x.strides[1], x.strides[2], x.strides[3]});
  set_md(&task->output, {out.sizes[0], out.sizes[1], out.sizes[2], out.sizes[3]},
         {out.strides[0], out.strides[1], out.strides[2], out.strides[3]});
  const int64_t filters = s.group_out();
  if (groups == 1)
    set_md(&task->weight, {w.sizes[0], w.sizes[1], w.sizes[2], w.sizes[3]}, {w.strides[0], w.strides[1], w.strides[2], w.strides[3]});
  else
    set_md(&task->weight, {groups, filters, w.sizes[1], w.sizes[2], w.sizes[3]},
           {filters * w.strides[0], w.strides[0], w.strides[1], w.strides[2], w.strides[3]});
  if (task->has_bias) set_md(&task->bias, {w.sizes[0]}, {1});
  set_any(&task->any, task->weight);
  task->input_data = x.data;
  task->weight_data = w.data;
  return true;
}

template <const LinearArguments& At> bool task_of(const Call& call, Task* task) { return linear_task(call, At, task); }
template <const ConvolutionArguments& At> bool task_of(const Call& call, Task* task) { return convolution_task(call, At, task); }

template <bool (*Of)(const Call&, Task*)> size_t pack_bytes(const Call& call) {
  Task task;
  return Of(call, &task) ? bytes_of(task) : 0;
}
template <bool (*Of)(const Call&, Task*)> void pack(const Call& call, void* packed) {
  Task task;
  if (!Of(call, &task)) fail("oneDNN packs nothing for this call");
  pack_task(task, packed);
}
template <bool (*Of)(const Call&, Task*)> void run(Call& call) {
  Task task;
  if (!Of(call, &task)) fail("oneDNN runs nothing for this call");
  run_task(call, task);
}

#define TS_ONEDNN(name, weight, arguments)                                \
  TS_KERNEL(onednn_##name, {.run = run<task_of<arguments>>,               \
                            .pack_arg = weight,                           \
                            .pack_bytes = pack_bytes<task_of<arguments>>, \
                            .pack = pack<task_of<arguments>>,             \
                            .packed_only = true})
TS_ONEDNN(linear, 1, kLinear);
TS_ONEDNN(linear_epilogue, 1, kLinearEpilogue);
TS_ONEDNN(matmul, 1, kMatmul);
TS_ONEDNN(mm, 1, kMatmul);
TS_ONEDNN(addmm, 2, kAddmm);
TS_ONEDNN(conv2d, 1, kOneConv2d);
TS_ONEDNN(convolution, 1, kOneConvolution);
TS_ONEDNN(convolution_epilogue, 1, kOneEpilogue);

}  // namespace
}  // namespace torchscript
#endif
