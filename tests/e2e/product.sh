#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What people read about a system is the same wherever it is asked for: in the package,
# on a powered-off device, and from the device itself over a link.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"
device=
trap 'kill $device 2> /dev/null || true; rm -rf "$folder"' EXIT

"$OTTER" keygen -o key.pem > /dev/null
"$OTTER" factory -o f.hex --profile link --sign key.pem --version 1.0.0 \
    --package-out first.otter > /dev/null
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c 300 /dev/zero; } > app.bin
{ for i in $(seq 1 40); do echo "$i: mended"; done; printf 'tail \342\202\254'; } > notes.txt
"$OTTER" pack -o new.otter --key key.pem --version 1.1.0 --counter 2 --follow first.otter \
    --firmware app.bin --vendor "Lutra Labs" --product 'Weir ###3' --build 0123abcd \
    --version-text "1.1 spring" --notes @notes.txt --battery 30
deceiving new.otter

# says NAME COMMAND...: all of it, for people; nothing that steers a terminal.
says() {
    local where=$1 text
    shift
    for text in "Lutra Labs" 'Weir \xE2\x80\xAE3' "1.1 spring" "0123abcd" "17: mended" \
        "40: mended" "tail €" "30 % or more"; do
        check "$where: $text" 0 "$text" "$@"
    done
}
# gives NAME COMMAND...: the same as JSON; the texts are the package's own.
gives() {
    local where=$1
    shift
    "$@" > seen.json
    check "$where: as JSON" 0 same python3 - seen.json << 'PY'
import json, sys
seen = json.load(open(sys.argv[1]))
seen = seen.get("system", seen)
wanted = {"vendor": "Lutra Labs", "product": "Weir \u202e3", "version_text": "1.1 spring",
          "build": "0123abcd", "notes": open("notes.txt").read(), "battery": 30}
for key, value in wanted.items():
    assert seen.get(key) == value, (key, seen.get(key))
print("same")
PY
}

says "the package" "$OTTER" inspect new.otter
gives "the package" "$OTTER" inspect new.otter --json
check "a device is made" 0 "" "$OTTER" device new board --profile link --package first.otter
check "a package that says nothing shows nothing" 1 "" \
    bash -c '"$OTTER" status board | grep -E "^(vendor|notes|battery)"'
check "the package is installed" 0 "confirmed" "$OTTER" install board new.otter
for verb in "status board" "device info board"; do
    # shellcheck disable=SC2086 # words
    says "$verb" "$OTTER" $verb
    # shellcheck disable=SC2086
    gives "$verb" "$OTTER" $verb --json
done

port=$((20000 + $$ % 20000))
"$OTTER" device run board --udp 127.0.0.1:$port --seconds 60 > log &
device=$!
says "the device itself" "$OTTER" status udp://127.0.0.1:$port
gives "the device itself" "$OTTER" status udp://127.0.0.1:$port --json

# The first system has its texts from the factory.
"$OTTER" factory -o f.hex --profile link --sign key.pem --version 1.1.0 --vendor "Lutra Labs" \
    --product 'Weir ###3' --build 0123abcd --version-text "1.1 spring" --notes @notes.txt \
    --battery 30 --package-out texts.otter > /dev/null
deceiving texts.otter
says "factory" "$OTTER" inspect texts.otter
"$OTTER" device new texts --profile link --package texts.otter
says "a new device" "$OTTER" device info texts
"$OTTER" device new given --profile link --sign key.pem --vendor "Lutra Labs"
check "device new takes them, too" 0 "Lutra Labs" "$OTTER" status given
check "a text that is too long" 2 "65 bytes are too many" \
    "$OTTER" device new none --profile link --sign key.pem --vendor "$(printf '%065d' 1)"
check "a percentage that is none" 2 "number up to 100" \
    "$OTTER" device new none --profile link --sign key.pem --battery 101

# What is not seen or turns the direction of a line is refused, in each text. Which
# characters these are is the Unicode database's word: format characters of these blocks.
python3 - > characters << 'PY'
import unicodedata
for block in (range(0x2000, 0x2070), range(0xFEFF, 0xFF00), range(0x600, 0x620)):
    for point in block:
        if unicodedata.category(chr(point)) == "Cf" and not 0x600 <= point <= 0x605:
            print(f"{point:04X} " + "".join(f"\\x{byte:02x}" for byte in chr(point).encode()))
PY
check "there are some" 0 "202E" cat characters
while read -r point escapes; do
    fields=notes
    if [ "$point" = 202E ]; then fields="vendor product version-text build notes"; fi
    for field in $fields; do
        check "--$field with U+$point" 2 "--$field: U+$point in it" "$OTTER" pack -o no.otter \
            --key key.pem --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
            "--$field" "$(printf "a${escapes}b")"
    done
    case $point in 061C | 200B | 202E | 2066 | FEFF) ;; *) continue ;; esac
    mkdir -p "tree.$point"
    touch "tree.$point/$(printf "a${escapes}b")"
    check "a folder with U+$point in it" 2 "U+$point in it" "$OTTER" pack -o no.otter --key key.pem \
        --version 1.1.0 --counter 2 --follow first.otter \
        --member "resources=tree.$point,root=$(printf "a${escapes}b")"
    check "a file with U+$point in its name" 1 "U+$point in this name" "$OTTER" pack -o no.otter \
        --key key.pem --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
        --member "resources=tree.$point,root=res"
done < characters
printf 'good\nbad \342\200\256txt' > bad.txt
printf 'recipe: 1\nversion: 1.1.0\ncounter: 2\nfollow: first.otter\nnotes-file: bad.txt\n' > r.yaml
printf 'members:\n  - role: firmware\n    file: app.bin\n' >> r.yaml
check "a recipe's notes" 2 "r.yaml:5:13: --notes: U+202E in it" \
    "$OTTER" pack r.yaml -o no.otter --key key.pem
printf 'recipe: 1\nvendor: "a\\u2066b"\nversion: 1.1.0\ncounter: 2\nfollow: first.otter\n' > r.yaml
printf 'members:\n  - role: firmware\n    file: app.bin\n' >> r.yaml
check "and its vendor" 2 "--vendor: U+2066 in it" "$OTTER" pack r.yaml -o no.otter --key key.pem
check "the factory takes none either" 2 "--vendor: U+FEFF in it" "$OTTER" factory -o no.hex \
    --profile link --sign key.pem --vendor $'\uFEFFLutra'
check "nor are they kept of another package" 1 "new.otter: U+202E in its product" "$OTTER" pack \
    -o no.otter --key key.pem --version 1.2.0 --counter 3 --follow new.otter --firmware app.bin
check "but for a text in their place" 0 "" "$OTTER" pack -o mended.otter --key key.pem \
    --version 1.2.0 --counter 3 --follow new.otter --firmware app.bin --product "Weir 3"
check "nothing was made" 1 "" test -e no.otter
check "line feeds and letters of all scripts stay" 0 "" "$OTTER" pack -o good.otter --key key.pem \
    --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
    --notes $'L\u00f6we\n\u6c34 \u05d0 \u2713\u200a'
