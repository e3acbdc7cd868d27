#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter key: ids, points and public halves, against OpenSSL's; nothing private is shown.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

made=$("$OTTER" keygen -o key.pem --public pub.pem)
"$OTTER" keygen -o other.pem --public other.pub > /dev/null
openssl ec -in key.pem -out sec1.pem 2> /dev/null
# 04 || X || Y ends the public key's DER (RFC 5480).
point=$(openssl pkey -pubin -in pub.pem -outform DER | tail -c 65 | od -An -v -tx1 | tr -d ' \n')
id=$(openssl pkey -pubin -in pub.pem -outform DER | tail -c 65 | sha256sum | cut -c1-16)
secret=$(openssl pkey -in key.pem -noout -text | sed -n '/priv:/,/pub:/p' | grep '^ ' | tr -d ' :\n')

check "keygen named it so" 0 "$id" echo "$made"
for file in key.pem pub.pem sec1.pem; do
    check "$file: its id" 0 "$id" "$OTTER" key id $file
    check "$file: x" 0 "x     ${point:2:64}" "$OTTER" key show $file
    check "$file: y" 0 "y     ${point:66:64}" "$OTTER" key show $file
    check "$file: its public half is OpenSSL's" 0 same \
        bash -c '"$OTTER" key public "$1" | cmp - pub.pem && echo same' _ $file
done
check "a private file is called so" 0 "kind  private, P-256" "$OTTER" key show key.pem
check "a public one, too" 0 "kind  public, P-256" "$OTTER" key show pub.pem
check "nothing private is shown" 1 "" bash -c \
    '{ "$OTTER" key show key.pem; "$OTTER" key show key.pem --json; "$OTTER" key public key.pem; } |
        grep -i "$1"' _ "${secret: -60}"
check "the secret was looked for" 0 "60" echo "$(printf %s "${secret: -60}" | wc -c)"
check "several ids come one a line" 0 "$id
$("$OTTER" key id other.pem)" "$OTTER" key id key.pem other.pub
check "a key comes from a pipe" 0 "$id" bash -c '"$OTTER" key id - < pub.pem'
check "the public half goes to a file" 0 "" "$OTTER" key public key.pem -o out.pub
check "which is whole" 0 "" cmp out.pub pub.pem
check "another kind of key is refused" 1 "not an elliptic curve key" bash -c \
    'openssl genpkey -algorithm ed25519 2> /dev/null | "$OTTER" key show -'
check "a text is no key" 1 "not a PEM file" bash -c 'echo hello | "$OTTER" key id -'
check "a missing file is named" 1 "none.pem" "$OTTER" key show pub.pem none.pem
check "then nothing is printed" 0 "<>" bash -c \
    'echo "<$("$OTTER" key show pub.pem none.pem --json 2> /dev/null)>"'
check "no file is wrong usage" 2 "needs a key" "$OTTER" key show
check "two public halves are" 2 "takes one file" "$OTTER" key public pub.pem other.pub
check "no action is" 2 "usage: otter key show" "$OTTER" key
check "an option of another action is" 2 "--json" "$OTTER" key id pub.pem --json
check "help of an action" 0 "usage: otter key show" "$OTTER" key id --help
