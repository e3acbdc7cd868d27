# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the checks: goes to the top of the tree and lists its files, without what
# git ignores.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build}
jobs=${JOBS:-2}

# tree_files [PATTERN...]: files of the tree, as git patterns name them, one a line
tree_files() {
    local file
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
        while read -r file; do
            if [ -f "$file" ]; then echo "$file"; fi
        done
}
