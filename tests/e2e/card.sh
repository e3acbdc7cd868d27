#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The profile whose store is a card: an application of several hundred KiB, installed
# from the card, rolled back from it, cut and gone on with, refused; without the card.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

port=$((20000 + ($$ + 4000) % 20000))
application='\000\000\003\040\101\000\000\010'
program old.bin "$application" 600000 o
program new.bin "$application" 600000 n
program manager.bin '\000\000\003\040\101\000\361\037' 8008 m

"$OTTER" keygen -o key.pem > /dev/null || exit 1
"$OTTER" keygen -o stranger.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile sd --sign key.pem --version 1.0.0 --counter 1 \
    --firmware old.bin,rebase=0x08000000 --manager manager.bin,rebase=0x1FF10000 \
    --package-out first.otter --json > map.json || exit 1
pack() { # OUT KEY
    "$OTTER" pack -o "$1" --key "$2" --follow first.otter --map map.json --version 2.0.0 \
        --counter 2 --firmware new.bin --rebase 0x08000000 > pack.txt || exit 1
}
pack new.otter key.pem
pack foreign.otter stranger.pem
cp new.otter damaged.otter
printf '\377' | dd of=damaged.otter bs=1 seek=500000 conv=notrunc status=none
head -c 300000 new.otter > short.otter

fresh() {
    rm -rf board
    "$OTTER" device new board --profile sd --package first.otter || exit 1
    cp board/flash.bin before.bin
}
application() { # FILE: the device has it at the begin of its flash
    head -c "$(stat -c %s "$1")" board/flash.bin | cmp - "$1" && echo same
}
promises() { # ENDS
    "${CHECK_PROMISES:?}" board before.bin old.bin new.bin manager.bin 1,2 "$1"
}

fresh
check "a new device has an empty card" 0 "empty" "$OTTER" device info board
check "a stranger's package is refused" 4 "[22-11]" "$OTTER" install board foreign.otter
check "a damaged one is" 4 "[20-16]" "$OTTER" install board damaged.otter
check "half a one is" 4 "[20-13]" "$OTTER" install board short.otter
check "refused packages do not stay on the card" 0 "empty" "$OTTER" device info board
mkdir board/card/update
cp foreign.otter board/card/update
check "what was there already does" 4 "[22-11]" "$OTTER" install board foreign.otter
check "as it was" 0 "" cmp foreign.otter board/card/update/foreign.otter
rm -r board/card/update
cp -r board refused
check "and the flash is as it was" 0 "" cmp board/flash.bin before.bin
check "promises hold after refusals" 0 "every promise holds" promises refused
check "the plan names the card" 0 "600000 bytes saved in card" \
    "$OTTER" inspect new.otter --device board

# The manager of the new version as a loader, linked for the profile's RAM.
printf '\000\000\003\040\101\000\001\040' > loader.bin
head -c 9000 /dev/zero >> loader.bin
"$OTTER" pack -o loading.otter --key key.pem --follow first.otter --map map.json --version 2.0.0 \
    --counter 2 --firmware new.bin --rebase 0x08000000 --member loader=loader.bin > pack.txt || exit 1
check "a package with a loader is one" 0 '"role": "loader"' "$OTTER" inspect loading.otter --json
check "the plan says that it runs from RAM" 0 "from RAM" \
    "$OTTER" inspect loading.otter --device board
"$OTTER" pack -o astray.otter --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
    --firmware new.bin --rebase 0x08000000 --member loader=loader.bin,link=0x20000000 \
    > pack.txt || exit 1
check "one that is linked for elsewhere is told from a program" 4 \
    "[23-16] A program is linked for another address" "$OTTER" install board astray.otter
cp -r board other
check "it is installed by its loader" 0 "loader   started" \
    "$OTTER" install other loading.otter
check "and confirmed" 0 "confirmed" "$OTTER" status other
"$OTTER" pack -o later.otter --key key.pem --follow loading.otter --map map.json --version 3.0.0 \
    --counter 2 --firmware old.bin --rebase 0x08000000 > pack.txt || exit 1
check "what follows it has none" 1 "" grep -q loader <("$OTTER" inspect later.otter)
check "and is installed by the manager" 0 "manager  started" \
    "$OTTER" install other later.otter

check "a system that crashes is rolled back" 1 "[31-10]" \
    "$OTTER" install board new.otter --app crash
check "the old application is there" 0 "same" application old.bin
check "promises hold after the roll back" 0 "every promise holds" promises rolled-back
check "the package stays on the card, nothing else does" 0 '"path": "update/new.otter"' \
    "$OTTER" status board --json
check "no copy is left" 1 "" grep -r saved <("$OTTER" status board)

check "an update is cut in the middle of the application" 0 "power cut" \
    "$OTTER" install board new.otter --cut 700:torn
check "the copy of the old system is on the card" 0 "otter/saved6.bin, 600000 bytes" \
    "$OTTER" status board
mv board/card away
check "without the card the manager says so" 0 "[36-10]" "$OTTER" device run board
check "and the update waits" 0 "installing" "$OTTER" status board
"$OTTER" device run board --udp "127.0.0.1:$port" --seconds 30 > log 2>&1 &
device=$!
check "over the link it says so, too" 0 "[36-10]" "$OTTER" status "udp://127.0.0.1:$port"
check "but takes no package" 4 "[25-13]" "$OTTER" send "udp://127.0.0.1:$port" new.otter
kill "$device"
wait "$device" 2> log
# A new card, and the package is put on it once more.
cp -r board another
mkdir -p another/card/update
cp new.otter another/card/update/again.otter
check "on another card the same package goes on" 0 "phase: trial" "$OTTER" device run another
check "to its end, too" 0 "confirmed" "$OTTER" status another
check "with the right application" 0 "" cmp <(head -c 600000 another/flash.bin) new.bin
mv away board/card
check "with the card it goes on" 0 "phase: trial" "$OTTER" device run board
check "to its end" 0 "confirmed" "$OTTER" status board
check "the new application is there" 0 "same" application new.bin
check "promises hold at the end" 0 "every promise holds" promises confirmed

