#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Code, data and stack of the device library on Cortex-M0+ and M4 with -Os:
#   1. per module: text, data, bss of its objects, before unused functions go
#   2. the largest stack frames, from -fstack-usage
#   3. per program of tests/size/*.c, linked with --gc-sections: without and with BearSSL
# A program of tests/size has `int entry(void)` and is compiled with OTTER_SIZE_CRYPTO
# as 0 (no crypto port: it brings stubs) or 1 (ports/common/crypto_bearssl.c is linked).
set -euo pipefail
. "$(dirname "$0")/files.sh"

presets=(cortex-m0plus cortex-m4)

sum_sizes() { # objects...
    arm-none-eabi-size "$@" | awk 'NR > 1 {t += $1; d += $2; b += $3}
        END {printf "%8d %6d %6d\n", t, d, b}'
}

modules() {
    local preset=$1 objects=$build/$1/CMakeFiles/otter.dir/src module found
    echo
    echo "$preset: modules        text   data    bss"
    for module in "$objects"/*/; do
        mapfile -t found < <(find "$module" -name '*.obj')
        if [ ${#found[@]} -eq 0 ]; then continue; fi
        printf '  %-16s %s\n' "$(basename "$module")" "$(sum_sizes "${found[@]}")"
    done
    for module in "$objects"/*.obj; do
        if [ ! -f "$module" ]; then continue; fi
        printf '  %-16s %s\n' "$(basename "$module" .c.obj)" "$(sum_sizes "$module")"
    done
    mapfile -t found < <(find "$objects" -name '*.obj')
    printf '  %-16s %s\n' total "$(sum_sizes "${found[@]}")"
}

frames() {
    echo
    echo "$1: largest stack frames in bytes"
    find "$build/$1/CMakeFiles/otter.dir" -name '*.su' -exec cat {} + |
        sed -E 's|^([^:]*/)?([^:/]+):[0-9]+:[0-9]+:|\2\t|' | sort -t "$(printf '\t')" -k3,3nr |
        awk -F '\t' 'NR <= 10 {printf "  %6d  %s (%s)%s\n", $3, $2, $1, $4 == "static" ? "" : " " $4}'
}

bearssl() { # preset, compiler options...
    local preset=$1 to=$build/bearssl/$1
    shift
    scripts/fetch_bearssl_source.sh
    mkdir -p "$to"
    if [ ! -f "$to/libbearssl.a" ]; then
        local source=$build/bearssl/source
        # What SHA-256 and ECDSA verification can reach.
        find "$source"/src/codec "$source"/src/ec "$source"/src/hash "$source"/src/int -name '*.c' |
            xargs -P "$jobs" -I '{}' sh -c 'out=$1; in=$2; shift 2
                arm-none-eabi-gcc "$@" -w -I '"$source"'/inc -I '"$source"'/src \
                    -c "$in" -o "$out/$(basename "$in" .c).o"' _ "$to" '{}' "$@"
        arm-none-eabi-ar rcs "$to/libbearssl.a" "$to"/*.o
    fi
}

programs() {
    local preset=$1 cpu=$1 source name crypto extra bin
    local options=(-mcpu="$cpu" -mthumb -Os -g -ffunction-sections -fdata-sections
        -std=c11 -Iinclude -Isrc -Iports/common)
    shopt -s nullglob
    local sources=(tests/size/*.c)
    if [ ${#sources[@]} -eq 0 ]; then return; fi
    bearssl "$preset" "${options[@]}"
    mkdir -p "$build/$preset/size"
    echo
    echo "$preset: programs                  text   data    bss"
    for source in "${sources[@]}"; do
        name=$(basename "$source" .c)
        for crypto in 0 1; do
            extra=()
            if [ "$crypto" -eq 1 ]; then
                extra=(ports/common/crypto_bearssl.c -I "$build/bearssl/source/inc")
            fi
            bin=$build/$preset/size/$name-$crypto.elf
            arm-none-eabi-gcc "${options[@]}" -DOTTER_SIZE_CRYPTO=$crypto \
                -nostartfiles --specs=nosys.specs -Wl,--gc-sections -Wl,-e,entry \
                -o "$bin" "$source" "${extra[@]}" "$build/$preset/libotter.a" \
                "$build/bearssl/$preset/libbearssl.a"
            printf '  %-12s %-11s %s\n' "$name" \
                "$([ "$crypto" -eq 1 ] && echo "+ BearSSL" || echo "")" "$(sum_sizes "$bin")"
        done
    done
}

for preset in "${presets[@]}"; do modules "$preset"; done
for preset in "${presets[@]}"; do frames "$preset"; done
for preset in "${presets[@]}"; do programs "$preset"; done
