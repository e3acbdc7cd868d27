#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter device run --serial: a virtual device behind a pseudo-terminal, as a board with a
# serial console. Updated over it, also across a power cut while a client is connected;
# clients come and go; what is no place for the line is refused.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"
device=
trap '[ -z "$device" ] || kill $device 2> /dev/null' EXIT

printf '\000\100\000\040\101\000\000\000' > new.bin
yes new | head -c 30000 >> new.bin
"$OTTER" keygen -o key.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile link --sign key.pem --version 1.0.0 --counter 1 \
    --package-out first.otter > factory.txt || exit 1
"$OTTER" device new board --profile link --package first.otter > new.txt || exit 1
"$OTTER" pack -o new.otter --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
    --firmware new.bin --rebase 0 > pack.txt || exit 1

serve() { # OPTION...: until it is stopped, or its power is cut
    "$OTTER" device run board --serial line --time-scale 10 --seconds 120 "$@" >> log 2>&1 &
    device=$!
    for _ in $(seq 200); do
        [ ! -L line ] || return 0
        sleep 0.02
    done
    echo "not ok: the line does not come" && exit 1
}
end() { wait $device 2> /dev/null; device=; }

echo precious > taken
check "what is no link is not replaced" 1 "File exists" \
    "$OTTER" device run board --serial taken
check "and is as it was" 0 "precious" cat taken
check "one link at a time" 2 "not both" \
    "$OTTER" device run board --serial line --udp 127.0.0.1:0

for address in serial:// "serial://$PWD/line?baud=fast" unix:// tcp://localhost:99999 udp://; do
    check "$address is no address to send to" 2 "$address: not an address like" \
        "$OTTER" send "$address" new.otter
    check "nor to ask" 2 "$address: not an address like" "$OTTER" status "$address"
    check "nor to confirm" 2 "$address: not an address like" "$OTTER" confirm "$address"
done

serve --cut 200:torn
"$OTTER" send "serial://$PWD/line" new.otter --wait --timeout 60 > send.txt 2>&1 &
sender=$!
end
check "the power was cut" 0 "power cut at flash operation 200" cat log
check "and the line is gone with it" 1 "" test -L line
serve
wait $sender
check "the sender goes on when it comes back" 0 "confirmed" cat send.txt
check "another client is served" 0 "2.0.0" "$OTTER" status "serial://$PWD/line"
kill $device && end
check "the new version stays" 0 "2.0.0" "$OTTER" status board
