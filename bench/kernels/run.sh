#!/bin/sh
# Builds a kernel benchmark against the inner kernels alone and runs it for each instruction set: bench/kernels/run.sh gemm
set -e
name=${1:-gemm}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=c++20 -O3 -fno-math-errno -ffp-contract=off -march=x86-64-v2 -DTS_HAVE_X86_KERNELS=1 -Inative"
avx2="-mavx2 -mfma -mf16c"
g++ $flags -DTS_ISA=scalar -DTS_ISA_SCALAR=1 -c native/cpu-avx/isa/gemm.cc -o "$out/scalar.o"
g++ $flags $avx2 -DTS_ISA=avx2 -DTS_ISA_AVX2=1 -c native/cpu-avx/isa/gemm.cc -o "$out/avx2.o"
g++ $flags $avx2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -DTS_ISA=avx512 -DTS_ISA_AVX512=1 -c native/cpu-avx/isa/gemm.cc -o "$out/avx512.o"
g++ $flags "bench/kernels/$name.cc" "$out"/*.o -o "$out/bench"
grep -q avx512bw /proc/cpuinfo && TORCHSCRIPT_ISA=avx512 "$out/bench"
TORCHSCRIPT_ISA=avx2 "$out/bench"
