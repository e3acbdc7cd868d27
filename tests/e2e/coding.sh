#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Coded members from pack to the device: each coding, what "auto" chooses for which
# target, the plan, the update on both kinds of device, and damage.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
for profile in link ab; do
    "$OTTER" factory -o $profile.hex --profile $profile --sign key.pem \
        --package-out $profile.first --json > $profile.json
done

# A program that repeats itself, and noise that does not.
{ printf '\000\100\000\040\101\000\000\000'; seq 1 9000; } > app.bin
{ printf '\000\100\000\040\101\000\000\000'; head -c 30000 /dev/urandom; } > noise.bin

# pack OUT PROFILE ARGUMENTS...
pack() {
    local out=$1 profile=$2
    shift 2
    "$OTTER" pack -o "$out" --key key.pem --version 1.1.0 --counter 2 \
        --follow "$profile.first" --rebase 0 "$@"
}

# field FILE NAME: of the first member
field() { "$OTTER" inspect --json "$1" | sed -n "/\"members\"/,\$ s/.*\"$2\": \"\\{0,1\\}\\([^\",]*\\).*/\\1/p" | head -n 1; }

# ---- what is made ----
for coding in raw zlib heatshrink; do
    check "$coding is packed" 0 "" pack $coding.otter link --firmware app.bin --coding $coding
    check "$coding verifies" 0 "verified" "$OTTER" verify $coding.otter --key pub.pem
    check "$coding is shown" 0 "coding $coding (" "$OTTER" inspect $coding.otter
    check "$coding installs as many bytes as went in" 0 "$(stat -c %s app.bin)" \
        field $coding.otter installed_size
done
check "a raw member is all of it" 0 "100.0 %" "$OTTER" inspect raw.otter
check "zlib makes less of it" 0 "" test "$(field zlib.otter stored_size)" -lt 20000
check "heatshrink makes less of it" 0 "" test "$(field heatshrink.otter stored_size)" -lt 25000
check "zlib says what it needs" 0 "needs 11776 bytes of RAM" "$OTTER" inspect zlib.otter
check "heatshrink needs a usual window at most" 0 "" test "$(field heatshrink.otter memory)" -le 2048
check "it is made again" 0 "" pack again.otter link --firmware app.bin --coding heatshrink
check "the same arguments give the same bytes" 0 "" cmp heatshrink.otter again.otter
check "the content is the same, whatever the coding" 0 "$(field raw.otter installed_sha256)" \
    field zlib.otter installed_sha256
check "a member says it for itself" 0 "" pack member.otter link --coding raw \
    --firmware app.bin --member font=app.bin,coding=heatshrink
check "the firmware is raw" 0 "raw" field member.otter coding
check "the font is not" 0 "font (role 7), region own (0), coding heatshrink (2)" \
    "$OTTER" inspect member.otter

# ---- what auto chooses ----
check "without a map nothing is known" 0 "" pack auto.otter link --firmware app.bin
check "so it is raw" 0 "raw" field auto.otter coding
check "the map says what the device takes" 0 "" pack auto.otter link --map link.json --firmware app.bin
check "the smallest is taken" 0 "zlib" field auto.otter coding
check "noise does not get smaller" 0 "" pack auto.otter link --map link.json --firmware noise.bin
check "so it stays raw" 0 "raw" field auto.otter coding
check "less memory is said" 0 "" pack auto.otter link --map link.json --coding-memory 1024 \
    --firmware app.bin
check "heatshrink fits into it" 0 "heatshrink" field auto.otter coding
check "its window is no larger" 0 "" test "$(field auto.otter memory)" -le 1024
check "a window of zlib shrinks with it" 0 "" pack auto.otter link --coding-memory 9000 --coding zlib \
    --firmware app.bin
check "to what fits" 0 "8704" field auto.otter memory
check "no memory is raw" 0 "" pack auto.otter link --map link.json --coding-memory 0 --firmware app.bin
check "that stays raw" 0 "raw" field auto.otter coding
check "two slots are known" 0 "" pack auto.otter ab --map ab.json --firmware app.bin
check "the slot takes a raw one" 0 "raw" field auto.otter coding
sed 's/"heatshrink"/"lzma"/' link.json > lzma.json
check "a coding of the map that nobody knows is passed over" 0 "" \
    pack auto.otter link --map lzma.json --firmware app.bin
check "another one is taken" 0 "zlib" field auto.otter coding

# ---- what is refused ----
check "a coding that the map leaves out" 1 "the target does not take heatshrink" \
    pack x.otter link --map lzma.json --firmware app.bin --coding heatshrink
