// Stands for cpu-avx/math_bessel.h where nvcc compiles: the CUDA library has these functions, and tables of the CPU's memory are out of reach.
#pragma once

namespace torchscript {
namespace TS_ISA {
namespace special {

TS_FUNCTION double bessel_j0(double x) { return ::j0(x); }
TS_FUNCTION double bessel_j1(double x) { return ::j1(x); }
TS_FUNCTION double bessel_y0(double x) { return ::y0(x); }
TS_FUNCTION double bessel_y1(double x) { return ::y1(x); }

}  // namespace special
}  // namespace TS_ISA
}  // namespace torchscript
