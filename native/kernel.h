// Kernel ABI: what a kernel sees of the world. Includes no standard library code, so that units built for one instruction
// set may include it (Note [ISA units] in binding.gyp).
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace torchscript {

// PyTorch's c10::ScalarType codes.
enum class DType : int8_t {
  U8 = 0,
  I8 = 1,
  I16 = 2,
  I32 = 3,
  I64 = 4,
  F16 = 5,
  F32 = 6,
  F64 = 7,
  C32 = 8,
  C64 = 9,
  C128 = 10,
  Bool = 11,
  QI8 = 12,
  QU8 = 13,
  QI32 = 14,
  BF16 = 15,
  QU4x2 = 16,
  QU2x4 = 17,
  F8E5M2 = 23,
  F8E4M3FN = 24,
  F8E5M2FNUZ = 25,
  F8E4M3FNUZ = 26,
  U16 = 27,
  U32 = 28,
  U64 = 29,
  F8E8M0 = 44,
  Undefined = 127
};

constexpr int kMaxDims = 16;

constexpr int64_t dtype_size(DType t) {
  switch (t) {
    case DType::U8:
    case DType::I8:
    case DType::Bool:
    case DType::QI8:
    case DType::QU8:
    case DType::QU4x2:
    case DType::QU2x4:
    case DType::F8E5M2:
    case DType::F8E4M3FN:
    case DType::F8E5M2FNUZ:
    case DType::F8E4M3FNUZ:
    case DType::F8E8M0: return 1;
    case DType::I16:
    case DType::F16:
    case DType::BF16:
    case DType::U16: return 2;
    case DType::I32:
    case DType::F32:
    case DType::QI32:
    case DType::U32:
    case DType::C32: return 4;
    case DType::I64:
    case DType::F64:
    case DType::C64:
    case DType::U64: return 8;
    case DType::C128: return 16;
    default: return 1;
  }
}
constexpr bool is_complex(DType t) { return t == DType::C32 || t == DType::C64 || t == DType::C128; }
constexpr bool is_quantized(DType t) {
  return t == DType::QI8 || t == DType::QU8 || t == DType::QI32 || t == DType::QU4x2 || t == DType::QU2x4;
}
constexpr bool is_floating(DType t) {
  return t == DType::F16 || t == DType::F32 || t == DType::F64 || t == DType::BF16 ||
         (static_cast<int>(t) >= 23 && static_cast<int>(t) <= 26) || t == DType::F8E8M0;
}
constexpr bool is_integral(DType t) {  // without bool
  return (static_cast<int>(t) >= 0 && static_cast<int>(t) <= 4) || t == DType::U16 || t == DType::U32 || t == DType::U64;
}
// PyTorch's names: `float32`, and `Float` as its error messages say it.
const char* dtype_name(DType t);
const char* dtype_torch_name(DType t);

// Quantization parameters of a tensor. Per-tensor schemes use `scale` and `zero_point`; per-channel ones the arrays of
// `sizes[axis]` entries.
struct QuantParams {
  enum class Scheme : int8_t { PerTensorAffine = 0, PerChannelAffine = 1, PerChannelAffineFloat = 4 };
  Scheme scheme = Scheme::PerTensorAffine;
  double scale = 1;
  int64_t zero_point = 0;
  int64_t axis = 0;
  const double* scales = nullptr;       // PerChannelAffine*, per channel
  const double* zero_points = nullptr;  // PerChannelAffine*, per channel
};

// Where memory is: kCpuDevice, or the index of a CUDA device.
constexpr int8_t kCpuDevice = -1;

// A strided window on memory. `data` is the first element (offset applied); sizes and strides are in elements, and
// strides may be zero or negative only where a kernel says so (views never make negative strides).
struct TensorView {
  void* data = nullptr;
  int64_t sizes[kMaxDims];
  int64_t strides[kMaxDims];
  int32_t ndim = 0;
  DType dtype = DType::F32;
  int8_t device = kCpuDevice;
  const QuantParams* quant = nullptr;

  int64_t numel() const {
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= sizes[i];
    return n;
  }
  bool is_contiguous() const {
    int64_t expected = 1;
    for (int i = ndim - 1; i >= 0; i--) {
      if (sizes[i] == 0) return true;
      if (sizes[i] != 1 && strides[i] != expected) return false;
      expected *= sizes[i];
    }
    return true;
  }
  template <class T> T* ptr() const { return static_cast<T*>(data); }
};

enum class ArgKind : uint8_t { None, Tensor, Int, Float, Bool, Complex, String, IntList, FloatList, BoolList, TensorList };

// One argument of an operator, in schema order. A Scalar arrives as Int, Float, Bool or Complex (a "Python number" in type
// promotion); dtype, layout and memory format as Int. TensorList elements may be null where the schema says Tensor?[].
struct Arg {
  ArgKind kind = ArgKind::None;
  union {
    const TensorView* tensor;
    int64_t i;
    double d;
    bool b;
    struct {
      double re, im;
    } c;
    struct {
      const char* p;
      int64_t n;
    } str;
    struct {
      const int64_t* p;
      int64_t n;
    } ints;
    struct {
      const double* p;
      int64_t n;
    } floats;
    struct {
      const bool* p;
      int64_t n;
    } bools;
    struct {
      const TensorView* const* p;
      int64_t n;
    } tensors;
  };
  Arg() : i(0) {}
  bool is_none() const { return kind == ArgKind::None; }
  bool is_number() const { return kind == ArgKind::Int || kind == ArgKind::Float || kind == ArgKind::Bool || kind == ArgKind::Complex; }
  // The number as a double or an integer; 0 for None and non-numbers.
  double as_double() const {
    return kind == ArgKind::Float     ? d
           : kind == ArgKind::Int     ? static_cast<double>(i)
           : kind == ArgKind::Bool    ? b
           : kind == ArgKind::Complex ? c.re
                                      : 0;
  }
  int64_t as_int() const {
    return kind == ArgKind::Int       ? i
           : kind == ArgKind::Float   ? static_cast<int64_t>(d)
           : kind == ArgKind::Bool    ? b
           : kind == ArgKind::Complex ? static_cast<int64_t>(c.re)
                                      : 0;
  }
};

// Throws OperatorError (native/core/errors.h) with a printf-like message. Never called from a parallel section or an ISA unit.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Python class of the exception a message stands for: "IndexError", "ValueError", "NotImplementedError"; fail() means RuntimeError.
[[noreturn]] void fail_as(const char* python_class, const char* format, ...) __attribute__((format(printf, 2, 3)));

// mt19937 with PyTorch's CPU semantics.
struct RandomSource {
  virtual uint32_t next_u32() = 0;
  virtual void fill_u32(uint32_t* to, int64_t n) = 0;  // n draws of next_u32
  virtual uint64_t next_u64() = 0;                     // two draws, as PyTorch's random64
  virtual double next_normal_double() = 0;             // Box-Muller with PyTorch's cached second value
 protected:
  ~RandomSource() = default;
};

// Services of the executor to a running kernel.
struct Runtime {
  // Calls body(context, begin, end) over disjoint pieces of [0, n) of at least `grain` items; returns when all are done.
  // Runs inline when n <= grain or there is one thread.
  virtual void parallel_for(int64_t n, int64_t grain, void (*body)(void* context, int64_t begin, int64_t end), void* context) = 0;
  virtual int num_threads() const = 0;
  virtual RandomSource& random() = 0;
  // Names the inner kernel that runs, such as "gemm_f32_avx512_14x32"; shown by the profiler, asserted by tests. Free when nobody listens.
  virtual void note(const char* inner_kernel) = 0;
  // Brings the elements at `data` back to memory: those of args[pack_arg] may be away in a packed_only row.
  virtual void restore(const void* data) { (void)data; }
  // Scratch memory of the running call beyond what infer asked for; freed when the call returns. 64-byte aligned. Not thread-safe.
  virtual void* scratch(size_t bytes) = 0;

  template <class F> void parallel(int64_t n, int64_t grain, const F& body) {
    parallel_for(
      n, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<const F*>(context))(begin, end); }, const_cast<F*>(&body));
  }

 protected:
  ~Runtime() = default;
};

