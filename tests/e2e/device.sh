#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter device, factory and status on directories: what they make, how they refuse, and
# that one process at a time uses a device.
set -uo pipefail
otter=${OTTER:?the tool}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

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

"$otter" keygen -o key.pem --public pub.pem > /dev/null || exit 1
"$otter" keygen -o other.pem > /dev/null || exit 1

# --- new ---
for profile in link ab; do
    expect 0 "" "a $profile device is made" \
        "$otter" device new "$profile" --profile "$profile" --sign key.pem --trial-deadline 60
    expect 0 "0 flash operations" "it runs and writes nothing" "$otter" device run "$profile"
    expect 0 "phase          confirmed" "status tells its phase" "$otter" status "$profile"
    expect 0 '"phase": "confirmed"' "status tells it in JSON" "$otter" status "$profile" --json
    expect 0 '"trial_deadline_s": 60' "info tells the policy" "$otter" device info "$profile" --json
    expect 0 "0x10020000" "info shows the map" "$otter" device info "$profile"
    expect 0 "no system is on trial" "there is nothing to confirm" "$otter" confirm "$profile"
done
"$otter" factory -o sd.hex --profile sd --sign key.pem --package-out sd.otter > /dev/null || exit 1
expect 1 "is made for devices of profile sd, not link" "a package of another profile is refused" \
    "$otter" device new wrong --profile link --package sd.otter
[ ! -e wrong ] || fail "and leaves nothing behind"
expect 0 "" "a device with a card is made from it" \
    "$otter" device new carded --profile sd --package sd.otter
expect 4 "[23-22]" "which takes no manager and no table from there" \
    "$otter" install carded sd.otter
expect 1 "exists already" "a device is not made twice" \
    "$otter" device new ab --profile ab --sign key.pem
expect 2 "takes link, ab, full or sd" "an unknown profile is refused" \
    "$otter" device new x --profile sdx --sign key.pem
expect 2 "give --sign KEY.pem or --sign-with COMMAND" "somebody must sign the first system" \
    "$otter" device new x --profile ab
expect 2 "--profile is missing" "the profile must be named" "$otter" device new x --sign key.pem
expect 1 "not among the trusted keys" "the signer must be trusted" \
    "$otter" device new x --profile ab --sign other.pem --key pub.pem
expect 2 "does not take" "an unknown policy is refused" \
    "$otter" device new x --profile ab --sign key.pem --policy colour=3
expect 2 "takes never, manager or open" "a wrong permission is refused" \
    "$otter" device new x --profile ab --sign key.pem --policy confirm=perhaps
expect 2 "usage" "a device without an action" "$otter" device
expect 2 "usage" "a device with an unknown action" "$otter" device paint ab
[ ! -e x ] || { echo "not ok: a refused command left a directory"; exit 1; }

# --- run, cut, lock ---
expect 1 "no such device" "a device that is not there" "$otter" device run nowhere
mkdir plain
expect 1 "device.json is missing" "a directory that is no device" "$otter" status plain
expect 2 "--cut takes" "a wrong cut" "$otter" device run ab --cut 3:sideways
expect 2 "--app takes" "a wrong behaviour" "$otter" device run ab --app sulk
expect 1 "is off already" "the plug of a device that is off" "$otter" device cut ab
expect 1 "hangs" "a hanging application is seen" "$otter" device run ab --app-old hang
expect 0 "manager  started" "the button leads to the manager" \
    "$otter" device run ab --button
"$otter" device run ab --udp 127.0.0.1:0 --seconds 60 > run.log 2>&1 &
for _ in $(seq 100); do grep -q "agent" run.log && break; sleep 0.05; done
expect 1 "in use by process" "a device in use is locked" "$otter" device info ab
expect 1 "in use by process" "for status, too" "$otter" status ab
expect 0 "" "the plug is pulled" "$otter" device cut ab
wait
expect 0 "phase          confirmed" "and the device can be looked at" "$otter" status ab
expect 0 "power off" "a run ends in time" "$otter" device run ab --udp 127.0.0.1:0 --seconds 1


cp -r link damaged
printf 'otter' | dd of=damaged/flash.bin bs=1 seek=$((0x60010)) conv=notrunc status=none
expect 0 "boot     says [30-11]" "boot says why the manager runs" "$otter" device run damaged
port=$((20000 + $$ % 20000))
"$otter" device run damaged --udp 127.0.0.1:$port --seconds 60 > run.log 2>&1 &
for _ in $(seq 100); do grep -q "manager" run.log && break; sleep 0.05; done
expect 0 "says      [30-11] The application does not match its receipt" \
    "and so does the manager on the link" "$otter" status udp://127.0.0.1:$port
expect 0 "" "it can be ended" "$otter" device cut damaged
wait

# --- factory ---
expect 0 "0x10060000" "the factory writes a .hex" \
    "$otter" factory -o f.hex --profile link --sign key.pem --version 1.2.3 --counter 7 \
    --package-out first.otter
expect 0 '"used"' "and a .bin with a listing" \
    "$otter" factory -o f.bin --profile link --sign key.pem --version 1.2.3 --counter 7 --json
expect 2 "ends in .hex or .bin" "but nothing else" \
    "$otter" factory -o f.elf --profile link --sign key.pem
expect 1 "write a .hex file" "a .bin across two banks would be huge" \
    "$otter" factory -o g.bin --profile ab --sign key.pem
expect 2 "usage" "the factory needs a name" "$otter" factory --profile ab --sign key.pem
expect 0 "" "a device from a first package" \
    "$otter" device new again --profile link --package first.otter
expect 0 "version 1.2.3+0, counter 7" "runs that system" "$otter" status again
# Both files hold the same bytes: the .hex read by another program.
if command -v arm-none-eabi-objcopy > /dev/null; then
    arm-none-eabi-objcopy -I ihex -O binary --gap-fill 0xFF f.hex g.bin
    truncate -s "$(stat -c %s g.bin)" f.bin # the .hex ends with its last used row
    cmp f.bin g.bin || { echo "not ok: .hex and .bin differ"; exit 1; }
    echo "ok: .hex and .bin are the same"
fi

# --- install ---
head -c 300 /dev/urandom > noise
expect 4 "[20-10]" "what is no package is refused with its code" "$otter" install link noise
expect 2 "usage" "install needs a file" "$otter" install link
expect 1 "No such file" "that is there" "$otter" install link absent.otter
