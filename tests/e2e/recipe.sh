#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter pack RECIPE: the same bytes as by options and from any folder, every variant,
# and each fault with its line and column and nothing written.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
"$OTTER" keygen -o second.pem --public second.pub > /dev/null
"$OTTER" factory -o device.hex --profile link --sign key.pem --target 0x1234 --hardware 2 \
    --version 1.0.0 --counter 1 --package-out first.otter --json > map.json
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c 500 /dev/zero; } > app.bin
printf 'one\ntwo\n' > notes.txt

cat > release.yaml << 'YAML'
# A comment.
recipe: 1
vendor: "Lutra Labs"
product: Weir
version: 1.1.0+5
version-text: 1.1-rc1
build: 0123abcd
notes-file: notes.txt
battery: 30
target: 0x1234
hardware: 2-3
counter: 2
follows: 1.0.0
boot-min: 1
manager-min: 1
follow: first.otter
map: map.json
keys:
  - key.pem
  - second.pem
members:
  - role: firmware
    file: app.bin
    only: 0+0x100
    rebase: 0
YAML
check "a recipe is packed" 0 "" "$OTTER" pack release.yaml -o recipe.otter
check "options make the same package" 0 "" "$OTTER" pack -o options.otter --vendor "Lutra Labs" \
    --product Weir --version 1.1.0+5 --version-text 1.1-rc1 --build 0123abcd --notes @notes.txt \
    --battery 30 --target 0x1234 --hardware 2-3 --counter 2 --follows 1.0.0 --boot-min 1 \
    --manager-min 1 --follow first.otter --map map.json --key key.pem --key second.pem \
    --member firmware=app.bin,only=0+0x100,rebase=0
check "byte for byte" 0 "" cmp recipe.otter options.otter
check "a device takes it" 0 "verified: version 1.1.0+5" "$OTTER" verify recipe.otter --key second.pub
check "output may be a pipe" 0 same bash -c \
    '"$OTTER" pack release.yaml -o - | cmp - recipe.otter && echo same'
check "a recipe may come from a pipe" 0 same bash -c \
    '"$OTTER" pack - -o - < release.yaml | cmp - recipe.otter && echo same'

# The same inputs in another folder, at another time, called from elsewhere.
mkdir -p "$folder/a b" "$folder/elsewhere"
cp release.yaml first.otter map.json key.pem second.pem app.bin notes.txt "$folder/a b"
touch -d "2001-01-01" "$folder/a b/"*
check "it is packed from another folder" 0 "" env -C "$folder/elsewhere" -i TZ=Asia/Tokyo \
    LC_ALL=C SOURCE_DATE_EPOCH=1 "$OTTER" pack "../a b/release.yaml" -o out.otter
check "and gives the same bytes" 0 "" cmp recipe.otter "$folder/elsewhere/out.otter"
check "nothing is written beside the recipe" 1 "" bash -c 'ls "$1" | grep otter$ | grep -v first' \
    _ "$folder/a b"

# ---- keys beside the recipe ----
sed '/^keys:/,/second.pem/d' release.yaml > keyless.yaml
check "keys may stand beside a recipe" 0 "" \
    "$OTTER" pack keyless.yaml --key key.pem --key second.pem -o beside.otter
check "as if they were in it" 0 "" cmp recipe.otter beside.otter
check "without one there is a warning" 0 "is not signed" "$OTTER" pack keyless.yaml -o u.otter
check "a part of the release may not" 2 "--counter cannot stand beside a recipe" \
    "$OTTER" pack release.yaml --counter 9 -o x.otter
check "two recipes are wrong usage" 2 "takes one recipe" \
    "$OTTER" pack release.yaml release.yaml -o x.otter
check "no output is wrong usage" 2 "needs -o" "$OTTER" pack release.yaml

# ---- encryption beside the recipe ----
"$OTTER" keygen --root -o root.pem > /dev/null
check "a recipe's package is encrypted by options" 0 "" "$OTTER" pack release.yaml \
    --encrypt-to root.pem --reproducible --secret root.pem -o encrypted.otter
check "as --member's is" 0 ", encrypted" "$OTTER" inspect encrypted.otter
check "the same each time" 0 "" bash -c '"$OTTER" pack release.yaml --encrypt-to root.pem \
    --reproducible --secret root.pem -o again.otter && cmp encrypted.otter again.otter'