constexpr int kMaxOutputs = 8;

// One call of a kernel. infer() reads args and fills dtype, sizes (and strides, see set_output) of every output, and
// workspace_bytes; it throws on bad arguments. run() computes; outputs' data pointers are set and do not overlap inputs
// unless the row allows it.
struct Call {
  const Arg* args = nullptr;
  int nargs = 0;
  TensorView* outputs = nullptr;
  int noutputs = 0;
  size_t workspace_bytes = 0;  // set by infer; 64-byte aligned memory in `workspace` during run
  void* workspace = nullptr;
  // kMaxOutputs entries for infer: fill output_quant[i] and point outputs[i].quant at it to make a quantized output. Arrays that the
  // entry points to are copied when infer returns.
  QuantParams* output_quant = nullptr;
  const void* packed = nullptr;    // result of the row's pack for this weight, or null: the kernel packs for itself
  const void* prepared = nullptr;  // result of the row's prepare in a recorded schedule
  Runtime* runtime = nullptr;

  const TensorView& tensor(int i) const {
    if (args[i].kind != ArgKind::Tensor) fail("Expected a Tensor as argument %d", i + 1);
    return *args[i].tensor;
  }
  // Tensor i, with its elements in memory; see Kernel::packed_only.
  const TensorView& restored(int i) const {
    const TensorView& view = tensor(i);
    if (packed) runtime->restore(view.data);
    return view;
  }
  const TensorView* optional_tensor(int i) const { return i < nargs && args[i].kind == ArgKind::Tensor ? args[i].tensor : nullptr; }
  // Sets shape and dtype of output i, contiguous.
  void set_output(int i, DType dtype, const int64_t* sizes, int ndim) {
    TensorView& out = outputs[i];
    out.dtype = dtype;
    out.ndim = ndim;
    int64_t stride = 1;
    for (int d = ndim - 1; d >= 0; d--) {
      out.sizes[d] = sizes[d];
      out.strides[d] = stride;
      stride *= sizes[d] > 0 ? sizes[d] : 1;
    }
  }
};

