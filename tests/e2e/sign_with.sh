#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# --sign-with: the commands of docs/SECURITY.md with a security module in software, then
# every way in which a command can be wrong, each with its message and nothing written.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

"$OTTER" keygen -o key.pem --public pub.pem > /dev/null
"$OTTER" keygen -o other.pem --public other.pub > /dev/null
"$OTTER" factory -o f.hex --profile link --sign key.pem --package-out first.otter > /dev/null
{ printf '\x00\x40\x00\x20\x41\x00\x00\x00'; head -c 500 /dev/zero; } > app.bin

# ---- commands that sign ----
cat > sign.sh << 'SH'
# sign.sh KEY: OpenSSL signs the digest on standard input; DER
openssl pkeyutl -sign -inkey "$1"
SH
cat > raw.py << 'PY'
# DER on standard input to r and s
import sys
der = sys.stdin.buffer.read()
r_len = der[3]
r, s = der[4:4 + r_len], der[6 + r_len:]
for number in r, s:
    sys.stdout.buffer.write(number[-32:].rjust(32, b"\0"))
PY
sign() { # OUT COMMAND ARGUMENTS...
    local out=$1 command=$2
    shift 2
    "$OTTER" pack -o "$out" --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
        --sign-with "$command" --public pub.pem "$@"
}
for i in 1 2 3 4 5; do # lengths of DER vary
    check "a signature in DER is taken ($i)" 0 "" sign der.otter "sh sign.sh key.pem"
    check "it verifies ($i)" 0 "verified" "$OTTER" verify der.otter --key pub.pem
    check "r and s are taken ($i)" 0 "" sign raw.otter "sh sign.sh key.pem | python3 raw.py"
    check "they verify ($i)" 0 "verified" "$OTTER" verify raw.otter --key pub.pem
done
"$OTTER" pack -o file.otter --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
    --key key.pem
# What is signed, the control packet without its signature (76 bytes), is the same.
signed=$("$OTTER" inspect file.otter --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["signed_length"])')
check "what is signed is what a key's file signs" 0 "" \
    cmp <(head -c $((32 + signed)) file.otter) <(head -c $((32 + signed)) der.otter)
check "the digest is the SHA-256 of it, as bytes and as hex" 0 "" sign d.otter \
    'cat > digest; echo $OTTER_DIGEST > hex; echo $OTTER_KEY_ID > id; sh sign.sh key.pem < digest'
wanted=$(tail -c +33 file.otter | head -c "$signed" | sha256sum | cut -c1-64)
check "as bytes" 0 "$wanted" bash -c 'od -An -v -tx1 digest | tr -d " \n"'
check "as hex" 0 "$wanted" cat hex
check "the key's id comes along" 0 "$(cat id)" "$OTTER" inspect file.otter
check "a command and a key's file sign both" 0 "" sign both.otter "sh sign.sh key.pem" --key other.pem
check "the file's signature is right" 0 "verified" "$OTTER" verify both.otter --key other.pub
check "and the command's" 0 "verified" "$OTTER" verify both.otter --key pub.pem
check "two commands sign both" 0 "" sign two.otter "sh sign.sh key.pem" \
    --sign-with "sh sign.sh other.pem" --public other.pub
check "the second one is right, too" 0 "verified" "$OTTER" verify two.otter --key other.pub
mkdir deep
cp app.bin first.otter pub.pem deep/
cat > deep/recipe.yaml << 'YAML'
recipe: 1
version: 1.1.0
counter: 2
follow: first.otter
sign-with:
  - public: pub.pem
    command: sh sign.sh key.pem
members:
  - {role: firmware, file: app.bin}
YAML
check "a recipe names the command" 0 "" "$OTTER" pack deep/recipe.yaml -o r.otter
check "its package verifies" 0 "verified" "$OTTER" verify r.otter --key pub.pem
sed -i '/public:/d; s/    command/  - command/' deep/recipe.yaml
check "without the key it is refused" 2 "recipe.yaml:6:5: a signer needs command and public" \
    "$OTTER" pack deep/recipe.yaml -o x.otter
check "a factory signs with a command" 0 "" "$OTTER" factory -o s.hex --profile link \
    --sign-with "sh sign.sh key.pem" --public pub.pem --package-out s.otter
check "its first package verifies" 0 "verified" "$OTTER" verify s.otter --key pub.pem
check "a virtual device, too" 0 "" "$OTTER" device new board --profile ab \
    --sign-with "sh sign.sh key.pem" --public pub.pem
check "it trusts that key" 0 "$(cat id)" "$OTTER" device info board --json

# ---- commands that do not ----
# wrong SENTENCE STATUS TEXT COMMAND...: and nothing is written
wrong() {
    check "$@"
    check "$1: nothing is written" 1 "" test -e x.otter
}
wrong "a command that is not there" 1 "failed with status 127: no-such-command" \
    sign x.otter no-such-command
wrong "a command that fails" 1 "failed with status 3: exit 3" sign x.otter "exit 3"
wrong "one that fails behind a good signature" 1 "failed with status 1" \
    sign x.otter "sh sign.sh key.pem; false"
wrong "one that is killed" 1 "was ended by signal 9" sign x.otter 'kill -9 $$'
wrong "one that says nothing" 1 "gave 0 bytes, which are no signature" sign x.otter true
wrong "one that says nonsense" 1 "gave 6 bytes, which are no signature" sign x.otter "echo hello"
wrong "one that gives hex" 1 "which are no signature" \
    sign x.otter "sh sign.sh key.pem | python3 raw.py | od -An -v -tx1 | tr -d ' \n'"
