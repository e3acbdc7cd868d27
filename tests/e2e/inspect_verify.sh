#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter inspect and otter verify on a good package, on changed ones and on none. Hashes
# are compared with those of sha256sum, offsets with docs/SPEC.md.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem --public pub.pem > id.txt
"$OTTER" keygen -o other.pem --public other.pub > /dev/null
"$OTTER" factory -o device.bin --profile link --sign key.pem --target 0x1234 --hardware 2 \
    --version 1.2.3+4 --counter 7 --package-out good.otter > /dev/null

# byte OFFSET VALUE FILE: changes one byte.
byte() {
    printf '%b' "\\x$2" | dd of="$3" bs=1 seek="$1" conv=notrunc status=none
}

# number JSON NAME: the first number of that name.
number() {
    sed -n "s/^ *\"$2\": \([0-9]*\),*$/\1/p" "$1" | head -1
}

# ---- inspect ----
"$OTTER" inspect good.otter --json > good.json
check "the version is shown" 0 "version    1.2.3+4" "$OTTER" inspect good.otter
check "the target is shown" 0 "target     0x00001234" "$OTTER" inspect good.otter
check "the counter is shown" 0 "counter    7" "$OTTER" inspect good.otter
check "the length is the file's" 0 "$(stat -c %s good.otter)" number good.json file_length
for role in firmware manager table; do
    check "JSON names the $role" 0 "\"role\": \"$role\"" cat good.json
done
off=$(number good.json offset)
size=$(number good.json stored_size)
check "a member's hash is that of its bytes in the file" 0 \
    "$(tail -c "+$((off + 1))" good.otter | head -c "$size" | sha256sum | cut -c1-64)" \
    cat good.json
check "members follow image header and control packet" 0 "$off" \
    echo "$((32 + $(number good.json control_length)))"
check "the package's hash is that of all but the trailer" 0 \
    "\"sha256\": \"$(head -c -40 good.otter | sha256sum | cut -c1-64)\"" cat good.json
check "the signing key is named" 0 "$(cut -d' ' -f3 id.txt)" cat good.json
check "without a key nothing is said of the signature" 0 ": not checked" \
    "$OTTER" inspect good.otter
check "with the key it is verified" 0 ": verified" "$OTTER" inspect good.otter --key pub.pem
check "another key does not know it" 0 ": unknown key" \
    "$OTTER" inspect good.otter --key other.pub
check "standard input is read" 0 "version    1.2.3+4" \
    bash -c '"$OTTER" inspect - < good.otter'

head -c 300 /dev/zero > manager.bin
# Texts that would turn the line's direction are shown as bytes.
"$OTTER" pack -o texts.otter --follow good.otter --version 1.3.0 --counter 8 --key key.pem \
    --firmware manager.bin --link 0 --member manager=manager.bin --vendor "Otter ###Ltd" --notes "one
two" --battery 30 > /dev/null
deceiving texts.otter
check "a text cannot steer a terminal" 0 'vendor     Otter \xE2\x80\xAELtd' \
    "$OTTER" inspect texts.otter
check "notes keep their lines" 0 "notes      one
           two" "$OTTER" inspect texts.otter
check "the battery is shown" 0 "30 % or more" "$OTTER" inspect texts.otter
check "kept members are marked" 0 "not in the file" "$OTTER" inspect texts.otter
check "JSON keeps the text" 0 '\u202ELtd' "$OTTER" inspect texts.otter --json

# ---- verify ----
check "a good package verifies" 0 "verified: version 1.2.3+4" \
    "$OTTER" verify good.otter --key pub.pem --target 0x1234 --hardware 2 --counter 7
check "one good key among others is enough" 0 "verified" \
    "$OTTER" verify good.otter --key other.pub --key pub.pem
check "JSON says so" 0 '"verified": true' "$OTTER" verify good.otter --key pub.pem --json
check "a foreign key is refused" 3 "[22-11]" "$OTTER" verify good.otter --key other.pub
check "another target is refused" 3 "[23-10]" \
    "$OTTER" verify good.otter --key pub.pem --target 1
check "other hardware is refused" 3 "[23-11]" \
    "$OTTER" verify good.otter --key pub.pem --hardware 65535
check "an older package is refused" 3 "[23-12]" \
    "$OTTER" verify good.otter --key pub.pem --counter 8
check "a refusal comes with its remedy" 3 "Use a newer package" \
    "$OTTER" verify good.otter --key pub.pem --counter 8
check "a key is needed" 2 "--key" "$OTTER" verify good.otter
check "a file is needed" 2 "one package file" "$OTTER" verify --key pub.pem
check "numbers are checked" 2 '"12x" is not a number' \
    "$OTTER" verify good.otter --key pub.pem --counter 12x
check "a missing file is a failure" 1 "none.otter" "$OTTER" verify none.otter --key pub.pem

