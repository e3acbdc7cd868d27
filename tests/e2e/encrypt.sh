#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Encrypted packages: keygen --root, pack --encrypt-to, verify and inspect
# --decrypt-with. OpenSSL opens one by itself, from the bytes that docs/SPEC.md names.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
cut_out() { # FILE OFFSET SIZE; one program: of two the first could lose its reader
    dd if="$1" iflag=skip_bytes,count_bytes bs=64K skip="$2" count="$3" status=none
}
field() { "$OTTER" inspect "$1" --json | sed -n "s/^ *\"$2\": \([0-9]*\).*/\1/p" | sed -n "$3p"; }

"$OTTER" keygen -o key.pem --public pub.pem > keygen.out
"$OTTER" keygen -o device.pem --public device.pub > device.out
"$OTTER" keygen -o stranger.pem > stranger.out

# ---- roots ----
check "a root is made and named" 0 "key id " "$OTTER" keygen --root -o root.pem
check "only its owner reads it" 0 600 stat -c %a root.pem
check "it is not overwritten" 1 "exists already" "$OTTER" keygen --root -o root.pem
check "it has no public half" 2 "without --public" \
    "$OTTER" keygen --root -o other.pem --public other.pub
root=$(sed 1d\;\$d root.pem | base64 -d | hex)
id=$({ printf 'otter root key'; sed 1d\;\$d root.pem | base64 -d; } | sha256sum | cut -c1-16)

# ---- pack ----
"$OTTER" factory -o first.hex --profile link --sign key.pem --package-out first.otter > factory.out
{
    printf '\x00\x40\x00\x20\x41\x00\x00\x00'
    seq -s, 2000
} > app.bin
pack=("$OTTER" pack --key key.pem --version 1.1.0 --counter 2 --follow first.otter)
fresh=(--member "firmware=app.bin,link=0")
check "a package is encrypted for two keys" 0 "" \
    "${pack[@]}" -o two.otter "${fresh[@]}" --encrypt-to device.pub --encrypt-to root.pem
check "nothing of the image is left in it" 1 "" grep -q "1000,1001,1002" two.otter
check "inspect names the member's flag" 0 "encrypted" "$OTTER" inspect two.otter
check "inspect names the first recipient" 0 "$(cut -d' ' -f3 device.out), ECIES P-256" \
    "$OTTER" inspect two.otter
check "inspect names the second one" 0 "$id, AES-256 key wrap" "$OTTER" inspect two.otter
check "a private key's file stands for its public half" 0 "" \
    "${pack[@]}" -o one.otter "${fresh[@]}" --encrypt-to device.pem
check "a member may stay in clear" 0 "" \
    "${pack[@]}" -o clear.otter --member "firmware=app.bin,link=0,encrypt=no" --encrypt-to root.pem
check "then it is readable" 0 "" grep -q "1000,1001,1002" clear.otter
check "a member that is to be encrypted needs a key" 2 "--encrypt-to" \
    "${pack[@]}" -o none.otter --member "firmware=app.bin,link=0,encrypt=yes"
check "encrypt is yes or no" 2 "encrypt= takes yes|no" \
    "${pack[@]}" -o none.otter --member "firmware=app.bin,link=0,encrypt=maybe"
check "a key that is none is refused" 1 "not a PEM file" \
    "${pack[@]}" -o none.otter "${fresh[@]}" --encrypt-to app.bin
sed 2s/.../abc/ root.pem | sed 2s/..../x/ > bad.pem
check "a damaged root is refused" 1 "root key is damaged" \
    "${pack[@]}" -o none.otter "${fresh[@]}" --encrypt-to bad.pem
many=()
for _ in 1 2 3 4 5 6 7 8 9; do many+=(--encrypt-to root.pem); done
check "nine keys are too many" 2 "at most 8" "${pack[@]}" -o none.otter "${fresh[@]}" "${many[@]}"
check "a key twice is refused" 2 "--encrypt-to root.pem: this key is given already" \
    "${pack[@]}" -o none.otter "${fresh[@]}" --encrypt-to root.pem --encrypt-to root.pem
check "an update of it keeps the mark" 0 "kept, encrypted" bash -c \
    '"$OTTER" pack -o both.otter --key key.pem --version 1.1.0 --counter 2 --follow first.otter \
        --member firmware=app.bin,link=0 --member manager=app.bin,link=0 --encrypt-to root.pem &&
        "$OTTER" pack -o kept.otter --key key.pem --version 1.2.0 --counter 3 \
        --follow both.otter --member firmware=app.bin,link=0 && "$OTTER" inspect kept.otter'

