// GCC 12 sees strings that overlap where two are joined (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif
#include "cuda/emit/elements.h"

#include <algorithm>

namespace torchscript::cuda::emit {
namespace {

bool is_signed_narrow(DType t) { return t == DType::I8 || t == DType::I16; }
int bits_of(DType t) { return static_cast<int>(dtype_size(t)) * 8; }

Value truth_of(Recorder& r, const Value& v) {
  switch (v.type) {
    case Type::Pred: return v;
    case Type::F32: return r.op(Type::Pred, "setp.neu.f32", {v, known_f32(0)});
    case Type::F64: return r.op(Type::Pred, "setp.neu.f64", {v, known_f64(0)});
    case Type::B64: return r.op(Type::Pred, "setp.ne.s64", {v, known_b64(0)});
    default: return r.op(Type::Pred, "setp.ne.s32", {v, known_b32(0)});
  }
}
// Truncation as the CPU does it: out of range gives the smallest integer.
Value whole_of(Recorder& r, const Value& v, bool is_long) {
  const bool wide = v.type == Type::F64;
  const double top = is_long ? 0x1p63 : 0x1p31;
  const Value low = wide ? known_f64(is_long ? -0x1p63 : -2147483649.0) : known_f32(static_cast<float>(-top));
  const Value high = wide ? known_f64(top) : known_f32(static_cast<float>(top));
  const Value above = r.op(Type::Pred, wide ? (is_long ? "setp.ge.f64" : "setp.gt.f64") : "setp.ge.f32", {v, low});
  const Value below = r.op(Type::Pred, wide ? "setp.lt.f64" : "setp.lt.f32", {v, high});
  const Value fits = r.op(Type::Pred, "and.pred", {above, below});
  if (is_long) {
    const Value whole = r.op(Type::B64, wide ? "cvt.rzi.s64.f64" : "cvt.rzi.s64.f32", {v});
    return r.op(Type::B64, "selp.b64", {whole, known_b64(INT64_MIN), fits});
  }
  const Value whole = r.op(Type::B32, wide ? "cvt.rzi.s32.f64" : "cvt.rzi.s32.f32", {v});
  return r.op(Type::B32, "selp.b32", {whole, known_b32(INT32_MIN), fits});
}
Value as_f32(Recorder& r, const Value& v) {
  switch (v.type) {
    case Type::F32: return v;
    case Type::F64: return r.op(Type::F32, "cvt.rn.f32.f64", {v});
    case Type::B64: return r.op(Type::F32, "cvt.rn.f32.s64", {v});
    case Type::Pred: return truth_as(r, v, Compute::F32);
    default: return r.op(Type::F32, "cvt.rn.f32.s32", {v});
  }
}
Value as_f64(Recorder& r, const Value& v) {
  switch (v.type) {
    case Type::F64: return v;
    case Type::F32: return r.op(Type::F64, "cvt.f64.f32", {v});
    case Type::B64: return r.op(Type::F64, "cvt.rn.f64.s64", {v});
    case Type::Pred: return truth_as(r, v, Compute::F64);
    default: return r.op(Type::F64, "cvt.rn.f64.s32", {v});
  }
}
Value as_b32(Recorder& r, const Value& v) {
  switch (v.type) {
    case Type::B32: return v;
    case Type::B64: return r.op(Type::B32, "cvt.u32.u64", {v});
    case Type::Pred: return truth_as(r, v, Compute::I32);
    default: return whole_of(r, v, false);
  }
}
Value as_b64(Recorder& r, const Value& v) {
  switch (v.type) {
    case Type::B64: return v;
    case Type::B32: return r.op(Type::B64, "cvt.s64.s32", {v});
    case Type::Pred: return truth_as(r, v, Compute::I64);
    default: return whole_of(r, v, true);
  }
}

Value half_bits(Recorder& r, const Value& v) { return r.op(Type::B16, "cvt.rn.f16.f32", {v}); }
Value rounded_half(Recorder& r, const Value& v) { return r.op(Type::F32, "cvt.f32.f16", {half_bits(r, v)}); }
Value brain_bits(Recorder& r, const Value& v) {
  if (r.has_brain_floats()) return r.op(Type::B16, "cvt.rn.bf16.f32", {v});
  // Round to nearest even of the upper half; NaN stays NaN.
  const Value bits = r.op(Type::B32, "mov.b32", {v});
  const Value odd = r.op(Type::B32, "bfe.u32", {bits, known_b32(16), known_b32(1)});
  const Value sum = r.op(Type::B32, "add.s32", {r.op(Type::B32, "add.s32", {bits, odd}), known_b32(0x7fff)});
  const Value nan = r.op(Type::Pred, "setp.nan.f32", {v, v});
  const Value upper = r.op(Type::B32, "shr.u32", {r.op(Type::B32, "selp.b32", {known_b32(0x7fc00000), sum, nan}), known_b32(16)});
  return r.op(Type::B16, "cvt.u16.u32", {upper});
}
Value brain_of(Recorder& r, const Value& bits) { return r.op(Type::F32, "mov.b32", {r.pair(known_b16(0), bits)}); }
Value rounded_brain(Recorder& r, const Value& v) { return brain_of(r, brain_bits(r, v)); }

Value narrowed(Recorder& r, const Value& v, DType to) {
  if (bits_of(to) == 32) return v;
  return r.op(Type::B32, is_signed_narrow(to) ? "bfe.s32" : "bfe.u32", {v, known_b32(0), known_b32(bits_of(to))});
}

const char* const kVector[] = {"", "", ".v2", "", ".v4"};
std::string list_of(const Value* values, int count) {
  if (count == 1) return Recorder::text_of(values[0]);
  std::string text;
  for (int i = 0; i < count; i++) text += (i ? ", " : "{") + Recorder::text_of(values[i]);
  return text + "}";
}
std::string place(const Value& address, int64_t offset) {
  return "[" + Recorder::text_of(address) + (offset ? "+" + std::to_string(offset) : "") + "]";
}

}  // namespace

bool has_elements(DType t) {
  switch (t) {
    case DType::U8:
    case DType::I8:
    case DType::I16:
    case DType::I32:
    case DType::I64:
    case DType::F16:
    case DType::F32:
    case DType::F64:
    case DType::Bool:
    case DType::BF16:
    case DType::U16:
    case DType::U32: return true;
    default: return false;
  }
}
Type register_of(DType t) {
  switch (t) {
    case DType::F16:
    case DType::BF16:
    case DType::F32: return Type::F32;
    case DType::F64: return Type::F64;
    case DType::Bool: return Type::Pred;
    case DType::I64:
    case DType::U32: return Type::B64;
    default: return Type::B32;
  }
}

Value truth_as(Recorder& r, const Value& truth, Compute to) {
  switch (to) {
    case Compute::F32: return r.op(Type::F32, "selp.f32", {known_f32(1), known_f32(0), truth});
    case Compute::F64: return r.op(Type::F64, "selp.f64", {known_f64(1), known_f64(0), truth});
    case Compute::I64: return r.op(Type::B64, "selp.b64", {known_b64(1), known_b64(0), truth});
    default: return r.op(Type::B32, "selp.b32", {known_b32(1), known_b32(0), truth});
  }
}

Value as_compute(Recorder& r, const Value& v, DType, Compute to) {
  switch (to) {
    case Compute::F32: return as_f32(r, v);
    case Compute::F64: return as_f64(r, v);
    case Compute::I32: return as_b32(r, v);
    case Compute::I64: return as_b64(r, v);
    default: return truth_as(r, truth_of(r, v), Compute::I32);
  }
}

Value as_dtype(Recorder& r, const Value& v, Compute, DType to) {
  switch (to) {
    case DType::Bool: return truth_of(r, v);
    case DType::F16: return rounded_half(r, as_f32(r, v));
    case DType::BF16: return rounded_brain(r, as_f32(r, v));
    case DType::F32: return as_f32(r, v);
    case DType::F64: return as_f64(r, v);
    case DType::I64: return as_b64(r, v);
    case DType::U32: return r.op(Type::B64, "and.b64", {as_b64(r, v), known_b64(0xffffffff)});
    default: return narrowed(r, as_b32(r, v), to);
  }
}

void load_elements(Recorder& r, DType dtype, const Value& address, int lanes, Value* elements, bool uniform) {
  const int size = static_cast<int>(dtype_size(dtype)), bytes = size * lanes, piece = std::min(16, bytes);
  const auto emit = [&](const std::string& mnemonic, Type type, int count, int64_t offset, Value* to) {
    for (int i = 0; i < count; i++) to[i] = r.fresh(type, uniform);
    r.line("\tld.global" + std::string(kVector[count]) + "." + mnemonic + " " + list_of(to, count) + ", " + place(address, offset) + ";",
           uniform);
  };
  for (int at = 0; at < lanes; at += piece / size) {
    const int count = piece / size;
    const int64_t offset = static_cast<int64_t>(at) * size;
    Value* to = elements + at;
    if (size == 8) {
      emit(dtype == DType::F64 ? "f64" : "b64", dtype == DType::F64 ? Type::F64 : Type::B64, count, offset, to);
      continue;
    }
    if (size == 4) {
      emit(dtype == DType::F32 ? "f32" : "b32", dtype == DType::F32 ? Type::F32 : Type::B32, count, offset, to);
      if (dtype == DType::U32)
        for (int i = 0; i < count; i++) to[i] = r.op(Type::B64, "cvt.u64.u32", {to[i]});
      continue;
    }
    // Smaller ones come in words of 32 bits, or what there is.
    Value words[4];
    const int each = std::min(4, piece) / size;
    if (size == 2 && piece == 2) emit("b16", Type::B16, 1, offset, words);
    else emit(piece >= 4 ? "b32" : piece == 2 ? "u16" : "u8", Type::B32, std::max(1, piece / 4), offset, words);
    for (int i = 0; i < count; i++) {
      const Value& word = words[i / each];
      if (size == 2) {
        const Value bits = piece == 2 ? word : r.half_of(word, i % 2);
        if (dtype == DType::F16) to[i] = r.op(Type::F32, "cvt.f32.f16", {bits});
        else if (dtype == DType::BF16) to[i] = brain_of(r, bits);
        else to[i] = r.op(Type::B32, dtype == DType::I16 ? "cvt.s32.s16" : "cvt.u32.u16", {bits});
        continue;
      }
      to[i] = r.op(Type::B32, dtype == DType::I8 ? "bfe.s32" : "bfe.u32", {word, known_b32(i % each * 8), known_b32(8)});
      if (dtype == DType::Bool) to[i] = r.op(Type::Pred, "setp.ne.s32", {to[i], known_b32(0)});
    }
  }
}

void store_elements(Recorder& r, DType dtype, const Value& address, int lanes, const Value* elements, const std::string& guard) {
  const int size = static_cast<int>(dtype_size(dtype)), bytes = size * lanes, piece = std::min(16, bytes);
  const auto emit = [&](const std::string& mnemonic, int count, int64_t offset, const Value* from) {
    r.line("\t" + guard + "st.global" + std::string(kVector[count]) + "." + mnemonic + " " + place(address, offset) + ", " +
           list_of(from, count) + ";");
  };
  for (int at = 0; at < lanes; at += piece / size) {
    const int count = piece / size;
    const int64_t offset = static_cast<int64_t>(at) * size;
    Value from[16];
    for (int i = 0; i < count; i++) from[i] = r.held(elements[at + i]);
    if (size == 8) {
      emit(dtype == DType::F64 ? "f64" : "b64", count, offset, from);
      continue;
    }
    if (size == 4) {
      if (dtype == DType::U32)
        for (int i = 0; i < count; i++) from[i] = r.op(Type::B32, "cvt.u32.u64", {from[i]});
      emit(dtype == DType::F32 ? "f32" : "b32", count, offset, from);
      continue;
    }
    Value words[8];
    if (size == 2) {
      for (int i = 0; i < count; i++) {
        words[i] = dtype == DType::F16    ? half_bits(r, from[i])
                   : dtype == DType::BF16 ? brain_bits(r, from[i])
                                          : r.op(Type::B16, "cvt.u16.u32", {from[i]});
        if (i % 2) words[i / 2] = r.pair(words[i - 1], words[i]);
      }
      emit(count == 1 ? "b16" : "b32", std::max(1, count / 2), offset, words);
      continue;
    }
    const int each = std::min(4, piece);
    for (int i = 0; i < count; i++) {
      // What is above the last element of a word falls out of it.
      const int shift = i % each * 8;
      Value bits = dtype == DType::Bool ? truth_as(r, from[i], Compute::I32) : from[i];
      if (dtype != DType::Bool && shift < 24) bits = r.op(Type::B32, "and.b32", {bits, known_b32(255)});
      if (shift > 0) bits = r.op(Type::B32, "or.b32", {words[i / each], r.op(Type::B32, "shl.b32", {bits, known_b32(shift)})});
      words[i / each] = bits;
    }
    emit(piece >= 4 ? "b32" : piece == 2 ? "b16" : "b8", std::max(1, piece / 4), offset, words);
  }
}

}  // namespace torchscript::cuda::emit
