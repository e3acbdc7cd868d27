#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter pack: packages that follow a first system, from every kind of image, checked
# against the device's map; what is refused, and with which words.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
"$OTTER" keygen -o second.pem --public second.pub > /dev/null
"$OTTER" factory -o device.hex --profile link --sign key.pem --target 0x1234 --hardware 2 \
    --version 1.0.0 --counter 1 --package-out first.otter --json > map.json

# words NUMBER...: writes each as four bytes, the lowest first.
words() {
    local number
    for number in "$@"; do
        printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((number & 255)) \
            $((number >> 8 & 255)) $((number >> 16 & 255)) $((number >> 24 & 255)))"
    done
}

# pack OUT ARGUMENTS...: a signed package that follows the first system.
pack() {
    local out=$1
    shift
    "$OTTER" pack -o "$out" --key key.pem --version 1.1.0+5 --counter 2 \
        --follow first.otter --map map.json "$@"
}

{ words 0x20004000 0x41; head -c 500 /dev/zero; } > app.bin # RAM ends at 0x20004000

# ---- what is made ----
check "an image that fits is packed" 0 "" pack a.otter --firmware app.bin
check "the package verifies" 0 "verified: version 1.1.0+5, target 0x00001234, counter 2" \
    "$OTTER" verify a.otter --key pub.pem
check "manager and table are kept" 0 "table (role 3), region own (0), coding raw (0), kept" \
    "$OTTER" inspect a.otter
check "the hardware comes from the first package" 0 "hardware   2 to 2" "$OTTER" inspect a.otter
check "it is made again" 0 "" pack b.otter --firmware app.bin
check "the same arguments give the same bytes" 0 "" cmp a.otter b.otter
check "another text is packed" 0 "" pack c.otter --firmware app.bin --notes "fixed"
check "other content has another id" 1 "" cmp -s <("$OTTER" inspect a.otter | grep "^id") \
    <("$OTTER" inspect c.otter | grep "^id")
check "a second key signs, too" 0 "" pack two.otter --key second.pem --firmware app.bin
check "the second key counts" 0 "verified" "$OTTER" verify two.otter --key second.pub
check "a follower of a follower is packed" 0 "" "$OTTER" pack -o d.otter --key key.pem \
    --version 1.2.0 --counter 3 --follow a.otter --firmware app.bin
check "its manager is still the first one" 0 \
    "$("$OTTER" inspect first.otter | grep -A1 "manager (role 2)" | grep installed)" \
    "$OTTER" inspect d.otter

# ---- texts ----
printf 'one\ntwo\n' > notes.txt
check "texts are packed" 0 "" pack t.otter --firmware app.bin --vendor "Lutra Labs" \
    --product Weir --version-text 1.1-rc1 --build 0123abcd --notes @notes.txt --battery 30
for text in "vendor     Lutra Labs" "product    Weir" "build      0123abcd" "30 %" "two"; do
    check "\"$text\" is shown" 0 "$text" "$OTTER" inspect t.otter
done
check "vendor and product go on" 0 "" "$OTTER" pack -o v.otter --key key.pem \
    --version 1.2.0 --counter 3 --follow t.otter --firmware app.bin
check "the vendor is the one before" 0 "vendor     Lutra Labs" "$OTTER" inspect v.otter
check "a text of 65 bytes is refused" 2 "65 bytes are too many (limit 64)" \
    pack x.otter --firmware app.bin --vendor "$(printf 'v%.0s' {1..65})"
check "a text that is not UTF-8 is refused" 2 "not UTF-8" \
    pack x.otter --firmware app.bin --vendor "$(printf 'a\xff')"
check "a vendor of two lines is refused" 2 "control characters" \
    pack x.otter --firmware app.bin --vendor $'a\nb'
check "a battery above 100 is refused" 2 "up to 100" pack x.otter --firmware app.bin --battery 101

