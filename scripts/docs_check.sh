#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs what the documents tell a reader to run. A block that opens with ```sh test, or
# with ```sh below a line <!-- test -->, is executed in an empty folder, with the tool on
# PATH; blocks of one document share the folder, in order. A block below a line
# <!-- quote FILE --> must stand in FILE line by line. Also compares docs/ERRORS.md with
# the tool, the README's costs with the benchmark and the bad variants with RELIABILITY.md,
# and fails if no test names a promise, or a contract whose code exists.
set -euo pipefail
. "$(dirname "$0")/files.sh"

top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$build/release/tools
case "$tools" in /*) ;; *) tools=$top/$tools ;; esac
export PATH="$tools:$PATH" OTTER_TOP=$top
failed=0
run=0
unmarked=0

# Writes block i of document $1 to $2/i.sh with its line number in $2/i.line; prints the
# number of sh blocks that are not marked.
split_blocks() {
    awk -v out="$2" '
        !inside && /^```sh( test)?[ \t]*$/ {
            inside = 1
            marked = /test/ || previous ~ /^<!-- test -->[ \t]*$/
            if (marked) { n++; print NR > (out "/" n ".line"); file = out "/" n ".sh" } else skipped++
            next
        }
        inside && /^```[ \t]*$/ { inside = 0; if (marked) close(file); previous = ""; next }
        inside { if (marked) print > file; next }
        { previous = $0 }
        END { print skipped + 0 }' "$1"
}

for document in README.md docs/*.md; do
    if [ ! -f "$document" ]; then continue; fi
    name=$(basename "$document" .md)
    mkdir -p "$work/$name/blocks" "$work/$name/home"
    unmarked=$((unmarked + $(split_blocks "$document" "$work/$name/blocks")))
    i=1
    while [ -f "$work/$name/blocks/$i.line" ]; do
        block=$work/$name/blocks/$i.sh
        touch "$block"
        run=$((run + 1))
        if ! (cd "$work/$name/home" && timeout 120 bash -euo pipefail "$block") \
            >"$work/log" 2>&1 </dev/null; then
            echo "docs: $document:$(cat "$work/$name/blocks/$i.line"): block failed:" >&2
            sed 's/^/    /' "$block" >&2
            sed 's/^/  | /' "$work/log" >&2
            failed=1
            break
        fi
        i=$((i + 1))
    done
done
echo "docs: $run blocks ran, $unmarked sh blocks are not marked for it"

if scripts/check_quotes.sh; then :; else failed=1; fi

if [ -f docs/ERRORS.md ] && [ -x "$tools/otter" ]; then
    if "$tools/otter" errors --markdown >"$work/ERRORS.md" &&
        diff -u docs/ERRORS.md "$work/ERRORS.md" >&2; then
        echo "docs: ERRORS.md is what the tool prints"
    else
        echo "docs: make ERRORS.md again: otter errors --markdown > docs/ERRORS.md" >&2
        failed=1
    fi
fi

# RECOVERY.md has every code that can occur, once, with the text and the remedy of
# ERRORS.md.
rows_of() { grep -E '^\| [0-9]{2}-' "$1" | sed -E 's/ +\|$/ |/'; }
if diff <(rows_of docs/ERRORS.md | grep -v '| reserved |$' | sed 's/|  *|$/|/; s/| |$/|/' | sort) \
    <(rows_of docs/RECOVERY.md | sort) >&2; then
    echo "docs: RECOVERY.md has every code and its remedy"
else
    echo "docs: RECOVERY.md lacks these codes of ERRORS.md (<) or has others (>)" >&2
    failed=1
fi

# The README's tables of what each form of a package costs are what `make bench` prints.
costs_of() { awk '/^\| (profile \| package|erases of an update)/, /^$/' "$1" | sed -E ':a s/([0-9]),([0-9]{3})/\1\2/; ta'; }
if "$build/release/tests/bench" >"$work/bench" && diff <(costs_of "$work/bench") <(costs_of README.md) >&2; then
    echo "docs: README has the costs that make bench prints"
else
    echo "docs: README has other costs than make bench prints (<)" >&2
    failed=1
fi

# RELIABILITY.md has each bad variant of the harness once, in its patch's words, with a
# promise that the patch expects, and no other.
awk '/^\| mistake \| caught by \|$/, /^$/' docs/RELIABILITY.md | sed '1,2d; /^$/d' >"$work/mistakes"
: >"$work/variants"
variants=0
wrong=0
for patch in tests/powercut/bad/*.patch; do
    mistake=$(sed -n '1s/^# *//p' "$patch")
    sed -n '/^--- /q; s/^caught-by: *//p' "$patch" | tr '|' '\n' |
        while read -r promise; do echo "| $mistake | $promise |"; done >"$work/variant"
    cat "$work/variant" >>"$work/variants"
    variants=$((variants + 1))
    if [ "$(grep -cxFf "$work/variant" "$work/mistakes")" -ne 1 ]; then
        echo "docs: RELIABILITY.md needs one row for $patch: $(head -n 1 "$work/variant")" >&2
        wrong=1
    fi
