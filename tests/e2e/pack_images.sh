#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter pack on images of every kind, and on a real one: MicroPython for the micro:bit
# (Debian's firmware-microbit-micropython), 243,852 bytes at 0 and 28 outside the flash.
# Small images: tests/vectors/images, made by GNU objcopy. Hashes: sha256sum.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"
images=$OTTER_TOP/tests/vectors/images

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
"$OTTER" keygen -o other.pem --public other.pub > /dev/null
"$OTTER" factory -o device.bin --profile link --sign key.pem --target 0x1234 --hardware 2 \
    --version 1.0.0 --counter 1 --package-out first.otter --json > map.json

# pack OPTIONS...: an update of the first system. firmware: what inspect says of it.
pack() {
    "$OTTER" pack -o up.otter --key key.pem --version 1.1.0+5 --counter 2 \
        --follow first.otter "$@"
}
firmware() { "$OTTER" inspect up.otter | sed -n '/^member 0/,/linked for/p'; }
packed() { pack "$@" && firmware; }
sha_of() { sha256sum | cut -c1-64; }

for kind in elf hex bin; do
    check "a .$kind image is packed as objcopy's binary" 0 "$(sha_of < "$images/high.bin")" \
        packed --firmware "$images/high.$kind"
done
check "HEX records of segments give the same" 0 "$(sha_of < "$images/low.bin")" \
    packed --firmware "$images/low.hex"
check "standard input is an image" 0 "$(sha_of < "$images/low.bin")" \
    packed --firmware - < "$images/low.bin"
check "a part of it is cut out" 0 "$(head -c 48 "$images/high.bin" | sha_of)" \
    packed --firmware "$images/high.hex" --only 0x10060000+48
check "a moved image is linked for where it lies" 0 "linked for 0x00020000" \
    packed --firmware "$images/high.elf" --rebase 0x20000
sed '2s/1111/1112/' "$images/high.hex" > bad.hex
check "a damaged HEX file fails with its line" 1 "line 2: the checksum is wrong" \
    pack --firmware bad.hex
head -c 150 "$images/high.elf" > bad.elf
check "a cut ELF file fails" 1 "bad.elf" pack --firmware bad.elf

micropython=/usr/share/firmware-microbit-micropython/firmware.hex
if [ -f "$micropython" ]; then
    check "bytes outside the flash are named" 1 "0x100010C0-" \
        pack --map map.json --firmware "$micropython"
    check "so they are without a map" 1 "only" pack --firmware "$micropython"
    check "without them it has its size" 0 "243852 bytes" \
        packed --map map.json --firmware "$micropython" --only 0+0x80000
fi

check "two keys sign" 0 ": verified" bash -c '"$OTTER" pack -o two.otter --key key.pem \
    --key other.pem --version 1.1.0 --counter 2 --follow first.otter \
    --firmware '"$images"'/high.hex && "$OTTER" inspect two.otter --key other.pub'
check "either is enough" 0 "" "$OTTER" verify two.otter --key pub.pem
pack --firmware "$images/high.hex"
cp up.otter before.otter
pack --firmware "$images/high.elf"
check "the same content gives the same bytes" 0 "" cmp up.otter before.otter
