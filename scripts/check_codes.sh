#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The table of codes, include/otter/error.h, against the code that uses it:
#   - a row marked RESERVED is used by nothing in src/, ports/ and tools/;
#   - a row marked LIVE is used by something there;
#   - a code that src/ uses is expected by a test: by its name OTTER_E_..., by its number
#     (XX * 256 + YY), or by what users read (XX-YY). What tests/support tolerates, and
#     what tests/e2e/errors.sh looks up in the table, is not produced there: neither
#     counts.
set -euo pipefail
. "$(dirname "$0")/files.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() {
    echo "codes: $*" >&2
    failed=1
}

# names FILE...: the codes that the files name, one a line, comments left out
names() {
    sed -E 's@/\*.*\*/@@; /^[[:space:]]*(\/\*|\*( |\/|$))/d' "$@" |
        grep -oE '\bOTTER_E_[A-Z0-9_]+' | sort -u
}

# name XX first last kind
sed -nE 's/^ *X\(([A-Z0-9_]+), *([0-9]+), *([0-9]+), *([0-9]+), *(LIVE|RESERVED),.*/\1 \2 \3 \4 \5/p' \
    include/otter/error.h >"$work/table"
rows=$(grep -cE '^ *X\(' include/otter/error.h)
if [ "$rows" -eq 0 ] || [ "$(wc -l <"$work/table")" -ne "$rows" ]; then
    echo "codes: rows of include/otter/error.h cannot be read" >&2
    exit 1
fi

tree_files 'src/*.c' 'src/*.h' >"$work/src"
tree_files 'src/*.c' 'src/*.h' 'ports/*.c' 'ports/*.h' 'tools/*.c' 'tools/*.h' >"$work/all"
tree_files 'tests/*.c' 'tests/*.h' ':!tests/support' >"$work/tests"
mapfile -t files <"$work/src" && names "${files[@]}" >"$work/src_names"
mapfile -t files <"$work/all" && names "${files[@]}" >"$work/all_names"
mapfile -t files <"$work/tests" && names "${files[@]}" >"$work/test_names"
# The numbers: "XX * 256 + YY" of the C files, "XX-YY" of vectors and scripts; as XX YY.
{
    grep -hoE '\b[0-9]+ \* 256 \+ [0-9]+' "${files[@]}" | tr -d ' ' | tr '*+' '  ' |
        awk '{ print $1, $3 }'
    tree_files 'tests/e2e/*.sh' 'tests/vectors/*.txt' ':!tests/e2e/errors.sh' | tr '\n' '\0' |
        xargs -0 grep -hoE '\b[0-9]{2}-[0-9]{2,3}\b' | awk -F - '{ print $1 + 0, $2 + 0 }'
} | sort -u >"$work/numbers"

# is_expected NAME XX FIRST LAST
is_expected() {
    grep -qx "OTTER_E_$1" "$work/test_names" ||
        awk -v xx="$2" -v first="$3" -v last="$4" \
            '$1 == xx && $2 >= first && $2 <= last { found = 1 } END { exit !found }' \
            "$work/numbers"
}

while read -r name xx first last kind; do
    used=0
    if grep -qx "OTTER_E_$name" "$work/all_names"; then used=1; fi
    if [ "$kind" = RESERVED ] && [ "$used" -eq 1 ]; then
        complain "$name is used, but its row says RESERVED"
    fi
    if [ "$kind" = LIVE ] && [ "$used" -eq 0 ]; then
        complain "$name is used nowhere, but its row says LIVE"
    fi
    if grep -qx "OTTER_E_$name" "$work/src_names" &&
        ! is_expected "$name" "$xx" "$first" "$last"; then
        complain "$name is used by src/, and no test expects it"
    fi
done <"$work/table"
while read -r used; do
    if ! grep -q "^${used#OTTER_E_} " "$work/table"; then
        complain "$used has no row in include/otter/error.h"
    fi
done <"$work/all_names"

if [ "$failed" -ne 0 ]; then exit 1; fi
echo "codes: ok ($rows rows, $(wc -l <"$work/src_names") used by src/)"
