#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make board-test: the device programs as firmware of an emulated board (QEMU's
# ast1030-evb: Cortex-M4, a serial NOR chip that a file stands behind). Boot is QEMU's
# -kernel and stands for the ROM; manager and applications come out of the flash file
# alone. `otter send` updates the board over its console; applications crash, hang and
# stay silent; packages are forged; bytes are lost; QEMU is killed at random moments and
# ends at chosen flash operations.
#
#   board_test.sh [--kills N] [--cut-step N] [--cut-first N] [--seed N] [--keep]
#                 [--scene NAME]...
#     --kills     how often QEMU is killed at random (300)
#     --cut-step  power goes off at every Nth flash operation of an installation (48)
#     --cut-first from this one on (0), so that two can share them
#     --seed      of the random moments
#     --keep      leaves the folder, and says where it is
#     --scene     only this: port_check, boot, update, refusals, roll_backs, rescue,
#                 bad_luck, busy, card, card_cuts, moments, cuts, kills
#
# Without --scene the kills have a board of their own, beside the other scenes.
#
# After each cut the flash file is read by the tool, whose virtual device (the same
# library, compiled for the host) must come up from it with the old or the new system,
# whole; then the board itself must.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$root/$build ;; esac
otter=${OTTER:-$build/release/tools/otter}
programs=${BOARD_PROGRAMS:-$build/ast1030}
kills=300
cut_step=48
cut_first=0
seed=${SEED:-1}
keep=no
while [ $# -gt 0 ]; do
    case $1 in
    --kills) kills=$2 && shift 2 ;;
    --cut-step) cut_step=$2 && shift 2 ;;
    --cut-first) cut_first=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --keep) keep=yes && shift ;;
    --scene) scenes="${scenes:-} $2" && shift 2 ;;
    *) sed -n '11,19s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
done
RANDOM=$seed

folder=$(mktemp -d)
sender=
killer=
finish() {
    stop
    if [ -n "$killer" ]; then kill "$killer" 2> /dev/null; fi
    if [ -n "$sender" ]; then kill "$sender" 2> /dev/null; fi
    if [ $keep = yes ]; then echo "board: everything lies in $folder"; else rm -rf "$folder"; fi
}
trap finish EXIT
cd "$folder" || exit 1
test=board
logs="dir/console.log send.log"
. "$root/scripts/test_lib.bash"

# ---- the board ----

# Powers the board in dir on. $console is where it can be reached. $halted: options of a
# processor that waits for board_cut.py.
start() { # [pty] [SEMIHOSTING-ARGUMENT]
    local socket=$folder/dir/console.sock
    local way=socket,path=$socket,server=on,wait=off arguments= card=()
    if [ -f dir/card.bin ]; then card=(-drive if=mtd,index=2,file=card.bin,format=raw); fi
    if [ "${1:-}" = pty ]; then way=pty && shift; fi
    if [ -n "${1:-}" ]; then arguments=,arg=otter,arg=$1; fi
    rm -f "$socket" dir/qemu.log
    (cd dir && exec qemu-system-arm -M ast1030-evb,fmc-model=w25q80bl,spi-model=w25q80bl \
        "${card[@]}" ${halted:-} -display none \
        -monitor none -semihosting-config "enable=on,target=native$arguments" \
        -chardev "$way,id=u,logfile=console.log,logappend=on" -serial chardev:u \
        -drive if=mtd,index=0,file=flash.bin,format=raw \
        -kernel "$programs/${kernel:-boot}.elf" > qemu.log 2>&1) &
    device=$!
    for _ in $(seq 500); do
        console=unix://$socket
        # The file is there a moment before anybody listens.
        if grep -q " 00010000 .* $socket\$" /proc/net/unix; then return; fi
        console=serial://$(sed -n 's/.*redirected to \([^ ]*\) .*/\1/p' dir/qemu.log 2> /dev/null)
        if [ "$console" != serial:// ]; then return; fi
        sleep 0.01
    done
    cat dir/qemu.log >&2
    fail "QEMU does not start"
}

fresh() { # [FOLDER]: a board as it comes from the factory
    stop
    rm -rf dir
    cp -r "${1:-factory}" dir
}

# What the flash file holds must bring up a whole system, old or new, on the virtual
# device; $seen is its version.
check_flash() { # SENTENCE VERSION...
    local sentence=$1
    shift
    rm -rf twin
    mkdir twin
    cp dir/flash.bin dir/device.json twin
    if [ -f dir/card.bin ]; then
        take_from_card update.otter 0x1000
        take_from_card otter/pointer.0 0x82000
        take_from_card otter/pointer.1 0x84000
        take_from_card otter/saved6.bin 0x86000
    fi
    "$otter" device info twin --json > before.json ||
        fail "$sentence: the flash cannot be read"
    "$otter" device run twin > run.log 2>&1 ||
        fail "$sentence: the flash does not come up: $(tail -n 1 run.log)"
    "$otter" device info twin --json > info.json || fail "$sentence: the flash cannot be read"
    seen=$(field info.json version)
    if [ "$(field info.json installed)" != true ]; then
        fail "$sentence: the system is not whole"
    fi
    case " $* " in
    *" $seen "*) ;;
    *) fail "$sentence: version $seen runs, none of: $*" ;;
    esac
}

