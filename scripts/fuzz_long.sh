#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz_long.sh MINUTES [NAME...]: runs every fuzz target of build/fuzz (or those named)
# until each has had MINUTES of processor time, user and system, as many at once as
# JOBS says. Each run of at most SLICE (300) seconds adds a line to
# build/fuzz/long/log: date, revision, target, executions, processor seconds, new
# findings. Time that the log holds already counts, so the work can be stopped and
# taken up again; remove the log to begin anew. New inputs stay in build/fuzz/corpus,
# findings in build/fuzz/crashes. A target stops at its first finding, and the script
# fails. At the end: the table of docs/RELIABILITY.md.
#
# fuzz_long.sh --table: only prints the table.
set -euo pipefail
. "$(dirname "$0")/files.sh"

slice=${SLICE:-300}
long=$build/fuzz/long
log=$long/log
export build slice long log

# spent NAME: processor seconds that the log holds for the target
spent() {
    awk -v name="$1" '$3 == name { sum += $5 } END { printf "%d\n", sum }' "$log"
}

# findings NAME: files that stand for a defect
findings() {
    find "$build/fuzz/crashes" -name "$1-*" ! -name "$1-slow-unit-*" | wc -l
}

# run_slice NAME: one run and its line in the log; fails if it found something
run_slice() {
    local name=$1 before found executions cpu status=0
    local corpora=("$build/fuzz/corpus/$name")
    if [ -d "tests/fuzz/corpus/$name" ]; then corpora+=("tests/fuzz/corpus/$name"); fi
    mkdir -p "${corpora[0]}"
    before=$(findings "$name")
    TIMEFORMAT='%U %S'
    { time "$build/fuzz/fuzz/fuzz_$name" -max_total_time="$slice" -timeout=30 \
        -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="$build/fuzz/crashes/$name-" "${corpora[@]}" \
        >"$long/$name.out" 2>&1; } 2>"$long/$name.cpu" || status=$?
    cpu=$(awk 'NF == 2 { print $1 + $2 }' "$long/$name.cpu")
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$long/$name.out" | tail -n 1)
    found=$(($(findings "$name") - before))
    if [ "$status" -ne 0 ] && [ "$found" -eq 0 ]; then found=1; fi
    printf '%s %s %s %s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$revision" "$name" \
        "${executions:-0}" "${cpu:-0}" "$found" >>"$log"
    if [ "$found" -ne 0 ]; then
        tail -n 40 "$long/$name.out"
        echo "fuzz: $name FAILED (status $status)"
        return 1
    fi
}

# run_target NAME SECONDS: slices until the log holds so much
run_target() {
    while [ "$(spent "$1")" -lt "$2" ]; do
        run_slice "$1" || return 1
        printf 'fuzz: %-12s %5d of %d s\n' "$1" "$(spent "$1")" "$2"
    done
}

print_table() {
    echo '| target | executions | per second | processor hours | findings |'
    echo '|---|---:|---:|---:|---:|'
    awk '{ runs[$3] += $4; cpu[$3] += $5; found[$3] += $6 }
        END {
            for (name in runs) {
                printf "| %s | %d | %d | %.2f | %d |\n", name, runs[name],
                    runs[name] / (cpu[name] > 0 ? cpu[name] : 1), cpu[name] / 3600,
                    found[name]
            }
        }' "$log" | sort
}

main() {
    mkdir -p "$long" "$build/fuzz/crashes"
    touch "$log"
    if [ "${1:-}" = --table ]; then
        print_table
        return
    fi
    local seconds=$((${1:-30} * 60)) names=("${@:2}") status=0
    if [ ${#names[@]} -eq 0 ]; then
        mapfile -t names < <(find "$build/fuzz/fuzz" -name 'fuzz_*' -type f -executable \
            -printf '%f\n' | sed 's/^fuzz_//' | sort)
    fi
    if [ ${#names[@]} -eq 0 ]; then
        echo "fuzz: no targets" >&2
        return 1
    fi
    printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I '{}' \
        bash -c 'run_target "$@"' _ '{}' "$seconds" || status=1
    print_table
    return "$status"
}

revision=${REVISION:-$(git rev-parse --short HEAD)}
export revision
export -f spent findings run_slice run_target
main "$@"; exit