done
if grep -vxFf "$work/variants" "$work/mistakes" >&2; then
    echo "docs: RELIABILITY.md has mistakes that no patch makes (above)" >&2
    wrong=1
fi
if [ "$wrong" -eq 0 ]; then
    echo "docs: RELIABILITY.md has each of the $variants bad variants"
else
    failed=1
fi

# Every promise and every contract whose code exists is named by a test: k4_... or p1_...
# in the tests' sources or in the name of a CTest, or a promise's check, promise_p1().
names=$(
    tree_files 'tests/*.c' 'tests/*.h' | xargs cat
    sed -n 's/.*add_test(NAME \([^ )]*\).*/ \1_/p' cmake/*.cmake
    tree_files 'tests/e2e/*.sh' | sed 's|.*/| |'
)
is_named() { # k or p, number
    grep -qE "(^|[^A-Za-z0-9])(promise_)?$1$2(_|\()" <<<"$names"
}

# Contracts of parts that do not exist yet. Whoever adds the part adds its tests and
# takes its line away here.
declare -A waits_for=(
    [19]="configuration: backup and restore"
)
unnamed=()
for k in $(seq 1 27); do
    if is_named k "$k"; then
        if [ -n "${waits_for[$k]:-}" ]; then
            echo "docs: tests name K$k: take it off the list in scripts/docs_check.sh" >&2
            failed=1
        fi
    elif [ -n "${waits_for[$k]:-}" ]; then
        echo "docs: K$k has no test; it waits for ${waits_for[$k]}"
    else
        unnamed+=("K$k")
    fi
done
for p in $(seq 1 10); do
    if ! is_named p "$p"; then unnamed+=("P$p"); fi
done
if [ ${#unnamed[@]} -eq 0 ]; then
    echo "docs: each other contract, and each promise P1 to P10, is named by a test"
else
    echo "docs: no test names ${unnamed[*]}" >&2
    failed=1
fi

# The frozen vectors are what their generator makes.
if command -v python3 >/dev/null; then
    for format in flash card tar; do
        header=tests/vectors/${format}_vectors.h
        if python3 "tests/vectors/make_$format.py" | diff -q - "$header" >/dev/null; then
            echo "docs: ${format}_vectors.h is what make_$format.py prints"
        else
            echo "docs: tests/vectors/make_$format.py prints another ${format}_vectors.h (K6)" >&2
            failed=1
        fi
    done
    made=$work/vectors
    mkdir -p "$made"
    cp tests/vectors/make_package.py tests/vectors/make_encrypted.py "$made"
    if python3 -c 'import cryptography' 2>/dev/null; then
        if (cd "$made" && python3 make_encrypted.py) | diff -q - tests/vectors/wrap_vectors.h >/dev/null &&
            (cd "$made" && for file in *.otter encrypted.txt; do cmp "$file" "$top/tests/vectors/$file" || exit 1; done); then
            echo "docs: the vectors of encryption are what make_encrypted.py makes"
        else
            echo "docs: tests/vectors/make_encrypted.py makes other vectors" >&2
            failed=1
        fi
    else
        echo "docs: python3-cryptography is missing: the vectors of encryption are not made again"
    fi
fi
exit "$failed"
