// Copies between windows of any strides, with and without a cast, and fills.
// kernel: cpu-avx/copy (clone, cast, contiguous, copy_), create (fill, zeros)
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

template <class T> TS_DEVICE void copy_elements(const CopyParams& p) {
  T* to = static_cast<T*>(p.to);
  const T* from = static_cast<const T*>(p.from);
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t at[2];
    offsets_of<2>(p.loop, i, at);
    to[at[0]] = from[at[1]];
  }
}

// Through one of three wide forms: integers as int64, reals as double, complex numbers as two doubles.
struct Wide {
  int64_t whole;
  double re, im;
};
enum { kWhole, kReal, kComplex };

TS_DEVICE int wide_form(int32_t dtype) {
  switch (dtype) {
    case kF16:
    case kBF16:
    case kF32:
    case kF64: return kReal;
    case kC32:
    case kC64:
    case kC128: return kComplex;
    default: return kWhole;
  }
}

TS_DEVICE Wide load_wide(int32_t dtype, const void* p, int64_t i) {
  Wide w = {0, 0, 0};
  switch (dtype) {
    case kBool:
    case kU8:
    case kQU8: w.whole = static_cast<const uint8_t*>(p)[i]; break;
    case kI8:
    case kQI8: w.whole = static_cast<const int8_t*>(p)[i]; break;
    case kI16: w.whole = static_cast<const int16_t*>(p)[i]; break;
    case kU16: w.whole = static_cast<const uint16_t*>(p)[i]; break;
    case kI32:
    case kQI32: w.whole = static_cast<const int32_t*>(p)[i]; break;
    case kU32: w.whole = static_cast<const uint32_t*>(p)[i]; break;
    case kI64:
    case kU64: w.whole = static_cast<const int64_t*>(p)[i]; break;
    case kF16: w.re = static_cast<const Half*>(p)[i]; break;
    case kBF16: w.re = static_cast<const BFloat*>(p)[i]; break;
    case kF32: w.re = static_cast<const float*>(p)[i]; break;
    case kF64: w.re = static_cast<const double*>(p)[i]; break;
    case kC32:
      w.re = static_cast<const Half*>(p)[2 * i];
      w.im = static_cast<const Half*>(p)[2 * i + 1];
      break;
    case kC64:
      w.re = static_cast<const float*>(p)[2 * i];
      w.im = static_cast<const float*>(p)[2 * i + 1];
      break;
    case kC128:
      w.re = static_cast<const double*>(p)[2 * i];
      w.im = static_cast<const double*>(p)[2 * i + 1];
      break;
  }
  return w;
}

TS_DEVICE void store_wide(int32_t dtype, void* p, int64_t i, int form, const Wide& w) {
  const bool whole = form == kWhole;
  const int32_t i32 = whole ? static_cast<int32_t>(w.whole) : to_int32(w.re);
  const int64_t i64 = whole ? w.whole : to_int64(w.re);
  // A float from an integer is rounded once.
  const float f32 = whole ? static_cast<float>(w.whole) : static_cast<float>(w.re);
  const double f64 = whole ? static_cast<double>(w.whole) : w.re;
  switch (dtype) {
    case kBool: static_cast<uint8_t*>(p)[i] = whole ? w.whole != 0 : w.re != 0 || w.im != 0; break;
    case kU8:
    case kQU8:
    case kI8:
    case kQI8: static_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(i32); break;
    case kI16:
    case kU16: static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>(i32); break;
    case kI32:
    case kQI32: static_cast<int32_t*>(p)[i] = i32; break;
    case kU32: static_cast<uint32_t*>(p)[i] = static_cast<uint32_t>(i64); break;
    case kI64:
    case kU64: static_cast<int64_t*>(p)[i] = i64; break;
    case kF16: static_cast<Half*>(p)[i] = Half(f32); break;
    case kBF16: static_cast<BFloat*>(p)[i] = BFloat(f32); break;
    case kF32: static_cast<float*>(p)[i] = f32; break;
    case kF64: static_cast<double*>(p)[i] = f64; break;
    case kC32:
      static_cast<Half*>(p)[2 * i] = Half(f32);
      static_cast<Half*>(p)[2 * i + 1] = Half(static_cast<float>(w.im));
      break;
    case kC64:
      static_cast<float*>(p)[2 * i] = f32;
      static_cast<float*>(p)[2 * i + 1] = static_cast<float>(w.im);
      break;
    case kC128:
      static_cast<double*>(p)[2 * i] = f64;
      static_cast<double*>(p)[2 * i + 1] = w.im;
      break;
  }
}

