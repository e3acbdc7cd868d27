#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A tree of some two hundred files on a card: packed, looked into, installed, rolled back
# together with the firmware, cut and gone on with, kept, refused. GNU tar says what the
# archive's bytes are; diff says what is on the card.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

application='\000\000\003\040\101\000\000\010'
program old.bin "$application" 60000 o
program new.bin "$application" 60000 n
program manager.bin '\000\000\003\040\101\000\361\037' 8008 m
noise noise 4000 7

# tree FOLDER VERSION: 320 files in 16 folders, and a few that come and go
tree() {
    local i
    for i in $(seq 220); do
        mkdir -p "$1/part $((i % 16))/deep"
        head -c $((i * 7 % 900)) noise | cat - <(echo "$2 $((i % 3 ? 0 : $2))") \
            > "$1/part $((i % 16))/deep/file $i.txt"
    done
    mkdir -p "$1/only in $2/empty"
    echo "$2" > "$1/only in $2/file"
    : > "$1/nothing"
    cp noise "$1/noise.bin"
}
tree one 1
tree two 2
rm "two/part 3/deep/file 3.txt" "two/part 4/deep/"*

"$OTTER" keygen -o key.pem > /dev/null || exit 1
"$OTTER" factory -o device.hex --profile sd --sign key.pem --version 1.0.0 --counter 1 \
    --firmware old.bin,rebase=0x08000000 --manager manager.bin,rebase=0x1FF10000 \
    --package-out first.otter --json > map.json || exit 1
pack() { # OUT FOLLOW VERSION FIRMWARE MEMBER...
    "$OTTER" pack -o "$1" --key key.pem --follow "$2" --map map.json --version "$3.0.0" \
        --counter "$3" --firmware "$4" --rebase 0x08000000 "${@:5}"
}
pack one.otter first.otter 2 old.bin --member resources=one,root=data/res || exit 1
pack two.otter one.otter 3 new.bin --member resources=two,root=data/res || exit 1
pack kept.otter two.otter 4 old.bin || exit 1

# --- packing ---
list() { (cd "$1" && LC_ALL=C ls -A); }
(cd one && LC_ALL=C tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX --mtime=@0 -b1 -cf ../one.tar -- *) || exit 1
pack raw.otter first.otter 2 old.bin --member resources=one,root=data/res,coding=raw || exit 1
pack tar.otter first.otter 2 old.bin --member resources=one.tar,root=data/res,coding=raw \
    || exit 1
check "the archive is GNU tar's" 0 "" cmp raw.otter tar.otter
touch -d 2001-02-03 one/nothing
chmod 600 one/noise.bin
pack again.otter first.otter 2 old.bin --member resources=one,root=data/res || exit 1
check "times, owners and modes do not matter" 0 "" cmp one.otter again.otter
check "inspect tells the folder" 0 "files      in data/res" "$OTTER" inspect one.otter
check "and every file" 0 "part 11/deep/file 203.txt" "$OTTER" inspect one.otter
check "so it does of a package in JSON" 0 '"root": "data/res"' \
    "$OTTER" inspect one.otter --json
cat > release.yaml <<'YAML'
recipe: 1
version: 2.0.0
counter: 2
follow: first.otter
map: map.json
members:
  - role: firmware
    file: old.bin
    rebase: 0x08000000
  - role: resources
    file: one
    root: data/res
YAML
"$OTTER" pack release.yaml -o recipe.otter --key key.pem || exit 1
check "a recipe makes the same package" 0 "" cmp one.otter recipe.otter

refused() { # SENTENCE TEXT MEMBER
    check "$1" 1 "$2" pack bad.otter first.otter 2 old.bin --member "$3"
}
mkdir links twins long names
ln -s /etc/passwd links/passwd
: > twins/readme; : > twins/README
: > "long/$(printf '%0120d' 0)"
: > 'names/what?'
refused "links are not packed" "[38-15]" resources=links,root=res
refused "nor what a card takes for one name" "same name" resources=twins,root=res
refused "nor names that are too long" "[38-14]" resources=long,root=res
refused "nor those that no card takes" "[38-13]" resources=names,root=res
(cd one && tar --format=gnu -cf ../gnu.tar -- nothing)
refused "nor another archive" "[38-10]" resources=gnu.tar,root=res
refused "nor half of one" "[38-1" resources=old.bin,root=res
for root in ../x /x otter Otter/x; do
    check "\"$root\" is no folder for files" 2 "root=NAME" \
        pack bad.otter first.otter 2 old.bin --member "resources=one,root=$root"
done

# --- on the card ---
"$OTTER" device new board --profile sd --package first.otter || exit 1
same() { diff -r "$1" board/card/data/res && echo same; }
archives() { find board/card/otter -name '*.tar' | wc -l; }

check "files are installed" 0 "" "$OTTER" install board one.otter
check "all of them" 0 "same" same one
check "their archive stays" 0 "1" archives
check "a system that crashes takes its files with it" 1 "[31-10]" \
    "$OTTER" install board two.otter --app crash
check "the old ones are back" 0 "same" same one
check "with their archive alone" 0 "1" archives
check "a cut in the middle of the files" 0 "power cut" \
    "$OTTER" install board two.otter --cut 380:torn
check "the update goes on" 0 "phase: trial" "$OTTER" device run board
check "to its end" 0 "confirmed" "$OTTER" status board
check "with the new files, and no old ones" 0 "same" same two
check "a package may keep them" 0 "" "$OTTER" install board kept.otter
check "then they stay" 0 "same" same two
check "and so does their archive" 0 "1" archives

# --- what the card does not have any more, and what nobody names ---
spoil() { printf 'X' | dd of="$1" bs=1 seek=600 conv=notrunc status=none; }
cp -r board spoilt
spoil spoilt/card/otter/*.tar
check "what is kept is looked for" 4 "[36-20]" "$OTTER" install spoilt kept.otter
check "the plan knows it" 0 "refused: [36-20]" "$OTTER" inspect kept.otter --device spoilt
check "and status" 0 "not as installed: files" "$OTTER" status spoilt
pack back.otter kept.otter 5 new.bin --member resources=one,root=data/res || exit 1
check "without the old archive a roll back" 1 "rolled back [36-20]" \
    "$OTTER" install spoilt back.otter --app crash
check "leaves the new files" 0 "identical" diff -rs one/noise.bin spoilt/card/data/res/noise.bin
check "which status tells" 0 "rolled back [36-20]" "$OTTER" status spoilt
check "files come with the next package" 0 "" "$OTTER" install spoilt back.otter

cp -r board bare
"$OTTER" pack -o bare.otter --key key.pem --follow first.otter --map map.json \
    --version 5.0.0 --counter 5 --firmware new.bin --rebase 0x08000000 || exit 1
pack after.otter bare.otter 6 old.bin --member resources=one,root=data/res || exit 1
check "a release may name no files" 0 "" "$OTTER" install bare bare.otter
check "then they stay" 0 "" diff -r two bare/card/data/res
check "after another one they come back, too" 1 "[31-10]" \
    "$OTTER" install bare after.otter --app crash
check "all of them" 0 "" diff -r two bare/card/data/res
check "and go with the next tree" 0 "" "$OTTER" install bare after.otter
check "none is left" 0 "" diff -r one bare/card/data/res

# --- what is in the way ---
"$OTTER" pack -o inside.otter --key key.pem --follow kept.otter --map map.json \
    --version 5.0.0 --counter 5 --firmware new.bin --rebase 0x08000000 \
    --member resources=one,root=UPDATE || exit 1
check "a package does not overwrite itself" 4 "[36-21]" \
    "$OTTER" install board inside.otter
