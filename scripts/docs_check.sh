#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs what the documents tell a reader to run. A block that opens with ```sh test, or
# with ```sh below a line <!-- test -->, is executed in an empty folder, with the tool on
# PATH; blocks of one document share the folder, in order. Also compares docs/ERRORS.md
# with the tool, and lists the contracts that no test names.
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

if [ -f docs/ERRORS.md ] && [ -x "$tools/otter" ]; then
    if "$tools/otter" errors --markdown >"$work/ERRORS.md" &&
        diff -u docs/ERRORS.md "$work/ERRORS.md" >&2; then
        echo "docs: ERRORS.md is what the tool prints"
    else
        echo "docs: make ERRORS.md again: otter errors --markdown > docs/ERRORS.md" >&2
        failed=1
    fi
fi

unnamed=()
for k in $(seq 1 27); do
    if ! grep -rqE "(^|[^A-Za-z0-9])k${k}_" --include='*.c' --include='*.h' tests; then
        unnamed+=("K$k")
    fi
done
echo "docs: contracts that no test names: ${unnamed[*]:-none}"
exit "$failed"
