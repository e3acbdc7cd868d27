#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys over time: devices that trust two keys, a package that revokes one of them, rolled
# back and confirmed; what is refused, and what the tool shows. On one slot and on two.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

application='\000\100\000\040\101\000\000\000'
program old.bin "$application" 20000 o
program new.bin "$application" 20000 n
program manager.bin '\000\100\000\040\101\000\002\020' 4008 m
for key in release spare stranger; do
    "$OTTER" keygen -o $key.pem --public $key.pub > /dev/null || exit 1
done
release=$("$OTTER" key id release.pem)
spare=$("$OTTER" key id spare.pem)

pack() { # OUT VERSION OPTIONS...
    local out=$1 version=$2
    shift 2
    "$OTTER" pack -o "$out" --version "$version" --counter 1 --firmware new.bin --rebase 0 "$@"
}

# Field of the JSON of a command: the ids of trusted or revoked keys.
keys() { # true|false COMMAND...
    local trusted=$1
    shift
    "$@" --json | python3 -c "import json, sys
print(*[key['id'] for key in json.load(sys.stdin)['keys'] if key['trusted'] is (sys.argv[1] == 'true')])" \
        "$trusted"
}

for profile in link ab; do
    rm -rf board
    "$OTTER" factory -o device.hex --profile $profile --sign release.pem --key release.pub \
        --key spare.pub --version 1.0.0 --counter 1 --firmware old.bin,rebase=0 \
        --manager manager.bin,rebase=0x10020000 --package-out first.otter > map.txt || exit 1
    "$OTTER" device new board --profile $profile --package first.otter || exit 1
    pack change.otter 2.0.0 --follow first.otter --key spare.pem --revoke release.pub || exit 1
    pack late.otter 3.0.0 --follow first.otter --key release.pem || exit 1

    check "$profile: inspect shows what is revoked" 0 "revokes    key $release" \
        "$OTTER" inspect change.otter
    check "$profile: the device trusts both" 0 "$release $spare" keys true "$OTTER" status board
    check "$profile: and has revoked none" 0 "" keys false "$OTTER" device info board

    check "$profile: the change crashes and is rolled back" 1 "31-10" \
        "$OTTER" install board change.otter --app crash
    check "$profile: the device still trusts both" 0 "$release $spare" \
        keys true "$OTTER" status board
    cp -r board rolled-back
    check "$profile: a package by the old key is taken" 0 confirmed \
        "$OTTER" install rolled-back late.otter
    rm -rf rolled-back

    check "$profile: the change, cut in its middle" 0 "power cut" \
        "$OTTER" install board change.otter --cut 150:torn
    check "$profile: goes on and is confirmed" 0 confirmed "$OTTER" install board change.otter
    check "$profile: status says so" 0 "key            $release, revoked" \
        "$OTTER" status board
    check "$profile: the new key is trusted" 0 "$spare" keys true "$OTTER" device info board
    check "$profile: the old one is revoked" 0 "$release" keys false "$OTTER" device info board
    check "$profile: a package by the old key is refused" 4 "22-14" \
        "$OTTER" install board late.otter

    pack after.otter 3.0.0 --follow change.otter --key spare.pem || exit 1
    check "$profile: what follows repeats it" 0 "revokes    key $release" \
        "$OTTER" inspect after.otter
    check "$profile: a package by the new key is taken" 0 confirmed \
        "$OTTER" install board after.otter
    check "$profile: and the old one stays revoked" 0 "$release" \
        keys false "$OTTER" device info board
done

