#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# custom_memory_map.h: found on the include path, overrides what it defines, and does
# not compile when it is wrong.
set -euo pipefail
include=$(cd "$(dirname "$0")/../../include" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc=${CC:-cc}

cat > "$folder/use.c" <<'C'
#include "otter/memory_map.h"
const struct otter_map map = OTTER_MEMORY_MAP;
_Static_assert(OTTER_MANAGER_ADDR == EXPECTED, "the override counts");
C

compiles() { # name, expected manager address
    "$cc" -std=c11 -Wall -Wextra -Werror -I"$include" -I"$folder" -DEXPECTED="$2" \
        -fsyntax-only "$folder/use.c" 2> "$folder/log" || return 1
}

expect() { # text, "yes" or the message, map, manager address
    printf '%s\n' "$3" > "$folder/custom_memory_map.h"
    if compiles "$1" "$4"; then seen=yes; else seen=$(cat "$folder/log"); fi
    case "$seen" in
    *"$2"*) echo "ok: $1" ;;
    *) echo "not ok: $1: expected \"$2\", seen: $seen"; exit 1 ;;
    esac
}

expect "an empty override keeps the defaults" yes "" 0x10020000u
expect "an override counts" yes "#define OTTER_MANAGER_ADDR 0x10018000u
#define OTTER_BOOT_SIZE 0x8000u" 0x10018000u
expect "overlapping regions do not compile" "OTTER_MANAGER and OTTER_APPLICATION overlap" \
    "#define OTTER_APPLICATION_ADDR 0x10030000u" 0x10020000u
expect "half sectors do not compile" "OTTER_MANAGER does not begin and end at a sector" \
    "#define OTTER_MANAGER_SIZE 0x3F800u" 0x10020000u
expect "a small journal does not compile" "journal has four sectors" \
    "#define OTTER_JOURNAL_SIZE 0x3000u" 0x10020000u
expect "no store does not compile" "second slot or a staging region" \
    "#define OTTER_STAGING_SIZE 0" 0x10020000u