check "the recipe itself does not say for whom" 2 "encrypt-to" bash -c \
    '(cat release.yaml; echo "encrypt-to: [root.pem]") > asking.yaml
    "$OTTER" pack asking.yaml -o x.otter'

# ---- the variants of the manual page's example ----
mkdir -p example/keys example/build example/radio
cp key.pem example/keys/release.pem
cp notes.txt map.json example/
cp app.bin example/build/app.elf
for file in radio/light.bin radio/full.bin build/resources.tar; do
    echo "$file" > example/$file
done
"$OTTER" help recipe | sed -n '/^    recipe: 1/,/^$/s/^    //p' > example/release.yaml
sed -i '/^map:/d' example/release.yaml # its device has regions that this one lacks
# What the device runs already: all members.
"$OTTER" pack -o example/first.otter --key key.pem --version 1.0.0 --counter 1 --follow first.otter \
    --firmware app.bin --member radio=example/radio/light.bin,region=40 \
    --member resources=example/build/resources.tar,region=41
# carried VARIANT: roles of the members that the package carries
carried() {
    "$OTTER" pack example/release.yaml --variant "$1" -o "$1.otter" &&
        "$OTTER" inspect "$1.otter" --json | python3 -c '
import json, sys
print(" ".join(m["role"] for m in json.load(sys.stdin)["members"] if "kept" not in m["flags"]))'
}
check "a full package" 0 "firmware radio resources" carried full
check "a minimal package" 0 "firmware" carried minimal
check "that keeps the radio" 0 "radio (role 5), region ? (40), coding raw (0), kept" \
    "$OTTER" inspect minimal.otter
check "a custom package" 0 "firmware radio resources" carried custom
check "with the other radio" 0 "$(sha256sum < example/radio/full.bin | cut -c1-64)" \
    "$OTTER" inspect custom.otter
check "a partial package" 0 "firmware resources" carried partial
check "with its own name" 0 "called     1.1.0 without radio" "$OTTER" inspect partial.otter
check "the radio of the one before stays" 0 "radio (role 5), region ? (40), coding raw (0), kept" \
    "$OTTER" inspect partial.otter
sed 's/members: \[firmware\]/members: [radio]/' example/release.yaml > example/bare.yaml
check "none is without the firmware" 2 "no device installs a package that keeps it; add the member of role firmware" \
    "$OTTER" pack example/bare.yaml --variant minimal -o x.otter
check "a variant must be chosen" 2 "choose one with --variant:
full, minimal, custom, partial" "$OTTER" pack example/release.yaml -o x.otter
check "one that is none" 2 "no such variant" \
    "$OTTER" pack example/release.yaml --variant tiny -o x.otter
check "of a recipe without any" 2 "has no variants" \
    "$OTTER" pack release.yaml --variant full -o x.otter
check "--variant without a recipe" 2 "belongs to a recipe" "$OTTER" pack --variant full -o x.otter