# ---- damage: sentence, code, offset and value of a byte ----
while read -r code where value sentence; do
    cp good.otter bad.otter
    byte "$where" "$value" bad.otter
    check "verify: $sentence" 3 "[$code]" "$OTTER" verify bad.otter --key pub.pem
    check "inspect: $sentence" 3 "$code" "$OTTER" inspect bad.otter --json
done << TABLE
20-10 0 00 another magic
20-11 8 40 another header size
21-13 20 09 a version that is not the signed one
21-10 32 00 another control packet
21-11 36 02 another format
21-12 38 ff another length
20-16 $off 99 a changed member
20-14 $(($(stat -c %s good.otter) - 40)) 00 another trailer
20-15 $(($(stat -c %s good.otter) - 1)) 00 another package hash
TABLE

# The counter lies 68 bytes into the control packet; nothing but the signatures covers
# it once the package's hash is made again.
head -c -40 good.otter > body
byte $((32 + 68)) ff body
{
    cat body
    printf '\x07\x69\x28\x00\x10\x00\x20\x00'
    sha256sum body | cut -c1-64 | tr a-f A-F | basenc -d --base16
} > forged.otter
check "a forged counter is refused" 3 "[22-12]" "$OTTER" verify forged.otter --key pub.pem
check "inspect shows it, and a wrong signature" 0 ": wrong" \
    "$OTTER" inspect forged.otter --key pub.pem

for size in 0 31 32 100 127 400 $(($(stat -c %s good.otter) - 1)); do
    head -c "$size" good.otter > cut.otter
    check "a package cut at $size bytes is refused" 3 "[2" \
        "$OTTER" verify cut.otter --key pub.pem
done
{
    cat good.otter
    echo
} > long.otter
check "a byte too many is refused" 3 "[20-12]" "$OTTER" verify long.otter --key pub.pem

# ---- which member a device has not ----
"$OTTER" factory -o own.hex --profile link --sign key.pem --package-out own.otter > /dev/null
"$OTTER" factory -o other.hex --profile link --sign key.pem --policy trial-deadline=77 \
    --package-out stranger.otter > /dev/null
"$OTTER" device new board --profile link --package own.otter
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c 300 /dev/zero; } > program.bin
"$OTTER" pack -o next.otter --key key.pem --follow stranger.otter --version 1.1.0 --counter 2 \
    --firmware program.bin --rebase 0
check "the package keeps a table" 0 "member 2   table" "$OTTER" inspect next.otter
check "the plan tells that it is another one" 0 \
    "[23-18] A member that the package keeps is not the one on the device: member 2 (table)" \
    "$OTTER" inspect next.otter --device board
check "so does the refusal" 4 "It is member 2 (table)" "$OTTER" install board next.otter
"$OTTER" pack -o next.otter --key key.pem --follow own.otter --version 1.1.0 --counter 2 \
    --firmware program.bin --rebase 0
check "of the device's own nothing is told" 1 "" \
    bash -c '"$OTTER" inspect next.otter --device board | grep "refused"'
check "and it is installed" 0 "confirmed" "$OTTER" install board next.otter

# ---- what no device takes ----
python3 - "$OTTER_TOP/tests/vectors" << 'END'
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import make_package as mp
odd = {**mp.FONT, "coding": 9}
open("odd.otter", "wb").write(mp.build({**mp.PLAIN, **mp.more(odd)}))
END
check "a coding that is not known is not verified" 3 "odd.otter: member 3 (font): [21-21]" \
    "$OTTER" verify odd.otter --key pub.pem
check "by its member" 3 '"member": 3' "$OTTER" verify odd.otter --key pub.pem --json
check "nor is the package whole" 3 "[21-21]" "$OTTER" inspect odd.otter
check "but described" 3 "coding ? (9)" "$OTTER" inspect odd.otter
keeping keeping.otter
check "a package that keeps its firmware is not verified" 3 "[23-22]" \
    "$OTTER" verify keeping.otter --key pub.pem
check "and it is said why" 3 "It keeps the firmware; pack it again with its firmware in it" \
    "$OTTER" verify keeping.otter --key pub.pem
check "programs see the code" 3 '"code": "23-22"' \
    "$OTTER" verify keeping.otter --key pub.pem --json
check "what is shown says so, too" 0 "not in the file: no device installs a package that keeps its firmware" \
    "$OTTER" inspect keeping.otter
check "of other members it does not" 0 "3" bash -c \
    '"$OTTER" inspect keeping.otter | grep -c "not in the file"'
check "only once" 0 "1" bash -c '"$OTTER" inspect keeping.otter | grep -c "not in the file: no"'
check "otter pack makes none" 2 "pack needs the firmware, also if it stays the same" \
    "$OTTER" pack -o x.otter --follow good.otter --version 1.3.0 --counter 8 --key key.pem \
    --member manager=manager.bin