wrong "one that adds a line feed" 1 "which are no signature" sign x.otter "sh sign.sh key.pem; echo"
wrong "half a signature" 1 "which are no signature" sign x.otter "sh sign.sh key.pem | head -c 40"
wrong "64 bytes that are none" 1 "is not by the key $(cat id) of pub.pem" \
    sign x.otter "head -c 64 /dev/zero"
wrong "a signature by another key" 1 "is not by the key $(cat id) of pub.pem" \
    sign x.otter "sh sign.sh other.pem"
wrong "a signature of something else" 1 "is not by the key" \
    sign x.otter "head -c 32 /dev/zero | sh sign.sh key.pem"
wrong "one that talks without end" 1 "gives more than a signature" sign x.otter "yes"
wrong "one that takes too long" 1 "did not end within 1 s: sleep 61.7531" \
    sign x.otter "sleep 61.7531" --sign-timeout 1
wrong "one whose output stays open" 1 "did not end within 1 s" \
    sign x.otter "sh sign.sh key.pem; sleep 61.7531 & exit 0" --sign-timeout 1
wrong "one that closes its output and goes on" 1 "did not end within 1 s" \
    sign x.otter "sh sign.sh key.pem; exec >&-; sleep 61.7531" --sign-timeout 1
# Arguments of all that runs, one a line; a process may end while it is read.
left() { ! { cat /proc/[0-9]*/cmdline 2>/dev/null || true; } | tr '\0' '\n' | grep -x '61[.]7531'; }
check "none of them is left" 0 "" left
check "a command that leaves its input alone may sign" 0 "" sign ok.otter \
    'exec < /dev/null; echo $OTTER_DIGEST | python3 -c "
import sys; sys.stdout.buffer.write(bytes.fromhex(input()))" | sh sign.sh key.pem'
# A PIN is asked for on the terminal, which is the tool's again afterwards.
cat > ask.sh << 'SH'
sign() {
    "$OTTER" pack -o pin.otter --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
        --sign-with 'printf "PIN: " > /dev/tty; read -r pin < /dev/tty; [ "$pin" = 1234 ] && sh sign.sh key.pem' \
        --public pub.pem
}
sign && read -r word && echo "the terminal gave $word"
SH
terminal() { { sleep 1; echo 1234; sleep 1; echo hello; sleep 1; } | timeout 30 script -qec "bash ask.sh" /dev/null; }
check "a command may ask for a PIN" 0 "the terminal gave hello" terminal
check "its package verifies" 0 "verified" "$OTTER" verify pin.otter --key pub.pem
wrong "a private key's half is missing" 2 "--sign-with needs --public" "$OTTER" pack -o x.otter \
    --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin --sign-with true
wrong "a public key too many" 2 "--public belongs to the --sign-with before it" \
    sign x.otter true --public other.pub
wrong "two commands, one key" 2 "needs its --public before the next" "$OTTER" pack -o x.otter \
    --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin --sign-with true --sign-with true
wrong "five signatures" 2 "at most 4 signatures" bash -c '
    "$OTTER" pack -o x.otter --version 1.1.0 --counter 2 --follow first.otter --firmware app.bin \
    $(for i in 1 2 3 4 5; do echo --sign-with true --public pub.pem; done)'
wrong "a public key that is none" 1 "not a PEM file" "$OTTER" pack -o x.otter --version 1.1.0 \
    --counter 2 --follow first.otter --firmware app.bin --sign-with true --public app.bin
wrong "a factory with two ways to sign" 2 "one of them signs" "$OTTER" factory -o x.otter \
    --profile link --sign key.pem --sign-with true --public pub.pem
wrong "a command is not asked for a package that no device takes" 1 "21-17" "$OTTER" pack -o x.otter \
    --version 1.1.0 --counter 2 --target 1 --hardware 1 --firmware app.bin \
    --sign-with "touch asked; sh sign.sh key.pem" --public pub.pem
check "it was not asked" 1 "" test -e asked

# ---- the commands of docs/SECURITY.md ----
for tool in softhsm2-util pkcs11-tool; do
    if ! command -v $tool > /dev/null; then
        echo "NOT TESTED: $tool is missing (scripts/setup.sh build installs it): the commands" \
            "of docs/SECURITY.md with a security module were not run"
        exit 0
    fi
done
MODULE=$(dpkg -L libsofthsm2 2> /dev/null | grep -m1 'libsofthsm2\.so$' ||
    echo /usr/lib/softhsm/libsofthsm2.so)
mkdir tokens
echo "directories.tokendir = $folder/tokens" > softhsm2.conf
export MODULE SOFTHSM2_CONF=$folder/softhsm2.conf SO_PIN=87654321 RELEASE_PIN=123456
PATH=$(dirname "$OTTER"):$PATH
sed -n '/^## Signing with a security module/,/^## What a remote/p' "$OTTER_TOP/docs/SECURITY.md" |
    awk '/^```/ { inside = !inside; next } inside' > commands.sh
check "the document has commands" 0 "pkcs11-tool" cat commands.sh
check "they make, sign and verify a package" 0 "verified: version 1.1.0" \
    bash -euo pipefail commands.sh
check "the device of that key takes it" 0 "verified" "$OTTER" verify update.otter --key release.pub
check "another device does not" 3 "22-11" "$OTTER" verify update.otter --key pub.pem
wrong "a wrong PIN" 1 "failed with status 1" sign x.otter 'pkcs11-tool --module "$MODULE" \
    --token-label release --login --pin 000000 --sign --mechanism ECDSA --label release'
