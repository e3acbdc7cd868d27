#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Foreign tools against ours: MCUboot's imgtool reads our packages and makes the same
# bytes; smpmgr, smpclient and the Go mcumgr update a virtual
# device. They come from their own registries into build/interop; the Go mcumgr is
# left out where it cannot be had. Needs UDP port 1337 of the loopback address.
set -uo pipefail
. "$(dirname "$0")/files.sh"

top=$PWD
place=$top/$build/interop
otter=${OTTER:-$top/$build/release/tools/otter}
device=
mkdir -p "$place/work"
trap '[ -z "$device" ] || kill "$device" 2>/dev/null' EXIT

if [ ! -x "$place/venv/bin/smpmgr" ]; then
    python3 -m venv "$place/venv" &&
        "$place/venv/bin/pip" -q install "imgtool>=2" "smpmgr>=0.12" "smpclient>=5" cbor2 || exit 1
fi
imgtool=$place/venv/bin/imgtool
python=$place/venv/bin/python
cd "$place/work" || exit 1
rm -rf ./*

passed=0
fail() {
    echo "interop: FAILED: $1" >&2
    tail -n 20 out >&2
    exit 1
}

# check NAME TEXT COMMAND...: it succeeds, and its output holds the text
check() {
    local name=$1 text=$2
    shift 2
    timeout 120 "$@" > out 2>&1 || fail "$name: status $?"
    [ -z "$text" ] || grep -qF -- "$text" out || fail "$name: no \"$text\""
    passed=$((passed + 1))
    echo "interop: ok: $name"
}

smp() { check "$1" "$2" "$place/venv/bin/smpmgr" --ip 127.0.0.1 --timeout 5 "${@:3}"; }

program() { # FILE RESET-VECTOR SIZE SEED
    { printf "\\x00\\x40\\x00\\x20$2"; yes "$4" | head -c "$3"; } > "$1"
}

new_device() { # a fresh device that serves port 1337; OPTIONS...
    [ -z "$device" ] || { kill "$device" && wait "$device"; } 2> /dev/null
    rm -rf board
    "$otter" device new board --profile "$profile" --package first.otter || exit 1
    "$otter" device run board --udp 127.0.0.1:1337 --seconds 300 "$@" >> log 2>&1 &
    device=$!
}

hash_of() { tail -c 32 "$1" | od -An -tx1 | tr -d ' \n'; }

# --- packages ---
program old.bin '\x41\x00\x00\x00' 30000 old
program new.bin '\x41\x00\x00\x00' 60000 new
program manager.bin '\x41\x00\x02\x10' 5000 manager
"$otter" keygen -o key.pem > out 2>&1 || fail "keygen"

make_packages() {
    "$otter" factory -o f.hex --profile "$profile" --sign key.pem --version 1.0.0 --counter 1 \
        --manager manager.bin --firmware old.bin --package-out first.otter --json \
        > map.json 2> out || fail "factory"
    "$otter" pack -o new.otter --key key.pem --follow first.otter --map map.json \
        --coding raw --version 2.0.0 --counter 2 --firmware new.bin > out 2>&1 || fail "pack"
}

profile=link
make_packages
check "imgtool reads a package" "2.0.0" "$imgtool" dumpinfo new.otter
check "imgtool verifies its hash" "" "$imgtool" verify new.otter
head -c -40 new.otter | tail -c +33 > payload.bin
check "imgtool makes an image of the same payload" "" "$imgtool" sign --header-size 32 \
    --pad-header --align 1 --slot-size 0x140000 --version 2.0.0 payload.bin foreign.otter
check "it is the same file" "" cmp new.otter foreign.otter
check "we read it" "2.0.0" "$otter" inspect foreign.otter

# --- smpmgr, smpclient ---
cat > resume.py <<'PYTHON'
import asyncio, sys
from smpclient import SMPClient
from smpclient.requests.os_management import MCUMgrParametersRead
from smpclient.transport.udp import SMPUDPTransport

async def main(path):
    data = open(path, "rb").read()
    async with SMPClient(SMPUDPTransport(), "127.0.0.1") as client:
        reply = await client.request(MCUMgrParametersRead())
        print("buf_size", reply.buf_size)
        async for off in client.upload(data):
            if off > len(data) // 2:
                break
        print("stopped at", off)
        first = None
        async for off in client.upload(data):
            first = off if first is None else first
        print("resumed" if first > len(data) // 2 else "restarted", first, "ended", off)

asyncio.run(main(sys.argv[1]))
PYTHON

for profile in link ab; do
    make_packages
    hash=$(hash_of new.otter)
    new_device
    smp "$profile: smpmgr echo" "hello" os echo hello
    smp "$profile: smpmgr image state" "1.0.0" image state-read
    check "$profile: smpclient stops and goes on" "resumed" "$python" resume.py new.otter
    smp "$profile: smpmgr uploads" "" image upload new.otter
    smp "$profile: smpmgr asks for a test" "OK" image state-write "$hash"
    smp "$profile: it is pending" "pending=True" image state-read
    smp "$profile: smpmgr resets" "" os reset
    sleep 3
    smp "$profile: the new system runs" "2.0.0" image state-read
    check "$profile: confirmed" "confirmed" "$otter" status udp://127.0.0.1
done

# --- Go mcumgr ---
if [ ! -x "$place/mcumgr" ] && command -v go > /dev/null; then
    GOBIN=$place go install github.com/apache/mynewt-mcumgr-cli/mcumgr@latest > out 2>&1
fi
if [ -x "$place/mcumgr" ]; then
    go_mcumgr() {
        check "$1" "$2" "$place/mcumgr" --conntype udp --connstring '[127.0.0.1]:1337' "${@:3}"
    }
    for profile in link ab; do
        make_packages
        hash=$(hash_of new.otter)
        new_device
        go_mcumgr "$profile: Go mcumgr echo" "hello" echo hello
        go_mcumgr "$profile: Go mcumgr image list" "1.0.0" image list
        go_mcumgr "$profile: Go mcumgr uploads" "Done" image upload new.otter
        go_mcumgr "$profile: Go mcumgr asks for a test" "pending" image test "$hash"
        go_mcumgr "$profile: Go mcumgr resets" "Done" reset
        sleep 3
        go_mcumgr "$profile: the new system runs" "active confirmed" image list
    done
else
    echo "interop: skipped Go mcumgr: it cannot be installed here"
fi
echo "interop: $passed passed"
