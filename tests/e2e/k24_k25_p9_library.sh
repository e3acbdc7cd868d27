#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the device library needs of a processor: four functions and the compiler's own
# helpers (K25), no memory of its own, no allocation, no recursion (P9), and a boot
# within its limits (K24: 2 KiB of static RAM, 4 KiB of stack; what the crypto port
# takes on top is gated by scripts/size.sh). Every source file is compiled here for a
# Cortex-M0+. Without that compiler the same is looked for in the host's objects, but
# for the stack.
set -euo pipefail
shopt -s globstar
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
static_max=2048
stack_max=4096
may_need='memcpy|memset|memcmp|memmove|__aeabi_[a-z0-9_]+|__gnu_thumb1_[a-z0-9_]+|_GLOBAL_OFFSET_TABLE_'
failed=0

say() { # what is wrong, and where
    echo "not ok: $*"
    failed=1
}

if command -v arm-none-eabi-gcc >/dev/null; then
    prefix=arm-none-eabi-
    cc=(arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -fcallgraph-info=su)
else
    prefix=
    cc=("${CC:-cc}")
fi
cc+=(-std=c11 -Os -ffreestanding -fno-stack-protector -ffunction-sections -fdata-sections -Iinclude -Isrc)

compile() { # source, object
    "${cc[@]}" -c "$1" -o "$2"
}

objects=()
for source in src/**/*.c; do
    object=$folder/${source//\//-}.o
    compile "$source" "$object"
    objects+=("$object")
done

needed=$(comm -23 <("${prefix}nm" -P -u "${objects[@]}" | awk 'NF > 1 {print $1}' | sort -u) \
    <("${prefix}nm" -P -g --defined-only "${objects[@]}" | awk 'NF > 1 {print $1}' | sort -u) |
    grep -vxE "$may_need" || true)
if [ -n "$needed" ]; then
    say "K25: the library needs" $needed
else
    echo "ok: K25: ${#objects[@]} objects need memcpy, memset, memcmp, memmove and helpers alone"
fi

writable=$("${prefix}size" -A "${objects[@]}" |
    awk '/:$/ || /^[^ ]+  *:/ {file = $1} $1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /rel\.ro/ && $2 > 0 {print file ":" $1}')
if [ -n "$writable" ]; then
    say "P9: memory of its own:" $writable
else
    echo "ok: P9: the library has no memory of its own"
fi

# A static assertion that names the size is the shortest way to measure a struct that
# has pointers in it, for the processor that is compiled for.
cat >"$folder/boot.c" <<C
#include "otter/boot.h"
_Static_assert(sizeof(struct otter_boot) <= $static_max, "K24: static RAM of boot");
C
if compile "$folder/boot.c" "$folder/boot.o"; then
    echo "ok: K24: boot takes at most $static_max bytes of static RAM"
else
    say "K24: boot takes more than $static_max bytes of static RAM"
fi

if [ -n "$prefix" ]; then
    # Recursion, a frame of unknown size or a pointer that cannot be followed, below any
    # public function, is an error of the reckoning.
    roots=$("${prefix}nm" -P -g --defined-only "${objects[@]}" | awk '$2 == "T" && $1 ~ /^otter_/ {print $1}')
    if ! awk -v roots="$roots" -f scripts/stack.awk "$folder"/src-*.ci >"$folder/stack"; then
        say "P9, K24: the stack cannot be reckoned"
    else
        echo "ok: P9: no recursion, no frame of unknown size"
    fi
    boot=$(awk '/ otter_boot_run:/ {print $1}' "$folder/stack")
    if [ -z "$boot" ] || [ "$boot" -gt "$stack_max" ]; then
        say "K24: boot's stack without crypto is ${boot:-unknown} bytes, more than $stack_max"
    else
        echo "ok: K24: boot's stack without crypto is $boot bytes"
    fi
fi
exit "$failed"
