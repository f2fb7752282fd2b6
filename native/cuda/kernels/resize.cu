// Resizing of one to three dimensions: nearest moves elements, linear and cubic sum 2 or 4 of each dimension. A thread makes one element.
// kernel: cpu-avx/portable/upsample
#include "cuda/kernels/places.cuh"
#include "cuda/kernels/pool_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

template <class T> TS_DEVICE void resize_nearest(const ResizeParams& p) {
  for (uint32_t index = thread_index(); index < p.elements; index += thread_count()) {
    const Place o = place_of(p, index);
    Place from = o;
    for (int d = 0; d < 3; d++) {
      const float at = (static_cast<float>(o.at[d]) + (p.exact ? 0.5f : 0.0f)) * static_cast<float>(p.scale[d]);
      const int32_t whole = static_cast<int32_t>(floorf(at));
      from.at[d] = whole < p.in[d] - 1 ? whole : p.in[d] - 1;
    }
    static_cast<T*>(p.out)[offset_at(p.out_strides, o)] = static_cast<const T*>(p.x)[offset_at(p.x_strides, from)];
  }
}

template <class C> TS_DEVICE C cubic_near(C x) { return ((C(-0.75) + 2) * x - (C(-0.75) + 3)) * x * x + 1; }
template <class C> TS_DEVICE C cubic_far(C x) { return ((C(-0.75) * x + C(3.75)) * x - C(6)) * x + C(3); }

// kTaps: 2, or 4 of a cubic, which has two dimensions. Loops over taps are unrolled, so that all of them stay in registers.
template <class T, class C, int kTaps> TS_DEVICE void resize_taps(const ResizeParams& p) {
  constexpr int kDeep = kTaps == 4 ? 1 : kTaps;
  for (uint32_t index = thread_index(); index < p.elements; index += thread_count()) {
    const Place o = place_of(p, index);
    int32_t tap[3][kTaps];
    C weight[3][kTaps];
    int count[3];
#pragma unroll
    for (int d = 0; d < 3; d++) {
      const int32_t in = p.in[d], out = static_cast<int32_t>(p.out_sizes[d].divisor);
      if (p.scale[d] < 0 || (kTaps == 2 && in == out)) {
        count[d] = 1;
        tap[d][0] = o.at[d];
        weight[d][0] = C(1);
        continue;
      }
      const C scale = static_cast<C>(p.scale[d]);
      C at = p.align_corners ? scale * static_cast<C>(o.at[d]) : scale * (static_cast<C>(o.at[d]) + C(0.5)) - C(0.5);
      if (kTaps == 2 && at < 0) at = 0;
      int32_t base = static_cast<int32_t>(floor(static_cast<double>(at)));
      if (base > in - 1) base = in - 1;
      C t = at - static_cast<C>(base);
      t = t < 0 ? C(0) : t > 1 ? C(1) : t;
      if constexpr (kTaps == 4) {
        count[d] = 4;
        weight[d][0] = cubic_far(t + 1);
        weight[d][1] = cubic_near(t);
        weight[d][2] = cubic_near(1 - t);
        weight[d][3] = cubic_far(2 - t);
        for (int k = 0; k < 4; k++) tap[d][k] = base + k - 1 < 0 ? 0 : base + k - 1 > in - 1 ? in - 1 : base + k - 1;
      } else {
        count[d] = 2;
        tap[d][0] = base;
        tap[d][1] = base < in - 1 ? base + 1 : base;
        weight[d][0] = 1 - t;
        weight[d][1] = t;
      }
    }
    const T* x = static_cast<const T*>(p.x) + plane_at(p.x_strides, o);
    C sum = 0;
#pragma unroll
    for (int z = 0; z < kDeep; z++) {
      if (z >= count[0]) break;
      C plane = 0;
#pragma unroll
      for (int y = 0; y < kTaps; y++) {
        if (y >= count[1]) break;
        const T* row = x + tap[0][z] * p.x_strides[2] + tap[1][y] * p.x_strides[3];
        C line = 0;
#pragma unroll
        for (int k = 0; k < kTaps; k++)
          if (k < count[2]) line += static_cast<C>(row[tap[2][k] * p.x_strides[4]]) * weight[2][k];
        plane += line * weight[1][y];
      }
      sum += plane * weight[0][z];
    }
    static_cast<T*>(p.out)[offset_at(p.out_strides, o)] = T(sum);
  }
}

template <class T, class C> TS_DEVICE void resize_by_taps(const ResizeParams& p) {
  if (p.cubic) resize_taps<T, C, 4>(p);
  else resize_taps<T, C, 2>(p);
}

}  // namespace

TS_GLOBAL(resize_nearest_1, const ResizeParams p) { resize_nearest<uint8_t>(p); }
TS_GLOBAL(resize_nearest_2, const ResizeParams p) { resize_nearest<uint16_t>(p); }
TS_GLOBAL(resize_nearest_4, const ResizeParams p) { resize_nearest<uint32_t>(p); }
TS_GLOBAL(resize_nearest_8, const ResizeParams p) { resize_nearest<uint64_t>(p); }
TS_GLOBAL(resize_taps_f32, const ResizeParams p) { resize_by_taps<float, float>(p); }
TS_GLOBAL(resize_taps_f16, const ResizeParams p) { resize_by_taps<Half, float>(p); }
TS_GLOBAL(resize_taps_bf16, const ResizeParams p) { resize_by_taps<BFloat, float>(p); }
TS_GLOBAL(resize_taps_f64, const ResizeParams p) { resize_by_taps<double, double>(p); }
