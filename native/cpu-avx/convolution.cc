// convNd, convolution, _convolution, _convolution_mode, conv_transposeNd and convolution_epilogue.
#include "cpu-avx/conv/rows.h"
#include "cpu-avx/conv/transposed_last.h"
#include "cpu-avx/conv/winograd_last.h"
#include "cpu-avx/conv/winograd_stem.h"
#include "cpu-avx/copy.h"
#include "cpu-avx/gemm/epilogue.h"

namespace torchscript {
namespace {

// As those of conv/rows.h. -2: always transposed.
constexpr ConvArguments kTransposedNd = {3, 4, 7, -2, 5, 6};
constexpr ConvArguments kMkldnn = {4, 3, 5, -1, -1, 6};

template <class T> constexpr bool has_tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

// conv_transpose: columns[oc * taps][in pixels] = weight^T x input, then every column adds to the pixel it falls on.
template <class T> void run_transposed(Runtime& runtime, const ConvShape& s, const TensorView& x, const T* weight, const T* bias, T* out) {
  const int64_t pixels = s.in_pixels(), taps = s.taps(), filters = s.group_out(), channels = s.group_in(), out_pixels = s.out_pixels();
  const TensorView input = as_contiguous<T>(runtime, x);
  T* columns = static_cast<T*>(runtime.scratch(static_cast<size_t>(filters * taps * pixels) * sizeof(T) + 64));
  for (int64_t i = 0; i < s.batch * s.groups; i++) {
    const int64_t group = i % s.groups;
    Gemm<T> g;
    g.m = filters * taps;
    g.n = pixels;
    g.k = channels;
    g.a = weight + group * channels * filters * taps;
    g.a_row = 1;
    g.a_col = filters * taps;
    g.b = input.ptr<T>() + i * channels * pixels;
    g.b_row = pixels;
    g.b_col = 1;
    g.c = columns;
    g.c_row = pixels;
    if constexpr (has_tiles<T>) {
      if (g.m == 1) run_product(runtime, g);
      else gemm(runtime, g);
    } else {
      gemm_plain(g);
    }
    runtime.parallel(filters, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, taps * pixels)), [&](int64_t begin, int64_t end) {
      for (int64_t f = begin; f < end; f++) {
        T* plane = out + (i * filters + f) * out_pixels;
        const T start = bias ? bias[group * filters + f] : T(0);
        for (int64_t p = 0; p < out_pixels; p++) plane[p] = start;
        const T* column = columns + f * taps * pixels;
        for (int64_t t = 0; t < taps; t++, column += pixels) {
          const int64_t kx = t % s.kernel[2], ky = t / s.kernel[2] % s.kernel[1], kz = t / s.kernel[2] / s.kernel[1];
          const int64_t shift = kx * s.dilation[2] - s.pad_low[2];
          // Input columns whose output column lies inside.
          int64_t x0 = 0, x1 = s.in[2];
          while (x0 < x1 && x0 * s.stride[2] + shift < 0) x0++;
          while (x1 > x0 && (x1 - 1) * s.stride[2] + shift >= s.out[2]) x1--;
          for (int64_t z = 0; z < s.in[0]; z++) {
            const int64_t oz = z * s.stride[0] + kz * s.dilation[0] - s.pad_low[0];
            if (oz < 0 || oz >= s.out[0]) continue;
            for (int64_t y = 0; y < s.in[1]; y++) {
              const int64_t oy = y * s.stride[1] + ky * s.dilation[1] - s.pad_low[1];
              if (oy < 0 || oy >= s.out[1]) continue;
              T* to = plane + (oz * s.out[1] + oy) * s.out[2] + shift;
              const T* from = column + (z * s.in[1] + y) * s.in[2];
              if (s.stride[2] == 1)
                for (int64_t xx = x0; xx < x1; xx++) to[xx] += from[xx];
              else
                for (int64_t xx = x0; xx < x1; xx++) to[xx * s.stride[2]] += from[xx];
            }
          }
        }
      }
    });
  }
}

