#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shell completion: bash completes every verb and every option that the manual pages
# name, and nothing else; zsh and fish have the same words, and accept their scripts.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" completion bash > otter.bash
"$OTTER" completion zsh > otter.zsh
"$OTTER" completion fish > otter.fish
# shellcheck source=/dev/null
. ./otter.bash
check "bash has a function for otter" 0 "complete -F _otter otter" complete -p otter

# complete_line WORD...: what bash offers for the last word, sorted
complete_line() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _otter otter "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || true
    if [ ${#COMPREPLY[@]} -gt 0 ]; then
        printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
    fi
}
# same SENTENCE WANTED WORD...
same() {
    local sentence=$1 wanted=$2
    shift 2
    check "$sentence" 0 "<$wanted>" echo "<$(complete_line "$@")>"
}

# Verbs, as the tool's manual page lists them.
verbs=$(sed -n 's/^\*\([a-z]*\)\*$/\1/p' "$OTTER_TOP/docs/man/otter.1.scd")
same "every verb is completed" "$(printf '%s\n' $verbs help | sort | tr '\n' ' ')" otter ""
same "by its first letters" "inspect install " otter ins
same "an option of the tool itself" "--help --version " otter --

# Options, as the verbs' pages explain them: each *--x* that begins a paragraph's term.
options_of() {
    sed -n '/^# OPTIONS/,/^# EXIT/p' "$OTTER_TOP/docs/man/otter-$1.1.scd" | grep '^\*-' |
        grep -oE '\*--?[a-z-]+\*' | tr -d '*'
}
for verb in $verbs; do
    case $verb in device | key) continue ;; esac # they have actions
    wanted=$({ options_of "$verb"; echo --help; } | sort | tr '\n' ' ')
    same "$verb: every option of its page" "$wanted" otter "$verb" -
    for option in $wanted; do
        check "$verb $option: zsh knows it" 0 "$option" grep -E "^    \"$verb\"\)" otter.zsh
        case "$option" in
        -o) word="-s o" ;;
        --help) word="complete -c otter -l help" ;;
        *) word="from $verb' -l ${option#--}" ;;
        esac
        check "$verb $option: fish knows it" 0 "$word" grep -F -- "$word" otter.fish
    done
done
same "options of an action with a short one" "--help --output -o " otter key public -
same "actions of key" "id public show " otter key ""
same "actions of a verb" "cut info new run " otter device ""
actions=$(for action in new run cut info; do complete_line otter device $action -; done)
for option in $(options_of device) $(options_of factory | grep -v -e -o -e output -e package-out -e json); do
    check "device $option: some action has it" 0 " $option " echo " $actions "
    check "device $option: fish knows it" 0 "" grep -qE -- "from device; and .* -l ${option#--}( |$)" otter.fish
done
same "options of one action" "--help --json " otter device info -
same "options of tests are not offered" "" otter send --link

# Values.
touch some.otter "with space.otter"
same "words of an option" "ab full link sd " otter factory --profile ""
same "words in the middle" "crash " otter device run board --app cr
same "files of an option" "some.otter " otter pack --follow some
same "files of a verb" "some.otter " otter inspect so
same "a file with a space is one word" "with space.otter " otter inspect wi
same "nothing where a number stands" "" otter pack --counter ""
same "shells" "bash fish zsh " otter completion ""
check "help offers pages" 0 " recipe " echo " $(complete_line otter help "") "
same "an unknown verb has nothing" "" otter nothing -
check "a shell that is none" 2 "takes bash, zsh or fish" "$OTTER" completion tcsh

check "bash takes the script" 0 "" bash -n otter.bash
for shell in zsh fish; do
    if ! command -v $shell > /dev/null; then
        echo "skipped: $shell is not installed; its script is compared, not run"
        continue
    fi
    check "$shell takes the script" 0 "" $shell -n otter.$shell
done
if command -v zsh > /dev/null; then
    # offered WORD...: what the function hands to zsh for the last word
    offered() {
        zsh -f -c 'compadd() { shift; print -l -- $@ }; _files() { print files }
            words=(otter "$@") CURRENT=$((# + 1)) PREFIX=${@[-1]}; . ./otter.zsh' _ "$@" |
            sort | tr '\n' ' '
    }
    check "zsh completes verbs" 0 "completion confirm device" echo "$(offered "")"
    check "zsh completes options" 0 "--help --json " echo "$(offered device info --)"
    check "zsh completes actions" 0 "cut info new run " echo "$(offered device "")"
    check "zsh completes words" 0 "ab full link sd " echo "$(offered factory --profile "")"
    check "zsh completes files" 0 "files " echo "$(offered inspect "")"
fi
if command -v fish > /dev/null; then
    # offered LINE: what fish offers for it
    offered() { HOME=$folder fish --no-config -c "source otter.fish; complete -C '$1'" | cut -f1 | tr '\n' ' '; }
    check "fish completes options" 0 "--battery --boot-min --build" echo "$(offered 'otter pack --b')"
    check "fish completes actions" 0 "cut info new run" echo "$(offered 'otter device ' | tr ' ' '\n' | sort | tr '\n' ' ')"
    check "fish completes words" 0 "link" echo "$(offered 'otter factory --profile ')"
fi
