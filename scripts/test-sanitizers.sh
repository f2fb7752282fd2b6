#!/usr/bin/env bash
# Builds the executor and its kernels without Node under AddressSanitizer + UndefinedBehaviorSanitizer and under ThreadSanitizer, and runs
# test/native/driver.cc on plans of random programs. Needs a built addon and built TypeScript. Usage: scripts/test-sanitizers.sh [address|thread] [quick]
# Kernels of the instruction set that runs (TORCHSCRIPT_ISA, or the machine's best) are instrumented; those of the others, which only link, are
# the addon's. `quick` takes all kernels from the addon and instruments the executor alone.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/sanitizers
mkdir -p "$out"
node .build/test/native/write-plans.js "$out/plans" 60
cxx=${CXX:-g++}
command -v ccache > /dev/null && cxx="ccache $cxx"

quick=
[ "${2:-}" != quick ] || quick=1
isa=$(node --input-type=module -e "import { nativeBinding } from './.build/lib/native/loader.js'; console.log(nativeBinding().isa())")
isa_flags="-march=x86-64-v2 -DTS_ISA=$isa -DTS_ISA_${isa^^}=1"
[ "$isa" = scalar ] || isa_flags+=' -mavx2 -mfma -mf16c'
[ "$isa" != avx512 ] || isa_flags+=' -mavx512f -mavx512bw -mavx512dq -mavx512vl'
release=build/Release/obj.target
archives=() addon=()
for name in scalar avx2 avx512; do
  [ -z "$quick" ] && [ "$name" = "$isa" ] || archives+=("$release/kernels_$name.a")
done
if [ -n "$quick" ]; then
  while read -r object; do addon+=("$object"); done < <(find "$release/torchscript/native/cpu-avx" -name '*.o' | sort)
fi

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
    for source in $(node scripts/list-sources.mjs native/core --recursive) test/native/driver.cc \
        $([ -n "$quick" ] || { node scripts/list-sources.mjs native/cpu-avx; node scripts/list-sources.mjs native/cpu-avx/portable --recursive; }); do
      compile "$source" "$dir/$(echo "$source" | tr / _).o" -march=x86-64-v2 -DTS_HAVE_X86_KERNELS=1
    done
    if [ -z "$quick" ]; then
      for source in $(node scripts/list-sources.mjs native/cpu-avx/isa); do
        # shellcheck disable=SC2086
        compile "$source" "$dir/$(basename "$source").$isa.o" $isa_flags
      done
    fi
    echo "$dir/driver: ${objects[*]}"
    printf '\t%s %s %s -Wl,--whole-archive %s -Wl,--no-whole-archive %s -o %s -lpthread -ldl\n' \
      "$cxx" "$*" "${objects[*]}" "${archives[*]}" "${addon[*]}" "$dir/driver"
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
