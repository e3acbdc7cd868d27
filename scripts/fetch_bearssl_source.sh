#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets the source package of BearSSL from the package servers that this machine already
# uses, into build/bearssl, without changing the machine's configuration. apt checks the
# sums. `make size` and the emulated boards need it.
set -euo pipefail
. "$(dirname "$0")/files.sh"

mkdir -p "$build/bearssl"
cd "$build/bearssl"
if [ -f source/inc/bearssl.h ]; then exit 0; fi
mkdir -p parts lists/partial cache/archives/partial
for list in /etc/apt/sources.list.d/*.sources; do
    if [ -f "$list" ]; then sed 's/^Types:.*/Types: deb-src/' "$list" >"parts/$(basename "$list")"; fi
done
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    if [ -f "$list" ]; then
        sed -n 's/^deb[[:space:]]/deb-src /p' "$list" >"parts/$(basename "$list" .list).list"
    fi
done
apt=(apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$PWD/parts"
    -o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
"${apt[@]}" source --only-source bearssl >/dev/null
rm -rf source
mv bearssl-*/ source