# Sends a package to the end; $ended is what became of it.
send() { # PACKAGE [OPTION...]
    "$otter" send "$console" "$@" --json > send.json 2> send.log
    local status=$?
    ended=$(field send.json result)
    code=$(field send.json code)
    return $status
}

# Waits until the console has said a line like it.
wait_for() { # TEXT
    for _ in $(seq 600); do
        if [ "$(shown "$1")" != 0 ]; then return; fi
        if ! is_on; then return; fi
        sleep 0.05
    done
    fail "the console does not say \"$1\""
}

shown() { # TEXT: how often the console said a line like it
    grep -ac "$1" dir/console.log
}

peak() { # PROGRAM: most bytes of stack that it told
    sed -n "s/^$1: .*, stack \([0-9]*\)\$/\1/p" dir/console.log | sort -n | tail -n 1
}

# ---- what there is to send ----

make_factory() { # SUFFIX: of profile, map, first package and folder
    "$otter" factory -o factory.bin --profile "ast1030$1" --sign key.pem --version 1.0.0 \
        --counter 5 --boot "$programs/boot.bin" --manager "$programs/manager.bin" \
        --firmware "$programs/application-1.bin" --policy watchdog=2 \
        --policy trial-deadline=3 --policy manager-wait=5 --package-out "first$1.otter" \
        --json > "map$1.json" || fail "no factory image"
    mkdir "factory$1"
    # An erased chip; the factory's content from its first byte on.
    head -c 1048576 /dev/zero | tr '\000' '\377' > "factory$1/flash.bin"
    dd if=factory.bin of="factory$1/flash.bin" conv=notrunc bs=64k status=none
    printf '{"format": 1, "profile": "ast1030%s", "seed": 1}\n' "$1" > "factory$1/device.json"
}

address_of() { # PROGRAM SYMBOL
    printf '0x%s' "$(arm-none-eabi-nm "$programs/$1.elf" | awk -v name="$2" '$3 == name {print $1; exit}')"
}

pack() { # OUT VERSION COUNTER PROGRAM [KEY [OPTION...]], for the profile with $ending
    need "$otter" pack -o "$1.otter" --key "${5:-key.pem}" --follow "first${ending-}.otter" \
        --map "map${ending-}.json" --coding raw --version "$2" --counter "$3" \
        --firmware "$programs/application-$4.bin" "${@:6}"
}

make_packages() {
    pack two 2.0.0 6 2
    pack back 3.0.0 6 1
    pack silent 4.0.0 6 silent
    pack crash 4.0.0 6 crash
    pack hang 4.0.0 6 hang
    pack spoil 4.0.0 6 spoil
    pack older 2.0.0 4 2
    pack foreign 2.0.0 6 2 stranger.pem
    ending=-card pack loading 2.0.0 6 2 key.pem --member loader="$programs/loader.bin"
    # A loader whose main() begins with an undefined instruction.
    cp "$programs/loader.bin" stuck.bin
    printf '\000\336' | dd of=stuck.bin bs=1 conv=notrunc status=none \
        seek=$(($(address_of loader main) - 0x60000))
    ending=-card pack stuck 2.0.0 6 2 key.pem --member loader=stuck.bin
    cp two.otter forged.otter
    # A bit of the control packet, which is signed, and one of the program.
    printf '\377' | dd of=forged.otter bs=1 seek=100 conv=notrunc status=none
    cp two.otter damaged.otter
    printf '\377' | dd of=damaged.otter bs=1 seek=20000 conv=notrunc status=none
}

