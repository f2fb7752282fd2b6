// Stages of fused pointwise groups: expressions on a block of eight vectors, which passes from stage to stage in the registers that the
// calling convention has for arguments. Each stage ends with a call of the next one, which compilers turn into a jump.
#include "cpu-avx/math_scalar.h"
#include "cpu-avx/math_special.h"

#include "cpu-avx/fused_stages.h"

namespace torchscript {
namespace TS_ISA {
namespace {

#include "gen/pointwise.inc"

#define TS_STRING_(x) #x
#define TS_STRING(x) TS_STRING_(x)

template <class V> using Register = decltype(V::v);
template <class V>
using Typed = void (*)(Register<V>, Register<V>, Register<V>, Register<V>, Register<V>, Register<V>, Register<V>, Register<V>, const Stage*,
                       int64_t);

#define TS_BLOCK \
  Register<V> r0, Register<V> r1, Register<V> r2, Register<V> r3, Register<V> r4, Register<V> r5, Register<V> r6, Register<V> r7
#define TS_NEXT(r) return reinterpret_cast<Typed<V>>(stage[1].fn)(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], stage + 1, at)

TS_INLINE MaskF get_mask(const char* p, const VecF*) { return load_mask_f(reinterpret_cast<const uint8_t*>(p)); }
TS_INLINE MaskD get_mask(const char* p, const VecD*) { return load_mask_d(reinterpret_cast<const uint8_t*>(p)); }

// `held` are the operands in registers, `value` those that are one value; `fixed` says that the others are arrays, so that their steps are
// known here.
template <class V, class Op, unsigned held, unsigned value, bool fixed> void stage_of(TS_BLOCK, const Stage* stage, int64_t at) {
  constexpr int count = Op::kCount, width = V::kWidth;
  using E = typename V::Element;
  Register<V> r[kBlockVectors] = {r0, r1, r2, r3, r4, r5, r6, r7};
  const char* p[count];
  int64_t step[count];
  V x[count];
  typename V::Mask m[count];
  int k = 0;
#pragma GCC unroll 6
  for (int i = 0; i < count; i++) {
    if (held >> i & 1) continue;
    p[i] = stage->p[k] + at * stage->step[k];
    step[i] = fixed ? width * static_cast<int64_t>(sizeof(E)) : stage->step[k] * width;
    if (value >> i & 1) x[i] = V::load(reinterpret_cast<const E*>(stage->p[k]));
    k++;
  }
#pragma GCC unroll 8
  for (int j = 0; j < kBlockVectors; j++) {
#pragma GCC unroll 6
    for (int i = 0; i < count; i++) {
      if (held >> i & 1) x[i] = V(r[j]);
      else if (value >> i & 1) continue;
      else if ((Op::kConditions >> i) & 1) m[i] = get_mask(p[i] + j * step[i], static_cast<const V*>(nullptr));
      else x[i] = V::load(reinterpret_cast<const E*>(p[i] + j * step[i]));
    }
    r[j] = Op::template real<V>(x, m).v;
  }
  TS_NEXT(r);
}

// Bytes that a pipeline fetches ahead of what it loads: its arithmetic fills the window in which a processor would start the next loads.
constexpr int kAhead = 2048;
template <class V> void load_stage(TS_BLOCK, const Stage* stage, int64_t at) {
  using E = typename V::Element;
  const E* p = reinterpret_cast<const E*>(stage->p[0] + at * stage->step[0]);
  Register<V> r[kBlockVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kBlockVectors; j++) {
    if (j * sizeof(V) % 64 == 0) __builtin_prefetch(reinterpret_cast<const char*>(p + j * V::kWidth) + kAhead);
    r[j] = V::load(p + j * V::kWidth).v;
  }
  TS_NEXT(r);
}
template <class V> void store_stage(TS_BLOCK, const Stage* stage, int64_t at) {
  using E = typename V::Element;
  E* p = reinterpret_cast<E*>(const_cast<char*>(stage->p[0]) + at * stage->step[0]);
  const Register<V> r[kBlockVectors] = {r0, r1, r2, r3, r4, r5, r6, r7};
#pragma GCC unroll 8
  for (int j = 0; j < kBlockVectors; j++) V(r[j]).store(p + j * V::kWidth);
  TS_NEXT(r);
}

TS_INLINE void stream(float* p, VecF v) {
#if defined(TS_ISA_AVX512)
  _mm512_stream_ps(p, v.v);
#elif defined(TS_ISA_AVX2)
  _mm256_stream_ps(p, v.v);
#else
  v.store(p);
#endif
}
TS_INLINE void stream(double* p, VecD v) {
#if defined(TS_ISA_AVX512)
  _mm512_stream_pd(p, v.v);
#elif defined(TS_ISA_AVX2)
  _mm256_stream_pd(p, v.v);
#else
  v.store(p);
#endif
}
void fence() {
#if defined(TS_ISA_AVX512) || defined(TS_ISA_AVX2)
  _mm_sfence();
#endif
}
template <class V> void stream_stage(TS_BLOCK, const Stage* stage, int64_t at) {
  using E = typename V::Element;
  E* p = reinterpret_cast<E*>(const_cast<char*>(stage->p[0]) + at * stage->step[0]);
  const Register<V> r[kBlockVectors] = {r0, r1, r2, r3, r4, r5, r6, r7};
#pragma GCC unroll 8
  for (int j = 0; j < kBlockVectors; j++) stream(p + j * V::kWidth, V(r[j]));
  TS_NEXT(r);
}
template <class V> void end_stage(TS_BLOCK, const Stage*, int64_t) {}

template <class V> void run_blocks(const Stage* stages, int64_t begin, int64_t end) {
  const Register<V> z = V::zero().v;
  const auto first = reinterpret_cast<Typed<V>>(stages->fn);
  for (int64_t at = begin; at < end; at += kBlockVectors * V::kWidth) first(z, z, z, z, z, z, z, z, stages, at);
}

template <class V> struct Forms { Typed<V> forms[kStageForms]; };

// Operands that `params` has not are the data; parameters are one value always.
template <class V, class Op, unsigned params> constexpr Forms<V> forms_of() {
  constexpr unsigned all = (1u << Op::kCount) - 1;
  constexpr unsigned data = all & ~params;
  Forms<V> f{};
#define TS_FORM(name, ...) f.forms[static_cast<int>(StageForm::name)] = stage_of<V, Op, __VA_ARGS__>
  if constexpr (data == 1) {
    TS_FORM(FirstValue, 1, params, true);
  } else if constexpr (data == 3 && Op::kConditions == 0) {
    TS_FORM(FirstValue, 1, params | 2, true);
    TS_FORM(FirstArray, 1, params, true);
    TS_FORM(SecondValue, 2, params | 1, true);
    TS_FORM(SecondArray, 2, params, true);
    TS_FORM(Both, 3, params, true);
  } else if constexpr (Op::kCount - 1 <= 3) {
    if constexpr (!(Op::kConditions & 1)) TS_FORM(First, 1, params, false);
    if constexpr ((data & 2) && !(Op::kConditions & 2)) TS_FORM(Second, 2, params, false);
    if constexpr ((data & 4) && !(Op::kConditions & 4)) TS_FORM(Third, 4, params, false);
  }
  return f;
}

#define TS_STAGED(name, params) forms_of<V, op_##name, params>(),
#define TS_UNSTAGED(name) Forms<V>{},
template <class V>
constexpr Forms<V> kForms[] = {
#include "gen/fused_stages.inc"
};
template <class V> StageFn expression(PointwiseId id, StageForm form) {
  return reinterpret_cast<StageFn>(kForms<V>[static_cast<int>(id)].forms[static_cast<int>(form)]);
}
template <class V> StageFn other(StageKind kind) {
  switch (kind) {
    case StageKind::Load: return reinterpret_cast<StageFn>(load_stage<V>);
    case StageKind::Store: return reinterpret_cast<StageFn>(store_stage<V>);
    case StageKind::Stream: return reinterpret_cast<StageFn>(stream_stage<V>);
    default: return reinterpret_cast<StageFn>(end_stage<V>);
  }
}
template <class V> constexpr PipelineTable pipeline_of() { return {kBlockVectors * V::kWidth, expression<V>, other<V>, run_blocks<V>}; }

}  // namespace

extern const FusedTable fused_table;
constinit const FusedTable fused_table = {pipeline_of<VecF>(), pipeline_of<VecD>(), fence, "fused_pointwise_" TS_STRING(TS_ISA)};

}  // namespace TS_ISA
}  // namespace torchscript
