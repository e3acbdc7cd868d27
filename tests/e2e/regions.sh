#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Packages with resources and a font: some hundred KiB and a MiB, on the profile that has
# room for them twice. Installed, rolled back together with the firmware, cut and gone on
# with, kept, refused.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

application='\000\100\000\040\101\000\000\000'
program old.bin "$application" 60000 o
program new.bin "$application" 60000 n
program manager.bin '\000\100\000\040\101\000\002\020' 8008 m
noise old.res 300001 1
noise new.res 410003 2
noise old.font 1048577 3
noise new.font 1100000 4

"$OTTER" keygen -o key.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile full --sign key.pem --version 1.0.0 --counter 1 \
    --firmware old.bin,rebase=0 --manager manager.bin,rebase=0x10020000 \
    --resources old.res --font old.font --package-out first.otter --json > map.json || exit 1
pack() { # OUT MEMBERS...
    local out=$1
    shift
    "$OTTER" pack -o "$out" --key key.pem --follow first.otter --map map.json --version 2.0.0 \
        --counter 2 --firmware new.bin --rebase 0 "$@" > pack.txt || exit 1
}
pack new.otter --member resources=new.res --member font=new.font
pack kept.otter --member resources=new.res
fresh() {
    rm -rf board
    "$OTTER" device new board --profile full --package first.otter || exit 1
    cp board/flash.bin before.bin
}

# part ADDRESS SIZE: what the device has there. Its file holds the second flash, which
# begins at 0x64000000, after the 1 MiB of the first.
part() {
    dd if=board/flash.bin bs=64K iflag=skip_bytes,count_bytes status=none \
        skip=$((0x100000 + $1 - 0x64000000)) count="$2"
}
same() { # RESOURCES FONT
    part 0x64000000 "$(stat -c %s "$1")" | cmp - "$1" &&
        part 0x64080000 "$(stat -c %s "$2")" | cmp - "$2" && echo same
}
promises() { # ENDS
    "${CHECK_PROMISES:?}" board before.bin old.bin new.bin manager.bin 1,2 "$1" \
        old.res old.font new.res new.font
}

fresh
check "the factory writes both" 0 same same old.res old.font
check "info shows their regions" 0 "0x64080000" "$OTTER" device info board
check "the plan puts the font into its region" 0 "font: region" \
    "$OTTER" inspect new.otter --device board
check "and saves the old one" 0 "1048577 bytes saved in staging" \
    "$OTTER" inspect new.otter --device board
check "all of a version are installed together" 0 "unpacking resources, fonts and files" \
    "$OTTER" install board new.otter
check "resources and font are there" 0 same same new.res new.font
check "every promise holds" 0 "every promise holds" promises confirmed

fresh
check "a crashing system is rolled back" 1 "31-10" "$OTTER" install board new.otter --app crash
check "with its resources and its font" 0 same same old.res old.font
check "every promise holds after it" 0 "every promise holds" promises rolled-back
check "and the old system can be updated again" 0 confirmed "$OTTER" install board new.otter

# Reception is some 6,700 operations, saving and writing as many again each.
for op in 300 8000 10000 14000 15500; do
    fresh
    check "power cut at operation $op" 0 "power cut" \
        "$OTTER" install board new.otter --cut $op:torn
    check "then it goes on" 0 "confirmed" "$OTTER" install board new.otter
    check "and all is there" 0 same same new.res new.font
done

fresh
check "a font that is not carried is kept" 0 "font: kept" \
    "$OTTER" inspect kept.otter --device board
check "with new resources" 0 "confirmed" "$OTTER" install board kept.otter
check "both are there" 0 same same new.res old.font

# What does not fit is refused before it is sent.
noise large.res $((0x80000 + 1)) 5
"$OTTER" pack -o large.otter --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
    --firmware new.bin --rebase 0 --member resources=large.res > pack.txt || exit 1
check "resources larger than their region" 4 "23-19" "$OTTER" install board large.otter
"$OTTER" pack -o twice.otter --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
    --firmware new.bin --rebase 0 --member font=new.font \
    --member resources=new.res,region=10 > pack.txt || exit 1
check "two members for one region" 4 "21-16" "$OTTER" install board twice.otter
"$OTTER" device new small --profile link --sign key.pem || exit 1
check "a device without such a region" 4 "23-" "$OTTER" install small new.otter
check "a profile without such a region" 1 "has no region for it" \
    "$OTTER" device new none --profile link --sign key.pem --font new.font
