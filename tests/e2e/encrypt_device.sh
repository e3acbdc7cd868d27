#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Virtual devices with keys of their own: an encrypted package is installed, replaced and
# taken back, and nothing of it, and no key, lies in the device's folder where it should
# not.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem > out
"$OTTER" keygen -o stranger.pem > out
"$OTTER" keygen --root -o root.pem > out

image() { # VERSION: a program whose text names it
    printf '\x00\x40\x00\x20\x41\x00\x00\x00'
    seq -f "secret line %g of version $1" 400
}
pack() { # PROFILE VERSION COUNTER OPTION...
    local profile=$1 version=$2 counter=$3
    shift 3
    image "$version" > "app$version.bin"
    "$OTTER" pack -o "$profile-$version.otter" --key key.pem --version "$version" \
        --counter "$counter" --follow "$profile-first.otter" \
        --member "firmware=app$version.bin,link=0" "$@"
}

for profile in link ab; do
    "$OTTER" factory -o first.hex --profile $profile --sign key.pem --device-key root.pem \
        --keys-out $profile.keys --package-out $profile-first.otter > out
    check "$profile: factory keys are in a file of their own" 0 600 stat -c %a $profile.keys
    check "$profile: a new device has a key of its own" 0 "" \
        "$OTTER" device new $profile --profile $profile --package $profile-first.otter
    check "$profile: only its owner reads it" 0 600 stat -c %a $profile/keys
    check "$profile: its public half is for whoever packs" 0 "BEGIN PUBLIC KEY" cat $profile/device.pub

    pack $profile 2.0.0 2 --encrypt-to $profile/device.pub
    pack $profile 3.0.0 3 --encrypt-to stranger.pem --encrypt-to $profile/device.pub
    pack $profile 4.0.0 4 --encrypt-to stranger.pem
    check "$profile: the plan shows no secret and no refusal" 0 "staging" \
        "$OTTER" inspect $profile-2.0.0.otter --device $profile
    check "$profile: another device's package is refused before its transfer" 4 "[24-11]" \
        "$OTTER" install $profile $profile-4.0.0.otter
    check "$profile: inspect says so" 0 "24-11" \
        "$OTTER" inspect $profile-4.0.0.otter --device $profile
    check "$profile: an encrypted package is installed" 0 "confirmed" \
        "$OTTER" install $profile $profile-2.0.0.otter
    check "$profile: and another one over it" 0 "confirmed" \
        "$OTTER" install $profile $profile-3.0.0.otter
    check "$profile: one that crashes is taken back" 1 "31-" bash -c "
        '$OTTER' pack -o crash.otter --key key.pem --version 5.0.0 --counter 5 \
            --follow $profile-first.otter --member firmware=app2.0.0.bin,link=0 \
            --encrypt-to $profile/device.pub && '$OTTER' install $profile crash.otter --app crash"
    check "$profile: the system before runs" 0 "3.0.0" "$OTTER" status $profile
    # What is installed lies in clear, once; the slot or staging of the other one does not.
    check "$profile: k26 the text of a version is where it runs, and nowhere else" 0 "" bash -c "
        [ \$(grep -a -c 'secret line 300 of version 3.0.0' $profile/flash.bin) = 1 ] &&
        [ \$(cat $profile/device.json $profile/device.pub | grep -a -c 'secret line') = 0 ]"
    check "$profile: a device whose key store is damaged says so" 1 "no key store, or damaged" bash -c "
        cp -r $profile broken && printf x | dd of=broken/keys conv=notrunc status=none &&
        '$OTTER' status broken; status=\$?; rm -r broken; exit \$status"
    rm -r $profile/keys
    check "$profile: a device without keys cannot decrypt" 4 "[24-1" \
        "$OTTER" install $profile $profile-3.0.0.otter
done
check "keys and their file go together" 2 "belong together" \
    "$OTTER" factory -o x.hex --profile link --sign key.pem --device-key root.pem
check "a device takes a root" 0 "" \
    "$OTTER" device new rooted --profile link --sign key.pem --device-key root.pem
check "then it has no key pair of its own" 1 "" test -e rooted/device.pub
check "copies in clear are a policy" 2 "never, encrypted or clear" \
    "$OTTER" device new x --profile link --sign key.pem --policy saved-copies=maybe
check "and said aloud" 0 "" \
    "$OTTER" device new clear --profile link --sign key.pem --policy saved-copies=clear

# The first system may come encrypted, too: then it counts as an encrypted one.
secret() { seq -f "first secret %g" 300; }
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; secret; } > first.bin
first() { # OPTION...
    "$OTTER" factory -o first.hex --profile link --sign key.pem --firmware first.bin,rebase=0 \
        --device-key root.pem --keys-out "first-$RANDOM$RANDOM.keys" --package-out first.otter "$@" > out
}
first --encrypt-to root.pem --encrypt-to stranger.pem
check "k26 the first package holds no word of its text" 1 0 grep -a -c "first secret" first.otter
check "its flash table stays readable" 0 "keeps 2 of 3" bash -c "
    '$OTTER' pack -o next.otter --key key.pem --follow first.otter --version 2.0.0 --counter 2 \
        --firmware app2.0.0.bin --rebase 0 && '$OTTER' inspect next.otter --json > next.json &&
    python3 -c 'import json; m = json.load(open(\"next.json\"))[\"members\"]
print(\"keeps\", sum(\"kept\" in i[\"flags\"] for i in m), \"of\", len(m))'"
check "a device without the key does not take it" 1 "[24-11]" \
    "$OTTER" device new without --profile link --package first.otter
check "one with a key does" 0 "" \
    "$OTTER" device new with --profile link --package first.otter --device-key root.pem
check "it runs" 0 "version 1.0.0" "$OTTER" status with
check "an update that is not confirmed is taken back" 1 "31-" \
    "$OTTER" install with next.otter --app crash
check "k26 from a copy that was not in clear" 0 1 grep -a -c "first secret 200" with/flash.bin
check "and the first system runs" 0 "version 1.0.0" "$OTTER" status with
check "a wrong key is no key" 1 "stranger.bin" first --encrypt-to stranger.bin