# ---- the second chip: ports/ast1030/files.c says where its files lie ----

poke() { # OFF: bytes of standard input into the second chip
    dd of=dir/card.bin bs=1 seek=$(($1)) conv=notrunc status=none
}

le32() { # NUMBER: its four bytes
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
        $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# Fills the card as one would a real one.
put_on_card() { # PACKAGE
    local size
    size=$(stat -c %s "$1")
    head -c 1048576 /dev/zero | tr '\000' '\377' > dir/card.bin
    printf OTTRCARD | poke 0
    (le32 "$size" && le32 $((~size & 0xFFFFFFFF))) | poke 0x1000
    dd if="$1" of=dir/card.bin bs=4096 seek=2 conv=notrunc status=none
}

# A file of the second chip for the virtual device's card; nothing if there is none.
take_from_card() { # PATH OFF
    local length=
    # The last entry whose complement fits.
    length=$(dd if=dir/card.bin bs=4096 skip=$(($2 / 4096)) count=1 status=none |
        od -An -v -w8 -tu4 | awk '$1 + $2 == 4294967295 && $1 < 1048576 {n = $1} END {print n}')
    if [ -n "$length" ]; then
        mkdir -p "$(dirname "twin/card/$1")"
        dd if=dir/card.bin bs=4096 skip=$(($2 / 4096 + 1)) status=none | head -c "$length" \
            > "twin/card/$1"
    fi
}

# ---- scenes ----

scene_port_check() {
    say "0. the port keeps what include/otter/port/ promises"
    fresh
    kernel=port_check start
    for _ in $(seq 600); do
        if [ "$(shown '^port check: .*SOUND\|^port check: sound')" != 0 ]; then break; fi
        sleep 0.1
    done
    stop
    expect "the port check's last word" "port check: sound" \
        "$(tail -n 1 dir/console.log | tr -d '\r')"
    sed -n '/^skipped \|passed/s/^/    /p' dir/console.log
    cmp -n $((0x60000)) dir/flash.bin factory/flash.bin || fail "it wrote outside scratch"
    echo "ok: nothing outside scratch was touched"
}

scene_boot() {
    say "1. boot is the only -kernel; the rest comes out of the flash file"
    fresh
    start
    need "$otter" status "$console" --json
    cp need.log status.json
    expect "the first system runs" "1.0.0 agent" \
        "$(field status.json version) $(field status.json program)"
    expect "it is version 1 that speaks" 1 "$(shown '^application: version 1$')"
    stop
    if ! cmp -s dir/flash.bin factory/flash.bin; then fail "a confirmed boot wrote to flash"; fi
    echo "ok: a confirmed boot writes nothing (K9)"
}

scene_update() {
    say "2. updated over a socket and over a serial line"
    fresh
    start
    send two.otter --wait
    expect "update over the socket" confirmed "$ended"
    expect "the new program runs" 1 "$(shown '^application: version 2$')"
    expect "the manager has installed it" 1 "$(shown '^manager: started$')"
    stop
    check_flash "after the update" 2.0.0+0
    start pty
    send back.otter --wait
    expect "update over ${console%%:*}" confirmed "$ended"
    stop
    check_flash "after the second update" 3.0.0+0
    echo "stack used: boot $(peak boot), manager $(peak manager)," \
        "application $(peak application) bytes"
    if [ "$(peak boot)" -gt 4096 ]; then fail "boot uses more than 4096 bytes (K24)"; fi
}

scene_refusals() {
    say "3. what is not for this board is refused"
    fresh
    start
    for case in forged:22-12 foreign:22-11 older:23-12 damaged:20-16; do
        send "${case%:*}.otter"
        expect "${case%:*} package" "refused ${case#*:}" "$ended $code"
    done
    stop
    check_flash "after the refusals" 1.0.0+0
    expect "nothing was installed" 0 "$(shown '^manager: started$')"
}

scene_roll_backs() {
    say "4. a new system that crashes, hangs or stays silent is taken back"
    for case in crash:fault hang:watchdog silent:software; do
        fresh
        start
        send "${case%:*}.otter" --wait
        expect "an application with temper ${case%:*}" "rolled back 31-10" "$ended $code"
        expect "  tried three times" 3 "$(shown "version 3-${case%:*}\$")"
        if [ "$(shown "^boot: reset by ${case#*:}\$")" -lt 3 ]; then
            fail "  not reset by ${case#*:}"
        fi
        stop
        check_flash "  after it" 1.0.0+0
    done
}

scene_rescue() {
    say "5. the application is damaged: the manager runs, and receives another"
    fresh
    printf damaged | dd of=dir/flash.bin bs=1 seek=$((0x41000)) conv=notrunc status=none
    start
    need "$otter" status "$console" --json
    cp need.log status.json
    expect "who answers" manager "$(field status.json program)"
    send two.otter --wait
    expect "update through the manager" confirmed "$ended"
    if [ "$(shown '^application: version 2$')" -eq 0 ]; then fail "it is not version 2 that runs"; fi
    stop
    check_flash "after it" 2.0.0+0
    for addr in 0x21000 0x41000; do
        printf damaged | dd of=dir/flash.bin bs=1 seek=$((addr)) conv=notrunc status=none
    done
    start
    for _ in $(seq 200); do
        if [ "$(shown '^boot: nothing to start$')" != 0 ]; then break; fi
        sleep 0.05
    done
    expect "with a damaged manager, too, boot stays and says a code" "boot: [30-10] 1" \
        "$(sed -n '/^boot: \[/p' dir/console.log | tail -n 1) $(shown '^boot: nothing to start$')"
    if ! is_on; then fail "QEMU ended by itself"; fi
    stop
}

scene_bad_luck() {
    say "6. bad luck: lost bytes, spoilt memory"
    fresh
    start lose=20011
    send two.otter --wait
    expect "every 20011th byte to the board is lost" confirmed "$ended"
    if [ "$(field send.json sent_again)" = 0 ]; then fail "nothing was lost"; fi
    stop
    check_flash "  after it" 2.0.0+0

    fresh
    start
    send spoil.otter --wait
    expect "an application overwrites what survives a reset" confirmed "$ended"
    send back.otter --wait
    expect "  and is replaced all the same" confirmed "$ended"
    expect "  lost memory is told as lost power" 2 "$(shown '^boot: reset by power on$')"
    stop
}

# A chip that never answers ready again.
scene_busy() {
    say "a chip that stays busy"
    fresh
    start busy=60
    send two.otter --wait --timeout 20 # the journal tries each of its sectors
    expect "from flash operation 60 on the chip is busy" "refused 27-11" "$ended $code"
    stop
    check_flash "  with a chip that works again" 1.0.0+0
    start
    send two.otter --wait
    expect "  with a chip that works again" confirmed "$ended"
    stop
}

# How long the board lives: to receive it needs its sender, who must find it first; all
# else it does alone, in little time.
a_while() { # PHASE
    case $1 in
    requested | installing | trial | "rolling back")
        printf '0.%03d' $((20 + RANDOM % 280))
        ;;
    *) printf '0.%03d' $((20 + RANDOM % 780)) ;;
    esac
}

# Sends one package while the board loses its power at random, $left times at most. On a
# machine with much else to do a board may not get on before the kills are used up.
update_and_kill() { # PACKAGE
    start
    "$otter" send "$console" "$1" --wait --timeout 900 --json > send.json 2> send.log &
    sender=$!
    while kill -0 "$sender" 2> /dev/null && [ "$left" -gt 0 ]; do
        sleep "$(a_while "${phase:-}")"
        if ! is_on; then fail "QEMU ended by itself: $(tail -n 1 dir/qemu.log)"; fi
        stop
        left=$((left - 1))
        check_flash "after a kill, $left left" "$2" "$3"
        phase=$(field before.json phase)
        phases[$phase]=$((${phases[$phase]:-0} + 1))
        start
    done
    wait "$sender"
    local status=$?
    sender=
    ended=$(field send.json result)
    case "$status $ended" in
    "0 confirmed" | "4 rolled back") ;;
    *) fail "the update ended with status $status: $ended" ;;
    esac
    stop
}