# ---- images and the map ----
{ words 0x20004004 0x41; head -c 500 /dev/zero; } > stack.bin
{ words 0x20000000 0x41; head -c 500 /dev/zero; } > stack_low.bin
{ words 0x20004000 0x40; head -c 500 /dev/zero; } > thumb.bin
{ words 0x20004000 0x1FD; head -c 500 /dev/zero; } > reset.bin
{ words 0x20004000 0x41; head -c $((0x80000 - 7)) /dev/zero; } > large.bin
check "a stack above the RAM is refused" 1 "0x20004004 lies outside the RAM 0x20000000-0x20003FFF" \
    pack x.otter --firmware stack.bin
check "a stack at the RAM's start is refused" 1 "lies outside the RAM" \
    pack x.otter --firmware stack_low.bin
check "a reset vector without its Thumb bit is refused" 1 "has no Thumb bit" \
    pack x.otter --firmware thumb.bin
check "a reset vector past the image is refused" 1 "0x000001FD lies outside the program" \
    pack x.otter --firmware reset.bin
check "an image larger than its region names both ranges" 1 \
    "0x00080000-0x00080000 lies outside the region 0x00000000-0x0007FFFF" \
    pack x.otter --firmware large.bin
check "a part of it is taken" 0 "" pack x.otter --firmware large.bin --only 0+0x1000
check "the part has its size" 0 "installed 4096 bytes" "$OTTER" inspect x.otter
check "an image at the region's own address is taken" 0 "" \
    pack x.otter --firmware app.bin --rebase 0x10060000
check "it is linked for the window" 0 "linked for 0x00000000" "$OTTER" inspect x.otter
check "an image in the midst of its region is refused" 1 "begins at 0x00000100" \
    pack x.otter --firmware app.bin --rebase 0x100
check "a wrong link address is refused" 1 "is not where the region's programs run" \
    pack x.otter --firmware app.bin --link 4
check "a region that is not there is refused" 1 "the map has no region 12" \
    pack x.otter --firmware app.bin --member resources=app.bin,region=12
check "without a map the address is the image's" 0 "" "$OTTER" pack -o x.otter --key key.pem \
    --version 1.1.0 --counter 2 --follow first.otter --member firmware=app.bin,rebase=0x8000
check "it is in the package" 0 "linked for 0x00008000" "$OTTER" inspect x.otter

# ---- what is missing or wrong ----
check "a package without a key is made, with a warning" 0 "warning: the package is not signed" \
    "$OTTER" pack -o u.otter --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin
check "it does not verify" 3 "22-10" "$OTTER" verify u.otter --key pub.pem
check "a system without a manager is refused" 1 "21-17" "$OTTER" pack -o x2.otter --key key.pem \
    --version 1.1.0 --counter 2 --target 1 --hardware 1-2 --firmware app.bin
check "nothing is left of it" 1 "" test -e x2.otter
check "a member that is given twice is refused" 1 "21-16" \
    pack x.otter --firmware app.bin --member firmware=app.bin
check "a lower counter is warned of" 0 "warning: the counter 0 is lower" \
    "$OTTER" pack -o x.otter --key key.pem --version 1.1.0 --counter 0 --follow first.otter \
    --firmware app.bin
check "a damaged package cannot be followed" 1 "20-13" "$OTTER" pack -o x.otter --key key.pem \
    --version 1.1.0 --counter 2 --follow <(head -c 700 first.otter) --firmware app.bin
check "a file that is not there fails" 1 "nothing.bin" pack x.otter --firmware nothing.bin
check "a map that is not JSON fails" 1 "is not JSON" "$OTTER" pack -o x.otter --key key.pem \
    --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin --map app.bin
check "a role that is not known is wrong usage" 2 "roles are" pack x.otter --member foo=app.bin
check "a version of two numbers is wrong usage" 2 "takes 1.2.3" \
    "$OTTER" pack -o x.otter --version 1.2 --counter 2 --follow first.otter --firmware app.bin
check "a range that ends before it begins is wrong usage" 2 "--only takes" \
    pack x.otter --firmware app.bin --only 0x20-0x10
check "--only without --firmware is wrong usage" 2 "belong to --firmware" \
    pack x.otter --member firmware=app.bin --only 0+4
check "no counter is wrong usage" 2 "--counter" "$OTTER" pack -o x.otter --version 1.2.3
check "--help" 0 "usage: otter pack" "$OTTER" pack --help
