#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What otter install leaves on a card: a package that was there comes back when the
# device refuses the one in its place, whatever ends the tool.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

application='\000\000\003\040\101\000\000\010'
program old.bin "$application" 60000 o
program new.bin "$application" 60000 n
program manager.bin '\000\000\003\040\101\000\361\037' 8008 m
"$OTTER" keygen -o key.pem > /dev/null && "$OTTER" keygen -o stranger.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile sd --sign key.pem --version 1.0.0 --counter 1 \
    --firmware old.bin,rebase=0x08000000 --manager manager.bin,rebase=0x1FF10000 \
    --package-out first.otter --json > map.json || exit 1
pack() { # OUT KEY VERSION FIRMWARE
    mkdir -p "$(dirname "$1")"
    "$OTTER" pack -o "$1" --key "$2" --follow first.otter --map map.json --version "$3" \
        --counter 1 --firmware "$4" --rebase 0x08000000 > pack.txt || exit 1
}
pack old.otter key.pem 1.0.1 old.bin
pack good/u.otter key.pem 2.0.0 new.bin
pack bad/u.otter stranger.pem 2.0.0 new.bin

update=board/card/update
fresh() { # a package that mends the device, in the place of the next one
    rm -rf board
    "$OTTER" device new board --profile sd --package first.otter && mkdir $update &&
        cp old.otter $update/u.otter || exit 1
}
as_it_was() {
    if ! cmp old.otter $update/u.otter || [ "$(ls -A $update)" != u.otter ]; then
        ls -A $update
        return 1
    fi
}
whole() { # one of the names is the old package
    cmp -s old.otter $update/u.otter || cmp old.otter $update/u.otter.set-aside
}

fresh
check "another package of that name is refused" 4 "[22-11]" \
    "$OTTER" install board bad/u.otter
check "and the one that was there comes back" 0 "" as_it_was
printf 'n' | dd of=board/flash.bin bs=1 seek=30000 conv=notrunc status=none
check "so that the device can mend itself with it" 0 "phase: confirmed" \
    "$OTTER" device run board
fresh
check "what crashes is rolled back" 1 "[31-10]" \
    "$OTTER" install board good/u.otter --app crash
check "and the package that was there comes back" 0 "" as_it_was
check "what the device takes stays" 0 "confirmed" "$OTTER" install board good/u.otter
check "in the other one's place" 0 "" cmp good/u.otter $update/u.otter
check "with nothing beside it" 1 "" grep . <(ls -A $update | grep -vx u.otter)

# A package with the system's id and another body.
fresh
cp good/u.otter $update/u.otter
"$OTTER" install board good/u.otter > log 2>&1 || exit 1
cp good/u.otter $update/u.otter.set-aside
printf '\377' | dd of=$update/u.otter bs=1 seek=30000 conv=notrunc status=none
check "a damaged package is none that was taken" 0 "" "$OTTER" device run board
check "the whole one comes back" 0 "" cmp good/u.otter $update/u.otter

# Cut in the middle of the installation: both stay until it has ended.
fresh
check "the power fails while the device writes" 0 "power cut" \
    "$OTTER" install board good/u.otter --cut 100
check "the package it works on stays" 0 "" cmp good/u.otter $update/u.otter
check "the other one is aside" 0 "" cmp old.otter $update/u.otter.set-aside
check "the device goes on with it" 0 "confirmed" "$OTTER" device run board
check "then the other one goes" 0 "" test ! -e $update/u.otter.set-aside
fresh
check "it is cut once more" 0 "power cut" "$OTTER" install board good/u.otter --cut 100
check "the next installation lets it end first" 4 "[22-11]" "$OTTER" install board bad/u.otter
check "and what that has brought comes back" 0 "" cmp good/u.otter $update/u.otter
check "without the first one" 1 "" test -e $update/u.otter.set-aside
fresh
check "it is cut in the middle of the application" 0 "power cut" \
    "$OTTER" install board good/u.otter --cut 180
rm $update/u.otter
check "and its package is lost" 0 "[36-11]" "$OTTER" device run board
check "when the device has given it up, the other one is back" 0 "" as_it_was
fresh
check "the power fails before anything is asked for" 0 "power cut" \
    "$OTTER" install board good/u.otter --cut 1
check "then nothing has been taken" 0 "" as_it_was

# A process that is ended, at any moment.
for signal in TERM KILL; do
    for ms in 002 004 006 008 010 012 015 020 030 040 060; do
        fresh
        (timeout -s $signal 0.$ms "$OTTER" install board bad/u.otter > log 2>&1; true) 2> log
        flock board/lock true # until it is gone
        whole || { echo "not ok: $signal after $ms ms: $(ls -A $update)"; exit 1; }
        if [ $signal = TERM ]; then
            as_it_was > log || { echo "not ok: $signal after $ms ms: $(cat log)"; exit 1; }
        fi
        "$OTTER" install board bad/u.otter > log 2>&1
        as_it_was > log || { echo "not ok: then, $signal after $ms ms: $(cat log)"; exit 1; }
    done
    echo "ok: the package that was there survives $signal"
done

# What a killed process leaves.
fresh
mv $update/u.otter $update/u.otter.set-aside
cp bad/u.otter $update/u.otter
cp bad/u.otter $update/v.otter.not-whole
cp bad/u.otter $update/v.otter.not-whole.aB3xY9
cp bad/u.otter $update/v.otter.sha256
check "another installation is refused" 4 "[22-11]" \
    "$OTTER" install board bad/u.otter
check "what was set aside is back" 0 "" cmp old.otter $update/u.otter
rm $update/u.otter
check "of copies nothing is left, and nothing of anybody else is gone" 0 "v.otter.sha256" \
    ls -A $update
check "really nothing" 1 "" grep . <(ls -A $update | grep -vx v.otter.sha256)

# What a folder of the host may hold.
fresh
mv $update/u.otter elsewhere.otter
ln -s ../../../elsewhere.otter $update/u.otter
check "in the place of a link" 0 "confirmed" "$OTTER" install board good/u.otter
check "what it names is not overwritten" 0 "" cmp old.otter elsewhere.otter
fresh
rm $update/u.otter && mkdir $update/u.otter
check "a folder is not replaced" 1 "u.otter cannot be written" \
    "$OTTER" install board good/u.otter
check "and stays" 0 "" test -d $update/u.otter

# The device mends itself from files whose names end in .otter.
fresh
rm $update/u.otter
cp good/u.otter release-2
check "a name without the ending gets it" 0 "confirmed" "$OTTER" install board release-2
check "so that the device finds the package" 0 "release-2.otter" ls $update
check "standard input is package.otter" 4 "" "$OTTER" install board - < bad/u.otter
printf 'o' | dd of=board/flash.bin bs=1 seek=30000 conv=notrunc status=none
check "and mends itself with it" 0 "phase: confirmed" "$OTTER" device run board
long=$(printf '%0119d' 0)
cp good/u.otter "$long"
check "a name that has no room for the ending is replaced" 0 "confirmed" \
    "$OTTER" install board "$long"
check "by the one of standard input" 0 "package.otter" ls $update