# The package lies on the second chip, and brings its own installer.
scene_card() {
    say "from the external store, by the package's own loader, which runs from RAM"
    fresh factory-card
    put_on_card loading.otter
    start button=1
    wait_for '^application: confirmed'
    stop
    expect "boot starts the loader" 1 "$(shown '^boot: starts the loader ')"
    expect "  which installs" 1 "$(shown '^loader: started$')"
    expect "  and no manager does" 0 "$(shown '^manager: started$')"
    expect "  the new program" 1 "$(shown '^application: version 2$')"
    check_flash "after the update" 2.0.0+0
    echo "stack used: boot $(peak boot), loader $(peak loader) bytes"
    if [ "$(peak boot)" -gt 4096 ]; then fail "boot uses more than 4096 bytes (K24)"; fi

    fresh factory-card
    put_on_card stuck.otter
    start button=1
    wait_for '^application: confirmed'
    stop
    expect "a loader that crashes" 1 "$(shown '^boot: reset by fault$')"
    expect "  leaves it to the manager" 1 "$(shown '^manager: started$')"
    check_flash "  after it" 2.0.0+0

    fresh factory-card
    put_on_card loading.otter
    start button=1,arg=cut=300
    while is_on; do sleep 0.02; done
    # A byte of the loader, the last member: before the trailer.
    printf '\125' | poke $((0x2000 + $(stat -c %s loading.otter) - 100))
    check_flash "cut at operation 300, then its loader is spoilt" 1.0.0+0
    rm dir/console.log
    start
    wait_for '^application: started'
    stop
    expect "  boot says" "boot: failed [30-14]" "$(sed -n '/^boot: failed/p' dir/console.log | tail -n 1)"
    expect "  and starts the manager, who says" "manager: failed [09-99]" \
        "$(sed -n '/^manager: failed/p' dir/console.log | tail -n 1)"
    check_flash "  after it" 1.0.0+0
}

