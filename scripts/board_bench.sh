#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make bench-board: numbers of the programs on the emulated board: what they are made
# of, how much stack an update takes, how many instructions boot runs before the
# application does, and how fast a package arrives. Instructions are those of QEMU's
# -icount shift=0, where one takes one nanosecond; they are no cycles.
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
        -kernel "$programs/boot.elf" >qemu.log 2>&1 &
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

rm console.log
start -icount shift=0
for _ in $(seq 500); do
    if grep -qa '^application: started' console.log; then break; fi
    sleep 0.02
done
stop
image=$(wc -c <"$programs/application-2.bin")
echo "boot to application, image of $image bytes: $(told boot after ' us') thousand instructions"
