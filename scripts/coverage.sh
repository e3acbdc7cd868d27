#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh [FOLDER]: runs the tests built in FOLDER (build/coverage), but for those of
# the tool, whose figures hang on how fast the machine is, and prints which lines and
# branches of src/ they reach; fails if one of the gated files has an unreached one that
# docs/TESTING.md, "Coverage", does not list. coverage_gate.py has the rules.
# COVERAGE_RUN=0 looks at the counters of an earlier run.
set -euo pipefail
. "$(dirname "$0")/files.sh"

folder=${1:-$build/coverage}
report=$folder/coverage.json

if [ "${COVERAGE_RUN:-1}" -ne 0 ]; then
    find "$folder" -name '*.gcda' -delete
    ctest --test-dir "$folder" --output-on-failure -j "$jobs" -LE "long|e2e"
fi
gcovr --root . --filter src/ --json "$report" "$folder"
python3 scripts/coverage_gate.py "$report" docs/TESTING.md