# ---- random, or from a secret ----
check "two packages never share keys" 0 differ bash -c \
    '"${@:1}" -o again.otter --encrypt-to device.pub --encrypt-to root.pem; cmp two.otter again.otter || true' \
    _ "${pack[@]}" "${fresh[@]}"
secret=(--reproducible --secret root.pem --encrypt-to device.pub --encrypt-to root.pem)
"${pack[@]}" -o s1.otter "${fresh[@]}" "${secret[@]}"
"${pack[@]}" -o s2.otter "${fresh[@]}" "${secret[@]}"
check "k26 a reproducible one comes out the same" 0 "" cmp s1.otter s2.otter
check "k26 it needs a secret" 2 "needs --secret" \
    "${pack[@]}" -o none.otter "${fresh[@]}" --reproducible --encrypt-to root.pem
check "a secret alone means nothing" 2 "belongs to --reproducible" \
    "${pack[@]}" -o none.otter "${fresh[@]}" --secret root.pem --encrypt-to root.pem
sed s/1000/1001/ app.bin > app2.bin
"${pack[@]}" -o s3.otter --member firmware=app2.bin,link=0 "${secret[@]}"
off=$(field s1.otter offset 1)
check "k26 another content, another key stream" 0 differ bash -c \
    'cmp <(tail -c +$(($1 + 1)) s1.otter | head -c 100) <(tail -c +$(($1 + 1)) s3.otter | head -c 100) || true' _ "$off"

# ---- verify and inspect ----
for key in device.pem root.pem; do
    check "verify opens it with $key" 0 "verified" \
        "$OTTER" verify two.otter --key pub.pem --decrypt-with "$key"
done
check "inspect says so" 0 "content    verified" \
    "$OTTER" inspect two.otter --decrypt-with stranger.pem --decrypt-with root.pem
check "JSON says so" 0 '"is_verified": true' \
    "$OTTER" inspect two.otter --json --decrypt-with root.pem
check "without a key the rest is verified" 0 "verified" "$OTTER" verify two.otter --key pub.pem
check "another key does not open it" 3 "[24-11]" \
    "$OTTER" verify two.otter --key pub.pem --decrypt-with stranger.pem
check "inspect says why" 3 "24-11: not verified" \
    "$OTTER" inspect two.otter --decrypt-with stranger.pem
check "a public key opens nothing" 1 "private" \
    "$OTTER" verify two.otter --key pub.pem --decrypt-with device.pub
check "what is not encrypted needs none" 0 "verified" \
    "$OTTER" verify clear.otter --key pub.pem --decrypt-with stranger.pem

{
    echo "-----BEGIN OTTER ROOT KEY-----"
    printf 'otter test root' | sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64
    echo "-----END OTTER ROOT KEY-----"
} > vector.pem
check "the vectors' package opens" 0 "content    verified" \
    "$OTTER" inspect "$OTTER_TOP/tests/vectors/encrypted_two.otter" --decrypt-with vector.pem
check "a content that is another one has its code" 3 "24-17" \
    "$OTTER" inspect "$OTTER_TOP/tests/vectors/encrypted_other.otter" --decrypt-with vector.pem

# ---- OpenSSL by itself: docs/SPEC.md, "Key wraps", "Encrypted members" ----
"${pack[@]}" -o root.otter "${fresh[@]}" --encrypt-to root.pem
off=$(field root.otter offset 1)
size=$(field root.otter stored_size 1)
wraps=$((32 + 96 + 3 * 96)) # image header, head, three members
check "the extension is critical" 0 07802400 bash -c "echo $(cut_out root.otter $wraps 4 | hex)"
check "the wrap names the root" 0 "$id" bash -c "echo $(cut_out root.otter $((wraps + 4)) 8 | hex)"
key=$(cut_out root.otter $((wraps + 16)) 24 |
    openssl enc -d -id-aes256-wrap -nopad -K "$root" -iv A6A6A6A6A6A6A6A6 | hex)
cut_out root.otter "$off" "$size" |
    openssl enc -d -aes-128-ctr -K "$key" -iv 00000000000000000000000000000000 > plain.bin
check "OpenSSL decrypts the firmware" 0 "" cmp plain.bin app.bin
