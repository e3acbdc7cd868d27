# SPDX-License-Identifier: Apache-2.0
#
# For the scripts here: a folder that goes away at the end, and one check.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OTTER OTTER_TOP NO_COLOR=1

# check SENTENCE STATUS TEXT COMMAND...: the command ends with that status and says that
# text on standard output or error.
check() {
    local sentence=$1 status=$2 text=$3 seen said
    shift 3
    seen=0
    said=$("$@" 2>&1) || seen=$?
    if [ "$seen" != "$status" ] || [[ "$said" != *"$text"* ]]; then
        echo "not ok: $sentence: expected status $status and \"$text\"," \
            "seen $seen: $said"
        exit 1
    fi
    echo "ok: $sentence"
}

# program FILE VECTORS SIZE FILLER: an image that begins with those two vectors (printf's
# escapes) and goes on with one character.
program() {
    printf "$2" > "$1"
    head -c $(($3 - 8)) /dev/zero | tr '\0' "$4" >> "$1"
}

# noise FILE SIZE SEED: what does not become smaller, the same bytes each time.
noise() {
    head -c "$2" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%032d' "$3")" \
        -iv "$(printf '%032d' 0)" > "$1"
}

# bad_tree OUT ARCHIVE: a package with a tree of files that otter pack would not make.
bad_tree() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$OTTER_TOP/tests/vectors" python3 -c '
import sys
import make_package as mp
archive = open(sys.argv[2], "rb").read()
files = {"role": 6, "region": 224, "data": archive}
package = {**mp.PLAIN, **mp.more(files), "extensions": mp.extension(9, b"res")}
open(sys.argv[1], "wb").write(mp.build(package))' "$@"
}

# keeping OUT: a package that keeps its firmware, which otter pack does not make; signed
# with key.pem by a foreign tool.
keeping() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$OTTER_TOP/tests/vectors" python3 -c '
import re, subprocess, sys
import make_package as mp
key = subprocess.run(["openssl", "pkey", "-in", "key.pem", "-noout", "-text"], check=True,
                     capture_output=True, text=True).stdout
scalar = int(re.sub(r"[\s:]", "", re.search(r"priv:([\s0-9a-f:]+)pub", key)[1]), 16)
members = [mp.kept(mp.FIRMWARE), mp.kept(mp.MANAGER), mp.kept(mp.TABLE), mp.FONT]
open(sys.argv[1], "wb").write(mp.build({**mp.PLAIN, "members": members, "scalars": [scalar]}))' "$@"
}

# deceiving PACKAGE: a character that turns the direction of a line, which otter pack
# refuses, in the place of "###"; signed anew with key.pem by a foreign tool.
deceiving() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$OTTER_TOP/tests/vectors" python3 -c '
import re, struct, subprocess, sys
import make_package as mp
data = open(sys.argv[1], "rb").read()
assert data.count(b"###") == 1
data = data.replace(b"###", "\u202e".encode())
key = subprocess.run(["openssl", "pkey", "-in", "key.pem", "-noout", "-text"], check=True,
                     capture_output=True, text=True).stdout
scalar = int(re.sub(r"[\s:]", "", re.search(r"priv:([\s0-9a-f:]+)pub", key)[1]), 16)
end = 32 + struct.unpack_from("<H", data, 38)[0]
control = data[32:end - 76]
body = data[:32] + control + mp.signature_entry(scalar, control) + data[end:-40]
open(sys.argv[1], "wb").write(body + data[-40:-32] + mp.sha(body))' "$1"
}
