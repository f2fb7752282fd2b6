#!/usr/bin/env bash
# Runs the AVX-512 kernels on any processor with AVX2: builds the addon in build/emulated with an emulation of the AVX-512 intrinsics
# (SIMDe; native/cpu-avx/emulation/avx512.h), makes sure that it holds no AVX-512 instruction, and runs the tests of kernels with it.
# The ordinary build is not touched. Needs SIMDe's headers (Debian: libsimde-dev), binutils and installed dev dependencies.
# Usage: scripts/test-avx512-emulated.sh [name ...]   of test files, such as gemm; all without one
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test-avx512-emulated: $*" >&2; exit 1; }

cxx=${CXX:-g++}
echo '#include <simde/x86/avx512.h>' | $cxx -x c++ -fsyntax-only - 2> /dev/null \
  || fail 'SIMDe is not installed: <simde/x86/avx512.h> was not found (Debian: apt-get install libsimde-dev)'
command -v objdump > /dev/null || fail 'objdump is not installed (Debian: apt-get install binutils)'
[ -d node_modules ] || fail 'node_modules is missing: run npm install first'

# A copy of the tree; times of files are kept, so that a second build compiles only what has changed.
tree=build/emulated
mkdir -p "$tree"
find "$tree" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --null --no-recursion -T - -cf - | tar -xf - -C "$tree"
ln -s "$(realpath node_modules)" "$tree/node_modules"
cd "$tree"

GYP_DEFINES=emulate_avx512=1 node scripts/build-native.mjs > build.log 2>&1 || { tail -40 build.log >&2; fail 'the build failed'; }
node scripts/build-ts.mjs > build-ts.log 2>&1 || { tail -40 build-ts.log >&2; fail 'the build of TypeScript failed'; }

objects=$(find build/Release/obj.target/kernels_avx512 -name '*.o' | wc -l)
[ "$objects" -gt 0 ] || fail 'no object of the avx512 units was built'
# ZMM, the upper sixteen vector registers and the mask registers exist with AVX-512 only.
avx512='%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|%k[0-7]'
addon=build/Release/torchscript.node
listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
objdump -d --no-show-raw-insn "$addon" > "$listing"
grep -q '%ymm' "$listing" || fail "objdump shows no vector instruction in $addon"
if grep -E -m 3 "$avx512" "$listing" >&2; then fail "$addon has AVX-512 instructions"; fi
echo "built $addon: $objects avx512 units, no AVX-512 instruction"

# The tests load this addon and no other, and its emulated units are the chosen ones.
loaded=$(TORCHSCRIPT_ISA=avx512 node --input-type=module -e "
  import { nativeBinding } from './.build/lib/native/loader.js'
  const isa = nativeBinding().isa()
  process.report.excludeNetwork = true
  const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))
  console.log([isa, ...addons].join(' '))")
[ "$loaded" = "avx512 $(realpath "$addon")" ] || fail "tests would run \"$loaded\", not avx512 of $(realpath "$addon")"

total=0
failed=0
# Tests that run each instruction set in a process of its own say so; the others run what TORCHSCRIPT_ISA says.
for name in kernels/{vec,pointwise,reduce,dense,gemm,epilogue,conv,attention,lines,linalg} passes/fuse-pointwise; do
  [ $# -eq 0 ] || [[ " $* " == *" ${name#*/} "* ]] || continue
  output=$(TORCHSCRIPT_ISA=avx512 TAP_TIMEOUT=1800 node ".build/test/$name.test.js") && code=0 || code=$?
  # Assertions are the innermost lines; a fixture's cases are compared within one.
  passed=$(grep -cE '^    +ok ' <<< "$output" || true)
  emulated=1
  if grep -q 'of isas) {' "test/$name.test.ts"; then emulated=$(grep -cE 'ok .* with avx512' <<< "$output" || true); fi
  if [ "$code" -ne 0 ] || [ "$passed" -eq 0 ] || [ "$emulated" -eq 0 ] || grep -qE '^ *not ok ' <<< "$output"; then
    grep -E -A 30 '^ *not ok ' <<< "$output" | head -100 >&2 || true
    echo "FAIL test/$name.test.js (exit code $code, $passed assertions passed, $emulated tests of avx512)" >&2
    failed=1
    continue
  fi
  echo "ok   test/$name.test.js with TORCHSCRIPT_ISA=avx512: $passed assertions"
  total=$((total + passed))
done
[ "$failed" -eq 0 ] || fail 'emulated AVX-512 kernels differ'
echo "passed: $total assertions on emulated AVX-512"