bool has_channels_last_form(const ConvShape& s) { return s.transposed ? has_transposed_last_form(s) : has_last_form(s); }
// The form that constant weights are packed for.
ConvForm last_form(const ConvShape& s) {
  if (is_winograd_stem(s)) return ConvForm::LastStem;
  const int size = winograd_last_size(s);
  return size == 4 ? ConvForm::LastWinograd4 : size == 2 ? ConvForm::LastWinograd2 : ConvForm::Last;
}
template <class T> ConvForm packed_form(const ConvShape& s, DType dtype) {
  if constexpr (std::is_same_v<T, float>) {
    if (dtype == DType::F32 && s.channels_last && has_channels_last_form(s)) return last_form(s);
    const int size = winograd_size(s);
    if (size) return size == 4 ? ConvForm::Winograd4 : ConvForm::Winograd2;
  }
  return choose_form<T>(s);
}
const char* winograd_last_name(int size) {
  switch (active_isa()) {
    case Isa::Avx512: return size == 4 ? "conv_winograd_4x4_last_avx512" : "conv_winograd_2x2_last_avx512";
    case Isa::Avx2: return size == 4 ? "conv_winograd_4x4_last_avx2" : "conv_winograd_2x2_last_avx2";
    default: return size == 4 ? "conv_winograd_4x4_last_scalar" : "conv_winograd_2x2_last_scalar";
  }
}
const char* transposed_last_name() {
  switch (active_isa()) {
    case Isa::Avx512: return "conv_transposed_last_avx512";
    case Isa::Avx2: return "conv_transposed_last_avx2";
    default: return "conv_transposed_last_scalar";
  }
}
const char* winograd_stem_name() {
  switch (active_isa()) {
    case Isa::Avx512: return "conv_winograd_3x3_stem_avx512";
    case Isa::Avx2: return "conv_winograd_3x3_stem_avx2";
    default: return "conv_winograd_3x3_stem_scalar";
  }
}
const char* winograd_name(int size) {
  switch (active_isa()) {
    case Isa::Avx512: return size == 4 ? "conv_winograd_4x4_avx512" : "conv_winograd_2x2_avx512";
    case Isa::Avx2: return size == 4 ? "conv_winograd_4x4_avx2" : "conv_winograd_2x2_avx2";
    default: return size == 4 ? "conv_winograd_4x4_scalar" : "conv_winograd_2x2_scalar";
  }
}
constexpr int tile_size(ConvForm form) {
  if (form == ConvForm::Winograd4 || form == ConvForm::LastWinograd4) return 4;
  return form == ConvForm::Winograd2 || form == ConvForm::LastWinograd2 ? 2 : 0;
}
constexpr bool is_last(ConvForm form) { return form >= ConvForm::Last; }
template <class T> size_t packed_bytes(const ConvShape& s, ConvForm form) {
  const int size = tile_size(form);
  if (is_last(form)) {
    const int64_t elements = form == ConvForm::LastStem ? winograd_stem_elements(s)
                             : size                     ? WinogradLastWeights(s, WinogradLastTiles(s, size)).elements()
                                                        : packed_last_elements(s);
    return WeightLayout<T>::kHeader * static_cast<size_t>(form) + static_cast<size_t>(elements) * sizeof(T);
  }
  if (!size) return WeightLayout<T>(s, form).bytes(s);
  return WeightLayout<T>::kHeader * static_cast<size_t>(form) +
         static_cast<size_t>(WinogradWeights(s).each * (size + 2) * (size + 2)) * sizeof(T);
}
template <class T> void pack_form(const ConvShape& s, ConvForm form, const T* weight, void* packed) {
  if constexpr (std::is_same_v<T, float>) {
    const int size = tile_size(form);
    if (size || is_last(form)) {
      *static_cast<int64_t*>(packed) = static_cast<int64_t>(form);
      float* to = reinterpret_cast<float*>(static_cast<char*>(packed) + WeightLayout<T>::kHeader);
      if (form == ConvForm::LastStem) return pack_winograd_stem(s, weight, to);
      if (s.transposed) return pack_transposed_last(s, weight, to);
      if (!size) return pack_last(s, weight, to);
      return is_last(form) ? pack_winograd_last(s, size, weight, to) : pack_winograd(s, size, weight, to);
    }
  }
  pack_conv_weight<T>(s, form, weight, packed);
}

