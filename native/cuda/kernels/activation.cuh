// Activations that follow a product: the codes of Activation in cpu-avx/gemm/tiles.h.
#pragma once
#include "cuda/kernels/prelude.cuh"

namespace torchscript::cuda {

TS_DEVICE float exp_of(float x) { return expf(x); }
TS_DEVICE double exp_of(double x) { return exp(x); }
TS_DEVICE float tanh_of(float x) { return tanhf(x); }
TS_DEVICE double tanh_of(double x) { return tanh(x); }
TS_DEVICE float erf_of(float x) { return erff(x); }
TS_DEVICE double erf_of(double x) { return erf(x); }

// NaN stays NaN.
template <class T> TS_DEVICE T bounded(T x, T low, T high) { return x < low ? low : x > high ? high : x; }

template <class T> TS_DEVICE T activated(T x, int32_t activation) {
  switch (activation) {
    case 1: return x < T(0) ? T(0) : x;
    case 2: return bounded(x, T(0), T(6));
    case 3: return x * bounded(x + T(3), T(0), T(6)) / T(6);
    case 4: return bounded(x + T(3), T(0), T(6)) / T(6);
    case 5: return x / (T(1) + exp_of(-x));
    case 6: return T(1) / (T(1) + exp_of(-x));
    case 7: return tanh_of(x);
    case 8: return x * T(0.5) * (T(1) + erf_of(x * T(0.70710678118654752440)));
    case 9: return T(0.5) * x * (T(1) + tanh_of(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x)));
    default: return x;
  }
}

}  // namespace torchscript::cuda