template <class T> TS_DEVICE void fill_elements(const FillParams& p, T value) {
  T* to = static_cast<T*>(p.to);
  for (int64_t i = thread_index(); i < p.n; i += thread_count()) to[i] = value;
}

}  // namespace

TS_GLOBAL(copy_1, const CopyParams p) { copy_elements<uint8_t>(p); }
TS_GLOBAL(copy_2, const CopyParams p) { copy_elements<uint16_t>(p); }
TS_GLOBAL(copy_4, const CopyParams p) { copy_elements<uint32_t>(p); }
TS_GLOBAL(copy_8, const CopyParams p) { copy_elements<uint64_t>(p); }
TS_GLOBAL(copy_16, const CopyParams p) { copy_elements<Bytes16>(p); }

// Any dtype to any other.
TS_GLOBAL(copy_cast, const CopyParams p) {
  const int form = wide_form(p.from_dtype);
  for (uint32_t i = thread_index(); i < p.loop.n; i += thread_count()) {
    int64_t at[2];
    offsets_of<2>(p.loop, i, at);
    Wide w = load_wide(p.from_dtype, p.from, at[1]);
    if (p.from_dtype == kU64 && wide_form(p.to_dtype) == kReal) {
      w.re = static_cast<double>(static_cast<uint64_t>(w.whole));
      store_wide(p.to_dtype, p.to, at[0], kReal, w);
    } else {
      store_wide(p.to_dtype, p.to, at[0], form, w);
    }
  }
}

namespace {

// The casts that models make, four elements a thread; windows without gaps.
template <class To, class From> TS_DEVICE void cast_dense(const CopyParams& p) {
  struct alignas(4 * sizeof(To)) To4 {
    To v[4];
  };
  struct alignas(4 * sizeof(From)) From4 {
    From v[4];
  };
  const uint32_t n = p.loop.n, vectors = n / 4;
  const From* from = static_cast<const From*>(p.from);
  To* to = static_cast<To*>(p.to);
  for (uint32_t i = thread_index(); i < vectors; i += thread_count()) {
    const From4 x = reinterpret_cast<const From4*>(from)[i];
    To4 y;
    for (int j = 0; j < 4; j++) y.v[j] = To(static_cast<float>(x.v[j]));
    reinterpret_cast<To4*>(to)[i] = y;
  }
  const uint32_t rest = vectors * 4 + thread_index();
  if (rest < n) to[rest] = To(static_cast<float>(from[rest]));
}

}  // namespace

TS_GLOBAL(cast_f32_f16, const CopyParams p) { cast_dense<Half, float>(p); }
TS_GLOBAL(cast_f32_bf16, const CopyParams p) { cast_dense<BFloat, float>(p); }
TS_GLOBAL(cast_f16_f32, const CopyParams p) { cast_dense<float, Half>(p); }
TS_GLOBAL(cast_bf16_f32, const CopyParams p) { cast_dense<float, BFloat>(p); }

TS_GLOBAL(fill_1, const FillParams p) { fill_elements<uint8_t>(p, static_cast<uint8_t>(p.pattern[0])); }
TS_GLOBAL(fill_2, const FillParams p) { fill_elements<uint16_t>(p, static_cast<uint16_t>(p.pattern[0])); }
TS_GLOBAL(fill_4, const FillParams p) { fill_elements<uint32_t>(p, static_cast<uint32_t>(p.pattern[0])); }
TS_GLOBAL(fill_8, const FillParams p) { fill_elements<uint64_t>(p, p.pattern[0]); }
TS_GLOBAL(fill_16, const FillParams p) { fill_elements<Bytes16>(p, Bytes16{p.pattern[0], p.pattern[1]}); }