TensorView channels_last_copy(Runtime& runtime, const TensorView& x) {
  const TensorView copy = channels_last_view(x, runtime.scratch(static_cast<size_t>(x.numel()) * sizeof(float) + 64));
  copy_strided(copy, x, &runtime);
  return copy;
}
// float32 to a channels-last output.
void run_channels_last(Call& call, const ConvShape& s, const TensorView* residual, Activation activation) {
  Runtime& runtime = *call.runtime;
  const TensorView& out = call.outputs[0];
  LastProblem c;
  c.s = s;
  c.activation = activation;
  const TensorView* bias = call.optional_tensor(2);
  c.bias = bias ? stage<float>(runtime, *bias) : nullptr;
  TensorView x = call.tensor(0), other;
  LastImage image;
  const bool last = last_image(s, x, image);
  if (residual) {
    other = is_dense_last(*residual) ? *residual : channels_last_copy(runtime, *residual);
    c.residual = other.ptr<float>();
  }
  const bool direct = is_dense_last(out);
  const TensorView block = direct ? out : channels_last_view(out, runtime.scratch(static_cast<size_t>(out.numel()) * sizeof(float) + 64));
  c.out = block.ptr<float>();
  const void* packed = call.packed;
  ConvForm form = packed ? static_cast<ConvForm>(*static_cast<const int64_t*>(packed)) : ConvForm::Last;
  auto pack_now = [&](ConvForm now) {
    form = now;
    void* own = runtime.scratch(packed_bytes<float>(s, form));
    pack_form<float>(s, form, stage<float>(runtime, call.restored(1)), own);
    packed = own;
  };
  // Weights that change are transformed only where the environment asks for it.
  if (!packed || !is_last(form)) pack_now(winograd_setting() >= 2 ? last_form(s) : ConvForm::Last);
  const bool stem = form == ConvForm::LastStem;
  if (stem && ((last && s.in_channels > 1) || (x.strides[3] != 1 && s.in[2] > 1))) pack_now(ConvForm::Last);
  const int size = tile_size(form);
  if ((s.groups > 1 || size || s.transposed) && !last) {
    x = channels_last_copy(runtime, x);
    last_image(s, x, image);
  }
  auto weights = [&] { return static_cast<const char*>(packed) + WeightLayout<float>::kHeader; };
  c.packed = weights();
  bool done = false;
  if (size) {
    runtime.note(winograd_last_name(size));
    done = run_winograd_last(runtime, c, size, image);
  } else if (form == ConvForm::LastStem) {
    runtime.note(winograd_stem_name());
    done = run_winograd_stem(runtime, c, x);
  }
  if (!done) {
    if (form != ConvForm::Last) pack_now(ConvForm::Last);
    c.packed = weights();
    if (s.transposed) {
      runtime.note(transposed_last_name());
      run_transposed_last(runtime, c, image);
    } else {
      run_last(runtime, c, x);
    }
  }
  if (!direct) copy_strided(out, block, &runtime);
}

