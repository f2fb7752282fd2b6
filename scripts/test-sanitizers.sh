#!/usr/bin/env bash
# Builds the executor and its kernels without Node under AddressSanitizer + UndefinedBehaviorSanitizer and under ThreadSanitizer, and runs
# test/native/driver.cc on plans of random programs. Needs a built addon and built TypeScript. Usage: scripts/test-sanitizers.sh [address|thread]
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/sanitizers
mkdir -p "$out"
node .build/test/native/write-plans.js "$out/plans" 60
cxx=${CXX:-g++}
command -v ccache > /dev/null && cxx="ccache $cxx"

build() { # name, flags
  local name=$1; shift
  local dir=$out/$name
  mkdir -p "$dir"
  local flags=(-std=c++20 -O1 -g -fno-omit-frame-pointer -ffp-contract=off -fno-math-errno -Inative -Inative/include -Wall "$@")
  local headers
  headers=$(find native test/native -name '*.h' -o -name '*.inc' | tr '\n' ' ')
  {
    echo "all: $dir/driver"
    objects=()
    compile() { # source, object, extra flags
      echo "$2: $1 $headers"
      printf '\t%s %s -c %s -o %s\n' "$cxx" "${flags[*]} ${*:3}" "$1" "$2"
      objects+=("$2")
    }
    for source in $(node scripts/list-sources.mjs native/core --recursive) $(node scripts/list-sources.mjs native/cpu-avx) \
        $(node scripts/list-sources.mjs native/cpu-avx/portable --recursive) test/native/driver.cc; do
      compile "$source" "$dir/$(echo "$source" | tr / _).o" -march=x86-64-v2 -DTS_HAVE_X86_KERNELS=1
    done
    for source in $(node scripts/list-sources.mjs native/cpu-avx/isa); do
      base=$dir/$(basename "$source")
      compile "$source" "$base.scalar.o" -march=x86-64-v2 -DTS_ISA=scalar -DTS_ISA_SCALAR=1
      compile "$source" "$base.avx2.o" -march=x86-64-v2 -mavx2 -mfma -mf16c -DTS_ISA=avx2 -DTS_ISA_AVX2=1
      compile "$source" "$base.avx512.o" -march=x86-64-v2 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -DTS_ISA=avx512 -DTS_ISA_AVX512=1
    done
    echo "$dir/driver: ${objects[*]}"
    printf '\t%s %s %s -o %s -lpthread -ldl\n' "$cxx" "$*" "${objects[*]}" "$dir/driver"
  } > "$dir/Makefile"
  make -s -f "$dir/Makefile" -j "$(nproc)"
}

which=${1:-all}
if [ "$which" != thread ]; then
  build address -fsanitize=address,undefined -fno-sanitize-recover=undefined
  export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
  "$out/address/driver" values "$out"/plans/*.plan
  "$out/address/driver" damage "$out"/plans/{1,2,3,4,5,6,7,8,control-flow}.plan
fi
if [ "$which" != address ]; then
  build thread -fsanitize=thread
  TSAN_OPTIONS=halt_on_error=1 "$out/thread/driver" threads "$out"/plans/*.plan
fi
