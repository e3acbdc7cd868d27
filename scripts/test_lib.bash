# SPDX-License-Identifier: Apache-2.0
#
# What the scripts that run whole devices share: scenes, expectations, one process that is
# a device. Sourced. $test is the name in messages; $logs are files whose last lines tell
# why something failed; $keep = yes leaves the folder.
# shellcheck shell=bash

device= # the process: QEMU, or a virtual device

say() { printf '\n== %s\n' "$*"; }

fail() { # SENTENCE
    local log
    echo "${test:?}: $1${seed:+ (seed $seed)}" >&2
    for log in ${logs:-}; do
        if [ ! -f "$log" ]; then continue; fi
        # Without the lines of SMP, of which a console is full.
        grep -av "$(printf '^[\006\004]')" "$log" | tail -n 40 | sed "s/^/   $(basename "$log"): /" >&2
    done
    keep=yes
    exit 1
}

expect() { # SENTENCE WANTED SEEN
    if [ "$2" != "$3" ]; then fail "$1: expected \"$2\", seen \"$3\""; fi
    echo "ok: $1: $3"
}

need() { # COMMAND...: what must simply work; its output is in need.log
    "$@" > need.log 2>&1 && return
    cat need.log >&2
    fail "$* failed"
}

field() { # FILE NAME: a value of a JSON file, by its first appearance
    sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$1" | head -n 1
}

is_on() { kill -0 "$device" 2> /dev/null; }

stop() { # [SIGNAL]: power goes off; without a signal, without a warning
    if [ -n "$device" ]; then
        kill -"${1:-KILL}" "$device" 2> /dev/null
        wait "$device" 2> /dev/null
        device=
    fi
}
