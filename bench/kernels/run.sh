#!/bin/sh
# Builds a kernel benchmark against the inner kernels alone and runs it for each instruction set: bench/kernels/run.sh gemm
# bench/kernels/run.sh conv "mobile dw" runs the layers whose names have that text.
set -e
name=${1:-gemm}
filter=$2
units="gemm strassen"
[ "$name" = conv ] && units="gemm strassen conv conv_last conv_narrow winograd winograd_last"
sources=
if [ "$name" = fused ]; then
  units="fused pointwise convert reduce"
  sources="native/core/thread_pool.cc"
  for unit in fused_build fused_run pointwise pointwise_rows iterate promote copy reduce reduce_driver; do sources="$sources native/cpu-avx/$unit.cc"; done
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cxx=${CXX:-g++}
flags="-std=c++20 -O3 -fno-math-errno -ffp-contract=off -march=x86-64-v2 -DTS_HAVE_X86_KERNELS=1 -Inative"
avx2="-mavx2 -mfma -mf16c"
for unit in $units; do
  $cxx $flags -DTS_ISA=scalar -DTS_ISA_SCALAR=1 -c native/cpu-avx/isa/$unit.cc -o "$out/$unit.scalar.o"
  $cxx $flags $avx2 -DTS_ISA=avx2 -DTS_ISA_AVX2=1 -c native/cpu-avx/isa/$unit.cc -o "$out/$unit.avx2.o"
  $cxx $flags $avx2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -DTS_ISA=avx512 -DTS_ISA_AVX512=1 -c native/cpu-avx/isa/$unit.cc -o "$out/$unit.avx512.o"
done
# Contracted: the multiply-adds of limits.h. The other code of that unit is for processors without them.
$cxx $flags -ffp-contract=fast "bench/kernels/$name.cc" $sources "$out"/*.o -lpthread -o "$out/bench"
grep -q avx512bw /proc/cpuinfo && TORCHSCRIPT_ISA=avx512 "$out/bench" ${filter:+"$filter"}
TORCHSCRIPT_ISA=avx2 "$out/bench" ${filter:+"$filter"}
