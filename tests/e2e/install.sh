#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter install on a directory: confirmed, rolled back, cut and gone on with, refused;
# on both profiles, with programs built for a Cortex-M.
set -uo pipefail
otter=${OTTER:?the tool}
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
if ! command -v arm-none-eabi-gcc > /dev/null; then
    echo "ok: skipped, no arm-none-eabi-gcc"
    exit 0
fi

fail() {
    echo "not ok: $1"
    echo "--- stdout"; cat out; echo "--- stderr"; cat err
    exit 1
}

# expect STATUS TEXT NAME COMMAND...: exit status, and a text of its output
expect() {
    local status=$1 text=$2 name=$3
    shift 3
    "$@" > out 2> err
    local seen=$?
    [ "$seen" -eq "$status" ] || fail "$name: status $seen, expected $status"
    [ -z "$text" ] || grep -qF -- "$text" out err || fail "$name: no \"$text\""
    echo "ok: $name"
}

app=$root/examples/cortex-m-app/build.sh
"$app" old.elf 0 1 && "$app" new.elf 0 2 && "$app" manager.elf 0x10020000 1 || exit 1
"$otter" keygen -o key.pem > /dev/null && "$otter" keygen -o stranger.pem > /dev/null || exit 1

for program in old new manager; do
    arm-none-eabi-objcopy -O binary $program.elf $program.bin || exit 1
done

# promises ENDS NAME: the device of the folder `board` keeps every promise
promises() {
    expect 0 "every promise holds" "$2" "${CHECK_PROMISES:?}" board before.bin old.bin \
        new.bin manager.bin 5,6 "$1"
}

for profile in link ab; do
    "$otter" factory -o f.hex --profile $profile --sign key.pem --version 1.0.0 --counter 5 \
        --manager manager.elf --firmware old.elf --package-out first.otter --json > map.json ||
        exit 1
    pack() { # OUT KEY VERSION COUNTER
        "$otter" pack -o "$1" --key "$2" --follow first.otter --map map.json --version "$3" \
            --counter "$4" --firmware new.elf > out 2> err || fail "pack $1"
    }
    pack new.otter key.pem 2.0.0 6
    pack older.otter key.pem 0.9.0 4
    pack foreign.otter stranger.pem 2.0.0 6
    cp new.otter forged.otter
    printf '\377' | dd of=forged.otter bs=1 seek=100 conv=notrunc status=none
    head -c 600 new.otter > short.otter
    rm -rf board
    "$otter" device new board --profile $profile --package first.otter || exit 1
    cp board/flash.bin before.bin

    expect 4 "[22-12]" "$profile: a forged package is refused" "$otter" install board forged.otter
    expect 4 "[22-11]" "$profile: a stranger's is" "$otter" install board foreign.otter
    expect 4 "[23-12]" "$profile: an older one is" "$otter" install board older.otter
    expect 4 "[2" "$profile: half a one is" "$otter" install board short.otter
    expect 0 "version 1.0.0+0" "$profile: and the device is as it was" "$otter" status board
    promises refused "$profile: it keeps every promise after a refusal"
    expect 1 "[31-10]" "$profile: a crashing system is rolled back" \
        "$otter" install board new.otter --app crash
    expect 1 '"result": "rolled back"' "$profile: a silent one is" \
        "$otter" install board new.otter --app silent --json
    expect 1 "[31-10]" "$profile: a hanging one is" "$otter" install board new.otter --app hang
    expect 0 "rolled back" "$profile: status remembers it" "$otter" status board
    promises rolled-back "$profile: and it keeps every promise"
    expect 0 "power cut at flash operation 20" "$profile: power is cut" \
        "$otter" install board new.otter --cut 20:torn
    expect 0 "" "$profile: the device goes on" "$otter" device run board
    cp -r board other
    expect 0 "power cut at flash operation 0" "$profile: the first operation is number 0" \
        "$otter" install other new.otter --cut 0
    rm -r other
    expect 0 "confirmed" "$profile: the package is installed" "$otter" install board new.otter
    expect 0 "version 2.0.0+0" "$profile: and the new system runs" "$otter" status board
    expect 0 '"counter": 6' "$profile: with its counter" "$otter" status board --json
    promises confirmed "$profile: and it keeps every promise"
done
