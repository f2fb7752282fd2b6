// Pooling by largest element and by mean, in windows that are given or follow from the sizes. A thread makes one element; means of large windows
// take a warp each.
// kernel: cpu-avx/pool (max_pool, avg_pool), cpu-avx/pool_adaptive
#include "cuda/kernels/places.cuh"
#include "cuda/kernels/pool_params.h"
#include "cuda/kernels/prelude.cuh"

using namespace torchscript::cuda;

namespace {

template <class T> struct SumOf { using type = float; };
template <> struct SumOf<double> { using type = double; };
template <> struct SumOf<int64_t> { using type = int64_t; };
template <class A> TS_DEVICE A lowest() { return -static_cast<A>(INFINITY); }
template <> TS_DEVICE int64_t lowest<int64_t>() { return INT64_MIN; }

// Window of output place `i` of dimension d, by taps: those from `begin` to before `end`, `step` apart, lie inside.
TS_DEVICE void window_of(const PoolParams& p, int d, int32_t i, int32_t* begin, int32_t* end, int32_t* step) {
  *step = p.dilation[d];
  if (p.adaptive) {
    const int64_t out = p.out_sizes[d].divisor;
    *begin = static_cast<int32_t>(i * static_cast<int64_t>(p.in[d]) / out);
    *end = static_cast<int32_t>(((i + 1) * static_cast<int64_t>(p.in[d]) + out - 1) / out);
    return;
  }
  const int32_t start = i * p.stride[d] - p.pad[d], past = start + p.kernel[d] * *step;
  *begin = start < 0 ? start + (-start + *step - 1) / *step * *step : start;
  *end = past < p.in[d] ? past : p.in[d];
}

template <class T> TS_DEVICE void pool_max(const PoolParams& p) {
  using Sum = typename SumOf<T>::type;
  for (uint32_t index = thread_index(); index < p.elements; index += thread_count()) {
    const Place o = place_of(p, index);
    int32_t begin[3], end[3], step[3];
    for (int d = 0; d < 3; d++) window_of(p, d, o.at[d], &begin[d], &end[d], &step[d]);
    const T* x = static_cast<const T*>(p.x) + plane_at(p.x_strides, o);
    Sum best = lowest<Sum>();
    int64_t at = (static_cast<int64_t>(begin[0]) * p.in[1] + begin[1]) * p.in[2] + begin[2];
    for (int32_t z = begin[0]; z < end[0]; z += step[0]) {
      for (int32_t y = begin[1]; y < end[1]; y += step[1]) {
        for (int32_t k = begin[2]; k < end[2]; k += step[2]) {
          const Sum value = static_cast<Sum>(x[z * p.x_strides[2] + y * p.x_strides[3] + k * p.x_strides[4]]);
          if (value > best || value != value) {
            best = value;
            at = (static_cast<int64_t>(z) * p.in[1] + y) * p.in[2] + k;
          }
        }
      }
    }
    static_cast<T*>(p.out)[offset_at(p.out_strides, o)] = T(best);
    if (p.indices) p.indices[offset_at(p.index_strides, o)] = at;
  }
}

template <class T> TS_DEVICE void pool_mean(const PoolParams& p) {
  using Sum = typename SumOf<T>::type;
  const uint32_t lanes = static_cast<uint32_t>(p.lanes), lane = threadIdx.x % lanes;
  for (uint32_t index = thread_index() / lanes; index < p.elements; index += thread_count() / lanes) {
    const Place o = place_of(p, index);
    int32_t begin[3], size[3];
    int64_t padded = 1, real = 1;
    for (int d = 0; d < 3; d++) {
      int32_t end, step;
      window_of(p, d, o.at[d], &begin[d], &end, &step);
      size[d] = end > begin[d] ? end - begin[d] : 0;
      real *= size[d];
      const int32_t start = o.at[d] * p.stride[d] - p.pad[d], past = start + p.kernel[d], limit = p.in[d] + p.pad[d];
      padded *= (past < limit ? past : limit) - start;
    }
    const T* x = static_cast<const T*>(p.x) + plane_at(p.x_strides, o) + begin[0] * p.x_strides[2] + begin[1] * p.x_strides[3] + begin[2] * p.x_strides[4];
    Sum sum = 0;
    if (lanes == 1) {
      for (int32_t z = 0; z < size[0]; z++)
        for (int32_t y = 0; y < size[1]; y++)
          for (int32_t k = 0; k < size[2]; k++) sum += static_cast<Sum>(x[z * p.x_strides[2] + y * p.x_strides[3] + k * p.x_strides[4]]);
    } else {
      for (int64_t i = lane; i < real; i += lanes) {
        const int64_t row = i / size[2];
        sum += static_cast<Sum>(x[row / size[1] * p.x_strides[2] + row % size[1] * p.x_strides[3] + i % size[2] * p.x_strides[4]]);
      }
      for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, by);
    }
    if (lane != 0) continue;
    const int64_t divisor = p.divisor != 0 ? p.divisor : p.include_pad ? padded : real;
    // A window outside has nothing to divide.
    static_cast<T*>(p.out)[offset_at(p.out_strides, o)] = T(real > 0 || p.adaptive ? sum / static_cast<Sum>(divisor) : Sum(0));
  }
}

}  // namespace

TS_GLOBAL(pool_max_f32, const PoolParams p) { pool_max<float>(p); }
TS_GLOBAL(pool_max_f16, const PoolParams p) { pool_max<Half>(p); }
TS_GLOBAL(pool_max_bf16, const PoolParams p) { pool_max<BFloat>(p); }
TS_GLOBAL(pool_max_f64, const PoolParams p) { pool_max<double>(p); }
TS_GLOBAL(pool_max_i64, const PoolParams p) { pool_max<int64_t>(p); }
TS_GLOBAL(pool_mean_f32, const PoolParams p) { pool_mean<float>(p); }
TS_GLOBAL(pool_mean_f16, const PoolParams p) { pool_mean<Half>(p); }
TS_GLOBAL(pool_mean_bf16, const PoolParams p) { pool_mean<BFloat>(p); }
TS_GLOBAL(pool_mean_f64, const PoolParams p) { pool_mean<double>(p); }
TS_GLOBAL(pool_mean_i64, const PoolParams p) { pool_mean<int64_t>(p); }
