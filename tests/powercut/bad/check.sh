#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh POWERCUT FOLDER: every NN_name.patch beside this script has been built as
# FOLDER/powercut_bad_NN_name. Each must break a promise that its line "caught-by:"
# names ("P1|K4": the violation's text begins with one of them and a colon), the replay
# id must show it again, and the same replay of POWERCUT, which is the code as it is,
# must break none. "twin: N" is the small twin on which the sweep looks; without it, all
# of them. "card: yes" looks on those whose store is a card; "scenario: NAME" at that one
# alone. "closure: KIND" looks with the closure over that kind of fault instead of the
# sweep.
set -uo pipefail
here=$(dirname "$0")
powercut=$1 folder=$2
count=0 failures=0

fail() {
    echo "not ok: $1: $2"
    sed 's/^/    /' <<< "${3:-}" | tail -n 5
    failures=$((failures + 1))
}

field() { # NAME FILE: what follows "NAME: " in the lines before the diff
    sed -n "/^--- /q; s/^$1: *//p" "$2"
}

# True if the text names one of the promises: "P1: ...". P1 is not P10.
is_expected() {
    local text=$1 promise wanted
    IFS='|' read -ra wanted <<< "$2"
    for promise in "${wanted[@]}"; do
        if [ -n "$promise" ] && [[ $text == "$promise:"* ]]; then
            return 0
        fi
    done
    return 1
}

check() {
    local patch=$1 name program mistake caught twin closure card scenario out status text id cost replayed
    name=$(basename "$patch" .patch)
    program=$folder/powercut_bad_$name
    mistake=$(sed -n '1s/^# *//p' "$patch")
    caught=$(field caught-by "$patch")
    twin=$(field twin "$patch")
    closure=$(field closure "$patch")
    card=$(field card "$patch")
    scenario=$(field scenario "$patch")
    if [ -z "$mistake" ] || [ -z "$caught" ]; then
        fail "$name" "the patch does not say the mistake and what catches it"
        return
    fi
    # shellcheck disable=SC2086
    out=$("$program" --first ${twin:+--small $twin} ${closure:+--closure $closure} \
        ${card:+--card} ${scenario:+--scenario $scenario} 2>&1)
    status=$?
    text=$(sed -n 's/^VIOLATION //p' <<< "$out" | head -n 1)
    id=$(sed -n 's/^ *replay: .*[= ]//p' <<< "$out" | head -n 1)
    cost=$(sed -n 's/^ *after \([0-9]* power-ons\).*/\1/p' <<< "$out" | head -n 1)
    if [ "$status" -ne 1 ] || [ -z "$text" ]; then
        fail "$name" "not caught (status $status): $mistake" "$out"
        return
    fi
    if ! is_expected "$text" "$caught"; then
        fail "$name" "caught by \"$text\", expected \"$caught\""
        return
    fi
    replayed=$("$program" --replay "$id" 2>&1 | tail -n 1)
    if [[ $replayed != "$text"* ]]; then
        fail "$name" "the replay id does not show it again: $id" "$replayed"
        return
    fi
    if ! out=$("$powercut" --replay "$id" 2>&1); then
        fail "$name" "the code as it is breaks a promise there, too: $id" "$out"
        return
    fi
    echo "ok: $name: $mistake Caught by \"$text\"${cost:+ after $cost} ($id)"
}

for patch in "$here"/*.patch; do
    check "$patch"
    count=$((count + 1))
done
echo "$count variants, $failures not caught as they should be"
[ "$count" -ge 9 ] && [ "$failures" -eq 0 ]
