#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fails if a C file is not laid out as .clang-format says; --write lays it out.
set -euo pipefail
. "$(dirname "$0")/files.sh"

case "${1:-}" in
--write) options=(-i) ;;
*) options=(--dry-run --Werror --ferror-limit=1) ;;
esac
tree_files '*.c' '*.h' | xargs -r -P "$jobs" -n 16 clang-format-14 "${options[@]}"
echo "format: ok"
