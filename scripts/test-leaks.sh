#!/usr/bin/env bash
# Eager operators under LeakSanitizer, which needs no build of its own: it is loaded before Node. Memory that the addon took and nothing points to at
# the end fails. References that the addon makes once, when it is loaded, stay to the end of the process and are counted: they show that the
# checker sees the addon. So does the one to the buffer that small results lie in. Needs a built addon and built TypeScript. Usage: scripts/test-leaks.sh [operations]
set -euo pipefail
cd "$(dirname "$0")/.."
lsan=$(${CXX:-g++} -print-file-name=liblsan.so)
[ -e "$lsan" ] || lsan=$(ls /usr/lib/*/liblsan.so.0 2> /dev/null | head -1)
[ -e "$lsan" ] || { echo "Expected LeakSanitizer (liblsan) but there is none."; exit 2; }
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
LD_PRELOAD=$(readlink -f "$lsan") LSAN_OPTIONS="fast_unwind_on_malloc=1:exitcode=0:log_path=$logs/log" \
  node .build/scripts/leak.js --operations "${1:-20000}" --limit 1000
[ -n "$(ls "$logs")" ] || { echo "Expected a report of the checker but there is none."; exit 1; }
cat "$logs"/log* | awk '
  BEGIN { RS = ""; once = 0; bad = 0 }
  /leak of/ && /torchscript\.node/ { if (/init_addon/ || (/in 1 object/ && /SmallResults::put/)) once++; else { bad++; print } }
  END {
    printf "%d leaks of the addon; %d references made once\n", bad, once
    exit bad > 0 || once == 0
  }'
