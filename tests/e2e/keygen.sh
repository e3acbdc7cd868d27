#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter keygen: keys that OpenSSL reads too, and files that are never overwritten.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

check "a key is made and named" 0 "key id " "$OTTER" keygen -o key.pem --public pub.pem
check "only its owner reads the private key" 0 600 stat -c %a key.pem
check "OpenSSL takes it for a good P-256 key" 0 "Key is valid" \
    openssl pkey -in key.pem -check -noout
check "the curve is P-256" 0 prime256v1 openssl pkey -in key.pem -noout -text
check "it is PKCS#8" 0 "-----BEGIN PRIVATE KEY-----" head -1 key.pem
check "the public file is its public half" 0 same \
    bash -c 'openssl pkey -in key.pem -pubout | cmp - pub.pem && echo same'

rm pub.pem
cp key.pem before.pem
check "a private key is not overwritten" 1 "exists already" "$OTTER" keygen -o key.pem
check "it is as it was" 0 "" cmp key.pem before.pem
touch pub.pem
check "a public key is not overwritten" 1 "exists already" \
    "$OTTER" keygen -o other.pem --public pub.pem
check "nor is half a pair written" 1 "" test -e other.pem
check "standard output carries nothing but the key" 0 "0" \
    bash -c '"$OTTER" keygen -o - 2>/dev/null | grep -c "key id" || true'
check "an argument is a usage error" 2 "name the file with -o" "$OTTER" keygen key2.pem

# Files that are no P-256 key, as verify sees them.
openssl ecparam -name secp384r1 -genkey -noout -out curve.pem
openssl genpkey -algorithm ed25519 -out kind.pem 2> /dev/null
openssl pkey -in key.pem -aes128 -passout pass:x -out locked.pem
head -c 150 key.pem > cut.pem
echo hello > text.pem
check "another curve is named" 1 "secp384r1" "$OTTER" verify x --key curve.pem
check "another kind is refused" 1 "not an elliptic curve key" "$OTTER" verify x --key kind.pem
check "an encrypted key is refused" 1 "is encrypted" "$OTTER" verify x --key locked.pem
check "a damaged key is refused" 1 "cannot be read" "$OTTER" verify x --key cut.pem
check "a text is no key" 1 "not a PEM file" "$OTTER" verify x --key text.pem
check "a missing file is named" 1 "none.pem" "$OTTER" verify x --key none.pem

# The key id is the start of SHA-256(04 || X || Y): docs/SPEC.md, "Signature".
printed=$("$OTTER" keygen -o third.pem --public third.pub)
id=$(openssl pkey -pubin -in third.pub -outform DER | tail -c 65 | sha256sum | cut -c1-16)
check "the key id is the hash of the point" 0 "$id" echo "$printed"
