#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What --json prints is what docs/json says: real outputs of every reading verb against
# their schemas. A key that is in no schema fails, and so does a verb without a schema.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"
device=
trap 'kill $device 2> /dev/null || true; rm -rf "$folder"' EXIT

cat > validate.py << 'PY'
"""validate.py SCHEMA FILE: FILE is what SCHEMA says, and no key may be added to it."""
import copy, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
seen = json.load(open(sys.argv[2]))
kind = jsonschema.Draft202012Validator
kind.check_schema(schema)
kind(schema).validate(seen)

def objects(value):
    """Every object inside, to be changed in place."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)

for i in range(sum(1 for _ in objects(seen))):
    changed = copy.deepcopy(seen)
    list(objects(changed))[i]["unheard_of"] = 1
    assert not kind(schema).is_valid(changed), f"object {i} may hold any key"
PY

cat > documented.py << 'PY'
"""documented.py SCHEMA: every key of every object is explained."""
import json, sys

def walk(value, path):
    if isinstance(value, dict):
        for name, key in value.get("properties", {}).items():
            assert key.keys() & {"description", "$ref", "const", "oneOf"}, path + name
        for name, inner in value.items():
            walk(inner, path + name + "/")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            walk(inner, f"{path}{i}/")

walk(json.load(open(sys.argv[1])), "")
PY

validated=
# valid SENTENCE SCHEMA STATUS COMMAND...: the command's output
valid() {
    local sentence=$1 schema=$2 status=$3 seen=0
    shift 3
    "$@" > out.json 2> err || seen=$?
    check "$sentence: status" 0 "$status" echo "$seen"
    check "$sentence" 0 "" python3 validate.py "$OTTER_TOP/docs/json/$schema.schema.json" out.json
    validated="$validated $schema"
}

check "python3-jsonschema is installed (scripts/setup.sh build)" 0 "" python3 -c "import jsonschema"
for schema in "$OTTER_TOP"/docs/json/*.schema.json; do
    check "$(basename "$schema"): every key is explained" 0 "" python3 documented.py "$schema"
done

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
"$OTTER" keygen -o other.pem --public other.pub > /dev/null
program() { printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c "$1" /dev/zero; }
program 5000 > app.bin
for profile in link ab; do
    valid "$profile: factory" factory 0 "$OTTER" factory -o f.hex --profile $profile --sign key.pem \
        --package-out first.otter --json
    pack() {
        "$OTTER" pack -o "$1" --key "$2" --follow first.otter --version "$3" --counter "$4" \
            --firmware app.bin --vendor Lutra --product Weir --version-text "1.1" --build abc \
            --notes $'one\ntwo' --battery 10
    }
    pack new.otter key.pem 1.1.0 2
    pack newer.otter key.pem 1.2.0 3
    pack newest.otter key.pem 1.3.0 4
    pack foreign.otter other.pem 1.4.0 5
    "$OTTER" device new board --profile $profile --package first.otter
    valid "$profile: inspect" inspect 0 "$OTTER" inspect new.otter --json --key pub.pem
    valid "$profile: inspect of a first package" inspect 0 "$OTTER" inspect first.otter --json
    valid "$profile: inspect with the plan" inspect 0 "$OTTER" inspect new.otter --json --device board
    valid "$profile: a plan that is refused" inspect 0 "$OTTER" inspect foreign.otter --json --device board
    valid "$profile: status" status-directory 0 "$OTTER" status board --json
    valid "$profile: an installation" install 0 "$OTTER" install board new.otter --json
    valid "$profile: one that is refused" install 4 "$OTTER" install board foreign.otter --json
    valid "$profile: one that is rolled back" install 1 \
        "$OTTER" install board newer.otter --json --app crash
    valid "$profile: one that is cut" install 0 "$OTTER" install board newer.otter --json --cut 50
    valid "$profile: status after it" status-directory 0 "$OTTER" status board --json
    valid "$profile: confirm" status-directory 0 "$OTTER" confirm board --json
    valid "$profile: info" device-info 0 "$OTTER" device info board --json
    port=$((20000 + $$ % 20000))
    "$OTTER" device run board --udp 127.0.0.1:$port --seconds 60 > log 2>&1 &
    device=$!
    address=udp://127.0.0.1:$port
    valid "$profile: status over a link" status-remote 0 "$OTTER" status $address --json
    valid "$profile: send" send 0 "$OTTER" send $address newest.otter --wait --json
    valid "$profile: send of a refused one" send 4 "$OTTER" send $address foreign.otter --json
    valid "$profile: status after it" status-remote 0 "$OTTER" status $address --json
    kill $device
    wait $device || true
    valid "$profile: info of a full device" device-info 0 "$OTTER" device info board --json
    printf '\377' | dd of=board/flash.bin bs=1 seek=0 conv=notrunc status=none
    valid "$profile: info of a damaged table" device-info 0 "$OTTER" device info board --json
    tr '\0-\377' '\377' < board/flash.bin > blank && cp blank board/flash.bin
    valid "$profile: info of a blank device" device-info 0 "$OTTER" device info board --json
    valid "$profile: its status" status-directory 0 "$OTTER" status board --json
    rm -rf board
done
"$OTTER" factory -o f.hex --profile sd --sign key.pem --package-out first.otter > /dev/null
printf '\x00\x40\x00\x20\x41\x00\x00\x08' > card.bin
head -c 5000 /dev/zero >> card.bin
"$OTTER" pack -o card.otter --key key.pem --follow first.otter --version 1.1.0 --counter 2 \
    --firmware card.bin --link 0x08000000
"$OTTER" device new board --profile sd --package first.otter
valid "sd: info" device-info 0 "$OTTER" device info board --json
valid "sd: inspect with the plan" inspect 0 "$OTTER" inspect card.otter --json --device board
valid "sd: an installation" install 0 "$OTTER" install board card.otter --json
valid "sd: status" status-directory 0 "$OTTER" status board --json
mkdir -p tree board/card/res/name/mine
: > tree/name
"$OTTER" pack -o tree.otter --key key.pem --follow card.otter --version 1.2.0 --counter 3 \
    --firmware card.bin --link 0x08000000 --member resources=tree,root=res
"$OTTER" pack -o kept.otter --key key.pem --follow tree.otter --version 1.3.0 --counter 4 \
    --firmware card.bin --link 0x08000000
valid "sd: what is in the way" install 1 "$OTTER" install board tree.otter --json
check "is named" 0 '"entry": "res/name"' cat out.json
rm -r board/card/res/name
valid "sd: a kept tree that is not there" install 4 "$OTTER" install board kept.otter --json
check "is named, too" 0 '"member": ' cat out.json
valid "sd: as in the plan" inspect 0 "$OTTER" inspect kept.otter --json --device board
check "which names it" 0 '"member": ' cat out.json
rmdir board/card/* 2> /dev/null || rm -r board/card
valid "sd: status without the card" status-directory 0 "$OTTER" status board --json
head -c 700 new.otter > short.otter
head -c 10 new.otter > tiny.otter
cp new.otter bad.otter
printf '\001' | dd of=bad.otter bs=1 seek=2000 conv=notrunc status=none
valid "inspect of half a package" inspect 3 "$OTTER" inspect short.otter --json
valid "of a few bytes" inspect 3 "$OTTER" inspect tiny.otter --json
valid "of a damaged member" inspect 3 "$OTTER" inspect bad.otter --json
: > 'what?'
tar --format=ustar -cf what.tar 'what?'
bad_tree tree.otter what.tar
valid "of a bad tree of files" inspect 3 "$OTTER" inspect tree.otter --json
check "whose entry is named" 0 '"entry": "what?"' cat out.json
valid "verify of it" verify 3 "$OTTER" verify tree.otter --key pub.pem --json
check "names the entry, too" 0 '"entry": "what?"' cat out.json
valid "verify" verify 0 "$OTTER" verify new.otter --key pub.pem --json
valid "verify of a stranger's" verify 3 "$OTTER" verify new.otter --key other.pub --json
valid "of a damaged member" verify 3 "$OTTER" verify bad.otter --key pub.pem --json
valid "a key" key-show 0 "$OTTER" key show pub.pem --json
valid "several keys" key-show 0 "$OTTER" key show --json pub.pem key.pem other.pub
valid "all codes" errors 0 "$OTTER" errors --json
valid "one code" errors 0 "$OTTER" errors 20-15 --json

# Nothing was left out.
for schema in "$OTTER_TOP"/docs/json/*.schema.json; do
    name=$(basename "$schema" .schema.json)
    check "$name was used" 0 " $name " echo "$validated "
done
for page in $(grep -l '^\*--json\*' "$OTTER_TOP"/docs/man/*.scd); do
    names=$(grep -oE '[a-z-]+\.schema\.json' "$page" || true)
    check "$(basename "$page") names its schema" 0 "schema" echo "$names"
    for name in $names; do
        check "$name is there" 0 "" test -f "$OTTER_TOP/docs/json/$name"
    done
done
