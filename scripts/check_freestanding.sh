#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# K25: the device library builds for Cortex-M0+ and M4 without a C library, needs only
# four functions and the compiler's helpers, and has no .data and no .bss. The port check
# needs no more; the examples compile with the template port.
set -euo pipefail
. "$(dirname "$0")/files.sh"

may_need='^(memcpy|memset|memcmp|memmove|__aeabi_[a-z0-9_]+|__gnu_thumb1_[a-z0-9_]+)$'

# names_in ARCHIVE SELECTION: symbols that nm selects, sorted
names_in() {
    arm-none-eabi-nm -P $2 "$1" | awk 'NF > 1 {print $1}' | sort -u
}

check_archive() {
    local archive=$1 needed writable status=0
    needed=$(comm -23 <(names_in "$archive" --undefined-only) \
        <(names_in "$archive" "--defined-only -g") | grep -vE "$may_need" || true)
    if [ -n "$needed" ]; then
        echo "freestanding: $archive needs:" $needed >&2
        status=1
    fi
    writable=$(arm-none-eabi-size -A "$archive" |
        awk '/^[^ ]+\.o(bj)? / {file = $1}
             $1 ~ /^\.(data|bss|tdata|tbss|common)/ && $2 > 0 {print file ":" $1 ":" $2}'
        arm-none-eabi-nm -P "$archive" | awk '$2 == "C" {print $1 ":common"}')
    if [ -n "$writable" ]; then
        echo "freestanding: $archive has writable data:" $writable >&2
        status=1
    fi
    return "$status"
}

for preset in cortex-m0plus cortex-m4; do
    if [ ! "$build/$preset/build.ninja" -nt CMakePresets.json ]; then
        cmake --fresh --preset "$preset" -B "$build/$preset" >/dev/null
    fi
    cmake --build "$build/$preset" -j "$jobs" --target otter otter_port_check otter_examples |
        tail -n 1
    check_archive "$build/$preset/libotter.a"
    check_archive "$build/$preset/libotter_port_check.a"
    echo "freestanding: $preset ok"
done
