#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make demo: a virtual device is updated over UDP from a small Cortex-M program to the
# micro:bit's MicroPython and back, while its link drops, its power is cut, its new
# system crashes or stays silent, and strangers send it packages; then one is updated
# from a card, one with encrypted resources and a font, and the key of one is exchanged.
# Each scene ends in one line "scene: expected / seen"; the first mismatch
# ends the demo with status 1.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$root/$build ;; esac
otter=${OTTER:-$build/release/tools/otter}
micropython=${MICROPYTHON:-/usr/share/firmware-microbit-micropython/firmware.hex}
folder=$(mktemp -d)
trap 'stop TERM; rm -rf "$folder"' EXIT
cd "$folder" || exit 1

test=demo
logs=device.log
. "$root/scripts/test_lib.bash"
show() { printf '   $ otter %s\n' "$*" >&3; "$otter" "$@"; }
exec 3>&1

# Events of a device, progress at every quarter only.
events() {
    awk '{ sub(/^/, "     ") } !/%/ { print; next }
         { n = $(NF - 1); text = $0; sub(/^ *[0-9.]+/, "", text) }
         n % 25 == 0 && text != last { print; last = text }' "$@"
}

check() { # scene expected seen
    printf '%s: %s / %s\n' "$1" "$2" "$3"
    if [ "$2" != "$3" ]; then fail "the scene did not end as expected"; fi
}

# Powers a device on at a free port; $address is where it listens.
start() { # DIR OPTION...
    : > device.log # the address below must not be that of the device before
    "$otter" device run "$@" --udp 127.0.0.1:0 --seconds 120 > device.log 2>&1 &
    device=$!
    for _ in $(seq 200); do
        address=$(sed -n 's/^listening on //p' device.log)
        if [ -n "$address" ] && grep -q started device.log; then return; fi
        sleep 0.02
    done
    echo "demo: the device does not start" >&2
    cat device.log >&2
    exit 1
}

running() { # DIR: version of the system that runs
    "$otter" status "$1" --json > status.json && field status.json version
}

fresh() { # DIR: a device with the first system, again
    rm -rf "$1"
    cp -r "new-$2" "$1"
}

[ -x "$otter" ] || { echo "demo: $otter is missing; run make release" >&2; exit 1; }
[ -r "$micropython" ] || { echo "demo: $micropython is missing; run make setup" >&2; exit 1; }

say "images: a small Cortex-M program (old), MicroPython for the micro:bit (new)"
app=$root/examples/cortex-m-app/build.sh
"$app" old.elf 0 1 && "$app" back.elf 0 3 && "$app" manager.elf 0x10020000 1 &&
    "$app" boot-link.elf 0x10010000 1 && "$app" boot-ab.elf 0x1FF00000 1 || exit 1

say "keys, factory content, virtual devices of both profiles"
need "$otter" keygen -o key.pem --public pub.pem
need "$otter" keygen -o stranger.pem
for profile in link ab; do
    "$otter" factory -o "$profile.hex" --profile "$profile" --key pub.pem --sign key.pem \
        --target 0x6D626974 --hardware 1 --version 1.0.0 --counter 5 \
        --boot "boot-$profile.elf" --manager manager.elf --firmware old.elf \
        --package-out "first-$profile.otter" --json > "map-$profile.json" || exit 1
    need "$otter" device new "new-$profile" --profile "$profile" --package "first-$profile.otter" \
        --boot "boot-$profile.elf"
done

pack() { # OUT PROFILE KEY VERSION COUNTER FIRMWARE OPTION...
    local out=$1 profile=$2 key=$3 version=$4 counter=$5 firmware=$6
    shift 6
    need "$otter" pack -o "$out" --key "$key" --follow "first-$profile.otter" --map "map-$profile.json" \
        --coding raw --version "$version" --counter "$counter" --firmware "$firmware" "$@"
}
for profile in link ab; do
    pack "new-$profile.otter" "$profile" key.pem 2.0.0 6 "$micropython" --only 0x0-0x3FFFF
    pack "back-$profile.otter" "$profile" key.pem 3.0.0 7 back.elf
done
pack foreign.otter link stranger.pem 2.0.0 6 "$micropython" --only 0x0-0x3FFFF
pack older.otter link key.pem 0.9.0 4 back.elf
cp new-link.otter forged.otter
printf '\377' | dd of=forged.otter bs=1 seek=100 conv=notrunc status=none
show inspect new-link.otter | sed 's/^/   /'

