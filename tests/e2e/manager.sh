#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A package that carries a manager (K15): it replaces the old one, a roll back brings
# the old one back, an older one is refused; on both profiles.
set -uo pipefail
. "$OTTER_TOP/tests/e2e/lib_check.bash"

program old.bin '\000\100\000\040\101\000\000\000' 3000 o
program new.bin '\000\100\000\040\101\000\000\000' 3000 n
program manager-1.bin '\000\100\000\040\101\000\002\020' 3000 a
program manager-2.bin '\000\100\000\040\101\000\002\020' 3000 b

"$OTTER" keygen -o key.pem > /dev/null || exit 1
for profile in link ab; do
    "$OTTER" factory -o device.hex --profile $profile --sign key.pem --version 1.0.0 --counter 1 \
        --firmware old.bin,rebase=0 --manager manager-1.bin,rebase=0x10020000 \
        --package-out first.otter > factory.txt || exit 1
    pack() { # OUT MANAGER-VERSION
        "$OTTER" pack -o "$1" --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
            --firmware new.bin --rebase 0 \
            --member manager=manager-2.bin,rebase=0x10020000,version="$2" || exit 1
    }
    pack new.otter 2
    pack older.otter 0
    fresh() { rm -rf board && "$OTTER" device new board --profile $profile --package first.otter; }

    fresh || exit 1
    check "$profile: the plan says that boot replaces it" 0 "manager: by boot" \
        "$OTTER" inspect new.otter --device board
    check "$profile: and that it would not take an older one" 0 "refused: [34-14]" \
        "$OTTER" inspect older.otter --device board
    check "$profile: a new manager is installed with its system" 0 "replacing the manager" \
        "$OTTER" install board new.otter
    check "$profile: it is the one that the new system names" 0 "version 2.0.0" \
        "$OTTER" status board
    fresh || exit 1
    check "$profile: a crashing system is rolled back" 1 "31-10" \
        "$OTTER" install board new.otter --app crash
    check "$profile: with its manager: the old system can be updated again" 0 "confirmed" \
        "$OTTER" install board new.otter
    fresh || exit 1
    check "$profile: an older manager is refused" 4 "34-14" \
        "$OTTER" install board older.otter
    for op in 40 60 80 100; do
        fresh || exit 1
        check "$profile: power cut at operation $op" 0 "power cut" \
            "$OTTER" install board new.otter --cut $op:torn
        check "$profile: then it goes on" 0 "confirmed" "$OTTER" install board new.otter
    done
done
