#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make bench-board: numbers of the programs on the emulated board: what they are made
# of, how much stack an update takes, how fast a package arrives; how many instructions
# boot runs before the application does, with and without the check of its signature, and
# what a KiB costs to receive, verify, decode and write. Instructions are those of QEMU's
# -icount shift=0, where one takes one nanosecond; they are no cycles. They are counted in
# programs of their own (preset ast1030-bench), which do not wait for QEMU's files.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$root/$build ;; esac
otter=${OTTER:-$build/release/tools/otter}
programs=${BOARD_PROGRAMS:-$build/ast1030}
folder=$(mktemp -d)
board=
trap 'if [ -n "$board" ]; then kill -KILL "$board"; fi; rm -rf "$folder"' EXIT
cd "$folder"

start() { # OPTION...
    rm -f "$folder/console.sock"
    qemu-system-arm "$@" -M ast1030-evb,fmc-model=w25q80bl -display none -monitor none \
        -semihosting-config enable=on,target=native \
        -chardev "socket,id=u,path=$folder/console.sock,server=on,wait=off,logfile=console.log,logappend=on" \
        -serial chardev:u -drive if=mtd,index=0,file=flash.bin,format=raw \
        -kernel "${kernel:-$programs/boot.elf}" >qemu.log 2>&1 &
    board=$!
    # The file is there a moment before anybody listens.
    while ! grep -q " 00010000 .* $folder/console.sock\$" /proc/net/unix; do sleep 0.02; done
}

stop() {
    kill -KILL "$board"
    wait "$board" 2>/dev/null || true
    board=
}

told() { # PROGRAM WORD UNIT: the largest number that follows the word
    sed -n "s/^$1: .*$2 \([0-9]*\)$3.*/\1/p" console.log | sort -n | tail -n 1
}

"$otter" keygen -o key.pem >/dev/null
"$otter" factory -o factory.bin --profile ast1030 --sign key.pem --version 1.0.0 --counter 5 \
    --boot "$programs/boot.bin" --manager "$programs/manager.bin" \
    --firmware "$programs/application-1.bin" --package-out first.otter --json >map.json
"$otter" pack -o two.otter --key key.pem --follow first.otter --map map.json --coding raw \
    --version 2.0.0 --counter 6 --firmware "$programs/application-2.bin" >/dev/null
head -c 1048576 /dev/zero | tr '\000' '\377' >flash.bin
dd if=factory.bin of=flash.bin conv=notrunc bs=64k status=none

start
"$otter" send "unix://$folder/console.sock" two.otter --no-request --json >send.json
"$otter" send "unix://$folder/console.sock" two.otter --wait >/dev/null
stop
echo "program         text    data     bss   stack used"
for program in boot manager application-2; do
    arm-none-eabi-size "$programs/$program.elf" |
        awk -v name="$program" -v stack="$(told "${program%-*}" "stack" "")" \
            'NR == 2 {printf "%-13s %6d  %6d  %6d   %6d\n", name, $1, $2, $3 - 12288, stack}'
done
echo "(with port, BearSSL and console texts; bss without the stack's 12 KiB)"
awk -v bytes="$(wc -c <two.otter)" '/"seconds"/ {gsub(/[^0-9.]/, "")
    printf "package of %d bytes received in %.2f s, %.0f KiB/s\n", bytes, $0, bytes / 1024 / $0}' send.json

# ---- instructions: programs that do not wait for QEMU's file, and tell when they were busy

shopt -s inherit_errexit
measured=$build/ast1030-bench
firmware=$measured/application-2.bin

factory() { # BOOT
    "$otter" factory -o factory.bin --profile ast1030 --sign key.pem --version 1.0.0 --counter 5 \
        --boot "$measured/$1.bin" --manager "$measured/manager.bin" \
        --firmware "$measured/application-1.bin" --package-out first.otter --json >map.json
    head -c 1048576 /dev/zero | tr '\000' '\377' >flash.bin
    dd if=factory.bin of=flash.bin conv=notrunc bs=64k status=none
    rm -f console.log
}

pack() { # CODING
    "$otter" pack -o "$1.otter" --key key.pem --follow first.otter --map map.json --coding "$1" \
        --version 2.0.0 --counter 6 --firmware "$firmware" >/dev/null
}

# Thousands of instructions from boot's first to the application's.
boot_to_application() { # BOOT
    factory "$1"
    kernel=$measured/$1.elf start -icount shift=0
    for _ in $(seq 500); do
        if grep -qa '^application: started' console.log; then break; fi
        sleep 0.02
    done
    stop
    told boot after ' us'
}

update() { # CODING: leaves its console.log
    factory boot
    pack "$1"
    kernel=$measured/boot.elf start -icount shift=0
    "$otter" send "unix://$folder/console.sock" "$1.otter" >/dev/null
    for _ in $(seq 1500); do # nobody listens any more, so no line waits for its reader
        if grep -qa '^application: phase confirmed' console.log; then break; fi
        sleep 0.02
    done
    stop
}

# What a program had done between two lines of its own, in thousands of instructions.
between() { # PROGRAM FROM TO
    awk -v from="$1: $2 busy" -v to="$1: $3 busy" '
        index($0, from) == 1 && !begin {begin = $NF}
        index($0, to) == 1 {end = $NF}
        END {print end - begin}' console.log
}

per_kib() { # WHAT INSTRUCTIONS BYTES
    awk -v what="$1" -v instructions="$2" -v bytes="$3" 'BEGIN {
        printf "%-44s %7.1f\n", what, instructions * 1024 / bytes}'
}

image=$(wc -c <"$firmware")
signed=$(boot_to_application boot)
unsigned=$(boot_to_application boot-unsigned)
echo
echo "thousand instructions"
printf '%-44s %7d\n' "boot to application, $image bytes" "$signed" \
    "  without the check of its signature" "$unsigned"
update raw
sum=$(between manager "stage 9 0 %" "stage 9 100 %")
echo "thousand instructions per KiB"
per_kib "received over the console, hashed, written" \
    "$(between application "receiving 50 %" "receiving 100 %")" "$(($(wc -c <raw.otter) / 2))"
per_kib "verified (SHA-256)" "$sum" "$image"
per_kib "written: erased, programmed, read back" \
    "$(between manager "stage 10 0 %" "stage 10 100 %")" "$image"
update heatshrink
stored=$("$otter" inspect heatshrink.otter --json | sed -n 's/.*"stored_size": \([0-9]*\).*/\1/p' | sort -n | tail -n 1)
decoded=$(awk -v all="$(between manager "stage 9 0 %" "stage 9 100 %")" -v sum="$sum" \
    -v image="$image" -v stored="$stored" 'BEGIN {print all - sum * (stored + image) / image}')
per_kib "decoded, heatshrink ($stored bytes of $image)" "$decoded" "$image"
