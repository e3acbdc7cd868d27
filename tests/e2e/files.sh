#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A tree of some two hundred files on a card: packed, looked into, installed, rolled back
# together with the firmware, cut and gone on with, kept, refused. GNU tar says what is
# in the archive; diff says what is on the card.
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
    mkdir "$1/$(printf '%060d' 0)"
    : > "$1/$(printf '%060d/%050d' 0 0)" # too long for one field of a header
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
archive_of() { # PACKAGE: the stored bytes of its member for a tree of files
    "$OTTER" inspect "$1" --json | python3 -c '
import json, sys
for member in json.load(sys.stdin)["members"]:
    if member["region_number"] == 224:
        with open(sys.argv[1], "rb") as file:
            file.seek(member["offset"])
            sys.stdout.buffer.write(file.read(member["stored_size"]))' "$1"
}
listing() { LC_ALL=C tar --numeric-owner --full-time -tvf "$1"; }
(cd one && LC_ALL=C tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX --mtime=@0 -b1 -cf ../one.tar -- *) || exit 1
pack raw.otter first.otter 2 old.bin --member resources=one,root=data/res,coding=raw || exit 1
pack tar.otter first.otter 2 old.bin --member resources=one.tar,root=data/res,coding=raw \
    || exit 1
archive_of raw.otter > raw.tar
mkdir unpacked
tar -C unpacked -xf raw.tar
check "GNU tar unpacks the archive" 0 "" diff -r one unpacked
listing raw.tar > raw.list
listing one.tar > one.list
check "names, order, sizes, owners, modes and times are those of GNU tar's" 0 "" \
    diff one.list raw.list
archive_of tar.otter > taken.tar
check "an archive of GNU tar is taken as it is" 0 "" cmp one.tar taken.tar
SOURCE_DATE_EPOCH=86400 pack dated.otter first.otter 2 old.bin \
    --member resources=one,root=data/res,coding=raw || exit 1
archive_of dated.otter > dated.tar
check "times are what SOURCE_DATE_EPOCH says" 0 "1970-01-02" listing dated.tar
touch -d 2001-02-03 one/nothing
chmod 600 one/noise.bin
pack again.otter first.otter 2 old.bin --member resources=one,root=data/res || exit 1
check "times, owners and modes do not matter" 0 "" cmp one.otter again.otter
check "inspect tells the folder" 0 "files      in data/res" "$OTTER" inspect one.otter
mkdir -p single/only && echo one > single/only/file
pack single.otter first.otter 2 old.bin --member resources=single,root=data/res || exit 1
check "and how many there are" 0 "in data/res: 1 file, 1 folder
" "$OTTER" inspect single.otter
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
misused() { # SENTENCE TEXT MEMBER
    check "$1" 2 "$2" pack bad.otter first.otter 2 old.bin --member "$3"
}
tar_of() { (cd "$1" && LC_ALL=C tar --format=ustar --sort=name -cf "../$1.tar" -- *); }
mkdir links twins umlauts long names folders folders/inside
ln -s /etc/passwd links/passwd
: > twins/readme; : > twins/README
: > umlauts/Ä; : > umlauts/ä
: > "long/$(printf '%0120d' 0)"
: > 'names/what?'
: > folders/inside/name; mkdir folders/INSIDE
for folder_name in twins umlauts names folders; do tar_of "$folder_name"; done
refused "links are not packed" "links/passwd: [38-15]" resources=links,root=res
refused "nor what a card takes for one name" \
    "README and readme: a card takes them for the same name, since FAT ignores" \
    resources=twins,root=res
refused "nor that in an archive" "README and readme: a card takes" resources=twins.tar,root=res
refused "nor two folders of that kind" "INSIDE and inside: a card takes" \
    resources=folders.tar,root=res
refused "nor letters that are none of English" "a card takes" resources=umlauts,root=res
refused "in an archive neither" "a card takes" resources=umlauts.tar,root=res
refused "nor names that are too long" "[38-14]" resources=long,root=res
refused "nor those that no card takes" "names: what?, at byte 0: [38-13]" \
    resources=names,root=res
refused "an archive with such a name is told from the name" \
    "names.tar: what?, at byte 0: [38-13]" resources=names.tar,root=res
tar --format=ustar --sort=name -C one -cf dotted.tar .
refused "an archive of a folder as \".\" is told how to be made" \
    'dotted.tar: ./, at byte 0: [38-13]' resources=dotted.tar,root=res
refused "which names to give to tar" 'name the files to tar as "*"' \
    resources=dotted.tar,root=res
(cd one && tar --format=gnu -cf ../gnu.tar -- nothing)
refused "nor another archive" "gnu.tar: nothing, at byte 0: [38-10]" resources=gnu.tar,root=res
refused "nor half of one" "old.bin: at byte 0: [38-1" resources=old.bin,root=res
refused "a folder needs a place on the card" "one is a folder: its files need root=NAME" \
    resources=one
for root in ../x /x x/ 'x*' x. 'x ' x./y; do
    misused "\"$root\" is no folder for files" "root=$root: no card takes that name" \
        "resources=one,root=$root"
done
for root in otter Otter/x; do
    misused "nor is \"$root\"" "root=$root: the folder otter of a card is the device's own" \
        "resources=one,root=$root"
done
for root in update UPDATE; do
    misused "nor is \"$root\"" "root=$root: in the folder update of a card lie the packages" \
        "resources=one,root=$root"
