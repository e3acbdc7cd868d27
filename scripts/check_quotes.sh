#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the documents quote stands where they say: a block below a line
# <!-- quote FILE --> is found in FILE, line by line. And the example that an
# application starts from has at most 50 lines. check_quotes.sh DOCUMENT... looks at
# those alone.
set -euo pipefail
. "$(dirname "$0")/files.sh"

failed=0
quotes=0
documents=("$@")
if [ $# -eq 0 ]; then mapfile -t documents < <(tree_files README.md 'docs/*.md'); fi

# Prints "FILE<TAB>LINE" for each quote of document $1, and leaves its text in $work/n.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
split_quotes() {
    awk -v out="$work" '
        /^<!-- quote [^ ]+ -->[ \t]*$/ { source = $3; next }
        source != "" && !inside && /^```/ {
            inside = 1; n++; file = out "/" n; printf "" > file
            print source "\t" NR
            next
        }
        inside && /^```/ { inside = 0; source = ""; close(file); next }
        inside { print > file; next }
        source != "" && NF { print source "\t0"; source = "" }
        END { if (source != "") print source "\t0" }' "$1"
}

is_part() { # TEXT FILE: the lines of TEXT stand in FILE, one after the other
    awk 'NR == FNR { want[++n] = $0; next }
        { have[++m] = $0 }
        END {
            for (i = 0; n > 0 && i + n <= m; i++) {
                for (j = 1; j <= n && want[j] == have[i + j]; j++) {}
                if (j > n) exit 0
            }
            exit 1
        }' "$1" "$2"
}

for document in "${documents[@]}"; do
    rm -f "$work"/*
    n=0
    while IFS=$'\t' read -r source line; do
        quotes=$((quotes + 1))
        if [ "$line" = 0 ]; then
            echo "quotes: $document: no block follows <!-- quote $source -->" >&2
            failed=1
            continue
        fi
        n=$((n + 1))
        if [ ! -f "$source" ] || ! is_part "$work/$n" "$source"; then
            echo "quotes: $document:$line is not what $source says" >&2
            failed=1
        fi
    done < <(split_quotes "$document")
done

main=examples/application/main.c
if [ $# -eq 0 ]; then
    if ! grep -qF -- "<!-- quote $main -->" README.md; then
        echo "quotes: README.md does not quote $main" >&2
        failed=1
    fi
    if [ "$(wc -l <"$main")" -gt 50 ]; then
        echo "quotes: $main has $(wc -l <"$main") lines, more than 50" >&2
        failed=1
    fi
fi
if [ "$failed" -ne 0 ]; then exit 1; fi
echo "quotes: ok ($quotes)"