# --- scenes ---
say "1. a transfer with progress"
fresh board link
start board
show send "$address" new-link.otter --no-request --json > send.json
stop TERM
events device.log
check "transfer" "stored" "$(field send.json result)"

say "2. the link drops in the middle and the transfer resumes"
fresh board link
start board
show send "$address" new-link.otter --no-request --link-cut 100000 --link-cut-ms 1500 --json \
    > send.json
stop TERM
again=$(($(field send.json resumed) + $(field send.json sent_again)))
check "link drop" "stored, some of it sent again" \
    "$(field send.json result)$([ "$again" -gt 0 ] && echo ", some of it sent again")"

say "3. the power is cut in the middle of a transfer, which then resumes"
fresh board link
start board --cut 600:torn
show send "$address" new-link.otter --no-request --timeout 2 --json > send.json 2> /dev/null
while kill -0 "$device" 2> /dev/null; do # a slow machine: the sender gave up before the cut
    "$otter" send "$address" new-link.otter --no-request --timeout 2 > /dev/null 2>&1
done
wait "$device"
device=
check "power cut in a transfer" "power cut at flash operation 600" "$(tail -n 1 device.log)"
start board
show send "$address" new-link.otter --no-request --json > send.json
stop TERM
from=$(field send.json from)
check "resume after the cut" "stored, not from the start" \
    "$(field send.json result)$([ "${from:-0}" -gt 100000 ] && echo ", not from the start")"

say "4. the power is cut in the middle of the installation"
cp -r board twin
operations=$("$otter" install twin new-link.otter --json 2> /dev/null > i.json &&
    field i.json flash_operations)
show install board new-link.otter --cut $((operations * 6 / 10)):torn > install.log 2>&1
check "power cut in an installation" "power cut at flash operation $((operations * 6 / 10))" \
    "$(grep 'power cut at' install.log)"
show device run board | events
check "installed after the cut" "2.0.0+0" "$(running board)"

say "5. over the link, installed, tried and confirmed; then back to the old program"
for profile in link ab; do
    fresh board "$profile"
    start board
    show send "$address" "new-$profile.otter" --wait --json > send.json
    check "trial confirmed ($profile)" "confirmed" "$(field send.json result)"
    show send "$address" "back-$profile.otter" --wait --json > send.json
    stop TERM
    check "and back ($profile)" "confirmed 3.0.0+0" \
        "$(field send.json result) $(running board)"
done

say "6. the new system crashes, or never confirms: the old one comes back"
for profile in link ab; do
    fresh board "$profile"
    start board --app crash
    show send "$address" "new-$profile.otter" --wait --json > send.json 2> /dev/null
    stop TERM
    check "crashing application ($profile)" "rolled back 31-10 1.0.0+0" \
        "$(field send.json result) $(field send.json code) $(running board)"
    fresh board "$profile"
    start board --app silent --time-scale 400
    show send "$address" "new-$profile.otter" --wait --json > send.json 2> /dev/null
    stop TERM
    check "silent application ($profile)" "rolled back 31-10 1.0.0+0" \
        "$(field send.json result) $(field send.json code) $(running board)"
done

say "7. forged, foreign and older packages are refused"
fresh board link
start board
for case in forged:22-12 foreign:22-11 older:23-12; do
    show send "$address" "${case%:*}.otter" --json > send.json 2> /dev/null
    check "${case%:*} package" "refused ${case#*:}" \
        "$(field send.json result) $(field send.json code)"
done
stop TERM
check "after them" "1.0.0+0" "$(running board)"

say "8. from a card: an application of 400,000 bytes, for which flash has room but once, and files"
noise() { # FILE SIZE SEED: the same bytes each time
    head -c "$2" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%032d' "$3")" \
        -iv "$(printf '%032d' 0)" > "$1"
}
large() { # OUT VERSION FILLER: a program and what it carries
    "$app" large.elf 0x08000000 "$2" && arm-none-eabi-objcopy -O binary large.elf "$1" &&
        head -c $((400000 - $(stat -c %s "$1"))) /dev/zero | tr '\0' "$3" >> "$1"
}
large one.bin 1 1 && large two.bin 2 2 && "$app" manager-sd.elf 0x1FF10000 1 || exit 1
need "$otter" factory -o sd.hex --profile sd --sign key.pem --version 1.0.0 --counter 5 --boot boot-ab.elf \
    --manager manager-sd.elf --firmware one.bin,rebase=0x08000000 --package-out first-sd.otter