# Goes on with the package on the second chip until it is confirmed.
finish_from_card() {
    local button= word='^application: confirmed'
    case "$(field before.json phase) $(field before.json version)" in
    "confirmed 1.0.0+0" | "receiving 1.0.0+0" | "complete 1.0.0+0") button=button=1 ;;
    "confirmed 2.0.0+0") word='^application: started' ;;
    esac
    rm -f dir/console.log
    start $button
    wait_for "$word"
    stop
}

scene_card_cuts() {
    local ways=(before torn after) operation=0 count=0 step=$((cut_step * 2))
    say "power goes off at every ${step}th operation of either chip while the loader installs"
    while :; do
        fresh factory-card
        put_on_card loading.otter
        start "button=1,arg=cut=$operation:${ways[count % 3]}"
        while is_on && [ "$(shown '^application: confirmed')" = 0 ]; do sleep 0.02; done
        if is_on; then break; fi
        stop
        check_flash "cut at operation $operation" 1.0.0+0 2.0.0+0
        finish_from_card
        check_flash "after the cut at operation $operation" 2.0.0+0
        count=$((count + 1))
        operation=$((operation + step))
    done
    stop
    if [ $count -eq 0 ]; then fail "no operation was reached"; fi
    echo "ok: $count cuts over $operation operations"
}

# Power goes off before the instruction at SYMBOL of PROGRAM is executed for the HITth time.
# $package: what is sent meanwhile.
cut_before() { # PROGRAM SYMBOL HIT [SEMIHOSTING-ARGUMENT]
    local address
    address=$(address_of "$1" "$2")
    rm -f dir/gdb.sock
    halted="-S -gdb unix:gdb.sock,server=on,wait=off" start ${4:-}
    if [ -n "${package:-}" ]; then
        "$otter" send "$console" "$package" --wait --timeout 60 --json > send.json 2> send.log &
        sender=$!
    fi
    "$root/scripts/board_cut.py" dir/gdb.sock "$((address & ~1))" "$3" ||
        fail "the board does not come to $2 of $1 for the ${3}th time"
    stop
    check_flash "power lost at $2 of $1, time $3" 1.0.0+0 2.0.0+0 4.0.0+0
    echo "ok: power lost at $2 of $1, time $3, in phase $(field before.json phase)"
}

cut_and_send() { # PACKAGE ENDED HIT
    fresh
    package=$1 cut_before boot startup_reset "$3"
    start
    wait "$sender"
    sender=
    expect "  then the update ends" "$2" "$(field send.json result)"
    stop
}