fresh
mv board/card away
check "without a card there is nothing to install from" 4 "[36-10]" \
    "$OTTER" install board new.otter

# --- a bit of the application flips while the device is off ---
fresh
flip() {
    printf '\156' | dd of=board/flash.bin bs=1 seek=300000 conv=notrunc status=none # o -> n
}
put() { # PACKAGE...: the card has these, and no other one
    rm -rf board/card/update
    mkdir -p board/card/update
    cp "$@" board/card/update
}
flip
check "with a flipped bit the manager runs" 0 "[30-11]" "$OTTER" device run board
check "and misses a package on the card" 0 "[36-11]" "$OTTER" device run board
cp board/flash.bin waiting.bin
put foreign.otter damaged.otter short.otter
check "what the door refuses it does not take" 0 "[22-11]" "$OTTER" device run board
check "and writes nothing" 0 "" cmp board/flash.bin waiting.bin
put foreign.otter new.otter
check "a package that is right is installed" 0 "manager  stage 10: writing flash" \
    "$OTTER" device run board
check "and confirmed" 0 "confirmed" "$OTTER" status board
check "the application is there" 0 "same" application new.bin
printf '\157' | dd of=board/flash.bin bs=1 seek=300000 conv=notrunc status=none
check "the package of the present system mends it" 0 "phase: confirmed" \
    "$OTTER" device run board
check "then it is whole again" 0 "same" application new.bin

# What a folder of the host may hold and no card does.
fresh
flip
put foreign.otter
mkfifo board/card/update/z.otter
check "a pipe by a package's name holds up nothing" 0 "[36-11]" \
    timeout 20 "$OTTER" device run board

# otter install: nobody but the manager can be asked.
fresh
flip
check "the plan of a damaged device pretends no way back" 0 "no way back" \
    "$OTTER" inspect new.otter --device board
check "nor does it promise copies" 1 "" grep "bytes saved" \
    <("$OTTER" inspect new.otter --device board)
check "programs see it, too" 0 '"has_way_back": false' \
    "$OTTER" inspect new.otter --device board --json
check "what the door refuses is told" 4 "refused [22-11]" \
    "$OTTER" install board foreign.otter
check "and does not stay" 0 "empty" "$OTTER" device info board
check "the manager takes what is put on the card" 0 "confirmed" \
    "$OTTER" install board new.otter
check "where it stays" 0 "" test -f board/card/update/new.otter
check "the application is the new one" 0 "same" application new.bin
fresh
put first.otter
flip
check "another package may be taken first" 0 "confirmed" "$OTTER" install board new.otter
check "then the application is asked" 0 "same" application new.bin
fresh
flip
check "a system that fails has no way back" 1 "failed [31-15]" \
    "$OTTER" install board new.otter --app crash
check "the plan of a closed device knows" 0 "no way back" \
    "$OTTER" inspect new.otter --device board
check "and is not tried again" 4 "refused [31-15]" "$OTTER" install board new.otter

fresh
flip
put new.otter
check "a package whose system crashes" 0 "phase: trial" \
    "$OTTER" device run board --app crash
check "has failed" 0 "[31-15]" "$OTTER" status board
cp board/flash.bin waiting.bin
check "it is not tried again" 0 "" "$OTTER" device run board
check "nor is anything written" 0 "" cmp board/flash.bin waiting.bin
"$OTTER" pack -o newer.otter --key key.pem --follow first.otter --map map.json \
    --version 3.0.0 --counter 2 --firmware old.bin --rebase 0x08000000 > pack.txt || exit 1
put new.otter newer.otter
check "a newer one is" 0 "phase: confirmed" "$OTTER" device run board
check "to its end" 0 "confirmed" "$OTTER" status board

# Two packages that no key of the device opens, before one that is right.
"$OTTER" keygen --root -o other.pem > /dev/null || exit 1
for minor in 1 2; do
    "$OTTER" pack -o "e$minor.otter" --key key.pem --follow first.otter --version "1.2.$minor" \
        --counter 1 --member "firmware=new.bin,link=0x08000000" --encrypt-to other.pem \
        > pack.txt || exit 1
done
fresh
flip
put e1.otter e2.otter
check "with flipped bits and no key nothing is taken" 0 "[24-11]" \
    "$OTTER" device run board
cp board/flash.bin waiting.bin
check "nor the next time" 0 "[24-11]" "$OTTER" device run board
check "and it costs no flash" 0 "" cmp board/flash.bin waiting.bin
put e1.otter e2.otter new.otter
check "the right one is found behind them" 0 "phase: confirmed" "$OTTER" device run board
check "and installed" 0 "same" application new.bin

# The card comes while the device waits for it.
fresh
flip
put new.otter
rm -rf away
mv board/card away
"$OTTER" device run board --serial console --time-scale 20 --seconds 60 > log 2>&1 &
running=$!
says() { # TEXT: within a minute
    for _ in $(seq 600); do
        if grep -qF "$1" log; then
            echo said
            return
        fi
        sleep 0.1
    done
    cat log
}
check "a device without a card waits" 0 "said" says "[36-10]"
mv away board/card
check "and goes on when it is put in" 0 "said" says "phase: confirmed"
kill "$running"
wait "$running" 2> /dev/null
check "with the new application" 0 "same" application new.bin
