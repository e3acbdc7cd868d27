#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A font that is written in place (K13): shown by inspect, received by the manager over
# the link and from a file, cut and gone on with, broken off, rolled back where that is
# declared and kept in the manager where it is not, refused where it cannot be done.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"
device=
trap 'kill $device 2> /dev/null; rm -rf "$folder"' EXIT

program() { # FILE FILLER: an image of 20,000 bytes
    printf '\000\100\000\040\101\000\000\000' > "$1"
    head -c 19992 /dev/zero | tr '\0' "$2" >> "$1"
}
noise() { # FILE SIZE SEED: the same bytes each time
    head -c "$2" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%032d' "$3")" \
        -iv "$(printf '%032d' 0)" > "$1"
}
program old.bin o
program new.bin n
printf '\000\100\000\040\101\000\002\020' > manager.bin
head -c 8000 /dev/zero >> manager.bin
noise old.font 60001 3
noise new.font 80001 4

"$OTTER" keygen -o key.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile full --sign key.pem --version 1.0.0 --counter 1 \
    --firmware old.bin,rebase=0 --manager manager.bin,rebase=0x10020000 \
    --font old.font --package-out first.otter --json > map.json || exit 1
pack() { # OUT OPTIONS...
    local out=$1
    shift
    "$OTTER" pack -o "$out" --key key.pem --follow first.otter --map map.json --version 2.0.0 \
        --counter 2 --firmware new.bin --rebase 0 "$@"
}
pack new.otter --member font=new.font,in-place=yes || exit 1
pack declared.otter --member font=new.font,in-place=compatible || exit 1
pack staged.otter --member font=new.font || exit 1
pack kept.otter || exit 1
fresh() {
    rm -rf board
    "$OTTER" device new board --profile full --package first.otter || exit 1
}
# What the device has at 0x64080000: its file holds the second flash, which begins at
# 0x64000000, after the 1 MiB of the first.
same() {
    dd if=board/flash.bin bs=64K iflag=skip_bytes,count_bytes status=none \
        skip=$((0x180000)) count="$(stat -c %s "$1")" | cmp - "$1" && echo same
}

fresh
check "inspect names it" 0 "in place" "$OTTER" inspect new.otter
check "and what is declared of it" 0 "compatible" "$OTTER" inspect declared.otter
check "the plan says that there is no way back" 0 \
    "font: in place, stored in font at 0x0, installed in font, one-way" \
    "$OTTER" inspect new.otter --device board
check "declared, there is one" 0 "installed in font, the old system runs with it" \
    "$OTTER" inspect declared.otter --device board
check "the manager takes it" 0 "confirmed" "$OTTER" install board new.otter
check "the font is there" 0 same same new.font
check "the new system runs" 0 "version 2.0.0" "$OTTER" status board

fresh
check "a system that fails leaves the manager" 1 "31-15" \
    "$OTTER" install board new.otter --app crash
check "the plan then says so" 0 "no way back" \
    "$OTTER" inspect staged.otter --device board
check "which says why" 0 "30-15" "$OTTER" device run board --seconds 1
check "keeping the font does not help" 4 "23-18" "$OTTER" install board kept.otter
check "another package with the font does" 0 "confirmed" "$OTTER" install board staged.otter
check "the new system runs then" 0 "version 2.0.0" "$OTTER" status board

fresh
check "declared, the old system comes back" 1 "31-10" \
    "$OTTER" install board declared.otter --app crash
check "with the new font" 0 same same new.font
check "and runs" 0 "version 1.0.0" "$OTTER" status board
check "with a font that is not its own" 0 "in application, not as installed: font" \
    "$OTTER" status board
check "there is no way back from it" 0 "no way back" \
    "$OTTER" inspect staged.otter --device board
check "nothing of it is saved" 1 "" grep "bytes saved" \
    <("$OTTER" inspect staged.otter --device board)
check "but from what stays in place there is" 1 "" grep "no way back" \
    <("$OTTER" inspect declared.otter --device board)
check "the plan knows" 0 "refused: [23-18]" "$OTTER" inspect kept.otter --device board
check "and which member" 0 "the one on the device: member 3 (font)" \
    "$OTTER" inspect kept.otter --device board
check "keeping the font is refused before the transfer" 4 "23-18" \
    "$OTTER" install board kept.otter
check "by its name" 4 "It is member 3 (font)" "$OTTER" install board kept.otter
check "which stays to be asked for" 0 "refused [23-18]" "$OTTER" status board
check "the first package brings all of it" 0 "confirmed" "$OTTER" install board first.otter
check "and its font" 0 same same old.font

fresh
check "a system that fails once more" 1 "together with every member" \
    "$OTTER" install board new.otter --app crash
check "the first package opens the application again" 0 "confirmed" \
    "$OTTER" install board first.otter
check "which runs" 0 $', in application\n' "$OTTER" status board
check "with its font" 0 same same old.font

# Reception of the firmware is some 150 operations, then comes the font.
for op in 100 250 350 420 500; do
    fresh
    check "power cut at operation $op" 0 "power cut" \
        "$OTTER" install board new.otter --cut $op:torn
    check "then it goes on" 0 "confirmed" "$OTTER" install board new.otter
    check "and all is there" 0 same same new.font
done

# Over the link: the tool asks for the manager by itself.
fresh
port=$((20000 + $$ % 20000))
"$OTTER" device run board --udp "127.0.0.1:$port" --seconds 60 > log 2>&1 &
device=$!
check "the application does not take it" 4 "25-19" \
    "$OTTER" send "udp://127.0.0.1:$port" new.otter --offer-only
check "the manager is asked for and takes it" 0 "confirmed" \
    "$OTTER" send "udp://127.0.0.1:$port" new.otter --wait
kill $device && wait $device 2> /dev/null
check "the font has come over the link" 0 same same new.font

# What cannot be done is refused when it is packed.
check "a firmware in place" 1 "23-24" pack no.otter --member resources=new.font \
    --member firmware=new.bin,in-place=yes
check "a coded font in place" 1 "35-17" \
    pack no.otter --member font=new.font,in-place=yes,coding=heatshrink
check "a manager beside it" 1 "23-25" pack no.otter --member font=new.font,in-place=yes \
    --member manager=manager.bin,rebase=0x10020000
check "a stored member behind it" 1 "21-24" \
    pack no.otter --member font=new.font,in-place=yes --member resources=old.font
check "a word that is none" 2 "in-place= takes yes|compatible|no" \
    pack no.otter --member font=new.font,in-place=maybe