scene_moments() {
    say "power goes off at chosen instructions"
    # In the first one of boot: when the power comes; when the manager is to run; when
    # the new system is to be tried; when the watchdog has fired.
    cut_and_send two.otter confirmed 1
    cut_and_send two.otter confirmed 2
    cut_and_send two.otter confirmed 3
    cut_and_send hang.otter "rolled back" 4
    expect "  after a fourth try: the plug is counted by itself" 4 "$(shown '^application: version 3-hang$')"
    # In the middle of the copy to RAM; before the jump into it; in its first instruction.
    for moment in boot:files_read:60 boot:port_start:2 loader:startup_reset:1; do
        fresh factory-card
        put_on_card loading.otter
        IFS=: read -r program symbol hit <<< "$moment"
        cut_before "$program" "$symbol" "$hit" button=1
        finish_from_card
        check_flash "  then it is installed" 2.0.0+0
    done
}

scene_kills() {
    say "7. QEMU is killed $kills times at random moments"
    declare -A phases
    local left=$kills confirmed=0 taken_back=0 running=1.0.0+0 package version
    fresh
    while [ "$left" -gt 0 ]; do
        if [ "$running" = 2.0.0+0 ]; then
            package=back && version=3.0.0+0
        else
            package=two && version=2.0.0+0
        fi
        update_and_kill $package.otter $running $version
        if [ "$ended" = confirmed ]; then
            confirmed=$((confirmed + 1)) && running=$version
        else
            taken_back=$((taken_back + 1))
        fi
        check_flash "at the end of an update" $running
    done
    echo "ok: $kills kills in $((confirmed + taken_back)) updates:" \
        "$confirmed confirmed, $taken_back rolled back for lost power"
    for phase in "${!phases[@]}"; do echo "    ${phases[$phase]} in phase $phase"; done
}

# One installation whose power goes off at flash operation $1, in the way $2. False if
# the installation ends before it.
cut_at() { # OPERATION WAY
    local was_cut=0
    rm -rf dir
    cp -r stored dir
    start "cut=$1:$2"
    "$otter" send "$console" two.otter --wait --timeout 30 --json > send.json 2> send.log &
    sender=$!
    while is_on && kill -0 "$sender" 2> /dev/null; do sleep 0.02; done
    if ! is_on; then
        was_cut=1
        stop
        check_flash "cut at operation $1, $2" 1.0.0+0 2.0.0+0
        start
    fi
    wait "$sender"
    sender=
    expect "cut at flash operation $1, $2, then" confirmed "$(field send.json result)"
    stop
    check_flash "after the cut at operation $1" 2.0.0+0
    [ $was_cut = 1 ]
}

scene_cuts() {
    local ways=(before torn after) operation=$cut_first count=0
    say "8. power goes off at every ${cut_step}th flash operation of an installation"
    fresh
    start
    need "$otter" send "$console" two.otter --no-request
    stop
    rm -rf stored
    cp -r dir stored
    while cut_at $operation "${ways[count % 3]}"; do
        count=$((count + 1))
        operation=$((operation + cut_step))
    done
    if [ $count -eq 0 ]; then fail "no flash operation was reached"; fi
    echo "ok: $count cuts over $operation flash operations"
}

need "$otter" --version
if [ -z "${scenes:-}" ]; then
    "$root/scripts/board_test.sh" --scene kills --kills "$kills" --seed "$seed" > kills.log 2>&1 &
    killer=$!
fi
need "$otter" keygen -o key.pem
need "$otter" keygen -o stranger.pem
make_factory ""
make_factory -card
make_packages
all="port_check boot update refusals roll_backs rescue bad_luck busy card card_cuts moments cuts"
for scene in ${scenes:-}; do
    declare -F "scene_$scene" > /dev/null || fail "there is no scene $scene"
done
for scene in ${scenes:-$all}; do scene_$scene; done
if [ -n "$killer" ]; then
    wait "$killer" || result=1
    killer=
    grep -v "^board: all scenes" kills.log
    if [ "${result:-0}" -ne 0 ]; then echo "board: the scene of the kills failed" >&2 && exit 1; fi
fi
printf '\nboard: all scenes ended as expected.\n'