# ---- what is wrong, and where ----
# wrong NAME TEXT YAML: the recipe's first line is "recipe: 1"
wrong() {
    printf 'recipe: 1\n%b' "$3" > bad.yaml
    check "$1" 2 "bad.yaml:$2" "$OTTER" pack bad.yaml -o x.otter
    check "$1: nothing is written" 1 "" test -e x.otter
}
wrong "a key that is none" '3:1: there is no key "versoin" here' 'counter: 2\nversoin: 1.0.0\n'
wrong "a key of another place" '3:5: there is no key "counter" here' 'members:\n  - counter: 1\n'
wrong "a key twice" "4:1: counter comes twice" 'counter: 2\nversion: 1.0.0\ncounter: 2\n'
wrong "a key twice in a member" "4:5: file comes twice" 'members:\n  - file: a\n    file: a\n'
wrong "a list for a text" "2:10: version is a text, not a list" 'version: [1]\n'
wrong "a text for a list" "2:7: keys is a list, not a text" 'keys: key.pem\n'
wrong "a mapping for a text" "2:10: counter is a text, not a mapping" 'counter: {a: b}\n'
wrong "a text for a mapping" "3:5: members is a list of mappings, not a text" 'members:\n  - app.bin\n'
wrong "a list in a list" "2:8: keys is a text, not a list" 'keys: [[a]]\n'
wrong "no value" "2:9: counter has no value" 'counter:\n'
wrong "a tilde" "2:10: counter has no value" 'counter: ~\n'
wrong "an anchor" "2:10: anchors, aliases and tags" 'counter: &a 2\n'
wrong "an alias" "2:10: anchors, aliases and tags" 'counter: *a\n'
wrong "a tag" "2:10: anchors, aliases and tags" 'counter: !!int 2\n'
wrong "a NUL" "2:9: vendor holds a NUL" 'vendor: "a\\0b"\n'
wrong "a second document" "3:1: a recipe is one document" 'counter: 2\n---\ncounter: 3\n'
wrong "what is no YAML" "2:10: " 'version: {[}\n'
wrong "a tab" "3:1: found character that cannot start" 'members:\n\t- role: a\n'
wrong "a version of two numbers" '2:10: --version takes 1.2.3' 'version: 1.2\n'
wrong "a counter that is none" '3:10: --counter takes a number' 'version: 1.2.0\ncounter: many\n'
wrong "a battery above 100" '2:10: --battery takes a number up to 100' 'battery: 101\n'
wrong "a text of 65 bytes" '2:9: --vendor: 65 bytes are too many' "vendor: $(printf 'v%.0s' {1..65})\n"
wrong "a member without a file" "3:5: a member needs role and file" 'members:\n  - role: firmware\n'
wrong "a role that is none" '3:5: --member takes ROLE=FILE, not "fw"' 'members:\n  - {role: fw, file: a}\n'
wrong "a bad word of a member" '3:5: --member firmware=a: region= takes ID, not "x"' \
    'members:\n  - {role: firmware, file: a, region: x}\n'
wrong "a comma in a name" "3:28: a comma" 'members:\n  - {role: firmware, file: "a,b"}\n'
wrong "two members of a name" "4:12: there is one of that name already; give each a name: radio" \
    'members:\n  - {role: radio, file: a, region: 40}\n  - {role: radio, file: b, region: 41}\n'
wrong "a variant without members" "3:5: a variant needs name and members" 'variants:\n  - name: a\n'
wrong "a member that is not there" "3:25: there is no member of that name: b" \
    'variants:\n  - {name: a, members: [b]}\n'
wrong "notes twice" "3:13: this is given already by notes" 'notes: a\nnotes-file: b\n'
wrong "notes like an option's" "2:8: notes that begin with @" 'notes: "@a"\n'
printf 'recipe: 2\n' > bad.yaml
check "another format" 2 "bad.yaml:1:9: recipes of format 2" "$OTTER" pack bad.yaml -o x.otter
printf 'version: 1.0.0\n' > bad.yaml
check "no format" 2 '"recipe: 1" is missing' "$OTTER" pack bad.yaml -o x.otter
: > bad.yaml
check "an empty recipe" 2 "the recipe is empty" "$OTTER" pack bad.yaml -o x.otter
printf '[1]' > bad.yaml
check "a recipe that is a list" 2 "bad.yaml:1:1: a recipe is a mapping" "$OTTER" pack bad.yaml -o x.otter
{ echo "recipe: 1"; printf '# a comment\n%.0s' {1..6000}; } > bad.yaml
check "a recipe of more than 64 KiB" 1 "bad.yaml cannot be read: File too large" \
    "$OTTER" pack bad.yaml -o x.otter
{ printf 'recipe: 1\nkeys: ['; printf 'a,%.0s' {1..600}; echo 'a]'; } > bad.yaml
check "more values than there may be" 2 "at most 512 values" "$OTTER" pack bad.yaml -o x.otter
{ printf 'recipe: 1\nkeys: '; printf '[%.0s' {1..20000}; } > bad.yaml
check "a deep one" 2 "bad.yaml:2:8: keys is a text, not a list" "$OTTER" pack bad.yaml -o x.otter
sed 's/app.bin/gone.bin/' release.yaml > gone.yaml
check "a missing file is named with its place" 1 "gone.yaml:22:5: gone.bin cannot be read" \
    "$OTTER" pack gone.yaml -o x.otter
sed 's/rebase: 0/rebase: 0x100/' release.yaml > off.yaml
check "an image at a wrong place, too" 1 "off.yaml:22:5: app.bin: " "$OTTER" pack off.yaml -o x.otter
check "a missing recipe" 1 "none.yaml cannot be read" "$OTTER" pack none.yaml -o x.otter
check "nothing was written" 1 "" test -e x.otter
