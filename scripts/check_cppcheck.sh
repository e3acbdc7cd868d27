#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cppcheck over library, ports, tool, examples and tests. Bare-metal start-up code is left
# out: it walks from one linker symbol to another, which no analyser can follow; so is the
# foreign project of tests/consume, which has a map of its own.
set -euo pipefail
. "$(dirname "$0")/files.sh"

mkdir -p "$build/cppcheck"
tree_files 'src/*.c' 'ports/*.c' 'tools/*.c' 'examples/*.c' 'tests/*.c' \
    ':!examples/cortex-m*' ':!tests/consume' >"$build/cppcheck/files"
if [ ! -s "$build/cppcheck/files" ]; then exit 0; fi
cppcheck --quiet -j "$jobs" --std=c11 --language=c --platform=unix64 \
    --enable=warning,style,performance,portability --inline-suppr \
    --suppressions-list=scripts/cppcheck_suppressions.txt --error-exitcode=1 \
    -UOTTER_CONFIG -UOTTER_CUSTOM_MEMORY_MAP -I include -I src -I ports/host -I ports/common -I tools/otter \
    -I tests/support -I ports/template \
    --file-list="$build/cppcheck/files"
echo "cppcheck: ok"
