#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Help and manual pages are one text: each verb's --help says what its page says.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

verbs=$("$OTTER" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
check "there are verbs" 0 "pack" echo "$verbs"
for verb in $verbs; do
    page=$OTTER_TOP/docs/man/otter-$verb.1.scd
    check "$verb has a page" 0 "" test -f "$page"
    check "$verb: help and --help are the same" 0 same bash -c \
        'cmp <("$OTTER" help "$1") <("$OTTER" "$1" --help) && echo same' _ "$verb"
    summary=$(sed -n 's/^otter [a-z]* - //p' "$page")
    check "$verb is listed with its page's words" 0 "$summary" "$OTTER" help
    check "the tool's page has $verb" 0 "*otter-$verb*(1)" \
        grep -F "*otter-$verb*(1)" "$OTTER_TOP/docs/man/otter.1.scd"
    "$OTTER" help "$verb" > help.txt
    check "$verb: the synopsis comes first" 0 "usage: otter $verb" head -1 help.txt
    # Every sentence of the page is in the help, and nothing else but the synopsis.
    sed -n '/^# DESCRIPTION/,$p' "$page" | sed 's/^# //; s/++$//; /^```/d' |
        tr -d '*_\\' | tr -s ' \t\n' '\n' > words.page
    sed -n '/^DESCRIPTION/,$p' help.txt | tr -d '*_\\' | tr -s ' \t\n' '\n' > words.help
    check "$verb: the words of help are the words of the page" 0 "" \
        diff words.page words.help
done
check "no line is too long" 1 "" bash -c \
    'for v in $1; do "$OTTER" help $v | sed "/^usage/,/^$/d"; done | grep -E "^.{80}"' _ "$verbs"
check "marks of the page are not shown" 1 "" bash -c \
    'for v in $1; do "$OTTER" help $v; done | grep -E "\*[a-z-]+\*|(^|[ [])_[A-Z]+_"' _ "$verbs"
check "the tool's own page is there" 0 "ENVIRONMENT" "$OTTER" help otter
check "a verb that is none has no help" 2 "there is no verb" "$OTTER" help pak
check "help of two verbs is wrong usage" 2 "takes one verb" "$OTTER" help pack send
check "a verb used wrongly shows its synopsis" 2 "usage: otter send ADDRESS FILE" "$OTTER" send
