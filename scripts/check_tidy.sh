#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy over library, ports, tool and examples, with the flags of build/dev.
set -euo pipefail
. "$(dirname "$0")/files.sh"

# Only what the build compiles: ports of boards and templates have no flags here.
tree_files 'src/*.c' 'ports/*.c' 'tools/*.c' 'examples/*.c' |
    while read -r file; do
        if grep -q "/$file\"" "$build/dev/compile_commands.json"; then echo "$file"; fi
    done | xargs -r -P "$jobs" -n 4 clang-tidy-14 -p "$build/dev" --quiet 2>&1 |
    { grep -vE '^[0-9]+ warnings? generated\.$|^Suppressed [0-9]+|^Use -(header|system)' || true; }
echo "tidy: ok"