template <class T> void run_as(Call& call, ConvShape s, const TensorView* residual_view, Activation activation) {
  Runtime& runtime = *call.runtime;
  const TensorView& out = call.outputs[0];
  if (out.numel() == 0) return;
  if constexpr (std::is_same_v<T, float>) {
    if (s.channels_last && out.dtype == DType::F32 && has_channels_last_form(s))
      return run_channels_last(call, s, residual_view, activation);
  }
  T* block = output_block<T>(runtime, out);
  const TensorView* bias_view = call.optional_tensor(2);
  const T* bias = bias_view ? stage<T>(runtime, *bias_view) : nullptr;
  const T* residual = residual_view ? stage<T>(runtime, *residual_view) : nullptr;
  // Where the kernel does not do it itself.
  auto finish = [&] {
    if (residual)
      for (int64_t i = 0; i < out.numel(); i++) block[i] += residual[i];
    activate(block, out.numel(), activation);
    finish_output(block, out);
  };
  if (s.in_channels == 0) {
    for (int64_t i = 0; i < out.numel(); i++) block[i] = bias ? bias[i / s.out_pixels() % s.out_channels] : T(0);
    return finish();
  }
  if (s.transposed) {
    if constexpr (has_tiles<T>) runtime.note(tile_kernels<T>().name);
    run_transposed<T>(runtime, s, call.tensor(0), stage<T>(runtime, call.restored(1)), bias, block);
    return finish();
  }
  TensorView x = as_compute<T>(runtime, call.tensor(0));
  drop_stride(s, x);
  ConvProblem<T> c;
  c.s = s;
  c.bias = bias;
  c.out = block;
  const bool depthwise = has_tiles<T> && s.is_depthwise();
  if constexpr (has_tiles<T>) {
    c.residual = residual;
    c.activation = activation;
  }
  const void* packed = depthwise ? nullptr : call.packed;
  ConvForm form = ConvForm::FiltersFirst;
  if constexpr (has_tiles<T>) form = packed ? static_cast<ConvForm>(*static_cast<const int64_t*>(packed)) : choose_form<T>(s);
  if constexpr (std::is_same_v<T, float>) {
    // Weights that change are transformed only where the environment asks for it.
    if (!packed && !depthwise && winograd_setting() >= 2 && tile_size(packed_form<T>(s, call.tensor(1).dtype))) {
      form = packed_form<T>(s, call.tensor(1).dtype);
      void* own = runtime.scratch(packed_bytes<T>(s, form));
      pack_form<T>(s, form, stage<T>(runtime, call.restored(1)), own);
      packed = own;
    }
    if (const int size = packed ? tile_size(form) : 0) {
      c.packed = reinterpret_cast<const T*>(static_cast<const char*>(packed) + WeightLayout<T>::kHeader);
      runtime.note(winograd_name(size));
      if (run_winograd(runtime, c, size, x)) return finish_output(block, out);
      packed = nullptr;
      form = choose_form<T>(s);
    }
  }
  c.image = depthwise ? image_layout<T>(s) : stage_image<T>(runtime, s, x);
  auto* offsets = static_cast<int64_t*>(runtime.scratch(static_cast<size_t>(s.group_in() * s.taps()) * sizeof(int64_t) + 64));
  tap_offsets(s, c.image, s.group_in(), offsets);
  c.offsets = offsets;
  if constexpr (has_tiles<T>) {
    if (depthwise) {
      runtime.note("conv_depthwise");
      run_depthwise(runtime, c, x, stage<T>(runtime, call.restored(1)));
    } else {
      if (!packed) {
        void* own = runtime.scratch(WeightLayout<T>(s, form).bytes(s));
        pack_conv_weight<T>(s, form, stage<T>(runtime, call.restored(1)), own);
        packed = own;
      }
      c.packed = reinterpret_cast<const T*>(static_cast<const char*>(packed) + WeightLayout<T>::kHeader);
      runtime.note(tile_kernels<T>().name);
      run_conv(runtime, c, form);
    }
    finish_output(block, out);
  } else {
    runtime.note("conv_plain");
    run_conv_plain(runtime, c, stage<T>(runtime, call.restored(1)));
    finish();
  }
}

