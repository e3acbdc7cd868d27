#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# examples/ run: boot, manager and application on the board of processes (ports/posix),
# each out of the flash, updated by `otter send`. The same sources as in examples/,
# compiled for this machine.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"
programs=$(cd "$(dirname "$OTTER")/../examples/posix" && pwd)
export OTTER_BOARD_UDP=127.0.0.1:$((20000 + ($$ + 7919) % 20000)) OTTER_BOARD_SPEED=20
address=udp://$OTTER_BOARD_UDP
board=
trap 'stop; rm -rf "$folder"' EXIT

start() { # power on
    (cd dir && exec "$programs/boot" 2>>board.log) &
    board=$!
}

stop() { # power off, without a warning
    if [ -n "$board" ]; then
        kill -KILL "$board"
        wait "$board" 2>/dev/null || true
        board=
    fi
}

bytes() { # NUMBER: four bytes, the lowest first
    printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))"
    printf "\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 24 & 255)))"
}

# image OUT PROGRAM ADDR TEXT: a program as ports/posix/port.h says; the text tells
# builds apart.
image() {
    strip -o "$2.stripped" "$programs/$2"
    printf '%s' "$4" >>"$2.stripped"
    {
        bytes 0x20004000
        bytes $(($3 + 0x11))
        bytes "$(wc -c <"$2.stripped")"
        bytes 0
        cat "$2.stripped"
    } >"$1"
}

fresh() { # POLICY...: a new device
    local options=() policy
    for policy in "$@"; do options+=(--policy "$policy"); done
    rm -rf dir
    "$OTTER" factory -o factory.hex --profile link --sign key.pem --version 1.0.0 \
        --counter 1 --manager manager.bin --firmware one.bin "${options[@]}" \
        --package-out first.otter >/dev/null
    "$OTTER" device new dir --profile link --package first.otter >/dev/null
    "$OTTER" pack -o two.otter --key key.pem --follow first.otter --version 2.0.0 \
        --counter 2 --firmware two.bin >/dev/null
}

if strip -o size "$programs/manager" && [ "$(wc -c <size)" -gt $((0x3F000)) ]; then
    echo "NOT TESTED: with sanitizers the programs are larger than their regions"
    exit 0
fi
image manager.bin manager 0x10020000 manager
image one.bin application 0 one
image two.bin application 0 two
"$OTTER" keygen -o key.pem >/dev/null

fresh
start
check "the application runs out of the flash and answers" 0 '"version": "1.0.0"' \
    "$OTTER" status $address --json
check "an update is received, installed and confirmed" 0 '"result": "confirmed"' \
    "$OTTER" send $address two.otter --wait --timeout 60 --json
check "the new application answers" 0 '"version": "2.0.0"' "$OTTER" status $address --json
stop
check "so it does after a loss of power" 0 '"phase": "confirmed"' \
    "$OTTER" device info dir --json

fresh trial-deadline=5 # ten seconds are its proof
start
check "a system that proves nothing in time is taken back" 4 '"result": "rolled back"' \
    "$OTTER" send $address two.otter --wait --timeout 60 --json
check "the old application answers" 0 '"version": "1.0.0"' "$OTTER" status $address --json
stop

fresh
dd if=/dev/zero of=dir/flash.bin bs=1 seek=$((0x70000)) count=64 conv=notrunc status=none
start
check "without an application the manager answers" 0 '"program": "manager"' \
    "$OTTER" status $address --json
check "and receives another" 0 '"result": "confirmed"' \
    "$OTTER" send $address two.otter --wait --timeout 60 --json
