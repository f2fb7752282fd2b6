// Pads of the last dimensions: constant, reflect, replicate, circular. The list counts from the last dimension: (left, right, top, bottom, ...);
// negative pads crop.
#include "cpu-avx/channels_last.h"
#include "cpu-avx/portable/mapped_copy.h"

namespace torchscript::portable {
namespace {

enum class Mode { Constant, Reflect, Replicate, Circular };

void infer_pads(Call& call, Mode mode) {
  const TensorView& self = call.tensor(0);
  const auto& pads = call.args[1].ints;
  if (pads.n % 2 != 0) fail("Length of pad must be even but instead it equals %lld", static_cast<long long>(pads.n));
  if (pads.n > 2 * self.ndim)
    fail(
      "Padding length should be less than or equal to two times the input dimension but got padding length %lld and input of dimension %d",
      static_cast<long long>(pads.n), self.ndim);
  int64_t sizes[kMaxDims];
  std::copy(self.sizes, self.sizes + self.ndim, sizes);
  for (int64_t i = 0; i < pads.n / 2; i++) {
    const int d = self.ndim - 1 - static_cast<int>(i);
    const int64_t left = pads.p[2 * i], right = pads.p[2 * i + 1], size = self.sizes[d];
    if (mode == Mode::Reflect && (left >= size || right >= size)) {
      char text[256];
      fail(
        "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (%lld, %lld) at dimension %d of input %s",
        static_cast<long long>(left), static_cast<long long>(right), d, shape_text(self, text));
    }
    if (mode == Mode::Circular && (left > size || right > size)) fail("Padding value causes wrapping around more than once.");
    sizes[d] += left + right;
    if (sizes[d] < 0 || (sizes[d] == 0 && mode != Mode::Constant)) {
      fail(
        "The input size %lld, plus negative padding %lld and %lld, resulted in a negative output size, which is invalid. Check dimension %d of your input.",
        static_cast<long long>(size), static_cast<long long>(left), static_cast<long long>(right), d);
    }
    if (mode == Mode::Replicate && size == 0) fail("replication_pad: expected a non-empty input at dimension %d", d);
  }
  call.set_output(0, self.dtype, sizes, self.ndim);
  if (mode != Mode::Circular && has_channels_last_strides(self)) make_channels_last(call.outputs[0]);
  if (self.quant != nullptr) call.outputs[0].quant = self.quant;
}

std::vector<int64_t> pad_map(int64_t size, int64_t left, int64_t right, Mode mode) {
  std::vector<int64_t> map(static_cast<size_t>(size + left + right));
  for (size_t i = 0; i < map.size(); i++) {
    int64_t x = static_cast<int64_t>(i) - left;
    switch (mode) {
      case Mode::Constant:
        if (x >= size) x = -1;
        else if (x < 0) x = -1;
        break;
      case Mode::Reflect:
        if (x < 0) x = -x;
        if (x >= size) x = 2 * (size - 1) - x;
        break;
      case Mode::Replicate: x = std::min(std::max<int64_t>(x, 0), size - 1); break;
      case Mode::Circular: {  // of what the negative pads leave
        const int64_t crop = std::max<int64_t>(-left, 0), kept = size - crop - std::max<int64_t>(-right, 0);
        x = ((static_cast<int64_t>(i) - std::max<int64_t>(left, 0)) % kept + kept) % kept + crop;
        break;
      }
    }
    map[i] = x;
  }
  return map;
}

void run_pads(Call& call, Mode mode, const Arg* value) {
  TensorView self = call.tensor(0), out = call.outputs[0];
  if (out.numel() == 0) return;
  const int ndim = self.ndim;
  const bool inside = has_channels_last_strides(out);
  if (inside) {
    self = with_channels_inside(self);
    out = with_channels_inside(out);
  }
  const auto& pads = call.args[1].ints;
  IndexMaps maps;
  for (int d = 0; d < ndim; d++) {
    const int64_t i = ndim - 1 - (inside ? (d == 0 ? 0 : d == ndim - 1 ? 1 : d + 1) : d);
    maps.push_back(i < pads.n / 2 ? pad_map(self.sizes[d], pads.p[2 * i], pads.p[2 * i + 1], mode) : identity_map(self.sizes[d]));
  }
  Bytes16 fill{};
  if (value != nullptr && !value->is_none()) {
    dispatch_all(self.dtype, "constant_pad_nd", [&](auto tag) {
      const decltype(tag) v = scalar_as<decltype(tag)>(*value);
      std::memcpy(&fill, &v, sizeof v);
    });
  }
  mapped_copy(call, self, out, maps, &fill);
}

void infer_constant(Call& call) { infer_pads(call, Mode::Constant); }
void run_constant(Call& call) { run_pads(call, Mode::Constant, &call.args[2]); }
void infer_reflection(Call& call) { infer_pads(call, Mode::Reflect); }
void run_reflection(Call& call) { run_pads(call, Mode::Reflect, nullptr); }
void infer_replication(Call& call) { infer_pads(call, Mode::Replicate); }
void run_replication(Call& call) { run_pads(call, Mode::Replicate, nullptr); }
void infer_circular(Call& call) { infer_pads(call, Mode::Circular); }
void run_circular(Call& call) { run_pads(call, Mode::Circular, nullptr); }

Mode mode_of(const Arg& mode) {
  const std::string_view name(mode.str.p, static_cast<size_t>(mode.str.n));
  if (name == "constant") return Mode::Constant;
  if (name == "reflect") return Mode::Reflect;
  if (name == "replicate") return Mode::Replicate;
  if (name == "circular") return Mode::Circular;
  fail_as("NotImplementedError", "Unrecognised padding mode %.*s", static_cast<int>(mode.str.n), mode.str.p);
}

void infer_pad(Call& call) {
  const Mode mode = mode_of(call.args[2]);
  const int64_t padded = call.args[1].ints.n / 2;
  const int ndim = call.tensor(0).ndim;
  if (mode != Mode::Constant && !call.args[3].is_none() && call.args[3].as_double() != 0) {
    fail("Padding mode \"%.*s\" doesn't take in value argument", static_cast<int>(call.args[2].str.n), call.args[2].str.p);
  }
  if (mode != Mode::Constant && (padded < 1 || padded > 3 || (ndim != padded + 1 && ndim != padded + 2))) {
    fail_as("NotImplementedError", "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now");
  }
  infer_pads(call, mode);
}
void run_pad(Call& call) {
  const Mode mode = mode_of(call.args[2]);
  run_pads(call, mode, mode == Mode::Constant ? &call.args[3] : nullptr);
}

}  // namespace

TS_KERNEL(constant_pad_nd, {.infer = infer_constant, .run = run_constant});
TS_KERNEL(reflection_pad, {.infer = infer_reflection, .run = run_reflection, .quantized = true});
TS_KERNEL(replication_pad, {.infer = infer_replication, .run = run_replication, .quantized = true});
TS_KERNEL(circular_pad, {.infer = infer_circular, .run = run_circular, .quantized = true});
TS_KERNEL(pad, {.infer = infer_pad, .run = run_pad});

}  // namespace torchscript::portable