# Rotation: a new key comes with a table, the old one is revoked in its place.
for profile in link ab full; do
    rm -rf board
    "$OTTER" factory -o device.hex --profile $profile --sign release.pem --version 1.0.0 \
        --counter 1 --firmware old.bin,rebase=0 --manager manager.bin,rebase=0x10020000 \
        --package-out alone.otter > map.txt || exit 1
    "$OTTER" device new board --profile $profile --package alone.otter || exit 1
    pack rotate.otter 2.0.0 --follow alone.otter --key release.pem --key spare.pem \
        --table-keys spare.pub --table-keys release.pub --revoke release.pub || exit 1
    pack late.otter 3.0.0 --follow alone.otter --key release.pem || exit 1
    check "$profile: inspect shows the new table" 0 "table (role 3)" \
        "$OTTER" inspect rotate.otter
    check "$profile: the plan writes it beside the old one" 0 "table: table copy" \
        "$OTTER" inspect rotate.otter --device board
    check "$profile: a rotation that crashes is rolled back" 1 "31-10" \
        "$OTTER" install board rotate.otter --app crash
    check "$profile: the old key is the only one" 0 "$release" keys true "$OTTER" status board
    cp -r board rolled-back
    check "$profile: and works" 0 confirmed "$OTTER" install rolled-back late.otter
    rm -rf rolled-back
    check "$profile: the rotation, cut in its middle" 0 "power cut" \
        "$OTTER" install board rotate.otter --cut 150:torn
    check "$profile: goes on and is confirmed" 0 confirmed "$OTTER" install board rotate.otter
    check "$profile: the new key is trusted" 0 "$spare" keys true "$OTTER" device info board
    check "$profile: the old one is revoked" 0 "$release" keys false "$OTTER" device info board
    check "$profile: a package by the old key alone is refused" 4 "22-14" \
        "$OTTER" install board late.otter
    pack next.otter 3.0.0 --follow rotate.otter --key spare.pem || exit 1
    check "$profile: a package by the new key is taken" 0 confirmed \
        "$OTTER" install board next.otter
    # A key that is taken out leaves its place to another one.
    pack swap.otter 4.0.0 --follow next.otter --table-from rotate.otter --key spare.pem \
        --table-keys spare.pub --table-keys stranger.pub || exit 1
    check "$profile: another rotation" 0 confirmed "$OTTER" install board swap.otter
    check "$profile: brings its key" 0 "$("$OTTER" key id stranger.pem) $spare" \
        keys true "$OTTER" status board
    check "$profile: in the place of the revoked one" 0 "" keys false "$OTTER" status board
done
check "the table of a package that keeps it" 1 "keeps the flash table" \
    pack none.otter 4.0.0 --follow next.otter --key spare.pem --table-keys stranger.pub
check "a key of the new table must sign" 4 "22-15" env bash -c '
    "$OTTER" pack -o alien.otter --version 5.0.0 --counter 1 --firmware new.bin --rebase 0 \
        --follow swap.otter --key spare.pem --table-keys stranger.pub \
        --table-keys release.pub > /dev/null &&
        "$OTTER" install board alien.otter'
rm -rf board
"$OTTER" device new board --profile ab --package first.otter || exit 1
check "another device takes the revocation" 0 confirmed "$OTTER" install board change.otter
check "and what follows it" 0 confirmed "$OTTER" install board after.otter

# What devices refuse. The tool does not know their keys: a stranger's stands for them.
pack last.otter 4.0.0 --follow after.otter --key spare.pem --key stranger.pem --revoke "$spare" ||
    exit 1
check "a package that leaves no key is refused" 4 "22-16" "$OTTER" install board last.otter
"$OTTER" device new other --profile ab --package first.otter || exit 1
pack own.otter 4.0.0 --follow first.otter --key release.pem --key stranger.pem \
    --revoke release.pub || exit 1
check "a package that revokes all that signed it is refused" 4 "22-15" \
    "$OTTER" install other own.otter
check "the tool does not make it with no other key" 1 "22-15" \
    pack own.otter 4.0.0 --follow first.otter --key release.pem --revoke "$release"
check "an id of 15 digits is a file" 1 "${release%?}" \
    pack own.otter 4.0.0 --follow first.otter --key spare.pem --revoke "${release%?}"

# The same from a recipe, by id and by file.
cat > release.yaml << EOF
recipe: 1
version: 2.0.0
counter: 1
follow: first.otter
keys: [spare.pem]
revoke: [release.pub, $(printf '%016d' 7)]
members:
  - {role: firmware, file: new.bin, rebase: 0}
EOF
mkdir -p away && cd away || exit 1
check "a recipe revokes" 0 "" "$OTTER" pack ../release.yaml -o recipe.otter
check "files and ids" 0 "revokes    key $release
revokes    key $(printf '%016d' 7)" "$OTTER" inspect recipe.otter
cd .. || exit 1

# Over a link.
port=$((20000 + $$ % 20000))
"$OTTER" device run board --udp "127.0.0.1:$port" --seconds 60 > log 2>&1 &
device=$!
trap 'kill $device 2> /dev/null; rm -rf "$folder"' EXIT
remote=udp://127.0.0.1:$port
check "a device tells its keys over a link" 0 "key       $release, revoked" \
    "$OTTER" status "$remote"
check "and as JSON" 0 "$spare" keys true "$OTTER" status "$remote"
