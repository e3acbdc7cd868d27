#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# K25: the device library builds for Cortex-M0+ and M4 without a C library, needs only
# four functions and the compiler's helpers, and has no .data and no .bss. The port check
# needs no more; the examples compile with the template port. The same library with every
# choice of codings, and what RAM the manager takes with each.
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

# codings NAME ZLIB HEATSHRINK: the library with these, and the manager's static RAM
codings() {
    local name=$1 to=$build/codings-$2$3 flags
    flags=(-mcpu=cortex-m0plus -mthumb -Os -std=c11 -Wall -Wextra -Werror -Iinclude -Isrc
        -ffunction-sections -fdata-sections "-DOTTER_ZLIB=$2" "-DOTTER_HEATSHRINK=$3")
    rm -rf "$to"
    mkdir -p "$to"
    tree_files 'src/*.c' | tr '\n' '\0' |
        xargs -0 -P "$jobs" -I '{}' bash -c 'to=$1 file=$2; shift 2
            arm-none-eabi-gcc "$@" -c "$file" -o "$to/${file//\//_}.o"' _ "$to" '{}' "${flags[@]}"
    arm-none-eabi-ar rcs "$to/libotter.a" "$to"/*.o
    check_archive "$to/libotter.a"
    arm-none-eabi-gcc "${flags[@]}" -DOTTER_SIZE_CRYPTO=0 -Wno-unused-const-variable \
        -c tests/size/manager.c -o "$to/manager.o"
    echo "freestanding: codings $name ok," \
        "$(arm-none-eabi-size "$to/manager.o" | awk 'NR == 2 {print $3}') bytes of RAM in the manager"
}

codings "raw" 0 0
codings "raw, heatshrink" 0 1
codings "raw, zlib" 1 0
codings "raw, zlib, heatshrink" 1 1