template <int N, const ConvArguments& At> void conv_infer(Call& call) { set_conv_output(call, conv_shape(call, N, At)); }
template <int N, const ConvArguments& At> void conv_with(Call& call, const TensorView* residual, Activation activation) {
  const ConvShape s = conv_shape(call, N, At);
  with_compute_type(call.tensor(0).dtype, [&](auto t) { run_as<decltype(t)>(call, s, residual, activation); });
}
template <int N, const ConvArguments& At> void conv_run(Call& call) { conv_with<N, At>(call, nullptr, Activation::None); }
template <int N, const ConvArguments& At> size_t conv_pack_bytes(const Call& call) {
  const TensorView& w = call.tensor(1);
  if (!is_floating(w.dtype)) return 0;
  const ConvShape s = conv_shape(call, N, At);
  const bool last = w.dtype == DType::F32 && s.channels_last && has_channels_last_form(s);
  if ((s.transposed && !last) || s.in_channels == 0 || s.out_channels == 0) return 0;
  if (s.is_depthwise() && !last) return 0;
  return with_float_type(w.dtype, [&](auto t) { return packed_bytes<decltype(t)>(s, packed_form<decltype(t)>(s, w.dtype)); });
}
template <int N, const ConvArguments& At> bool conv_packs_over(const Call& call) {
  const TensorView& w = call.tensor(1);
  if (w.dtype != DType::F32 || !w.is_contiguous()) return false;
  const ConvForm form = packed_form<float>(conv_shape(call, N, At), w.dtype);
  return is_last(form) && tile_size(form) > 0;
}
template <int N, const ConvArguments& At> void conv_pack(const Call& call, void* packed) {
  const ConvShape s = conv_shape(call, N, At);
  with_float_type(call.tensor(1).dtype, [&](auto t) {
    using T = decltype(t);
    pack_form<T>(s, packed_form<T>(s, call.tensor(1).dtype), stage<T>(*call.runtime, call.tensor(1)), packed);
  });
}

#define TS_CONV(name, dims, arguments)                             \
  TS_KERNEL(name, {.infer = conv_infer<dims, arguments>,           \
                   .run = conv_run<dims, arguments>,               \
                   .pack_arg = 1,                                  \
                   .pack_bytes = conv_pack_bytes<dims, arguments>, \
                   .pack = conv_pack<dims, arguments>,             \
                   .packs_over = conv_packs_over<dims, arguments>, \
                   .packed_only = true})
TS_CONV(conv1d, 1, kConvNd);
TS_CONV(conv2d, 2, kConvNd);
TS_CONV(conv3d, 3, kConvNd);
TS_CONV(convolution, 0, kConvolution);
TS_CONV(convolution_mode, 0, kConvNd);
TS_CONV(mkldnn_convolution, 0, kMkldnn);
TS_CONV(conv_transpose1d, 1, kTransposedNd);
TS_CONV(conv_transpose2d, 2, kTransposedNd);
TS_CONV(conv_transpose3d, 3, kTransposedNd);

}  // namespace

void infer_convolution_epilogue(Call& call) { infer_epilogue(call, kEpilogueResidual, kEpilogueActivation, conv_infer<0, kEpilogue>); }
void run_convolution_epilogue(Call& call) {
  run_epilogue(call, kEpilogueResidual, kEpilogueActivation, conv_infer<0, kEpilogue>, conv_with<0, kEpilogue>);
}

namespace {

TS_KERNEL(convolution_epilogue, {.infer = infer_convolution_epilogue,
                                 .run = run_convolution_epilogue,
                                 .pack_arg = 1,
                                 .pack_bytes = conv_pack_bytes<0, kEpilogue>,
                                 .pack = conv_pack<0, kEpilogue>,
                                 .packs_over = conv_packs_over<0, kEpilogue>,
                                 .packed_only = true});

}  // namespace
}  // namespace torchscript
