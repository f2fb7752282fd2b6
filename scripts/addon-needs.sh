#!/usr/bin/env bash
# Prints what a prebuilt addon for Linux asks of a system: processor, shared libraries, the newest version of each library's symbols. Fails
# where that is more than docs/packaging.md promises. With musl no symbol has a version. Usage: scripts/addon-needs.sh <file.node>
set -euo pipefail
newest_glibc=2.34
command -v readelf > /dev/null || { echo 'Expected the command readelf but it is not installed (Debian: apt-get install binutils)' >&2; exit 1; }
echo "$1: $(stat -c %s "$1") bytes, for $(readelf -h "$1" | sed -n 's/^ *Machine: *//p')"
echo "libraries: $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | xargs)"
versions=$(readelf -W --dyn-syms "$1" | grep -oE 'UND [^@]+@[A-Z]+_[0-9.]+' | sed 's/.*@//' | sort -Vu || true)
for library in $(echo "$versions" | sed 's/_.*//' | sort -u); do echo "newest symbol: $(echo "$versions" | grep "^${library}_" | tail -1)"; done
glibc=$(echo "$versions" | sed -n 's/^GLIBC_//p' | tail -1)
[ -z "$glibc" ] || [ "$(printf '%s\n' "$newest_glibc" "$glibc" | sort -V | tail -1)" = "$newest_glibc" ] || {
  echo "Expected an addon that loads with glibc $newest_glibc but it needs $glibc: $(readelf -W --dyn-syms "$1" | grep -o "[a-z_0-9]*@GLIBC_$glibc" | xargs)" >&2
  exit 1
}
