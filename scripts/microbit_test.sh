#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make microbit-test: boot, manager and application on an emulated Cortex-M0 (QEMU's
# microbit: 16 KiB of RAM, 256 KiB of flash behind the controller's registers).
# `otter send` updates it over its console, with a raw package and with a heatshrink one;
# then once more while the processor is reset at each flash operation of the update, the
# first time that a program does it at its place (the journal comes round to its places
# again): before it, in its middle, after it, in turn. It prints static RAM and the most
# stack of each program, and fails if one needs more than 12 KiB.
#
# QEMU cannot keep this flash in a file: these are resets, no power cuts, and every run
# of QEMU begins with a new board.
#
#   microbit_test.sh [--keep] [--ways]
#     --keep   leaves the folder, and says where it is
#     --ways   the resets three times, so that each operation is met in all three ways
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$root/$build ;; esac
otter=${OTTER:-$build/release/tools/otter}
programs=${BOARD_PROGRAMS:-$build/microbit}
ram_max=$((12 * 1024))
keep=no
ways=0
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=yes && shift ;;
    --ways) ways="0 1 2" && shift ;;
    *) sed -n '15,17s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
done

folder=$(mktemp -d)
finish() {
    stop
    if [ $keep = yes ]; then echo "microbit: everything lies in $folder"; else rm -rf "$folder"; fi
}
trap finish EXIT
cd "$folder" || exit 1
test=microbit
logs="console.log send.log"
. "$root/scripts/test_lib.bash"

# ---- the board ----

start() { # [SEMIHOSTING-ARGUMENT]: a new board
    local arguments=
    if [ -n "${1:-}" ]; then arguments=,arg=otter,arg=$1; fi
    rm -f console.sock console.log
    qemu-system-arm -M microbit -display none -monitor none \
        -semihosting-config "enable=on,target=native$arguments" \
        -chardev "socket,path=$folder/console.sock,server=on,wait=off,id=u,logfile=console.log" \
        -serial chardev:u -kernel "$programs/${kernel:-boot}.elf" > qemu.log 2>&1 &
    device=$!
    console=unix://$folder/console.sock
    for _ in $(seq 500); do
        # The file is there a moment before anybody listens.
        if grep -q " 00010000 .* $folder/console.sock\$" /proc/net/unix; then return; fi
        sleep 0.01
    done
    cat qemu.log >&2
    fail "QEMU does not start"
}

send() { # PACKAGE [OPTION...]: $ended is what became of it
    "$otter" send "$console" "$@" --json > send.json 2> send.log
    ended=$(field send.json result)
}

running() { # version and program that answer
    need "$otter" status "$console" --json
    echo "$(field need.log version) $(field need.log program)"
}

shown() { # TEXT: how often the console said a line like it
    grep -ac "$1" console.log
}

# ---- numbers ----

static_ram() { # PROGRAM: bytes of .data and .bss, and of what survives a reset
    arm-none-eabi-size -A "$programs/$1.elf" |
        awk '$1 ~ /^\.(data|bss|mailbox)$/ {sum += $2} END {print sum + 0}'
}

note_peaks() { # most bytes of stack that each program told so far
    local program peak
    for program in boot manager application; do
        peak=$(sed -n "s/^$program: .*, stack \([0-9]*\)\$/\1/p" console.log | sort -n | tail -n 1)
        if [ "${peak:-0}" -gt "${peaks[$program]:-0}" ]; then peaks[$program]=$peak; fi
    done
}

table_of_ram() {
    local program image ram sum too_much=no
    say "RAM: static, painted stack, both; at most $ram_max bytes"
    for program in boot manager application; do
        image=$program
        if [ $program = application ]; then image=application-1; fi
        ram=$(static_ram $image)
        if [ "${peaks[$program]:-0}" = 0 ]; then fail "$program did not tell its stack"; fi
        sum=$((ram + peaks[$program]))
        printf '    %-12s %6d %6d %6d   image %d bytes\n' $program "$ram" \
            "${peaks[$program]}" $sum "$(stat -c %s "$programs/$image.bin")"
        if [ $sum -gt $ram_max ]; then too_much=$program; fi
    done
    if [ $too_much != no ]; then fail "$too_much needs more than $ram_max bytes"; fi
}

# ---- what there is to send ----

# A run with resets uses up many attempts of a trial: the default are ten.
make_packages() {
    need "$otter" keygen -o key.pem
    "$otter" factory -o factory.bin --profile microbit --sign key.pem --version 1.0.0 \
        --counter 5 --boot "$programs/boot.bin" --manager "$programs/manager.bin" \
        --firmware "$programs/application-1.bin" --policy trial-powers=100 \
        --policy trial-deadline=60 --package-out first.otter \
        --json > map.json || fail "no factory image"
    for coding in raw heatshrink; do
        need "$otter" pack -o "$coding.otter" --key key.pem --follow first.otter \
            --map map.json --coding $coding --version 2.0.0 --counter 6 \
            --firmware "$programs/application-2.bin"
        echo "$coding.otter: $(stat -c %s $coding.otter) bytes"
    done
}

# ---- scenes ----

scene_port_check() {
    say "the port keeps what include/otter/port/ promises"
    kernel=port_check start
    for _ in $(seq 1200); do
        if grep -qa '^port check: .*SOUND\|^port check: sound' console.log; then break; fi
        sleep 0.1
    done
    stop
    expect "the port check's last word" "port check: sound" "$(tail -n 1 console.log | tr -d '\r')"
    sed -n '/^skipped \|passed/s/^/    /p' console.log
}

scene_update() { # CODING
    say "an update, $1"
    start
    expect "the first system runs" "1.0.0 agent" "$(running)"
    send "$1.otter" --wait --timeout 600
    expect "update over the console" confirmed "$ended"
    expect "the new program runs" "2.0.0 agent" "$(running)"
    expect "it is version 2 that speaks" 1 "$(shown '^application: version 2$')"
    sed -n 's/^flash: /    flash: /p' console.log | tail -n 1
    note_peaks
    stop
}

scene_resets() { # CODING WAY
    local began=$SECONDS report
    say "the same, $1, with a reset at each flash operation; the first one in way $2"
    start "resets=$2"
    send "$1.otter" --wait --timeout 600
    expect "update over the console" confirmed "$ended"
    expect "the new program runs" "2.0.0 agent" "$(running)"
    report=$(sed -n 's/^flash: //p' console.log | tail -n 1)
    echo "    flash: $report"
    expect "as many resets as operations came for the first time" \
        "$(sed -n 's/.*operations, \([0-9]*\) of .*/\1/p' <<< "${report:?}")" \
        "$(sed -n 's/.* \([0-9]*\) resets$/\1/p' <<< "$report")"
    expect "nothing crashed" 0 "$(shown '^fault$')"
    echo "    $((SECONDS - began)) s"
    note_peaks
    stop
}

declare -A peaks
need "$otter" --version
make_packages
scene_port_check
scene_update raw
scene_update heatshrink
for way in $ways; do scene_resets heatshrink "$way"; done
table_of_ram
printf '\nmicrobit: all ended as expected.\n'