need "$otter" device new new-sd --profile sd --package first-sd.otter --boot boot-ab.elf
mkdir -p old-files/icons new-files/fonts && echo one > old-files/version &&
    echo two > new-files/version && noise old-files/icons/a.raw 3000 5 &&
    noise new-files/fonts/b.raw 5000 6 || exit 1
need "$otter" pack -o with-files.otter --key key.pem --follow first-sd.otter --version 1.0.1 \
    --counter 5 --firmware one.bin --rebase 0x08000000 --member resources=old-files,root=data
need "$otter" pack -o two.otter --key key.pem --follow with-files.otter --version 2.0.0 --counter 6 \
    --firmware two.bin --rebase 0x08000000 --member resources=new-files,root=data
files() { # FOLDER: the card's files are these and no others
    diff -r "$1" board/card/data > /dev/null && echo "files of ${1%-files}"
}
fresh board sd
show install board with-files.otter > /dev/null 2>&1
check "firmware and files from one package" "1.0.1+0 files of old" \
    "$(running board) $(files old-files)"
show install board two.otter --app crash --json > i.json 2> /dev/null
check "a crashing application is rolled back from the card, with its files" \
    "31-10 1.0.1+0 files of old" "$(field i.json code) $(running board) $(files old-files)"
show install board two.otter --cut 600:torn > install.log 2>&1
check "power cut while the application is written" "power cut at flash operation 600" \
    "$(grep 'power cut at' install.log)"
mv board/card pulled
show device run board > device.log 2>&1
check "the card is pulled out meanwhile" "[36-10]" "$(grep -o '\[36-10\]' device.log | tail -n 1)"
mv pulled board/card
show device run board | events
check "the card is back" "2.0.0+0 files of new" "$(running board) $(files new-files)"

say "9. firmware, resources and a font of a megabyte in one package, encrypted, over the link"
noise one.res 300001 1 && noise two.res 410003 2 && noise one.font 1048577 3 &&
    noise two.font 1100000 4 || exit 1
need "$otter" factory -o full.hex --profile full --sign key.pem --version 1.0.0 --counter 5 \
    --boot boot-link.elf --manager manager.elf --firmware old.elf --resources one.res \
    --font one.font --package-out first-full.otter
need "$otter" device new new-full --profile full --package first-full.otter --boot boot-link.elf
need "$otter" pack -o full.otter --key key.pem --follow first-full.otter --version 2.0.0 --counter 6 \
    --firmware back.elf --member resources=two.res --member font=two.font \
    --encrypt-to new-full/device.pub
whole() { # VERSION RESOURCES FONT: the second flash lies after the first MiB of the file
    [ "$(running board)" = "$1" ] &&
        cmp -s -i 0x100000:0 -n "$(stat -c %s "$2")" board/flash.bin "$2" &&
        cmp -s -i 0x180000:0 -n "$(stat -c %s "$3")" board/flash.bin "$3" &&
        echo "$1 with its resources and font"
}
fresh board full
start board --app crash
show send "$address" full.otter --wait --json > send.json 2> /dev/null
stop TERM
check "a crashing system is rolled back, all of it" \
    "rolled back 31-10 1.0.0+0 with its resources and font" \
    "$(field send.json result) $(field send.json code) $(whole 1.0.0+0 one.res one.font)"
start board
show send "$address" full.otter --wait --json > send.json
stop TERM
check "a sound one is confirmed" "confirmed 2.0.0+0 with its resources and font" \
    "$(field send.json result) $(whole 2.0.0+0 two.res two.font)"

say "10. the signing key is exchanged: a package brings the new one and revokes the old one"
need "$otter" keygen -o next.pem --public next.pub
pack rotate.otter link key.pem 2.0.0 6 "$micropython" --only 0x0-0x3FFFF --key next.pem \
    --table-keys next.pub --table-keys pub.pem --revoke pub.pem
fresh board link
start board
show send "$address" rotate.otter --wait --json > send.json
check "rotation" "confirmed" "$(field send.json result)"
show send "$address" back-link.otter --json > send.json 2> /dev/null
check "a package by the old key" "refused 22-14" \
    "$(field send.json result) $(field send.json code)"
need "$otter" pack -o after.otter --key next.pem --follow rotate.otter --version 3.0.0 --counter 7 \
    --firmware back.elf
show send "$address" after.otter --wait --json > send.json
stop TERM
check "a package by the new one" "confirmed 3.0.0+0" "$(field send.json result) $(running board)"

printf '\nAll scenes ended as expected.\n'
