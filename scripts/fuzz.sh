#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh SECONDS: runs every fuzz target of build/fuzz, as many at once as there are
# processors, about SECONDS in all. New inputs stay in build/fuzz/corpus; a crash is
# left in build/fuzz/crashes and fails.
set -euo pipefail
. "$(dirname "$0")/files.sh"

total=${1:-60}
shopt -s nullglob
targets=("$build"/fuzz/fuzz/fuzz_*)
if [ ${#targets[@]} -eq 0 ]; then
    echo "fuzz: no targets" >&2
    exit 1
fi
each=$((total * jobs / ${#targets[@]}))
if [ "$each" -gt "$total" ]; then each=$total; fi
if [ "$each" -lt 2 ]; then each=2; fi
mkdir -p "$build/fuzz/crashes" "$build/fuzz/logs"

run_one() {
    local target=$1 name kept found log status=0
    name=$(basename "$target")
    name=${name#fuzz_}
    found=$build/fuzz/corpus/$name
    kept=tests/fuzz/corpus/$name
    log=$build/fuzz/logs/$name.log
    mkdir -p "$found"
    local corpora=("$found")
    if [ -d "$kept" ]; then corpora+=("$kept"); fi
    "$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/crashes/$name-" "${corpora[@]}" >"$log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log"
        echo "fuzz: $name FAILED (status $status)"
        return 1
    fi
    printf 'fuzz: %-20s ok, %s runs\n' "$name" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
}
export -f run_one
export build each

echo "fuzz: ${#targets[@]} targets, $each s each, $jobs at once"
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I '{}' bash -c 'run_one "$1"' _ '{}'
echo "fuzz: ${#targets[@]} targets passed"