done
pack within.otter first.otter 2 old.bin --member resources=one,root=update/res || exit 1
misused "one root is enough" "root= is given twice" resources=one,root=x,root=y
misused "one coding is enough" "coding= is given twice" \
    resources=one,root=x,coding=raw,coding=zlib
misused "files are never in place" "not written in place" resources=one,root=x,in-place=yes
misused "files need their folder" "region 224 is that of files" resources=one.tar,region=224
misused "files have no region" "no region=" resources=one,root=x,region=9
misused "only resources are files" "only resources" font=one,root=x
misused "a wrong value is told from its word" 'coding= takes auto|raw|zlib|heatshrink, not "lzma"' \
    resources=one,root=x,coding=lzma

# --- names on a terminal ---
mkdir steering
printf 1 > "steering/$(printf 'a\xe2\x80\xaegpj.exe')"
: > "steering/$(printf 'bad\x1b[2Jname')"
refused "a complaint does not steer a terminal" 'steering: bad\x1B[2Jname, at byte' \
    resources=steering,root=res
rm steering/bad*
tar_of steering
bad_tree steering.otter steering.tar || exit 1
check "nor does the list of files" 0 'a\xE2\x80\xAEgpj.exe, 1 bytes' \
    "$OTTER" inspect steering.otter

# Names that are two on a card are two, whatever other systems make of them: an accent
# in one character and in two, as the Unicode database has them, and devices of DOS.
mkdir apart
(cd apart && python3 -c '
import unicodedata
for name in [unicodedata.normalize(form, "\u00e9t\u00e9") for form in ("NFC", "NFD")] + ["con", "nul.txt"]:
    open(name, "w").write(name)')
pack apart.otter first.otter 2 old.bin --member resources=apart,root=res || exit 1
"$OTTER" device new apart.board --profile sd --package first.otter || exit 1
check "names that FAT tells apart are taken" 0 "confirmed" \
    "$OTTER" install apart.board apart.otter
check "and each file is there" 0 "" diff -r apart apart.board/card/res

# --- a bad tree in a package ---
bad_tree bad_tree.otter names.tar || exit 1
check "a package's bad tree is told from its entry" 3 \
    "bad_tree.otter: member 3 (resources): what?, at byte 0: [38-13]" "$OTTER" inspect bad_tree.otter
check "and in JSON" 3 '"entry": "what?"' "$OTTER" inspect bad_tree.otter --json

# --- encrypted ---
"$OTTER" keygen -o device.key > /dev/null || exit 1
pack secret.otter first.otter 2 old.bin --member resources=one,root=data/res \
    --encrypt-to device.key || exit 1
files_of() { "$OTTER" inspect "$@" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["files"])'; }
files_of one.otter > one.files
check "encrypted files are not listed" 0 "{'root': 'data/res', 'entries': None}" \
    files_of secret.otter
check "but with the key they are, as any others" 0 "" \
    diff one.files <(files_of secret.otter --decrypt-with device.key)
check "also for people" 0 "part 11/deep/file 203.txt" \
    "$OTTER" inspect secret.otter --decrypt-with device.key
"$OTTER" keygen -o other.key > /dev/null || exit 1
check "with another key they are not" 3 "{'root': 'data/res', 'entries': None}" \
    files_of secret.otter --decrypt-with other.key

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
check "and named" 4 "It is member 1 (files)" "$OTTER" install spoilt kept.otter
check "also for programs" 4 '"member": 1' "$OTTER" install spoilt kept.otter --json
check "the plan knows it" 0 "refused: [36-20]" "$OTTER" inspect kept.otter --device spoilt
check "and which" 0 ": member 1 (files)" "$OTTER" inspect kept.otter --device spoilt
check "the plan's JSON, too" 0 '"member": 1' "$OTTER" inspect kept.otter --device spoilt --json
check "and status" 0 "not as installed: files" "$OTTER" status spoilt
pack back.otter kept.otter 5 new.bin --member resources=one,root=data/res || exit 1
check "without the old archive a roll back" 1 "rolled back [36-20]" \
    "$OTTER" install spoilt back.otter --app crash
check "leaves the new files" 0 "identical" diff -rs one/noise.bin spoilt/card/data/res/noise.bin
check "which status tells" 0 "rolled back [36-20]" "$OTTER" status spoilt
check "files come with the next package" 0 "" "$OTTER" install spoilt back.otter

# --- what stands in the way is named ---
cp -r board blocked
mkdir -p "blocked/card/data/res/part 3/deep/file 3.txt/mine"
check "a folder with a file's name" 1 "rolled back [15-" \
    "$OTTER" install blocked back.otter
check "is named" 1 "In the way on the card: data/res/part 3/deep/file 3.txt" \
    "$OTTER" install blocked back.otter
check "also for programs" 1 '"entry": "data/res/part 3/deep/file 3.txt"' \
    "$OTTER" install blocked back.otter --json
rm -r "blocked/card/data/res/part 3/deep/file 3.txt"
check "without it the files come" 0 "confirmed" "$OTTER" install blocked back.otter
cp -r board blocked.above
pack moved.otter kept.otter 5 new.bin --member resources=one,root=other/place || exit 1
echo mine > blocked.above/card/other
check "a file with the name of a folder above the tree is named, too" 1 \
    "In the way on the card: other" "$OTTER" install blocked.above moved.otter
check "and stays" 0 "mine" cat blocked.above/card/other

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