check "memory that is too small" 1 "has no memory for zlib: 8191 bytes" \
    pack x.otter link --coding-memory 8191 --firmware app.bin --coding zlib
check "a coding that is none" 2 "takes auto, raw, zlib or heatshrink" \
    pack x.otter link --firmware app.bin --coding lzma
check "one of a member that is none" 2 "coding= takes auto|raw|zlib|heatshrink" \
    pack x.otter link --member firmware=app.bin,coding=zip
sed 's/"coding_memory": 11776/"coding_memory": "all"/' link.json > wrong.json
check "a map whose memory is no number" 1 "coding_memory a number" \
    pack x.otter link --map wrong.json --firmware app.bin

# ---- the device ----
update() { # PROFILE FILE
    rm -rf board
    "$OTTER" device new board --profile "$1" --package "$1.first" > /dev/null
    "$OTTER" install board "$2" > log 2>&1
}
for coding in zlib heatshrink; do
    check "one slot takes $coding" 0 "" update link $coding.otter
    check "it runs" 0 "version 1.1.0" "$OTTER" status board
    check "$coding is packed for two slots" 0 "" pack $coding.ab ab --firmware app.bin --coding $coding
    check "two slots take $coding" 0 "" update ab $coding.ab
    check "it runs there" 0 "version 1.1.0" "$OTTER" status board
done
"$OTTER" device new fresh --profile ab --package ab.first > /dev/null
check "the plan says where it goes" 0 "into slot, stored in staging" \
    "$OTTER" inspect zlib.ab --device fresh
rm -rf board
"$OTTER" device new board --profile link --package link.first > /dev/null
check "the plug is pulled while it is written" 0 "" sh -c \
    '"$OTTER" install board zlib.otter --cut 200:torn > log 2>&1 || true'
check "it goes on" 0 "" sh -c '"$OTTER" install board zlib.otter > log 2>&1'
check "it runs after a cut" 0 "version 1.1.0" "$OTTER" status board
{ cat noise.bin; tail -c 30000 noise.bin; } > far.bin # repeats only far back
check "a package for more memory than the device has" 0 "" pack large.otter link --firmware far.bin \
    --coding heatshrink --coding-memory 32768
rm -rf fresh
"$OTTER" device new fresh --profile link --package link.first > /dev/null
check "is refused by the plan" 0 "35-10" "$OTTER" inspect large.otter --device fresh
check "and by the device" 4 "35-10" "$OTTER" install fresh large.otter

# ---- a first system that is coded ----
{ printf '\000\100\000\040\101\000\002\020'; seq 1 900; } > manager.bin
python3 - link.first > table.bin <<'PYTHON'
import struct, sys
file = open(sys.argv[1], "rb").read()
control, off = 32, 32 + struct.unpack_from("<H", file, 38)[0]
for i in range(file[control + 84]):
    entry = control + 96 + 96 * i
    size = struct.unpack_from("<I", file, entry + 8)[0]
    if file[entry] == 3:
        sys.stdout.buffer.write(file[off:off + size])
    off += size
PYTHON
check "a whole first system is packed" 0 "" "$OTTER" pack -o whole.otter --key key.pem \
    --version 1.0.0 --counter 1 --target 0x4F545401 --hardware 1 --map link.json --rebase 0 \
    --firmware app.bin --coding zlib --member manager=manager.bin,version=1,rebase=0x10020000 \
    --member table=table.bin,coding=raw
check "a device is made from it" 0 "" "$OTTER" device new whole --profile link --package whole.otter
check "it runs" 0 "" "$OTTER" device run whole
check "as it was before coding" 0 "version 1.0.0" "$OTTER" status whole

# ---- coded, then encrypted ----
"$OTTER" keygen --root -o root.pem > /dev/null
for coding in zlib heatshrink; do
    rm -rf secret
    "$OTTER" device new secret --profile link --package link.first > /dev/null
    check "$coding is packed and encrypted" 0 "" pack secret.otter link --firmware app.bin \
        --coding $coding --encrypt-to secret/device.pub --encrypt-to root.pem
    check "it is smaller than raw all the same" 0 "" test "$(field secret.otter stored_size)" -lt 25000
    check "decrypted it decodes" 0 "content    verified" \
        "$OTTER" inspect secret.otter --decrypt-with root.pem
    check "the device takes it" 0 "" sh -c '"$OTTER" install secret secret.otter > log 2>&1'
    check "and runs it" 0 "version 1.1.0" "$OTTER" status secret
done