// Rows of the kernel table. A file-scope `TS_KERNEL(softmax, {.infer = ..., .run = ...});` registers a row by being linked in.
struct Kernel {
  const char* name = nullptr;
  void (*infer)(Call& call) = nullptr;
  void (*run)(Call& call) = nullptr;
  // Weight packing: pack_bytes gives the size for these args (0: not packable now), pack fills it. Called with shapes known; the executor
  // caches the result with the storage of argument `pack_arg` while that storage is a weight and is not written. The packed bytes may depend
  // only on that tensor, the non-tensor arguments and the size that pack_bytes gave; run must check that what it got suits the call.
  int pack_arg = -1;
  size_t (*pack_bytes)(const Call& call) = nullptr;
  void (*pack)(const Call& call, void* packed) = nullptr;
  // Whether pack takes args[pack_arg], contiguous, in the last bytes of `packed`: what is computed only to be packed then needs no memory beside it.
  bool (*packs_over)(const Call& call) = nullptr;
  // Given `packed`, run reads the elements of args[pack_arg] after Call::restored alone, so that they need not be in memory.
  bool packed_only = false;
  bool data_dependent = false;  // infer reads tensor data (nonzero, unique): such a call is never part of a recorded schedule
  bool random = false;          // draws from runtime->random()
  bool in_place = false;        // run accepts outputs[0] being exactly the same view as args[0] (or any equal-shaped tensor arg)
  bool self_first = false;      // run makes outputs[0] a copy of args[0] and then reads the others, none of which it may be
  bool total = false;           // run fails for no elements: what infer takes, it computes
  // Whether infer and run take these arguments; looks at no data. Asked where a program has another way (`torchscript::fusion_fits`).
  bool (*accepts)(const Call& call) = nullptr;
  // Work that depends on all but data, done once for a recorded schedule. Shared by runs at the same time.
  void* (*prepare)(const Call& call) = nullptr;
  void (*release)(void* prepared) = nullptr;
  // Memory for `call.workspace` of a CUDA row, asked after infer, whose own request is for the CPU's row. Null: none.
  size_t (*workspace)(const Call& call) = nullptr;
  // A CUDA row whose run waits for values of tensors, or draws from runtime->random(): it is never part of a captured graph.
  bool waits = false;
  // Of a CUDA row: bit i says that argument i is read on the CPU, where it stays when it is there.
  uint32_t on_host = 0;
  bool quantized = false;  // takes quantized tensors; other rows get them dequantized, and their float results are quantized again
  Kernel* next = nullptr;  // registry's list
};

