#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter send, status and confirm over UDP to a virtual device in another process: sent
# and confirmed, over a bad link, resumed, restarted, across power cuts, refused; on
# both profiles.
set -uo pipefail
otter=${OTTER:?the tool}
folder=$(mktemp -d)
device=
trap 'kill $device $(cat again.pid 2> /dev/null) 2> /dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
port=$((20000 + $$ % 20000))
address=udp://127.0.0.1:$port

fail() {
    echo "not ok: $1"
    echo "--- stdout"; cat out; echo "--- stderr"; cat err; echo "--- device"; tail -n 20 log
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

stop_device() {
    [ -z "$device" ] || { kill "$device" && wait "$device"; } 2> /dev/null
    device=
}

start_device() { # OPTIONS...: serves the board until it is stopped
    stop_device
    "$otter" device run board --udp "127.0.0.1:$port" --seconds 120 "$@" >> log 2>&1 &
    device=$!
}

wait_for_cut() { while kill -0 "$1" 2> /dev/null; do sleep 0.1; done; }

start_again() {
    "$otter" device run board --udp "127.0.0.1:$port" --seconds 120 >> log 2>&1 &
    echo $! > again.pid
}

# program FILE RESET-VECTOR SIZE SEED: a stack pointer, a reset vector, noise
program() {
    { printf "\\x00\\x40\\x00\\x20$2"; yes "$4" | head -c "$3"; } > "$1"
}

program old.bin '\x41\x00\x00\x00' 30000 old
program new.bin '\x41\x00\x00\x00' 60000 new
program manager.bin '\x41\x00\x02\x10' 5000 manager
: > log
"$otter" keygen -o key.pem > /dev/null && "$otter" keygen -o stranger.pem > /dev/null || exit 1

for profile in link ab; do
    "$otter" factory -o f.hex --profile $profile --sign key.pem --version 1.0.0 --counter 5 \
        --manager manager.bin --firmware old.bin --package-out first.otter --json > map.json \
        2> err || { : > out; fail "factory"; }
    pack() { # OUT KEY VERSION COUNTER
        "$otter" pack -o "$1" --key "$2" --follow first.otter --map map.json --coding raw --version "$3" \
            --counter "$4" --firmware new.bin > out 2> err || fail "pack $1"
    }
    pack new.otter key.pem 2.0.0 6
    pack newer.otter key.pem 3.0.0 7
    pack newest.otter key.pem 4.0.0 8
    pack other.otter key.pem 5.0.0 9
    pack last.otter key.pem 6.0.0 10
    pack foreign.otter stranger.pem 2.0.0 6
    cp new.otter damaged.otter
    printf '\377' | dd of=damaged.otter bs=1 seek=5000 conv=notrunc status=none
    head -c 600 new.otter > short.otter
    rm -rf board
    "$otter" device new board --profile $profile --package first.otter || exit 1

    start_device
    expect 0 "1.0.0" "$profile: status over the link" "$otter" status $address
    expect 0 '"phase": "confirmed"' "$profile: as JSON" "$otter" status $address --json
    expect 3 "[20-12]" "$profile: half a file is not sent" "$otter" send $address short.otter
    expect 4 "[22-11]" "$profile: a stranger's package is refused" \
        "$otter" send $address foreign.otter
    expect 4 "[22-11]" "$profile: already when it is offered" \
        "$otter" send $address foreign.otter --offer-only
    expect 4 "[20-16]" "$profile: a damaged one at its end" "$otter" send $address damaged.otter
    expect 4 "[20-16]" "$profile: and again, from memory" "$otter" send $address damaged.otter
    expect 0 "stored" "$profile: sent over a bad link" "$otter" send $address new.otter \
        --no-request --link-drop 37 --link-twice 5 --link-swap 11
    expect 0 "complete" "$profile: the package waits" "$otter" status $address
    expect 0 "confirmed" "$profile: restarted, requested and confirmed" \
        "$otter" send $address new.otter --restart --wait
    expect 4 "[25-14]" "$profile: a remote may not confirm" "$otter" confirm $address
    expect 0 "confirmed" "$profile: over a link that fails for a while" "$otter" send $address \
        newer.otter --wait --link-cut 20000 --link-cut-ms 1500
    expect 0 "confirmed" "$profile: a package that runs is not sent again" \
        "$otter" send $address newer.otter --wait
    grep -q "from offset $(stat -c %s newer.otter)," out || fail "$profile: it was sent again"
    expect 0 "system    3.0.0" "$profile: the new system runs" "$otter" status $address

    stop_device
    start_device --app silent --time-scale 500
    expect 4 "[31-" "$profile: a silent system is rolled back" "$otter" send $address \
        newest.otter --wait --timeout 20

    stop_device
    start_device
    expect 0 "requested" "$profile: requested, and no reset" \
        "$otter" send $address newest.otter --no-reset
    expect 0 "requested" "$profile: it waits" "$otter" status $address
    expect 4 "[25-13]" "$profile: another package does not fit in between" \
        "$otter" send $address other.otter
    expect 0 "confirmed" "$profile: a send that goes on after the request" \
        "$otter" send $address newest.otter --wait

    stop_device
    start_device --button
    expect 0 "confirmed" "$profile: a manager that waits installs by itself" \
        "$otter" send $address other.otter --wait

    stop_device
    start_device --app silent --time-scale 200
    expect 0 "requested" "$profile: sent, not waited for" "$otter" send $address last.otter
    sleep 1
    expect 4 "[31-" "$profile: a send that goes on in the trial" \
        "$otter" send $address last.otter --wait

    stop_device
    start_device --cut 150:torn
    (wait_for_cut "$device"; start_again) &
    helper=$!
    expect 0 "confirmed" "$profile: power is cut in the transfer, the send goes on" \
        "$otter" send $address last.otter --wait
    wait "$helper"
    grep -q "power cut" log || fail "$profile: power was not cut"
    kill "$(cat again.pid)" 2> /dev/null
    device=
    sleep 0.2
done
expect 5 "no answer" "nobody answers" "$otter" send $address new.otter --timeout 1
expect 2 "usage" "no address" "$otter" send board new.otter
