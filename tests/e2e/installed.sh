#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What cmake --install brings: the tool, a manual page for each source of one, completion
# as the tool prints it, and the schemas of its JSON.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

build=$(cd "$(dirname "$OTTER")/.." && pwd)
root=$folder/root
check "it is installed" 0 "bin/otter" cmake --install "$build" --prefix "$root"
check "the tool runs" 0 "usage: otter VERB" "$root/bin/otter" help
check "with its completion for bash" 0 "" \
    cmp <("$OTTER" completion bash) "$root/share/bash-completion/completions/otter"
check "for zsh" 0 "" cmp <("$OTTER" completion zsh) "$root/share/zsh/site-functions/_otter"
check "for fish" 0 "" \
    cmp <("$OTTER" completion fish) "$root/share/fish/vendor_completions.d/otter.fish"
check "and its schemas" 0 "" diff -r "$OTTER_TOP/docs/json" "$root/share/otter/json"
if [ ! -d "$build/man" ]; then
    echo "NOT TESTED: manual pages: scdoc was missing when the build was configured"
    exit 0
fi
for page in "$OTTER_TOP"/docs/man/*.scd; do
    name=$(basename "$page" .scd)
    check "$name is installed" 0 ".TH" cat "$root/share/man/man${name##*.}/$name"
done