// The CPU's row of a name; null when there is none.
const Kernel* find_kernel(const char* name);

struct KernelRegistration {
  explicit KernelRegistration(Kernel* row);
  KernelRegistration(Kernel* row, bool on_cuda);
};

#define TS_KERNEL(row_name, ...)                     \
  static ::torchscript::Kernel row_name##_row = [] { \
    ::torchscript::Kernel row __VA_ARGS__;           \
    row.name = #row_name;                            \
    return row;                                      \
  }();                                               \
  static ::torchscript::KernelRegistration row_name##_registration(&row_name##_row)

// The same row for tensors on a CUDA device: `run` gets device pointers and launches on the current stream (cuda/launch.h). What is not given
// is that of the CPU's row of the same name: infer, data_dependent, random, quantized. `accepts` says which calls it takes; the others have
// no CUDA kernel. A data-dependent row gives its own infer.
#define TS_CUDA_KERNEL(row_name, ...)                     \
  static ::torchscript::Kernel row_name##_cuda_row = [] { \
    ::torchscript::Kernel row __VA_ARGS__;                \
    row.name = #row_name;                                 \
    return row;                                           \
  }();                                                    \
  static ::torchscript::KernelRegistration row_name##_cuda_registration(&row_name##_cuda_row, true)

// The instruction set in force: decided once by CPUID + XCR0, or by TORCHSCRIPT_ISA.
enum class Isa : uint8_t { Scalar = 0, Avx2 = 1, Avx512 = 2 };
Isa active_isa();
const char* isa_name(Isa isa);

// Tables of inner kernels: the same source in native/cpu-avx/isa is compiled once an instruction set, in namespaces scalar,
// avx2 and avx512, each of which defines `const Table name`. TS_ISA_TABLE(SoftmaxTable, softmax_table) declares them and gives
// `const SoftmaxTable& softmax_table()` for the instruction set in force.
#if defined(TS_HAVE_X86_KERNELS)
#define TS_ISA_TABLE(Table, name)            \
  namespace scalar {                         \
  extern const Table name;                   \
  }                                          \
  namespace avx2 {                           \
  extern const Table name;                   \
  }                                          \
  namespace avx512 {                         \
  extern const Table name;                   \
  }                                          \
  inline const Table& name() {               \
    switch (active_isa()) {                  \
      case Isa::Avx512: return avx512::name; \
      case Isa::Avx2: return avx2::name;     \
      default: return scalar::name;          \
    }                                        \
  }                                          \
  static_assert(true)
#else
#define TS_ISA_TABLE(Table, name)                     \
  namespace scalar {                                  \
  extern const Table name;                            \
  }                                                   \
  inline const Table& name() { return scalar::name; } \
  static_assert(true)
#endif

}  // namespace torchscript
