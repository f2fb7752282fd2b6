#!/usr/bin/env bash
# Cross-compiles the addon for linux-arm64 on an x64 Debian and puts it into prebuilds/linux-arm64/. The kernels are the portable C++
# ones ("scalar"): the AVX units and TS_HAVE_X86_KERNELS belong to target_arch x64 in binding.gyp. scripts/test-arm64.sh runs the result.
# Needs the Debian packages g++-aarch64-linux-gnu, make and python3. Node-API headers are those of the Node that runs this script: they
# are the same for every processor.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
triple=aarch64-linux-gnu

need() { # command, Debian package
  command -v "$1" > /dev/null || { echo "Expected the command $1 but it is not installed (Debian: apt-get install $2)" >&2; exit 1; }
}
need $triple-g++ g++-$triple
need make make
need python3 python3
need node nodejs
gyp=$root/node_modules/node-gyp/bin/node-gyp.js
[ -f "$gyp" ] || { echo "Expected node-gyp in node_modules but it is not there (run npm ci)" >&2; exit 1; }

# node-gyp builds in build/ of the folder it runs in. A stage of links keeps this build away from the one of this machine.
stage=$root/build/linux-arm64
mkdir -p "$stage/scripts"
ln -sfn "$root/native" "$stage/native"
ln -sfn "$root/node_modules" "$stage/node_modules"
ln -sfn "$root/scripts/list-sources.mjs" "$stage/scripts/list-sources.mjs"
ln -sfn "$root/package.json" "$stage/package.json"
cp binding.gyp "$stage/binding.gyp"

launcher=
command -v ccache > /dev/null && launcher='ccache '
export CC="$launcher$triple-gcc" CXX="$launcher$triple-g++" LINK=$triple-g++ AR=$triple-ar
prefix=$(node -p "require('path').dirname(require('path').dirname(process.execPath))")
[ -f "$prefix/include/node/node_api.h" ] && export npm_config_nodedir=${npm_config_nodedir:-$prefix}

# As in scripts/prebuild.mjs: the C++ library goes into the file.
export LDFLAGS=${LDFLAGS:--static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections}
cd "$stage"
node "$gyp" configure --arch=arm64
node "$gyp" build --arch=arm64 -j "${JOBS:-$(nproc)}"

# The loader tries every .node file of prebuilds/<platform>-<arch>/; the name is the one that scripts/prebuild.mjs gives.
addon=$root/prebuilds/linux-arm64/node.napi.armv8.node
mkdir -p "$(dirname "$addon")"
$triple-strip -o "$addon" build/Release/torchscript.node
machine=$($triple-readelf -h "$addon" | sed -n 's/^ *Machine: *//p')
[ "$machine" = AArch64 ] || { echo "Expected a file for AArch64 but the compiler made one for $machine" >&2; exit 1; }
cd "$root"
scripts/addon-needs.sh "${addon#"$root/"}"
