#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What takes one value is taken once: of each verb every such option, given twice. That
# no row of a verb's table does otherwise is told by tests/unit/test_options.c.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem > /dev/null

# VERB: option=value ...: a value that is taken, once.
first_system="profile=link sign=key.pem sign-with=true public=key.pem sign-timeout=5
    target=1 hardware=1 version=1.0.0 counter=1 boot=x manager=x firmware=x resources=x
    font=x battery=1 vendor=x product=x version-text=x build=x notes=x"
declare -A once=(
    [keygen]="output=x public=x"
    ["key public"]="output=x"
    [factory]="$first_system output=x package-out=x keys-out=x"
    [pack]="output=x version=1.0.0 counter=1 follow=x map=x target=1 hardware=1
        follows=1.0.0 boot-min=1 manager-min=1 firmware=x only=0-1 rebase=0 link=0
        sign-timeout=5 variant=x secret=x table-from=x battery=1 coding=raw
        coding-memory=1 vendor=x product=x version-text=x build=x notes=x"
    [inspect]="device=x"
    [verify]="target=1 hardware=1 counter=1"
    ["device new"]="$first_system package=x seed=1"
    ["device run"]="udp=x serial=x app=hang app-old=hang cut=1 time-scale=1 seconds=1"
    [send]="timeout=1 chunk=1 link-drop=1 link-twice=1 link-swap=1 link-cut=1 link-cut-ms=1"
    [install]="app=hang cut=1"
)
for verb in "${!once[@]}"; do
    for option in ${once[$verb]}; do
        # shellcheck disable=SC2086 # words
        check "$verb --${option%%=*}" 2 "option --${option%%=*} is given twice; give it once" \
            "$OTTER" $verb "--$option" "--${option%%=*}" "${option#*=}"
    done
done
# The policy's deadline is a number of the profile.
check "factory --trial-deadline" 2 "--trial-deadline is given twice" \
    "$OTTER" factory --profile link --trial-deadline 30 --trial-deadline 30
check "a letter is its long name" 2 "keygen: option --output is given twice" \
    "$OTTER" keygen -o x --output y
check "so is what is cut short" 2 "pack: option --counter is given twice" \
    "$OTTER" pack --count 1 --counter 2
check "nothing is written" 1 "" test -e x

# A finished package has most of what a new device is told.
"$OTTER" factory -o device.hex --profile link --sign key.pem --package-out finished.otter > /dev/null
for option in $first_system key=key.pem policy=reset=open trial-deadline=30 encrypt-to=key.pem; do
    case $option in profile=* | boot=*) continue ;; esac
    check "--${option%%=*} beside a package" 2 "--${option%%=*} has no effect beside --package" \
        "$OTTER" device new x --profile link --package finished.otter "--${option%%=*}" "${option#*=}"
done
check "before it, too" 2 "--counter has no effect beside --package" \
    "$OTTER" device new x --profile link --counter 2 --package finished.otter
check "no device is made" 1 "" test -e x
check "what it has not may be told" 0 "" "$OTTER" device new x --profile link --seed 2 \
    --device-key key.pem --package finished.otter
rm -r x

# A key that is given twice is one.
"$OTTER" keygen -o pair.pem --public half.pem > /dev/null
"$OTTER" keygen --root -o root.pem > /dev/null
head -c 300 /dev/zero > image.bin
again() { # OPTION...
    "$OTTER" pack -o x --version 1.1.0 --counter 2 --follow finished.otter \
        --member firmware=image.bin,link=0 "$@"
}
check "a key signs once" 2 "--key pair.pem: this key signs already, as pair.pem" \
    again --key pair.pem --key key.pem --key pair.pem
check "so does that of a command" 2 "--public half.pem: this key signs already, as pair.pem" \
    again --key pair.pem --sign-with true --public half.pem
check "a package is encrypted once for a key" 2 \
    "--encrypt-to half.pem: this key is given already, as pair.pem" \
    again --key key.pem --encrypt-to pair.pem --encrypt-to root.pem --encrypt-to half.pem
check "or a root" 2 "--encrypt-to root.pem: this key is given already, as root.pem" \
    again --key key.pem --encrypt-to root.pem --encrypt-to root.pem
check "also the first one" 2 "--encrypt-to root.pem: this key is given already" \
    "$OTTER" factory -o x.hex --profile link --sign key.pem --encrypt-to root.pem \
    --encrypt-to root.pem
check "a device trusts a key once" 2 "--key half.pem: this key is given already" \
    "$OTTER" factory -o x.hex --profile link --sign pair.pem --key pair.pem --key half.pem
check "nothing is written of any" 1 "" test -e x -o -e x.hex

# What is meant to be given again is, and what takes no value may be.
"$OTTER" keygen -o other.pem --public pub.pem > /dev/null
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c 300 /dev/zero; } > app.bin
check "keys of a device" 0 "" "$OTTER" device new board --profile link --sign key.pem \
    --key pub.pem --key key.pem --policy reset=open --policy erase=open
"$OTTER" factory -o device.hex --profile full --sign key.pem --version 1.0.0 \
    --package-out first.otter
check "keys and members of a package" 0 "" "$OTTER" pack -o new.otter --key key.pem \
    --key other.pem --version 1.1.0 --counter 2 --follow first.otter \
    --member firmware=app.bin,link=0 --member resources=app.bin --member font=app.bin
check "keys to look with" 0 "" "$OTTER" verify --key pub.pem --key key.pem --json --json \
    new.otter
