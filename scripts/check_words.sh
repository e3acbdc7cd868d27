#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fails if a text of the tree names a path of one machine or a package registry, or
# leaves work for later in a comment.
set -euo pipefail
. "$(dirname "$0")/files.sh"

patterns=(
    '(^|[^A-Za-z0-9_.$}-])/(work|root)/'
    '(^|[^A-Za-z0-9_.$}-])/home/[a-z]'
    'pypi\.org|pythonhosted\.org|crates\.io|npmjs\.(org|com)|rubygems\.org'
    '(deb|security|ftp|snapshot)\.debian\.org|archive\.ubuntu\.com'
    'proxy\.golang\.org|registry\.(npmjs|yarnpkg)|docker\.io|ghcr\.io|quay\.io'
    '(^|[^A-Za-z])(TODO|FIXME|XXX:)'
)

failed=0
for pattern in "${patterns[@]}"; do
    if tree_files ':!scripts/check_words.sh' ':!LICENSE' |
        tr '\n' '\0' | xargs -0 -r grep -nIE -e "$pattern"; then
        echo "words: the lines above match $pattern" >&2
        failed=1
    fi
done
if [ "$failed" -ne 0 ]; then exit 1; fi
echo "words: ok"
